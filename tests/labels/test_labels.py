"""Vial and bag labels: what a pharmacist reads, what a scanner reads, and what is refused."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import groupby

import barcode
import pypdfium2
import pytest

from labels import proof
from labels.codes import code128, draw
from labels.geometry import BAG as BAG_STOCK
from labels.geometry import VIAL as VIAL_STOCK
from labels.geometry import Dots, Stock
from labels.label_pdf import new_canvas
from labels.papers import PdfPapers
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.papers import CAUTION, BagLabel, Papers, VialLabel
from tests.labels.samples import BAG, VIAL, changed, collisions

PRINTERS = (203, 300)
# Numbers of 1, 10, 13 and 20 characters: our own are 10, a kit of another store may be longer.
NUMBERS = ("A", "V-000123-7", "V-0123456789A", "ABCDEFGHIJ0123456789")


def fields_refused(make: Papers, label: VialLabel | BagLabel) -> set[str]:
    with pytest.raises(Refused) as refused:
        make.vial_labels([label]) if isinstance(label, VialLabel) else make.bag_labels(label)
    return {fault.field for fault in refused.value.faults}


@pytest.mark.parametrize("scanner", PRINTERS)
@pytest.mark.parametrize("dpi", PRINTERS)
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("demonstration", [False, True])
def test_every_vial_scans_to_its_unit_number(dpi: int, scanner: int, number: str, demonstration: bool) -> None:
    label = replace(VIAL, unit_number=number, demonstration=demonstration, copy_number=3)
    pdf = PdfPapers(dpi).vial_labels([label])
    assert collisions(pdf, 0) == []
    (codes,) = proof.decode_pdf(pdf, scanner)
    assert set(codes) == {number}
    # Code 128 stands beside the matrix up to thirteen characters; twenty do not fit in 2.25 in.
    assert len(codes) == (1 if len(number) == 20 else 2)


@pytest.mark.parametrize("scanner", PRINTERS)
@pytest.mark.parametrize("dpi", PRINTERS)
@pytest.mark.parametrize("demonstration", [False, True])
def test_both_bag_labels_scan_to_the_dose(dpi: int, scanner: int, demonstration: bool) -> None:
    label = replace(BAG, demonstration=demonstration, copy_number=3)
    pages = proof.decode_pdf(PdfPapers(dpi).bag_labels(label), scanner)
    assert pages == [["(91)D-000123-7", "D-000123-7"]] * 2


def test_forty_vials_come_as_forty_labels_in_their_order() -> None:
    labels = [replace(VIAL, unit_number=f"V-{number:06d}-K") for number in range(40)]
    pages = proof.decode_pdf(PdfPapers().vial_labels(labels), 203)
    assert pages == [[label.unit_number] * 2 for label in labels]


@pytest.mark.parametrize(("dpi", "dots"), [(203, 2), (300, 3)])
def test_every_bar_is_a_whole_number_of_printer_dots(dpi: int, dots: int) -> None:
    """The pattern printed is the encoder's, each module ``dots`` wide: 2 at 203 dpi, 3 at 300 (REGULATION B-09)."""
    pdf = PdfPapers(dpi).vial_labels([VIAL])
    document = pypdfium2.PdfDocument(pdf)
    page = document[0].render(scale=dpi / 72, grayscale=True, fill_color=(255, 255, 255, 255))
    row = round(65 / 72 * dpi)
    pixels = bytes(page.buffer)[row * page.stride : row * page.stride + round(130 / 72 * dpi)]
    document.close()
    runs = [(dark, len(list(run))) for dark, run in groupby(pixel < 128 for pixel in pixels)]
    bars = runs[1:-1]
    expected = [
        (sign == "1", len(list(run)) * dots) for sign, run in groupby(barcode.get("code128", "V-000123-7").build()[0])
    ]
    assert bars == expected


def test_a_module_under_two_dots_is_refused() -> None:
    canvas, _ = new_canvas(VIAL_STOCK, "")
    with pytest.raises(Refused, match="2 dots"):
        draw(canvas, code128("unit_number", "A1"), Dots(203), left=0, top=0, module=1, bar_height=9, page_pt=90)


