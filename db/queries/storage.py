"""Storage deviations and the vials that lay at a place at some time."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import RowMapping, Select, and_, case, func, literal, or_, select

from db import schema
from db.queries.base import Queries, day, decimal, moment
from db.queries.vials import vial_of
from pharmacy_app.domain.vials import UNOPENED, move_table
from pharmacy_app.services import views

_ENDS = ("release", "lift quarantine", "return", "transfer", "destroy", "break", "miss")
_TAKES_OUT = ("receive", "quarantine", "find")
_KEPT_BACK = tuple(state.name for state in move_table().states.values() if state.on_site == "quarantine")


class StorageQueries(Queries):
    """Storage deviations and the vials that lay at a place at some time."""

    def _deviations(self) -> Select[Any]:
        vials = schema.deviation_vial.c
        counted = (
            select(func.count())
            .where(vials.deviation_id == schema.deviation.c.deviation_id)
            .scalar_subquery()
            .label("vials")
        )
        return select(schema.deviation, counted)

    def deviations(self, *, status: str = "") -> Sequence[views.DeviationLine]:
        """Storage deviations, newest first; of one status or of all."""
        table = schema.deviation.c
        query = self._deviations().order_by(table.event_seq.desc())
        if status:
            query = query.where(table.status == status)
        return [_deviation(row) for row in self.rows(query)]

    def deviations_at(self, place: str) -> Sequence[views.DeviationLine]:
        """Storage deviations at a place, newest first."""
        table = schema.deviation.c
        query = self._deviations().where(table.place == place).order_by(table.event_seq.desc())
        return [_deviation(row) for row in self.rows(query)]

    def deviation(self, deviation_id: str) -> views.DeviationLine | None:
        """A storage deviation by its number."""
        row = self.row(self._deviations().where(schema.deviation.c.deviation_id == deviation_id))
        return _deviation(row) if row else None

    def deviation_vials(self, deviation_id: str) -> Sequence[views.DeviationVial]:
        """The vials that a deviation names, in the order of their numbers."""
        return self._deviation_vials(schema.deviation_vial.c.deviation_id == deviation_id)

    def open_exposures(self, unit_numbers: Sequence[str]) -> Sequence[views.DeviationVial]:
        """Where these vials stand in deviations that are open."""
        found: list[views.DeviationVial] = []
        table, deviation = schema.deviation_vial.c, schema.deviation.c
        is_open = select(deviation.deviation_id).where(deviation.status == "open")
        for start in range(0, len(unit_numbers), 500):
            some = unit_numbers[start : start + 500]
            found += self._deviation_vials(and_(table.unit_number.in_(some), table.deviation_id.in_(is_open)))
        return found

    def exposures(self, unit_numbers: Sequence[str]) -> Sequence[views.DeviationVial]:
        """Where these vials stand in deviations, open or closed."""
        found: list[views.DeviationVial] = []
        for start in range(0, len(unit_numbers), 500):
            some = unit_numbers[start : start + 500]
            found += self._deviation_vials(schema.deviation_vial.c.unit_number.in_(some))
        return found

    def _deviation_vials(self, where: Any) -> list[views.DeviationVial]:
        table = schema.deviation_vial
        query = select(table).where(where).order_by(table.c.unit_number, table.c.deviation_id)
        return [
            views.DeviationVial(
                deviation_id=row["deviation_id"],
                unit_number=row["unit_number"],
                kit_number=row["kit_number"],
                strength_mg=Decimal(row["strength_mg"]),
                lot=row["lot"],
                expires_on=date.fromisoformat(row["expires_on"]),
                state_then=row["state_then"],
                state_found=row["state_found"],
                dose_id=row["dose_id"],
                quarantined=bool(row["quarantined"]),
                decision=row["decision"],
                document_id=row["document_id"],
                decided_at=moment(row["decided_at"]),
                decided_by=row["decided_by"],
                event_seq=row["event_seq"],
            )
            for row in self.rows(query)
        ]

    def deviation_told(self, deviation_id: str) -> Sequence[views.DeviationTold]:
        """Whom of the supporter's was told of a deviation, in the order in which it was recorded."""
        table = schema.deviation_told
        query = select(table).where(table.c.deviation_id == deviation_id).order_by(table.c.event_seq)
        return [
            views.DeviationTold(
                row["event_seq"],
                row["deviation_id"],
                row["name"],
                row["how"],
                datetime.fromisoformat(row["told_at"]),
                row["data_sent"],
                datetime.fromisoformat(row["recorded_at"]),
                row["recorder"],
            )
            for row in self.rows(query)
        ]

    def deviation_outcomes(self, deviation_id: str) -> Sequence[views.DeviationOutcome]:
        """How the vials of a deviation left the quarantine, each by its newest such move."""
        vials, line, on = schema.deviation_vial.c, schema.ledger_line.c, schema.ledger_vial.c
        query = (
            select(vials.unit_number, line.move, line.done_at, line.recorder, line.reference)
            .join(schema.ledger_vial, on.unit_number == vials.unit_number)
            .join(schema.ledger_line, and_(line.event_seq == on.event_seq, line.line == on.line))
            .where(
                vials.deviation_id == deviation_id,
                line.event_seq > vials.event_seq,
                line.move.in_(_ENDS),
                # What a dose left of a vial that was released is destroyed later; that ended no quarantine.
                line.from_state.in_(_KEPT_BACK),
                line.to_state != "",
            )
            .order_by(vials.unit_number, line.effective_utc, line.event_seq, line.line)
        )
        newest = {row["unit_number"]: row for row in self.rows(query)}
        return [
            views.DeviationOutcome(
                row["unit_number"],
                row["move"],
                datetime.fromisoformat(row["done_at"]),
                row["recorder"],
                row["reference"],
            )
            for row in newest.values()
        ]

    def taken_out(self, unit_numbers: Sequence[str]) -> Sequence[views.VialMove]:
        """The standing entries that took these vials out of use, oldest first, and from when each could be known.

        That is when it was recorded, whenever it was done; a storage deviation that named a vial itself could be known
        from when it was discovered on.
        """
        line, on, exposed, deviation = (
            schema.ledger_line.c,
            schema.ledger_vial.c,
            schema.deviation_vial.c,
            schema.deviation.c,
        )
        taken_back = select(schema.correction.c.corrects_seq).where(schema.correction.c.kind == "move_undone")
        by_deviation = select(deviation.event_seq)
        moved = (
            select(on.unit_number, line.event_seq, line.line, line.move, line.recorded_at.label("since"))
            .join_from(
                schema.ledger_vial, schema.ledger_line, and_(on.event_seq == line.event_seq, on.line == line.line)
            )
            .where(
                line.move.in_(_TAKES_OUT),
                line.event_seq.not_in(taken_back),
                line.event_seq.not_in(by_deviation),
            )
        )
        named = select(
            exposed.unit_number,
            exposed.event_seq,
            literal(1).label("line"),
            literal("quarantine").label("move"),
            case(
                (exposed.event_seq == deviation.event_seq, deviation.discovered_at),
                else_=func.coalesce(exposed.late_at, deviation.recorded_at),
            ).label("since"),
        ).join_from(schema.deviation_vial, schema.deviation, exposed.deviation_id == deviation.deviation_id)
        found = set()
        for start in range(0, len(unit_numbers), 500):
            some = unit_numbers[start : start + 500]
            for row in (
                *self.rows(moved.where(on.unit_number.in_(some))),
                *self.rows(named.where(exposed.unit_number.in_(some))),
            ):
                found.add((row["event_seq"], row["unit_number"], row["line"], row["move"], row["since"]))
        return [
            views.VialMove(unit_number, f"{seq}.{number}", seq, name, datetime.fromisoformat(since))
            for seq, unit_number, number, name, since in sorted(found)
        ]

    def vials_at(self, place: str, since_utc: str, until_utc: str) -> Sequence[views.VialAt]:
        """The unopened vials that lay at a place at any time from ``since_utc`` to ``until_utc``, both included.

        Where a vial lay is read from its ledger lines as they are known now, corrections and late entries included;
        not from where it is now.
        """
        vial, line, on = schema.vial.c, schema.ledger_line.c, schema.ledger_vial.c
        still_there = and_(vial.place == place, vial.state.in_(UNOPENED))
        query = (
            select(
                schema.vial,
                line.effective_utc.label("step_utc"),
                line.place.label("step_place"),
                line.to_state.label("step_state"),
            )
            .join(schema.ledger_vial, on.unit_number == vial.unit_number)
            .join(schema.ledger_line, and_(line.event_seq == on.event_seq, line.line == on.line))
            .where(
                or_(still_there, vial.moved_utc >= since_utc),
                line.effective_utc <= until_utc,
                # The line out of the old place or label is followed by the one into the new.
                line.to_state != "",
            )
            .order_by(vial.unit_number, line.effective_utc, line.event_seq, line.line)
        )
        found = []
        for _, steps in groupby(self.rows(query), key=lambda row: row["unit_number"]):
            rows = list(steps)
            ends = [later["step_utc"] for _, later in pairwise(rows)] + [until_utc]
            there = [
                row
                for row, end in zip(rows, ends, strict=True)
                if row["step_place"] == place
                and row["step_state"] in UNOPENED
                and end >= since_utc
                # What was taken back from the very moment it began never was.
                and (row["step_utc"] < end or row is rows[-1])
            ]
            if there:
                found.append(views.VialAt(vial_of(there[-1]), there[-1]["step_state"]))
        return found


def _deviation(row: RowMapping) -> views.DeviationLine:
    same = (
        "deviation_id",
        "place",
        "source",
        "logger_serial",
        "document_id",
        "file_sha256",
        "discovered_by",
        "done",
        "cause",
        "action",
        "recorded_by",
        "status",
        "closed_by",
        "event_seq",
        "closed_seq",
        "vials",
    )
    return views.DeviationLine(
        calibration_due=day(row["calibration_due"]),
        started_at=datetime.fromisoformat(row["started_at"]),
        ended_at=datetime.fromisoformat(row["ended_at"]),
        min_celsius=decimal(row["min_celsius"]),
        max_celsius=decimal(row["max_celsius"]),
        spans=json.loads(row["spans"]),
        trace=json.loads(row["trace"]),
        discovered_at=datetime.fromisoformat(row["discovered_at"]),
        recorded_at=datetime.fromisoformat(row["recorded_at"]),
        closed_at=moment(row["closed_at"]),
        **{name: row[name] for name in same},
    )
