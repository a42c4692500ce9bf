"""Dose levels, told as a pharmacist tells them (§ 8.1.4, 8.1.6; RULES R4, R43 to R49, A5, A10 to A14, A36 to A38):
levels change between cycles with a recorded reason, and never go up again after toxicity."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pharmacy_app.domain.dosing import decide
from pharmacy_app.domain.findings import Finding
from pharmacy_app.domain.request import DoseRequest
from pharmacy_app.domain.treatment import (
    Cause,
    Delay,
    LevelChange,
    LevelReason,
    Response,
    ResponseAssessment,
    Schedule,
    Toxicity,
)
from tests.domain.dose_cases import (
    CYCLE2,
    CYCLE3,
    DAY1,
    IN_REMISSION,
    ORDERED,
    blocking,
    delayed,
    first_dose,
    given,
    lab,
    lowered,
    met,
    omitted,
    override,
    planned_for,
    retreated,
    said,
    second_cycle,
    second_dose,
    sentence,
    spoke,
    third_cycle,
)

D = Decimal
REMISSION, PLATELETS, OTHER = LevelReason.REMISSION, LevelReason.PLATELETS, LevelReason.OTHER


def at(
    level: int, *changes: LevelChange, cycle: int = 3, request: DoseRequest | None = None, **more: Any
) -> tuple[Finding, ...]:
    """The findings of day 1 of a cycle ordered at a level, with these changes recorded."""
    base = third_cycle() if request is None else request
    treatment = replace(base.treatment, level_changes=changes)
    return decide(replace(base, cycle=cycle, level=level, treatment=treatment, **more)).findings


# --- R43: as recorded, between cycles --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "changes", "heard"),
    [
        (0, (), {}),
        (-1, (), {"R43": "STOP"}),
        (-2, (), {"R43": "STOP"}),
        (-1, (lowered(3, -1),), {}),
        (-2, (lowered(3, -1),), {"R43": "STOP"}),
        (0, (lowered(3, -1),), {"R47": "STOP"}),
        (0, (lowered(3, -1, reason=REMISSION),), {"R43": "STOP"}),
        (0, (lowered(3, -1, reason=PLATELETS),), {"R47": "STOP"}),
        (0, (lowered(4, -1),), {}),  # recorded for the cycle after
        (-1, (lowered(4, -1),), {"R43": "STOP"}),
        (-1, (lowered(2, -1),), {}),  # stays in force
        (-2, (lowered(2, -1), lowered(3, -2, before=-1)), {}),
    ],
)
def test_the_level_of_the_order_is_the_recorded_one(
    level: int, changes: tuple[LevelChange, ...], heard: dict[str, str]
) -> None:
    assert spoke(at(level, *changes), "R43", "R47") == heard


def test_of_two_changes_for_one_cycle_the_one_recorded_last_counts() -> None:
    to_one, to_two = lowered(3, -1), lowered(3, -2)
    assert spoke(at(-2, to_one, to_two), "R43", "R47", "R48") == {}
    assert spoke(at(-1, to_two, to_one), "R43", "R47", "R48") == {}
    assert spoke(at(-1, to_one, to_two), "R43", "R47") == {"R47": "STOP"}
    # Two steps, not three: the first of the two changes was replaced.
    assert said(at(-2, to_one, to_two), "A13") == ["WARN"]
    assert said(at(-1, to_two, to_one), "A13") == []


@pytest.mark.parametrize(
    ("day1_level", "level", "severities"), [(0, 0, []), (-1, -1, []), (-1, 0, ["STOP"]), (0, -1, ["STOP"])]
)
def test_day_eight_has_the_level_of_day_one(day1_level: int, level: int, severities: list[str]) -> None:
    on = CYCLE3 + timedelta(days=7)
    changes = (lowered(3, -1, reason=REMISSION),) if day1_level else ()
    base = planned_for(third_cycle(day=8, history=(*third_cycle().history, given(3, 1, CYCLE3, level=day1_level))), on)
    assert said(at(level, *changes, request=base), "R43") == severities


def test_a_change_recorded_for_the_next_cycle_leaves_day_eight_alone() -> None:
    on = CYCLE3 + timedelta(days=7)
    base = planned_for(third_cycle(day=8, history=(*third_cycle().history, given(3, 1, CYCLE3))), on)
    assert spoke(at(0, lowered(4, -1), request=base), "R43", "R47") == {}


# --- R4, A5 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "severities"), [(1, ["STOP"]), (0, []), (-1, []), (-2, []), (-3, ["STOP"])])
def test_three_levels_exist(level: int, severities: list[str]) -> None:
    changes = (lowered(3, level),) if level else ()
    assert said(at(level, *changes), "R4") == severities


@pytest.mark.parametrize("request_", [first_dose(), second_dose()])
def test_cycle_one_has_no_levels(request_: DoseRequest) -> None:
    assert said(at(-1, request=request_, cycle=1), "A5") == ["STOP"]
    # Not even when a change was recorded for it.
    assert said(at(-1, lowered(1, -1), request=request_, cycle=1), "A5") == ["STOP"]
    assert spoke(at(0, lowered(1, -1), request=request_, cycle=1), "A5", "R43", "R4") == {}


# --- R47, A11: never up again ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cycle", [4, 5, 6])
@pytest.mark.parametrize(("level", "severities"), [(0, ["STOP"]), (-1, [])])
def test_after_toxicity_the_level_stays_down(cycle: int, level: int, severities: list[str]) -> None:
    assert said(at(level, lowered(3, -1), cycle=cycle), "R47") == severities


def test_recording_a_rise_after_toxicity_does_not_allow_it() -> None:
    up = lowered(4, 0, before=-1, reason=OTHER)
    assert spoke(at(0, lowered(3, -1), up, cycle=4), "R47", "A11") == {"R47": "STOP"}
    assert not decide(replace(third_cycle(), cycle=4, overrides=(override("R47"),))).may_go_on


def test_after_toxicity_a_later_step_for_remission_is_not_taken_back_either() -> None:
    """§ 8.1.6: once the dose was reduced for toxicity, it is not re-escalated."""
    down, further = lowered(3, -1), lowered(4, -2, before=-1, reason=REMISSION)
    assert said(at(-2, down, further, cycle=5), "R47") == []
    back = lowered(5, -1, before=-2, reason=OTHER)
    assert said(at(-1, down, further, back, cycle=5), "R47") == ["STOP"]


def test_platelets_that_do_not_recover_are_toxicity() -> None:
    """§ 8.1.6 names that reduction beside the others and forbids going back for toxicity: the safer reading."""
    up = lowered(4, 0, before=-1, reason=OTHER)
    assert spoke(at(0, lowered(3, -1, reason=PLATELETS), up, cycle=4), "R47", "A11") == {"R47": "STOP"}


@pytest.mark.parametrize("reason", [REMISSION, OTHER])
def test_going_back_from_a_step_that_was_not_for_toxicity_warns(reason: LevelReason) -> None:
    up = lowered(4, 0, before=-1, reason=OTHER)
    assert spoke(at(0, lowered(3, -1, reason=reason), up, cycle=4), "R47", "A11") == {"A11": "WARN"}
    # Said once, in the cycle that goes up.
    assert spoke(at(0, lowered(3, -1, reason=reason), up, cycle=5), "R47", "A11") == {}


def test_a_rise_is_no_reduction_for_toxicity_whatever_reason_it_carries() -> None:
    up = lowered(4, 0, before=-1, reason=LevelReason.TOXICITY)
    assert spoke(at(0, lowered(3, -1, reason=REMISSION), up, cycle=4), "R47", "A11") == {"A11": "WARN"}


def test_a_toxicity_step_after_a_remission_step_binds_at_the_lower_level() -> None:
    changes = (lowered(3, -1, reason=REMISSION), lowered(4, -2, before=-1))
    assert said(at(-1, *changes, cycle=5), "R47") == ["STOP"]
    assert said(at(-2, *changes, cycle=5), "R47") == []


# --- R47, A22: retreatment -------------------------------------------------------------------------------------

AS_LATER = replace(retreated().treatment, retreatments=(replace(ORDERED, schedule=Schedule.LATER_CYCLES),))


def retreated_at(level: int, *changes: LevelChange, as_later: bool, **more: Any) -> DoseRequest:
    treatment = AS_LATER if as_later else retreated().treatment
    return retreated(level=level, treatment=replace(treatment, level_changes=changes), **more)


def test_a_retreatment_with_later_cycle_doses_has_levels_from_its_first_day() -> None:
    # 0.6, 0.4 and 0.3 mg/m² × 2 m².
    for level, changes, mg in (
        (0, (), "1.2"),
        (-1, (lowered(3, -1),), "0.8"),
        (-2, (lowered(2, -1), lowered(3, -2, before=-1)), "0.6"),
        (-1, (lowered(1, -1, course=2, reason=OTHER),), "0.8"),
    ):
        decision = decide(retreated_at(level, *changes, as_later=True, prescribed_mg=D(mg)))
        assert decision.planned_mg == D(mg)
        assert decision.may_go_on


def test_a_retreatment_never_exceeds_the_level_that_toxicity_left() -> None:
    first_doses = decide(retreated_at(0, lowered(3, -1), as_later=False))
    assert said(first_doses.findings, "R47") == ["STOP"]
    later_doses = decide(retreated_at(0, lowered(3, -1), as_later=True, prescribed_mg=D("1.2")))
    assert said(later_doses.findings, "R47") == ["STOP"]
    assert not later_doses.may_go_on


def test_a_retreatment_begins_at_level_zero_after_a_remission_step() -> None:
    changes = (lowered(3, -1, reason=REMISSION),)
    assert decide(retreated_at(0, *changes, as_later=True, prescribed_mg=D("1.2"))).may_go_on
    assert decide(retreated_at(0, *changes, as_later=False)).may_go_on
    unrecorded = decide(retreated_at(-1, *changes, as_later=True, prescribed_mg=D("0.8")))
    assert said(unrecorded.findings, "R43") == ["STOP"]


def test_a_retreatment_with_later_cycle_doses_has_no_day_fifteen() -> None:
    with_order = retreated_at(0, as_later=True, day=15)
    assert spoke(decide(with_order).findings, "R2", "R3") == {"R3": "STOP"}
    assert spoke(decide(retreated_at(0, as_later=False, day=15)).findings, "R2", "R3") == {}
    # The order is for course 2: cycle 1 of course 1 keeps its three days.
    day15 = second_dose(day=15, treatment=AS_LATER)
    assert spoke(decide(day15).findings, "R2", "R3") == {}


# --- R48, A12, A13: how many steps -----------------------------------------------------------------------------


def test_two_steps_down_are_the_most() -> None:
    two = (lowered(3, -1), lowered(4, -2, before=-1))
    assert said(at(-2, *two, cycle=5), "R48") == []
    third = lowered(5, -3, before=-2)
    assert spoke(at(-3, *two, third, cycle=5), "R48", "R4") == {"R48": "STOP", "R4": "STOP"}
    # Recorded for a later cycle it does not stop this one.
    assert said(at(-2, *two, third, cycle=4), "R48") == []


def test_every_step_counts_whatever_its_reason_and_the_principal_investigator_may_forgive_a_remission_step() -> None:
    changes = (
        lowered(3, -1, reason=REMISSION),
        lowered(4, 0, before=-1, reason=OTHER),
        lowered(5, -2),
    )
    assert said(at(-2, *changes, cycle=5), "R48") == ["OVERRIDABLE"]
    assert "1 of them was made for remission" in sentence(at(-2, *changes, cycle=5), "R48")
    both = (changes[0], changes[1], replace(changes[2], reason=REMISSION))
    assert "3 of them were made for remission" in sentence(at(-2, *both, cycle=5), "R48")
    by_other = (replace(changes[0], reason=PLATELETS), *changes[1:])
    assert said(at(-2, *by_other, cycle=5), "R48") == ["STOP"]
    prescriber = (override("R48", role="prescriber"),)
    assert said(at(-2, *changes, cycle=5, overrides=prescriber), "OV") == ["STOP"]
    assert said(at(-2, *changes, cycle=5, overrides=(override("R48"),)), "OV") == []


def test_a_remission_step_forgiven_must_leave_two() -> None:
    changes = (
        lowered(2, -1, reason=REMISSION),
        lowered(3, 0, before=-1, reason=OTHER),
        lowered(4, -2, reason=PLATELETS),
        lowered(5, -1, before=-2, reason=OTHER),
        lowered(6, -2, before=-1),
    )
    assert said(at(-2, *changes, cycle=6), "R48") == ["STOP"]  # 4 steps, 3 of them not for remission


def test_steps_of_the_first_course_count_in_a_retreatment() -> None:
    changes = (lowered(3, -1), lowered(4, -2, before=-1), lowered(2, -3, before=-2, course=2))
    request = retreated(cycle=2)
    assert said(at(-3, *changes, request=request, cycle=2), "R48") == ["STOP"]


@pytest.mark.parametrize(("cycle", "severities"), [(3, ["WARN"]), (4, [])])
def test_two_steps_at_once_warn_where_they_are_taken(cycle: int, severities: list[str]) -> None:
    assert said(at(-2, lowered(3, -2), cycle=cycle), "A13") == severities
    assert said(at(-1, lowered(3, -1), cycle=cycle), "A13") == []


def test_two_steps_at_once_count_as_two() -> None:
    changes = (lowered(3, -2), lowered(4, -3, before=-2))
    assert said(at(-3, *changes, cycle=4), "R48") == ["STOP"]


# --- A10: reduced before cycle 3 -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cycle", "reason", "severities", "part"),
    [
        (2, LevelReason.TOXICITY, ["WARN"], "safe side"),
        (2, OTHER, ["WARN"], "safe side"),
        (2, REMISSION, ["WARN"], "deviation"),
        (3, LevelReason.TOXICITY, [], ""),
        (3, REMISSION, [], ""),
    ],
)
def test_a_reduction_before_cycle_three(cycle: int, reason: LevelReason, severities: list[str], part: str) -> None:
    request = second_cycle() if cycle == 2 else third_cycle()
    findings = at(-1, lowered(cycle, -1, reason=reason), cycle=cycle, request=request)
    assert said(findings, "A10") == severities
    if part:
        assert part in sentence(findings, "A10")
        assert "R43" not in blocking(findings)


def test_level_zero_in_cycle_two_is_the_rule() -> None:
    assert said(decide(second_cycle()).findings, "A10") == []


# --- R44: remission --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cycle", "level", "response", "severities"),
    [
        (3, 0, Response.CR, ["INFO"]),
        (3, 0, Response.CRP, ["INFO"]),
        (3, 0, Response.CRI, ["INFO"]),
        (6, 0, Response.CR, ["INFO"]),
        (3, -1, Response.CR, []),
        (2, 0, Response.CR, []),
        (3, 0, Response.PR, []),
        (3, 0, Response.NR, []),
        (3, 0, Response.PD, []),
        (3, 0, None, []),
    ],
)
def test_after_remission_the_lower_level_may_be_chosen(
    cycle: int, level: int, response: Response | None, severities: list[str]
) -> None:
    responses = () if response is None else (ResponseAssessment(1, 1, CYCLE2, response),)
    base = third_cycle(treatment=replace(IN_REMISSION, responses=responses))
    changes = (lowered(3, level, reason=REMISSION),) if level else ()
    assert said(at(level, *changes, cycle=cycle, request=base), "R44") == severities


@pytest.mark.parametrize(
    ("level", "response", "severities"),
    [
        (-1, Response.CR, []),
        (-2, Response.CR, ["WARN"]),
        (-1, Response.PR, ["WARN"]),
        (-1, None, ["WARN"]),
    ],
)
def test_a_step_for_remission_goes_to_its_level_in_remission_only(
    level: int, response: Response | None, severities: list[str]
) -> None:
    """§ 8.1.4(3): to 0.6 mg/m² a cycle, which is level −1, if remission is achieved."""
    responses = () if response is None else (ResponseAssessment(1, 1, CYCLE2, response),)
    base = third_cycle(treatment=replace(IN_REMISSION, responses=responses))
    assert said(at(level, lowered(3, level, reason=REMISSION), request=base), "R44") == severities


def test_a_response_of_tomorrow_or_of_another_course_offers_nothing() -> None:
    for response in (
        ResponseAssessment(1, 2, CYCLE3 + timedelta(days=1), Response.CR),
        ResponseAssessment(2, 2, CYCLE2, Response.CR),
    ):
        base = third_cycle(treatment=replace(IN_REMISSION, responses=(response,)))
        assert said(decide(base).findings, "R44") == []


# --- R45, A37: interruption of 14 days -------------------------------------------------------------------------


def restarted(days_held: int, *delays: Delay, level: int = 0, given_late: int | None = None) -> tuple[Finding, ...]:
    """Cycle 3 day 1, so many days after day 8 of cycle 2 was due (6 April) and was held."""
    due = date(2026, 4, 6)
    history = third_cycle().history[:-1]
    if given_late is not None:
        history = (*history, given(2, 8, due + timedelta(days=given_late)))
    changes = (lowered(3, level),) if level else ()
    treatment = replace(IN_REMISSION, delays=delays, level_changes=changes)
    request = third_cycle(level=level, history=history, treatment=treatment)
    return decide(planned_for(request, due + timedelta(days=days_held))).findings


@pytest.mark.parametrize(
    ("days", "delays", "severities"),
    [
        (13, (delayed(2, 8),), []),
        (14, (delayed(2, 8),), ["INFO"]),
        (30, (delayed(2, 8),), ["INFO"]),
        (30, (delayed(2, 8, Cause.OTHER),), []),
        (30, (delayed(2, 8), delayed(2, 8, Cause.OTHER)), []),  # corrected: not toxicity
        (30, (delayed(2, 8, Cause.OTHER), delayed(2, 8)), ["INFO"]),
        (30, (delayed(1, 8),), []),
        (30, (), []),
        (30, (delayed(2, 8, course=2),), []),
    ],
)
def test_a_dose_held_for_toxicity(days: int, delays: tuple[Delay, ...], severities: list[str]) -> None:
    assert said(restarted(days, *delays), "R45") == severities


def test_a_held_dose_that_was_given_late_ends_the_interruption() -> None:
    assert said(restarted(30, delayed(2, 8), given_late=7), "R45") == []
    assert said(restarted(30, delayed(2, 8), given_late=14), "R45") == ["INFO"]


def test_the_next_lower_level_is_named_or_said_to_be_missing() -> None:
    assert "next lower level, -1" in sentence(restarted(14, delayed(2, 8)), "R45")
    assert "next lower level, -2" in sentence(restarted(14, delayed(2, 8), level=-1), "R45")
    assert "no lower level" in sentence(restarted(14, delayed(2, 8), level=-2), "R45")


@pytest.mark.parametrize("planned", [True, False])
@pytest.mark.parametrize(
    ("late", "cause", "severities"),
    [(13, Cause.TOXICITY, []), (14, Cause.TOXICITY, ["INFO"]), (14, Cause.OTHER, [])],
)
def test_a_cycle_start_held_for_toxicity(planned: bool, late: int, cause: Cause, severities: list[str]) -> None:
    """Counted from the planned day 1; without a plan from the last day on which it could be due, Day 29."""
    treatment = replace(IN_REMISSION, delays=(delayed(3, 1, cause),))
    request = third_cycle(treatment=treatment, scheduled_on=CYCLE3 if planned else None)
    assert said(decide(planned_for(request, CYCLE3 + timedelta(days=late))).findings, "R45") == severities


def test_fourteen_days_held_and_beyond_day_fourteen_are_two_clocks() -> None:
    # Day 8 due on 6 April, restart on Day 15, 13 April: 7 days held, yet the next cycle.
    assert spoke(restarted(7, delayed(2, 8)), "R30", "R45") == {"R30": "INFO"}
    assert spoke(restarted(14, delayed(2, 8)), "R30", "R45") == {"R30": "INFO", "R45": "INFO"}


# --- R46, A14: platelets after CRi or CRp ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "before", "now", "severities"),
    [
        (Response.CRI, "120", "119.9", ["INFO"]),
        (Response.CRP, "120", "119.9", ["INFO"]),
        (Response.CRI, "120", "120", []),  # equal is recovered
        (Response.CRI, "120", "121", []),
        (Response.CR, "120", "60", []),
        (Response.PR, "120", "60", []),
        (Response.CRI, None, "60", ["INFO"]),
        (Response.CRI, "120", None, ["INFO"]),
    ],
)
def test_platelets_not_recovered(
    response: Response, before: str | None, now: str | None, severities: list[str]
) -> None:
    def platelets(amount: str | None, on: date) -> Any:
        return None if amount is None else lab(amount, on, "10⁹/L")

    criteria = (
        met(1, 1, DAY1),
        met(2, 1, CYCLE2, platelets=platelets(before, CYCLE2)),
        met(3, 1, CYCLE3, platelets=platelets(now, CYCLE3)),
    )
    treatment = replace(IN_REMISSION, responses=(ResponseAssessment(1, 2, CYCLE3, response),))
    findings = decide(third_cycle(criteria=criteria, treatment=treatment)).findings
    assert said(findings, "R46") == severities
    if before is None or now is None:
        assert "not known" in sentence(findings, "R46") or severities == []


def test_platelets_are_compared_at_cycle_starts_only() -> None:
    on = CYCLE3 + timedelta(days=7)
    treatment = replace(IN_REMISSION, responses=(ResponseAssessment(1, 2, CYCLE3, Response.CRI),))
    base = third_cycle(day=8, treatment=treatment, history=(*third_cycle().history, given(3, 1, CYCLE3)))
    assert said(decide(planned_for(base, on)).findings, "R46") == []


# --- R49, A36 --------------------------------------------------------------------------------------------------


def test_the_worst_related_toxicity_of_the_last_cycle_is_named() -> None:
    events = (
        Toxicity("nausea", 2, True, date(2026, 4, 10)),
        Toxicity("rash", 3, True, CYCLE2),
        Toxicity("fall", 3, False, date(2026, 4, 12)),
        Toxicity("old fever", 3, True, CYCLE2 - timedelta(days=1)),
        Toxicity("new cough", 3, True, CYCLE3 + timedelta(days=1)),
    )

    def said_of(*chosen: Toxicity) -> list[str]:
        treatment = replace(IN_REMISSION, toxicities=chosen)
        findings = decide(third_cycle(treatment=treatment)).findings
        return [finding.sentence for finding in findings if finding.rule == "R49"]

    assert "rash, grade 3 (CTCAE 4.03)" in said_of(*events)[0]
    assert "nausea, grade 2" in said_of(events[0], *events[2:])[0]
    assert said_of(*events[2:]) == []


def test_an_omission_is_no_reduction() -> None:
    treatment = replace(IN_REMISSION, omissions=(omitted(2, 8),))
    request = third_cycle(history=third_cycle().history[:-1], treatment=treatment)
    findings = decide(request).findings
    assert said(findings, "A36") == ["INFO"]
    assert spoke(findings, "R43", "R48", "O2") == {}
    assert decide(request).may_go_on
    # Two lowerings and an omission are still two steps.
    lower = replace(treatment, level_changes=(lowered(2, -1), lowered(3, -2, before=-1)))
    assert said(decide(replace(request, level=-2, treatment=lower)).findings, "R48") == []


def test_an_omission_of_another_cycle_is_not_mentioned() -> None:
    treatment = replace(IN_REMISSION, omissions=(omitted(1, 8),))
    assert said(decide(third_cycle(treatment=treatment)).findings, "A36") == []


def test_a_missing_dose_without_an_omission_asks_what_became_of_it() -> None:
    assert said(decide(third_cycle(history=third_cycle().history[:-1])).findings, "O2") == ["WARN"]


# --- at the edges of the cycle, the course and the record ------------------------------------------------------

DAY8_OF_3 = CYCLE3 + timedelta(days=7)


def day8_of_cycle3(*, day1_level: int = 0, day: int = 8) -> DoseRequest:
    history = (*third_cycle().history, given(3, 1, CYCLE3, level=day1_level))
    return planned_for(third_cycle(day=day, history=history), DAY8_OF_3)


@pytest.mark.parametrize("day", [2, 8])
def test_a_change_inside_a_cycle_is_told_from_the_level_of_its_day_one(day: int) -> None:
    """The change was recorded after day 1 was given; day 8 keeps the level of day 1."""
    changed = lowered(3, -1)
    findings = at(-1, changed, request=day8_of_cycle3(day=day))
    assert sentence(findings, "R43").startswith("Day 1 of cycle 3 was given at level 0; within a cycle")
    raised = lowered(3, 0, reason=OTHER)
    assert said(at(-1, raised, request=day8_of_cycle3(day1_level=-1, day=day)), "R43") == []


def test_the_level_of_another_dose_of_the_cycle_is_not_that_of_day_one() -> None:
    base = day8_of_cycle3()
    only_day8 = replace(base, history=(*third_cycle().history, given(3, 8, CYCLE3, level=-1)))
    assert said(at(0, request=only_day8), "R43") == []


def test_day_one_that_was_given_already_does_not_set_its_own_level() -> None:
    """That it was given already is O1's to say."""
    again = third_cycle(history=(*third_cycle().history, given(3, 1, CYCLE3 - timedelta(days=1), level=-1)))
    assert spoke(at(0, request=again), "R43", "O1") == {"O1": "STOP"}


