"""The window: places, signing in, the lock, messages, small sizes, closing with a draft."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.find import find
from ui.messages import MessageBridge
from ui.shell import DEMO_TEXT, NAV_NARROW, NAV_WIDE, PLACES, MainWindow
from ui.widgets.fields import TextField
from ui.widgets.panels import Page


class Draft(Page):
    """A page with one field and a count of its refreshes."""

    built = 0

    def __init__(self, title: str) -> None:
        super().__init__(title, name="draft_page")
        Draft.built += 1
        self.field = TextField("subject", "Subject")
        self.add(self.field)
        self.refreshed = 0

    def refresh(self) -> None:
        self.refreshed += 1

    def is_dirty(self) -> bool:
        return bool(self.field.text())


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    Draft.built = 0
    made = MainWindow(MessageBridge())
    qtbot.addWidget(made, before_close_func=_tidy)
    for key, title, icon in PLACES:
        made.register(key, title, icon, partial(Draft, title))
    with qtbot.waitSignal(made.painted):
        made.show()
    return made


def _tidy(window: MainWindow) -> None:
    window.discard_pages()


def _open(window: MainWindow, key: str = "today") -> Draft:
    window.set_signed_in(True)
    page = window.show_page(key)
    assert isinstance(page, Draft)
    return page


def test_the_places_stand_in_their_order_with_ctrl_1_to_9_and_0_then_with_shift(window: MainWindow) -> None:
    _open(window)
    names = [find(window, QPushButton, f"nav_{key}").accessibleName() for key, _, _ in PLACES]
    assert names == ["Today", "Subjects", "Prepare", "Receive", "Vials", "Storage", "Ledger", "Counts", "Forecast",
                     "Labels", "Errors", "Monitor", "Settings"]  # fmt: skip
    keys = [find(window, QPushButton, f"nav_{key}").shortcut().toString() for key, _, _ in PLACES]
    assert keys == [f"Ctrl+{number}" for number in (*range(1, 10), 0)] + [f"Ctrl+Shift+{at}" for at in (1, 2, 3)]


def test_a_page_is_built_when_first_shown_and_asked_anew_when_stale(window: MainWindow, qtbot: QtBot) -> None:
    page = _open(window, "vials")
    assert (Draft.built, page.refreshed) == (1, 1)
    window.show_page("today")
    window.show_page("vials")
    assert (Draft.built, page.refreshed) == (2, 1)
    window.mark_stale("vials")
    assert page.refreshed == 2
    window.show_page("today")
    window.mark_stale("vials")
    assert page.refreshed == 2
    window.show_page("vials")
    assert page.refreshed == 3


def test_the_keyboard_goes_to_a_place_and_marks_it(window: MainWindow, qtbot: QtBot) -> None:
    _open(window)
    window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_5, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.current_page() == "vials")
    assert find(window, QPushButton, "nav_vials").isChecked()
    assert not find(window, QPushButton, "nav_today").isChecked()


@pytest.mark.parametrize("width", [800, 1180])
def test_ctrl_r_reports_an_error_from_everywhere_and_not_through_the_lock(
    window: MainWindow, qtbot: QtBot, width: int
) -> None:
    page = _open(window, "vials")
    window.resize(width, 600)
    window.activateWindow()
    page.field.editor().setFocus()
    asked: list[str] = []
    window.report_requested.connect(lambda: asked.append("report"))
    QTest.keyClick(page.field.editor(), Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: asked == ["report"])
    window.lock()
    QTest.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.wait(150)
    assert asked == ["report"]


def test_nothing_is_seen_before_someone_signs_in(window: MainWindow, qtbot: QtBot) -> None:
    assert window.sign_in.isVisible()
    assert window.findChild(QPushButton, "nav_today") is None
    asked: list[tuple[str, str]] = []
    window.sign_in.sign_in_requested.connect(lambda user, password: asked.append((user, password)))
    window.sign_in.button.click()
    assert asked == []
    assert find(window, QLabel, "sign_in_fault_text").text() == "Type your user name and your password."
    QTest.keyClicks(window.sign_in.user.editor(), "mira")
    QTest.keyClicks(window.sign_in.password.editor(), "secret")
    QTest.keyClick(window.sign_in.password.editor(), Qt.Key.Key_Return)
    assert asked == [("mira", "secret")]
    window.sign_in.set_fault("This user name and password do not belong together.")
    assert window.sign_in.password.text() == ""
    assert window.sign_in.user.text() == "mira"
    window.set_signed_in(True)
    assert not window.sign_in.isVisible()
    assert window.sign_in.user.text() == ""


def test_the_lock_hides_everything_and_keeps_the_draft(window: MainWindow, qtbot: QtBot) -> None:
    page = _open(window)
    window.set_identity("Study", "Site", "Mira Adler", "pharmacist")
    page.field.set_value("1014-003")
    page.field.editor().setFocus()
    dialog = QDialog(window)
    dialog.show()
    window.lock()
    assert window.locked
    assert not page.isVisible()
    assert not dialog.isVisible()
    assert "Today" not in window.windowTitle()
    assert "Mira Adler is signed in" in find(window, QLabel, "lock_person").text()
    QTest.keyClick(window, Qt.Key.Key_5, Qt.KeyboardModifier.ControlModifier)
    qtbot.wait(150)
    assert window.current_page() == "today"
    asked: list[str] = []
    window.lock_view.unlock_requested.connect(asked.append)
    QTest.keyClicks(window.lock_view.password.editor(), "wrong")
    QTest.keyClick(window.lock_view.password.editor(), Qt.Key.Key_Return)
    assert asked == ["wrong"]
    window.lock_view.set_fault("This is not your password.")
    assert window.locked
    window.unlock()
    assert page.isVisible()
    assert page.field.text() == "1014-003"
    assert window.focusWidget() is page.field.editor()
    dialog.deleteLater()


def test_a_stale_page_is_not_asked_while_locked(window: MainWindow) -> None:
    page = _open(window)
    window.lock()
    window.mark_stale()
    assert page.refreshed == 1
    window.unlock()
    assert page.refreshed == 2


def test_idleness_asks_for_the_lock_and_use_puts_it_off(window: MainWindow, qtbot: QtBot) -> None:
    _open(window)
    asked: list[bool] = []
    window.lock_requested.connect(lambda: asked.append(True))
    window.idle.set_after(300)
    window.idle.start()
    handle = window.windowHandle()
    for _ in range(5):
        qtbot.wait(100)
        QTest.mouseMove(handle, QPoint(200 + _, 300))
        QTest.keyClick(handle, Qt.Key.Key_Shift)
    assert asked == []
    qtbot.waitUntil(lambda: asked == [True], timeout=2000)


def test_success_passes_by_itself_and_an_error_stays_until_closed(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.shell.SUCCESS_MS", 50)
    _open(window)
    messages = window._messages
    assert messages is not None
    messages.ok("The receipt was recorded.")
    messages.error("The printer does not answer.")
    assert window.messages_shown() == ["The receipt was recorded.", "The printer does not answer."]
    qtbot.waitUntil(lambda: window.messages_shown() == ["The printer does not answer."])
    qtbot.wait(100)
    assert window.messages_shown() == ["The printer does not answer."]
    close = find(window, QPushButton, "message_2_close")
    assert close.accessibleName() == "Close this message"
    close.click()
    assert window.messages_shown() == []


def test_errors_outlast_success_when_there_are_many(window: MainWindow) -> None:
    messages = window._messages
    assert messages is not None
    messages.error("First error.")
    for number in range(4):
        messages.ok(f"Success {number}.")
    assert window.messages_shown() == ["First error.", "Success 2.", "Success 3."]


def test_the_mark_of_the_demonstration_stands_on_every_screen(window: MainWindow) -> None:
    mark = find(window, QLabel, "demo_mark")
    assert mark.text() == DEMO_TEXT == "DEMONSTRATION – NOT FOR CLINICAL USE"
    assert not mark.isVisible()
    window.set_demonstration(True)
    assert mark.isVisible()
    _open(window)
    assert mark.isVisible()
    window.lock()
    assert mark.isVisible()


def test_the_words_of_a_place_stand_where_they_stood_after_it_was_chosen_in_a_narrow_window(
    window: MainWindow,
) -> None:
    _open(window)
    window.resize(1024, 700)
    window.show_page("today")
    QApplication.processEvents()
    vials = find(window, QPushButton, "nav_vials")
    before = vials.grab().toImage()
    window.resize(800, 600)
    QApplication.processEvents()
    for key in ("vials", "today"):
        window.show_page(key)
        QApplication.processEvents()
    window.resize(1024, 700)
    QApplication.processEvents()
    assert vials.text() == "  Vials"
    assert vials.grab().toImage() == before


@pytest.mark.parametrize(
    ("width", "height", "nav"), [(800, 600, NAV_NARROW), (1024, 700, NAV_WIDE), (1900, 1000, NAV_WIDE)]
)
def test_every_size_keeps_all_places_within_reach(window: MainWindow, width: int, height: int, nav: int) -> None:
    window.set_identity(
        "A study with a long name indeed, phase II, low dose " * 3, "Site 1014", "Mira Adler", "pharmacist"
    )
    _open(window)
    window.resize(width, height)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (width, height)
    assert find(window, QWidget, "navigation").width() == nav
    for key, title, _ in PLACES:
        button = find(window, QPushButton, f"nav_{key}")
        assert button.accessibleName() == title
        assert title in button.toolTip()
        assert button.shortcut().toString().startswith("Ctrl+")
        assert button.mapTo(window, button.rect().bottomRight()).y() < height
    for name in ("header_lock", "header_mode"):
        button = find(window, QPushButton, name)
        assert button.isVisible()
        assert button.mapTo(window, button.rect().bottomRight()).x() < width


def test_everything_that_takes_the_focus_has_a_name(window: MainWindow) -> None:
    _open(window)
    for widget in window.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None:
            assert widget.objectName(), widget
            assert widget.accessibleName(), widget.objectName()


def test_the_colours_are_changed_by_one_button(window: MainWindow) -> None:
    _open(window)
    button = find(window, QPushButton, "header_mode")
    modes: list[str] = []
    window.mode_changed.connect(modes.append)
    assert button.accessibleName() == "Dark colours"
    button.click()
    assert button.accessibleName() == "Light colours"
    button.click()
    assert modes == ["dark", "light"]


def test_closing_asks_when_a_draft_would_be_lost(window: MainWindow, qtbot: QtBot) -> None:
    page = _open(window)
    closed: list[bool] = []
    window.closing.connect(lambda: closed.append(True))
    page.field.set_value("1014-003")
    said: list[str] = []

    def go_back() -> None:
        dialog = QApplication.activeModalWidget()
        assert dialog is not None
        said.append(find(dialog, QLabel, "confirm_text").text())
        QTest.keyClick(dialog, Qt.Key.Key_Return)

    QTimer.singleShot(50, go_back)
    assert not window.close()
    assert "Today" in said[0]
    assert closed == []
    page.field.set_value("")
    assert window.close()
    assert closed == [True]


def test_size_is_remembered(window: MainWindow, tmp_path: Path) -> None:
    settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    assert not window.restore_geometry(settings)
    window.resize(700, 520)
    window.save_geometry(settings)
    window.resize(1100, 760)
    assert window.restore_geometry(settings)
    assert (window.width(), window.height()) == (700, 520)


def test_short_work_is_not_announced_and_long_work_is(window: MainWindow, qtbot: QtBot) -> None:
    _open(window)
    label = find(window, QLabel, "header_busy")
    window.set_busy(True, "Saving the receipt")
    window.set_busy(False)
    assert label.text() == ""
    window.set_busy(True, "Saving the receipt")
    qtbot.waitUntil(lambda: label.text() == "Saving the receipt…")
    window.set_busy(False)
    assert label.text() == ""


def test_another_screen_can_take_the_place_of_all(window: MainWindow) -> None:
    guide = QWidget()
    window.show_screen(guide)
    assert guide.isVisible()
    assert not window.sign_in.isVisible()
    window.drop_screen(guide)
    assert window.sign_in.isVisible()


def test_nothing_is_built_before_the_first_paint(qtbot: QtBot) -> None:
    made = MainWindow()
    qtbot.addWidget(made)
    made.register("today", "Today", "today", QWidget)
    made.set_identity("Study", "Site", "", "")
    assert made.findChild(QWidget, "sign_in") is None
    with qtbot.waitSignal(made.painted):
        made.show()
    assert made.sign_in.isVisible()
    assert find(made, QLabel, "sign_in_study").text() == "Study · Site"


def test_the_next_person_finds_no_draft(window: MainWindow) -> None:
    page = _open(window)
    page.field.set_value("1014-003")
    window.discard_pages()
    window.set_signed_in(False)
    assert window.current_page() == ""
    assert window.page("today") is None
    assert _open(window).field.text() == ""


def test_the_window_needs_no_heavy_import() -> None:
    code = (
        "import sys, ui.shell, ui.screens, ui.bridge, ui.widgets.tables, ui.widgets.working\n"
        "print(sorted({'pydantic', 'sqlalchemy', 'reportlab', 'argon2'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- a message's own page, and where one stands


def test_a_message_that_stays_belongs_to_its_page_and_takes_no_room_on_another(
    window: MainWindow, qtbot: QtBot
) -> None:
    _open(window, "counts")
    messages = window._messages
    assert messages is not None
    differs = "Count N000001K is recorded. It differs: discrepancy Q000001K is open."
    messages.warn(differs)
    qtbot.waitUntil(lambda: window._shown_messages[0].property("page") == "counts")
    assert window.messages_shown() == [differs]
    room = window._pages.height()
    window.show_page("vials")
    assert window.messages_shown() == []
    assert not find(window, QWidget, "messages").isVisible()
    qtbot.waitUntil(lambda: window._pages.height() > room)
    window.lock()
    window.unlock()
    assert not find(window, QWidget, "messages").isVisible(), "the lock brings it to no other page"
    window.show_page("counts")
    assert window.messages_shown() == [differs]
    assert find(window, QWidget, "message_1").isVisible()
    # It stands beneath the page, never over it.
    area, pages = find(window, QWidget, "messages"), find(window, QWidget, "pages")
    qtbot.waitUntil(lambda: pages.geometry().bottom() < area.geometry().top())


def test_a_warning_said_on_the_way_to_another_page_is_read_there(window: MainWindow, qtbot: QtBot) -> None:
    _open(window, "prepare")
    messages = window._messages
    assert messages is not None
    messages.warn("Two vials stay in quarantine.")
    window.show_page("vials")
    qtbot.waitUntil(lambda: window._shown_messages[0].property("page") == "vials")
    assert window.messages_shown() == ["Two vials stay in quarantine."]


def test_after_signing_in_one_stands_on_the_first_thing_to_do(window: MainWindow, qtbot: QtBot) -> None:
    page = _open(window)
    page.field.hide()
    window.focus_page()
    # What the page asks for comes later.
    later = QPushButton("New order")
    later.setObjectName("new_order")
    page.add(later)
    qtbot.waitUntil(lambda: window.focusWidget() is later)


def test_who_went_elsewhere_meanwhile_is_left_there(window: MainWindow, qtbot: QtBot) -> None:
    page = _open(window)
    page.field.hide()
    window.focus_page()
    lock = find(window, QPushButton, "header_lock")
    lock.setFocus()
    page.field.show()
    qtbot.wait(120)
    assert window.focusWidget() is lock


def test_page_down_scrolls_a_page_from_any_control_of_it(window: MainWindow, qtbot: QtBot) -> None:
    page = _open(window)
    tall = QWidget()
    tall.setFixedHeight(3000)
    page.add(tall)
    act = QPushButton("Act")
    page.action_bar.addWidget(act)
    qtbot.waitUntil(lambda: page.scroll_area.verticalScrollBar().maximum() > 0)
    act.setFocus()
    QTest.keyClick(act, Qt.Key.Key_PageDown)
    assert page.scroll_area.verticalScrollBar().value() > 0
    QTest.keyClick(act, Qt.Key.Key_PageUp)
    assert page.scroll_area.verticalScrollBar().value() == 0
