"""Subjects: enrolling, weighing, the calendar, what is stated of a treatment, its history and its documents."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay, MovableClock, dose, meet_criteria, weigh
from pharmacy_app.domain.protocol import shipped_protocol
from pharmacy_app.domain.schedule import GivenDose
from pharmacy_app.domain.treatment import Cause, CyclePlan, Marrow, Omission, Treatment
from pharmacy_app.domain.treatment_calendar import calendar_of
from pharmacy_app.services import documents, treatment
from pharmacy_app.services.documents import DocumentForm
from pharmacy_app.services.treatment import MarrowForm
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - the fixtures of a desk
from tests.ui.office_fixtures import Said
from ui.document import DocumentDialog
from ui.office import Office
from ui.pages import subjects
from ui.pages.stock_parts import ActDialog
from ui.pages.subjects_facts import age_words
from ui.pages.subjects_record import KINDS
from ui.pages.subjects_treatment import dose_words, timeline_rows
from ui.widgets.basics import Button, Text
from ui.widgets.drift_chart import DriftChart
from ui.widgets.panels import Banner
from ui.widgets.tables import ROW_ROLE, DataTable
from ui.widgets.timeline import Shape

OfficeAs = Callable[[str], Office]
Idle = Callable[[Office], None]

NUMBER = "000-001"


class Way:
    """Where the page asked to go."""

    def __init__(self, office: Office) -> None:
        self.went: list[tuple[str, str]] = []
        office.go.connect(self.take)

    def take(self, key: str, what: str) -> None:
        """Keep one step of the way."""
        self.went.append((key, what))


class Hands:
    """A person at the Subjects page, who works it by the keyboard and finds things by their names."""

    def __init__(self, qtbot: QtBot, office: Office, idle: Idle, *, shown: bool = True) -> None:
        self.qtbot, self.office, self.idle = qtbot, office, idle
        self.page = subjects.SubjectsPage(office)
        qtbot.addWidget(self.page)
        self.page.resize(964, 716)
        if shown:
            self.page.show()
        self.page.refresh()
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is under way."""
        self.idle(self.office)

    def open(self, number: str = NUMBER) -> "Hands":
        """Open a subject from the list, by Enter on its line."""
        table = find(self.page, DataTable, "subjects_table")
        rows = [row.subject_number for row in table.model().rows()]  # type: ignore[attr-defined]  # it holds its rows
        table.selectRow(rows.index(number))
        QTest.keyClick(table, Qt.Key.Key_Return)
        self.settle()
        return self

    def see(self, name: str, kind: type[Any] = QWidget) -> Any:
        """A widget that can be seen."""
        widget = find(self.page, kind, name)
        assert widget.isVisible(), f"{name} is not shown"
        return widget

    def press(self, name: str) -> None:
        """Press a button by Enter."""
        button = self.see(name, QAbstractButton)
        assert button.isEnabled(), f"{name} cannot be pressed"
        button.setFocus()
        QTest.keyClick(button, Qt.Key.Key_Return)
        self.settle()

    def tab(self, name: str) -> None:
        """Choose one of the subject's tabs."""
        self.press(f"tab_{name}")

    def put(self, name: str, text: str) -> None:
        """Type into a field, or choose by typing the words of a choice."""
        editor = self.see(name)
        editor.setFocus()
        if isinstance(editor, QComboBox):
            found = [at for at in range(editor.count()) if editor.itemText(at).startswith(text)]
            assert len(found) == 1, f"“{text}” is {len(found)} choices of {name}"
            QTest.keyClick(editor, Qt.Key.Key_Home)
            for _ in range(found[0]):
                QTest.keyClick(editor, Qt.Key.Key_Down)
        else:
            assert isinstance(editor, QLineEdit | QPlainTextEdit)
            editor.selectAll()
            QTest.keyClick(editor, Qt.Key.Key_Delete)
            QTest.keyClicks(editor, text)

    def typed(self, name: str) -> str:
        """What stands in a field."""
        editor = self.see(name)
        if isinstance(editor, QComboBox):
            return editor.currentText()
        return editor.toPlainText() if isinstance(editor, QPlainTextEdit) else str(editor.text())

    def fault(self, name: str) -> str:
        """What stands beside a field."""
        return str(find(self.page, QLabel, f"{name}_fault").text())

    def words(self) -> str:
        """All text that can be read now."""
        return "\n".join(label.text() for label in self.page.findChildren(QLabel) if label.isVisible())

    def rows(self, name: str) -> list[Any]:
        """The rows of a table."""
        return list(self.see(name, DataTable).model().rows())

    def state(self, kind: str, **typed: str) -> None:
        """Open the card, choose what is stated, and type."""
        if not self.page.treatment.card or not self.page.treatment.card.isVisible():
            self.press("begin_statement")
        words = next(each for each in KINDS if each.act == kind)
        self.put("statement_kind", words.words)
        for name, text in typed.items():
            self.put(f"{words.prefix}_{name}", text)


