"""What is ordered: measurements that are known, places that exist, and doses that leave no gap behind them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from pharmacy_app.domain.dosing import decide
from pharmacy_app.domain.findings import Severity
from pharmacy_app.domain.protocol import CycleDoses
from pharmacy_app.domain.request import DoseRequest, Height, Weight
from pharmacy_app.domain.treatment import Omission, Schedule
from tests.domain.dose_cases import (
    CYCLE2,
    CYCLE3,
    DAY1,
    IN_REMISSION,
    ORDERED,
    PROTOCOL,
    SCREENED,
    first_dose,
    given,
    omitted,
    retreated,
    said,
    second_cycle,
    second_dose,
    sentence,
    third_cycle,
)

D = Decimal
DAY8, DAY15 = date(2026, 3, 9), date(2026, 3, 16)


def sentences(request: DoseRequest, rule: str) -> list[str]:
    return [finding.sentence for finding in decide(request).findings if finding.rule == rule]


# --- I1: what was measured -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "stops"), [("0", True), ("0.5", False), ("1", False)])
def test_a_measurement_is_more_than_nothing(value: str, stops: bool) -> None:
    """Whether half a kilogram is likely is asked where it is typed; here only 0 and less cannot be calculated."""
    height = first_dose(height=Height(D(value), DAY1))
    weight = first_dose(dosing_weight=Weight(D(value), DAY1))
    for request, name in ((height, "height"), (weight, "weight to dose by")):
        expected = [f"The {name} is 0 or less, so nothing was calculated. Measure it again."] if stops else []
        assert sentences(request, "I1") == expected


def test_what_is_not_known_is_named() -> None:
    assert sentences(first_dose(height=None, dosing_weight=None), "I1") == [
        "The height is not known, so nothing was calculated. Enter the measured height.",
        "The weight to dose by is not known, so nothing was calculated. Enter the measured weight to dose by.",
    ]


def test_a_measurement_of_today_is_no_measurement_of_tomorrow() -> None:
    today = first_dose(height=Height(D(180), DAY1), dosing_weight=Weight(D(80), DAY1))
    assert sentences(today, "I1") == []
    taller = replace(today, height=Height(D(180), DAY1 + timedelta(days=1)))
    assert sentence(decide(taller).findings, "I1").startswith("The height is dated 03-Mar-2026, which is after today")
    tomorrow = replace(today, current_weight=Weight(D(80), DAY1 + timedelta(days=1)))
    assert sentences(tomorrow, "I1") == [
        "The newest weight is dated 03-Mar-2026, which is after today, 02-Mar-2026. Correct the date of the "
        "measurement."
    ]


# --- R2, R3, R4, R5: places that exist -------------------------------------------------------------------------


def test_the_sentences_name_the_cycle_and_its_days() -> None:
    assert sentence(decide(first_dose(day=2)).findings, "R2") == (
        "Cycle 1 has no dose on day 2; its dosing days are 1, 8, 15. Check the order."
    )
    assert sentence(decide(second_cycle(day=15)).findings, "R3") == (
        "Cycle 2 has no dose on day 15; its dosing days are 1, 8. Check the order."
    )


def test_a_further_course_may_have_fewer_cycles_than_the_first() -> None:
    """§ 3.7 gives a retreatment six cycles like the first course; an amendment could give it four."""
    four = PROTOCOL.model_copy(update={"retreatment": PROTOCOL.retreatment.model_copy(update={"max_cycles": 4})})
    for course, cycle, heard in ((1, 6, []), (2, 4, []), (2, 5, ["STOP"])):
        assert said(decide(first_dose(protocol=four, course=course, cycle=cycle)).findings, "R5") == heard


def test_the_days_of_a_cycle_are_those_of_the_starting_level() -> None:
    levels = list(PROTOCOL.regimen.levels)
    one_day = levels[0].model_copy(update={"doses": levels[0].doses[:1]})
    assert isinstance(one_day, CycleDoses)
    regimen = PROTOCOL.regimen.model_copy(update={"levels": (one_day, *levels[1:])})
    protocol = PROTOCOL.model_copy(update={"regimen": regimen})
    assert said(decide(second_cycle(protocol=protocol, day=8)).findings, "R3") == ["STOP"]


# --- O1, O2, O3: no dose twice, none forgotten -----------------------------------------------------------------


def test_an_omitted_dose_is_not_ordered_and_one_that_was_omitted_elsewhere_is() -> None:
    def day8(where: Omission) -> list[str]:
        return sentences(second_dose(treatment=replace(SCREENED, omissions=(where,))), "O1")

    assert day8(omitted(1, 8)) == [
        "Cycle 1 day 8 was omitted by Dr. A. Reyes on 02-Mar-2026. An omitted dose is not made up. Order the next dose "
        "of the regimen."
    ]
    assert day8(omitted(1, 15)) == day8(omitted(2, 8)) == day8(omitted(1, 8, course=2)) == []


def test_a_later_dose_of_another_course_does_not_count_as_given() -> None:
    assert said(decide(second_dose(history=(given(1, 1, DAY1), given(1, 8, DAY1, course=2)))).findings, "O1") == []


def test_a_second_course_needs_the_first() -> None:
    assert said(decide(retreated(history=())).findings, "O2") == ["STOP"]
    assert said(decide(retreated()).findings, "O2") == []
    third = replace(retreated(), course=3)
    assert sentences(third, "O2") == [
        "Course 3 is ordered, but no dose of course 2 is recorded. Check the course number, or enter the earlier doses."
    ]


def test_a_dose_of_the_cycle_before_that_is_missing_is_asked_for_at_day_one() -> None:
    forgotten = second_cycle(history=(given(1, 1, DAY1), given(1, 8, DAY8)))
    assert said(decide(forgotten).findings, "O2") == ["WARN"]
    assert sentences(forgotten, "O2") == [
        "Day 15 of cycle 1 is not recorded as given. Record its omission with the reason, or enter the dose late, "
        "before going on."
    ]


def test_a_dose_of_the_cycle_before_that_was_omitted_is_not_asked_for() -> None:
    treatment = replace(IN_REMISSION, omissions=(omitted(1, 15),))
    assert sentences(second_cycle(history=(given(1, 1, DAY1), given(1, 8, DAY8)), treatment=treatment), "O2") == []
    # An omission of another day, cycle or course explains nothing.
    for elsewhere in (omitted(1, 8), omitted(2, 15), omitted(1, 15, course=2)):
        treatment = replace(IN_REMISSION, omissions=(elsewhere,))
        request = second_cycle(history=(given(1, 1, DAY1), given(1, 8, DAY8)), treatment=treatment)
        assert said(decide(request).findings, "O2") == ["WARN"]


def test_each_dose_that_is_missing_is_asked_for() -> None:
    assert sentences(second_cycle(history=(given(1, 1, DAY1),)), "O2") == [
        f"Day {day} of cycle 1 is not recorded as given. Record its omission with the reason, or enter the dose late, "
        "before going on."
        for day in (8, 15)
    ]


def test_the_cycle_before_is_asked_about_at_day_one_alone() -> None:
    history = (given(1, 1, DAY1), given(1, 8, DAY8), given(2, 1, CYCLE2))
    day8 = CYCLE2 + timedelta(days=7)
    request = second_cycle(day=8, today=day8, planned_on=day8, history=history)
    assert sentences(request, "O2") == []


def test_cycle_three_asks_about_the_days_of_a_later_cycle() -> None:
    """Cycle 2 has no day 15, so nothing is missing after its day 8."""
    assert sentences(third_cycle(), "O2") == []
    without_day8 = tuple(dose for dose in third_cycle().history if (dose.cycle, dose.day) != (2, 8))
    assert sentences(third_cycle(history=without_day8), "O2") == [
        "Day 8 of cycle 2 is not recorded as given. Record its omission with the reason, or enter the dose late, "
        "before going on."
    ]


def test_a_retreatment_with_later_doses_has_no_day_fifteen_to_ask_for() -> None:
    """Its first cycle has days 1 and 8 alone."""
    order = replace(ORDERED, schedule=Schedule.LATER_CYCLES)
    treatment = replace(retreated().treatment, retreatments=(order,))
    on = date(2026, 10, 19)
    history = (*retreated().history, given(1, 1, date(2026, 9, 21), course=2), given(1, 8, date(2026, 9, 28), course=2))
    request = retreated(cycle=2, today=on, planned_on=on, treatment=treatment, history=history)
    assert sentences(request, "O2") == []


def test_of_two_later_doses_the_earlier_one_is_named() -> None:
    history = (given(1, 1, DAY1), given(2, 1, CYCLE2), given(1, 15, DAY15))
    assert sentences(second_dose(history=history), "O2") == [
        "A later dose, cycle 1 day 15, was already given on 16-Mar-2026. Check the cycle and day of the order."
    ]


def test_the_same_dose_is_no_later_dose() -> None:
    request = second_dose(history=(given(1, 1, DAY1), given(1, 8, date(2026, 3, 8))))
    assert sentences(request, "O2") == []
    assert said(decide(request).findings, "O1") == ["STOP"]


def test_day_eight_needs_day_one_of_its_own_cycle_and_course() -> None:
    only_day15 = second_dose(history=(given(1, 15, DAY1),), day1_on=None)
    assert "STOP" in said(decide(only_day15).findings, "O3")
    other_cycle = second_dose(history=(given(2, 1, DAY1),), day1_on=None)
    assert "STOP" in said(decide(other_cycle).findings, "O3")
    other_course = second_dose(history=(given(1, 1, DAY1, course=2),), day1_on=None)
    assert "STOP" in said(decide(other_course).findings, "O3")
    # A day 2 does not exist, and it too asks for day 1.
    assert said(decide(second_dose(day=2, history=(), day1_on=None)).findings, "O3") == ["STOP"]


def test_day_one_is_the_day_it_was_given_not_another_days() -> None:
    """Day 1 stands behind day 8 in the record: the first of the list is not day 1."""
    history = (given(1, 8, date(2026, 3, 1)), given(1, 1, DAY1))
    request = second_dose(day=15, today=DAY15, planned_on=DAY15, history=history)
    assert sentences(request, "O3") == []


def test_day_fifteen_of_a_cycle_with_an_omission() -> None:
    def day15(*omissions: Omission) -> DoseRequest:
        treatment = replace(SCREENED, omissions=tuple(omissions))
        return second_dose(day=15, today=DAY15, planned_on=DAY15, treatment=treatment)

    assert sentences(day15(omitted(1, 8)), "O3") == []
    for elsewhere in (omitted(1, 15), omitted(2, 8), omitted(1, 8, course=2)):
        assert sentences(day15(elsewhere), "O3") == [
            "Day 8 of cycle 1 is not recorded as given. Record its omission with the reason, or enter the dose late, "
            "before going on."
        ]


def test_a_place_without_doses_asks_for_day_one_and_for_nothing_else() -> None:
    request = second_dose(level=-1, history=(given(1, 1, DAY1),))
    assert decide(request).planned_mg is None
    assert sentences(request, "O3") == []


# --- O4: dates follow one another ------------------------------------------------------------------------------


def test_a_dose_of_today_is_not_in_the_future() -> None:
    """Given today and planned for today: the second sentence is right, the first is not."""
    request = second_dose(history=(given(1, 1, DAY8),), day1_on=DAY8)
    (finding,) = [finding for finding in decide(request).findings if finding.rule == "O4"]
    assert finding.severity is Severity.STOP
    assert finding.sentence.startswith("The infusion is planned for 09-Mar-2026, but cycle 1 day 1 was given on")


def test_of_two_doses_in_the_future_one_is_said() -> None:
    ahead = (given(1, 1, date(2026, 3, 10)), given(1, 8, date(2026, 3, 11)))
    request = second_dose(day=15, history=ahead, day1_on=None)
    told = sentences(request, "O4")
    assert [line for line in told if "is recorded as given on" in line] == [
        "Cycle 1 day 1 is recorded as given on 10-Mar-2026, which is after today, 09-Mar-2026. Correct that record "
        "first."
    ]


def test_planned_for_the_day_after_the_last_dose_follows_it() -> None:
    next_day = second_dose(history=(given(1, 1, date(2026, 3, 8)),), day1_on=None)
    assert sentences(next_day, "O4") == []
    assert sentences(third_cycle(planned_on=CYCLE3 + timedelta(days=1)), "O4") == []


def test_a_dose_of_a_further_course_is_named_with_its_course() -> None:
    ahead = (*retreated().history, given(1, 1, date(2026, 9, 22), course=2))
    request = retreated(day=8, history=ahead)
    assert "Course 2, cycle 1 day 1 is recorded as given on 22-Sep-2026" in sentences(request, "O4")[0]
