"""Storage in the window: a deviation looked at and recorded, told, decided, released and closed.

The clock stands at 14:10 on 22-Nov-2026; SHP-1 (V000001 to V000016) lies in Refrigerator 1 since about 08:00.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import PASSWORD, DemoDay
from pharmacy_app.services.documents import PURPOSES, SUPPORTERS_PERMISSION, DocumentForm, attach_document
from pharmacy_app.services.ports import VialFilter
from pharmacy_app.services.storage import BY_HAND
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.office_fixtures import Said
from ui.office import Office
from ui.pages import today
from ui.pages.stock_parts import ActDialog
from ui.pages.storage import StoragePage
from ui.pages.storage_permission import ReleaseDialog
from ui.pages.storage_record import DecisionDialog
from ui.paper import PaperDialog
from ui.widgets.basics import Button, Text
from ui.widgets.charts import PictureView
from ui.widgets.tables import RowTableModel

D = TypeVar("D", bound=QDialog)
Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]

NUMBER = "X000001T"


def shown(kind: type[D]) -> D:
    """The one dialog of a kind that is open."""
    (found,) = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, kind) and widget.isVisible()]
    return found


def press(button: QWidget) -> None:
    """Press an enabled button with the keyboard."""
    assert button.isEnabled(), button.toolTip()
    QTest.keyClick(button, Qt.Key.Key_Space)


def file_of(folder: Path, *readings: str, head: str = "Time;Temp °C") -> str:
    """A logger's file; each reading is a time of 22-Nov-2026 with its temperature."""
    path = folder / "fridge.csv"
    path.write_text("\n".join([head, *(f"22.11.2026 {reading}" for reading in readings)]) + "\n", "utf-8")
    return str(path)


def warm(folder: Path, **changes: str) -> str:
    return file_of(folder, "11:00;5,0", "11:15;8,1", "11:30;9,4", "11:45;8,0", "12:00;5,1", **changes)


@pytest.fixture
def afternoon(day: DemoDay) -> DemoDay:
    """The same day, hours later."""
    assert day.clock.now is not None
    day.clock.at(day.clock.now + timedelta(hours=5))
    return day


def made_page(qtbot: QtBot, office: Office, idle: Idle) -> StoragePage:
    page = StoragePage(office)
    qtbot.addWidget(page)
    page.resize(1000, 800)
    page.show()
    office.changed.connect(page.refresh)
    page.refresh()
    idle(office)
    return page


@pytest.fixture
def page(qtbot: QtBot, office: Office, afternoon: DemoDay, idle: Idle) -> StoragePage:
    """The pharmacist's page."""
    return made_page(qtbot, office, idle)


def fill(page: StoragePage, **values: str) -> None:
    """Type into the form, beside what is always typed."""
    form = page.form.form
    usual = {
        "place": "Refrigerator 1",
        "logger_serial": "TL-7",
        "calibration_due": "2027-05-01",
        "discovered_at": "2026-11-22T13:00",
        "done": "Moved to the quarantine shelf.",
    }
    for name, value in {**usual, **values}.items():
        form.field(name).set_value(value)


def words(page: StoragePage, name: str) -> str:
    return find(page, Text, name).text()


def states(day: DemoDay) -> set[str]:
    with day.desk.store.read() as reader:
        wanted = VialFilter(shipment_number="SHP-1")
        return {v.state for v in reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=100)}


def permission(day: DemoDay) -> str:
    form = DocumentForm(
        "Permission", SUPPORTERS_PERMISSION, NUMBER, "Dr. A. Lind", "2026-11-22", "permission.txt", permits=PURPOSES
    )
    event = attach_document(day.desk, day.act("pharmacist"), form, b"You may use these vials.")
    return str(event.content["document_id"])


def recorded(page: StoragePage, office: Office, idle: Idle, folder: Path) -> None:
    """Record the warm noon."""
    press(page.begin)
    fill(page, file=warm(folder), longest_gap_min="15")
    press(page.form.look)
    idle(office)
    press(page.form.record)
    idle(office)


