"""Correcting an entry in the window, saying another time than now, and signing a period: by keyboard and name.

The seeded study holds shipment SHP-1: V000001 to V000012 of 1 mg (lot INO1-A117, printed 2027-03) and V000013 to
V000016 of 4 mg, and subject 000-001 with 171 cm and 70 kg. The clock stands at 09:10 on Sunday, 22 November 2026.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import PASSWORD, DemoDay, dose
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.office_fixtures import Said
from tests.ui.prepare_desk import *  # noqa: F403 - fixtures of this folder
from tests.ui.prepare_desk import Desk
from ui.office import Office
from ui.pages.correction import CannotCorrect, CorrectionDialog
from ui.pages.ledger import LedgerPage, LineDialog, Row
from ui.pages.monitor import MonitorPage
from ui.pages.prepare_step import CLOSE, GIVE, LABELS, MIX, RELEASE
from ui.pages.stock_journal import EventDialog
from ui.pages.stock_life import VialLifeDialog, life_of
from ui.pages.stock_parts import ActDialog, quarantine_dialog
from ui.pages.subjects_facts import facts_of
from ui.pages.subjects_weights import WeightsView
from ui.widgets.basics import Button, Text
from ui.widgets.fields import Field

D = TypeVar("D", bound=QDialog)
Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]


def shown(kind: type[D]) -> D:
    """The one dialog of exactly this kind that is open."""
    (found,) = [each for each in QApplication.topLevelWidgets() if type(each) is kind and each.isVisible()]
    return found


def press(widget: QWidget) -> None:
    """Press an enabled button with the keyboard."""
    assert widget.isEnabled(), widget.toolTip()
    QTest.keyClick(widget, Qt.Key.Key_Space)


def units_of(day: DemoDay, count: int) -> tuple[str, ...]:
    """The first usable 1 mg vials."""
    with day.desk.store.read() as reader:
        usable = [vial.unit_number for vial in reader.usable_vials(day.clock().date()) if vial.strength_mg == 1]
    return tuple(usable[:count])


def put_away(day: DemoDay, *units: str, done_at: str = "", late_why: str = "") -> int:
    """Quarantine vials; returns the entry's number."""
    form = QuarantineForm(units, "refrigerator at 9 °C", done_at, late_why)
    return quarantine(day.desk, day.act("technician"), form).seq


def take_back(day: DemoDay, seq: int) -> int:
    """Take a move back; returns the correction's number."""
    form = CorrectForm(seq, "it was the shelf above")
    return correct(day.desk, day.act("pharmacist"), form, day.sign("pharmacist"), day.sign("checker")).seq


def state_of(day: DemoDay, unit: str) -> str:
    """A vial's state."""
    with day.desk.store.read() as reader:
        vial = reader.vial(unit)
    assert vial is not None
    return vial.state


def sign_with(dialog: CorrectionDialog, day: DemoDay, why: str = "it was the shelf above", second: str = "") -> None:
    """Type reason and passwords, then Enter in the last field."""
    dialog.form.field("why").set_value(why)
    dialog.form.field("password").set_value(PASSWORD)
    last = dialog.form.field("password")
    if second:
        dialog.form.field("witness_user_name").set_value(day.sign(second).user_name)
        last = dialog.form.field("witness_password")
        last.set_value(PASSWORD)
    QTest.keyClick(last.editor(), Qt.Key.Key_Return)


@pytest.fixture
def ledger(qtbot: QtBot, office: Office, idle: Idle) -> LedgerPage:
    """The pharmacist's ledger."""
    page = LedgerPage(office)
    qtbot.addWidget(page)
    page.resize(1180, 780)
    page.show()
    page.refresh()
    idle(office)
    return page


def line_of(page: LedgerPage, seq: int) -> Row:
    """The row of an entry in the ledger's table."""
    rows = [page.model.row_object(at) for at in range(page.model.rowCount())]
    return next(row for row in rows if isinstance(row, Row) and row.event_seq == seq)


# -- a line of the ledger


