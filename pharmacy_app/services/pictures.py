"""Pictures of numbers as plain values: what is drawn, in which words, and where on the sheet.

A picture knows nothing of pixels and paper. It says where everything stands as shares of its width and height, so
that the window and the printed page draw the same thing. Nothing is told by colour alone: a stroke, a shape or a
pattern says the same, each point has its words, and a summary says the whole. What is not known is a gap, never 0.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from enum import StrEnum

from pharmacy_app.domain.dates import MONTHS, say_day
from pharmacy_app.domain.units import WORKING, show

At = datetime | Decimal
"""Where something stands across: a moment, or the number of a class, the first being 0."""


class Tone(StrEnum):
    """What a part of the picture is for; each has a colour in the window and a grey on paper."""

    MAIN = "main"
    SECOND = "second"
    STOP = "stop"
    QUIET = "quiet"


class Stroke(StrEnum):
    """How a line is drawn."""

    SOLID = "solid"
    THICK = "thick"
    DASHED = "dashed"


class Shape(StrEnum):
    """How a mark is drawn. Those that may stand on one place differ in size as well, so that each can be seen."""

    CIRCLE = "circle"
    RING = "ring"
    DIAMOND = "diamond"
    DASH = "dash"
    UP = "up"
    DOWN = "down"
    CROSS = "cross"


class Fill(StrEnum):
    """How a bar is filled."""

    SOLID = "solid"
    HATCHED = "hatched"
    PALE = "pale"


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, as a share of its length, with its label."""

    share: Decimal
    label: str


