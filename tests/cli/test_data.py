"""``pharmacy-app data``: a table or dataset as a file, by somebody who signs in for it."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pharmacy_app.cli import app
from tests.databases import url_at
from tests.services.pharmacy import PASSWORD, Pharmacy
from tests.services.taken import read_csv, read_json

run = CliRunner()


@pytest.fixture
def url(pharmacy: Pharmacy) -> str:
    """The address of a study with a shipment."""
    pharmacy.receive()
    return url_at(pharmacy.path)


def test_a_table_is_taken_by_the_one_who_signs_in(pharmacy: Pharmacy, url: str, tmp_path: Path) -> None:
    file = tmp_path / "vials.csv"
    asked = ["data", "vials", str(file), "--user", "mona", "--lot", "A1", "--db", url, "--json"]
    result = run.invoke(app, asked, input=f"{PASSWORD}\n")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (said["rows"], said["sha256"]) == (10, sha256(file.read_bytes()).hexdigest())
    assert len(read_csv(file)[1]) == 10
    assert Path(said["variables"]).exists()
    *_, signed_in, taken, signed_out = pharmacy.events()
    assert [event.kind for event in (signed_in, taken, signed_out)] == ["signed_in", "data_exported", "signed_out"]
    assert (taken.actor_name, taken.content["filter"]) == ("Mona Sorensen", {"lot": "A1"})
    assert PASSWORD not in result.output


def test_a_dataset_and_a_map_in_words(pharmacy: Pharmacy, url: str, tmp_path: Path) -> None:
    file = tmp_path / "vs.json"
    result = run.invoke(app, ["data", "VS", str(file), "--user", "tim", "--db", url], input=f"{PASSWORD}\n")
    assert result.exit_code == 0, result.output
    assert f"Wrote 0 rows to {file}, SHA-256 " in result.stdout
    assert read_json(file)["name"] == "VS"
    file = tmp_path / "log.csv"
    asked = ["data", "ledger", str(file), "--map", "site-log", "--user", "tim", "--db", url]
    assert run.invoke(app, asked, input=f"{PASSWORD}\n").exit_code == 0
    assert read_csv(file)[0][0] == "Protocol"


def test_what_is_wrong_is_said_and_nothing_is_left(pharmacy: Pharmacy, url: str, tmp_path: Path) -> None:
    file = tmp_path / "x.pdf"
    result = run.invoke(app, ["data", "vials", str(file), "--user", "mona", "--db", url], input=f"{PASSWORD}\n")
    assert result.exit_code == 2
    assert "choose csv, xlsx or json" in result.stderr
    wrong = run.invoke(app, ["data", "vials", str(tmp_path / "v.csv"), "--user", "mona", "--db", url], input="guess\n")
    assert wrong.exit_code == 2
    assert "do not fit" in wrong.stderr
    assert not file.exists()
    assert not pharmacy.events("data_exported")
    assert pharmacy.events()[-1].kind == "sign_in_failed"


def test_the_list_says_every_table_dataset_and_map() -> None:
    listed = json.loads(run.invoke(app, ["data", "--list", "--json"]).stdout)
    assert {"ledger", "audit-trail", "DA", "EC", "EX", "VS"} <= listed["tables"].keys()
    ledger = {column["name"]: column for column in listed["tables"]["ledger"]["columns"]}
    assert ledger["strength_mg"] == {
        "name": "strength_mg",
        "label": "Strength",
        "type": "number",
        "unit": "mg",
        "source": "ledger line",
    }
    assert listed["maps"]["site-log"]["table"] == "ledger"
    words = run.invoke(app, ["data", "--list"]).stdout
    assert "Drug Accountability, 21 columns" in words
    assert "--map site-log" in words
