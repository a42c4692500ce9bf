"""The supply forecast, told as cases. Every date and every milligram is counted by hand.

171 cm and 70 kg by Mosteller are √(171 × 70 / 3600) = 1.82345… m²: 0.8 mg/m² are 1.46 mg, 0.5 are 0.91, 0.6 are 1.09
and 0.3 are 0.55 mg. A 1 mg vial gives 0.9 mg, a 4 mg vial 3.6 mg: 1.46, 0.91 and 1.09 mg take two 1 mg vials, 0.55 one.
Cycle 1 begins on Monday 2 March 2026: days 8 and 15 are 9 and 16 March; cycle 2 begins on Day 28, 29 March, without a
marrow that shows persistent disease (§ 3.3); the others 21 days after the one before. Twelve weeks end on 24 May.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from pharmacy_app.domain.forecast import (
    Certainty,
    Forecast,
    LeadTime,
    NewSubjects,
    OrderedDose,
    SubjectFacts,
    forecast,
)
from pharmacy_app.domain.planning import UsableVial
from pharmacy_app.domain.request import Height, Weight
from pharmacy_app.domain.settings import StudySettings
from pharmacy_app.domain.treatment import (
    Cause,
    CyclePlan,
    LevelChange,
    LevelReason,
    Marrow,
    Omission,
    Removal,
    RemovalReason,
    Treatment,
)
from tests.domain.dose_cases import PROTOCOL, SETTINGS, D, given

MONDAY = date(2026, 3, 2)
ONE, FOUR = D(1), D(4)
LATE = date(2027, 6, 30)
PLANNED = Treatment(plans=(CyclePlan(1, 1, MONDAY),))
HEIGHT, WEIGHT = Height(D(171), date(2026, 3, 1)), Weight(D(70), date(2026, 3, 1))
SUBJECT = SubjectFacts("001", (), PLANNED, HEIGHT, WEIGHT)
GOES_ON = (
    (date(2026, 3, 29), "1.09"),
    (date(2026, 4, 5), "0.55"),
    (date(2026, 4, 19), "1.09"),
    (date(2026, 4, 26), "0.55"),
    (date(2026, 5, 10), "1.09"),
    (date(2026, 5, 17), "0.55"),
)
FIXED = ((MONDAY, "1.46"), (date(2026, 3, 9), "0.91"), (date(2026, 3, 16), "0.91"))


def vials(count: int, strength: Decimal = ONE, lot: str = "A1", expires_on: date = LATE) -> list[UsableVial]:
    return [UsableVial(f"{lot}-{number:03d}", strength, lot, expires_on, "F1") for number in range(count)]


def looked(
    *subjects: SubjectFacts,
    stock: Sequence[UsableVial] = (),
    settings: StudySettings = SETTINGS,
    today: date = MONDAY,
    lead: int | None = None,
    new: NewSubjects | None = None,
) -> Forecast:
    lead_time = None if lead is None else LeadTime(lead, "Supply plan 1.0, p. 3")
    return forecast(subjects, stock, settings, lambda _on: PROTOCOL, today, lead_time, new)


def doses(made: Forecast) -> list[tuple[date, str]]:
    return [(need.dose.on, "?" if need.dose.mg is None else f"{need.dose.mg:f}") for need in made.whole.needs]


def words(made: Forecast) -> str:
    return "\n".join(f"{said.kind}: {said.words}" for said in made.sentences)


# --- which doses ----------------------------------------------------------------------------------------------


def test_the_doses_of_twelve_weeks_with_their_days_and_milligrams() -> None:
    made = looked(SUBJECT)
    assert made.until == date(2026, 5, 24)
    assert doses(made) == [*FIXED, *GOES_ON]
    sure = [need.dose.certainty for need in made.whole.needs]
    assert sure == [Certainty.EXPECTED] * 3 + [Certainty.GOES_ON] * 6
    assert [need.dose for need in made.expected.needs] == [need.dose for need in made.whole.needs[:3]]


def test_every_amount_carries_the_working_of_the_dose_decision() -> None:
    first = looked(SUBJECT).whole.needs[0].dose
    assert [step.name for step in first.steps] == [
        "dose of the day",
        "body surface area, Mosteller",
        "planned dose, unrounded",
        "planned dose, rounded",
    ]
    assert str(first.steps[1].result).startswith("1.8234")


def test_persistent_disease_brings_cycle_2_forward_to_day_22() -> None:
    history = (given(1, 1, MONDAY), given(1, 8, date(2026, 3, 9)), given(1, 15, date(2026, 3, 16)))
    treatment = Treatment(marrows=(Marrow(date(2026, 3, 17), D(12)),))
    made = looked(replace(SUBJECT, history=history, treatment=treatment), today=date(2026, 3, 18))
    # Day 22 of cycle 1 is 23 March (§ 3.3: more than 5 % blasts).
    assert doses(made)[0] == (date(2026, 3, 23), "1.09")


def test_a_cycle_that_is_planned_is_fixed_already() -> None:
    history = (given(1, 1, MONDAY), given(1, 8, date(2026, 3, 9)), given(1, 15, date(2026, 3, 16)))
    treatment = Treatment(plans=(CyclePlan(1, 2, date(2026, 3, 30)),))
    made = looked(replace(SUBJECT, history=history, treatment=treatment), today=date(2026, 3, 20))
    assert doses(made)[:3] == [(date(2026, 3, 30), "1.09"), (date(2026, 4, 6), "0.55"), (date(2026, 4, 20), "1.09")]
    assert [need.dose.certainty for need in made.whole.needs[:3]] == [
        Certainty.EXPECTED,
        Certainty.EXPECTED,
        Certainty.GOES_ON,
    ]


def test_the_newest_plan_of_a_day_1_counts() -> None:
    plans = (CyclePlan(1, 1, MONDAY), CyclePlan(1, 1, date(2026, 3, 5)))
    made = looked(replace(SUBJECT, treatment=Treatment(plans=plans)))
    assert doses(made)[:2] == [(date(2026, 3, 5), "1.46"), (date(2026, 3, 12), "0.91")]


def test_a_reduced_level_takes_its_own_doses() -> None:
    history = (given(1, 1, MONDAY), given(1, 8, date(2026, 3, 9)), given(1, 15, date(2026, 3, 16)))
    change = LevelChange(1, 2, 0, -1, LevelReason.TOXICITY, "Dr. Vogel", date(2026, 3, 18), "ALT grade 3")
    made = looked(
        replace(SUBJECT, history=history, treatment=Treatment(level_changes=(change,))), today=change.decided_on
    )
    # Level −1: 0.4 and 0.2 mg/m² × 1.82345… m² = 0.72938… and 0.36469… mg.
    assert [mg for _, mg in doses(made)[:2]] == ["0.73", "0.36"]


def test_a_late_dose_is_expected_today_and_says_so() -> None:
    made = looked(replace(SUBJECT, history=(given(1, 1, MONDAY),)), today=date(2026, 3, 13))
    first = made.whole.needs[0].dose
    assert (first.on, first.day) == (date(2026, 3, 13), 8)
    assert first.words == "It was expected on 09-Mar-2026."
    assert made.whole.needs[1].dose.on == date(2026, 3, 16)


def test_a_dose_that_is_left_out_takes_nothing() -> None:
    omitted = Omission(1, 1, 8, Cause.TOXICITY, "Dr. Vogel", date(2026, 3, 8), "ALT grade 3")
    treatment = replace(PLANNED, omissions=(omitted,))
    made = looked(replace(SUBJECT, history=(given(1, 1, MONDAY),), treatment=treatment), today=date(2026, 3, 8))
    assert doses(made)[0] == (date(2026, 3, 16), "0.91")


def test_nobody_off_treatment_is_counted() -> None:
    removal = Removal(1, date(2026, 3, 20), RemovalReason.REQUEST, "Dr. Vogel", "moved away")
    facts = replace(SUBJECT, history=(given(1, 1, MONDAY),), treatment=replace(PLANNED, removals=(removal,)))
    made = looked(facts, today=date(2026, 3, 21))
    assert made.whole.needs == ()
    assert words(made) == "info: No dose is expected until 12-Jun-2026."


def test_six_cycles_are_all() -> None:
    begun = MONDAY - timedelta(days=84)
    history = tuple(
        given(cycle, day, begun + timedelta(days=21 * (cycle - 1) + day - 1))
        for cycle in range(1, 6)
        for day in ((1, 8, 15) if cycle == 1 else (1, 8))
    )
    made = looked(replace(SUBJECT, history=history, treatment=Treatment()), today=MONDAY + timedelta(days=10))
    assert [(need.dose.cycle, need.dose.day) for need in made.whole.needs] == [(6, 1), (6, 8)]


@pytest.mark.parametrize(("day1_on", "counted"), [(date(2026, 5, 24), 1), (date(2026, 5, 25), 0)])
def test_the_last_day_of_the_twelfth_week_is_inside(day1_on: date, counted: int) -> None:
    made = looked(replace(SUBJECT, treatment=Treatment(plans=(CyclePlan(1, 1, day1_on),))))
    assert len(made.whole.needs) == counted
    assert sum(week.doses for week in made.weeks) == counted


# --- orders ---------------------------------------------------------------------------------------------------


def ordered(day: int, on: date, mg: str, *, reserved: bool = False) -> OrderedDose:
    return OrderedDose("D0000010", 1, 1, day, 0, on, D(mg), reserved)


def test_an_order_brings_its_own_day_and_milligrams() -> None:
    facts = replace(SUBJECT, treatment=Treatment(), orders=(ordered(1, date(2026, 3, 4), "1.5"),))
    made = looked(facts, stock=vials(20))
    assert doses(made)[:2] == [(date(2026, 3, 4), "1.5"), (date(2026, 3, 11), "0.91")]
    assert made.whole.needs[0].dose.steps[0].formula == "as ordered, dose D0000010"
    # The days that follow belong to the cycle that is ordered.
    assert made.whole.needs[1].dose.certainty is Certainty.EXPECTED


def test_vials_reserved_for_a_dose_are_not_needed_again() -> None:
    facts = replace(SUBJECT, orders=(ordered(1, MONDAY, "1.46", reserved=True),))
    made = looked(facts, stock=vials(13))
    first = made.whole.needs[0]
    assert (first.known, first.vials, first.count(ONE)) == (True, (), 0)
    # 15 vials for all doses less the two that are reserved.
    assert made.whole.first_short is None
    assert made.weeks[-1].after(ONE) == 0


def test_an_order_of_a_subject_off_treatment_is_said_and_not_counted() -> None:
    removal = Removal(1, MONDAY, RemovalReason.REQUEST, "Dr. Vogel", "moved away")
    facts = replace(SUBJECT, treatment=replace(PLANNED, removals=(removal,)), orders=(ordered(1, MONDAY, "1.46"),))
    made = looked(facts, stock=vials(5))
    assert made.whole.needs == ()
    assert made.unknown == (
        "Dose D0000010 is ordered, but subject 001 is off treatment: it is not counted. Cancel it.",
    )


# --- stock ----------------------------------------------------------------------------------------------------


def test_enough_stock_is_said_with_its_numbers() -> None:
    made = looked(SUBJECT, stock=vials(15))
    assert made.whole.first_short is None
    assert [week.after(ONE) for week in made.weeks] == [13, 11, 9, 7, 6, 6, 4, 3, 3, 1, 0, 0]
    assert words(made) == (
        "ok: Usable stock makes every dose until 24-May-2026: 9 doses, 15 vials of 1 mg. Nothing need be ordered."
    )


def test_stock_runs_out_with_the_day_the_missing_milligrams_and_the_day_to_order() -> None:
    made = looked(SUBJECT, stock=vials(7), lead=14)
    short = made.whole.first_short
    assert short is not None
    # 2 + 2 + 2 are gone; the one that is left gives 0.9 of 1.09 mg.
    assert (short.dose.on, short.missing_mg) == (date(2026, 3, 29), D("0.19"))
    assert (len(short.vials), short.to_order(ONE)) == (1, 1)
    assert made.whole.to_order(ONE) == 15 - 7
    assert made.expected.first_short is None
    assert words(made) == (
        "warn: If treatment goes on, the first dose that cannot be made is subject 001, cycle 2 day 1, on 29-Mar-2026:"
        " it takes 1.09 mg, and 0.19 mg are missing.\n"
        "info: Counting only the doses that are fixed already, every one can be made.\n"
        "warn: Order 8 vials of 1 mg, usable until 17-May-2026 or longer, by 15-Mar-2026 (29-Mar-2026 less the lead"
        " time of 14 days, Supply plan 1.0, p. 3)."
    )


@pytest.mark.parametrize(("lead", "said"), [(27, "by 02-Mar-2026"), (28, "today: the day to order was 01-Mar-2026")])
def test_the_day_to_order_may_be_today_or_past(lead: int, said: str) -> None:
    assert said in words(looked(SUBJECT, stock=vials(7), lead=lead))


def test_without_a_lead_time_the_shortage_has_its_day_and_the_order_has_none() -> None:
    said = words(looked(SUBJECT, stock=vials(7)))
    assert "on 29-Mar-2026" in said
    assert "the order lead time is not set" in said
    assert "less the lead time" not in said


def test_a_fixed_dose_that_cannot_be_made_stops() -> None:
    made = looked(SUBJECT, stock=vials(3), lead=0)
    assert words(made).startswith(
        "stop: The first dose that cannot be made is subject 001, cycle 1 day 8, on 09-Mar-2026: it takes 0.91 mg, and"
        " 0.01 mg are missing."
    )
    assert "The doses that are fixed already need 3 of 1 mg of them." in words(made)


def test_no_stock_at_all() -> None:
    made = looked(SUBJECT)
    assert made.whole.first_short is not None
    assert made.whole.first_short.missing_mg == D("1.46")
    assert made.whole.to_order(ONE) == 15
    assert made.stock == ((ONE, 0), (FOUR, 0))


def test_when_the_small_vials_run_out_a_large_one_is_taken_and_said() -> None:
    made = looked(SUBJECT, stock=[*vials(6), *vials(1, FOUR, "B1")])
    need = made.whole.needs[3]
    assert [vial.lot for vial in need.vials] == ["B1"]
    assert need.missing_mg == 0
    assert dict(made.whole.runs_out)[ONE] == need
    assert (
        "info: 1 mg vials run short on 29-Mar-2026: subject 001, cycle 2 day 1 (1.09 mg) then takes 1 vial of 4 mg"
        " instead."
    ) in words(made)


@pytest.mark.parametrize(("expires_on", "taken"), [(date(2026, 3, 9), 2), (date(2026, 3, 8), 0)])
def test_a_vial_serves_through_its_last_day_and_no_longer(expires_on: date, taken: int) -> None:
    facts = replace(SUBJECT, history=(given(1, 1, MONDAY),))
    made = looked(facts, stock=vials(2, expires_on=expires_on), today=date(2026, 3, 3))
    assert len(made.whole.needs[0].vials) == taken
    left = [(lot.lot, lot.vials) for lot in made.whole.expire_unused]
    assert left == ([] if taken else [("A1", 2)])


def test_the_first_expired_goes_first_and_what_expires_unused_is_said() -> None:
    # 31 March: two vials each on 2, 9, 16 and 29 March are 8 of the 10.
    stock = [*vials(20, lot="LONG"), *vials(10, lot="SOON", expires_on=date(2026, 3, 31))]
    made = looked(SUBJECT, stock=stock)
    assert {vial.lot for need in made.whole.needs[:4] for vial in need.vials} == {"SOON"}
    assert {vial.lot for need in made.whole.needs[4:] for vial in need.vials} == {"LONG"}
    assert ("warn: 2 vials of 1 mg, lot SOON, will expire unused: no dose takes them until 31-Mar-2026.") in words(made)
    # Week 5 ends on 5 April: of LONG one is used by then, and what is left of SOON is no longer usable.
    assert [week.after(ONE) for week in made.weeks[:5]] == [28, 26, 24, 22, 19]


def test_expired_vials_are_no_stock() -> None:
    made = looked(SUBJECT, stock=vials(15, expires_on=date(2026, 3, 1)))
    assert made.stock[0] == (ONE, 0)
    assert made.whole.first_short is not None
    assert made.whole.expire_unused == ()


# --- what is not known ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (replace(SUBJECT, weight=None), "no weight is recorded"),
        (replace(SUBJECT, height=None), "no height is recorded"),
        (replace(SUBJECT, weight=None, height=None), "no height and no weight is recorded"),
    ],
)
def test_without_a_measurement_nothing_is_guessed(facts: SubjectFacts, said: str) -> None:
    made = looked(facts, stock=vials(20))
    assert all(need.dose.mg is None and not need.known for need in made.whole.needs)
    assert made.unknown == (f"Subject 001: {said}, so 9 doses are not counted. Enter it under Subjects.",)
    assert made.weeks[0].unknown == 1
    assert words(made).startswith("warn: How many vials the coming doses take is not known")


def test_a_day_that_nobody_planned_is_said() -> None:
    made = looked(replace(SUBJECT, treatment=Treatment()))
    assert made.whole.needs == ()
    (said,) = made.unknown
    assert said.startswith("Subject 001: cycle 1 day 1 has no day yet, so neither it nor what follows is counted.")


def test_without_signed_settings_only_an_order_has_milligrams() -> None:
    facts = replace(SUBJECT, orders=(ordered(1, MONDAY, "1.46"),))
    made = looked(facts, stock=vials(20), settings=replace(SETTINGS, bsa_formula=None, dose_rounding=None))
    assert [mg for _, mg in doses(made)] == ["1.46", *["?"] * 8]
    assert made.unknown[0].startswith("Not signed: the BSA formula and the dose rounding.")


def test_a_strength_whose_preparation_is_not_signed_is_left_out_and_said() -> None:
    made = looked(SUBJECT, stock=[*vials(1), *vials(3, FOUR, "B1")], settings=replace(SETTINGS, vial_1mg=None))
    assert {vial.strength_mg for need in made.whole.needs for vial in need.vials} == {FOUR}
    assert made.unknown == (
        "How 1 mg vials are made up is not signed, so they are left out. Two people sign it under Settings.",
    )


def test_with_no_preparation_signed_no_vial_is_counted() -> None:
    made = looked(SUBJECT, stock=vials(3), settings=replace(SETTINGS, vial_1mg=None, vial_4mg=None))
    assert not any(need.known for need in made.whole.needs)
    assert made.whole.first_short is None
    assert "is not known" in words(made)


# --- new subjects ---------------------------------------------------------------------------------------------


def test_two_new_subjects_a_month_begin_every_fifteen_days() -> None:
    made = looked(new=NewSubjects(2, D("1.8")))
    first = [need.dose for need in made.whole.needs if (need.dose.cycle, need.dose.day) == (1, 1)]
    assert [dose.on for dose in first] == [MONDAY + timedelta(days=days) for days in (15, 30, 45, 60, 75)]
    mine = [need.dose for need in made.whole.needs if need.dose.subject_number == "New subject 1"]
    # 1.8 m²: 0.8, 0.5, 0.5, 0.6, 0.3, … mg/m² are 1.44, 0.9, 0.9, 1.08, 0.54 mg.
    assert [dose.mg for dose in mine[:5]] == [D("1.44"), D("0.9"), D("0.9"), D("1.08"), D("0.54")]
    assert {dose.certainty for dose in mine} == {Certainty.NEW}
    assert made.expected.needs == ()


def test_new_subjects_without_signed_rounding_are_not_guessed() -> None:
    made = looked(new=NewSubjects(1, D("1.8")), settings=replace(SETTINGS, dose_rounding=None))
    assert {need.dose.mg for need in made.whole.needs} == {None}


def test_a_shortage_of_assumed_subjects_says_that_they_are_assumed() -> None:
    made = looked(SUBJECT, stock=vials(15), new=NewSubjects(1, D("1.8")))
    assert words(made).startswith("warn: If treatment goes on and new subjects come as assumed, the first dose")


# --- whatever comes -------------------------------------------------------------------------------------------


def test_no_vial_is_used_twice_or_past_its_day_and_every_dose_gets_its_milligrams() -> None:
    chance = random.Random(8)
    extractable = {ONE: D("0.9"), FOUR: D("3.6")}
    for _ in range(25):
        subjects = [
            SubjectFacts(
                f"{number:03d}",
                (),
                Treatment(plans=(CyclePlan(1, 1, MONDAY + timedelta(days=chance.randrange(84))),)),
                Height(D(chance.randrange(150, 195)), MONDAY),
                Weight(D(chance.randrange(45, 120)), MONDAY),
            )
            for number in range(chance.randrange(1, 4))
        ]
        stock = [
            vial
            for lot in range(4)
            for vial in vials(
                chance.randrange(8),
                chance.choice((ONE, FOUR)),
                f"L{lot}",
                MONDAY + timedelta(days=chance.randrange(120)),
            )
        ]
        made = looked(*subjects, stock=stock)
        used = [vial.unit_number for need in made.whole.needs for vial in need.vials]
        assert len(used) == len(set(used))
        for need in made.whole.needs:
            assert need.dose.mg is not None
            assert all(vial.expires_on >= need.dose.on for vial in need.vials)
            have = sum((extractable[vial.strength_mg] for vial in need.vials), D(0))
            more = sum((extractable[strength] * count for strength, count in need.ordered), D(0))
            assert have + more >= need.dose.mg
            assert bool(need.ordered) == (need.missing_mg > 0)
        for strength in (ONE, FOUR):
            unused = sum(lot.vials for lot in made.whole.expire_unused if lot.strength_mg == strength)
            left = sum(vial.strength_mg == strength for vial in made.whole.left)
            taken = sum(vial.strength_mg == strength for need in made.whole.needs for vial in need.vials)
            assert taken + unused + left == dict(made.stock)[strength]
            assert sum(week.needs(strength) for week in made.weeks) == taken + made.whole.to_order(strength)
            assert made.weeks[-1].after(strength) == left
