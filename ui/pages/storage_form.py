"""The form of a storage deviation: place, source, a file or typed temperatures, and the look before it is recorded."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.logger_files import CLOCKS, DATE_ORDERS, UNITS, Answers, Recognised
from pharmacy_app.domain.temperatures import MKT_NOTICE, Limits, Span, SpanKind, say_celsius, say_span
from pharmacy_app.services.charts import temperatures
from pharmacy_app.services.printing import unit_ranges
from pharmacy_app.services.storage import (
    BY_HAND,
    FROM_FILE,
    SOURCES,
    DeviationForm,
    Preview,
    preview,
    record_deviation,
    used_by,
)
from ui.office import Office
from ui.pages.documents_parts import FileField, read_file
from ui.pages.places_field import PlaceField
from ui.pages.stock_parts import TippedRows, vials_count
from ui.pages.subjects_parts import FittingTable
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text, announce
from ui.widgets.charts import PictureView
from ui.widgets.fields import ChoiceField, DateField, DateTimeField, Field, Form, NoteField, TextField
from ui.widgets.panels import Banner, Card, KeyValues, confirm
from ui.widgets.tables import Column

_SOURCE_WORDS = {
    FROM_FILE: "A file read out of the logger",
    BY_HAND: "Read off by hand",
    "logger failed": "None: the logger failed",
    "logger missing": "None: there was no logger",
}
WHAT = {SpanKind.ABOVE: "too warm", SpanKind.BELOW: "freeze risk", SpanKind.NO_DATA: "no data"}
"""What is wrong with a span, in the window's words."""

_ASKED = ("unit", "date_order", "clock", "column")
_OF_FILE = ("file", "longest_gap_min", *_ASKED)
_TYPED = ("started_at", "ended_at")
_BY_HAND = ("min_temperature", "max_temperature", "unit")


def span_rows(parent: QWidget) -> TippedRows:
    """The columns of spans outside the limits and without data."""
    return TippedRows(
        (
            Column("number", "No.", numeric=True, width=44),
            Column("what", "What", stretch=True),
            Column("start", "Start", width=138),
            Column("end", "End", width=138),
            Column("duration", "Duration", width=92),
            Column("low", "Lowest", numeric=True, width=72),
            Column("high", "Highest", numeric=True, width=76),
            Column("mkt", "MKT 24 h", numeric=True, width=80),
        ),
        parent=parent,
    )


def span_table(rows: TippedRows, name: str) -> FittingTable:
    """The table of spans; while it is narrow it leaves out what the curve and the tips say too."""
    return FittingTable(
        rows,
        spare=("number", "duration", "mkt"),
        name=name,
        label="Spans outside the limits and without data",
        empty_text="No span.",
        sortable=False,
        visible_rows=4,
    )


class SpanRow:
    """A span in words."""

    def __init__(self, number: int, span: Span, limits: Limits) -> None:
        def said(celsius: object) -> str:
            return "–" if celsius is None else say_celsius(celsius, limits)  # type: ignore[arg-type]  # a Decimal

        self.number = number
        self.what = WHAT[span.kind]
        self.start = say_moment(span.start)
        self.end = say_moment(span.end) + ("" if span.ended else ", not ended")
        self.duration = say_span(span.duration)
        self.low, self.high, self.mkt = said(span.min_celsius), said(span.max_celsius), said(span.mkt_celsius)


def recognised_pairs(known: Recognised) -> list[tuple[str, str]]:
    """How a file was read, label by label."""
    skipped = (*known.before, *known.after)
    return [
        ("Readings", f"lines {known.first_line:,} to {known.last_line:,}"),
        ("Temperature", f"{known.column}, in {known.unit}"),
        ("Between values", known.delimiter),
        ("Decimal mark", known.decimal_mark),
        ("Date order", known.date_order + (", newest first" if known.newest_first else "")),
        ("Clock", known.clock),
        ("Characters", known.encoding),
        (
            "Not read as readings",
            "; ".join(line.replace("\t", " ") for line in skipped[:6]) + (" …" if skipped[6:] else ""),
        ),
    ]


