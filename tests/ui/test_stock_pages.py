"""Receive, Vials, Ledger and Labels, worked as a pharmacist works them, on a real desk.

The seeded study holds shipment SHP-1: V000001 to V000012 of 1 mg (lot INO1-A117, printed 2027-03) and V000013 to
V000016 of 4 mg. Expected numbers are counted by hand from that.
"""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from db.store import SqlStore
from pharmacy_app.demo import DemoDay, receive_shipment
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services.balance import LotBalance
from pharmacy_app.services.desk import Act
from pharmacy_app.services.documents import PURPOSES, SUPPORTERS_PERMISSION, DocumentForm, attach_document
from pharmacy_app.services.labelling import LabelForm
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.ports import LedgerFilter, VialFilter
from pharmacy_app.services.views import MgLine, PrintedLine, StockLine
from tests.ui.find import find, focused
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.office_fixtures import Said
from ui.messages import MessageKind
from ui.office import Office
from ui.pages.labels import LabelsPage, prints_of
from ui.pages.ledger import LedgerPage, LedgerQuestion, _say_balance
from ui.pages.print_labels import PrintLabelsDialog
from ui.pages.receive import ReceivePage
from ui.pages.stock_journal import content_lines
from ui.pages.stock_life import VialLifeDialog, mg_pairs
from ui.pages.stock_parts import ActDialog
from ui.pages.storage_permission import ReleaseDialog
from ui.pages.vials import VialsPage, lots_of
from ui.paper import PaperDialog
from ui.widgets.fields import ScanField
from ui.widgets.tables import PageRequest

D = TypeVar("D", bound=QDialog)
Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]


def shown(kind: type[D]) -> D:
    """The one dialog of a kind that is open."""
    (found,) = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, kind) and widget.isVisible()]
    return found


def shown_page(qtbot: QtBot, page: Any, office: Office, idle: Idle) -> Any:
    """A page as the window shows it: on the screen and refreshed, anew after every act."""
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    office.changed.connect(page.refresh)
    page.refresh()
    idle(office)
    return page


def press(button: QWidget) -> None:
    """Press an enabled button with the keyboard."""
    assert button.isEnabled(), button.toolTip()
    QTest.keyClick(button, Qt.Key.Key_Space)


def states(day: DemoDay, shipment: str) -> dict[str, int]:
    """How many vials of a shipment are in each state."""
    with day.desk.store.read() as reader:
        wanted = VialFilter(shipment_number=shipment)
        found = reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=1000)
    return {state: sum(1 for vial in found if vial.state == state) for state in {vial.state for vial in found}}


def permission(day: DemoDay) -> str:
    """Attach the supporter's written permission; returns the document's number."""
    form = DocumentForm(
        "Permission", SUPPORTERS_PERMISSION, "", "Dr. A. Lind", "2026-11-22", "permission.txt", permits=PURPOSES
    )
    event = attach_document(day.desk, day.act("pharmacist"), form, b"You may use these vials.")
    return str(event.content["document_id"])


def packing_list(page: ReceivePage, **changes: str) -> None:
    """Type a sound packing list of three 1 mg vials of a new lot."""
    values = {
        "number": "SHP-2",
        "sender": "Supporter's depot",
        "shipped_on": "2026-11-20",
        "logger_state": "no alarm",
        "logger_serial": "TL-2",
        "packing_list": "PL-2",
        "min_celsius": "3.1",
        "max_celsius": "6.4",
        "lots.0.strength_mg": "1",
        "lots.0.lot": "ino1-a200",
        "lots.0.expiry": "2027-02",
        "lots.0.listed": "3",
        "lots.0.count": "3",
        **changes,
    }
    for name, value in values.items():
        form = page.receipt.blocks[int(name.split(".")[1])].form if name.startswith("lots.") else page.receipt.head
        form.field(name).set_value(value)


@pytest.fixture
def receive_page(qtbot: QtBot, office: Office, idle: Idle) -> ReceivePage:
    """The pharmacist's page, with the form opened."""
    page: ReceivePage = shown_page(qtbot, ReceivePage(office), office, idle)
    page.begin()
    return page


# -- receive


