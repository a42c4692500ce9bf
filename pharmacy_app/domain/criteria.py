"""The treatment-day criteria as a named person read them from the chart (§ 8.1.5), each value with its day.

``None`` is 'not known' everywhere, and what is not known is never met. A value carries over to a later dose only
where the protocol lets it: chemistry of day 1 within the first cycle (§ 5.0), pre-treatment counts always.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Lab:
    """A laboratory value with its unit and day; ``upper_limit`` is the laboratory's own, in the same unit."""

    value: Decimal
    unit: str
    taken_on: date
    upper_limit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """What was answered for one dose.

    ``progression``: progression or relapse since the last evaluation; ``only_cns_or_testis``: it is confined there.
    ``toxicity_grade`` and ``toxicity_baseline_grade``: worst clinically significant non-hematologic toxicity related
    to the drug now (0 = none), and its grade before treatment. ``due_to_tumor`` and ``gilbert`` speak of bilirubin,
    ``not_hepatobiliary`` of an isolated AST or alkaline phosphatase. ``creatinine_clearance`` in mL/min, ``anc`` and
    ``platelets`` in 10⁹/L. ``counts_low_from_disease``: the marrow is stable or better and low counts come from
    disease. ``platelets_transfused``: within the days before the count. ``liver_toxicity_suspected``: possible,
    probable or confirmed VOD or other severe liver toxicity. The last three days belong to screening (§ 4.0).
    """

    course: int
    cycle: int
    day: int
    assessed_on: date
    assessed_by: str = ""
    progression: bool | None = None
    only_cns_or_testis: bool | None = None
    toxicity_grade: int | None = None
    toxicity_baseline_grade: int | None = None
    liver_toxicity_suspected: bool | None = None
    bilirubin: Lab | None = None
    due_to_tumor: bool | None = None
    gilbert: bool | None = None
    ast: Lab | None = None
    alt: Lab | None = None
    alkaline_phosphatase: Lab | None = None
    not_hepatobiliary: bool | None = None
    creatinine_clearance: Lab | None = None
    anc: Lab | None = None
    platelets: Lab | None = None
    counts_low_from_disease: bool | None = None
    platelets_transfused: bool | None = None
    consent_on: date | None = None
    screening_marrow_on: date | None = None
    screening_tests_on: date | None = None

    @property
    def place(self) -> tuple[int, int, int]:
        """Course, cycle and day the answers were given for."""
        return self.course, self.cycle, self.day


def of_place(criteria: tuple[Criteria, ...], course: int, cycle: int, day: int) -> Criteria | None:
    """The newest answers for one dose (they are kept in the order recorded), or ``None``."""
    return next((each for each in reversed(criteria) if each.place == (course, cycle, day)), None)


# Beyond these a value is refused: it was counted or measured in another unit, or a digit slipped (both ends belong).
MOST_POSSIBLE = {
    "anc": (Decimal(100), "A count per µL is divided by 1000."),
    "platelets": (Decimal(3000), "A count per µL is divided by 1000."),
    "creatinine_clearance": (Decimal(400), "The clearance is asked, not the creatinine."),
}
"""The most that a value may be, in the unit it is asked in, and what to look at when it is more."""

BILIRUBIN_LIMITS = {"mg/dL": (Decimal("0.5"), Decimal(3)), "µmol/L": (Decimal(8), Decimal(50))}
"""Upper limits of normal that a laboratory may give for bilirubin, by the unit it reports in."""

ENZYME_LIMITS = (Decimal(10), Decimal(300))
"""The same for AST, ALT and alkaline phosphatase, U/L."""


def bilirubin_unit(typed: str) -> str:
    """The unit of bilirubin that a person means, however the µ is typed, or '' when it is none of the two in use."""
    meant = typed.strip().casefold().replace("umol", "µmol".casefold())
    return next((unit for unit in BILIRUBIN_LIMITS if unit.casefold() == meant), "")


def possible_limits(name: str, unit: str) -> tuple[Decimal, Decimal] | None:
    """The least and the most that an upper limit of normal may be, or ``None`` where none is judged."""
    if name == "bilirubin":
        return BILIRUBIN_LIMITS.get(unit)
    return ENZYME_LIMITS if name in ("ast", "alt", "alkaline_phosphatase") else None
