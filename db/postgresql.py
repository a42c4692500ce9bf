"""What only PostgreSQL needs: a session's settings, what a server must be, and its codes turned into sentences."""

from typing import Any

from sqlalchemy import Connection

from pharmacy_app.domain.errors import Unavailable

OLDEST = 15
"""The oldest major version of the server the app is tested with."""

CONNECT_ARGUMENTS: dict[str, Any] = {
    "connect_timeout": 10,
    "client_encoding": "utf8",
    "application_name": "pharmacy-app",
    # A cable pulled out is noticed within about a minute, on either end.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}

SESSION = (
    "SET lock_timeout = '5s'; SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10;"
    " SET tcp_keepalives_count = 3"
)

ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Readers see the moment at which they began, and write nothing."""

HEAD_LOCK = "SELECT seq FROM journal_head FOR UPDATE"
"""Writers stand in line for the head of the chain, as they do for SQLite's one write lock."""

MAKE_LOCK = "SELECT pg_advisory_xact_lock(1229868849)"
"""The number is ``schema.APPLICATION_ID``: two programs do not make or rebuild tables at the same time."""

TABLES_THERE = (
    "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm'))"
)


def check_server(connection: Connection) -> None:
    """Refuse a server on which a record would not be kept as promised; raises ``Unavailable``."""

    def setting(name: str) -> str:
        return str(connection.exec_driver_sql(f"SHOW {name}").scalar())

    version = int(setting("server_version_num")) // 10_000
    if version < OLDEST:
        raise Unavailable(
            f"The database server is PostgreSQL {version}; the app needs {OLDEST} or newer. Ask for a newer server."
        )
    if setting("server_encoding") != "UTF8":
        raise Unavailable(
            "The database does not keep all letters (its encoding is not UTF8). Ask for a database made with UTF8."
        )
    if setting("synchronous_commit") == "off":
        raise Unavailable(
            "The database server confirms entries before they are on its disk (synchronous_commit is off). Ask its"
            " administrator to set it to on; nothing is recorded until then."
        )


_SERVER_GONE = (
    "The database server does not answer any more. Whether the last act was recorded is seen when it is back:"
    " look for it before you do it again."
)
_BUSY = "Another workstation is recording and has not finished. Nothing was recorded here: wait a moment, do it again."
_TOO_MANY = "The database server takes no more connections. Close the app where it is not needed, or ask for more."
_STARTING = "The database server is starting or shutting down. Wait a minute and try again."
_AT_ONCE = "Another workstation recorded at the same moment. Nothing was recorded here: do it again."
_DAMAGED = "The database is damaged. Do not go on: restore the last backup and tell support."
_PASSWORD = "The database server does not accept the user or its password. Ask its administrator for both."
_NOT_RUNNING = "The database server does not run, or not at this address. Ask for it to be started."
_NOT_KNOWN = "The database server's name is not known here. Check the address and the network."
_NOT_PROTECTED = "The database server wants a protected connection that could not be made. Ask its administrator."
_UNKNOWN = (
    "The database server does not let this app in. Check the address, user and network, or ask its administrator."
)
_NO_DATABASE = "The server has no database of that name. Check the address, or ask for an empty database."

UPDATED = (
    "The database was brought up to date by a newer version of the app while this one was open. Nothing was recorded:"
    " install that version here and start it."
)

_BY_CODE = {
    "53100": "The disk of the database server is full. Nothing of this act was recorded. Ask for space, do it again.",
    "53200": "The database server is out of memory. Nothing of this act was recorded. Wait a moment and do it again.",
    "53300": _TOO_MANY,
    "55P03": _BUSY,
    "25006": "The database may only be read here. Nothing was recorded. Ask for the server that may be written.",
    "40001": _AT_ONCE,
    "40P01": _AT_ONCE,
    "42501": "The database user may not do this. Ask for the right to make and write tables in the study's database.",
    "28000": "The database server does not let this PC or user in. Ask its administrator for access.",
    "28P01": _PASSWORD,
    "3D000": _NO_DATABASE,
    "57P01": _SERVER_GONE,
    "57P02": _SERVER_GONE,
    "57P03": _STARTING,
    "25P03": _SERVER_GONE,
    "57014": "The database server broke the question off. Nothing was recorded. Try again, or ask its administrator.",
    "58030": "The disk of the database server did not answer. Nothing was recorded. Ask its administrator.",
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
"""By SQLSTATE. What is not here is our own mistake and keeps its own name."""

_BY_WORDS = (
    ("password authentication failed", _PASSWORD),
    ("no password supplied", "The database server asks for a password. Put it into the password file, or ask for it."),
    ("no pg_hba.conf entry", _BY_CODE["28000"]),
    ("is not permitted to log in", _BY_CODE["28000"]),
    ("permission denied for database", _BY_CODE["28000"]),
    ("authentication failed", _PASSWORD),
    ("too many clients", _TOO_MANY),
    ("too many connections", _TOO_MANY),
    ("connection slots are reserved", _TOO_MANY),
    ("is starting up", _STARTING),
    ("is shutting down", _STARTING),
    ("in recovery mode", _STARTING),
    ("not yet accepting connections", _STARTING),
    ("connection refused", _NOT_RUNNING),
    ("no such file or directory", _NOT_RUNNING),
    ("resolve host", _NOT_KNOWN),
    ("name or service not known", _NOT_KNOWN),
    ("timeout", "The database server does not answer. Check the network, or ask whether the server runs."),
    ("unreachable", "The database server cannot be reached. Check the network of this PC."),
    ("ssl", _NOT_PROTECTED),
    ("certificate", _NOT_PROTECTED),
)
"""A refused connection comes without a code, in words: the server's or the library's."""


def sentence_of(error: BaseException | None) -> str | None:
    """The sentence for trouble with the server, ``None`` when the error is our own.

    It repeats no word of the error: a password may stand in it.
    """
    import psycopg

    if not isinstance(error, psycopg.Error):
        return None
    if error.diag.source_function == "RevalidateCachedQuery":
        return UPDATED
    if error.sqlstate:
        lost = _SERVER_GONE if error.sqlstate.startswith("08") else None
        return _BY_CODE.get(error.sqlstate, lost)
    return _of_words(str(error).lower()) if isinstance(error, psycopg.OperationalError) else None


def _of_words(words: str) -> str:
    """A connection that was refused or lost has no code."""
    if not any(part in words for part in ("connection failed", "connection is bad", "resolve host", "timeout")):
        return _SERVER_GONE
    if "does not exist" in words:
        return _NO_DATABASE if "database" in words else _PASSWORD
    return next((sentence for part, sentence in _BY_WORDS if part in words), _UNKNOWN)
