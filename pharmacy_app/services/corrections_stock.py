"""Corrections of what moved vials: a move taken back, a receipt's labels, the closing of vials, accountability.

No line of the ledger is ever changed: a correction posts lines of its own, dated now, under the word CORRECT.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.events import utc_text
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import (
    CORRECTION,
    NEVER_RECEIVED,
    STRENGTHS_MG,
    Moved,
    Relocated,
    Vial,
    move_table,
    read_number,
    relocate,
)
from pharmacy_app.services import views
from pharmacy_app.services.administration import ClosedTyped, closed_as, read_closed
from pharmacy_app.services.correcting import (
    NOTHING_CHANGED,
    STAYS_ACCOUNTED,
    Case,
    Field,
    Outcome,
    Way,
    accounted_faults,
    no_fields,
)
from pharmacy_app.services.corrections_expiry import EXTENSION, Relabelling, extensions_moved
from pharmacy_app.services.desk import protocol_of, site_of
from pharmacy_app.services.doses import thread_of
from pharmacy_app.services.expiry import printed_expiry
from pharmacy_app.services.exposures import (
    MAY_BE_USED,
    READINGS,
    Late,
    content_of,
    found_late,
    lasted_until,
    logger_showed,
    quarantined,
    reason_of,
)
from pharmacy_app.services.places import shelf_faults
from pharmacy_app.services.ports import Reader, VialFilter
from pharmacy_app.services.preparation import planned_settings
from pharmacy_app.services.printing import unit_ranges
from pharmacy_app.services.scanning import why_no_kit
from pharmacy_app.services.stock import (
    LOGGER_READ,
    LOGGER_STATES,
    NAMED_AT_MOST,
    NOT_READ,
    NOT_SHOWN,
    Logger,
    all_reasons,
    read_logger,
)
from pharmacy_app.services.storage import used_by

HOLDS_DOSES = ("planned", "verified")
"""Where a dose stands whose vials are reserved for it."""


def _vials(reader: Reader, units: Iterable[str]) -> dict[str, Vial]:
    found = (reader.vial(number) for number in units)
    return {vial.unit_number: vial for vial in found if vial is not None}


def _moved_since(reader: Reader, units: Sequence[str], seq: int, zone: ZoneInfo) -> tuple[Fault, ...]:
    """A fault for each vial that has moved after an event, naming the move, its day and its line."""
    later = list(_last_standing(reader, units, seq).values())
    faults = [
        Fault(
            "",
            f"Vial {move.unit_number} has moved since: “{move.move}” on {say_moment(move.done_at.astimezone(zone))},"
            f" line {move.line_id}. {_then(reader, move)}",
            "R55",
            "8.2",
        )
        for move in later[:NAMED_AT_MOST]
    ]
    if len(later) > NAMED_AT_MOST:
        faults.append(Fault("", f"{len(later) - NAMED_AT_MOST} more of these vials have moved since."))
    return tuple(faults)


def _then(reader: Reader, move: views.VialMove) -> str:
    event = reader.event(move.event_seq)
    if event is None or event.kind != "move_undone":
        return "Only a vial's last move is taken back; correct that one first."
    return (
        f"It took entry {event.content['corrects']} back, and the vial is not again what it was before that. Go on from"
        " how it stands now: record what is done with it as a new move."
    )


def _last_standing(reader: Reader, units: Sequence[str], seq: int) -> dict[str, views.VialMove]:
    """For each vial its newest move after an event that stands, where there is one, in the order of their numbers.

    A move that was taken back does not stand, nor does the taking back, where the vial is again what it was where it
    was.
    """
    later = reader.moves_since(units, seq)
    undone = reader.corrections(sorted({move.event_seq for move in later}))
    seen: dict[int, dict[str, tuple[_Stood, _Stood]]] = {}

    def stood(entry: int, unit: str) -> tuple[_Stood, _Stood]:
        if entry not in seen:
            event = reader.event(entry)
            seen[entry] = _ends_of(event.content["moves"]) if event is not None else {}
        return seen[entry][unit]

    gone = {
        (move.unit_number, entry)
        for move in later
        if (taken := undone.get(move.event_seq)) is not None
        and taken.kind == "move_undone"
        and stood(move.event_seq, move.unit_number)[0] == stood(taken.event_seq, move.unit_number)[1]
        for entry in (move.event_seq, taken.event_seq)
    }
    found: dict[str, views.VialMove] = {}
    for move in later:
        if (move.unit_number, move.event_seq) not in gone:
            found.setdefault(move.unit_number, move)
    return {unit: found[unit] for unit in sorted(found)}


_Stood = tuple[str, str]
"""A vial's state and place."""


def _ends_of(moves: Iterable[dict[str, Any]]) -> dict[str, tuple[_Stood, _Stood]]:
    """How each vial of an entry stood before its first move and after its last."""
    ends: dict[str, tuple[_Stood, _Stood]] = {}
    for moved in moves:
        unit = moved["unit_number"]
        before, _ = ends.get(unit, ((moved["from_state"], moved["place"]), None))
        ends[unit] = before, (moved["to_state"], moved.get("to_place", moved["place"]))
    return ends


def _effective_utc(event: views.EventLine) -> str:
    """The moment from which a correction of this entry counts: that of what it takes back."""
    return str(event.content.get("effective_utc", utc_text(event.done_at)))


