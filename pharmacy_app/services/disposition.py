"""What becomes of vials that are not given: broken, missing and found, the monitor's accountability, return, transfer,
destruction (§ 8.2).

Each act is one move of the table for all its vials or for none. The proofs a move needs stand in the table; here each
is asked for by name, so that a screen can show what is missing before anybody signs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.vials import UNOPENED, Moved, Vial, move, move_table, relocate
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Credentials, Denied, Desk, Draft, Moment, Signing, perform, site_of, zone_of
from pharmacy_app.services.documents import DESTRUCTION, RETURN, SUPPORTERS_PERMISSION, TRANSFER
from pharmacy_app.services.exposures import content_of, found_late
from pharmacy_app.services.late import read_done
from pharmacy_app.services.permissions import permits, speaks_of, supporters_word
from pharmacy_app.services.places import not_there_yet
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.scanning import vials_named
from pharmacy_app.services.stock import check_order
from pharmacy_app.services.visits import open_visit_of

PERMISSION_KIND = SUPPORTERS_PERMISSION
"""The kind of document that carries the supporter's written permission."""

PURPOSE_OF = {"return": RETURN, "transfer": TRANSFER, "destroy": DESTRUCTION}
"""What the supporter's document must permit for a move."""

ASKED_WITH_THE_ACT = "asked for with the act"
"""What is missing of a proof that is given by signing or typing, not kept beforehand."""


LOST = "lost"
"""The state of a used container that was not found."""

RETURN_REASONS = ("expired", "unused", "study end", "recall", "damaged", "excursion")


@dataclass(frozen=True, slots=True)
class ProofLine:
    """One proof of a move: what it is, whether it is there, and what is missing of it."""

    name: str
    says: str
    section: str
    there: bool
    missing: str


def checklist(reader: Reader, move_name: str, unit_numbers: Sequence[str]) -> tuple[ProofLine, ...]:
    """The proofs that a move of these vials takes, and which of them the record holds already.

    What is proven by signing or typing (a second person, a reason, the carrier) is asked for with the act itself.
    """
    table = move_table()
    rule = table.moves[move_name]
    lines = []
    for name in rule.needs:
        proof = table.proofs[name]
        missing = ASKED_WITH_THE_ACT
        if name == "permission":
            missing = _no_permission(reader, unit_numbers, PURPOSE_OF[move_name])
        elif name == "accountability":
            vials = [vial for vial in (reader.vial(number) for number in unit_numbers) if vial is not None]
            open_vials = [vial.unit_number for vial in vials if not vial.accounted_by]
            missing = "" if vials and not open_vials else f"not done for {', '.join(open_vials) or 'any vial'}"
        lines.append(ProofLine(name, proof.says, proof.section, not missing, missing))
    return tuple(lines)


def _no_permission(reader: Reader, unit_numbers: Sequence[str], purpose: str) -> str:
    """What is missing of a permission for these vials, '' when one of those attached speaks of them."""
    attached = [document for document in permissions(reader) if permits(document, purpose)]
    vials = [vial for vial in (reader.vial(number) for number in unit_numbers) if vial is not None]
    if not attached:
        return f"no document that permits {purpose} is attached yet"
    if not any(speaks_of(reader, document, vials) for document in attached):
        return f"no attached document that permits {purpose} speaks of all these vials"
    return ""


def permissions(reader: Reader) -> tuple[views.DocumentLine, ...]:
    """The supporter's written permissions that are attached, newest first."""
    return tuple(document for document in reader.documents() if document.kind == PERMISSION_KIND)


# --- broken, missing, found -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LossForm:
    """Vials that were broken, are missing or were found again, and how it came about.

    ``place`` is where found ones lie now, '' for where they were last; it is asked for where that was closed since.
    """

    unit_numbers: tuple[str, ...]
    why: str
    done_at: str = ""
    late_why: str = ""
    place: str = ""


def break_vials(desk: Desk, act: Act, form: LossForm, own: Credentials, second: Credentials) -> Event:
    """Record unopened vials as broken, signed by who saw it and a second person."""
    return _lost(desk, act, form, (own, second), "vials_broken", "break", "broke or found it broken")


