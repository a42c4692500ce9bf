"""Opening a database on either backend: connections, transactions, and drivers' codes turned into sentences."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from db.postgresql import CONNECT_ARGUMENTS, HEAD_LOCK, MAKE_LOCK, ONE_MOMENT, SESSION, TABLES_THERE, sentence_of
from pharmacy_app.domain.errors import Unavailable

_TROUBLE = {
    sqlite3.SQLITE_BUSY: "Another program holds the database. Close other windows of this app and try again.",
    sqlite3.SQLITE_LOCKED: "Another program holds the database. Close other windows of this app and try again.",
    sqlite3.SQLITE_READONLY: "The database file is read-only. Ask for write permission on the file and its folder.",
    sqlite3.SQLITE_IOERR: "The disk did not answer. Check the disk or the connection to it, then start again.",
    sqlite3.SQLITE_CORRUPT: "The database file is damaged. Do not go on: restore the last backup and tell support.",
    sqlite3.SQLITE_FULL: "The disk is full. Nothing of this act was recorded. Free some space and do it again.",
    sqlite3.SQLITE_CANTOPEN: "The database file cannot be opened. Check that its folder exists and may be written.",
    sqlite3.SQLITE_PERM: "The database file may not be opened. Ask for permission on the file and its folder.",
    sqlite3.SQLITE_NOTADB: "This file is not a database of this app. Choose another file.",
}

_FORMS = "Use sqlite:///folder/file.sqlite or postgresql://user@host/name."


@contextmanager
def trouble_named() -> Iterator[None]:
    """Turn the driver's trouble with the outside world into ``Unavailable``; our own mistakes stay as they are."""
    try:
        yield
    except DBAPIError as error:
        sentence = _sentence_of(error)
        if sentence is None:
            raise
        raise Unavailable(sentence) from error


def _sentence_of(error: DBAPIError) -> str | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return _TROUBLE.get(code & 0xFF)
    return sentence_of(error.orig)


def open_engine(url: str) -> Engine:
    """An engine for ``sqlite:///path`` or ``postgresql://user@host:port/name``.

    Raises ``Unavailable`` for an address that can name no usable database; it does not connect yet.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "postgresql":
        # A workstation left alone over night finds its connection dead and takes a new one (pre-ping).
        ours = {name: value for name, value in CONNECT_ARGUMENTS.items() if name not in parsed.query}
        engine = create_engine(parsed, pool_pre_ping=True, connect_args=ours)
        event.listen(engine, "connect", _connected_postgresql)
        event.listen(engine, "begin", _begin_postgresql)
        event.listen(engine, "after_cursor_execute", _remember_stream)
        return engine
    if parsed.database and parsed.database != ":memory:":
        _check_path(Path(parsed.database))
    engine = create_engine(parsed)
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begin)
    return engine


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # What cannot be read cannot be shown either: a password may stand in it.
        shown = "This" if "@" in url else f"“{url}”"
        raise Unavailable(f"{shown} is no database address. {_FORMS}") from None
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        if not parsed.database:
            raise Unavailable(f"The address names no database on its server. {_FORMS}")
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        raise Unavailable(f"Records are kept in SQLite or PostgreSQL, not in “{parsed.drivername}”. {_FORMS}")
    return parsed


def place_of(url: str) -> str:
    """Where a database is, to be shown: the file's path, or server and name without the password."""
    try:
        parsed = _parse(url)
    except Unavailable:
        return "the address given"
    if parsed.get_backend_name() == "sqlite":
        return parsed.database or "memory"
    host = parsed.host or parsed.query.get("host") or "this PC"
    return f"{parsed.database} on {host}"


def on_postgresql(at: Engine | Connection) -> bool:
    """Whether this is a PostgreSQL database; else it is an SQLite file."""
    return at.dialect.name == "postgresql"


def upsert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that may say ``on_conflict_…``, in the connection's dialect."""
    return postgresql.insert(table) if on_postgresql(connection) else sqlite.insert(table)


def _check_path(path: Path) -> None:
    """Refuse a path that can hold no database, before SQLite makes an empty file there."""
    if str(path).startswith(("//", "\\\\")):
        raise Unavailable("The database must lie on a disk of this PC: a shared folder corrupts SQLite files.")
    try:
        is_folder, has_folder = path.is_dir(), path.parent.is_dir()
    except OSError as error:
        raise Unavailable(
            f"“{path}” cannot be reached ({error.strerror}). Ask for permission on its folder."
        ) from error
    if is_folder:
        raise Unavailable(f"“{path}” is a folder. Name a file in it.")
    if not has_folder:
        raise Unavailable(f"The folder “{path.parent}” does not exist. Make it, or choose another.")


def is_there(engine: Engine) -> bool:
    """Whether the engine's database is more than a name: asking SQLite itself would make an empty file.

    A PostgreSQL database without tables is not there yet. Raises ``Unavailable`` when its server does not let us ask.
    """
    if on_postgresql(engine):
        with reading(engine) as connection:
            return has_tables(connection)
    name = engine.url.database
    try:
        return not name or name == ":memory:" or Path(name).stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Unavailable(f"“{name}” cannot be opened ({error.strerror}). Ask for permission on its folder.") from error


def has_tables(connection: Connection) -> bool:
    """Whether anything at all was ever made in this database."""
    if on_postgresql(connection):
        return bool(connection.exec_driver_sql(TABLES_THERE).scalar())
    return bool(pragma(connection, "schema_version"))


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent reading: whatever others record meanwhile, every question sees the same moment."""
    with trouble_named(), engine.connect() as connection, connection.begin(), _streams_closed(connection):
        yield connection


@contextmanager
def writing(engine: Engine, *, makes_tables: bool = False) -> Iterator[Connection]:
    """One writing transaction, its lock taken before anything is read; an exception undoes all of it.

    On PostgreSQL the lock is the head of the chain; whoever makes tables locks out others who would.
    """
    lock = "make" if makes_tables else "head"
    with (
        trouble_named(),
        engine.connect().execution_options(write=lock) as connection,
        connection.begin(),
        _streams_closed(connection),
    ):
        yield connection


def _connected(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy says BEGIN itself, so that it can say IMMEDIATE
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA recursive_triggers=ON")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A writer takes its lock before it reads: what it checked is still so when it appends.
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _connected_postgresql(connection: Any, _record: object) -> None:
    connection.autocommit = True
    connection.execute(SESSION)
    connection.autocommit = False


def _begin_postgresql(connection: Connection) -> None:
    # A writer stays at READ COMMITTED: after the lock every question sees what the writer before us committed.
    write = connection.get_execution_options().get("write")
    connection.execute(text({None: ONE_MOMENT, "head": HEAD_LOCK, "make": MAKE_LOCK}[write]))


def _remember_stream(connection: Connection, cursor: Any, *_more: object) -> None:
    from psycopg import ServerCursor

    if isinstance(cursor, ServerCursor):
        connection.info.setdefault("streams", []).append(cursor)


@contextmanager
def _streams_closed(connection: Connection) -> Iterator[None]:
    """What was read a few rows at a time need not be read to its end: whatever is open is closed at the end."""
    try:
        yield
    finally:
        for cursor in connection.info.pop("streams", ()) if not connection.invalidated else ():
            cursor.close()


def pragma(connection: Connection, name: str) -> Any:
    """The value of one SQLite pragma."""
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()