def _line(case: Case, facts: dict[str, str] | None = None) -> dict[str, str]:
    """What the correction's ledger lines say beside the move."""
    return {
        **(facts or {}),
        "comment": f"correction of entry {case.event.seq}: {case.why}",
        "verifier": case.moment.signers[1].printed_name if len(case.moment.signers) > 1 else "",
    }


# --- a move recorded by mistake --------------------------------------------------------------------------------


def _undo_in_the_way(reader: Reader, event: views.EventLine, zone: ZoneInfo) -> tuple[Fault, ...]:
    moves = _undone(event)
    faults = list(_moved_since(reader, [moved["unit_number"] for moved in moves], event.seq, zone))
    if event.content.get("decided"):
        faults.append(
            Fault(
                "",
                "This release carries the supporter's decision on a storage deviation. Quarantine the vials again, with"
                " the reason, instead of taking it back.",
                "R54",
                "8.2",
            )
        )
    if event.kind == "vials_quarantined" and not faults:
        faults += _learned_since(reader, event)
    open_places = site_of(reader).places
    closed = sorted({moved["place"] for moved in moves if "to_place" in moved} - set(open_places))
    faults += [
        Fault("", f"{place} was closed since: the vials cannot go back there. Move them to another place.")
        for place in closed
    ]
    return tuple(faults)


def _learned_since(reader: Reader, event: views.EventLine) -> list[Fault]:
    """Why a quarantine that was a mistake stands by now: something else came up for which the vial is not used."""
    faults = []
    vials = _vials(reader, (moved["unit_number"] for moved in event.content["moves"]))
    for moved in event.content["moves"]:
        vial = vials[moved["unit_number"]]
        why = _deviation_of(reader, vial, event)
        if not why and moved["from_state"] != "held":
            why = _logger_showed(reader, vial, event.seq)
        if why:
            faults.append(
                Fault(
                    "",
                    f"Vial {vial.unit_number} stays in quarantine for another reason by now: {why}. It takes the"
                    " supporter's permission.",
                    "R54",
                    "8.2",
                )
            )
    return faults


def _deviation_of(reader: Reader, vial: Vial, event: views.EventLine) -> str:
    """The storage deviation that a vial lay through if an event is taken back, '' for none that matters.

    One that names it matters until the supporter has permitted its use; one that does not name it, when it went on
    after the event: with the event taken back the vial lay there all the time.
    """
    since = datetime.fromisoformat(_effective_utc(event))
    for line in reader.deviations():
        named = [each for each in reader.deviation_vials(line.deviation_id) if each.unit_number == vial.unit_number]
        if named:
            matters = named[0].decision != MAY_BE_USED and not _let_go(reader, vial, line)
        else:
            matters = line.place == vial.place and lasted_until(line) >= since
        if matters:
            return reason_of((line,))
    return ""


def _let_go(reader: Reader, vial: Vial, line: views.DeviationLine) -> bool:
    """Whether a vial was released after a deviation that named it."""
    outcomes = {each.unit_number: each.move for each in reader.deviation_outcomes(line.deviation_id)}
    return outcomes.get(vial.unit_number) in ("release", "lift quarantine")


def _logger_showed(reader: Reader, vial: Vial, after_seq: int) -> str:
    """Why a vial is kept back by what its shipment's logger showed when it was read later, '' for nothing."""
    for event in reader.events_between(READINGS, after_seq, reader.head().seq + 1):
        if event.content.get("shipment") == vial.shipment_number:
            return logger_showed(event)
    return ""


def _kept_back_now(reader: Reader, vial: Vial, event: views.EventLine) -> str:
    """Why a vial that is here after all goes into quarantine instead of back to use, '' for no reason."""
    return _deviation_of(reader, vial, event) or _logger_showed(reader, vial, event.seq)


_WAS_AWAY = ("vials_broken", "vials_missing", "vials_returned", "vials_transferred")
"""Acts by which a vial was out of the books of the shelf: what happened there meanwhile did not count for it."""


def _undone(event: views.EventLine) -> list[dict[str, Any]]:
    """The moves of an entry that its correction takes back, one a vial.

    What a late entry put into quarantine stays there: the supporter is asked of it. Where found vials lie, they stay.
    """
    carried = event.kind == "vials_transported"
    return [moved for moved in event.content["moves"] if ("to_place" in moved) == carried]


def _left_without_place(reader: Reader, event: views.EventLine) -> tuple[str, ...]:
    """The places, closed by now, in which vials would be on site again."""
    open_places, states = site_of(reader).places, move_table().states
    undone = [moved for moved in _undone(event) if "to_place" not in moved and states[moved["from_state"]].on_site]
    vials = _vials(reader, (moved["unit_number"] for moved in undone))
    return tuple(sorted({vial.place for vial in vials.values()} - set(open_places)))


def _undo_fields(reader: Reader, event: views.EventLine, _zone: ZoneInfo) -> tuple[Field, ...]:
    closed = _left_without_place(reader, event)
    if not closed:
        return ()
    hint = f"{', '.join(closed)} was closed since: choose the place where the vials are."
    return (Field("place", "Where they are now", "", hint, site_of(reader).places, aside=True),)


