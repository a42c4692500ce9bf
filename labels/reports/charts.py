"""Any picture as vectors on a report: for paper that knows no colour, so strokes, shapes, greys and hatching say it.

What is written above and beside a picture never lies on another word: a label that has no room is left to the words
of the report.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from labels import text
from labels.reports.frame import GREY, LEADING, SMALL_PT, Frame
from pharmacy_app.services.pictures import (
    Bars,
    ClassAxis,
    Fill,
    Line,
    Marks,
    Picture,
    Shape,
    Stroke,
    Tick,
    Tone,
    Zone,
    path,
    runs,
)

HIGH_PT = 130.0
"""The height of a drawing, without its key and labels."""

_GREYS = {Tone.MAIN: 0.0, Tone.SECOND: 0.4, Tone.STOP: 0.0, Tone.QUIET: 0.5}
_SIZES = {
    Shape.CIRCLE: 4.0,
    Shape.RING: 7.0,
    Shape.DIAMOND: 10.5,
    Shape.DASH: 14.0,
    Shape.UP: 6.0,
    Shape.DOWN: 6.0,
    Shape.CROSS: 6.0,
}
_SAMPLE = 18.0
_LINE = SMALL_PT * LEADING
_ROW = 12.0
_EDGE = 0.015
"""Room left and right of the drawing, as a share of its width: marks at the ends are inside."""

_BENEATH = 24.0
_DATE_PT = 64.0
"""The room of a date beneath the drawing: the first and the last one may be moved inwards without meeting the next."""


def put_picture(
    frame: Frame, picture: Picture, *, high: float = HIGH_PT, left: float | None = None, across: float | None = None
) -> None:
    """Draw a picture at the frame's height, on this page or whole on the next; ``frame.y`` is then beneath it.

    It takes the width between the margins unless ``left`` and ``across`` (pt) say otherwise.
    """
    begin = frame.margin if left is None else left
    room = frame.room if across is None else across
    if picture.empty:
        for piece in text.wrap(picture.summary, text.PLAIN, SMALL_PT, room):
            frame.need(_LINE)
            frame.y += _LINE
            frame.write(piece, begin, frame.y, size=SMALL_PT)
        return
    frame.need(height_of(picture, room, high))
    frame.y = _Drawing(frame, picture, begin, room, high).draw()
    for piece in _summary(picture, room):
        frame.y += _LINE
        frame.write(piece, begin, frame.y, size=SMALL_PT)


def height_of(picture: Picture, room: float, high: float = HIGH_PT) -> float:
    """How much of a page a picture takes, pt."""
    if picture.empty:
        return _LINE * len(text.wrap(picture.summary, text.PLAIN, SMALL_PT, room))
    rows, summary = len(list(_rows(picture, room))), len(_summary(picture, room))
    return rows * _ROW + summary * _LINE + _above(picture) + high + _BENEATH


def _above(picture: Picture) -> float:
    """The room for what is written above a drawing."""
    return 15.0 if picture.up.caption or picture.labels_above() else 9.0


def _summary(picture: Picture, room: float) -> list[str]:
    return text.wrap(picture.summary, text.PLAIN, SMALL_PT, room)


Sample = Line | Marks | Bars | Zone | None


def _key(picture: Picture) -> list[tuple[Sample, str]]:
    found: list[tuple[Sample, str]] = [(line, line.name) for line in picture.lines if line.name]
    found += [(marks, marks.name) for marks in picture.marks if marks.name]
    found += [(bars, bars.name) for bars in picture.bars]
    found += [(zone, zone.name) for zone in picture.zones]
    if picture.bands and picture.bands_name:
        found.append((None, picture.bands_name))
    return found


def _rows(picture: Picture, room: float) -> Iterator[list[tuple[float, Sample, str]]]:
    """The key in as many lines as it needs: how far from the left, what is shown, its words."""
    row: list[tuple[float, Sample, str]] = []
    x = 0.0
    for sample, words in _key(picture):
        wide = _SAMPLE + 5 + text.width(words, text.PLAIN, SMALL_PT)
        if row and x + wide > room:
            yield row
            row, x = [], 0.0
        row.append((x, sample, words))
        x += wide + 14
    if row:
        yield row


class _Drawing:
    """One picture on one page."""

    def __init__(self, frame: Frame, picture: Picture, left: float, room: float, high: float) -> None:
        self.frame, self.picture = frame, picture
        self.canvas: Any = frame.canvas
        self.edge = left
        self.page = frame.stock.height_pt
        up = picture.up
        before = max((text.width(up.say(value), text.PLAIN, SMALL_PT) for value in up.ticks), default=0.0) + 8
        beside = max((text.width(level.label, text.PLAIN, SMALL_PT) for level in picture.levels), default=0.0)
        # Half a date stands out at either end.
        self.left = left + max(before, 12.0)
        self.across = room - (self.left - left) - (beside + 6 if beside else 6)
        self.rows = list(_rows(picture, room))
        self.top = frame.y + len(self.rows) * _ROW + _above(picture)
        self.high = high

    def x(self, share: Decimal) -> float:
        return self.left + (_EDGE + float(share) * (1 - 2 * _EDGE)) * self.across

    def y(self, share: Decimal) -> float:
        """Up from the lower edge of the page, as the canvas counts."""
        return self.page - self.top - self.high + float(share) * self.high

    def draw(self) -> float:
        """Draw all of it; returns the height beneath it."""
        canvas, picture = self.canvas, self.picture
        canvas.saveState()
        self._draw_key()
        for zone in picture.zones:
            canvas.setFillGray(0.93)
            low, high = self.y(picture.up.share(zone.low)), self.y(picture.up.share(zone.high))
            canvas.rect(self.left, low, self.across, high - low, stroke=0, fill=1)
            canvas.setFillGray(0)
        self._draw_axes()
        for band in picture.bands:
            left, right = self.x(picture.across.share(band.start)), self.x(picture.across.share(band.end))
            _hatch(canvas, left, self.y(Decimal(0)), max(right - left, 2.0), self.high)
        self._draw_straight()
        for bars in picture.bars:
            self._draw_bars(bars)
        for line in picture.lines:
            _style(canvas, line)
            for run in runs(line):
                self._draw_run([(self.x(right), self.y(above)) for right, above in path(picture, line, run)])
            canvas.setDash()
        for marks in picture.marks:
            for point in marks.points:
                if point.value is not None:
                    at = self.x(picture.across.share(point.at)), self.y(picture.up.share(point.value))
                    _mark(canvas, marks.shape, marks.tone, *at)
        canvas.restoreState()
        return self.top + self.high + _BENEATH - (0 if picture.across.caption else _LINE)

    def _draw_key(self) -> None:
        for number, row in enumerate(self.rows):
            y = self.frame.y + (number + 1) * _ROW - 1
            for right, sample, words in row:
                _sample(self.canvas, sample, self.edge + right, self.page - y + SMALL_PT * 0.3)
                self.frame.write(words, self.edge + right + _SAMPLE + 5, y, size=SMALL_PT)

    def _draw_axes(self) -> None:
        canvas, frame, picture = self.canvas, self.frame, self.picture
        canvas.setLineWidth(0.4)
        for value in picture.up.ticks:
            y = self.y(picture.up.share(value))
            canvas.setStrokeGray(0.88)
            canvas.line(self.left, y, self.left + self.across, y)
            frame.write(picture.up.say(value), self.left - 5, self.page - y + 3, size=SMALL_PT, align="right")
        canvas.setStrokeGray(0.5)
        canvas.setLineWidth(0.6)
        foot = self.y(Decimal(0))
        canvas.rect(self.left, foot, self.across, self.high)
        widest = _DATE_PT
        if isinstance(picture.across, ClassAxis):
            widest = max(text.width(label, text.PLAIN, SMALL_PT) for label in picture.across.labels) + 6
        beneath = self.top + self.high + 10
        for tick in picture.across.ticks(max(int(self.across // widest), 1)):
            x, half = self.x(tick.share), text.width(tick.label, text.PLAIN, SMALL_PT) / 2
            canvas.line(x, foot, x, foot - 3)
            # The first and the last label are moved inwards where they would leave the picture's room.
            x = max(min(x, self.left + self.across + 6 - half), self.edge + half)
            frame.write(tick.label, x, beneath, size=SMALL_PT, align="centre")
        if picture.across.caption:
            middle = self.left + self.across / 2
            frame.write(picture.across.caption, middle, beneath + _LINE, size=SMALL_PT, align="centre", grey=GREY)
        if picture.up.caption:
            frame.write(picture.up.caption, self.edge, self.top - 5, size=SMALL_PT, grey=GREY)

    def _draw_straight(self) -> None:
        canvas, frame, picture = self.canvas, self.frame, self.picture
        canvas.setStrokeGray(0)
        canvas.setLineWidth(0.8)
        canvas.setDash(5, 3)
        beside: list[float] = []
        for level in picture.levels:
            y = self.y(picture.up.share(level.value))
            canvas.line(self.left, y, self.left + self.across, y)
            if all(abs(y - other) >= _LINE for other in beside):
                frame.write(level.label, self.left + self.across + 5, self.page - y + 3, size=SMALL_PT)
                beside.append(y)
        canvas.setDash(1, 2)
        for moment in picture.moments:
            x = self.x(picture.across.share(moment.at))
            canvas.line(x, self.y(Decimal(0)), x, self.y(Decimal(1)))
        canvas.setDash()
        ends = self.edge + text.width(picture.up.caption, text.PLAIN, SMALL_PT) + 4 if picture.up.caption else self.edge
        for x, label in self._above(picture.labels_above(), ends):
            frame.write(label, x, self.top - 4, font=text.SEMI, size=SMALL_PT, align="centre")

    def _above(self, labels: Sequence[Tick], ends: float) -> Iterator[tuple[float, str]]:
        for tick in labels:
            x, half = self.x(tick.share), text.width(tick.label, text.SEMI, SMALL_PT) / 2
            if x - half >= ends:
                yield x, tick.label
                ends = x + half + 3

    def _draw_bars(self, bars: Bars) -> None:
        across, up = self.picture.across, self.picture.up
        assert isinstance(across, ClassAxis)  # bars stand over classes
        wide = float(bars.width) * self.across / len(across.labels)
        for bar in bars.bars:
            if bar.high > bar.low:
                foot, head = self.y(up.share(bar.low)), self.y(up.share(bar.high))
                _box(self.canvas, bars, self.x(across.share(bar.at)) - wide / 2, foot, wide, head - foot)

    def _draw_run(self, corners: Sequence[tuple[float, float]]) -> None:
        canvas = self.canvas
        drawn = canvas.beginPath()
        drawn.moveTo(*corners[0])
        for corner in corners[1:]:
            drawn.lineTo(*corner)
        canvas.drawPath(drawn)


def _style(canvas: Any, line: Line) -> None:
    canvas.setStrokeGray(_GREYS[line.tone])
    canvas.setLineWidth(2.0 if line.stroke is Stroke.THICK else 0.9)
    canvas.setLineJoin(1)
    if line.stroke is Stroke.DASHED:
        canvas.setDash(4, 2)


def _mark(canvas: Any, shape: Shape, tone: Tone, x: float, y: float) -> None:
    half = _SIZES[shape] / 2
    filled = shape in (Shape.CIRCLE, Shape.UP, Shape.DOWN)
    canvas.setStrokeGray(_GREYS[tone])
    canvas.setFillGray(_GREYS[tone])
    canvas.setLineWidth(1.5 if shape in (Shape.CROSS, Shape.DASH) else 0.9)
    if shape in (Shape.CIRCLE, Shape.RING):
        canvas.circle(x, y, half, stroke=0 if filled else 1, fill=1 if filled else 0)
    elif shape is Shape.DASH:
        canvas.line(x - half, y, x + half, y)
    elif shape is Shape.CROSS:
        canvas.line(x - half, y - half, x + half, y + half)
        canvas.line(x - half, y + half, x + half, y - half)
    else:
        corners = {
            Shape.DIAMOND: ((0, 1), (1, 0), (0, -1), (-1, 0)),
            Shape.UP: ((0, 1), (1, -0.8), (-1, -0.8)),
            Shape.DOWN: ((0, -1), (1, 0.8), (-1, 0.8)),
        }[shape]
        drawn = canvas.beginPath()
        drawn.moveTo(x + corners[0][0] * half, y + corners[0][1] * half)
        for right, above in corners[1:]:
            drawn.lineTo(x + right * half, y + above * half)
        drawn.close()
        canvas.drawPath(drawn, stroke=0 if filled else 1, fill=1 if filled else 0)
    canvas.setFillGray(0)


def _box(canvas: Any, bars: Bars, x: float, y: float, wide: float, high: float) -> None:
    if bars.fill is Fill.HATCHED:
        _hatch(canvas, x, y, wide, high)
    else:
        canvas.setFillGray(0.9 if bars.fill is Fill.PALE else 0.45)
        canvas.rect(x, y, wide, high, stroke=0, fill=1)
        canvas.setFillGray(0)
    canvas.setStrokeGray(0.35)
    canvas.setLineWidth(0.6)
    canvas.rect(x, y, wide, high)


def _sample(canvas: Any, sample: Sample, x: float, y: float) -> None:
    """What a line of the key shows; ``y`` is its middle."""
    if isinstance(sample, Line):
        _style(canvas, sample)
        canvas.line(x, y, x + _SAMPLE, y)
        canvas.setDash()
    elif isinstance(sample, Marks):
        _mark(canvas, sample.shape, sample.tone, x + _SAMPLE / 2, y)
    elif isinstance(sample, Bars):
        _box(canvas, sample, x + 2, y - 3.5, _SAMPLE - 4, 7)
    elif isinstance(sample, Zone):
        canvas.setFillGray(0.93)
        canvas.setStrokeGray(0.5)
        canvas.setLineWidth(0.4)
        canvas.rect(x + 2, y - 3.5, _SAMPLE - 4, 7, fill=1)
        canvas.setFillGray(0)
    else:
        _hatch(canvas, x + 2, y - 3.5, _SAMPLE - 4, 7)


def _hatch(canvas: Any, x: float, y: float, wide: float, high: float) -> None:
    """Slanting lines over a rectangle, clipped to it."""
    canvas.saveState()
    clip = canvas.beginPath()
    clip.rect(x, y, wide, high)
    canvas.clipPath(clip, stroke=0, fill=0)
    canvas.setStrokeGray(0.68)
    canvas.setLineWidth(0.6)
    at = x - high
    while at < x + wide:
        canvas.line(at, y, at + high, y + high)
        at += 5
    canvas.restoreState()
