"""Records of subjects, doses, people and visits: columns in order, no blank cell, nothing clipped, nothing on top."""

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pypdfium2
import pytest

from labels import proof
from labels.papers import PdfPapers
from labels.reports.darf import DARF_COLUMNS
from labels.reports.dispensing_log import DISPENSING_COLUMNS
from labels.reports.visit import FLAGGED_COLUMNS
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.papers import AccountabilityLine, Balances
from pharmacy_app.services.pictures import Picture
from tests.labels.record_samples import (
    CANCELLED,
    DISCREPANCY,
    DOSE,
    ENTRY_LINE,
    GIVEN,
    LOG,
    VISIT,
    delegation_log,
    trail,
)
from tests.labels.samples import (
    ASSESSED_REPORT,
    DESTRUCTION,
    HEADER,
    RECEIPT,
    RETURN,
    STAMP,
    TRANSFER,
    WORKSHEET,
    collisions,
    ledger,
    ledger_totals,
)
from tests.labels.test_counts import CLOSED, COUNT
from tests.labels.test_excursion import REPORT as EXCURSION
from tests.labels.test_treatment_calendar import CASES as CALENDARS

# REGULATION 6.1 and 6.3, typed from there.
NINE = (
    "Line No. | Date | Patient's Initials | Patient's ID No. | Dose | Quantity Dispensed or Received | "
    "Balance Forward / Balance | Manufacturer and Lot No. | Recorder's Initials"
)
SUBJECT_LOG = (
    "Line | Order date-time and prescriber | Cycle | Day | Weight kg | Weight date | Height cm | BSA m² | Dose level | "
    "Dose mg/m² | Calculated dose mg | Prescribed dose mg | Prescribed vs calculated % | Kit no(s). | Strength | Lot(s)"
    " | Expiry | Vials dispensed 1 mg | Vials dispensed 4 mg | Reconstituted at | Withdrawn mL | Prepared dose mg | "
    "Diluent and final volume mL | Final concentration mg/mL | BUD date-time | Prepared by | Verified by | "
    "Released to / at | Infusion start | Infusion end | Administered mg | Administered vs prescribed % | Wasted mg | "
    "Vials returned/empty | Error flag/report no. | Comments"
)


def darf(lines: list[AccountabilityLine], sheet: str = "letter") -> bytes:
    header = replace(HEADER, manufacturer="Pfizer")
    return PdfPapers(sheet=sheet).darf_style_record(header, iter(lines), ledger_totals(lines), STAMP)


EVERY: dict[str, Callable[[str], bytes]] = {
    "DARF-style record": lambda sheet: darf(list(ledger(80)), sheet),
    "dispensing log": lambda sheet: PdfPapers(sheet=sheet).dispensing_log(LOG),
    "dose record": lambda sheet: PdfPapers(sheet=sheet).dose_record(DOSE),
    "audit trail": lambda sheet: PdfPapers(sheet=sheet).audit_trail(trail(40)),
    "delegation log": lambda sheet: PdfPapers(sheet=sheet).delegation_log(delegation_log()),
    "discrepancy": lambda sheet: PdfPapers(sheet=sheet).discrepancy_record(DISCREPANCY),
    "visit report": lambda sheet: PdfPapers(sheet=sheet).visit_report(VISIT),
}


def words_of(pdf: bytes) -> str:
    return " ".join(proof.page_texts(pdf))


def letters(words: str) -> str:
    """Without blanks and soft breaks: what wraps in a narrow column is whole again."""
    return re.sub(r"[\s\ufffe\x02-]", "", words)


@pytest.mark.parametrize("sheet", ["letter", "a4"])
@pytest.mark.parametrize("name", EVERY)
def test_no_word_lies_on_another_or_leaves_the_page(name: str, sheet: str) -> None:
    pdf = EVERY[name](sheet)
    assert [found for page in range(proof.page_count(pdf)) for found in collisions(pdf, page)] == []


