"""One widget that draws any picture, in the colours of the palette in force.

The drawing library is loaded after the page is painted for the first time. The arrow keys go from point to point and
the words of the one chosen stand beneath; a click does the same. The wheel scrolls the page; with Ctrl it draws time
out around the pointer, as + and − do around what is chosen, and 0 shows all of it again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from pharmacy_app.services.pictures import (
    Bars,
    Fill,
    Line,
    Marks,
    Picture,
    Shape,
    Stop,
    Stroke,
    Tone,
    Zone,
    blank,
)
from ui.theme import SPACE_L, SPACE_S, SPACE_XS, TYPE_SMALL, Theme, base_font
from ui.widgets.basics import Text, announce

HEIGHT = 220
"""The height of a drawing without its key and its words, px."""

_HINT = "Use the arrow keys to go from point to point."
_FAR = 10
"""How many points Page Up and Page Down go."""

_ZOOM = Decimal("0.8")
_MOST_ZOOM = Decimal("0.05")
_TONES = {Tone.MAIN: "info", Tone.SECOND: "warn", Tone.STOP: "stop", Tone.QUIET: "muted"}
_SAMPLE = 26.0
_LINE = 20.0


def colour_of(tone: Tone | str) -> QColor:
    """The colour of a tone or of a token of the palette in force."""
    token = _TONES[tone] if isinstance(tone, Tone) else tone
    return QColor(Theme.tokens.colour(token))


def pen_of(line: Line) -> QPen:
    """How a line is drawn: width and dashes say what its colour says."""
    width = {Stroke.SOLID: 1.6, Stroke.THICK: 3.4, Stroke.DASHED: 1.6}[line.stroke]
    tone: Tone | str = "text" if line.stroke is Stroke.THICK else line.tone
    pen = QPen(colour_of(tone), width)
    pen.setCosmetic(True)
    if line.stroke is Stroke.DASHED:
        pen.setDashPattern([5, 3])
    return pen


_SIZES = {
    Shape.CIRCLE: 7,
    Shape.RING: 12,
    Shape.DIAMOND: 17,
    Shape.DASH: 22,
    Shape.UP: 11,
    Shape.DOWN: 11,
    Shape.CROSS: 10,
}


@cache
def mark_path(shape: Shape) -> QPainterPath:
    """A mark of size 1 around the place it stands for."""
    drawn = QPainterPath()
    if shape in (Shape.CIRCLE, Shape.RING):
        drawn.addEllipse(QPointF(0, 0), 0.5, 0.5)
        return drawn
    corners = {
        Shape.DIAMOND: ((0, -1), (1, 0), (0, 1), (-1, 0), (0, -1)),
        Shape.UP: ((0, -1), (1, 0.8), (-1, 0.8), (0, -1)),
        Shape.DOWN: ((0, 1), (1, -0.8), (-1, -0.8), (0, 1)),
        Shape.DASH: ((-1, 0), (1, 0)),
        Shape.CROSS: ((-1, -1), (1, 1), (0, 0), (-1, 1), (1, -1)),
    }[shape]
    drawn.moveTo(corners[0][0] / 2, corners[0][1] / 2)
    for across, down in corners[1:]:
        drawn.lineTo(across / 2, down / 2)
    return drawn


def mark_size(shape: Shape) -> int:
    """How large a mark is drawn, px."""
    return _SIZES[shape]


def mark_style(marks: Marks) -> tuple[QPen, QBrush]:
    """Outline and filling of a mark."""
    filled = marks.shape in (Shape.CIRCLE, Shape.UP, Shape.DOWN)
    colour = colour_of(marks.tone)
    pen = QPen(colour, 1.0 if filled else 2.4 if marks.shape in (Shape.CROSS, Shape.DASH) else 1.8)
    pen.setCosmetic(True)
    return pen, QBrush(colour) if filled else QBrush(Qt.BrushStyle.NoBrush)


def brush_of(fill: Fill, tone: Tone) -> QBrush:
    """How a bar is filled; its outline is drawn in its tone's colour."""
    if fill is Fill.PALE:
        return QBrush(colour_of("info_ground"))
    return QBrush(colour_of(tone), Qt.BrushStyle.SolidPattern if fill is Fill.SOLID else Qt.BrushStyle.BDiagPattern)


Sample = Line | Marks | Bars | Zone | str
"""What a line of the key shows: a series, a zone, or '' for the hatched bands."""


def key_of(picture: Picture) -> list[tuple[Sample, str]]:
    """What is drawn and what it is called, in the order of the key."""
    found: list[tuple[Sample, str]] = [(line, line.name) for line in picture.lines if line.name]
    found += [(each, each.name) for each in picture.marks if each.name]
    found += [(each, each.name) for each in picture.bars]
    found += [(zone, zone.name) for zone in picture.zones]
    if picture.bands and picture.bands_name:
        found.append(("", picture.bands_name))
    return found


