"""Which answers count for a dose: those of after the last infusion, and of two baselines the lower one."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from pharmacy_app.domain.dosing import decide
from pharmacy_app.domain.treatment import Toxicity
from tests.domain.dose_cases import (
    DAY1,
    blocking,
    first_dose,
    met,
    override,
    said,
    second_cycle,
    second_dose,
    third_cycle,
)

STOPS = ["OVERRIDABLE"]


@pytest.mark.parametrize(("answered_on", "counts"), [(0, False), (1, True), (7, True), (-1, False)])
def test_answers_count_from_the_day_after_the_last_infusion(answered_on: int, counts: bool) -> None:
    """§ 8.1.5: judged on the day of treatment. On day 1 itself nobody knows what day 1 does to the subject."""
    answers = met(1, 8, DAY1 + timedelta(days=answered_on))
    findings = decide(second_dose(criteria=(met(1, 1, DAY1), answers))).findings
    assert blocking(findings) == ([] if counts else ["R32", "R36"])
    assert ("were answered on" in " ".join(each.sentence for each in findings if each.rule == "R27")) is not counts


@pytest.mark.parametrize(("days_before", "counts"), [(0, True), (14, True), (15, False), (365, False)])
def test_answers_for_the_first_dose_are_as_old_as_screening_allows(days_before: int, counts: bool) -> None:
    """Laboratory values of the day itself do not make the answers new."""
    answers = met(1, 1, DAY1, assessed_on=DAY1 - timedelta(days=days_before))
    findings = decide(first_dose(criteria=(answers,))).findings
    assert ("R36" in blocking(findings)) is not counts


def test_newer_answers_take_the_place_of_those_that_are_too_old() -> None:
    ahead, now = met(1, 8, DAY1), met(1, 8, DAY1 + timedelta(days=7))
    assert blocking(decide(second_dose(criteria=(met(1, 1, DAY1), ahead, now))).findings) == []


@pytest.mark.parametrize(
    ("first", "now", "grade", "severities"),
    [(0, 3, 3, STOPS), (3, 0, 3, STOPS), (3, 3, 3, []), (2, 3, 2, []), (2, 3, 3, STOPS), (None, 3, 3, [])],
)
def test_of_two_baselines_the_lower_one_counts(first: int | None, now: int, grade: int, severities: list[str]) -> None:
    """§ 8.1.5(3): a grade before treatment does not rise during treatment; the stricter answer is taken."""
    request = second_cycle()
    before = met(1, 1, DAY1, toxicity_baseline_grade=first)
    answers = met(2, 1, request.planned_on, toxicity_grade=grade, toxicity_baseline_grade=now)
    assert said(decide(second_cycle(criteria=(before, answers))).findings, "R36") == severities


def test_each_grade_4_event_is_named() -> None:
    """§ 10.4: a written decision is on what it could read, so nothing hides behind the first event."""
    events = tuple(Toxicity(term, 4, True, date(2026, 4, 1)) for term in ("sepsis", "lipase increased"))
    request = third_cycle(treatment=replace(third_cycle().treatment, toxicities=events))
    told = [finding.sentence for finding in decide(request).findings if finding.rule == "R33"]
    assert [each.split(",")[0] for each in told] == ["Sepsis", "Lipase increased"]
    assert decide(replace(request, overrides=(override("R33"),))).may_go_on
