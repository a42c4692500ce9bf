"""One subject's treatment calendar: drawn, as a table, what was stated, and the button that prints it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.rules.case import days_word
from pharmacy_app.domain.treatment_calendar import (
    CalendarDose,
    CalendarEvent,
    DoseStatus,
    EventKind,
    MarrowWindow,
    TreatmentCalendar,
)
from pharmacy_app.domain.units import show_mg
from pharmacy_app.services.behind import Amount, Thing
from pharmacy_app.services.printing import Printed, print_treatment_calendar
from ui.office import Office
from ui.pages.figure import lead_rows
from ui.pages.stock_parts import TippedRows
from ui.pages.subjects_facts import SubjectFacts, amount_words
from ui.pages.subjects_parts import FittingTable
from ui.pages.subjects_record import RecordCard, statement_hint
from ui.theme import SPACE_M
from ui.widgets.basics import Button, Text
from ui.widgets.charts import PictureView
from ui.widgets.panels import Banner, Card
from ui.widgets.tables import Column, DataTable
from ui.widgets.timeline import Band, Flag, Mark, Row, Shape, Timeline, TimelineKey

SHAPES = {
    DoseStatus.GIVEN: Shape.GIVEN,
    DoseStatus.OMITTED: Shape.OMITTED,
    DoseStatus.DUE_NOW: Shape.DUE,
    DoseStatus.AHEAD: Shape.PLANNED,
    DoseStatus.LATE: Shape.LATE,
    DoseStatus.MUST_OMIT: Shape.MUST_OMIT,
    DoseStatus.NOT_GIVEN: Shape.NOT_GIVEN,
}
"""How each status is drawn."""

_FLAGS = {
    EventKind.RETREATMENT: "Retreatment",
    EventKind.MARROW: "Marrow",
    EventKind.RESPONSE: "Response",
    EventKind.TOXICITY: "Toxicity",
    EventKind.LEVEL: "Level",
    EventKind.TRANSPLANT: "Transplant",
    EventKind.OFF_TREATMENT: "Off treatment",
}
"""What is flagged above a row; delays and omissions are marks of their own."""

_FIRST_DAY, _LAST_DAY = -7, 34
"""The days drawn at the least, counted from day 1 as 0: five weeks, and one before when something was stated in it."""


@dataclass(frozen=True, slots=True)
class DoseRow:
    """A line of the table beneath the drawing."""

    dose: CalendarDose
    place: str
    due_on: date | None
    window: str
    status: str
    given_on: date | None
    given: str
    delay: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """A line of what was stated."""

    on: date
    kind: str
    words: str


# -- words


def window_words(dose: CalendarDose | MarrowWindow) -> str:
    """From when to when, '' where nothing fixes it yet."""
    if dose.earliest is None or dose.latest is None:
        return ""
    return f"{say_day(dose.earliest)} to {say_day(dose.latest)}"


def delay_words(dose: CalendarDose) -> str:
    """How far a dose is from its day, and for which cause; '' where it is on its day or that is not known."""
    if not dose.delay_days:
        return ""
    side = "late" if dose.delay_days > 0 else "early"
    cause = "" if dose.delay_cause is None else f", {dose.delay_cause.value}"
    return f"{days_word(abs(dose.delay_days))} {side}{cause}"


def dose_words(dose: CalendarDose) -> str:
    """All of one dose as sentences."""
    amount = ", ".join(part for part in (_level_words(dose), amount_words(dose.mg_per_m2)) if part)
    status = {
        DoseStatus.GIVEN: "given",
        DoseStatus.OMITTED: "omitted",
        DoseStatus.DUE_NOW: "due now",
        DoseStatus.AHEAD: "ahead",
        DoseStatus.LATE: "late",
        DoseStatus.MUST_OMIT: "must be omitted",
        DoseStatus.NOT_GIVEN: "not given",
    }[dose.status]
    said = f"{_capital(dose.place)}: {status}"
    if dose.given_on is not None:
        said += f" on {say_day(dose.given_on)}"
        said += f", {show_mg(dose.given_mg)}" if dose.given_mg is not None else ""
    said = f"{said} ({amount})." if amount else f"{said}."
    due_on = _due_on(dose)
    if due_on is not None:
        said += f" Expected on {say_day(due_on)}"
        window = window_words(dose)
        said += f", window {window}." if window else "."
    delay = delay_words(dose)
    return " ".join(part for part in (said, f"{_capital(delay)}." if delay else "", dose.words) if part)


def _level_words(dose: CalendarDose) -> str:
    return "" if dose.level is None else f"level {dose.level}"


def _due_on(dose: CalendarDose) -> date | None:
    return dose.planned_on or dose.expected_on


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _short(day: date) -> str:
    """A day without its year, where the row's note has it."""
    return say_day(day)[:6]


