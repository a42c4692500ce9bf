"""Corrections, what stands in the way of a late entry, and the periods that the monitor has signed."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping, Select, and_, func, or_, select

from db import schema
from db.queries.base import Queries
from db.queries.journal import event_line
from pharmacy_app.domain.codec import from_plain
from pharmacy_app.services import views

_LINE = schema.ledger_line.c
_ON = schema.ledger_vial.c


class CorrectionQueries(Queries):
    """Corrections, what stands in the way of a late entry, and the periods that the monitor has signed."""

    def correction(self, seq: int) -> views.CorrectionLine | None:
        """The correction of an event, if it has one."""
        return self.corrections([seq]).get(seq)

    def corrections(self, seqs: Sequence[int]) -> dict[int, views.CorrectionLine]:
        """The corrections of these events, by the event that each corrects."""
        table = schema.correction.c
        rows = self.rows(select(schema.correction).where(table.corrects_seq.in_(seqs))) if seqs else []
        return {row["corrects_seq"]: _correction(row) for row in rows}

    def correction_made_by(self, seq: int) -> views.CorrectionLine | None:
        """The correction that an event is, if it is one."""
        row = self.row(select(schema.correction).where(schema.correction.c.event_seq == seq))
        return _correction(row) if row else None

    def every_correction(self) -> Sequence[views.CorrectionLine]:
        """All corrections in the order in which they were made."""
        rows = self.rows(select(schema.correction).order_by(schema.correction.c.event_seq))
        return [_correction(row) for row in rows]

    def correction_notes(self, about: str) -> Sequence[views.CorrectionNote]:
        """What corrections say of a dose, a vial or a medication error, oldest first."""
        table = schema.correction_note.c
        query = select(schema.correction_note).where(table.about == about).order_by(table.event_seq, table.line)
        return [
            views.CorrectionNote(
                row["event_seq"],
                row["about"],
                row["sentence"],
                datetime.fromisoformat(row["noted_at"]),
                row["recorder"],
            )
            for row in self.rows(query)
        ]

    def moves_after(self, unit_numbers: Sequence[str], done_utc: str) -> Sequence[views.VialMove]:
        """For each of these vials its first move that was done after a moment, if there is one."""
        query = _moves(unit_numbers).where(_LINE.done_utc > done_utc).order_by(_LINE.done_utc, _LINE.event_seq)
        return self._one_a_vial(query)

    def moves_since(self, unit_numbers: Sequence[str], seq: int) -> Sequence[views.VialMove]:
        """What each of these vials has moved by since an event, once an event, newest first."""
        query = _moves(unit_numbers).where(_LINE.event_seq > seq).order_by(_LINE.event_seq.desc(), _LINE.line)
        found: dict[tuple[str, int], views.VialMove] = {}
        for row in self.rows(query):
            found.setdefault((row["unit_number"], row["event_seq"]), _vial_move(row))
        return list(found.values())

    def _one_a_vial(self, query: Select[Any]) -> Sequence[views.VialMove]:
        found: dict[str, views.VialMove] = {}
        for row in self.rows(query):
            found.setdefault(row["unit_number"], _vial_move(row))
        return [found[unit_number] for unit_number in sorted(found)]

    def lot_changes(self, strength_mg: Decimal, lot: str, place: str) -> Sequence[views.LotChange]:
        """Every line of a lot at one place in the order in which things were done."""
        query = (
            select(_LINE.done_utc, _LINE.done_at, _LINE.from_state, _LINE.to_state, _LINE.quantity)
            .where(_LINE.strength_mg == format(strength_mg, "f"), _LINE.lot == lot, _LINE.place == place)
            .order_by(_LINE.done_utc, _LINE.event_seq, _LINE.line)
        )
        return [
            views.LotChange(
                row["done_utc"],
                datetime.fromisoformat(row["done_at"]),
                row["from_state"],
                row["to_state"],
                row["quantity"],
            )
            for row in self.rows(query)
        ]

    def events_between(self, kinds: Sequence[str], after_seq: int, before_seq: int) -> Sequence[views.EventLine]:
        """Events of these kinds between two numbers, both left out, newest first."""
        table = schema.event.c
        query = (
            select(table.body, table.hash)
            .where(table.kind.in_(kinds), table.seq > after_seq, table.seq < before_seq)
            .order_by(table.seq.desc())
        )
        return [event_line(row) for row in self.rows(query)]

    # --- periods

    def periods(self) -> Sequence[views.Period]:
        """The signed periods, newest first."""
        query = select(schema.period).order_by(schema.period.c.event_seq.desc())
        return [
            views.Period(
                row["event_seq"],
                date.fromisoformat(row["through_on"]),
                row["signed_by"],
                datetime.fromisoformat(row["signed_at"]),
                row["note"],
                from_plain(views.PeriodRecord, json.loads(row["entry"])),
            )
            for row in self.rows(query)
        ]

    def period_record(self, after_utc: str, before_utc: str) -> views.PeriodRecord:
        """What the record holds before a moment; what is counted since the period before is from ``after_utc`` on."""
        head = self.row(select(schema.head))
        assert head is not None
        new = and_(_LINE.done_utc >= after_utc, _LINE.done_utc < before_utc)
        corrected = schema.correction.c.corrected_utc
        balances = (
            select(
                _LINE.strength_mg,
                _LINE.lot,
                func.sum(_LINE.available_change).label("available"),
                func.sum(_LINE.quarantine_change).label("quarantine"),
            )
            .where(_LINE.done_utc < before_utc)
            .group_by(_LINE.strength_mg, _LINE.lot)
            .having(or_(func.sum(_LINE.available_change) != 0, func.sum(_LINE.quarantine_change) != 0))
            .order_by(_LINE.strength_mg, _LINE.lot)
        )
        discrepancies = schema.discrepancy.c
        waiting = select(discrepancies.number).where(discrepancies.status == "open").order_by(discrepancies.number)
        return views.PeriodRecord(
            head_seq=head["seq"],
            head_hash=head["hash"],
            lines=self.count(select(_LINE.event_seq).where(_LINE.done_utc < before_utc)),
            new_lines=self.count(select(_LINE.event_seq).where(new)),
            late_entries=self.count(select(_LINE.event_seq).where(new, _LINE.late_why != "")),
            corrections=self.count(select(corrected).where(corrected >= after_utc, corrected < before_utc)),
            open_discrepancies=tuple(row["number"] for row in self.rows(waiting)),
            balances=tuple(
                views.PeriodBalance(
                    Decimal(row["strength_mg"]), row["lot"], int(row["available"]), int(row["quarantine"])
                )
                for row in self.rows(balances)
            ),
        )


def _moves(unit_numbers: Sequence[str]) -> Select[Any]:
    here = and_(_ON.event_seq == _LINE.event_seq, _ON.line == _LINE.line)
    return (
        select(_ON.unit_number, _LINE.event_seq, _LINE.line, _LINE.move, _LINE.done_at)
        .join_from(schema.ledger_vial, schema.ledger_line, here)
        .where(_ON.unit_number.in_(unit_numbers))
    )


def _vial_move(row: RowMapping) -> views.VialMove:
    return views.VialMove(
        row["unit_number"],
        f"{row['event_seq']}.{row['line']}",
        row["event_seq"],
        row["move"],
        datetime.fromisoformat(row["done_at"]),
    )


def _correction(row: RowMapping) -> views.CorrectionLine:
    return views.CorrectionLine(
        row["corrects_seq"],
        row["event_seq"],
        row["kind"],
        tuple(views.ChangedValue(**change) for change in json.loads(row["changes"])),
        row["why"],
        row["signed_by"],
        datetime.fromisoformat(row["corrected_at"]),
        bool(row["moved_vials"]),
    )
