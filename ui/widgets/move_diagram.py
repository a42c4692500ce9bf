"""The table of moves as a drawing: every state a line downwards, every move an arrow between these lines."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from pharmacy_app.domain.move_diagram import MoveArrow, MoveDiagram
from ui.theme import TYPE_SMALL, Theme, base_font

_SIDE = 22.0
_STAGE, _BOX, _GAP = 24.0, 38.0, 6.0
_ROW = 36.0
_LEGEND = 40.0
_NARROWEST = 40
_HEIGHTS = 3
_HEAD = _STAGE + _HEIGHTS * (_GAP + _BOX) + 8


class MoveDiagramView(QWidget):
    """States by stage of life from the left, moves from above. A picture of the list beside it; it takes no focus."""

    def __init__(self, diagram: MoveDiagram, *, name: str, label: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setAccessibleDescription(" ".join(diagram.words(arrow) for arrow in diagram.arrows))
        self._diagram = diagram
        self._state = ""
        self.setMinimumSize(self.sizeHint())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """As narrow as its names can stand, as high as its moves need."""
        wide = 2 * _SIDE + _NARROWEST * len(self._diagram.states)
        return QSize(round(wide), round(_HEAD + _ROW * len(self._diagram.arrows) + _LEGEND))

    def show_state(self, state: str) -> None:
        """Bring out one state and its moves; '' shows all alike."""
        self._state = state
        self.update()

    def state(self) -> str:
        """The state brought out."""
        return self._state

    # -- where things stand

    def column_x(self, column: int) -> float:
        """The line of a state; −1 is outside, at the left edge."""
        if column < 0:
            return _SIDE / 3
        step = (self.width() - 2 * _SIDE) / len(self._diagram.states)
        return _SIDE + (column + 0.5) * step

    def row_y(self, row: int) -> float:
        """The line of a move."""
        return _HEAD + (row + 0.75) * _ROW

    # -- painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw in the colours of the palette now in force."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(base_font(TYPE_SMALL))
        painter.fillRect(self.rect(), _colour("surface"))
        self._paint_states(painter)
        for arrow in self._diagram.arrows:
            self._paint_arrow(painter, arrow)
        self._paint_legend(painter)
        painter.end()

    def _paint_states(self, painter: QPainter) -> None:
        step = (self.width() - 2 * _SIDE) / len(self._diagram.states)
        floor = self.row_y(len(self._diagram.arrows) - 1) + 8
        for stage, first, last in self._diagram.stages():
            band = QRectF(_SIDE + first * step + 3, 0, (last - first + 1) * step - 6, _STAGE)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_colour("sunken"))
            painter.drawRoundedRect(band, 4, 4)
            painter.setPen(_colour("muted"))
            painter.drawText(band, Qt.AlignmentFlag.AlignCenter, stage)
        for each in self._diagram.states:
            x = self.column_x(each.column)
            top = _STAGE + _GAP + (each.column % _HEIGHTS) * (_BOX + _GAP)
            chosen = each.state.name == self._state
            painter.setPen(QPen(_colour("text" if chosen else "line"), 2 if chosen else 1))
            painter.drawLine(QPointF(x, top + _BOX), QPointF(x, floor))
            # Boxes stand by turns on three heights, so that each is nearly three columns wide.
            wide = min(_HEIGHTS * step - 28, 116.0)
            left = min(max(2.0, x - wide / 2), self.width() - wide - 2)
            box = QRectF(left, top, wide, _BOX)
            painter.setBrush(_colour("surface"))
            painter.setPen(QPen(_colour("text" if chosen else "control_line"), 2 if chosen else 1))
            painter.drawRoundedRect(box, 6, 6)
            painter.setPen(_colour("text"))
            painter.setFont(base_font(TYPE_SMALL, bold=True))
            words = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(box.adjusted(2, 0, -2, 0), words, each.state.name)
            painter.setFont(base_font(TYPE_SMALL))

    def _paint_arrow(self, painter: QPainter, arrow: MoveArrow) -> None:
        columns = {each.column for each in self._diagram.states if each.state.name == self._state}
        mine = not columns or bool(columns & set(arrow.columns))
        ink = _colour("info" if mine else "line")
        y = self.row_y(arrow.row)
        ends = [self.column_x(column) for column in arrow.columns]
        keeps = arrow.to_column is None
        dashed = Qt.PenStyle.DashLine if arrow.correction else Qt.PenStyle.DotLine if keeps else Qt.PenStyle.SolidLine
        painter.setPen(QPen(ink, 1.5, dashed))
        painter.drawLine(QPointF(min(ends), y), QPointF(max(ends), y))
        painter.setPen(QPen(ink, 1.5))
        for column in arrow.from_columns:
            painter.setBrush(_colour("surface") if keeps else ink)
            painter.drawEllipse(QPointF(self.column_x(column), y), 4, 4)
        if arrow.to_column is not None:
            starts = [self.column_x(column) for column in arrow.from_columns or (-1,)]
            _paint_heads(painter, self.column_x(arrow.to_column), y, starts, ink)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._paint_name(painter, arrow, (min(ends) + max(ends)) / 2, y, mine=mine)

    def _paint_name(self, painter: QPainter, arrow: MoveArrow, x: float, y: float, *, mine: bool) -> None:
        words = f"{arrow.name} ↶" if arrow.undo else arrow.name
        wide = painter.fontMetrics().horizontalAdvance(words) + 8.0
        left = min(max(2.0, x - wide / 2), self.width() - wide - 2)
        place = QRectF(left, y - 23, wide, 17)
        painter.fillRect(place, _colour("surface"))
        painter.setPen(_colour("text" if mine else "muted"))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_legend(self, painter: QPainter) -> None:
        y = self.height() - _LEGEND / 2 + 4
        ink = _colour("info")
        painter.setPen(QPen(ink, 1.5))
        painter.setBrush(ink)
        painter.drawEllipse(QPointF(_SIDE, y), 4, 4)
        x = _paint_word(painter, _SIDE + 10, y, "from") + 16
        _paint_heads(painter, x + 8, y, [x - 20], ink)
        x = _paint_word(painter, x + 14, y, "to") + 16
        painter.setPen(QPen(ink, 1.5))
        painter.setBrush(_colour("surface"))
        painter.drawEllipse(QPointF(x + 4, y), 4, 4)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        x = _paint_word(painter, x + 14, y, "keeps its state") + 16
        x = _paint_word(painter, x, y, "↶ a correction can take it back") + 16
        painter.setPen(QPen(ink, 1.5, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, y), QPointF(x + 24, y))
        _paint_word(painter, x + 30, y, "what else a correction may change")


def _paint_heads(painter: QPainter, x: float, y: float, starts: Sequence[float], ink: QColor) -> None:
    """An arrow head at ``x`` on each side from which the arrow comes."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    for side in sorted({-1 if start < x else 1 for start in starts}):
        tip = QPointF(x + side, y)
        painter.drawPolygon(QPolygonF([tip, tip + QPointF(9 * side, -5), tip + QPointF(9 * side, 5)]))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_word(painter: QPainter, x: float, y: float, words: str) -> float:
    wide = painter.fontMetrics().horizontalAdvance(words)
    painter.setPen(_colour("muted"))
    painter.drawText(QRectF(x, y - 9, wide + 4, 18), Qt.AlignmentFlag.AlignVCenter, words)
    return x + wide


def _colour(tone: str) -> QColor:
    return QColor(Theme.tokens.colour(tone))
