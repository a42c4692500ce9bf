"""Fields as a pharmacist meets them: typing, reading back, faults beside the field, scanning."""

from datetime import UTC, date, datetime, time

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.domain.errors import Fault
from tests.ui.find import find, focused
from ui.widgets.basics import Button
from ui.widgets.dates import DATE_TIME_FAULT, TIME_FAULT, parse_date, parse_time, say_date
from ui.widgets.fields import (
    AmountField,
    CheckField,
    ChoiceField,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    Form,
    NoteField,
    PasswordField,
    ScanField,
    TextField,
    TimeField,
)

PAUSE_MS = 700
"""How long a hand rests before what it typed is judged."""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-22", date(2026, 11, 22)),
        (" 2026-1-5 ", date(2026, 1, 5)),
        ("22-Nov-2026", date(2026, 11, 22)),
        ("5 mar 1961", date(1961, 3, 5)),
        ("5March1961", date(1961, 3, 5)),
        ("29-Feb-2028", date(2028, 2, 29)),
        ("29-Feb-2026", None),
        ("31-Apr-2026", None),
        ("11/12/2026", None),
        ("22-11-2026", None),
        ("22-Foo-2026", None),
        ("2026-13-01", None),
        ("٢٠٢٦-11-22", None),
        ("", None),
    ],
)
def test_dates_that_can_be_read_in_one_way_only(typed: str, meant: date | None) -> None:
    assert parse_date(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("09:05", time(9, 5)),
        ("9:05", time(9, 5)),
        ("0905", time(9, 5)),
        ("23:59", time(23, 59)),
        ("24:00", None),
        ("12:60", None),
        ("905", None),
        ("9", None),
    ],
)
def test_times_on_the_24_hour_clock(typed: str, meant: time | None) -> None:
    assert parse_time(typed) == meant


def test_a_date_is_said_with_its_weekday() -> None:
    # 22 November 2026 is a Sunday by any calendar.
    assert say_date(date(2026, 11, 22)) == "Sun 22 Nov 2026"


FIELDS = [
    lambda: TextField("number", "Subject &number"),
    lambda: DecimalField("dose", "&Prescribed dose", unit="mg"),
    lambda: AmountField("weight", "&Weight", units=("kg", "lb")),
    lambda: DateField("born", "Date of &birth"),
    lambda: TimeField("start", "&Start"),
    lambda: DateTimeField("measured", "&Measured at", now=lambda: datetime.now(UTC)),
    lambda: ChoiceField("level", "Dose &level", [("0", "Level 0")]),
    lambda: PasswordField("password"),
    lambda: ScanField("scan"),
    lambda: CheckField("consent", "The &consent is on file"),
    lambda: NoteField("note", "N&ote"),
]


@pytest.mark.parametrize("make", FIELDS)
def test_the_accessible_name_is_the_visible_label(qtbot: QtBot, make: object) -> None:
    field = make()  # type: ignore[operator]
    qtbot.addWidget(field)
    editor = field.editor()
    assert editor.objectName() == field.name
    assert editor.accessibleName() == field.label_text()
    assert "&" not in field.label_text()
    visible = {label.text().replace("&", "") for label in field.findChildren(QLabel)}
    assert field.label_text() in visible
    buddies = [label.buddy() for label in field.findChildren(QLabel) if label.buddy() is not None]
    assert buddies == ([] if isinstance(field, CheckField) else [editor])


@pytest.mark.parametrize("make", FIELDS)
def test_everything_that_takes_the_focus_has_both_names(qtbot: QtBot, make: object) -> None:
    field = make()  # type: ignore[operator]
    qtbot.addWidget(field)
    for widget in field.findChildren(QWidget):
        inside = widget.objectName().startswith("qt_") or isinstance(widget, Field)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not inside and widget.focusProxy() is None:
            assert widget.objectName(), widget
            assert widget.accessibleName(), widget


