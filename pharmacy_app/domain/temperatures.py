"""Storage temperatures: from readings to the spans outside the limits, the gaps, and the mean kinetic temperature.

The limits are those of § 8.2 (2 °C to 8 °C), both included, and every comparison is made on the unrounded reading.
What is not known is never taken for good: a reading outside stands until a reading shows otherwise, and between the
last reading inside and the first one outside the temperature may have left the limits at any time.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum
from itertools import accumulate, pairwise

from pharmacy_app.domain.units import KEPT, WORKING, show

ACTIVATION_KJ_PER_MOL = Decimal("83.144")
"""ΔH of the mean kinetic temperature, kJ/mol (REGULATION D-24)."""

GAS_J_PER_MOL_K = Decimal("8.3144")
"""R of the mean kinetic temperature, J/mol/K (REGULATION D-24)."""

ZERO_KELVIN_CELSIUS = Decimal("273.15")

MKT_WINDOW = timedelta(hours=24)
"""The longest window a mean kinetic temperature is taken over for goods stored at 2–8 °C (REGULATION D-25)."""

MKT_NOTICE = (
    "The mean kinetic temperature is information for the supporter. It releases nothing: only the supporter's written"
    " permission does (§ 8.2)."
)


class SpanKind(StrEnum):
    """What is wrong with a span of time."""

    ABOVE = "above the limits"
    BELOW = "below the limits"
    NO_DATA = "no data"


@dataclass(frozen=True, slots=True)
class LoggerReading:
    """One reading: when, with its offset from UTC, and how warm it was, °C, unrounded."""

    at: datetime
    celsius: Decimal


@dataclass(frozen=True, slots=True)
class Limits:
    """The lowest and the highest temperature allowed, °C, both included."""

    low_celsius: Decimal
    high_celsius: Decimal

    def kind(self, celsius: Decimal) -> SpanKind | None:
        """On which side of the limits a reading lies; ``None`` when it is inside."""
        if celsius < self.low_celsius:
            return SpanKind.BELOW
        return SpanKind.ABOVE if celsius > self.high_celsius else None


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time in which the storage was outside the limits or nothing was measured.

    ``start`` is the first reading outside and ``end`` the first one that is not outside any more; where the record
    ends before that, ``end`` is its last reading and ``ended`` is false. ``since`` is the last moment at which the
    temperature was surely inside: goods that lay there at any time from then on count as exposed. A span without
    data reaches from the last reading before it to the first one after it. Temperatures are °C; ``mkt_celsius`` is the
    highest mean kinetic temperature of any window of 24 hours or less with a reading of the span, ``None`` where it
    is not applied: below the limits, or without readings.
    """

    kind: SpanKind
    since: datetime
    start: datetime
    end: datetime
    ended: bool
    min_celsius: Decimal | None = None
    max_celsius: Decimal | None = None
    mkt_celsius: Decimal | None = None

    @property
    def duration(self) -> timedelta:
        """How long it lasted, from ``start`` to ``end``."""
        return self.end - self.start

    @property
    def freeze_risk(self) -> bool:
        """Whether it was below the lower limit: kept apart, because freezing does other harm than warmth (D-23)."""
        return self.kind is SpanKind.BELOW


@dataclass(frozen=True, slots=True)
class TemperatureRecord:
    """What a logger measured: how many readings, from when to when, the extremes (°C), and the spans in order."""

    readings: int
    start: datetime
    end: datetime
    min_celsius: Decimal
    max_celsius: Decimal
    spans: tuple[Span, ...]

    @property
    def is_deviation(self) -> bool:
        """Whether anything of it is a deviation from the storage requirements."""
        return bool(self.spans)


def examine(
    readings: Sequence[LoggerReading],
    limits: Limits,
    longest_gap: timedelta,
    missing: Sequence[datetime] = (),
) -> TemperatureRecord:
    """Find every span outside the limits and every gap; ``readings`` are in order of time and at least one.

    A gap is a time between two readings longer than ``longest_gap`` (exactly as long is no gap), or one in which
    the logger wrote that it has no value (``missing``, its moments in order).
    """
    spans = [*_outside(readings, limits, longest_gap, missing), *_gaps(readings, longest_gap, missing)]
    spans.sort(key=lambda span: (span.start, span.end))
    kinetic = _Kinetic(readings, limits, longest_gap)
    return TemperatureRecord(
        len(readings),
        readings[0].at,
        readings[-1].at,
        min(reading.celsius for reading in readings),
        max(reading.celsius for reading in readings),
        tuple(replace(span, mkt_celsius=kinetic.highest(span)) for span in spans),
    )


