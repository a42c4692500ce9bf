"""Where tests keep their databases: a file each, or a database each on a PostgreSQL server of the tests' own.

A test names a database by a path in its own folder. On SQLite that is the file; on PostgreSQL the path stands for
a database on the server. So the same test runs on both: ``pytest --database sqlite`` (the default) or
``pytest --database postgresql``.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, create_engine

from pharmacy_app.bootstrap import url_of

if TYPE_CHECKING:
    from tests.cluster import Cluster


class Databases(Protocol):
    """One kind of database."""

    def url(self, path: Path, *, new: bool = False) -> str:
        """The address under which the app finds the database of this path, made empty first when ``new``."""

    def copy(self, source: Path, target: Path) -> None:
        """Make a database from a closed one."""

    def forget(self) -> None:
        """Remove what was made since ``mark``."""

    def mark(self) -> None:
        """What was made until now stays."""


class Files:
    """SQLite: pytest removes the folders itself."""

    def url(self, path: Path, *, new: bool = False) -> str:
        """See ``Databases``."""
        return url_of(path)

    def copy(self, source: Path, target: Path) -> None:
        """See ``Databases``."""
        assert not source.with_name(source.name + "-wal").exists(), "the file is not closed for copying"
        shutil.copyfile(source, target)

    def forget(self) -> None:
        """See ``Databases``."""

    def mark(self) -> None:
        """See ``Databases``."""


_SHAPE = """
SELECT md5(concat(
    (SELECT string_agg(format('%s %s %s', relname, relkind, reloptions), ',' ORDER BY relname)
       FROM pg_class WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(format('%s %s %s', tgrelid::regclass, tgname, tgenabled), ','
                       ORDER BY tgrelid::regclass::text, tgname)
       FROM pg_trigger WHERE NOT tgisinternal),
    (SELECT string_agg(format('%s %s', proname, prosrc), ',' ORDER BY proname)
       FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
    (SELECT string_agg(format('%s %s', conname, pg_get_constraintdef(oid)), ','
                       ORDER BY conrelid::regclass::text, conname)
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
    (SELECT string_agg(format('%s %s %s %s', relname, attname, atttypid, attnotnull), ',' ORDER BY relname, attnum)
       FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
       WHERE relnamespace = 'public'::regnamespace AND attnum > 0),
    (SELECT string_agg(format('%s %s', datname = current_database(), datconnlimit), ',')
       FROM pg_database WHERE datname = current_database()),
    (SELECT string_agg(format('%s', setconfig), ',') FROM pg_db_role_setting
       JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database())
))
"""
"""Everything of a database but its rows, as one number: tables, triggers, functions, constraints, settings."""

_GUARDS_OFF = b"""
SET LOCAL session_replication_role = replica;
SET LOCAL allow_system_table_mods = on;
UPDATE pg_trigger SET tgenabled = 'O' WHERE tgenabled = 'A';
UPDATE pg_class SET relhastriggers = relhastriggers WHERE relnamespace = 'public'::regnamespace AND relkind = 'r';
"""
"""The app's guards fire always; as a replica of another server only those do. The last line has tables read anew."""
_GUARDS_ON = b"UPDATE pg_trigger SET tgenabled = 'A' WHERE tgenabled = 'O' AND NOT tgisinternal"

_TIDIED = 100
"""After so many tests what they left in a database's files is tidied."""

_NO_ROWS = 21
"""Bytes of a table without rows, as the server copies it."""


@dataclass(frozen=True, slots=True)
class _Content:
    """What a closed database holds: its shape, and the rows of its tables as the server copies them."""

    shape: object
    rows: dict[str, bytes]

    @classmethod
    def of(cls, conninfo: str) -> "_Content":
        """Read it."""
        import psycopg  # only where there is a server

        rows = {}
        with psycopg.connect(conninfo, autocommit=True) as connection:
            shape = connection.execute(_SHAPE).fetchone()
            of_app = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            for (table,) in of_app.fetchall():
                with connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)".encode()) as copy:
                    rows[str(table)] = b"".join(bytes(block) for block in copy)
        return cls(shape, rows)


class _Reused:
    """A database that goes from test to test: made as new by its rows, since its files cost far more time."""

    def __init__(self, name: str, conninfo: str, content: _Content) -> None:
        import psycopg

        self.name = name
        self._content = content
        self._times = 0
        self._connection = psycopg.connect(conninfo, autocommit=True)
        self._empty = ";".join(f"DELETE FROM {table}" for table in content.rows).encode()

    def is_as_new(self) -> bool:
        """Give it its first rows again. False when a test has changed more of it than rows."""
        import psycopg

        try:
            self._connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if self._connection.execute(_SHAPE).fetchone() != self._content.shape:
                return False
            if self._times % _TIDIED == _TIDIED - 1:
                self._connection.execute("VACUUM")
            self._times += 1
            with self._connection.transaction():
                self._connection.execute(_GUARDS_OFF)
                self._connection.execute(self._empty)
                for table, rows in self._content.rows.items():
                    if len(rows) > _NO_ROWS:
                        with self._connection.cursor().copy(
                            f"COPY {table} FROM STDIN (FORMAT binary)".encode()
                        ) as copy:
                            copy.write(rows)
                self._connection.execute(_GUARDS_ON)
        except psycopg.Error:
            return False
        return True

    def let_go(self) -> None:
        """Close what keeps it from being copied or dropped."""
        self._connection.close()


class Server:
    """PostgreSQL: a server starts with the first database asked for.

    Copies of a database that stays (``mark``) are not dropped with the test that made them: the next copy takes one.
    """

    def __init__(self) -> None:
        self._cluster: Cluster | None = None
        self._names: dict[Path, str] = {}
        self._made: list[tuple[str, str]] = []
        self._kept = 0
        self._contents: dict[str, _Content] = {}
        self._reused: dict[str, _Reused] = {}
        self._free: dict[str, list[str]] = {}

    @property
    def cluster(self) -> "Cluster":
        """The server."""
        if self._cluster is None:
            from tests.cluster import Cluster  # only where there is a server to start

            self._cluster = Cluster()
        return self._cluster

    def name(self, path: Path) -> str:
        """The database that a path stands for."""
        return self._names.get(path) or "study_" + sha256(str(path).encode()).hexdigest()[:16]

    def url(self, path: Path, *, new: bool = False) -> str:
        """See ``Databases``."""
        if new:
            self._make(self.name(path), "template0")
        return self.cluster.url(self.name(path))

    def copy(self, source: Path, target: Path) -> None:
        """See ``Databases``."""
        first = self.name(source)
        free = self._free.get(first, [])
        while free and target not in self._names:
            name = free.pop()
            if self._reused[name].is_as_new():
                self._names[target] = name
                self._made.append((name, first))
            else:
                self._drop(name)
        if target not in self._names:
            if first in self._reused:
                self._drop_keeper(first)
            self._make(self.name(target), first)

    def _make(self, name: str, template: str) -> None:
        self.cluster.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._made.append((name, template))

    def _drop(self, name: str) -> None:
        self._drop_keeper(name)
        self.cluster.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _drop_keeper(self, name: str) -> None:
        reused = self._reused.pop(name, None)
        if reused is not None:
            reused.let_go()

    def forget(self) -> None:
        """See ``Databases``."""
        gone = self._made[self._kept :]
        del self._made[self._kept :]
        stays = {name for name, _ in self._made}
        for name, first in gone:
            if first not in stays or not self._keep_for_later(name, first):
                self._drop(name)
        self._names = {path: name for path, name in self._names.items() if name in stays}

    def _keep_for_later(self, name: str, first: str) -> bool:
        import psycopg

        try:
            if first not in self._contents:
                self._contents[first] = _Content.of(self.cluster.conninfo(first))
            if name not in self._reused:
                self._reused[name] = _Reused(name, self.cluster.conninfo(name), self._contents[first])
        except psycopg.Error:
            return False  # a test has shut it, or the server fell over
        self._free.setdefault(first, []).append(name)
        return True

    def mark(self) -> None:
        """See ``Databases``."""
        self._kept = len(self._made)

    def stop(self) -> None:
        """End the server, if it was ever needed."""
        for reused in self._reused.values():
            reused.let_go()
        if self._cluster is not None:
            self._cluster.stop()


CHOSEN: list[Databases] = [Files()]
"""The kind of this run, set by ``conftest``."""


def url_at(path: Path, *, new: bool = False) -> str:
    """The address of the database that a test names by this path."""
    return CHOSEN[0].url(path, new=new)


@contextmanager
def other_hands(path: Path) -> Iterator[Connection]:
    """Another program on the same database: none of the app's settings, every statement by itself."""
    engine = create_engine(url_at(path), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def server() -> Server:
    """The server of this run, for tests that are ``postgresql_only``."""
    chosen = CHOSEN[0]
    assert isinstance(chosen, Server)
    return chosen
