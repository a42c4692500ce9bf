"""A settled case that the dose tests vary one fact at a time: an adult of 180 cm and 80 kg, so exactly 2 m²."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel

from pharmacy_app.domain.criteria import Criteria, Lab
from pharmacy_app.domain.findings import Finding, Override
from pharmacy_app.domain.protocol import shipped_protocol
from pharmacy_app.domain.request import DoseRequest, Height, UsedWeight, Weight
from pharmacy_app.domain.schedule import Birth, GivenDose
from pharmacy_app.domain.settings import (
    BagPreparation,
    BsaFormula,
    DoseRounding,
    RoundingMode,
    Signed,
    StabilityLimits,
    StudySettings,
    VialPreparation,
)
from pharmacy_app.domain.treatment import (
    Cause,
    Delay,
    LevelChange,
    LevelReason,
    Marrow,
    Omission,
    Response,
    ResponseAssessment,
    RetreatmentOrder,
    Schedule,
    Treatment,
)

D = Decimal
PROTOCOL = shipped_protocol()
DAY1 = date(2026, 3, 2)


def vial_setting(strength: str, extractable: str, volume: str = "4", conc: str = "0.25") -> Signed[VialPreparation]:
    return Signed(
        VialPreparation(D(strength), D(extractable), D(volume), D(conc), "sterile water"), "Study Manual, test", 1
    )


SETTINGS = StudySettings(
    bsa_formula=Signed(BsaFormula.MOSTELLER, "site decision", 1),
    dose_rounding=Signed(DoseRounding(D("0.01"), RoundingMode.HALF_UP), "site decision", 2),
    vial_1mg=vial_setting("1", "0.9"),
    vial_4mg=vial_setting("4", "3.6", "16"),
    bag=Signed(
        BagPreparation("0.9% sodium chloride", D(50), D("0.01"), D("0.1"), "room temperature"), "Study Manual, test", 3
    ),
    stability=Signed(StabilityLimits(D(4), D(8), D(4), D(1)), "Study Manual, test", 4),
)


def given(cycle: int, day: int, on: date, *, course: int = 1, level: int = 0) -> GivenDose:
    return GivenDose(course, cycle, day, level, on)


def lab(value: str, on: date, unit: str = "U/L", upper: str | None = None) -> Lab:
    return Lab(D(value), unit, on, None if upper is None else D(upper))


def met(cycle: int, day: int, on: date, *, course: int = 1, **changes: Any) -> Criteria:
    """Criteria of one dose, all of them met, with values of that day."""
    answers = Criteria(
        course=course,
        cycle=cycle,
        day=day,
        assessed_on=on,
        progression=False,
        toxicity_grade=0,
        toxicity_baseline_grade=0,
        liver_toxicity_suspected=False,
        bilirubin=lab("0.8", on, "mg/dL", "1.2"),
        ast=lab("30", on, upper="40"),
        alt=lab("30", on, upper="40"),
        creatinine_clearance=lab("90", on, "mL/min"),
        anc=lab("2.1", on, "10⁹/L"),
        platelets=lab("120", on, "10⁹/L"),
        consent_on=date(2026, 2, 20),
        screening_marrow_on=date(2026, 2, 20),
        screening_tests_on=date(2026, 2, 25),
    )
    return replace(answers, **changes)


SCREENED = Treatment(
    marrows=(Marrow(date(2026, 1, 20), D(40)), Marrow(date(2026, 2, 20), D(45))),
)
"""Two marrows before treatment, blasts stable."""

IN_REMISSION = replace(
    SCREENED,
    marrows=(*SCREENED.marrows, Marrow(date(2026, 3, 15), D(4)), Marrow(date(2026, 3, 22), D(2))),
    responses=(ResponseAssessment(1, 1, date(2026, 3, 25), Response.CR),),
)
"""After cycle 1: marrows of Day 14 and Day 21, complete remission."""


def first_dose(**changes: Any) -> DoseRequest:
    """Cycle 1 day 1 on 2 March 2026: 0.8 mg/m² × 2 m² = 1.6 mg, prescribed as planned, weighed the day before."""
    request = DoseRequest(
        today=DAY1,
        protocol=PROTOCOL,
        settings=SETTINGS,
        birth=Birth(1980, 5, 17),
        course=1,
        cycle=1,
        day=1,
        level=0,
        planned_on=DAY1,
        prescribed_mg=D("1.6"),
        height=Height(D(180), date(2026, 3, 1)),
        dosing_weight=Weight(D(80), date(2026, 3, 1)),
        current_weight=Weight(D(80), date(2026, 3, 1)),
        treatment=SCREENED,
        criteria=(met(1, 1, DAY1),),
    )
    return replace(request, **changes)


def second_dose(**changes: Any) -> DoseRequest:
    """Cycle 1 day 8 on 9 March 2026: 0.5 mg/m² × 2 m² = 1 mg."""
    day8 = date(2026, 3, 9)
    base = first_dose(
        today=day8,
        day=8,
        planned_on=day8,
        prescribed_mg=D(1),
        prior_weight_used=UsedWeight(D(80), DAY1),
        formula_before=BsaFormula.MOSTELLER,
        day1_on=DAY1,
        history=(given(1, 1, DAY1),),
        criteria=(met(1, 1, DAY1), met(1, 8, day8)),
    )
    return replace(base, **changes)


def second_cycle(**changes: Any) -> DoseRequest:
    """Cycle 2 day 1 on 30 March 2026, 28 days after the first: 0.6 mg/m² × 2 m² = 1.2 mg, weighed the day before."""
    on = date(2026, 3, 30)
    base = first_dose(
        today=on,
        cycle=2,
        planned_on=on,
        prescribed_mg=D("1.2"),
        dosing_weight=Weight(D(80), date(2026, 3, 29)),
        current_weight=Weight(D(80), date(2026, 3, 29)),
        prior_weight_used=UsedWeight(D(80), date(2026, 3, 16)),
        formula_before=BsaFormula.MOSTELLER,
        history=(given(1, 1, DAY1), given(1, 8, date(2026, 3, 9)), given(1, 15, date(2026, 3, 16))),
        treatment=IN_REMISSION,
        criteria=(met(1, 1, DAY1), met(2, 1, on)),
    )
    return replace(base, **changes)


def override(rule: str, **changes: Any) -> Override:
    base = Override(rule, "Dr. A. Reyes", "principal investigator", DAY1, "letter 7", "decided after review", "0" * 64)
    return replace(base, **changes)


def said(findings: tuple[Finding, ...], rule: str) -> list[str]:
    """The severities with which one rule spoke."""
    return [finding.severity.name for finding in findings if finding.rule == rule]


CYCLE2 = date(2026, 3, 30)
CYCLE3 = date(2026, 4, 27)
RELAPSE = date(2026, 9, 10)
RETREATED = date(2026, 9, 21)
"""Day 1 of cycles 2 and 3, 28 days apart; a relapse more than five months after the response; day 1 of course 2."""


def third_cycle(**changes: Any) -> DoseRequest:
    """Cycle 3 day 1 on 27 April 2026, 28 days after the second: 0.6 mg/m² × 2 m² = 1.2 mg, weighed the day before."""
    base = second_cycle(
        today=CYCLE3,
        cycle=3,
        planned_on=CYCLE3,
        dosing_weight=Weight(D(80), date(2026, 4, 26)),
        current_weight=Weight(D(80), date(2026, 4, 26)),
        prior_weight_used=UsedWeight(D(80), date(2026, 4, 6)),
        criteria=(met(1, 1, DAY1), met(2, 1, CYCLE2), met(3, 1, CYCLE3)),
    )
    base = replace(base, history=(*base.history, given(2, 1, CYCLE2), given(2, 8, date(2026, 4, 6))))
    return replace(base, **changes)


def planned_for(request: DoseRequest, on: date, **changes: Any) -> DoseRequest:
    """The same dose planned for another day, weighed and answered on that day."""
    weight = Weight(D(80), on)
    answers = met(request.cycle, request.day, on, course=request.course)
    moved = replace(
        request,
        today=on,
        planned_on=on,
        dosing_weight=weight,
        current_weight=weight,
        criteria=(*request.criteria, answers),
    )
    return replace(moved, **changes)


def lowered(
    cycle: int,
    level: int,
    *,
    before: int = 0,
    reason: LevelReason = LevelReason.TOXICITY,
    course: int = 1,
) -> LevelChange:
    return LevelChange(course, cycle, before, level, reason, "Dr. A. Reyes", DAY1, "worst toxicity of the last cycle")


def delayed(cycle: int, day: int, cause: Cause = Cause.TOXICITY, *, course: int = 1) -> Delay:
    return Delay(course, cycle, day, cause, "Dr. A. Reyes", DAY1, "stated in the chart")


def omitted(cycle: int, day: int, cause: Cause = Cause.TOXICITY, *, course: int = 1) -> Omission:
    return Omission(course, cycle, day, cause, "Dr. A. Reyes", DAY1, "held too long")


ORDERED = RetreatmentOrder(2, Schedule.FIRST_CYCLE, "Dr. P. Ito", date(2026, 9, 15), "letter 12")
"""The principal investigator's order: course 2 begins with the first cycle's doses."""


def retreated(**changes: Any) -> DoseRequest:
    """Course 2 cycle 1 day 1 on 21 September 2026: remission of 25 March, relapse of 10 September, order by the PI."""
    treatment = replace(
        IN_REMISSION,
        responses=(*IN_REMISSION.responses, ResponseAssessment(1, 2, RELAPSE, Response.PD)),
        retreatments=(ORDERED,),
        marrows=(*IN_REMISSION.marrows, Marrow(date(2026, 9, 5), D(40)), Marrow(RELAPSE, D(45))),
    )
    base = third_cycle(
        today=RETREATED,
        course=2,
        cycle=1,
        planned_on=RETREATED,
        prescribed_mg=D("1.6"),
        dosing_weight=Weight(D(80), RETREATED),
        current_weight=Weight(D(80), RETREATED),
        treatment=treatment,
        criteria=(met(1, 1, DAY1), met(2, 1, CYCLE2), met(1, 1, RETREATED, course=2)),
    )
    return replace(base, **changes)


def blocking(findings: tuple[Finding, ...]) -> list[str]:
    """The rules that do not let this dose go on."""
    return [finding.rule for finding in findings if finding.blocks]


def spoke(findings: tuple[Finding, ...], *rules: str) -> dict[str, str]:
    """Which of these rules spoke, each with the severity of what it said; one that speaks twice is named so."""
    heard = {rule: said(findings, rule) for rule in rules}
    return {rule: " and ".join(severities) for rule, severities in heard.items() if severities}


def sentence(findings: tuple[Finding, ...], rule: str) -> str:
    """The one sentence a rule said."""
    (found,) = [finding.sentence for finding in findings if finding.rule == rule]
    return found


def walk(value: object) -> Iterator[object]:
    """A value and everything inside it: fields of dataclasses and of the protocol's tables, items of tuples."""
    yield value
    if isinstance(value, Enum):
        return
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from walk(getattr(value, field.name))
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from walk(getattr(value, name))
    elif isinstance(value, tuple | list | set | frozenset):
        for item in value:
            yield from walk(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from walk(key)
            yield from walk(item)
