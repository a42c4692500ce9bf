"""A label's values written into its template: what is missing, mistyped or harmful is refused, all at once."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import cast

from labels import text
from labels.codes import own_number_faults
from labels.phrases import german
from labels.template import LANGUAGES, VALUE, Cell, Field, Row, Style, Template, Token, shelf, values_in
from pharmacy_app.domain.dates import MONTHS
from pharmacy_app.domain.errors import Fault, refuse_any
from pharmacy_app.services.papers import Label, LabelSetup, LabelValue

NUMBER = "0"
"""Stands for each character of the number while places are found: its font gives all the same width."""
_DEMONSTRATION = Style(text.BOLD, 7, 6, lines=2)


@dataclass(frozen=True, slots=True)
class Piece:
    """The words of one cell and the field they belong to."""

    field: str
    words: str
    style: Style


@dataclass(frozen=True, slots=True)
class Line:
    """A row with its words; the number stands as placeholders."""

    left: tuple[Piece, ...] = ()
    right: tuple[Piece, ...] = ()
    centre: tuple[Piece, ...] = ()
    code: str = ""
    side: str = "left"
    rule: bool = False
    framed: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """A label ready to be laid out. ``mark`` stands behind the number, in the code and for the eye ('' for none)."""

    template: Template
    lines: tuple[Line, ...]
    number: str
    elements: Mapping[str, LabelValue]
    mark: str = ""

    @property
    def printed_number(self) -> str:
        """The number as it is read by eye: all that the code says."""
        return _with_mark(self.number, self.mark)


def _with_mark(number: str, mark: str) -> str:
    return f"{number} {mark}" if mark else number


def fill(label: Label, setup: LabelSetup) -> Filled:
    """Write the values into the template of the label's kind and the setup's region.

    Raises ``Refused`` with every fault of the values, named by field. A value that no template of the kind knows, or of
    another type than its field, is a fault of the program (``ValueError``, ``TypeError``).
    """
    template = shelf().find(label.kind, setup.region)
    for name in label.values:
        if not shelf().knows(label.kind, name):
            raise ValueError(f"a {label.kind} label has no value {name!r}")
    if label.reprint < 0:
        raise ValueError("copies are counted from 1")
    _languages_known(setup)
    faults = own_number_faults("number", label.number)
    printed = _with_mark(label.number, label.mark)
    written: dict[str, str] = {"number": NUMBER * len(printed), "reprint": "", "dpi": str(setup.dpi)}
    if label.reprint:
        written["reprint"] = f"{_said('reprint', template, setup, faults)} {label.reprint}"
    values: dict[str, LabelValue] = {"number": label.number}
    for field in template.fields.values():
        if setup.region in field.only:
            words, wrong = _written(field, label.values, setup.languages)
            written[field.name] = words
            faults += wrong
            if not wrong and label.values.get(field.name, "") != "":
                values[field.name] = label.values[field.name]
    faults += _relations(template, values)
    texts = _texts(template, setup)
    faults += texts.faults
    demonstration = _said("demonstration", template, setup, faults) if label.demonstration else ""
    refuse_any(list(dict.fromkeys(faults)))
    lines = [line for row in template.rows for line in _line(row, written, texts.words, setup.region, texts.block)]
    if demonstration:
        lines.append(Line(centre=(Piece("demonstration", demonstration, _DEMONSTRATION),)))
    characters = [
        fault
        for line in lines
        for piece in (*line.left, *line.right, *line.centre)
        for fault in text.character_faults(piece.field, piece.words, piece.style.font)
    ]
    refuse_any(list(dict.fromkeys(characters)))
    return Filled(template, tuple(lines), label.number, values, label.mark)


def _said(name: str, template: Template, setup: LabelSetup, faults: list[Fault]) -> str:
    """A text that stands beside the template's rows, in the languages of the print."""
    there = [template.texts[language].get(name, "") for language in setup.languages]
    faults += [_no_text(name, language) for language, words in zip(setup.languages, there, strict=True) if not words]
    return _joined(there)


def _languages_known(setup: LabelSetup) -> None:
    unknown = [language for language in setup.languages if language not in LANGUAGES]
    if unknown or not setup.languages:
        known, asked = ", ".join(LANGUAGES), ", ".join(unknown) or "none"
        refuse_any([Fault("languages", f"Labels print in {known}; “{asked}” is not among them.")])


@dataclass(frozen=True, slots=True)
class _Texts:
    words: Mapping[str, str]
    block: str
    faults: tuple[Fault, ...]


