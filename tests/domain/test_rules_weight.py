"""Weight (§ 8.1.3; RULES R13 to R16, A26): what each sentence names, and what cannot be compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from pharmacy_app.domain.dosing import decide
from pharmacy_app.domain.request import DoseRequest, Height, UsedWeight, Weight
from tests.domain.dose_cases import DAY1, SETTINGS, first_dose, said, second_cycle, second_dose, sentence

D = Decimal
NEWEST_ON = date(2026, 3, 29)


def weighed(kg: str, *, prior: str = "80", dosed_by: str | None = None) -> DoseRequest:
    """Cycle 2 day 1 with a newest weight, the weight last used, and the one the dose is calculated from."""
    return second_cycle(
        current_weight=Weight(D(kg), NEWEST_ON),
        prior_weight_used=UsedWeight(D(prior), date(2026, 3, 16)),
        dosing_weight=Weight(D(dosed_by or kg), NEWEST_ON),
    )


def test_more_than_the_limit_names_the_limit_and_both_weights() -> None:
    assert sentence(decide(weighed("88.8")).findings, "R14") == (
        "The weight changed by +11 % against the weight last used, more than 10 %; the dose is recalculated from "
        "88.8 kg."
    )
    assert sentence(decide(weighed("88.8", dosed_by="80")).findings, "R14") == (
        "The weight changed by +11 % against the weight last used, more than 10 %. The dose must be recalculated from "
        "the newest weight, 88.8 kg, not from 80 kg."
    )


@pytest.mark.parametrize(
    ("dosed_by", "words"), [("84", "the newest weight, 84 kg"), ("80", "the weight last used, 80 kg")]
)
def test_within_the_limit_it_is_said_which_weight_is_used(dosed_by: str, words: str) -> None:
    assert sentence(decide(weighed("84", dosed_by=dosed_by)).findings, "R15") == (
        f"The weight changed by +5 %, not more than 10 %, so recalculating is institutional practice. Used here: "
        f"{words}."
    )


def test_a_weight_that_is_neither_is_told_both() -> None:
    assert sentence(decide(weighed("84", dosed_by="79")).findings, "R15") == (
        "The dose is calculated from 79 kg, which is not the newest weight, 84 kg nor the weight last used, 80 kg. "
        "Choose the newest weight."
    )
    first = first_dose(dosing_weight=Weight(D(79), date(2026, 2, 28)))
    assert sentence(decide(first).findings, "R15") == (
        "The dose is calculated from 79 kg, which is not the newest weight, 80 kg. Choose the newest weight."
    )


def test_the_area_is_spoken_of_only_when_the_weight_is_over_the_limit() -> None:
    assert said(decide(weighed("88")).findings, "R16") == []
    assert said(decide(weighed("88.1")).findings, "R16") == ["INFO"]
    assert said(decide(weighed("71.9")).findings, "R16") == ["INFO"]


def test_without_a_formula_or_a_height_there_is_no_area_to_speak_of() -> None:
    over = weighed("88.8")
    assert said(decide(replace(over, settings=replace(SETTINGS, bsa_formula=None))).findings, "R16") == []
    assert said(decide(replace(over, height=None)).findings, "R16") == []


@pytest.mark.parametrize(("kg", "heard"), [("0", []), ("0.9", ["INFO"]), ("1", ["INFO"])])
def test_an_area_of_nothing_is_not_calculated(kg: str, heard: list[str]) -> None:
    """A weight of 0 is stopped as 0 (I1); the area is compared for anything above it."""
    assert said(decide(weighed(kg, dosed_by="80")).findings, "R16") == heard


def test_a_height_of_nothing_gives_no_area() -> None:
    assert said(decide(replace(weighed("88.8"), height=Height(D(0), DAY1))).findings, "R16") == []


def test_nothing_is_compared_with_a_weight_of_nothing() -> None:
    findings = decide(weighed("80", prior="0")).findings
    assert [said(findings, rule) for rule in ("R14", "R16")] == [[], []]


def test_a_weight_below_nothing_gives_no_area() -> None:
    assert said(decide(weighed("80", prior="-1")).findings, "R16") == []


@pytest.mark.parametrize(("day", "heard"), [(0, []), (1, []), (2, ["WARN"]), (8, ["WARN"])])
def test_between_day_ones_means_after_day_one(day: int, heard: list[str]) -> None:
    request = second_dose(day=day, current_weight=Weight(D("88.1"), DAY1 + timedelta(days=6)))
    assert said(decide(request).findings, "A26") == heard
