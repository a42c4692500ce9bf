"""The monitor's review: entries by risk and by what they are about, visits, queries, and reconciled containers."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, case, exists, func, or_, select, union

from db import schema
from db.queries.base import Queries, moment
from db.queries.journal import event_line
from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.review import Reason, Said
from pharmacy_app.domain.vials import move_table
from pharmacy_app.services import views
from pharmacy_app.services.ports import QueryFilter, ReconciledFilter, ReviewFilter

_REVIEW = schema.review.c
_FIRST = schema.review_first.c
_ABOUT = schema.review_about.c
_LINE = schema.ledger_line.c
_VERIFIED = schema.verification.c

_IS_FIRST = _REVIEW.event_seq.in_(select(_FIRST.event_seq))
_STATUS = {
    "unseen": _REVIEW.verified_seq == 0,
    "verified": _REVIEW.verified_seq > _REVIEW.touched_seq,
    "reopened": and_(_REVIEW.verified_seq > 0, _REVIEW.verified_seq < _REVIEW.touched_seq),
    "unverified": _REVIEW.verified_seq <= _REVIEW.touched_seq,
}

_CONTAINERS = move_table().moves["destroy"].from_states
_LEFT = ("returned", "transferred")
_RECONCILED = (*_CONTAINERS, *_LEFT, "destroyed")
"""The states of what the monitor reconciles."""


class MonitoringQueries(Queries):
    """The monitor's review: entries by risk and by what they are about, visits, queries, and reconciled containers."""

    # --- entries

    def review_entries(
        self, wanted: ReviewFilter, *, by_risk: bool, offset: int, limit: int
    ) -> Sequence[views.ReviewEntry]:
        """A page of reviewable entries: the gravest first and of these the newest, or in the journal's order."""
        query = select(schema.review).where(*_asked(wanted))
        if not by_risk:
            return self._read(self.rows(query.order_by(_REVIEW.event_seq).offset(offset).limit(limit)))
        rows: list[RowMapping] = []
        # First of its kind is known of few, and weighs least: these stand between those with a reason and the others.
        for band in (_REVIEW.risk > 0, and_(_REVIEW.risk == 0, _IS_FIRST), and_(_REVIEW.risk == 0, ~_IS_FIRST)):
            part = query.where(band).order_by(_REVIEW.risk.desc(), _REVIEW.event_seq.desc())
            found = self.rows(part.offset(offset).limit(limit - len(rows)))
            rows += found
            if len(rows) == limit:
                break
            offset -= min(offset, self.count(part.order_by(None))) if offset else 0
        return self._read(rows)

    def count_review_entries(self, wanted: ReviewFilter) -> int:
        """How many entries the same question gives."""
        return self.count(select(_REVIEW.event_seq).where(*_asked(wanted)))

    def review_count(self, wanted: ReviewFilter) -> views.ReviewCount:
        """How far the review of these entries has come."""

        def sum_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
            return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

        columns: list[ColumnElement[Any]] = [
            func.count().label("reviewable"),
            sum_of(_STATUS["verified"]).label("verified"),
            sum_of(_STATUS["reopened"]).label("reopened"),
            sum_of(_STATUS["unseen"]).label("unseen"),
            sum_of(or_(_REVIEW.risk > 0, _IS_FIRST)).label("with_reason"),
        ]
        query = select(*columns).select_from(schema.review).where(*_asked(wanted))
        row = self.row(query)
        assert row is not None
        return views.ReviewCount(*(int(row[name]) for name in views.ReviewCount.__dataclass_fields__))

    def review_numbers(self, wanted: ReviewFilter) -> Sequence[tuple[int, bool]]:
        """The numbers of these entries in their order, and whether each is still to be verified."""
        query = select(_REVIEW.event_seq, _REVIEW.verified_seq, _REVIEW.touched_seq).where(*_asked(wanted))
        # All of a long record may be asked for: rows by place take half the time of rows by name.
        found = self.connection.execute(query.order_by(_REVIEW.event_seq))
        return [(seq, verified_seq <= touched_seq) for seq, verified_seq, touched_seq in found]

    def review_marks(self, seqs: Sequence[int]) -> dict[int, views.ReviewMark]:
        """How the review of these entries stands; those that are not reviewed are left out."""
        rows = self.rows(select(schema.review).where(_REVIEW.event_seq.in_(seqs))) if seqs else []
        return self._marks(rows)

    def verifications(self, entry_seq: int) -> Sequence[views.VerifiedLine]:
        """Every verification of an entry, oldest first."""
        query = select(schema.verification).where(_VERIFIED.entry_seq == entry_seq).order_by(_VERIFIED.event_seq)
        return [
            views.VerifiedLine(
                row["entry_seq"],
                row["event_seq"],
                row["visit"],
                row["initials"],
                row["verified_by"],
                datetime.fromisoformat(row["verified_at"]),
            )
            for row in self.rows(query)
        ]

    def count_verified_in(self, visit: str) -> int:
        """How many entries were verified in a visit, each counted once."""
        return self.count(select(_VERIFIED.entry_seq).where(_VERIFIED.visit == visit).distinct())

    def _marks(self, rows: Sequence[RowMapping]) -> dict[int, views.ReviewMark]:
        by = {row["event_seq"]: row["verified_seq"] for row in rows if row["verified_seq"]}
        here = and_(_VERIFIED.entry_seq.in_(by), _VERIFIED.event_seq.in_(set(by.values())))
        query = select(schema.verification).where(here)
        found = {(row["entry_seq"], row["event_seq"]): row for row in (self.rows(query) if by else ())}
        return {row["event_seq"]: _mark(row, found.get((row["event_seq"], row["verified_seq"]))) for row in rows}

    def _read(self, rows: Sequence[RowMapping]) -> list[views.ReviewEntry]:
        seqs = [row["event_seq"] for row in rows]
        events = self._events_numbered({*seqs, *(row["touched_seq"] for row in rows)})
        marks = self._marks(rows)
        first: dict[int, list[Said]] = {}
        query = select(_FIRST.event_seq, _FIRST.first_of).where(_FIRST.event_seq.in_(seqs)).order_by(_FIRST.first_of)
        for row in self.rows(query) if seqs else ():
            first.setdefault(row["event_seq"], []).append(Said(Reason.FIRST, f"first {row['first_of']}"))
        return [
            views.ReviewEntry(
                events[row["event_seq"]],
                (*from_plain(tuple[Said, ...], json.loads(row["reasons"])), *first.get(row["event_seq"], ())),
                marks[row["event_seq"]],
                events.get(row["touched_seq"]),
                events[row["touched_seq"] or row["event_seq"]].hash,
            )
            for row in rows
        ]

    def _events_numbered(self, seqs: set[int]) -> dict[int, views.EventLine]:
        table = schema.event.c
        rows = self.rows(select(table.seq, table.body, table.hash).where(table.seq.in_(seqs))) if seqs else []
        return {row["seq"]: event_line(row) for row in rows}

    def count_lines(self, entry_seq: int) -> int:
        """How many lines of the ledger an entry has; they are numbered from 1."""
        return self.count(select(_LINE.line).where(_LINE.event_seq == entry_seq))

    # --- visits

    def visit(self, number: str) -> views.VisitLine | None:
        """A visit by its number."""
        row = self.row(select(schema.visit).where(schema.visit.c.number == number))
        return _visit(row) if row else None

    def visits(self, *, monitor_id: str = "", status: str = "") -> Sequence[views.VisitLine]:
        """Visits, the newest planned first."""
        table = schema.visit.c
        query = select(schema.visit).order_by(table.event_seq.desc())
        for column, value in ((table.monitor_id, monitor_id), (table.status, status)):
            if value:
                query = query.where(column == value)
        return [_visit(row) for row in self.rows(query)]

    # --- queries

    def query(self, number: str) -> views.MonitorQuery | None:
        """A query by its number."""
        row = self.row(select(schema.query).where(schema.query.c.number == number))
        return _query(row) if row else None

    def queries(self, wanted: QueryFilter, *, offset: int, limit: int) -> Sequence[views.MonitorQuery]:
        """Queries, the oldest first."""
        query = _queries(wanted).order_by(schema.query.c.event_seq)
        return [_query(row) for row in self.rows(query.offset(offset).limit(limit))]

    def count_queries(self, wanted: QueryFilter) -> int:
        """How many queries the same question gives."""
        return self.count(_queries(wanted))

    def query_lines(self, number: str) -> Sequence[views.QueryLine]:
        """What was said of a query, oldest first."""
        table = schema.query_line.c
        query = select(schema.query_line).where(table.number == number).order_by(table.event_seq)
        return [
            views.QueryLine(
                row["event_seq"],
                row["number"],
                row["says"],
                row["text"],
                row["person"],
                datetime.fromisoformat(row["said_at"]),
            )
            for row in self.rows(query)
        ]

    # --- containers

    def reconciled(self, wanted: ReconciledFilter, *, offset: int, limit: int) -> Sequence[views.ReconciledUnit]:
        """Containers, and vials that left, with the site's date and the monitor's, by their numbers."""
        query = _units(wanted).order_by(schema.vial.c.unit_number)
        rows = self.rows(query.offset(offset).limit(limit))
        units = [row["unit_number"] for row in rows]
        site = self._site_lines(units)
        accounted = self._accounted(units)
        left = {seq for row in rows if row["state"] in _LEFT and (seq := site.get(row["unit_number"], (None,))[0])}
        marks = self.review_marks(sorted(left))
        found = []
        for row in rows:
            site_seq, site_at, site_by = site.get(row["unit_number"], (None, None, ""))
            mark = marks.get(site_seq or 0) if row["state"] in _LEFT else None
            done: tuple[int | None, datetime | None, str, str] = (None, None, "", "")
            if row["accounted_by"]:
                done = accounted[row["unit_number"]]
            elif mark is not None and mark.status == "verified":
                done = (mark.verified_seq, mark.verified_at, mark.verified_by, mark.visit)
            found.append(
                views.ReconciledUnit(
                    row["unit_number"],
                    row["kit_number"] or "",
                    Decimal(row["strength_mg"]),
                    row["lot"],
                    date.fromisoformat(row["expires_on"]),
                    row["state"],
                    row["dose_id"],
                    site_seq,
                    site_at,
                    site_by,
                    *done,
                )
            )
        return found

    def count_reconciled(self, wanted: ReconciledFilter) -> int:
        """How many containers and vials the same question gives."""
        return self.count(_units(wanted))

    def _site_lines(self, units: Sequence[str]) -> dict[str, tuple[int, datetime, str]]:
        on = schema.ledger_vial.c
        query = (
            select(on.unit_number, _LINE.event_seq, _LINE.done_at, _LINE.recorder)
            .join_from(
                schema.ledger_vial,
                schema.ledger_line,
                and_(on.event_seq == _LINE.event_seq, on.line == _LINE.line),
            )
            .where(on.unit_number.in_(units), _LINE.to_state.in_((*_CONTAINERS, *_LEFT)))
            # What was entered counts before what a correction brought back; of these the newest.
            .order_by(_LINE.corrects_seq.is_(None), _LINE.event_seq)
        )
        return {
            row["unit_number"]: (row["event_seq"], datetime.fromisoformat(row["done_at"]), row["recorder"])
            for row in (self.rows(query) if units else ())
        }

    def _accounted(self, units: Sequence[str]) -> dict[str, tuple[int, datetime, str, str]]:
        table = schema.accounted.c
        query = select(schema.accounted).where(table.unit_number.in_(units)).order_by(table.event_seq)
        return {
            row["unit_number"]: (
                row["event_seq"],
                datetime.fromisoformat(row["accounted_at"]),
                row["monitor"],
                row["visit"],
            )
            for row in (self.rows(query) if units else ())
        }


