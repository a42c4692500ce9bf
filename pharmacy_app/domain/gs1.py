"""GS1 element strings: the table of application identifiers, reading, writing, and the form for the eye.

An element string is what a GS1 DataMatrix or GS1-128 holds: identifiers and values one after the other. The FNC1 at
its start is not part of the text; the separator GS ends every value whose length is not predefined, but the last
(GS1 General Specifications 7.8; REGULATION B-01, B-02). Numbers are only ever read and checked here: nothing makes a
GTIN or a check digit (B-04).
"""

import calendar
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from pharmacy_app.domain.errors import Fault, Refused

GS = "\x1d"
"""The separator, as a scanner sends it for the FNC1 after a value."""

GTIN, LOT, EXPIRY, SERIAL, EXPIRY_TIME, PROTOCOL = "01", "10", "17", "21", "7003", "7240"
"""The identifiers a vial's facts are taken from."""

_DIGITS = frozenset("0123456789")
_SET_82 = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_PREDEFINED = frozenset(f"{number:02d}" for number in (*range(5), *range(11, 21), *range(31, 37), 41))
"""First two digits of the identifiers that never need a separator (GS1 General Specifications 7.8.5)."""


class Problem(StrEnum):
    """What is wrong with an element string, by name."""

    EMPTY = "nothing to read"
    IDENTIFIER = "unknown application identifier"
    SHORT = "value too short"
    LONG = "value too long"
    SEPARATOR = "separator missing"
    ORDER = "bad order"
    TWICE = "two values for one identifier"
    CHARACTER = "character not allowed"
    CHECK_DIGIT = "bad check digit"
    MONTH = "no such month"
    DAY = "no such day"
    TIME = "no such time"


class BadCode(Refused):
    """An element string that cannot be read or written; ``problem`` names why."""

    def __init__(self, problem: Problem, sentence: str) -> None:
        self.problem = problem
        super().__init__(Fault("scan", sentence))


@dataclass(frozen=True, slots=True)
class Identifier:
    """One application identifier: so many digits, then up to ``most`` more characters, at least ``least``.

    ``of_set_82`` says whether those may be any character of set 82 or digits alone; ``rule`` is what the digits must
    hold to: 'check' (modulo 10), 'day' (YYMMDD, DD=00 for the whole month), 'moment' (YYMMDDhhmm) or ''.
    """

    ai: str
    title: str
    digits: int
    least: int
    most: int
    of_set_82: bool
    rule: str

    @property
    def fixed(self) -> bool:
        """Whether its length is predefined, so that no separator is needed after it."""
        return self.ai[:2] in _PREDEFINED

    @property
    def shortest(self) -> int:
        """The fewest characters of a value."""
        return self.digits + self.least

    @property
    def longest(self) -> int:
        """The most characters of a value."""
        return self.digits + self.most


@dataclass(frozen=True, slots=True)
class Element:
    """One identifier with its value."""

    ai: str
    value: str


