"""The command line: one dose and a file of doses, verify, export, the demonstration without a screen."""

import csv
import io
import json
import sqlite3
from collections import Counter
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pharmacy_app.cli import app
from pharmacy_app.demo import PASSWORD, run_headless
from pharmacy_app.domain.errors import Unavailable

SIGNED = ["--formula", "Mosteller", "--increment-mg", "0.01", "--rounding", "half up"]

run = CliRunner()


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demonstration's database, papers and ledger."""
    folder = tmp_path_factory.mktemp("demonstration")
    run_headless(folder)
    return folder


def calc(*arguments: str, json_wanted: bool = True) -> tuple[int, dict[str, str]]:
    """Run ``calc --json`` and read its answer."""
    result = run.invoke(app, ["calc", *SIGNED, *arguments, *(["--json"] if json_wanted else [])])
    return result.exit_code, json.loads(result.stdout)


def test_one_dose_by_hand() -> None:
    """171 cm and 70 kg: √(171 × 70 ÷ 3600) = √3.325 = 1.823458… m²; × 0.8 = 1.458766… → 1.46 mg."""
    code, answer = calc("--height", "171", "--weight", "70", "--cycle", "1", "--day", "1", "--birth", "1974-03-09")
    assert code == 0
    assert answer["planned_mg"] == "1.46"
    assert answer["planned_mg_unrounded"].startswith("1.458766")
    assert answer["bsa_m2"].startswith("1.823458")
    assert answer["dose_mg_per_m2"] == "0.8"


def test_pounds_and_inches_are_the_same_person() -> None:
    """70 kg is 154.32358… lb; 154.3 lb = 69.98930251 kg, 67.3 in = 170.942 cm: still 1.46 mg at 0.01."""
    code, answer = calc(
        "--height", "67.3", "--height-unit", "in", "--weight", "154.3", "--weight-unit", "lb",
        "--cycle", "1", "--day", "1", "--birth", "1974",
    )  # fmt: skip
    assert code == 0
    assert answer["planned_mg"] == "1.46"


@pytest.mark.parametrize("weight", ["", "7O", "0", "-70", "1e9", "NaN", "70,5", "inf"])
def test_a_bad_weight_is_refused_in_words(weight: str) -> None:
    code, answer = calc("--height", "171", f"--weight={weight}", "--cycle", "1", "--day", "1")
    assert code == 2
    assert len(answer["faults"]) == 1
    assert "weight" in answer["faults"][0].lower()


def test_swapped_height_and_weight_are_caught() -> None:
    code, answer = calc("--height", "70", "--weight", "171", "--cycle", "1", "--day", "1")
    assert code == 2
    assert "swapped" in answer["faults"][0]


def test_without_a_named_formula_nothing_is_calculated() -> None:
    result = run.invoke(app, ["calc", "--height", "171", "--weight", "70", "--cycle", "1", "--day", "1"])
    assert result.exit_code == 2
    assert "--formula" in result.stderr


def test_a_file_of_doses_one_row_out_for_one_row_in(tmp_path: Path) -> None:
    """Bad rows are named, the others are done. 160 cm, 50 kg: √(8000 ÷ 3600) = 1.490711… × 0.5 = 0.745… → 0.75."""
    batch = tmp_path / "doses.csv"
    batch.write_text(
        "row_id,height,weight,cycle,day,level,day1_on,planned_on,prescribed_mg\n"
        "a,171,70,1,1,0,,2026-11-22,1.46\n"
        "b,171,seventy,1,1,0,,2026-11-22,\n"
        "c,160,50,1,8,0,2026-11-15,2026-11-22,0.75\n"
        "d,,,,,,,,\n"
        "e,171,70,2,15,0,,2026-11-22,\n",
        "utf-8",
    )
    result = run.invoke(app, ["calc", *SIGNED, "--batch", str(batch)])
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["row_id"] for row in rows] == ["a", "b", "c", "d", "e"]
    assert [row["planned_mg"] for row in rows] == ["1.46", "", "0.75", "", ""]
    assert rows[1]["faults"]
    assert rows[3]["faults"].count("is empty") == 4
    assert "R3 stop" in rows[4]["findings"]
    assert result.exit_code == 1
    assert "2 rows could not be calculated: 2, 4." in result.stderr


