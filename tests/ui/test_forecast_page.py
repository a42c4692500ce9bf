"""The page of the supply forecast, by keyboard: what to do on top, the weeks, the doses behind every number.

The seeded study has 12 vials of 1 mg (0.9 mg each can be drawn) and 4 of 4 mg, and subject 000-001 of 171 cm and
70 kg without a planned day. With cycle 1 day 1 planned for 23-Nov-2026 the doses are 1.46, 0.91 and 0.91 mg (§ 8.1.3).
"""

import re
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import PASSWORD, DemoDay
from pharmacy_app.domain.vials import STRENGTHS_MG
from pharmacy_app.services.treatment import CyclePlanForm, plan_cycle
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.test_stock_pages import press, shown_page
from ui.office import Office
from ui.pages.forecast import ForecastPage
from ui.pages.settings import SettingsPage
from ui.paper import PaperDialog
from ui.shell import PLACES
from ui.widgets.basics import Button, Text
from ui.widgets.panels import Banner
from ui.widgets.working import WorkingView

Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]


@pytest.fixture
def planned(day: DemoDay) -> DemoDay:
    """Cycle 1 of the subject is planned for tomorrow."""
    plan_cycle(day.desk, day.act("pharmacist"), CyclePlanForm("000-001", "1", "1", "2026-11-23"))
    return day


def open_page(qtbot: QtBot, office: Office, idle: Idle) -> ForecastPage:
    found: ForecastPage = shown_page(qtbot, ForecastPage(office), office, idle)
    return found


def sentences(page: QWidget) -> list[str]:
    """The sentences on top, in order."""
    rows = [text for text in page.findChildren(Text) if re.fullmatch(r"forecast_said_\d+_text", text.objectName())]
    return [text.text() for text in rows]


def type_new(page: ForecastPage, per_month: str, bsa: str) -> None:
    """Type an assumption and press Enter."""
    for name, words in (("new_per_month", per_month), ("bsa_m2", bsa)):
        editor = page.form.field(name).editor()
        assert isinstance(editor, QLineEdit)
        editor.clear()
        QTest.keyClicks(editor, words)
    QTest.keyClick(page.form.field("bsa_m2").editor(), Qt.Key.Key_Return)


def test_the_page_stands_behind_the_ledger() -> None:
    keys = [key for key, _, _ in PLACES]
    assert keys.index("forecast") > keys.index("ledger")


