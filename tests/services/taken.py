"""Files that were taken away, read back by other hands than those that wrote them: csv, openpyxl, json."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from pharmacy_app.services.data_export import Exported, ExportForm, export_data
from tests.services.pharmacy import Pharmacy

SCHEMA = Path(__file__).parents[3] / "shared" / "reference" / "cdisc" / "dataset.schema.json"
"""CDISC's published schema of Dataset-JSON 1.1: kept beside the project, no part of it."""

ATTRIBUTES = (
    "datasetJSONCreationDateTime",
    "datasetJSONVersion",
    "fileOID",
    "dbLastModifiedDateTime",
    "originator",
    "sourceSystem",
    "studyOID",
    "metaDataVersionOID",
    "metaDataRef",
    "itemGroupOID",
    "records",
    "name",
    "label",
    "columns",
    "rows",
)
"""The attributes of a dataset in the order in which they may stand (REGULATION X-01)."""

NEEDED = {"datasetJSONCreationDateTime", "datasetJSONVersion", "itemGroupOID", "records", "name", "label", "columns"}
COLUMN_KEYS = ("itemOID", "name", "label", "dataType", "targetDataType", "length", "displayFormat", "keySequence")
TYPES = ("string", "integer", "decimal", "float", "double", "boolean", "datetime", "date", "time", "URI")


def take(pharmacy: Pharmacy, folder: Path, what: str, form: str = "json", who: str = "mona", **asked: str) -> Exported:
    """Take a table or dataset away, as the monitor does."""
    number = len(list(folder.iterdir())) if folder.exists() else 0
    folder.mkdir(exist_ok=True)
    typed = replace(ExportForm(what, form, str(folder / f"{what}-{number}.{form}")), **asked)
    return export_data(pharmacy.desk, pharmacy.act(who), typed)


def read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    return header, rows


def read_sheet(path: Path, name: str = "Data") -> tuple[list[str], list[list[Any]]]:
    """The header and the rows of a workbook's sheet."""
    book = openpyxl.load_workbook(path)
    header, *rows = ([_read(cell.value) for cell in row] for row in book[name].iter_rows())
    return header, rows


def _read(value: Any) -> Any:
    """A cell's value; in a text a spreadsheet undoes what the format escapes, which openpyxl leaves to its caller."""
    return unescape(value) if isinstance(value, str) else value


def read_json(path: Path) -> dict[str, Any]:
    """A dataset, looked through by hand for what REGULATION X-01 to X-03 ask of it."""
    data: dict[str, Any] = json.loads(path.read_bytes(), parse_float=_no_float)
    assert path.suffix == ".json"
    assert list(data) == [name for name in ATTRIBUTES if name in data]
    assert data.keys() >= NEEDED
    assert data["datasetJSONVersion"] == "1.1.0"
    made = datetime.fromisoformat(data["datasetJSONCreationDateTime"])
    assert made.utcoffset() is not None
    if "dbLastModifiedDateTime" in data:
        assert datetime.fromisoformat(data["dbLastModifiedDateTime"]) <= made
    assert data["sourceSystem"].keys() == {"name", "version"}
    assert data["records"] == len(data["rows"])
    keys = [column["keySequence"] for column in data["columns"] if "keySequence" in column]
    assert sorted(keys) == list(range(1, len(keys) + 1))
    for column in data["columns"]:
        assert list(column) == [name for name in COLUMN_KEYS if name in column]
        assert column.keys() >= {"itemOID", "name", "label", "dataType"}
        assert column["dataType"] in TYPES
        assert column.get("targetDataType") == ("decimal" if column["dataType"] == "decimal" else None)
    for row in data["rows"]:
        assert len(row) == len(data["columns"])
        for column, value in zip(data["columns"], row, strict=True):
            if value is not None:
                _looks_right(column, value)
    return data


def _no_float(text: str) -> float:
    raise AssertionError(f"{text} is a binary number; decimals are texts")


def _looks_right(column: dict[str, Any], value: object) -> None:
    match column["dataType"]:
        case "integer":
            assert type(value) is int
        case "decimal":
            assert isinstance(value, str)
            assert Decimal(value).is_finite()
        case "date":
            assert isinstance(value, str)
            date.fromisoformat(value)
        case "datetime":
            assert isinstance(value, str)
            assert len(value) == 10 or datetime.fromisoformat(value).utcoffset() is not None
        case _:
            assert isinstance(value, str)
            assert 1 <= len(value) <= column["length"]


def records_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a dataset by the names of their columns; what has no value is left out."""
    data = read_json(path)
    names = [column["name"] for column in data["columns"]]
    return [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in data["rows"]]


def check_schema(path: Path) -> None:
    """Hold a dataset against CDISC's published schema; skipped where that is not beside the project."""
    import jsonschema

    if not SCHEMA.exists():
        pytest.skip(f"CDISC's schema is not beside the project ({SCHEMA})")
    jsonschema.Draft201909Validator(json.loads(SCHEMA.read_bytes())).validate(json.loads(path.read_bytes()))


def plain_csv(cell: str) -> str:
    """A cell's text without the apostrophe that keeps a spreadsheet from running it."""
    return cell.removeprefix("'")


def same_everywhere(data: dict[str, Any], cells: Sequence[Sequence[str]], sheet: Sequence[Sequence[Any]]) -> None:
    """The rows of a dataset are those of the CSV file and those of the workbook."""
    assert len(data["rows"]) == len(cells) == len(sheet)
    for row, texts, values in zip(data["rows"], cells, sheet, strict=True):
        for column, value, text, cell in zip(data["columns"], row, texts, values, strict=True):
            where = (column["name"], row)
            if value is None:
                assert (text, cell) == ("", None), where
                continue
            if isinstance(cell, bool):
                assert (text, cell) == (value, value == "Y"), where
                continue
            assert plain_csv(text) == str(value), where
            match column["dataType"]:
                case "integer":
                    assert cell == value, where
                case "decimal":
                    # A workbook keeps 16 digits.
                    assert cell == pytest.approx(float(Decimal(value)), rel=1e-15), where
                case "date":
                    assert cell == datetime.fromisoformat(value), where
                case "datetime":
                    assert cell == datetime.fromisoformat(value).replace(tzinfo=None, microsecond=0), where
                case _:
                    assert cell == value, where