def miss_vials(desk: Desk, act: Act, form: LossForm, own: Credentials, second: Credentials) -> Event:
    """Record vials as missing, and used containers as lost, signed by two people who searched."""
    return _lost(desk, act, form, (own, second), "vials_missing", "miss", "searched and did not find it")


def find_vials(desk: Desk, act: Act, form: LossForm, own: Credentials, second: Credentials) -> Event:
    """Record missing vials as found: nobody knows how they were stored, so they go into quarantine (RULES R54).

    A lost container that is found is again what it was.
    """
    return _lost(desk, act, form, (own, second), "vials_found", "find", "found it")


def _lost(
    desk: Desk,
    act: Act,
    form: LossForm,
    credentials: tuple[Credentials, Credentials],
    kind: str,
    move_name: str,
    meaning: str,
) -> Event:
    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        why = reading.text(form.why, "why", "What happened", longest=500)
        vials = vials_named(reading, writer, form.unit_numbers, moment.today)
        for vial in vials:
            reading.take(lambda vial=vial: _gone_or_back(writer, vial, move_name), None)  # type: ignore[misc]
        _two_people(reading, moment)
        done_at, late_why = read_done(reading, form.done_at, form.late_why, moment)
        if kind == "vials_found":
            _found_where(reading, writer, form.place, vials, done_at, moment)
        reading.done()
        line = {"comment": why, "verifier": moment.signers[1].printed_name}
        content = _moves(
            writer, done_at or moment.now, vials, lambda vial: _gone_or_back(writer, vial, move_name), line
        )
        if kind == "vials_found":
            content |= _found(writer, vials, form.place, why, done_at or moment.now)
        return Draft(content, done_at, why, late_why)

    return perform(desk, act, kind, form, build, _signings(credentials, meaning))


_OF_CONTAINERS = {"miss": "lose", "find": "recover"}
"""The moves of used containers that go with those of vials."""


def _gone_or_back(reader: Reader, vial: Vial, move_name: str) -> Moved:
    """The move of a loss or a find; a used container has one of its own, and is found as what it was."""
    of_container = _OF_CONTAINERS.get(move_name, "")
    if not of_container or vial.state not in move_table().moves[of_container].from_states:
        return move(vial, move_name)
    return move(vial, of_container, _was_before(reader, vial) if vial.state == LOST else "")


def _was_before(reader: Reader, vial: Vial) -> str:
    """What a lost container was when it was last recorded as lost."""
    for event in reader.events_between(("vials_missing",), 0, reader.head().seq + 1):
        for moved in event.content["moves"]:
            if moved["unit_number"] == vial.unit_number and reader.correction(event.seq) is None:
                return str(moved["from_state"])
    raise LookupError(f"{vial.unit_number} is lost and no entry says so")


def _found_where(
    reading: Reading,
    reader: Reader,
    place: str,
    vials: Sequence[Vial],
    done_at: datetime | None,
    moment: Moment,
) -> None:
    """Refuse a place that is none in use, or was none yet; a vial is not found in one that was closed."""
    if place:
        reading.choice(place, "place", "The place", moment.site.places)
        reading.faults += not_there_yet(reader, place, done_at, "place", moment)
        return
    closed = sorted({vial.place for vial in vials} - set(moment.site.places))
    if closed:
        reading.fault(
            "place",
            f"{', '.join(closed)} was closed since these vials were last there. Choose the place where they lie now.",
            "R55",
            "8.2",
        )


def _found(reader: Reader, vials: Sequence[Vial], place: str, why: str, done_at: datetime) -> dict[str, object]:
    """What is said of found vials beside the find: why they are kept back, and the way to where they lie now."""
    reason = f"found after it was missing: {why}"
    quarantined = move_table().moves["find"].to_state
    found = [replace(vial, state=quarantined, hold_reason=reason) for vial in vials if vial.state != LOST]
    back = [_gone_or_back(reader, vial, "find") for vial in vials]
    states = {moved.unit_number: moved.to_state for moved in back}
    late = [
        each
        for where in sorted({place or vial.place for vial in found})
        for each in found_late(reader, [vial for vial in found if (place or vial.place) == where], where, done_at)
    ]
    brought = [
        relocate(replace(vial, state=states[vial.unit_number]), "transport", place=place)
        for vial in vials
        if place and place != vial.place
    ]
    return {"moves": [*back, *brought], "hold_reason": reason, **content_of(late)}


