"""A person without a mouse: ``Hands`` that reach all by Alt letters, Ctrl and a digit, Tab, arrows, Enter and Space.

Nothing is focused, chosen or pressed by a call: a control that the keyboard cannot reach fails the test.
"""

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTableView,
    QWidget,
)

from tests.ui.day_hands import PATIENCE_MS, Hands
from ui.shell import PLACES
from ui.widgets.tables import PagedTableModel, RowTableModel

MOST_TABS = 150
"""A control so many Tabs away is one that nobody finds."""

PRESS_MS = 2_000
"""A letter or digit presses its button for a moment before it lets go, as a finger does."""

ALT, CTRL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
NONE = Qt.KeyboardModifier.NoModifier


def letter_in(words: str) -> str:
    """The letter that is pressed with Alt, '' for none."""
    found = re.search(r"&(\w)", words.replace("&&", ""))
    return found[1] if found else ""


class Keys(Hands):
    """Works one window by the keyboard alone."""

    @classmethod
    def of(cls, hands: Hands) -> "Keys":
        """The keyboard of a window that was opened already."""
        keys = cls(hands.qtbot, hands.app)
        keys.reports = hands.reports
        return keys

    # -- where one stands

    def here(self) -> QWidget:
        """What the next key goes to, in the topmost dialog or the window."""
        root = self.root()
        # Without a window manager a window does not come to the front by itself.
        root.activateWindow()
        self.qtbot.waitUntil(root.isActiveWindow, timeout=PATIENCE_MS)
        return QApplication.focusWidget() or root

    def stands_on(self, name: str) -> bool:
        """Whether the keyboard stands on the control of that name, or inside it."""
        here: QWidget | None = self.here()
        while here is not None and here.objectName() != name:
            here = here.parentWidget()
        return here is not None

    def key(self, which: Qt.Key, how: Qt.KeyboardModifier = NONE, *, settle: bool = True) -> None:
        """Press a key where one stands."""
        QTest.keyClick(self.here(), which, how)
        if settle:
            self.settle()

    def words_in(self, text: str) -> None:
        """Type where one stands, over what is there."""
        editor = self.here()
        assert isinstance(editor, QLineEdit | QPlainTextEdit), f"{editor.objectName()} takes no text"
        assert not editor.isReadOnly(), editor.objectName()
        QTest.keyClick(editor, Qt.Key.Key_A, CTRL)
        if not text:
            QTest.keyClick(editor, Qt.Key.Key_Delete)
        QTest.keyClicks(editor, text)
        popup = QApplication.activePopupWidget()
        if popup is not None:
            QTest.keyClick(popup, Qt.Key.Key_Escape)
        typed = editor.text() if isinstance(editor, QLineEdit) else editor.toPlainText()
        assert typed == text, f"{editor.objectName()} reads {typed!r}"

    def reach(self, name: str) -> QWidget:
        """Come to a control by the Alt letter of its label, or by Tab."""
        widget = self.see(name, QWidget)
        labels = [each for each in self.root().findChildren(QLabel) if each.buddy() is widget and each.isVisible()]
        letter = next((found for each in labels if (found := letter_in(each.text()))), "")
        if letter:
            QTest.keyClick(self.here(), Qt.Key(ord(letter.upper())), ALT)
        first = self.here()
        for step in range(MOST_TABS):
            if (here := self.here()) is widget:
                return widget
            if step and here is first:
                break
            QTest.keyClick(here, Qt.Key.Key_Tab)
        pytest.fail(f"Tab does not lead to {name}.")

    # -- doing, as by hand and mouse elsewhere

    def press(self, name: str, *, settle: bool = True) -> None:
        """Press a button by its Alt letter, or come to it by Tab and press Space; a tab is chosen by the arrows."""
        button = self.button(name)
        self.qtbot.waitUntil(button.isEnabled, timeout=PATIENCE_MS)
        if button.autoExclusive() and button.isCheckable():
            self._turn_to(button)
        else:
            pressed: list[bool] = []
            button.clicked.connect(lambda: pressed.append(True))
            letter = letter_in(button.text())
            if letter:
                QTest.keyClick(self.here(), Qt.Key(ord(letter.upper())), ALT)
            else:
                self.reach(name)
                QTest.keyClick(button, Qt.Key.Key_Space)
            try:
                self.qtbot.waitUntil(lambda: bool(pressed), timeout=PRESS_MS)
            except self.qtbot.TimeoutError:
                pytest.fail(f"{name} is not pressed by {'Alt+' + letter.upper() if letter else 'Space'}.")
        if settle:
            self.settle()

    def _turn_to(self, button: QAbstractButton) -> None:
        """Choose one of a row of tabs: Tab comes to the one chosen, arrows go on from there."""
        row = button.parentWidget()
        assert row is not None
        direct = Qt.FindChildOption.FindDirectChildrenOnly
        tabs = [each for each in row.findChildren(QAbstractButton, options=direct) if each.autoExclusive()]
        (chosen,) = [each for each in tabs if each.isChecked()]
        self.reach(chosen.objectName())
        way = tabs.index(button) - tabs.index(chosen)
        for _ in range(abs(way)):
            QTest.keyClick(self.here(), Qt.Key.Key_Right if way > 0 else Qt.Key.Key_Left)
        assert button.isChecked(), f"The arrows do not lead to {button.objectName()}."

    def type(self, name: str, text: str) -> None:
        """Come to a field and type over what stands there."""
        self.reach(name)
        self.words_in(text)

    def enter(self, name: str) -> None:
        """Press Enter in a field."""
        self.reach(name)
        self.key(Qt.Key.Key_Return)

    def choose(self, name: str, words: str) -> None:
        """Choose from a list by the arrow keys."""
        combo = self.reach(name)
        assert isinstance(combo, QComboBox)
        QTest.keyClick(combo, Qt.Key.Key_Home)
        for _ in range(combo.count()):
            if combo.currentText() == words:
                break
            QTest.keyClick(combo, Qt.Key.Key_Down)
        assert combo.currentText() == words, f"{name} offers {[combo.itemText(at) for at in range(combo.count())]}"
        self.settle()

    def stand_on_row(self, name: str, key: str, part: str) -> str:
        """Come to a table and go down to the first row that has ``part`` in the column ``key``; returns its words."""
        table = self.reach(name)
        assert isinstance(table, QTableView)
        rows = [words for (words,) in self.rows(name, key)]
        at = next((at for at, words in enumerate(rows) if part in words), None)
        if at is None:
            pytest.fail(f"No row of {name} has {part!r} as its {key}: {rows}")
        QTest.keyClick(table, Qt.Key.Key_Home, CTRL)
        for _ in rows:
            if table.currentIndex().row() == at:
                return rows[at]
            QTest.keyClick(table, Qt.Key.Key_Down)
        pytest.fail(f"The arrows do not lead to row {at + 1} of {name}.")

    def open_row(self, name: str, first: str) -> None:
        """Open the row of a table that begins with these words, by Enter."""
        table = self.see(name, QTableView)
        model = table.model()
        assert isinstance(model, RowTableModel | PagedTableModel)
        self.stand_on_row(name, model.columns[0].key, first)
        self.key(Qt.Key.Key_Return)

    def scan(self, name: str, code: str) -> None:
        """What a scanner does in a field: its characters fast, then Enter."""
        line = self.reach(name)
        QTest.keyClicks(line, code)
        self.key(Qt.Key.Key_Return)

    def go(self, key: str) -> None:
        """Go to a place by Ctrl and its digit."""
        number = [place for place, _, _ in PLACES].index(key) + 1
        self.key(Qt.Key(ord(str(number % 10))), CTRL | SHIFT if number > 10 else CTRL)
        self.qtbot.waitUntil(lambda: self.window.current_page() == key, timeout=PRESS_MS)
        self.settle()

    def sign_in(self, user: str, password: str) -> None:
        """Sign in: the keyboard stands in the first field already, Enter goes on."""
        self.see("sign_in_user", QLineEdit)
        assert self.stands_on("sign_in_user")
        self.words_in(user)
        self.key(Qt.Key.Key_Return)
        self.words_in(password)
        self.key(Qt.Key.Key_Return)

    def leave(self) -> None:
        """Lock, then leave the place to the next person."""
        self.key(Qt.Key.Key_L, CTRL)
        self.see("lock_password", QLineEdit)
        self.press("lock_switch")
        self.see("sign_in_user", QLineEdit)
