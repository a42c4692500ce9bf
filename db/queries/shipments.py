"""Shipments, and what was found of each of their lots."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, select

from db import schema
from db.queries.base import Queries, decimal, moment
from pharmacy_app.services import views


class ShipmentQueries(Queries):
    """Shipments and their lots."""

    def _shipments(self, where: Any = None) -> list[views.ShipmentLine]:
        waiting = (
            select(func.count())
            .where(schema.vial.c.shipment_number == schema.shipment.c.number, schema.vial.c.state == "held")
            .scalar_subquery()
        )
        query = select(schema.shipment, waiting.label("awaiting_release"))
        if where is not None:
            query = query.where(where)
        return [
            views.ShipmentLine(
                row["number"],
                row["sender"],
                date.fromisoformat(row["shipped_on"]),
                datetime.fromisoformat(row["received_at"]),
                row["logger_serial"],
                row["logger_state"],
                row["condition"],
                row["received_by"],
                row["vials"],
                row["hold_reason"],
                row["awaiting_release"],
                row["packing_list"],
                decimal(row["min_celsius"]),
                decimal(row["max_celsius"]),
                row["logger_read_by"],
                moment(row["logger_read_at"]),
                row["acknowledged_to"],
                row["acknowledged_how"],
                row["acknowledged_by"],
                moment(row["acknowledged_at"]),
                row["note"],
                row["event_seq"],
            )
            for row in self.rows(query.order_by(schema.shipment.c.received_utc.desc(), schema.shipment.c.number))
        ]

    def shipment(self, number: str) -> views.ShipmentLine | None:
        """A shipment by its number, in capitals or not: the exact one first, where an old record has several."""
        alike = number.strip().casefold()
        numbers = self.rows(select(schema.shipment.c.number).order_by(schema.shipment.c.event_seq))
        names = [row["number"] for row in numbers if row["number"].casefold() == alike]
        if not names:
            return None
        return self._shipments(schema.shipment.c.number == (number if number in names else names[0]))[0]

    def shipments(self) -> Sequence[views.ShipmentLine]:
        """Every shipment, newest first."""
        return self._shipments()

    def shipment_lots(self, number: str) -> Sequence[views.ShipmentLot]:
        """What was found of each lot of a shipment, in the order of its packing list, and who released vials of it."""
        vial, line, on = schema.vial.c, schema.ledger_line.c, schema.ledger_vial.c
        released = self.rows(
            select(vial.strength_mg, vial.lot, line.recorder)
            .join(schema.ledger_vial, on.unit_number == vial.unit_number)
            .join(schema.ledger_line, and_(line.event_seq == on.event_seq, line.line == on.line))
            .where(vial.shipment_number == number, line.move.in_(("release", "lift quarantine")))
            .group_by(vial.strength_mg, vial.lot, line.recorder)
            .order_by(func.min(line.event_seq))
        )
        by: dict[tuple[str, str], list[str]] = {}
        for row in released:
            by.setdefault((row["strength_mg"], row["lot"]), []).append(row["recorder"])
        table = schema.shipment_lot.c
        return [
            views.ShipmentLot(
                Decimal(row["strength_mg"]),
                row["lot"],
                date.fromisoformat(row["expires_on"]),
                row["listed"],
                row["counted"],
                row["damaged"],
                row["extra"],
                row["difference_note"],
                row["condition_note"],
                row["kits"],
                tuple(by.get((row["strength_mg"], row["lot"]), ())),
            )
            for row in self.rows(
                select(schema.shipment_lot).where(table.shipment_number == number).order_by(table.line)
            )
        ]
