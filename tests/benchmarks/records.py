"""Every long record on a ledger of 100,000 lines: recounted from the journal's bytes, timed beside a bare canvas.

``python installer/dev.py bench records [--lines 10000 100000] [--keep FOLDER]`` makes the ledgers (whole doses, and the
last weeks of ``tests.benchmarks.books``), prints each record as an act in a process of its own, so that its highest
memory is its own, and stops with an error where a total or a number on the paper is not what plain SQL and Python find
in the bytes of ``journal_event``. The floor of each drawing is a bare reportlab canvas that is handed the same words at
the same places and draws them in the same run; ours and the floor take turns, processor time alone.
"""

import argparse
import gc
import json
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.benchmarks.books import LastWeeks, make_whole, whole_path, whole_people
from tests.benchmarks.ledger import peak_mib, store_of

SIZES = (10_000, 100_000)
ROUNDS = 3
SUBJECT = "000-001"

Drawn = tuple[str, float, float, str, float]
"""Words, where they stand (pt from the left and lower edge), typeface and size."""

Tell = Callable[[int, int], None]
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on one page: its words, and its lines from and to."""

    words: list[Drawn]
    lines: list[tuple[float, float, float, float]]


def main(arguments: Sequence[str]) -> None:
    """Make the ledgers once, then one child a record and size."""
    parser = argparse.ArgumentParser(prog="bench records")
    parser.add_argument("--lines", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--keep", type=Path, help="a folder for the databases; those there already are used again")
    parser.add_argument("--only", choices=tuple(RECORDS), nargs="+")
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = wanted.keep or Path(name)
        for lines in wanted.lines:
            make_whole(lines, folder)
        show_table(
            (
                "size",
                "printed as an act",
                "highest memory at " + " · ".join(f"{each:,}" for each in wanted.lines),
                "floor",
            ),
            {part: run_child("records", part, wanted.lines, folder) for part in wanted.only or RECORDS},
        )


def run_child(module: str, part: str, sizes: Sequence[int], folder: Path) -> list[str]:
    """One part at each size, each in a process of its own; the cells of its row, memory for every size."""
    told: list[dict[str, str]] = []
    for lines in sizes:
        code = f"import sys; from tests.benchmarks.{module} import run_part; run_part(*sys.argv[1:])"
        command = [sys.executable, "-c", code, part, str(lines), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.stderr.write(done.stderr)
            raise SystemExit(f"The part “{part}” of {lines:,} lines did not end well.")
        told.append(json.loads(done.stdout.splitlines()[-1]))
        sys.stderr.write(f"{part}, {lines:,}: {told[-1]}\n")
    last = told[-1]
    return [last["size"], last["seconds"], " · ".join(each["memory"] for each in told) + " MiB", last["floor"]]


def show_table(heads: Sequence[str], rows: dict[str, list[str]]) -> None:
    """The table as the documents have it."""
    sys.stdout.write("| | " + " | ".join(heads) + " |\n|---|" + "---:|" * len(heads) + "\n")
    for name, cells in rows.items():
        sys.stdout.write(f"| {name} | " + " | ".join(cells) + " |\n")
    sys.stdout.flush()


def run_part(part: str, lines: str, folder: str) -> None:
    """In the child: print, recount, and tell by JSON."""
    sys.stdout.write(json.dumps(measured(RECORDS[part], int(lines), Path(folder))) + "\n")


# --- what the journal's own bytes say ----------------------------------------------------------------------------


@dataclass(slots=True)
class Recount:
    """Vials as the journal's bodies leave them, gone through in plain Python: by unit, what it is and where."""

    strength: dict[str, str]
    lot: dict[str, str]
    place: dict[str, str]
    state: dict[str, str]

    def states(self, strength: str, lot: str = "") -> Counter[str]:
        """How many vials of a strength (and lot) are in each state."""
        return Counter(
            state
            for unit, state in self.state.items()
            if self.strength[unit] == strength and lot in ("", self.lot[unit])
        )


def entries(path: Path, *kinds: str, until: int = 2**60) -> Iterator[Entry]:
    """The journal's entries from their stored bytes, those of some kinds or all, up to one of them."""
    asked = f" AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    with sqlite3.connect(path) as bare:
        for (body,) in bare.execute(
            f"SELECT body FROM journal_event WHERE seq <= ?{asked} ORDER BY seq", (until, *kinds)
        ):
            yield json.loads(body)


