"""The supporter's written word: it permits what it speaks of, from its day on, and what it could know of (§ 8.2).

Return, transfer, destruction and release look at a permission in one way (RULES R54, R56, R57).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from db.projections import changes_of
from db.projections.changes import Insert
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.services.disposition import (
    AccountForm,
    DestroyForm,
    LossForm,
    ReturnForm,
    TakeBackForm,
    TransferForm,
    account_for,
    break_vials,
    checklist,
    destroy_vials,
    return_vials,
    take_back,
    transfer_vials,
)
from pharmacy_app.services.documents import PURPOSES, SUPPORTERS_PERMISSION, DocumentForm, attach_document
from pharmacy_app.services.expiry import ExpiryForm, extend_expiry
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.permissions import permits
from pharmacy_app.services.stock import PermissionForm, QuarantineForm, quarantine, release_with_document
from tests.services.leaving import CARRIER, faults_of, one_fault
from tests.services.pharmacy import Pharmacy

LOTS = (LotTyped("1", "A1", "2027-03-31", "3"), LotTyped("4", "B2", "2027-03-31", "2"))


class Desk:
    """Three vials of lot A1 and two of lot B2 in stock; what is done to a vial by a permission."""

    def __init__(self, pharmacy: Pharmacy) -> None:
        self.pharmacy = pharmacy
        self.units = tuple(pharmacy.stock_up(lots=LOTS))

    def permission(self, about: str = "", days: int = 0, permits: tuple[str, ...] = PURPOSES) -> str:
        pharmacy = self.pharmacy
        form = DocumentForm(
            "Letter", SUPPORTERS_PERMISSION, about, "Dr. A. Ito", pharmacy.day(days), "letter.txt", permits=permits
        )
        content = f"You may, letter {pharmacy.count()}.".encode()
        return str(attach_document(pharmacy.desk, pharmacy.act("paula"), form, content).content["document_id"])

    def send_back(self, permission: str, unit: str, **when: str) -> Any:
        pharmacy = self.pharmacy
        form = ReturnForm((unit,), permission, "Depot", "unused", "yes", CARRIER, **when)
        return return_vials(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))

    def transfer(self, permission: str, unit: str, **when: str) -> Any:
        pharmacy = self.pharmacy
        form = TransferForm((unit,), permission, "Site 18", "short there", "yes", CARRIER, **when)
        return transfer_vials(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))

    def broken(self, unit: str) -> None:
        """Broken, and accounted for by the monitor."""
        pharmacy = self.pharmacy
        own, second = pharmacy.sign("tim"), pharmacy.sign("carla")
        break_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((unit,), "it fell"), own, second)
        account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((unit,)), pharmacy.sign("mona"))

    def destroy(self, permission: str, unit: str, **when: str) -> Any:
        pharmacy = self.pharmacy
        form = DestroyForm((unit,), permission, "incineration", "bin 12", **when)
        return destroy_vials(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))

    def quarantine(self, unit: str) -> None:
        pharmacy = self.pharmacy
        quarantine(pharmacy.desk, pharmacy.act("paula"), QuarantineForm((unit,), "9 °C overnight"))

    def lift(self, permission: str, unit: str) -> Any:
        pharmacy = self.pharmacy
        return release_with_document(pharmacy.desk, pharmacy.act("paula"), PermissionForm((unit,), permission))


@pytest.fixture
def desk(pharmacy: Pharmacy) -> Desk:
    return Desk(pharmacy)


Doing = Callable[[Desk, str, str], Any]
WAYS: dict[str, tuple[Callable[[Desk, str], None], Doing, str]] = {
    "return": (lambda _desk, _unit: None, Desk.send_back, "R56"),
    "transfer": (lambda _desk, _unit: None, Desk.transfer, "R56"),
    "destroy": (Desk.broken, Desk.destroy, "R57"),
    "release": (Desk.quarantine, Desk.lift, "R54"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("about", ["another vial", "lot B2", "shipment S-2", "001", "a dose"])
def test_a_permission_about_something_else_permits_nothing(desk: Desk, way: str, about: str) -> None:
    pharmacy, (first, second, *_) = desk.pharmacy, desk.units
    pharmacy.receive("S-2")
    pharmacy.enroll()
    if about == "a dose":
        about = pharmacy.dose("ordered")
    about = second if about == "another vial" else about
    before, do, rule = WAYS[way]
    before(desk, first)
    permission = desk.permission(about)
    fault = one_fault(
        lambda: do(desk, permission, first), "permission", f"is about {about}; it says nothing of {first}"
    )
    assert (fault.rule, fault.section) == (rule, "8.2")


@pytest.mark.parametrize("way", WAYS)
def test_a_permission_permits_what_it_says_and_nothing_else(desk: Desk, way: str) -> None:
    """ "You may send lot A1 back" is no word that it may be used, and the other way round."""
    first = desk.units[0]
    before, do, rule = WAYS[way]
    before(desk, first)
    purpose = {"release": "use", "destroy": "destruction"}.get(way, way)
    others = tuple(each for each in PURPOSES if each != purpose)
    wrong = desk.permission(permits=others)
    fault = one_fault(lambda: do(desk, wrong, first), "permission", f"permits {', '.join(others)}, not {purpose}")
    assert (fault.rule, fault.section) == (rule, "8.2")
    do(desk, desk.permission(permits=(purpose,)), first)
    desk.pharmacy.assert_sound()


def test_a_permission_about_a_lot_of_two_strengths_says_which(pharmacy: Pharmacy) -> None:
    one, *_, four = pharmacy.receive(
        lots=(LotTyped("1", "A1", "2027-03-31", "2"), LotTyped("4", "A1", "2027-03-31", "2")), logger_state="alarm"
    )
    one_fault(lambda: pharmacy.permission("lot A1"), "about", "“lot A1, 1 mg” or “lot A1, 4 mg”")
    permission = pharmacy.permission("lot A1, 4 mg")

    def lift(unit: str) -> Any:
        return release_with_document(pharmacy.desk, pharmacy.act("paula"), PermissionForm((unit,), permission))

    one_fault(lambda: lift(one), "permission", f"is about lot A1, 4 mg; it says nothing of {one}")
    lift(four)


def test_a_permission_says_what_it_permits(desk: Desk) -> None:
    one_fault(lambda: desk.permission(permits=()), "permits", "Choose what the supporter permits by it: use, ")
    one_fault(lambda: desk.permission(permits=("everything",)), "permits", "What it permits")


def test_a_letter_extends_an_expiry_when_it_says_so(desk: Desk) -> None:
    """A courier's invoice is a letter too."""
    pharmacy = desk.pharmacy

    def letter(permits: tuple[str, ...]) -> str:
        form = DocumentForm("Invoice", "letter", "", "Courier Bob", pharmacy.day(), "letter.txt", permits)
        content = f"Letter {pharmacy.count()}".encode()
        return str(attach_document(pharmacy.desk, pharmacy.act("paula"), form, content).content["document_id"])

    def extend(document: str) -> Any:
        form = ExpiryForm("1", "A1", "2028-03-31", document)
        return extend_expiry(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))

    invoice = letter(())
    one_fault(lambda: extend(invoice), "document", f"Document {invoice} permits nothing, not expiry extension")
    returning = desk.permission(permits=("return",))
    one_fault(lambda: extend(returning), "document", "permits return, not expiry extension")
    extend(letter(("expiry extension",)))


