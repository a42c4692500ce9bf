"""One subject's whole treatment: six cycles with a delay, a reduction, 12 % of weight lost, an order exactly 10 % off
and an infusion that was stopped half-way.

180 cm and 80 kg are √(180 × 80 ÷ 3600) = 2 m² exactly, so every dose is worked out in the head.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from pharmacy_app.domain.dosing import DoseDecision
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.findings import Severity
from pharmacy_app.services.administration import AdministrationForm, ClosedTyped, CloseForm, administer, close_vials
from pharmacy_app.services.doses import DecideForm, decision_of, order, preview, record_decision
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.papers import Worksheet
from pharmacy_app.services.preparation import ReserveForm, plan_of, reserve
from pharmacy_app.services.printing import print_worksheet
from pharmacy_app.services.questions import today
from pharmacy_app.services.subjects import MeasurementForm, record_measurement
from pharmacy_app.services.treatment import (
    CyclePlanForm,
    DelayForm,
    LevelForm,
    MarrowForm,
    ResponseForm,
    RetreatmentForm,
    ToxicityForm,
    calendar,
    change_level,
    order_retreatment,
    plan_cycle,
    record_delay,
    record_marrow,
    record_response,
    record_toxicity,
)
from tests.services.pharmacy import Pharmacy, StubPapers

MG = Decimal


@dataclass(slots=True)
class Walk:
    """The pharmacist's way through the treatment of subject 001."""

    pharmacy: Pharmacy

    def to(self, day: str) -> None:
        """Come to work on a day, at the hour of the first one."""
        today = self.pharmacy.clock().astimezone(self.pharmacy.zone).date()
        gone = (type(today).fromisoformat(day) - today).days
        self.pharmacy.clock.forward(days=gone)
        assert self.pharmacy.day() == day

    def act(self, who: str = "paula") -> Any:
        return self.pharmacy.act(who)

    def weigh(self, kg: str, confirm: str = "") -> None:
        form = MeasurementForm("001", self.pharmacy.day(), weight=kg, confirm=confirm)
        record_measurement(self.pharmacy.desk, self.act("tim"), form)

    def order(self, cycle: int, day: int, mg: str, level: int = 0) -> str:
        form = self.pharmacy.order_form("001", mg, cycle=str(cycle), day=str(day), level=str(level))
        return str(order(self.pharmacy.desk, self.act(), form).content["dose_id"])

    def decide(self, dose_id: str, reason: str = "see the chart") -> DoseDecision:
        record_decision(self.pharmacy.desk, self.act(), DecideForm(dose_id, reason=reason))
        return decision_of(self.pharmacy.thread(dose_id))

    def shown(self, dose_id: str) -> DoseDecision:
        with self.pharmacy.desk.store.read() as reader:
            return preview(self.pharmacy.desk, reader, DecideForm(dose_id)).decision

    def prepare(self, dose_id: str) -> None:
        """From the decided dose to the bag that leaves."""
        pharmacy, desk = self.pharmacy, self.pharmacy.desk
        units = pharmacy.best(dose_id)
        reserve(
            desk, self.act(), ReserveForm(dose_id, units, units, "instructions allow 50 mL"), pharmacy.sign("paula")
        )
        thread = pharmacy.thread(dose_id)
        decision = decision_of(thread)
        pharmacy.verify(
            dose_id,
            height_cm="180",
            weight_kg=format(thread.weight_kg or 0, "f"),
            dose_mg_per_m2=format(decision.dose_mg_per_m2 or 0, "f"),
            dose_mg=format(decision.planned_mg or 0, "f"),
            drawn_ml=format(plan_of(thread).drawn_ml, "f"),
        )
        print_worksheet(desk, self.act(), dose_id)
        pharmacy.prepare(dose_id, [format(draw.draw_ml, "f") for draw in plan_of(thread).draws])
        pharmacy.label_bag(dose_id)
        pharmacy.release(dose_id)

    def give(self, dose_id: str, mg: str, **changes: Any) -> Any:
        """Infuse for an hour, record it, close the vials: 0.1 mg of each cannot be drawn, the rest is discarded."""
        pharmacy = self.pharmacy
        started = pharmacy.time()
        pharmacy.clock.forward(minutes=60)
        form = AdministrationForm(dose_id, started, pharmacy.time(), mg, "mg")
        event = administer(pharmacy.desk, self.act(), replace(form, **changes))
        rows = []
        for line in pharmacy.thread(dose_id).mg:
            left = line.labelled_mg - line.withdrawn_mg - MG("0.1")
            rows.append(ClosedTyped(line.unit_number, "0.1", format(left, "f")))
        close_vials(pharmacy.desk, self.act("tim"), CloseForm(dose_id, tuple(rows)))
        pharmacy.clock.forward(minutes=-60)
        return event

    def dose(self, on: str, cycle: int, day: int, mg: str, level: int = 0) -> DoseDecision:
        """A dose without trouble, given as prescribed."""
        self.to(on)
        self.pharmacy.criteria("001", str(cycle), str(day))
        dose_id = self.order(cycle, day, mg, level)
        decision = self.decide(dose_id)
        assert decision.may_go_on, decision.findings
        assert decision.planned_mg == MG(mg)
        self.prepare(dose_id)
        self.give(dose_id, mg)
        return decision

    def plan(self, cycle: int, day1_on: str) -> None:
        plan_cycle(self.pharmacy.desk, self.act(), CyclePlanForm("001", "1", str(cycle), day1_on))

    def due(self) -> str:
        with self.pharmacy.desk.store.read() as reader:
            return calendar(self.pharmacy.desk, reader, "001").next_words


