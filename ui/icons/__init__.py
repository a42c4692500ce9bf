"""Line icons drawn on a grid of 24, coloured when painted so that both palettes share one drawing.

The files named ``sheet-*.svg`` serve the style sheet alone, which cannot colour an image.
"""

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap

_FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    """The names of all icons."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.svg") if not path.stem.startswith("sheet-")))


@lru_cache(maxsize=512)
def pixmap(name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
    """The icon ``name`` in ``colour`` (``#rrggbb``), ``size`` logical pixels square.

    An unknown name is a programming error (``FileNotFoundError``).
    """
    from PySide6.QtSvg import QSvgRenderer

    text = (_FOLDER / f"{name}.svg").read_text("utf-8").replace("currentColor", colour)
    if size <= 20:
        text = text.replace('stroke-width="1.75"', 'stroke-width="2"')
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(text.encode())).render(painter, QRectF(picture.rect()))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def icon(name: str, colour: str, size: int, ratio: float = 1.0, *, gap: int = 0) -> QIcon:
    """The same as a ``QIcon`` whose disabled look is the same drawing (the colour says the state).

    ``gap`` leaves so many logical pixels free between the drawing and the words behind it.
    """
    drawing = pixmap(name, colour, size, ratio)
    picture = QPixmap(round((size + gap) * ratio), round(size * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.drawPixmap(0, 0, drawing)
    painter.end()
    result = QIcon(picture)
    result.addPixmap(picture, QIcon.Mode.Disabled)
    return result
