"""Records of subjects and doses: the dispensing log of a subject, and the whole thread of one dose."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.comparisons import DoseComparison
from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.treatment import Treatment
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import Vial
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Moment, protocol_in, protocol_of, version_on, zone_of
from pharmacy_app.services.doses import decision_of
from pharmacy_app.services.papers import PrintedSignature
from pharmacy_app.services.papers_records import (
    CorrectedValue,
    DispensedVial,
    DispensingLine,
    DispensingLog,
    DoseRecord,
    KeptPaper,
    LifeLine,
    Measured,
    MilligramLine,
    ThreadEntry,
)
from pharmacy_app.services.ports import LabelFilter, Reader, TrailFilter
from pharmacy_app.services.printing import Printed, Tell, print_record, signatures_of, stamp_of, told

DISPENSING_LOG = "subject dispensing log"
DOSE_RECORD = "dose record"


def print_dispensing_log(desk: Desk, act: Act, subject_number: str, tell: Tell | None = None) -> Printed:
    """The dispensing log of one subject with the columns of REGULATION 6.3; anyone signed in may print it.

    ``tell`` hears how far it is and may raise to stop it.
    """
    number = subject_number.strip().upper()

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        subject = reader.subject(number)
        if subject is None:
            raise Refused(Fault("subject_number", f"Subject {number or 'without a number'} is not enrolled."))
        doses = [dose.dose_id for dose in reader.doses(subject_number=number)]
        # The head of the paper names what all of its lines were calculated by: each dose is read twice, none is kept.
        formulas, versions = _calculated_by(moment.site, _threads(reader, doses))
        threads = enumerate(_threads(reader, doses), start=1)
        return desk.papers.dispensing_log(
            DispensingLog(
                stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now),
                copy_number=copy_number,
                product=protocol_of(moment.site, moment.today).study.drug,
                subject_number=number,
                subject_initials=subject.initials,
                investigator=moment.site.principal_investigator,
                bsa_formulas=formulas,
                protocol_versions=versions,
                lines=told((_line(reader, moment, at, thread) for at, thread in threads), len(doses), tell),
                omitted=tuple(_omitted(reader, number)),
            )
        )

    return print_record(desk, act, DISPENSING_LOG, number, make)


def print_dose(desk: Desk, act: Act, dose_id: str) -> Printed:
    """The whole thread of one dose, from the weight to the destroyed vial; anyone signed in may print it."""
    tidy = dose_id.strip().upper()

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        thread = reader.dose(tidy)
        if thread is None:
            raise Refused(Fault("dose_id", f"There is no dose {tidy or 'without a number'}."))
        return desk.papers.dose_record(_record(desk, reader, moment, thread, copy_number))

    return print_record(desk, act, DOSE_RECORD, tidy, make)


def _threads(reader: Reader, dose_ids: Iterable[str]) -> Iterator[views.DoseThread]:
    return (thread for thread in map(reader.dose, dose_ids) if thread is not None)


def _calculated_by(site: views.Site, threads: Iterable[views.DoseThread]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The BSA formulas and the protocol's versions by which doses were decided, each once."""
    formulas: dict[str, None] = {}
    versions: dict[str, None] = {}
    for thread in threads:
        formulas.setdefault(thread.bsa_formula)
        versions.setdefault(_version(site, thread))
    return tuple(filter(None, formulas)), tuple(filter(None, versions))


def _version(site: views.Site, thread: views.DoseThread) -> str:
    """The version of the protocol by which a dose was decided, '' while it is not."""
    if thread.decision is None:
        return ""
    decided_by = thread.decision["answer"]["protocol_sha256"]
    return next((version.label for version in site.versions if version.sha256 == decided_by), decided_by[:12])


# --- one dose in a line ------------------------------------------------------------------------------------------