def test_a_reduction_in_cycle_one_is_said_once() -> None:
    """Cycle 1 has no levels: A5 says so, and neither R43, A10 nor R47 repeats it."""
    assert spoke(decide(first_dose(level=-1)).findings, "A5", "R43", "A10", "R47") == {"A5": "STOP"}
    recorded = replace(IN_REMISSION, level_changes=(lowered(1, -1),))
    assert spoke(decide(first_dose(treatment=recorded)).findings, "R43", "R47") == {}


def test_a_rise_that_was_recorded_after_toxicity_has_to_be_corrected() -> None:
    rise = LevelChange(1, 3, -1, 0, OTHER, "Dr. A. Reyes", DAY1, "feels well")
    assert spoke(at(-1, lowered(2, -1), rise), "R43", "R47") == {"R43": "STOP"}
    assert spoke(at(0, lowered(2, -1), rise), "R43", "R47") == {"R47": "STOP"}


def test_at_the_level_of_remission_nothing_more_is_offered() -> None:
    assert said(at(-1, lowered(2, -1)), "R44") == []
    assert said(at(-2, lowered(2, -2)), "R44") == []
    assert said(at(0), "R44") == ["INFO"]


def test_an_interruption_is_counted_at_cycle_starts_from_cycle_two_on() -> None:
    held = replace(IN_REMISSION, delays=(delayed(2, 8),))
    day8 = replace(planned_for(day8_of_cycle3(), DAY8_OF_3), treatment=held)
    without_day8 = replace(day8, history=tuple(dose for dose in day8.history if (dose.cycle, dose.day) != (2, 8)))
    assert said(decide(without_day8).findings, "R45") == []
    first = first_dose(treatment=replace(IN_REMISSION, delays=(delayed(1, 1),)), scheduled_on=DAY1 - timedelta(days=20))
    assert said(decide(first).findings, "R45") == []
    second = second_cycle(
        treatment=replace(IN_REMISSION, delays=(delayed(1, 15),)), history=second_cycle().history[:-1]
    )
    # Day 15 was due on 16 March, 14 days before 30 March.
    assert said(decide(second).findings, "R45") == ["INFO"]
    assert said(decide(planned_for(second, CYCLE2 - timedelta(days=1))).findings, "R45") == []


