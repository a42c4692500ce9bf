"""The treatment calendar, told on a real one: day 1 on Monday 2 March 2026. Every date is counted by hand."""

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pharmacy_app.domain.dosing import decide
from pharmacy_app.domain.protocol import load_protocol
from pharmacy_app.domain.schedule import GivenDose
from pharmacy_app.domain.treatment import (
    Cause,
    CyclePlan,
    Delay,
    LevelChange,
    LevelReason,
    LiverFinding,
    Marrow,
    Omission,
    Removal,
    RemovalReason,
    Response,
    ResponseAssessment,
    RetreatmentOrder,
    Schedule,
    Toxicity,
    TransplantPlan,
    Treatment,
)
from pharmacy_app.domain.treatment_calendar import (
    CalendarDose,
    DoseStatus,
    EventKind,
    MarrowStatus,
    TreatmentCalendar,
    calendar_of,
)
from tests.domain.dose_cases import PROTOCOL, D, given, second_cycle, second_dose

DAY1 = date(2026, 3, 2)
DAY8 = date(2026, 3, 9)
DAY15 = date(2026, 3, 16)
CYCLE1 = (given(1, 1, DAY1), given(1, 8, DAY8), given(1, 15, DAY15))
SIX_CYCLES = (
    *CYCLE1,
    *(given(2, 1, date(2026, 3, 30)), given(2, 8, date(2026, 4, 6))),
    *(given(3, 1, date(2026, 4, 27)), given(3, 8, date(2026, 5, 4))),
    *(given(4, 1, date(2026, 5, 25)), given(4, 8, date(2026, 6, 1))),
    *(given(5, 1, date(2026, 6, 22)), given(5, 8, date(2026, 6, 29))),
    *(given(6, 1, date(2026, 7, 20)), given(6, 8, date(2026, 7, 27))),
)
LATER_DOSES = RetreatmentOrder(2, Schedule.LATER_CYCLES, "Dr. Vogel", date(2027, 1, 4), "letter 3")
FIRST_DOSES = replace(LATER_DOSES, schedule=Schedule.FIRST_CYCLE)


def seen(today: date, *history: GivenDose, treatment: Treatment | None = None) -> TreatmentCalendar:
    return calendar_of(PROTOCOL, today, history, treatment or Treatment())


def row(found: TreatmentCalendar, cycle: int, day: int, course: int = 1) -> CalendarDose:
    rows = [dose for dose in found.of_cycle(course, cycle) if dose.day == day]
    assert len(rows) == 1
    return rows[0]


def omitted(cycle: int, day: int, on: date, *, course: int = 1, cause: Cause = Cause.TOXICITY) -> Omission:
    return Omission(course, cycle, day, cause, "Dr. Vogel", on, "grade 3 fever")


def late(cycle: int, day: int, on: date, cause: Cause = Cause.TOXICITY) -> Delay:
    return Delay(1, cycle, day, cause, "Dr. Vogel", on, "ALT too high")


# --- before the first dose ------------------------------------------------------------------------------------


def test_of_a_new_subject_only_the_first_cycle_is_known_and_no_date() -> None:
    found = seen(DAY1)
    assert [(dose.cycle, dose.day, dose.mg_per_m2) for dose in found.doses] == [
        (1, 1, D("0.8")),
        (1, 8, D("0.5")),
        (1, 15, D("0.5")),
    ]
    assert {dose.status for dose in found.doses} == {DoseStatus.AHEAD}
    assert {dose.expected_on for dose in found.doses} == {None}
    assert {dose.level for dose in found.doses} == {None}
    assert found.next_due is None
    assert found.next_words == ("Cycle 1 day 1 comes next. No day is planned. Store the planned day 1 of cycle 1.")
    assert found.marrows == ()
    assert found.events == ()


def test_a_planned_first_day_has_three_days_either_way_also_over_the_turn_of_the_year() -> None:
    found = seen(date(2026, 12, 20), treatment=Treatment(plans=(CyclePlan(1, 1, date(2027, 1, 1)),)))
    assert found.next_due is not None
    assert (found.next_due.from_on, found.next_due.due_on, found.next_due.until_on) == (
        date(2026, 12, 29),
        date(2027, 1, 1),
        date(2027, 1, 4),
    )
    assert found.next_words == "Cycle 1 day 1 is due on 01-Jan-2027, from 29-Dec-2026 to 04-Jan."
    assert row(found, 1, 8).expected_on is None  # a planned day 1 is not an actual one


# --- inside a cycle -------------------------------------------------------------------------------------------


def test_after_day_1_day_8_is_said_in_one_sentence() -> None:
    found = seen(DAY1, CYCLE1[0])
    assert found.next_due is not None
    assert found.next_words == "Cycle 1 day 8 is due on 09-Mar-2026, from 06-Mar to 12-Mar."
    assert found.next_due.words == found.next_words
    assert (found.next_due.course, found.next_due.cycle, found.next_due.day) == (1, 1, 8)


@pytest.mark.parametrize(
    ("today", "status", "days"),
    [
        (date(2026, 3, 5), DoseStatus.AHEAD, None),  # Day 4
        (date(2026, 3, 6), DoseStatus.DUE_NOW, None),  # Day 5, the window opens
        (date(2026, 3, 12), DoseStatus.DUE_NOW, None),  # Day 11, its last day
        (date(2026, 3, 13), DoseStatus.LATE, 4),
        (date(2026, 3, 16), DoseStatus.LATE, 7),  # 7 days late is permitted
        (date(2026, 3, 17), DoseStatus.MUST_OMIT, 8),  # 8 days are not
    ],
)
def test_day_8_by_the_day_on_which_one_looks(today: date, status: DoseStatus, days: int | None) -> None:
    dose = row(seen(today, CYCLE1[0]), 1, 8)
    assert (dose.status, dose.delay_days) == (status, days)


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2026, 3, 13), "until 15-Mar-2026 (Day 14); after that, until 16-Mar-2026, only by the investigator's"),
        (date(2026, 3, 15), "until 15-Mar-2026 (Day 14); after that, until 16-Mar-2026, only by the investigator's"),
        (date(2026, 3, 16), "On Day 15 it may count as day 1 of the next cycle: until 16-Mar-2026 only by the"),
        (date(2026, 3, 17), "8 days ago; after more than 7 days it is omitted and not made up. Record its omission."),
    ],
)
def test_a_late_day_8_says_how_long_it_may_still_be_given(today: date, words: str) -> None:
    assert words in row(seen(today, CYCLE1[0]), 1, 8).words