def needed(page: StoragePage) -> set[str]:
    """The fields that can be seen and say that they are required."""
    form = page.form.form
    return {
        field.name
        for field in form.fields()
        if not field.isHidden() and "required" in field.editor().accessibleDescription()
    }


def test_what_is_demanded_is_marked_as_required(page: StoragePage) -> None:
    press(page.begin)
    always = {"place", "source", "logger_serial", "calibration_due", "discovered_at", "discovered_by", "done"}
    assert needed(page) == always | {"file", "longest_gap_min"}
    page.form.source.set_value(BY_HAND)
    # The end may stay empty while it lasts.
    by_hand = always - {"calibration_due"}
    assert needed(page) == by_hand | {"started_at", "min_temperature", "max_temperature", "unit"}
    page.form.source.set_value("logger missing")
    assert needed(page) == by_hand - {"logger_serial"} | {"started_at"}


@pytest.mark.parametrize(("unit", "example"), [("C", "8.5"), ("F", "47.3")])
def test_an_empty_temperature_is_asked_for_with_a_temperature(
    page: StoragePage, office: Office, idle: Idle, unit: str, example: str
) -> None:
    press(page.begin)
    fill(page, source=BY_HAND, started_at="2026-11-22T11:00", max_temperature="9", unit=unit)
    press(page.form.look)
    idle(office)
    said = page.form.form.field("min_temperature").fault()
    assert said == f"The lowest temperature is empty. Type a number in °{unit}, for example {example}."


# -- looking, then recording


def test_a_file_is_looked_at_before_it_is_recorded(
    page: StoragePage, office: Office, afternoon: DemoDay, idle: Idle, said: Said, tmp_path: Path
) -> None:
    press(page.begin)
    fill(page, file=warm(tmp_path), longest_gap_min="15")
    assert not page.form.preview.isVisible()
    press(page.form.look)
    idle(office)
    verdict = page.form.preview.verdict
    assert verdict.kind == "stop"
    assert verdict.text() == (
        "5 readings, 22-Nov-2026 11:00 to 22-Nov-2026 12:00. Lowest 5 °C, highest 9.4 °C. 1 span outside 2 °C to 8 °C"
        " or without data."
    )
    assert words(page, "preview_vials").startswith("16 vials lay there at the time: V000001Q – V000016")
    chart = find(page, PictureView, "preview_chart")
    assert chart.accessibleName() == ("1: too warm from 22-Nov-2026 11:15 to 22-Nov-2026 11:45, 30 min, up to 9.4 °C.")
    assert states(afternoon) == {"available"}, "looking records nothing"
    assert page.form.record.text() == "&Record it and quarantine 16 vials"
    press(page.form.record)
    idle(office)
    assert states(afternoon) == {"quarantined"}
    assert said.texts()[-1] == f"{NUMBER} is recorded; 16 vials quarantined."
    assert page.accessibleName() == f"Storage deviation {NUMBER}"
    assert not page.is_dirty()


def test_what_is_changed_after_the_look_is_looked_at_again(
    page: StoragePage, office: Office, idle: Idle, tmp_path: Path
) -> None:
    press(page.begin)
    fill(page, file=warm(tmp_path), longest_gap_min="15")
    press(page.form.look)
    idle(office)
    page.form.form.field("done").set_value("Moved elsewhere.")
    assert page.form.record.isEnabled(), "what was done changes nothing of the temperatures"
    page.form.place.set_value("Refrigerator 2")
    assert not page.form.record.isEnabled()
    assert find(page, Text, "preview_stale").isVisible()
    press(page.form.look)
    idle(office)
    assert page.form.record.isEnabled()
    assert words(page, "preview_vials") == "No vial lay there at the time."


def test_what_the_file_leaves_open_is_asked_for_beside_its_field(
    page: StoragePage, office: Office, idle: Idle, tmp_path: Path
) -> None:
    press(page.begin)
    unit = page.form.form.field("unit")
    assert not unit.isVisible()
    fill(page, file=warm(tmp_path, head="Time;Temperature"), longest_gap_min="15")
    press(page.form.look)
    idle(office)
    assert unit.isVisible()
    assert "line 2 (“22.11.2026 11:00;5,0”) fits both" in unit.fault()
    assert unit.editor().hasFocus()
    unit.set_value("C")
    press(page.form.look)
    idle(office)
    assert page.form.preview.verdict.kind == "stop"


