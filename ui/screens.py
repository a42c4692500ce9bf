"""The two screens over everything else: signing in, and the lock."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.theme import SPACE_M, SPACE_S, SPACE_XL
from ui.widgets.basics import Button, IconView, Text, announce
from ui.widgets.fields import PasswordField, TextField
from ui.widgets.panels import Banner, Card


class _Centred(QWidget):
    """A card in the middle of a screen that scrolls when the window is small."""

    def __init__(self, card: QWidget, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        inner = QWidget()
        inner.setObjectName("scroll_content")
        row = QHBoxLayout(inner)
        row.setContentsMargins(SPACE_M, SPACE_XL, SPACE_M, SPACE_XL)
        column = QVBoxLayout()
        column.addStretch(2)
        column.addWidget(card)
        column.addStretch(3)
        row.addStretch(1)
        row.addLayout(column, 1000)
        row.addStretch(1)
        card.setMaximumWidth(440)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.viewport().setAutoFillBackground(False)
        area.setWidget(inner)
        inner.setAutoFillBackground(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)


class SignInView(QWidget):
    """User name and password. Signal ``sign_in_requested(str user, str password)``.

    Object names: ``sign_in_user``, ``sign_in_password``, ``sign_in_button``, ``sign_in_fault``.
    """

    sign_in_requested = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sign_in")
        card = Card(name="sign_in_card")
        self._study = Text("", "muted", name="sign_in_study")
        self.user = TextField("sign_in_user", "&User name", max_length=64)
        self.password = PasswordField("sign_in_password", "&Password")
        self.button = Button("&Sign in", name="sign_in_button", kind="primary")
        self._fault = Banner("stop", "", word="Not signed in", name="sign_in_fault")
        self._fault.hide()
        self._hint = Banner("info", "", word="Demonstration", name="sign_in_hint")
        self._hint.hide()
        card.add(Text("Sign in", "title"))
        card.add(self._study)
        card.add(self._fault)
        card.add(self.user)
        card.add(self.password)
        card.add(self.button)
        card.add(self._hint)
        self._study.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(_Centred(card, "sign_in_screen"))
        self.button.clicked.connect(self._ask)
        self.user.editor().returnPressed.connect(self._next)
        self.password.editor().returnPressed.connect(self._ask)

    def set_study(self, text: str) -> None:
        """Name the study and site above the fields."""
        self._study.setText(text)
        self._study.setVisible(bool(text))

    def set_hint(self, text: str, word: str = "Demonstration") -> None:
        """Say which demonstration accounts exist, or what is under way (``word`` names it); '' for none."""
        self._hint.set_message("info", text, word=word)
        self._hint.setVisible(bool(text))

    def set_busy(self, busy: bool) -> None:
        """Hold the button while the password is being checked."""
        self.button.setEnabled(not busy)

    def set_fault(self, sentence: str) -> None:
        """Say why it did not work ('' clears); the user name stays, the password is asked anew."""
        self.set_busy(False)
        self._fault.set_message("stop", sentence, word="Not signed in")
        self._fault.setVisible(bool(sentence))
        self.password.clear()
        if sentence:
            self.password.editor().setFocus()
            announce(self, sentence)

    def reset(self) -> None:
        """Forget who tried last."""
        self.user.set_value("")
        self.set_fault("")
        self.user.editor().setFocus()

    def _next(self) -> None:
        self.password.editor().setFocus()

    def _ask(self) -> None:
        if not self.button.isEnabled():
            return
        user, password = self.user.value(), self.password.value()
        if not user or not password:
            self._fault.set_message("stop", "Type your user name and your password.", word="Not signed in")
            self._fault.show()
            (self.password if user else self.user).editor().setFocus()
            return
        self.set_fault("")
        self.set_busy(True)
        self.sign_in_requested.emit(user, password)


class LockView(QWidget):
    """Stands over everything while locked. Signals ``unlock_requested(str password)``, ``switch_requested()``.

    Object names: ``lock_password``, ``lock_unlock``, ``lock_switch``, ``lock_fault``.
    """

    unlock_requested = Signal(str)
    switch_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lock")
        card = Card(name="lock_card")
        head = QHBoxLayout()
        head.setSpacing(SPACE_S)
        head.addWidget(IconView("lock", "text", 24))
        head.addWidget(Text("Locked", "title"), 1)
        self._who = Text("", name="lock_person")
        self.password = PasswordField("lock_password", "&Password")
        self.button = Button("&Unlock", name="lock_unlock", kind="primary")
        self.switch = Button("S&witch user…", name="lock_switch")
        self._fault = Banner("stop", "", word="Still locked", name="lock_fault")
        self._fault.hide()
        card.body.addLayout(head)
        card.add(self._who)
        card.add(self._fault)
        card.add(self.password)
        last = QHBoxLayout()
        last.setSpacing(SPACE_S)
        last.addWidget(self.switch)
        last.addStretch(1)
        last.addWidget(self.button)
        card.body.addLayout(last)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(_Centred(card, "lock_screen"))
        self.button.clicked.connect(self._ask)
        self.password.editor().returnPressed.connect(self._ask)
        self.switch.clicked.connect(self.switch_requested)

    def set_person(self, person: str) -> None:
        """Name who is signed in."""
        self._who.setText(f"{person} is signed in. What was typed is kept." if person else "What was typed is kept.")

    def set_fault(self, sentence: str) -> None:
        """Say why it stays locked ('' clears) and ask anew."""
        self.button.setEnabled(True)
        self._fault.set_message("stop", sentence, word="Still locked")
        self._fault.setVisible(bool(sentence))
        self.password.clear()
        self.password.editor().setFocus()
        if sentence:
            announce(self, sentence)

    def _ask(self) -> None:
        if self.button.isEnabled() and self.password.value():
            password = self.password.value()
            self.set_fault("")
            self.button.setEnabled(False)
            self.unlock_requested.emit(password)
