"""One subject's whole treatment through the real window: what ``tests/scenarios/test_six_cycles.py`` tells, by hand.

180 cm and 80 kg are √(180 × 80 ÷ 3600) = 2 m² exactly, so every dose is worked out in the head: 0.8 and 0.5 mg/m² in
cycle 1, then 0.6 and 0.3, at level −1 0.4 and 0.2. Of a 1 mg vial 0.9 mg can be drawn, at 0.25 mg/mL.

``SHOTS=folder`` in the environment has the walk take pictures of what it sees, light and dark, large and small.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QTableView, QWidget

from pharmacy_app.domain.findings import Severity
from pharmacy_app.domain.label_marks import mark_of
from pharmacy_app.services.doses import decision_of
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.views import ErrorLine
from tests.scenarios.test_six_cycles import Walk as Colleague
from tests.services.pharmacy import MONDAY, PASSWORD, Pharmacy, open_pharmacy
from tests.ui.day_hands import *  # noqa: F403 - the window and its hands
from tests.ui.day_hands import Hands, Study
from ui.theme import Theme

NUMBER = "001"
SHOTS = os.environ.get("SHOTS", "")
SIZES = ((1180, 780), (800, 600))


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose as the prescriber orders it, with what the checker finds: the day, its place, mg, weight, level."""

    on: str
    cycle: int
    day: int
    mg: str
    per_m2: str
    weight: str = "80"
    level: int = 0

    def draws(self) -> list[Decimal]:
        """What is drawn from each vial in mL: 0.9 mg of every one but the last, 0.25 mg in each mL."""
        left, ml = Decimal(self.mg), []
        while left > 0:
            ml.append(min(left, Decimal("0.9")) / Decimal("0.25"))
            left -= Decimal("0.9")
        return ml


