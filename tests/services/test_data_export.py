"""Taking data away: the same rows in every format, read back by other hands; who took what stays in the journal; and
nothing is left of an export that came to nothing.
"""

import os
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from pharmacy_app.domain.errors import Refused, Unavailable
from pharmacy_app.services import data_export, table_files
from pharmacy_app.services.accounts import AccountChange, change_account
from pharmacy_app.services.data_export import EXPORTS, ExportForm, export_data
from pharmacy_app.services.desk import Denied
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.ports import ReviewFilter
from pharmacy_app.services.queries import QueryForm, open_query
from pharmacy_app.services.reviews import VerifyForm, seen, verify_entries
from pharmacy_app.services.stock import QuarantineForm, quarantine
from pharmacy_app.services.table_files import About, table_file
from pharmacy_app.services.tables import TABLES, Column, Kind, Value
from pharmacy_app.services.visits import OpenVisitForm, PlanForm, open_visit, plan_visit
from tests.services.pharmacy import Pharmacy
from tests.services.taken import check_schema, read_csv, read_json, read_sheet, records_of, same_everywhere, take
from tests.services.test_corrections import put_right

NASTY = (
    '=HYPERLINK("http://x","ä")',
    "+49 30 1",
    "-2+3",
    "@SUM(A1)",
    'Größe „12“, "zitiert"; Komma, Ende',
    "Zeile eins\nZeile zwei",
    "_x0041_ & <b>",
    "007",
    "'=1",
    "'tis the last kit",
)
"""What people type, and what a spreadsheet would make of it."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where files are taken to."""
    made = tmp_path / "taken"
    made.mkdir()
    return made


@pytest.fixture
def used(pharmacy: Pharmacy) -> Pharmacy:
    """A pharmacy with stock of both strengths, a dose given and closed, and a reserved one."""
    pharmacy.stock_up(lots=(LotTyped("1", "A1", "2027-03-31", "8"), LotTyped("4", "B1", "2027-06-30", "2")))
    pharmacy.enroll()
    units = tuple(vial.unit_number for vial in pharmacy.vials(lot="A1"))
    pharmacy.dose("closed", units=units[:2])
    pharmacy.enroll("002")
    pharmacy.dose("planned", "002", units=units[2:4])
    return pharmacy


def faults_of(act: Callable[[], object]) -> dict[str, str]:
    """The faults with which an export is refused, by their fields."""
    with pytest.raises(Refused) as refused:
        act()
    return {fault.field: fault.sentence for fault in refused.value.faults}


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- the same rows in every format ------------------------------------------------------------------------------


@pytest.mark.parametrize("what", EXPORTS)
def test_every_table_reads_back_the_same_in_every_format(used: Pharmacy, folder: Path, what: str) -> None:
    made = {form: take(used, folder, what, form) for form in ("csv", "xlsx", "json")}
    data = read_json(made["json"].path)
    header, cells = read_csv(made["csv"].path)
    titles, sheet = read_sheet(made["xlsx"].path)
    assert header == [column["name"] for column in data["columns"]] == [each.name for each in EXPORTS[what].columns]
    assert titles == [column["label"] for column in data["columns"]]
    if what == "audit-trail":
        # Each export is an entry itself: the later ones have it.
        sheet = sheet[: len(cells)]
        data["rows"] = data["rows"][: len(cells)]
    same_everywhere(data, cells, sheet)
    assert made["csv"].rows == len(cells)
    check_schema(made["json"].path)


def test_an_empty_study_has_headers_and_no_rows(pharmacy: Pharmacy, folder: Path) -> None:
    datasets = []
    for what, table in EXPORTS.items():
        made = {form: take(pharmacy, folder, what, form) for form in ("csv", "xlsx", "json")}
        if what == "audit-trail":
            assert made["json"].rows == pharmacy.count() - 1
        else:
            assert {each.rows for each in made.values()} == {0}, what
            assert read_csv(made["csv"].path)[1] == read_sheet(made["xlsx"].path)[1] == []
        assert len(read_csv(made["csv"].path)[0]) == len(table.columns)
        read_json(made["json"].path)
        datasets.append(made["json"].path)
    for path in datasets:
        check_schema(path)


