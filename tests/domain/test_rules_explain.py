"""Rules explained, and the protocol's numbers inside sentences: what tests/trace/test_catalogue.py leaves open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.rules import CATALOGUE, RULES, check_catalogue, explained
from pharmacy_app.domain.rules.explain import near_rules
from pharmacy_app.domain.rules.places import filled, unknown_places, without_places
from tests.domain.dose_cases import PROTOCOL


def test_a_reading_in_full_names_its_carrier_and_the_carriers_deciders() -> None:
    told = explained("a8", PROTOCOL)
    assert (told.title, told.applied_in) == (RULES["A8"].title, "R30")
    assert told.deciders == RULES["R30"].deciders
    assert told.next == filled(RULES["A8"].next, PROTOCOL)
    assert explained("R13", PROTOCOL).next


def test_the_deciders_of_a_reading_are_those_of_the_rule_that_carries_it() -> None:
    for rule in RULES.values():
        if rule.applied_in and "STOP*" in rule.strengths:
            assert explained(rule.id, PROTOCOL).deciders == RULES[rule.applied_in].deciders


@pytest.mark.parametrize(
    ("asked", "ending"), [("q!", " “explain” without a rule lists them all."), ("R62", "."), ("", "lists them all.")]
)
def test_an_unknown_rule_is_refused_at_its_field(asked: str, ending: str) -> None:
    with pytest.raises(Refused) as refused:
        explained(f" {asked} ", PROTOCOL)
    (fault,) = refused.value.faults
    assert fault.field == "rule"
    assert fault.sentence.startswith(f"There is no rule “{asked}”. ")
    assert fault.sentence.endswith(ending)


def test_words_of_three_letters_are_looked_for_and_shorter_ones_are_not() -> None:
    assert [rule.id for rule in near_rules("bag")] == ["A32"]
    assert near_rules("ng") == ()


def test_at_most_five_are_named_in_the_order_of_the_catalogue() -> None:
    found = near_rules("dose")
    assert len(found) == 5
    order = list(RULES)
    assert [order.index(rule.id) for rule in found] == sorted(order.index(rule.id) for rule in found)
    assert near_rules("dose", most=2) == found[:2]


def test_one_number_two_numbers_and_three() -> None:
    assert filled("{regimen.levels.0.days}", PROTOCOL) == "1 and 8"
    assert filled("{regimen.first_cycle.days}", PROTOCOL) == "1, 8 and 15"
    one = PROTOCOL.model_copy(
        update={"regimen": PROTOCOL.regimen.model_copy(update={"levels": PROTOCOL.regimen.levels[:1]})}
    )
    assert filled("{regimen.levels.level}", one) == "0"


def test_a_sentence_without_its_places() -> None:
    assert without_places("within {weight.max_age_days} days") == "within  days"


def test_a_place_that_is_no_sum_is_refused_with_its_text() -> None:
    with pytest.raises(ValueError, match=r"^\{weight \* 2\} is no place of the protocol$"):
        filled("{weight * 2}", PROTOCOL)


def test_a_word_is_no_number_to_add_to() -> None:
    with pytest.raises(ValueError, match=r"^1 cannot be added to "):
        filled("{study.drug + 1}", PROTOCOL)
    with pytest.raises(ValueError, match=r"cannot be added to 1$"):
        filled("{1 + study.drug}", PROTOCOL)


def test_a_property_of_a_table_is_a_place_and_ends_it() -> None:
    assert unknown_places("{regimen.smallest_mg_per_m2}") == ()
    assert unknown_places("{regimen.smallest_mg_per_m2.days}") == ("regimen.smallest_mg_per_m2.days",)


def test_all_faults_of_a_catalogue_are_told_at_once() -> None:
    spoiled = {
        "R1": replace(RULES["R1"], section=" ", strength="STOP, MAYBE"),
        "R2": replace(RULES["R2"], section=" "),
    }
    with pytest.raises(ValueError, match=r"^incomplete: R2, R1; of unknown strength: R1$"):
        check_catalogue(tuple(spoiled.get(rule.id, rule) for rule in CATALOGUE))


def test_an_id_that_is_half_right_finds_up_to_five_near_ones() -> None:
    assert len(near_rules("R62")) == 5
    assert near_rules("q1")[0].id.endswith("1")
