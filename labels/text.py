"""Words on paper: how values are written, which words are forbidden, and whether a text fits.

On a label a text that does not fit, or that no typeface here can draw, is refused with its field named: a label is
printed when the text is entered. A report prints what was recorded, whatever it is. Nothing is cut off, nothing goes
below 6 pt.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.notation import misread

PLAIN = "Plex"
SEMI = "Plex-SemiBold"
BOLD = "Plex-Bold"
MONO = "PlexMono"
MONO_SEMI = "PlexMono-SemiBold"
_FILES = {
    PLAIN: "IBMPlexSansCondensed-Regular.ttf",
    SEMI: "IBMPlexSansCondensed-SemiBold.ttf",
    BOLD: "IBMPlexSansCondensed-Bold.ttf",
    MONO: "IBMPlexMono-Medium.ttf",
    MONO_SEMI: "IBMPlexMono-SemiBold.ttf",
}
SMALLEST_PT = 6.0
NOT_APPLICABLE = "N/A"
_fonts_lock = Lock()


def day(value: date) -> str:
    """``30-Nov-2026``: no reader takes the month for the day."""
    return say_day(value)


def clock(value: datetime) -> str:
    """``14:05 −06:00``: the hour with its offset from UTC. A moment without a zone is a fault of the program."""
    offset = value.utcoffset()
    if offset is None:
        raise ValueError("a moment on paper needs its offset from UTC")
    minutes = round(offset.total_seconds() / 60)
    sign = "−" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"{value.hour:02d}:{value.minute:02d} {sign}{hours:02d}:{rest:02d}"


def label_moment(value: datetime) -> str:
    """``22-Nov-2026 14:05 CST``: on a label, ``14:05 −06:00`` would read like a span of hours."""
    zone = value.tzname() or ""
    named = zone if zone.isalpha() else f"(UTC{clock(value)[6:]})"
    return f"{day(value)} {value:%H:%M} {named}"


def moment(value: datetime) -> str:
    """``22-Nov-2026 14:05 −06:00``."""
    return f"{day(value)} {clock(value)}"


def amount(value: Decimal) -> str:
    """A number as it is to be read: ``1``, ``0.5``, ``1,250``; no trailing zero, no naked point (L-10, L-11)."""
    if not value.is_finite():
        raise ValueError("only a finite number can be printed")
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def reading(value: Decimal, places: int) -> str:
    """A number rounded half up to what can be read off a syringe or a label; comparisons never see it rounded."""
    return amount(value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


def mg(value: Decimal) -> str:
    """An amount of drug to 0.0001 mg, without its unit."""
    return reading(value, 4)


def ml(value: Decimal) -> str:
    """A volume to 0.01 mL, without its unit."""
    return reading(value, 2)


def mg_per_ml(value: Decimal) -> str:
    """A concentration to 0.00001 mg/mL, without its unit."""
    return reading(value, 5)


def working(value: Decimal, places: int = 6) -> str:
    """An unrounded result: at most ``places`` decimals, an ellipsis where more follow."""
    shown = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN)
    return amount(shown) if shown == value else f"{shown:,f}…"


def signed_percent(value: Decimal) -> str:
    """A difference in per cent with its sign: ``−3.314…``, ``+10``; nothing is rounded up to a limit."""
    words = working(abs(value), 3)
    return words if value == 0 else f"{'−' if value < 0 else '+'}{words}"


_MEANINGFUL = re.compile(r"\S")


def notation_faults(field: str, text: str) -> list[Fault]:
    """What no label may say (REGULATION L-02, L-09, L-10, L-12), with the label's field."""
    return [
        Fault(field, f"The label's {field} has {what}: “{text}”. Write it out and print again.")
        for what in misread(text)
    ]


def reprint_words(copy_number: int) -> str:
    """``REPRINT 1`` for the second copy, '' for the first (REGULATION E-13)."""
    if copy_number < 1:
        raise ValueError("copies are counted from 1")
    return f"REPRINT {copy_number - 1}" if copy_number > 1 else ""


