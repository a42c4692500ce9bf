"""What a rule says: its strength and the numbers beside it; and written decisions for rules that do not stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pharmacy_app.domain.dosing import decide
from pharmacy_app.domain.findings import Named, Severity
from pharmacy_app.domain.rules.case import Said, days_word, info, place_of, stop, stop_unless_decided, warn
from tests.domain.dose_cases import DAY1, D, first_dose, given, override, said, sentence

BESIDE = (Named("weight", "80", "kg"), Named("limit", "10", "%"))


@pytest.mark.parametrize(
    ("say", "severity"),
    [
        (stop, Severity.STOP),
        (stop_unless_decided, Severity.OVERRIDABLE),
        (warn, Severity.WARN),
        (info, Severity.INFO),
    ],
)
def test_each_strength_keeps_its_sentence_and_its_numbers(say: Callable[..., Said], severity: Severity) -> None:
    assert say("Weigh again.", *BESIDE) == Said(severity, "Weigh again.", BESIDE)
    assert say("Weigh again.") == Said(severity, "Weigh again.", ())


@pytest.mark.parametrize(("days", "words"), [(0, "0 days"), (1, "1 day"), (2, "2 days")])
def test_days_in_words(days: int, words: str) -> None:
    assert days_word(days) == words


def test_the_place_of_a_dose_in_words() -> None:
    assert place_of(given(3, 8, DAY1)) == "cycle 3 day 8"
    assert place_of(given(1, 15, DAY1, course=2)) == "course 2, cycle 1 day 15"


def test_a_decision_for_a_rule_that_does_not_exist_is_one_too_many() -> None:
    findings = decide(first_dose(overrides=(override("R99"),))).findings
    assert said(findings, "OV") == ["STOP"]
    assert "R99 does not stop this dose in a way that may be overridden" in sentence(findings, "OV")


def test_a_decision_of_somebody_else_names_who_decides() -> None:
    request = first_dose(prescribed_mg=D(2), overrides=(override("R18", role="pharmacist"),))
    assert sentence(decide(request).findings, "OV") == (
        "To go on past R18 takes the decision of the prescriber or the principal investigator; this one is the "
        "pharmacist's. Ask for it."
    )


def test_all_that_a_decision_lacks_is_listed() -> None:
    empty = override("R18", decided_by="", role=" ", document="", document_sha256="", why="")
    assert sentence(decide(first_dose(prescribed_mg=D(2), overrides=(empty,))).findings, "OV") == (
        "The decision to go on past R18 lacks who decided, in which role, the document, the document's content, the "
        "reason. Complete it."
    )


def test_a_decision_of_today_is_no_decision_of_tomorrow() -> None:
    request = first_dose(prescribed_mg=D(2), overrides=(override("R18", decided_on=DAY1),))
    assert said(decide(request).findings, "OV") == []
    earlier = replace(request, overrides=(override("R18", decided_on=DAY1.replace(day=1)),))
    assert said(decide(earlier).findings, "OV") == []


def test_the_numbers_a_rule_compared_reach_the_finding() -> None:
    (off,) = [each for each in decide(first_dose(day=2)).findings if each.rule == "R2"]
    assert off.compared == (Named("day", "2"),)
    weighed = decide(first_dose(overrides=(override("R13"),), current_weight=None)).findings
    assert [each.section for each in weighed if each.rule == "OV"] == ["8.1.5"]