# -- the drawing


def timeline_rows(calendar: TreatmentCalendar) -> list[Row]:
    """A row for each cycle; what lies outside the days drawn stands in the tables alone."""
    cycles = calendar.cycles()
    starts = [_start(calendar.of_cycle(course, cycle)) for course, cycle in cycles]
    rows = []
    for number, (course, cycle) in enumerate(cycles):
        doses, start = calendar.of_cycle(course, cycle), starts[number]
        until = next((later for later in starts[number + 1 :] if later is not None), None)
        begins = calendar.today >= start if start is not None else False
        marrows = [each for each in calendar.marrows if cycle == 1 and each.course == course]
        earlier = cycle > 1 and any(each is not None for each in starts[:number])
        rows.append(
            Row(
                title=f"Cycle {cycle}",
                note=_note(doses, start),
                marks=tuple(_mark(dose, start) for dose in doses),
                bands=_bands(doses, marrows, start),
                flags=() if start is None else _flags(calendar.events, start, until, earlier=earlier),
                today=(calendar.today - start).days
                if start is not None and (begins or not earlier) and (until is None or calendar.today < until)
                else None,
            )
        )
    return rows


def _start(doses: Sequence[CalendarDose]) -> date | None:
    """The actual day 1 of a cycle, or the day for which it is planned or expected."""
    first = doses[0]
    return first.given_on or _due_on(first)


def _note(doses: Sequence[CalendarDose], start: date | None) -> str:
    day = "no day yet" if start is None else say_day(start)
    level = next((f"level {dose.level}" for dose in doses if dose.level is not None), "")
    course = "" if doses[0].course == 1 else f"course {doses[0].course}"
    return "\n".join(part for part in (day, ", ".join(part for part in (course, level) if part)) if part)


def _mark(dose: CalendarDose, start: date | None) -> Mark:
    day = dose.given_on or _due_on(dose)
    at = dose.day - 1 if day is None or start is None else (day - start).days
    label = f"D{dose.day}" if day is None else _short(day)
    if dose.status in (DoseStatus.GIVEN, DoseStatus.LATE, DoseStatus.MUST_OMIT) and (dose.delay_days or 0) > 0:
        label += f" +{dose.delay_days}"
    return Mark(at, SHAPES[dose.status], label, dose_words(dose))


def _bands(doses: Sequence[CalendarDose], marrows: Sequence[MarrowWindow], start: date | None) -> tuple[Band, ...]:
    if start is None:
        return ()
    windows = [(dose.earliest, dose.latest, False) for dose in doses]
    windows += [(marrow.earliest, marrow.latest, True) for marrow in marrows]
    return tuple(
        Band((first - start).days, (last - start).days, thin)
        for first, last, thin in windows
        if first is not None and last is not None
    )


def _flags(events: Sequence[CalendarEvent], start: date, until: date | None, *, earlier: bool) -> tuple[Flag, ...]:
    """What was stated within a cycle; before the first one, in the days drawn before it."""
    first = start if earlier else start + timedelta(days=_FIRST_DAY)
    found = [
        event
        for event in events
        if event.kind in _FLAGS
        and first <= event.on <= start + timedelta(days=_LAST_DAY)
        and (until is None or event.on < until)
    ]
    return tuple(
        Flag((event.on - start).days, _flag_label(event), f"{_FLAGS[event.kind]}, {say_day(event.on)}: {event.words}")
        for event in found
    )


def _flag_label(event: CalendarEvent) -> str:
    """The word of the flag, with what it found where that is short: ``Marrow 3 %``, ``CR``, ``Level -1``."""
    if event.kind is EventKind.MARROW:
        return f"Marrow {event.words.partition(' blasts')[0]}"
    if event.kind is EventKind.RESPONSE:
        return event.words.partition(" ")[0]
    if event.kind is EventKind.LEVEL:
        return event.words.partition(" instead")[0]
    return _FLAGS[event.kind]


# -- the view


