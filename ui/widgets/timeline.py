"""A drawn timeline: rows with days across, windows as bands, what was done as marks, what was said as flags.

Nothing is said by colour alone: each kind of mark has its own shape, and each carries its words. The arrow keys go
from mark to mark; the words of the chosen one are its accessible description and come by ``chosen``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from ui.theme import SPACE_M, SPACE_S, SPACE_XS, TYPE_BODY, TYPE_SMALL, Theme, base_font

_LABEL_WIDTH = 128
_DAY_WIDTH = 16
_HEAD_HEIGHT = 28
_FLAG_LINE = 18
_LANE_HEIGHT = 30
_FOOT_HEIGHT = 22
_RADIUS = 8.0
_BAR = 12.0


class Shape(StrEnum):
    """How a mark is drawn: each has its own outline or filling."""

    GIVEN = "given"
    PLANNED = "planned"
    DUE = "due now"
    LATE = "late"
    MUST_OMIT = "must be omitted"
    OMITTED = "omitted"
    NOT_GIVEN = "not given"


SHAPE_WORDS = {
    Shape.GIVEN: "Given",
    Shape.PLANNED: "Ahead",
    Shape.DUE: "Due now",
    Shape.LATE: "Late",
    Shape.MUST_OMIT: "Must be omitted",
    Shape.OMITTED: "Omitted",
    Shape.NOT_GIVEN: "Not given",
}
"""What each shape means, for the key beneath the drawing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is or was to be done on a day. ``at`` counts days from the row's first one (0).

    ``label`` stands beneath it; ``words`` says all of it as sentences.
    """

    at: int
    shape: Shape
    label: str
    words: str


@dataclass(frozen=True, slots=True)
class Band:
    """A window of days, both ends inside. A ``thin`` one is drawn as a line above the marks."""

    first: int
    last: int
    thin: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """Something said of a day, as a short label above it and as sentences."""

    at: int
    label: str
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the drawing: its name with a note beneath, and what stands on it; ``today`` is the day it is."""

    title: str
    note: str
    marks: tuple[Mark, ...] = ()
    bands: tuple[Band, ...] = ()
    flags: tuple[Flag, ...] = ()
    today: int | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the keyboard can stand: on a mark or a flag."""

    row: int
    at: int
    words: str
    place: QRectF


class Timeline(QScrollArea):
    """The drawing, which scrolls sideways where its days do not fit. Signal ``chosen(str words)``."""

    chosen = Signal(str)

    def __init__(self, *, name: str, label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{name}_area")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setAutoFillBackground(False)
        self.canvas = _Canvas(name, label)
        self.canvas.moved.connect(self._show_stop)
        self.canvas.chosen.connect(self.chosen)
        self.setWidget(self.canvas)
        # The area fills it unless told otherwise afterwards.
        self.canvas.setAutoFillBackground(False)

    def set_rows(self, rows: Sequence[Row], *, first: int, last: int) -> None:
        """Draw these rows from the day ``first`` to the day ``last``, both counted from the rows' own first day, 0."""
        self.canvas.set_rows(rows, first, last)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the days the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        least = self.canvas.least_size()
        self.canvas.resize(max(least.width(), self.viewport().width()), least.height())
        bar = self.horizontalScrollBar().sizeHint().height() if least.width() > self.viewport().width() else 0
        self.setFixedHeight(least.height() + bar)

    def _show_stop(self, place: QRectF) -> None:
        centre = place.center().toPoint()
        self.ensureVisible(centre.x(), centre.y(), round(place.width()) + SPACE_M, 0)


