"""Numbers as typed, conversions, plausibility and how numbers are written (REGULATION D-05, D-06, L-10, L-11)."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.findings import Finding, Named, Severity, Step
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
    show_kg,
    show_m2,
    show_mg,
    show_mg_per_ml,
    show_ml,
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


# --- the sentences in full -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Prescribed dose is empty. Type a number in mg, for example 70.5."),
        ("x", "Prescribed dose “x” is not a plain number. Type a number in mg, digits and at most one point, for "
              "example 70.5."),
        ("NaN", "Prescribed dose “NaN” is not a number. Type a number in mg, for example 70.5."),
        ("1e3", "Prescribed dose “1e3” is written with an exponent. Type the number out in plain digits."),
        ("-1", "Prescribed dose “-1” is negative. Type the amount without a minus sign."),
        (".5", "Prescribed dose “.5” starts with a point. Type 0.5 if that is what is meant."),
        ("5.", "Prescribed dose “5.” ends with a point. Type the digits after it, or leave the point out."),
        ("0", "Prescribed dose “0” must be more than 0. Type the amount that was measured."),
        ("1234567890123", "Prescribed dose “1234567890123” has more than 12 digits. Type the number as it was "
                          "measured."),
        ("7,5", "Prescribed dose “7,5” has a comma, which may mean two things. Type 7.5 with a decimal point."),
        ("1,000", "Prescribed dose “1,000” has a comma, which may mean two things. Type 1.000 with a decimal point, or "
                  "1000 without a comma."),
        ("1,0000", "Prescribed dose “1,0000” has a comma, which may mean two things. Type 1.0000 with a decimal "
                   "point."),
        ("1,2,3", "Prescribed dose “1,2,3” has a comma. Type it with a decimal point and without commas, for example "
                  "7.5."),
        ("1,x", "Prescribed dose “1,x” has a comma. Type it with a decimal point and without commas, for example 7.5."),
        ("1,٠", "Prescribed dose “1,٠” has a comma. Type it with a decimal point and without commas, for example 7.5."),
        ("x" * 40, f"Prescribed dose “{'x' * 30}” is not a plain number. Type a number in mg, digits and at most one "
                   "point, for example 70.5."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_number_is_said_in_a_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_decimal(typed, field="prescribed_mg", name="prescribed dose", unit="mg")
    assert refused.value.faults == (Fault("prescribed_mg", sentence),)


def test_without_a_name_and_a_unit_the_field_is_named() -> None:
    with pytest.raises(Refused) as refused:
        parse_decimal("", field="line_residue_ml")
    assert refused.value.faults == (
        Fault("line_residue_ml", "Line residue ml is empty. Type a number, for example 70.5."),
    )
    with pytest.raises(Refused, match=r"^Line residue ml “x” is not a plain number. Type a number, digits"):
        parse_decimal("x", field="line_residue_ml")
    assert parse_decimal("0.00", field="x", zero_allowed=True) == 0


def test_a_height_in_inches_shows_its_conversion_as_a_step() -> None:
    assert read_height(" 70 ", HeightUnit.IN).step() == Step(
        "height in cm", "height in × 2.54", (Named("height", "70", "in"),), D("177.8"), "cm", "8.1.3"
    )
    assert read_weight("154.3", WeightUnit.LB).step() == Step(
        "weight in kg", "weight lb × 0.45359237", (Named("weight", "154.3", "lb"),), D("69.989302691"), "kg", "8.1.3"
    )
    assert read_height("180", HeightUnit.CM).step() is None


@pytest.mark.parametrize(("field", "shown"), [("height", "Height"), ("height_now", "Height")])
def test_a_height_and_a_weight_are_refused_at_their_field(field: str, shown: str) -> None:
    with pytest.raises(Refused) as refused:
        read_height("x", HeightUnit.IN, field=field)
    (fault,) = refused.value.faults
    assert fault.field == field
    assert fault.sentence.startswith(f"{shown} “x” is not a plain number. Type a number in in,")
    with pytest.raises(Refused, match=r"Weight “x” is not a plain number. Type a number in lb") as refused:
        read_weight("x", WeightUnit.LB)
    assert refused.value.faults[0].field == "weight"
    with pytest.raises(Refused, match=r"^Height is empty") as refused:
        read_height("", HeightUnit.CM)
    assert refused.value.faults[0].field == "height"
    with pytest.raises(Refused, match=r"^Weight is empty"):
        read_weight("", WeightUnit.KG, field="newest_weight")


def unusual(name: str, value: str, usual: str, unit: str) -> Finding:
    return Finding(
        "A1",
        Severity.WARN,
        f"A {name} of {value} {unit} is unusual (usual here: {usual} {unit}). Check the number and its unit, then "
        "confirm it with a reason.",
        "8.1.3",
        (Named(name, value, unit),),
    )


def test_what_is_unusual_is_said_of_each_measurement() -> None:
    assert check_measurements(D(24), D(99)).findings == (
        unusual("weight", "24", "25 to 250", "kg"),
        unusual("height", "99", "100 to 230", "cm"),
    )


@pytest.mark.parametrize(
    ("kg", "cm", "fault"),
    [
        ("0", None, Fault("weight", "A weight of 0 kg is not possible; more than 0 and at most 500 kg is taken. Check "
                                    "the number and its unit.")),
        ("500.1", None, Fault("weight", "A weight of 500.1 kg is not possible; more than 0 and at most 500 kg is "
                                        "taken. Check the number and its unit.")),
        (None, "29.9", Fault("height", "A height of 29.9 cm is not possible; 30 to 272 cm is taken. Check the number "
                                       "and its unit.")),
    ],
)  # fmt: skip
def test_what_is_impossible_is_told_with_what_is_taken(kg: str | None, cm: str | None, fault: Fault) -> None:
    check = check_measurements(None if kg is None else D(kg), None if cm is None else D(cm))
    assert check.faults == (fault,)


@pytest.mark.parametrize(("kg", "cm"), [("0.1", None), ("500", None), (None, "30"), (None, "272")])
def test_the_ends_of_what_is_possible_are_taken(kg: str | None, cm: str | None) -> None:
    assert check_measurements(None if kg is None else D(kg), None if cm is None else D(cm)).faults == ()


@pytest.mark.parametrize(
    ("kg", "cm", "swapped"),
    [
        ("151", "150", True),
        ("150", "150", False),  # alike: nothing to swap
        ("100", "99", True),
        ("99.9", "99", False),  # no height of 99.9 cm
        ("230", "229", True),
        ("230.1", "229", False),
        ("120", "25", True),
        ("120", "24.9", False),
    ],
)
def test_a_swap_is_suspected_where_the_pair_makes_sense_the_other_way_round(kg: str, cm: str, swapped: bool) -> None:
    check = check_measurements(D(kg), D(cm))
    told = [fault.sentence for fault in check.faults] + [finding.sentence for finding in check.findings]
    assert any("look swapped" in sentence for sentence in told) is swapped


def test_a_pair_that_looks_swapped_is_told_in_full() -> None:
    assert check_measurements(D(170), D(70)).faults == (
        Fault(
            "height",
            "Height 70 cm and weight 170 kg look swapped, or were typed in inches and pounds. Put each in its own "
            "field with its own unit.",
        ),
    )
    asked = check_measurements(D(150), D(140)).findings
    assert asked == (
        Finding(
            "A1",
            Severity.WARN,
            "Height 140 cm and weight 150 kg look swapped. Check both, then swap them or confirm them with a reason.",
            "8.1.3",
            (Named("height", "140", "cm"), Named("weight", "150", "kg")),
        ),
    )
    # At 100 cm the height is usual by itself, at 99.9 it is not.
    assert check_measurements(D(150), D(100)).faults == ()
    assert len(check_measurements(D(150), D("99.9")).faults) == 1


# --- written for a person --------------------------------------------------------------------------------------


def test_each_amount_has_its_unit_and_its_usual_places() -> None:
    value = D("1.234567")
    assert show_mg(value) == "1.2346 mg"
    assert show_ml(value) == "1.23 mL"
    assert show_m2(value) == "1.2346 m²"
    assert show_kg(value) == "1.235 kg"
    assert show_mg_per_ml(value) == "1.2346 mg/mL"
    for write in (show_mg, show_ml, show_m2, show_kg, show_mg_per_ml):
        assert write(value, 1).startswith("1.2 ")
        assert write(value, None).startswith("1.234567 ")


def test_for_reading_a_tie_is_rounded_up() -> None:
    assert [show(D(value), 2) for value in ("0.125", "0.135", "-0.125", "0.1249")] == ["0.13", "0.14", "-0.13", "0.12"]
    with localcontext(prec=2):
        assert show(D("123.456"), 2) == "123.46"
    assert show(D("0.4"), 0) == "0"
    assert show(D("0.001"), 2) == "0"


def test_a_percentage_of_a_thousand_and_one_that_never_ends() -> None:
    assert show_percent(D("1234.5")) == "+1,234.5 %"
    assert show_percent(D("1000")) == "+1,000 %"
    assert show_percent(D("1000.0001")) == "+1,000.0001 %"
    assert show_percent(D("10.00000000000000000000000001")) == "+10.00000000000000000000000001 %"
    assert show_percent(D("1.000000000000000000000000001")) == "+1.000000000000000000000000001 %"
    assert show_percent(D("0.5")) == "+0.5 %"
    assert show_percent(D("1")) == "+1 %"


def test_limits_are_judged_exactly_whatever_the_precision_of_the_moment() -> None:
    with localcontext(prec=3):
        assert not exceeds(D("77.0000"), D("70.0000"), D(10))
        assert exceeds(D("77.0001"), D("70.0000"), D(10))
        assert reaches(D("1.2960"), D("1.4400"), D(10))
        assert not reaches(D("1.2961"), D("1.4400"), D(10))
        change = percent_change(D("1.2961"), D("1.4400"))
    # −0.1439 ÷ 1.44 × 100 = −9.99305555…
    assert str(change).startswith("-9.993055555555")
    assert change is not None
    assert len(change.as_tuple().digits) == 28
