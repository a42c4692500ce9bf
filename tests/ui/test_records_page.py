"""Taking records away, worked by keyboard: prints with their filters, data as a file, all of one subject.

The seeded study holds 12 vials of 1 mg (lot INO1-A117) and 4 of 4 mg, received and released: two ledger lines a lot.
"""

import csv
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay
from pharmacy_app.services.data_export import EXPORTS
from pharmacy_app.services.views import EventLine
from tests.ui.find import focused
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from ui.office import Office
from ui.pages.ledger import LedgerPage
from ui.pages.records import RecordsDialog
from ui.pages.records_catalogue import RECORDS
from ui.paper import PaperDialog

Idle = Callable[[Office], None]


@pytest.fixture
def dialog(qtbot: QtBot, office: Office, idle: Idle) -> Iterator[RecordsDialog]:
    """The dialog, as the Ledger's button opens it by the keyboard."""
    page = LedgerPage(office)
    qtbot.addWidget(page)
    page.show()
    page.refresh()
    idle(office)
    page.away_button.setFocus()
    QTest.keyClick(page.away_button, Qt.Key.Key_Return)
    idle(office)
    (found,) = [each for each in QApplication.topLevelWidgets() if isinstance(each, RecordsDialog) and each.isVisible()]
    yield found
    idle(office)


def choose(combo: QWidget, words: str) -> None:
    """Go down the list until what begins with these words is reached, as the keyboard does."""
    assert isinstance(combo, QComboBox)
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_Home)
    while not combo.currentText().startswith(words):
        before = combo.currentIndex()
        QTest.keyClick(combo, Qt.Key.Key_Down)
        assert combo.currentIndex() > before, f"{words} is not offered"


def press(button: QWidget) -> None:
    """Press an enabled button with the keyboard."""
    assert button.isEnabled()
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)


def view(dialog: RecordsDialog, number: int) -> None:
    """Go to another tab by the keyboard."""
    tab = dialog.views.findChild(QWidget, f"records_views_{number}")
    assert tab is not None
    tab.setFocus()
    QTest.keyClick(tab, Qt.Key.Key_Space)


def papers() -> list[PaperDialog]:
    """The papers on the screen."""
    return [each for each in QApplication.topLevelWidgets() if isinstance(each, PaperDialog) and each.isVisible()]


def last(day: DemoDay) -> EventLine:
    """The journal's last entry."""
    with day.desk.store.read() as reader:
        event = reader.event(reader.head().seq)
    assert event is not None
    return event


# --- prints


def test_the_record_of_a_lot_is_printed_shown_and_kept(
    dialog: RecordsDialog, office: Office, day: DemoDay, idle: Idle
) -> None:
    assert focused() is dialog.printing.record.editor()
    choose(dialog.printing.form.field("lot").editor(), "INO1-A117")
    press(dialog.printing.verb)
    idle(office)
    event = last(day)
    assert event.kind == "record_printed"
    assert event.content["papers"][0]["about"] == "1 mg lot INO1-A117"
    (paper,) = papers()
    idle(office)
    assert paper.findChild(QWidget, "paper_page_1") is not None, "the pixels of the very bytes"
    paper.reject()
    assert dialog.printing.banner.kind == "ok"
    assert f"as entry {event.seq}" in dialog.printing.banner.text()


@pytest.mark.parametrize(
    ("words", "paper", "about"),
    [
        ("Dispensing log", "subject dispensing log", "000-001"),
        ("Treatment calendar", "treatment calendar", "000-001"),
        ("Receipt of", "receipt", "RCV-14"),
        ("Audit trail", "audit trail", "every entry"),
        ("Delegation and", "delegation and signature log", ""),
    ],
)
def test_each_record_is_drawn_with_what_there_is_one_of_chosen_already(
    dialog: RecordsDialog, office: Office, day: DemoDay, idle: Idle, words: str, paper: str, about: str
) -> None:
    choose(dialog.printing.record.editor(), words)
    press(dialog.printing.verb)
    idle(office)
    printed = last(day).content["papers"][0]
    assert paper in printed["paper"]
    assert not about or printed["about"] == about
    for each in papers():
        each.reject()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("Record of a dose", "No dose is on record yet."),
        ("Return", "No return, transfer or destruction is on record yet."),
        ("Monitor's visit", "No visit was opened yet."),
        ("Close-out", "The study is not closed out yet."),
    ],
)
def test_what_there_is_none_of_says_so_and_cannot_be_printed(dialog: RecordsDialog, words: str, sentence: str) -> None:
    choose(dialog.printing.record.editor(), words)
    assert dialog.printing.banner.isVisible()
    assert sentence in dialog.printing.banner.text()
    assert not dialog.printing.verb.isEnabled()
    choose(dialog.printing.record.editor(), "Audit")
    assert not dialog.printing.banner.isVisible()
    assert dialog.printing.verb.isEnabled()


