"""The ledger at 1,000 to 1,000,000 lines: posting, pages, a vial's life, stock, the record, verify, the window.

``python installer/dev.py bench ledger [--lines 1000 100000 1000000] [--keep FOLDER]`` prints a table. Figures are
medians where they can be repeated. Reads are taken in turn from all sizes, with the ratio of processor time to the
smallest; posting and the chain stand beside their floors, taken in turn. The databases are made by
``tests.benchmarks.books``; ``--keep`` leaves them in a folder and finds them there again.
"""

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tests.benchmarks.measure import pairs

if TYPE_CHECKING:
    from db.queries import SqlReader
    from db.store import SqlStore
    from pharmacy_app.demo import DemoDay
    from pharmacy_app.domain.events import Event

SIZES = (1_000, 100_000, 1_000_000)
LOTS = 3
"""Lots of each strength, alike in every size: the answer 'stock by lot and state' is as long as they are many."""

REPEATED = 25


def main(arguments: Sequence[str]) -> None:
    """Measure part by part, and print the table."""
    parser = argparse.ArgumentParser(prog="bench ledger")
    parser.add_argument("--lines", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--keep", type=Path, help="a folder for the databases; those there already are used again")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args(arguments)
    folder = wanted.keep or wanted.folder
    assert folder is not None
    folder.mkdir(parents=True, exist_ok=True)
    table: dict[str, dict[int, str]] = {}

    def keep(lines: int, told: dict[str, str]) -> None:
        for name, words in told.items():
            table.setdefault(name, {})[lines] = words
            sys.stdout.write(f"{lines:>9,}  {name:<58}{words}\n")
        sys.stdout.flush()

    for lines in wanted.lines:
        keep(lines, child("make", [lines], folder)[str(lines)])
    for part in ("reads", "window", "posting", "chain"):
        # Every size in turn in one process: the machine is as noisy for the one as for the other.
        for each, told in child(part, wanted.lines, folder).items():
            keep(int(each), told)
    for part in ("seen", "record", "replay"):
        # A process of its own for each size: its highest memory is that size's alone.
        for lines in wanted.lines:
            keep(lines, child(part, [lines], folder)[str(lines)])
    sys.stdout.write("\n| | " + " | ".join(f"{lines:,} lines" for lines in wanted.lines) + " |\n")
    sys.stdout.write("|---|" + "---:|" * len(wanted.lines) + "\n")
    for name, cells in table.items():
        sys.stdout.write(f"| {name} | " + " | ".join(cells.get(lines, "–") for lines in wanted.lines) + " |\n")


Told = dict[int, dict[str, str]]
"""What was measured, in words, by the number of lines."""


def child(part: str, sizes: Sequence[int], folder: Path) -> dict[str, dict[str, str]]:
    """One part in a process of its own."""
    environment = {**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    code = "import sys; from tests.benchmarks.ledger import run_part; run_part(*sys.argv[1:])"
    command = [sys.executable, "-c", code, part, str(folder), *map(str, sizes)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(f"The part “{part}” of {sizes} lines did not end well.")
    told: dict[str, dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return told


def run_part(part: str, folder: str, *sizes: str) -> None:
    """In the child: measure and tell by JSON."""
    sys.stdout.write(json.dumps(PARTS[part]([int(lines) for lines in sizes], Path(folder))) + "\n")


@dataclass(slots=True)
class Taken:
    """What one question has taken at one size, each time."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)


def in_turn(
    asked: Mapping[int, Callable[[], object]], rounds: int, before: Mapping[int, Callable[[], object]] | None = None
) -> dict[int, str]:
    """The median of every size, asked in turn, and how many times the processor time of the first size it took.

    ``before`` is done each time and not counted.
    """
    taken = {lines: Taken() for lines in asked}
    for each in range(rounds + 2):
        for lines, ask in asked.items():
            if before:
                before[lines]()
            began, cpu = time.perf_counter(), time.process_time()
            ask()
            # The first two fill caches.
            if each > 1:
                taken[lines].seconds.append(time.perf_counter() - began)
                taken[lines].cpu_seconds.append(time.process_time() - cpu)
    smallest = statistics.median(next(iter(taken.values())).cpu_seconds)
    words = {}
    for lines, found in taken.items():
        words[lines] = f"{statistics.median(found.seconds) * 1000:.1f} ms"
        if len(taken) > 1:
            words[lines] += f" (× {statistics.median(found.cpu_seconds) / smallest:.2f})"
    return words


# -- the databases


def path_of(lines: int, folder: Path) -> Path:
    """Where the database of a size lies."""
    return folder / f"ledger-{lines}.sqlite"


def make(sizes: Sequence[int], folder: Path) -> Told:
    """The database: a study set up by the demonstration's people, then made-up events."""
    from pharmacy_app.bootstrap import create_desk, url_of
    from pharmacy_app.demo import MovableClock, set_up
    from tests.benchmarks.books import fill

    (lines,) = sizes
    path = path_of(lines, folder)
    if not path.exists():
        new = path.with_suffix(".new")
        clock = MovableClock(datetime(2016, 1, 4, 15, tzinfo=UTC))
        desk = create_desk(url_of(new), clock=clock)
        set_up(desk, clock)
        fill(store_of(desk), lines, lots=LOTS, shipment=60)
        store_of(desk).close()
        new.rename(path)
    with opened(lines, folder) as (_, reader):
        head = reader.head()
        days = (datetime.fromisoformat(head.recorded_utc) - datetime(2016, 1, 4, tzinfo=UTC)).days
    size = path.stat().st_size / 1_000_000
    return {lines: {"events · days · size": f"{head.seq:,} · {days:,} · {size:,.0f} MB"}}


def store_of(desk: Any) -> "SqlStore":
    """The desk's store, as the one kind there is."""
    from db.store import SqlStore

    assert isinstance(desk.store, SqlStore)
    return desk.store


@contextmanager
def opened(lines: int, folder: Path) -> "Iterator[tuple[SqlStore, SqlReader]]":
    """A size's database, open for reading."""
    from db.store import SqlStore
    from pharmacy_app.bootstrap import url_of

    with SqlStore.open(url_of(path_of(lines, folder))) as store, store.read() as reader:
        yield store, reader


def people(lines: int, folder: Path, path: Path) -> "DemoDay":
    """A copy of a size's database with its people signed in, a day after its last event."""
    from pharmacy_app.bootstrap import open_desk, url_of
    from pharmacy_app.demo import DemoDay, MovableClock
    from pharmacy_app.services.desk import Session

    shutil.copyfile(path_of(lines, folder), path)
    clock = MovableClock(datetime.now(UTC))
    desk = open_desk(url_of(path), clock=clock)
    with desk.store.read() as reader:
        clock.now = datetime.fromisoformat(reader.head().recorded_utc) + timedelta(days=1)
        roles = {str(account.roles[0]): account for account in reader.accounts()}
    sessions = {
        role: Session(account.account_id, account.printed_name, account.roles, "PHARMACY-1", account.user_name)
        for role, account in roles.items()
    }
    return DemoDay(desk, clock, sessions)


# -- posting


class Recorded:
    """Stands where a bare database stands and keeps what it is told, to be timed without what made it."""

    def __init__(self) -> None:
        self.statements: list[tuple[bool, str, Any]] = []

    def execute(self, sql: str, values: Any) -> SimpleNamespace:
        """One row."""
        self.statements.append((False, sql, values))
        return SimpleNamespace(rowcount=1)

    def executemany(self, sql: str, values: Any) -> SimpleNamespace:
        """Many rows."""
        self.statements.append((True, sql, values))
        return SimpleNamespace(rowcount=len(values))


def rows_of(event: "Event") -> list[tuple[bool, str, Any]]:
    """Every statement that the event left behind, ready to be sent."""
    from db.projections import changes_of, replay_changes

    told: Any = Recorded()
    replay_changes(told, changes_of(event))
    body = event.body()
    name, moment = sha256(body).hexdigest(), "2026-01-05T15:00:00.000000Z"
    values = (event.seq, event.act_id, event.kind, event.actor_id, moment, moment, body, name, event.previous_hash)
    return [
        (False, "INSERT INTO journal_event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values),
        (False, "UPDATE journal_head SET seq = ?, hash = ?", (event.seq, name)),
        *told.statements,
    ]


def posting(sizes: Sequence[int], folder: Path) -> Told:
    """Every size one after the other: two files of each are written."""
    return {lines: posted(lines, folder) for lines in sizes}


def posted(lines: int, folder: Path) -> dict[str, str]:
    """One act through form, checks, journal and views; the same rows by the sqlite3 module on a copy of the file."""
    from pharmacy_app.services.ports import VialFilter
    from pharmacy_app.services.stock import QuarantineForm, quarantine

    ours, bare_path = folder / "posting.sqlite", folder / "bare.sqlite"
    shutil.copyfile(path_of(lines, folder), bare_path)
    bare = sqlite3.connect(bare_path, isolation_level=None)
    for (trigger,) in bare.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        bare.execute(f"DROP TRIGGER {trigger}")
    for pragma in ("foreign_keys=ON", "recursive_triggers=ON", "synchronous=FULL"):
        bare.execute(f"PRAGMA {pragma}")
    day = people(lines, folder, ours)
    with day.desk.store.read() as reader:
        vials = reader.vials(
            VialFilter(state="available"), sort="unit_number", descending=False, offset=0, limit=REPEATED * 2 + 2
        )
    units = iter([vial.unit_number for vial in vials])
    left: list[list[tuple[bool, str, Any]]] = []

    def one_act() -> float:
        day.clock.now = day.clock() + timedelta(minutes=1)
        form, act = QuarantineForm((next(units),), "the door stood open"), day.act("pharmacist")
        began = time.perf_counter()
        event = quarantine(day.desk, act, form)
        taken = time.perf_counter() - began
        left.append(rows_of(event))
        return taken

    def same_rows() -> float:
        statements = left.pop()
        began = time.perf_counter()
        bare.execute("BEGIN IMMEDIATE")
        for many, sql, values in statements:
            (bare.executemany if many else bare.execute)(sql, values)
        bare.execute("COMMIT")
        return time.perf_counter() - began

    act, floor, ratio = pairs(one_act, same_rows, rounds=min(REPEATED * 2, len(vials) - 1))
    bare.close()
    store_of(day.desk).close()
    for path in (ours, bare_path):
        for part in folder.glob(path.name + "*"):
            part.unlink()
    return {
        "posting one act (a vial quarantined)": f"{act * 1000:.2f} ms",
        "· the same rows by sqlite3, durable": f"{floor * 1000:.2f} ms",
        "· ratio (at most 3)": f"{ratio:.2f}",
    }


# -- reading


def reads(sizes: Sequence[int], folder: Path) -> Told:
    """Questions as the pages ask them, each a transaction of its own."""
    from pharmacy_app.services.ports import LedgerFilter

    told: Told = {lines: {} for lines in sizes}
    with ExitStack() as stack:
        stores = {lines: stack.enter_context(opened(lines, folder))[0] for lines in sizes}

        def asked(name: str, questions: "dict[int, Callable[[SqlReader], object]]", rounds: int = REPEATED * 3) -> None:
            def asking(lines: int) -> Callable[[], object]:
                def ask() -> object:
                    with stores[lines].read() as reader:
                        return questions[lines](reader)

                return ask

            for lines, words in in_turn({lines: asking(lines) for lines in sizes}, rounds).items():
                told[lines][name] = words

        def page(wanted: LedgerFilter, part: float) -> "dict[int, Callable[[SqlReader], object]]":
            def question(reader: "SqlReader") -> object:
                found = reader.count_ledger(wanted)
                return reader.ledger(wanted, offset=int(max(found - 100, 0) * part), limit=100)

            return dict.fromkeys(sizes, question)

        rows, units = {}, {}
        for lines, store in stores.items():
            with store.read() as reader:
                rows[lines] = len(reader.stock())
                units[lines] = five_lines(reader)
        asked("stock by lot and state", dict.fromkeys(sizes, lambda reader: reader.stock()))
        for lines in sizes:
            told[lines]["stock by lot and state"] += f", {rows[lines]} rows"

        def life(unit: str) -> "Callable[[SqlReader], object]":
            return lambda reader: reader.vial_life(unit)

        asked("a vial's history of five lines", {lines: life(units[lines]) for lines in sizes})
        asked("ledger page: newest 100 lines", page(LedgerFilter(), 1))
        asked("ledger page: jump to the middle", page(LedgerFilter(), 0.5))
        asked("ledger page: jump to the other end", page(LedgerFilter(), 0))
        asked(
            "· record lines of 1 mg only, the middle", page(LedgerFilter(strength_mg=Decimal(1), record_only=True), 0.5)
        )
        asked("· one place, the middle", page(LedgerFilter(place="Refrigerator 2"), 0.5))
        asked("· a text that is nowhere (reads all lines)", page(LedgerFilter(text="nowhere"), 1), rounds=3)
        journal = dict.fromkeys(
            sizes, lambda reader: reader.events(kind="", text="", offset=reader.head().seq // 2, limit=100)
        )
        asked("journal: jump to the middle", journal)
    return told


def five_lines(reader: "SqlReader") -> str:
    """A vial near the middle of the ledger that has stood on five lines."""
    from pharmacy_app.services.ports import LedgerFilter

    total = reader.count_ledger(LedgerFilter())
    for page in range(total // 2, total, 100):
        for line in reader.ledger(LedgerFilter(), offset=page, limit=100):
            for unit in line.units:
                life = reader.vial_life(unit)
                if life is not None and len(life.lines) == 5:
                    return unit
    raise AssertionError("no vial has stood on five lines")


def peak_mib() -> str:
    """The highest memory of this process."""
    import resource

    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"


def record(sizes: Sequence[int], folder: Path) -> Told:
    """The accountability record of 1 mg, printed as an act: its lines stream, its pages are kept until it is whole."""
    from pharmacy_app.services.ports import LedgerFilter
    from pharmacy_app.services.printing import RecordForm, print_accountability_record

    (lines,) = sizes
    path = folder / "record.sqlite"
    day = people(lines, folder, path)
    with day.desk.store.read() as reader:
        count = reader.count_ledger(LedgerFilter(strength_mg=Decimal(1), record_only=True))
    began = time.perf_counter()
    printed = print_accountability_record(day.desk, day.act("pharmacist"), RecordForm("1"))
    seconds = time.perf_counter() - began
    pages = printed.event.content["papers"][0]["pages"]
    store_of(day.desk).close()
    for part in folder.glob(path.name + "*"):
        part.unlink()
    words = f"{seconds:.1f} s, {pages:,} pages, {seconds / count * 1000:.2f} ms a line"
    return {lines: {"accountability record of 1 mg": words, "· highest memory of the record": peak_mib()}}


def chain(sizes: Sequence[int], folder: Path) -> Told:
    """The first part of verify, by stopping it at the end of that; each size beside its floor, in turn."""
    return {lines: chained(lines, folder) for lines in sizes}


class Enough(Exception):
    """Stops verify after its first part."""


def chained(lines: int, folder: Path) -> dict[str, str]:
    """Events hashed and followed in a second, and those merely read and hashed."""
    with opened(lines, folder) as (store, reader):
        events = reader.head().seq

        def stop(done: int, _total: int) -> None:
            if done >= events:
                raise Enough

        def ours() -> float:
            began = time.perf_counter()
            try:
                store.verify(stop)
            except Enough:
                return time.perf_counter() - began
            raise AssertionError("verify told nothing of its first part")

        took, floor, ratio = pairs(ours, lambda: read_and_hash(path_of(lines, folder)), rounds=5)
    return {
        "verify, the chain": f"{events / took:,.0f} events/s",
        "· SHA-256 of the same bytes and reading them": f"{events / floor:,.0f} events/s",
        "· ratio (at most 3, or 100,000 events/s)": f"{ratio:.2f}",
    }


def read_and_hash(path: Path) -> float:
    """The floor: every stored byte read and hashed."""
    raw = sqlite3.connect(path)
    began = time.perf_counter()
    for (body,) in raw.execute("SELECT body FROM journal_event ORDER BY seq"):
        sha256(body).digest()
    taken = time.perf_counter() - began
    raw.close()
    return taken


def replay(sizes: Sequence[int], folder: Path) -> Told:
    """Verify as a person runs it, both parts."""
    (lines,) = sizes
    with opened(lines, folder) as (store, _):
        began = time.perf_counter()
        found = store.verify()
        whole = time.perf_counter() - began
    assert found.sound, found.trouble
    words = f"{whole:,.0f} s, {found.replayed / whole:,.0f} events/s"
    return {lines: {"verify, chain and replay": words, "· highest memory of verify": peak_mib()}}


def window(sizes: Sequence[int], folder: Path) -> Told:
    """The ledger page as the window opens it: the first rows painted, and the last after a jump to the end."""
    from PySide6.QtWidgets import QApplication

    application = QApplication([])
    desks = [Shown(lines, folder, application) for lines in sizes]
    opening = in_turn({shown.lines: shown.open for shown in desks}, REPEATED // 3)
    opened_before = {shown.lines: shown.open for shown in desks}
    jumping = in_turn({shown.lines: shown.jump for shown in desks}, REPEATED // 3, opened_before)
    for shown in desks:
        shown.end()
    return {
        lines: {
            "window: ledger page opened, first rows painted": opening[lines],
            "window: jump to the last line, painted": jumping[lines],
        }
        for lines in sizes
    }


def seen(sizes: Sequence[int], folder: Path) -> Told:
    """The highest memory of a process that opens the page once and jumps to its end."""
    from PySide6.QtWidgets import QApplication

    (lines,) = sizes
    shown = Shown(lines, folder, QApplication([]))
    shown.open()
    shown.jump()
    shown.end()
    return {lines: {"· highest memory of the window": peak_mib()}}


class Shown:
    """The ledger page of one size in a window of its own."""

    def __init__(self, lines: int, folder: Path, application: Any) -> None:
        from PySide6.QtCore import QObject

        from ui.bridge import Bridge
        from ui.messages import MessageBridge
        from ui.office import Office

        self.lines, self._application = lines, application
        self._path = folder / f"window-{lines}.sqlite"
        self._day = people(lines, folder, self._path)
        with self._day.desk.store.read() as reader:
            site = reader.site()
        assert site is not None
        self._root, self._bridge = QObject(), Bridge()
        session = self._day.sessions["pharmacist"]
        self._office = Office(self._day.desk, site, session, self._bridge, MessageBridge(), self._root)
        self._page: Any = None

    def _until(self, ready: Callable[[], bool]) -> None:
        from PySide6.QtCore import QEventLoop

        began = time.perf_counter()
        while not ready():
            self._application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
            assert time.perf_counter() - began < 600, "the page did not come"

    def open(self) -> None:
        """Make the page, show it, and wait until its first rows stand there."""
        from ui.pages.ledger import LedgerPage

        self._close()
        page = self._page = LedgerPage(self._office)
        page.resize(1180, 780)
        page.show()
        page.refresh()
        self._until(lambda: page.model.rowCount() > 0 and page.model.row_object(0) is not None)
        page.table.viewport().repaint()
        self._until(lambda: not self._bridge.busy)

    def jump(self) -> None:
        """From the top of a page just opened to its last line."""
        page = self._page
        page.table.scrollToBottom()
        last = page.model.rowCount() - 1
        self._until(lambda: page.model.row_object(last) is not None)
        page.table.viewport().repaint()

    def _close(self) -> None:
        from PySide6.QtCore import QEvent

        self._until(lambda: not self._bridge.busy)
        if self._page is not None:
            self._page.close()
            self._page.deleteLater()
            self._page = None
            self._application.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    def end(self) -> None:
        """Close the page and remove the copy."""
        self._close()
        self._bridge.close()
        store_of(self._day.desk).close()
        for part in self._path.parent.glob(self._path.name + "*"):
            part.unlink()


PARTS: dict[str, Callable[[Sequence[int], Path], Told]] = {
    "make": make,
    "posting": posting,
    "reads": reads,
    "window": window,
    "seen": seen,
    "chain": chain,
    "replay": replay,
    "record": record,
}