def second_cycle(**cells: str) -> tuple[int, dict[str, str]]:
    """Cycle 2 day 1 of somebody whose ANC of today is 0.95 × 10⁹/L, with what is known of the counts before."""
    known = {"given": "1.1.1 2026-03-02", "platelets": "120", "anc": "0.95", **cells}
    sets = [text for name, value in known.items() for text in ("--set", f"{name}={value}")]
    return calc(
        "--height", "171", "--weight", "70", "--cycle", "2", "--day", "1", "--planned-on", "2026-03-30", *sets
    )  # fmt: skip


@pytest.mark.parametrize("column", ["before_treatment", "before_last_cycle"])
@pytest.mark.parametrize(("anc", "rule"), [("2", "R40"), ("0.9", None), ("0.96", "R41")])
def test_the_cycle_before_cycle_two_began_with_treatment(column: str, anc: str, rule: str | None) -> None:
    """One measurement, whichever column holds it: 2 before asks for 1 now; 0.9 is reached again, 0.96 is not."""
    code, answer = second_cycle(**{f"anc_{column}": anc, f"platelets_{column}": "100"})
    assert code in {0, 1}, answer
    heard = {each.split()[0] for each in answer["findings"].split(" | ")}
    assert heard & {"R40", "R41"} == ({rule} if rule else set())


def test_two_counts_for_one_measurement_are_refused() -> None:
    """2 before treatment would stop this dose, 0.9 before the last cycle would let it go on: nobody may choose."""
    counts = {"platelets_before_treatment": "100", "anc_before_treatment": "2", "anc_before_last_cycle": "0.9"}
    code, answer = second_cycle(**counts)
    assert code == 2
    assert len(answer["faults"]) == 1
    assert "anc_before_last_cycle" in answer["faults"][0]
    code, answer = second_cycle(**{**counts, "anc_before_last_cycle": "2.0"})
    assert code in {0, 1}, answer


def test_a_file_with_an_unknown_column_is_refused(tmp_path: Path) -> None:
    batch = tmp_path / "doses.csv"
    batch.write_text("height,wieght,cycle,day\n171,70,1,1\n", "utf-8")
    result = run.invoke(app, ["calc", *SIGNED, "--batch", str(batch)])
    assert result.exit_code == 2
    assert "wieght" in result.stderr
    assert "weight" in result.stderr


def test_a_file_that_is_not_there() -> None:
    result = run.invoke(app, ["calc", *SIGNED, "--batch", "nowhere.csv"])
    assert result.exit_code == 2
    assert "nowhere.csv cannot be read" in result.stderr


def test_the_demonstration_without_a_screen(demonstration: Path) -> None:
    papers = {path.name for path in demonstration.glob("*.pdf")}
    assert "accountability-1-mg.pdf" in papers
    assert any(name.startswith("worksheet-D") for name in papers)
    assert any(name.startswith("bag-labels-D") for name in papers)
    assert all(path.read_bytes().startswith(b"%PDF") for path in demonstration.glob("*.pdf"))
    ledger = list(csv.DictReader((demonstration / "ledger.csv").read_text("utf-8").splitlines()))
    received = sum(int(line["quantity"]) for line in ledger if line["move"] == "receive")
    assert received == (12 + 4) + 13 + (26 + 3) + 12 + 6
    became = Counter[str]()
    for line in ledger:
        became[line["move"]] += int(line["quantity"])
    # One vial broke; four of the warm night, a damaged and a cracked one went back; three went to another site.
    assert (became["break"], became["return"], became["transfer"]) == (1, 4 + 1 + 1, 3)
    # Nothing that was not opened or broken was ever destroyed.
    assert 0 < became["destroy"] <= became["open"] + became["break"]


def test_verify_says_sound_and_then_names_the_altered_event(demonstration: Path, tmp_path: Path) -> None:
    database = tmp_path / "copy.sqlite"
    database.write_bytes((demonstration / "demonstration.sqlite").read_bytes())
    url = f"sqlite:///{database}"
    sound = run.invoke(app, ["verify", "--db", url, "--json"])
    assert sound.exit_code == 0, sound.stdout
    assert json.loads(sound.stdout)["ok"] is True
    with closing(sqlite3.connect(database)) as raw, raw:
        raw.execute("DROP TRIGGER journal_event_no_update")
        body = bytearray(raw.execute("SELECT body FROM journal_event WHERE seq = 30").fetchone()[0])
        body[40] ^= 1
        raw.execute("UPDATE journal_event SET body = ? WHERE seq = 30", (bytes(body),))
    altered = run.invoke(app, ["verify", "--db", url, "--json"])
    assert altered.exit_code == 1
    assert json.loads(altered.stdout)["first_bad_event"] == 30
    assert "Event 30" in run.invoke(app, ["verify", "--db", url]).stderr


