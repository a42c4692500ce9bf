"""What the pages about vials share: words for dates, moves and events, tables with tips, one dialog for an act."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QDialog,
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.expiry import EXPIRED_STATE
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import Vial, move_table
from pharmacy_app.services.desk import Act
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import unit_ranges
from pharmacy_app.services.stock import (
    QuarantineForm,
    quarantine,
)
from pharmacy_app.services.views import CorrectionLine, LedgerLine
from ui.office import Office
from ui.pages.done_field import DoneTime
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import Field, Form, NoteField, TextField
from ui.widgets.tables import Column, DataTable, PagedTableModel, RowTableModel

MOMENT_WIDTH = 176
"""Pixels that a date with its time needs in a table."""

ANY = "any"
"""The value of a filter that lets everything through."""

STATES = tuple(move_table().states)
"""Every state a vial can be in, in the order of the table of moves."""

# -- words


def say_at(moment: datetime, zone: str) -> str:
    """A moment with the site's time zone, where the zone matters."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{say_moment(local)} {local:%Z}"


def say_mg(strength_mg: Decimal) -> str:
    """A vial strength with its unit."""
    return f"{show(strength_mg)} mg"


def vials_count(count: int, what: str = "vial") -> str:
    """``1 vial``, ``12 vials``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


_KINDS = {
    "access_denied": "Try refused",
    "sign_in_failed": "Sign-in failed",
    "move_undone": "Move taken back",
    "receipt_corrected": "Receipt corrected",
    "closing_corrected": "Closing of vials corrected",
    "accountability_undone": "Monitor's accountability taken back",
    "period_signed": "Period of the record signed",
    "visit_planned": "Monitor's visit planned",
    "visit_opened": "Monitor's visit opened",
    "entries_verified": "Entries verified by the monitor",
    "visit_signed": "Monitor's visit signed",
    "query_returned": "Query given back to the site",
    "print_answered": "Said what came out of a print",
    "quarantine_lifted": "Released with the supporter's document",
    "site_opened": "Site and study set up",
    "record_printed": "Record printed",
    "subject_exported": "Subject exported",
    "data_exported": "Data exported",
    "vials_closed": "mg ledger closed",
    "vials_accounted": "Monitor's accountability of containers",
    "vials_found": "Missing vials found",
    "vials_transferred": "Vials transferred to another site",
    "vials_destroyed": "Vials destroyed on site",
    "vials_transported": "Vials moved to another place",
    "vials_taken_back": "Containers back from a subject",
    "expiry_extended": "Expiry of a lot extended",
    "extension_undone": "Extension of an expiry taken back",
    "vials_relabelled": "Labels renewed by hand",
}


def kind_words(kind: str) -> str:
    """An event's kind in words."""
    return _KINDS.get(kind) or kind.replace("_", " ").capitalize()


def state_words(vial: Vial) -> str:
    """A vial's state with what keeps it there."""
    if vial.state == "held":
        return f"held: {vial.hold_reason}" if vial.hold_reason else "held: waits for release"
    if vial.dose_id:
        return f"{vial.state}, dose {vial.dose_id}"
    return vial.state


def is_on_site(state: str) -> bool:
    """Whether a vial of this state lies at its place; otherwise the place is the last one it had."""
    return bool(move_table().states[state].on_site)