class TreatmentView(QWidget):
    """The calendar of one subject and the card that records statements.

    Signals ``changed()`` after an act, ``document_wanted()`` when a document is to be attached, ``look_at(widget)``.
    """

    changed = Signal()
    document_wanted = Signal()
    look_at = Signal(QWidget)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self._office = office
        self._act = office.act()
        self._number = ""
        self.card: RecordCard | None = None
        # What was just shown has its place only after the layout was made.
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._look_at_card)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        self._trouble = Banner("stop", "", name="calendar_trouble")
        self._trouble.hide()
        column.addWidget(self._trouble)
        column.addWidget(self._make_drawing())
        column.addWidget(self._make_doses())
        column.addWidget(self._make_given())
        column.addWidget(self._make_events())
        column.addStretch(1)

    def _make_drawing(self) -> Card:
        card = Card("Treatment calendar", "Days across, cycles down.", name="calendar_card")
        why_not = statement_hint(self._office)
        self.begin = Button("&Record a statement", name="begin_statement", kind="primary", icon="plus")
        self.begin.clicked.connect(self.begin_statement)
        self.begin.setEnabled(not why_not)
        self.begin.setToolTip(why_not)
        self.print_button = Button("&Print calendar", name="print_calendar", icon="print")
        self.print_button.clicked.connect(self._print)
        self.print_button.setEnabled(self._office.may("record_printed"))
        self.print_button.setToolTip(self._office.why_not("record_printed"))
        for button in (self.print_button, self.begin):
            card.head.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self._why_not = Text(f"Recording: {why_not}", "small", name="statement_why_not")
        self._why_not.setVisible(bool(why_not))
        card.add(self._why_not)
        self.timeline = Timeline(name="timeline", label="Treatment calendar, drawn")
        self.timeline.chosen.connect(self._chosen_mark)
        card.add(self.timeline)
        card.add(TimelineKey(name="timeline_key"))
        self._said = Text("", name="timeline_words")
        card.add(self._said)
        return card

    def _make_doses(self) -> Card:
        self._doses = TippedRows(
            (
                Column("place", "Dose", width=120),
                Column("due_on", "Expected on", write=say_day),
                Column("window", "Window", write=lambda text: text or "–"),
                Column("status", "Status", tone=_tone),
                Column("given_on", "Given on", write=say_day),
                Column("given", "Given", numeric=True, write=lambda text: text or "–"),
                Column("delay", "Delay", write=lambda text: text or "–", width=110, stretch=True),
            ),
            parent=self,
        )
        self.doses_table = FittingTable(
            self._doses,
            spare=("window",),
            name="calendar_doses",
            label="Doses planned and given",
            empty_text="Nothing is planned yet.",
            sortable=False,
            visible_rows=6,
        )
        self.doses_table.row_chosen.connect(self._chosen_dose)
        self._dose_ids: dict[tuple[int, int, int], str] = {}
        lead_rows(self._office, self.doses_table, {"given": self._amount_given}, thing=self._dose_of)
        card = Card("Doses planned and given", "The same as drawn above, in order.", name="calendar_doses_card")
        card.add(self.doses_table)
        self._dose_said = Text("Choose a line to read all of it.", "muted", name="calendar_dose_words")
        card.add(self._dose_said)
        return card

    def _make_given(self) -> Card:
        self.given = PictureView(name="given_picture")
        card = Card("Doses against their plan", name="given_card")
        card.add(self.given)
        return card

    def _make_events(self) -> Card:
        self._events = TippedRows(
            (
                Column("on", "Day", write=say_day),
                Column("kind", "What"),
                Column("words", "In words", stretch=True),
            ),
            parent=self,
        )
        table = DataTable(
            self._events,
            name="calendar_events",
            label="What happened",
            empty_text="Nothing is recorded yet but the doses.",
            sortable=False,
            visible_rows=5,
        )
        card = Card("What happened", name="calendar_events_card")
        card.add(table)
        self._marrows = Text("", "muted", name="marrow_words")
        card.add(self._marrows)
        return card

    def _dose_id(self, row: DoseRow) -> str:
        return self._dose_ids.get((row.dose.course, row.dose.cycle, row.dose.day), "")

    def _amount_given(self, row: DoseRow) -> Amount | None:
        return Amount(self._dose_id(row), "administered") if row.given and self._dose_id(row) else None

    def _dose_of(self, row: DoseRow) -> Thing | None:
        return Thing(self._dose_id(row)) if self._dose_id(row) else None

    def show_facts(self, facts: SubjectFacts) -> None:
        """Show one subject's calendar."""
        if facts.number != self._number:
            self._number, self._act = facts.number, self._office.act()
            self._trouble.hide()
        self._take_card(facts)
        calendar = facts.calendar
        # Of a place in the regimen that was ordered twice, the dose that was not cancelled counts.
        last = sorted(facts.doses, key=lambda dose: (dose.status != "cancelled", dose.dose_id))
        self._dose_ids = {(dose.course, dose.cycle, dose.day): dose.dose_id for dose in last}
        rows = timeline_rows(calendar)
        ats = [at for row in rows for band in row.bands for at in (band.first, band.last)]
        ats += [mark.at for row in rows for mark in row.marks]
        has_early_flag = any(flag.at < 0 for row in rows for flag in row.flags)
        first = min([*ats, _FIRST_DAY if has_early_flag else -1])
        self.timeline.set_rows(rows, first=first, last=max([*ats, _LAST_DAY]))
        self._said.setText(
            self.timeline.canvas.chosen_words() or "Click a mark, or use the arrow keys, to read what stands behind it."
        )
        self._doses.set_rows([_dose_row(dose) for dose in calendar.doses])
        self._dose_said.setText("Choose a line to read all of it.")
        self.given.set_picture(facts.given)
        self._events.set_rows(
            [EventRow(event.on, _capital(event.kind.value), event.words) for event in reversed(calendar.events)]
        )
        self._marrows.setText(_marrow_sentences(calendar))
        self._marrows.setVisible(bool(self._marrows.text()))

    def _chosen_mark(self, words: str) -> None:
        self._said.setText(words)

    def _chosen_dose(self, row: DoseRow) -> None:
        self._dose_said.setText(dose_words(row.dose))

    # -- recording

    def is_dirty(self) -> bool:
        """Whether a statement is half typed."""
        return self.card is not None and self.card.is_dirty()

    def begin_statement(self) -> None:
        """Open the card that records a statement."""
        if self.card is None:
            return
        self.card.show()
        self.begin.hide()
        self.card.open_on()
        self._soon.start()

    def _take_card(self, facts: SubjectFacts) -> None:
        """Have the card offer this subject's places; another subject closes it."""
        if self.card is not None and self.card.choices != facts.choices and not self.card.is_dirty():
            # The protocol was amended: other places and levels may be chosen.
            self._drop_card()
        if self.card is None:
            self.card = RecordCard(self._office, facts.choices)
            self.card.hide()
            self.card.recorded.connect(self._recorded)
            self.card.closed.connect(self._close_card)
            self.card.document_wanted.connect(self._want_document)
            self.card.resized.connect(self._soon.start)
            self._column.insertWidget(0, self.card)
        if facts.number != self.card.number:
            self.card.hide()
            self.begin.show()
        self.card.set_facts(facts)

    def _drop_card(self) -> None:
        assert self.card is not None
        self._column.removeWidget(self.card)
        self.card.hide()
        self.card.deleteLater()
        self.card = None
        self.begin.show()

    def _look_at_card(self) -> None:
        if self.card is not None and self.card.isVisible():
            self.look_at.emit(self.card)

    def _close_card(self) -> None:
        if self.card is not None:
            self.card.hide()
        self.begin.show()
        self.begin.setFocus()

    def _recorded(self) -> None:
        self._close_card()
        self.changed.emit()

    def _want_document(self) -> None:
        self._close_card()
        self.document_wanted.emit()

    # -- printing

    def _print(self) -> None:
        desk, act, number = self._office.desk, self._act, self._number
        self.print_button.setEnabled(False)

        def work() -> Printed:
            return print_treatment_calendar(desk, act, number)

        self._office.do(work, self._printed, self._not_printed, busy="Printing the calendar")

    def _printed(self, printed: Printed) -> None:
        self.print_button.setEnabled(True)
        self._trouble.hide()
        self._act = self._office.act()
        self._office.show_paper(
            f"Treatment calendar of subject {self._number}", f"treatment-calendar-{self._number}.pdf", printed, self
        )
        self.changed.emit()

    def _not_printed(self, trouble: Exception) -> None:
        self.print_button.setEnabled(True)
        self._trouble.set_message("stop", str(trouble))
        self._trouble.show()


def _dose_row(dose: CalendarDose) -> DoseRow:
    return DoseRow(
        dose,
        _capital(dose.place),
        _due_on(dose),
        "" if dose.earliest is None or dose.latest is None else f"{_short(dose.earliest)} to {_short(dose.latest)}",
        dose.status.value,
        dose.given_on,
        "" if dose.given_mg is None else show_mg(dose.given_mg),
        delay_words(dose),
    )


def _tone(row: DoseRow) -> str:
    return {Shape.LATE: "warn", Shape.MUST_OMIT: "warn", Shape.GIVEN: "ok"}.get(SHAPES[row.dose.status], "")


def _marrow_sentences(calendar: TreatmentCalendar) -> str:
    """When the marrows of the first cycle are due and what became of them, and the hint for later ones."""
    said = [
        f"Marrow of Day {marrow.day}: {marrow.status.value}, window {window_words(marrow)}."
        for marrow in calendar.marrows
    ]
    return " ".join([*said, calendar.marrow_words]).strip()
