"""What must not slip through between two acts: settings, weights, doses and vials that changed meanwhile."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.documents import DocumentForm, attach_document
from pharmacy_app.services.doses import CancelForm, DecideForm, OverrideTyped, cancel, order, preview, record_decision
from pharmacy_app.services.preparation import verify_dose
from pharmacy_app.services.printing import print_worksheet
from pharmacy_app.services.stock import QuarantineForm, quarantine
from pharmacy_app.services.study_settings import SettingsForm, VialTyped, sign_settings
from pharmacy_app.services.subjects import MeasurementForm, record_measurement
from pharmacy_app.services.treatment import DelayForm, record_delay
from tests.services.pharmacy import SETTINGS, Pharmacy


@pytest.fixture
def ready(pharmacy: Pharmacy) -> Pharmacy:
    """Stock on the shelf and a subject of 171 cm and 70 kg enrolled."""
    pharmacy.stock_up()
    pharmacy.stock_up("S-2")
    pharmacy.enroll()
    return pharmacy


def sign_anew(pharmacy: Pharmacy, form: SettingsForm) -> None:
    """Two people sign changed settings."""
    sign_settings(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))


def weigh(pharmacy: Pharmacy, kg: str) -> None:
    """The ward's scale, today."""
    record_measurement(
        pharmacy.desk, pharmacy.act("tim"), MeasurementForm("001", pharmacy.day(), weight=kg, confirm="twice")
    )


def test_settings_signed_after_the_plan_stop_the_check_and_the_mixing(ready: Pharmacy) -> None:
    """Another concentration would make the volumes on the signed plan wrong."""
    new = SettingsForm(vial_1mg=VialTyped("0.9", "4", "0.26", "sterile water", "Study Manual v9"))
    dose_id = ready.dose("planned")
    sign_anew(ready, new)
    with pytest.raises(Refused, match="signed settings"):
        ready.verify(dose_id)
    cancel(ready.desk, ready.act("paula"), CancelForm(dose_id, "settings signed anew"))
    sign_anew(ready, SettingsForm(vial_1mg=SETTINGS.vial_1mg))
    dose_id = ready.dose("worksheet")
    sign_anew(ready, new)
    with pytest.raises(Refused, match="signed settings"):
        ready.prepare(dose_id)


def test_a_worksheet_says_what_was_signed_not_what_is_signed_now(ready: Pharmacy) -> None:
    dose_id = ready.dose("worksheet")
    sign_anew(ready, replace(SettingsForm(), diluent="5% dextrose", bag_volume_ml="100", min_mg_per_ml="0.01",
                             max_mg_per_ml="0.1", bag_storage="cool", bag_source="Study Manual v9"))  # fmt: skip
    first = ready.thread(dose_id)
    print_worksheet(ready.desk, ready.act("paula"), dose_id, "coffee on the first one")
    assert first.plan["settings"]["bag"]["value"]["bag_volume_ml"] == SETTINGS.bag_volume_ml


def test_two_doses_of_a_subject_are_never_on_their_way_together(ready: Pharmacy) -> None:
    """Day 8 and day 15 both fall on day 12 by their windows: the second waits until the first is recorded."""
    ready.dose("closed")
    ready.clock.forward(days=11)
    ids = []
    for day in ("8", "15"):
        form = ready.order_form(prescribed="0.91", day=day)
        ready.criteria(day=day)
        record_delay(ready.desk, ready.act("paula"), DelayForm("001", "1", "1", day, "other", "Dr. Vogel", "holiday"))
        ids.append(str(order(ready.desk, ready.act("paula"), form).content["dose_id"]))
        record_decision(ready.desk, ready.act("paula"), DecideForm(ids[-1], reason="late, see the chart"))
    ready.reserve(ids[0], ready.best(ids[0]))
    with pytest.raises(Refused, match=f"Dose {ids[0]} of this subject is planned"):
        ready.reserve(ids[1], ready.best(ids[1]))


def test_a_bag_for_another_weight_is_not_released(ready: Pharmacy) -> None:
    """Made for 70 kg; 77 kg is exactly 10 % more and passes, 77.1 kg is more than 10 % and stops."""
    dose_id = ready.dose("labelled")
    weigh(ready, "77.1")
    with pytest.raises(Refused, match="must not be given"):
        ready.release(dose_id)
    weigh(ready, "77")
    ready.release(dose_id)