def _joined(words: list[str]) -> str:
    return " / ".join(dict.fromkeys(words))


def _texts(template: Template, setup: LabelSetup) -> _Texts:
    return _texts_of(template.kind, setup.region, setup.languages, setup.block)


@lru_cache(maxsize=256)
def _texts_of(kind: str, region: str, languages: tuple[str, ...], block: str) -> _Texts:
    """The texts of a template in these languages; one that is missing blocks the print (REGULATION L-06)."""
    template, faults = shelf().find(kind, region), []
    used = {
        token.words
        for row in template.rows
        if region in row.only
        for cell in row.cells()
        for token in cell.tokens
        if token.kind == "text"
    }
    words: dict[str, str] = {}
    for name in sorted(used):
        there = [template.texts[language].get(name, "") for language in languages]
        faults += [_no_text(name, language) for language, found in zip(languages, there, strict=True) if not found]
        words[name] = _joined(there)
    further = ""
    if block:
        state = shelf().blocks.get(block)
        if state is None:
            known = ", ".join(shelf().blocks)
            faults.append(Fault("block", f"There are no sentences for the state “{block}”. Choose one of: {known}."))
        elif kind in state.kinds:
            there = [state.texts.get(language, "") for language in languages]
            faults += [_no_text(block, language) for language, found in zip(languages, there, strict=True) if not found]
            further = _joined(there)
    return _Texts(words, further, tuple(faults))


def _no_text(name: str, language: str) -> Fault:
    return Fault(
        name,
        f"The text “{name}” of this label is missing in the language “{language}”. A label prints in all its languages"
        " or not at all; choose the languages that are there.",
    )


def _line(row: Row, written: Mapping[str, str], texts: Mapping[str, str], region: str, block: str) -> list[Line]:
    if region not in row.only or (row.block and not block):
        return []
    if row.code or row.rule:
        return [Line(code=row.code, side=row.side, rule=row.rule)]
    if row.block:
        return [Line(left=tuple(Piece("block", block, cell.style) for cell in row.left))]
    left, right, centre = (_pieces(cells, written, texts) for cells in (row.left, row.right, row.centre))
    return [Line(left, right, centre, framed=row.framed)] if left or right or centre else []


def _pieces(cells: tuple[Cell, ...], written: Mapping[str, str], texts: Mapping[str, str]) -> tuple[Piece, ...]:
    pieces = []
    for cell in cells:
        names = values_in(cell, texts)
        if any(not written.get(name) for name in names):
            continue
        words = "".join(_token_words(token, written, texts) for token in cell.tokens)
        field = names[0] if names else next(token.words for token in cell.tokens if token.kind == "text")
        pieces.append(Piece(field, words, cell.style))
    return tuple(pieces)


def _token_words(token: Token, written: Mapping[str, str], texts: Mapping[str, str]) -> str:
    if token.kind == "value":
        return written[token.words]
    if token.kind == "text":
        return VALUE.sub(lambda found: written[found[1]], texts[token.words])
    return token.words


def _written(field: Field, values: Mapping[str, LabelValue], languages: tuple[str, ...]) -> tuple[str, list[Fault]]:
    """A value as it prints, and what is wrong with it."""
    if field.kind == "phrase":
        return _phrase(field, values, languages)
    value = values.get(field.name, "")
    if isinstance(value, str) and not value.strip():
        return field.blank, [_missing(field.name, field)] if field.required else []
    expected, write = _WRITERS[field.kind]
    if not isinstance(value, expected) or (isinstance(value, datetime) and expected is date):
        raise TypeError(f"the value {field.name!r} of a label is {type(value).__name__}, not {expected.__name__}")
    faults = _VALUE_FAULTS[field.kind](field.name, value) if field.kind in _VALUE_FAULTS else []
    if faults:
        return "", faults
    words = write(value)
    if expected is Decimal and "," in words and languages != ("en",):
        # 1,250 mL is read as one and a quarter where the comma is the decimal sign.
        faults = [Fault(field.name, f"The {_say(field.name)} is {words}: from 1,000 a label prints in English only.")]
    return words, faults