@pytest.mark.parametrize("name", EVERY)
def test_the_same_content_gives_the_same_bytes(name: str) -> None:
    assert EVERY[name]("letter") == EVERY[name]("letter")


@pytest.mark.parametrize("name", EVERY)
def test_every_page_says_which_of_how_many_it_is(name: str) -> None:
    pages = proof.page_texts(EVERY[name]("letter"))
    assert all(f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, 1))


@pytest.mark.parametrize("name", EVERY)
def test_a_cell_without_a_value_gives_its_reason(name: str) -> None:
    """N/A stands with words after a colon, or with a letter that the key explains."""
    words = words_of(EVERY[name]("letter"))
    keys = "; ".join(re.findall(r"N/A ([a-z]: [^.]*)\.", words))
    for mark in re.findall(r"N/A(?!:)(.{3})", words):
        letter = mark.strip()[:1]
        assert letter.isalpha() and f"{letter}: " in keys, f"N/A{mark} in {name}"


def test_the_columns_are_those_of_the_regulation() -> None:
    assert list(DARF_COLUMNS) == NINE.split(" | ")
    assert list(DISPENSING_COLUMNS) == SUBJECT_LOG.split(" | ")


def test_the_columns_stand_on_the_paper_in_that_order() -> None:
    page = letters(proof.page_texts(PdfPapers().dispensing_log(LOG))[0])
    assert [name for name in DISPENSING_COLUMNS if letters(name.split()[0]) not in page] == []
    # The three bands stand beneath each other.
    assert page.find("Orderdatetimeandprescriber") < page.find("Prescribedvs") < page.find("BUDdatetime")


# --- DARF-style ----------------------------------------------------------------------------------------------------


def test_the_nine_columns_run_one_balance_and_leave_releases_to_the_other_record() -> None:
    pages = proof.page_texts(darf(list(ledger(80))))
    words = " ".join(pages)
    assert "RELEASE" not in words
    assert "Balance forward 0 1 22-Nov-2026 Received from Pfizer depot" in pages[0]
    # Eight weeks of ten received and eight dispensed.
    assert "Balance at the end of this record 16" in words
    assert "Received 80 = available 16 + quarantined 0 + dispensed 64" in words
    # 72 lines: each week one receipt and eight doses, its release left out.
    assert "72 " in pages[-1] and " 73 " not in pages[-1]
    forward = re.search(r"Balance forward (\d+) (\d+) \d\d-", pages[1])
    assert forward
    before = re.findall(r"[+−]\d+ (\d+) Pfizer", pages[0])[-1]
    assert forward[1] == before
    assert "Page No. 2" in pages[1]
    assert "[X] Control Record" in pages[0]
    assert "NIH" not in words and "OMB" not in words


def test_a_satellite_and_both_together_are_ticked_as_such() -> None:
    lines = list(ledger(3))
    totals = ledger_totals(lines)
    satellite = replace(HEADER, record_type="Satellite record")
    both = replace(HEADER, record_type="Control and satellite records together")
    assert "[X] Satellite Record" in words_of(PdfPapers().darf_style_record(satellite, lines, totals, STAMP))
    neither = words_of(PdfPapers().darf_style_record(both, lines, totals, STAMP))
    assert "[X]" not in neither
    assert "together" in neither


def test_destruction_stands_on_the_record_though_it_changes_no_balance() -> None:
    lines = list(ledger(3))
    destroyed = replace(
        lines[2], transaction="DESTROY", party="bin 12", qty_in=0, qty_out=0, line=4, dose_mg=None, subject_initials=""
    )
    words = words_of(darf([*lines, destroyed]))
    assert "Destroyed: bin 12 N/A" in words
    assert "No change to this balance: V-000003-4." in words


def test_a_corrected_line_is_struck_through_and_says_why() -> None:
    lines = list(ledger(6))
    plain = darf(lines)
    lines[3] = replace(lines[3], corrected="by entry 9, M. Gonzalez: wrong vial", late_entry="system down")
    words = words_of(darf(lines))
    assert "CORRECTED: by entry 9, M. Gonzalez: wrong vial" in words
    assert "LATE ENTRY of 23-Nov-2026: system down" in words
    assert strokes(darf(lines)) > strokes(plain)


