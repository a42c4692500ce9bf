"""Labels of every kind: what a pharmacist reads, what a scanner reads, and what is refused."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

import barcode
import pypdfium2
import pytest

from labels import proof
from labels.codes import Symbol, code128, data_matrix, draw
from labels.engine import layouts
from labels.geometry import Dots
from labels.label_pdf import label_pdf, new_canvas
from labels.papers import PdfPapers
from labels.stocks import choices
from labels.template import shelf
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.papers import Label, LabelSetup, LabelValue, Papers
from tests.labels.label_samples import (
    BAG,
    CAUTION,
    COVER,
    LABELS,
    PRINTERS,
    US,
    VIAL,
    sample,
    with_values,
    without,
)
from tests.labels.samples import collisions

D = Decimal


def printed(*labels: Label, setup: LabelSetup = US) -> list[str]:
    """The words of each page."""
    return proof.page_texts(PdfPapers().labels(labels, setup))


def fields_refused(label: Label, setup: LabelSetup = US) -> set[str]:
    with pytest.raises(Refused) as refused:
        PdfPapers().labels([label], setup)
    return {fault.field for fault in refused.value.faults}


@pytest.mark.parametrize("scanner", PRINTERS)
@pytest.mark.parametrize("dpi", PRINTERS)
@pytest.mark.parametrize("number", ["A", "V000123L", "V-0123456789A", "ABCDEFGHIJ0123456789"])
@pytest.mark.parametrize("demonstration", [False, True])
def test_every_vial_scans_to_its_unit_number(dpi: int, scanner: int, number: str, demonstration: bool) -> None:
    """One matrix and no bar code: 41 mm of bars would go round more than half of a vial (REGULATION B-10)."""
    label = replace(VIAL, number=number, demonstration=demonstration, copy_number=3)
    pdf = PdfPapers().labels([label], replace(US, dpi=dpi))
    assert collisions(pdf, 0) == []
    assert proof.decode_pdf(pdf, scanner) == [[number]]


@pytest.mark.parametrize("scanner", PRINTERS)
@pytest.mark.parametrize("dpi", PRINTERS)
@pytest.mark.parametrize("demonstration", [False, True])
def test_both_bag_labels_scan_to_the_dose(dpi: int, scanner: int, demonstration: bool) -> None:
    labels = [replace(each, demonstration=demonstration, copy_number=3) for each in (BAG, COVER)]
    pages = proof.decode_pdf(PdfPapers().labels(labels, replace(US, dpi=dpi)), scanner)
    assert pages == [["(91)D000123L", "D000123L"]] * 2


def test_a_return_box_carries_gs1_bars_of_half_an_inch() -> None:
    """REGULATION B-06: GS1-128 is at least 12.7 mm high; the number stands behind 91, no GTIN is invented (B-04)."""
    pdf = PdfPapers().labels([LABELS["return box"]], US)
    assert proof.decode_pdf(pdf, 203) == [["(91)F000017C", "F000017C"]]
    document = pypdfium2.PdfDocument(pdf)
    page = document[0].render(scale=203 / 72, grayscale=True, fill_color=(255, 255, 255, 255))
    # Down the middle of the first bar, which is two dots wide and stands at the left margin of 10 pt.
    columns = [
        sum(bytes(page.buffer)[row * page.stride + x] < 128 for row in range(page.height // 2, page.height))
        for x in range(20, 40)
    ]
    document.close()
    assert max(columns) >= 12.7 / 25.4 * 203


def test_a_vial_with_a_gtin_says_what_gs1_asks_for() -> None:
    """01, 17, 10, 21, 7240; 09506000134352 is GS1's own example: 3·(9+0+0+0+3+3)… its check digit is 2."""
    label = with_values(VIAL, gtin="09506000134352")
    (codes,) = proof.decode_pdf(PdfPapers().labels([label], US), 203)
    assert codes == ["(01)09506000134352(17)261130(10)HX2201A(21)V000123L(7240)2012-0511"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"gtin": "09506000134353"}, "gtin"),
        ({"gtin": "9506000134352"}, "gtin"),
        ({"gtin": "09506000134352", "lot": "L" * 21}, "lot"),
        ({"gtin": "09506000134352", "lot": "HX(21)9"}, "lot"),
        ({"gtin": "09506000134352", "lot": "Größe"}, "lot"),
    ],
)
def test_what_gs1_does_not_allow_is_refused_by_name(values: dict[str, LabelValue], field: str) -> None:
    assert field in fields_refused(with_values(VIAL, **values))