def _positive(text: str) -> str:
    return "" if text.replace(".", "").isdigit() else "Type the dose in figures, for example 1.10."


def test_a_fault_waits_until_the_field_is_left_and_goes_as_soon_as_it_is_mended(qtbot: QtBot) -> None:
    field = DecimalField("dose", "Prescribed dose", check=_positive)
    qtbot.addWidget(field)
    QTest.keyClicks(field.editor(), "1,1")
    assert field.fault() == ""
    QTest.keyClick(field.editor(), Qt.Key.Key_Return)
    assert field.fault() == "Type the dose in figures, for example 1.10."
    assert "1.10" in field.editor().accessibleDescription()
    assert field.text() == "1,1"
    field.editor().setText("1.1")
    assert field.fault() == ""


def test_a_pause_shows_the_fault_too(qtbot: QtBot) -> None:
    field = DecimalField("dose", "Prescribed dose", check=_positive)
    qtbot.addWidget(field)
    QTest.keyClicks(field.editor(), "x")
    qtbot.waitUntil(lambda: field.fault() != "", timeout=3000)


def test_pounds_are_converted_visibly_and_kept(qtbot: QtBot) -> None:
    field = AmountField(
        "weight", "Weight", units=("kg", "lb"), convert=lambda v, u: f"{v} lb = 70.4 kg" if u == "lb" else ""
    )
    qtbot.addWidget(field)
    reading = find(field, QLabel, "weight_reading")
    assert isinstance(reading, QLabel)
    field.set_value("155.2")
    assert reading.isHidden()
    field.set_unit("lb")
    assert reading.text() == "155.2 lb = 70.4 kg"
    assert field.values() == {"weight": "155.2", "weight_unit": "lb"}
    with pytest.raises(ValueError, match="stone"):
        field.set_unit("stone")


def test_a_typed_date_is_read_back_in_full(qtbot: QtBot) -> None:
    field = DateField("born", "Date of birth")
    qtbot.addWidget(field)
    QTest.keyClicks(field.editor(), "22-nov-2026")
    reading = find(field, QLabel, "born_reading")
    assert isinstance(reading, QLabel)
    assert reading.text() == "Sun 22 Nov 2026"
    assert field.value() == "2026-11-22"
    assert field.text() == "22-nov-2026"
    field.set_value("11/12/2026")
    assert "2026-11-22 or 22-Nov-2026" in field.fault()
    assert field.value() == "11/12/2026"


def test_the_calendar_opens_by_f4_and_fills_the_field(qtbot: QtBot) -> None:
    field = DateField("born", "Date of birth")
    qtbot.addWidget(field)
    field.show()
    field.editor().setFocus()
    field.set_date(date(2026, 2, 28))
    field.open_calendar()
    picker = field._picker
    assert picker is not None
    assert picker.isVisible()
    assert picker.calendar.selectedDate() == QDate(2026, 2, 28)
    picker.calendar.clicked.emit(QDate(2026, 3, 1))
    assert field.value() == "2026-03-01"
    assert not picker.isVisible()


def test_a_moment_needs_both_its_parts(qtbot: QtBot) -> None:
    field = DateTimeField("start", "Start", now=lambda: datetime(2026, 11, 22, 19, 4, 59, tzinfo=UTC))
    qtbot.addWidget(field)
    field.set_value("2026-11-22")
    assert field.fault() == ""
    assert field.check_now() == "Start needs a time as well, for example 09:05."
    field.set_value("2026-11-22T25:00")
    assert "24-hour clock" in field.fault()
    field._take_now()
    assert field.value() == "2026-11-22T19:04"
    assert field.fault() == ""


