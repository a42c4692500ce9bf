"""The accounts of the settings page: every person, roles, delegation and standing, and what changes them."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import Account, Role
from pharmacy_app.services.accounts import (
    MIN_PASSWORD,
    AccountChange,
    AccountForm,
    NewAccount,
    add_account,
    change_account,
    reset_password,
    unlock_account,
)
from ui.office import Office
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import CheckField, DateField, Field, Form, TextField
from ui.widgets.panels import Card
from ui.widgets.tables import Column, DataTable, RowTableModel


class RolesField(Field):
    """Which roles a person is delegated; ``value()`` is their words with commas between."""

    def __init__(self, name: str = "roles") -> None:
        super().__init__(name, "Roles", required=True, hint="A monitor reads everything and changes nothing: alone.")
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_M)
        self.boxes: dict[str, QCheckBox] = {}
        for role in Role:
            check = QCheckBox(str(role))
            check.setObjectName(f"role_{role}")
            check.setAccessibleName(str(role))
            check.toggled.connect(self._picked)
            self.boxes[str(role)] = check
            row.addWidget(check)
        row.addStretch(1)
        self._install(box)

    def text(self) -> str:
        """The chosen roles with commas between."""
        return ",".join(role for role, check in self.boxes.items() if check.isChecked())

    def roles(self) -> tuple[str, ...]:
        """The chosen roles."""
        return tuple(role for role in self.text().split(",") if role)

    def set_value(self, value: str) -> None:
        """Tick these roles, separated by commas, and no other."""
        wanted = value.split(",")
        for role, check in self.boxes.items():
            check.setChecked(role in wanted)

    def editor(self) -> QWidget:
        """The first role's box."""
        return self.boxes[str(Role.PHARMACIST)]

    def _picked(self) -> None:
        self._edited()


def one_time_password() -> str:
    """A random password that can be read aloud: four groups of four, without letters that look alike."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account in the table."""

    account: Account
    user_name: str
    printed_name: str
    roles: str
    delegated: str
    standing: str


def account_row(account: Account) -> AccountRow:
    """An account with its delegation and standing in words."""
    until = f" to {say_day(account.delegated_to)}" if account.delegated_to else " on"
    standing = "disabled" if not account.active else "locked" if account.locked else "in use"
    if account.active and account.must_change_password:
        standing += ", one-time password"
    return AccountRow(
        account,
        account.user_name,
        account.printed_name,
        ", ".join(str(role) for role in account.roles),
        f"{say_day(account.delegated_from)}{until}",
        standing,
    )


def _standing_tone(row: AccountRow) -> str:
    return "stop" if row.account.locked else "warn" if not row.account.active else ""


