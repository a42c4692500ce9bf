"""Physical counts: when a place is due again, what is counted as what, and shelf against record vial by vial."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from pharmacy_app.domain.counts import (
    CONTAINERS,
    KINDS,
    VIALS,
    CountLine,
    Misplaced,
    compare_units,
    difference_words,
    kind_of,
    next_due,
    say_difference,
    states_of,
)
from pharmacy_app.domain.vials import Vial, move_table

ONE = Decimal(1)
EXPIRY = date(2027, 3, 31)


def vial(number: str, state: str = "available", lot: str = "A1", place: str = "Refrigerator 1") -> Vial:
    """A 1 mg vial."""
    return Vial(number, "", ONE, lot, EXPIRY, place, state, "", "", "S-1")


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (date(2026, 3, 2), date(2026, 4, 2)),
        (date(2026, 12, 15), date(2027, 1, 15)),
        # A month that is too short ends on its last day; 2028 has a 29 February.
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 10, 31), date(2026, 11, 30)),
    ],
)
def test_a_place_is_due_on_the_same_day_of_the_next_month(last: date, due: date) -> None:
    assert next_due(last) == due


def test_reserved_and_quarantined_vials_lie_on_the_shelf_and_opened_ones_are_containers() -> None:
    assert states_of(VIALS) == ("held", "available", "reserved", "quarantined")
    assert set(states_of(CONTAINERS)) >= {"opened", "empty", "partial", "broken"}
    for gone in ("missing", "returned", "transferred", "destroyed", "never received", ""):
        assert kind_of(gone) == ""
    for state in move_table().states:
        assert kind_of(state) in (*KINDS, "")


@pytest.mark.parametrize(("difference", "words"), [(2, "+2"), (1, "+1"), (0, "0"), (-1, "−1")])
def test_a_difference_has_its_sign(difference: int, words: str) -> None:
    assert say_difference(difference) == words


def test_the_very_vials_of_the_record_agree() -> None:
    shelf = [vial("V1"), vial("V2", "reserved")]
    assert compare_units(shelf, list(reversed(shelf)), (VIALS,)) == (
        (CountLine(VIALS, ONE, "A1", EXPIRY, 2, 2),),
        (),
    )


def test_one_missing_and_another_too_many_do_not_make_up_for_each_other() -> None:
    stray = vial("V9", place="Refrigerator 2")
    (line,), strays = compare_units([vial("V1"), vial("V2")], [vial("V1"), stray], (VIALS,))
    assert (line.expected, line.counted, line.difference) == (2, 2, 0)
    assert (line.missing, line.unexpected) == (("V2",), ("V9",))
    assert not line.agrees
    assert strays == (Misplaced("V9", ONE, "A1", "available", "Refrigerator 2"),)
    assert strays[0].sentence == "V9 is available at Refrigerator 2 in the record."
    assert difference_words((line,), strays, ()) == (
        "1 mg lot A1, vials: expected 2, counted 2 (0), missing V2; V9 is available at Refrigerator 2 in the record."
    )


def test_containers_are_counted_apart_from_the_vials_of_their_lot() -> None:
    shelf = [vial("V1"), vial("V2", "empty"), vial("V3", "opened")]
    lines, strays = compare_units(shelf, [shelf[0], shelf[1]], KINDS)
    assert [(line.kind, line.expected, line.counted, line.missing) for line in lines] == [
        (VIALS, 1, 1, ()),
        (CONTAINERS, 2, 1, ("V3",)),
    ]
    assert strays == ()


@pytest.mark.parametrize("state", ["empty", "missing", "returned"])
def test_a_vial_found_in_another_state_counts_to_its_lot_and_is_named(state: str) -> None:
    lines, strays = compare_units([vial("V1")], [vial("V1"), vial("V2", state)], (VIALS,))
    assert [(line.kind, line.expected, line.counted, line.difference) for line in lines] == [(VIALS, 1, 2, 1)]
    assert strays[0].sentence.startswith(f"V2 is {state}")
    assert ("Refrigerator" in strays[0].sentence) is (state == "empty")


def test_nothing_expected_and_nothing_found_is_no_line() -> None:
    assert compare_units([], [], (VIALS,)) == ((), ())
    assert difference_words((), (), ()) == ""


def test_a_code_that_is_no_vial_is_a_difference_by_itself() -> None:
    assert difference_words((), (), ("12345",)) == "“12345” is no vial of this record."


@pytest.mark.parametrize(
    ("missing", "ends"),
    [(11, "V09, V10."), (12, "V10, V11."), (13, "V10, V11 and 1 more."), (15, "V10, V11 and 3 more.")],
)
def test_missing_vials_are_named_up_to_twelve_and_the_others_counted(missing: int, ends: str) -> None:
    lot = [vial(f"V{number:02d}") for number in range(missing)]
    (line,), _ = compare_units(lot, [], (VIALS,))
    assert len(line.missing) == missing
    assert difference_words((line,), (), ()).endswith(ends)


def test_only_the_lots_that_differ_are_said_each_with_its_own_words() -> None:
    lines = [
        CountLine(VIALS, ONE, "A1", EXPIRY, 5, 5),
        CountLine(VIALS, ONE, "A2", EXPIRY, 5, 6),
        CountLine(VIALS, Decimal(4), "B7", EXPIRY, 3, 3),
        CountLine(VIALS, Decimal(4), "B8", EXPIRY, 3, 1),
    ]
    assert difference_words(lines, (), ()) == (
        "1 mg lot A2, vials: expected 5, counted 6 (+1); 4 mg lot B8, vials: expected 3, counted 1 (−2)."
    )


def test_lines_stand_by_kind_then_strength_then_lot() -> None:
    shelf = [
        vial("V1", lot="B"),
        vial("V2", "empty", lot="A"),
        replace(vial("V3", lot="A"), strength_mg=Decimal(4)),
        vial("V4", lot="A"),
        vial("V5", "empty", lot="B"),
    ]
    lines, _ = compare_units(shelf, shelf, KINDS)
    assert [(line.kind, line.strength_mg, line.lot) for line in lines] == [
        (VIALS, ONE, "A"),
        (VIALS, ONE, "B"),
        (VIALS, Decimal(4), "A"),
        (CONTAINERS, ONE, "A"),
        (CONTAINERS, ONE, "B"),
    ]


def test_a_lot_has_its_expiry_though_it_is_only_expected_or_only_found() -> None:
    (missing,), _ = compare_units([vial("V1")], [], (VIALS,))
    (stray,), _ = compare_units([], [vial("V2")], (VIALS,))
    assert (missing.expires_on, stray.expires_on) == (EXPIRY, EXPIRY)
