"""The app's wiring: what is seen before the study opens, who signs in, the lock, drafts, acts done once, faults.

Then the walk through every page in both looks and two sizes: names, room for the words, and the way of the Tab key.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QStyle,
    QStyleOptionButton,
    QTableView,
    QWidget,
)

from db import schema
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.domain.people import Account
from pharmacy_app.services import accounts, subjects
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.packing_list import LotTyped
from tests.conftest import Template
from tests.services.pharmacy import ONE_TIME, PASSWORD, STEPS, Pharmacy
from tests.ui.day_hands import *  # noqa: F403
from tests.ui.day_hands import PATIENCE_MS, Hands, Study
from ui.app import Launch
from ui.shell import PLACES
from ui.theme import Theme
from ui.widgets.basics import plain


@pytest.fixture
def pharmacy_at(template: Template, study: Study) -> Iterator[Pharmacy]:
    """A pharmacy that was set up, at the address the window opens: its people are robin, paula, carla, tim and mona."""
    made = template.copy_to(study.path, study.clock)
    yield made
    made.desk.store.close()


@pytest.fixture
def hands(pharmacy_at: Pharmacy, open_window: Callable[..., Hands]) -> Hands:
    """The window on that study, with nobody signed in yet."""
    opened = open_window()
    opened.settle()
    return opened


@pytest.fixture
def paula(hands: Hands) -> Hands:
    """The pharmacist has signed in."""
    hands.sign_in("paula", PASSWORD)
    assert hands.window.current_page() == "today"
    return hands


# --- opening


def test_the_window_is_seen_before_the_study_opens(
    pharmacy_at: Pharmacy, study: Study, open_window: Callable[..., Hands]
) -> None:
    may_open = threading.Event()

    def slow() -> Desk:
        assert may_open.wait(PATIENCE_MS / 1000)
        return study.open()

    hands = open_window(Launch(lambda: True, slow, study.create, "Type carefully."))
    assert hands.window.isVisible()
    assert not hands.button("sign_in_button").isEnabled()
    assert hands.text("sign_in_hint_text") == "Opening the study…"
    assert "Demonstration" not in hands.words(), "a site's own study is none"
    may_open.set()
    hands.settle()
    assert hands.button("sign_in_button").isEnabled()
    assert hands.text("sign_in_hint_text") == "Type carefully."
    assert "INO-LD-2" in hands.text("sign_in_study")


def _locked(path: Path) -> sqlite3.Connection:
    held = sqlite3.connect(path, isolation_level=None)
    held.execute("PRAGMA locking_mode=EXCLUSIVE")
    held.execute("BEGIN EXCLUSIVE")
    return held


def test_a_study_that_another_program_holds_is_said_on_the_sign_in_page(
    template: Template, study: Study, open_window: Callable[..., Hands], monkeypatch: pytest.MonkeyPatch
) -> None:
    template.copy_to(study.path).desk.store.close()
    held = _locked(study.path)
    try:
        hands = open_window()
        hands.settle()
        assert hands.text("sign_in_fault_text").startswith("Another program holds the database.")
    finally:
        held.close()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            f"UPDATE study_mark SET projection_version = {schema.PROJECTION_VERSION + 1}",
            "made by a newer version of the app",
        ),
        ("UPDATE alembic_version SET version_num='9999'", "made by a newer version of the app"),
        ("PRAGMA application_id=1", "a database of another program"),
    ],
)
def test_a_newer_or_a_strangers_database_is_said_on_the_sign_in_page(
    template: Template, study: Study, open_window: Callable[..., Hands], damage: str, words: str
) -> None:
    template.copy_to(study.path).desk.store.close()
    with closing(sqlite3.connect(study.path)) as raw, raw:
        raw.execute(damage)
    raw.close()
    before = study.path.read_bytes()
    hands = open_window()
    hands.settle()
    assert words in hands.text("sign_in_fault_text")
    assert "start again" in hands.text("sign_in_hint_text")
    assert "Demonstration" not in hands.words()
    hands.sign_in("paula", PASSWORD)  # and nothing happens: there is no study to sign in to
    assert hands.find("navigation", QWidget) is None
    assert study.path.read_bytes() == before


def test_a_file_that_is_no_database_is_said_on_the_sign_in_page(
    study: Study, open_window: Callable[..., Hands]
) -> None:
    study.path.write_text("Minutes of the meeting of 2 March\n" * 100)
    hands = open_window()
    hands.settle()
    assert hands.text("sign_in_fault_text").endswith(".")
    assert "database" in hands.text("sign_in_fault_text")
    assert study.path.read_text().startswith("Minutes")


# --- people


def test_a_wrong_password_is_said_and_recorded_and_the_fifth_locks(hands: Hands, study: Study) -> None:
    hands.press("sign_in_button")
    assert hands.text("sign_in_fault_text") == "Type your user name and your password."
    for attempt in range(1, 6):
        hands.sign_in("tim", "not my password")
        said = hands.text("sign_in_fault_text")
        assert said.startswith("User name and password do not fit."), attempt
        assert ("One more wrong password locks" in said) == (attempt == 4)
        assert ("This was the last try: it locks" in said) == (attempt == 5)
        assert hands.text("sign_in_password") == "", "the password is forgotten"
        assert hands.text("sign_in_user") == "tim", "the name stays"
    hands.sign_in("tim", PASSWORD)
    assert "locked after 5 wrong passwords" in hands.text("sign_in_fault_text")
    failed = study.events("sign_in_failed")
    assert [event.content["attempt"] for event in failed[:5]] == [1, 2, 3, 4, 5]
    assert [event.content["locked"] for event in failed[:5]] == [False, False, False, False, True]
    assert "not my password" not in str([event.content for event in study.events()])
    # The administrator unlocks.
    hands.sign_in("robin", PASSWORD)
    hands.go("settings")
    hands.press("tab_accounts")
    table = hands.see("accounts_table", QTableView)
    at = [row[0] for row in hands.rows("accounts_table", "user_name")].index("tim")
    table.selectRow(at)
    hands.settle()
    hands.press("unlock_account")
    hands.leave()
    hands.sign_in("tim", PASSWORD)
    assert hands.window.current_page() == "today"


def test_a_reset_password_is_changed_before_anything_else(hands: Hands, pharmacy_at: Pharmacy, study: Study) -> None:
    tim = next(a.account_id for a in _accounts(study) if a.user_name == "tim")
    accounts.reset_password(pharmacy_at.desk, pharmacy_at.act("robin"), tim, ONE_TIME)
    hands.sign_in("tim", ONE_TIME)
    dialog = hands.root()
    assert isinstance(dialog, QDialog)
    assert dialog.objectName() == "password_dialog"
    assert hands.window.current_page() == "", "no page stands behind it"
    hands.own_password(ONE_TIME, "short")
    assert hands.text("password_fault")
    hands.fill(old_password=ONE_TIME, password=PASSWORD, again=f"{PASSWORD}!")
    hands.press("password_panel_change")
    assert "not the same" in hands.text("again_fault")
    # Escape is no way round it: the person is signed out.
    hands.close_dialogs()
    hands.see("sign_in_user", QLineEdit)
    assert study.events()[-1].kind == "signed_out"
    hands.sign_in("tim", ONE_TIME)
    hands.own_password(ONE_TIME, "my very own words")
    assert hands.window.current_page() == "today"
    assert study.events("password_changed")[-1].actor_name == "Tim Lindqvist"


def _accounts(study: Study) -> list[Account]:
    with study.desks[-1].store.read() as reader:
        return list(reader.accounts())


# --- the lock, and what was typed


def _half_typed(hands: Hands) -> None:
    hands.go("subjects")
    hands.press("begin_enroll")
    hands.type("subject_number", "017-0")


def test_the_lock_hides_a_draft_and_brings_it_back(paula: Hands, study: Study) -> None:
    _half_typed(paula)
    paula.shortcut(Qt.Key.Key_L)
    paula.see("lock_password", QLineEdit)
    assert "017-0" not in paula.words()
    assert paula.find("subject_number", QLineEdit) is None
    assert "Subjects" not in paula.window.windowTitle()
    paula.shortcut(Qt.Key.Key_1)
    assert paula.find("today_page", QWidget) is None, "no shortcut leads past the lock"
    paula.type("lock_password", "wrong")
    paula.enter("lock_password")
    assert "do not fit" in paula.text("lock_fault_text")
    assert study.events()[-1].kind == "sign_in_failed"
    paula.type("lock_password", PASSWORD)
    paula.enter("lock_password")
    assert paula.text("subject_number") == "017-0"
    assert paula.window.focusWidget() is paula.see("subject_number", QLineEdit)


def test_after_a_night_behind_the_lock_every_page_asks_anew_and_drafts_stay(paula: Hands, study: Study) -> None:
    paula.go("prepare")
    _half_typed(paula)
    paula.go("today")
    assert paula.text("today_page_subtitle").startswith("Mon 2 Mar 2026")
    paula.press("header_lock")
    study.clock.forward(hours=24)
    paula.type("lock_password", PASSWORD)
    paula.enter("lock_password")
    assert paula.text("today_page_subtitle").startswith("Tue 3 Mar 2026")
    paula.go("subjects")
    assert paula.text("subject_number") == "017-0"


def test_nobody_at_the_keyboard_locks(paula: Hands) -> None:
    _half_typed(paula)
    paula.window.idle.set_after(150)
    paula.window.idle.start()
    for _ in range(6):  # typing keeps it open, longer than the limit in all
        QTest.qWait(50)
        QTest.keyClick(paula.window.windowHandle(), Qt.Key.Key_1)
    assert not paula.window.locked
    paula.qtbot.waitUntil(lambda: paula.window.locked, timeout=PATIENCE_MS)
    paula.see("lock_password", QLineEdit)


def test_the_next_person_does_not_see_the_draft(paula: Hands, study: Study) -> None:
    _half_typed(paula)
    paula.leave()
    assert study.events()[-1].kind == "signed_out"
    paula.sign_in("quentin", PASSWORD)
    assert paula.text("header_person") == "Quentin Marsh"
    paula.go("subjects")
    paula.press("begin_enroll")
    assert paula.text("subject_number") == ""


def test_closing_with_a_draft_asks_and_staying_is_the_default(paula: Hands) -> None:
    _half_typed(paula)
    asked: list[str] = []
    timer = QTimer(paula.app, interval=10)

    def enter() -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is not None and dialog.objectName() == "confirm":
            timer.stop()
            asked.append(paula.text("confirm_text"))
            assert dialog.focusWidget() is paula.button("confirm_no")
            QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Return)

    timer.timeout.connect(enter)
    timer.start()
    paula.window.close()
    assert "Subjects" in asked[0]
    assert paula.window.isVisible()
    assert paula.text("subject_number") == "017-0"
    asked = paula.answer("confirm_yes")
    paula.window.close()
    assert asked
    assert not paula.window.isVisible()


# --- acts


def _enroll_draft(hands: Hands) -> None:
    hands.go("subjects")
    hands.press("begin_enroll")
    hands.fill(subject_number="017-001", birth="1980-05-17")


def test_a_slow_act_does_not_freeze_the_window(paula: Hands, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    real = subjects.enroll

    slept: list[float] = []

    def slow(*given: object) -> object:
        slept.append(time.monotonic())
        time.sleep(0.5)
        slept.append(time.monotonic())
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(subjects, "enroll", slow)
    _enroll_draft(paula)
    beats: list[float] = []
    timer = QTimer(paula.app, interval=10)
    timer.timeout.connect(lambda: beats.append(time.monotonic()))
    timer.start()
    paula.press("enroll", settle=False)
    assert not paula.button("enroll").isEnabled(), "held while it is recorded"
    paula.qtbot.waitUntil(lambda: paula.text("header_busy") == "Enrolling the subject…", timeout=PATIENCE_MS)
    paula.settle()
    timer.stop()
    meanwhile = [beat for beat in beats if slept[0] < beat < slept[1]]
    assert len(meanwhile) >= 5, "half a second at 10 ms, with room for a busy machine"
    assert len(study.events("subject_enrolled")) == 1


def test_a_double_click_is_one_event(pharmacy_at: Pharmacy, paula: Hands, study: Study) -> None:
    """A weight, because nothing but the act itself would refuse the same one twice."""
    pharmacy_at.enroll("017-001")
    before = len(study.events("measurement_recorded"))
    assert paula.app.office is not None
    paula.app.office.go.emit("subjects", "017-001")
    paula.go("subjects")
    paula.type("weight", "71")
    button = paula.button("record_measurement")
    paula.reveal(button)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    QTest.mouseDClick(button, Qt.MouseButton.LeftButton)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    paula.settle()
    assert "weight 71 kg" in paula.said()
    assert len(study.events("measurement_recorded")) == before + 1


def test_an_act_that_was_recorded_but_not_answered_is_one_event_after_the_retry(
    paula: Hands, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst case of a retry: the event is on disk, and the answer was lost on its way."""
    real, calls = subjects.enroll, []

    def loses_its_answer(*given: object) -> object:
        calls.append(given)
        event = real(*given)  # type: ignore[arg-type]
        if len(calls) == 1:
            raise Unavailable("The disk did not answer. Wait a moment and try again.")
        return event

    monkeypatch.setattr(subjects, "enroll", loses_its_answer)
    _enroll_draft(paula)
    paula.press("enroll")
    assert "The disk did not answer." in paula.words()
    assert paula.text("subject_number") == "017-001", "what was typed stays"
    paula.press("enroll")
    assert len(calls) == 2
    assert len(study.events("subject_enrolled")) == 1
    assert "017-001 is enrolled" in paula.said()


