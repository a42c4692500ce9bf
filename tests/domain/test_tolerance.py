"""The tolerance budget, told as cases at the hood (RULES A2, A4, A20, A33; REGULATION D-08, D-16; § 8.1.3).

An adult of 180 cm and 80 kg has exactly 2 m²; cycle 1 day 1 is 0.8 mg/m², so 1.6 mg. Two vials of 0.9 mg at
0.25 mg/mL give it in draws of 3.6 mL and 2.8 mL. Half a graduation is 0.005 mL, so 0.00125 mg a draw.
"""

from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmacy_app.domain.codec import from_plain, to_plain
from pharmacy_app.domain.findings import Severity
from pharmacy_app.domain.planning import Plan, plan_with
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.settings import BsaFormula, LineResidue, Signed, StudySettings
from pharmacy_app.domain.tolerance import Budget, BudgetFacts, Part, PartKind, judged, show_part, tolerance_budget
from tests.domain.dose_cases import PROTOCOL, SETTINGS, vial_setting
from tests.domain.test_planning import shelf

D = Decimal
FACTS = BudgetFacts(
    prescribed_mg=D("1.6"),
    planned_mg_unrounded=D("1.6"),
    planned_mg=D("1.6"),
    dose_mg_per_m2=D("0.8"),
    bsa_formula=BsaFormula.MOSTELLER,
    height_cm=D(180),
    weight_kg=D(80),
)


def leaving(ml: str, settings: StudySettings = SETTINGS) -> StudySettings:
    """The settings with a signed volume that stays in bag and line; the bag holds 50 mL."""
    return replace(settings, line_residue=Signed(LineResidue(D(ml)), "measured on 2-Mar-2026, SOP 12", 9))


def planned(mg: str, settings: StudySettings = SETTINGS, vials: int = 2) -> Plan:
    return plan_with(D(mg), shelf(vials), settings)


def budget(
    prescribed: str = "1.6",
    settings: StudySettings = SETTINGS,
    protocol: Protocol = PROTOCOL,
    **facts: Any,
) -> Budget:
    return tolerance_budget(
        replace(FACTS, prescribed_mg=D(prescribed), **facts), planned(prescribed, settings), settings, protocol
    )


def to_places(value: Decimal | None, places: str) -> Decimal:
    assert value is not None
    return value.quantize(D(places))


def test_a_dose_as_calculated_spends_only_the_reading_of_the_syringe() -> None:
    # 2 draws × 0.005 mL × 0.25 mg/mL = 0.0025 mg; ÷ 1.6 mg = 0.15625 %.
    found = budget()
    assert found.part(PartKind.READING).percent == D("0.15625")
    assert found.part(PartKind.READING).either_way
    assert (found.part(PartKind.READING).before, found.part(PartKind.READING).after) == (D("1.6"), D("1.6025"))
    assert (found.above_percent, found.below_percent) == (D("0.15625"), D("0.15625"))
    assert (found.spent_percent, found.left_percent, found.limit_percent) == (D("0.15625"), D("9.84375"), D(10))
    assert found.finding is None


def test_the_area_is_not_rounded_and_says_why_it_spends_nothing() -> None:
    part = budget().part(PartKind.AREA)
    assert (part.before, part.after, part.unit, part.percent) == (D(2), D(2), "m²", D(0))
    assert "unrounded" in part.formula


def test_every_part_names_its_section_and_its_working() -> None:
    found = budget(settings=leaving("1"))
    for part in (*found.parts, found.formula):
        assert part.section in {"8.1.2", "8.1.3"}
        assert part.formula
        assert part.before is not None
        assert part.after is not None
    assert {part.kind for part in (*found.parts, found.formula)} == set(PartKind)


