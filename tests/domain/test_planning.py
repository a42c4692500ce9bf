"""Vials, draws, bag and beyond-use time, told as cases (RULES A20, A31, A32, A40; REGULATION D-09 to D-11, L-16)."""

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmacy_app.domain.codec import from_plain, to_plain
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.findings import Finding, Named, Severity
from pharmacy_app.domain.planning import (
    BeyondUse,
    Plans,
    UsableVial,
    beyond_use,
    look_alike,
    plan_vials,
    plan_with,
    usable_undiluted,
)
from pharmacy_app.domain.settings import (
    BagPreparation,
    CompoundingCategory,
    CompoundingLimit,
    Signed,
    StabilityLimits,
    StudySettings,
)
from tests.domain.dose_cases import PROTOCOL, SETTINGS, said, vial_setting

D = Decimal
ONE, FOUR = D(1), D(4)
LATE = date(2027, 6, 30)


def vial(
    number: str, strength: Decimal = ONE, lot: str = "A1", expires_on: date = LATE, place: str = "F1"
) -> UsableVial:
    return UsableVial(number, strength, lot, expires_on, place)


def shelf(ones: int, fours: int = 0) -> list[UsableVial]:
    return [vial(f"S{n}") for n in range(ones)] + [vial(f"L{n}", FOUR, "B1") for n in range(fours)]


def extracting(one: str, four: str = "3.6") -> StudySettings:
    return replace(SETTINGS, vial_1mg=vial_setting("1", one), vial_4mg=vial_setting("4", four, "16"))


# --- which vials -----------------------------------------------------------------------------------------------


# DRUGFACTS derived table and REGULATION D-09: vials needed at 0.9 mg and at 1.0 mg extractable.
@pytest.mark.parametrize(
    ("mg", "at_0_9", "at_1_0"),
    [
        ("1.44", 2, 2),
        ("1.08", 2, 2),
        ("0.90", 1, 1),
        ("0.72", 1, 1),
        ("0.54", 1, 1),
        ("0.36", 1, 1),
        ("0.18", 1, 1),
        ("1.0", 2, 1),
        ("0.91", 2, 1),
        ("1.8", 2, 2),
        ("1.81", 3, 2),
    ],
)
def test_vials_are_counted_by_what_can_be_drawn(mg: str, at_0_9: int, at_1_0: int) -> None:
    for extractable, count in (("0.9", at_0_9), ("1.0", at_1_0)):
        best = plan_vials(D(mg), shelf(5), extracting(extractable)).best
        assert best is not None
        assert best.count(ONE) == count
        assert best.waste_mg == count * D(extractable) - D(mg)


def test_least_waste_comes_before_fewest_vials_and_the_alternative_shows_its_waste() -> None:
    plans = plan_vials(D("1.08"), shelf(5, 2), SETTINGS)
    # Two small vials give 1.8 (0.72 to spare); one large gives 3.6 (2.52 to spare).
    assert [(plan.count(ONE), plan.count(FOUR), plan.waste_mg) for plan in plans.plans] == [
        (2, 0, D("0.72")),
        (0, 1, D("2.52")),
    ]


def test_fewest_vials_decide_between_equal_waste() -> None:
    # 3.6 mg: four small vials or one large, nothing to spare either way.
    plans = plan_vials(D("3.6"), shelf(5, 1), SETTINGS)
    assert plans.best is not None
    assert (plans.best.count(ONE), plans.best.count(FOUR), plans.best.waste_mg) == (0, 1, D(0))
    assert (plans.plans[1].count(ONE), plans.plans[1].waste_mg) == (4, D(0))


def test_earliest_expiry_decides_between_equal_waste_and_count() -> None:
    # Both vials signed as giving 0.9 mg: only the expiry differs.
    stock = [vial("S1", expires_on=date(2027, 6, 30)), vial("L1", FOUR, expires_on=date(2027, 5, 31))]
    plans = plan_vials(D("0.5"), stock, extracting("0.9", "0.9"))
    assert [plan.draws[0].unit_number for plan in plans.plans] == ["L1", "S1"]
    swapped = [replace(stock[0], expires_on=date(2027, 4, 30)), stock[1]]
    assert [plan.draws[0].unit_number for plan in plan_vials(D("0.5"), swapped, extracting("0.9", "0.9")).plans] == [
        "S1",
        "L1",
    ]