def _undo(case: Case) -> Outcome:
    moves: list[Moved] = []
    restored = []
    late: list[Late] = []
    reopened: set[str] = set()
    undone = _undone(case.event)
    vials = _vials(case.reader, (moved["unit_number"] for moved in undone))
    reasons = _reasons_before(case.reader, case.event, set(vials))
    closed = _left_without_place(case.reader, case.event)
    if closed:
        if case.typed["place"] not in case.moment.site.places:
            case.reading.fault(
                "place",
                f"{', '.join(closed)} was closed since, so the vials cannot be there. Choose the place where they are:"
                f" {', '.join(case.moment.site.places)}.",
                "R55",
                "8.2",
            )
        case.reading.done()
    for moved in undone:
        vial = vials[moved["unit_number"]]
        back = _taken_back(case.reader, vial, moved, case.event)
        moves.append(back)
        reason = _read_since(case.reader, vial, reasons[vial.unit_number])
        if isinstance(back, Relocated):
            reason = vial.hold_reason
        elif back.to_state == "quarantined" and moved["from_state"] != "quarantined":
            both = (_kept_back_now(case.reader, vial, case.event), reason)
            reason = reason_of((), *both)
            reopened |= _closed_undecided(case.reader, vial)
        here = replace(vial, state=back.to_state, hold_reason=reason)
        if isinstance(back, Relocated):
            here = replace(here, place=back.to_place)
        elif vial.place in closed:
            here = replace(here, place=case.typed["place"])
            case.reading.faults += shelf_faults(case.reader, [here], here.state)
            label = (vial.strength_mg, vial.lot, vial.expires_on)
            stood = (vial.unit_number, *label, vial.place)
            moves.append(Relocated(*stood, CORRECTION, here.state, here.state, *label, here.place))
        lines = _lay_through(case.reader, case.event, here, vial.place)
        if lines:
            late.append(Late(here, here.state, lines))
            moves += quarantined(late[-1:], here.place)
        restored.append(
            {
                "unit_number": vial.unit_number,
                "hold_reason": reason_of(lines, reason),
                # A container that is none any more was accounted for by mistake as well.
                "accounted_by": vial.accounted_by if back.to_state in STAYS_ACCOUNTED else "",
            }
        )
    case.reading.done()
    doses = sorted({vial.dose_id for vial in vials.values() if vial.dose_id})
    content = content_of(late)
    if reopened:
        content["reopened"] = sorted(reopened.union(content.get("reopened", ())))
    return Outcome(
        {
            "moves": moves,
            "restored": restored,
            **content,
            "line": _line(case, {"dose_id": ", ".join(doses)}),
            "effective_utc": _effective_utc(case.event),
        },
        _undo_changes(case.reader, case.event),
    )


def _lay_through(reader: Reader, event: views.EventLine, here: Vial, was_at: str) -> tuple[views.DeviationLine, ...]:
    """The deviations that do not name a vial, and that it lay through if an entry is taken back.

    Without a transport it never lay where it was carried; one that is back from elsewhere may have lain where it was
    last and where it is put now: nobody says since when.
    """
    carried = event.kind == "vials_transported"
    if not carried and event.kind not in _WAS_AWAY:
        return ()
    since = datetime.fromisoformat(_effective_utc(event))
    stays = {here.place} if carried else {here.place, was_at}
    return tuple(
        line
        for place in sorted(stays)
        for found in found_late(reader, [here], place, since)
        for line in found.deviations
    )


def _closed_undecided(reader: Reader, vial: Vial) -> set[str]:
    """The deviations that were closed while a vial was away, and in which nothing is decided of it."""
    return {
        line.deviation_id
        for line in reader.deviations(status="closed")
        for named in reader.deviation_vials(line.deviation_id)
        if named.unit_number == vial.unit_number and named.decision != MAY_BE_USED and not _let_go(reader, vial, line)
    }


def _undo_changes(reader: Reader, event: views.EventLine) -> tuple[views.ChangedValue, ...]:
    """What the vials are by the entry, and what they are again without it."""
    seen: dict[tuple[str, str], list[str]] = defaultdict(list)
    undone = _undone(event)
    vials = _vials(reader, (moved["unit_number"] for moved in undone))
    since = datetime.fromisoformat(_effective_utc(event))
    for moved in undone:
        vial = vials[moved["unit_number"]]
        back = _taken_back(reader, vial, moved, event)
        was = (vial.place, back.to_place) if isinstance(back, Relocated) else (moved["to_state"], back.to_state)
        seen[was].append(vial.unit_number)
        if not isinstance(back, Relocated) or vial.state not in _INTO_QUARANTINE:
            continue
        if found_late(reader, [vial], back.to_place, since):
            seen[vial.state, "quarantined"].append(vial.unit_number)
    return tuple(
        views.ChangedValue(f"Vials {unit_ranges(tuple(units))}", before, after)
        for (before, after), units in seen.items()
    )


def _taken_back(reader: Reader, vial: Vial, moved: dict[str, Any], event: views.EventLine) -> Moved:
    stands = (vial.unit_number, vial.strength_mg, vial.lot, vial.expires_on, vial.place)
    if "to_place" in moved:
        label = (vial.strength_mg, vial.lot, vial.expires_on)
        return Relocated(*stands, CORRECTION, vial.state, vial.state, *label, moved["place"])
    before = moved["from_state"]
    if before == "reserved" and (not _still_held(reader, vial) or vial.place not in site_of(reader).places):
        before = "available"
    if before == "opened":
        before = _closed_meanwhile(reader, vial) or before
    if event.kind in _WAS_AWAY and before in _INTO_QUARANTINE and _kept_back_now(reader, vial, event):
        before = "quarantined"
    return Moved(*stands, CORRECTION, vial.state, before)


_INTO_QUARANTINE = move_table().moves["quarantine"].from_states


