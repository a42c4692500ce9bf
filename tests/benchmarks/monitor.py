"""The monitor's desk on a long journal: opening a visit, what changed since, choosing, verifying, signing, behind.

``python -m tests.benchmarks.monitor [--lines 1000 100000] [--keep FOLDER]`` makes the ledgers (as ``bench ledger``
does), and prints a table. Each question is asked as the page asks it, a transaction of its own, in turn with its floor:
the same rows by the sqlite3 module, from the same file, a page's bodies read as JSON there too; figures are medians.
Acts are done once, on a copy of the file; their floor is the same rows written by the sqlite3 module, durably.
"""

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.ledger import make, people, rows_of, store_of

if TYPE_CHECKING:
    from pharmacy_app.demo import DemoDay
    from pharmacy_app.domain.events import Event
    from pharmacy_app.services.ports import Reader, ReviewFilter
    from pharmacy_app.services.views import VisitLine

SIZES = (1_000, 100_000)
ROUNDS = 7
PAGE = 100
QUERIES = 200
"""Queries that stand open: more than a site of one trial will ever have."""

Ours = Callable[["Reader"], object]
Bare = Callable[[sqlite3.Connection], object]


def main(arguments: Sequence[str]) -> None:
    """Make the ledgers, measure size by size, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--keep", type=Path, help="a folder for the databases; those there already are used again")
    parser.add_argument("--only", default="", help="only what has this in its name")
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = wanted.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        table: dict[str, dict[int, tuple[str, float]]] = {}
        for lines in wanted.lines:
            make([lines], folder)
            for what, words, seconds in measured(lines, folder, wanted.only):
                table.setdefault(what, {})[lines] = (words, seconds)
                sys.stdout.write(f"{lines:>9,}  {what:<62}{words}\n")
                sys.stdout.flush()
    sys.stdout.write("\n| | " + " | ".join(f"{lines:,} lines" for lines in wanted.lines) + " |\n")
    sys.stdout.write("|---|" + "---:|" * len(wanted.lines) + "\n")
    for what, cells in table.items():
        sys.stdout.write(f"| {what} | " + " | ".join(cells.get(each, ("–", 0))[0] for each in wanted.lines) + " |\n")


@dataclass(slots=True)
class Taken:
    """What ours and its floor have taken, each time."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    def words(self) -> str:
        """``12.3 ms, floor 4.1 ms (× 3.0)``."""
        ours, bare = statistics.median(self.ours), statistics.median(self.bare)
        return f"{say(ours)}, floor {say(bare)} (× {ours / bare:.1f})"


def say(seconds: float) -> str:
    """A time in the unit that suits it."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


@contextmanager
def desk_of(lines: int, folder: Path) -> "Iterator[tuple[DemoDay, Path]]":
    """A copy of a size's database with its people, gone afterwards."""
    path = folder / f"monitor-{lines}.sqlite"
    day = people(lines, folder, path)
    try:
        yield day, path
    finally:
        store_of(day.desk).close()
        for part in folder.glob(path.name + "*"):
            part.unlink()


def measured(lines: int, folder: Path, only: str) -> "Iterator[tuple[str, str, float]]":
    """Everything of one size: what it is, the words for the table, and the seconds."""
    with desk_of(lines, folder) as (day, path), closing(sqlite3.connect(path)) as bare:
        number = planned(day)
        act, floor = acted(day, bare, lambda: opened(day, number))
        yield "opening the visit (an act)", f"{say(act)}, floor {say(floor)} (× {act / floor:.1f})", act
        asked(day)
        for what, ours, floor_of in questions(day, bare, number):
            if only in what:
                taken = in_turn(day, bare, ours, floor_of)
                yield what, taken.words(), statistics.median(taken.ours)
        for what, words, seconds in acts(day, bare, number):
            if only in what:
                yield what, words, seconds


def in_turn(day: "DemoDay", bare: sqlite3.Connection, ours: Ours, floor: Bare) -> Taken:
    """Ask both, one after the other; the first time fills caches and is left out. A slow one is asked less often."""
    taken = Taken()
    for each in range(ROUNDS + 1):
        began = time.perf_counter()
        with day.desk.store.read() as reader:
            ours(reader)
        between = time.perf_counter()
        floor(bare)
        if each:
            taken.ours.append(between - began)
            taken.bare.append(time.perf_counter() - between)
        if sum(taken.ours) > 5 and each > 2:
            break
    return taken


# -- acts


