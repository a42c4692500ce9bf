"""What becomes of vials, by keyboard: broken, missing and found, returned, transferred, accounted for, destroyed.

The seeded study holds shipment SHP-1: V000001 to V000012 of 1 mg (lot INO1-A117, printed 2027-03) and V000013 to
V000016 of 4 mg (lot INO4-B203). A dose of 1.46 mg takes two 1 mg vials of 0.9 mg each. Expected moves, proofs and
sections are those of § 8.2: unopened vials go back or to another site after the supporter was asked; opened and empty
containers are destroyed with the supporter's permission, once the supporter's monitor did the accountability.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import PASSWORD, DemoDay, dose
from pharmacy_app.domain.vials import Vial, move_table, numbered
from pharmacy_app.services.disposition import PERMISSION_KIND, RETURN_REASONS
from pharmacy_app.services.documents import PURPOSES, DocumentForm, attach_document
from pharmacy_app.services.ports import VialFilter
from pharmacy_app.services.views import EventLine
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.office_fixtures import Said
from tests.ui.test_stock_pages import press, shown, shown_page
from ui.office import Office
from ui.pages.monitor import MonitorPage
from ui.pages.stock_life import VialLifeDialog
from ui.pages.stock_parts import ActDialog
from ui.pages.vial_moves import MovePanel, why_not_joining
from ui.pages.vial_moves_form import MOVE_KINDS, MoveForm
from ui.pages.vial_moves_table import MovesView, move_rows
from ui.pages.vials import VialsPage
from ui.paper import PaperDialog
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField

Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]

ONE, TWO, THREE = (numbered("V", at) for at in (1, 2, 3))

RETURN = {
    "depot": "Supporter's distribution center",
    "reason": "expired",
    "in_original_containers": "yes",
    "carrier.courier": "Courier A",
    "carrier.tracking_number": "T-1",
    "carrier.packages": "1",
    "carrier.seal": "S-9",
    "carrier.logger_serial": "TL-7",
    "password": PASSWORD,
}


@pytest.fixture
def page(qtbot: QtBot, office: Office, idle: Idle) -> VialsPage:
    """The pharmacist's page of vials."""
    found: VialsPage = shown_page(qtbot, VialsPage(office), office, idle)
    return found


def move_vials(page: VialsPage, office: Office, idle: Idle, *units: str) -> MovePanel:
    """Open the panel and scan the vials into it."""
    press(page.move_button)
    for unit in units:
        scan(page.moving, office, idle, unit)
    idle(office)
    return page.moving


def scan(panel: MovePanel, office: Office, idle: Idle, text: str) -> None:
    """Scan into the field, as a scanner's keyboard does."""
    QTest.keyClicks(panel.scan.editor(), text)
    QTest.keyClick(panel.scan.editor(), Qt.Key.Key_Return)
    idle(office)


def offer_of(panel: MovePanel, move: str) -> Button:
    """The button of a move."""
    return find(panel, Button, f"move_{move.replace(' ', '_')}")


def open_form(panel: MovePanel, move: str) -> MoveForm:
    """Press the button of a move."""
    press(find(panel, Button, f"move_{move}"))
    return find(panel, MoveForm, f"move_form_{move}")