@dataclass(frozen=True, slots=True)
class Point:
    """One place of a series. ``value`` is ``None`` where it is not known: the line is broken there.

    ``words`` say it as a sentence; '' for a point that another series says already.
    """

    at: At
    value: Decimal | None
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """Points joined in order; ``stepped`` where a value holds until the next one."""

    name: str
    points: tuple[Point, ...]
    stroke: Stroke = Stroke.SOLID
    tone: Tone = Tone.MAIN
    stepped: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """Points that stand alone, all of one meaning."""

    name: str
    points: tuple[Point, ...]
    shape: Shape
    tone: Tone = Tone.MAIN


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar over a class, from one value to another."""

    at: Decimal
    low: Decimal
    high: Decimal
    words: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one meaning; ``width`` is their share of a class's width."""

    name: str
    bars: tuple[Bar, ...]
    fill: Fill
    width: Decimal = Decimal("0.6")
    tone: Tone = Tone.MAIN


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time, hatched from top to bottom, with a short label above it."""

    start: datetime
    end: datetime
    label: str
    words: str


@dataclass(frozen=True, slots=True)
class Zone:
    """The values between two limits, shaded across the whole picture."""

    low: Decimal
    high: Decimal
    name: str


@dataclass(frozen=True, slots=True)
class Level:
    """A dashed line across at one value, with its label beside the picture."""

    value: Decimal
    label: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A dotted line from top to bottom at one place, with its label above it."""

    at: At
    label: str


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Time across, from ``start`` to ``end``, on the clock of ``start``; ``whole_days``: no tick lies within a day."""

    start: datetime
    end: datetime
    caption: str
    whole_days: bool = False

    def share(self, at: At) -> Decimal:
        """How far across a moment lies."""
        assert isinstance(at, datetime)
        return Decimal((at - self.start) // _SECOND) / Decimal((self.end - self.start) // _SECOND)

    def ticks(self, most: int, first: Decimal = Decimal(0), last: Decimal = Decimal(1)) -> tuple[Tick, ...]:
        """At most ``most`` ticks, at least one allowed, at round times between two shares of the axis."""
        seconds = Decimal((self.end - self.start) // _SECOND)
        begin = self.start + int(seconds * first) * _SECOND
        end = self.start + int(seconds * last) * _SECOND
        found: list[tuple[datetime, str]] = []
        for times in _scales(begin, end, whole_days=self.whole_days):
            found = []
            for each in times:
                found.append(each)
                if len(found) > most:
                    break
            if len(found) <= most:
                break
        return tuple(Tick(self.share(at), label) for at, label in found[: max(most, 1)])


@dataclass(frozen=True, slots=True)
class ClassAxis:
    """Classes side by side, each with its label."""

    labels: tuple[str, ...]
    caption: str

    def share(self, at: At) -> Decimal:
        """How far across the middle of a class lies."""
        assert isinstance(at, Decimal)
        return (at + Decimal("0.5")) / len(self.labels)

    def ticks(self, most: int, first: Decimal = Decimal(0), last: Decimal = Decimal(1)) -> tuple[Tick, ...]:
        """The labels of the classes between two shares; every second one, third one … where there are too many."""
        inside = [Tick(self.share(Decimal(at)), label) for at, label in enumerate(self.labels)]
        inside = [tick for tick in inside if first <= tick.share <= last]
        return tuple(inside[:: -(-len(inside) // max(most, 1)) or 1])


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """Values upwards, with the ticks that are labelled."""

    caption: str
    unit: str
    low: Decimal
    high: Decimal
    ticks: tuple[Decimal, ...]

    def share(self, value: Decimal) -> Decimal:
        """How far up a value lies."""
        return (value - self.low) / (self.high - self.low)

    def say(self, value: Decimal) -> str:
        """A value as it is labelled: ``−2 °C``."""
        return f"{show(value)} {self.unit}".strip().replace("-", "−")


Axis = TimeAxis | ClassAxis


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a reader can stand: on a point, a bar or a band. Shares of width and height, and its words."""

    series: int
    across: Decimal
    above: Decimal
    words: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture. ``summary`` says all of it in sentences; where there is nothing to draw, it says so (``empty``)."""

    title: str
    summary: str
    across: Axis
    up: ValueAxis
    lines: tuple[Line, ...] = ()
    marks: tuple[Marks, ...] = ()
    bars: tuple[Bars, ...] = ()
    bands: tuple[Band, ...] = ()
    bands_name: str = ""
    zones: tuple[Zone, ...] = ()
    levels: tuple[Level, ...] = ()
    moments: tuple[Moment, ...] = ()
    empty: bool = False

    def stops(self) -> tuple[Stop, ...]:
        """Everything that has words, from left to right."""
        found: list[Stop] = []
        for series, points in enumerate((*(line.points for line in self.lines), *(each.points for each in self.marks))):
            found += [
                Stop(series, self.across.share(point.at), self.up.share(point.value), point.words)
                for point in points
                if point.value is not None and point.words
            ]
        after = len(self.lines) + len(self.marks)
        for number, bars in enumerate(self.bars):
            found += [
                Stop(after + number, self.across.share(bar.at), self.up.share(bar.high), bar.words)
                for bar in bars.bars
                if bar.words
            ]
        middle = Decimal("0.5")
        found += [
            Stop(
                after + len(self.bars),
                (self.across.share(band.start) + self.across.share(band.end)) * middle,
                middle,
                band.words,
            )
            for band in self.bands
            if band.words
        ]
        return tuple(sorted(found, key=lambda stop: (stop.across, stop.series)))

    def labels_above(self) -> tuple[Tick, ...]:
        """What is written above the picture: the numbers of the bands and the names of the moments, left to right."""
        middle = Decimal("0.5")
        found = [
            Tick((self.across.share(band.start) + self.across.share(band.end)) * middle, band.label)
            for band in self.bands
        ]
        found += [Tick(self.across.share(moment.at), moment.label) for moment in self.moments]
        return tuple(sorted(found, key=lambda tick: tick.share))


def runs(line: Line) -> Iterator[tuple[Point, ...]]:
    """The stretches of a line between its gaps."""
    run: list[Point] = []
    for point in line.points:
        if point.value is None:
            if run:
                yield tuple(run)
            run = []
        else:
            run.append(point)
    if run:
        yield tuple(run)


def path(picture: Picture, line: Line, run: Sequence[Point]) -> list[tuple[Decimal, Decimal]]:
    """The corners of one stretch of a line, as shares of width and height."""
    corners: list[tuple[Decimal, Decimal]] = []
    for point in run:
        assert point.value is not None  # a run has no gap
        across, above = picture.across.share(point.at), picture.up.share(point.value)
        if line.stepped and corners and corners[-1][1] != above:
            corners.append((across, corners[-1][1]))
        corners.append((across, above))
    return corners


def blank(title: str, summary: str) -> Picture:
    """A picture of nothing: its sentence stands in its place."""
    none = ValueAxis("", "", Decimal(0), Decimal(1), ())
    return Picture(title, summary, ClassAxis(("",), ""), none, empty=True)


# --- axes -----------------------------------------------------------------------------------------------------

_SECOND = timedelta(seconds=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_WITHIN_A_DAY = (_HOUR / 4, _HOUR / 2, _HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR)
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)


def day_at(day: date) -> datetime:
    """A day of the calendar on an axis of whole days: no clock is meant, so no change of clocks moves it."""
    return datetime.combine(day, time(), UTC)


def value_axis(
    caption: str, unit: str, values: Iterable[Decimal], *, whole: bool = False, from_zero: bool = False, most: int = 6
) -> ValueAxis:
    """An axis that holds these values, with room at their ends and about ``most`` ticks at round numbers.

    ``whole``: nothing is labelled between two whole numbers.
    """
    known = list(values) or [Decimal(0)]
    with localcontext(WORKING):
        least, highest = min(known), max(known)
        if from_zero:
            least, highest = min(least, Decimal(0)), max(highest, Decimal(0))
        if least == highest:
            highest += 1
        step = _step((highest - least) / most, whole=whole)
        low = (least / step).to_integral_value(ROUND_FLOOR) * step
        high = (highest / step).to_integral_value(ROUND_CEILING) * step
        quarter = step / 4
        # A mark on the edge would be cut through.
        if high - highest < quarter:
            high += 2 * quarter
        if least - low < quarter and not (from_zero and low == 0):
            low -= 2 * quarter
        first = (low / step).to_integral_value(ROUND_CEILING)
        last = (high / step).to_integral_value(ROUND_FLOOR)
        ticks = tuple(_plain((first + at) * step) for at in range(int(last - first) + 1))
    return ValueAxis(caption, unit, _plain(low), _plain(high), ticks)


def _plain(value: Decimal) -> Decimal:
    return Decimal(format(value.normalize(), "f"))


def _step(least: Decimal, *, whole: bool) -> Decimal:
    """The smallest of 1, 2 and 5 times a power of ten that is not less."""
    power = Decimal(1).scaleb(least.adjusted())
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= least)
    return max(step, Decimal(1)) if whole else step


def _scales(begin: datetime, end: datetime, *, whole_days: bool) -> Iterator[Iterator[tuple[datetime, str]]]:
    """Round times between two, from the closest together to the furthest apart."""
    if not whole_days:
        for step in _WITHIN_A_DAY:
            yield _hours(begin, end, step)
    for days in _DAYS:
        yield _days(begin, end, days)
    for months in _MONTHS:
        yield _months(begin, end, months)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _hours(begin: datetime, end: datetime, step: timedelta) -> Iterator[tuple[datetime, str]]:
    at = _midnight(begin)
    at += -(-(begin - at) // step) * step
    while at <= end:
        yield at, f"{at:%H:%M}" if at != _midnight(at) else say_day(at)
        at += step


def _days(begin: datetime, end: datetime, step: int) -> Iterator[tuple[datetime, str]]:
    at = _midnight(begin)
    if at < begin:
        at += _DAY
    # Counted from a Monday, so that weeks begin with one.
    at += -(at.toordinal() - 1) % step * _DAY
    while at <= end:
        yield at, say_day(at)
        at += step * _DAY


def _months(begin: datetime, end: datetime, step: int) -> Iterator[tuple[datetime, str]]:
    number = begin.year * 12 + begin.month - 1
    if _midnight(begin).replace(day=1) < begin:
        number += 1
    number += -number % step
    while True:
        year, month = divmod(number, 12)
        at = _midnight(begin).replace(year=year, month=month + 1, day=1)
        if at > end:
            return
        yield at, f"{MONTHS[month]}-{year}"
        number += step
