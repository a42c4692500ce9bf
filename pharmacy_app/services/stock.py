"""Vials in and about the pharmacy: receive a shipment, release, quarantine, lift a quarantine."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused, refuse_any
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import Moved, Vial, looks_like_ours, move, move_table, numbered
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, protocol_of, site_of, zone_of
from pharmacy_app.services.documents import USE
from pharmacy_app.services.exposures import (
    MAY_BE_USED,
    Late,
    content_of,
    own_reasons,
    reason_of,
    shut,
    went_on_after,
)
from pharmacy_app.services.late import read_done
from pharmacy_app.services.packing_list import LotTyped, kit_ranges, read_lots
from pharmacy_app.services.permissions import supporters_word
from pharmacy_app.services.places import not_there_yet, satellites, shelf_faults
from pharmacy_app.services.ports import Reader, VialFilter, Writer
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.scanning import vials_named

if TYPE_CHECKING:
    from pharmacy_app.domain.protocol import Storage

LOGGER_STATES = ("no alarm", "alarm", "no logger", "not read")
LOGGER_READ = ("no alarm", "alarm")
"""What a logger that was read shows; only such a one has a lowest and a highest temperature."""

NOT_SHOWN = "N/A"
"""Typed for a number that is not there to be read; for a temperature it holds the vials."""

NOT_READ = "the temperature logger has not been read"
"""Why the vials of a shipment wait whose logger was not read; the reading takes its place."""

_CELSIUS = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class ShipmentForm:
    """A received shipment as typed. Fields of a lot are named ``lots.0.expiry`` and so on.

    The temperatures are the lowest and the highest that the logger recorded, in °C, or N/A where it shows none.
    """

    number: str
    sender: str
    shipped_on: str
    received_at: str
    logger_serial: str
    logger_state: str
    place: str
    lots: tuple[LotTyped, ...]
    note: str = ""
    late_why: str = ""
    packing_list: str = ""
    min_celsius: str = ""
    max_celsius: str = ""


@dataclass(frozen=True, slots=True)
class Logger:
    """What a temperature logger showed; a temperature is ``None`` where it was not read or shows none."""

    state: str
    serial: str
    min_celsius: Decimal | None
    max_celsius: Decimal | None

    def hold_reason(self, storage: "Storage") -> str:
        """Why all the vials that travelled with it are held, '' when it gives no reason (§ 8.2; RULES R54)."""
        if self.state == "no logger":
            return "the shipment came without a temperature logger"
        if self.state == "not read":
            return NOT_READ
        reasons = ["the temperature logger shows an alarm"] if self.state == "alarm" else []
        known = [celsius for celsius in (self.min_celsius, self.max_celsius) if celsius is not None]
        if any(not storage.min_celsius <= celsius <= storage.max_celsius for celsius in known):
            read = " to ".join(say_celsius(celsius) for celsius in known)
            kept = f"{say_celsius(storage.min_celsius)} to {say_celsius(storage.max_celsius)}"
            it = "it" if reasons else "the temperature logger"
            reasons.append(f"{it} recorded {read}, outside {kept}")
        elif len(known) < 2:
            it = "it" if reasons else "the temperature logger"
            reasons.append(f"{it} shows no lowest and highest temperature")
        return "; ".join(reasons)


def receive(desk: Desk, act: Act, form: ShipmentForm) -> Event:
    """Receive a shipment: every vial becomes a unit with our own number, and is held until it is released.

    A logger alarm, a temperature outside the protocol's limits, a missing or unread logger, damage, a vial that the
    packing list does not have, an expired lot and a storage deviation at the place since it arrived are hold reasons:
    such vials leave 'held' only with the supporter's written decision (§ 8.2; RULES R54). What is listed and did not
    come makes no vial; it is recorded with its note.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        number = reading.number(form.number, "number", "The shipment number", longest=40)
        sender = reading.text(form.sender, "sender", "The sender", longest=80)
        packing_list = reading.text(
            form.packing_list, "packing_list", "The packing list's number (N/A when it has none)", longest=40
        )
        shipped_on = reading.day(form.shipped_on, "shipped_on", today=moment.today)
        received_at = reading.moment(
            form.received_at, "received_at", zone_of(moment.site), moment.now, blank_is_now=True
        )
        if received_at.date() < shipped_on:
            reading.fault("received_at", "The shipment arrived before it was shipped. Check both dates.")
        if received_at > moment.now:
            reading.fault("received_at", f"{say_moment(received_at)} is in the future.")
        logger = read_logger(reading, form, LOGGER_STATES)
        place = reading.choice(form.place, "place", "The storage place", moment.site.places)
        known = writer.shipment(number)
        if known is not None:
            reading.fault(
                "number",
                f"Shipment {known.number} was received already. See it under Receive. Vials of it that were not"
                " recorded then, or the whole if its receipt was taken back, are received as"
                f" “{_part(writer, number)}”.",
            )
        if reading.was_read("place", "received_at"):
            reading.faults += not_there_yet(writer, place, received_at, "received_at", moment)
        lots = read_lots(reading, writer, form.lots, received_at.date())
        note = reading.note(form.note, "note", "The note")
        late_why = reading.note(form.late_why, "late_why", "The reason for the late entry", longest=300)
        reading.done()
        whole = logger.hold_reason(protocol_of(moment.site, received_at.date()).storage)
        vials: list[dict[str, str]] = []
        too_warm = went_on_after(writer, place, received_at)
        late: list[Late] = []
        moves, found, count = [], [], writer.counter("vial")
        for lot in lots:
            units = []
            for index in range(lot.counted):
                count += 1
                unit_number = numbered("V", count)
                units.append(unit_number)
                kit_number = lot.kit_numbers[index] if lot.kit_numbers else ""
                reason = "; ".join(part for part in (whole, lot.reason(index)) if part)
                held_for = reason_of(too_warm, reason)
                vials.append({"unit_number": unit_number, "kit_number": kit_number, "hold_reason": held_for})
                new = (unit_number, lot.strength_mg, lot.lot, lot.expires_on, place)
                moves.append(Moved(*new, "receive", "", "held"))
                if too_warm:
                    late.append(
                        Late(Vial(unit_number, kit_number, *new[1:], "held", reason, "", number), "held", too_warm)
                    )
            found.append(
                {
                    "strength_mg": lot.strength_mg,
                    "lot": lot.lot,
                    "expires_on": lot.expires_on,
                    "listed": lot.listed,
                    "counted": lot.counted,
                    "difference_note": lot.difference_note,
                    "expiry_note": lot.expiry_note,
                    "condition_note": lot.condition_note,
                    "damaged_units": [units[index] for index in sorted(lot.damaged)],
                    "extra_units": [units[index] for index in sorted(lot.extra)],
                    "kits": kit_ranges(lot.kit_numbers),
                }
            )
        return Draft(
            {
                "shipment": {
                    "number": number,
                    "sender": sender,
                    "packing_list": packing_list,
                    "shipped_on": shipped_on,
                    "logger_serial": logger.serial,
                    "logger_state": logger.state,
                    "min_celsius": logger.min_celsius,
                    "max_celsius": logger.max_celsius,
                    "condition": "; ".join(lot.words() for lot in lots),
                    "note": note,
                },
                "hold_reason": all_reasons(vial["hold_reason"] for vial in vials),
                "lots": found,
                "vials": vials,
                "moves": moves,
                **content_of(late),
                "line": {
                    "counterparty": sender,
                    "reference": number,
                    "comment": "; ".join(
                        part
                        for part in (note or whole, *(lot.expiry_note for lot in lots), reason_of(too_warm))
                        if part
                    ),
                },
            },
            done_at=received_at,
            late_why=late_why,
        )

    return perform(desk, act, "shipment_received", form, build)


