"""Labels in ZPL II, the language of Zebra's label printers: the pixels of the PDF as a graphic, one format a label.

What is printed is what the PDF shows: the page is rendered at the printer's dots, and each pixel is dark or it is
not. Native codes are drawn by the printer from their data instead, on the same dots; a code that a printer might draw
otherwise than it was laid out stays in the graphic. A label's text never becomes a command: words are pixels, and the
data of native codes is read back from the code's own modules, is of GS1's 82 characters, and is escaped.

Each label sets what another program may have left behind: origin, orientation, mirror, inversion, direction of
fields. Darkness, speed and the printer's own calibration of the label's upper and left edge (``^LT``, ``^LS``)
are left alone: what remains of them the ruler label measures.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from labels.codes import Symbol
from labels.layout import Code, Layout
from labels.proof import opened, scale_of
from pharmacy_app.domain.errors import Fault, Refused, refuse_any

Draw = Callable[[Sequence[Layout]], bytes]
"""Makes a PDF of layouts: one page each, in their order, not shifted."""

DRAWN_AT_ONCE = 25
"""Labels that share one PDF while they are made: fonts are embedded once, and memory stays flat."""

GRAPHIC_BYTES = 99_999
"""The most bytes one graphic field may have; a larger picture is cut into bands."""

_DARK = bytes(ord("1") if gray < 128 else ord("0") for gray in range(256))
_SET_82 = re.compile(r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+""")
_GS = "\x1d"
_REPEATED = re.compile(r"(.)\1{2,}")
_HEAD = "^XA^CI28^LH0,0^PON^PMN^LRN^FWN"

# Data code words that a square DataMatrix of so many modules holds (ISO/IEC 16022, table 7).
_MATRIX_HOLDS = {10: 3, 12: 5, 14: 8, 16: 12, 18: 18, 20: 22, 22: 30, 24: 36, 26: 44, 32: 62, 36: 86, 40: 114, 44: 144}

# What ^BC calls the values of Code 128 that are no characters: start and switch of subsets B and C.
_START = {104: (">:", "B"), 105: (">;", "C")}
_SWITCH = {("B", 99): (">5", "C"), ("C", 100): (">6", "B")}
_FNC1 = 102


def zpl(
    layouts: Sequence[Layout], draw: Draw, *, native_codes: bool = False, right_dots: int = 0, down_dots: int = 0
) -> bytes:
    """All labels as one job: see ``each_label``."""
    made = each_label(layouts, draw, native_codes=native_codes, right_dots=right_dots, down_dots=down_dots)
    return b"".join(made)


