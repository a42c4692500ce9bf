"""Corrections: what each takes back or sets right, and the periods that the monitor has signed.

The content of a correction holds the whole entry as it is now, in the words of the entry it corrects: so it is applied
like that entry, on rows that are there already, and may itself be corrected.
"""

from collections.abc import Callable, Iterator

from db.projections import shipments
from db.projections.changes import Change, Count, Insert, Projections, Row, Update, as_json
from db.projections.doses import error_opened
from pharmacy_app.domain.events import Event, utc_text


def _corrected(event: Event) -> Iterator[Change]:
    content = event.content
    yield Insert(
        "correction",
        {
            "corrects_seq": content["corrects"],
            "event_seq": event.seq,
            "kind": event.kind,
            "changes": as_json(content["changes"]),
            "why": event.why,
            "signed_by": ", ".join(signature.printed_name for signature in event.signatures),
            "corrected_at": event.recorded_at.isoformat(),
            "corrected_utc": utc_text(event.recorded_at),
            "moved_vials": int(bool(content.get("moves"))),
        },
    )
    for line, note in enumerate(content["notes"], start=1):
        yield Insert(
            "correction_note",
            {
                "event_seq": event.seq,
                "line": line,
                "about": note["about"],
                "sentence": note["sentence"],
                "noted_at": event.recorded_at.isoformat(),
                "recorder": event.actor_name,
            },
        )


def _move_undone(event: Event) -> Iterator[Change]:
    for vial in event.content["restored"]:
        values: Row = {name: vial[name] for name in ("hold_reason", "accounted_by")}
        yield Update("vial", {"unit_number": vial["unit_number"]}, values)


def _receipt_corrected(event: Event) -> Iterator[Change]:
    content = event.content
    # Two vials may have changed their kit numbers with one another: each is free before one is given.
    for vial in content["kits"]:
        yield Update("vial", {"unit_number": vial["unit_number"]}, {"kit_number": None})
    for vial in content["kits"]:
        if vial["kit_number"]:
            yield Update("vial", {"unit_number": vial["unit_number"]}, {"kit_number": vial["kit_number"]})
    for change in content["lot_counts"]:
        key = {"strength_mg": change["strength_mg"], "lot": change["lot"]}
        yield Count("lot", key, "received", change["change"], {"expires_on": change["expires_on"]})
        yield Update("lot", key, {"expires_on": change["expires_on"]})
    if "logger" in content:
        yield from shipments.logger_corrected(event)
    for extension in content.get("extensions", ()):
        label = {"strength_mg": extension["strength_mg"], "lot": extension["lot"]}
        yield Update("expiry_extension", {"event_seq": extension["event_seq"]}, label)


def _extension_undone(event: Event) -> Iterator[Change]:
    content = event.content
    label = {"strength_mg": content["strength_mg"], "lot": content["lot"]}
    yield Update("expiry_extension", {"event_seq": content["corrects"]}, {"undone_seq": event.seq})
    yield Update("lot", label, {"expires_on": content["expires_on"]})
    for unit_number in content["unit_numbers"]:
        yield Update("vial", {"unit_number": unit_number}, {"expires_on": content["expires_on"]})


def _accountability_undone(event: Event) -> Iterator[Change]:
    for unit_number in event.content["unit_numbers"]:
        yield Update("vial", {"unit_number": unit_number}, {"accounted_by": ""})


def _measurement_corrected(event: Event) -> Iterator[Change]:
    content = event.content
    for kind in content["replaces"]:
        yield Update("measurement", {"event_seq": content["corrects"], "kind": kind}, {"corrected_seq": event.seq})
    for measured in content["measured"]:
        yield Insert(
            "measurement",
            {
                "event_seq": event.seq,
                **measured,
                "subject_number": content["subject_number"],
                "measured_on": content["measured_on"],
                "recorded_at": event.recorded_at.isoformat(),
                "recorder": event.actor_name,
                "why": event.why,
                "corrected_seq": None,
            },
        )


def _administration_corrected(event: Event) -> Iterator[Change]:
    content = event.content
    given = content["administration"]
    yield Update(
        "dose",
        {"dose_id": content["dose_id"]},
        {
            "administer_seq": event.seq,
            "administration": as_json(given),
            "administered_mg": given["administered_mg"],
            "given_on": given["given_on"],
        },
    )
    yield from error_opened(event)
    if content["reopens"]:
        yield Update("medication_error", {"error_id": content["reopens"]}, {"status": "open"})


def _preparation_corrected(event: Event) -> Iterator[Change]:
    content = event.content
    preparation = content["preparation"]
    yield Update(
        "dose",
        {"dose_id": content["dose_id"]},
        {
            "prepare_seq": event.seq,
            "preparation": as_json(preparation),
            "prepared_mg": preparation["prepared_mg"],
        },
    )
    for draw in preparation["draws"]:
        yield Update("mg_line", {"unit_number": draw["unit_number"]}, {"withdrawn_mg": draw["drawn_mg"]})


def _closing_corrected(event: Event) -> Iterator[Change]:
    yield Update("dose", {"dose_id": event.content["dose_id"]}, {"close_seq": event.seq})
    for closed in event.content["closed"]:
        yield Update(
            "mg_line",
            {"unit_number": closed["unit_number"]},
            {
                "residue_mg": closed["residue_mg"],
                "discarded_mg": closed["discarded_mg"],
                "closed_seq": event.seq,
            },
        )


def _subject_corrected(event: Event) -> Iterator[Change]:
    content = event.content
    facts = {name: content[name] for name in ("initials", "birth", "enrolled_on")}
    yield Update("subject", {"subject_number": content["subject_number"]}, facts)


def _period_signed(event: Event) -> Iterator[Change]:
    content = event.content
    yield Insert(
        "period",
        {
            "event_seq": event.seq,
            "through_on": content["through_on"],
            "through_utc": content["through_utc"],
            "signed_by": ", ".join(signature.printed_name for signature in event.signatures),
            "signed_at": event.recorded_at.isoformat(),
            "note": content["note"],
            "entry": as_json(content["record"]),
        },
    )


def _correcting(apply: Callable[[Event], Iterator[Change]]) -> Callable[[Event], Iterator[Change]]:
    def corrected(event: Event) -> Iterator[Change]:
        yield from _corrected(event)
        yield from apply(event)

    return corrected


APPLY: Projections = {
    "period_signed": _period_signed,
    **{
        kind: _correcting(apply)
        for kind, apply in (
            ("move_undone", _move_undone),
            ("receipt_corrected", _receipt_corrected),
            ("accountability_undone", _accountability_undone),
            ("extension_undone", _extension_undone),
            ("measurement_corrected", _measurement_corrected),
            ("administration_corrected", _administration_corrected),
            ("preparation_corrected", _preparation_corrected),
            ("closing_corrected", _closing_corrected),
            ("subject_corrected", _subject_corrected),
        )
    },
}
