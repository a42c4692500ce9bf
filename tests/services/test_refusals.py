"""From the subject to the closed vial: what each act refuses, and in which words."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.administration import AdministrationForm, administer
from pharmacy_app.services.doses import DecideForm, OrderForm, order, record_decision
from pharmacy_app.services.labelling import print_bag_labels
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.preparation import PrepareForm, prepare, proposals, reserve, verify_dose
from pharmacy_app.services.printing import RecordForm, print_accountability_record, print_worksheet
from pharmacy_app.services.setup import open_site, shipped_protocol_text
from pharmacy_app.services.study_settings import SettingsForm, VialTyped, sign_settings, unset_settings
from pharmacy_app.services.subjects import MeasurementForm, SubjectForm, enroll, record_measurement
from tests.conftest import Template
from tests.services.pharmacy import (
    SETTINGS,
    SITE,
    SOURCE,
    WORKSTATION,
    Clock,
    Pharmacy,
    desk_at,
    first_account,
    open_pharmacy,
)

NO_NUMBERS = [
    ("", "is empty"),
    ("seventy", "is not a plain number"),
    ("0", "more than 0"),
    ("0.0", "more than 0"),
    ("-70", "is negative"),
    ("−70", "is negative"),
    ("1e9", "with an exponent"),
    ("1E9", "with an exponent"),
    ("NaN", "is not a number"),
    ("inf", "is not a number"),
    ("70,5", "has a comma"),
    ("1,000", "has a comma"),
    ("1.000,5", "has a comma"),
    (".5", "starts with a point"),
    ("7.", "ends with a point"),
    ("7 0", "is not a plain number"),
    ("70kg", "is not a plain number"),
    ("٧٠", "is not a plain number"),  # Arabic digits
    ("0x46", "is not a plain number"),
    ("1234567890123", "more than 12 digits"),
]


def one_fault(refused: Refused, field: str, words: str) -> None:
    """Exactly one fault, beside its field, in these words."""
    assert [fault.field for fault in refused.faults] == [field], refused
    assert words in refused.faults[0].sentence, refused


@pytest.fixture(scope="module")
def stocked(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Ten 1 mg vials on the shelf and one subject measured, to copy from."""
    path = tmp_path_factory.mktemp("stocked") / "study.sqlite"
    pharmacy = template.copy_to(path)
    pharmacy.stock_up()
    pharmacy.enroll()
    pharmacy.desk.store.close()
    return Template(path, template.sessions)


@pytest.fixture
def ready(stocked: Template, tmp_path: Path) -> Iterator[Pharmacy]:
    """A copy of the stocked pharmacy."""
    pharmacy = stocked.copy_to(tmp_path / "study.sqlite")
    yield pharmacy
    pharmacy.desk.store.close()


# --- subjects --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"subject_number": ""}, "subject_number", "missing"),
        ({"subject_number": "001"}, "subject_number", "enrolled already"),
        ({"subject_number": "John Smith"}, "subject_number", "never a name"),
        ({"subject_number": "x" * 21}, "subject_number", "longer than 20"),
        ({"birth": ""}, "birth", "A date is needed"),
        ({"birth": "17/05/1980"}, "birth", "not a date"),
        ({"birth": "1980-02-30"}, "birth", "not a day of the calendar"),
        ({"birth": "2027"}, "birth", "not a year of birth"),
        ({"birth": "1850"}, "birth", "not a year of birth"),
        ({"birth": "2026-03-03"}, "birth", "in the future"),
        ({"birth": "1880-01-01"}, "birth", "not a year of birth"),
        ({"initials": "Robert"}, "initials", "Never type a name"),
        ({"initials": "R"}, "initials", "two to four letters"),
        ({"initials": "R2"}, "initials", "two to four letters"),
        ({"enrolled_on": "2026-03-03"}, "enrolled_on", "in the future"),
    ],
)
def test_a_subject_form_names_its_fault(ready: Pharmacy, changes: dict[str, str], field: str, words: str) -> None:
    before = ready.count()
    with pytest.raises(Refused) as refused:
        enroll(ready.desk, ready.act("paula"), replace(SubjectForm("002", "1980-05-17", "RTK"), **changes))
    one_fault(refused.value, field, words)
    assert ready.count() == before


