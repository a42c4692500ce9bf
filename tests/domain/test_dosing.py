"""The dose decision, told as a pharmacist tells the cases; boundaries on both sides (RULES 1.1 to 1.4, A1 to A39)."""

from dataclasses import is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from enum import Enum
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pharmacy_app.domain.codec import from_plain, to_plain
from pharmacy_app.domain.dosing import (
    DoseDecision,
    compare_administered,
    compare_prepared,
    compare_prescribed,
    decide,
    round_dose,
)
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.findings import Severity
from pharmacy_app.domain.request import DoseRequest, Height, UsedWeight, Weight
from pharmacy_app.domain.rules import CATALOGUE, check_catalogue
from pharmacy_app.domain.schedule import Birth, GivenDose, cycle_day, on_cycle_day
from pharmacy_app.domain.settings import BsaFormula, DoseRounding, RoundingMode, Signed, StudySettings
from pharmacy_app.domain.treatment import Treatment
from tests.domain.dose_cases import (
    CYCLE2,
    DAY1,
    IN_REMISSION,
    PROTOCOL,
    SETTINGS,
    blocking,
    first_dose,
    given,
    lowered,
    override,
    planned_for,
    retreated,
    said,
    second_cycle,
    second_dose,
    third_cycle,
    walk,
)

D = Decimal


def rounding_of(increment: str, mode: RoundingMode = RoundingMode.HALF_UP) -> StudySettings:
    return replace(SETTINGS, dose_rounding=Signed(DoseRounding(D(increment), mode), "test", 9))


def at_level(level: int) -> Treatment:
    """In remission, and from cycle 3 on at a lower level."""
    return replace(IN_REMISSION, level_changes=(lowered(3, level),))


# --- the plain day ---------------------------------------------------------------------------------------------


def test_the_first_dose_is_worked_out_step_by_step() -> None:
    decision = decide(first_dose())
    assert [(step.name, step.result, step.unit) for step in decision.steps] == [
        ("dose of the day", D("0.8"), "mg/m²"),
        ("body surface area, Mosteller", D(2), "m²"),
        ("planned dose, unrounded", D("1.6"), "mg"),
        ("planned dose, rounded", D("1.60"), "mg"),
    ]
    assert all(step.section for step in decision.steps)
    assert decision.planned_mg == D("1.6")
    assert decision.findings == ()
    assert decision.may_go_on
    assert decision.protocol_sha256 == PROTOCOL.sha256


# Doses of § 3.3 and § 8.1.6 at exactly 2 m².
@pytest.mark.parametrize(
    ("request_", "mg"),
    [
        (first_dose(), "1.6"),
        (second_dose(), "1"),
        (second_cycle(), "1.2"),
        (third_cycle(level=-1, prescribed_mg=D("0.8"), treatment=at_level(-1)), "0.8"),
        (third_cycle(level=-2, prescribed_mg=D("0.6"), treatment=at_level(-2)), "0.6"),
    ],
)
def test_each_place_in_the_regimen_has_its_dose(request_: DoseRequest, mg: str) -> None:
    decision = decide(request_)
    assert decision.planned_mg == D(mg)
    assert decision.may_go_on


# DRUGFACTS derived table at 1.80 m²: 180 cm and 64.8 kg are exactly 1.8 m² by Mosteller.
@pytest.mark.parametrize(
    ("cycle", "level", "day", "mg"),
    [
        (1, 0, 1, "1.44"),
        (1, 0, 8, "0.90"),
        (3, 0, 1, "1.08"),
        (3, 0, 8, "0.54"),
        (3, -1, 1, "0.72"),
        (3, -1, 8, "0.36"),
        (3, -2, 1, "0.54"),
        (3, -2, 8, "0.18"),
    ],
)
def test_the_table_at_one_point_eight(cycle: int, level: int, day: int, mg: str) -> None:
    weight = Weight(D("64.8"), date(2026, 3, 1))
    decision = decide(first_dose(cycle=cycle, level=level, day=day, dosing_weight=weight, current_weight=weight))
    assert decision.planned_mg_unrounded == D(mg)


# --- what is missing is never guessed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "rule", "part"),
    [
        ({"settings": replace(SETTINGS, bsa_formula=None)}, "A1", "formula for body surface area is not signed"),
        ({"settings": replace(SETTINGS, dose_rounding=None)}, "A2", "rounding of the dose is not signed"),
        ({"height": None}, "I1", "height is not known"),
        ({"dosing_weight": None}, "I1", "weight to dose by is not known"),
        ({"dosing_weight": Weight(D(0), DAY1), "current_weight": Weight(D(0), DAY1)}, "I1", "0 or less"),
        ({"height": Height(D(-1), DAY1)}, "I1", "0 or less"),
    ],
)
def test_without_a_fact_nothing_is_calculated_and_it_is_said(changes: dict[str, Any], rule: str, part: str) -> None:
    decision = decide(first_dose(**changes))
    assert decision.planned_mg is None
    assert decision.planned_mg_unrounded is None
    assert decision.steps == ()
    assert decision.prescribed is None
    assert not decision.may_go_on
    (finding,) = [finding for finding in decision.findings if finding.rule == rule]
    assert finding.severity is Severity.STOP
    assert part in finding.sentence
    assert "nothing was calculated" in finding.sentence


