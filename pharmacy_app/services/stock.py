"""Vials in and about the pharmacy: receive a shipment, release, quarantine, lift a quarantine."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.vials import STRENGTHS_MG, Moved, Vial, looks_like_ours, move, move_table, numbered
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, zone_of
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading

MAX_VIALS_A_LOT = 500
"""More vials of one lot in one shipment than this is taken for a slip of the keyboard."""

LOGGER_STATES = ("no alarm", "alarm", "no logger", "not read")
CONDITIONS = ("intact", "damaged")


@dataclass(frozen=True, slots=True)
class LotTyped:
    """One lot of the packing list as typed. ``kit_numbers`` is empty, or one for each vial."""

    strength_mg: str
    lot: str
    expiry: str
    count: str
    kit_numbers: tuple[str, ...] = ()
    condition: str = "intact"
    condition_note: str = ""


@dataclass(frozen=True, slots=True)
class ShipmentForm:
    """A received shipment as typed. Fields of a lot are named ``lots.0.expiry`` and so on."""

    number: str
    sender: str
    shipped_on: str
    received_at: str
    logger_serial: str
    logger_state: str
    place: str
    lots: tuple[LotTyped, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Lot:
    strength_mg: Decimal
    lot: str
    expires_on: date
    count: int
    kit_numbers: tuple[str, ...]
    hold_reason: str


def receive(desk: Desk, act: Act, form: ShipmentForm) -> Event:
    """Receive a shipment: every vial becomes a unit with our own number, and is held until it is released.

    A logger alarm, a missing or unread logger, damage and an expired lot are hold reasons: such vials leave
    'held' only with the supporter's written decision (§ 8.2; RULES R54).
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        number = reading.text(form.number, "number", "The shipment number", longest=40)
        sender = reading.text(form.sender, "sender", "The sender", longest=80)
        shipped_on = reading.day(form.shipped_on, "shipped_on", today=moment.today)
        received_at = reading.moment(
            form.received_at, "received_at", zone_of(moment.site), moment.now, blank_is_now=True
        )
        if received_at.date() < shipped_on:
            reading.fault("received_at", "The shipment arrived before it was shipped. Check both dates.")
        if received_at > moment.now:
            reading.fault("received_at", f"{say_moment(received_at)} is in the future.")
        state = reading.choice(form.logger_state, "logger_state", "The logger", LOGGER_STATES)
        serial = " ".join(form.logger_serial.split())
        if state == "no logger":
            serial = serial or "N/A"
        elif not serial:
            reading.fault(
                "logger_serial", "The logger's serial number is missing. Choose “no logger” if there is none."
            )
        place = reading.choice(form.place, "place", "The storage place", moment.site.places)
        if writer.shipment(number) is not None:
            reading.fault("number", f"Shipment {number} was received already. See it under Receive.")
        lots = _lots(reading, writer, form, received_at.date())
        note = reading.note(form.note, "note", "The note")
        reading.done()
        whole = {
            "alarm": "the temperature logger shows an alarm",
            "no logger": "the shipment came without a temperature logger",
            "not read": "the temperature logger has not been read",
            "no alarm": "",
        }[state]
        vials, moves, count = [], [], writer.counter("vial")
        for lot in lots:
            reason = "; ".join(part for part in (whole, lot.hold_reason) if part)
            for index in range(lot.count):
                count += 1
                unit_number = numbered("V", count)
                kit_number = lot.kit_numbers[index] if lot.kit_numbers else ""
                vials.append({"unit_number": unit_number, "kit_number": kit_number, "hold_reason": reason})
                moves.append(Moved(unit_number, lot.strength_mg, lot.lot, lot.expires_on, place, "receive", "", "held"))
        return Draft(
            {
                "shipment": {
                    "number": number,
                    "sender": sender,
                    "shipped_on": shipped_on,
                    "logger_serial": serial,
                    "logger_state": state,
                    "condition": "; ".join(
                        f"lot {lot.lot} {typed.condition}" for lot, typed in zip(lots, form.lots, strict=True)
                    ),
                    "note": note,
                },
                "hold_reason": "; ".join(dict.fromkeys(vial["hold_reason"] for vial in vials if vial["hold_reason"])),
                "vials": vials,
                "moves": moves,
                "line": {"counterparty": sender, "reference": number, "comment": note or whole},
            },
            done_at=received_at,
        )

    return perform(desk, act, "shipment_received", form, build)