def _still_held(reader: Reader, vial: Vial) -> bool:
    """Whether the dose for which a vial was reserved still waits for it."""
    thread = reader.dose(vial.dose_id) if vial.dose_id else None
    return thread is not None and thread.line.status in HOLDS_DOSES


def _closed_meanwhile(reader: Reader, vial: Vial) -> str:
    """What a container is by the closing of its content while it counted as returned; '' when that is still open."""
    thread = thread_of(reader, vial.dose_id)
    (line,) = (line for line in thread.mg if line.unit_number == vial.unit_number)
    if line.residue_mg is None:
        return ""
    return closed_as(line.residue_mg, line.labelled_mg, planned_settings(thread))


_SET_REASONS = (
    "shipment_received",
    "logger_read",
    "receipt_corrected",
    "vials_released",
    "vials_quarantined",
    "quarantine_lifted",
    "vials_found",
    "vials_transported",
    "deviation_recorded",
    "deviation_updated",
    "move_undone",
)
"""The kinds of act that say why a vial is held or in quarantine."""


def _reasons_before(reader: Reader, event: views.EventLine, units: set[str]) -> dict[str, str]:
    """Why each vial was held or in quarantine before an event, '' for no reason."""
    reasons: dict[str, str] = {}
    for earlier in reader.events_between(_SET_REASONS, 0, event.seq):
        said = _reasons_in(earlier)
        for unit in units & said.keys():
            reasons.setdefault(unit, said[unit])
        if len(reasons) == len(units):
            break
    return {unit: reasons.get(unit, "") for unit in units}


def _reasons_in(event: views.EventLine) -> dict[str, str]:
    content = event.content
    moved = [each["unit_number"] for each in content.get("moves", ())]
    said = {
        "shipment_received": "vials",
        "logger_read": "vials",
        "receipt_corrected": "held",
        "move_undone": "restored",
    }
    if event.kind in said:
        return {vial["unit_number"]: vial["hold_reason"] for vial in content.get(said[event.kind], ())}
    if event.kind in ("deviation_recorded", "deviation_updated"):
        return {
            vial["unit_number"]: "; ".join(part for part in (content["reason"], vial.get("held_before", "")) if part)
            for vial in content["vials"]
            if vial["quarantined"]
        }
    if event.kind in ("vials_found", "vials_transported"):
        late = {vial["unit_number"]: vial["hold_reason"] for vial in content.get("kept_back", ())}
        moved = [each["unit_number"] for each in content["moves"] if each["to_state"] == "quarantined"]
        return (dict.fromkeys(moved, content["hold_reason"]) if event.kind == "vials_found" else {}) | late
    return dict.fromkeys(moved, content.get("reason", ""))


def _read_since(reader: Reader, vial: Vial, reason: str) -> str:
    """A reason from before the logger was read, with what the logger showed in the place of 'not read'."""
    shipment = reader.shipment(vial.shipment_number)
    if NOT_READ not in reason or shipment is None or shipment.logger_state == "not read":
        return reason
    showed = _logger_showed(reader, vial, 0)
    return "; ".join(part for part in (showed if part == NOT_READ else part for part in reason.split("; ")) if part)


MOVE_UNDONE = Way(
    act="move_undone",
    title="",
    says="The move is taken back: each vial is again what it was before. The entry stays readable, struck through.",
    second_person=True,
    fields=_undo_fields,
    in_the_way=_undo_in_the_way,
    build=_undo,
    preview=_undo_changes,
    kinds=(
        "vials_released",
        "vials_quarantined",
        "quarantine_lifted",
        "vials_broken",
        "vials_missing",
        "vials_found",
        "vials_returned",
        "vials_transferred",
        "vials_destroyed",
        "vials_transported",
        "vials_taken_back",
    ),
)


# --- a receipt --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Label:
    """What a receipt says of some of its vials; ``never_came`` are those whose receipt was a mistake."""

    unit_numbers: tuple[str, ...]
    strength_mg: Decimal
    lot: str
    expires_on: date
    kits: dict[str, str]
    never_came: tuple[str, ...]

    @property
    def kind(self) -> tuple[Decimal, str]:
        return self.strength_mg, self.lot


def _labels_of(reader: Reader, event: views.EventLine) -> list[_Label]:
    """The labels of a receipt as they stand: each with the expiry that its lot has by now, extended or corrected."""
    counts = {(strength, lot): expires_on for strength, lot, expires_on in reader.lots()}
    return [replace(label, expires_on=counts.get(label.kind, label.expires_on)) for label in _labels_in(event)]


def _labels_in(event: views.EventLine) -> list[_Label]:
    """The labels of a receipt in its own words or in those of its correction."""
    content = event.content
    if "labels" in content:
        return [
            _Label(
                tuple(row["unit_numbers"]),
                Decimal(row["strength_mg"]),
                row["lot"],
                date.fromisoformat(row["expires_on"]),
                row["kits"],
                tuple(row["never_came"]),
            )
            for row in content["labels"]
        ]
    kits = {vial["unit_number"]: vial["kit_number"] for vial in content["vials"]}
    units: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for moved in content["moves"]:
        units[moved["strength_mg"], moved["lot"], moved["expires_on"]].append(moved["unit_number"])
    return [
        _Label(
            tuple(numbers),
            Decimal(strength),
            lot,
            date.fromisoformat(expires_on),
            {number: kits[number] for number in numbers},
            (),
        )
        for (strength, lot, expires_on), numbers in units.items()
    ]