def test_a_fault_of_the_program_is_shown_once_and_the_window_lives(
    paula: Hands, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*given: object) -> object:
        raise ZeroDivisionError("made for this test")

    monkeypatch.setattr(subjects, "enroll", wrong)
    _enroll_draft(paula)
    paula.look_for_crash = False
    paula.press("enroll")
    assert paula.root().objectName() == "crash"
    assert "ZeroDivisionError: made for this test" in paula.text("crash_report")
    paula.press("crash_close")
    assert "The program met a fault of its own" in paula.words(), "the page says so too"
    assert paula.text("subject_number") == "017-001"
    paula.press("enroll")
    assert QApplication.activeModalWidget() is None, "the same report does not come twice"
    assert len(paula.reports) == 2
    monkeypatch.undo()
    paula.press("enroll")
    assert len(study.events("subject_enrolled")) == 1


# --- every page


WALKED = (
    "ordered",
    "decided",
    "planned",
    "verified",
    "worksheet",
    "prepared",
    "labelled",
    "released",
    "given",
    "closed",
)
"""A dose at every step of *Prepare*."""


@pytest.fixture
def doses(pharmacy_at: Pharmacy) -> dict[str, str]:
    """Stock in two shipments, one of them held, and one subject for each step with its dose there."""
    pharmacy_at.stock_up(lots=(LotTyped("1", "A1", "2027-03-31", "24"), LotTyped("4", "B7", "2027-03-31", "3")))
    pharmacy_at.receive("S-2")
    made = {}
    for at, step in enumerate(STEPS, start=1):
        subject = pharmacy_at.enroll(f"017-{at:03d}")
        made[step] = pharmacy_at.dose(step, subject)
    return made


