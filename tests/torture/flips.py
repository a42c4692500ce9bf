"""Every stored byte turned over, one at a time: is it found?

At the first level a byte of a value is changed by SQL, with the triggers taken away, and ``verify`` is asked. At the
second level a byte of the file itself is changed: then either the file is refused, or ``verify`` finds it, or a full
dump of everything stored shows that nothing stored has changed.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from db import schema
from db.store import SqlStore
from pharmacy_app.bootstrap import url_of
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.counts import CountForm, record_count
from pharmacy_app.services.periods import PeriodForm, sign_period
from tests.services.pharmacy import Pharmacy

RECORD = ("journal_event", "journal_head", "credential", "stored_paper")
MARKS = ("study_mark", "alembic_version")
"""Tables that are looked at when the database is opened, before anything is verified."""
VIEWS = tuple(table.name for table in schema.views.sorted_tables)
TABLES = (*RECORD, *MARKS, *VIEWS)

NAMED = "found, event or table named"
FOUND = "found"
NOT_STORED = "refused by the database, so it cannot be stored"
NOT_OPENED = "the file is refused at opening"
DAMAGED = "verify is told that the file is damaged"
MENDED = "mended at opening: the tables are made again from the journal"
UNREAD = "changes nothing that is stored"
MISSED = "MISSED"
CRASHED = "CRASHED"


@dataclass(slots=True)
class Tally:
    """What came of each byte, by table (or kind of page), and where something was missed."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def add(self, where: str, outcome: str, detail: str) -> None:
        """Count one byte."""
        self.counts.setdefault(where, Counter())[outcome] += 1
        if outcome in (MISSED, CRASHED):
            self.missed.append(f"{outcome}: {where}: {detail}")

    @property
    def total(self) -> Counter[str]:
        """All of it together."""
        return sum(self.counts.values(), Counter())


def small_study(pharmacy: Pharmacy) -> None:
    """A dose with its error, a correction, a count with a difference, a signed period, papers: a row of each kind."""
    units = pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("released")
    pharmacy.give(dose_id, "1.2")
    pharmacy.close(dose_id)
    measured = next(event for event in pharmacy.events() if event.kind == "measurement_recorded")
    form = CorrectForm(measured.seq, "read wrong", (("weight", "72"),))
    correct(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"))
    counted = CountForm("Refrigerator 1", pharmacy.count(), codes=tuple(units[3:]))
    record_count(pharmacy.desk, pharmacy.act("tim"), counted, pharmacy.sign("tim"), pharmacy.sign("carla"))
    pharmacy.permission()
    pharmacy.clock.forward(days=1)
    through = PeriodForm(pharmacy.day(-1))
    sign_period(pharmacy.desk, pharmacy.act("mona"), through, pharmacy.sign("mona"))
    pharmacy.assert_sound()


# --- values, by SQL


@dataclass(frozen=True, slots=True)
class Value:
    """One stored value: its table and column, its row, and the event that the row is, if it is one."""

    table: str
    column: str
    rowid: int
    value: str | bytes | int | None
    seq: int | None
    is_rowid: bool

    def turned(self) -> Iterator[tuple[int, str | bytes | int]]:
        """The value with each of its bytes changed in turn, one bit of it, another bit at each place."""
        if isinstance(self.value, int):
            size = _width(self.value)
            stored = self.value.to_bytes(size, "big", signed=True)
        else:
            stored = self.value.encode() if isinstance(self.value, str) else self.value or b""
        for at in range(len(stored)):
            turned = stored[:at] + bytes([stored[at] ^ (1 << (at % 8))]) + stored[at + 1 :]
            yield at, int.from_bytes(turned, "big", signed=True) if isinstance(self.value, int) else turned

    @property
    def expression(self) -> str:
        """How the changed bytes are put into SQL, so that they keep the value's type."""
        return "CAST(? AS TEXT)" if isinstance(self.value, str) else "?"


def _width(value: int) -> int:
    """How many bytes SQLite keeps an integer in."""
    return next(size for size in (1, 2, 3, 4, 6, 8) if -(1 << (8 * size - 1)) <= value < 1 << (8 * size - 1))


def values_of(raw: sqlite3.Connection, tables: tuple[str, ...] = TABLES) -> Iterator[Value]:
    """Every value of these tables."""
    for table in tables:
        facts = raw.execute(f"PRAGMA table_info({table})").fetchall()
        columns = [name for _, name, *_ in facts]
        keys = [name for _, name, kind, *_, key in facts if key and kind == "INTEGER"]
        alias = keys[0] if len(keys) == 1 and sum(1 for *_, key in facts if key) == 1 else ""
        quoted = ", ".join(f'"{column}"' for column in columns)
        rows = raw.execute(f"SELECT rowid, {quoted} FROM {table} ORDER BY rowid").fetchall()
        for rowid, *row in rows:
            seq = row[columns.index("seq")] if table == "journal_event" else None
            for column, value in zip(columns, row, strict=True):
                yield Value(table, column, rowid, value, seq, column == alias)


def unguarded(path: Path) -> sqlite3.Connection:
    """Another program's hands on the file: no triggers, no checks, nothing waited for."""
    raw = sqlite3.connect(path, isolation_level=None)
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f'DROP TRIGGER "{name}"')
    for setting in ("ignore_check_constraints=ON", "foreign_keys=OFF", "synchronous=OFF"):
        raw.execute(f"PRAGMA {setting}")
    return raw


