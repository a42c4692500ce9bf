"""Physical counts, discrepancies and the closing of the study's books."""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping, and_, func, select

from db import schema
from db.queries.base import Queries, moment
from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.counts import CountLine, Misplaced
from pharmacy_app.services import views


class CountQueries(Queries):
    """Physical counts, discrepancies and the closing of the study's books."""

    def stock_count(self, number: str) -> views.StockCount | None:
        """A physical count by its number."""
        row = self.row(select(schema.stock_count).where(schema.stock_count.c.number == number))
        return _stock_count(row) if row else None

    def stock_counts(self, *, place: str = "", offset: int = 0, limit: int = 200) -> Sequence[views.StockCount]:
        """Physical counts, newest first."""
        query = select(schema.stock_count).order_by(schema.stock_count.c.event_seq.desc())
        if place:
            query = query.where(schema.stock_count.c.place == place)
        return [_stock_count(row) for row in self.rows(query.offset(offset).limit(limit))]

    def last_counts(self) -> Sequence[views.LastCount]:
        """The newest count of vials of each place, and of each strength there that was counted by itself."""
        table = schema.stock_count
        newest = (
            select(table.c.place, table.c.strength_mg, func.max(table.c.event_seq).label("event_seq"))
            .where(table.c.of_vials == 1)
            .group_by(table.c.place, table.c.strength_mg)
            .subquery()
        )
        query = select(table).join(newest, table.c.event_seq == newest.c.event_seq)
        return [
            views.LastCount(
                row["place"], _strength(row["strength_mg"]), datetime.fromisoformat(row["counted_at"]), row["number"]
            )
            for row in self.rows(query.order_by(table.c.place, table.c.strength_mg))
        ]

    def first_move_at(self, place: str) -> datetime | None:
        """When the first vial came to a place, ``None`` while none has."""
        table = schema.ledger_line.c
        query = select(table.done_at).where(table.place == place).order_by(table.done_utc, table.event_seq, table.line)
        return moment(self.connection.execute(query.limit(1)).scalar())

    def place_moves(self, place: str, after_seq: int) -> Sequence[views.PlaceMove]:
        """What moved at a place in events after one of the journal, in their order."""
        table = schema.ledger_line.c
        query = (
            select(schema.ledger_line)
            .where(and_(table.event_seq > after_seq, table.place == place))
            .order_by(table.event_seq, table.line)
        )
        return [
            views.PlaceMove(
                row["event_seq"],
                datetime.fromisoformat(row["done_at"]),
                row["move"],
                Decimal(row["strength_mg"]),
                row["lot"],
                row["from_state"],
                row["to_state"],
                tuple(json.loads(row["units"])),
                row["dose_id"],
            )
            for row in self.rows(query)
        ]

    def _discrepancies(self, where: Any = None) -> list[views.Discrepancy]:
        query = select(schema.discrepancy).order_by(schema.discrepancy.c.event_seq.desc())
        if where is not None:
            query = query.where(where)
        return [
            views.Discrepancy(
                number=row["number"],
                count_number=row["count_number"],
                place=row["place"],
                sentence=row["sentence"],
                opened_at=datetime.fromisoformat(row["opened_at"]),
                opened_by=row["opened_by"],
                concerns=from_plain(tuple[views.Concern, ...], json.loads(row["concerns"])),
                status=row["status"],
                outcome=row["outcome"],
                explanation=row["explanation"],
                closed_at=moment(row["closed_at"]),
                closed_by=row["closed_by"],
                event_seq=row["event_seq"],
                closed_seq=row["closed_seq"],
            )
            for row in self.rows(query)
        ]

    def discrepancy(self, number: str) -> views.Discrepancy | None:
        """A discrepancy by its number."""
        found = self._discrepancies(schema.discrepancy.c.number == number)
        return found[0] if found else None

    def discrepancies(self, *, status: str = "") -> Sequence[views.Discrepancy]:
        """Discrepancies, newest first: all of them, or the open or the closed ones."""
        return self._discrepancies(schema.discrepancy.c.status == status if status else None)

    def close_outs(self) -> Sequence[views.ClosedOut]:
        """Every signed close-out, newest first."""
        query = select(schema.close_out).order_by(schema.close_out.c.event_seq.desc())
        found = []
        for row in self.rows(query):
            entry = json.loads(row["entry"])
            found.append(
                views.ClosedOut(
                    row["event_seq"],
                    datetime.fromisoformat(row["closed_at"]),
                    row["signed_by"],
                    from_plain(tuple[views.CloseOutLine, ...], entry["lines"]),
                    entry["note"],
                )
            )
        return found


def _strength(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _stock_count(row: RowMapping) -> views.StockCount:
    entry = json.loads(row["entry"])
    return views.StockCount(
        number=row["number"],
        event_seq=row["event_seq"],
        counted_at=datetime.fromisoformat(row["counted_at"]),
        place=row["place"],
        strength_mg=_strength(row["strength_mg"]),
        kinds=tuple(entry["kinds"]),
        method=entry["method"],
        lines=from_plain(tuple[CountLine, ...], entry["lines"]),
        strays=from_plain(tuple[Misplaced, ...], entry["strays"]),
        unknown=tuple(entry["unknown"]),
        counted_by=row["counted_by"],
        verified_by=row["verified_by"],
        note=entry["note"],
        discrepancy=row["discrepancy"],
    )
