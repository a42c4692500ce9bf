"""Rows into files: CSV (RFC 4180), a workbook, and CDISC Dataset-JSON 1.1. However many rows, few are held at a time.

Each writer is handed a binary file that stays the caller's. ``close`` completes the file; ``give_up`` lets go of what a
writer holds when it will not be completed.
"""

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.column_maps import say_in
from pharmacy_app.services.export import MADE_HARMLESS, csv_bytes, safe_cell
from pharmacy_app.services.tables import Column, Kind, Row, Value

MOST_ROWS = 1_048_575
"""Rows of a sheet below its header: what the workbook format can hold."""

MOST_CHARACTERS = 32_767
"""Characters of a cell that the workbook format can hold, in UTF-16 units."""

CUT = " … (cut here: the CSV file has all of it)"


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself: its dataset's name and label, study, site and source, and when it was made.

    ``recorded_at`` is the moment of the last entry it was made from, ``None`` where the PC's clock was set back since.
    ``lines`` are further facts, each with its name, for a person.
    """

    name: str
    label: str
    file_oid: str
    study: str
    site: str
    app_version: str
    made_at: datetime
    recorded_at: datetime | None
    made_by: str
    demonstration: bool
    lines: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Measured:
    """How long the texts of each column have been so far, in characters."""

    columns: tuple[Column, ...]
    longest: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.longest = [0] * len(self.columns)

    def add(self, at: int, text: str) -> None:
        """See one more text of a column."""
        self.longest[at] = max(self.longest[at], len(text))

    def length(self, at: int) -> int | None:
        """The length of a column's longest text, at least 1; ``None`` for what is no text."""
        column = self.columns[at]
        return max(1, self.longest[at]) if _as_text(column) else None


class TableFile(Protocol):
    """A file that takes rows one after the other. ``notes`` say what could not be kept as it was."""

    measured: Measured
    notes: list[str]

    def add(self, row: Row) -> None: ...
    def close(self) -> None: ...
    def give_up(self) -> None: ...


def _as_text(column: Column) -> bool:
    return column.kind in (Kind.TEXT, Kind.YES_NO) or bool(column.form)


def _said(column: Column, value: Value) -> Value:
    """A value as text where its column says how: dates by the form of a map."""
    return say_in(value, column.form) if column.form and isinstance(value, date) else value


WRITTEN_TOGETHER = 200
"""Rows of a CSV file that are written at a time."""

# --- CSV ------------------------------------------------------------------------------------------------------------


class CsvFile:
    """UTF-8 with a header row; a text that a spreadsheet would run as a formula gets a leading apostrophe."""

    def __init__(self, out: BinaryIO, columns: tuple[Column, ...]) -> None:
        self.measured = Measured(columns)
        self.notes: list[str] = []
        self._columns = columns
        self._formed = any(column.form for column in columns)
        self._waiting: list[list[str]] = []
        self._text = io.TextIOWrapper(out, encoding="utf-8", newline="")
        self._writer = csv.writer(self._text, lineterminator="\r\n")
        self._writer.writerow([safe_cell(column.name) for column in columns])

    def add(self, row: Row) -> None:
        if self._formed:
            row = tuple(_said(column, value) for column, value in zip(self._columns, row, strict=True))
        # Most of a long file is nothing, or text that begins with a letter.
        cells = [
            "" if value is None else value if type(value) is str and value[:1] not in _STARTS else _csv_cell(value)
            for value in row
        ]
        self._waiting.append(cells)
        if len(self._waiting) == WRITTEN_TOGETHER:
            self._write()

    def _write(self) -> None:
        for at, texts in enumerate(zip(*self._waiting, strict=True)):
            self.measured.longest[at] = max(self.measured.longest[at], *map(len, texts))
        self._writer.writerows(self._waiting)
        self._waiting.clear()

    def close(self) -> None:
        self._write()
        self._text.flush()
        self._text.detach()

    def give_up(self) -> None:
        with suppress(OSError):
            self._text.detach()


def _letter(value: bool) -> str:
    """Yes and no as data has them."""
    return "Y" if value else "N"


_STARTS = frozenset(MADE_HARMLESS)
_QUICKLY: dict[type, Callable[[Any], str]] = {int: str, date: date.isoformat, bool: _letter}
"""Whole numbers and days in the words of ``safe_cell``; yes and no in those of every other format of text."""


def _csv_cell(value: Value) -> str:
    return _QUICKLY.get(type(value), safe_cell)(value)


# --- workbook -------------------------------------------------------------------------------------------------------

_EXCEL = {"YYYY": "yyyy", "MMM": "mmm", "MM": "mm", "DD": "dd"}
_WIDTHS = {Kind.DAY: 12, Kind.MOMENT: 19, Kind.NUMBER: 12, Kind.WHOLE: 10, Kind.YES_NO: 8}
_WIDEST = 60
_ENGLISH = "[$-409]"
"""Month names in English, whatever language the spreadsheet has."""


