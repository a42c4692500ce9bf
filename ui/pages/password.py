"""Changing one's own password: the old one, the new one twice. As a panel of the settings, and as a dialog."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.services.accounts import MIN_PASSWORD, change_password
from pharmacy_app.services.desk import Credentials
from ui.office import Office
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import Form, PasswordField

HINT = f"At least {MIN_PASSWORD} characters, without the user name."
NOT_THE_SAME = "The two new passwords are not the same. Type both again."


class PasswordPanel(QWidget):
    """The three fields and their button. Signal ``changed()`` once the new password holds."""

    changed = Signal()

    def __init__(self, office: Office, *, name: str = "own_password", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._office = office
        self._act = office.act()
        self.form = Form(columns=1, name=f"{name}_form")
        self.form.add(PasswordField("old_password", "Present password", required=True))
        self.form.add(PasswordField("password", "New password", required=True, hint=HINT))
        self.form.add(PasswordField("again", "New password again", required=True))
        self.button = Button("Change the password", name=f"{name}_change", kind="primary", icon="key")
        self.last = QHBoxLayout()
        self.last.setSpacing(SPACE_S)
        self.last.addStretch(1)
        self.last.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.form)
        column.addLayout(self.last)
        self.button.clicked.connect(self._change)
        for field in self.form.fields():
            if isinstance(field, PasswordField):
                field.editor().returnPressed.connect(self._change)

    def clear(self) -> None:
        """Forget what was typed."""
        self.form.clear()

    def _change(self) -> None:
        if not self.button.isEnabled() or not self.form.check():
            return
        values = self.form.values()
        if values["password"] != values["again"]:
            self.form.show_faults([Fault("again", NOT_THE_SAME)])
            return
        self.form.clear_faults()
        self.button.setEnabled(False)
        desk, act = self._office.desk, self._act
        old = Credentials(self._office.session.user_name, values["old_password"])
        new = values["password"]

        def work() -> Event:
            return change_password(desk, act, old, new)

        self._office.do(work, self._changed, self._failed, busy="Changing the password")

    def _changed(self, _event: Event) -> None:
        self.button.setEnabled(True)
        self._act = self._office.act()
        self.clear()
        self._office.messages.ok("Your password was changed. Use the new one from now on, to sign as well.")
        self.changed.emit()

    def _failed(self, trouble: Exception) -> None:
        self.button.setEnabled(True)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.form.show_faults(faults)


class PasswordDialog(QDialog):
    """The panel in a window of its own; ``first`` says why the password has to be changed now.

    Signal ``changed()``; the dialog closes by itself afterwards. Escape leaves everything as it was.
    """

    changed = Signal()

    def __init__(self, office: Office, parent: QWidget | None, first: bool = False) -> None:
        super().__init__(parent)
        self.setObjectName("password_dialog")
        self.setWindowTitle("Choose your own password" if first else "Change the password")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(True)
        self.setMinimumWidth(480)
        title = "Choose your own password" if first else "Change your password"
        why = (
            f"{office.session.printed_name}, your password was set by somebody else. What you sign must be yours alone:"
            " choose a password that only you know, then the day can begin."
            if first
            else "You type your password to sign in and each time you sign. Nobody else may know it."
        )
        self.panel = PasswordPanel(office, name="password_panel")
        cancel = Button("Sign out" if first else "Cancel", name="password_dialog_cancel")
        cancel.clicked.connect(self.reject)
        self.panel.last.insertWidget(1, cancel)
        QWidget.setTabOrder(self.panel.button, cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(title, "title"))
        column.addWidget(Text(why, name="password_dialog_why"))
        column.addWidget(self.panel)
        self.panel.changed.connect(self._done)
        self.panel.form.field("old_password").editor().setFocus()

    def _done(self) -> None:
        self.changed.emit()
        self.accept()
