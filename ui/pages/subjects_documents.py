"""Documents about one subject: those that are kept, opening and saving one, attaching another."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from PySide6.QtCore import QDir, QStandardPaths, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.schedule import place_words
from pharmacy_app.services import documents, views
from ui.document import DocumentDialog, save_copy
from ui.office import Office
from ui.pages.documents import content_of
from ui.pages.documents_parts import FILES_FILTER, PermitsField, kind_choices, purposes_of, read_file
from ui.pages.figure import lead_rows, named
from ui.pages.stock_parts import TippedRows
from ui.pages.subjects_facts import SubjectFacts
from ui.pages.subjects_parts import FittingTable
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, DateField, Form, TextField
from ui.widgets.panels import Banner, Card
from ui.widgets.tables import Column


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A line of the documents table."""

    line: views.DocumentLine
    document_id: str
    title: str
    kind: str
    about: str
    signed_by: str
    dated_on: date


class AttachCard(Card):
    """The form that attaches a file. Signals ``attached()``, ``closed()``, ``resized()``."""

    attached = Signal()
    closed = Signal()
    resized = Signal()

    def __init__(self, office: Office) -> None:
        super().__init__(
            "Attach a document",
            f"{documents.FILES_TAKEN}, kept as it is.",
            name="attach_card",
        )
        self._office = office
        self._act = office.act()
        self._number = ""
        self._busy = False
        self.form = Form(name="attach_form")
        self.file = TextField("attach_file", "&File", required=True, max_length=1000, hint="The file and its folder.")
        self.choose = Button("&Browse…", name="attach_choose")
        self.choose.clicked.connect(self._choose_file)
        self.form.add(self.file, span=2)
        beside = QWidget()
        chooser = QHBoxLayout(beside)
        chooser.setContentsMargins(0, 0, 0, 0)
        chooser.addWidget(self.choose)
        chooser.addStretch(1)
        self.form.add_widget(beside)
        self.form.add(TextField("attach_title", "T&itle", required=True, max_length=120), span=2)
        kind = ChoiceField("attach_kind", "&Kind", kind_choices(), required=True)
        self.form.add(kind)
        self.about = ChoiceField("attach_about", "Abo&ut", required=True)
        self.form.add(self.about)
        self.form.add(
            TextField(
                "attach_signed_by",
                "&Signed by",
                max_length=60,
                hint="A decision or a permission counts by its signature.",
            )
        )
        self.form.add(DateField("attach_dated_on", "Dat&ed", required=True))
        self.form.add(PermitsField("attach_permits", kind))
        self.add(self.form)
        self.cancel = Button("Cance&l", name="attach_cancel")
        self.cancel.clicked.connect(self.close_card)
        self.button = Button("Attac&h", name="attach", kind="primary")
        self.button.clicked.connect(self._attach)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.button)
        self.body.addLayout(row)

    def set_facts(self, facts: SubjectFacts) -> None:
        """Take the subject and its doses; with another subject the draft goes."""
        if facts.number != self._number:
            self._number = facts.number
            self._empty()
        choices = [(facts.number, f"Subject {facts.number}")]
        choices += [
            (dose.dose_id, f"Dose {dose.dose_id}, {place_words(dose.course, dose.cycle, dose.day)}")
            for dose in reversed(facts.doses)
        ]
        kept = self.form.is_dirty()
        self.about.set_choices(choices)
        if not self.about.value():
            self.about.set_value(facts.number)
        if not kept:
            self.form.mark_clean()

    def is_dirty(self) -> bool:
        """Whether a document is half described."""
        return self.form.is_dirty()

    def close_card(self) -> None:
        """Drop what was typed and go."""
        self._empty()
        self.closed.emit()

    def _empty(self) -> None:
        self._act = self._office.act()
        self.form.clear()
        self.about.set_value(self._number)
        self.form.mark_clean()

    def _choose_file(self) -> None:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        path, _ = QFileDialog.getOpenFileName(self, "Choose the document", folder, FILES_FILTER)
        if path:
            self.file.set_value(QDir.toNativeSeparators(path))

    def _attach(self) -> None:
        if self._busy:
            return
        self._busy = True
        self.form.clear_faults()
        self.button.setEnabled(False)
        desk, act = self._office.desk, self._act
        values = {name.removeprefix("attach_"): value for name, value in self.form.values().items()}
        path, permits = values.pop("file"), purposes_of(values.pop("permits"))
        form = documents.DocumentForm(**values, file_name=Path(path).name, permits=permits)

        def work() -> Event:
            content = read_file(path) if path else b""
            return documents.attach_document(desk, act, form, content)

        self._office.do(work, self._attached, self._not_attached, busy="Attaching the document")

    def _attached(self, event: Event) -> None:
        self._busy = False
        self.button.setEnabled(True)
        self._empty()
        self._office.messages.ok(f"“{event.content['title']}” is attached as document {event.content['document_id']}.")
        self.attached.emit()

    def _not_attached(self, trouble: Exception) -> None:
        self._busy = False
        self.button.setEnabled(True)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        to_file = {"content": "file", "file_name": "file"}
        missing = not self.file.value()
        shown = []
        for fault in faults:
            name = to_file.get(fault.field, fault.field)
            if name == "file" and missing:
                continue
            shown.append(replace(fault, field=f"attach_{name}" if name else ""))
        if missing:
            shown.insert(0, Fault("attach_file", "Choose the file to attach, or type where it is."))
        self.form.show_faults(shown)
        self.resized.emit()