def each_label(
    layouts: Sequence[Layout], draw: Draw, *, native_codes: bool = False, right_dots: int = 0, down_dots: int = 0
) -> Iterator[bytes]:
    """One ``^XA…^XZ`` a label, in the order given, one copy each.

    ``draw`` makes the PDF whose pixels are sent; with ``native_codes`` it is given the layouts without the codes that
    the printer draws. ``right_dots`` and ``down_dots`` shift the print as measured on the ruler label; a shift that
    would push anything off the label is refused (``offset_x_mm``, ``offset_y_mm``).
    """
    for first in range(0, len(layouts), DRAWN_AT_ONCE):
        chunk = layouts[first : first + DRAWN_AT_ONCE]
        natives = [_natives(layout) if native_codes else () for layout in chunk]
        drawn = [
            replace(layout, boxes=tuple(box for box in layout.boxes if all(box is not one.code for one in native)))
            for layout, native in zip(chunk, natives, strict=True)
        ]
        pictures = _pictures(draw(drawn), [layout.dpi for layout in drawn])
        for native, picture in zip(natives, pictures, strict=True):
            yield _format(picture.shifted(right_dots, down_dots), native, right_dots, down_dots)


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels as a printer takes them: one whole number a row, the leftmost dot its highest bit, 1 is dark."""

    across: int
    rows: tuple[int, ...]

    def shifted(self, right: int, down: int) -> "Picture":
        """The same picture moved on the label; refused when ink would fall off an edge."""
        lost_down = self.rows[len(self.rows) - down :] if down > 0 else self.rows[:-down]
        off_right = (1 << max(right, 0)) - 1
        faults = []
        if any(row & off_right or row << max(-right, 0) >> self.across for row in self.rows):
            faults.append(_pushed_off("offset_x_mm", "left or right"))
        if any(lost_down):
            faults.append(_pushed_off("offset_y_mm", "upper or lower"))
        refuse_any(faults)
        blank = (0,) * min(abs(down), len(self.rows))
        rows = (*blank, *self.rows[: len(self.rows) - len(blank)]) if down > 0 else (*self.rows[len(blank) :], *blank)
        return Picture(self.across, tuple(row >> right if right > 0 else row << -right for row in rows))


def _pushed_off(field: str, edge: str) -> Fault:
    return Fault(
        field,
        f"Shifted so far, the label would lose print at its {edge} edge. Print the ruler label, measure again, and "
        "set the printer's own label position if the shift is really as large.",
    )


def _pictures(pdf: bytes, dpis: Sequence[int]) -> Iterator[Picture]:
    """The pages of ``pdf``, page *n* at ``dpis[n]`` dots an inch, as the preview and the proof render them."""
    for number, dpi in enumerate(dpis):
        with opened(pdf) as document:
            # In colour as the preview is, for pdfium draws words otherwise in grey; black and white have one channel.
            bitmap = document[number].render(scale=scale_of(dpi), fill_color=(255, 255, 255, 255))
            across, down, stride, deep = bitmap.width, bitmap.height, bitmap.stride, bitmap.n_channels
            pixels = bytes(bitmap.buffer)
            bitmap.close()
        starts = range(0, down * stride, stride)
        rows = (pixels[start : start + deep * across : deep].translate(_DARK) for start in starts)
        yield Picture(across, tuple(int(row, 2) for row in rows))


def _format(picture: Picture, natives: "Sequence[_Native]", right: int, down: int) -> bytes:
    codes = "".join(native.field(picture, right, down) for native in natives)
    size = f"^PW{picture.across}^LL{len(picture.rows)}"
    return f"{_HEAD}{size}{''.join(_graphics(picture))}{codes}^PQ1,0,0,N^XZ\n".encode("ascii")


def _graphics(picture: Picture) -> Iterator[str]:
    """The picture as graphic fields, each of whole rows and not above ``GRAPHIC_BYTES``."""
    bytes_a_row = (picture.across + 7) // 8
    rows_a_band = max(1, GRAPHIC_BYTES // bytes_a_row)
    for top in range(0, len(picture.rows), rows_a_band):
        band = picture.rows[top : top + rows_a_band]
        if any(band):
            count = bytes_a_row * len(band)
            data = _packed(band, bytes_a_row, bytes_a_row * 8 - picture.across)
            yield f"^FO0,{top}^GFA,{count},{count},{bytes_a_row},{data}^FS"


def _packed(rows: Sequence[int], bytes_a_row: int, padding: int) -> str:
    """Rows in ZPL's own short form: counts before a digit, ``,`` and ``!`` to the row's end, ``:`` the row before."""
    packed = []
    before = -1
    for row in rows:
        if row == before:
            packed.append(":")
            continue
        before = row
        digits = f"{row << padding:0{2 * bytes_a_row}X}"
        end = ""
        for digit, mark in (("0", ","), ("F", "!")):
            # To the row's end in whole bytes: of an odd number of digits one is written out.
            filled = (len(digits) - len(digits.rstrip(digit))) & ~1
            if filled and not end:
                digits, end = digits[: len(digits) - filled], mark
        packed.append(_REPEATED.sub(lambda run: _counted(run.group()), digits) + end)
    return "".join(packed)


@lru_cache(maxsize=4096)
def _counted(run: str) -> str:
    """``FFFFF`` as ``KF``: G to Y count 1 to 19, g to z 20 to 400, and a count is the sum of its letters."""
    digit, left = run[0], len(run)
    written = ""
    while left:
        count = min(left, 419)
        left -= count
        twenties, ones = divmod(count, 20)
        written += chr(ord("f") + twenties) * bool(twenties) + chr(ord("F") + ones) * bool(ones) + digit
    return written


# ---- native codes


@dataclass(frozen=True, slots=True)
class _Native:
    """A code the printer draws itself: its box, the command that makes it, and its data as that command takes it."""

    code: Code
    command: str
    data: str

    def field(self, picture: Picture, right: int, down: int) -> str:
        """The whole field at its place on the label; refused when the shift would push bars off it."""
        box, symbol = self.code, self.code.symbol
        quiet = symbol.quiet * box.module
        left = box.left + quiet + right
        top = box.top + (quiet if symbol.two_dimensional else 0) + down
        height = len(symbol.rows) * box.module if symbol.two_dimensional else box.bar_height
        faults = []
        if left < 0 or left + len(symbol.rows[0]) * box.module > picture.across:
            faults.append(_pushed_off("offset_x_mm", "left or right"))
        if top < 0 or top + height > len(picture.rows):
            faults.append(_pushed_off("offset_y_mm", "upper or lower"))
        refuse_any(faults)
        return f"^FO{left},{top}{self.command}^FH\\^FD{_escaped(self.data)}^FS"


def _escaped(data: str) -> str:
    """Field data in which nothing can be taken for a command: all but letters, digits and ``>:;_-`` in hexadecimal."""
    return re.sub(r"[^A-Za-z0-9>:;_-]", lambda found: f"\\{ord(found.group()):02X}", data)


def _natives(layout: Layout) -> tuple[_Native, ...]:
    """The codes of a label that a printer is sure to draw on the dots of the layout."""
    codes = [box for box in layout.boxes if isinstance(box, Code)]
    found = [(_matrix if code.symbol.two_dimensional else _bars)(code) for code in codes]
    return tuple(native for native in found if native is not None)


def _checked(field: str, data: str) -> None:
    """Refuse what GS1's set of 82 characters does not have; its separator stands between elements."""
    if not _SET_82.fullmatch(data.replace(_GS, "")):
        raise Refused(
            Fault(field, f"The code's data “{data}” has a character that a bar code may not carry. Correct the number.")
        )


