"""``pharmacy-app explain``: one rule in full, all of them in a line each, by the shipped protocol or a study's own."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pharmacy_app.bootstrap import url_of
from pharmacy_app.cli import app
from pharmacy_app.services.setup import open_site
from tests.services.pharmacy import SITE, WORKSTATION, Clock, desk_at, first_account

OTHER_FILE = Path(__file__).resolve().parents[1] / "data" / "second-protocol.toml"

run = CliRunner()


def test_one_rule_in_full() -> None:
    result = run.invoke(app, ["explain", "r13"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "R13  weighed shortly before day 1  § 8.1.3  STOP"
    assert [line.split(":")[0] for line in lines[1:]] == ["Rule", "Edge", "Read as", "Next", "§ 8.1.3"]
    assert "7 days before the actual day 1 is inside; 8 days before is not" in result.stdout
    assert "“All patients must be weighed within 7 days prior to every cycle day 1 dosing" in result.stdout


def test_who_may_decide_and_which_rule_applies_a_reading_are_said() -> None:
    words = " ".join(run.invoke(app, ["explain", "A8"]).stdout.split())
    assert "Applied in: R30" in words
    assert "May decide: prescriber or principal investigator" in words


def test_where_the_protocol_is_silent_it_says_so() -> None:
    assert "The protocol is silent here." in run.invoke(app, ["explain", "A40"]).stdout


def test_all_rules_stand_in_a_line_each() -> None:
    lines = run.invoke(app, ["explain"]).stdout.splitlines()
    ids = [line.split()[0] for line in lines]
    assert {"R1", "R60", "A1", "A43", "O4", "I1", "OV", "T1"} <= set(ids)
    assert len(ids) == len(set(ids)) == 60 + 43 + 7
    assert "R14  STOP              recalculated after a large change of weight (§ 8.1.3)" in lines


def test_a_script_reads_it_as_json() -> None:
    told = json.loads(run.invoke(app, ["explain", "R31", "--json"]).stdout)
    assert (told["id"], told["strength"], told["deciders"]) == ("R31", "STOP*", ["principal investigator"])
    assert told["boundary"] == "28 days late may go on; 29 days stop."
    assert told["sentences"][0]["section"] == "8.1.5"
    assert len(json.loads(run.invoke(app, ["explain", "--json"]).stdout)) == 110


@pytest.mark.parametrize("asked", ["R61", "weight"])
def test_an_unknown_rule_names_near_ones_and_is_no_success(asked: str) -> None:
    result = run.invoke(app, ["explain", asked])
    assert result.exit_code == 2
    assert f"There is no rule “{asked}”. Near it: " in result.stderr
    as_json = run.invoke(app, ["explain", asked, "--json"])
    assert as_json.exit_code == 2
    assert json.loads(as_json.stdout)["ok"] is False


def test_a_study_is_explained_by_its_own_protocol(tmp_path: Path) -> None:
    """The second protocol: weighed within 5 days, and none of the first one's sentences on weighing."""
    path = tmp_path / "study.sqlite"
    desk = desk_at(path, Clock(), new=True)
    people = (first_account("robin", "2026-03-01"), first_account("paula", "2026-03-01"))
    open_site(desk, SITE, OTHER_FILE.read_text("utf-8"), *people, WORKSTATION)
    desk.store.close()
    result = run.invoke(app, ["explain", "R13", "--db", url_of(path)])
    assert result.exit_code == 0, result.stderr
    assert "5 days before the actual day 1 is inside; 6 days before is not" in result.stdout
    assert "This protocol file does not carry the sentence." in result.stdout


def test_a_study_that_is_not_there_is_said(tmp_path: Path) -> None:
    result = run.invoke(app, ["explain", "R13", "--db", url_of(tmp_path / "nowhere.sqlite")])
    assert result.exit_code == 2
    assert f"There is no study in {tmp_path / 'nowhere.sqlite'} yet" in result.stderr
