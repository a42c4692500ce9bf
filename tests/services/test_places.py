"""Places and transport: where vials may lie, how they get there, and a record of each place (A-06, A-14, A-22)."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from labels.reports.accountability import accountability_record
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services import printing
from pharmacy_app.services.disposition import LossForm, miss_vials
from pharmacy_app.services.doses import CancelForm, cancel
from pharmacy_app.services.papers import AccountabilityHeader, AccountabilityLine
from pharmacy_app.services.places import ClosePlaceForm, PlaceForm, add_place, close_place
from pharmacy_app.services.ports import LedgerFilter
from pharmacy_app.services.printing import RecordForm, print_accountability_record
from pharmacy_app.services.stock import QuarantineForm, quarantine, receive, release_shipment
from pharmacy_app.services.transport import TransportForm, transport
from tests.services.pharmacy import Pharmacy, StubPapers


def faults_of(act: Callable[[], object]) -> tuple[Fault, ...]:
    """The faults with which an act is refused."""
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.faults


def one_fault(act: Callable[[], object], field: str, words: str) -> None:
    """The one fault with which an act is refused, beside its field and in these words."""
    (fault,) = faults_of(act)
    assert fault.field == field, fault
    assert words in fault.sentence, fault


class House:
    """A pharmacy with ten 1 mg vials in Refrigerator 1, a quarantine shelf and a satellite."""

    def __init__(self, pharmacy: Pharmacy) -> None:
        self.pharmacy = pharmacy
        self.units = tuple(pharmacy.stock_up())
        self.add("Shelf Q", "quarantine shelf", "Room 2.114")
        self.add("Day clinic", "satellite", "Building C, 4 West")

    def add(self, name: str, kind: str = "refrigerator", room: str = "Room 1", apart: str = "yes") -> Any:
        return add_place(self.pharmacy.desk, self.pharmacy.act("paula"), PlaceForm(name, kind, room, apart))

    def close(self, name: str, why: str = "sold") -> Any:
        return close_place(self.pharmacy.desk, self.pharmacy.act("paula"), ClosePlaceForm(name, why))

    def carry(self, units: tuple[str, ...], to: str, who: str = "tim", receiver: str = "", **changes: Any) -> Any:
        form = TransportForm(units, to, "Tim Lindqvist", **changes)
        signed = self.pharmacy.sign(receiver) if receiver else None
        return transport(self.pharmacy.desk, self.pharmacy.act(who), form, signed)

    def quarantine(self, *units: str) -> None:
        quarantine(self.pharmacy.desk, self.pharmacy.act("tim"), QuarantineForm(units, "door stood open"))

    def lines(self, **wanted: Any) -> list[tuple[str, str, int, int, int]]:
        """Transaction, place, vials, available and in quarantine after it."""
        with self.pharmacy.desk.store.read() as reader:
            lines = list(reader.whole_ledger(LedgerFilter(strength_mg=Decimal(1), record_only=True, **wanted)))
        return [
            (each.transaction, each.place, each.quantity, each.balance_available, each.balance_quarantine)
            for each in lines
        ]

    def held(self) -> dict[str, int]:
        """Vials and containers on site at each place."""
        with self.pharmacy.desk.store.read() as reader:
            return {place.name: place.vials for place in reader.places()}


@pytest.fixture
def house(pharmacy: Pharmacy) -> House:
    return House(pharmacy)


# --- places ----------------------------------------------------------------------------------------------------


def test_the_places_of_the_set_up_are_refrigerators_and_new_ones_join_them(house: House) -> None:
    with house.pharmacy.desk.store.read() as reader:
        places, site = reader.places(), reader.site()
    assert [(place.name, place.kind, place.room) for place in places] == [
        ("Refrigerator 1", "refrigerator", ""),
        ("Refrigerator 2", "refrigerator", ""),
        ("Shelf Q", "quarantine shelf", "Room 2.114"),
        ("Day clinic", "satellite", "Building C, 4 West"),
    ]
    assert site is not None
    assert site.places == ("Refrigerator 1", "Refrigerator 2", "Shelf Q", "Day clinic")
    assert house.held() == {"Refrigerator 1": 10, "Refrigerator 2": 0, "Shelf Q": 0, "Day clinic": 0}
    house.pharmacy.assert_sound()


@pytest.mark.parametrize("apart", ["no", "", "perhaps"])
def test_a_place_shared_with_commercial_stock_is_refused(house: House, apart: str) -> None:
    one_fault(lambda: house.add("Refrigerator 3", apart=apart), "commercial_apart", "apart from commercial stock")
    assert "Refrigerator 3" not in house.held()


def test_all_faults_of_a_new_place_come_at_once(house: House) -> None:
    faults = faults_of(lambda: house.add(" ", "cupboard", "", "no"))
    assert [fault.field for fault in faults] == ["name", "kind", "room", "commercial_apart"]
    house.add("x" * 40)
    one_fault(lambda: house.add("x" * 41), "name", "longer than 40 characters")


def test_a_name_is_given_once_capitals_and_blanks_or_not(house: House) -> None:
    one_fault(lambda: house.add("  refrigerator   1 "), "name", "There is a place Refrigerator 1 already")
    house.close("Refrigerator 2")
    one_fault(lambda: house.add("Refrigerator 2"), "name", "Refrigerator 2 was closed. Choose another name")


def test_a_place_is_closed_only_when_it_is_empty(house: House) -> None:
    house.carry(house.units[:1], "Refrigerator 2")
    one_fault(lambda: house.close("Refrigerator 2"), "name", "1 vial or container lies in Refrigerator 2")
    house.carry(house.units[:1], "Refrigerator 1")
    event = house.close("Refrigerator 2", "broken for good")
    assert event.why == "broken for good"
    with house.pharmacy.desk.store.read() as reader:
        site = reader.site()
    assert site is not None
    assert site.places == ("Refrigerator 1", "Shelf Q", "Day clinic")
    one_fault(lambda: house.close("Refrigerator 2"), "name", "was closed on 02-Mar-2026 by Paula Reyes")
    one_fault(lambda: house.carry(house.units[:1], "Refrigerator 2"), "to_place", "The new place: choose")
    house.pharmacy.assert_sound()


def test_a_closed_place_receives_nothing_more(house: House) -> None:
    house.close("Refrigerator 2")
    form = house.pharmacy.shipment("S-2", place="Refrigerator 2")
    tim = house.pharmacy.act("tim")
    one_fault(lambda: receive(house.pharmacy.desk, tim, form), "place", "The storage place: choose")


def test_a_missing_vial_does_not_keep_its_place_open(house: House) -> None:
    house.carry(house.units[:1], "Refrigerator 2")
    pharmacy = house.pharmacy
    form = LossForm(house.units[:1], "searched everywhere")
    miss_vials(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))
    house.close("Refrigerator 2")


def test_the_last_refrigerator_stays_and_a_place_that_never_was_is_said(house: House) -> None:
    house.close("Refrigerator 2")
    house.add("Refrigerator 3")
    house.carry(house.units, "Refrigerator 3")
    house.close("Refrigerator 1")
    house.carry(house.units, "Day clinic", receiver="carla")
    one_fault(lambda: house.close("Refrigerator 3"), "name", "the last refrigerator in use")
    one_fault(lambda: house.close("Refrigerator 9"), "name", "There is no place Refrigerator 9")
    faults = faults_of(lambda: house.close("Shelf Q", " "))
    assert [fault.field for fault in faults] == ["why"]


# --- transport -------------------------------------------------------------------------------------------------


def test_a_transport_leaves_one_place_and_comes_to_the_other(house: House) -> None:
    event = house.carry(house.units[:3], "Refrigerator 2", container="at 2–8 °C")
    assert event.kind == "vials_transported"
    assert event.signatures == ()
    assert house.pharmacy.vial(house.units[0]).place == "Refrigerator 2"
    assert house.pharmacy.vial(house.units[0]).state == "available"
    # Of the strength nothing has changed after both lines; of each place the balance is its own.
    assert house.lines()[-2:] == [
        ("TRANSPORT-OUT", "Refrigerator 1", 3, 7, 0),
        ("TRANSPORT-IN", "Refrigerator 2", 3, 10, 0),
    ]
    assert house.lines(place="Refrigerator 1") == [
        ("RECEIVE", "Refrigerator 1", 10, 0, 10),
        ("RELEASE", "Refrigerator 1", 10, 10, 0),
        ("TRANSPORT-OUT", "Refrigerator 1", 3, 7, 0),
    ]
    assert house.lines(place="Refrigerator 2") == [("TRANSPORT-IN", "Refrigerator 2", 3, 3, 0)]
    with house.pharmacy.desk.store.read() as reader:
        life = reader.vial_life(house.units[0])
    assert life is not None
    assert [(line.move, line.place) for line in life.lines[-2:]] == [
        ("transport", "Refrigerator 1"),
        ("transport", "Refrigerator 2"),
    ]
    assert {line.counterparty for line in life.lines[-2:]} == {"Refrigerator 1 → Refrigerator 2"}
    assert life.lines[-1].comment == "carried by Tim Lindqvist; at 2–8 °C"
    house.pharmacy.assert_sound()


def test_vials_of_two_places_in_one_act_keep_a_pair_of_lines_each(house: House) -> None:
    house.carry(house.units[:2], "Refrigerator 2")
    house.carry((house.units[0], house.units[9]), "Day clinic", receiver="carla")
    pairs = [(transaction, place, vials) for transaction, place, vials, _, _ in house.lines()[-3:]]
    # Each pair agrees: what left the two refrigerators is what came to the day clinic.
    assert pairs == [
        ("TRANSPORT-OUT", "Refrigerator 2", 1),
        ("TRANSPORT-IN", "Day clinic", 2),
        ("TRANSPORT-OUT", "Refrigerator 1", 1),
    ]
    assert house.held() == {"Refrigerator 1": 7, "Refrigerator 2": 1, "Shelf Q": 0, "Day clinic": 2}
    house.pharmacy.assert_sound()


def test_nothing_usable_is_put_on_the_quarantine_shelf(house: House) -> None:
    one_fault(
        lambda: house.carry(house.units[:1], "Shelf Q"), "unit_numbers", "is available. Only held and quarantined"
    )
    house.quarantine(house.units[0])
    house.carry(house.units[:1], "Shelf Q")
    held = house.pharmacy.receive("S-2")
    house.carry((held[0],), "Shelf Q")
    assert house.held()["Shelf Q"] == 2


def test_a_vial_on_the_quarantine_shelf_is_released_from_a_refrigerator_only(house: House) -> None:
    held = tuple(house.pharmacy.receive("S-2"))
    house.carry(held[:1], "Shelf Q")
    (fault,) = faults_of(lambda: release_shipment(house.pharmacy.desk, house.pharmacy.act("paula"), "S-2"))
    assert fault.sentence == (
        f"Vial {held[0]} lies on Shelf Q, a quarantine shelf. Move it to a refrigerator first, then make it available."
    )
    house.carry(held[:1], "Refrigerator 1")
    release_shipment(house.pharmacy.desk, house.pharmacy.act("paula"), "S-2")
    assert house.pharmacy.vial(held[0]).state == "available"
    house.pharmacy.assert_sound()


def test_a_held_vial_on_the_shelf_may_be_quarantined_there(house: House) -> None:
    held = tuple(house.pharmacy.receive("S-2"))
    house.carry(held[:1], "Shelf Q")
    house.quarantine(held[0])
    assert house.pharmacy.vial(held[0]).state == "quarantined"


def test_a_reserved_vial_goes_with_its_dose(house: House) -> None:
    house.pharmacy.enroll()
    dose_id = house.pharmacy.dose("planned")
    reserved = house.pharmacy.thread(dose_id).vials[0].unit_number
    (fault,) = faults_of(lambda: house.carry((reserved,), "Refrigerator 2"))
    assert f"Vial {reserved} is reserved" in fault.sentence
    assert "a reserved or opened one stays with its dose" in fault.sentence
    cancel(house.pharmacy.desk, house.pharmacy.act("paula"), CancelForm(dose_id, "ill"))
    house.carry((reserved,), "Refrigerator 2")


def test_a_vial_that_lies_there_already_is_taken_off_the_list(house: House) -> None:
    one_fault(lambda: house.carry(house.units[:1], "Refrigerator 1"), "unit_numbers", "lies in Refrigerator 1 already")
    faults = faults_of(lambda: house.carry((), "nowhere"))
    assert [fault.field for fault in faults] == ["to_place", "unit_numbers"]
    no_vial = numbered("V", 999)
    one_fault(lambda: house.carry((no_vial,), "Refrigerator 2"), "unit_numbers", f"There is no vial {no_vial}")
    assert house.held()["Refrigerator 1"] == 10


@pytest.mark.parametrize("way", ["there", "back"])
def test_at_a_satellite_another_person_signs_and_no_third_party_carries(house: House, way: str) -> None:
    units, to = house.units[:2], "Day clinic"
    if way == "back":
        house.carry(units, to, receiver="carla")
        to = "Refrigerator 1"
    one_fault(lambda: house.carry(units, to), "witness_user_name", "a second person signs the receipt")
    one_fault(lambda: house.carry(units, to, receiver="tim"), "witness_user_name", "The second person is another one")
    one_fault(
        lambda: house.carry(units, to, receiver="carla", carrier="third-party carrier"), "carrier", "it is a satellite"
    )
    with pytest.raises(Refused, match="Mona Sorensen is signed in as monitor"):
        house.carry(units, to, receiver="mona")
    event = house.carry(units, to, receiver="carla")
    assert [(each.printed_name, each.meaning) for each in event.signatures] == [
        ("Carla Okafor", "received at the place")
    ]
    with house.pharmacy.desk.store.read() as reader:
        life = reader.vial_life(units[0])
    assert life is not None
    assert (life.lines[-1].recorder, life.lines[-1].verifier) == ("Tim Lindqvist", "Carla Okafor")
    house.pharmacy.assert_sound()


def test_in_the_house_a_third_party_may_carry_and_it_stands_on_the_line(house: House) -> None:
    event = house.carry(house.units[:1], "Refrigerator 2", carrier="third-party carrier", note="moved house")
    assert event.content["line"]["comment"] == (
        "carried by Tim Lindqvist, third-party carrier; temperature on the way not noted; moved house"
    )


def test_a_transport_of_an_earlier_day_is_a_late_entry(house: House) -> None:
    yesterday = house.pharmacy.time()
    house.pharmacy.clock.forward(days=1)
    one_fault(
        lambda: house.carry(house.units[:1], "Refrigerator 2", done_at=yesterday), "late_why", "Say why it is late"
    )
    event = house.carry(house.units[:1], "Refrigerator 2", done_at=yesterday, late_why="PC was down")
    assert event.marks == ("late entry",)
    faults = faults_of(
        lambda: house.carry(
            house.units[1:2], "Refrigerator 2", done_at="2026-03-02 07:59", late_why="before it was released"
        )
    )
    assert {fault.field for fault in faults} == {"done_at"}
    house.pharmacy.assert_sound()


# --- the record of a place -------------------------------------------------------------------------------------


class Kept(StubPapers):
    """Keeps what the last accountability record was told."""

    header: AccountabilityHeader
    lines: list[AccountabilityLine]
    totals: tuple[tuple[str, int], ...]

    def accountability_record(self, header: Any, lines: Any, totals: Any, stamp: Any) -> bytes:
        self.header, self.lines, self.totals = header, list(lines), totals
        return super().accountability_record(header, self.lines, totals, stamp)


def printed(pharmacy: Pharmacy, form: RecordForm) -> Kept:
    """The record as its paper was told, and checked as the paper itself checks it."""
    kept = Kept()
    desk = replace(pharmacy.desk, papers=kept)
    print_accountability_record(desk, pharmacy.act("mona"), form)
    with pharmacy.desk.store.read() as reader:
        moment = pharmacy.clock()
        accountability_record(kept.header, kept.lines, kept.totals, printing.stamp_of(desk, reader, "Mona", moment))
    return kept


@pytest.fixture
def spread(house: House) -> House:
    """Ten vials: three went to Refrigerator 2, two of these on to the satellite, one of which came back again."""
    house.carry(house.units[:3], "Refrigerator 2")
    house.carry(house.units[:2], "Day clinic", receiver="carla")
    house.carry(house.units[:1], "Refrigerator 1", receiver="carla")
    return house


def test_the_record_of_a_strength_covers_every_place_and_says_so(spread: House) -> None:
    kept = printed(spread.pharmacy, RecordForm("1"))
    assert kept.header.record_type == "Control and satellite records together"
    assert len(kept.lines) == 8
    assert (kept.lines[-1].balances.available, kept.lines[-1].balances.on_site) == (10, 10)
    assert kept.totals == (("Received", 10), ("Available", 10))


def test_the_record_of_a_satellite_is_its_own(spread: House) -> None:
    kept = printed(spread.pharmacy, RecordForm("1", place="Day clinic"))
    assert kept.header.record_type == "Satellite record"
    assert kept.header.storage_location == "Day clinic (Building C, 4 West)"
    assert [
        (line.transaction, line.party, line.qty_in, line.qty_out, line.balances.on_site) for line in kept.lines
    ] == [
        ("TRANSPORT-IN", "Refrigerator 2 → Day clinic", 2, 0, 2),
        ("TRANSPORT-OUT", "Day clinic → Refrigerator 1", 0, 1, 1),
    ]
    # Two came, one went on: one is there.
    assert kept.totals == (("Received or brought here", 2), ("Available", 1), ("Carried away", 1))


def test_the_control_record_leaves_the_satellites_out(spread: House) -> None:
    kept = printed(spread.pharmacy, RecordForm("1", control=True))
    assert kept.header.record_type == "Control record"
    assert kept.header.storage_location == "Refrigerator 1, Refrigerator 2, Shelf Q (Room 2.114)"
    assert [line.balances.on_site for line in kept.lines] == [10, 10, 7, 10, 8, 9]
    # Ten received and one that came back; two went out. What moved between the refrigerators neither came nor went.
    assert kept.totals == (("Received or brought here", 11), ("Available", 9), ("Carried away", 2))


def test_a_record_may_be_of_one_place_and_one_lot(spread: House) -> None:
    kept = printed(spread.pharmacy, RecordForm("1", "A1", "Refrigerator 2"))
    assert kept.header.record_type == "Control record"
    assert kept.totals == (("Received or brought here", 3), ("Available", 1), ("Carried away", 2))
    one_fault(lambda: printed(spread.pharmacy, RecordForm("1", place="Attic")), "place", "There is no place Attic")


def test_without_satellites_the_whole_is_the_control_record(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    assert printed(pharmacy, RecordForm("1")).header.record_type == "Control record"
