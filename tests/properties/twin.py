"""A second copy of the views, kept by applying each event's changes as it comes, and compared row by row."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from db import schema
from db.projections import changes_of, replay_changes
from db.projections.changes import Change, Insert, UpdateAll
from pharmacy_app.domain.events import Event
from tests.databases import url_at


class Twin:
    """The copy, and a look into the database by other hands than the app's."""

    def __init__(self, path: Path) -> None:
        self.copy = sqlite3.connect(":memory:", isolation_level=None)
        engine = create_engine("sqlite://", creator=lambda: self.copy, poolclass=StaticPool)
        with engine.begin() as connection:
            schema.views.create_all(connection)
        self._engine = create_engine(url_at(path), isolation_level="AUTOCOMMIT")
        self._stored = self._engine.connect()
        # The driver's own connection: many small questions are asked of it.
        self._driver: Any = self._stored.connection.driver_connection
        self._on_file = self._engine.dialect.name == "sqlite"
        self.seq = 0

    def close(self) -> None:
        self.copy.close()
        self._stored.close()
        self._engine.dispose()

    def ask(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Rows of the app's database as they are stored; values stand for question marks."""
        with closing(self._driver.cursor()) as cursor:
            cursor.execute(sql if self._on_file else sql.replace("?", "%s"), values)
            return [tuple(row) for row in cursor.fetchall()]

    def follow(self) -> list[Event]:
        """Apply what was appended since, and compare the rows that it touches; the new events."""
        events = [
            Event.from_body(bytes(body))
            for (body,) in self.ask("SELECT body FROM journal_event WHERE seq > ? ORDER BY seq", (self.seq,))
        ]
        touched: dict[tuple[str, tuple[tuple[str, Any], ...]], bool] = {}
        for event in events:
            changes = changes_of(event)
            replay_changes(self.copy, changes)
            touched.update((_row_of(change), not isinstance(change, UpdateAll)) for change in changes)
            self.seq = event.seq
        for (table, key), one in touched.items():
            where = " AND ".join(f'"{name}" = ?' for name, _ in key)
            sql = f'SELECT {_columns(table)} FROM "{table}" WHERE {where}'
            values = tuple(value for _, value in key)
            stored, replayed = sorted(self.ask(sql, values)), sorted(self.copy.execute(sql, values).fetchall())
            assert len(stored) == 1 or not one, f"{table} {key}: {len(stored)} rows"
            assert stored == replayed, f"{table} {key} is not what the journal gives:\n{stored}\n{replayed}"
        return events


def _row_of(change: Change) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """The table and key of the row that a change makes or touches; of several, what they hold after it."""
    if isinstance(change, UpdateAll):
        return change.table, tuple(change.values.items())
    primary = tuple(column.name for column in schema.views.tables[change.table].primary_key.columns)
    row = change.row if isinstance(change, Insert) else change.key
    return change.table, tuple((name, row[name]) for name in _key(primary, row))


def _key(primary: tuple[str, ...], row: dict[str, Any]) -> Iterator[str]:
    # An update may name a further column beside the key, as what it must have been before.
    return (name for name in primary if name in row) if set(primary) <= row.keys() else iter(row)


def _columns(table: str) -> str:
    return ", ".join(f'"{column.name}"' for column in schema.views.tables[table].columns)