def test_forty_vials_come_as_forty_labels_in_their_order() -> None:
    labels = [replace(VIAL, number=f"V-{number:06d}-K") for number in range(40)]
    pages = proof.decode_pdf(PdfPapers().labels(labels, US), 203)
    assert pages == [[label.number] for label in labels]
    assert [label.number in words for label, words in zip(labels, printed(*labels), strict=True)] == [True] * 40


@pytest.mark.parametrize(("dpi", "dots"), [(203, 2), (300, 3)])
def test_every_bar_is_a_whole_number_of_printer_dots(dpi: int, dots: int) -> None:
    """The pattern printed is the encoder's, each module ``dots`` wide: 2 at 203 dpi, 3 at 300 (REGULATION B-09)."""
    pdf = PdfPapers().labels([BAG], replace(US, dpi=dpi))
    document = pypdfium2.PdfDocument(pdf)
    page = document[0].render(scale=dpi / 72, grayscale=True, fill_color=(255, 255, 255, 255))
    pixels, stride, across = bytes(page.buffer), page.stride, round(95 / 72 * dpi)
    rows = [pixels[row * stride : row * stride + across] for row in range(round(180 / 72 * dpi), page.height)]
    document.close()
    expected = [
        (sign == "1", len(list(run)) * dots) for sign, run in groupby(barcode.get("code128", BAG.number).build()[0])
    ]
    found = [[(dark, len(list(run))) for dark, run in groupby(pixel < 128 for pixel in row)][1:-1] for row in rows]
    assert found.count(expected) > 20


def test_a_module_under_two_dots_is_refused() -> None:
    canvas, _ = new_canvas(choices()["2.25 x 1.25 in"].stock, "")
    with pytest.raises(Refused, match="2 dots"):
        draw(canvas, code128("unit_number", "A1"), Dots(203), left=0, top=0, module=1, bar_height=9, page_pt=90)


@pytest.mark.parametrize("number", ["", "V 1", "v-1", "-V1", "V1-", "Ä1", "V1\x1d", "(91)V1", "A" * 21])
def test_a_code_carries_nothing_but_our_own_numbers(number: str) -> None:
    assert fields_refused(replace(VIAL, number=number)) == {"number"}


def test_the_vial_label_says_what_it_must() -> None:
    (words,) = printed(VIAL)
    for required in (
        "Investigational – protocol 2012-0511",
        "Site 001",
        "inotuzumab ozogamicin",
        "1 mg",
        "Lot HX2201A",
        "Exp 30-Nov-2026",
        "PROTECT FROM LIGHT",
        "Store at 2 °C to 8 °C",
        CAUTION,
        "V000123L",
    ):
        assert required in words
    assert "1.0" not in words
    assert "DEMONSTRATION" not in words
    assert "REPRINT" not in words


@pytest.mark.parametrize("kind", ["vial", "opened vial", "bag", "light cover", "syringe", "return box"])
def test_the_caution_is_the_regulation_s_own_sentence(kind: str) -> None:
    """In its own words in a German label, too."""
    assert CAUTION in printed(LABELS[kind])[0]
    german = replace(US, languages=("de",), stock="4 x 3 in")
    assert CAUTION in printed(sample(kind, "us", ("de",)), setup=german)[0]


def test_the_bag_labels_say_what_they_must() -> None:
    first, second = printed(BAG, COVER)
    for required in (
        "1001-0007",
        "Initials ABC",
        "inotuzumab ozogamicin",
        "0.9 mg in 50 mL (0.018 mg/mL)",
        "Diluent 0.9 % sodium chloride injection",
        "Solution for infusion, single dose",
        "Course 1 · Cycle 1 · Day 8",
        "FOR INTRAVENOUS USE ONLY",
        "Infuse over about 1 h",
        "BEYOND USE – infusion ended by",
        "22-Nov-2026 14:15 (UTC−06:00)",
        "Start by 22-Nov-2026 13:15 (UTC−06:00)",
        "Prepared 22-Nov-2026 10:15 (UTC−06:00)",
        "PROTECT FROM LIGHT during preparation, storage and administration",
        "Do not shake. Do not freeze.",
        "HAZARDOUS DRUG – CYTOTOXIC – handle and dispose accordingly",
        "no pneumatic tube",
        "Prepared by Maria Gonzalez, PharmD",
        "Verified by James Okafor, CPhT",
        "Riverside Cancer Center",
        "Pharmacy +1 713 555 0100",
        "D000123L",
        "Protocol 2012-0511",
        CAUTION,
    ):
        assert required in first
        assert required in second
    assert "on the bag" in first
    assert "outside the light cover" in second
    cover = "LABEL 2 of 2 – outside the light cover"
    assert first.replace("LABEL 1 of 2 – on the bag", "") == second.replace(cover, "")
    assert not re.search(r"\d\.\d*0 m", first)