def test_within_a_strength_the_earliest_expiry_then_lot_then_number_goes_first() -> None:
    stock = [
        vial("S9", lot="A2", expires_on=date(2027, 1, 31)),
        vial("S3", lot="A1", expires_on=date(2027, 1, 31)),
        vial("S2", lot="A1", expires_on=date(2027, 1, 31)),
        vial("S1", lot="A0", expires_on=date(2027, 2, 28)),
    ]
    best = plan_vials(D("2.5"), stock, SETTINGS).best
    assert best is not None
    assert [draw.unit_number for draw in best.draws] == ["S2", "S3", "S9"]
    assert best.earliest_expiry == date(2027, 1, 31)
    assert said(best.findings, "A20") == ["INFO"]
    assert "more than one lot (A1, A2)" in best.findings[-1].sentence


def test_one_lot_and_one_place_need_no_note() -> None:
    best = plan_vials(D("1.44"), shelf(3), SETTINGS).best
    assert best is not None
    assert best.findings == ()


def test_vials_in_two_places_are_noted() -> None:
    best = plan_vials(D("1.44"), [vial("S1", place="F1"), vial("S2", place="F2")], SETTINGS).best
    assert best is not None
    assert "more than one place: F1, F2" in best.findings[0].sentence


def test_no_alternative_opens_a_vial_it_does_not_need() -> None:
    # 0.8 mg from one small vial of 0.9 mg; a large one of 0.5 mg beside it would stay full.
    plans = plan_vials(D("0.8"), shelf(2, 2), extracting("0.9", "0.5"))
    assert [(plan.count(ONE), plan.count(FOUR)) for plan in plans.plans] == [(1, 0), (0, 2)]


def test_no_more_alternatives_than_asked_for() -> None:
    assert len(plan_vials(D(30), shelf(40, 9), SETTINGS, max_alternatives=2).plans) == 3
    assert len(plan_vials(D("1.08"), shelf(5, 2), SETTINGS, max_alternatives=0).plans) == 1


def test_too_little_stock_says_how_many_mg_are_missing() -> None:
    plans = plan_vials(D("2.0"), shelf(2), SETTINGS)
    assert plans.best is None
    (finding,) = plans.findings
    assert finding.severity is Severity.STOP
    assert "0.2 mg are missing" in finding.sentence
    assert plan_vials(D("1.8"), shelf(2), SETTINGS).best is not None
    assert plan_vials(D("0.1"), [], SETTINGS).findings[0].severity is Severity.STOP


@pytest.mark.parametrize("mg", ["0", "-1"])
def test_no_vials_for_no_dose(mg: str) -> None:
    plans = plan_vials(D(mg), shelf(2), SETTINGS)
    assert plans.plans == ()
    assert plans.findings[0].severity is Severity.STOP


def test_a_strength_that_is_not_signed_is_left_out_and_said() -> None:
    plans = plan_vials(D("1.08"), shelf(5, 5), replace(SETTINGS, vial_4mg=None))
    assert [plan.count(FOUR) for plan in plans.plans] == [0]
    (finding,) = plans.findings
    assert finding.severity is Severity.INFO
    assert "4 mg vials" in finding.sentence
    assert "left out" in finding.sentence


def test_with_no_strength_signed_nothing_is_planned() -> None:
    plans = plan_vials(D("1.08"), shelf(5, 5), replace(SETTINGS, vial_1mg=None, vial_4mg=None))
    assert plans.plans == ()
    assert [finding.severity for finding in plans.findings] == [Severity.STOP, Severity.STOP]


# --- draws -----------------------------------------------------------------------------------------------------


def test_every_vial_is_drawn_empty_but_the_last() -> None:
    best = plan_vials(D("1.44"), shelf(3), SETTINGS).best
    assert best is not None
    # By hand at 0.25 mg/mL: 0.9 mg = 3.6 mL, 0.54 mg = 2.16 mL; together 5.76 mL, 0.36 mg stay behind.
    assert [(draw.draw_mg, draw.draw_ml, draw.left_mg) for draw in best.draws] == [
        (D("0.9"), D("3.6"), D(0)),
        (D("0.54"), D("2.16"), D("0.36")),
    ]
    assert best.drawn_ml == D("5.76")
    assert best.draws[1].shown_ml == "2.16 mL"