def test_a_late_dose_asks_for_its_cause_until_one_is_recorded() -> None:
    today = date(2026, 3, 13)
    assert "Record the cause of the delay." in row(seen(today, CYCLE1[0]), 1, 8).words
    dose = row(seen(today, CYCLE1[0], treatment=Treatment(delays=(late(1, 8, today),))), 1, 8)
    assert dose.delay_cause is Cause.TOXICITY
    assert "Record the cause" not in dose.words
    assert "Late for toxicity (Dr. Vogel): ALT too high." in dose.words


@pytest.mark.parametrize(
    ("today", "status"),
    [
        (date(2026, 3, 12), DoseStatus.AHEAD),  # Day 11
        (date(2026, 3, 13), DoseStatus.DUE_NOW),  # Day 12
        (date(2026, 3, 19), DoseStatus.DUE_NOW),  # Day 18
        (date(2026, 3, 20), DoseStatus.LATE),
        (date(2026, 3, 23), DoseStatus.LATE),  # 7 days late
        (date(2026, 3, 24), DoseStatus.MUST_OMIT),
    ],
)
def test_day_15_by_the_day_on_which_one_looks(today: date, status: DoseStatus) -> None:
    assert row(seen(today, *CYCLE1[:2]), 1, 15).status is status


def test_a_day_8_that_must_be_omitted_leaves_day_15_to_come_next() -> None:
    found = seen(date(2026, 3, 17), CYCLE1[0])
    assert found.next_due is not None
    assert found.next_words == (
        "Cycle 1 day 15 was due on 16-Mar-2026, from 13-Mar to 19-Mar. Record the omission of cycle 1 day 8 first."
    )


def test_an_omitted_day_8_stays_omitted_and_day_15_remains() -> None:
    found = seen(date(2026, 3, 11), CYCLE1[0], treatment=Treatment(omissions=(omitted(1, 8, date(2026, 3, 10)),)))
    assert row(found, 1, 8).status is DoseStatus.OMITTED
    assert row(found, 1, 8).words == "Omitted on 10-Mar-2026 by Dr. Vogel (toxicity): grade 3 fever."
    assert found.next_words == "Cycle 1 day 15 is due on 16-Mar-2026, from 13-Mar to 19-Mar."


def test_day_15_runs_from_the_actual_day_1_and_not_from_a_late_day_8() -> None:
    found = seen(date(2026, 3, 14), CYCLE1[0], given(1, 8, date(2026, 3, 13)))
    assert (row(found, 1, 8).delay_days, row(found, 1, 8).words) == (4, "Given 1 day after its window closed.")
    assert row(found, 1, 15).expected_on == DAY15


def test_later_days_run_from_the_actual_day_1_and_not_from_the_planned_one() -> None:
    plans = (CyclePlan(1, 1, date(2026, 2, 28)),)
    found = seen(DAY1, CYCLE1[0], treatment=Treatment(plans=plans))
    assert (row(found, 1, 1).expected_on, row(found, 1, 1).delay_days) == (date(2026, 2, 28), 2)
    assert row(found, 1, 8).expected_on == DAY8


def test_a_dose_given_early_is_early_by_so_many_days() -> None:
    dose = row(seen(DAY8, CYCLE1[0], given(1, 8, date(2026, 3, 5))), 1, 8)
    assert (dose.status, dose.delay_days) == (DoseStatus.GIVEN, -4)
    assert dose.words == "Given 1 day before its window opened."


def test_a_dose_of_which_nothing_is_recorded_is_not_given_once_a_later_one_was() -> None:
    found = seen(DAY15, CYCLE1[0], CYCLE1[2])
    assert row(found, 1, 8).status is DoseStatus.NOT_GIVEN
    assert row(found, 1, 8).words.startswith("Neither given nor omitted by the record.")
    assert row(found, 1, 8).delay_days is None


def test_given_and_omitted_at_once_is_said() -> None:
    found = seen(DAY8, *CYCLE1[:2], treatment=Treatment(omissions=(omitted(1, 8, DAY8),)))
    assert row(found, 1, 8).status is DoseStatus.GIVEN
    assert "one of the two is wrong" in row(found, 1, 8).words


@pytest.mark.parametrize(
    ("day1", "day8"),
    [
        (date(2028, 2, 25), date(2028, 3, 3)),
        (date(2027, 2, 25), date(2027, 3, 4)),
        (date(2027, 12, 28), date(2028, 1, 4)),
    ],
)
def test_the_29th_of_february_is_a_day_like_any_other(day1: date, day8: date) -> None:
    assert row(seen(day1, given(1, 1, day1)), 1, 8).expected_on == day8


# --- cycle 2 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marrows", "expected", "first", "last", "words"),
    [
        # Day 28 is 29 March; Day 21 to 35 is 22 March to 5 April.
        ((), date(2026, 3, 29), date(2026, 3, 22), date(2026, 4, 5), "No marrow since day 1 of cycle 1"),
        ((("5", 15),), date(2026, 3, 29), date(2026, 3, 22), date(2026, 4, 5), "No persistent disease (5 % blasts"),
        # Day 22 is 23 March; Day 15 to 29 is 16 to 30 March.
        ((("5.1", 15),), date(2026, 3, 23), DAY15, date(2026, 3, 30), "Disease persists (5.1 % blasts on 15-Mar-2026"),
        ((("40", 2),), date(2026, 3, 29), date(2026, 3, 22), date(2026, 4, 5), "No marrow since day 1"),
        ((("40", 3),), date(2026, 3, 23), DAY15, date(2026, 3, 30), "Disease persists (40 %"),
        # Of two, the newer one counts, however they were entered.
        ((("3", 22), ("40", 15)), date(2026, 3, 29), date(2026, 3, 22), date(2026, 4, 5), "3 % blasts on 22-Mar"),
    ],
)
def test_cycle_2_has_its_own_window_by_the_newest_marrow(
    marrows: tuple[tuple[str, int], ...], expected: date, first: date, last: date, words: str
) -> None:
    taken = tuple(Marrow(date(2026, 3, day), Decimal(blasts)) for blasts, day in marrows)
    dose = row(seen(date(2026, 3, 24), *CYCLE1, treatment=Treatment(marrows=taken)), 2, 1)
    assert (dose.expected_on, dose.earliest, dose.latest) == (expected, first, last)
    assert words in dose.words
    assert dose.status is DoseStatus.DUE_NOW