@pytest.mark.parametrize(("typed", "words"), NO_NUMBERS[1:])
@pytest.mark.parametrize("field", ["weight", "height"])
def test_a_measurement_that_is_no_number(ready: Pharmacy, field: str, typed: str, words: str) -> None:
    before = ready.count()
    with pytest.raises(Refused) as refused:
        record_measurement(
            ready.desk, ready.act("tim"), replace(MeasurementForm("001", "2026-03-02"), **{field: typed})
        )
    one_fault(refused.value, field, words)
    assert ready.count() == before


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({}, "weight", "a weight, a height, or both"),
        ({"weight": "501"}, "weight", "not possible"),
        ({"weight": "70", "measured_on": "2026-03-03"}, "measured_on", "in the future"),
        ({"weight": "70", "measured_on": "today"}, "measured_on", "not a date"),
        ({"weight": "70", "weight_unit": "st"}, "weight_unit", "choose kg or lb"),
        ({"height": "29.9"}, "height", "not possible"),
        ({"height": "272.1"}, "height", "not possible"),
        ({"height": "70", "weight": "171"}, "height", "swapped"),  # 70 cm and 171 kg
        ({"weight": "171", "height": "71"}, "height", "swapped"),
        ({"weight": "24.9"}, "confirm", "unusual"),
        ({"weight": "250.1"}, "confirm", "unusual"),
        ({"subject_number": "999", "weight": "70"}, "subject_number", "not enrolled"),
    ],
)
def test_a_measurement_form_names_its_fault(ready: Pharmacy, changes: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        record_measurement(ready.desk, ready.act("tim"), replace(MeasurementForm("001", "2026-03-02"), **changes))
    one_fault(refused.value, field, words)


def test_an_unlikely_weight_is_taken_with_a_reason(ready: Pharmacy) -> None:
    record_measurement(
        ready.desk, ready.act("tim"), MeasurementForm("001", "2026-03-02", weight="24.9", confirm="seen on the scale")
    )
    with ready.desk.store.read() as reader:
        assert reader.measurements("001")[0].why == "seen on the scale"


# --- orders ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "words"), NO_NUMBERS)
def test_a_prescribed_dose_that_is_no_number(ready: Pharmacy, typed: str, words: str) -> None:
    before = ready.count()
    with pytest.raises(Refused) as refused:
        order(ready.desk, ready.act("paula"), ready.order_form(prescribed=typed))
    one_fault(refused.value, "prescribed_mg", words)
    assert ready.count() == before


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"subject_number": "999"}, "subject_number", "Choose an enrolled subject"),
        ({"prescriber": "  "}, "prescriber", "missing"),
        ({"ordered_on": "2026-03-03"}, "ordered_on", "in the future"),
        ({"ordered_on": "March 2"}, "ordered_on", "not a date"),
        ({"planned_on": "2026-03-01"}, "planned_on", "has passed"),
        ({"planned_on": "2026-04-07"}, "planned_on", "35 days ahead"),  # 36 days
        ({"planned_on": "tomorrow"}, "planned_on", "not a date"),
        ({"planned_on": ""}, "planned_on", "A date is needed"),
        ({"course": "3"}, "course", "from 1 to 2"),
        ({"cycle": "0"}, "cycle", "from 1 to 12"),
        ({"cycle": "one"}, "cycle", "whole number"),
        ({"day": "36"}, "day", "from 1 to 35"),
        ({"day": "1.5"}, "day", "whole number"),
        ({"level": "--1"}, "level", "whole number"),
        ({"level": "1e9"}, "level", "whole number"),
    ],
)
def test_an_order_names_its_fault(ready: Pharmacy, changes: dict[str, str], field: str, words: str) -> None:
    before = ready.count()
    with pytest.raises(Refused) as refused:
        order(ready.desk, ready.act("paula"), ready.order_form(**changes))
    one_fault(refused.value, field, words)
    assert ready.count() == before


def test_an_order_may_lie_35_days_ahead(ready: Pharmacy) -> None:
    order(ready.desk, ready.act("paula"), ready.order_form(planned_on="2026-04-06"))


def test_a_dose_is_ordered_once_until_it_is_cancelled(ready: Pharmacy) -> None:
    dose_id = ready.dose("ordered")
    with pytest.raises(Refused) as refused:
        ready.dose("ordered")
    one_fault(refused.value, "day", f"ordered already as dose {dose_id}")
    ready.cancel(dose_id)
    assert ready.dose("ordered") != dose_id


