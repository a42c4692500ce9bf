"""What becomes of vials that are not given: broken, missing and found, the monitor's accountability, return, transfer,
destruction (§ 8.2).

Each act is one move of the table for all its vials or for none. The proofs a move needs stand in the table; here each
is asked for by name, so that a screen can show what is missing before anybody signs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.vials import Vial, move, move_table
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Credentials, Denied, Desk, Draft, Moment, Signing, perform, zone_of
from pharmacy_app.services.documents import SUPPORTERS_PERMISSION
from pharmacy_app.services.late import read_done
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.stock import check_order

PERMISSION_KIND = SUPPORTERS_PERMISSION
"""The kind of document that carries the supporter's written permission."""

ASKED_WITH_THE_ACT = "asked for with the act"
"""What is missing of a proof that is given by signing or typing, not kept beforehand."""

UNOPENED = tuple(state.name for state in move_table().states.values() if state.on_site in ("available", "quarantine"))
"""The states of vials that nobody has opened yet."""

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
            missing = "" if permissions(reader) else "no document of this kind is attached yet"
        elif name == "accountability":
            vials = [vial for vial in (reader.vial(number) for number in unit_numbers) if vial is not None]
            open_vials = [vial.unit_number for vial in vials if not vial.accounted_by]
            missing = "" if vials and not open_vials else f"not done for {', '.join(open_vials) or 'any vial'}"
        lines.append(ProofLine(name, proof.says, proof.section, not missing, missing))
    return tuple(lines)


def permissions(reader: Reader) -> tuple[views.DocumentLine, ...]:
    """The supporter's written permissions that are attached, newest first."""
    return tuple(document for document in reader.documents() if document.kind == PERMISSION_KIND)


# --- broken, missing, found -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LossForm:
    """Vials that were broken, are missing or were found again, and how it came about."""

    unit_numbers: tuple[str, ...]
    why: str
    done_at: str = ""
    late_why: str = ""


def break_vials(desk: Desk, act: Act, form: LossForm, own: Credentials, second: Credentials) -> Event:
    """Record unopened vials as broken, signed by who saw it and a second person."""
    return _lost(desk, act, form, (own, second), "vials_broken", "break", "broke or found it broken")


def miss_vials(desk: Desk, act: Act, form: LossForm, own: Credentials, second: Credentials) -> Event:
    """Record vials as missing, signed by two people who searched."""
    return _lost(desk, act, form, (own, second), "vials_missing", "miss", "searched and did not find it")


def find_vials(desk: Desk, act: Act, form: LossForm, own: Credentials, second: Credentials) -> Event:
    """Record missing vials as found: nobody knows how they were stored, so they go into quarantine (RULES R54)."""
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
        vials = _chosen(reading, writer, form.unit_numbers, move_name)
        _two_people(reading, moment)
        done_at, late_why = read_done(reading, form.done_at, form.late_why, moment)
        reading.done()
        line = {"comment": why, "verifier": moment.signers[1].printed_name}
        content = _moves(writer, done_at or moment.now, vials, move_name, line)
        if kind == "vials_found":
            content["hold_reason"] = f"found after it was missing: {why}"
        return Draft(content, done_at, why, late_why)

    return perform(desk, act, kind, form, build, _signings(credentials, meaning))


# --- the monitor's accountability ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountForm:
    """Opened containers whose accountability the monitor has done."""

    unit_numbers: tuple[str, ...]
    note: str = ""


def account_for(desk: Desk, act: Act, form: AccountForm, own: Credentials) -> Event:
    """Record the monitor's accountability of empty, partial or broken containers; only then may they be destroyed."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        note = reading.note(form.note, "note", "The note", longest=500)
        vials = _known(reading, writer, form.unit_numbers)
        may = move_table().moves["destroy"].from_states
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
        return Draft({"unit_numbers": [vial.unit_number for vial in vials], "note": note}, why=note)

    return perform(desk, act, "vials_accounted", form, build, (Signing(own, "did the accountability"),))


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
        vials = _known(reading, writer, form.unit_numbers)
        for vial in vials:
            _may_come_back(reading, vial, thread)
        done_at, late_why = read_done(reading, form.done_at, form.late_why, moment)
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
    permission = _permission(reading, writer, form.permission, "R56")
    vials = _chosen(reading, writer, form.unit_numbers, move_name)
    if moment.signers[0].account_id != moment.person.account_id:
        reading.fault("user_name", f"Sign with your own account: {moment.person.printed_name} is signed in here.")
    done_at, late_why = read_done(reading, form.done_at, form.late_why, moment)
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
        permission = _permission(reading, writer, form.permission, "R57")
        vials = _chosen(reading, writer, form.unit_numbers, "destroy")
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
        done_at, late_why = read_done(reading, form.done_at, form.late_why, moment)
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


def _known(reading: Reading, reader: Reader, unit_numbers: Sequence[str]) -> list[Vial]:
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


def _chosen(reading: Reading, reader: Reader, unit_numbers: Sequence[str], move_name: str) -> list[Vial]:
    """The named vials, each with its refusal when the move does not start from its state."""
    vials = _known(reading, reader, unit_numbers)
    for vial in vials:
        reading.take(lambda vial=vial: move(vial, move_name), None)  # type: ignore[misc]
    return vials


def _permission(reading: Reading, reader: Reader, typed: str, rule: str) -> str:
    """The number of an attached permission of the supporter; ``rule`` is the one that asks for it."""
    number = typed.strip().upper()
    document = reader.document(number) if number else None
    if document is None:
        reading.fault(
            "permission",
            "Attach the supporter's written permission first, then choose it here."
            if not number
            else f"No document {number} is attached.",
            rule,
            "8.2",
        )
    elif document.kind != PERMISSION_KIND:
        reading.fault(
            "permission", f"Document {number} is a {document.kind}, not the supporter's permission.", rule, "8.2"
        )
    return number


def _moves(
    writer: Writer, done_at: datetime, vials: Sequence[Vial], move_name: str, line: dict[str, str]
) -> dict[str, object]:
    check_order(writer, [vial.unit_number for vial in vials], utc_text(done_at))
    if any(vial.dose_id for vial in vials if vial.state == "reserved"):
        doses = ", ".join(sorted({vial.dose_id for vial in vials if vial.state == "reserved"}))
        line = {**line, "dose_id": doses}
    return {"moves": [move(vial, move_name) for vial in vials], "line": line}
