"""Vials, stock and lots."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping, Select, and_, bindparam, or_, select

from db import schema
from db.compiled import Kept
from db.queries.base import Queries
from pharmacy_app.domain.vials import Vial, usable_on
from pharmacy_app.services import views
from pharmacy_app.services.ports import VialFilter

_VIAL = Kept(select(schema.vial).where(schema.vial.c.unit_number == bindparam("unit_number")))
_MOVED_UTC = Kept(select(schema.vial.c.moved_utc).where(schema.vial.c.unit_number == bindparam("unit_number")))


class VialQueries(Queries):
    """Vials, stock and lots."""

    def vial(self, unit_number: str) -> Vial | None:
        """A vial by our own number."""
        row = self.row(_VIAL, unit_number=unit_number)
        return vial_of(row) if row else None

    def vial_by_kit(self, kit_number: str) -> Vial | None:
        """A vial by the supporter's kit number."""
        row = self.row(select(schema.vial).where(schema.vial.c.kit_number == kit_number))
        return vial_of(row) if row else None

    def kits_received(self) -> Sequence[tuple[str, str]]:
        """Shipment and kit number of every vial that has one, in the order in which they were received."""
        table = schema.vial.c
        query = (
            select(table.shipment_number, table.kit_number)
            .where(table.kit_number.is_not(None))
            .order_by(table.unit_number)
        )
        return [(row["shipment_number"], row["kit_number"]) for row in self.rows(query)]

    def vials_moved_utc(self, unit_numbers: Sequence[str]) -> str:
        """The latest moment at which any of these vials moved, as UTC text."""
        return max((self.value(_MOVED_UTC, unit_number=each) or "" for each in unit_numbers), default="")

    def _vials(self, wanted: VialFilter) -> Select[Any]:
        table = schema.vial.c
        query = select(schema.vial)
        if wanted.strength_mg is not None:
            query = query.where(table.strength_mg == format(wanted.strength_mg, "f"))
        for column, value in (
            (table.lot, wanted.lot),
            (table.state, wanted.state),
            (table.place, wanted.place),
            (table.shipment_number, wanted.shipment_number),
        ):
            if value:
                query = query.where(column == value)
        if wanted.accounted is not None:
            query = query.where(table.accounted_by != "" if wanted.accounted else table.accounted_by == "")
        if wanted.text:
            query = query.where(
                or_(
                    *(
                        column.icontains(wanted.text, autoescape=True)
                        for column in (table.unit_number, table.kit_number, table.lot, table.dose_id)
                    )
                )
            )
        return query

    def vials(self, wanted: VialFilter, *, sort: str, descending: bool, offset: int, limit: int) -> Sequence[Vial]:
        """A page of vials, sorted by a column of the table."""
        column = schema.vial.c[sort]
        # Where vials without a value stand is said, because the backends have it each their own way.
        by = column.desc().nulls_last() if descending else column.asc().nulls_first()
        query = self._vials(wanted).order_by(by, schema.vial.c.unit_number)
        return [vial_of(row) for row in self.rows(query.offset(offset).limit(limit))]

    def count_vials(self, wanted: VialFilter) -> int:
        """How many vials the same question gives."""
        return self.count(self._vials(wanted))

    def usable_vials(self, day: date, *, unscanned: bool = False) -> Sequence[Vial]:
        """Vials that may go into a dose on ``day``, first expiry first; ``unscanned``: also once they are scanned."""
        table = schema.vial.c
        query = (
            select(schema.vial)
            .where(table.state == "available")
            .order_by(table.strength_mg, table.expires_on, table.lot, table.unit_number)
        )
        if not unscanned:
            query = query.where(table.label_seq.is_not(None))
        vials = (vial_of(row) for row in self.rows(query))
        return [vial for vial in vials if usable_on(vial.state, vial.expires_on, day)]

    def stock(self) -> Sequence[views.StockLine]:
        """Vials by strength, lot, place and state; what is at zero is left out."""
        table, lot = schema.stock.c, schema.lot.c
        query = (
            select(schema.stock, lot.expires_on)
            .join(schema.lot, and_(lot.strength_mg == table.strength_mg, lot.lot == table.lot))
            .where(table.vials > 0)
            .order_by(table.strength_mg, lot.expires_on, table.lot, table.place, table.state)
        )
        return [
            views.StockLine(
                Decimal(row["strength_mg"]),
                row["lot"],
                date.fromisoformat(row["expires_on"]),
                row["place"],
                row["state"],
                row["vials"],
            )
            for row in self.rows(query)
        ]

    def lots_received(self) -> Sequence[tuple[Decimal, str, int]]:
        """Every strength and lot with the number of vials ever received of it, counted one by one as they came."""
        table = schema.lot.c
        query = select(schema.lot).where(table.received > 0).order_by(table.strength_mg, table.lot)
        return [(Decimal(row["strength_mg"]), row["lot"], row["received"]) for row in self.rows(query)]

    def lots(self) -> Sequence[tuple[Decimal, str, date]]:
        """Every strength, lot and expiry ever received; one that a correction has emptied was never there."""
        table = schema.lot.c
        query = select(schema.lot).where(table.received > 0).order_by(table.strength_mg, table.lot)
        return [
            (Decimal(row["strength_mg"]), row["lot"], date.fromisoformat(row["expires_on"])) for row in self.rows(query)
        ]


def vial_of(row: RowMapping) -> Vial:
    return Vial(
        row["unit_number"],
        row["kit_number"] or "",
        Decimal(row["strength_mg"]),
        row["lot"],
        date.fromisoformat(row["expires_on"]),
        row["place"],
        row["state"],
        row["hold_reason"],
        row["dose_id"],
        row["shipment_number"],
        row["accounted_by"],
        row["label_seq"] is not None,
        row["label_from_seq"],
    )
