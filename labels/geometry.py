"""Sizes of the stock in points, and whole printer dots."""

from dataclasses import dataclass

PT_PER_IN = 72.0
MM_PER_IN = 25.4


@dataclass(frozen=True, slots=True)
class Stock:
    """A label or sheet of paper (pt). All are whole points: viewers snap page sizes to them."""

    name: str
    width_pt: int
    height_pt: int

    @property
    def width_mm(self) -> float:
        """Width in millimetres."""
        return self.width_pt / PT_PER_IN * MM_PER_IN

    @property
    def height_mm(self) -> float:
        """Height in millimetres."""
        return self.height_pt / PT_PER_IN * MM_PER_IN

    def turned(self) -> "Stock":
        """The same sheet in landscape."""
        return Stock(self.name, self.height_pt, self.width_pt)


VIAL = Stock("vial label 2.25 × 1.25 in", 162, 90)
BAG = Stock("bag label 4 × 3 in", 288, 216)
LETTER = Stock("Letter", 612, 792)
A4 = Stock("A4", 595, 842)


@dataclass(frozen=True, slots=True)
class Dots:
    """The dot grid of a printer of ``dpi``; its origin is the page's upper left corner."""

    dpi: int

    def pt(self, dots: float) -> float:
        """Points of a number of dots."""
        return dots * PT_PER_IN / self.dpi

    def up(self, pt: float) -> int:
        """The first whole dot at or after ``pt``."""
        return -int(-pt * self.dpi // PT_PER_IN)