def place_words(vial: Vial) -> str:
    """Where a vial lies; – once it is there no more, and its life says where it was last."""
    return vial.place if is_on_site(vial.state) else "–"


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A ledger line as a table shows it, with its correction if it has one: then it is struck through."""

    line: LedgerLine
    correction: CorrectionLine | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.line, name)

    @property
    def struck(self) -> bool:
        """Whether the line was taken back or put right by another one."""
        return self.correction is not None and self.correction.moved_vials

    @property
    def mark(self) -> str:
        """Late entry, corrected, correction of which entry; '' for a plain line."""
        marks = ["late entry"] if self.line.late_why else []
        if self.struck:
            marks.append("corrected")
        if self.line.corrects_seq is not None:
            marks.append(f"corrects {self.line.corrects_seq}")
        return ", ".join(marks)


def with_corrections(reader: Reader, lines: Sequence[LedgerLine]) -> list[ShownLine]:
    """Ledger lines with the corrections that they have."""
    corrections = reader.corrections(list({line.event_seq for line in lines}))
    return [ShownLine(line, corrections.get(line.event_seq)) for line in lines]


def way_words(line: LedgerLine) -> str:
    """From which state to which a line leads; of a pair that changes place or label, out of and into which."""
    if not line.to_state:
        return f"{line.from_state}, out of {line.place}"
    if not line.from_state and line.move != "receive":
        return f"{line.to_state}, into {line.place}"
    return f"{line.from_state or 'outside'} → {line.to_state}"


def state_tone(state: str) -> str:
    """The severity's colour beside the word: quarantined and missing stand out, held and broken ask for a look."""
    tones = {
        "quarantined": "stop",
        "missing": "stop",
        "lost": "stop",
        EXPIRED_STATE: "stop",
        "held": "warn",
        "broken": "warn",
        "available": "ok",
    }
    return tones.get(state, "")


def state_says(state: str) -> str:
    """What a state means, from the table of moves; what expired is no state there, but is summed apart."""
    if state == EXPIRED_STATE:
        return "Past its last usable day: to be returned or transferred"
    return move_table().states[state].says


# -- tables


def _tip(model: PagedTableModel | RowTableModel, index: QModelIndex | QPersistentModelIndex) -> str | None:
    row = model.row_object(index.row()) if index.isValid() else None
    return None if row is None else model.columns[index.column()].words(row)


class TippedPages(PagedTableModel):
    """A paged table whose cells show their whole text as a tip, because narrow windows cut it."""

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The whole text as tip where the kit has none; all else as the kit has it."""
        found = super().data(index, role)
        return _tip(self, index) if role == Qt.ItemDataRole.ToolTipRole and found is None else found


class TippedRows(RowTableModel):
    """A small table with tips."""

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The whole text as tip; all else as the kit has it."""
        found = super().data(index, role)
        return _tip(self, index) if role == Qt.ItemDataRole.ToolTipRole and found is None else found


def fill_height(table: QAbstractScrollArea, least: int) -> None:
    """Let a table take the height that is left, but never less than ``least`` pixels."""
    table.setMinimumHeight(least)
    table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)


def hide_empty_columns(table: DataTable, keys: Sequence[str]) -> None:
    """Hide those of the number columns ``keys`` that are 0 in every row: a sum loses nothing by them."""
    model = table.model()
    assert isinstance(model, RowTableModel)
    for at, column in enumerate(model.columns):
        if column.key in keys:
            table.setColumnHidden(at, not any(getattr(row, column.key) for row in model.rows()))


LEDGER_BRIEF = (
    Column("done_at", "Done at", write=say_moment, width=MOMENT_WIDTH),
    Column("move", "Move", width=116),
    Column("to_state", "State after", width=104, write=lambda text: text or "–"),
    Column("place", "Place", width=112),
    Column("mark", "Mark", width=104, write=lambda text: text or "–", strikes=False),
    Column("recorder", "Recorded by", width=132),
    Column("dose_id", "Dose", width=104, write=lambda text: text or "–"),
    Column("comment", "Comment", width=140, stretch=True),
)
"""The columns of a vial's life."""


# -- layout


