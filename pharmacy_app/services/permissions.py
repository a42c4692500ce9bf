"""The supporter's written word: whether a document permits something of these vials (§ 8.2; RULES R54, R56, R57).

Whatever is done by it – vials go back to use, leave, are destroyed, count longer –, the document is looked at in one
way: its kind, who signed it, what it is about, and whether it could know of what it is to permit.
"""

from collections.abc import Sequence
from datetime import date

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.vials import Vial, looks_like_ours
from pharmacy_app.services import views
from pharmacy_app.services.about import lot_name
from pharmacy_app.services.desk import site_of, zone_of
from pharmacy_app.services.documents import SUPPORTERS_PERMISSION, TRANSFER, USE
from pharmacy_app.services.exposures import MUST_NOT_BE_USED, alarms_read
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.reading import Reading

KEPT_BACK = ("held", "quarantined")
"""The states of vials that wait for the supporter's word."""

NAMED_AT_MOST = 5
"""Vials named one by one when many are in the way."""


def supporters_word(
    reading: Reading,
    reader: Reader,
    typed: str,
    vials: Sequence[Vial],
    *,
    purpose: str,
    done_on: date,
    rule: str,
    field: str = "permission",
    kinds: Sequence[str] = (SUPPORTERS_PERMISSION,),
    knows_of_quarantine: bool = True,
) -> views.DocumentLine | None:
    """The attached document that is named, or ``None``; every fault of it for these vials is kept in ``reading``.

    ``done_on`` is the site's day of the act: what is permitted later is not permitted on it. Vials that are kept back
    take a document that can know of it, unless the act is no matter of that (``knows_of_quarantine`` false). An act by
    which vials are used, here or at another site, takes none older than a refusal of the supporter. ``purpose`` is what
    the document must permit, one of ``documents.PURPOSES``.
    """
    document = _attached(reading, reader, typed, rule, field, kinds)
    if document is None:
        return None
    if not document.signed_by:
        reading.fault(
            field,
            f"Nobody is named as the signer of document {document.document_id}, and it counts by its signature. Attach"
            " it again with the name of who signed it.",
            rule,
            "8.2",
        )
    if not permits(document, purpose):
        reading.fault(field, purpose_words(document, purpose), rule, "8.2")
    strangers = [vial.unit_number for vial in vials if not _speaks_of(reader, document.about, vial)]
    if strangers:
        more = f" and {len(strangers) - NAMED_AT_MOST} more" if len(strangers) > NAMED_AT_MOST else ""
        reading.fault(
            field,
            f"Document {document.document_id} is about {document.about}; it says nothing of"
            f" {', '.join(strangers[:NAMED_AT_MOST])}{more}.",
            rule,
            "8.2",
        )
    if document.dated_on > done_on:
        reading.fault(
            "done_at",
            f"Document {document.document_id} is of {say_day(document.dated_on)}, and this was done on"
            f" {say_day(done_on)}: nothing is done before it is permitted. If it was done then, leave the time"
            " empty, so that it counts from now, and say in its reason or note when it was done.",
            rule,
            "8.2",
        )
    if knows_of_quarantine:
        _knows_of_what_keeps_them(reading, reader, document, vials, rule, field)
    if purpose in (USE, TRANSFER):
        for exposure, by in older_than_refusal(reader, document, [vial.unit_number for vial in vials])[:NAMED_AT_MOST]:
            reading.fault(field, refusal_words(document, exposure, by), rule, "8.2")
    return document


def permits(document: views.DocumentLine, purpose: str) -> bool:
    """Whether a document permits something; one from before that was asked for permits what it is used for."""
    return document.permits is None or purpose in document.permits


def purpose_words(document: views.DocumentLine, purpose: str) -> str:
    """Why a document is none for an act."""
    said = ", ".join(document.permits or ()) or "nothing"
    return (
        f"Document {document.document_id} permits {said}, not {purpose}. Choose the supporter's document that permits"
        f" {purpose}, or attach it."
    )


def speaks_of(reader: Reader, document: views.DocumentLine, vials: Sequence[Vial]) -> bool:
    """Whether a document is about the study as a whole, or about something that each of these vials belongs to."""
    return all(_speaks_of(reader, document.about, vial) for vial in vials)


def _attached(
    reading: Reading, reader: Reader, typed: str, rule: str, field: str, kinds: Sequence[str]
) -> views.DocumentLine | None:
    number = typed.strip().upper()
    document = reader.document(number) if number else None
    wanted = " or ".join(dict.fromkeys(kind.removeprefix("supporter's ") for kind in kinds))
    if document is None:
        said = f"No document {number} is attached." if number else f"No {wanted} is chosen."
        reading.fault(field, f"{said} Attach the supporter's written {wanted} first, then choose it here.", rule, "8.2")
        return None
    if document.kind not in kinds:
        reading.fault(field, f"Document {number} is a {document.kind}, not the supporter's {wanted}.", rule, "8.2")
        return None
    return document


