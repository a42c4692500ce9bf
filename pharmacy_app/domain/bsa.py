"""Body surface area by the five published formulas a site may sign for (protocol § 8.1.3; RULES R8, A1).

Actual weight, no cap: the protocol names neither another weight nor a limit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from types import MappingProxyType

from pharmacy_app.domain.findings import Named, Step
from pharmacy_app.domain.settings import BsaFormula
from pharmacy_app.domain.units import KEPT, WORKING, exceeds, percent_change, show

# Powers are worked out beyond what is kept, so that the kept digits do not depend on how that is done.
_POWERS = Context(prec=40, rounding=ROUND_HALF_EVEN)

# Formulas that no dose is worked out by are shown to a few digits; more would cost most of a decision's time.
_BESIDE = Context(prec=15, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class BsaSource:
    """A formula as it is printed, and where it was published."""

    formula: str
    citation: str


BSA_SOURCES: Mapping[BsaFormula, BsaSource] = MappingProxyType(
    {
        BsaFormula.MOSTELLER: BsaSource(
            "√(height cm × weight kg ÷ 3,600)",
            "Mosteller RD. Simplified calculation of body-surface area. N Engl J Med 1987;317:1098",
        ),
        BsaFormula.DU_BOIS: BsaSource(
            "0.007184 × height cm^0.725 × weight kg^0.425",
            "Du Bois D, Du Bois EF. Arch Intern Med 1916;17:863-871",
        ),
        BsaFormula.HAYCOCK: BsaSource(
            "0.024265 × height cm^0.3964 × weight kg^0.5378",
            "Haycock GB, Schwartz GJ, Wisotsky DH. J Pediatr 1978;93:62-66",
        ),
        BsaFormula.GEHAN_GEORGE: BsaSource(
            "0.0235 × height cm^0.42246 × weight kg^0.51456",
            "Gehan EA, George SL. Cancer Chemother Rep 1970;54:225-235",
        ),
        BsaFormula.BOYD: BsaSource(
            "0.0003207 × height cm^0.3 × weight g^(0.7285 − 0.0188 × log10(weight g))",
            "Boyd E. The growth of the surface area of the human body. University of Minnesota Press, 1935",
        ),
    }
)


def _mosteller(cm: Decimal, kg: Decimal) -> Decimal:
    return (cm * kg / 3600).sqrt()


def _du_bois(cm: Decimal, kg: Decimal) -> Decimal:
    return Decimal("0.007184") * cm ** Decimal("0.725") * kg ** Decimal("0.425")


def _haycock(cm: Decimal, kg: Decimal) -> Decimal:
    return Decimal("0.024265") * cm ** Decimal("0.3964") * kg ** Decimal("0.5378")


def _gehan_george(cm: Decimal, kg: Decimal) -> Decimal:
    return Decimal("0.0235") * cm ** Decimal("0.42246") * kg ** Decimal("0.51456")


def _boyd(cm: Decimal, kg: Decimal) -> Decimal:
    grams = kg * 1000
    exponent = Decimal("0.7285") - Decimal("0.0188") * grams.log10()
    return Decimal("0.0003207") * cm ** Decimal("0.3") * grams**exponent


_FORMULAS: Mapping[BsaFormula, Callable[[Decimal, Decimal], Decimal]] = {
    BsaFormula.MOSTELLER: _mosteller,
    BsaFormula.DU_BOIS: _du_bois,
    BsaFormula.HAYCOCK: _haycock,
    BsaFormula.GEHAN_GEORGE: _gehan_george,
    BsaFormula.BOYD: _boyd,
}


def bsa_m2(formula: BsaFormula, *, height_cm: Decimal, weight_kg: Decimal) -> Decimal:
    """Return the body surface area in m² to 28 digits; height in cm and weight in kg, both above 0."""
    if height_cm <= 0 or weight_kg <= 0:
        raise ValueError("height and weight must be above 0 before a body surface area is worked out")
    with localcontext(_POWERS):
        area = _FORMULAS[formula](height_cm, weight_kg)
    return KEPT.plus(area)


def bsa_step(formula: BsaFormula, *, height_cm: Decimal, weight_kg: Decimal) -> Step:
    """Return the body surface area (``result``, m²) as a step that shows formula, inputs and publication."""
    source = BSA_SOURCES[formula]
    return Step(
        name=f"body surface area, {formula.value}",
        formula=f"{source.formula} [{source.citation}]",
        inputs=(Named("height", show(height_cm), "cm"), Named("weight", show(weight_kg), "kg")),
        result=bsa_m2(formula, height_cm=height_cm, weight_kg=weight_kg),
        unit="m²",
        section="8.1.3",
    )


def bsa_by_all(*, height_cm: Decimal, weight_kg: Decimal) -> tuple[tuple[BsaFormula, Decimal], ...]:
    """Return the area (m²) by every formula, for showing the others beside the signed one."""
    return tuple((formula, bsa_m2(formula, height_cm=height_cm, weight_kg=weight_kg)) for formula in BsaFormula)


@dataclass(frozen=True, slots=True)
class FormulaBeside:
    """Another formula's area (m²) and unrounded dose (mg), and how far it lies off the signed one's (signed %)."""

    formula: BsaFormula
    bsa_m2: Decimal
    dose_mg: Decimal
    percent: Decimal


def formulas_beside(
    formula: BsaFormula,
    height_cm: Decimal,
    weight_kg: Decimal,
    dose_mg_per_m2: Decimal,
    over_percent: Decimal,
) -> tuple[FormulaBeside, ...]:
    """Return the formulas whose dose differs from the signed one's by strictly more than ``over_percent``.

    For information only (RULES A1; REGULATION D-02), to 15 digits: the dose is worked out by the signed formula.
    Height in cm and weight in kg, both above 0, or ``ValueError``; the dose of the day in mg/m².
    """
    signed_m2 = bsa_m2(formula, height_cm=height_cm, weight_kg=weight_kg)
    with localcontext(_BESIDE):
        others = [(other, work_out(height_cm, weight_kg)) for other, work_out in _FORMULAS.items() if other != formula]
    return tuple(
        _beside(other, area, signed_m2, dose_mg_per_m2)
        for other, area in others
        if exceeds(area, signed_m2, over_percent)
    )


def _beside(formula: BsaFormula, area_m2: Decimal, signed_m2: Decimal, dose_mg_per_m2: Decimal) -> FormulaBeside:
    percent = percent_change(area_m2, signed_m2)
    assert percent is not None  # an area is more than 0
    with localcontext(WORKING):
        dose_mg = dose_mg_per_m2 * area_m2
    return FormulaBeside(formula, area_m2, KEPT.plus(dose_mg), percent)