def test_nothing_signed_names_both_settings() -> None:
    decision = decide(first_dose(settings=StudySettings()))
    assert said(decision.findings, "A1") == ["STOP"]
    assert said(decision.findings, "A2") == ["STOP"]


def test_without_a_prescription_the_plan_is_shown_but_does_not_go_on() -> None:
    decision = decide(first_dose(prescribed_mg=None))
    assert decision.planned_mg == D("1.6")
    assert said(decision.findings, "R18") == ["STOP"]
    assert not decision.may_go_on


@pytest.mark.parametrize("what", ["height", "dosing_weight", "current_weight"])
def test_a_measurement_of_tomorrow_stops(what: str) -> None:
    tomorrow = DAY1 + timedelta(days=1)
    value = Height(D(180), tomorrow) if what == "height" else Weight(D(80), tomorrow)
    assert "STOP" in said(decide(first_dose(**{what: value})).findings, "I1")


# --- regimen: R2 to R6, A5 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"day": 2}, "R2"),
        ({"day": 22}, "R2"),
        ({"cycle": 2, "day": 15}, "R3"),
        ({"cycle": 1, "level": -1}, "A5"),
        ({"cycle": 2, "level": -3}, "R4"),
        ({"cycle": 2, "level": 1}, "R4"),
        ({"cycle": 7}, "R5"),
        ({"cycle": 0}, "R5"),
        ({"course": 0}, "R5"),
    ],
)
def test_what_the_regimen_does_not_have_stops(changes: dict[str, Any], rule: str) -> None:
    decision = decide(first_dose(**changes))
    assert said(decision.findings, rule) == ["STOP"]
    assert not decision.may_go_on
    if rule != "R5" or "cycle" in changes:
        assert decision.planned_mg is None


@pytest.mark.parametrize("cycle", [2, 3, 4, 5, 6])
def test_cycles_two_to_six_exist(cycle: int) -> None:
    findings = decide(second_cycle(cycle=cycle)).findings
    assert said(findings, "R5") == []


def test_retreatment_needs_the_written_order_of_the_principal_investigator() -> None:
    decision = decide(retreated())
    assert decision.may_go_on
    assert decision.planned_mg == D("1.6")
    assert said(decision.findings, "A22") == ["INFO"]
    without = replace(retreated().treatment, retreatments=())
    request = retreated(treatment=without)
    assert blocking(decide(request).findings) == ["A22"]
    decided = decide(replace(request, overrides=(override("A22"),)))
    assert decided.may_go_on
    (finding,) = [finding for finding in decided.findings if finding.rule == "A22"]
    assert finding.override == override("A22")
    prescriber = override("A22", role="prescriber")
    assert said(decide(replace(request, overrides=(prescriber,))).findings, "OV") == ["STOP"]
    assert said(decide(replace(request, history=())).findings, "O2") == ["STOP"]


# --- order of doses --------------------------------------------------------------------------------------------


def test_the_same_dose_is_not_given_twice() -> None:
    twice = second_dose(history=(given(1, 1, DAY1), given(1, 8, date(2026, 3, 8))))
    assert said(decide(twice).findings, "O1") == ["STOP"]


def test_a_cycle_without_the_one_before_stops() -> None:
    assert said(decide(second_cycle(history=())).findings, "O2") == ["STOP"]
    assert said(decide(second_cycle(cycle=3)).findings, "O2") == ["STOP"]
    assert said(decide(second_cycle()).findings, "O2") == []


def test_a_dose_behind_a_later_one_stops() -> None:
    behind = second_dose(history=(given(1, 1, DAY1), given(1, 15, date(2026, 3, 8))))
    assert said(decide(behind).findings, "O2") == ["STOP"]
    next_cycle = second_dose(history=(given(1, 1, DAY1), given(2, 1, date(2026, 3, 8))))
    assert said(decide(next_cycle).findings, "O2") == ["STOP"]


def test_day_eight_before_day_one_stops() -> None:
    decision = decide(second_dose(history=(), day1_on=None))
    assert said(decision.findings, "O3") == ["STOP"]
    assert decision.window is None
    # A stated day 1 that no dose was recorded on is no day 1.
    assert said(decide(second_dose(history=())).findings, "O3") == ["STOP"]


def test_two_different_day_ones_stop() -> None:
    decision = decide(second_dose(day1_on=date(2026, 3, 1)))
    assert said(decision.findings, "O3") == ["STOP"]


def test_day_fifteen_asks_what_became_of_day_eight() -> None:
    day15 = date(2026, 3, 16)
    request = second_dose(day=15, today=day15, planned_on=day15)
    assert said(decide(request).findings, "O3") == ["WARN"]
    with_day8 = replace(request, history=(*request.history, given(1, 8, date(2026, 3, 9))))
    assert decide(with_day8).findings == decide(replace(with_day8, day1_on=None)).findings
    assert said(decide(with_day8).findings, "O3") == []


def test_dates_that_run_backwards_stop() -> None:
    assert "STOP" in said(decide(second_dose(planned_on=DAY1)).findings, "O4")
    future = second_dose(history=(given(1, 1, date(2026, 3, 10)),), day1_on=None)
    assert said(decide(future).findings, "O4") == ["STOP", "STOP"]


def test_a_date_that_has_passed_asks_for_a_reason() -> None:
    assert said(decide(first_dose(today=date(2026, 3, 3))).findings, "O4") == ["WARN"]
    assert said(decide(first_dose(today=date(2026, 3, 1))).findings, "O4") == []