def _matrix(code: Code) -> _Native | None:
    """``^BX`` of quality 200. ``_`` is its escape: ``_1`` is FNC1, ``__`` is itself.

    ``None`` when the data as plain ASCII code words would need a larger symbol: then it depends on the printer's
    own packing how large the code would come out.
    """
    data, gs1 = _matrix_data(code.symbol)
    _checked(code.field, data)
    words = len(re.findall(r"\d\d|.", data, re.DOTALL)) + gs1
    rows, columns = len(code.symbol.rows), len(code.symbol.rows[0])
    if rows != columns or words > _MATRIX_HOLDS.get(rows, 0):
        return None
    text = "_1" * gs1 + data.replace("_", "__").replace(_GS, "_1")
    return _Native(code, f"^BXN,{code.module},200,0,0,1,_,1", text)


def _matrix_data(symbol: Symbol) -> tuple[str, bool]:
    """What a scanner reads from the modules, and whether the symbol begins with FNC1."""
    import zxingcpp

    dots, margin = 4, 2
    across = (len(symbol.rows[0]) + 2 * margin) * dots
    side = "0" * margin
    rows = [*["0" * (across // dots)] * margin, *(side + row + side for row in symbol.rows)]
    rows += ["0" * (across // dots)] * margin
    pixels = b"".join(bytes(0 if module == "1" else 255 for module in row for _ in range(dots)) * dots for row in rows)
    view = memoryview(pixels).cast("B", (len(rows) * dots, across))
    (read,) = zxingcpp.read_barcodes(view, formats=zxingcpp.BarcodeFormats([zxingcpp.DataMatrix]))
    found: Any = read
    return bytes(found.bytes).decode("ascii"), found.symbology_identifier == "]d2"


def _bars(code: Code) -> _Native | None:
    """``^BC`` in mode N with every switch of subset named, so that each bar is the one that was laid out.

    ``None`` for bars in subset A, which none of our numbers and no GS1 code needs.
    """
    start, *values = _code128_values(code.symbol.rows[0])
    if start not in _START:
        return None
    text, subset = _START[start]
    data = ""
    for value in values:
        if value == _FNC1:
            text, data = text + ">8", data + _GS
        elif (subset, value) in _SWITCH:
            switch, subset = _SWITCH[subset, value]
            text += switch
        elif subset == "C" and value < 100:
            text, data = f"{text}{value:02}", f"{data}{value:02}"
        elif subset == "B" and value < 95:
            character = chr(value + 32)
            text, data = text + (">0" if character == ">" else character), data + character
        else:
            return None
    _checked(code.field, data)
    return _Native(code, f"^BY{code.module},3,{code.bar_height}^BCN,{code.bar_height},N,N,N,N", text)


@cache
def _patterns() -> dict[str, int]:
    from barcode.charsets.code128 import CODES

    return {pattern: value for value, pattern in enumerate(CODES)}


def _code128_values(modules: str) -> list[int]:
    """The values of the bars, from the start character to the last of the data (check and stop left off)."""
    return [_patterns()[modules[at : at + 11]] for at in range(0, len(modules) - 13 - 11, 11)]