def _receipt_fields(reader: Reader, event: views.EventLine, _zone: ZoneInfo) -> tuple[Field, ...]:
    fields = []
    labels = _labels_of(reader, event)
    for index, label in enumerate(labels):
        at, vials = f"labels.{index}.", unit_ranges(label.unit_numbers)
        of = f" of {vials}" if len(labels) > 1 else ""
        kits = " ".join(label.kits[unit] for unit in label.unit_numbers).strip()
        fields += [
            Field(f"{at}strength_mg", f"Strength{of} (mg)", show(label.strength_mg), heading=f"Vials {vials}"),
            Field(f"{at}lot", f"Lot{of}", label.lot),
            Field(f"{at}expiry", f"Expiry{of}", label.expires_on.isoformat()),
            Field(f"{at}kit_numbers", f"Kit numbers{of}", kits, "One a vial in the order of unit numbers, or none."),
            Field(f"{at}never_came", f"Never came{of}", " ".join(label.never_came), "Their unit numbers."),
        ]
    return (*fields, *_logger_fields(_shipment_in(reader, event)))


def _shipment_in(reader: Reader, event: views.EventLine) -> views.ShipmentLine:
    """The shipment of a receipt, or of its correction."""
    vial = reader.vial(_labels_in(event)[0].unit_numbers[0])
    shipment = reader.shipment(vial.shipment_number) if vial is not None else None
    assert shipment is not None
    return shipment


def _logger_fields(shipment: views.ShipmentLine) -> tuple[Field, ...]:
    """The logger of a shipment as it would be typed, by whichever entry it was read."""
    read = shipment.logger_state in LOGGER_READ
    lowest, highest = (
        (NOT_SHOWN if celsius is None else show(celsius)) if read else ""
        for celsius in (shipment.min_celsius, shipment.max_celsius)
    )
    hint = "N/A if the logger shows none."
    return (
        Field("logger_state", "Temperature logger", shipment.logger_state, "", LOGGER_STATES, heading="Logger"),
        Field("logger_serial", "Logger serial number", shipment.logger_serial),
        Field("min_celsius", "Lowest temperature (°C)", lowest, hint),
        Field("max_celsius", "Highest temperature (°C)", highest, hint),
    )


@dataclass(frozen=True, slots=True)
class _LoggerTyped:
    """A logger as typed in a correction."""

    logger_serial: str
    logger_state: str
    min_celsius: str
    max_celsius: str


def _logger_corrected(case: Case, labels_changed: bool) -> dict[str, Any]:
    """What a correction says of the logger, nothing where it stays: its vials are held as if it had been read so.

    Vials in use are quarantined first where the right reading is a reason to keep them back; those in quarantine stay
    there for the supporter's permission.
    """
    shipment, typed = _shipment_in(case.reader, case.event), case.typed
    fields = {each.name: each.old for each in _logger_fields(shipment)}
    if all(typed[name].strip() == old for name, old in fields.items()):
        return {}
    logger = read_logger(case.reading, _LoggerTyped(**{name: typed[name] for name in fields}), LOGGER_STATES)
    if labels_changed:
        case.reading.fault(
            "logger_state",
            "Correct the logger by itself first, then the labels by correcting the entry that this makes.",
        )
    if case.reading.faults:
        return {}
    old = Logger(shipment.logger_state, shipment.logger_serial, shipment.min_celsius, shipment.max_celsius)
    if logger == old:
        case.reading.fault("", NOTHING_CHANGED)
        return {}
    storage = protocol_of(case.moment.site, shipment.received_at.astimezone(case.zone).date()).storage
    before, after = old.hold_reason(storage).split("; "), logger.hold_reason(storage)
    wanted = VialFilter(shipment_number=shipment.number)
    count = case.reader.count_vials(wanted)
    vials = case.reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=count)
    in_use = tuple(vial.unit_number for vial in vials if vial.state in ("available", "reserved"))
    if after and in_use:
        case.reading.fault(
            "logger_state",
            f"By this {after}, and vials of the shipment are in use: quarantine {unit_ranges(in_use)} with that reason"
            " first, then correct the receipt.",
            "R54",
            "8.2",
        )
    held = {
        vial.unit_number: "; ".join(
            part for part in (after, *(part for part in vial.hold_reason.split("; ") if part not in before)) if part
        )
        for vial in vials
        if vial.state == "held"
    }
    was_read = logger.state in LOGGER_READ
    return {
        "shipment": shipment.number,
        "logger": {
            "state": logger.state,
            "serial": logger.serial,
            "min_celsius": logger.min_celsius,
            "max_celsius": logger.max_celsius,
            "read_by": (shipment.logger_read_by or case.moment.person.printed_name) if was_read else "",
            "read_at": (shipment.logger_read_at or case.moment.now) if was_read else None,
        },
        "logger_reason": after,
        "opened": [vial.unit_number for vial in vials if after and used_by(vial.state, "")],
        "hold_reason": all_reasons(held.values()),
        "held": [{"unit_number": unit, "hold_reason": reason} for unit, reason in held.items()],
    }


def _receipt_in_the_way(reader: Reader, event: views.EventLine, _zone: ZoneInfo) -> tuple[Fault, ...]:
    numbers = [number for label in _labels_in(event) for number in label.unit_numbers]
    vials = _vials(reader, numbers).values()
    if all(vial.state == NEVER_RECEIVED for vial in vials):
        return (Fault("", "Every vial of this receipt was taken back already. Receive the shipment anew."),)
    return ()


