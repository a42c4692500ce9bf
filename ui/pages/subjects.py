"""Subjects: the list, enrolling one, and one subject's heights, weights and doses."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.units import (
    HeightUnit,
    Measured,
    WeightUnit,
    exceeds,
    percent_change,
    read_height,
    read_weight,
    show,
    show_kg,
    show_mg,
    show_percent,
)
from pharmacy_app.services import subjects, views
from pharmacy_app.services.desk import protocol_of, site_of, today_of
from pharmacy_app.services.ports import Reader
from ui.office import Office
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import AmountField, DateField, Form, NoteField, TextField
from ui.widgets.panels import Banner, Card, EmptyState, KeyValues, Page
from ui.widgets.tables import Column, DataTable, RowTableModel

WEIGHT_SECTION = "8.1.3"
_CANONICAL = {"height": "cm", "weight": "kg"}


@dataclass(frozen=True, slots=True)
class UsedWeight:
    """The weight the last given dose was calculated from."""

    weight_kg: Decimal
    dose_id: str
    given_on: date


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """One subject as the page shows it."""

    line: views.SubjectLine
    measurements: tuple[views.MeasurementLine, ...]
    doses: tuple[views.DoseLine, ...]
    used: UsedWeight | None
    limit_percent: Decimal
    today: date

    @property
    def newest_weight(self) -> views.MeasurementLine | None:
        """The newest weight, or ``None``."""
        return next((line for line in self.measurements if line.kind == "weight"), None)


@dataclass(frozen=True, slots=True)
class MeasurementRow:
    """A line of the measurements table."""

    measured_on: date
    what: str
    typed: str
    converted: str
    recorder: str
    why: str


@dataclass(frozen=True, slots=True)
class DoseRow:
    """A line of the doses table."""

    dose_id: str
    cycle_day: str
    level: int
    planned_on: date
    prescribed: str
    administered: str
    given_on: date | None
    status: str


def facts_of(reader: Reader, subject_number: str, today: date) -> SubjectFacts:
    """Everything about one subject; raises ``Refused`` when nobody has that number."""
    line = reader.subject(subject_number)
    if line is None:
        raise Refused(Fault("", f"There is no subject {subject_number}. Choose one from the list."))
    doses = tuple(reader.doses(subject_number=subject_number))
    given = [dose for dose in doses if dose.given_on]
    used = None
    last = max(given, key=lambda dose: (dose.given_on or date.min, dose.dose_id), default=None)
    if last is not None and last.given_on is not None:
        thread = reader.dose(last.dose_id)
        if thread is not None and thread.weight_kg is not None:
            used = UsedWeight(thread.weight_kg, last.dose_id, last.given_on)
    limit = protocol_of(site_of(reader)).weight.change_over_percent
    return SubjectFacts(line, tuple(reader.measurements(subject_number)), doses, used, limit, today)


def weight_sentence(facts: SubjectFacts) -> tuple[str, str]:
    """How the newest weight stands to the one last used: a kind (info, ok, warn) and a whole sentence."""
    newest, used, limit = facts.newest_weight, facts.used, show(facts.limit_percent)
    if newest is None:
        return "warn", "No weight is recorded yet. Without height and weight no dose can be calculated."
    if used is None:
        return "info", "No dose was given yet, so there is no earlier weight to compare with."
    change = percent_change(newest.value, used.weight_kg)
    said = "" if change is None else f"{show_percent(change)} against the weight last used for a dose"
    if exceeds(newest.value, used.weight_kg, facts.limit_percent):
        return "warn", (
            f"The newest weight differs by {said}: more than {limit} %, so the dose must be recalculated"
            f" from the new weight (Protocol § {WEIGHT_SECTION})."
        )
    return "ok", (
        f"The newest weight differs by {said}. Only more than {limit} % makes a recalculation mandatory; exactly"
        f" {limit} % does not (Protocol § {WEIGHT_SECTION})."
    )


def converted(value: str, unit: str) -> str:
    """What a typed height or weight is in the unit we calculate with, '' where it cannot be read."""
    try:
        measured: Measured = (
            read_height(value, HeightUnit(unit)) if unit in set(HeightUnit) else read_weight(value, WeightUnit(unit))
        )
    except Refused:
        return ""
    if not measured.converted:
        return ""
    return f"{measured.typed} {measured.typed_unit} = {show(measured.value, 3)} {measured.unit}"


def say_birth(birth: str) -> str:
    """A day of birth as a date, a year alone as it is."""
    return say_day(date.fromisoformat(birth)) if len(birth) > 4 else birth


def _typed_fault(value: str, unit: str) -> str:
    try:
        read_height(value, HeightUnit(unit)) if unit in set(HeightUnit) else read_weight(value, WeightUnit(unit))
    except Refused as refused:
        return refused.faults[0].sentence
    return ""


class _BodyField(AmountField):
    """A height or a weight, converted visibly while it is typed."""

    def __init__(self, name: str, label: str, units: tuple[str, ...]) -> None:
        super().__init__(name, label, units=units, convert=converted, check=self._check_typed)

    def _check_typed(self, value: str) -> str:
        return _typed_fault(value, self.unit())


class EnrollCard(Card):
    """The form that enrolls a subject."""

    def __init__(self) -> None:
        super().__init__("Enroll a subject", "Numbers, dates and initials only. Type no names.", name="enroll_card")
        self.form = Form(name="enroll_form")
        self.form.add(
            TextField(
                "subject_number",
                "Subject n&umber",
                required=True,
                max_length=20,
                hint="As the study gave it. It is used once and never again.",
            )
        )
        self.form.add(
            TextField(
                "birth",
                "Date or year of &birth",
                required=True,
                max_length=24,
                hint="2009-11-02 or 02-Nov-2009; the year alone, 2009, where the site may not keep the day.",
            )
        )
        self.form.add(
            TextField("initials", "&Initials", max_length=4, hint="Two to four letters, only where the site uses them.")
        )
        self.form.add(DateField("enrolled_on", "Enr&olled on", hint="Left empty, it is today."))
        self.add(self.form)
        self.cancel = Button("Cance&l", name="enroll_cancel")
        self.enroll = Button("&Enroll", name="enroll", kind="primary", icon="plus")
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.enroll)
        self.body.addLayout(row)


class MeasurementCard(Card):
    """The form that records a height, a weight or both; a reason is asked for where a value is unlikely."""

    def __init__(self) -> None:
        super().__init__(
            "Record a height or weight", "What is typed is kept; the conversion is shown.", name="measure_card"
        )
        self.form = Form(name="measure_form")
        self.form.add(_BodyField("weight", "&Weight", ("kg", "lb")))
        self.form.add(_BodyField("height", "&Height", ("cm", "in")))
        self.form.add(DateField("measured_on", "&Measured on", required=True))
        self.form.end_row()
        self.reason = NoteField(
            "confirm",
            "Reason why the unlikely value is &right",
            lines=2,
            hint="Look at the scale and the unit once more. If the value stands, type who confirmed it and why.",
        )
        self.form.add(self.reason, span=2)
        self.reason.hide()
        self.add(self.form)
        self.why_not = Text("", "small", name="measure_why_not")
        self.why_not.hide()
        self.button = Button("&Record", name="record_measurement", kind="primary")
        row = QHBoxLayout()
        row.addWidget(self.why_not, 1)
        row.addStretch(1)
        row.addWidget(self.button)
        self.body.addLayout(row)


class SubjectsPage(Page):
    """The list with the enrolling form, and one subject in its place once it is opened."""

    def __init__(self, office: Office) -> None:
        super().__init__("Subjects", name="subjects_page")
        self._office = office
        self._enroll_act = office.act()
        self._measure_act = office.act()
        self._shown = ""
        self._known: set[str] = set()
        self._doubted: dict[str, str] = {}
        self._facts: SubjectFacts | None = None
        # What was just shown has its place only after the layout was made.
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._show_form)
        self._trouble = Banner("stop", "", name="subjects_trouble")
        self._trouble.hide()
        self.add(self._trouble)
        self._make_actions()
        self._make_list()
        self._make_detail()
        self._show_list()

    # -- what is on the page

    def _make_actions(self) -> None:
        self.back = Button("&All subjects", name="all_subjects")
        self.order = Button("&New order", name="subject_new_order", icon="plus")
        self.begin = Button("&Enroll a subject", name="begin_enroll", kind="primary", icon="plus")
        for button in (self.back, self.order, self.begin):
            self.action_bar.addWidget(button)
        self.back.clicked.connect(self._go_back)
        self.order.clicked.connect(self._order)
        self.begin.clicked.connect(self._begin_enroll)
        for button, kind in ((self.begin, "subject_enrolled"), (self.order, "dose_ordered")):
            button.setEnabled(self._office.may(kind))
            button.setToolTip(self._office.why_not(kind))

    def _make_list(self) -> None:
        self._list = QWidget()
        column = QVBoxLayout(self._list)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        why_not = self._office.why_not("subject_enrolled")
        self._why_not = Text(f"Enrolling: {why_not}", "small", name="enroll_why_not")
        self._why_not.setVisible(bool(why_not))
        column.addWidget(self._why_not)
        self.enroll_card = EnrollCard()
        self.enroll_card.hide()
        self.enroll_card.cancel.clicked.connect(self._cancel_enroll)
        self.enroll_card.enroll.clicked.connect(self._enroll)
        column.addWidget(self.enroll_card)
        self._model = RowTableModel(
            (
                Column("subject_number", "Subject", stretch=True),
                Column("initials", "Initials", write=lambda text: text or "–"),
                Column("birth", "Born", write=say_birth, width=120),
                Column("enrolled_on", "Enrolled", write=say_day, width=120),
                Column("doses_given", "Doses given", numeric=True),
                Column("last_given_on", "Last given", write=say_day, width=120),
            ),
            parent=self,
        )
        self.table = DataTable(self._model, name="subjects_table", label="Subjects", visible_rows=12)
        self.table.row_activated.connect(self._activated)
        self._hint = Text("Enter or a double click opens a subject.", "small")
        self._list_card = Card(name="subjects_card")
        self._list_card.add(self.table)
        self._list_card.add(self._hint)
        column.addWidget(self._list_card)
        self._empty = EmptyState(
            "No subject is enrolled yet",
            "Enroll the first one with its number and date of birth; heights and weights come next.",
            icon="subjects",
            name="no_subjects",
        )
        self._empty.hide()
        column.addWidget(self._empty)
        column.addStretch(1)
        self.add(self._list)

    def _make_detail(self) -> None:
        self._detail = QWidget()
        column = QVBoxLayout(self._detail)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        facts = Card(name="subject_card")
        self._pairs = KeyValues(columns=2, name="subject_facts")
        self._compared = Banner("info", "", name="weight_compared")
        facts.add(self._pairs)
        facts.add(self._compared)
        column.addWidget(facts)
        self.measure_card = MeasurementCard()
        self.measure_card.button.clicked.connect(self._record)
        self.measure_card.form.changed.connect(self._typed)
        why_not = self._office.why_not("measurement_recorded")
        self.measure_card.button.setEnabled(not why_not)
        self.measure_card.button.setToolTip(why_not)
        self.measure_card.why_not.setText(why_not)
        self.measure_card.why_not.setVisible(bool(why_not))
        column.addWidget(self.measure_card)
        self._measured = RowTableModel(
            (
                Column("measured_on", "Measured on", write=say_day, width=120),
                Column("what", "What"),
                Column("typed", "As typed", numeric=True),
                Column("converted", "Used as", numeric=True, width=110),
                Column("recorder", "Recorded by", width=150),
                Column("why", "Confirmed because", stretch=True, write=lambda text: text or "–"),
            ),
            parent=self,
        )
        measurements = Card("Heights and weights", name="measurements_card")
        measurements.add(
            DataTable(
                self._measured,
                name="measurements_table",
                label="Heights and weights",
                empty_text="Nothing was measured yet. Record a height and a weight above.",
                visible_rows=5,
            )
        )
        column.addWidget(measurements)
        self._doses = RowTableModel(
            (
                Column("dose_id", "Dose", width=110),
                Column("cycle_day", "Cycle", width=80),
                Column("level", "Level", numeric=True),
                Column("planned_on", "Planned on", write=say_day, width=120),
                Column("prescribed", "Prescribed", numeric=True),
                Column("administered", "Given", numeric=True),
                Column("given_on", "Given on", write=say_day, width=120),
                Column("status", "Status", stretch=True, tone=_status_tone),
            ),
            parent=self,
        )
        doses = Card("Doses", "Enter or a double click opens a dose in Prepare.", name="doses_card")
        self.doses_table = DataTable(
            self._doses,
            name="doses_table",
            label="Doses",
            empty_text="No dose is ordered yet. “New order” begins one.",
            visible_rows=6,
            sortable=False,
        )
        self.doses_table.row_activated.connect(self._open_dose)
        doses.add(self.doses_table)
        column.addWidget(doses)
        column.addStretch(1)
        self.add(self._detail)

    # -- asking

    def refresh(self) -> None:
        """Ask for the list and for the subject shown."""
        self._office.ask(_list_question, self._got_list, self._failed)
        if self._shown:
            self._ask_detail()

    def open_on(self, what: str) -> None:
        """Show one subject."""
        if what != self._shown:
            self._forget_measurement()
        self._shown = what
        self._ask_detail()

    def is_dirty(self) -> bool:
        """Whether a subject or a measurement is half typed."""
        measured = self.measure_card.form.values()
        return self.enroll_card.form.is_dirty() or any(measured[name] for name in ("weight", "height", "confirm"))

    def _ask_detail(self) -> None:
        desk, number = self._office.desk, self._shown

        def question(reader: Reader) -> SubjectFacts:
            return facts_of(reader, number, today_of(desk, reader))

        self._office.ask(question, self._got_detail, self._no_detail)

    def _got_list(self, lines: tuple[views.SubjectLine, ...]) -> None:
        self._trouble.hide()
        self._model.set_rows(lines)
        self._list_card.setVisible(bool(lines))
        self._empty.setVisible(not lines and self.enroll_card.isHidden())
        self._known = {line.subject_number for line in lines}
        if not self._shown:
            self.set_title("Subjects", f"{len(lines)} enrolled")

    def _got_detail(self, facts: SubjectFacts) -> None:
        if facts.line.subject_number != self._shown:
            return
        self._trouble.hide()
        self._facts = facts
        line = facts.line
        self.set_title(f"Subject {line.subject_number}", f"Enrolled on {say_day(line.enrolled_on)}")
        newest, used = facts.newest_weight, facts.used
        self._pairs.set_pairs(
            [
                ("Born", say_birth(line.birth)),
                ("Initials", line.initials),
                ("Doses given", str(line.doses_given)),
                ("Last given on", say_day(line.last_given_on) if line.last_given_on else ""),
                (
                    "Weight last used",
                    f"{show_kg(used.weight_kg)}\nfor dose {used.dose_id}\ngiven {say_day(used.given_on)}"
                    if used
                    else "",
                ),
                ("Newest weight", f"{show_kg(newest.value)}\nmeasured {say_day(newest.measured_on)}" if newest else ""),
            ]
        )
        kind, sentence = weight_sentence(facts)
        self._compared.set_message(kind, sentence, word={"ok": "Weight", "warn": "Warning"}.get(kind, "Note"))
        self._measured.set_rows([_measurement_row(measured) for measured in facts.measurements])
        self._doses.set_rows([_dose_row(dose) for dose in reversed(facts.doses)])
        day = self.measure_card.form.field("measured_on")
        if isinstance(day, DateField) and not day.text():
            day.set_date(facts.today)
        self._show_detail()

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", str(trouble))
        self._trouble.show()

    def _no_detail(self, trouble: Exception) -> None:
        self._shown = ""
        self._show_list()
        self._failed(trouble)

    # -- moving about

    def _show_list(self) -> None:
        self._detail.hide()
        self.back.hide()
        self.order.hide()
        self.begin.setVisible(self.enroll_card.isHidden())
        self._list.show()
        self.set_title("Subjects", f"{len(self._known)} enrolled")

    def _show_detail(self) -> None:
        if not self._detail.isHidden():
            return
        self._list.hide()
        self.begin.hide()
        self.back.show()
        self.order.show()
        self._detail.show()
        self.scroll_area.verticalScrollBar().setValue(0)
        if self._office.may("measurement_recorded"):
            self.measure_card.form.field("weight").editor().setFocus()
        else:
            self.back.setFocus()

    def _go_back(self) -> None:
        self._shown = ""
        self._show_list()
        self.table.setFocus()

    def _activated(self, line: views.SubjectLine) -> None:
        self.open_on(line.subject_number)

    def _open_dose(self, row: DoseRow) -> None:
        self._office.go.emit("prepare", row.dose_id)

    def _order(self) -> None:
        self._office.go.emit("prepare", self._shown or "new")

    # -- enrolling

    def _begin_enroll(self) -> None:
        self._empty.hide()
        self.enroll_card.show()
        self.begin.hide()
        self.enroll_card.form.field("subject_number").editor().setFocus()

    def _cancel_enroll(self) -> None:
        self.enroll_card.form.clear()
        self.enroll_card.hide()
        self._empty.setVisible(not self._known)
        self.begin.show()
        self.begin.setFocus()

    def _enroll(self) -> None:
        form = subjects.SubjectForm(**self.enroll_card.form.values())
        self.enroll_card.form.clear_faults()
        self.enroll_card.enroll.setEnabled(False)
        desk, act = self._office.desk, self._enroll_act

        def work() -> Event:
            return subjects.enroll(desk, act, form)

        self._office.do(work, self._enrolled, self._not_enrolled, busy="Enrolling the subject")

    def _enrolled(self, event: Event) -> None:
        number = str(event.content["subject_number"])
        self.enroll_card.enroll.setEnabled(True)
        self._enroll_act = self._office.act()
        self._cancel_enroll()
        self._office.messages.ok(f"Subject {number} is enrolled. Record a height and a weight next.")
        self._office.changed.emit()
        self.open_on(number)

    def _not_enrolled(self, trouble: Exception) -> None:
        self.enroll_card.enroll.setEnabled(True)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.enroll_card.form.show_faults(faults)

    # -- measuring

    def _typed(self) -> None:
        """A reason belongs to the values it was given for: other values are judged anew."""
        reason = self.measure_card.reason
        if not reason.isHidden() and self._measured_values() != self._doubted:
            # Hidden first: emptying it is a change of the form too.
            reason.hide()
            reason.set_value("")
            reason.set_fault("")

    def _measured_values(self) -> dict[str, str]:
        values = self.measure_card.form.values()
        return {name: values[name] for name in ("weight", "weight_unit", "height", "height_unit")}

    def _record(self) -> None:
        values = self.measure_card.form.values()
        form = subjects.MeasurementForm(subject_number=self._shown, **values)
        self.measure_card.form.clear_faults()
        self.measure_card.button.setEnabled(False)
        desk, act = self._office.desk, self._measure_act

        def work() -> Event:
            return subjects.record_measurement(desk, act, form)

        self._office.do(work, self._recorded, self._not_recorded, busy="Recording the measurement")

    def _recorded(self, event: Event) -> None:
        self.measure_card.button.setEnabled(True)
        self._forget_measurement()
        said = " and ".join(
            f"{measured['kind']} {show(Decimal(measured['value']), 3)} {_CANONICAL[measured['kind']]}"
            for measured in event.content["measured"]
        )
        self._office.messages.ok(f"Recorded for subject {event.content['subject_number']}: {said}.")
        self._office.changed.emit()
        if event.content["subject_number"] == self._shown:
            self._ask_detail()

    def _not_recorded(self, trouble: Exception) -> None:
        self.measure_card.button.setEnabled(True)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        if any(fault.field == "confirm" for fault in faults):
            self._doubted = self._measured_values()
            self.measure_card.reason.show()
        self.measure_card.form.show_faults(faults)
        self._soon.start()

    def _show_form(self) -> None:
        self.show_widget(self.measure_card)

    def _forget_measurement(self) -> None:
        self._measure_act = self._office.act()
        form = self.measure_card.form
        units: dict[str, Any] = {name: form.field(name).values()[f"{name}_unit"] for name in ("weight", "height")}
        form.clear()
        for name, unit in units.items():
            field = form.field(name)
            assert isinstance(field, AmountField)
            field.set_unit(unit)
        form.mark_clean()
        self.measure_card.reason.hide()


def _list_question(reader: Reader) -> tuple[views.SubjectLine, ...]:
    return tuple(reader.subjects())


def _measurement_row(line: views.MeasurementLine) -> MeasurementRow:
    unit = _CANONICAL[line.kind]
    used = f"{show(line.value, 3)} {unit}"
    typed = f"{line.typed_value} {line.typed_unit}"
    return MeasurementRow(line.measured_on, line.kind, typed, used, line.recorder, line.why)


def _dose_row(line: views.DoseLine) -> DoseRow:
    return DoseRow(
        line.dose_id,
        f"C{line.cycle} D{line.day}",
        line.level,
        line.planned_on,
        show_mg(line.prescribed_mg),
        "–" if line.administered_mg is None else show_mg(line.administered_mg),
        line.given_on,
        line.status,
    )


def _status_tone(row: DoseRow) -> str:
    return {"stopped": "stop", "cancelled": "muted", "closed": "ok"}.get(row.status, "")


def make_page(office: Office) -> QWidget:
    """The page for one office."""
    return SubjectsPage(office)