def test_a_reserved_vial_in_quarantine_is_not_mixed(ready: Pharmacy) -> None:
    """The refrigerator's alarm goes off between the check and the mixing (§ 8.2: quarantined at once)."""
    dose_id = ready.dose("worksheet")
    units = [vial.unit_number for vial in ready.thread(dose_id).vials]
    quarantine(ready.desk, ready.act("tim"), QuarantineForm((units[0],), "14 °C at 03:10"))
    with pytest.raises(Refused, match="quarantine"):
        ready.prepare(dose_id)
    cancel(ready.desk, ready.act("paula"), CancelForm(dose_id, "refrigerator alarm"))
    assert [ready.vial(unit).state for unit in units] == ["quarantined", "available"]
    assert [ready.vial(unit).dose_id for unit in units] == ["", ""]
    ready.assert_sound()


def test_one_broken_vial_of_two_does_not_take_the_other_with_it(ready: Pharmacy) -> None:
    dose_id = ready.dose("worksheet")
    first, second = (vial.unit_number for vial in ready.thread(dose_id).vials)
    cancel(ready.desk, ready.act("paula"), CancelForm(dose_id, "the first vial slipped", (first,)))
    assert ready.vial(first).state == "opened"
    assert ready.vial(second).state == "available"
    ready.close(dose_id, (("0.1", "0.9"),))
    assert ready.vial(first).state == "empty"
    ready.assert_sound()


def test_nothing_given_is_an_error_but_no_dose(ready: Pharmacy) -> None:
    """The line would not run: 0 mg of 1.46 is −100 %. Day 1 is still to be given."""
    dose_id = ready.dose("released")
    event = ready.give(dose_id, "0")
    assert event.content["medication_error"]["difference"] == "−100 %"
    again = order(ready.desk, ready.act("paula"), ready.order_form()).content["dose_id"]
    with ready.desk.store.read() as reader:
        request = preview(ready.desk, reader, DecideForm(again)).request
    assert request.history == ()


def test_millilitres_given_count_by_what_is_in_the_bag(ready: Pharmacy) -> None:
    """1.4 mg prepared for 1.46; 45 of 50 mL given: 1.4 × 45 ÷ 50 = 1.26 mg, −13.69… %: an error."""
    dose_id = ready.dose("worksheet")
    ready.prepare(dose_id, ("3.6", "2"))  # 0.9 + 0.5 mg
    ready.label_bag(dose_id)
    ready.release(dose_id)
    event = ready.give(dose_id, "45", "mL")
    assert Decimal(event.content["administration"]["administered_mg"]) == Decimal("1.26")
    assert event.content["medication_error"]["difference"].startswith("−13.7")


def test_the_weight_last_used_is_the_base_not_the_one_last_measured(ready: Pharmacy) -> None:
    """RULES A3: 70 kg used; 75 measured but not used; 78 is +11.4 % of 70, though only +4 % of 75."""
    ready.dose("closed")
    ready.clock.forward(days=7)
    weigh(ready, "75")
    ready.criteria(day="8")
    form = ready.order_form(prescribed="0.91", day="8")
    day8 = str(order(ready.desk, ready.act("paula"), form).content["dose_id"])
    record_decision(ready.desk, ready.act("paula"), DecideForm(day8, "last used", reason="same weight in the cycle"))
    assert ready.thread(day8).weight_kg == Decimal(70)
    ready.reserve(day8, ready.best(day8))
    ready.verify(day8, dose_mg_per_m2="0.5", dose_mg="0.91", drawn_ml="3.64")
    print_worksheet(ready.desk, ready.act("paula"), day8)
    ready.prepare(day8, ("3.6", "0.04"))
    ready.label_bag(day8)
    ready.release(day8)
    ready.give(day8, "0.91")
    ready.close(day8, (("0.1", "0"), ("0.1", "0.89")))
    ready.clock.forward(days=14)
    weigh(ready, "78")
    form = ready.order_form(prescribed="1.15", cycle="2", day="1")
    next_id = str(order(ready.desk, ready.act("paula"), form).content["dose_id"])
    with ready.desk.store.read() as reader:
        kept = preview(ready.desk, reader, DecideForm(next_id, "last used"))
        anew = preview(ready.desk, reader, DecideForm(next_id, "newest"))
    assert kept.request.prior_weight_used is not None and kept.request.prior_weight_used.kg == Decimal(70)
    assert any(finding.rule == "R14" and finding.blocks for finding in kept.decision.findings)
    assert not any(finding.rule == "R14" and finding.blocks for finding in anew.decision.findings)


