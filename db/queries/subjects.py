"""Subjects, their measurements and their treatment."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select, true

from db import schema
from db.compiled import Kept
from db.queries.base import Queries, day, decimal
from pharmacy_app.services import views

_GIVEN = and_(schema.dose.c.subject_number == schema.subject.c.subject_number, schema.dose.c.given_on.is_not(None))
_SUBJECTS = select(
    schema.subject,
    select(func.count()).where(_GIVEN).scalar_subquery().label("doses_given"),
    select(func.max(schema.dose.c.given_on)).where(_GIVEN).scalar_subquery().label("last_given_on"),
).order_by(schema.subject.c.subject_number)
_SUBJECT = Kept(_SUBJECTS.where(schema.subject.c.subject_number == bindparam("subject_number")))
_LAST_MEASURED = Kept(
    select(schema.measurement.c.value)
    .where(
        schema.measurement.c.subject_number == bindparam("subject_number"),
        schema.measurement.c.kind == bindparam("kind"),
        schema.measurement.c.corrected_seq.is_(None),
    )
    .order_by(schema.measurement.c.measured_on.desc(), schema.measurement.c.event_seq.desc())
    .limit(1)
)


class SubjectQueries(Queries):
    """Subjects, their measurements and their treatment."""

    def _subjects(self, query: Select[Any] | Kept, **values: object) -> list[views.SubjectLine]:
        return [
            views.SubjectLine(
                row["subject_number"],
                row["initials"],
                row["birth"],
                date.fromisoformat(row["enrolled_on"]),
                row["doses_given"],
                day(row["last_given_on"]),
            )
            for row in self.rows(query, **values)
        ]

    def subject(self, subject_number: str) -> views.SubjectLine | None:
        """A subject by number."""
        found = self._subjects(_SUBJECT, subject_number=subject_number)
        return found[0] if found else None

    def subjects(self) -> Sequence[views.SubjectLine]:
        """Every enrolled subject."""
        return self._subjects(_SUBJECTS)

    def treatment(self, subject_number: str) -> Sequence[views.TreatmentLine]:
        """Every statement on a subject's treatment in the order recorded, withdrawn ones too."""
        table = schema.treatment.c
        query = select(schema.treatment).where(table.subject_number == subject_number).order_by(table.event_seq)
        return [
            views.TreatmentLine(
                row["event_seq"],
                row["kind"],
                row["subject_number"],
                json.loads(row["entry"]),
                row["recorder"],
                datetime.fromisoformat(row["recorded_at"]),
                row["why"],
                row["withdrawn_seq"],
                row["withdrawn_by"],
                row["withdrawn_why"],
            )
            for row in self.rows(query)
        ]

    def measurements(self, subject_number: str, *, corrected: bool = False) -> Sequence[views.MeasurementLine]:
        """A subject's heights and weights, newest first; those that were corrected stand in it only when asked for."""
        table = schema.measurement.c
        counts = true() if corrected else table.corrected_seq.is_(None)
        query = (
            select(schema.measurement)
            .where(table.subject_number == subject_number, counts)
            .order_by(table.measured_on.desc(), table.event_seq.desc())
        )
        return [
            views.MeasurementLine(
                row["event_seq"],
                row["subject_number"],
                row["kind"],
                row["typed_value"],
                row["typed_unit"],
                Decimal(row["value"]),
                date.fromisoformat(row["measured_on"]),
                datetime.fromisoformat(row["recorded_at"]),
                row["recorder"],
                row["why"],
                row["corrected_seq"],
            )
            for row in self.rows(query)
        ]

    def last_measured(self, subject_number: str, kind: str) -> Decimal | None:
        """A subject's newest height (cm) or weight (kg)."""
        return decimal(self.value(_LAST_MEASURED, subject_number=subject_number, kind=kind))
