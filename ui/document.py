"""A kept document on screen: drawn or written out here, never run and never handed to another program.

A PDF is drawn page after page, a picture scaled down while it is read, a CSV shown as a table whose cells are text,
an e-mail as its heads and plain words with its attachments named but not opened. A copy is saved whole.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSaveFile, QSize, QStandardPaths, Qt
from PySide6.QtGui import QImage, QImageReader, QKeySequence, QPixmap, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused, Unavailable
from pharmacy_app.services import file_content as files
from pharmacy_app.services import views
from pharmacy_app.services.about import about_words
from ui.office import Office
from ui.pages.query_strip import QueryStrip
from ui.paper import MAX_PAGES_SHOWN, SCREEN_DPI
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.panels import KeyValues
from ui.widgets.tables import Column, DataTable, RowTableModel

T = TypeVar("T")

PICTURE_WIDTH = 1_400
"""Dots across to which a larger picture is scaled."""

_PICTURES = {files.PNG: b"png", files.JPEG: b"jpeg"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A document made ready to be shown: its bytes, and one of pages, picture, table, e-mail or text."""

    content: bytes
    pages: int = 0
    picture: QImage | None = None
    table: files.ShownTable | None = None
    mail: files.ShownEmail | None = None
    text: files.ShownText = field(default_factory=lambda: files.ShownText("", cut=False))


def size_words(size_bytes: int) -> str:
    """A file's size in words: ``812 bytes``, ``14 kB``, ``2.3 MB``."""
    if size_bytes < 1_000:
        return f"{size_bytes} bytes"
    if size_bytes < 1_000_000:
        return f"{size_bytes // 1_000} kB"
    return f"{size_bytes // 1_000_000}.{size_bytes % 1_000_000 // 100_000} MB"


def picture_of(content: bytes, media_type: str) -> QImage:
    """A picture, scaled down while it is read; raises ``Refused`` where it is too large or damaged."""
    buffer = QBuffer()
    buffer.setData(QByteArray(content))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(_PICTURES[media_type]))
    reader.setAutoDetectImageFormat(False)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.width() * size.height() > files.MAX_PICTURE_DOTS:
        raise Refused(
            Fault("content", f"The picture has {size.width():,} × {size.height():,} dots, too many to be shown here.")
        )
    if size.width() > PICTURE_WIDTH:
        reader.setScaledSize(size.scaled(QSize(PICTURE_WIDTH, 20 * PICTURE_WIDTH), Qt.AspectRatioMode.KeepAspectRatio))
    picture = reader.read()
    if picture.isNull():
        raise Refused(Fault("content", f"The picture cannot be drawn: {reader.errorString()}."))
    return picture


def _careful(read: Callable[[], T]) -> T:
    """Read a foreign file: whatever is wrong with it is said, and it can still be saved."""
    try:
        return read()
    except (Refused, Unavailable):
        raise
    except Exception as trouble:
        raise Refused(Fault("content", f"This file cannot be shown here ({type(trouble).__name__}).")) from None