def _line(reader: Reader, moment: Moment, number: int, thread: views.DoseThread) -> DispensingLine:
    line, zone = thread.line, zone_of(moment.site)
    decision = None if thread.decision is None else decision_of(thread)
    ordered = reader.event(thread.order_seq)
    assert ordered is not None
    preparation: dict[str, Any] = thread.preparation or {}
    # Of a dose of which nothing was given there is no infusion: the paper says so, and why.
    given: dict[str, Any] = (thread.administration if line.administered_mg else None) or {}
    percent = from_plain(DoseComparison, given["comparison"]).percent if given else None
    used = _used(reader, thread)
    closed = [each for each in thread.mg if each.residue_mg is not None and each.discarded_mg is not None]
    wasted = [each.labelled_mg - each.withdrawn_mg for each in closed]
    left = None
    if thread.prepared_mg is not None and line.administered_mg is not None:
        left = thread.prepared_mg - line.administered_mg
    errors = [error.error_id for error in reader.errors() if error.dose_id == line.dose_id]
    return DispensingLine(
        line=number,
        dose_id=line.dose_id,
        ordered_at=ordered.recorded_at.astimezone(zone),
        prescriber=line.prescriber,
        cycle=line.cycle,
        day=line.day,
        weight_kg=thread.weight_kg,
        weighed_on=thread.weight_on,
        height_cm=thread.height_cm,
        weight_since=_since(reader, used.get("weight"), "kg"),
        height_since=_since(reader, used.get("height"), "cm"),
        bsa_m2=decision.bsa_m2 if decision else None,
        level=_level(thread),
        dose_mg_per_m2=decision.dose_mg_per_m2 if decision else None,
        calculated_mg=decision.planned_mg_unrounded if decision else None,
        prescribed_mg=line.prescribed_mg,
        prescribed_percent=decision.prescribed.percent if decision and decision.prescribed else None,
        vials=tuple(_vial(vial) for vial in _taken(reader, thread)),
        reconstituted_at=_at(preparation, "reconstituted_at", zone),
        withdrawn_ml=_decimal(preparation, "drawn_ml"),
        prepared_mg=thread.prepared_mg,
        diluent=preparation.get("diluent", ""),
        final_ml=_decimal(preparation, "bag_volume_ml"),
        final_mg_per_ml=_decimal(preparation, "final_mg_per_ml"),
        beyond_use_at=_at(preparation, "beyond_use_at", zone),
        prepared_by=thread.prepared_by,
        verified_by=thread.verified_by,
        released_to=thread.released_to,
        released_at=None if thread.released_at is None else thread.released_at.astimezone(zone),
        started_at=_at(given, "started_at", zone),
        ended_at=_at(given, "ended_at", zone),
        administered_mg=line.administered_mg or None,
        administered_percent=percent,
        wasted_mg=sum(wasted, Decimal(0)) if wasted else None,
        not_given_mg=left,
        error=", ".join(errors),
        comments=_comments(thread, left),
        ended=_ended(thread),
        corrected=tuple(_corrected(reader, zone, [*_seqs(thread), *(each.event_seq for each in used.values())])),
    )


def _taken(reader: Reader, thread: views.DoseThread) -> Sequence[Vial]:
    """The vials that were opened for a dose; before that, those reserved for it."""
    opened = [vial for vial in (reader.vial(each.unit_number) for each in thread.mg) if vial is not None]
    return opened or thread.vials


def _vial(vial: Vial) -> DispensedVial:
    return DispensedVial(vial.unit_number, vial.kit_number, vial.strength_mg, vial.lot, vial.expires_on, vial.state)


def _level(thread: views.DoseThread) -> str:
    """The dose level, or why there is none: levels exist beyond cycle 1 only (§ 8.1.6)."""
    stated = Treatment()
    if thread.decision is not None:
        stated = from_plain(Treatment, thread.decision["facts"].get("treatment", {}))
    return str(thread.line.level) if stated.has_levels(thread.line.course, thread.line.cycle) else "N/A: cycle 1"


def _comments(thread: views.DoseThread, left: Decimal | None) -> str:
    words = (thread.decision["reason"] if thread.decision else "", _on_the_infusion(thread, left))
    return " ".join(part for part in words if part)


def _on_the_infusion(thread: views.DoseThread, left: Decimal | None) -> str:
    given: dict[str, Any] = thread.administration or {}
    words = [given.get("note", "")]
    if thread.line.administered_mg and given.get("stopped_for"):
        words.append(f"Infusion stopped part-way for {given['stopped_for']}.")
    if left:
        words.append(f"{left.normalize():f} mg left in the bag, not given.")
    return " ".join(part for part in words if part)


def _ended(thread: views.DoseThread) -> str:
    if thread.line.status == "cancelled":
        return f"CANCELLED: {thread.cancelled_why}"
    if thread.line.status == "stopped":
        return "STOPPED by the rules: see the dose record."
    if thread.administration is not None and not thread.line.administered_mg:
        return ": ".join(part for part in ("NOT GIVEN", thread.administration.get("stopped_for")) if part) + "."
    return ""


def _seqs(thread: views.DoseThread) -> list[int]:
    """The entries that made a dose what it is."""
    steps = (
        thread.order_seq,
        thread.decision_seq,
        thread.plan_seq,
        thread.verify_seq,
        thread.prepare_seq,
        thread.release_seq,
        thread.administer_seq,
        thread.close_seq,
    )
    return [seq for seq in steps if seq]


