"""The dose decision: a pure function of one frozen request, whose answer keeps its working and its findings.

Nothing is rounded but the planned dose, once and at the end, by the signed rule; everything is compared
unrounded. What is missing or not signed is said in a finding and nothing is calculated in its place.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from pharmacy_app.domain.bsa import bsa_step
from pharmacy_app.domain.comparisons import (
    DoseComparison,
    compare_administered,
    compare_prepared,
    compare_prescribed,
)
from pharmacy_app.domain.findings import Finding, Named, Severity, Step
from pharmacy_app.domain.protocol import CycleDoses
from pharmacy_app.domain.request import DoseRequest, Height, UsedWeight, Weight
from pharmacy_app.domain.rules import Case, judge
from pharmacy_app.domain.schedule import (
    Birth,
    GivenDose,
    Window,
    cycle_start_window,
    given,
    on_cycle_day,
    window_around,
)
from pharmacy_app.domain.settings import BsaFormula, DoseRounding, RoundingMode
from pharmacy_app.domain.units import KEPT, WORKING, percent_change, show

__all__ = [
    "Birth",
    "DoseComparison",
    "DoseDecision",
    "DoseRequest",
    "GivenDose",
    "Height",
    "UsedWeight",
    "Weight",
    "Window",
    "compare_administered",
    "compare_prepared",
    "compare_prescribed",
    "decide",
    "round_dose",
]


@dataclass(frozen=True, slots=True)
class DoseDecision:
    """The answer to one request. Amounts are mg and m²; ``None`` is 'not calculated', and a finding says why.

    ``prescribed`` compares the prescribed with the unrounded planned dose; ``weight_change_percent`` is the
    newest weight against the weight last used, unrounded. ``may_go_on`` is false while any finding blocks.
    """

    protocol_sha256: str
    dose_mg_per_m2: Decimal | None
    bsa_formula: BsaFormula | None
    bsa_m2: Decimal | None
    planned_mg_unrounded: Decimal | None
    planned_mg: Decimal | None
    prescribed: DoseComparison | None
    weight_change_percent: Decimal | None
    window: Window | None
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    may_go_on: bool

    def with_severity(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity, in catalogue order."""
        return tuple(finding for finding in self.findings if finding.severity is severity)


@dataclass(frozen=True, slots=True)
class _Working:
    steps: tuple[Step, ...] = ()
    bsa_m2: Decimal | None = None
    planned_mg_unrounded: Decimal | None = None
    planned_mg: Decimal | None = None


def decide(request: DoseRequest) -> DoseDecision:
    """Return the planned dose with its working, its window and all findings; never raises for what is missing."""
    doses = request.treatment.cycle_doses(request.protocol, request.course, request.cycle, request.level)
    dose = None if doses is None else doses.on_day(request.day)
    working = _calculate(request, doses, dose)
    prescribed = None
    if request.prescribed_mg is not None and working.planned_mg_unrounded is not None:
        prescribed = compare_prescribed(
            request.prescribed_mg, working.planned_mg_unrounded, request.protocol, request.overrides
        )
    day1_on = _day1_on(request)
    previous_day1_on = _previous_day1_on(request)
    window = _window(request, day1_on, previous_day1_on)
    findings = judge(
        Case(
            request=request,
            doses=doses,
            dose_mg_per_m2=dose,
            bsa_m2=working.bsa_m2,
            planned_mg_unrounded=working.planned_mg_unrounded,
            planned_mg=working.planned_mg,
            prescribed=prescribed,
            day1_on=day1_on,
            previous_day1_on=previous_day1_on,
            window=window,
        )
    )
    formula = request.settings.bsa_formula
    new, prior = request.current_weight, request.prior_weight_used
    # A finding already stops each of these; asked again so that no gap in a rule can let an unknown through.
    known = working.planned_mg is not None and request.prescribed_mg is not None
    return DoseDecision(
        protocol_sha256=request.protocol.sha256,
        dose_mg_per_m2=dose,
        bsa_formula=None if formula is None else formula.value,
        bsa_m2=working.bsa_m2,
        planned_mg_unrounded=working.planned_mg_unrounded,
        planned_mg=working.planned_mg,
        prescribed=prescribed,
        weight_change_percent=None if new is None or prior is None else percent_change(new.kg, prior.kg),
        window=window,
        steps=working.steps,
        findings=findings,
        may_go_on=known and not any(finding.blocks for finding in findings),
    )