def test_nothing_is_chosen_until_the_person_chooses(qtbot: QtBot) -> None:
    field = ChoiceField("level", "Dose level", [("0", "Level 0"), ("-1", "Level −1")], required=True)
    qtbot.addWidget(field)
    assert field.value() == ""
    assert field.check_now() == "Dose level is required."
    field.set_value("-1")
    assert (field.value(), field.text(), field.fault()) == ("-1", "Level −1", "")
    field.set_choices([("-1", "Level −1"), ("-2", "Level −2")])
    assert field.value() == "-1"
    field.set_choices([("0", "Level 0")])
    assert field.value() == ""


def test_enter_ends_a_scan_and_the_field_clears(qtbot: QtBot) -> None:
    field = ScanField("scan")
    qtbot.addWidget(field)
    seen: list[str] = []
    field.scanned.connect(seen.append)
    QTest.keyClicks(field.editor(), "V-12")
    QTest.keyClick(field.editor(), Qt.Key.Key_Return)
    QTest.keyClick(field.editor(), Qt.Key.Key_Return)
    assert seen == ["V-12"]
    assert field.text() == ""


def test_fast_typing_without_enter_is_a_scan_but_a_slow_hand_is_not(qtbot: QtBot) -> None:
    field = ScanField("scan")
    qtbot.addWidget(field)
    seen: list[str] = []
    field.scanned.connect(seen.append)
    QTest.keyClicks(field.editor(), "V-00012-K")
    qtbot.waitUntil(lambda: seen == ["V-00012-K"], timeout=2000)
    QTest.keyClicks(field.editor(), "V-00013-M", delay=50)
    qtbot.wait(400)
    assert seen == ["V-00012-K"]
    assert field.text() == "V-00013-M"


def test_the_group_separator_of_gs1_is_kept(qtbot: QtBot) -> None:
    field = ScanField("scan")
    qtbot.addWidget(field)
    seen: list[str] = []
    field.scanned.connect(seen.append)
    QTest.keyClicks(field.editor(), "10AB")
    QTest.keyClick(field.editor(), Qt.Key.Key_BracketRight, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field.editor(), "21X")
    QTest.keyClick(field.editor(), Qt.Key.Key_Return)
    assert seen == ["10AB\x1d21X"]


def test_tab_leaves_a_note(qtbot: QtBot) -> None:
    field = NoteField("note", "Note")
    qtbot.addWidget(field)
    QTest.keyClick(field.editor(), Qt.Key.Key_Tab)
    assert field.text() == ""


def test_a_note_of_one_line_stays_one(qtbot: QtBot) -> None:
    """Enter makes a blank, so that kits scanned one after the other stay apart; so does a break pasted in."""
    field = NoteField("note", "Note", lines=1)
    qtbot.addWidget(field)
    QTest.keyClicks(field.editor(), "KIT-1")
    QTest.keyClick(field.editor(), Qt.Key.Key_Return)
    QTest.keyClicks(field.editor(), "KIT-2")
    assert field.text() == field.editor().toPlainText() == "KIT-1 KIT-2"
    field.set_value("box wet\nlid dented")
    assert field.text() == "box wet lid dented"
    field.set_read_only(True)
    QTest.keyClick(field.editor(), Qt.Key.Key_Enter)
    assert field.text() == "box wet lid dented"


def test_a_note_of_several_lines_keeps_them(qtbot: QtBot) -> None:
    field = NoteField("note", "Note", lines=2)
    qtbot.addWidget(field)
    QTest.keyClicks(field.editor(), "a")
    QTest.keyClick(field.editor(), Qt.Key.Key_Return)
    QTest.keyClicks(field.editor(), "b")
    assert field.text() == "a\nb"


def _form(qtbot: QtBot) -> Form:
    form = Form()
    qtbot.addWidget(form)
    form.add(TextField("number", "Subject number", required=True))
    form.add(AmountField("weight", "Weight", units=("kg", "lb"), required=True))
    form.add(TimeField("start", "Start"))
    return form