def _asked(wanted: ReviewFilter) -> list[ColumnElement[bool]]:
    """The conditions of a question for entries."""
    asked: list[ColumnElement[bool]] = []
    if wanted.after_seq:
        recorded, touched = _REVIEW.event_seq > wanted.after_seq, _REVIEW.touched_seq > wanted.after_seq
        asked.append(or_(recorded, touched) if wanted.or_touched else recorded)
    if wanted.until_seq is not None:
        asked.append(_REVIEW.event_seq <= wanted.until_seq)
    if wanted.about:
        asked.append(_REVIEW.event_seq.in_(_entries_about(wanted.about)))
    if wanted.from_utc:
        asked.append(_REVIEW.done_utc >= wanted.from_utc)
    if wanted.until_utc:
        asked.append(_REVIEW.done_utc < wanted.until_utc)
    if wanted.kinds:
        asked.append(_REVIEW.kind.in_(wanted.kinds))
    if wanted.status:
        asked.append(_STATUS[wanted.status])
    if wanted.reason == Reason.FIRST:
        asked.append(_IS_FIRST)
    elif wanted.reason:
        asked.append(_REVIEW.reasons.contains(f'"reason":"{wanted.reason}"', autoescape=True))
    if wanted.with_reason is not None:
        reason = or_(_REVIEW.risk > 0, _IS_FIRST)
        asked.append(reason if wanted.with_reason else ~reason)
    if wanted.entries is not None:
        asked.append(_REVIEW.event_seq.in_(wanted.entries))
    if wanted.not_by:
        asked.append(_REVIEW.actor_id != wanted.not_by)
    return asked


