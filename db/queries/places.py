"""Places, expiries that were extended, and the labels that still have an older date."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from db import schema
from db.compiled import Kept
from db.queries.base import Queries, moment
from db.queries.vials import vial_of
from pharmacy_app.domain.vials import UNOPENED, Vial, move_table
from pharmacy_app.services import views

_ON_SITE = tuple(state.name for state in move_table().states.values() if state.on_site)

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
                row["undone_seq"],
            )
            for row in self.rows(query)
        ]

    def to_relabel(self) -> Sequence[Vial]:
        """Unopened vials with another expiry on their label than counts, as far as our own entries say.

        Their lot was extended, and the label was neither printed nor renewed by hand since; or it was renewed by an
        extension that was taken back afterwards.
        """
        vial, extension = schema.vial.c, schema.expiry_extension.c
        of_the_lot = and_(extension.strength_mg == vial.strength_mg, extension.lot == vial.lot)
        newest = (
            select(func.max(extension.event_seq))
            .where(of_the_lot, extension.undone_seq.is_(None))
            .correlate(schema.vial)
            .scalar_subquery()
        )
        by_mistake = (
            select(extension.event_seq)
            .where(
                of_the_lot,
                extension.undone_seq.is_not(None),
                _renewed(extension.event_seq, extension.undone_seq),
                ~_renewed(extension.undone_seq),
            )
            .correlate(schema.vial)
            .exists()
        )
        query = (
            select(schema.vial)
            .where(vial.state.in_(UNOPENED), or_(and_(newest.is_not(None), ~_renewed(newest)), by_mistake))
            .order_by(vial.strength_mg, vial.lot, vial.unit_number)
        )
        return [vial_of(row) for row in self.rows(query)]


def _renewed(since: ColumnElement[Any], until: ColumnElement[Any] | None = None) -> ColumnElement[bool]:
    """Whether a vial's label was printed or renewed by hand after an entry, and before another if that is given."""
    vial, label, by_hand = schema.vial.c, schema.label.c, schema.relabelled.c

    def meanwhile(seq: ColumnElement[Any]) -> ColumnElement[bool]:
        return seq > since if until is None else and_(seq > since, seq < until)

    keep = (schema.vial, schema.expiry_extension)
    return or_(
        select(label.event_seq)
        .where(
            label.number == vial.unit_number,
            label.kind == "vial",
            label.status.in_(("printed", "out")),
            meanwhile(label.event_seq),
        )
        .correlate(*keep)
        .exists(),
        select(by_hand.event_seq)
        .where(by_hand.unit_number == vial.unit_number, meanwhile(by_hand.event_seq))
        .correlate(*keep)
        .exists(),
    )