class _Key(QWidget):
    """What each line, mark and pattern means, in as many lines as the width needs."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[tuple[Sample, str]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_picture(self, picture: Picture) -> None:
        """Show another picture's key."""
        self._entries = key_of(picture)
        self._fit()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the lines anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        last = [place for _, _, place in self._places()][-1:]
        self.setFixedHeight(round(last[0].bottom()) if last else 0)

    def _places(self) -> Iterator[tuple[Sample, str, QRectF]]:
        metrics = QFontMetricsF(base_font(TYPE_SMALL))
        x = y = 0.0
        for sample, name in self._entries:
            across = _SAMPLE + SPACE_S + metrics.horizontalAdvance(name) + 2
            if x and x + across > self.width():
                x, y = 0.0, y + _LINE
            yield sample, name, QRectF(x, y, across, _LINE)
            x += across + SPACE_L

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw in the colours of the palette now in force."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(base_font(TYPE_SMALL))
        for sample, name, place in self._places():
            _paint_sample(painter, sample, QRectF(place.left(), place.top(), _SAMPLE, place.height()))
            painter.setPen(colour_of("text"))
            painter.drawText(
                place.adjusted(_SAMPLE + SPACE_S, 0, 0, 0),
                Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                name,
            )
        painter.end()


def _paint_sample(painter: QPainter, sample: Sample, place: QRectF) -> None:
    middle = place.center()
    if isinstance(sample, Line):
        painter.setPen(pen_of(sample))
        painter.drawLine(QPointF(place.left(), middle.y()), QPointF(place.right(), middle.y()))
    elif isinstance(sample, Marks):
        pen, brush = mark_style(sample)
        painter.setPen(pen)
        painter.setBrush(brush)
        painter.save()
        painter.translate(middle)
        painter.scale(mark_size(sample.shape), mark_size(sample.shape))
        painter.drawPath(mark_path(sample.shape))
        painter.restore()
    else:
        box = QRectF(place.left() + 3, middle.y() - 6, place.width() - 6, 12)
        if isinstance(sample, Bars):
            painter.setBrush(brush_of(sample.fill, sample.tone))
            painter.setPen(QPen(colour_of(sample.tone), 1))
        elif isinstance(sample, Zone):
            painter.setBrush(colour_of("ok_ground"))
            painter.setPen(QPen(colour_of("control_line"), 1, Qt.PenStyle.DotLine))
        else:
            painter.setBrush(hatch())
            painter.setPen(QPen(colour_of("control_line"), 1))
        painter.drawRect(box)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def hatch() -> QBrush:
    """How a band is filled: what it covers can be seen through it."""
    colour = colour_of("warn")
    colour.setAlpha(150)
    return QBrush(colour, Qt.BrushStyle.BDiagPattern)


@dataclass(slots=True)
class _Window:
    """The part of the width that is shown, as shares."""

    first: Decimal = Decimal(0)
    last: Decimal = Decimal(1)

    @property
    def is_whole(self) -> bool:
        """Whether all of it is shown."""
        return self.first <= 0 and self.last >= 1

    def zoom(self, times: Decimal, around: Decimal) -> None:
        """Show less or more of it, keeping one place where it is."""
        width = min(max((self.last - self.first) * times, _MOST_ZOOM), Decimal(1))
        part = (around - self.first) / (self.last - self.first)
        self._place(around - width * part, width)

    def show(self, at: Decimal) -> bool:
        """Move so that a place is inside; says whether that was needed."""
        if self.first <= at <= self.last:
            return False
        width = self.last - self.first
        self._place(at - width / 2, width)
        return True

    def _place(self, first: Decimal, width: Decimal) -> None:
        self.first = min(max(first, Decimal(0)), Decimal(1) - width)
        self.last = self.first + width