def test_a_csv_file_is_what_rfc_4180_asks_for(used: Pharmacy, folder: Path) -> None:
    content = take(used, folder, "ledger", "csv").path.read_bytes()
    assert content.endswith(b"\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == len(read_csv(folder / "ledger-0.csv")[1]) + 1
    assert not content.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("text", NASTY)
def test_what_people_type_stays_what_it_is_and_is_never_run(pharmacy: Pharmacy, folder: Path, text: str) -> None:
    pharmacy.receive(note=text)
    at = [each.name for each in TABLES["shipments"].columns].index("note")
    (cells,) = read_csv(take(pharmacy, folder, "shipments", "csv").path)[1]
    harmless = text.startswith(("=", "+", "-", "@", "'"))
    assert cells[at] == (f"'{text}" if harmless else text)
    made = take(pharmacy, folder, "shipments", "xlsx")
    cell = openpyxl.load_workbook(made.path)["Data"].cell(2, at + 1)
    assert (unescape(cell.value), cell.data_type) == (text, "s")
    assert cell.quotePrefix is harmless
    (record,) = records_of(take(pharmacy, folder, "shipments").path)
    assert record["note"] == text


def test_a_workbook_has_real_values_a_header_that_stays_and_filters(used: Pharmacy, folder: Path) -> None:
    made = take(used, folder, "ledger", "xlsx")
    book = openpyxl.load_workbook(made.path)
    assert book.sheetnames == ["Data", "Columns", "About"]
    sheet = book["Data"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:AG{made.rows + 1}"
    first = {title.value: cell for title, cell in zip(sheet[1], sheet[2], strict=True)}
    assert first["Event date and time"].value == datetime.fromisoformat("2026-03-02T08:00")
    assert first["Event date and time"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert first["Expiry"].value == datetime.fromisoformat("2027-03-31")
    assert first["Expiry"].number_format == "yyyy-mm-dd"
    assert (first["Strength (mg)"].value, first["Strength (mg)"].data_type) == (1, "n")
    assert first["Dose amount (mg)"].value is None
    assert all(10 <= sheet.column_dimensions[letter].width <= 62 for letter in "BCDM")
    about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    assert about["Chosen by"] == "nothing left out"
    assert about["Rows"] == str(made.rows)
    assert about["Times"] == "of the site: America/Chicago"
    assert made.event.content["head_hash"] in about["Record"]
    assert [row[0].value for row in book["Columns"].iter_rows(min_row=2)] == [
        each.name for each in TABLES["ledger"].columns
    ]


def test_the_list_of_variables_lies_beside_and_is_in_the_journal(used: Pharmacy, folder: Path) -> None:
    made = take(used, folder, "doses")
    assert made.variables == folder / "doses-0.json.variables.csv"
    header, rows = read_csv(made.variables)
    assert header == ["name", "label", "type", "length", "unit", "key", "origin", "codelist"]
    assert rows[0] == ["dose_id", "Dose", "string", "8", "", "", "order", ""]
    assert rows[9] == ["prescribed_mg", "Prescribed dose", "decimal", "", "mg", "", "order", ""]
    assert made.event.content["variables"] == {
        "file_name": "doses-0.json.variables.csv",
        "sha256": sha256(made.variables.read_bytes()).hexdigest(),
    }
    assert take(used, folder, "doses", "xlsx").variables is None


def test_every_column_has_a_name_of_its_own_and_says_where_it_comes_from() -> None:
    for table in EXPORTS.values():
        for names in ([each.name for each in table.columns], [each.title for each in table.columns]):
            assert len(names) == len(set(names)), table.name
        assert all(each.source and each.label for each in table.columns)
        for chosen in (table.day, table.subject, table.strength, table.lot, table.place):
            assert not chosen or table.at(chosen) >= 0


# --- what is in the tables ----------------------------------------------------------------------------------------


def test_the_ledger_counts_on(used: Pharmacy, folder: Path) -> None:
    """8 + 2 received and released; two of the 1 mg vials opened: 6 of them and 2 of the others stay on site."""
    rows = records_of(take(used, folder, "ledger").path)
    last = {row["strength_mg"]: row for row in rows}
    assert last["1"]["balance_on_site"] == 6
    assert last["4"]["balance_on_site"] == 2
    assert sum(row["quantity_in"] for row in rows) == 10
    assert sum(row["quantity_out"] for row in rows) == 2
    (opened,) = (row for row in rows if row["move"] == "open")
    assert (opened["subject_number"], opened["dose_mg"], opened["cycle_day"]) == ("001", "1.46", "C1 D1")
    assert "initials" not in opened


def test_rows_of_some_days_keep_the_balance_brought_forward(used: Pharmacy, folder: Path) -> None:
    used.clock.forward(hours=24)
    unit = used.vials(state="available", lot="A1")[0].unit_number
    quarantine(used.desk, used.act("tim"), QuarantineForm((unit,), "warm"))
    made = take(used, folder, "ledger", from_on="2026-03-03", strength_mg="1")
    (row,) = records_of(made.path)
    assert (row["balance_available"], row["balance_quarantine"]) == (5, 1)
    assert made.event.content["filter"] == {"from_on": "2026-03-03", "strength_mg": "1"}
    before = take(used, folder, "ledger", to_on="2026-03-02")
    assert before.rows + 1 == take(used, folder, "ledger").rows
    both = take(used, folder, "ledger", from_on="2026-03-03", to_on="2026-03-03", lot="B1")
    assert both.rows == 0


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        (datetime(2026, 3, 3, 5, 59, tzinfo=UTC), "2026-03-02"),
        (datetime(2026, 3, 3, 6, 0, tzinfo=UTC), "2026-03-03"),
    ],
)
def test_a_day_is_the_sites_day(pharmacy: Pharmacy, folder: Path, moment: datetime, on: str) -> None:
    """Midnight of Chicago in winter is 06:00 UTC."""
    pharmacy.clock.now = moment
    pharmacy.receive()
    assert take(pharmacy, folder, "shipments", from_on=on, to_on=on).rows == 1
    other = "2026-03-03" if on == "2026-03-02" else "2026-03-02"
    assert take(pharmacy, folder, "shipments", from_on=other, to_on=other).rows == 0


def test_one_subject_is_chosen_in_every_table_that_knows_subjects(used: Pharmacy, folder: Path) -> None:
    for what, count in (("doses", 1), ("vials", 2), ("dispensing", 1), ("medication-errors", 0)):
        rows = records_of(take(used, folder, what, subject_number="001").path)
        assert len(rows) == count
        assert {row["subject_number"] for row in rows} <= {"001"}
    moves = [row["move"] for row in records_of(take(used, folder, "ledger", subject_number="001").path)]
    # 0.34 mg were discarded and 0.1 mg cannot be drawn: both vials are empty.
    assert moves == ["reserve", "open", "close empty"]
    trail = records_of(take(used, folder, "audit-trail", subject_number="002").path)
    assert {row["kind"] for row in trail} >= {"subject_enrolled", "dose_ordered", "dose_decided", "vials_reserved"}
    assert "dose_administered" not in {row["kind"] for row in trail}


def test_the_dispensing_log_has_the_whole_line_of_a_dose(used: Pharmacy, folder: Path) -> None:
    """171 cm, 70 kg: √3.325 = 1.8234582… m²; 0.1 + 0.1 mg residue, 0.34 mg wasted of the usual two vials."""
    (row,) = records_of(take(used, folder, "dispensing").path)
    assert row["bsa_m2"].startswith("1.82345825")
    assert (row["height_cm"], row["weight_kg"], row["dose_mg_per_m2"]) == ("171", "70", "0.8")
    assert (row["prescribed_mg"], row["prepared_mg"], row["administered_mg"]) == ("1.46", "1.4600", "1.46")
    assert (Decimal(row["residue_mg"]), Decimal(row["discarded_mg"])) == (Decimal("0.2"), Decimal("0.34"))
    assert (row["vials_1mg"], row["vials_4mg"], row["lots"]) == (2, 0, "A1")
    assert (row["prepared_by"], row["verified_by"]) == ("Tim Lindqvist", "Carla Okafor")
    assert row["started_at"] == "2026-03-02T08:00:00-06:00"


def test_a_dose_of_which_nothing_was_given_has_no_administered_amount(used: Pharmacy, folder: Path) -> None:
    (dose,) = used.events("dose_administered")
    put_right(used, dose.seq, "nothing ran in", given="0", stopped_for="reaction")
    (row,) = records_of(take(used, folder, "dispensing").path)
    names = ("administered_mg", "administered_percent", "started_at", "ended_at")
    assert [row.get(name) for name in names] == [None] * 4
    assert row["comment"] == "not given: reaction"
    (row,) = records_of(take(used, folder, "doses", subject_number="001").path)
    assert (row.get("administered_mg"), row.get("given_on"), row["prescribed_mg"]) == (None, None, "1.46")


def test_a_correction_is_the_value_and_the_line_says_by_whom(used: Pharmacy, folder: Path) -> None:
    unit = used.vials(state="available", lot="A1")[0].unit_number
    event = quarantine(used.desk, used.act("tim"), QuarantineForm((unit,), "wrong vial"))
    undone = put_right(used, event.seq, "it was the one beside it")
    rows = records_of(take(used, folder, "ledger").path)
    (taken_back,) = (row for row in rows if row["event_seq"] == event.seq)
    assert (taken_back["corrected_by_seq"], taken_back["corrected_why"]) == (undone.seq, "it was the one beside it")
    (line,) = records_of(take(used, folder, "corrections").path)
    assert (line["corrects_seq"], line["signed_by"]) == (event.seq, "Paula Reyes, Carla Okafor")


def test_what_the_monitor_verified_and_asked_is_in_the_tables(used: Pharmacy, folder: Path) -> None:
    visit = plan_visit(used.desk, used.act("mona"), PlanForm("mona", used.day(), used.day(), "monitoring"))
    number = visit.content["visit"]
    open_visit(used.desk, used.act("mona"), OpenVisitForm(number))
    receipt = used.events("shipment_received")[0].seq
    with used.desk.store.read() as reader:
        (entry,) = (
            each
            for each in reader.review_entries(ReviewFilter(), by_risk=False, offset=0, limit=500)
            if each.seq == receipt
        )
    verify_entries(used.desk, used.act("mona"), VerifyForm(number, seen((entry,))))
    open_query(used.desk, used.act("mona"), QueryForm("=Where is kit 7?", entry=str(receipt)))
    rows = records_of(take(used, folder, "ledger").path)
    assert {row.get("monitor_verified") for row in rows if row["event_seq"] == receipt} == {"MS 02-Mar-2026"}
    assert {row.get("monitor_verified") for row in rows if row["event_seq"] != receipt} == {None}
    (query,) = records_of(take(used, folder, "queries").path)
    assert (query["text"], query["status"], query["entry_seq"]) == ("=Where is kit 7?", "open", receipt)


# --- nothing personal ----------------------------------------------------------------------------------------------


def test_neither_initials_nor_birth_leave_the_pharmacy(used: Pharmacy, folder: Path) -> None:
    """Subject 001 has the initials RTK and was born on 17 May 1980; both were corrected."""
    enrolled = used.events("subject_enrolled")[0]
    put_right(used, enrolled.seq, initials="QXZ", birth="1981-06-18")
    for what in EXPORTS:
        for form in ("csv", "json"):
            text = take(used, folder, what, form).path.read_text("utf-8")
            for personal in ("RTK", "QXZ", "1980-05-17", "1981-06-18"):
                assert personal not in text, (what, personal)
        _, rows = read_sheet(take(used, folder, what, "xlsx").path)
        words = {word for row in rows for cell in row for word in str(cell).replace('"', " ").split()}
        assert not {"RTK", "QXZ", "1980-05-17", "1981-06-18"} & words
    # That they were corrected is told.
    assert {row["label"] for row in records_of(take(used, folder, "corrections").path)} == {
        "Initials",
        "Day or year of birth",
    }


# --- who took what ---------------------------------------------------------------------------------------------------


def test_the_journal_keeps_who_took_what(used: Pharmacy, folder: Path) -> None:
    with used.desk.store.read() as reader:
        head = reader.head()
    made = take(used, folder, "vials", "csv", who="tim", lot="A1", place="Refrigerator 1")
    event = used.events()[-1]
    assert (event.kind, event.actor_name) == ("data_exported", "Tim Lindqvist")
    content = event.content
    assert (content["what"], content["format"], content["file_name"]) == ("vials", "csv", "vials-0.csv")
    assert content["filter"] == {"lot": "A1", "place": "Refrigerator 1"}
    assert (content["rows"], content["map"], content["de_identified"]) == (8, None, "yes")
    assert content["sha256"] == made.sha256 == sha256(made.path.read_bytes()).hexdigest()
    assert content["size_bytes"] == made.path.stat().st_size
    assert (content["head_seq"], content["head_hash"]) == (head.seq, head.hash)
    assert event.seq == head.seq + 1
    used.assert_sound()


def test_the_same_act_again_writes_nothing_more(used: Pharmacy, folder: Path) -> None:
    act = used.act("mona")
    form = ExportForm("stock", "csv", str(folder / "stock.csv"))
    first = export_data(used.desk, act, form)
    first.path.unlink()
    count = used.count()
    again = export_data(used.desk, act, form)
    assert (again.event.seq, again.sha256, used.count()) == (first.event.seq, first.sha256, count)
    assert not first.path.exists()
    with pytest.raises(Refused, match="recorded already, with other content"):
        export_data(used.desk, act, replace(form, what="vials"))


def test_who_may_not_leaves_no_file_and_the_try_is_recorded(used: Pharmacy, folder: Path) -> None:
    act = used.act("tim")
    account_id = used.sessions["tim"].account_id
    change = AccountChange(account_id, ("technician",), "2026-03-01", "", False, "left the hospital")
    change_account(used.desk, used.act("robin"), change)
    with pytest.raises(Denied, match="disabled"):
        export_data(used.desk, act, ExportForm("stock", "csv", str(folder / "stock.csv")))
    assert left_in(folder) == []
    assert (used.events()[-1].kind, used.events()[-1].content["act"]) == ("access_denied", "data_exported")


# --- what is wrong with the form ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"what": "secrets"}, "what", "What to take away: choose ledger"),
        ({"format": "pdf"}, "format", "The format: choose csv, xlsx or json"),
        ({"path": ""}, "path", "Name the file"),
        ({"format": "xlsx"}, "path", "ends in .xlsx. Name it ledger.xlsx"),
        ({"from_on": "tomorrow"}, "from_on", "is not a date"),
        ({"from_on": "2026-03-03", "to_on": "2026-03-02"}, "to_on", "is before 03-Mar-2026"),
        ({"subject_number": "999"}, "subject_number", "999 is not enrolled"),
        ({"strength_mg": "2"}, "strength_mg", "choose 1 or 4"),
        ({"lot": "Z9"}, "lot", "no lot Z9"),
        ({"place": "Attic"}, "place", "no place Attic"),
        ({"column_map": "theirs"}, "column_map", "no column map “theirs”. Choose site-log"),
    ],
)
def test_a_form_that_cannot_be_read_says_why(
    used: Pharmacy, folder: Path, changes: dict[str, str], field: str, words: str
) -> None:
    form = ExportForm("ledger", "csv", str(folder / "ledger.csv"))
    count = used.count()
    faults = faults_of(lambda: export_data(used.desk, used.act("mona"), replace(form, **changes)))
    assert words in faults[field]
    assert left_in(folder) == []
    assert used.count() == count


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a" * 252, "File name too long"),
        ("a" * 238, "its list of variables, cannot have this name"),
        ("a\0b", "a character that no name can have"),
        ("a\ud800b", "a character that no name can have"),
    ],
)
def test_a_name_that_no_file_can_have_is_refused_beside_it(used: Pharmacy, folder: Path, name: str, words: str) -> None:
    """A name has 255 bytes at most: 4 are its ending, 14 more those of the list of variables beside it."""
    count = used.count()
    form = ExportForm("stock", "csv", str(folder / f"{name}.csv"))
    faults = faults_of(lambda: export_data(used.desk, used.act("mona"), form))
    assert faults.keys() == {"path"}
    assert words in faults["path"]
    assert left_in(folder) == []
    assert used.count() == count


