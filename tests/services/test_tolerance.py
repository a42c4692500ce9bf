"""The tolerance budget on its way: shown before vials are chosen, recorded with the plan, printed; and the drift watch.

The usual dose: 171 cm and 70 kg, √(171 × 70 ÷ 3600) = 1.823458 m², × 0.8 = 1.458767 mg, prescribed 1.46 mg, drawn as
3.6 mL and 2.24 mL at 0.25 mg/mL. The order is +0.001233 mg = +0.0845 %, the reading of two draws 0.0025 mg = 0.1712 %.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pharmacy_app.domain.codec import from_plain, to_plain
from pharmacy_app.domain.drift import Drift
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.tolerance import Budget, PartKind
from pharmacy_app.services.papers import Worksheet
from pharmacy_app.services.preparation import ReserveForm, budget_of, planned_budget, proposals, reserve
from pharmacy_app.services.printing import print_worksheet
from pharmacy_app.services.study_settings import SettingsForm, settings_of, sign_settings, unset_settings
from pharmacy_app.services.subjects import MeasurementForm, drift_of, record_measurement
from tests.services.pharmacy import Pharmacy, StubPapers, open_pharmacy

D = Decimal
SOP = "SOP 12, flush test of 2-Mar-2026 (made up for tests)"


@pytest.fixture
def ready(pharmacy: Pharmacy) -> Pharmacy:
    """Stock on the shelf and a subject of 171 cm and 70 kg enrolled."""
    pharmacy.stock_up()
    pharmacy.enroll()
    return pharmacy


def sign(pharmacy: Pharmacy, form: SettingsForm) -> None:
    sign_settings(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))


def leave(pharmacy: Pharmacy, ml: str) -> None:
    """Two people sign what stays in bag and line; the bag holds 50 mL."""
    sign(pharmacy, SettingsForm(line_residue_ml=ml, line_residue_source=SOP))


def ask(pharmacy: Pharmacy, dose_id: str, *units: str) -> Budget:
    with pharmacy.desk.store.read() as reader:
        return budget_of(reader, dose_id, units)


def refused(act: Callable[[], object]) -> list[tuple[str, str]]:
    """The fields and sentences with which an act is refused."""
    with pytest.raises(Refused) as caught:
        act()
    return [(fault.field, fault.sentence) for fault in caught.value.faults]


def rules_of(findings: Any) -> list[str]:
    return [finding["rule"] if isinstance(finding, dict) else finding.rule for finding in findings]


# --- the budget of the chosen plan -----------------------------------------------------------------------------


def test_the_page_can_ask_for_the_budget_before_the_vials_are_signed(ready: Pharmacy) -> None:
    dose_id = ready.dose("decided")
    found = ask(ready, dose_id, *ready.best(dose_id))
    order, reading = found.part(PartKind.ORDER).percent, found.part(PartKind.READING).percent
    assert order is not None
    assert reading is not None
    assert round(order, 3) == D("0.084")
    assert round(reading, 3) == D("0.171")
    assert found.part(PartKind.VOLUME).percent == 0
    assert found.part(PartKind.RESIDUE).percent is None
    assert found.finding is None


def test_the_budget_is_recorded_with_the_plan_and_asked_back_as_it_was(ready: Pharmacy) -> None:
    dose_id = ready.dose("decided")
    units = ready.best(dose_id)
    before = ask(ready, dose_id, *units)
    ready.reserve(dose_id, units)
    assert from_plain(Budget, ready.thread(dose_id).plan["budget"]) == before
    leave(ready, "2")
    assert ask(ready, dose_id) == before, "what is signed later does not change what was planned"
    ready.assert_sound()


def test_the_look_alike_stands_with_every_plan(ready: Pharmacy) -> None:
    dose_id = ready.dose("decided")
    with ready.desk.store.read() as reader:
        plans = proposals(ready.desk, reader, dose_id).plans
    assert plans
    assert all("A33" in rules_of(plan.findings) for plan in plans)
    ready.reserve(dose_id, ready.best(dose_id))
    assert rules_of(ready.thread(dose_id).plan["findings"]) == ["A33"]


def test_half_the_tolerance_spent_needs_a_reason(ready: Pharmacy) -> None:
    # 2.5 of 50 mL are 5 %, with the reading 5.17 %.
    leave(ready, "2.5")
    dose_id = ready.dose("decided")
    units = ready.best(dose_id)
    with ready.desk.store.read() as reader:
        best = proposals(ready.desk, reader, dose_id).best
    assert best is not None
    assert "T1" in rules_of(best.findings), "the page shows the field for the reason by the plan's findings"
    assert refused(lambda: ready.reserve(dose_id, units)) == [
        ("reason", "The plan has a warning. Type the reason for going on, as it shall stand on the record.")
    ]
    form = ReserveForm(dose_id, units, units, "The line is flushed on the ward.")
    reserve(ready.desk, ready.act("paula"), form, ready.sign("paula"))
    plan = ready.thread(dose_id).plan
    assert rules_of(plan["findings"]) == ["T1", "A33"]
    assert plan["reason"] == "The line is flushed on the ward."
    assert "5.17 % is spent" in plan["findings"][0]["sentence"]


def test_a_little_less_needs_none(ready: Pharmacy) -> None:
    # 2.4 of 50 mL are 4.8 %, with the reading 4.97 %.
    leave(ready, "2.4")
    dose_id = ready.dose("planned")
    assert rules_of(ready.thread(dose_id).plan["findings"]) == ["A33"]


def test_a_plan_recorded_before_there_was_a_budget_has_one_all_the_same(ready: Pharmacy) -> None:
    dose_id = ready.dose("planned")
    thread = ready.thread(dose_id)
    settings = {name: value for name, value in thread.plan["settings"].items() if name != "line_residue"}
    plan = {name: value for name, value in thread.plan.items() if name != "budget"} | {"settings": settings}
    with ready.desk.store.read() as reader:
        assert planned_budget(reader, replace(thread, plan=plan)) == planned_budget(reader, thread)


def test_there_is_no_budget_without_a_calculation_a_plan_or_a_vial(ready: Pharmacy) -> None:
    ordered = ready.dose("ordered")
    assert "is not decided yet" in refused(lambda: ask(ready, ordered, "V000001L"))[0][1]
    assert "No vials are planned" in refused(lambda: ask(ready, ordered))[0][1]
    decided = ready.dose("decided", ready.enroll("002"))
    assert "There is no vial V999999X" in refused(lambda: ask(ready, decided, "V999999X"))[0][1]


def test_a_dose_that_could_not_be_calculated_has_no_budget(tmp_path: Path) -> None:
    bare = open_pharmacy(tmp_path / "study.sqlite", settings=False)
    bare.stock_up()
    bare.enroll()
    dose_id = bare.dose("decided")
    units = tuple(vial.unit_number for vial in bare.vials()[:2])
    assert "No dose was calculated" in refused(lambda: ask(bare, dose_id, *units))[0][1]
    bare.desk.store.close()


def test_the_worksheet_carries_the_recorded_budget(ready: Pharmacy) -> None:
    printed: list[Worksheet] = []

    class Kept(StubPapers):
        def worksheet(self, worksheet: Any) -> bytes:
            printed.append(worksheet)
            return super().worksheet(worksheet)

    dose_id = ready.dose("verified")
    ready.desk = replace(ready.desk, papers=Kept())
    print_worksheet(ready.desk, ready.act("paula"), dose_id)
    assert printed[0].budget == ask(ready, dose_id)
    assert "A33" in rules_of(printed[0].findings)


# --- what stays in bag and line --------------------------------------------------------------------------------


def test_nothing_waits_for_the_residue_and_it_is_signed_like_the_others(ready: Pharmacy) -> None:
    with ready.desk.store.read() as reader:
        assert unset_settings(reader) == ()
        assert settings_of(reader).line_residue is None
    leave(ready, "1.5")
    with ready.desk.store.read() as reader:
        signed = settings_of(reader).line_residue
        (line,) = [line for line in reader.settings() if line.name == "line_residue"]
    assert signed is not None
    assert (signed.value.residue_ml, signed.source) == (D("1.5"), SOP)
    assert line.signed_by == "Paula Reyes, Carla Okafor"
    ready.assert_sound()


def test_a_flushed_line_is_signed_as_nothing(ready: Pharmacy) -> None:
    leave(ready, "0")
    dose_id = ready.dose("decided")
    assert ask(ready, dose_id, *ready.best(dose_id)).part(PartKind.RESIDUE).percent == 0


@pytest.mark.parametrize(
    ("ml", "source", "field", "words"),
    [
        ("", SOP, "line_residue.residue_ml", "is empty"),
        ("1.5", "", "line_residue.source", "source"),
        ("-1", SOP, "line_residue.residue_ml", "is negative"),
        ("1,5", SOP, "line_residue.residue_ml", "has a comma"),
        ("50", SOP, "line_residue.residue_ml", "are the whole bag of 50 mL or more"),
    ],
)
def test_a_residue_that_is_not_taken(ready: Pharmacy, ml: str, source: str, field: str, words: str) -> None:
    form = SettingsForm(line_residue_ml=ml, line_residue_source=source)
    found = refused(lambda: sign(ready, form))
    assert [name for name, _ in found] == [field]
    assert words in found[0][1]


def test_a_smaller_bag_is_judged_by_the_residue_in_force(ready: Pharmacy) -> None:
    leave(ready, "4")
    bag = SettingsForm(diluent="saline", min_mg_per_ml="0.01", max_mg_per_ml="1", bag_storage="cool", bag_source=SOP)
    found = refused(lambda: sign(ready, replace(bag, bag_volume_ml="4")))
    assert [name for name, _ in found] == ["bag.bag_volume_ml"]
    sign(ready, replace(bag, bag_volume_ml="40"))
    (event,) = [event for event in ready.events("settings_signed") if "bag" in event.content["settings"]][-1:]
    # 4 of 40 mL are 10 %.
    assert rules_of(event.content["findings"]) == ["R17"]
    assert set(event.content["settings"]) == {"bag"}, "the residue in force is looked at, not signed again"


# --- the drift watch -------------------------------------------------------------------------------------------


def weigh(pharmacy: Pharmacy, kg: str) -> None:
    form = MeasurementForm("001", pharmacy.day(), weight=kg, confirm="weighed twice")
    record_measurement(pharmacy.desk, pharmacy.act("tim"), form)


def drift(pharmacy: Pharmacy) -> Drift:
    with pharmacy.desk.store.read() as reader:
        return drift_of(pharmacy.desk, reader, "001")


def test_the_watch_goes_by_the_weight_last_used(ready: Pharmacy) -> None:
    # RULES A3: 70 used, 75 measured only, 78 is 11.43 % of 70.
    assert drift(ready).mandatory is None
    ready.dose("closed")
    ready.clock.forward(days=7)
    weigh(ready, "75")
    assert drift(ready).mandatory is False
    ready.clock.forward(days=7)
    weigh(ready, "78")
    found = drift(ready)
    assert found.mandatory is True
    assert (found.last_used_kg, found.mandatory_below_kg, found.mandatory_above_kg) == (D(70), D(63), D(77))
    assert [(point.kg, point.over) for point in found.points] == [(D(70), False), (D(75), False), (D(78), True)]


def test_a_dose_of_which_nothing_was_given_leaves_no_weight_used(ready: Pharmacy) -> None:
    ready.give(ready.dose("released"), "0")
    assert drift(ready).last_used_kg is None


def test_a_stranger_has_no_line_of_weight(ready: Pharmacy) -> None:
    with ready.desk.store.read() as reader:
        assert refused(lambda: drift_of(ready.desk, reader, "999")) == [
            ("subject_number", "Subject 999 is not enrolled.")
        ]


def test_settings_without_a_residue_read_back_as_they_were(ready: Pharmacy) -> None:
    with ready.desk.store.read() as reader:
        settings = settings_of(reader)
    old = to_plain(settings)
    assert isinstance(old, dict)
    old.pop("line_residue")
    assert from_plain(type(settings), old) == settings