def test_who_decided_does_not_check(ready: Pharmacy) -> None:
    """Quentin records the decision, Paula plans: Quentin's second check would be of his own calculation."""
    dose_id = ready.dose("ordered")
    record_decision(ready.desk, ready.act("quentin"), DecideForm(dose_id))
    ready.reserve(dose_id, ready.best(dose_id))
    with pytest.raises(Refused, match="recorded the decision"):
        verify_dose(ready.desk, ready.act("quentin"), ready.check_form(dose_id), ready.sign("quentin"))


def test_the_level_does_not_change_inside_a_cycle_and_retreatment_is_the_investigators(ready: Pharmacy) -> None:
    """R43 and R6, through the order and the decision."""
    form = ready.order_form(prescribed="1.46", course="2")
    again = str(order(ready.desk, ready.act("paula"), form).content["dose_id"])
    letter = DocumentForm("Letter 3", "written decision", "001", "Dr. Vogel", ready.day(), "letter.pdf")
    kept = attach_document(ready.desk, ready.act("paula"), letter, b"%PDF-1.7 relapse after 5 months %%EOF")
    number = str(kept.content["document_id"])
    by_prescriber = OverrideTyped("R6", "Dr. Vogel", "prescriber", ready.day(), number, "relapse after 5 months")
    with ready.desk.store.read() as reader:
        found = preview(ready.desk, reader, DecideForm(again, overrides=(by_prescriber,))).decision.findings
    assert any(finding.rule == "OV" and "principal investigator" in finding.sentence for finding in found)


@pytest.mark.parametrize(("kg", "asks"), [("77", False), ("77.1", True), ("63", False), ("62.9", True), ("140", True)])
def test_a_weight_far_from_the_last_one_is_weighed_again(ready: Pharmacy, kg: str, asks: bool) -> None:
    """70 kg before: 77 and 63 are exactly 10 % and pass; beyond, the pharmacist says why it is right."""
    form = MeasurementForm("001", ready.day(), weight=kg)
    if not asks:
        record_measurement(ready.desk, ready.act("tim"), form)
        return
    with pytest.raises(Refused, match="Weigh the subject again") as refused:
        record_measurement(ready.desk, ready.act("tim"), form)
    assert [fault.field for fault in refused.value.faults] == ["confirm"]
    record_measurement(ready.desk, ready.act("tim"), replace(form, confirm="weighed twice, fluid"))


def test_a_height_that_comes_after_the_check_stops_the_mixing(ready: Pharmacy) -> None:
    """171 cm was typed for 161: another body surface area, so another dose."""
    dose_id = ready.dose("worksheet")
    record_measurement(ready.desk, ready.act("tim"), MeasurementForm("001", ready.day(), height="161"))
    with pytest.raises(Refused, match="height"):
        ready.prepare(dose_id)


def test_the_base_is_the_weight_of_the_last_dose_not_of_the_first(ready: Pharmacy) -> None:
    """70 kg used on day 1, 75 kg used on day 8 (√(171 × 75 ÷ 3600) × 0.5 = 0.9437… → 0.94 mg, 3.76 mL).

    82 kg is +9.33 % of 75 and no flag; of 70 it would be +17 %.
    """
    ready.dose("closed")
    ready.clock.forward(days=7)
    weigh(ready, "75")
    ready.criteria(day="8")
    form = ready.order_form(prescribed="0.94", day="8")
    day8 = str(order(ready.desk, ready.act("paula"), form).content["dose_id"])
    record_decision(ready.desk, ready.act("paula"), DecideForm(day8, "newest", reason="recalculated"))
    ready.reserve(day8, ready.best(day8))
    ready.verify(day8, weight_kg="75", dose_mg_per_m2="0.5", dose_mg="0.94", drawn_ml="3.76")
    print_worksheet(ready.desk, ready.act("paula"), day8)
    ready.prepare(day8, ("3.6", "0.16"))
    ready.label_bag(day8)
    ready.release(day8)
    ready.give(day8, "0.94")
    ready.clock.forward(days=14)
    weigh(ready, "82")
    form = ready.order_form(prescribed="1.18", cycle="2", day="1")
    next_id = str(order(ready.desk, ready.act("paula"), form).content["dose_id"])
    with ready.desk.store.read() as reader:
        asked = preview(ready.desk, reader, DecideForm(next_id))
    assert asked.request.prior_weight_used is not None and asked.request.prior_weight_used.kg == Decimal(75)
    assert not any(finding.rule == "R14" for finding in asked.decision.findings)
