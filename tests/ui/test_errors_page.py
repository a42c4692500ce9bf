"""Medication errors in the window: reported by anybody, assessed and signed by a pharmacist, clocks in sight.

The usual case: 171 cm and 70 kg, 1.46 mg prescribed, 1.2 mg given: (1.2 − 1.46) ÷ 1.46 = −17.81 %, a dosing error.
The clock stands on Sunday, 22 November 2026.
"""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import PASSWORD, DemoDay, dose
from pharmacy_app.services.medication_errors import ErrorForm, record_error
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - the fixtures of a desk
from tests.ui.office_fixtures import Said
from ui.office import Office
from ui.pages import errors, today
from ui.pages.errors import ErrorsPage
from ui.pages.errors_assess import AssessView
from ui.pages.errors_record import RecordView
from ui.widgets.basics import Button, Text
from ui.widgets.fields import Field
from ui.widgets.panels import Banner
from ui.widgets.tables import RowTableModel

OfficeAs = Callable[[str], Office]
Idle = Callable[[Office], None]

PEOPLE = ("admin", "pharmacist", "checker", "technician", "monitor")

REACHED = {"actual_error": "yes", "reached_subject": "yes", "death": "no"}
NO_HARM = {**REACHED, "harmed": "no", "monitoring": "no"}
HARMED = {**REACHED, "harmed": "yes", "sustain_life": "no", "permanent_harm": "no", "hospitalization": "yes"}


def shown_page(qtbot: QtBot, office: Office, idle: Idle) -> ErrorsPage:
    """The page, shown, asked and answered."""
    page = errors.ErrorsPage(office)
    qtbot.addWidget(page)
    office.changed.connect(page.refresh)
    page.resize(960, 900)
    page.show()
    page.refresh()
    idle(office)
    return page


def rows(page: ErrorsPage, key: str, *columns: str) -> list[tuple[str, ...]]:
    """The words of a list in these columns."""
    model = page.cards[key].table.model()
    assert isinstance(model, RowTableModel)
    at = [[column.key for column in model.columns].index(name) for name in columns]
    return [tuple(str(model.index(row, each).data()) for each in at) for row in range(model.rowCount())]


def events(office: Office, kind: str) -> int:
    """How many events of a kind the journal holds."""
    with office.desk.store.read() as reader:
        return reader.count_events(kind=kind, text="")


def words_of(root: QWidget) -> str:
    """All text that can be seen beneath ``root``."""
    return "\n".join(label.text() for label in root.findChildren(QLabel) if label.isVisible())


def wrong(day: DemoDay) -> str:
    """1.2 mg of 1.46 mg is given; the number of the record that opened by itself."""
    dose(day, "000-001", 1, 1, given="1.2", until="give")
    with day.desk.store.read() as reader:
        return reader.errors()[0].error_id


def opened(page: ErrorsPage, office: Office, error_id: str, idle: Idle) -> RecordView:
    """The record, open."""
    page.open_on(error_id)
    idle(office)
    return page.findChildren(RecordView)[-1]


def answer(assess: AssessView, answers: dict[str, str]) -> None:
    """Answer the questions in the order in which they are asked; each must be in sight by then."""
    for name, said in answers.items():
        question = assess.form.field(f"answers.{name}")
        assert question.isVisible(), name
        question.set_value(said)


def begin(view: RecordView, answers: dict[str, str], **values: str) -> AssessView:
    """Open the assessment and fill it in as an error."""
    view.assess.begin.click()
    view.assess.form.field("verdict").set_value("error")
    answer(view.assess, answers)
    for name, value in values.items():
        view.assess.form.field(name.replace("__", ".")).set_value(value)
    return view.assess


def sign(assess: AssessView, office: Office, idle: Idle, password: str = PASSWORD) -> None:
    """Type the password and press Enter."""
    assess.signature.password.set_value(password)
    QTest.keyClick(assess.signature.password.editor(), Qt.Key.Key_Return)
    idle(office)


