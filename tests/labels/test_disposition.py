"""Forms of destruction, return and transfer: the columns of the regulation, nothing clipped, nothing on top."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from labels import proof
from labels.papers import PdfPapers
from labels.reports.disposition import DESTRUCTION_COLUMNS, RETURN_COLUMNS, TRANSFER_COLUMNS
from pharmacy_app.domain.dates import say_day
from tests.labels.samples import DESTRUCTION, RETURN, STAMP, TRANSFER, collisions

# REGULATION 6.4, 6.5 and 6.6, typed from there.
DESTRUCTION_WORDS = (
    "Record no. | Protocol | Site | Investigator | Sponsor permission (reference, name, date) | "
    "Monitor accountability (name, date) | Destruction site or waste contractor | SOP no."
)
DESTRUCTION_LINE = (
    "Line | Date-time destroyed | Product | Strength | Lot | Expiry | Kit/vial no. | "
    "State (empty, partial, unopened) | Subject ID and dispensing line | Quantity vials | Residual mg | "
    "Reason (used, partial remainder, expired, damaged, excursion, study end) | Method | "
    "Waste container / manifest no. | Destroyed by | Witnessed by | Certificate no. and date | Comments"
)
RETURN_WORDS = (
    "Return no. | Protocol | Site, address, contact | Investigator | Ship-to depot | "
    "Sponsor authorization (reference, name, date) | Monitor | Courier | Tracking no. | Packages | Seal no. | "
    "Shipping condition and logger serial | Date shipped"
)
RETURN_LINE = (
    "Line | Product | Strength | Lot | Expiry | Kit/vial no. | Quantity vials | Container (unopened original Y/N) | "
    "Condition | Reason (expired, unused, study end, recall, damaged, excursion) | Subject ID (if from subject) | "
    "Status before return | Comments"
)
RETURN_FOOT = (
    "Packed by / date | Verified by / date | Monitor / date | Received at depot by / date | Quantity received | "
    "Discrepancies"
)
TRANSFER_WORDS = (
    "Transfer no. | From (protocol, site, investigator, location) | To (protocol, site, investigator, location) | "
    "Approval ref, by, date"
)
TRANSFER_LINE = (
    "Product | Strength | Lot | Expiry | Kits | Qty | Transport condition and logger | Sent by/at | Received by/at | "
    "Qty received | Discrepancy"
)

FORMS: dict[str, Callable[[PdfPapers], bytes]] = {
    "destruction": lambda papers: papers.destruction_record(DESTRUCTION),
    "return": lambda papers: papers.return_record(RETURN),
    "transfer": lambda papers: papers.transfer_record(TRANSFER),
}


def words_of(pdf: bytes) -> str:
    """The words of all pages with single blanks."""
    return re.sub(r"\s+", " ", " ".join(proof.page_texts(pdf)))


def letters_of(pdf: bytes) -> str:
    """The same without blanks: what wraps in a narrow column is whole again."""
    return re.sub(r"[\s￾]", "", "".join(proof.page_texts(pdf)))


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (DESTRUCTION_COLUMNS, DESTRUCTION_LINE),
        (RETURN_COLUMNS, RETURN_LINE),
        (TRANSFER_COLUMNS, TRANSFER_LINE),
    ],
)
def test_the_forms_have_the_columns_of_the_regulation(columns: tuple[str, ...], line: str) -> None:
    assert list(columns) == line.split(" | ")


@pytest.mark.parametrize(
    ("form", "head"),
    [
        ("destruction", DESTRUCTION_WORDS),
        ("return", f"{RETURN_WORDS} | {RETURN_FOOT}"),
        ("transfer", TRANSFER_WORDS),
    ],
)
def test_the_forms_have_the_heads_and_feet_of_the_regulation(form: str, head: str) -> None:
    words = words_of(FORMS[form](PdfPapers()))
    for name in head.split(" | "):
        assert name in words


@pytest.mark.parametrize("sheet", ["letter", "a4"])
@pytest.mark.parametrize("form", FORMS)
def test_no_word_lies_on_another(form: str, sheet: str) -> None:
    pdf = FORMS[form](PdfPapers(sheet=sheet))
    assert proof.page_count(pdf) == 1
    assert collisions(pdf, 0) == []


def test_the_destruction_record_tells_each_container() -> None:
    words = words_of(FORMS["destruction"](PdfPapers()))
    for part in (
        "DST-1201",
        "F0000122 Permission to destroy opened containers, Dr. A. Ito, Pfizer, 02-Nov-2026",
        "Robert Thornton, 09-Nov-2026; Mona Sorensen, 20-Nov-2026",
        # Two vials of 1 mg, one of 4 mg.
        "Vials: 1 mg lot HX2201A: 2; 4 mg lot HX2202B: 1; in all 3",
        "witnessed the destruction Maria Gonzalez, PharmD pharmacist 22-Nov-2026 10:15 −06:00",
        "Pharmacist (name, signature, date)",
        "Monitor (name, signature, date)",
    ):
        assert part in words
    letters = letters_of(FORMS["destruction"](PdfPapers()))
    for part in ("V0000123kitKIT-00123", "1001-0007,D0000123,line12", "0.34", "partialremainder", "manifestM-3307"):
        assert part in letters
    # The vial that broke unopened has neither subject nor residue.
    assert "brokenN/Aa1N/Abdamaged" in letters


def test_the_return_record_leaves_a_line_for_each_who_writes_on_it_later() -> None:
    words = words_of(FORMS["return"](PdfPapers()))
    assert "Packed by / date" in words
    assert "Maria Gonzalez, PharmD, 22-Nov-2026" in letters_spaced(words)
    assert words.count("to be filled in by the depot") == 3
    assert words.count("to be filled in by the monitor") == words.count("to be filled in by who verifies") == 1
    assert "001 Riverside Cancer Center, address N/A: not recorded, " in words
    assert "N/A: not recorded, logger TL-88213" in words
    assert "___" not in words
    assert "no fault on record" in words
    assert "damaged on arrival (carton wet)" in words
    assert "SEAL-90017" in words
    assert "logger TL-88213" in words


def letters_spaced(words: str) -> str:
    """Words with the soft breaks of a wrapped date taken out."""
    return words.replace("￾", "-").replace("- ", "-")


def test_the_transfer_record_names_both_sites() -> None:
    words = words_of(FORMS["transfer"](PdfPapers()))
    assert "2012-0511, 001 Riverside Cancer Center, Elena Petrova, MD, Refrigerator 1, Refrigerator 2" in words
    assert "021 Lakeside Hospital, investigator N/A: not recorded, location N/A: not recorded" in words
    assert "condition N/A: not recorded; World Courier" in words
    # Received by and at, quantity received, discrepancy, of each of two lots.
    assert letters_of(FORMS["transfer"](PdfPapers())).count("______tobefilledinbythereceivingsite") == 3 * 2
    # 12 + 1 vials.
    assert "in all 13" in words
    assert "Reason: their stock runs out before the next shipment" in words


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("form", FORMS)
def test_no_date_is_broken_over_two_lines(form: str, month: int) -> None:
    """A date in pieces is misread; 28 is as wide as a day gets."""
    on = date(2028, month, 28)
    papers = PdfPapers()
    if form == "destruction":
        vials = tuple(replace(vial, expires_on=on) for vial in DESTRUCTION.vials)
        pdf = papers.destruction_record(replace(DESTRUCTION, vials=vials))
    elif form == "return":
        pdf = papers.return_record(replace(RETURN, vials=tuple(replace(v, expires_on=on) for v in RETURN.vials)))
    else:
        pdf = papers.transfer_record(replace(TRANSFER, lots=tuple(replace(v, expires_on=on) for v in TRANSFER.lots)))
    assert say_day(on) in words_of(pdf)


def test_a_reprint_says_so() -> None:
    assert "REPRINT" not in words_of(FORMS["return"](PdfPapers()))
    again = PdfPapers().return_record(replace(RETURN, copy_number=2))
    assert "REPRINT 1 · RET-1202" in words_of(again)


def test_many_vials_break_over_pages_and_none_is_lost() -> None:
    vials = tuple(replace(DESTRUCTION.vials[0], unit_number=f"V{number:06d}X") for number in range(1, 121))
    pdf = PdfPapers().destruction_record(replace(DESTRUCTION, vials=vials))
    assert proof.page_count(pdf) > 5
    letters = letters_of(pdf)
    assert all(vial.unit_number in letters for vial in vials)
    assert "in all 120" in words_of(pdf)
    # The headings stand on every page with lines.
    assert words_of(pdf).count("Kit/vial no.") >= proof.page_count(pdf) - 1


def test_what_nobody_recorded_is_no_line_to_write_on() -> None:
    words = words_of(FORMS["destruction"](PdfPapers()))
    assert "SOP no. N/A: not recorded" in words
    assert "___" not in words


def test_a_note_over_several_lines_prints_on_one() -> None:
    assert "Collectedbythewastecontractorattheloadingdock." in letters_of(FORMS["destruction"](PdfPapers()))


def test_the_demonstration_is_marked() -> None:
    stamp = replace(STAMP, demonstration=True)
    assert "NOT FOR CLINICAL USE" in words_of(PdfPapers().transfer_record(replace(TRANSFER, stamp=stamp)))


def test_the_same_form_is_the_same_bytes() -> None:
    for draw in FORMS.values():
        assert draw(PdfPapers()) == draw(PdfPapers())