@pytest.mark.parametrize(
    ("prescribed", "status"),
    [
        ("1.46", "decided"),
        ("1.32", "decided"),  # planned 1.458767; 1.32 is −9.51 %
        ("1.3", "stopped"),  # −10.88 %
        ("1.6", "decided"),  # +9.68 %
        ("1.61", "stopped"),  # +10.37 %
        ("1000000000", "stopped"),
    ],
)
def test_prescribed_against_planned(ready: Pharmacy, prescribed: str, status: str) -> None:
    dose_id = ready.dose("decided", prescribed=prescribed)
    assert ready.thread(dose_id).line.status == status
    if status == "stopped":
        with ready.desk.store.read() as reader, pytest.raises(Refused, match="is stopped"):
            proposals(ready.desk, reader, dose_id)


# --- unset settings --------------------------------------------------------------------------------------------

SETTINGS_OF = {
    "BSA formula": {"bsa_formula": "", "bsa_formula_source": ""},
    "Dose rounding": {"rounding_increment_mg": "", "rounding_mode": "", "rounding_source": ""},
    "Preparation of the 1 mg vial": {"vial_1mg": VialTyped()},
    "Preparation of the 4 mg vial": {"vial_4mg": VialTyped()},
    "Bag and final concentration": {
        "diluent": "",
        "bag_volume_ml": "",
        "min_mg_per_ml": "",
        "max_mg_per_ml": "",
        "bag_storage": "",
        "bag_source": "",
    },
    "Stability limits": {
        "reconstitution_to_dilution_h": "",
        "reconstitution_to_end_h": "",
        "dilution_to_end_room_h": "",
        "infusion_h": "",
        "stability_source": "",
    },
}


@pytest.mark.parametrize("title", sorted(SETTINGS_OF))
def test_what_depends_on_an_unset_setting_is_refused_and_says_which(tmp_path: Path, title: str) -> None:
    pharmacy = open_pharmacy(tmp_path / "study.sqlite", settings=False)
    form = replace(SETTINGS, **SETTINGS_OF[title])  # type: ignore[arg-type]
    sign_settings(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))
    with pharmacy.desk.store.read() as reader:
        assert unset_settings(reader) == (title,)
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    thread = pharmacy.thread(dose_id)
    if title in ("BSA formula", "Dose rounding"):
        assert thread.line.status == "stopped"
        said = " ".join(finding["sentence"] for finding in thread.decision["answer"]["findings"])
        assert {"BSA formula": "formula", "Dose rounding": "rounding"}[title] in said
        assert "is not signed" in said
        assert thread.decision["answer"]["planned_mg"] is None
    else:
        words = {
            "Preparation of the 1 mg vial": "1 mg vials are made up is not signed",
            "Preparation of the 4 mg vial": "4 mg vials are made up is not signed",
            "Bag and final concentration": "bag volume and concentration limits are not signed",
            "Stability limits": "stability limits are not signed",
        }[title]
        strength = "4" if "4 mg" in title else "1"
        units = tuple(pharmacy.stock_up("S-2", (LotTyped(strength, "Z1", "2027-03-31", "2"),)))
        with pytest.raises(Refused, match=words):
            pharmacy.reserve(dose_id, units[: 1 if strength == "4" else 2])
        assert pharmacy.vials(state="reserved") == []
    pharmacy.desk.store.close()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"bsa_formula": "DuBois"}, "bsa_formula.value", "choose Mosteller"),
        ({"bsa_formula": ""}, "bsa_formula.value", "choose Mosteller"),
        ({"bsa_formula_source": " "}, "bsa_formula.source", "missing"),
        ({"rounding_increment_mg": "0"}, "dose_rounding.increment_mg", "more than 0"),
        ({"rounding_increment_mg": "0.2"}, "dose_rounding.increment_mg", "at most 0.1 mg"),
        ({"rounding_increment_mg": "a"}, "dose_rounding.increment_mg", "not a plain number"),
        ({"rounding_mode": "up"}, "dose_rounding.mode", "choose half up"),
        ({"vial_1mg": VialTyped("1.1", "4", "0.25", "Water", SOURCE)}, "vial_1mg.extractable_mg", "cannot be drawn"),
        ({"vial_1mg": VialTyped("0,9", "4", "0.25", "Water", SOURCE)}, "vial_1mg.extractable_mg", "has a comma"),
        ({"vial_4mg": VialTyped("3.8", "", "0.25", "Water", SOURCE)}, "vial_4mg.reconstitution_ml", "is empty"),
        ({"vial_4mg": VialTyped("3.8", "16", "0.25", "Water", "")}, "vial_4mg.source", "missing"),
        ({"min_mg_per_ml": "0.1"}, "bag.min_mg_per_ml", "must be below"),
        ({"min_mg_per_ml": "abc"}, "bag.min_mg_per_ml", "not a plain number"),
        ({"max_mg_per_ml": "NaN"}, "bag.max_mg_per_ml", "not a number"),
        ({"diluent": ""}, "bag.diluent", "missing"),
        ({"infusion_h": "5"}, "stability.infusion_h", "longer than"),
        ({"infusion_h": "x"}, "stability.infusion_h", "not a plain number"),
        ({"reconstitution_to_end_h": "x"}, "stability.reconstitution_to_end_h", "not a plain number"),
        ({"reconstitution_to_dilution_h": "9"}, "stability.reconstitution_to_dilution_h", "longer than"),
    ],
)
def test_a_setting_names_its_fault(pharmacy: Pharmacy, changes: dict[str, object], field: str, words: str) -> None:
    before = pharmacy.count()
    with pytest.raises(Refused) as refused:
        sign_settings(
            pharmacy.desk,
            pharmacy.act("paula"),
            replace(SETTINGS, **changes),  # type: ignore[arg-type]
            pharmacy.sign("paula"),
            pharmacy.sign("carla"),
        )
    one_fault(refused.value, field, words)
    assert pharmacy.count() == before


