"""Proving the journal in two parts: the chain of its bytes, and the tables that follow from it.

The chain: every stored byte hashed again, every number, link and the head followed, nothing of it interpreted. The
tables: every event read from those bytes, its columns beside them compared, replayed into an empty database, and every
row compared. Both go through the journal in batches: the longest needs no more memory than a short one.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    Row,
    Select,
    String,
    Table,
    create_engine,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from db import schema
from db.compiled import compiled
from db.projections import changes_of, replay_changes
from pharmacy_app.domain.codec import digest
from pharmacy_app.domain.events import GENESIS, Event, hash_of, utc_text
from pharmacy_app.services.views import Verification

Tell = Callable[[int, int], None]
"""Is told from time to time how much of how much is done; whatever it raises stops the work."""

_AT_A_TIME = 500
_HASHED, _REPLAYED, _COMPARED = 1, 40, 10
"""How long an event takes in each part, roughly: by this progress is told."""


class _Altered(Exception):
    """The first thing that does not fit: the event it is found at (None: a view), and what it is."""

    def __init__(self, seq: int | None, what: str) -> None:
        super().__init__(what)
        self.seq = seq
        self.what = what


@dataclass(slots=True)
class _Followed:
    """How far one part went."""

    count: int = 0
    hash: str = GENESIS


def verify(connection: Connection, tell: Tell | None = None) -> Verification:
    """Prove the whole journal. The first thing that does not fit is named by its event and in words."""
    tell = tell or (lambda _done, _total: None)
    chain, replay = _Followed(), _Followed()
    first_bad, trouble = None, ""
    try:
        _named(lambda: _chain(connection, chain, tell))
        # An SQLite file without a name: as quick as memory while it is small, on disk when it grows, gone when closed.
        with closing(sqlite3.connect("", isolation_level=None)) as copy:
            _make_empty(copy)
            _replay(connection, copy, replay, chain.count, tell)
            _named(lambda: _compare(connection, copy, chain.count, tell))
        _named(lambda: _check_credentials(connection))
        _named(lambda: _check_papers(connection))
        if connection.dialect.name == "sqlite":
            _named(lambda: _check_file(connection))
    except _Altered as altered:
        # Not the exception itself is kept: it holds questions half read, and with them the connection's old moment.
        first_bad, trouble = altered.seq, altered.what
    return Verification(chain.count, chain.hash, first_bad, trouble, replay.count)


def _flat(query: Select[Any], rows: int = _AT_A_TIME) -> Select[Any]:
    """Fetch some rows at a time: a server would otherwise hand over all of them at once."""
    return query.execution_options(yield_per=rows)


def _named(check: Callable[[], None]) -> None:
    """A table that is gone or cannot be read is a finding, not a crash."""
    try:
        check()
    except (SQLAlchemyError, UnicodeDecodeError) as error:
        raise _Altered(None, f"A table is missing or cannot be read: {error.__cause__ or error}.") from error


def _events(
    connection: Connection, columns: Sequence[Column[Any]], followed: _Followed
) -> Iterator[Sequence[Row[Any]]]:
    """Batches of the journal's rows in order; a row that the driver cannot even read is named.

    Whoever goes through them keeps ``followed`` up to date.
    """
    query = select(*columns).order_by(schema.event.c.seq)
    try:
        yield from connection.execute(_flat(query)).partitions()
    except SQLAlchemyError:
        # Somewhere in this batch: the rows before it are still to be looked at, one by one.
        try:
            yield from connection.execute(_flat(query.where(schema.event.c.seq > followed.count), 1)).partitions()
        except SQLAlchemyError as error:
            raise _Altered(followed.count + 1, f"Event {followed.count + 1} cannot be read.") from error


def _chain(connection: Connection, followed: _Followed, tell: Tell) -> None:
    """Hash every event's stored bytes again and follow the links from the first event to the head."""
    head = connection.execute(select(schema.head.c.seq, schema.head.c.hash)).one_or_none()
    whole = (head.seq if head else 0) * (_HASHED + _REPLAYED + _COMPARED)
    table = schema.event.c
    for batch in _events(connection, (table.seq, table.hash, table.previous_hash, table.body), followed):
        seq, last = followed.count, followed.hash
        for row in batch:
            found, name, previous, body = tuple(row)
            seq += 1
            if found != seq:
                raise _Altered(seq, f"Event {seq} is missing.")
            if not isinstance(body, bytes) or sha256(body).hexdigest() != name:
                raise _Altered(seq, f"Event {seq} was altered: its bytes do not give its hash.")
            if previous != last:
                raise _Altered(seq, f"Event {seq} does not follow event {seq - 1}: the chain is broken.")
            followed.count, followed.hash = seq, name
            last = name
        tell(seq * _HASHED, whole)
    if head is None or (head.seq, head.hash) != (followed.count, followed.hash):
        named = "nothing" if head is None else f"event {head.seq}"
        # A head left behind names the last event that was there before another was slipped in.
        bad = 1 + (min(followed.count, head.seq) if head else followed.count)
        raise _Altered(bad, f"The journal ends at event {followed.count}, but its head names {named}.")


