"""Bar codes: what they may say, their modules, and how they are drawn on whole printer dots.

A code carries one of our own numbers and nothing about a person (REGULATION B-05). The encoders only warn about bad
content, so it is checked here.
"""

import re
from dataclasses import dataclass
from typing import Any, cast

from labels.geometry import Dots
from pharmacy_app.domain.errors import Fault, Refused

_OWN_NUMBER = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,18}[A-Z0-9])?")
TRIM = 0.02
"""Share of a dot taken off each edge: a raster that paints every touched dot would thicken the bars."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """An encoded number: rows of modules (``1`` is dark), and its quiet zone in modules."""

    content: str
    rows: tuple[str, ...]
    quiet: int
    two_dimensional: bool

    def size(self) -> tuple[int, int]:
        """Modules across and down, quiet zones included (a bar code has none above and below)."""
        down = len(self.rows) + (2 * self.quiet if self.two_dimensional else 0)
        return len(self.rows[0]) + 2 * self.quiet, down


def own_number_faults(field: str, number: str) -> list[Fault]:
    """One of our numbers: 1 to 20 capital letters, digits and hyphens, no hyphen at either end."""
    if _OWN_NUMBER.fullmatch(number):
        return []
    return [
        Fault(
            field,
            f"“{number}” cannot stand in a bar code as {field}: it takes 1 to 20 capital letters, digits and hyphens.",
        )
    ]


def _checked(field: str, number: str) -> str:
    faults = own_number_faults(field, number)
    if faults:
        raise Refused(*faults)
    return number


def code128(field: str, number: str) -> Symbol:
    """Code 128 of one of our numbers, quiet zone 10 modules."""
    import barcode

    modules = barcode.get("code128", _checked(field, number)).build()[0]
    return Symbol(number, (modules,), quiet=10, two_dimensional=False)


def data_matrix(field: str, number: str) -> Symbol:
    """Plain square DataMatrix of one of our numbers."""
    return _matrix(_checked(field, number), number, gs1=False)


def gs1_data_matrix(field: str, number: str) -> Symbol:
    """GS1 DataMatrix of ``(91)number``: 91 is for our own use, a GTIN is never invented (REGULATION B-04)."""
    return _matrix(f"(91){_checked(field, number)}", number, gs1=True)


def _matrix(text: str, number: str, *, gs1: bool) -> Symbol:
    import zxingcpp

    code = zxingcpp.create_barcode(text, zxingcpp.DataMatrix, gs1=gs1, force_square=True)
    image = memoryview(cast(Any, code.to_image(scale=1, add_quiet_zones=False)))
    down, across = image.shape or (0, 0)
    rows = tuple("".join("1" if image[row, col] == 0 else "0" for col in range(across)) for row in range(down))
    return Symbol(f"(91){number}" if gs1 else number, rows, quiet=1, two_dimensional=True)


def draw(
    canvas: Any, symbol: Symbol, dots: Dots, *, left: int, top: int, module: int, bar_height: int = 0, page_pt: float
) -> None:
    """Draw ``symbol`` as one vector path; ``left`` and ``top`` are the outer corner of its quiet zone in dots.

    ``module`` is the width of a module in dots; under 2 a thermal head cannot hold the bars, so it is refused.
    ``bar_height`` (dots) is the height of a bar code's bars.
    """
    if module < 2:
        raise Refused(Fault("printer", f"At {dots.dpi} dpi a bar of {module} dot cannot be read; use 2 dots or more."))
    path = canvas.beginPath()
    down = module if symbol.two_dimensional else bar_height
    first_row = top + (symbol.quiet * module if symbol.two_dimensional else 0)
    for number, row in enumerate(symbol.rows):
        upper = first_row + number * module
        for dark in re.finditer("1+", row):
            x = left + (symbol.quiet + dark.start()) * module
            across = (dark.end() - dark.start()) * module
            path.rect(
                dots.pt(x + TRIM),
                page_pt - dots.pt(upper + down - TRIM),
                dots.pt(across - 2 * TRIM),
                dots.pt(down - 2 * TRIM),
            )
    canvas.saveState()
    canvas.setFillGray(0)
    canvas.drawPath(path, stroke=0, fill=1)
    canvas.restoreState()
