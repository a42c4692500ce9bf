"""A query is seen where the work is: on the page of the vial, dose, subject, shipment or document it is about."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay, dose
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services.documents import DocumentForm, attach_document
from pharmacy_app.services.queries import SayForm, answer_query, close_query
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.office_fixtures import Said
from tests.ui.test_monitor_desk import ask, do_it, events, words_on
from tests.ui.test_stock_pages import shown, shown_page
from ui.document import DocumentDialog
from ui.office import Office
from ui.pages.monitor_queries import QueryDialog
from ui.pages.prepare import PreparePage
from ui.pages.query_strip import LINES_SHOWN, QueryStrip
from ui.pages.receive import ReceivePage
from ui.pages.stock_life import VialLifeDialog
from ui.pages.subjects import SubjectsPage
from ui.pages.vials import VialsPage
from ui.widgets.basics import Button, LineText, Text

Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]

VIAL = numbered("V", 1)
TABS = 60
"""A line so many stops of Tab away is one that nobody reaches."""


def line_of(root: QWidget, strip: str) -> str:
    """What the one line of a strip says, whole."""
    (said,) = [each for each in find(root, QueryStrip, strip).findChildren(LineText) if each.isVisible()]
    return said.toolTip()


def tab_to(root: QWidget, name: str) -> Button:
    """Go by Tab from where the keyboard stands to a button."""
    root.activateWindow()
    for _ in range(TABS):
        here = QApplication.focusWidget() or root
        if here.objectName() == name:
            assert isinstance(here, Button)
            return here
        QTest.keyClick(here, Qt.Key.Key_Tab)
    raise AssertionError(f"Tab does not come to {name}")


def answered_by_keyboard(root: QWidget, strip: str, number: str, words: str, office: Office, idle: Idle) -> None:
    """From where one stands to the query's line, open it, type the answer, and record it."""
    go = tab_to(root, f"{strip}_{number}")
    QTest.keyClick(go, Qt.Key.Key_Return)
    idle(office)
    query = shown(QueryDialog)
    assert words in words_on(query)
    QTest.keyClicks(query.note.editor(), "It was looked into.")
    do_it(query)
    idle(office)
    assert not [each for each in QApplication.topLevelWidgets() if isinstance(each, QueryDialog) and each.isVisible()]