def test_a_shipment_is_received_labelled_and_released(
    qtbot: QtBot,
    receive_page: ReceivePage,
    office: Office,
    day: DemoDay,
    said: Said,
    idle: Idle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = receive_page
    packing_list(page)
    assert page.is_dirty()
    press(page.receive_button)
    idle(office)
    # Sixteen vials are there already: the next numbers are 17 to 19.
    assert said.texts()[-1] == (
        f"Shipment SHP-2 received: 3 vials, {numbered('V', 17)} – {numbered('V', 19)}. All are held."
    )
    assert states(day, "SHP-2") == {"held": 3}
    assert not page.is_dirty()
    chosen = page.table.current_row()
    assert chosen is not None
    assert chosen.number == "SHP-2"
    assert page.label_button.property("kind") == "primary"
    press(page.label_button)
    idle(office)
    # What will be printed is seen first; Enter prints it, and no reason is asked for a first copy.
    looked = shown(PrintLabelsDialog)
    assert looked.windowTitle() == "Vial labels of shipment SHP-2"
    assert find(looked, QLabel, "print_labels_state").text() == "3 labels, not printed yet."
    assert looked.why.isHidden()
    assert looked.verb.hasFocus()
    with day.desk.store.read() as reader:
        assert not reader.printed(about=numbered("V", 18))
    QTest.keyClick(looked.verb, Qt.Key.Key_Return)
    idle(office)
    shown(PaperDialog).accept()
    with day.desk.store.read() as reader:
        assert [line.copy_number for line in reader.printed(about=numbered("V", 18))] == [1]
    assert page.release_button.property("kind") == "primary"
    asked: list[str] = []

    def go_back(*words: Any, **_: Any) -> bool:
        asked.append(words[3])
        return False

    monkeypatch.setattr("ui.pages.receive.confirm", go_back)
    press(page.release_button)
    assert asked == ["Release to stock"]
    assert states(day, "SHP-2") == {"held": 3}, "going back must release nothing"
    monkeypatch.setattr("ui.pages.receive.confirm", lambda *_, **__: True)
    press(page.release_button)
    idle(office)
    assert states(day, "SHP-2") == {"available": 3}
    assert not page.release_button.isVisible()


def test_an_alarm_holds_the_vials_until_the_supporters_document(
    qtbot: QtBot, receive_page: ReceivePage, office: Office, day: DemoDay, idle: Idle
) -> None:
    page = receive_page
    packing_list(page, logger_state="alarm")
    press(page.receive_button)
    idle(office)
    assert not page.release_button.isVisible()
    press(page.document_button)
    dialog = shown(ReleaseDialog)
    idle(office)
    press(dialog.verb)
    assert "None is attached yet" in dialog.permission.editor().accessibleDescription()
    assert dialog.form.field("permission").fault() == "Supporter's permission is required."
    dialog.reject()
    number = permission(day)
    press(page.document_button)
    again = shown(ReleaseDialog)
    idle(office)
    again.permission.set_value(number)
    press(again.verb)
    idle(office)
    assert states(day, "SHP-2") == {"available": 3}


def test_every_fault_stands_beside_its_field_and_nothing_typed_is_lost(
    qtbot: QtBot, receive_page: ReceivePage, office: Office, day: DemoDay, idle: Idle
) -> None:
    page = receive_page
    press(page.receipt.add_button)
    packing_list(
        page,
        **{
            "number": "SHP-1",
            # This lot is known with 31-Mar-2027.
            "lots.0.lot": "INO1-A117",
            "lots.0.expiry": "2027-04",
            "lots.1.strength_mg": "4",
            "lots.1.lot": "INO4-B900",
            "lots.1.expiry": "2027-06-30",
            "lots.1.listed": "3",
            "lots.1.count": "3",
            "lots.1.kit_numbers": "K-1\nK-2",
        },
    )
    press(page.receive_button)
    idle(office)
    assert "received already" in page.receipt.head.field("number").fault()
    assert "One lot has one expiry" in page.receipt.blocks[0].expiry.fault()
    assert "2 kit numbers are typed for 3 vials" in page.receipt.blocks[1].kits.fault()
    assert page.focusWidget() is page.receipt.head.field("number").editor()
    assert page.receipt.blocks[1].typed().kit_numbers == ("K-1", "K-2")
    with day.desk.store.read() as reader:
        assert len(reader.shipments()) == 1


def test_an_empty_form_says_what_is_missing_in_every_block(
    qtbot: QtBot, receive_page: ReceivePage, office: Office
) -> None:
    page = receive_page
    page.receipt.add_lot()
    page.receipt.blocks[1].condition.set_value("damaged")
    press(page.receive_button)
    assert not office.bridge.busy, "nothing is sent while fields are missing"
    faulty = {
        field.name
        for form in (page.receipt.head, *(block.form for block in page.receipt.blocks))
        for field in form.fields()
        if field.fault()
    }
    lot = {f"lots.{at}.{name}" for at in (0, 1) for name in ("strength_mg", "lot", "expiry", "listed", "count")}
    assert faulty == {"number", "sender", "packing_list", "shipped_on", "logger_state", "lots.1.condition_note", *lot}
    assert page.focusWidget() is page.receipt.head.field("number").editor()


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        ("2027-02", "Last usable day: Sun 28 Feb 2027."),
        ("2028-02", "Last usable day: Tue 29 Feb 2028."),  # a leap year
        ("Mar-2027", "Last usable day: Wed 31 Mar 2027."),
        ("2027-03-15", "Last usable day: Mon 15 Mar 2027."),
    ],
)
def test_the_last_usable_day_stands_beneath_the_printed_expiry(
    receive_page: ReceivePage, printed: str, says: str
) -> None:
    expiry = receive_page.receipt.blocks[0].expiry
    expiry.set_value(printed)
    assert expiry._read() == says
    assert not expiry.fault()


