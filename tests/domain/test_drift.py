"""The line of weight against the weight last used for a dose (§ 8.1.3; RULES A3, R14 to R16)."""

from datetime import date, timedelta
from decimal import Decimal, localcontext

import pytest

from pharmacy_app.domain.drift import drift_watch
from pharmacy_app.domain.request import UsedWeight, Weight
from tests.domain.dose_cases import DAY1, PROTOCOL

D = Decimal


def weighed(kg: str, day: int) -> Weight:
    """A weight so many days after cycle 1 day 1."""
    return Weight(D(kg), DAY1 + timedelta(days=day))


def used(kg: str, day: int) -> UsedWeight:
    return UsedWeight(D(kg), DAY1 + timedelta(days=day))


def test_the_base_is_the_weight_last_used_not_the_one_last_measured() -> None:
    # RULES A3: 70 used, 75 measured and not used, 78: 8 ÷ 70 = 11.428… %; against 75 it would be 4 %.
    drift = drift_watch([weighed("70", -1), weighed("75", 7), weighed("78", 28)], [used("70", 0)], PROTOCOL)
    assert drift.newest_change_percent is not None
    assert drift.newest_change_percent.quantize(D("0.001")) == D("11.429")
    assert drift.mandatory is True
    assert (drift.last_used_kg, drift.last_used_on) == (D(70), DAY1)
    assert [point.over for point in drift.points] == [False, False, True]
    assert [point.base_kg for point in drift.points] == [None, D(70), D(70)]
    assert "must be calculated from the new weight" in drift.words
    assert "last used for the dose of 02-Mar-2026" in drift.words
    assert drift.section == "8.1.3"


def test_a_weight_that_was_used_becomes_the_base() -> None:
    drift = drift_watch(
        [weighed("70", -1), weighed("75", 7), weighed("78", 28)], [used("70", 0), used("75", 8)], PROTOCOL
    )
    assert drift.newest_change_percent == D(4)
    assert drift.mandatory is False
    # 75 ± 7.5
    assert (drift.mandatory_below_kg, drift.mandatory_above_kg) == (D("67.5"), D("82.5"))


def test_small_steps_down_add_up_over_three_cycles() -> None:
    # 3.5 % less each cycle, the dose left at 70 kg: 67.55, 65.18575, 62.90424875; 0.965³ = 0.898632125, −10.1367875 %.
    line = [weighed("70", -1), weighed("67.55", 20), weighed("65.18575", 41), weighed("62.90424875", 62)]
    doses = [used("70", 0), used("70", 21), used("70", 42)]
    for count, over in ((2, False), (3, False), (4, True)):
        assert drift_watch(line[:count], doses, PROTOCOL).mandatory is over
    drift = drift_watch(line, doses, PROTOCOL)
    assert drift.newest_change_percent == D("-10.1367875")
    assert [point.over for point in drift.points] == [False, False, False, True]
    assert "−10.14 %" in drift.words


@pytest.mark.parametrize(
    ("kg", "mandatory", "word"),
    [
        ("62.999", True, "must be calculated"),
        ("63", False, "exactly and not more"),
        ("63.001", False, "below 63 kg or above 77 kg"),
        ("70", False, "below 63 kg or above 77 kg"),
        ("76.999", False, "below 63 kg or above 77 kg"),
        ("77", False, "exactly and not more"),
        ("77.001", True, "must be calculated"),
    ],
)
def test_ten_percent_exactly_is_not_over(kg: str, mandatory: bool, word: str) -> None:
    drift = drift_watch([weighed(kg, 6)], [used("70", 0)], PROTOCOL)
    assert drift.mandatory is mandatory
    assert word in drift.words
    assert (drift.mandatory_below_kg, drift.mandatory_above_kg) == (D(63), D(77))
    assert drift.points[-1].over is mandatory


