"""Days and moments as they are written and typed, the same in every language of the desktop."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pharmacy_app.domain.dates import at_site, parse_day, say_day, say_moment

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 1, 1), "01-Jan-2026"),
        (date(2026, 11, 22), "22-Nov-2026"),
        (date(2026, 12, 31), "31-Dec-2026"),
        (date(812, 2, 9), "09-Feb-0812"),
    ],
)
def test_a_day_is_written_with_the_name_of_its_month(day: date, words: str) -> None:
    assert say_day(day) == words


def test_a_moment_has_its_minutes_in_two_digits() -> None:
    assert say_moment(datetime(2026, 11, 22, 4, 5, 59, tzinfo=UTC)) == "22-Nov-2026 04:05"


def test_the_two_moments_of_the_doubled_hour_stay_apart() -> None:
    """The clock goes back at 01:00 UTC on 25 October 2026: 02:30 comes twice, an hour apart."""
    first = at_site(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), BERLIN)
    second = at_site(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), BERLIN)
    assert first.isoformat() == "2026-10-25T02:30:00+02:00"
    assert second.isoformat() == "2026-10-25T02:30:00+01:00"
    assert second - first == timedelta(hours=1)
    assert (first.fold, second.fold) == (0, 0)


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("2026-11-22", (2026, 11, 22)),
        ("2026-1-2", (2026, 1, 2)),
        ("2026-11", (2026, 11, None)),
        (" 22-Nov-2026 ", (2026, 11, 22)),
        ("22 nov 2026", (2026, 11, 22)),
        ("22NOV2026", (2026, 11, 22)),
        ("1 January 2026", (2026, 1, 1)),
        ("Dec-2026", (2026, 12, None)),
        ("Dec 2026", (2026, 12, None)),
        ("2026-02-31", (2026, 2, 31)),
        ("2026-13", (2026, 13, None)),
    ],
)
def test_what_is_read_as_a_day(typed: str, parts: tuple[int, int, int | None]) -> None:
    assert parse_day(typed) == parts


@pytest.mark.parametrize(
    "typed",
    ["", "22.11.2026", "11/22/2026", "22-Now-2026", "26-11-22", "2026-11-22 x", "No-2026", "٢٠٢٦-11", "٢٢ Nov ٢٠٢٦"],
)
def test_what_is_no_day(typed: str) -> None:
    assert parse_day(typed) is None