def _part(reader: Reader, number: str) -> str:
    """The number under which more of a shipment is received: its own with the next part."""
    part = 2
    while reader.shipment(f"{number} part {part}") is not None:
        part += 1
    return f"{number} part {part}"


def say_celsius(celsius: Decimal) -> str:
    """A temperature as people read it: ``5.4 °C``, ``−0.5 °C``."""
    return f"{show(celsius).replace('-', '−')} °C"


def all_reasons(hold_reasons: Iterable[str]) -> str:
    """The hold reasons of many vials in one sentence, each said once."""
    return "; ".join(dict.fromkeys(part for reason in hold_reasons for part in reason.split("; ") if part))


class LoggerTyped(Protocol):
    """The fields in which a form asks for a logger and what it showed."""

    @property
    def logger_serial(self) -> str: ...
    @property
    def logger_state(self) -> str: ...
    @property
    def min_celsius(self) -> str: ...
    @property
    def max_celsius(self) -> str: ...


def read_logger(reading: Reading, form: LoggerTyped, states: tuple[str, ...]) -> Logger:
    """The logger as typed; what it showed is asked for once it was read, and for nothing else."""
    state = reading.choice(form.logger_state, "logger_state", "The logger", states)
    serial = " ".join(form.logger_serial.split())
    if state == "no logger":
        serial = serial or NOT_SHOWN
    elif not serial:
        reading.fault("logger_serial", "The logger's serial number is missing. Choose “no logger” if there is none.")
    if state not in LOGGER_READ or not reading.was_read("logger_state"):
        return Logger(state, serial, None, None)
    lowest = _celsius(reading, form.min_celsius, "min_celsius", "The lowest temperature")
    highest = _celsius(reading, form.max_celsius, "max_celsius", "The highest temperature")
    if lowest is not None and highest is not None and lowest > highest:
        reading.fault(
            "max_celsius", f"The highest temperature, {highest} °C, is below the lowest, {lowest} °C. Look again."
        )
    return Logger(state, serial, lowest, highest)


