"""Words of a field in another language: as a whole, or sentence by sentence, from a table; nothing is guessed.

The table gives German for what is signed or recorded in English. What it does not know has no German, and the label is
refused by the field's name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labels import text

_PLACE = re.compile(r"\{(\w+)\}")
_NUMBER = r"[−+-]?\d(?:[\d.,]*\d)?"
_SENTENCE_END = re.compile(r"(?:[.;,/]\s+|[.;]$)")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One entry: the English, how it is recognised, and the German with its places for numbers and names."""

    words: str
    english: re.Pattern[str]
    german: str


def read_phrases(tables: Mapping[str, Mapping[str, Any]], faults: list[str]) -> dict[str, tuple[Phrase, ...]]:
    """The phrases of each field; what is wrong with an entry is added to ``faults``."""
    found = {}
    for field, entries in tables.items():
        phrases = []
        for english, german in entries.items():
            if set(_PLACE.findall(english)) != set(_PLACE.findall(german)):
                faults.append(f"phrases: {german!r} has other places than {english!r}")
            faults += [f"phrases: {each.sentence}" for each in text.notation_faults(field, _PLACE.sub("1", german))]
            phrases.append(Phrase(english, _pattern(english), german))
        found[field] = tuple(phrases)
    return found


def german(words: str, phrases: Sequence[Phrase]) -> str:
    """The words in German, '' when any part of them is not in the table."""
    return _german(_as_written(words), phrases)


def _german(words: str, phrases: Sequence[Phrase]) -> str:
    for phrase in phrases:
        hit = phrase.english.fullmatch(words)
        if hit:
            said = phrase.german
            for place, words_there in hit.groupdict().items():
                said = said.replace(f"{{{place}}}", words_there)
            return said[0].upper() + said[1:] if words[0].isupper() else said
    for end in reversed(list(_SENTENCE_END.finditer(words))):
        first, rest = words[: end.start()], words[end.end() :]
        before = _german(first, phrases) if first else ""
        after = _german(rest, phrases) if rest else ""
        if before and (after or not rest):
            return before + end.group() + after
    return ""


def _as_written(words: str) -> str:
    """One way of writing blanks, per cent, degrees and ranges."""
    words = " ".join(words.split())
    words = re.sub(r"(?<=\d)\s*%", " %", words)
    words = re.sub(r"(?<=\d)\s*°\s*C", " °C", words)
    return re.sub(r"(?<=[\dC])\s*[-–]\s*(?=\d)", "–", words)


def _pattern(english: str) -> re.Pattern[str]:
    pieces = _PLACE.split(english)
    for at in range(1, len(pieces), 2):
        pieces[at] = f"(?P<{pieces[at]}>{_NUMBER if pieces[at].startswith('n') else '.+?'})"
    pieces[::2] = map(re.escape, pieces[::2])
    return re.compile("".join(pieces), re.IGNORECASE)
