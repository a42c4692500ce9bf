"""Documents in the Ledger: by date, looked for, opened in the window without running anything, saved whole."""

import zlib
from collections.abc import Callable
from pathlib import Path
from struct import pack

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QPlainTextEdit
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.documents import DocumentForm, attach_document
from pharmacy_app.services.receipts import print_receipt
from pharmacy_app.services.views import DocumentLine
from tests.services.test_file_content import MAIL, chunk
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.test_stock_pages import press, shown, shown_page
from ui.document import DocumentDialog, picture_of, size_words
from ui.office import Office
from ui.pages.documents import DocumentsView
from ui.widgets.basics import Text
from ui.widgets.tables import DataTable, PageRequest

Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]


def picture(across: int, down: int) -> bytes:
    """A grey PNG of this size, all of it there."""
    head = pack(">IIBBBBB", across, down, 8, 0, 0, 0, 0)
    data = zlib.compress((b"\x00" + b"\x80" * across) * down)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def attach(day: DemoDay, title: str, name: str, content: bytes, dated_on: str = "2026-11-20") -> DocumentLine:
    form = DocumentForm(title, "letter", "SHP-1", "", dated_on, name)
    number = attach_document(day.desk, day.act("pharmacist"), form, content).content["document_id"]
    with day.desk.store.read() as reader:
        line = reader.document(number)
    assert line is not None
    return line


def opened(qtbot: QtBot, office: Office, idle: Idle, line: DocumentLine) -> DocumentDialog:
    """A document opened in the window, drawn to its end."""
    view: DocumentsView = shown_page(qtbot, DocumentsView(office), office, idle)
    view.look_for(line.document_id)
    idle(office)
    table = find(view, DataTable, "study_documents")
    table.selectRow(0)
    QTest.keyClick(table, Qt.Key.Key_Return)
    idle(office)
    return shown(DocumentDialog)


def said_by(dialog: DocumentDialog) -> str:
    return find(dialog, Text, "document_state").text()


def test_documents_stand_in_the_order_of_their_date_newest_first(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    for title, dated_on in (("middle", "2026-11-18"), ("first", "2026-11-02"), ("last", "2026-11-20")):
        attach(day, title, "note.txt", title.encode(), dated_on)
    view: DocumentsView = shown_page(qtbot, DocumentsView(office), office, idle)

    def titles() -> list[str]:
        rows = [view.model.row_object(at) for at in range(view.model.rowCount())]
        return [row.title for row in rows if row is not None]

    assert titles() == ["last", "middle", "first"]
    view.text.set_value("MID")
    view._filter()
    idle(office)
    assert titles() == ["middle"]
    view.text.set_value("")
    view.kind.set_value("certificate")
    view._filter()
    idle(office)
    assert titles() == []
    for column in view.model.columns:
        for descending in (False, True):
            assert view._fetch(PageRequest(0, 10, column.key, descending)).total == 3, column.key


def test_a_pdf_is_drawn_page_after_page(qtbot: QtBot, office: Office, day: DemoDay, idle: Idle) -> None:
    pdf = print_receipt(day.desk, day.act("pharmacist"), "SHP-1").pdf
    dialog = opened(qtbot, office, idle, attach(day, "The receipt as sent", "receipt.pdf", pdf))
    assert said_by(dialog) == "1 page."
    assert not find(dialog, QLabel, "document_page_1").pixmap().isNull()
    words = [text.text() for text in dialog.findChildren(Text)]
    assert "shipment SHP-1" in words


def test_a_pdf_that_cannot_be_drawn_says_so_and_can_be_saved(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"%PDF-1.7 nothing in it %%EOF"
    dialog = opened(qtbot, office, idle, attach(day, "Broken", "../odd name.pdf", content))
    assert "cannot be shown here" in find(dialog, QPlainTextEdit, "document_text").toPlainText()
    offered: list[str] = []

    def answer(_parent: object, _title: str, path: str) -> tuple[str, str]:
        offered.append(Path(path).name)
        return str(tmp_path / "copy.pdf"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    press(dialog.save_button)
    assert offered == [f"{dialog._line.document_id}_odd_name.pdf"]
    assert (tmp_path / "copy.pdf").read_bytes() == content
    assert said_by(dialog) == f"Saved at {tmp_path / 'copy.pdf'}."


def test_a_copy_that_cannot_be_written_is_said(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = opened(qtbot, office, idle, attach(day, "Note", "note.txt", b"yes"))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "gone" / "copy.txt"), ""))
    press(dialog.save_button)
    assert said_by(dialog).startswith("It could not be saved")


def test_a_wide_picture_is_scaled_while_it_is_read(qtbot: QtBot, office: Office, day: DemoDay, idle: Idle) -> None:
    dialog = opened(qtbot, office, idle, attach(day, "Scan", "scan.png", picture(2_800, 400)))
    shown_picture = find(dialog, QLabel, "document_picture").pixmap()
    assert (shown_picture.width(), shown_picture.height()) == (1_400, 200)


def test_a_picture_that_would_unpack_to_gigabytes_is_not_read() -> None:
    head = pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(Refused, match="50,000 × 50,000 dots, too many"):
        picture_of(bomb, "image/png")


def test_a_table_is_a_table_and_its_formulas_are_text(qtbot: QtBot, office: Office, day: DemoDay, idle: Idle) -> None:
    dialog = opened(qtbot, office, idle, attach(day, "Table", "t.csv", b"kit;note\nK1;=1+1\nK2;4,5\n"))
    model = dialog.table.model()
    cells = [[model.index(row, column).data() for column in range(2)] for row in range(2)]
    assert cells == [["K1", "=1+1"], ["K2", "4,5"]]
    assert said_by(dialog) == "2 rows beneath the heading."


def test_a_mail_is_shown_as_words_and_nothing_of_it_is_opened(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    dialog = opened(qtbot, office, idle, attach(day, "Mail", "yes.eml", MAIL))
    text = find(dialog, QPlainTextEdit, "document_text")
    assert text.toPlainText().strip() == "The vials may be used."
    assert text.isReadOnly()
    words = [label.text() for label in dialog.findChildren(Text)]
    assert "You may use them" in words
    assert any("run.exe (application/octet-stream, 6 bytes)" in word for word in words)
    assert said_by(dialog) == "2 attachments, not opened."


def test_markup_in_a_text_stays_text(qtbot: QtBot, office: Office, day: DemoDay, idle: Idle) -> None:
    page = b"<h1>Approved</h1><script>steal()</script>"
    dialog = opened(qtbot, office, idle, attach(day, "<b>Title</b>", "note.txt", page))
    assert find(dialog, QPlainTextEdit, "document_text").toPlainText() == page.decode()
    assert find(dialog, Text, "document_title").textFormat() is Qt.TextFormat.PlainText


def test_escape_closes_and_the_monitor_reads_but_attaches_nothing(
    qtbot: QtBot, office_as: OfficeAs, day: DemoDay, idle: Idle
) -> None:
    line = attach(day, "Note", "note.txt", b"yes")
    monitor = office_as("monitor")
    dialog = opened(qtbot, monitor, idle, line)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    view: DocumentsView = shown_page(qtbot, DocumentsView(monitor), monitor, idle)
    assert not view.attach_button.isEnabled()
    assert "takes a" in view.attach_button.toolTip()


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (1, "1 bytes"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (999_999, "999 kB"),
        (2_345_678, "2.3 MB"),
        (25_000_000, "25.0 MB"),
    ],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert size_words(size) == words
