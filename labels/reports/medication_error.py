"""The report of a medication error: the two doses and their difference, harm, who was told by when, who assessed it."""

from datetime import datetime

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.frame import Column, Frame
from labels.text import NOT_APPLICABLE, amount, mg, moment, reprint_words, signed_percent
from pharmacy_app.domain.units import percent_change, show
from pharmacy_app.services.papers import MedicationErrorReport, SafetyClock, SeriousEvent

NOT_SAID = "nothing was written"
_NO_SUBJECT = f"{NOT_APPLICABLE}: no subject is named"
LOUD = ("overdue", "done late")
"""States that print in capitals: what is or was late stays visible (REGULATION D-21)."""


def medication_error_report(report: MedicationErrorReport, stock: Stock = LETTER) -> bytes:
    """Draw the report; what is not known yet prints N/A with the reason."""
    about = f"Dose {report.dose_id}" if report.dose_id else ""
    parts = (reprint_words(report.copy_number), f"Report {report.report_number}", about)
    frame = Frame(stock, report.stamp, "Medication error report", " · ".join(part for part in parts if part))
    frame.begin_page()
    _facts(frame, report)
    opened = "opened by the dosing rule, nothing was added" if report.by_rule else NOT_SAID
    _section(frame, "What happened", report.what_happened, opened)
    _harm(frame, report)
    for heading, words in (
        ("Cause", report.cause),
        ("Action", report.action),
        ("Preventive action", report.preventive_action),
    ):
        _section(frame, heading, words, _absent(report))
    _adverse_event(frame, report)
    frame.section("Who was told")
    columns = [Column("Who", frame.room * 0.6, font=text.SEMI), Column("Date and time", frame.room * 0.4)]
    frame.table(columns, [(told.who, "not recorded" if told.at is None else moment(told.at)) for told in report.told])
    _assessments(frame, report)
    _corrections(frame, report)
    frame.signatures(report.signatures, "Not signed yet.")
    return frame.finish()


def _facts(frame: Frame, report: MedicationErrorReport) -> None:
    place = [str(part) for part in (report.course, report.cycle, report.day) if part is not None]
    frame.pairs(
        [
            ("Subject", report.subject_number or _NO_SUBJECT),
            ("Course · cycle · day", " · ".join(place) or "N/A: no dose is named"),
            ("Product", report.product),
            ("Occurred", _when(report.occurred_at)),
            ("Found", moment(report.found_at)),
            ("Found by", report.found_by),
            ("Record opened", moment(report.opened_at)),
            ("Opened by", "the dosing rule" if report.by_rule else report.opened_by),
            ("Status", report.status),
            ("Stage", report.stage),
            ("Type", report.error_type),
            ("Reached the subject", report.reached_subject),
            ("Prescribed dose", "" if report.prescribed_mg is None else f"{amount(report.prescribed_mg)} mg"),
            ("Administered dose", "" if report.administered_mg is None else f"{mg(report.administered_mg)} mg"),
            ("Infusion stopped part-way for", report.stopped_for or "N/A: not recorded as stopped"),
        ],
        columns=3,
    )
    frame.paragraph(f"Difference from prescribed: {_difference(report)}", font=text.SEMI)
    if report.by_rule:
        frame.paragraph(
            f"An administered dose {show(report.limit_percent)} % or more above or below the prescribed dose is a "
            "reportable dosing medication error [Protocol § 8.1.3]."
        )
    else:
        frame.paragraph("A person reported this; it was not opened by the dosing rule [Protocol § 8.1.3].")


def _difference(report: MedicationErrorReport) -> str:
    """The percentage with its working, unrounded."""
    given, base = report.administered_mg, report.prescribed_mg
    percent = None if given is None or base is None else percent_change(given, base)
    if given is None or base is None or percent is None:
        return "N/A: there are no two doses to compare"
    return (
        f"({amount(given)} mg − {amount(base)} mg) ÷ {amount(base)} mg × 100 = {signed_percent(percent)} % "
        f"(limit {show(report.limit_percent)} %)"
    )


def _harm(frame: Frame, report: MedicationErrorReport) -> None:
    frame.section("Harm")
    frame.paragraph(f"Category: {report.category or _why(report)}", font=text.SEMI)
    frame.y += 3
    if report.questions:
        columns = [Column("Question", frame.room * 0.8), Column("Answer", frame.room * 0.2, font=text.SEMI)]
        said = {True: "yes", False: "no", None: "open"}
        frame.table(columns, [(asked.question, said[asked.answer]) for asked in report.questions])
    _words(frame, f"Harm: {report.harm or _why(report)}")
    frame.paragraph(report.merp_notice, size=8.0)