# --- R1: age ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("birth", "severities"),
    [
        (Birth(2014, 3, 2), []),  # the 12th birthday is the day of the infusion
        (Birth(2014, 3, 3), ["OVERRIDABLE"]),  # the day before it
        (Birth(2014), ["OVERRIDABLE"]),  # somewhere in 2014: unknown
        (Birth(2013), []),
        (Birth(2015), ["OVERRIDABLE"]),
        (Birth(2014, 3), ["OVERRIDABLE"]),
        (Birth(2014, 2), []),
        (None, ["OVERRIDABLE"]),
        (Birth(2027), ["STOP"]),
    ],
)
def test_twelve_years(birth: Birth | None, severities: list[str]) -> None:
    assert said(decide(first_dose(birth=birth)).findings, "R1") == severities


def test_an_unknown_age_is_called_unknown() -> None:
    findings = decide(first_dose(birth=Birth(2014))).findings
    (finding,) = [finding for finding in findings if finding.rule == "R1"]
    assert "unknown" in finding.sentence
    assert "between 2026-01-01 and 2026-12-31" in finding.sentence


@pytest.mark.parametrize(
    ("birth", "severities"), [(Birth(2008, 3, 2), []), (Birth(2008, 3, 3), ["INFO"]), (Birth(2008), ["INFO"])]
)
def test_a_minor_is_marked(birth: Birth, severities: list[str]) -> None:
    assert said(decide(first_dose(birth=birth)).findings, "A28") == severities


def test_a_leap_day_birthday() -> None:
    assert Birth(2012, 2, 29).birthday(12) == (date(2024, 2, 29), date(2024, 2, 29))
    assert Birth(2012, 2, 29).birthday(13) == (date(2025, 3, 1), date(2025, 3, 1))
    assert Birth(2012, 2).birthday(13) == (date(2025, 2, 1), date(2025, 3, 1))
    assert Birth(2013, 12).birthday(12) == (date(2025, 12, 1), date(2025, 12, 31))


@pytest.mark.parametrize("parts", [(2013, 2, 29), (2013, 13), (2013, None, 4), (0,)])
def test_a_birth_that_is_no_date_is_refused(parts: tuple[int, ...]) -> None:
    with pytest.raises(Refused):
        Birth(*parts)


# --- R13 to R16, A26, A39: weight ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weighed_on", "stops"),
    [
        (date(2026, 3, 2), False),
        (date(2026, 2, 23), False),  # 7 days before
        (date(2026, 2, 22), True),  # 8 days before
        (date(2026, 3, 3), True),  # after day 1
    ],
)
def test_weighed_within_seven_days_before_day_one(weighed_on: date, stops: bool) -> None:
    weight = Weight(D(80), weighed_on)
    request = first_dose(today=date(2026, 3, 5), current_weight=weight, dosing_weight=weight)
    assert said(decide(request).findings, "R13") == (["STOP"] if stops else [])


def test_seven_days_are_calendar_days_over_a_leap_day() -> None:
    weight = Weight(D(80), date(2028, 2, 25))
    request = first_dose(today=date(2028, 3, 3), current_weight=weight, dosing_weight=weight)
    assert said(decide(replace(request, planned_on=date(2028, 3, 3))).findings, "R13") == []
    assert said(decide(replace(request, planned_on=date(2028, 3, 4))).findings, "R13") == ["STOP"]


def test_no_weight_before_day_one_stops() -> None:
    assert said(decide(first_dose(current_weight=None)).findings, "R13") == ["STOP"]


def test_the_weight_age_binds_day_one_only() -> None:
    assert said(decide(second_dose()).findings, "R13") == []


def test_a_weight_of_the_same_day_counts_and_is_mentioned() -> None:
    weight = Weight(D(80), DAY1)
    findings = decide(first_dose(current_weight=weight, dosing_weight=weight)).findings
    assert said(findings, "A39") == ["INFO"]


# REGULATION P-06 with 70.0 kg last used.
@pytest.mark.parametrize(
    ("kg", "over"),
    [("77.0", False), ("63.0", False), ("77.1", True), ("62.9", True), ("77.0000001", True), ("62.9999999", True)],
)
def test_more_than_ten_per_cent_makes_recalculation_mandatory(kg: str, over: bool) -> None:
    newest = Weight(D(kg), date(2026, 3, 29))
    kept = second_cycle(
        prior_weight_used=UsedWeight(D("70.0"), DAY1),
        current_weight=newest,
        dosing_weight=Weight(D("70.0"), date(2026, 3, 1)),
    )
    assert said(decide(kept).findings, "R14") == (["STOP"] if over else [])
    assert said(decide(kept).findings, "R15") == ([] if over else ["INFO"])
    recalculated = replace(kept, dosing_weight=newest)
    assert said(decide(recalculated).findings, "R14") == (["INFO"] if over else [])
    assert "STOP" not in said(decide(recalculated).findings, "R15")


def test_the_base_is_the_weight_last_used_not_the_one_last_measured() -> None:
    # RULES A3: 70 used, 75 measured and not used, 78 now is 11.4 % off 70.
    request = second_cycle(
        prior_weight_used=UsedWeight(D(70), DAY1),
        current_weight=Weight(D(78), date(2026, 3, 29)),
        dosing_weight=Weight(D(70), date(2026, 3, 1)),
    )
    decision = decide(request)
    assert said(decision.findings, "R14") == ["STOP"]
    assert decision.weight_change_percent is not None
    assert decision.weight_change_percent.quantize(D("0.1")) == D("11.4")