def test_with_disease_the_early_days_of_cycle_2_need_a_reason_or_a_decision() -> None:
    persists = Treatment(marrows=(Marrow(date(2026, 3, 15), D(30)),))
    assert row(seen(DAY15, *CYCLE1, treatment=persists), 2, 1).words.endswith(
        "Day 15 to 29 of cycle 1, before Day 22 only with the prescriber's reason and to Day 17 only by a written "
        "decision."
    )
    assert row(seen(DAY15, *CYCLE1), 2, 1).words.endswith(
        "Day 21 to 35 of cycle 1, before Day 22 only with the prescriber's reason."
    )


@pytest.mark.parametrize(
    ("today", "status"),
    [
        (date(2026, 3, 16), DoseStatus.AHEAD),  # Day 15: inside the window, but only by a written decision
        (date(2026, 3, 22), DoseStatus.AHEAD),  # Day 21: only with a reason
        (date(2026, 3, 23), DoseStatus.DUE_NOW),  # Day 22: cycle 1 is over
        (date(2026, 3, 30), DoseStatus.DUE_NOW),  # Day 29, the last day
        (date(2026, 3, 31), DoseStatus.LATE),
    ],
)
def test_cycle_2_with_disease_by_the_day_on_which_one_looks(today: date, status: DoseStatus) -> None:
    persists = Treatment(marrows=(Marrow(date(2026, 3, 15), D(30)),))
    assert row(seen(today, *CYCLE1, treatment=persists), 2, 1).status is status


def test_a_plan_of_cycle_2_is_the_day_expected_and_the_wider_window_rules() -> None:
    plans = (CyclePlan(1, 2, date(2026, 3, 30)),)
    found = seen(date(2026, 3, 24), *CYCLE1, treatment=Treatment(plans=plans))
    assert found.next_due is not None
    assert (found.next_due.from_on, found.next_due.due_on, found.next_due.until_on) == (
        date(2026, 3, 22),
        date(2026, 3, 30),
        date(2026, 4, 5),
    )


def test_a_marrow_of_after_the_start_of_cycle_2_does_not_change_the_window_it_had() -> None:
    marrows = (Marrow(date(2026, 3, 15), D(3)), Marrow(date(2026, 4, 20), D(60)))
    dose = row(seen(date(2026, 4, 21), *SIX_CYCLES[:5], treatment=Treatment(marrows=marrows)), 2, 1)
    assert (dose.earliest, dose.latest) == (date(2026, 3, 22), date(2026, 4, 5))


# --- later cycles ---------------------------------------------------------------------------------------------


def test_without_a_plan_cycle_3_may_start_after_21_to_28_days_three_days_either_way() -> None:
    dose = row(seen(date(2026, 4, 10), *SIX_CYCLES[:5]), 3, 1)
    # Day 1 of cycle 2 was 30 March: 21 days on is 20 April, less 3; 28 days on is 27 April, and 3.
    assert (dose.expected_on, dose.earliest, dose.latest) == (date(2026, 4, 20), date(2026, 4, 17), date(2026, 4, 30))
    assert dose.words.startswith("No day is planned: 21 to 28 days after day 1 of cycle 2")
    given_late = row(seen(date(2026, 5, 3), *SIX_CYCLES[:5], given(3, 1, date(2026, 5, 2))), 3, 1)
    assert given_late.delay_days is None  # nobody knows which day was meant
    assert given_late.words == "Given 2 days after its window closed."


def test_the_next_cycle_is_shown_as_soon_as_one_has_begun_and_no_further() -> None:
    assert seen(DAY1, CYCLE1[0]).cycles() == ((1, 1), (1, 2))
    assert seen(date(2026, 4, 6), *SIX_CYCLES[:5]).cycles() == ((1, 1), (1, 2), (1, 3))


def test_a_cycle_delayed_for_toxicity_counts_from_its_first_plan() -> None:
    delays = (late(3, 1, date(2026, 4, 27)),)
    treatment = Treatment(plans=(CyclePlan(1, 3, date(2026, 4, 27)),), delays=delays)
    dose = row(seen(date(2026, 5, 12), *SIX_CYCLES[:5], given(3, 1, date(2026, 5, 11)), treatment=treatment), 3, 1)
    assert (dose.delay_days, dose.delay_cause) == (14, Cause.TOXICITY)
    assert dose.words == "Given 11 days after its window closed. Late for toxicity (Dr. Vogel): ALT too high."


def test_a_cycle_that_is_late_names_the_last_day_before_treatment_ends() -> None:
    treatment = Treatment(plans=(CyclePlan(1, 3, date(2026, 4, 27)),))
    found = seen(date(2026, 5, 6), *SIX_CYCLES[:5], treatment=treatment)
    assert (row(found, 3, 1).status, row(found, 3, 1).delay_days) == (DoseStatus.LATE, 9)
    # 27 April and 28 days.
    assert "more than 28 days ends treatment: 25-May-2026 is the last day" in found.next_words
    assert found.next_words.startswith("Cycle 3 day 1 was due on 27-Apr-2026, 9 days ago.")
    # Without a plan the count begins at the latest day the cycle's length allows: 30 March and 28 days.
    assert "25-May-2026 is the last day" in seen(date(2026, 5, 6), *SIX_CYCLES[:5]).next_words