def test_the_rounding_of_the_dose_is_shown_and_not_counted_twice() -> None:
    # Planned 1.604 mg, rounded and prescribed 1.6: −0.004 ÷ 1.6 = −0.25 %, once. 0.25 + 0.15625 = 0.40625 %.
    found = budget(planned_mg_unrounded=D("1.604"))
    assert found.part(PartKind.ROUNDING).percent == D("-0.25")
    assert not found.part(PartKind.ROUNDING).counted
    assert found.part(PartKind.ORDER).percent == D("-0.25")
    assert (found.below_percent, found.above_percent, found.spent_percent) == (
        D("0.40625"),
        D("0.15625"),
        D("0.40625"),
    )


def test_an_order_for_the_unrounded_dose_spends_nothing_on_rounding() -> None:
    # 0.9 mg and 0.705 mg are 3.6 and 2.82 mL.
    found = budget("1.605", planned_mg_unrounded=D("1.605"), planned_mg=D("1.61"))
    assert found.part(PartKind.ORDER).percent == 0
    assert found.spent_percent == found.part(PartKind.READING).percent


def test_volumes_are_read_to_a_hundredth_of_a_millilitre() -> None:
    # 0.26 mg/mL: 0.9 mg = 3.4615… mL, read 3.46 mL = 0.8996 mg; 0.7 mg = 2.6923… mL, read 2.69 mL = 0.6994 mg.
    # −0.0004 − 0.0006 = −0.001 mg = −0.0625 %; reading 2 × 0.005 × 0.26 = 0.0026 mg = 0.1625 %; together 0.225 %.
    settings = replace(SETTINGS, vial_1mg=vial_setting("1", "0.9", conc="0.26"))
    found = budget(settings=settings)
    assert [(draw.read_ml, draw.change_mg) for draw in found.draws] == [
        (D("3.46"), D("-0.0004")),
        (D("2.69"), D("-0.0006")),
    ]
    assert found.part(PartKind.VOLUME).percent == D("-0.0625")
    assert (found.part(PartKind.VOLUME).before, found.part(PartKind.VOLUME).after) == (D("1.6"), D("1.599"))
    assert (found.below_percent, found.above_percent) == (D("0.225"), D("0.1625"))


def test_a_volume_half_way_between_two_graduations_is_read_as_the_upper_one() -> None:
    # 0.70125 mg at 0.25 mg/mL = 2.805 mL, read 2.81 mL = 0.7025 mg: +0.00125 mg.
    found = budget("1.60125", planned_mg_unrounded=D("1.60125"), planned_mg=D("1.60"))
    assert found.draws[1].read_ml == D("2.81")
    assert found.draws[1].change_mg == D("0.00125")


# --- what stays in bag and line --------------------------------------------------------------------------------


def test_what_nobody_measured_is_not_known_and_not_nothing() -> None:
    part = budget().part(PartKind.RESIDUE)
    assert part.percent is None
    assert part.after is None
    assert show_part(part) == "not known"
    assert budget().unknown == ("left in bag and line",)
    assert "is not signed" in part.formula


def test_a_flushed_line_is_known_to_leave_nothing() -> None:
    found = budget(settings=leaving("0"))
    assert found.part(PartKind.RESIDUE).percent == 0
    assert found.unknown == ()


def test_without_a_signed_bag_the_residue_is_not_known_either() -> None:
    found = budget(settings=leaving("2", replace(SETTINGS, bag=None)))
    assert found.part(PartKind.RESIDUE).percent is None
    assert "the bag volume is not signed" in found.part(PartKind.RESIDUE).formula


def test_two_millilitres_of_fifty_are_four_percent_and_name_their_source() -> None:
    # 1.6 mg × 2 ÷ 50 = 0.064 mg, −4 %; 4 + 0.15625 = 4.15625 % too little.
    found = budget(settings=leaving("2"))
    part = found.part(PartKind.RESIDUE)
    assert (part.before, part.after, part.percent) == (D("1.6"), D("1.536"), D(-4))
    assert "SOP 12" in part.formula
    assert found.spent_percent == D("4.15625")
    assert found.working == "reading of the syringe 0.16 % + left in bag and line 4 % = 4.16 % too little"
    assert found.finding is None