def _corrected(reader: Reader, zone: Any, seqs: Sequence[int]) -> Iterator[CorrectedValue]:
    """What was corrected in these entries, and in their corrections, each value with what it was, oldest first."""
    found: dict[int, views.CorrectionLine] = {}
    waiting = set(seqs)
    while waiting:
        # A corrected step of a dose is known by its correction: what that took the place of lies before it.
        earlier = (reader.correction_made_by(seq) for seq in waiting)
        lines = [*reader.corrections(list(waiting)).values(), *(line for line in earlier if line is not None)]
        waiting = {
            seq for line in lines if line.event_seq not in found for seq in (line.event_seq, line.corrects_seq)
        } - waiting
        found |= {line.event_seq: line for line in lines}
    for _, line in sorted(found.items()):
        for change in line.changes:
            yield CorrectedValue(
                change.label,
                change.old,
                change.new,
                line.event_seq,
                line.signed_by,
                line.corrected_at.astimezone(zone),
                line.why,
            )


def _omitted(reader: Reader, subject_number: str) -> Iterator[str]:
    """The doses that were not ordered because somebody decided so, in words."""
    for line in reader.treatment(subject_number):
        if line.kind == "dose_omitted" and line.withdrawn_seq is None:
            said = line.entry
            decided_on = say_day(datetime.fromisoformat(said["decided_on"]).date())
            yield (
                f"Course {said['course']}, cycle {said['cycle']}, day {said['day']}: {said['cause']}. Decided by"
                f" {said['decided_by']} on {decided_on}: {said['why']} (entry {line.event_seq}, {line.recorder})"
            )


def _at(facts: dict[str, Any], name: str, zone: Any) -> datetime | None:
    return datetime.fromisoformat(facts[name]).astimezone(zone) if facts.get(name) else None


def _decimal(facts: dict[str, Any], name: str) -> Decimal | None:
    return Decimal(facts[name]) if facts.get(name) else None


# --- the whole thread --------------------------------------------------------------------------------------------


def _record(desk: Desk, reader: Reader, moment: Moment, thread: views.DoseThread, copy_number: int) -> DoseRecord:
    line, dose = thread.line, _line(reader, moment, 1, thread)
    decision = None if thread.decision is None else decision_of(thread)
    zone = zone_of(moment.site)
    units = [vial.unit_number for vial in _taken(reader, thread)]
    entries = [reader.event(seq) for seq in _seqs(thread)]
    version = version_on(moment.site, line.planned_on)
    if thread.decision is not None:
        decided_by = thread.decision["answer"]["protocol_sha256"]
        version = next((each for each in moment.site.versions if each.sha256 == decided_by), version)
    return DoseRecord(
        stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now, version),
        copy_number=copy_number,
        product=protocol_in(version).study.drug,
        subject_number=line.subject_number,
        course=line.course,
        status=line.status,
        planned_on=line.planned_on,
        formula=thread.bsa_formula,
        protocol_decided_by=_version(moment.site, thread),
        # The reason of the decision has a place of its own here.
        dose=replace(dose, comments=_on_the_infusion(thread, dose.not_given_mg)),
        measured=tuple(_measured(reader, thread, zone)),
        steps=decision.steps if decision else (),
        findings=decision.findings if decision else (),
        reason=thread.decision["reason"] if thread.decision else "",
        milligrams=tuple(
            MilligramLine(each.unit_number, each.labelled_mg, each.withdrawn_mg, each.residue_mg, each.discarded_mg)
            for each in thread.mg
        ),
        life=tuple(_life(reader, units, zone)),
        papers=tuple(_papers(reader, line.dose_id, zone)),
        documents=tuple(
            KeptPaper(
                f"{each.kind}: {each.title}",
                each.document_id,
                each.attached_at.astimezone(zone),
                each.attached_by,
                each.sha256,
            )
            for each in reader.documents(about=line.dose_id)
        ),
        errors=tuple(
            f"{error.error_id}, {error.status}{f', category {error.category}' if error.category else ''}:"
            f" {error.sentence or error.what_happened}"
            for error in reader.errors()
            if error.dose_id == line.dose_id
        ),
        entries=tuple(entry_of(event, zone) for event in reader.trail(TrailFilter(text=line.dose_id))),
        signatures=_signed(reader, entries),
    )


def _signed(reader: Reader, entries: Sequence[views.EventLine | None]) -> tuple[PrintedSignature, ...]:
    return tuple(each for event in entries if event is not None for each in signatures_of(reader, event))


