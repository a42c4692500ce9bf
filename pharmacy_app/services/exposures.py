"""Vials that a later entry puts where a recorded storage deviation was (§ 8.2; RULES R54).

A deviation names the vials that lay at its place by the ledger as it was then. An entry that is made later, and says of
a vial that it lay there too, names it in the deviation and keeps it back in the same act, whether the deviation is
open or closed: a closed one is opened again, so that the supporter is told and decides.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.temperatures import Span
from pharmacy_app.domain.vials import UNOPENED, Moved, Vial, move, move_table
from pharmacy_app.services import views
from pharmacy_app.services.ports import Reader

MAY_BE_USED = "may be used"
"""What a permission of the supporter decides of a vial."""

MUST_NOT_BE_USED = "must not be used"
"""What the supporter decides of a vial that is returned."""

BY_DEVIATION = "storage deviation "
"""How the reason of a vial begins that a storage deviation keeps back."""


NAMED_AT_MOST = 6
"""Vials named one by one in a sentence."""

FOR_EVER = datetime.max.replace(tzinfo=UTC)
"""The last moment of what lasts."""

READINGS = ("logger_read", "receipt_corrected")
"""The kinds of entry that say anew what a shipment's logger showed; a correction only where it names a logger."""


@dataclass(frozen=True, slots=True)
class Late:
    """A vial as an entry finds it, how it stood at the place, and the deviations that do not name it yet."""

    vial: Vial
    state_then: str
    deviations: tuple[views.DeviationLine, ...]


def reason_of(lines: Iterable[views.DeviationLine], *others: str) -> str:
    """Why a vial is kept back that lay through these deviations, beside what it is kept back for already."""
    reasons = [f"{BY_DEVIATION}{line.deviation_id} at {line.place}" for line in lines]
    parts = [part for reason in (*reasons, *others) for part in reason.split("; ") if part]
    return "; ".join(dict.fromkeys(parts))


def still_lasts(line: views.DeviationLine) -> bool:
    """Whether nothing is recorded of a deviation's end: until it is, what comes to its place lies through it."""
    spans = from_plain(tuple[Span, ...], line.spans)
    return line.status == "open" and not all(span.ended for span in spans)


def lasted_until(line: views.DeviationLine) -> datetime:
    """The last moment of a deviation: for ever while it lasts, when closed without an end until it was recorded."""
    if still_lasts(line):
        return FOR_EVER
    return max(span.end if span.ended else line.recorded_at for span in from_plain(tuple[Span, ...], line.spans))


def went_on_after(reader: Reader, place: str, since: datetime) -> tuple[views.DeviationLine, ...]:
    """The deviations at a place through which a vial lay that came there at ``since`` and is there still."""
    return tuple(line for line in reader.deviations_at(place) if lasted_until(line) >= since)


def shut(reader: Reader, vials: Iterable[Vial], place: str = "") -> list[Fault]:
    """Why vials do not become or stay usable where they lie, or at ``place``: a storage deviation lasts there."""
    by_place: dict[str, list[str]] = {}
    for vial in vials:
        by_place.setdefault(place or vial.place, []).append(vial.unit_number)
    faults = []
    for where, units in by_place.items():
        lasting = [line.deviation_id for line in reader.deviations_at(where) if still_lasts(line)]
        if lasting:
            faults.append(
                Fault(
                    "unit_numbers",
                    f"Storage deviation {', '.join(lasting)} at {where} still lasts: no end of it is recorded. Record"
                    f" when it ended, or keep {_named(units)} in another place.",
                    "R54",
                    "8.2",
                )
            )
    return faults


def own_reasons(reader: Reader, exposures: Iterable[views.DeviationVial]) -> frozenset[str]:
    """The reasons that the storage deviations of the record itself gave for keeping a vial back."""
    lines = [line for each in exposures if (line := reader.deviation(each.deviation_id)) is not None]
    return frozenset(part for line in lines for part in reason_of((line,)).split("; "))


def alarms_read(reader: Reader) -> tuple[views.EventLine, ...]:
    """The entries, oldest first, by which a shipment's logger was read later and showed a reason to keep vials back.

    A receipt whose logger was corrected is one too; where it shows no reason by that, what was read before is none.
    """
    found: dict[str, list[views.EventLine]] = {}
    for event in sorted(
        reader.events_between(READINGS, 0, reader.head().seq + 1),
        key=lambda event: event.seq,
    ):
        if event.kind == "receipt_corrected" and "logger" not in event.content:
            continue
        of_it = found.setdefault(event.content["shipment"], [])
        if logger_showed(event):
            of_it.append(event)
        elif event.kind == "receipt_corrected":
            of_it.clear()
    return tuple(sorted((event for of_it in found.values() for event in of_it), key=lambda event: event.seq))


def logger_showed(event: views.EventLine) -> str:
    """The reason to keep vials back that a logger showed by an entry, '' for none."""
    if event.kind == "receipt_corrected":
        return str(event.content.get("logger_reason", ""))
    return str(event.content["line"]["comment"])


def found_late(reader: Reader, vials: Sequence[Vial], place: str, since: datetime) -> tuple[Late, ...]:
    """Which of these vials lay through deviations that do not name them, being at a place from a moment on."""
    lines = went_on_after(reader, place, since)
    if not lines:
        return ()
    named = {
        line.deviation_id: {each.unit_number for each in reader.deviation_vials(line.deviation_id)} for line in lines
    }
    found = []
    for vial in vials:
        unnamed = tuple(line for line in lines if vial.unit_number not in named[line.deviation_id])
        if unnamed and vial.state in UNOPENED:
            found.append(Late(vial, vial.state, unnamed))
    return tuple(found)


def quarantined(late: Iterable[Late], place: str) -> Iterator[Moved]:
    """The quarantine of those that could still be used, at the place where the entry puts them."""
    may = move_table().moves["quarantine"].from_states
    for each in late:
        if each.vial.state in may:
            yield move(replace(each.vial, place=place), "quarantine")


def content_of(late: Sequence[Late]) -> dict[str, Any]:
    """What the entry says of them: each named in its deviations, why it is kept back, and what is opened again."""
    if not late:
        return {}
    may = move_table().moves["quarantine"].from_states
    closed = {line.deviation_id for each in late for line in each.deviations if line.status == "closed"}
    return {
        "exposed": [
            {
                "deviation_id": line.deviation_id,
                "unit_number": each.vial.unit_number,
                "kit_number": each.vial.kit_number,
                "strength_mg": each.vial.strength_mg,
                "lot": each.vial.lot,
                "expires_on": each.vial.expires_on,
                "state_then": each.state_then,
                "state_found": each.vial.state,
                "dose_id": each.vial.dose_id,
                "quarantined": each.vial.state in may,
            }
            for each in late
            for line in each.deviations
        ],
        "kept_back": [
            {
                "unit_number": each.vial.unit_number,
                "hold_reason": reason_of(each.deviations, each.vial.hold_reason),
            }
            for each in late
        ],
        "reopened": sorted(closed),
    }


def words_of(late: Sequence[Late]) -> str:
    """What the ledger's lines say of them, '' for none."""
    lines = {line.deviation_id: line for each in late for line in each.deviations}
    return f"{_named([each.vial.unit_number for each in late])} kept back: {reason_of(lines.values())}" if late else ""


def _named(units: Sequence[str]) -> str:
    """The first vials by their numbers, and how many more there are."""
    more = f" and {len(units) - NAMED_AT_MOST} more" if len(units) > NAMED_AT_MOST else ""
    return ", ".join(units[:NAMED_AT_MOST]) + more
