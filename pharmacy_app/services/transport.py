"""Vials carried from place to place: a line out of the old one and a line into the new one (REGULATION A-14)."""

from collections.abc import Sequence
from dataclasses import dataclass

from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.places import may_lie
from pharmacy_app.domain.vials import Relocated, Vial, relocate
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Credentials, Desk, Draft, Moment, Signing, perform
from pharmacy_app.services.exposures import content_of, found_late, quarantined, shut, still_lasts, words_of
from pharmacy_app.services.late import read_done
from pharmacy_app.services.places import not_there_yet, satellites
from pharmacy_app.services.ports import Writer
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.scanning import vials_named
from pharmacy_app.services.stock import check_order

AT_2_TO_8 = "at 2–8 °C"
NOT_NOTED = "not noted"
CONTAINERS = (AT_2_TO_8, NOT_NOTED)
"""How the vials were kept on the way."""

OWN_STAFF = "own staff"
THIRD_PARTY = "third-party carrier"
CARRIERS = (OWN_STAFF, THIRD_PARTY)
"""Who may carry vials: to and from a satellite only the pharmacy's own staff."""


@dataclass(frozen=True, slots=True)
class TransportForm:
    """Vials carried to another place, as typed; ``carried_by`` is the name of who carried them."""

    unit_numbers: tuple[str, ...]
    to_place: str
    carried_by: str
    carrier: str = OWN_STAFF
    container: str = NOT_NOTED
    note: str = ""
    done_at: str = ""
    late_why: str = ""


def transport(desk: Desk, act: Act, form: TransportForm, receiver: Credentials | None = None) -> Event:
    """Carry vials to another place. To or from a satellite a second person signs the receipt (``receiver``).

    A reserved vial stays with its dose, and nothing usable is put on a quarantine shelf. A vial that by this lay at the
    place during a storage deviation goes into quarantine with it (RULES R54).
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        places = {place.name: place for place in writer.places()}
        to_place = reading.choice(form.to_place, "to_place", "The new place", moment.site.places)
        carried_by = reading.text(form.carried_by, "carried_by", "The name of who carried them", longest=60)
        carrier = reading.choice(form.carrier, "carrier", "Who carried them", CARRIERS)
        container = reading.choice(form.container, "container", "The container on the way", CONTAINERS)
        note = reading.note(form.note, "note", "The note", longest=500)
        vials = vials_named(reading, writer, form.unit_numbers, moment.today)
        moves = [moved for vial in vials if (moved := _relocated(reading, vial, to_place)) is not None]
        if reading.was_read("to_place"):
            _check_places(reading, vials, places[to_place])
            # What the deviation does not name yet is kept back by this entry; what was permitted stays away meanwhile.
            there = {line.deviation_id for line in writer.deviations_at(to_place) if still_lasts(line)}
            exposures = writer.open_exposures([vial.unit_number for vial in vials])
            named = {each.unit_number for each in exposures if each.deviation_id in there}
            usable = [vial for vial in vials if vial.state == "available" and vial.unit_number in named]
            reading.faults += shut(writer, usable, to_place)
        ends = satellites(tuple(places.values())) & {to_place, *(vial.place for vial in vials)}
        if ends and carrier == THIRD_PARTY:
            reading.fault(
                "carrier",
                f"Nothing goes to or from {', '.join(sorted(ends))} by a third-party carrier: it is a satellite. Have"
                " one of the pharmacy's own staff carry it.",
                "R55",
                "8.2",
            )
        received_by = _received_by(reading, moment, ends)
        done_at, late_why = read_done(reading, form.done_at, form.late_why, moment)
        reading.faults += not_there_yet(writer, to_place, done_at, "done_at", moment)
        reading.done()
        check_order(writer, [vial.unit_number for vial in vials], utc_text(done_at or moment.now))
        since = done_at or moment.now
        late = found_late(writer, vials, to_place, since)
        came_from = ", ".join(sorted({vial.place for vial in vials}))
        by = f"carried by {carried_by}" + (f", {carrier}" if carrier == THIRD_PARTY else "")
        told = (by, container if container == AT_2_TO_8 else "temperature on the way not noted", note, words_of(late))
        return Draft(
            {
                "to_place": to_place,
                "carried_by": carried_by,
                "carrier_kind": carrier,
                "kept": container,
                "received_by": received_by,
                "note": note,
                "moves": [*moves, *quarantined(late, to_place)],
                **content_of(late),
                "line": {
                    "counterparty": f"{came_from} → {to_place}",
                    "comment": "; ".join(part for part in told if part),
                    "verifier": received_by,
                },
            },
            done_at,
            late_why=late_why,
        )

    signings = (Signing(receiver, "received at the place", "witness_password"),) if receiver else ()
    return perform(desk, act, "vials_transported", form, build, signings)


def needs_receiver(places: Sequence[views.Place], vials: Sequence[Vial], to_place: str) -> bool:
    """Whether a second person signs the receipt: where one end of the way is a satellite."""
    return bool(satellites(places) & {to_place, *(vial.place for vial in vials)})


def _relocated(reading: Reading, vial: Vial, to_place: str) -> Relocated | None:
    return reading.take(lambda: relocate(vial, "transport", place=to_place), None)


def _check_places(reading: Reading, vials: Sequence[Vial], to_place: views.Place) -> None:
    for vial in vials:
        if vial.place == to_place.name:
            reading.faults.append(
                Fault("unit_numbers", f"Vial {vial.unit_number} lies in {vial.place} already. Take it off the list.")
            )
        elif not may_lie(vial.state, to_place.kind):
            reading.faults.append(
                Fault(
                    "unit_numbers",
                    f"Vial {vial.unit_number} is {vial.state}. Only held and quarantined vials are put on"
                    f" {to_place.name}, a quarantine shelf. Choose a refrigerator, or quarantine it first.",
                    "R54",
                    "8.2",
                )
            )


def _received_by(reading: Reading, moment: Moment, ends: frozenset[str]) -> str:
    """The name of who signed the receipt; refused without one at a satellite, and when it is the same person."""
    if not moment.signers:
        if ends:
            reading.fault(
                "witness_user_name",
                f"{', '.join(sorted(ends))} is a satellite with a record of its own: a second person signs the receipt"
                " there.",
                "R55",
                "8.2",
            )
        return ""
    signer = moment.signers[0]
    if signer.account_id == moment.person.account_id or signer.printed_name == moment.person.printed_name:
        reading.fault("witness_user_name", "The second person is another one: whoever receives the vials there.")
    return signer.printed_name