def test_a_file_whose_readings_are_all_inside_is_not_recorded(
    page: StoragePage, office: Office, idle: Idle, tmp_path: Path
) -> None:
    press(page.begin)
    fill(page, file=file_of(tmp_path, "11:00;2,0", "11:15;8,0"), longest_gap_min="15")
    press(page.form.look)
    idle(office)
    assert page.form.preview.verdict.kind == "ok"
    assert not page.form.record.isEnabled()


def test_every_refusal_stands_beside_its_field_and_the_draft_stays(
    page: StoragePage, office: Office, idle: Idle, tmp_path: Path
) -> None:
    press(page.begin)
    page.form.place.set_value("")
    press(page.form.look)
    idle(office)
    form = page.form.form
    assert form.field("place").fault()
    assert "Choose the file" in form.field("file").fault()
    assert form.field("place").editor().hasFocus()
    fill(page, file=str(tmp_path / "nothing.csv"), longest_gap_min="0")
    press(page.form.look)
    idle(office)
    assert "cannot be read" in form.field("file").fault()
    broken = tmp_path / "broken.csv"
    broken.write_text("Time;Temp °C\n22.11.2026 11:00;5,0\n22.11.2026 11:15;wa\n", "utf-8")
    fill(page, file=str(broken), longest_gap_min="15")
    press(page.form.look)
    idle(office)
    assert form.field("file").fault().startswith("Line 3 (“22.11.2026 11:15;wa”)")
    page.show_list()
    page.record_one()
    assert form.field("file").text() == str(broken)
    assert page.is_dirty()


def test_temperatures_read_off_by_hand_and_a_logger_that_failed(
    page: StoragePage, office: Office, afternoon: DemoDay, idle: Idle
) -> None:
    press(page.begin)
    page.form.source.set_value("by hand")
    assert not page.form.form.field("file").isVisible()
    fill(page, started_at="2026-11-22T11:00", ended_at="2026-11-22T12:00", min_temperature="5", max_temperature="9")
    page.form.form.field("unit").set_value("C")
    press(page.form.look)
    idle(office)
    assert page.form.preview.verdict.kind == "stop"
    assert not page.form.preview.chart.isVisible()
    page.form.source.set_value("logger failed")
    assert not page.form.form.field("min_temperature").isVisible()
    assert not page.form.record.isEnabled()
    press(page.form.look)
    idle(office)
    press(page.form.record)
    idle(office)
    assert states(afternoon) == {"quarantined"}


# -- one deviation


def test_a_deviation_is_told_decided_released_and_closed(
    page: StoragePage, office: Office, afternoon: DemoDay, idle: Idle, tmp_path: Path
) -> None:
    recorded(page, office, idle, tmp_path)
    record = page._record
    assert record is not None
    assert record.state.text().startswith("16 vials held for less than 1 min; missing: report, decision")
    assert not record.close_button.isEnabled()
    press(record.told_button)
    dialog = shown(ActDialog)
    press(dialog.verb)
    assert dialog.form.field("name").fault()
    for name, value in (
        ("name", "Dr. A. Lind"),
        ("how", "e-mail"),
        ("told_at", "2026-11-22T13:30"),
        ("data_sent", "report and file"),
    ):
        dialog.form.field(name).set_value(value)
    press(dialog.verb)
    idle(office)
    assert words(page, "item_2_state") == "There"
    press(record.update_button)
    dialog = shown(ActDialog)
    dialog.form.field("cause").set_value("door ajar")
    dialog.form.field("action").set_value("door alarm ordered")
    press(dialog.verb)
    idle(office)
    number = permission(afternoon)
    record.vials_table.selectRow(0)
    press(record.decide_button)
    idle(office)
    decision = shown(DecisionDialog)
    decision.form.field("decision").set_value("must not be used")
    decision.document.set_value(number)
    press(decision.verb)
    idle(office)
    model = record.vials_table.model()
    assert isinstance(model, RowTableModel)
    assert [row.decision for row in model.rows()][:2] == [f"must not be used, {number}", "not decided"]
    press(record.release_button)
    idle(office)
    release = shown(ReleaseDialog)
    release.permission.set_value(number)
    press(release.verb)
    idle(office)
    assert states(afternoon) == {"available"}
    assert record.state.text() == "Nothing is missing any more. A pharmacist closes it."
    press(record.close_button)
    dialog = shown(ActDialog)
    dialog.form.field("password").set_value("wrong")
    press(dialog.verb)
    idle(office)
    assert "do not fit" in dialog.form.field("password").fault()
    dialog.form.field("password").set_value(PASSWORD)
    press(dialog.verb)
    idle(office)
    assert record.state.kind == "ok"
    assert not record.close_button.isVisible()