def test_a_volume_keeps_its_digits_and_is_shown_to_a_hundredth() -> None:
    settings = replace(SETTINGS, vial_1mg=vial_setting("1", "0.9", "3", "0.3"))
    best = plan_vials(D("0.7"), shelf(1), settings).best
    assert best is not None
    assert best.draws[0].draw_ml == D("2.333333333333333333333333333")
    assert best.draws[0].shown_ml == "2.33 mL"


def test_large_vials_are_emptied_before_small_ones() -> None:
    best = plan_vials(D("4.0"), shelf(1, 1), SETTINGS).best
    assert best is not None
    assert [(draw.strength_mg, draw.draw_mg) for draw in best.draws] == [(FOUR, D("3.6")), (ONE, D("0.4"))]


def test_chosen_vials_are_planned_as_chosen() -> None:
    plan = plan_with(D("1.0"), [vial("S7"), vial("S3")], SETTINGS)
    assert [draw.unit_number for draw in plan.draws] == ["S7", "S3"]
    assert plan.may_go_on


def test_chosen_vials_too_few_or_too_many_stop() -> None:
    short = plan_with(D("1.0"), [vial("S1")], SETTINGS)
    assert "0.1 mg are missing" in short.findings[0].sentence
    assert not short.may_go_on
    assert short.waste_mg == 0
    spare = plan_with(D("0.9"), [vial("S1"), vial("S2")], SETTINGS)
    assert "Vial S2 is not needed" in spare.findings[0].sentence
    assert not spare.may_go_on


def test_a_chosen_vial_of_an_unsigned_strength_stops() -> None:
    plan = plan_with(D("0.9"), [vial("L1", FOUR)], replace(SETTINGS, vial_4mg=None))
    assert not plan.may_go_on
    assert "4 mg vials are made up is not signed" in plan.findings[0].sentence


# --- bag -------------------------------------------------------------------------------------------------------


def test_the_bag_is_filled_up_to_its_volume() -> None:
    best = plan_vials(D("1.44"), shelf(2), SETTINGS).best
    assert best is not None
    assert best.bag is not None
    # DRUGFACTS derived table: 1.44 mg in 50 mL is 0.0288 mg/mL.
    assert best.bag.final_mg_per_ml == D("0.0288")
    assert best.bag.diluent_to_add_ml == D("44.24")
    assert best.bag.inside_limits


# Limits 0.01 to 0.1 mg/mL in 50 mL: 0.5 to 5 mg, the ends inside.
@pytest.mark.parametrize(
    ("mg", "inside"),
    [("0.5", True), ("0.499", False), ("0.36", False), ("0.18", False), ("5", True), ("5.001", False)],
)
def test_a_final_concentration_outside_the_signed_range_warns(mg: str, inside: bool) -> None:
    best = plan_vials(D(mg), shelf(9, 3), SETTINGS).best
    assert best is not None
    assert best.bag is not None
    assert best.bag.inside_limits is inside
    assert said(best.findings, "A32") == ([] if inside else ["WARN"])
    assert best.may_go_on


def test_a_limit_no_decimal_can_hold_is_judged_by_multiplication() -> None:
    # 1 mg in 3 mL: the quotient 0.333… is rounded, the limit is 1 mg exactly.
    bag = BagPreparation("saline", D(30), D("0.1"), D("0.3"), "cool")
    best = plan_vials(D("3"), shelf(9), replace(SETTINGS, bag=Signed(bag, "test", 1))).best
    assert best is not None
    assert best.bag is not None
    assert best.bag.inside_limits


def test_more_drug_than_bag_stops() -> None:
    bag = BagPreparation("saline", D(5), D("0.01"), D(1), "cool")
    best = plan_vials(D("1.44"), shelf(2), replace(SETTINGS, bag=Signed(bag, "test", 1))).best
    assert best is not None
    assert best.bag is None
    assert said(best.findings, "A31") == ["STOP"]
    exact = replace(bag, bag_volume_ml=D("5.76"))
    full = plan_vials(D("1.44"), shelf(2), replace(SETTINGS, bag=Signed(exact, "test", 1))).best
    assert full is not None
    assert full.bag is not None
    assert full.bag.diluent_to_add_ml == 0


