"""The report of a dosing medication error: the two doses, their difference, what happened and who was told."""

from labels import text
from labels.geometry import LETTER, Stock
from labels.label_pdf import reprint_words
from labels.reports.frame import Column, Frame
from labels.text import amount, mg, moment, shown, signed_percent
from pharmacy_app.services.papers import MedicationErrorReport


def medication_error_report(report: MedicationErrorReport, stock: Stock = LETTER) -> bytes:
    """Draw the report; what is not known yet prints N/A."""
    parts = (reprint_words(report.copy_number), f"Report {report.report_number}", f"Dose {report.dose_id}")
    frame = Frame(stock, report.stamp, "Medication error report", " · ".join(part for part in parts if part))
    frame.begin_page()
    frame.pairs(
        [
            ("Subject", f"{report.subject_number}, initials {shown(report.subject_initials)}"),
            ("Course · cycle · day", f"{report.course} · {report.cycle} · {report.day}"),
            ("Product", report.product),
            ("Occurred", moment(report.occurred_at)),
            ("Found", moment(report.found_at)),
            ("Found by", report.found_by),
            ("Prescribed dose", f"{amount(report.prescribed_mg)} mg"),
            ("Administered dose", f"{mg(report.administered_mg)} mg"),
            ("Difference from prescribed", f"{signed_percent(report.difference_percent)} %"),
            ("Stage", report.stage),
            ("Kind", report.kind),
            ("Reached the subject", report.reached_subject),
        ],
        columns=3,
    )
    frame.paragraph(
        "An administered dose 10 % or more above or below the prescribed dose is a reportable dosing medication error "
        "[Protocol § 8.1.3]."
    )
    for heading, words in (
        ("What happened", report.what_happened),
        ("Cause", report.cause),
        ("Action", report.action),
        ("Harm (NCC MERP index)", report.harm_category),
        ("Adverse event or serious adverse event", report.adverse_event),
        ("Assessment", report.assessment),
    ):
        frame.section(heading)
        frame.paragraph(shown(words))
    frame.section("Who was told")
    columns = [Column("Who", frame.room * 0.6, font=text.SEMI), Column("Date and time", frame.room * 0.4)]
    rows = [(told.who, "not yet" if told.at is None else moment(told.at)) for told in report.told]
    frame.table(columns, rows or [("Nobody yet", "")])
    frame.signatures(report.signatures, "Not signed yet.")
    return frame.finish()
