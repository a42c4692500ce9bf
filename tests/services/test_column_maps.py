"""Sponsors' column maps: their columns, their names, their order and forms; a map with a slip says where it is."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.column_maps import ColumnMap, mapped, read_map, say_in, shipped_maps
from pharmacy_app.services.documents import DocumentForm, attach_document
from pharmacy_app.services.tables import TABLES
from tests.services.pharmacy import Pharmacy
from tests.services.taken import check_schema, read_csv, read_json, read_sheet, take

THEIRS = """
format = 1
title = "Sponsor's log"
table = "ledger"
missing = "N/A"
[[column]]
header = "Menge (µg)"
column = "dose_mg"
unit = "µg"
[[column]]
header = "Datum"
column = "done_at"
date = "DD.MM.YYYY hh:mm:ss"
[[column]]
header = "=Studie"
study = "protocol number"
[[column]]
header = "Form"
constant = "Durchstechflasche"
[[column]]
header = "Verfall"
column = "expires_on"
date = "MMM-YYYY"
[[column]]
header = "Verfall noch einmal"
column = "expires_on"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where files are taken to."""
    return tmp_path / "taken"


def attach(pharmacy: Pharmacy, text: str = THEIRS, signed_by: str = "J. Roth, Pfizer", kind: str = "approval") -> str:
    """Attach a map as a document; returns its number."""
    form = DocumentForm("Column map", kind, "", signed_by, pharmacy.day(), "map.txt")
    return str(attach_document(pharmacy.desk, pharmacy.act("paula"), form, text.encode()).content["document_id"])


def faults_of(text: str) -> dict[str, str]:
    """What is wrong with a map, by its place."""
    with pytest.raises(Refused) as refused:
        read_map(text.encode(), "theirs")
    return {fault.field: fault.sentence for fault in refused.value.faults}


def with_column(lines: str) -> str:
    """A map of the ledger with this one column."""
    return f'format = 1\ntable = "ledger"\n[[column]]\n{lines}\n'


# --- the map that ships ----------------------------------------------------------------------------------------------


def test_the_shipped_map_is_the_site_log_in_another_order(pharmacy: Pharmacy, folder: Path) -> None:
    """Every column of the site-level record (REGULATION 6.2) but initials, each once, lot first."""
    (shipped,) = shipped_maps()
    assert (shipped.name, shipped.table) == ("site-log", "ledger")
    pharmacy.stock_up()
    pharmacy.enroll()
    pharmacy.dose("given")
    made = take(pharmacy, folder, "ledger", "csv", column_map="site-log")
    header, rows = read_csv(made.path)
    assert header == [each.header for each in shipped.columns]
    assert header[5:11] == ["Strength (mg)", "Lot", "Expiry or retest", "Line", "Event", "Entered"]
    assert not [name for name in header if "nitials" in name and "Monitor" not in name]
    opened = dict(zip(header, next(row for row in rows if "DISPENSE" in row), strict=True))
    # 1.46 mg are 1460 µg.
    assert (opened["Dose (µg)"], opened["Event"], opened["Expiry or retest"]) == (
        "1460",
        "02-Mar-2026 08:00",
        "31-Mar-2027",
    )
    assert (opened["Protocol"], opened["Product"], opened["Quantity out"]) == ("INO-LD-2", "inotuzumab ozogamicin", "2")
    # No blank cells: a value, or N/A (REGULATION A-12).
    assert all(cell for row in rows for cell in row)
    assert made.event.content["map"] == {"name": "site-log", "sha256": shipped.sha256}
    assert made.event.content["columns"] == header


def test_the_map_reads_back_the_same_from_a_workbook_and_a_dataset(pharmacy: Pharmacy, folder: Path) -> None:
    pharmacy.stock_up()
    (map_,) = shipped_maps()
    made = take(pharmacy, folder, "ledger", "xlsx", column_map="site-log")
    header, rows = read_sheet(made.path)
    assert header == [each.header for each in map_.columns]
    first = dict(zip(header, rows[0], strict=True))
    # Dates stay dates in a workbook, whatever they look like.
    assert first["Event"] == datetime.fromisoformat("2026-03-02T08:00")
    assert first["Verifier"] == "N/A"
    data = read_json(take(pharmacy, folder, "ledger", "json", column_map="site-log").path)
    assert [column["name"] for column in data["columns"]] == header
    first = dict(zip(header, data["rows"][0], strict=True))
    assert first["Event"] == "02-Mar-2026 08:00"
    # A dataset has its own word for what is missing.
    assert first["Verifier"] is None


# --- a sponsor's own --------------------------------------------------------------------------------------------------


def test_a_map_that_the_sponsor_signed_for_is_named_by_its_document(pharmacy: Pharmacy, folder: Path) -> None:
    pharmacy.receive()
    number = attach(pharmacy)
    header, rows = read_csv(take(pharmacy, folder, "ledger", "csv", column_map=number.lower()).path)
    # A header is kept from being run like any other cell.
    assert header == ["Menge (µg)", "Datum", "'=Studie", "Form", "Verfall", "Verfall noch einmal"]
    assert rows == [["N/A", "02.03.2026 08:00:00", "INO-LD-2", "Durchstechflasche", "Mar-2027", "2027-03-31"]]
    made = take(pharmacy, folder, "ledger", "json", column_map=number)
    assert made.event.content["map"]["name"] == number
    assert pharmacy.events("document_attached")[0].content["sha256"] == made.event.content["map"]["sha256"]
    check_schema(made.path)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (lambda p: attach(p, kind="letter", signed_by=""), "names nobody who signed it"),
        (lambda _: "F0000990", "No document F0000990"),
        (lambda p: attach(p, text="not = [a map"), "cannot be read"),
        (lambda p: attach(p, text=THEIRS.replace('"ledger"', '"vials"')), "is no column of “vials”"),
    ],
)
def test_a_document_that_is_no_signed_map(
    pharmacy: Pharmacy, folder: Path, named: Callable[[Pharmacy], str], words: str
) -> None:
    number = named(pharmacy)
    with pytest.raises(Refused, match=words):
        take(pharmacy, folder, "ledger", "csv", column_map=number)


def test_a_map_of_another_table(pharmacy: Pharmacy, folder: Path) -> None:
    with pytest.raises(Refused, match="The column map site-log is of “ledger”, not of “vials”"):
        take(pharmacy, folder, "vials", "csv", column_map="site-log")
    with pytest.raises(Refused, match="not of “DA”"):
        take(pharmacy, folder, "DA", "json", column_map="site-log")


# --- slips ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('header = "A"\ncolumn = "lots"', "“lots”, which is no column of “ledger”. There are: line_id, done_at"),
        ('column = "lot"', "has no header"),
        ('header = " "\ncolumn = "lot"', "has no header"),
        ('header = "A"', "needs one of column, constant and study"),
        ('header = "A"\ncolumn = "lot"\nconstant = "x"', "needs one of column, constant and study"),
        ('header = "A"\ncolumn = "lot"\ncolour = "red"', "has “colour”, which nothing reads"),
        ('header = "A"\nconstant = 3', "a value that is not a text"),
        ('header = "A"\nstudy = "budget"', "asks for “budget”. Of the study there are: protocol number"),
        ('header = "A"\ncolumn = "lot"\ndate = "YYYY"', "has a form of dates, but is no date"),
        ('header = "A"\nconstant = "x"\ndate = "YYYY"', "has a form of dates, but is no date"),
        ('header = "A"\ncolumn = "expires_on"\ndate = "DD-MMM-YYYY hh:mm"', "writes dates as “DD-MMM-YYYY hh:mm”"),
        ('header = "A"\ncolumn = "done_at"\ndate = "%d.%m."', "writes dates as “%d.%m.”, which cannot be read"),
        ('header = "A"\ncolumn = "dose_mg"\nunit = "lb"', "cannot be in lb: it is in mg, or µg, g."),
        ('header = "A"\ncolumn = "lot"\nunit = "µg"', "cannot be in µg: it is in nothing."),
        ('header = "A"\nconstant = "x"\nunit = "µg"', "cannot be in µg: it is in nothing."),
    ],
)
def test_a_slip_in_a_column_is_said_with_its_place(lines: str, words: str) -> None:
    assert words in faults_of(with_column(lines))["column_map.1"]
    assert faults_of(with_column(lines))["column_map.1"].startswith("Column 1 of the map ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is of no table of ours (“”). Choose of: ledger, vials"),
        ('format = 1\ntable = "DA"', "is of no table of ours (“DA”)"),
        ('format = 1\ntable = "ledger"', "has no columns"),
        ('format = 1\ntable = "ledger"\ncolumn = "lot"', "has no columns"),
        ('format = 1\ntable = "ledger"\ncolumn = ["lot"]', "has no columns"),
        (THEIRS.replace("format = 1", "format = 2"), "must say format = 1"),
        (THEIRS.replace("format = 1", 'format = 1\nauthor = "me"'), "has “author”, which nothing reads"),
        (THEIRS.replace('missing = "N/A"', "missing = 0"), "“missing” of column map theirs is not a text"),
        (THEIRS.replace('"Verfall noch einmal"', '"Verfall"'), "Two columns are called “Verfall”"),
        ("[[column]", "cannot be read"),
    ],
)
def test_a_slip_in_the_map_is_said(text: str, words: str) -> None:
    assert any(words in sentence for sentence in faults_of(text).values())


def test_every_slip_is_said_at_once() -> None:
    text = with_column('header = "A"\ncolumn = "lots"') + '[[column]]\nheader = "B"\ncolumn = "dose"\n'
    assert faults_of(text).keys() == {"column_map.1", "column_map.2"}


def test_a_map_that_is_no_utf_8() -> None:
    with pytest.raises(Refused, match="no UTF-8 text"):
        read_map(b"format = 1 # \xe4", "theirs")
    # A byte-order mark, as some editors write it, is nothing.
    assert isinstance(read_map(b"\xef\xbb\xbf" + THEIRS.encode(), "theirs"), ColumnMap)


# --- forms and units --------------------------------------------------------------------------------------------------

AT = datetime(2026, 3, 2, 8, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("YYYY-MM-DD", "2026-03-02"),
        ("DD-MMM-YYYY hh:mm", "02-Mar-2026 08:04"),
        ("DD.MM.YYYY hh:mm:ss", "02.03.2026 08:04:09"),
        ("MM/DD/YYYY", "03/02/2026"),
        ("YYYYMMDDThhmm", "20260302T0804"),
    ],
)
def test_dates_are_written_as_the_sponsor_has_them(form: str, said: str) -> None:
    assert say_in(AT, form) == said


@pytest.mark.parametrize(
    ("mg", "micrograms"),
    [("1.46", "1460"), ("0.0005", "0.5"), ("0.123456789", "123.456789"), ("100", "100000"), ("0", "0")],
)
def test_a_unit_is_converted_to_the_last_digit(mg: str, micrograms: str) -> None:
    by = read_map(with_column('header = "A"\ncolumn = "dose_mg"\nunit = "µg"').encode(), "theirs")
    table = TABLES["ledger"]
    columns, row_of = mapped(table, by, lambda name: name, "")
    row = tuple(Decimal(mg) if column.name == "dose_mg" else None for column in table.columns)
    (value,) = row_of(row)
    assert format(value, "f") == micrograms
    assert [column.name for column in columns] == ["A"]
