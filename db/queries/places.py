"""Places, expiries that were extended, and the labels that still have an older date."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import and_, func, or_, select

from db import schema
from db.compiled import Kept
from db.queries.base import Queries, moment
from db.queries.vials import vial_of
from pharmacy_app.domain.vials import Vial, move_table
from pharmacy_app.services import views

_ON_SITE = tuple(state.name for state in move_table().states.values() if state.on_site)
_UNOPENED = tuple(state.name for state in move_table().states.values() if state.on_site in ("available", "quarantine"))

_HERE = (
    select(func.coalesce(func.sum(schema.stock.c.vials), 0))
    .where(schema.stock.c.place == schema.place.c.name, schema.stock.c.state.in_(_ON_SITE))
    .scalar_subquery()
)
_PLACES = Kept(select(schema.place, _HERE.label("vials")).order_by(schema.place.c.added_seq, schema.place.c.added_line))


class PlaceQueries(Queries):
    """Places, expiries that were extended, and the labels that still have an older date."""

    def places(self) -> Sequence[views.Place]:
        """Every place there ever was, in the order in which they were added, with the vials on site there."""
        return [
            views.Place(
                row["name"],
                row["kind"],
                row["room"],
                row["added_seq"],
                row["added_by"],
                datetime.fromisoformat(row["added_at"]),
                moment(row["closed_at"]),
                row["closed_by"],
                row["closed_why"],
                int(row["vials"]),
            )
            for row in self.rows(_PLACES)
        ]

    def expiry_extensions(self) -> Sequence[views.ExpiryExtension]:
        """Every extension of a lot's expiry, newest first."""
        query = select(schema.expiry_extension).order_by(schema.expiry_extension.c.event_seq.desc())
        return [
            views.ExpiryExtension(
                row["event_seq"],
                Decimal(row["strength_mg"]),
                row["lot"],
                date.fromisoformat(row["old_on"]),
                date.fromisoformat(row["new_on"]),
                row["document_id"],
                row["signed_by"],
                datetime.fromisoformat(row["signed_at"]),
                row["vials"],
            )
            for row in self.rows(query)
        ]

    def to_relabel(self) -> Sequence[Vial]:
        """Unopened vials whose lot was extended, and whose label was neither printed nor renewed by hand since."""
        vial, extension = schema.vial.c, schema.expiry_extension.c
        printed, by_hand = schema.printed.c, schema.relabelled.c
        newest = (
            select(extension.strength_mg, extension.lot, func.max(extension.event_seq).label("event_seq"))
            .group_by(extension.strength_mg, extension.lot)
            .subquery()
        )
        since = newest.c.event_seq
        renewed = or_(
            select(printed.event_seq)
            .where(printed.about == vial.unit_number, printed.paper == "vial label", printed.event_seq > since)
            .exists(),
            select(by_hand.event_seq)
            .where(by_hand.unit_number == vial.unit_number, by_hand.event_seq > since)
            .exists(),
        )
        query = (
            select(schema.vial)
            .join(newest, and_(newest.c.strength_mg == vial.strength_mg, newest.c.lot == vial.lot))
            .where(vial.state.in_(_UNOPENED), ~renewed)
            .order_by(vial.strength_mg, vial.lot, vial.unit_number)
        )
        return [vial_of(row) for row in self.rows(query)]