@pytest.mark.parametrize("name", ["bag", "stability"])
def test_without_bag_or_stability_the_vials_are_planned_but_it_stops(name: str) -> None:
    best = plan_vials(D("1.44"), shelf(2), replace(SETTINGS, **{name: None})).best
    assert best is not None
    assert len(best.draws) == 2
    assert said(best.findings, "A31") == ["STOP"]
    assert not best.may_go_on


# --- properties ------------------------------------------------------------------------------------------------

STOCK = st.lists(
    st.builds(
        UsableVial,
        st.just(""),
        st.sampled_from((ONE, FOUR)),
        st.sampled_from(("A", "B")),
        st.dates(date(2027, 1, 1), date(2027, 1, 5)),
        st.just("F1"),
    ),
    max_size=9,
).map(lambda vials: [replace(one, unit_number=f"U{number}") for number, one in enumerate(vials)])
DOSES = st.decimals("0.01", "6", places=2)


@given(stock=STOCK, dose=DOSES, seed=st.integers())
def test_the_order_of_the_stock_does_not_matter(stock: list[UsableVial], dose: Decimal, seed: int) -> None:
    shuffled = stock.copy()
    random.Random(seed).shuffle(shuffled)
    with localcontext(prec=3):
        narrow = plan_vials(dose, shuffled, SETTINGS)
    assert narrow == plan_vials(dose, stock, SETTINGS)
    assert from_plain(Plans, to_plain(narrow)) == narrow


@given(stock=STOCK, dose=DOSES)
def test_the_best_plan_wastes_no_more_than_any_choice_of_vials(stock: list[UsableVial], dose: Decimal) -> None:
    ones = sum(1 for one in stock if one.strength_mg == ONE)
    fours = len(stock) - ones
    totals = [
        Fraction(9, 10) * one + Fraction(18, 5) * four for one, four in product(range(ones + 1), range(fours + 1))
    ]
    enough = [total - Fraction(dose) for total in totals if total >= Fraction(dose)]
    plans = plan_vials(dose, stock, SETTINGS)
    if not enough:
        assert plans.best is None
        return
    assert plans.best is not None
    assert Fraction(plans.best.waste_mg) == min(enough)
    assert [plan.waste_mg for plan in plans.plans] == sorted(plan.waste_mg for plan in plans.plans)
    for plan in plans.plans:
        assert sum((draw.draw_mg for draw in plan.draws), D(0)) == dose
        assert all(draw.draw_mg > 0 for draw in plan.draws)
        assert all(draw.left_mg == 0 for draw in plan.draws[:-1])
        assert sum((draw.left_mg for draw in plan.draws), D(0)) == plan.waste_mg
        assert len({draw.unit_number for draw in plan.draws}) == len(plan.draws)


def test_two_thousand_vials_are_planned_at_once() -> None:
    stock: Sequence[UsableVial] = [
        vial(f"V{n:05}", ONE if n % 2 else FOUR, f"L{n % 17}", LATE + timedelta(days=n % 91)) for n in range(2000)
    ]
    best = min(_seconds_to_plan(stock) for _ in range(3))
    assert best < 0.05


def _seconds_to_plan(stock: Sequence[UsableVial]) -> float:
    started = time.perf_counter()
    plan_vials(D("2.4"), stock, SETTINGS)
    return time.perf_counter() - started


# --- beyond-use time -------------------------------------------------------------------------------------------

LABEL = StabilityLimits(D(4), D(8), D(4), D(1))
CHICAGO = ZoneInfo("America/Chicago")


def at(hour: int, minute: int = 0, day: int = 22, tz: ZoneInfo = CHICAGO) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=tz)


# REGULATION L-16, for an infusion of one hour.
@pytest.mark.parametrize(
    ("diluted", "start", "end", "deciding"),
    [
        (at(14), at(17), at(18), "end by, from reconstitution"),
        (at(10, 15), at(13, 15), at(14, 15), "end by, from dilution"),
        (None, at(17), at(18), "end by, from reconstitution"),
    ],
)
def test_the_label_vectors(diluted: datetime | None, start: datetime, end: datetime, deciding: str) -> None:
    use = beyond_use(at(10), diluted, LABEL, LATE, CHICAGO)
    assert (use.start_by, use.end_by, use.deciding) == (start, end, deciding)
    assert use.end_by.utcoffset() == timedelta(hours=-6)
    assert "22-Nov-2026 10:00 + 8 h" in use.steps[0].formula