class AccountsPanel(QWidget):
    """Every account and its standing; an administrator adds, changes, disables, unlocks.

    Signal ``needs_look()``: the focus has to be seen.
    """

    needs_look = Signal()

    def __init__(self, office: Office) -> None:
        super().__init__()
        self._office = office
        self._act = office.act()
        self._chosen: Account | None = None
        self._done_words = ""
        self._why_not = office.why_not("account_added")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        card = Card("Accounts", "One account a person. Accounts are disabled, never deleted.", name="accounts_card")
        self.add = Button("Add an account", name="add_account", kind="primary", icon="plus")
        self.add.clicked.connect(self._begin_add)
        card.head.addWidget(self.add)
        if self._why_not:
            card.add(Text(f"Changing accounts: {self._why_not}", "small", name="accounts_why_not"))
        self._model = RowTableModel(
            (
                Column("user_name", "User name", width=120),
                Column("printed_name", "Full name", stretch=True),
                Column("roles", "Roles", width=170),
                Column("delegated", "Delegated", width=210),
                Column("standing", "Standing", width=190, tone=_standing_tone),
            ),
            parent=self,
        )
        self.table = DataTable(self._model, name="accounts_table", label="Accounts", visible_rows=7)
        self.table.row_chosen.connect(self._choose)
        self.table.row_activated.connect(self._activated)
        card.add(self.table)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        self._hint = Text("Choose an account in the table to change it.", "small")
        row.addWidget(self._hint, 1)
        self.change = Button("Change…", name="change_account")
        self.disable = Button("Disable…", name="disable_account", kind="danger")
        self.unlock = Button("Unlock", name="unlock_account")
        self.reset = Button("One-time password…", name="reset_password")
        for button, slot in (
            (self.change, self._begin_change),
            (self.disable, self._begin_disable),
            (self.unlock, self._unlock),
            (self.reset, self._begin_reset),
        ):
            button.clicked.connect(slot)
            row.addWidget(button)
        card.body.addLayout(row)
        column.addWidget(card)
        self._forms = {
            "add": self._make_add(),
            "change": self._make_change(),
            "reset": self._make_reset(),
        }
        for form in self._forms.values():
            form.hide()
            column.addWidget(form)
        column.addStretch(1)
        self._allow()

    # -- the three forms

    def _make_add(self) -> Card:
        card = Card("Add an account", "The person changes the one-time password at the first sign-in.", name="add_card")
        self.add_form = Form(name="add_account_form")
        self.add_form.add(TextField("printed_name", "Full name", required=True, max_length=60))
        self.add_form.add(TextField("user_name", "User name", required=True, max_length=40))
        self.add_roles = RolesField()
        self.add_form.add(self.add_roles, span=2)
        self.add_form.add(DateField("delegated_from", "Delegated from", required=True))
        self.add_form.add(DateField("delegated_to", "Delegated to", hint="Left empty, the delegation has no end yet."))
        hint = f"At least {MIN_PASSWORD} characters. Tell it to the person, not by e-mail."
        self.add_form.add(TextField("password", "One-time password", required=True, hint=hint, max_length=1024))
        self.add_form.add_widget(self._make_up("add_make_up", self._make_up_first), span=1)
        card.add(self.add_form)
        self.add_save = self._foot(card, "Add the account", "add_account_save", self._add)
        return card

    def _make_change(self) -> Card:
        card = Card("Change an account", name="change_card")
        self._change_who = Text("", "strong", name="change_who")
        card.add(self._change_who)
        self.change_form = Form(name="change_account_form")
        self.change_roles = RolesField()
        self.change_form.add(self.change_roles, span=2)
        self.change_form.add(DateField("delegated_from", "Delegated from", required=True))
        self.change_form.add(
            DateField("delegated_to", "Delegated to", hint="Left empty, the delegation has no end yet.")
        )
        self.change_form.add(CheckField("active", "The account may be used"), span=2)
        self.change_form.add(TextField("why", "Reason for the change", required=True, max_length=500), span=2)
        card.add(self.change_form)
        self.change_save = self._foot(card, "Save the change", "change_account_save", self._change)
        return card

    def _make_reset(self) -> Card:
        card = Card(
            "Set a one-time password",
            "The old password ends now. The person changes this one at the next sign-in.",
            name="reset_card",
        )
        self._reset_who = Text("", "strong", name="reset_who")
        card.add(self._reset_who)
        self.reset_form = Form(name="reset_password_form")
        hint = f"At least {MIN_PASSWORD} characters. Tell it to the person, not by e-mail."
        self.reset_form.add(TextField("password", "One-time password", required=True, hint=hint, max_length=1024))
        self.reset_form.add_widget(self._make_up("reset_make_up", self._make_up_next), span=1)
        card.add(self.reset_form)
        self.reset_save = self._foot(card, "Set the password", "reset_password_save", self._reset)
        return card

    def _make_up(self, name: str, slot: Callable[[], None]) -> QWidget:
        beside = QWidget()
        row = QHBoxLayout(beside)
        # Level with the editor: the label of the field stands above it.
        row.setContentsMargins(0, SPACE_L, 0, 0)
        button = Button("Make one up", name=name, icon="key")
        button.clicked.connect(slot)
        row.addWidget(button)
        row.addStretch(1)
        return beside

    def _foot(self, card: Card, verb: str, name: str, slot: Callable[[], None]) -> Button:
        cancel = Button("Cancel", name=f"{name}_cancel")
        cancel.clicked.connect(self._close_forms)
        save = Button(verb, name=name, kind="primary")
        save.clicked.connect(slot)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(save)
        card.body.addLayout(row)
        return save

    def _make_up_first(self) -> None:
        self.add_form.field("password").set_value(one_time_password())

    def _make_up_next(self) -> None:
        self.reset_form.field("password").set_value(one_time_password())

    # -- state

    def show_accounts(self, accounts: Sequence[Account]) -> None:
        """Show every account; the one chosen stays chosen."""
        chosen = self._chosen.account_id if self._chosen else ""
        rows = [account_row(account) for account in accounts]
        self._model.set_rows(rows)
        for at, row in enumerate(self._model.rows()):
            if row.account.account_id == chosen:
                self.table.selectRow(at)
                self._chosen = row.account
        self._allow()

    def is_dirty(self) -> bool:
        """Whether a form is half typed."""
        return any(
            not card.isHidden() and form.is_dirty()
            for card, form in zip(self._forms.values(), (self.add_form, self.change_form, self.reset_form), strict=True)
        )

    def _choose(self, row: AccountRow) -> None:
        self._chosen = row.account
        self._allow()

    def _activated(self, row: AccountRow) -> None:
        self._choose(row)
        if self.change.isEnabled():
            self._begin_change()

    def _allow(self) -> None:
        chosen, may = self._chosen, not self._why_not
        self.add.setEnabled(may)
        for button in (self.change, self.reset):
            button.setEnabled(may and chosen is not None)
        self.unlock.setEnabled(may and chosen is not None and chosen.locked)
        self.disable.setEnabled(may and chosen is not None)
        enabled = chosen is None or chosen.active
        self.disable.set_text("Disable…" if enabled else "Enable…")
        self.disable.set_kind("danger" if enabled else "secondary")
        for button in (self.add, self.change, self.disable, self.unlock, self.reset):
            button.setToolTip(self._why_not)

    def _open(self, which: str) -> None:
        self._act = self._office.act()
        for name, card in self._forms.items():
            card.setVisible(name == which)
        # While a form is open its own button is the next step.
        self.add.set_kind("secondary")

    def _close_forms(self) -> None:
        for form in (self.add_form, self.change_form, self.reset_form):
            form.clear()
        for card in self._forms.values():
            card.hide()
        self.add.set_kind("primary")
        self.table.setFocus()

    # -- beginning

    def _begin_add(self) -> None:
        self._open("add")
        self.add_form.field("printed_name").editor().setFocus()
        self.needs_look.emit()

    def _begin_change(self) -> None:
        if self._chosen is not None:
            self._fill_change(self._chosen, self._chosen.active)

    def _begin_disable(self) -> None:
        if self._chosen is not None:
            self._fill_change(self._chosen, not self._chosen.active)

    def _fill_change(self, account: Account, active: bool) -> None:
        self._open("change")
        self._change_who.setText(f"{account.printed_name} ({account.user_name})")
        self.change_form.set_values(
            {
                "roles": ",".join(account.roles),
                "delegated_from": account.delegated_from.isoformat(),
                "delegated_to": account.delegated_to.isoformat() if account.delegated_to else "",
                "active": "yes" if active else "",
                "why": "",
            }
        )
        self.change_form.clear_faults()
        self.change_form.field("why").editor().setFocus()
        self.needs_look.emit()

    def _begin_reset(self) -> None:
        if self._chosen is not None:
            self._open("reset")
            self._reset_who.setText(f"{self._chosen.printed_name} ({self._chosen.user_name})")
            self.reset_form.field("password").editor().setFocus()
            self.needs_look.emit()

    # -- acts

    def _add(self) -> None:
        values = self.add_form.values()
        form = AccountForm(
            values["user_name"],
            values["printed_name"],
            self.add_roles.roles(),
            values["delegated_from"],
            values["delegated_to"],
        )
        new = NewAccount(form, values["password"])
        desk, act = self._office.desk, self._act

        def work() -> Event:
            return add_account(desk, act, new)

        words = f"{values['printed_name']} has an account now. Tell them the one-time password."
        self._do(work, words, "Adding the account")

    def _change(self) -> None:
        if self._chosen is None:
            return
        values = self.change_form.values()
        form = AccountChange(
            self._chosen.account_id,
            self.change_roles.roles(),
            values["delegated_from"],
            values["delegated_to"],
            values["active"] == "yes",
            values["why"],
        )
        desk, act = self._office.desk, self._act

        def work() -> Event:
            return change_account(desk, act, form)

        self._do(work, f"The account of {self._chosen.printed_name} was changed.", "Changing the account")

    def _unlock(self) -> None:
        if self._chosen is None:
            return
        self._close_forms()
        self._act = self._office.act()
        desk, act, account_id = self._office.desk, self._act, self._chosen.account_id

        def work() -> Event:
            return unlock_account(desk, act, account_id)

        self._do(work, f"{self._chosen.printed_name} can sign in again.", "Unlocking the account")

    def _reset(self) -> None:
        if self._chosen is None:
            return
        password = self.reset_form.values()["password"]
        desk, act, account_id = self._office.desk, self._act, self._chosen.account_id

        def work() -> Event:
            return reset_password(desk, act, account_id, password)

        words = f"{self._chosen.printed_name} signs in with the one-time password next."
        self._do(work, words, "Setting the password")

    def _do(self, work: Callable[[], Event], words: str, busy: str) -> None:
        self._done_words = words
        self._hold(True)
        self._office.do(work, self._done, self._failed, busy=busy)

    def _hold(self, busy: bool) -> None:
        for button in (self.add_save, self.change_save, self.reset_save):
            button.setEnabled(not busy)
        if busy:
            self.unlock.setEnabled(False)
        else:
            self._allow()

    def _done(self, _event: Event) -> None:
        self._hold(False)
        self._act = self._office.act()
        self._close_forms()
        self._office.messages.ok(self._done_words)
        self._office.changed.emit()

    def _failed(self, trouble: Exception) -> None:
        self._hold(False)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        shown = next((name for name, card in self._forms.items() if not card.isHidden()), "")
        form = {"add": self.add_form, "change": self.change_form, "reset": self.reset_form}.get(shown)
        if form is None:
            self._office.say_trouble(trouble)
        else:
            form.show_faults(faults)
            self.needs_look.emit()
