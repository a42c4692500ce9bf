"""Closing the study's books: what became of every vial, what is still open, and the two signatures at zero."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.counts import CONTAINERS, VIALS, states_of
from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import GONE_ASTRAY
from pharmacy_app.services.about import lot_name
from pharmacy_app.services.behind import Received, Stock, Thing
from pharmacy_app.services.closeout import (
    Books,
    CloseOutForm,
    OpenItem,
    books,
    close_out,
    close_out_number,
    print_close_out,
)
from pharmacy_app.services.printing import Printed
from pharmacy_app.services.views import CloseOutLine
from ui.office import Office
from ui.pages.counts_parts import ROW_HEIGHT, add_signatures, credentials_of, faults_of, forget_passwords
from ui.pages.figure import Leads, lead_rows
from ui.pages.stock_parts import TippedRows, hide_empty_columns, say_at, say_mg, vials_count
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, IconView, Text, clear_layout, rule
from ui.widgets.fields import Form, NoteField
from ui.widgets.panels import Banner, Card, EmptyState
from ui.widgets.tables import Column, DataTable

SHOWN = 12
"""So many open items are listed; the others come into sight as these are settled."""


class _Item(QWidget):
    """One open item with the way to where it is settled. ``chosen(object item)``."""

    chosen = Signal(object)

    def __init__(self, item: OpenItem, name: str) -> None:
        super().__init__()
        self.item = item
        words = Text(item.words, name=f"{name}_words")
        words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.button = Button("Go there", name=f"{name}_go")
        self.button.setAccessibleName(f"Go there: {item.words}")
        self.button.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, SPACE_S, 0, SPACE_S)
        row.setSpacing(SPACE_S)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(IconView("warn", "warn"), 0, top)
        row.addWidget(Text("Open", "label", tone="warn", wrap=False), 0, top)
        row.addWidget(words, 1)
        row.addWidget(self.button, 0, top)

    def _choose(self) -> None:
        self.chosen.emit(self.item)


class _Line:
    """A line of the books as the table shows it."""

    def __init__(self, line: CloseOutLine) -> None:
        self.line = line
        self.left = line.on_site + line.containers
        self.check = ("zero" if not self.left else "not zero") if line.balances else "does NOT add up"

    def __getattr__(self, name: str) -> object:
        return getattr(self.line, name)


def _check_tone(row: _Line) -> str:
    return {"zero": "ok", "not zero": "warn"}.get(row.check, "stop")


def _now(states: tuple[str, ...]) -> Leads:
    return lambda row: Stock(row.strength_mg, row.lot, states=states)


_NOW = {
    "returned": _now(("returned",)),
    "transferred": _now(("transferred",)),
    "destroyed": _now(("destroyed",)),
    "missing": _now(tuple(GONE_ASTRAY)),
    "on_site": _now(states_of(VIALS)),
    "containers": _now(states_of(CONTAINERS)),
}
"""What is behind the numbers of a line of the books."""


class CloseOutView(QWidget):
    """How the books stand, and their closing. Signal ``look_at(object widget)``."""

    look_at = Signal(object)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("close_out_view")
        self._office = office
        self._act = office.act()
        self._print_act = office.act()
        self._books = Books((), (), None)
        self._busy = False
        self._standing = Banner("info", "", name="close_out_standing")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self._standing)
        self._empty = EmptyState(
            "No vial was received yet",
            "At the end of the study the books of every strength and lot are closed here, once nothing is open.",
            icon="counts",
            name="close_out_empty",
        )
        column.addWidget(self._empty)
        self._lines = self._make_lines()
        self._items = self._make_items()
        self._sign = self._make_sign()
        for part in (self._lines, self._items, self._sign):
            column.addWidget(part)
            part.hide()
        column.addStretch(1)
        self._standing.hide()
        self._empty.hide()

    # -- parts

    def _make_lines(self) -> QWidget:
        card = Card("What became of every vial", "Per strength and lot, all places together.", name="close_out_lines")
        self.print_button = Button("&Print the report", name="close_out_print", icon="print")
        self.print_button.clicked.connect(self._print)
        card.head.addWidget(self.print_button, 0, Qt.AlignmentFlag.AlignTop)
        self._rows = TippedRows(
            (
                Column("strength_mg", "Strength", write=say_mg, numeric=True),
                Column("lot", "Lot", width=110),
                Column("received", "Received", numeric=True),
                Column("returned", "Returned", numeric=True),
                Column("transferred", "Transf.", numeric=True),
                Column("destroyed", "Destr.", numeric=True),
                Column("missing", "Missing", numeric=True),
                Column("on_site", "Unopened", numeric=True),
                Column("containers", "Used", numeric=True),
                Column("check", "On site", stretch=True, tone=_check_tone),
            ),
            parent=self,
        )
        self.table = DataTable(self._rows, name="close_out_table", label="What became of every vial", sortable=False)
        lead_rows(
            self._office,
            self.table,
            {"received": lambda row: Received(row.strength_mg, row.lot), **_NOW},
            thing=lambda row: Thing(lot_name(row.lot, row.strength_mg)),
        )
        card.add(self.table)
        return card

    def _make_items(self) -> QWidget:
        card = Card("Still open", "The books are closed when nothing is listed here.", name="close_out_items")
        self._item_rows = QVBoxLayout()
        self._item_rows.setSpacing(0)
        card.body.addLayout(self._item_rows)
        return card

    def _make_sign(self) -> QWidget:
        card = Card(
            "Close the books",
            "A pharmacist and the supporter's monitor sign here; the investigator signs the printed report in ink.",
            name="close_out_sign",
        )
        self.form = Form(name="close_out_form")
        self.form.add(NoteField("note", "&Note", lines=2), span=2)
        add_signatures(
            self.form,
            self._office,
            "I close the books.",
            "The supporter's monitor has reviewed the close-out and signs with their own password.",
            self.sign,
            names="monitor",
        )
        card.add(self.form)
        self.verb = Button("S&ign the close-out", name="close_out_do", kind="primary", icon="sign")
        self.verb.clicked.connect(self.sign)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.verb)
        card.body.addLayout(row)
        self.form.mark_clean()
        return card

    # -- what is shown

    def refresh(self) -> None:
        """Ask how the books stand; what was typed stays."""
        self._office.ask(books, self._got, self._office.say_trouble)

    def is_dirty(self) -> bool:
        """Whether a note or a name was typed."""
        return self.form.is_dirty()

    def _got(self, stand: Books) -> None:
        self._books = stand
        self._rows.set_rows([_Line(line) for line in stand.lines])
        hide_empty_columns(self.table, ("returned", "transferred", "destroyed", "missing", "containers"))
        self.table.setFixedHeight(ROW_HEIGHT * (min(max(len(stand.lines), 1), 8) + 1) + 4)
        self._empty.setVisible(not stand.lines)
        self._lines.setVisible(bool(stand.lines))
        self._items.setVisible(bool(stand.open_items))
        clear_layout(self._item_rows)
        for at, item in enumerate(stand.open_items[:SHOWN], start=1):
            if at > 1:
                self._item_rows.addWidget(rule())
            row = _Item(item, f"open_item_{at}")
            row.chosen.connect(self._go)
            self._item_rows.addWidget(row)
        more = len(stand.open_items) - SHOWN
        if more > 0:
            self._item_rows.addWidget(Text(f"And {more} more.", "muted", name="open_items_more"))
        closed = stand.last is not None and not stand.reopened
        pharmacist = self._office.may("study_closed_out") and not self._office.is_monitor
        self._sign.setVisible(bool(stand.lines) and not stand.open_items and not closed and pharmacist)
        self._show_standing(stand, closed=closed, pharmacist=pharmacist)

    def _show_standing(self, stand: Books, *, closed: bool, pharmacist: bool) -> None:
        self._standing.setVisible(bool(stand.lines))
        if closed and stand.last is not None:
            at = say_at(stand.last.closed_at, self._office.site.time_zone)
            number = close_out_number(stand.last.event_seq)
            self._standing.set_message(
                "ok", f"The books were closed on {at}, signed by {stand.last.signed_by} ({number}).", word="Closed"
            )
            return
        since = f" They were closed once, as {close_out_number(stand.last.event_seq)}." if stand.last else ""
        if stand.open_items:
            count = vials_count(len(stand.open_items), "item")
            words = f"{count} {'keeps' if len(stand.open_items) == 1 else 'keep'} the books open.{since}"
            self._standing.set_message("info", words, word="Open")
        else:
            who = "" if pharmacist else " A pharmacist begins, signed in; the monitor signs second."
            self._standing.set_message("info", f"Nothing is open: the books can be closed.{since}{who}", word="Ready")

    def _go(self, item: OpenItem) -> None:
        self._office.go.emit(item.page, item.what)

    # -- the acts

    def sign(self) -> None:
        """Close the books with what stands in the form."""
        if self._busy:
            return
        if not self.form.check():
            self.look_at.emit(next(field for field in self.form.fields() if field.fault()))
            return
        values = self.form.values()
        own, monitor = credentials_of(values, "monitor")
        desk, act, form = self._office.desk, self._act, CloseOutForm(values["note"])
        self._set_busy(True)
        self._office.do(
            lambda: close_out(desk, act, form, own, monitor), self._did, self._did_not, busy="Closing the books"
        )

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.verb.setEnabled(not busy)

    def _did(self, event: Event) -> None:
        self._set_busy(False)
        self._act = self._office.act()
        for field in self.form.fields():
            if field.name != "user_name":
                field.set_value("")
        self.form.clear_faults()
        self.form.mark_clean()
        self._office.messages.ok(f"The books are closed: {close_out_number(event.seq)}. Print it for the investigator.")
        self._office.changed.emit()

    def _did_not(self, trouble: Exception) -> None:
        self._set_busy(False)
        forget_passwords(self.form)
        faults: tuple[Fault, ...] = faults_of(trouble)
        self.form.show_faults(faults)
        self.look_at.emit(self.form)

    def _print(self) -> None:
        stand = self._books
        closed = stand.last is not None and not stand.reopened
        number = close_out_number(stand.last.event_seq) if closed and stand.last else ""
        desk, act = self._office.desk, self._print_act
        self.print_button.setEnabled(False)

        def work() -> Printed:
            return print_close_out(desk, act, number)

        self._office.do(work, self._printed, self._not_printed, busy="Printing the close-out report")

    def _printed(self, printed: Printed) -> None:
        self._print_act = self._office.act()
        self.print_button.setEnabled(True)
        about = printed.event.content["papers"][0]["about"]
        name = "close-out" if about == "as it stands" else about.lower()
        self._office.show_paper(f"Close-out report, {about}", f"{name}.pdf", printed, self)
        self._office.changed.emit()

    def _not_printed(self, trouble: Exception) -> None:
        self.print_button.setEnabled(True)
        self._office.say_trouble(trouble)
