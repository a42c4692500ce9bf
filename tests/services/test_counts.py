"""Physical counts: blind, signed by two, by scan or by number; a difference is explained and signed by two.

The usual shelf is shipment S-1: ten 1 mg vials of lot A1 in Refrigerator 1. Expected differences are counted by hand.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from labels import proof
from labels.papers import PdfPapers
from pharmacy_app.domain.counts import CONTAINERS, VIALS
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services import views
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.counts import (
    CountBegun,
    CountForm,
    DiscrepancyForm,
    ExplainForm,
    LotCounted,
    Scanned,
    begin_count,
    count_dues,
    explain_discrepancy,
    look_up,
    open_discrepancy,
    print_count,
    record_count,
)
from pharmacy_app.services.disposition import (
    LossForm,
    ReturnForm,
    break_vials,
    find_vials,
    miss_vials,
    return_vials,
)
from pharmacy_app.services.packing_list import LotTyped as Lot
from pharmacy_app.services.questions import today
from pharmacy_app.services.stock import QuarantineForm, quarantine
from pharmacy_app.services.transport import TransportForm, transport
from tests.services.leaving import CARRIER, faults_of, one_fault, permission
from tests.services.pharmacy import MONDAY, Pharmacy

ONE = Decimal(1)
N1, N2 = numbered("N", 1), numbered("N", 2)
Q1, Q2 = numbered("Q", 1), numbered("Q", 2)
TODAY = date(2026, 3, 2)
FRIDGE, OTHER = "Refrigerator 1", "Refrigerator 2"


def begin(pharmacy: Pharmacy, strength: str = "", what: str = VIALS) -> CountBegun:
    """What the page is given when a count begins."""
    with pharmacy.desk.store.read() as reader:
        return begin_count(reader, strength, what)


def by_scan(pharmacy: Pharmacy, *codes: str, **changes: Any) -> CountForm:
    """A count by scan, begun now."""
    return replace(CountForm(FRIDGE, begin(pharmacy).begun_seq, codes=codes), **changes)


def by_number(pharmacy: Pharmacy, *lots: LotCounted, **changes: Any) -> CountForm:
    """A count by number, begun now."""
    return replace(CountForm(FRIDGE, begin(pharmacy).begun_seq, method="number", lots=lots), **changes)


def hand_in(pharmacy: Pharmacy, form: CountForm, who: str = "tim", second: str = "carla") -> Event:
    """Hand a count in, signed by two."""
    return record_count(pharmacy.desk, pharmacy.act(who), form, pharmacy.sign(who), pharmacy.sign(second))


def counted(pharmacy: Pharmacy, number: str = N1) -> views.StockCount:
    """A count of the record."""
    with pharmacy.desk.store.read() as reader:
        found = reader.stock_count(number)
    assert found is not None
    return found


def open_ones(pharmacy: Pharmacy) -> list[views.Discrepancy]:
    """The discrepancies that are open."""
    with pharmacy.desk.store.read() as reader:
        return list(reader.discrepancies(status="open"))


def explain(pharmacy: Pharmacy, number: str, outcome: str = "found miscounted", **who: str) -> Event:
    """Explain a discrepancy."""
    own, second = who.get("who", "paula"), who.get("second", "carla")
    form = ExplainForm(number, outcome, "Counted again together.")
    return explain_discrepancy(pharmacy.desk, pharmacy.act(own), form, pharmacy.sign(own), pharmacy.sign(second))


@pytest.fixture
def units(pharmacy: Pharmacy) -> list[str]:
    """Ten released vials of lot A1, kit numbers K01 to K10."""
    kits = tuple(f"K{number:02d}" for number in range(1, 11))
    return pharmacy.stock_up(lots=(Lot("1", "A1", "2027-03-31", "10", kits),))


# --- blind -----------------------------------------------------------------------------------------------------


def test_what_a_page_is_given_before_the_handing_in_holds_no_number_and_no_place(pharmacy: Pharmacy) -> None:
    """Lots of every place are named, so that their presence tells nothing of one shelf, and none has a number."""
    pharmacy.stock_up(lots=(Lot("1", "A1", "2027-03-31", "7"),))
    pharmacy.stock_up("S-2", (Lot("4", "B7", "2027-06", "3"),))
    begun = begin(pharmacy)
    assert {field.name for field in fields(CountBegun)} == {"begun_seq", "lots"}
    assert [(lot.strength_mg, lot.lot) for lot in begun.lots] == [(ONE, "A1"), (Decimal(4), "B7")]
    assert not any("7" in repr(lot.strength_mg) or hasattr(lot, "vials") for lot in begun.lots)
    assert {field.name for field in fields(Scanned)} == {
        "code",
        "unit_number",
        "strength_mg",
        "lot",
        "expires_on",
        "unknown",
    }


def test_a_scan_is_answered_alike_wherever_the_record_has_the_vial(pharmacy: Pharmacy, units: list[str]) -> None:
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((units[1],), "warm"))
    miss_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((units[2],), "gone"), *_signs(pharmacy))
    with pharmacy.desk.store.read() as reader:
        answers = [look_up(reader, unit, TODAY) for unit in units[:3]]
    assert [replace(answer, code="", unit_number="") for answer in answers] == [
        Scanned("", "", ONE, "A1", date(2027, 3, 31))
    ] * 3


def _signs(pharmacy: Pharmacy) -> tuple[Any, Any]:
    return pharmacy.sign("tim"), pharmacy.sign("carla")


# --- by scan ---------------------------------------------------------------------------------------------------


def test_a_count_of_every_vial_agrees_and_opens_nothing(pharmacy: Pharmacy, units: list[str]) -> None:
    event = hand_in(pharmacy, by_scan(pharmacy, *units))
    assert (event.content["count_number"], event.content["discrepancy"]) == (N1, "")
    assert [signature.meaning for signature in event.signatures] == ["counted", "counted again and verified"]
    count = counted(pharmacy)
    (line,) = count.lines
    assert (line.expected, line.counted, line.difference, line.agrees) == (10, 10, 0, True)
    assert (count.counted_by, count.verified_by, count.place) == ("Tim Lindqvist", "Carla Okafor", FRIDGE)
    assert open_ones(pharmacy) == []
    pharmacy.assert_sound()


def test_a_missing_vial_is_named_and_opens_a_discrepancy_in_the_same_act(pharmacy: Pharmacy, units: list[str]) -> None:
    before = pharmacy.count()
    event = hand_in(pharmacy, by_scan(pharmacy, *units[:9]))
    assert pharmacy.count() == before + 1
    assert event.content["discrepancy"] == Q1
    (line,) = counted(pharmacy).lines
    assert (line.expected, line.counted, line.difference, line.missing) == (10, 9, -1, (units[9],))
    (found,) = open_ones(pharmacy)
    assert (found.number, found.count_number, found.place) == (Q1, N1, FRIDGE)
    assert found.sentence == f"1 mg lot A1, vials: expected 10, counted 9 (−1), missing {units[9]}."
    # The count itself moves nothing.
    assert pharmacy.vial(units[9]).state == "available"
    pharmacy.assert_sound()


@pytest.mark.parametrize("again", ["unit", "kit", "symbol", "small letters"])
def test_the_same_vial_twice_is_refused_by_whichever_of_its_numbers(
    pharmacy: Pharmacy, units: list[str], again: str
) -> None:
    second = {"unit": units[0], "kit": "K01", "symbol": f"91{units[0]}", "small letters": units[0].lower()}[again]
    with pharmacy.desk.store.read() as reader:
        one_fault(
            lambda: look_up(reader, second, TODAY, "", (units[0],)),
            "code",
            f"Vial {units[0]} (kit K01) was scanned already.",
        )
    one_fault(lambda: hand_in(pharmacy, by_scan(pharmacy, units[0], second)), "code", "was scanned already")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("0104012345678901", "the code of a product (GTIN 04012345678901)"),
        (numbered("V", 900), "There is no vial"),
        ("V0000019", "misread"),
        ("10217034Ä中", "is not a number of ours"),
    ],
)
def test_an_unknown_code_is_kept_as_text_and_opens_a_discrepancy(
    pharmacy: Pharmacy, units: list[str], code: str, why: str
) -> None:
    with pharmacy.desk.store.read() as reader:
        scanned = look_up(reader, code, TODAY)
    assert scanned.code == code
    assert why in scanned.unknown
    hand_in(pharmacy, by_scan(pharmacy, *units, code))
    count = counted(pharmacy)
    assert count.unknown == (code,)
    assert (count.lines[0].difference, count.discrepancy) == (0, Q1)
    assert open_ones(pharmacy)[0].sentence == f"“{code}” is no vial of this record."


def test_a_separator_in_a_foreign_symbol_is_written_out_so_that_it_is_not_lost(
    pharmacy: Pharmacy, units: list[str]
) -> None:
    hand_in(pharmacy, by_scan(pharmacy, *units, "10A1\x1d1727"))
    assert counted(pharmacy).unknown == ("10A1<1D>1727",)


def test_two_bottles_with_the_same_foreign_code_are_both_kept(pharmacy: Pharmacy, units: list[str]) -> None:
    hand_in(pharmacy, by_scan(pharmacy, *units, "4711", "4711"))
    assert counted(pharmacy).unknown == ("4711", "4711")


def test_an_endless_code_is_refused(pharmacy: Pharmacy, units: list[str]) -> None:
    one_fault(lambda: hand_in(pharmacy, by_scan(pharmacy, *units, "x" * 201)), "codes", "longer than any code")
    hand_in(pharmacy, by_scan(pharmacy, *units, "x" * 200))


def test_a_vial_of_another_place_is_kept_as_found_here(pharmacy: Pharmacy, units: list[str]) -> None:
    (stray,) = pharmacy.receive("S-2", (Lot("4", "B7", "2027-06", "1"),), place=OTHER)
    hand_in(pharmacy, by_scan(pharmacy, *units, stray))
    count = counted(pharmacy)
    assert [(line.lot, line.expected, line.counted, line.unexpected) for line in count.lines] == [
        ("A1", 10, 10, ()),
        ("B7", 0, 1, (stray,)),
    ]
    assert [found.sentence for found in count.strays] == [f"{stray} is held at {OTHER} in the record."]
    assert pharmacy.vial(stray).place == OTHER
    # There it is missing, when that place is counted.
    hand_in(pharmacy, replace(by_scan(pharmacy), place=OTHER, nothing_there="yes"))
    assert counted(pharmacy, N2).lines[0].missing == (stray,)


def test_a_vial_that_was_recorded_missing_and_is_there_is_kept_as_found(pharmacy: Pharmacy, units: list[str]) -> None:
    miss_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((units[0],), "not there"), *_signs(pharmacy))
    hand_in(pharmacy, by_scan(pharmacy, *units))
    count = counted(pharmacy)
    assert [(line.expected, line.counted, line.difference) for line in count.lines] == [(9, 10, 1)]
    assert [found.sentence for found in count.strays] == [f"{units[0]} is missing in the record."]


def test_held_quarantined_and_reserved_vials_are_there(pharmacy: Pharmacy, units: list[str]) -> None:
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((units[0],), "warm overnight"))
    held = pharmacy.receive("S-2", (Lot("1", "A2", "2027-05", "2"),))
    pharmacy.enroll()
    pharmacy.dose("planned")
    assert len(pharmacy.vials(state="reserved")) == 2
    hand_in(pharmacy, by_scan(pharmacy, *units, *held))
    assert [(line.lot, line.expected, line.difference) for line in counted(pharmacy).lines] == [
        ("A1", 10, 0),
        ("A2", 2, 0),
    ]
    assert open_ones(pharmacy) == []


def test_opened_and_empty_containers_are_counted_apart(pharmacy: Pharmacy, units: list[str]) -> None:
    pharmacy.enroll()
    pharmacy.dose("closed")
    used = [vial.unit_number for vial in pharmacy.vials() if vial.state in ("empty", "partial")]
    unopened = [unit for unit in units if unit not in used]
    assert (len(used), len(unopened)) == (2, 8)
    hand_in(pharmacy, by_scan(pharmacy, *unopened))
    hand_in(pharmacy, by_scan(pharmacy, *used, what=CONTAINERS))
    assert [(line.kind, line.expected, line.counted) for line in counted(pharmacy, N2).lines] == [(CONTAINERS, 2, 2)]
    hand_in(pharmacy, by_scan(pharmacy, *units, what="both"))
    assert [(line.kind, line.expected, line.counted) for line in counted(pharmacy, numbered("N", 3)).lines] == [
        (VIALS, 8, 8),
        (CONTAINERS, 2, 2),
    ]
    assert open_ones(pharmacy) == []
    # A used one among the vials does not belong there.
    hand_in(pharmacy, by_scan(pharmacy, *unopened, used[0]))
    assert counted(pharmacy, numbered("N", 4)).strays[0].unit_number == used[0]


def test_a_count_of_one_strength_turns_the_other_away(pharmacy: Pharmacy, units: list[str]) -> None:
    (four,) = pharmacy.stock_up("S-2", (Lot("4", "B7", "2027-06", "1"),))
    with pharmacy.desk.store.read() as reader:
        one_fault(lambda: look_up(reader, four, TODAY, "1"), "code", "is a 4 mg vial; this count is of 1 mg vials only")
    one_fault(lambda: hand_in(pharmacy, by_scan(pharmacy, *units, four, strength_mg="1")), "code", "is a 4 mg vial")
    # The 4 mg vial is not missed in a count of 1 mg vials.
    hand_in(pharmacy, by_scan(pharmacy, *units, strength_mg="1"))
    assert [line.lot for line in counted(pharmacy).lines] == ["A1"]
    assert counted(pharmacy).strength_mg == ONE
    assert open_ones(pharmacy) == []


def test_nothing_in_the_place_is_said_on_purpose(pharmacy: Pharmacy, units: list[str]) -> None:
    one_fault(lambda: hand_in(pharmacy, by_scan(pharmacy)), "nothing_there", "tick that; otherwise count it first")
    hand_in(pharmacy, replace(by_scan(pharmacy), place=OTHER, nothing_there="yes"))
    assert (counted(pharmacy).lines, counted(pharmacy).discrepancy) == ((), "")
    # Said of a shelf that is not empty it is a difference of all ten.
    hand_in(pharmacy, by_scan(pharmacy, nothing_there="yes"))
    assert [(line.expected, line.counted, line.missing) for line in counted(pharmacy, N2).lines] == [
        (10, 0, tuple(units))
    ]


def test_a_pharmacy_without_a_vial_can_be_counted(pharmacy: Pharmacy) -> None:
    hand_in(pharmacy, by_number(pharmacy, nothing_there="yes"))
    assert counted(pharmacy).lines == ()


# --- by number -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "difference"), [("10", 0), ("9", -1), ("11", 1), ("0", -10), (" 10 ", 0)])
def test_a_count_by_number_is_compared_by_lot(
    pharmacy: Pharmacy, units: list[str], typed: str, difference: int
) -> None:
    hand_in(pharmacy, by_number(pharmacy, LotCounted("1", "A1", typed)))
    (line,) = counted(pharmacy).lines
    assert (line.expected, line.difference, line.missing) == (len(units), difference, ())
    assert len(open_ones(pharmacy)) == (1 if difference else 0)


@pytest.mark.parametrize("typed", ["10O", "", "1o", "-1", "9.5", "10,0", "ten", "10000"])
def test_what_is_no_number_is_refused_beside_its_field(pharmacy: Pharmacy, units: list[str], typed: str) -> None:
    assert units
    one_fault(
        lambda: hand_in(pharmacy, by_number(pharmacy, LotCounted("1", "A1", typed))), "lots.0.vials", "from 0 to 9999"
    )
    assert pharmacy.events("count_recorded") == []


def test_every_lot_on_site_needs_a_number_and_zero_is_one(pharmacy: Pharmacy, units: list[str]) -> None:
    pharmacy.receive("S-2", (Lot("4", "B7", "2027-06", "1"),), place=OTHER)
    only_one = by_number(pharmacy, LotCounted("1", "A1", str(len(units))))
    one_fault(lambda: hand_in(pharmacy, only_one), "lots", "Lot B7 of 4 mg has no number")
    hand_in(pharmacy, replace(only_one, lots=(*only_one.lots, LotCounted("4", "B7", "0"))))
    assert [(line.lot, line.expected, line.counted, line.agrees) for line in counted(pharmacy).lines] == [
        ("A1", 10, 10, True),
        ("B7", 0, 0, True),
    ]


def test_a_lot_the_record_does_not_know_is_kept_with_what_was_counted(pharmacy: Pharmacy, units: list[str]) -> None:
    hand_in(pharmacy, by_number(pharmacy, LotCounted("1", "A1", str(len(units))), LotCounted("1", "z9", "2")))
    line = counted(pharmacy).lines[1]
    assert (line.lot, line.expires_on, line.expected, line.counted) == ("Z9", None, 0, 2)
    assert counted(pharmacy).discrepancy == Q1


def test_a_lot_that_stands_twice_is_refused(pharmacy: Pharmacy, units: list[str]) -> None:
    twice = by_number(pharmacy, LotCounted("1", "A1", "5"), LotCounted("1", "a1", str(len(units) - 5)))
    one_fault(lambda: hand_in(pharmacy, twice), "lots.1.lot", "stands here twice")


def test_both_kinds_take_a_number_each(pharmacy: Pharmacy, units: list[str]) -> None:
    assert units
    pharmacy.enroll()
    pharmacy.dose("closed")
    lacking = by_number(pharmacy, LotCounted("1", "A1", "8"), what="both")
    one_fault(
        lambda: hand_in(pharmacy, lacking), "lots.0.containers", "The number of containers (0 when there is none)"
    )
    hand_in(pharmacy, replace(lacking, lots=(LotCounted("1", "A1", "8", "1"),)))
    assert [(line.kind, line.difference) for line in counted(pharmacy).lines] == [(VIALS, 0), (CONTAINERS, -1)]


# --- stock that moves meanwhile, and two at once ---------------------------------------------------------------


def test_a_vial_that_moved_between_beginning_and_handing_in_is_named(pharmacy: Pharmacy, units: list[str]) -> None:
    form = by_scan(pharmacy, *units)
    pharmacy.clock.forward(minutes=5)
    break_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((units[3],), "fell"), *_signs(pharmacy))
    fault = one_fault(lambda: hand_in(pharmacy, form), "begun_seq", f"{units[3]} (1 mg, lot A1): “break” at 08:05")
    assert "hand it in once more" in fault.sentence
    assert pharmacy.events("count_recorded") == []
    # Looked at again: the broken one is off the shelf.
    again = replace(form, codes=tuple(unit for unit in units if unit != units[3]), begun_seq=begin(pharmacy).begun_seq)
    hand_in(pharmacy, again)
    assert counted(pharmacy).discrepancy == ""


def test_a_count_does_not_begin_after_the_last_entry(pharmacy: Pharmacy, units: list[str]) -> None:
    last = begin(pharmacy).begun_seq
    with pytest.raises(Refused, match="began after the record's last entry"):
        hand_in(pharmacy, by_scan(pharmacy, *units, begun_seq=last + 1))
    assert hand_in(pharmacy, by_scan(pharmacy, *units, begun_seq=last)).kind == "count_recorded"


def test_a_reservation_or_quarantine_meanwhile_leaves_the_shelf_as_it_was(pharmacy: Pharmacy, units: list[str]) -> None:
    form = by_scan(pharmacy, *units)
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((units[0],), "warm"))
    pharmacy.enroll()
    pharmacy.dose("planned")
    hand_in(pharmacy, form)
    assert counted(pharmacy).discrepancy == ""


def test_a_vial_carried_elsewhere_meanwhile_is_named_at_both_places(pharmacy: Pharmacy, units: list[str]) -> None:
    here, there = by_scan(pharmacy, *units), replace(by_scan(pharmacy, units[0]), place=OTHER)
    transport(pharmacy.desk, pharmacy.act("tim"), TransportForm((units[0],), OTHER, "Tim Lindqvist"))
    for form in (here, there):
        one_fault(lambda form=form: hand_in(pharmacy, form), "begun_seq", f"{units[0]} (1 mg, lot A1): “transport”")  # type: ignore[misc]
    hand_in(pharmacy, by_scan(pharmacy, *units[1:]))
    hand_in(pharmacy, replace(by_scan(pharmacy, units[0]), place=OTHER))
    assert [counted(pharmacy, number).discrepancy for number in (N1, N2)] == ["", ""]


def test_what_moves_at_another_place_does_not_disturb(pharmacy: Pharmacy, units: list[str]) -> None:
    form = by_scan(pharmacy, *units)
    pharmacy.receive("S-2", (Lot("4", "B7", "2027-06", "1"),), place=OTHER)
    hand_in(pharmacy, form)
    assert counted(pharmacy).discrepancy == ""


def test_two_people_count_at_once_and_each_count_has_its_number(pharmacy: Pharmacy, units: list[str]) -> None:
    first, second = by_scan(pharmacy, *units[:9]), by_number(pharmacy, LotCounted("1", "A1", "10"))
    hand_in(pharmacy, first, "tim", "carla")
    hand_in(pharmacy, second, "paula", "quentin")
    assert [(counted(pharmacy, number).counted_by, counted(pharmacy, number).discrepancy) for number in (N1, N2)] == [
        ("Tim Lindqvist", Q1),
        ("Paula Reyes", ""),
    ]


def test_the_same_act_again_is_one_count(pharmacy: Pharmacy, units: list[str]) -> None:
    act, form = pharmacy.act("tim"), by_scan(pharmacy, *units[:8])
    events = [
        record_count(pharmacy.desk, act, form, pharmacy.sign("tim"), pharmacy.sign("carla")).seq for _ in range(2)
    ]
    assert events[0] == events[1]
    assert len(open_ones(pharmacy)) == 1


# --- who signs -------------------------------------------------------------------------------------------------


def test_nobody_verifies_the_own_count(pharmacy: Pharmacy, units: list[str]) -> None:
    one_fault(lambda: hand_in(pharmacy, by_scan(pharmacy, *units), "tim", "tim"), "witness_user_name", "is another one")


def test_the_counter_signs_with_the_own_account(pharmacy: Pharmacy, units: list[str]) -> None:
    form = by_scan(pharmacy, *units)
    one_fault(
        lambda: record_count(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("paula"), pharmacy.sign("carla")),
        "user_name",
        "Sign with your own account: Tim Lindqvist",
    )


def test_all_faults_of_a_count_are_said_at_once(pharmacy: Pharmacy, units: list[str]) -> None:
    form = by_number(pharmacy, LotCounted("1", "A1", "10O"), place="Garage", note="x" * 501)
    assert units
    assert {fault.field for fault in faults_of(lambda: hand_in(pharmacy, form, "tim", "tim"))} == {
        "place",
        "lots.0.vials",
        "note",
        "witness_user_name",
    }


# --- explaining ------------------------------------------------------------------------------------------------


def test_a_discrepancy_stands_until_two_people_have_explained_it(pharmacy: Pharmacy, units: list[str]) -> None:
    hand_in(pharmacy, by_scan(pharmacy, *units[:9]))
    with pharmacy.desk.store.read() as reader:
        assert [found.number for found in today(pharmacy.desk, reader).discrepancies] == [Q1]
    event = explain(pharmacy, Q1)
    assert [signature.printed_name for signature in event.signatures] == ["Paula Reyes", "Carla Okafor"]
    with pharmacy.desk.store.read() as reader:
        assert today(pharmacy.desk, reader).discrepancies == ()
        found = reader.discrepancy(Q1)
    assert found is not None
    assert (found.status, found.outcome, found.explanation, found.closed_by) == (
        "closed",
        "found miscounted",
        "Counted again together.",
        "Paula Reyes, Carla Okafor",
    )
    pharmacy.assert_sound()


def test_who_explains_is_two_people_and_one_of_them_a_pharmacist(pharmacy: Pharmacy, units: list[str]) -> None:
    hand_in(pharmacy, by_scan(pharmacy, *units[:9]))
    one_fault(lambda: explain(pharmacy, Q1, second="paula"), "witness_user_name", "is another one")
    one_fault(lambda: explain(pharmacy, Q1, who="tim"), "witness_user_name", "One of the two who sign is a pharmacist.")
    explain(pharmacy, Q1, who="tim", second="quentin")
    with pytest.raises(Refused, match="was explained and signed by Tim Lindqvist, Quentin Marsh"):
        explain(pharmacy, Q1)


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (ExplainForm(Q1, "", "found it"), "outcome"),
        (ExplainForm(Q1, "lost", "found it"), "outcome"),
        (ExplainForm(Q1, "other", "  "), "explanation"),
        (ExplainForm(Q2, "other", "found it"), "discrepancy"),
    ],
)
def test_an_explanation_names_its_outcome_and_its_words(
    pharmacy: Pharmacy, units: list[str], form: ExplainForm, field: str
) -> None:
    hand_in(pharmacy, by_scan(pharmacy, *units[:9]))
    (fault,) = faults_of(
        lambda: explain_discrepancy(
            pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla")
        )
    )
    assert fault.field == field


@pytest.mark.parametrize("method", ["scan", "number"])
def test_recorded_missing_is_an_outcome_once_it_is_recorded(pharmacy: Pharmacy, units: list[str], method: str) -> None:
    form = by_scan(pharmacy, *units[:9]) if method == "scan" else by_number(pharmacy, LotCounted("1", "A1", "9"))
    hand_in(pharmacy, form)
    left = units[9] if method == "scan" else "1 of 1 mg, lot A1"
    one_fault(lambda: explain(pharmacy, Q1, "vial recorded missing"), "outcome", f"Still unexplained: {left}.")
    miss_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((units[9],), "searched twice"), *_signs(pharmacy))
    explain(pharmacy, Q1, "vial recorded missing")
    assert open_ones(pharmacy) == []


def lose(pharmacy: Pharmacy, *units: str) -> Event:
    """Record vials as missing, or used containers as lost."""
    return miss_vials(pharmacy.desk, pharmacy.act("tim"), LossForm(units, "searched twice"), *_signs(pharmacy))


def test_three_vials_short_are_explained_by_three_and_not_by_one(pharmacy: Pharmacy, units: list[str]) -> None:
    """Seven of ten are there. One is recorded missing: two are unexplained. The same vial explains no later count."""
    hand_in(pharmacy, by_number(pharmacy, LotCounted("1", "A1", "7")))
    lose(pharmacy, units[0])
    fault = one_fault(
        lambda: explain(pharmacy, Q1, "vial recorded missing"), "outcome", "Still unexplained: 2 of 1 mg, lot A1."
    )
    assert "1 of 3" in fault.sentence
    entry = lose(pharmacy, units[1], units[2]).seq
    explain(pharmacy, Q1, "vial recorded missing")
    with pharmacy.desk.store.read() as reader:
        (closed,) = reader.discrepancies(status="closed")
    assert f"{units[2]} recorded missing in entry {entry}" in closed.explanation
    hand_in(pharmacy, by_number(pharmacy, LotCounted("1", "A1", "6")))
    one_fault(
        lambda: explain(pharmacy, Q2, "vial recorded missing"), "outcome", "Still unexplained: 1 of 1 mg, lot A1."
    )
    lose(pharmacy, units[3])
    explain(pharmacy, Q2, "vial recorded missing")
    pharmacy.assert_sound()


def test_of_scanned_vials_each_that_was_not_there_is_recorded_missing(pharmacy: Pharmacy, units: list[str]) -> None:
    hand_in(pharmacy, by_scan(pharmacy, *units[:6]))
    lose(pharmacy, units[6])
    one_fault(
        lambda: explain(pharmacy, Q1, "vial recorded missing"),
        "outcome",
        f"Still unexplained: {units[7]}, {units[8]}, {units[9]}.",
    )
    slip = lose(pharmacy, *units[7:])
    correct(pharmacy.desk, pharmacy.act("tim"), CorrectForm(slip.seq, "the wrong box", ()), *_signs(pharmacy))
    one_fault(lambda: explain(pharmacy, Q1, "vial recorded missing"), "outcome", f"Still unexplained: {units[7]},")
    lose(pharmacy, *units[7:])
    explain(pharmacy, Q1, "vial recorded missing")


def test_nothing_is_recorded_missing_where_there_is_one_too_many(pharmacy: Pharmacy, units: list[str]) -> None:
    hand_in(pharmacy, by_number(pharmacy, LotCounted("1", "A1", "11")))
    one_fault(lambda: explain(pharmacy, Q1, "vial recorded missing"), "outcome", "Nothing is missing")
    explain(pharmacy, Q1)


def test_record_corrected_takes_a_correction_of_what_was_counted(pharmacy: Pharmacy, units: list[str]) -> None:
    """A vial was recorded broken in a hurry: it is on the shelf, one more than the record has."""
    other = pharmacy.stock_up("S-2", (Lot("4", "B7", "2027-06", "2"),))
    slip, elsewhere = (
        break_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((unit,), "it fell"), *_signs(pharmacy))
        for unit in (units[0], other[0])
    )
    hand_in(pharmacy, by_scan(pharmacy, *units, other[1]))
    one_fault(lambda: explain(pharmacy, Q1, "record corrected"), "outcome", "No correction recorded since then")
    other_lot = CorrectForm(elsewhere.seq, "it is whole", ())
    correct(pharmacy.desk, pharmacy.act("tim"), other_lot, *_signs(pharmacy))
    one_fault(lambda: explain(pharmacy, Q1, "record corrected"), "outcome", "No correction recorded since then")
    right = correct(pharmacy.desk, pharmacy.act("tim"), CorrectForm(slip.seq, "it is whole", ()), *_signs(pharmacy))
    event = explain(pharmacy, Q1, "record corrected")
    assert event.content["corrections"] == [right.seq]
    with pharmacy.desk.store.read() as reader:
        (closed,) = reader.discrepancies(status="closed")
    assert closed.explanation == f"Counted again together. (corrected in entry {right.seq})"
    pharmacy.assert_sound()


def test_a_container_that_is_lost_explains_the_count_of_containers(pharmacy: Pharmacy, units: list[str]) -> None:
    """The ward threw one of two used containers away: it is recorded, explained, and found again as what it was."""
    pharmacy.enroll()
    used = [vial.unit_number for vial in pharmacy.thread(pharmacy.dose("closed")).vials]
    was = pharmacy.vial(used[0]).state
    hand_in(pharmacy, by_scan(pharmacy, *used[1:], what=CONTAINERS))
    one_fault(lambda: explain(pharmacy, Q1, "vial recorded missing"), "outcome", f"Still unexplained: {used[0]}.")
    lose(pharmacy, used[0])
    assert pharmacy.vial(used[0]).state == "lost"
    explain(pharmacy, Q1, "vial recorded missing")
    find = LossForm((used[0],), "it was in the other bin", place="Refrigerator 2")
    event = find_vials(pharmacy.desk, pharmacy.act("tim"), find, *_signs(pharmacy))
    found = pharmacy.vial(used[0])
    assert (found.state, found.place, found.hold_reason) == (was, "Refrigerator 2", "")
    correct(pharmacy.desk, pharmacy.act("tim"), CorrectForm(event.seq, "another one", ()), *_signs(pharmacy))
    assert pharmacy.vial(used[0]).state == "lost"
    pharmacy.assert_sound()


def test_a_vial_missed_outside_a_count_has_its_discrepancy_too(pharmacy: Pharmacy, units: list[str]) -> None:
    def opened(*codes: str) -> Event:
        form = DiscrepancyForm(codes, "not in its box when the dose was planned")
        return open_discrepancy(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"))

    one_fault(opened, "unit_numbers", "No vial is chosen")
    one_fault(lambda: opened("K99"), "unit_numbers", "“K99” is a kit code of the supporter, as those of shipment S-1,")
    event = opened("K02", units[2], units[1])
    assert event.content["discrepancy"] == Q1
    (found,) = open_ones(pharmacy)
    assert (found.count_number, found.place) == ("", "")
    assert found.sentence == f"{units[1]}, {units[2]}: not in its box when the dose was planned"
    assert [concern.units for concern in found.concerns] == [(units[1], units[2])]
    find = LossForm((units[1],), "behind the door")
    with pytest.raises(Refused):
        find_vials(pharmacy.desk, pharmacy.act("tim"), find, *_signs(pharmacy))
    explain(pharmacy, Q1, "vial found")
    pharmacy.assert_sound()


# --- when the next count is due --------------------------------------------------------------------------------


def dues(pharmacy: Pharmacy) -> list[tuple[str, date | None, date, bool]]:
    """Place, last count, next count, late."""
    with pharmacy.desk.store.read() as reader:
        return [(due.place, due.last_on, due.due_on, due.late) for due in count_dues(pharmacy.desk, reader)]


def test_a_place_is_due_a_month_after_its_first_vial_and_then_after_each_count(
    pharmacy: Pharmacy, units: list[str]
) -> None:
    # Received on Monday, 2 March 2026.
    assert dues(pharmacy) == [(FRIDGE, None, date(2026, 4, 2), False)]
    pharmacy.clock.now = MONDAY.replace(month=4, day=2)
    assert dues(pharmacy)[0][3] is False
    pharmacy.clock.now = MONDAY.replace(month=4, day=3)
    assert dues(pharmacy) == [(FRIDGE, None, date(2026, 4, 2), True)]
    hand_in(pharmacy, by_scan(pharmacy, *units))
    assert dues(pharmacy) == [(FRIDGE, date(2026, 4, 3), date(2026, 5, 3), False)]


def test_a_place_counted_strength_by_strength_is_as_old_as_the_older_one(pharmacy: Pharmacy, units: list[str]) -> None:
    (four,) = pharmacy.stock_up("S-2", (Lot("4", "B7", "2027-06", "1"),))
    hand_in(pharmacy, by_scan(pharmacy, *units, strength_mg="1"))
    assert dues(pharmacy) == [(FRIDGE, None, date(2026, 4, 2), False)]
    pharmacy.clock.forward(days=4)
    hand_in(pharmacy, by_scan(pharmacy, four, strength_mg="4"))
    assert dues(pharmacy) == [(FRIDGE, date(2026, 3, 2), date(2026, 4, 2), False)]
    hand_in(pharmacy, by_scan(pharmacy, *units, four))
    assert dues(pharmacy) == [(FRIDGE, date(2026, 3, 6), date(2026, 4, 6), False)]


def test_a_count_of_containers_is_none_of_the_vials(pharmacy: Pharmacy, units: list[str]) -> None:
    assert units
    hand_in(pharmacy, by_scan(pharmacy, what=CONTAINERS, nothing_there="yes"))
    assert dues(pharmacy) == [(FRIDGE, None, date(2026, 4, 2), False)]


def test_an_empty_place_is_not_due(pharmacy: Pharmacy) -> None:
    assert dues(pharmacy) == []
    pharmacy.stock_up(lots=(Lot("1", "A1", "2027-03-31", "1"),))
    (unit,) = [vial.unit_number for vial in pharmacy.vials()]
    form = ReturnForm((unit,), permission(pharmacy), "Depot", "unused", "yes", CARRIER)
    return_vials(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))
    assert dues(pharmacy) == []


# --- on paper --------------------------------------------------------------------------------------------------


def test_the_record_prints_what_was_found_and_how_it_was_explained(pharmacy: Pharmacy, units: list[str]) -> None:
    pharmacy.desk = replace(pharmacy.desk, papers=PdfPapers())
    hand_in(pharmacy, by_scan(pharmacy, *units[:9], "10217034Ä中", note="door was ajar"))
    first = " ".join(" ".join(proof.page_texts(print_count(pharmacy.desk, pharmacy.act("mona"), N1).pdf)).split())
    assert units[9] in first
    assert "10217034Ä[U+4E2D]" in first
    assert "Open: not explained yet." in first
    explain(pharmacy, Q1)
    second = print_count(pharmacy.desk, pharmacy.act("mona"), N1.lower())
    words = " ".join(" ".join(proof.page_texts(second.pdf)).split())
    assert "Found miscounted. Counted again together." in words
    assert "REPRINT 1" in words
    assert "looked into it and agrees Paula" not in words
    assert second.event.content["papers"][0] == {
        "paper": "count record",
        "about": N1,
        "copy_number": 2,
        "pages": proof.page_count(second.pdf),
    }


def test_a_count_that_is_not_there_is_not_printed(pharmacy: Pharmacy) -> None:
    with pytest.raises(Refused, match=f"There is no count {N2}"):
        print_count(pharmacy.desk, pharmacy.act("tim"), N2)


def test_the_monitor_reads_counts_and_records_none(pharmacy: Pharmacy, units: list[str]) -> None:
    hand_in(pharmacy, by_scan(pharmacy, *units))
    form = by_scan(pharmacy, *units)
    tries: list[Callable[[], object]] = [
        lambda: hand_in(pharmacy, form, "mona", "carla"),
        lambda: hand_in(pharmacy, form, "tim", "mona"),
    ]
    for attempt in tries:
        with pytest.raises(Refused, match="Mona Sorensen is signed in as monitor"):
            attempt()
    print_count(pharmacy.desk, pharmacy.act("mona"), N1)