def strokes(pdf: bytes, page: int = 0) -> int:
    document = pypdfium2.PdfDocument(pdf)
    count = len(list(document[page].get_objects([pypdfium2.raw.FPDF_PAGEOBJ_PATH])))
    document.close()
    return count


@pytest.mark.parametrize("balances", [Balances(9, 0, 8), Balances(-1, 0, 9)])
def test_a_record_that_does_not_balance_is_not_printed_in_nine_columns_either(balances: Balances) -> None:
    lines = list(ledger(3))
    totals = ledger_totals(lines)
    lines[2] = replace(lines[2], balances=balances)
    with pytest.raises(Refused, match="Line 3"):
        PdfPapers().darf_style_record(HEADER, lines, totals, STAMP)
    with pytest.raises(Refused, match="11 vials received"):
        PdfPapers().darf_style_record(HEADER, [], (("Received", 11), ("available", 10)), STAMP)


# --- dispensing log ------------------------------------------------------------------------------------------------


def test_the_log_says_of_a_dose_all_that_was_measured_made_and_given() -> None:
    words = words_of(PdfPapers().dispensing_log(LOG))
    for required in (
        "Initials (optional)",
        "N/A: not recorded at this site",
        "22-Nov-2026 10:15 −06:00 Elena Petrova, MD, dose D0001245",
        "1.818118…",
        "0.545435…",
        "+0.836…",
        "−9.090…",
        "0.9 % sodium chloride injection, 50",
        "0.011",
        "1 destroyed, 1 empty",
        "E0000013",
        "Stopped 6 min early for a reaction.",
        "CANCELLED: the subject has a fever",
        "CORRECTED Administered: 1.2 → 1.4, by entry 812, Maria Gonzalez, PharmD",
        "In all: 2 doses ordered, 1 given; vials dispensed 1 of 1 mg and 1 of 4 mg; administered 0.5 mg; left in vials"
        " 0.45 mg.",
        "Course 1, cycle 2, day 15: toxicity.",
    ):
        assert letters(required) in letters(words), required


def test_the_log_has_the_weight_that_was_used_beside_what_it_was_corrected_to() -> None:
    given = replace(GIVEN, weight_since="corrected since to 90 kg by entry 43")
    words = letters(words_of(PdfPapers().dispensing_log(replace(LOG, lines=(given,)))))
    assert letters("70 corrected since to 90 kg by entry 43") in words
    assert letters("In all: 1 dose ordered, 1 given;") in words


def test_a_dose_that_was_not_given_counts_as_ordered_only() -> None:
    nothing = {"started_at": None, "ended_at": None, "administered_mg": None, "administered_percent": None}
    dose = replace(GIVEN, **nothing, ended="NOT GIVEN: reaction.")  # type: ignore[arg-type]
    words = letters(words_of(PdfPapers().dispensing_log(replace(LOG, lines=(dose,)))))
    assert letters("In all: 1 dose ordered, 0 given;") in words
    assert letters("NOT GIVEN: reaction.") in words
    record = replace(DOSE, dose=dose)
    words = words_of(PdfPapers().dose_record(record))
    assert words.count("N/A: not given") == 4
    assert "NOT GIVEN: reaction." in words


def test_a_long_log_keeps_each_dose_whole_under_its_headings() -> None:
    many = replace(LOG, lines=tuple(replace(GIVEN, line=each, dose_id=f"D{each:06d}X") for each in range(1, 31)))
    pdf = PdfPapers().dispensing_log(many)
    pages = proof.page_texts(pdf)
    assert len(pages) >= 7
    for page in pages[:-1]:
        assert page.count("BUD date-time") == 1
        assert page.count("dose D") == page.count("Nurse J. Abara") == page.count("CORRECTED Administered")
    assert [found for page in range(len(pages)) for found in collisions(pdf, page)] == []