def test_words_that_no_bag_label_may_say_are_not_signed_in_the_first_place(pharmacy: Pharmacy) -> None:
    """Otherwise the bag is mixed, and its label is refused."""
    form = replace(SETTINGS, diluent="50mL sodium chloride", bag_storage="Keep at 2.0 °C")
    with pytest.raises(Refused) as refused:
        sign_settings(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))
    assert [(fault.field, fault.sentence) for fault in refused.value.faults] == [
        (
            "bag.diluent",
            "This stands on the bag's label, where an amount run into its unit is refused. Write it out.",
        ),
        ("bag.storage", "This stands on the bag's label, where a trailing zero is refused. Write it out."),
    ]


def test_no_settings_at_all_are_not_signed(pharmacy: Pharmacy) -> None:
    with pytest.raises(Refused, match="Nothing is filled in"):
        sign_settings(
            pharmacy.desk, pharmacy.act("paula"), SettingsForm(), pharmacy.sign("paula"), pharmacy.sign("carla")
        )


# --- the check -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "disagreed"),
    [
        ({}, []),
        ({"dose_mg": "1.4673"}, []),  # 0.5 % of 1.46 is 0.0073
        ({"dose_mg": "1.46731"}, ["dose_mg"]),
        ({"dose_mg": "1.4527"}, []),
        ({"dose_mg": "1.45269"}, ["dose_mg"]),
        ({"drawn_ml": "5.8692"}, []),  # 0.5 % of 5.84 is 0.0292
        ({"drawn_ml": "5.86921"}, ["drawn_ml"]),
        ({"height_cm": "171.1"}, ["height_cm"]),
        ({"weight_kg": "70.0"}, []),
        ({"weight_kg": "171", "height_cm": "70"}, ["height_cm", "weight_kg"]),
        ({"dose_mg_per_m2": "0.5"}, ["dose_mg_per_m2"]),
    ],
)
def test_the_second_calculation_agrees_or_not(ready: Pharmacy, changes: dict[str, str], disagreed: list[str]) -> None:
    dose_id = ready.dose("planned")
    event = ready.verify(dose_id, **changes)
    assert event.content["disagreed"] == disagreed
    assert ready.thread(dose_id).line.status == ("planned" if disagreed else "verified")


@pytest.mark.parametrize(("typed", "words"), NO_NUMBERS[:6])
def test_a_second_calculation_that_is_no_number(ready: Pharmacy, typed: str, words: str) -> None:
    dose_id = ready.dose("planned")
    with pytest.raises(Refused) as refused:
        verify_dose(ready.desk, ready.act("carla"), ready.check_form(dose_id, dose_mg=typed), ready.sign("carla"))
    one_fault(refused.value, "dose_mg", words)


