"""Single bytes turned over in a small study: a sample of what ``python3 installer/dev.py torture`` does with each.

The whole of it stands in ``docs/durability.md``.
"""

import gc
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from db.store import SqlStore
from pharmacy_app.bootstrap import url_of
from pharmacy_app.domain.errors import Unavailable
from tests.conftest import Template
from tests.torture.flips import (
    DAMAGED,
    FOUND,
    MARKS,
    MENDED,
    NAMED,
    NOT_OPENED,
    NOT_STORED,
    RECORD,
    UNREAD,
    VIEWS,
    dump,
    flip_file,
    flip_values,
    pages_of,
    small_study,
)

pytestmark = pytest.mark.sqlite_only(reason="bytes of values and of the file are changed behind the database's back")


@pytest.fixture(scope="module")
def lived_in(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed study with a row of nearly every kind."""
    path = tmp_path_factory.mktemp("small") / "study.sqlite"
    pharmacy = template.copy_to(path)
    small_study(pharmacy)
    pharmacy.desk.store.close()
    return path


@pytest.fixture
def study(lived_in: Path, tmp_path: Path) -> Path:
    """The test's own copy."""
    return Path(shutil.copyfile(lived_in, tmp_path / "study.sqlite"))


def test_every_byte_of_two_events_is_found_at_that_event(study: Path) -> None:
    """All columns: number, act, kind, person, times, bytes, both hashes."""
    with closing(sqlite3.connect(study)) as raw:
        asked = "SELECT seq FROM journal_event WHERE seq > 2 ORDER BY length(body) LIMIT 2"
        rows = {seq for (seq,) in raw.execute(asked)}
    tally = flip_values(study, ("journal_event",), rows={"journal_event": rows})
    assert tally.missed == []
    assert set(tally.total) <= {NAMED, FOUND, NOT_STORED}
    # The number is part of the key: with it the row moves to another place of the chain.
    assert tally.total[FOUND] + tally.total[NOT_STORED] <= 2
    assert tally.total[NAMED] > 1_000


def test_every_byte_of_two_ledger_lines_is_found_in_the_ledger(study: Path) -> None:
    with closing(sqlite3.connect(study)) as raw:
        asked = "SELECT rowid FROM ledger_line ORDER BY length(units) + length(comment) + length(counterparty) LIMIT 2"
        rows = {rowid for (rowid,) in raw.execute(asked)}
    tally = flip_values(study, ("ledger_line",), rows={"ledger_line": rows})
    assert tally.missed == []
    assert set(tally.total) <= {NAMED, NOT_STORED}
    assert tally.total[NAMED] > 400


def test_a_byte_here_and_there_of_all_values_is_found(study: Path) -> None:
    """Another place of each table at each run of the full trial; here each 503rd byte of the record and its views."""
    tally = flip_values(study, (*RECORD, *VIEWS), every=503, first=7)
    assert tally.missed == []
    assert set(tally.total) <= {NAMED, FOUND, NOT_STORED}
    assert tally.total.total() > 250
    marks = flip_values(study, MARKS)
    # The number of the views may become an older one: then they are made again, and equal.
    assert marks.missed == []
    assert set(marks.total) <= {NOT_OPENED, MENDED}
    assert marks.total[NOT_OPENED] > marks.total[MENDED]


def test_a_byte_here_and_there_of_the_file_is_found_or_changes_nothing(study: Path) -> None:
    """Each 2,503rd byte of every page that holds something."""
    tally = flip_file(study, every=2503, first=11)
    assert tally.missed == []
    assert set(tally.total) <= {FOUND, DAMAGED, NOT_OPENED, UNREAD}
    assert tally.total[FOUND] > 20
    assert tally.total[UNREAD] > 50


@contextmanager
def page_turned(study: Path, what: str, pattern: bytes) -> Iterator[None]:
    """One bit of the pattern's last byte, where it stands on a page that holds ``what``."""
    image = study.read_bytes()
    size = int.from_bytes(image[16:18], "big")
    places = [(page - 1) * size for page, said in pages_of(study).items() if said == what]
    at = next(found for start in places if (found := image.find(pattern, start, start + size)) >= 0)
    at += len(pattern) - 1
    study.write_bytes(image[:at] + bytes([image[at] ^ 1]) + image[at + 1 :])
    yield
    study.write_bytes(image)


def test_an_index_that_lost_a_row_is_found_though_every_row_is_there(study: Path) -> None:
    """The tables are as the journal gives them; only whoever asks for an act by its number would not find it."""
    with closing(sqlite3.connect(study)) as raw:
        (act_id,) = raw.execute("SELECT act_id FROM journal_event WHERE seq = 9").fetchone()
        rows = raw.execute("SELECT * FROM journal_event NOT INDEXED ORDER BY rowid").fetchall()
    with page_turned(study, "journal_event (index)", act_id.encode()):
        with closing(sqlite3.connect(study)) as raw:
            assert raw.execute("SELECT * FROM journal_event NOT INDEXED ORDER BY rowid").fetchall() == rows
            asked = "SELECT count(*) FROM journal_event WHERE act_id = ?"
            assert raw.execute(asked, (act_id,)).fetchone() == (0,)
        with SqlStore.open(url_of(study)) as store:
            assert "its tables and indexes do not fit each other" in store.verify().trouble


def test_a_definition_that_was_changed_is_found(study: Path) -> None:
    """A column that says REXT instead of TEXT would keep numbers another way; a rule that is gone refuses nothing."""
    with page_turned(study, "sqlite_schema", b"unit_number TEX"), SqlStore.open(url_of(study)) as store:
        assert "The definition of “" in store.verify().trouble
    with closing(sqlite3.connect(study)) as raw:
        raw.execute("PRAGMA writable_schema=ON")
        raw.execute("UPDATE sqlite_master SET sql = replace(sql, 'vials >= 0', 'vials >= -9') WHERE name = 'stock'")
        raw.commit()
    with SqlStore.open(url_of(study)) as store:
        assert store.verify().trouble == "The definition of “stock” is not what this app makes."


def test_a_definition_that_cannot_be_read_is_said_at_opening(study: Path) -> None:
    image = study.read_bytes()
    at = image.index(b"CREATE INDEX ix_document_about")
    study.write_bytes(image[:at] + b"\xe3" + image[at + 1 :])
    with pytest.raises(Unavailable, match="restore the last backup"):
        SqlStore.open(url_of(study))


@pytest.mark.parametrize(
    "sql", ["UPDATE study_mark SET application_id = application_id + 1", "UPDATE study_mark SET id = 3"]
)
def test_a_mark_that_was_changed_is_said_at_opening(study: Path, sql: str) -> None:
    with closing(sqlite3.connect(study)) as raw:
        raw.execute("PRAGMA ignore_check_constraints=ON")
        raw.execute(sql)
        raw.commit()
    with pytest.raises(Unavailable, match="lost the mark"):
        SqlStore.open(url_of(study))


def test_what_was_found_does_not_hold_back_what_is_seen_next(study: Path) -> None:
    """A password changed and changed back: each look sees the newest change, whether garbage was collected or not."""
    with closing(sqlite3.connect(study)) as raw, SqlStore.open(url_of(study)) as store:
        (kept,) = raw.execute("SELECT encoded FROM credential WHERE account_id = 'A0001'").fetchone()
        gc.disable()
        try:
            for encoded, sound in (("x", False), (kept, True), ("y", False), (kept, True)):
                raw.execute("UPDATE credential SET encoded = ? WHERE account_id = 'A0001'", (encoded,))
                raw.commit()
                assert store.verify().sound == sound
        finally:
            gc.enable()


def test_the_dump_sees_every_kind_of_change(study: Path) -> None:
    """The trial's own measure: rows, indexes and definitions each change it."""
    before = dump(study)
    for sql in (
        "UPDATE lot SET received = received + 1",
        "CREATE TABLE other (x)",
        "DROP INDEX ix_vial_lot",
        "PRAGMA application_id=7",
    ):
        copy = Path(shutil.copyfile(study, study.with_name("changed.sqlite")))
        with closing(sqlite3.connect(copy)) as raw:
            raw.execute(sql)
            raw.commit()
        assert dump(copy) != before, sql
    assert dump(study) == before
