"""Storage temperatures: what is inside, what is outside, what is a gap, and the mean kinetic temperature."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pharmacy_app.domain.temperatures import (
    Limits,
    LoggerReading,
    Span,
    SpanKind,
    celsius_of_fahrenheit,
    examine,
    fahrenheit_of_celsius,
    mean_kinetic_celsius,
    pieces_of,
    say_celsius,
    say_span,
    trace,
)

LIMITS = Limits(Decimal(2), Decimal(8))
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def every(minutes: int, *celsius: str) -> list[LoggerReading]:
    """Readings at a fixed interval from midnight on."""
    return [LoggerReading(MIDNIGHT + timedelta(minutes=minutes * at), Decimal(c)) for at, c in enumerate(celsius)]


def minute(number: int) -> datetime:
    return MIDNIGHT + timedelta(minutes=number)


def spans(*celsius: str) -> tuple[Span, ...]:
    return examine(every(15, *celsius), LIMITS, QUARTER).spans


# --- inside and outside (§ 8.2: 2 °C to 8 °C, D-23) -------------------------------------------------------------


@pytest.mark.parametrize(
    ("celsius", "kind"),
    [
        ("8.0", None),
        ("8", None),
        ("8.1", SpanKind.ABOVE),
        ("8.0001", SpanKind.ABOVE),
        ("2.0", None),
        ("1.9", SpanKind.BELOW),
        ("1.9999", SpanKind.BELOW),
        ("0", SpanKind.BELOW),
        ("-3.5", SpanKind.BELOW),
        ("5", None),
    ],
)
def test_both_limits_are_inside_and_the_reading_is_not_rounded(celsius: str, kind: SpanKind | None) -> None:
    found = spans("5", celsius, "5")
    assert [span.kind for span in found] == ([] if kind is None else [kind])
    assert examine(every(15, "5", celsius), LIMITS, QUARTER).is_deviation is (kind is not None)


def test_a_warm_hour_is_one_span_from_the_first_reading_outside_to_the_first_one_inside() -> None:
    (span,) = spans("5", "7.9", "8.1", "9.4", "8.6", "8.0", "5")
    assert (span.start, span.end, span.ended) == (minute(30), minute(75), True)
    assert span.duration == timedelta(minutes=45)
    assert (span.min_celsius, span.max_celsius) == (Decimal("8.1"), Decimal("9.4"))
    assert not span.freeze_risk


def test_the_temperature_may_have_left_the_limits_right_after_the_last_reading_inside() -> None:
    (span,) = spans("5", "7.9", "8.1", "5")
    assert span.since == minute(15)
    (at_once,) = spans("9", "5")
    assert at_once.since == at_once.start == MIDNIGHT


def test_a_record_that_ends_outside_has_not_ended() -> None:
    (span,) = spans("5", "8.5", "9")
    assert (span.start, span.end, span.ended) == (minute(15), minute(30), False)
    (only,) = spans("5", "9")
    assert (only.duration, only.ended) == (timedelta(0), False)


def test_frost_is_kept_apart_from_warmth_even_when_one_follows_the_other() -> None:
    warm, cold = spans("5", "9", "1.5", "1.0", "5")
    assert (warm.kind, warm.start, warm.end) == (SpanKind.ABOVE, minute(15), minute(30))
    assert (cold.kind, cold.start, cold.end) == (SpanKind.BELOW, minute(30), minute(60))
    assert cold.freeze_risk
    assert cold.min_celsius == Decimal("1.0")


def test_two_warm_spans_with_a_cool_reading_between_are_two() -> None:
    assert [(span.start, span.end) for span in spans("9", "5", "9", "5")] == [
        (minute(0), minute(15)),
        (minute(30), minute(45)),
    ]


# --- gaps (D-23) ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "is_gap"), [(899, False), (900, False), (901, True)])
def test_a_gap_is_longer_than_the_interval_and_not_as_long(seconds: int, is_gap: bool) -> None:
    two = [
        LoggerReading(MIDNIGHT, Decimal(5)),
        LoggerReading(MIDNIGHT + timedelta(seconds=seconds), Decimal(5)),
    ]
    found = examine(two, LIMITS, QUARTER).spans
    assert [span.kind for span in found] == ([SpanKind.NO_DATA] if is_gap else [])
    if is_gap:
        assert (found[0].start, found[0].end, found[0].min_celsius) == (MIDNIGHT, two[1].at, None)


def test_a_reading_without_a_value_is_a_gap_however_short() -> None:
    readings = every(10, "5", "5", "5")
    (gap,) = examine(readings, LIMITS, QUARTER, (minute(15),)).spans
    assert (gap.kind, gap.start, gap.end) == (SpanKind.NO_DATA, minute(10), minute(20))


def test_a_logger_that_gives_no_value_at_the_end_has_failed_until_somebody_knows_better() -> None:
    (gap,) = examine(every(10, "5", "5"), LIMITS, QUARTER, (minute(20), minute(30))).spans
    assert (gap.start, gap.end, gap.ended) == (minute(10), minute(30), False)
    (before,) = examine(every(10, "5", "5"), LIMITS, QUARTER, (minute(-10),)).spans
    assert (before.start, before.end) == (minute(-10), minute(0))


def test_warmth_before_a_gap_ends_where_it_was_last_seen_and_the_gap_follows() -> None:
    readings = [*every(15, "5", "9"), LoggerReading(minute(120), Decimal(5))]
    gap, warm = sorted(examine(readings, LIMITS, QUARTER).spans, key=lambda span: span.kind, reverse=True)
    assert (warm.start, warm.end, warm.ended) == (minute(15), minute(15), False)
    assert (gap.start, gap.end) == (minute(15), minute(120))


def test_warmth_on_both_sides_of_a_gap_is_two_spans() -> None:
    readings = [*every(15, "5", "9"), LoggerReading(minute(120), Decimal(9)), LoggerReading(minute(135), Decimal(5))]
    kinds = [span.kind for span in examine(readings, LIMITS, QUARTER).spans]
    assert sorted(kinds) == [SpanKind.ABOVE, SpanKind.ABOVE, SpanKind.NO_DATA]


def test_one_reading_is_a_record() -> None:
    record = examine(every(15, "5"), LIMITS, QUARTER)
    assert (record.readings, record.start, record.end, record.spans) == (1, MIDNIGHT, MIDNIGHT, ())
    assert record.min_celsius == record.max_celsius == Decimal(5)


# --- mean kinetic temperature (D-24, D-25) ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ({"5": 24}, "5.00"),
        ({"5": 22, "12": 2}, "5.87"),
        ({"2": 1, "8": 1}, "5.54"),
        ({"5": 20, "25": 4}, "12.88"),
    ],
)
def test_the_published_vectors_of_the_mean_kinetic_temperature(hours: dict[str, int], expected: str) -> None:
    weighted = [(Decimal(weight), Decimal(celsius)) for celsius, weight in hours.items()]
    assert mean_kinetic_celsius(weighted).quantize(Decimal("0.01")) == Decimal(expected)
    single = [(Decimal(1), Decimal(celsius)) for celsius, count in hours.items() for _ in range(count)]
    assert mean_kinetic_celsius(single).quantize(Decimal("0.01")) == Decimal(expected)


def test_a_mean_of_nothing_is_no_number() -> None:
    with pytest.raises(ValueError, match="at least one"):
        mean_kinetic_celsius([])


def test_a_day_of_hourly_readings_has_the_mean_of_the_vector() -> None:
    (span,) = examine(every(60, *["5"] * 22, "12", "12"), LIMITS, timedelta(hours=1)).spans
    assert span.mkt_celsius is not None
    assert span.mkt_celsius.quantize(Decimal("0.01")) == Decimal("5.87")


def test_the_window_is_never_longer_than_a_day_and_the_highest_one_counts() -> None:
    # Two days at 5 °C with four hours at 25 °C between: the worst 24 hours hold all four, as in the vector.
    (span,) = examine(every(60, *["5"] * 30, *["25"] * 4, *["5"] * 30), LIMITS, timedelta(hours=1)).spans
    assert span.mkt_celsius is not None
    assert span.mkt_celsius.quantize(Decimal("0.01")) == Decimal("12.88")


def test_it_is_weighted_by_time_when_readings_come_closer() -> None:
    # 22 hourly readings at 5 °C, then two hours at 12 °C read every ten minutes: the same 5.87 °C.
    readings = every(60, *["5"] * 22)
    readings += [LoggerReading(minute(22 * 60 + 10 * at), Decimal(12)) for at in range(12)]
    (span,) = examine(readings, LIMITS, timedelta(hours=1)).spans
    assert span.mkt_celsius is not None
    assert span.mkt_celsius.quantize(Decimal("0.01")) == Decimal("5.87")


def test_it_is_never_applied_to_frost_nor_to_a_window_with_frost_nor_to_a_gap() -> None:
    assert [span.mkt_celsius for span in spans("5", "1", "5")] == [None]
    assert [span.mkt_celsius for span in spans("5", "1", "9", "5")] == [None, None]
    readings = [*every(15, "5"), LoggerReading(minute(60), Decimal(5))]
    assert [span.mkt_celsius for span in examine(readings, LIMITS, QUARTER).spans] == [None]


# --- units and words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fahrenheit", "celsius"), [("41", "5"), ("46.4", "8"), ("35.6", "2"), ("32", "0"), ("-40", "-40")]
)
def test_fahrenheit_and_celsius(fahrenheit: str, celsius: str) -> None:
    assert celsius_of_fahrenheit(Decimal(fahrenheit)) == Decimal(celsius)
    assert fahrenheit_of_celsius(Decimal(celsius)) == Decimal(fahrenheit)


def test_46_fahrenheit_is_inside_and_46_point_5_is_not() -> None:
    assert LIMITS.kind(celsius_of_fahrenheit(Decimal(46))) is None
    assert LIMITS.kind(celsius_of_fahrenheit(Decimal("46.5"))) is SpanKind.ABOVE


@pytest.mark.parametrize(
    ("celsius", "words"),
    [("8.1", "8.1 °C"), ("-3.50", "−3.5 °C"), ("0", "0 °C"), ("7.777777", "7.78 °C"), ("8.004", "8.004 °C")],
)
def test_a_temperature_is_never_written_so_that_it_seems_to_lie_on_the_limit(celsius: str, words: str) -> None:
    assert say_celsius(Decimal(celsius), LIMITS) == words


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=59), "less than 1 min"),
        (timedelta(minutes=45), "45 min"),
        (timedelta(hours=3, minutes=20), "3 h 20 min"),
        (timedelta(hours=47, minutes=59), "47 h 59 min"),
        (timedelta(hours=48), "2 d"),
        (timedelta(days=2, hours=3, minutes=5), "2 d 3 h 5 min"),
    ],
)
def test_a_length_of_time_in_words(span: timedelta, words: str) -> None:
    assert say_span(span) == words


def test_the_curve_of_a_long_record_keeps_its_ends_and_its_extremes() -> None:
    readings = every(1, *["5"] * 1000, "11.5", *["5"] * 500, "0.5", *["5"] * 1000)
    kept = trace(readings)
    assert len(kept) <= 364
    assert (kept[0], kept[-1]) == (readings[0], readings[-1])
    assert {Decimal("11.5"), Decimal("0.5")} <= {reading.celsius for reading in kept}
    assert list(kept) == sorted(kept, key=lambda reading: reading.at)
    assert trace(readings[:300]) == tuple(readings[:300])


# --- the curve in pieces ----------------------------------------------------------------------------------------


def pieces(readings: list[LoggerReading]) -> list[tuple[bool, str]]:
    """Each piece: whether it is drawn as outside, and its temperatures."""
    found = pieces_of(readings, examine(readings, LIMITS, QUARTER).spans, LIMITS)
    return [(piece.outside, " ".join(str(reading.celsius) for reading in piece.readings)) for piece in found]


def test_a_curve_inside_is_one_piece() -> None:
    assert pieces(every(15, "5", "2", "8", "5")) == [(False, "5 2 8 5")]
    assert pieces(every(15, "5")) == [(False, "5")]
    assert pieces(every(15, "9")) == [(True, "9")]


def test_the_line_to_a_reading_outside_and_back_crosses_the_limit_and_is_outside() -> None:
    assert pieces(every(15, "5", "8", "8.1", "9", "8", "5")) == [(False, "5 8"), (True, "8 8.1 9 8"), (False, "8 5")]
    assert pieces(every(15, "5", "9", "1", "5", "5")) == [(True, "5 9 1 5"), (False, "5 5")]


def test_a_gap_cuts_the_curve_wherever_it_lies() -> None:
    """16 minutes are a gap, 15 are none."""
    assert pieces(every(16, "5", "6")) == [(False, "5"), (False, "6")]
    assert pieces(every(16, "5", "9", "5")) == [(False, "5"), (True, "9"), (False, "5")]
    assert pieces(every(15, "5", "6")) == [(False, "5 6")]
