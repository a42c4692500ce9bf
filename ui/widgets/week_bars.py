"""Bars a week: how many vials are needed, in parts that differ by pattern as well as colour, and what is left."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme import TYPE_SMALL, Theme, base_font

_TOP, _BOTTOM, _LEFT, _RIGHT = 50, 24, 28, 8
_LINE = 20.0
_PATTERNS = (Qt.BrushStyle.SolidPattern, Qt.BrushStyle.BDiagPattern, Qt.BrushStyle.Dense6Pattern)


@dataclass(frozen=True, slots=True)
class WeekBar:
    """One week: its label, the parts of its bar from below in the order of the legend, and the number left after it."""

    label: str
    parts: tuple[int, ...]
    left: int
    short: bool


class WeekBars(QWidget):
    """Needed vials as bars, vials left as a stepped line. A picture of a table beside it; it takes no focus."""

    def __init__(self, *, name: str, label: str, legend: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setFixedHeight(180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._legend = tuple(legend)
        self._weeks: tuple[WeekBar, ...] = ()

    def set_weeks(self, weeks: Sequence[WeekBar], words: str) -> None:
        """Draw these weeks; ``words`` say the same to who cannot see them."""
        self._weeks = tuple(weeks)
        self.setAccessibleDescription(words)
        self.update()

    def weeks(self) -> tuple[WeekBar, ...]:
        """The weeks drawn."""
        return self._weeks

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw in the colours of the palette now in force."""
        if not self._weeks:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(base_font(TYPE_SMALL))
        frame = QRectF(_LEFT, _TOP, self.width() - _LEFT - _RIGHT, self.height() - _TOP - _BOTTOM)
        most = max(1, *(sum(week.parts) for week in self._weeks), *(week.left for week in self._weeks))
        self._paint_legend(painter)
        painter.setPen(QPen(_colour("line"), 1))
        painter.drawLine(frame.bottomLeft(), frame.bottomRight())
        painter.setPen(_colour("muted"))
        side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, frame.top() - 9, _LEFT - 6, 18), side, str(most))
        painter.drawText(QRectF(0, frame.bottom() - 9, _LEFT - 6, 18), side, "0")
        step = frame.width() / len(self._weeks)
        before: QPointF | None = None
        for at, week in enumerate(self._weeks):
            left = frame.left() + at * step
            self._paint_bar(painter, QRectF(left + step * 0.2, frame.top(), step * 0.6, frame.height()), week, most)
            y = frame.bottom() - frame.height() * week.left / most
            painter.setPen(QPen(_colour("text"), 1.5))
            if before is not None:
                painter.drawLine(before, QPointF(left, y))
            painter.drawLine(QPointF(left, y), QPointF(left + step, y))
            before = QPointF(left + step, y)
            painter.setPen(_colour("stop" if week.short else "muted"))
            label = f"{week.label}!" if week.short else week.label
            painter.drawText(QRectF(left, frame.bottom() + 3, step, 18), Qt.AlignmentFlag.AlignHCenter, label)
        painter.end()

    def _paint_bar(self, painter: QPainter, place: QRectF, week: WeekBar, most: int) -> None:
        bottom = place.bottom()
        for count, pattern in zip(week.parts, _PATTERNS, strict=False):
            if count:
                high = place.height() * count / most
                box = QRectF(place.left(), bottom - high, place.width(), high)
                painter.setPen(QPen(_colour("info"), 1))
                painter.fillRect(box, _colour("info_ground"))
                painter.setBrush(QBrush(_colour("info"), pattern))
                painter.drawRect(box)
                bottom -= high
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_legend(self, painter: QPainter) -> None:
        """What is drawn, in one line, or in two where there is no room."""
        x, y = float(_LEFT), 2.0
        shown = [at for at in range(len(self._legend)) if any(week.parts[at] for week in self._weeks)]
        for at, words in [*((at, self._legend[at]) for at in shown), (-1, "usable after use")]:
            wide = 24 + painter.fontMetrics().horizontalAdvance(words)
            if x > _LEFT and x + wide > self.width():
                x, y = float(_LEFT), y + _LINE
            mark = QRectF(x, y + 3, 12, 12)
            if at < 0:
                painter.setPen(QPen(_colour("text"), 1.5))
                painter.drawLine(QPointF(x, y + 9), QPointF(x + 14, y + 9))
            else:
                painter.setPen(QPen(_colour("info"), 1))
                painter.fillRect(mark, _colour("info_ground"))
                painter.setBrush(QBrush(_colour("info"), _PATTERNS[at]))
                painter.drawRect(mark)
                painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(_colour("text"))
            painter.drawText(QRectF(x + 20, y, wide, 18), Qt.AlignmentFlag.AlignVCenter, words)
            x += wide + 16


def _colour(tone: str) -> QColor:
    return QColor(Theme.tokens.colour(tone))
