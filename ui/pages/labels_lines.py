"""Labels one by one: what each is for, its copy, whether it came out and was scanned back; void, print again."""

from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.events import Event
from pharmacy_app.services.behind import Entry, Thing
from pharmacy_app.services.desk import Act
from pharmacy_app.services.labelling import VoidForm, left_of, void_label
from pharmacy_app.services.ports import LabelFilter, Reader
from pharmacy_app.services.printers import LABEL_KINDS
from pharmacy_app.services.views import LabelLine
from ui.office import Office
from ui.pages.figure import Leads, lead_rows, named
from ui.pages.print_labels import print_labels_dialog
from ui.pages.stock_parts import ANY, MOMENT_WIDTH, ActDialog, FilterBar, TippedRows, fill_height, vials_count
from ui.pages.subjects_parts import FittingTable
from ui.theme import SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, TextField
from ui.widgets.tables import Column

STEP = 500
"""How many labels are asked for at once; 'Show older' adds as many again."""

_STATUS = {"printed": "not said yet", "out": "came out", "never out": "never came out"}
_SCANNED = ("vial", "opened vial", "bag", "light cover")
"""Kinds whose scan-back something waits for: the vial's use, the bag's release."""


class LabelRow:
    """A label as the table shows it."""

    def __init__(self, line: LabelLine) -> None:
        self.line = line
        self.printed_at: datetime = line.printed_at
        self.kind = f"{line.kind[:1].upper()}{line.kind[1:]}"
        self.number = line.number
        self.about = "–" if line.about == line.number else line.about
        self.place = f"{line.line} of print {line.event_seq}"
        # A copy after one that never came out is the first to come, and says nothing of a reprint.
        first = "first" if line.copy_number == 1 else str(line.copy_number)
        self.copy = f"{line.copy_number}, reprint" if line.reprint else first
        self.out = _STATUS.get(line.status) or f"void: {line.void_why}"
        self.scanned = "–"
        if line.scanned_at is not None:
            self.scanned = f"{say_moment(line.scanned_at)}, {line.scanned_by}"
        elif line.live and line.kind in _SCANNED:
            self.scanned = "not yet"
        about = "" if line.about == line.number else f" for {line.about}"
        where = f" on {line.printer}" if line.printer else ""
        why = f" Reason: {line.why}." if line.why else ""
        self.facts = f"{self.kind} label {line.number}{about}, {self.place}{where} by {line.printed_by}.{why}"

    @property
    def struck(self) -> bool:
        """Whether the label counts no more."""
        return not self.line.live


COLUMNS = (
    Column("printed_at", "Printed at", write=say_moment, width=MOMENT_WIDTH),
    Column("kind", "Label", width=120),
    Column("number", "Number", width=96),
    Column("about", "For", width=110, stretch=True),
    Column("copy", "Copy", width=84, tone=lambda row: "warn" if "reprint" in row.copy else ""),
    Column(
        "out",
        "Came out?",
        width=130,
        stretch=True,
        strikes=False,
        tone=lambda row: {"printed": "warn", "void": "stop"}.get(row.line.status, ""),
    ),
    Column(
        "scanned",
        "Scanned back",
        width=120,
        stretch=True,
        strikes=False,
        tone=lambda row: "warn" if row.scanned == "not yet" else "",
    ),
    Column("place", "Which", width=120),
)


@dataclass(frozen=True, slots=True)
class _Found:
    lines: tuple[LabelLine, ...]
    total: int
    left: frozenset[int]


def _find(reader: Reader, wanted: LabelFilter, limit: int) -> _Found:
    lines = tuple(reader.labels(wanted, limit=limit))
    stopped = {line.event_seq for line in lines if line.status in ("void", "never out")}
    answered = stopped - {line.event_seq for line in lines if line.status == "printed"}
    left = frozenset(seq for seq in answered if left_of(reader, seq))
    return _Found(lines, reader.count_labels(wanted), left)