@pytest.mark.parametrize("number", ["", "V 1", "v-1", "-V1", "V1-", "Ä1", "V1\x1d", "(91)V1", "A" * 21])
def test_a_code_carries_nothing_but_our_own_numbers(number: str) -> None:
    assert fields_refused(PdfPapers(), replace(VIAL, unit_number=number)) == {"unit_number"}


def test_the_vial_label_says_what_it_must() -> None:
    (words,) = proof.page_texts(PdfPapers().vial_labels([VIAL]))
    for required in (
        "Investigational – protocol 2012-0511",
        "Site 001",
        "inotuzumab ozogamicin",
        "1 mg",
        "Lot HX2201A",
        "Exp 30-Nov-2026",
        "PROTECT FROM LIGHT",
        "Store at 2–8 °C",
        CAUTION,
        "V-000123-7",
    ):
        assert required in words
    assert "1.0" not in words
    assert "DEMONSTRATION" not in words
    assert "REPRINT" not in words


def test_the_caution_is_the_regulation_s_own_sentence() -> None:
    """21 CFR 312.6(a), typed here again from the regulation."""
    statement = "Caution: New Drug—Limited by Federal (or United States) law to investigational use."
    for pdf in (PdfPapers().vial_labels([VIAL]), PdfPapers().bag_labels(BAG)):
        assert all(statement in words for words in proof.page_texts(pdf))


def test_the_bag_labels_say_what_they_must() -> None:
    first, second = proof.page_texts(PdfPapers().bag_labels(BAG))
    for required in (
        "1001-0007",
        "Initials ABC",
        "inotuzumab ozogamicin",
        "0.9 mg in 50 mL (0.018 mg/mL)",
        "Diluent 0.9 % sodium chloride injection",
        "Course 1 · Cycle 1 · Day 8",
        "FOR INTRAVENOUS USE ONLY",
        "Infuse over about 1 h",
        "22-Nov-2026 14:15 (UTC−06:00)",
        "Start by 22-Nov-2026 13:15 (UTC−06:00)",
        "Prepared 22-Nov-2026 10:15 (UTC−06:00)",
        "PROTECT FROM LIGHT during preparation, storage and administration",
        "Do not shake. Do not freeze.",
        "HAZARDOUS DRUG – CYTOTOXIC",
        "Prepared by Maria Gonzalez, PharmD",
        "Verified by James Okafor, CPhT",
        "Riverside Cancer Center",
        "Pharmacy +1 713 555 0100",
        "Dose D-000123-7",
        "Investigational – protocol 2012-0511",
        CAUTION,
    ):
        assert required in first
        assert required in second
    assert "on the bag" in first
    assert "outside the light cover" in second
    assert first.replace("LABEL 1 of 2 – on the bag", "") == second.replace(
        "LABEL 2 of 2 – outside the light cover", ""
    )
    assert not re.search(r"\d\.\d*0 m", first)


def test_subject_drug_and_dose_are_the_largest_words_of_the_bag() -> None:
    """REGULATION L-08: bold, largest, 12 pt or more."""
    document = pypdfium2.PdfDocument(PdfPapers().bag_labels(BAG))
    sizes: dict[str, float] = {}
    page = document[0]
    textpage = page.get_textpage()
    for item in page.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_TEXT], textpage=textpage):
        words = item.extract().strip()
        sizes[words] = max(sizes.get(words, 0), item.get_font_size())
    document.close()
    largest = ("1001-0007", "inotuzumab ozogamicin", "0.9 mg in 50 mL (0.018 mg/mL)")
    assert all(sizes[words] >= 12 for words in largest)
    smallest = min(sizes[words] for words in largest)
    assert [words for words, size in sizes.items() if words not in largest and size >= smallest] == []
    assert min(sizes.values()) >= 6


@pytest.mark.parametrize(("copy_number", "words"), [(1, None), (2, "REPRINT 1"), (3, "REPRINT 2")])
def test_a_reprint_says_so_and_counts(copy_number: int, words: str | None) -> None:
    pages = proof.page_texts(PdfPapers().vial_labels([replace(VIAL, copy_number=copy_number)]))
    pages += proof.page_texts(PdfPapers().bag_labels(replace(BAG, copy_number=copy_number)))
    assert all((words or "Investigational") in page for page in pages)
    assert all(("REPRINT" in page) == (words is not None) for page in pages)