# --- the warning -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("residue_ml", "spent", "warned"),
    [
        # 0.15625 % reading + 2 × mL %: 2.421875 mL are 4.84375 %, together 5 % to the last digit.
        ("2.421874", "4.999998", False),
        ("2.421875", "5", True),
        ("2.421876", "5.000002", True),
    ],
)
def test_from_exactly_five_percent_on_it_warns(residue_ml: str, spent: str, warned: bool) -> None:
    found = budget(settings=leaving(residue_ml))
    assert found.spent_percent == D(spent)
    assert (found.finding is not None) is warned


def test_the_warning_says_what_is_spent_what_is_left_and_what_to_change() -> None:
    finding = budget(settings=leaving("3")).finding
    # 6 + 0.15625 = 6.15625 %; 10 − 6.15625 = 3.84375 %.
    assert finding is not None
    assert (finding.rule, finding.severity, finding.section) == ("T1", Severity.WARN, "8.1.3")
    assert "6.16 % is spent before anything is mixed" in finding.sentence
    assert "3.84 % of the 10 % are left" in finding.sentence
    assert "Flush the line" in finding.sentence
    assert "medication error" not in finding.sentence
    assert [(named.name, named.value) for named in finding.compared] == [
        ("spent", "6.15625"),
        ("warned from", "5"),
        ("limit", "10"),
    ]


@pytest.mark.parametrize(
    ("residue_ml", "error"),
    [
        # 9.84375 % of 50 mL are 4.921875 mL: with the reading exactly 10 %, which § 8.1.3 counts as an error.
        ("4.921874", False),
        ("4.921875", True),
        ("8", True),
    ],
)
def test_from_exactly_ten_percent_on_it_is_expected_to_be_a_medication_error(residue_ml: str, error: bool) -> None:
    found = budget(settings=leaving(residue_ml))
    assert found.finding is not None
    assert found.finding.severity is Severity.WARN
    assert not found.finding.blocks
    assert found.error_expected is error
    assert ("expected to be a medication error" in found.finding.sentence) is error


def test_more_than_all_spent_is_said_and_not_clamped() -> None:
    found = budget(settings=leaving("8"))
    assert found.left_percent == D("-6.15625")


def test_an_order_that_is_low_adds_to_what_is_lost_but_is_no_medication_error_itself() -> None:
    # Prescribed 1.5 for 1.6: −0.1 ÷ 1.5 = −6.666… %; 2 of 50 mL −4 %; reading 0.0025 ÷ 1.5 = 0.1666… %: 10.8333… %.
    found = budget("1.5", leaving("2"))
    assert to_places(found.spent_percent, "0.0001") == D("10.8333")
    assert not found.error_expected
    assert found.finding is not None
    assert "does not count as a medication error" in found.finding.sentence
    assert "expected to be a medication error" not in found.finding.sentence
    assert "Ask the prescriber to correct the order. Flush the line" in found.finding.sentence


def test_a_high_order_is_not_set_against_a_lossy_line() -> None:
    # Prescribed 1.68: +0.08 ÷ 1.68 = +4.7619 %; 3 of 50 mL −6 %; reading 0.0025 ÷ 1.68 = 0.1488 %.
    # The administered dose is judged by the prescribed one, so the line's 6 % stay 6 %: not 1.24 %.
    found = budget("1.68", leaving("3"))
    assert to_places(found.above_percent, "0.0001") == D("4.9107")
    assert to_places(found.below_percent, "0.0001") == D("6.1488")
    assert found.spent_percent == found.below_percent