def test_a_line_of_the_ledger_is_taken_back_by_two_people(
    ledger: LedgerPage, office: Office, day: DemoDay, idle: Idle, said: Said
) -> None:
    (unit,) = units_of(day, 1)
    seq = put_away(day, unit)
    ledger.refresh()
    idle(office)
    ledger.table.row_activated.emit(line_of(ledger, seq))
    line = shown(LineDialog)
    press(find(line, Button, "ledger_line_correct"))
    idle(office)
    dialog = shown(CorrectionDialog)
    assert find(dialog, Text, "correction_change_1_old").text() == "quarantined"
    assert find(dialog, Text, "correction_change_1_old").font().strikeOut()
    assert find(dialog, Text, "correction_change_1_new").text() == "available"
    press(find(dialog, Button, "correction_dialog_do"))
    assert dialog.form.field("why").fault() == "Reason for the correction is required."
    assert dialog.form.field("witness_password").fault()
    sign_with(dialog, day, second="checker")
    idle(office)
    assert state_of(day, unit) == "available"
    assert said.texts()[-1].startswith(f"Entry {seq} was corrected (event {seq + 1}).")
    ledger.refresh()
    idle(office)
    struck = line_of(ledger, seq)
    assert struck.struck
    assert struck.mark == "corrected"
    assert line_of(ledger, seq + 1).mark == f"corrects {seq}"
    assert ledger.model.data(ledger.model.index(1, 0), Qt.ItemDataRole.FontRole).strikeOut()
    assert ledger.model.data(ledger.model.index(0, 0), Qt.ItemDataRole.FontRole) is None