def _names_of(about: str) -> Select[Any]:
    """The numbers of what belongs to a thing: a subject's doses and errors, a dose's errors."""
    dose, error = schema.dose.c, schema.medication_error.c
    names = union(
        select(dose.dose_id.label("name")).where(dose.subject_number == about),
        select(error.error_id).where(or_(error.subject_number == about, error.dose_id == about)),
    ).subquery()
    return select(names.c.name)


def _entries_about(about: str) -> Select[Any]:
    """The entries about a thing, and those of the ledger that moved it; a subject's are those of its doses too."""
    names = _names_of(about)
    parts: list[Select[Any]] = [
        select(_ABOUT.event_seq).where(or_(_ABOUT.about == about, _ABOUT.about.in_(names))),
        select(schema.ledger_vial.c.event_seq).where(schema.ledger_vial.c.unit_number == about),
    ]
    word, _, name = about.partition(" ")
    if word == "lot":
        lot, _, strength = name.partition(", ")
        here = select(_LINE.event_seq).where(_LINE.lot == lot)
        parts.append(here.where(_LINE.strength_mg == strength.removesuffix(" mg")) if strength else here)
    elif word == "place":
        parts.append(select(_LINE.event_seq).where(_LINE.place == name))
    every = union(*parts).subquery()
    return select(every.c.event_seq)


