"""Bar codes: what they may say, their modules, and how they are drawn on whole printer dots.

A code carries one of our own numbers and nothing about a person (REGULATION B-05). The encoders only warn about bad
content, so it is checked here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from labels.geometry import MM_PER_IN, PT_PER_IN, Dots
from pharmacy_app.domain import gs1
from pharmacy_app.domain.errors import Fault, Refused, refuse_any
from pharmacy_app.domain.label_marks import IDENTIFIER

_OWN_NUMBER = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,18}[A-Z0-9])?")
_HEAD = re.compile(r"[0-9a-f]{64}")
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


@lru_cache(maxsize=4096)
def code128(field: str, number: str, mark: str = "") -> Symbol:
    """Code 128 of one of our numbers with the mark of its label behind it, quiet zone 10 modules.

    It is no GS1 code, so the 12.7 mm of height that GS1-128 must have do not bind it.
    """
    import barcode

    content = _checked(field, number) + _checked_mark(field, mark)
    modules = barcode.get("code128", content).build()[0]
    return Symbol(content, (modules,), quiet=10, two_dimensional=False)


def data_matrix(field: str, number: str, mark: str = "") -> Symbol:
    """Plain square DataMatrix of one of our numbers with the mark of its label behind it."""
    content = _checked(field, number) + _checked_mark(field, mark)
    return _matrix(content, content, as_gs1=False)


def gs1_data_matrix(field: str, number: str, mark: str = "") -> Symbol:
    """GS1 DataMatrix of ``(91)number``: 91 is for our own use, a GTIN is never invented (REGULATION B-04).

    The mark of the label follows as ``(92)mark``.
    """
    content = _own_elements(field, number, mark)
    return _matrix(content, content, as_gs1=True)


def gs1_128(field: str, number: str, mark: str = "") -> Symbol:
    """GS1-128 of the same elements as ``gs1_data_matrix``, quiet zone 10 modules."""
    return _gs1_bars(_own_elements(field, number, mark))


def _own_elements(field: str, number: str, mark: str) -> str:
    own = f"(91){_checked(field, number)}"
    return f"{own}({IDENTIFIER}){_checked_mark(field, mark)}" if mark else own


def _checked_mark(field: str, mark: str) -> str:
    return _checked(field, mark) if mark else ""


def head_matrix(events: int, head: str) -> Symbol:
    """DataMatrix of a journal's head at the foot of a record: ``events:head``, the head in all its 64 digits."""
    content = f"{events}:{head}"
    if events < 0 or not _HEAD.fullmatch(head):
        raise Refused(Fault("stamp", "The journal has no head to print. Verify the journal, then print again."))
    return _matrix(content, content, as_gs1=False)


def element_symbol(elements: Sequence[tuple[str, str, str]], *, two_dimensional: bool) -> Symbol:
    """GS1 DataMatrix or GS1-128 of identifiers, values and their fields' names; fixed lengths stand first.

    Raises ``Refused`` naming the field for a wrong check digit or a value that GS1 does not allow.
    """
    faults = [fault for each in elements for fault in _element_faults(*each)]
    refuse_any(faults)
    checked = gs1.in_order([gs1.Element(identifier, value) for identifier, value, _ in elements])
    gs1.element_string(checked)
    readable = gs1.human(checked)
    return _matrix(readable, readable, as_gs1=True) if two_dimensional else _gs1_bars(readable)


def _element_faults(identifier: str, value: str, field: str) -> list[Fault]:
    if "(" in value or ")" in value:
        # The encoder takes parentheses for the next identifier.
        words = f"“{value}” cannot stand in a GS1 code as {field}: it has a parenthesis. Leave the GTIN out."
        return [Fault(field, words)]
    try:
        gs1.check_element(gs1.Element(identifier, value))
    except gs1.BadCode as refused:
        return [Fault(field, fault.sentence) for fault in refused.faults]
    return []


@lru_cache(maxsize=4096)
def _matrix(text: str, content: str, *, as_gs1: bool) -> Symbol:
    import zxingcpp

    code = zxingcpp.create_barcode(text, zxingcpp.DataMatrix, gs1=as_gs1, force_square=True)
    return Symbol(content, _modules(code), quiet=1, two_dimensional=True)


