"""Opening a study's database on either backend: not ours, newer, older, empty, and what an address may be."""

import gzip
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, create_engine, inspect, text

from db import schema
from db.engine import place_of
from db.queries import SqlReader
from db.store import REVISIONS, SqlStore, rebuild_views
from pharmacy_app.bootstrap import database_exists, url_of
from pharmacy_app.domain.errors import Refused, Unavailable
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.ports import VialFilter
from tests.conftest import Template
from tests.databases import other_hands, url_at
from tests.services.pharmacy import SITE, Clock, Pharmacy, desk_at, set_up_site


def assert_plain(sentence: str) -> None:
    """A sentence for a tired pharmacist: no driver's words, and something to do."""
    for word in ("sqlite3", "sqlalchemy", "psycopg", "Error", "Traceback", "errno", "(Background", "FATAL"):
        assert word not in sentence, sentence
    assert sentence.endswith(".")
    assert len(sentence.split()) > 6, sentence


def refused_to_open(url: str) -> str:
    with pytest.raises(Unavailable) as unavailable:
        SqlStore.open(url)
    assert_plain(str(unavailable.value))
    return str(unavailable.value)


@pytest.fixture
def closed(template: Template, tmp_path: Path) -> Path:
    """A closed study's database."""
    path = tmp_path / "study.sqlite"
    template.copy_to(path).desk.store.close()
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A database in which nothing was ever made."""
    path = tmp_path / "empty.sqlite"
    if url_at(path, new=True).startswith("sqlite"):
        path.touch()
    return path


def dump(path: Path) -> dict[str, list[Any]]:
    """Every row of every table."""
    engine = create_engine(url_at(path))
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        rows = {
            name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
            for name, table in tables.tables.items()
        }
    engine.dispose()
    return rows


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE alembic_version SET version_num = '0099'",
        f"UPDATE study_mark SET projection_version = {schema.PROJECTION_VERSION + 1}",
        "DELETE FROM alembic_version",
    ],
)
def test_a_newer_database_is_left_alone(closed: Path, sql: str) -> None:
    with other_hands(closed) as connection:
        connection.execute(text(sql))
    before = dump(closed)
    assert "newer version" in refused_to_open(url_at(closed))
    assert dump(closed) == before


@pytest.mark.parametrize("sql", ["DROP TABLE alembic_version", "DELETE FROM study_mark"])
def test_a_database_of_ours_that_lost_its_mark_is_said_not_a_crash(closed: Path, sql: str) -> None:
    with other_hands(closed) as connection:
        connection.execute(text(sql))
    assert "lost the mark" in refused_to_open(url_at(closed))


@pytest.mark.parametrize("more", ["", "CREATE TABLE alembic_version (version_num TEXT)"])
def test_another_programs_database_is_refused(empty: Path, more: str) -> None:
    with other_hands(empty) as connection:
        connection.execute(text("CREATE TABLE recipe (name TEXT)"))
        connection.execute(text("INSERT INTO recipe VALUES ('soup')"))
        if more:
            connection.execute(text(more))
    before = dump(empty)
    assert "another program" in refused_to_open(url_at(empty))
    with pytest.raises(Unavailable, match="already"):
        SqlStore.create(url_at(empty))
    assert dump(empty) == before


def test_an_empty_database_has_no_study_and_can_be_given_one(empty: Path) -> None:
    assert "no study" in refused_to_open(url_at(empty))
    assert not database_exists(url_at(empty))
    SqlStore.create(url_at(empty)).close()
    assert database_exists(url_at(empty))
    SqlStore.open(url_at(empty)).close()


def test_an_existing_database_is_not_made_anew(closed: Path) -> None:
    before = dump(closed)
    with pytest.raises(Unavailable, match="already"):
        SqlStore.create(url_at(closed))
    assert dump(closed) == before


def test_older_views_are_rebuilt_and_equal(template: Template, tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    pharmacy = template.copy_to(path)
    pharmacy.stock_up()
    pharmacy.enroll()
    pharmacy.give(pharmacy.dose("released"), "1.2")
    pharmacy.desk.store.close()
    before = dump(path)
    assert before["medication_error"]
    with other_hands(path) as connection:
        on = " ON ledger_line" if connection.dialect.name == "postgresql" else ""
        connection.execute(text(f"DROP TRIGGER ledger_line_no_update{on}"))
        connection.execute(text("UPDATE study_mark SET projection_version = 0"))
        connection.execute(text("DROP TABLE stock"))  # an older version knew it not
        connection.execute(text("ALTER TABLE vial DROP COLUMN hold_reason"))
        connection.execute(text("UPDATE ledger_line SET comment = 'as the old version wrote it'"))
    with SqlStore.open(url_at(path)) as store:
        assert store.verify().sound
    assert dump(path) == before
    assert before["study_mark"] == [(1, schema.APPLICATION_ID, schema.PROJECTION_VERSION)]
    SqlStore.open(url_at(path)).close()  # its triggers are back


def test_a_program_that_was_open_while_a_newer_one_rebuilt_the_tables_writes_no_more(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-1")
    with other_hands(pharmacy.path) as connection:
        connection.execute(text(f"UPDATE study_mark SET projection_version = {schema.PROJECTION_VERSION + 1}"))
    before = pharmacy.count()
    with pytest.raises(Unavailable, match="newer version") as unavailable:
        pharmacy.receive("S-2")
    assert_plain(str(unavailable.value))
    assert pharmacy.count() == before


def test_text_sorts_byte_by_byte(pharmacy: Pharmacy) -> None:
    """Digits, capitals, signs, letters with accents: on either backend, whatever the server's language."""
    lots = ("B1", "Z9", "_7", "É2", "A-1", "A10", "A2", "1A")
    pharmacy.receive("S-1", tuple(LotTyped("1", lot, "2027-03-31", "1") for lot in lots))
    with pharmacy.desk.store.read() as reader:
        assert [lot for _, lot, _ in reader.lots()] == ["1A", "A-1", "A10", "A2", "B1", "Z9", "_7", "É2"]


