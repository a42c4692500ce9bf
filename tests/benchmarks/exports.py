"""Every table and dataset taken away from a ledger of 100,000 lines: counted, read back, timed beside a bare writer.

``python installer/dev.py bench exports [--lines 10000 100000] [--keep FOLDER] [--schema dataset.schema.json]`` makes
the ledgers of ``bench records`` and writes each table as CSV, workbook and Dataset-JSON, each file in a process of its
own, so that its highest memory is its own. It stops with an error where the number of rows, or a sum of them, is not
what plain Python finds in the bytes of ``journal_event``; where the three files, read by csv, openpyxl and json, do not
say the same; and where a dataset does not hold against CDISC's published schema. The floor is the library alone, handed
the same rows in the same run: ``csv.writer``, XlsxWriter with rows written away at once, ``json.dumps`` row by row.
"""

import argparse
import csv
import gc
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tests.benchmarks.books import make_whole, whole_path, whole_people
from tests.benchmarks.ledger import peak_mib, store_of
from tests.benchmarks.records import Entry, entries, recount, show_table

SIZES = (10_000, 100_000)
FORMATS = ("csv", "xlsx", "json")
ROUNDS = 3
TOGETHER = 2_000
"""Rows that are held against the schema at a time."""

SCHEMA = Path(__file__).parents[3] / "shared" / "reference" / "cdisc" / "dataset.schema.json"
"""CDISC's published schema of Dataset-JSON 1.1, where it is kept beside the project."""