def _mark(row: RowMapping, verified: RowMapping | None) -> views.ReviewMark:
    status = "unseen"
    if row["verified_seq"]:
        status = "verified" if row["verified_seq"] > row["touched_seq"] else "reopened"
    return views.ReviewMark(
        row["event_seq"],
        status,
        row["verified_seq"] or None,
        verified["verified_by"] if verified else "",
        verified["initials"] if verified else "",
        moment(verified["verified_at"]) if verified else None,
        verified["visit"] if verified else "",
        row["touched_seq"] or None,
    )


def _visit(row: RowMapping) -> views.VisitLine:
    record = row["record"]
    return views.VisitLine(
        number=row["number"],
        monitor_id=row["monitor_id"],
        monitor=row["monitor"],
        from_on=date.fromisoformat(row["from_on"]),
        to_on=date.fromisoformat(row["to_on"]),
        purpose=row["purpose"],
        planned_by=row["planned_by"],
        planned_at=datetime.fromisoformat(row["planned_at"]),
        event_seq=row["event_seq"],
        status=row["status"],
        opened_at=moment(row["opened_at"]),
        opened_seq=row["opened_seq"],
        opened_why=row["opened_why"],
        since_seq=row["since_seq"],
        signed_at=moment(row["signed_at"]),
        signed_seq=row["signed_seq"],
        signed_by=row["signed_by"],
        summary=row["summary"],
        record=from_plain(views.VisitRecord, json.loads(record)) if record else None,
    )