# --- the monitor's accountability ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountForm:
    """Opened containers whose accountability the monitor has done."""

    unit_numbers: tuple[str, ...]
    note: str = ""


def account_for(desk: Desk, act: Act, form: AccountForm, own: Credentials) -> Event:
    """Record the monitor's accountability of empty, partial or broken containers; only then may they be destroyed.

    It belongs to the monitor's open visit when there is one. Nobody accounts for what they have moved, or signed that
    it was moved.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        note = reading.note(form.note, "note", "The note", longest=500)
        vials = vials_named(reading, writer, form.unit_numbers, moment.today)
        may = move_table().moves["destroy"].from_states
        moved = _own_entries(writer, vials, moment)
        for vial in vials:
            if vial.state not in may:
                reading.fault(
                    "unit_numbers",
                    f"Vial {vial.unit_number} is {vial.state}. Accountability is done for {', '.join(may[:-1])} or"
                    f" {may[-1]} containers.",
                    "R57",
                    "8.2",
                )
            elif vial.accounted_by:
                reading.fault("unit_numbers", f"Vial {vial.unit_number} was accounted for by {vial.accounted_by}.")
            elif vial.unit_number in moved:
                reading.fault(
                    "unit_numbers",
                    f"You recorded or signed entry {moved[vial.unit_number]} of vial {vial.unit_number} yourself."
                    " Another monitor accounts for it.",
                    "R57",
                    "8.2",
                )
            elif not _closed(writer, vial):
                reading.fault(
                    "unit_numbers",
                    f"Vial {vial.unit_number} came back before it was closed in the mg ledger. Close the vials of dose"
                    f" {vial.dose_id} first.",
                    "R57",
                    "8.2",
                )
        if moment.signers[0].account_id != moment.person.account_id:
            reading.fault("user_name", f"Sign with your own account: {moment.person.printed_name} is signed in here.")
        reading.done()
        visit = open_visit_of(writer, moment.person.account_id)
        return Draft(
            {
                "unit_numbers": [vial.unit_number for vial in vials],
                "note": note,
                "visit": visit.number if visit is not None else "",
            },
            why=note,
        )

    return perform(desk, act, "vials_accounted", form, build, (Signing(own, "did the accountability"),))


def _own_entries(reader: Reader, vials: Sequence[Vial], moment: Moment) -> dict[str, int]:
    """The newest entry by which a person has moved each vial, or has signed that it was moved; none for most."""
    moves = reader.moves_since([vial.unit_number for vial in vials], 0)
    events = (reader.event(seq) for seq in {each.event_seq for each in moves})
    own = {event.seq for event in events if event is not None and moment.person.account_id in event.people}
    return {each.unit_number: each.event_seq for each in reversed(moves) if each.event_seq in own}


# --- back from a subject ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TakeBackForm:
    """Opened containers of a dose that came back from its subject or ward: why, and who brought them."""

    unit_numbers: tuple[str, ...]
    dose_id: str
    reason: str
    brought_by: str
    note: str = ""
    done_at: str = ""
    late_why: str = ""


def take_back(desk: Desk, act: Act, form: TakeBackForm) -> Event:
    """Take back opened, empty or partial containers from a subject or ward; they are never used again (A-16).

    An unopened vial never leaves the pharmacy for a subject, so none can come back. The containers wait for the
    monitor's accountability like all others.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        reason = reading.text(form.reason, "reason", "The reason", longest=300)
        brought_by = reading.text(form.brought_by, "brought_by", "The name of who brought them", longest=60)
        note = reading.note(form.note, "note", "The note", longest=500)
        thread = writer.dose(form.dose_id.strip().upper())
        if thread is None:
            reading.fault("dose_id", f"There is no dose {form.dose_id.strip() or 'without a number'} in this study.")
        elif thread.release_seq is None:
            reading.fault(
                "dose_id",
                f"Dose {thread.line.dose_id} was never released, so nothing of it left the pharmacy and can come back.",
                "R55",
                "8.2",
            )
        vials = vials_named(reading, writer, form.unit_numbers, moment.today)
        for vial in vials:
            _may_come_back(reading, vial, thread)
        done_at, late_why = read_done(reading, form.done_at, form.late_why, moment)
        if thread is not None:
            reading.faults += _not_out_yet(writer, thread, done_at or moment.now, moment)
        reading.done()
        assert thread is not None
        line = thread.line
        subject = writer.subject(line.subject_number)
        content = _moves(
            writer,
            done_at or moment.now,
            vials,
            "take back",
            {
                "dose_id": line.dose_id,
                "counterparty": line.subject_number,
                "initials": subject.initials if subject else "",
                "cycle_day": f"C{line.cycle} D{line.day}",
                "reference": line.dose_id,
                "comment": "; ".join(part for part in (reason, f"brought by {brought_by}", note) if part),
            },
        )
        facts = {"dose_id": line.dose_id, "subject_number": line.subject_number}
        facts |= {"reason": reason, "brought_by": brought_by, "note": note}
        return Draft({**content, **facts}, done_at, reason, late_why)

    return perform(desk, act, "vials_taken_back", form, build)


