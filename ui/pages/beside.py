"""What belongs to one entry: what it corrects, what corrects it, its documents, its verifications and its queries."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from pharmacy_app.services.behind import Beside, beside
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.views import CorrectionLine, EventLine
from ui.document import DocumentDialog
from ui.office import Office
from ui.pages.stock_parts import TippedRows
from ui.widgets.tables import Column, DataTable

_COLUMNS = (Column("said", "What belongs to it", stretch=True, sortable=False),)


class BesideTable(QWidget):
    """Hidden until something is found. Enter opens the entry or the document over this window; Escape comes back."""

    def __init__(self, office: Office, seq: int) -> None:
        super().__init__()
        self.setObjectName("entry_beside")
        self._office = office
        self.rows = TippedRows(_COLUMNS, parent=self)
        self.table = DataTable(
            self.rows,
            name="entry_beside_table",
            label="What belongs to this entry",
            sortable=False,
        )
        self.table.setToolTip("Enter opens an entry or a document; Escape comes back.")
        self.table.row_activated.connect(self._open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        self.hide()

        def question(reader: Reader) -> tuple[Beside, ...]:
            return beside(reader, seq)

        office.ask(question, self._got, office.say_trouble)

    def _got(self, found: tuple[Beside, ...]) -> None:
        self.rows.set_rows(found)
        self.setVisible(bool(found))

    def _open(self, row: Beside) -> None:
        seq = row.seq
        if row.document is not None:
            DocumentDialog(self._office, row.document, self.window()).open()
        elif seq is not None:

            def question(reader: Reader) -> tuple[EventLine | None, CorrectionLine | None]:
                return reader.event(seq), reader.correction(seq)

            self._office.ask(question, self._show_entry, self._office.say_trouble)

    def _show_entry(self, found: tuple[EventLine | None, CorrectionLine | None]) -> None:
        # An entry's window holds this table, and this table opens an entry's window.
        from ui.pages.stock_journal import EventDialog

        event, correction = found
        if event is not None and self.isVisible():
            EventDialog(self._office, event, correction, self.window()).open()