class Walk:
    """The pharmacist's way through the treatment, at the window; colleagues may work at another desk meanwhile."""

    def __init__(self, hands: Hands, study: Study, pharmacy: Pharmacy) -> None:
        self.hands, self.study, self.pharmacy = hands, study, pharmacy

    # -- days and hours

    def to(self, day: str) -> None:
        """Come to work on a day, at the hour of the first one: the window was left locked, with a page open."""
        self.hands.close_messages()
        self.hands.press("header_lock")
        self.study.clock.now = datetime.combine(date.fromisoformat(day), MONDAY.timetz())
        assert self.pharmacy.day() == day
        self.hands.type("lock_password", PASSWORD)
        self.hands.press("lock_unlock")

    def time(self, minutes: int = 0) -> str:
        """The site's time some minutes from now."""
        return self.pharmacy.time(minutes).split()[1]

    # -- the subject's page

    def open_subject(self, tab: str) -> None:
        """The subject's page, from the list where it is not open yet."""
        self.hands.go("subjects")
        if self.hands.find("subjects_table", QTableView) is not None:
            self.hands.open_row("subjects_table", NUMBER)
        self.hands.press(f"tab_{tab}")

    def state(self, what: str, prefix: str, **typed: str) -> None:
        """Record a statement: lists are chosen from by their words, all else is typed."""
        hands = self.hands
        self.open_subject("treatment")
        hands.press("begin_statement")
        hands.choose("statement_kind", what)
        for name, value in typed.items():
            if isinstance(hands.see(f"{prefix}_{name}", QWidget), QComboBox):
                hands.choose(f"{prefix}_{name}", value)
            else:
                hands.type(f"{prefix}_{name}", value)
        hands.press("record_statement")
        assert hands.find("record_statement", QAbstractButton) is None, hands.words()
        assert f"is recorded for subject {NUMBER}." in hands.said()

    def plan(self, cycle: int, day1_on: str) -> None:
        """Plan the day 1 of a cycle."""
        self.state("Plan the day 1 of a cycle", "plan", cycle=str(cycle), day1_on=day1_on)

    def weigh(self, kg: str, why: str = "") -> None:
        """Record a weight; an unlikely one asks why it is right."""
        hands = self.hands
        self.open_subject("weights")
        hands.type("weight", kg)
        hands.press("record_measurement")
        if why:
            assert hands.find("confirm", QWidget) is not None, "the weight is weighed again before it is believed"
            self.shot("weight-asked")
            hands.type("confirm", why)
            hands.press("record_measurement")
        assert f"Recorded for subject {NUMBER}: weight {kg} kg." in hands.said()

    # -- one dose

    def order(self, dose: Dose, level: int | None = None) -> str:
        """Order a dose from the subject's page, where its place is filled in; returns its number."""
        hands = self.hands
        self.open_subject("treatment")
        hands.press("subject_new_order")
        hands.type("prescriber", "Dr. Ines Vogel")
        assert [hands.text(name) for name in ("course", "cycle", "day")] == ["1", str(dose.cycle), str(dose.day)]
        assert hands.see("level", QComboBox).currentData() == str(dose.level)
        if level is not None:
            hands.choose("level", f"Level {level}".replace("-", "−"))
        hands.type("prescribed_mg", dose.mg)
        hands.press("order_record")
        dose_id = hands.text("dose_name").split()[1]
        assert f"The order was recorded as dose {dose_id}." in hands.said()
        return dose_id

    def criteria(self, dose: Dose) -> None:
        """Answer the criteria of the day from the chart, so that all of them are met."""
        hands = self.hands
        hands.choose("toxicity_grade", "0 – none")
        hands.choose("toxicity_baseline_grade", "0 – none")
        hands.choose("liver_toxicity_suspected", "No")
        if dose.day == 1:
            hands.choose("progression", "No")
        hands.type("labs_taken_on", dose.on)
        for name, value, limit in (("bilirubin", "0.8", "1.2"), ("ast", "30", "40"), ("alt", "30", "40")):
            hands.type(f"{name}.value", value)
            hands.type(f"{name}.upper_limit", limit)
        hands.type("bilirubin.unit", "mg/dL")
        hands.type("creatinine_clearance.value", "90")
        if dose.day == 1:
            hands.type("anc.value", "2.1")
            hands.type("platelets.value", "120")
        if (dose.cycle, dose.day) == (1, 1):
            day = date.fromisoformat(dose.on)
            hands.fill(
                consent_on=(day - timedelta(5)).isoformat(),
                screening_marrow_on=(day - timedelta(7)).isoformat(),
                screening_tests_on=(day - timedelta(5)).isoformat(),
            )
        hands.press("criteria_record")
        assert "were recorded. Next: the decision." in hands.said()

    def decide(self, planned: str) -> None:
        """Record the decision, with a reason where the rules warn."""
        hands = self.hands
        assert hands.text("decide_planned") == f"{planned} mg"
        assert hands.text("decide_record") == "&Record the decision", hands.words()
        if hands.find("reason", QWidget) is not None:
            hands.type("reason", "see the chart")
        hands.press("decide_record")
        assert "was recorded. Next: scan its vials." in hands.said()

    def findings(self, dose_id: str) -> list[tuple[str, Severity]]:
        """Rule and severity of every finding of the recorded decision."""
        found = decision_of(self.pharmacy.thread(dose_id)).findings
        return [(finding.rule, finding.severity) for finding in found]

    def sees(self, rule: str) -> str:
        """What a rule says on the decision now; the notes are unfolded first."""
        notes = self.hands.find("decide_findings_notes", QAbstractButton)
        if notes is not None and not notes.isChecked():
            self.hands.press("decide_findings_notes")
        return self.hands.text(f"finding_{rule}_sentence")

    def silent(self, rule: str) -> bool:
        """Whether a rule says nothing on the decision now."""
        return self.hands.find(f"finding_{rule}", QWidget) is None

    def vials(self, dose: Dose) -> list[str]:
        """Scan as many vials as the dose needs and sign; returns them in the order of their draws."""
        hands = self.hands
        units = [vial.unit_number for vial in self.pharmacy.vials(state="available")][: len(dose.draws())]
        for unit in units:
            hands.scan("unit_number", unit)
        assert hands.text("scan_progress") == f"{len(units)} of {len(units)} scanned"
        if hands.find("reason", QWidget) is not None:
            hands.type("reason", "instructions allow 50 mL")
        drawn = [(scanned.split()[-1], draw) for scanned, draw in hands.rows("draws", "scanned", "draw")]
        if (dose.cycle, dose.day) == (1, 1):
            self.shot("tolerance-budget", "plan_budget_card")
        hands.sign("plan_signature", PASSWORD)
        assert "are reserved. Next: the second person's check." in hands.said()
        return [unit for unit, _ in drawn]

    def check(self, dose: Dose) -> None:
        """The second person works it out anew."""
        hands = self.hands
        hands.fill(
            height_cm="180",
            weight_kg=dose.weight,
            dose_mg_per_m2=dose.per_m2,
            dose_mg=dose.mg,
            drawn_ml=format(sum(dose.draws()), "f"),
        )
        hands.sign("check_signature", PASSWORD, user="carla")
        assert "Carla Okafor checked dose" in hands.said()

    def mix(self, dose: Dose, units: list[str]) -> None:
        """Print the worksheet, mix, print the labels, scan the bag's where it was put."""
        hands = self.hands
        hands.press("worksheet_print")
        assert hands.paper_pages() >= 1
        for name in ("reconstituted_at", "diluted_at"):
            hands.at(name, dose.on, self.time())
        for unit, ml in zip(units, dose.draws(), strict=True):
            hands.type(f"drawn_ml.{unit}", format(ml, "f"))
        hands.press("mix_record")
        assert f"was prepared: {Decimal(dose.mg).normalize():f} mg" in hands.said()
        hands.press("bag_labels_print")
        hands.print_labels("2 labels, not printed yet.")
        assert hands.paper_pages() == 2
        dose_id = hands.text("dose_name").split()[1]
        for place in ("bag", "light cover"):
            hands.scan("bag_scan", dose_id + mark_of(place, dose_id, 1))

    def release(self) -> None:
        """Hand the bag over."""
        self.hands.type("released_to", "Nurse J. Abara, unit 4")
        self.hands.sign("release_signature", PASSWORD)
        assert "is released." in self.hands.said()

    def give(self, dose: Dose, given: str = "", stopped: str = "") -> None:
        """Infuse for an hour, then record it."""
        hands = self.hands
        started = self.time()
        self.study.clock.forward(minutes=60)
        hands.at("started_at", dose.on, started)
        hands.at("ended_at", dose.on, self.time())
        hands.type("given", given or dose.mg)
        if stopped:
            hands.choose("stopped_for", stopped)
        hands.press("give_record")

    def close(self, units: list[str]) -> None:
        """0.1 mg of each vial cannot be drawn; the rest is discarded."""
        hands = self.hands
        for unit in units:
            hands.type(f"residue_mg.{unit}", "0.1")
            hands.press(f"discard_rest_{unit}")
            assert hands.text(f"sum_{unit}").endswith("– it closes.")
        hands.press("close_record")
        assert "are closed: the mg ledger balances." in hands.said()

    def prepare(self, dose: Dose) -> list[str]:
        """From the decided dose to the bag that leaves; returns its vials."""
        units = self.vials(dose)
        self.check(dose)
        self.mix(dose, units)
        self.release()
        return units

    def whole_dose(self, dose: Dose) -> None:
        """A dose without trouble, given as prescribed."""
        self.to(dose.on)
        self.order(dose)
        self.criteria(dose)
        self.decided_dose(dose)

    def shared_dose(self, dose: Dose) -> None:
        """The same, but once it is decided here a colleague does the rest at another desk."""
        self.to(dose.on)
        dose_id = self.order(dose)
        self.criteria(dose)
        self.decide(shown(dose.mg))
        colleague = Colleague(self.pharmacy)
        colleague.prepare(dose_id)
        colleague.give(dose_id, dose.mg)

    def decided_dose(self, dose: Dose) -> None:
        """The rest of the way of such a dose, once its criteria are on record."""
        self.decide(shown(dose.mg))
        units = self.prepare(dose)
        self.give(dose)
        self.close(units)

    # -- what is seen

    def shot_dialog(self, name: str, opener: str, leave: str) -> None:
        """A picture of a dialog, which is opened and left again."""
        self.hands.press(opener)
        self.shot(name)
        self.hands.press(leave)

    def shot(self, name: str, on: str = "") -> None:
        """A picture of the window, or of the dialog that is open; ``on`` names what must be in sight."""
        if not SHOTS:
            return
        folder, hands = Path(SHOTS), self.hands
        folder.mkdir(parents=True, exist_ok=True)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        dialog, size = QApplication.activeModalWidget(), hands.window.size()
        if dialog is None:
            hands.close_messages()
        for mode in ("dark", "light"):
            Theme.apply(app, mode)
            for width, height in SIZES:
                hands.window.resize(width, height)
                hands.settle()
                if on:
                    hands.top(hands.see(on, QWidget))
                QTest.qWait(60)
                (dialog or hands.window).grab().save(str(folder / f"{name}-{mode}-{width}.png"))
        hands.window.resize(size)
        hands.settle()


