"""The store: one transaction an act, the journal appended and its views updated together, or nothing at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from db import schema
from db.engine import is_there, open_engine, pragma, trouble_named
from db.projections import changes_of, write_changes
from db.queries import SqlReader
from db.verify import verify
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.domain.events import GENESIS, Event, hash_of, utc_text
from pharmacy_app.services.views import Verification


class SqlWriter(SqlReader):
    """What an act may read and append inside its one transaction."""

    def append(self, event: Event) -> None:
        """Append the event to the journal and write the views it changes."""
        append_event(self.connection, event)

    def put_credential(self, account_id: str, encoded: str) -> None:
        """Keep the encoded password of an account; the journal holds only its SHA-256."""
        put = upsert(schema.credential).values(account_id=account_id, encoded=encoded)
        self.connection.execute(
            put.on_conflict_do_update(index_elements=["account_id"], set_={"encoded": put.excluded.encoded})
        )

    def put_paper(self, content: bytes) -> str:
        """Keep a printed paper's bytes under their SHA-256, which is returned."""
        name = sha256(content).hexdigest()
        self.connection.execute(
            upsert(schema.stored_paper).values(sha256=name, content=content).on_conflict_do_nothing()
        )
        return name


def append_event(connection: Connection, event: Event) -> None:
    """Write one event's stored bytes and its views on an open writing transaction."""
    body = event.body()
    connection.execute(
        insert(schema.event).values(
            seq=event.seq,
            act_id=event.act_id,
            kind=event.kind,
            actor_id=event.actor_id,
            done_utc=utc_text(event.done_at),
            recorded_utc=utc_text(event.recorded_at),
            body=body,
            hash=hash_of(body),
            previous_hash=event.previous_hash,
        )
    )
    write_changes(connection, changes_of(event))


class SqlStore:
    """A study's database. Use ``create`` or ``open``; both raise ``Unavailable`` with a sentence when they cannot."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def create(cls, url: str) -> Self:
        """Make a new, empty database; an existing one is refused."""
        engine = open_engine(url)
        try:
            cls._make(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    @staticmethod
    def _make(engine: Engine) -> None:
        with trouble_named(), engine.connect() as connection:
            if pragma(connection, "schema_version"):
                raise Unavailable("There is a database at this place already. Open it, or choose another file.")
        with trouble_named(), engine.connect() as connection:
            connection.commit()
            raw = connection.connection.dbapi_connection
            assert raw is not None
            cursor = raw.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.close()
        with (
            trouble_named(),
            engine.connect().execution_options(write=True) as connection,
            connection.begin(),
        ):
            migrate(connection)
            schema.views.create_all(connection)
            for trigger in schema.APPEND_ONLY.values():
                connection.exec_driver_sql(trigger)
            connection.execute(insert(schema.head).values(id=1, seq=0, hash=GENESIS))
            connection.exec_driver_sql(f"PRAGMA application_id={schema.APPLICATION_ID}")
            connection.exec_driver_sql(f"PRAGMA user_version={schema.PROJECTION_VERSION}")

    @classmethod
    def open(cls, url: str, *, guarded: bool = True) -> Self:
        """Open a study's database, bringing an older one up to date and refusing a newer one or a stranger's.

        A database whose append-only triggers are gone is refused, unless it is opened only to be verified
        (``guarded`` false).
        """
        engine = open_engine(url)
        try:
            cls._check(engine, guarded=guarded)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    @staticmethod
    def _check(engine: Engine, *, guarded: bool) -> None:
        where = engine.url.database or "this file"
        nothing = f"There is no study in {where} yet. Set one up first, or choose another file."
        if not is_there(engine):
            raise Unavailable(nothing)
        with trouble_named(), engine.connect() as connection:
            if pragma(connection, "schema_version") == 0:
                raise Unavailable(nothing)
            if pragma(connection, "application_id") != schema.APPLICATION_ID:
                raise Unavailable("This file is a database of another program. Choose another file.")
            marks = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
            if not connection.exec_driver_sql(marks).scalar():
                raise Unavailable(
                    "The database has lost the mark of its version. Do not go on: restore the last backup and tell"
                    " support."
                )
            version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            views = pragma(connection, "user_version")
        if version not in REVISIONS or views > schema.PROJECTION_VERSION:
            raise Unavailable(
                "This database was made by a newer version of the app. Install that version to open it;"
                " nothing was changed."
            )
        if version != REVISIONS[-1] or views != schema.PROJECTION_VERSION:
            with (
                trouble_named(),
                engine.connect().execution_options(write=True) as connection,
                connection.begin(),
            ):
                migrate(connection)
                rebuild_views(connection)
                connection.exec_driver_sql(f"PRAGMA user_version={schema.PROJECTION_VERSION}")
        with trouble_named(), engine.connect() as connection:
            missing = missing_triggers(connection)
        if missing and guarded:
            raise Unavailable(
                f"The database no longer refuses changes to its journal ({missing[0]} is gone). Do not go on:"
                " restore the last backup and tell support."
            )

    @contextmanager
    def write(self) -> Iterator[SqlWriter]:
        """One writing transaction: the lock is taken before anything is read; an exception undoes all of it."""
        with (
            trouble_named(),
            self._engine.connect().execution_options(write=True) as connection,
            connection.begin(),
        ):
            yield SqlWriter(connection)

    @contextmanager
    def read(self) -> Iterator[SqlReader]:
        """One consistent reading of the views."""
        with trouble_named(), self._engine.connect() as connection, connection.begin():
            yield SqlReader(connection)

    def verify(self) -> Verification:
        """Replay the journal and compare; see ``db.verify``."""
        with trouble_named(), self._engine.connect() as connection, connection.begin():
            found = verify(connection)
            missing = missing_triggers(connection)
        if found.sound and missing:
            words = f"The database no longer refuses changes to its journal: {missing[0]} is gone or was changed."
            return replace(found, trouble=words)
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


REVISIONS = ("0001",)
"""Every revision of the journal's own tables, oldest first (``db/migrations/versions``)."""


def migrate(connection: Connection) -> None:
    """Bring the journal's own tables to the newest revision, inside the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "db:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def missing_triggers(connection: Connection) -> list[str]:
    """Names of the append-only triggers that are not in the database word for word."""
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    there = {row.name: row.sql for row in rows}
    return [name for name, sql in schema.APPEND_ONLY.items() if there.get(name) != sql]


def rebuild_views(connection: Connection) -> None:
    """Make every projection anew from the journal, inside the caller's transaction."""
    on_views = [name for name in schema.APPEND_ONLY if not name.startswith("journal_")]
    for name in on_views:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
    schema.views.drop_all(connection)
    schema.views.create_all(connection)
    for body in connection.execute(select(schema.event.c.body).order_by(schema.event.c.seq)).scalars():
        write_changes(connection, changes_of(Event.from_body(body)))
    for name in on_views:
        connection.exec_driver_sql(schema.APPEND_ONLY[name])
