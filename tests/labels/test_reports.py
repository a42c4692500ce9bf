"""Worksheet and accountability record: complete, balanced, nothing clipped, nothing on top of anything else."""

import re
from dataclasses import replace
from decimal import Decimal

import pypdfium2
import pytest

from labels import proof
from labels.papers import PdfPapers
from labels.reports.accountability import COLUMN_NAMES
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.protocol import shipped_protocol
from pharmacy_app.domain.tolerance import tolerance_budget
from pharmacy_app.services.papers import AccountabilityLine, AnsweredQuestion, Balances, PaperStamp, Worksheet
from tests.labels.samples import (
    ASSESSED_REPORT,
    BUDGET_FACTS,
    BUDGET_PLAN,
    BUDGET_SETTINGS,
    ERROR_REPORT,
    HEADER,
    STAMP,
    WORKSHEET,
    changed,
    collisions,
    ledger,
    ledger_totals,
)

DEMO = replace(STAMP, demonstration=True)
# REGULATION 6.2, typed from there.
REGULATION_COLUMNS = (  # noqa: SIM905
    "Line | Event date-time | Entry date-time | Transaction | From/To or Subject ID | Subject initials | Cycle/Day | "
    "Dose mg | Kit/vial no. | Lot | Expiry | Qty in | Qty out | Balance available | Balance quarantine | "
    "Balance on site | Reference document no. | Comment / deviation no. | Recorder | Verifier | "
    "Monitor verified (initials, date)"
).split(" | ")


def record(lines: list[AccountabilityLine], stamp: PaperStamp = STAMP, sheet: str = "letter") -> bytes:
    return PdfPapers(sheet=sheet).accountability_record(HEADER, lines, ledger_totals(lines), stamp)


@pytest.mark.parametrize("scanner", [203, 300])
@pytest.mark.parametrize("dpi", [203, 300])
@pytest.mark.parametrize("stamp", [STAMP, DEMO])
def test_the_worksheet_scans_to_its_dose_even_under_the_watermark(dpi: int, scanner: int, stamp: PaperStamp) -> None:
    pages = proof.decode_pdf(PdfPapers(dpi).worksheet(replace(WORKSHEET, stamp=stamp)), scanner)
    head = f"1234:{STAMP.head_hash}"
    assert pages == [["(91)D-000124-5", head, "D-000124-5"], *[[head]] * (len(pages) - 1)]


def test_the_worksheet_carries_everything_the_second_person_checks() -> None:
    pages = proof.page_texts(PdfPapers().worksheet(WORKSHEET))
    words = " ".join(pages)
    for required in (
        "1001-0007",
        "Initials N/A",
        "inotuzumab ozogamicin 0.55 mg",
        "1.818118… m² (Mosteller)",
        "√(height × weight ÷ 3600)",
        "height 170 cm; weight 70 kg",
        "dose 0.545435… mg",
        "§ 8.1.3",
        "72.4 kg (02-Nov-2026), change −3.314… %",
        "Stop unless",
        "This dose goes on by written decision on R38: see the findings.",
        "DECIDED IN WRITING by Elena Petrova, MD (Principal investigator) on 21-Nov-2026, document Note 44: Isolated.",
        "V-000123-7",
        "HX2201A",
        "4 mL sterile water for injection",
        "0.25 mg/mL",
        "Withdraw 2.2 mL",
        "0.55 mg in 50 mL (0.011 mg/mL)",
        "within the limits 0.01 to 0.1 mg/mL",
        "Instructions v3, section 4",
        "PROTECT FROM LIGHT",
        "HAZARDOUS DRUG – CYTOTOXIC",
        "8 h",
        "Reconstituted at (date, time)",
        "Actual mL drawn",
        "Prepared the calculation Maria Gonzalez, PharmD Pharmacist 22-Nov-2026 10:15 −06:00",
        "Verified independently James Okafor, CPhT Checker",
    ):
        assert required in words
    assert len(pages) <= 2
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Dose D-000124-5 · Subject 1001-0007" in page
        assert "journal 1,234 events, head ab12cd34ef56" in page
        assert "SHA-256 3f9a51c27b80" in page
        assert "settings event 12 of 20-Nov-2026" in page
    assert not re.search(r"(?<![\d.])\.\d|\d\.\d*0 m[gL]", words)