def _views(hands: Hands, doses: dict[str, str]) -> Iterator[str]:
    """Goes to every page, and to every part of it, one after the other."""
    assert hands.app.office is not None
    for key, _, _ in PLACES:
        hands.go(key)
        yield key
        if key == "subjects":
            hands.press("begin_enroll")
            yield "subjects, enrolling"
            hands.app.office.go.emit("subjects", "017-001")
            hands.settle()
            yield "subjects, one of them"
        if key == "prepare":
            hands.press("new_order")
            yield "prepare, order"
            for step, dose_id in doses.items():
                hands.app.office.go.emit("prepare", dose_id)
                hands.settle()
                yield f"prepare, {step}"
        if key == "errors":
            hands.press("begin_report")
            hands.press("report_more")
            yield "errors, reporting"
            hands.fill(what_happened="A vial was taken for another one and put back")
            hands.choose("stage", "Preparation")
            hands.choose("error_type", "Wrong drug")
            hands.press("report_record")
            yield "errors, one of them"
            hands.press("assess_begin")
            hands.choose("verdict", "An error")
            hands.choose("adverse_event", "Serious adverse event")
            yield "errors, assessing"
            hands.press("told_begin")
            yield "errors, telling"
        if key == "receive":
            hands.press("receive_new")
            yield "receive, a shipment"
            hands.press("lots_add")
            yield "receive, two lots"
        if key in ("vials", "ledger"):
            for button in hands.window.findChildren(QPushButton):
                if button.objectName().startswith(f"{key}_views_") and button.isVisible():
                    hands.press(button.objectName())
                    yield f"{key}, {button.text()}"
        if key == "settings":
            for tab in ("protocol", "rules", "accounts", "password", "about", "study"):
                hands.press(f"tab_{tab}")
                yield f"settings, {tab}"
            hands.press("edit_vial_1mg")
            yield "settings, one of them"


