"""Settings are looked at before they are signed: impossible ones are refused by field, odd ones warned about."""

from dataclasses import replace
from decimal import Decimal, localcontext

import pytest

from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.findings import Finding, Named, Severity
from pharmacy_app.domain.settings import (
    BagPreparation,
    BsaFormula,
    CompoundingCategory,
    CompoundingLimit,
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
    assert len(check.faults) == 3


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


# --- every fault and finding with its field, rule and section ---------------------------------------------------


def told(value: object) -> list[tuple[str, str, str]]:
    """Field, rule and section of each fault; rule and section of each finding."""
    check = check_setting(value, PROTOCOL)  # type: ignore[arg-type]
    return [(each.field, each.rule, each.section) for each in check.faults] + [
        ("", each.rule, each.section) for each in check.findings
    ]


def test_a_step_that_is_not_taken_is_told_in_full() -> None:
    (fault,) = check_setting(DoseRounding(D("0.11"), RoundingMode.HALF_UP), PROTOCOL).faults
    assert fault == Fault(
        "increment_mg",
        "An increment of 0.11 mg is not taken: it must be more than 0 and at most 0.1 mg.",
        "A2",
        "8.1.3",
    )


def test_a_step_that_is_too_coarse_is_told_in_full() -> None:
    (finding,) = check_setting(DoseRounding(D("0.05"), RoundingMode.HALF_UP), PROTOCOL).findings
    assert finding == Finding(
        "A2",
        Severity.WARN,
        "Rounding half up to 0.05 mg may change a dose by up to 0.025 mg. For the smallest dose of the protocol "
        "(0.09 mg) that is 10 % or more, a medication error by itself. Choose a finer increment.",
        "8.1.3",
        (Named("largest change", "0.025", "mg"), Named("smallest dose", "0.09", "mg")),
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"strength_mg": D(2), "concentration_mg_per_ml": D("0.5")},
            Fault("strength_mg", "A strength of 2 mg does not exist; vials hold 1 mg or 4 mg.", "A20", "8.1.1"),
        ),
        (
            {"extractable_mg": D("1.01"), "reconstitution_ml": D("4.04")},
            Fault(
                "extractable_mg",
                "1.01 mg cannot be drawn from a vial that holds 1 mg. Check the Study Manual.",
                "A20",
                "8.1.2",
            ),
        ),
        (
            {"extractable_mg": D(0)},
            Fault(
                "extractable_mg",
                "The extractable amount must be more than 0. Enter it as the source states it.",
                "A31",
                "8.1.2",
            ),
        ),
        (
            {"reconstitution_ml": D("3.6")},
            Fault(
                "concentration_mg_per_ml",
                "3.6 mL at 0.25 mg/mL hold 0.9 mg, but the vial is labelled 1 mg: every dose would be off by 10 % or "
                "more. Check volume and concentration.",
                "A20",
                "8.1.2",
            ),
        ),
    ],
)
def test_a_fault_of_a_vial_is_told_in_full(changes: dict[str, Decimal], expected: Fault) -> None:
    assert check_setting(replace(VIAL, **changes), PROTOCOL).faults == (expected,)  # type: ignore[arg-type]


def test_a_vial_that_holds_a_little_less_than_its_label_is_warned_about() -> None:
    value = replace(VIAL, reconstitution_ml=D("3.8"))
    assert check_setting(value, PROTOCOL).findings == (
        Finding(
            "A20",
            Severity.WARN,
            "3.8 mL at 0.25 mg/mL hold 0.95 mg, but the vial is labelled 1 mg. Check the source again.",
            "8.1.2",
            (Named("volume × concentration", "0.95", "mg"), Named("labelled", "1", "mg")),
        ),
    )


def test_more_cannot_be_drawn_than_was_put_in() -> None:
    # 3.8 mL hold 0.95 mg: 0.95 can be drawn, 0.96 cannot.
    value = replace(VIAL, reconstitution_ml=D("3.8"), extractable_mg=D("0.95"))
    assert len(check_setting(value, PROTOCOL).findings) == 1
    _, more = check_setting(replace(value, extractable_mg=D("0.96")), PROTOCOL).findings
    assert (more.rule, more.severity, more.section) == ("A20", Severity.WARN, "8.1.2")
    assert more.sentence == "Drawing 0.96 mg would need more than the 3.8 mL put into the vial. Check the source again."


def test_what_a_vial_holds_is_not_asked_where_a_number_is_missing() -> None:
    for changes in ({"reconstitution_ml": D(0)}, {"concentration_mg_per_ml": D(0)}, {"extractable_mg": D(0)}):
        check = check_setting(replace(VIAL, **changes), PROTOCOL)  # type: ignore[arg-type]
        assert [fault.field for fault in check.faults] == list(changes)
        assert check.findings == ()
    half = replace(VIAL, reconstitution_ml=D(1), concentration_mg_per_ml=D("0.5"), extractable_mg=D("0.4"))
    assert told(half) == [("concentration_mg_per_ml", "A20", "8.1.2")]