def hold_in_sight(form: LoggerTyped, storage: "Storage") -> str:
    """Why all vials would be held by what is typed so far, '' where nothing typed gives a reason yet."""
    reading = Reading()
    logger = read_logger(reading, form, LOGGER_STATES)
    open_fields = {fault.field for fault in reading.faults}
    if "logger_state" in open_fields:
        return ""
    if logger.state in LOGGER_READ and open_fields & {"min_celsius", "max_celsius"}:
        return "the temperature logger shows an alarm" if logger.state == "alarm" else ""
    return logger.hold_reason(storage)


def _celsius(reading: Reading, typed: str, field: str, name: str) -> Decimal | None:
    """A temperature in °C as typed; ``None`` for N/A."""
    text = typed.strip().replace("−", "-").removesuffix("°C").strip()
    if text.upper() == NOT_SHOWN:
        return None
    if _CELSIUS.fullmatch(text):
        return Decimal(text)
    if not text:
        reading.fault(
            field,
            f"{name} that the logger recorded is missing. Type it in °C, or N/A if the logger shows none: the vials"
            " then wait for the supporter.",
            "R54",
            "8.2",
        )
    elif "," in text:
        reading.fault(field, f"{name} “{text[:20]}” has a comma. Type it with a decimal point, for example 5.4.")
    else:
        reading.fault(field, f"{name} “{text[:20]}” is not a temperature in °C. Type it as 5.4, or N/A.")
    return None


def release_shipment(desk: Desk, act: Act, number: str) -> Event:
    """Release the held vials of a shipment that have no hold reason: logger read without alarm, undamaged."""

    def build(writer: Writer, moment: Moment) -> Draft:
        shipment = writer.shipment(number)
        if shipment is None:
            raise Refused(Fault("number", f"There is no shipment {number}."))
        vials = held_of_shipment(writer, shipment.number)
        clear = [vial for vial in vials if not vial.hold_reason]
        if not vials:
            raise Refused(Fault("number", f"No vial of shipment {number} waits for release."))
        if not clear:
            raise Refused(
                Fault(
                    "number",
                    f"The vials of shipment {number} are held because {vials[0].hold_reason}. {_way_out(vials[0])}",
                    "R54",
                    "8.2",
                )
            )
        refuse_any([*_alone_at_satellite(writer, moment, clear), *shut(writer, clear)])
        line = {"reference": shipment.number, "comment": "checked against the packing list"}
        return _moving(writer, moment, clear, "release", line)

    return perform(desk, act, "vials_released", number, build)