def test_the_first_dose_has_no_weight_to_compare_with() -> None:
    findings = decide(first_dose()).findings
    assert said(findings, "R14") == said(findings, "R15") == said(findings, "R16") == []
    assert decide(first_dose()).weight_change_percent is None


def test_the_dose_comes_from_the_newest_or_the_last_used_weight_only() -> None:
    other = Weight(D(79), date(2026, 3, 20))
    assert said(decide(second_cycle(dosing_weight=other)).findings, "R15") == ["STOP"]
    assert said(decide(first_dose(dosing_weight=Weight(D(79), date(2026, 2, 1)))).findings, "R15") == ["STOP"]


def test_eleven_per_cent_of_weight_is_five_of_area_and_the_weight_counts() -> None:
    # RULES R16; by Mosteller √1.11 − 1 = 5.357 %.
    newest = Weight(D("88.8"), date(2026, 3, 29))
    findings = decide(second_cycle(current_weight=newest, dosing_weight=newest)).findings
    (finding,) = [finding for finding in findings if finding.rule == "R16"]
    assert finding.severity is Severity.INFO
    assert "+5.36 %" in finding.sentence


def test_between_day_ones_a_large_change_warns() -> None:
    newest = Weight(D("88.1"), date(2026, 3, 8))
    assert said(decide(second_dose(current_weight=newest)).findings, "A26") == ["WARN"]
    assert said(decide(second_dose(current_weight=newest, dosing_weight=newest)).findings, "A26") == ["INFO"]
    at_limit = Weight(D("88.0"), date(2026, 3, 8))
    assert said(decide(second_dose(current_weight=at_limit)).findings, "A26") == []
    assert said(decide(second_dose(current_weight=newest)).findings, "R14") == []


# --- R8, A1, A2: formula, area, rounding -----------------------------------------------------------------------


def test_another_formula_than_last_time_warns() -> None:
    assert said(decide(second_dose(formula_before=BsaFormula.DU_BOIS)).findings, "R8") == ["WARN"]
    assert said(decide(second_dose()).findings, "R8") == []


@pytest.mark.parametrize(
    ("cm", "kg", "severities"),
    [
        # By Mosteller: 108 × 27 ÷ 3600 = 0.9²; 180 × 180 ÷ 3600 = 3².
        ("108", "27", []),
        ("108", "26.9", ["WARN"]),
        ("180", "180", []),
        ("180", "180.1", ["WARN"]),
    ],
)
def test_an_implausible_area_warns_and_is_never_capped(cm: str, kg: str, severities: list[str]) -> None:
    weight = Weight(D(kg), date(2026, 3, 1))
    decision = decide(
        first_dose(height=Height(D(cm), DAY1), dosing_weight=weight, current_weight=weight, prescribed_mg=None)
    )
    spoken = [finding for finding in decision.findings if finding.rule == "A1" and "unusual" in finding.sentence]
    assert [finding.severity.name for finding in spoken] == severities
    with localcontext(prec=28):
        assert decision.bsa_m2 == (D(cm) * D(kg) / 3600).sqrt()


@pytest.mark.parametrize(
    ("mg", "increment", "mode", "rounded"),
    [
        ("1.445", "0.01", RoundingMode.HALF_UP, "1.45"),
        ("1.445", "0.01", RoundingMode.HALF_EVEN, "1.44"),
        ("1.455", "0.01", RoundingMode.HALF_EVEN, "1.46"),
        ("1.445", "0.01", RoundingMode.DOWN, "1.44"),
        ("1.4449999999999999999999999999", "0.01", RoundingMode.HALF_UP, "1.44"),
        ("1.44999", "0.05", RoundingMode.DOWN, "1.4"),
        ("1.475", "0.05", RoundingMode.HALF_UP, "1.5"),
        ("1.4749", "0.05", RoundingMode.HALF_UP, "1.45"),
        ("1.46", "0.03", RoundingMode.HALF_UP, "1.47"),
        ("0", "0.01", RoundingMode.HALF_UP, "0"),
    ],
)
def test_rounding_by_hand(mg: str, increment: str, mode: RoundingMode, rounded: str) -> None:
    assert round_dose(D(mg), DoseRounding(D(increment), mode)) == D(rounded)


def test_rounding_shows_both_numbers_and_compares_the_unrounded() -> None:
    # 170 cm, 70 kg by whole-number root: Mosteller 1.81811868577… m² × 0.8 = 1.454494948618… mg.
    weight = Weight(D(70), date(2026, 3, 1))
    request = first_dose(
        height=Height(D(170), DAY1), dosing_weight=weight, current_weight=weight, prescribed_mg=D("1.45")
    )
    decision = decide(request)
    assert decision.planned_mg == D("1.45")
    assert decision.planned_mg_unrounded is not None
    assert str(decision.planned_mg_unrounded).startswith("1.454494948618")
    assert said(decision.findings, "A2") == ["INFO"]
    assert decision.prescribed is not None
    assert decision.prescribed.base_mg == decision.planned_mg_unrounded