class PictureView(QWidget):
    """A picture with its key and its words. Signal ``chosen(str words)``.

    ``titled`` writes the picture's title above it, where the page has none.
    """

    chosen = Signal(str)

    def __init__(
        self,
        picture: Picture | None = None,
        *,
        name: str,
        titled: bool = False,
        height: int = HEIGHT,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._picture = blank("", "")
        self._stops: tuple[Stop, ...] = ()
        self._at = -1
        self._window = _Window()
        self._plot: Any = None
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._load)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_XS)
        self._title = Text("", "label", name=f"{name}_title")
        self._title.setVisible(titled)
        self._key = _Key()
        # It holds the drawing's room before the drawing is there, so that nothing moves when it comes.
        self._room = QWidget()
        self._room.setFixedHeight(height)
        inner = QVBoxLayout(self._room)
        # The frame of the focus is drawn in this margin.
        inner.setContentsMargins(3, 3, 3, 3)
        self._said = Text("", "small", name=f"{name}_words")
        self._said.setAlignment(Qt.AlignmentFlag.AlignTop)
        for widget in (self._title, self._key, self._room, self._said):
            column.addWidget(widget)
        self.set_picture(picture or self._picture)

    # -- what is shown

    def set_picture(self, picture: Picture) -> None:
        """Draw another picture; what was chosen stays so where it still says the same."""
        kept = self.chosen_words()
        self._picture = picture
        self._stops = picture.stops()
        self._at = next((at for at, stop in enumerate(self._stops) if kept and stop.words == kept), -1)
        if self._at < 0:
            self._window = _Window()
        self._title.setText(picture.title)
        self._key.set_picture(picture)
        self._key.setVisible(not picture.empty)
        self._room.setVisible(not picture.empty)
        # Two lines always: the page beneath does not move from point to point.
        self._said.setMinimumHeight(0 if picture.empty else 2 * self._said.fontMetrics().lineSpacing())
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus if picture.empty else Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(picture.summary)
        self._describe()
        if self._plot is not None:
            self._draw()
        elif self.isVisible():
            self._soon.start()

    def picture(self) -> Picture:
        """What is drawn."""
        return self._picture

    def chosen_words(self) -> str:
        """The words of what is chosen, '' for nothing."""
        return self._stops[self._at].words if self._at >= 0 else ""

    def is_drawn(self) -> bool:
        """Whether the drawing is there: it comes after the page's first paint."""
        return self._plot is not None

    def _describe(self) -> None:
        words = self.chosen_words()
        self._said.setText(words or self._picture.summary)
        self.setAccessibleDescription(words or (_HINT if self._stops else ""))

    # -- the drawing

    def showEvent(self, event: QShowEvent) -> None:
        """Load the drawing library once the page is painted."""
        super().showEvent(event)
        if self._plot is None and not self._picture.empty:
            self._soon.start()

    def changeEvent(self, event: QEvent) -> None:
        """Draw in the colours of another palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._plot is not None:
            self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Label as much as there is room for."""
        super().resizeEvent(event)
        if self._plot is not None:
            self._draw()

    def _load(self) -> None:
        if self._plot is None and not self._picture.empty:
            from ui.widgets.charts_plot import Plot

            self._plot = Plot()
            layout = self._room.layout()
            assert layout is not None
            layout.addWidget(self._plot)
        if self._plot is not None:
            self._draw()

    def _draw(self) -> None:
        self._plot.draw(self._picture, self._window.first, self._window.last, self._room.width())
        self._show_chosen()

    def _show_chosen(self) -> None:
        self._plot.choose(self._stops[self._at] if self._at >= 0 else None, focused=self.hasFocus())

    # -- hands

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right: the next point; up and down: the next series; Home, End, Page keys; +, − and 0."""
        key, last = event.key(), len(self._stops) - 1
        steps = {
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_PageDown: _FAR,
            Qt.Key.Key_PageUp: -_FAR,
        }
        if last < 0:
            super().keyPressEvent(event)
        elif key in steps:
            step = steps[Qt.Key(key)]
            begin = self._at if self._at >= 0 else (-1 if step > 0 else last + 1)
            self._go(min(max(begin + step, 0), last))
        elif key == Qt.Key.Key_Home:
            self._go(0)
        elif key == Qt.Key.Key_End:
            self._go(last)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._go(self._other_series(-1 if key == Qt.Key.Key_Up else 1))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            middle = (self._window.first + self._window.last) / 2
            around = self._stops[self._at].across if self._at >= 0 else middle
            self._zoom(1 / _ZOOM if key == Qt.Key.Key_Minus else _ZOOM, around)
        elif key == Qt.Key.Key_0:
            self._zoom(1 / _MOST_ZOOM, Decimal("0.5"))
        else:
            super().keyPressEvent(event)

    def _other_series(self, step: int) -> int:
        """The stop nearest to the chosen one in the next series."""
        here = self._stops[max(self._at, 0)]
        others = sorted({stop.series for stop in self._stops if (stop.series - here.series) * step > 0})
        if not others:
            return max(self._at, 0)
        series = others[0] if step > 0 else others[-1]
        mine = [at for at, stop in enumerate(self._stops) if stop.series == series]
        return min(mine, key=lambda at: abs(self._stops[at].across - here.across))

    def _go(self, number: int) -> None:
        self._at = number
        moved = self._window.show(self._stops[number].across)
        self._describe()
        if self._plot is not None and moved:
            self._draw()
        elif self._plot is not None:
            self._show_chosen()
        announce(self, self.chosen_words())
        self.chosen.emit(self.chosen_words())

    def _zoom(self, times: Decimal, around: Decimal) -> None:
        self._window.zoom(times, around)
        if self._plot is not None:
            self._draw()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose what lies nearest to the pointer, if it is near."""
        if self._plot is None or not self._stops:
            return
        nearest = self._plot.nearest(self._stops, self._plot.mapFrom(self, event.position()))
        if nearest is not None:
            self._go(nearest)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page; with Ctrl draw time out or in."""
        if self._plot is None or not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
            return
        turned = event.angleDelta().y()
        if turned:
            around = self._plot.share_at(self._plot.mapFrom(self, event.position()))
            self._zoom(_ZOOM if turned > 0 else 1 / _ZOOM, around)
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keys go."""
        super().focusInEvent(event)
        self.update()
        if self._plot is not None:
            self._show_chosen()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that the keys go elsewhere."""
        super().focusOutEvent(event)
        self.update()
        if self._plot is not None:
            self._show_chosen()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A frame around what has the focus."""
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(colour_of("focus"), 2))
            painter.drawRoundedRect(QRectF(self._room.geometry()).adjusted(1, 1, -1, -1), 6, 6)
            painter.end()