def shown(mg: str) -> str:
    """An amount as the window writes it: without zeros at its end."""
    return format(Decimal(mg).normalize(), "f")


@pytest.fixture
def walk(open_window: Callable[..., Hands], study: Study) -> Walk:
    """The pharmacist signed in at a pharmacy with forty vials; nobody is enrolled yet."""
    pharmacy = open_pharmacy(study.path, study.clock)
    pharmacy.stock_up(lots=(LotTyped("1", "A1", "2027-03-31", "40"),))
    hands = open_window()
    hands.settle()
    hands.sign_in("paula", PASSWORD)
    return Walk(hands, study, pharmacy)


# The offscreen platform has no window manager to raise a list over a field, and says so.
@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_six_cycles_in_the_window(walk: Walk) -> None:
    _enroll(walk)
    _cycle_1(walk)
    _cycle_2(walk)
    _cycle_3(walk)
    _cycle_4(walk)
    _cycle_5(walk)
    _cycle_6(walk)
    walk.pharmacy.assert_sound()


def _enroll(walk: Walk) -> None:
    hands = walk.hands
    hands.go("subjects")
    hands.press("begin_enroll")
    hands.fill(subject_number=NUMBER, birth="1980-05-17", initials="RTK")
    hands.press("enroll")
    hands.fill(weight="80", height="180")
    hands.press("record_measurement")
    walk.state("A marrow was taken", "marrow", taken_on="2026-02-23", blasts_percent="45")


