"""What follows a receipt: the logger that is read later, telling the supporter that it came, and the paper for him.

The paper's number is the event's own: ``RCV-`` and its place in the journal (see ``disposition_forms``).
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.vials import Vial, move, move_table
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, protocol_in, protocol_of, version_on, zone_of
from pharmacy_app.services.late import read_done
from pharmacy_app.services.papers import ReceiptRecord, ReceivedLot
from pharmacy_app.services.ports import Reader, VialFilter, Writer
from pharmacy_app.services.printing import Printed, print_record, stamp_of
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.stock import LOGGER_READ, NOT_READ, Logger, all_reasons, check_order, read_logger

RECEIPT_PAPER = "receipt acknowledgement"
"""The paper's name in the record of prints."""

_NUMBER = re.compile(r"RCV-([1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class LoggerForm:
    """A logger that was not read at the receipt, as it was read now or at ``done_at``."""

    number: str
    logger_serial: str
    logger_state: str
    min_celsius: str
    max_celsius: str
    note: str = ""
    done_at: str = ""
    late_why: str = ""


def logger_read(desk: Desk, act: Act, form: LoggerForm) -> Event:
    """Read the logger of a shipment later: its vials wait for the release alone, or are held by what it showed.

    Where it shows an alarm or a temperature outside the limits, vials of the shipment that were put into use on a
    permission that did not know of it go into quarantine in the same act (§ 8.2; RULES R54).
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        shipment = shipment_of(writer, form.number)
        if shipment.logger_state != "not read":
            raise Refused(
                Fault(
                    "number",
                    f"The logger of shipment {shipment.number} stands as “{shipment.logger_state}”. Only one that was"
                    " not read can be read.",
                )
            )
        reading = Reading()
        logger = read_logger(reading, form, LOGGER_READ)
        note = reading.note(form.note, "note", "The note", longest=300)
        done_at, late_why = read_done(reading, form.done_at, form.late_why, moment)
        if done_at is not None and done_at < shipment.received_at:
            reading.fault("done_at", "The logger was read before the shipment arrived. Check both times.")
        reading.done()
        on = (done_at or moment.now).astimezone(zone_of(moment.site)).date()
        reason = logger.hold_reason(protocol_of(moment.site, on).storage)
        vials = _vials_of(writer, shipment.number)
        into_quarantine = [
            vial
            for vial in vials
            if reason and vial.state != "held" and vial.state in move_table().moves["quarantine"].from_states
        ]
        check_order(writer, [vial.unit_number for vial in into_quarantine], utc_text(done_at or moment.now))
        changed = []
        for vial in vials:
            after = _reason_after(vial, reason, quarantined=vial in into_quarantine)
            if after != vial.hold_reason:
                changed.append({"unit_number": vial.unit_number, "hold_reason": after})
        after_of = {vial["unit_number"]: vial["hold_reason"] for vial in changed}
        reasons = [after_of.get(vial.unit_number, vial.hold_reason) for vial in vials if vial.state == "held"]
        return Draft(
            {
                "shipment": shipment.number,
                "logger": _plain(logger),
                "hold_reason": all_reasons(reasons),
                "vials": changed,
                "moves": [move(vial, "quarantine") for vial in into_quarantine],
                "line": {"reference": shipment.number, "comment": reason},
                # To be told to the supporter: what was opened before anybody knew.
                "opened": [vial.unit_number for vial in vials if reason and vial.state in _OPENED],
            },
            done_at,
            note,
            late_why,
        )

    return perform(desk, act, "logger_read", form, build)


_OPENED = ("opened", "empty", "partial", "returned by subject")


def _plain(logger: Logger) -> dict[str, str | Decimal | None]:
    return {
        "state": logger.state,
        "serial": logger.serial,
        "min_celsius": logger.min_celsius,
        "max_celsius": logger.max_celsius,
    }


def _reason_after(vial: Vial, reason: str, *, quarantined: bool) -> str:
    """Why a vial is kept back once the logger was read: what it showed stands where 'not read' stood."""
    parts = vial.hold_reason.split("; ")
    if NOT_READ in parts:
        return "; ".join(part for part in (reason if part == NOT_READ else part for part in parts) if part)
    if quarantined:
        return "; ".join(part for part in (reason, vial.hold_reason) if part)
    if vial.state == "quarantined" and reason:
        return f"{vial.hold_reason}; {reason}"
    return vial.hold_reason


@dataclass(frozen=True, slots=True)
class AcknowledgeForm:
    """To whom the receipt of a shipment was acknowledged, and how: e-mail, portal, fax with its number."""

    number: str
    to: str
    how: str
    done_at: str = ""
    late_why: str = ""


def acknowledge_receipt(desk: Desk, act: Act, form: AcknowledgeForm) -> Event:
    """Record that the supporter was told of the receipt (REGULATION 6.6, “Acknowledged to sponsor at”)."""

    def build(writer: Writer, moment: Moment) -> Draft:
        shipment = shipment_of(writer, form.number)
        if shipment.acknowledged_at is not None:
            raise Refused(
                Fault(
                    "number",
                    f"Shipment {shipment.number} was acknowledged to {shipment.acknowledged_to} already.",
                )
            )
        reading = Reading()
        to = reading.text(form.to, "to", "To whom the receipt was acknowledged", longest=80)
        how = reading.text(form.how, "how", "How it was acknowledged", longest=120)
        done_at, late_why = read_done(reading, form.done_at, form.late_why, moment)
        if done_at is not None and done_at < shipment.received_at:
            reading.fault("done_at", "The receipt was acknowledged before the shipment arrived. Check both times.")
        reading.done()
        return Draft({"shipment": shipment.number, "to": to, "how": how}, done_at, late_why=late_why)

    return perform(desk, act, "receipt_acknowledged", form, build)


def receipt_number(shipment: views.ShipmentLine) -> str:
    """The number of a receipt's paper (``RCV-42``)."""
    return f"RCV-{shipment.event_seq}"


def print_receipt(desk: Desk, act: Act, number: str) -> Printed:
    """Print the receipt of a shipment for the supporter as it stands now; anyone signed in may, copies say so.

    ``number`` is the shipment's, or the paper's own (``RCV-42``).
    """
    with desk.store.read() as reader:
        about = receipt_number(shipment_of(reader, number))

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        return desk.papers.receipt_record(_record(desk, reader, moment, shipment_of(reader, number), copy_number))

    return print_record(desk, act, RECEIPT_PAPER, about, make)


def _record(
    desk: Desk, reader: Reader, moment: Moment, shipment: views.ShipmentLine, copy_number: int
) -> ReceiptRecord:
    zone = zone_of(moment.site)
    received_at = shipment.received_at.astimezone(zone)
    version = version_on(moment.site, received_at.date())
    return ReceiptRecord(
        stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now, version),
        record_number=receipt_number(shipment),
        copy_number=copy_number,
        product=protocol_in(version).study.drug,
        investigator=moment.site.principal_investigator,
        pharmacy_phone=moment.site.pharmacy_phone,
        shipment_number=shipment.number,
        sender=shipment.sender,
        shipped_on=shipment.shipped_on,
        received_at=received_at,
        received_by=shipment.received_by,
        packing_list=shipment.packing_list,
        logger_serial=shipment.logger_serial,
        logger_state=shipment.logger_state,
        min_celsius=shipment.min_celsius,
        max_celsius=shipment.max_celsius,
        hold_reason=shipment.hold_reason,
        note=shipment.note,
        acknowledged_at=shipment.acknowledged_at.astimezone(zone) if shipment.acknowledged_at else None,
        acknowledged_to=shipment.acknowledged_to,
        acknowledged_how=shipment.acknowledged_how,
        lots=tuple(
            ReceivedLot(
                lot.strength_mg,
                lot.lot,
                lot.expires_on,
                lot.kits,
                lot.listed,
                lot.counted,
                lot.damaged,
                lot.extra,
                lot.difference_note,
                lot.condition_note,
                lot.released_by,
            )
            for lot in reader.shipment_lots(shipment.number)
        ),
    )


def shipment_of(reader: Reader, number: str) -> views.ShipmentLine:
    """A shipment by its number or by the number of its receipt's paper; raises ``Refused`` when there is none."""
    tidy = number.strip()
    shipment = reader.shipment(tidy)
    found = _NUMBER.fullmatch(tidy.upper())
    if shipment is None and found:
        event = reader.event(int(found[1]))
        if event is not None and event.kind == "shipment_received":
            shipment = reader.shipment(event.content["shipment"]["number"])
    if shipment is None:
        raise Refused(
            Fault("number", f"There is no shipment {tidy or 'without a number'}. See the list under Receive.")
        )
    return shipment


def _vials_of(reader: Reader, number: str) -> list[Vial]:
    wanted = VialFilter(shipment_number=number)
    return list(reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=reader.count_vials(wanted)))
