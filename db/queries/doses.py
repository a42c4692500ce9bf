"""Doses and their whole threads."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import RowMapping, select

from db import schema
from db.queries.base import day, decimal, load, moment
from db.queries.ledger import LedgerQueries
from db.queries.vials import vial_of
from pharmacy_app.services import views

_LISTED = (
    "dose_id",
    "subject_number",
    "course",
    "cycle",
    "day",
    "level",
    "planned_on",
    "prescriber",
    "ordered_on",
    "prescribed_mg",
    "status",
    "administered_mg",
    "given_on",
)
"""The columns of a dose in a list."""


class DoseQueries(LedgerQueries):
    """Doses and their whole threads."""

    def doses(self, *, subject_number: str = "", statuses: Sequence[str] = ()) -> Sequence[views.DoseLine]:
        """Doses in the order in which they were ordered."""
        # Not the whole rows: decision and plan are long, and no list shows them.
        query = select(*(schema.dose.c[name] for name in _LISTED)).order_by(schema.dose.c.order_seq)
        if subject_number:
            query = query.where(schema.dose.c.subject_number == subject_number)
        if statuses:
            query = query.where(schema.dose.c.status.in_(statuses))
        return [_dose_line(row) for row in self.rows(query)]

    def subjects_of_doses(self) -> dict[str, str]:
        """The subject's number of every dose, by the dose's number."""
        query = select(schema.dose.c.dose_id, schema.dose.c.subject_number)
        return {row["dose_id"]: row["subject_number"] for row in self.rows(query)}

    def prepared_amounts(self) -> dict[str, Decimal]:
        """The mg prepared of every dose that has come that far, by the dose's number."""
        dose = schema.dose.c
        query = select(dose.dose_id, dose.prepared_mg).where(dose.prepared_mg.is_not(None))
        return {row["dose_id"]: Decimal(row["prepared_mg"]) for row in self.rows(query)}

    def dose(self, dose_id: str) -> views.DoseThread | None:
        """The whole thread of one dose."""
        row = self.row(select(schema.dose).where(schema.dose.c.dose_id == dose_id))
        if row is None:
            return None
        vials = self.rows(
            select(schema.vial).where(schema.vial.c.dose_id == dose_id).order_by(schema.vial.c.unit_number)
        )
        return views.DoseThread(
            _dose_line(row),
            row["order_seq"],
            row["decision_seq"],
            load(row["decision"]),
            decimal(row["height_cm"]),
            decimal(row["weight_kg"]),
            day(row["weight_on"]),
            row["bsa_formula"] or "",
            row["plan_seq"],
            load(row["plan"]),
            row["planned_by"] or "",
            row["planner_id"] or "",
            moment(row["planned_at"]),
            row["verify_seq"],
            row["verified_by"] or "",
            moment(row["verified_at"]),
            row["prepare_seq"],
            load(row["preparation"]),
            decimal(row["prepared_mg"]),
            row["prepared_by"] or "",
            row["release_seq"],
            row["released_by"] or "",
            moment(row["released_at"]),
            row["released_to"] or "",
            row["administer_seq"],
            load(row["administration"]),
            row["close_seq"],
            row["cancelled_why"] or "",
            tuple(vial_of(vial) for vial in vials),
            self.mg(schema.mg_line.c.dose_id == dose_id),
        )


def _dose_line(row: RowMapping) -> views.DoseLine:
    return views.DoseLine(
        row["dose_id"],
        row["subject_number"],
        row["course"],
        row["cycle"],
        row["day"],
        row["level"],
        date.fromisoformat(row["planned_on"]),
        row["prescriber"],
        date.fromisoformat(row["ordered_on"]),
        Decimal(row["prescribed_mg"]),
        row["status"],
        decimal(row["administered_mg"]),
        day(row["given_on"]),
    )