def test_a_number_that_must_be_more_than_nothing_is_named_as_people_call_it() -> None:
    names = {
        "extractable_mg": "extractable amount",
        "reconstitution_ml": "reconstitution volume",
        "concentration_mg_per_ml": "concentration",
        "bag_volume_ml": "bag volume",
        "min_mg_per_ml": "least final concentration",
        "max_mg_per_ml": "greatest final concentration",
        "reconstitution_to_dilution_h": "time from reconstitution to dilution",
        "reconstitution_to_end_h": "time from reconstitution to the end",
        "dilution_to_end_room_h": "time from dilution to the end",
        "infusion_h": "time of infusion",
    }
    for field, name in names.items():
        base = next(each for each in (VIAL, BAG, STABILITY) if hasattr(each, field))
        faults = check_setting(replace(base, **{field: D(0)}), PROTOCOL).faults  # type: ignore[arg-type]
        said = Fault(field, f"The {name} must be more than 0. Enter it as the source states it.", "A31", "8.1.2")
        assert said in faults


def test_a_bag_is_told_in_full() -> None:
    assert check_setting(replace(BAG, diluent=" "), PROTOCOL).faults == (
        Fault("diluent", "The diluent is empty. Enter it as the Study Manual names it.", "A31", "8.1.2"),
    )
    assert check_setting(replace(BAG, min_mg_per_ml=D("0.1")), PROTOCOL).faults == (
        Fault(
            "min_mg_per_ml",
            "The least final concentration, 0.1 mg/mL, must be below the greatest, 0.1 mg/mL.",
            "A32",
            "8.1.2",
        ),
    )


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (
            {"reconstitution_to_dilution_h": D(9)},
            [
                (
                    "reconstitution_to_dilution_h",
                    "The time from reconstitution to dilution (9 h) is longer than the time from reconstitution to the "
                    "end of the infusion (8 h). Correct one of them.",
                )
            ],
        ),
        (
            {"infusion_h": D(5)},
            [
                (
                    "infusion_h",
                    "The infusion (5 h) is longer than the time from dilution to its end (4 h). Correct one of them.",
                )
            ],
        ),
        (
            {"infusion_h": D(9), "dilution_to_end_room_h": D(10)},
            [
                (
                    "infusion_h",
                    "The infusion (9 h) is longer than the time from reconstitution to its end (8 h). Correct one of "
                    "them.",
                )
            ],
        ),
        ({"infusion_h": D(8), "dilution_to_end_room_h": D(8)}, []),
    ],
)
def test_times_that_do_not_fit_are_told_in_full(changes: dict[str, Decimal], faults: list[tuple[str, str]]) -> None:
    check = check_setting(replace(STABILITY, **changes), PROTOCOL)
    assert check.faults == tuple(Fault(field, sentence, "A31", "8.2") for field, sentence in faults)


def test_what_stays_behind_is_told_in_full() -> None:
    assert check_setting(LineResidue(D("-0.1")), PROTOCOL).faults == (
        Fault(
            "residue_ml",
            "The volume left in bag and line is negative. Enter it as the source has it, 0 when the line is flushed.",
            "T1",
            "8.1.3",
        ),
    )
    whole = check_settings(replace(SETTINGS, line_residue=Signed(LineResidue(D(60)), "SOP 12", 1)), PROTOCOL)
    assert whole.faults == (
        Fault(
            "line_residue.residue_ml",
            "60 mL left in bag and line are the whole bag of 50 mL or more. Check both volumes.",
            "T1",
            "8.1.3",
        ),
    )
    tenth = check_settings(replace(SETTINGS, line_residue=Signed(LineResidue(D(5)), "SOP 12", 1)), PROTOCOL)
    assert tenth.findings == (
        Finding(
            "R17",
            Severity.WARN,
            "5 mL left in bag and line of 50 mL are 10 % or more: every dose would be a medication error. Flush the "
            "line, or check the source again.",
            "8.1.3",
            (Named("left in bag and line", "5", "mL"), Named("bag volume", "50", "mL")),
        ),
    )