def rules(decision: DoseDecision, *severities: Severity) -> list[str]:
    return [finding.rule for finding in decision.findings if finding.severity in severities]


def test_six_cycles(pharmacy: Pharmacy) -> None:
    walk = Walk(pharmacy)
    pharmacy.stock_up(lots=(LotTyped("1", "A1", "2027-03-31", "40"),))
    pharmacy.enroll(height="180", weight="80")

    # Cycle 1: 0.8, 0.5 and 0.5 mg/m² on 2 m².
    walk.dose("2026-03-02", 1, 1, "1.60")
    walk.dose("2026-03-09", 1, 8, "1.00")
    walk.dose("2026-03-16", 1, 15, "1.00")
    walk.to("2026-03-25")
    for taken_on, blasts in (("2026-03-15", "4"), ("2026-03-22", "2")):
        record_marrow(pharmacy.desk, walk.act(), MarrowForm("001", taken_on, blasts))
    record_response(pharmacy.desk, walk.act(), ResponseForm("001", "1", "1", "2026-03-25", "CR"))
    walk.plan(2, "2026-03-30")
    assert "30-Mar-2026" in walk.due()

    # Cycle 2: 0.6 mg/m²; day 8, due on 6 April, waits five days for a liver value.
    walk.to("2026-03-29")
    walk.weigh("80")
    walk.dose("2026-03-30", 2, 1, "1.20")
    walk.to("2026-04-11")
    pharmacy.criteria("001", "2", "8")
    late = walk.order(2, 8, "0.60")
    assert rules(walk.shown(late), Severity.STOP) == ["A34"]  # no cause recorded yet
    record_toxicity(pharmacy.desk, walk.act(), ToxicityForm("001", "ALT increased", "3", "yes", "2026-04-06"))
    record_delay(pharmacy.desk, walk.act(), DelayForm("001", "1", "2", "8", "toxicity", "Dr. Vogel", "ALT grade 3"))
    decision = walk.decide(late)
    assert decision.may_go_on
    assert {"R20", "R28"} <= set(rules(decision, Severity.WARN))
    walk.prepare(late)
    walk.give(late, "0.60")

    # The level goes down one step from cycle 3 on, for that toxicity; the subject lost 12 %: 80 → 70.4 kg.
    change_level(
        pharmacy.desk,
        walk.act(),
        LevelForm("001", "1", "3", "-1", "toxicity", "Dr. Vogel", "2026-04-11", "ALT grade 3 in cycle 2"),
    )
    walk.plan(3, "2026-04-27")
    walk.to("2026-04-26")
    walk.weigh("70.4", "weighed twice")
    walk.to("2026-04-27")
    pharmacy.criteria("001", "3", "1")
    # √(180 × 70.4 ÷ 3600) = √3.52 = 1.876166…; × 0.4 = 0.750466… → 0.75 mg.
    unreduced = walk.order(3, 1, "0.75")
    assert "R47" in rules(walk.shown(unreduced), Severity.STOP)  # the order says level 0
    cancel_form = pharmacy.cancel(unreduced, "ordered at the level before")
    assert cancel_form.content["dose_id"] == unreduced
    third = walk.order(3, 1, "0.75", -1)
    with pharmacy.desk.store.read() as reader:
        kept = preview(pharmacy.desk, reader, DecideForm(third, "last used")).decision
    assert "R14" in rules(kept, Severity.STOP)  # the weight last used was 80 kg
    decision = walk.decide(third)
    assert decision.may_go_on
    assert decision.planned_mg == MG("0.75")
    assert "R14" in rules(decision, Severity.INFO)
    walk.prepare(third)
    walk.give(third, "0.75")
    # 0.2 × 1.876166… = 0.375233… → 0.38 mg
    walk.dose("2026-05-04", 3, 8, "0.38", -1)

    # Cycle 4: 80 kg again; 0.4 × 2 = 0.80 mg, ordered as 0.88: exactly 10 % over.
    walk.plan(4, "2026-05-25")
    walk.to("2026-05-24")
    walk.weigh("80", "weighed twice, eats again")
    walk.to("2026-05-25")
    pharmacy.criteria("001", "4", "1")
    wrong = walk.order(4, 1, "0.88", -1)
    decision = walk.decide(wrong)
    assert not decision.may_go_on
    assert rules(decision, Severity.OVERRIDABLE) == ["R18"]
    assert decision.prescribed is not None
    assert decision.prescribed.percent == 10
    with pytest.raises(Refused, match="stopped"):
        pharmacy.reserve(wrong, (pharmacy.vials(state="available")[0].unit_number,))
    pharmacy.cancel(wrong, "the prescriber corrected the order")
    walk.dose("2026-05-25", 4, 1, "0.80", -1)
    walk.dose("2026-06-01", 4, 8, "0.40", -1)

    # Cycle 5: the infusion is stopped half-way for a reaction: 0.40 of 0.80 mg, 50 % less.
    walk.plan(5, "2026-06-22")
    walk.to("2026-06-21")
    walk.weigh("80")
    walk.to("2026-06-22")
    pharmacy.criteria("001", "5", "1")
    fifth = walk.order(5, 1, "0.80", -1)
    walk.decide(fifth)
    walk.prepare(fifth)
    error = walk.give(fifth, "0.40", stopped_for="reaction").content["medication_error"]
    assert error["difference"] == "−50 %"
    walk.dose("2026-06-29", 5, 8, "0.40", -1)

    # Cycle 6, the last one.
    walk.plan(6, "2026-07-20")
    walk.to("2026-07-19")
    walk.weigh("80")
    walk.dose("2026-07-20", 6, 1, "0.80", -1)
    walk.dose("2026-07-27", 6, 8, "0.40", -1)
    with pharmacy.desk.store.read() as reader:
        made = calendar(pharmacy.desk, reader, "001")
        assert made.next_due is None
        assert sum(1 for dose in made.doses if dose.given_on) == 3 + 5 * 2
        assert [line.error_id for line in reader.errors()] == [error["error_id"]]
    walk.to("2026-08-17")
    with pytest.raises(Refused, match="cycle"):
        pharmacy.criteria("001", "7", "1")
    pharmacy.assert_sound()