def test_all_faults_at_once_beside_their_fields_and_the_rest_on_top(qtbot: QtBot) -> None:
    form = _form(qtbot)
    form.show()
    form.field("number").set_value("1014-003")
    form.field("start").set_value("25:00")
    form.show_faults(
        [
            Fault("weight", "The weight is above 300 kg."),
            Fault("weight_unit", "Choose kg or lb."),
            Fault("formula", "No BSA formula is signed.", section="8.1.2"),
        ]
    )
    assert form.field("weight").fault() == "The weight is above 300 kg.\nChoose kg or lb."
    assert form.field("number").fault() == ""
    assert "24-hour" in form.field("start").fault()
    summary = find(form, QLabel, "form_fault_summary")
    assert isinstance(summary, QLabel)
    assert summary.isVisible()
    assert summary.text() == "No BSA formula is signed. [Protocol § 8.1.2]"
    assert form.focusWidget() is form.field("weight").editor()
    assert form.values()["number"] == "1014-003"
    form.show_faults([])
    assert not summary.isVisible()
    assert form.field("weight").fault() == ""


def test_required_fields_are_all_named_when_checked(qtbot: QtBot) -> None:
    form = _form(qtbot)
    assert not form.check()
    assert form.field("number").fault() == "Subject number is required."
    assert form.field("weight").fault() == "Weight is required."
    assert form.field("start").fault() == ""
    form.set_values({"number": "1", "weight": "70", "weight_unit": "lb"})
    assert form.check()
    assert form.values() == {"number": "1", "weight": "70", "weight_unit": "lb", "start": ""}


def test_a_draft_is_dirty_until_it_is_saved(qtbot: QtBot) -> None:
    form = _form(qtbot)
    assert not form.is_dirty()
    form.field("start").set_value("09:00")
    assert form.is_dirty()
    form.mark_clean()
    assert not form.is_dirty()
    form.clear()
    assert not form.is_dirty()
    assert form.values()["start"] == ""


def test_two_fields_of_one_name_are_a_mistake(qtbot: QtBot) -> None:
    form = _form(qtbot)
    with pytest.raises(ValueError, match="number"):
        form.add(TextField("number", "Other"))


def test_what_a_service_said_of_a_field_stands_until_it_is_typed_anew(qtbot: QtBot) -> None:
    """Leaving the field, or the pause after typing running out, must not take the service's sentence away."""
    form = Form(columns=1)
    number = form.add(TextField("number", "Shipment number"))
    other = form.add(TextField("sender", "Sender"))
    qtbot.addWidget(form)
    form.show()
    number.editor().setFocus()
    QTest.keyClicks(number.editor(), "SHP-1")
    form.check()
    form.show_faults([Fault("number", "Shipment SHP-1 was received already.")])
    other.editor().setFocus()
    qtbot.wait(700)
    assert number.fault() == "Shipment SHP-1 was received already."
    QTest.keyClicks(number.editor(), "2")
    assert number.fault() == ""


def test_what_a_service_says_right_after_typing_outlives_the_pause(qtbot: QtBot) -> None:
    field = TextField("prescribed_mg", "Prescribed dose")
    qtbot.addWidget(field)
    field.show()
    QTest.keyClicks(field.editor(), "1.46")
    # A shortcut records without leaving the field; the refusal comes before the pause after typing has passed.
    field.set_fault("This order stands already.")
    qtbot.wait(PAUSE_MS + 100)
    assert field.fault() == "This order stands already."
    QTest.keyClicks(field.editor(), "0")
    assert field.fault() == ""


# -- what the hand types


