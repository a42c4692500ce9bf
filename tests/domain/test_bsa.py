"""Body surface area against published worked examples and against independent arithmetic."""

import math
import re
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmacy_app.domain.bsa import BSA_SOURCES, bsa_by_all, bsa_m2, bsa_step, formulas_beside
from pharmacy_app.domain.settings import BsaFormula

D = Decimal
M, DB, H, GG, B = (
    BsaFormula.MOSTELLER,
    BsaFormula.DU_BOIS,
    BsaFormula.HAYCOCK,
    BsaFormula.GEHAN_GEORGE,
    BsaFormula.BOYD,
)

# REGULATION D-01, to 4 places.
D01 = [
    (M, "170", "70", "1.8181"),
    (M, "180", "100", "2.2361"),
    (M, "155", "48", "1.4376"),
    (M, "165", "130", "2.4410"),
    (DB, "170", "70", "1.8097"),
    (DB, "180", "100", "2.1950"),
    (DB, "155", "48", "1.4417"),
    (DB, "165", "130", "2.3039"),
]
# The R package clinPK (InsightRX) publishes these in tests/testthat/test_calc_bsa.R: 80 kg, 180 cm, to 3 places.
CLINPK = [
    (DB, "180", "80", "1.996"),
    (M, "180", "80", "2.000"),
    (H, "180", "80", "2.007"),
    (GG, "180", "80", "2.009"),
    (B, "180", "80", "2.007"),
]


@pytest.mark.parametrize(("formula", "cm", "kg", "m2"), D01 + CLINPK)
def test_published_examples(formula: BsaFormula, cm: str, kg: str, m2: str) -> None:
    area = bsa_m2(formula, height_cm=D(cm), weight_kg=D(kg))
    assert area.quantize(D(m2)) == D(m2)


def _by_floats(formula: BsaFormula, cm: float, kg: float) -> float:
    """The formulas written once more with the C library's functions, for comparison only."""
    grams = kg * 1000
    areas: dict[BsaFormula, float] = {
        M: math.sqrt(cm * kg / 3600),
        DB: 0.007184 * math.pow(cm, 0.725) * math.pow(kg, 0.425),
        H: 0.024265 * math.pow(cm, 0.3964) * math.pow(kg, 0.5378),
        GG: 0.0235 * math.pow(cm, 0.42246) * math.pow(kg, 0.51456),
        B: 0.0003207 * math.pow(cm, 0.3) * math.pow(grams, 0.7285 - 0.0188 * math.log10(grams)),
    }
    return areas[formula]


@given(
    formula=st.sampled_from(BsaFormula),
    cm=st.decimals("30", "272", places=2),
    kg=st.decimals("1", "500", places=3),
)
def test_agrees_with_independent_arithmetic(formula: BsaFormula, cm: Decimal, kg: Decimal) -> None:
    ours = bsa_m2(formula, height_cm=cm, weight_kg=kg)
    assert math.isclose(ours, _by_floats(formula, float(cm), float(kg)), rel_tol=1e-9)


@given(
    formula=st.sampled_from(BsaFormula),
    cm=st.decimals("100", "230", places=1),
    kg=st.decimals("25", "249", places=1),
    more=st.decimals("0.1", "1", places=1),
)
def test_a_heavier_subject_has_the_larger_area(formula: BsaFormula, cm: Decimal, kg: Decimal, more: Decimal) -> None:
    assert bsa_m2(formula, height_cm=cm, weight_kg=kg + more) > bsa_m2(formula, height_cm=cm, weight_kg=kg)


def test_height_and_weight_are_not_interchangeable_and_boyd_takes_grams() -> None:
    # By hand for Boyd at 1 kg and 1 cm: 0.0003207 × 1000^(0.7285 − 0.0564) = 0.0003207 × 10^2.0163 = 0.0332966...
    area = bsa_m2(B, height_cm=D(1), weight_kg=D(1))
    assert area.quantize(D("0.000001")) == D("0.033297")
    assert bsa_m2(DB, height_cm=D(170), weight_kg=D(70)) != bsa_m2(DB, height_cm=D(70), weight_kg=D(170))


def test_a_square_comes_out_exact() -> None:
    assert bsa_m2(M, height_cm=D(180), weight_kg=D(80)) == 2


def test_the_context_around_does_not_matter() -> None:
    outside = bsa_m2(B, height_cm=D("171.3"), weight_kg=D("68.45"))
    with localcontext(prec=5):
        inside = bsa_m2(B, height_cm=D("171.3"), weight_kg=D("68.45"))
    assert inside == outside
    assert len(outside.as_tuple().digits) == 28


@pytest.mark.parametrize("formula", list(BsaFormula))
def test_the_step_shows_formula_inputs_and_publication(formula: BsaFormula) -> None:
    step = bsa_step(formula, height_cm=D("170.0"), weight_kg=D("70.50"))
    assert BSA_SOURCES[formula].formula in step.formula
    assert BSA_SOURCES[formula].citation in step.formula
    assert [(named.name, named.value, named.unit) for named in step.inputs] == [
        ("height", "170", "cm"),
        ("weight", "70.5", "kg"),
    ]
    assert (step.unit, step.section) == ("m²", "8.1.3")


