"""Labels at the pages: printed, come out or not, scanned back, void, and the printers they go to.

The seeded study has shipment SHP-1, V000001 to V000016, each label printed and scanned back. Today is 22-Nov-2026.
"""

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay, dose, receive_shipment
from pharmacy_app.domain.label_marks import mark_of
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.labelling import (
    LabelForm,
    OutcomeForm,
    VoidForm,
    print_labels,
    print_outcome,
    void_label,
)
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.ports import LabelFilter, NotSent, PerhapsSent, Sent
from pharmacy_app.services.printers import PrinterForm, set_printer
from pharmacy_app.services.sending import Outgoing
from pharmacy_app.services.stock import QuarantineForm, quarantine
from pharmacy_app.services.views import LabelLine
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.office_fixtures import Said
from tests.ui.test_stock_pages import press, shown, shown_page
from ui.bridge import Progress, Unexpected
from ui.office import Office
from ui.pages.labels import SCAN_BACK, LabelsPage
from ui.pages.labels_kept import KeptLabelsDialog
from ui.pages.print_labels import LabelsDialog, PrintLabelsDialog, page_size_mm
from ui.pages.settings import SettingsPage
from ui.pages.stock_life import VialLifeDialog
from ui.pages.stock_parts import ActDialog
from ui.pages.today import TodayPage
from ui.pages.vials import VialsPage
from ui.widgets.basics import Button, Text

Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]
ONE, TWO, THREE, FOUR = (numbered("V", at) for at in (1, 2, 3, 4))


def labels_of(day: DemoDay, **wanted: object) -> Sequence[LabelLine]:
    with day.desk.store.read() as reader:
        return reader.labels(LabelFilter(**wanted))  # type: ignore[arg-type]


def print_four(day: DemoDay) -> int:
    """Four vial labels, printed once more; the print's number."""
    form = LabelForm("vial", (ONE, TWO, THREE, FOUR), "washed off")
    return print_labels(day.desk, day.act("technician"), form).event.seq


def to_files(day: DemoDay, folder: Path, *kinds: str, **more: str) -> None:
    """A printer that writes files."""
    set_printer(day.desk, day.act("pharmacist"), PrinterForm("Files", "file", str(folder), default_for=kinds, **more))  # type: ignore[arg-type]


@pytest.fixture
def page(qtbot: QtBot, office: Office, idle: Idle) -> LabelsPage:
    """The pharmacist's page of labels."""
    found: LabelsPage = shown_page(qtbot, LabelsPage(office), office, idle)
    return found


def fresh(page: LabelsPage, office: Office, idle: Idle) -> None:
    """The page after somebody else's act."""
    page.refresh()
    idle(office)


def say(page: LabelsPage) -> str:
    return find(page.outcome, Text, "outcome_question").text()


# --- did they come out?


def test_nothing_is_asked_while_nothing_is_open(page: LabelsPage) -> None:
    assert page.open_card.isHidden()


def test_all_labels_came_out(page: LabelsPage, office: Office, day: DemoDay, idle: Idle, said: Said) -> None:
    seq = print_four(day)
    fresh(page, office, idle)
    assert page.open_card.isVisible()
    assert say(page) == "Did all 4 labels come out?"
    about = find(page.outcome, Text, "outcome_about").text()
    assert about.startswith(f"Vial label, {ONE} to {FOUR}, printed at 22-Nov-2026 09:")
    press(page.outcome.all_button)
    idle(office)
    assert said.texts()[-1].startswith("4 labels came out (event ")
    assert {label.status for label in labels_of(day, print_seq=seq)} == {"out"}
    assert page.open_card.isHidden()


