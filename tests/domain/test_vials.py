"""Vials: numbers that catch a slip of the hand, states and moves, expiry, and usable on a day (§ 8.1.1, 8.2, A40)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.scans import LETTERS
from pharmacy_app.domain.vials import (
    CORRECTION,
    NEVER_RECEIVED,
    Moved,
    Vial,
    check_character,
    in_date,
    looks_like_ours,
    move,
    move_table,
    numbered,
    read_expiry,
    read_number,
    relocate,
    swapped,
    usable_on,
    why_not_usable,
)

EXPIRES = date(2027, 3, 31)
VIAL = Vial(
    unit_number=numbered("V", 12),
    kit_number="K-7",
    strength_mg=Decimal(1),
    lot="L-55",
    expires_on=EXPIRES,
    place="Shelf 2",
    state="available",
    hold_reason="",
    dose_id="",
    shipment_number="S-3",
    label_scanned=True,
)


def sentence_of(refused: pytest.ExceptionInfo[Refused]) -> str:
    (fault,) = refused.value.faults
    return fault.sentence


# --- numbers ---------------------------------------------------------------------------------------------------


# ISO 7064 MOD 37,36 by hand. "A1": (36 + 10) mod 36 = 10, twice is 20; (20 + 1) mod 36 = 21, twice is 42, mod 37 = 5;
# 37 - 5 = 32, the 33rd character is W. "0": 36 mod 36 counts as 36, twice is 72, mod 37 = 35; 37 - 35 = 2.
# "1": (36 + 1) mod 36 = 1, twice is 2; 37 - 2 = 35, Z. "": 37 - 36 = 1.
# The long one is the worked example of the Global Release Identifier, which uses the same check.
@pytest.mark.parametrize(
    ("text", "check"), [("A1", "W"), ("0", "2"), ("1", "Z"), ("", "1"), ("A12425GABC1234002", "M")]
)
def test_the_check_character_by_hand(text: str, check: str) -> None:
    assert check_character(text) == check


def test_a_slip_or_a_swap_changes_the_check() -> None:
    right = check_character("V000012")
    assert right not in {check_character("V000013"), check_character("V000021"), check_character("S000012")}


@pytest.mark.parametrize("count", [1, 999_999])
def test_a_number_has_six_digits_and_its_check(count: int) -> None:
    number = numbered("V", count)
    assert number[:-1] == f"V{count:06d}"
    assert read_number(number, "V", "unit_number") == number


@pytest.mark.parametrize("count", [0, -1, 1_000_000])
def test_a_count_outside_six_digits_has_no_number(count: int) -> None:
    with pytest.raises(ValueError, match=f"^{count} is outside"):
        numbered("V", count)


def test_a_number_is_read_as_people_type_it() -> None:
    number = numbered("V", 101_010)
    body, check = number[:-1], number[-1]
    assert read_number(f" {body.lower()}-{check.lower()} ", "V", "f") == number
    assert read_number(f"{body[:4]} {body[4:]} {check}", "V", "f") == number
    assert read_number(f"{body.replace('1', 'I').replace('0', 'O')}{check}", "V", "f") == number


def test_the_prefix_is_not_taken_for_a_digit() -> None:
    number = numbered("O", 5)
    assert read_number(number, "O", "f") == number


@pytest.mark.parametrize(("printed", "seen"), [("0", "O"), ("O", "0"), ("1", "I"), ("I", "1")])
def test_a_check_character_that_looks_like_another_is_refused_with_a_hint(printed: str, seen: str) -> None:
    number = next(numbered("V", count) for count in range(1, 999) if numbered("V", count)[-1] == printed)
    with pytest.raises(Refused) as refused:
        read_number(number[:-1] + seen, "V", "f")
    (fault,) = refused.value.faults
    assert f"may be the {'letter' if printed in 'OI' else 'digit'} {printed}, not the" in fault.sentence


def test_one_wrong_digit_is_never_the_number_of_another_vial() -> None:
    """B000049 has the check character 1, B000099 the letter I: one wrong digit, and the two would look alike."""
    assert (numbered("B", 49), numbered("B", 99)) == ("B0000491", "B000099I")
    with pytest.raises(Refused, match="was misread"):
        read_number("B0000991", "B", "f")


def test_no_single_mistake_makes_another_number() -> None:
    """Whatever stands before, another character there gives another check; and whatever stands behind keeps it so.

    The check character of a text tells the state in which the reading stands after it. From each of the 36 states
    another character leads to another state, and one character never leads from two states to the same one: so a
    single wrong character is never made good by what follows, in a number of any length.
    """
    signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    states = {check_character(sign): sign for sign in signs}
    assert len(states) == 36
    for before in states.values():
        assert len({check_character(before + sign) for sign in signs}) == 36
    for sign in signs:
        assert len({check_character(before + sign) for before in states.values()}) == 36


def test_a_swap_of_neighbours_that_the_check_character_misses_is_known() -> None:
    """About one in two hundred; ``swapped`` names them, so that the record can be asked."""
    number = next(numbered("V", count) for count in range(1, 99_999) if swapped(numbered("V", count)))
    (other, *_) = swapped(number)
    assert sorted(number) == sorted(other)
    assert number != other
    assert number in swapped(other)
    assert read_number(other, "V", "f") == other
    assert swapped(numbered("V", 12)) == ()


@given(st.integers(1, 999_999), st.sampled_from(LETTERS), st.integers(0, 6))
def test_a_swap_of_neighbours_is_refused_or_known(count: int, letter: str, at: int) -> None:
    number = numbered(letter, count)
    typed = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    try:
        read = read_number(typed, typed[0], "f")
    except Refused:
        return
    assert read == number or read in swapped(number)


@pytest.mark.parametrize("typed", ["", "12", "S000012Z", "V00001Z", "V0000123ZZ", "V00A012Z"])
def test_what_is_no_number_of_the_kind(typed: str) -> None:
    assert not looks_like_ours(typed, "V")
    with pytest.raises(Refused) as refused:
        read_number(f" {typed} ", "V", "unit_number")
    (fault,) = refused.value.faults
    assert fault.field == "unit_number"
    assert fault.sentence.startswith(f"“{typed}” is not a number of ours: it starts with V,")


def test_a_wrong_check_character_is_a_misreading() -> None:
    number = numbered("V", 12)
    wrong = number[:-1] + ("B" if number[-1] == "A" else "A")
    assert looks_like_ours(wrong, "V")
    with pytest.raises(Refused) as refused:
        read_number(wrong.lower(), "V", "unit_number")
    (fault,) = refused.value.faults
    assert fault.field == "unit_number"
    assert fault.sentence.startswith(f"“{wrong}” was misread")


# --- usable on a day -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "usable"), [(date(2027, 3, 30), True), (EXPIRES, True), (date(2027, 4, 1), False)])
def test_a_vial_is_usable_through_its_last_day(day: date, usable: bool) -> None:
    assert in_date(EXPIRES, day) is usable
    assert usable_on("available", EXPIRES, day) is usable
    fault = why_not_usable(VIAL, day)
    assert (fault is None) is usable
    if fault is not None:
        assert (fault.field, fault.rule, fault.section) == ("unit_number", "A40", "8.2")
        assert fault.sentence.startswith(f"Vial {VIAL.unit_number} of lot L-55 expired")
        assert "31-Mar-2027" in fault.sentence


@pytest.mark.parametrize(
    ("state", "rule", "part"),
    [
        ("quarantined", "R54", "in quarantine"),
        ("held", "R54", "is held: a pharmacist has not released it yet. Release it"),
        ("reserved", "R55", "reserved for dose D-9"),
        ("used", "R55", "is used and cannot be used again"),
    ],
)
def test_each_state_that_is_not_available_says_why(state: str, rule: str, part: str) -> None:
    vial = replace(VIAL, state=state, dose_id="D-9")
    assert not usable_on(state, EXPIRES, date(2027, 1, 1))
    fault = why_not_usable(vial, date(2027, 1, 1))
    assert fault is not None
    assert (fault.field, fault.rule, fault.section) == ("unit_number", rule, "8.2")
    assert part in fault.sentence
    assert VIAL.unit_number in fault.sentence


def test_a_vial_without_its_scanned_label_says_what_to_do() -> None:
    fault = why_not_usable(replace(VIAL, label_scanned=False), date(2027, 1, 1))
    assert fault is not None
    assert (fault.field, fault.rule, fault.section) == ("unit_number", "", "8.2")
    assert fault.sentence == (
        f"The label of vial {VIAL.unit_number} is not scanned yet. Scan it back under Labels first, so that nobody"
        " takes a vial under another one's number."
    )


def test_a_held_vial_names_what_it_is_held_for() -> None:
    fault = why_not_usable(replace(VIAL, state="held", hold_reason="the box was wet"), date(2027, 1, 1))
    assert fault is not None
    assert "is held: the box was wet. Release it" in fault.sentence


# --- moves -----------------------------------------------------------------------------------------------------


def test_a_move_keeps_all_that_its_ledger_line_needs() -> None:
    assert move(VIAL, "reserve") == Moved(
        VIAL.unit_number, Decimal(1), "L-55", EXPIRES, "Shelf 2", "reserve", "available", "reserved"
    )


def test_a_move_from_a_state_it_does_not_start_from_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        move(replace(VIAL, state="reserved"), "reserve")
    (fault,) = refused.value.faults
    assert (fault.field, fault.rule) == ("unit_number", "R55")
    assert fault.section
    assert fault.sentence == f"Vial {VIAL.unit_number} is reserved; “reserve” needs it to be available."


def next_states(state: str) -> set[str]:
    """What a vial of a state may become in one move; a change of place or label is no other state."""
    rules = move_table().from_state(state)
    back = {before for rule in rules if rule.back for before in move_table().moves[rule.back].from_states}
    return {rule.to_state for rule in rules if rule.to_state} | back


def reached_from(state: str) -> set[str]:
    """Every state a vial can come to from ``state`` by any moves, itself not counted unless a move leads back."""
    seen: set[str] = set()
    waiting = [state]
    while waiting:
        new = next_states(waiting.pop()) - seen
        seen |= new
        waiting += new
    return seen


# § 8.2 read by hand: what an unopened vial, a container and a vial that is gone may become in one move.
NEXT = {
    "held": {"available", "quarantined", "broken", "missing", "returned"},
    "available": {"reserved", "quarantined", "broken", "missing", "returned", "transferred"},
    "reserved": {"available", "quarantined", "opened", "broken", "missing"},
    "quarantined": {"available", "broken", "missing", "returned", "transferred"},
    "opened": {"empty", "partial", "returned by subject"},
    "empty": {"destroyed", "returned by subject", "lost"},
    "partial": {"destroyed", "returned by subject", "lost"},
    "broken": {"destroyed", "lost"},
    "returned by subject": {"destroyed", "lost"},
    "lost": {"empty", "partial", "broken", "returned by subject"},
    "missing": {"quarantined"},
    "returned": set(),
    "transferred": set(),
    "destroyed": set(),
    "never received": set(),
}


def test_from_each_state_lead_the_moves_of_the_protocol_and_no_other() -> None:
    assert {state: next_states(state) for state in move_table().states} == NEXT


def test_every_state_but_never_received_is_reached_from_a_receipt() -> None:
    """A receipt that never was is taken back by a correction, which is no move."""
    table = move_table()
    (receipt,) = (rule for rule in table.moves.values() if not rule.from_states)
    assert (receipt.name, receipt.to_state) == ("receive", "held")
    assert {"held", NEVER_RECEIVED} | reached_from("held") == set(table.states)
    assert (CORRECTION, "held", NEVER_RECEIVED) in table.legal()


# § 8.2 read by hand: what a slip of the hand may have recorded, and so a correction may take back to what it was.
TAKEN_BACK = {
    ("held", NEVER_RECEIVED),  # a receipt that never came
    *((state, "held") for state in ("available", "quarantined", "broken", "missing", "returned")),
    *((state, "available") for state in ("quarantined", "broken", "missing", "returned", "transferred")),
    *((state, "reserved") for state in ("quarantined", "broken", "missing")),
    *((state, "quarantined") for state in ("available", "broken", "missing", "returned", "transferred")),
    ("quarantined", "missing"),  # found, and it was another vial
    *((state, "lost") for state in ("empty", "partial", "broken", "returned by subject")),
    *(("lost", state) for state in ("empty", "partial", "broken", "returned by subject")),
    *(("returned by subject", state) for state in ("opened", "empty", "partial")),
    *(("destroyed", state) for state in ("empty", "partial", "broken", "returned by subject")),
    ("empty", "partial"),
    ("partial", "empty"),
}


def test_a_correction_takes_back_what_may_be_a_slip_and_nothing_that_was_drawn_or_given() -> None:
    table = move_table()
    legal = {(before, after) for name, before, after in table.legal() if name == CORRECTION and before and after}
    assert legal == TAKEN_BACK
    for name in ("reserve", "unreserve", "open", "close empty", "close partial"):
        assert not table.moves[name].undo


def test_a_change_of_place_is_a_line_out_and_a_line_in() -> None:
    lines = {line for line in move_table().legal() if line[0] == "transport"}
    assert {("transport", "available", ""), ("transport", "", "available")} <= lines
    assert not {("transport", "reserved", ""), ("transport", "opened", "")} & lines
    moved = relocate(VIAL, "transport", place="Satellite 3")
    assert (moved.from_state, moved.to_state) == ("available", "available")
    assert (moved.place, moved.to_place) == ("Shelf 2", "Satellite 3")
    assert (moved.to_strength_mg, moved.to_lot, moved.to_expires_on) == (Decimal(1), "L-55", EXPIRES)


def test_no_move_leads_from_an_unopened_state_to_destroyed() -> None:
    """§ 8.2, RULES A21: only what was opened, is empty or broke; and from nowhere back into a bag."""
    destroy = move_table().moves["destroy"]
    assert destroy.to_state == "destroyed"
    assert [rule.name for rule in move_table().moves.values() if rule.to_state == "destroyed"] == ["destroy"]
    assert not {"held", "available", "reserved", "quarantined", "missing", "opened"} & set(destroy.from_states)
    for state in ("opened", "empty", "partial", "broken", "returned by subject"):
        assert not reached_from(state) & {"held", "available", "reserved", "quarantined"}


@pytest.mark.parametrize("state", ["returned", "transferred", "destroyed", NEVER_RECEIVED])
def test_what_is_gone_stays_gone(state: str) -> None:
    assert reached_from(state) == set()
    assert move_table().states[state].on_site == ""


def test_what_was_missing_is_usable_only_through_quarantine() -> None:
    assert next_states("missing") == {"quarantined"}
    ways_in = {rule.name for rule in move_table().moves.values() if rule.to_state == "available"}
    assert ways_in == {"release", "lift quarantine", "unreserve"}


def test_every_need_is_a_proof_in_words_with_its_section_and_every_proof_is_needed() -> None:
    table = move_table()
    needed = {name for rule in table.moves.values() for name in rule.needs}
    assert needed == set(table.proofs)
    assert all(proof.says and proof.section == "8.2" for proof in table.proofs.values())


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("break", {"reason", "second person"}),
        ("miss", {"reason", "second person"}),
        ("find", {"reason", "second person"}),
        ("return", {"permission", "original container", "carrier", "reason"}),
        ("transfer", {"permission", "original container", "carrier", "reason"}),
        ("destroy", {"permission", "accountability", "second person"}),
    ],
)
def test_what_leaves_the_balance_needs_its_proofs(name: str, needs: set[str]) -> None:
    """§ 8.2; RULES R56, R57."""
    rule = move_table().moves[name]
    assert set(rule.needs) == needs
    assert rule.transaction
    assert rule.section == "8.2"
    with pytest.raises(Refused) as refused:
        move(replace(VIAL, state="opened"), name)
    assert sentence_of(refused).endswith(rule.otherwise)
    assert rule.otherwise


@pytest.mark.parametrize("name", [rule.name for rule in move_table().moves.values() if rule.from_states])
def test_a_move_starts_from_each_of_its_states_and_from_no_other(name: str) -> None:
    rule = move_table().moves[name]
    for state in move_table().states:
        vial = replace(VIAL, state=state)
        if state in rule.from_states:
            came_from = move_table().moves[rule.back].from_states if rule.back else ("",)
            for before in came_from:
                moved = move(vial, name, before)
                assert (moved.from_state, moved.to_state) == (state, rule.to_state or before)
        else:
            with pytest.raises(Refused):
                move(vial, name)


# --- expiry ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "last_day"),
    [
        ("2027-03-31", EXPIRES),
        (" 2027-03 ", EXPIRES),
        ("31-Mar-2027", EXPIRES),
        ("Feb-2028", date(2028, 2, 29)),
        ("2027-02", date(2027, 2, 28)),
        ("1800-01-01", date(1800, 1, 1)),
        ("2100-12-31", date(2100, 12, 31)),
    ],
)
def test_a_month_alone_lasts_through_its_last_day(typed: str, last_day: date) -> None:
    assert read_expiry(typed, "expiry") == last_day


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("soon", "“soon” is not an expiry"),
        ("1799-12-31", "year that no vial has (1799)"),
        ("2101-01", "year that no vial has (2101)"),
        ("2027-02-29", "“2027-02-29” is not a day of the calendar"),
        ("2027-13", "“2027-13” is not a day of the calendar"),
    ],
)
def test_an_expiry_that_cannot_be_is_refused_at_its_field(typed: str, part: str) -> None:
    with pytest.raises(Refused) as refused:
        read_expiry(f" {typed} ", "expiry")
    assert part in sentence_of(refused)
    assert refused.value.faults[0].field == "expiry"