class PreviewCard(Card):
    """What recording would write: how the file was read, the curve, the spans, the vials."""

    def __init__(self) -> None:
        super().__init__("What was read", "Nothing is recorded yet. Compare it with the logger.", name="preview_card")
        self.verdict = Banner("info", "", name="preview_verdict")
        self.known = KeyValues(columns=2, name="preview_recognised")
        self.chart = PictureView(name="preview_chart")
        self._rows = span_rows(self)
        self.table = span_table(self._rows, "preview_spans")
        self.notice = Text(MKT_NOTICE, "small", name="preview_mkt")
        self.vials = Text("", name="preview_vials")
        for widget in (self.verdict, self.known, self.chart, self.table, self.notice, self.vials):
            self.add(widget)

    def show_preview(self, found: Preview) -> None:
        """Show what was read."""
        low, high = say_celsius(found.limits.low_celsius), say_celsius(found.limits.high_celsius)
        span = f"{say_moment(found.started_at)} to {say_moment(found.ended_at)}"
        measured = ""
        if found.min_celsius is not None and found.max_celsius is not None:
            measured = (
                f" Lowest {say_celsius(found.min_celsius, found.limits)}, highest"
                f" {say_celsius(found.max_celsius, found.limits)}."
            )
        counted = f"{found.readings:,} readings, " if found.readings else ""
        if found.is_deviation:
            many = "1 span" if len(found.spans) == 1 else f"{len(found.spans)} spans"
            text = f"{counted}{span}.{measured} {many} outside {low} to {high} or without data."
            self.verdict.set_message("stop", text, word="Deviation")
        else:
            self.verdict.set_message("ok", f"{counted}{span}.{measured} Nothing to record.", word="All inside")
        self.known.setVisible(found.recognised is not None)
        if found.recognised is not None:
            pairs = recognised_pairs(found.recognised)
            if found.usual_gap is not None:
                pairs.insert(1, ("Usual interval", say_span(found.usual_gap)))
            self.known.set_pairs(pairs)
        self.chart.setVisible(bool(found.trace))
        if found.trace:
            self.chart.set_picture(temperatures(found.trace, found.spans, found.limits))
        self._rows.set_rows([SpanRow(at, span, found.limits) for at, span in enumerate(found.spans, start=1)])
        self.table.setVisible(bool(found.spans))
        self.notice.setVisible(any(span.mkt_celsius is not None for span in found.spans))
        units = tuple(at.vial.unit_number for at in found.vials)
        used = [at.vial.unit_number for at in found.vials if used_by(at.vial.state, at.vial.dose_id)]
        words = f"{vials_count(len(units))} lay there at the time: {unit_ranges(units)}." if units else ""
        if used:
            words += f" Used since, and to be told to the supporter: {', '.join(used)}."
        if units:
            words += " Those still unopened are quarantined with the record."
        self.vials.setText(words or "No vial lay there at the time.")
        self.vials.setVisible(found.is_deviation)