@pytest.mark.parametrize(("area", "unrounded", "percent"), [("1.73", "0.173", "13.5"), ("1.50", "0.15", "25")])
def test_rounding_to_a_tenth_of_a_milligram_spends_it_all_at_the_lowest_level(
    area: str, unrounded: str, percent: str
) -> None:
    # Level −2 day 8 is 0.1 mg/m²: 0.173 mg rounded to 0.2 is +15.6 % of the planned, 0.027 ÷ 0.2 = 13.5 % of the
    # prescribed dose; 0.15 rounded to 0.2 is a third more, 0.05 ÷ 0.2 = 25 %.
    facts = replace(
        FACTS,
        prescribed_mg=D("0.2"),
        planned_mg_unrounded=D(unrounded),
        planned_mg=D("0.2"),
        dose_mg_per_m2=D("0.1"),
    )
    found = tolerance_budget(facts, planned("0.2", vials=1), SETTINGS, PROTOCOL)
    assert found.part(PartKind.ROUNDING).percent == D(percent)
    # Reading: 0.00125 ÷ 0.2 = 0.625 %.
    assert found.spent_percent == D(percent) + D("0.625")
    assert found.finding is not None
    assert "Round the dose more finely" in found.finding.sentence
    assert "too much" in found.finding.sentence
    assert "left in bag and line" in found.finding.sentence, "what is not known is named"


def test_the_limits_are_the_protocols() -> None:
    other = PROTOCOL.model_copy(
        update={
            "dose_difference": PROTOCOL.dose_difference.model_copy(
                update={"from_percent": D(5), "budget_warn_percent": D(2)}
            )
        }
    )
    found = budget(settings=leaving("2"), protocol=other)
    assert found.limit_percent == 5
    assert found.left_percent == D("0.84375")
    assert found.finding is not None
    assert "of the 5 % are left" in found.finding.sentence


# --- the formula, apart ----------------------------------------------------------------------------------------


def test_another_formula_is_shown_apart_and_spends_nothing() -> None:
    # REGULATION D-01, 165 cm and 130 kg: Mosteller 2.4410, Du Bois 2.3039 m², the farthest of the four.
    # × 0.8 = 1.9528 and 1.8431 mg; −0.10968 ÷ 1.95 = −5.62 %.
    facts = replace(
        FACTS,
        prescribed_mg=D("1.95"),
        planned_mg_unrounded=D("1.9528"),
        planned_mg=D("1.95"),
        height_cm=D(165),
        weight_kg=D(130),
    )
    found = tolerance_budget(facts, planned("1.95", vials=3), SETTINGS, PROTOCOL)
    assert found.formula.after_name == "by Du Bois"
    assert to_places(found.formula.before, "0.001") == D("1.953")
    assert to_places(found.formula.after, "0.001") == D("1.843")
    assert to_places(found.formula.percent, "0.01") == D("-5.62")
    assert not found.formula.counted
    assert found.formula not in found.parts
    assert found.spent_percent < 1


# --- around it -------------------------------------------------------------------------------------------------


def test_the_plan_carries_the_look_alike_and_the_warning_when_there_is_one() -> None:
    plan, found = judged(planned("1.6"), FACTS, SETTINGS, PROTOCOL)
    assert [(finding.rule, finding.severity.name) for finding in plan.findings] == [("A33", "INFO")]
    assert "inotuzumab ozogamicin" in plan.findings[0].sentence
    assert "gemtuzumab ozogamicin” is another drug" in plan.findings[0].sentence
    assert plan.findings[0].section == "8.1.1"
    assert found == budget()
    warned, _ = judged(planned("1.6", leaving("4")), FACTS, leaving("4"), PROTOCOL)
    assert [finding.rule for finding in warned.findings] == ["T1", "A33"]
    assert warned.may_go_on


def test_it_comes_back_from_the_journal_as_it_went_in() -> None:
    for found in (budget(), budget("1.5", leaving("2"))):
        assert from_plain(Budget, to_plain(found)) == found


def test_settings_signed_before_the_residue_was_one_of_them_stay_readable() -> None:
    old = to_plain(SETTINGS)
    assert isinstance(old, dict)
    del old["line_residue"]
    assert from_plain(StudySettings, old) == SETTINGS