class WorkbookFile:
    """A workbook with real numbers, dates and times; the header stays in view, every column can be filtered.

    Times are those of the site; a workbook knows no offset from UTC and no part of a second. A text is never a
    formula, whatever it begins with.
    """

    def __init__(self, out: BinaryIO, columns: tuple[Column, ...], about: About, folder: Path) -> None:
        from xlsxwriter import Workbook

        self.measured = Measured(columns)
        self.notes: list[str] = []
        self._about, self._columns = about, columns
        self._book = Workbook(
            out,
            {
                "constant_memory": True,
                "tmpdir": str(folder),
                "strings_to_numbers": False,
                "strings_to_formulas": False,
                "strings_to_urls": False,
            },
        )
        self._book.set_properties(
            {
                "title": about.label,
                "author": about.made_by,
                "company": about.site,
                "comments": f"Study {about.study}",
                "created": about.made_at.replace(tzinfo=None, microsecond=0),
            }
        )
        self._bold = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        self._harmless = self._book.add_format({"quote_prefix": True})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._forms = {
            column.form: self._book.add_format({"num_format": _ENGLISH + _excel_form(column.form)})
            for column in columns
            if column.form
        }
        self._sheet = self._book.add_worksheet("Data")
        self._rows = 0
        self._cut = 0
        self._sheet.freeze_panes(1, 0)
        for at, column in enumerate(columns):
            self._sheet.write_string(0, at, column.title, self._bold)

    def add(self, row: Row) -> None:
        self._rows += 1
        if self._rows > MOST_ROWS:
            raise Refused(
                Fault(
                    "format",
                    f"There are more than {MOST_ROWS:,} rows, which is all that a sheet holds. Choose fewer by their"
                    " dates, or take CSV.",
                )
            )
        for at, value in enumerate(row):
            if value is not None:
                self._write(self._sheet, self._rows, at, value, self._columns[at].form)

    def _write(self, sheet: Any, row: int, at: int, value: Value, form: str = "") -> None:
        if isinstance(value, bool):
            sheet.write_boolean(row, at, value)
        elif isinstance(value, int | Decimal):
            sheet.write_number(row, at, value)
        elif isinstance(value, date) and value.year >= 1900:
            shown = self._moment if isinstance(value, datetime) else self._day
            plain = value.replace(tzinfo=None, microsecond=0) if isinstance(value, datetime) else value
            sheet.write_datetime(row, at, plain, self._forms[form] if form else shown)
        else:
            text = self._fitting(value.isoformat() if isinstance(value, date) else str(value))
            if sheet is self._sheet:
                self.measured.add(at, text)
            sheet.write_string(row, at, text, self._harmless if text.startswith(MADE_HARMLESS) else None)

    def _fitting(self, text: str) -> str:
        """The text as far as a cell can hold it; that something is missing is said in the cell and beside it."""
        if len(text) <= MOST_CHARACTERS // 2 or len(text.encode("utf-16-le")) // 2 <= MOST_CHARACTERS:
            return text
        self._cut += 1
        room = (MOST_CHARACTERS - len(CUT)) * 2
        return text.encode("utf-16-le")[:room].decode("utf-16-le", "ignore") + CUT

    def close(self) -> None:
        if self._cut:
            cells = "1 text is" if self._cut == 1 else f"{self._cut:,} texts are"
            self.notes.append(
                f"{cells} longer than a cell of a workbook can hold and end with “cut here”. CSV has all."
            )
        self._sheet.autofilter(0, 0, self._rows, len(self._columns) - 1)
        for at, column in enumerate(self._columns):
            wide = max(self.measured.longest[at], _WIDTHS.get(column.kind, 0), len(column.title) // 2, 6) + 2
            self._sheet.set_column(at, at, min(wide, _WIDEST))
        self._describe()
        self._tell_about()
        self._book.close()

    def _describe(self) -> None:
        sheet = self._book.add_worksheet("Columns")
        sheet.freeze_panes(1, 0)
        for at, (name, width) in enumerate(zip(VARIABLES, (24, 40, 14, 8, 10, 6, 44, 12), strict=True)):
            sheet.write_string(0, at, name, self._bold)
            sheet.set_column(at, at, width)
        for row, cells in enumerate(variable_rows(self.measured), start=1):
            for at, cell in enumerate(cells):
                if cell is not None:
                    self._write(sheet, row, at, cell)

    def _tell_about(self) -> None:
        sheet = self._book.add_worksheet("About")
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 1, 90)
        lines = [*self._about.lines, ("Rows", f"{self._rows:,}"), *(("Note", note) for note in self.notes)]
        for row, (name, words) in enumerate(lines):
            self._write(sheet, row, 0, name)
            self._write(sheet, row, 1, words)

    def give_up(self) -> None:
        # The library opens a file for the rows of each sheet and closes it only when the book is whole.
        for sheet in self._book.worksheets():
            with suppress(OSError):
                sheet.row_data_fh.close()