# REGULATION L-15: the earlier of the stability limits and the compounding limit, both from reconstitution at 10:00.
@pytest.mark.parametrize(
    ("hours", "diluted", "start", "end", "deciding"),
    [
        ("12", at(14), at(17), at(18), "end by, from reconstitution"),
        ("8", at(14), at(17), at(18), "end by, from reconstitution"),
        ("4", at(10, 15), at(13), at(14), "end by, from the compounding limit"),
        ("4.25", at(10, 15), at(13, 15), at(14, 15), "end by, from dilution"),
        ("5.5", None, at(14, 30), at(15, 30), "end by, from the compounding limit"),
    ],
)
def test_the_earlier_of_stability_and_compounding_limit_decides(
    hours: str, diluted: datetime | None, start: datetime, end: datetime, deciding: str
) -> None:
    limit = CompoundingLimit(CompoundingCategory.IMMEDIATE_USE, D(hours))
    use = beyond_use(at(10), diluted, LABEL, LATE, CHICAGO, limit)
    assert (use.start_by, use.end_by, use.deciding) == (start, end, deciding)
    (step,) = [step for step in use.steps if step.name == "end by, from the compounding limit"]
    assert step.formula == f"reconstitution 22-Nov-2026 10:00 + {hours} h (immediate use)"


def test_without_a_signed_compounding_limit_nothing_is_said_of_it() -> None:
    assert not [step for step in beyond_use(at(10), None, LABEL, LATE, CHICAGO).steps if "compounding" in step.name]


def test_what_is_not_diluted_yet_lasts_as_long_as_it_may_be_diluted() -> None:
    """In vial or syringe: 4 h from reconstitution, less by any shorter limit, and never past the vial's expiry."""
    assert usable_undiluted(at(10), LABEL, LATE, CHICAGO) == at(14)
    assert usable_undiluted(at(10), StabilityLimits(D(9), D(8), D(4), D(1)), LATE, CHICAGO) == at(18)
    limit = CompoundingLimit(CompoundingCategory.IMMEDIATE_USE, D(3))
    assert usable_undiluted(at(10), LABEL, LATE, CHICAGO, limit) == at(13)
    assert usable_undiluted(at(10), LABEL, LATE, CHICAGO, replace(limit, hours=D(5))) == at(14)
    midnight = datetime(2026, 11, 23, 0, 0, tzinfo=CHICAGO)
    assert usable_undiluted(at(21), LABEL, date(2026, 11, 22), CHICAGO) == midnight
    # Four elapsed hours, through the night in which the clocks go back: 23:00 CDT and 4 h are 02:00 CST.
    autumn = usable_undiluted(datetime(2026, 10, 31, 23, 0, tzinfo=CHICAGO), LABEL, LATE, CHICAGO)
    assert (autumn.hour, autumn.utcoffset()) == (2, timedelta(hours=-6))


def test_dilution_at_the_limit_is_taken_and_a_minute_later_refused() -> None:
    assert beyond_use(at(10), at(14), LABEL, LATE, CHICAGO).end_by == at(18)
    with pytest.raises(Refused, match="too late"):
        beyond_use(at(10), at(14, 1), LABEL, LATE, CHICAGO)
    with pytest.raises(Refused, match="before the reconstitution"):
        beyond_use(at(10), at(9, 59), LABEL, LATE, CHICAGO)


def test_an_expiry_today_counts_through_midnight_at_the_site() -> None:
    use = beyond_use(at(20), at(20, 30), LABEL, date(2026, 11, 22), CHICAGO)
    assert use.end_by == datetime(2026, 11, 23, 0, 0, tzinfo=CHICAGO)
    assert use.start_by == at(23)
    assert use.deciding == "end by, from vial expiry"
    next_day = beyond_use(at(20), at(20, 30), LABEL, date(2026, 11, 23), CHICAGO)
    assert next_day.end_by == datetime(2026, 11, 23, 0, 30, tzinfo=CHICAGO)


def test_no_time_left_is_refused() -> None:
    with pytest.raises(Refused, match="No time is left"):
        beyond_use(at(10), at(10, 30), LABEL, date(2026, 11, 21), CHICAGO)
    with pytest.raises(Refused, match="No time is left"):
        beyond_use(at(22), at(23, 1), LABEL, date(2026, 11, 22), CHICAGO)
    assert beyond_use(at(22), at(23), LABEL, date(2026, 11, 22), CHICAGO).start_by == at(23)


