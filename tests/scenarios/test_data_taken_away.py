"""The demonstration's half year as files: the rows against a count of our own over the journal's stored bytes.

Nothing here asks the app's own questions: events are read from the database file with plain SQL, and counted.
"""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from pharmacy_app.demo import DemoDay
from pharmacy_app.services.data_export import EXPORTS, ExportForm, export_data
from tests.scenarios.conftest import Made
from tests.services.taken import check_schema, read_csv, read_json, read_sheet, records_of, same_everywhere

Event = dict[str, Any]
INITIALS = ("RTK", "LMB", "HVO", "ESA", "PWN")
BIRTHS = ("1974-03-09", "2009-11-02", "1961-07-30", "1979-12-01", "1955-01-17")


@pytest.fixture(scope="module")
def events(made: Made) -> list[Event]:
    """Every event of the half year, from its stored bytes."""
    with closing(sqlite3.connect(made.path)) as database:
        return [json.loads(body) for (body,) in database.execute("SELECT body FROM journal_event ORDER BY seq")]


@pytest.fixture
def files(own_study: DemoDay, tmp_path: Path) -> dict[str, Path]:
    """Every table and dataset as Dataset-JSON."""
    made = {}
    for what in EXPORTS:
        form = ExportForm(what, "json", str(tmp_path / f"{what}.json"))
        made[what] = export_data(own_study.desk, own_study.act("monitor"), form).path
    return made


def contents(events: list[Event], *kinds: str) -> list[dict[str, Any]]:
    return [event["content"] for event in events if event["kind"] in kinds]


def moves(events: list[Event]) -> list[dict[str, Any]]:
    """Every move of a vial, whichever act made it."""
    return [move for event in events for move in event["content"].get("moves", ())]


def test_the_ledger_and_the_vials_against_the_journal(files: dict[str, Path], events: list[Event]) -> None:
    ledger, vials = records_of(files["ledger"]), records_of(files["vials"])
    received = sum(len(content["vials"]) for content in contents(events, "shipment_received"))
    assert len(vials) == received == 76
    assert sum(row["quantity"] for row in ledger if row["move"] == "receive") == received
    # Each vial of a line is named in it, and each line names as many as it counts.
    assert all(len(row["units"].split()) == row["quantity"] for row in ledger)
    # Balances: what came in less what went out is what stands on the shelf, for each strength.
    for strength in ("1", "4"):
        lines = [row for row in ledger if row["strength_mg"] == strength]
        held = Counter(vial["state"] for vial in vials if vial["strength_mg"] == strength)
        on_site = sum(held[state] for state in ("held", "available", "reserved", "quarantined"))
        assert lines[-1]["balance_on_site"] == on_site
        assert lines[-1]["balance_available"] == held["available"] + held["reserved"]
        assert sum(row["quantity_in"] - row["quantity_out"] for row in lines) == on_site
    stock = Counter(
        {(r["strength_mg"], r["lot"], r["place"], r["state"]): r["vials"] for r in records_of(files["stock"])}
    )
    assert stock == Counter((vial["strength_mg"], vial["lot"], vial["place"], vial["state"]) for vial in vials)


def test_the_audit_trail_is_the_journal(files: dict[str, Path], events: list[Event]) -> None:
    trail = records_of(files["audit-trail"])
    assert [(row["seq"], row["kind"], row["actor_name"]) for row in trail][: len(events)] == [
        (event["seq"], event["kind"], event["actor_name"]) for event in events
    ]


def test_the_datasets_against_the_journal(files: dict[str, Path], events: list[Event]) -> None:
    opened = [move for move in moves(events) if move["move"] == "open"]
    back = [move for move in moves(events) if move["move"] == "take back"]
    codes = Counter(row["DATESTCD"] for row in records_of(files["DA"]))
    assert codes == Counter({"DISPAMT": len(opened)}) + Counter({"RETAMT": len(back)})
    assert {row["DASPID"] for row in records_of(files["DA"])} == {move["unit_number"] for move in opened}

    ordered = {content["dose_id"]: content for content in contents(events, "dose_ordered")}
    cancelled = {content["dose_id"] for content in contents(events, "dose_cancelled")}
    given = {
        content["dose_id"]: Decimal(content["administration"]["administered_mg"])
        for content in contents(events, "dose_administered", "administration_corrected")
    }
    records = records_of(files["EC"])
    scheduled = {row["ECLNKGRP"]: row for row in records if row["ECMOOD"] == "SCHEDULED"}
    performed = {row["ECLNKGRP"]: row for row in records if row["ECMOOD"] == "PERFORMED"}
    assert scheduled.keys() == ordered.keys() - cancelled
    assert {key: Decimal(row["ECDOSE"]) for key, row in performed.items()} == given
    assert {key: Decimal(row["ECDOSE"]) for key, row in scheduled.items()} == {
        key: Decimal(ordered[key]["prescribed_mg"]) for key in scheduled
    }

    # Mosteller by hand: mg by the root of cm × kg ÷ 3600.
    decided = {content["dose_id"]: content for content in contents(events, "dose_decided")}
    by_area = {
        key: mg / (Decimal(decided[key]["height_cm"]) * Decimal(decided[key]["weight_kg"]) / 3600).sqrt()
        for key, mg in given.items()
    }
    assert {row["EXREFID"]: row["EXDOSE"] for row in records_of(files["EX"])} == {
        key: format(value.quantize(Decimal("0.000001"), ROUND_HALF_UP), "f") for key, value in by_area.items()
    }

    measured = Counter(
        each["kind"].upper() for content in contents(events, "measurement_recorded") for each in content["measured"]
    )
    for content in contents(events, "measurement_corrected"):
        measured += Counter(each["kind"].upper() for each in content["measured"])
        measured -= Counter(kind.upper() for kind in content["replaces"])
    measured["BSA"] = len(given)
    assert Counter(row["VSTESTCD"] for row in records_of(files["VS"])) == measured


def test_every_file_reads_back_the_same_and_names_nobody(own_study: DemoDay, files: dict[str, Path]) -> None:
    at = next(iter(files.values())).parent
    for what, path in files.items():
        paths = {form: at / f"{what}.{form}" for form in ("csv", "xlsx")}
        for form, to in paths.items():
            export_data(own_study.desk, own_study.act("monitor"), ExportForm(what, form, str(to)))
        data = read_json(path)
        rows = len(data["rows"])
        cells, sheet = read_csv(paths["csv"])[1], read_sheet(paths["xlsx"])[1]
        # The trail has grown by what was taken away meanwhile.
        same_everywhere(data, cells[:rows], sheet[:rows])
        text = path.read_text("utf-8") + paths["csv"].read_text("utf-8")
        for personal in (*INITIALS, *BIRTHS):
            assert f'"{personal}"' not in text
            assert f",{personal}," not in text
    for path in files.values():
        check_schema(path)
    assert own_study.desk.store.verify().sound
