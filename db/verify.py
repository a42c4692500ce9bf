"""Proving the journal: every byte hashed again, every link followed, every view replayed and compared."""

from hashlib import sha256
from itertools import zip_longest

from sqlalchemy import Connection, create_engine, select

from db import schema
from db.projections import changes_of, write_changes
from pharmacy_app.domain.events import GENESIS, Event, hash_of, utc_text
from pharmacy_app.services.views import Verification


def verify(connection: Connection) -> Verification:
    """Replay the whole journal. The first thing that does not fit is named by its event and in words."""
    replayed = create_engine("sqlite://")
    try:
        with replayed.connect() as copy:
            schema.views.create_all(copy)
            return _verify(connection, copy)
    finally:
        replayed.dispose()


def _verify(connection: Connection, copy: Connection) -> Verification:
    previous, count = GENESIS, 0

    def bad(seq: int | None, what: str) -> Verification:
        return Verification(count, previous, seq, what)

    rows = connection.execute(select(schema.event).order_by(schema.event.c.seq))
    for row in rows.mappings():
        expected = count + 1
        if row["seq"] != expected:
            return bad(expected, f"Event {expected} is missing.")
        body = row["body"]
        if hash_of(body) != row["hash"]:
            return bad(expected, f"Event {expected} was altered: its bytes do not give its hash.")
        if row["previous_hash"] != previous:
            return bad(expected, f"Event {expected} does not follow event {count}: the chain is broken.")
        try:
            event = Event.from_body(body)
        except ValueError:
            return bad(expected, f"Event {expected} cannot be read.")
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
                return bad(expected, f"Event {expected} was altered: its {name} is not what its bytes say.")
        write_changes(copy, changes_of(event))
        previous, count = row["hash"], expected
    last = connection.execute(select(schema.head)).mappings().one()
    if (last["seq"], last["hash"]) != (count, previous):
        return bad(count + 1, f"The journal ends at event {count}, but its head names event {last['seq']}.")
    for table in schema.views.sorted_tables:
        keys = list(table.primary_key.columns)
        ours = connection.execute(select(table).order_by(*keys))
        theirs = copy.execute(select(table).order_by(*keys))
        for stored, replayed in zip_longest(ours, theirs):
            if stored != replayed:
                return bad(None, f"The table “{table.name}” is not what the journal gives: {stored or replayed}.")
    return _pinned(connection, count, previous)


def _pinned(connection: Connection, count: int, head_hash: str) -> Verification:
    """The two things that stand beside the journal and are pinned by it: credentials and printed papers."""
    accounts = connection.execute(select(schema.account.c.account_id, schema.account.c.credential_sha256)).all()
    encoded = dict(connection.execute(select(schema.credential.c.account_id, schema.credential.c.encoded)).all())
    for account_id, credential_sha256 in accounts:
        if sha256(encoded.get(account_id, "").encode()).hexdigest() != credential_sha256:
            return Verification(
                count, head_hash, None, f"The password of account {account_id} was changed from outside."
            )
    wanted = set(connection.execute(select(schema.printed.c.sha256)).scalars())
    for name, content in connection.execute(select(schema.stored_paper)):
        if sha256(content).hexdigest() != name:
            return Verification(count, head_hash, None, f"The stored paper {name[:12]} was altered.")
        wanted.discard(name)
    if wanted:
        return Verification(count, head_hash, None, f"The stored paper {sorted(wanted)[0][:12]} is missing.")
    return Verification(count, head_hash, None, "")