def _cycle_1(walk: Walk) -> None:
    """0.8, 0.5 and 0.5 mg/m² on 2 m²."""
    hands = walk.hands
    first = Dose("2026-03-02", 1, 1, "1.60", "0.8")
    walk.order(first)
    _criteria_with_a_fault(walk)
    walk.criteria(first)
    walk.shot("decision")
    walk.decide("1.6")
    units = walk.prepare(first)
    walk.give(first)
    walk.close(units)
    walk.whole_dose(Dose("2026-03-09", 1, 8, "1.00", "0.5"))
    walk.shared_dose(Dose("2026-03-16", 1, 15, "1.00", "0.5"))
    walk.to("2026-03-25")
    for taken_on, blasts in (("2026-03-15", "4"), ("2026-03-22", "2")):
        walk.state("A marrow was taken", "marrow", taken_on=taken_on, blasts_percent=blasts)
    walk.state(
        "A response was assessed",
        "response",
        cycle="1",
        response="CR – complete remission",
        assessed_on="2026-03-25",
    )
    walk.plan(2, "2026-03-30")
    assert "30-Mar-2026" in hands.text("next_due_text")


def _criteria_with_a_fault(walk: Walk) -> None:
    """A date that cannot be read stands beside its line, and nothing is recorded."""
    hands = walk.hands
    hands.type("alt.value", "3O")
    hands.press("criteria_record")
    assert "“3O” is not a plain number" in hands.text("alt_fault")
    walk.shot("criteria-fault", "alt.value")
    assert walk.study.events("criteria_recorded") == []
    hands.type("alt.value", "30")


