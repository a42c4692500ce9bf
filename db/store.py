"""The store: one transaction an act, the journal appended and its views updated together, or nothing at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, insert, inspect, select, update
from sqlalchemy.exc import OperationalError

from db import schema
from db.compiled import Kept
from db.engine import has_tables, is_there, on_postgresql, open_engine, pragma, reading, trouble_named, upsert, writing
from db.guards import RECORD_GUARDS, VIEW_GUARDS, drop_guards, missing_guards, put_guards
from db.postgresql import HEAD_LOCK, UPDATED, check_server
from db.projections import changes_of, write_changes
from db.queries import SqlReader
from db.verify import Tell, verify
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.domain.events import GENESIS, Event, hash_of, utc_text
from pharmacy_app.services.views import Verification

_NEW_EVENT = Kept(insert(schema.event))
_SHAPE = Kept(select(schema.mark.c.projection_version))


class SqlWriter(SqlReader):
    """What an act may read and append inside its one transaction."""

    def append(self, event: Event) -> None:
        """Append the event to the journal and write the views it changes."""
        append_event(self.connection, event)

    def put_credential(self, account_id: str, encoded: str) -> None:
        """Keep the encoded password of an account; the journal holds only its SHA-256."""
        put = upsert(self.connection, schema.credential).values(account_id=account_id, encoded=encoded)
        self.connection.execute(
            put.on_conflict_do_update(index_elements=["account_id"], set_={"encoded": put.excluded.encoded})
        )

    def put_paper(self, content: bytes) -> str:
        """Keep a printed paper's bytes under their SHA-256, which is returned."""
        name = sha256(content).hexdigest()
        self.connection.execute(
            upsert(self.connection, schema.stored_paper).values(sha256=name, content=content).on_conflict_do_nothing()
        )
        return name


def append_event(connection: Connection, event: Event) -> None:
    """Write one event's stored bytes and its views on an open writing transaction."""
    body = event.body()
    row = {
        "seq": event.seq,
        "act_id": event.act_id,
        "kind": event.kind,
        "actor_id": event.actor_id,
        "done_utc": utc_text(event.done_at),
        "recorded_utc": utc_text(event.recorded_at),
        "body": body,
        "hash": hash_of(body),
        "previous_hash": event.previous_hash,
    }
    _NEW_EVENT.write(connection, row)
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
        if on_postgresql(engine):
            with reading(engine) as connection:
                check_server(connection)
        else:
            with trouble_named(), engine.connect() as connection:
                _refuse_tables(connection)
                connection.commit()
                raw = connection.connection.dbapi_connection
                assert raw is not None
                cursor = raw.cursor()
                cursor.execute("PRAGMA journal_mode=WAL")
                cursor.close()
        with writing(engine, makes_tables=True) as connection:
            _refuse_tables(connection)
            migrate(connection)
            schema.views.create_all(connection)
            put_guards(connection, (*_FIRST_GUARDS, *VIEW_GUARDS))
            connection.execute(insert(schema.head).values(id=1, seq=0, hash=GENESIS))
            connection.execute(update(schema.mark).values(projection_version=schema.PROJECTION_VERSION))
            if not on_postgresql(connection):
                connection.exec_driver_sql(f"PRAGMA application_id={schema.APPLICATION_ID}")

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
        nothing = f"There is no study in {engine.url.database or 'this file'} yet. Set one up first, or choose another."
        if not is_there(engine):
            raise Unavailable(nothing)
        with _readable(), reading(engine) as connection:
            if not has_tables(connection):
                raise Unavailable(nothing)
            if on_postgresql(connection):
                check_server(connection)
            stands = _stands(connection)
        if stands.is_newer():
            raise Unavailable(
                "This database was made by a newer version of the app. Install that version to open it;"
                " nothing was changed."
            )
        if not stands.is_of_today():
            with writing(engine, makes_tables=True) as connection:
                if on_postgresql(connection):
                    connection.exec_driver_sql(HEAD_LOCK)  # a program of the older version may be recording
                # Another workstation may have done it while this one waited for the lock.
                if not _stands(connection).is_of_today():
                    migrate(connection)
                    rebuild_views(connection)
        with _readable(), reading(engine) as connection:
            missing = missing_guards(connection)
        if missing and guarded:
            raise Unavailable(
                f"The database no longer refuses changes to its journal ({missing[0]} is gone). Do not go on:"
                " restore the last backup and tell support."
            )

    @contextmanager
    def write(self) -> Iterator[SqlWriter]:
        """One writing transaction: the lock is taken before anything is read; an exception undoes all of it.

        Raises ``Unavailable`` when a newer version of the app has changed the tables since this one opened them.
        """
        with writing(self._engine) as connection:
            (mark,) = _SHAPE.read(connection, {})
            if mark["projection_version"] != schema.PROJECTION_VERSION:
                raise Unavailable(UPDATED)
            yield SqlWriter(connection)

    @contextmanager
    def read(self) -> Iterator[SqlReader]:
        """One consistent reading of the views."""
        with reading(self._engine) as connection:
            yield SqlReader(connection)

    def verify(self, tell: Tell | None = None) -> Verification:
        """Prove chain and tables, see ``db.verify``; ``tell`` is told how much of how much is done, and may raise."""
        with reading(self._engine) as connection:
            missing = missing_guards(connection)  # first: after a table that is gone the server answers no more
            found = verify(connection, tell)
        if found.sound and missing:
            words = f"The database no longer refuses changes to its journal: {missing[0]} is gone or was changed."
            return replace(found, trouble=words)
        return found

    def close(self) -> None:
        """Let go of the file or the server."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


REVISIONS = ("0001", "0002", "0003")
"""Every revision of the journal's own tables, oldest first (``db/migrations/versions``)."""

