"""A drawn line of weights with the weight last used and the two weights beyond which recalculation is mandatory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.units import show_kg
from ui.theme import SPACE_S, TYPE_SMALL, Theme, base_font

_LEFT, _RIGHT, _TOP, _BOTTOM = 16, 190, 16, 28
_NEWEST = 72
_NEAR = 15.0


@dataclass(frozen=True, slots=True)
class Weighed:
    """One weight (kg) of a day; ``over`` where it differed by more than the limit."""

    on: date
    kg: Decimal
    over: bool


@dataclass(frozen=True, slots=True)
class Level:
    """A line across the chart at a weight (kg), with its words; ``dashed`` for a limit."""

    kg: Decimal
    words: str
    dashed: bool


class DriftChart(QWidget):
    """Weights over time. It is a picture of what a sentence and a table beside it say; it takes no focus."""

    def __init__(self, *, name: str, label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setFixedHeight(200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._weights: tuple[Weighed, ...] = ()
        self._levels: tuple[Level, ...] = ()

    def set_weights(self, weights: Sequence[Weighed], levels: Sequence[Level], words: str) -> None:
        """Draw these weights, the oldest first, and lines; ``words`` say the same to who cannot see it."""
        self._weights, self._levels = tuple(weights), tuple(levels)
        self.setAccessibleDescription(words)
        self.update()

    def weights(self) -> tuple[Weighed, ...]:
        """The weights drawn, the oldest first."""
        return self._weights

    def levels(self) -> tuple[Level, ...]:
        """The lines drawn across."""
        return self._levels

    # -- where things stand

    def _frame(self) -> QRectF:
        return QRectF(_LEFT, _TOP, self.width() - _LEFT - _RIGHT, self.height() - _TOP - _BOTTOM)

    def _y(self, kg: Decimal) -> float:
        values = [*(each.kg for each in self._weights), *(level.kg for level in self._levels)]
        low, high = min(values), max(values)
        room = max((high - low) / 10, Decimal("0.5"))
        frame = self._frame()
        share = (kg - low + room) / (high - low + 2 * room)
        return frame.bottom() - float(share) * frame.height()

    def _x(self, on: date) -> float:
        first, last = self._weights[0].on, self._weights[-1].on
        frame, days = self._frame(), (last - first).days
        # The newest weight is written behind its point.
        return frame.center().x() if not days else frame.left() + (on - first).days / days * (frame.width() - _NEWEST)

    # -- painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw in the colours of the palette now in force."""
        if not self._weights:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(base_font(TYPE_SMALL))
        self._paint_levels(painter)
        points = [QPointF(self._x(each.on), self._y(each.kg)) for each in self._weights]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(_colour("muted"), 1.5))
        painter.drawPolyline(QPolygonF(points))
        for point, each in zip(points, self._weights, strict=True):
            _paint_point(painter, point, over=each.over)
        self._paint_words(painter, points)
        painter.end()

    def _paint_levels(self, painter: QPainter) -> None:
        frame = self._frame()
        labels = sorted(self._levels, key=lambda level: level.kg, reverse=True)
        above = -_NEAR
        for level in labels:
            y = self._y(level.kg)
            style = Qt.PenStyle.DashLine if level.dashed else Qt.PenStyle.SolidLine
            painter.setPen(QPen(_colour("warn" if level.dashed else "info"), 1.5, style))
            painter.drawLine(QPointF(frame.left() - SPACE_S, y), QPointF(frame.right() + SPACE_S, y))
            painter.setPen(_colour("text"))
            at = max(y, above + _NEAR)
            place = QRectF(frame.right() + 2 * SPACE_S, at - 10, _RIGHT - 2 * SPACE_S, 20)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, level.words)
            above = at

    def _paint_words(self, painter: QPainter, points: Sequence[QPointF]) -> None:
        """The first and the newest day beneath, and the newest weight behind its point."""
        beneath = self._frame().bottom() + SPACE_S
        centre = Qt.AlignmentFlag.AlignHCenter
        painter.setPen(_colour("muted"))
        ends = {self._weights[-1].on: points[-1], self._weights[0].on: points[0]}
        for day, point in ends.items():
            left = max(0.0, point.x() - 50)
            side = centre if left else Qt.AlignmentFlag.AlignLeft
            painter.drawText(QRectF(left + (0 if left else SPACE_S), beneath, 100, 18), side, say_day(day))
        words = show_kg(self._weights[-1].kg)
        painter.setFont(base_font(TYPE_SMALL, bold=True))
        width = painter.fontMetrics().horizontalAdvance(words)
        place = QRectF(points[-1].x() + 10, points[-1].y() - 9, width + 4, 18)
        painter.fillRect(place, _colour("surface"))
        painter.setPen(_colour("text"))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)


def _paint_point(painter: QPainter, point: QPointF, *, over: bool) -> None:
    """A dot, or a triangle where the weight was over the limit."""
    painter.setPen(QPen(_colour("surface"), 1))
    if over:
        painter.setBrush(_colour("warn"))
        painter.drawPolygon(QPolygonF([point + QPointF(0, -7), point + QPointF(6.5, 5), point + QPointF(-6.5, 5)]))
    else:
        painter.setBrush(_colour("text"))
        painter.drawEllipse(point, 4.5, 4.5)


def _colour(tone: str) -> QColor:
    return QColor(Theme.tokens.colour(tone))