def test_the_bag_is_read_in_the_order_of_the_trade() -> None:
    """REGULATION L-07: subject, drug, dose and volume, diluent, route, rate, prepared, beyond use, storage …"""
    (page,) = printed(BAG)
    layout_order = (
        *("Subject", "inotuzumab", "0.9 mg in 50 mL", "Diluent", "FOR INTRAVENOUS", "Prepared 22-Nov"),
        *("BEYOND USE", "PROTECT FROM LIGHT", "Protocol 2012", "Prepared by", "Riverside"),
    )
    pdf = pypdfium2.PdfDocument(PdfPapers().labels([BAG], US))
    text = pdf[0].get_textpage()
    heights = []
    for words in layout_order:
        at = text.search(words).get_next()
        assert at is not None, (words, page)
        heights.append(text.get_charbox(at[0])[1])
    pdf.close()
    assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize("stock", ["4 x 3 in", "Avery 5164"])
def test_subject_drug_and_dose_are_the_largest_words_of_the_bag(stock: str) -> None:
    """REGULATION L-08: bold, largest, 12 pt or more."""
    document = pypdfium2.PdfDocument(PdfPapers().labels([BAG], replace(US, stock=stock)))
    sizes: dict[str, float] = {}
    page = document[0]
    textpage = page.get_textpage()
    for item in page.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_TEXT], textpage=textpage):
        words = item.extract().strip()
        sizes[words] = max(sizes.get(words, 0), item.get_font_size())
        if words in ("1001-0007", "inotuzumab ozogamicin"):
            assert "Bold" in item.get_font().get_base_name()
    document.close()
    largest = ("1001-0007", "inotuzumab ozogamicin", "0.9 mg in 50 mL (0.018 mg/mL)")
    assert all(sizes[words] >= 12 for words in largest)
    smallest = min(sizes[words] for words in largest)
    assert [words for words, size in sizes.items() if words not in largest and size >= smallest] == []
    assert min(sizes.values()) >= 6


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize(("copy_number", "words"), [(1, None), (2, "REPRINT 1"), (3, "REPRINT 2")])
def test_a_reprint_says_so_and_counts(kind: str, copy_number: int, words: str | None) -> None:
    (page,) = printed(replace(LABELS[kind], copy_number=copy_number))
    assert (words or LABELS[kind].number) in page
    assert ("REPRINT" in page) == (words is not None)


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize(("earlier", "words"), [(0, None), (1, "REPRINT 1"), (2, "REPRINT 2")])
def test_a_copy_after_some_that_never_came_out_says_only_how_many_came(
    kind: str, earlier: int, words: str | None
) -> None:
    """The fourth print of a label: of the three before, none, one or two had come out."""
    (page,) = printed(replace(LABELS[kind], copy_number=4, earlier=earlier))
    assert (words or LABELS[kind].number) in page
    assert ("REPRINT" in page) == (words is not None)


@pytest.mark.parametrize("kind", LABELS)
def test_the_demonstration_says_so_on_every_label(kind: str) -> None:
    (page,) = printed(replace(LABELS[kind], demonstration=True, copy_number=12))
    assert "DEMONSTRATION – NOT FOR CLINICAL USE" in page


def test_missing_initials_are_said_to_be_missing() -> None:
    assert "Initials N/A" in printed(with_values(BAG, subject_initials=""))[0]
    assert "Initials N/A" in printed(without(BAG, "subject_initials"))[0]


def test_long_but_real_names_fit() -> None:
    values: dict[str, LabelValue] = {
        "prepared_by": "Maria-Fernanda Gonzalez-Villanueva, PharmD, BCOP",
        "verified_by": "Oluwaseun Adebayo-Krishnamurthy, RPh, BCOP",
        "site_name": "The University of Texas MD Anderson Cancer Center",
        "subject_number": "MDA-2012-0511-00042",
        "storage": "Keep at 2–8 °C until one hour before use, then at 20–25 °C. Do not shake. Do not freeze.",
    }
    label = replace(with_values(BAG, **values), demonstration=True, copy_number=12)
    pdf = PdfPapers().labels([label], US)
    assert collisions(pdf, 0) == []
    (words,) = proof.page_texts(pdf)
    for value in (*values.values(), "REPRINT 11"):
        assert str(value) in words


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("lot", "L" * 60),
        ("product", "inotuzumab ozogamicin with a name that is far too long for anybody to read"),
        ("protocol_name", "2012-0511 " * 9),
        ("site_number", "0" * 90),
    ],
)
def test_what_does_not_fit_on_a_vial_is_refused_by_name(field: str, words: str) -> None:
    assert field in fields_refused(with_values(VIAL, **{field: words}))


