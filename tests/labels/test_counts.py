"""Record of a count and close-out report: the columns of the regulation, nothing clipped, nothing on top."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from labels import proof
from labels.papers import PdfPapers
from labels.reports.counts import CLOSE_OUT_COLUMNS, COUNT_COLUMNS
from pharmacy_app.domain.counts import CONTAINERS, VIALS
from pharmacy_app.domain.dates import say_day
from pharmacy_app.services.papers import CloseOutReport, CloseOutRow, CountRecord, CountRow, PrintedSignature
from tests.labels.samples import STAMP, TEN_FIFTEEN, collisions

# REGULATION 6.6, typed from there.
COUNT_LINE = (
    "Date-time | Location | Strength | Lot | Expected | Counted | Difference | Explanation | Counted by | Verified by"
)
ONE, FOUR = Decimal(1), Decimal(4)
NINE_THIRTY = TEN_FIFTEEN - timedelta(minutes=45)
COUNT = CountRecord(
    stamp=STAMP,
    count_number="N000014Y",
    copy_number=1,
    product="inotuzumab ozogamicin",
    place="Refrigerator 1, upper shelf, quarantine box",
    strength_mg=None,
    kinds=(VIALS, CONTAINERS),
    method="scan",
    counted_at=NINE_THIRTY,
    counted_by="Maria Gonzalez-Hernandez, PharmD",
    verified_by="Christopher Vandenberg, CPhT",
    rows=(
        CountRow(ONE, "HX2201A", VIALS, 120, 118, -2, "Q000003X: found miscounted. Two vials stood behind the logger."),
        CountRow(FOUR, "HX2202B-LONG-LOT-XYZ", VIALS, 24, 25, 1, "Q000003X, open"),
        CountRow(ONE, "HX2201A", CONTAINERS, 6, 6, 0, "agrees"),
    ),
    missing=("V000013K", "V000087D"),
    strays=("V000200Q is available at Refrigerator 2 in the record.",),
    unknown=("0104012345678901", "]d2中<1D>"),
    discrepancy="Q000003X",
    outcome="found miscounted",
    explanation="Two vials stood behind the logger.\nSeen by both.",
    note="door was ajar",
    signatures=(
        PrintedSignature("counted", "Maria Gonzalez-Hernandez, PharmD", "pharmacist", NINE_THIRTY),
        PrintedSignature("counted again and verified", "Christopher Vandenberg, CPhT", "technician", NINE_THIRTY),
    ),
)
CLOSED = CloseOutReport(
    stamp=STAMP,
    number="CLO-4711",
    copy_number=1,
    product="inotuzumab ozogamicin",
    investigator="Elena Petrova, MD",
    as_of=TEN_FIFTEEN,
    rows=(
        # 120 = 40 + 12 + 67 + 1; 24 = 4 + 0 + 20 + 0.
        CloseOutRow(ONE, "HX2201A", date(2027, 3, 31), 120, 40, 12, 67, 1, 0, 0, True),
        CloseOutRow(FOUR, "HX2202B", date(2027, 6, 30), 24, 4, 0, 20, 0, 0, 0, True),
    ),
    open_items=(),
    note="end of the study",
    signatures=(
        PrintedSignature("closed the books", "Maria Gonzalez, PharmD", "pharmacist", TEN_FIFTEEN),
        PrintedSignature("reviewed the close-out", "Robert Thornton", "monitor", TEN_FIFTEEN),
    ),
)
OPEN = replace(
    CLOSED,
    number="",
    rows=(
        replace(CLOSED.rows[0], returned=38, on_site=2),
        replace(CLOSED.rows[1], destroyed=18, containers=1, balances=False),
    ),
    open_items=(
        "1 mg lot HX2201A: 2 vials unopened on site (2 available).",
        "Medication error E000002K is not assessed.",
    ),
    signatures=(),
)
PAPERS: dict[str, Callable[[PdfPapers], bytes]] = {
    "count": lambda papers: papers.count_record(COUNT),
    "closed": lambda papers: papers.close_out_report(CLOSED),
    "open": lambda papers: papers.close_out_report(OPEN),
}


def words_of(pdf: bytes) -> str:
    """The words of all pages with single blanks."""
    return re.sub(r"\s+", " ", " ".join(proof.page_texts(pdf)))


def test_the_count_record_has_the_columns_of_the_regulation() -> None:
    assert list(COUNT_COLUMNS) == COUNT_LINE.split(" | ")
    words = words_of(PAPERS["count"](PdfPapers()))
    for heading in COUNT_COLUMNS:
        assert heading in words


@pytest.mark.parametrize("sheet", ["letter", "a4"])
@pytest.mark.parametrize("paper", PAPERS)
def test_no_word_lies_on_another(paper: str, sheet: str) -> None:
    pdf = PAPERS[paper](PdfPapers(sheet=sheet))
    assert proof.page_count(pdf) == 1
    assert collisions(pdf, 0) == []


def test_the_count_record_tells_what_differs_and_how_it_was_explained() -> None:
    words = words_of(PAPERS["count"](PdfPapers()))
    for part in (
        "N000014Y",
        "unopened vials and used containers",
        "−2",
        "+1",
        # 120 + 24 + 6 expected, 118 + 25 + 6 counted.
        "In all: expected 150, counted 149, difference −1.",
        "Missing (2)",
        "V000013K · V000087D",
        "V000200Q is available at Refrigerator 2 in the record.",
        "Found miscounted. Two vials stood behind the logger. Seen by both.",
        "Note: door was ajar",
        "counted again and verified",
    ):
        assert part in words, part


def test_a_foreign_sign_is_written_by_its_number_so_that_the_record_still_prints() -> None:
    assert "]d2[U+4E2D]<1D>" in words_of(PAPERS["count"](PdfPapers()))


def test_an_open_discrepancy_says_so() -> None:
    pdf = PdfPapers().count_record(replace(COUNT, outcome="", explanation=""))
    assert "Open: not explained yet." in words_of(pdf)


def test_an_empty_place_prints_a_line_of_zeros() -> None:
    empty = replace(COUNT, rows=(), missing=(), strays=(), unknown=(), discrepancy="", outcome="", explanation="")
    words = words_of(PdfPapers().count_record(empty))
    assert "N/A" in words
    assert "nothing there" in words
    assert "In all: expected 0, counted 0, difference 0." in words
    assert "Discrepancy none" in words
    assert "Missing (" not in words


def test_hundreds_of_missing_vials_break_over_pages_and_none_is_lost() -> None:
    missing = tuple(f"V{number:06d}X" for number in range(1, 901))
    pdf = PdfPapers().count_record(replace(COUNT, missing=missing))
    assert proof.page_count(pdf) > 1
    words = words_of(pdf)
    assert all(unit in words for unit in missing)
    for page in range(proof.page_count(pdf)):
        assert collisions(pdf, page) == []


def test_the_close_out_says_zero_and_leaves_the_investigator_a_line() -> None:
    words = words_of(PAPERS["closed"](PdfPapers()))
    for heading in CLOSE_OUT_COLUMNS:
        assert heading in words
    for part in (
        "CLO-4711",
        # 120 + 24.
        "Vials received 144; balance on site 0.",
        "None. The balance of every strength and lot is zero.",
        "reviewed the close-out Robert Thornton monitor",
        "Investigator (name, signature, date)",
    ):
        assert part in words, part
    assert "not zero" not in words


def test_a_close_out_that_is_not_signed_lists_what_is_open() -> None:
    words = words_of(PAPERS["open"](PdfPapers()))
    for part in (
        "not signed",
        "not zero",
        "does NOT add up",
        # 2 unopened and 1 container.
        "balance on site 3.",
        "2 vials unopened on site (2 available).",
        "Medication error E000002K is not assessed.",
        "Not signed: pharmacist and monitor sign once nothing is open.",
    ):
        assert part in words, part
    assert "None. The balance" not in words
    assert "Investigator (name" not in words


@pytest.mark.parametrize("month", range(1, 13))
def test_no_date_is_broken_over_two_lines(month: int) -> None:
    """A date in pieces is misread; 28 is as wide as a day gets."""
    on = date(2028, month, 28)
    report = replace(CLOSED, rows=(replace(CLOSED.rows[0], expires_on=on),))
    assert say_day(on) in words_of(PdfPapers().close_out_report(report))
    counted_at = NINE_THIRTY.replace(year=2028, month=month, day=28)
    assert say_day(on) in words_of(PdfPapers().count_record(replace(COUNT, counted_at=counted_at)))


def test_a_reprint_says_so() -> None:
    assert "REPRINT" not in words_of(PAPERS["count"](PdfPapers()))
    assert "REPRINT 1 · N000014Y" in words_of(PdfPapers().count_record(replace(COUNT, copy_number=2)))
