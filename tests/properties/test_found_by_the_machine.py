"""Cases that the machine found or that its model foresaw, each as short as it can be told."""

from decimal import Decimal

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.logger_files import Answers
from pharmacy_app.services.balance import lot_balances
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.disposition import (
    AccountForm,
    LossForm,
    TakeBackForm,
    account_for,
    break_vials,
    take_back,
)
from pharmacy_app.services.expiry import ExpiryForm, expiry_of, extend_expiry
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.printing import print_worksheet
from pharmacy_app.services.stock import PermissionForm, QuarantineForm, quarantine, receive, release_with_document
from pharmacy_app.services.storage import BY_HAND, DeviationForm, record_deviation
from pharmacy_app.services.transport import TransportForm, transport
from tests.services.pharmacy import Pharmacy

SIX = (LotTyped("1", "A1", "2027-03-31", "6"),)


def taken_back(pharmacy: Pharmacy, event: Event, *values: tuple[str, str]) -> Event:
    """Correct an entry, signed by two."""
    form = CorrectForm(event.seq, "a slip", values)
    return correct(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))


def received(pharmacy: Pharmacy) -> tuple[Event, list[str]]:
    """Six vials, held, with the entry of their receipt."""
    event = receive(pharmacy.desk, pharmacy.act("tim"), pharmacy.shipment("S-1", SIX))
    return event, [vial["unit_number"] for vial in event.content["vials"]]


def warm(pharmacy: Pharmacy, place: str, hours: int = 3) -> Event:
    """A place that was too warm for some hours, until now."""
    form = DeviationForm(
        place=place,
        source=BY_HAND,
        logger_serial="TH-1",
        calibration_due="2026-12-31",
        discovered_at=pharmacy.time(),
        discovered_by="Tim Lindqvist",
        done="Door closed.",
        started_at=pharmacy.time(-60 * hours),
        min_temperature="5.0",
        max_temperature="12.0",
        answers=Answers(unit="C"),
    )
    return record_deviation(pharmacy.desk, pharmacy.act("tim"), form)


def named(event: Event) -> list[str]:
    """The vials that a deviation names."""
    return [vial["unit_number"] for vial in event.content["vials"]]


def broken(pharmacy: Pharmacy, unit: str) -> Event:
    """Break a vial before a witness."""
    form = LossForm((unit,), "it fell")
    return break_vials(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))


def accounted(pharmacy: Pharmacy, *units: str) -> Event:
    """The monitor accounts for containers."""
    return account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm(units), pharmacy.sign("mona"))


def test_a_vial_that_never_came_is_neither_received_nor_anywhere(pharmacy: Pharmacy) -> None:
    event, units = received(pharmacy)
    taken_back(pharmacy, event, ("labels.0.never_came", units[5]))
    with pharmacy.desk.store.read() as reader:
        (line,) = lot_balances(reader)
    assert (line.received, line.sum_of_states, line.agrees) == (5, 5, True)
    assert line.of("never received") == 1


def test_a_way_that_was_not_gone_exposes_no_vial(pharmacy: Pharmacy) -> None:
    """Carried to the other refrigerator by mistake and taken back: the vial never lay where it was too warm."""
    _, units = received(pharmacy)
    pharmacy.clock.forward(minutes=30)
    form = TransportForm((units[0],), "Refrigerator 2", "Tim")
    carried = transport(pharmacy.desk, pharmacy.act("tim"), form)
    pharmacy.clock.forward(minutes=30)
    taken_back(pharmacy, carried)
    assert named(warm(pharmacy, "Refrigerator 2")) == []


def test_a_vial_that_never_came_was_exposed_nowhere(pharmacy: Pharmacy) -> None:
    event, units = received(pharmacy)
    pharmacy.clock.forward(minutes=30)
    taken_back(pharmacy, event, ("labels.0.never_came", units[0]))
    assert named(warm(pharmacy, "Refrigerator 1")) == units[1:]


def test_a_container_closed_while_it_counted_as_returned_is_empty_when_the_return_was_a_mistake(
    pharmacy: Pharmacy,
) -> None:
    pharmacy.stock_up("S-1", SIX)
    pharmacy.enroll()
    dose_id = pharmacy.dose("given")
    first, second = (line.unit_number for line in pharmacy.thread(dose_id).mg)
    form = TakeBackForm((first, second), dose_id, "thought so", "Nurse Abara")
    back = take_back(pharmacy.desk, pharmacy.act("tim"), form)
    # Of the second vial 0.44 mg are left in it, more than the 0.1 mg that cannot be drawn.
    pharmacy.close(dose_id, [("0.1", "0"), ("0.44", "0")])
    taken_back(pharmacy, back)
    assert [pharmacy.vial(unit).state for unit in (first, second)] == ["empty", "partial"]
    accounted(pharmacy, first, second)
    pharmacy.assert_sound()