@pytest.mark.parametrize("printed", ["2027-13", "03/2027", "soon"])
def test_what_is_no_expiry_is_said_while_typing(receive_page: ReceivePage, printed: str) -> None:
    expiry = receive_page.receipt.blocks[0].expiry
    expiry.set_value(printed)
    assert expiry.fault()
    assert expiry._read() == ""


def test_a_lot_taken_off_the_list_leaves_the_others_as_typed(receive_page: ReceivePage, qtbot: QtBot) -> None:
    receipt = receive_page.receipt
    for at, lot in enumerate(("AAA", "BBB", "CCC")):
        if at:
            receipt.add_lot()
        receipt.blocks[at].lot.set_value(lot)
    remove = receipt.blocks[1].findChild(QWidget, "lots_1_remove")
    assert isinstance(remove, QWidget)
    press(remove)
    assert [block.typed().lot for block in receipt.blocks] == ["AAA", "CCC"]
    assert [block.lot.name for block in receipt.blocks] == ["lots.0.lot", "lots.1.lot"]


def test_a_second_click_receives_once(receive_page: ReceivePage, office: Office, day: DemoDay, idle: Idle) -> None:
    packing_list(receive_page)
    receive_page._receive()
    receive_page._receive()
    idle(office)
    with day.desk.store.read() as reader:
        assert reader.count_events(kind="shipment_received", text="") == 2  # the seeded one and this
    # As two acts the second would be refused, because the shipment is known by then.
    assert receive_page.receipt.head.field("number").fault() == ""
    assert states(day, "SHP-2") == {"held": 3}


def test_a_draft_is_kept_while_the_list_is_looked_at(receive_page: ReceivePage, office: Office, idle: Idle) -> None:
    packing_list(receive_page)
    receive_page.show_list()
    receive_page.refresh()
    idle(office)
    assert "Go on" in receive_page.new_button.text()
    receive_page.begin()
    assert receive_page.receipt.form().number == "SHP-2"