class FilterBar(QWidget):
    """Fields in one row that say what a table shows. ``changed`` comes once after a pause in typing."""

    changed = Signal()

    def __init__(self, fields: Sequence[tuple[Field, int]], *, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._pause = QTimer(self, interval=250, singleShot=True)
        self._pause.timeout.connect(self.changed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_S)
        for field, stretch in fields:
            field.changed.connect(self._pause.start)
            row.addWidget(field, stretch, Qt.AlignmentFlag.AlignTop)


# -- acts


class ActDialog(QDialog):
    """One act asked for in a small form: what it does, its fields, a button with its verb.

    The act is kept until it has succeeded, so that a second click or a retry is recorded once. Faults stand
    beside their fields and what was typed stays. ``succeeded(object)`` gives the service's answer.
    """

    succeeded = Signal(object)

    def __init__(
        self,
        office: Office,
        title: str,
        text: str,
        verb: str,
        fields: Sequence[Field],
        work: Callable[[Act, dict[str, str]], Any],
        *,
        name: str,
        busy: str,
        parent: QWidget,
        columns: int = 1,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._width = 520 if columns == 1 else 780
        self.setMinimumWidth(self._width)
        self._office, self._work, self._busy_words = office, work, busy
        self._act = office.act()
        self._busy = False
        self.form = Form(columns=columns, name=f"{name}_form")
        for field in fields:
            self.form.add(field)
        self.verb = Button(verb, name=f"{name}_do", kind="primary")
        self.verb.setDefault(not any(isinstance(field, NoteField) for field in fields))
        self.verb.clicked.connect(self.ask)
        self._back = Button("Go &back", name=f"{name}_back")
        self._back.clicked.connect(self.reject)
        last = QHBoxLayout()
        last.setSpacing(SPACE_S)
        last.addStretch(1)
        last.addWidget(self._back)
        last.addWidget(self.verb)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(title, "section"))
        column.addWidget(Text(text, name=f"{name}_text"))
        column.addWidget(self.form)
        column.addStretch(1)
        column.addLayout(last)
        if fields:
            fields[0].editor().setFocus()
        self._fit()

    def add_done_time(self) -> None:
        """Let another time than now be said for the act, and why it is late."""
        when = DoneTime(self._office, self.form)
        when.unfolded.connect(self._fit)
        when.late_why.changed.connect(self._fit)
        when.done_at.changed.connect(self._fit)
        self._fit()

    def ask(self) -> None:
        """Do the act with what stands in the form."""
        if self._busy:
            return
        if not self.form.check():
            self._fit()
            return
        self._set_busy(True)
        act, values, work = self._act, self.form.values(), self._work
        self._office.do(lambda: work(act, values), self._did, self._did_not, busy=self._busy_words)

    def reject(self) -> None:
        """Close without the act; not while it is being recorded."""
        if not self._busy:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stay while the act is being recorded: its outcome must be seen."""
        if self._busy:
            event.ignore()
        else:
            super().closeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+Enter does the act from any field."""
        entered = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if entered and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.ask()
        else:
            super().keyPressEvent(event)

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.verb.setEnabled(not busy)
        self._back.setEnabled(not busy)

    def _did(self, answer: Any) -> None:
        self._set_busy(False)
        self.succeeded.emit(answer)
        self.accept()

    def _did_not(self, trouble: Exception) -> None:
        self._set_busy(False)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.form.show_faults(faults)
        self._fit()

    def _fit(self) -> None:
        """As high as its words need at its width: a layout of wrapping text does not say so by itself."""
        layout = self.layout()
        width = max(self.width(), self._width) if self.isVisible() else self._width
        if layout is not None:
            layout.activate()
            self.resize(width, layout.totalHeightForWidth(width))


def quarantine_dialog(office: Office, units: tuple[str, ...], parent: QWidget) -> ActDialog:
    """Take vials out of use, with the reason; 'succeeded' gives the event."""

    def work(act: Act, values: dict[str, str]) -> Event:
        return quarantine(office.desk, act, QuarantineForm(units, **values))

    dialog = ActDialog(
        office,
        f"Quarantine {vials_count(len(units))}",
        f"{unit_ranges(units)} must not be used from now on, until the supporter permits it in writing. "
        "Tell the supporter as well (Protocol §\u00a08.2).",
        "&Quarantine",
        [
            TextField(
                "reason", "&Reason", required=True, max_length=300, placeholder="for example: refrigerator at 11 °C"
            )
        ],
        work,
        name="quarantine_dialog",
        busy="Recording the quarantine",
        parent=parent,
    )
    dialog.add_done_time()
    return dialog


def print_dialog(
    office: Office,
    title: str,
    text: str,
    work: Callable[[Act, str], Any],
    parent: QWidget,
) -> ActDialog:
    """Print again, with the reason that goes on the record; 'succeeded' gives the printed paper."""
    return ActDialog(
        office,
        title,
        text,
        "&Print again",
        [TextField("why", "&Reason", required=True, max_length=300, placeholder="for example: label torn at the hood")],
        lambda act, values: work(act, values["why"]),
        name="print_dialog",
        busy="Printing again",
        parent=parent,
    )