@pytest.mark.parametrize(
    "typed", ["2026-11-22 14:05", "2026-11-22T14:05", "22-Nov-2026 14:05", " 2026-11-22  1405 ", "22 nov 2026 14:05"]
)
def test_a_date_typed_with_its_time_is_read_as_the_refusal_asks_for_it(qtbot: QtBot, typed: str) -> None:
    # "Type them as 2026-11-22 14:05", says the service of an empty one.
    field = DateTimeField("discovered_at", "Discovered at", required=True)
    qtbot.addWidget(field)
    field.show()
    QTest.keyClicks(field.editor(), typed)
    assert field.value() == "2026-11-22T14:05"
    assert field.check_now() == ""
    QTest.keyClick(field.editor(), Qt.Key.Key_Return)
    assert parse_date(field.editor().text()) == date(2026, 11, 22), "each part stands in its own place"
    assert parse_time(find(field, QLineEdit, "discovered_at_time").text()) == time(14, 5)
    assert field.value() == "2026-11-22T14:05"


@pytest.mark.parametrize("typed", ["2026-11-22 14:05:30", "2026-11-22 25:00", "2026-11-31 14:05", "11/12/2026 14:05"])
def test_what_is_no_date_and_time_is_refused_with_an_example_of_both(qtbot: QtBot, typed: str) -> None:
    field = DateTimeField("discovered_at", "Discovered at")
    qtbot.addWidget(field)
    QTest.keyClicks(field.editor(), typed)
    assert field.check_now() in (DATE_TIME_FAULT, TIME_FAULT)
    assert field.editor().text() == typed, "what was typed stays"


def test_a_time_beside_the_date_is_not_overruled_by_one_behind_it(qtbot: QtBot) -> None:
    field = DateTimeField("discovered_at", "Discovered at")
    qtbot.addWidget(field)
    QTest.keyClicks(find(field, QLineEdit, "discovered_at_time"), "09:05")
    QTest.keyClicks(field.editor(), "2026-11-22 14:05")
    assert field.check_now() == DATE_TIME_FAULT


def test_a_letter_with_alt_chooses_nothing(qtbot: QtBot) -> None:
    field = ChoiceField("source", "Temperatures", [("file", "A file…"), ("hand", "Read off by hand")])
    qtbot.addWidget(field)
    field.set_value("file")
    QTest.keyClick(field.editor(), Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
    assert field.value() == "file"
    QTest.keyClick(field.editor(), Qt.Key.Key_R)
    assert field.value() == "hand", "without Alt a letter still chooses"


def test_words_tabbed_into_are_not_replaced_by_the_next_key_and_a_number_is(qtbot: QtBot) -> None:
    form = Form()
    qtbot.addWidget(form)
    for field in (DateField("day", "Day"), TextField("reason", "Reason"), DecimalField("dose", "Dose")):
        form.add(field)
    with qtbot.waitActive(form):
        form.show()
    form.field("reason").set_value("refrigerator at 11 °C")
    form.field("dose").set_value("1.1")
    form.field("day").editor().setFocus()
    for more in (" since noon", "2"):
        QTest.keyClick(focused(), Qt.Key.Key_Tab)
        QTest.keyClicks(focused(), more)
    assert form.field("reason").value() == "refrigerator at 11 °C since noon"
    assert form.field("dose").value() == "2"


def test_tab_goes_through_a_form_as_it_is_read_whenever_its_fields_were_made(qtbot: QtBot) -> None:
    late = TextField("late", "Why it is late")
    box = QWidget()
    qtbot.addWidget(box)
    column = QVBoxLayout(box)
    form = Form(columns=1)
    column.addWidget(form)
    form.add(TextField("reason", "Reason"))
    sign = Button("Sign", name="sign")
    column.addWidget(sign)
    form.add(DateTimeField("done_at", "Done at", now=lambda: datetime(2026, 11, 22, 9, 0, tzinfo=UTC)))
    form.add(late)
    with qtbot.waitActive(box):
        box.show()
    form.field("reason").editor().setFocus()
    seen = []
    for _ in range(6):
        seen.append(focused().objectName())
        QTest.keyClick(focused(), Qt.Key.Key_Tab)
    assert seen == ["reason", "done_at", "done_at_time", "done_at_now", "late", "sign"]