_FIRST_GUARDS = tuple(guard for guard in RECORD_GUARDS if guard.table != "stored_paper")
"""Guards that no migration makes."""


@dataclass(frozen=True, slots=True)
class _Stands:
    """How a database of ours stands: the revision of its tables and the shape of its views."""

    revision: str
    views: int

    def is_newer(self) -> bool:
        return self.revision not in REVISIONS or self.views > schema.PROJECTION_VERSION

    def is_of_today(self) -> bool:
        return self.revision == REVISIONS[-1] and self.views == schema.PROJECTION_VERSION


@contextmanager
def _readable() -> Iterator[None]:
    """What is asked at the opening can be read in every database of ours: if it cannot, the database is damaged."""
    try:
        yield
    except (OperationalError, UnicodeDecodeError) as error:
        raise Unavailable(
            "The database is damaged: it cannot be read. Do not go on: restore the last backup and tell support."
        ) from error


def _refuse_tables(connection: Connection) -> None:
    if has_tables(connection):
        raise Unavailable("There is a database at this place already. Open it, or choose another.")


def _stands(connection: Connection) -> _Stands:
    """Read the marks; raises ``Unavailable`` for a stranger's database and for one that lost them."""
    tables = inspect(connection)
    has_mark = tables.has_table(schema.mark.name)
    mark = connection.execute(select(schema.mark)).mappings().one_or_none() if has_mark else None
    if on_postgresql(connection):
        ours = has_mark and (mark is None or mark["application_id"] == schema.APPLICATION_ID)
    else:
        ours = pragma(connection, "application_id") == schema.APPLICATION_ID
    if not ours:
        raise Unavailable("This is a database of another program. Choose another one.")
    lost = Unavailable(
        "The database has lost the mark of its version. Do not go on: restore the last backup and tell support."
    )
    if not tables.has_table("alembic_version"):
        raise lost
    if mark and (mark["id"], mark["application_id"]) != (1, schema.APPLICATION_ID):
        raise lost
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or ""
    if revision != REVISIONS[0] and revision in REVISIONS and mark is None:
        raise lost
    # Before revision 0002 the shape of the views stood in the file's head.
    return _Stands(revision, mark["projection_version"] if mark else pragma(connection, "user_version"))


def migrate(connection: Connection) -> None:
    """Bring the journal's own tables to the newest revision, inside the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "db:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def rebuild_views(connection: Connection) -> None:
    """Make every projection anew from the journal, inside the caller's transaction."""
    there = set(inspect(connection).get_table_names())
    drop_guards(connection, (guard for guard in VIEW_GUARDS if guard.table in there))
    schema.views.drop_all(connection)
    schema.views.create_all(connection)
    bodies = select(schema.event.c.body).order_by(schema.event.c.seq).execution_options(yield_per=500)
    for body in connection.execute(bodies).scalars():
        write_changes(connection, changes_of(Event.from_body(body)))
    put_guards(connection, VIEW_GUARDS)
    connection.execute(update(schema.mark).values(projection_version=schema.PROJECTION_VERSION))