@pytest.fixture
def hands(qtbot: QtBot, office: Office, idle: Idle) -> Iterator[Hands]:
    """The pharmacist at the page's list."""
    yield Hands(qtbot, office, idle)


def head_of(office: Office) -> int:
    """How many events the journal has."""
    with office.desk.store.read() as reader:
        return reader.head().seq


def stated(office: Office, number: str = NUMBER) -> list[Any]:
    """The statements of a subject, newest first."""
    with office.desk.store.read() as reader:
        return list(treatment.statements(reader, number))


def next_day(day: DemoDay, days: int) -> None:
    """Let days pass."""
    assert isinstance(day.clock, MovableClock)
    day.clock.forward(days * 24 * 60)


# -- the list and enrolling


def test_a_subject_is_enrolled_once_even_by_two_clicks(hands: Hands, said: Said) -> None:
    before = head_of(hands.office)
    hands.press("begin_enroll")
    hands.put("subject_number", "000-002")
    hands.put("birth", "1988")
    hands.page.enroll_card.enroll.click()
    hands.page.enroll_card.enroll.click()
    hands.settle()
    assert head_of(hands.office) == before + 1
    assert said.texts() == ["Subject 000-002 is enrolled. Record a height and a weight next."]
    assert "Subject 000-002" in hands.words()
    assert not hands.page.enroll_card.form.is_dirty()
    # The next step is at hand: the weight has the focus.
    assert hands.page.focusWidget() is hands.see("weight", QLineEdit)


def test_every_fault_of_an_enrolment_is_shown_and_nothing_typed_is_lost(hands: Hands) -> None:
    before = head_of(hands.office)
    hands.press("begin_enroll")
    for name, text in (("subject_number", "Anna Smith"), ("birth", "11/12/1980"), ("initials", "7")):
        hands.put(name, text)
    hands.press("enroll")
    assert all(hands.fault(name) for name in ("subject_number", "birth", "initials"))
    assert hands.typed("subject_number") == "Anna Smith"
    assert head_of(hands.office) == before


def test_a_number_nobody_has_is_said_and_the_list_stays(hands: Hands) -> None:
    hands.page.open_on("999-999")
    hands.settle()
    assert "There is no subject 999-999" in hands.see("subjects_trouble", Banner).text()
    assert hands.rows("subjects_table")


def test_who_comes_from_the_list_sees_the_treatment_and_who_comes_from_another_page_the_weights(hands: Hands) -> None:
    hands.open()
    assert hands.see("timeline")
    hands.press("all_subjects")
    assert hands.page.focusWidget() is hands.see("subjects_table")
    hands.page.open_on(NUMBER)
    hands.settle()
    assert hands.page.focusWidget() is hands.see("weight", QLineEdit)


@pytest.mark.parametrize(
    ("birth", "on", "words"),
    [
        ("1974-03-09", date(2026, 3, 8), "51 years old"),
        ("1974-03-09", date(2026, 3, 9), "52 years old"),
        # Of the year alone the birthday may have been or may still come.
        ("1988", date(2026, 11, 22), "37 or 38 years old"),
        ("1988", date(2026, 12, 31), "38 years old"),
        # Born on 29 February, a year is completed on 1 March where there is no such day.
        ("2012-02-29", date(2026, 2, 28), "13 years old"),
        ("2012-02-29", date(2026, 3, 1), "14 years old"),
        ("2026", date(2026, 11, 22), "0 years old"),
    ],
)
def test_the_age_is_said_as_far_as_the_birth_is_known(birth: str, on: date, words: str) -> None:
    assert age_words(birth, on) == words


def test_the_head_says_who_it_is_and_that_no_day_is_planned(hands: Hands) -> None:
    hands.open()
    assert hands.see("subjects_page_subtitle", Text).text() == (
        "RTK · 52 years old, born 09-Mar-1974 · enrolled on 22-Nov-2026"
    )
    assert hands.see("next_due", Banner).text() == (
        "Cycle 1 day 1 comes next. No day is planned. Store the planned day 1 of cycle 1."
    )


# -- weights


def test_a_weight_in_pounds_is_converted_where_it_is_typed_and_kept_as_typed(hands: Hands) -> None:
    hands.open()
    hands.tab("weights")
    hands.put("weight", "155")
    hands.put("weight_unit", "lb")
    # 155 × 0.45359237 = 70.30681735 kg by hand.
    assert hands.see("weight_reading", Text).text() == "155 lb = 70.307 kg"
    hands.press("record_measurement")
    with hands.office.desk.store.read() as reader:
        newest = reader.measurements(NUMBER)[0]
    assert (newest.typed_value, newest.typed_unit, newest.value) == ("155", "lb", Decimal("70.30681735"))
    assert hands.typed("weight") == ""


