"""The vial ledger with its running balances, and the mg ledger."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    distinct,
    func,
    or_,
    select,
    true,
    tuple_,
    union_all,
)

from db import schema
from db.compiled import Kept
from db.queries.base import decimal
from db.queries.vials import VialQueries
from pharmacy_app.domain.vials import NEVER_RECEIVED
from pharmacy_app.services import views
from pharmacy_app.services.ports import LedgerFilter

_LINE = schema.ledger_line.c
_SUM = schema.ledger_sum.c
_ORDER = (_LINE.done_utc, _LINE.event_seq, _LINE.line)
_CAME = case(
    (_LINE.move == "receive", _LINE.quantity),
    (_LINE.to_state == NEVER_RECEIVED, -_LINE.quantity),
    (and_(_LINE.move == "relabel", _LINE.from_state == ""), _LINE.quantity),
    (_LINE.move == "relabel", -_LINE.quantity),
    else_=0,
)
"""How many vials a line has brought from outside; a receipt that never came is taken off again."""
_SEARCHED = ("units", "lot", "dose_id", "counterparty", "reference", "comment", "move", "recorder")
_STREAMED = 500
"""Lines fetched at a time where all of them are gone through."""

_Key = tuple[int, int]
_Balance = tuple[int, int]


class LedgerQueries(VialQueries):
    """The vial ledger with its running balances, and the mg ledger.

    A balance is the sum of all earlier days of the lines' strength, kept as sums, and of the lines of its own day: a
    page costs the same however long the ledger is. Only a search for text reads all lines.
    """

    def ledger(self, wanted: LedgerFilter, *, offset: int, limit: int) -> Sequence[views.LedgerLine]:
        """A page of ledger lines in the order in which things were done."""
        assert limit >= 0, "whole_ledger gives all lines"
        if wanted.text:
            query = select(schema.ledger_line).where(*_scope(wanted), _shows(wanted)).order_by(*_ORDER)
            rows = self.rows(query.limit(limit).offset(offset))
            return self._balanced(wanted, rows, _by_day(rows))
        at = self._day_of(wanted, offset)
        if at is None:
            return []
        day, skipped = at
        page = _page(_asked(wanted), wanted.record_only)
        rows = self.rows(page, **_values(wanted), day=day, limit=limit, offset=skipped)
        return self._balanced(wanted, rows, [rows])

    def count_ledger(self, wanted: LedgerFilter) -> int:
        """How many ledger lines the same question gives."""
        if wanted.text:
            return self.count(select(_LINE.event_seq).where(*_scope(wanted), _shows(wanted)))
        total = _total(wanted.strength_mg is not None, wanted.record_only)
        return int(self.value(total, **_values(wanted)) or 0)

    def whole_ledger(self, wanted: LedgerFilter) -> Iterator[views.LedgerLine]:
        """Every line the question gives, one after the other: however many they are, few are held at a time."""
        query = (
            select(schema.ledger_line, _shows(wanted).label("shown")).where(*_scope(wanted)).order_by(*_ORDER)
        ).execution_options(yield_per=_STREAMED)
        balances: dict[str, _Balance] = {}
        for row in self.connection.execute(query).mappings():
            balances[row["strength_mg"]] = balance = _after(balances.get(row["strength_mg"], (0, 0)), row)
            if row["shown"]:
                yield ledger_line_of(row, balance)

    def received(self, wanted: LedgerFilter) -> int:
        """How many vials were received, counted by the ledger's lines; text and kind of line do not matter.

        A receipt that never came is taken off again, and a vial counts under the label that was found to be right.
        """
        query = select(func.sum(_CAME)).where(*_scope(wanted))
        return int(self.connection.execute(query).scalar() or 0)

    def carried_over(self, wanted: LedgerFilter) -> tuple[int, int]:
        """How many vials corrected labels brought to what is asked for, and how many they took from it.

        What one entry takes out and brings in again (another expiry of the same lot) is neither.
        """
        change = func.sum(case((_LINE.from_state == "", _LINE.quantity), else_=-_LINE.quantity)).label("change")
        of_entries = select(change).where(*_scope(wanted), _LINE.move == "relabel").group_by(_LINE.event_seq)
        changes = [int(row["change"]) for row in self.rows(of_entries)]
        return sum(each for each in changes if each > 0), -sum(each for each in changes if each < 0)

    def ledger_line(self, wanted: LedgerFilter, line_id: str) -> views.LedgerLine | None:
        """One of the lines asked for, by its number (``12.1``)."""
        row = self._line(wanted, line_id)
        return self._balanced(wanted, [row], [[row]])[0] if row is not None else None

    def entry_lines(self, seq: int) -> Sequence[views.LedgerLine]:
        """The lines of an entry, and those of the corrections that take it back, in the order of the ledger."""
        mine = or_(_LINE.event_seq == seq, _LINE.corrects_seq == seq)
        rows = self.rows(select(schema.ledger_line).where(mine).order_by(*_ORDER))
        return self._balanced(LedgerFilter(), rows, _by_day(rows))

    def _line(self, wanted: LedgerFilter, line_id: str) -> RowMapping | None:
        seq, _, line = line_id.partition(".")
        if not all(number.isascii() and number.isdigit() and len(number) < 16 for number in (seq, line)):
            return None
        here = (_LINE.event_seq == int(seq), _LINE.line == int(line))
        return self.row(select(schema.ledger_line).where(*here, *_scope(wanted)))

    def stock_changes(
        self, wanted: LedgerFilter, states: Sequence[str], *, newest: int, through_line: str = ""
    ) -> views.Changes:
        """What takes vials into these states or out of them: the lines of the newest so many entries, and the rest.

        ``through_line``: up to this line of the ledger, '' for all of it.
        """
        into, out_of = _LINE.to_state.in_(states), _LINE.from_state.in_(states)
        change = case((and_(into, ~out_of), _LINE.quantity), (and_(out_of, ~into), -_LINE.quantity), else_=0)
        last = self._line(wanted, through_line) if through_line else None
        until = tuple_(*_ORDER) <= tuple_(*(last[each.name] for each in _ORDER)) if last is not None else true()
        return self._changes_by(change, wanted, newest, until)

    def receipt_changes(self, wanted: LedgerFilter, *, newest: int) -> views.Changes:
        """The same of what ``received`` counts."""
        return self._changes_by(_CAME, wanted, newest, true())

    def _changes_by(
        self, change: ColumnElement[int], wanted: LedgerFilter, newest: int, within: ColumnElement[bool]
    ) -> views.Changes:
        here = (*_scope(wanted), change != 0, within)
        entry = (_LINE.done_utc, _LINE.event_seq)
        last: Select[Any] = select(*entry).where(*here).group_by(*entry).order_by(*(each.desc() for each in entry))
        cut = self.row(last.offset(newest).limit(1))
        before, entries = 0, 0
        if cut is not None:
            until = tuple_(*entry) <= tuple_(cut["done_utc"], cut["event_seq"])
            of_entries = func.count(distinct(_LINE.event_seq)).label("entries")
            columns: list[ColumnElement[Any]] = [func.sum(change).label("sum"), of_entries]
            summed = self.row(select(*columns).where(*here, until))
            assert summed is not None
            before, entries = int(summed["sum"]), int(summed["entries"])
            here = (*here, ~until)
        query = select(schema.ledger_line, change.label("change")).where(*here).order_by(*_ORDER)
        lines = tuple(
            views.ChangeLine(
                row["event_seq"],
                datetime.fromisoformat(row["done_at"]),
                row["move"],
                tuple(json.loads(row["units"])),
                row["dose_id"],
                row["reference"],
                row["recorder"],
                row["change"],
            )
            for row in self.rows(query)
        )
        return views.Changes(before, entries, lines)

    def vial_life(self, unit_number: str) -> views.VialLife | None:
        """A vial with every ledger line it stands on."""
        vial = self.vial(unit_number)
        if vial is None:
            return None
        on = schema.ledger_vial.c
        here = and_(on.event_seq == _LINE.event_seq, on.line == _LINE.line)
        rows = self.rows(
            select(schema.ledger_line)
            .join(schema.ledger_vial, here)
            .where(on.unit_number == unit_number)
            .order_by(_LINE.event_seq, _LINE.line)
        )
        mg = self.mg(schema.mg_line.c.unit_number == unit_number)
        lines = self._balanced(LedgerFilter(), rows, _by_day(rows))
        return views.VialLife(vial, tuple(lines), mg[0] if mg else None)

    def _day_of(self, wanted: LedgerFilter, offset: int) -> tuple[str, int] | None:
        """The day on which the line at ``offset`` stands and how many lines of that day come before it."""
        found = ""
        for level in ("month", "day"):
            span_of = _span_of(level, wanted.strength_mg is not None, wanted.record_only)
            # '~' sorts after every date that begins alike.
            span = self.row(span_of, **_values(wanted), since=found, before=f"{found}~", offset=offset)
            if span is None:
                return None
            found, offset = span["span"], offset - int(span["earlier"])
        return found, offset

    def _balanced(
        self, wanted: LedgerFilter, rows: Sequence[RowMapping], runs: Sequence[Sequence[RowMapping]]
    ) -> list[views.LedgerLine]:
        """The lines with their balances; the lines of each run stand near each other in the ledger."""
        balances: dict[_Key, _Balance] = {}
        for run in runs:
            done = [row["done_utc"] for row in run]
            if done:
                balances |= self._balances(wanted, min(done)[:10], max(done))
        return [ledger_line_of(row, balances[_key(row)]) for row in rows]

    def _balances(self, wanted: LedgerFilter, day: str, until_utc: str) -> dict[_Key, _Balance]:
        """The balance after every line from the beginning of a day up to a moment."""
        values = _values(wanted)
        earlier = self.rows(_opening(wanted.strength_mg is not None), **values, month=day[:7], day=day)
        running = {row["strength_mg"]: (int(row["available_change"]), int(row["quarantine_change"])) for row in earlier}
        lines = _changes(_asked(wanted))
        after = {}
        for row in self.rows(lines, **values, day=day, until=until_utc):
            running[row["strength_mg"]] = balance = _after(running.get(row["strength_mg"], (0, 0)), row)
            after[_key(row)] = balance
        return after

    def mg(self, where: Any) -> tuple[views.MgLine, ...]:
        return tuple(
            views.MgLine(
                row["unit_number"],
                row["dose_id"],
                Decimal(row["labelled_mg"]),
                Decimal(row["withdrawn_mg"]),
                decimal(row["residue_mg"]),
                decimal(row["discarded_mg"]),
            )
            for row in self.rows(select(schema.mg_line).where(where).order_by(schema.mg_line.c.unit_number))
        )


def _scope(wanted: LedgerFilter) -> list[ColumnElement[bool]]:
    """The lines that a balance counts: leaving a line out by its text or kind does not change it."""
    values = _values(wanted)
    return [_LINE[name] == values[name] for name in _asked(wanted)]


def _strength(strength_mg: Decimal) -> str:
    """A strength as it is stored: 1.0 mg is 1 mg."""
    return format(strength_mg.normalize(), "f")


_Asked = tuple[str, ...]


def _asked(wanted: LedgerFilter) -> _Asked:
    """The columns by which lines are asked for, beside text and kind."""
    return tuple(name for name, value in _values(wanted).items() if value)


def _values(wanted: LedgerFilter) -> dict[str, str]:
    strength = "" if wanted.strength_mg is None else _strength(wanted.strength_mg)
    return {"strength_mg": strength, "lot": wanted.lot, "place": wanted.place}


@cache
def _page(asked: _Asked, record_only: bool) -> Kept:
    """Lines from a day on."""
    query = select(schema.ledger_line).where(*_equal(_LINE, asked), _LINE.done_utc >= bindparam("day"))
    if record_only:
        query = query.where(_LINE.transaction != "")
    return Kept(query.order_by(*_ORDER).limit(bindparam("limit")).offset(bindparam("offset")))


@cache
def _changes(asked: _Asked) -> Kept:
    """What the lines from a day on up to a moment change."""
    return Kept(
        select(_LINE.event_seq, _LINE.line, _LINE.strength_mg, _LINE.available_change, _LINE.quarantine_change)
        .where(*_equal(_LINE, asked), _LINE.done_utc >= bindparam("day"), _LINE.done_utc <= bindparam("until"))
        .order_by(*_ORDER)
    )


def _summed(level: str, with_strength: bool) -> list[ColumnElement[bool]]:
    """Which sums are those of the lines asked for; lot and place are '' where all are."""
    return [_SUM.level == level, *_equal(_SUM, ("lot", "place", *(("strength_mg",) if with_strength else ())))]


@cache
def _total(with_strength: bool, record_only: bool) -> Kept:
    """How many lines there are."""
    counted = _SUM.record_lines if record_only else _SUM.lines
    return Kept(select(func.sum(counted).label("lines")).where(*_summed("month", with_strength)))


@cache
def _span_of(level: str, with_strength: bool, record_only: bool) -> Kept:
    """The month or day of the line at an offset into a span of them, and how many lines are earlier in the span."""
    counted = func.sum(_SUM.record_lines if record_only else _SUM.lines)
    each = (
        select(_SUM.span, counted.label("lines"), func.sum(counted).over(order_by=_SUM.span).label("until"))
        .where(*_summed(level, with_strength), _SUM.span >= bindparam("since"), _SUM.span < bindparam("before"))
        .group_by(_SUM.span)
        .subquery()
        .c
    )
    offset: BindParameter[int] = bindparam("offset")
    return Kept(
        select(each.span, (each.until - each.lines).label("earlier"))
        .where(each.until > offset)
        .order_by(each.span)
        .limit(1)
    )


@cache
def _opening(with_strength: bool) -> Kept:
    """The balances at the beginning of a day: the sums of the months before and of the days before in its month."""
    columns = (_SUM.strength_mg, _SUM.available_change, _SUM.quarantine_change)
    month: BindParameter[str] = bindparam("month")
    day: BindParameter[str] = bindparam("day")
    months = select(*columns).where(*_summed("month", with_strength), _SUM.span < month)
    days = select(*columns).where(*_summed("day", with_strength), _SUM.span >= month, _SUM.span < day)
    earlier = union_all(months, days).subquery().c
    return Kept(
        select(
            earlier.strength_mg,
            func.sum(earlier.available_change).label("available_change"),
            func.sum(earlier.quarantine_change).label("quarantine_change"),
        ).group_by(earlier.strength_mg)
    )


def _equal(table: Any, names: _Asked) -> list[ColumnElement[bool]]:
    return [table[name] == bindparam(name) for name in names]


def _shows(wanted: LedgerFilter) -> ColumnElement[bool]:
    """Whether a line is one that was asked for."""
    shows = [_LINE.transaction != ""] if wanted.record_only else []
    if wanted.text:
        shows.append(or_(*(_LINE[name].icontains(wanted.text, autoescape=True) for name in _SEARCHED)))
    return and_(true(), *shows)


def _by_day(rows: Sequence[RowMapping]) -> list[list[RowMapping]]:
    days: dict[str, list[RowMapping]] = {}
    for row in rows:
        days.setdefault(row["done_utc"][:10], []).append(row)
    return list(days.values())


def _key(row: RowMapping) -> _Key:
    return row["event_seq"], row["line"]


def _after(balance: _Balance, row: RowMapping) -> _Balance:
    available, quarantine = balance
    return available + row["available_change"], quarantine + row["quarantine_change"]


def ledger_line_of(row: RowMapping, balance: _Balance | None = None) -> views.LedgerLine:
    """A line of the ledger; its balances stand in the row unless they are given."""
    available, quarantine = balance or (row["balance_available"], row["balance_quarantine"])
    same = (
        "event_seq",
        "move",
        "transaction",
        "lot",
        "place",
        "from_state",
        "to_state",
        "quantity",
        "dose_id",
        "counterparty",
        "initials",
        "cycle_day",
        "dose_mg",
        "reference",
        "comment",
        "recorder",
        "verifier",
        "corrects_seq",
        "late_why",
    )
    return views.LedgerLine(
        line_id=f"{row['event_seq']}.{row['line']}",
        done_at=datetime.fromisoformat(row["done_at"]),
        recorded_at=datetime.fromisoformat(row["recorded_at"]),
        strength_mg=Decimal(row["strength_mg"]),
        expires_on=date.fromisoformat(row["expires_on"]),
        balance_available=available,
        balance_quarantine=quarantine,
        units=tuple(json.loads(row["units"])),
        **{name: row[name] for name in same},
    )