def test_the_longest_name_with_its_list_beside_it_is_taken(used: Pharmacy, folder: Path) -> None:
    made = export_data(used.desk, used.act("mona"), ExportForm("stock", "csv", str(folder / f"{'a' * 237}.csv")))
    assert made.variables is not None
    assert made.variables.exists()


def test_a_table_says_what_it_cannot_be_chosen_by(used: Pharmacy, folder: Path) -> None:
    form = ExportForm(
        "documents",
        "csv",
        str(folder / "d.csv"),
        subject_number="001",
        lot="A1",
        place="Refrigerator 1",
        strength_mg="1",
    )
    faults = faults_of(lambda: export_data(used.desk, used.act("mona"), form))
    assert faults.keys() == {"subject_number", "lot", "place", "strength_mg"}
    assert "“Documents” cannot be chosen by lot" in faults["lot"]
    vials = replace(form, what="vials", subject_number="", from_on="2026-03-02")
    assert faults_of(lambda: export_data(used.desk, used.act("mona"), vials)).keys() == {"from_on"}


@pytest.mark.parametrize("taken", ["stock.csv", "stock.csv.variables.csv"])
def test_nothing_is_written_over(used: Pharmacy, folder: Path, taken: str) -> None:
    (folder / taken).write_text("mine")
    form = ExportForm("stock", "csv", str(folder / "stock.csv"))
    faults = faults_of(lambda: export_data(used.desk, used.act("mona"), form))
    assert f"“{taken}” already" in faults["path"]
    assert (folder / taken).read_text() == "mine"
    assert left_in(folder) == [taken]