def _outside(
    readings: Sequence[LoggerReading], limits: Limits, longest_gap: timedelta, missing: Sequence[datetime]
) -> list[Span]:
    spans: list[Span] = []
    run: list[LoggerReading] = []
    since = readings[0].at
    before: LoggerReading | None = None
    for reading in readings:
        kind = limits.kind(reading.celsius)
        running = limits.kind(run[0].celsius) if run else None
        broken = before is not None and _is_gap(before.at, reading.at, longest_gap, missing)
        if run and (kind is not running or broken):
            # Over a gap nothing is known: it is a span of its own, which begins where this one was last seen.
            assert running is not None and before is not None
            spans.append(_span(running, since, run, before.at if broken else reading.at, ended=not broken))
            run = []
        if kind is not None:
            if not run:
                since = reading.at if before is None else before.at
            run.append(reading)
        before = reading
    if run:
        running = limits.kind(run[0].celsius)
        assert running is not None
        spans.append(_span(running, since, run, run[-1].at, ended=False))
    return spans


def _span(kind: SpanKind, since: datetime, run: Sequence[LoggerReading], end: datetime, *, ended: bool) -> Span:
    values = [reading.celsius for reading in run]
    return Span(kind, since, run[0].at, end, ended, min(values), max(values))


def _gaps(readings: Sequence[LoggerReading], longest_gap: timedelta, missing: Sequence[datetime]) -> list[Span]:
    gaps = [
        Span(SpanKind.NO_DATA, earlier.at, earlier.at, later.at, ended=True)
        for earlier, later in pairwise(readings)
        if _is_gap(earlier.at, later.at, longest_gap, missing)
    ]
    first, last = readings[0].at, readings[-1].at
    if missing and missing[0] < first:
        gaps.append(Span(SpanKind.NO_DATA, missing[0], missing[0], first, ended=True))
    if missing and missing[-1] > last:
        gaps.append(Span(SpanKind.NO_DATA, last, last, missing[-1], ended=False))
    return gaps


def _is_gap(earlier: datetime, later: datetime, longest_gap: timedelta, missing: Sequence[datetime]) -> bool:
    if later - earlier > longest_gap:
        return True
    at = bisect_right(missing, earlier)
    return at < len(missing) and missing[at] < later


# --- mean kinetic temperature -----------------------------------------------------------------------------------


def mean_kinetic_celsius(
    weighted: Sequence[tuple[Decimal, Decimal]], activation_kj_per_mol: Decimal = ACTIVATION_KJ_PER_MOL
) -> Decimal:
    """The mean kinetic temperature, °C, of temperatures (°C) with their weights (time, in any one unit).

    (ΔH/R) / −ln(Σ wᵢ·e^(−ΔH/RTᵢ) / Σ wᵢ), T in kelvin (REGULATION D-24). Raises ``ValueError`` without a weight
    above zero.
    """
    total = sum((weight for weight, _ in weighted), Decimal(0))
    if total <= 0:
        raise ValueError("a mean needs at least one temperature with a weight")
    with localcontext(WORKING):
        summed = sum((weight * _rate(celsius, activation_kj_per_mol) for weight, celsius in weighted), Decimal(0))
        return _mean(summed, total, activation_kj_per_mol)


def _ratio(activation_kj_per_mol: Decimal) -> Decimal:
    """ΔH/R, kelvin."""
    return activation_kj_per_mol * 1000 / GAS_J_PER_MOL_K


def _rate(celsius: Decimal, activation_kj_per_mol: Decimal) -> Decimal:
    return (-_ratio(activation_kj_per_mol) / (celsius + ZERO_KELVIN_CELSIUS)).exp()


def _mean(summed: Decimal, total: Decimal, activation_kj_per_mol: Decimal) -> Decimal:
    kelvin = _ratio(activation_kj_per_mol) / -(summed / total).ln()
    return KEPT.plus(kelvin - ZERO_KELVIN_CELSIUS)