def test_a_document_from_before_purposes_were_asked_for_counts_as_it_did(desk: Desk) -> None:
    """The journal of before says nothing of them."""
    number = desk.permission(permits=("return",))
    with desk.pharmacy.desk.store.read() as reader:
        document = reader.document(number)
        event = Event.from_body(reader.journal()[-1][1])
    assert document is not None
    assert [permits(document, purpose) for purpose in PURPOSES] == [False, False, True, False, False]
    of_before = replace(event, content={name: value for name, value in event.content.items() if name != "permits"})
    (row,) = (
        change.row for change in changes_of(of_before) if isinstance(change, Insert) and change.table == "document"
    )
    assert row["permits"] is None
    assert all(permits(replace(document, permits=None), purpose) for purpose in PURPOSES)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("about", ["", "the vial", "lot A1", "shipment S-1"])
def test_a_permission_about_the_vial_its_lot_or_its_shipment_is_good(desk: Desk, way: str, about: str) -> None:
    first = desk.units[0]
    before, do, _ = WAYS[way]
    before(desk, first)
    do(desk, desk.permission(first if about == "the vial" else about), first)
    desk.pharmacy.assert_sound()


def test_containers_are_destroyed_by_a_permission_for_their_dose_or_subject(pharmacy: Pharmacy) -> None:
    desk = Desk(pharmacy)
    pharmacy.enroll()
    dose_id = pharmacy.dose("closed")
    first, second = (line.unit_number for line in pharmacy.thread(dose_id).mg)
    account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((first, second)), pharmacy.sign("mona"))
    desk.destroy(desk.permission(dose_id), first)
    desk.destroy(desk.permission("001"), second)
    assert {pharmacy.vial(unit).state for unit in (first, second)} == {"destroyed"}