def recount(path: Path, until: int = 2**60, wanted: Callable[[Entry], bool] = lambda _entry: True) -> Recount:
    """Follow each vial from move to move."""
    found = Recount({}, {}, {}, {})
    for entry in entries(path, until=until):
        if not wanted(entry):
            continue
        for move in entry["content"].get("moves", ()):
            unit = move["unit_number"]
            found.state[unit] = move["to_state"]
            found.strength[unit] = move.get("to_strength_mg") or move["strength_mg"]
            found.lot[unit] = move.get("to_lot") or move["lot"]
            found.place[unit] = move.get("to_place") or move["place"]
    return found


ON_SITE = {"held", "available", "reserved", "quarantined"}
"""States of unopened vials in the house, typed from the table of moves."""


def check_identity(words: str, states: Counter[str]) -> None:
    """The record's sentence of received and states against the recount; raises where they differ."""
    said = re.search(r"Received(?: or brought here)? ([\d,]+) = ((?:[A-Z][a-z ]+ [\d,]+(?: \+ )?)+)", words)
    assert said, words[-400:]
    parts = {
        name.strip().lower(): int(count.replace(",", ""))
        for name, count in re.findall(r"([A-Z][a-z ]+?) ([\d,]+)", said[2])
    }
    wanted = {state: count for state, count in states.items() if count and state != "never received"}
    assert parts == wanted, (parts, wanted)
    assert int(said[1].replace(",", "")) == sum(wanted.values())


def letters(words: str) -> str:
    """The words without their blanks: a cell wraps where it likes."""
    return re.sub(r"\s", "", words)


def has_each(pages: Sequence[str], wanted: Sequence[str]) -> None:
    """Every one of these stands on the paper."""
    said = letters(" ".join(pages))
    missing = [each for each in wanted if letters(each) not in said]
    assert not missing, missing[:3]


# --- the floor ---------------------------------------------------------------------------------------------------


@contextmanager
def watched() -> "Iterator[list[Sheet]]":
    """What reports draw while this lasts, page by page."""
    from labels.reports import frame as drawing

    sheets: list[Sheet] = []
    begin, write, rule = drawing.Frame.begin_page, drawing.Frame.write, drawing.Frame.rule

    def begun(self: Any) -> None:
        sheets.append(Sheet([], []))
        begin(self)

    def written(self: Any, words: str, x: float, y: float, **how: Any) -> None:
        from labels import text

        font, size = how.get("font", text.PLAIN), how.get("size", drawing.BODY_PT)
        align = how.get("align", "left")
        left = x - text.width(words, font, size) * {"left": 0.0, "right": 1.0, "centre": 0.5}[align]
        sheets[-1].words.append((words, left, self.stock.height_pt - y, font, size))
        write(self, words, x, y, **how)

    def ruled(self: Any, y: float, **how: Any) -> None:
        up = self.stock.height_pt - y
        sheets[-1].lines.append((self.margin, up, self.margin + self.room, up))
        rule(self, y, **how)

    drawing.Frame.begin_page, drawing.Frame.write, drawing.Frame.rule = begun, written, ruled  # type: ignore[method-assign]
    try:
        yield sheets
    finally:
        drawing.Frame.begin_page, drawing.Frame.write, drawing.Frame.rule = begin, write, rule  # type: ignore[method-assign]