class _Kinetic:
    """The mean kinetic temperatures of all windows of a record, from sums kept once.

    Each reading stands until the next one, never longer than the longest gap; the last one as long as the one before.
    """

    def __init__(self, readings: Sequence[LoggerReading], limits: Limits, longest_gap: timedelta) -> None:
        self._at = [reading.at for reading in readings]
        self._below = list(
            accumulate((limits.kind(each.celsius) is SpanKind.BELOW for each in readings), initial=0, func=_add)
        )
        spans = [min(later - earlier, longest_gap) for earlier, later in pairwise(self._at)]
        spans.append(spans[-1] if spans else timedelta(seconds=1))
        weights = [Decimal(span // timedelta(seconds=1)) for span in spans]
        rates: dict[Decimal, Decimal] = {}
        with localcontext(KEPT):
            for reading in readings:
                if reading.celsius not in rates:
                    rates[reading.celsius] = _rate(reading.celsius, ACTIVATION_KJ_PER_MOL)
        with localcontext(WORKING):
            self._weight = list(accumulate(weights, initial=Decimal(0)))
            parts = (weight * rates[reading.celsius] for weight, reading in zip(weights, readings, strict=True))
            self._summed = list(accumulate(parts, initial=Decimal(0)))

    def highest(self, span: Span) -> Decimal | None:
        """The highest of all windows that end with a reading and hold one of the span; ``None`` where there is none."""
        if span.kind is not SpanKind.ABOVE:
            return None
        best: tuple[Decimal, Decimal, Decimal] | None = None
        first_reading = bisect_right(self._at, span.start) - 1
        with localcontext(KEPT):
            for last in range(first_reading, len(self._at)):
                end = self._at[last]
                if end - MKT_WINDOW >= span.end:
                    break
                first = bisect_right(self._at, end - MKT_WINDOW)
                weight = self._weight[last + 1] - self._weight[first]
                if weight <= 0 or self._below[last + 1] > self._below[first]:
                    # Never applied where there was frost: freezing does not follow this law (REGULATION D-25).
                    continue
                summed = self._summed[last + 1] - self._summed[first]
                mean = summed / weight
                if best is None or mean > best[0]:
                    best = (mean, summed, weight)
        if best is None:
            return None
        with localcontext(WORKING):
            return _mean(best[1], best[2], ACTIVATION_KJ_PER_MOL)


def _add(total: int, more: int) -> int:
    return total + more


# --- units, plots and words -------------------------------------------------------------------------------------


def celsius_of_fahrenheit(fahrenheit: Decimal) -> Decimal:
    """A temperature in °C from °F: (F − 32) × 5/9."""
    with localcontext(KEPT):
        return (fahrenheit - 32) * 5 / 9


def fahrenheit_of_celsius(celsius: Decimal) -> Decimal:
    """A temperature in °F from °C: C × 9/5 + 32."""
    with localcontext(WORKING):
        return celsius * 9 / 5 + 32


def say_celsius(celsius: Decimal, limits: Limits | None = None) -> str:
    """A temperature to 0.01 °C, with its unit; more digits where rounding would lay it on a limit."""
    shown = show(celsius)
    for places in (2, 4, 8):
        shorter = show(celsius, places)
        if limits is None or limits.kind(Decimal(shorter.replace(",", ""))) is limits.kind(celsius):
            shown = shorter
            break
    return f"{shown.replace('-', '−')} °C"


def say_span(span: timedelta) -> str:
    """A length of time in whole minutes: ``45 min``, ``3 h 20 min``, from two days on ``2 d 3 h 5 min``."""
    minutes = int(span.total_seconds() // 60)
    if not minutes:
        return "less than 1 min"
    days, hours = (minutes // 1440, minutes % 1440 // 60) if minutes >= 2880 else (0, minutes // 60)
    parts = ((days, "d"), (hours, "h"), (minutes % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def trace(readings: Sequence[LoggerReading], most: int = 360) -> tuple[LoggerReading, ...]:
    """At most ``most`` readings that draw the same picture: of each stretch its first, lowest, highest and last one."""
    if len(readings) <= most:
        return tuple(readings)
    size = -(-len(readings) // (most // 4))
    kept: list[LoggerReading] = []
    for start in range(0, len(readings), size):
        part = range(start, min(start + size, len(readings)))
        lowest = min(part, key=lambda at: readings[at].celsius)
        highest = max(part, key=lambda at: readings[at].celsius)
        kept += [readings[at] for at in sorted({part[0], lowest, highest, part[-1]})]
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the curve without a gap, drawn in one way: outside the limits or inside."""

    outside: bool
    readings: tuple[LoggerReading, ...]


def pieces_of(readings: Sequence[LoggerReading], spans: Sequence[Span], limits: Limits) -> tuple[Piece, ...]:
    """The curve of at least one reading: cut at gaps, and where it leaves the limits or comes back."""
    gaps = [(span.start, span.end) for span in spans if span.kind is SpanKind.NO_DATA]
    return tuple(_pieces(readings, gaps, limits))


def _pieces(
    readings: Sequence[LoggerReading], gaps: Sequence[tuple[datetime, datetime]], limits: Limits
) -> Iterator[Piece]:
    run: list[LoggerReading] = []
    outside = False
    for reading in readings:
        if run and any(run[-1].at <= start and end <= reading.at for start, end in gaps):
            yield Piece(outside, tuple(run))
            run = []
        # A line that touches a reading outside is outside: it crosses the limit somewhere.
        is_outside = limits.kind(reading.celsius) is not None
        crosses = is_outside or (bool(run) and limits.kind(run[-1].celsius) is not None)
        if len(run) > 1 and crosses != outside:
            yield Piece(outside, tuple(run))
            run = run[-1:]
        outside = crosses
        run.append(reading)
    if run:
        yield Piece(outside, tuple(run))
