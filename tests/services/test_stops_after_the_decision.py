"""Between decision and infusion: what is recorded meanwhile stops the dose, and a written decision covers its own case.

Possible, probable or confirmed VOD discontinues treatment for good (§ 8.1.5(4)); the criteria are those of the
treatment day (§ 8.1.5); grade 4 at least possibly related ends treatment (§ 10.4).
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.documents import SUPPORTERS_PERMISSION, DocumentForm, attach_document
from pharmacy_app.services.doses import DecideForm, OverrideTyped, order, preview, record_decision
from pharmacy_app.services.printing import print_worksheet
from pharmacy_app.services.subjects import MeasurementForm, record_measurement
from pharmacy_app.services.treatment import (
    LabTyped,
    LevelForm,
    MarrowForm,
    OmissionForm,
    RemovalForm,
    ToxicityForm,
    WithdrawForm,
    change_level,
    end_treatment,
    omit_dose,
    record_criteria,
    record_marrow,
    record_toxicity,
    withdraw,
)
from tests.services.pharmacy import Pharmacy

INES = "Dr. Ines Vogel"
VOD = ToxicityForm("001", "liver pain", "2", "yes", "2026-03-02", "possible VOD")
GRADE_4 = ToxicityForm("001", "ALT increased", "4", "yes", "2026-03-02")


@pytest.fixture
def ready(pharmacy: Pharmacy) -> Pharmacy:
    """Subject 001 meets everything, vials are there."""
    pharmacy.enroll()
    pharmacy.stock_up()
    return pharmacy


def vod(pharmacy: Pharmacy) -> int:
    return record_toxicity(pharmacy.desk, pharmacy.act("paula"), VOD).seq


def grade_4(pharmacy: Pharmacy) -> int:
    return record_toxicity(pharmacy.desk, pharmacy.act("paula"), GRADE_4).seq


def off_treatment(pharmacy: Pharmacy) -> int:
    form = RemovalForm("001", "1", pharmacy.day(), "subject's request (10.3)", INES, "wants to go home")
    return end_treatment(pharmacy.desk, pharmacy.act("paula"), form).seq


def suspicion(pharmacy: Pharmacy) -> int:
    return pharmacy.criteria(liver_toxicity_suspected="yes").seq


def bilirubin(pharmacy: Pharmacy) -> int:
    """1.81 mg/dL is over 1.5 × 1.2 = 1.8."""
    return pharmacy.criteria(bilirubin=LabTyped("1.81", "mg/dL", "1.2", pharmacy.day())).seq


MEANWHILE = [(vod, "R32"), (suspicion, "R32"), (grade_4, "R33"), (off_treatment, "R33"), (bilirubin, "R37")]


@pytest.mark.parametrize(("happens", "rule"), MEANWHILE)
def test_what_is_recorded_after_the_mixing_keeps_the_bag_in(
    ready: Pharmacy, happens: Callable[[Pharmacy], int], rule: str
) -> None:
    """The bag stays until the statement is withdrawn as the slip it was."""
    dose_id = ready.dose("labelled")
    seq = happens(ready)
    before = ready.count()
    with pytest.raises(Refused, match="This bag must not be given") as refused:
        ready.release(dose_id)
    assert [fault.rule for fault in refused.value.faults] == [rule]
    assert ready.count() == before
    withdraw(ready.desk, ready.act("paula"), WithdrawForm("001", seq, "typed for the wrong subject"))
    ready.release(dose_id)
    ready.assert_sound()


def test_what_changes_nothing_about_a_bag_lets_it_go(ready: Pharmacy) -> None:
    """71 kg is 1.4 % away, bilirubin 1.8 mg/dL is at 1.5 × 1.2, grade 3 is no grade 4; new settings are not its own."""
    dose_id = ready.dose("labelled")
    record_measurement(ready.desk, ready.act("tim"), MeasurementForm("001", ready.day(), height="172", weight="71"))
    record_toxicity(ready.desk, ready.act("paula"), replace(GRADE_4, grade="3"))
    ready.criteria(bilirubin=LabTyped("1.8", "mg/dL", "1.2", ready.day()))
    ready.release(dose_id)


@pytest.mark.parametrize(("happens", "rule"), MEANWHILE)
def test_what_is_recorded_after_the_release_stands_beside_the_infusion(
    ready: Pharmacy, happens: Callable[[Pharmacy], int], rule: str
) -> None:
    """The infusion is a fact and is recorded; that it should not have been does not go by unsaid."""
    dose_id = ready.dose("released")
    happens(ready)
    findings = ready.give(dose_id).content["administration"]["findings"]
    assert [(each["rule"], each["severity"]) for each in findings] == [(rule, "warn")]
    assert "Tell the investigator that the dose was given." in findings[0]["sentence"]
    ready.assert_sound()


def test_nothing_is_said_of_a_bag_that_was_not_given(ready: Pharmacy) -> None:
    dose_id = ready.dose("released")
    vod(ready)
    event = ready.give(dose_id, "0")
    assert "R32" not in [each["rule"] for each in event.content["administration"]["findings"]]


# --- a written decision covers what was decided ------------------------------------------------------------------


def attached(
    pharmacy: Pharmacy, about: str = "001", dated_on: str = "2026-03-02", kind: str = "written decision"
) -> str:
    permits = ("use",) if kind == SUPPORTERS_PERMISSION else ()
    form = DocumentForm("On the rash", kind, about, INES, dated_on, "decision.pdf", permits=permits)
    event = attach_document(pharmacy.desk, pharmacy.act("paula"), form, b"%PDF-1.7 grade 2 rash, may be treated %%EOF")
    return str(event.content["document_id"])


def decided(pharmacy: Pharmacy, number: str, rule: str = "R36", decided_on: str = "2026-03-02") -> str:
    """A dose decided with a written decision on a rule."""
    dose_id = str(order(pharmacy.desk, pharmacy.act("paula"), pharmacy.order_form()).content["dose_id"])
    override = OverrideTyped(rule, INES, "principal investigator", decided_on, number, "a rash only")
    event = record_decision(pharmacy.desk, pharmacy.act("paula"), DecideForm(dose_id, overrides=(override,)))
    assert event.content["may_go_on"]
    return dose_id


def test_a_decision_on_grade_2_is_none_on_grade_4(ready: Pharmacy) -> None:
    ready.criteria(toxicity_grade="2")
    dose_id = decided(ready, attached(ready))
    units = ready.best(dose_id)
    ready.criteria(toxicity_grade="4")
    with pytest.raises(Refused, match=r"what rule R36 says \(Related non-hematologic toxicity is grade 4"):
        ready.reserve(dose_id, units)
    ready.criteria(toxicity_grade="2")
    ready.reserve(dose_id, units)


def test_a_decision_on_grade_2_does_not_release_a_bag_for_grade_4(ready: Pharmacy) -> None:
    ready.criteria(toxicity_grade="2")
    number = attached(ready)
    dose_id = decided(ready, number)
    ready.reserve(dose_id, ready.best(dose_id))
    ready.verify(dose_id)
    print_worksheet(ready.desk, ready.act("paula"), dose_id)
    ready.prepare(dose_id)
    ready.label_bag(dose_id)
    ready.criteria(toxicity_grade="4")
    with pytest.raises(Refused, match="grade 4"):
        ready.release(dose_id)
    ready.criteria(toxicity_grade="2")
    ready.release(dose_id)


def test_a_decision_on_one_grade_4_event_is_none_on_the_next(ready: Pharmacy) -> None:
    """§ 10.4 is judged event by event."""
    grade_4(ready)
    dose_id = decided(ready, attached(ready), "R33")
    units = ready.best(dose_id)
    record_toxicity(ready.desk, ready.act("paula"), replace(GRADE_4, term="sepsis"))
    with pytest.raises(Refused, match=r"what rule R33 says \(Sepsis, grade 4"):
        ready.reserve(dose_id, units)


def test_the_document_of_a_decision_is_about_this_subject(ready: Pharmacy) -> None:
    """Its subject or any of its doses: a dose that is ordered again keeps the decision made on it."""
    ready.enroll("002")
    other = str(order(ready.desk, ready.act("paula"), ready.order_form("002")).content["dose_id"])
    earlier = str(order(ready.desk, ready.act("paula"), ready.order_form()).content["dose_id"])
    ready.cancel(earlier)
    ready.criteria(toxicity_grade="2")
    for about, words in (("002", "about 002"), (other, f"about {other}"), ("", "about the study as a whole")):
        with pytest.raises(Refused, match=f"is {words}, not about subject 001") as refused:
            decided(ready, attached(ready, about))
        assert [fault.field for fault in refused.value.faults] == ["overrides.R36.document"]
        ready.cancel(_newest(ready))
    decided(ready, attached(ready, earlier))
    ready.cancel(_newest(ready))
    decided(ready, attached(ready))


def _newest(pharmacy: Pharmacy) -> str:
    with pharmacy.desk.store.read() as reader:
        return reader.doses(subject_number="001")[-1].dose_id


@pytest.mark.parametrize("kind", ["letter", "supporter's permission", "other"])
def test_only_a_written_decision_decides(ready: Pharmacy, kind: str) -> None:
    """The same file, attached again as what it is, does."""
    ready.criteria(toxicity_grade="2")
    with pytest.raises(Refused, match=f"was attached as “{kind}”, which decides nothing"):
        decided(ready, attached(ready, kind=kind))
    ready.cancel(_newest(ready))
    decided(ready, attached(ready))


def test_a_document_from_before_the_decision_does_not_hold_it(ready: Pharmacy) -> None:
    """Of the same day it may."""
    ready.criteria(toxicity_grade="2")
    with pytest.raises(Refused, match="is dated 01-Mar-2026, before the decision of 02-Mar-2026") as refused:
        decided(ready, attached(ready, dated_on="2026-03-01"))
    assert [fault.field for fault in refused.value.faults] == ["overrides.R36.document"]
    ready.cancel(_newest(ready))
    decided(ready, attached(ready, dated_on="2026-03-02"), decided_on="2026-03-01")


# --- the criteria of the day -------------------------------------------------------------------------------------


def test_a_suspicion_of_vod_is_withdrawn_not_typed_over(ready: Pharmacy) -> None:
    """§ 8.1.5(4): suspicion is enough. A technician may record criteria, but not end a suspicion with them."""
    seq = ready.criteria(liver_toxicity_suspected="yes").seq
    for answer in ("no", ""):
        with pytest.raises(Refused, match=f"a pharmacist withdraws entry {seq}") as refused:
            record_criteria(ready.desk, ready.act("tim"), ready.criteria_form(liver_toxicity_suspected=answer))
        assert [fault.field for fault in refused.value.faults] == ["liver_toxicity_suspected"]
    ready.criteria(liver_toxicity_suspected="yes", toxicity_grade="1")
    ready.criteria(day="8")
    for line in [
        line for line in ready.events("criteria_recorded") if line.content["entry"]["liver_toxicity_suspected"]
    ]:
        withdraw(ready.desk, ready.act("paula"), WithdrawForm("001", line.seq, "another subject was meant"))
    ready.criteria()


def test_answers_from_before_the_last_infusion_are_none(ready: Pharmacy) -> None:
    """§ 8.1.5: the criteria are those of the day of treatment; answered ahead on day 1 they say nothing of day 8."""
    ready.criteria(day="8")
    ready.dose("closed")
    ready.clock.forward(days=7)
    form = ready.order_form(prescribed="0.91", day="8")
    dose_id = str(order(ready.desk, ready.act("paula"), form).content["dose_id"])

    def blocking() -> set[str]:
        with ready.desk.store.read() as reader:
            found = preview(ready.desk, reader, DecideForm(dose_id)).decision.findings
        return {finding.rule for finding in found if finding.blocks}

    assert blocking() == {"R32", "R36"}
    ready.criteria(day="8")
    assert blocking() == set()


def test_what_was_recorded_after_the_preview_is_looked_at_first(ready: Pharmacy) -> None:
    """The reason is typed beside what the page shows; meanwhile a colleague records a grade 4."""
    dose_id = str(order(ready.desk, ready.act("paula"), ready.order_form()).content["dose_id"])
    with ready.desk.store.read() as reader:
        shown = preview(ready.desk, reader, DecideForm(dose_id))
    event = grade_4(ready)
    with pytest.raises(Refused, match="Look at it again"):
        record_decision(ready.desk, ready.act("paula"), DecideForm(dose_id, seen=shown.seen))
    withdraw(ready.desk, ready.act("paula"), WithdrawForm("001", event, "another subject was meant"))
    record_decision(ready.desk, ready.act("paula"), DecideForm(dose_id, seen=shown.seen))
    assert ready.thread(dose_id).line.status == "decided"


def test_a_level_that_was_given_is_not_withdrawn(ready: Pharmacy) -> None:
    """§ 8.1.6: once reduced for toxicity the dose is not raised again, not by taking the record back either."""
    ready.dose("closed")
    first = LevelForm("001", "1", "3", "-1", "toxicity", INES, ready.day(), "ALT grade 3")
    slip = change_level(ready.desk, ready.act("paula"), first).seq
    withdraw(ready.desk, ready.act("paula"), WithdrawForm("001", slip, "typed for another subject"))
    kept = change_level(ready.desk, ready.act("paula"), replace(first, cycle="2")).seq
    record_marrow(ready.desk, ready.act("paula"), MarrowForm("001", ready.day(), "2"))
    for day in ("8", "15"):
        left_out = OmissionForm("001", "1", "1", day, "toxicity", INES, ready.day(), "ALT grade 3")
        omit_dose(ready.desk, ready.act("paula"), left_out)
    ready.clock.forward(days=28)
    record_measurement(ready.desk, ready.act("tim"), MeasurementForm("001", ready.day(), weight="70"))
    ready.criteria(cycle="2")
    form = ready.order_form(prescribed="0.73", cycle="2", level="-1")
    second = str(order(ready.desk, ready.act("paula"), form).content["dose_id"])
    record_decision(ready.desk, ready.act("paula"), DecideForm(second, reason="reduced in cycle 2, see the letter"))
    ready.reserve(second, ready.best(second))
    # 0.4 × 1.8234… = 0.7293… → 0.73 mg; 0.73 ÷ 0.25 = 2.92 mL.
    ready.verify(second, dose_mg_per_m2="0.4", dose_mg="0.73", drawn_ml="2.92")
    print_worksheet(ready.desk, ready.act("paula"), second)
    ready.prepare(second, ("2.92",))
    ready.label_bag(second)
    ready.release(second)
    ready.give(second, "0.73")
    with pytest.raises(Refused, match="so it is a fact") as refused:
        withdraw(ready.desk, ready.act("paula"), WithdrawForm("001", kept, "not needed any more"))
    assert refused.value.faults[0].rule == "R47"