def test_a_new_weight_after_the_decision_stops_plan_and_check(ready: Pharmacy) -> None:
    """What was decided from 70 kg is not planned, nor checked, once 77 kg are on record."""
    planned = ready.dose("planned")
    ready.enroll("002")
    decided = ready.dose("decided", "002")
    ready.clock.forward(minutes=1)
    for subject in ("001", "002"):
        record_measurement(ready.desk, ready.act("tim"), MeasurementForm(subject, "2026-03-02", weight="77"))
    with pytest.raises(Refused, match=r"has changed: .*current weight"):
        ready.verify(planned)
    units = tuple(vial.unit_number for vial in ready.vials(state="available")[:2])
    with pytest.raises(Refused, match=r"has changed: .*current weight"):
        ready.reserve(decided, units)
    record_decision(ready.desk, ready.act("paula"), DecideForm(decided))
    # √(171 × 77 / 3600) = √3.6575 = 1.912459; × 0.8 = 1.529967 mg; prescribed 1.46 is −4.57 %
    ready.reserve(decided, units)


# --- mixing ----------------------------------------------------------------------------------------------------


def test_nothing_is_mixed_before_the_worksheet_nor_labelled_before_it_is_mixed(ready: Pharmacy) -> None:
    dose_id = ready.dose("planned")
    with pytest.raises(Refused, match="must be verified"):
        print_worksheet(ready.desk, ready.act("paula"), dose_id)
    with pytest.raises(Refused, match="after both signatures"):
        print_bag_labels(ready.desk, ready.act("tim"), dose_id)
    ready.verify(dose_id)
    with pytest.raises(Refused, match="Print the worksheet first"):
        ready.prepare(dose_id)
    with pytest.raises(Refused, match="must be prepared"):
        print_bag_labels(ready.desk, ready.act("tim"), dose_id)
    print_worksheet(ready.desk, ready.act("paula"), dose_id)
    ready.prepare(dose_id)
    with pytest.raises(Refused, match="Print the bag label"):
        ready.release(dose_id)
    ready.label_bag(dose_id)
    ready.release(dose_id)


def test_a_second_print_needs_a_reason_and_counts_as_copy_two(ready: Pharmacy) -> None:
    dose_id = ready.dose("worksheet")
    with pytest.raises(Refused) as refused:
        print_worksheet(ready.desk, ready.act("paula"), dose_id)
    one_fault(refused.value, "why", "printed before")
    again = print_worksheet(ready.desk, ready.act("paula"), dose_id, "coffee on the first")
    assert again.event.content["papers"][0]["copy_number"] == 2


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"reconstituted_at": "2026-03-02 08:31"}, "reconstituted_at", "is in the future"),
        ({"diluted_at": "2026-03-02 08:31"}, "diluted_at", "is in the future"),
        ({"reconstituted_at": "2026-03-02 07:59"}, "reconstituted_at", "before the second check"),
        ({"reconstituted_at": "8.30"}, "reconstituted_at", "A date and a time"),
        ({"reconstituted_at": "2026-03-02 08:20", "diluted_at": "2026-03-02 08:10"}, "diluted_at", "is before the"),
    ],
)
def test_times_of_mixing(ready: Pharmacy, changes: dict[str, str], field: str, words: str) -> None:
    dose_id = ready.dose("worksheet")
    ready.clock.forward(minutes=30)
    with pytest.raises(Refused) as refused:
        ready.prepare(dose_id, **changes)
    one_fault(refused.value, field, words)
    assert ready.thread(dose_id).line.status == "verified"
    assert ready.vials(state="opened") == []


@pytest.mark.parametrize(("typed", "words"), NO_NUMBERS)
def test_a_drawn_volume_that_is_no_number(ready: Pharmacy, typed: str, words: str) -> None:
    dose_id = ready.dose("worksheet")
    units = [vial.unit_number for vial in ready.thread(dose_id).vials]
    with pytest.raises(Refused) as refused:
        ready.prepare(dose_id, ("3.6", typed))
    one_fault(refused.value, f"drawn_ml.{units[1]}", words)


def test_no_more_is_drawn_than_a_vial_holds(ready: Pharmacy) -> None:
    """4 mL at 0.25 mg/mL are the whole 1 mg; 4.01 mL would be 1.0025 mg."""
    dose_id = ready.dose("worksheet")
    with pytest.raises(Refused, match=r"1\.0025 mg, more than the vial holds"):
        ready.prepare(dose_id, ("4.01", "2.24"))
    ready.prepare(dose_id, ("4", "1.84"))


def test_a_vial_missing_from_the_form_is_asked_for(ready: Pharmacy) -> None:
    dose_id = ready.dose("worksheet")
    units = [vial.unit_number for vial in ready.thread(dose_id).vials]
    with pytest.raises(Refused) as refused:
        ready.prepare(dose_id, drawn_ml=((units[0], "3.6"),))
    one_fault(refused.value, f"drawn_ml.{units[1]}", "is empty")


