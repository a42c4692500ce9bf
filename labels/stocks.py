"""The stock that labels are printed on: rolls, sheets in a grid, and own sizes."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from labels.geometry import A4, LETTER, MM_PER_IN, PT_PER_IN, Dots, Stock
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.units import show
from pharmacy_app.services.papers import LabelSetup

SMALLEST_MM, LARGEST_MM = Decimal(10), Decimal(300)
_PAPERS = {"letter": LETTER, "a4": A4}


def points(mm: Decimal | float) -> float:
    """Millimetres in points."""
    return float(mm) * PT_PER_IN / MM_PER_IN


@dataclass(frozen=True, slots=True)
class Grid:
    """Labels on a sheet of paper, counted from 1 along the rows; distances in millimetres."""

    paper: Stock
    columns: int
    rows: int
    left_mm: float
    top_mm: float
    pitch_x_mm: float
    pitch_y_mm: float

    @property
    def count(self) -> int:
        """Labels a sheet."""
        return self.columns * self.rows

    def corner(self, position: int, dots: Dots) -> tuple[int, int]:
        """Upper left corner of the label at ``position`` (from 0), in whole dots of the sheet."""
        row, column = divmod(position, self.columns)
        across = points(self.left_mm + column * self.pitch_x_mm)
        down = points(self.top_mm + row * self.pitch_y_mm)
        return round(across * dots.dpi / PT_PER_IN), round(down * dots.dpi / PT_PER_IN)


@dataclass(frozen=True, slots=True)
class Choice:
    """A stock with its sheet, if it comes on one."""

    stock: Stock
    grid: Grid | None = None


def whole_points(name: str, width_mm: Decimal, height_mm: Decimal) -> Stock:
    """A stock of this size; a broken point at the edge stays blank, as viewers snap pages to whole points."""
    return Stock(name, int(points(width_mm) + 0.01), int(points(height_mm) + 0.01))


@lru_cache(maxsize=1)
def choices() -> Mapping[str, Choice]:
    """Every shipped stock by its name, the largest label first among the rolls."""
    shipped = tomllib.loads((Path(__file__).parent / "stock.toml").read_text(encoding="utf-8"))
    found = {name: Choice(_size(name, entry)) for name, entry in shipped["stock"].items()}
    for name, entry in shipped["sheet"].items():
        paper = _PAPERS[entry["paper"]]
        distances = (float(entry[key]) for key in ("left_mm", "top_mm", "pitch_x_mm", "pitch_y_mm"))
        found[name] = Choice(_size(name, entry), Grid(paper, entry["columns"], entry["rows"], *distances))
    return MappingProxyType(found)


def rolls() -> tuple[Stock, ...]:
    """The label stocks on rolls, the largest first."""
    return tuple(choice.stock for choice in choices().values() if choice.grid is None)


def _size(name: str, entry: Mapping[str, Any]) -> Stock:
    return whole_points(name, Decimal(entry["width_mm"]), Decimal(entry["height_mm"]))


def chosen(setup: LabelSetup, usual: str) -> Choice:
    """The stock of a print; refused when it is not known, or its size is no label's."""
    if setup.width_mm is None and setup.height_mm is None:
        name = setup.stock or usual
        choice = choices().get(name)
        if choice is None:
            known = "; ".join(choices())
            raise Refused(Fault("stock", f"There is no stock “{name}”. Choose one of: {known}; or type a size in mm."))
        if not 1 <= setup.start_at <= (choice.grid.count if choice.grid else 1):
            count = choice.grid.count if choice.grid else 1
            raise Refused(
                Fault("start_at", f"“{name}” has the positions 1 to {count}; a print cannot start at {setup.start_at}.")
            )
        return choice
    return Choice(_own(setup.width_mm, setup.height_mm))


def _own(width_mm: Decimal | None, height_mm: Decimal | None) -> Stock:
    faults = []
    for field, size in (("width_mm", width_mm), ("height_mm", height_mm)):
        if size is None:
            faults.append(Fault(field, "An own label size needs its width and its height in mm."))
        elif not size.is_finite() or not SMALLEST_MM <= size <= LARGEST_MM:
            faults.append(
                Fault(field, f"A label is {SMALLEST_MM} mm to {LARGEST_MM} mm wide and high; this one is {size} mm.")
            )
    if faults or width_mm is None or height_mm is None:
        raise Refused(*faults)
    return whole_points(f"{show(width_mm)} × {show(height_mm)} mm", width_mm, height_mm)