def bare_canvas(sheets: Sequence[Sheet]) -> int:
    """The same words and lines by reportlab alone; returns the size of its PDF."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas("", pagesize=(792, 612), pageCompression=1, invariant=1)
    for sheet in sheets:
        for words, x, y, font, size in sheet.words:
            canvas.setFont(font, size)
            canvas.drawString(x, y, words)
        for line in sheet.lines:
            canvas.line(*line)
        canvas.showPage()
    return len(canvas.getpdfdata())


def against_the_floor(draw: Callable[[], bytes]) -> str:
    """Our drawing and the bare canvas in turn: medians and the median of the ratios."""
    with watched() as sheets:
        draw()
    taken = []
    for _ in range(ROUNDS):
        seconds = []
        for work in (draw, lambda: bare_canvas(sheets)):
            gc.collect()
            began = time.process_time()
            work()
            seconds.append(time.process_time() - began)
        taken.append(seconds)
    ours, floor = (statistics.median(each) for each in zip(*taken, strict=True))
    return f"{ours:.2f} s / {floor:.2f} s = × {statistics.median(a / b for a, b in taken):.2f}"


class Enough(Exception):
    """What is to be drawn is known: nothing more is printed."""


class Caught:
    """Stands where the printing room stands and keeps what it is told to draw."""

    def __init__(self, papers: Any) -> None:
        self._papers = papers
        self.again: Callable[[], bytes] | None = None

    def __getattr__(self, name: str) -> Any:
        draw = getattr(self._papers, name)

        def catch(*told: Any) -> bytes:
            kept = [_kept(each) for each in told]
            self.again = lambda: draw(*(_read_anew(each) for each in kept))
            raise Enough

        return catch


def _kept(told: Any) -> Any:
    """The same with what is read one after the other read to its end."""
    if isinstance(told, Iterator):
        return _Read(tuple(told))
    if is_dataclass(told) and not isinstance(told, type):
        lazy = {f.name: _kept(v) for f in fields(told) if isinstance(v := getattr(told, f.name), Iterator)}
        return replace(told, **lazy)
    return told


@dataclass(frozen=True, slots=True)
class _Read:
    rows: tuple[Any, ...]


def _read_anew(kept: Any) -> Any:
    if isinstance(kept, _Read):
        return iter(kept.rows)
    if is_dataclass(kept) and not isinstance(kept, type):
        lazy = {f.name: iter(v.rows) for f in fields(kept) if isinstance(v := getattr(kept, f.name), _Read)}
        return replace(kept, **lazy)
    return kept


# --- the records -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Made:
    """A record that was printed, the day it was printed on, and the untouched books it is recounted from."""

    day: Any
    left: LastWeeks
    books: Path
    paper: Any

    @property
    def pages(self) -> list[str]:
        """The words of each page."""
        from labels import proof

        return proof.page_texts(self.paper.pdf)

    def last_words(self, pages: int = 3) -> str:
        """The words of the last pages."""
        import pypdfium2

        document = pypdfium2.PdfDocument(self.paper.pdf)
        found = [
            document[number].get_textpage().get_text_range()
            for number in range(max(len(document) - pages, 0), len(document))
        ]
        document.close()
        return " ".join(" ".join(found).split())


@dataclass(frozen=True, slots=True)
class Asked:
    """For what is printed: the people at their desk, what the last weeks left, the books, who hears how far it is."""

    day: Any
    left: LastWeeks
    books: Path
    tell: Tell


@dataclass(frozen=True, slots=True)
class Record:
    """How a record is printed and how it is recounted; ``tells``: whether it says how far it is.

    ``check`` raises where the paper says something else than the bytes, and gives the size of the record in words.
    """

    print_one: Callable[[Asked], Any]
    check: Callable[[Made], str]
    tells: bool = True


def measured(record: Record, lines: int, folder: Path) -> dict[str, str]:
    """Print it as an act, recount it, then draw it alone beside the floor."""
    left = make_whole(lines, folder)
    copy = folder / f"records-{lines}.sqlite"
    day = whole_people(lines, folder, copy)
    try:
        told: list[tuple[int, int]] = []
        began = time.process_time()
        asked = Asked(day, left, whole_path(lines, folder), lambda done, total: told.append((done, total)))
        paper = record.print_one(asked)
        seconds = time.process_time() - began
        # Before anything else is held in memory.
        memory = peak_mib().split()[0]
        assert not record.tells or (told and told == sorted(told) and told[-1][0] == told[-1][1]), told[-3:]
        made = Made(day, left, asked.books, paper)
        size = record.check(made)
        caught = Caught(day.desk.papers)
        with suppress(Enough):
            record.print_one(replace(asked, day=replace(day, desk=replace(day.desk, papers=caught))))
        assert caught.again is not None
        floor = against_the_floor(caught.again)
    finally:
        store_of(day.desk).close()
        for each in folder.glob(copy.name + "*"):
            each.unlink()
    pages = paper.event.content["papers"][0]["pages"]
    return {
        "size": f"{size}, {pages:,} {'page' if pages == 1 else 'pages'}, {len(paper.pdf) / 1_000_000:.1f} MB",
        "seconds": f"{seconds:.1f} s",
        "memory": memory,
        "floor": floor,
    }


# --- the accountability record


def accountability(**form: Any) -> Record:
    """One of the accountability records."""
    from pharmacy_app.services.printing import RecordForm, print_accountability_record

    def lot_of(day: Any) -> str:
        with day.desk.store.read() as reader:
            return str(min(lot for strength, lot, _ in reader.lots() if strength == 1))

    def print_one(asked: Asked) -> Any:
        chosen = dict(form)
        if chosen.pop("some_lot", False):
            chosen["lot"] = lot_of(asked.day)
        act = asked.day.act("pharmacist")
        return print_accountability_record(asked.day.desk, act, RecordForm("1", **chosen), asked.tell)

    def check(made: Made) -> str:
        truth = recount(made.books)
        lot, place = (lot_of(made.day) if "some_lot" in form else ""), form.get("place", "")
        words = made.last_words()
        if not place:
            check_identity(words, truth.states("1", lot))
        here = [
            unit
            for unit, state in truth.state.items()
            if state in ON_SITE
            and truth.strength[unit] == "1"
            and lot in ("", truth.lot[unit])
            and place in ("", truth.place[unit])
        ]
        end = re.search(r"Balance at the end of this record ((?:[\d,]+ ?)+)", words)
        assert end, words[-300:]
        assert int(end[1].split()[-1].replace(",", "")) == len(here)
        with sqlite3.connect(made.books) as bare:
            (count,) = bare.execute(
                "SELECT count(*) FROM ledger_line WHERE strength_mg = '1' AND \"transaction\" <> ''"
                + (" AND lot = ?" if lot else "")
                + (" AND place = ?" if place else ""),
                tuple(each for each in (lot, place) if each),
            ).fetchone()
        return f"{count:,} lines"

    return Record(print_one, check)


# --- the journal


def _month(books: Path) -> tuple[date, date, list[int]]:
    """A month in the middle of the journal: its first and last day at the site, and the entries recorded in it."""
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("America/Chicago")
    with sqlite3.connect(books) as bare:
        moments = [
            (seq, datetime.fromisoformat(utc.replace("Z", "+00:00")).astimezone(zone).date())
            for seq, utc in bare.execute("SELECT seq, recorded_utc FROM journal_event")
        ]
    first = moments[len(moments) // 2][1]
    last = first + timedelta(days=30)
    return first, last, [seq for seq, on in moments if first <= on <= last]


def print_trail(asked: Asked) -> Any:
    """The audit trail of a month."""
    from pharmacy_app.services.records_trail import TrailForm, print_audit_trail

    first, last, _ = _month(asked.books)
    return print_audit_trail(
        asked.day.desk, asked.day.act("monitor"), TrailForm(first.isoformat(), last.isoformat()), asked.tell
    )


def check_trail(made: Made) -> str:
    """Its count is that of the journal's rows; every entry's number stands on the paper."""
    _, _, inside = _month(made.books)
    words = made.pages
    assert f"Entries {len(inside):,}" in words[0], words[0][:400]
    numbers = {
        int(found) for page in words for found in re.findall(r"(?<![\w-])(\d{1,7}) \d\d-[A-Z][a-z]{2}-\d{4} ", page)
    }
    assert set(inside) <= numbers, sorted(set(inside) - numbers)[:5]
    return f"{len(inside):,} entries"


def print_delegation(asked: Asked) -> Any:
    """The delegation and signature log."""
    from pharmacy_app.services.records_trail import print_delegation_log

    return print_delegation_log(asked.day.desk, asked.day.act("monitor"), asked.tell)


def check_delegation(made: Made) -> str:
    """How often each person signed with each meaning, and how often in all, counted from the bytes."""
    signed = Counter(
        (each["printed_name"], each["meaning"]) for entry in entries(made.books) for each in entry["signatures"]
    )
    count = sum(signed.values())
    words = made.pages
    has_each(words[-3:], [f"{name}{meaning}{times:,}" for (name, meaning), times in signed.items()])
    numbers = {
        int(found.replace(",", ""))
        for page in words
        for found in re.findall(r"(\d[\d,]*) \d\d-[A-Z][a-z]{2}-\d{4} ", page)
    }
    assert set(range(1, count + 1)) <= numbers
    return f"{count:,} signatures"


# --- the visit


def print_report(asked: Asked) -> Any:
    """The report of the signed visit."""
    from pharmacy_app.services.records_visits import print_visit

    return print_visit(asked.day.desk, asked.day.act("monitor"), asked.left.visit, asked.tell)


def check_report(made: Made) -> str:
    """Entries verified, queries and containers as the visit's entries say; each query and container is on the paper."""
    of_visit = list(entries(made.books, "entries_verified", "query_opened", "vials_accounted"))
    verified = {each["seq"] for entry in of_visit for each in entry["content"].get("entries", ())}
    queries = [entry["content"]["query"] for entry in of_visit if entry["kind"] == "query_opened"]
    units = [entry["content"]["unit_numbers"] for entry in of_visit if entry["kind"] == "vials_accounted"][-1]
    late = sum("late entry" in entry["marks"] for entry in entries(made.books))
    pages = made.pages
    has_each(
        pages,
        [
            f"Verified in this visit {len(verified):,}",
            f"Queries opened in this visit {len(queries):,}",
            f"Containers accounted for {len(units):,}",
            *queries,
            *units,
        ],
    )
    flagged = re.search(r"With a reason to be looked at ([\d,]+)", " ".join(pages))
    assert flagged
    reasons = int(flagged[1].replace(",", ""))
    assert reasons >= late
    assert letters(" ".join(pages)).count("lateentry") >= late
    counts = f"{len(verified):,} verified, {len(queries):,} queries, {len(units):,} containers"
    return f"{reasons:,} entries with a reason, {counts}"