def flip_values(
    path: Path,
    tables: tuple[str, ...] = TABLES,
    *,
    every: int = 1,
    first: int = 0,
    rows: dict[str, set[int]] | None = None,
) -> Tally:
    """Turn each ``every``-th byte of these tables' values over, from the ``first`` on; the file is left as it was.

    ``rows`` chooses rows of a table by their rowid; a table that is not named in it is taken whole.
    """
    tally, number = Tally(), -1
    with closing(unguarded(path)) as raw, SqlStore.open(url_of(path), guarded=False) as store:
        before = dump(path)
        assert _found(store) == "", "the study is not sound to begin with"
        for value in list(values_of(raw, tables)):
            if rows is not None and value.table in rows and value.rowid not in rows[value.table]:
                continue
            for at, turned in value.turned():
                number += 1
                if number % every != first:
                    continue
                place = f"{value.column} of row {value.rowid}, byte {at}"
                tally.add(value.table, _one(path, raw, store, value, turned, before), place)
        assert _found(store) == "", f"a byte was not put back: {_found(store)[:300]}"
    assert dump(path) == before
    return tally


def _one(
    path: Path, raw: sqlite3.Connection, store: SqlStore, value: Value, turned: str | bytes | int, before: str
) -> str:
    change = f'UPDATE {value.table} SET "{value.column}" = {value.expression} WHERE rowid = ?'
    try:
        assert raw.execute(change, (turned, value.rowid)).rowcount == 1
    except sqlite3.IntegrityError:
        return NOT_STORED
    rowid = turned if value.is_rowid else value.rowid
    try:
        return _opened(path, before) if value.table in MARKS else _verified(store, value)
    finally:
        raw.execute(f'UPDATE {value.table} SET "{value.column}" = ? WHERE rowid = ?', (value.value, rowid))


def _verified(store: SqlStore, value: Value) -> str:
    try:
        found = _found(store)
    except Exception:  # a verification that breaks off is what is looked for
        return CRASHED
    if not found:
        return MISSED
    return NAMED if f"vent {value.seq}" in found or f"“{value.table}”" in found else FOUND


def _found(store: SqlStore) -> str:
    """What verifying finds, beside the triggers, which are gone."""
    trouble = store.verify().trouble
    return "" if "refuses changes" in trouble else trouble


def _opened(path: Path, before: str) -> str:
    """What opening a copy makes of a changed mark."""
    copy = path.with_name("opened.sqlite")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    try:
        SqlStore.open(url_of(copy), guarded=False).close()
    except Unavailable:
        return NOT_OPENED
    finally:
        same = _dump_or_none(copy, without_triggers=True) == before
        _remove(copy)
    return MENDED if same else MISSED


# --- bytes of the file