def test_a_file_that_came_up_meanwhile_is_not_written_over_either(used: Pharmacy, folder: Path) -> None:
    def comes_up(done: int, total: int) -> None:
        if done == total:
            (folder / "stock.csv").write_text("mine")

    form = ExportForm("stock", "csv", str(folder / "stock.csv"))
    count = used.count()
    faults = faults_of(lambda: export_data(used.desk, used.act("mona"), form, tell=comes_up))
    assert "already" in faults["path"]
    assert left_in(folder) == ["stock.csv"]
    assert (folder / "stock.csv").read_text() == "mine"
    assert used.count() == count


# --- what comes to nothing -------------------------------------------------------------------------------------------


class Stopped(Exception):
    """The person at the screen has had enough."""


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_stopped_half_way_it_leaves_no_file_and_no_entry(
    used: Pharmacy, folder: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_export, "TOLD_EVERY", 2)
    told: list[tuple[int, int]] = []
    seen_then: list[list[str]] = []

    def enough(done: int, total: int) -> None:
        told.append((done, total))
        if done > total / 2:
            seen_then.append(left_in(folder))
            raise Stopped

    count = used.count()
    with pytest.raises(Stopped):
        export_data(used.desk, used.act("mona"), ExportForm("vials", form, str(folder / f"v.{form}")), tell=enough)
    assert told == [(0, 10), (2, 10), (4, 10), (6, 10)]
    # Half a file had no name by which anybody could take it for a whole one.
    assert all(name.startswith(".export-") for name in seen_then[0])
    assert left_in(folder) == []
    assert used.count() == count
    export_data(used.desk, used.act("mona"), ExportForm("vials", form, str(folder / f"v.{form}")))
    assert f"v.{form}" in left_in(folder)


