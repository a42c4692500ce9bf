"""Verify goes through a long journal in batches: it tells how far it is, can be stopped, and misses no batch's edge."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import update

from db import schema
from db.guards import RECORD_GUARDS, drop_guards
from db.store import SqlStore
from pharmacy_app.services.views import Verification
from tests.benchmarks.books import SITE_TIME, Books
from tests.databases import CHOSEN, url_at

EVENTS = 1_203
"""More than two batches of 500, and an end inside the third."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed journal of a thousand events and some."""
    path = tmp_path_factory.mktemp("long") / "study.sqlite"
    with SqlStore.create(url_at(path, new=True)) as store, store.write() as writer:
        books = Books(0, "0" * 64, datetime(2026, 1, 5, 8, tzinfo=SITE_TIME))
        for event in islice(books.events(), EVENTS):
            writer.append(event)
    return path


@pytest.fixture
def long_books(written: Path, tmp_path: Path) -> Iterator[SqlStore]:
    """The test's own copy of it."""
    CHOSEN[0].copy(written, tmp_path / "study.sqlite")
    with SqlStore.open(url_at(tmp_path / "study.sqlite")) as store:
        yield store


def alter(store: SqlStore, seq: int, **values: object) -> None:
    """Change columns of an event with the triggers taken away."""
    with store.write() as writer:
        drop_guards(writer.connection, RECORD_GUARDS)
        writer.connection.execute(update(schema.event).where(schema.event.c.seq == seq).values(values))


def assert_names(found: Verification, seq: int) -> None:
    assert (found.sound, found.first_bad) == (False, seq)
    assert f"vent {seq}" in found.trouble


def test_progress_rises_to_the_whole(long_books: SqlStore) -> None:
    told: list[tuple[int, int]] = []
    found = long_books.verify(lambda done, total: told.append((done, total)))
    assert (found.events, found.replayed, found.sound) == (EVENTS, EVENTS, True)
    assert len({total for _, total in told}) == 1
    parts = [done for done, _ in told]
    assert parts == sorted(parts)
    assert 0 < parts[0] < parts[-1] == told[0][1]
    assert len(parts) > 6, "three batches hashed, three replayed, and the tables compared"


def test_whoever_is_told_can_stop_it_at_any_time(long_books: SqlStore) -> None:
    class Enough(Exception):
        """Stop."""

    told: list[int] = []
    long_books.verify(lambda done, _total: told.append(done))
    for stop_at in (1, 4, len(told) - 1):
        left = iter(range(stop_at))

        def stop(_done: int, _total: int, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Enough

        with pytest.raises(Enough):
            long_books.verify(stop)
    assert long_books.verify().sound


@pytest.mark.parametrize("seq", [1, 499, 500, 501, 1_000, 1_001, EVENTS])
def test_a_byte_is_found_in_every_batch_and_at_its_edges(long_books: SqlStore, seq: int) -> None:
    with long_books.read() as reader:
        _, body = reader.journal()[seq - 1]
    alter(long_books, seq, body=body[:-1] + b" }")
    found = long_books.verify()
    assert_names(found, seq)
    assert (found.events, found.replayed) == (seq - 1, 0)


@pytest.mark.parametrize("seq", [1, 500, 501, EVENTS])
def test_a_column_beside_sound_bytes_is_found_by_the_second_part(long_books: SqlStore, seq: int) -> None:
    """The chain is of bytes alone and holds; what the column says is compared with them when they are read."""
    alter(long_books, seq, actor_id="A0009")
    found = long_books.verify()
    assert_names(found, seq)
    assert (found.events, found.replayed) == (EVENTS, seq - 1)


def test_a_table_is_compared_after_both_parts(long_books: SqlStore) -> None:
    with long_books.write() as writer:
        table = schema.ledger_sum
        writer.connection.execute(update(table).where(table.c.level == "day").values(lines=table.c.lines + 1))
    found = long_books.verify()
    assert (found.events, found.replayed, found.first_bad) == (EVENTS, EVENTS, None)
    assert "“ledger_sum”" in found.trouble


@pytest.mark.sqlite_only
@pytest.mark.parametrize("seq", [3, 500, 501, 750])
def test_what_cannot_even_be_read_is_named_inside_a_batch(long_books: SqlStore, seq: int) -> None:
    """PostgreSQL keeps no such text."""
    with long_books.write() as writer:
        drop_guards(writer.connection, RECORD_GUARDS)
        writer.connection.exec_driver_sql(f"UPDATE journal_event SET hash = CAST(X'FFFE' AS TEXT) WHERE seq = {seq}")
    assert_names(long_books.verify(), seq)
