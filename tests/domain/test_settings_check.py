"""Settings are looked at before they are signed: impossible ones are refused by field, odd ones warned about."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.settings import (
    BagPreparation,
    BsaFormula,
    DoseRounding,
    LineResidue,
    RoundingMode,
    Signed,
    StabilityLimits,
    StudySettings,
    VialPreparation,
)
from pharmacy_app.domain.settings_check import check_setting, check_settings
from tests.domain.dose_cases import PROTOCOL, SETTINGS, vial_setting

D = Decimal
VIAL = VialPreparation(D(1), D("0.9"), D(4), D("0.25"), "sterile water")
BAG = BagPreparation("0.9% sodium chloride", D(50), D("0.01"), D("0.1"), "room temperature")
STABILITY = StabilityLimits(D(4), D(8), D(4), D(1))


def test_the_commercial_label_values_pass_without_a_word() -> None:
    assert check_settings(SETTINGS, PROTOCOL).faults == ()
    assert check_settings(SETTINGS, PROTOCOL).findings == ()
    assert check_settings(StudySettings(), PROTOCOL).faults == ()
    assert check_setting(BsaFormula.BOYD, PROTOCOL).faults == ()


@pytest.mark.parametrize(
    ("increment", "mode", "faults", "warnings"),
    [
        ("0", RoundingMode.HALF_UP, 1, 0),
        ("-0.01", RoundingMode.HALF_UP, 1, 0),
        ("0.11", RoundingMode.HALF_UP, 1, 0),
        ("0.1", RoundingMode.HALF_UP, 0, 1),
        # The smallest dose is 0.1 mg/m² × 0.9 m² = 0.09 mg; a tenth of it is 0.009 mg.
        ("0.018", RoundingMode.HALF_UP, 0, 1),
        ("0.017", RoundingMode.HALF_UP, 0, 0),
        ("0.01", RoundingMode.HALF_EVEN, 0, 0),
        ("0.009", RoundingMode.DOWN, 0, 1),
        ("0.008", RoundingMode.DOWN, 0, 0),
    ],
)
def test_rounding(increment: str, mode: RoundingMode, faults: int, warnings: int) -> None:
    check = check_setting(DoseRounding(D(increment), mode), PROTOCOL)
    assert [fault.field for fault in check.faults] == ["increment_mg"] * faults
    assert len(check.findings) == warnings


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"strength_mg": D(2), "concentration_mg_per_ml": D("0.5")}, {"strength_mg"}),
        ({"extractable_mg": D("1.01")}, {"extractable_mg"}),
        ({"extractable_mg": D(0)}, {"extractable_mg"}),
        ({"reconstitution_ml": D(0)}, {"reconstitution_ml"}),
        ({"concentration_mg_per_ml": D(-1)}, {"concentration_mg_per_ml"}),
        ({"extractable_mg": D(0), "reconstitution_ml": D(0)}, {"extractable_mg", "reconstitution_ml"}),
        ({"extractable_mg": D(1)}, set()),
    ],
)
def test_a_vial(changes: dict[str, Decimal], fields: set[str]) -> None:
    assert {fault.field for fault in check_setting(replace(VIAL, **changes), PROTOCOL).faults} == fields  # type: ignore[arg-type]


def test_a_vial_whose_numbers_do_not_meet_warns() -> None:
    assert check_setting(VIAL, PROTOCOL).findings == ()
    assert len(check_setting(replace(VIAL, reconstitution_ml=D("3.7")), PROTOCOL).findings) == 1  # 0.925 mg, −7.5 %


@pytest.mark.parametrize(
    ("volume", "concentration", "refused"),
    [
        ("3.61", "0.25", False),  # 0.9025 mg of a 1 mg vial, −9.75 %
        ("3.6", "0.25", True),  # 0.9 mg, −10 % exactly
        ("4.39", "0.25", False),  # 1.0975 mg, +9.75 %
        ("4.4", "0.25", True),  # 1.1 mg, +10 % exactly
        ("4", "2.5", True),  # a slipped point: 10 mg in a 1 mg vial
    ],
)
def test_a_vial_that_would_make_every_dose_wrong_is_refused(volume: str, concentration: str, refused: bool) -> None:
    value = replace(VIAL, reconstitution_ml=D(volume), concentration_mg_per_ml=D(concentration))
    fields = [fault.field for fault in check_setting(value, PROTOCOL).faults]
    assert ("concentration_mg_per_ml" in fields) is refused


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"diluent": " "}, {"diluent"}),
        ({"bag_volume_ml": D(0)}, {"bag_volume_ml"}),
        ({"min_mg_per_ml": D("0.1")}, {"min_mg_per_ml"}),
        ({"min_mg_per_ml": D("0.2")}, {"min_mg_per_ml"}),
        ({"min_mg_per_ml": D("0.099")}, set()),
        ({"max_mg_per_ml": D(0)}, {"max_mg_per_ml", "min_mg_per_ml"}),
    ],
)
def test_a_bag(changes: dict[str, object], fields: set[str]) -> None:
    bag = replace(BAG, **changes)  # type: ignore[arg-type]
    assert {fault.field for fault in check_setting(bag, PROTOCOL).faults} == fields


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"infusion_h": D(0)}, {"infusion_h"}),
        ({"infusion_h": D("4.1")}, {"infusion_h"}),
        ({"infusion_h": D(4)}, set()),
        ({"reconstitution_to_dilution_h": D("8.5")}, {"reconstitution_to_dilution_h"}),
        ({"reconstitution_to_dilution_h": D(8)}, set()),
    ],
)
def test_stability(changes: dict[str, Decimal], fields: set[str]) -> None:
    assert {fault.field for fault in check_setting(replace(STABILITY, **changes), PROTOCOL).faults} == fields


def test_all_settings_at_once_name_setting_and_field() -> None:
    wrong = replace(
        SETTINGS,
        vial_1mg=vial_setting("4", "3.6", "16"),
        bag=Signed(replace(BAG, bag_volume_ml=D(0)), "test", 1),
        dose_rounding=Signed(DoseRounding(D(1), RoundingMode.DOWN), "test", 1),
    )
    check = check_settings(wrong, PROTOCOL)
    assert {fault.field for fault in check.faults} == {
        "vial_1mg.strength_mg",
        "bag.bag_volume_ml",
        "dose_rounding.increment_mg",
    }
    with pytest.raises(Refused) as refused:
        check.refuse_faults()
    assert len(refused.value.faults) == 3


def test_what_stays_in_bag_and_line_may_be_nothing_but_not_less() -> None:
    assert check_setting(LineResidue(D(0)), PROTOCOL).faults == ()
    check = check_setting(LineResidue(D("-0.1")), PROTOCOL)
    assert [fault.field for fault in check.faults] == ["residue_ml"]


@pytest.mark.parametrize(
    ("residue_ml", "faults", "warnings"),
    [
        # A tenth of the 50 mL bag is an error each time (10 % or more, § 8.1.3); the whole bag is a slip.
        ("4.99", 0, 0),
        ("5", 0, 1),
        ("49.99", 0, 1),
        ("50", 1, 0),
        ("500", 1, 0),
    ],
)
def test_what_stays_behind_is_judged_by_the_bag(residue_ml: str, faults: int, warnings: int) -> None:
    settings = replace(SETTINGS, line_residue=Signed(LineResidue(D(residue_ml)), "SOP 12", 1))
    check = check_settings(settings, PROTOCOL)
    assert [fault.field for fault in check.faults] == ["line_residue.residue_ml"] * faults
    assert [finding.rule for finding in check.findings] == ["R17"] * warnings
    assert check_settings(replace(settings, bag=None), PROTOCOL).faults == ()