def test_the_context_around_does_not_matter() -> None:
    outside = budget("1.59", leaving("0.7"), planned_mg_unrounded=D("1.5872366"))
    with localcontext(prec=4):
        inside = budget("1.59", leaving("0.7"), planned_mg_unrounded=D("1.5872366"))
    assert inside == outside


def test_there_is_no_tolerance_of_nothing() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        tolerance_budget(replace(FACTS, prescribed_mg=D(0)), planned("1.6"), SETTINGS, PROTOCOL)


@given(
    prescribed=st.decimals("0.1", "3", places=3),
    unrounded=st.decimals("0.1", "3", places=5),
    conc=st.decimals("0.1", "0.5", places=2),
    residue=st.none() | st.decimals("0", "40", places=2),
)
def test_both_sides_agree_with_fractions(
    prescribed: Decimal, unrounded: Decimal, conc: Decimal, residue: Decimal | None
) -> None:
    settings = replace(SETTINGS, vial_1mg=vial_setting("1", "0.9", "8", str(conc)))
    if residue is not None:
        settings = leaving(str(residue), settings)
    plan = plan_with(prescribed, shelf(4), settings)
    facts = replace(FACTS, prescribed_mg=prescribed, planned_mg_unrounded=unrounded)
    found = tolerance_budget(facts, plan, settings, PROTOCOL)
    order = Fraction(prescribed) - Fraction(unrounded)
    # Round half up by whole hundredths: ⌊100 v + ½⌋.
    volume = Fraction(0)
    for draw in plan.draws:
        hundredths = (Fraction(draw.draw_mg) / Fraction(conc) * 100 + Fraction(1, 2)) // 1
        volume += Fraction(conc) * hundredths / 100 - Fraction(draw.draw_mg)
    lost = Fraction(prescribed) * Fraction(residue or 0) / 50
    reading = len(plan.draws) * Fraction(conc) / 200
    nothing = Fraction(0)
    above = reading + max(order, nothing) + max(volume, nothing)
    below = reading + max(-order, nothing) + max(-volume, nothing) + lost
    for shown, exact in ((found.above_percent, above), (found.below_percent, below)):
        assert abs(Fraction(shown) - 100 * exact / Fraction(prescribed)) < Fraction(1, 10**20)
    assert found.spent_percent == max(found.above_percent, found.below_percent)
    assert (found.finding is not None) is (20 * max(above, below) >= Fraction(prescribed))


# --- every part in full ----------------------------------------------------------------------------------------


def part(
    kind: PartKind,
    before_name: str,
    before: Decimal | None,
    after_name: str,
    after: Decimal | None,
    unit: str,
    percent: Decimal | None,
    formula: str,
    section: str,
    *,
    either_way: bool = False,
    counted: bool = True,
) -> Part:
    return Part(kind, before_name, before, after_name, after, unit, percent, either_way, counted, formula, section)