def _lots(reading: Reading, reader: Reader, form: ShipmentForm, received_on: date) -> list[_Lot]:
    if not form.lots:
        reading.fault("lots", "The packing list has no lot yet. Add at least one.")
    known = {(strength, lot): expires_on for strength, lot, expires_on in reader.lots()}
    kits: dict[str, str] = {}
    lots = []
    for index, typed in enumerate(form.lots):
        at = f"lots.{index}."
        strength = reading.decimal(typed.strength_mg, at + "strength_mg", "The strength", "mg")
        if strength not in STRENGTHS_MG:
            reading.fault(at + "strength_mg", "The study has vials of 1 mg and 4 mg only.", "R50", "8.1.1")
        # 1.0 mg is the 1 mg vial: one strength has one way of being written.
        strength = next((known_mg for known_mg in STRENGTHS_MG if known_mg == strength), strength)
        lot = reading.text(typed.lot, at + "lot", "The lot", longest=20).upper()
        expires_on = reading.expiry(typed.expiry, at + "expiry")
        count = reading.count(typed.count, at + "count", "The number of vials", low=1, high=MAX_VIALS_A_LOT)
        condition = reading.choice(typed.condition, at + "condition", "The condition", CONDITIONS)
        note = reading.note(typed.condition_note, at + "condition_note", "The note on the condition", longest=200)
        if condition == "damaged" and not note:
            reading.fault(at + "condition_note", "Say what is damaged, for example “carton crushed, 2 vials cracked”.")
        before = known.setdefault((strength, lot), expires_on)
        if lot and before != expires_on:
            reading.fault(
                at + "expiry",
                f"Lot {lot} is known with the expiry {say_day(before)}. One lot has one expiry: check the label.",
            )
        numbers = tuple(number.strip().upper() for number in typed.kit_numbers if number.strip())
        if numbers and len(numbers) != count:
            reading.fault(
                at + "kit_numbers",
                f"{len(numbers)} kit numbers are typed for {count} vials. Give one for each vial, or none.",
            )
        for kit in numbers:
            if looks_like_ours(kit, "V"):
                reading.fault(
                    at + "kit_numbers", f"Kit {kit} looks like one of our own unit numbers. Ask the supporter."
                )
            elif kit in kits or reader.vial_by_kit(kit) is not None:
                reading.fault(at + "kit_numbers", f"Kit {kit} is there twice. Each kit number is received once.")
            kits[kit] = lot
        reasons = []
        if condition == "damaged":
            reasons.append(f"damaged on arrival ({note})")
        if expires_on < received_on:
            reasons.append(f"expired on {say_day(expires_on)}, before it arrived")
        lots.append(_Lot(strength, lot, expires_on, count, numbers, "; ".join(reasons)))
    return lots


def release_shipment(desk: Desk, act: Act, number: str) -> Event:
    """Release the held vials of a shipment that have no hold reason: logger read without alarm, undamaged."""

    def build(writer: Writer, moment: Moment) -> Draft:
        shipment = writer.shipment(number)
        if shipment is None:
            raise Refused(Fault("number", f"There is no shipment {number}."))
        vials = held_of_shipment(writer, number)
        clear = [vial for vial in vials if not vial.hold_reason]
        if not vials:
            raise Refused(Fault("number", f"No vial of shipment {number} waits for release."))
        if not clear:
            raise Refused(
                Fault(
                    "number",
                    f"The vials of shipment {number} are held because {vials[0].hold_reason}. They are released only"
                    " with the supporter's written decision: choose “Release with the supporter's document”.",
                    "R54",
                    "8.2",
                )
            )
        return _moving(
            writer, moment, clear, "release", {"reference": number, "comment": "checked against the packing list"}
        )

    return perform(desk, act, "vials_released", number, build)


def held_of_shipment(reader: Reader, number: str) -> list[Vial]:
    """The vials of a shipment that are still held."""
    from pharmacy_app.services.ports import VialFilter

    wanted = VialFilter(state="held", shipment_number=number)
    return list(reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=reader.count_vials(wanted)))


