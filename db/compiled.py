"""Statements compiled once and kept as text: building one anew costs more than running it.

A kept statement names its values with ``bindparam``; they are handed in as rows, and taken in the driver's own way.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement's text for one kind of database; ``order`` where it takes its values by place.

    ``fixed`` are the values that stand in the statement itself (a limit of one).
    """

    sql: str
    order: tuple[str, ...] | None
    fixed: Row

    def write(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Send it with the values of one row, or of many at once; how many rows it has changed."""
        values = self.values(rows)
        file = _sqlite(connection)
        if file is None:
            return connection.exec_driver_sql(self.sql, values[0] if len(values) == 1 else values).rowcount
        try:
            done = file.execute(self.sql, values[0]) if len(values) == 1 else file.executemany(self.sql, values)
        except sqlite3.Error as error:
            raise _named(connection, self.sql, error) from error
        return done.rowcount

    def read(self, connection: Connection, row: Row) -> Sequence[Row]:
        """Ask it with these values: the rows of the answer."""
        (values,) = self.values((row,))
        file = _sqlite(connection)
        if file is None:
            return [dict(each) for each in connection.exec_driver_sql(self.sql, values).mappings()]
        try:
            found = file.execute(self.sql, values)
            names = [column[0] for column in found.description]
            return [dict(zip(names, each, strict=True)) for each in found]
        except sqlite3.Error as error:
            raise _named(connection, self.sql, error) from error

    def values(self, rows: Sequence[Row]) -> list[Any]:
        """The rows as the driver takes them."""
        order = self.order
        if self.fixed:
            rows = [{**row, **self.fixed} for row in rows]
        return list(rows) if order is None else [tuple([row[name] for name in order]) for row in rows]


def _sqlite(connection: Connection) -> sqlite3.Connection | None:
    """The driver's own connection to a file: there SQLAlchemy's part would take longer than SQLite's."""
    driver = connection.connection.driver_connection
    return driver if isinstance(driver, sqlite3.Connection) else None


def _named(connection: Connection, sql: str, error: sqlite3.Error) -> DBAPIError:
    """The driver's error as SQLAlchemy would have raised it."""
    named = DBAPIError.instance(sql, None, error, sqlite3.Error, dialect=connection.dialect)
    assert isinstance(named, DBAPIError)
    return named


class Kept:
    """A question or statement that every act needs, put in words once; its values are named with ``bindparam``.

    Values and answers are text, whole numbers and bytes: they need no translation between SQLAlchemy and a driver.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, Compiled] = {}

    def write(self, connection: Connection, row: Row) -> None:
        """Write this row."""
        self._for(connection).write(connection, (row,))

    def read(self, connection: Connection, row: Row) -> Sequence[Row]:
        """Ask it with these values: the rows of the answer."""
        return self._for(connection).read(connection, row)

    def _for(self, connection: Connection) -> Compiled:
        dialect = connection.dialect.name
        if dialect not in self._compiled:
            self._compiled[dialect] = compiled(dialect, self._statement)
        return self._compiled[dialect]


def compiled(dialect: str, statement: ClauseElement) -> Compiled:
    """The statement in the words of one kind of database (``connection.dialect.name``)."""
    made = statement.compile(dialect=_dialect(dialect), compile_kwargs={"render_postcompile": True})
    order = getattr(made, "positiontup", None)
    fixed = {name: value for name, value in made.params.items() if value is not None}
    return Compiled(str(made), tuple(order) if order is not None else None, fixed)


@cache
def _dialect(name: str) -> Dialect:
    # Each of the two is imported only where it is used.
    if name == "postgresql":
        from sqlalchemy.dialects.postgresql import psycopg

        made: Dialect = psycopg.dialect()  # type: ignore[no-untyped-call]
        return made
    from sqlalchemy.dialects.sqlite import pysqlite

    return pysqlite.dialect()
