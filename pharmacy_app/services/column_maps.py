"""Sponsors' column maps: which columns of a table, under which names, in which order and form. They are data.

Some ship with the program (``pharmacy_app/exports``); another one is attached as a document that its sponsor has
signed for, and is named by the document's number.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from importlib import resources
from typing import Any

from pharmacy_app.domain.dates import MONTHS
from pharmacy_app.domain.errors import Fault, Refused, refuse_any
from pharmacy_app.domain.units import WORKING
from pharmacy_app.domain.vials import looks_like_ours
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.tables import TABLES, Column, Kind, Row, Table, Value

STUDY_FACTS = (
    "protocol number",
    "study title",
    "sponsor",
    "supporter",
    "drug",
    "site number",
    "site name",
    "principal investigator",
)
"""What a column may say of the study in every row."""

CONVERSIONS = {
    ("mg", "µg"): Decimal(1000),
    ("mg", "g"): Decimal("0.001"),
    ("mg/mL", "µg/mL"): Decimal(1000),
    ("mg/m²", "µg/m²"): Decimal(1000),
    ("kg", "g"): Decimal(1000),
    ("cm", "m"): Decimal("0.01"),
    ("cm", "mm"): Decimal(10),
    ("mL", "L"): Decimal("0.001"),
}
"""Conversions that are exact: from which unit, into which, and by which factor."""

_DAY_FORM = re.compile(r"(YYYY|MMM|MM|DD|[-/. ])+")
_MOMENT_FORM = re.compile(r"(YYYY|MMM|MM|DD|hh|mm|ss|[-/. :T])+")
_PART = re.compile(r"YYYY|MMM|MM|DD|hh|mm|ss")
_MAP_KEYS = frozenset({"format", "title", "table", "missing", "column"})
_COLUMN_KEYS = frozenset({"header", "column", "constant", "study", "date", "unit"})


def say_in(value: date | datetime, form: str) -> str:
    """A day or moment of the site written by a form such as ``DD-MMM-YYYY hh:mm``; months have their English names."""
    at = value if isinstance(value, datetime) else None
    parts = {
        "YYYY": f"{value.year:04d}",
        "MMM": MONTHS[value.month - 1],
        "MM": f"{value.month:02d}",
        "DD": f"{value.day:02d}",
        "hh": f"{at.hour:02d}" if at else "",
        "mm": f"{at.minute:02d}" if at else "",
        "ss": f"{at.second:02d}" if at else "",
    }
    return _PART.sub(lambda found: parts[found[0]], form)


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One column of a map: its name and, of these, one: a column of the table, a constant, a fact of the study.

    ``date`` is how a day or moment is written, ``unit`` the unit a number is converted into; '' leaves it as it is.
    """

    header: str
    column: str = ""
    constant: str = ""
    study: str = ""
    date: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """A map as it was read: its name, of which table it is, its columns in their order, and the text's SHA-256."""

    name: str
    title: str
    table: str
    missing: str
    columns: tuple[MappedColumn, ...]
    sha256: str


def shipped_maps() -> tuple[ColumnMap, ...]:
    """The maps that ship with the program, by name."""
    files = resources.files("pharmacy_app.exports").iterdir()
    found = sorted((file for file in files if file.name.endswith(".toml")), key=lambda file: file.name)
    return tuple(read_map(file.read_bytes(), file.name.removesuffix(".toml")) for file in found)


def find_map(reader: Reader, name: str) -> ColumnMap:
    """The map of that name, or the one in the document of that number; raises ``Refused`` when there is none."""
    asked = name.strip()
    if looks_like_ours(asked, "F"):
        return _attached(reader, asked.upper())
    maps = {each.name: each for each in shipped_maps()}
    if asked not in maps:
        raise Refused(
            Fault(
                "column_map",
                f"There is no column map “{asked}”. Choose {' or '.join(maps)}, or type the number of the document that"
                " holds the sponsor's map.",
            )
        )
    return maps[asked]


def _attached(reader: Reader, number: str) -> ColumnMap:
    document = reader.document(number)
    if document is None:
        raise Refused(Fault("column_map", f"No document {number} is attached. Attach the sponsor's map first."))
    if not document.signed_by:
        raise Refused(
            Fault(
                "column_map",
                f"Document {number} names nobody who signed it. Attach the map as an approval, with who signed for it.",
            )
        )
    content = reader.paper(document.sha256)
    assert content is not None
    return read_map(content, number)


