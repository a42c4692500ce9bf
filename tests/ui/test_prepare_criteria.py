"""The criteria of the treatment day at the *Prepare* page: what is asked, what is not known, what carries over.

The criteria are those of protocol § 8.1.5; screening is § 4.0. Subject 000-001 has a marrow of 14-Nov-2026; the
page is worked on 22-Nov-2026.
"""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit

from pharmacy_app.demo import DemoDay, dose
from pharmacy_app.services.doses import OrderForm
from pharmacy_app.services.doses import order as services_order
from pharmacy_app.services.treatment import criteria_of
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403
from tests.ui.prepare_desk import *  # noqa: F403
from tests.ui.prepare_desk import Desk, lab, meet, order
from ui.office import Office
from ui.pages.prepare_step import CRITERIA, DECIDE, VIALS


def bare_order(day: DemoDay, dose_day: int = 1, prescribed: str = "1.46") -> str:
    """An order of cycle 1 whose criteria nobody has answered."""
    form = OrderForm("000-001", "Dr. Mira Castellan", day.day(), day.day(), "1", "1", str(dose_day), "0", prescribed)
    return str(services_order(day.desk, day.act("pharmacist"), form).content["dose_id"])


def opened(desk: Desk, dose_id: str) -> Desk:
    """The page with that dose open."""
    desk.open(dose_id)
    return desk


def line(desk: Desk, name: str) -> QLineEdit:
    """One part of a laboratory value."""
    return find(desk.page, QLineEdit, name)