def _receipt(case: Case) -> Outcome:
    old = _labels_of(case.reader, case.event)
    new = [_read_label(case, index, label) for index, label in enumerate(old)]
    logger = _logger_corrected(case, new != old)
    if new == old and not logger and not case.reading.faults:
        # Typed in another way, or a vial named twice: the values are the same.
        case.reading.fault("", NOTHING_CHANGED)
    _one_expiry(case, old, new)
    kits = _new_kits(case, old, new)
    moves: list[Moved] = []
    counts: list[dict[str, Any]] = []
    notes: dict[str, str] = {}
    extensions = _extensions(case, old, new)
    for index, (before, after) in enumerate(zip(old, new, strict=True)):
        moves += _never_came(case, index, before, after)
        relabelled = _relabelled(case, index, before, after)
        moves += relabelled
        gone = len(after.never_came) - len(before.never_came)
        stay = len(before.unit_numbers) - len(after.never_came)
        if after.kind != before.kind:
            counts += [_count(before, before.expires_on, -gone - stay), _count(after, after.expires_on, stay)]
        elif gone or after.expires_on != before.expires_on:
            counts.append(_count(after, after.expires_on, -gone))
        for vial in _vials(case.reader, (each.unit_number for each in relabelled)).values():
            if vial.dose_id:
                notes[vial.dose_id] = (
                    f"Vial {vial.unit_number} of this dose was received under a wrong label, as {_words(before)}. It is"
                    f" {_words(after)}. The papers of the dose keep what was written."
                )
    case.reading.faults += accounted_faults(case.reader, {*(moved.unit_number for moved in moves), *kits})
    case.reading.done()
    content: dict[str, Any] = {
        "labels": [
            {
                "unit_numbers": label.unit_numbers,
                "strength_mg": label.strength_mg,
                "lot": label.lot,
                "expires_on": label.expires_on,
                "kits": label.kits,
                "never_came": label.never_came,
            }
            for label in new
        ],
        "kits": [{"unit_number": unit, "kit_number": kit} for unit, kit in kits.items()],
        "lot_counts": counts,
        "extensions": extensions,
        "moves": moves,
        "line": _line(case),
        **logger,
    }
    if moves and not any(isinstance(moved, Relocated) for moved in moves):
        content["effective_utc"] = _effective_utc(case.event)
    return Outcome(content, notes=tuple(notes.items()))


def _extensions(case: Case, old: list[_Label], new: list[_Label]) -> list[dict[str, object]]:
    """The extensions that go with the lots of a receipt to their right labels."""
    changed = [
        Relabelling(
            before.strength_mg,
            before.lot,
            before.expires_on,
            after.strength_mg,
            after.lot,
            after.expires_on,
            f"labels.{index}.{'expiry' if after.kind == before.kind else 'lot'}",
        )
        for index, (before, after) in enumerate(zip(old, new, strict=True))
        if (after.kind, after.expires_on) != (before.kind, before.expires_on)
    ]
    units = {
        unit
        for before, after in zip(old, new, strict=True)
        for unit in before.unit_numbers
        if after.kind != before.kind or unit in after.never_came
    }
    return extensions_moved(case, changed, units)


def _words(label: _Label) -> str:
    return f"{show(label.strength_mg)} mg of lot {label.lot}, expiring on {say_day(label.expires_on)}"


def _count(label: _Label, expires_on: date, change: int) -> dict[str, Any]:
    return {
        "strength_mg": label.strength_mg,
        "lot": label.lot,
        "expires_on": expires_on,
        "change": change,
    }


def _read_label(case: Case, index: int, old: _Label) -> _Label:
    reading, at = case.reading, f"labels.{index}."
    typed = reading.decimal(case.typed[f"{at}strength_mg"], f"{at}strength_mg", "The strength", "mg")
    strength = next((known for known in STRENGTHS_MG if known == typed), None)
    if strength is None:
        reading.fault(f"{at}strength_mg", "The study has vials of 1 mg and 4 mg only.", "R50", "8.1.1")
    lot = reading.number(case.typed[f"{at}lot"], f"{at}lot", "The lot", longest=20).upper()
    expires_on = reading.expiry(case.typed[f"{at}expiry"], f"{at}expiry")
    if strength is not None and (strength, lot) != old.kind:
        # The date printed on the vials, where the supporter has extended the one lot or the other.
        for label in (old.kind, (strength, lot)):
            expires_on, _ = printed_expiry(case.reader, *label, expires_on)
    kits = case.typed[f"{at}kit_numbers"].upper().split()
    if kits and len(kits) != len(old.unit_numbers):
        reading.fault(
            f"{at}kit_numbers",
            f"{len(kits)} kit numbers are typed for {len(old.unit_numbers)} vials. Give one for each vial, or none.",
        )
        kits = []
    never_came = []
    for each in case.typed[f"{at}never_came"].replace(",", " ").split():
        number = reading.take(partial(read_number, each, "V", f"{at}never_came"), "")
        if number and number not in old.unit_numbers:
            reading.fault(f"{at}never_came", f"Vial {number} is none of {unit_ranges(old.unit_numbers)}.")
        elif number:
            never_came.append(number)
    if back := set(old.never_came) - set(never_came):
        reading.fault(
            f"{at}never_came",
            f"Vial {', '.join(sorted(back))} was taken back already. If it came after all, receive it anew.",
        )
    return _Label(
        old.unit_numbers,
        strength or old.strength_mg,
        lot,
        expires_on,
        dict(zip(old.unit_numbers, kits or [""] * len(old.unit_numbers), strict=True)),
        tuple(dict.fromkeys((*old.never_came, *never_came))),
    )