def _queries(wanted: QueryFilter) -> Select[Any]:
    table = schema.query.c
    query = select(schema.query)
    if wanted.statuses:
        query = query.where(table.status.in_(wanted.statuses))
    if wanted.entry_seq is not None:
        query = query.where(table.entry_seq == wanted.entry_seq)
    for column, value in ((table.about, wanted.about), (table.visit, wanted.visit)):
        if value:
            query = query.where(column == value)
    if wanted.touching:
        touching = (
            or_(table.about == name, table.about.in_(_names_of(name)), table.entry_seq.in_(_entries_about(name)))
            for name in wanted.touching
        )
        query = query.where(or_(*touching))
    if wanted.opened_before is not None:
        query = query.where(table.opened_on < wanted.opened_before.isoformat())
    if wanted.text:
        columns = (table.number, table.text, table.about, table.field)
        query = query.where(or_(*(column.icontains(wanted.text, autoescape=True) for column in columns)))
    return query


def _query(row: RowMapping) -> views.MonitorQuery:
    return views.MonitorQuery(
        number=row["number"],
        about=row["about"],
        field=row["field"],
        entry_seq=row["entry_seq"],
        text=row["text"],
        visit=row["visit"],
        opened_by=row["opened_by"],
        opened_by_id=row["opened_by_id"],
        opened_at=datetime.fromisoformat(row["opened_at"]),
        opened_on=date.fromisoformat(row["opened_on"]),
        status=row["status"],
        answered_by_id=row["answered_by_id"],
        closed_by=row["closed_by"],
        closed_at=moment(row["closed_at"]),
        last_at=datetime.fromisoformat(row["last_at"]),
        last_on=date.fromisoformat(row["last_on"]),
        event_seq=row["event_seq"],
    )


def _units(wanted: ReconciledFilter) -> Select[Any]:
    table, on, accounted = schema.vial.c, schema.ledger_vial.c, schema.accounted.c
    query = select(schema.vial).where(table.state.in_((wanted.state,) if wanted.state else _RECONCILED))
    if wanted.strength_mg is not None:
        query = query.where(table.strength_mg == format(wanted.strength_mg, "f"))
    for column, value in ((table.lot, wanted.lot), (table.dose_id, wanted.dose_id)):
        if value:
            query = query.where(column == value)
    if wanted.text:
        columns = (table.unit_number, table.kit_number, table.lot, table.dose_id)
        query = query.where(or_(*(column.icontains(wanted.text, autoescape=True) for column in columns)))
    if wanted.reconciled is not None:
        left = (
            exists()
            .where(
                on.unit_number == table.unit_number,
                _LINE.event_seq == on.event_seq,
                _LINE.line == on.line,
                _LINE.to_state == table.state,
                _REVIEW.event_seq == on.event_seq,
                _STATUS["verified"],
            )
            .correlate(schema.vial)
        )
        done = or_(table.accounted_by != "", and_(table.state.in_(_LEFT), left))
        query = query.where(done if wanted.reconciled else ~done)
    if wanted.visit:
        # The newest accountability is the one that counts.
        visit = (
            select(accounted.visit)
            .where(accounted.unit_number == table.unit_number)
            .order_by(accounted.event_seq.desc())
            .limit(1)
            .correlate(schema.vial)
            .scalar_subquery()
        )
        query = query.where(table.accounted_by != "", visit == wanted.visit)
    return query