def test_a_subject_without_a_dose_has_a_log_that_says_so() -> None:
    words = words_of(
        PdfPapers().dispensing_log(replace(LOG, lines=(), bsa_formulas=(), protocol_versions=(), omitted=()))
    )
    assert "No dose was ordered for this subject." in words
    assert "N/A: no dose decided yet" in words


# --- dose record ---------------------------------------------------------------------------------------------------


def test_the_dose_record_goes_from_the_weight_to_the_destroyed_vial() -> None:
    words = words_of(PdfPapers().dose_record(DOSE))
    for required in (
        "REPRINT 1 · Dose D0001245 · Subject 1001-0007",
        "Weight 70.0 kg 16-Nov-2026",
        "used",
        "corrected by entry 699",
        "√(height × weight ÷ 3600)",
        "ALT is 2.7 × ULN",
        "Checked independently by Maria Gonzalez, PharmD Prepared by James Okafor, CPhT",
        "V0001237 1 0.55 0.1 0.35",
        "N/A a: the vial is not closed yet.",
        "V0004567 4 0 N/A a N/A a",
        "RECEIVE",
        "worksheet D0001245",
        "letter: Order of 20-Nov-2026 F0000012",
        "E0000013, open: given 0.5 mg of 0.55 mg.",
        "700 Dose prepared",
        "9f9f9f9f9f9f9f9f",
        "checked and released the bag Maria Gonzalez, PharmD pharmacist",
    ):
        assert letters(required) in letters(words), required


def test_a_weight_that_was_used_and_corrected_since_is_both_on_the_dose_record() -> None:
    weight = replace(DOSE.measured[0], corrected_by=812)
    words = words_of(PdfPapers().dose_record(replace(DOSE, measured=(weight, DOSE.measured[1]))))
    assert letters("used, corrected since by entry 812") in letters(words)
    assert letters("corrected by entry 699") in letters(words)


def test_what_was_taken_back_is_struck_through_in_the_vial_s_life() -> None:
    plain = replace(DOSE, life=tuple(replace(line, struck=False) for line in DOSE.life))
    pages = range(proof.page_count(PdfPapers().dose_record(DOSE)))
    struck, whole = (sum(strokes(PdfPapers().dose_record(each), page) for page in pages) for each in (DOSE, plain))
    assert struck > whole
    assert "QUARANTINE" in words_of(PdfPapers().dose_record(DOSE))


def test_a_dose_only_ordered_says_what_is_not_done_yet() -> None:
    ordered = replace(
        DOSE,
        dose=CANCELLED,
        measured=(),
        steps=(),
        findings=(),
        reason="",
        milligrams=(),
        life=(),
        papers=(),
        documents=(),
        errors=(),
        signatures=(),
        formula="",
        protocol_decided_by="",
    )
    words = words_of(PdfPapers().dose_record(ordered))
    assert words.count("N/A: not done yet") >= 15
    assert "No vial was taken for this dose." in words
    assert "Not signed: nobody has calculated, checked or released this dose." in words


# --- audit trail ---------------------------------------------------------------------------------------------------


def test_the_trail_says_who_when_what_old_new_and_why() -> None:
    words = words_of(PdfPapers().audit_trail(trail(12)))
    for required in (
        "Administration corrected LATE ENTRY",
        "dose id D0001245; administered mg 1.4",
        "Administered: 1.2 → 1.4; Note: no value → by the pump's log",
        "The pump's log says 1.4 mg.",
        "Maria Gonzalez, PharmD: corrected the entry",
        "22-Nov-2026 10:15 −06:00 21-Nov-2026 10:15 −06:00",
    ):
        assert letters(required) in letters(words), required


