"""From an event to the rows that screens read: one pure function a kind of event.

``changes_of`` looks at nothing but the event. Replaying the journal through it into an empty database must
give the same tables, row for row; ``verify`` holds us to that.
"""

from db.projections import (
    corrections,
    counts,
    doses,
    errors,
    labels,
    monitoring,
    papers,
    people,
    places,
    shipments,
    storage,
    treatment,
    vials,
)
from db.projections.changes import Change, Insert, Projections, replay_changes, write_changes
from pharmacy_app.domain.events import Event

__all__ = ["Change", "Insert", "changes_of", "replay_changes", "write_changes"]

_APPLY: Projections = {}
for _topic in (
    people,
    corrections,
    vials,
    treatment,
    doses,
    errors,
    papers,
    labels,
    counts,
    storage,
    shipments,
    places,
    monitoring,
):
    assert not _APPLY.keys() & _topic.APPLY.keys(), _topic
    _APPLY.update(_topic.APPLY)


def changes_of(event: Event) -> list[Change]:
    """Every row the event makes or changes. An unknown kind is a mistake of ours and raises ``KeyError``."""
    return [
        *_APPLY[event.kind](event),
        *vials.moves(event),
        *storage.decisions(event),
        *storage.found_late(event),
        *monitoring.reviewed(event),
    ]