def main(arguments: Sequence[str]) -> None:
    """Make the ledgers once, then one child a file."""
    from pharmacy_app.services.data_export import EXPORTS

    parser = argparse.ArgumentParser(prog="bench exports")
    parser.add_argument("--lines", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--keep", type=Path, help="a folder for the databases; those there already are used again")
    parser.add_argument("--only", choices=tuple(EXPORTS), nargs="+")
    parser.add_argument("--schema", type=Path, default=SCHEMA, help="CDISC's schema of Dataset-JSON")
    wanted = parser.parse_args(arguments)
    if not wanted.schema.exists():
        sys.stdout.write(f"Not held against CDISC's schema: there is no {wanted.schema}.\n")
    rows: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = wanted.keep or Path(name)
        for lines in wanted.lines:
            make_whole(lines, folder)
        # The audit trail first: every file that is taken away is an entry of it.
        for what in sorted(wanted.only or EXPORTS, key=lambda each: each != "audit-trail"):
            rows[what] = row_of(what, wanted.lines, folder, wanted.schema)
    heads = ("rows", *(f"{form}: act, size, writing / bare, memory" for form in FORMATS))
    show_table(heads, rows)


def row_of(what: str, sizes: Sequence[int], folder: Path, schema: Path) -> list[str]:
    """One table in every format and size; the cells of its row, memory for every size."""
    cells: list[str] = []
    told: dict[tuple[str, int], dict[str, Any]] = {}
    for lines in sizes:
        out = folder / f"taken-{lines}"
        out.mkdir(exist_ok=True)
        for form in FORMATS:
            told[form, lines] = child("take", what, form, lines, folder, out)
        told["same", lines] = child("compare", what, "all", lines, folder, out, schema)
        for each in out.iterdir():
            each.unlink()
        out.rmdir()
    largest = sizes[-1]
    cells.append(f"{told['same', largest]['rows']:,}")
    for form in FORMATS:
        last = told[form, largest]
        memory = " · ".join(told[form, lines]["memory"] for lines in sizes)
        cells.append(f"{last['seconds']:.1f} s, {last['mb']:.1f} MB, × {last['ratio']:.1f}, {memory} MiB")
    return cells


def child(part: str, what: str, form: str, lines: int, folder: Path, *more: Path) -> dict[str, Any]:
    """One part in a process of its own."""
    code = "import sys; from tests.benchmarks.exports import run_part; run_part(*sys.argv[1:])"
    command = [sys.executable, "-c", code, part, what, form, str(lines), str(folder), *map(str, more)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(f"{what} as {form} of {lines:,} lines did not end well.")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    sys.stderr.write(f"{what}, {form}, {lines:,}: {told}\n")
    return told


def run_part(part: str, what: str, form: str, lines: str, folder: str, out: str, schema: str = "") -> None:
    """In the child: do the part and tell by JSON."""
    if part == "take":
        told = take(what, form, int(lines), Path(folder), Path(out))
    else:
        told = compare(what, whole_path(int(lines), Path(folder)), Path(out), Path(schema))
    sys.stdout.write(json.dumps(told) + "\n")


# --- one file ------------------------------------------------------------------------------------------------------


def take(what: str, form: str, lines: int, folder: Path, out: Path) -> dict[str, Any]:
    """Write one file as an act; then the writing alone beside the library alone."""
    from pharmacy_app.services.data_export import EXPORTS, ExportForm, export_data
    from pharmacy_app.services.tables import Wanted

    copy = out / f"books-{form}.sqlite"
    day = whole_people(lines, folder, copy)
    try:
        told: list[tuple[int, int]] = []
        path = out / f"{what}.{form}"
        asked = ExportForm(what, form, str(path))
        began = time.process_time()
        made = export_data(day.desk, day.act("monitor"), asked, tell=lambda done, total: told.append((done, total)))
        seconds = time.process_time() - began
        # Before anything else is held in memory.
        memory = peak_mib().split()[0]
        assert told == sorted(told)
        assert told[-1][0] == told[-1][1]
        table = EXPORTS[what]
        with day.desk.store.read() as reader:
            rows = [row for _, row in table.find(reader, Wanted()).rows if row is not None][: made.rows]
        assert len(rows) == made.rows
    finally:
        store_of(day.desk).close()
        for each in out.glob(copy.name + "*"):
            each.unlink()
    return {
        "rows": made.rows,
        "seconds": seconds,
        "mb": path.stat().st_size / 1_000_000,
        "memory": memory,
        "ratio": against_the_library(form, table.columns, rows, out),
    }


def against_the_library(form: str, columns: Any, rows: Sequence[Any], folder: Path) -> float:
    """How many times the library's own time our writer takes for the same rows, each in turn, as a median."""
    from pharmacy_app.services.table_files import About, table_file

    now = datetime(2026, 1, 5, 9, tzinfo=UTC)
    about = About("TIMED", "Timed", "timed", "timed", "timed", "0", now, now, "timed", demonstration=True, lines=())

    def ours() -> None:
        with (folder / "ours").open("wb") as out:
            file = table_file(form, out, columns, about, folder)
            for row in rows:
                file.add(row)
            file.close()

    names = [column.name for column in columns]
    bare = {"csv": bare_csv, "xlsx": bare_sheet, "json": bare_json}[form]
    ratios = []
    for _ in range(ROUNDS):
        taken = []
        for work in (ours, lambda: bare(folder / "bare", names, rows)):
            gc.collect()
            began = time.process_time()
            work()
            taken.append(time.process_time() - began)
        ratios.append(taken[0] / taken[1])
    for name in ("ours", "bare"):
        (folder / name).unlink()
    return statistics.median(ratios)


def bare_csv(path: Path, names: Sequence[str], rows: Sequence[Any]) -> None:
    """The same rows by ``csv.writer``."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(names)
        writer.writerows(rows)


def bare_sheet(path: Path, names: Sequence[str], rows: Sequence[Any]) -> None:
    """The same rows by XlsxWriter, which keeps none of them."""
    from xlsxwriter import Workbook

    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "remove_timezone": True,
        "default_date_format": "yyyy-mm-dd",
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with path.open("wb") as out:
        book = Workbook(out, options)
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, names)
        for at, row in enumerate(rows, start=1):
            sheet.write_row(at, 0, row)
        book.close()


def bare_json(path: Path, names: Sequence[str], rows: Sequence[Any]) -> None:
    """The same rows by ``json.dumps``."""
    with path.open("w", encoding="utf-8") as out:
        out.write(json.dumps(names) + "\n")
        for row in rows:
            out.write(json.dumps(row, default=str, ensure_ascii=False) + "\n")


# --- read back -----------------------------------------------------------------------------------------------------


def compare(what: str, books: Path, out: Path, schema: Path) -> dict[str, Any]:
    """Read the three files by other hands than those that wrote them, and count them against the journal's bytes."""
    import openpyxl

    data = json.loads((out / f"{what}.json").read_bytes())
    rows, columns = data["rows"], data["columns"]
    names = [column["name"] for column in columns]
    assert data["records"] == len(rows)
    expected = EXPECTED[what](books)
    assert len(rows) == expected.rows, (len(rows), expected.rows)
    for name, wanted in expected.sums.items():
        at = names.index(name)
        found = sum((Decimal(row[at]) for row in rows if row[at] is not None), Decimal(0))
        assert found == wanted, (name, found, wanted)
    if schema.exists():
        hold_against(schema, data)
    # An entry about thousands of vials is longer than what the module reads unless told.
    csv.field_size_limit(2**30)
    with (out / f"{what}.csv").open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file, strict=True)
        assert next(lines) == names
        for row, cells in zip_longest(rows, lines):
            assert row is not None and cells is not None
            assert [plain_csv(cell) for cell in cells] == ["" if value is None else str(value) for value in row]
    book = openpyxl.load_workbook(out / f"{what}.xlsx", read_only=True)
    cells_of: Iterator[tuple[Any, ...]] = book["Data"].iter_rows(values_only=True)
    assert list(next(cells_of)) == [column["label"] for column in columns]
    for row, values in zip_longest(rows, cells_of):
        assert row is not None and values is not None
        for value, cell, column in zip(row, values, columns, strict=True):
            assert _same_cell(value, cell, column["dataType"]), (what, column["name"], value, cell)
    book.close()
    return {"rows": len(rows)}


def hold_against(path: Path, data: dict[str, Any]) -> None:
    """A dataset against the schema, so many rows at a time; all of them are."""
    import jsonschema

    validator = jsonschema.Draft201909Validator(json.loads(path.read_bytes()))
    for start in range(0, max(len(data["rows"]), 1), TOGETHER):
        validator.validate({**data, "rows": data["rows"][start : start + TOGETHER]})


def plain_csv(cell: str) -> str:
    """A cell's text without the apostrophe that keeps a spreadsheet from running it."""
    return cell.removeprefix("'")


def _same_cell(value: Any, cell: Any, kind: str) -> bool:
    """Whether a workbook's cell is what the dataset has: numbers to the 16 digits that a workbook keeps."""
    from openpyxl.utils.escape import unescape

    if value is None or isinstance(cell, bool):
        return (value == "Y") is cell if isinstance(cell, bool) else cell is None
    match kind:
        case "integer":
            return bool(cell == value)
        case "decimal":
            return math.isclose(float(cell), float(value), rel_tol=1e-15)
        case "date":
            return bool(cell == datetime.fromisoformat(value))
        case "datetime":
            return bool(cell == datetime.fromisoformat(value).replace(tzinfo=None, microsecond=0))
        case _:
            text = unescape(str(cell))
            return bool(text == value) or (text.endswith("has all of it)") and value.startswith(text[:32_000]))


# --- what the journal's own bytes say ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expected:
    """How many rows a table must have, and what some of its columns must add up to."""

    rows: int
    sums: dict[str, Decimal]


def _rows(count: int, **sums: Decimal | int) -> Expected:
    return Expected(count, {name: Decimal(each) for name, each in sums.items()})


def each_of(kind: str, of: Callable[[Entry], int] = lambda _entry: 1) -> Callable[[Path], Expected]:
    """A row, or as many as ``of`` says, for every entry of a kind."""
    return lambda books: _rows(sum(of(entry) for entry in entries(books, kind)))


def ledger_lines(books: Path) -> Expected:
    """A line for each strength, lot, place and state that an entry moves vials of; two where they change the place."""
    lines = quantity = 0
    for entry in entries(books):
        moves = entry["content"].get("moves", ())
        ends = 2 if entry["kind"] == "vials_transported" else 1
        lines += ends * len({tuple(move[name] for name in _TOGETHER) for move in moves})
        quantity += ends * len(moves)
    return _rows(lines, quantity=quantity)


_TOGETHER = ("strength_mg", "lot", "expires_on", "place", "from_state", "to_state")


def stock_rows(books: Path) -> Expected:
    """A row for each strength, lot, place and state in which there is a vial."""
    truth = recount(books)
    found = Counter((truth.strength[u], truth.lot[u], truth.place[u], state) for u, state in truth.state.items())
    return _rows(len(found), vials=sum(found.values()))


def doses_given(books: Path) -> Decimal:
    """Milligrams administered, in all."""
    return sum(
        (Decimal(each["content"]["administration"]["administered_mg"]) for each in entries(books, "dose_administered")),
        Decimal(0),
    )


def dispensing_rows(books: Path) -> Expected:
    """A row for each dose that was prepared."""
    prepared = [entry["content"]["preparation"] for entry in entries(books, "dose_prepared")]
    return _rows(
        len(prepared),
        administered_mg=doses_given(books),
        vials_1mg=sum(draw["strength_mg"] == "1" for each in prepared for draw in each["draws"]),
        prepared_mg=sum((Decimal(each["prepared_mg"]) for each in prepared), Decimal(0)),
    )


def dose_rows(books: Path) -> Expected:
    """A row for each order."""
    orders = [Decimal(entry["content"]["prescribed_mg"]) for entry in entries(books, "dose_ordered")]
    return _rows(len(orders), prescribed_mg=sum(orders, Decimal(0)), administered_mg=doses_given(books))


def performed(books: Path) -> Expected:
    """Every order as scheduled, and as performed once it was given."""
    orders = [Decimal(entry["content"]["prescribed_mg"]) for entry in entries(books, "dose_ordered")]
    given = sum(1 for _ in entries(books, "dose_administered"))
    return _rows(len(orders) + given, ECDOSE=sum(orders, Decimal(0)) + doses_given(books))


def vital_signs(books: Path) -> Expected:
    """What was measured, and the area of each dose given; a correction replaces a value."""
    measured = sum(len(entry["content"]["measured"]) for entry in entries(books, "measurement_recorded"))
    return _rows(measured + sum(1 for _ in entries(books, "dose_administered")))


def several_lots(books: Path) -> Expected:
    """Each lot of every dose that was given and whose vials are of more than one."""
    given = {entry["content"]["dose_id"] for entry in entries(books, "dose_administered")}
    lots = [
        {move["lot"] for move in entry["content"]["moves"]}
        for entry in entries(books, "dose_prepared")
        if entry["content"]["dose_id"] in given
    ]
    return _rows(sum(len(each) for each in lots if len(each) > 1))


def errors(books: Path) -> Expected:
    """Those reported, and those that an administration has opened by the rule."""
    opened = sum(entry["content"]["medication_error"] is not None for entry in entries(books, "dose_administered"))
    return _rows(opened + sum(1 for _ in entries(books, "medication_error_recorded")))


_FILED = ("document_attached", "deviation_recorded")
"""Kinds of entries that can file a document: a deviation files its logger's."""

EXPECTED: dict[str, Callable[[Path], Expected]] = {
    "ledger": ledger_lines,
    "vials": each_of("shipment_received", lambda entry: len(entry["content"]["moves"])),
    "stock": stock_rows,
    "doses": dose_rows,
    "dispensing": dispensing_rows,
    "shipments": each_of("shipment_received", lambda entry: len(entry["content"]["lots"])),
    "counts": each_of("count_recorded", lambda entry: len(entry["content"]["lines"])),
    "discrepancies": each_of("count_recorded", lambda entry: len(entry["content"]["concerns"])),
    "deviations": each_of("deviation_recorded"),
    "deviation-vials": each_of("deviation_recorded", lambda entry: len(entry["content"]["vials"])),
    "medication-errors": errors,
    "corrections": each_of("measurement_corrected", lambda entry: len(entry["content"]["changes"])),
    "documents": lambda books: _rows(
        sum(
            entry["kind"] == "document_attached" or bool(entry["content"]["document"])
            for entry in entries(books, *_FILED)
        )
    ),
    "queries": each_of("query_opened"),
    "audit-trail": lambda books: _rows(sum(1 for _ in entries(books))),
    "DA": each_of("dose_prepared", lambda entry: len(entry["content"]["preparation"]["draws"])),
    "EC": performed,
    "EX": lambda books: _rows(sum(1 for _ in entries(books, "dose_administered"))),
    "VS": vital_signs,
    "SUPPEC": several_lots,
}


if __name__ == "__main__":
    main(sys.argv[1:])