def test_an_entry_longer_than_a_page_goes_on_on_the_next() -> None:
    long = replace(ENTRY_LINE, values=" ".join(f"V{number:06d}" for number in range(900)))
    paper = replace(trail(0), count=1, lines=iter([long]))
    pdf = PdfPapers().audit_trail(paper)
    pages = proof.page_texts(pdf)
    words = " ".join(pages)
    assert len(pages) > 2
    assert all(f"V{number:06d}" in words for number in range(900))
    assert all("Record and values" in page for page in pages[:-1])
    assert [found for page in range(len(pages)) for found in collisions(pdf, page)] == []


def test_an_empty_question_prints_that_nothing_answers_it() -> None:
    words = words_of(PdfPapers().audit_trail(replace(trail(0), lines=iter(()))))
    assert "No entry answers this question." in words


# --- people, discrepancies, visits ---------------------------------------------------------------------------------


def test_the_log_of_delegations_keeps_what_was_before_and_sums_the_signatures() -> None:
    words = words_of(PdfPapers().delegation_log(delegation_log(61)))
    for required in (
        "technician 05-Jan-2026 30-Jun-2026 active",
        "until entry 90",
        "technician and checker 05-Jan-2026 N/A",
        "trained",
        # 61 signatures: 31 odd, 30 even.
        "James Okafor, CPhT witnessed the destruction 31",
        "James Okafor, CPhT counted again and verified 30",
    ):
        assert letters(required) in letters(words), required


def test_a_discrepancy_is_told_to_its_explanation_or_is_open() -> None:
    words = words_of(PdfPapers().discrepancy_record(DISCREPANCY))
    for required in ("N/A: opened without a count", "−1", "+1", "Found miscounted.", "It had slid behind the carton."):
        assert required in words
    still = replace(DISCREPANCY, closed_at=None, outcome="", explanation="", closed_by="", status="open")
    assert "Open: not explained yet." in words_of(PdfPapers().discrepancy_record(still))


def test_the_visit_report_tells_what_was_seen_asked_and_left_open() -> None:
    words = words_of(PdfPapers().visit_report(VISIT))
    for required in (
        "after entry 400, through entry 1,234",
        "Sample of the 690 entries without a reason",
        "460, 512, 777",
        "RT 24-Nov-2026, changed since by entry 812",
        "answered, 9 days, OVERDUE",
        "Whose initials are these?",
        "Queries not closed: QRY-7.",
        "Entries not verified: 401–457, 1,200.",
        "In good order; one query stays with the site.",
        "reviewed the record in this visit Robert Thornton monitor",
        "N/A: opened on a planned day",
    ):
        assert letters(required) in letters(words), required
    assert FLAGGED_COLUMNS[-1] == "Monitor verified (initials, date)"


# --- whatever was recorded is printed ------------------------------------------------------------------------------

ODD = "all fine 👍 漢字\nsee\tbelow \u202eabc\u200b\x07"
ODD_SAID = "all fine [U+1F44D] [U+6F22][U+5B57] see below [U+202E]abc[U+200B][U+0007]"
LONG = "漢" * 2000
"""As much as a note holds."""

KEPT = ("product", "by_hand", "study_title", "settings_version", "record_type", "app_version", "logger_state")
"""Words of the program and of the protocol, on which no one types."""

NOTES = (
    *("note", "comment", "comments", "values", "reason", "why", "summary", "explanation", "cause", "done", "sentence"),
    *("late_entry", "corrected", "difference_note", "condition_note", "action"),
)


def instead(value: Any, swap: Callable[[str, str], str], name: str = "") -> Any:
    """A paper with other words in it, however deep they stand."""
    if type(value) is str:
        return swap(name, value)
    if isinstance(value, tuple):
        return tuple(instead(each, swap, name) for each in value)
    if is_dataclass(value) and not isinstance(value, (type, Picture)):
        kept = {f.name: getattr(value, f.name) for f in fields(value) if f.init}
        return replace(value, **{name: instead(each, swap, name) for name, each in kept.items()})
    return value


def odd(name: str, words: str) -> str:
    return f"{words} {ODD}" if " " in words and name not in KEPT else words


def long(name: str, words: str) -> str:
    return LONG if words and name in NOTES else words