def test_a_day_nobody_typed_goes_with_the_day_and_a_typed_one_stays(hands: Hands, day: DemoDay) -> None:
    """A window left open over night must not record this morning's weight as yesterday's."""
    hands.open()
    hands.tab("weights")
    assert hands.typed("measured_on") == "2026-11-22"
    next_day(day, 1)
    hands.page.refresh()
    hands.settle()
    assert hands.typed("measured_on") == "2026-11-23"
    hands.put("measured_on", "2026-11-21")
    next_day(day, 1)
    hands.page.refresh()
    hands.settle()
    assert hands.typed("measured_on") == "2026-11-21"


def test_a_height_in_inches_is_converted_where_it_is_typed(hands: Hands) -> None:
    hands.open()
    hands.tab("weights")
    hands.put("height_unit", "in")
    hands.put("height", "67")
    # 67 × 2.54 = 170.18 cm.
    assert hands.see("height_reading", Text).text() == "67 in = 170.18 cm"


def test_an_unlikely_weight_asks_for_a_reason_and_another_value_asks_anew(hands: Hands) -> None:
    hands.open()
    hands.tab("weights")
    before = head_of(hands.office)
    reason = hands.page.weights.card.reason
    assert reason.isHidden()
    hands.put("weight", "24.9")
    hands.press("record_measurement")
    assert "unusual" in reason.fault()
    hands.put("confirm", "Weighed twice by two nurses")
    hands.put("weight", "24.8")
    assert reason.isHidden()
    assert reason.value() == ""
    hands.press("record_measurement")
    hands.put("confirm", "Weighed twice by two nurses")
    hands.press("record_measurement")
    assert head_of(hands.office) == before + 1


@pytest.mark.parametrize(
    ("weight", "kind"),
    # Of 70 kg, 10 % is exactly 7 kg: 77 and 63 are not more than 10 %, a gram beyond is (§ 8.1.3, strict).
    [("77", "ok"), ("77.001", "warn"), ("63", "ok"), ("62.999", "warn")],
)
def test_more_than_ten_percent_of_the_weight_last_used_is_strict(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle, weight: str, kind: str
) -> None:
    dose(day, NUMBER, 1, 1)
    weigh(day, NUMBER, weight, "weighed twice")
    hands = Hands(qtbot, office, idle).open()
    hands.tab("weights")
    banner = hands.see("weight_compared", Banner)
    assert banner.kind == kind
    assert ("must be calculated from the new weight" in banner.text()) is (kind == "warn")