def acted(day: "DemoDay", bare: sqlite3.Connection, act: "Callable[[], Event]") -> tuple[float, float]:
    """Seconds of an act, and of writing its rows into a copy of the file, durably."""
    day.clock.now = day.clock() + timedelta(minutes=1)
    database = bare.execute("PRAGMA database_list").fetchone()[2]
    with tempfile.TemporaryDirectory(dir=Path(database).parent) as name:
        copied = Path(name) / "bare.sqlite"
        with closing(sqlite3.connect(copied)) as target:
            bare.backup(target)
        began = time.perf_counter()
        event = act()
        ours = time.perf_counter() - began
        with closing(sqlite3.connect(copied, isolation_level=None)) as target:
            for (trigger,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                target.execute(f"DROP TRIGGER {trigger}")
            target.execute("PRAGMA synchronous=FULL")
            statements = rows_of(event)
            began = time.perf_counter()
            target.execute("BEGIN IMMEDIATE")
            for many, sql, values in statements:
                (target.executemany if many else target.execute)(sql, values)
            target.execute("COMMIT")
            return ours, time.perf_counter() - began


def planned(day: "DemoDay") -> str:
    """A visit of today; returns its number."""
    from pharmacy_app.services.visits import PlanForm, plan_visit

    with day.desk.store.read() as reader:
        monitor = next(each for each in reader.accounts() if "monitor" in map(str, each.roles))
    today = day.day()
    form = PlanForm(monitor.user_name, today, today, "routine visit")
    return str(plan_visit(day.desk, day.act("monitor"), form).content["visit"])


def opened(day: "DemoDay", number: str) -> "Event":
    """Open it."""
    from pharmacy_app.services.visits import OpenVisitForm, open_visit

    return open_visit(day.desk, day.act("monitor"), OpenVisitForm(number))


def asked(day: "DemoDay") -> None:
    """Queries on entries here and there."""
    from pharmacy_app.services.queries import QueryForm, open_query

    with day.desk.store.read() as reader:
        last = reader.head().seq
    for at in range(QUERIES):
        form = QueryForm(f"Question {at}: who checked this?", entry=str(last // 2 + at))
        open_query(day.desk, day.act("monitor"), form)


def acts(day: "DemoDay", bare: sqlite3.Connection, number: str) -> "Iterator[tuple[str, str, float]]":
    """Verifying as many entries as one act takes, and signing the visit."""
    from pharmacy_app.services.ports import QueryFilter
    from pharmacy_app.services.reviews import MOST_AT_ONCE, VerifyForm, seen, verify_entries
    from pharmacy_app.services.visits import SignVisitForm, changed_since, sign_visit, visit_of

    with day.desk.store.read() as reader:
        wanted = replace(changed_since(visit_of(reader, number)), status="unverified")
        entries = reader.review_entries(wanted, by_risk=True, offset=0, limit=MOST_AT_ONCE)
    form = VerifyForm(number, seen(entries))
    act, floor = acted(day, bare, lambda: verify_entries(day.desk, day.act("monitor"), form))
    words = f"{say(act)}, floor {say(floor)} (× {act / floor:.1f})"
    yield f"verifying {len(entries)} entries in one act", words, act
    with day.desk.store.read() as reader:
        assert reader.count_verified_in(number) == len(entries)
        assert reader.count_queries(QueryFilter()) == QUERIES
    summary = SignVisitForm(number, "read")
    own = day.sign("monitor")
    act, floor = acted(day, bare, lambda: sign_visit(day.desk, day.act("monitor"), summary, own))
    words = f"{say(act)}, floor {say(floor)} (× {act / floor:.1f})"
    yield "signing the visit (an act, with the password)", words, act


# -- questions


def questions(day: "DemoDay", bare: sqlite3.Connection, number: str) -> "Iterator[tuple[str, Ours, Bare]]":
    """Each question with its floor."""
    from pharmacy_app.services.visits import changed_since, visit_of

    with day.desk.store.read() as reader:
        visit = visit_of(reader, number)
    changed = changed_since(visit)
    yield from of_the_visit(visit, changed)
    yield from chosen_by(bare, changed)
    yield from of_queries()
    yield from behind_numbers(day, bare)


def page_of(wanted: "ReviewFilter", part: float = 0) -> Ours:
    """A page of the review and how many there are, as the list asks for them: the first one, or further on."""

    def ask(reader: "Reader") -> object:
        total = reader.count_review_entries(wanted)
        offset = int(max(total - PAGE, 0) * part)
        return reader.review_entries(wanted, by_risk=True, offset=offset, limit=PAGE)

    return ask


def bare_page(where: str, *values: object, order: str = "risk DESC, event_seq DESC", offset: str = "0") -> Bare:
    """The same entries: their rows of the review, their bodies read, and how many there are."""

    def ask(connection: sqlite3.Connection) -> object:
        found = connection.execute(
            f"SELECT * FROM review WHERE {where} ORDER BY {order} LIMIT {PAGE} OFFSET {offset}", values
        ).fetchall()
        bodies = [
            json.loads(connection.execute("SELECT body FROM journal_event WHERE seq = ?", (row[0],)).fetchone()[0])
            for row in found
        ]
        return bodies, connection.execute(f"SELECT count(*) FROM review WHERE {where}", values).fetchone()

    return ask


def of_the_visit(visit: "VisitLine", changed: "ReviewFilter") -> "Iterator[tuple[str, Ours, Bare]]":
    """What stands on the page of an open visit."""
    from pharmacy_app.services.reviews import progress
    from pharmacy_app.services.visits import visit_sample, visit_so_far

    mine = visit.monitor_id
    yield (
        "how far the review is",
        lambda reader: progress(reader, visit),
        lambda connection: connection.execute(
            "SELECT count(*), sum(verified_seq > touched_seq), sum(verified_seq = 0), sum(risk > 0) FROM review"
            " WHERE actor_id <> ?",
            (mine,),
        ).fetchone(),
    )
    yield (
        "its sample",
        lambda reader: visit_sample(reader, visit),
        lambda connection: connection.execute(
            "SELECT event_seq, risk FROM review WHERE actor_id <> ? ORDER BY event_seq", (mine,)
        ).fetchall(),
    )
    first = bare_page("actor_id <> ?", mine)
    yield "what changed since: the gravest 100", page_of(changed), first
    last = bare_page("actor_id <> ?", mine, order="risk, event_seq")
    yield "· the last 100", page_of(changed, 1), last
    yield "· the 100 in the middle", page_of(changed, 0.5), first
    yield "· to verify", page_of(replace(changed, status="unverified")), first
    risky = bare_page("risk > 0 AND actor_id <> ?", mine)
    yield "· with a reason", page_of(replace(changed, with_reason=True)), risky
    late = bare_page("reasons LIKE '%late entry%' AND actor_id <> ?", mine)
    yield "· late entries", page_of(replace(changed, reason="late entry")), late
    yield (
        "what would be signed now",
        lambda reader: visit_so_far(reader, visit),
        lambda connection: connection.execute(
            "SELECT event_seq, verified_seq, touched_seq, risk FROM review WHERE actor_id <> ? ORDER BY event_seq",
            (mine,),
        ).fetchall(),
    )


def chosen_by(bare: sqlite3.Connection, changed: "ReviewFilter") -> "Iterator[tuple[str, Ours, Bare]]":
    """Entries by vial, dose, subject, lot, place and days."""

    def one(sql: str) -> Any:
        return bare.execute(sql).fetchone()[0]

    unit = one("SELECT unit_number FROM vial WHERE state = 'destroyed' ORDER BY unit_number DESC LIMIT 1")
    dose = one("SELECT dose_id FROM dose ORDER BY dose_id DESC LIMIT 1")
    subject = one("SELECT subject_number FROM dose ORDER BY dose_id DESC LIMIT 1")
    lot = one("SELECT lot FROM vial ORDER BY unit_number DESC LIMIT 1")
    place = one("SELECT place FROM vial ORDER BY unit_number DESC LIMIT 1")
    last = one("SELECT max(done_utc) FROM review")
    on_vial = "event_seq IN (SELECT event_seq FROM ledger_vial WHERE unit_number = ?)"
    on_thing = "event_seq IN (SELECT event_seq FROM review_about WHERE about = ?)"
    of_doses = "event_seq IN (SELECT event_seq FROM review_about JOIN dose ON about = dose_id WHERE subject_number = ?)"
    on_line = "event_seq IN (SELECT event_seq FROM ledger_line WHERE {} = ?)"
    yield "chosen by a vial", page_of(replace(changed, about=unit)), bare_page(on_vial, unit)
    yield "· by a dose", page_of(replace(changed, about=dose)), bare_page(on_thing, dose)
    yield "· by a subject", page_of(replace(changed, about=subject)), bare_page(of_doses, subject)
    yield "· by a lot", page_of(replace(changed, about=f"lot {lot}")), bare_page(on_line.format("lot"), lot)
    by_place = replace(changed, about=f"place {place}")
    yield "· by a place", page_of(by_place), bare_page(on_line.format("place"), place)
    day = last[:10]
    by_day = replace(changed, from_utc=day)
    yield "· by days: the last one", page_of(by_day), bare_page("done_utc >= ?", day)


def of_queries() -> "Iterator[tuple[str, Ours, Bare]]":
    """Queries, and what is reconciled."""
    from pharmacy_app.domain.vials import numbered
    from pharmacy_app.services.ports import QueryFilter, ReconciledFilter
    from pharmacy_app.services.visits import NOT_CLOSED

    waiting = QueryFilter(NOT_CLOSED)
    every = "SELECT * FROM query WHERE status <> 'closed' ORDER BY event_seq"
    yield (
        f"queries that wait ({QUERIES})",
        lambda reader: reader.queries(waiting, offset=0, limit=1_000_000),
        lambda connection: connection.execute(every).fetchall(),
    )
    for name, touching in (
        ("a vial", QueryFilter(NOT_CLOSED, touching=(numbered("V", 1),))),
        ("a subject", QueryFilter(NOT_CLOSED, touching=("000-001",))),
    ):
        yield (
            f"queries on {name}, for its own page",
            partial(lambda wanted, reader: reader.queries(wanted, offset=0, limit=1_000_000), touching),
            lambda connection: connection.execute(every).fetchall(),
        )
    units = ReconciledFilter()
    yield (
        "reconciled: the first 100 and how many",
        lambda reader: (reader.reconciled(units, offset=0, limit=PAGE), reader.count_reconciled(units)),
        lambda connection: (
            connection.execute(
                "SELECT * FROM vial WHERE state IN ('empty', 'partial', 'broken', 'returned', 'destroyed')"
                f" ORDER BY unit_number LIMIT {PAGE}"
            ).fetchall(),
            connection.execute(
                "SELECT count(*) FROM vial WHERE state IN ('empty', 'partial', 'broken', 'returned', 'destroyed')"
            ).fetchone(),
        ),
    )


def behind_numbers(day: "DemoDay", bare: sqlite3.Connection) -> "Iterator[tuple[str, Ours, Bare]]":
    """What is behind a number of Today, of a lot, and behind a vial."""
    from pharmacy_app.services.behind import Received, Stock, Thing, behind, states_of

    (lot,) = bare.execute("SELECT lot FROM vial WHERE strength_mg = '1' LIMIT 1").fetchone()
    (unit,) = bare.execute("SELECT unit_number FROM vial ORDER BY unit_number DESC LIMIT 1").fetchone()
    one = Decimal(1)
    lines = "SELECT * FROM ledger_line WHERE strength_mg = '1'"

    def rows(sql: str, *values: object) -> Bare:
        return lambda connection: connection.execute(sql, values).fetchall()

    def ask(what: Any) -> Ours:
        return lambda reader: behind(day.desk, reader, what)

    yield "behind the usable vials of 1 mg", ask(Stock(one)), rows(lines)
    yield "behind those of a lot", ask(Stock(one, lot=lot)), rows(f"{lines} AND lot = ?", lot)
    yield "behind the vials of 1 mg received", ask(Received(one)), rows(f"{lines} AND move = 'receive'")
    named = "SELECT body FROM journal_event WHERE instr(body, ?)"
    (line,) = bare.execute(
        "SELECT event_seq || '.' || line FROM ledger_line WHERE strength_mg = '1' ORDER BY done_utc DESC LIMIT 1"
    ).fetchone()
    yield (
        "behind the balance after the newest line",
        ask(Stock(one, states=states_of("available"), through_line=line)),
        rows(lines),
    )
    first, seq = bare.execute("SELECT number, event_seq FROM shipment ORDER BY event_seq LIMIT 1").fetchone()
    of_entry = rows("SELECT * FROM ledger_line WHERE event_seq = ? OR corrects_seq = ?", seq, seq)
    yield "behind the vials of the first shipment", ask(Received(shipment=first)), of_entry
    yield "all that is on record of a vial", ask(Thing(unit)), rows(named, f'"{unit}"'.encode())
    yield "all that is on record of a subject", ask(Thing("000-001")), rows(named, b'"000-001"')


if __name__ == "__main__":
    main(sys.argv[1:])