def test_a_long_stamp_wraps_at_the_foot_and_loses_no_word() -> None:
    version = "as supplied; the text states no version, amendment or date, see the binder of the pharmacy"
    pdf = PdfPapers().worksheet(replace(WORKSHEET, stamp=replace(STAMP, protocol_version=version)))
    assert all(version in page for page in proof.page_texts(pdf))
    assert collisions(pdf, 0) + collisions(pdf, 1) == []
    pdf = PdfPapers().worksheet(replace(WORKSHEET, stamp=replace(STAMP, protocol_version=version * 9)))
    assert proof.page_texts(pdf)[0].count("see the binder of the pharmacy") == 9
    assert collisions(pdf, 0) == []


def test_the_worksheet_shows_what_of_the_tolerance_is_spent() -> None:
    # By hand in the samples: order +0.8298… %, reading ±0.2272… %, 2.75 of 50 mL −5.5 %, together 5.7272… %.
    words = " ".join(proof.page_texts(PdfPapers().worksheet(WORKSHEET)))
    for required in (
        "Tolerance budget: what of the 10 % is spent before mixing",
        "Rounding of the BSA",
        "unrounded 0.545435… mg; prescribed 0.55 mg",
        "+0.829…",
        "±0.227…",
        "in the bag 0.55 mg; to the subject 0.51975 mg",
        "−5.5",
        "SOP 12, measured",
        "At worst 5.727… % of 10 % is spent, 4.272… % is left",
        "5.73 % too little",
        "for information only",
    ):
        assert required in words


def test_a_residue_that_nobody_measured_prints_as_not_known() -> None:
    unknown = tolerance_budget(
        BUDGET_FACTS, BUDGET_PLAN, replace(BUDGET_SETTINGS, line_residue=None), shipped_protocol()
    )
    words = outside(replace(WORKSHEET, budget=unknown))
    assert "to the subject not known" in words
    assert "Not known and not counted: left in bag and line." in words


def outside(worksheet: Worksheet) -> str:
    return " ".join(proof.page_texts(PdfPapers().worksheet(worksheet)))


@pytest.mark.parametrize(
    ("final", "word"), [("0.0099", "OUTSIDE"), ("0.01", "within"), ("0.1", "within"), ("0.1001", "OUTSIDE")]
)
def test_both_ends_of_the_concentration_limits_are_allowed(final: str, word: str) -> None:
    assert f"Final concentration is {word} the limits" in outside(replace(WORKSHEET, final_mg_per_ml=Decimal(final)))


def test_an_unsigned_worksheet_says_that_it_releases_nothing() -> None:
    assert "Not signed yet" in outside(replace(WORKSHEET, signatures=()))


def test_a_worksheet_of_many_vials_and_findings_breaks_over_pages_and_loses_none() -> None:
    vials = tuple(replace(WORKSHEET.vials[0], unit_number=f"V-{number:06d}-K") for number in range(60))
    sheet = replace(WORKSHEET, vials=vials, findings=WORKSHEET.findings * 20, stamp=STAMP)
    pdf = PdfPapers().worksheet(sheet)
    pages = proof.page_texts(pdf)
    assert len(pages) >= 4
    assert all(vial.unit_number in " ".join(pages) for vial in vials)
    assert [found for page in range(len(pages)) for found in collisions(pdf, page)] == []


@pytest.mark.parametrize("sheet", ["letter", "a4"])
def test_no_word_of_the_worksheet_lies_on_another(sheet: str) -> None:
    pdf = PdfPapers(sheet=sheet).worksheet(WORKSHEET)
    assert [found for page in range(proof.page_count(pdf)) for found in collisions(pdf, page)] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("subject_number", "S" * 90), ("dose_id", "d 1"), ("product", "a long name " * 9)],
)
def test_what_the_worksheet_cannot_show_is_refused(field: str, value: str) -> None:
    with pytest.raises(Refused):
        PdfPapers().worksheet(changed(WORKSHEET, field, value))


def test_the_record_has_the_columns_of_the_regulation() -> None:
    assert list(COLUMN_NAMES) == REGULATION_COLUMNS