# --- subjects and doses


def print_log(asked: Asked) -> Any:
    """The dispensing log of the subject with the most doses."""
    from pharmacy_app.services.records_doses import print_dispensing_log

    return print_dispensing_log(asked.day.desk, asked.day.act("monitor"), SUBJECT, asked.tell)


def check_log(made: Made) -> str:
    """Doses ordered and given, vials and milligrams as the subject's entries sum up."""
    doses = {
        entry["content"]["dose_id"]
        for entry in entries(made.books, "dose_ordered")
        if entry["content"]["subject_number"] == SUBJECT
    }
    vials: Counter[str] = Counter()
    given = 0
    wasted = administered = Decimal(0)
    for entry in entries(made.books, "dose_prepared", "dose_administered"):
        content = entry["content"]
        if content["dose_id"] not in doses:
            continue
        if entry["kind"] == "dose_administered":
            given += 1
            administered += Decimal(content["administration"]["administered_mg"])
            continue
        for draw in content["preparation"]["draws"]:
            vials[draw["strength_mg"]] += 1
            wasted += Decimal(draw["strength_mg"]) - Decimal(draw["drawn_mg"])
    words = made.last_words()
    said = re.search(
        r"In all: ([\d,]+) doses ordered, ([\d,]+) given; vials dispensed ([\d,]+) of 1 mg and ([\d,]+) of 4 mg;"
        r" administered ([\d,.]+) mg; left in vials ([\d,.]+) mg",
        words,
    )
    assert said, words[-400:]
    found = [Decimal(each.replace(",", "")) for each in said.groups()]
    assert found == [len(doses), given, vials["1"], vials["4"], administered, wasted], (
        found,
        vials,
        administered,
        wasted,
    )
    has_each(made.pages, sorted(doses))
    return f"{len(doses):,} doses of one subject"


