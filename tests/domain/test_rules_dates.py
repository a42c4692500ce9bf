"""Windows, delays and starts of cycles, told as a pharmacist tells them (RULES R20 to R25, R28 to R31, A6 to A9, A25,
A34); every edge from both sides, by the day of the cycle as the protocol counts it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from pharmacy_app.domain.dosing import decide
from pharmacy_app.domain.findings import Finding
from pharmacy_app.domain.request import DoseRequest
from pharmacy_app.domain.schedule import on_cycle_day
from pharmacy_app.domain.treatment import Cause, Delay, Marrow, Treatment
from tests.domain.dose_cases import (
    CYCLE2,
    CYCLE3,
    DAY1,
    IN_REMISSION,
    SCREENED,
    blocking,
    delayed,
    first_dose,
    given,
    omitted,
    override,
    planned_for,
    said,
    second_cycle,
    second_dose,
    sentence,
    spoke,
    third_cycle,
)

D = Decimal
WITHIN = ("R20", "R28", "R29", "R30", "A34")
TOXICITY, OTHER = Cause.TOXICITY, Cause.OTHER


def stated(*delays: Delay, treatment: Treatment = SCREENED) -> Treatment:
    return replace(treatment, delays=delays)


def day8_on(day: int, *delays: Delay) -> DoseRequest:
    """Day 8 of cycle 1, planned for a day of the cycle."""
    return planned_for(second_dose(), on_cycle_day(DAY1, day), treatment=stated(*delays))


def day15_on(day: int, *delays: Delay, day8_given: int = 8) -> DoseRequest:
    """Day 15 of cycle 1, planned for a day of the cycle."""
    base = second_dose(day=15, history=(given(1, 1, DAY1), given(1, 8, on_cycle_day(DAY1, day8_given))))
    return planned_for(base, on_cycle_day(DAY1, day), treatment=stated(*delays))


def cycle2_on(day: int, blasts: str | None = "2", **changes: object) -> DoseRequest:
    """Cycle 2 day 1, planned for a day of cycle 1, with the blasts (%) of a marrow of Day 11."""
    marrows = SCREENED.marrows
    if blasts is not None:
        marrows = (*marrows, Marrow(on_cycle_day(DAY1, 11), D(blasts)))
    treatment = replace(IN_REMISSION, marrows=marrows)
    return planned_for(second_cycle(), on_cycle_day(DAY1, day), **{"treatment": treatment, **changes})


def cycle3_after(days: int, *delays: Delay, **changes: object) -> DoseRequest:
    """Cycle 3 day 1, so many days after day 1 of cycle 2."""
    treatment = stated(*delays, treatment=IN_REMISSION)
    return planned_for(third_cycle(), CYCLE2 + timedelta(days=days), **{"treatment": treatment, **changes})


def findings_of(request: DoseRequest) -> tuple[Finding, ...]:
    return decide(request).findings


# --- a later day of the cycle: R20, R28, R29, R30, A8 ----------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "heard"),
    [
        (2, {"R20": "OVERRIDABLE"}),
        (4, {"R20": "OVERRIDABLE"}),
        (5, {}),
        (8, {}),
        (11, {}),
        (12, {"R20": "WARN", "R28": "WARN"}),
        (14, {"R20": "WARN", "R28": "WARN"}),  # the last day of the same cycle
        (15, {"R20": "WARN", "R28": "WARN", "R30": "OVERRIDABLE"}),  # 7 days late, beyond Day 14: both readings
        (16, {"R20": "WARN", "R29": "STOP"}),  # 8 days late
        (40, {"R20": "WARN", "R29": "STOP"}),
    ],
)
def test_day_eight_held_for_toxicity(day: int, heard: dict[str, str]) -> None:
    assert spoke(findings_of(day8_on(day, delayed(1, 8))), *WITHIN) == heard


@pytest.mark.parametrize(
    ("day", "heard"),
    [
        (11, {"R20": "OVERRIDABLE"}),
        (12, {}),
        (15, {}),
        (18, {}),  # beyond Day 14, but inside the visit window
        (19, {"R20": "WARN", "R28": "WARN", "R30": "OVERRIDABLE"}),
        (22, {"R20": "WARN", "R28": "WARN", "R30": "OVERRIDABLE"}),  # 7 days late
        (23, {"R20": "WARN", "R29": "STOP"}),  # 8 days late
    ],
)
def test_day_fifteen_held_for_toxicity(day: int, heard: dict[str, str]) -> None:
    assert spoke(findings_of(day15_on(day, delayed(1, 15))), *WITHIN) == heard


@pytest.mark.parametrize(
    ("day", "heard"),
    [
        (11, {}),
        (12, {"R20": "WARN"}),
        (14, {"R20": "WARN"}),
        (15, {"R20": "WARN", "R30": "OVERRIDABLE"}),
        (16, {"R20": "WARN", "R29": "STOP"}),  # the sentence on more than 7 days names no cause
    ],
)
def test_day_eight_late_for_another_reason(day: int, heard: dict[str, str]) -> None:
    assert spoke(findings_of(day8_on(day, delayed(1, 8, OTHER))), *WITHIN) == heard


@pytest.mark.parametrize(("day", "severities"), [(8, []), (11, []), (12, ["STOP"]), (16, ["STOP"])])
def test_a_delay_beyond_the_window_needs_its_cause(day: int, severities: list[str]) -> None:
    assert said(findings_of(day8_on(day)), "A34") == severities
    # A cause stated for another dose is none for this one.
    assert said(findings_of(day8_on(day, delayed(1, 15), delayed(2, 8))), "A34") == severities


def test_a_delay_stated_twice_counts_as_stated_last() -> None:
    as_toxicity = day8_on(13, delayed(1, 8, OTHER), delayed(1, 8, TOXICITY))
    as_other = day8_on(13, delayed(1, 8, TOXICITY), delayed(1, 8, OTHER))
    assert said(findings_of(as_toxicity), "R28") == ["WARN"]
    assert said(findings_of(as_other), "R28") == []


@pytest.mark.parametrize(("day", "rule"), [(15, "R30"), (16, "R29")])
def test_day_eight_of_a_later_cycle_has_the_same_edges(day: int, rule: str) -> None:
    on = on_cycle_day(CYCLE3, day)
    base = third_cycle(day=8, history=(*third_cycle().history, given(3, 1, CYCLE3)))
    request = planned_for(base, on, treatment=stated(delayed(3, 8), treatment=IN_REMISSION))
    assert set(spoke(findings_of(request), "R29", "R30")) == {rule}


def test_both_readings_are_said_and_the_investigator_may_choose_day_eight() -> None:
    request = day8_on(15, delayed(1, 8))
    words = sentence(findings_of(request), "R30")
    assert "day 8 of cycle 1, 7 days late" in words
    assert "day 1 of cycle 2" in words
    assert blocking(findings_of(request)) == ["R30"]
    decided = decide(replace(request, overrides=(override("R30", role="prescriber"),)))
    assert decided.may_go_on
    assert decided.planned_mg == D(1)


def test_a_dose_more_than_seven_days_late_is_not_made_up_by_any_decision() -> None:
    decision = decide(day8_on(16, delayed(1, 8)))
    overridden = decide(replace(day8_on(16, delayed(1, 8)), overrides=(override("R29"),)))
    assert "R29" in blocking(decision.findings)
    assert not overridden.may_go_on
    assert said(overridden.findings, "OV") == ["STOP"]


def test_after_an_omitted_day_eight_day_fifteen_keeps_its_own_window() -> None:
    """§ 8.1.5: the subject remains eligible to receive the subsequent planned doses."""
    base = second_dose(day=15)
    treatment = replace(SCREENED, omissions=(omitted(1, 8),), delays=(delayed(1, 8),))
    request = planned_for(base, on_cycle_day(DAY1, 16), treatment=treatment)
    assert spoke(findings_of(request), *WITHIN, "O1", "O3") == {}
    assert decide(request).may_go_on


def test_an_omitted_dose_is_not_given_even_inside_its_window() -> None:
    request = planned_for(second_dose(), on_cycle_day(DAY1, 8), treatment=replace(SCREENED, omissions=(omitted(1, 8),)))
    assert said(findings_of(request), "O1") == ["STOP"]


def test_an_omission_and_a_given_dose_at_once_are_both_said() -> None:
    request = second_dose(
        history=(given(1, 1, DAY1), given(1, 8, date(2026, 3, 8))),
        treatment=replace(SCREENED, omissions=(omitted(1, 8),)),
    )
    assert said(findings_of(request), "O1") == ["STOP", "STOP"]


# --- A25: days between doses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("day8", "day15", "severities"), [(11, 12, ["WARN"]), (11, 16, ["WARN"]), (11, 17, [])])
def test_fewer_than_six_days_after_a_late_day_eight(day8: int, day15: int, severities: list[str]) -> None:
    findings = findings_of(day15_on(day15, day8_given=day8))
    assert said(findings, "A25") == severities
    # A late day 8 does not move day 15, which stays inside Day 12 to 18.
    assert said(findings, "R20") == []


def test_one_day_between_doses_is_written_as_one_day() -> None:
    assert "Only 1 day lies" in sentence(findings_of(day15_on(12, day8_given=11)), "A25")


# --- R20, A7: planned day 1 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("off", "severities"),
    [(-4, ["OVERRIDABLE"]), (-3, []), (0, []), (3, []), (4, ["WARN"])],
)
def test_day_one_of_cycle_three_against_its_plan(off: int, severities: list[str]) -> None:
    request = cycle3_after(28, delayed(3, 1), scheduled_on=CYCLE3 - timedelta(days=off))
    assert said(findings_of(request), "R20") == severities


@pytest.mark.parametrize(
    ("day", "planned_day", "heard"),
    [
        (28, 25, {}),
        (28, 24, {"A7": "INFO"}),  # 4 days off the plan, inside Day 21 to 35
        (28, 32, {"A7": "INFO"}),
        (35, 31, {"A7": "INFO"}),
        (36, 32, {"R20": "WARN"}),  # outside cycle 2's window the plan rules again
        (21, 25, {"A7": "INFO"}),
        (20, 24, {"R20": "OVERRIDABLE"}),
    ],
)
def test_the_wider_window_rules_cycle_two(day: int, planned_day: int, heard: dict[str, str]) -> None:
    request = cycle2_on(day, scheduled_on=on_cycle_day(DAY1, planned_day))
    assert spoke(findings_of(request), "R20", "A7") == heard


# --- R22, R23, R24, A6: start of cycle 2 -----------------------------------------------------------------------

START = ("R22", "R23", "A6", "R25")


@pytest.mark.parametrize(
    ("day", "heard"),
    [
        (14, {"R22": "WARN", "A6": "OVERRIDABLE"}),
        (15, {"R22": "WARN", "A6": "OVERRIDABLE"}),
        (17, {"R22": "WARN", "A6": "OVERRIDABLE"}),
        (18, {"R22": "WARN", "A6": "WARN"}),
        (20, {"R22": "WARN", "A6": "WARN"}),
        (21, {"A6": "WARN"}),  # inside Day 28 +/- 7, yet a day short of 21 days
        (22, {}),
        (28, {}),
        (29, {}),  # a cycle of 28 days ends on Day 28
        (30, {"A6": "INFO"}),
        (35, {"A6": "INFO"}),
        (36, {"R22": "WARN", "A6": "INFO"}),
    ],
)
def test_cycle_two_without_disease(day: int, heard: dict[str, str]) -> None:
    assert spoke(findings_of(cycle2_on(day)), *START) == heard


@pytest.mark.parametrize(
    ("day", "heard"),
    [
        (14, {"A6": "OVERRIDABLE"}),
        (15, {"A6": "OVERRIDABLE"}),
        (17, {"A6": "OVERRIDABLE"}),
        (18, {"A6": "WARN"}),
        (21, {"A6": "WARN"}),
        (22, {}),
        (29, {}),
        (30, {"R23": "WARN", "A6": "INFO"}),
    ],
)
def test_cycle_two_with_persistent_disease(day: int, heard: dict[str, str]) -> None:
    assert spoke(findings_of(cycle2_on(day, "30")), *START) == heard


def test_before_day_fifteen_and_up_to_seventeen_the_reasons_differ() -> None:
    assert "earliest that any reading" in sentence(findings_of(cycle2_on(14)), "A6")
    assert "last dose may still be due (Day 15)" in sentence(findings_of(cycle2_on(15)), "A6")


@pytest.mark.parametrize(("blasts", "persists"), [("0", False), ("5", False), ("5.1", True), ("5.0000001", True)])
def test_exactly_five_per_cent_is_not_persistent(blasts: str, persists: bool) -> None:
    findings = findings_of(cycle2_on(30, blasts))
    assert said(findings, "R23") == (["WARN"] if persists else [])
    assert ("disease persists" in sentence(findings, "R24")) is persists


@pytest.mark.parametrize(("day", "severities"), [(20, ["WARN"]), (21, []), (35, []), (36, ["WARN"])])
def test_without_a_marrow_the_later_window_is_applied_and_it_is_said(day: int, severities: list[str]) -> None:
    findings = findings_of(cycle2_on(day, None))
    assert said(findings, "R24") == ["WARN"]
    assert said(findings, "R22") == severities


def test_the_newest_marrow_since_day_one_is_meant() -> None:
    def with_marrows(*marrows: Marrow) -> str:
        treatment = replace(IN_REMISSION, marrows=(*SCREENED.marrows, *marrows))
        return sentence(findings_of(cycle2_on(28, None, treatment=treatment)), "R24")

    day14, day21 = on_cycle_day(DAY1, 14), on_cycle_day(DAY1, 21)
    assert "does not persist" in with_marrows(Marrow(day14, D(30)), Marrow(day21, D(2)))
    assert "does not persist" in with_marrows(Marrow(day21, D(2)), Marrow(day14, D(30)))
    # Of one day the one recorded last; of tomorrow none; of day 1 itself none.
    assert "disease persists" in with_marrows(Marrow(day21, D(2)), Marrow(day21, D(30)))
    assert "disease persists" in with_marrows(Marrow(day21, D(30)), Marrow(on_cycle_day(DAY1, 29), D(2)))
    assert "No marrow result since day 1" in with_marrows(Marrow(DAY1, D(2)))


# --- R25, A6: later cycles -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "heard"),
    [
        (18, {"R25": "OVERRIDABLE"}),
        (19, {"R25": "INFO", "A6": "WARN"}),
        (21, {"R25": "INFO", "A6": "WARN"}),
        (22, {}),
        (29, {}),
        (30, {"R25": "INFO"}),
        (32, {"R25": "INFO"}),
        (33, {"R25": "WARN"}),
    ],
)
def test_cycle_three_by_day_of_cycle_two(day: int, heard: dict[str, str]) -> None:
    assert spoke(findings_of(cycle3_after(day - 1)), *START) == heard


# --- R30, A8: a restart beyond Day 14 is the next cycle --------------------------------------------------------

NEVER_GIVEN = third_cycle().history[:-1]
"""Day 8 of cycle 2 was held and never given."""


@pytest.mark.parametrize(
    ("day", "heard"),
    [
        (14, {"R25": "OVERRIDABLE"}),  # still the same cycle: this is no restart
        (15, {"R25": "WARN", "R30": "INFO"}),
        (16, {"R25": "WARN", "R30": "INFO"}),
        (18, {"R25": "WARN", "R30": "INFO"}),
        (19, {"R25": "INFO", "R30": "INFO"}),
        (22, {"R30": "INFO"}),
    ],
)
def test_a_restart_after_toxicity_is_day_one_of_the_next_cycle(day: int, heard: dict[str, str]) -> None:
    request = cycle3_after(day - 1, delayed(2, 8), history=NEVER_GIVEN)
    assert spoke(findings_of(request), "R25", "R30") == heard


def test_an_omitted_day_eight_restarts_likewise() -> None:
    treatment = replace(IN_REMISSION, omissions=(omitted(2, 8),))
    request = cycle3_after(15, history=NEVER_GIVEN, treatment=treatment)
    assert spoke(findings_of(request), "R25", "R30", "O2") == {"R25": "WARN", "R30": "INFO"}


@pytest.mark.parametrize(
    "delays",
    [
        (delayed(2, 8, OTHER),),
        (delayed(2, 8, TOXICITY), delayed(2, 8, OTHER)),  # corrected: not toxicity
        (delayed(1, 8),),  # of another cycle
        (delayed(2, 1),),  # of day 1
    ],
)
def test_what_is_no_restart_after_toxicity(delays: tuple[Delay, ...]) -> None:
    request = cycle3_after(15, *delays, history=NEVER_GIVEN)
    assert spoke(findings_of(request), "R25", "R30") == {"R25": "OVERRIDABLE"}


def test_a_held_dose_that_was_given_after_all_is_no_restart() -> None:
    request = cycle3_after(15, delayed(2, 8))
    assert spoke(findings_of(request), "R25", "R30") == {"R25": "OVERRIDABLE"}


# --- R31, A9, A34: a late next cycle ---------------------------------------------------------------------------

LATE = ("R31", "A9", "A34")


@pytest.mark.parametrize(
    ("days", "cause", "heard"),
    [
        (31, None, {}),
        (32, None, {"A34": "STOP"}),
        (32, TOXICITY, {}),
        (49, TOXICITY, {}),
        (50, TOXICITY, {"A9": "WARN"}),  # 29 days after Day 22, 22 after Day 29
        (56, TOXICITY, {"A9": "WARN"}),
        (57, TOXICITY, {"R31": "OVERRIDABLE"}),
        (57, None, {"R31": "OVERRIDABLE", "A34": "STOP"}),
        (56, OTHER, {"A9": "WARN"}),
        (57, OTHER, {"A34": "WARN"}),
    ],
)
def test_cycle_three_late_without_a_stored_plan(days: int, cause: Cause | None, heard: dict[str, str]) -> None:
    delays = () if cause is None else (delayed(3, 1, cause),)
    assert spoke(findings_of(cycle3_after(days, *delays)), *LATE) == heard


@pytest.mark.parametrize(
    ("late", "cause", "heard"),
    [
        (3, None, {}),
        (4, None, {"A34": "STOP"}),
        (28, TOXICITY, {}),
        (29, TOXICITY, {"R31": "OVERRIDABLE"}),
        (28, OTHER, {}),
        (29, OTHER, {"A34": "WARN"}),
        (200, OTHER, {"A34": "WARN"}),
    ],
)
def test_cycle_three_late_against_its_plan(late: int, cause: Cause | None, heard: dict[str, str]) -> None:
    delays = () if cause is None else (delayed(3, 1, cause),)
    request = cycle3_after(21 + late, *delays, scheduled_on=CYCLE2 + timedelta(days=21))
    assert spoke(findings_of(request), *LATE) == heard


@pytest.mark.parametrize(("late", "severities"), [(28, []), (29, ["OVERRIDABLE"])])
def test_cycle_two_late_against_its_plan(late: int, severities: list[str]) -> None:
    treatment = replace(IN_REMISSION, delays=(delayed(2, 1),))
    planned = on_cycle_day(DAY1, 29)
    request = planned_for(second_cycle(), planned + timedelta(days=late), treatment=treatment, scheduled_on=planned)
    assert said(findings_of(request), "R31") == severities


def test_a_start_of_cycle_two_inside_its_window_asks_for_no_cause() -> None:
    planned = on_cycle_day(DAY1, 22)
    assert said(findings_of(cycle2_on(35, scheduled_on=planned)), "A34") == []
    assert said(findings_of(cycle2_on(36, scheduled_on=planned)), "A34") == ["STOP"]


def test_only_the_principal_investigator_goes_on_after_twenty_eight_days() -> None:
    request = cycle3_after(57, delayed(3, 1))
    assert blocking(findings_of(request)) == ["R31"]
    assert decide(replace(request, overrides=(override("R31"),))).may_go_on
    by_prescriber = decide(replace(request, overrides=(override("R31", role="prescriber"),)))
    assert said(by_prescriber.findings, "OV") == ["STOP"]


def test_the_first_cycle_has_no_cycle_before_to_be_late_after() -> None:
    assert spoke(findings_of(first_dose()), *LATE, *START, "R21", "R24", "R30") == {}


# --- R21: marrow -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "missing"),
    [
        ((), [14, 21]),
        ((10,), [14, 21]),
        ((11,), [21]),
        ((17,), [21]),
        ((18,), [14]),
        ((24,), [14]),
        ((25,), [14, 21]),
        ((14, 21), []),
        ((11, 24), []),
        ((29,), [14, 21]),  # after the planned day: not known yet
    ],
)
def test_the_marrows_of_cycle_one(days: tuple[int, ...], missing: list[int]) -> None:
    marrows = tuple(Marrow(on_cycle_day(DAY1, day), D(2)) for day in days)
    treatment = replace(IN_REMISSION, marrows=(*SCREENED.marrows, *marrows))
    findings = findings_of(cycle2_on(28, None, treatment=treatment))
    named = [finding.sentence for finding in findings if finding.rule == "R21"]
    assert [f"No marrow of Day {day}" in words for day, words in zip(missing, named, strict=True)] == [True] * len(
        named
    )
    assert said(findings, "R21") == ["INFO"] * len(missing)


@pytest.mark.parametrize(
    ("cycle", "newest", "severities"),
    [
        (4, date(2026, 3, 2), []),
        (5, date(2026, 3, 29), ["INFO"]),  # the day before day 1 of cycle 2
        (5, date(2026, 3, 30), []),
        (6, date(2026, 3, 30), ["INFO"]),
        (6, date(2026, 4, 27), []),
    ],
)
def test_later_the_marrow_is_taken_every_two_to_three_cycles(cycle: int, newest: date, severities: list[str]) -> None:
    history = (*third_cycle().history, given(3, 1, CYCLE3), given(3, 8, CYCLE3 + timedelta(days=7)))
    treatment = replace(IN_REMISSION, marrows=(*SCREENED.marrows, Marrow(newest, D(2))))
    request = planned_for(third_cycle(cycle=cycle, history=history), date(2026, 7, 20), treatment=treatment)
    assert said(findings_of(request), "R21") == severities


# --- the calendar itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day1", "first", "due", "last"),
    [
        (date(2026, 3, 2), date(2026, 3, 6), date(2026, 3, 9), date(2026, 3, 12)),  # over 8 March: US clocks
        (date(2026, 3, 23), date(2026, 3, 27), date(2026, 3, 30), date(2026, 4, 2)),  # over 29 March: EU clocks
        (date(2026, 10, 19), date(2026, 10, 23), date(2026, 10, 26), date(2026, 10, 29)),  # over 25 October: EU
        (date(2026, 10, 26), date(2026, 10, 30), date(2026, 11, 2), date(2026, 11, 5)),  # over 1 November: US
        (date(2026, 12, 28), date(2027, 1, 1), date(2027, 1, 4), date(2027, 1, 7)),  # over the year's end
        (date(2028, 2, 24), date(2028, 2, 28), date(2028, 3, 2), date(2028, 3, 5)),  # over 29 February
        (date(2027, 2, 24), date(2027, 2, 28), date(2027, 3, 3), date(2027, 3, 6)),  # no leap year
    ],
)
def test_day_eight_over_the_turns_of_the_calendar(day1: date, first: date, due: date, last: date) -> None:
    base = second_dose(day1_on=day1, history=(given(1, 1, day1),))
    window = decide(planned_for(base, due)).window
    assert window is not None
    assert (window.earliest, window.expected_on, window.latest) == (first, due, last)
    one = timedelta(days=1)
    for on, severities in ((first - one, ["OVERRIDABLE"]), (first, []), (last, []), (last + one, ["WARN"])):
        assert said(findings_of(planned_for(base, on)), "R20") == severities


@pytest.mark.parametrize(
    ("day1", "last"),
    [
        (date(2028, 2, 1), date(2028, 3, 28)),  # 56 days over 29 February
        (date(2027, 2, 1), date(2027, 3, 29)),
        (date(2026, 12, 1), date(2027, 1, 26)),
        (date(2026, 10, 1), date(2026, 11, 26)),
    ],
)
def test_fifty_six_days_over_the_turns_of_the_calendar(day1: date, last: date) -> None:
    treatment = stated(delayed(3, 1), treatment=IN_REMISSION)
    base = third_cycle(history=(*second_cycle().history, given(2, 1, day1)), treatment=treatment)
    assert said(findings_of(planned_for(base, last)), "R31") == []
    assert said(findings_of(planned_for(base, last + timedelta(days=1))), "R31") == ["OVERRIDABLE"]


# --- the words that depend on the case -------------------------------------------------------------------------


def test_how_far_off_a_date_is_stands_in_days() -> None:
    assert "12-Mar-2026 is 3 days after" not in "".join(finding.sentence for finding in findings_of(day8_on(11)))
    assert sentence(findings_of(day8_on(12)), "R20").startswith(
        "13-Mar-2026 is 4 days after day 8 was due (09-Mar-2026); the window closed on 12-Mar-2026."
    )
    assert sentence(findings_of(day8_on(4)), "R20").startswith(
        "05-Mar-2026 is 4 days before day 8 is due (09-Mar-2026); the window opens on 06-Mar-2026."
    )


def test_a_start_without_a_stored_plan_is_judged_by_the_cycle_and_not_by_a_window_of_its_own() -> None:
    assert spoke(findings_of(cycle3_after(40)), "R20", "R25") == {"R25": "WARN"}


def test_a_day_that_the_cycle_does_not_have_is_late_all_the_same() -> None:
    """Day 2 ordered by mistake, on day 9: the wrong day is said (R2), and so is all that follows from it."""
    request = planned_for(second_dose(day=2), on_cycle_day(DAY1, 9))
    assert spoke(findings_of(request), "R2", "R20", "R28", "A34") == {
        "R2": "STOP",
        "R20": "WARN",
        "R28": "WARN",
        "A34": "STOP",
    }


@pytest.mark.parametrize(
    ("blasts", "words"),
    [
        ("5", "shows 5 % blasts, not more than 5 %: disease does not persist, cycle 2 starts on Day 21 to 35."),
        ("5.1", "shows 5.1 % blasts, more than 5 %: disease persists, cycle 2 starts on Day 15 to 29."),
    ],
)
def test_the_marrow_is_read_out_against_its_limit(blasts: str, words: str) -> None:
    assert words in sentence(findings_of(cycle2_on(28, blasts)), "R24")


def test_a_longer_first_cycle_is_told_by_whether_the_window_allows_it() -> None:
    assert sentence(findings_of(cycle2_on(35)), "A6").endswith("the window of cycle 2 allows it.")
    assert sentence(findings_of(cycle2_on(36)), "A6").endswith("Day 36 makes cycle 1 longer than 28 days.")


@pytest.mark.parametrize(
    ("days", "words"), [(1, "Only 1 day lies between"), (2, "Only 2 days lie between"), (5, "Only 5 days lie between")]
)
def test_the_days_since_the_last_dose_are_counted(days: int, words: str) -> None:
    findings = findings_of(planned_for(second_dose(), DAY1 + timedelta(days=days)))
    assert sentence(findings, "A25").startswith(words)


def test_on_the_day_of_the_last_dose_the_date_is_wrong_not_the_interval() -> None:
    assert spoke(findings_of(planned_for(second_dose(), DAY1)), "O4", "A25") == {"O4": "STOP"}


def test_the_very_first_dose_may_come_later_than_planned_without_a_cause() -> None:
    request = first_dose(scheduled_on=DAY1 - timedelta(days=60))
    assert spoke(findings_of(request), *LATE) == {}


def test_day_eight_of_a_cycle_that_started_late_is_judged_by_its_own_day_one() -> None:
    """Cycle 3 began 60 days after cycle 2, which was decided then; its day 8 is in time."""
    day1 = CYCLE2 + timedelta(days=60)
    base = third_cycle(day=8, history=(*third_cycle().history, given(3, 1, day1)), scheduled_on=CYCLE2)
    request = planned_for(base, day1 + timedelta(days=7))
    assert spoke(findings_of(request), *LATE, "R20") == {}
    assert spoke(findings_of(replace(request, scheduled_on=None)), *LATE, "R20") == {}


def test_with_a_stored_plan_the_two_ways_of_counting_do_not_matter() -> None:
    """50 days after cycle 2, and 20 after the planned day 1."""
    request = cycle3_after(50, delayed(3, 1), scheduled_on=CYCLE2 + timedelta(days=30))
    assert spoke(findings_of(request), *LATE) == {}


def test_a_restart_names_the_day_of_the_cycle_it_breaks_off() -> None:
    request = cycle3_after(15, delayed(2, 8), history=NEVER_GIVEN)
    assert sentence(findings_of(request), "R30").startswith(
        "Treatment restarts on Day 16 of cycle 2, beyond Day 14: this counts as day 1 of cycle 3"
    )


def test_a_late_cycle_names_what_it_is_counted_from() -> None:
    planned = sentence(findings_of(cycle3_after(50, delayed(3, 1), scheduled_on=CYCLE2 + timedelta(days=21))), "R31")
    assert planned.startswith("Day 1 of cycle 3 is 29 days after the planned day 1 (20-Apr-2026).")
    latest = sentence(findings_of(cycle3_after(57, delayed(3, 1))), "R31")
    assert latest.startswith("Day 1 of cycle 3 is 29 days after the latest day on which it could be due (27-Apr-2026).")


def test_three_cycles_are_counted_from_a_day_one() -> None:
    """Of cycle 2 only day 8 is on record: what is missing there is said elsewhere (O2, R25)."""
    history = tuple(dose for dose in third_cycle().history if (dose.cycle, dose.day) != (2, 1))
    request = planned_for(third_cycle(cycle=5, history=history), date(2026, 7, 20), treatment=SCREENED)
    assert said(findings_of(request), "R21") == []


@pytest.mark.parametrize("request_", [second_cycle(), third_cycle()])
def test_a_cycle_whose_day_one_before_is_missing_cannot_be_judged(request_: DoseRequest) -> None:
    history = tuple(dose for dose in request_.history if (dose.cycle, dose.day) != (request_.cycle - 1, 1))
    assert spoke(findings_of(replace(request_, history=history)), *START) == {"R25": "WARN"}


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "0 days lie between day 1 of cycle 2"), (-1, "This day 1 lies 1 day before day 1 of cycle 2")],
)
def test_a_day_one_before_the_day_one_before_it_is_said_so(days: int, words: str) -> None:
    """A date typed a day too early: no number of days below nothing is written."""
    said = [finding.sentence for finding in findings_of(planned_for(third_cycle(), CYCLE2 + timedelta(days=days)))]
    assert any(sentence.startswith(words) for sentence in said), said
