"""Places, transport, expiry and what came back, at the pages: by keyboard and scanner, refusals beside their fields.

The seeded study has Refrigerator 1 and Refrigerator 2 and shipment SHP-1: V000001 to V000012 of 1 mg (lot INO1-A117,
last day 31-Mar-2027) and V000013 to V000016 of 4 mg (lot INO4-B203). Today is 22-Nov-2026.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import PASSWORD, DemoDay, dose, receive_shipment
from pharmacy_app.domain.vials import Vial, numbered
from pharmacy_app.services.documents import PURPOSES, DocumentForm, attach_document
from pharmacy_app.services.doses import DecideForm, record_decision
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.places import PlaceForm, add_place
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.office_fixtures import Said
from tests.ui.prepare_desk import *  # noqa: F403 - somebody at Prepare
from tests.ui.prepare_desk import Desk, ordered
from tests.ui.test_stock_pages import press, shown, shown_page
from tests.ui.test_vial_moves import faults, fill, move_vials, offer_of, open_form, words
from ui.office import Office
from ui.pages.ledger import LedgerPage
from ui.pages.places_field import PlaceField
from ui.pages.settings import SettingsPage
from ui.pages.stock_life import VialLifeDialog
from ui.pages.stock_parts import ActDialog
from ui.pages.today import TodayPage
from ui.pages.vials import VialsPage
from ui.pages.vials_expiry import RelabelDialog
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, Form
from ui.widgets.panels import Banner

Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]
ONE, TWO, THREE = (numbered("V", at) for at in (1, 2, 3))


def vial_of(day: DemoDay, unit: str) -> Vial:
    with day.desk.store.read() as reader:
        vial = reader.vial(unit)
    assert vial is not None
    return vial


def add(day: DemoDay, name: str, kind: str, room: str = "Building C") -> None:
    add_place(day.desk, day.act("pharmacist"), PlaceForm(name, kind, room, "yes"))


def decided(day: DemoDay) -> str:
    """A dose of 1.46 mg that waits for its vials: two of 0.9 mg."""
    dose_id = ordered(day, 1, "1.46")
    record_decision(day.desk, day.act("pharmacist"), DecideForm(dose_id))
    return dose_id


def type_into(form: Form, **typed: str) -> None:
    """Put values into a form's fields, as typed or chosen."""
    for name, value in typed.items():
        form.field(name).set_value(value)


@pytest.fixture
def page(qtbot: QtBot, office: Office, idle: Idle) -> VialsPage:
    """The pharmacist's page of vials."""
    found: VialsPage = shown_page(qtbot, VialsPage(office), office, idle)
    return found


# --- places in the settings ------------------------------------------------------------------------------------


@pytest.fixture
def settings(qtbot: QtBot, office: Office, idle: Idle) -> SettingsPage:
    found: SettingsPage = shown_page(qtbot, SettingsPage(office), office, idle)
    found.open_on("places")
    return found


def test_a_place_is_added_and_stands_in_the_list(
    settings: SettingsPage, office: Office, idle: Idle, said: Said
) -> None:
    panel = settings.places
    type_into(panel.form, name="Shelf Q", kind="quarantine shelf", room="Room 2", commercial_apart="yes")
    assert settings.is_dirty()
    press(panel.add_button)
    idle(office)
    assert said.texts()[-1].startswith("Shelf Q is in use now (event ")
    assert [row.name for row in panel._rows.rows()] == ["Refrigerator 1", "Refrigerator 2", "Shelf Q"]
    assert not settings.is_dirty()


def test_faults_of_a_new_place_stand_beside_their_fields(settings: SettingsPage, office: Office, idle: Idle) -> None:
    panel = settings.places
    press(panel.add_button)
    assert panel.form.field("name").fault() == "Name is required."
    type_into(panel.form, name="refrigerator 1", room="Room 2")
    press(panel.add_button)
    idle(office)
    assert "There is a place Refrigerator 1 already" in panel.form.field("name").fault()
    assert "apart from commercial stock" in panel.form.field("commercial_apart").fault()
    assert panel.form.field("room").value() == "Room 2"


