"""The dialog that takes a written decision to go on past one stop, with the document it stands in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.findings import Finding
from pharmacy_app.domain.rules import RULES
from pharmacy_app.services.desk import Act
from pharmacy_app.services.documents import WRITTEN_DECISION, DocumentForm, attach_document
from pharmacy_app.services.doses import OverrideTyped
from pharmacy_app.services.file_content import MAX_DOCUMENT_BYTES
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.views import DocumentLine, DoseLine
from ui.office import Office
from ui.pages.documents_parts import FILES_FILTER
from ui.pages.prepare_step import column_of, row_of, say_day
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, DateField, Form, NoteField, TextField


@dataclass(frozen=True, slots=True)
class Attached:
    """The number a file got, and the documents there are now."""

    document_id: str
    documents: tuple[DocumentLine, ...]


def documents_of(reader: Reader, line: DoseLine) -> tuple[DocumentLine, ...]:
    """The documents about a dose or its subject, the newest first."""
    about = [*reader.documents(about=line.dose_id), *reader.documents(about=line.subject_number)]
    found = [document for document in about if document.kind == WRITTEN_DECISION]
    return tuple(sorted(found, key=lambda document: document.event_seq, reverse=True))


def say_document(document: DocumentLine) -> str:
    """A document as one choice."""
    signed = f" · {document.signed_by}" if document.signed_by else ""
    return f"{document.document_id} · {document.title}{signed} · {say_day(document.dated_on)}"


def deciders_of(rule_id: str) -> tuple[str, ...]:
    """The roles that may decide past a rule."""
    return RULES[rule_id].deciders if rule_id in RULES else ()


class WrittenDecisionDialog(QDialog):
    """Takes who decided to go on past one stop, when, why, and by which document.

    Signal ``typed(OverrideTyped)``; the step closes it, or shows ``faults``. A file attached here is kept at once,
    about the dose, whether or not the decision is.
    """

    typed = Signal(object)

    def __init__(self, office: Office, finding: Finding, line: DoseLine, today: date, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("override_dialog")
        self.setWindowTitle("Record a written decision")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(600)
        self.office = office
        self.rule = finding.rule
        self._line = line
        self._act: Act | None = None
        self._names = {
            "prescriber": line.prescriber,
            "principal investigator": office.site.principal_investigator,
        }
        deciders = deciders_of(finding.rule)
        self.form = self._make_form(deciders, today)
        self.keep = Button("&Keep the decision", name="override_keep", kind="primary", icon="sign")
        self.keep.clicked.connect(self._ask)
        said = Text(finding.sentence)
        needs = Text(f"Going on takes a decision in writing by the {' or the '.join(deciders)}.", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(f"Written decision on {finding.rule}", "section"))
        column.addWidget(_scrolled(said, needs, self.form), 1)
        column.addLayout(self._make_foot())
        self.resize(680, min(740, self.screen().availableGeometry().height() - SPACE_L * 2))
        self._role.setFocus()

        def question(reader: Reader) -> tuple[DocumentLine, ...]:
            return documents_of(reader, line)

        office.ask(question, self._got_documents, self._failed)

    def _make_form(self, deciders: tuple[str, ...], today: date) -> Form:
        form = Form(columns=2, name="override_form")
        self._role = ChoiceField("role", "&Role", [(role, role.capitalize()) for role in deciders], required=True)
        self._who = TextField("decided_by", "&Decided by", required=True, max_length=60)
        self._on = DateField("decided_on", "Decided &on", required=True)
        self._on.set_date(today)
        self._document = ChoiceField(
            "document", "Do&cument", required=True, hint="The paper in which it was decided, signed and dated."
        )
        self._attach = Button("&Attach a file…", name="override_attach", icon="plus")
        self._attach.clicked.connect(self._choose_file)
        self._attach.setEnabled(self.office.may("document_attached"))
        self._attach.setToolTip(self.office.why_not("document_attached"))
        form.add(self._role)
        form.add(self._who)
        form.add(self._on)
        form.end_row()
        form.add(self._document, span=2)
        kept = Text("PDF, PNG, JPEG or text. It is kept with the dose at once.", "muted", wrap=False)
        form.add_widget(row_of(self._attach, kept))
        form.add(NoteField("why", "&Why", required=True, lines=2), span=2)
        self._role.changed.connect(self._name_person)
        if len(deciders) == 1:
            self._role.set_value(deciders[0])
        return form

    def _make_foot(self) -> QHBoxLayout:
        back = Button("&Go back", name="override_back")
        back.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addStretch(1)
        foot.addWidget(back)
        foot.addWidget(self.keep)
        return foot

    def faults(self, faults: Sequence[Fault]) -> None:
        """Show what was refused; what was typed stays."""
        self.keep.setEnabled(True)
        at = f"overrides.{self.rule}."
        self.form.show_faults([replace(fault, field=fault.field.removeprefix(at)) for fault in faults])

    def attach(self, path: Path) -> None:
        """Keep a file with the dose, with what is typed of it, and choose it."""
        if self._act is None:
            self._act = self.office.act()
        desk, act, line = self.office.desk, self._act, self._line
        form = DocumentForm(
            title=f"Written decision on {self.rule}",
            kind="written decision",
            about=line.dose_id,
            signed_by=self._who.value(),
            dated_on=self._on.value(),
            file_name=path.name,
        )

        def work() -> Attached:
            number = str(attach_document(desk, act, form, read_file(path)).content["document_id"])
            with desk.store.read() as reader:
                return Attached(number, documents_of(reader, line))

        self._attach.setEnabled(False)
        self.office.do(work, self._attached, self._not_attached, busy="Attaching the file")

    def _got_documents(self, documents: tuple[DocumentLine, ...]) -> None:
        self._document.set_choices([(document.document_id, say_document(document)) for document in documents])
        if not documents:
            self._document.set_hint("None is attached to this dose or subject yet. Attach the signed paper.")

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose the written decision", "", FILES_FILTER)
        if path:
            self.attach(Path(path))

    def _attached(self, attached: Attached) -> None:
        self._act = None
        self._attach.setEnabled(True)
        self.form.clear_faults()
        self._got_documents(attached.documents)
        self._document.set_value(attached.document_id)
        self._document.set_hint(f"Attached as {attached.document_id}.")
        self.form.field("why").editor().setFocus()

    def _not_attached(self, trouble: Exception) -> None:
        self._attach.setEnabled(True)
        if not isinstance(trouble, Refused):
            self._failed(trouble)
            return
        fields = {"signed_by": "decided_by", "dated_on": "decided_on"}
        self.form.show_faults([replace(fault, field=fields.get(fault.field, "document")) for fault in trouble.faults])

    def _failed(self, trouble: Exception) -> None:
        self.form.show_faults([Fault("document", str(trouble))])

    def _name_person(self) -> None:
        if self._who.value() in ("", *self._names.values()):
            self._who.set_value(self._names.get(self._role.value(), ""))

    def _ask(self) -> None:
        self.keep.setEnabled(False)
        self.typed.emit(OverrideTyped(self.rule, **self.form.values()))


def _scrolled(*widgets: QWidget) -> QScrollArea:
    """Widgets one beneath the other, which scroll where the dialog is too small for them."""
    inside = column_of(*widgets)
    inside.setObjectName("scroll_content")
    inside.setContentsMargins(0, 0, SPACE_S, 0)
    if isinstance(column := inside.layout(), QVBoxLayout):
        column.addStretch(1)
    area = QScrollArea()
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidgetResizable(True)
    area.viewport().setAutoFillBackground(False)
    area.setWidget(inside)
    inside.setAutoFillBackground(False)
    return area


def read_file(path: Path) -> bytes:
    """The bytes of a file to be attached; of one too large only as many as show that it is."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise Refused(
            Fault("content", f"{path.name} cannot be read ({error.strerror}). Check that it is still there.")
        ) from error