# Identifier or range, title, format in GS1's notation ("N13+X..17": 13 digits, then up to 17 characters), rule.
# Formats of the GS1 syntax dictionary; where a range has one meaning it is one row.
_ROWS = (
    ("00", "SSCC", "N18", "check"),
    ("01", "GTIN", "N14", "check"),
    ("02", "GTIN of the contents", "N14", "check"),
    ("10", "lot", "X..20", ""),
    ("11", "production date", "N6", "day"),
    ("12", "due date", "N6", "day"),
    ("13", "packaging date", "N6", "day"),
    ("15", "best before", "N6", "day"),
    ("16", "sell by", "N6", "day"),
    ("17", "expiry", "N6", "day"),
    ("20", "variant", "N2", ""),
    ("21", "serial number", "X..20", ""),
    ("22", "consumer product variant", "X..20", ""),
    ("235", "serial number of a third party", "X..28", ""),
    ("240", "additional item number", "X..30", ""),
    ("241", "customer part number", "X..30", ""),
    ("242", "made-to-order variant", "N..6", ""),
    ("243", "packaging component", "X..20", ""),
    ("250", "secondary serial number", "X..30", ""),
    ("251", "reference to the source", "X..30", ""),
    ("253", "document number", "N13+X..17", "check"),
    ("254", "extension of the location", "X..20", ""),
    ("255", "coupon number", "N13+N..12", "check"),
    ("30", "variable count", "N..8", ""),
    ("37", "count of the contents", "N..8", ""),
    ("400", "order number", "X..30", ""),
    ("401", "consignment number", "X..30", ""),
    ("402", "shipment number", "N17", "check"),
    ("403", "routing code", "X..30", ""),
    ("410-417", "location", "N13", "check"),
    ("420", "postal code", "X..20", ""),
    ("421", "postal code with country", "N3+X..9", ""),
    ("422", "country of origin", "N3", ""),
    ("423", "countries of first processing", "N..15", ""),
    ("424", "country of processing", "N3", ""),
    ("425", "countries of disassembly", "N..15", ""),
    ("426", "country of all processing", "N3", ""),
    ("427", "part of the country of origin", "X..3", ""),
    ("7001", "NATO stock number", "N13", ""),
    ("7002", "cut of meat", "X..30", ""),
    ("7003", "expiry with time", "N10", "moment"),
    ("7004", "active potency", "N..4", ""),
    ("7005", "catch area", "X..12", ""),
    ("7006", "first freeze date", "N6", ""),
    ("7020-7022", "refurbishment", "X..20", ""),
    ("7023", "assembly", "X..30", ""),
    ("7030-7039", "processor", "N3+X..27", ""),
    ("710-715", "national healthcare number", "X..20", ""),
    ("7230-7239", "certification", "X..30", ""),
    ("7240", "protocol", "X..20", ""),
    ("8002", "mobile telephone", "X..20", ""),
    ("8003", "returnable asset", "N14+X..16", ""),
    ("8004", "individual asset", "X..30", ""),
    ("8005", "price per unit", "N6", ""),
    ("8006", "piece of a trade item", "N18", ""),
    ("8008", "production time", "N8+N..4", ""),
    ("8012", "software version", "X..20", ""),
    ("8017-8018", "service relation", "N18", "check"),
    ("8019", "service instance", "N..10", ""),
    ("8020", "payment reference", "X..25", ""),
    ("8026", "piece of the contents", "N18", ""),
    ("8200", "product address", "X..70", ""),
    ("90", "internal", "X..30", ""),
    ("91-99", "internal", "X..90", ""),
)
_MEASURES = (*range(310, 317), *range(320, 338), *range(340, 358), *range(360, 370))


def _identifier(ai: str, title: str, form: str, rule: str) -> Identifier:
    head, _, tail = form.partition("+")
    if ".." in head:
        head, tail = "N0", head
    optional = head != "N0"
    return Identifier(
        ai,
        title,
        int(head[1:]),
        0 if optional else 1,
        int(tail.partition("..")[2] or 0),
        tail.startswith("X"),
        rule,
    )


def _table() -> dict[str, Identifier]:
    table = {}
    for ais, title, form, rule in _ROWS:
        first, _, last = ais.partition("-")
        for number in range(int(first), int(last or first) + 1):
            ai = f"{number:0{len(first)}d}"
            table[ai] = _identifier(ai, title, form, rule)
    for measure in _MEASURES:
        for decimals in range(6):
            ai = f"{measure}{decimals}"
            table[ai] = _identifier(ai, "measure", "N6", "")
    return table


IDENTIFIERS = _table()
"""Every identifier that is read, by its number. No identifier begins with another one."""


def check_digit_fits(digits: str) -> bool:
    """Whether the last of ``digits`` is the modulo-10 check digit of those before it.

    From the right, the digits count 1, 3, 1, 3 …; the sum is a multiple of ten.
    """
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0


def full_year(two_digits: int, today: date) -> int:
    """The year meant by two digits: from 49 years back of ``today``'s to 50 ahead (GS1 General Specifications 7.12)."""
    century, year = divmod(today.year, 100)
    ahead = two_digits - year
    if ahead > 50:
        century -= 1
    elif ahead < -49:
        century += 1
    return century * 100 + two_digits


def last_day(value: str, today: date) -> date:
    """The last day that YYMMDD names: the day itself, or the month's last when DD is 00. Raises ``BadCode``."""
    year, month, day = full_year(int(value[:2]), today), int(value[2:4]), int(value[4:6])
    longest = calendar.monthrange(year, month)[1]
    if day > longest:
        raise BadCode(Problem.DAY, f"The date {value} is not a day of the calendar. Type the expiry by hand.")
    return date(year, month, day or longest)


def expiry_of(elements: Iterable[Element], today: date) -> date | None:
    """The last day through which an item may be used by its code, or ``None`` when the code does not say.

    Where the code ends the item at a time of the day (7003), that day is not whole: the day before it counts.
    """
    values = {element.ai: element.value for element in elements}
    days = [last_day(values[EXPIRY], today)] if EXPIRY in values else []
    if moment := values.get(EXPIRY_TIME):
        day = last_day(moment[:6], today)
        if days and days[0] != day:
            raise BadCode(
                Problem.TWICE,
                f"The code names two expiries: {values[EXPIRY]}, {moment}. Put the item aside and ask the supporter.",
            )
        days.append(day if moment[6:] == "2359" else day - timedelta(days=1))
    return min(days, default=None)