def test_today_names_what_is_due_and_what_is_late(pharmacy: Pharmacy) -> None:
    """Day 1 on 2 March: day 8 is due on the 9th, from the 6th to the 12th, and shown three days before that."""
    walk = Walk(pharmacy)
    pharmacy.stock_up()
    pharmacy.enroll(height="180", weight="80")

    def due() -> list[tuple[str, bool]]:
        with pharmacy.desk.store.read() as reader:
            return [(line.subject_number, line.late) for line in today(pharmacy.desk, reader).due]

    walk.dose("2026-03-02", 1, 1, "1.60")
    assert due() == []
    walk.to("2026-03-03")
    assert due() == [("001", False)]
    walk.to("2026-03-12")
    assert due() == [("001", False)]
    walk.to("2026-03-13")
    assert due() == [("001", True)]
    # Once it is ordered it waits as a dose, not as something that is due.
    pharmacy.criteria("001", "1", "8")
    walk.order(1, 8, "1.00")
    assert due() == []


def test_the_worksheet_of_a_retreatment_names_its_level(pharmacy: Pharmacy) -> None:
    """Remission in March, relapse in September; the order names later-cycle doses: 0.6 × 2 = 1.20 mg at level 0."""
    walk = Walk(pharmacy)
    sheets: list[Worksheet] = []
    pharmacy.stock_up()
    pharmacy.enroll(height="180", weight="80")
    walk.dose("2026-03-02", 1, 1, "1.60")
    walk.to("2026-09-20")
    for on, response in (("2026-03-25", "CR"), ("2026-09-10", "PD")):
        record_response(pharmacy.desk, walk.act(), ResponseForm("001", "1", "1", on, response))
    order_retreatment(
        pharmacy.desk,
        walk.act(),
        RetreatmentForm("001", "2", "later-cycle doses", "Dr. Ines Vogel", "2026-09-20", "letter of 20 September"),
    )
    record_marrow(pharmacy.desk, walk.act(), MarrowForm("001", "2026-09-12", "40"))
    walk.to("2026-09-21")
    walk.weigh("80")
    pharmacy.criteria("001", "1", "1", course="2")
    form = pharmacy.order_form("001", "1.20", course="2")
    dose_id = str(order(pharmacy.desk, walk.act(), form).content["dose_id"])
    assert walk.decide(dose_id).planned_mg == MG("1.20")

    class Keeping(StubPapers):
        def worksheet(self, worksheet: Worksheet) -> bytes:
            sheets.append(worksheet)
            return super().worksheet(worksheet)

    pharmacy.desk = replace(pharmacy.desk, papers=Keeping())
    walk.prepare(dose_id)
    assert [sheet.level for sheet in sheets] == ["0"]