def test_the_demonstration_says_so_on_every_label() -> None:
    pages = proof.page_texts(PdfPapers().vial_labels([replace(VIAL, demonstration=True)]))
    pages += proof.page_texts(PdfPapers().bag_labels(replace(BAG, demonstration=True)))
    assert len(pages) == 3
    assert all("DEMONSTRATION – NOT FOR CLINICAL USE" in page for page in pages)


def test_missing_initials_are_said_to_be_missing() -> None:
    first, _ = proof.page_texts(PdfPapers().bag_labels(replace(BAG, subject_initials="")))
    assert "Initials N/A" in first


def test_long_but_real_names_fit() -> None:
    label = replace(
        BAG,
        prepared_by="Maria-Fernanda Gonzalez-Villanueva, PharmD, BCOP",
        verified_by="Oluwaseun Adebayo-Krishnamurthy, RPh, BCOP",
        site_name="The University of Texas MD Anderson Cancer Center",
        subject_number="MDA-2012-0511-00042",
        demonstration=True,
        copy_number=12,
        storage="Keep at 2–8 °C until one hour before use, then at room temperature 20–25 °C. Do not shake or freeze.",
    )
    pdf = PdfPapers().bag_labels(label)
    assert collisions(pdf, 0) + collisions(pdf, 1) == []
    first, _ = proof.page_texts(pdf)
    for words in (label.prepared_by, label.verified_by, label.site_name, label.subject_number, "REPRINT 11"):
        assert words in first


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("lot", "L" * 40),
        ("product", "inotuzumab ozogamicin with a name that is far too long"),
        ("protocol_name", "2012-0511 " * 6),
        ("site_number", "0" * 30),
        ("storage", "Store at 2–8 °C (36–46 °F) in the refrigerator of the second floor, third shelf"),
        ("light", "PROTECT FROM LIGHT, direct and indirect sunlight, unshielded fluorescent light"),
    ],
)
def test_what_does_not_fit_on_a_vial_is_refused_by_name(field: str, words: str) -> None:
    assert field in fields_refused(PdfPapers(), changed(VIAL, field, words))


@pytest.mark.parametrize(
    "field",
    [
        *("subject_number", "diluent", "route", "rate_or_duration", "prepared_by", "verified_by"),
        *("protocol_name", "site_name", "pharmacy_phone", "storage", "hazard"),
    ],
)
def test_what_does_not_fit_on_a_bag_is_refused_by_name(field: str) -> None:
    assert field in fields_refused(PdfPapers(), changed(BAG, field, "one word after another " * 12))


def test_the_longest_lot_that_fits_is_printed_whole() -> None:
    """Walk up letter by letter: each lot is whole on the label or refused; nothing in between."""
    refused_at = 0
    for length in range(5, 40):
        lot = ("LOT0123456789" * 4)[:length]
        try:
            (words,) = proof.page_texts(PdfPapers().vial_labels([replace(VIAL, lot=lot)]))
        except Refused:
            refused_at = length
            break
        assert f"Lot {lot} " in words
    assert refused_at > 15


@pytest.mark.parametrize("field", ["lot", "protocol_name", "site_number", "storage"])
def test_a_blank_is_refused_by_name(field: str) -> None:
    assert fields_refused(PdfPapers(), changed(VIAL, field, "  ")) == {field}


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("storage", "Store at 2.0 °C"),
        ("diluent", ".9 % sodium chloride"),
        ("rate_or_duration", "5 cc in 1 h"),
        ("product", "Inotuzumab Ozogamicin"),
        ("product", ""),
        ("light", "Keep in a dark place"),
        ("verified_by", "Maria Gonzalez, PharmD"),
    ],
)
def test_words_that_harm_are_refused_by_name(field: str, words: str) -> None:
    assert field in fields_refused(PdfPapers(), changed(BAG, field, words))


@pytest.mark.parametrize("dose", ["0", "-1", "NaN", "0.00004"])
def test_a_dose_nobody_can_measure_is_not_printed(dose: str) -> None:
    assert fields_refused(PdfPapers(), replace(BAG, dose_mg=Decimal(dose))) == {"dose_mg"}