def _make_empty(copy: sqlite3.Connection) -> None:
    """The tables of the views in the copy, which is thrown away: it need not survive anything."""
    copy.executescript(_empty())
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=ON", "cache_size=-32000"):
        copy.execute(f"PRAGMA {pragma}")
    copy.execute("BEGIN")


@cache
def _empty() -> str:
    """What makes the empty tables of the views, written once: to compile it takes longer than a short journal."""
    with closing(sqlite3.connect(":memory:")) as made:
        engine = create_engine("sqlite://", creator=lambda: made, poolclass=StaticPool)
        with engine.begin() as connection:
            schema.views.create_all(connection)
        return "\n".join(made.iterdump())


def _replay(connection: Connection, copy: sqlite3.Connection, followed: _Followed, total: int, tell: Tell) -> None:
    """Read each event, compare the columns beside its bytes, and apply it to the copy."""
    whole = total * (_HASHED + _REPLAYED + _COMPARED)
    for batch in _events(connection, tuple(schema.event.c), followed):
        for row in batch:
            event = _read(row)
            try:
                replay_changes(copy, changes_of(event))
            except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, sqlite3.Error) as error:
                words = f"Event {event.seq} cannot be replayed: it is not what this app writes."
                raise _Altered(event.seq, words) from error
            followed.count, followed.hash = event.seq, row.hash
        tell(total * _HASHED + followed.count * _REPLAYED, whole)


def _read(row: Row[Any]) -> Event:
    try:
        event = Event.from_body(row.body)
    except (ValueError, TypeError):
        raise _Altered(row.seq, f"Event {row.seq} cannot be read.") from None
    columns = {
        "seq": event.seq,
        "act_id": event.act_id,
        "kind": event.kind,
        "actor_id": event.actor_id,
        "done_utc": utc_text(event.done_at),
        "recorded_utc": utc_text(event.recorded_at),
        "previous_hash": event.previous_hash,
        "hash": hash_of(row.body),
    }
    stored = row._mapping
    for name, value in columns.items():
        if stored[name] != value:
            raise _Altered(row.seq, f"Event {row.seq} was altered: its {name} is not what its bytes say.")
    for signature in event.signatures:
        if signature.content_sha256 != digest(event.content):
            words = f"Event {row.seq} carries a signature of {signature.printed_name} for other content."
            raise _Altered(row.seq, words)
    return event


def _compare(connection: Connection, copy: sqlite3.Connection, total: int, tell: Tell) -> None:
    """Every view row for row against what the journal gives."""
    tables = schema.views.sorted_tables
    done, whole = total * (_HASHED + _REPLAYED), total * (_HASHED + _REPLAYED + _COMPARED)
    for number, table in enumerate(tables, start=1):
        try:
            for _ in _compared(connection, copy, table):
                tell(done, whole)
        except SQLAlchemyError as error:
            raise _Altered(None, f"The table “{table.name}” is missing or cannot be read.") from error
        done = total * (_HASHED + _REPLAYED) + total * _COMPARED * number // len(tables)
    tell(whole, whole)