def test_a_cycle_planned_anew_is_due_on_its_new_day_and_still_counted_from_the_first() -> None:
    treatment = Treatment(plans=(CyclePlan(1, 3, date(2026, 4, 27)), CyclePlan(1, 3, date(2026, 5, 11))))
    found = seen(date(2026, 5, 4), *SIX_CYCLES[:5], treatment=treatment)
    dose = row(found, 3, 1)
    assert (dose.expected_on, dose.planned_on, dose.delay_days) == (date(2026, 4, 27), date(2026, 5, 11), 7)
    assert found.next_due is not None
    assert (found.next_due.from_on, found.next_due.due_on, found.next_due.until_on) == (
        date(2026, 5, 8),
        date(2026, 5, 11),
        date(2026, 5, 14),
    )
    assert "Planned first for 27-Apr-2026, now for 11-May-2026; delays count from the first day." in found.next_words


def test_a_level_changed_from_cycle_3_on_changes_its_doses_and_none_before() -> None:
    change = LevelChange(1, 3, 0, -1, LevelReason.TOXICITY, "Dr. Vogel", date(2026, 4, 20), "VOD prophylaxis")
    found = seen(date(2026, 4, 20), *SIX_CYCLES[:5], treatment=Treatment(level_changes=(change,)))
    assert [(d.day, d.level, d.mg_per_m2) for d in found.of_cycle(1, 2)] == [(1, 0, D("0.6")), (8, 0, D("0.3"))]
    assert [(d.day, d.level, d.mg_per_m2) for d in found.of_cycle(1, 3)] == [(1, -1, D("0.4")), (8, -1, D("0.2"))]


def test_six_cycles_are_over_after_the_last_dose_and_not_before() -> None:
    before = seen(date(2026, 7, 26), *SIX_CYCLES[:-1])
    assert before.next_words == "Cycle 6 day 8 is due on 27-Jul-2026, from 24-Jul to 30-Jul."
    after = seen(date(2026, 7, 27), *SIX_CYCLES)
    assert after.next_due is None
    assert after.next_words == "All 6 cycles are over. No dose is due."
    assert len(after.doses) == 13
    assert {dose.status for dose in after.doses} == {DoseStatus.GIVEN}


def test_a_last_dose_that_must_be_omitted_is_asked_for_at_the_end() -> None:
    found = seen(date(2026, 8, 4), *SIX_CYCLES[:-1])
    assert found.next_words == "All 6 cycles are over. No dose is due. Record the omission of cycle 6 day 8 first."


# --- the end --------------------------------------------------------------------------------------------------


def test_off_treatment_nothing_comes_next_and_what_was_open_is_not_given() -> None:
    removal = Removal(1, date(2026, 3, 12), RemovalReason.REQUEST, "Dr. Vogel", "wishes no more")
    found = seen(date(2026, 3, 20), *CYCLE1[:2], treatment=Treatment(removals=(removal,)))
    assert found.next_due is None
    assert found.next_words == "Off treatment since 12-Mar-2026: subject's request (10.3). No dose is due."
    assert found.cycles() == ((1, 1),)
    assert row(found, 1, 15).status is DoseStatus.NOT_GIVEN
    assert row(found, 1, 15).words == "Not given. Off treatment since 12-Mar-2026: subject's request (10.3)."


def test_a_liver_finding_ends_the_calendar_before_anybody_records_the_end() -> None:
    liver = Toxicity("Veno-occlusive disease", 3, True, date(2026, 3, 11), LiverFinding.POSSIBLE_VOD)
    found = seen(DAY15, *CYCLE1[:2], treatment=Treatment(toxicities=(liver,)))
    assert found.next_due is None
    assert found.next_words.startswith("Possible VOD is recorded since 11-Mar-2026: treatment is discontinued for good")
    assert row(found, 1, 15).status is DoseStatus.NOT_GIVEN


# --- retreatment ----------------------------------------------------------------------------------------------


def test_retreatment_begins_with_the_doses_that_were_ordered() -> None:
    today = date(2027, 1, 5)
    first = seen(today, *SIX_CYCLES, treatment=Treatment(retreatments=(FIRST_DOSES,)))
    assert [(d.day, d.level, d.mg_per_m2) for d in first.of_cycle(2, 1)] == [
        (1, None, D("0.8")),
        (8, None, D("0.5")),
        (15, None, D("0.5")),
    ]
    later = seen(today, *SIX_CYCLES, treatment=Treatment(retreatments=(LATER_DOSES,)))
    assert [(d.day, d.level, d.mg_per_m2) for d in later.of_cycle(2, 1)] == [(1, 0, D("0.6")), (8, 0, D("0.3"))]
    assert later.next_words == (
        "Course 2, cycle 1 day 1 comes next. No day is planned. Store the planned day 1 of cycle 1."
    )


def test_retreatment_keeps_the_level_to_which_toxicity_lowered_the_first_course() -> None:
    change = LevelChange(1, 3, 0, -1, LevelReason.TOXICITY, "Dr. Vogel", date(2026, 4, 20), "ALT")
    lowered = Treatment(level_changes=(change,), retreatments=(LATER_DOSES,))
    found = seen(date(2027, 1, 5), *SIX_CYCLES, treatment=lowered)
    assert [(d.day, d.level, d.mg_per_m2) for d in found.of_cycle(2, 1)] == [(1, -1, D("0.4")), (8, -1, D("0.2"))]
    # First-cycle doses have no level to lower.
    found = seen(date(2027, 1, 5), *SIX_CYCLES, treatment=replace(lowered, retreatments=(FIRST_DOSES,)))
    assert [d.mg_per_m2 for d in found.of_cycle(2, 1)] == [D("0.8"), D("0.5"), D("0.5")]