def test_vials_without_a_kit_number_come_first_and_last_alike(pharmacy: Pharmacy) -> None:
    """What has no value has its place in a sorted list: at the top upwards, at the bottom downwards."""
    pharmacy.receive("S-1", (LotTyped("1", "A1", "2027-03-31", "2"),))
    pharmacy.receive("S-2", (LotTyped("1", "A1", "2027-03-31", "2", kit_numbers=("K-1", "K-2")),))
    with pharmacy.desk.store.read() as reader:
        for descending, kits in ((False, ["", "", "K-1", "K-2"]), (True, ["K-2", "K-1", "", ""])):
            vials = reader.vials(VialFilter(), sort="kit_number", descending=descending, offset=0, limit=9)
            assert [vial.kit_number for vial in vials] == kits


def test_the_audit_trail_is_searched_in_its_bytes(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-10/ä")
    with pharmacy.desk.store.read() as reader:
        for words, kinds in (("S-10/ä", {"shipment_received"}), ("s-10/ä", set()), ("no such words", set())):
            found = reader.events(kind="", text=words, offset=0, limit=100)
            assert {line.kind for line in found} == kinds
            assert reader.count_events(kind="", text=words) == len(found)


# --- revisions ---------------------------------------------------------------------------------------------------


@pytest.mark.sqlite_only(reason="the first revision was kept in SQLite files alone")
def test_a_file_of_the_first_revision_is_brought_up_to_date_with_every_hash_as_before(tmp_path: Path) -> None:
    """A file that the version of revision 0001 wrote: a dose with a medication error, a delivery, a quarantine."""
    path = tmp_path / "study.sqlite"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "revision_0001.sqlite.gz").read_bytes()))
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    before = raw.execute("SELECT seq, hash, body FROM journal_event ORDER BY seq").fetchall()
    lines = raw.execute("SELECT event_seq, line, move, quantity FROM ledger_line ORDER BY 1, 2").fetchall()
    raw.close()
    with SqlStore.open(url_of(path)) as store:
        found = store.verify()
        assert found.sound, found
        assert (found.events, found.head_hash) == (len(before), before[-1][1])
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT seq, hash, body FROM journal_event ORDER BY seq").fetchall() == before
    assert raw.execute("SELECT event_seq, line, move, quantity FROM ledger_line ORDER BY 1, 2").fetchall() == lines
    assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [(REVISIONS[-1],)]
    assert raw.execute("SELECT application_id, projection_version FROM study_mark").fetchall() == [
        (schema.APPLICATION_ID, schema.PROJECTION_VERSION)
    ]
    for sql in ("UPDATE stored_paper SET content = content", "DELETE FROM stored_paper"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            raw.execute(sql)
    raw.close()
    SqlStore.open(url_of(path)).close()


@pytest.mark.sqlite_only(reason="the first revision was kept in SQLite files alone")
def test_a_file_of_the_first_revision_whose_triggers_are_gone_is_still_refused(tmp_path: Path) -> None:
    """The way up does not put back what somebody took away."""
    path = tmp_path / "study.sqlite"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "revision_0001.sqlite.gz").read_bytes()))
    raw = sqlite3.connect(path)
    raw.execute("DROP TRIGGER journal_event_no_update")
    raw.close()
    assert "journal_event_no_update" in refused_to_open(url_of(path))