def _adverse_event(frame: Frame, report: MedicationErrorReport) -> None:
    _section(frame, "Adverse event or serious adverse event", report.adverse_event, _absent(report))
    event = report.serious_event
    if event is None:
        return
    frame.y += 3
    frame.pairs(
        [
            ("Report's reference", event.reference),
            ("Known since", moment(event.aware_at)),
            ("Fatal or life-threatening", "yes" if event.fatal_or_life_threatening else "no"),
            ("Unexpected and related", "yes" if event.unexpected_and_related else "no"),
        ],
        columns=4,
    )
    room = frame.room
    columns = [
        Column("To be told", room * 0.2, font=text.SEMI),
        Column("Limit", room * 0.25),
        Column("By", room * 0.17),
        Column("Told", room * 0.17),
        Column("Since known", room * 0.11),
        Column("State", room * 0.1, font=text.SEMI),
    ]
    frame.table(columns, [_clock(report, event, clock) for clock in event.clocks])
    frame.paragraph(event.clocks_note, size=8.0)


def _clock(report: MedicationErrorReport, event: SeriousEvent, clock: SafetyClock) -> tuple[str, ...]:
    until = clock.told_at or report.stamp.printed_at
    return (
        clock.who,
        f"{clock.limit} [Protocol § {clock.section}]",
        moment(clock.due_at),
        "not yet" if clock.told_at is None else moment(clock.told_at),
        _span(event.aware_at, until),
        clock.state.upper() if clock.state in LOUD else clock.state,
    )


def _span(since: datetime, until: datetime) -> str:
    """Time gone by in whole minutes: ``3 h 20 min``, over two days ``2 d 3 h``."""
    minutes = max(0, int((until - since).total_seconds() // 60))
    if minutes >= 48 * 60:
        return f"{minutes // 1440} d {minutes % 1440 // 60} h"
    return f"{minutes // 60} h {minutes % 60} min"


def _assessments(frame: Frame, report: MedicationErrorReport) -> None:
    frame.section("Assessment")
    if not report.assessments:
        frame.paragraph("Not assessed yet.", font=text.BOLD)
        return
    room = frame.room
    columns = [
        Column("Signed", room * 0.2),
        Column("Signed by", room * 0.17),
        Column("Assessed by", room * 0.17),
        Column("Verdict", room * 0.12, font=text.SEMI),
        Column("Category", room * 0.09, absent="the verdict has none"),
        Column("Reason", room * 0.25, absent="only a later assessment gives one"),
    ]
    rows = [
        (
            moment(each.assessed_at),
            each.signed_by,
            each.assessed_by,
            each.verdict,
            each.category,
            _one_line(each.reason),
        )
        for each in report.assessments
    ]
    frame.table(columns, rows)
    if len(rows) > 1:
        frame.paragraph("The first line is the newest: it counts, and what stands above is from it.", size=8.0)


def _corrections(frame: Frame, report: MedicationErrorReport) -> None:
    """What was put right since of the entries that the report rests on."""
    if not report.corrections:
        return
    frame.section("Corrections")
    room = frame.room
    columns = [
        Column("Entry", room * 0.09),
        Column("Recorded", room * 0.2),
        Column("By", room * 0.17),
        Column("What was corrected", room * 0.54),
    ]
    frame.table(
        columns, [(str(each.entry), moment(each.at), each.by, _one_line(each.sentence)) for each in report.corrections]
    )


def _section(frame: Frame, heading: str, words: str, absent: str) -> None:
    frame.section(heading)
    _words(frame, words if words.strip() else f"{NOT_APPLICABLE}: {absent}")


def _absent(report: MedicationErrorReport) -> str:
    """Why something that an assessment says is not there."""
    return NOT_SAID if report.assessments else "not assessed yet"


def _why(report: MedicationErrorReport) -> str:
    return f"{NOT_APPLICABLE}: {_absent(report)}"


def _words(frame: Frame, words: str) -> None:
    """Text as it was typed, line by line."""
    for line in words.splitlines():
        if line.strip():
            frame.paragraph(_one_line(line))


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _when(at: datetime | None) -> str:
    return "" if at is None else moment(at)