def test_a_rounding_that_is_an_error_by_itself_stops() -> None:
    # Level −2 day 8 at 2 m² is 0.2 mg; to the next 0.4 mg downwards it is nothing.
    request = second_cycle(settings=rounding_of("0.7"), prescribed_mg=D("1.2"))
    assert said(decide(request).findings, "A2") == ["STOP"]  # 1.2 → 1.4 is 16.7 % more
    fine = second_cycle(settings=rounding_of("0.1"), prescribed_mg=D("1.2"))
    assert said(decide(fine).findings, "A2") == []


# --- R17, R18, R19: three comparisons --------------------------------------------------------------------------


# REGULATION P-07: base 1.44 mg.
@pytest.mark.parametrize(
    ("mg", "flag"),
    [("1.297", False), ("1.296", True), ("1.583", False), ("1.584", True), ("1.2960000001", False), ("1.44", False)],
)
def test_ten_per_cent_or_more_flags_each_of_the_three(mg: str, flag: bool) -> None:
    prescribed = compare_prescribed(D(mg), D("1.44"), PROTOCOL)
    prepared = compare_prepared(D(mg), D("1.44"), PROTOCOL)
    administered = compare_administered(D(mg), D("1.44"), PROTOCOL)
    for comparison, rule, severity in (
        (prescribed, "R18", Severity.OVERRIDABLE),
        (prepared, "R19", Severity.STOP),
        (administered, "R17", Severity.WARN),
    ):
        assert comparison.at_or_over_limit is flag
        assert (comparison.finding is not None) is flag
        if comparison.finding is not None:
            assert (comparison.finding.rule, comparison.finding.severity) == (rule, severity)
            assert "1.44 mg" in comparison.finding.sentence
            assert comparison.finding.section == "8.1.3"
    assert (prescribed.name, prescribed.base_name) == ("prescribed", "planned")
    assert (prepared.name, prepared.base_name) == ("prepared", "prescribed")
    assert (administered.name, administered.base_name) == ("administered", "prescribed")


def test_the_percentage_is_signed_and_unrounded() -> None:
    assert compare_administered(D("1.296"), D("1.44"), PROTOCOL).percent == -10
    third = compare_administered(D(1), D(3), PROTOCOL).percent
    assert third is not None
    assert str(third).startswith("-66.6666666666666666666")


@pytest.mark.parametrize(("mg", "base"), [("1", "0"), ("0", "0"), ("-1", "1.44")])
def test_a_comparison_with_nothing_always_stops(mg: str, base: str) -> None:
    for compare in (compare_prepared, compare_administered, compare_prescribed):
        comparison = compare(D(mg), D(base), PROTOCOL)
        assert comparison.at_or_over_limit
        assert comparison.finding is not None
        assert comparison.finding.severity is Severity.STOP


def test_nothing_given_at_all_is_off_by_all_of_it() -> None:
    comparison = compare_administered(D(0), D("1.44"), PROTOCOL)
    assert comparison.percent == -100
    assert comparison.finding is not None
    assert comparison.finding.severity is Severity.WARN


def test_a_prescription_ten_per_cent_off_goes_on_only_by_a_written_decision() -> None:
    # Planned 1.6 mg: 1.76 is exactly 10 % more.
    off = first_dose(prescribed_mg=D("1.76"))
    assert said(decide(off).findings, "R18") == ["OVERRIDABLE"]
    assert not decide(off).may_go_on
    overridden = decide(replace(off, overrides=(override("R18"),)))
    assert overridden.may_go_on
    assert overridden.prescribed is not None
    assert overridden.prescribed.finding is not None
    assert overridden.prescribed.finding.override == override("R18")
    assert decide(first_dose(prescribed_mg=D("1.7599"))).may_go_on


def test_a_prescription_of_nothing_cannot_be_overridden() -> None:
    decision = decide(first_dose(prescribed_mg=D(0), overrides=(override("R18"),)))
    assert said(decision.findings, "R18") == ["STOP"]
    assert not decision.may_go_on


# --- R20, R25, A25: dates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cycle_day_number", "severities"),
    [(4, ["OVERRIDABLE"]), (5, []), (8, []), (11, []), (12, ["WARN"])],
)
def test_day_eight_may_be_day_five_to_eleven(cycle_day_number: int, severities: list[str]) -> None:
    on = on_cycle_day(DAY1, cycle_day_number)
    decision = decide(second_dose(today=on, planned_on=on))
    assert said(decision.findings, "R20") == severities
    assert decision.window is not None
    assert (cycle_day(DAY1, decision.window.earliest), cycle_day(DAY1, decision.window.latest)) == (5, 11)
    assert decision.window.expected_on == date(2026, 3, 9)


@pytest.mark.parametrize(
    ("cycle_day_number", "severities"), [(11, ["OVERRIDABLE"]), (12, []), (18, []), (19, ["WARN"])]
)
def test_day_fifteen_may_be_day_twelve_to_eighteen(cycle_day_number: int, severities: list[str]) -> None:
    on = on_cycle_day(DAY1, cycle_day_number)
    request = second_dose(day=15, today=on, planned_on=on, history=(given(1, 1, DAY1), given(1, 8, date(2026, 3, 6))))
    assert said(decide(request).findings, "R20") == severities


