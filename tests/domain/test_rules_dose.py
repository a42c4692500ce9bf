"""The calculated dose: what the other formulas would give, and the numbers beside the comparison (R18, A1, A2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pharmacy_app.domain.dosing import decide
from pharmacy_app.domain.findings import Finding, Named
from pharmacy_app.domain.request import DoseRequest, Height, Weight
from tests.domain.dose_cases import DAY1, SETTINGS, first_dose, said

D = Decimal


def built(cm: str, kg: str, **changes: Any) -> DoseRequest:
    weight = Weight(D(kg), date(2026, 3, 1))
    base = first_dose(height=Height(D(cm), DAY1), dosing_weight=weight, current_weight=weight, prescribed_mg=None)
    return replace(base, **changes)


def beside(request: DoseRequest) -> list[Finding]:
    """What is said of the formulas that are not used."""
    return [each for each in decide(request).findings if each.rule == "A1" and "Other formulas" in each.sentence]


def test_a_heavy_subject_is_shown_what_the_other_formulas_give() -> None:
    """150 cm and 150 kg: Mosteller 150 ÷ 60 = 2.5 m². Du Bois 0.007184 × 150^1.15 = 2.285 m², 8.6 % less: 1.83 mg."""
    (finding,) = beside(built("150", "150"))
    assert finding.severity.name == "INFO"
    assert "Du Bois" in finding.sentence
    assert "(−8.6" in finding.sentence.replace("-", "−")
    assert "1.82" in finding.sentence
    assert finding.sentence.endswith("Only Mosteller, the signed one, is used.")


def test_for_an_ordinary_build_the_others_are_not_mentioned() -> None:
    assert beside(first_dose()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": replace(SETTINGS, bsa_formula=None)},
        {"height": None},
        {"dosing_weight": None},
        {"day": 2},
    ],
)
def test_without_an_area_no_formula_is_compared(changes: dict[str, Any]) -> None:
    assert beside(built("150", "150", **changes)) == []


def test_the_two_numbers_stand_beside_a_prescription_that_is_off() -> None:
    (finding,) = [each for each in decide(first_dose(prescribed_mg=D(2))).findings if each.rule == "R18"]
    assert finding.compared == (Named("prescribed dose", "2", "mg"), Named("planned dose", "1.6", "mg"))


def test_a_dose_that_is_round_already_is_not_called_rounded() -> None:
    assert said(decide(first_dose()).findings, "A2") == []