def test_every_delay_is_looked_at() -> None:
    """The first delay was not for toxicity; the second was, and lasted 30 days."""
    assert said(restarted(30, delayed(2, 1, Cause.OTHER), delayed(2, 8)), "R45") == ["INFO"]


def test_a_dose_that_was_held_two_cycles_ago_interrupts_nothing_now() -> None:
    history = tuple(dose for dose in third_cycle().history if (dose.cycle, dose.day) != (1, 8))
    request = third_cycle(history=history, treatment=replace(IN_REMISSION, delays=(delayed(1, 8),)))
    assert said(decide(request).findings, "R45") == []


def test_without_day_one_of_the_cycle_before_no_interruption_is_counted() -> None:
    history = tuple(dose for dose in third_cycle().history if (dose.cycle, dose.day) != (2, 1))
    for delay in (delayed(3, 1), delayed(2, 8)):
        request = third_cycle(history=history, treatment=replace(IN_REMISSION, delays=(delay,)))
        assert said(decide(planned_for(request, CYCLE3 + timedelta(days=60))).findings, "R45") == []


def test_platelets_are_compared_from_cycle_two_on_and_not_on_day_eight() -> None:
    incomplete = replace(IN_REMISSION, responses=(ResponseAssessment(1, 1, date(2026, 3, 1), Response.CRI),))
    low = met(2, 1, CYCLE2, platelets=lab("119", CYCLE2, "10⁹/L"))
    assert said(decide(second_cycle(treatment=incomplete, criteria=(met(1, 1, DAY1), low))).findings, "R46") == ["INFO"]
    assert said(decide(first_dose(treatment=incomplete)).findings, "R46") == []
    day8 = replace(day8_of_cycle3(), treatment=incomplete)
    low8 = met(3, 8, DAY8_OF_3, platelets=lab("60", DAY8_OF_3, "10⁹/L"))
    assert said(decide(replace(day8, criteria=(*day8.criteria, low8))).findings, "R46") == []


