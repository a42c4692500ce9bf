"""Receive, worked by keyboard: listed against counted, damage, the logger read later, telling the supporter, papers.

The seeded study holds shipment SHP-1 (16 vials); the clock stands at 09:xx on Sunday, 22-Nov-2026.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.stock import ShipmentForm, receive
from pharmacy_app.services.views import ShipmentLine
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.office_fixtures import Said
from tests.ui.test_stock_pages import packing_list, press, shown, shown_page, states
from ui.office import Office
from ui.pages.ledger import LedgerPage
from ui.pages.receive import ReceivePage
from ui.pages.stock_parts import ActDialog
from ui.paper import PaperDialog

Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]


def put(root: QWidget, name: str, text: str) -> None:
    """Type into a field by its name, or choose from it by the first letters."""
    editor = find(root, QWidget, name)
    editor.setFocus()
    if isinstance(editor, QComboBox):
        QTest.keyClicks(editor, text)
        return
    assert isinstance(editor, QLineEdit | QPlainTextEdit), name
    editor.selectAll()
    QTest.keyClick(editor, Qt.Key.Key_Delete)
    QTest.keyClicks(editor, text)


def fault(root: QWidget, name: str) -> str:
    return str(find(root, QLabel, f"{name}_fault").text())


def line_of(day: DemoDay, number: str) -> ShipmentLine:
    with day.desk.store.read() as reader:
        line = reader.shipment(number)
    assert line is not None
    return line


@pytest.fixture
def page(qtbot: QtBot, office: Office, idle: Idle) -> ReceivePage:
    """The pharmacist's page with the form opened."""
    made: ReceivePage = shown_page(qtbot, ReceivePage(office), office, idle)
    made.begin()
    return made


@pytest.fixture
def unread(qtbot: QtBot, office: Office, day: DemoDay, idle: Idle) -> ReceivePage:
    """The page on shipment SHP-2: three vials whose logger was not read."""
    form = ShipmentForm(
        "SHP-2",
        "Supporter's depot",
        day.day(-2),
        day.local(),
        "TL-2",
        "not read",
        "Refrigerator 1",
        (LotTyped("1", "INO1-A200", "2027-02", "3", listed="3"),),
        packing_list="PL-2",
    )
    receive(day.desk, day.act("technician"), form)
    made: ReceivePage = shown_page(qtbot, ReceivePage(office), office, idle)
    return made


# -- the form


def test_fields_appear_when_they_are_asked_for(page: ReceivePage) -> None:
    block = page.receipt.blocks[0]
    asked = (block.difference, block.extra_kits, block.note, block.damaged, block.damaged_kits)
    assert not any(field.isVisible() for field in asked)
    packing_list(page, **{"lots.0.listed": "3", "lots.0.count": "2"})
    assert block.difference.isVisible()
    assert not block.extra_kits.isVisible()
    packing_list(page, **{"lots.0.listed": "3", "lots.0.count": "4", "lots.0.kit_numbers": "K1 to K4"})
    assert block.extra_kits.isVisible()
    packing_list(page, **{"lots.0.condition": "damaged", "lots.0.kit_numbers": "K1\nK2\nK3"})
    assert all(field.isVisible() for field in (block.note, block.damaged, block.damaged_kits))
    assert not block.difference.isVisible(), "three listed and three counted"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"min_celsius": "1.9"}, "The temperature logger recorded 1.9 °C to 6.4 °C, outside 2 °C to 8 °C."),
        ({"max_celsius": "8.0"}, ""),
        ({"max_celsius": "8.1"}, "The temperature logger recorded 3.1 °C to 8.1 °C, outside 2 °C to 8 °C."),
        ({"max_celsius": "N/A"}, "The temperature logger shows no lowest and highest temperature."),
        ({"max_celsius": ""}, ""),
        ({"logger_state": "alarm", "max_celsius": ""}, "The temperature logger shows an alarm."),
        ({"logger_state": "no logger"}, "The shipment came without a temperature logger."),
        ({"logger_state": "not read"}, "The temperature logger has not been read. All vials stay held until it is."),
        ({"lots.0.condition": "damaged"}, "Damaged vials of lot 1 stay held until the supporter permits"),
    ],
)
def test_what_will_be_held_is_said_while_typing(
    page: ReceivePage, office: Office, idle: Idle, changes: dict[str, str], says: str
) -> None:
    idle(office)
    packing_list(page, **changes)
    assert page.receipt._held.isVisible() == bool(says)
    assert page.receipt._held.text().startswith(says)