@dataclass(frozen=True, slots=True)
class SupporterDecision:
    """The supporter's written permission: its reference, who wrote it and when (§ 8.2)."""

    reference: str
    decided_by: str
    decided_on: str


@dataclass(frozen=True, slots=True)
class PermissionForm:
    """Vials to put into usable stock under a written decision of the supporter."""

    unit_numbers: tuple[str, ...]
    decision: SupporterDecision
    why: str = field(default="")


def release_with_document(desk: Desk, act: Act, form: PermissionForm) -> Event:
    """Put held or quarantined vials into usable stock by the supporter's written permission (R54)."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        reference = reading.text(form.decision.reference, "reference", "The document's reference", longest=60)
        decided_by = reading.text(form.decision.decided_by, "decided_by", "The name of who permitted it", longest=60)
        decided_on = reading.day(form.decision.decided_on, "decided_on", today=moment.today)
        vials = _named_vials(reading, writer, form.unit_numbers)
        states = {vial.state for vial in vials}
        if not states <= {"held", "quarantined"}:
            reading.fault("unit_numbers", "Only held or quarantined vials are released. Take the others off the list.")
        if len(states) > 1:
            reading.fault("unit_numbers", "Release held and quarantined vials one kind at a time.")
        why = reading.note(form.why, "why", "The note")
        reading.done()
        name = "release" if states == {"held"} else "lift quarantine"
        draft = _moving(
            writer,
            moment,
            vials,
            name,
            {
                "counterparty": decided_by,
                "reference": reference,
                "comment": f"permitted in writing on {say_day(decided_on)}" + (f"; {why}" if why else ""),
            },
        )
        return Draft(
            {
                **draft.content,
                "decision": {"reference": reference, "decided_by": decided_by, "decided_on": decided_on},
            },
            why=why,
        )

    return perform(desk, act, "quarantine_lifted", form, build)


@dataclass(frozen=True, slots=True)
class QuarantineForm:
    """Vials to quarantine and why; the supporter is told (§ 8.2)."""

    unit_numbers: tuple[str, ...]
    reason: str


def quarantine(desk: Desk, act: Act, form: QuarantineForm) -> Event:
    """Take vials out of use at once until the supporter permits them in writing (R54)."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        reason = reading.text(form.reason, "reason", "The reason", longest=300)
        vials = _named_vials(reading, writer, form.unit_numbers)
        for vial in vials:
            if vial.state not in move_table().moves["quarantine"].from_states:
                reading.fault(
                    "unit_numbers",
                    f"Vial {vial.unit_number} is {vial.state}. Unopened vials can be quarantined: held, available or"
                    " reserved ones.",
                    "R54",
                    "8.2",
                )
        reading.done()
        draft = _moving(writer, moment, vials, "quarantine", {"comment": reason})
        return Draft({**draft.content, "reason": reason}, why=reason)

    return perform(desk, act, "vials_quarantined", form, build)


def _named_vials(reading: Reading, reader: Reader, unit_numbers: Sequence[str]) -> list[Vial]:
    vials = []
    if not unit_numbers:
        reading.fault("unit_numbers", "No vial is chosen. Scan or choose at least one.")
    for number in dict.fromkeys(unit_numbers):
        vial = reader.vial(number)
        if vial is None:
            reading.fault("unit_numbers", f"There is no vial {number} in this pharmacy.")
        else:
            vials.append(vial)
    return vials


def _moving(writer: Writer, moment: Moment, vials: Sequence[Vial], name: str, line: dict[str, str]) -> Draft:
    """A draft that moves vials now; refused when one of them moved later than now by the clock."""
    check_order(writer, [vial.unit_number for vial in vials], utc_text(moment.now))
    return Draft({"moves": [move(vial, name) for vial in vials], "line": line})


def check_order(reader: Reader, unit_numbers: Sequence[str], done_utc: str) -> None:
    """Refuse a move of vials that would lie before one they have made already."""
    latest = reader.vials_moved_utc(unit_numbers)
    if latest > done_utc:
        raise Refused(
            Fault(
                "done_at",
                "One of these vials was moved after that time. Type the time at which it was really done, or check"
                " the PC's clock.",
                "R55",
                "8.2",
            )
        )
