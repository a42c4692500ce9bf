"""Expiry ahead on Today, Vials and Monitor: said at 90, 30 and 7 days, and expired vials apart from usable ones.

The seeded study stands on 22-Nov-2026 with lot INO1-A117 (12 of 1 mg, to 31-Mar-2027) and INO4-B203 (to 30-Jun-2027).
"""

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay, receive_shipment
from pharmacy_app.services.packing_list import LotTyped
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.test_stock_pages import shown_page
from ui.office import Office
from ui.pages.figure import Figure
from ui.pages.monitor import MonitorPage
from ui.pages.today import TodayPage, WaitingRow
from ui.pages.vials import VialsPage
from ui.widgets.basics import Text
from ui.widgets.panels import Banner

Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]


def receive_near(day: DemoDay) -> None:
    """Three lots of 1 mg: to 29-Nov-2026 (7 days), 22-Dec-2026 (30) and 20-Feb-2027 (90), and one a day later."""
    receive_shipment(
        day,
        "SHP-2",
        (
            LotTyped("1", "WEEK", "2026-11-29", "1"),
            LotTyped("1", "MONTH", "2026-12-22", "2"),
            LotTyped("1", "QUARTER", "2027-02-20", "3"),
            LotTyped("1", "LATER", "2027-02-21", "4"),
        ),
    )


def rows_of(page: TodayPage) -> list[WaitingRow]:
    return [row for row in page.findChildren(WaitingRow) if row.item.title.startswith("Lot ")]


def test_today_names_each_lot_with_its_vials_and_last_day(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    receive_near(day)
    page = shown_page(qtbot, TodayPage(office), office, idle)
    rows = rows_of(page)
    assert [(row.item.kind, row.item.title) for row in rows] == [
        ("warn", "Lot WEEK (1 mg) expires on 29-Nov-2026, in 7 days"),
        ("warn", "Lot MONTH (1 mg) expires on 22-Dec-2026, in 30 days"),
        ("info", "Lot QUARTER (1 mg) expires on 20-Feb-2027, in 90 days"),
    ]
    assert rows[1].item.text.startswith("2 unopened vials on hand.")


def test_its_button_shows_the_vials_of_that_lot(qtbot: QtBot, day: DemoDay, office: Office, idle: Idle) -> None:
    receive_near(day)
    page = shown_page(qtbot, TodayPage(office), office, idle)
    with qtbot.waitSignal(office.go) as gone:
        rows_of(page)[1].button.click()
    assert gone.args == ["vials", "lot MONTH"]
    vials = shown_page(qtbot, VialsPage(office), office, idle)
    vials.open_on("lot MONTH")
    qtbot.waitUntil(lambda: vials.vials.rowCount() == 2)
    assert vials.views.current == 0


def test_an_expired_lot_is_said_with_what_to_do_and_is_no_stock(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    receive_near(day)
    day.clock.forward(8 * 24 * 60)
    page = shown_page(qtbot, TodayPage(office), office, idle)
    expired = rows_of(page)[0].item
    assert (expired.kind, expired.title) == ("stop", "Lot WEEK (1 mg) expired: its last usable day was 29-Nov-2026")
    assert "return or to transfer it; unopened vials are never destroyed on site" in expired.text
    # 12 + 2 + 3 + 4 in date; the expired one stands apart.
    assert find(page, Figure, "stock_1_mg_usable").text() == "21"
    assert (
        find(page, Text, "stock_1_mg_on_hand")
        .text()
        .startswith("21 unopened on hand. Apart from these 1 expired: return or transfer.")
    )


def test_vials_names_the_lots_and_counts_what_expired_apart(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    receive_near(day)
    day.clock.forward(8 * 24 * 60)
    page = shown_page(qtbot, VialsPage(office), office, idle)
    banner = find(page, Banner, "vials_expiry")
    assert banner.kind == "stop"
    assert banner.text().splitlines()[:2] == [
        "Lot WEEK (1 mg) expired: its last usable day was 29-Nov-2026: 1 vial, return or transfer.",
        "Lot MONTH (1 mg) expires on 22-Dec-2026, in 22 days: 2 vials, 2 usable.",
    ]
    (lot,) = [row for row in page.stock.rows() if row.lot == "WEEK"]
    assert (lot.usable, lot.expired) == (0, 1)
    assert find(page, Figure, "stock_1mg_usable").text() == "21"


def test_nothing_near_its_expiry_says_nothing(qtbot: QtBot, day: DemoDay, office: Office, idle: Idle) -> None:
    page = shown_page(qtbot, VialsPage(office), office, idle)
    assert find(page, Banner, "vials_expiry").isHidden()
    today = shown_page(qtbot, TodayPage(office), office, idle)
    assert rows_of(today) == []


def test_the_monitor_reads_expired_vials_apart_and_the_sum_still_balances(
    qtbot: QtBot, day: DemoDay, office_as: OfficeAs, idle: Idle
) -> None:
    receive_near(day)
    day.clock.forward(8 * 24 * 60)
    office = office_as("monitor")
    page = shown_page(qtbot, MonitorPage(office), office, idle)
    page.open_on("stock")
    idle(office)
    assert find(page, Text, "totals_1_mg_identity").text() == "22 received = 21 available + 1 expired"


def test_the_list_of_vials_says_expired_and_not_available(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    receive_near(day)
    day.clock.forward(8 * 24 * 60)
    page = shown_page(qtbot, VialsPage(office), office, idle)
    page.open_on("lot WEEK")
    qtbot.waitUntil(lambda: page.vials.rowCount() == 1)
    qtbot.waitUntil(lambda: page.vials.row_object(0) is not None)
    row = page.vials.row_object(0)
    assert row is not None
    assert row.state == "expired: return or transfer"