def _alone_at_satellite(reader: Reader, moment: Moment, vials: Sequence[Vial]) -> list[Fault]:
    """Refuse that one person alone receives vials at a satellite and puts them into use there.

    What was carried to a satellite is no case of this: a second person has signed its receipt.
    """
    ends = satellites(reader.places())
    faults = []
    for number, place in sorted({(vial.shipment_number, vial.place) for vial in vials if vial.place in ends}):
        shipment = reader.shipment(number)
        receipt = reader.event(shipment.event_seq) if shipment is not None else None
        if receipt is None or receipt.actor_name != moment.person.printed_name:
            continue
        if any(moved["place"] == place for moved in receipt.content["moves"]):
            faults.append(
                Fault(
                    "number",
                    f"{place} is a satellite with a record of its own, and {receipt.actor_name} received shipment"
                    f" {number} there: a second person releases it. Ask another pharmacist.",
                    "R55",
                    "8.2",
                )
            )
    return faults


def _way_out(vial: Vial) -> str:
    if vial.hold_reason.startswith(NOT_READ):
        return "Read the logger first; what it shows takes the place of this reason."
    return (
        "They are released only with the supporter's written decision: choose “Release with the supporter's document”."
    )


def held_of_shipment(reader: Reader, number: str) -> list[Vial]:
    """The vials of a shipment that are still held."""
    wanted = VialFilter(state="held", shipment_number=number)
    return list(reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=reader.count_vials(wanted)))


@dataclass(frozen=True, slots=True)
class PermissionForm:
    """Vials to put into usable stock: single ones, or all of a lot that are held or in quarantine (``lot``).

    ``strength_mg`` is asked for where both strengths have a lot of that name. ``permission`` is the number of
    the attached document of the kind "supporter's permission".
    """

    unit_numbers: tuple[str, ...]
    permission: str
    why: str = ""
    lot: str = ""
    strength_mg: str = ""


