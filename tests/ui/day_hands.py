"""A person at the real window: finds controls by their object names, types, chooses, presses, scans, and waits.

Use it by ``from tests.ui.day_hands import *`` in a test module: ``open_window`` starts the app on a database file
of the test's own with a clock that stands (``study``), and ends it afterwards. Only what a person could reach is
reached: a control must be visible, enabled, and in the topmost dialog.
"""

import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from db.store import SqlStore
from pharmacy_app.bootstrap import create_desk, database_exists, open_desk, url_of
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.views import EventLine
from tests.services.pharmacy import CHEAP, Clock
from ui.app import App, Launch
from ui.widgets.tables import PagedTableModel, RowTableModel

__all__ = ["Hands", "Study", "open_window", "study"]

W = TypeVar("W", bound=QWidget)
PATIENCE_MS = 15_000


@dataclass(slots=True)
class Study:
    """The database file, its clock, and every desk the window opened on it."""

    path: Path
    clock: Clock = field(default_factory=Clock)
    desks: list[Desk] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The database's address."""
        return url_of(self.path)

    def open(self) -> Desk:
        """A further desk on the file; raises ``Unavailable`` as the app would see it."""
        self.desks.append(replace(open_desk(self.url, clock=self.clock), secrets=CHEAP))
        return self.desks[-1]

    def create(self) -> Desk:
        """A new database."""
        self.desks.append(create_desk(self.url, clock=self.clock, secrets=CHEAP))
        return self.desks[-1]

    def launch(self, hint: str = "") -> Launch:
        """How the window gets at this study."""
        return Launch(lambda: database_exists(self.url), self.open, self.create, hint)

    def events(self, kind: str = "") -> list[EventLine]:
        """The journal, oldest first."""
        with self.desks[-1].store.read() as reader:
            return list(reversed(reader.events(kind=kind, text="", offset=0, limit=10_000)))

    def close(self) -> None:
        """Close every desk."""
        for desk in self.desks:
            assert isinstance(desk.store, SqlStore)
            desk.store.close()
        self.desks.clear()