@pytest.fixture
def walker(doses: dict[str, str], hands: Hands) -> Hands:
    """The pharmacist, to whom every control is open."""
    hands.sign_in("paula", PASSWORD)
    return hands


def test_every_control_of_every_page_has_its_names(walker: Hands, doses: dict[str, str]) -> None:
    faults = [f"{view}: {fault}" for view in _views(walker, doses) for fault in _name_faults(walker.window)]
    assert not faults, "\n".join(dict.fromkeys(faults))


def test_the_tab_key_reaches_every_control_and_the_next_step(walker: Hands, doses: dict[str, str]) -> None:
    faults = []
    for view in _views(walker, doses):
        reached, came_round = _tab_round(walker)
        if not came_round:
            faults.append(f"{view}: Tab is trapped among {sorted({widget.objectName() for widget in reached[-60:]})}")
        missed = [
            widget.objectName()
            for widget in _controls(walker.window)
            if widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget not in reached
        ]
        faults += [f"{view}: Tab does not reach {name}" for name in missed]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("size", [(1180, 780), (800, 600)], ids=["1180x780", "800x600"])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_no_words_are_cut_on_any_page(
    walker: Hands, doses: dict[str, str], qapp: QApplication, mode: str, size: tuple[int, int]
) -> None:
    Theme.apply(qapp, mode)
    walker.window.resize(*size)
    walker.settle()
    assert (walker.window.width(), walker.window.height()) == size
    faults = [f"{view}: {fault}" for view in _views(walker, doses) for fault in _clipped(walker.window)]
    assert not faults, "\n".join(dict.fromkeys(faults))