@pytest.mark.parametrize(
    "field",
    [
        *("subject_number", "diluent", "prepared_by", "verified_by"),
        *("protocol_name", "site_name", "pharmacy_phone", "storage"),
    ],
)
def test_what_does_not_fit_on_a_bag_is_refused_by_name(field: str) -> None:
    assert field in fields_refused(with_values(BAG, **{field: "one word after another " * 24}))


def test_the_longest_lot_that_fits_is_printed_whole() -> None:
    """Walk up letter by letter: each lot is whole on the label or refused; nothing in between."""
    refused_at = 0
    for length in range(5, 60):
        lot = ("LOT0123456789" * 5)[:length]
        try:
            (words,) = printed(with_values(VIAL, lot=lot))
        except Refused:
            refused_at = length
            break
        assert f"Lot {lot} " in words
    assert refused_at > 20


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (kind, field.name)
        for kind in LABELS
        for field in shelf().find(kind, "us").fields.values()
        if field.required and "us" in field.only
    ],
)
def test_a_value_that_is_missing_or_blank_is_refused_by_name(kind: str, field: str) -> None:
    assert fields_refused(without(LABELS[kind], field)) == {field}
    assert fields_refused(with_values(LABELS[kind], **{field: "  "})) == {field}


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("storage", "Store at 2.0 °C"),
        ("diluent", ".9 % sodium chloride"),
        ("diluent", "0,9 % sodium chloride"),
        ("storage", "Give 5 cc in 1 h"),
        ("storage", "Safe at room temperature"),
        ("storage", "Use before 03/04/2026"),
        ("product", "Inotuzumab Ozogamicin"),
        ("verified_by", "Maria Gonzalez, PharmD"),
        ("verified_by", "Maria  Gonzalez, PharmD "),
        ("site_name", "Riverside\nCancer Center"),
        ("site_name", "東京"),
    ],
)
def test_words_that_harm_are_refused_by_name(field: str, words: str) -> None:
    assert fields_refused(with_values(BAG, **{field: words})) == {field}


@pytest.mark.parametrize("dose", ["0", "-1", "NaN", "0.00004"])
def test_a_dose_nobody_can_measure_is_not_printed(dose: str) -> None:
    assert fields_refused(with_values(BAG, dose_mg=D(dose))) == {"dose_mg"}


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
    assert words in printed(with_values(BAG, dose_mg=D(dose), final_mg_per_ml=D(final)))[0]


def test_times_out_of_order_are_refused() -> None:
    late = BAG.values["beyond_use_at"]
    assert isinstance(late, datetime)
    assert fields_refused(with_values(BAG, start_by=late + timedelta(minutes=1))) == {"beyond_use_at"}
    assert printed(with_values(BAG, start_by=late))


def test_beyond_use_says_day_hour_and_zone() -> None:
    """REGULATION L-15; 14:15 in Houston in November is Central Standard Time."""
    chicago = datetime(2026, 11, 22, 20, 15, tzinfo=UTC).astimezone(ZoneInfo("America/Chicago"))
    assert "22-Nov-2026 14:15 CST" in printed(with_values(BAG, beyond_use_at=chicago))[0]


def test_all_faults_are_named_at_once() -> None:
    label = with_values(without(BAG, "dose_mg"), storage="Store at 2.0 °C", product="INO", prepared_by="")
    assert fields_refused(label) == {"dose_mg", "storage", "product", "prepared_by"}


def test_no_label_no_paper() -> None:
    with pytest.raises(Refused, match="at least one"):
        PdfPapers().labels([], US)


