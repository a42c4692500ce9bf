"""Printed papers and attached documents."""

from collections.abc import Iterator

from db.projections import labels
from db.projections.changes import Change, Count, Insert, Projections, Row, nothing
from pharmacy_app.domain.events import Event


def _printed(event: Event) -> Iterator[Change]:
    content = event.content
    for paper in content["papers"]:
        yield Insert(
            "printed",
            {
                "event_seq": event.seq,
                "paper": paper["paper"],
                "about": paper["about"],
                "copy_number": paper["copy_number"],
                "pages": paper["pages"],
                "sha256": content["sha256"],
                "printed_at": event.recorded_at.isoformat(),
                "printed_by": event.actor_name,
                "why": event.why,
            },
        )
    yield from labels.printed(event)


def new_document(event: Event, document: Row) -> Iterator[Change]:
    """The row of a document, which an act may bring with it."""
    yield Insert(
        "document",
        {
            **document,
            # Documents attached before it was asked for say nothing of it; nor do logger files.
            "permits": "; ".join(document["permits"]) if _says_what(document) else None,
            "attached_at": event.recorded_at.isoformat(),
            "attached_by": event.actor_name,
            "event_seq": event.seq,
        },
    )
    yield Count("counter", {"name": "document"}, "value", 1)


def _says_what(document: Row) -> bool:
    return "permits" in document and document["kind"] in PERMITTING


PERMITTING = ("supporter's permission", "letter")
"""The kinds of document that say what they permit."""


def _document_attached(event: Event) -> Iterator[Change]:
    return new_document(event, event.content)


APPLY: Projections = {
    "paper_printed": _printed,
    "record_printed": _printed,
    "subject_exported": nothing,
    "data_exported": nothing,
    "document_attached": _document_attached,
}
