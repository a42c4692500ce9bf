"""The monitor's review: what entries are reviewed by, visits, verifications and queries."""

from collections.abc import Iterator

from db.projections.changes import Change, Count, Insert, Projections, Row, Update, UpdateAll, as_json
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.review import entry_of, touched_by


def reviewed(event: Event) -> Iterator[Change]:
    """What any event is for the review: the entries that it touches are to be looked at again, and so is itself."""
    touched = touched_by(event)
    newest: Row = {"touched_seq": event.seq}
    for seq in touched.entries:
        # A correction that is corrected in its turn changes once more what it has corrected.
        yield UpdateAll("review", {"touched_seq": seq}, newest)
        yield UpdateAll("review", {"event_seq": seq}, newest)
    for name in touched.made:
        yield UpdateAll("review", {"makes": name}, newest)
    entry = entry_of(event)
    if entry is None:
        return
    yield Insert(
        "review",
        {
            "event_seq": event.seq,
            "kind": event.kind,
            "actor_id": event.actor_id,
            "done_utc": utc_text(event.done_at),
            "risk": entry.risk,
            "reasons": as_json(entry.reasons),
            "makes": entry.makes,
            "verified_seq": 0,
            "touched_seq": 0,
        },
    )
    for about in entry.abouts:
        yield Insert("review_about", {"about": about, "event_seq": event.seq})
    for first in entry.first:
        # The row keeps the entry that has made it; later ones are only counted.
        yield Count("review_first", {"first_of": first}, "entries", 1, {"event_seq": event.seq})


def _visit_planned(event: Event) -> Iterator[Change]:
    content = event.content
    names = ("monitor_id", "monitor", "from_on", "to_on", "purpose")
    yield Insert(
        "visit",
        {
            "number": content["visit"],
            **{name: content[name] for name in names},
            "planned_by": event.actor_name,
            "planned_at": event.recorded_at.isoformat(),
            "event_seq": event.seq,
            "status": "planned",
            "opened_at": None,
            "opened_seq": None,
            "opened_why": "",
            "since_seq": 0,
            "signed_at": None,
            "signed_seq": None,
            "signed_by": "",
            "summary": "",
            "record": None,
        },
    )
    yield Count("counter", {"name": "visit"}, "value", 1)


def _visit_opened(event: Event) -> Iterator[Change]:
    yield Update(
        "visit",
        {"number": event.content["visit"], "status": "planned"},
        {
            "status": "open",
            "opened_at": event.recorded_at.isoformat(),
            "opened_seq": event.seq,
            "opened_why": event.why,
            "since_seq": event.content["since_seq"],
        },
    )


def _visit_signed(event: Event) -> Iterator[Change]:
    content = event.content
    yield Update(
        "visit",
        {"number": content["visit"], "status": "open"},
        {
            "status": "signed",
            "signed_at": event.recorded_at.isoformat(),
            "signed_seq": event.seq,
            "signed_by": ", ".join(signature.printed_name for signature in event.signatures),
            "summary": content["summary"],
            "record": as_json(content["record"]),
        },
    )


def _entries_verified(event: Event) -> Iterator[Change]:
    content = event.content
    for entry in content["entries"]:
        yield Insert(
            "verification",
            {
                "entry_seq": entry["seq"],
                "event_seq": event.seq,
                "visit": content["visit"],
                "initials": content["initials"],
                "verified_by": event.actor_name,
                "verified_at": event.recorded_at.isoformat(),
            },
        )
    for entry in content["entries"]:
        yield Update("review", {"event_seq": entry["seq"]}, {"verified_seq": event.seq})


def _line(event: Event, says: str) -> Insert:
    return Insert(
        "query_line",
        {
            "event_seq": event.seq,
            "number": event.content["query"],
            "says": says,
            "text": event.content["text"],
            "person": event.actor_name,
            "said_at": event.recorded_at.isoformat(),
        },
    )


def _last(event: Event) -> Row:
    return {"last_at": event.recorded_at.isoformat(), "last_on": event.recorded_at.date().isoformat()}


def _query_opened(event: Event) -> Iterator[Change]:
    content = event.content
    yield Insert(
        "query",
        {
            "number": content["query"],
            **{name: content[name] for name in ("about", "field", "entry_seq", "text", "visit")},
            "opened_by": event.actor_name,
            "opened_by_id": event.actor_id,
            "opened_at": event.recorded_at.isoformat(),
            # A moment is recorded by the site's clock.
            "opened_on": event.recorded_at.date().isoformat(),
            "status": "open",
            "answered_by_id": "",
            "closed_by": "",
            "closed_at": None,
            **_last(event),
            "event_seq": event.seq,
        },
    )
    yield Count("counter", {"name": "query"}, "value", 1)
    yield _line(event, "opened")


def _query_answered(event: Event) -> Iterator[Change]:
    values: Row = {"status": "answered", "answered_by_id": event.actor_id, **_last(event)}
    yield Update("query", {"number": event.content["query"]}, values)
    yield _line(event, "answered")


def _query_returned(event: Event) -> Iterator[Change]:
    yield Update("query", {"number": event.content["query"]}, {"status": "returned", **_last(event)})
    yield _line(event, "returned")


def _query_closed(event: Event) -> Iterator[Change]:
    values: Row = {"status": "closed", "closed_by": event.actor_name, "closed_at": event.recorded_at.isoformat()}
    yield Update("query", {"number": event.content["query"]}, values | _last(event))
    yield _line(event, "closed")


APPLY: Projections = {
    "visit_planned": _visit_planned,
    "visit_opened": _visit_opened,
    "visit_signed": _visit_signed,
    "entries_verified": _entries_verified,
    "query_opened": _query_opened,
    "query_answered": _query_answered,
    "query_returned": _query_returned,
    "query_closed": _query_closed,
}