@pytest.mark.parametrize(
    ("label", "error"),
    [
        (replace(VIAL, kind="parcel"), ValueError),
        (with_values(VIAL, colour="red"), ValueError),
        (with_values(VIAL, strength_mg=1.0), TypeError),
        (with_values(VIAL, strength_mg="1"), TypeError),
        (with_values(VIAL, expires_on=datetime(2026, 11, 30, tzinfo=UTC)), TypeError),
        (with_values(BAG, prepared_at=datetime(2026, 11, 22)), ValueError),  # noqa: DTZ001
        (replace(VIAL, copy_number=0), ValueError),
    ],
)
def test_a_fault_of_the_program_is_no_refusal(label: Label, error: type[Exception]) -> None:
    with pytest.raises(error):
        PdfPapers().labels([label], US)


# The European Union


def test_the_full_european_vial_label_says_what_annex_vi_asks_for() -> None:
    """REGULATION L-03; the period of use as month and year that nobody reads two ways."""
    (words,) = printed(sample("vial", "eu"), setup=replace(US, region="eu"))
    for required in (
        "Contact Anna Keller, Hauptstraße 1, 69120 Heidelberg, +49 6221 555 0100",
        "inotuzumab ozogamicin",
        "1 mg",
        "Powder for concentrate for solution for infusion",
        "FOR INTRAVENOUS USE ONLY",
        "1 vial",
        "Lot HX2201A",
        "Trial 2012-0511",
        "Site 001",
        "Investigator Elena Petrova, MD",
        "Sponsor MD Anderson Cancer Center",
        "Treatment no.",
        "V000123L",
        "Visit C1 D8",
        "Directions: see the pharmacy manual",
        "For clinical trial use only",
        "Store at 2 °C to 8 °C",
        "Use by Nov-2026",
    ):
        assert required in words
    assert "Federal" not in words


def test_the_small_european_vial_label_leaves_off_what_it_may() -> None:
    """REGULATION L-04: no period of use and no storage on the immediate packaging."""
    (words,) = printed(without(sample("vial", "eu small"), "expires_on"), setup=replace(US, region="eu small"))
    for required in ("Contact Anna Keller", "1 mg", "Lot HX2201A", "Trial 2012-0511", "V000123L", "Visit C1 D8"):
        assert required in words
    assert "FOR INTRAVENOUS USE ONLY" in words


@pytest.mark.parametrize(
    "field", ["contact_name", "contact_address", "contact_phone", "investigator", "sponsor", "form"]
)
def test_what_europe_asks_for_is_refused_when_missing(field: str) -> None:
    assert fields_refused(without(sample("vial", "eu"), field), replace(US, region="eu")) == {field}


# Languages and states


def test_a_german_label_speaks_german() -> None:
    (words,) = printed(sample("bag", "us", ("de",)), setup=replace(US, languages=("de",)))
    for required in (
        "VOR LICHT SCHÜTZEN",
        "NUR ZUR INTRAVENÖSEN ANWENDUNG",
        "Raumtemperatur 20–25 °C. Nicht schütteln.",
        "VERWENDBAR BIS – Infusionsende bis",
    ):
        assert required in words
    assert "PROTECT FROM LIGHT" not in words


def test_two_languages_stand_side_by_side_in_their_order() -> None:
    (words,) = printed(sample("vial", "us", ("en", "de")), setup=replace(US, languages=("de", "en")))
    assert "VOR LICHT SCHÜTZEN / PROTECT FROM LIGHT" in words
    assert "Lagern bei 2 °C bis 8 °C / Store at 2 °C to 8 °C" in words


@pytest.mark.parametrize("missing", ["storage.de", "diluent.de"])
def test_a_missing_language_blocks_the_print(missing: str) -> None:
    """REGULATION L-06."""
    label = without(sample("bag", "us", ("en", "de")), missing)
    # What the table of phrases does not know has no German.
    label = with_values(label, **{missing.removesuffix(".de"): "Keep in the blue box"})
    assert fields_refused(label, replace(US, languages=("en", "de"), stock="Avery 5164")) == {missing}


@pytest.mark.parametrize("languages", [(), ("fr",), ("en", "fr")])
def test_a_language_without_texts_is_refused(languages: tuple[str, ...]) -> None:
    assert fields_refused(VIAL, replace(US, languages=languages)) == {"languages"}


def test_a_thousand_is_not_written_with_a_comma_on_a_german_label() -> None:
    """1,250 mL would be read as one and a quarter."""
    label = with_values(sample("bag", "us", ("de",)), total_volume_ml=D(1250))
    assert fields_refused(label, replace(US, languages=("de",))) == {"total_volume_ml"}
    assert "0.9 mg in 1,250 mL" in printed(label)[0]