def value_of(elements: Iterable[Element], ai: str) -> str:
    """The value of an identifier, or '' when the code does not carry it."""
    return next((element.value for element in elements if element.ai == ai), "")


def identifier_at(text: str, at: int = 0) -> Identifier | None:
    """The identifier that stands at a place of a text, or ``None`` when none that is known begins there."""
    return next((IDENTIFIERS[text[at : at + n]] for n in (2, 3, 4) if text[at : at + n] in IDENTIFIERS), None)


def parse(raw: str) -> tuple[Element, ...]:
    """Read an element string whose separators can be relied on. Raises ``BadCode``.

    One separator after any value is tolerated, needed or not; so are one at the start and one at the end.
    """
    text = raw.removeprefix(GS)
    if not text:
        raise BadCode(Problem.EMPTY, "The code is empty. Scan the label again.")
    found: list[Element] = []
    at = 0
    while at < len(text):
        identifier = identifier_at(text, at)
        if identifier is None:
            raise BadCode(
                Problem.IDENTIFIER,
                f"“{text[at : at + 4].replace(GS, '␝')}” is no GS1 identifier that is known here. Scan the label again;"
                " if it stays so, type what is printed.",
            )
        start = at + len(identifier.ai)
        separator = text.find(GS, start)
        end = len(text) if separator < 0 else separator
        if identifier.fixed:
            end = min(end, start + identifier.longest)
        found.append(Element(identifier.ai, text[start:end]))
        if end - start > identifier.longest and _some_cut(identifier, text[start:end]):
            raise BadCode(
                Problem.SEPARATOR,
                f"({identifier.ai}) {identifier.title} is longer than GS1 allows, and another value seems to hang on"
                f" it: “{text[start:end]}”. The scanner drops the separator: set it to send GS (ASCII 29).",
            )
        check_element(found[-1])
        at = end + (text[end : end + 1] == GS)
    _refuse_twice(found)
    return tuple(found)


def read_human(text: str) -> tuple[Element, ...]:
    """Read what is printed below a code: ``(01)…(10)…``. Raises ``BadCode``."""
    found: list[Element] = []
    for piece in _pieces(text):
        ai, _, value = piece[1:].partition(")")
        if ai not in IDENTIFIERS:
            raise BadCode(Problem.IDENTIFIER, f"“({ai})” is no GS1 identifier that is known here. Type it again.")
        found.append(Element(ai, value.strip()))
        check_element(found[-1])
    if not found:
        raise BadCode(Problem.EMPTY, "The code is empty. Type it again.")
    _refuse_twice(found)
    return tuple(found)


def _pieces(text: str) -> Iterator[str]:
    """The parts of a printed code, each beginning at an identifier in parentheses."""
    starts = [
        at
        for at, character in enumerate(text)
        if character == "("
        and 2 <= text.find(")", at) - at - 1 <= 4
        and set(text[at + 1 : text.find(")", at)]) <= _DIGITS
    ]
    if not starts or text[: starts[0]].strip():
        raise BadCode(Problem.IDENTIFIER, "A printed GS1 code begins with an identifier such as (01). Type it again.")
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield text[start:end]


def readings(text: str, between: str = "", most_steps: int = 20_000) -> tuple[tuple[Element, ...], ...] | None:
    """Every way to read an element string in which ``between`` stands where the separators should be ('': nothing).

    No reading gives an identifier two values. ``None`` when there is no end to them: after so many steps.
    """
    found: list[tuple[Element, ...]] = []
    open_ends: list[tuple[int, tuple[Element, ...]]] = [(0, ())]
    steps = 0
    while open_ends:
        at, before = open_ends.pop()
        if at == len(text):
            found.append(before)
            continue
        identifier = identifier_at(text, at)
        if identifier is None:
            continue
        start = at + len(identifier.ai)
        for end in range(start + identifier.shortest, min(start + identifier.longest, len(text)) + 1):
            steps += 1
            if steps > most_steps:
                return None
            element = Element(identifier.ai, text[start:end])
            if _wrong(element) or any(each.ai == element.ai and each != element for each in before):
                continue
            last = end == len(text)
            if identifier.fixed or last or text.startswith(between, end):
                further = end if identifier.fixed or last else end + len(between)
                if last or further < len(text):
                    open_ends.append((further, (*before, element)))
    return tuple(found)


def in_order(elements: Iterable[Element]) -> tuple[Element, ...]:
    """The elements with those of predefined length first, otherwise as they were."""
    return tuple(sorted(elements, key=lambda element: not _known(element).fixed))


