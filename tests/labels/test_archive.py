"""The file of a report: what an archive asks of it, the journal's head as a code on every page, the same bytes again.

The clauses are those of ISO 19005-2 (PDF/A-2b) that can be seen in the bytes; no validator is at hand here.
"""

import io
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from PIL import ImageCms

from labels import proof
from labels.codes import head_matrix
from labels.papers import PdfPapers
from labels.reports.archive import srgb_profile
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.papers import PaperStamp
from pharmacy_app.services.printed_head import PrintedHead, read_printed_line
from tests.labels.samples import (
    DESTRUCTION,
    ERROR_REPORT,
    HEADER,
    RECEIPT,
    RETURN,
    STAMP,
    TRANSFER,
    WORKSHEET,
    ledger,
    ledger_totals,
)

HEAD = f"1234:{STAMP.head_hash}"
DEMO = replace(STAMP, demonstration=True)


def record(stamp: PaperStamp = STAMP, lines: int = 40) -> bytes:
    every = list(ledger(lines))
    return PdfPapers().accountability_record(HEADER, every, ledger_totals(every), stamp)


REPORTS: dict[str, Callable[[PaperStamp], bytes]] = {
    "record": record,
    "worksheet": lambda stamp: PdfPapers().worksheet(replace(WORKSHEET, stamp=stamp)),
    "error": lambda stamp: PdfPapers().medication_error_report(replace(ERROR_REPORT, stamp=stamp)),
    "destruction": lambda stamp: PdfPapers().destruction_record(replace(DESTRUCTION, stamp=stamp)),
    "return": lambda stamp: PdfPapers().return_record(replace(RETURN, stamp=stamp)),
    "transfer": lambda stamp: PdfPapers().transfer_record(replace(TRANSFER, stamp=stamp)),
    "receipt": lambda stamp: PdfPapers().receipt_record(replace(RECEIPT, stamp=stamp)),
}


@pytest.mark.parametrize("scanner", [203, 600])
@pytest.mark.parametrize("stamp", [STAMP, DEMO])
@pytest.mark.parametrize("name", REPORTS)
def test_every_page_carries_the_head_as_text_and_as_a_code(name: str, stamp: PaperStamp, scanner: int) -> None:
    pdf = REPORTS[name](stamp)
    for read, words in zip(proof.decode_pdf(pdf, scanner), proof.page_texts(pdf), strict=True):
        assert HEAD in read
        assert "journal 1,234 events, head" in words
        assert STAMP.head_hash in words.replace(" ", "")


def test_what_the_code_says_is_what_the_check_of_a_paper_reads() -> None:
    (codes, *_) = proof.decode_pdf(record(), 300)
    assert read_printed_line(codes[0]) == PrintedHead(1234, STAMP.head_hash)


@pytest.mark.parametrize(("events", "head"), [(1, "0" * 63), (1, "G" * 64), (-1, "0" * 64), (1, "")])
def test_a_head_that_is_none_is_not_printed(events: int, head: str) -> None:
    with pytest.raises(Refused, match="no head to print"):
        head_matrix(events, head)


def test_the_same_content_gives_the_same_bytes_and_another_moment_others() -> None:
    first = record()
    assert record() == first
    later = record(replace(STAMP, printed_at=STAMP.printed_at.replace(minute=16)))
    assert later != first
    assert _identity(later) != _identity(first)


def _identity(pdf: bytes) -> bytes:
    found = re.search(rb"/ID \[<([0-9a-f]{32})> <\1>\]", pdf)
    assert found
    return found[1]


def test_the_file_holds_every_typeface_it_shows() -> None:
    pdf = record()
    fonts = re.findall(rb"/Type /Font\b[^>]*>>|<<[^<>]*/Type /Font\n[^<>]*>>", pdf)
    descriptors = re.findall(rb"<<[^<>]*/Type /FontDescriptor[^<>]*>>", pdf)
    assert len(fonts) == len(descriptors) >= 3
    assert all(b"/FontFile2" in each for each in descriptors)
    # A symbolic font (4) takes its characters from its own table, so it names no encoding.
    assert all(int(found) & 4 for found in re.findall(rb"/Flags (\d+)", pdf))
    assert b"/Encoding" not in pdf
    assert b"Helvetica" not in pdf