@pytest.mark.parametrize(
    ("as_later", "words"), [(False, "The order says the first cycle's doses."), (True, "The order says level 0.")]
)
def test_what_is_ordered_too_high_is_named(as_later: bool, words: str) -> None:
    findings = decide(retreated_at(0, lowered(3, -1), as_later=as_later)).findings
    assert words in sentence(findings, "R47")


def test_a_change_to_the_same_level_is_no_rise() -> None:
    assert said(at(0, lowered(3, 0, reason=OTHER)), "A11") == []


def test_toxicity_of_the_day_itself_counts_and_that_of_a_first_cycle_has_no_cycle_before() -> None:
    event = Toxicity("mucositis", 3, True, CYCLE3)
    tomorrow = replace(event, onset_on=CYCLE3 + timedelta(days=1))
    assert said(decide(third_cycle(treatment=replace(IN_REMISSION, toxicities=(event,)))).findings, "R49") == ["INFO"]
    assert said(decide(third_cycle(treatment=replace(IN_REMISSION, toxicities=(tomorrow,)))).findings, "R49") == []
    early = replace(IN_REMISSION, toxicities=(replace(event, onset_on=DAY1),))
    assert said(decide(first_dose(treatment=early)).findings, "R49") == []
    day8 = replace(day8_of_cycle3(), treatment=replace(IN_REMISSION, toxicities=(event,)))
    assert said(decide(day8).findings, "R49") == []