class DocumentsView(QWidget):
    """The table of kept documents with what may be done with them. Signal ``attached()``, ``look_at(widget)``."""

    attached = Signal()
    look_at = Signal(QWidget)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self._office = office
        self._number = ""
        self._wanted: views.DocumentLine | None = None
        self._trouble = Banner("stop", "", name="documents_trouble")
        self._trouble.hide()
        self.card = AttachCard(office)
        self.card.hide()
        self.card.attached.connect(self._did_attach)
        self.card.closed.connect(self._close)
        self.card.resized.connect(self._show_card)
        self._rows = TippedRows(
            (
                Column("document_id", "Number"),
                Column("title", "Title", stretch=True),
                Column("kind", "Kind"),
                Column("about", "About"),
                Column("signed_by", "Signed by", write=lambda text: text or "–"),
                Column("dated_on", "Dated", write=say_day),
            ),
            parent=self,
        )
        self.table = FittingTable(
            self._rows,
            spare=("about", "signed_by"),
            name="documents_table",
            label="Documents",
            empty_text="No document is attached yet.",
            visible_rows=6,
        )
        self.table.row_chosen.connect(self._choose)
        self.table.row_activated.connect(self._activated)
        lead_rows(office, self.table, thing=named("document_id"))
        card = Card("Documents", "About this subject and its doses. Enter or a double click opens one.")
        self.begin = Button("Attach a docu&ment", name="begin_attach", icon="plus")
        self.begin.clicked.connect(self.begin_attach)
        self.begin.setEnabled(office.may("document_attached"))
        self.begin.setToolTip(office.why_not("document_attached"))
        card.head.addWidget(self.begin, 0, Qt.AlignmentFlag.AlignTop)
        card.add(self.table)
        self.open_button = Button("&Open", name="open_document")
        self.open_button.clicked.connect(self.open_chosen)
        self.save_button = Button("Sa&ve a copy…", name="save_document")
        self.save_button.clicked.connect(self.save_chosen)
        self._said = Text("", "muted", name="document_said")
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self._said, 1)
        row.addWidget(self.open_button)
        row.addWidget(self.save_button)
        card.body.addLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self._trouble)
        column.addWidget(self.card)
        column.addWidget(card)
        column.addStretch(1)
        self._offer(None)

    def show_facts(self, facts: SubjectFacts) -> None:
        """Show one subject's documents; a draft stays while it is the same one."""
        if facts.number != self._number:
            self._number = facts.number
            self.card.hide()
            self.begin.show()
        self.card.set_facts(facts)
        self._rows.set_rows([_row(line) for line in facts.documents])
        self._offer(None)

    def is_dirty(self) -> bool:
        """Whether a document is half described."""
        return self.card.is_dirty()

    def begin_attach(self) -> None:
        """Open the form."""
        self.card.show()
        self.begin.hide()
        self.card.file.editor().setFocus()
        self._show_card()

    def _close(self) -> None:
        self.card.hide()
        self.begin.show()
        self.begin.setFocus()

    def _did_attach(self) -> None:
        self._close()
        self.attached.emit()

    def _show_card(self) -> None:
        self.look_at.emit(self.card)

    # -- looking at one

    def _choose(self, row: DocumentRow) -> None:
        self._offer(row)

    def _activated(self, row: DocumentRow) -> None:
        self._offer(row)
        self.open_chosen()

    def _offer(self, row: DocumentRow | None) -> None:
        self._wanted = None if row is None else row.line
        for button in (self.open_button, self.save_button):
            button.setEnabled(row is not None)
        if row is None:
            self._said.setText("Choose a document to open it or to save a copy." if self._rows.rowCount() else "")
        else:
            line = row.line
            signed = f" signed by {line.signed_by}," if line.signed_by else ""
            self._said.setText(
                f"{line.file_name}, about {line.about},{signed} attached by {line.attached_by} on"
                f" {say_moment(line.attached_at)}."
            )

    def open_chosen(self) -> None:
        """Show the document here, without handing it to another program."""
        if self._wanted is not None:
            DocumentDialog(self._office, self._wanted, self).open()

    def save_chosen(self) -> None:
        """Save a copy of the kept bytes where the person says."""
        line = self._wanted
        if line is not None:
            self._office.ask(lambda reader: (line, content_of(reader, line)), self._save, self._failed)

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", str(trouble))
        self._trouble.show()

    def _save(self, found: tuple[views.DocumentLine, bytes]) -> None:
        self._trouble.hide()
        said = save_copy(*found, self)
        if said:
            self._said.setText(said)


def _row(line: views.DocumentLine) -> DocumentRow:
    return DocumentRow(
        line,
        line.document_id,
        line.title,
        line.kind,
        line.about,
        line.signed_by,
        line.dated_on,
    )