def test_one_who_watches_is_told_from_nothing_to_all(used: Pharmacy, folder: Path) -> None:
    told: list[tuple[int, int]] = []
    form = ExportForm("DA", "csv", str(folder / "da.csv"))
    export_data(used.desk, used.act("mona"), form, tell=lambda done, total: told.append((done, total)))
    # Datasets are gone through subject by subject: there are two.
    assert told == [(0, 2), (2, 2)]


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_a_full_disk_leaves_no_file_and_no_entry(used: Pharmacy, folder: Path, form: str) -> None:
    """The system lets no file grow past 40 kB: the audit trail, with the protocol's text in it, does not fit."""
    resource = pytest.importorskip("resource")
    act, count = used.act("mona"), used.count()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_960, hard))
    try:
        with pytest.raises(Unavailable, match=r"There is no room .*Nothing was taken away"):
            export_data(used.desk, act, ExportForm("audit-trail", form, str(folder / f"a.{form}")))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_in(folder) == []
    assert used.count() == count


def test_a_folder_that_is_not_there_or_may_not_be_written(used: Pharmacy, folder: Path) -> None:
    count = used.count()
    with pytest.raises(Unavailable, match="is not there"):
        export_data(used.desk, used.act("mona"), ExportForm("stock", "csv", str(folder / "no" / "s.csv")))
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return  # the administrator of this PC may write everywhere
    folder.chmod(0o500)
    try:
        with pytest.raises(Unavailable, match="cannot be written"):
            export_data(used.desk, used.act("mona"), ExportForm("stock", "csv", str(folder / "s.csv")))
    finally:
        folder.chmod(0o700)
    assert used.count() == count