def test_hours_are_elapsed_hours_when_the_clocks_change() -> None:
    # In Chicago on 1 November 2026 the hour from 1 to 2 happens twice: 23:00 and 8 hours is 06:00, not 07:00.
    autumn = beyond_use(datetime(2026, 10, 31, 23, 0, tzinfo=CHICAGO), None, LABEL, LATE, CHICAGO)
    assert (autumn.end_by.hour, autumn.end_by.utcoffset()) == (6, timedelta(hours=-6))
    assert autumn.end_by.astimezone(UTC) == datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def test_moments_of_another_offset_are_the_same_moments() -> None:
    plus_one = timezone(timedelta(hours=1))
    elsewhere = beyond_use(at(10).astimezone(plus_one), at(14).astimezone(UTC), LABEL, LATE, CHICAGO)
    assert elsewhere == beyond_use(at(10), at(14), LABEL, LATE, CHICAGO)


def test_a_moment_without_its_offset_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="offset"):
        beyond_use(datetime(2026, 11, 22, 10), None, LABEL, LATE, CHICAGO)  # noqa: DTZ001


def test_part_hours_are_exact() -> None:
    limits = StabilityLimits(D(4), D("7.75"), D("3.5"), D("0.5"))
    use = beyond_use(at(10), at(13), limits, LATE, CHICAGO)
    assert (use.start_by, use.end_by) == (at(16), at(16, 30))


def test_a_beyond_use_time_goes_to_json_and_back() -> None:
    use = beyond_use(at(10), at(14), LABEL, LATE, CHICAGO)
    assert from_plain(BeyondUse, to_plain(use)) == use


# --- the sentences in full -------------------------------------------------------------------------------------


def stop(rule: str, sentence: str, section: str, *compared: Named) -> Finding:
    return Finding(rule, Severity.STOP, sentence, section, compared)


def not_signed(strength: str, severity: Severity, consequence: str) -> Finding:
    return Finding(
        "A20",
        severity,
        f"How {strength} mg vials are made up is not signed (extractable mg, volume, concentration), so {consequence}. "
        "Sign it in the study settings with the Study Manual as its source.",
        "8.1.2",
    )


def test_no_dose_is_told_in_full() -> None:
    assert plan_vials(D(0), shelf(2), SETTINGS) == Plans(
        D(0), (), (stop("A20", "A dose of 0 mg cannot be planned. Correct the order.", "8.1.3"),)
    )


def test_a_strength_that_is_not_signed_is_told_in_full() -> None:
    neither = plan_vials(D(1), shelf(1, 1), replace(SETTINGS, vial_1mg=None, vial_4mg=None))
    nothing = "nothing can be planned from them"
    assert neither == Plans(
        D(1), (), (not_signed("4", Severity.STOP, nothing), not_signed("1", Severity.STOP, nothing))
    )
    one = plan_vials(D("0.5"), shelf(1, 1), replace(SETTINGS, vial_4mg=None))
    assert one.findings == (not_signed("4", Severity.INFO, "they are left out"),)


def test_too_little_is_told_in_full() -> None:
    short = stop(
        "A20",
        "The vials give 1.8 mg, but the dose is 2.00005 mg: 0.20005 mg are missing. Add vials, or order stock.",
        "8.1.2",
        Named("extractable", "1.8", "mg"),
        Named("dose", "2.00005", "mg"),
        Named("missing", "0.20005", "mg"),
    )
    with localcontext(prec=3):
        assert plan_vials(D("2.00005"), shelf(2), SETTINGS).findings == (short,)
        assert plan_with(D("2.00005"), shelf(2), SETTINGS).findings[0] == short


def test_the_precision_of_the_moment_does_not_choose_the_vials() -> None:
    # 1.80001 mg takes a third vial; 1.79999 does not.
    with localcontext(prec=3):
        assert [plan_vials(D(mg), shelf(9), SETTINGS).plans[0].count(ONE) for mg in ("1.79999", "1.80001")] == [2, 3]


def test_five_alternatives_unless_asked_otherwise() -> None:
    assert len(plan_vials(D(30), shelf(40, 9), SETTINGS).plans) == 6


