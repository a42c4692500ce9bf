"""What a scanner types, read by one parser: our numbers, GS1, HIBC, the supporters' kit codes, and plain text.

A wedge scanner is a keyboard, and what arrives depends on its settings, the computer's keyboard and Caps Lock. What a
check character or check digit proves is put right and said; what can be read in two ways is refused with the reason,
never guessed. A scan fills what is not known and changes nothing that is (``merge``). REGULATION B-01 to B-07, L-22.
"""

import calendar
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from functools import cache
from itertools import takewhile

from pharmacy_app.domain import gs1
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused, refuse_any
from pharmacy_app.domain.label_marks import IDENTIFIER, looks_like_mark, parted, read_mark
from pharmacy_app.domain.vials import check_character, looks_like_ours, read_number

LONGEST = 500
"""More characters than this in one scan are no code: another program's text, or a key that is stuck."""

LETTERS = "BCDEFNPQRVX"
"""The first letters of our numbers in use (``numbered``): one of these with a wrong check character was misread."""

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"
_OWN = "91"
"""The GS1 identifier under which our labels carry their number."""
_OURS = re.compile(r"[A-Z][0-9]{6}[0-9A-Z]")
_AS_DIGITS = str.maketrans("OI", "01")
_HOLDS_OURS = re.compile(f"[{LETTERS}][0-9]{{6}}[0-9A-Z]")
_CAPS = str.maketrans(_UPPER + _UPPER.lower(), _UPPER.lower() + _UPPER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What codes say of one item; '' and ``None`` where they do not say.

    ``number`` one of ours; ``kit`` a supporter's; ``product`` labeller, catalogue number and unit of a HIBC code;
    ``expires_on`` the last day through which the item may be used by its code.
    """

    number: str = ""
    gtin: str = ""
    lot: str = ""
    expires_on: date | None = None
    serial: str = ""
    protocol: str = ""
    kit: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan(Facts):
    """One scan: as it was typed, how the code is written, the facts it carries, and what was put right.

    ``kind`` is 'ours' (one of our numbers alone), 'gs1', 'hibc', 'kit' or 'text'; ``number`` is filled for a GS1 code
    that carries one of ours too, and that number is then not given as its ``serial``. ``mark`` says which label of
    that number it is (``label_marks.read_mark``), '' for a code without one: of an older label, or of another paper.
    ``symbology`` names the kind of symbol where the scanner says so. ``separated`` tells that the scanner sent the
    separator GS, so it can be relied on from then on. ``elements`` is all of a GS1 code.
    """

    typed: str
    kind: str
    mark: str = ""
    symbology: str = ""
    separated: bool = False
    elements: tuple[gs1.Element, ...] = ()
    notes: tuple[str, ...] = ()


# --- the supporters' kit codes -----------------------------------------------------------------------------------

_CLASSES = {"9": _DIGITS, "A": _UPPER, "a": _UPPER.lower(), "X": _UPPER + _UPPER.lower() + _DIGITS}


@dataclass(frozen=True, slots=True)
class KitPattern:
    """How a supporter writes kit codes: a literal beginning, then one class a character.

    In ``rest`` 9 stands for a digit, A and a for a capital and a small letter, X for any of these; every other
    character for itself.
    """

    prefix: str
    rest: str

    def matches(self, code: str) -> bool:
        """Whether a code is written so."""
        places = self.places()
        return len(code) == len(places) and all(c in place for c, place in zip(code, places, strict=True))

    def places(self) -> tuple[str, ...]:
        """The characters that may stand at each place."""
        return (*self.prefix, *(_CLASSES.get(each, each) for each in self.rest))


def learn(examples: Sequence[str], known: Sequence[KitPattern] = ()) -> KitPattern:
    """The pattern of a supporter's kit codes from at least two of them; ``known`` are the patterns in use.

    What stands before the first digit must be alike in all; from there on each place is a class. Raises ``Refused``
    when the examples are not of one form, or the pattern could also match one of our numbers, a GS1 or HIBC code, or
    a code of another pattern.
    """
    codes = sorted({example.strip() for example in examples} - {""})
    if len(codes) < 2:
        raise _refused("Scan at least two different kits, so that the pattern of their codes can be seen.")
    if len({len(code) for code in codes}) > 1:
        raise _refused(
            f"The kit codes differ in length: “{_show(min(codes, key=len))}” and “{_show(max(codes, key=len))}”."
            " Scan kits of one kind."
        )
    if strange := next((code for code in codes if not (code.isascii() and code.isprintable())), ""):
        raise _refused(f"“{_show(strange)}” holds signs that no kit code has. Check the scanner's keyboard setting.")
    prefix = "".join(takewhile(lambda character: not character.isdigit(), codes[0]))
    if not all(re.fullmatch(re.escape(prefix) + r"[0-9].*", code) for code in codes):
        raise _refused(
            f"The kit codes “{_show(codes[0])}” and “{_show(codes[-1])}” do not begin alike before their first digit."
            " Scan kits of one kind."
        )
    rest = "".join(_class_of(column) for column in zip(*(code[len(prefix) :] for code in codes), strict=True))
    pattern = KitPattern(prefix, rest)
    if _could_be(pattern, (LETTERS, *[_DIGITS] * 6, _DIGITS + _UPPER)):
        raise _refused(
            f"Kit codes such as “{_show(codes[0])}” have the form of our own numbers, so they cannot be told apart by"
            " scan. Type them by hand."
        )
    marked = [(LETTERS, *[_DIGITS] * 6, _DIGITS + _UPPER, _UPPER, *[_DIGITS] * n, _DIGITS + _UPPER) for n in (2, 3, 4)]
    if any(_could_be(pattern, places) for places in marked):
        raise _refused(
            f"Kit codes such as “{_show(codes[0])}” have the form of the codes on our own labels, so they cannot be"
            " told apart by scan. Type them by hand."
        )
    checked = ((*"01", *[_DIGITS] * 14), (*"02", *[_DIGITS] * 14), (*"00", *[_DIGITS] * 18))
    if prefix.startswith(("+", "]", "(")) or any(_could_be(pattern, code, begins=True) for code in checked):
        raise _refused(
            f"Codes of the form of “{_show(codes[0])}” may be GS1 or HIBC codes, so they cannot be told apart by scan."
            " Type them by hand."
        )
    for other in known:
        if _could_be(pattern, other.places()):
            raise _refused(
                f"Codes of the form of “{_show(codes[0])}” also match a pattern that is in use ({other.prefix}"
                f"{other.rest}). Two kinds of kit that look alike cannot be told apart by scan."
            )
    return pattern


def _class_of(column: tuple[str, ...]) -> str:
    """The class of the characters that stand at one place in all examples."""
    if set(column) <= set(_CLASSES["X"]):
        return next(name for name, members in _CLASSES.items() if set(column) <= set(members))
    if len(set(column)) > 1:
        raise _refused(
            f"The kit codes differ at one place: {' and '.join(sorted(set(column))[:2])}. Scan kits of one kind."
        )
    return column[0]


def _could_be(pattern: KitPattern, places: Sequence[str], *, begins: bool = False) -> bool:
    """Whether some code of the pattern is (``begins``: begins as) one of these places."""
    mine = pattern.places()
    if len(mine) != len(places) and not (begins and len(mine) > len(places)):
        return False
    return all(set(a) & set(b) for a, b in zip(mine, places, strict=False))


# --- what the scanner and the keyboard make of a code ------------------------------------------------------------

_KEYBOARDS = {
    "US": (
        "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./",
        '~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:"ZXCVBNM<>?',
    ),
    "German": (
        "^1234567890ß´qwertzuiopü+#asdfghjklöäyxcvbnm,.-",
        "°!\"§$%&/()=?`QWERTZUIOPÜ*'ASDFGHJKLÖÄYXCVBNM;:_",
    ),
    "French": (
        "²&é\"'(-è_çà)=azertyuiop^$*qsdfghjklmùwxcvbn,;:!",
        "~1234567890°+AZERTYUIOP¨£µQSDFGHJKLM%WXCVBN?./§",
    ),
}
"""What each key types alone and with Shift, the keys in the same order for every country."""


@dataclass(frozen=True, slots=True)
class _Slip:
    """One way in which a keyboard changes what was scanned: how to undo it, and the sentence that says so."""

    table: dict[int, str]
    note: str
    double: bool = False


@cache
def _slips() -> tuple[_Slip, ...]:
    """Every slip that is looked for, the likeliest first."""
    caps = _Slip(
        {code: chr(other) for code, other in _CAPS.items()},
        "Caps Lock was on: capitals and small letters were exchanged. Switch Caps Lock off.",
    )
    locked = {name: dict(zip(low + high, high + low, strict=True)) for name, (low, high) in _KEYBOARDS.items()}
    shift = "The digits came as the signs on the same keys: Shift or Caps Lock was on. Switch it off."
    found = [caps]
    for name in ("US", "German"):
        held = {b: a for a, b in zip(*_KEYBOARDS[name], strict=True) if not b.isalpha()}
        found += [_Slip(_by_code(held), shift), _Slip(_by_code(locked[name]), shift)]
    pairs = [(a, b) for a in _KEYBOARDS for b in _KEYBOARDS if a != b]
    for scanner, computer in sorted(pairs, key=lambda pair: "French" in pair):
        meant, typed = "".join(_KEYBOARDS[scanner]), "".join(_KEYBOARDS[computer])
        plain = dict(zip(typed, meant, strict=True))
        which = "Letters and signs" if "French" in (scanner, computer) else "Y and Z, and some signs,"
        note = (
            f"{which} are swapped: the scanner types as on one country's keyboard and the computer reads another's"
            f" ({' and '.join(sorted((scanner, computer)))}). Set the scanner's keyboard to the computer's."
        )
        found.append(_Slip(_by_code(plain), note))
        for turned in (locked[computer], {chr(code): other for code, other in caps.table.items()}):
            both = {a: plain.get(b, b) for a, b in turned.items()} | {a: b for a, b in plain.items() if a not in turned}
            found.append(_Slip(_by_code(both), f"{note} Caps Lock was on, too.", double=True))
    # On a French keyboard digits need Shift: signs are what another country's scanner types there.
    return (*found, _Slip(_by_code(locked["French"]), shift))


def _by_code(table: dict[str, str]) -> dict[int, str]:
    return {ord(a): b for a, b in table.items()}


_SEPARATORS = re.compile(r"↔|\^\]|<GS>|\{GS\}|<FNC1>|\{FNC1\}|␝|\|", re.IGNORECASE)
"""What scanners and keyboards make of the separator; no GS1 value holds any of these, but ``<GS>`` letter by letter."""

_SYMBOLOGIES = {
    "A": ("Code 39", "0134578"),
    "C": ("Code 128", "0124"),
    "E": ("EAN/UPC", "01234"),
    "F": ("Codabar", "0124"),
    "G": ("Code 93", "0"),
    "I": ("ITF", "012"),
    "L": ("PDF417", "012345"),
    "Q": ("QR Code", "0123456"),
    "X": ("another symbol", "0"),
    "d": ("Data Matrix", "0123456"),
    "e": ("GS1 DataBar", "0123"),
    "z": ("Aztec Code", "0123456789ABC"),
    "J": ("DotCode", "01"),
}
_GS1_SYMBOLS = {"C1": "GS1-128", "d2": "GS1 DataMatrix", "Q3": "GS1 QR Code", "e0": "GS1 DataBar", "J1": "GS1 DotCode"}


@dataclass(frozen=True, slots=True)
class _Means:
    """What is known beside the text itself."""

    typed: str
    today: date
    patterns: Sequence[KitPattern]
    sends_separator: bool
    by_hand: bool


# --- reading -----------------------------------------------------------------------------------------------------


def read_scan(
    typed: str,
    *,
    today: date,
    patterns: Sequence[KitPattern] = (),
    sends_separator: bool = False,
    by_hand: bool = False,
) -> Scan:
    """Read what a scanner typed; raises ``Refused`` when it is damaged or can be read in two ways.

    ``today`` settles two-digit years. ``sends_separator`` says that this scanner is known to send GS (an earlier scan
    was ``separated``): then a GS1 code without one has no need of it. ``by_hand`` says that a person typed it: no slip
    of a scanner's keyboard is looked for, because a slip of the hand could be mistaken for it.
    """
    if len(typed) > LONGEST:
        raise _refused(f"{len(typed):,} characters arrived; no label holds so many. Clear the field and scan again.")
    text = typed.strip("\r\n\t \x02\x03")
    if not text:
        raise _refused("Nothing was read. Scan the label again.")
    if "\n" in text or "\r" in text:
        raise _refused(f"Two codes arrived as one: “{_show(text)}”. Clear the field and scan one label at a time.")
    if any(ord(c) < 32 and c != gs1.GS for c in text):
        raise _refused(f"“{_show(text)}” holds control signs that this app does not read. Type what is printed.")
    if typed.strip("\r\n\t\x02\x03").endswith(" ") and text.startswith("+"):
        text += " "  # a HIBC check character may be a blank
    means = _Means(typed, today, patterns, sends_separator, by_hand)
    if by_hand:
        return _read(text, means)
    read: Scan | None = None
    refusal: Refused | None = None
    try:
        read = _read(text, means)
    except Refused as refused:
        refusal = refused
    if read is None or read.kind == "text":
        return _mended(text, means) or _unmended(text, read, refusal, means)
    if read.kind in ("ours", "hibc") and any(_says(scan) != _says(read) for scan, _slip in _undone(text, means)):
        raise _refused(
            f"“{_show(text)}” can be read in two ways, depending on the keyboard the scanner is set to. Type what is"
            " printed below the code."
        )
    if read.kind == "ours" and read.number not in text:
        return replace(read, notes=(_slips()[0].note,))
    return read


def could_be_ours(text: str) -> str:
    """The number of ours, of a letter in use, that some reading of a text gives, '' when none does.

    Asked of what others number, before it comes on record: every keyboard slip is looked for, in both directions, and
    the text is read as scanned and as typed, with the separator sent and dropped.
    """
    day = date(2000, 1, 1)  # a number is the same on every day
    for written in dict.fromkeys((text, *(text.translate(slip.table) for slip in _slips()))):
        if not _HOLDS_OURS.search(re.sub(r"[ -]", "", written.upper()).translate(_AS_DIGITS)):
            continue
        for by_hand, sends in ((False, False), (False, True), (True, False)):
            try:
                scan = _read(written.strip(), _Means(written, day, (), sends, by_hand))
            except Refused:
                continue
            if scan.number[:1] in LETTERS and scan.number:
                return scan.number
    return ""


def on_other_keyboards(text: str) -> frozenset[str]:
    """What else a text may have been, in capitals, had one keyboard slip changed it: Y for Z, a sign for a digit.

    Slips of two at once are left out: they would make codes alike that nobody in practice takes for one another.
    """
    undone = {text.translate(slip.table).upper() for slip in _slips() if not slip.double}
    return frozenset(undone - {text.upper()})


def _mended(text: str, means: _Means) -> Scan | None:
    """The scan when exactly one meaning is proven once a slip of the keyboard is undone, or ``None``.

    One slip is believed before two, but never when two would give another number, GTIN or product. A slip that changes
    one character alone is named, but not believed: the check character that it makes fit would be the only witness, and
    any other wrong character may have been the reason why it did not.
    """
    found = []
    alone: _Slip | None = None
    for scan, slip in _undone(text, means):
        checked = scan.product or (scan.number and not scan.mark)
        if checked and _changed(text, text.translate(slip.table)) == 1:
            alone = alone or slip
        else:
            found.append((scan, slip))
    if alone is not None and not found:
        raise _refused(f"“{_show(text)}” was misread. Perhaps: {alone.note} Then scan again.")
    single = [(scan, slip) for scan, slip in found if not slip.double]
    for scan, slip in single or found:
        if any(_says(other) != _says(scan) for other, _slip in single or found) or any(
            _proven(other) != _proven(scan) for other, _slip in found
        ):
            raise _refused(
                f"“{_show(text)}” was changed on its way, and what was meant cannot be told for sure. Perhaps:"
                f" {slip.note} Then scan again."
            )
        return replace(scan, notes=(slip.note, *scan.notes))
    return None


def _changed(text: str, undone: str) -> int:
    """How many characters a slip changed behind the sign of a prefix, capitals and small letters being alike."""
    start = 1 if undone.startswith(("]", "+")) else 0
    return sum(a.casefold() != b.casefold() for a, b in zip(text[start:], undone[start:], strict=True))


def _unmended(text: str, read: Scan | None, refusal: Refused | None, means: _Means) -> Scan:
    """A scan that no undone slip proves: refused, naming a likely cause, or plain text."""
    inverted = text.translate(_CAPS)
    if refusal is None and _kits_of(inverted, means.patterns):
        return replace(_read(inverted, means), notes=(_slips()[0].note,))
    for slip in _slips():
        undone = text.translate(slip.table)
        if undone != text and not _shaped(text, means) and _shaped(undone, means):
            raise _refused(f"“{_show(text)}” was not read. Perhaps: {slip.note} Then scan again.")
    if refusal is not None:
        raise refusal
    assert read is not None
    return read


def _shaped_as_ours(text: str) -> bool:
    """Whether a text has the form of one of our numbers in use, or of one with the mark of its label behind it."""
    letter = text[:1].upper()
    return letter in LETTERS and (looks_like_ours(text, letter) or parted(text.upper()) is not None)


def _shaped(text: str, means: _Means) -> bool:
    """Whether a text has the form of a code, whatever its check says."""
    ours = _shaped_as_ours(text)
    return ours or bool(_kits_of(text, means.patterns)) or _checked(text)


def _undone(text: str, means: _Means) -> Iterator[tuple[Scan, _Slip]]:
    """What the text proves to be with each slip undone: one of our numbers, GS1 or HIBC."""
    _body, symbol = _symbology(text)
    for slip in _slips():
        undone = text.translate(slip.table)
        if undone == text:
            continue
        try:
            scan = _read(undone, means, exactly=True)
        except Refused:
            continue
        # A check character or digit proves it, or the scanner's own prefix that was not to be seen before.
        if scan.number or scan.gtin or scan.product or (scan.kind == "gs1" and scan.symbology and not symbol):
            yield scan, slip


def _proven(scan: Scan) -> tuple[str, str, str]:
    return scan.number, scan.gtin, scan.product


def _says(scan: Scan) -> tuple[Facts, str, tuple[gs1.Element, ...]]:
    return facts_of(scan), scan.mark, scan.elements


def _read(text: str, means: _Means, *, exactly: bool = False) -> Scan:
    """The scan that a text is, as it stands. ``exactly`` takes our numbers in capitals alone."""
    body, symbol = _symbology(text)
    name = _GS1_SYMBOLS.get(symbol, _SYMBOLOGIES[symbol[0]][0] if symbol else "")
    scan = Scan(typed=means.typed, kind="text", symbology=name)
    kits = _kits_of(body, means.patterns)
    if len(kits) > 1:
        raise _refused(
            f"“{_show(body)}” matches two patterns of kit codes. Type the kit number into its own field, and have the"
            " patterns put right."
        )
    if label := _our_label(body, means, taken=bool(kits), exactly=exactly):
        return replace(scan, kind="ours", number=label[0], mark=label[1])
    if number := _our_number(body, means, taken=bool(kits), exactly=exactly):
        return replace(scan, kind="ours", number=number)
    if kits:
        return replace(scan, kind="kit", kit=body)
    if body.startswith("+") or re.fullmatch(r"\*\+.*\*", body):
        return _hibc(body, scan, means)
    return _product_number(body, symbol, scan) or _gs1(body, symbol, scan, means) or scan


def _symbology(text: str) -> tuple[str, str]:
    """The text without the AIM identifier before it, and that identifier's two characters ('' without one)."""
    if text.startswith("]") and text[1:2] in _SYMBOLOGIES and text[2:3] and text[2] in _SYMBOLOGIES[text[1]][1]:
        return text[3:], text[1:3]
    return text, ""


def _kits_of(code: str, patterns: Iterable[KitPattern]) -> set[KitPattern]:
    return {pattern for pattern in patterns if pattern.matches(code)}


def _our_number(text: str, means: _Means, *, taken: bool, exactly: bool) -> str:
    """One of our numbers, or ''; refuses one of a letter in use whose check character is wrong.

    A scanner takes no 0 for an O and adds no blanks; a person may. ``taken`` says that a supporter's pattern claims
    the text: that is believed unless the letter is ours.
    """
    letter = text[:1].upper()
    alike = means.by_hand and text.isascii() and looks_like_ours(text, letter)
    if not alike and not _OURS.fullmatch(text if exactly or not text.isascii() else text.upper()):
        return ""
    if letter in LETTERS:
        return read_number(text, letter, "scan")
    number = text.upper()
    return number if _is_ours(number) and not taken else ""


def _our_label(text: str, means: _Means, *, taken: bool, exactly: bool) -> tuple[str, str] | None:
    """Our number and the mark of its label, from a code that holds both; refused when one of them was misread.

    A text of this form that a supporter's pattern claims is ours only when both check characters say so.
    """
    if not text.isascii():
        return None
    if means.by_hand:
        text = text.upper().replace(" ", "").replace("-", "")
        text = text[:1] + text[1:7].translate(_AS_DIGITS) + text[7:9] + text[9:-1].translate(_AS_DIGITS) + text[-1:]
    found = parted(text if exactly else text.upper())
    if found is None or found[0][0] not in LETTERS:
        return None
    number, mark = found
    if _is_ours(number) and read_mark(number, mark) is not None:
        return number, mark
    if taken:
        return None
    raise _refused(f"“{_show(text)}” was misread: its check characters do not fit. Scan the label again.")


def _is_ours(text: str) -> bool:
    return bool(_OURS.fullmatch(text)) and check_character(text[:-1]) == text[-1]


# --- GS1 ---------------------------------------------------------------------------------------------------------


def _product_number(body: str, symbol: str, scan: Scan) -> Scan | None:
    """The GTIN of a symbol that holds nothing else: EAN/UPC and ITF-14. Shorter ones are written with zeros."""
    if not (symbol[:1] == "E" or symbol == "I1"):
        return None
    if not re.fullmatch(r"[0-9]{8}|[0-9]{12,14}", body):
        raise _refused(f"The scanner says {scan.symbology}, but “{_show(body)}” is no such number. Scan it again.")
    if not gs1.check_digit_fits(body):
        raise _refused(f"“{body}” was misread: its check digit does not fit. Scan the label again.")
    return replace(scan, kind="gs1", gtin=body.zfill(14))


def _gs1(body: str, symbol: str, scan: Scan, means: _Means) -> Scan | None:
    """The facts of a GS1 element string, or ``None`` when nothing proves that the text is one."""
    body = _SEPARATORS.sub(gs1.GS, body)
    if re.match(r"\([0-9]{2,4}\)", body):
        elements = gs1.read_human(body.replace(gs1.GS, ""))
        note = "The parentheses were typed or encoded with the code; they are only for the eye and were left out."
        return _with(replace(scan, notes=(note,)), elements, means)
    marked = symbol in _GS1_SYMBOLS
    if gs1.GS in body and (marked or gs1.identifier_at(body.removeprefix(gs1.GS))):
        return _with(replace(scan, separated=True), gs1.parse(body), means)
    if gs1.GS in means.typed:
        raise _refused(f"“{_show(body)}” begins with no GS1 identifier. Scan the label again, from its beginning.")
    if means.sends_separator and (marked or _checked(body)):
        return _with(scan, gs1.parse(body), means)
    read = _without_separator(body, surely=marked or _checked(body))
    if read is None:
        return None
    elements, note = read
    notes = (note,) if note else ()
    if symbol and not marked:
        notes = (*notes, f"The label's {scan.symbology} is not marked as GS1; it was read as GS1 by its content.")
    return _with(replace(scan, notes=notes), elements, means)


def _checked(body: str) -> bool:
    """Whether a text begins with a GS1 number that has a check digit."""
    return bool(re.match(r"0[12][0-9]{14}|00[0-9]{18}", body))


def _without_separator(body: str, *, surely: bool) -> tuple[tuple[gs1.Element, ...], str] | None:
    """The one way to read an element string that came without a separator, and what is to be said of it.

    The separator may have been dropped, or typed as the digits 029. Where one of our numbers ends a value, that value
    is sure; what remains open is then left out. ``surely`` says that the text is GS1. Raises ``Refused`` when there
    are several ways, or none although it is GS1.
    """
    dropped, typed = gs1.readings(body), gs1.readings(body, "029")
    if dropped is None or typed is None:
        if not surely:
            return None
        raise _refused(_SEVERAL.format(_show(body), "too many ways to list"))
    ways = list(dict.fromkeys((*dropped, *typed)))
    most = max(map(_proofs, ways), default=0)
    ways = [way for way in ways if _proofs(way) == most]
    if not (surely or most):
        return None
    ways = ways or [gs1.parse(body)]  # which says what is wrong
    # What hangs on a label of ours is no other way to read it: its mark would be left open, and with it which label.
    for way in ways:
        mark = gs1.value_of(way, IDENTIFIER)
        at = next((place for place, element in enumerate(way) if _carries(element)), len(way))
        if mark and any(element.ai == IDENTIFIER for element in way[at:]):
            _check_mark(way[at].value, mark)
    sure = tuple(element for element in ways[0] if all(element in way for way in ways))
    if len(ways) > 1 and not any(map(_carries, sure)):
        raise _refused(_SEVERAL.format(_show(body), ", or ".join(map(gs1.human, ways[:3]))))
    if len(ways) > 1:
        left = ", ".join(sorted({gs1.IDENTIFIERS[e.ai].title for way in ways for e in way if e not in sure}))
        return sure, f"The scanner drops the separator, so this was left open: {left}. Set the scanner to send GS."
    if sum(not gs1.IDENTIFIERS[element.ai].fixed for element in sure) > 1:
        return (
            sure,
            "The scanner drops the separator; the code could be read all the same. Set it to send GS (ASCII 29).",
        )
    return sure, ""


_SEVERAL = (
    "“{0}” came without a separator and can be read in several ways ({1}). Nothing is guessed: type lot and serial"
    " number by hand, and set the scanner to send GS (ASCII 29)."
)


def _carries(element: gs1.Element) -> bool:
    """Whether an element is one of our numbers in use: as a serial number or in the site's own identifiers."""
    own = element.ai == gs1.SERIAL or "91" <= element.ai <= "99"
    return own and element.value[0] in LETTERS and _is_ours(element.value)


def _proofs(way: Sequence[gs1.Element]) -> int:
    """How many check characters of ours speak for a way to read: of our numbers, and of the mark behind one."""
    numbers = [element.value for element in way if _carries(element)]
    mark = gs1.value_of(way, IDENTIFIER)
    return len(numbers) + any(read_mark(number, mark) is not None for number in numbers)


def _with(scan: Scan, elements: tuple[gs1.Element, ...], means: _Means) -> Scan:
    """The scan with the facts of its elements."""
    mine = sorted({element.value for element in elements if _carries(element)})
    if len(mine) > 1:
        raise _refused(f"The code carries two of our numbers: {' and '.join(mine)}. Put the item aside.")
    mark = gs1.value_of(elements, IDENTIFIER) if mine else ""
    if mark:
        _check_mark(mine[0], mark)
    serial = gs1.value_of(elements, gs1.SERIAL)
    for element in elements:
        if element.value[0].islower() and _carries(gs1.Element(element.ai, element.value.translate(_CAPS))):
            raise _refused("Caps Lock was on while the code was scanned. Switch Caps Lock off and scan again.")
        # Only our own labels have such a number there, and no GTIN beside it.
        if element.ai == _OWN and not (mine or gs1.value_of(elements, gs1.GTIN)):
            if element.value[0] in LETTERS and _is_ours(element.value[:8]):
                raise _refused(_GLUED.format(_OWN, _show(element.value), element.value[:8]))
            if _shaped_as_ours(element.value):
                raise _refused(
                    f"({_OWN}) “{element.value}” was misread: its check character does not fit. Scan it again."
                )
    kits = [v for v in (serial, gs1.value_of(elements, "240")) if v and _kits_of(v, means.patterns)]
    notes = scan.notes
    moment = gs1.value_of(elements, gs1.EXPIRY_TIME)
    if moment and not moment.endswith("2359"):
        notes = (
            *notes,
            f"The code ends the item at {moment[6:8]}:{moment[8:]} on its last day; only whole days before count.",
        )
    return replace(
        scan,
        kind="gs1",
        number=mine[0] if mine else "",
        mark=mark,
        gtin=gs1.value_of(elements, gs1.GTIN),
        lot=gs1.value_of(elements, gs1.LOT),
        expires_on=gs1.expiry_of(elements, means.today),
        serial="" if serial in mine else serial,
        protocol=gs1.value_of(elements, gs1.PROTOCOL),
        kit=kits[0] if kits else "",
        elements=elements,
        notes=notes,
    )


def _check_mark(number: str, mark: str) -> None:
    """Refuse what stands under the mark's identifier behind a number of ours and is not the mark of its label."""
    if read_mark(number, mark) is not None:
        return
    if looks_like_mark(mark):
        raise _refused(f"({IDENTIFIER}) “{mark}” was misread: its check character does not fit. Scan it again.")
    if any(read_mark(number, mark[:length]) for length in (4, 5, 6)):
        raise _refused(_GLUED.format(IDENTIFIER, _show(mark), f"the label of {number}"))
    raise _refused(
        f"({IDENTIFIER}) “{_show(mark)}” is not the mark of a label of {number}: the code was cut off or damaged, or"
        " another one hangs on it. Clear the field and scan the label again."
    )


_GLUED = (
    "Two codes arrived as one: in ({0}) “{1}”, more follows behind {2}. Clear the field and scan one label at a time."
)


# --- HIBC, read only ---------------------------------------------------------------------------------------------

_SET_43 = _DIGITS + _UPPER + "-. $/+%"
_PRIMARY = re.compile(r"(?P<lic>[A-Z][0-9A-Z]{3})(?P<item>[0-9A-Z]{1,18})(?P<unit>[0-9])")
_NOT_READ = "Quantity, lot and expiry of this HIBC code are not read: type lot and expiry as printed."
_FORMS: dict[str, tuple[int, str]] = {"2": (6, "mdy"), "3": (6, "ymd"), "4": (8, "ymd"), "5": (5, "yj"), "6": (7, "yj")}


def _hibc(body: str, scan: Scan, means: _Means) -> Scan:
    """The facts of a HIBC supplier code: '+' first, a modulo-43 check character last (ANSI/HIBC 2.6)."""
    code = body.strip("*").upper()
    if code.startswith("+/"):
        raise _refused("This is a HIBC code of a person or a place, not of a product. Scan the code of the product.")
    if strange := [c for c in body.strip("*") if c not in _SET_43 + _UPPER.lower()]:
        raise _refused(f"“{_show(body)}” begins as HIBC does, but holds “{strange[0]}”. Scan the label again.")
    content, check = (code[:-1], code[-1]) if len(code) > 2 else (code, "")
    if _SET_43[sum(map(_SET_43.index, content)) % 43] != check:
        raise _refused(f"“{_show(body)}” begins as HIBC does, but its check character does not fit. Scan it again.")
    if code != body.strip("*"):
        scan = replace(scan, notes=(_slips()[0].note,))
    scan = replace(scan, kind="hibc")
    content = content[1:]
    if content[:1] in ("$", *_DIGITS):
        content = "/" + content[:-1]  # the last character links it to the code of the product
    first, *further = content.split("/")
    if found := _PRIMARY.fullmatch(first):
        scan = replace(scan, product=f"{found['lic']} {found['item']} unit {found['unit']}")
    elif first:
        raise _refused(f"“{_show(body)}” is no HIBC code that this app reads. Type what is printed.")
    for part in further:
        scan = _hibc_part(part, scan, means)
    return scan


def _hibc_part(part: str, scan: Scan, means: _Means) -> Scan:
    """The scan with one further part of a HIBC code: lot or serial number, expiry."""
    if found := re.fullmatch(r"14D([0-9]{8})", part):
        day = _day(int(found[1][:4]), int(found[1][4:6]), int(found[1][6:]))
        if scan.expires_on not in (None, day):
            raise _refused("The HIBC code names two expiries. Put the item aside and ask the supporter.")
        return replace(scan, expires_on=day)
    if re.fullmatch(r"S[0-9A-Z]{1,18}", part):
        return replace(scan, serial=part[1:])
    if re.fullmatch(r"16D[0-9]{8}", part):
        return scan
    head, rest = re.match(r"(\$\$\+|\$\$|\$\+|\$|)(.*)", part).groups()  # type: ignore[union-attr]  # matches always
    expires_on: date | None = None
    if head.startswith("$$"):
        flag = rest[:1]
        if flag in ("8", "9", ""):
            return replace(scan, notes=(*scan.notes, _NOT_READ))
        if flag != "7":
            length, order = _FORMS.get(flag, (4, "my"))
            start = 0 if order == "my" else 1
            expires_on = _hibc_day(rest[start : start + length], length, order, means.today)
            rest = rest[start + length :]
        else:
            rest = rest[1:]
    elif not head:
        expires_on, rest = _hibc_day(rest[:5], 5, "yj", means.today), rest[5:]
    scan = replace(scan, expires_on=expires_on or scan.expires_on)
    return replace(scan, serial=rest) if "+" in head else replace(scan, lot=rest)


def _hibc_day(text: str, length: int, order: str, today: date) -> date:
    """The last whole day of a HIBC date: MMYY, MMDDYY, YYMMDD, YYJJJ; an hour after it ends the item on that day."""
    if not re.fullmatch(f"[0-9]{{{length}}}", text):
        raise _refused(f"The HIBC code has “{text}” where its expiry should stand. Scan the label again.")
    pairs = [int(text[at : at + 2]) for at in range(0, length - 1, 2)]
    match order:
        case "my":
            year, month = gs1.full_year(pairs[1], today), pairs[0]
            day = _day(year, month, calendar.monthrange(year, month)[1] if 1 <= month <= 12 else 0)
        case "mdy":
            day = _day(gs1.full_year(pairs[2], today), pairs[0], pairs[1])
        case "ymd":
            day = _day(gs1.full_year(pairs[0], today), pairs[1], pairs[2])
        case _:
            year, of_year = gs1.full_year(pairs[0], today), int(text[2:5])
            day = _day(year, 1, 1) + timedelta(days=of_year - 1)
            if day.year != year:
                raise _refused(f"The HIBC code names day {of_year} of {year}, which does not exist. Scan it again.")
    return day - timedelta(days=1) if length > 6 else day


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise _refused(
            f"The code names an expiry that is not a day of the calendar ({year:04d}-{month:02d}-{day:02d}). Put the"
            " item aside and ask the supporter."
        ) from None


# --- several codes of one item -----------------------------------------------------------------------------------

_WORDS = {
    "number": "number",
    "gtin": "GTIN",
    "lot": "lot",
    "expires_on": "expiry",
    "serial": "serial number",
    "protocol": "protocol",
    "kit": "kit number",
    "product": "product",
}


def facts_of(scan: Facts) -> Facts:
    """The facts of a scan alone, without how it was read."""
    return Facts(**{field.name: getattr(scan, field.name) for field in fields(Facts)})


def merge(before: Facts, scan: Facts) -> Facts:
    """What is known of an item after one more scan of it: what was not known is filled, what was stays.

    Raises ``Refused`` with every fact on which the two disagree. Lots are compared without regard to capitals.
    """
    faults = []
    known = {}
    for name, word in _WORDS.items():
        old, new = getattr(before, name), getattr(scan, name)
        known[name] = old or new
        if old and new and _compared(name, old) != _compared(name, new):
            faults.append(
                Fault(
                    name,
                    f"This code says {word} {_said(new)}, but {word} {_said(old)} is already there. Nothing was"
                    " changed. If both codes are on one item, put it aside; if not, begin again with one item.",
                )
            )
    refuse_any(faults)
    return Facts(**known)


def _compared(name: str, value: object) -> object:
    return value.upper() if name == "lot" and isinstance(value, str) else value


def _said(value: object) -> str:
    return say_day(value) if isinstance(value, date) else f"“{value}”"


def _show(text: str) -> str:
    """A text as it can be shown: control signs made visible, cut after 60 characters."""
    seen = "".join(chr(0x2400 + ord(c)) if ord(c) < 32 else c for c in text)
    return seen if len(seen) <= 60 else seen[:60] + "…"


def _refused(sentence: str) -> Refused:
    return Refused(Fault("scan", sentence))