def _one_expiry(case: Case, old: list[_Label], new: list[_Label]) -> None:
    """One lot has one expiry: among the corrected labels, and with what the record knows of other lots."""
    known = {(strength, lot): expires_on for strength, lot, expires_on in case.reader.lots()}
    for before, after in zip(old, new, strict=True):
        if after.kind == before.kind:
            known[after.kind] = after.expires_on
    for index, after in enumerate(new):
        expected = known.setdefault(after.kind, after.expires_on)
        if after.expires_on != expected:
            case.reading.fault(
                f"labels.{index}.expiry",
                f"Lot {after.lot} is known with the expiry {say_day(expected)}. One lot has one expiry: check the"
                " label.",
            )


def _new_kits(case: Case, old: list[_Label], new: list[_Label]) -> dict[str, str]:
    """The kit number of each vial whose kit number changes; a vial that never came has none any more."""
    changed: dict[str, str] = {}
    seen: set[str] = set()
    for index, (before, after) in enumerate(zip(old, new, strict=True)):
        for unit in after.unit_numbers:
            kit = "" if unit in after.never_came else after.kits[unit]
            owner = case.reader.vial_by_kit(kit) if kit else None
            elsewhere = owner is not None and all(owner.unit_number not in each.unit_numbers for each in old)
            before_kit = "" if unit in before.never_came else before.kits[unit]
            if kit and kit != before_kit and (why := why_no_kit(kit)):
                case.reading.fault(f"labels.{index}.kit_numbers", why)
            elif elsewhere or kit in seen:
                case.reading.fault(
                    f"labels.{index}.kit_numbers", f"Kit {kit} is there twice. Each kit number is received once."
                )
            if kit:
                seen.add(kit)
            if kit != before_kit:
                changed[unit] = kit
    return changed


def _never_came(case: Case, index: int, before: _Label, after: _Label) -> list[Moved]:
    moves = []
    units = [unit for unit in after.never_came if unit not in before.never_came]
    last = _last_standing(case.reader, units, 0)
    for unit, vial in _vials(case.reader, units).items():
        move = last[unit]
        handled = move.move not in ("receive", "relabel") or vial.state != "held"
        if handled or move.event_seq > case.event.seq:
            case.reading.fault(
                f"labels.{index}.never_came",
                f"Vial {unit} has moved since: “{move.move}” on {say_moment(move.done_at.astimezone(case.zone))}, line"
                f" {move.line_id}. A vial that was handled came; correct what was recorded of it first.",
                "R55",
                "8.2",
            )
            continue
        stands = (unit, vial.strength_mg, vial.lot, vial.expires_on, vial.place)
        moves.append(Moved(*stands, CORRECTION, vial.state, NEVER_RECEIVED))
    return moves


def _relabelled(case: Case, index: int, before: _Label, after: _Label) -> list[Moved]:
    """The vials that get another label, each in the state in which it is; an expiry is that of its whole lot."""
    if (after.kind, after.expires_on) == (before.kind, before.expires_on):
        return []
    units = [unit for unit in before.unit_numbers if unit not in after.never_came]
    if after.kind == before.kind:
        wanted = VialFilter(strength_mg=before.strength_mg, lot=before.lot)
        count = case.reader.count_vials(wanted)
        lot = case.reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=count)
        units = [
            vial.unit_number
            for vial in lot
            if vial.state != NEVER_RECEIVED and vial.unit_number not in after.never_came
        ]
    moves: list[Moved] = []
    for unit, vial in _vials(case.reader, units).items():
        if (vial.strength_mg, vial.lot, vial.expires_on) != (before.strength_mg, before.lot, before.expires_on):
            case.reading.fault(
                f"labels.{index}.expiry",
                f"The label of vial {unit} was changed since: it is {show(vial.strength_mg)} mg of lot {vial.lot},"
                f" expiring on {say_day(vial.expires_on)}. This entry no longer says how it stands.",
            )
        elif after.strength_mg != before.strength_mg and vial.dose_id:
            case.reading.fault(
                f"labels.{index}.strength_mg",
                f"Vial {unit} was taken for dose {vial.dose_id} as a vial of {show(before.strength_mg)} mg. Cancel the"
                " dose if it is not given yet; if it is, record a medication error.",
                "R50",
                "8.1.1",
            )
        elif after.lot != before.lot and vial.state == "reserved":
            case.reading.fault(
                f"labels.{index}.lot",
                f"Vial {unit} is reserved for dose {vial.dose_id}, whose papers name lot {before.lot}. Cancel the dose"
                " first, then correct the label, and order the dose again.",
                "R55",
                "8.2",
            )
        else:
            moves.append(
                relocate(vial, "relabel", strength_mg=after.strength_mg, lot=after.lot, expires_on=after.expires_on)
            )
    return moves


RECEIPT = Way(
    act="receipt_corrected",
    title="Receipt",
    says="Each vial gets the right label in the state in which it is: a line out under the old label, a line in under"
    " the new one. Print the vials' labels again. Where the logger is put right, held vials wait for what it shows.",
    second_person=True,
    fields=_receipt_fields,
    in_the_way=_receipt_in_the_way,
    build=_receipt,
    kinds=("shipment_received", "receipt_corrected"),
)