def test_the_parts_of_a_budget_in_full() -> None:
    """0.26 mg/mL and 2 of 50 mL left; planned 1.604 mg, rounded and ordered 1.6 mg."""
    settings = leaving("2", replace(SETTINGS, vial_1mg=vial_setting("1", "0.9", conc="0.26")))
    found = budget(settings=settings, planned_mg_unrounded=D("1.604"))
    assert found.parts == (
        part(
            PartKind.AREA,
            "calculated",
            D(2),
            "used",
            D(2),
            "m²",
            D(0),
            "used unrounded, so nothing is spent",
            "8.1.3",
        ),
        part(
            PartKind.ROUNDING,
            "unrounded",
            D("1.604"),
            "rounded",
            D("1.6"),
            "mg",
            D("-0.25"),
            "not added: the order holds it already",
            "8.1.3",
            counted=False,
        ),
        part(
            PartKind.ORDER,
            "unrounded",
            D("1.604"),
            "prescribed",
            D("1.6"),
            "mg",
            D("-0.25"),
            "(prescribed − unrounded) ÷ prescribed",
            "8.1.3",
        ),
        part(
            PartKind.VOLUME,
            "drawn",
            D("1.6"),
            "read",
            D("1.599"),
            "mg",
            D("-0.0625"),
            "each to 0.01 mL × mg/mL − its mg",
            "8.1.2",
        ),
        part(
            PartKind.READING,
            "read",
            D("1.599"),
            "at most",
            D("1.6016"),
            "mg",
            D("0.1625"),
            "0.005 mL × mg/mL, a draw, all one way",
            "8.1.2",
            either_way=True,
        ),
        part(
            PartKind.RESIDUE,
            "in the bag",
            D("1.6"),
            "to the subject",
            D("1.536"),
            "mg",
            D(-4),
            "2 mL left of 50 mL [measured on 2-Mar-2026, SOP 12]",
            "8.1.3",
        ),
    )
    assert found.working == (
        "order against calculation 0.25 % + volumes on the syringe 0.06 % + reading of the syringe 0.16 % + left in "
        "bag and line 4 % = 4.48 % too little"
    )


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        (SETTINGS, "the volume left in bag and line"),
        (replace(SETTINGS, bag=None), "the volume left in bag and line"),
        (leaving("2", replace(SETTINGS, bag=None)), "the bag volume"),
    ],
)
def test_what_is_not_known_of_the_residue_in_full(settings: StudySettings, missing: str) -> None:
    assert budget(settings=settings).part(PartKind.RESIDUE) == part(
        PartKind.RESIDUE,
        "in the bag",
        D("1.6"),
        "to the subject",
        None,
        "mg",
        None,
        f"not known: {missing} is not signed in the study settings",
        "8.1.3",
    )


def test_the_other_formula_in_full() -> None:
    found = budget().formula
    assert (found.kind, found.unit, found.either_way, found.counted) == (PartKind.FORMULA, "mg", False, False)
    assert (found.before_name, found.before) == ("by Mosteller", D("1.6"))
    assert (found.formula, found.section) == ("differs most; for information only", PROTOCOL.bsa.section)


def test_a_part_is_written_with_its_sign_or_both() -> None:
    found = budget(settings=leaving("2"), planned_mg_unrounded=D("1.56"))
    # 0.04 ÷ 1.6 = 2.5 % more than planned.
    shown = {kind.kind: show_part(kind) for kind in found.parts}
    assert shown[PartKind.READING] == "±0.16 %"
    assert shown[PartKind.ORDER] == "+2.5 %"
    assert shown[PartKind.RESIDUE] == "−4 %"
    assert shown[PartKind.AREA] == "0 %"


# --- what is said at the edges ---------------------------------------------------------------------------------


def test_as_much_above_as_below_is_told_as_too_little() -> None:
    assert budget(settings=leaving("0")).working == "reading of the syringe 0.16 % = 0.16 % too little"


def test_a_high_order_is_told_as_too_much() -> None:
    found = budget(planned_mg_unrounded=D("1.5"), planned_mg=D("1.5"))
    # 0.1 ÷ 1.6 = 6.25 % and the reading, 0.15625 %.
    assert found.working == "order against calculation 6.25 % + reading of the syringe 0.16 % = 6.41 % too much"
    assert found.finding is not None
    assert found.finding.sentence == (
        "Of the 10 % by which a dose must not be off, 6.41 % is spent before anything is mixed: order against "
        "calculation 6.25 % + reading of the syringe 0.16 % = 6.41 % too much. 3.59 % of the 10 % are left for what "
        "happens at the hood and in the line. Ask the prescriber to correct the order. Going on as it is needs a "
        "reason on the record. Not counted, because it is not known: left in bag and line."
    )


