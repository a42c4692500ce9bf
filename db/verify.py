"""Proving the journal: every byte hashed again, every link followed, every view replayed and compared."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest

from sqlalchemy import Connection, RowMapping, create_engine, select
from sqlalchemy.exc import SQLAlchemyError

from db import schema
from db.projections import changes_of, write_changes
from pharmacy_app.domain.codec import digest
from pharmacy_app.domain.events import GENESIS, Event, hash_of, utc_text
from pharmacy_app.services.views import Verification


class _Altered(Exception):
    """The first thing that does not fit: the event it is found at (None: a view), and what it is."""

    def __init__(self, seq: int | None, what: str) -> None:
        super().__init__(what)
        self.seq = seq
        self.what = what


@dataclass(slots=True)
class _Followed:
    """How far the chain was followed."""

    count: int = 0
    hash: str = GENESIS


def verify(connection: Connection) -> Verification:
    """Replay the whole journal. The first thing that does not fit is named by its event and in words."""
    replayed = create_engine("sqlite://")
    followed = _Followed()
    try:
        with replayed.connect() as copy:
            schema.views.create_all(copy)
            _follow(connection, copy, followed)
            for check in (lambda: _compare(connection, copy), lambda: _check_beside(connection)):
                _named(check)
    except _Altered as altered:
        return Verification(followed.count, followed.hash, altered.seq, altered.what)
    finally:
        replayed.dispose()
    return Verification(followed.count, followed.hash, None, "")


def _named(check: Callable[[], None]) -> None:
    """A table that is gone or cannot be read is a finding, not a crash."""
    try:
        check()
    except SQLAlchemyError as error:
        raise _Altered(None, f"A table is missing or cannot be read: {error.__cause__ or error}.") from error


def _check_beside(connection: Connection) -> None:
    _check_credentials(connection)
    _check_papers(connection)


def _follow(connection: Connection, copy: Connection, followed: _Followed) -> None:
    """Check each event in order and apply it to the copy."""
    for row in _rows(connection, followed):
        seq = followed.count + 1
        if row["seq"] != seq:
            raise _Altered(seq, f"Event {seq} is missing.")
        event = _read(row, followed)
        try:
            write_changes(copy, changes_of(event))
        except (LookupError, TypeError, ValueError, AttributeError, SQLAlchemyError) as error:
            raise _Altered(seq, f"Event {seq} cannot be replayed: it is not what this app writes.") from error
        followed.count, followed.hash = seq, row["hash"]
    head = connection.execute(select(schema.head)).mappings().one_or_none()
    if head is None or (head["seq"], head["hash"]) != (followed.count, followed.hash):
        named = "nothing" if head is None else f"event {head['seq']}"
        raise _Altered(followed.count + 1, f"The journal ends at event {followed.count}, but its head names {named}.")


def _rows(connection: Connection, followed: _Followed) -> Iterator[RowMapping]:
    """The journal's rows one by one; one that the driver cannot even read is named."""
    try:
        yield from connection.execute(select(schema.event).order_by(schema.event.c.seq)).mappings()
    except SQLAlchemyError as error:
        raise _Altered(followed.count + 1, f"Event {followed.count + 1} cannot be read.") from error


def _read(row: RowMapping, followed: _Followed) -> Event:
    seq = followed.count + 1
    if not isinstance(row["body"], bytes) or hash_of(row["body"]) != row["hash"]:
        raise _Altered(seq, f"Event {seq} was altered: its bytes do not give its hash.")
    if row["previous_hash"] != followed.hash:
        raise _Altered(seq, f"Event {seq} does not follow event {followed.count}: the chain is broken.")
    try:
        event = Event.from_body(row["body"])
    except (ValueError, TypeError):
        raise _Altered(seq, f"Event {seq} cannot be read.") from None
    columns = {
        "seq": event.seq,
        "act_id": event.act_id,
        "kind": event.kind,
        "actor_id": event.actor_id,
        "done_utc": utc_text(event.done_at),
        "recorded_utc": utc_text(event.recorded_at),
        "previous_hash": event.previous_hash,
    }
    for name, value in columns.items():
        if row[name] != value:
            raise _Altered(seq, f"Event {seq} was altered: its {name} is not what its bytes say.")
    for signature in event.signatures:
        if signature.content_sha256 != digest(event.content):
            raise _Altered(seq, f"Event {seq} carries a signature of {signature.printed_name} for other content.")
    return event


def _compare(connection: Connection, copy: Connection) -> None:
    """Every view row for row against what the journal gives."""
    for table in schema.views.sorted_tables:
        keys = list(table.primary_key.columns)
        ours = connection.execute(select(table).order_by(*keys))
        theirs = copy.execute(select(table).order_by(*keys))
        for stored, replayed in zip_longest(ours, theirs):
            if stored != replayed:
                raise _Altered(
                    None, f"The table “{table.name}” is not what the journal gives, at: {stored or replayed}."
                )


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
    for name, content in connection.execute(select(schema.stored_paper)):
        if sha256(content).hexdigest() != name:
            raise _Altered(None, f"The stored {documents.get(name, f'paper {name[:12]}')} was altered.")
        missing.discard(name)
    if missing:
        name = min(missing)
        raise _Altered(None, f"The stored {documents.get(name, f'paper {name[:12]}')} is missing.")
