"""A scan anywhere in the window: it goes to the thing it names, never into a button, and takes nobody's typing."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton, QTableView, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.domain.vials import Vial, numbered
from pharmacy_app.services.places import numbered_places
from tests.conftest import Template
from tests.services.pharmacy import PASSWORD, Pharmacy
from tests.ui.day_hands import *  # noqa: F403
from tests.ui.day_hands import Hands, Study
from ui import scan_watch
from ui.scan_watch import SEPARATOR, ScanWatch
from ui.widgets.fields import ScanField

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)

GTIN = "09506000134352"
"""An example of GS1's own documents."""


@pytest.fixture
def pharmacy_at(template: Template, study: Study) -> Iterator[Pharmacy]:
    """A pharmacy with a labelled shipment, at the address the window opens."""
    made = template.copy_to(study.path, study.clock)
    made.stock_up()
    yield made
    made.desk.store.close()


@pytest.fixture
def vial(pharmacy_at: Pharmacy) -> Vial:
    """A usable vial of the shipment."""
    return pharmacy_at.vials(state="available")[0]


@pytest.fixture
def paula(pharmacy_at: Pharmacy, open_window: Callable[..., Hands]) -> Hands:
    """The pharmacist has signed in."""
    hands = open_window()
    hands.settle()
    hands.sign_in("paula", PASSWORD)
    return hands


def keys(shown: QWidget, code: str, *, pause_ms: int = -1, then: Qt.Key | None = None) -> None:
    """What a scanner does: keys to the window, whatever has the focus; with a pause between them, what a hand does."""
    window = shown.windowHandle()
    assert window is not None
    with pytest.MonkeyPatch.context() as patch:
        if pause_ms < 0:
            # A busy machine may stop between two keys of this test for longer than any scanner does.
            patch.setattr(scan_watch, "FAST_MS", 2_000)
            patch.setattr(scan_watch, "_HOLD_MS", 4_000)
        for sign in code:
            if sign == SEPARATOR:
                QTest.keyClick(window, Qt.Key.Key_BracketRight, Qt.KeyboardModifier.ControlModifier)
            else:
                QTest.keyClick(window, ord(sign), Qt.KeyboardModifier.NoModifier, pause_ms)
        if then is not None:
            QTest.keyClick(window, then)


def scan(hands: Hands, code: str, *, enter: bool = True, pause_ms: int = -1) -> None:
    """Keys to the app's window, and what they do done."""
    keys(hands.window, code, pause_ms=pause_ms, then=Qt.Key.Key_Return if enter else None)
    hands.settle()


def focus(widget: QWidget) -> None:
    """Put the focus there, as the Tab key would; without a window manager a window comes to the front by itself."""
    widget.window().activateWindow()
    QTest.qWaitForWindowActive(widget.window())
    widget.setFocus()
    assert QApplication.focusWidget() is widget


# --- where a scan leads


def test_a_vials_label_opens_its_life_from_any_page(paula: Hands, vial: Vial) -> None:
    paula.go("settings")
    scan(paula, vial.unit_number)
    assert paula.window.current_page() == "vials"
    assert paula.root().objectName() == "vial_life"
    assert f"Vial {vial.unit_number}" in paula.said()
    assert "usable, in Refrigerator 1" in paula.said()


def test_a_scanner_that_sends_no_enter_ends_by_itself(paula: Hands, vial: Vial) -> None:
    paula.go("ledger")
    focus(paula.button("nav_ledger"))
    scan(paula, vial.unit_number, enter=False)
    paula.qtbot.waitUntil(lambda: paula.window.current_page() == "vials")


def test_a_doses_label_opens_it_in_prepare(pharmacy_at: Pharmacy, paula: Hands) -> None:
    pharmacy_at.enroll()
    dose_id = pharmacy_at.dose(until="decided")
    focus(paula.button("nav_today"))
    scan(paula, dose_id)
    assert paula.window.current_page() == "prepare"
    assert f"Dose {dose_id}, subject 001, cycle 1 day 1, prescribed 1.46 mg" in paula.said()


def test_a_place_leads_to_storage(pharmacy_at: Pharmacy, paula: Hands) -> None:
    with pharmacy_at.desk.store.read() as reader:
        (number, *_) = [each for each, place in numbered_places(reader.places()).items()]
    scan(paula, number)
    assert paula.window.current_page() == "storage"
    assert "Refrigerator 1" in paula.said()


def test_what_is_not_known_is_refused_and_nobody_is_taken_anywhere(paula: Hands, vial: Vial) -> None:
    focus(paula.button("nav_today"))
    before = paula.window.current_page()
    other = numbered("V", 999)
    scan(paula, other)
    assert paula.window.current_page() == before
    assert f"There is no vial {other} in this pharmacy." in paula.said()


def test_what_was_put_right_in_a_scan_is_said_and_stays(paula: Hands, vial: Vial) -> None:
    focus(paula.button("nav_today"))
    scan(paula, vial.unit_number.lower())
    assert "Caps Lock" in paula.said()


# --- what a scan must not do


