"""Reading what temperature loggers export as text: every maker writes it otherwise, and nothing is guessed.

What the file itself decides is recognised and named: delimiter, decimal mark, unit, order of the date, the clock,
the column. What it leaves open is asked for (``Answers``); what contradicts itself is refused. Each refusal names the
line and shows its text.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pharmacy_app.domain.dates import FIRST_YEAR, LAST_YEAR, MONTHS, at_site
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.temperatures import LoggerReading, celsius_of_fahrenheit

MAX_LINES = 300_000
"""Longer files than this are refused: a reading a minute for half a year are 262,800."""

UNITS = {"C": "°C", "F": "°F"}
DATE_ORDERS = {"ymd": "year, month, day", "dmy": "day, month, year", "mdy": "month, day, year"}
CLOCKS = {
    "site": "the site's clock, changed in spring and autumn",
    "standard": "the site's standard time all year",
    "summer": "the site's summer time all year",
    "utc": "UTC",
}
DELIMITERS = {";": "semicolon", "\t": "tab", ",": "comma", "|": "bar"}

_SHOWN_CHARACTERS = 80
_BLANKS = " \t\r\u00a0\u202f"
# So many lines are enough to see how a file is laid out; every line is then held to it.
_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person says where the file leaves it open; '' leaves it to the file.

    ``unit`` a key of ``UNITS``, ``date_order`` of ``DATE_ORDERS``, ``clock`` of ``CLOCKS``; ``column`` the number of
    the column with the temperature, counted from 1.
    """

    unit: str = ""
    date_order: str = ""
    clock: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Recognised:
    """How a file was read, in words for the person who looks at it before it is imported.

    ``before`` and ``after`` are the texts of the lines around the readings, which are not read as such.
    """

    encoding: str
    delimiter: str
    decimal_mark: str
    unit: str
    date_order: str
    clock: str
    column: str
    first_line: int
    last_line: int
    newest_first: bool
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoggerFile:
    """The readings in order of time, the moments at which the logger wrote that it has no value, and how it was read.

    ``serial`` is the logger's serial number where the file names it, else ''.
    """

    readings: tuple[LoggerReading, ...]
    missing: tuple[datetime, ...]
    recognised: Recognised
    serial: str


def read_logger_file(content: bytes, zone: ZoneInfo, answers: Answers | None = None) -> LoggerFile:
    """Read a logger's export; times without an offset are on the clock that file or person names, by default the
    site's.

    Raises ``Refused`` at the field ``file`` for what cannot be read, at ``unit``, ``date_order``, ``clock`` or
    ``column`` for what the file leaves open.
    """
    text, encoding = _decoded(content)
    lines = _lines(text)
    return _File(lines, encoding, zone, answers or Answers()).read()


# --- characters and lines ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the file that is not blank: its number counted from 1, and its text."""

    number: int
    text: str

    def said(self, word: str = "Line") -> str:
        shown = self.text.strip()
        if len(shown) > _SHOWN_CHARACTERS:
            shown = shown[:_SHOWN_CHARACTERS] + "…"
        return f"{word} {self.number} (“{shown}”)"


def _decoded(content: bytes) -> tuple[str, str]:
    if not content.strip(b" \t\r\n\0"):
        raise Refused(Fault("file", "This file is empty. Export it from the logger again."))
    for mark, name, words in (
        (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8 with byte-order mark"),
        (b"\xff\xfe", "utf-16", "UTF-16"),
        (b"\xfe\xff", "utf-16", "UTF-16"),
        (b"", "utf-8", "UTF-8"),
        (b"", "cp1252", "Windows-1252"),
    ):
        if content.startswith(mark):
            try:
                text = content.decode(name)
            except UnicodeDecodeError:
                continue
            if "\0" not in text:
                return text, words
    raise Refused(
        Fault("file", "This is no text file. Export the readings from the logger as CSV, and keep its PDF beside it.")
    )


def _lines(text: str) -> tuple[_Line, ...]:
    lines = re.split(r"\r\n|\r|\n", text)
    if len(lines) > MAX_LINES:
        raise Refused(Fault("file", f"This file has more than {MAX_LINES:,} lines. Export a shorter time."))
    return tuple(_Line(number, line) for number, line in enumerate(lines, start=1) if line.strip(" \t;,|"))


def _cells(line: str, delimiter: str) -> list[str]:
    if '"' not in line:
        return [cell.strip(_BLANKS) for cell in line.split(delimiter)]
    try:
        row = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True), [])
    except csv.Error:
        row = line.split(delimiter)
    return [cell.strip(_BLANKS) for cell in row]


