"""The parts that make a number, and how they are summed."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from pharmacy_app.services import views
from pharmacy_app.services.ports import Reader

MOST_PARTS = 400
"""So many of the newest entries are listed; what is before them is one line, brought forward."""


@dataclass(frozen=True, slots=True)
class Part:
    """One line behind a number: its entry (None: of no single entry), and what it contributes (None: nothing).

    ``after`` is the sum up to it.
    """

    seq: int | None
    words: str
    done_at: datetime | None = None
    by: str = ""
    change: Decimal | None = None
    after: Decimal | None = None
    signatures: tuple[str, ...] = ()
    corrected_by: int | None = None


@dataclass(frozen=True, slots=True)
class Behind:
    """A number, what it is, and the parts that make it, oldest first.

    ``number`` is what the pages show (None: there is no number, only a thing); ``total`` the sum of the parts.
    """

    title: str
    unit: str
    number: Decimal | None
    parts: tuple[Part, ...]
    documents: tuple[views.DocumentLine, ...] = ()
    note: str = ""
    total: Decimal | None = None

    @property
    def agrees(self) -> bool:
        """Whether the parts sum to the number."""
        return self.number is None or self.number == self.total


@dataclass(slots=True)
class Sum:
    """The newest parts with a running sum; older ones are one part, brought forward."""

    now: Decimal = Decimal(0)
    forward: Decimal = Decimal(0)
    left_out: int = 0
    parts: list[Part] = field(default_factory=list)

    def add(self, part: Part) -> None:
        """Put a part behind the others; what one entry did in several lines of the ledger is one part."""
        assert part.change is not None
        self.now += part.change
        last = self.parts[-1] if self.parts else None
        if last is not None and last.seq is not None and last.seq == part.seq and last.change is not None:
            words = last.words if part.words in last.words else f"{last.words}; {part.words}"
            self.parts[-1] = replace(last, words=words, change=last.change + part.change, after=self.now)
            return
        self.parts.append(replace(part, after=self.now))
        if len(self.parts) > 2 * MOST_PARTS:
            self._forget()

    def _forget(self) -> None:
        gone, self.parts = self.parts[:-MOST_PARTS], self.parts[-MOST_PARTS:]
        self.left_out += len(gone)
        self.forward += sum((part.change for part in gone if part.change is not None), Decimal(0))

    def all(self) -> tuple[Part, ...]:
        """The parts that change the sum, what was brought forward first."""
        if len(self.parts) > MOST_PARTS:
            self._forget()
        brought = Part(None, f"Brought forward from {self.left_out:,} entries before", change=self.forward)
        first = (replace(brought, after=self.forward),) if self.left_out else ()
        return (*first, *(part for part in self.parts if part.change))


def summed(parts: Iterable[Part]) -> tuple[tuple[Part, ...], Decimal]:
    """Each part with the sum up to it, and the sum of all; parts that contribute nothing are kept as they are."""
    after, done = Decimal(0), []
    for part in parts:
        after += part.change or 0
        done.append(part if part.change is None else replace(part, after=after))
    return tuple(done), after


def with_entries(reader: Reader, found: Behind) -> Behind:
    """The parts with what their entries say: when, who, the signatures, and the entry that corrected them."""
    seqs = list({part.seq for part in found.parts if part.seq is not None})
    corrections = reader.corrections(seqs)
    entries = {seq: event for seq in seqs if (event := reader.event(seq)) is not None}
    parts = []
    for part in found.parts:
        event = entries.get(part.seq) if part.seq is not None else None
        if event is None:
            parts.append(part)
            continue
        correction = corrections.get(event.seq)
        parts.append(
            replace(
                part,
                done_at=part.done_at or event.done_at,
                by=part.by or event.actor_name,
                signatures=event.signatures,
                corrected_by=correction.event_seq if correction is not None else None,
            )
        )
    return replace(found, parts=tuple(parts))