def test_the_record_s_head_names_what_it_is_of() -> None:
    (page,) = proof.page_texts(record(list(ledger(4))))
    for required in (
        "Pfizer (supporter)",
        "IND 115200",
        "001 Riverside Cancer Center",
        "Elena Petrova, MD",
        "all lots",
        "Strength",
        "1 mg",
        "2–8 °C (36–46 °F), from light",
        "Refrigerator 2, shelf 3",
        "Control record",
        "Page 1 of 1",
        "Printed 22-Nov-2026 10:15 −06:00 by Maria Gonzalez, PharmD",
        # Ten received, two dispensed by line 4.
        "Received 10 = available 8 + quarantined 0 + dispensed 2",
    ):
        assert required in page


def test_five_thousand_lines_carry_their_balance_from_page_to_page() -> None:
    lines = list(ledger(5000))
    pages = proof.page_texts(record(lines))
    first_lines: list[int] = []
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        if number == 1:
            continue
        forward = re.search(r"Balance brought forward from page (\d+) ([\d,]+) ([\d,]+) ([\d,]+) (\d+) \d\d-", page)
        assert forward, page[:600]
        origin, *balances, first = (int(figure.replace(",", "")) for figure in forward.groups())
        assert origin == number - 1
        # The balance stands behind the last line of the page before: the line before this page's first.
        before = lines[first - 2].balances
        assert balances == [before.available, before.quarantine, before.on_site]
        carried = re.search(r"Carried forward to the next page ([\d,]+) ([\d,]+) ([\d,]+)", pages[number - 2])
        assert carried
        assert carried.groups() == forward.groups()[1:4]
        first_lines.append(first)
    assert first_lines == sorted(set(first_lines))
    # 5,000 lines of two to three rows each; 10 to 19 lines stand on a page.
    assert 5000 / 19 < len(pages) < 5000 / 10
    # 500 weeks of ten received and eight dispensed.
    assert "Received 5,000 = available 1,000 + quarantined 0 + dispensed 4,000" in pages[-1]
    words = " ".join(pages)
    assert all(f"D-{line.line:06d}-7" in words for line in lines if line.transaction == "DISPENSE")


@pytest.mark.parametrize("sheet", ["letter", "a4"])
def test_no_word_of_the_record_lies_on_another(sheet: str) -> None:
    lines = list(ledger(60))
    lines[4] = replace(lines[4], late_entry="the system was down for two hours", comment="deviation no. 2026-0044")
    lines[5] = replace(
        lines[5],
        party="The University of Texas MD Anderson Cancer Center, satellite pharmacy",
        subject_initials="WWW",
        unit_number="KIT-0123456789-ABCDEFGHIJ",
        lot="LOT0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0",
        reference="Pfizer permission letter 2026-11-000123",
        recorder="Gonzalez-Villanueva",
        monitor_verified="Robert Thornton 24-Nov-2026",
    )
    pdf = record(lines, sheet=sheet)
    pages = proof.page_texts(pdf)
    assert [found for page in range(len(pages)) for found in collisions(pdf, page)] == []
    # Wrapped, never cut: with the breaks taken out the longest lot is whole.
    assert "LOT0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0" in _column_text(pdf)


def _column_text(pdf: bytes) -> str:
    return re.sub(r"\s", "", "".join(proof.page_texts(pdf)))


def test_a_cell_without_a_value_says_so() -> None:
    (line,) = ledger(1)
    (page,) = proof.page_texts(record([line]))
    # Initials, cycle and day, dose, qty out, comment, monitor: six of the receipt's cells have no value, and the key
    # to their letters stands above.
    assert page.count("N/A") == 7
    assert "N/A a: inside the pharmacy; b: the line has no subject" in page
    assert " N/A b N/A c N/A c " in page


def test_late_entries_and_corrections_stand_in_the_line() -> None:
    lines = list(ledger(6))
    lines[3] = replace(lines[3], late_entry="system down")
    lines[4] = replace(lines[4], corrected="by line 6, MG: wrong vial")
    (page,) = proof.page_texts(record(lines))
    assert "LATE ENTRY: system down" in page
    assert "CORRECTED: by line 6, MG: wrong vial" in page
    plain = record([*lines[:4], replace(lines[4], corrected=""), *lines[5:]])
    assert _strokes(record(lines)) > _strokes(plain)