def _last_dose(books: Path) -> str:
    orders = entries(books, "dose_ordered")
    return [str(each["content"]["dose_id"]) for each in orders if each["content"]["subject_number"] == SUBJECT][-1]


def print_one_dose(asked: Asked) -> Any:
    """The record of that subject's last dose."""
    from pharmacy_app.services.records_doses import print_dose

    with asked.day.desk.store.read() as reader:
        dose_id = reader.doses(subject_number=SUBJECT)[-1].dose_id
    return print_dose(asked.day.desk, asked.day.act("monitor"), dose_id)


def check_dose(made: Made) -> str:
    """Every entry that names the dose stands there, and every measurement up to its day."""
    dose_id = _last_dose(made.books)
    with sqlite3.connect(made.books) as bare:
        named = [
            seq
            for seq, body in bare.execute("SELECT seq, body FROM journal_event ORDER BY seq")
            if dose_id.encode() in bytes(body)
        ]
    (ordered,) = (each for each in entries(made.books, "dose_ordered") if each["content"]["dose_id"] == dose_id)
    on = ordered["content"]["planned_on"]
    measured_so_far = [
        each
        for entry in entries(made.books, "measurement_recorded")
        if entry["content"]["subject_number"] == SUBJECT and entry["content"]["measured_on"] <= on
        for each in entry["content"]["measured"]
    ]
    words = " ".join(made.pages)
    assert len(re.findall(r"(?:Weight|Height) [\d.]+ (?:kg|cm) \d\d-", words)) == len(measured_so_far)
    assert all(re.search(rf"(?<!\S){seq} [A-Z]", words) for seq in named), named
    return f"{len(named):,} entries, {len(measured_so_far):,} measurements before it"