# --- what a cell may be -----------------------------------------------------------------------------------------

_NUMBER = re.compile(
    r"([-+−]?)(\d{1,4})(?:([.,])(\d{1,6}))?\s*(?:(?:°|º|deg(?:rees)?\.?)?\s*([CF])(?:elsius|ahrenheit)?)?", re.I
)


@lru_cache(maxsize=8192)
def _number(cell: str) -> re.Match[str] | None:
    """A cell read as a number: the same few hundred temperatures come again and again."""
    return _NUMBER.fullmatch(cell)


_NO_VALUE = {
    *("", "-", "--", "---", "-.-", "--.-", "n/a", "na", "nan", "null", "none", "err", "error", "fault", "fail"),
    *("failed", "open", "short", "ol", "over", "under", "lo", "hi", "no data", "no value", "disconnected", "no probe"),
    *("sensor error", "sensor fault", "probe error", "*", "**", "***", "?", "???"),
}
_MONTH = "|".join(MONTHS)
_DAY = re.compile(
    rf"(\d{{1,4}})([-/. ])(\d{{1,2}}|{_MONTH})[a-z]*\.?\2(\d{{2,4}})(?!\d)|({_MONTH})[a-z]*\.? (\d{{1,2}}),? (\d{{4}})",
    re.I,
)
_TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,6})?)?\s*(?:([ap])\.?\s?m\.?)?\s*(Z|UTC|GMT|[-+−]\d{2}:?\d{2})?", re.I
)
_BEGINS_AS_DAY = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d")


@dataclass(frozen=True, slots=True)
class _When:
    """A moment as written: the three parts of its day, the clock time, and its own offset where it has one."""

    parts: tuple[str, str, str]
    orders: frozenset[str]
    hour: int
    minute: int
    second: int
    offset: tzinfo | None
    has_half: bool

    def day(self, order: str) -> tuple[int, int, int]:
        """Year, month and day in one order."""
        named = dict(zip(order, self.parts, strict=True))
        month = named["m"]
        months = [name.lower() for name in MONTHS]
        number = int(month) if month.isdigit() else months.index(month[:3].lower()) + 1
        year = int(named["y"])
        return (2000 + year if len(named["y"]) == 2 else year), number, int(named["d"])

    def wall(self, order: str) -> datetime | None:
        """The moment on its own clock, without an offset; ``None`` when there is no such day."""
        year, month, day = self.day(order)
        try:
            moment = datetime(year, month, day, self.hour, self.minute, self.second, tzinfo=UTC)
        except ValueError:
            return None
        return moment.replace(tzinfo=None)


@lru_cache(maxsize=4096)
def _day(day: str) -> tuple[tuple[str, str, str], frozenset[str]] | None:
    """The parts of a day and the orders they can stand in: a day comes again with each of its readings."""
    found = _DAY.fullmatch(day)
    if not found:
        return None
    if found[5]:
        return (found[5], found[6], found[7]), frozenset({"mdy"})
    parts = (found[1], found[3], found[4])
    return parts, _orders(*parts)


