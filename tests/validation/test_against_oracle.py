"""Rows around every boundary, judged by the engine and by a second calculator that was written from the protocol.

Some hundred rows a part are compared in every run. ``PHARMACY_VALIDATION_ROWS`` asks for more and
``PHARMACY_VALIDATION_SEED`` for others. What is expected comes from ``oracle`` alone.
"""

import os
from datetime import date
from decimal import Decimal

import pytest

from pharmacy_app.domain.findings import Severity
from pharmacy_app.domain.protocol import shipped_protocol
from pharmacy_app.domain.settings import BsaFormula, DoseRounding, RoundingMode, Signed, StudySettings
from pharmacy_app.services.calculator import Calculated, calculate
from tests.validation.oracle import DECIDED, JUDGED, NO_SUCH_DOSE, STOP, WARN, Expected, judge
from tests.validation.rows import Row, rows, sound_rows

COUNT = int(os.environ.get("PHARMACY_VALIDATION_ROWS", "1500"))
SEED = int(os.environ.get("PHARMACY_VALIDATION_SEED", "1"))
PARTS = 6
CLASSES = {Severity.STOP: STOP, Severity.OVERRIDABLE: DECIDED, Severity.WARN: WARN}
SETTINGS = StudySettings(
    bsa_formula=Signed(BsaFormula.MOSTELLER, "validation", 1),
    dose_rounding=Signed(DoseRounding(Decimal("0.01"), RoundingMode.HALF_UP), "validation", 2),
)
PROTOCOL = shipped_protocol()


def calculated(row: Row) -> Calculated:
    """The engine's answer, asked on the day of the infusion."""
    return calculate(row, SETTINGS, lambda _day: PROTOCOL, date.fromisoformat(row["planned_on"]))


def raised(answer: Calculated, rules: frozenset[str]) -> set[tuple[str, str]]:
    """What the engine raised by these rules, notes left out."""
    assert answer.decision is not None, answer.faults
    return {
        (finding.rule, CLASSES[finding.severity])
        for finding in answer.decision.findings
        if finding.severity in CLASSES and finding.rule in rules
    }


def differences(row: Row) -> list[str]:
    """What the two say differently of one row."""
    expected, answer = judge(row), calculated(row)
    rules = JUDGED if expected.mg_per_m2 is not None else NO_SUCH_DOSE
    findings, wanted = raised(answer, rules), {each for each in expected.findings if each[0] in rules}
    told = [f"missing {each}" for each in sorted(wanted - findings)]
    told += [f"unexpected {each}" for each in sorted(findings - wanted)]
    return told + numbers(expected, answer.cells())


def numbers(expected: Expected, cells: dict[str, str]) -> list[str]:
    """Where the engine's numbers are not the expected ones."""
    if expected.mg_per_m2 is None:
        return [f"{name} {cells[name]}" for name in ("dose_mg_per_m2", "planned_mg") if cells[name]]
    told = []
    if Decimal(cells["dose_mg_per_m2"]) * 10 != int(expected.mg_per_m2 * 10):
        told.append(f"dose_mg_per_m2 {cells['dose_mg_per_m2']}, not {expected.mg_per_m2}")
    if abs(Decimal(cells["planned_mg_unrounded"]) - Decimal(expected.planned_mg)) > Decimal("1e-19"):
        told.append(f"planned_mg_unrounded {cells['planned_mg_unrounded']}, not {expected.planned_mg}")
    if cells["planned_mg"] != expected.rounded_mg:
        told.append(f"planned_mg {cells['planned_mg']}, not {expected.rounded_mg}")
    percent = cells["prescribed_difference_percent"]
    if expected.percent is None:
        told += [f"percent {percent}"] if percent else []
    elif not percent or abs(Decimal(percent) - expected.percent) > Decimal("1e-15"):
        told.append(f"percent {percent}, not {expected.percent}")
    return told


@pytest.mark.parametrize("part", range(PARTS))
def test_the_engine_says_what_the_protocol_says(part: int) -> None:
    wrong = {}
    for row in rows(COUNT // PARTS, SEED * 1000 + part):
        told = differences(row)
        if told:
            wrong[str(row)] = told
    assert wrong == {}


def test_a_sound_treatment_goes_on_without_a_word() -> None:
    """Else the rows would be refused for something beside the boundary they were moved to."""
    for row in sound_rows(60, SEED):
        assert judge(row).findings == frozenset(), row
        decision = calculated(row).decision
        assert decision is not None
        assert decision.may_go_on, row


def test_every_rule_is_met_and_raised_by_the_rows() -> None:
    """A rule that no row touches would be compared with nothing; some rows must raise each, and some must not."""
    expected = [judge(row).findings for row in rows(6000, 1)]
    heard = {rule for findings in expected for rule, _ in findings}
    assert heard == JUDGED
    assert all(any(rule not in {each for each, _ in findings} for findings in expected) for rule in JUDGED)