# --- many vials at once


def _numbers(books: Path, kind: str) -> list[str]:
    """The vials of the last entry of a kind."""
    *_, entry = entries(books, kind)
    return sorted(move["unit_number"] for move in entry["content"]["moves"])


def _seq(books: Path, kind: str) -> int:
    *_, entry = entries(books, kind)
    return int(entry["seq"])


def form(number: str, kind: str, each: bool) -> Record:
    """The form of a move of many vials; ``each``: a line a vial, otherwise runs of numbers by lot."""
    from pharmacy_app.services.disposition_forms import print_form

    def check(made: Made) -> str:
        units = _numbers(made.books, kind)
        lots = recount(made.books).lot
        of_lot = Counter(lots[unit] for unit in units)
        pages = made.pages
        if each:
            has_each(pages, units)
        else:
            has_each(pages, [units[0], units[-1], *(f"{lot}" for lot in of_lot)])
            assert f"{len(units):,}" in " ".join(pages)
        has_each(pages, list(of_lot))
        return f"{len(units):,} vials"

    return Record(
        lambda asked: print_form(asked.day.desk, asked.day.act("monitor"), getattr(asked.left, number), asked.tell),
        check,
    )


def _here(made: Made, until: int) -> list[str]:
    """Unopened vials in the first refrigerator, by the moves before an entry."""
    truth = recount(made.books, until=until - 1)
    return sorted(u for u, state in truth.state.items() if state in ON_SITE and truth.place[u] == "Refrigerator 1")


def print_excursion(asked: Asked) -> Any:
    """The report of the warm refrigerator."""
    from pharmacy_app.services.storage_report import print_deviation

    return print_deviation(asked.day.desk, asked.day.act("monitor"), asked.left.deviation, asked.tell)


def check_excursion(made: Made) -> str:
    """Every vial that lay in the refrigerator when it was found warm is on the paper."""
    here = _here(made, _seq(made.books, "deviation_recorded"))
    has_each(made.pages, here)
    return f"{len(here):,} vials, a day's curve"


def print_counted(asked: Asked) -> Any:
    """The record of the count in which nearly all was missing."""
    from pharmacy_app.services.counts import print_count

    return print_count(asked.day.desk, asked.day.act("monitor"), asked.left.count)


def check_count(made: Made) -> str:
    """Expected, counted and missing as the moves before the count leave the vials."""
    here = _here(made, _seq(made.books, "count_recorded"))
    pages = made.pages
    *_, received = entries(made.books, "shipment_received")
    counted = received["content"]["vials"][0]["unit_number"]
    has_each(pages, [f"In all: expected {len(here):,}, counted 1", *(unit for unit in here if unit != counted)])
    return f"{len(here) - 1:,} vials missing"


def print_difference(asked: Asked) -> Any:
    """The record of that count's discrepancy."""
    from pharmacy_app.services.records_trail import print_discrepancy

    return print_discrepancy(asked.day.desk, asked.day.act("monitor"), asked.left.discrepancy)


def check_difference(made: Made) -> str:
    """Every vial that was missed is on the paper."""
    here = _here(made, _seq(made.books, "count_recorded"))
    *_, counted = entries(made.books, "count_recorded")
    missed = [unit for line in counted["content"]["lines"] for unit in line["missing"]]
    assert len(missed) == len(here) - 1
    assert set(missed) <= set(here)
    has_each(made.pages, missed)
    return f"{len(missed):,} vials"


def print_received(asked: Asked) -> Any:
    """The receipt of the large shipment."""
    from pharmacy_app.services.receipts import print_receipt

    return print_receipt(asked.day.desk, asked.day.act("monitor"), asked.left.shipment)


def check_receipt(made: Made) -> str:
    """Every lot with the number of its vials."""
    *_, entry = entries(made.books, "shipment_received")
    of_lot = Counter(move["lot"] for move in entry["content"]["moves"])
    said = letters(" ".join(made.pages))
    for lot, count in of_lot.items():
        # The lot, its expiry, that there are no kit numbers, and how many were listed and counted, none damaged.
        assert re.search(rf"{lot}31-Mar.2041N/Aa{count:,}{count:,}0held", said), lot
    return f"{sum(of_lot.values()):,} vials in {len(of_lot)} lots"