def _not_out_yet(reader: Reader, thread: views.DoseThread, done_at: datetime, moment: Moment) -> list[Fault]:
    """Refuse containers that came back before their bag was handed over; a typed time has whole minutes."""
    released = reader.event(thread.release_seq) if thread.release_seq is not None else None
    if released is None or done_at >= released.done_at.replace(second=0, microsecond=0):
        return []
    handed_over = released.done_at.astimezone(zone_of(moment.site))
    return [
        Fault(
            "done_at",
            f"Dose {thread.line.dose_id} was handed over on {say_moment(handed_over)}: nothing of it came back before"
            " that. Type the time at which the containers came.",
            "R55",
            "8.2",
        )
    ]


def _may_come_back(reading: Reading, vial: Vial, thread: views.DoseThread | None) -> None:
    if vial.state in UNOPENED:
        reading.fault(
            "unit_numbers",
            f"Vial {vial.unit_number} is {vial.state}, so it is unopened, and an unopened vial never leaves the"
            " pharmacy for a subject. If one did come back, quarantine it and tell the supporter.",
            "R55",
            "8.2",
        )
    elif vial.state not in move_table().moves["take back"].from_states:
        reading.take(lambda: move(vial, "take back"), None)
    elif vial.accounted_by:
        reading.fault(
            "unit_numbers",
            f"Vial {vial.unit_number} was accounted for by {vial.accounted_by}, so its container was here.",
            "R57",
            "8.2",
        )
    elif thread is not None and vial.dose_id != thread.line.dose_id:
        reading.fault(
            "unit_numbers",
            f"Vial {vial.unit_number} was opened for dose {vial.dose_id}, not for {thread.line.dose_id}.",
            "R55",
            "8.2",
        )


# --- out of the site -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CarrierTyped:
    """How vials travel: courier, tracking number, packages, seal and temperature logger, as typed."""

    courier: str
    tracking_number: str
    packages: str
    seal: str
    logger_serial: str


@dataclass(frozen=True, slots=True)
class ReturnForm:
    """Unopened vials that go back to the supporter; ``permission`` is the number of the attached document."""

    unit_numbers: tuple[str, ...]
    permission: str
    depot: str
    reason: str
    in_original_containers: str
    carrier: CarrierTyped
    note: str = ""
    done_at: str = ""
    late_why: str = ""


def return_vials(desk: Desk, act: Act, form: ReturnForm, own: Credentials) -> Event:
    """Return unopened vials in their original containers, after the supporter was asked (§ 8.2; RULES R56)."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        depot = reading.text(form.depot, "depot", "Where the vials go", longest=120)
        reason = reading.choice(form.reason, "reason", "The reason", RETURN_REASONS)
        return _leaving(reading, writer, moment, form, "return", depot, reason)

    return perform(desk, act, "vials_returned", form, build, (Signing(own, "packed and sent"),))


@dataclass(frozen=True, slots=True)
class TransferForm:
    """Unopened vials that go to another site with the supporter's agreement."""

    unit_numbers: tuple[str, ...]
    permission: str
    to_site: str
    reason: str
    in_original_containers: str
    carrier: CarrierTyped
    note: str = ""
    done_at: str = ""
    late_why: str = ""