def letters(dialog: RecordsDialog) -> list[str]:
    """The Alt letters that can be pressed now."""
    labels = [each for each in dialog.findChildren(QLabel) if each.isVisible() and each.buddy() is not None]
    buttons = [each for each in dialog.findChildren(QPushButton) if each.isVisible()]
    texts = [*(each.text() for each in labels), *(each.text() for each in buttons)]
    return sorted(text[text.index("&") + 1].upper() for text in texts if "&" in text)


def test_alt_letters_are_ones_own_in_every_view(dialog: RecordsDialog) -> None:
    for record in RECORDS:
        dialog.printing.choose(record.key)
        found = letters(dialog)
        assert len(found) == len(set(found)), (record.key, found)
    view(dialog, 2)
    for name in EXPORTS:
        dialog.data.what.set_value(name)
        found = letters(dialog)
        assert len(found) == len(set(found)), (name, found)
    view(dialog, 3)
    found = letters(dialog)
    assert len(found) == len(set(found)), found


def test_days_the_wrong_way_round_are_said_beside_their_field(
    dialog: RecordsDialog, office: Office, day: DemoDay, idle: Idle
) -> None:
    before = last(day).seq
    choose(dialog.printing.record.editor(), "Audit")
    for name, typed in (("from_on", "2026-11-22"), ("to_on", "2026-11-01")):
        editor = dialog.printing.form.field(name).editor()
        editor.setFocus()
        QTest.keyClicks(editor, typed)
    press(dialog.printing.verb)
    idle(office)
    assert "is before" in dialog.printing.form.field("to_on").fault()
    assert focused() is dialog.printing.form.field("to_on").editor()
    assert last(day).seq == before


class Other(QObject):
    """Somebody else's work, of which nothing comes."""

    def done(self, _answer: object) -> None:
        """It has ended."""

    def failed(self, trouble: Exception) -> None:
        """It must not fail."""
        raise trouble


def test_stopping_prints_and_records_nothing(
    qapp: QApplication, dialog: RecordsDialog, office: Office, day: DemoDay, idle: Idle
) -> None:
    before = last(day).seq
    go, other = threading.Event(), Other(qapp)
    office.bridge.run(lambda: go.wait(10), other.done, other.failed)
    press(dialog.printing.verb)
    assert dialog.printing.work.isVisible() and not dialog.printing.verb.isEnabled()
    press(dialog.printing.work.stop_button)
    go.set()
    idle(office)
    assert dialog.printing.banner.accessibleName() == "Stopped: Nothing was printed, and nothing recorded."
    assert (last(day).seq, papers()) == (before, [])
    assert dialog.printing.verb.isEnabled()


# --- data


def test_the_ledger_of_a_strength_is_written_as_csv_and_the_journal_says_so(
    dialog: RecordsDialog, office: Office, day: DemoDay, idle: Idle, tmp_path: Path
) -> None:
    view(dialog, 2)
    assert focused() is dialog.data.what.editor()
    path = tmp_path / "ledger.csv"
    choose(dialog.data.form.field("strength_mg").editor(), "4 mg")
    editor = dialog.data.form.field("path").editor()
    editor.setFocus()
    editor.selectAll()  # type: ignore[attr-defined]
    QTest.keyClicks(editor, str(path))
    press(dialog.data.verb)
    idle(office)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["strength_mg"], row["quantity"]) for row in rows] == [("4", "4"), ("4", "4")]
    content = last(day).content
    assert (content["what"], content["rows"], content["sha256"]) == (
        "ledger",
        2,
        sha256(path.read_bytes()).hexdigest(),
    )
    said = dialog.data.banner.text()
    assert said.startswith(f"2 rows in {path}. SHA-256 {content['sha256']}.")
    assert "ledger.csv.variables.csv" in said


