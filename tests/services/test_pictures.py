"""The axes and places of pictures: round ticks, nothing on the edge, gaps that stay gaps."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from pharmacy_app.services.pictures import (
    ClassAxis,
    Line,
    Moment,
    Picture,
    Point,
    TimeAxis,
    ValueAxis,
    blank,
    day_at,
    path,
    runs,
    value_axis,
)

D = Decimal


def labels(start: datetime, end: datetime, most: int, *, whole_days: bool = False) -> list[str]:
    return [tick.label for tick in TimeAxis(start, end, "", whole_days).ticks(most)]


# --- time


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (9, ["21:00", "21:30", "22:00", "22:30", "23:00", "23:30", "23-Nov-2026", "00:30", "01:00"]),
        (5, ["21:00", "22:00", "23:00", "23-Nov-2026", "01:00"]),
        (3, ["22:00", "23-Nov-2026"]),
        (1, ["23-Nov-2026"]),
    ],
)
def test_hours_stand_at_round_times_and_midnight_is_its_day(most: int, expected: list[str]) -> None:
    start, end = datetime(2026, 11, 22, 21, 0, tzinfo=UTC), datetime(2026, 11, 23, 1, 10, tzinfo=UTC)
    assert labels(start, end, most) == expected


def test_weeks_begin_with_a_monday() -> None:
    """2 March 2026 is a Monday."""
    assert labels(day_at(date(2026, 2, 26)), day_at(date(2026, 3, 20)), 4, whole_days=True) == [
        "02-Mar-2026",
        "09-Mar-2026",
        "16-Mar-2026",
    ]


def test_within_one_day_an_axis_of_days_has_one_tick() -> None:
    first = day_at(date(2026, 3, 2))
    assert labels(first, day_at(date(2026, 3, 3)), 9, whole_days=True) == ["02-Mar-2026", "03-Mar-2026"]


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (13, "Dec-2025 Jan-2026 Feb-2026 Mar-2026 Apr-2026 May-2026 Jun-2026 Jul-2026 Aug-2026"),
        (5, "Jan-2026 Mar-2026 May-2026 Jul-2026"),
        (4, "Jan-2026 Mar-2026 May-2026 Jul-2026"),
        (3, "Jan-2026 Apr-2026 Jul-2026"),
        (1, "Jan-2026"),
    ],
)
def test_months_over_the_turn_of_a_year(most: int, expected: str) -> None:
    start, end = day_at(date(2025, 11, 15)), day_at(date(2026, 8, 20))
    assert " ".join(labels(start, end, most, whole_days=True)) == expected


def test_a_part_of_the_width_has_ticks_of_its_own() -> None:
    axis = TimeAxis(day_at(date(2026, 1, 1)), day_at(date(2026, 4, 11)), "", whole_days=True)  # 100 days
    inside = axis.ticks(6, D("0.6"), D("0.7"))
    assert [tick.label[:6] for tick in inside] == ["02-Mar", "04-Mar", "06-Mar", "08-Mar", "10-Mar", "12-Mar"]
    assert all(D("0.6") <= tick.share <= D("0.7") for tick in inside)
    # 1 January less nothing, and day 60 of 100: 2 March.
    assert axis.share(day_at(date(2026, 3, 2))) == D("0.6")


def test_moments_with_another_offset_stand_where_they_happened() -> None:
    axis = TimeAxis(
        datetime.fromisoformat("2026-11-01T00:00-05:00"), datetime.fromisoformat("2026-11-01T10:00-05:00"), ""
    )
    assert axis.share(datetime.fromisoformat("2026-11-01T01:30-06:00")) == D("0.25")


# --- values


@pytest.mark.parametrize(
    ("values", "whole", "ticks"),
    [
        ([0, 10], True, "0 2 4 6 8 10"),
        ([0, 1], True, "0 1"),
        ([0], True, "0 1"),
        ([0, 37], True, "0 10 20 30 40"),
        ([D("0.3"), D("1.46")], False, "0 0.5 1 1.5"),
        ([0, 100_000], True, "0 20000 40000 60000 80000 100000"),
    ],
)
def test_values_from_zero_have_round_ticks(values: list[Decimal], whole: bool, ticks: str) -> None:
    axis = value_axis("vials", "", [D(value) for value in values], whole=whole, from_zero=True, most=5)
    assert " ".join(format(tick, "f") for tick in axis.ticks) == ticks
    assert axis.low == 0
    assert axis.high > max(values)


def test_below_zero_a_minus_sign_is_written() -> None:
    axis = value_axis("", "°C", [D("-3.5"), D(8)], whole=True)
    assert [axis.say(value) for value in axis.ticks] == ["−4 °C", "−2 °C", "0 °C", "2 °C", "4 °C", "6 °C", "8 °C"]
    assert (axis.low, axis.high) == (D(-4), D(9))
    assert axis.share(D("2.5")) == D("0.5")


# --- classes, lines, stops


def test_too_many_classes_are_labelled_in_turn() -> None:
    axis = ClassAxis(tuple(f"C{number}" for number in range(1, 8)), "")
    assert [tick.label for tick in axis.ticks(7)] == ["C1", "C2", "C3", "C4", "C5", "C6", "C7"]
    assert [tick.label for tick in axis.ticks(4)] == ["C1", "C3", "C5", "C7"]
    assert [tick.label for tick in axis.ticks(0)] == ["C1"]
    assert ClassAxis(("a", "b"), "").share(D(1)) == D("0.75")


def picture(*points: Point, stepped: bool = False) -> Picture:
    across = TimeAxis(day_at(date(2026, 3, 2)), day_at(date(2026, 3, 12)), "")
    up = ValueAxis("", "", D(0), D(10), ())
    return Picture("", "", across, up, lines=(Line("a", points, stepped=stepped),))


def point(day: int, value: int | None, words: str = "said") -> Point:
    return Point(day_at(date(2026, 3, day)), None if value is None else D(value), words)


def test_what_is_not_known_breaks_the_line_and_is_no_zero() -> None:
    drawn = picture(point(2, 5), point(3, None), point(4, None), point(5, 6), point(6, 0), point(7, None))
    assert [[each.value for each in run] for run in runs(drawn.lines[0])] == [[5], [6, 0]]
    assert [stop.above for stop in drawn.stops()] == [D("0.5"), D("0.6"), 0]


def test_a_step_holds_until_the_next_value() -> None:
    drawn = picture(point(2, 5), point(4, 5), point(6, 8), stepped=True)
    (run,) = runs(drawn.lines[0])
    assert path(drawn, drawn.lines[0], run) == [
        (0, D("0.5")),
        (D("0.2"), D("0.5")),
        (D("0.4"), D("0.5")),
        (D("0.4"), D("0.8")),
    ]


def test_points_without_words_are_no_stops() -> None:
    assert [stop.words for stop in picture(point(2, 1, ""), point(3, 1, "here")).stops()] == ["here"]


def test_a_blank_picture_has_its_sentence() -> None:
    nothing = blank("Stock", "No vial was ever received.")
    assert (nothing.empty, nothing.summary, nothing.stops()) == (True, "No vial was ever received.", ())


def test_labels_above_go_from_left_to_right() -> None:
    drawn = Picture(
        *("", "", ClassAxis(("a", "b"), ""), ValueAxis("", "", D(0), D(1), ())),
        moments=(Moment(D("0.5"), "overdue"), Moment(D(0), "first")),
    )
    assert [tick.label for tick in drawn.labels_above()] == ["first", "overdue"]
