"""What is behind a number: the number and its sum on top, the entries beneath; Enter opens one, Escape goes back."""

from decimal import Decimal
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.units import show
from pharmacy_app.services.behind import Behind, Part, What, behind
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.views import CorrectionLine, DocumentLine, EventLine
from ui.document import DocumentDialog
from ui.office import Office
from ui.pages.stock_journal import EventDialog
from ui.pages.stock_parts import MOMENT_WIDTH, TippedRows, fill_height, vials_count
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.panels import Banner
from ui.widgets.tables import Column, DataTable


def _signed(change: Decimal | None) -> str:
    """A contribution with its sign."""
    if change is None:
        return "–"
    return f"+{show(change)}" if change > 0 else f"−{show(-change)}" if change < 0 else "0"


def _or_dash(value: Any) -> str:
    return "–" if value in (None, "", ()) else str(value)


def _sum(after: Decimal | None) -> str:
    return "–" if after is None else show(after)


_PARTS = (
    Column("seq", "Entry", numeric=True, width=72, sortable=False, write=_or_dash),
    Column("words", "What", stretch=True, sortable=False),
    Column("change", "Change", numeric=True, width=84, sortable=False, write=_signed),
    Column(
        "after", "Sum", numeric=True, width=76, sortable=False, write=lambda sum_: "–" if sum_ is None else show(sum_)
    ),
    Column("done_at", "Done at", width=MOMENT_WIDTH, sortable=False, write=lambda at: say_moment(at) if at else "–"),
    Column("by", "Who", width=128, sortable=False, write=_or_dash),
    Column("corrected_by", "Corrected by", width=104, sortable=False, write=_or_dash, strikes=False),
)

_DOCUMENTS = (
    Column("document_id", "Document", width=110, sortable=False),
    Column("title", "Title", stretch=True, sortable=False),
    Column("kind", "Kind", width=150, sortable=False),
    Column("signed_by", "Signed by", width=150, sortable=False, write=_or_dash),
)


class BehindDialog(QDialog):
    """One number with all that makes it. An entry opens over it, and Escape leads back here."""

    def __init__(self, office: Office, what: What, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("behind_dialog")
        self.setWindowTitle("What is behind it")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(940, 620)
        self._office = office
        self.title = Text("One moment…", "title", name="behind_title")
        self.number = Text("", "display", wrap=False, name="behind_number")
        self.banner = Banner("info", "The entries are being gathered.", word="One moment", name="behind_sum")
        self.note = Text("", "muted", name="behind_note")
        self.note.hide()
        self.parts = TippedRows(_PARTS)
        self.table = DataTable(
            self.parts, name="behind_parts", label="Entries behind it", empty_text="No entry yet.", sortable=False
        )
        fill_height(self.table, 190)
        self.table.row_activated.connect(self._open_part)
        self._documents_title = Text("Documents", "section")
        self.documents = TippedRows(_DOCUMENTS)
        self.documents_table = DataTable(
            self.documents, name="behind_documents", label="Documents", sortable=False, visible_rows=3
        )
        self.documents_table.row_activated.connect(self._open_document)
        for part in (self._documents_title, self.documents_table):
            part.hide()
        close = Button("&Close", name="behind_close")
        close.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(Text("Enter opens an entry or a document; Escape goes back one step.", "muted"), 1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        for head in (self.title, self.number, self.banner, self.note):
            column.addWidget(head)
        column.addWidget(self.table, 1)
        column.addWidget(self._documents_title)
        column.addWidget(self.documents_table)
        column.addLayout(foot)
        self.table.setFocus()
        desk = office.desk

        def question(reader: Reader) -> Behind:
            return behind(desk, reader, what)

        office.ask(question, self._got, self._failed)

    def _got(self, found: Behind) -> None:
        self.title.setText(found.title)
        self.setWindowTitle(found.title)
        shown = f"{show(found.number)} {found.unit}" if found.number is not None else ""
        if found.unit == "vials" and found.number is not None:
            shown = vials_count(int(found.number))
        self.number.setText(shown)
        self.number.setVisible(bool(shown))
        entries = len({part.seq for part in found.parts if part.seq is not None})
        which = "entry" if entries == 1 else "entries"
        if found.number is None:
            self.banner.set_message("info", f"{entries:,} {which}, oldest first.")
            self.banner.setVisible(bool(found.parts))
        elif found.agrees and found.total is not None:
            self.banner.set_message("ok", f"The changes below sum to {show(found.total)} {found.unit}.", word="Adds up")
        else:
            total = "nothing" if found.total is None else f"{show(found.total)} {found.unit}"
            self.banner.set_message(
                "stop",
                f"The changes below sum to {total}, not to {shown}. Verify the journal, and do not rely on the number.",
                word="Does not add up",
            )
        self.note.setText(found.note)
        self.note.setVisible(bool(found.note))
        self.parts.set_rows(found.parts)
        for at, column in enumerate(_PARTS):
            if column.key in ("change", "after"):
                self.table.setColumnHidden(at, found.number is None)
            elif column.key == "corrected_by":
                self.table.setColumnHidden(at, all(part.corrected_by is None for part in found.parts))
        if found.parts:
            self.table.setCurrentIndex(self.parts.index(len(found.parts) - 1, 0))
        self.documents.set_rows(found.documents)
        for part in (self._documents_title, self.documents_table):
            part.setVisible(bool(found.documents))

    def _failed(self, trouble: Exception) -> None:
        words = " ".join(map(str, trouble.faults)) if isinstance(trouble, Refused) else str(trouble)
        self.title.setText("Nothing to show")
        self.banner.set_message("stop", words)

    # -- going deeper

    def _open_part(self, part: Part) -> None:
        seq = part.seq
        if seq is None:
            return

        def question(reader: Reader) -> tuple[EventLine | None, CorrectionLine | None]:
            return reader.event(seq), reader.correction(seq)

        self._office.ask(question, self._show_entry, self._office.say_trouble)

    def _show_entry(self, found: tuple[EventLine | None, CorrectionLine | None]) -> None:
        event, correction = found
        if event is not None and self.isVisible():
            EventDialog(self._office, event, correction, self).open()

    def _open_document(self, line: DocumentLine) -> None:
        DocumentDialog(self._office, line, self).open()


def open_behind(office: Office, what: What, parent: QWidget) -> BehindDialog:
    """Open what is behind a number."""
    dialog = BehindDialog(office, what, parent)
    dialog.open()
    return dialog