@pytest.mark.parametrize(
    ("unrounded", "over"),
    [
        # Ordered 1.6 mg; with 0.15625 % for the reading, 0.1575 mg (9.84375 %) too much is exactly 10 %.
        ("1.44250001", False),
        ("1.4425", True),
        ("1.44249999", True),
        ("1.4435", False),
    ],
)
def test_exactly_ten_percent_off_the_protocols_dose_is_said(unrounded: str, over: bool) -> None:
    found = budget(planned_mg_unrounded=D(unrounded), planned_mg=D("1.44"))
    assert found.finding is not None
    assert not found.error_expected
    assert ("That is 10 % or more" in found.finding.sentence) is over


def test_what_is_less_than_a_tenth_of_it_all_is_passed_over() -> None:
    """The order spends most; the reading, 0.15625 %, is a tenth of it all at 1.5625 % and less than that above."""
    low = PROTOCOL.model_copy(
        update={"dose_difference": PROTOCOL.dose_difference.model_copy(update={"budget_warn_percent": D(1)})}
    )
    # 0.0225 ÷ 1.6 = 1.40625 %: together 1.5625 % exactly, ten times the reading.
    for unrounded, told in (("1.5775", True), ("1.5774", False), ("1.5", False)):
        found = budget(protocol=low, planned_mg_unrounded=D(unrounded), planned_mg=D("1.57"))
        assert found.finding is not None
        assert ("Draw from fewer vials" in found.finding.sentence) is told
        assert "Ask the prescriber to correct the order." in found.finding.sentence


def test_the_largest_part_is_changed_first() -> None:
    finding = budget("1.5", leaving("4")).finding
    # −8 % in the line, −6.67 % by the order.
    assert finding is not None
    assert "Flush the line, or take another bag volume, as the instructions allow. Ask the prescriber" in (
        finding.sentence
    )


def test_everything_that_is_not_known_is_named_without_anything_between() -> None:
    found = budget(planned_mg_unrounded=D("1.5"), planned_mg=D("1.5"))
    assert found.unknown == ("left in bag and line",)
    known = budget(settings=leaving("4"))
    assert known.finding is not None
    assert known.finding.sentence.endswith("Going on as it is needs a reason on the record.")


def test_a_volume_of_a_vial_that_is_not_signed_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match=r"^the 1 mg vial has no signed preparation, so nothing was drawn from it$"):
        tolerance_budget(FACTS, planned("1.6"), replace(SETTINGS, vial_1mg=None), PROTOCOL)
    with pytest.raises(ValueError, match=r"^a tolerance is a part of a prescribed dose, which is more than 0$"):
        tolerance_budget(replace(FACTS, prescribed_mg=D(-1)), planned("1.6"), SETTINGS, PROTOCOL)


def test_a_plan_of_no_vials_spends_nothing() -> None:
    found = tolerance_budget(FACTS, plan_with(D("1.6"), [], SETTINGS), leaving("0"), PROTOCOL)
    assert found.working == "nothing is spent"
    for kind in (PartKind.VOLUME, PartKind.READING):
        assert isinstance(found.part(kind).before, Decimal)
        assert found.part(kind).percent == 0


def test_a_small_part_on_the_other_side_is_neither_summed_nor_to_be_changed() -> None:
    """Ordered 0.6875 % high, 6 % lost in the line: what is lost decides, and the order is no part of it."""
    found = budget(settings=leaving("3"), planned_mg_unrounded=D("1.589"), planned_mg=D("1.59"))
    assert found.working == "reading of the syringe 0.16 % + left in bag and line 6 % = 6.16 % too little"
    assert found.finding is not None
    assert "Flush the line" in found.finding.sentence
    assert "Ask the prescriber" not in found.finding.sentence


def test_as_much_above_as_below_what_is_lost_is_changed() -> None:
    """0.1 mg of 1.6 mg ordered too much, and as much, 3.125 mL of 50 mL, left behind: 6.25 % each."""
    found = budget(settings=leaving("3.125"), planned_mg_unrounded=D("1.5"), planned_mg=D("1.5"))
    assert found.above_percent == found.below_percent
    assert found.finding is not None
    assert "Flush the line" in found.finding.sentence
    assert "Ask the prescriber" not in found.finding.sentence