@pytest.mark.parametrize(
    ("scheduled_on", "severities"),
    [
        (date(2026, 3, 6), ["OVERRIDABLE"]),
        (date(2026, 3, 5), []),
        (date(2026, 2, 27), []),
        (date(2026, 2, 26), ["WARN"]),
        (None, []),
    ],
)
def test_day_one_is_judged_by_its_plan(scheduled_on: date | None, severities: list[str]) -> None:
    assert said(decide(first_dose(scheduled_on=scheduled_on)).findings, "R20") == severities


def test_a_window_over_the_year_end_and_a_leap_day() -> None:
    first = date(2027, 12, 28)
    on = date(2028, 1, 4)
    decision = decide(second_dose(today=on, planned_on=on, day1_on=first, history=(given(1, 1, first),)))
    assert decision.window is not None
    assert (decision.window.earliest, decision.window.expected_on, decision.window.latest) == (
        date(2028, 1, 1),
        date(2028, 1, 4),
        date(2028, 1, 7),
    )
    assert on_cycle_day(date(2028, 2, 26), 8) == date(2028, 3, 4)


@pytest.mark.parametrize(
    ("days", "severities"),
    [
        (17, ["OVERRIDABLE"]),
        (18, ["INFO"]),
        (20, ["INFO"]),
        (21, []),
        (28, []),
        (29, ["INFO"]),
        (31, ["INFO"]),
        (32, ["WARN"]),
    ],
)
def test_cycles_are_repeated_every_three_to_four_weeks(days: int, severities: list[str]) -> None:
    decision = decide(planned_for(third_cycle(), CYCLE2 + timedelta(days=days)))
    assert said(decision.findings, "R25") == severities
    # RULES A6 (d): Day 19 to 32.
    assert decision.window is not None
    assert (cycle_day(CYCLE2, decision.window.earliest), cycle_day(CYCLE2, decision.window.latest)) == (19, 32)


def test_an_unknown_day_one_of_the_cycle_before_is_said() -> None:
    request = second_cycle(history=(given(1, 8, date(2026, 3, 9)),))
    assert said(decide(request).findings, "R25") == ["WARN"]


@pytest.mark.parametrize(("days", "severities"), [(5, ["WARN"]), (6, [])])
def test_fewer_than_six_days_between_doses_warn(days: int, severities: list[str]) -> None:
    on = DAY1 + timedelta(days=days)
    assert said(decide(second_dose(today=on, planned_on=on)).findings, "A25") == severities


# --- overrides -------------------------------------------------------------------------------------------------


def test_a_stop_has_no_override() -> None:
    weight = Weight(D(80), date(2026, 2, 1))
    request = first_dose(current_weight=weight, dosing_weight=weight, overrides=(override("R13"),))
    decision = decide(request)
    assert said(decision.findings, "R13") == ["STOP"]
    assert said(decision.findings, "OV") == ["STOP"]
    assert not decision.may_go_on


def test_an_override_that_is_not_needed_is_refused() -> None:
    assert said(decide(first_dose(overrides=(override("R20"),))).findings, "OV") == ["STOP"]


@pytest.mark.parametrize(
    "changes",
    [{"decided_by": " "}, {"role": ""}, {"document": ""}, {"why": ""}, {"decided_on": date(2026, 3, 3)}],
)
def test_an_incomplete_override_does_not_go_on(changes: dict[str, Any]) -> None:
    request = first_dose(prescribed_mg=D(2), overrides=(override("R18", **changes),))
    decision = decide(request)
    assert said(decision.findings, "OV") == ["STOP"]
    assert not decision.may_go_on


def test_two_overrides_of_one_rule_are_one_too_many() -> None:
    request = first_dose(prescribed_mg=D(2), overrides=(override("R18"), override("R18")))
    assert said(decide(request).findings, "OV") == ["STOP"]


# --- catalogue -------------------------------------------------------------------------------------------------


def test_the_catalogue_is_sound() -> None:
    check_catalogue()
    assert {"R1", "R2", "R3", "R4", "R5", "R6", "R8", "R13", "R14", "R15", "R16", "R17", "R18", "R19", "R20"} <= {
        rule.id for rule in CATALOGUE
    }


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, "named twice: I1"),
        ({"id": "R99"}, "without function or entry: R99"),
        ({"id": "R99", "section": " "}, "incomplete: R99"),
        ({"id": "R99", "title": ""}, "incomplete: R99"),
    ],
)
def test_a_catalogue_with_a_fault_is_found(changes: dict[str, str], fault: str) -> None:
    extra = replace(next(rule for rule in CATALOGUE if rule.id == "I1"), **changes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=fault):
        check_catalogue((*CATALOGUE, extra))


def test_findings_come_in_catalogue_order_and_read_as_sentences() -> None:
    weight = Weight(D(30), date(2026, 2, 1))
    decision = decide(
        second_cycle(
            birth=None,
            level=-1,
            current_weight=weight,
            dosing_weight=weight,
            prescribed_mg=D(5),
            overrides=(override("R20"),),
        )
    )
    order = [rule.id for rule in CATALOGUE]
    places = [order.index(finding.rule) for finding in decision.findings]
    assert places == sorted(places)
    assert len(places) >= 6
    sections = {rule.id: rule.section for rule in CATALOGUE}
    for finding in decision.findings:
        assert finding.sentence[0].isupper() or finding.sentence[0].isdigit()
        assert finding.sentence.endswith(".")
        assert finding.section == sections[finding.rule]


