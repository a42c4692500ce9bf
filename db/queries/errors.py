"""Medication errors."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select

from db import schema
from db.queries.base import Queries, decimal, moment
from pharmacy_app.services import views


class ErrorQueries(Queries):
    """Medication errors."""

    def _errors(self, where: Any = None) -> list[views.ErrorLine]:
        query = select(schema.medication_error).order_by(schema.medication_error.c.event_seq.desc())
        if where is not None:
            query = query.where(where)
        return [_error_line(row) for row in self.rows(query)]

    def errors(self) -> Sequence[views.ErrorLine]:
        """Medication-error records, newest first."""
        return self._errors()

    def error(self, error_id: str) -> views.ErrorLine | None:
        """A medication-error record by its number."""
        found = self._errors(schema.medication_error.c.error_id == error_id)
        return found[0] if found else None

    def error_assessments(self, error_id: str) -> Sequence[views.AssessmentLine]:
        """Every assessment of a medication-error record, newest first."""
        table = schema.medication_error_assessment
        query = select(table).where(table.c.error_id == error_id).order_by(table.c.event_seq.desc())
        return [
            views.AssessmentLine(
                row["event_seq"],
                row["error_id"],
                datetime.fromisoformat(row["assessed_at"]),
                row["signed_by"],
                json.loads(row["assessment"]),
            )
            for row in self.rows(query)
        ]

    def error_told(self, error_id: str) -> Sequence[views.ToldLine]:
        """Who was told of a medication error, in the order of the telling."""
        table = schema.medication_error_told
        query = (
            select(table)
            .where(table.c.error_id == error_id)
            .order_by(table.c.told_utc, table.c.event_seq, table.c.line)
        )
        return [
            views.ToldLine(
                row["event_seq"],
                row["error_id"],
                row["recipient"],
                row["name"],
                datetime.fromisoformat(row["told_at"]),
                datetime.fromisoformat(row["recorded_at"]),
                row["recorder"],
            )
            for row in self.rows(query)
        ]


def _error_line(row: RowMapping) -> views.ErrorLine:
    same = (
        "error_id",
        "source",
        "dose_id",
        "subject_number",
        "opened_by",
        "found_by",
        "stage",
        "error_type",
        "reached_subject",
        "what_happened",
        "action",
        "stopped_for",
        "difference",
        "sentence",
        "status",
        "verdict",
        "category",
    )
    occurred_at = moment(row["occurred_at"])
    return views.ErrorLine(
        opened_at=datetime.fromisoformat(row["opened_at"]),
        found_at=datetime.fromisoformat(row["found_at"]),
        occurred_at=occurred_at,
        occurred_on=occurred_at.date() if occurred_at else None,
        prescribed_mg=decimal(row["prescribed_mg"]),
        administered_mg=decimal(row["administered_mg"]),
        **{name: row[name] for name in same},
    )
