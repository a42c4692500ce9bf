"""Stock and ledger at a past moment, as known then and as known now.

Known then: what was recorded by that moment. Known now: what we say today was so at that moment; a late entry counts
from when it was done, and what a correction took back counts no longer from the moment of what it corrects.
These questions read the lines up to the moment: they take longer the longer the ledger is.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, tuple_, union_all

from db import schema
from db.queries.ledger import LedgerQueries, ledger_line_of
from pharmacy_app.domain.vials import NEVER_RECEIVED
from pharmacy_app.services import views
from pharmacy_app.services.ports import PastFilter

_LINE = schema.ledger_line.c
_STREAMED = 500
"""Lines fetched at a time where all of them are gone through."""


def _known_then(utc: str) -> ColumnElement[bool]:
    return and_(_LINE.done_utc <= utc, _LINE.recorded_utc <= utc)


def _known_now(utc: str) -> ColumnElement[bool]:
    return _LINE.effective_utc <= utc


_UNDO = schema.ledger_line.alias("undo").c
_DONE = schema.ledger_line.alias("done").c
_UNDOING = select(schema.event.c.seq).where(schema.event.c.kind == "move_undone")


def _counted(change: ColumnElement[int], *, known_now: bool) -> ColumnElement[int]:
    """What a line adds to a balance: as known now, a move that was undone to the letter never happened.

    It and its undoing count from the same moment. What a correction of the receipt took away counts from the receipt:
    between the two the balance would fall below zero by the vials that never came. A move whose undoing left vials in
    another state (a quarantine began meanwhile) adds its part, as does the undoing.
    """
    if not known_now:
        return change
    same = ("strength_mg", "lot", "place", "quantity")

    def of(line: Any, seq: str, before: str, after: str) -> list[ColumnElement[Any]]:
        return [line[name] for name in (seq, *same, before, after)]

    taken_back = select(_UNDO.corrects_seq).where(_UNDO.event_seq.in_(_UNDOING))
    undoing = select(*of(_UNDO, "corrects_seq", "to_state", "from_state")).where(_UNDO.event_seq.in_(_UNDOING))
    undone = select(*of(_DONE, "event_seq", "to_state", "from_state")).where(_DONE.event_seq.in_(taken_back))
    return case(
        (tuple_(*of(_LINE, "event_seq", "from_state", "to_state")).in_(undoing), 0),
        (
            and_(
                _LINE.event_seq.in_(_UNDOING),
                tuple_(*of(_LINE, "corrects_seq", "from_state", "to_state")).in_(undone),
            ),
            0,
        ),
        else_=change,
    )


class PastQueries(LedgerQueries):
    """Stock and ledger at a past moment."""

    def past_stock(self, utc: str) -> Sequence[views.PastStockLine]:
        """Vials by strength, lot, place and state at a moment, as known then and as known now; zeros are left out."""
        key = (_LINE.strength_mg, _LINE.lot, _LINE.place)
        sides = []
        for state, sign in ((_LINE.to_state, 1), (_LINE.from_state, -1)):
            sides.append(
                select(
                    *key,
                    state.label("state"),
                    case((_known_then(utc), sign * _LINE.quantity), else_=0).label("known_then"),
                    case((_known_now(utc), sign * _LINE.quantity), else_=0).label("known_now"),
                ).where(state != "", or_(_known_then(utc), _known_now(utc)))
            )
        both = union_all(*sides).subquery()
        place = (both.c.strength_mg, both.c.lot, both.c.place, both.c.state)
        then, now = func.sum(both.c.known_then), func.sum(both.c.known_now)
        query = (
            select(*place, then.label("known_then"), now.label("known_now"))
            .group_by(*place)
            .having(or_(then != 0, now != 0))
            .order_by(*place)
        )
        return [
            views.PastStockLine(
                Decimal(row["strength_mg"]),
                row["lot"],
                row["place"],
                row["state"],
                int(row["known_then"]),
                int(row["known_now"]),
            )
            for row in self.rows(query)
        ]

    def _past(self, wanted: PastFilter) -> Select[Any]:
        """The lines that stood in the ledger, with the balances of their strength or of the one lot asked for."""
        known = _known_now(wanted.utc) if wanted.known_now else _known_then(wanted.utc)
        when = _LINE.effective_utc if wanted.known_now else _LINE.done_utc
        order = (when, _LINE.event_seq, _LINE.line)
        running = [
            func.sum(_counted(column, known_now=wanted.known_now))
            .over(partition_by=_LINE.strength_mg, order_by=order)
            .label(name)
            for name, column in (
                ("balance_available", _LINE.available_change),
                ("balance_quarantine", _LINE.quarantine_change),
            )
        ]
        query = select(schema.ledger_line, when.label("counts_utc"), *running).where(known)
        if wanted.strength_mg is not None:
            query = query.where(_LINE.strength_mg == format(wanted.strength_mg, "f"))
        if wanted.lot:
            query = query.where(_LINE.lot == wanted.lot)
        lines = query.subquery()
        outer = select(lines).order_by(lines.c.counts_utc, lines.c.event_seq, lines.c.line)
        return outer.where(lines.c.transaction != "") if wanted.record_only else outer

    def past_ledger(self, wanted: PastFilter, *, offset: int, limit: int) -> Sequence[views.LedgerLine]:
        """A page of the ledger as it stood, in the order in which things counted."""
        return [ledger_line_of(row) for row in self.rows(self._past(wanted).offset(offset).limit(limit))]

    def whole_past_ledger(self, wanted: PastFilter) -> Iterator[views.LedgerLine]:
        """Every line the same question gives, one after the other: however many they are, few are held at a time."""
        query = self._past(wanted).execution_options(yield_per=_STREAMED)
        for row in self.connection.execute(query).mappings():
            yield ledger_line_of(row)

    def count_past_ledger(self, wanted: PastFilter) -> int:
        """How many lines the same question gives."""
        return self.count(self._past(wanted))

    def entered_later(self, utc: str) -> Sequence[views.LedgerLine]:
        """Lines that count from before the moment and were recorded after it, in the order in which they count."""
        query = (
            select(schema.ledger_line, literal(0).label("balance_available"), literal(0).label("balance_quarantine"))
            .where(_known_now(utc), _LINE.recorded_utc > utc)
            .order_by(_LINE.effective_utc, _LINE.event_seq, _LINE.line)
        )
        return [ledger_line_of(row) for row in self.rows(query)]

    def usable_changes(self, strength_mg: Decimal, zone: tzinfo) -> Sequence[views.UsableChange]:
        """What changed the usable stock of a strength, as known now: by day of the site, lot and kind of move."""
        # What was done has the site's own day in its text. What a correction takes back counts from a moment in UTC:
        # those few are asked for by the minute.
        done_then = _LINE.effective_utc == _LINE.done_utc
        when = case((done_then, func.substr(_LINE.done_at, 1, 10)), else_=func.substr(_LINE.effective_utc, 1, 16))
        quantity = _LINE.quantity
        usable = case((_LINE.to_state == "available", quantity), else_=0) - case(
            (_LINE.from_state == "available", quantity), else_=0
        )
        received = case((_LINE.move == "receive", quantity), (_LINE.to_state == NEVER_RECEIVED, -quantity), else_=0)
        lines = (
            select(when.label("at"), _LINE.lot, _LINE.move, usable.label("usable"), received.label("received"))
            .where(_LINE.strength_mg == format(strength_mg, "f"))
            .subquery()
        ).c
        changed = func.sum(lines.usable), func.sum(lines.received)
        query = (
            select(lines.at, lines.lot, lines.move, changed[0].label("usable"), changed[1].label("received"))
            .group_by(lines.at, lines.lot, lines.move)
            .having(or_(changed[0] != 0, changed[1] != 0))
            .order_by(lines.at, lines.lot, lines.move)
        )
        return [
            views.UsableChange(
                _site_day(row["at"], zone), row["lot"], row["move"], int(row["usable"]), int(row["received"])
            )
            for row in self.rows(query)
        ]

    def head_at(self, utc: str) -> views.Head:
        """The journal's end as it was at a moment: how long, its hash, and when its last event was recorded."""
        table = schema.event.c
        row = self.row(
            select(table.seq, table.hash, table.recorded_utc)
            .where(table.recorded_utc <= utc)
            .order_by(table.seq.desc())
            .limit(1)
        )
        return views.Head(row["seq"], row["hash"], row["recorded_utc"]) if row else views.Head(0, "", "")


def _site_day(text: str, zone: tzinfo) -> date:
    """The site's day of a day's text, or of a minute in UTC."""
    if len(text) == 10:
        return date.fromisoformat(text)
    return datetime.fromisoformat(f"{text}+00:00").astimezone(zone).date()
