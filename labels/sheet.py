"""A label's page: text placed from the upper left corner, every misfit collected with its field."""

from typing import Any

from labels import text
from labels.codes import Symbol, draw
from labels.geometry import Dots, Stock
from pharmacy_app.domain.errors import Fault


class Sheet:
    """One page of label stock. ``y`` is a base line in points below the upper edge."""

    def __init__(self, canvas: Any, stock: Stock, dots: Dots) -> None:
        self.canvas = canvas
        self.stock = stock
        self.dots = dots
        self.faults: list[Fault] = []

    def line(
        self,
        field: str,
        words: str,
        *,
        x: float,
        y: float,
        room: float,
        font: str = text.PLAIN,
        size: float = 7,
        smallest: float = text.SMALLEST_PT,
        align: str = "left",
    ) -> float:
        """One line within ``room`` points, not under ``smallest``; returns its end (its start, if right)."""
        strange = text.character_faults(field, words, font)
        fitting = text.fitting_size(words, font, size, smallest, room)
        if strange or fitting is None:
            self.faults += strange or [self._too_long(field, words)]
            return x
        across = text.width(words, font, fitting)
        start = {"left": x, "right": x - across, "centre": x - across / 2}[align]
        self._put(words, start, y, font, fitting)
        return start + across if align == "left" else start

    def block(
        self, field: str, words: str, *, x: float, y: float, room: float, font: str, size: float, lines: int
    ) -> float:
        """Up to ``lines`` wrapped lines; returns the base line after the last one."""
        strange = text.character_faults(field, words, font)
        pieces = [] if strange else text.wrap(words, font, size, room)
        if strange or len(pieces) > lines:
            self.faults += strange or [self._too_long(field, words)]
            return y
        for piece in pieces:
            self._put(piece, x, y, font, size)
            y += size * 1.15
        return y

    def rule(self, y: float, x: float, room: float, thickness: float = 0.5) -> None:
        """A thin line across."""
        self.canvas.setLineWidth(thickness)
        self.canvas.line(x, self.stock.height_pt - y, x + room, self.stock.height_pt - y)

    def frame(self, x: float, top: float, room: float, height: float, thickness: float = 0.8) -> None:
        """An empty box."""
        self.canvas.setLineWidth(thickness)
        self.canvas.rect(x, self.stock.height_pt - top - height, room, height)

    def code(self, symbol: Symbol, *, x: float, top: float, module: int, height_pt: float = 0) -> tuple[float, float]:
        """Draw a code on the next whole dots; returns its right and lower edge, quiet zone included (pt)."""
        left, upper = self.dots.up(x), self.dots.up(top)
        bar_height = self.dots.up(height_pt)
        draw(
            self.canvas,
            symbol,
            self.dots,
            left=left,
            top=upper,
            module=module,
            bar_height=bar_height,
            page_pt=self.stock.height_pt,
        )
        across, down = symbol.size()
        deep = down * module if symbol.two_dimensional else bar_height
        return self.dots.pt(left + across * module), self.dots.pt(upper + deep)

    def code_size(self, symbol: Symbol, module: int) -> float:
        """Width of a code with its quiet zone (pt)."""
        return self.dots.pt(symbol.size()[0] * module)

    def _put(self, words: str, x: float, y: float, font: str, size: float) -> None:
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, self.stock.height_pt - y, words)

    def _too_long(self, field: str, words: str) -> Fault:
        return Fault(
            field,
            f"The {field.replace('_', ' ')} (“{words}”) does not fit on the {self.stock.name}. Nothing was "
            "printed; shorten it and print again.",
        )
