"""What holds of the rules for any record, sensible or not: every question is answered, the order of records does not
matter, worse values are never judged more mildly, and nothing is a binary fraction."""

from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from enum import Enum
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from pharmacy_app.domain.codec import from_plain, to_plain
from pharmacy_app.domain.criteria import Criteria, Lab
from pharmacy_app.domain.dosing import DoseDecision, decide
from pharmacy_app.domain.findings import Finding, Severity
from pharmacy_app.domain.request import DoseRequest, Height, UsedWeight, Weight
from pharmacy_app.domain.rules import RULES
from pharmacy_app.domain.schedule import Birth, GivenDose, on_cycle_day
from pharmacy_app.domain.settings import BsaFormula, StudySettings
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
from tests.domain.dose_cases import (
    CYCLE2,
    CYCLE3,
    DAY1,
    IN_REMISSION,
    PROTOCOL,
    SCREENED,
    SETTINGS,
    delayed,
    first_dose,
    given,
    lab,
    met,
    override,
    planned_for,
    retreated,
    second_cycle,
    second_dose,
    third_cycle,
    walk,
)

D = Decimal
FEW = settings(max_examples=30, deadline=None)

# --- any record ------------------------------------------------------------------------------------------------

COURSES, CYCLES, DAYS = st.integers(1, 2), st.integers(1, 6), st.sampled_from((1, 8, 15))
DAYS_OFF = st.integers(-10, 120)
LEVELS = st.sampled_from((0, -1, -2))
WORDS = st.sampled_from(("sepsis", "Dr. A. Reyes"))
MAYBE = st.sampled_from((None, True, False))


def near(planned: date) -> st.SearchStrategy[date]:
    """Days before the dose, and a few after it."""
    return DAYS_OFF.map(lambda days: planned - timedelta(days=days))


def labs(planned: date) -> st.SearchStrategy[Lab | None]:
    amounts = st.sampled_from(tuple(D(each) for each in ("0", "0.9", "1", "1.8", "15", "50", "100", "1000")))
    limits = st.sampled_from((None, D(0), D("1.2"), D(40)))
    return st.none() | st.builds(Lab, amounts, st.just("unit"), near(planned), limits)


def answers(planned: date) -> st.SearchStrategy[Criteria]:
    """Criteria of any dose, with any of the answers unknown."""
    grades = st.none() | st.integers(0, 5)
    own: dict[str, st.SearchStrategy[Any]] = {
        "course": COURSES,
        "cycle": CYCLES,
        "day": DAYS,
        "assessed_on": near(planned),
        "assessed_by": WORDS,
        "toxicity_grade": grades,
        "toxicity_baseline_grade": grades,
    }
    for field in fields(Criteria):
        if field.name in own:
            continue
        if "Lab" in str(field.type):
            own[field.name] = labs(planned)
        elif "date" in str(field.type):
            own[field.name] = st.none() | near(planned)
        else:
            own[field.name] = MAYBE
    return st.builds(Criteria, **own)


