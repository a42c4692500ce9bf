"""The monitor's accountability of used containers: what waits for it, and the signature that it was done."""

from collections import Counter
from dataclasses import dataclass

from PySide6.QtCore import QItemSelection, QItemSelectionModel
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import Vial, move_table
from pharmacy_app.services.desk import Credentials
from pharmacy_app.services.disposition import AccountForm, account_for
from pharmacy_app.services.ports import Reader, VialFilter
from pharmacy_app.services.printing import unit_ranges
from ui.office import Office
from ui.pages.figure import lead_rows, named
from ui.pages.monitor_reconciled import ReconciledCard
from ui.pages.stock_parts import ANY, TippedRows, say_mg, state_tone, vials_count
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, NoteField
from ui.widgets.panels import Card, SignatureBox
from ui.widgets.tables import Column, DataTable

MAX_SHOWN = 500
"""So many containers of one state are listed at once; the others follow when these are accounted for."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The containers that wait for accountability, how many there are in all, and opened vials not yet closed."""

    vials: tuple[Vial, ...]
    total: int
    opened: int


def waiting_of(reader: Reader) -> Waiting:
    """Containers that may be destroyed once the monitor has accounted for them, by strength, lot and number."""
    vials: list[Vial] = []
    total = 0
    for state in move_table().moves["destroy"].from_states:
        wanted = VialFilter(state=state, accounted=False)
        total += reader.count_vials(wanted)
        vials += reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=MAX_SHOWN)
    vials.sort(key=lambda vial: (vial.strength_mg, vial.lot, vial.unit_number))
    return Waiting(tuple(vials), total, reader.count_vials(VialFilter(state="opened")))


def _lot_of(vial: Vial) -> str:
    return f"{say_mg(vial.strength_mg)}, lot {vial.lot}"