def _cycle_2(walk: Walk) -> None:
    """0.6 mg/m²; day 8, due on 6 April, waits five days for a liver value."""
    walk.to("2026-03-29")
    walk.weigh("80")
    walk.whole_dose(Dose("2026-03-30", 2, 1, "1.20", "0.6"))
    walk.to("2026-04-11")
    late = Dose("2026-04-11", 2, 8, "0.60", "0.3")
    dose_id = walk.order(late)
    walk.criteria(late)
    # No cause of the delay is recorded yet.
    assert "5 days late (due 06-Apr-2026) and no cause is recorded" in walk.sees("A34")
    assert walk.hands.text("decide_record") == "&Record as stopped"
    walk.state(
        "A toxicity occurred",
        "toxicity",
        term="ALT increased",
        grade="Grade 3",
        onset_on="2026-04-06",
        related="Yes",
    )
    walk.state(
        "A dose is late",
        "delay",
        cycle="2",
        day="8",
        cause="Toxicity of the drug",
        decided_by="Dr. Vogel",
        why="ALT grade 3",
    )
    walk.hands.go("prepare")
    assert walk.silent("A34")
    walk.decide("0.6")
    assert {("R20", Severity.WARN), ("R28", Severity.WARN)} <= set(walk.findings(dose_id))
    units = walk.prepare(late)
    walk.give(late)
    walk.close(units)


def _cycle_3(walk: Walk) -> None:
    """The level goes down one step for that toxicity, and the subject lost 12 %: 80 → 70.4 kg."""
    hands = walk.hands
    walk.state(
        "The dose level changes",
        "level",
        cycle="3",
        level="Level -1 (0.4 + 0.2 mg/m²)",
        reason="Toxicity",
        decided_by="Dr. Vogel",
        decided_on="2026-04-11",
        why="ALT grade 3 in cycle 2",
    )
    walk.plan(3, "2026-04-27")
    walk.to("2026-04-26")
    walk.weigh("70.4", "weighed twice")
    # (70.4 − 80) ÷ 80 = −12 %.
    assert "−12 % against 80 kg" in hands.text("weight_compared_text")
    walk.shot("weight-drift", "drift_card")
    walk.to("2026-04-27")
    # √(180 × 70.4 ÷ 3600) = √3.52 = 1.876166…; × 0.4 = 0.750466… → 0.75 mg.
    third = Dose("2026-04-27", 3, 1, "0.75", "0.4", "70.4", -1)
    unreduced = walk.order(third, level=0)
    walk.criteria(third)
    assert "level -1 is the highest allowed. The order says level 0." in walk.sees("R47")
    assert hands.text("decide_record") == "&Record as stopped"
    _cancel(walk, unreduced, "ordered at the level before")
    dose_id = walk.order(third)
    hands.choose("weight_choice", "Last used: 80 kg, measured on 29-Mar-2026")
    assert "changed by −12 % against the weight last used" in walk.sees("R14")
    assert hands.text("decide_record") == "&Record as stopped"
    hands.press("finding_R14_open")
    walk.shot("r14-stop", "finding_R14")
    hands.choose("weight_choice", "Newest: 70.4 kg, measured on 26-Apr-2026")
    walk.decide("0.75")
    assert ("R14", Severity.INFO) in walk.findings(dose_id)
    units = walk.prepare(third)
    walk.give(third)
    walk.close(units)
    # 0.2 × 1.876166… = 0.375233… → 0.38 mg
    walk.shared_dose(Dose("2026-05-04", 3, 8, "0.38", "0.2", "70.4", -1))


def _cancel(walk: Walk, dose_id: str, why: str) -> None:
    hands = walk.hands
    hands.press("cancel_dose")
    hands.type("why", why)
    hands.press("cancel_dialog_yes")
    assert f"Dose {dose_id} is cancelled." in hands.said()


