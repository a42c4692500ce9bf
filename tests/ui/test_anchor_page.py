"""Check a paper, worked by keyboard and scanner: the dialog, and a scan anywhere in the window."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay
from pharmacy_app.services.ports import Store
from pharmacy_app.services.printed_head import PrintedHead, scanned_paper
from pharmacy_app.services.printing import RecordForm, print_accountability_record
from tests.conftest import Template
from tests.services.pharmacy import PASSWORD, Pharmacy
from tests.services.test_anchor import head_of
from tests.ui.day_hands import *  # noqa: F403
from tests.ui.day_hands import Hands, Study
from tests.ui.find import focused
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.test_scan_anywhere import scan
from ui.office import Office
from ui.pages.anchor import AnchorDialog, open_anchor
from ui.pages.ledger import LedgerPage
from ui.shell import MainWindow
from ui.widgets.tables import DataTable, RowTableModel

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)

Idle = Callable[[Office], None]


def shown() -> AnchorDialog:
    """The dialog that is open."""
    (found,) = [each for each in QApplication.topLevelWidgets() if isinstance(each, AnchorDialog) and each.isVisible()]
    return found


def type_in(text: str) -> None:
    """Type over what stands where the keyboard is, and press Enter, as a scanner does."""
    editor = focused()
    assert isinstance(editor, QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)


@pytest.fixture
def dialog(qtbot: QtBot, office: Office, idle: Idle) -> Iterator[AnchorDialog]:
    """The dialog, as the journal's button opens it by the keyboard."""
    page = LedgerPage(office)
    qtbot.addWidget(page)
    page.show()
    page.refresh()
    idle(office)
    page.views.set_current(2)
    page.journal.paper_button.setFocus()
    QTest.keyClick(page.journal.paper_button, Qt.Key.Key_Return)
    yield shown()
    idle(office)


class Other(QObject):
    """Somebody else's work: nothing comes of it."""

    def done(self, _answer: object) -> None:
        """It has ended."""

    def failed(self, trouble: Exception) -> None:
        """It must not fail."""
        raise trouble


@pytest.fixture
def other(qapp: QApplication) -> Other:
    """Work of another page."""
    return Other(qapp)


def rows(table: DataTable) -> tuple[Any, ...]:
    """What a small table shows."""
    model = table.model()
    assert isinstance(model, RowTableModel)
    return model.rows()


@pytest.fixture
def papers(day: DemoDay) -> list[PrintedHead]:
    """Three prints of the record: what their feet name."""
    found = []
    for _ in range(3):
        found.append(head_of(day.desk.store))
        print_accountability_record(day.desk, day.act("pharmacist"), RecordForm("1"))
    return found


def unguarded(path: Path) -> sqlite3.Connection:
    """The database in other hands."""
    raw = sqlite3.connect(path)
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f'DROP TRIGGER "{name}"')
    return raw


def code(paper: PrintedHead) -> str:
    """What a scanner reads from a paper's foot."""
    return f"{paper.events}:{paper.begins}"


# --- the dialog


def test_number_and_first_characters_typed_from_the_foot_fit(
    papers: list[PrintedHead], dialog: AnchorDialog, office: Office, idle: Idle
) -> None:
    paper = papers[0]
    assert focused() is dialog.events_field.editor()
    QTest.keyClicks(focused(), f"{paper.events:,}")
    QTest.keyClick(focused(), Qt.Key.Key_Tab)
    assert focused() is dialog.head_field.editor()
    type_in(paper.begins[:12].upper())
    assert not dialog.verb.isEnabled()
    idle(office)
    assert dialog.banner.kind == "ok"
    assert dialog.banner.accessibleName().startswith("Fits: Nothing up to entry ")
    assert "12 of 64 characters" in dialog.banner.text()
    assert dialog.advice.isHidden() and dialog.next_table.isHidden() and dialog.work.isHidden()
    assert dialog.verb.isEnabled()


def test_the_next_papers_code_is_scanned_over_the_last(
    papers: list[PrintedHead], dialog: AnchorDialog, office: Office, idle: Idle
) -> None:
    for paper in papers:
        type_in(code(paper))
        idle(office)
        assert dialog.banner.kind == "ok"
        assert f"Nothing up to entry {paper.events} has changed" in dialog.banner.text()
        assert focused() is dialog.head_field.editor(), "the next scan goes there"
        assert dialog.events_field.value() == str(paper.events)
    assert [row.events for row in rows(dialog.seen_table)] == [paper.events for paper in papers]
    assert dialog.seen_table.isVisible()