def test_texas_adds_its_sentence_to_what_is_compounded() -> None:
    """REGULATION L-23."""
    texas = replace(US, block="us-tx")
    assert "Compounded by the pharmacy" in printed(BAG, setup=texas)[0]
    assert "Compounded" not in printed(VIAL, setup=texas)[0]
    assert "Compounded" not in printed(BAG)[0]
    assert fields_refused(BAG, replace(US, block="us-xx")) == {"block"}


def test_a_region_without_such_a_label_is_refused() -> None:
    assert fields_refused(VIAL, replace(US, region="mars")) == {"region"}


# Bytes


def test_the_same_label_is_the_same_bytes_in_another_process() -> None:
    program = (
        "import hashlib;from labels.papers import PdfPapers;from tests.labels.samples import *;"
        "from tests.labels.label_samples import *;"
        "p=PdfPapers();lines=list(ledger(60));"
        "print(hashlib.sha256(p.labels([VIAL,BAG,COVER],US)+p.worksheet(WORKSHEET)"
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
    papers = PdfPapers()
    assert papers.labels([BAG], US) == papers.labels([BAG], US)
    assert papers.labels([BAG], US) != papers.labels([with_values(BAG, day=15)], US)


def test_all_fonts_that_are_used_are_embedded() -> None:
    document = pypdfium2.PdfDocument(PdfPapers().labels([BAG], US))
    used = {
        (item.get_font().get_base_name(), item.get_font().is_embedded)
        for item in document[0].get_objects([pypdfium2.raw.FPDF_PAGEOBJ_TEXT])
    }
    document.close()
    assert len(used) >= 4
    assert all(embedded and "Plex" in name for name, embedded in used)


def test_the_drawing_libraries_load_with_the_first_paper_only() -> None:
    program = (
        "import sys;from labels.papers import PdfPapers;PdfPapers();"
        "print([m for m in ('reportlab','barcode','zxingcpp','pypdfium2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["4 x 3 in", "4 x 2 in", "2.25 x 1.25 in"])
def test_pages_are_the_size_of_the_stock(name: str) -> None:
    document = pypdfium2.PdfDocument(PdfPapers().labels([VIAL], replace(US, stock=name)))
    inches = tuple(float(each) * 72 for each in name.removesuffix(" in").split(" x "))
    assert document[0].get_size() == inches
    document.close()


def test_the_picture_on_screen_is_a_png_of_the_page() -> None:
    pdf = PdfPapers().labels([BAG, COVER], US)
    png = PdfPapers().page_png(pdf, 1, 100)
    assert PdfPapers().page_count(pdf) == 2
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(png[16:20], "big") == 400
    assert int.from_bytes(png[20:24], "big") == 300


@pytest.mark.parametrize("words", [("V000124J",), ()])
def test_a_label_that_does_not_scan_never_leaves(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    """The code drawn is another vial's, or none can be read: the print stops."""
    monkeypatch.setattr("labels.engine.data_matrix", lambda *_number: _other(*words))
    with pytest.raises(RuntimeError, match="does not scan"):
        PdfPapers().labels([VIAL], US)


def _other(number: str = "") -> Symbol:
    if number:
        return replace(data_matrix("number", number), content="V000123L")
    whole = data_matrix("number", "V000123L")
    return replace(whole, rows=("1" * len(whole.rows[0]),) * len(whole.rows))


def test_a_label_whose_words_are_not_in_the_paper_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    other = label_pdf(layouts([with_values(VIAL, lot="HX2201B")], US))
    monkeypatch.setattr("labels.label_job.label_pdf", lambda _made, **_shift: other)
    with pytest.raises(RuntimeError, match="does not say “Lot HX2201A”"):
        PdfPapers().labels([VIAL], US)


@pytest.mark.parametrize("printer", [{"dpi": 72}, {"sheet": "legal"}])
def test_a_printer_we_cannot_draw_for_is_refused(printer: dict[str, object]) -> None:
    with pytest.raises(Refused):
        PdfPapers(**printer)  # type: ignore[arg-type]


def test_a_label_printer_we_cannot_draw_for_is_refused() -> None:
    assert fields_refused(VIAL, replace(US, dpi=72)) == {"dpi"}


def test_pdf_papers_is_the_services_port() -> None:
    port: Papers = PdfPapers()
    assert port.labels([VIAL], US)
    assert port.zpl([VIAL], US).startswith(b"^XA")


def test_expiry_is_the_day_that_was_given() -> None:
    assert "Exp 29-Feb-2028" in printed(with_values(VIAL, expires_on=date(2028, 2, 29)))[0]