def test_the_drift_names_the_weight_last_used_and_both_limits_in_kg(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    dose(day, NUMBER, 1, 1)
    weigh(day, NUMBER, "68.4")
    hands = Hands(qtbot, office, idle).open()
    hands.tab("weights")
    words = hands.see("weight_compared", Banner).text()
    # (68.4 - 70) / 70 = -0.022857…; 70 less and plus a tenth are 63 and 77.
    assert "68.4 kg (22-Nov-2026), is −2.29 % against 70 kg" in words
    assert "mandatory below 63 kg or above 77 kg" in words
    chart = hands.see("drift_chart", DriftChart)
    assert [(level.words, level.dashed) for level in chart.levels()] == [
        ("mandatory above 77 kg", True),
        ("last used 70 kg", False),
        ("mandatory below 63 kg", True),
    ]
    assert [(each.kg, each.over) for each in chart.weights()] == [(Decimal(70), False), (Decimal("68.4"), False)]
    assert chart.accessibleDescription() in words


def test_one_weight_before_the_first_dose_is_not_drawn(hands: Hands) -> None:
    hands.open()
    hands.tab("weights")
    assert "No dose was given yet" in hands.see("weight_compared", Banner).text()
    assert not find(hands.page, DriftChart, "drift_chart").isVisible()


# -- the calendar


def test_the_next_dose_is_said_with_its_window(qtbot: QtBot, day: DemoDay, office: Office, idle: Idle) -> None:
    dose(day, NUMBER, 1, 1)
    hands = Hands(qtbot, office, idle).open()
    # Day 8 is seven days after day 1, three days either way (§ 3.3).
    assert "Cycle 1 day 8 is due on 29-Nov-2026, from 26-Nov to 02-Dec." in hands.see("next_due", Banner).text()
    assert [(row.place, row.status, row.due_on, row.window) for row in hands.rows("calendar_doses")[:3]] == [
        ("Cycle 1 day 1", "given", None, ""),
        ("Cycle 1 day 8", "ahead", date(2026, 11, 29), "26-Nov to 02-Dec"),
        ("Cycle 1 day 15", "ahead", date(2026, 12, 6), "03-Dec to 09-Dec"),
    ]


def test_a_late_dose_is_a_warning_and_is_marked_with_its_days(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    dose(day, NUMBER, 1, 1)
    next_day(day, 11)  # 03-Dec: day 12, a day after the window of day 8 closed
    hands = Hands(qtbot, office, idle).open()
    banner = hands.see("next_due", Banner)
    assert banner.kind == "warn"
    assert "was due on 29-Nov-2026, 4 days ago" in banner.text()
    row = hands.rows("calendar_doses")[1]
    assert (row.status, row.delay) == ("late", "4 days late")


def calendar_by_hand() -> Any:
    """Day 1 on Monday 05-Jan-2026, day 8 two days late for toxicity, day 15 omitted; cycle 2 planned for 02-Feb."""
    given = (
        GivenDose(1, 1, 1, 0, date(2026, 1, 5), Decimal("1.46")),
        GivenDose(1, 1, 8, 0, date(2026, 1, 14), Decimal("0.91")),
    )
    told = Treatment(
        plans=(CyclePlan(1, 2, date(2026, 2, 2)),),
        omissions=(Omission(1, 1, 15, Cause.OTHER, "Dr. Ines Vogel", date(2026, 1, 19), "A holiday."),),
        marrows=(Marrow(date(2026, 1, 2), Decimal(60)), Marrow(date(2026, 1, 25), Decimal(3))),
    )
    return calendar_of(shipped_protocol(), date(2026, 1, 26), given, told)


def test_each_cycle_is_a_row_with_its_marks_where_the_days_are() -> None:
    first, second = timeline_rows(calendar_by_hand())
    assert (first.title, first.note) == ("Cycle 1", "05-Jan-2026")
    # 14-Jan is the tenth day, two after the eighth; days are counted from 0.
    assert [(mark.at, mark.shape, mark.label) for mark in first.marks] == [
        (0, Shape.GIVEN, "05-Jan"),
        (9, Shape.GIVEN, "14-Jan +2"),
        (14, Shape.OMITTED, "19-Jan"),
    ]
    # Day 8 and 15, three days either way; marrows of Day 14 and 21, three days either way (§ 3.3, 5.0).
    assert [(band.first, band.last, band.thin) for band in first.bands] == [
        (4, 10, False),
        (11, 17, False),
        (10, 16, True),
        (17, 23, True),
    ]
    assert [(flag.at, flag.label) for flag in first.flags] == [(-3, "Marrow 60 %"), (20, "Marrow 3 %")]
    assert first.today == 21
    assert (second.title, second.note) == ("Cycle 2", "02-Feb-2026\nlevel 0")
    # Without persistent disease cycle 2 begins on Day 28 of cycle 1, seven days either way: 25-Jan to 08-Feb (§ 3.3).
    assert [(band.first, band.last) for band in second.bands] == [(-8, 6)]
    assert second.marks[0].shape is Shape.DUE
    assert second.today is None


def test_the_words_of_a_dose_say_all_of_it() -> None:
    late = calendar_by_hand().doses[1]
    assert dose_words(late) == (
        "Cycle 1 day 8: given on 14-Jan-2026, 0.91 mg (0.5 mg/m²). Expected on 12-Jan-2026, window 09-Jan-2026 to"
        " 15-Jan-2026. 2 days late."
    )


def test_the_arrow_keys_go_from_mark_to_mark_and_the_words_are_read(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    dose(day, NUMBER, 1, 1)
    hands = Hands(qtbot, office, idle).open()
    canvas = hands.see("timeline")
    canvas.setFocus(Qt.FocusReason.TabFocusReason)
    said = hands.see("timeline_words", Text)
    assert said.text().startswith("Cycle 1 day 1: given on 22-Nov-2026, 1.46 mg (0.8 mg/m²).")
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    assert said.text().startswith("Cycle 1 day 8: ahead (0.5 mg/m²). Expected on 29-Nov-2026")
    assert canvas.accessibleDescription() == said.text()
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    assert said.text().startswith("Cycle 1 day 1")
    QTest.keyClick(canvas, Qt.Key.Key_Down)
    assert said.text().startswith("Cycle 2 day 1")
    QTest.keyClick(canvas, Qt.Key.Key_End)
    assert said.text().startswith("Cycle 2 day 8")


def test_a_line_of_the_table_is_said_in_full(hands: Hands) -> None:
    hands.open()
    table = hands.see("calendar_doses", DataTable)
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Up)
    said = hands.see("calendar_dose_words", Text).text()
    assert said.startswith("Cycle 1 day 1: ahead (0.8 mg/m²). No day is planned.")


def test_the_calendar_is_printed_once_a_click(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(hands.office, "show_paper", lambda title, *_: shown.append(title))
    hands.open()
    before = head_of(hands.office)
    button = hands.see("print_calendar", Button)
    button.click()
    button.click()
    hands.settle()
    assert head_of(hands.office) == before + 1
    assert shown == ["Treatment calendar of subject 000-001"]
    assert button.isEnabled()


# -- stating


STATEMENTS: tuple[tuple[str, dict[str, str], dict[str, Any]], ...] = (
    (
        "cycle_planned",
        {"day1_on": "2026-11-24"},
        {"course": 1, "cycle": 1, "day1_on": "2026-11-24"},
    ),
    (
        "delay_recorded",
        {"day": "8", "cause": "Toxicity", "decided_by": "Dr. Vogel", "why": "Fever."},
        {"course": 1, "cycle": 1, "day": 8, "cause": "toxicity", "why": "Fever."},
    ),
    (
        "dose_omitted",
        {"day": "15", "cause": "Another", "decided_by": "Dr. Vogel", "why": "A holiday."},
        {"day": 15, "cause": "other", "decided_on": "2026-11-22"},
    ),
    (
        "level_changed",
        {"cycle": "3", "level": "Level -1", "reason": "Toxicity", "decided_by": "Dr. Vogel", "why": "Platelets."},
        {"cycle": 3, "before": 0, "level": -1, "reason": "toxicity"},
    ),
    ("response_recorded", {"response": "CRi"}, {"cycle": 1, "response": "CRi", "assessed_on": "2026-11-22"}),
    ("marrow_recorded", {"taken_on": "2026-11-20", "blasts_percent": "4.5"}, {"blasts_percent": "4.5"}),
    (
        "toxicity_recorded",
        {"term": "Fatigue", "grade": "Grade 2", "onset_on": "2026-11-20", "related": "Yes"},
        {"term": "Fatigue", "grade": 2, "at_least_possibly_related": True, "liver": None, "numeric_laboratory": False},
    ),
    (
        "treatment_ended",
        {"reason": "Subject's request", "decided_by": "Dr. Vogel", "why": "As asked for."},
        {"course": 1, "removed_on": "2026-11-22", "reason": "subject's request (10.3)"},
    ),
    (
        "retreatment_ordered",
        {"schedule": "First", "ordered_by": "Dr. Vogel", "ordered_on": "2026-11-20", "document": "F0000012"},
        {"course": 2, "schedule": "first-cycle doses", "document": "F0000012"},
    ),
    ("transplant_stated", {"planned": "Yes"}, {"planned": True, "stated_on": "2026-11-22"}),
)


@pytest.mark.parametrize(("kind", "typed", "entry"), STATEMENTS, ids=[each[0] for each in STATEMENTS])
def test_every_statement_is_recorded_as_it_was_typed(
    hands: Hands, said: Said, kind: str, typed: dict[str, str], entry: dict[str, Any]
) -> None:
    hands.open()
    hands.state(kind, **typed)
    hands.press("record_statement")
    assert said.texts(), hands.words()
    newest = stated(hands.office)[0]
    assert newest.kind == kind
    assert {name: newest.entry[name] for name in entry} == entry
    assert "is recorded for subject 000-001" in said.texts()[-1]
    assert not hands.page.is_dirty()
    assert not hands.page.treatment.card.isVisible()  # type: ignore[union-attr]  # it is there once a subject is
    assert hands.page.focusWidget() is hands.see("begin_statement")


def test_every_kind_of_statement_is_tried_above() -> None:
    assert [kind.act for kind in KINDS] == [kind for kind, _, _ in STATEMENTS]


def test_the_form_begins_with_the_dose_that_comes_next(qtbot: QtBot, day: DemoDay, office: Office, idle: Idle) -> None:
    dose(day, NUMBER, 1, 1)
    hands = Hands(qtbot, office, idle).open()
    hands.state("delay_recorded")
    assert [hands.typed(f"delay_{name}") for name in ("course", "cycle", "day")] == ["1", "1", "8"]
    hands.state("cycle_planned")
    # Without a marrow the later window holds: Day 28 of cycle 1 is 27 days after 22-Nov (§ 3.3).
    assert (hands.typed("plan_cycle"), hands.typed("plan_day1_on")) == ("2", "2026-12-19")
    hands.state("response_recorded")
    assert (hands.typed("response_cycle"), hands.typed("response_assessed_on")) == ("1", "2026-11-22")
    assert not hands.page.is_dirty(), "what the page put in itself is no draft"


def test_every_fault_stands_beside_its_field_and_nothing_is_lost(hands: Hands) -> None:
    hands.open()
    before = head_of(hands.office)
    hands.state("level_changed", cycle="1", level="Level -1", why="Platelets.")
    hands.press("record_statement")
    assert head_of(hands.office) == before
    # Cycle 1 has no levels (§ 8.1.6).
    assert "Cycle 1 has no dose levels" in hands.fault("level_cycle")
    assert hands.fault("level_reason") == "Reason: choose one."
    assert "missing" in hands.fault("level_decided_by")
    assert hands.fault("level_why") == ""
    assert hands.typed("level_why") == "Platelets."
    assert hands.page.focusWidget() is hands.see("level_cycle")
    assert hands.see("record_statement").isEnabled()


def test_a_statement_is_recorded_once_even_by_two_clicks(hands: Hands) -> None:
    hands.open()
    before = head_of(hands.office)
    hands.state("marrow_recorded", taken_on="2026-11-20", blasts_percent="4.5")
    button = hands.see("record_statement", Button)
    button.click()
    button.click()
    hands.settle()
    assert head_of(hands.office) == before + 1


@pytest.mark.parametrize(
    ("grade", "related", "liver", "kind"),
    [
        ("Grade 3", "Yes", "None", ""),
        ("Grade 4", "No", "None", ""),
        ("Grade 4", "Yes", "None", "warn"),
        ("Grade 5", "Yes", "None", "warn"),
        # Suspicion of VOD is enough, whatever the grade (§ 8.1.5).
        ("Grade 1", "No", "Possible VOD", "stop"),
    ],
)
def test_what_follows_of_a_toxicity_is_said_before_it_is_recorded(
    hands: Hands, grade: str, related: str, liver: str, kind: str
) -> None:
    hands.open()
    hands.state("toxicity_recorded", grade=grade, related=related, liver=liver)
    banner = find(hands.page, Banner, "consequence")
    assert banner.isVisible() is bool(kind)
    if kind:
        assert banner.kind == kind
        assert ("Treatment ends for good" in banner.text()) is (kind == "stop")


def test_the_end_of_treatment_says_that_it_is_for_good(hands: Hands) -> None:
    hands.open()
    hands.state("treatment_ended")
    banner = hands.see("consequence", Banner)
    assert (banner.kind, banner.text()) == (
        "stop",
        "Treatment ends for good: no further dose of this course is given (Protocol § 10).",
    )
    hands.put("end_reason", "Grade 4")
    assert "no later course begins" in banner.text()
    hands.state("marrow_recorded")
    assert not banner.isVisible()


def test_after_the_end_of_treatment_no_dose_is_due(hands: Hands) -> None:
    hands.open()
    hands.state("treatment_ended", reason="Subject's request", decided_by="Dr. Vogel", why="As asked for.")
    hands.press("record_statement")
    assert hands.see("next_due", Banner).text() == (
        "Off treatment since 22-Nov-2026: subject's request (10.3). No dose is due."
    )


def test_a_draft_outlives_news_and_goes_with_its_subject(hands: Hands, day: DemoDay) -> None:
    hands.open()
    hands.state("toxicity_recorded", term="Fatigue")
    hands.state("marrow_recorded", blasts_percent="4.5")
    assert hands.page.is_dirty()
    weigh(day, NUMBER, "70.5")
    hands.page.refresh()
    hands.settle()
    assert hands.typed("marrow_blasts_percent") == "4.5"
    hands.tab("weights")
    hands.tab("treatment")
    hands.state("toxicity_recorded")
    assert hands.typed("toxicity_term") == "Fatigue"
    hands.press("all_subjects")
    hands.open()
    assert hands.typed("toxicity_term") == "Fatigue", "leaving for the list loses nothing"
    hands.press("cancel_statement")
    assert not hands.page.is_dirty()


def test_another_subject_begins_with_an_empty_form(hands: Hands) -> None:
    hands.press("begin_enroll")
    hands.put("subject_number", "000-002")
    hands.put("birth", "1988")
    hands.press("enroll")
    hands.page.refresh()
    hands.press("all_subjects")
    hands.open(NUMBER)
    hands.state("marrow_recorded", blasts_percent="4.5")
    hands.press("all_subjects")
    hands.open("000-002")
    hands.state("marrow_recorded")
    assert hands.typed("marrow_blasts_percent") == ""


# -- the history


def test_a_slip_is_withdrawn_with_a_reason_and_stays_struck_through(hands: Hands, day: DemoDay) -> None:
    treatment.record_marrow(day.desk, day.act("pharmacist"), MarrowForm(NUMBER, "2026-11-20", "33"))
    meet_criteria(day, NUMBER, 1, 1)
    hands.open()
    hands.tab("history")
    assert [(row.kind, row.what) for row in hands.rows("history_table")][:2] == [
        ("Criteria", "Criteria of cycle 1 day 1, read by Dr. Mira Castellan."),
        ("Marrow", "33 % blasts."),
    ]
    table = hands.see("history_table", DataTable)
    table.selectRow(1)
    assert not table.model().index(1, 2).data(Qt.ItemDataRole.FontRole)
    hands.page.history.ask()
    dialog = find(hands.page, ActDialog, "withdraw_dialog")
    dialog.verb.click()
    hands.settle()
    assert "required" in dialog.form.field("withdraw_why").fault()
    dialog.form.field("withdraw_why").set_value("Typed 33 instead of 3.")
    dialog.verb.click()
    hands.settle()
    assert [(row.kind, row.statement.withdrawn) for row in hands.rows("history_table")][:2] == [
        ("Criteria", False),
        ("Marrow – withdrawn", True),
    ]
    assert table.model().index(1, 2).data(Qt.ItemDataRole.FontRole).strikeOut()
    assert not table.model().index(0, 2).data(Qt.ItemDataRole.FontRole)
    words = hands.words()
    assert "Typed 33 instead of 3." in words
    assert "Withdrawn by" in words
    assert not find(hands.page, Button, "withdraw").isVisible(), "nothing is withdrawn twice"


def test_nothing_stated_is_said_and_says_what_begins(hands: Hands) -> None:
    hands.press("begin_enroll")
    hands.put("subject_number", "000-002")
    hands.put("birth", "1988")
    hands.press("enroll")
    hands.tab("history")
    assert hands.rows("history_table") == []
    assert "Record a statement" in hands.see("history_table").accessibleDescription()


# -- documents


PDF = b"%PDF-1.4 made for a test %%EOF"


def attach(hands: Hands, path: Path, **typed: str) -> None:
    """Open the form and describe a file."""
    if not hands.page.documents.card.isVisible():
        hands.press("begin_attach")
    given = {"file": str(path), "title": "The decision", "kind": "Written decision", "signed_by": "Dr. Vogel"}
    for name, text in {**given, "dated_on": "2026-11-20", **typed}.items():
        hands.put(f"attach_{name}", text)


def test_a_document_is_attached_opened_and_saved_as_it_is(
    hands: Hands, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "decision.pdf"
    path.write_bytes(PDF)
    hands.open()
    hands.tab("documents")
    attach(hands, path)
    hands.press("attach")
    (row,) = hands.rows("documents_table")
    assert (row.title, row.kind, row.about, row.signed_by) == ("The decision", "written decision", NUMBER, "Dr. Vogel")
    assert said.texts() == [f"“The decision” is attached as document {row.document_id}."]
    table = hands.see("documents_table", DataTable)
    table.selectRow(0)
    QTest.keyClick(table, Qt.Key.Key_Return)
    hands.settle()
    (dialog,) = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, DocumentDialog)]
    # It is no PDF that can be drawn; that is said, and it can be saved whole.
    assert "cannot be shown here" in find(dialog, QPlainTextEdit, "document_text").toPlainText()
    dialog.accept()
    copy = tmp_path / "copy.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(copy), ""))
    hands.press("save_document")
    assert copy.read_bytes() == PDF
    assert f"Saved at {copy}" in hands.words()


def test_a_file_chosen_from_the_pc_is_put_in(hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hands.open()
    hands.tab("documents")
    hands.press("begin_attach")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "letter.pdf"), ""))
    hands.press("attach_choose")
    assert hands.typed("attach_file") == str(tmp_path / "letter.pdf")
    # Cancelling the choice leaves what stands there.
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    hands.press("attach_choose")
    assert hands.typed("attach_file") == str(tmp_path / "letter.pdf")


