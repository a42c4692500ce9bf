"""What an amendment changes is told entry by entry, and the same rules decide by whatever numbers are in the file.

The second protocol is made up: doses, levels, windows and limits are other ones, and no code knows it.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pharmacy_app.domain.amendments import NATURAL_KEYS, Difference, differences
from pharmacy_app.domain.comparisons import compare_administered, compare_prepared
from pharmacy_app.domain.dosing import decide
from pharmacy_app.domain.protocol import Protocol, load_protocol
from pharmacy_app.domain.request import DoseRequest, Weight
from pharmacy_app.domain.schedule import Birth
from tests.domain.dose_cases import DAY1, PROTOCOL, D, first_dose, met, said, second_cycle, second_dose

TEXT = resources.files("pharmacy_app.protocols").joinpath("ino-low-dose.toml").read_text("utf-8")
SECOND = load_protocol(Path(__file__).parents[1] / "data" / "second-protocol.toml")


def amended(*pairs: tuple[str, str]) -> Protocol:
    """The shipped protocol with some of its text replaced."""
    text = TEXT
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return load_protocol(text)


# --- the difference


def test_a_version_does_not_differ_from_itself() -> None:
    assert differences(PROTOCOL, PROTOCOL) == ()


def test_one_number_is_one_difference() -> None:
    assert differences(PROTOCOL, amended(("dose_days = 3", "dose_days = 4"))) == (
        Difference("windows.dose_days", "3", "4"),
    )


def test_comments_and_the_way_a_number_is_written_are_no_difference() -> None:
    same = amended(
        ("dose_days = 3", "dose_days = 3 # either way"), ("bilirubin_max_uln = 1.5", "bilirubin_max_uln=1.50")
    )
    assert same.sha256 != PROTOCOL.sha256
    assert differences(PROTOCOL, same) == ()


def test_a_dose_is_named_by_its_level_and_day() -> None:
    old = "total_mg_per_m2 = 0.6\ndoses = [{ day = 1, mg_per_m2 = 0.4 }, { day = 8, mg_per_m2 = 0.2 }]"
    new = "total_mg_per_m2 = 0.7\ndoses = [{ day = 1, mg_per_m2 = 0.4 }, { day = 8, mg_per_m2 = 0.3 }]"
    assert differences(PROTOCOL, amended((old, new))) == (
        Difference("regimen.levels[level -1].total_mg_per_m2", "0.6", "0.7"),
        Difference("regimen.levels[level -1].doses[day 8].mg_per_m2", "0.2", "0.3"),
    )


def test_a_new_level_leaves_the_others_as_they_were() -> None:
    new = """