@pytest.mark.parametrize("way", ["return", "transfer", "destroy"])
def test_nothing_is_done_before_the_day_of_its_permission(desk: Desk, way: str) -> None:
    """Sent on Wednesday, permitted on Friday."""
    pharmacy, first = desk.pharmacy, desk.units[0]
    before, _, rule = WAYS[way]
    before(desk, first)
    pharmacy.clock.forward(days=4)
    do: Callable[..., Any] = {"return": desk.send_back, "transfer": desk.transfer, "destroy": desk.destroy}[way]
    late = {"done_at": pharmacy.time(-2 * 24 * 60), "late_why": "the form lay in the tray"}
    today = desk.permission()
    fault = one_fault(
        lambda: do(today, first, **late),
        "done_at",
        "is of 06-Mar-2026, and this was done on 04-Mar-2026: nothing is done",
    )
    assert fault.rule == rule
    do(desk.permission(days=-2), first, **late)


def test_vials_kept_back_leave_by_a_permission_that_knows_of_it(desk: Desk) -> None:
    """The letter of Monday says that unused vials may go back; on Tuesday one of them was found too warm."""
    pharmacy, (first, second, *_) = desk.pharmacy, desk.units
    monday = desk.permission()
    pharmacy.clock.forward(days=1)
    desk.quarantine(first)
    fault = one_fault(
        lambda: desk.send_back(monday, first), "permission", f"Vial {first} was taken out of use after that"
    )
    assert "Ask the supporter for a permission that knows of it." in fault.sentence
    desk.send_back(monday, second)
    desk.send_back(desk.permission(), first)


def test_the_checklist_asks_for_a_permission_that_speaks_of_the_vials(desk: Desk) -> None:
    first, second, *_ = desk.units

    def missing() -> str:
        with desk.pharmacy.desk.store.read() as reader:
            return next(
                line.missing for line in checklist(reader, "return", (first, second)) if line.name == "permission"
            )

    assert missing() == "no document that permits return is attached yet"
    desk.permission(first)
    assert missing() == "no attached document that permits return speaks of all these vials"
    desk.permission("lot A1")
    assert missing() == ""


# --- back from a ward ------------------------------------------------------------------------------------------


def test_containers_come_back_after_their_bag_was_handed_over(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("labelled")
    pharmacy.clock.forward(minutes=30, seconds=40)
    pharmacy.release(dose_id)
    pharmacy.clock.forward(minutes=30)
    units = tuple(draw["unit_number"] for draw in pharmacy.thread(dose_id).plan["draws"])

    def back(minutes: int) -> Any:
        form = TakeBackForm(units, dose_id, "not given", "Nurse Abara", "", pharmacy.time(minutes))
        return take_back(pharmacy.desk, pharmacy.act("tim"), form)

    fault = one_fault(lambda: back(-31), "done_at", f"Dose {dose_id} was handed over on 02-Mar-2026 08:30")
    assert (fault.rule, fault.section) == ("R55", "8.2")
    # In the very minute of the handing over: a typed time has no seconds.
    back(-30)
    pharmacy.assert_sound()


def test_faults_are_told_at_once(desk: Desk) -> None:
    """No permission, and a form that is empty besides."""
    faults: tuple[Fault, ...] = faults_of(lambda: desk.send_back("", "V000999X"))
    assert [fault.field for fault in faults] == ["unit_numbers", "permission"]
    with pytest.raises(Refused, match=r"No permission is chosen\. Attach the supporter's written permission first"):
        desk.lift(" ", desk.units[0])
