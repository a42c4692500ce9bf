"""What a dose decision is asked: one frozen value that holds every fact the answer depends on."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pharmacy_app.domain.criteria import Criteria
from pharmacy_app.domain.findings import Override
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.schedule import Birth, GivenDose
from pharmacy_app.domain.settings import BsaFormula, StudySettings
from pharmacy_app.domain.treatment import NO_TREATMENT, Treatment


@dataclass(frozen=True, slots=True)
class Height:
    """A height in cm and the date it was measured on."""

    cm: Decimal
    measured_on: date


@dataclass(frozen=True, slots=True)
class Weight:
    """A body weight in kg and the date it was measured on."""

    kg: Decimal
    measured_on: date


@dataclass(frozen=True, slots=True)
class UsedWeight:
    """The weight in kg that a dose was calculated from, and the date of that dose (RULES A3)."""

    kg: Decimal
    used_on: date


@dataclass(frozen=True, slots=True)
class DoseRequest:
    """One dose to decide on. ``None`` is 'unknown' and never taken for 'met'.

    ``today`` is the site's date, ``planned_on`` the date of the infusion. ``dosing_weight`` is the weight
    chosen for this calculation, ``current_weight`` the newest one measured on or before ``planned_on``,
    ``prior_weight_used`` the one the last given dose was calculated from. ``day1_on`` is the actual day 1 of
    this cycle (for its later days), ``scheduled_on`` the planned day 1 where one was stored. ``level`` is 0
    in cycle 1, which has no levels. ``history`` holds every dose given before, in any order; ``treatment`` what else
    is recorded of the subject's treatment, ``criteria`` the treatment-day answers of every dose, in the order recorded.
    """

    today: date
    protocol: Protocol
    settings: StudySettings
    birth: Birth | None
    course: int
    cycle: int
    day: int
    level: int
    planned_on: date
    prescribed_mg: Decimal | None
    height: Height | None
    dosing_weight: Weight | None
    current_weight: Weight | None
    prior_weight_used: UsedWeight | None = None
    formula_before: BsaFormula | None = None
    day1_on: date | None = None
    scheduled_on: date | None = None
    history: tuple[GivenDose, ...] = ()
    overrides: tuple[Override, ...] = ()
    treatment: Treatment = NO_TREATMENT
    criteria: tuple[Criteria, ...] = ()
