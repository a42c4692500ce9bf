"""Documents: every paper kept with the study in the order of its date, opened here, saved whole, another attached."""

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.domain.events import Event
from pharmacy_app.services.about import about_words
from pharmacy_app.services.ports import DocumentFilter, Reader
from pharmacy_app.services.views import DocumentLine
from ui.document import DocumentDialog, save_copy, size_words
from ui.office import Office
from ui.pages.documents_parts import attach_dialog, kind_choices
from ui.pages.figure import lead_rows, named
from ui.pages.stock_parts import ANY, FilterBar, TippedPages, fill_height, vials_count
from ui.theme import SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, TextField
from ui.widgets.tables import Column, DataTable, PageRequest, PageResult


def content_of(reader: Reader, document: DocumentLine) -> bytes:
    """The bytes of a kept document; raises ``Unavailable`` when they are gone."""
    content = reader.paper(document.sha256)
    if content is None:
        raise Unavailable(f"The file of document {document.document_id} is not in this database. Restore a backup.")
    return content


_COLUMNS = (
    Column("dated_on", "Dated", width=112, write=say_day),
    Column("document_id", "Number", width=100),
    Column("kind", "Kind", width=150),
    Column("title", "Title", width=160, stretch=True),
    Column("about", "About", width=150, write=about_words),
    Column("signed_by", "Signed by", width=110, write=lambda text: text or "–"),
)


class DocumentsView(QWidget):
    """The documents of the study; ``refresh()`` asks anew, ``look_for(text)`` shows what fits a number or a word."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("documents_view")
        self._office = office
        self._chosen: DocumentLine | None = None
        self.kind = ChoiceField("documents_kind", "&Kind", [(ANY, "All kinds"), *kind_choices()])
        self.kind.set_value(ANY)
        self.text = TextField("documents_text", "Title, number, file, si&gner or what it is about", max_length=60)
        bar = FilterBar(((self.kind, 1), (self.text, 2)), name="documents_filter")
        bar.changed.connect(self._filter)
        self.model = TippedPages(_COLUMNS, office.bridge, self._fetch, parent=self)
        self.model.loaded.connect(self._loaded)
        self.table = DataTable(
            self.model,
            name="study_documents",
            label="Documents of the study by date",
            empty_text="No document fits. Permissions, packing lists, logger files and letters are attached here.",
        )
        fill_height(self.table, 240)
        self.table.row_chosen.connect(self._choose)
        self.table.row_activated.connect(self._open)
        lead_rows(office, self.table, thing=named("document_id"))
        self._said = Text("", "muted", name="documents_said")
        self.attach_button = Button("&Attach a document…", name="documents_attach", icon="plus")
        self.attach_button.clicked.connect(self.attach)
        self.attach_button.setEnabled(office.may("document_attached"))
        self.attach_button.setToolTip(office.why_not("document_attached"))
        self.open_button = Button("Op&en", name="documents_open")
        self.open_button.clicked.connect(self._open_chosen)
        self.save_button = Button("Sa&ve a copy…", name="documents_save")
        self.save_button.clicked.connect(self._fetch_copy)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self._said, 1)
        for button in (self.attach_button, self.save_button, self.open_button):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(bar)
        column.addWidget(self.table, 1)
        column.addLayout(foot)
        self._choose(None)

    def refresh(self) -> None:
        """Ask anew for the documents."""
        self.model.reload()

    def look_for(self, text: str) -> None:
        """Show the documents that fit a number or a word."""
        self.kind.set_value(ANY)
        self.text.set_value(text)
        self._filter()

    def _filter(self) -> None:
        kind = self.kind.value()
        self.model.set_filter(DocumentFilter("" if kind == ANY else kind, self.text.value()))

    def _fetch(self, request: PageRequest) -> PageResult:
        """In the database thread: one page, the newest date first unless another order is chosen."""
        wanted = request.filter or DocumentFilter()
        with self._office.desk.store.read() as reader:
            lines = reader.documents_listed(
                wanted,
                sort=request.sort or "dated_on",
                descending=request.descending if request.sort else True,
                offset=request.offset,
                limit=request.limit,
            )
            return PageResult(tuple(lines), reader.count_documents(wanted))

    def _loaded(self, total: int) -> None:
        if self._chosen is None:
            self._said.setText(f"{vials_count(total, 'document')}, the newest date first. Enter opens one.")

    def _choose(self, line: DocumentLine | None) -> None:
        self._chosen = line
        for button in (self.open_button, self.save_button):
            button.setEnabled(line is not None)
        if line is not None:
            self._said.setText(
                f"{line.document_id}: {line.file_name}, {size_words(line.size_bytes)}, attached by"
                f" {line.attached_by} on {say_moment(line.attached_at)}."
            )

    def _open(self, line: DocumentLine) -> None:
        DocumentDialog(self._office, line, self).open()

    def _open_chosen(self) -> None:
        if self._chosen is not None:
            self._open(self._chosen)

    def _fetch_copy(self) -> None:
        line = self._chosen
        if line is not None:
            self._office.ask(lambda reader: (line, content_of(reader, line)), self._save, self._office.say_trouble)

    def _save(self, found: tuple[DocumentLine, bytes]) -> None:
        said = save_copy(*found, self)
        if said:
            self._said.setText(said)

    def attach(self) -> None:
        """Ask for a file and what it is."""
        dialog = attach_dialog(self._office, self)
        dialog.succeeded.connect(self._attached)
        dialog.open()

    def _attached(self, event: Event) -> None:
        content = event.content
        self._office.messages.ok(f"“{content['title']}” is attached as document {content['document_id']}.")
        self._office.changed.emit()