def _calculate(request: DoseRequest, doses: CycleDoses | None, dose_mg_per_m2: Decimal | None) -> _Working:
    formula, rounding = request.settings.bsa_formula, request.settings.dose_rounding
    height, weight = request.height, request.dosing_weight
    if doses is None or dose_mg_per_m2 is None:
        return _Working()
    if formula is None or rounding is None or height is None or weight is None:
        return _Working()
    if height.cm <= 0 or weight.kg <= 0:
        return _Working()
    table = Step(
        name="dose of the day",
        formula="from the table of cycle, day and dose level",
        inputs=(
            Named("cycle", str(request.cycle)),
            Named("day", str(request.day)),
            Named("level", "none in cycle 1" if doses is request.protocol.regimen.first_cycle else str(request.level)),
        ),
        result=dose_mg_per_m2,
        unit="mg/m²",
        section=doses.section,
    )
    area = bsa_step(formula.value, height_cm=height.cm, weight_kg=weight.kg)
    with localcontext(WORKING):
        unrounded = dose_mg_per_m2 * area.result
    unrounded = KEPT.plus(unrounded)
    rounded = round_dose(unrounded, rounding.value)
    planned = Step(
        name="planned dose, unrounded",
        formula="dose of the day × body surface area",
        inputs=(
            Named("dose of the day", show(dose_mg_per_m2), "mg/m²"),
            Named("body surface area", show(area.result), "m²"),
        ),
        result=unrounded,
        unit="mg",
        section="8.1.3",
    )
    final = Step(
        name="planned dose, rounded",
        formula=f"rounded {rounding.value.mode.value} to a multiple of {show(rounding.value.increment_mg)} mg",
        inputs=(Named("planned dose, unrounded", show(unrounded), "mg"),),
        result=rounded,
        unit="mg",
        section="8.1.3",
    )
    return _Working((table, area, planned, final), area.result, unrounded, rounded)


def round_dose(mg: Decimal, rounding: DoseRounding) -> Decimal:
    """Return ``mg`` (0 or more) as a multiple of the increment by the signed rule; exact at ties."""
    if mg < 0 or rounding.increment_mg <= 0:
        raise ValueError("a dose is not negative and an increment is more than 0")
    increment = rounding.increment_mg
    with localcontext(WORKING):
        count, rest = divmod(mg, increment)
        twice = 2 * rest
        up = False
        if rounding.mode is RoundingMode.HALF_UP:
            up = twice >= increment
        elif rounding.mode is RoundingMode.HALF_EVEN:
            up = twice > increment or (twice == increment and count % 2 == 1)
        return (count + 1 if up else count) * increment


def _day1_on(request: DoseRequest) -> date | None:
    """The actual day 1 of this cycle for a later day of it: as recorded, else as stated."""
    if request.day <= 1:
        return None
    day1 = given(request.history, request.course, request.cycle, 1)
    return day1[0].given_on if day1 else request.day1_on


def _previous_day1_on(request: DoseRequest) -> date | None:
    day1 = given(request.history, request.course, request.cycle - 1, 1)
    return day1[0].given_on if day1 else None


def _window(request: DoseRequest, day1_on: date | None, previous_day1_on: date | None) -> Window | None:
    windows = request.protocol.windows
    if request.day > 1:
        return None if day1_on is None else window_around(on_cycle_day(day1_on, request.day), windows)
    if request.scheduled_on is not None:
        return window_around(request.scheduled_on, windows)
    return None if previous_day1_on is None else cycle_start_window(previous_day1_on, windows)
