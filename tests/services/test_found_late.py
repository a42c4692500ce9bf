"""Entries made late: what they say of a storage deviation, of places, and of who was there (§ 8.2; RULES R54, R55)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.logger_files import Answers
from pharmacy_app.services.closeout import CloseOutForm, books, close_out
from pharmacy_app.services.corrections import CorrectForm, correct, correctable
from pharmacy_app.services.counts import count_dues
from pharmacy_app.services.disposition import (
    CarrierTyped,
    LossForm,
    ReturnForm,
    find_vials,
    miss_vials,
    return_vials,
)
from pharmacy_app.services.documents import PURPOSES, DocumentForm, attach_document
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.places import ClosePlaceForm, PlaceForm, add_place, close_place
from pharmacy_app.services.receipts import LoggerForm, logger_read
from pharmacy_app.services.stock import (
    PermissionForm,
    QuarantineForm,
    quarantine,
    receive,
    release_shipment,
    release_with_document,
)
from pharmacy_app.services.storage import (
    DecisionForm,
    DeviationForm,
    DeviationRecord,
    ReportForm,
    UpdateForm,
    close_deviation,
    decide_deviation,
    deviation_record,
    record_deviation,
    report_deviation,
    update_deviation,
)
from pharmacy_app.services.transport import TransportForm, transport
from tests.services.pharmacy import Pharmacy

THREE = (LotTyped("1", "A1", "2027-03-31", "3"),)
FIRST = "X000001T"
BY_FIRST = f"storage deviation {FIRST} at Refrigerator 2"


def one_fault(act: Callable[[], object], field: str, words: str) -> Fault:
    """The one fault with which an act is refused, beside its field and in these words."""
    with pytest.raises(Refused) as refused:
        act()
    (fault,) = refused.value.faults
    assert fault.field == field, fault
    assert words in fault.sentence, fault
    return fault


def too_warm(pharmacy: Pharmacy, place: str = "Refrigerator 2", since: int = -60, until: int = -10) -> str:
    """A storage deviation at a place, by hand, from some minutes ago to some minutes ago; its number."""
    form = DeviationForm(
        place,
        "by hand",
        "TH-1",
        pharmacy.day(100),
        pharmacy.time(),
        "Tim Lindqvist",
        "door shut",
        started_at=pharmacy.time(since),
        ended_at=pharmacy.time(until),
        min_temperature="9",
        max_temperature="12",
        answers=Answers(unit="C"),
    )
    event = record_deviation(pharmacy.desk, pharmacy.act("paula"), form)
    pharmacy.clock.forward(minutes=5)
    return str(event.content["deviation_id"])


def tell(pharmacy: Pharmacy, number: str = FIRST) -> None:
    form = ReportForm(number, "Pfizer quality desk", "e-mail", pharmacy.time(), "the report")
    report_deviation(pharmacy.desk, pharmacy.act("paula"), form)


def close(pharmacy: Pharmacy, number: str = FIRST) -> None:
    """Tell the supporter, write cause and action, and close the deviation."""
    tell(pharmacy, number)
    update_deviation(pharmacy.desk, pharmacy.act("paula"), UpdateForm(number, "the door stood open", "a new seal"))
    close_deviation(pharmacy.desk, pharmacy.act("paula"), number, pharmacy.sign("paula"))
    pharmacy.clock.forward(minutes=5)


def found(pharmacy: Pharmacy, number: str = FIRST) -> DeviationRecord:
    with pharmacy.desk.store.read() as reader:
        return deviation_record(pharmacy.desk, reader, number)


def carry(pharmacy: Pharmacy, to: str, *units: str, who: str = "tim", **changes: Any) -> Event:
    return transport(pharmacy.desk, pharmacy.act(who), TransportForm(units, to, "Tim Lindqvist", **changes))


def lift(pharmacy: Pharmacy, permission: str, *units: str, **changes: str) -> Event:
    return release_with_document(pharmacy.desk, pharmacy.act("paula"), PermissionForm(units, permission, **changes))


def take_back(pharmacy: Pharmacy, seq: int, *values: tuple[str, str]) -> Event:
    form = CorrectForm(seq, "a slip", values)
    return correct(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("quentin"))


def lose(pharmacy: Pharmacy, act: Callable[..., Event], *units: str, **changes: str) -> Event:
    form = LossForm(units, "not on its shelf", **changes)
    return act(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("tim"))


def send_back(pharmacy: Pharmacy, *units: str) -> Event:
    carrier = CarrierTyped("UPS", "1Z", "1", "S1", "L1")
    form = ReturnForm(units, pharmacy.permission(), "Depot", "unused", "yes", carrier)
    return return_vials(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))


def two_day_old_letter(pharmacy: Pharmacy, about: str = "") -> str:
    form = DocumentForm(
        "Letter", "supporter's permission", about, "Dr. A. Ito, Pfizer", pharmacy.day(-2), "old.txt", permits=PURPOSES
    )
    event = attach_document(pharmacy.desk, pharmacy.act("paula"), form, b"You may use these vials.")
    return str(event.content["document_id"])


# --- a late transport -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", [False, True])
def test_a_vial_carried_there_before_it_was_too_warm_is_quarantined_with_the_late_entry(
    pharmacy: Pharmacy, closed: bool
) -> None:
    carried, other, _ = pharmacy.stock_up(lots=THREE)
    pharmacy.clock.forward(hours=5)
    too_warm(pharmacy)
    if closed:
        close(pharmacy)
    event = carry(pharmacy, "Refrigerator 2", carried, done_at=pharmacy.time(-180))
    assert (pharmacy.vial(carried).state, pharmacy.vial(carried).place) == ("quarantined", "Refrigerator 2")
    assert pharmacy.vial(carried).hold_reason == BY_FIRST
    assert f"{carried} kept back: {BY_FIRST}" in event.content["line"]["comment"]
    record = found(pharmacy)
    assert [(vial.line.unit_number, vial.line.state_found) for vial in record.vials] == [(carried, "available")]
    # It is open, though it was closed: the supporter has to be told of this vial, and to decide.
    assert record.line.status == "open"
    assert record.unlisted == ()
    assert {"report", "decision", "release or return"} <= set(record.missing)
    pharmacy.enroll("001")
    with pytest.raises(Refused, match="is in quarantine"):
        pharmacy.dose("planned", units=(carried, other))
    pharmacy.assert_sound()


def test_the_deviation_goes_its_whole_way_again_for_the_vial_that_came_to_light(pharmacy: Pharmacy) -> None:
    carried, *_ = pharmacy.stock_up(lots=THREE)
    pharmacy.clock.forward(hours=5)
    too_warm(pharmacy)
    close(pharmacy)
    carry(pharmacy, "Refrigerator 2", carried, done_at=pharmacy.time(-180))
    pharmacy.clock.forward(minutes=5)
    words = {item.name: item.words for item in found(pharmacy).checklist}
    assert f"1 vial came to light since ({carried})" in words["report"]
    with pytest.raises(Refused, match="Still open"):
        close_deviation(pharmacy.desk, pharmacy.act("paula"), FIRST, pharmacy.sign("paula"))
    tell(pharmacy)
    lift(pharmacy, pharmacy.permission(FIRST), carried)
    assert pharmacy.vial(carried).state == "available"
    assert found(pharmacy).missing == ()
    close_deviation(pharmacy.desk, pharmacy.act("paula"), FIRST, pharmacy.sign("paula"))
    assert found(pharmacy).line.status == "closed"
    pharmacy.assert_sound()


@pytest.mark.parametrize(("minutes_ago", "exposed"), [(15, True), (14, False)])
def test_a_vial_that_came_at_the_last_minute_lay_through_it_and_one_that_came_later_did_not(
    pharmacy: Pharmacy, minutes_ago: int, exposed: bool
) -> None:
    carried, *_ = pharmacy.stock_up(lots=THREE)
    pharmacy.clock.forward(hours=5)
    too_warm(pharmacy)  # until 10 minutes before it was recorded, which is 5 minutes ago
    carry(pharmacy, "Refrigerator 2", carried, done_at=pharmacy.time(-minutes_ago))
    assert (pharmacy.vial(carried).state == "quarantined") is exposed
    assert bool(found(pharmacy).vials) is exposed


def test_a_vial_is_named_by_every_deviation_it_lay_through_and_waits_for_a_word_on_each(pharmacy: Pharmacy) -> None:
    carried, *_ = pharmacy.stock_up(lots=THREE)
    pharmacy.clock.forward(hours=9)
    first, second = too_warm(pharmacy, since=-120, until=-90), too_warm(pharmacy, since=-60, until=-30)
    carry(pharmacy, "Refrigerator 2", carried, done_at=pharmacy.time(-200))
    assert [len(found(pharmacy, number).vials) for number in (first, second)] == [1, 1]
    pharmacy.clock.forward(minutes=5)
    with pytest.raises(Refused, match=f"is part of {second} too"):
        lift(pharmacy, pharmacy.permission(first), carried)
    lift(pharmacy, pharmacy.permission(), carried)
    assert pharmacy.vial(carried).state == "available"


def test_a_quarantined_vial_carried_there_late_is_named_and_keeps_its_own_reason(pharmacy: Pharmacy) -> None:
    carried, *_ = pharmacy.receive(lots=THREE, logger_state="alarm")
    pharmacy.clock.forward(hours=5)
    too_warm(pharmacy)
    carry(pharmacy, "Refrigerator 2", carried, done_at=pharmacy.time(-180))
    reason = pharmacy.vial(carried).hold_reason
    assert reason.startswith(f"{BY_FIRST}; the temperature logger shows an alarm")
    pharmacy.clock.forward(minutes=5)
    with pytest.raises(Refused, match="kept back for another reason too"):
        lift(pharmacy, pharmacy.permission(FIRST), carried)


def test_a_letter_from_before_the_late_entry_does_not_know_of_it(pharmacy: Pharmacy) -> None:
    carried, *_ = pharmacy.stock_up(lots=THREE)
    pharmacy.clock.forward(days=1)
    too_warm(pharmacy)
    close(pharmacy)
    pharmacy.clock.forward(days=3)
    # It was carried on the day of the stock's receipt; the letter is of the day after the deviation.
    carry(pharmacy, "Refrigerator 2", carried, done_at=pharmacy.time(-60 * 24 * 4 + 30), late_why="forgotten")
    letter = two_day_old_letter(pharmacy)
    one_fault(lambda: lift(pharmacy, letter, carried), "permission", f"Vial {carried} was taken out of use after that")
    lift(pharmacy, pharmacy.permission(), carried)


def test_a_letter_from_before_a_deviation_does_not_decide_on_it_though_the_vial_was_kept_back_before(
    pharmacy: Pharmacy,
) -> None:
    unit, *_ = pharmacy.receive(lots=THREE, logger_state="alarm")
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((unit,), "looks cloudy"))
    pharmacy.clock.forward(days=2)
    too_warm(pharmacy, "Refrigerator 1")
    letter = two_day_old_letter(pharmacy)
    one_fault(lambda: lift(pharmacy, letter, unit), "permission", f"Vial {unit} was taken out of use after that")
    lift(pharmacy, pharmacy.permission(), unit)


def test_a_transport_that_is_taken_back_leaves_the_vial_where_it_was_too_warm(pharmacy: Pharmacy) -> None:
    away, *_ = pharmacy.stock_up(lots=THREE)
    pharmacy.clock.forward(hours=1)
    slip = carry(pharmacy, "Refrigerator 2", away)
    pharmacy.clock.forward(hours=4)
    number = too_warm(pharmacy, "Refrigerator 1")
    assert away not in {vial.line.unit_number for vial in found(pharmacy, number).vials}
    with pharmacy.desk.store.read() as reader:
        preview = correctable(reader, slip.seq).preview
    assert [(change.old, change.new) for change in preview] == [
        ("Refrigerator 2", "Refrigerator 1"),
        ("available", "quarantined"),
    ]
    take_back(pharmacy, slip.seq)
    vial = pharmacy.vial(away)
    assert (vial.place, vial.state) == ("Refrigerator 1", "quarantined")
    assert vial.hold_reason == f"storage deviation {number} at Refrigerator 1"
    assert away in {each.line.unit_number for each in found(pharmacy, number).vials}
    pharmacy.assert_sound()


def test_a_late_transport_taken_back_brings_the_vial_back_and_leaves_it_in_quarantine(pharmacy: Pharmacy) -> None:
    carried, *_ = pharmacy.stock_up(lots=THREE)
    pharmacy.clock.forward(hours=5)
    too_warm(pharmacy)
    slip = carry(pharmacy, "Refrigerator 2", carried, done_at=pharmacy.time(-180))
    pharmacy.clock.forward(minutes=1)
    take_back(pharmacy, slip.seq)
    vial = pharmacy.vial(carried)
    assert (vial.place, vial.state, vial.hold_reason) == ("Refrigerator 1", "quarantined", BY_FIRST)
    pharmacy.assert_sound()


# --- a late receipt, a late find, a vial that was never away ------------------------------------------------------


@pytest.mark.parametrize("closed", [False, True])
def test_a_shipment_that_lay_there_already_is_held_for_the_deviation(pharmacy: Pharmacy, closed: bool) -> None:
    pharmacy.clock.forward(hours=5)
    too_warm(pharmacy)
    if closed:
        close(pharmacy)
    units = pharmacy.receive("S-1", THREE, place="Refrigerator 2", received_at=pharmacy.time(-120))
    assert {pharmacy.vial(unit).hold_reason for unit in units} == {BY_FIRST}
    pharmacy.clock.forward(minutes=5)
    fault = one_fault(lambda: release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1"), "number", BY_FIRST)
    assert fault.rule == "R54"
    record = found(pharmacy)
    assert [vial.line.unit_number for vial in record.vials] == units
    assert (record.line.status, record.kept_back, record.unlisted) == ("open", 3, ())
    lift(pharmacy, pharmacy.permission(FIRST), *units)
    assert {pharmacy.vial(unit).state for unit in units} == {"available"}
    pharmacy.assert_sound()


def test_nothing_is_decided_of_a_vial_that_never_came(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=5)
    too_warm(pharmacy)
    units = pharmacy.receive("S-1", THREE, place="Refrigerator 2", received_at=pharmacy.time(-120))
    (receipt,) = pharmacy.events("shipment_received")
    take_back(pharmacy, receipt.seq, ("labels.0.never_came", " ".join(units)))
    assert found(pharmacy).missing == ("report", "cause", "action")
    pharmacy.assert_sound()


def test_the_logger_read_later_does_not_make_the_deviation_forgotten(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=5)
    too_warm(pharmacy)
    early = {"place": "Refrigerator 2", "received_at": pharmacy.time(-120)}
    units = pharmacy.receive("S-1", THREE, logger_state="not read", min_celsius="", max_celsius="", **early)
    pharmacy.clock.forward(minutes=5)
    logger_read(pharmacy.desk, pharmacy.act("tim"), LoggerForm("S-1", "TL-77", "no alarm", "3", "6"))
    assert {pharmacy.vial(unit).hold_reason for unit in units} == {BY_FIRST}
    with pytest.raises(Refused, match="storage deviation"):
        release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")


def test_a_vial_found_where_it_was_too_warm_since_is_named(pharmacy: Pharmacy) -> None:
    lost, *_ = pharmacy.stock_up(lots=THREE)
    lose(pharmacy, miss_vials, lost)
    pharmacy.clock.forward(hours=5)
    too_warm(pharmacy)
    lose(pharmacy, find_vials, lost, place="Refrigerator 2", done_at=pharmacy.time(-120))
    assert pharmacy.vial(lost).hold_reason == f"{BY_FIRST}; found after it was missing: not on its shelf"
    assert [vial.line.unit_number for vial in found(pharmacy).vials] == [lost]
    pharmacy.assert_sound()


def test_a_return_that_never_was_opens_the_deviation_again(pharmacy: Pharmacy) -> None:
    sent, *others = pharmacy.stock_up(lots=THREE)
    pharmacy.clock.forward(hours=1)
    slip = send_back(pharmacy, sent)
    pharmacy.clock.forward(hours=3)
    number = too_warm(pharmacy, "Refrigerator 1")
    lift(pharmacy, pharmacy.permission(number), *others)
    close(pharmacy, number)
    take_back(pharmacy, slip.seq)
    assert pharmacy.vial(sent).state == "quarantined"
    record = found(pharmacy, number)
    assert record.line.status == "open"
    assert sent in {vial.line.unit_number for vial in record.vials}
    pharmacy.clock.forward(minutes=5)
    lift(pharmacy, pharmacy.permission(number), sent)
    pharmacy.assert_sound()


# --- a place that was not there yet, or is not there any more -----------------------------------------------------


def test_nothing_lay_in_a_place_before_it_was_added(pharmacy: Pharmacy) -> None:
    unit, other, _ = pharmacy.stock_up(lots=THREE)
    lose(pharmacy, miss_vials, other)
    pharmacy.clock.forward(days=3)
    add_place(pharmacy.desk, pharmacy.act("paula"), PlaceForm("Refrigerator 3", "refrigerator", "Room 2", "yes"))
    pharmacy.clock.forward(days=1)
    late = {"done_at": pharmacy.time(-60 * 24 * 2), "late_why": "forgotten"}
    says = "Refrigerator 3 was added to the study on 05-Mar-2026 08:00"
    one_fault(lambda: carry(pharmacy, "Refrigerator 3", unit, **late), "done_at", says)
    one_fault(lambda: lose(pharmacy, find_vials, other, place="Refrigerator 3", **late), "place", says)
    shipment = pharmacy.shipment(
        "S-2", THREE, place="Refrigerator 3", shipped_on=pharmacy.day(-5), received_at=late["done_at"], late_why="x"
    )
    one_fault(lambda: receive(pharmacy.desk, pharmacy.act("tim"), shipment), "received_at", says)
    # On the minute it was added, and in a place that the study opened with, all of it is possible.
    carry(pharmacy, "Refrigerator 3", unit, done_at="2026-03-05 08:00", late_why="forgotten")
    receive(pharmacy.desk, pharmacy.act("tim"), replace(shipment, place="Refrigerator 2"))


def test_a_vial_is_found_in_a_place_that_is_in_use(pharmacy: Pharmacy) -> None:
    lost, *others = pharmacy.stock_up(lots=THREE)
    carry(pharmacy, "Refrigerator 2", lost)
    pharmacy.clock.forward(minutes=5)
    lose(pharmacy, miss_vials, lost)
    close_place(pharmacy.desk, pharmacy.act("paula"), ClosePlaceForm("Refrigerator 2", "sold"))
    pharmacy.clock.forward(minutes=5)
    one_fault(lambda: lose(pharmacy, find_vials, lost), "place", "Refrigerator 2 was closed since")
    one_fault(lambda: lose(pharmacy, find_vials, lost, place="Refrigerator 2"), "place", "The place: choose")
    event = lose(pharmacy, find_vials, lost, place="Refrigerator 1")
    assert (pharmacy.vial(lost).state, pharmacy.vial(lost).place) == ("quarantined", "Refrigerator 1")
    with pharmacy.desk.store.read() as reader:
        assert [due.place for due in count_dues(pharmacy.desk, reader)] == ["Refrigerator 1"]
    # If it was another vial that was found, this one is missing again.
    pharmacy.clock.forward(minutes=5)
    take_back(pharmacy, event.seq)
    assert pharmacy.vial(lost).state == "missing"
    assert {pharmacy.vial(unit).state for unit in others} == {"available"}
    pharmacy.assert_sound()


def test_a_return_that_never_was_is_taken_back_into_a_place_in_use(pharmacy: Pharmacy) -> None:
    sent, *_ = pharmacy.stock_up(lots=THREE)
    carry(pharmacy, "Refrigerator 2", sent)
    pharmacy.clock.forward(minutes=5)
    slip = send_back(pharmacy, sent)
    add_place(pharmacy.desk, pharmacy.act("paula"), PlaceForm("Shelf Q", "quarantine shelf", "Room 2", "yes"))
    close_place(pharmacy.desk, pharmacy.act("paula"), ClosePlaceForm("Refrigerator 2", "sold"))
    pharmacy.clock.forward(minutes=5)
    with pharmacy.desk.store.read() as reader:
        (field,) = correctable(reader, slip.seq).fields
    assert (field.name, field.options) == ("place", ("Refrigerator 1", "Shelf Q"))
    says = "Refrigerator 2 was closed since, so the vials cannot be there. Choose the place where they are"
    one_fault(lambda: take_back(pharmacy, slip.seq), "place", says)
    one_fault(lambda: take_back(pharmacy, slip.seq, ("place", "Refrigerator 2")), "place", says)
    one_fault(lambda: take_back(pharmacy, slip.seq, ("place", "Shelf Q")), "unit_numbers", "a quarantine shelf")
    take_back(pharmacy, slip.seq, ("place", "Refrigerator 1"))
    assert (pharmacy.vial(sent).state, pharmacy.vial(sent).place) == ("available", "Refrigerator 1")
    with pharmacy.desk.store.read() as reader:
        assert {place.name: place.vials for place in reader.places()} == {
            "Refrigerator 1": 3,
            "Refrigerator 2": 0,
            "Shelf Q": 0,
        }
    pharmacy.assert_sound()


# --- a satellite ----------------------------------------------------------------------------------------------


def test_at_a_satellite_one_person_receives_and_another_releases(pharmacy: Pharmacy) -> None:
    add_place(pharmacy.desk, pharmacy.act("paula"), PlaceForm("Day clinic", "satellite", "Building C", "yes"))
    form = pharmacy.shipment("S-1", THREE, place="Day clinic")
    receive(pharmacy.desk, pharmacy.act("paula"), form)
    says = "Day clinic is a satellite with a record of its own, and Paula Reyes received shipment S-1 there"
    one_fault(lambda: release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1"), "number", says)
    units = [vial.unit_number for vial in pharmacy.vials()]
    one_fault(lambda: lift(pharmacy, pharmacy.permission(), *units), "number", says)
    release_shipment(pharmacy.desk, pharmacy.act("quentin"), "S-1")
    assert {vial.state for vial in pharmacy.vials()} == {"available"}


def test_in_a_refrigerator_one_pharmacist_may_do_both(pharmacy: Pharmacy) -> None:
    receive(pharmacy.desk, pharmacy.act("paula"), pharmacy.shipment("S-1", THREE))
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    assert {vial.state for vial in pharmacy.vials()} == {"available"}


# --- lots and shipments that sound alike ------------------------------------------------------------------------


def test_a_lot_of_both_strengths_is_released_by_strength(pharmacy: Pharmacy) -> None:
    both = (LotTyped("1", "A1", "2027-03-31", "1"), LotTyped("4", "A1", "2027-03-31", "1"))
    small, large = pharmacy.receive("S-1", both, logger_state="alarm")
    with pytest.raises(Refused, match="Lot A1 is here in two strengths"):
        pharmacy.permission("A1")
    permission = pharmacy.permission()
    says = "Lot A1 is here in 1 mg and 4 mg. Choose the strength"
    one_fault(lambda: lift(pharmacy, permission, lot="a1"), "strength_mg", says)
    one_fault(lambda: lift(pharmacy, permission, lot="A1", strength_mg="2"), "strength_mg", "No vial of 2 mg of lot A1")
    assert {vial.state for vial in pharmacy.vials()} == {"held"}
    lift(pharmacy, permission, lot="A1", strength_mg="4")
    assert (pharmacy.vial(small).state, pharmacy.vial(large).state) == ("held", "available")
    # The one that is left is meant without saying so.
    lift(pharmacy, permission, lot="A1")
    assert pharmacy.vial(small).state == "available"


def test_the_supporters_decision_on_a_lot_of_both_strengths_names_the_strength(pharmacy: Pharmacy) -> None:
    both = (LotTyped("1", "A1", "2027-03-31", "1"), LotTyped("4", "A1", "2027-03-31", "1"))
    small, large = pharmacy.stock_up("S-1", both)
    pharmacy.clock.forward(hours=5)
    number = too_warm(pharmacy, "Refrigerator 1")
    document = pharmacy.permission(number)

    def decide(strength_mg: str) -> Event:
        form = DecisionForm(number, (), "may be used", document, "A1", strength_mg=strength_mg)
        return decide_deviation(pharmacy.desk, pharmacy.act("paula"), form)

    one_fault(lambda: decide(""), "strength_mg", "Lot A1 is here in 1 mg and 4 mg")
    decide("1")
    decisions = {vial.line.unit_number: vial.line.decision for vial in found(pharmacy, number).vials}
    assert decisions == {small: "may be used", large: ""}


@pytest.mark.parametrize("number", ["s-1", " S-1 ", "S-1"])
def test_a_shipment_is_received_once_however_its_number_is_typed(pharmacy: Pharmacy, number: str) -> None:
    pharmacy.receive("S-1", THREE)
    form = pharmacy.shipment(number, THREE)
    one_fault(lambda: receive(pharmacy.desk, pharmacy.act("tim"), form), "number", "Shipment S-1 was received already")
    release_shipment(pharmacy.desk, pharmacy.act("paula"), number)
    assert {vial.state for vial in pharmacy.vials()} == {"available"}


def test_the_number_of_a_shipment_stays_as_it_was_typed(pharmacy: Pharmacy) -> None:
    pharmacy.receive("s-1b", THREE)
    with pharmacy.desk.store.read() as reader:
        assert [shipment.number for shipment in reader.shipments()] == ["s-1b"]


# --- closing the books ------------------------------------------------------------------------------------------


def test_the_books_are_not_closed_while_a_logger_was_never_read(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive("S-1", THREE, logger_state="not read", min_celsius="", max_celsius="")
    pharmacy.clock.forward(minutes=5)
    send_back(pharmacy, *units)

    def close_books() -> Event:
        own, monitor = pharmacy.sign("paula"), pharmacy.sign("mona")
        return close_out(pharmacy.desk, pharmacy.act("paula"), CloseOutForm(), own, monitor)

    one_fault(close_books, "", "The temperature logger of shipment S-1 has not been read")
    logger_read(pharmacy.desk, pharmacy.act("tim"), LoggerForm("S-1", "TL-77", "no alarm", "3", "6"))
    close_books()


def test_a_receipt_that_was_a_mistake_has_no_logger_to_read(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive("S-1", THREE, logger_state="not read", min_celsius="", max_celsius="")
    (receipt,) = pharmacy.events("shipment_received")
    take_back(pharmacy, receipt.seq, ("labels.0.never_came", " ".join(units)))
    with pharmacy.desk.store.read() as reader:
        assert books(reader).open_items == ()
