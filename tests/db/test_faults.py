"""The world in the way of a file: a stranger's, locked, read-only, or on a full disk.

Each gives ``Unavailable`` with a plain sentence, and nothing is half-written.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from db.store import SqlStore
from pharmacy_app.bootstrap import url_of
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.conftest import Template
from tests.services.pharmacy import Clock, Pharmacy, desk_at

pytestmark = pytest.mark.sqlite_only(reason="files are locked, damaged and filled up here")


def assert_plain(sentence: str) -> None:
    """A sentence for a tired pharmacist: no driver's words, and something to do."""
    for word in ("sqlite3", "sqlalchemy", "Error", "Traceback", "errno", "(Background"):
        assert word not in sentence, sentence
    assert sentence.endswith(".")
    assert len(sentence.split()) > 6, sentence


def refused_to_open(url: str) -> str:
    with pytest.raises(Unavailable) as unavailable:
        SqlStore.open(url)
    assert_plain(str(unavailable.value))
    return str(unavailable.value)


@pytest.fixture
def file(template: Template, tmp_path: Path) -> Path:
    """A closed study database."""
    path = tmp_path / "study.sqlite"
    shutil.copyfile(template.path, path)
    return path


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


# --- not ours, not there, not of our time ---------------------------------------------------------------------


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recipes.sqlite"
    with raw(path) as connection:
        connection.execute("CREATE TABLE recipe (name TEXT)")
        connection.execute("INSERT INTO recipe VALUES ('soup')")
    before = path.read_bytes()
    assert "another program" in refused_to_open(url_of(path))
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["recipes.sqlite"]


