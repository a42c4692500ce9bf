"""The journal: its head, its events, its counters."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, func, or_, select

from db import schema
from db.compiled import Kept
from db.queries.base import Contains, Queries
from pharmacy_app.domain.events import Event
from pharmacy_app.services import views
from pharmacy_app.services.ports import TrailFilter

_HEAD = Kept(
    select(schema.head.c.seq, schema.head.c.hash, schema.event.c.recorded_utc).outerjoin_from(
        schema.head, schema.event, schema.event.c.seq == schema.head.c.seq
    )
)
_OF_ACT = Kept(select(schema.event.c.body).where(schema.event.c.act_id == bindparam("act_id")))
_LOCKED_UNTIL = Kept(select(func.max(schema.period.c.through_utc)))
_COUNTER = Kept(select(schema.counter.c.value).where(schema.counter.c.name == bindparam("name")))
_STREAMED = 500
"""Entries fetched at a time where all of them are gone through."""


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

    def seq_of_hash(self, begins: str) -> int | None:
        """The number of the event whose stored SHA-256 begins like this (small letters); ``None`` when there is none.

        It looks at every event's hash: a question for a person, not for a page.
        """
        beyond = f"{begins}g"  # comes after every hexadecimal digit
        name = schema.event.c.hash
        # Not as BETWEEN: PostgreSQL does not take it with the order of letters named.
        found = self.value(select(schema.event.c.seq).where(name >= begins, name < beyond).limit(1))
        return None if found is None else int(found)

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

    def _trail(self, wanted: TrailFilter) -> Select[Any]:
        event = schema.event.c
        query = select(event.seq, event.body, event.hash)
        if wanted.from_utc:
            query = query.where(event.recorded_utc >= wanted.from_utc)
        if wanted.before_utc:
            query = query.where(event.recorded_utc < wanted.before_utc)
        if wanted.kind:
            query = query.where(event.kind == wanted.kind)
        if wanted.account_id:
            # Bodies are canonical JSON: signatures, and what is about an account, hold its id in these very bytes.
            named = Contains(event.body, f'"account_id":"{wanted.account_id}"'.encode())
            query = query.where(or_(event.actor_id == wanted.account_id, named))
        if wanted.text:
            query = query.where(Contains(event.body, wanted.text.encode()))
        if wanted.signed:
            query = query.where(Contains(event.body, b'"signatures":[{'))
        return query

    def trail(self, wanted: TrailFilter) -> Iterator[views.EventLine]:
        """The entries asked for, oldest first, one after the other: however many they are, few are held at a time."""
        query = self._trail(wanted).order_by(schema.event.c.seq).execution_options(yield_per=_STREAMED)
        for row in self.connection.execute(query).mappings():
            yield event_line(row)

    def count_trail(self, wanted: TrailFilter) -> int:
        """How many entries the same question gives."""
        return self.count(self._trail(wanted))

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
        frozenset((event.actor_id, *(signature.account_id for signature in event.signatures))),
    )
