"""What the mutation run tells of its figures, and that its plan names every module of the domain and real tests."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutation import run
from tests.mutation.run import Explained, Result, Survivor

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = ROOT / "pharmacy_app" / "domain"
PLAN = tomllib.loads((ROOT / "tests" / "mutation" / "modules.toml").read_text(encoding="utf-8"))
WITHOUT_DECISIONS = {"__init__", "codec", "errors", "events", "request", "settings", "rules/catalogue"}
"""Modules that hold records and their reading, which every test of the services goes through. The catalogue is read
once, when it is imported, so no change of its reading can be switched on afterwards."""

# A module as the tool writes it: each function beside its changed copies.
CHANGED = """
def x_late__mutmut_orig(days: int, most: int) -> bool:
    return days > most


def x_late__mutmut_1(days: int, most: int) -> bool:
    return days >= most


class Window:
    def xǁWindowǁholds__mutmut_orig(self, day: int) -> bool:
        return self.covers(
            day,
            1,
        )

    def xǁWindowǁholds__mutmut_1(self, day: int) -> bool:
        return self.covers(
            day,
        )
"""

AT_LIMIT = Survivor("late", "return days > most", "return days >= most")
RESULT = Result("dates", 40, 37, 1, (AT_LIMIT, Survivor("say", "return 1", "return 2")))


def test_every_module_of_the_domain_is_planned() -> None:
    modules = {path.relative_to(DOMAIN).with_suffix("").as_posix() for path in DOMAIN.rglob("*.py")}
    assert set(PLAN["modules"]) == modules - WITHOUT_DECISIONS


def test_every_planned_test_is_there() -> None:
    for module, tests in PLAN["modules"].items():
        assert tests, module
        for test in tests:
            assert (ROOT / run.path_of(test)).is_file(), test


def test_a_survivor_is_told_by_its_changed_line() -> None:
    names = ["pharmacy_app.domain.dates.x_late__mutmut_1", "pharmacy_app.domain.dates.xǁWindowǁholds__mutmut_1"]
    first, second = run.survivors_in(CHANGED, names)
    assert first == AT_LIMIT
    assert first.words == "late: return days > most -> return days >= most"
    assert second == Survivor("Window.holds", "1,", "(gone)")


@pytest.mark.parametrize(
    ("changes", "killed", "timed_out", "percent"), [(40, 37, 1, 95.0), (40, 37, 0, 92.5), (0, 0, 0, 100.0)]
)
def test_the_share_that_was_caught(changes: int, killed: int, timed_out: int, percent: float) -> None:
    assert Result("m", changes, killed, timed_out, ()).percent == percent


def explained(*changes: str, module: str = "dates") -> Explained:
    return Explained(module, "Both ends are the same day.", changes)


def test_an_explanation_is_of_one_module_and_one_change() -> None:
    assert run.why_of(RESULT, AT_LIMIT, [explained(AT_LIMIT.words)]) == "Both ends are the same day."
    assert run.why_of(RESULT, AT_LIMIT, [explained(AT_LIMIT.words, module="units")]) == ""
    assert run.why_of(RESULT, AT_LIMIT, [explained("late: return days > most -> return days < most")]) == ""


def test_an_explanation_of_what_is_caught_by_now_is_told() -> None:
    gone = "late: return 5 -> return 6"
    assert run.outdated([RESULT], [explained(AT_LIMIT.words, gone)]) == [f"dates: {gone}"]
    assert run.outdated([RESULT], [explained(gone, module="units")]) == []


@pytest.mark.parametrize(
    ("result", "changes", "failed", "code", "part"),
    [
        (RESULT, [survivor.words for survivor in RESULT.survivors], [], 0, "95.0 %"),
        (RESULT, [AT_LIMIT.words], [], 1, "  dates: say: return 1 -> return 2"),
        (replace(RESULT, killed=36, survivors=()), [], [], 1, "Under 95 %: dates."),
        (replace(RESULT, survivors=()), [AT_LIMIT.words], [], 1, "explain nothing any more"),
        (replace(RESULT, survivors=()), [], ["units"], 1, "Not measured: units."),
    ],
)
def test_what_is_wrong_is_told_and_fails(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    result: Result,
    changes: list[str],
    failed: list[str],
    code: int,
    part: str,
) -> None:
    monkeypatch.setattr(run, "explanations", lambda: (explained(*changes),))
    assert run.told([result], failed) == code
    assert part in capsys.readouterr().out


def test_the_document_holds_figures_reasons_and_what_was_left_out() -> None:
    text = run.document([RESULT], ["dates", "units"], [explained(AT_LIMIT.words)])
    assert "| dates | 40 | 37 | 1 | 2 | 95.0 % |" in text
    assert "Not measured: units." in text
    assert "Both ends are the same day.\n\n- `late: return days > most -> return days >= most`" in text
    assert "**Not explained.**\n\n- `say: return 1 -> return 2`" in text


def test_a_module_that_is_not_planned_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["nonsense"]) == 2
    assert "does not know nonsense" in capsys.readouterr().out