def test_a_document_without_its_file_or_signature_is_refused_beside_the_fields(hands: Hands, tmp_path: Path) -> None:
    hands.open()
    hands.tab("documents")
    before = head_of(hands.office)
    hands.press("begin_attach")
    hands.press("attach")
    assert hands.fault("attach_file") == "Choose the file to attach, or type where it is."
    assert hands.fault("attach_title")
    assert hands.page.focusWidget() is hands.see("attach_file")
    attach(hands, tmp_path / "gone.pdf", signed_by="")
    hands.press("attach")
    assert "cannot be read" in hands.fault("attach_file")
    path = tmp_path / "empty.pdf"
    path.write_bytes(b"")
    attach(hands, path, signed_by="")
    hands.press("attach")
    assert "empty" in hands.fault("attach_file")
    assert "counts by its signature" in hands.fault("attach_signed_by")
    assert hands.typed("attach_title") == "The decision"
    assert head_of(hands.office) == before


def test_a_file_is_read_no_further_than_needed_to_see_that_it_is_too_large(
    hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.pages.documents_parts.MAX_DOCUMENT_BYTES", 100)
    monkeypatch.setattr("pharmacy_app.services.file_content.MAX_DOCUMENT_BYTES", 100)
    path = tmp_path / "large.pdf"
    path.write_bytes(PDF + b" " * 100)
    hands.open()
    hands.tab("documents")
    attach(hands, path)
    hands.press("attach")
    assert "larger than" in hands.fault("attach_file")


def test_the_document_of_a_dose_is_listed_with_its_subject(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    dose_id = dose(day, NUMBER, 1, 1, until="order")
    form = DocumentForm("On the dose", "letter", dose_id, "", "2026-11-22", "letter.pdf")
    documents.attach_document(day.desk, day.act("pharmacist"), form, PDF)
    study = replace(form, title="On the study", about="")
    documents.attach_document(day.desk, day.act("pharmacist"), study, PDF)
    hands = Hands(qtbot, office, idle).open()
    hands.tab("documents")
    assert [(row.title, row.about) for row in hands.rows("documents_table")] == [("On the dose", dose_id)]


def test_the_list_of_statements_leads_to_the_documents(hands: Hands) -> None:
    hands.open()
    hands.press("begin_statement")
    hands.put("statement_kind", "Attach a document")
    assert hands.see("record_statement", Button).accessibleName() == "Go to the documents"
    hands.press("record_statement")
    assert hands.page.focusWidget() is hands.see("attach_file")


# -- doses


def test_a_dose_of_the_subject_opens_in_prepare(qtbot: QtBot, day: DemoDay, office: Office, idle: Idle) -> None:
    dose_id = dose(day, NUMBER, 1, 1, until="order")
    way = Way(office)
    hands = Hands(qtbot, office, idle).open()
    hands.tab("doses")
    hands.page.doses_table.row_activated.emit(hands.page.doses_table.model().index(0, 0).data(ROW_ROLE))
    assert way.went == [("prepare", dose_id)]


# -- who may do what


def test_the_monitor_reads_all_and_records_nothing(qtbot: QtBot, day: DemoDay, office_as: OfficeAs, idle: Idle) -> None:
    treatment.record_marrow(day.desk, day.act("pharmacist"), MarrowForm(NUMBER, "2026-11-20", "33"))
    hands = Hands(qtbot, office_as("monitor"), idle)
    assert not hands.see("begin_enroll").isEnabled()
    hands.open()
    assert not hands.see("subject_new_order").isEnabled()
    assert not hands.see("begin_statement").isEnabled()
    assert "takes a pharmacist" in hands.see("statement_why_not", Text).text()
    assert hands.see("print_calendar").isEnabled()
    hands.tab("weights")
    assert not hands.see("record_measurement").isEnabled()
    assert "70 kg" in hands.words()
    hands.tab("history")
    hands.see("history_table", DataTable).selectRow(0)
    hands.settle()
    assert "33 % blasts." in hands.words()
    assert not hands.see("withdraw").isEnabled()
    hands.tab("documents")
    assert not hands.see("begin_attach").isEnabled()


def test_the_technician_is_offered_what_a_technician_may_state(qtbot: QtBot, office_as: OfficeAs, idle: Idle) -> None:
    hands = Hands(qtbot, office_as("technician"), idle).open()
    hands.press("begin_statement")
    box = hands.see("statement_kind", QComboBox)
    assert [box.itemText(at) for at in range(box.count())] == ["A marrow was taken", "Attach a document"]


# -- the keyboard and who cannot see


def _mnemonics(root: QWidget) -> list[str]:
    """The letters that Alt leads somewhere with, of what is shown."""
    shown = [part for part in root.findChildren(QWidget) if part.isVisible()]
    texts = [part.text() for part in shown if isinstance(part, QAbstractButton)]
    texts += [part.text() for part in shown if isinstance(part, QLabel) and part.buddy() is not None]
    letters = []
    for text in texts:
        at = text.replace("&&", "  ").find("&")
        if at >= 0:
            letters.append(text[at + 1].lower())
    return letters


def test_an_alt_letter_leads_to_one_place_in_every_view(hands: Hands) -> None:
    hands.open()
    for tab in ("treatment", "weights", "doses", "history", "documents"):
        hands.tab(tab)
        letters = _mnemonics(hands.page)
        assert sorted(letters) == sorted(set(letters)), tab
    hands.press("begin_attach")
    letters = _mnemonics(hands.page)
    assert sorted(letters) == sorted(set(letters)), "attach"
    hands.tab("treatment")
    for kind in KINDS:
        hands.state(kind.act)
        letters = _mnemonics(hands.page)
        assert sorted(letters) == sorted(set(letters)), kind.act


def test_everything_that_takes_the_focus_has_a_name(hands: Hands) -> None:
    hands.open()
    for tab in ("treatment", "weights", "doses", "history", "documents"):
        hands.tab(tab)
        for part in hands.page.findChildren(QWidget):
            inner = isinstance(part.parent(), QAbstractItemView | QComboBox) or part.objectName().startswith("qt_")
            if part.isVisible() and part.focusPolicy() != Qt.FocusPolicy.NoFocus and not inner:
                assert part.objectName(), part
                assert part.accessibleName(), part.objectName()
