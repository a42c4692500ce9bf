"""How vials move: the one table of states and moves, drawn, and to read with what each move needs."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFrame, QScrollArea, QVBoxLayout, QWidget

from pharmacy_app.domain.move_diagram import BACK, OUTSIDE, SAME, move_diagram
from pharmacy_app.domain.vials import Move, move_table
from ui.pages.stock_parts import ANY, TippedRows, fill_height, state_says
from ui.pages.subjects_parts import FittingTable
from ui.theme import SPACE_S
from ui.widgets.basics import Text
from ui.widgets.fields import ChoiceField
from ui.widgets.move_diagram import MoveDiagramView
from ui.widgets.panels import Card
from ui.widgets.tables import Column


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One move of the table in words."""

    move: Move
    name: str
    way: str
    needs: str
    record: str
    section: str


def move_rows(state: str = "") -> list[MoveRow]:
    """The moves that start from a state or end in it, '' for all, in the order of the table."""
    table = move_table()
    return [
        MoveRow(
            move,
            f"{move.name[:1].upper()}{move.name[1:]}",
            f"{', '.join(move.from_states) or OUTSIDE} → {move.to_state or (BACK if move.back else SAME)}",
            ", ".join(table.proofs[name].says for name in move.needs) or "–",
            move.transaction or "–",
            move.section,
        )
        for move in table.moves.values()
        if state in ("", move.to_state, *move.from_states)
    ]


class MovesView(QWidget):
    """The moves as a drawing, and as a list: from → to, what it takes, the word of the record, the section."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("moves_view")
        states = [(state.name, f"{state.name.capitalize()}: {state.says}") for state in move_table().states.values()]
        self.state = ChoiceField("moves_state", "Moves of a vial that &is", [(ANY, "In any state"), *states])
        self.state.set_value(ANY)
        # The longest sentence of a state must not make the page wider than the window.
        self.state.editor().setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.state.editor().setMinimumContentsLength(24)
        self.state.changed.connect(self._show)
        self._rows = TippedRows(
            (
                Column("name", "Move"),
                Column("way", "From → to", width=400),
                Column("needs", "Takes", stretch=True, width=220),
                Column("record", "On the record"),
                Column("section", "§"),
            ),
            parent=self,
        )
        self.table = FittingTable(
            self._rows,
            spare=("record", "section"),
            name="moves_table",
            label="How vials move",
            empty_text="No move starts from this state or ends in it.",
            visible_rows=0,
            sortable=False,
        )
        fill_height(self.table, 220)
        self.table.row_chosen.connect(self._say)
        self._said = Text("", name="moves_said")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        self.diagram = MoveDiagramView(move_diagram(move_table()), name="moves_diagram", label="How vials move, drawn")
        drawing = QScrollArea()
        drawing.setObjectName("moves_drawing")
        drawing.setFrameShape(QFrame.Shape.NoFrame)
        drawing.setWidgetResizable(True)
        drawing.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        drawing.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        drawing.setWidget(self.diagram)
        bar = drawing.horizontalScrollBar().sizeHint().height()
        drawing.setFixedHeight(self.diagram.sizeHint().height() + bar)
        card = Card(name="moves_card")
        card.add(drawing)
        column.addWidget(self.state)
        column.addWidget(card)
        column.addWidget(self.table, 1)
        column.addWidget(self._said)
        self._show()

    def _show(self) -> None:
        state = self.state.value()
        self._rows.set_rows(move_rows("" if state == ANY else state))
        self.diagram.show_state("" if state == ANY else state)
        self._said.setText("A move that is not in this list does not exist. Choose one to read it whole.")

    def _say(self, row: MoveRow) -> None:
        move = row.move
        says = (
            state_says(move.to_state)
            if move.to_state
            else "It is again what it was"
            if move.back
            else "Its place or its label changes, not its state"
        )
        sentences = [
            f"{row.name}: {row.way}. {says}.",
            f"It takes {row.needs}." if move.needs else "",
            move.otherwise,
            f"On the accountability record it is {row.record}." if move.transaction else "",
            "A correction can take it back while it is the vial's last move." if move.undo else "",
            f"Protocol §\u00a0{move.section}.",
        ]
        self._said.setText(" ".join(sentence for sentence in sentences if sentence))