def test_a_container_not_closed_yet_is_open_again_when_its_return_was_a_mistake(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up("S-1", SIX)
    pharmacy.enroll()
    dose_id = pharmacy.dose("given")
    (first, _) = (line.unit_number for line in pharmacy.thread(dose_id).mg)
    form = TakeBackForm((first,), dose_id, "thought so", "Nurse Abara")
    taken_back(pharmacy, take_back(pharmacy.desk, pharmacy.act("tim"), form))
    assert pharmacy.vial(first).state == "opened"
    pharmacy.close(dose_id)


def test_what_a_late_receipt_kept_back_for_a_deviation_stays_so_for_its_reason(pharmacy: Pharmacy) -> None:
    number = str(warm(pharmacy, "Refrigerator 1").content["deviation_id"])
    form = pharmacy.shipment("S-1", SIX, received_at=pharmacy.time(-60))
    event = receive(pharmacy.desk, pharmacy.act("tim"), form)
    units = [vial["unit_number"] for vial in event.content["vials"]]
    assert [vial["unit_number"] for vial in event.content["exposed"]] == units
    taken_back(pharmacy, broken(pharmacy, units[0]))
    vial = pharmacy.vial(units[0])
    assert (vial.state, vial.hold_reason) == ("quarantined", f"storage deviation {number} at Refrigerator 1")


def test_a_vial_that_went_to_another_dose_is_not_mixed_for_its_first(pharmacy: Pharmacy) -> None:
    """Reserved, quarantined, permitted again and reserved anew: the first dose has one vial too few."""
    units = pharmacy.stock_up("S-1", SIX)
    pharmacy.enroll("001")
    pharmacy.enroll("002")
    first = pharmacy.dose("worksheet", "001", units=(units[0], units[1]))
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((units[1],), "looks cloudy"))
    form = PermissionForm((units[1],), pharmacy.permission())
    release_with_document(pharmacy.desk, pharmacy.act("paula"), form)
    second = pharmacy.dose("worksheet", "002", units=(units[1], units[2]))
    with pytest.raises(Refused) as refused:
        pharmacy.prepare(first)
    (fault,) = refused.value.faults
    assert fault.field == "unit_number"
    assert f"Vial {units[1]} of the plan is dose {second}'s by now" in fault.sentence
    pharmacy.prepare(second)
    pharmacy.cancel(first)
    assert pharmacy.vial(units[0]).state == "available"
    print_worksheet(pharmacy.desk, pharmacy.act("paula"), second, "lost")
    pharmacy.assert_sound()


def test_a_lot_whose_expiry_was_extended_keeps_it_when_a_vial_of_it_never_came(pharmacy: Pharmacy) -> None:
    event, units = received(pharmacy)
    form = ExpiryForm("1", "A1", "2027-06-30", pharmacy.permission())
    extend_expiry(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))
    taken_back(pharmacy, event, ("labels.0.never_came", units[5]))
    with pharmacy.desk.store.read() as reader:
        assert str(expiry_of(reader, Decimal(1), "A1")) == "2027-06-30"
    assert str(pharmacy.vial(units[0]).expires_on) == "2027-06-30"
    pharmacy.assert_sound()


def test_a_vial_that_was_handled_came_whichever_entry_is_corrected(pharmacy: Pharmacy) -> None:
    """Quarantined: it came, by the receipt's correction too. Once the quarantine is taken back it may never have."""
    event, units = received(pharmacy)
    pharmacy.clock.forward(minutes=30)
    other = taken_back(pharmacy, event, ("labels.0.never_came", units[5]))
    moved = quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((units[0],), "looks cloudy"))
    never = ("labels.0.never_came", f"{units[5]} {units[0]}")
    with pytest.raises(Refused, match="A vial that was handled came"):
        taken_back(pharmacy, other, never)
    taken_back(pharmacy, moved)
    taken_back(pharmacy, other, never)
    assert pharmacy.vial(units[0]).state == "never received"
    pharmacy.assert_sound()


def test_an_accountability_that_was_done_anew_is_not_taken_back_by_the_first_entry(pharmacy: Pharmacy) -> None:
    _, units = received(pharmacy)
    fell = broken(pharmacy, units[0])
    first = accounted(pharmacy, units[0])
    taken_back(pharmacy, fell)
    broken(pharmacy, units[0])
    second = accounted(pharmacy, units[0])
    mona, own = pharmacy.act("mona"), pharmacy.sign("mona")
    with pytest.raises(Refused, match=f"accounted for anew in entry {second.seq}"):
        correct(pharmacy.desk, mona, CorrectForm(first.seq, "a slip"), own)
    assert pharmacy.vial(units[0]).accounted_by == "Mona Sorensen"
    correct(pharmacy.desk, pharmacy.act("mona"), CorrectForm(second.seq, "a slip"), own)
    assert pharmacy.vial(units[0]).accounted_by == ""


def test_a_correction_that_changes_nothing_is_none_however_it_is_typed(pharmacy: Pharmacy) -> None:
    event, units = received(pharmacy)
    gone = taken_back(pharmacy, event, ("labels.0.never_came", units[5]))
    with pytest.raises(Refused, match="Nothing is changed"):
        taken_back(pharmacy, gone, ("labels.0.never_came", f"{units[5]} {units[5]}"))
    pharmacy.stock_up("S-2", SIX)
    pharmacy.enroll()
    dose_id = pharmacy.dose("given")
    closed = pharmacy.close(dose_id)
    unit = pharmacy.thread(dose_id).mg[0].unit_number
    with pytest.raises(Refused, match="Nothing is changed"):
        taken_back(pharmacy, closed, (f"residue_mg.{unit}", "0.10"))