def test_verify_lays_a_printed_paper_beside_the_journal(demonstration: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{demonstration / 'demonstration.sqlite'}"
    with closing(sqlite3.connect(demonstration / "demonstration.sqlite")) as raw:
        seq, name = raw.execute("SELECT seq, hash FROM journal_event WHERE seq = 20").fetchone()
        (last,) = raw.execute("SELECT seq FROM journal_head").fetchone()
    fits = run.invoke(app, ["verify", "--db", url, "--head", f"{seq}:{name[:12]}"])
    assert fits.exit_code == 0, fits.stderr
    assert "The paper fits" in fits.stdout
    answer = json.loads(run.invoke(app, ["verify", "--db", url, "--head", f"{seq}:{name[:12]}", "--json"]).stdout)
    assert (answer["ok"], answer["paper"]["fits"]) == (True, True)
    other = run.invoke(app, ["verify", "--db", url, "--head", f"{seq + 1}:{name[:12]}"])
    assert other.exit_code == 1
    assert "Event 21 is not the one the paper names" in other.stderr
    cut = run.invoke(app, ["verify", "--db", url, "--head", f"{last + 1}:{name[:12]}", "--json"])
    assert cut.exit_code == 1
    assert json.loads(cut.stdout)["ok"] is False
    assert f"now it ends at event {last}." in json.loads(cut.stdout)["paper"]["said"]
    typed = run.invoke(app, ["verify", "--db", url, "--head", name])
    assert typed.exit_code == 2
    assert "with a colon between" in typed.stderr


def test_calc_takes_the_signed_settings_of_a_database(demonstration: Path) -> None:
    url = f"sqlite:///{demonstration / 'demonstration.sqlite'}"
    result = run.invoke(
        app, ["calc", "--height", "171", "--weight", "70", "--cycle", "1", "--day", "1", "--db", url, "--json"]
    )
    assert result.exit_code == 0
    assert json.loads(result.stdout)["planned_mg"] == "1.46"


@pytest.fixture
def study(demonstration: Path, tmp_path: Path) -> str:
    """The address of a copy of the demonstration, to be written to."""
    copied = tmp_path / "study.sqlite"
    copied.write_bytes((demonstration / "demonstration.sqlite").read_bytes())
    return f"sqlite:///{copied}"


def exported(study: str, folder: Path, *more: str, user: str = "monitor", password: str = PASSWORD) -> Result:
    """Run ``export`` as somebody who types this password."""
    return run.invoke(app, ["export", str(folder), "--user", user, "--db", study, *more], input=f"{password}\n")


def taken_away(study: str) -> list[dict[str, Any]]:
    """What the journal says was taken away."""
    with closing(sqlite3.connect(study.removeprefix("sqlite:///"))) as raw:
        found = raw.execute("SELECT body FROM journal_event WHERE kind = 'data_exported' ORDER BY seq")
        return [json.loads(body) for (body,) in found]


def test_an_export_reads_back_and_is_on_record(study: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    result = exported(study, folder, "--json")
    assert result.exit_code == 0, result.stderr
    assert PASSWORD not in result.output
    (event,) = taken_away(study)
    assert json.loads(result.stdout)["event"] == event["seq"]
    assert (event["actor_name"], event["content"]["what"]) == ("Kim Sorensen", "everything")
    # The journal knows each file by what lies on the disk now.
    on_disk = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert {each["name"]: each["sha256"] for each in event["content"]["files"]} == on_disk
    # In the journal's own bytes stand initials and days of birth: the entry says that they went out.
    assert event["content"]["de_identified"] == "no"
    lines = (folder / "journal.jsonl").read_bytes().splitlines()
    journal = [json.loads(line) for line in lines]
    # The line holds the stored bytes themselves: between '{"event":' and ',"hash":"<64 hex digits>"}'.
    assert [sha256(line[9:-75]).hexdigest() for line in lines] == [line["hash"] for line in journal]
    before = [line["event"]["previous_hash"] for line in journal]
    assert before == ["0" * 64, *(line["hash"] for line in journal[:-1])]
    assert [line["event"]["seq"] for line in journal] == list(range(1, len(journal) + 1))
    assert "argon2" not in (folder / "journal.jsonl").read_text("utf-8")
    vials = list(csv.DictReader((folder / "vials.csv").read_text("utf-8").splitlines()))
    assert len(vials) == 76
    # The export ends where it began: with the entry of who signed in for it.
    assert (journal[-1]["event"]["kind"], len(journal)) == ("signed_in", event["content"]["head_seq"])
    again = exported(study, folder)
    assert again.exit_code == 2
    assert "not empty" in again.stderr
    assert len(taken_away(study)) == 1
    assert {path.name for path in folder.iterdir()} == on_disk.keys()


def test_nobody_takes_the_record_away_unnamed(study: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for who in ({"user": ""}, {"password": "guess"}, {"user": "nobody"}):
        result = exported(study, folder, **who)
        assert result.exit_code == 2
        assert "do not fit" in result.stderr
    unasked = run.invoke(app, ["export", str(folder), "--db", study])
    assert unasked.exit_code != 0
    assert not folder.exists()
    assert taken_away(study) == []


def test_what_cannot_be_recorded_is_not_taken_away(study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise Unavailable("The disk is full.")

    monkeypatch.setattr("pharmacy_app.services.export.perform", full)
    result = exported(study, tmp_path / "out")
    assert result.exit_code == 2
    assert "The disk is full." in result.stderr
    assert list((tmp_path / "out").iterdir()) == []
    assert taken_away(study) == []


def test_verify_of_a_file_that_is_no_study(tmp_path: Path) -> None:
    stranger = tmp_path / "notes.txt"
    stranger.write_text("shopping list, not a database at all, but long enough to look like a page " * 20)
    result = run.invoke(app, ["verify", "--db", f"sqlite:///{stranger}"])
    assert result.exit_code == 2
    assert "not a database" in result.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("height,weight,cycle,day\n171,70,5,1,8\n", "more cells than the header"),  # 70,5 was meant as 70.5
        ("height,height,weight,cycle,day\n171,172,70,1,1\n", "named twice: height"),
        ("height,weight,cycle,day\n171,70,2,1\n", "needed beyond cycle 1"),
        ("height,weight,cycle,day,birth\n171,70,1,1,17/05/1980\n", "not a date"),
    ],
)
def test_a_row_that_could_be_read_askew_is_refused(tmp_path: Path, content: str, words: str) -> None:
    batch = tmp_path / "doses.csv"
    batch.write_text(content, "utf-8")
    result = run.invoke(app, ["calc", *SIGNED, "--batch", str(batch)])
    assert result.exit_code != 0
    assert words in result.stdout + result.stderr


def test_no_dose_is_no_success() -> None:
    """Cycle 7 does not exist: a script must not take the answer for a dose."""
    code, answer = calc("--height", "171", "--weight", "70", "--cycle", "7", "--day", "1", "--level", "0")
    assert code == 1
    assert answer["planned_mg"] == ""


def test_half_an_export_is_taken_away(study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    write = Path.write_bytes

    def full_after_two(self: Path, content: bytes) -> int:
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(self)
        return write(self, content)

    monkeypatch.setattr(Path, "write_bytes", full_after_two)
    result = exported(study, tmp_path / "out")
    assert result.exit_code == 2
    assert "No space left" in result.stderr
    assert list((tmp_path / "out").iterdir()) == []
    assert taken_away(study) == []


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (("bilirubin=1", "bilirubin=9"), "--set names bilirubin more than once"),
        (("cycle=2",), "cycle has an option of its own. Type --cycle"),
        (("prescribed_mg=9",), "Type --prescribed-mg instead"),
        (("marrows=2026-01-01 100; 2026-01-20 100.1",), "Blasts are at most 100 %"),
    ],
)
def test_a_calculation_with_contradictory_columns_is_refused(columns: tuple[str, ...], words: str) -> None:
    """Of two values for one column none is taken silently."""
    said = [part for column in columns for part in ("--set", column)]
    code, answer = calc("--height", "171", "--weight", "70", "--cycle", "1", "--day", "1", *said)
    assert code == 2
    assert words in "".join(answer["faults"])
