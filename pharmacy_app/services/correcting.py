"""What a way of correcting an entry is made of: fields with their old values, what stands in the way, what is recorded.

Each kind of entry has its way in ``corrections_stock`` or ``corrections_doses``; ``corrections`` chooses it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.vials import move_table
from pharmacy_app.services import views
from pharmacy_app.services.desk import Moment
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import unit_ranges
from pharmacy_app.services.reading import Reading

NOTHING_CHANGED = "Nothing is changed. Type the value as it is right, or leave the entry as it is."


@dataclass(frozen=True, slots=True)
class Field:
    """One value of an entry that can be corrected: its label, as it stands (as it would be typed), and a hint.

    ``options`` are the values to choose from, empty for typed text. An ``aside`` is no value of the entry: it is asked
    for beside them and is no change in itself. ``heading`` stands above the first of several that belong together.
    """

    name: str
    label: str
    old: str
    hint: str = ""
    options: tuple[str, ...] = ()
    aside: bool = False
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One correction being made: the entry, what was typed for it, and where its faults are kept."""

    reader: Reader
    moment: Moment
    zone: ZoneInfo
    event: views.EventLine
    typed: Mapping[str, str]
    why: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a correction records beside the values that changed: its content, further changes in words, and notes.

    ``notes`` say to whom or what the correction matters: the dose, vial or medication error, and a sentence.
    """

    content: dict[str, Any]
    changes: tuple[views.ChangedValue, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


def nothing_to_show(_reader: Reader, _event: views.EventLine) -> tuple[views.ChangedValue, ...]:
    """An entry whose values say themselves what is changed."""
    return ()


@dataclass(frozen=True, slots=True)
class Way:
    """How entries of one kind are corrected.

    ``act`` is the kind of event that the correction is; ``title`` names the entry, '' where its kind does; ``says`` is
    what the correction does, before it is done; ``in_the_way`` gives
    the faults for which this entry cannot be corrected now; ``build`` reads the typed values and gives the outcome;
    ``preview`` says of an entry without values what its correction will change.
    """

    act: str
    title: str
    says: str
    second_person: bool
    fields: Callable[[Reader, views.EventLine, ZoneInfo], tuple[Field, ...]]
    in_the_way: Callable[[Reader, views.EventLine, ZoneInfo], tuple[Fault, ...]]
    build: Callable[[Case], Outcome]
    kinds: tuple[str, ...] = ()
    preview: Callable[[Reader, views.EventLine], tuple[views.ChangedValue, ...]] = nothing_to_show


def no_fields(_reader: Reader, _event: views.EventLine, _zone: ZoneInfo) -> tuple[Field, ...]:
    """An entry that is taken back as a whole."""
    return ()


def nothing_in_the_way(_reader: Reader, _event: views.EventLine, _zone: ZoneInfo) -> tuple[Fault, ...]:
    """An entry that can always be corrected."""
    return ()


STAYS_ACCOUNTED = (*move_table().moves["destroy"].from_states, *move_table().moves["recover"].from_states)
"""What a container may be that the monitor has accounted for and that is not destroyed."""


def accounted_faults(reader: Reader, unit_numbers: Iterable[str]) -> tuple[Fault, ...]:
    """Why what the monitor accounted for is not changed under that accountability: it lets the container be destroyed.

    One that is destroyed by now stands in no way: a slip that is found late is put right all the same.
    """
    by: dict[str, list[str]] = defaultdict(list)
    for vial in (reader.vial(number) for number in sorted(set(unit_numbers))):
        if vial is not None and vial.accounted_by and vial.state in STAYS_ACCOUNTED:
            by[vial.accounted_by].append(vial.unit_number)
    return tuple(
        Fault(
            "",
            f"{monitor} has accounted for {'vial' if len(units) == 1 else 'vials'} {unit_ranges(tuple(units))} as"
            f" {'it stands' if len(units) == 1 else 'they stand'}. Ask them to take that back first.",
            "R57",
            "8.2",
        )
        for monitor, units in by.items()
    )
