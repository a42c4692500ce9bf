"""The journal against a paper: number of events and head, as they stand at the foot of every report.

A journal whose end was cut off, or that was written anew from some event on, can be made to hash right again in the
database. It cannot be made to fit a paper that was printed before (21 CFR 11.10(a), (c)).
"""

import re
from dataclasses import dataclass

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.reading import Reading

PRINTED_DIGITS = 12
"""How many characters of the head are typed at least; papers show all 64, those of earlier versions this many."""

WHOLE_HEAD = 64
"""The characters of a head that nothing was left off."""

MOST_EVENTS = 999_999_999
"""More events than that no journal has."""

_NUMBER = r"[\d\s,.\u202f\u00a0]+"
_SCANNED = re.compile(rf"\s*({_NUMBER})([^0-9a-fA-F\s,.])\s*([0-9a-fA-F]{{{PRINTED_DIGITS},64}})\s*")
"""A paper's code. Its colon is another sign where scanner and computer differ in their keyboards."""


@dataclass(frozen=True, slots=True)
class PrintedHead:
    """What a paper's foot says: the number of events when it was printed, and how the last one's SHA-256 begins."""

    events: int
    begins: str


@dataclass(frozen=True, slots=True)
class HeadChecked:
    """Whether the journal still holds what the paper names, and the sentence that says so."""

    fits: bool
    sentence: str


def read_printed_head(events: str, head: str) -> PrintedHead:
    """Number and head as typed from the paper; raises ``Refused`` beside ``paper_events`` and ``paper_head``.

    The code at the paper's foot, scanned into either field, says both; a number typed beside it must be the same.
    """
    scanned = _SCANNED.fullmatch(head) or _SCANNED.fullmatch(events)
    if scanned is not None:
        other = events if scanned.string is head else head
        events, head = scanned[1], scanned[3]
        if other.strip() and _digits(other) != _digits(events) and not head.lower().startswith(other.strip().lower()):
            raise Refused(
                Fault(
                    "paper_events",
                    f"The code says {_digits(events)} events, but beside it stands “{other.strip()}”. Empty both"
                    " fields and scan the code again.",
                )
            )
    reading = Reading()
    number = _digits(events)
    count = reading.count(number, "paper_events", "The number of events", low=1, high=MOST_EVENTS)
    begins = "".join(head.split()).lower()
    if not re.fullmatch(rf"[0-9a-f]{{{PRINTED_DIGITS},64}}", begins):
        reading.fault(
            "paper_head",
            "The head is what stands after the word “head” at the paper's foot: digits and the letters a to f. Scan the"
            f" code beside it, or type at least the first {PRINTED_DIGITS} characters.",
        )
    reading.done()
    return PrintedHead(count, begins)


def _digits(number: str) -> str:
    """A number without the signs that group its digits."""
    return re.sub(r"[\s,.\u202f\u00a0]", "", number)


def read_printed_line(typed: str) -> PrintedHead:
    """Number and head with a colon between them (``1234:0a1b2c3d4e5f``), as the paper's code says it too.

    Raises ``Refused``.
    """
    if scanned := _SCANNED.fullmatch(typed):
        return read_printed_head(scanned[1], scanned[3])
    events, colon, head = typed.partition(":")
    if not colon:
        sentence = "Type number of events and head with a colon between them, e.g. 1234:0a1b2c3d4e5f."
        raise Refused(Fault("paper_head", sentence))
    return read_printed_head(events, head)


def scanned_paper(code: str) -> PrintedHead | None:
    """What the code at a paper's foot says, ``None`` for any other code: only such a code carries a whole head."""
    scanned = _SCANNED.fullmatch(code)
    if scanned is None or len(scanned[3]) < WHOLE_HEAD or not 1 <= int(_digits(scanned[1]) or 0) <= MOST_EVENTS:
        return None
    return PrintedHead(int(_digits(scanned[1])), scanned[3].lower())


def check_printed_head(reader: Reader, printed: PrintedHead) -> HeadChecked:
    """Look for the paper's event in a journal whose chain was proven just before: its stored hashes are its bytes'."""
    last = reader.head().seq
    if printed.events > last:
        return HeadChecked(
            False,
            f"The paper was printed when the journal held {printed.events:,} events, but now it ends at event {last:,}."
            " Its end was cut off, or the paper is of another study.",
        )
    stored = reader.event_hash(printed.events)
    if not stored.startswith(printed.begins):
        return HeadChecked(
            False,
            f"Event {printed.events:,} is not the one the paper names: its SHA-256 begins with"
            f" {stored[:PRINTED_DIGITS]}. The journal was written anew up to there, or the paper is of another study.",
        )
    since = last - printed.events
    return HeadChecked(
        True,
        f"The paper fits: the journal still holds what it held then, up to event {printed.events:,}, and"
        f" {since:,} event{'' if since == 1 else 's'} recorded since.",
    )