def read_map(content: bytes, name: str) -> ColumnMap:
    """Read a map; raises ``Refused`` with every fault of it, each with the column that it is about."""
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refused(_fault(f"Column map {name} is no UTF-8 text. Save it as UTF-8.")) from None
    except tomllib.TOMLDecodeError as error:
        raise Refused(_fault(f"Column map {name} cannot be read: {error}.")) from None
    faults = [
        _fault(f"Column map {name} has “{key}”, which nothing reads. Remove it.") for key in data.keys() - _MAP_KEYS
    ]
    if data.get("format") != 1:
        faults.append(_fault(f"Column map {name} must say format = 1."))
    missing = data.get("missing", "")
    for key, value in (("title", data.get("title", "")), ("missing", missing)):
        if not isinstance(value, str):
            faults.append(_fault(f"“{key}” of column map {name} is not a text."))
    table = TABLES.get(str(data.get("table", "")))
    if table is None:
        faults.append(
            _fault(
                f"Column map {name} is of no table of ours (“{data.get('table', '')}”). Choose of: {', '.join(TABLES)}."
            )
        )
        raise Refused(*faults)
    rows = data.get("column")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise Refused(*faults, _fault(f"Column map {name} has no columns. Write a [[column]] for each."))
    columns = tuple(_column(row, number, table, faults) for number, row in enumerate(rows, start=1))
    headers = [each.header for each in columns if each.header]
    for header in sorted({header for header in headers if headers.count(header) > 1}):
        faults.append(_fault(f"Two columns are called “{header}”. Give each a name of its own."))
    refuse_any(faults)
    return ColumnMap(name, data.get("title", ""), table.name, missing, columns, sha256(content).hexdigest())


def _fault(sentence: str) -> Fault:
    return Fault("column_map", sentence)


def _column(row: dict[str, Any], number: int, table: Table, faults: list[Fault]) -> MappedColumn:
    where = f"Column {number} of the map"

    def fault(sentence: str) -> None:
        faults.append(Fault(f"column_map.{number}", f"{where} {sentence}"))

    for key in sorted(row.keys() - _COLUMN_KEYS):
        fault(f"has “{key}”, which nothing reads. Remove it.")
    if any(not isinstance(value, str) for value in row.values()):
        fault("has a value that is not a text. Put it between quotation marks.")
        return MappedColumn("")
    made = MappedColumn(**{"header": "", **{key: value for key, value in row.items() if key in _COLUMN_KEYS}})
    if not made.header.strip():
        fault("has no header. Say how the sponsor calls it.")
    sources = [key for key in ("column", "constant", "study") if key in row]
    if len(sources) != 1:
        fault("needs one of column, constant and study, and no more than one.")
        return made
    if made.study and made.study not in STUDY_FACTS:
        fault(f"asks for “{made.study}”. Of the study there are: {', '.join(STUDY_FACTS)}.")
    known = {each.name: each for each in table.columns}
    if sources[0] == "column" and made.column not in known:
        fault(f"asks for “{made.column}”, which is no column of “{table.name}”. There are: {', '.join(known)}.")
        return made
    of = known.get(made.column)
    if made.date:
        form = {Kind.DAY: _DAY_FORM, Kind.MOMENT: _MOMENT_FORM}.get(of.kind) if of else None
        if form is None:
            fault("has a form of dates, but is no date.")
        elif not form.fullmatch(made.date):
            fault(f"writes dates as “{made.date}”, which cannot be read. Use YYYY, MM or MMM, DD; in times hh, mm, ss.")
    if made.unit and (of is None or (of.unit, made.unit) not in CONVERSIONS):
        from_unit = of.unit if of and of.unit else "nothing"
        into = [unit for before, unit in CONVERSIONS if before == from_unit]
        fault(f"cannot be in {made.unit}: it is in {from_unit}" + (f", or {', '.join(into)}." if into else "."))
    return made


def mapped(
    table: Table, by: ColumnMap, facts: Callable[[str], str], missing: str
) -> tuple[tuple[Column, ...], Callable[[Row], Row]]:
    """The columns that a map makes of a table's, and what turns a row of the table into a row of the map.

    ``facts`` gives a fact of the study by its name; ``missing`` stands where a row has no value ('': nothing does).
    """
    columns: list[Column] = []
    cells: list[Callable[[Row], Value]] = []
    for each in by.columns:
        if each.column:
            at = table.at(each.column)
            of = table.columns[at]
            columns.append(replace(of, name=each.header, label=each.header, unit="", form=each.date))
            cells.append(_cell(at, CONVERSIONS[of.unit, each.unit] if each.unit else None))
        else:
            text = each.constant or facts(each.study)
            columns.append(Column(each.header, each.header, Kind.TEXT, each.study or "constant"))
            cells.append(lambda _row, text=text: text or None)  # type: ignore[misc]

    def row_of(row: Row) -> Row:
        made = (cell(row) for cell in cells)
        return tuple(missing or None if value is None else value for value in made)

    return tuple(columns), row_of


def _cell(at: int, factor: Decimal | None) -> Callable[[Row], Value]:
    def value_of(row: Row) -> Value:
        value = row[at]
        if factor is None or not isinstance(value, Decimal):
            return value
        made = WORKING.multiply(value, factor)
        # As a person writes it: 0.8 mg are 800 µg, not 800.0.
        return made.quantize(Decimal(1)) if made == made.to_integral_value() else made.normalize()

    return value_of
