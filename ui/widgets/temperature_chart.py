"""A drawn curve of storage temperatures with both limits; what lies outside is hatched, thick and numbered."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.temperatures import Limits, LoggerReading, Plot, Span, plot_of
from pharmacy_app.domain.units import show
from ui.theme import TYPE_SMALL, Theme, base_font

_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 112, 24, 28


class TemperatureChart(QWidget):
    """Temperatures over time. It is a picture of what a sentence and a table beside it say; it takes no focus."""

    def __init__(self, *, name: str, label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setFixedHeight(220)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._plot: Plot | None = None
        self._limits: Limits | None = None
        self._spans: tuple[Span, ...] = ()

    def set_readings(
        self, readings: Sequence[LoggerReading], spans: Sequence[Span], limits: Limits, words: str
    ) -> None:
        """Draw these readings, at least one; ``words`` say the same to who cannot see it."""
        self._plot = plot_of(readings, spans, limits)
        self._limits, self._spans = limits, tuple(spans)
        self.setAccessibleDescription(words)
        self.update()

    def plot(self) -> Plot | None:
        """What is drawn."""
        return self._plot

    # -- where things stand

    def _frame(self) -> QRectF:
        return QRectF(_LEFT, _TOP, self.width() - _LEFT - _RIGHT, self.height() - _TOP - _BOTTOM)

    def _x(self, at: datetime) -> float:
        assert self._plot is not None
        frame = self._frame()
        return frame.left() + self._plot.across(at) * frame.width()

    def _y(self, celsius: Decimal) -> float:
        assert self._plot is not None
        frame = self._frame()
        return frame.bottom() - float(self._plot.above(celsius)) * frame.height()

    # -- painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw in the colours of the palette now in force."""
        if self._plot is None or self._limits is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(base_font(TYPE_SMALL))
        self._paint_spans(painter)
        self._paint_scale(painter, self._plot)
        self._paint_limits(painter, self._limits)
        self._paint_curve(painter, self._plot)
        painter.end()

    def _paint_spans(self, painter: QPainter) -> None:
        frame = self._frame()
        for number, span in enumerate(self._spans, start=1):
            left, right = self._x(span.start), self._x(span.end)
            band = QRectF(left, frame.top(), max(right - left, 3.0), frame.height())
            colour = _colour("warn")
            colour.setAlpha(110)
            painter.fillRect(band, QBrush(colour, Qt.BrushStyle.BDiagPattern))
            painter.setPen(_colour("text"))
            painter.setFont(base_font(TYPE_SMALL, bold=True))
            above = QRectF(band.center().x() - 14, frame.top() - 20, 28, 18)
            painter.drawText(above, Qt.AlignmentFlag.AlignCenter, str(number))
            painter.setFont(base_font(TYPE_SMALL))

    def _paint_scale(self, painter: QPainter, plot: Plot) -> None:
        frame = self._frame()
        painter.setPen(QPen(_colour("control_line"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)
        painter.setPen(_colour("muted"))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for celsius in plot.ticks:
            y = self._y(celsius)
            painter.drawText(QRectF(0, y - 9, _LEFT - 6, 18), right, f"{_said(celsius)} °C")
        beneath = frame.bottom() + 6
        painter.drawText(QRectF(frame.left(), beneath, 160, 18), Qt.AlignmentFlag.AlignLeft, say_moment(plot.start))
        painter.drawText(QRectF(frame.right() - 160, beneath, 160, 18), right, say_moment(plot.end))

    def _paint_limits(self, painter: QPainter, limits: Limits) -> None:
        frame = self._frame()
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for celsius, words in ((limits.high_celsius, "at most"), (limits.low_celsius, "at least")):
            y = self._y(celsius)
            painter.setPen(QPen(_colour("stop"), 1.5, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(_colour("text"))
            painter.drawText(QRectF(frame.right() + 8, y - 9, _RIGHT - 8, 18), middle, f"{words} {_said(celsius)} °C")

    def _paint_curve(self, painter: QPainter, plot: Plot) -> None:
        for piece in plot.pieces:
            points = [QPointF(self._x(each.at), self._y(each.celsius)) for each in piece.readings]
            colour = _colour("text" if piece.outside else "info")
            painter.setPen(QPen(colour, 3.0 if piece.outside else 1.5))
            if len(points) == 1:
                painter.setBrush(colour)
                painter.drawEllipse(points[0], 2.0, 2.0)
                painter.setBrush(Qt.BrushStyle.NoBrush)
            else:
                painter.drawPolyline(QPolygonF(points))


def _said(celsius: Decimal) -> str:
    return show(celsius).replace("-", "−")


def _colour(token: str) -> QColor:
    return QColor(Theme.tokens.colour(token))