# --- properties ------------------------------------------------------------------------------------------------


PLAIN = str | int | bool | date | Decimal | tuple | Enum | None  # type: ignore[type-arg]


@st.composite
def requests(draw: st.DrawFn) -> DoseRequest:
    """Requests of every kind, sensible or not."""
    cycle = draw(st.integers(0, 8))
    planned = draw(st.dates(date(2025, 1, 1), date(2028, 12, 31)))
    weights = st.none() | st.builds(
        Weight,
        st.decimals("0", "300", places=2),
        st.integers(-3, 12).map(lambda days: planned - timedelta(days=days)),
    )
    history = st.builds(
        GivenDose,
        st.integers(1, 2),
        st.integers(1, 6),
        st.sampled_from((1, 8, 15)),
        st.sampled_from((0, -1, -2)),
        st.integers(-5, 60).map(lambda days: planned - timedelta(days=days)),
        st.none(),
    )
    return DoseRequest(
        today=planned + timedelta(days=draw(st.integers(-3, 3))),
        protocol=PROTOCOL,
        settings=draw(st.sampled_from((SETTINGS, StudySettings(), rounding_of("0.03", RoundingMode.DOWN)))),
        birth=draw(st.none() | st.builds(Birth, st.integers(1930, 2029))),
        course=draw(st.integers(0, 3)),
        cycle=cycle,
        day=draw(st.sampled_from((0, 1, 2, 8, 15))),
        level=draw(st.sampled_from((1, 0, -1, -2, -3))),
        planned_on=planned,
        prescribed_mg=draw(st.none() | st.decimals("0", "5", places=3)),
        height=draw(st.none() | st.builds(Height, st.decimals("0", "272", places=1), st.just(planned))),
        dosing_weight=draw(weights),
        current_weight=draw(weights),
        prior_weight_used=draw(st.none() | st.builds(UsedWeight, st.decimals("0", "300", places=2), st.just(planned))),
        formula_before=draw(st.none() | st.sampled_from(BsaFormula)),
        day1_on=draw(st.none() | st.just(planned - timedelta(days=7))),
        scheduled_on=draw(st.none() | st.just(planned + timedelta(days=draw(st.integers(-5, 5))))),
        history=tuple(draw(st.lists(history, max_size=4))),
        overrides=tuple(
            override(rule) for rule in draw(st.lists(st.sampled_from(("R18", "R20", "R13", "R1")), max_size=2))
        ),
    )


@for_all(requests())
def test_any_request_is_answered_without_floats_and_survives_the_journal(request_: DoseRequest) -> None:
    decision = decide(request_)
    for value in walk(decision):
        assert is_dataclass(value) or isinstance(value, PLAIN)
    assert from_plain(DoseDecision, to_plain(decision)) == decision
    if decision.may_go_on:
        assert decision.planned_mg is not None
        assert not any(finding.blocks for finding in decision.findings)
    if decision.planned_mg is None:
        assert any(finding.severity is Severity.STOP for finding in decision.findings)


@for_all(requests(), st.randoms(use_true_random=False))
def test_the_order_of_the_history_and_the_context_do_not_matter(request_: DoseRequest, random: Any) -> None:
    shuffled = list(request_.history)
    random.shuffle(shuffled)
    expected = decide(request_)
    with localcontext(prec=4):
        again = decide(replace(request_, history=tuple(sorted(shuffled, key=lambda dose: dose.given_on))))
        in_order = decide(replace(request_, history=tuple(sorted(request_.history, key=lambda d: d.given_on))))
    assert again.planned_mg == in_order.planned_mg == expected.planned_mg
    assert {finding.rule for finding in again.findings} == {finding.rule for finding in expected.findings}


@for_all(
    formula=st.sampled_from(BsaFormula),
    kg=st.decimals("25", "240", places=1),
    more=st.decimals("0.1", "10", places=1),
)
def test_more_weight_never_gives_less_dose(formula: BsaFormula, kg: Decimal, more: Decimal) -> None:
    settings = replace(SETTINGS, bsa_formula=Signed(formula, "test", 1))
    lighter, heavier = (
        decide(first_dose(settings=settings, dosing_weight=weight, current_weight=weight))
        for weight in (Weight(kg, DAY1), Weight(kg + more, DAY1))
    )
    assert lighter.planned_mg is not None
    assert heavier.planned_mg is not None
    assert heavier.planned_mg >= lighter.planned_mg
    assert heavier.planned_mg_unrounded is not None
    assert lighter.planned_mg_unrounded is not None
    assert heavier.planned_mg_unrounded > lighter.planned_mg_unrounded


def test_a_decision_goes_to_json_and_back() -> None:
    decision = decide(second_cycle(prescribed_mg=D(2), overrides=(override("R18"),)))
    adapter = TypeAdapter(DoseDecision)
    assert adapter.validate_json(adapter.dump_json(decision)) == decision