def release_with_document(desk: Desk, act: Act, form: PermissionForm) -> Event:
    """Put held or quarantined vials into usable stock by the supporter's written permission, attached (R54).

    For vials of an open storage deviation the permission is the supporter's decision on them; one that is written
    about one deviation says nothing of another.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        vials = _permitted_vials(reading, writer, form, moment.today)
        permission = supporters_word(
            reading, writer, form.permission, vials, done_on=moment.today, rule="R54", purpose=USE
        )
        why = reading.note(form.why, "why", "The note")
        decided: list[dict[str, str]] = []
        if permission is not None:
            decided = _decided(reading, writer, permission, vials)
        reading.faults += _alone_at_satellite(writer, moment, vials)
        reading.faults += shelf_faults(writer, vials, "available")
        reading.faults += shut(writer, vials)
        reading.done()
        assert permission is not None
        refuse_any(shelf_faults(writer, vials, "available"))
        units = [vial.unit_number for vial in vials]
        check_order(writer, units, utc_text(moment.now))
        return Draft(
            {
                "moves": [move(vial, "release" if vial.state == "held" else "lift quarantine") for vial in vials],
                "line": {
                    "counterparty": permission.signed_by,
                    "reference": permission.document_id,
                    "comment": f"permitted in writing on {say_day(permission.dated_on)}" + (f"; {why}" if why else ""),
                },
                "decision": {
                    "reference": permission.document_id,
                    "decided_by": permission.signed_by,
                    "decided_on": permission.dated_on,
                },
                "decided": decided,
            },
            why=why,
        )

    return perform(desk, act, "quarantine_lifted", form, build)


def _permitted_vials(reading: Reading, reader: Reader, form: PermissionForm, today: date) -> list[Vial]:
    """The vials named, and those of the lot that are kept back; each must be."""
    lot = form.lot.strip().upper()
    of_lot: list[Vial] = []
    for state in ("held", "quarantined") if lot else ():
        wanted = VialFilter(lot=lot, state=state)
        of_lot += reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=reader.count_vials(wanted))
    chosen = one_strength(reading, lot, {vial.unit_number: vial.strength_mg for vial in of_lot}, form.strength_mg)
    if lot and not of_lot:
        reading.fault("lot", f"No vial of lot {lot} is held or in quarantine.")
    if lot and not chosen:
        return []
    vials = vials_named(reading, reader, (*form.unit_numbers, *chosen), today)
    others = [vial for vial in vials if vial.state not in ("held", "quarantined")]
    if others:
        named = ", ".join(f"{vial.unit_number} is {vial.state}" for vial in others[:6])
        reading.fault(
            "unit_numbers", f"Only held or quarantined vials are released: {named}. Take the others off the list."
        )
    return vials


def one_strength(reading: Reading, lot: str, of_lot: Mapping[str, Decimal], typed: str) -> tuple[str, ...]:
    """The vials of a lot that are of the strength typed; where nothing is typed all, if they are of one strength.

    Two strengths may have lots of the same name: then neither is taken for the other.
    """
    strengths = sorted(set(of_lot.values()))
    if not typed.strip():
        if len(strengths) > 1:
            named = " and ".join(f"{show(strength)} mg" for strength in strengths)
            reading.fault(
                "strength_mg",
                f"Lot {lot} is here in {named}. Choose the strength that is meant, or the vials one by one.",
                "R55",
                "8.2",
            )
        return tuple(sorted(of_lot))
    strength = reading.decimal(typed, "strength_mg", "The strength", "mg")
    if reading.was_read("strength_mg") and of_lot and strength not in strengths:
        reading.fault("strength_mg", f"No vial of {show(strength)} mg of lot {lot} is meant here. Look at the letter.")
    return tuple(sorted(unit for unit, mg in of_lot.items() if mg == strength))


def _decided(
    reading: Reading, reader: Reader, permission: views.DocumentLine, vials: Sequence[Vial]
) -> list[dict[str, str]]:
    """What the permission decides of the vials in storage deviations that are open."""
    about, number = permission.about, permission.document_id
    is_of_one = looks_like_ours(about, "X")
    exposures = reader.open_exposures([vial.unit_number for vial in vials])
    decided = []
    for exposure in exposures:
        if not is_of_one or exposure.deviation_id == about:
            decided.append(
                {
                    "deviation_id": exposure.deviation_id,
                    "unit_number": exposure.unit_number,
                    "decision": MAY_BE_USED,
                    "document_id": number,
                }
            )
        elif exposure.decision != MAY_BE_USED:
            reading.fault(
                "permission",
                f"Vial {exposure.unit_number} is part of {exposure.deviation_id} too, and document {number} is about"
                f" {about} alone. It stays until the supporter decides on {exposure.deviation_id} as well.",
                "R54",
                "8.2",
            )
    if is_of_one:
        named = {exposure.unit_number for exposure in exposures if exposure.deviation_id == about}
        lay_there = {vial.unit_number for vial in reader.deviation_vials(about)}
        decided_all = [vial.unit_number for vial in vials if vial.unit_number in lay_there - named]
        if decided_all:
            reading.fault(
                "permission",
                f"Document {number} is about {about}, which is closed; it says nothing more of"
                f" {', '.join(decided_all[:NAMED_AT_MOST])}.",
                "R54",
                "8.2",
            )
        for vial in vials:
            if others := _other_reasons(reader, vial):
                reading.fault(
                    "permission",
                    f"Vial {vial.unit_number} is kept back for another reason too: {others}. Document {number} is about"
                    f" {about} alone; it takes a permission for the vial, its lot or its shipment.",
                    "R54",
                    "8.2",
                )
    return decided


def _other_reasons(reader: Reader, vial: Vial) -> str:
    """Why a vial is kept back beside the storage deviations that name it, '' for nothing else."""
    own = own_reasons(reader, reader.exposures([vial.unit_number]))
    return "; ".join(part for part in vial.hold_reason.split("; ") if part and part not in own)


@dataclass(frozen=True, slots=True)
class QuarantineForm:
    """Vials to quarantine and why; the supporter is told (§ 8.2)."""

    unit_numbers: tuple[str, ...]
    reason: str
    done_at: str = ""
    late_why: str = ""


def quarantine(desk: Desk, act: Act, form: QuarantineForm) -> Event:
    """Take vials out of use at once until the supporter permits them in writing (R54)."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        reason = reading.text(form.reason, "reason", "The reason", longest=300)
        vials = vials_named(reading, writer, form.unit_numbers, moment.today)
        for vial in vials:
            if vial.state not in move_table().moves["quarantine"].from_states:
                reading.fault(
                    "unit_numbers",
                    f"Vial {vial.unit_number} is {vial.state}. Unopened vials can be quarantined: held, available or"
                    " reserved ones.",
                    "R54",
                    "8.2",
                )
        done_at, late_why = read_done(reading, form.done_at, form.late_why, moment)
        reading.done()
        draft = _moving(writer, moment, vials, "quarantine", {"comment": reason}, done_at)
        return Draft({**draft.content, "reason": reason}, done_at, reason, late_why)

    return perform(desk, act, "vials_quarantined", form, build)


