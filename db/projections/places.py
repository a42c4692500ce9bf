"""Places, expiries that were extended, and labels renewed by hand."""

from collections.abc import Iterator

from db.projections.changes import Change, Insert, Projections, Update, nothing
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.places import REFRIGERATOR


def place_row(event: Event, name: str, kind: str, room: str, at: int) -> Insert:
    """A new place; ``at`` keeps the order of several that one event brings."""
    return Insert(
        "place",
        {
            "name": name,
            "kind": kind,
            "room": room,
            "added_seq": event.seq,
            "added_line": at,
            "added_by": event.actor_name,
            "added_at": event.recorded_at.isoformat(),
            "closed_seq": None,
            "closed_by": "",
            "closed_at": None,
            "closed_why": "",
        },
    )


def first_places(event: Event) -> Iterator[Change]:
    """The places a site opens with: its refrigerators."""
    for at, name in enumerate(event.content["site"]["places"]):
        yield place_row(event, name, REFRIGERATOR, "", at)


def _place_added(event: Event) -> Iterator[Change]:
    content = event.content
    yield place_row(event, content["place"], content["kind"], content["room"], 0)


def _place_closed(event: Event) -> Iterator[Change]:
    yield Update(
        "place",
        {"name": event.content["place"]},
        {
            "closed_seq": event.seq,
            "closed_by": event.actor_name,
            "closed_at": event.recorded_at.isoformat(),
            "closed_why": event.why,
        },
    )


def _expiry_extended(event: Event) -> Iterator[Change]:
    content = event.content
    label = {"strength_mg": content["strength_mg"], "lot": content["lot"]}
    yield Insert(
        "expiry_extension",
        {
            "event_seq": event.seq,
            **label,
            "old_on": content["old_on"],
            "new_on": content["new_on"],
            "document_id": content["document_id"],
            "signed_by": event.signatures[0].printed_name,
            "signed_at": event.recorded_at.isoformat(),
            "vials": len(content["unit_numbers"]),
            "undone_seq": None,
        },
    )
    yield Update("lot", label, {"expires_on": content["new_on"]})
    for unit_number in content["unit_numbers"]:
        yield Update("vial", {"unit_number": unit_number}, {"expires_on": content["new_on"]})


def _vials_relabelled(event: Event) -> Iterator[Change]:
    for unit_number in event.content["unit_numbers"]:
        yield Insert("relabelled", {"unit_number": unit_number, "event_seq": event.seq})


APPLY: Projections = {
    "place_added": _place_added,
    "place_closed": _place_closed,
    "vials_transported": nothing,
    "vials_taken_back": nothing,
    "expiry_extended": _expiry_extended,
    "vials_relabelled": _vials_relabelled,
}