def _strokes(pdf: bytes) -> int:
    document = pypdfium2.PdfDocument(pdf)
    count = len(list(document[0].get_objects([pypdfium2.raw.FPDF_PAGEOBJ_PATH])))
    document.close()
    return count


def refusal(lines: list[AccountabilityLine], totals: tuple[tuple[str, int], ...]) -> str:
    with pytest.raises(Refused) as refused:
        PdfPapers().accountability_record(HEADER, lines, totals, STAMP)
    return str(refused.value)


def test_a_record_whose_states_do_not_add_up_is_not_printed() -> None:
    lines = list(ledger(10))
    name, received = ledger_totals(lines)[0]
    words = refusal(lines, ((name, received + 1), *ledger_totals(lines)[1:]))
    assert "11 vials received, 10 found" in words
    assert "no totals" in refusal(lines, ())


@pytest.mark.parametrize(
    "balances", [Balances(9, 0, 8), Balances(-1, 0, 9), Balances(0, -1, 9), Balances(9, 1, 9), Balances(9, 0, 10)]
)
def test_a_line_whose_balance_does_not_follow_is_not_printed(balances: Balances) -> None:
    """Line 3 dispenses one of ten: nine on site, at most nine available or in quarantine."""
    lines = list(ledger(3))
    totals = ledger_totals(lines)
    record(lines)
    lines[2] = replace(lines[2], balances=balances)
    assert "Line 3" in refusal(lines, totals)


def test_a_record_that_begins_later_brings_its_balance_forward() -> None:
    lines = list(ledger(14))
    header = replace(HEADER, brought_forward=lines[9].balances)
    pdf = PdfPapers().accountability_record(header, iter(lines[10:]), ledger_totals(lines), STAMP)
    # Ten received, eight dispensed: two stay.
    assert "Balance brought forward 2 0 2 11 " in proof.page_texts(pdf)[0]


def test_large_numbers_stay_in_one_piece() -> None:
    """Line 99,999 of a store with twenty thousand vials: no figure is broken over two rows."""
    (line,) = ledger(1)
    late = replace(line, line=99999, balances=Balances(20_000, 10, 20_010))
    header = replace(HEADER, brought_forward=Balances(20_000, 0, 20_000))
    totals = (("Received", 20_010), ("available", 20_000), ("quarantined", 10))
    pdf = PdfPapers().accountability_record(header, [late], totals, STAMP)
    (page,) = proof.page_texts(pdf)
    assert " 99999 23-" in page or " 99999 22-" in page
    assert " 10 N/A d 20,000 10 20,010 " in page
    assert collisions(pdf, 0) == []


@pytest.mark.parametrize("darf", [False, True])
def test_a_line_longer_than_a_page_goes_on_on_the_next(darf: bool) -> None:
    """Twelve hundred containers destroyed together, none of them beside the next: every number is on the paper."""
    units = [f"V{number:06d}X" for number in range(2, 2402, 2)]
    lines = list(ledger(4))
    lines[2] = replace(lines[2], transaction="DESTROY", qty_in=0, qty_out=0, unit_number=", ".join(units))
    lines[2] = replace(lines[2], balances=lines[1].balances)
    change = (lines[3].qty_in or 0) - (lines[3].qty_out or 0)
    on_site = lines[1].balances.on_site + change
    lines[3] = replace(lines[3], balances=Balances(on_site, 0, on_site))
    draw = PdfPapers().darf_style_record if darf else PdfPapers().accountability_record
    pdf = draw(HEADER, lines, ledger_totals(lines), STAMP)
    pages = proof.page_texts(pdf)
    said = " ".join(pages)
    assert [unit for unit in units if said.count(unit) != 1] == []
    assert len(pages) > 1
    for number, page in enumerate(pages):
        assert collisions(pdf, number) == []
        assert darf or number + 1 == len(pages) or "Carried forward to the next page" in page
    _, *more = (page for page in pages if any(unit in page for unit in units))
    assert more
    assert darf or all("3 continued" in page for page in more)
    # What the line leaves on site stands on it and is carried on, page after page.
    assert (
        f"Balance at the end of this record {on_site:,}" in said or f"end of this record {on_site} 0 {on_site}" in said
    )