def test_temperatures_are_asked_of_a_logger_that_was_read(page: ReceivePage) -> None:
    receipt = page.receipt
    packing_list(page)
    assert receipt.lowest.isVisible()
    packing_list(page, logger_state="not read")
    assert not receipt.lowest.isVisible()
    assert receipt.form().min_celsius == "", "what is hidden is not sent"


def test_a_difference_is_refused_beside_its_field_until_it_is_explained(
    page: ReceivePage, office: Office, day: DemoDay, idle: Idle
) -> None:
    packing_list(page, **{"lots.0.listed": "10", "lots.0.count": "9"})
    press(page.receive_button)
    assert fault(page, "lots.0.difference_note") == "About the difference is required."
    assert page.focusWidget() is page.receipt.blocks[0].difference.editor()
    QTest.keyClicks(page.receipt.blocks[0].difference.editor(), "carton sealed")
    press(page.receive_button)
    idle(office)
    assert states(day, "SHP-2") == {"held": 9}
    (row,) = page.lots.rows()
    assert (row.listed, row.counted, row.damaged, row.finding) == ("10", "9", "0", "1 missing: carton sealed")


def test_an_extra_kit_that_is_not_named_is_refused_beside_its_field(
    page: ReceivePage, office: Office, day: DemoDay, idle: Idle
) -> None:
    typed = {
        "lots.0.listed": "2",
        "lots.0.count": "3",
        "lots.0.kit_numbers": "K1 to K3",
        "lots.0.difference_note": "one more",
    }
    packing_list(page, **typed)
    press(page.receive_button)
    idle(office)
    assert "1 more than listed came" in fault(page, "lots.0.extra_kits")
    assert page.focusWidget() is page.receipt.blocks[0].extra_kits.editor()
    QTest.keyClicks(page.receipt.blocks[0].extra_kits.editor(), "k3")
    press(page.receive_button)
    idle(office)
    with day.desk.store.read() as reader:
        vial = reader.vial_by_kit("K3")
    assert vial is not None
    assert vial.hold_reason == "not on the packing list (2 listed, 3 counted)"
    assert page.lots.rows()[0].finding == "1 not on the list: one more"


