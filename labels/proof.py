"""Looks at finished pages as a printer and a scanner would: renders them, reads their codes and words.

PDFium is not safe in several threads at once, so one lock guards every use.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Any

from labels.geometry import PT_PER_IN

MAX_DOTS = 40_000_000
"""The largest picture of a page: letter paper at 600 dots an inch has 34 million."""

_pdfium_lock = RLock()


def scale_of(dpi: float) -> float:
    """Pixels a point. A hair less than it is: 300 / 72 × 216 is 900.0000000000001, which the renderer rounds up."""
    return dpi / PT_PER_IN * (1 - 1e-9)


@contextmanager
def opened(pdf: bytes) -> Iterator[Any]:
    """The document of a PDF, for one user at a time."""
    import pypdfium2

    with _pdfium_lock:
        document = pypdfium2.PdfDocument(pdf)
        try:
            yield document
        finally:
            document.close()


def page_count(pdf: bytes) -> int:
    """Number of pages."""
    with opened(pdf) as document:
        return len(document)


def page_texts(pdf: bytes) -> list[str]:
    """The words of each page, white space made single blanks."""
    with opened(pdf) as document:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def decode_pdf(pdf: bytes, dpi: int) -> list[list[str]]:
    """What a scanner reads from each page printed at ``dpi``: a GS1 code as ``(91)…``, sorted."""
    import zxingcpp

    read = []
    with opened(pdf) as document:
        for page in document:
            bitmap = page.render(scale=scale_of(dpi), grayscale=True, fill_color=(255, 255, 255, 255))
            # zxing-cpp's ImageView does not keep its buffer alive; a shaped memoryview does.
            across, down, stride, pixels = bitmap.width, bitmap.height, bitmap.stride, bytes(bitmap.buffer)
            packed = b"".join(pixels[row * stride : row * stride + across] for row in range(down))
            view = memoryview(packed).cast("B", (down, across))
            formats = zxingcpp.BarcodeFormats([zxingcpp.Code128, zxingcpp.DataMatrix])
            read.append(sorted(code.text for code in zxingcpp.read_barcodes(view, formats=formats)))
            bitmap.close()
    return read


@dataclass(frozen=True, slots=True)
class Expected:
    """A code that must be read from a page: its content, kind, and outer corners with the quiet zone, in dots."""

    content: str
    two_dimensional: bool
    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Page:
    """What a page must show: its codes, and its words."""

    codes: tuple[Expected, ...]
    words: tuple[str, ...]


def letters(words: str) -> str:
    """Words without blanks and hyphens: a reader of PDF takes a hyphen at the end of a line for a division."""
    return "".join(words.translate(_NO_HYPHENS).split())


_NO_HYPHENS = dict.fromkeys(map(ord, "-\u00ad\ufffe\x02"))


def page_faults(pdf: bytes, pages: Sequence[Page], dpi: int) -> Iterator[str]:
    """Where pages printed at ``dpi`` do not say what they must: codes by their pixels, words by the PDF's own text."""
    import zxingcpp

    bars = zxingcpp.BarcodeFormats([zxingcpp.Code128])
    matrix = zxingcpp.BarcodeFormats([zxingcpp.DataMatrix])
    with opened(pdf) as document:
        if len(document) != len(pages):
            yield f"the paper has {len(document)} pages, not {len(pages)}"
            return
        for number, expected in enumerate(pages):
            page = document[number]
            textpage = page.get_textpage()
            said = letters(textpage.get_text_range())
            textpage.close()
            for words in expected.words:
                if letters(words) not in said:
                    yield f"page {number + 1} does not say “{words}”"
            if expected.codes:
                bitmap = page.render(scale=scale_of(dpi), grayscale=True, fill_color=(255, 255, 255, 255))
                pixels = memoryview(bitmap.buffer).cast("B")
                for code in expected.codes:
                    view = _cut(pixels, bitmap.stride, code)
                    formats = matrix if code.two_dimensional else bars
                    # The label lies as it was drawn: no turning, no inverting, no shrinking while looking for it.
                    found = zxingcpp.read_barcodes(
                        view, formats=formats, try_rotate=False, try_downscale=False, try_invert=False
                    )
                    if [each.text for each in found] != [code.content]:
                        yield f"page {number + 1} does not scan to {code.content} at {dpi} dpi"
                pixels.release()
                bitmap.close()
            page.close()


def _cut(pixels: memoryview, stride: int, code: Expected) -> memoryview:
    """The pixels of a code with its quiet zone, in rows without gaps; bars are read in the middle of their height."""
    top, bottom = code.top, code.bottom
    if not code.two_dimensional:
        middle = (top + bottom) // 2
        top, bottom = max(top + 1, middle - 6), min(bottom - 1, middle + 6)
    left = max(0, code.left)
    across = code.right - left
    rows = b"".join(pixels[row * stride + left : row * stride + left + across] for row in range(top, bottom))
    return memoryview(rows).cast("B", (bottom - top, across))


def page_png(pdf: bytes, page: int, dpi: int) -> bytes:
    """One page (from 0) as a PNG picture on white; a page of any size stays within ``MAX_DOTS``."""
    with opened(pdf) as document:
        across_pt, down_pt = document[page].get_size()
        scale = scale_of(dpi)
        # A foreign file may give its page the size of a house.
        while across_pt * scale * down_pt * scale > MAX_DOTS:
            scale /= 2
        bitmap = document[page].render(scale=scale, rev_byteorder=True, fill_color=(255, 255, 255, 255))
        across, down, stride = bitmap.width, bitmap.height, bitmap.stride
        pixels = bytes(bitmap.buffer)
        bitmap.close()
    rows = b"".join(b"\0" + pixels[row * stride : row * stride + 3 * across] for row in range(down))
    head = struct.pack(">IIBBBBB", across, down, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