# --- the closing of vials ---------------------------------------------------------------------------------------


def _closing_fields(_reader: Reader, event: views.EventLine, _zone: ZoneInfo) -> tuple[Field, ...]:
    return tuple(
        Field(
            f"{name}.{closed['unit_number']}", f"{words} of {closed['unit_number']} (mg)", show(Decimal(closed[name]))
        )
        for closed in event.content["closed"]
        for name, words in (("residue_mg", "Residue"), ("discarded_mg", "Discarded"))
    )


def _closing_in_the_way(reader: Reader, event: views.EventLine, zone: ZoneInfo) -> tuple[Fault, ...]:
    units = [closed["unit_number"] for closed in event.content["closed"]]
    return (*_moved_since(reader, units, event.seq, zone), *accounted_faults(reader, units))


def _closing(case: Case) -> Outcome:
    dose_id = case.event.content["dose_id"]
    thread = thread_of(case.reader, dose_id)
    settings = planned_settings(thread)
    lines = {line.unit_number: line for line in thread.mg}
    moves, closed = [], []
    for each in case.event.content["closed"]:
        unit = each["unit_number"]
        typed = ClosedTyped(unit, case.typed[f"residue_mg.{unit}"], case.typed[f"discarded_mg.{unit}"])
        row = read_closed(case.reading, typed, lines[unit])
        closed.append(row)
        (vial,) = _vials(case.reader, [unit]).values()
        state = closed_as(row.residue_mg, lines[unit].labelled_mg, settings)
        if vial.state in ("empty", "partial") and vial.state != state:
            stands = (unit, vial.strength_mg, vial.lot, vial.expires_on, vial.place)
            moves.append(Moved(*stands, CORRECTION, vial.state, state))
    before = {each["unit_number"]: each for each in case.event.content["closed"]}
    if not case.reading.faults and all(
        (row.residue_mg, row.discarded_mg)
        == tuple(Decimal(before[row.unit_number][name]) for name in ("residue_mg", "discarded_mg"))
        for row in closed
    ):
        case.reading.fault("", NOTHING_CHANGED)
    case.reading.done()
    return Outcome(
        {
            "dose_id": dose_id,
            "closed": closed,
            "moves": moves,
            "line": _line(case, {"dose_id": dose_id, "counterparty": thread.line.subject_number}),
            "effective_utc": _effective_utc(case.event),
        },
        tuple(views.ChangedValue(f"Vial {moved.unit_number}", moved.from_state, moved.to_state) for moved in moves),
    )


CLOSING = Way(
    act="closing_corrected",
    title="Closing of vials",
    says="Withdrawn, residue and discarded add up to the labelled content again, and each container is empty or partial"
    " by them.",
    second_person=True,
    fields=_closing_fields,
    in_the_way=_closing_in_the_way,
    build=_closing,
    kinds=("vials_closed", "closing_corrected"),
)


# --- the monitor's accountability -------------------------------------------------------------------------------


def _accounted_anew(reader: Reader, event: views.EventLine) -> dict[str, int]:
    """The later entries that have accounted for containers anew: one that was none for a while had lost it."""
    later = reader.events_between(("vials_accounted",), event.seq, reader.head().seq + 1)
    return {unit: each.seq for each in later for unit in each.content["unit_numbers"]}


def _still_accounted(reader: Reader, event: views.EventLine) -> tuple[str, ...]:
    """The containers that are not destroyed yet and would be by this accountability."""
    anew = _accounted_anew(reader, event)
    vials = _vials(reader, event.content["unit_numbers"])
    return tuple(
        unit for unit, vial in vials.items() if vial.state in STAYS_ACCOUNTED and vial.accounted_by and unit not in anew
    )


def _accounted_in_the_way(reader: Reader, event: views.EventLine, _zone: ZoneInfo) -> tuple[Fault, ...]:
    if _still_accounted(reader, event):
        return ()
    anew = _accounted_anew(reader, event)
    return tuple(
        Fault(
            "",
            f"Vial {unit} was accounted for anew in entry {anew[unit]}: that one is taken back, not this."
            if unit in anew
            else f"Vial {unit} is {vial.state} by now. Its accountability is taken back while the container is here.",
            "R57",
            "8.2",
        )
        for unit, vial in _vials(reader, event.content["unit_numbers"]).items()
    )


def _accounted(case: Case) -> Outcome:
    units = _still_accounted(case.reader, case.event)
    return Outcome({"unit_numbers": units}, _accounted_changes(case.reader, case.event))


def _accounted_changes(reader: Reader, event: views.EventLine) -> tuple[views.ChangedValue, ...]:
    vials = f"Vials {unit_ranges(_still_accounted(reader, event))}"
    return (views.ChangedValue(vials, f"accounted for by {event.actor_name}", "not accounted for"),)


ACCOUNTABILITY = Way(
    act="accountability_undone",
    title="Accountability",
    says="The accountability of these containers is taken back: they wait for it again before they are destroyed. What"
    " is destroyed already stays so.",
    second_person=False,
    fields=no_fields,
    in_the_way=_accounted_in_the_way,
    build=_accounted,
    preview=_accounted_changes,
    kinds=("vials_accounted",),
)

STOCK_WAYS = (MOVE_UNDONE, RECEIPT, CLOSING, ACCOUNTABILITY, EXTENSION)
"""The ways of correcting what moved vials."""