def test_after_a_jam_at_the_third_the_rest_is_printed_by_keyboard(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    seq = print_four(day)
    fresh(page, office, idle)
    editor = page.outcome.failed.editor()
    assert isinstance(editor, QLineEdit)
    QTest.keyClicks(editor, "3")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    idle(office)
    assert [label.status for label in labels_of(day, print_seq=seq)] == ["out", "out", "void", "never out"]
    assert say(page) == f"2 labels of this print are left: {THREE} to {FOUR}."
    assert "Label 3 is void" in find(page.outcome, Text, "outcome_about").text()
    QTest.keyClick(page.outcome.rest_button, Qt.Key.Key_Space)
    idle(office)
    dialog = shown(LabelsDialog)
    again = labels_of(day, print_seq=dialog._seq)
    # Each is a copy of its own. The third says that one more came out; of the fourth only the first ever did.
    assert [(label.number, label.copy_number, label.reprint) for label in again] == [(THREE, 3, 2), (FOUR, 3, 1)]
    assert "jam" in again[0].why
    press(dialog.outcome.all_button)
    idle(office)
    assert {label.status for label in labels_of(day, print_seq=dialog._seq)} == {"out"}
    assert page.open_card.isHidden()


def test_a_failed_label_that_is_none_of_the_print_is_said_beside_its_field(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    seq = print_four(day)
    fresh(page, office, idle)
    press(page.outcome.fault_button)
    assert page.outcome.failed.fault().startswith("Type the number of the first label that failed")
    page.outcome.failed.set_value("5")
    press(page.outcome.fault_button)
    idle(office)
    assert page.outcome.failed.fault()
    assert {label.status for label in labels_of(day, print_seq=seq)} == {"printed"}


def test_nothing_came_out_and_all_are_printed_on_another_printer_from_there(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, said: Said, tmp_path: Path
) -> None:
    """No label is void, none is sent once more: the rest is the whole print, on a printer that works."""
    seq = print_four(day)
    to_files(day, tmp_path)
    fresh(page, office, idle)
    press(page.outcome.nothing_button)
    idle(office)
    assert said.texts()[-1].startswith("Nothing came out: its labels count as never printed (event ")
    assert {label.status for label in labels_of(day, print_seq=seq)} == {"never out"}
    assert say(page) == f"4 labels of this print are left: {ONE} to {FOUR}."
    about = find(page.outcome, Text, "outcome_about").text()
    assert about == "Mend the printer first, or choose another one; then print what is left."
    assert page.outcome.rest_why.isHidden(), "no label failed, so there is no reason to ask for"
    assert page.outcome.rest_start.isHidden(), "a roll has no positions"
    page.outcome.rest_printer.set_value("Files")
    press(page.outcome.rest_button)
    idle(office)
    dialog = shown(LabelsDialog)
    again = labels_of(day, print_seq=dialog._seq)
    # They say REPRINT 1 with their reason, as the ones that never came out did; the code tells the copies apart.
    assert [(label.number, label.copy_number, label.reprint, label.why, label.printer) for label in again] == [
        (number, 3, 1, "washed off", "Files") for number in (ONE, TWO, THREE, FOUR)
    ]
    press(dialog.outcome.all_button)
    idle(office)
    assert page.open_card.isHidden()


def test_the_monitor_answers_for_nothing(qtbot: QtBot, office_as: OfficeAs, day: DemoDay, idle: Idle) -> None:
    print_four(day)
    office = office_as("monitor")
    page = shown_page(qtbot, LabelsPage(office), office, idle)
    for button in (*page.outcome._buttons(), page.back.record_button):
        assert not button.isEnabled()
    assert "signed in as monitor" in page.outcome.all_button.toolTip()


# --- one by one


def test_each_label_tells_whether_it_came_out_and_was_scanned(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    print_four(day)
    fresh(page, office, idle)
    rows = page.lines.rows.rows()
    assert (rows[0].number, rows[0].copy, rows[0].out, rows[0].scanned) == (
        ONE,
        "2, reprint",
        "not said yet",
        "not yet",
    )
    first = next(row for row in rows if row.number == FOUR and row.copy == "first")
    assert first.out == "came out"
    assert first.scanned.endswith("Lee Marchetti")


def test_a_torn_label_is_voided_with_its_reason(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, said: Said
) -> None:
    page.tabs.set_current(1)
    page.lines.text.set_value(TWO)
    page.lines.refresh()
    idle(office)
    (row,) = page.lines.rows.rows()
    page.lines.table.selectRow(0)
    press(page.lines.void_button)
    dialog = shown(ActDialog)
    press(dialog.verb)
    assert dialog.form.field("why").fault() == "Reason is required."
    dialog.form.field("why").set_value("torn at the hood")
    press(dialog.verb)
    idle(office)
    assert said.texts()[-1].startswith(f"The label of {TWO} is void (event ")
    (row,) = page.lines.rows.rows()
    assert (row.out, row.struck) == ("void: torn at the hood", True)
    page.lines.table.selectRow(0)
    assert not page.lines.void_button.isEnabled()
    # Its vial waits for a new label that is scanned back.
    assert f"1 vial waits for the scan of the label: {TWO}." == find(page.back, Text, "back_waits").text()


# --- scan-back


def test_many_labels_are_scanned_and_recorded_with_one_press(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, said: Said
) -> None:
    seq = print_four(day)
    page.open_on(SCAN_BACK)
    fresh(page, office, idle)
    assert page.back.scan.editor().hasFocus()
    # A scanner does not wait: the second scan comes while the first is looked up.
    one, two = reprint_of(ONE), reprint_of(TWO)
    for code in (one, two, two, numbered("V", 9), "no label"):
        page.back.take(code)
    idle(office)
    marks = [(row.code, row.mark) for row in page.back.rows.rows()]
    assert marks == [("no label", "✗ refused"), (two, "✓ ready"), (one, "✓ ready")]
    assert "is not the number of a label of this pharmacy" in page.back.scan.fault()
    assert page.is_dirty()
    press(page.back.record_button)
    idle(office)
    assert said.texts()[-1].startswith("2 labels scanned back (event ")
    scanned = [label.number for label in labels_of(day, print_seq=seq) if label.scanned_at is not None]
    assert scanned == [ONE, TWO]
    assert page.back.rows.rows() == ()
    assert not page.is_dirty()


def test_a_label_scanned_twice_is_refused_at_once(page: LabelsPage, office: Office, day: DemoDay, idle: Idle) -> None:
    print_four(day)
    page.open_on(SCAN_BACK)
    for code in (reprint_of(ONE), reprint_of(ONE)):
        page.back.take(code)
    idle(office)
    assert page.back.scan.fault() == f"The vial label of {ONE} was scanned already. Scan the next label."
    press(page.back.undo_button)
    assert [row.code for row in page.back.rows.rows()] == [reprint_of(ONE)]


def test_the_label_that_was_replaced_and_a_bare_number_prove_nothing(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    """Four were printed again: the first copies, and what a hand reads off another paper, do not stand for them."""
    print_four(day)
    page.open_on(SCAN_BACK)
    page.back.take(ONE + mark_of("vial", ONE, 1))
    idle(office)
    assert "copy 2 was printed since and counts" in page.back.scan.fault()
    page.back.take(ONE)
    idle(office)
    assert "but not which label it is" in page.back.scan.fault()
    assert not page.is_dirty()


def test_what_a_hand_typed_is_listed_and_recorded_so(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    print_four(day)
    page.open_on(SCAN_BACK)
    page.back.take(reprint_of(ONE))
    page.back.scan.take(f"{TWO} {mark_of('vial', TWO, 2)}".lower(), by_hand=True)
    idle(office)
    says = [row.says for row in page.back.rows.rows()]
    assert says == [f"Vial label {TWO} (typed by hand)", f"Vial label {ONE}"]
    press(page.back.record_button)
    idle(office)
    with day.desk.store.read() as reader:
        (event,) = reader.events(kind="labels_scanned", text="", offset=0, limit=1)
    assert [(scan["number"], scan["by_hand"]) for scan in event.content["scans"]] == [(ONE, False), (TWO, True)]


def test_a_label_voided_meanwhile_is_shown_and_the_others_stay(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    seq = print_four(day)
    page.open_on(SCAN_BACK)
    for code in (reprint_of(ONE), reprint_of(TWO)):
        page.back.take(code)
    idle(office)
    void_label(day.desk, day.act("technician"), VoidForm(seq, 2, "fell down"))
    void_label(day.desk, day.act("technician"), VoidForm(_first_print(day), 2, "old"))
    press(page.back.record_button)
    idle(office)
    rows = {row.code: row for row in page.back.rows.rows()}
    assert rows[reprint_of(ONE)].mark == "✓ ready"
    assert "which is void: fell down" in rows[reprint_of(TWO)].says
    assert "Nothing was recorded" in page.back.scan.fault()
    press(page.back.record_button)
    idle(office)
    assert [label.number for label in labels_of(day, print_seq=seq) if label.scanned_at] == [ONE]


def reprint_of(number: str) -> str:
    """What a scanner reads from the second copy of a vial's label."""
    return number + mark_of("vial", number, 2)


def _first_print(day: DemoDay) -> int:
    return min(label.event_seq for label in labels_of(day, number=ONE))


# --- the print dialog and the ways out


def open_print(office: Office, page: LabelsPage, kind: str, *about: str) -> PrintLabelsDialog:
    dialog = PrintLabelsDialog(office, LabelForm(kind, about), "Labels", page)
    dialog.open()
    return dialog


def test_the_print_dialog_shows_the_pixels_and_records_nothing_before(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    with day.desk.store.read() as reader:
        before = reader.head().seq
    dialog = open_print(office, page, "vial", ONE, TWO)
    idle(office)
    state = find(dialog, Text, "print_labels_state").text()
    assert state.startswith("2 labels, not printed yet.")
    assert "REPRINT" in state
    assert dialog.printer.text().startswith("No printer")
    assert dialog.start_at.isHidden()
    press(dialog.verb)
    assert dialog.why.fault() == "Reason is required."
    dialog.reject()
    with day.desk.store.read() as reader:
        assert reader.head().seq == before


def test_nothing_prints_that_was_not_seen(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, tmp_path: Path
) -> None:
    """The printer, its stock and the picture stand there before the labels print; another printer is drawn anew."""
    to_files(day, tmp_path, "place", stocks=(("place", "4 x 2 in"),))  # type: ignore[arg-type]
    other = PrinterForm("Sheets", "file", str(tmp_path), dpi="300", stocks=(("place", "Avery 5163"),))
    set_printer(day.desk, day.act("pharmacist"), other)
    dialog = open_print(office, page, "place", "Refrigerator 1")
    assert not dialog.verb.isEnabled()
    dialog.ask()
    assert not office.desk.store.read().__enter__().open_prints()
    idle(office)
    assert dialog.printer.value() == "Files"
    assert find(dialog, QLabel, "printer_reading").text() == "4 x 2 in, labels of 102 × 51 mm, 203 dots an inch"
    page_1 = find(dialog, QLabel, "label_page_1")
    assert 500 < page_1.pixmap().width() <= dialog.width(), "a label is seen whole"
    assert dialog.verb.hasFocus()
    dialog.printer.set_value("Sheets")
    assert not dialog.verb.isEnabled()
    idle(office)
    assert dialog.verb.isEnabled()
    assert find(dialog, QLabel, "printer_reading").text() == "Avery 5163, sheets of 216 × 279 mm, 300 dots an inch"
    assert dialog.start_at.isVisible()
    QTest.keyClick(dialog.start_at.editor(), Qt.Key.Key_Return)
    idle(office)
    sent = shown(LabelsDialog)
    (label,) = labels_of(day, kind="place")
    assert (label.printer, label.event_seq) == ("Sheets", sent._seq)
    sent.accept()


def test_a_quarantine_label_of_a_usable_vial_is_refused_in_words(page: LabelsPage, office: Office, idle: Idle) -> None:
    dialog = open_print(office, page, "quarantine", ONE)
    idle(office)
    said = find(dialog, Text, "print_labels_form_fault_summary").text()
    assert "not in quarantine: it gets no quarantine label" in said
    assert not dialog.verb.isEnabled()
    dialog.reject()


def test_labels_go_to_a_folder_and_the_answer_closes_the_dialog(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, tmp_path: Path
) -> None:
    to_files(day, tmp_path, "place")
    dialog = open_print(office, page, "place", "Refrigerator 1")
    idle(office)
    assert dialog.why.isHidden()
    assert dialog.printer.value() == "Files"
    press(dialog.verb)
    idle(office)
    sent = shown(LabelsDialog)
    name = f"place-label-{sent._seq}.pdf"
    assert sent.way.text() == f"1 label written to {name} in {tmp_path}."
    assert (tmp_path / name).read_bytes() == sent._pdf
    assert_no_further_paper(sent)
    assert sent.outcome.failed.isHidden()
    press(sent.outcome.all_button)
    idle(office)
    assert [label.status for label in labels_of(day, kind="place")] == ["out"]


def test_a_sheet_asks_for_its_first_free_position(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, tmp_path: Path
) -> None:
    stock = next(stock for stock in day.desk.outlets.stocks() if 1 < stock.positions <= 10)
    form = PrinterForm("Sheets", "file", str(tmp_path), stocks=(("place", stock.name),), default_for=("place",))
    set_printer(day.desk, day.act("pharmacist"), form)
    dialog = open_print(office, page, "place", "Refrigerator 1")
    idle(office)
    assert dialog.start_at.isVisible()
    dialog.start_at.set_value(str(stock.positions + 1))
    press(dialog.verb)
    idle(office)
    assert f"has the positions 1 to {stock.positions}" in dialog.start_at.fault()
    dialog.start_at.set_value(str(stock.positions))
    press(dialog.verb)
    idle(office)
    width_mm, height_mm = page_size_mm(office.desk.papers.page_png(shown(LabelsDialog)._pdf, 0, 72))
    # A letter sheet: 8.5 × 11 in.
    assert (round(width_mm, 1), round(height_mm, 1)) == (215.9, 279.4)
    shown(LabelsDialog).accept()


@contextmanager
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """A printer's raw port that takes everything and answers nothing."""
    heard: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = server.accept()
        with line:
            while got := line.recv(65536):
                heard.append(got)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.getsockname()[1], heard
    finally:
        server.close()
        thread.join(30)


def test_zpl_goes_to_the_network_and_a_dead_printer_is_named(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labels import outlets

    # The printer of this test says nothing to the question how it is; waiting for it is not what is tested.
    monkeypatch.setattr(outlets._Line, "ask", lambda _line: "")
    with listening() as (port, heard):
        address = f"127.0.0.1:{port}"
        form = PrinterForm("Zebra", "tcp", address, language="zpl", default_for=("place",))
        set_printer(day.desk, day.act("pharmacist"), form)
        dialog = open_print(office, page, "place", "Refrigerator 1")
        idle(office)
        press(dialog.verb)
        idle(office)
        sent = shown(LabelsDialog)
        assert sent.way.text() == "1 label went to Zebra. Look at each label that comes out."
    job = b"".join(heard)
    assert job.startswith(b"^XA")
    assert job.count(b"^XZ") == 1
    assert_no_further_paper(sent)
    press(sent.outcome.all_button)
    idle(office)
    # The printer is off by now: nothing of the next print goes, and all of it may be sent.
    dialog = open_print(office, page, "place", "Refrigerator 1")
    idle(office)
    dialog.why.set_value("washed off")
    press(dialog.verb)
    idle(office)
    sent = shown(LabelsDialog)
    for _ in range(2):
        assert sent.way.text().startswith(f"The label printer at 127.0.0.1, port {port}, refuses the connection.")
        assert sent.way.kind == "stop"
        assert sent.again_button.text() == "S&end again"
        press(sent.again_button)
        idle(office)
    sent.accept()


def assert_no_further_paper(sent: LabelsDialog) -> None:
    """Once all labels went, nothing here makes another paper of them that nobody records."""
    for button in (sent.again_button, sent.open_button, sent.save_button):
        assert button.isHidden(), button.text()


def sent_four(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, monkeypatch: pytest.MonkeyPatch, *ends: Sent | Exception
) -> tuple[LabelsDialog, list[int]]:
    """Four vial labels on their way to the Zebra, whose sendings end so, one after the other; and where each began."""
    began: list[int] = []
    left = list(ends)

    def send_job(_desk: Desk, job: Outgoing, _progress: Progress) -> Sent:
        began.append(job.after)
        end = left.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    monkeypatch.setattr("ui.pages.print_labels.send_job", send_job)
    form = PrinterForm("Zebra", "tcp", "127.0.0.1:9100", language="zpl", default_for=("vial",))
    set_printer(day.desk, day.act("pharmacist"), form)
    dialog = open_print(office, page, "vial", ONE, TWO, THREE, FOUR)
    idle(office)
    dialog.why.set_value("washed off")
    press(dialog.verb)
    idle(office)
    return shown(LabelsDialog), began


BROKE = NotSent("The label printer ended the connection.", 2, 4)


def test_after_a_broken_connection_only_the_rest_is_sent(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of four had gone when the cable was pulled: labels 3 and 4 go, and no label goes twice."""
    sent, began = sent_four(page, office, day, idle, monkeypatch, BROKE, Sent(4, 4, 1, answered=True))
    assert sent.way.text().endswith("If label 2 is there, send the rest (labels 3 to 4); if not, say so below.")
    assert sent.again_button.text() == "S&end the rest"
    press(sent.again_button)
    idle(office)
    assert began == [0, 2]
    assert sent.way.text() == "The last 2 labels went to Zebra. Look at each label that comes out."
    assert_no_further_paper(sent)
    sent.accept()


def test_after_a_stop_only_the_rest_is_sent(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Sent(3, 4, 1, stopped=True)
    sent, began = sent_four(page, office, day, idle, monkeypatch, stopped, Sent(4, 4, 1))
    assert "Send the rest (label 4), or say below what came out." in sent.way.text()
    press(sent.again_button)
    idle(office)
    assert began == [0, 3]
    assert_no_further_paper(sent)
    sent.accept()


@pytest.mark.parametrize(
    "end",
    [
        PerhapsSent("The system's printing service has not answered for 60 s."),
        NotSent("The label printer ended the connection.", 4, 4),
        Unexpected(),
    ],
)
def test_where_nobody_knows_what_went_the_question_comes_first_and_the_rest_is_a_new_print(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, monkeypatch: pytest.MonkeyPatch, end: Exception
) -> None:
    sent, began = sent_four(page, office, day, idle, monkeypatch, end, Sent(1, 1, 1))
    assert sent.way.text().endswith("Say below what came out: then what is left is printed anew.")
    assert_no_further_paper(sent)
    sent.outcome.failed.set_value("4")
    press(sent.outcome.fault_button)
    idle(office)
    press(sent.outcome.rest_button)
    idle(office)
    again = shown(LabelsDialog)
    assert [label.number for label in labels_of(day, print_seq=again._seq)] == [FOUR]
    assert began == [0, 0]
    again.accept()


def test_a_label_voided_at_the_other_workstation_is_not_sent_with_the_rest(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, began = sent_four(page, office, day, idle, monkeypatch, BROKE)
    void_label(day.desk, day.act("technician"), VoidForm(sent._seq, 4, "wrong shelf"))
    press(sent.again_button)
    idle(office)
    assert began == [0], "nothing went any more"
    assert f"voided label 4 of this print, {FOUR}," in sent.way.text()
    assert_no_further_paper(sent)
    # What came out is still to be said.
    assert find(sent.outcome, Text, "outcome_question").text() == "Did all 4 labels come out?"
    sent.accept()


def test_what_the_other_workstation_answered_meanwhile_is_taken_up(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, began = sent_four(page, office, day, idle, monkeypatch, BROKE)
    print_outcome(day.desk, day.act("technician"), OutcomeForm(sent._seq, "3"))
    press(sent.again_button)
    idle(office)
    assert began == [0]
    question = find(sent.outcome, Text, "outcome_question").text()
    assert question == f"2 labels of this print are left: {THREE} to {FOUR}."
    assert sent.outcome.rest_button.isVisible()
    sent.accept()


def test_enter_in_the_first_that_failed_records_it_and_offers_the_rest(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enter is the field's, never the dialog's Close; on an empty field it says what is missing."""
    sent, _ = sent_four(page, office, day, idle, monkeypatch, Sent(4, 4, 1))
    editor = sent.outcome.failed.editor()
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_Return)
    idle(office)
    assert sent.isVisible()
    assert sent.outcome.failed.fault().startswith("Type the number of the first label that failed")
    why = sent.outcome.form.field("why").editor()
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
        QTest.keyClick(why, key)
    assert sent.isVisible()
    QTest.keyClicks(editor, "2")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    idle(office)
    assert [label.status for label in labels_of(day, print_seq=sent._seq)] == ["out", "void", "never out", "never out"]
    assert sent.isVisible()
    assert sent.outcome.rest_button.hasFocus()
    question = find(sent.outcome, Text, "outcome_question").text()
    assert question == f"3 labels of this print are left: {TWO} to {FOUR}."
    sent.accept()


def test_a_label_that_prints_again_after_nothing_came_out_is_a_second_copy_and_no_reprint(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    form = LabelForm("place", ("Refrigerator 1",))
    seq = print_labels(day.desk, day.act("technician"), form).event.seq
    print_outcome(day.desk, day.act("technician"), OutcomeForm(seq, nothing=True))
    print_labels(day.desk, day.act("technician"), form)
    fresh(page, office, idle)
    copies = [(row.copy, row.out) for row in page.lines.rows.rows() if row.line.kind == "place"]
    assert copies == [("2", "not said yet"), ("first", "never came out")]


# --- the papers that were kept


def test_a_kept_label_is_a_picture_with_its_state_and_prints_only_with_a_reason(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    seq = print_four(day)
    void_label(day.desk, day.act("technician"), VoidForm(seq, 2, "torn"))
    fresh(page, office, idle)
    page.table.selectRow(0)
    press(page.open_button)
    idle(office)
    kept = shown(KeptLabelsDialog)
    assert kept.states.text().startswith("1 of these 4 labels are void or never came out. A picture for looking.")
    assert [(row.number, row.out) for row in kept.rows.rows()][:2] == [(ONE, "not said yet"), (TWO, "void: torn")]
    assert find(kept, QLabel, "paper_page_1").pixmap().width() > 0
    for button in (kept.open_button, kept.save_button):
        assert button.isHidden(), button.text()
    press(kept.again_button)
    idle(office)
    dialog = shown(PrintLabelsDialog)
    press(dialog.verb)
    assert dialog.why.fault() == "Reason is required."
    dialog.reject()


def test_a_released_bags_label_is_not_voided_and_the_dialog_says_what_to_do(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle
) -> None:
    dose_id = dose(day, next(iter(_subjects(day))), 1, 1, until="release")
    page.tabs.set_current(1)
    page.lines.text.set_value(dose_id)
    page.lines.refresh()
    idle(office)
    bag = next(at for at, row in enumerate(page.lines.rows.rows()) if row.line.kind == "bag")
    page.lines.table.selectRow(bag)
    press(page.lines.void_button)
    dialog = shown(ActDialog)
    dialog.form.field("why").set_value("smudged")
    press(dialog.verb)
    idle(office)
    shows = " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())
    assert f"The bag of dose {dose_id} was released with its labels" in shows
    assert all(label.live for label in labels_of(day, number=dose_id, kind="bag"))
    dialog.reject()


@contextmanager
def slow_printer(most: int) -> Iterator[tuple[int, threading.Event]]:
    """A printer's port that takes some labels, then nothing until it is told to go on."""
    go_on = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    # Small, so that what was sent is little more than what was taken.
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)

    def serve() -> None:
        server.settimeout(60)
        line, _ = server.accept()
        with line:
            labels = 0
            while got := line.recv(65536):
                labels += got.count(b"^XZ")
                if labels >= most:
                    go_on.wait(30)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.getsockname()[1], go_on
    finally:
        go_on.set()
        server.close()
        thread.join(30)


def test_a_thousand_labels_show_how_far_they_are_and_can_be_stopped(
    page: LabelsPage, office: Office, day: DemoDay, idle: Idle, qtbot: QtBot
) -> None:
    lots = tuple(LotTyped("1", lot, "2027-03", "500") for lot in ("INO1-A900", "INO1-A901"))
    receive_shipment(day, "SHP-9", lots)
    units = tuple(numbered("V", at) for at in range(17, 1017))
    with slow_printer(300) as (port, go_on):
        # The smallest stock: what takes long is drawing a thousand labels.
        stocks, address = (("vial", "2 x 1 in"),), f"127.0.0.1:{port}"
        form = PrinterForm("Zebra", "tcp", address, language="zpl", stocks=stocks, default_for=("vial",))
        set_printer(day.desk, day.act("pharmacist"), form)
        dialog = open_print(office, page, "vial", *units)
        qtbot.waitUntil(dialog.verb.isEnabled, timeout=60_000)
        state = find(dialog, Text, "print_labels_state").text()
        assert state.startswith("1,000 labels, not printed yet. The first 50 are shown. All were printed before")
        dialog.why.set_value("a new roll")
        press(dialog.verb)
        assert find(dialog, Text, "print_labels_state").text() == "Printing 1,000 labels…"
        qtbot.waitUntil(lambda: _sending() is not None, timeout=180_000)
        sent = shown(LabelsDialog)
        qtbot.waitUntil(lambda: _gone(sent) >= 300, timeout=60_000)
        assert sent.stop_button.isVisible()
        assert sent.stop_button.isEnabled()
        press(sent.stop_button)
        go_on.set()
        idle(office)
    gone = _gone(sent)
    assert 300 <= gone < 400
    assert sent.way.text().startswith(f"Stopped at your wish. {gone} of 1,000 labels had gone to Zebra.")
    assert sent.stop_button.isHidden()
    # The printer was switched off with the 250th half out.
    sent.outcome.failed.set_value("250")
    press(sent.outcome.fault_button)
    idle(office)
    left = f"751 labels of this print are left: {units[249]} to {units[999]}."
    assert find(sent.outcome, Text, "outcome_question").text() == left
    assert sent.again_button.isHidden(), "what failed is not sent once more"
    sent.accept()


def _sending() -> LabelsDialog | None:
    return next((each for each in QApplication.topLevelWidgets() if isinstance(each, LabelsDialog)), None)


def _gone(sent: LabelsDialog) -> int:
    """How many labels are said to be gone."""
    return int((re.findall(r"(\d+) of 1,000 labels", sent.way.text()) or ["0"])[0])


# --- where the thing is


def test_a_vial_in_quarantine_gets_its_quarantine_label_from_its_life(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    quarantine(day.desk, day.act("pharmacist"), QuarantineForm((ONE,), "refrigerator at 11 °C"))
    vials = shown_page(qtbot, VialsPage(office), office, idle)
    vials.open_on(ONE)
    idle(office)
    life = shown(VialLifeDialog)
    press(life.state_label_button)
    idle(office)
    dialog = shown(PrintLabelsDialog)
    assert find(dialog, Text, "print_labels_state").text().startswith("1 label, not printed yet.")
    press(dialog.verb)
    idle(office)
    (label,) = labels_of(day, kind="quarantine")
    assert (label.number, label.status) == (ONE, "printed")
    shown(LabelsDialog).accept()
    life.accept()


def test_a_usable_vial_has_no_label_of_its_state(qtbot: QtBot, office: Office, idle: Idle) -> None:
    vials = shown_page(qtbot, VialsPage(office), office, idle)
    vials.open_on(ONE)
    idle(office)
    life = shown(VialLifeDialog)
    assert life.state_label_button.isHidden()
    life.accept()


# --- printers in the settings


@pytest.fixture
def settings(qtbot: QtBot, office: Office, idle: Idle) -> SettingsPage:
    found: SettingsPage = shown_page(qtbot, SettingsPage(office), office, idle)
    found.open_on("printers")
    return found


def test_a_printer_is_set_changed_and_prints_its_ruler(
    settings: SettingsPage, office: Office, day: DemoDay, idle: Idle, said: Said, tmp_path: Path
) -> None:
    panel = settings.printers
    assert not settings.is_dirty()
    for name, value in (("name", "Files"), ("outlet", "file"), ("target", str(tmp_path)), ("default.vial", "yes")):
        panel.form.field(name).set_value(value)
    assert settings.is_dirty()
    press(panel.set_button)
    idle(office)
    assert said.texts()[-1].startswith("Files is set (event ")
    (row,) = panel._rows.rows()
    assert (row.usual, row.prints, row.offset) == ("vial", "PDF, 203 dpi", "0 / 0")
    panel.table.selectRow(0)
    press(panel.change_button)
    assert panel.form.field("offset_x_mm").editor().hasFocus()
    panel.form.field("offset_x_mm").set_value("-0.5")
    press(panel.set_button)
    idle(office)
    (row,) = panel._rows.rows()
    assert (row.offset, row.usual) == ("−0.5 / 0", "vial")
    panel.table.selectRow(0)
    press(panel.ruler_button)
    idle(office)
    dialog = shown(PrintLabelsDialog)
    press(dialog.verb)
    idle(office)
    sent = shown(LabelsDialog)
    assert (tmp_path / f"ruler-label-{sent._seq}.pdf").exists()
    sent.accept()


def test_on_a_small_screen_nothing_of_the_printers_is_cut_off_at_the_side(
    settings: SettingsPage, office: Office, idle: Idle
) -> None:
    settings.resize(744, 500)  # what the window leaves of 800 × 600
    idle(office)
    assert settings.printers.width() > 600
    assert settings.scroll_area.horizontalScrollBar().maximum() == 0


def test_faults_of_a_printer_stand_beside_their_fields(settings: SettingsPage, office: Office, idle: Idle) -> None:
    panel = settings.printers
    press(panel.set_button)
    assert panel.form.field("name").fault() == "Name is required."
    for name, value in (("name", "Zebra"), ("outlet", "tcp"), ("target", "10.0.0.9"), ("dpi", "72")):
        panel.form.field(name).set_value(value)
    press(panel.set_button)
    idle(office)
    assert "A network port takes ZPL" in panel.form.field("language").fault()
    assert "150" in panel.form.field("dpi").fault()
    assert panel.form.field("name").value() == "Zebra"


def test_a_technician_sets_no_printer(qtbot: QtBot, office_as: OfficeAs, idle: Idle) -> None:
    office = office_as("technician")
    settings = shown_page(qtbot, SettingsPage(office), office, idle)
    settings.open_on("printers")
    assert not settings.printers.set_button.isEnabled()
    assert "technician" in settings.printers.set_button.toolTip()


# --- today


def test_today_asks_for_open_prints_and_unscanned_labels(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    seq = print_four(day)
    void_label(day.desk, day.act("technician"), VoidForm(_first_print(day), 1, "lost"))
    void_label(day.desk, day.act("technician"), VoidForm(seq, 1, "lost"))
    today = shown_page(qtbot, TodayPage(office), office, idle)
    gone: list[tuple[str, str]] = []
    office.go.connect(lambda key, what: gone.append((key, what)))
    titles = {find(today, Text, f"waiting_{at}_title").text(): at for at in (1, 2)}
    # All four, as their newest label counts; the first has none left.
    assert set(titles) == {"1 printing of labels waits for an answer", "4 vials wait for the scan of the label"}
    for at in titles.values():
        press(find(today, Button, f"waiting_{at}_go"))
    assert sorted(gone) == [("labels", ""), ("labels", "scan back")]


def test_today_asks_for_the_scan_of_a_bags_labels_and_leads_to_its_dose(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    dose_id = dose(day, next(iter(_subjects(day))), 1, 1, until="prepare")
    print_labels(day.desk, day.act("technician"), LabelForm("bag", (dose_id,)))
    today = shown_page(qtbot, TodayPage(office), office, idle)
    titles = [label for label in today.findChildren(Text) if label.objectName().endswith("_title")]
    (title,) = (
        label for label in titles if label.text() == f"The bag of dose {dose_id} waits for the scan of its labels"
    )
    name = title.objectName().removesuffix("_title")
    assert "Not scanned yet: the label of the bag and of the light cover." in find(today, Text, f"{name}_text").text()
    gone: list[tuple[str, str]] = []
    office.go.connect(lambda key, what: gone.append((key, what)))
    press(find(today, Button, f"{name}_go"))
    assert gone == [("prepare", dose_id)]


def _subjects(day: DemoDay) -> list[str]:
    with day.desk.store.read() as reader:
        return [subject.subject_number for subject in reader.subjects()]