def test_a_planned_retreatment_without_its_order_has_no_dose() -> None:
    plans = (CyclePlan(2, 1, date(2027, 1, 11)),)
    found = seen(date(2027, 1, 5), *SIX_CYCLES, treatment=Treatment(plans=plans))
    assert [(d.day, d.mg_per_m2) for d in found.of_cycle(2, 1)] == [(1, None)]
    assert "record the principal investigator's order" in found.next_words
    assert found.next_due is not None
    assert found.next_due.due_on == date(2027, 1, 11)


def test_a_course_that_another_one_follows_goes_on_no_more() -> None:
    found = seen(date(2027, 1, 5), *CYCLE1[:2], treatment=Treatment(retreatments=(FIRST_DOSES,)))
    assert found.cycles() == ((1, 1), (2, 1))
    assert row(found, 1, 15).status is DoseStatus.NOT_GIVEN
    assert found.next_words.startswith("Course 2, cycle 1 day 1 comes next.")


def test_two_courses_each_keep_their_own_calendar() -> None:
    day1 = date(2027, 1, 11)
    found = seen(
        date(2027, 1, 12), *SIX_CYCLES, given(1, 1, day1, course=2), treatment=Treatment(retreatments=(FIRST_DOSES,))
    )
    assert found.cycles() == (*((1, cycle) for cycle in range(1, 7)), (2, 1), (2, 2))
    assert row(found, 1, 8).given_on == DAY8
    assert row(found, 1, 8, course=2).expected_on == date(2027, 1, 18)
    assert found.next_words == "Course 2, cycle 1 day 8 is due on 18-Jan-2027, from 15-Jan to 21-Jan."
    assert [(m.course, m.day) for m in found.marrows] == [(1, 14), (1, 21), (2, 14), (2, 21)]


@pytest.mark.parametrize(
    ("reason", "goes_on"),
    [(RemovalReason.COMPLETED, True), (RemovalReason.NO_RESPONSE, True), (RemovalReason.GRADE_4, False)],
)
def test_only_an_end_by_toxicity_keeps_a_further_course_from_beginning(reason: RemovalReason, *, goes_on: bool) -> None:
    removal = Removal(1, date(2026, 8, 1), reason, "Dr. Vogel", "see chart")
    treatment = Treatment(removals=(removal,), retreatments=(FIRST_DOSES,), plans=(CyclePlan(2, 1, date(2027, 1, 11)),))
    assert (seen(date(2027, 1, 5), *SIX_CYCLES, treatment=treatment).next_due is not None) is goes_on


# --- marrows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "fourteen", "twenty_one"),
    [
        (date(2026, 3, 11), MarrowStatus.AHEAD, MarrowStatus.AHEAD),  # Day 10
        (date(2026, 3, 12), MarrowStatus.DUE_NOW, MarrowStatus.AHEAD),  # Day 11
        (date(2026, 3, 18), MarrowStatus.DUE_NOW, MarrowStatus.AHEAD),  # Day 17
        (date(2026, 3, 19), MarrowStatus.NOT_TAKEN, MarrowStatus.DUE_NOW),  # Day 18
        (date(2026, 3, 25), MarrowStatus.NOT_TAKEN, MarrowStatus.DUE_NOW),  # Day 24
        (date(2026, 3, 26), MarrowStatus.NOT_TAKEN, MarrowStatus.NOT_TAKEN),
    ],
)
def test_marrows_of_the_first_cycle_by_the_day_on_which_one_looks(
    today: date, fourteen: MarrowStatus, twenty_one: MarrowStatus
) -> None:
    assert [each.status for each in seen(today, *CYCLE1).marrows] == [fourteen, twenty_one]


@pytest.mark.parametrize(
    ("day", "first", "second"), [(11, 0, 0), (12, 1, 0), (18, 1, 0), (19, 0, 1), (25, 0, 1), (26, 0, 0)]
)
def test_a_marrow_belongs_to_the_window_it_was_taken_in(day: int, first: int, second: int) -> None:
    taken = Treatment(marrows=(Marrow(date(2026, 3, day), D(3)),))
    assert [len(each.taken) for each in seen(date(2026, 3, 31), *CYCLE1, treatment=taken).marrows] == [first, second]


def test_after_cycle_1_the_cycles_since_the_newest_marrow_are_counted() -> None:
    taken = Treatment(marrows=(Marrow(date(2026, 3, 22), D(3)), Marrow(date(2026, 3, 15), D(4))))
    assert seen(date(2026, 3, 29), *CYCLE1, treatment=taken).marrow_words == ""
    assert seen(date(2026, 3, 30), *SIX_CYCLES[:4], treatment=taken).marrow_words == (
        "After cycle 1 a marrow is taken every 2 to 3 cycles; the newest is of 22-Mar-2026, 1 cycle began after it."
    )
    assert "3 cycles began after it" in seen(date(2026, 5, 25), *SIX_CYCLES[:8], treatment=taken).marrow_words
    assert seen(date(2026, 5, 25), *SIX_CYCLES[:8]).marrow_words.endswith("none is recorded.")


# --- events ---------------------------------------------------------------------------------------------------


