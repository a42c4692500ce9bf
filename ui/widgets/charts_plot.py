"""The drawing inside a picture's widget. Only this module loads the drawing library, and nothing loads it at start-up.

Everything stands at shares of width and height, from 0 to 1: the picture says what that means. The drawing takes no
keys and no mouse; the widget around it does.
"""

from collections.abc import Sequence
from decimal import Decimal
from math import nan

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from pharmacy_app.services.pictures import ClassAxis, Picture, Stop, Tick, path, runs
from ui.theme import TYPE_SMALL, base_font
from ui.widgets.charts import brush_of, colour_of, hatch, mark_path, mark_size, mark_style, pen_of

# The library's own tidying at the end of the program touches objects that Qt has deleted already.
pg.setConfigOptions(antialias=True, exitCleanup=False)

_EDGE = 0.02
"""Room left and right of the drawing, as a share of what is shown: marks at the ends are whole."""

_LABEL = 84
"""The room a label of a date takes beneath the drawing, px."""

_REACH = 24.0
"""How far from the pointer something may lie to be chosen, px."""


class _Boxes(pg.GraphicsObject):  # type: ignore[misc]  # the library has no types
    """Rectangles of one filling. A pattern keeps its size on the screen however the drawing is stretched."""

    def __init__(self, boxes: Sequence[QRectF], brush: QBrush, pen: QPen) -> None:
        super().__init__()
        self._boxes, self._brush, self._pen = list(boxes), brush, pen

    def boundingRect(self) -> QRectF:
        """Around all of them."""
        around = QRectF()
        for box in self._boxes:
            around = around.united(box)
        return around

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Draw them, on whole pixels."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        inverse, possible = painter.worldTransform().inverted()
        brush = QBrush(self._brush)
        if possible:
            brush.setTransform(inverse)
        painter.setBrush(brush)
        painter.setPen(self._pen)
        for box in self._boxes:
            painter.drawRect(box)