def test_a_dose_is_mixed_on_its_day(ready: Pharmacy) -> None:
    dose_id = ready.dose("worksheet")
    ready.clock.forward(hours=24)
    with pytest.raises(Refused, match="decided for 02-Mar-2026"):
        ready.prepare(dose_id)


@pytest.mark.parametrize(
    ("second_ml", "leaves"),
    [
        # prescribed 1.46; 10 % is 0.146. The first vial gave 3.6 mL = 0.9 mg.
        ("1.656", False),  # 0.414 → 1.314 = −10 % exactly
        ("1.66", True),  # 0.415 → 1.315 = −9.93 %
        ("2.82", True),  # 0.705 → 1.605 = +9.93 %
        ("2.824", False),  # 0.706 → 1.606 = +10 % exactly
    ],
)
def test_prepared_against_prescribed(ready: Pharmacy, second_ml: str, leaves: bool) -> None:
    dose_id = ready.dose("worksheet")
    ready.prepare(dose_id, ("3.6", second_ml))  # a fact is recorded, good or bad
    if leaves:
        ready.label_bag(dose_id)
        ready.release(dose_id)
        return
    with pytest.raises(Refused, match="must not leave the pharmacy"):
        print_bag_labels(ready.desk, ready.act("tim"), dose_id)
    with pytest.raises(Refused, match="must not leave the pharmacy"):
        ready.release(dose_id)
    assert ready.thread(dose_id).line.status == "prepared"
    ready.cancel(dose_id)


def test_a_bag_past_its_time_is_not_released(ready: Pharmacy) -> None:
    """Diluted at 08:00: 4 h at room temperature less 1 h of infusion, so it must start by 11:00."""
    dose_id = ready.dose("labelled")
    ready.clock.forward(hours=3)
    ready.release(dose_id)


def test_a_bag_a_second_past_its_time_is_not_released(ready: Pharmacy) -> None:
    dose_id = ready.dose("labelled")
    ready.clock.forward(hours=3, seconds=1)
    with pytest.raises(Refused, match="had to start by 02-Mar-2026 11:00"):
        ready.release(dose_id)


# --- giving ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "unit", "error"),
    [
        # prescribed and prepared 1.44 mg in 50 mL; 10 % of 1.44 is 0.144
        ("1.44", "mg", False),
        ("1.297", "mg", False),
        ("1.296001", "mg", False),
        ("1.296", "mg", True),
        ("0", "mg", True),
        ("50", "mL", False),
        ("45.01", "mL", False),  # 1.296288 mg
        ("45", "mL", True),  # 45/50 × 1.44 = 1.296 mg
        ("0", "mL", True),
    ],
)
def test_given_against_prescribed(ready: Pharmacy, given: str, unit: str, error: bool) -> None:
    dose_id = ready.dose("released", prescribed="1.44")
    event = ready.give(dose_id, given, unit)
    assert (event.content["medication_error"] is not None) == error
    with ready.desk.store.read() as reader:
        errors = reader.errors()
    assert len(errors) == error
    if error:
        assert errors[0].status == "open"
        expected = Decimal(given) if unit == "mg" else Decimal(given) * Decimal("0.0288")
        assert errors[0].administered_mg == expected
    ready.assert_sound()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"given": "1.4401"}, "given", "The bag holds 1.44 mg"),
        ({"given": "50.01", "unit": "mL"}, "given", "The bag holds 50 mL"),
        ({"given": "1e9"}, "given", "with an exponent"),
        ({"given": "1,44"}, "given", "has a comma"),
        ({"given": "-1"}, "given", "is negative"),
        ({"given": "all"}, "given", "is not a plain number"),
        ({"given": ""}, "given", "is empty"),
        ({"unit": "drops"}, "unit", "choose mg or mL"),
        ({"ended_at": "2026-03-02 08:00"}, "ended_at", "must end after it starts"),
        ({"started_at": "2026-03-02 07:59"}, "started_at", "was released at 08:00"),
        ({"ended_at": "2026-03-02 09:01"}, "ended_at", "is in the future"),
        ({"started_at": "this morning"}, "started_at", "A date and a time"),
    ],
)
def test_an_administration_names_its_fault(ready: Pharmacy, changes: dict[str, str], field: str, words: str) -> None:
    dose_id = ready.dose("released", prescribed="1.44")
    ready.clock.forward(minutes=60)
    form = AdministrationForm(dose_id, "2026-03-02 08:00", "2026-03-02 09:00", "1.44", "mg")
    before = ready.count()
    with pytest.raises(Refused) as refused:
        administer(ready.desk, ready.act("paula"), replace(form, **changes))
    one_fault(refused.value, field, words)
    assert ready.count() == before


