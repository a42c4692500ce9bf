"""The mark in a label's code: which label of a thing it is, and which copy of it.

Several labels bear one number: the vial's own and that of its quarantine, the bag's and its light cover's, a reprint
and the one that it replaces. The number says which thing, the mark which label: a letter for the kind, the copy
number, and a check character over both (REGULATION L-22, B-02, B-05: nothing about a person). A code is the number
with the mark behind it; a GS1 code carries the mark under the internal identifier 92.
"""

import re
from dataclasses import dataclass

from pharmacy_app.domain.vials import check_character

IDENTIFIER = "92"
"""The GS1 identifier of the mark, one of those for a company's own use."""

LETTERS = {
    "vial": "V",
    "opened vial": "K",
    "bag": "B",
    "light cover": "L",
    "syringe": "S",
    "quarantine": "Q",
    "hold for monitor": "H",
    "return box": "R",
    "destruction container": "C",
    "place": "P",
}
"""The letter of each kind of label that is put on something; a printer's ruler label has none."""

_KINDS = {letter: kind for kind, letter in LETTERS.items()}
_MARK = re.compile(rf"([{''.join(_KINDS)}])([0-9]{{2,4}})([0-9A-Z])")
_MARKED = re.compile(rf"([A-Z][0-9]{{6}}[0-9A-Z])({_MARK.pattern})")


@dataclass(frozen=True, slots=True)
class Mark:
    """A label of a thing: its kind, and its copy, 1 for the first print."""

    kind: str
    copy_number: int


def mark_of(kind: str, number: str, copy_number: int) -> str:
    """The mark of a copy of a label: ``B01C`` is a bag's label, first copy, and the check character.

    ``number`` is the number of the thing, over which the check character is counted too. Raises ``ValueError`` for a
    copy that four digits do not hold.
    """
    if not 0 < copy_number < 10_000:
        raise ValueError(f"{copy_number} is no copy number that a label's mark can hold")
    body = f"{LETTERS[kind]}{copy_number:02d}"
    return body + _check(number, body)


def _check(number: str, body: str) -> str:
    """Counted over number and mark, but not over the number's own check character: behind it all numbers are alike."""
    return check_character(number[:-1] + body)


def looks_like_mark(text: str) -> bool:
    """Whether a text has the form of a mark, its check character right or wrong."""
    return bool(_MARK.fullmatch(text))


def read_mark(number: str, text: str) -> Mark | None:
    """The label that a mark behind a number means, or ``None`` when it is none of that number."""
    found = _MARK.fullmatch(text)
    if found is None or not number or _check(number, text[:-1]) != text[-1]:
        return None
    return Mark(_KINDS[found[1]], int(found[2]))


def parted(text: str) -> tuple[str, str] | None:
    """Number and mark of a text that has the form of both together, ``None`` otherwise; neither is checked."""
    found = _MARKED.fullmatch(text)
    return (found[1], found[2]) if found else None