def test_a_scan_changes_no_choice_opens_no_row_and_presses_no_button(paula: Hands, vial: Vial) -> None:
    paula.go("vials")
    state = paula.see("vial_state", QComboBox)
    focus(state)
    shown = state.currentText()
    scan(paula, "quarantine 1")  # begins like a state of the list
    assert state.currentText() == shown
    assert "is not a number of ours" in paula.said()
    table = paula.see("vials_table", QTableView)
    table.selectRow(0)
    focus(table)
    scan(paula, "nothing of ours")
    assert paula.root() is paula.window, "the Enter of a scan opens no row"
    lock = paula.button("header_lock")
    focus(lock)
    scan(paula, "a code with blanks")
    assert not paula.window.locked


def test_a_hand_still_searches_a_list_by_its_first_letter(paula: Hands) -> None:
    paula.go("vials")
    state = paula.see("vial_state", QComboBox)
    focus(state)
    QTest.keyClick(paula.window.windowHandle(), Qt.Key.Key_Q)
    paula.qtbot.waitUntil(lambda: state.currentText() == "quarantined")
    scan(paula, "available", enter=False, pause_ms=60)
    assert paula.said() == ""


def test_typing_in_a_field_stays_in_the_field(paula: Hands, vial: Vial) -> None:
    paula.go("vials")
    text = paula.see("vial_text", QLineEdit)
    focus(text)
    scan(paula, vial.unit_number)
    assert text.text() == vial.unit_number
    assert paula.said() == ""


def test_a_scan_waits_for_a_dialog_a_half_typed_password_and_the_lock(paula: Hands, vial: Vial) -> None:
    scan(paula, vial.unit_number)
    paula.close_messages()
    paula.go("today") if paula.root() is paula.window else None
    dialog = paula.root()
    assert dialog is not paula.window
    scan(paula, vial.unit_number)
    assert paula.said() == ""
    paula.close_dialogs()
    paula.press("header_lock")
    focus(paula.button("lock_switch"))
    scan(paula, vial.unit_number, enter=False)
    assert paula.window.current_page() == "vials"
    assert paula.window.locked
    assert paula.said() == ""


def test_no_scan_is_heard_while_a_password_stands_typed(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    password, button = QLineEdit(window), QPushButton("Sign", window)
    password.setEchoMode(QLineEdit.EchoMode.Password)
    column = QVBoxLayout(window)
    column.addWidget(password)
    column.addWidget(button)
    window.show()
    window.activateWindow()
    watch = ScanWatch(window)
    watch.watch(window.windowHandle())
    watch.set_listening(True)
    heard: list[str] = []
    watch.scanned.connect(heard.append)
    qtbot.waitUntil(window.isActiveWindow)
    focus(button)
    for typed, told in (("secret", []), ("", ["V000001L"])):
        password.setText(typed)
        keys(window, "V000001L", then=Qt.Key.Key_Tab)
        assert heard == told
        focus(button)


# --- a page that waits for scans gets them


def test_a_count_takes_scans_while_something_else_has_the_focus(paula: Hands, vial: Vial) -> None:
    paula.go("counts")
    paula.press("count_begin")
    paula.choose("place", "Refrigerator 1")
    paula.press("count_start")
    focus(paula.button("nav_counts"))
    scan(paula, vial.unit_number)
    assert paula.window.current_page() == "counts"
    assert [row[0] for row in paula.rows("count_table", "code")] == [vial.unit_number]


# --- the workstation's scanner


def test_a_scanner_that_sends_the_separator_is_remembered(
    paula: Hands, vial: Vial, open_window: Callable[..., Hands]
) -> None:
    assert paula.app.office is not None
    assert not paula.app.office.sends_separator
    focus(paula.button("nav_today"))
    scan(paula, f"01{GTIN}10{vial.lot}{SEPARATOR}21{vial.unit_number}")
    assert paula.root().objectName() == "vial_life"
    assert paula.app.office.sends_separator
    paula.close_dialogs()
    paula.leave()
    paula.sign_in("tim", PASSWORD)
    assert paula.app.office is not None
    assert paula.app.office.sends_separator, "it is the workstation's, not the person's"


def test_a_field_knows_a_scan_from_a_hand(qtbot: QtBot) -> None:
    field = ScanField("scan")
    qtbot.addWidget(field)
    heard: list[tuple[str, bool]] = []
    field.scanned.connect(lambda code: heard.append((code, field.by_hand)))
    QTest.keyClicks(field.editor(), "01X10A1")
    QTest.keyClick(field.editor(), Qt.Key.Key_BracketRight, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field.editor(), "21K7")
    QTest.keyClick(field.editor(), Qt.Key.Key_Return)
    QTest.keyClicks(field.editor(), "K7701", delay=60)
    QTest.keyClick(field.editor(), Qt.Key.Key_Return)
    field.set_value("K7702")
    QTest.keyClick(field.editor(), Qt.Key.Key_Return)
    assert heard == [(f"01X10A1{SEPARATOR}21K7", False), ("K7701", True), ("K7702", True)]