# --- closing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "states"),
    [
        # withdrawn 0.9 and 0.56 of 1 mg each
        ((("0.1", "0"), ("0.1", "0.34")), ["empty", "empty"]),
        ((("0", "0.1"), ("0", "0.44")), ["empty", "empty"]),
        ((("0.1", "0"), ("0.44", "0")), ["empty", "partial"]),
        ((("0.1", "0"), ("0.101", "0.339")), ["empty", "partial"]),
    ],
)
def test_vials_close_to_the_last_digit(ready: Pharmacy, rows: tuple[tuple[str, str], ...], states: list[str]) -> None:
    dose_id = ready.dose("given")
    ready.close(dose_id, rows)
    assert [vial.state for vial in ready.thread(dose_id).vials] == states
    assert ready.thread(dose_id).line.status == "closed"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((("0.1", "0.01"), ("0.1", "0.34")), "= 1.01 mg, but it held 1 mg"),
        ((("0.1", "0"), ("0.1", "0.3")), "= 0.96 mg, but it held 1 mg"),
        ((("0.1", "0"), ("0.1", "")), "is empty"),
        ((("0.1", "0"), ("-0.1", "0.54")), "is negative"),
        ((("0.1", "0"), ("0,1", "0.34")), "has a comma"),
    ],
)
def test_vials_that_do_not_close(ready: Pharmacy, rows: tuple[tuple[str, str], ...], words: str) -> None:
    dose_id = ready.dose("given")
    before = ready.count()
    with pytest.raises(Refused) as refused:
        ready.close(dose_id, rows)
    assert len(refused.value.faults) == 1
    assert words in refused.value.faults[0].sentence
    assert ready.count() == before
    assert {vial.state for vial in ready.thread(dose_id).vials} == {"opened"}


def test_every_opened_vial_is_closed_at_once_and_no_other(ready: Pharmacy) -> None:
    from pharmacy_app.services.administration import ClosedTyped, CloseForm, close_vials

    dose_id = ready.dose("given")
    first, second = (vial.unit_number for vial in ready.thread(dose_id).vials)
    stranger = ready.vials(state="available")[0].unit_number
    for rows, words in (
        ((ClosedTyped(first, "0.1", "0"),), "is empty"),
        (
            (ClosedTyped(first, "0.1", "0"), ClosedTyped(second, "0.1", "0.34"), ClosedTyped(stranger, "1", "0")),
            "not an opened vial of this dose",
        ),
    ):
        with pytest.raises(Refused, match=words):
            close_vials(ready.desk, ready.act("tim"), CloseForm(dose_id, rows))


# --- papers, set up, no such thing -----------------------------------------------------------------------------


@pytest.mark.parametrize("strength", ["one", "", "NaN", "1,0", "-1", "2", "1e0"])
def test_a_record_of_no_strength_is_refused(ready: Pharmacy, strength: str) -> None:
    before = ready.count()
    with pytest.raises(Refused):
        print_accountability_record(ready.desk, ready.act("mona"), RecordForm(strength))
    assert ready.count() == before


ABSENT: dict[str, Callable[[Pharmacy], object]] = {
    "deciding": lambda p: record_decision(p.desk, p.act("paula"), DecideForm("D000099X")),
    "planning": lambda p: p.reserve("D000099X", ()),
    "checking": lambda p: p.verify("D000099X"),
    "mixing": lambda p: prepare(p.desk, p.act("tim"), PrepareForm("D000099X", "", "", ())),
    "releasing": lambda p: p.release("D000099X"),
    "giving": lambda p: p.give("D000099X"),
    "cancelling": lambda p: p.cancel("D000099X"),
    "the worksheet": lambda p: print_worksheet(p.desk, p.act("paula"), "D000099X"),
    "the label": lambda p: print_bag_labels(p.desk, p.act("paula"), "D000099X"),
}


@pytest.mark.parametrize("what", sorted(ABSENT))
def test_a_dose_that_does_not_exist(ready: Pharmacy, what: str) -> None:
    with pytest.raises(Refused, match="There is no dose D000099X"):
        ABSENT[what](ready)