def transfer_vials(desk: Desk, act: Act, form: TransferForm, own: Credentials) -> Event:
    """Transfer unopened vials to another site, after the supporter was asked (§ 8.2; RULES R56)."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        to_site = reading.text(form.to_site, "to_site", "The site that receives them", longest=120)
        reason = reading.text(form.reason, "reason", "The reason", longest=200)
        return _leaving(reading, writer, moment, form, "transfer", to_site, reason)

    return perform(desk, act, "vials_transferred", form, build, (Signing(own, "packed and sent"),))


def _leaving(
    reading: Reading,
    writer: Writer,
    moment: Moment,
    form: ReturnForm | TransferForm,
    move_name: str,
    party: str,
    reason: str,
) -> Draft:
    carrier = form.carrier
    typed = {
        "courier": reading.text(carrier.courier, "carrier.courier", "The courier", longest=60),
        "tracking_number": reading.text(
            carrier.tracking_number, "carrier.tracking_number", "The tracking number", longest=60
        ),
        "packages": reading.count(carrier.packages, "carrier.packages", "The number of packages", low=1, high=99),
        "seal": reading.text(carrier.seal, "carrier.seal", "The seal's number", longest=60),
        "logger_serial": reading.text(
            carrier.logger_serial, "carrier.logger_serial", "The logger's serial number", longest=60
        ),
    }
    if form.in_original_containers != "yes":
        reading.fault(
            "in_original_containers",
            "Unopened vials leave in their original containers only. Confirm it for each vial, or keep them here.",
            "R56",
            "8.2",
        )
    note = reading.note(form.note, "note", "The note", longest=500)
    vials = _chosen(reading, writer, form.unit_numbers, moment.today, move_name)
    if moment.signers[0].account_id != moment.person.account_id:
        reading.fault("user_name", f"Sign with your own account: {moment.person.printed_name} is signed in here.")
    done_at, late_why = read_done(reading, form.done_at, form.late_why, moment)
    permission = _permission(
        reading, writer, form.permission, vials, done_at or moment.now, "R56", purpose=PURPOSE_OF[move_name]
    )
    reading.done()
    content = _moves(
        writer,
        done_at or moment.now,
        vials,
        move_name,
        {"counterparty": party, "reference": permission, "comment": "; ".join(part for part in (reason, note) if part)},
    )
    return Draft(
        {**content, "permission": permission, "party": party, "reason": reason, "carrier": typed, "note": note},
        done_at,
        late_why=late_why,
    )


# --- destruction -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DestroyForm:
    """Opened or empty containers to destroy on site, under the supporter's permission."""

    unit_numbers: tuple[str, ...]
    permission: str
    method: str
    container: str
    certificate: str = ""
    note: str = ""
    done_at: str = ""
    late_why: str = ""