def test_a_step_that_is_refused_is_said_and_changes_nothing(
    receive_page: ReceivePage,
    office: Office,
    day: DemoDay,
    said: Said,
    idle: Idle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The service checks authority again, whatever the screen offered."""
    packing_list(receive_page)
    press(receive_page.receive_button)
    idle(office)
    dialog = PrintLabelsDialog(office, LabelForm("vial", (numbered("V", 17),)), "Label", receive_page)
    dialog.open()
    idle(office)
    dialog._act = Act(day.sessions["monitor"])
    press(dialog.verb)
    idle(office)
    assert "takes a pharmacist or technician" in find(dialog, QLabel, "print_labels_form_fault_summary").text()
    dialog.reject()
    office.session = day.sessions["monitor"]
    receive_page._step_act = office.act()
    monkeypatch.setattr("ui.pages.receive.confirm", lambda *_, **__: True)
    press(receive_page.release_button)
    idle(office)
    assert said.messages[-1].kind is MessageKind.STOP
    assert "“vials released” takes a pharmacist." in said.texts()[-1]
    assert states(day, "SHP-2") == {"held": 3}


# -- vials


@pytest.fixture
def vials_page(qtbot: QtBot, office: Office, idle: Idle) -> VialsPage:
    """The pharmacist's page of vials."""
    page: VialsPage = shown_page(qtbot, VialsPage(office), office, idle)
    return page


def stock_line(state: str, vials: int, expires_on: date = date(2027, 3, 31)) -> StockLine:
    """Vials of one lot in one state."""
    return StockLine(Decimal(1), "A117", expires_on, "Refrigerator 1", state, vials)


@pytest.mark.parametrize(("day", "usable", "expired"), [(date(2027, 3, 31), 5, 0), (date(2027, 4, 1), 0, 5)])
def test_available_vials_are_usable_through_their_last_day(day: date, usable: int, expired: int) -> None:
    (lot,) = lots_of(
        [stock_line("available", 5), stock_line("held", 2), stock_line("quarantined", 1), stock_line("empty", 4)], day
    )
    assert (lot.usable, lot.expired) == (usable, expired)
    # Unopened: 5 + 2 + 1. The four empty ones are not on hand.
    assert lot.on_hand == 8
    assert lot.used == 4


def test_stock_and_filter_agree_with_what_was_received(vials_page: VialsPage, office: Office, idle: Idle) -> None:
    page = vials_page
    assert [(lot.lot, lot.usable, lot.on_hand) for lot in page.stock.rows()] == [
        ("INO1-A117", 12, 12),
        ("INO4-B203", 4, 4),
    ]
    assert page.vials.rowCount() == 16
    page.strength.set_value("4")
    page._filter()
    idle(office)
    assert page.vials.rowCount() == 4
    page.text.set_value(numbered("V", 14))
    page._filter()
    idle(office)
    found = page.vials.row_object(0)
    assert found is not None
    assert found.unit_number == numbered("V", 14)
    page.text.set_value("nothing like it")
    page._filter()
    idle(office)
    assert page.vials.rowCount() == 0


def test_every_column_sorts_in_the_store(vials_page: VialsPage) -> None:
    for column in vials_page.vials.columns:
        for descending in (False, True):
            page = vials_page._fetch(PageRequest(0, 100, column.key, descending))
            assert page.total == len(page.rows) == 16, column.key
    first = vials_page._fetch(PageRequest(0, 1, "strength_mg", True)).rows[0]
    assert first.strength_mg == Decimal(4)


def test_a_scanned_vial_opens_its_life(qtbot: QtBot, vials_page: VialsPage, office: Office, idle: Idle) -> None:
    line = vials_page.scan.editor()
    QTest.keyClicks(line, f"91{numbered('V', 3)}")
    QTest.keyClick(line, Qt.Key.Key_Return)
    idle(office)
    dialog = shown(VialLifeDialog)
    assert [row.move for row in dialog._lines.rows()] == ["receive", "release"]
    assert not dialog._mg_card.isVisible(), "an unopened vial has no mg ledger"


def test_a_misread_number_is_refused_beside_the_scan(vials_page: VialsPage, office: Office, idle: Idle) -> None:
    right = numbered("V", 3)
    wrong = right[:-1] + ("A" if right[-1] != "A" else "B")
    vials_page.scan.scanned.emit(wrong)
    idle(office)
    assert "misread" in vials_page.scan.fault()


def test_chosen_vials_are_quarantined_with_a_reason_and_come_back_with_a_document(
    qtbot: QtBot, vials_page: VialsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    page = vials_page
    assert not page.quarantine_button.isEnabled(), "nothing is chosen yet"
    page.table.selectRow(1)
    assert not page.document_button.isEnabled(), "an available vial needs no document"
    press(page.quarantine_button)
    dialog = shown(ActDialog)
    press(dialog.verb)
    assert dialog.form.field("reason").fault() == "Reason is required."
    dialog.form.field("reason").set_value("refrigerator at 11 °C")
    press(dialog.verb)
    idle(office)
    assert states(day, "SHP-1") == {"available": 15, "quarantined": 1}
    page.open_on(numbered("V", 2))
    idle(office)
    life = shown(VialLifeDialog)
    assert not life.quarantine_button.isVisible()
    number = permission(day)
    press(life.document_button)
    idle(office)
    document = shown(ReleaseDialog)
    document.permission.set_value(number)
    press(document.verb)
    idle(office)
    assert states(day, "SHP-1") == {"available": 16}
    assert [row.move for row in life._lines.rows()] == ["receive", "release", "quarantine", "lift quarantine"]


def test_tab_follows_the_eye_through_a_late_quarantine_and_keeps_its_reason(
    qtbot: QtBot, vials_page: VialsPage, office: Office, idle: Idle
) -> None:
    vials_page.table.selectRow(1)
    press(vials_page.quarantine_button)
    dialog = shown(ActDialog)
    qtbot.waitUntil(dialog.isActiveWindow)
    reason, late = dialog.form.field("reason"), dialog.form.field("late_why")
    QTest.keyClicks(reason.editor(), "refrigerator at 11 °C")
    press(find(dialog, QPushButton, "done_other"))
    QTest.keyClicks(dialog.form.field("done_at").editor(), "2026-11-21 14:05")
    order = []
    for _ in range(6):
        QTest.keyClick(focused(), Qt.Key.Key_Tab)
        order.append(focused().objectName())
        if focused() is late.editor():
            QTest.keyClicks(focused(), "the computer was off")
    assert order == ["done_at_time", "done_at_now", "late_why", "quarantine_dialog_back", "quarantine_dialog_do",
                     "reason"]  # fmt: skip
    QTest.keyClicks(reason.editor(), " since noon")
    assert reason.value() == "refrigerator at 11 °C since noon"
    assert (late.value(), dialog.form.field("done_at").value()) == ("the computer was off", "2026-11-21T14:05")


def test_a_table_of_one_vial_is_worked_by_the_keyboard(
    qtbot: QtBot, vials_page: VialsPage, office: Office, idle: Idle
) -> None:
    qtbot.waitUntil(vials_page.isActiveWindow)
    vials_page.text.set_value("V000002")
    qtbot.waitUntil(lambda: vials_page.vials.rowCount() == 1)
    assert not vials_page.quarantine_button.isEnabled()
    vials_page.text.editor().setFocus()
    QTest.keyClick(vials_page.text.editor(), Qt.Key.Key_Tab)
    assert vials_page.table.hasFocus()
    assert vials_page.quarantine_button.isEnabled()
    assert [row.vial.unit_number for row in vials_page.table.selected_rows()] == [numbered("V", 2)]


def test_the_end_of_a_vials_life_is_reached_by_page_down(vials_page: VialsPage, office: Office, idle: Idle) -> None:
    vials_page.open_on(numbered("V", 2))
    idle(office)
    life = shown(VialLifeDialog)
    life.resize(700, 420)
    QApplication.processEvents()
    bar = life._area.verticalScrollBar()
    assert bar.maximum() > 0
    for _ in range(8):
        QTest.keyClick(life._close, Qt.Key.Key_PageDown)
    assert bar.value() == bar.maximum()
    QTest.keyClick(life._close, Qt.Key.Key_PageUp)
    assert bar.value() < bar.maximum()


def test_a_label_printed_before_asks_why(
    qtbot: QtBot, vials_page: VialsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    vials_page.table.selectRow(0)
    press(vials_page.label_button)
    idle(office)
    dialog = shown(PrintLabelsDialog)
    assert find(dialog, QLabel, "print_labels_state").text().endswith("says REPRINT: destroy the old one.")
    assert dialog.why.editor().hasFocus()
    press(dialog.verb)
    assert dialog.why.fault()
    dialog.why.set_value("label wet")
    press(dialog.verb)
    idle(office)
    with day.desk.store.read() as reader:
        assert [(line.copy_number, line.why) for line in reader.printed(about=numbered("V", 1))] == [
            (2, "label wet"),
            (1, ""),
        ]


def test_the_mg_ledger_is_shown_as_a_sum() -> None:
    # 4 mg labelled: 3.1 withdrawn, 0.2 residue, 0.7 discarded.
    closed = MgLine("V", "D", Decimal(4), Decimal("3.1"), Decimal("0.2"), Decimal("0.7"))
    assert dict(mg_pairs(closed))["Closes"] == "3.1 + 0.2 + 0.7 mg = 4 mg labelled"
    wrong = MgLine("V", "D", Decimal(4), Decimal("3.1"), Decimal("0.2"), Decimal("0.6"))
    assert "≠" in dict(mg_pairs(wrong))["Closes"]
    still_open = MgLine("V", "D", Decimal(4), Decimal("3.1"), None, None)
    assert dict(mg_pairs(still_open))["Closes"].startswith("Open: 0.9 mg")


# -- ledger and journal


@pytest.fixture
def ledger_page(qtbot: QtBot, office: Office, day: DemoDay, idle: Idle) -> LedgerPage:
    """The ledger after a second shipment that an alarm holds."""
    receive_shipment(day, "SHP-3", (LotTyped("1", "INO1-A130", "2027-09", "5"),), "alarm", usable=False)
    page: LedgerPage = shown_page(qtbot, LedgerPage(office), office, idle)
    return page


def test_newest_first_is_the_ledger_read_backwards_on_every_page(ledger_page: LedgerPage, day: DemoDay) -> None:
    with day.desk.store.read() as reader:
        lines = list(reader.ledger(LedgerFilter(), offset=0, limit=100))
    # Received 1 mg and 4 mg, released both, and received the held ones.
    assert len(lines) == 5
    for size in (1, 2, 3, 5, 6):
        read: list[Any] = []
        for offset in range(0, 6, size):
            read += ledger_page._fetch(PageRequest(offset, size, filter=LedgerQuestion())).rows
        assert [row.line_id for row in read] == [line.line_id for line in reversed(lines)], size
    oldest = ledger_page._fetch(PageRequest(0, 2, filter=LedgerQuestion(newest_first=False)))
    assert [row.line_id for row in oldest.rows] == [line.line_id for line in lines[:2]]


def test_balances_and_footer_are_those_counted_by_hand(ledger_page: LedgerPage) -> None:
    top = ledger_page.model.row_object(0)
    assert top is not None
    # 12 available of 1 mg, 5 more held: 17 on site.
    assert (top.balance_available, top.balance_quarantine, top.on_site) == (12, 5, 17)
    assert (top.move, top.states) == ("RECEIVE", "outside → held")
    assert ledger_page._check.kind == "ok"
    assert "1 mg: 17 = 17, 4 mg: 4 = 4" in ledger_page._check.text()


def test_a_missing_vial_is_said_and_named() -> None:
    on_site = (("available", 7), ("quarantined", 1), ("reserved", 1))
    whole = LotBalance(Decimal(1), "A117", 12, (*on_site, ("destroyed", 3)))
    assert whole.agrees
    short = LotBalance(Decimal(1), "A130", 12, (*on_site, ("destroyed", 2)))
    kind, sentence, _ = _say_balance([whole, short])
    assert kind == "stop"
    assert "1 mg lot A130" in sentence
    assert "A117" not in sentence


def test_the_monitor_prints_the_accountability_record(
    qtbot: QtBot, office_as: OfficeAs, day: DemoDay, idle: Idle
) -> None:
    office = office_as("monitor")
    page: LedgerPage = shown_page(qtbot, LedgerPage(office), office, idle)
    press(page.print_button)
    dialog = shown(ActDialog)
    dialog.form.field("record_strength").set_value("4")
    dialog.form.field("record_lot").set_value("INO4-B203")
    press(dialog.verb)
    idle(office)
    shown(PaperDialog).accept()
    with day.desk.store.read() as reader:
        (printed,) = reader.printed(paper="accountability record")
    assert printed.about == "4 mg lot INO4-B203"
    assert printed.printed_by == day.sessions["monitor"].printed_name


def test_only_lots_of_the_strength_are_offered_for_the_record(qtbot: QtBot, ledger_page: LedgerPage) -> None:
    press(ledger_page.print_button)
    lot = shown(ActDialog).form.field("record_lot").editor()
    assert [lot.itemText(at) for at in range(lot.count())] == ["All lots", "INO1-A117", "INO1-A130"]  # type: ignore[attr-defined]


def test_the_journal_opens_an_event_and_verifies(
    qtbot: QtBot, ledger_page: LedgerPage, office: Office, idle: Idle
) -> None:
    journal = ledger_page.journal
    ledger_page.views.set_current(2)
    newest = journal.model.row_object(0)
    assert newest is not None
    assert newest.kind == "labels_scanned"
    journal.table.row_activated.emit(newest)
    assert shown(QDialog).windowTitle() == f"Event {newest.seq}: Labels scanned"
    shown(QDialog).accept()
    press(journal.verify_button)
    assert not journal.verify_button.isEnabled()
    idle(office)
    assert journal.result.kind == "ok"
    assert f"All {newest.seq} events" in journal.result.text()


def test_verifying_says_how_far_it_is_and_can_be_stopped(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, ledger_page: LedgerPage, office: Office, idle: Idle
) -> None:
    go_on = threading.Event()

    def slow(_store: SqlStore, tell: Callable[[int, int], None]) -> None:
        tell(1, 4)
        assert go_on.wait(10)
        tell(2, 4)
        raise AssertionError("nobody stopped it")

    journal = ledger_page.journal
    ledger_page.views.set_current(2)
    assert not journal.stop_button.isVisible()
    with monkeypatch.context() as patch:
        patch.setattr(SqlStore, "verify", slow)
        journal.verify()
        qtbot.waitUntil(lambda: "25 % is done" in journal.result.text())
        press(journal.stop_button)
        go_on.set()
        idle(office)
    assert journal.result.kind == "info"
    assert "was stopped before its end" in journal.result.text()
    assert journal.verify_button.isEnabled()
    assert not journal.stop_button.isVisible()
    journal.verify()
    idle(office)
    assert journal.result.kind == "ok"


def test_one_altered_byte_is_named(
    qtbot: QtBot, ledger_page: LedgerPage, office: Office, tmp_path: Path, idle: Idle
) -> None:
    with closing(sqlite3.connect(tmp_path / "study.sqlite")) as raw, raw:
        triggers = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in triggers:
            raw.execute(f'DROP TRIGGER "{name}"')
        (body,) = raw.execute("SELECT body FROM journal_event WHERE seq = 5").fetchone()
        raw.execute("UPDATE journal_event SET body = ? WHERE seq = 5", (body.replace(b"1", b"2", 1),))
    raw.close()
    ledger_page.journal.verify()
    idle(office)
    assert ledger_page.journal.result.kind == "stop"
    assert "The first bad event is number 5." in ledger_page.journal.result.text()


def test_an_events_content_is_readable() -> None:
    content = {
        "line": {"reference": "SHP-1", "comment": ""},
        "moves": [{"lot": "A117", "unit_number": "V000001Q", "move": "receive"}],
        "places": ["Refrigerator 1", "Refrigerator 2"],
        "demonstration": True,
        "protocol_text": "x" * 1000,
    }
    lines = {line.what: line.value for line in content_lines(content)}
    assert lines == {
        "Line › reference": "SHP-1",
        "Line › comment": "–",
        "Moves 1": "unit number V000001Q · move receive · lot A117",
        "Places": "Refrigerator 1, Refrigerator 2",
        "Demonstration": "yes",
        "Protocol text": "x" * 300 + "… (1,000 characters)",
    }


# -- labels


@pytest.fixture
def labels_page(qtbot: QtBot, office: Office, idle: Idle) -> LabelsPage:
    """The pharmacist's page of printed papers."""
    page: LabelsPage = shown_page(qtbot, LabelsPage(office), office, idle)
    return page


def test_labels_of_one_printing_stand_on_one_line(labels_page: LabelsPage) -> None:
    (row,) = labels_page.prints.rows()
    assert (row.paper, len(row.abouts), row.copy) == ("vial label", 16, "first")
    assert row.about == f"{numbered('V', 1)} – {numbered('V', 16)}"


def test_the_highest_copy_is_shown_for_a_mixed_printing(day: DemoDay) -> None:
    when = day.clock()
    lines = [
        PrintedLine(9, "vial label", numbered("V", 1), 2, 1, "aa", when, "Dana", "torn"),
        PrintedLine(9, "vial label", numbered("V", 2), 1, 1, "aa", when, "Dana", "torn"),
        PrintedLine(4, "worksheet", "D1", 1, 1, "bb", when, "Dana", ""),
    ]
    assert [(of.event_seq, of.copy) for of in prints_of(lines)] == [(9, "2, reprint"), (4, "first")]


def test_looking_at_a_stored_paper_is_no_reprint(
    labels_page: LabelsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    with day.desk.store.read() as reader:
        before = reader.head().seq
        stored = reader.paper(labels_page.prints.rows()[0].sha256)
    labels_page.open_button.click()
    idle(office)
    assert shown(PaperDialog)._pdf == stored
    with day.desk.store.read() as reader:
        assert reader.head().seq == before


def test_one_torn_label_is_scanned_and_printed_again_alone(
    qtbot: QtBot, labels_page: LabelsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    page, torn = labels_page, numbered("V", 7)
    assert isinstance(page.scan, ScanField)
    QTest.keyClicks(page.scan.editor(), torn)
    QTest.keyClick(page.scan.editor(), Qt.Key.Key_Return)
    idle(office)
    assert [row.abouts for row in page.prints.rows()] == [(torn,)]
    press(page.again_button)
    idle(office)
    dialog = shown(PrintLabelsDialog)
    dialog.form.field("why").set_value("torn at the hood")
    press(dialog.verb)
    idle(office)
    shown(PaperDialog).accept()
    with day.desk.store.read() as reader:
        assert [line.copy_number for line in reader.printed(about=torn)] == [2, 1]
        assert [line.copy_number for line in reader.printed(about=numbered("V", 8))] == [1]
    press(page.all_button)
    idle(office)
    assert len(page.prints.rows()) == 2


def test_an_unknown_number_is_said_beside_the_scan(labels_page: LabelsPage, office: Office, idle: Idle) -> None:
    labels_page.scan.scanned.emit(numbered("V", 900))
    idle(office)
    assert labels_page.scan.fault().startswith(f"There is no vial {numbered('V', 900)} in this pharmacy.")


# -- the monitor


def test_the_monitor_reads_all_and_changes_nothing(qtbot: QtBot, office_as: OfficeAs, day: DemoDay, idle: Idle) -> None:
    office = office_as("monitor")
    with day.desk.store.read() as reader:
        before = reader.head().seq
    receive = shown_page(qtbot, ReceivePage(office), office, idle)
    vials = shown_page(qtbot, VialsPage(office), office, idle)
    labels = shown_page(qtbot, LabelsPage(office), office, idle)
    vials.table.selectRow(0)
    labels.table.selectRow(0)
    idle(office)
    for button in (
        receive.new_button,
        receive.label_button,
        vials.quarantine_button,
        vials.document_button,
        vials.label_button,
        labels.again_button,
    ):
        assert not button.isEnabled(), button.text()
        assert "signed in as monitor" in button.toolTip(), button.text()
    receive.begin()
    assert not receive.receive_button.isVisible()
    assert labels.open_button.isEnabled()
    vials.open_on(numbered("V", 1))
    idle(office)
    life = shown(VialLifeDialog)
    assert not life.quarantine_button.isEnabled()
    with day.desk.store.read() as reader:
        assert reader.head().seq == before


def test_every_control_has_a_name_and_a_label(
    qtbot: QtBot, receive_page: ReceivePage, vials_page: VialsPage, ledger_page: LedgerPage, labels_page: LabelsPage
) -> None:
    nameless = [
        (type(widget).__name__, widget.objectName())
        for page in (receive_page, vials_page, ledger_page, labels_page)
        for widget in page.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisibleTo(page)
        and not (widget.accessibleName() and widget.objectName())
    ]
    assert nameless == []