def fill(form: MoveForm, **typed: str) -> None:
    """Type into the fields of a form; a choice and a box are set."""
    for name, text in typed.items():
        editor = form.form.field(name).editor()
        if isinstance(editor, QLineEdit | QPlainTextEdit):
            editor.setFocus()
            QTest.keyClick(editor, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
            QTest.keyClicks(editor, text)
        else:
            form.form.field(name).set_value(text)


def sign(form: MoveForm, office: Office, idle: Idle) -> None:
    """Press the button that signs, and wait."""
    press(form.verb)
    idle(office)


def faults(form: MoveForm) -> dict[str, str]:
    """The sentences that stand beside the fields."""
    return {field.name: field.fault() for field in form.form.fields() if field.fault()}


def state_of(day: DemoDay, unit: str) -> str:
    """A vial's state in the record."""
    with day.desk.store.read() as reader:
        vial = reader.vial(unit)
    assert vial is not None
    return vial.state


def events(day: DemoDay, kind: str) -> list[EventLine]:
    """The events of a kind, newest first."""
    with day.desk.store.read() as reader:
        return list(reader.events(kind=kind, text="", offset=0, limit=100))


def permit(day: DemoDay) -> str:
    """Attach a permission of the supporter; its number."""
    form = DocumentForm(
        "Permission 12", PERMISSION_KIND, "", "A. Brandt", "2026-11-20", "permission.txt", permits=PURPOSES
    )
    return str(attach_document(day.desk, day.act("pharmacist"), form, b"Permitted.").content["document_id"])


def words(panel: MovePanel, move: str) -> str:
    """What stands beside the button of a move."""
    return find(panel, Text, f"move_{move}_words").text()


# -- the list of vials


def test_vials_chosen_in_the_table_are_on_the_list(page: VialsPage, office: Office, idle: Idle) -> None:
    page.table.selectRow(0)
    QTest.keyClick(page.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    press(page.move_button)
    idle(office)
    assert [row.unit_number for row in page.moving._rows.rows()] == [ONE, TWO]
    assert find(page.moving, Text, "move_count").text() == "2 vials on the list: 2 available."
    assert not page.views.isVisible()
    assert page.moving.scan.editor().hasFocus()


def test_a_scan_adds_a_vial_and_the_same_vial_twice_is_said(page: VialsPage, office: Office, idle: Idle) -> None:
    panel = move_vials(page, office, idle, ONE, f"91{TWO}", ONE)
    assert [row.unit_number for row in panel._rows.rows()] == [ONE, TWO]
    assert panel.scan.fault() == f"Vial {ONE} is on the list already. Put it aside and scan the next one."
    scan(panel, office, idle, THREE)
    assert panel.scan.fault() == ""
    assert len(panel._rows.rows()) == 3


def test_two_scans_of_one_vial_in_a_hurry_are_said_too(page: VialsPage, office: Office, idle: Idle) -> None:
    panel = move_vials(page, office, idle)
    panel.add_scanned(ONE)
    panel.add_scanned(ONE)
    idle(office)
    assert [row.unit_number for row in panel._rows.rows()] == [ONE]
    assert "on the list already" in panel.scan.fault()


@pytest.mark.parametrize(
    ("scanned", "says"), [(numbered("V", 900), "There is no vial"), ("V000001A", "misread"), ("hello", "not a number")]
)
def test_what_is_no_vial_of_ours_is_said_beside_the_scan(
    page: VialsPage, office: Office, idle: Idle, scanned: str, says: str
) -> None:
    panel = move_vials(page, office, idle, scanned)
    assert says in panel.scan.fault()
    assert panel._rows.rows() == ()


def test_with_a_move_s_form_open_a_vial_that_cannot_make_it_is_refused_with_the_reason(
    page: VialsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    form = open_form(move_vials(page, office, idle, TWO), "miss")
    fill(form, why="Not in its tray", password=PASSWORD, witness_user_name="checker", witness_password=PASSWORD)
    sign(form, office, idle)
    assert state_of(day, TWO) == "missing"
    panel = move_vials(page, office, idle, ONE)
    open_form(panel, "return")
    scan(panel, office, idle, TWO)
    assert [row.unit_number for row in panel._rows.rows()] == [ONE]
    assert f"{TWO} is missing." in panel.scan.fault()
    assert "It was not put on the list." in panel.scan.fault()
    scan(panel, office, idle, THREE)
    assert [row.unit_number for row in panel._rows.rows()] == [ONE, THREE]
    assert panel.scan.fault() == ""


def test_vials_that_no_move_is_for_together_are_not_put_on_one_list() -> None:
    """An unopened vial goes back to the supporter, an empty one waits for the monitor: no act takes both."""
    found = [
        (one, other)
        for one in move_table().states
        for other in move_table().states
        if one != other and _moves_from(one) and _moves_from(other) and not _moves_from(one) & _moves_from(other)
    ]
    one, other = found[0]
    vial = Vial(ONE, "", Decimal(1), "A1", date(2027, 1, 1), "Refrigerator 1", one, "", "", "S-1")
    words = why_not_joining("", [vial], replace(vial, unit_number=TWO, state=other))
    assert words.startswith(f"Vial {TWO} is {other}: no move is for it and for those on the list alike.")
    assert why_not_joining("", [vial], replace(vial, unit_number=TWO)) == ""
    assert why_not_joining("", [], vial) == ""
    nothing = next(state for state in move_table().states if not _moves_from(state))
    words = why_not_joining("", [vial], replace(vial, state=nothing))
    assert words == f"Vial {ONE} is {nothing}: nothing more becomes of it here. It was not put on the list."


def _moves_from(state: str) -> set[str]:
    return {kind.move for kind in MOVE_KINDS if state in move_table().moves[kind.move].from_states}


def test_a_vial_is_taken_off_the_list_by_the_delete_key_or_the_button(
    page: VialsPage, office: Office, idle: Idle
) -> None:
    panel = move_vials(page, office, idle, ONE, TWO, THREE)
    assert not panel.off_button.isEnabled()
    panel.table.selectRow(1)
    press(panel.off_button)
    idle(office)
    assert [row.unit_number for row in panel._rows.rows()] == [ONE, THREE]
    panel.table.selectRow(0)
    panel.table.setFocus()
    panel.take_off()
    idle(office)
    assert [row.unit_number for row in panel._rows.rows()] == [THREE]


# -- which moves are offered


def test_every_move_is_shown_and_an_illegal_one_says_why(page: VialsPage, office: Office, idle: Idle) -> None:
    panel = move_vials(page, office, idle, ONE)
    offered = {kind.move: offer_of(panel, kind.move).isEnabled() for kind in MOVE_KINDS}
    assert offered == {
        "transport": True,
        "take back": False,
        "break": True,
        "miss": True,
        "find": False,
        "lose": False,
        "recover": False,
        "return": True,
        "transfer": True,
        "destroy": False,
    }
    assert words(panel, "find") == f"Not possible: {ONE} is available. Only a missing vial can be found."
    assert words(panel, "destroy") == (
        f"Not possible: {ONE} is available. Unopened vials, expired ones too, are never destroyed on site: they are"
        " returned or transferred."
    )
    assert "the supporter's written permission, attached" in words(panel, "return")
    assert "§\u00a08.2" in words(panel, "return")
    assert words(panel, "return").endswith("attached: no document that permits return is attached yet.")
    assert words(panel, "break") == (
        "Becomes broken. It takes the reason in words, a second person who saw it and signs (§\u00a08.2)."
    )


def test_a_mixed_list_says_which_vials_are_in_the_way(
    page: VialsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    dose(day, "000-001", 1, 1)
    panel = move_vials(page, office, idle, ONE, TWO, THREE)
    assert state_of(day, ONE) == "empty"
    assert state_of(day, THREE) == "available"
    assert words(panel, "return").startswith(f"Not possible: {ONE} – {TWO} are empty. Only unopened vials")
    assert words(panel, "destroy").startswith(f"Not possible: {THREE} is available.")
    # All of them lie in the refrigerator and may be carried elsewhere; nothing else can be done with all three.
    assert [kind.move for kind in MOVE_KINDS if offer_of(panel, kind.move).isEnabled()] == ["transport"]


def test_an_empty_list_offers_nothing(page: VialsPage, office: Office, idle: Idle) -> None:
    panel = move_vials(page, office, idle)
    assert not any(offer_of(panel, kind.move).isEnabled() for kind in MOVE_KINDS)
    assert words(panel, "find") == "Only a missing vial can be found."


def test_a_technician_breaks_and_does_not_return(qtbot: QtBot, office_as: OfficeAs, idle: Idle) -> None:
    office = office_as("technician")
    page = shown_page(qtbot, VialsPage(office), office, idle)
    panel = move_vials(page, office, idle, ONE)
    assert find(panel, Button, "move_break").isEnabled()
    assert not find(panel, Button, "move_return").isEnabled()
    assert words(panel, "return") == "Not possible: This takes a pharmacist; you are signed in as technician."


def test_the_monitor_moves_no_vial(qtbot: QtBot, office_as: OfficeAs, idle: Idle) -> None:
    office = office_as("monitor")
    page = shown_page(qtbot, VialsPage(office), office, idle)
    page.table.selectRow(0)
    assert not page.move_button.isEnabled()
    assert "signed in as monitor" in page.move_button.toolTip()


# -- broken, missing, found


def test_a_broken_vial_is_signed_by_two_people(
    page: VialsPage, office: Office, day: DemoDay, said: Said, idle: Idle
) -> None:
    form = open_form(move_vials(page, office, idle, ONE), "break")
    assert form.form.field("why").editor().hasFocus()
    fill(form, why="Fell from the tray", password=PASSWORD, witness_user_name="technician", witness_password=PASSWORD)
    QTest.keyClick(form.form.field("witness_password").editor(), Qt.Key.Key_Return)
    idle(office)
    assert state_of(day, ONE) == "broken"
    (event,) = events(day, "vials_broken")
    assert event.signatures == (
        "Dana Whitfield: broke or found it broken",
        "Lee Marchetti: broke or found it broken, as the second person",
    )
    assert said.texts() == [f"1 vial recorded as broken (event {event.seq})."]
    assert page.views.isVisible()
    assert not page.moving.isVisible()
    assert not page.is_dirty()


def test_a_missing_vial_is_found_and_goes_into_quarantine(
    page: VialsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    two_people = {"password": PASSWORD, "witness_user_name": "checker", "witness_password": PASSWORD}
    form = open_form(move_vials(page, office, idle, ONE), "miss")
    fill(form, why="Not in its tray", **two_people)
    sign(form, office, idle)
    assert state_of(day, ONE) == "missing"
    panel = move_vials(page, office, idle, ONE)
    assert words(panel, "return").startswith(f"Not possible: {ONE} is missing.")
    form = open_form(panel, "find")
    fill(form, why="Behind the drawer", **two_people)
    sign(form, office, idle)
    # Nobody knows how it was stored: quarantine until the supporter's written permission.
    assert state_of(day, ONE) == "quarantined"
    page.open_on(ONE)
    idle(office)
    life = shown(VialLifeDialog)
    assert life._state.kind == "stop"
    assert "Found after it was missing: Behind the drawer" in life._state.text()
    assert [row.to_state for row in life._lines.rows()][-2:] == ["missing", "quarantined"]


def test_a_missing_vial_is_found_at_another_place(
    page: VialsPage, office: Office, day: DemoDay, said: Said, idle: Idle
) -> None:
    two_people = {"password": PASSWORD, "witness_user_name": "checker", "witness_password": PASSWORD}
    form = open_form(move_vials(page, office, idle, ONE), "miss")
    fill(form, why="Not in its tray", **two_people)
    sign(form, office, idle)
    form = open_form(move_vials(page, office, idle, ONE), "find")
    fill(form, why="In the other one", place="Refrigerator 2", **two_people)
    sign(form, office, idle)
    with day.desk.store.read() as reader:
        vial = reader.vial(ONE)
    assert vial is not None
    assert (vial.state, vial.place) == ("quarantined", "Refrigerator 2")
    assert said.texts()[-1].startswith("1 vial found again and quarantined")


def test_the_second_person_is_another_one_and_what_was_typed_stays(
    page: VialsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    form = open_form(move_vials(page, office, idle, ONE), "break")
    fill(form, why="Fell", password=PASSWORD, witness_user_name="pharmacist", witness_password=PASSWORD)
    sign(form, office, idle)
    assert faults(form) == {"witness_user_name": "The second person is another one. Ask somebody who was there."}
    assert form.form.field("witness_user_name").editor().hasFocus()
    assert form.form.field("why").value() == "Fell"
    # Passwords are forgotten either way.
    assert form.form.field("password").value() == form.form.field("witness_password").value() == ""
    assert state_of(day, ONE) == "available"


def test_a_wrong_password_of_the_witness_stands_beside_it(
    page: VialsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    form = open_form(move_vials(page, office, idle, ONE), "break")
    fill(form, why="Fell", password=PASSWORD, witness_user_name="checker", witness_password="not this")
    sign(form, office, idle)
    assert list(faults(form)) == ["witness_password"]
    assert "do not fit" in faults(form)["witness_password"]
    assert events(day, "vials_broken") == []


def test_what_is_missing_is_said_at_once_and_nothing_is_sent(
    page: VialsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    form = open_form(move_vials(page, office, idle, ONE), "break")
    with day.desk.store.read() as reader:
        before = reader.head().seq
    sign(form, office, idle)
    assert list(faults(form)) == ["why", "password", "witness_user_name", "witness_password"]
    assert form.form.field("why").editor().hasFocus()
    with day.desk.store.read() as reader:
        assert reader.head().seq == before, "an empty password must not count as a wrong one"


def test_signed_twice_in_a_hurry_is_recorded_once(
    page: VialsPage, office: Office, day: DemoDay, said: Said, idle: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.pages.vial_moves.confirm", lambda *_: True)
    form = open_form(move_vials(page, office, idle, ONE), "break")
    fill(form, why="Fell", password=PASSWORD, witness_user_name="checker", witness_password=PASSWORD)
    form.sign()
    form.sign()
    page.moving.go_back()
    assert page.moving.isVisible(), "its outcome must be seen"
    idle(office)
    assert len(events(day, "vials_broken")) == len(said.texts()) == 1


# -- return and transfer


def test_vials_are_returned_with_the_attached_permission(
    page: VialsPage, office: Office, day: DemoDay, tmp_path: Path, idle: Idle
) -> None:
    letter = tmp_path / "permission.txt"
    letter.write_bytes(b"You may return lot INO1-A117.")
    form = open_form(move_vials(page, office, idle, ONE, TWO), "return")
    standing = find(form, Text, "proofs_return_permission")
    assert standing.accessibleName().startswith("Missing: The supporter's written permission, attached")
    press(find(form, Button, "move_attach"))
    dialog = shown(ActDialog)
    for name, text in (("file", str(letter)), ("title", "Return of A117"), ("dated_on", "2026-11-21")):
        QTest.keyClicks(dialog.form.field(name).editor(), text)
    press(dialog.verb)
    assert dialog.form.field("signed_by").fault() == "Signed by is required."
    QTest.keyClicks(dialog.form.field("signed_by").editor(), "A. Brandt")
    press(dialog.verb)
    idle(office)
    (attached,) = events(day, "document_attached")
    number = attached.content["document_id"]
    assert (attached.content["kind"], attached.content["about"]) == (PERMISSION_KIND, "")
    assert form.form.field("permission").value() == number
    assert find(form, Text, "proofs_return_permission").accessibleName().startswith("There: ")
    assert find(form, Text, "move_signed_for").text() == f"Signed for: 2 vials, {ONE} – {TWO}."
    fill(form, **RETURN)
    sign(form, office, idle)
    assert [state_of(day, unit) for unit in (ONE, TWO, THREE)] == ["returned", "returned", "available"]
    (event,) = events(day, "vials_returned")
    assert event.content["permission"] == number
    page.open_on(ONE)
    idle(office)
    life = shown(VialLifeDialog)
    shown_words = {label.accessibleName() for label in find(life, QWidget, "vial_life_form").findChildren(QLabel)}
    assert {
        "Move: return: available → returned",
        "On the record: RETURN-SPONSOR",
        f"Permission: {number}",
        "To: Supporter's distribution center",
        "Courier: Courier A",
        "Seal: S-9",
        "Signed: Dana Whitfield: packed and sent",
    } <= shown_words
    assert not life.move_button.isVisible(), "a returned vial makes no further move"
    assert f"Form: RET-{event.seq}" in shown_words
    press(life.form_button)
    idle(office)
    shown(PaperDialog).accept()
    with day.desk.store.read() as reader:
        printed = [line.about for line in reader.printed(limit=5) if line.paper != "vial label"]
    assert printed == [f"RET-{event.seq}"]
    life.close()
    page.open_on(THREE)
    idle(office)
    assert not shown(VialLifeDialog).form_button.isVisible(), "a vial that is there has no form"


def test_every_reason_of_a_return_is_offered(page: VialsPage, office: Office, idle: Idle) -> None:
    form = open_form(move_vials(page, office, idle, ONE), "return")
    editor = form.form.field("reason").editor()
    assert [editor.itemData(at) for at in range(editor.count())] == list(RETURN_REASONS)  # type: ignore[attr-defined]


def test_a_return_without_the_original_container_is_refused_beside_the_box(
    page: VialsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    number = permit(day)
    form = open_form(move_vials(page, office, idle, ONE), "return")
    fill(form, **{**RETURN, "in_original_containers": "", "carrier.packages": "0"}, permission=number)
    sign(form, office, idle)
    assert set(faults(form)) == {"in_original_containers", "carrier.packages"}
    assert "original containers only" in faults(form)["in_original_containers"]
    assert "§ 8.2" in faults(form)["in_original_containers"]
    assert faults(form)["carrier.packages"].startswith("The number of packages is 0, but must be from 1 to 99.")
    assert state_of(day, ONE) == "available"


def test_a_transfer_names_the_other_site(page: VialsPage, office: Office, day: DemoDay, idle: Idle) -> None:
    number = permit(day)
    form = open_form(move_vials(page, office, idle, ONE), "transfer")
    typed = {name: text for name, text in RETURN.items() if name != "depot"}
    fill(form, **{**typed, "to_site": "Site 002", "reason": "needed there"}, permission=number)
    sign(form, office, idle)
    assert state_of(day, ONE) == "transferred"
    (event,) = events(day, "vials_transferred")
    assert event.content["party"] == "Site 002"


# -- drafts


def test_a_draft_stays_while_another_move_is_looked_at_and_the_page_is_read_anew(
    page: VialsPage, office: Office, idle: Idle
) -> None:
    panel = move_vials(page, office, idle, ONE)
    form = open_form(panel, "return")
    fill(form, **{"depot": "Depot 4", "carrier.seal": "S-1"})
    press(form.other)
    assert find(panel, Button, "move_return").hasFocus()
    assert page.is_dirty()
    page.refresh()
    idle(office)
    again = open_form(panel, "return")
    assert (again.form.field("depot").value(), again.form.field("carrier.seal").value()) == ("Depot 4", "S-1")


def test_leaving_a_draft_is_asked_first(
    page: VialsPage, office: Office, idle: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = move_vials(page, office, idle, ONE)
    form = open_form(panel, "return")
    fill(form, depot="Depot 4")
    answers = [False, True]
    monkeypatch.setattr("ui.pages.vial_moves.confirm", lambda *_: answers.pop(0))
    press(find(panel, Button, "move_back"))
    assert panel.isVisible()
    press(find(panel, Button, "move_back"))
    assert not panel.isVisible()
    assert answers == []
    assert not page.is_dirty()
    panel = move_vials(page, office, idle, TWO)
    assert [row.unit_number for row in panel._rows.rows()] == [TWO]


def test_a_vials_life_leads_to_its_moves(page: VialsPage, office: Office, idle: Idle) -> None:
    page.open_on(THREE)
    idle(office)
    press(shown(VialLifeDialog).move_button)
    idle(office)
    assert page.moving.isVisible()
    assert [row.unit_number for row in page.moving._rows.rows()] == [THREE]


# -- accountability and destruction


def monitor_page(qtbot: QtBot, office: Office, idle: Idle) -> MonitorPage:
    """The monitor's page; it lives as long as it is held."""
    found: MonitorPage = shown_page(qtbot, MonitorPage(office), office, idle)
    found.open_on("accountability")
    idle(office)
    return found


def account_all(qtbot: QtBot, office: Office, idle: Idle) -> None:
    """The monitor accounts for every container that waits."""
    page_shown = monitor_page(qtbot, office, idle)
    card = page_shown.accountability
    press(card.all_button)
    QTest.keyClicks(card.signature.password.editor(), PASSWORD)
    QTest.keyClick(card.signature.password.editor(), Qt.Key.Key_Return)
    idle(office)


def destruction(page: VialsPage, office: Office, idle: Idle, permission: str, *units: str) -> MoveForm:
    """The filled form that destroys containers."""
    form = open_form(move_vials(page, office, idle, *units), "destroy")
    fill(
        form,
        permission=permission,
        method="Incineration",
        container="W-0088",
        password=PASSWORD,
        witness_user_name="checker",
        witness_password=PASSWORD,
    )
    return form


def test_containers_are_destroyed_after_the_monitors_accountability_and_not_before(
    qtbot: QtBot, page: VialsPage, office: Office, office_as: OfficeAs, day: DemoDay, idle: Idle
) -> None:
    dose(day, "000-001", 1, 1)
    permission = permit(day)
    form = destruction(page, office, idle, permission, ONE, TWO)
    assert "not done for" in find(form, Text, "proofs_destroy_accountability").text()
    sign(form, office, idle)
    panel = page.moving
    assert panel.scan.fault().splitlines() == [
        f"The supporter's monitor has not accounted for vial {unit} yet. Keep its container until then."
        " [Protocol § 8.2]"
        for unit in (ONE, TWO)
    ]
    assert panel.scan.editor().hasFocus()
    assert state_of(day, ONE) == "empty"
    account_all(qtbot, office_as("monitor"), idle)
    panel.refresh()
    idle(office)
    assert find(form, Text, "proofs_destroy_accountability").accessibleName().startswith("There: ")
    fill(form, password=PASSWORD, witness_password=PASSWORD)
    sign(form, office, idle)
    assert [state_of(day, unit) for unit in (ONE, TWO)] == ["destroyed", "destroyed"]
    (event,) = events(day, "vials_destroyed")
    assert event.signatures == ("Dana Whitfield: destroyed", "Sam Okafor: witnessed the destruction")
    page.open_on(ONE)
    idle(office)
    life = shown(VialLifeDialog)
    (accounted,) = events(day, "vials_accounted")
    facts = {label.accessibleName() for label in find(life, QWidget, "vial_life_facts").findChildren(QLabel)}
    assert any(re.match(rf"Accounted for: Kim Sorensen, .*\(event {accounted.seq}\)", fact) for fact in facts)


def test_the_monitor_accounts_for_some_and_moves_nothing(
    qtbot: QtBot, office_as: OfficeAs, day: DemoDay, said: Said, idle: Idle
) -> None:
    dose(day, "000-001", 1, 1)
    office = office_as("monitor")
    with day.desk.store.read() as reader:
        before, stock = reader.head().seq, list(reader.stock())
    page_shown = monitor_page(qtbot, office, idle)
    card = page_shown.accountability
    assert [row.unit_number for row in card._rows.rows()] == [ONE, TWO]
    card.table.selectRow(1)
    assert find(card, Text, "account_signature_meaning").text() == (f"I did the accountability of 1 container: {TWO}.")
    QTest.keyClicks(card.note.editor(), "seen in the waste room")
    QTest.keyClicks(card.signature.password.editor(), PASSWORD)
    press(card.signature.button)
    idle(office)
    (event,) = events(day, "vials_accounted")
    assert event.content == {"unit_numbers": [TWO], "note": "seen in the waste room", "visit": ""}
    assert event.signatures == ("Kim Sorensen: did the accountability",)
    assert said.texts() == [f"1 container accounted for (event {event.seq})."]
    assert [row.unit_number for row in card._rows.rows()] == [ONE]
    assert card.note.value() == ""
    with day.desk.store.read() as reader:
        assert reader.head().seq == before + 1
        assert list(reader.stock()) == stock
        assert reader.count_vials(VialFilter(state="empty", accounted=True)) == 1


def test_containers_are_chosen_by_strength_and_lot(
    qtbot: QtBot, page: VialsPage, office: Office, office_as: OfficeAs, day: DemoDay, idle: Idle
) -> None:
    dose(day, "000-001", 1, 1)
    four = numbered("V", 14)
    form = open_form(move_vials(page, office, idle, four), "break")
    fill(form, why="Fell", password=PASSWORD, witness_user_name="checker", witness_password=PASSWORD)
    sign(form, office, idle)
    monitor = office_as("monitor")
    page_shown = monitor_page(qtbot, monitor, idle)
    card = page_shown.accountability
    combo = card.lot.editor()
    assert [combo.itemText(at) for at in range(combo.count())] == [
        "All that wait: 3 containers",
        "1 mg, lot INO1-A117: 2 containers",
        "4 mg, lot INO4-B203: 1 container",
    ]
    card.lot.set_value("4 mg, lot INO4-B203")
    assert [row.unit_number for row in card._rows.rows()] == [four]
    press(card.all_button)
    assert find(card, Text, "account_said").text() == "1 of 1 chosen."


def test_what_was_chosen_stays_chosen_when_the_page_is_read_anew(
    qtbot: QtBot, office_as: OfficeAs, day: DemoDay, idle: Idle
) -> None:
    dose(day, "000-001", 1, 1)
    office = office_as("monitor")
    page_shown = monitor_page(qtbot, office, idle)
    card = page_shown.accountability
    card.table.selectRow(1)
    office.changed.emit()
    idle(office)
    assert card._chosen() == (TWO,)


def test_nothing_chosen_is_refused_beside_the_signature(
    qtbot: QtBot, office_as: OfficeAs, day: DemoDay, idle: Idle
) -> None:
    dose(day, "000-001", 1, 1)
    office = office_as("monitor")
    page_shown = monitor_page(qtbot, office, idle)
    card = page_shown.accountability
    QTest.keyClicks(card.signature.password.editor(), PASSWORD)
    press(card.signature.button)
    idle(office)
    assert find(card, QLabel, "account_signature_fault_text").text() == (
        "No vial is chosen. Scan or choose at least one."
    )
    assert card.signature.password.value() == ""
    assert events(day, "vials_accounted") == []


def test_only_the_monitor_signs_the_accountability(qtbot: QtBot, office: Office, day: DemoDay, idle: Idle) -> None:
    dose(day, "000-001", 1, 1)
    page_shown = monitor_page(qtbot, office, idle)
    card = page_shown.accountability
    assert len(card._rows.rows()) == 2
    assert not card.signature.isVisible()
    assert find(card, Text, "account_why_not").text() == (
        "Signing: This takes a monitor; you are signed in as pharmacist."
    )


def test_an_opened_vial_comes_once_it_is_closed(qtbot: QtBot, office_as: OfficeAs, day: DemoDay, idle: Idle) -> None:
    dose(day, "000-001", 1, 1, until="give")
    page_shown = monitor_page(qtbot, office_as("monitor"), idle)
    card = page_shown.accountability
    assert card._rows.rows() == ()
    assert not card.signature.isVisible()
    assert find(card, Text, "account_opened").text() == (
        "2 opened vials not yet closed in the mg ledger: they come here once closed."
    )


# -- how vials move


def test_the_list_of_moves_is_the_table(page: VialsPage) -> None:
    view = page.findChild(MovesView)
    assert view is not None
    rows = move_rows()
    assert [row.move.name for row in rows] == list(move_table().moves)
    by_name = {row.move.name: row for row in rows}
    assert by_name["receive"].way == "outside → held"
    assert by_name["destroy"].way == "empty, partial, broken, returned by subject → destroyed"
    assert by_name["transport"].way.endswith("returned by subject → the same state")
    assert by_name["destroy"].needs == (
        "the supporter's written permission, attached, the accountability of the supporter's monitor for each vial,"
        " a second person who saw it and signs"
    )
    assert by_name["destroy"].section == "8.2"


def test_the_moves_of_one_state_are_read_whole(page: VialsPage) -> None:
    page.views.set_current(2)
    find(page, ChoiceField, "moves_state_field").set_value("missing")
    view = page.findChild(MovesView)
    assert view is not None
    assert [row.move.name for row in view._rows.rows()] == ["miss", "find", "relabel"]
    view.table.selectRow(1)
    assert find(page, Text, "moves_said").text() == (
        "Find: missing → quarantined. Not to be used until the supporter permits it in writing. It takes the reason in"
        " words, a second person who saw it and signs. Only a missing vial can be found. On the accountability record"
        " it is FOUND. A correction can take it back while it is the vial's last move. Protocol §\u00a08.2."
    )


# -- hands and eyes


def letters_of(page: VialsPage) -> dict[str, list[str]]:
    """What can be seen of the page under each Alt letter."""
    letters: dict[str, list[str]] = {}
    for widget in page.findChildren(QWidget):
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        if isinstance(widget, QLabel) and widget.buddy() is not None:
            text = widget.text()
        if widget.isVisibleTo(page) and (found := re.search(r"&(\w)", text)):
            letters.setdefault(found[1].upper(), []).append(text)
    return letters


def test_every_move_has_a_letter_of_its_own(page: VialsPage, office: Office, idle: Idle) -> None:
    panel = move_vials(page, office, idle, ONE)
    letters = letters_of(page)
    assert {letter: texts for letter, texts in letters.items() if len(texts) > 1} == {}
    offered = {offer_of(panel, kind.move).text() for kind in MOVE_KINDS}
    assert offered <= {text for texts in letters.values() for text in texts}
    widths = {offer_of(panel, kind.move).width() for kind in MOVE_KINDS}
    assert len(widths) == 1, "the words beside the buttons stand in line"


@pytest.mark.parametrize("kind", MOVE_KINDS, ids=lambda kind: kind.move)
def test_every_control_is_named_and_every_letter_is_one_controls(
    page: VialsPage, office: Office, idle: Idle, kind: Any
) -> None:
    panel = move_vials(page, office, idle, ONE)
    panel.choose(kind.move)
    QApplication.processEvents()
    for widget in page.findChildren(QWidget):
        if not widget.isVisibleTo(page):
            continue
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            assert widget.accessibleName(), (type(widget).__name__, widget.objectName())
            assert widget.objectName(), widget.accessibleName()
    letters = letters_of(page)
    assert {letter: texts for letter, texts in letters.items() if len(texts) > 1} == {}
    assert len(letters) > 5
