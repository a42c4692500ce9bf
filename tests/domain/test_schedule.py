"""Ages from a birth as far as it is known, places in words, the window of cycle 2 (§ 2.0, 3.3; RULES R22 to R24)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.schedule import (
    Birth,
    SecondCycleDays,
    Window,
    cycle_start_window,
    place_words,
    second_cycle_days,
    window_around,
)
from pharmacy_app.domain.treatment import Marrow, Treatment
from tests.domain.dose_cases import DAY1, PROTOCOL, D


@pytest.mark.parametrize(
    ("birth", "words"),
    [(Birth(1980), "1980"), (Birth(1980, 5), "1980-05"), (Birth(1980, 5, 7), "1980-05-07"), (Birth(980), "0980")],
)
def test_a_birth_is_written_as_far_as_it_is_known(birth: Birth, words: str) -> None:
    assert str(birth) == words


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ((1980, 13, None), "1980-13 is not a date. Enter the date of birth, or the year alone."),
        ((1981, 2, 29), "1981-02-29 is not a date. Enter the date of birth, or the year alone."),
        ((0, None, None), "0000 is not a date. Enter the date of birth, or the year alone."),
        ((1980, None, 5), "The day of birth is given without its month. Enter the month, or the year alone."),
    ],
)
def test_a_birth_that_is_no_date_is_refused_at_its_field(
    parts: tuple[int, int | None, int | None], sentence: str
) -> None:
    with pytest.raises(Refused) as refused:
        Birth(*parts)
    (fault,) = refused.value.faults
    assert (fault.field, fault.sentence) == ("birth", sentence)


@pytest.mark.parametrize(
    ("birth", "years", "first", "last"),
    [
        (Birth(1980), 46, date(2026, 1, 1), date(2026, 12, 31)),
        (Birth(1980, 5), 46, date(2026, 5, 1), date(2026, 5, 31)),
        (Birth(1980, 12), 46, date(2026, 12, 1), date(2026, 12, 31)),
        (Birth(1981, 2), 45, date(2026, 2, 1), date(2026, 2, 28)),
        # Perhaps born on 29 February: the birthday of a common year is then 1 March.
        (Birth(1980, 2), 45, date(2025, 2, 1), date(2025, 3, 1)),
        (Birth(1980, 2), 48, date(2028, 2, 1), date(2028, 2, 29)),
        (Birth(1980, 2, 29), 45, date(2025, 3, 1), date(2025, 3, 1)),
        (Birth(1980, 2, 29), 48, date(2028, 2, 29), date(2028, 2, 29)),
        (Birth(1980, 5, 17), 46, date(2026, 5, 17), date(2026, 5, 17)),
    ],
)
def test_between_which_days_a_birthday_lies(birth: Birth, years: int, first: date, last: date) -> None:
    assert birth.birthday(years) == (first, last)
    one = timedelta(days=1)
    assert birth.has_completed(years, first - one) is False
    assert birth.has_completed(years, first) is (True if first == last else None)
    assert birth.has_completed(years, last) is True


@pytest.mark.parametrize(
    ("birth", "on", "fewest", "most"),
    [
        (Birth(1980, 5, 17), date(2026, 5, 16), 45, 45),
        (Birth(1980, 5, 17), date(2026, 5, 17), 46, 46),
        (Birth(1980, 5), date(2026, 4, 30), 45, 45),
        (Birth(1980, 5), date(2026, 5, 10), 45, 46),
        (Birth(1980, 5), date(2026, 5, 31), 46, 46),
        (Birth(1980), date(2026, 3, 2), 45, 46),
        (Birth(1980), date(2026, 12, 31), 46, 46),
        (Birth(2025), date(2026, 3, 2), 0, 1),
        (Birth(2025, 5, 1), date(2026, 3, 2), 0, 0),
        (Birth(2025, 3, 2), date(2026, 3, 2), 1, 1),
        (Birth(2026, 3, 2), date(2026, 3, 2), 0, 0),
        (Birth(2027), date(2026, 3, 2), 0, 0),
        (Birth(2026, 5, 1), date(2026, 3, 2), 0, 0),
    ],
)
def test_how_many_years_are_completed_at_least_and_at_most(birth: Birth, on: date, fewest: int, most: int) -> None:
    assert birth.completed_years(on) == (fewest, most)


def test_the_first_course_goes_without_saying() -> None:
    assert place_words(1, 2, 8) == "cycle 2 day 8"
    assert place_words(2, 1, 15) == "course 2, cycle 1 day 15"


@pytest.mark.parametrize(
    ("blasts", "named", "earliest", "latest", "persistent"),
    [(None, 28, 21, 35, None), ("5", 28, 21, 35, False), ("5.1", 22, 15, 29, True)],
)
def test_the_window_of_cycle_two(
    blasts: str | None, named: int, earliest: int, latest: int, persistent: bool | None
) -> None:
    marrow = None if blasts is None else Marrow(date(2026, 3, 15), D(blasts))
    treatment = Treatment(marrows=() if marrow is None else (marrow,))
    days = second_cycle_days(PROTOCOL, treatment, DAY1, by=date(2026, 3, 30))
    assert days == SecondCycleDays(named, earliest, latest, persistent, marrow)


def test_a_marrow_counts_from_the_day_after_day_one_to_the_day_of_asking() -> None:
    for taken_on, by, known in (
        (DAY1, date(2026, 3, 30), False),
        (DAY1 + timedelta(days=1), date(2026, 3, 30), True),
        (date(2026, 3, 30), date(2026, 3, 30), True),
        (date(2026, 3, 31), date(2026, 3, 30), False),
    ):
        days = second_cycle_days(PROTOCOL, Treatment(marrows=(Marrow(taken_on, D(30)),)), DAY1, by=by)
        assert (days.marrow is not None) is known


def test_the_window_of_a_dose_and_of_a_cycle_start() -> None:
    """Three days either way; a cycle begins 21 to 28 days after 2 March, so on 20 March to 2 April."""
    windows = PROTOCOL.windows
    assert window_around(date(2026, 3, 9), windows) == Window(date(2026, 3, 9), date(2026, 3, 6), date(2026, 3, 12))
    assert cycle_start_window(DAY1, windows) == Window(date(2026, 3, 23), date(2026, 3, 20), date(2026, 4, 2))
