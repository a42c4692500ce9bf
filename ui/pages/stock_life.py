"""One vial's life on screen: what it is, every ledger line it stands on, its mg ledger, and what may be done."""

from decimal import Decimal
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import move_table
from pharmacy_app.services.desk import Act
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import Printed, PrintForm, print_vial_labels
from pharmacy_app.services.views import MgLine, VialLife
from ui.office import Office
from ui.pages.stock_parts import (
    LEDGER_BRIEF,
    TippedRows,
    document_dialog,
    print_dialog,
    quarantine_dialog,
    say_mg,
    state_says,
    state_tone,
)
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.panels import Banner, Card, KeyValues
from ui.widgets.tables import DataTable


def life_of(reader: Reader, unit_number: str) -> VialLife:
    """A vial's life; raises ``Refused`` when there is no such vial."""
    life = reader.vial_life(unit_number)
    if life is None:
        raise Refused(Fault("unit_number", f"There is no vial {unit_number} in this pharmacy."))
    return life


def mg_pairs(mg: MgLine) -> list[tuple[str, str]]:
    """The mg ledger of an opened vial as a sum that can be followed: labelled = withdrawn + residue + discarded."""

    def amount(value: Decimal | None) -> str:
        return "not closed yet" if value is None else f"{show(value)} mg"

    if mg.residue_mg is None or mg.discarded_mg is None:
        left = mg.labelled_mg - mg.withdrawn_mg
        closing = f"Open: {show(left)} mg still to be closed as residue and discarded."
    else:
        whole = mg.withdrawn_mg + mg.residue_mg + mg.discarded_mg
        sign = "=" if whole == mg.labelled_mg else "≠"
        closing = (
            f"{show(mg.withdrawn_mg)} + {show(mg.residue_mg)} + {show(mg.discarded_mg)} mg {sign} "
            f"{show(mg.labelled_mg)} mg labelled"
        )
    return [
        ("Labelled", f"{show(mg.labelled_mg)} mg"),
        ("Withdrawn", amount(mg.withdrawn_mg)),
        ("Residue", amount(mg.residue_mg)),
        ("Discarded", amount(mg.discarded_mg)),
        ("Closes", closing),
    ]


