"""From a number to the entries behind it and back, by keyboard: Enter goes deeper, Escape one step back.

The seeded study: 12 vials of 1 mg and 4 of 4 mg were received (entry 14) and released (entry 17).
"""

import gc
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay
from pharmacy_app.domain.findings import Step
from pharmacy_app.domain.vials import STRENGTHS_MG
from pharmacy_app.services.behind import Stock, Thing
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.documents import DocumentForm, attach_document
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.ui.find import find, focused
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.office_fixtures import NOW
from ui.document import DocumentDialog
from ui.office import Office
from ui.pages.behind import BehindDialog, open_behind
from ui.pages.figure import TableLead, lead
from ui.pages.ledger import LedgerPage, LineDialog
from ui.pages.stock_journal import EventDialog
from ui.pages.today import TodayPage
from ui.pages.vials import VialsPage
from ui.widgets.working import NumberButton

Idle = Callable[[Office], None]
D = TypeVar("D", bound=QDialog)


def shown(kind: type[D]) -> D:
    """The one dialog of a kind that is open."""
    (found,) = [each for each in QApplication.topLevelWidgets() if isinstance(each, kind) and each.isVisible()]
    return found


def open_page(qtbot: QtBot, page: Any, office: Office, idle: Idle) -> Any:
    """A page as the window shows it."""
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    page.refresh()
    idle(office)
    return page


def enter(widget: QWidget) -> None:
    """Put the keyboard there and press Enter."""
    widget.setFocus()
    QTest.keyClick(widget, Qt.Key.Key_Return)


def changes(dialog: BehindDialog) -> list[tuple[str, str]]:
    """Change and sum of every part, as shown."""
    keys = [column.key for column in dialog.parts.columns]
    at = [keys.index(key) for key in ("change", "after")]
    rows = range(dialog.parts.rowCount())
    return [(dialog.parts.index(row, at[0]).data(), dialog.parts.index(row, at[1]).data()) for row in rows]


