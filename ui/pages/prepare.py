"""*Prepare*: one guided page from the order to the closed vials; the step follows from where the dose stands.

Each step of each dose under way has a panel of its own, which keeps what was typed while other doses or pages
are looked at. Steps already done are read back from the record.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.units import show_mg
from pharmacy_app.services.desk import Act
from pharmacy_app.services.doses import UNPLANNED, CancelForm, cancel
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.questions import today
from pharmacy_app.services.views import DoseLine
from ui.office import Office
from ui.pages import prepare_finish as finish
from ui.pages import prepare_mix as mix
from ui.pages.figure import lead_rows, named
from ui.pages.prepare_check import CheckPanel, check_record
from ui.pages.prepare_criteria import CriteriaPanel, criteria_record
from ui.pages.prepare_decision import DecidePanel, decision_record
from ui.pages.prepare_order import OrderPanel
from ui.pages.prepare_step import (
    CHECK,
    CLOSE,
    CRITERIA,
    DECIDE,
    FINISHED,
    GIVE,
    LABELS,
    MIX,
    ORDER,
    RELEASE,
    STATUS_WORDS,
    STEPS,
    VIALS,
    Facts,
    ReasonDialog,
    StepPanel,
    facts_of,
    say_day,
    say_level,
)
from ui.pages.prepare_vials import VialsPanel, plan_record
from ui.pages.query_strip import QueryStrip
from ui.pages.stock_parts import say_at
from ui.theme import SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, Text
from ui.widgets.fields import CheckField
from ui.widgets.findings import say_override
from ui.widgets.panels import Banner, EmptyState, Page, StepHeader, StepState
from ui.widgets.tables import Column, DataTable, RowTableModel

_PANELS: dict[int, Callable[[Office, str], StepPanel]] = {
    CRITERIA: CriteriaPanel,
    DECIDE: DecidePanel,
    VIALS: VialsPanel,
    CHECK: CheckPanel,
    MIX: mix.MixPanel,
    LABELS: mix.LabelsPanel,
    RELEASE: mix.ReleasePanel,
    GIVE: finish.GivePanel,
    CLOSE: finish.ClosePanel,
}

CANCELLABLE = ("ordered", "stopped", "decided", "planned", "verified", "prepared", "released")
ROWS_SHOWN = 4
CLOCK_MS = 15_000
SOON_MINUTES = 60
NARROW_BELOW = 960


@dataclass(frozen=True, slots=True)
class _Row:
    dose_id: str
    subject: str
    treatment: str
    planned_on: date
    status: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """The doses under way, and the facts of the one asked for."""

    rows: tuple[DoseLine, ...]
    unclosed: frozenset[str]
    dose_id: str
    facts: Facts | None


def _tone(row: _Row) -> str:
    return "stop" if row.status == STATUS_WORDS["stopped"] else ""


COLUMNS = (
    Column("dose_id", "Dose", width=110),
    Column("subject", "Subject", width=110),
    Column("treatment", "Cycle and day", width=150),
    Column("planned_on", "Infusion", write=say_day, width=132),
    Column("status", "Where it stands", stretch=True, tone=_tone),
)


def _row(line: DoseLine, *, unclosed: bool) -> _Row:
    words = STATUS_WORDS[line.status]
    if line.status == "cancelled" and unclosed:
        words = "cancelled – vials to be closed"
    return _Row(
        line.dose_id,
        line.subject_number,
        f"C{line.cycle} D{line.day}{f' (course {line.course})' if line.course > 1 else ''}",
        line.planned_on,
        words,
    )


class ClockLine(Banner):
    """Until when the infusion must start and end, with the time left, rewritten as it passes."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__("info", "", word="Clock", name="prepare_clock")
        self._zone = zone

    def show_times(self, start_by: datetime, end_by: datetime, now: datetime) -> None:
        """Write the line for this moment."""
        times = f"Start by {start_by.astimezone(self._zone):%H:%M}, beyond use {end_by.astimezone(self._zone):%H:%M %Z}"
        if end_by.astimezone(self._zone).date() != now.astimezone(self._zone).date():
            times += f" on {say_day(end_by.astimezone(self._zone))}"
        minutes = int((start_by - now).total_seconds() // 60)
        if now > end_by:
            kind, text = "stop", f"{times}. The beyond-use time has passed: this bag must not be given."
        elif now > start_by:
            kind, text = "stop", f"{times}. The infusion had to start by now: do not start this bag."
        else:
            kind = "warn" if minutes < SOON_MINUTES else "info"
            text = f"{times} ({say_left(minutes)} left to start)."
        if (kind, text) != (self.kind, self.text()):
            self.set_message(kind, text, word="Clock")


def say_left(minutes: int) -> str:
    """A stretch of minutes in words, e.g. ``2 h 10 min``."""
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


class PreparePage(Page):
    """The list of doses under way, and the one that is open, at its step."""

    def __init__(self, office: Office) -> None:
        super().__init__("Prepare", name="prepare_page", max_width=960)
        self.office = office
        self._zone = ZoneInfo(office.site.time_zone)
        self._dose_id = ""
        self._facts: Facts | None = None
        self._ordering = False
        self._viewing: int | None = None
        # Until vials are reserved a person may go back to the criteria or the decision: which step, by dose.
        self._back_at: dict[str, int] = {}
        self._shown_step: tuple[str, int] | None = None
        self._focus_wanted = False
        self._first = True
        self._panels: dict[tuple[str, int], StepPanel] = {}
        self._shown_record: tuple[int, Facts] | None = None
        self._record: QWidget | None = None
        self._cancel_act: Act | None = None
        self._dialog: ReasonDialog | None = None

        self.new_order = Button("&New order", name="new_order", icon="plus")
        self.new_order.clicked.connect(self.begin_order)
        self.new_order.setEnabled(office.may("dose_ordered"))
        self.new_order.setToolTip(office.why_not("dose_ordered"))
        self.action_bar.addWidget(self.new_order)

        self._model = RowTableModel(COLUMNS)
        self.table = DataTable(self._model, name="doses_under_way", label="Doses under way", sortable=False)
        self.table.row_chosen.connect(self._row_chosen)
        self.table.row_activated.connect(self._row_chosen)
        lead_rows(office, self.table, {"subject": named("subject")}, thing=named("dose_id"))
        self._empty = EmptyState(
            "No dose is under way",
            "Begin with the prescriber's order. The guide then leads from the decision to the closed vials."
            if office.may("dose_ordered")
            else "A pharmacist begins with the prescriber's order; it then shows here.",
            icon="prepare",
            verb="Begin an &order" if office.may("dose_ordered") else "",
            name="prepare_empty",
        )
        if self._empty.button is not None:
            self._empty.button.set_kind("primary")
            self._empty.button.clicked.connect(self.begin_order)
        self._choose = Text("Choose a dose above to go on with it.", "muted", name="prepare_choose")
        for widget in (self.table, self._empty, self._choose):
            widget.hide()
            self.add(widget)
        self.add(self._make_stage())
        # Panels that are not shown wait here with what was typed in them.
        self._shelf = QWidget(self)
        self._shelf.hide()
        self._clock = QTimer(self, interval=CLOCK_MS)
        self._clock.timeout.connect(self._tick)

    def _make_stage(self) -> QWidget:
        self._stage = QWidget()
        self._stage.setObjectName("prepare_stage")
        column = QVBoxLayout(self._stage)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        head = QHBoxLayout()
        head.setSpacing(SPACE_M)
        self._name = Text("", "section", name="dose_name")
        self._identity = Text("", "muted", name="dose_identity")
        head.addWidget(self._name, 1)
        self.cancel_button = Button("&Cancel this dose…", name="cancel_dose", kind="danger")
        self.cancel_button.clicked.connect(self.ask_cancel)
        head.addWidget(self.cancel_button)
        # The whole width for the dose's own facts: they stay on one line.
        words = QVBoxLayout()
        words.setSpacing(SPACE_XS)
        words.addLayout(head)
        words.addWidget(self._identity)
        self.clock_line = ClockLine(self._zone)
        self.decisions = Banner("warn", "", word="Goes on by decision", name="written_decisions")
        self.decisions.hide()
        self.notes = Banner("info", "", word="Corrected", name="correction_notes")
        self.notes.hide()
        self._queries = QueryStrip(self.office, name="dose_query")
        self.steps = StepHeader(STEPS, name="prepare_steps")
        self.steps.chosen.connect(self.look_at)
        # Ten titles share one row: each takes the width of its own words, not a tenth.
        if isinstance(row := self.steps.layout(), QHBoxLayout):
            for at in range(len(STEPS)):
                row.setStretch(at, 0)
                if (button := self.steps.findChild(Button, f"prepare_steps_{at + 1}")) is not None:
                    button.setMinimumWidth(0)
        self._looking = QWidget()
        looking = QHBoxLayout(self._looking)
        looking.setContentsMargins(0, 0, 0, 0)
        looking.setSpacing(SPACE_S)
        self._looking_text = Text("", "strong", name="looking_back")
        self.again = Button("&Decide it again", name="decide_again", kind="quiet", icon="refresh")
        self.again.clicked.connect(self.decide_again)
        self.back = Button("", name="back_to_step", icon="chevron-right")
        self.back.clicked.connect(self.go_on)
        looking.addWidget(self._looking_text, 1)
        looking.addWidget(self.again)
        looking.addWidget(self.back)
        self._place = QVBoxLayout()
        self._place.setContentsMargins(0, 0, 0, 0)
        column.addLayout(words)
        for part in (self.clock_line, self.decisions, self.notes, self._queries, self.steps, self._looking):
            column.addWidget(part)
        column.addLayout(self._place)
        self._stage.hide()
        self.clock_line.hide()
        self._looking.hide()
        return self._stage

    # -- what the window asks of a page

    def refresh(self) -> None:
        """Ask for the doses under way and the open one anew; drafts stay."""
        desk, dose_id = self.office.desk, self._dose_id

        def question(reader: Reader) -> _Seen:
            waiting = today(desk, reader)
            facts = facts_of(reader, dose_id) if dose_id else None
            rows = [*waiting.open_doses, *waiting.unclosed_doses]
            if facts is not None and all(row.dose_id != dose_id for row in rows):
                rows.append(facts.line)
            rows.sort(key=lambda row: (row.planned_on, row.dose_id))
            unclosed = frozenset(row.dose_id for row in waiting.unclosed_doses)
            return _Seen(tuple(rows), unclosed, dose_id, facts)

        self.office.ask(question, self._seen, self._not_seen)
        if self._ordering and isinstance(panel := self._panels.get(("", ORDER)), OrderPanel):
            panel.refresh()

    def is_dirty(self) -> bool:
        """Whether any step of any dose holds a draft."""
        return any(panel.is_dirty() for panel in self._panels.values())

    def open_on(self, what: str) -> None:
        """Open a dose by its number, or a new order for a subject by the subject's number."""
        if not re.fullmatch(r"D\d{6}[0-9A-Z]", what):
            self.begin_order()
            if isinstance(panel := self._panels.get(("", ORDER)), OrderPanel):
                panel.choose(what)
            return
        if what != self._dose_id or self._ordering:
            self._dose_id, self._facts = what, None
            self._viewing, self._ordering = None, False
        self._focus_wanted = True
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where the row of steps is narrow their numbers give way to their words."""
        super().resizeEvent(event)
        narrow = self.width() < NARROW_BELOW
        for at, title in enumerate(STEPS):
            if (button := self.steps.findChild(Button, f"prepare_steps_{at + 1}")) is not None:
                button.set_text(title if narrow else f"{at + 1}  {title}")

    # -- the list

    def begin_order(self) -> None:
        """Open the draft of a new order."""
        self._ordering = True
        self._viewing = None
        self._focus_wanted = True
        self._show_order()
        self.refresh()

    def _row_chosen(self, row: _Row) -> None:
        if row.dose_id != self._dose_id or self._ordering:
            self.open_on(row.dose_id)

    def _seen(self, seen: _Seen) -> None:
        if self._first and not self._dose_id and not self._ordering and len(seen.rows) == 1:
            self._first = False
            self.open_on(seen.rows[0].dose_id)
            return
        self._first = False
        self._show_list(seen.rows, seen.unclosed)
        if self._ordering:
            self._show_order()
        elif seen.dose_id == self._dose_id:
            if self._dose_id and seen.facts is None:
                self.office.messages.error(f"There is no dose {self._dose_id}. Choose one from the list.")
                self._dose_id = ""
            self._facts = seen.facts
            self._show_dose()

    def _not_seen(self, trouble: Exception) -> None:
        self.office.say_trouble(trouble)

    def _show_list(self, lines: tuple[DoseLine, ...], unclosed: frozenset[str]) -> None:
        rows = tuple(_row(line, unclosed=line.dose_id in unclosed) for line in lines)
        self.table.blockSignals(True)
        if rows != self._model.rows():
            self._model.set_rows(rows)
            height = 36 * (min(len(rows), ROWS_SHOWN) + 1) + 4
            self.table.setMinimumHeight(height)
            self.table.setMaximumHeight(height)
        self.table.clearSelection()
        for at, row in enumerate(rows):
            if row.dose_id == self._dose_id and not self._ordering:
                self.table.selectRow(at)
        self.table.blockSignals(False)
        alone = len(rows) == 1 and rows[0].dose_id == self._dose_id and not self._ordering
        self.table.setVisible(bool(rows) and not alone)
        self._empty.setVisible(not rows and not self._ordering and not self._dose_id)
        self._choose.setVisible(bool(rows) and not self._ordering and not self._dose_id)
        self._stage.setVisible(self._ordering or bool(self._dose_id))

    # -- the open dose

    def _show_order(self) -> None:
        self._empty.hide()
        self._choose.hide()
        self._name.setText("New order")
        self._identity.setText("What the prescriber asks for; it becomes a dose with its own number.")
        self.cancel_button.hide()
        self.clock_line.hide()
        self.decisions.hide()
        self.notes.hide()
        self._queries.show_about()
        self._looking.hide()
        self._mark_steps(frozenset(), ORDER)
        self._drop_record()
        self._put(self._panel("", ORDER))
        self._stage.show()

    def _show_dose(self) -> None:
        facts = self._facts
        if facts is None:
            return
        line = facts.line
        self._name.setText(f"Dose {line.dose_id} · subject {line.subject_number}")
        self._identity.setText(
            f"Course {line.course}, cycle {line.cycle}, day {line.day} · level {say_level(line)} ·"
            f" infusion on {say_day(line.planned_on)} · prescribed {show_mg(line.prescribed_mg, None)}"
        )
        self.cancel_button.setVisible(line.status in CANCELLABLE)
        self.cancel_button.setEnabled(self.office.may("dose_cancelled"))
        self.cancel_button.setToolTip(self.office.why_not("dose_cancelled"))
        self._tick()
        self._show_decisions(facts)
        self._show_notes(facts)
        self._queries.show_about(line.dose_id)
        step = self._step(facts)
        self._drop_finished(facts, step)
        self._show_steps(facts, step)
        moved = self._shown_step != (line.dose_id, step)
        if moved:
            self._shown_step = (line.dose_id, step)
            self._viewing = None
        viewing = self._viewing
        if viewing is not None and viewing in self._open_to(facts, step):
            self._show_record(facts, viewing, step)
        elif step == FINISHED:
            self._viewing = None
            self._looking.hide()
            self._put_record(facts, FINISHED)
        else:
            self._viewing = None
            self._show_way_back(facts, step)
            self._drop_record()
            panel = self._panel(line.dose_id, step)
            panel.show_facts(facts)
            self._put(panel)
            if moved or self._focus_wanted:
                self._focus_wanted = False
                panel.focus_first()
                if moved:
                    self.scroll_area.verticalScrollBar().setValue(0)

    def _show_notes(self, facts: Facts) -> None:
        """What corrections say of this dose stands above every step too."""
        zone = self.office.site.time_zone
        lines = [f"{say_at(note.noted_at, zone)}, {note.recorder}: {note.sentence}" for note in facts.notes]
        self.notes.setVisible(bool(lines))
        if lines:
            self.notes.set_message("info", "\n".join(lines), word="Corrected")

    def _show_decisions(self, facts: Facts) -> None:
        """The written decisions this dose goes on by stand above every step."""
        # The reason may name numbers of the first calculation, which the second person must not see.
        why = facts.line.status != "planned" or self.office.is_monitor
        lines = [f"{override.rule}: {say_override(override, why=why)}" for override in facts.overrides]
        self.decisions.setVisible(bool(lines))
        if lines:
            self.decisions.set_message("warn", "\n".join(lines), word="Goes on by decision")

    def _step(self, facts: Facts) -> int:
        """The step shown: where the person went back to while that may be, else the one whose turn it is."""
        if facts.line.status in UNPLANNED:
            return self._back_at.get(facts.line.dose_id, facts.step)
        return facts.step

    def _open_to(self, facts: Facts, step: int) -> frozenset[int]:
        """The steps that may be opened: done ones, the criteria until vials are reserved, and whose turn it is.

        Until the second check is signed its answers stay hidden.
        """
        done = facts.recorded | {facts.step}
        if facts.line.status in UNPLANNED:
            done |= {CRITERIA}
        done -= {step, FINISHED}
        if facts.line.status == "planned" and not self.office.is_monitor:
            return done - {DECIDE, VIALS}
        return done

    def _show_steps(self, facts: Facts, step: int) -> None:
        done = facts.recorded
        self._mark_steps(done, step)
        open_to = self._open_to(facts, step)
        for at in done - {step} - open_to:
            self.steps.lock(at, "Hidden until the second check is signed: it is made without sight of the first.")
        for at in open_to:
            if (button := self.steps.findChild(Button, f"prepare_steps_{at + 1}")) is not None:
                button.setEnabled(True)
                button.setToolTip(f"Look back at: {STEPS[at]}" if at in done else f"Go to: {STEPS[at]}")

    def _mark_steps(self, done: frozenset[int], step: int) -> None:
        states = [
            StepState.CURRENT if at == step else StepState.DONE if at in done else StepState.WAITING
            for at in range(len(STEPS))
        ]
        self.steps.set_states(states)
        for at, state in enumerate(states):
            button = self.steps.findChild(Button, f"prepare_steps_{at + 1}")
            # Steps still to come carry no icon: the row has room for their words instead.
            if button is not None and state is StepState.WAITING:
                button.set_icon("")
                button.setToolTip(f"{STEPS[at]}: still to come")

    def look_at(self, step: int) -> None:
        """Look back at a done step, go back to the criteria, or return to the step whose turn it is."""
        facts = self._facts
        if facts is None or self._ordering:
            return
        dose_id = facts.line.dose_id
        if step == facts.step:
            self._back_at.pop(dose_id, None)
        elif step == CRITERIA and facts.line.status in UNPLANNED:
            self._back_at[dose_id] = CRITERIA
        self._viewing = None if step == self._step(facts) else step
        self._focus_wanted = self._viewing is None
        self._show_dose()

    def look_on(self) -> None:
        """From the criteria to the decision as it stands; what was typed in them stays."""
        if self._facts is not None:
            self._back_at[self._facts.line.dose_id] = DECIDE
            self._viewing = None
            self._focus_wanted = True
            self._show_dose()

    def go_on(self) -> None:
        """Return to the step whose turn it is: first from a record, then from a step gone back to."""
        facts = self._facts
        if facts is not None:
            self.look_at(self._step(facts) if self._viewing is not None else facts.step)

    def _show_way_back(self, facts: Facts, step: int) -> None:
        """Where the person went back from a dose that stands further on, the way there is in sight."""
        self._looking.setVisible(step != facts.step)
        self._looking_text.setText(f"The dose stands at {STEPS[min(facts.step, CLOSE)]}.")
        self.again.hide()
        self.back.set_text(f"&Back to {STEPS[min(facts.step, CLOSE)]}")

    def decide_again(self) -> None:
        """Take a decided dose back to its decision, for example after a new weight; a new record is made."""
        if self._facts is not None:
            self._back_at[self._facts.line.dose_id] = DECIDE
            self._viewing = None
            self._show_dose()

    # -- panels and records

    def _panel(self, dose_id: str, step: int) -> StepPanel:
        key = (dose_id, step)
        if key not in self._panels:
            if step == ORDER:
                panel: StepPanel = OrderPanel(self.office)
            else:
                panel = _PANELS[step](self.office, dose_id)
            panel.setParent(self._shelf)
            panel.succeeded.connect(self._succeeded)
            if isinstance(panel, CriteriaPanel):
                panel.look_on.connect(self.look_on)
                panel.succeeded.connect(self._criteria_recorded)
            elif isinstance(panel, DecidePanel):
                panel.criteria_asked.connect(self.open_criteria)
            self._panels[key] = panel
            if isinstance(panel, OrderPanel):
                panel.refresh()
        return self._panels[key]

    def _put(self, widget: QWidget) -> None:
        while (item := self._place.itemAt(0)) is not None and item.widget() is not widget:
            self._place.takeAt(0)
            if (other := item.widget()) is not None:
                other.hide()
                other.setParent(self._shelf)
        if self._place.count() == 0:
            self._place.addWidget(widget)
            widget.show()

    def _drop_finished(self, facts: Facts, step: int) -> None:
        """Panels of this dose whose step is over are let go; those with work under way come to an end first.

        While a dose is decided, criteria and decision both keep what was typed: one goes back and forth.
        """
        keep = {step, CRITERIA, DECIDE} if step in (CRITERIA, DECIDE) else {step}
        for key in [key for key in self._panels if key[0] == facts.line.dose_id and key[1] not in keep]:
            if not self._panels[key].busy:
                panel = self._panels.pop(key)
                self._place.removeWidget(panel)
                panel.hide()
                panel.deleteLater()

    def _show_record(self, facts: Facts, viewing: int, step: int) -> None:
        self._looking.show()
        self._looking_text.setText(f"{STEPS[viewing]}: as it was recorded.")
        again = viewing == DECIDE and facts.line.status == "decided" and self.office.may("dose_decided")
        self.again.setVisible(again)
        self.back.set_text(f"&Back to {STEPS[step]}" if step != FINISHED else "&Back to the summary")
        self._put_record(facts, viewing)

    def _put_record(self, facts: Facts, step: int) -> None:
        if self._shown_record != (step, facts) or self._record is None:
            self._drop_record()
            self._record = self._record_of(facts, step)
            self._shown_record = (step, facts)
            for bar in self._record.findChildren(mix.PaperBar):
                bar.succeeded.connect(self._succeeded)
        self._put(self._record)

    def _drop_record(self) -> None:
        if self._record is not None:
            self._place.removeWidget(self._record)
            self._record.hide()
            self._record.deleteLater()
        self._record = None
        self._shown_record = None

    def _record_of(self, facts: Facts, step: int) -> QWidget:  # noqa: PLR0911 - one line a step
        zone = self._zone
        if step == ORDER:
            return finish.order_record(facts)
        if step == CRITERIA:
            return criteria_record(facts, zone)
        if step == DECIDE:
            return decision_record(facts, self.office)
        if step == VIALS:
            return plan_record(facts, self.office, zone)
        if step == CHECK:
            return check_record(facts, zone)
        if step == MIX:
            return mix.mix_record(facts, self.office, zone)
        if step == LABELS:
            return mix.labels_record(facts, self.office, zone)
        if step == RELEASE:
            return mix.release_record(facts, zone)
        if step == GIVE:
            return finish.given_record(facts, self.office, zone)
        if step == CLOSE:
            return finish.close_record(facts, self.office)
        return finish.summary(facts, self.office, zone)

    def _succeeded(self, dose_id: str) -> None:
        """An act was recorded: go where the dose now stands."""
        self._back_at.pop(dose_id, None)
        if self._ordering and isinstance(panel := self._panels.get(("", ORDER)), OrderPanel) and panel.created:
            self._ordering = False
            self._dose_id, self._facts = panel.created, None
            self._panels.pop(("", ORDER))
            self._place.removeWidget(panel)
            panel.hide()
            panel.deleteLater()
        self._focus_wanted = self._focus_wanted or dose_id == self._dose_id
        self.refresh()

    def open_criteria(self) -> None:
        """Go back to the criteria of the open dose."""
        self.look_at(CRITERIA)

    def _criteria_recorded(self, dose_id: str) -> None:
        """New answers change a decision that stood on the old ones: it is made anew."""
        panel = self._panels.get((dose_id, CRITERIA))
        if isinstance(panel, CriteriaPanel) and panel.status == "decided":
            self._back_at[dose_id] = DECIDE

    # -- the clock

    def _tick(self) -> None:
        facts = self._facts
        running = facts is not None and facts.line.status in ("prepared", "released") and not self._ordering
        self.clock_line.setVisible(running)
        if facts is None or not running:
            self._clock.stop()
            return
        made = facts.thread.preparation
        self.clock_line.show_times(
            datetime.fromisoformat(made["start_by"]),
            datetime.fromisoformat(made["beyond_use_at"]),
            self.office.desk.clock(),
        )
        if not self._clock.isActive():
            self._clock.start()

    # -- cancelling

    def ask_cancel(self) -> None:
        """Ask why the open dose is cancelled."""
        facts = self._facts
        if facts is None:
            return
        after = (
            "Its vials are opened: they stay with this dose and are closed in the mg ledger afterwards."
            if facts.opened
            else "Vials reserved for it go back to stock."
        )
        reserved: list[str] = []
        if facts.line.status == "verified":
            reserved = [vial.unit_number for vial in facts.thread.vials if vial.state == "reserved"]
        if reserved:
            after += " Tick each vial that was opened already: it stays with this dose, to be closed."
        self._dialog = ReasonDialog(
            f"Cancel dose {facts.line.dose_id}?",
            f"The dose is not given and cannot be taken up again. {after}",
            "Cancel the dose",
            self.window(),
            name="cancel_dialog",
            danger=True,
            refuse="Keep the dose",
            more=[CheckField(f"opened.{unit}", f"{unit} was opened") for unit in reserved],
        )
        self._dialog.given.connect(self._cancel)
        self._dialog.rejected.connect(self._forget_dialog)
        self._dialog.open()

    def _forget_dialog(self) -> None:
        self._dialog = None

    def _cancel(self, why: str) -> None:
        if self._cancel_act is None:
            self._cancel_act = self.office.act()
        desk, act, form = self.office.desk, self._cancel_act, CancelForm(self._dose_id, why, self._opened())

        def work() -> str:
            cancel(desk, act, form)
            return form.dose_id

        self.office.do(work, self._cancelled, self._not_cancelled, busy="Cancelling the dose")

    def _opened(self) -> tuple[str, ...]:
        """The vials which the person said were opened though no preparation is recorded."""
        values = self._dialog.form.values() if self._dialog is not None else {}
        return tuple(
            key.removeprefix("opened.") for key, value in values.items() if key.startswith("opened.") and value == "yes"
        )

    def _cancelled(self, dose_id: str) -> None:
        self._cancel_act = None
        if self._dialog is not None:
            self._dialog.accept()
            self._dialog = None
        self.office.messages.ok(f"Dose {dose_id} is cancelled.")
        self.refresh()
        self.office.changed.emit()

    def _not_cancelled(self, trouble: Exception) -> None:
        if self._dialog is not None and isinstance(trouble, Refused):
            self._dialog.faults(trouble.faults)
        else:
            if self._dialog is not None:
                self._dialog.hold(False)
            self.office.say_trouble(trouble)


def make_page(office: Office) -> QWidget:
    """The page of the window's *Prepare* place."""
    return PreparePage(office)