[[regimen.levels]]
level = -3
section = "8.1.6"
total_mg_per_m2 = 0.2
doses = [{ day = 1, mg_per_m2 = 0.2 }]
"""
    mark = '# Reductions (§ 8.1.4, 8.1.6). "No re-escalation" is written for toxicity only.'
    with_it = amended((mark, new + mark))
    assert differences(PROTOCOL, with_it) == (
        Difference("regimen.levels[level -3].section", "", "8.1.6"),
        Difference("regimen.levels[level -3].total_mg_per_m2", "", "0.2"),
        Difference("regimen.levels[level -3].doses[day 1].mg_per_m2", "", "0.2"),
    )
    taken_away = differences(with_it, PROTOCOL)
    assert [(each.before, each.after) for each in taken_away] == [("8.1.6", ""), ("0.2", ""), ("0.2", "")]


def test_sections_sentences_dates_and_lists_are_told_as_well() -> None:
    new = amended(
        ('label = "as supplied"', 'label = "version 8"\namendment = "Amendment 3"\neffective_on = 2026-04-01'),
        ('[age]\nsection = "2.0"', '[age]\nsection = "2.1"'),
        ("days = [14, 21]", "days = [14, 21, 28]"),
        ("within 7 days prior", "within 5 days prior"),
    )
    found = {each.path: each for each in differences(PROTOCOL, new)}
    weighing = PROTOCOL.text("weighing").text
    assert list(found.values()) == [
        Difference("version.label", "as supplied", "version 8"),
        Difference("version.amendment", "", "Amendment 3"),
        Difference("version.effective_on", "", "01-Apr-2026"),
        Difference("windows.marrow.days", "14, 21", "14, 21, 28"),
        Difference("age.section", "2.0", "2.1"),
        Difference("texts[weighing].text", weighing, weighing.replace("within 7", "within 5")),
    ]


def test_an_entry_named_twice_is_told_apart() -> None:
    """Nothing forbids two boundaries at 8 treated; a change of the second must not hide behind the first."""
    twice = amended(("{ treated = 16, stop_from = 6 }", "{ treated = 8, stop_from = 6 }"))
    assert [each.path for each in differences(PROTOCOL, twice)] == [
        "toxicity_stopping.boundaries[treated 16].stop_from",
        "toxicity_stopping.boundaries[treated 8, entry 2].stop_from",
    ]


def _entries(table: BaseModel, path: str = "") -> list[tuple[str, type[BaseModel]]]:
    found = []
    for name in type(table).model_fields:
        value = getattr(table, name)
        if isinstance(value, BaseModel):
            found += _entries(value, f"{path}{name}.")
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            found.append((f"{path}{name}", type(value[0])))
            found += _entries(value[0], f"{path}{name}.")
    return found


def test_every_list_of_tables_has_entries_that_are_told_apart_by_name() -> None:
    """A list added to the protocol later needs its natural key: by its place alone a new entry shifts all others."""
    lists = dict(_entries(PROTOCOL))
    assert "regimen.levels" in lists
    assert "regimen.levels.doses" in lists
    assert [path for path, entry in lists.items() if not set(NATURAL_KEYS) & set(entry.model_fields)] == []


# --- another protocol decides otherwise, and no code changes


def by_second(request: DoseRequest, **changes: Any) -> DoseRequest:
    return replace(request, protocol=SECOND, **changes)


@pytest.mark.parametrize(
    ("request_", "shipped_mg", "second_mg"),
    [
        # 2 m² each: 0.8 or 0.7, 0.5 or 0.4, 0.6 or 0.8, 0.4 or 0.5 mg/m².
        (first_dose(), "1.6", "1.4"),
        (second_dose(), "1", "0.8"),
        (second_cycle(), "1.2", "1.6"),
        (second_cycle(level=-1), "0.8", "1"),
        # A level that only the second one has: 0.2 mg/m².
        (second_cycle(level=-3), None, "0.4"),
    ],
)
def test_the_doses_are_the_files(request_: DoseRequest, shipped_mg: str | None, second_mg: str) -> None:
    first, second = decide(request_), decide(by_second(request_))
    assert first.planned_mg == (None if shipped_mg is None else D(shipped_mg))
    assert second.planned_mg == D(second_mg)
    assert second.protocol_sha256 == SECOND.sha256 != first.protocol_sha256


@pytest.mark.parametrize(
    ("kg", "shipped", "second"),
    [
        ("86.4", False, False),  # 80 × 1.08: exactly 8 % is not more
        ("86.5", False, True),
        ("73.6", False, False),  # 80 × 0.92
        ("73.5", False, True),
        ("88", False, True),  # exactly 10 %
        ("88.1", True, True),
    ],
)
def test_the_weight_limit_is_the_files(kg: str, shipped: bool, second: bool) -> None:
    weight = Weight(D(kg), date(2026, 3, 29))
    request = second_cycle(dosing_weight=weight, current_weight=weight)
    assert bool(said(decide(request).findings, "R14")) is shipped
    assert bool(said(decide(by_second(request)).findings, "R14")) is second


@pytest.mark.parametrize(
    ("weighed_on", "shipped", "second"),
    [
        (date(2026, 2, 25), False, False),  # 5 days before day 1
        (date(2026, 2, 24), False, True),
        (date(2026, 2, 23), False, True),  # 7 days
        (date(2026, 2, 22), True, True),
    ],
)
def test_the_age_of_a_weight_is_the_files(weighed_on: date, shipped: bool, second: bool) -> None:
    weight = Weight(D(80), weighed_on)
    request = first_dose(dosing_weight=weight, current_weight=weight)
    assert bool(said(decide(request).findings, "R13")) is shipped
    assert bool(said(decide(by_second(request)).findings, "R13")) is second


@pytest.mark.parametrize(
    ("planned_on", "shipped", "second"),
    [
        (date(2026, 3, 11), False, False),  # day 8 is due on 9 March: two days late
        (date(2026, 3, 12), False, True),
        (date(2026, 3, 13), True, True),
        (date(2026, 3, 7), False, False),
        (date(2026, 3, 6), False, True),
    ],
)
def test_the_window_is_the_files(planned_on: date, shipped: bool, second: bool) -> None:
    request = second_dose(planned_on=planned_on, today=planned_on)
    assert bool(said(decide(request).findings, "R20")) is shipped
    decision = decide(by_second(request))
    assert bool(said(decision.findings, "R20")) is second
    assert decision.window is not None
    assert (decision.window.earliest, decision.window.latest) == (date(2026, 3, 7), date(2026, 3, 11))


@pytest.mark.parametrize(
    ("prescribed", "flagged"),
    [("1.469", False), ("1.47", True), ("1.331", False), ("1.33", True)],  # 1.4 ± 5 % are 1.47 and 1.33
)
def test_the_prescribed_dose_is_compared_by_the_file(prescribed: str, flagged: bool) -> None:
    found = said(decide(by_second(first_dose(prescribed_mg=D(prescribed)))).findings, "R18")
    assert bool(found) is flagged
    # The same difference of the shipped protocol's dose is half of its limit: 1.6 × 1.05 = 1.68.
    assert said(decide(first_dose(prescribed_mg=D("1.68"))).findings, "R18") == []


@pytest.mark.parametrize("compare", [compare_prepared, compare_administered])
def test_what_is_prepared_and_given_is_compared_by_the_file(compare: Any) -> None:
    assert compare(D("1.05"), D(1), SECOND).finding is not None
    assert compare(D("1.0499"), D(1), SECOND).finding is None
    assert compare(D("1.05"), D(1), PROTOCOL).finding is None


@pytest.mark.parametrize(
    ("birth", "shipped", "second"),
    [
        (Birth(2008, 3, 2), False, False),  # 18 on the very day
        (Birth(2008, 3, 3), False, True),
        (Birth(2014, 3, 2), False, True),  # 12 on the very day
        (Birth(2014, 3, 3), True, True),
    ],
)
def test_the_least_age_is_the_files(birth: Birth, shipped: bool, second: bool) -> None:
    request = first_dose(birth=birth)
    assert bool(said(decide(request).findings, "R1")) is shipped
    assert bool(said(decide(by_second(request)).findings, "R1")) is second


@pytest.mark.parametrize(
    ("anc", "shipped", "second"), [("1", True, True), ("0.5", False, True), ("0.49", False, False)]
)
def test_the_limits_of_the_criteria_are_the_files(anc: str, shipped: bool, second: bool) -> None:
    """Neutrophils before cycle 2: at least 1 × 10⁹/L, in the second protocol at least 0.5."""
    on = date(2026, 3, 30)
    plain = met(2, 1, on)
    assert plain.anc is not None
    answers = (met(1, 1, DAY1), replace(plain, anc=replace(plain.anc, value=Decimal(anc))))
    request = second_cycle(criteria=answers)
    assert (said(decide(request).findings, "R40") == []) is shipped
    assert (said(decide(by_second(request)).findings, "R40") == []) is second
