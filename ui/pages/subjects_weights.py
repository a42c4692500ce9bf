"""One subject's heights and weights: how far the weight has moved, recording one, and all of them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.drift import Drift
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.units import HeightUnit, Measured, WeightUnit, read_height, read_weight, show, show_kg
from pharmacy_app.services import subjects, views
from pharmacy_app.services.behind import Entry, Measurement
from ui.office import Office
from ui.pages.correction import Corrector, words_of
from ui.pages.figure import lead_rows
from ui.pages.stock_parts import TippedRows
from ui.pages.subjects_facts import SubjectFacts
from ui.theme import SPACE_M
from ui.widgets.basics import Button, Text
from ui.widgets.drift_chart import DriftChart, Level, Weighed
from ui.widgets.fields import AmountField, DateField, Form, NoteField
from ui.widgets.panels import Banner, Card
from ui.widgets.tables import Column, DataTable

_CANONICAL = {"height": "cm", "weight": "kg"}


@dataclass(frozen=True, slots=True)
class MeasurementRow:
    """A line of the measurements table."""

    measured_on: date
    what: str
    typed: str
    converted: str
    recorder: str
    why: str
    event_seq: int
    struck: bool


def converted(value: str, unit: str) -> str:
    """What a typed height or weight is in the unit we calculate with, '' where it cannot be read."""
    try:
        measured = _read(value, unit)
    except Refused:
        return ""
    if not measured.converted:
        return ""
    return f"{measured.typed} {measured.typed_unit} = {show(measured.value, 3)} {measured.unit}"


def _read(value: str, unit: str) -> Measured:
    return read_height(value, HeightUnit(unit)) if unit in set(HeightUnit) else read_weight(value, WeightUnit(unit))


def _typed_fault(value: str, unit: str) -> str:
    try:
        _read(value, unit)
    except Refused as refused:
        return refused.faults[0].sentence
    return ""


def drift_kind(drift: Drift) -> tuple[str, str]:
    """The kind and the word of the banner above the chart."""
    if not drift.points:
        return "warn", "No weight"
    if drift.mandatory is None:
        return "info", "Note"
    return ("warn", "Recalculate") if drift.mandatory else ("ok", "Weight")


class _BodyField(AmountField):
    """A height or a weight, converted visibly while it is typed."""

    def __init__(self, name: str, label: str, units: tuple[str, ...]) -> None:
        super().__init__(name, label, units=units, convert=converted, check=self._check_typed)

    def _check_typed(self, value: str) -> str:
        return _typed_fault(value, self.unit())


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
            "Reason why the &unlikely value is right",
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


class WeightsView(QWidget):
    """Drift, form and table. Signals ``recorded()`` after an act, ``look_at(widget)`` for what must be seen."""

    recorded = Signal()
    look_at = Signal(QWidget)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self._office = office
        self._act = office.act()
        self._number = ""
        self._doubted: dict[str, str] = {}
        self._day_put_in = ""
        # What was just shown has its place only after the layout was made.
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._show_form)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        self.card = MeasurementCard()
        self.card.button.clicked.connect(self._record)
        self.card.form.changed.connect(self._typed)
        why_not = office.why_not("measurement_recorded")
        self.card.button.setEnabled(not why_not)
        self.card.button.setToolTip(why_not)
        self.card.why_not.setText(why_not)
        self.card.why_not.setVisible(bool(why_not))
        column.addWidget(self.card)
        self._drift = Banner("info", "", name="weight_compared")
        self.chart = DriftChart(name="drift_chart", label="Weight over time")
        self._drift_card = Card(
            "Weight against the last dose",
            "A dot is one weight; a triangle is one beyond the limit.",
            name="drift_card",
        )
        self._drift_card.add(self._drift)
        self._drift_card.add(self.chart)
        column.addWidget(self._drift_card)
        self._measured = TippedRows(
            (
                Column("measured_on", "Measured on", write=say_day, width=120),
                Column("what", "What"),
                Column("typed", "As typed", numeric=True),
                Column("converted", "Used as", numeric=True, width=110),
                Column("recorder", "Recorded by", width=150),
                Column(
                    "why",
                    "Confirmed or corrected because",
                    stretch=True,
                    write=lambda text: text or "–",
                    strikes=False,
                ),
            ),
            parent=self,
        )
        measurements = Card(
            "Heights and weights",
            "What was corrected is struck through. Enter on a line corrects it.",
            name="measurements_card",
        )
        self.table = DataTable(
            self._measured,
            name="measurements_table",
            label="Heights and weights",
            empty_text="Nothing was measured yet. Record a height and a weight above.",
            visible_rows=5,
        )
        self.corrector = Corrector(office, self)
        self.corrector.corrected.connect(self.recorded)
        self.table.row_activated.connect(self._correct)
        lead_rows(
            office,
            self.table,
            {"typed": self._measurement, "converted": self._measurement},
            thing=lambda row: Entry(row.event_seq),
        )
        self.correct_button = Button("Correct the chosen line…", name="correct_measurement")
        self.correct_button.setEnabled(office.may("measurement_corrected"))
        self.correct_button.setToolTip(office.why_not("measurement_corrected"))
        self.correct_button.clicked.connect(self._correct_chosen)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self.correct_button)
        measurements.add(self.table)
        measurements.body.addLayout(last)
        column.addWidget(measurements)
        column.addStretch(1)

    def _measurement(self, row: MeasurementRow) -> Measurement:
        return Measurement(row.event_seq, self._number, row.what)

    def show_facts(self, facts: SubjectFacts) -> None:
        """Show one subject; what is half typed stays while it is the same one."""
        if facts.number != self._number:
            self.forget()
            self._number = facts.number
        drift = facts.drift
        kind, word = drift_kind(drift)
        self._drift.set_message(kind, f"{drift.words} (Protocol § {drift.section})", word=word)
        # One dot without a line to compare it with says nothing.
        self.chart.setVisible(bool(drift.points) and (len(drift.points) > 1 or drift.last_used_kg is not None))
        self.chart.set_weights(
            [Weighed(point.measured_on, point.kg, point.over) for point in drift.points], _levels(drift), drift.words
        )
        zone = self._office.site.time_zone
        self._measured.set_rows(
            [_measurement_row(line, facts.corrections.get(line.event_seq), zone) for line in facts.measurements]
        )
        day = self.card.form.field("measured_on")
        # A day nobody typed goes with the day: the window may have been left open over night.
        if isinstance(day, DateField) and day.text() in ("", self._day_put_in):
            day.set_date(facts.today)
            self._day_put_in = day.text()

    def is_dirty(self) -> bool:
        """Whether a measurement is half typed."""
        measured = self.card.form.values()
        return any(measured[name] for name in ("weight", "height", "confirm"))

    def take_focus(self) -> None:
        """Stand where a weight is typed."""
        self.card.form.field("weight").editor().setFocus()

    def forget(self) -> None:
        """Empty the form and begin a new act; the chosen units stay."""
        self._act = self._office.act()
        form = self.card.form
        units: dict[str, Any] = {name: form.field(name).values()[f"{name}_unit"] for name in ("weight", "height")}
        form.clear()
        for name, unit in units.items():
            field = form.field(name)
            assert isinstance(field, AmountField)
            field.set_unit(unit)
        form.mark_clean()
        self.card.reason.hide()

    # -- recording

    def _typed(self) -> None:
        """A reason belongs to the values it was given for: other values are judged anew."""
        reason = self.card.reason
        if not reason.isHidden() and self._values() != self._doubted:
            # Hidden first: emptying it is a change of the form too.
            reason.hide()
            reason.set_value("")
            reason.set_fault("")

    def _values(self) -> dict[str, str]:
        values = self.card.form.values()
        return {name: values[name] for name in ("weight", "weight_unit", "height", "height_unit")}

    def _record(self) -> None:
        values = self.card.form.values()
        form = subjects.MeasurementForm(subject_number=self._number, **values)
        self.card.form.clear_faults()
        self.card.button.setEnabled(False)
        desk, act = self._office.desk, self._act

        def work() -> Event:
            return subjects.record_measurement(desk, act, form)

        self._office.do(work, self._recorded, self._not_recorded, busy="Recording the measurement")

    def _recorded(self, event: Event) -> None:
        self.card.button.setEnabled(True)
        self.forget()
        said = " and ".join(
            f"{measured['kind']} {show(Decimal(measured['value']), 3)} {_CANONICAL[measured['kind']]}"
            for measured in event.content["measured"]
        )
        self._office.messages.ok(f"Recorded for subject {event.content['subject_number']}: {said}.")
        self.recorded.emit()

    def _not_recorded(self, trouble: Exception) -> None:
        self.card.button.setEnabled(True)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        if any(fault.field == "confirm" for fault in faults):
            self._doubted = self._values()
            self.card.reason.show()
        self.card.form.show_faults(faults)
        self._soon.start()

    def _show_form(self) -> None:
        self.look_at.emit(self.card)

    # -- correcting

    def _correct(self, row: MeasurementRow) -> None:
        if self._office.may("measurement_corrected"):
            self.corrector.open(row.event_seq)

    def _correct_chosen(self) -> None:
        chosen = self.table.selected_rows()
        if chosen:
            self._correct(chosen[0])
        else:
            self._office.messages.info("Choose the line that is wrong first.")


def _levels(drift: Drift) -> list[Level]:
    """The lines of the chart: the weight last used, and where recalculation becomes mandatory."""
    wanted = (
        (drift.mandatory_above_kg, "mandatory above ", True),
        (drift.last_used_kg, "last used ", False),
        (drift.mandatory_below_kg, "mandatory below ", True),
    )
    return [Level(kg, f"{words}{show_kg(kg, None)}", dashed) for kg, words, dashed in wanted if kg is not None]


def _measurement_row(line: views.MeasurementLine, correction: views.CorrectionLine | None, zone: str) -> MeasurementRow:
    used = f"{show(line.value, 3)} {_CANONICAL[line.kind]}"
    typed = f"{line.typed_value} {line.typed_unit}"
    why = line.why if correction is None else words_of(correction, zone)
    struck = correction is not None
    return MeasurementRow(line.measured_on, line.kind, typed, used, line.recorder, why, line.event_seq, struck)