def _cycle_4(walk: Walk) -> None:
    """80 kg again; 0.4 × 2 = 0.80 mg, ordered as 0.88: exactly 10 % over."""
    hands = walk.hands
    walk.plan(4, "2026-05-25")
    walk.to("2026-05-24")
    walk.weigh("80", "weighed twice, eats again")
    walk.to("2026-05-25")
    wrong = Dose("2026-05-25", 4, 1, "0.88", "0.4", level=-1)
    dose_id = walk.order(wrong)
    walk.criteria(wrong)
    assert hands.text("decide_planned") == "0.8 mg"
    assert hands.text("decide_difference") == "+10 %"
    assert "differs from the planned 0.8 mg by +10 %, which is 10 % or more" in walk.sees("R18")
    hands.press("finding_R18_open")
    walk.shot("r18-stop", "finding_R18")
    walk.shot_dialog("written-decision", "finding_R18_record_override", "override_back")
    hands.press("what_if_open")
    hands.type("what_if_weight_kg", "88")
    hands.press("what_if_try")
    walk.shot("what-if", "what_if")
    # Without the prescriber there is no way on: it is recorded as stopped, and offers no vials.
    hands.press("decide_record")
    assert f"Dose {dose_id} was recorded as stopped. Nothing may be prepared for it." in hands.said()
    assert ("R18", Severity.OVERRIDABLE) in walk.findings(dose_id)
    assert hands.find("unit_number", QWidget) is None
    assert not hands.button("prepare_steps_4").isEnabled()
    _cancel(walk, dose_id, "the prescriber corrected the order")
    # The criteria of the day are on record already: the corrected order goes on to its decision.
    right = Dose("2026-05-25", 4, 1, "0.80", "0.4", level=-1)
    walk.order(right)
    walk.decided_dose(right)
    walk.shared_dose(Dose("2026-06-01", 4, 8, "0.40", "0.2", level=-1))


def _cycle_5(walk: Walk) -> None:
    """The infusion is stopped half-way for a reaction: 0.40 of 0.80 mg, 50 % less."""
    hands = walk.hands
    walk.plan(5, "2026-06-22")
    walk.to("2026-06-21")
    walk.weigh("80")
    walk.to("2026-06-22")
    fifth = Dose("2026-06-22", 5, 1, "0.80", "0.4", level=-1)
    walk.order(fifth)
    walk.criteria(fifth)
    walk.decide("0.8")
    units = walk.prepare(fifth)
    walk.give(fifth, "0.40", "Yes, for a reaction")
    assert "Medication error" in hands.said()
    assert "−50 %" in hands.text("close_given_error_text")
    (error,) = _errors(walk)
    walk.shot("closing-after-error", "close_given_error")
    hands.press(f"open_error_{error.error_id}")
    assert hands.window.current_page() == "errors"
    assert hands.text("record_difference") == "−50 %"
    walk.shot("error-record")
    hands.go("prepare")
    walk.close(units)
    _assess(walk, error)
    walk.shared_dose(Dose("2026-06-29", 5, 8, "0.40", "0.2", level=-1))


def _errors(walk: Walk) -> list[ErrorLine]:
    with walk.pharmacy.desk.store.read() as reader:
        return list(reader.errors())


def _assess(walk: Walk, error: ErrorLine) -> None:
    """The reaction was the reason for stopping: no harm by the dose that was left out, nobody made a mistake."""
    hands = walk.hands
    hands.go("errors")
    hands.press("assess_begin")
    hands.choose("verdict", "An error")
    for name, words in (
        ("actual_error", "Yes"),
        ("reached_subject", "Yes"),
        ("death", "No"),
        ("harmed", "No"),
        ("monitoring", "Yes"),
    ):
        hands.choose(f"answers.{name}", words)
    assert hands.text("merp_category").startswith("Category D")
    hands.type("cause", "Infusion reaction after 30 minutes")
    hands.type("action", "Stopped, observed for four hours")
    walk.shot("assessment", "assess_card")
    hands.sign("assess_signature", PASSWORD)
    assert f"Signed. Record {error.error_id} is assessed." in hands.said()
    assert [line.status for line in _errors(walk)] == ["assessed"]


def _cycle_6(walk: Walk) -> None:
    """The last cycle; after it nothing is due."""
    hands = walk.hands
    walk.plan(6, "2026-07-20")
    walk.to("2026-07-19")
    walk.weigh("80")
    walk.shared_dose(Dose("2026-07-20", 6, 1, "0.80", "0.4", level=-1))
    walk.whole_dose(Dose("2026-07-27", 6, 8, "0.40", "0.2", level=-1))
    walk.open_subject("treatment")
    walk.shot("timeline-full", "calendar_card")
    # Three doses in cycle 1, two in each of the five after it.
    statuses = [status for (status,) in hands.rows("calendar_doses", "status")]
    assert statuses == ["given"] * (3 + 5 * 2)
    walk.to("2026-08-17")
    hands.press("subject_new_order")
    assert "All cycles of the course are ordered." in hands.text("order_history_text")
    assert hands.find("order_fill_next", QAbstractButton) is None