def test_a_place_with_vials_is_not_closed_and_an_empty_one_is(
    settings: SettingsPage, office: Office, idle: Idle, said: Said
) -> None:
    panel = settings.places
    panel.table.selectRow(0)
    assert not panel.close_button.isEnabled()
    assert find(panel, Text, "places_said").text() == (
        "Refrigerator 1: added by Robin Ahlgren on 22-Nov-2026. 16 vials on site in Refrigerator 1: move them to"
        " another place first."
    )
    panel.table.selectRow(1)
    press(panel.close_button)
    dialog = shown(ActDialog)
    type_into(dialog.form, why="sold")
    press(dialog.verb)
    idle(office)
    assert said.texts()[-1].startswith("Refrigerator 2 is closed")
    assert panel._rows.rows()[1].use == "Closed 22-Nov-2026: sold"


def test_the_monitor_reads_places_and_changes_none(qtbot: QtBot, office_as: OfficeAs, idle: Idle) -> None:
    office = office_as("monitor")
    settings = shown_page(qtbot, SettingsPage(office), office, idle)
    settings.open_on("places")
    panel = settings.places
    assert not panel.add_button.isEnabled()
    panel.table.selectRow(1)
    assert not panel.close_button.isEnabled()
    assert "you are signed in as monitor" in find(panel, Text, "places_said").text()


def test_a_choice_of_places_hears_of_new_ones(qtbot: QtBot, office: Office, day: DemoDay, idle: Idle) -> None:
    field = PlaceField(office, "place", "&Place")
    qtbot.addWidget(field)
    field.set_value("Refrigerator 2")
    add(day, "Refrigerator 3", "refrigerator")
    office.changed.emit()
    idle(office)
    assert field.value() == "Refrigerator 2"
    field.set_value("Refrigerator 3")
    assert field.value() == "Refrigerator 3"


# --- transport -------------------------------------------------------------------------------------------------


def test_vials_are_carried_to_another_place_by_keyboard(
    page: VialsPage, office: Office, day: DemoDay, idle: Idle, said: Said
) -> None:
    panel = move_vials(page, office, idle, ONE, TWO)
    assert words(panel, "transport") == "Stays what it is, in another place. (§\u00a08.2)"
    form = open_form(panel, "transport")
    assert form.form.field("to_place").editor().hasFocus()
    assert form.form.field("witness_password").isHidden()
    fill(form, to_place="Refrigerator 2", container="at 2–8 °C", carried_by="T. Lindqvist")
    press(form.verb)
    idle(office)
    assert said.texts()[-1].startswith("2 vials moved to another place (event ")
    assert (vial_of(day, ONE).place, vial_of(day, ONE).state) == ("Refrigerator 2", "available")
    page.open_on(ONE)
    idle(office)
    life = shown(VialLifeDialog)
    rows = life._lines.rows()
    assert [(row.move, row.to_state, row.place) for row in rows[-2:]] == [
        ("transport", "", "Refrigerator 1"),
        ("transport", "available", "Refrigerator 2"),
    ]
    assert "available, into Refrigerator 2" in _said(life)


def _said(life: VialLifeDialog) -> str:
    return "\n".join(label.text() for label in life.findChildren(QLabel))


def test_to_a_satellite_the_receiver_signs(
    page: VialsPage, office: Office, day: DemoDay, idle: Idle, said: Said
) -> None:
    add(day, "Day clinic", "satellite")
    panel = move_vials(page, office, idle, ONE)
    form = open_form(panel, "transport")
    fill(form, to_place="Refrigerator 2", container="not noted", carried_by="T. Lindqvist")
    assert form.form.field("witness_user_name").isHidden()
    fill(form, to_place="Day clinic")
    assert not form.form.field("witness_user_name").isHidden()
    press(form.verb)
    assert set(faults(form)) == {"witness_user_name", "witness_password"}
    fill(form, carrier="third-party carrier", witness_user_name="pharmacist", witness_password=PASSWORD)
    press(form.verb)
    idle(office)
    found = faults(form)
    assert "it is a satellite" in found["carrier"]
    assert "The second person is another one" in found["witness_user_name"]
    fill(form, carrier="own staff", witness_user_name="technician", witness_password=PASSWORD)
    press(form.verb)
    idle(office)
    assert said.texts()[-1].startswith("1 vial moved to another place")
    assert vial_of(day, ONE).place == "Day clinic"


