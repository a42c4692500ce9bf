"""The report of a storage deviation to the supporter, printed as often as it is needed (§ 8.2)."""

from collections.abc import Iterable, Sequence

from pharmacy_app.domain.dates import at_site, say_day, say_moment
from pharmacy_app.domain.units import show
from pharmacy_app.services import views
from pharmacy_app.services.charts import temperatures
from pharmacy_app.services.desk import Act, Desk, Moment, protocol_in, version_on, zone_of
from pharmacy_app.services.packing_list import kit_ranges
from pharmacy_app.services.papers import ExcursionReport, ExcursionTold, ExcursionVial, PrintedSignature
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import Printed, Tell, print_record, signatures_of, stamp_of, told, unit_ranges
from pharmacy_app.services.storage import DeviationRecord, ExposedVial, deviation_record

PAPER = "storage deviation report"

_ENDED = {
    "release": "released",
    "lift quarantine": "released",
    "return": "returned",
    "transfer": "transferred",
    "destroy": "destroyed",
    "break": "broken",
    "miss": "missing",
    "lose": "lost",
}
"""How a move that ends the quarantine of a vial is said."""


def print_deviation(desk: Desk, act: Act, deviation_id: str, tell: Tell | None = None) -> Printed:
    """Print a storage deviation as it stands now; anyone signed in may, copies after the first say so.

    ``tell`` hears how many of its vials were looked up and may raise to stop it.
    """

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        record = deviation_record(desk, reader, deviation_id)
        return desk.papers.excursion_report(_report(desk, reader, moment, record, copy_number, tell))

    return print_record(desk, act, PAPER, deviation_id.strip().upper(), make)


def _report(
    desk: Desk, reader: Reader, moment: Moment, record: DeviationRecord, copy_number: int, tell: Tell | None
) -> ExcursionReport:
    line, site = record.line, moment.site
    zone = zone_of(site)
    version = version_on(site, line.started_at.astimezone(zone).date())
    decided = {
        (vial.line.document_id, _by_document(reader, vial.line.document_id))
        for vial in record.vials
        if vial.line.document_id
    }
    closed = (
        f"closed {say_moment(line.closed_at)} by {line.closed_by}"
        if line.closed_at is not None
        else f"open; missing: {', '.join(record.missing) or 'nothing'}"
    )
    return ExcursionReport(
        stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now, version),
        deviation_id=line.deviation_id,
        copy_number=copy_number,
        status=closed,
        product=protocol_in(version).study.drug,
        investigator=site.principal_investigator,
        pharmacy_phone=site.pharmacy_phone,
        place=line.place,
        source=line.source,
        logger_serial=line.logger_serial,
        calibration_due=line.calibration_due,
        document_id=line.document_id,
        file_sha256=line.file_sha256,
        limits=record.limits,
        min_celsius=line.min_celsius,
        max_celsius=line.max_celsius,
        spans=record.spans,
        picture=temperatures(record.trace, record.spans, record.limits) if record.trace else None,
        discovered_by=line.discovered_by,
        discovered_at=at_site(line.discovered_at, zone),
        done=line.done,
        kits=kits_words(record.vials),
        quarantined=_quarantined(reader, record),
        told=tuple(
            ExcursionTold(told.name, told.how, at_site(told.told_at, zone), told.data_sent, told.recorder)
            for told in record.told
        ),
        decisions=_counted(vial.line.decision or "not decided" for vial in record.vials if vial.was_unopened),
        decided="; ".join(words for _, words in sorted(decided)),
        cause=line.cause,
        action=line.action,
        outcomes="; ".join(dict.fromkeys(outcome_words(vial) for vial in record.vials if vial.outcome is not None)),
        vials=tuple(_vial(reader, vial) for vial in told(record.vials, len(record.vials), tell)),
        signatures=_signatures(reader, line),
    )


def _vial(reader: Reader, vial: ExposedVial) -> ExcursionVial:
    line = vial.line
    return ExcursionVial(
        line.unit_number,
        line.kit_number,
        line.strength_mg,
        line.lot,
        line.expires_on,
        line.state_then,
        vial.state,
        dose_words(reader, line.dose_id),
        vial.was_used,
        line.decision,
        _by_document(reader, line.document_id) if line.document_id else "",
        outcome_words(vial),
    )


def dose_words(reader: Reader, dose_id: str) -> str:
    """A dose with its subject and the day it was given or is planned; '' without a dose."""
    thread = reader.dose(dose_id) if dose_id else None
    if thread is None:
        return ""
    dose = thread.line
    day = f"given {say_day(dose.given_on)}" if dose.given_on else f"planned {say_day(dose.planned_on)}"
    return f"{dose_id}, subject {dose.subject_number}, {day}"


def outcome_words(vial: ExposedVial) -> str:
    """How a vial's quarantine ended, by whom and when; '' while it lasts."""
    outcome = vial.outcome
    if outcome is None:
        return ""
    reference = outcome.reference or "no document"
    return f"{_ENDED[outcome.move]} by {outcome.recorder}, {say_moment(outcome.done_at)}, {reference}"


def kits_words(vials: Sequence[ExposedVial]) -> str:
    """The vials by strength and lot with their numbers and how many they are."""
    lots: dict[tuple[str, str], list[views.DeviationVial]] = {}
    for vial in vials:
        lots.setdefault((show(vial.line.strength_mg), vial.line.lot), []).append(vial.line)
    parts = []
    for (strength, lot), lines in sorted(lots.items()):
        kits = kit_ranges([line.kit_number for line in lines if line.kit_number])
        units = unit_ranges(tuple(line.unit_number for line in lines))
        parts.append(f"{strength} mg lot {lot}: {units}{f'; kits {kits}' if kits else ''}; qty {len(lines)}")
    return "; ".join(parts)


def _quarantined(reader: Reader, record: DeviationRecord) -> str:
    seqs = sorted({vial.line.event_seq for vial in record.vials if vial.line.quarantined})
    events = [event for event in (reader.event(seq) for seq in seqs) if event is not None]
    return "; ".join(f"{event.actor_name}, {say_moment(event.done_at)}" for event in events)


def _by_document(reader: Reader, document_id: str) -> str:
    document = reader.document(document_id)
    assert document is not None  # A decision was refused without it, and documents stay.
    return f"{document.signed_by or 'nobody named as signing'}, {document_id}, {say_day(document.dated_on)}"


def _counted(words: Iterable[str]) -> str:
    counts: dict[str, int] = {}
    for each in words:
        counts[each] = counts.get(each, 0) + 1
    return "; ".join(f"{count} {each}" for each, count in counts.items())


def _signatures(reader: Reader, line: views.DeviationLine) -> tuple[PrintedSignature, ...]:
    event = reader.event(line.closed_seq) if line.closed_seq is not None else None
    return signatures_of(reader, event) if event is not None else ()