def test_when_the_journal_cannot_be_written_the_file_goes_again(
    used: Pharmacy, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: list[list[str]] = []

    def no_journal(*_: object) -> None:
        whole.append(left_in(folder))
        raise Unavailable("Another program holds the database.")

    monkeypatch.setattr(data_export, "perform", no_journal)
    with pytest.raises(Unavailable, match="holds the database"):
        take(used, folder, "stock", "csv")
    # It was complete when the journal was asked, and is gone now.
    assert whole == [["stock-0.csv", "stock-0.csv.variables.csv"]]
    assert left_in(folder) == []


def test_a_disk_without_links_takes_files_too(used: Pharmacy, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    made = take(used, folder, "stock", "csv")
    assert sha256(made.path.read_bytes()).hexdigest() == made.sha256
    assert left_in(folder) == ["stock-0.csv", "stock-0.csv.variables.csv"]


def test_with_the_clock_set_back_the_file_does_not_say_when_the_record_was_changed(
    used: Pharmacy, folder: Path
) -> None:
    """dbLastModifiedDateTime is never after the file's own moment (REGULATION X-01): then it is left out."""
    assert "dbLastModifiedDateTime" in read_json(take(used, folder, "stock").path)
    used.clock.forward(minutes=-30)
    assert "dbLastModifiedDateTime" not in read_json(take(used, folder, "stock").path)


# --- many rows -------------------------------------------------------------------------------------------------------

AT = datetime(2026, 3, 2, 8, 0, tzinfo=timezone(timedelta(hours=-6)))
MANY = (
    Column("number", "Number", Kind.WHOLE, "made up"),
    Column("amount", "Amount", Kind.NUMBER, "made up", "mg"),
    Column("at", "At", Kind.MOMENT, "made up"),
    Column("words", "Words", Kind.TEXT, "made up"),
)


def _about() -> About:
    return About("T", "Table", "oid", "study", "site", "0", AT, AT, "Paula Reyes", False, (("Study", "study"),))


def _peak(form: str, rows: int, folder: Path) -> int:
    """The most memory that was held while so many rows were written."""
    path = folder / f"{rows}.{form}"
    tracemalloc.start()
    try:
        with path.open("wb") as out:
            file = table_file(form, out, MANY, _about(), folder)
            for number in range(rows):
                file.add((number, Decimal(number) / 4, AT, f"line {number} of many, with a few words"))
            file.close()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_ten_times_the_rows_take_no_more_memory(tmp_path: Path, form: str) -> None:
    _peak(form, 10, tmp_path)
    few, many = _peak(form, 1_000, tmp_path), _peak(form, 10_000, tmp_path)
    assert many < few + 500_000, (few, many)


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "MOST_ROWS", 3)
    file = table_file("xlsx", BytesIO(), MANY, _about(), tmp_path)
    for number in range(3):
        file.add((number, None, None, None))
    with pytest.raises(Refused, match="all that a sheet holds"):
        file.add((3, None, None, None))
    file.give_up()


@pytest.mark.parametrize(("long", "cut"), [(32_767, False), (32_768, True)])
def test_a_text_is_cut_where_a_cell_ends_and_says_so(tmp_path: Path, long: int, cut: bool) -> None:
    path = tmp_path / "long.xlsx"
    with path.open("wb") as out:
        file = table_file("xlsx", out, MANY, _about(), tmp_path)
        file.add((1, None, None, "😀" + "x" * (long - 2)))
        file.close()
    value = read_sheet(path)[1][0][3]
    assert len(value.encode("utf-16-le")) // 2 <= 32_767
    assert value.endswith("all of it)") is cut
    assert bool(file.notes) is cut


def test_a_yes_or_no_and_an_early_year(tmp_path: Path) -> None:
    """A workbook knows no day before 1900: it is a text there."""
    columns = (Column("yes", "Yes", Kind.YES_NO, "made up"), Column("on", "On", Kind.DAY, "made up"))
    rows: list[tuple[Value, ...]] = [(True, date(1899, 12, 31)), (False, date(1900, 1, 1))]
    paths = {}
    for form in ("csv", "xlsx", "json"):
        paths[form] = tmp_path / f"t.{form}"
        with paths[form].open("wb") as out:
            file = table_file(form, out, columns, _about(), tmp_path)
            for row in rows:
                file.add(row)
            file.close()
    assert read_csv(paths["csv"])[1] == [["Y", "1899-12-31"], ["N", "1900-01-01"]]
    assert read_sheet(paths["xlsx"])[1] == [[True, "1899-12-31"], [False, datetime.fromisoformat("1900-01-01")]]
    assert read_json(paths["json"])["rows"] == [["Y", "1899-12-31"], ["N", "1900-01-01"]]