def choose(field: Field, words: str) -> None:
    """Choose from a list by the arrow keys."""
    combo = field.editor()
    QTest.keyClick(combo, Qt.Key.Key_Home)
    while field.text() != words:
        before = field.text()
        QTest.keyClick(combo, Qt.Key.Key_Down)
        assert field.text() != before, f"{words} is not offered"


# -- reporting


@pytest.mark.parametrize("who", PEOPLE)
def test_everybody_reports_a_near_miss_with_the_keyboard_alone(
    qtbot: QtBot, office_as: OfficeAs, idle: Idle, who: str
) -> None:
    """REGULATION D-20: any role, under a minute, apart from the reportable errors."""
    office = office_as(who)
    page = shown_page(qtbot, office, idle)
    page.open_on("new")
    form = page.report.form
    QTest.keyClicks(form.field("what_happened").editor(), "The 4 mg vial was taken for a 1 mg one and put back")
    for name, words in (("stage", "Preparation"), ("error_type", "Wrong drug"), ("reached_subject", "No: a near miss")):
        choose(form.field(name), words)
    page.report.record.setFocus()
    QTest.keyClick(page.report.record, Qt.Key.Key_Return)
    QTest.keyClick(page.report.record, Qt.Key.Key_Return)
    idle(office)
    assert events(office, "medication_error_recorded") == 1
    assert rows(page, "near_misses", "what", "status") == [
        ("The 4 mg vial was taken for a 1 mg one and put back", "Open")
    ]
    assert [rows(page, key, "what") for key in ("reportable", "others", "no_errors")] == [[], [], []]
    assert "The 4 mg vial was taken for a 1 mg one" in find(page, Text, "record_what_happened").text()
    assert not page.is_dirty()