class Hands:
    """Works one window. Everything is found anew each time, as a person looks anew."""

    def __init__(self, qtbot: QtBot, app: App) -> None:
        self.qtbot, self.app, self.window = qtbot, app, app.window
        self.reports: list[str] = []
        self.look_for_crash = True

    # -- looking

    def root(self) -> QWidget:
        """The topmost dialog, or the window."""
        return QApplication.activeModalWidget() or self.window

    def find(self, name: str, kind: type[W]) -> W | None:
        """The visible control of that name, or ``None``; two of one name fail the test."""
        seen = [widget for widget in self.root().findChildren(kind, name) if widget.isVisible()]
        assert len(seen) < 2, f"{len(seen)} visible controls are named {name}"
        return seen[0] if seen else None

    def see(self, name: str, kind: type[W]) -> W:
        """The visible control of that name; waited for."""
        found: list[W] = []

        def there() -> bool:
            widget = self.find(name, kind)
            found[:] = [widget] if widget is not None else []
            return bool(found)

        try:
            self.qtbot.waitUntil(there, timeout=PATIENCE_MS)
        except self.qtbot.TimeoutError:
            pytest.fail(f"There is no visible {name} in {self.root().objectName()}. {self.said()}\n{self.words()}")
        return found[0]

    def button(self, name: str) -> QAbstractButton:
        """A visible button."""
        return self.see(name, QAbstractButton)

    def text(self, name: str) -> str:
        """The words of a visible label, button or line."""
        widget = self.see(name, QWidget)
        if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
            return widget.text()
        if isinstance(widget, QPlainTextEdit):
            return widget.toPlainText()
        raise TypeError(name)

    def words(self) -> str:
        """Every text now seen in the window."""
        return "\n".join(label.text() for label in self.root().findChildren(QLabel) if label.isVisible())

    def said(self) -> str:
        """The messages beneath the page."""
        return "\n".join(self.window.messages_shown())

    def rows(self, name: str, *keys: str) -> list[tuple[str, ...]]:
        """The words of a visible table in the columns of these keys."""
        model = self.see(name, QTableView).model()
        assert isinstance(model, RowTableModel | PagedTableModel), name
        at = [[column.key for column in model.columns].index(key) for key in keys]
        return [tuple(str(model.index(row, column).data()) for column in at) for row in range(model.rowCount())]

    def top(self, widget: QWidget) -> None:
        """Scroll until the control stands at the top of what is seen, as far as the page goes."""
        parent = widget.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                at = widget.mapTo(parent.viewport(), QPoint(0, 0)).y()
                parent.verticalScrollBar().setValue(parent.verticalScrollBar().value() + at - 8)
            parent = parent.parentWidget()
        QApplication.processEvents()

    # -- waiting

    def settle(self) -> None:
        """Wait until the database thread has nothing left and the window has heard of it."""
        for _ in range(2):
            # A table asks for its rows one turn of the event loop later.
            QTest.qWait(1)
            self.qtbot.waitUntil(lambda: self.app.bridge is None or not self.app.bridge.busy, timeout=PATIENCE_MS)
        if self.look_for_crash:
            assert not self.reports, self.reports[0]

    # -- doing

    def reveal(self, widget: QWidget) -> None:
        """Scroll until the control is seen, as a person would."""
        parent = widget.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                parent.ensureWidgetVisible(widget, 8, 8)
            parent = parent.parentWidget()
        QApplication.processEvents()

    def press(self, name: str, *, settle: bool = True) -> None:
        """Press a button with the mouse."""
        button = self.button(name)
        self.qtbot.waitUntil(button.isEnabled, timeout=PATIENCE_MS)
        self.reveal(button)
        # A number's row may be wider than its words: the left end is always part of the button.
        left = QPoint(min(12, button.width() // 2), button.height() // 2)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=left)
        if settle:
            self.settle()

    def type(self, name: str, text: str) -> None:
        """Put the cursor in a field and type over what stands there."""
        editor = self.see(name, QWidget)
        assert isinstance(editor, QLineEdit | QPlainTextEdit), name
        assert editor.isEnabled(), name
        assert not editor.isReadOnly(), name
        self.reveal(editor)
        QTest.mouseClick(editor, Qt.MouseButton.LeftButton)
        QTest.keyClick(editor, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        if not text:
            QTest.keyClick(editor, Qt.Key.Key_Delete)
        for at, line in enumerate(text.split("\n")):
            if at:
                QTest.keyClick(editor, Qt.Key.Key_Return)
            QTest.keyClicks(editor, line)
        popup = QApplication.activePopupWidget()
        if popup is not None:
            QTest.keyClick(popup, Qt.Key.Key_Escape)
        typed = editor.text() if isinstance(editor, QLineEdit) else editor.toPlainText()
        assert typed == text, f"{name} reads {typed!r}"

    def fill(self, **values: str) -> None:
        """Type into several fields by their names."""
        for name, value in values.items():
            self.type(name, value)

    def enter(self, name: str) -> None:
        """Press Enter in a field."""
        QTest.keyClick(self.see(name, QWidget), Qt.Key.Key_Return)
        self.settle()

    def choose(self, name: str, words: str) -> None:
        """Choose from a list by the arrow keys."""
        combo = self.see(name, QComboBox)
        assert combo.isEnabled(), name
        self.reveal(combo)
        combo.setFocus()
        QTest.keyClick(combo, Qt.Key.Key_Home)
        for _ in range(combo.count()):
            if combo.currentText() == words:
                break
            QTest.keyClick(combo, Qt.Key.Key_Down)
        assert combo.currentText() == words, f"{name} offers {[combo.itemText(at) for at in range(combo.count())]}"
        self.settle()

    def open_row(self, name: str, first: str) -> None:
        """Open the row of a table that begins with these words, by Enter."""
        table = self.see(name, QTableView)
        model = table.model()
        words = [str(model.index(row, 0).data()) for row in range(model.rowCount())]
        table.selectRow(words.index(first))
        QTest.keyClick(table, Qt.Key.Key_Return)
        self.settle()

    def shortcut(self, key: Qt.Key) -> None:
        """Press Ctrl and a key wherever the focus is."""
        # Without a window manager the window does not come back to the front by itself.
        self.window.activateWindow()
        self.qtbot.waitUntil(self.window.isActiveWindow, timeout=PATIENCE_MS)
        QTest.keyClick(self.window.focusWidget(), key, Qt.KeyboardModifier.ControlModifier)
        self.settle()

    def at(self, name: str, day: str, time: str) -> None:
        """Type a date and a time of day into a field for both."""
        self.type(name, day)
        self.type(f"{name}_time", time)

    def scan(self, name: str, code: str) -> None:
        """What a scanner does: its characters fast, then Enter."""
        line = self.see(name, QLineEdit)
        line.setFocus()
        QTest.keyClicks(line, code)
        QTest.keyClick(line, Qt.Key.Key_Return)
        self.settle()

    def scan_labels(self, codes: Sequence[str]) -> None:
        """Scan labels where they were put, and record the scans."""
        self.go("labels")
        self.press("tab_scan_back")
        for code in codes:
            self.scan("back_scan", code)
        self.press("back_record")
        assert f"{len(codes)} label{'' if len(codes) == 1 else 's'} scanned back" in self.said()

    def answer(self, name: str) -> list[str]:
        """Press ``name`` in the next question that stops everything; the list gets the question's words."""
        asked: list[str] = []
        timer = QTimer(self.app, interval=10)

        def look() -> None:
            dialog = QApplication.activeModalWidget()
            if dialog is None or dialog.objectName() != "confirm":
                return
            timer.stop()
            asked.append(self.text("confirm_text"))
            self.press(name, settle=False)

        timer.timeout.connect(look)
        timer.start()
        return asked

    def close_messages(self) -> None:
        """Close what is said beneath the page, once it is read."""
        for button in self.window.findChildren(QAbstractButton):
            if button.isVisible() and re.fullmatch(r"message_\d+_close", button.objectName()):
                button.click()
        self.settle()

    def close_dialogs(self) -> None:
        """Leave every open dialog by Escape."""
        while (dialog := QApplication.activeModalWidget()) is not None:
            QTest.keyClick(dialog, Qt.Key.Key_Escape)
            self.settle()
            assert QApplication.activeModalWidget() is not dialog, f"Escape does not leave {dialog.objectName()}"

    # -- people

    def sign_in(self, user: str, password: str) -> None:
        """Sign in on the first screen, by the keyboard alone."""
        self.type("sign_in_user", user)
        self.type("sign_in_password", password)
        self.enter("sign_in_password")

    def own_password(self, old: str, new: str) -> None:
        """Choose one's own password where it is asked for."""
        self.fill(old_password=old, password=new, again=new)
        self.press("password_panel_change")

    def sign(self, name: str, password: str, user: str = "") -> None:
        """Sign in a signature box."""
        if user:
            self.type(f"{name}_user", user)
        self.type(f"{name}_password", password)
        self.press(f"{name}_sign")

    def leave(self) -> None:
        """Lock, then leave the place to the next person."""
        self.press("header_lock")
        self.press("lock_switch")

    def go(self, key: str) -> None:
        """Go to a place by the navigation."""
        self.press(f"nav_{key}")
        assert self.window.current_page() == key

    def print_labels(self, says: str) -> None:
        """Look at the labels before they print, and print them with Enter."""
        assert self.text("print_labels_state") == says
        button = self.button("print_labels_do")
        self.qtbot.waitUntil(button.isEnabled, timeout=PATIENCE_MS)
        QTest.keyClick(button, Qt.Key.Key_Return)
        self.settle()

    def paper_pages(self) -> int:
        """How many pages the paper now open has; it is closed by its button."""
        self.see("paper_page_1", QLabel)
        pages = [label for label in self.root().findChildren(QLabel) if label.objectName().startswith("paper_page_")]
        assert all(not page.pixmap().isNull() for page in pages)
        self.press("paper_close")
        return len(pages)


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    """An address where a database may be; nothing is there yet."""
    made = Study(tmp_path / "study.sqlite")
    yield made
    made.close()


@pytest.fixture
def open_window(qtbot: QtBot, tmp_path: Path, study: Study) -> Iterator[Callable[..., Hands]]:
    """Starts the app as the command line does and gives the hands that work it."""
    opened: list[Hands] = []

    def start(launch: Launch | None = None) -> Hands:
        app = App(launch or study.launch(), QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))
        hands = Hands(qtbot, app)
        opened.append(hands)
        hooks = sys.excepthook, threading.excepthook
        with qtbot.waitSignal(app.window.painted, timeout=PATIENCE_MS):
            app.start()
        # A fault in a slot fails the test instead of opening the report.
        sys.excepthook, threading.excepthook = hooks
        assert app.bridge is not None
        app.bridge.crashed.connect(hands.reports.append)
        return hands

    yield start
    for hands in opened:
        hands.close_dialogs()
        hands.window.discard_pages()
        hands.answer("confirm_yes")
        hands.window.close()
        assert hands.app.bridge is not None
        hands.app.bridge.close()
        hands.window.deleteLater()
        hands.app.deleteLater()