class VialLifeDialog(QDialog):
    """A vial opened from a table or a scan; acts are offered as its state and the person's role allow."""

    def __init__(self, office: Office, life: VialLife, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("vial_life")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(940, 660)
        self._office = office
        self._life = life
        self._printing = office.act()
        self._title = Text("", "title", name="vial_life_title")
        self._state = Banner("info", "", name="vial_life_state")
        self._trouble = Banner("stop", "", name="vial_life_trouble")
        self._trouble.hide()
        self._facts = KeyValues(columns=2, name="vial_life_facts")
        self._lines = TippedRows(LEDGER_BRIEF)
        self._table = DataTable(
            self._lines, name="vial_life_lines", label="Ledger lines of this vial", sortable=False, visible_rows=6
        )
        self._mg = KeyValues(columns=1, name="vial_life_mg")
        self._mg_card = Card("mg ledger", "Every opened vial closes to withdrawn + residue + discarded.")
        self._mg_card.add(self._mg)
        self._lines_card = Card("Ledger lines", "Every move of this vial, in the order it was done.")
        self._lines_card.add(self._table)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(self._title)
        column.addWidget(self._trouble)
        column.addWidget(self._make_content(), 1)
        column.addLayout(self._make_foot())
        self._close.setFocus()
        self._show(life)

    def _make_content(self) -> QScrollArea:
        inner = QWidget()
        inner.setObjectName("scroll_content")
        content = QVBoxLayout(inner)
        content.setContentsMargins(0, 0, SPACE_S, 0)
        content.setSpacing(SPACE_M)
        facts = Card()
        facts.add(self._facts)
        for part in (self._state, facts, self._lines_card, self._mg_card):
            content.addWidget(part)
        content.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.viewport().setAutoFillBackground(False)
        area.setWidget(inner)
        inner.setAutoFillBackground(False)
        return area

    def _make_foot(self) -> QHBoxLayout:
        self.quarantine_button = Button("&Quarantine…", name="vial_life_quarantine", kind="danger")
        self.document_button = Button("&Release with document…", name="vial_life_release")
        self.label_button = Button("&Print its label…", name="vial_life_label", icon="print")
        self.dose_button = Button("&Go to its dose", name="vial_life_dose")
        close = Button("&Close", name="vial_life_close")
        self.quarantine_button.clicked.connect(self._quarantine)
        self.document_button.clicked.connect(self._release)
        self.label_button.clicked.connect(self._label)
        self.dose_button.clicked.connect(self._go_to_dose)
        close.clicked.connect(self.accept)
        close.setDefault(True)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self.dose_button)
        foot.addStretch(1)
        for button in (self.quarantine_button, self.document_button, self.label_button, close):
            foot.addWidget(button)
        self._close = close
        return foot

    def _show(self, life: VialLife) -> None:
        self._life = life
        vial = life.vial
        title = f"Vial {vial.unit_number}"
        self.setWindowTitle(title)
        self._title.setText(f"{title} · {say_mg(vial.strength_mg)} · lot {vial.lot}")
        kind = {"available": "ok", "held": "warn", "quarantined": "stop"}.get(vial.state, "info")
        why = f" {vial.hold_reason[0].upper()}{vial.hold_reason[1:]}." if vial.hold_reason else ""
        self._state.set_message(kind, f"{state_says(vial.state)}.{why}", word=vial.state.capitalize())
        self._facts.set_pairs(
            [
                ("Strength", say_mg(vial.strength_mg)),
                ("Last usable day", say_day(vial.expires_on)),
                ("Lot", vial.lot),
                ("Kit number", vial.kit_number),
                ("Place", vial.place),
                ("Shipment", vial.shipment_number),
                ("State", vial.state),
                ("Dose", vial.dose_id),
            ]
        )
        self._lines.set_rows(life.lines)
        self._mg_card.setVisible(life.mg is not None)
        if life.mg is not None:
            self._mg.set_pairs(mg_pairs(life.mg))
        self._offer(
            self.quarantine_button, "vials_quarantined", vial.state in move_table().moves["quarantine"].from_states
        )
        self._offer(self.document_button, "quarantine_lifted", vial.state in ("held", "quarantined"))
        self._offer(self.label_button, "paper_printed", True)
        self.dose_button.setVisible(bool(vial.dose_id))
        self._state.setProperty("tone", state_tone(vial.state))

    def _offer(self, button: Button, kind: str, possible: bool) -> None:
        button.setVisible(possible)
        button.setEnabled(self._office.may(kind))
        button.setToolTip(self._office.why_not(kind))

    def _quarantine(self) -> None:
        dialog = quarantine_dialog(self._office, (self._life.vial.unit_number,), self)
        dialog.succeeded.connect(self._moved)
        dialog.open()

    def _release(self) -> None:
        vial = self._life.vial
        dialog = document_dialog(self._office, (vial.unit_number,), vial.hold_reason, self)
        dialog.succeeded.connect(self._moved)
        dialog.open()

    def _moved(self, _event: object) -> None:
        number = self._life.vial.unit_number
        self._office.messages.ok(f"Vial {number}: the move was recorded.")
        self._office.changed.emit()
        self._office.ask(partial(life_of, unit_number=number), self._show, self._failed)

    def _label(self) -> None:
        """Print at once the first time; a further copy asks for its reason."""
        number = self._life.vial.unit_number
        self._office.ask(partial(_copies, unit_number=number), self._label_counted, self._failed)

    def _label_counted(self, copies: int) -> None:
        desk, number = self._office.desk, self._life.vial.unit_number
        if copies == 0:
            act = self._printing
            self.label_button.setEnabled(False)
            self._office.do(
                lambda: print_vial_labels(desk, act, PrintForm((number,))),
                self._printed,
                self._failed,
                busy="Printing the label",
            )
            return

        def work(act: Act, why: str) -> Printed:
            return print_vial_labels(desk, act, PrintForm((number,), why))

        dialog = print_dialog(
            self._office,
            f"Print the label of {number} again",
            f"It was printed {copies} time{'s' if copies > 1 else ''} before. The new label says REPRINT; take the "
            "old one off and destroy it.",
            work,
            self,
        )
        dialog.succeeded.connect(self._printed)
        dialog.open()

    def _printed(self, printed: Printed) -> None:
        number = self._life.vial.unit_number
        self._printing = self._office.act()
        self.label_button.setEnabled(True)
        self._office.changed.emit()
        self._office.show_paper(f"Vial label {number}", f"vial-label-{number}.pdf", printed, self)

    def _go_to_dose(self) -> None:
        self._office.go.emit("prepare", self._life.vial.dose_id)
        self.accept()

    def _failed(self, trouble: Exception) -> None:
        self.label_button.setEnabled(self._office.may("paper_printed"))
        self._trouble.set_message("stop", str(trouble))
        self._trouble.show()


def _copies(reader: Reader, unit_number: str) -> int:
    return len(reader.printed(about=unit_number, paper="vial label"))