def test_the_tables_of_the_record_are_those_that_the_revisions_make(closed: Path) -> None:
    """Columns, types, keys and the order of text: what schema.py says is what the migrations made."""
    with other_hands(closed) as connection:
        made = inspect(connection)
        for table in schema.journal.sorted_tables:
            columns = {column["name"]: column for column in made.get_columns(table.name)}
            assert list(columns) == [column.name for column in table.columns]
            for column in table.columns:
                told = columns[column.name]
                assert told["nullable"] == column.nullable
                wanted = column.type.dialect_impl(connection.dialect)
                assert told["type"]._type_affinity is wanted._type_affinity
                assert getattr(told["type"], "collation", None) == getattr(wanted, "collation", None)
            assert made.get_pk_constraint(table.name)["constrained_columns"] == list(table.primary_key.columns.keys())
            indexes = [index for index in made.get_indexes(table.name) if not index.get("unique")]
            assert {index["name"]: index["column_names"] for index in indexes} == {
                index.name: list(index.columns.keys()) for index in table.indexes
            }


@pytest.mark.sqlite_only(reason="the planner of PostgreSQL rightly reads a small table whole")
def test_the_few_events_of_a_kind_are_found_without_reading_the_journal(closed: Path) -> None:
    """Every release of a bag asks for the alarms of loggers: by the index, in a study of any length."""
    asked: list[str] = []
    with SqlStore.open(url_of(closed)) as store, store.read() as reader:
        assert isinstance(reader, SqlReader)
        raw = reader.connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(asked.append)
        reader.events_between(["logger_read", "receipt_corrected"], 0, 1_000_000)
        raw.set_trace_callback(None)
        (select,) = [sql for sql in asked if "journal_event" in sql]
        plan = " ".join(row[-1] for row in raw.execute(f"EXPLAIN QUERY PLAN {select}"))
    assert "ix_journal_event_kind (kind=? AND seq>? AND seq<?)" in plan


# --- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["postgresql://host", "postgresql://paula@host:5432/", "postgresql+asyncpg://host/study", "postgres://host/study"],
)
def test_an_address_that_leads_to_no_database_is_refused(url: str) -> None:
    refused_to_open(url)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:////data/study.sqlite", "/data/study.sqlite"),
        ("postgresql://paula:a secret@server:5432/study", "study on server"),
        ("postgresql+psycopg://paula:secret@/study?host=/run/postgresql", "study on /run/postgresql"),
        ("postgresql:/paula:secret@server", "the address given"),
    ],
)
def test_where_a_study_is_kept_is_said_without_the_password(url: str, place: str) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize("url", ["postgresql:/paula:secret@server/study", "postgresql://paula:secret@server:x/study"])
def test_a_mistyped_address_is_not_repeated_when_a_password_may_stand_in_it(url: str) -> None:
    assert "secret" not in refused_to_open(url)


# --- set up -----------------------------------------------------------------------------------------------------


def test_a_failed_set_up_leaves_an_empty_database_that_can_be_set_up(tmp_path: Path) -> None:
    desk = desk_at(tmp_path / "study.sqlite", Clock(), new=True)
    with pytest.raises(Refused):
        set_up_site(desk, replace(SITE, time_zone="Chicago"))
    assert desk.store.verify().events == 0
    assert desk.store.verify().sound
    set_up_site(desk)
    assert desk.store.verify().events == 1
    desk.store.close()


def test_a_second_set_up_is_refused_in_words(tmp_path: Path) -> None:
    """A double click on the last button of the first-run guide."""
    desk = desk_at(tmp_path / "study.sqlite", Clock(), new=True)
    set_up_site(desk)
    with pytest.raises(Refused):
        set_up_site(desk)
    assert desk.store.verify().events == 1
    assert desk.store.verify().sound
    desk.store.close()


def test_two_programs_that_bring_a_study_up_to_date_do_it_one_after_the_other(
    closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find it old; the second waits for the lock and sees behind it that all is done."""
    with other_hands(closed) as connection:
        connection.execute(text("UPDATE study_mark SET projection_version = 0"))
    rebuilt = []

    def slowly(connection: Connection) -> None:
        rebuilt.append(connection)
        time.sleep(0.5)  # the other has begun by now
        rebuild_views(connection)

    monkeypatch.setattr("db.store.rebuild_views", slowly)
    with ThreadPoolExecutor(2) as pool:
        for store in pool.map(SqlStore.open, [url_at(closed)] * 2):
            assert store.verify().sound
            store.close()
    assert len(rebuilt) == 1
    assert dump(closed)["study_mark"] == [(1, schema.APPLICATION_ID, schema.PROJECTION_VERSION)]