def test_everything_stated_is_told_by_date() -> None:
    treatment = Treatment(
        delays=(late(1, 8, DAY8),),
        omissions=(omitted(1, 15, DAY15, cause=Cause.OTHER),),
        level_changes=(LevelChange(1, 3, 0, -1, LevelReason.REMISSION, "Dr. Vogel", date(2026, 4, 20), "in CR"),),
        responses=(ResponseAssessment(1, 1, date(2026, 3, 22), Response.CR),),
        marrows=(Marrow(date(2026, 3, 22), D("2.5")), Marrow(date(2026, 2, 20), D(60))),
        toxicities=(Toxicity("ALT increased", 3, True, DAY8),),
        removals=(Removal(1, date(2026, 8, 1), RemovalReason.COMPLETED, "Dr. Vogel", "see chart."),),
        retreatments=(FIRST_DOSES,),
        transplants=(TransplantPlan(True, date(2026, 4, 1)),),
    )
    assert [(event.on, event.kind, event.words) for event in seen(DAY15, *CYCLE1, treatment=treatment).events] == [
        (date(2026, 2, 20), EventKind.MARROW, "60 % blasts."),
        (DAY8, EventKind.TOXICITY, "ALT increased, grade 3, at least possibly related."),
        (DAY8, EventKind.DELAY, "Cycle 1 day 8 late for toxicity (Dr. Vogel): ALT too high."),
        (DAY15, EventKind.OMISSION, "Cycle 1 day 15 omitted (other) by Dr. Vogel: grade 3 fever."),
        (date(2026, 3, 22), EventKind.MARROW, "2.5 % blasts, Day 21 of cycle 1."),
        (date(2026, 3, 22), EventKind.RESPONSE, "CR after cycle 1."),
        (date(2026, 4, 1), EventKind.TRANSPLANT, "A transplantation is planned."),
        (
            date(2026, 4, 20),
            EventKind.LEVEL,
            "Level -1 instead of 0 from cycle 3 on (remission) by Dr. Vogel: in CR.",
        ),
        (
            date(2026, 8, 1),
            EventKind.OFF_TREATMENT,
            "End of treatment: all planned cycles given (3.3), by Dr. Vogel: see chart.",
        ),
        (
            date(2027, 1, 4),
            EventKind.RETREATMENT,
            "Course 2 ordered with first-cycle doses by Dr. Vogel, document letter 3.",
        ),
    ]


# --- odd records ----------------------------------------------------------------------------------------------


def test_the_order_of_the_history_does_not_matter() -> None:
    shuffled = list(SIX_CYCLES)
    random.Random(7).shuffle(shuffled)
    assert seen(date(2026, 7, 27), *shuffled) == seen(date(2026, 7, 27), *SIX_CYCLES)


def test_a_dose_recorded_twice_and_a_day_that_no_cycle_has_are_shown_as_they_are() -> None:
    found = seen(DAY15, *CYCLE1[:2], given(1, 8, date(2026, 3, 10)), given(1, 11, date(2026, 3, 12)))
    rows = found.of_cycle(1, 1)
    assert [(dose.day, dose.given_on) for dose in rows] == [
        (1, DAY1),
        (8, DAY8),
        (8, date(2026, 3, 10)),
        (11, date(2026, 3, 12)),
        (15, None),
    ]
    assert rows[2].words == "Recorded again for this day."
    assert (rows[3].mg_per_m2, rows[3].words) == (None, "The regimen has no dose on this day.")


def test_a_day_8_without_a_recorded_day_1_has_no_window() -> None:
    found = seen(DAY8, CYCLE1[1])
    assert row(found, 1, 1).status is DoseStatus.NOT_GIVEN
    assert (row(found, 1, 8).expected_on, row(found, 1, 8).delay_days) == (None, None)
    assert found.marrows == ()


def test_the_calendar_has_the_windows_of_the_dose_decision() -> None:
    for request in (
        second_dose(),
        second_cycle(cycle=3, planned_on=date(2026, 4, 27), history=SIX_CYCLES[:5]),
        second_cycle(cycle=3, scheduled_on=date(2026, 4, 24), history=SIX_CYCLES[:5]),
    ):
        plans = () if request.scheduled_on is None else (CyclePlan(1, request.cycle, request.scheduled_on),)
        treatment = replace(request.treatment, plans=plans)
        dose = row(calendar_of(PROTOCOL, request.today, request.history, treatment), request.cycle, request.day)
        window = decide(request).window
        assert window is not None
        assert (dose.expected_on, dose.earliest, dose.latest) == (window.expected_on, window.earliest, window.latest)


def test_another_protocol_has_other_windows() -> None:
    # The made-up study: 2 days either way, marrows on Day 12 and 26, 2 days either way; 5 days late at most.
    other = load_protocol(Path(__file__).parent.parent / "data" / "second-protocol.toml")
    found = calendar_of(other, date(2026, 3, 14), (CYCLE1[0],), Treatment())
    dose = row(found, 1, 8)
    assert (dose.earliest, dose.latest, dose.status) == (date(2026, 3, 7), date(2026, 3, 11), DoseStatus.LATE)
    assert row(calendar_of(other, date(2026, 3, 15), (CYCLE1[0],), Treatment()), 1, 8).status is DoseStatus.MUST_OMIT
    assert [(each.earliest, each.latest) for each in found.marrows] == [
        (date(2026, 3, 11), date(2026, 3, 15)),
        (date(2026, 3, 25), date(2026, 3, 29)),
    ]


# --- the words that depend on the case ------------------------------------------------------------------------


def words_of(kind: EventKind, treatment: Treatment, *history: GivenDose) -> list[str]:
    calendar = seen(date(2027, 3, 1), *history, treatment=treatment)
    return [event.words for event in calendar.events if event.kind is kind]


def test_what_was_stated_in_a_further_course_names_its_course() -> None:
    told = Treatment(
        responses=(
            ResponseAssessment(1, 2, DAY15, Response.CR),
            ResponseAssessment(2, 1, date(2027, 2, 1), Response.NR),
        ),
        level_changes=(
            LevelChange(1, 3, 0, -1, LevelReason.TOXICITY, "Dr. Vogel", DAY15, "nausea"),
            LevelChange(2, 2, 0, -1, LevelReason.OTHER, "Dr. Vogel", date(2027, 2, 1), "Frail!"),
        ),
        removals=(
            Removal(1, date(2026, 9, 1), RemovalReason.COMPLETED, "Dr. Vogel", "as planned"),
            Removal(2, date(2027, 2, 5), RemovalReason.REQUEST, "Dr. Vogel", "Why go on?"),
        ),
        retreatments=(LATER_DOSES,),
    )
    assert words_of(EventKind.RESPONSE, told) == [
        f"{Response.CR.value} after cycle 2.",
        f"{Response.NR.value} after cycle 1 of course 2.",
    ]
    assert words_of(EventKind.LEVEL, told) == [
        f"Level -1 instead of 0 from cycle 3 on ({LevelReason.TOXICITY.value}) by Dr. Vogel: nausea.",
        f"Level -1 instead of 0 from course 2, cycle 2 on ({LevelReason.OTHER.value}) by Dr. Vogel: Frail!",
    ]
    assert words_of(EventKind.OFF_TREATMENT, told) == [
        f"End of treatment: {RemovalReason.COMPLETED.value}, by Dr. Vogel: as planned.",
        f"End of treatment of course 2: {RemovalReason.REQUEST.value}, by Dr. Vogel: Why go on?",
    ]