def test_two_damaged_vials_are_held_and_the_third_goes_into_use(
    page: ReceivePage, office: Office, day: DemoDay, idle: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    packing_list(page, **{"lots.0.condition": "damaged", "lots.0.condition_note": "cracked", "lots.0.damaged": "2"})
    press(page.receive_button)
    idle(office)
    assert "2 vials held because damaged on arrival (cracked)" in page._next.text()
    monkeypatch.setattr("ui.pages.receive.confirm", lambda *_, **__: True)
    press(page.release_button)
    idle(office)
    assert states(day, "SHP-2") == {"held": 2, "available": 1}


def test_a_shipment_of_yesterday_asks_why_it_is_late(
    page: ReceivePage, office: Office, day: DemoDay, idle: Idle
) -> None:
    packing_list(page)
    assert not page.receipt.late.isVisible()
    packing_list(page, received_at="2026-11-21T10:00")
    assert page.receipt.late.isVisible()
    press(page.receive_button)
    idle(office)
    assert "Say why it is late" in fault(page, "late_why")
    put(page, "late_why", "arrived on Saturday")
    press(page.receive_button)
    idle(office)
    assert states(day, "SHP-2") == {"held": 3}


def test_a_draft_with_all_its_fields_outlives_a_look_at_the_list_and_another_lot(page: ReceivePage) -> None:
    typed = {
        "lots.0.listed": "4",
        "lots.0.kit_numbers": "K1 to K3",
        "lots.0.difference_note": "one is missing",
        "lots.0.condition": "damaged",
        "lots.0.condition_note": "wet",
        "lots.0.damaged_kits": "K2",
    }
    packing_list(page, **typed)
    page.show_list()
    page.begin()
    page.receipt.add_lot()
    lot = page.receipt.form().lots[0]
    assert (lot.listed, lot.count, lot.difference_note) == ("4", "3", "one is missing")
    assert (lot.kit_numbers, lot.damaged_kits, lot.condition_note) == (("K1 to K3",), ("K2",), "wet")


# -- the logger read later


def test_the_logger_is_read_by_keyboard_and_the_vials_wait_for_the_pharmacist(
    unread: ReceivePage, office: Office, day: DemoDay, said: Said, idle: Idle
) -> None:
    page = unread
    assert not page.release_button.isVisible()
    press(page.logger_button)
    dialog = shown(ActDialog)
    press(dialog.verb)
    assert fault(dialog, "min_celsius") == "Lowest temperature (°C) is required."
    put(dialog, "logger_state", "No")
    put(dialog, "min_celsius", "6.0")
    put(dialog, "max_celsius", "3,2")
    press(dialog.verb)
    idle(office)
    assert "has a comma" in fault(dialog, "max_celsius")
    put(dialog, "max_celsius", "3.2")
    press(dialog.verb)
    idle(office)
    assert "is below the lowest" in fault(dialog, "max_celsius")
    assert line_of(day, "SHP-2").logger_state == "not read"
    put(dialog, "max_celsius", "7.5")
    press(dialog.verb)
    idle(office)
    assert said.texts()[-1] == "Logger TL-2 read."
    assert line_of(day, "SHP-2").logger_state == "no alarm"
    assert page.release_button.isVisible()
    assert not page.logger_button.isVisible()
    assert states(day, "SHP-2") == {"held": 3}


def test_a_reading_of_yesterday_asks_why_it_is_late(unread: ReceivePage, office: Office, idle: Idle) -> None:
    press(unread.logger_button)
    dialog = shown(ActDialog)
    late = dialog.form.field("late_why")
    assert not late.isVisible()
    dialog.form.field("done_at").set_value("2026-11-21T10:00")
    assert late.isVisible()
    dialog.form.field("done_at").set_value("2026-11-22T08:00")
    assert not late.isVisible()


# -- telling the supporter


def test_the_receipt_is_printed_and_the_acknowledgement_recorded(
    unread: ReceivePage, office: Office, day: DemoDay, said: Said, idle: Idle
) -> None:
    page = unread
    press(page.receipt_button)
    idle(office)
    shown(PaperDialog).accept()
    with day.desk.store.read() as reader:
        (printed,) = reader.printed(paper="receipt acknowledgement")
    assert printed.about.startswith("RCV-")
    press(page.acknowledge_button)
    dialog = shown(ActDialog)
    assert find(dialog, QLineEdit, "to").text() == "Supporter's depot"
    press(dialog.verb)
    assert fault(dialog, "how") == "How is required."
    put(dialog, "how", "portal")
    press(dialog.verb)
    idle(office)
    assert said.texts()[-1] == "The receipt of SHP-2 is recorded as told to Supporter's depot."
    assert line_of(day, "SHP-2").acknowledged_how == "portal"
    assert not page.acknowledge_button.isVisible(), "nobody is told twice"


def test_the_packing_list_is_attached_to_the_shipment_and_found_in_the_ledger(
    qtbot: QtBot, unread: ReceivePage, office: Office, day: DemoDay, said: Said, idle: Idle, tmp_path: Path
) -> None:
    page = unread
    assert not page.papers_button.isVisible()
    press(page.attach_button)
    dialog = shown(ActDialog)
    assert find(dialog, QLineEdit, "about").text() == "shipment SHP-2"
    assert dialog.form.field("kind").value() == "packing list"
    path = tmp_path / "list.pdf"
    path.write_bytes(b"<html>")
    put(dialog, "file", str(path))
    put(dialog, "title", "Packing list PL-2")
    put(dialog, "dated_on", "2026-11-20")
    press(dialog.verb)
    idle(office)
    assert "is no PDF" in fault(dialog, "file")
    path.write_bytes(b"%PDF-1.7 PL-2 %%EOF")
    press(dialog.verb)
    idle(office)
    with day.desk.store.read() as reader:
        (document,) = reader.documents(about="shipment SHP-2")
    assert said.texts()[-1] == f"“Packing list PL-2” is attached as document {document.document_id}."
    went: list[tuple[str, str]] = []
    office.go.connect(lambda place, what: went.append((place, what)))
    press(page.papers_button)
    assert went == [("ledger", "shipment SHP-2")]
    ledger: LedgerPage = shown_page(qtbot, LedgerPage(office), office, idle)
    ledger.open_on("shipment SHP-2")
    idle(office)
    assert ledger.documents.isVisible()
    assert ledger.documents.model.rowCount() == 1


# -- who, and the keyboard


def test_a_technician_reads_the_logger_and_a_monitor_prints_the_receipt(
    qtbot: QtBot, unread: ReceivePage, office_as: OfficeAs, idle: Idle
) -> None:
    def offered(who: str) -> dict[str, bool]:
        office = office_as(who)
        page: ReceivePage = shown_page(qtbot, ReceivePage(office), office, idle)
        page.open_on("SHP-2")
        idle(office)
        return {
            "logger": page.logger_button.isEnabled(),
            "told": page.acknowledge_button.isEnabled(),
            "printed": page.receipt_button.isEnabled(),
            "attached": page.attach_button.isEnabled(),
        }

    assert offered("technician") == {"logger": True, "told": True, "printed": True, "attached": True}
    assert offered("monitor") == {"logger": False, "told": False, "printed": True, "attached": False}


def letters(root: QWidget) -> list[str]:
    """The letters that Alt leads somewhere with, of what is shown."""
    parts = [part for part in root.findChildren(QWidget) if part.isVisible()]
    texts = [part.text() for part in parts if isinstance(part, QAbstractButton)]
    texts += [part.text() for part in parts if isinstance(part, QLabel) and part.buddy() is not None]
    spots = [(text, text.replace("&&", "  ").find("&")) for text in texts]
    return [text[at + 1].lower() for text, at in spots if at >= 0]


def test_an_alt_letter_leads_to_one_place(unread: ReceivePage, office: Office, idle: Idle) -> None:
    page = unread
    for views in ("list", "form"):
        if views == "form":
            page.begin()
            packing_list(page, received_at="2026-11-21T10:00")
        found = letters(page)
        assert sorted(found) == sorted(set(found)), views
    page.show_list()
    for button in (page.logger_button, page.acknowledge_button, page.attach_button):
        press(button)
        dialog = shown(ActDialog)
        found = letters(dialog)
        assert sorted(found) == sorted(set(found)), dialog.objectName()
        dialog.reject()


def test_everything_that_takes_the_focus_has_a_name(unread: ReceivePage) -> None:
    unread.begin()
    packing_list(unread, **{"lots.0.condition": "damaged", "lots.0.count": "4", "lots.0.kit_numbers": "K1 to K4"})
    for part in unread.findChildren(QWidget):
        if part.isVisible() and part.focusPolicy() != Qt.FocusPolicy.NoFocus and part.isEnabled():
            inner = part.objectName().startswith("qt_") or isinstance(part.parent(), QComboBox)
            if not inner:
                assert part.objectName(), part
                assert part.accessibleName(), part.objectName()
    assert QApplication.focusWidget() is not None or unread.focusWidget() is not None


# --- the scan field of a lot


def scan_kit(page: ReceivePage, office: Office, idle: Idle, code: str, lot: int = 0) -> None:
    line = find(page, QLineEdit, f"lots.{lot}.scan")
    line.setFocus()
    for sign in code:
        if sign == "\x1d":
            QTest.keyClick(line, Qt.Key.Key_BracketRight, Qt.KeyboardModifier.ControlModifier)
        else:
            QTest.keyClicks(line, sign)
    QTest.keyClick(line, Qt.Key.Key_Return)
    idle(office)


def test_a_kits_code_fills_lot_and_expiry_and_joins_the_list(page: ReceivePage, office: Office, idle: Idle) -> None:
    """(01)09506000134352 (17)270331 (10)A1 (21)K7701, and the next kit of the same lot."""
    code = "0109506000134352172703311" + "0A1\x1d21K77"
    scan_kit(page, office, idle, f"{code}01")
    scan_kit(page, office, idle, f"{code}02")
    block = page.receipt.blocks[0]
    assert (block.lot.value(), block.expiry.value()) == ("A1", "2027-03-31")
    assert block.typed().kit_numbers == ("K7701", "K7702")
    assert office.sends_separator, "learnt for this workstation"


def test_a_kit_of_another_lot_or_scanned_twice_is_refused_and_nothing_is_changed(
    page: ReceivePage, office: Office, idle: Idle
) -> None:
    code = "0109506000134352172703311" + "0A1\x1d21K7701"
    scan_kit(page, office, idle, code)
    before = page.receipt.blocks[0].typed()
    scan_kit(page, office, idle, code)
    assert "Kit K7701 was scanned already." in fault(page, "lots.0.scan")
    scan_kit(page, office, idle, code.replace("A1", "A2").replace("7701", "7702"))
    assert "A2" in fault(page, "lots.0.scan")
    assert page.receipt.blocks[0].typed() == before


def test_each_lot_has_its_own_scan_field(page: ReceivePage, office: Office, idle: Idle) -> None:
    page.receipt.add_lot()
    scan_kit(page, office, idle, "K8801", lot=1)
    assert [block.typed().kit_numbers for block in page.receipt.blocks] == [(), ("K8801",)]