def test_an_order_for_a_retreatment_says_nothing_of_the_first_course() -> None:
    """Recorded for course 1 by mistake: the first course keeps its first cycle."""
    mistaken = replace(IN_REMISSION, retreatments=(replace(ORDERED, course=1, schedule=Schedule.LATER_CYCLES),))
    assert decide(first_dose(treatment=mistaken)).dose_mg_per_m2 == D("0.8")
    assert decide(first_dose(treatment=mistaken, day=15)).dose_mg_per_m2 == D("0.5")


@pytest.mark.parametrize(("steps", "words"), [(1, "1 of them was made"), (2, "2 of them were made")])
def test_how_many_steps_were_made_for_remission_is_told(steps: int, words: str) -> None:
    """Three steps: at most two others, so that the principal investigator may leave those for remission out."""
    for_remission = [lowered(2, -1, reason=REMISSION), lowered(3, -2, before=-1, reason=REMISSION)][:steps]
    others = [lowered(2, -1), lowered(3, -2, before=-1)][steps:]
    changes = (*for_remission, *others, lowered(4, -3, before=-2))
    request = third_cycle(cycle=4, level=-3)
    findings = at(-3, *changes, cycle=4, request=request)
    assert said(findings, "R48") == ["OVERRIDABLE"]
    assert words in sentence(findings, "R48")
