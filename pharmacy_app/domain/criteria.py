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
    to the drug now (0 = none), and its grade before treatment. ``due_to_tumour`` and ``gilbert`` speak of bilirubin,
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
    due_to_tumour: bool | None = None
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
