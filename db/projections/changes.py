"""What a projection says of the tables, and how it is written.

Each kind of statement is compiled once; changes of one kind that follow each other are sent together.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, and_, bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ClauseElement

from db import schema
from db.compiled import Compiled, compiled
from pharmacy_app.domain.codec import canonical
from pharmacy_app.domain.events import Event

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row."""

    table: str
    row: Row


@dataclass(frozen=True, slots=True)
class Update:
    """New values for the one row with this key; anything but one row is a mistake of ours."""

    table: str
    key: Row
    values: Row


@dataclass(frozen=True, slots=True)
class UpdateAll:
    """New values for every row with this key, be it none."""

    table: str
    key: Row
    values: Row


@dataclass(frozen=True, slots=True)
class Count:
    """Add ``change`` to a counted column of the row with this key, made at zero when it is not there.

    What is counted never falls below nothing: the database refuses it, and there is nothing to take from a row that
    is not there.
    """

    table: str
    key: Row
    column: str
    change: int
    also: Row = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Add:
    """Add to several columns of the row with this key, made at zero when it is not there; they may fall below zero."""

    table: str
    key: Row
    changes: Row


Change = Insert | Update | UpdateAll | Count | Add


def write_changes(connection: Connection, changes: Iterable[Change]) -> None:
    """Write what an event changes; raises ``LookupError`` when a row to update is not there exactly once."""
    dialect = connection.dialect.name
    for statement, rows in _together(changes):
        statement.check(rows, _compiled(dialect, statement).write(connection, rows))


def replay_changes(copy: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """The same into a bare SQLite database that is compared and thrown away: many events go through it."""
    for statement, rows in _together(changes):
        to_do = _compiled("sqlite", statement)
        values = to_do.values(rows)
        done = copy.execute(to_do.sql, values[0]) if len(values) == 1 else copy.executemany(to_do.sql, values)
        statement.check(rows, done.rowcount)


def _together(changes: Iterable[Change]) -> Iterator[tuple["_Statement", list[Row]]]:
    """Changes of one kind that follow each other, as one statement with the values of each."""
    for statement, alike in groupby(map(_read, changes), key=_kind):
        yield statement, [row for _, row in alike]


@dataclass(frozen=True, slots=True)
class _Statement:
    """One kind of statement: what it does to which columns of which table."""

    does: str
    table: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    also: tuple[str, ...] = ()

    def check(self, rows: Sequence[Row], written: int) -> None:
        """Rows that are changed must be there already, each exactly once."""
        if self.does in ("update", "take") and written != len(rows):
            raise LookupError(f"{self.table}: one of {len(rows)} rows is not there exactly once ({rows[0]})")


def _kind(read: tuple[_Statement, Row]) -> _Statement:
    return read[0]


def _read(change: Change) -> tuple[_Statement, Row]:
    """The kind of statement that writes a change, and the values it takes ('=' marks those of the key)."""
    if isinstance(change, Insert):
        return _Statement("insert", change.table, (), tuple(change.row)), change.row
    row = {f"={name}": value for name, value in change.key.items()}
    key = tuple(change.key)
    if isinstance(change, Update | UpdateAll):
        does = "update" if isinstance(change, Update) else "update all"
        return _Statement(does, change.table, key, tuple(change.values)), row | change.values
    if isinstance(change, Add):
        return _Statement("add", change.table, key, tuple(change.changes)), row | change.changes
    if change.change < 0:
        # Not added to a row made at that moment: the database checks a new row before it looks for an old one.
        return _Statement("take", change.table, key, (change.column,)), row | {change.column: change.change}
    row |= change.also
    row[change.column] = change.change
    return _Statement("add", change.table, key, (change.column,), tuple(change.also)), row


@cache
def _compiled(dialect: str, statement: _Statement) -> Compiled:
    return compiled(dialect, _built(dialect, statement))


def _built(dialect: str, statement: _Statement) -> ClauseElement:
    table = schema.views.tables[statement.table]
    given: dict[str, Any] = {
        name: bindparam(name, type_=table.c[name].type) for name in (*statement.values, *statement.also)
    }
    key: dict[str, Any] = {name: bindparam(f"={name}", type_=table.c[name].type) for name in statement.key}
    if statement.does == "insert":
        return insert(table).values(given)
    if statement.does == "add":
        here: sqlite.Insert | postgresql.Insert = (
            postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
        )
        new = here.values(key | given)
        return new.on_conflict_do_update(
            index_elements=list(key),
            set_={name: table.c[name] + new.excluded[name] for name in statement.values},
        )
    changed = {name: table.c[name] + value if statement.does == "take" else value for name, value in given.items()}
    return update(table).where(and_(*(table.c[name] == value for name, value in key.items()))).values(changed)


def as_json(value: object) -> str:
    return canonical(value).decode()


def nothing(_event: Event) -> Iterator[Change]:
    return iter(())


Projections = dict[str, Callable[[Event], Iterator[Change]]]
"""The function of each kind of event."""