def test_a_transplantation_that_is_planned_and_one_that_is_not() -> None:
    told = Treatment(transplants=(TransplantPlan(True, DAY1), TransplantPlan(False, DAY15)))
    assert words_of(EventKind.TRANSPLANT, told) == [
        "A transplantation is planned.",
        "No transplantation is planned.",
    ]


def test_a_toxicity_names_its_cause_and_its_liver_finding() -> None:
    told = Treatment(
        toxicities=(
            Toxicity("Nausea", 2, True, DAY1),
            Toxicity("Fall", 3, False, DAY8),
            Toxicity("Ascites", 3, True, DAY15, LiverFinding.POSSIBLE_VOD),
        )
    )
    assert words_of(EventKind.TOXICITY, told) == [
        "Nausea, grade 2, at least possibly related.",
        "Fall, grade 3, not related.",
        f"Ascites, grade 3, at least possibly related; {LiverFinding.POSSIBLE_VOD.value}.",
    ]


def test_a_delay_names_its_cause() -> None:
    told = Treatment(
        delays=(
            Delay(1, 1, 8, Cause.TOXICITY, "Dr. Vogel", DAY8, "fever"),
            Delay(2, 1, 15, Cause.OTHER, "Dr. Vogel", DAY15, "snow"),
        )
    )
    assert words_of(EventKind.DELAY, told) == [
        "Cycle 1 day 8 late for toxicity (Dr. Vogel): fever.",
        "Course 2, cycle 1 day 15 late for another cause (Dr. Vogel): snow.",
    ]


def test_the_day_of_a_marrow_is_told_by_cycle_and_course() -> None:
    second = (*SIX_CYCLES, given(1, 1, date(2027, 1, 11), course=2))
    marrows = (Marrow(date(2026, 3, 1), D(45)), Marrow(DAY1, D(44)), Marrow(date(2027, 1, 25), D(3)))
    assert words_of(EventKind.MARROW, Treatment(marrows=marrows), *second) == [
        "45 % blasts.",
        "44 % blasts, Day 1 of cycle 1.",
        "3 % blasts, Day 15 of course 2, cycle 1.",
    ]


def test_a_marrow_window_in_full() -> None:
    marrow = Marrow(date(2026, 3, 15), D(4))
    calendar = seen(date(2026, 3, 20), given(1, 1, DAY1), treatment=Treatment(marrows=(marrow,)))
    day14, day21 = calendar.marrows
    assert (day14.course, day14.day, day14.expected_on, day14.earliest, day14.latest) == (
        *(1, 14, date(2026, 3, 15)),
        *(date(2026, 3, 12), date(2026, 3, 18)),
    )
    assert (day14.status, day14.taken) == (MarrowStatus.TAKEN, (marrow,))
    assert (day21.expected_on, day21.status, day21.taken) == (date(2026, 3, 22), MarrowStatus.DUE_NOW, ())


def test_the_calendar_keeps_its_day_and_what_was_given() -> None:
    dose = GivenDose(1, 1, 1, 0, DAY1, D("1.6"))
    calendar = seen(DAY8, dose)
    assert calendar.today == DAY8
    assert [(each.given_on, each.given_mg) for each in calendar.of_cycle(1, 1)] == [
        (DAY1, D("1.6")),
        (None, None),
        (None, None),
    ]


def test_the_level_shown_is_that_of_the_dose_that_was_given() -> None:
    """Day 1 of cycle 3 was given at level -1; nobody recorded the change."""
    cycle3 = (*SIX_CYCLES[:5], given(3, 1, date(2026, 4, 27), level=-1))
    day1, day8 = seen(date(2026, 4, 28), *cycle3).of_cycle(1, 3)
    assert (day1.level, day8.level) == (-1, -1)
    # Level -1 is 0.4 and 0.2 mg/m².
    assert (day1.mg_per_m2, day8.mg_per_m2) == (D("0.4"), D("0.2"))


def test_a_further_course_may_have_fewer_cycles() -> None:
    four = PROTOCOL.model_copy(update={"retreatment": PROTOCOL.retreatment.model_copy(update={"max_cycles": 1})})
    history = (*SIX_CYCLES, given(1, 1, date(2027, 1, 11), course=2), given(1, 8, date(2027, 1, 18), course=2))
    ordered = Treatment(retreatments=(LATER_DOSES,))
    calendar = calendar_of(four, date(2027, 2, 20), history, ordered)
    assert calendar.cycles()[-1] == (2, 1)
    assert calendar.next_words == "All 1 cycles of course 2 are over. No dose is due."
    assert calendar_of(four, date(2026, 9, 1), SIX_CYCLES, Treatment()).next_words.startswith(
        "All 6 cycles are over. No dose is due."
    )


def test_given_on_the_last_and_on_the_first_day_of_its_window_is_inside() -> None:
    for on, words in (
        (date(2026, 3, 5), "Given 1 day before its window opened."),
        (date(2026, 3, 6), ""),
        (date(2026, 3, 12), ""),
        (date(2026, 3, 13), "Given 1 day after its window closed."),
    ):
        day8 = seen(date(2026, 3, 14), given(1, 1, DAY1), given(1, 8, on)).of_cycle(1, 1)[1]
        assert day8.words == words


def test_a_dose_of_an_ended_course_that_a_later_one_followed_was_left_out_before_the_end() -> None:
    removal = Removal(1, date(2026, 4, 1), RemovalReason.REQUEST, "Dr. Vogel", "asked")
    calendar = seen(
        date(2026, 4, 2),
        *(given(1, 1, DAY1), given(1, 15, DAY15), given(2, 1, date(2026, 3, 30))),
        treatment=Treatment(removals=(removal,)),
    )
    assert calendar.of_cycle(1, 1)[1].words.startswith("Neither given nor omitted by the record.")
    assert calendar.of_cycle(1, 2)[1].words.startswith("Not given. Off treatment since 01-Apr-2026")