def test_the_report_prints_and_the_list_opens_by_keyboard(
    page: StoragePage, office: Office, idle: Idle, tmp_path: Path
) -> None:
    recorded(page, office, idle, tmp_path)
    press(page.print_button)
    idle(office)
    shown(PaperDialog).accept()
    press(page.back)
    idle(office)
    (row,) = page._rows.rows()
    assert (row.deviation_id, row.what) == (NUMBER, "30 min, up to 9.4 °C")
    assert row.clock.startswith("16 vials held for")
    assert words(page, "storage_said").endswith("missing: report, decision, release or return, cause, action.")
    page.table.selectRow(0)
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    idle(office)
    assert page.accessibleName() == f"Storage deviation {NUMBER}"


def test_the_monitor_reads_and_prints_and_changes_nothing(
    qtbot: QtBot, page: StoragePage, office: Office, office_as: OfficeAs, idle: Idle, tmp_path: Path
) -> None:
    recorded(page, office, idle, tmp_path)
    theirs = office_as("monitor")
    other = made_page(qtbot, theirs, idle)
    assert not other.begin.isEnabled()
    assert "monitor" in other.begin.toolTip()
    other.open_on(NUMBER)
    idle(theirs)
    record = other._record
    assert record is not None
    for button in (record.told_button, record.update_button, record.decide_button, record.release_button):
        assert not button.isEnabled()
        assert "monitor" in button.toolTip()
    press(other.print_button)
    idle(theirs)
    shown(PaperDialog).accept()


def test_today_leads_to_an_open_deviation(
    qtbot: QtBot, page: StoragePage, office: Office, idle: Idle, tmp_path: Path
) -> None:
    recorded(page, office, idle, tmp_path)
    first = today.TodayPage(office)
    qtbot.addWidget(first)
    first.resize(1000, 800)
    first.show()
    first.refresh()
    idle(office)
    asked: list[tuple[str, str]] = []
    office.go.connect(lambda key, what: asked.append((key, what)))
    (button,) = [each for each in first.findChildren(Button) if each.text() == f"Open {NUMBER}"]
    press(button)
    assert asked == [("storage", NUMBER)]


def test_a_number_that_does_not_exist_is_said(page: StoragePage, office: Office, idle: Idle) -> None:
    page.open_on("X000009X")
    idle(office)
    assert find(page, QWidget, "storage_trouble").isVisible()


def test_alt_letters_are_unique_in_the_form(page: StoragePage, office: Office, idle: Idle, tmp_path: Path) -> None:
    press(page.begin)
    fill(page, file=warm(tmp_path), longest_gap_min="15")
    press(page.form.look)
    idle(office)
    for name in ("unit", "date_order", "clock", "column"):
        page.form.form.field(name).setVisible(True)
    labels = [words(page, f"{field.name}_label") for field in page.form.form.fields()]
    labels += [page.form.look.text(), page.form.record.text(), page.back.text(), "Bro&wse…"]
    letters = [label[label.index("&") + 1].lower() for label in labels if "&" in label]
    assert len(letters) > 18
    assert len(letters) == len(set(letters)), sorted(letters)