def _excel_form(form: str) -> str:
    for ours, theirs in _EXCEL.items():
        form = form.replace(ours, theirs)
    return form


# --- Dataset-JSON ---------------------------------------------------------------------------------------------------

_TYPES = {
    Kind.TEXT: "string",
    Kind.YES_NO: "string",
    Kind.WHOLE: "integer",
    Kind.NUMBER: "decimal",
    Kind.DAY: "date",
    Kind.MOMENT: "datetime",
}


def json_type(column: Column) -> str:
    """The type of a column's values in Dataset-JSON."""
    return "string" if column.form else _TYPES[column.kind]


class DatasetJsonFile:
    """One dataset: attributes in their prescribed order, then a row a line (REGULATION X-01 to X-03).

    How many rows there are and how long their texts stands before them: they are written aside first.
    """

    def __init__(self, out: BinaryIO, columns: tuple[Column, ...], about: About, folder: Path) -> None:
        self.measured = Measured(columns)
        self.notes: list[str] = []
        self._out, self._columns, self._about = out, columns, about
        # Closed by ``close`` or ``give_up``.
        self._aside = tempfile.TemporaryFile("w+b", dir=folder)  # noqa: SIM115
        self._rows = 0

    def add(self, row: Row) -> None:
        cells = [_json_value(_said(column, value)) for column, value in zip(self._columns, row, strict=True)]
        for at, cell in enumerate(cells):
            if isinstance(cell, str):
                self.measured.add(at, cell)
        self._aside.write(b",\n" if self._rows else b"")
        self._aside.write(_json(cells))
        self._rows += 1

    def close(self) -> None:
        about = self._about
        attributes: dict[str, object] = {
            "datasetJSONCreationDateTime": about.made_at.isoformat(timespec="seconds"),
            "datasetJSONVersion": "1.1.0",
            "fileOID": about.file_oid,
        }
        if about.recorded_at is not None:
            attributes["dbLastModifiedDateTime"] = about.recorded_at.isoformat(timespec="seconds")
        attributes |= {
            "originator": f"{about.site} (demonstration, not for clinical use)" if about.demonstration else about.site,
            "sourceSystem": {"name": "Investigational pharmacy", "version": about.app_version},
            "studyOID": about.study,
            "itemGroupOID": f"IG.{about.name}",
            "records": self._rows,
            "name": about.name,
            "label": about.label,
            "columns": [self._column(at, column) for at, column in enumerate(self._columns)],
        }
        lines = (_json(name) + b":" + _json(value) for name, value in attributes.items())
        self._out.write(b"{\n" + b",\n".join(lines) + b',\n"rows":[\n')
        self._aside.seek(0)
        shutil.copyfileobj(self._aside, self._out)
        self._out.write(b"\n]\n}\n")
        self._aside.close()

    def _column(self, at: int, column: Column) -> dict[str, object]:
        made: dict[str, object] = {
            "itemOID": f"IT.{self._about.name}.{column.name}",
            "name": column.name,
            "label": column.title,
            "dataType": json_type(column),
        }
        if made["dataType"] == "decimal":
            made["targetDataType"] = "decimal"
        length = self.measured.length(at)
        if length is not None:
            made["length"] = length
        if column.key:
            made["keySequence"] = column.key
        return made

    def give_up(self) -> None:
        with suppress(OSError):
            self._aside.close()


def _json_value(value: Value) -> str | int | None:
    """A value as Dataset-JSON has it: exact decimals and dates as text, yes and no as letters."""
    if isinstance(value, bool):
        return _letter(value)
    if value is None or isinstance(value, str | int):
        return value
    return format(value, "f") if isinstance(value, Decimal) else value.isoformat()


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


# --- the list of variables ------------------------------------------------------------------------------------------

VARIABLES = ("name", "label", "type", "length", "unit", "key", "origin", "codelist")
"""What the list of variables says of each (REGULATION X-10)."""


def variable_rows(measured: Measured) -> list[tuple[Value, ...]]:
    """The list of variables: a row for each column of the file."""
    return [
        (
            column.name,
            column.label,
            json_type(column),
            measured.length(at),
            column.unit or None,
            column.key or None,
            column.source,
            column.codelist or None,
        )
        for at, column in enumerate(measured.columns)
    ]


def variable_list(measured: Measured) -> bytes:
    """The list of variables as CSV."""
    return csv_bytes(VARIABLES, variable_rows(measured))


SUFFIXES = {"csv": ".csv", "xlsx": ".xlsx", "json": ".json"}
"""The formats, and how the name of a file of each ends."""


def table_file(form: str, out: BinaryIO, columns: Sequence[Column], about: About, folder: Path) -> TableFile:
    """A file of that format; ``folder`` is where it may keep what it needs until it is whole."""
    if form == "csv":
        return CsvFile(out, tuple(columns))
    kind = WorkbookFile if form == "xlsx" else DatasetJsonFile
    return kind(out, tuple(columns), about, folder)