def test_two_omissions_that_are_owed_are_asked_for_one_after_the_other() -> None:
    calendar = seen(date(2026, 3, 26), given(1, 1, DAY1))
    assert calendar.next_words.endswith(
        " Record the omission of cycle 1 day 8 first. Record the omission of cycle 1 day 15 first."
    )


def test_on_the_day_itself_it_is_due_and_not_was() -> None:
    assert seen(DAY8, given(1, 1, DAY1)).next_words.startswith("Cycle 1 day 8 is due on 09-Mar-2026, from 06-Mar to")
    assert seen(date(2026, 3, 10), given(1, 1, DAY1)).next_words.startswith("Cycle 1 day 8 was due on 09-Mar-2026,")


# --- starts of cycles, by their plans -------------------------------------------------------------------------


def start_of_3(today: date, *plans: date) -> tuple[CalendarDose, TreatmentCalendar]:
    """Cycle 3 day 1 after two cycles (day 1 of cycle 2 on 30 March), with these plans one after the other."""
    treatment = Treatment(plans=tuple(CyclePlan(1, 3, day) for day in plans))
    calendar = seen(today, *SIX_CYCLES[:5], treatment=treatment)
    return calendar.of_cycle(1, 3)[0], calendar


def test_a_late_start_names_the_last_day_by_its_plan() -> None:
    """Planned for 20 April: the window closes on 23 April, 28 days end on 18 May. Without a plan both count later."""
    planned, _ = start_of_3(date(2026, 5, 8), date(2026, 4, 20))
    assert planned.words == (
        "Its window closed on 23-Apr-2026. A delay for toxicity of more than 28 days ends treatment: 18-May-2026 is "
        "the last day. Record the cause of the delay."
    )
    unplanned, _ = start_of_3(date(2026, 5, 8))
    assert unplanned.words == (
        "No day is planned: 21 to 28 days after day 1 of cycle 2, 3 days either way. Its window closed on 30-Apr-2026. "
        "A delay for toxicity of more than 28 days ends treatment: 25-May-2026 is the last day. Record the cause of "
        "the delay."
    )


def test_a_late_second_cycle_names_its_last_day_and_a_late_first_one_has_none() -> None:
    second = seen(date(2026, 4, 20), *CYCLE1).of_cycle(1, 2)[0]
    assert "27-Apr-2026 is the last day." in second.words
    first = seen(date(2026, 3, 10), treatment=Treatment(plans=(CyclePlan(1, 1, DAY1),))).of_cycle(1, 1)[0]
    assert first.words == "Its window closed on 05-Mar-2026. Record the cause of the delay."


@pytest.mark.parametrize(
    ("newest", "from_on", "until_on"),
    [
        # First planned for 27 April: 24 to 30 April.
        (date(2026, 4, 24), date(2026, 4, 24), date(2026, 4, 30)),
        (date(2026, 4, 30), date(2026, 4, 24), date(2026, 4, 30)),
        (date(2026, 5, 1), date(2026, 4, 28), date(2026, 5, 4)),
        (date(2026, 4, 23), date(2026, 4, 20), date(2026, 4, 26)),
    ],
)
def test_a_new_plan_inside_the_window_keeps_it_and_one_outside_has_its_own(
    newest: date, from_on: date, until_on: date
) -> None:
    _, calendar = start_of_3(date(2026, 4, 20), date(2026, 4, 27), newest)
    due = calendar.next_due
    assert due is not None
    assert (due.due_on, due.from_on, due.until_on) == (newest, from_on, until_on)


def test_on_its_new_day_a_late_start_is_due_and_a_day_later_it_was() -> None:
    on_time = start_of_3(date(2026, 5, 5), date(2026, 4, 27), date(2026, 5, 5))[1].next_words
    assert on_time.startswith("Cycle 3 day 1 is due on 05-May-2026, from 02-May to 08-May.")
    a_day_late = start_of_3(date(2026, 5, 6), date(2026, 4, 27), date(2026, 5, 5))[1].next_words
    assert a_day_late.startswith("Cycle 3 day 1 was due on 05-May-2026, 1 day ago.")


def test_without_day_one_of_the_cycle_before_no_start_is_known() -> None:
    second = seen(DAY15, given(1, 8, DAY8)).of_cycle(1, 2)[0]
    assert second.words == (
        "No day is planned, and day 1 of cycle 1 is not recorded. Store the planned day 1 of cycle 2."
    )


def test_every_dose_keeps_its_own_level_and_a_repeated_one_its_dose() -> None:
    twice = (*SIX_CYCLES[:5], given(3, 1, date(2026, 4, 27)), given(3, 8, date(2026, 5, 4), level=-1))
    assert [dose.level for dose in seen(date(2026, 5, 5), *twice).of_cycle(1, 3)] == [0, -1]
    again = seen(DAY8, given(1, 1, DAY1), given(1, 1, DAY8)).of_cycle(1, 1)
    assert [dose.mg_per_m2 for dose in again[:2]] == [D("0.8"), D("0.8")]


def test_fewer_cycles_of_a_retreatment_do_not_shorten_the_first_course() -> None:
    one = PROTOCOL.model_copy(update={"retreatment": PROTOCOL.retreatment.model_copy(update={"max_cycles": 1})})
    assert calendar_of(one, DAY8, (given(1, 1, DAY1),), Treatment()).cycles() == ((1, 1), (1, 2))


def test_cycles_are_counted_from_the_newest_marrow_without_the_one_that_began_that_day() -> None:
    marrows = (Marrow(DAY15, D(4)), Marrow(date(2026, 4, 27), D(2)))
    words = seen(date(2026, 6, 1), *SIX_CYCLES[:9], treatment=Treatment(marrows=marrows)).marrow_words
    assert words.endswith("the newest is of 27-Apr-2026, 1 cycle began after it.")