def _when(day: str, time: str) -> _When | None:
    read_day, found_time = _day(day), _TIME.fullmatch(time)
    if read_day is None or not found_time:
        return None
    hour, minute, second = int(found_time[1]), int(found_time[2]), int(found_time[3] or 0)
    half = (found_time[4] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    parts, orders = read_day
    return _When(parts, orders, hour, minute, second, _offset(found_time[5]), bool(half)) if orders else None


def _orders(first: str, middle: str, last: str) -> frozenset[str]:
    """The orders in which the three parts of a day can stand at all."""
    lengths = (len(first), len(last))
    named = not middle.isdigit()
    if lengths[0] == 4 and lengths[1] <= 2:
        return frozenset({"ymd"})
    if lengths[0] > 2 or lengths[1] == 3:
        return frozenset()
    if lengths[1] == 4:
        return frozenset({"dmy"}) if named else frozenset({"dmy", "mdy"})
    return frozenset({"dmy", "ymd"}) if named else frozenset({"dmy", "mdy", "ymd"})


def _offset(written: str | None) -> tzinfo | None:
    if not written:
        return None
    if written.upper() in ("Z", "UTC", "GMT"):
        return UTC
    digits = re.sub(r"\D", "", written)
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-span if written[0] in "-−" else span) if span < timedelta(hours=24) else None


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where moment and numbers stand in a line of readings; ``time_at`` is ``day_at`` when one cell holds both."""

    delimiter: str
    cells: int
    day_at: int
    time_at: int

    def when(self, cells: Sequence[str]) -> _When | None:
        """The moment of a line, or ``None`` when it is no line of readings."""
        if len(cells) <= max(self.day_at, self.time_at):
            return None
        if self.day_at != self.time_at:
            return _when(cells[self.day_at], cells[self.time_at])
        return _both(cells[self.day_at])


def _both(cell: str) -> _When | None:
    found = re.fullmatch(r"(.*?\d)(?:T|,?\s+)(\d{1,2}:\d{2}.*)", cell)
    return _when(found[1], found[2]) if found else None


def _layout_of(cells: Sequence[str], delimiter: str) -> _Layout | None:
    for at, cell in enumerate(cells):
        if _both(cell):
            return _Layout(delimiter, len(cells), at, at)
        if at + 1 < len(cells) and _when(cell, cells[at + 1]):
            return _Layout(delimiter, len(cells), at, at + 1)
    return None


class _Row(NamedTuple):
    """A line cut into cells, and the moment it names; ``None`` when it is no line of readings."""

    line: _Line
    cells: list[str]
    when: _When | None


# --- the file as a whole ----------------------------------------------------------------------------------------

_IS_TEMPERATURE = re.compile(r"temp|°|celsius|fahrenheit|\bt\b|\bdeg\b", re.I)
_IS_NUMBERING = re.compile(
    r"^(?:no\.?|nr\.?|n°|#|index|id|idx|sample|reading|record|line|lfd\.? ?nr\.?|count|s/n)$", re.I
)
_UNIT_WORD = re.compile(r"(?:°|º|\bdeg(?:rees)?\.?)\s*([CF])\b|[\[(]\s*([CF])\s*[\])]|\b(celsius|fahrenheit)\b", re.I)
_UNIT_LINE = re.compile(r"\bunits?\b", re.I)
_ORDER_WORD = re.compile(
    r"\b(y{2,4}[-/. ]m{2}[-/. ]d{1,2}|d{1,2}[-/. ]m{1,2}[-/. ]y{2,4}|m{1,2}[-/. ]d{1,2}[-/. ]y{2,4})\b", re.I
)
_ZONE_LINE = re.compile(r"time ?zone|\butc\b|\bgmt\b", re.I)
_ZONE_WORD = re.compile(r"\b(?:utc|gmt)\b\s*(?:([-+−])\s*(\d{1,2})(?::?(\d{2}))?)?", re.I)
_SERIAL_LINE = re.compile(r"^\W*(?:logger |device |unit )?(?:serial(?: ?(?:no\.?|number|#))?|s/n)\b\W*(\S.*)?$", re.I)


class _File:
    """One file being read."""

    def __init__(self, lines: Sequence[_Line], encoding: str, zone: ZoneInfo, answers: Answers) -> None:
        self.lines = lines
        self.encoding = encoding
        self.zone = zone
        self.answers = answers
        self._offsets: dict[datetime, tuple[timezone | None, timezone | None]] = {}

    def read(self) -> LoggerFile:
        self.layout = self._find_layout()
        rows = []
        for line in self.lines:
            cells = _cells(line.text, self.layout.delimiter)
            rows.append(_Row(line, cells, self.layout.when(cells)))
        stands = [row.when is not None for row in rows]
        first, last = stands.index(True), len(stands) - 1 - stands[::-1].index(True)
        self.before = [row.line for row in rows[:first]]
        self.after = [row.line for row in rows[last + 1 :]]
        self.header = self._header(rows[:first], rows[first].cells)
        block = rows[first : last + 1]
        self._refuse_strangers(rows, first, last)
        self.column = self._find_column(block)
        marks = self._number_marks(block)
        unit = self._find_unit(block)
        order = self._find_order(block)
        moments, clock, newest_first = self._moments(block, order)
        readings, missing = self._readings(block, moments, unit)
        if newest_first:
            readings, missing = readings[::-1], missing[::-1]
        if not readings:
            raise Refused(
                Fault("file", "No line of this file has a temperature. If the logger failed, record it as failed.")
            )
        return LoggerFile(
            tuple(readings),
            tuple(missing),
            Recognised(
                self.encoding,
                DELIMITERS[self.layout.delimiter],
                marks,
                UNITS[unit],
                DATE_ORDERS[order],
                clock,
                self._column_words(),
                block[0].line.number,
                block[-1].line.number,
                newest_first,
                tuple(line.text.strip() for line in self.before),
                tuple(line.text.strip() for line in self.after),
            ),
            self._serial(),
        )

    # -- lines and columns

    def _find_layout(self) -> _Layout:
        found: Counter[_Layout] = Counter()
        for delimiter in DELIMITERS:
            for line in self.lines[:_LOOKED_AT]:
                layout = _layout_of(_cells(line.text, delimiter), delimiter)
                if layout is not None and layout.cells > len({layout.day_at, layout.time_at}):
                    found[layout] += 1
        if not found:
            raise Refused(
                Fault(
                    "file",
                    "No line with a date, a time and a temperature was found;"
                    f" {self.lines[0].said('line')} is the first. Export the readings as CSV with one reading a line.",
                )
            )
        (layout, count), *others = found.most_common()
        if others and others[0][1] == count:
            raise Refused(
                Fault("file", f"{self.lines[-1].said()}: the lines of this file are not alike. Export it again.")
            )
        return layout

    def _header(self, before: Sequence[_Row], like: Sequence[str]) -> list[str]:
        """The headings: the last line before the readings, when it has as many cells."""
        return list(before[-1][1]) if before and len(before[-1][1]) == len(like) else []

    def _refuse_strangers(self, rows: Sequence[_Row], first: int, last: int) -> None:
        faults = []
        for at, (line, cells, when) in enumerate(rows):
            if when is not None:
                if first <= at <= last and len(cells) != self.layout.cells and any(cells[self.layout.cells :]):
                    faults.append(
                        f"{line.said()} has {len(cells)} values where the other lines have {self.layout.cells}. Is a"
                        " comma of a number taken for one between two values?"
                    )
                continue
            begins = len(cells) > self.layout.day_at and _BEGINS_AS_DAY.match(cells[self.layout.day_at])
            if first < at < last:
                faults.append(f"{line.said()} stands among the readings and cannot be read as one.")
            elif begins:
                faults.append(f"{line.said()} begins like a reading and cannot be read: is it cut off?")
            if len(faults) >= 3:
                break
        if faults:
            raise Refused(*(Fault("file", f"{fault} Export the file again.") for fault in faults))

    def _find_column(self, block: Sequence[_Row]) -> int:
        moments = {self.layout.day_at, self.layout.time_at}
        width = self.layout.cells
        self._refuse_decimal_comma(block)
        numeric = [
            at
            for at in range(width)
            if at not in moments and any(len(cells) > at and cells[at] and _number(cells[at]) for _, cells, _ in block)
        ]
        chosen = self.answers.column
        if chosen and numeric:
            at = int(chosen) - 1 if chosen.isascii() and chosen.isdigit() else -1
            if at not in numeric:
                raise Refused(
                    Fault(
                        "column",
                        f"Column {chosen} has no temperatures. Choose among {_listed(at + 1 for at in numeric)}.",
                    )
                )
            return at
        named = [at for at, name in enumerate(self.header) if at not in moments and _IS_TEMPERATURE.search(name)]
        if len(named) == 1:
            return named[0]
        if not numeric:
            raise Refused(Fault("file", f"{block[0].line.said()} has a date and a time, but no temperature."))
        if self.header:
            numeric = [at for at in numeric if not _IS_NUMBERING.match(self.header[at])]
        elif len(numeric) > 1:
            numeric = [at for at in numeric if not _counts_up(cells[at] for _, cells, _ in block if len(cells) > at)]
        if len(numeric) == 1:
            return numeric[0]
        columns = _listed(
            f"{at + 1}" + (f" “{self.header[at]}”" if self.header else "") for at in (numeric or range(width))
        )
        raise Refused(
            Fault(
                "column",
                f"{block[0].line.said()} has several numbers: columns {columns}. Choose the one with the"
                " temperature of the place.",
            )
        )

    def _refuse_decimal_comma(self, block: Sequence[_Row]) -> None:
        """Refuse a file in which a comma may stand both between values and within a number: 5,4 would be read as 5."""
        line, cells, _ = block[0]
        if self.layout.delimiter != "," or self.header:
            return
        headings = _cells(self.before[-1].text, ",") if self.before else []
        fewer = 2 <= len(headings) < len(cells) and any(_IS_TEMPERATURE.search(name) for name in headings)
        pairs = [
            at
            for at in range(max(self.layout.day_at, self.layout.time_at) + 1, len(cells) - 1)
            if all(_whole(row, at) and _whole(row, at + 1) for _, row, _ in block)
        ]
        if fewer or pairs:
            raise Refused(
                Fault(
                    "file",
                    f"{line.said()} has commas between its values and perhaps within its numbers: is it"
                    f" {cells[-2]}.{cells[-1]}? Export it with a semicolon between the values, or with a decimal"
                    " point.",
                )
            )

    def _column_words(self) -> str:
        name = f", “{self.header[self.column]}”" if self.header and self.header[self.column] else ""
        return f"column {self.column + 1}{name}"

    # -- numbers

    def _number_marks(self, block: Sequence[_Row]) -> str:
        """The decimal mark in words; refused where a value is neither a number nor said to be missing."""
        marks: dict[str, _Line] = {}
        for line, cells, _ in block:
            value = cells[self.column] if len(cells) > self.column else ""
            found = _number(value)
            if found is None and value.lower() not in _NO_VALUE:
                raise Refused(Fault("file", f"{line.said()}: “{value}” is no temperature. Export the file again."))
            if found is not None and found[3]:
                marks.setdefault(found[3], line)
        if len(marks) > 1:
            later = max(marks.values(), key=lambda line: line.number)
            raise Refused(
                Fault("file", f"{later.said()} has another decimal mark than the lines before it. Export it again.")
            )
        return {",": "comma", ".": "point"}.get(next(iter(marks), ""), "whole degrees")

    def _find_unit(self, block: Sequence[_Row]) -> str:
        named: dict[str, _Line] = {}
        for line, cells, _ in block:
            found = _number(cells[self.column]) if len(cells) > self.column else None
            if found is not None and found[5]:
                named.setdefault(found[5].upper(), line)
        if self.header and (unit := _unit_in(self.header[self.column], bare=True)):
            named.setdefault(unit, self.before[-1])
        for line in (*self.before, *self.after):
            if _UNIT_LINE.search(line.text) and (unit := _unit_in(line.text, bare=True)):
                named.setdefault(unit, line)
        if not named and len(units := {_unit_in(line.text) for line in (*self.before, *self.after)} - {""}) == 1:
            # No heading names it, but the lines around the readings speak of one unit alone.
            unit = units.pop()
            named[unit] = next(line for line in (*self.before, *self.after) if _unit_in(line.text) == unit)
        return self._settled("unit", named, UNITS, self.answers.unit, block[0].line, "in °C or in °F")

    def _settled(
        self, field: str, named: dict[str, _Line], words: dict[str, str], answer: str, first: _Line, what: str
    ) -> str:
        """What the file names, or the person's answer where it names nothing; refused when the two disagree."""
        if answer and answer not in words:
            raise Refused(Fault(field, f"Choose {_listed(words.values())}."))
        if len(named) > 1:
            one, other = sorted(named.items(), key=lambda item: item[1].number)[:2]
            raise Refused(
                Fault(
                    "file",
                    f"{other[1].said()} says {words[other[0]]}, but line {one[1].number} says {words[one[0]]}."
                    " Export the file again.",
                )
            )
        if named:
            ((value, line),) = named.items()
            if answer and answer != value:
                raise Refused(
                    Fault(field, f"{line.said()} says {words[value]}, not {words[answer]}. Leave it to the file.")
                )
            return value
        if not answer:
            raise Refused(
                Fault(
                    field,
                    f"The file does not say whether it is {what}; {first.said('line')} fits both. Choose one here.",
                )
            )
        return answer

    # -- days and times

    def _find_order(self, block: Sequence[_Row]) -> str:
        orders = set(DATE_ORDERS)
        tried: dict[str, _Line] = {}
        for line, _, when in block:
            assert when is not None
            for order in tuple(orders):
                wall = when.wall(order) if order in when.orders else None
                if wall is None or not FIRST_YEAR <= wall.year <= LAST_YEAR:
                    orders.discard(order)
                    tried[order] = line
        if not orders:
            last = max(tried.values(), key=lambda line: line.number)
            raise Refused(
                Fault("file", f"{last.said()} has a day that does not exist in the order of the lines before it.")
            )
        answer = self.answers.date_order
        if answer and answer not in DATE_ORDERS:
            raise Refused(Fault("date_order", f"Choose {_listed(DATE_ORDERS.values())}."))
        if answer:
            if answer not in orders:
                raise Refused(
                    Fault("date_order", f"{tried[answer].said()} does not fit the order {DATE_ORDERS[answer]}.")
                )
            return answer
        if len(orders) == 1:
            return orders.pop()
        named = self._named_order() & orders
        if len(named) == 1:
            return named.pop()
        raise Refused(
            Fault(
                "date_order",
                f"{block[0].line.said()} fits {_listed((DATE_ORDERS[order] for order in sorted(orders)), 'and')}, and"
                " no other line decides. Choose the order here.",
            )
        )

    def _named_order(self) -> set[str]:
        """The order that a heading or a line before the readings spells out (``MM/DD/YYYY``)."""
        found = set()
        for line in self.before:
            if written := _ORDER_WORD.search(line.text):
                found.add("".join(dict.fromkeys(letter for letter in written[1].lower() if letter in "ymd")))
        return found

    def _moments(self, block: Sequence[_Row], order: str) -> tuple[list[datetime], str, bool]:
        """The moment of each line with its plain offset, the clock in words, and whether the newest stands first."""
        whens = []
        for line, _, when in block:
            wall = None if when is None else when.wall(order)
            assert when is not None and wall is not None
            whens.append((line, when, wall))
        self._refuse_mixed(whens)
        ends = [wall.replace(tzinfo=when.offset or UTC) for _, when, wall in (whens[0], whens[-1])]
        newest_first = ends[0] > ends[1]
        if newest_first:
            whens.reverse()
        if whens[0][1].offset is not None:
            if self.answers.clock:
                raise Refused(
                    Fault("clock", f"{whens[0][0].said()} has its own offset from UTC. Leave the clock to the file.")
                )
            moments = [at_site(wall.replace(tzinfo=when.offset), self.zone) for _, when, wall in whens]
            words = "each reading has its offset from UTC"
        else:
            moments, words = self._on_clock([(line, wall) for line, _, wall in whens])
        for (line, _, _), (earlier, later) in zip(whens[1:], pairwise(moments), strict=True):
            if later < earlier:
                raise Refused(
                    Fault(
                        "file",
                        f"{line.said()} goes back in time: the line before it is later. Was the logger's clock changed?"
                        " Export each part by itself, or record it by hand.",
                    )
                )
        return (moments[::-1] if newest_first else moments), words, newest_first

    def _refuse_mixed(self, whens: Sequence[tuple[_Line, _When, datetime]]) -> None:
        first = whens[0][1]
        for line, when, _ in whens:
            if (when.offset is None) != (first.offset is None) or when.has_half != first.has_half:
                raise Refused(
                    Fault("file", f"{line.said()} writes its time otherwise than the lines before it. Export it again.")
                )

    def _on_clock(self, walls: Sequence[tuple[_Line, datetime]]) -> tuple[list[datetime], str]:
        named = self._named_clock()
        answer = self.answers.clock
        if answer and answer not in CLOCKS:
            raise Refused(Fault("clock", f"Choose {_listed(CLOCKS.values())}."))
        if named is not None:
            offset, line = named
            if offset is None and not answer:
                raise Refused(
                    Fault("clock", f"{line.said()} names a time zone that is not understood. Choose the clock here.")
                )
            if offset is not None:
                if answer:
                    raise Refused(Fault("clock", f"{line.said()} names the clock already. Leave it to the file."))
                return [self._at_site(wall, offset) for _, wall in walls], f"named by line {line.number}: {offset}"
        if answer in ("utc", "standard", "summer"):
            fixed = UTC if answer == "utc" else timezone(self._offset_of_year(walls[0][1].year, answer))
            return [self._at_site(wall, fixed) for _, wall in walls], CLOCKS[answer]
        return self._on_wall(walls), f"{CLOCKS['site']} ({self.zone.key})"

    def _named_clock(self) -> tuple[timezone | None, _Line] | None:
        """The zone that a line before the readings names; its offset is ``None`` when it is not understood."""
        for line in self.before:
            if not _ZONE_LINE.search(line.text):
                continue
            found = _ZONE_WORD.search(line.text)
            if found is None:
                return None if self.zone.key.lower() in line.text.lower() else (None, line)
            span = timedelta(hours=int(found[2] or 0), minutes=int(found[3] or 0))
            if span > timedelta(hours=14):
                return None, line
            return timezone(-span if found[1] in ("-", "−") else span), line
        return None

    def _offset_of_year(self, year: int, season: str) -> timedelta:
        offsets = [datetime(year, month, 1, tzinfo=self.zone).utcoffset() or timedelta(0) for month in (1, 7)]
        return min(offsets) if season == "standard" else max(offsets)

    def _on_wall(self, walls: Sequence[tuple[_Line, datetime]]) -> list[datetime]:
        """Moments on the site's clock; in autumn's doubled hour the one step back tells the two passes apart."""
        moments: list[datetime] = []
        doubled = [self._passes(wall) for _, wall in walls]
        second = False
        for at, (line, wall) in enumerate(walls):
            first_pass, second_pass = doubled[at]
            if first_pass is None:
                raise Refused(
                    Fault(
                        "clock",
                        f"{line.said()}: this time did not exist on the site's clock, which went forward in that hour."
                        " Choose the clock the logger kept.",
                    )
                )
            if second_pass is None:
                second = False
            elif at and doubled[at - 1][1] is not None and wall < walls[at - 1][1]:
                second = True
            elif not second and not self._steps_back(walls, doubled, at):
                raise Refused(
                    Fault(
                        "clock",
                        f"{line.said()}: this time came twice on the site's clock, which went back in that hour, and"
                        " no line shows which one it is. Choose the clock the logger kept.",
                    )
                )
            moments.append(second_pass if second and second_pass is not None else first_pass)
        return moments

    def _steps_back(
        self,
        walls: Sequence[tuple[_Line, datetime]],
        doubled: Sequence[tuple[datetime | None, datetime | None]],
        at: int,
    ) -> bool:
        """Whether a later line of the same doubled hour goes back: then this one belongs to the first pass."""
        while at + 1 < len(walls) and doubled[at + 1][1] is not None:
            if walls[at + 1][1] < walls[at][1]:
                return True
            at += 1
        return False

    def _at_site(self, wall: datetime, fixed: tzinfo) -> datetime:
        return at_site(wall.replace(tzinfo=fixed), self.zone)

    def _passes(self, wall: datetime) -> tuple[datetime | None, datetime | None]:
        """The moment of a time on the site's clock, and its second one where it came twice."""
        # Clocks change on the half hour at the finest: one look serves all times of it.
        half = wall.replace(minute=wall.minute // 30 * 30, second=0)
        if half not in self._offsets:
            self._offsets[half] = self._offsets_of(half)
        first, second = self._offsets[half]
        return (
            None if first is None else wall.replace(tzinfo=first),
            None if second is None else wall.replace(tzinfo=second),
        )

    def _offsets_of(self, wall: datetime) -> tuple[timezone | None, timezone | None]:
        early = wall.replace(tzinfo=self.zone)
        late = early.replace(fold=1)
        first, second = (timezone(each.utcoffset() or timedelta(0)) for each in (early, late))
        if first == second:
            return first, None
        if early.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None, fold=0) != wall:
            return None, None
        return first, second

    # -- readings

    def _readings(
        self, block: Sequence[_Row], moments: Sequence[datetime], unit: str
    ) -> tuple[list[LoggerReading], list[datetime]]:
        convert: Callable[[Decimal], Decimal] = celsius_of_fahrenheit if unit == "F" else Decimal
        known: dict[str, Decimal] = {}
        readings, missing = [], []
        for (line, cells, _), moment in zip(block, moments, strict=True):
            value = cells[self.column] if len(cells) > self.column else ""
            found = _number(value)
            if found is None:
                missing.append(moment)
                continue
            if value not in known:
                sign = "-" if found[1] in ("-", "−") else ""
                known[value] = convert(Decimal(f"{sign}{found[2]}.{found[4] or '0'}"))
                if not -100 <= known[value] <= 100:
                    raise Refused(
                        Fault("file", f"{line.said()}: no place is that warm or cold. Is the column the right one?")
                    )
            readings.append(LoggerReading(moment, known[value]))
        return readings, missing

    def _serial(self) -> str:
        for line in self.before:
            cells = [cell for cell in _cells(line.text, self.layout.delimiter) if cell]
            found = _SERIAL_LINE.match(" ".join(cells).replace(":", " "))
            if found and found[1]:
                return str(found[1]).split()[0][:40]
        return ""


def _unit_in(words: str, *, bare: bool = False) -> str:
    """The one unit a text names, 'C' or 'F'; '' for none or for both. ``bare``: a lone letter counts as well."""
    found = {(each[0] or each[1] or each[2])[0].upper() for each in _UNIT_WORD.findall(words)}
    if not found and bare:
        found = {letter.upper() for letter in re.findall(r"(?<![A-Za-z])([CF])(?![A-Za-z])", words)}
    return found.pop() if len(found) == 1 else ""


def _counts_up(values: Iterable[str]) -> bool:
    """Whether a column does nothing but number the lines."""
    cells = [value for value in values if value]
    if len(cells) < 3 or not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    steps = {int(later) - int(earlier) for earlier, later in pairwise(cells)}
    return steps in ({1}, {-1})


def _whole(cells: Sequence[str], at: int) -> bool:
    return len(cells) > at and re.fullmatch(r"[-+−]?\d{1,4}", cells[at]) is not None


def _listed(words: Iterable[object], last: str = "or") -> str:
    *first, end = [str(word) for word in words]
    return f"{', '.join(first)} {last} {end}" if first else end