def test_an_order_without_criteria_asks_for_them_first(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    desk = opened(at(office), bare_order(day))
    assert desk.current() == CRITERIA
    # The first dose of all: § 8.1.5 for every dose, its (1) and (6), (7) at a cycle's start, and § 4.0.
    for name in ("toxicity_grade", "liver_toxicity_suspected", "bilirubin", "creatinine_clearance", "progression"):
        assert desk.field(name).isVisible(), name
    for name in ("anc", "platelets", "consent_on", "screening_marrow_on", "screening_tests_on"):
        assert desk.field(name).isVisible(), name
    said = desk.banner("criteria_not_known")
    for words in ("Grade of toxicity", "liver toxicity", "bilirubin", "AST and ALT", "creatinine clearance"):
        assert words in said
    assert "What is not known will stop the dose" in said


def test_who_read_them_today_is_put_in_again_on_the_next_day_until_an_answer_is_typed(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    desk = opened(at(office), bare_order(day))
    assert desk.field("assessed_on").value() == "2026-11-22"
    day.clock.forward(24 * 60)
    desk.page.refresh()
    desk.wait()
    assert desk.field("assessed_on").value() == "2026-11-23"
    desk.put(toxicity_grade="1")
    day.clock.forward(24 * 60)
    desk.page.refresh()
    desk.wait()
    assert (desk.field("assessed_on").value(), desk.field("toxicity_grade").value()) == ("2026-11-23", "1")


def test_an_order_left_open_over_night_is_of_the_next_day_unless_a_day_was_typed(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    desk = at(office)
    desk.page.begin_order()
    desk.wait()
    desk.put(planned_on="2026-11-24")
    day.clock.forward(24 * 60)
    desk.page.refresh()
    desk.wait()
    assert (desk.field("ordered_on").value(), desk.field("planned_on").value()) == ("2026-11-23", "2026-11-24")


def test_day_8_asks_for_no_counts_and_no_screening_but_takes_counts(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose(day, "000-001", 1, 1)
    day.clock.forward(7 * 24 * 60)
    desk = opened(at(office), bare_order(day, 8, "0.91"))
    assert desk.current() == CRITERIA
    assert not desk.page.findChildren(QComboBox, "progression")
    assert not desk.page.findChildren(QLineEdit, "consent_on")
    assert not desk.field("anc").isVisible()
    desk.press("criteria_counts")
    assert desk.field("anc").isVisible()
    # § 5.0: cycle 1 asks for one chemistry, and that of day 1 is shown with its day.
    carried = desk.banner("criteria_carried")
    assert "Bilirubin 0.7 mg/dL (upper limit 1.2); AST 28 U/L (upper limit 40)" in carried
    assert carried.endswith("Creatinine clearance 88 mL/min, all taken on 22-Nov-2026.")
    assert desk.banner("criteria_not_known").startswith("Grade of toxicity, liver toxicity.")
    desk.put(toxicity_grade="0", liver_toxicity_suspected="no", labs_taken_on="2026-11-29")
    lab(desk, "anc", "0.4")
    desk.press("criteria_record")
    assert desk.current() == DECIDE
    # § 8.1.5: within a cycle no blood count delays a dose, and none of what carried over is missed.
    assert desk.button("decide_record").text() == "&Record the decision"


def test_what_is_not_known_stops_the_dose(office: Office, at: Callable[[Office], Desk], day: DemoDay) -> None:
    desk = opened(at(office), bare_order(day))
    desk.press("criteria_record")
    assert desk.current() == DECIDE
    for rule in ("R32", "R34", "R36", "R37", "R38", "R39"):
        assert desk.page.findChildren(QLabel, f"finding_{rule}_sentence"), rule
    assert desk.button("decide_record").text() == "&Record as stopped"
    desk.press("decide_criteria")
    assert desk.current() == CRITERIA
    meet(desk)
    assert desk.current() == DECIDE
    assert desk.button("decide_record").text() == "&Record the decision"


def test_one_day_is_given_to_every_result_that_has_none_of_its_own(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    desk = opened(at(office), bare_order(day))
    line(desk, "ast.taken_on").setText("2026-11-19")
    desk.put(labs_taken_on="2026-11-20")
    desk.put(labs_taken_on="2026-11-21")
    assert line(desk, "bilirubin.taken_on").text() == "2026-11-21"
    assert line(desk, "ast.taken_on").text() == "2026-11-19"
    desk.put(labs_taken_on="not a day")
    assert line(desk, "bilirubin.taken_on").text() == "2026-11-21", "what cannot be read goes nowhere"


def test_every_fault_stands_at_its_part_and_nothing_is_recorded(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    desk = opened(at(office), bare_order(day))
    desk.put(labs_taken_on="2026-11-22", assessed_by="", consent_on="2026-12-24")
    lab(desk, "bilirubin", "0,7", "1.2")
    lab(desk, "ast", "28")
    desk.press("criteria_record")
    assert "comma" in desk.field("bilirubin").fault()
    assert "unit of Bilirubin" in desk.field("bilirubin").fault()
    assert "AST is judged by its upper limit of normal" in desk.field("ast").fault()
    assert "future" in desk.field("consent_on").fault()
    assert desk.field("assessed_by").fault()
    assert not desk.field("alt").fault(), "an empty line is not known, which is no fault"
    marked = [
        name
        for name in ("bilirubin.value", "bilirubin.unit", "bilirubin.upper_limit", "ast.value", "ast.upper_limit")
        if line(desk, name).property("faulty")
    ]
    assert marked == ["bilirubin.value", "bilirubin.unit", "ast.upper_limit"]
    assert desk.page.focusWidget() is line(desk, "assessed_by"), "the first fault has the focus"
    assert line(desk, "bilirubin.value").text() == "0,7", "what was typed stays"
    assert desk.current() == CRITERIA
    with office.desk.store.read() as reader:
        assert not criteria_of(reader, "000-001")


def test_answers_typed_by_keyboard_alone_are_recorded(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    desk = opened(at(office), bare_order(day))
    grade = find(desk.page, QComboBox, "toxicity_grade")
    grade.setFocus()
    QTest.keyClicks(grade, "2")
    result = line(desk, "creatinine_clearance.value")
    result.setFocus()
    QTest.keyClicks(result, "15")
    QTest.keyClick(result, Qt.Key.Key_Tab)
    assert desk.page.focusWidget() is line(desk, "creatinine_clearance.taken_on")
    QTest.keyClicks(desk.page.focusWidget(), "22-Nov-2026")
    button = desk.button("criteria_record")
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Return)
    desk.wait()
    with office.desk.store.read() as reader:
        (recorded,) = criteria_of(reader, "000-001")
    assert (recorded.toxicity_grade, recorded.assessed_by) == (2, "Dana Whitfield")
    assert recorded.creatinine_clearance is not None
    assert recorded.creatinine_clearance.taken_on.isoformat() == "2026-11-22"
    assert recorded.bilirubin is None
    assert recorded.progression is None


def test_recorded_answers_stand_in_the_form_and_new_ones_ask_for_the_decision_anew(
    office: Office, at: Callable[[Office], Desk]
) -> None:
    desk = at(office)
    order(desk)
    desk.press("decide_record")
    assert desk.current() == VIALS
    desk.press("prepare_steps_2")
    assert desk.current() == CRITERIA
    assert desk.field("toxicity_grade").value() == "0"
    assert line(desk, "bilirubin.upper_limit").text() == "1.2"
    assert not desk.page.is_dirty()
    # Back to where the dose stands, and nothing is changed by having looked.
    desk.press("prepare_steps_4")
    assert desk.current() == VIALS
    desk.press("prepare_steps_2")
    desk.press("back_to_step")
    assert desk.current() == VIALS
    desk.press("prepare_steps_2")
    desk.put(toxicity_grade="2")
    desk.press("criteria_record")
    assert desk.current() == DECIDE
    # § 8.1.5(3): recovered to grade 1 or baseline; 2 is more than 1, and the grade before treatment is not known.
    assert "grade 2" in find(desk.page, QLabel, "finding_R36_sentence").text()


def test_a_draft_survives_the_look_at_the_decision_and_at_another_dose(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    first, second = bare_order(day), bare_order(day, 8, "0.91")
    desk = opened(at(office), first)
    desk.put(toxicity_grade="1")
    lab(desk, "ast", "30")
    assert desk.page.is_dirty()
    desk.press("criteria_look")
    assert desk.current() == DECIDE
    desk.press("prepare_steps_2")
    assert desk.field("toxicity_grade").value() == "1"
    desk.open(second)
    assert desk.current() == CRITERIA
    desk.open(first)
    office.changed.emit()
    desk.wait()
    assert desk.field("toxicity_grade").value() == "1"
    assert line(desk, "ast.value").text() == "30"


def test_progression_asks_whether_it_is_confined(office: Office, at: Callable[[Office], Desk], day: DemoDay) -> None:
    desk = opened(at(office), bare_order(day))
    assert not desk.field("only_cns_or_testis").isVisible()
    desk.put(progression="yes")
    assert desk.field("only_cns_or_testis").isVisible()
    desk.put(progression="no")
    assert not desk.field("only_cns_or_testis").isVisible()


def test_the_monitor_reads_the_criteria_and_answers_none(
    office_as: Callable[[str], Office], at: Callable[[Office], Desk], day: DemoDay
) -> None:
    waiting = opened(at(office_as("monitor")), bare_order(day))
    assert not waiting.button("criteria_record").isEnabled()
    assert "monitor" in find(waiting.page, QLabel, "criteria_why").text()
    assert not find(waiting.page, QComboBox, "toxicity_grade").isEnabled()
    assert line(waiting, "bilirubin.value").isReadOnly()


def test_recorded_criteria_are_looked_back_at_with_who_and_what_is_not_known(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    desk = opened(at(office), dose(day, "000-001", 1, 1, until="check"))
    desk.press("prepare_steps_2")
    words = desk.words()
    assert "Dr. Mira Castellan, on 22-Nov-2026" in words
    assert "Dana Whitfield" in words
    assert "0.7 mg/dL (upper limit 1.2), taken on 22-Nov-2026" in words
    assert "Platelets\n96 10⁹/L, taken on 22-Nov-2026" in words


@pytest.mark.parametrize("who", ["pharmacist", "technician"])
def test_pharmacist_and_technician_may_record_criteria(
    office_as: Callable[[str], Office], at: Callable[[Office], Desk], day: DemoDay, who: str
) -> None:
    desk = opened(at(office_as(who)), bare_order(day))
    assert desk.button("criteria_record").isEnabled()
    meet(desk)
    with day.desk.store.read() as reader:
        assert len(criteria_of(reader, "000-001")) == 1
