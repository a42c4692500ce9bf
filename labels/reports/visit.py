"""The report of a monitor's visit: what was looked at and why, verified, asked, accounted for, and what is open."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.frame import SMALL_PT, Column, Frame
from labels.text import amount, day, moment, reprint_words
from pharmacy_app.services.papers_records import QueryOnPaper, ReviewedLine, VisitReport

_FLAGGED = (
    ("Entry", 36, ""),
    ("Done", 106, ""),
    ("What", 104, ""),
    ("About", 84, "the entry names no number"),
    ("By", 76, ""),
    ("Why it deserves a look", 200, ""),
    ("State", 60, ""),
    ("Monitor verified (initials, date)", 96, "not verified by a monitor yet"),
)
_UNITS = (
    ("Kit/vial no.", 100, ""),
    ("Strength", 50, ""),
    ("Lot", 80, ""),
    ("State", 84, ""),
    ("Site date", 100, "the site has not closed it"),
    ("Site, by", 100, "the site has not closed it"),
    ("Monitor date", 100, "not accounted for yet"),
    ("Monitor", 100, "not accounted for yet"),
)
FLAGGED_COLUMNS = tuple(heading for heading, _, _ in _FLAGGED)
UNIT_COLUMNS = tuple(heading for heading, _, _ in _UNITS)
_MONO = ("Kit/vial no.", "Lot")


def visit_report(report: VisitReport, stock: Stock = LETTER) -> bytes:
    """Draw the report of one visit, landscape."""
    marker = " · ".join(part for part in (reprint_words(report.copy_number), report.number) if part)
    frame = Frame(stock.turned(), report.stamp, "Monitoring visit report", marker, margin=18)
    frame.begin_page()
    _head(frame, report)
    _counts(frame, report)
    frame.section("Entries that deserve a look, by risk, as they stand at printing")
    if report.with_reason:
        frame.table(_columns(frame, _FLAGGED), _flagged(report.flagged), pad=1.8, size=SMALL_PT)
    else:
        frame.paragraph("None of the entries of this visit.")
    _queries(frame, report.queries)
    frame.section("Containers accounted for in this visit")
    if report.units:
        frame.table(
            _columns(frame, _UNITS),
            [
                (
                    f"{unit.unit_number} kit {unit.kit_number}" if unit.kit_number else unit.unit_number,
                    f"{amount(unit.strength_mg)} mg",
                    unit.lot,
                    unit.state,
                    _at(unit.site_at),
                    unit.site_by,
                    _at(unit.monitor_at),
                    unit.monitor,
                )
                for unit in report.units
            ],
            size=SMALL_PT,
        )
    else:
        frame.paragraph("None.")
    _left_open(frame, report)
    frame.section("Summary")
    frame.paragraph(" ".join(report.summary.split()) or "N/A: the visit is not signed yet.")
    frame.signatures(report.signatures, "Not signed yet: this tells how the visit stands.")
    return frame.finish()


def _head(frame: Frame, report: VisitReport) -> None:
    planned = day(report.from_on)
    if report.to_on != report.from_on:
        planned = f"{planned} to {day(report.to_on)}"
    frame.pairs(
        [
            ("Visit", report.number),
            ("Protocol", report.stamp.protocol_name),
            ("Site", f"{report.stamp.site_number} {report.stamp.site_name}"),
            ("Investigator", report.investigator),
            ("Product", report.product),
            ("Monitor", report.monitor),
            ("Planned for", planned),
            ("Purpose", report.purpose),
            ("Opened", _at(report.opened_at) or "N/A: not opened yet"),
            ("Reason for another day", report.opened_why or _on_its_day(report)),
            ("Signed", _at(report.signed_at) or "N/A: not signed yet"),
            ("State", report.status),
        ],
        columns=4,
    )


def _on_its_day(report: VisitReport) -> str:
    return "N/A: not opened yet" if report.opened_at is None else "N/A: opened on a planned day"


def _counts(frame: Frame, report: VisitReport) -> None:
    frame.section("How far the review has come")
    since = f"after entry {report.since_entry:,}" if report.since_entry else "from the first entry on"
    frame.pairs(
        [
            ("Entries of this visit", f"{since}, through entry {report.through_entry:,}"),
            ("To be reviewed", f"{report.reviewable:,}"),
            ("Verified", f"{report.verified_count:,}"),
            ("Changed since they were verified", f"{report.reopened:,}"),
            ("Never verified", f"{report.unseen:,}"),
            ("With a reason to be looked at", f"{report.with_reason:,}"),
            ("Verified in this visit", f"{report.verified_here:,}"),
            ("Queries opened in this visit", f"{report.queries_opened:,}"),
            ("Containers accounted for", f"{report.units_accounted:,}"),
        ],
        columns=3,
    )
    frame.paragraph(f"Head of the journal at its end: {report.head_hash}", font=text.MONO, size=SMALL_PT)
    drawn = ", ".join(f"{number:,}" for number in report.drawn) or "none"
    frame.paragraph(
        f"Sample of the {report.alike:,} entries without a reason, drawn by the visit's number and the journal's head"
        f" when it was opened: {drawn}."
    )
    frame.paragraph(f"Entries verified in this visit: {', '.join(report.verified) or 'none'}.")


def _columns(frame: Frame, shares: Sequence[tuple[str, int, str]]) -> list[Column]:
    scale = frame.room / sum(share for _, share, _ in shares)
    return [
        Column(
            heading,
            share * scale,
            "right" if heading == "Entry" else "left",
            text.MONO if heading in _MONO else text.PLAIN,
            reason,
        )
        for heading, share, reason in shares
    ]


def _flagged(lines: Iterable[ReviewedLine]) -> Iterator[tuple[str, ...]]:
    for line in lines:
        yield (
            f"{line.entry:,}",
            moment(line.done_at),
            line.what,
            line.about,
            line.by,
            "; ".join(line.reasons),
            line.state,
            line.verified,
        )


def _queries(frame: Frame, queries: Sequence[QueryOnPaper]) -> None:
    frame.section("Queries opened in this visit or not closed at its end, as they stand at printing")
    if not queries:
        frame.paragraph("None.")
        return
    room = frame.room
    columns = [
        Column("Query", room * 0.07, font=text.SEMI),
        Column("About", room * 0.17, absent="the study as a whole"),
        Column("State and age", room * 0.12),
        Column("Said", room * 0.07, font=text.SEMI),
        Column("Text", room * 0.33, absent="nothing was added"),
        Column("Who", room * 0.11),
        Column("When", room * 0.13),
    ]
    rows = []
    for query in queries:
        state = f"{query.status}, {query.age_days:,} {'day' if query.age_days == 1 else 'days'}"
        if query.overdue:
            state += ", OVERDUE"
        for number, (says, words, who, at) in enumerate(query.said):
            same = "as above" if number else ""
            rows.append(
                (
                    query.number,
                    same or query.about,
                    same or state,
                    says,
                    " ".join(words.split()),
                    who,
                    moment(at),
                )
            )
    frame.table(columns, rows, size=SMALL_PT)


def _left_open(frame: Frame, report: VisitReport) -> None:
    frame.section("Left open at the end of the visit" if report.signed_at else "Open until now")
    frame.paragraph(f"Queries not closed: {', '.join(report.queries_open) or 'none'}.")
    frame.paragraph(f"Entries not verified: {', '.join(report.unverified) or 'none'}.")


def _at(value: datetime | None) -> str:
    return "" if value is None else moment(value)