class DeviationView(QWidget):
    """The whole draft; it keeps what was typed until it is recorded or discarded.

    Signals ``recorded(str deviation_id)``, ``left()``, ``needs_look(QWidget)``.
    """

    recorded = Signal(str)
    left = Signal()
    needs_look = Signal(QWidget)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("deviation_view")
        self._office = office
        self._act = office.act()
        self._content = b""
        self._looked: tuple[DeviationForm, str] | None = None
        self._busy = False
        self._asked: set[str] = set()
        self._add_fields()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self._make_card())
        column.addWidget(self._make_preview())
        column.addStretch(1)
        self.form.changed.connect(self._follow)
        self._fill()

    # -- parts

    def _add_fields(self) -> None:
        office = self._office
        zone = ZoneInfo(office.site.time_zone)

        def now() -> datetime:
            return office.desk.clock().astimezone(zone)

        self.form = Form(name="deviation_form")
        self.place = PlaceField(office, "place", "&Place")
        self.source = ChoiceField(
            "source", "&Temperatures", [(source, _SOURCE_WORDS[source]) for source in SOURCES], required=True
        )
        self.form.add(self.place)
        self.form.add(self.source)
        self.form.add(TextField("logger_serial", "Logger or thermometer, serial &no.", max_length=40, required=True))
        self.form.add(DateField("calibration_due", "Cali&bration due", required=True))
        self.form.add(FileField("file", "&File"), span=2)
        self.form.add(
            TextField(
                "longest_gap_min",
                "Longest interval that is no &gap, minutes",
                required=True,
                max_length=4,
                hint="More time than this between two readings is a deviation.",
            )
        )
        self.form.end_row()
        self.form.add(DateTimeField("started_at", "&Started at", now=now, required=True))
        self.form.add(DateTimeField("ended_at", "&Ended at", hint="Leave it empty while it lasts.", now=now))
        self.form.add(TextField("min_temperature", "&Lowest temperature", max_length=12, required=True))
        self.form.add(TextField("max_temperature", "&Highest temperature", max_length=12, required=True))
        self.form.add(ChoiceField("unit", "&Unit", list(UNITS.items()), required=True))
        self.form.add(ChoiceField("date_order", "&Order of the date", list(DATE_ORDERS.items()), required=True))
        self.form.add(ChoiceField("clock", "&Clock of the logger", list(CLOCKS.items()), required=True))
        self.form.add(TextField("column", "Colu&mn with the temperature, counted from 1", max_length=3, required=True))
        self.form.end_row()
        self.form.add(DateTimeField("discovered_at", "&Discovered at", now=now, required=True))
        self.form.add(TextField("discovered_by", "Discovered b&y", max_length=60, required=True))
        self.form.add(NoteField("done", "Wh&at was done at once", lines=2, required=True), span=2)

    def _make_card(self) -> Card:
        card = Card(
            "Record a storage deviation",
            "Quarantine first, then record. The vials that lay there are found from the ledger and taken out of use"
            " with the record (Protocol §\u00a08.2).",
            name="deviation_card",
        )
        card.add(self.form)
        self.discard = Button("Discard", name="deviation_discard")
        self.look = Button("Loo&k at it", name="deviation_look", kind="primary", icon="search")
        self.discard.clicked.connect(self._discard)
        self.look.clicked.connect(self._look)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addStretch(1)
        foot.addWidget(self.discard)
        foot.addWidget(self.look)
        card.body.addLayout(foot)
        return card

    def _make_preview(self) -> Card:
        self.preview = PreviewCard()
        self.record = Button("&Record the deviation", name="deviation_record", kind="danger", icon="stop")
        self.record.clicked.connect(self._record)
        self._stale = Text("Something was changed since. Look at it again first.", "muted", name="preview_stale")
        last = QHBoxLayout()
        last.setSpacing(SPACE_S)
        last.addWidget(self._stale)
        last.addStretch(1)
        last.addWidget(self.record)
        self.preview.body.addLayout(last)
        self.preview.hide()
        return self.preview

    # -- the draft

    def set_places(self, places: Sequence[str]) -> None:
        """Offer the places of the record."""
        self.place.set_choices([(place, place) for place in places])

    def is_dirty(self) -> bool:
        """Whether anything was typed."""
        return self.form.is_dirty()

    def take_focus(self) -> None:
        """Stand on the first field."""
        self.place.editor().setFocus()

    def _fill(self) -> None:
        self.form.clear()
        self._content, self._looked = b"", None
        self._asked = set()
        self.source.set_value(FROM_FILE)
        self.form.field("discovered_by").set_value(self._office.session.printed_name)
        self.form.mark_clean()
        self.preview.hide()
        self._follow()

    def _follow(self) -> None:
        """Show the fields that the source takes, and say when the preview is older than what is typed."""
        source = self.source.value()
        shown: set[str] = set(_TYPED)
        if source == FROM_FILE:
            shown = {"file", "longest_gap_min", *self._asked}
        elif source == BY_HAND:
            shown |= set(_BY_HAND)
        for name in (*_OF_FILE, *_TYPED, *_BY_HAND):
            self._show(name, visible=name in shown)
        self.form.field("logger_serial").set_required(source != "logger missing")
        self.form.field("calibration_due").set_required(source in (FROM_FILE, "logger failed"))
        looked = self._looked is not None and self._looked == self._looked_at()
        self.record.setEnabled(looked and not self._busy)
        self._stale.setVisible(self._looked is not None and not looked)

    def _show(self, name: str, *, visible: bool) -> None:
        field: Field = self.form.field(name)
        field.setVisible(visible)

    def _typed(self) -> DeviationForm:
        values = self.form.values()
        path = values.pop("file")
        source = values["source"]
        answers = Answers(**{name: values.pop(name) for name in _ASKED})
        if source == FROM_FILE:
            values |= dict.fromkeys((*_TYPED, "min_temperature", "max_temperature"), "")
        elif source == BY_HAND:
            answers = Answers(unit=answers.unit)
        else:
            answers = Answers()
            values |= {"min_temperature": "", "max_temperature": ""}
        if source != FROM_FILE:
            values["longest_gap_min"] = ""
        return DeviationForm(**values, file_name=Path(path).name if source == FROM_FILE else "", answers=answers)

    def _looked_at(self) -> tuple[DeviationForm, str]:
        """What the preview depends on, and from which file it came; the rest may be typed afterwards."""
        form = replace(self._typed(), logger_serial="", calibration_due="", discovered_at="", discovered_by="", done="")
        return form, self.form.values()["file"]

    # -- looking

    def _look(self) -> None:
        if self._busy:
            return
        form, path = self._typed(), self.form.values()["file"]
        self.form.clear_faults()
        desk = self._office.desk
        self._set_busy(True)

        def work() -> tuple[Preview, bytes]:
            content = read_file(path) if form.source == FROM_FILE and path else b""
            with desk.store.read() as reader:
                return preview(desk, reader, form, content), content

        self._office.do(work, self._got, self._refused, busy="Reading the temperatures")

    def _got(self, answer: tuple[Preview, bytes]) -> None:
        self._set_busy(False)
        found, self._content = answer
        if found.serial and not self.form.field("logger_serial").value():
            self.form.field("logger_serial").set_value(found.serial)
        self._looked = self._looked_at() if found.is_deviation else None
        self.preview.show_preview(found)
        count = len(found.vials)
        self.record.set_text(f"&Record it and quarantine {vials_count(count)}" if count else "&Record the deviation")
        self.preview.show()
        self._follow()
        announce(self, self.preview.verdict.text())
        (self.record if self.record.isEnabled() else self.look).setFocus()
        self.needs_look.emit(self.preview)

    # -- recording

    def _record(self) -> None:
        if self._busy or self._looked is None:
            return
        desk, act, form, content = self._office.desk, self._act, self._typed(), self._content
        self.form.clear_faults()
        self._set_busy(True)

        def work() -> Event:
            return record_deviation(desk, act, form, content)

        self._office.do(work, self._did, self._refused, busy="Recording the deviation")

    def _did(self, event: Event) -> None:
        self._set_busy(False)
        self._act = self._office.act()
        self._fill()
        number = event.content["deviation_id"]
        self._office.messages.ok(f"{number} is recorded; {vials_count(len(event.content['moves']))} quarantined.")
        self.recorded.emit(number)

    def _refused(self, trouble: Exception) -> None:
        self._set_busy(False)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        # What the file leaves open is asked for where it was typed.
        self._asked |= {fault.field for fault in faults} & set(_ASKED)
        self._follow()
        self.form.show_faults(faults)
        first = next((field for field in self.form.fields() if field.fault()), None)
        if first is not None:
            first.editor().setFocus()
        self.needs_look.emit(first or self.form)

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.look.setEnabled(not busy)
        self._follow()

    def _discard(self) -> None:
        if self.is_dirty() and not confirm(
            self, "Discard this record?", "What was typed is lost. Nothing was recorded.", "Discard it"
        ):
            return
        self._fill()
        self.left.emit()