class AccountabilityCard(Card):
    """What waits for the monitor, all or some of it chosen, and the monitor's signature."""

    def __init__(self, office: Office) -> None:
        super().__init__(
            "Accountability of used containers",
            "Empty, partly used and broken containers stay until the supporter's monitor has accounted for them; only"
            " then may they be destroyed (§\u00a08.2).",
            name="accountability_card",
        )
        self._office = office
        self._act = office.act()
        self._waiting = Waiting((), 0, 0)
        self.lot = ChoiceField("account_lot", "St&rength and lot", [(ANY, "All that wait")])
        self.lot.set_value(ANY)
        self.lot.changed.connect(self._show_rows)
        self.add(self.lot)
        self._rows = TippedRows(
            (
                Column("unit_number", "Unit no."),
                Column("strength_mg", "Strength", numeric=True, write=say_mg),
                Column("lot", "Lot"),
                Column("state", "State", tone=lambda vial: state_tone(vial.state)),
                Column("dose_id", "Dose", write=lambda text: text or "–"),
                Column("place", "Place", stretch=True),
            ),
            parent=self,
        )
        self.table = DataTable(
            self._rows,
            name="account_table",
            label="Containers that wait for accountability",
            empty_text="No container waits for accountability.",
            visible_rows=5,
            sortable=False,
        )
        self.table.selectionModel().selectionChanged.connect(self._count)
        lead_rows(office, self.table, {"dose_id": named("dose_id")}, thing=named("unit_number"))
        self.add(self.table)
        self._said = Text("", "muted", name="account_said")
        self.all_button = Button("Ch&oose all", name="account_all")
        self.all_button.clicked.connect(self.table.selectAll)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self._said, 1)
        row.addWidget(self.all_button)
        self.body.addLayout(row)
        self._opened = Text("", "small", name="account_opened")
        self.add(self._opened)
        why_not = office.why_not("vials_accounted")
        self._why_not = Text(f"Signing: {why_not}", "small", name="account_why_not")
        self._why_not.setVisible(bool(why_not))
        self.add(self._why_not)
        self.note = NoteField("account_note", "&Note", lines=2)
        self.add(self.note)
        self.signature = SignatureBox(
            "Signature", "", "S&ign the accountability", name="account_signature", primary=False
        )
        self.signature.set_user(office.session.user_name, fixed=True)
        self.signature.sign_requested.connect(self._sign)
        self.add(self.signature)
        self._signs: tuple[QWidget, ...] = (self.note, self.signature, self.all_button)
        self._may = not why_not
        self._show_rows()

    def is_dirty(self) -> bool:
        """Whether a note was begun."""
        return bool(self.note.value())

    # -- what is shown

    def show_waiting(self, waiting: Waiting) -> None:
        """Show what waits now; what was chosen and still waits stays chosen."""
        self._waiting = waiting
        lots = Counter(_lot_of(vial) for vial in waiting.vials)
        choices = [(ANY, f"All that wait: {vials_count(waiting.total, 'container')}")]
        choices += [(lot, f"{lot}: {vials_count(count, 'container')}") for lot, count in lots.items()]
        self.lot.set_choices(choices)
        if not self.lot.value():
            self.lot.set_value(ANY)
        self._show_rows()

    def _show_rows(self) -> None:
        lot = self.lot.value()
        rows = [vial for vial in self._waiting.vials if lot in (ANY, "", _lot_of(vial))]
        chosen = {vial.unit_number for vial in self.table.selected_rows()}
        self._rows.set_rows(rows)
        kept = QItemSelection()
        for at, vial in enumerate(rows):
            if vial.unit_number in chosen:
                index = self._rows.index(at, 0)
                kept.select(index, index)
        rows_too = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        self.table.selectionModel().select(kept, rows_too)
        for widget in self._signs:
            widget.setVisible(self._may and bool(self._waiting.vials))
        self.lot.setVisible(bool(self._waiting.vials))
        opened = self._waiting.opened
        self._opened.setText(
            f"{vials_count(opened, 'opened vial')} not yet closed in the mg ledger: "
            f"{'it comes' if opened == 1 else 'they come'} here once closed."
        )
        self._opened.setVisible(bool(opened))
        self._count()

    def _count(self) -> None:
        chosen, shown, total = len(self._chosen()), self._rows.rowCount(), self._waiting.total
        if not self._may or not shown:
            self._said.setText(f"{vials_count(total, 'container')} waiting." if total else "")
        elif chosen:
            self._said.setText(f"{chosen} of {shown} chosen.")
        else:
            self._said.setText(f"{vials_count(shown, 'container')}. Choose those you have accounted for.")
        self.signature.set_meaning(
            f"I did the accountability of {vials_count(chosen, 'container')}: {unit_ranges(self._chosen())}."
            if chosen
            else "Choose the containers first."
        )

    def _chosen(self) -> tuple[str, ...]:
        return tuple(vial.unit_number for vial in self.table.selected_rows())

    # -- the act

    def _sign(self, user: str, password: str) -> None:
        desk, act, form = self._office.desk, self._act, AccountForm(self._chosen(), self.note.value())
        own = Credentials(user, password)
        self._office.do(
            lambda: account_for(desk, act, form, own),
            self._signed,
            self._not_signed,
            busy="Recording the accountability",
        )

    def _signed(self, event: Event) -> None:
        self.signature.set_fault("")
        self._act = self._office.act()
        self.note.set_value("")
        count = len(event.content["unit_numbers"])
        self._office.messages.ok(f"{vials_count(count, 'container')} accounted for (event {event.seq}).")
        self._office.changed.emit()

    def _not_signed(self, trouble: Exception) -> None:
        faults = trouble.faults if isinstance(trouble, Refused) else ()
        notes = [str(fault) for fault in faults if fault.field == "note"]
        others = [str(fault) for fault in faults if fault.field != "note"] if faults else [str(trouble)]
        self.signature.set_fault("\n".join(others) or "The note needs a look.")
        self.note.set_fault("\n".join(notes))


class AccountabilitySection(QWidget):
    """What waits for the monitor's accountability, and what is reconciled."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("monitor_accountability")
        self._office = office
        self.card = AccountabilityCard(office)
        self.reconciled = ReconciledCard(office)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.card)
        column.addWidget(self.reconciled)
        column.addStretch(1)

    def refresh(self) -> None:
        """Ask anew."""
        self._office.ask(waiting_of, self._got, self._office.say_trouble)
        self.reconciled.refresh()

    def stop(self) -> QWidget:
        """Where the keyboard begins: the containers that wait."""
        return self.card.table

    def _got(self, waiting: Waiting) -> None:
        self.card.show_waiting(waiting)