class LabelLinesPanel(QWidget):
    """Every label, newest first. Signal ``rest(int print_seq)``: what is left of a print is to be printed."""

    rest = Signal(int)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("label_lines")
        self._office = office
        self._limit = STEP
        self._left: frozenset[int] = frozenset()
        self._words_found = ""
        self.text = TextField("line_text", "F&ind by number, place or person", max_length=60)
        self.kind = ChoiceField(
            "line_kind",
            "&Kind of label",
            [(ANY, "All labels"), *((kind, f"{kind[:1].upper()}{kind[1:]}") for kind in (*LABEL_KINDS, "light cover"))],
        )
        self.kind.set_value(ANY)
        filters = FilterBar([(self.text, 2), (self.kind, 1)], name="line_filters")
        filters.changed.connect(self.refresh)
        self.rows = TippedRows(COLUMNS, parent=self)
        self.table = FittingTable(
            self.rows,
            spare=("place", "about"),
            name="lines_table",
            label="Labels",
            empty_text="No label was printed that fits.",
            sortable=False,
            visible_rows=5,
        )
        fill_height(self.table, 200)
        behind: dict[str, Leads] = {"copy": lambda row: Entry(row.line.event_seq), "about": named("about")}
        lead_rows(office, self.table, behind, thing=lambda row: Thing(row.line.number))
        self.table.selectionModel().selectionChanged.connect(self._offer)
        self._words = Text("", "muted", name="lines_words")
        self.older_button = Button("Show o&lder", name="lines_older")
        self.void_button = Button("&Void…", name="label_void")
        self.rest_button = Button("Print what is le&ft…", name="label_rest", icon="print")
        self.again_button = Button("&Print this one again…", name="label_again", icon="print")
        self.older_button.clicked.connect(self._older)
        self.void_button.clicked.connect(self._void)
        self.rest_button.clicked.connect(self._print_rest)
        self.again_button.clicked.connect(self._again)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addStretch(1)
        for button in (self.older_button, self.void_button, self.rest_button, self.again_button):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(filters)
        column.addWidget(self.table, 1)
        column.addWidget(self._words)
        column.addLayout(foot)
        self.older_button.hide()
        self._offer()

    def refresh(self) -> None:
        """Ask anew for the labels."""
        kind = "" if self.kind.value() in (ANY, "") else self.kind.value()
        wanted, limit = LabelFilter(kind=kind, text=self.text.value()), self._limit
        self._office.ask(lambda reader: _find(reader, wanted, limit), self._got, self._office.say_trouble)

    def _got(self, found: _Found) -> None:
        chosen = {(row.line.event_seq, row.line.line) for row in self.table.selected_rows()}
        self._left = found.left
        self.rows.set_rows([LabelRow(line) for line in found.lines])
        for at, line in enumerate(found.lines):
            if (line.event_seq, line.line) in chosen:
                self.table.selectRow(at)
        self.older_button.setVisible(found.total > len(found.lines))
        self._words_found = f"{vials_count(found.total, 'label')}, newest first."
        self._offer()

    def _older(self) -> None:
        self._limit += STEP
        self.refresh()

    def _one(self) -> LabelRow | None:
        rows: list[LabelRow] = self.table.selected_rows()
        return rows[0] if len(rows) == 1 else None

    def _offer(self) -> None:
        row = self._one()
        choose = "Choose one label in the table." if row is None else ""
        void = self._office.why_not("label_voided") or choose
        again = self._office.why_not("paper_printed") or choose
        if row is not None and not void and not row.line.live:
            void = f"This label {'is void already' if row.line.status == 'void' else 'never came out'}."
        if row is not None and not again and row.line.kind == "light cover":
            again = "The light cover's label prints with the bag's."
        rest = "" if row is not None and row.line.event_seq in self._left and not again else "Nothing is left to print."
        for button, why in ((self.void_button, void), (self.again_button, again), (self.rest_button, rest)):
            button.setEnabled(not why)
            button.setToolTip(why)
        self.rest_button.setVisible(not rest)
        self._words.setText(f"{self._words_found} {row.facts if row and not again else again}".strip())

    def _void(self) -> None:
        row = self._one()
        if row is None:
            return
        desk, line = self._office.desk, row.line

        def work(act: Act, values: dict[str, str]) -> Event:
            return void_label(desk, act, VoidForm(line.event_seq, line.line, values["why"]))

        waits = " Until a new label is printed and scanned back, the vial is not used." if line.kind == "vial" else ""
        dialog = ActDialog(
            self._office,
            f"Void the {line.kind} label {line.number}",
            f"Label {row.place}. It stays in this list and is never scanned back. Destroy it.{waits}",
            "&Void the label",
            [TextField("why", "&Reason", required=True, max_length=300, placeholder="for example: torn, wrong vial")],
            work,
            name="label_void_dialog",
            busy="Voiding the label",
            parent=self,
        )
        dialog.succeeded.connect(self._voided)
        dialog.open()

    def _voided(self, event: Event) -> None:
        self._office.messages.ok(f"The label of {event.content['number']} is void (event {event.seq}).")
        self._office.changed.emit()

    def _print_rest(self) -> None:
        row = self._one()
        if row is not None:
            self.rest.emit(row.line.event_seq)

    def _again(self) -> None:
        row = self._one()
        if row is None:
            return
        line = row.line
        about = line.number if line.kind in ("vial", "opened vial", "bag") else line.about
        if line.kind in ("syringe", "quarantine"):
            # One thing may have several of these: they print together.
            about = line.number
        print_labels_dialog(self._office, line.kind, (about,), f"{row.kind} label {line.number}", self)
