"""Kinds of places: what may lie on a quarantine shelf, and what kind of record covers which places."""

import pytest

from pharmacy_app.domain.places import KIND_SAYS, KINDS, may_lie, record_type
from pharmacy_app.domain.vials import move_table


@pytest.mark.parametrize("state", move_table().states)
def test_on_a_quarantine_shelf_lies_only_what_is_held_or_quarantined(state: str) -> None:
    assert may_lie(state, "quarantine shelf") is (state in ("held", "quarantined"))
    assert may_lie(state, "refrigerator")
    assert may_lie(state, "satellite")


def test_a_satellite_has_its_own_record_and_is_named_where_it_is_among_others() -> None:
    assert record_type(frozenset({"satellite"})) == "Satellite record"
    assert record_type(frozenset({"refrigerator", "quarantine shelf"})) == "Control record"
    assert record_type(frozenset({"refrigerator", "satellite"})) == "Control and satellite records together"


def test_each_kind_is_said_in_words() -> None:
    assert KIND_SAYS.keys() == set(KINDS)