@pytest.mark.parametrize(("level", "stops"), [(-2, False), (0, True), (-1, True)])
def test_the_level_is_kept_within_a_cycle(level: int, stops: bool) -> None:
    """R43: day 1 of cycle 2 was given at level -2; day 8 at level 0 would be three times what is due."""
    day1, on = date(2026, 3, 30), date(2026, 4, 6)
    history = (
        GivenDose(1, 1, 1, 0, DAY1),
        GivenDose(1, 1, 8, 0, DAY1 + timedelta(days=7)),
        GivenDose(1, 1, 15, 0, DAY1 + timedelta(days=14)),
        GivenDose(1, 2, 1, -2, day1),
    )
    decision = decide(second_cycle(today=on, planned_on=on, day=8, level=level, history=history))
    assert any(finding.rule == "R43" and finding.blocks for finding in decision.findings) is stops


# --- the working, word for word --------------------------------------------------------------------------------


def test_every_step_names_its_formula_its_inputs_and_its_section() -> None:
    steps = decide(first_dose()).steps
    assert [(step.formula, step.section) for step in steps if "surface area," not in step.name] == [
        ("from the table of cycle, day and dose level", "3.3, 8.1.3"),
        ("dose of the day × body surface area", "8.1.3"),
        ("rounded half up to a multiple of 0.01 mg", "8.1.3"),
    ]
    later = decide(second_cycle()).steps[0]
    assert later.section == "8.1.6"
    assert [(each.name, each.value) for each in later.inputs] == [("cycle", "2"), ("day", "1"), ("level", "0")]
    assert steps[0].inputs[2].value == "none in cycle 1"


def test_the_decision_names_its_dose_of_the_day_and_its_formula() -> None:
    decision = decide(first_dose())
    assert (decision.dose_mg_per_m2, decision.bsa_formula) == (D("0.8"), BsaFormula.MOSTELLER)
    assert decide(first_dose(settings=StudySettings())).bsa_formula is None


def test_the_findings_of_one_strength_are_picked_out() -> None:
    decision = decide(second_cycle(prescribed_mg=D(2), criteria=()))
    for severity in Severity:
        picked = decision.with_severity(severity)
        assert picked == tuple(finding for finding in decision.findings if finding.severity == severity)
    assert {finding.rule for finding in decision.with_severity(Severity.OVERRIDABLE)} >= {"R18", "R37"}


@pytest.mark.parametrize(("value", "calculated"), [("-1", False), ("0", False), ("0.5", True), ("1", True)])
def test_only_what_is_more_than_nothing_is_calculated(value: str, calculated: bool) -> None:
    by_height = decide(first_dose(height=Height(D(value), DAY1)))
    by_weight = decide(first_dose(dosing_weight=Weight(D(value), DAY1)))
    assert [each.planned_mg is not None for each in (by_height, by_weight)] == [calculated, calculated]


# Ties go to the even neighbour: 143 and 145 hundredths up, 144 and 148 down.
@pytest.mark.parametrize(
    ("mg", "rounded"), [("1.435", "1.44"), ("1.445", "1.44"), ("1.455", "1.46"), ("1.485", "1.48")]
)
def test_a_tie_goes_to_the_even_neighbour(mg: str, rounded: str) -> None:
    assert round_dose(D(mg), DoseRounding(D("0.01"), RoundingMode.HALF_EVEN)) == D(rounded)


def test_the_precision_of_the_moment_does_not_reach_the_dose() -> None:
    weight = Weight(D("81.3"), date(2026, 3, 1))
    request = first_dose(dosing_weight=weight, current_weight=weight)
    expected = decide(request)
    assert expected.planned_mg_unrounded is not None
    with localcontext(prec=2):
        assert decide(request).planned_mg_unrounded == expected.planned_mg_unrounded
        assert round_dose(D("1.4449999"), DoseRounding(D("0.0001"), RoundingMode.HALF_UP)) == D("1.4450")
        assert round_dose(D("1.23449"), DoseRounding(D("0.001"), RoundingMode.DOWN)) == D("1.234")


@pytest.mark.parametrize(("mg", "increment"), [("-0.01", "0.01"), ("1", "0"), ("1", "-0.01"), ("-1", "-1")])
def test_a_negative_dose_or_no_increment_is_a_mistake_of_the_program(mg: str, increment: str) -> None:
    with pytest.raises(ValueError, match=r"^a dose is not negative and an increment is more than 0$"):
        round_dose(D(mg), DoseRounding(D(increment), RoundingMode.DOWN))


# --- day 1 as it was given -------------------------------------------------------------------------------------


def test_the_window_runs_from_day_one_as_it_was_given() -> None:
    for stated in (None, DAY1, date(2026, 3, 1)):
        window = decide(second_dose(day1_on=stated)).window
        assert window is not None
        assert window.expected_on == date(2026, 3, 9)
    for elsewhere in (given(1, 1, DAY1, course=2), given(2, 1, DAY1), given(1, 8, DAY1)):
        assert decide(second_dose(history=(elsewhere,), day=15, day1_on=None)).window is None
    stated_only = decide(second_dose(history=(), day1_on=date(2026, 3, 1))).window
    assert stated_only is not None
    assert stated_only.expected_on == date(2026, 3, 8)


def test_a_day_that_does_not_exist_has_its_place_in_the_calendar_all_the_same() -> None:
    window = decide(second_dose(day=2)).window
    assert window is not None
    assert window.expected_on == date(2026, 3, 3)


def test_day_one_given_a_second_time_is_not_late_by_the_first() -> None:
    again = first_dose(history=(given(1, 1, DAY1 - timedelta(days=10)),))
    assert [finding.rule for finding in decide(again).findings if finding.rule in ("R20", "R28", "R29", "A34")] == []