# As printed at globalrph.com/bsa2.htm (Du Bois, Gehan-George, Haycock, Mosteller) and in the admiral documentation.
@pytest.mark.parametrize(
    ("formula", "constants"),
    [
        (M, ["3600"]),
        (DB, ["0.007184", "0.725", "0.425"]),
        (H, ["0.024265", "0.3964", "0.5378"]),
        (GG, ["0.0235", "0.42246", "0.51456"]),
        (B, ["0.0003207", "0.3", "0.7285", "0.0188", "10"]),
    ],
)
def test_the_printed_formula_has_the_published_constants(formula: BsaFormula, constants: list[str]) -> None:
    printed = BSA_SOURCES[formula].formula.replace(",", "")
    assert re.findall(r"[0-9.]+", printed) == constants


def test_all_formulas_side_by_side() -> None:
    areas = dict(bsa_by_all(height_cm=D(165), weight_kg=D(130)))
    assert list(areas) == list(BsaFormula)
    # REGULATION D-02: at 165 cm and 130 kg the formula alone moves the dose by about 6 %.
    assert D("0.05") < (areas[M] - areas[DB]) / areas[DB] < D("0.07")


@pytest.mark.parametrize(("cm", "kg"), [("0", "70"), ("170", "0"), ("-1", "70")])
def test_nothing_is_worked_out_from_nothing(cm: str, kg: str) -> None:
    with pytest.raises(ValueError, match="above 0"):
        bsa_m2(M, height_cm=D(cm), weight_kg=D(kg))


# From REGULATION D-01, Mosteller signed: 170/70 −0.46 %, 180/100 −1.84 %, 155/48 +0.29 %, 165/130 −5.6 % by Du Bois.
@pytest.mark.parametrize(
    ("cm", "kg", "shown"),
    [("170", "70", False), ("180", "100", False), ("155", "48", False), ("165", "130", True)],
)
def test_du_bois_stands_beside_mosteller_where_they_differ_by_more_than_two_percent(
    cm: str, kg: str, shown: bool
) -> None:
    beside = formulas_beside(M, D(cm), D(kg), D("0.8"), D(2))
    assert (DB in [each.formula for each in beside]) is shown
    assert M not in [each.formula for each in beside]


def test_the_other_dose_stands_with_its_area_and_percent() -> None:
    # D-01, 165 cm and 130 kg: 2.3039 m² × 0.8 = 1.843 mg; (2.3039 − 2.4410) ÷ 2.4410 = −5.6 %.
    beside = {each.formula: each for each in formulas_beside(M, D(165), D(130), D("0.8"), D(2))}
    assert beside[DB].bsa_m2.quantize(D("0.0001")) == D("2.3039")
    assert beside[DB].dose_mg.quantize(D("0.001")) == D("1.843")
    assert beside[DB].percent.quantize(D("0.1")) == D("-5.6")
    # Signed the other way round: (2.4410 − 2.3039) ÷ 2.3039 = +5.95 %, from areas to 4 places.
    other = {each.formula: each for each in formulas_beside(DB, D(165), D(130), D("0.8"), D(2))}
    assert abs(other[M].percent - D("5.95")) < D("0.01")


def test_a_difference_of_exactly_the_limit_is_not_shown() -> None:
    # 180 cm and 80 kg are 2 m² by Mosteller, so the difference in percent has no more digits than the area.
    # It is worked out to 15 digits, so the edge is taken from there.
    area = {each.formula: each.bsa_m2 for each in formulas_beside(M, D(180), D(80), D("0.8"), D(0))}[DB]
    assert abs(area - bsa_m2(DB, height_cm=D(180), weight_kg=D(80))) < D("1e-13")
    limit = 50 * abs(area - 2)
    assert DB not in [each.formula for each in formulas_beside(M, D(180), D(80), D("0.8"), limit)]
    just_under = limit - D("1e-20")
    assert DB in [each.formula for each in formulas_beside(M, D(180), D(80), D("0.8"), just_under)]
    assert len(formulas_beside(M, D(180), D(80), D("0.8"), D(0))) == 4


def test_a_step_is_named_after_its_formula_and_holds_its_result() -> None:
    step = bsa_step(BsaFormula.MOSTELLER, height_cm=D(180), weight_kg=D(80))
    assert (step.name, step.result, step.unit, step.section) == ("body surface area, Mosteller", D(2), "m²", "8.1.3")


def test_without_a_height_or_a_weight_there_is_no_area() -> None:
    for cm, kg in ((D(0), D(80)), (D(180), D(0)), (D(-1), D(80))):
        with pytest.raises(
            ValueError, match=r"^height and weight must be above 0 before a body surface area is worked"
        ):
            bsa_m2(BsaFormula.MOSTELLER, height_cm=cm, weight_kg=kg)


def test_the_other_formulas_do_not_depend_on_the_precision_of_the_moment() -> None:
    def beside() -> object:
        return formulas_beside(BsaFormula.MOSTELLER, D(150), D(150), D("0.8"), D(5))

    expected = beside()
    with localcontext(prec=3):
        assert beside() == expected