def _controls(page: QWidget) -> list[QWidget]:
    """What the Tab key or the mouse can reach on the page."""
    kinds = (QAbstractButton, QLineEdit, QPlainTextEdit, QComboBox, QTableView)
    return [
        widget
        for widget in page.findChildren(QWidget)
        if isinstance(widget, kinds)
        and widget.isVisible()
        and widget.focusPolicy() is not Qt.FocusPolicy.NoFocus
        and not isinstance(widget.parentWidget(), QTableView | QComboBox)
    ]


def _name_faults(page: QWidget) -> list[str]:
    """Controls without names, and names that are not what is read beside them."""
    faults = []
    labels = {label.buddy(): plain(label.text()) for label in page.findChildren(QLabel) if label.buddy() is not None}
    for widget in _controls(page):
        name = widget.objectName()
        if not name or name.startswith("qt_"):
            faults.append(f"{type(widget).__name__} {widget.accessibleName()!r} has no object name")
        if not widget.accessibleName():
            faults.append(f"{name} has no accessible name")
        shown = plain(widget.text()).strip() if isinstance(widget, QAbstractButton) else labels.get(widget, "")
        # Equal, or with what tells it from others of the same words: “Reconstituted at now”, “Planned dose: 1.46 mg”.
        if shown.casefold() not in widget.accessibleName().casefold():
            faults.append(f"{name} shows {shown!r} and is called {widget.accessibleName()!r}")
    return faults


def _room_for_words(widget: QWidget) -> tuple[int, int]:
    """Pixels the words of a button or label take, and pixels there are."""
    if isinstance(widget, QPushButton):
        option = QStyleOptionButton()
        widget.initStyleOption(option)
        inside = widget.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, widget)
        icon = widget.iconSize().width() if not widget.icon().isNull() else 0
        words = widget.fontMetrics().horizontalAdvance(plain(widget.text()))
        return words + icon, max(inside.width(), 0) if words else widget.width()
    if isinstance(widget, QLabel) and widget.wordWrap():
        longest = max((widget.fontMetrics().horizontalAdvance(word) for word in widget.text().split()), default=0)
        return longest, widget.width()
    return widget.sizeHint().width(), widget.width()


def _clipped(page: QWidget) -> list[str]:
    """Labels, buttons and boxes whose words are wider than they are."""
    faults = []
    for widget in page.findChildren(QWidget):
        if not isinstance(widget, QLabel | QPushButton | QCheckBox) or not widget.isVisible():
            continue
        text = widget.text()
        if not text or (text.endswith("…") and widget.toolTip()):  # cut on purpose, whole in its tip
            continue
        needed, there = _room_for_words(widget)
        if needed > there:
            faults.append(
                f"{widget.objectName() or type(widget).__name__} {text[:50]!r} needs {needed} px, has {there}"
            )
    return faults


def _tab_round(hands: Hands, most: int = 250) -> tuple[list[QWidget], bool]:
    """Every control the Tab key comes to on its way round the window, in its order, and whether it came round."""
    start = hands.button("nav_today")
    start.setFocus()
    reached: list[QWidget] = [start]
    for _ in range(most):
        QTest.keyClick(reached[-1], Qt.Key.Key_Tab)
        focus = hands.window.focusWidget()
        if focus is start:
            return reached, True
        reached.append(focus)
    return reached, False