class _Canvas(QWidget):
    """Draws the rows and takes the keyboard."""

    chosen = Signal(str)
    moved = Signal(QRectF)

    def __init__(self, name: str, label: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._rows: tuple[Row, ...] = ()
        self._first, self._last = 0, 0
        self._stops: list[Stop] = []
        self._at = -1
        self._tops: list[float] = []
        self._flag_lines: list[int] = []
        self._describe()

    # -- what is drawn

    def set_rows(self, rows: Sequence[Row], first: int, last: int) -> None:
        """Take other rows; what was chosen stays so where it still says the same."""
        kept = self.chosen_words()
        self._rows, self._first, self._last = tuple(rows), first, last
        self._at = -1
        self._lay_out()
        self._at = next((at for at, stop in enumerate(self._stops) if kept and stop.words == kept), -1)
        self._describe()
        self.update()

    def least_size(self) -> QSize:
        """The room that the rows need at the least."""
        bottom = _HEAD_HEIGHT
        if self._rows:
            bottom = round(self._tops[-1] + self._row_height(len(self._rows) - 1))
        return QSize(_LABEL_WIDTH + (self._last - self._first + 1) * _DAY_WIDTH + SPACE_S, bottom)

    def chosen_words(self) -> str:
        """The words of what is chosen, '' for nothing."""
        return self._stops[self._at].words if self._at >= 0 else ""

    def places(self) -> tuple[Stop, ...]:
        """Everything that the keyboard reaches, in its order, and where it is drawn."""
        return tuple(self._stops)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Find the new places."""
        super().resizeEvent(event)
        self._lay_out()

    def _day_width(self) -> float:
        days = self._last - self._first + 1
        return max(float(_DAY_WIDTH), (self.width() - _LABEL_WIDTH - SPACE_S) / days)

    def _x(self, at: float) -> float:
        """The middle of a day."""
        return _LABEL_WIDTH + (at - self._first + 0.5) * self._day_width()

    def _row_height(self, row: int) -> float:
        return self._flag_lines[row] * _FLAG_LINE + _LANE_HEIGHT + _FOOT_HEIGHT + SPACE_S * 2

    def _lane(self, row: int) -> float:
        """The height of a row's marks."""
        return self._tops[row] + SPACE_S + self._flag_lines[row] * _FLAG_LINE + _LANE_HEIGHT / 2

    def _lay_out(self) -> None:
        self._tops, self._flag_lines, self._stops = [], [], []
        words = self._small_metrics()
        top = float(_HEAD_HEIGHT)
        for number, row in enumerate(self._rows):
            ends: list[float] = []
            places = []
            for flag in row.flags:
                left = self._x(flag.at) - 6
                width = words.horizontalAdvance(flag.label) + 18
                if left + width > self.width() - 2:
                    left = self.width() - 2 - width
                line = next((at for at, end in enumerate(ends) if left > end + SPACE_XS), len(ends))
                ends[line : line + 1] = [left + width]
                places.append((flag, left, width, line))
            self._tops.append(top)
            self._flag_lines.append(max(1, len(ends)))
            stops = [
                Stop(number, flag.at, flag.words, QRectF(left, top + SPACE_S + line * _FLAG_LINE, width, _FLAG_LINE))
                for flag, left, width, line in places
            ]
            lane = self._lane(number)
            stops += [
                Stop(number, mark.at, mark.words, QRectF(self._x(mark.at) - 12, lane - 12, 24, 24))
                for mark in row.marks
            ]
            self._stops += sorted(stops, key=lambda stop: (stop.at, stop.place.left()))
            top += self._row_height(number)

    @staticmethod
    def _small_metrics() -> QFontMetricsF:
        return QFontMetricsF(base_font(TYPE_SMALL))

    # -- the keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go from one to the next, up and down from row to row, Home and End to the ends."""
        key = event.key()
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}
        if not self._stops:
            super().keyPressEvent(event)
        elif key in steps:
            self._go(min(max(self._at + steps[Qt.Key(key)], 0), len(self._stops) - 1))
        elif key == Qt.Key.Key_Home:
            self._go(0)
        elif key == Qt.Key.Key_End:
            self._go(len(self._stops) - 1)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._go(self._in_row(-1 if key == Qt.Key.Key_Up else 1))
        else:
            super().keyPressEvent(event)

    def _in_row(self, step: int) -> int:
        """The stop nearest to the chosen one in the next row that has any."""
        here = self._stops[max(self._at, 0)]
        rows = sorted(
            {stop.row for stop in self._stops if (stop.row - here.row) * step > 0}, key=lambda row: row * step
        )
        if not rows:
            return max(self._at, 0)
        numbers = [number for number, stop in enumerate(self._stops) if stop.row == rows[0]]
        return min(numbers, key=lambda number: abs(self._stops[number].at - here.at))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose what is clicked."""
        hit = [number for number, stop in enumerate(self._stops) if stop.place.contains(event.position())]
        if hit:
            self._go(hit[-1])

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Stand on the first one when nothing was chosen yet."""
        super().focusInEvent(event)
        if self._at < 0 and self._stops and event.reason() != Qt.FocusReason.MouseFocusReason:
            self._go(0)

    def _go(self, number: int) -> None:
        self._at = number
        self._describe()
        self.update()
        self.moved.emit(self._stops[number].place)
        self.chosen.emit(self._stops[number].words)

    def _describe(self) -> None:
        if self._at >= 0:
            self.setAccessibleDescription(self.chosen_words())
        elif self._stops:
            self.setAccessibleDescription("Use the arrow keys to go from mark to mark.")
        else:
            self.setAccessibleDescription("Nothing is drawn yet.")

    # -- painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw in the colours of the palette now in force."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_days(painter)
        for number in range(len(self._rows)):
            self._paint_row(painter, number)
        if self._at >= 0:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(_colour("focus"), 2 if self.hasFocus() else 1))
            painter.drawRoundedRect(self._stops[self._at].place.adjusted(-1, -1, 1, 1), 6, 6)
        painter.end()

    def _paint_days(self, painter: QPainter) -> None:
        painter.setFont(base_font(TYPE_SMALL))
        bottom = self.height()
        for at in range(self._first, self._last + 1):
            if at % 7 or at < 0:
                continue
            x = self._x(at)
            painter.setPen(QPen(_colour("line"), 1))
            painter.drawLine(QPointF(x, _HEAD_HEIGHT - 4), QPointF(x, bottom))
            painter.setPen(_colour("muted"))
            place = QRectF(x - 40, 0, 80, _HEAD_HEIGHT - 6)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, f"Day {at + 1}")

    def _paint_row(self, painter: QPainter, number: int) -> None:
        row, top, lane = self._rows[number], self._tops[number], self._lane(number)
        half = self._day_width() / 2
        painter.setPen(QPen(_colour("line"), 1))
        painter.drawLine(QPointF(0, top), QPointF(self.width(), top))
        painter.setFont(base_font(TYPE_BODY, bold=True))
        painter.setPen(_colour("text"))
        label = QRectF(0, lane - 20, _LABEL_WIDTH - SPACE_S, 20)
        painter.drawText(label, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, row.title)
        painter.setFont(base_font(TYPE_SMALL))
        painter.setPen(_colour("muted"))
        painter.drawText(
            label.translated(0, 19).adjusted(0, 0, 0, 16),
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop,
            row.note,
        )
        for band in row.bands:
            left, right = self._x(band.first) - half + 1, self._x(band.last) + half - 1
            if band.thin:
                self._paint_bracket(painter, left, right, lane - _LANE_HEIGHT / 2)
            else:
                painter.setPen(QPen(_colour("control_line"), 1))
                painter.setBrush(_colour("info_ground"))
                painter.drawRoundedRect(QRectF(left, lane - _BAR / 2, right - left, _BAR), 4, 4)
        if row.today is not None and self._first <= row.today <= self._last:
            self._paint_today(painter, number, row.today)
        for mark in row.marks:
            self._paint_mark(painter, mark, lane)
        for stop, flag in self._flags(number):
            self._paint_flag(painter, stop.place, flag.label)

    def _flags(self, number: int) -> list[tuple[Stop, Flag]]:
        """The flags of a row with their places."""
        wanted = {(flag.at, flag.words): flag for flag in self._rows[number].flags}
        found = [(stop, wanted.get((stop.at, stop.words))) for stop in self._stops if stop.row == number]
        return [(stop, flag) for stop, flag in found if flag is not None]

    @staticmethod
    def _paint_bracket(painter: QPainter, left: float, right: float, y: float) -> None:
        painter.setPen(QPen(_colour("muted"), 1.5))
        painter.drawLine(QPointF(left, y), QPointF(right, y))
        for x in (left, right):
            painter.drawLine(QPointF(x, y), QPointF(x, y + 4))

    def _paint_today(self, painter: QPainter, number: int, at: int) -> None:
        # Beneath the flags: a line through words makes both hard to read.
        x, top = self._x(at), self._lane(number) - _LANE_HEIGHT / 2
        bottom = self._tops[number] + self._row_height(number)
        pen = QPen(_colour("link"), 1.5, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawLine(QPointF(x, top - 2), QPointF(x, bottom - 2))

    def _paint_mark(self, painter: QPainter, mark: Mark, lane: float) -> None:
        x = self._x(mark.at)
        paint_shape(painter, mark.shape, QPointF(x, lane))
        painter.setFont(base_font(TYPE_SMALL))
        tones = {Shape.GIVEN: "text", Shape.DUE: "text", Shape.LATE: "warn", Shape.MUST_OMIT: "warn"}
        painter.setPen(_colour(tones.get(mark.shape, "muted")))
        under = QRectF(x - 60, lane + _LANE_HEIGHT / 2 - 3, 120, _FOOT_HEIGHT)
        painter.drawText(under, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, mark.label)

    @staticmethod
    def _paint_flag(painter: QPainter, place: QRectF, label: str) -> None:
        painter.setBrush(_colour("text"))
        painter.setPen(Qt.PenStyle.NoPen)
        y = place.center().y()
        x = place.left() + 6
        painter.drawPolygon([QPointF(x - 4, y), QPointF(x, y - 4), QPointF(x + 4, y), QPointF(x, y + 4)])
        painter.setFont(base_font(TYPE_SMALL))
        painter.setPen(_colour("text"))
        painter.drawText(place.adjusted(14, 0, 4, 0), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, label)


class TimelineKey(QWidget):
    """What the shapes mean, in a row that breaks where it does not fit."""

    def __init__(self, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(f"Key: {', '.join(_KEY_WORDS)}")
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        policy.setHorizontalPolicy(QSizePolicy.Policy.Expanding)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        """Its rows hang on its width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """As many rows as the words need."""
        return round(self._places(width)[-1][1]) + 24

    def sizeHint(self) -> QSize:
        """One row as a start."""
        return QSize(320, self.heightForWidth(max(self.width(), 320)))

    def minimumSizeHint(self) -> QSize:
        """Narrow, and as high as it is at its width."""
        return QSize(160, self.heightForWidth(max(self.width(), 160)))

    def _places(self, width: int) -> list[tuple[float, float]]:
        metrics = QFontMetricsF(base_font(TYPE_SMALL))
        x, y, places = 0.0, 0.0, []
        for words in _KEY_WORDS:
            needed = 26 + metrics.horizontalAdvance(words) + SPACE_M
            if x and x + needed > width:
                x, y = 0.0, y + 24
            places.append((x, y))
            x += needed
        return places

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw each sign with its word."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(base_font(TYPE_SMALL))
        for words, (x, y) in zip(_KEY_WORDS, self._places(self.width()), strict=True):
            centre = QPointF(x + 10, y + 12)
            shape = next((shape for shape, said in SHAPE_WORDS.items() if said == words), None)
            if shape is not None:
                paint_shape(painter, shape, centre, 6.5)
            elif words == _WINDOW:
                painter.setPen(QPen(_colour("control_line"), 1))
                painter.setBrush(_colour("info_ground"))
                painter.drawRoundedRect(QRectF(x + 1, y + 7, 18, 10), 3, 3)
            elif words == _MARROW_WINDOW:
                _Canvas._paint_bracket(painter, x + 1, x + 19, y + 10)
            else:
                painter.setPen(QPen(_colour("link"), 1.5, Qt.PenStyle.DashLine))
                painter.drawLine(QPointF(x + 10, y + 3), QPointF(x + 10, y + 21))
            painter.setPen(_colour("muted"))
            painter.drawText(QPointF(x + 26, y + 16), words)
        painter.end()


_WINDOW, _MARROW_WINDOW, _TODAY = "Window", "Marrow window", "Today"
_KEY_WORDS = (*SHAPE_WORDS.values(), _WINDOW, _MARROW_WINDOW, _TODAY)


def paint_shape(painter: QPainter, shape: Shape, centre: QPointF, radius: float = _RADIUS) -> None:
    """Draw one kind of mark around a point."""
    text, surface = _colour("text"), _colour("surface")
    outline = {
        Shape.GIVEN: QPen(_colour("ok"), 1.5),
        Shape.PLANNED: QPen(_colour("control_line"), 2),
        Shape.DUE: QPen(text, 3),
        Shape.LATE: QPen(_colour("warn"), 2),
        Shape.MUST_OMIT: QPen(_colour("warn"), 1.5, Qt.PenStyle.DashLine),
        Shape.OMITTED: QPen(text, 1.5),
        Shape.NOT_GIVEN: QPen(_colour("control_line"), 1.5, Qt.PenStyle.DotLine),
    }[shape]
    painter.setPen(outline)
    painter.setBrush(_colour("ok") if shape is Shape.GIVEN else surface)
    painter.drawEllipse(centre, radius, radius)
    arm = radius * 0.55
    if shape in (Shape.OMITTED, Shape.MUST_OMIT):
        painter.setPen(QPen(outline.color(), 1.5))
        painter.drawLine(centre + QPointF(-arm, -arm), centre + QPointF(arm, arm))
        painter.drawLine(centre + QPointF(-arm, arm), centre + QPointF(arm, -arm))
    elif shape is Shape.LATE:
        painter.setPen(QPen(_colour("warn"), 2.2))
        painter.drawLine(centre + QPointF(0, -arm), centre + QPointF(0, arm * 0.25))
        painter.drawPoint(centre + QPointF(0, arm * 0.95))
    elif shape is Shape.GIVEN:
        painter.setPen(QPen(surface, 1.8))
        painter.drawPolyline(
            [centre + QPointF(-arm, 0), centre + QPointF(-arm * 0.2, arm * 0.75), centre + QPointF(arm, -arm * 0.7)]
        )
    elif shape is Shape.NOT_GIVEN:
        painter.setPen(QPen(_colour("control_line"), 1.5))
        painter.drawLine(centre + QPointF(-arm, 0), centre + QPointF(arm, 0))


def _colour(tone: str) -> QColor:
    return QColor(Theme.tokens.colour(tone))
