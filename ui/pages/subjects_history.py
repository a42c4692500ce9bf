"""Everything stated of one subject's treatment, the newest first, and withdrawing a slip."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.events import Event
from pharmacy_app.services import treatment
from pharmacy_app.services.behind import Entry
from pharmacy_app.services.desk import Act
from ui.office import Office
from ui.pages.figure import lead_rows
from ui.pages.stock_parts import MOMENT_WIDTH, ActDialog, TippedRows
from ui.pages.subjects_facts import Statement, SubjectFacts
from ui.pages.subjects_parts import FittingTable
from ui.theme import SPACE_M, TYPE_BODY, Theme, base_font
from ui.widgets.basics import Button, Text
from ui.widgets.fields import NoteField
from ui.widgets.panels import Card, KeyValues
from ui.widgets.tables import Column


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A line of the history."""

    statement: Statement
    recorded_at: datetime
    kind: str
    what: str
    recorder: str


class _History(TippedRows):
    """Statements whose lines are struck through once they were withdrawn; the word stands in the line too."""

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The struck font and the quiet colour of withdrawn lines; all else as the kit has it."""
        if role in (Qt.ItemDataRole.FontRole, Qt.ItemDataRole.ForegroundRole) and index.isValid():
            row = self.row_object(index.row())
            if isinstance(row, HistoryRow) and row.statement.withdrawn:
                return _struck() if role == Qt.ItemDataRole.FontRole else QColor(Theme.tokens.muted)
        return super().data(index, role)


def _struck() -> Any:
    font = base_font(TYPE_BODY)
    font.setStrikeOut(True)
    return font


class HistoryView(QWidget):
    """The table, the chosen statement in full, and the button that withdraws it. Signal ``withdrawn()``."""

    withdrawn = Signal()

    def __init__(self, office: Office) -> None:
        super().__init__()
        self._office = office
        self._number = ""
        self._shown: Statement | None = None
        self._rows = _History(
            (
                Column("recorded_at", "Recorded at", write=say_moment, width=MOMENT_WIDTH),
                Column("kind", "Statement", width=120),
                Column("what", "What", stretch=True),
                Column("recorder", "Recorded by"),
            ),
            parent=self,
        )
        self.table = FittingTable(
            self._rows,
            spare=("recorder",),
            name="history_table",
            label="Statements on treatment",
            empty_text="Nothing was stated yet. “Record a statement” begins.",
            visible_rows=8,
        )
        self.table.row_chosen.connect(self._choose)
        lead_rows(office, self.table, thing=lambda row: Entry(row.statement.event_seq))
        card = Card(
            "History", "Every statement on treatment, the newest first. Withdrawn ones stay, struck through.",
            name="history_card",
        )  # fmt: skip
        card.add(self.table)
        self._pairs = KeyValues(columns=1, name="statement_facts")
        self._hint = Text("Choose a line to read all of it.", "muted", name="history_hint")
        self.button = Button("&Withdraw…", name="withdraw", kind="danger")
        self.button.clicked.connect(self.ask)
        self._chosen = Card("The chosen statement", name="statement_card")
        self._chosen.head.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self._chosen.add(self._pairs)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(card)
        column.addWidget(self._hint)
        column.addWidget(self._chosen)
        column.addStretch(1)
        self._show_statement(None)

    def show_facts(self, facts: SubjectFacts) -> None:
        """Show one subject's statements; the chosen one stays chosen."""
        kept = self._shown.event_seq if self._shown is not None and facts.number == self._number else None
        self._number = facts.number
        self._rows.set_rows([_row(statement) for statement in facts.statements])
        rows = self._rows.rows()
        at = next((at for at, row in enumerate(rows) if row.statement.event_seq == kept), None)
        if at is None:
            self._show_statement(None)
        else:
            self.table.selectRow(at)
            self._show_statement(rows[at].statement)
        self._hint.setVisible(bool(rows) and self._shown is None)

    def _choose(self, row: HistoryRow) -> None:
        self._show_statement(row.statement)

    def _show_statement(self, statement: Statement | None) -> None:
        self._shown = statement
        self._chosen.setVisible(statement is not None)
        self._hint.setVisible(statement is None and self._rows.rowCount() > 0)
        if statement is None:
            return
        pairs = [
            ("Statement", statement.kind),
            ("Day", "" if statement.on is None else say_day(statement.on)),
            ("What", statement.what),
            ("Recorded by", f"{statement.recorder}, {say_moment(statement.recorded_at)}"),
            ("Reason", statement.why),
        ]
        if statement.withdrawn:
            pairs += [("Withdrawn by", statement.withdrawn_by), ("Withdrawn because", statement.withdrawn_why)]
        self._pairs.set_pairs(pairs)
        why_not = self._office.why_not("statement_withdrawn")
        self.button.setVisible(not statement.withdrawn)
        self.button.setEnabled(not why_not)
        self.button.setToolTip(why_not)

    def ask(self) -> None:
        """Ask for the reason and withdraw the chosen statement."""
        statement, number, desk = self._shown, self._number, self._office.desk
        if statement is None:
            return
        seq = statement.event_seq

        def work(act: Act, values: dict[str, str]) -> Event:
            return treatment.withdraw(desk, act, treatment.WithdrawForm(number, seq, values["withdraw_why"]))

        dialog = ActDialog(
            self._office,
            f"Withdraw the statement “{statement.kind}”",
            f"{statement.what} It no longer counts for any dose and stays readable, struck through, with your reason.",
            "&Withdraw",
            [NoteField("withdraw_why", "&Reason", required=True, lines=2)],
            work,
            name="withdraw_dialog",
            busy="Withdrawing the statement",
            parent=self,
        )
        dialog.succeeded.connect(self._did)
        dialog.open()

    def _did(self, _event: Event) -> None:
        self._office.messages.ok("The statement is withdrawn. It stays readable in the history.")
        self.withdrawn.emit()


def _row(statement: Statement) -> HistoryRow:
    kind = f"{statement.kind} – withdrawn" if statement.withdrawn else statement.kind
    return HistoryRow(statement, statement.recorded_at, kind, statement.what, statement.recorder)
