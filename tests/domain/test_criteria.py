"""Answers of a treatment day: which count for a dose, and in which units a laboratory reports (§ 8.1.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from pharmacy_app.domain.criteria import bilirubin_unit, of_place, possible_limits
from tests.domain.dose_cases import DAY1, D, met

FIRST = met(1, 1, DAY1)


def test_the_newest_answers_for_a_dose_are_those_recorded_last() -> None:
    corrected = replace(FIRST, toxicity_grade=2)
    day8 = met(1, 8, date(2026, 3, 9))
    second_course = met(1, 1, date(2026, 9, 21), course=2)
    recorded = (FIRST, day8, corrected, second_course)
    assert of_place(recorded, 1, 1, 1) is corrected
    assert of_place(recorded, 1, 1, 8) is day8
    assert of_place(recorded, 2, 1, 1) is second_course
    for place in ((1, 2, 1), (2, 1, 8), (3, 1, 1)):
        assert of_place(recorded, *place) is None


@pytest.mark.parametrize(
    ("typed", "unit"),
    [
        ("mg/dL", "mg/dL"),
        (" MG/DL ", "mg/dL"),
        ("mg/dl", "mg/dL"),
        ("µmol/L", "µmol/L"),  # the micro sign
        ("μmol/l", "µmol/L"),  # the Greek letter
        ("umol/L", "µmol/L"),
        ("UMOL/L", "µmol/L"),
        ("g/L", ""),
        ("mol/L", ""),
        ("", ""),
    ],
)
def test_the_unit_of_bilirubin_however_it_is_typed(typed: str, unit: str) -> None:
    assert bilirubin_unit(typed) == unit


@pytest.mark.parametrize(
    ("name", "unit", "limits"),
    [
        ("bilirubin", "mg/dL", ("0.5", "3")),
        ("bilirubin", "µmol/L", ("8", "50")),
        ("bilirubin", "U/L", None),
        ("ast", "U/L", ("10", "300")),
        ("alt", "U/L", ("10", "300")),
        ("alkaline_phosphatase", "U/L", ("10", "300")),
        ("anc", "10⁹/L", None),
        ("creatinine_clearance", "mL/min", None),
    ],
)
def test_which_upper_limits_of_normal_there_are(name: str, unit: str, limits: tuple[str, str] | None) -> None:
    assert possible_limits(name, unit) == (None if limits is None else (D(limits[0]), D(limits[1])))