def test_a_paper_that_does_not_fit_names_the_papers_to_fetch(
    papers: list[PrintedHead], dialog: AnchorDialog, office: Office, idle: Idle
) -> None:
    last = papers[-1]
    type_in(f"{last.events}:{'0' * 64}")
    idle(office)
    assert dialog.banner.kind == "stop"
    assert dialog.banner.accessibleName().startswith("Does not fit: ")
    assert f"The first entry that differs is one of 1 to {last.events}" in dialog.banner.text()
    assert dialog.advice.text().startswith("Look again at what was typed")
    proposed = [row.events for row in rows(dialog.next_table)]
    assert sorted(proposed) == [papers[0].events, papers[1].events]
    # The one that was proposed first is fetched: it fits, and says from where on.
    first = next(paper for paper in papers if paper.events == proposed[0])
    type_in(code(first))
    idle(office)
    assert f"Nothing up to entry {first.events} has changed" in dialog.banner.text()
    assert f"The paper of {last.events} entries does not fit." in dialog.banner.text()
    assert f"one of {first.events + 1} to {last.events}" in dialog.banner.text()


def test_an_altered_entry_is_named(
    papers: list[PrintedHead], dialog: AnchorDialog, office: Office, idle: Idle, tmp_path: Path
) -> None:
    with closing(unguarded(tmp_path / "study.sqlite")) as raw, raw:
        (body,) = raw.execute("SELECT body FROM journal_event WHERE seq = 5").fetchone()
        raw.execute("UPDATE journal_event SET body = ? WHERE seq = 5", (body.replace(b"1", b"2", 1),))
    type_in(code(papers[0]))
    idle(office)
    assert dialog.banner.kind == "stop"
    assert "Entry 5 is the first that is not as it was written." in dialog.banner.text()
    assert "Stop work in this database" in dialog.advice.text()


def test_a_head_typed_too_short_is_said_beside_its_field(dialog: AnchorDialog) -> None:
    QTest.keyClicks(focused(), "12")
    QTest.keyClick(focused(), Qt.Key.Key_Tab)
    type_in("0a1b2c")
    assert "Scan the code beside it, or type at least the first 12" in dialog.head_field.fault()
    assert dialog.events_field.fault() == ""
    assert focused() is dialog.head_field.editor()
    assert dialog.work.isHidden()


def test_it_can_be_stopped_and_says_nothing_then(
    papers: list[PrintedHead], dialog: AnchorDialog, office: Office, idle: Idle, other: Other
) -> None:
    """Other work holds the database thread until Stop is pressed."""
    go = threading.Event()
    office.bridge.run(lambda: go.wait(10), other.done, other.failed)
    type_in(code(papers[0]))
    assert "The journal is being proven" in dialog.work.findChildren(type(dialog.advice))[0].text()
    dialog.work.stop_button.setFocus()
    QTest.keyClick(dialog.work.stop_button, Qt.Key.Key_Space)
    go.set()
    idle(office)
    assert dialog.banner.accessibleName().startswith("Stopped: The check was stopped before its end")
    assert dialog.verb.isEnabled()


def test_escape_closes_it(dialog: AnchorDialog) -> None:
    QTest.keyClick(focused(), Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_the_monitor_may_check_too(
    qtbot: QtBot, papers: list[PrintedHead], office_as: Callable[[str], Office], idle: Idle
) -> None:
    monitor = office_as("monitor")
    window = MainWindow()
    qtbot.addWidget(window)
    found = open_anchor(monitor, window, papers[0])
    idle(monitor)
    assert found.banner.kind == "ok"
    found.reject()


# --- a scan anywhere


@pytest.fixture
def paula(template: Template, study: Study, open_window: Callable[..., Hands]) -> Iterator[tuple[Hands, Store]]:
    """The pharmacist at the window of a pharmacy with a shipment."""
    made: Pharmacy = template.copy_to(study.path, study.clock)
    made.stock_up()
    hands = open_window()
    hands.settle()
    hands.sign_in("paula", PASSWORD)
    yield hands, made.desk.store
    made.desk.store.close()


@pytest.mark.parametrize("page", ["today", "receive", "vials"])
def test_a_papers_code_scanned_anywhere_is_checked(paula: tuple[Hands, Store], page: str) -> None:
    hands, store = paula
    paper = head_of(store)
    hands.go(page)
    button = hands.button(f"nav_{page}")
    button.setFocus()
    scan(hands, code(paper))
    hands.settle()
    assert hands.root().objectName() == "anchor_dialog"
    assert f"Nothing up to entry {paper.events} has changed" in hands.words()
    assert hands.window.current_page() == page


@pytest.mark.parametrize(
    "other",
    ["V000001Q", "0109506000134352" + "a" * 64, "12:" + "a" * 63, "12:" + "a" * 65, ":" + "a" * 64, "0:" + "a" * 64],
)
def test_other_codes_are_no_papers(other: str) -> None:
    assert scanned_paper(other) is None