def _accountability(swap: Callable[[str, str], str], draw: Any) -> bytes:
    lines = [
        instead(replace(line, comment="seal whole", late_entry="forgotten on the day"), swap) for line in ledger(4)
    ]
    return bytes(draw(instead(HEADER, swap), lines, ledger_totals(lines), instead(STAMP, swap)))


def _trail(swap: Callable[[str, str], str]) -> bytes:
    paper = trail(3)
    lines = [instead(line, swap) for line in paper.lines]
    return PdfPapers().audit_trail(instead(replace(paper, lines=iter(lines)), swap))


def _delegation(swap: Callable[[str, str], str]) -> bytes:
    paper = delegation_log(3)
    lines = [instead(line, swap) for line in paper.signatures]
    return PdfPapers().delegation_log(instead(replace(paper, signatures=iter(lines)), swap))


def _visit(swap: Callable[[str, str], str]) -> bytes:
    return PdfPapers().visit_report(instead(VISIT, swap))


ALL: dict[str, Callable[[Callable[[str, str], str]], bytes]] = {
    "accountability": lambda swap: _accountability(swap, PdfPapers().accountability_record),
    "DARF-style record": lambda swap: _accountability(swap, PdfPapers().darf_style_record),
    "audit trail": _trail,
    "delegation log": _delegation,
    "visit report": _visit,
    "dispensing log": lambda swap: PdfPapers().dispensing_log(instead(LOG, swap)),
    "dose record": lambda swap: PdfPapers().dose_record(instead(DOSE, swap)),
    "discrepancy": lambda swap: PdfPapers().discrepancy_record(instead(DISCREPANCY, swap)),
    "worksheet": lambda swap: PdfPapers().worksheet(instead(WORKSHEET, swap)),
    "medication error": lambda swap: PdfPapers().medication_error_report(instead(ASSESSED_REPORT, swap)),
    "calendar": lambda swap: PdfPapers().treatment_calendar(instead(CALENDARS["six cycles"], swap)),
    "destruction": lambda swap: PdfPapers().destruction_record(instead(DESTRUCTION, swap)),
    "return": lambda swap: PdfPapers().return_record(instead(RETURN, swap)),
    "transfer": lambda swap: PdfPapers().transfer_record(instead(TRANSFER, swap)),
    "receipt": lambda swap: PdfPapers().receipt_record(instead(RECEIPT, swap)),
    "count": lambda swap: PdfPapers().count_record(instead(COUNT, swap)),
    "close-out": lambda swap: PdfPapers().close_out_report(instead(CLOSED, swap)),
    "excursion": lambda swap: PdfPapers().excursion_report(instead(EXCURSION, swap)),
}


@pytest.mark.parametrize("name", ALL)
def test_no_character_keeps_a_record_from_printing(name: str) -> None:
    """Emoji, Chinese, a line break, a tab, a change of direction, a blank without width, a bell: each is to be seen."""
    pdf = ALL[name](odd)
    assert letters(ODD_SAID) in letters(words_of(pdf))
    assert [found for page in range(proof.page_count(pdf)) for found in collisions(pdf, page)] == []


@pytest.mark.parametrize("name", [name for name in ALL if name not in ("worksheet", "calendar")])
def test_a_note_as_long_as_it_may_be_is_printed_whole(name: str) -> None:
    pdf = ALL[name](long)
    said = letters(words_of(pdf)).count("[U+6F22]")
    assert said >= 2000
    assert [found for page in range(proof.page_count(pdf)) for found in collisions(pdf, page)] == []


def test_a_copy_of_an_accountability_record_says_that_it_is_one() -> None:
    lines = list(ledger(3))
    for draw in (PdfPapers().accountability_record, PdfPapers().darf_style_record):
        first, second = (
            draw(replace(HEADER, copy_number=copy), iter(lines), ledger_totals(lines), STAMP) for copy in (1, 2)
        )
        assert "REPRINT" not in words_of(first)
        assert "REPRINT 1" in words_of(second)