def test_a_vial_as_large_as_what_is_left_over_is_one_too_many() -> None:
    # 0.9 mg: one small vial; one of each leaves 0.5 mg, which is the whole large one; two large ones leave 0.1 mg.
    plans = plan_vials(D("0.9"), shelf(2, 2), extracting("0.9", "0.5"))
    assert [(plan.count(ONE), plan.count(FOUR)) for plan in plans.plans] == [(1, 0), (0, 2)]


def test_vials_of_a_strength_that_is_not_signed_are_passed_over_and_the_others_planned() -> None:
    plan = plan_with(D("0.9"), [vial("L1", FOUR), vial("S1")], replace(SETTINGS, vial_4mg=None))
    assert plan.findings == (not_signed("4", Severity.STOP, "nothing can be planned from them"),)
    assert [draw.unit_number for draw in plan.draws] == ["S1"]


def test_a_plan_of_no_vials_draws_nothing() -> None:
    plan = plan_with(D("0.9"), [], SETTINGS)
    assert (plan.draws, plan.drawn_ml, plan.earliest_expiry) == ((), D(0), None)
    assert isinstance(plan.drawn_ml, Decimal)


def test_a_vial_that_is_not_needed_is_told_in_full() -> None:
    spare = plan_with(D("0.9"), [vial("S1"), vial("S2")], SETTINGS)
    assert spare.findings[0] == stop("A20", "Vial S2 is not needed for 0.9 mg. Take it out.", "8.1.2")


def test_the_look_alike_is_told_in_full() -> None:
    assert look_alike(PROTOCOL) == Finding(
        "A33",
        Severity.INFO,
        "Take the vial that reads “inotuzumab ozogamicin” and names this study. “gemtuzumab ozogamicin” is another "
        "drug.",
        "8.1.1",
        (Named("study drug", "inotuzumab ozogamicin"), Named("look-alike", "gemtuzumab ozogamicin")),
    )


def test_what_is_wrong_with_the_bag_is_told_in_full() -> None:
    assert plan_with(D("0.9"), shelf(1), replace(SETTINGS, bag=None)).findings == (
        stop(
            "A31",
            "Diluent, bag volume and concentration limits are not signed, so no bag was planned. Sign them in the "
            "study settings with the Study Manual as their source.",
            "8.1.2",
        ),
    )
    small = BagPreparation("saline", D(3), D("0.01"), D(1), "cool")
    assert plan_with(D("0.9"), shelf(1), replace(SETTINGS, bag=Signed(small, "test", 1))).findings == (
        stop(
            "A31",
            "The drug drawn, 3.6 mL, is more than the bag of 3 mL. Check the signed concentration and bag volume.",
            "8.1.2",
        ),
    )
    assert plan_with(D("0.9"), shelf(1), replace(SETTINGS, stability=None)).findings == (
        stop(
            "A31",
            "The stability limits are not signed, so there is no beyond-use time. Sign them in the study settings with "
            "the Study Manual as their source.",
            "8.1.2, 8.2",
        ),
    )


@pytest.mark.parametrize(
    ("mg", "final", "side"), [("0.1234567", "0.002469", "below"), ("5.0012345", "0.100025", "above")]
)
def test_a_bag_outside_the_signed_range_is_told_in_full(mg: str, final: str, side: str) -> None:
    assert plan_with(D(mg), shelf(6), SETTINGS).findings[-1] == Finding(
        "A32",
        Severity.WARN,
        f"The final concentration, {final} mg/mL, is {side} the signed range of 0.01 to 0.1 mg/mL. Ask what volume the "
        "instructions allow for this dose, and give the reason for going on.",
        "8.1.2",
        (
            Named("final concentration", final, "mg/mL"),
            Named("least", "0.01", "mg/mL"),
            Named("most", "0.1", "mg/mL"),
        ),
    )


def test_the_notes_for_the_hands_are_told_in_full() -> None:
    vials = [vial("L1", FOUR, "B1"), vial("S1", lot="A2"), vial("S2", lot="A1", place="F2")]
    assert plan_with(D("5.4"), vials, SETTINGS).findings[-2:] == (
        Finding(
            "A20",
            Severity.INFO,
            "The 1 mg vials are of more than one lot (A1, A2). Write each lot on the worksheet.",
            "8.2",
        ),
        Finding("A20", Severity.INFO, "The vials lie in more than one place: F1, F2.", "8.2"),
    )