def test_before_the_first_dose_there_is_nothing_to_compare_with() -> None:
    drift = drift_watch([weighed("70", -5), weighed("90", -1)], [], PROTOCOL)
    assert drift.mandatory is None
    assert drift.newest_change_percent is None
    assert (drift.last_used_kg, drift.mandatory_below_kg, drift.mandatory_above_kg) == (None, None, None)
    assert [point.change_percent for point in drift.points] == [None, None]
    assert "No dose was given yet" in drift.words


def test_without_a_weight_nothing_is_met() -> None:
    drift = drift_watch([], [used("70", 0)], PROTOCOL)
    assert drift.mandatory is None
    assert drift.points == ()
    assert (drift.mandatory_below_kg, drift.mandatory_above_kg) == (D(63), D(77))
    assert "No weight is recorded" in drift.words


def test_a_weight_of_the_day_of_a_dose_is_compared_with_the_dose_before() -> None:
    # Weighed 80 kg on day 22 and dosed with it that day: on the line it is +14.28 % of 70; as things stand it is 0.
    drift = drift_watch([weighed("80", 21)], [used("70", 0), used("80", 21)], PROTOCOL)
    assert drift.points[0].base_kg == D(70)
    assert drift.points[0].over
    assert drift.newest_change_percent == 0
    assert drift.mandatory is False


def test_the_order_of_the_entries_does_not_matter_but_the_later_of_one_day_is_the_newer() -> None:
    line = [weighed("70", -1), weighed("71", 6), weighed("79", 13)]
    doses = [used("70", 0), used("71", 7)]
    assert drift_watch(line[::-1], doses[::-1], PROTOCOL) == drift_watch(line, doses, PROTOCOL)
    again = [weighed("17", 13), weighed("71", 13)]
    assert drift_watch(again, doses, PROTOCOL).newest_change_percent == 0


def test_the_limit_is_the_protocols() -> None:
    stricter = PROTOCOL.model_copy(update={"weight": PROTOCOL.weight.model_copy(update={"change_over_percent": D(8)})})
    drift = drift_watch([weighed("75.61", 6)], [used("70", 0)], stricter)
    # 70 × 8 % = 5.6 kg
    assert (drift.mandatory_below_kg, drift.mandatory_above_kg) == (D("64.4"), D("75.6"))
    assert drift.mandatory is True
    assert "more than 8 %" in drift.words
    assert drift.limit_percent == 8


def test_the_days_of_the_line_are_calendar_days() -> None:
    # 28 February and 1 March 2028: a leap year between them.
    line = [Weight(D(70), date(2028, 2, 28)), Weight(D(71), date(2028, 3, 1))]
    drift = drift_watch(line, [UsedWeight(D(70), date(2028, 2, 29))], PROTOCOL)
    assert [point.base_kg for point in drift.points] == [None, D(70)]


def test_the_line_keeps_the_day_and_the_weight_of_every_point() -> None:
    drift = drift_watch([weighed("70", -1), weighed("77", 7)], [used("70", 0)], PROTOCOL)
    assert [(point.measured_on, point.kg) for point in drift.points] == [
        (DAY1 - timedelta(days=1), D(70)),
        (DAY1 + timedelta(days=7), D(77)),
    ]
    assert [point.change_percent for point in drift.points] == [None, D(10)]


def test_the_limits_have_all_their_digits_whatever_the_precision_of_the_moment() -> None:
    with localcontext(prec=3):
        drift = drift_watch([weighed("70.15", 6)], [used("70.123", 0)], PROTOCOL)
    # 70.123 ± 7.0123
    assert (drift.mandatory_below_kg, drift.mandatory_above_kg) == (D("63.1107"), D("77.1353"))
    assert drift.words.endswith("Recalculation becomes mandatory below 63.1107 kg or above 77.1353 kg.")


def test_without_a_weight_the_next_step_is_to_weigh() -> None:
    assert drift_watch([], [], PROTOCOL).words == (
        "No weight is recorded. Weigh the subject before the next dose is decided."
    )