class _Straight(pg.InfiniteLine):  # type: ignore[misc]  # the library has no types
    """A line from edge to edge, on whole pixels: two of a kind look alike wherever they stand."""

    def paint(self, painter: QPainter, *rest: object) -> None:
        """Draw it without smoothing."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        super().paint(painter, *rest)


def _pen(token: str, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    pen = QPen(colour_of(token), width, style)
    pen.setCosmetic(True)
    return pen


class Plot(pg.PlotWidget):  # type: ignore[misc]  # the library has no types
    """Draws one picture."""

    def __init__(self) -> None:
        super().__init__()
        for part in (self, self.viewport()):
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFrameShape(pg.PlotWidget.Shape.NoFrame)
        item = self.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        self._box = item.getViewBox()
        self._box.setMouseEnabled(False, False)
        self._box.disableAutoRange()
        self._box.setDefaultPadding(0)
        self._chosen: list[pg.GraphicsObject] = []
        self._axes = {}
        for side in ("left", "bottom", "right", "top"):
            item.showAxis(side)
            axis = item.getAxis(side)
            axis.setStyle(tickFont=base_font(TYPE_SMALL), tickLength=-4 if side in ("left", "bottom") else 0)
            self._axes[side] = axis

    def draw(self, picture: Picture, first: Decimal, last: Decimal, width: int) -> None:
        """Draw a picture from one share of its width to another; nothing of it is chosen."""
        item = self.getPlotItem()
        item.clear()
        self._chosen = []
        self.setBackground(colour_of("surface"))
        shown = float(last - first)
        self._box.setRange(
            xRange=(float(first) - _EDGE * shown, float(last) + _EDGE * shown), yRange=(-0.02, 1.02), padding=0
        )
        self._label(picture, first, last, width)
        self._draw_grounds(picture)
        self._draw_bars(picture)
        self._draw_lines(picture)
        self._draw_marks(picture)

    def choose(self, stop: Stop | None, *, focused: bool) -> None:
        """Show where one stands."""
        for item in self._chosen:
            self.removeItem(item)
        self._chosen = []
        if stop is not None:
            at, token = float(stop.across), "focus" if focused else "control_line"
            none = QBrush(Qt.BrushStyle.NoBrush)
            ring = pg.ScatterPlotItem([at], [float(stop.above)], symbol="o", size=20, pen=_pen(token, 2.4), brush=none)
            self._chosen = [_Straight(pos=at, angle=90, pen=_pen(token)), ring]
            for item in self._chosen:
                self.addItem(item)

    def nearest(self, stops: Sequence[Stop], pointer: QPointF) -> int | None:
        """The number of the stop nearest to a place of this widget, ``None`` when none is near."""
        far = [
            ((where - pointer).manhattanLength(), number)
            for number, stop in enumerate(stops)
            for where in [self.place(stop)]
        ]
        near = [each for each in far if each[0] <= _REACH]
        return min(near)[1] if near else None

    def place(self, stop: Stop) -> QPointF:
        """Where a stop is drawn, in this widget."""
        scene = self._box.mapViewToScene(QPointF(float(stop.across), float(stop.above)))
        return QPointF(self.mapFromScene(scene))

    def share_at(self, pointer: QPointF) -> Decimal:
        """How far across a place of this widget lies."""
        return Decimal(str(self._box.mapSceneToView(self.mapToScene(pointer.toPoint())).x()))

    # -- what stands around

    def _label(self, picture: Picture, first: Decimal, last: Decimal, width: int) -> None:
        metrics = QFontMetricsF(base_font(TYPE_SMALL))
        across, up = picture.across, picture.up
        beside = max((metrics.horizontalAdvance(level.label) for level in picture.levels), default=0.0)
        left = max((metrics.horizontalAdvance(up.say(value)) for value in up.ticks), default=0.0) + 14
        room = max(width - left - beside - 20, 60.0)
        widest = float(_LABEL)
        if isinstance(across, ClassAxis):
            widest = max(metrics.horizontalAdvance(label) for label in across.labels) + 10
        ticks = {
            "left": [(float(up.share(value)), up.say(value)) for value in up.ticks],
            "bottom": [(float(tick.share), tick.label) for tick in across.ticks(int(room // widest), first, last)],
            "right": [(float(up.share(level.value)), level.label) for level in picture.levels],
            "top": self._above(picture.labels_above(), first, last, room, metrics),
        }
        for side, axis in self._axes.items():
            axis.setPen(_pen("control_line" if side in ("left", "bottom") else "line"))
            axis.setTextPen(colour_of("text" if side in ("right", "top") else "muted"))
            axis.setTicks([ticks[side]])
        self._axes["left"].setWidth(left)
        self._axes["right"].setWidth(beside + 14 if beside else 8)
        self._axes["top"].setHeight(20 if ticks["top"] else 8)
        self._axes["bottom"].setLabel(f"<span style='font-size:{TYPE_SMALL}px'>{across.caption}</span>")
        self._axes["bottom"].label.setDefaultTextColor(colour_of("muted"))
        self._axes["bottom"].label.setFont(base_font(TYPE_SMALL))

    @staticmethod
    def _above(
        labels: Sequence[Tick], first: Decimal, last: Decimal, room: float, metrics: QFontMetricsF
    ) -> list[tuple[float, str]]:
        """The labels above that have room; one that would lie on another is left to its words."""
        shown: list[tuple[float, str]] = []
        end = -1.0
        for tick in labels:
            if first <= tick.share <= last:
                middle = float((tick.share - first) / (last - first)) * room
                half = metrics.horizontalAdvance(tick.label) / 2
                if middle - half >= end:
                    shown.append((float(tick.share), tick.label))
                    end = middle + half + 4
        return shown

    # -- what is drawn

    def _draw_grounds(self, picture: Picture) -> None:
        up, across = picture.up, picture.across
        for zone in picture.zones:
            low, high = float(up.share(zone.low)), float(up.share(zone.high))
            pale = QBrush(colour_of("ok_ground"))
            self.addItem(_Boxes([QRectF(-1, low, 3, high - low)], pale, QPen(Qt.PenStyle.NoPen)))
        for value in up.ticks:
            self._straight(float(up.share(value)), 0, _pen("line"))
        boxes = []
        for band in picture.bands:
            left, right = float(across.share(band.start)), float(across.share(band.end))
            boxes.append(QRectF(left, -0.02, max(right - left, 0.003), 1.04))
        if boxes:
            self.addItem(_Boxes(boxes, hatch(), _pen("control_line")))
        for level in picture.levels:
            self._straight(float(up.share(level.value)), 0, _pen("stop", 2, Qt.PenStyle.DashLine))
        for moment in picture.moments:
            self._straight(float(across.share(moment.at)), 90, _pen("link", 2, Qt.PenStyle.DotLine))

    def _straight(self, at: float, angle: int, pen: QPen) -> None:
        self.addItem(_Straight(pos=at, angle=angle, pen=pen))

    def _draw_bars(self, picture: Picture) -> None:
        across, up = picture.across, picture.up
        for bars in picture.bars:
            assert isinstance(across, ClassAxis)  # bars stand over classes
            half = float(bars.width) / len(across.labels) / 2
            boxes = []
            for bar in bars.bars:
                low, high = float(up.share(bar.low)), float(up.share(bar.high))
                if high > low:
                    boxes.append(QRectF(float(across.share(bar.at)) - half, low, 2 * half, high - low))
            pen = QPen(colour_of(bars.tone), 1)
            pen.setCosmetic(True)
            self.addItem(_Boxes(boxes, brush_of(bars.fill, bars.tone), pen))

    def _draw_lines(self, picture: Picture) -> None:
        for line in picture.lines:
            across: list[float] = []
            above: list[float] = []
            for run in runs(line):
                for share, level in path(picture, line, run):
                    across.append(float(share))
                    above.append(float(level))
                across.append(nan)
                above.append(nan)
            curve = pg.PlotCurveItem(across, above, pen=pen_of(line), connect="finite")
            # A long curve takes long to draw: it is kept while one goes from point to point.
            curve.setCacheMode(pg.PlotCurveItem.CacheMode.DeviceCoordinateCache)
            self.addItem(curve)

    def _draw_marks(self, picture: Picture) -> None:
        for marks in picture.marks:
            known = [(point.at, point.value) for point in marks.points if point.value is not None]
            pen, brush = mark_style(marks)
            self.addItem(
                pg.ScatterPlotItem(
                    [float(picture.across.share(at)) for at, _ in known],
                    [float(picture.up.share(value)) for _, value in known],
                    symbol=mark_path(marks.shape),
                    size=mark_size(marks.shape),
                    pen=pen,
                    brush=brush,
                )
            )
