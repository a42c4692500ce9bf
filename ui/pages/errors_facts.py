"""What the pages of medication errors show, read in one look into the store, and the words for it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt

from pharmacy_app.domain.comparisons import DoseComparison, compare_administered
from pharmacy_app.domain.dates import at_site, say_moment
from pharmacy_app.domain.medication_errors import ClockState, MerpCategory
from pharmacy_app.domain.units import show_mg
from pharmacy_app.services import views
from pharmacy_app.services.desk import Desk, protocol_of, site_of
from pharmacy_app.services.medication_errors import (
    BY_RULE,
    ClockNow,
    ErrorLists,
    ErrorRecord,
    clocks_by_error,
    error_lists,
    error_record,
)
from pharmacy_app.services.ports import Reader
from ui import icons
from ui.pages.stock_parts import TippedRows
from ui.theme import Theme
from ui.widgets.tables import Index

CLOCK_LOOK = {
    ClockState.OVERDUE: ("Overdue", "stop", "stop"),
    ClockState.DUE: ("Due", "clock", "warn"),
    ClockState.LATE: ("Told late", "warn", "warn"),
    ClockState.DONE: ("Told in time", "ok", "ok"),
}
"""Word, icon and colour of a clock, the one that presses most first; the word alone tells them apart."""

YES_NO = (("yes", "Yes"), ("no", "No"))


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """A line of one of the lists. ``clock`` is the state that presses most, ``None`` where no clock runs."""

    error_id: str
    found_on: date
    subject: str
    what: str
    status: str
    clock_words: str
    clock: ClockState | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class ListFacts:
    """Every record in exactly one list, newest first (REGULATION D-20)."""

    reportable: tuple[ErrorRow, ...]
    others: tuple[ErrorRow, ...]
    near_misses: tuple[ErrorRow, ...]
    no_errors: tuple[ErrorRow, ...]

    @property
    def rows(self) -> tuple[ErrorRow, ...]:
        """All of them."""
        return (*self.reportable, *self.others, *self.near_misses, *self.no_errors)


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """One record; ``compared`` is the dose given against the dose prescribed, where both are known."""

    record: ErrorRecord
    compared: DoseComparison | None

    @property
    def line(self) -> views.ErrorLine:
        """The record's line."""
        return self.record.line


def list_facts(desk: Desk, reader: Reader) -> ListFacts:
    """The four lists with the clocks of each record."""
    lists, clocks = error_lists(reader), clocks_by_error(desk, reader)
    return ListFacts(
        **{
            each.name: tuple(_row(line, clocks.get(line.error_id, ())) for line in getattr(lists, each.name))
            for each in fields(ErrorLists)
        }
    )


def record_facts(desk: Desk, reader: Reader, error_id: str) -> RecordFacts:
    """Everything of one record; raises ``Refused`` when there is none of that number."""
    record = error_record(desk, reader, error_id)
    line, compared = record.line, None
    if line.administered_mg is not None and line.prescribed_mg is not None:
        protocol = protocol_of(site_of(reader), line.occurred_on or line.found_at.date())
        compared = compare_administered(line.administered_mg, line.prescribed_mg, protocol)
    return RecordFacts(record, compared)


def running_clocks(desk: Desk, reader: Reader) -> dict[str, tuple[ClockNow, ...]]:
    """The clocks whose recipient was not told yet, by the record's number."""
    found = {
        error_id: tuple(clock for clock in clocks if clock.told_at is None)
        for error_id, clocks in clocks_by_error(desk, reader).items()
    }
    return {error_id: clocks for error_id, clocks in found.items() if clocks}


# -- words


def status_words(line: views.ErrorLine) -> str:
    """How far the assessment of a record has come."""
    if line.status == "open":
        return "Open, a question is left" if line.verdict else "Open"
    return "Not an error" if line.verdict == "not an error" else f"Category {line.category}"


def what_words(line: views.ErrorLine) -> str:
    """A dosing error by its two doses, every other record by what was typed."""
    if line.source == BY_RULE and line.administered_mg is not None and line.prescribed_mg is not None:
        return f"{line.difference}: {show_mg(line.administered_mg)} given of {show_mg(line.prescribed_mg)}"
    return " ".join(line.what_happened.split()) or line.sentence


def category_words(category: MerpCategory) -> str:
    """``Category C: Reached the subject; no harm``."""
    return f"Category {category.letter}: {category.words}"


def pressing(clocks: Sequence[ClockNow]) -> ClockState | None:
    """The state that presses most, or ``None`` without clocks."""
    states = {clock.state for clock in clocks}
    return next((state for state in CLOCK_LOOK if state in states), None)


def say_span(span: timedelta) -> str:
    """A span without its sign in whole minutes: ``3 h 20 min``, over two days ``2 d 3 h``."""
    minutes = int(abs(span).total_seconds() // 60)
    if minutes >= 48 * 60:
        return f"{minutes // 1440} d {minutes % 1440 // 60} h"
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes else "less than 1 min"


def left_words(clock: ClockNow) -> str:
    """How long is left, or by how much the limit has passed."""
    span = say_span(clock.left)
    return {
        ClockState.DUE: f"{span} left",
        ClockState.OVERDUE: f"overdue by {span}",
        ClockState.DONE: f"{span} before the limit",
        ClockState.LATE: f"{span} after the limit",
    }[clock.state]


def at(moment: datetime | None, zone: ZoneInfo) -> str:
    """A moment on the site's clock, '' where it is not known."""
    return "" if moment is None else say_moment(at_site(moment, zone))


def typed_moment(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as it is typed into a field for a date and a time."""
    return at_site(moment, zone).strftime("%Y-%m-%dT%H:%M")


def sentence(words: str) -> str:
    """Words with a capital in front: ``other`` becomes ``Other``."""
    return words[:1].upper() + words[1:]


def _row(line: views.ErrorLine, clocks: Sequence[ClockNow]) -> ErrorRow:
    state = pressing(clocks)
    return ErrorRow(
        line.error_id,
        line.found_at.date(),
        line.subject_number,
        what_words(line),
        status_words(line),
        "" if state is None else CLOCK_LOOK[state][0],
        state,
        line.status == "open",
    )


def clock_tone(row: ErrorRow) -> str:
    """The colour beside the clock's word."""
    return "" if row.clock is None else CLOCK_LOOK[row.clock][2]


def status_tone(row: ErrorRow) -> str:
    """Open records stand out."""
    return "stop" if row.is_open else ""


def or_dash(text: str) -> str:
    """The text, or a dash where there is none."""
    return text or "–"


class ErrorRows(TippedRows):
    """A list of records; the clock's word carries its icon."""

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The icon of the clock; all else as the kit has it."""
        if role == Qt.ItemDataRole.DecorationRole and index.isValid():
            row = self.row_object(index.row())
            if isinstance(row, ErrorRow) and row.clock and self.columns[index.column()].key == "clock_words":
                _, icon, tone = CLOCK_LOOK[row.clock]
                return icons.icon(icon, Theme.tokens.colour(tone), 16)
        return super().data(index, role)