def test_a_query_on_a_vial_is_seen_and_answered_at_the_vial(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    ask(day, "Is the label\nlegible?", about=VIAL)
    ask(day, "Not of this one.", about=numbered("V", 2))
    day.clock.at(day.clock() + timedelta(days=3))
    page: VialsPage = shown_page(qtbot, VialsPage(office), office, idle)
    page.open_on(VIAL)
    idle(office)
    life = shown(VialLifeDialog)
    # The 22nd to the 25th of November: three days.
    assert line_of(life, "vial_life_query") == "open 3 days: Is the label legible?"
    go = find(life, Button, "vial_life_query_QRY-1")
    assert go.accessibleName() == "Query QRY-1, open 3 days: Is the label legible?"
    answered_by_keyboard(life, "vial_life_query", "QRY-1", "Is the label\nlegible?", office, idle)
    assert [event.content["query"] for event in events(day, "query_answered")] == ["QRY-1"]
    assert line_of(life, "vial_life_query") == "answered, open 3 days: Is the label legible?"
    # One stands on the line still; once it is closed the line goes, and the keyboard stands on what comes next.
    assert life.focusWidget() is find(life, Button, "vial_life_query_QRY-1")
    close_query(day.desk, day.act("monitor"), SayForm("QRY-1"))
    find(life, QueryStrip, "vial_life_query").refresh()
    idle(office)
    assert not find(life, QueryStrip, "vial_life_query").isVisible()
    stands_on = life.focusWidget()
    assert stands_on is not None
    assert stands_on.isVisible()
    life.close()


def test_a_query_on_an_entry_stands_at_the_vials_that_it_moved(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    (released,) = events(day, "vials_released")
    ask(day, "Who checked them?", entry=str(released.seq), field="Time")
    ask(day, "Which shelf?", about=VIAL, field="Place")
    page: VialsPage = shown_page(qtbot, VialsPage(office), office, idle)
    page.open_on(VIAL)
    idle(office)
    life = shown(VialLifeDialog)
    strip = find(life, QueryStrip, "vial_life_query")
    assert [each.toolTip() for each in strip.findChildren(LineText)] == [
        f"open since today, on entry {released.seq}, Time: Who checked them?",
        "open since today, Place: Which shelf?",
    ]
    life.close()


def test_a_query_on_a_dose_is_seen_and_answered_in_prepare(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    number = dose(day, "000-001", 1, 1, until="order")
    ask(day, "Why on a Sunday?", about=number)
    page: PreparePage = shown_page(qtbot, PreparePage(office), office, idle)
    page.open_on(number)
    idle(office)
    assert line_of(page, "dose_query") == "open since today: Why on a Sunday?"
    answered_by_keyboard(page, "dose_query", "QRY-1", "Why on a Sunday?", office, idle)
    assert line_of(page, "dose_query") == "answered, open since today: Why on a Sunday?"
    # A new order is about no dose yet.
    page.begin_order()
    idle(office)
    assert not find(page, QueryStrip, "dose_query").isVisible()


def test_a_query_on_a_subject_or_a_dose_of_it_is_seen_at_the_subject(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    number = dose(day, "000-001", 1, 1, until="order")
    ask(day, "Is the year right?", about="000-001")
    page: SubjectsPage = shown_page(qtbot, SubjectsPage(office), office, idle)
    page.open_on("000-001")
    idle(office)
    assert line_of(page, "subject_query") == "open since today: Is the year right?"
    answered_by_keyboard(page, "subject_query", "QRY-1", "Is the year right?", office, idle)
    ask(day, "Why on a Sunday?", about=number)
    page.refresh()
    idle(office)
    strip = find(page, QueryStrip, "subject_query")
    assert [each.toolTip() for each in strip.findChildren(LineText)] == [
        "answered, open since today: Is the year right?",
        f"open since today, on dose {number}: Why on a Sunday?",
    ]


def test_a_query_on_a_shipment_or_its_receipt_is_seen_at_the_shipment(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    (received,) = events(day, "shipment_received")
    ask(day, "Where is the list?", about="shipment SHP-1")
    ask(day, "Who signed it?", about=f"RCV-{received.seq}")
    page: ReceivePage = shown_page(qtbot, ReceivePage(office), office, idle)
    strip = find(page, QueryStrip, "shipment_query")
    assert [each.toolTip() for each in strip.findChildren(LineText)] == [
        "open since today: Where is the list?",
        f"open since today, on receipt RCV-{received.seq}: Who signed it?",
    ]


def test_a_query_on_a_document_is_seen_when_it_is_opened(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    form = DocumentForm("Letter of the sponsor", "other", "", "", "2026-11-20", "letter.txt")
    event = attach_document(day.desk, day.act("pharmacist"), form, b"Dear pharmacist.")
    number = str(event.content["document_id"])
    ask(day, "Who wrote it?", about=number)
    with day.desk.store.read() as reader:
        (line,) = [each for each in reader.documents() if each.document_id == number]
    window = QWidget()
    qtbot.addWidget(window)
    dialog = DocumentDialog(office, line, window)
    dialog.open()
    idle(office)
    assert line_of(dialog, "document_query") == "open since today: Who wrote it?"
    dialog.close()


def test_an_old_one_is_overdue_and_of_many_the_oldest_are_shown(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle, said: Said
) -> None:
    for number in range(LINES_SHOWN + 2):
        ask(day, f"Question {number}?", about=VIAL)
    day.clock.at(day.clock() + timedelta(days=8))
    window = QWidget()
    qtbot.addWidget(window)
    strip = QueryStrip(office, name="strip")
    strip.setParent(window)
    window.show()
    strip.show_about(VIAL)
    idle(office)
    # More than a week: overdue, in words and not by colour alone.
    assert [each.toolTip() for each in strip.findChildren(LineText)] == [
        f"open 8 days (overdue): Question {number}?" for number in range(LINES_SHOWN)
    ]
    assert find(strip, Text, "strip_more").text() == "2 more stand under Monitor, Queries."
    # On the page of another thing they do not stand even until its own are known.
    strip.show_about(numbered("V", 2))
    assert not strip.isVisible()
    idle(office)
    assert not strip.isVisible()
    assert said.texts() == []


@pytest.mark.parametrize("who", ["monitor", "technician"])
def test_who_may_not_answer_reads_it_here_too(
    qtbot: QtBot, office_as: OfficeAs, day: DemoDay, idle: Idle, who: str
) -> None:
    office = office_as(who)
    ask(day, "Is the label legible?", about=VIAL)
    answer_query(day.desk, day.act("pharmacist"), SayForm("QRY-1", "Yes."))
    page: VialsPage = shown_page(qtbot, VialsPage(office), office, idle)
    page.open_on(VIAL)
    idle(office)
    life = shown(VialLifeDialog)
    QTest.keyClick(tab_to(life, "vial_life_query_QRY-1"), Qt.Key.Key_Return)
    idle(office)
    query = shown(QueryDialog)
    assert "Yes." in words_on(query)
    query.close()
    life.close()
    assert not [each for each in QApplication.topLevelWidgets() if isinstance(each, QDialog) and each.isVisible()]