@pytest.mark.parametrize(
    ("name", "value", "fields"),
    [
        ("vial_1mg", replace(VIAL, extractable_mg=D(0)), ["vial_1mg.extractable_mg"]),
        (
            "vial_4mg",
            replace(VIAL, extractable_mg=D(0)),
            ["vial_4mg.strength_mg", "vial_4mg.extractable_mg"],
        ),
        ("stability", replace(STABILITY, infusion_h=D(0)), ["stability.infusion_h"]),
        ("line_residue", LineResidue(D(-1)), ["line_residue.residue_ml"]),
        ("dose_rounding", DoseRounding(D(0), RoundingMode.DOWN), ["dose_rounding.increment_mg"]),
    ],
)
def test_each_setting_is_looked_at_under_its_name(name: str, value: object, fields: list[str]) -> None:
    check = check_settings(replace(SETTINGS, **{name: Signed(value, "test", 1)}), PROTOCOL)  # type: ignore[arg-type]
    assert [fault.field for fault in check.faults] == fields
    assert all(fault.sentence and fault.rule and fault.section for fault in check.faults)


def test_a_setting_for_the_wrong_vial_is_told_in_full() -> None:
    check = check_settings(replace(SETTINGS, vial_1mg=vial_setting("4", "3.6", "16")), PROTOCOL)
    assert check.faults == (
        Fault(
            "vial_1mg.strength_mg",
            "This setting is for the 1 mg vial, but its strength is 4 mg. Enter it for the right vial.",
            "A20",
            "8.1.1",
        ),
    )


def test_the_warnings_of_every_setting_are_passed_on() -> None:
    coarse = replace(SETTINGS, dose_rounding=Signed(DoseRounding(D("0.05"), RoundingMode.DOWN), "test", 1))
    assert [finding.rule for finding in check_settings(coarse, PROTOCOL).findings] == ["A2"]


def test_the_precision_of_the_moment_does_not_move_a_limit() -> None:
    value = replace(VIAL, reconstitution_ml=D("3.6004"))  # 0.9001 mg, −9.99 %
    residue = replace(SETTINGS, line_residue=Signed(LineResidue(D("4.9999")), "SOP 12", 1))
    with localcontext(prec=2):
        assert check_setting(value, PROTOCOL).faults == ()
        assert check_settings(residue, PROTOCOL).findings == ()


def test_good_settings_have_no_faults() -> None:
    assert check_settings(SETTINGS, PROTOCOL).faults == ()


def test_a_setting_that_is_missing_does_not_hide_the_ones_after_it() -> None:
    settings = replace(
        SETTINGS, dose_rounding=None, vial_1mg=None, stability=Signed(replace(STABILITY, infusion_h=D(0)), "test", 1)
    )
    assert [fault.field for fault in check_settings(settings, PROTOCOL).faults] == ["stability.infusion_h"]


# The smallest dose is 0.09 mg, a tenth of it 0.009 mg: rounding down by 0.00895 mg is 9.94 %.
@pytest.mark.parametrize(("increment", "warnings"), [("0.00895", 0), ("0.00899999", 0), ("0.009", 1)])
def test_a_tenth_of_the_smallest_dose_is_judged_to_the_last_digit(increment: str, warnings: int) -> None:
    check = check_setting(DoseRounding(D(increment), RoundingMode.DOWN), PROTOCOL)
    assert len(check.findings) == warnings


def test_what_a_vial_holds_is_not_asked_where_nothing_can_be_drawn() -> None:
    value = replace(VIAL, extractable_mg=D(0), reconstitution_ml=D("3.8"))
    assert told(value) == [("extractable_mg", "A31", "8.1.2")]


# REGULATION L-15: USP <797> (2023), § 14.
@pytest.mark.parametrize(
    ("category", "longest"),
    [
        (CompoundingCategory.IMMEDIATE_USE, "4"),
        (CompoundingCategory.CATEGORY_1_ROOM, "12"),
        (CompoundingCategory.CATEGORY_1_COLD, "24"),
        (CompoundingCategory.CATEGORY_2_ROOM, "96"),
        (CompoundingCategory.CATEGORY_2_COLD, "240"),
    ],
)
def test_a_compounding_limit_is_within_its_category(category: CompoundingCategory, longest: str) -> None:
    assert check_setting(CompoundingLimit(category, D(longest)), PROTOCOL).faults == ()
    assert check_setting(CompoundingLimit(category, D("0.01")), PROTOCOL).faults == ()
    assert check_setting(CompoundingLimit(category, D(0)), PROTOCOL).faults != ()
    (fault,) = check_setting(CompoundingLimit(category, D(longest) + D("0.01")), PROTOCOL).faults
    assert (fault.field, fault.rule, fault.section) == ("hours", "A31", "8.2")
    assert fault.sentence == (
        f"{longest}.01 h are not taken for {category.value}: its limit is more than 0 h and at most {longest} h"
        " (USP <797>)."
    )
    whole = replace(SETTINGS, compounding=Signed(CompoundingLimit(category, D(999)), "SOP", 1))
    assert [each.field for each in check_settings(whole, PROTOCOL).faults] == ["compounding.hours"]