@pytest.mark.parametrize(
    ("dose", "final", "words"),
    [
        # 0.55 mg in 30 mL is 0.018333… mg/mL; 0.53875 mg in 50 mL is 0.010775 mg/mL.
        ("0.55", "0.01833333333333333333", "0.55 mg in 50 mL (0.01833 mg/mL)"),
        ("0.53875", "0.010775", "0.5388 mg in 50 mL (0.01078 mg/mL)"),
        ("0.00005", "0.000005", "0.0001 mg in 50 mL (0.00001 mg/mL)"),
    ],
)
def test_unrounded_amounts_are_written_to_what_can_be_read(dose: str, final: str, words: str) -> None:
    label = replace(BAG, dose_mg=Decimal(dose), final_mg_per_ml=Decimal(final))
    assert words in proof.page_texts(PdfPapers().bag_labels(label))[0]


def test_times_out_of_order_are_refused() -> None:
    label = replace(BAG, start_by=BAG.beyond_use_at + timedelta(minutes=1))
    assert fields_refused(PdfPapers(), label) == {"beyond_use_at"}
    PdfPapers().bag_labels(replace(BAG, start_by=BAG.beyond_use_at))


def test_all_faults_are_named_at_once() -> None:
    label = replace(VIAL, lot="L" * 40, site_number="0" * 30)
    assert fields_refused(PdfPapers(), label) >= {"lot", "site_number"}


def test_no_vial_no_paper() -> None:
    with pytest.raises(Refused, match="at least one vial"):
        PdfPapers().vial_labels([])


def test_the_same_label_is_the_same_bytes_in_another_process() -> None:
    program = (
        "import hashlib;from labels.papers import PdfPapers;from tests.labels.samples import *;"
        "p=PdfPapers();lines=list(ledger(60));"
        "print(hashlib.sha256(p.vial_labels([VIAL])+p.bag_labels(BAG)+p.worksheet(WORKSHEET)"
        "+p.accountability_record(HEADER,lines,ledger_totals(lines),STAMP)).hexdigest())"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(hashes) == 1
    assert PdfPapers().bag_labels(BAG) == PdfPapers().bag_labels(BAG)
    assert PdfPapers().bag_labels(BAG) != PdfPapers().bag_labels(replace(BAG, day=15))


def test_the_drawing_libraries_load_with_the_first_paper_only() -> None:
    program = (
        "import sys;from labels.papers import PdfPapers;PdfPapers();"
        "print([m for m in ('reportlab','barcode','zxingcpp','pypdfium2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("stock", "pdf"), [(VIAL_STOCK, PdfPapers().vial_labels([VIAL])), (BAG_STOCK, PdfPapers().bag_labels(BAG))]
)
def test_pages_are_the_size_of_the_stock(stock: Stock, pdf: bytes) -> None:
    document = pypdfium2.PdfDocument(pdf)
    assert {page.get_size() for page in document} == {(stock.width_pt, stock.height_pt)}
    document.close()
    assert (round(VIAL_STOCK.width_mm, 2), round(VIAL_STOCK.height_mm, 2)) == (57.15, 31.75)


def test_the_picture_on_screen_is_a_png_of_the_page() -> None:
    png = PdfPapers().page_png(PdfPapers().bag_labels(BAG), 1, 100)
    assert PdfPapers().page_count(PdfPapers().bag_labels(BAG)) == 2
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(png[16:20], "big") == 400
    assert int.from_bytes(png[20:24], "big") == 300


def test_a_label_that_does_not_scan_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labels.proof.decode_pdf", lambda _pdf, _dpi: [["V-000124-5"] * 2])
    with pytest.raises(RuntimeError, match="does not scan"):
        PdfPapers().vial_labels([VIAL])


@pytest.mark.parametrize("printer", [{"dpi": 72}, {"sheet": "legal"}])
def test_a_printer_we_cannot_draw_for_is_refused(printer: dict[str, object]) -> None:
    with pytest.raises(Refused):
        PdfPapers(**printer)  # type: ignore[arg-type]


def test_pdf_papers_is_the_services_port() -> None:
    port: Papers = PdfPapers()
    assert port.vial_labels([VIAL])