def _speaks_of(reader: Reader, about: str, vial: Vial) -> bool:
    of_lot = (f"lot {vial.lot}", lot_name(vial.lot, vial.strength_mg))
    if about in ("", vial.unit_number, *of_lot, f"shipment {vial.shipment_number}"):
        return True
    if looks_like_ours(about, "X"):
        return any(named.unit_number == vial.unit_number for named in reader.deviation_vials(about))
    dose = reader.dose(vial.dose_id) if vial.dose_id else None
    return dose is not None and about in (dose.line.dose_id, dose.line.subject_number)


def _knows_of_what_keeps_them(
    reading: Reading, reader: Reader, document: views.DocumentLine, vials: Sequence[Vial], rule: str, field: str
) -> None:
    """Refuse vials that were taken out of use by an entry that the document cannot know of."""
    waiting = [vial for vial in vials if vial.state in KEPT_BACK]
    unknown = cannot_know(reader, document, waiting)
    for moved in unknown[:NAMED_AT_MOST]:
        reading.fault(field, cannot_know_words(reader, document, moved), rule, "8.2")
    if len(unknown) > NAMED_AT_MOST:
        reading.fault(field, f"{len(unknown) - NAMED_AT_MOST} more of these vials were taken out after that.")


def cannot_know(
    reader: Reader, document: views.DocumentLine, vials: Sequence[Vial], deviation_id: str = ""
) -> list[views.VialMove]:
    """For each vial the newest entry that took it out of use and that a document cannot know of, if there is one.

    It can know of what was recorded by an earlier entry than its own, and not on a later day than its date. With
    ``deviation_id`` only what named the vial in that storage deviation counts.
    """
    zone = zone_of(site_of(reader))
    units = [vial.unit_number for vial in vials]
    entries = list(reader.taken_out(units))
    if deviation_id:
        named = {
            (each.unit_number, each.event_seq) for each in reader.exposures(units) if each.deviation_id == deviation_id
        }
        entries = [each for each in entries if (each.unit_number, each.event_seq) in named]
    else:
        entries += [
            views.VialMove(vial.unit_number, f"{event.seq}.1", event.seq, "logger read", event.recorded_at)
            for event in alarms_read(reader)
            for vial in vials
            if vial.shipment_number == event.content["shipment"]
        ]
    found = {}
    for each in sorted(entries, key=lambda each: each.event_seq):
        if each.event_seq > document.event_seq or each.done_at.astimezone(zone).date() > document.dated_on:
            found[each.unit_number] = each
    return [found[unit] for unit in sorted(found)]


def cannot_know_words(reader: Reader, document: views.DocumentLine, moved: views.VialMove) -> str:
    """Why a document cannot know of what took a vial out of use, and what to do."""
    at = moved.done_at.astimezone(zone_of(site_of(reader)))
    known = f"Vial {moved.unit_number} was taken out of use after that: “{moved.move}”, known from {say_moment(at)} on"
    if document.dated_on < at.date():
        return (
            f"Document {document.document_id} is of {say_day(document.dated_on)}. {known}. Ask the supporter for a"
            " permission that knows of it."
        )
    return (
        f"Document {document.document_id} was attached by entry {document.event_seq}. {known}, entry"
        f" {moved.event_seq}. If the supporter wrote it knowing of that, attach it again and choose it then; otherwise"
        " ask for a permission that knows of it."
    )


def older_than_refusal(
    reader: Reader, document: views.DocumentLine, vials: Sequence[str]
) -> list[tuple[views.DeviationVial, views.DocumentLine]]:
    """Vials of which the supporter has decided by a newer document that they must not be used, with that document."""
    found = []
    for exposure in reader.exposures(vials):
        by = reader.document(exposure.document_id) if exposure.decision == MUST_NOT_BE_USED else None
        if by is not None and (document.event_seq < by.event_seq or document.dated_on < by.dated_on):
            found.append((exposure, by))
    return found


def refusal_words(document: views.DocumentLine, exposure: views.DeviationVial, by: views.DocumentLine) -> str:
    """Why an older permission does not overrule the supporter's newer refusal."""
    return (
        f"The supporter decided by {by.document_id} of {say_day(by.dated_on)} that vial {exposure.unit_number} must not"
        f" be used ({exposure.deviation_id}). Document {document.document_id} of {say_day(document.dated_on)} is older."
        " Return the vial, or ask the supporter for a new decision in writing."
    )
