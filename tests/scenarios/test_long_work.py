"""Long prints and long exports: they say how far they are, can be stopped, and say what the journal's bytes say.

The books are those by which the long ones are measured (``tests.benchmarks``), here with few lines. A table or record
that is stopped leaves nothing behind: neither a file nor a paper nor an entry.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pharmacy_app.services import data_export, printing
from pharmacy_app.services.data_export import EXPORTS, ExportForm, export_data
from tests.benchmarks.books import LastWeeks, make_whole, whole_path, whole_people
from tests.benchmarks.exports import FORMATS, SCHEMA, compare
from tests.benchmarks.ledger import store_of
from tests.benchmarks.records import RECORDS, Asked, Made

LINES = 300


@dataclass(frozen=True, slots=True)
class Books:
    """The folder of the books, and what their last weeks left to be printed."""

    folder: Path
    left: LastWeeks

    @property
    def path(self) -> Path:
        """The untouched books, which everything is counted from."""
        return whole_path(LINES, self.folder)


@dataclass(slots=True)
class Told:
    """Hears how far something is; at ``stop_at`` it raises instead."""

    stop_at: int = 0
    heard: list[tuple[int, int]] | None = None

    def __call__(self, done: int, total: int) -> None:
        self.heard = [*(self.heard or []), (done, total)]
        if len(self.heard) == self.stop_at:
            raise Stopped


class Stopped(Exception):
    """What a person's “Stop” raises."""


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    """Some hundred lines, whole doses, and the last weeks with their visit, deviation, count, return, destruction."""
    folder = tmp_path_factory.mktemp("books")
    return Books(folder, make_whole(LINES, folder))


@pytest.fixture
def day(books: Books, tmp_path: Path) -> Iterator[Any]:
    """The people at their desk on a copy of the books."""
    made = whole_people(LINES, books.folder, tmp_path / "copy.sqlite")
    yield made
    store_of(made.desk).close()


@pytest.fixture
def every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told every few hundred lines is told every line."""
    monkeypatch.setattr(printing, "TOLD_EVERY", 1)
    monkeypatch.setattr(data_export, "TOLD_EVERY", 1)


def kept(day: Any) -> tuple[int, int]:
    """How many entries the journal has, and how many papers are kept."""
    with day.desk.store.read() as reader:
        entries = reader.head().seq
        path = reader.connection.engine.url.database
    with sqlite3.connect(path) as bare:
        (papers,) = bare.execute("SELECT count(*) FROM stored_paper").fetchone()
    return entries, papers


TELLING = [name for name, record in RECORDS.items() if record.tells]


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_says_what_the_journals_bytes_say(books: Books, day: Any, name: str) -> None:
    told = Told()
    paper = RECORDS[name].print_one(Asked(day, books.left, books.path, told))
    assert RECORDS[name].check(Made(day, books.left, books.path, paper))


@pytest.mark.usefixtures("every_line")
@pytest.mark.parametrize("name", TELLING)
def test_a_long_record_says_how_far_it_is_and_stopping_it_leaves_nothing(books: Books, day: Any, name: str) -> None:
    before = kept(day)
    with pytest.raises(Stopped):
        RECORDS[name].print_one(Asked(day, books.left, books.path, Told(stop_at=3)))
    assert kept(day) == before
    told = Told()
    RECORDS[name].print_one(Asked(day, books.left, books.path, told))
    assert told.heard is not None
    done = [done for done, _ in told.heard]
    assert done == sorted(done)
    assert len(set(done)) > 3
    assert told.heard[-1][0] == told.heard[-1][1] == max(total for _, total in told.heard)
    assert kept(day) == (before[0] + 1, before[1] + 1)


@pytest.mark.usefixtures("every_line")
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("what", EXPORTS)
def test_an_export_says_how_far_it_is_and_stopping_it_leaves_nothing(
    day: Any, tmp_path: Path, what: str, form: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    before = kept(day)
    asked = ExportForm(what, form, str(out / f"{what}.{form}"))
    with pytest.raises(Stopped):
        export_data(day.desk, day.act("monitor"), asked, tell=Told(stop_at=2))
    assert (kept(day), list(out.iterdir())) == (before, [])
    told = Told()
    made = export_data(day.desk, day.act("monitor"), asked, tell=told)
    assert told.heard is not None
    done, totals = zip(*told.heard, strict=True)
    assert list(done) == sorted(done)
    assert done[0] == 0 < done[-1] == totals[-1]
    assert made.rows
    assert kept(day)[0] == before[0] + 1


@pytest.mark.parametrize("what", EXPORTS)
def test_an_export_reads_back_equal_and_counts_what_the_journals_bytes_hold(
    books: Books, tmp_path: Path, what: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for form in FORMATS:
        # Books of its own for each: what is taken away is an entry, and the next audit trail would have it.
        day = whole_people(LINES, books.folder, tmp_path / f"{form}.sqlite")
        export_data(day.desk, day.act("monitor"), ExportForm(what, form, str(out / f"{what}.{form}")))
        store_of(day.desk).close()
    assert compare(what, books.path, out, SCHEMA)["rows"]