def _phrase(field: Field, values: Mapping[str, LabelValue], languages: tuple[str, ...]) -> tuple[str, list[Fault]]:
    """A phrase once a language: as given, or for German as the table of phrases has it (REGULATION L-06)."""
    there: list[str] = []
    faults: list[Fault] = []
    english = str(values.get(field.name, ""))
    names = [field.name if language == "en" else f"{field.name}.{language}" for language in languages]
    given = [str(values.get(name, "")) for name in names]
    if not field.required and not any(words.strip() for words in (*given, english)):
        return field.blank, []
    for name, said in zip(names, given, strict=True):
        words = said
        if not words.strip() and name != field.name:
            words = german(english, shelf().phrases.get(field.name, ()))
        if not words.strip():
            faults.append(_no_german(name, field, english) if english.strip() else _missing(name, field))
        faults += text.notation_faults(name, words)
        there.append(words)
    return _joined(there), faults


def _no_german(name: str, field: Field, english: str) -> Fault:
    known = ", ".join(f"“{phrase.words}”" for phrase in shelf().phrases.get(field.name, ())[-2:])
    return Fault(
        name,
        f"There is no German for the {_say(field.name)} “{english}” ({field.source}). A label prints in all its"
        f" languages or not at all: print in English alone, or word it as the label room knows it, such as {known}.",
    )


def _missing(name: str, field: Field) -> Fault:
    return Fault(
        name,
        f"The {_say(name)} is blank ({field.source}). A label is printed complete or not at all; fill it in.",
    )


def _say(name: str) -> str:
    return name.replace("_", " ").replace(".de", " in German")


def _positive(write: Callable[[Decimal], str]) -> Callable[[str, LabelValue], list[Fault]]:
    def faults(name: str, value: LabelValue) -> list[Fault]:
        number = cast(Decimal, value)
        if not number.is_finite() or number <= 0 or write(number) == "0":
            return [Fault(name, f"The {_say(name)} on a label is more than 0; it says {value}.")]
        return []

    return faults


def _drug_name(name: str, value: LabelValue) -> list[Fault]:
    words = str(value)
    if words != words.lower():
        return [Fault(name, f"The generic name “{words}” is written in lower case and in full on a label.")]
    return text.notation_faults(name, words)


def _degrees(name: str, value: LabelValue) -> list[Fault]:
    return [] if cast(Decimal, value).is_finite() else [Fault(name, f"The {_say(name)} is no temperature: {value}.")]


def _counted(name: str, value: LabelValue) -> list[Fault]:
    return [] if cast(int, value) >= 0 else [Fault(name, f"The {_say(name)} is counted from 0; it says {value}.")]


def _zoned(name: str, value: LabelValue) -> list[Fault]:
    if cast(datetime, value).utcoffset() is None:
        raise ValueError(f"the moment {name!r} of a label has no zone")
    return []


_NUMBERS: dict[str, Callable[[Decimal], str]] = {
    "strength": text.amount,
    "mg": text.mg,
    "ml": text.ml,
    "mg per ml": text.mg_per_ml,
    "hours": text.amount,
}
_WRITERS: dict[str, tuple[type, Callable[..., str]]] = {
    **{kind: (Decimal, write) for kind, write in _NUMBERS.items()},
    **dict.fromkeys(("identity", "words", "generic name", "gtin"), (str, lambda value: cast(str, value))),
    "celsius": (Decimal, lambda value: text.amount(value).replace("-", "−")),
    "count": (int, lambda value: f"{value:,d}"),
    "day": (date, text.day),
    "month": (date, lambda value: f"{MONTHS[value.month - 1]}-{value.year:04d}"),
    "moment": (datetime, text.label_moment),
}
_VALUE_FAULTS: dict[str, Callable[[str, LabelValue], list[Fault]]] = {
    **{kind: _positive(write) for kind, write in _NUMBERS.items()},
    "words": lambda name, value: text.notation_faults(name, str(value)),
    "generic name": _drug_name,
    "celsius": _degrees,
    "count": _counted,
    "moment": _zoned,
}


def _relations(template: Template, values: Mapping[str, LabelValue]) -> list[Fault]:
    """Moments that follow one another, and people who must not be the same."""
    faults = []
    moments = [(name, cast(datetime, values[name])) for name in template.in_order if name in values]
    for (before, first), (after, second) in pairwise(moments):
        if first > second:
            words = f"The {_say(after)} is before the {_say(before)}. Check the times."
            faults.append(Fault(template.in_order[-1], words))
    people = [re.sub(r"\s+", " ", str(values[name])).strip() for name in template.different if name in values]
    if len(set(people)) < len(people):
        name = template.different[-1]
        faults.append(
            Fault(name, f"The {_say(name)} and the {_say(template.different[0])} are one person. Ask a second person.")
        )
    return faults