class DocumentDialog(QDialog):
    """Shows one kept document with its facts, and saves a copy. Close is the default."""

    def __init__(self, office: Office, line: views.DocumentLine, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("document_dialog")
        self.setWindowTitle(f"Document {line.document_id}: {line.title}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(940, 720)
        self._office = office
        self._line = line
        self._opened: Opened | None = None
        self._drawn_pages = 0
        signed = f"{line.signed_by}, {say_day(line.dated_on)}" if line.signed_by else say_day(line.dated_on)
        self.facts = KeyValues(
            [
                ("Kind", line.kind),
                ("About", about_words(line.about)),
                ("Signed, dated" if line.signed_by else "Dated", signed),
                ("Attached", f"{say_moment(line.attached_at)} by {line.attached_by}"),
                ("File", f"{line.file_name}, {size_words(line.size_bytes)}"),
                ("SHA-256", f"{line.sha256[:16]}…"),
            ],
            columns=2,
            name="document_facts",
        )
        self._ground = QWidget()
        self._ground.setObjectName("paper_ground")
        self._body = QVBoxLayout(self._ground)
        self._body.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        self._body.setSpacing(SPACE_M)
        scroll = QScrollArea()
        scroll.setObjectName("document_content")
        scroll.setAccessibleName("Content of the document")
        scroll.setWidgetResizable(True)
        scroll.setWidget(self._ground)
        self.state = Text("Opening the document…", "muted", name="document_state")
        self.save_button = Button("&Save a copy…", name="document_save")
        self.save_button.setEnabled(False)
        self.save_button.clicked.connect(self.save)
        close = Button("&Close", name="document_close", kind="primary")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self.state, 1)
        foot.addWidget(self.save_button)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(line.title, "section", name="document_title"))
        column.addWidget(self.facts)
        queries = QueryStrip(office, name="document_query")
        queries.show_about(line.document_id)
        column.addWidget(queries)
        column.addWidget(scroll, 1)
        column.addLayout(foot)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self, self.accept)
        close.setFocus()
        office.bridge.run(self._open, self._got, self._failed, busy="Opening the document")

    # -- in the database thread

    def _open(self) -> Opened:
        with self._office.desk.store.read() as reader:
            content = reader.paper(self._line.sha256)
        if content is None:
            raise Unavailable(
                f"The file of document {self._line.document_id} is not in this database. Restore a backup."
            )
        whole = content
        try:
            return _careful(lambda: self._read(whole))
        except Refused as refused:
            # It is there, whole: it can be saved even where it cannot be shown.
            said = f"{refused.faults[0].sentence} Save a copy to look at it elsewhere."
            return Opened(whole, text=files.ShownText(said, cut=False))

    def _read(self, content: bytes) -> Opened:
        media_type = self._line.media_type
        if media_type == files.PDF:
            return Opened(content, pages=self._office.desk.papers.page_count(content))
        if media_type in _PICTURES:
            return Opened(content, picture=picture_of(content, media_type))
        if media_type == files.CSV:
            return Opened(content, table=files.table_of(content))
        if media_type == files.EML:
            mail = files.email_of(content)
            return Opened(content, mail=mail, text=mail.text)
        return Opened(content, text=files.shown_text(content))

    def _draw_page(self) -> bytes:
        opened = self._opened
        assert opened is not None
        page = self._drawn_pages
        return _careful(lambda: self._office.desk.papers.page_png(opened.content, page, SCREEN_DPI))

    # -- in the window

    def _got(self, opened: Opened) -> None:
        self._opened = opened
        self.save_button.setEnabled(True)
        if opened.pages:
            self.state.setText(f"Drawing page 1 of {opened.pages:,}…")
            self._next_page()
        elif opened.picture is not None:
            self._add_picture(QPixmap.fromImage(opened.picture), "document_picture", self._line.title)
            self.state.setText("The picture as it is kept, scaled to the window.")
        elif opened.table is not None:
            self._show_table(opened.table)
        else:
            self._show_text(opened)

    def _next_page(self) -> None:
        # One page at a time: what others ask of the store comes in between.
        self._office.bridge.run(self._draw_page, self._page_drawn, self._failed)

    def _page_drawn(self, png: bytes) -> None:
        assert self._opened is not None
        picture = QPixmap()
        picture.loadFromData(QByteArray(png), "PNG")
        self._drawn_pages += 1
        self._add_picture(picture, f"document_page_{self._drawn_pages}", f"Page {self._drawn_pages}")
        last = min(self._opened.pages, MAX_PAGES_SHOWN)
        if self._drawn_pages < last:
            self.state.setText(f"Drawing page {self._drawn_pages + 1} of {last}…")
            self._next_page()
            return
        self._body.addStretch(1)
        more = f" The first {last} are shown." if self._opened.pages > last else ""
        self.state.setText(f"{self._opened.pages:,} page{'s' if self._opened.pages != 1 else ''}.{more}")

    def _add_picture(self, picture: QPixmap, name: str, words: str) -> None:
        label = QLabel()
        label.setObjectName(name)
        label.setAccessibleName(words)
        label.setPixmap(picture)
        self._body.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)

    def _show_table(self, table: files.ShownTable) -> None:
        columns = tuple(
            Column(f"c{at}", head or f"Column {at + 1}", width=130, sortable=False)
            for at, head in enumerate(table.header)
        )
        rows = [SimpleNamespace(**{f"c{at}": cell for at, cell in enumerate(row)}) for row in table.rows]
        model = RowTableModel(columns, parent=self)
        self.table = DataTable(
            model, name="document_table", label="Table of the file", empty_text="Only a heading.", sortable=False
        )
        model.set_rows(rows)
        self._body.addWidget(self.table, 1)
        first = f" The first {len(rows):,} are shown." if table.total > len(rows) else ""
        self.state.setText(f"{table.total:,} row{'s' if table.total != 1 else ''} beneath the heading.{first}")

    def _show_text(self, opened: Opened) -> None:
        words: list[str] = []
        if opened.mail is not None:
            self._body.addWidget(KeyValues(opened.mail.heads, name="document_heads"))
            names = [f"{name} ({kind}, {size_words(size)})" for name, kind, size in opened.mail.attachments]
            if names:
                self._body.addWidget(
                    KeyValues([("Attachments, not opened", "; ".join(names))], name="document_attachments")
                )
            words.append(f"{len(names)} attachment{'s' if len(names) != 1 else ''}, not opened.")
        text = QPlainTextEdit()
        text.setReadOnly(True)
        text.setObjectName("document_text")
        text.setAccessibleName("Words of the document")
        text.setTabChangesFocus(True)
        text.setPlainText(opened.text.text)
        self._body.addWidget(text, 1)
        if opened.text.cut:
            words.append(f"The first {files.MAX_TEXT_CHARACTERS:,} characters are shown.")
        self.state.setText(" ".join(words) or "The words as they are kept.")

    def _failed(self, trouble: Exception) -> None:
        sentence = trouble.faults[0].sentence if isinstance(trouble, Refused) else str(trouble)
        if self._opened is not None:
            sentence += " Save a copy to look at it elsewhere."
        self.state.setText(sentence)

    def save(self) -> None:
        """Save the kept bytes where the person says, under a name that is harmless anywhere."""
        if self._opened is not None:
            said = save_copy(self._line, self._opened.content, self)
            if said:
                self.state.setText(said)


def save_copy(line: views.DocumentLine, content: bytes, parent: QWidget) -> str:
    """Ask where a document is to be saved and save it whole; says what came of it, '' when the person went back."""
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    name = files.safe_file_name(line.document_id, line.file_name, line.media_type)
    path, _ = QFileDialog.getSaveFileName(parent, "Save a copy", str(Path(folder) / name))
    if not path:
        return ""
    target = QSaveFile(path)
    done = (
        target.open(QSaveFile.OpenModeFlag.WriteOnly)
        and target.write(QByteArray(content)) == len(content)
        and target.commit()
    )
    return f"Saved at {path}." if done else f"It could not be saved: {target.errorString()}."