def destroy_vials(desk: Desk, act: Act, form: DestroyForm, own: Credentials, witness: Credentials) -> Event:
    """Destroy opened or empty containers: permission attached, monitor's accountability done, doer and witness sign.

    The protocol says it twice, once more weakly; the stricter sentence holds (§ 8.2; RULES R57, A21). A try before the
    monitor's accountability is kept in the journal.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        method = reading.text(form.method, "method", "The method", longest=120)
        container = reading.text(form.container, "container", "The waste container or manifest", longest=120)
        certificate = reading.note(form.certificate, "certificate", "The certificate", longest=120)
        note = reading.note(form.note, "note", "The note", longest=500)
        vials = _chosen(reading, writer, form.unit_numbers, moment.today, "destroy")
        done_at, late_why = read_done(reading, form.done_at, form.late_why, moment)
        permission = _permission(
            reading, writer, form.permission, vials, done_at or moment.now, "R57", purpose=DESTRUCTION
        )
        too_early = [
            Fault(
                "unit_numbers",
                f"The supporter's monitor has not accounted for vial {vial.unit_number} yet. Keep its container"
                " until then.",
                "R57",
                "8.2",
            )
            for vial in vials
            if not vial.accounted_by and vial.state in move_table().moves["destroy"].from_states
        ]
        reading.faults += too_early
        _two_people(reading, moment)
        if too_early:
            raise Denied(*reading.faults)
        reading.faults += _accounted_later(writer, vials, done_at or moment.now, moment)
        reading.done()
        content = _moves(
            writer,
            done_at or moment.now,
            vials,
            "destroy",
            {
                "counterparty": container,
                "reference": permission,
                "comment": "; ".join(part for part in (method, certificate, note) if part),
                "verifier": moment.signers[1].printed_name,
            },
        )
        facts = {"permission": permission, "method": method, "container": container, "certificate": certificate}
        return Draft({**content, **facts, "note": note}, done_at, late_why=late_why)

    return perform(
        desk,
        act,
        "vials_destroyed",
        form,
        build,
        (Signing(own, "destroyed"), Signing(witness, "witnessed the destruction", "witness_password")),
    )


def _accounted_later(reader: Reader, vials: Sequence[Vial], done_at: datetime, moment: Moment) -> list[Fault]:
    """Refuse a destruction dated before the accountability of its containers: it comes first (R57)."""
    waiting = {vial.unit_number for vial in vials if vial.accounted_by}
    zone, faults = zone_of(moment.site), []
    for event in reader.events_between(("vials_accounted",), 0, reader.head().seq + 1):
        of_it = sorted(waiting.intersection(event.content["unit_numbers"]))
        waiting -= set(of_it)
        if of_it and event.done_at > done_at:
            faults.append(
                Fault(
                    "done_at",
                    f"The monitor accounted for {', '.join(of_it)} on"
                    f" {say_moment(event.done_at.astimezone(zone))}. Nothing is destroyed before that. Leave the time"
                    " empty, so that it counts from now, and say in the note when it was done.",
                    "R57",
                    "8.2",
                )
            )
        if not waiting:
            break
    return faults


# --- what they share -------------------------------------------------------------------------------------------


def _signings(credentials: tuple[Credentials, Credentials], meaning: str) -> tuple[Signing, Signing]:
    own, second = credentials
    return Signing(own, meaning), Signing(second, f"{meaning}, as the second person", "witness_password")


def _two_people(reading: Reading, moment: Moment) -> None:
    first, second = moment.signers
    if first.account_id != moment.person.account_id:
        reading.fault("user_name", f"Sign with your own account: {moment.person.printed_name} is signed in here.")
    if first.account_id == second.account_id or first.printed_name == second.printed_name:
        reading.fault("witness_user_name", "The second person is another one. Ask somebody who was there.")


def _closed(reader: Reader, vial: Vial) -> bool:
    """Whether a container's content is closed in the mg ledger; one that was never opened has nothing to close."""
    thread = reader.dose(vial.dose_id) if vial.dose_id else None
    lines = thread.mg if thread is not None else ()
    return not any(line.unit_number == vial.unit_number and line.residue_mg is None for line in lines)


def _chosen(reading: Reading, reader: Reader, unit_numbers: Sequence[str], today: date, move_name: str) -> list[Vial]:
    """The named vials, each with its refusal when the move does not start from its state."""
    vials = vials_named(reading, reader, unit_numbers, today)
    for vial in vials:
        reading.take(lambda vial=vial: move(vial, move_name), None)  # type: ignore[misc]
    return vials


def _permission(
    reading: Reading,
    reader: Reader,
    typed: str,
    vials: Sequence[Vial],
    done_at: datetime,
    rule: str,
    *,
    purpose: str,
) -> str:
    """The number of the supporter's permission for these vials; ``rule`` is the one that asks for it."""
    done_on = done_at.astimezone(zone_of(site_of(reader))).date()
    document = supporters_word(reading, reader, typed, vials, done_on=done_on, rule=rule, purpose=purpose)
    return document.document_id if document is not None else ""


def _moves(
    writer: Writer,
    done_at: datetime,
    vials: Sequence[Vial],
    how: str | Callable[[Vial], Moved],
    line: dict[str, str],
) -> dict[str, object]:
    """The moves of an act with what their lines say; ``how`` is the move's name, or gives each vial's own."""
    check_order(writer, [vial.unit_number for vial in vials], utc_text(done_at))
    if any(vial.dose_id for vial in vials if vial.state == "reserved"):
        doses = ", ".join(sorted({vial.dose_id for vial in vials if vial.state == "reserved"}))
        line = {**line, "dose_id": doses}
    moves = [move(vial, how) if isinstance(how, str) else how(vial) for vial in vials]
    return {"moves": moves, "line": line}