@lru_cache(maxsize=1024)
def _gs1_bars(readable: str) -> Symbol:
    import zxingcpp

    code = zxingcpp.create_barcode(readable, zxingcpp.Code128, gs1=True)
    return Symbol(readable, _modules(code)[:1], quiet=10, two_dimensional=False)


def _modules(code: Any) -> tuple[str, ...]:
    image = memoryview(cast(Any, code.to_image(scale=1, add_quiet_zones=False)))
    down, across = image.shape or (0, 0)
    pixels = image.tobytes().translate(_SIGNS).decode("ascii")
    return tuple(pixels[row * across : (row + 1) * across] for row in range(down))


_SIGNS = bytes(ord("1") if gray == 0 else ord("0") for gray in range(256))


def smallest_module(symbol: Symbol, dots: Dots) -> int:
    """Whole dots of the smallest module that may be printed.

    A DataMatrix has 0.254 mm at least: 3 dots at 203 and at 300 dpi. A bar code has 0.170 mm: 2 and 3 dots. Neither
    goes below 2 dots (REGULATION B-06, B-09).
    """
    # 0.254 mm is a hundredth of an inch.
    least = -(-dots.dpi // 100) if symbol.two_dimensional else -(-dots.dpi * 170 // 25400)
    return max(2, least)


def wanted_module(symbol: Symbol, dots: Dots, wanted_mm: float) -> int:
    """The whole dots nearest to a wished module, never below the smallest."""
    return max(smallest_module(symbol, dots), round(wanted_mm * dots.dpi / MM_PER_IN))


def dose_codes(dose_id: str) -> list[str]:
    """What a scanner must read from a paper of one dose."""
    return sorted((dose_id, f"(91){dose_id}"))


def matrix_module(dots: Dots, smallest_in: float) -> int:
    """Whole dots of a DataMatrix module, at least ``smallest_in`` inch wide."""
    return max(2, dots.up(smallest_in * 72))


def bar_module(dots: Dots, smallest_in: float = 0.0067) -> int:
    """Whole dots of a Code 128 module: the first at 0.17 mm or more, and 2 at least (REGULATION B-06, B-09)."""
    return max(2, dots.up(smallest_in * 72))


def draw(
    canvas: Any, symbol: Symbol, dots: Dots, *, left: int, top: int, module: int, bar_height: int = 0, page_pt: float
) -> None:
    """Draw ``symbol`` as one vector path; ``left`` and ``top`` are the outer corner of its quiet zone in dots.

    ``module`` is the width of a module in dots; under 2 a thermal head cannot hold the bars, so it is refused.
    ``bar_height`` (dots) is the height of a bar code's bars.
    """
    if module < 2:
        raise Refused(Fault("printer", f"At {dots.dpi} dpi a bar of {module} dot cannot be read; use 2 dots or more."))
    # In the printer's own dots, counted from the page's upper left corner: whole numbers but for the trim.
    dot = f"{PT_PER_IN / dots.dpi:.8f}".rstrip("0")
    canvas.addLiteral(f"q 0 g {dot} 0 0 -{dot} {_plain(dots.pt(left))} {_plain(page_pt - dots.pt(top))} cm")
    canvas.addLiteral(_path(symbol, module, bar_height))
    canvas.addLiteral("f Q")


@lru_cache(maxsize=4096)
def _path(symbol: Symbol, module: int, bar_height: int) -> str:
    """Rectangles of dark modules as PDF operators, in dots from the outer corner of the quiet zone."""
    down = module if symbol.two_dimensional else bar_height
    first = symbol.quiet * module if symbol.two_dimensional else 0
    trimmed = _plain(down - 2 * TRIM)
    pieces = []
    for number, row in enumerate(symbol.rows):
        top = _plain(first + number * module + TRIM)
        for dark in _DARK.finditer(row):
            x = (symbol.quiet + dark.start()) * module
            across = (dark.end() - dark.start()) * module
            pieces.append(f"{_plain(x + TRIM)} {top} {_plain(across - 2 * TRIM)} {trimmed} re")
    return " ".join(pieces)


_DARK = re.compile("1+")


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")