def test_a_day_that_is_not_planned_is_said_and_nothing_guessed(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page = open_page(qtbot, office, idle)
    assert sentences(page)[0] == "No dose is expected until 13-Feb-2027."
    assert "Subject 000-001: cycle 1 day 1 has no day yet" in sentences(page)[1]
    assert page.doses.model().rowCount() == 0


def test_what_to_do_stands_on_top_and_the_weeks_add_up(
    qtbot: QtBot, planned: DemoDay, office: Office, idle: Idle
) -> None:
    page = open_page(qtbot, office, idle)
    # 2 + 2 + 2 in cycle 1, then 2 + 1 a cycle: 12 vials last for two more cycles of the three in these weeks.
    assert sentences(page)[0].startswith("If treatment goes on, ") or sentences(page)[0].startswith(
        "Usable stock makes"
    )
    rows = page._week_rows.rows()
    assert [row.number for row in rows] == list(range(1, 13))
    assert (rows[0].doses, rows[0].needed_1, rows[0].after_1, rows[0].after_4) == ("1", "2 + 0", 10, 4)
    bars = page.bars[STRENGTHS_MG[0]]
    assert [sum(week.parts) for week in bars.weeks()][:3] == [2, 2, 2]
    assert bars.accessibleDescription().startswith("1 mg vials. week 1: 2 needed, 10 usable after; week 2:")


def test_a_week_shows_its_doses_and_a_dose_its_working(
    qtbot: QtBot, planned: DemoDay, office: Office, idle: Idle
) -> None:
    page = open_page(qtbot, office, idle)
    every = page.doses.model().rowCount()
    page.weeks.setFocus()
    page.weeks.selectRow(1)
    assert find(page, Text, "forecast_which").text() == "Week 2: 1 dose."
    (row,) = page._dose_rows.rows()
    assert (row.place, row.mg, row.certainty) == ("cycle 1 day 8", "0.91 mg", "expected")
    assert row.vials.startswith("2 × 1 mg (")
    page.doses.selectRow(0)
    assert "lot INO1-A117, last day 31-Mar-2027" in find(page, Text, "forecast_dose_words").text()
    assert len(find(page, WorkingView, "forecast_working")._rows) == 4
    press(find(page, Button, "forecast_all"))
    assert page.doses.model().rowCount() == every > 1
    assert page.all_button.isHidden()


def test_an_assumption_is_typed_stated_and_stored_nowhere(
    qtbot: QtBot, planned: DemoDay, office: Office, idle: Idle
) -> None:
    page = open_page(qtbot, office, idle)
    with office.desk.store.read() as reader:
        before = reader.head()
    type_new(page, "2", "1.8")
    idle(office)
    assert find(page, Text, "forecast_assumed").text().startswith("Assumed: 2 a month, each of 1.8 m², the first in 15")
    assert "New subject 1" in {row.who for row in page._dose_rows.rows()}
    assert page._week_rows.rows()[2].needed_1 == "2 + 0 + 2"
    page.refresh()
    idle(office)
    assert "New subject 1" in {row.who for row in page._dose_rows.rows()}, "it holds while the page is open"
    with office.desk.store.read() as reader:
        assert reader.head() == before


def test_a_faulty_assumption_is_refused_beside_its_fields_and_the_forecast_stays(
    qtbot: QtBot, planned: DemoDay, office: Office, idle: Idle
) -> None:
    page = open_page(qtbot, office, idle)
    before = sentences(page)
    type_new(page, "x", "18")
    idle(office)
    assert page.form.field("new_per_month").fault().startswith("The number of new subjects a month must be a whole")
    assert "not likely: 0.9 to 3 m²" in page.form.field("bsa_m2").fault()
    assert sentences(page) == before
    assert page.button.isEnabled()
    type_new(page, "", "")
    idle(office)
    assert page.form.field("bsa_m2").fault() == ""


def test_the_lead_time_is_set_under_settings(qtbot: QtBot, planned: DemoDay, office: Office, idle: Idle) -> None:
    page = open_page(qtbot, office, idle)
    with qtbot.waitSignal(office.go) as gone:
        press(find(page, Button, "forecast_lead_time"))
    assert gone.args == ["settings", "study"]


def test_the_forecast_prints_for_everyone(qtbot: QtBot, planned: DemoDay, office_as: OfficeAs, idle: Idle) -> None:
    office = office_as("monitor")
    page = open_page(qtbot, office, idle)
    press(page.print_button)
    idle(office)
    dialog = page.findChild(PaperDialog)
    assert dialog is not None
    idle(office)
    dialog.reject()
    with office.desk.store.read() as reader:
        (line,) = reader.printed(paper="supply forecast")
    assert line.about == "from 2026-11-22"


def test_a_store_that_cannot_be_read_is_said(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page = open_page(qtbot, office, idle)
    page._failed(RuntimeError("the disk is gone"))
    assert "the disk is gone" in find(page, Banner, "forecast_trouble").text()


def test_every_control_is_named_and_every_letter_is_one_controls(
    qtbot: QtBot, planned: DemoDay, office: Office, idle: Idle
) -> None:
    page = open_page(qtbot, office, idle)
    page.weeks.selectRow(0)
    letters: dict[str, list[str]] = {}
    for widget in page.findChildren(QWidget):
        if not widget.isVisibleTo(page):
            continue
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            assert widget.accessibleName(), (type(widget).__name__, widget.objectName())
            assert widget.objectName(), widget.accessibleName()
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        if isinstance(widget, QLabel) and widget.buddy() is not None:
            text = widget.text()
        if found := re.search(r"&(\w)", text):
            letters.setdefault(found[1].upper(), []).append(text)
    assert {letter: texts for letter, texts in letters.items() if len(texts) > 1} == {}
    assert len(letters) >= 5


def test_the_lead_time_is_signed_by_two_and_then_stands_with_its_source(
    qtbot: QtBot, planned: DemoDay, office: Office, idle: Idle
) -> None:
    settings = shown_page(qtbot, SettingsPage(office), office, idle)
    assert "Not signed. May stay empty" in find(settings, Text, "setting_order_lead_time_value").text()
    press(find(settings, Button, "edit_order_lead_time"))
    editor = settings.study.editor
    card = editor.optional_cards["order_lead_time"]
    assert card.isVisibleTo(settings)
    card.form.set_values({"order_lead_time.days": "14", "order_lead_time.source": "Supply plan 1.0, p. 3"})
    for name, value in (("password", PASSWORD), ("second_user_name", "checker"), ("second_password", PASSWORD)):
        editor.signatures.field(name).set_value(value)
    editor.button.click()
    idle(office)
    settings.refresh()
    idle(office)
    shown = find(settings, Text, "setting_order_lead_time_value").text()
    assert shown == "14 days from the order until the vials are here and released"
    page = open_page(qtbot, office, idle)
    assert page.settings_button.isHidden()


@pytest.mark.parametrize("days", ["181", "ten", "-1"])
def test_a_lead_time_that_cannot_be_is_refused_beside_its_field(
    qtbot: QtBot, office: Office, idle: Idle, days: str
) -> None:
    settings = shown_page(qtbot, SettingsPage(office), office, idle)
    press(find(settings, Button, "edit_order_lead_time"))
    editor = settings.study.editor
    card = editor.optional_cards["order_lead_time"]
    card.form.set_values({"order_lead_time.days": days, "order_lead_time.source": "Supply plan 1.0, p. 3"})
    for name, value in (("password", PASSWORD), ("second_user_name", "checker"), ("second_password", PASSWORD)):
        editor.signatures.field(name).set_value(value)
    editor.button.click()
    idle(office)
    assert "from 0 to 180" in card.form.field("order_lead_time.days").fault()
