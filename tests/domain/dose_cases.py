"""A settled case that the dose tests vary one fact at a time: an adult of 180 cm and 80 kg, so exactly 2 m²."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

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
    )
    return replace(base, **changes)


def override(rule: str, **changes: Any) -> Override:
    base = Override(rule, "Dr. A. Reyes", "principal investigator", DAY1, "letter 7", "decided after review")
    return replace(base, **changes)


def said(findings: tuple[Finding, ...], rule: str) -> list[str]:
    """The severities with which one rule spoke."""
    return [finding.severity.name for finding in findings if finding.rule == rule]
