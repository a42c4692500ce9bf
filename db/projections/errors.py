"""Medication errors, their assessments, and who was told."""

from collections.abc import Iterator
from datetime import datetime

from db.projections.changes import Change, Count, Insert, Projections, Update, as_json
from pharmacy_app.domain.events import Event, utc_text


def new_error(event: Event, **values: object) -> Iterator[Change]:
    yield Insert(
        "medication_error",
        {
            **values,
            "opened_at": event.recorded_at.isoformat(),
            "opened_by": event.actor_name,
            "status": "open",
            "verdict": "",
            "category": "",
            "event_seq": event.seq,
        },
    )
    yield Count("counter", {"name": "medication_error"}, "value", 1)


def _medication_error_recorded(event: Event) -> Iterator[Change]:
    return new_error(event, **event.content, source="person")


def _medication_error_assessed(event: Event) -> Iterator[Change]:
    content = event.content
    assessed = content["assessment"]
    yield Update(
        "medication_error",
        {"error_id": content["error_id"]},
        {
            **{
                name: assessed[name]
                for name in (
                    "verdict",
                    "category",
                    "stage",
                    "error_type",
                    "reached_subject",
                    "stopped_for",
                    "found_at",
                    "occurred_at",
                )
            },
            "status": content["status"],
        },
    )
    yield Insert(
        "medication_error_assessment",
        {
            "event_seq": event.seq,
            "error_id": content["error_id"],
            "assessed_at": event.recorded_at.isoformat(),
            "signed_by": ", ".join(signature.printed_name for signature in event.signatures),
            "assessment": as_json(assessed),
        },
    )
    yield from _medication_error_told(event)


def _medication_error_told(event: Event) -> Iterator[Change]:
    for line, told in enumerate(event.content["told"], start=1):
        yield Insert(
            "medication_error_told",
            {
                "event_seq": event.seq,
                "line": line,
                "error_id": event.content["error_id"],
                **told,
                "told_utc": utc_text(datetime.fromisoformat(told["told_at"])),
                "recorded_at": event.recorded_at.isoformat(),
                "recorder": event.actor_name,
            },
        )


APPLY: Projections = {
    "medication_error_recorded": _medication_error_recorded,
    "medication_error_assessed": _medication_error_assessed,
    "medication_error_told": _medication_error_told,
}