def dump(path: Path, *, without_triggers: bool = True) -> str:
    """A fingerprint of all that is stored: every row of every table as it lies, and as each index finds it."""
    seen = sha256()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as raw:
        raw.text_factory = bytes
        shape = raw.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        if without_triggers:
            shape = [row for row in shape if row[0] != b"trigger"]
        seen.update(repr((shape, raw.execute("PRAGMA application_id").fetchone())).encode())
        for kind, name, table, _ in shape:
            if kind == b"table":
                asked = f"SELECT rowid, * FROM {name.decode()} NOT INDEXED ORDER BY rowid"
            elif kind == b"index":
                parts = raw.execute(f'PRAGMA index_info("{name.decode()}")')
                # A byte of its definition can make a column of an index an expression, which has no name.
                columns = [f'"{row[2].decode()}"' for row in parts if row[2] is not None]
                order = ", ".join([*columns, "rowid"])
                asked = f'SELECT {order} FROM {table.decode()} INDEXED BY "{name.decode()}" ORDER BY {order}'
            else:
                continue
            seen.update(name + repr(raw.execute(asked).fetchall()).encode())
    return seen.hexdigest()


def _dump_or_none(path: Path, *, without_triggers: bool) -> str | None:
    try:
        return dump(path, without_triggers=without_triggers)
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
        path.with_name(name).unlink(missing_ok=True)


def pages_of(path: Path) -> dict[int, str]:
    """The file's pages by number (from 1), each with what it holds: 'a table', its indexes, or nothing."""
    with closing(sqlite3.connect(path)) as raw:
        tables = dict(raw.execute("SELECT name, tbl_name FROM sqlite_master"))
        kinds = dict(raw.execute("SELECT name, type FROM sqlite_master"))
        (count,) = raw.execute("PRAGMA page_count").fetchone()
        held = {page: (name, kind) for name, page, kind in raw.execute("SELECT name, pageno, pagetype FROM dbstat")}
    said = {}
    for page in range(1, count + 1):
        name, _ = held.get(page, ("", ""))
        table = tables.get(name, name)
        said[page] = f"{table} (index)" if kinds.get(name) == "index" else table or "free"
    return said


def flip_file(path: Path, tables: tuple[str, ...] = TABLES, *, every: int = 1, first: int = 0) -> Tally:
    """Turn each ``every``-th byte of the pages that hold these tables and their indexes; works on a copy."""
    tally = Tally()
    image = path.read_bytes()
    size = int.from_bytes(image[16:18], "big")
    before = dump(path, without_triggers=False)
    with SqlStore.open(url_of(path)) as store:
        assert store.verify().sound, "the study is not sound to begin with"
    copy = path.with_name("flipped.sqlite")
    wanted = {"sqlite_schema", *tables}
    number = -1
    for page, said in pages_of(path).items():
        if said.removesuffix(" (index)") not in wanted:
            continue
        for at in range((page - 1) * size, page * size):
            number += 1
            if number % every != first:
                continue
            copy.write_bytes(image[:at] + bytes([image[at] ^ (1 << (at % 8))]) + image[at + 1 :])
            tally.add(said, _one_of_file(copy, before), f"byte {at} (page {page})")
            _remove(copy)
    return tally


def _one_of_file(copy: Path, before: str) -> str:
    if _dump_or_none(copy, without_triggers=False) == before:
        return UNREAD
    opened = False
    try:
        with SqlStore.open(url_of(copy)) as store:
            opened = True
            if not store.verify().sound:
                return FOUND
    except Unavailable:
        return DAMAGED if opened else NOT_OPENED
    except Exception:  # a program that breaks off without a sentence is what is looked for
        return CRASHED
    # Opening may have made the tables again from the journal.
    return MENDED if _dump_or_none(copy, without_triggers=False) == before else MISSED


def lines_of(tally: Tally) -> list[str]:
    """The tally as lines of a table."""
    kinds = sorted(tally.total)
    lines = [f"| | {' | '.join(kinds)} | together |", f"|---|{'---:|' * (len(kinds) + 1)}"]
    for where, counts in sorted(tally.counts.items()):
        lines.append(f"| {where} | {' | '.join(f'{counts[kind]:,}' for kind in kinds)} | {counts.total():,} |")
    total = tally.total
    lines.append(f"| together | {' | '.join(f'{total[kind]:,}' for kind in kinds)} | {total.total():,} |")
    return lines