@pytest.mark.parametrize(("page", "name"), [(TodayPage, "stock_1_mg_usable"), (VialsPage, "stock_1mg_usable")])
def test_from_the_usable_vials_to_an_entry_and_back(
    qtbot: QtBot, office: Office, idle: Idle, page: Callable[[Office], Any], name: str
) -> None:
    there = open_page(qtbot, page(office), office, idle)
    figure = find(there, QPushButton, name)
    assert figure.accessibleName() == "Usable 1 mg vials: 12. Shows what is behind it"
    assert figure.focusPolicy() & Qt.FocusPolicy.TabFocus
    enter(figure)
    idle(office)
    dialog = shown(BehindDialog)
    assert dialog.number.text() == "12 vials"
    assert dialog.banner.accessibleName() == "Adds up: The changes below sum to 12 vials."
    assert changes(dialog) == [("+12", "12")]
    assert focused() is dialog.table
    QTest.keyClick(focused(), Qt.Key.Key_Return)
    idle(office)
    entry = shown(EventDialog)
    assert entry.windowTitle() == "Event 17: Vials released"
    QTest.keyClick(entry, Qt.Key.Key_Escape)
    assert not entry.isVisible()
    assert shown(BehindDialog) is dialog
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_the_balance_of_a_lot_shows_the_number_the_keyboard_stands_on(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page: LedgerPage = open_page(qtbot, LedgerPage(office), office, idle)
    page.views.set_current(1)
    table = page.balance_table
    row = [each.balance.strength_mg for each in page.balance.rows()].index(STRENGTHS_MG[1])
    keys = [column.key for column in page.balance.columns]
    for key, title in (
        ("available", "Vials of 4 mg, available, lot INO4-B203"),
        ("received", "Vials of 4 mg received, lot INO4-B203"),
        ("lot", "Vials of 4 mg received, lot INO4-B203"),
    ):
        table.setCurrentIndex(page.balance.index(row, keys.index(key)))
        enter(table)
        idle(office)
        dialog = shown(BehindDialog)
        assert dialog.title.text() == title
        assert changes(dialog) == [("+4", "4")]
        QTest.keyClick(dialog, Qt.Key.Key_Escape)


def test_from_a_line_of_the_ledger_to_its_balance(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page: LedgerPage = open_page(qtbot, LedgerPage(office), office, idle)
    enter(page.table)
    line = shown(LineDialog)
    enter(find(line, QPushButton, "ledger_line_behind"))
    idle(office)
    dialog = shown(BehindDialog)
    assert "on site, unopened, after line" in dialog.title.text()
    assert dialog.banner.kind == "ok"
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert line.isVisible()
    line.reject()


def test_a_lots_document_opens_from_behind_its_number(qtbot: QtBot, office: Office, day: DemoDay, idle: Idle) -> None:
    form = DocumentForm("Certificate", "other", "lot INO1-A117", "", "2026-11-20", "certificate.txt")
    attach_document(day.desk, day.act("pharmacist"), form, b"The lot meets its specification.")
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = open_behind(office, Stock(STRENGTHS_MG[0], "INO1-A117"), parent)
    idle(office)
    assert dialog.documents_table.isVisible()
    dialog.documents_table.setCurrentIndex(dialog.documents.index(0, 0))
    enter(dialog.documents_table)
    idle(office)
    document = shown(DocumentDialog)
    document.reject()
    assert dialog.isVisible()
    dialog.reject()


def test_a_subjects_entries_have_no_number_and_what_is_unknown_says_so(
    qtbot: QtBot, office: Office, idle: Idle
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = open_behind(office, Thing("000-001"), parent)
    idle(office)
    assert dialog.number.isHidden()
    assert dialog.banner.kind == "info"
    assert dialog.parts.rowCount() >= 3
    dialog.reject()
    unknown = open_behind(office, Thing("V999999Z"), parent)
    idle(office)
    assert unknown.banner.kind == "stop"
    assert "Nothing is on record of" in unknown.banner.text()
    unknown.reject()


def test_a_number_without_a_working_leads_to_its_entries(qtbot: QtBot, office: Office, idle: Idle) -> None:
    """As the amounts of a dose's record do: what was plain text is a button, by Space too."""
    parent = QWidget()
    qtbot.addWidget(parent)
    number = NumberButton("Administered dose", "1.2", "mg", name="given", parent=parent)
    assert not number.button.isEnabled()
    lead(office, number, Thing("000-001"))
    assert number.button.accessibleName() == "Administered dose: 1.2 mg. Shows what is behind it"
    parent.show()
    number.button.setFocus()
    QTest.keyClick(number.button, Qt.Key.Key_Space)
    idle(office)
    dialog = shown(BehindDialog)
    keys = [column.key for column in dialog.parts.columns]
    assert dialog.table.isColumnHidden(keys.index("change")), "there is nothing to sum"
    dialog.reject()


def control_b(widget: QWidget) -> None:
    """Put the keyboard there and press Ctrl+B."""
    widget.window().activateWindow()
    QApplication.processEvents()
    widget.setFocus()
    QTest.keyClick(widget, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)


def test_ctrl_b_opens_the_number_it_stands_on_or_all_that_is_on_record_of_the_row(
    qtbot: QtBot, office: Office, idle: Idle
) -> None:
    page: VialsPage = open_page(qtbot, VialsPage(office), office, idle)
    page.views.set_current(1)
    keys = [column.key for column in page.stock.columns]
    for key, title in (
        ("usable", "Vials of 1 mg, usable, lot INO1-A117, at Refrigerator 1"),
        ("on_hand", "Vials of 1 mg, on site, unopened, lot INO1-A117, at Refrigerator 1"),
        ("place", "All that is on record of lot INO1-A117, 1 mg"),
    ):
        page.stock_table.setCurrentIndex(page.stock.index(0, keys.index(key)))
        control_b(page.stock_table)
        idle(office)
        dialog = shown(BehindDialog)
        assert dialog.title.text() == title
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        assert not dialog.isVisible()


# The offscreen platform has no window manager to raise a menu over a table, and says so.
@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_the_menu_of_a_row_offers_both(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page: VialsPage = open_page(qtbot, VialsPage(office), office, idle)
    page.views.set_current(1)
    keys = [column.key for column in page.stock.columns]
    page.stock_table.setCurrentIndex(page.stock.index(0, keys.index("on_hand")))
    page.stock_table.setFocus()
    asked = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(5, 5), QPoint(5, 5))
    QApplication.sendEvent(page.stock_table.viewport(), asked)
    menu = page.stock_table.findChild(QMenu, "behind_menu")
    assert menu is not None
    assert [action.text() for action in menu.actions()] == ["Behind on hand: 12", "All that is on record of it"]
    QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    idle(office)
    dialog = shown(BehindDialog)
    assert dialog.title.text() == "All that is on record of lot INO1-A117, 1 mg"
    dialog.reject()


def test_from_a_number_to_its_entry_to_the_entry_that_corrects_it_and_back(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    """A vial put into quarantine by mistake: entry, correction, and three times Escape."""
    with day.desk.store.read() as reader:
        unit = reader.usable_vials(NOW.date())[0].unit_number
    wrong = quarantine(day.desk, day.act("pharmacist"), QuarantineForm((unit,), "it fell"))
    form = CorrectForm(wrong.seq, "another one fell")
    correction = correct(day.desk, day.act("pharmacist"), form, day.sign("pharmacist"), day.sign("checker"))
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = open_behind(office, Stock(STRENGTHS_MG[0]), parent)
    idle(office)
    seqs = [part.seq for part in dialog.parts.rows()]
    dialog.table.setCurrentIndex(dialog.parts.index(seqs.index(wrong.seq), 0))
    enter(dialog.table)
    idle(office)
    first = shown(EventDialog)
    assert first.beside.isVisible()
    assert [row.words for row in first.beside.rows.rows()] == [f"Corrected by entry {correction.seq}"]
    first.beside.table.setCurrentIndex(first.beside.rows.index(0, 0))
    enter(first.beside.table)
    idle(office)
    second = next(
        each for each in QApplication.topLevelWidgets() if isinstance(each, EventDialog) and each is not first
    )
    assert second.windowTitle().startswith(f"Event {correction.seq}:")
    assert second.beside.rows.rows()[0].words == f"Corrects entry {wrong.seq}"
    QTest.keyClick(second, Qt.Key.Key_Escape)
    assert not second.isVisible() and first.isVisible()
    QTest.keyClick(first, Qt.Key.Key_Escape)
    assert not first.isVisible() and dialog.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_number_with_a_working_keeps_it_and_leads_on_by_ctrl_b(qtbot: QtBot, office: Office, idle: Idle) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    step = Step("prepared dose", "mL × mg/mL", (), Decimal("1.2"), "mg", "8.1.2")
    number = NumberButton("Prepared dose", "1.2", "mg", (step,), name="prepared", parent=parent)
    lead(office, number, Thing("000-001"))
    parent.show()
    enter(number.button)
    working = next(each for each in QApplication.topLevelWidgets() if each.objectName() == "working_dialog")
    QTest.keyClick(working, Qt.Key.Key_Escape)
    control_b(number.button)
    idle(office)
    shown(BehindDialog).reject()


def test_a_page_is_not_kept_alive_by_what_its_rows_lead_to(qtbot: QtBot, office: Office, idle: Idle) -> None:
    """A page that holds itself would wait for the garbage collector, which may run in the database thread."""
    page: LedgerPage = open_page(qtbot, LedgerPage(office), office, idle)
    lead_of = page.table.findChild(TableLead)
    assert lead_of is not None
    held: list[object] = list(lead_of.numbers.values())
    for _ in range(4):
        assert not [each for each in held if each is page]
        # What a function knows of its module says nothing of what it keeps.
        held = [each for each in gc.get_referents(*held) if not (isinstance(each, dict) and "__name__" in each)]
    row = page.model.row_object(0)
    assert isinstance(lead_of.numbers["on_site"](row), Stock)