def element_string(elements: Sequence[Element]) -> str:
    """The text to encode after the FNC1: a separator after each value that needs one, but not after the last.

    Raises ``BadCode`` for a value that GS1 does not allow, an identifier that stands twice, and for elements of
    predefined length behind others (``in_order`` puts them right).
    """
    if not elements:
        raise BadCode(Problem.EMPTY, "There is nothing to encode.")
    for element in elements:
        check_element(element)
    if len({element.ai for element in elements}) < len(elements):
        raise BadCode(Problem.TWICE, f"An identifier stands twice in {human(elements)}.")
    if tuple(elements) != in_order(elements):
        raise BadCode(
            Problem.ORDER, f"In {human(elements)} a value of fixed length stands behind one of variable length."
        )
    text = "".join(element.ai + element.value + ("" if _known(element).fixed else GS) for element in elements)
    return text.removesuffix(GS)


def human(elements: Iterable[Element]) -> str:
    """The elements as printed below a code: identifiers in parentheses, which are never encoded (B-02)."""
    return "".join(f"({element.ai}){element.value}" for element in elements)


def check_element(element: Element) -> None:
    """Refuse a value that GS1 does not allow for its identifier; raises ``BadCode``."""
    if problem := _wrong(element):
        raise BadCode(problem, _sentence(problem, _known(element), element.value))


def _known(element: Element) -> Identifier:
    if element.ai not in IDENTIFIERS:
        raise BadCode(Problem.IDENTIFIER, f"“({element.ai})” is no GS1 identifier that is known here.")
    return IDENTIFIERS[element.ai]


def _wrong(element: Element) -> Problem | None:
    identifier, value = _known(element), element.value
    head, tail = value[: identifier.digits], value[identifier.digits :]
    if not set(head) <= _DIGITS or not set(tail) <= (_SET_82 if identifier.of_set_82 else _DIGITS):
        return Problem.CHARACTER
    if len(value) < identifier.shortest:
        return Problem.SHORT
    if len(value) > identifier.longest:
        return Problem.LONG
    if identifier.rule == "check":
        return None if check_digit_fits(head) else Problem.CHECK_DIGIT
    return _wrong_time(head, identifier.rule) if identifier.rule else None


def _wrong_time(value: str, rule: str) -> Problem | None:
    """What is wrong with YYMMDD, where DD may be 00, or with YYMMDDhhmm, where it may not."""
    year, month, day = int(value[:2]), int(value[2:4]), int(value[4:6])
    if not 1 <= month <= 12:
        return Problem.MONTH
    # The century is not known here; 29 February is let through for every fourth year and settled by ``last_day``.
    if day > calendar.monthrange(2000 + year % 4, month)[1] or (day == 0 and rule == "moment"):
        return Problem.DAY
    if rule == "moment" and not (int(value[6:8]) < 24 and int(value[8:10]) < 60):
        return Problem.TIME
    return None


def _sentence(problem: Problem, identifier: Identifier, value: str) -> str:
    bad = next((c for c in value if c not in _SET_82 or not (identifier.of_set_82 or c in _DIGITS)), "")
    says = {
        Problem.CHARACTER: f"holds “{bad.replace(GS, '␝')}”, which GS1 does not allow there. The scanner's keyboard may"
        " be set to another country than the computer's",
        Problem.SHORT: f"needs at least {identifier.shortest} characters, but has {len(value)}",
        Problem.LONG: f"has at most {identifier.longest} characters, but here {len(value)}",
        Problem.CHECK_DIGIT: "was misread: its check digit does not fit",
        Problem.MONTH: f"names month {value[2:4]}, which does not exist",
        Problem.DAY: f"names day {value[4:6]} of month {value[2:4]}, which does not exist",
        Problem.TIME: f"names the time {value[6:8]}:{value[8:10]}, which does not exist",
    }
    return (
        f"({identifier.ai}) {identifier.title} “{value.replace(GS, '␝')}” {says[problem]}. Scan the label again; if it"
        " stays so, put the item aside and ask the supporter."
    )


def _some_cut(identifier: Identifier, value: str) -> bool:
    """Whether a value that is too long could be a good one with further elements behind it."""
    return any(
        not _wrong(Element(identifier.ai, value[:end])) and readings(value[end:]) != ()
        for end in range(identifier.shortest, identifier.longest + 1)
    )


def _refuse_twice(elements: Sequence[Element]) -> None:
    for element in elements:
        other = value_of(elements, element.ai)
        if other != element.value:
            raise BadCode(
                Problem.TWICE,
                f"({element.ai}) {IDENTIFIERS[element.ai].title} stands in the code twice: “{other}” and"
                f" “{element.value}”. Perhaps two labels were scanned as one. Scan one label at a time.",
            )
