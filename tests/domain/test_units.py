"""Numbers as typed, conversions, plausibility and how numbers are written (REGULATION D-05, D-06, L-10, L-11)."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.findings import Severity
from pharmacy_app.domain.units import (
    HeightUnit,
    WeightUnit,
    check_measurements,
    exceeds,
    parse_decimal,
    percent_change,
    reaches,
    read_height,
    read_weight,
    show,
    show_mg,
    show_percent,
)

D = Decimal


@pytest.mark.parametrize(
    ("typed", "value"),
    [("70", "70"), ("70.5", "70.5"), (" 70.50 ", "70.50"), ("0.001", "0.001"), ("070", "70"), ("123456789012", None)],
)
def test_plain_numbers_are_taken_exactly(typed: str, value: str | None) -> None:
    assert parse_decimal(typed, field="weight") == D(value or typed)


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("seventy", "is not a plain number"),
        ("70kg", "is not a plain number"),
        ("7 0", "is not a plain number"),
        ("+70", "is not a plain number"),
        ("７０", "is not a plain number"),
        ("٧٠", "is not a plain number"),
        ("1_000", "is not a plain number"),
        ("0x10", "is not a plain number"),
        ("7.0.5", "is not a plain number"),
        ("NaN", "is not a number"),
        ("Infinity", "is not a number"),
        ("-inf", "is not a number"),
        ("1e9", "exponent"),
        ("1E-3", "exponent"),
        ("-70", "negative"),
        ("−70", "negative"),
        ("-0", "negative"),
        ("0", "more than 0"),
        ("0.000", "more than 0"),
        ("1234567890123", "more than 12 digits"),
        ("0.1234567890123", "more than 12 digits"),
        (".5", "Type 0.5"),
        ("5.", "ends with a point"),
        ("7,5", "Type 7.5"),
        ("1,000", "Type 1.000 with a decimal point, or 1000 without a comma"),
        ("1,000.5", "has a comma"),
        ("1,2,3", "has a comma"),
    ],
)
def test_everything_else_is_refused_with_a_sentence(typed: str, part: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_decimal(typed, field="weight", unit="kg")
    (fault,) = refused.value.faults
    assert fault.field == "weight"
    assert part in fault.sentence
    assert fault.sentence.startswith("Weight")
    assert fault.sentence.endswith(".")


def test_zero_is_taken_where_it_is_allowed() -> None:
    assert parse_decimal("0", field="residue_mg", zero_allowed=True) == 0


@given(st.text(max_size=20))
def test_any_text_is_a_positive_finite_number_or_refused(text: str) -> None:
    try:
        value = parse_decimal(text, field="weight")
    except Refused as refused:
        assert len(refused.faults) == 1
    else:
        assert value.is_finite()
        assert value > 0
        assert value == D(text.strip())


def test_pounds_and_inches_convert_exactly_keep_what_was_typed_and_show_it() -> None:
    weight = read_weight("154.3", WeightUnit.LB)
    height = read_height("70", HeightUnit.IN)
    # By hand: 154.3 × 0.45359237 = 69.989302691; 70 × 2.54 = 177.8.
    assert (weight.value, weight.unit, weight.typed, weight.typed_unit) == (D("69.989302691"), "kg", "154.3", "lb")
    assert (height.value, height.unit) == (D("177.8"), "cm")
    step = weight.step()
    assert step is not None
    assert step.result == D("69.989302691")
    assert "0.45359237" in step.formula
    assert step.inputs[0].value == "154.3"


def test_the_longest_typed_pounds_are_not_rounded_even_in_a_narrow_context() -> None:
    with localcontext(prec=6):
        weight = read_weight("154.123456789", WeightUnit.LB)
    # Whole numbers are exact: 9 + 8 decimal places put the point back.
    assert int(weight.value.scaleb(17)) == 154123456789 * 45359237


def test_kilograms_and_centimetres_need_no_step() -> None:
    weight = read_weight("70.0", WeightUnit.KG)
    assert weight.step() is None
    assert weight.value == 70


@pytest.mark.parametrize(
    ("kg", "cm", "field"),
    [("0", "170", "weight"), ("500.1", "170", "weight"), ("70", "29.9", "height"), ("70", "272.1", "height")],
)
def test_impossible_measurements_are_refused(kg: str, cm: str, field: str) -> None:
    check = check_measurements(D(kg), D(cm))
    assert [fault.field for fault in check.faults] == [field]


@pytest.mark.parametrize(
    ("kg", "cm", "warnings"),
    [
        ("25", "100", 0),
        ("250", "230", 0),
        ("24.9", "170", 1),
        ("250.1", "180", 1),
        ("70", "99.9", 1),
        ("70", "230.1", 1),
        ("70", "170", 0),
        ("500", "172", 1),
        ("24", "99", 2),
    ],
)
def test_unusual_measurements_ask_for_confirmation(kg: str, cm: str, warnings: int) -> None:
    check = check_measurements(D(kg), D(cm))
    assert check.faults == ()
    assert [finding.severity for finding in check.findings] == [Severity.WARN] * warnings


def test_height_and_weight_swapped_are_named_as_swapped() -> None:
    check = check_measurements(D(170), D(70))
    (fault,) = check.faults
    assert "swapped" in fault.sentence
    assert check.findings == ()


def test_a_pair_that_may_be_swapped_but_is_possible_asks_only() -> None:
    check = check_measurements(D(150), D(140))
    assert check.faults == ()
    assert "swapped" in check.findings[0].sentence


def test_one_measurement_alone_is_judged_alone() -> None:
    assert check_measurements(D(600), None).faults[0].field == "weight"
    assert check_measurements(None, None) == check_measurements(D(70), D(170))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.0", "1"),
        ("1.440", "1.44"),
        ("0.5", "0.5"),
        (".5", "0.5"),
        ("1000", "1,000"),
        ("12345.60", "12,345.6"),
        ("100", "100"),
        ("1E+2", "100"),
        ("0.000", "0"),
        ("-0.0", "0"),
        ("1E-7", "0.0000001"),
    ],
)
def test_numbers_are_written_without_trailing_zero_and_with_a_leading_one(value: str, text: str) -> None:
    assert show(D(value)) == text


def test_amounts_have_a_space_before_the_unit() -> None:
    assert show_mg(D("1.43996")) == "1.44 mg"
    assert show_mg(D("1.43996"), None) == "1.43996 mg"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("9.996", "+9.996 %"),
        ("-9.99999", "−9.99999 %"),
        ("10", "+10 %"),
        ("10.0001", "+10.0001 %"),
        ("11.42857142857", "+11.43 %"),
        ("0", "0 %"),
    ],
)
def test_a_percentage_never_reads_as_a_limit_it_is_not_at(value: str, text: str) -> None:
    assert show_percent(D(value)) == text


# REGULATION P-06, reference 70.0 kg: strictly more than 10 %.
@pytest.mark.parametrize(("kg", "over"), [("77.0", False), ("63.0", False), ("77.1", True), ("62.9", True)])
def test_weight_vectors(kg: str, over: bool) -> None:
    assert exceeds(D(kg), D("70.0"), D(10)) is over


# REGULATION P-07, prescribed 1.44 mg: 10 % or more.
@pytest.mark.parametrize(("mg", "flag"), [("1.297", False), ("1.296", True), ("1.583", False), ("1.584", True)])
def test_dose_vectors(mg: str, flag: bool) -> None:
    assert reaches(D(mg), D("1.44"), D(10)) is flag


@given(
    base=st.decimals("0.01", "500", places=4),
    percent=st.decimals("0.0001", "40", places=4),
)
def test_the_limits_agree_with_exact_fractions(base: Decimal, percent: Decimal) -> None:
    from fractions import Fraction

    new = base + base * percent / 100
    exact = abs(Fraction(new) - Fraction(base)) / Fraction(base) * 100
    assert exceeds(new, base, D(10)) is (exact > 10)
    assert reaches(new, base, D(10)) is (exact >= 10)


def test_a_change_from_nothing_has_no_percentage() -> None:
    assert percent_change(D(1), D(0)) is None
    assert percent_change(D("77"), D("70")) == 10