def _moving(
    writer: Writer,
    moment: Moment,
    vials: Sequence[Vial],
    name: str,
    line: dict[str, str],
    done_at: datetime | None = None,
) -> Draft:
    """A draft that moves vials now or when it was done; refused when one of them moved after that."""
    refuse_any(shelf_faults(writer, vials, move_table().moves[name].to_state))
    check_order(writer, [vial.unit_number for vial in vials], utc_text(done_at or moment.now))
    return Draft({"moves": [move(vial, name) for vial in vials], "line": line})


def check_order(reader: Reader, unit_numbers: Sequence[str], done_utc: str) -> None:
    """Refuse a move of vials that would lie before one they have made already, naming what stands in the way.

    Beside each vial's next move stands the day on which its lot would have held less than nothing, if there is one.
    """
    if reader.vials_moved_utc(unit_numbers) <= done_utc:
        return
    zone = zone_of(site_of(reader))
    later = reader.moves_after(unit_numbers, done_utc)
    faults = [
        Fault(
            "done_at",
            f"Vial {moved.unit_number} was moved after that: “{moved.move}” on"
            f" {say_moment(moved.done_at.astimezone(zone))}, line {moved.line_id}. Type the time at which it was really"
            " done, or check the PC's clock.",
            "R55",
            "8.2",
        )
        for moved in later[:NAMED_AT_MOST]
    ]
    if len(later) > NAMED_AT_MOST:
        faults.append(Fault("done_at", f"{len(later) - NAMED_AT_MOST} more of these vials were moved after that."))
    vials = [vial for vial in (reader.vial(number) for number in unit_numbers) if vial is not None]
    raise Refused(*faults, *_less_than_nothing(reader, vials, done_utc, zone))


NAMED_AT_MOST = 5
"""Vials named one by one when many are in the way."""


def _less_than_nothing(reader: Reader, vials: Sequence[Vial], done_utc: str, zone: ZoneInfo) -> list[Fault]:
    """For each lot, place and state the day on which it would have held less than nothing, these vials taken out."""
    faults = []
    taken = Counter((vial.strength_mg, vial.lot, vial.place, vial.state) for vial in vials)
    for (strength_mg, lot, place, state), count in sorted(taken.items()):
        changes = [
            (change.done_utc, change.quantity * ((change.to_state == state) - (change.from_state == state)))
            for change in reader.lot_changes(strength_mg, lot, place)
        ]
        held = [(sum(change for utc, change in changes if utc <= done_utc) - count, done_utc)]
        held += [(change, utc) for utc, change in changes if utc > done_utc]
        least, at = min(accumulate(held, lambda so_far, next_one: (so_far[0] + next_one[0], next_one[1])))
        if least < 0:
            day = say_day(datetime.fromisoformat(at).astimezone(zone))
            faults.append(
                Fault(
                    "done_at",
                    f"On {day} lot {lot} would have held −{-least} {state} vials of {show(strength_mg)} mg in {place}.",
                    "R55",
                    "8.2",
                )
            )
    return faults