# --- the past, and errors


def _middle(books: Path) -> datetime:
    """The moment at which half of the journal was recorded, to the whole minute."""
    with sqlite3.connect(books) as bare:
        (count,) = bare.execute("SELECT max(seq) FROM journal_event").fetchone()
        (body,) = bare.execute("SELECT body FROM journal_event WHERE seq = ?", (count // 2,)).fetchone()
    return datetime.fromisoformat(json.loads(body)["recorded_at"]).replace(second=0, microsecond=0)


def print_then(asked: Asked) -> Any:
    """Stock and ledger of 1 mg when half of it all was recorded."""
    from zoneinfo import ZoneInfo

    from pharmacy_app.services.past import PastForm, print_past

    at = _middle(asked.books).astimezone(ZoneInfo("America/Chicago"))
    form = PastForm(f"{at:%Y-%m-%d %H:%M}", "then", "1")
    return print_past(asked.day.desk, asked.day.act("monitor"), form, asked.tell)


def check_then(made: Made) -> str:
    """The stock of both strengths by lot, place and state, from the moves done and recorded by that moment."""
    until = _middle(made.books) + timedelta(seconds=59, microseconds=999_999)
    truth = recount(made.books, wanted=lambda entry: _by(entry, until))
    stock = Counter(
        (truth.strength[unit], truth.lot[unit], truth.place[unit], state) for unit, state in truth.state.items()
    )
    pages = made.pages
    has_each(
        pages, [f"{strength} mg{lot}{place}{state}{count:,}" for (strength, lot, place, state), count in stock.items()]
    )
    lines = max(int(n) for page in pages for n in re.findall(r"(?<![\w,-])(\d+) \d\d-[A-Z][a-z]{2}-\d{4} ", page))
    of_1_mg = 0
    for entry in entries(made.books):
        if _by(entry, until):
            moves = [move for move in entry["content"].get("moves", ()) if move["strength_mg"] == "1"]
            of_1_mg += len({(m["lot"], m["place"], m["from_state"], m["to_state"]) for m in moves}) * (
                2 if entry["kind"] == "vials_transported" else 1
            )
    assert lines == of_1_mg, (lines, of_1_mg)
    return f"{lines:,} lines"


def _by(entry: Entry, until: datetime) -> bool:
    """Whether an entry was done and recorded by a moment."""
    return max(datetime.fromisoformat(entry["done_at"]), datetime.fromisoformat(entry["recorded_at"])) <= until


def print_error(asked: Asked) -> Any:
    """The report of a near miss."""
    from pharmacy_app.services.printing import print_medication_error

    return print_medication_error(asked.day.desk, asked.day.act("monitor"), asked.left.error)


def check_error(made: Made) -> str:
    """What happened, and the dose."""
    *_, entry = entries(made.books, "medication_error_recorded")
    has_each(made.pages, [made.left.error, entry["content"]["what_happened"]])
    return "one near miss"


RECORDS: dict[str, Record] = {
    "accountability record of 1 mg": accountability(),
    "of one lot": accountability(some_lot=True),
    "of one place": accountability(place="Refrigerator 2"),
    "DARF-style": accountability(layout="DARF-style"),
    "audit trail of 31 days": Record(print_trail, check_trail),
    "delegation and signature log": Record(print_delegation, check_delegation),
    "visit report": Record(print_report, check_report),
    "subject dispensing log": Record(print_log, check_log),
    "dose record": Record(print_one_dose, check_dose, tells=False),
    "past record, 1 mg, half way": Record(print_then, check_then),
    "return record": form("returned", "vials_returned", each=True),
    "transfer record": form("transferred", "vials_transferred", each=False),
    "destruction record": form("destroyed", "vials_destroyed", each=True),
    "storage deviation report": Record(print_excursion, check_excursion),
    "count record": Record(print_counted, check_count, tells=False),
    "discrepancy record": Record(print_difference, check_difference, tells=False),
    "receipt": Record(print_received, check_receipt, tells=False),
    "medication error report": Record(print_error, check_error, tells=False),
}


if __name__ == "__main__":
    main(sys.argv[1:])