def test_a_file_that_is_there_is_not_written_over(
    dialog: RecordsDialog, office: Office, day: DemoDay, idle: Idle, tmp_path: Path
) -> None:
    view(dialog, 2)
    path = tmp_path / "mine.csv"
    path.write_text("mine")
    before = last(day).seq
    dialog.data.form.field("path").set_value(str(path))
    press(dialog.data.verb)
    idle(office)
    assert "There is a file “mine.csv” already" in dialog.data.form.field("path").fault()
    assert (path.read_text(), last(day).seq) == ("mine", before)
    assert dialog.data.verb.isEnabled()


def test_another_format_gives_the_proposed_name_its_ending_and_keeps_ones_own(
    dialog: RecordsDialog, tmp_path: Path
) -> None:
    view(dialog, 2)
    path = dialog.data.form.field("path")
    assert path.value().endswith("-ledger.csv")
    choose(dialog.data.form.field("format").editor(), "Workbook")
    assert path.value().endswith("-ledger.xlsx")
    path.set_value(str(tmp_path / "of-march.xlsx"))
    choose(dialog.data.form.field("format").editor(), "Dataset")
    choose(dialog.data.form.field("format").editor(), "CSV")
    assert path.value() == str(tmp_path / "of-march.csv")
    choose(dialog.data.what.editor(), "Vials")
    assert dialog.data.form.field("path").value().endswith("-vials.csv")


def test_only_what_a_table_can_be_chosen_by_is_asked(dialog: RecordsDialog) -> None:
    for name, table in EXPORTS.items():
        dialog.data.what.set_value(name)
        asked = set(dialog.data.form.values())
        assert ("from_on" in asked) == bool(table.day)
        assert ("lot" in asked) == bool(table.lot)
        assert ("column_map" in asked) == (not table.is_dataset)


def test_the_sponsors_columns_are_offered_for_their_table(
    dialog: RecordsDialog, office: Office, day: DemoDay, idle: Idle, tmp_path: Path
) -> None:
    view(dialog, 2)
    dialog.data.form.field("column_map").set_value("site-log")
    dialog.data.form.field("path").set_value(str(tmp_path / "log.csv"))
    press(dialog.data.verb)
    idle(office)
    assert last(day).content["map"]["name"] == "site-log"


# --- one subject


def test_all_of_a_subject_is_written_into_a_new_folder(
    dialog: RecordsDialog, office: Office, day: DemoDay, idle: Idle, tmp_path: Path
) -> None:
    view(dialog, 3)
    assert focused() is dialog.subject.subject.editor()
    choose(dialog.subject.subject.editor(), "000-001")
    assert dialog.subject.folder.value().endswith("subject-000-001")
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    dialog.subject.folder.set_value(str(full))
    before = last(day).seq
    press(dialog.subject.verb)
    idle(office)
    assert "is not empty" in dialog.subject.folder.fault()
    assert last(day).seq == before
    dialog.subject.folder.set_value(str(tmp_path / "new"))
    press(dialog.subject.verb)
    idle(office)
    event = last(day)
    assert event.kind == "subject_exported"
    written = {path.name: sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "new").iterdir()}
    assert written == {each["name"]: each["sha256"] for each in event.content["files"]}
    assert {"treatment-calendar.pdf", "doses.csv", "manifest.csv"} <= set(written)
    assert f"{len(written)} files in {tmp_path / 'new'}" in dialog.subject.banner.text()
    assert not any(b"RTK" in path.read_bytes() for path in (tmp_path / "new").glob("*.csv")), "no initials"


def test_escape_closes_it(dialog: RecordsDialog) -> None:
    QTest.keyClick(focused(), Qt.Key.Key_Escape)
    assert not dialog.isVisible()
