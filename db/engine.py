"""Opening a database: pragmas, transactions, and the one table that turns a driver's code into a sentence."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

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


@contextmanager
def trouble_named() -> Iterator[None]:
    """Turn the driver's trouble with the outside world into ``Unavailable``; our own mistakes stay as they are."""
    try:
        yield
    except DBAPIError as error:
        code = getattr(error.orig, "sqlite_errorcode", None)
        if code is None or (code & 0xFF) not in _TROUBLE:
            raise
        raise Unavailable(_TROUBLE[code & 0xFF]) from error


def open_engine(url: str) -> Engine:
    """An engine for ``sqlite:///path``; raises ``Unavailable`` for an address that names no usable database."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Unavailable(f"“{url}” is no database address. Use sqlite:///folder/file.sqlite.") from None
    if parsed.get_backend_name() != "sqlite":
        raise Unavailable(f"This version keeps its records in SQLite; “{parsed.get_backend_name()}” is not supported.")
    if parsed.database and parsed.database != ":memory:":
        path = Path(parsed.database)
        _check_path(path)
    engine = create_engine(parsed)
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begin)
    return engine


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
    """Whether the engine's database is more than a name: asking SQLite itself would make an empty file."""
    name = engine.url.database
    try:
        return not name or name == ":memory:" or Path(name).stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Unavailable(f"“{name}” cannot be opened ({error.strerror}). Ask for permission on its folder.") from error


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
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def pragma(connection: Connection, name: str) -> Any:
    """The value of one SQLite pragma."""
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()