def test_a_refusal_stands_beside_its_field_and_passwords_are_forgotten(
    ledger: LedgerPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    seq = put_away(day, *units_of(day, 1))
    ledger.journal.refresh()
    corrector = LineDialog(office, _first_row(ledger), ledger).corrector
    corrector.open(seq)
    idle(office)
    dialog = shown(CorrectionDialog)
    sign_with(dialog, day, second="pharmacist")
    idle(office)
    assert "The second person is another one" in dialog.form.field("witness_user_name").fault()
    assert dialog.form.field("password").value() == dialog.form.field("witness_password").value() == ""
    assert dialog.form.field("why").value() == "it was the shelf above", "what was typed stays"
    dialog.reject()


def _first_row(page: LedgerPage) -> Row:
    row = page.model.row_object(0)
    assert isinstance(row, Row)
    return row


def test_a_corrected_entry_says_by_whom_and_why_and_is_not_corrected_again(
    ledger: LedgerPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    seq = put_away(day, *units_of(day, 1))
    by = take_back(day, seq)
    ledger.refresh()
    idle(office)
    ledger.table.row_activated.emit(line_of(ledger, seq))
    line = shown(LineDialog)
    words = find(line, Text, f"ledger_line_correction_{by}").text()
    assert words.startswith("Corrected by Dana Whitfield, Sam Okafor, 22-Nov-2026 09:")
    assert words.endswith("it was the shelf above")
    press(find(line, Button, "ledger_line_correct"))
    idle(office)
    dialog = shown(CannotCorrect)
    why_not = " ".join(text.text() for text in find(dialog, QWidget, "why_not_1").findChildren(Text))
    assert "an entry is corrected once" in why_not
    dialog.accept()


def test_a_late_entry_is_marked_in_the_ledger(ledger: LedgerPage, office: Office, day: DemoDay, idle: Idle) -> None:
    day.clock.at(day.clock() + timedelta(days=1))
    seq = put_away(day, *units_of(day, 1), done_at="2026-11-22 16:00", late_why="the computer was off")
    ledger.refresh()
    idle(office)
    assert line_of(ledger, seq).mark == "late entry"


def test_the_journal_corrects_a_subject(
    ledger: LedgerPage, office: Office, day: DemoDay, idle: Idle, said: Said
) -> None:
    ledger.views.set_current(2)
    idle(office)
    rows = [ledger.journal.model.row_object(at) for at in range(ledger.journal.model.rowCount())]
    row = next(row for row in rows if row is not None and row.kind == "subject_enrolled")
    ledger.journal.table.row_activated.emit(row)
    press(find(shown(EventDialog), Button, "event_correct"))
    idle(office)
    dialog = shown(CorrectionDialog)
    assert dialog.form.field("initials").value() == "RTK"
    dialog.form.field("initials").set_value("RTL")
    sign_with(dialog, day, why="misread")
    idle(office)
    with day.desk.store.read() as reader:
        subject = reader.subject("000-001")
    assert subject is not None
    assert subject.initials == "RTL"
    ledger.journal.refresh()
    idle(office)
    kinds = {line.seq: line for at in range(30) if (line := ledger.journal.model.row_object(at)) is not None}
    assert kinds[row.seq].struck
    assert kinds[row.seq].mark == f"corrected by {max(kinds)}"


# -- a vial's life


def test_a_vials_life_strikes_what_was_taken_back(
    qtbot: QtBot, ledger: LedgerPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    (unit,) = units_of(day, 1)
    seq = put_away(day, unit)
    with day.desk.store.read() as reader:
        life = life_of(reader, unit)
    dialog = VialLifeDialog(office, life, ledger)
    dialog.open()
    press(find(dialog, Button, "vial_life_correct"))
    idle(office)
    sign_with(shown(CorrectionDialog), day, second="checker")
    idle(office)
    table = dialog._table.model()
    assert table is not None
    marks = [(row.event_seq, row.struck, row.mark) for row in dialog._lines.rows()]
    assert marks[-2:] == [(seq, True, "corrected"), (seq + 1, False, f"corrects {seq}")]
    dialog._table.selectRow(len(marks) - 2)
    assert "it was the shelf above" in " ".join(text.text() for text in dialog._form.findChildren(Text))
    dialog.accept()


def test_the_monitor_is_offered_no_correction_of_stock(
    ledger: LedgerPage, office_as: OfficeAs, day: DemoDay, idle: Idle
) -> None:
    monitor = office_as("monitor")
    dialog = LineDialog(monitor, _first_row(ledger), ledger)
    button = find(dialog, Button, "ledger_line_correct")
    assert not button.isEnabled()
    assert "takes a" in button.toolTip()


# -- a measurement


def test_a_weight_is_corrected_where_it_stands(qtbot: QtBot, office: Office, day: DemoDay, idle: Idle) -> None:
    view = WeightsView(office)
    qtbot.addWidget(view)
    view.resize(1000, 900)
    view.show()

    def refreshed() -> list[tuple[str, str, bool]]:
        with day.desk.store.read() as reader:
            view.show_facts(facts_of(day.desk, reader, "000-001"))
        return [(row.what, row.typed, row.struck) for row in view._measured.rows()]

    assert sorted(refreshed()) == [("height", "171 cm", False), ("weight", "70 kg", False)]
    view.table.selectRow([row.what for row in view._measured.rows()].index("weight"))
    press(view.correct_button)
    idle(office)
    dialog = shown(CorrectionDialog)
    assert dialog.form.field("weight").value() == "70"
    dialog.form.field("weight").set_value("700")
    sign_with(dialog, day, why="read wrong")
    idle(office)
    assert dialog.form.field("weight").fault()
    dialog.form.field("weight").set_value("72")
    sign_with(dialog, day, why="read wrong")
    idle(office)
    assert sorted(refreshed()) == [
        ("height", "171 cm", False),
        ("height", "171 cm", True),
        ("weight", "70 kg", True),
        ("weight", "72 kg", False),
    ]
    (old,) = [row for row in view._measured.rows() if row.typed == "70 kg"]
    assert old.why.startswith("Corrected by Dana Whitfield, 22-Nov-2026 09:")


# -- another time than now


def test_a_quarantine_is_done_now_unless_another_time_is_said(
    qtbot: QtBot, ledger: LedgerPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    (unit,) = units_of(day, 1)
    day.clock.at(day.clock() + timedelta(days=1))
    dialog = quarantine_dialog(office, (unit,), ledger)
    dialog.open()
    done_at, late_why = (dialog.form.field(name) for name in ("done_at", "late_why"))
    assert done_at.isHidden()
    assert late_why.isHidden()
    press(find(dialog, Button, "done_other"))
    assert done_at.editor().hasFocus() or done_at.isVisible()
    done_at.set_value("2026-11-23T08:00")
    assert late_why.isHidden(), "earlier today is not late"
    done_at.set_value("2026-11-22T16:00")
    assert late_why.isVisible()
    dialog.form.field("reason").set_value("found on the bench")
    dialog.ask()
    assert late_why.fault() == "Why it is recorded late is required."
    late_why.set_value("the computer was off")
    done_at.set_value("2026-11-22T07:00")
    dialog.ask()
    idle(office)
    assert "was moved after that: “receive”" in done_at.fault(), "a refusal stands beside its field"
    done_at.set_value("2026-11-22T16:00")
    dialog.ask()
    idle(office)
    with day.desk.store.read() as reader:
        (event,) = reader.events(kind="vials_quarantined", text="", offset=0, limit=1)
    assert event.marks == ("late entry",)
    assert event.content["late_why"] == "the computer was off"


def test_done_now_after_all_forgets_the_other_time(
    ledger: LedgerPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    dialog = quarantine_dialog(office, units_of(day, 1), ledger)
    dialog.open()
    other = find(dialog, Button, "done_other")
    press(other)
    field: Field = dialog.form.field("done_at")
    field.set_value("2026-11-20T10:00")
    press(other)
    assert field.isHidden()
    assert field.value() == dialog.form.field("late_why").value() == ""
    dialog.form.field("reason").set_value("9 °C")
    dialog.ask()
    idle(office)
    with day.desk.store.read() as reader:
        (event,) = reader.events(kind="vials_quarantined", text="", offset=0, limit=1)
    assert event.marks == ()
    assert not [each for each in QApplication.topLevelWidgets() if type(each) is ActDialog and each.isVisible()]


# -- periods


def test_the_monitor_signs_the_record_up_to_a_day(
    qtbot: QtBot, office_as: OfficeAs, day: DemoDay, idle: Idle, said: Said
) -> None:
    seq = put_away(day, *units_of(day, 2))
    take_back(day, seq)
    day.clock.at(day.clock() + timedelta(days=1))
    monitor = office_as("monitor")
    page = MonitorPage(monitor)
    qtbot.addWidget(page)
    page.resize(1180, 780)
    page.show()
    page.open_on("periods")
    idle(monitor)
    card = page.periods
    card.through.set_value("2026-11-23")
    qtbot.waitUntil(lambda: bool(card.through.fault()), timeout=5000)
    assert "is not over yet" in card.through.fault()
    card.through.set_value("2026-11-22")
    qtbot.waitUntil(card.holds.isVisible, timeout=5000)
    held = " ".join(text.text() for text in card.holds.findChildren(Text))
    # Four lines of receipt and release, one put away, one taken back.
    assert "Lines in all 6" in held
    on_site = " ".join(text.text() for text in card.on_site.findChildren(Text))
    assert "1 mg lot INO1-A117: 12 available, 0 in quarantine" in on_site
    card.note.set_value("visit 1")
    card.signature.password.set_value(PASSWORD)
    QTest.keyClick(card.signature.password.editor(), Qt.Key.Key_Return)
    idle(monitor)
    assert said.texts()[-1].startswith("The record is signed through 22-Nov-2026")
    page.refresh()
    idle(monitor)
    (row,) = card._rows.rows()
    assert (row.new_lines, row.late_entries, row.corrections, row.note) == (6, 0, 1, "visit 1")
    assert not card.is_dirty()
    # The day after: one more line since, and it is the lines since that the monitor signs as such.
    put_away(day, *units_of(day, 1))
    day.clock.at(day.clock() + timedelta(days=1))
    card.through.set_value("2026-11-23")
    qtbot.waitUntil(card.holds.isVisible, timeout=5000)
    assert card.signature._meaning.text() == (
        "I reviewed the record through 23-Nov-2026: 1 line, 0 late, 0 corrected since the period before; 7 lines in"
        " all."
    )


def test_others_see_the_signed_periods_and_sign_none(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page = MonitorPage(office)
    qtbot.addWidget(page)
    page.show()
    page.open_on("periods")
    idle(office)
    assert page.periods.through.isHidden()
    assert page.periods.signature.isHidden()
    assert "takes a monitor" in find(page.periods, Text, "period_why_not").text()


# -- a dose


def test_a_given_dose_is_corrected_where_it_is_looked_back_at(
    office: Office, at: Callable[[Office], Desk], day: DemoDay, idle: Idle
) -> None:
    """1.2 of 1.46 mg is 17.8 % less: correcting 1.46 to it opens a medication error (§ 8.1.3)."""
    dose_id = dose(day, "000-001", 1, 1)
    desk = at(office)
    desk.open(dose_id)
    desk.page.look_at(GIVE)
    desk.wait()
    desk.press("given_correct")
    desk.wait()
    dialog = shown(CorrectionDialog)
    assert dialog.form.field("given").value() == "1.46"
    dialog.form.field("given").set_value("1.2")
    sign_with(dialog, day, why="the pump says otherwise")
    desk.wait()
    assert "Medication error" in desk.words()
    corrections = desk.page.findChildren(QWidget, "given_corrections")
    assert any("the pump says otherwise" in text.text() for card in corrections for text in card.findChildren(Text))
    desk.page.look_at(MIX)
    desk.wait()
    desk.press("mixed_correct")
    desk.wait()
    refused = shown(CannotCorrect)
    words = " ".join(text.text() for text in refused.findChildren(Text))
    assert "until the dose is administered" in words
    refused.accept()
    desk.page.look_at(CLOSE)
    desk.wait()
    desk.press("closed_correct")
    desk.wait()
    assert [field.name.split(".")[0] for field in shown(CorrectionDialog).form.fields()][:2] == [
        "residue_mg",
        "discarded_mg",
    ]
    shown(CorrectionDialog).reject()


def test_a_corrected_weight_is_said_on_the_doses_it_was_used_for(
    office: Office, at: Callable[[Office], Desk], day: DemoDay, idle: Idle
) -> None:
    dose_id = dose(day, "000-001", 1, 1)
    with day.desk.store.read() as reader:
        (measured,) = reader.events(kind="measurement_recorded", text="000-001", offset=0, limit=1)
    form = CorrectForm(measured.seq, "read wrong", (("weight", "72"),))
    correct(day.desk, day.act("pharmacist"), form, day.sign("pharmacist"))
    desk = at(office)
    desk.open(dose_id)
    note = find(desk.page, QWidget, "correction_notes")
    assert note.isVisible()
    words = " ".join(text.text() for text in note.findChildren(Text))
    assert "The weight of 70 kg of 22-Nov-2026, by which this dose was calculated, was corrected" in words
    assert "The dose was given: tell the investigator." in words


def test_a_corrected_preparation_asks_for_its_label_again(
    office: Office, at: Callable[[Office], Desk], day: DemoDay, idle: Idle
) -> None:
    """3.6 + 2.2 mL of 0.25 mg/mL are 1.45 mg; the label of before says 1.46 mg."""
    dose_id = dose(day, "000-001", 1, 1, until="label")
    desk = at(office)
    desk.open(dose_id)
    assert desk.current() == RELEASE
    desk.page.look_at(MIX)
    desk.wait()
    desk.press("mixed_correct")
    desk.wait()
    dialog = shown(CorrectionDialog)
    drawn = [field for field in dialog.form.fields() if field.name.startswith("drawn_ml.")]
    assert sorted(field.value() for field in drawn) == ["2.24", "3.6"]
    next(field for field in drawn if field.value() == "2.24").set_value("2.2")
    sign_with(dialog, day, why="2.2 on the syringe", second="checker")
    desk.wait()
    assert desk.thread(dose_id).prepared_mg == Decimal("1.45")
    assert desk.current() == LABELS
    desk.page.go_on()
    desk.wait()
    assert desk.banner("labels_again").startswith("The preparation was corrected since the label was printed.")


def test_an_infusion_of_yesterday_says_why_it_is_late(
    office: Office, at: Callable[[Office], Desk], day: DemoDay, idle: Idle
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="release")
    zone = ZoneInfo(office.site.time_zone)
    started = day.clock().astimezone(zone)
    day.clock.at(day.clock() + timedelta(days=1))
    desk = at(office)
    desk.open(dose_id)
    assert desk.current() == GIVE
    desk.put(
        started_at=f"{started:%Y-%m-%dT%H:%M}",
        ended_at=f"{started + timedelta(hours=1):%Y-%m-%dT%H:%M}",
        given="1.46",
    )
    late = desk.field("late_why")
    assert late.isVisible()
    desk.press("give_record")
    assert "a late entry. Say why it is late." in late.fault()
    late.set_value("the ward called today")
    desk.press("give_record")
    assert desk.thread(dose_id).line.status == "administered"
    with day.desk.store.read() as reader:
        (event,) = reader.events(kind="dose_administered", text="", offset=0, limit=1)
    assert event.marks == ("late entry",)