FIVE_FAULTS = (
    ("total_mg_per_m2 = 1.8", "total_mg_per_m2 = 1.9", "1.9"),
    ("max_cycles = 6\n\n[regimen.first", "max_cycles = 0\n\n[regimen.first", "max_cycles"),
    ("max_age_days = 7", 'max_age_days = "seven"', "max_age_days"),
    ("min_celsius = 2\n", "min_celsius = 9\n", "celsius"),
    ("strengths_mg = [1, 4]", "strengths_mg = []", "strengths_mg"),
)


def test_a_protocol_file_with_five_faults_has_all_five_named(tmp_path: Path) -> None:
    desk = desk_at(tmp_path / "study.sqlite", Clock(), new=True)
    text = shipped_protocol_text()
    for old, new, _ in FIVE_FAULTS:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    people = first_account("robin", "2026-03-01"), first_account("paula", "2026-03-01")
    with pytest.raises(Refused) as refused:
        open_site(desk, SITE, text, *people, WORKSTATION)
    said = [f"{fault.field} {fault.sentence}" for fault in refused.value.faults]
    for _, _, word in FIVE_FAULTS:
        assert any(word in line for line in said), f"{word} is not named in {said}"
    assert len(said) == 5, said
    assert desk.store.verify().events == 0
    desk.store.close()


def test_a_site_form_names_all_its_faults_with_the_protocols(tmp_path: Path) -> None:
    desk = desk_at(tmp_path / "study.sqlite", Clock(), new=True)
    site = replace(SITE, name="", time_zone="Chicago", places=("Fridge", "fridge "))
    robin, paula = first_account("robin", "2026-03-01"), first_account("paula", "2026-03-01")
    weak = replace(paula, password="short")
    with pytest.raises(Refused) as refused:
        open_site(desk, site, "this is no TOML [", robin, weak, WORKSTATION)
    fields = [fault.field for fault in refused.value.faults]
    assert {"name", "time_zone", "places", "pharmacist.password"} <= set(fields)
    assert len(fields) >= 5
    desk.store.close()


def test_the_first_two_people_are_two(tmp_path: Path) -> None:
    desk = desk_at(tmp_path / "study.sqlite", Clock(), new=True)
    robin = first_account("robin", "2026-03-01")
    with pytest.raises(Refused) as refused:
        open_site(desk, SITE, shipped_protocol_text(), robin, robin, WORKSTATION)
    assert {fault.field for fault in refused.value.faults} == {
        "pharmacist.roles",
        "pharmacist.user_name",
        "pharmacist.printed_name",
    }
    desk.store.close()


def test_nothing_is_done_in_a_database_without_a_study(tmp_path: Path, pharmacy: Pharmacy) -> None:
    desk = desk_at(tmp_path / "empty.sqlite", Clock(), new=True)
    with pytest.raises(Refused, match="no study yet"):
        order(desk, pharmacy.act("paula"), OrderForm("001", "x", "", "", "1", "1", "1", "0", "1"))
    desk.store.close()


@pytest.mark.parametrize("typed", ["V٠٠٠٠٠١X", "V00000١X", "V12345", "W000001L", "V0000011L", "", " ", "V00000１L"])
def test_a_scan_of_nonsense_is_refused_not_a_crash(ready: Pharmacy, typed: str) -> None:
    from pharmacy_app.services.scanning import find_vial

    with ready.desk.store.read() as reader, pytest.raises(Refused):
        find_vial(reader, typed, date(2026, 3, 2))


def test_reserving_needs_a_session_of_this_study(ready: Pharmacy) -> None:
    from pharmacy_app.services.desk import Act, Session
    from pharmacy_app.services.preparation import ReserveForm

    stranger = Act(Session("A0777", "Nobody", ready.sessions["paula"].roles, "PC-9"))
    with pytest.raises(Refused, match="not signed in with an account"):
        reserve(ready.desk, stranger, ReserveForm("D1", (), ()), ready.sign("paula"))
    assert ready.events()[-1].kind == "access_denied"


def test_a_clock_set_back_does_not_put_an_act_before_what_it_follows(ready: Pharmacy) -> None:
    """The vials were released at 08:00; a PC clock an hour slow must not reserve them at 07:00."""
    dose_id = ready.dose("decided")
    ready.clock.forward(minutes=-60)
    with pytest.raises(Refused, match=r"moved after that time|clock"):
        ready.reserve(dose_id, ready.best(dose_id))
    assert ready.vials(state="reserved") == []