def test_what_is_usable_is_refused_on_the_quarantine_shelf_beside_the_list(
    page: VialsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    add(day, "Shelf Q", "quarantine shelf")
    panel = move_vials(page, office, idle, ONE)
    form = open_form(panel, "transport")
    fill(form, to_place="Shelf Q", container="not noted", carried_by="T. Lindqvist")
    press(form.verb)
    idle(office)
    assert "Only held and quarantined vials are put on Shelf Q" in panel.scan.fault()
    assert panel.scan.editor().hasFocus()
    assert form.form.field("carried_by").value() == "T. Lindqvist"


# --- back from a subject ---------------------------------------------------------------------------------------


def test_containers_come_back_from_a_subject(
    page: VialsPage, office: Office, day: DemoDay, idle: Idle, said: Said
) -> None:
    dose_id = dose(day, "000-001", 1, 1)
    panel = move_vials(page, office, idle, ONE)
    assert offer_of(panel, "take back").isEnabled()
    form = open_form(panel, "take_back")
    assert form.form.field("dose_id").value() == dose_id
    assert not page.is_dirty()
    press(form.verb)
    assert set(faults(form)) == {"brought_by", "reason"}
    fill(form, brought_by="Nurse Abara", reason="bag leaked")
    press(form.verb)
    idle(office)
    assert said.texts()[-1].startswith("1 vial recorded as returned by the subject")
    assert vial_of(day, ONE).state == "returned by subject"


def test_an_unopened_vial_does_not_come_back(page: VialsPage, office: Office, idle: Idle) -> None:
    panel = move_vials(page, office, idle, ONE)
    assert not offer_of(panel, "take back").isEnabled()
    assert (
        "Only what left for a subject can come back from one: an opened vial."
        in find(panel, Text, "move_take_back_words").text()
    )


# --- expiry ----------------------------------------------------------------------------------------------------


def letter(day: DemoDay) -> str:
    form = DocumentForm("Extension", "letter", "", "Dr. A. Ito", "2026-11-20", "letter.pdf", permits=PURPOSES)
    event = attach_document(day.desk, day.act("pharmacist"), form, b"%PDF-1.7 extended\n%%EOF\n")
    return str(event.content["document_id"])


def extend(page: VialsPage, office: Office, idle: Idle, new: str, document: str) -> ActDialog:
    page.views.set_current(1)
    page.stock_table.selectRow(0)
    press(page.extend_button)
    idle(office)
    dialog = shown(ActDialog)
    type_into(dialog.form, new_expiry=new, document=document, password=PASSWORD)
    press(dialog.verb)
    idle(office)
    return dialog


def test_a_lots_expiry_is_extended_and_its_labels_are_renewed(
    qtbot: QtBot, page: VialsPage, office: Office, day: DemoDay, idle: Idle, said: Said
) -> None:
    document = letter(day)
    dialog = extend(page, office, idle, "2027-03-31", document)
    assert "is not later" in dialog.form.field("new_expiry").fault()
    assert dialog.form.field("password").value() == ""
    type_into(dialog.form, new_expiry="2027-09", password=PASSWORD)
    press(dialog.verb)
    idle(office)
    assert any(text.startswith("Lot INO1-A117 counts through 30-Sep-2027 now") for text in said.texts())
    assert vial_of(day, ONE).expires_on == date(2027, 9, 30)
    renew = shown(RelabelDialog)
    assert find(renew, Text, "relabel_said").text() == "12 vials on the list."
    renew.table.selectRow(0)
    assert find(renew, Text, "relabel_said").text() == "1 vial chosen."
    press(renew.hand_button)
    idle(office)
    assert said.texts()[-1].startswith(f"Labels renewed by hand: {ONE} (event ")
    today = shown_page(qtbot, TodayPage(office), office, idle)
    waiting = [text.text() for text in today.findChildren(Text)]
    assert "11 labels have the date from before an extension" in waiting
    page.open_on("labels to renew")
    idle(office)
    assert find(shown(RelabelDialog), Text, "relabel_said").text() == "11 vials on the list."


def test_without_a_document_an_expiry_is_not_extended(page: VialsPage, office: Office, idle: Idle) -> None:
    dialog = extend(page, office, idle, "2027-09", "")
    assert "Supporter's permission or letter is required." in dialog.form.field("document").fault()


def test_a_technician_does_not_extend(qtbot: QtBot, office_as: OfficeAs, idle: Idle) -> None:
    office = office_as("technician")
    page = shown_page(qtbot, VialsPage(office), office, idle)
    page.views.set_current(1)
    page.stock_table.selectRow(0)
    assert not page.extend_button.isEnabled()
    assert "pharmacist" in page.extend_button.toolTip()


# --- first expired, first out ----------------------------------------------------------------------------------


def test_another_lot_is_taken_instead_with_a_reason(
    at: Callable[[Office], Desk], office: Office, day: DemoDay, idle: Idle
) -> None:
    receive_shipment(day, "SHP-2", (LotTyped("1", "INO1-C301", "2027-08", "4"),))
    later = [numbered("V", count) for count in (17, 18)]
    desk = at(office)
    dose_id = decided(day)
    desk.open(dose_id)
    desk.scan(later[0])
    assert "is the wrong lot" in desk.banner("scan_trouble")
    assert desk.banner("earlier_expiring") == ""
    desk.press("take_instead")
    assert "Usable vials that expire earlier are passed over: 11 × 1 mg of lot INO1-A117" in desk.banner(
        "earlier_expiring"
    )
    assert not desk.button("take_instead").isVisible()
    desk.scan(later[1])
    desk.press("take_instead")
    assert find(desk.page, Text, "scan_progress").text() == "2 of 2 scanned"
    desk.sign("plan_signature")
    assert "passed over" in desk.field("passed_over_reason").fault()
    desk.put(passed_over_reason="other")
    desk.sign("plan_signature")
    assert "Say in words why" in desk.field("passed_over_note").fault()
    desk.put(passed_over_note="the supporter's letter")
    desk.sign("plan_signature")
    plan = desk.thread(dose_id).plan
    assert plan["passed_over_reason"] == "other: the supporter's letter"
    assert [draw["unit_number"] for draw in plan["draws"]] == later
    assert len(plan["passed_over"]) == 12


def test_the_proposed_vials_need_no_reason(at: Callable[[Office], Desk], office: Office, day: DemoDay) -> None:
    desk = at(office)
    dose_id = decided(day)
    desk.open(dose_id)
    for unit in (ONE, TWO):
        desk.scan(unit)
    assert desk.banner("earlier_expiring") == ""
    desk.sign("plan_signature")
    assert desk.thread(dose_id).plan["passed_over"] == []


# --- the record of a place -------------------------------------------------------------------------------------


def test_the_record_is_printed_of_a_place(qtbot: QtBot, office: Office, day: DemoDay, idle: Idle) -> None:
    add(day, "Day clinic", "satellite")
    ledger: Any = shown_page(qtbot, LedgerPage(office), office, idle)
    press(ledger.print_button)
    dialog = shown(ActDialog)
    place = dialog.form.field("record_place")
    assert isinstance(place, ChoiceField)
    offered = [place.editor().itemText(at) for at in range(place.editor().count())]
    assert offered[-5:] == [
        "All places",
        "Control record: all but the satellites",
        "Refrigerator 1 (refrigerator)",
        "Refrigerator 2 (refrigerator)",
        "Day clinic (satellite)",
    ]
    place.editor().setCurrentIndex(place.editor().count() - 1)
    QTest.keyClick(dialog.verb, Qt.Key.Key_Space)
    idle(office)
    with day.desk.store.read() as reader:
        assert reader.printed(paper="accountability record")[0].about == "1 mg at Day clinic"


def test_a_banner_says_what_was_passed_over_when_stock_changed_meanwhile(
    at: Callable[[Office], Desk], office: Office, day: DemoDay
) -> None:
    """An earlier lot is released between choosing the plan and the signature: the reason is asked for then."""
    desk = at(office)
    dose_id = decided(day)
    desk.open(dose_id)
    for unit in (ONE, TWO):
        desk.scan(unit)
    receive_shipment(day, "SHP-2", (LotTyped("1", "INO1-Z001", "2026-12", "1"),))
    desk.sign("plan_signature")
    assert "1 × 1 mg of lot INO1-Z001" in desk.field("passed_over_reason").fault()
    assert find(desk.page, Banner, "scan_trouble").isVisible()
    assert find(desk.page, Button, "plan_signature_sign").isEnabled()


@pytest.mark.parametrize("move", ["transport", "take_back"])
def test_alt_letters_are_unique_while_a_move_is_described(
    page: VialsPage, office: Office, day: DemoDay, idle: Idle, move: str
) -> None:
    add(day, "Day clinic", "satellite")
    dose(day, "000-001", 1, 1)
    panel = move_vials(page, office, idle, ONE)
    form = open_form(panel, move)
    if move == "transport":
        fill(form, to_place="Day clinic")
    texts = [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]
    texts += [button.text() for button in panel.findChildren(QAbstractButton) if button.isVisible()]
    letters = [QKeySequence.mnemonic(text).toString() for text in texts]
    letters = [letter for letter in letters if letter]
    assert len(letters) >= 8
    assert sorted(letters) == sorted(set(letters))