def test_what_is_missing_is_said_beside_each_field_and_the_draft_stays(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    error_id = wrong(day)
    page = shown_page(qtbot, office, idle)
    page.open_on("new")
    page.report.form.field("stage").set_value("dispensing")
    page.report.form.field("subject_number").set_value("000-777")
    page.report.record.click()
    idle(office)
    form = page.report.form
    assert {field.name for field in form.fields() if field.fault()} == {"what_happened", "error_type", "subject_number"}
    assert "000-777 is not enrolled" in form.field("subject_number").fault()
    # What stood folded is in sight now, and the first faulty field has the focus.
    assert form.field("subject_number").isVisible()
    assert page.focusWidget() is form.field("what_happened").editor()
    assert events(office, "medication_error_recorded") == 0
    opened(page, office, error_id, idle)
    page.refresh()
    idle(office)
    assert page.is_dirty()
    page.open_on("new")
    assert form.field("stage").value() == "dispensing"


def test_a_report_that_names_a_dose_takes_its_subject_and_its_doses(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="close")
    page = shown_page(qtbot, office, idle)
    page.open_on("new")
    form = page.report.form
    for name, value in (
        ("what_happened", "The infusion ran in 20 minutes"),
        ("stage", "administration"),
        ("error_type", "wrong rate"),
        ("reached_subject", "yes"),
        ("dose_id", dose_id),
    ):
        form.field(name).set_value(value)
    page.report.record.click()
    idle(office)
    # What a person reports is no dosing error of § 8.1.3, whatever it was.
    assert rows(page, "others", "subject", "what") == [("000-001", "The infusion ran in 20 minutes")]
    assert rows(page, "reportable", "what") == []
    assert find(page, Button, "record_difference").text() == "0 %"


# -- one record


def test_a_dosing_error_shows_its_two_doses_and_the_working(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    error_id = wrong(day)
    page = shown_page(qtbot, office, idle)
    assert rows(page, "reportable", "error_id", "what", "status") == [
        (error_id, "−17.81 %: 1.2 mg given of 1.46 mg", "Open")
    ]
    page.cards["reportable"].table.setCurrentIndex(page.cards["reportable"].table.model().index(0, 0))
    QTest.keyClick(page.cards["reportable"].table, Qt.Key.Key_Return)
    idle(office)
    assert find(page, Button, "record_prescribed").text() == "1.46 mg"
    assert find(page, Button, "record_administered").text() == "1.2 mg"
    difference = find(page, Button, "record_difference")
    assert difference.text() == "−17.81 %"
    difference.click()
    dialog = find(page, QWidget, "working_dialog")
    said = words_of(dialog)
    assert "(administered − prescribed) ÷ prescribed × 100" in said
    assert "§ 8.1.3" in said
    dialog.close()
    state = find(page, Banner, "record_state")
    assert state.accessibleName() == "Open: Next: a pharmacist assesses it and signs."


def test_a_number_that_no_record_has_is_said(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page = shown_page(qtbot, office, idle)
    page.open_on("E000009Z")
    idle(office)
    assert "There is no medication-error record E000009Z" in find(page, Banner, "errors_trouble").text()
    assert page.begin.isVisible()


def test_who_may_assess_and_who_may_tell(qtbot: QtBot, day: DemoDay, office_as: OfficeAs, idle: Idle) -> None:
    error_id = wrong(day)
    for who, assesses, tells in (
        ("pharmacist", True, True),
        ("technician", False, True),
        ("checker", False, True),
        ("monitor", False, False),
        ("admin", False, False),
    ):
        office = office_as(who)
        page = shown_page(qtbot, office, idle)
        view = opened(page, office, error_id, idle)
        assert (view.assess.begin.isEnabled(), view.told.begin.isEnabled()) == (assesses, tells), who
        if not assesses:
            assert "takes a pharmacist" in find(view, Text, "assess_why_not").text()


# -- assessing


@pytest.mark.parametrize(
    ("answers", "letter"),
    [
        ({"actual_error": "no"}, "A"),
        ({"actual_error": "yes", "reached_subject": "no"}, "B"),
        (NO_HARM, "C"),
        ({**NO_HARM, "monitoring": "yes"}, "D"),
        ({**HARMED, "hospitalization": "no"}, "E"),
        (HARMED, "F"),
        ({**REACHED, "harmed": "yes", "sustain_life": "no", "permanent_harm": "yes"}, "G"),
        ({**REACHED, "harmed": "yes", "sustain_life": "yes"}, "H"),
        ({"actual_error": "yes", "reached_subject": "yes", "death": "yes"}, "I"),
    ],
)
def test_the_questions_come_one_after_the_other_and_give_the_letter(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle, answers: dict[str, str], letter: str
) -> None:
    """REGULATION D-19: the answers drive the letter, and the index's notice stands beside it."""
    error_id = wrong(day)
    page = shown_page(qtbot, office, idle)
    view = opened(page, office, error_id, idle)
    view.assess.begin.click()
    assert not view.assess.category.isVisible()
    view.assess.form.field("verdict").set_value("error")
    for asked in range(len(answers)):
        visible = [f.name for f in view.assess.form.fields() if f.name.startswith("answers.") and f.isVisible()]
        assert visible == [f"answers.{name}" for name in list(answers)[: asked + 1]]
        assert view.assess.category.words.text() == "The category follows from the answers."
        name, said = list(answers.items())[asked]
        view.assess.form.field(f"answers.{name}").set_value(said)
    assert view.assess.category.words.text().startswith(f"Category {letter}: ")
    assert "© National Coordinating Council" in find(view.assess, Text, "merp_notice").text()


def test_an_answer_that_changes_takes_away_what_no_longer_decides(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    error_id = wrong(day)
    page = shown_page(qtbot, office, idle)
    view = opened(page, office, error_id, idle)
    assess = begin(view, HARMED)
    assess.form.field("answers.harmed").set_value("no")
    assert assess.form.field("answers.monitoring").isVisible()
    answers = assess.assessment().answers
    assert (answers.harmed, answers.hospitalization, answers.monitoring) == ("no", "", "")


def test_an_assessment_is_signed_and_prints(qtbot: QtBot, day: DemoDay, office: Office, idle: Idle, said: Said) -> None:
    error_id = wrong(day)
    page = shown_page(qtbot, office, idle)
    view = opened(page, office, error_id, idle)
    assess = begin(view, NO_HARM, cause="The line was clamped", assessed_by="Dr. Mira Castellan")
    assert page.is_dirty()
    sign(assess, office, idle, "not the password")
    assert "do not fit" in find(assess, Banner, "assess_signature_fault").text()
    assert assess.form.field("cause").value() == "The line was clamped"
    assert events(office, "medication_error_assessed") == 0
    sign(assess, office, idle)
    assert said.texts() == [f"Signed. Record {error_id} is assessed."]
    assert not page.is_dirty()
    assert find(view, Banner, "record_state").accessibleName() == "Assessed: Category C: Reached the subject; no harm."
    assert rows(page, "reportable", "status") == [("Category C",)]
    first = words_of(find(view, QWidget, "assessment_1"))
    assert "signed by Dana Whitfield, assessed by Dr. Mira Castellan" in first
    assert "Was the subject harmed? No" in first
    page.print_button.click()
    idle(office)
    with office.desk.store.read() as reader:
        assert [line.about for line in reader.printed(paper="medication-error report")] == [error_id]


def test_assessed_again_it_asks_why_and_both_stay_readable(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    """REGULATION D-17: nothing is deleted."""
    error_id = wrong(day)
    page = shown_page(qtbot, office, idle)
    view = opened(page, office, error_id, idle)
    sign(begin(view, NO_HARM), office, idle)
    day.clock.forward(5)
    view.assess.begin.click()
    assess = view.assess
    # It begins from what stands on record.
    assert assess.form.field("answers.monitoring").value() == "no"
    sign(assess, office, idle)
    assert "assessed before" in assess.form.field("reason").fault()
    assert page.focusWidget() is assess.form.field("reason").editor()
    assess.form.field("verdict").set_value("not an error")
    assess.form.field("reason").set_value("The bag had been weighed wrongly")
    sign(assess, office, idle)
    assert "Not an error" in words_of(find(view, QWidget, "assessment_1"))
    assert "Category C" in words_of(find(view, QWidget, "assessment_2"))
    assert rows(page, "no_errors", "error_id", "status") == [(error_id, "Not an error")]


def test_a_draft_waits_while_another_record_is_read(qtbot: QtBot, day: DemoDay, office: Office, idle: Idle) -> None:
    error_id = wrong(day)
    form = ErrorForm("The label named the wrong ward", "labeling", "labeling")
    other = str(record_error(day.desk, day.act("technician"), form).content["error_id"])
    page = shown_page(qtbot, office, idle)
    begin(opened(page, office, error_id, idle), REACHED, cause="The pump stopped")
    opened(page, office, other, idle)
    assert page.is_dirty()
    page.refresh()
    idle(office)
    page.open_on(error_id)
    idle(office)
    (view,) = (each for each in page.findChildren(RecordView) if each.isVisible())
    assert view.assess.form.field("cause").value() == "The pump stopped"
    assert view.assess.form.field("answers.harmed").isVisible()


# -- clocks


def with_clocks(qtbot: QtBot, day: DemoDay, office: Office, idle: Idle) -> tuple[ErrorsPage, RecordView, str]:
    """A hospital stay that became known now: the supporter within 24 h, the IND Office within 5 working days."""
    error_id = wrong(day)
    page = shown_page(qtbot, office, idle)
    view = opened(page, office, error_id, idle)
    assess = begin(view, HARMED, adverse_event="serious adverse event")
    sign(assess, office, idle)
    faulty = {field.name for field in assess.form.fields() if field.fault()}
    assert faulty == {"sae.aware_at", "sae.fatal_or_life_threatening", "sae.unexpected_and_related"}
    assess.form.field("sae.aware_at").set_value(day.local())
    assess.form.field("sae.fatal_or_life_threatening").set_value("no")
    assess.form.field("sae.unexpected_and_related").set_value("yes")
    sign(assess, office, idle)
    return page, view, error_id


def test_the_clocks_of_a_serious_event_say_due_then_overdue_then_told(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    """§ 12.1, 12.2: 24 h as they pass; working days from Sunday: Monday 23 to the end of Friday 27 November."""
    page, view, _ = with_clocks(qtbot, day, office, idle)
    since = day.local()[-5:]
    runs = "A clock runs: Pfizer and MD Anderson Cancer Center, IND Office."
    assert find(view, Banner, "record_state").text().endswith(runs)
    assert find(view, Text, "clock_1_due").text() == f"Pfizer: by 23-Nov-2026 {since}"
    assert find(view, Text, "clock_2_due").text() == "MD Anderson Cancer Center, IND Office: by 27-Nov-2026 23:59"
    assert find(view, Text, "clock_1_left").text().startswith("24 h 0 min left. Limit: within 24 h of awareness")
    for minutes, state, left in (
        (24 * 60, "Due", "Less than 1 min left"),
        (1, "Overdue", "Overdue by 1 min"),
        (59, "Overdue", "Overdue by 1 h 0 min"),
    ):
        day.clock.forward(minutes)
        page.refresh()
        idle(office)
        assert find(view, Text, "clock_1_state").text() == state
        assert find(view, Text, "clock_1_left").text().startswith(f"{left}.")
        assert rows(page, "reportable", "clock_words") == [(state,)]
    model = page.cards["reportable"].table.model()
    icon = model.index(0, model.columnCount() - 1).data(Qt.ItemDataRole.DecorationRole)
    assert icon is not None and not icon.isNull()
    assert find(view, Banner, "record_state").accessibleName().startswith("Overdue: Tell Pfizer now, and record it.")

    view.told.begin.click()
    view.told.record.click()
    idle(office)
    assert {field.name for field in view.told.form.fields() if field.fault()} == {"recipient", "told_at"}
    view.told.form.field("recipient").set_value("supporter")
    find(view.told, Button, "told_at_now").click()
    view.told.record.click()
    view.told.record.click()
    idle(office)
    assert events(office, "medication_error_told") == 1
    assert find(view, Text, "clock_1_state").text() == "Told late"
    assert "1 h 0 min after the limit" in find(view, Text, "clock_1_left").text()
    assert find(view, Text, "clock_2_state").text() == "Due"


def test_a_recipient_told_in_time_stops_the_clock(qtbot: QtBot, day: DemoDay, office: Office, idle: Idle) -> None:
    page, view, _ = with_clocks(qtbot, day, office, idle)
    day.clock.forward(24 * 60)
    view.told.begin.click()
    view.told.form.field("recipient").set_value("supporter")
    view.told.form.field("told_at").set_value(day.local())
    view.told.record.click()
    idle(office)
    assert find(view, Text, "clock_1_state").text() == "Told in time"
    # The other clock runs on, and it is the one that presses.
    assert rows(page, "reportable", "clock_words") == [("Due",)]


def test_today_names_the_clock_that_runs_and_opens_the_record(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    _, _, error_id = with_clocks(qtbot, day, office, idle)
    day.clock.forward(24 * 60 + 30)
    page = today.TodayPage(office)
    qtbot.addWidget(page)
    page.refresh()
    idle(office)
    (row,) = (each for each in page.findChildren(today.WaitingRow) if each.item.place == "errors")
    assert (row.item.kind, row.item.title) == ("stop", f"Medication error {error_id}: overdue")
    assert "Pfizer must be told by 23-Nov-2026" in row.item.text
    assert "overdue by 30 min" in row.item.text
    went: list[tuple[str, str]] = []
    office.go.connect(lambda key, what: went.append((key, what)))
    row.button.click()
    office.open_error("new")
    assert went == [("errors", error_id), ("errors", "new")]