# --- beyond-use time in full -----------------------------------------------------------------------------------


def refused_by(reconstituted: datetime, diluted: datetime | None, expiry: date = LATE) -> Fault:
    with pytest.raises(Refused) as refused:
        beyond_use(reconstituted, diluted, LABEL, expiry, CHICAGO)
    (fault,) = refused.value.faults
    return fault


def test_a_dilution_out_of_time_is_refused_at_its_field_in_the_sites_time() -> None:
    assert refused_by(at(10).astimezone(UTC), at(14, 1).astimezone(UTC)) == Fault(
        "diluted_at",
        "The dilution at 22-Nov-2026 14:01 came too late: it had to be by 22-Nov-2026 14:00, 4 h after reconstitution. "
        "Discard it and prepare the dose again.",
        "A31",
        "8.2",
    )
    assert refused_by(at(10), at(9, 59)) == Fault(
        "diluted_at",
        "The dilution at 22-Nov-2026 09:59 is before the reconstitution at 22-Nov-2026 10:00. Correct the times.",
        "A31",
        "8.2",
    )


def test_diluted_at_once_is_in_time() -> None:
    use = beyond_use(at(10), at(10), LABEL, LATE, CHICAGO)
    assert (use.deciding, use.end_by) == ("end by, from dilution", at(14))


@pytest.mark.parametrize(("diluted", "field", "made_up"), [(at(23, 1), "diluted_at", "23:01"), (None, "", "23:30")])
def test_no_time_left_is_told_in_full(diluted: datetime | None, field: str, made_up: str) -> None:
    reconstituted = at(22) if diluted is not None else at(23, 30)
    assert refused_by(reconstituted, diluted, date(2026, 11, 22)) == Fault(
        field or "reconstituted_at",
        f"No time is left: the infusion would have to start by 22-Nov-2026 23:00, before the drug was made up at "
        f"22-Nov-2026 {made_up} (end of 22-Nov-2026, the earliest expiry of a vial). Discard it and prepare the dose "
        "again.",
        "A31",
        "8.2",
    )


def test_every_limit_stands_in_the_sites_time_with_how_it_was_reckoned() -> None:
    use = beyond_use(at(10).astimezone(UTC), at(13).astimezone(UTC), LABEL, LATE, CHICAGO)
    assert [(step.name, step.formula) for step in use.steps] == [
        ("end by, from reconstitution", "reconstitution 22-Nov-2026 10:00 + 8 h"),
        ("end by, from dilution", "dilution 22-Nov-2026 13:00 + 4 h at room temperature"),
        ("end by, from vial expiry", "end of 30-Jun-2027, the earliest expiry of a vial"),
        ("start by", "22-Nov-2026 17:00 − 1 h of infusion"),
    ]
    for moment in (use.start_by, use.end_by, *(step.at for step in use.steps[:2])):
        assert moment.utcoffset() == timedelta(hours=-6)


def test_the_precision_of_the_moment_does_not_move_the_clock() -> None:
    limits = StabilityLimits(D(4), D("7.7525"), D("3.5125"), D("0.5125"))
    with localcontext(prec=2):
        use = beyond_use(at(10), at(13), limits, LATE, CHICAGO)
    # 3.5125 h are 3 h 30 min 45 s, 0.5125 h are 30 min 45 s.
    assert (use.end_by, use.start_by) == (at(16, 30) + timedelta(seconds=45), at(16))


def test_a_moment_without_its_offset_is_told_in_full() -> None:
    bare = datetime(2026, 11, 22, 11)  # noqa: DTZ001
    for reconstituted, diluted in ((bare, None), (at(10), bare)):
        with pytest.raises(ValueError, match=r"^moments need their UTC offset$"):
            beyond_use(reconstituted, diluted, LABEL, LATE, CHICAGO)


def test_small_vials_are_counted_by_what_each_gives() -> None:
    """3.8 mg: one large vial of 3.6 mg and two small ones of 0.1 mg, nothing to spare; or two large ones."""
    plans = plan_vials(D("3.8"), shelf(2, 2), extracting("0.1"))
    assert [(plan.count(ONE), plan.count(FOUR), plan.waste_mg) for plan in plans.plans] == [
        (2, 1, D(0)),
        (0, 2, D("3.4")),
    ]