def entry_of(event: views.EventLine, zone: Any) -> ThreadEntry:
    """An entry of the journal as records list it."""
    return ThreadEntry(
        event.seq,
        kind_said(event.kind),
        event.done_at.astimezone(zone),
        event.recorded_at.astimezone(zone),
        event.actor_name,
        event.why,
        event.signatures,
        event.hash,
    )


def kind_said(kind: str) -> str:
    """An entry's kind in words: ``vials_destroyed`` is ``Vials destroyed``."""
    return kind.replace("_", " ").capitalize()


def _measured(reader: Reader, thread: views.DoseThread, zone: Any) -> Iterator[Measured]:
    """Heights and weights up to the dose's day, those that were corrected as well; ``used``: the decision took it."""
    used = _used(reader, thread)
    for line in reader.measurements(thread.line.subject_number, corrected=True):
        if line.measured_on > thread.line.planned_on:
            continue
        yield Measured(
            line.kind,
            f"{line.typed_value} {line.typed_unit}",
            line.measured_on,
            line.recorded_at.astimezone(zone),
            line.recorder,
            line == used.get(line.kind),
            line.corrected_seq or 0,
        )


def _used(reader: Reader, thread: views.DoseThread) -> dict[str, views.MeasurementLine]:
    """The height and the weight by which a dose was decided, by their names: entered before it, with these values.

    One that was corrected before the decision is taken only where no other has the value: a weight is carried on from
    the dose before.
    """
    decided_seq = thread.decision_seq or 0
    taken = {"height": (thread.height_cm, _height_on(thread)), "weight": (thread.weight_kg, thread.weight_on)}
    found: dict[str, views.MeasurementLine] = {}
    entered = [
        line
        for line in reader.measurements(thread.line.subject_number, corrected=True)
        if line.event_seq < decided_seq and (line.value, line.measured_on) == taken.get(line.kind)
    ]
    for line in sorted(entered, key=lambda each: (0 < (each.corrected_seq or 0) < decided_seq, -each.event_seq)):
        found.setdefault(line.kind, line)
    return found


def _since(reader: Reader, used: views.MeasurementLine | None, unit: str) -> str:
    """What a value that a dose was decided by was corrected to since, and by which entry; '' while it stands."""
    if used is None:
        return ""
    lines = {
        each.event_seq: each
        for each in reader.measurements(used.subject_number, corrected=True)
        if each.kind == used.kind
    }
    line, last = used, 0
    while line.corrected_seq is not None:
        last = line.corrected_seq
        if last not in lines:
            return f"taken back since by entry {last}"
        line = lines[last]
    if (line.value, line.measured_on) == (used.value, used.measured_on):
        return ""
    on = f" of {say_day(line.measured_on)}" if line.measured_on != used.measured_on else ""
    return f"corrected since to {show(line.value)} {unit}{on} by entry {last}"


def _height_on(thread: views.DoseThread) -> Any:
    height = (thread.decision or {}).get("facts", {}).get("height")
    return datetime.fromisoformat(height["measured_on"]).date() if height else None


def _life(reader: Reader, units: Sequence[str], zone: Any) -> Iterator[LifeLine]:
    for unit in units:
        life = reader.vial_life(unit)
        lines = life.lines if life else ()
        corrections = reader.corrections([line.event_seq for line in lines])
        for line in lines:
            correction = corrections.get(line.event_seq)
            yield LifeLine(
                unit,
                line.done_at.astimezone(zone),
                line.transaction or line.move.capitalize(),
                line.from_state,
                line.to_state,
                line.place,
                line.reference,
                line.recorder,
                line.verifier,
                line.event_seq,
                correction is not None and correction.moved_vials,
            )


def _papers(reader: Reader, dose_id: str, zone: Any) -> Iterator[KeptPaper]:
    for each in reversed(reader.printed(about=dose_id)):
        again = f", reprint {each.copy_number - 1}: {each.why}" if each.copy_number > 1 else ""
        yield KeptPaper(f"{each.paper}{again}", dose_id, each.printed_at.astimezone(zone), each.printed_by, each.sha256)
    for label in reader.labels(LabelFilter(about=dose_id)):
        if label.status == "void":
            voided = f" (void: {label.void_why})"
        else:
            scanned = f", scanned {say_moment(label.scanned_at.astimezone(zone))}" if label.scanned_at else ""
            voided = f" ({label.status}{scanned})"
        event = reader.event(label.event_seq)
        digest = event.content["sha256"] if event else ""
        yield KeptPaper(
            f"label {label.kind}{voided}",
            label.number,
            label.printed_at.astimezone(zone),
            label.printed_by,
            digest,
        )