def test_the_file_names_its_title_language_and_colours() -> None:
    pdf = record()
    title = "Investigational product accountability record · inotuzumab ozogamicin 1 mg · 2012-0511"
    metadata = _metadata(pdf)
    assert title in metadata
    assert f"<pdf:Keywords>{HEAD}</pdf:Keywords>" in metadata
    assert "<pdfaid:part>2</pdfaid:part>" in metadata
    assert "<xmp:CreateDate>2026-11-22T10:15:00-06:00</xmp:CreateDate>" in metadata
    ElementTree.fromstring(re.sub(r"<\?xpacket.*?\?>", "", metadata))
    assert b"/Lang (en)" in pdf
    assert b"/DisplayDocTitle true" in pdf
    assert b"/S /GTS_PDFA1" in pdf
    assert b"D:20261122101500-06'00'" in pdf
    for forbidden in (b"/Encrypt", b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/AcroForm", b"/SMask"):
        assert forbidden not in pdf


def _metadata(pdf: bytes) -> str:
    """The metadata stream as it stands: it is not pressed."""
    found = re.search(rb"<\?xpacket begin=.*<\?xpacket end=\"r\"\?>", pdf, re.DOTALL)
    assert found
    return found[0].decode()


def test_a_title_with_signs_of_markup_is_still_metadata() -> None:
    pdf = record(replace(STAMP, site_name="Riverside & <Sons>"))
    assert "Riverside &amp; &lt;Sons&gt;" in _metadata(pdf)


def test_the_colour_profile_is_the_srgb_that_others_know() -> None:
    """A colour engine opens it, and mid grey stays mid grey against that engine's own sRGB."""
    ours = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    theirs = ImageCms.createProfile("sRGB")
    from PIL import Image

    changed = ImageCms.profileToProfile(Image.new("RGB", (1, 1), (10, 128, 250)), ours, theirs)
    assert changed is not None
    pixel = changed.getpixel((0, 0))
    assert isinstance(pixel, tuple)
    assert all(abs(a - b) <= 1 for a, b in zip(pixel, (10, 128, 250), strict=True))


def test_every_stream_is_as_long_as_it_says_and_every_object_where_the_table_says() -> None:
    pdf = record(lines=60)
    streams = 0
    for begin in re.finditer(rb"/Length (\d+)[^>]*>>\nstream\n", pdf):
        streams += 1
        end = begin.end() + int(begin[1])
        assert pdf[end : end + 10] == b"\nendstream"
    assert streams > 8
    start = int(re.findall(rb"startxref\n(\d+)\n", pdf)[-1])
    entries = re.findall(rb"(\d{10}) 00000 n \n", pdf[start:])
    for number, offset in enumerate(entries, 1):
        assert pdf[int(offset) :].startswith(b"%d 0 obj\n" % number)
    assert len(entries) + 1 == int(re.findall(rb"/Size (\d+)", pdf)[-1])


def test_pages_are_drawn_in_grey_alone() -> None:
    """Whatever device shows them: no colour that the profile would have to explain."""
    found = 0
    for stream in re.findall(rb"stream\n(.*?)\nendstream", record(DEMO), re.DOTALL):
        try:
            drawn = zlib.decompress(stream)
        except zlib.error:
            continue
        if b" Tf " in drawn:
            found += 1
            assert not re.search(
                rb"(?<![\w.])(rg|RG|k|K|sc|SC|cs|CS)(?!\w)", re.sub(rb"\((?:[^()\\]|\\.)*\)", b"", drawn)
            )
    assert found >= 3
