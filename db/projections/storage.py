"""Storage deviations, the vials that lay there, what was decided of them, and who was told."""

from collections.abc import Iterator

from db.projections.changes import Change, Count, Insert, Projections, Row, Update, as_json, nothing
from db.projections.papers import new_document
from pharmacy_app.domain.events import Event

_SAME = (
    "deviation_id",
    "place",
    "source",
    "logger_serial",
    "calibration_due",
    "started_at",
    "ended_at",
    "min_celsius",
    "max_celsius",
    "file_sha256",
    "discovered_at",
    "discovered_by",
    "done",
)


def _deviation_recorded(event: Event) -> Iterator[Change]:
    content = event.content
    document = content["document"]
    yield Insert(
        "deviation",
        {
            **{name: content[name] for name in _SAME},
            "spans": as_json(content["spans"]),
            "trace": as_json(content["trace"]),
            "document_id": document["document_id"] if document else "",
            "cause": "",
            "action": "",
            "recorded_at": event.recorded_at.isoformat(),
            "recorded_by": event.actor_name,
            "status": "open",
            "closed_at": None,
            "closed_by": "",
            "event_seq": event.seq,
            "closed_seq": None,
        },
    )
    yield Count("counter", {"name": "deviation"}, "value", 1)
    if document:
        yield from new_document(event, document)
    yield from _vials(event)


def _vials(event: Event) -> Iterator[Change]:
    """The exposed vials that the event names, and why those it quarantines are kept back."""
    content = event.content
    for vial in content["vials"]:
        yield _named(event, {**vial, "deviation_id": content["deviation_id"]}, None)
    for vial in content["vials"]:
        if vial["quarantined"]:
            # Deviations recorded before this was kept say nothing of an earlier reason.
            reasons = (content["reason"], vial.get("held_before", ""))
            yield Update(
                "vial",
                {"unit_number": vial["unit_number"]},
                {"hold_reason": "; ".join(reason for reason in reasons if reason)},
            )


def _named(event: Event, vial: Row, late_at: str | None) -> Change:
    """A vial that a deviation names; ``late_at`` is when a later entry said that it lay there."""
    return Insert(
        "deviation_vial",
        {
            **{name: value for name, value in vial.items() if name != "held_before"},
            "quarantined": int(vial["quarantined"]),
            "decision": "",
            "document_id": "",
            "decided_at": None,
            "decided_by": "",
            "late_at": late_at,
            "event_seq": event.seq,
        },
    )


def found_late(event: Event) -> Iterator[Change]:
    """What an entry says of vials that lay through a deviation recorded before it: named, kept back, open again."""
    for vial in event.content.get("exposed", ()):
        yield _named(event, vial, event.recorded_at.isoformat())
    for vial in event.content.get("kept_back", ()):
        yield Update("vial", {"unit_number": vial["unit_number"]}, {"hold_reason": vial["hold_reason"]})
    for number in event.content.get("reopened", ()):
        yield Update(
            "deviation",
            {"deviation_id": number},
            {"status": "open", "closed_at": None, "closed_by": "", "closed_seq": None},
        )


def _deviation_reported(event: Event) -> Iterator[Change]:
    yield Insert(
        "deviation_told",
        {
            **{name: event.content[name] for name in ("deviation_id", "name", "how", "told_at", "data_sent")},
            "event_seq": event.seq,
            "recorded_at": event.recorded_at.isoformat(),
            "recorder": event.actor_name,
        },
    )


def _deviation_updated(event: Event) -> Iterator[Change]:
    content = event.content
    yield Update(
        "deviation",
        {"deviation_id": content["deviation_id"]},
        {"cause": content["cause"], "action": content["action"]},
    )
    if "ended_at" in content:
        # The end of one that lasted when it was recorded.
        yield Update(
            "deviation",
            {"deviation_id": content["deviation_id"]},
            {"ended_at": content["ended_at"], "spans": as_json(content["spans"])},
        )
    yield from _vials(event)


def decisions(event: Event) -> Iterator[Change]:
    """What an event says was decided of exposed vials, whatever its kind: a release by document decides as well."""
    for decided in event.content.get("decided", ()):
        key: Row = {"deviation_id": decided["deviation_id"], "unit_number": decided["unit_number"]}
        yield Update(
            "deviation_vial",
            key,
            {
                "decision": decided["decision"],
                "document_id": decided["document_id"],
                "decided_at": event.recorded_at.isoformat(),
                "decided_by": event.actor_name,
            },
        )


def _deviation_closed(event: Event) -> Iterator[Change]:
    yield Update(
        "deviation",
        {"deviation_id": event.content["deviation_id"]},
        {
            "status": "closed",
            "closed_at": event.recorded_at.isoformat(),
            "closed_by": ", ".join(signature.printed_name for signature in event.signatures),
            "closed_seq": event.seq,
        },
    )


APPLY: Projections = {
    "deviation_recorded": _deviation_recorded,
    "deviation_reported": _deviation_reported,
    "deviation_updated": _deviation_updated,
    "deviation_decided": nothing,
    "deviation_closed": _deviation_closed,
}