def test_the_demonstration_is_marked_on_every_page() -> None:
    pages = proof.page_texts(record(list(ledger(60)), DEMO))
    assert len(pages) > 2
    assert all("DEMONSTRATION – NOT FOR CLINICAL USE" in page for page in pages)
    assert not any("DEMONSTRATION" in page for page in proof.page_texts(record(list(ledger(60)))))


def test_the_error_report_names_both_doses_and_what_is_still_open() -> None:
    pdf = PdfPapers().medication_error_report(ERROR_REPORT)
    (page,) = proof.page_texts(pdf)
    for required in (
        "Report E-000001-3 · Dose D-000124-5",
        "1001-0007",
        "1.44 mg",
        "1.296 mg",
        # −0.144 ÷ 1.44 × 100
        "(1.296 mg − 1.44 mg) ÷ 1.44 mg × 100 = −10 % (limit 10 %)",
        "[Protocol § 8.1.3]",
        "stopped 6 min early for a reaction; the rest was discarded.",
        "Infusion stopped part-way for reaction",
        "Record opened 22-Nov-2026 11:15 −06:00 Opened by the dosing rule Status open",
        "Principal investigator 22-Nov-2026 12:15 −06:00",
        "Supporter not recorded",
        "© National Coordinating Council for Medication Error Reporting and Prevention",
        "Not assessed yet.",
        "Not signed yet.",
    ):
        assert required in page
    # Category, harm, cause, action, preventive action, adverse event.
    assert page.count("N/A") == 6
    assert collisions(pdf, 0) == []


def test_the_assessed_report_shows_answers_clocks_and_both_assessments() -> None:
    pdf = PdfPapers().medication_error_report(ASSESSED_REPORT)
    pages = proof.page_texts(pdf)
    words = " ".join(pages)
    for required in (
        "Category: F – Temporary harm with a stay in hospital, new or longer",
        "Did an error really happen? yes",
        "Is the harm permanent? no",
        "Did the subject have to go into hospital, or stay there longer? yes",
        "eSAE 2026-118",
        "within 24 h of awareness",
        "[Protocol § 12.0, 12.1, 12.2]",
        "25 h 0 min DONE LATE",
        # Printed six days after it was known.
        "not yet 6 d 0 h OVERDUE",
        "Working days are Monday to Friday",
        "Elena Petrova, MD error F The subject stayed a second night.",
        "Maria Gonzalez, PharmD error E N/A",
        "The first line is the newest",
        "Pump settings are read back by two nurses.",
        "© National Coordinating Council for Medication Error Reporting and Prevention",
    ):
        assert required in words, required
    assert words.count("Assessed the medication error Maria Gonzalez, PharmD pharmacist") == 2
    for page in range(len(pages)):
        assert collisions(pdf, page) == []


def test_a_near_miss_without_subject_or_dose_prints_no_blank() -> None:
    report = replace(
        ERROR_REPORT,
        by_rule=False,
        dose_id="",
        subject_number="",
        course=None,
        cycle=None,
        day=None,
        occurred_at=None,
        prescribed_mg=None,
        administered_mg=None,
        stopped_for="",
        reached_subject="",
    )
    pdf = PdfPapers().medication_error_report(report)
    (page,) = proof.page_texts(pdf)
    assert "N/A: no subject is named" in page
    assert "N/A: no dose is named" in page
    assert "Difference from prescribed: N/A: there are no two doses to compare" in page
    assert "A person reported this; it was not opened by the dosing rule" in page
    assert "Maria Gonzalez" in page
    assert collisions(pdf, 0) == []


def test_a_question_that_is_still_open_prints_open() -> None:
    report = replace(
        ASSESSED_REPORT,
        questions=(AnsweredQuestion("Is the harm permanent?", None),),
        category="Not known yet: a question that decides is open",
    )
    words = " ".join(proof.page_texts(PdfPapers().medication_error_report(report)))
    assert "Category: Not known yet: a question that decides is open" in words
    assert "Is the harm permanent? open" in words


def test_text_typed_over_several_lines_and_with_a_tab_prints() -> None:
    report = replace(ERROR_REPORT, cause="first\tline\n\n  second line", harm="one\ntwo")
    (page,) = proof.page_texts(PdfPapers().medication_error_report(report))
    assert "first line second line" in page
    assert "Harm: one two" in page