def treatments(planned: date) -> st.SearchStrategy[Treatment]:
    """What may be recorded of a treatment, sensible or not."""
    on = near(planned)

    def some(entry: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
        return st.lists(entry, max_size=3).map(tuple)

    causes = st.sampled_from(Cause)
    return st.builds(
        Treatment,
        plans=some(st.builds(CyclePlan, COURSES, CYCLES, on)),
        delays=some(st.builds(Delay, COURSES, CYCLES, DAYS, causes, WORDS, on, WORDS)),
        omissions=some(st.builds(Omission, COURSES, CYCLES, DAYS, causes, WORDS, on, WORDS)),
        level_changes=some(
            st.builds(LevelChange, COURSES, CYCLES, LEVELS, LEVELS, st.sampled_from(LevelReason), WORDS, on, WORDS)
        ),
        responses=some(st.builds(ResponseAssessment, COURSES, CYCLES, on, st.sampled_from(Response))),
        marrows=some(st.builds(Marrow, on, st.decimals("0", "100", places=1))),
        toxicities=some(
            st.builds(
                Toxicity,
                WORDS,
                st.integers(1, 5),
                st.booleans(),
                on,
                st.none() | st.sampled_from(LiverFinding),
                st.booleans(),
            )
        ),
        removals=some(st.builds(Removal, COURSES, on, st.sampled_from(RemovalReason), WORDS, WORDS)),
        retreatments=some(st.builds(RetreatmentOrder, COURSES, st.sampled_from(Schedule), WORDS, on, WORDS)),
        transplants=some(st.builds(TransplantPlan, st.booleans(), on)),
    )


@st.composite
def requests(draw: st.DrawFn) -> DoseRequest:
    """Requests with any combination of what is known and unknown."""
    planned = draw(st.dates(date(2025, 1, 1), date(2029, 12, 31)))
    weights = st.none() | st.builds(Weight, st.sampled_from((D(0), D(70), D("77.1"), D(80))), near(planned))
    history = st.builds(GivenDose, COURSES, CYCLES, DAYS, LEVELS, near(planned), st.none())
    return DoseRequest(
        today=planned + timedelta(days=draw(st.integers(-3, 3))),
        protocol=PROTOCOL,
        settings=draw(st.sampled_from((SETTINGS, StudySettings()))),
        birth=draw(st.sampled_from((None, Birth(1980), Birth(2014, 3), Birth(2012, 2, 29), Birth(2030)))),
        course=draw(st.integers(0, 3)),
        cycle=draw(st.integers(0, 7)),
        day=draw(st.sampled_from((0, 1, 2, 8, 15))),
        level=draw(st.sampled_from((1, 0, -1, -2, -3))),
        planned_on=planned,
        prescribed_mg=draw(st.sampled_from((None, D(0), D("1.2")))),
        height=draw(st.sampled_from((None, Height(D(180), planned), Height(D(0), planned)))),
        dosing_weight=draw(weights),
        current_weight=draw(weights),
        prior_weight_used=draw(st.none() | st.builds(UsedWeight, st.sampled_from((D(0), D(70))), near(planned))),
        formula_before=draw(st.none() | st.sampled_from(BsaFormula)),
        day1_on=draw(st.none() | near(planned)),
        scheduled_on=draw(st.none() | near(planned)),
        history=tuple(draw(st.lists(history, max_size=5))),
        overrides=tuple(override(rule) for rule in draw(st.lists(st.sampled_from(sorted(RULES)), max_size=2))),
        treatment=draw(treatments(planned)),
        criteria=tuple(draw(st.lists(answers(planned), max_size=4))),
    )


PLAIN = str | int | date | Decimal | tuple | Enum | None  # type: ignore[type-arg]


@settings(max_examples=100, deadline=None)
@for_all(requests())
def test_every_request_is_answered_without_a_binary_fraction(request_: DoseRequest) -> None:
    decision = decide(request_)
    for value in walk(decision):
        assert not isinstance(value, float)
        assert isinstance(value, PLAIN) or hasattr(value, "__dataclass_fields__")
    for finding in decision.findings:
        assert finding.section
        assert finding.sentence[:1].isupper() or finding.sentence[:1].isdigit()
        assert finding.sentence.endswith(".")
        assert "None" not in finding.sentence
    if decision.may_go_on:
        assert decision.planned_mg is not None
        assert request_.prescribed_mg is not None
        assert not any(finding.blocks for finding in decision.findings)


@FEW
@for_all(requests())
def test_request_and_answer_survive_the_journal(request_: DoseRequest) -> None:
    decision = decide(request_)
    assert from_plain(DoseDecision, to_plain(decision)) == decision
    treatment = from_plain(Treatment, to_plain(request_.treatment))
    criteria = from_plain(tuple[Criteria, ...], to_plain(request_.criteria))
    assert decide(replace(request_, treatment=treatment, criteria=criteria)) == decision


@pytest.mark.parametrize(
    "request_",
    [first_dose(), second_dose(), second_cycle(), third_cycle(), retreated()],
    ids=lambda each: f"course{each.course}-c{each.cycle}d{each.day}",
)
def test_no_binary_fraction_in_request_protocol_or_decision(request_: DoseRequest) -> None:
    values = [*walk(request_), *walk(decide(request_))]
    assert not [value for value in values if isinstance(value, float | complex)]
    # The walk goes into the protocol's tables and the treatment's records.
    assert sum(isinstance(value, Decimal) for value in values) > 40


def test_the_walk_finds_a_binary_fraction_wherever_it_hides() -> None:
    for hidden in (Marrow(DAY1, 0.5), (Marrow(DAY1, D(1)), 0.5), {"a": [0.5]}, first_dose(prescribed_mg=0.5)):  # type: ignore[arg-type]
        assert any(isinstance(value, float) for value in walk(hidden))


@FEW
@for_all(requests())
def test_the_precision_of_the_moment_changes_nothing(request_: DoseRequest) -> None:
    expected = decide(request_)
    with localcontext(prec=3):
        again = decide(request_)
    assert judged(again) == judged(expected)
    assert again.planned_mg == expected.planned_mg


@FEW
@for_all(requests())
def test_what_is_unknown_never_goes_on(request_: DoseRequest) -> None:
    """Without answers no dose goes on, whatever else is recorded."""
    decision = decide(replace(request_, criteria=()))
    assert not decision.may_go_on
    assert ("R32", Severity.STOP) in judged(decision)


# --- order of records ------------------------------------------------------------------------------------------


def judged(decision: DoseDecision) -> list[tuple[str, Severity]]:
    """Which rules spoke and how strictly; a sentence may name another one of several records."""
    return [(finding.rule, finding.severity) for finding in decision.findings]


def one_a_place(request: DoseRequest) -> DoseRequest:
    """The same request with one record for each place or day: of two for one place the last counts."""
    treatment = request.treatment
    keys: dict[str, Any] = {
        "plans": lambda each: (each.course, each.cycle),
        "delays": lambda each: (each.course, each.cycle, each.day),
        "omissions": lambda each: (each.course, each.cycle, each.day),
        "level_changes": lambda each: (each.course, each.cycle),
        "responses": lambda each: (each.course, each.assessed_on),
        "marrows": lambda each: each.taken_on,
        "retreatments": lambda each: each.course,
        "transplants": type,
    }
    single = {
        name: tuple({key(each): each for each in getattr(treatment, name)}.values()) for name, key in keys.items()
    }
    history = {(each.course, each.cycle, each.day): each for each in request.history}
    return replace(
        request,
        treatment=replace(treatment, **single),
        criteria=tuple({each.place: each for each in request.criteria}.values()),
        history=tuple({each.given_on: each for each in history.values()}.values()),
    )


@settings(max_examples=60, deadline=None)
@for_all(requests().map(one_a_place), st.randoms(use_true_random=False))
def test_records_of_different_places_may_stand_in_any_order(request_: DoseRequest, random: Any) -> None:
    def shuffled(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(values, len(values)))

    treatment = request_.treatment
    mixed = {field.name: shuffled(getattr(treatment, field.name)) for field in fields(Treatment)}
    again = replace(
        request_,
        treatment=replace(treatment, **mixed),
        criteria=shuffled(request_.criteria),
        history=shuffled(request_.history),
    )
    assert judged(decide(again)) == judged(decide(request_))
    assert decide(again).planned_mg == decide(request_).planned_mg


# --- worse is never milder -------------------------------------------------------------------------------------

STRICTNESS = {Severity.INFO: 1, Severity.WARN: 2, Severity.OVERRIDABLE: 3, Severity.STOP: 4}


def strictness(findings: tuple[Finding, ...], *rules: str) -> int:
    """The strictest word of these rules; 0 when none of them spoke."""
    return max((STRICTNESS[finding.severity] for finding in findings if finding.rule in rules), default=0)


def of_answers(rule: str, **changes: Any) -> int:
    answered = met(2, 1, CYCLE2, **changes)
    return strictness(decide(second_cycle(criteria=(met(1, 1, DAY1), answered))).findings, rule)


AMOUNTS = st.decimals("0", "400", places=3)


@FEW
@for_all(AMOUNTS, AMOUNTS, MAYBE, MAYBE)
def test_more_bilirubin_or_transaminase_is_never_judged_more_mildly(
    one: Decimal, other: Decimal, tumor: bool | None, elsewhere: bool | None
) -> None:
    less, more = sorted((one, other))

    def judged_at(amount: Decimal) -> tuple[int, int, int]:
        said = {"due_to_tumor": tumor, "not_hepatobiliary": elsewhere}
        text = str(amount)
        return (
            of_answers("R37", bilirubin=lab(text, CYCLE2, "mg/dL", "1.2"), **said),
            of_answers("R38", ast=lab(text, CYCLE2, upper="40"), **said),
            of_answers("R38", alt=lab(text, CYCLE2, upper="40"), **said),
        )

    assert all(milder <= stricter for milder, stricter in zip(judged_at(less), judged_at(more), strict=True))


@FEW
@for_all(AMOUNTS, AMOUNTS)
def test_less_clearance_or_fewer_cells_are_never_judged_more_mildly(one: Decimal, other: Decimal) -> None:
    less, more = sorted((one, other))

    def judged_at(amount: Decimal) -> tuple[int, int, int]:
        text = str(amount)
        return (
            of_answers("R39", creatinine_clearance=lab(text, CYCLE2, "mL/min")),
            of_answers("R40", anc=lab(text, CYCLE2, "10⁹/L")),
            of_answers("R40", platelets=lab(text, CYCLE2, "10⁹/L")),
        )

    assert all(stricter >= milder for stricter, milder in zip(judged_at(less), judged_at(more), strict=True))


@FEW
@for_all(st.integers(0, 5), st.integers(0, 5), st.none() | st.integers(0, 4))
def test_a_higher_grade_is_never_judged_more_mildly(one: int, other: int, baseline: int | None) -> None:
    lower, higher = sorted((one, other))
    milder, stricter = (
        of_answers("R36", toxicity_grade=grade, toxicity_baseline_grade=baseline) for grade in (lower, higher)
    )
    assert milder <= stricter


@FEW
@for_all(*[st.decimals("0", "100", places=1)] * 3)
def test_more_blasts_are_never_judged_more_mildly(before: Decimal, one: Decimal, other: Decimal) -> None:
    less, more = sorted((one, other))

    def judged_at(blasts: Decimal) -> int:
        marrows = (Marrow(date(2026, 3, 15), before), Marrow(date(2026, 3, 22), blasts))
        treatment = replace(IN_REMISSION, marrows=marrows)
        return strictness(decide(second_cycle(treatment=treatment)).findings, "R35")

    assert judged_at(less) <= judged_at(more)


DELAYS = ("R20", "R28", "R29", "R30", "R31", "A34", "R25")


@pytest.mark.parametrize("cause", [Cause.TOXICITY, Cause.OTHER])
@pytest.mark.parametrize("day", [8, 15])
def test_the_later_inside_a_cycle_the_stricter(cause: Cause, day: int) -> None:
    """With one recorded cause a dose is never judged more mildly for being a day later than it was due."""
    history = (given(1, 1, DAY1),) if day == 8 else (given(1, 1, DAY1), given(1, 8, date(2026, 3, 9)))
    base = second_dose(day=day, history=history, treatment=replace(SCREENED, delays=(delayed(1, day, cause),)))
    due = on_cycle_day(DAY1, day)
    by_days_late = [
        strictness(decide(planned_for(base, due + timedelta(days=late))).findings, *DELAYS) for late in range(40)
    ]
    assert by_days_late == sorted(by_days_late)
    assert by_days_late[0] == 0
    assert by_days_late[-1] == STRICTNESS[Severity.STOP]


@pytest.mark.parametrize("cause", [Cause.TOXICITY, Cause.OTHER])
@pytest.mark.parametrize("planned", [True, False])
def test_the_later_a_cycle_starts_the_stricter(cause: Cause, planned: bool) -> None:
    treatment = replace(IN_REMISSION, delays=(delayed(3, 1, cause),))
    base = third_cycle(treatment=treatment, scheduled_on=CYCLE3 if planned else None)
    by_days_late = [
        strictness(decide(planned_for(base, CYCLE3 + timedelta(days=late))).findings, *DELAYS) for late in range(80)
    ]
    assert by_days_late == sorted(by_days_late)
    ends = STRICTNESS[Severity.OVERRIDABLE] if cause is Cause.TOXICITY else STRICTNESS[Severity.WARN]
    assert by_days_late[-1] == ends


@FEW
@for_all(requests(), answers(date(2026, 4, 27)))
def test_a_further_liver_suspicion_always_stops(request_: DoseRequest, answer: Criteria) -> None:
    suspected = replace(answer, liver_toxicity_suspected=True)
    decision = decide(replace(request_, criteria=(*request_.criteria, suspected)))
    assert not decision.may_go_on
    assert ("R32", Severity.STOP) in judged(decision)
