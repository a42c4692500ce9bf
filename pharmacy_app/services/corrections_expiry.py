"""Corrections of a lot's extended expiry: an extension taken back, and one that goes with its lot to the right label.

A date that was typed too late makes expired vials usable, so there is nothing that keeps it from being taken back but
a later extension that stands on it. What was made of the vials meanwhile is named on its dose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.units import show_mg
from pharmacy_app.domain.vials import NEVER_RECEIVED, Vial, in_date
from pharmacy_app.services import views
from pharmacy_app.services.correcting import Case, Outcome, Way, no_fields
from pharmacy_app.services.expiry import expiry_of, standing_extensions
from pharmacy_app.services.ports import Reader, VialFilter


def vials_of_lot(reader: Reader, strength_mg: Decimal, lot: str) -> tuple[Vial, ...]:
    """Every vial of a lot that came, whatever became of it."""
    wanted = VialFilter(strength_mg=strength_mg, lot=lot)
    count = reader.count_vials(wanted)
    vials = reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=count)
    return tuple(vial for vial in vials if vial.state != NEVER_RECEIVED)


# --- an extension that was a mistake ---------------------------------------------------------------------------


def _extension(reader: Reader, event: views.EventLine) -> views.ExpiryExtension:
    (extension,) = (each for each in reader.expiry_extensions() if each.event_seq == event.seq)
    return extension


def _in_the_way(reader: Reader, event: views.EventLine, _zone: ZoneInfo) -> tuple[Fault, ...]:
    extension = _extension(reader, event)
    if extension.undone_seq is not None:
        return ()  # that it was corrected is said of every entry alike
    newest = standing_extensions(reader, extension.strength_mg, extension.lot)[0]
    if newest.event_seq != event.seq:
        return (
            Fault(
                "",
                f"Lot {extension.lot} was extended again since, to {say_day(newest.new_on)} in entry"
                f" {newest.event_seq}. Take that one back first.",
                "A40",
                "8.2",
            ),
        )
    counts = expiry_of(reader, extension.strength_mg, extension.lot)
    if counts is not None and counts != extension.new_on:
        return (
            Fault(
                "",
                f"Lot {extension.lot} counts through {say_day(counts)}, not through {say_day(extension.new_on)}: its"
                " receipt was corrected since. Correct the receipt again.",
                "A40",
                "8.2",
            ),
        )
    return ()


def _undone(case: Case) -> Outcome:
    extension = _extension(case.reader, case.event)
    vials = vials_of_lot(case.reader, extension.strength_mg, extension.lot)
    return Outcome(
        {
            "strength_mg": extension.strength_mg,
            "lot": extension.lot,
            "expires_on": extension.old_on,
            "unit_numbers": [vial.unit_number for vial in vials],
        },
        _changes(case.reader, case.event),
        tuple(_notes(case, extension, vials)),
    )


def _changes(reader: Reader, event: views.EventLine) -> tuple[views.ChangedValue, ...]:
    extension = _extension(reader, event)
    label = f"Expiry of lot {extension.lot}, {show_mg(extension.strength_mg)}"
    return (views.ChangedValue(label, extension.new_on.isoformat(), extension.old_on.isoformat()),)


def _notes(case: Case, extension: views.ExpiryExtension, vials: Sequence[Vial]) -> list[tuple[str, str]]:
    """What each dose is to know that was planned, mixed or given of these vials since the extension."""
    of_dose: dict[str, list[str]] = {}
    for vial in vials:
        if vial.dose_id:
            of_dose.setdefault(vial.dose_id, []).append(vial.unit_number)
    notes = []
    for dose_id, units in sorted(of_dose.items()):
        thread = case.reader.dose(dose_id)
        if thread is None:
            continue
        line = thread.line
        used_on = line.given_on or line.planned_on
        expired = not in_date(extension.old_on, used_on)
        what_next = ""
        if expired and line.status in ("planned", "verified", "prepared"):
            what_next = " It must not be given: cancel the dose."
        elif expired and line.status == "released":
            what_next = " The bag has left: call the ward, it must not be given. If it was, report a medication error."
        elif expired and line.status in ("administered", "closed"):
            what_next = " It was given from an expired vial: report a medication error."
        one = len(units) == 1
        notes.append(
            (
                dose_id,
                f"{'Vial' if one else 'Vials'} {', '.join(units)} of this dose: the extension of lot {extension.lot} to"
                f" {say_day(extension.new_on)} was taken back; {'it counts' if one else 'they count'} through"
                f" {say_day(extension.old_on)}.{what_next}",
            )
        )
    return notes


EXTENSION = Way(
    act="extension_undone",
    title="Expiry extension",
    says="The extension is taken back: every vial of the lot counts again through the day before it, and what is"
    " expired by that leaves usable stock at once. Labels with the extended date are renewed.",
    second_person=True,
    fields=no_fields,
    in_the_way=_in_the_way,
    build=_undone,
    preview=_changes,
    kinds=("expiry_extended",),
)


# --- the label of a lot that was extended ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Relabelling:
    """Vials of a lot that get another label: how the lot stands, what the right label is, where a fault is said."""

    strength_mg: Decimal
    lot: str
    expires_on: date
    to_strength_mg: Decimal
    to_lot: str
    to_expires_on: date
    field: str


def extensions_moved(case: Case, relabelled: Sequence[Relabelling], units: set[str]) -> list[dict[str, object]]:
    """The extensions that belong to another lot once these vials (``units``) have their right labels.

    An extension goes with its lot when all of it gets the one new label, and nothing else bears that. Otherwise nobody
    can tell from the record which vials the supporter meant, and the fault says what to take back first.
    """
    moved: list[dict[str, object]] = []
    lots: dict[tuple[Decimal, str], list[Relabelling]] = {}
    for each in relabelled:
        lots.setdefault((each.strength_mg, each.lot), []).append(each)
    for (strength_mg, lot), labels in lots.items():
        standing = standing_extensions(case.reader, strength_mg, lot)
        if not standing:
            continue
        newest, first = standing[0], labels[0]
        targets = {(each.to_strength_mg, each.to_lot) for each in labels}
        to_strength_mg, to_lot = first.to_strength_mg, first.to_lot
        whole = {vial.unit_number for vial in vials_of_lot(case.reader, strength_mg, lot)} <= units
        says = (
            "the expiry itself is not corrected under an extension"
            if any(each.to_expires_on != each.expires_on for each in labels)
            else "only a part of its vials get the new label"
            if not whole or len(targets) > 1
            else f"lot {to_lot} is known already"
            if targets != {(strength_mg, lot)} and expiry_of(case.reader, to_strength_mg, to_lot) is not None
            else ""
        )
        if says:
            case.reading.fault(
                first.field,
                f"Lot {lot} counts through {say_day(newest.new_on)} by an extension, entry {newest.event_seq}, and"
                f" {says}. Take back that entry first, then correct this one, and record the extension of the right"
                " vials again.",
                "A40",
                "8.2",
            )
        elif targets != {(strength_mg, lot)}:
            moved += [{"event_seq": each.event_seq, "strength_mg": to_strength_mg, "lot": to_lot} for each in standing]
    return moved