@pytest.mark.parametrize(
    "content",
    [
        b"Dear diary, today I mixed a bag.\n" * 100,
        b"\x00" * 4096,
        os.urandom(5000),
        b"SQLite format 3\x00" + b"\xff" * 5000,
    ],
    ids=["text", "zeros", "noise", "a head and noise"],
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "diary.txt"
    path.write_bytes(content)
    refused_to_open(url_of(path))
    assert path.read_bytes() == content
    with pytest.raises(Unavailable) as unavailable:
        SqlStore.create(url_of(path))
    assert_plain(str(unavailable.value))
    assert path.read_bytes() == content


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is a folder" in refused_to_open(url_of(tmp_path))


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "does not exist" in refused_to_open(url_of(tmp_path / "nowhere" / "study.sqlite"))
    with pytest.raises(Unavailable, match="does not exist"):
        SqlStore.create(url_of(tmp_path / "nowhere" / "study.sqlite"))
    assert not (tmp_path / "nowhere").exists()


def test_a_mistyped_name_leaves_no_file_behind(tmp_path: Path) -> None:
    assert "There is no study in" in refused_to_open(url_of(tmp_path / "studdy.sqlite"))
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_has_no_study(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite"
    path.touch()
    assert "no study" in refused_to_open(url_of(path))
    SqlStore.create(url_of(path)).close()


@pytest.mark.parametrize("url", ["study.sqlite", "", "sqlite", "http://host/x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    refused_to_open(url)


def test_an_existing_database_is_not_made_anew(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(Unavailable, match="already"):
        SqlStore.create(url_of(file))
    assert file.read_bytes() == before


def test_a_damaged_file_is_said_to_be_damaged(template: Template, tmp_path: Path) -> None:
    """A page of the middle is overwritten, as a failing disk does."""
    pharmacy = template.copy_to(tmp_path / "study.sqlite")
    pharmacy.receive()
    pharmacy.desk.store.close()
    content = bytearray((tmp_path / "study.sqlite").read_bytes())
    content[4096 * 3 :] = b"\xaa" * (len(content) - 4096 * 3)
    (tmp_path / "study.sqlite").write_bytes(content)
    with pytest.raises(Unavailable) as unavailable:
        store = SqlStore.open(url_of(tmp_path / "study.sqlite"))
        found = store.verify()
        store.close()
        raise Unavailable(found.trouble)  # also well: opened, and verify says what is wrong
    assert len(str(unavailable.value)) > 20


def dump(path: Path) -> dict[str, list[Any]]:
    with raw(path) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}


# --- locked ---------------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait 50 ms for a lock instead of seconds."""
    import db.engine

    connected = db.engine._connected

    def quick(connection: sqlite3.Connection, record: object) -> None:
        connected(connection, record)
        connection.execute("PRAGMA busy_timeout=50")

    monkeypatch.setattr(db.engine, "_connected", quick)


def acts(pharmacy: Pharmacy) -> list[Callable[[], object]]:
    """Some acts, small and large."""
    big = (LotTyped("1", "A9", "2027-03-31", "500"),)
    return [
        lambda: pharmacy.receive("S-7", big),
        lambda: pharmacy.enroll("007"),
        lambda: quarantine(
            pharmacy.desk, pharmacy.act("tim"), QuarantineForm((pharmacy.vials()[0].unit_number,), "warm")
        ),
    ]


@pytest.mark.usefixtures("impatient")
def test_a_locked_database_is_said_and_nothing_written(template: Template, tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    pharmacy = template.copy_to(path)
    pharmacy.stock_up()
    before = dump(path)
    with raw(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        for do in acts(pharmacy):
            with pytest.raises(Unavailable, match="Another program holds the database") as unavailable:
                do()
            assert_plain(str(unavailable.value))
        other.execute("ROLLBACK")
    assert dump(path) == before
    pharmacy.assert_sound()
    acts(pharmacy)[0]()  # let go, it goes on
    assert pharmacy.count() == len(before["journal_event"]) + 1
    pharmacy.desk.store.close()


@pytest.mark.usefixtures("impatient")
def test_a_locked_database_is_not_opened_for_an_upgrade(file: Path) -> None:
    with raw(file) as connection:
        connection.execute("UPDATE study_mark SET projection_version = 0")
    before = dump(file)
    with raw(file) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "Another program holds" in refused_to_open(url_of(file))
        other.execute("ROLLBACK")
    assert dump(file) == before


# --- read-only ------------------------------------------------------------------------------------------------


@pytest.fixture
def share() -> Iterator[Path]:
    """A folder that an ordinary user can reach (pytest's own is its maker's alone)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "data").mkdir()
    yield folder / "data"
    (folder / "data").chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """File modes do not bind root, so root steps down; anybody else stays who they are."""
    if not hasattr(os, "geteuid"):
        pytest.skip("file modes do not bind here")
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("folder_mode", [0o555, 0o755], ids=["folder read-only too", "folder writable by its owner"])
def test_a_read_only_file_is_said(template: Template, share: Path, folder_mode: int) -> None:
    """File and folder may not be written: at the opening or at the first act it is said, and nothing changes."""
    path = share / "study.sqlite"
    shutil.copyfile(template.path, path)
    before = path.read_bytes()
    path.chmod(0o444)
    share.chmod(folder_mode)
    with as_ordinary_user(), pytest.raises(Unavailable) as unavailable:
        pharmacy = Pharmacy(desk_at(path, Clock()), Clock(), path, sessions=dict(template.sessions))
        pharmacy.receive()
    assert_plain(str(unavailable.value))
    assert any(word in str(unavailable.value) for word in ("read-only", "cannot be opened", "permission"))
    assert path.read_bytes() == before


def test_a_file_that_may_not_be_read_is_said(template: Template, share: Path) -> None:
    path = share / "study.sqlite"
    shutil.copyfile(template.path, path)
    path.chmod(0)
    with as_ordinary_user():
        refused_to_open(url_of(path))


def test_a_folder_that_may_not_be_entered_is_said(template: Template, share: Path) -> None:
    shutil.copyfile(template.path, share / "study.sqlite")
    share.chmod(0o600)
    with as_ordinary_user():
        refused_to_open(url_of(share / "study.sqlite"))


def test_a_new_database_in_a_read_only_folder_is_said(share: Path) -> None:
    share.chmod(0o555)
    with as_ordinary_user(), pytest.raises(Unavailable) as unavailable:
        SqlStore.create(url_of(share / "study.sqlite"))
    assert_plain(str(unavailable.value))
    assert list(share.iterdir()) == []


def test_a_connection_turned_read_only_is_said(template: Template, tmp_path: Path) -> None:
    """The driver's own code for 'read-only', whatever made it so."""
    path = tmp_path / "study.sqlite"
    pharmacy = template.copy_to(path)
    pharmacy.stock_up()
    before = dump(path)
    engine = pharmacy.desk.store._engine  # type: ignore[attr-defined]
    engine.dispose()
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only=ON"))
    for do in acts(pharmacy):
        with pytest.raises(Unavailable, match="read-only"):
            do()
    assert dump(path) == before
    pharmacy.desk.store.close()


# --- full disk ------------------------------------------------------------------------------------------------


def test_a_full_disk_is_said_and_the_act_is_undone_whole(template: Template, tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    pharmacy = template.copy_to(path)
    pharmacy.stock_up()
    before = dump(path)
    with raw(path) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    engine = pharmacy.desk.store._engine  # type: ignore[attr-defined]
    limit = {"pages": pages + 8}
    engine.dispose()

    def no_more(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={limit['pages']}")

    event.listen(engine, "connect", no_more)
    big = (LotTyped("1", "A9", "2027-03-31", "500"),)
    for _ in range(3):
        with pytest.raises(Unavailable, match="disk is full") as unavailable:
            pharmacy.receive("S-7", big)
        assert_plain(str(unavailable.value))
        assert dump(path) == before
        pharmacy.assert_sound()
    pharmacy.receive("S-8", (LotTyped("1", "A9", "2027-03-31", "1"),))  # a small act still fits
    pharmacy.assert_sound()
    # space was freed: the same act goes through
    limit["pages"] = pages + 4000
    engine.dispose()
    assert len(pharmacy.receive("S-7", big)) == 500
    pharmacy.assert_sound()
    pharmacy.desk.store.close()


def test_a_full_disk_at_each_page_leaves_all_or_nothing(template: Template, tmp_path: Path) -> None:
    """Wherever in the act the space runs out, the journal has one event more and all of it, or none of it."""
    seen = set()
    for spare in range(0, 30, 3):
        path = tmp_path / f"study-{spare}.sqlite"
        pharmacy = template.copy_to(path)
        before = pharmacy.count()
        with raw(path) as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
        engine = pharmacy.desk.store._engine  # type: ignore[attr-defined]
        engine.dispose()
        pragma = f"PRAGMA max_page_count={pages + spare}"
        event.listen(engine, "connect", lambda connection, _, pragma=pragma: connection.execute(pragma))
        try:
            pharmacy.receive("S-1", (LotTyped("1", "A1", "2027-03-31", "60"),))
        except Unavailable:
            assert (pharmacy.count(), len(pharmacy.vials())) == (before, 0)
            seen.add("none")
        else:
            assert (pharmacy.count(), len(pharmacy.vials())) == (before + 1, 60)
            seen.add("all")
        pharmacy.assert_sound()
        pharmacy.desk.store.close()
    assert seen == {"none", "all"}


@pytest.fixture
def base(template: Template, tmp_path: Path) -> tuple[Path, Pharmacy, dict[str, Any]]:
    """A closed study and the acts that can be done next in it, each the same act however often it is tried."""
    from tests.torture.disk import prepared

    path = tmp_path / "base.sqlite"
    pharmacy = template.copy_to(path)
    acts = prepared(pharmacy)
    pharmacy.desk.store.close()
    return path, pharmacy, acts


@pytest.mark.skipif(os.name != "posix", reason="sizes of files are limited by the system here")
@pytest.mark.parametrize("way", ["pages", "size"])
def test_an_act_refused_at_any_place_is_undone_whole_and_the_same_act_goes_through_later(
    base: tuple[Path, Pharmacy, dict[str, Any]], tmp_path: Path, way: str
) -> None:
    """Receive, reserve, give, count, attach: with so many pages more, or a write cut short within a page."""
    from tests.torture.disk import Fills, by_pages, by_size

    path, pharmacy, acts = base
    fills = Fills()
    if way == "pages":
        by_pages(fills, path, tmp_path, pharmacy.sessions, acts, step=4)
    else:
        by_size(fills, path, tmp_path, pharmacy.sessions, acts, step=31_000)
    assert fills.wrong == []
    assert sum(fills.refused.values()) > 8
    for sentence in fills.said:
        assert_plain(sentence)
