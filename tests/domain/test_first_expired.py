"""First expired, first out: which vials a choice passes over, and the day on which an infusion ends."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from pharmacy_app.domain.planning import UsableVial, end_of_infusion, passed_over, passed_over_finding
from pharmacy_app.domain.settings import StabilityLimits

MARCH, MAY, JULY = date(2027, 3, 31), date(2027, 5, 31), date(2027, 7, 31)
LIMITS = StabilityLimits(Decimal(4), Decimal(8), Decimal(4), Decimal(1))
CHICAGO = ZoneInfo("America/Chicago")


def vial(number: str, expires_on: date, strength: int = 1, lot: str = "A1") -> UsableVial:
    return UsableVial(number, Decimal(strength), lot, expires_on, "Refrigerator 1")


EARLY, MIDDLE, LATE = vial("V1", MARCH), vial("V2", MAY, lot="B2"), vial("V3", JULY, lot="C3")
LARGE = vial("V4", MARCH, 4)


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        ((), ()),
        ((EARLY,), ()),
        ((EARLY, MIDDLE), ()),
        ((EARLY, MIDDLE, LATE), ()),
        ((MIDDLE,), (EARLY,)),
        ((LATE,), (EARLY, MIDDLE)),
        ((EARLY, LATE), (MIDDLE,)),
        # A vial of another strength is another matter.
        ((LARGE,), ()),
        ((LARGE, LATE), (EARLY, MIDDLE)),
    ],
)
def test_what_expires_before_the_latest_taken_of_its_strength_is_passed_over(
    taken: tuple[UsableVial, ...], left: tuple[UsableVial, ...]
) -> None:
    assert passed_over(taken, (LATE, LARGE, EARLY, MIDDLE)) == left


def test_one_that_expires_on_the_same_day_is_not_passed_over() -> None:
    assert passed_over((vial("V9", MARCH, lot="Z9"),), (EARLY,)) == ()


def test_the_finding_counts_them_by_lot() -> None:
    said = passed_over_finding((EARLY, vial("V5", MARCH), MIDDLE), "set apart for another dose")
    assert said.sentence == (
        "Usable vials that expire earlier are passed over: 2 × 1 mg of lot A1, last usable day 31-Mar-2027; 1 × 1 mg of"
        " lot B2, last usable day 31-May-2027. Reason: set apart for another dose."
    )
    assert not said.blocks


@pytest.mark.parametrize(
    ("hour", "minute", "ends_on"),
    [(22, 59, date(2027, 3, 31)), (23, 0, date(2027, 3, 31)), (23, 1, date(2027, 4, 1)), (0, 0, date(2027, 3, 31))],
)
def test_an_infusion_that_ends_at_midnight_ends_on_the_day_before(hour: int, minute: int, ends_on: date) -> None:
    now = datetime(2027, 3, 31, hour, minute, tzinfo=CHICAGO)
    assert end_of_infusion(now, MARCH, LIMITS, CHICAGO) == ends_on


def test_a_dose_of_a_later_day_ends_on_its_own_day() -> None:
    now = datetime(2027, 3, 30, 23, 30, tzinfo=CHICAGO)
    assert end_of_infusion(now, MARCH, LIMITS, CHICAGO) == MARCH


def test_the_hour_of_an_infusion_is_an_hour_in_the_night_the_clocks_change() -> None:
    """In Beirut clocks change at midnight: in autumn 23:30 comes twice, in spring 00:30 not at all."""
    beirut = ZoneInfo("Asia/Beirut")
    autumn = datetime(2027, 10, 30, 20, 30, tzinfo=UTC)  # 23:30 for the first time; an hour later it is 23:30 again
    assert end_of_infusion(autumn, date(2027, 10, 30), LIMITS, beirut) == date(2027, 10, 30)
    spring = datetime(2027, 3, 27, 21, 0, tzinfo=UTC)  # 23:00; an hour later it is 01:00
    assert end_of_infusion(spring, date(2027, 3, 27), LIMITS, beirut) == date(2027, 3, 27)