def load_fonts() -> None:
    """Make the embedded TrueType fonts known to the PDF library, once."""
    from reportlab import rl_config
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    with _fonts_lock:
        rl_config.useA85 = 0
        known = set(pdfmetrics.getRegisteredFontNames())
        for name, file in _FILES.items():
            if name not in known:
                pdfmetrics.registerFont(TTFont(name, str(Path(__file__).parent / "fonts" / file)))


@lru_cache(maxsize=8)
def _face(font: str) -> tuple[dict[int, float], float]:
    load_fonts()
    from reportlab.pdfbase import pdfmetrics

    face: Any = pdfmetrics.getFont(font).face
    return dict(face.charWidths), float(face.defaultWidth)


@lru_cache(maxsize=4096)
def _width_1000(text: str, font: str) -> float:
    widths, missing = _face(font)
    return sum(widths.get(ord(char), missing) for char in text)


def width(text: str, font: str, size: float) -> float:
    """Width of one line in points."""
    return _width_1000(text, font) * size / 1000


def character_faults(field: str, text: str, font: str = PLAIN) -> list[Fault]:
    """Characters the font cannot draw, line breaks and other invisible ones included."""
    widths, _ = _face(font)
    strange = [char for char in dict.fromkeys(text) if ord(char) not in widths or not char.isprintable()]
    if not strange:
        return []
    names = ", ".join(f"{char!r}" for char in strange)
    return [Fault(field, f"The {field} has characters that cannot be printed ({names}). Write it without them.")]


_BLANKS = re.compile(r"[^\S ]+")


def written_out(words: str, font: str = PLAIN) -> str:
    """What was recorded, as a report writes it on a line: nothing that was typed keeps a record from being printed.

    A line break, a tab or another wide blank becomes a blank. What the typeface lacks and what nobody would see is
    written by its number: ``[U+1F44D]``, ``[U+202E]``.
    """
    return words if words.isascii() and words.isprintable() else _written_out(words, font)


@lru_cache(maxsize=4096)
def _written_out(words: str, font: str) -> str:
    widths, _ = _face(font)
    return "".join(
        char if char.isprintable() and ord(char) in widths else f"[U+{ord(char):04X}]"
        for char in _BLANKS.sub(" ", words)
    )


def fitting_size(text: str, font: str, size: float, smallest: float, room: float) -> float | None:
    """The largest half-point size from ``size`` down to ``smallest`` in which ``text`` fits, or ``None``."""
    smallest = max(smallest, SMALLEST_PT)
    while size >= smallest:
        if width(text, font, size) <= room:
            return size
        size -= 0.5
    return None


def wrap(text: str, font: str, size: float, room: float) -> list[str]:
    """Lines of ``text``, written out, no wider than ``room``; a longer word breaks after a sign or between letters."""
    return list(_wrapped(written_out(text, font), font, size, room))


@lru_cache(maxsize=4096)
def _wrapped(text: str, font: str, size: float, room: float) -> tuple[str, ...]:
    lines: list[str] = []
    current = ""
    for word in text.split(" "):
        longer = f"{current} {word}" if current else word
        if width(longer, font, size) <= room:
            current = longer
            continue
        if current:
            lines.append(current)
        current = word
        while width(current, font, size) > room:
            cut = _break_at(current, lambda piece: width(piece, font, size) <= room)
            lines.append(current[:cut])
            current = current[cut:]
    lines.append(current)
    return tuple(lines)


def _break_at(word: str, fits: Callable[[str], bool]) -> int:
    last = 1
    while last < len(word) and fits(word[: last + 1]):
        last += 1
    signs = [at + 1 for at in range(last) if word[at] in "-–/.,;:_]"]
    return signs[-1] if signs else last


def shown(text: str) -> str:
    """The text of a cell: never blank (REGULATION A-12)."""
    return text if _MEANINGFUL.search(text) else NOT_APPLICABLE