@cache
def _in_order(table: Table) -> tuple[Select[Any], str]:
    """The question for all rows of a table, and its words for the copy."""
    query = select(table).order_by(*table.primary_key.columns)
    return query, compiled("sqlite", query).sql


def _compared(connection: Connection, copy: sqlite3.Connection, table: Table) -> Iterator[None]:
    """Compare one table, batch by batch."""
    query, sql = _in_order(table)
    replayed = copy.execute(sql)
    for batch in connection.execute(_flat(query)).partitions():
        stored = [tuple(row) for row in batch]
        theirs = replayed.fetchmany(len(stored))
        if stored != theirs:
            theirs += [()] * (len(stored) - len(theirs))
            here, there = next(pair for pair in zip(stored, theirs, strict=True) if pair[0] != pair[1])
            raise _differs(table, here or there)
        yield
    lost = replayed.fetchone()
    if lost is not None:
        raise _differs(table, lost)


def _differs(table: Table, row: tuple[Any, ...]) -> _Altered:
    named = dict(zip((column.name for column in table.columns), row, strict=True))
    key = ", ".join(f"{column.name.replace('_', ' ')} {named[column.name]}" for column in table.primary_key.columns)
    return _Altered(None, f"The table “{table.name}” is not what the journal gives, at {key}.")


def _check_credentials(connection: Connection) -> None:
    """Passwords stand beside the journal; their fingerprints are in it."""
    accounts = connection.execute(select(schema.account.c.account_id, schema.account.c.credential_sha256))
    kept = select(schema.credential.c.encoded)
    for account_id, fingerprint in accounts:
        encoded = connection.execute(kept.where(schema.credential.c.account_id == account_id)).scalar() or ""
        if sha256(encoded.encode()).hexdigest() != fingerprint:
            raise _Altered(None, f"The password of account {account_id} was changed from outside.")


def _check_papers(connection: Connection) -> None:
    """Printed papers and attached documents stand beside the journal under the names it gives them."""
    documents = {
        row.sha256: f"document {row.document_id}"
        for row in connection.execute(select(schema.document.c.sha256, schema.document.c.document_id))
    }
    missing = set(connection.execute(select(schema.printed.c.sha256)).scalars()) | documents.keys()
    for name, content in connection.execute(_flat(select(schema.stored_paper), 4)):
        if sha256(content).hexdigest() != name:
            raise _Altered(None, f"The stored {documents.get(name, f'paper {name[:12]}')} was altered.")
        missing.discard(name)
    if missing:
        name = min(missing)
        raise _Altered(None, f"The stored {documents.get(name, f'paper {name[:12]}')} is missing.")


def _check_file(connection: Connection) -> None:
    """An SQLite file has two more things to lose: the definitions of its tables, and that its indexes fit them.

    A row that its index has lost is found by whoever reads the whole table, and by nobody who asks for it by name.
    """
    there = _defined(connection)
    for name, words in _definitions().items():
        if there.get(name) != words:
            raise _Altered(None, f"The definition of “{name}” is not what this app makes.")
    found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
    if found != "ok":
        raise _Altered(None, f"The file is damaged: its tables and indexes do not fit each other ({found}).")


_revision = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""The one table that the migrations make for themselves."""


@cache
def _definitions() -> dict[str, str]:
    """Every table and index of ours by its name, as a new file has it."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        schema.journal.create_all(connection)
        schema.views.create_all(connection)
        _revision.create(connection)
        found = _defined(connection)
    engine.dispose()
    return found


def _defined(connection: Connection) -> dict[str, str]:
    """The words of each definition, whatever stands between them; a key's own index has no words but its table's."""
    asked = "SELECT name, tbl_name, coalesce(sql, '') FROM sqlite_master WHERE type IN ('table', 'index')"
    return {name: f"{table}: {' '.join(sql.split())}" for name, table, sql in connection.exec_driver_sql(asked)}
