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
"""How many characters of the head a paper shows."""


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
    """Number and head as typed from the paper; raises ``Refused`` beside ``paper_events`` and ``paper_head``."""
    reading = Reading()
    number = re.sub(r"[\s,.\u202f\u00a0]", "", events)
    count = reading.count(number, "paper_events", "The number of events", low=1, high=999_999_999)
    begins = "".join(head.split()).lower()
    if not re.fullmatch(rf"[0-9a-f]{{{PRINTED_DIGITS},64}}", begins):
        reading.fault(
            "paper_head",
            f"The head is the {PRINTED_DIGITS} characters after the word “head” at the paper's foot: digits and the"
            " letters a to f. Type all of them.",
        )
    reading.done()
    return PrintedHead(count, begins)


def read_printed_line(typed: str) -> PrintedHead:
    """Number and head with a colon between them (``1234:0a1b2c3d4e5f``); raises ``Refused``."""
    events, colon, head = typed.partition(":")
    if not colon:
        sentence = "Type number of events and head with a colon between them, e.g. 1234:0a1b2c3d4e5f."
        raise Refused(Fault("paper_head", sentence))
    return read_printed_head(events, head)


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
