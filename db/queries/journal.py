"""The journal: its head, its events, its counters."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, func, select

from db import schema
from db.compiled import Kept
from db.queries.base import Contains, Queries
from pharmacy_app.domain.events import Event
from pharmacy_app.services import views

_HEAD = Kept(
    select(schema.head.c.seq, schema.head.c.hash, schema.event.c.recorded_utc).outerjoin_from(
        schema.head, schema.event, schema.event.c.seq == schema.head.c.seq
    )
)
_OF_ACT = Kept(select(schema.event.c.body).where(schema.event.c.act_id == bindparam("act_id")))
_LOCKED_UNTIL = Kept(select(func.max(schema.period.c.through_utc)))
_COUNTER = Kept(select(schema.counter.c.value).where(schema.counter.c.name == bindparam("name")))


class JournalQueries(Queries):
    """The journal: its head, its events, its counters."""

    def head(self) -> views.Head:
        """How long the journal is, its last hash, and when its last event was recorded ('' when there is none)."""
        (row,) = self.rows(_HEAD)
        return views.Head(row["seq"], row["hash"], row["recorded_utc"] or "")

    def journal(self) -> Sequence[tuple[str, bytes]]:
        """Every event's hash and stored bytes, oldest first."""
        query = select(schema.event.c.hash, schema.event.c.body).order_by(schema.event.c.seq)
        return [(row["hash"], row["body"]) for row in self.rows(query)]

    def event(self, seq: int) -> views.EventLine | None:
        """One event by its number."""
        row = self.row(select(schema.event.c.body, schema.event.c.hash).where(schema.event.c.seq == seq))
        return event_line(row) if row else None

    def event_hash(self, seq: int) -> str:
        """The stored SHA-256 of one event; '' when there is none of that number."""
        return str(self.value(select(schema.event.c.hash).where(schema.event.c.seq == seq)) or "")

    def event_of_act(self, act_id: str) -> Event | None:
        """The event that an act has left, if it was recorded already."""
        body = self.value(_OF_ACT, act_id=act_id)
        return Event.from_body(body) if body else None

    def _events(self, kind: str, text: str) -> Select[Any]:
        query = select(schema.event.c.seq, schema.event.c.body, schema.event.c.hash)
        if kind:
            query = query.where(schema.event.c.kind == kind)
        if text:
            query = query.where(Contains(schema.event.c.body, text.encode()))
        return query

    def events(self, *, kind: str, text: str, offset: int, limit: int) -> Sequence[views.EventLine]:
        """The audit trail, newest first; without kind and text a page costs the same wherever it stands."""
        query = self._events(kind, text).order_by(schema.event.c.seq.desc()).limit(limit)
        # Events are numbered without a gap.
        from_here = schema.event.c.seq <= self.head().seq - offset
        return [event_line(row) for row in self.rows(query.offset(offset) if kind or text else query.where(from_here))]

    def count_events(self, *, kind: str, text: str) -> int:
        """How many events the same question gives."""
        return self.count(self._events(kind, text)) if kind or text else self.head().seq

    def locked_until(self) -> str:
        """The moment before which nothing is dated any more, as UTC text; '' while the monitor has signed no period."""
        return self.value(_LOCKED_UNTIL) or ""

    def counter(self, name: str) -> int:
        """How many of a numbered kind were ever made."""
        return int(self.value(_COUNTER, name=name) or 0)


def event_line(row: RowMapping) -> views.EventLine:
    """One event from its stored bytes and its hash."""
    event = Event.from_body(row["body"])
    return views.EventLine(
        event.seq,
        event.kind,
        event.actor_name,
        event.workstation,
        event.done_at,
        event.recorded_at,
        event.why,
        event.content,
        tuple(f"{signature.printed_name}: {signature.meaning}" for signature in event.signatures),
        event.marks,
        row["hash"],
    )
