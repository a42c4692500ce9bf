"""Places a template's rows on a stock: in the largest sizes in which everything fits, nothing cut, nothing overlapping.

All sizes of a template grow or shrink together, between what each wants and its smallest. What does not fit at the
smallest is refused: the field is named, and the stock that would do.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from math import ceil

from labels import text
from labels.codes import (
    Symbol,
    code128,
    data_matrix,
    element_symbol,
    gs1_128,
    gs1_data_matrix,
    smallest_module,
    wanted_module,
)
from labels.fill import Filled, Line, Piece, fill
from labels.geometry import MM_PER_IN, PT_PER_IN, Dots, Stock
from labels.layout import Block, Box, Code, Frame, Layout, Rule, Words
from labels.stocks import choices, chosen, rolls
from labels.template import CodeWish, Template
from pharmacy_app.domain.errors import Fault, Refused, refuse_any
from pharmacy_app.domain.label_marks import IDENTIFIER
from pharmacy_app.services.papers import Label, LabelSetup, LabelValue

SCALES = (2.0, 1.8, 1.6, 1.45, 1.3, 1.2, 1.1, 1.05, 1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6)
GAPS = (4.0, 3.0, 2.2, 1.6, 1.1, 0.8, 0.5)
"""Space between rows (pt): the most that still fits, the last at least."""
_ACCENTED = frozenset("ÀÁÂÃÄÅÈÉÊËÌÍÎÏÒÓÔÕÖÙÚÛÜÝŠŽČĎĚŇŘŤŮŐŰĀĒĪŌŪĹŔŚŹĆŃŻĞİ")
COMFORT = 1.6
"""Space between rows (pt) without which words do not grow beyond what their template wants."""
_BESIDE = 3.0
"""Between words on one line that belong together (pt)."""
_CLEAR = 5.0
"""Between words and a code beside them, its quiet zone not counted (pt)."""
_BELOW = 2.0
"""Between bars and the words below them (pt)."""
_BETWEEN = 6.0
"""Between the left and the right words of a line, at least (pt)."""
_FRAME = 2.5
_EDGE_MM = 2.5
"""The ruler label leaves so much free at each edge: so far an offset may move it."""
_RULER_MM, _TEST_BARS_MM = 6.5 + _EDGE_MM, 3.0 + _EDGE_MM


@dataclass(frozen=True, slots=True)
class _CodeSize:
    """A code to be placed, in whole dots, quiet zones included; ``quiet`` is the quiet zone's width."""

    name: str
    across: int
    down: int
    quiet: int
    optional: bool
    stretch: bool


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a code stands, in dots."""

    name: str
    left: int
    top: int
    bar_height: int


@dataclass(frozen=True, slots=True)
class _Placed:
    words: tuple[Words, ...]
    others: tuple[Rule | Frame, ...]
    spots: tuple[_Spot, ...]


class _TooHigh(Exception):
    """The rows need more height than the stock has."""


class _TooWide(Exception):
    """A piece does not fit in the width; ``faults`` are the fields with their words."""

    def __init__(self, pieces: list[Piece]) -> None:
        self.pieces = pieces
        super().__init__()


def layouts(labels: Sequence[Label], setup: LabelSetup) -> list[Layout]:
    """Lay out labels in their order. Raises ``Refused`` with the faults of all of them, each said once."""
    faults: list[Fault] = []
    made: list[Layout] = []
    if not labels:
        raise Refused(Fault("labels", "No label was chosen. Choose at least one to print."))
    for label in labels:
        try:
            made.append(layout(label, setup))
        except Refused as refused:
            faults += refused.faults
    refuse_any(list(dict.fromkeys(faults)))
    return made


def layout(label: Label, setup: LabelSetup) -> Layout:
    """One label on the stock of the setup, or the usual stock of its kind."""
    if not 150 <= setup.dpi <= 1200:
        raise Refused(Fault("dpi", f"A label printer has 150 to 1200 dots an inch, not {setup.dpi}."))
    filled = fill(label, setup)
    return lay_out(filled, chosen(setup, filled.template.stock).stock, setup.dpi)


def lay_out(filled: Filled, stock: Stock, dpi: int) -> Layout:
    """A filled template on a stock; refused when it does not fit."""
    template, dots = filled.template, Dots(dpi)
    symbols = {wish.name: symbol_of(wish, filled) for wish in template.codes.values()}
    modules = {name: _modules(template.codes[name], symbol, dots) for name, symbol in symbols.items()}
    # The wished modules first, then the smallest that are allowed.
    for level in (0, 1):
        chosen_modules = {name: each[level] for name, each in modules.items()}
        sizes = _sizes(template, symbols, chosen_modules, dots)
        found = _best(filled.lines, sizes, stock, dpi, template.ruler)
        if found is not None:
            return _drawn(filled, found, symbols, chosen_modules, stock, dpi)
    smallest = {name: each[1] for name, each in modules.items()}
    raise Refused(*_why_not(filled, _sizes(template, symbols, smallest, dots), stock, dpi))


def _sizes(
    template: Template, symbols: dict[str, Symbol], modules: dict[str, int], dots: Dots
) -> tuple[_CodeSize, ...]:
    return tuple(_size(template.codes[name], symbol, modules[name], dots) for name, symbol in symbols.items())


def symbol_of(wish: CodeWish, filled: Filled) -> Symbol:
    """The code as it will be printed: our number, or with a GTIN the elements that the template names."""
    if wish.elements and filled.elements.get("gtin"):
        elements = [
            (identifier, _element(filled.elements[value]), value)
            for identifier, value in wish.elements
            if value in filled.elements
        ]
        if filled.mark:
            elements.append((IDENTIFIER, filled.mark, "number"))
        return element_symbol(elements, two_dimensional="matrix" in wish.kind)
    encode: dict[str, Callable[[str, str, str], Symbol]] = {
        "code 128": code128,
        "data matrix": data_matrix,
        "gs1 data matrix": gs1_data_matrix,
        "gs1-128": gs1_128,
    }
    return encode[wish.kind]("number", filled.number, filled.mark)


def _element(value: LabelValue) -> str:
    if isinstance(value, datetime | Decimal | int):
        raise TypeError("a code's element is a text or a day")
    return f"{value:%y%m%d}" if isinstance(value, date) else value


def _modules(wish: CodeWish, symbol: Symbol, dots: Dots) -> tuple[int, int]:
    """The wished and the smallest module, in dots."""
    smallest = smallest_module(symbol, dots)
    return (wanted_module(symbol, dots, wish.module_mm) if wish.module_mm else smallest), smallest


def _size(wish: CodeWish, symbol: Symbol, module: int, dots: Dots) -> _CodeSize:
    across, down = symbol.size()
    if symbol.two_dimensional:
        return _CodeSize(wish.name, across * module, down * module, module, wish.optional, stretch=False)
    # GS1-128 has 12.7 mm at least; our own Code 128 may be lower.
    height = dots.up(max(wish.height_pt, 36.0) if wish.kind == "gs1-128" else wish.height_pt)
    quiet = symbol.quiet * module
    return _CodeSize(wish.name, across * module, height, quiet, wish.optional, stretch=wish.kind != "gs1-128")


@lru_cache(maxsize=4096)
def _best(lines: tuple[Line, ...], codes: tuple[_CodeSize, ...], stock: Stock, dpi: int, ruler: bool) -> _Placed | None:
    """The largest scale at which everything fits, with as much space between rows as there is; ``None`` if none."""
    for some in (codes, tuple(code for code in codes if not code.optional)):
        fits = _largest(lines, some, stock, dpi, ruler)
        if fits is not None:
            return fits
        if all(not code.optional for code in codes):
            break
    return None


def _largest(
    lines: tuple[Line, ...], codes: tuple[_CodeSize, ...], stock: Stock, dpi: int, ruler: bool
) -> _Placed | None:
    def attempt(scale: float, gap: float) -> _Placed | None:
        try:
            placed = _Placing(lines, codes, stock, Dots(dpi), ruler, scale, gap).place()
        except (_TooHigh, _TooWide):
            return None
        return None if overlaps(placed, codes, stock, Dots(dpi)) else placed

    found = _first_that_fits(SCALES, lambda scale: attempt(scale, COMFORT if scale > 1 else GAPS[-1]))
    if found is None:
        return None
    at, placed = found
    with_gap = _first_that_fits(GAPS[:-1], lambda gap: attempt(SCALES[at], gap))
    return with_gap[1] if with_gap else placed


def _first_that_fits(steps: Sequence[float], attempt: Callable[[float], _Placed | None]) -> tuple[int, _Placed] | None:
    """The first step, from the largest down, that fits, found by halving; the last is tried in any case."""
    best = None
    low, high = 0, len(steps)
    while low < high:
        middle = (low + high) // 2
        placed = attempt(steps[middle])
        if placed is None:
            low = middle + 1
        else:
            best, high = (middle, placed), middle
    return best


def overlaps(placed: _Placed, codes: tuple[_CodeSize, ...], stock: Stock, dots: Dots) -> list[str]:
    """Boxes that touch another or leave the stock; quiet zones belong to their codes."""
    sizes = {code.name: code for code in codes}
    boxes = [(words.field, *_ink(words)) for words in placed.words]
    for spot in placed.spots:
        size = sizes[spot.name]
        lower = spot.top + (spot.bar_height or size.down)
        boxes.append(
            (spot.name, dots.pt(spot.left), dots.pt(spot.top), dots.pt(spot.left + size.across), dots.pt(lower))
        )
    boxes += [
        ("rule", other.x_pt, other.y_pt - 0.25, other.x_pt + other.across_pt, other.y_pt + 0.25)
        for other in placed.others
        if isinstance(other, Rule)
    ]
    found = [
        name
        for name, x0, y0, x1, y1 in boxes
        if x0 < -_TOUCH or y0 < -_TOUCH or x1 > stock.width_pt + _TOUCH or y1 > stock.height_pt + _TOUCH
    ]
    boxes.sort(key=lambda box: box[2])
    for number, (name, x0, _, x1, y1) in enumerate(boxes):
        for other, u0, v0, u1, _ in boxes[number + 1 :]:
            if v0 >= y1 - _TOUCH:
                break
            if u0 < x1 - _TOUCH and x0 < u1 - _TOUCH:
                found.append(f"{name} / {other}")
    return found


_TOUCH = 0.02
"""What counts as no overlap: less than a tenth of a dot (pt)."""


def _ink(words: Words) -> tuple[float, float, float, float]:
    up, down = _extent_of(words.words, words.size_pt)
    return words.x_pt, words.y_pt - up, words.x_pt + words.across_pt, words.y_pt + down


class _Placing:
    """One try at one scale: rows from the top down, beside the codes that already stand."""

    def __init__(
        self,
        lines: tuple[Line, ...],
        codes: tuple[_CodeSize, ...],
        stock: Stock,
        dots: Dots,
        ruler: bool,
        scale: float,
        gap: float,
    ) -> None:
        wide = stock.width_pt >= 200
        inset = _RULER_MM * PT_PER_IN / MM_PER_IN if ruler else 0.0
        self.left = max(10.0 if wide else 7.0, inset)
        self.right = stock.width_pt - (10.0 if wide else 7.0)
        self.top = max(7.0 if stock.height_pt >= 120 else 5.0, inset)
        self.bottom = stock.height_pt - (6.0 if stock.height_pt >= 120 else 4.5)
        self.bottom -= _TEST_BARS_MM * PT_PER_IN / MM_PER_IN if ruler else 0.0
        self.lines, self.codes, self.dots = lines, {code.name: code for code in codes}, dots
        self.scale, self.gap = scale, gap
        self.cap = 1000.0
        self.words: list[Words] = []
        self.others: list[Rule | Frame] = []
        self.spots: list[_Spot] = []
        self.taken: list[tuple[float, float, float, float]] = []
        self.y = self.top

    def place(self) -> _Placed:
        """Place every row; raises ``_TooHigh`` or ``_TooWide``."""
        smallest_key = self._all()
        if smallest_key is not None and self._largest_other >= smallest_key:
            # Dose, name and subject are the largest words (REGULATION L-08): the others give way.
            self.cap = smallest_key - 0.5
            self.words, self.others, self.spots, self.taken, self.y = [], [], [], [], self.top
            again = self._all()
            if again is not None and self._largest_other >= again:
                raise _TooHigh
        return _Placed(tuple(self.words), tuple(self.others), tuple(self.spots))

    def _all(self) -> float | None:
        self._keys: list[float] = []
        self._largest_other = 0.0
        for line in self.lines:
            if line.code:
                if line.code in self.codes:
                    self._code(self.codes[line.code], line.side)
            elif line.rule:
                self._need(1.5)
                x, end = self._room(self.y, self.y + 1.5)
                self.others.append(Rule(x, self.y + 0.75, end - x))
                self.y += 1.5 + self.gap
            elif line.framed:
                self._framed(line)
            else:
                self._row(line)
        if max([self.y - self.gap, *(box[3] for box in self.taken)]) > self.bottom + 0.01:
            raise _TooHigh
        return min(self._keys) if self._keys else None

    def _need(self, height: float) -> None:
        if self.y + height > self.bottom + 0.01:
            raise _TooHigh

    def _room(self, top: float, bottom: float) -> tuple[float, float]:
        """From where to where words between these heights may stand."""
        left, right = self.left, self.right
        for x0, y0, x1, y1 in self.taken:
            if y0 < bottom and y1 > top:
                if x0 - self.left < self.right - x1:
                    left = max(left, x1 + _CLEAR)
                else:
                    right = min(right, x0 - _CLEAR)
        return left, right

    def _code(self, code: _CodeSize, side: str) -> None:
        dots = self.dots
        upper = dots.up(self.y)
        height = code.down
        if code.stretch:
            height = max(dots.up(11), round(code.down * min(self.scale, 1.6)))
        if side == "right":
            left = int((self.right * dots.dpi) // PT_PER_IN) - code.across + code.quiet
        else:
            # The quiet zone may lie in the margin, but not off the label.
            left = max(0, dots.up(self.left) - code.quiet)
        right, lower = dots.pt(left + code.across), dots.pt(upper + height)
        if left < 0 or right > self.right + self.left or lower > self.bottom + 0.01:
            raise _TooHigh
        x0, x1 = dots.pt(left), right
        if any(x0 < b[2] and x1 > b[0] and b[1] < lower and b[3] > self.y for b in self.taken):
            self.y = max(b[3] for b in self.taken) + self.gap
            self._code(code, side)
            return
        self.spots.append(_Spot(code.name, left, upper, height))
        # Bars have no quiet zone below; words must not stick to them even so. A matrix is square.
        below = 0.0 if code.across == code.down else _BELOW
        self.taken.append((x0, self.y, x1, lower + below))

    def _nominal(self, piece: Piece) -> float:
        style = piece.style
        size = max(style.smallest, int(style.size * self.scale * 2) / 2)
        return size if style.key else max(text.SMALLEST_PT, min(size, self.cap))

    def _smallest(self, piece: Piece) -> float:
        return min(piece.style.smallest, self.cap) if not piece.style.key else piece.style.smallest

    def _row(self, line: Line) -> None:
        """One row: on one line if it can be, else its sides below one another, else wrapped."""
        pieces = (*line.left, *line.centre, *line.right)
        if self._on_one_line(line.left, line.right, line.centre):
            return
        sides = [side for side in (line.left, line.centre, line.right) if side]
        if len(sides) > 1:
            for side in sides:
                self._row(Line(left=side))
            return
        if len(pieces) > 1:
            for piece in pieces:
                self._row(Line(left=(piece,)))
            return
        self._alone(pieces[0])

    def _on_one_line(self, left: Sequence[Piece], right: Sequence[Piece], centre: Sequence[Piece]) -> bool:
        pieces = [*left, *centre, *right]
        sizes = [self._nominal(piece) for piece in pieces]
        while True:
            up, down = _extent(pieces, sizes)
            self._need(up + down)
            x, end = self._room(self.y, self.y + up + down)
            widths = [_width(piece, size) for piece, size in zip(pieces, sizes, strict=True)]
            gaps = _BESIDE * max(0, len(left) - 1) + _BESIDE * max(0, len(right) - 1)
            gaps += _BETWEEN if left and right else 0.0
            if sum(widths) + gaps <= end - x:
                break
            smaller = [max(size - 0.5, self._smallest(piece)) for piece, size in zip(pieces, sizes, strict=True)]
            if smaller == sizes:
                return False
            if any(piece.style.lines > 1 for piece in pieces) and smaller[0] < 0.85 * self._nominal(pieces[0]):
                # Rather two lines that can be read than one that is small.
                return False
            sizes = smaller
        base = self.y + up
        at = x
        count = len(left)
        for number, (piece, size, width) in enumerate(zip(pieces, sizes, widths, strict=True)):
            if number == count and right:
                at = end - sum(widths[count:]) - _BESIDE * max(0, len(right) - 1)
            if centre:
                at = (x + end - width) / 2
            self._put(piece, size, at, base, width)
            at += width + _BESIDE
        self.y = base + down + self.gap
        return True

    def _alone(self, piece: Piece) -> None:
        """A piece that is too wide for one line: wrapped, smaller, or below the code beside it."""
        most = piece.style.lines * max(1, piece.words.count(" / ") + 1)
        size = self._nominal(piece)
        while most > 1:
            up, down = _extent([piece], [size])
            pitch = up + down
            spread = self._wrapped(piece, size, pitch, most)
            if spread is not None:
                for words, x in spread:
                    part = replace(piece, words=words)
                    self._put(part, size, x, self.y + up, _width(part, size))
                    self.y += pitch
                self.y += self.gap
                return
            if size <= self._smallest(piece):
                break
            size = max(size - 0.5, self._smallest(piece))
        below = max((box[3] for box in self.taken if box[3] > self.y), default=0.0)
        if not below:
            raise _TooWide([piece])
        self.y = below + self.gap
        self._row(Line(left=(piece,)))

    def _wrapped(self, piece: Piece, size: float, pitch: float, most: int) -> list[tuple[str, float]] | None:
        """Lines with their left ends; lines beside a code are as narrow as the narrowest of them."""
        for count in range(1, most + 1):
            x, end = self._room(self.y, self.y + pitch * count)
            if end - x < 30:
                return None
            words = text.wrap(piece.words, piece.style.font, size, end - x)
            if any(broken not in piece.words.split(" ") and " " not in broken for broken in words):
                return None
            if len(words) <= count:
                self._need(pitch * len(words))
                return [(each, x) for each in words]
        return None

    def _framed(self, line: Line) -> None:
        (piece,) = line.centre
        size = self._nominal(piece)
        while True:
            up, down = _extent([piece], [size])
            x, end = self._room(self.y, self.y + up + down + 2 * _FRAME)
            room = end - x - 2 * _FRAME - 4
            words = text.wrap(piece.words, piece.style.font, size, room)
            whole = all(broken in piece.words.split(" ") or " " in broken for broken in words)
            if whole and len(words) <= piece.style.lines * (piece.words.count(" / ") + 1):
                break
            if size <= self._smallest(piece):
                raise _TooWide([piece])
            size = max(size - 0.5, self._smallest(piece))
        while room > 40 and len(text.wrap(piece.words, piece.style.font, size, room - 4)) == len(words):
            # Lines of like length: no word stands alone in the last.
            room -= 4
        words = text.wrap(piece.words, piece.style.font, size, room)
        height = (up + down) * len(words) + 2 * _FRAME
        self._need(height)
        x, end = self._room(self.y, self.y + height)
        if end - x - 2 * _FRAME < max(text.width(each, piece.style.font, size) for each in words):
            raise _TooWide([piece])
        self.others.append(Frame(x + 0.4, self.y + 0.4, end - x - 0.8, height - 0.8))
        base = self.y + _FRAME + up
        for each in words:
            width = text.width(each, piece.style.font, size)
            self._put(replace(piece, words=each), size, (x + end - width) / 2, base, width)
            base += up + down
        self.y += height + self.gap

    def _put(self, piece: Piece, size: float, x: float, base: float, width: float) -> None:
        if piece.style.key:
            self._keys.append(size)
        else:
            self._largest_other = max(self._largest_other, size)
        self.words.append(Words(piece.field, piece.words, piece.style.font, size, x, base, width))


def _width(piece: Piece, size: float) -> float:
    return text.width(piece.words, piece.style.font, size)


def _extent(pieces: Sequence[Piece], sizes: Sequence[float]) -> tuple[float, float]:
    """How far words reach above and below their base line (pt)."""
    extents = [_extent_of(piece.words, size) for piece, size in zip(pieces, sizes, strict=True)]
    return max(up for up, _ in extents), max(down for _, down in extents)


def _extent_of(words: str, size: float) -> tuple[float, float]:
    return size * (0.92 if _ACCENTED.intersection(words) else 0.79), size * 0.24


def _drawn(
    filled: Filled, placed: _Placed, symbols: dict[str, Symbol], modules: dict[str, int], stock: Stock, dpi: int
) -> Layout:
    """The layout with the real number and codes; checked once more that no box touches another."""
    fixed: list[Box] = []
    own: list[Box] = []
    names = frozenset(filled.template.fields) | {"number", "reprint", "dpi"}
    for words in placed.words:
        if words.field == "number":
            own.append(replace(words, words=filled.printed_number))
        else:
            (own if words.field in names else fixed).append(words)
    fixed += placed.others
    if filled.template.ruler:
        fixed += _ruler(stock, Dots(dpi))
    for spot in placed.spots:
        symbol = symbols[spot.name]
        height = 0 if symbol.two_dimensional else spot.bar_height
        own.append(Code(spot.name, symbol, spot.left, spot.top, modules[spot.name], height))
    return Layout(stock, dpi, (*fixed, *own), len(fixed))


def _why_not(filled: Filled, codes: tuple[_CodeSize, ...], stock: Stock, dpi: int) -> list[Fault]:
    """Which values do not fit, and which stock would do."""
    template = filled.template
    needed = tuple(code for code in codes if not code.optional)

    def fits(lines: tuple[Line, ...], on: Stock) -> bool:
        return _best(lines, needed, on, dpi, template.ruler) is not None

    # The smallest roll that would do, else a sheet.
    others = [*reversed(rolls()), *(choice.stock for choice in choices().values() if choice.grid)]
    would_do = next((other.name for other in others if other != stock and fits(filled.lines, other)), "")
    help_words = f"Print on {would_do}." if would_do else ""
    lines = filled.lines
    too_wide: list[Piece] = []
    while True:
        try:
            _Placing(lines, needed, stock, Dots(dpi), template.ruler, SCALES[-1], GAPS[-1]).place()
        except _TooWide as wide:
            too_wide += wide.pieces
            lines = _with_short(lines, {piece.field for piece in wide.pieces})
            if all(piece.words == _SHORT for piece in wide.pieces):
                break
        except _TooHigh:
            break
        else:
            break
    values = {"number", *template.fields}
    named = {piece.field: piece.words for piece in too_wide if piece.field in values}
    if not named:
        long = {
            piece.field: piece.words
            for piece in _pieces_of(filled.lines)
            if piece.field in template.fields and len(piece.words) > _LONG
        }
        named = {field: words for field, words in long.items() if fits(_with_short(filled.lines, {field}), stock)}
    if not named:
        where = help_words or "No stock here is large enough: shorten the texts or take a larger label."
        return [Fault("stock", f"The {template.name} does not fit on {stock.name} without getting unreadable. {where}")]
    return [
        Fault(
            field,
            f"The {field.replace('_', ' ')} (“{words}”) does not fit on the {template.name} {stock.name}. Nothing was"
            f" printed; shorten it and print again. {help_words}".strip(),
        )
        for field, words in named.items()
    ]


_SHORT = "–"
_LONG = 30
"""From so many characters a text is named as the one that does not fit."""


def _pieces_of(lines: tuple[Line, ...]) -> Iterator[Piece]:
    for line in lines:
        yield from (*line.left, *line.right, *line.centre)


def _with_short(lines: tuple[Line, ...], fields: set[str]) -> tuple[Line, ...]:
    def short(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        return tuple(replace(piece, words=_SHORT) if piece.field in fields else piece for piece in pieces)

    return tuple(
        replace(line, left=short(line.left), right=short(line.right), centre=short(line.centre)) for line in lines
    )


def _ruler(stock: Stock, dots: Dots) -> list[Box]:
    """Millimetres along the upper and the left edge, each tenth with its number, and bars of 1 to 4 dots."""
    boxes: list[Box] = []
    per_mm = dots.dpi / MM_PER_IN
    thick = max(1, round(per_mm * 0.12))
    across, down = dots.up(stock.width_pt), dots.up(stock.height_pt)
    free, free_pt = round(_EDGE_MM * per_mm), _EDGE_MM * PT_PER_IN / MM_PER_IN
    for upper, room in ((True, across), (False, down)):
        for mm in range(ceil(_EDGE_MM), int(room / per_mm - _EDGE_MM)):
            at = round(mm * per_mm) - thick // 2
            length = round(per_mm * (3 if mm % 10 == 0 else 2 if mm % 5 == 0 else 1))
            boxes.append(Block(at, free, thick, length) if upper else Block(free, at, length, thick))
            if mm % 10 == 0 and mm > 0:
                words = str(mm)
                width = text.width(words, text.PLAIN, text.SMALLEST_PT)
                centre = dots.pt(mm * per_mm)
                x, y = (centre - width / 2, 15.0 + free_pt) if upper else (10.0 + free_pt, centre + 2.2)
                if x + width < stock.width_pt - free_pt and y < stock.height_pt - free_pt:
                    boxes.append(Words("ruler", words, text.PLAIN, text.SMALLEST_PT, x, y, width))
    return [*boxes, *_test_bars(across, down, per_mm)]


def _test_bars(across: int, down: int, per_mm: float) -> list[Box]:
    """Four bars each of 1 to 4 dots with gaps as wide, along the lower edge: a good head keeps them apart."""
    boxes: list[Box] = []
    left, high = round(_RULER_MM * per_mm) + round(per_mm), round(2.5 * per_mm)
    top = down - round((0.5 + _EDGE_MM) * per_mm) - high
    for thick in (1, 2, 3, 4):
        for number in range(4):
            boxes.append(Block(left + 2 * number * thick, top, thick, high))
        left += 8 * thick + round(2 * per_mm)
    ends = across - round(_EDGE_MM * per_mm)
    return [box for box in boxes if isinstance(box, Block) and box.left + box.across < ends]
