"""Physical counts: what lies on the shelf against what the record says, vial by vial or number by number.

Everything here is told what the record expects and what was found; who counted and when is the services' business.
"""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import Vial, move_table

VIALS = "vials"
"""Unopened vials: held, available, reserved and quarantined ones all lie on the shelf."""

CONTAINERS = "containers"
"""What an opened vial leaves: opened, empty, partial, broken ones. They are counted apart (§ 8.2)."""

KINDS = (VIALS, CONTAINERS)

OUTCOMES = ("found miscounted", "vial recorded missing", "vial found", "record corrected", "other")
"""How a discrepancy can end."""

MISSING_RECORDED = "vial recorded missing"
"""The outcome that needs a recorded loss for each vial that is short."""

RECORD_CORRECTED = "record corrected"
"""The outcome that needs a correction of what was counted."""

_KIND_OF = {"available": VIALS, "quarantine": VIALS, "opened": CONTAINERS, "": ""}


def kind_of(state: str) -> str:
    """As what a vial of this state is counted; '' for one that is not on site, or for no state at all."""
    return _KIND_OF[move_table().states[state].on_site] if state else ""


def states_of(kind: str) -> tuple[str, ...]:
    """The states in which a vial is counted as this kind, in the order of the table of moves."""
    return tuple(name for name in move_table().states if kind_of(name) == kind)


def next_due(last: date) -> date:
    """When a place is to be counted again: a month later, on the same day or the month's last.

    The protocol sets no interval; a month is what auditors of trial pharmacies look for (REGULATION A-17).
    """
    year, month = last.year + last.month // 12, last.month % 12 + 1
    return date(year, month, min(last.day, calendar.monthrange(year, month)[1]))


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A vial of ours found where the record does not have it, and what the record says of it."""

    unit_number: str
    strength_mg: Decimal
    lot: str
    state: str
    place: str

    @property
    def sentence(self) -> str:
        """What the record says."""
        if not kind_of(self.state):
            return f"{self.unit_number} is {self.state} in the record."
        return f"{self.unit_number} is {self.state} at {self.place} in the record."


@dataclass(frozen=True, slots=True)
class CountLine:
    """One strength and lot of a count, as vials or as containers.

    ``expires_on`` is ``None`` for a lot that the record does not know. ``missing`` and ``unexpected`` are unit numbers,
    which only a count by scan can give.
    """

    kind: str
    strength_mg: Decimal
    lot: str
    expires_on: date | None
    expected: int
    counted: int
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()

    @property
    def difference(self) -> int:
        """Counted less expected: −1 is one vial short."""
        return self.counted - self.expected

    @property
    def agrees(self) -> bool:
        """Whether the very vials were there; one missing and another too many do not make up for each other."""
        return not self.difference and not self.missing and not self.unexpected


def say_difference(difference: int) -> str:
    """A difference with its sign: ``+2``, ``0``, ``−1``."""
    return f"+{difference}" if difference > 0 else f"−{-difference}" if difference else "0"


NAMED = 12
"""So many unit numbers a sentence names; the count's record has them all."""


def _some(units: Sequence[str]) -> str:
    more = len(units) - NAMED
    return ", ".join(units[:NAMED]) + (f" and {more} more" if more > 0 else "")


def compare_units(
    expected: Sequence[Vial], found: Sequence[Vial], kinds: Sequence[str]
) -> tuple[tuple[CountLine, ...], tuple[Misplaced, ...]]:
    """The lines of a count by scan, and the vials the record has elsewhere or in another state.

    ``expected`` are the vials the record has at the place; a found one that is not among them counts to its own lot, as
    the kind the record gives it or, where that is not counted here, as the first of ``kinds``.
    """
    there = {vial.unit_number for vial in expected}
    seen = {vial.unit_number for vial in found}
    rows: dict[tuple[str, Decimal, str], dict[str, list[Vial]]] = {}

    def row(vial: Vial) -> dict[str, list[Vial]]:
        kind = kind_of(vial.state)
        key = (kind if kind in kinds else kinds[0], vial.strength_mg, vial.lot)
        return rows.setdefault(key, {"expected": [], "found": []})

    for vial in expected:
        row(vial)["expected"].append(vial)
    for vial in found:
        row(vial)["found"].append(vial)
    lines = tuple(
        CountLine(
            kind,
            strength_mg,
            lot,
            [*both["expected"], *both["found"]][0].expires_on,
            len(both["expected"]),
            len(both["found"]),
            tuple(vial.unit_number for vial in both["expected"] if vial.unit_number not in seen),
            tuple(vial.unit_number for vial in both["found"] if vial.unit_number not in there),
        )
        for (kind, strength_mg, lot), both in sorted(rows.items(), key=lambda item: (KINDS.index(item[0][0]), item[0]))
    )
    strays = tuple(
        Misplaced(vial.unit_number, vial.strength_mg, vial.lot, vial.state, vial.place)
        for vial in found
        if vial.unit_number not in there
    )
    return lines, strays


def difference_words(lines: Iterable[CountLine], strays: Sequence[Misplaced], unknown: Sequence[str]) -> str:
    """What does not agree, in one sentence a lot; '' when everything does."""
    parts = []
    for line in lines:
        if line.agrees:
            continue
        what = f"{show(line.strength_mg)} mg lot {line.lot}, {line.kind}"
        words = f"{what}: expected {line.expected}, counted {line.counted} ({say_difference(line.difference)})"
        parts.append(words + (f", missing {_some(line.missing)}" if line.missing else ""))
    parts += [stray.sentence.removesuffix(".") for stray in strays]
    parts += [f"“{code}” is no vial of this record" for code in unknown]
    return "; ".join(parts) + "." if parts else ""
