"""A lot's expiry extended by the supporter, and the labels that are to be renewed afterwards."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import Vial
from pharmacy_app.services.desk import Act, Credentials
from pharmacy_app.services.documents import EXPIRY_EXTENSION, SUPPORTERS_PERMISSION
from pharmacy_app.services.expiry import (
    ExpiryForm,
    RelabelForm,
    extend_expiry,
    extension_documents,
    record_relabelled,
)
from pharmacy_app.services.printing import unit_ranges
from pharmacy_app.services.views import DocumentLine
from ui.office import Office
from ui.pages.documents_parts import attach_dialog, attach_row
from ui.pages.figure import lead_rows, named
from ui.pages.stock_parts import ActDialog, TippedRows, say_mg, state_tone, vials_count
from ui.pages.storage_permission import DocumentChoice
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import PasswordField, TextField
from ui.widgets.panels import Banner
from ui.widgets.tables import Column, DataTable


class ExpiryDialog(ActDialog):
    """Give a lot its new last usable day, by the supporter's document; 'succeeded' gives the event."""

    def __init__(self, office: Office, strength_mg: Decimal, lot: str, old_on: date, parent: QWidget) -> None:
        def work(act: Act, values: dict[str, str]) -> Event:
            form = ExpiryForm(show(strength_mg), lot, values["new_expiry"], values["document"])
            return extend_expiry(office.desk, act, form, Credentials(values["user_name"], values["password"]))

        document = DocumentChoice("document", "Supporter's permission or &letter")
        new_expiry = TextField(
            "new_expiry",
            "&New expiry",
            required=True,
            max_length=20,
            hint="2027-03-31, or 2027-03 when only the month is printed.",
        )
        user = TextField("user_name", "Your user name", required=True, max_length=64)
        user.set_value(office.session.user_name)
        user.set_read_only(True)
        super().__init__(
            office,
            f"Extend the expiry of lot {lot}, {say_mg(strength_mg)}",
            f"Its last usable day is {say_day(old_on)}. The new one counts for every vial of the lot, also for those"
            " that come later with the old date on them. Both dates stay on record; the labels are renewed afterwards.",
            "Sign and &extend",
            [new_expiry, document],
            work,
            name="expiry_dialog",
            busy="Recording the new expiry",
            parent=parent,
        )
        self.document = document
        self.attach_button, beside = attach_row(office, self._attach, name="expiry_attach", words="Attach a &document…")
        self.form.add_widget(beside)
        self.form.add(user)
        password = PasswordField("password", "Your pass&word", required=True)
        self.form.add(password)
        before: QWidget = document.editor()
        for after in (self.attach_button, password.editor(), self._back, self.verb):
            self.setTabOrder(before, after)
            before = after
        office.ask(extension_documents, self._got, office.say_trouble)
        self._fit()

    def _got(self, lines: tuple[DocumentLine, ...]) -> None:
        self.document.show_documents(lines)
        self._fit()

    def _attach(self) -> None:
        dialog = attach_dialog(self._office, self, kind=SUPPORTERS_PERMISSION, permits=EXPIRY_EXTENSION)
        dialog.succeeded.connect(self._attached)
        dialog.open()

    def _attached(self, event: Event) -> None:
        number, title = str(event.content["document_id"]), event.content["title"]
        self._office.messages.ok(f"“{title}” is attached as document {number}.")
        self.document.set_choices([(number, f"{number}: {title}")])
        self.document.set_value(number)
        self.document.editor().setFocus()
        self._office.ask(extension_documents, self._got, self._office.say_trouble)

    def _did_not(self, trouble: Exception) -> None:
        super()._did_not(trouble)
        password = self.form.field("password")
        if isinstance(password, PasswordField):
            fault = password.fault()
            password.clear()
            password.set_fault(fault)


_COLUMNS = (
    Column("unit_number", "Unit no."),
    Column("strength_mg", "Strength", numeric=True, write=say_mg),
    Column("lot", "Lot"),
    Column("expires_on", "New last day", write=say_day),
    Column("state", "State", tone=lambda vial: state_tone(vial.state)),
    Column("place", "Place", stretch=True),
)


class RelabelDialog(QDialog):
    """The vials whose labels still have the date from before an extension.

    Signal ``labels_wanted(object unit_numbers)`` asks for new labels of those chosen, or of all.
    """

    labels_wanted = Signal(object)

    def __init__(self, office: Office, vials: Sequence[Vial], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("relabel_dialog")
        self.setWindowTitle("Labels to renew")
        self.resize(760, 460)
        self._office = office
        self._act = office.act()
        self._rows = TippedRows(_COLUMNS, parent=self)
        self._rows.set_rows(list(vials))
        self.table = DataTable(
            self._rows,
            name="relabel_table",
            label="Vials whose labels are to be renewed",
            empty_text="Every label has the new date.",
            sortable=False,
        )
        self.table.selectionModel().selectionChanged.connect(self._offer)
        lead_rows(office, self.table, thing=named("unit_number"))
        self._trouble = Banner("stop", "", name="relabel_trouble")
        self._trouble.hide()
        self._said = Text("", "muted", name="relabel_said")
        self.print_button = Button("&Print new labels…", name="relabel_print", kind="primary", icon="print")
        self.hand_button = Button("Renewed by &hand", name="relabel_by_hand")
        back = Button("Go &back", name="relabel_back")
        self.print_button.clicked.connect(self._print)
        self.hand_button.clicked.connect(self._by_hand)
        back.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self._said, 1)
        for button in (back, self.hand_button, self.print_button):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text("Labels to renew", "section"))
        column.addWidget(
            Text(
                "The expiry of these vials was extended, and their labels still have the older date. Print new ones, or"
                " write the new date on the old labels and say so here. Without a choice both are for all of the list."
            )
        )
        column.addWidget(self._trouble)
        column.addWidget(self.table, 1)
        column.addLayout(foot)
        self._offer()
        self.table.setFocus()

    def _units(self) -> tuple[str, ...]:
        chosen = self.table.selected_rows() or self._rows.rows()
        return tuple(vial.unit_number for vial in chosen)

    def _offer(self) -> None:
        units = self._units()
        which = "chosen" if self.table.selected_rows() else "on the list"
        self._said.setText(f"{vials_count(len(units))} {which}.")
        for button, kind in ((self.print_button, "paper_printed"), (self.hand_button, "vials_relabelled")):
            button.setEnabled(bool(units) and self._office.may(kind))
            button.setToolTip(self._office.why_not(kind))

    def _print(self) -> None:
        units = self._units()
        self.accept()
        self.labels_wanted.emit(units)

    def _by_hand(self) -> None:
        desk, act, units = self._office.desk, self._act, self._units()
        self.hand_button.setEnabled(False)
        self._office.do(
            lambda: record_relabelled(desk, act, RelabelForm(units)),
            self._did,
            self._did_not,
            busy="Recording the renewed labels",
        )

    def _did(self, event: Event) -> None:
        units = tuple(event.content["unit_numbers"])
        self._office.messages.ok(f"Labels renewed by hand: {unit_ranges(units)} (event {event.seq}).")
        self.accept()
        self._office.changed.emit()

    def _did_not(self, trouble: Exception) -> None:
        said = "\n".join(map(str, trouble.faults)) if isinstance(trouble, Refused) else str(trouble)
        self._trouble.set_message("stop", said)
        self._trouble.show()
        self._offer()
