"""What the pages share that attach files: the field for a file, reading it, and the dialog that attaches one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QDir, QStandardPaths
from PySide6.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.services import documents
from pharmacy_app.services.desk import Act
from pharmacy_app.services.file_content import MAX_DOCUMENT_BYTES, accepted_patterns
from ui.office import Office
from ui.pages.stock_parts import ActDialog
from ui.theme import SPACE_XS
from ui.widgets.basics import Button
from ui.widgets.fields import ChoiceField, DateField, Field, TextField

FILES_FILTER = f"Documents ({' '.join(accepted_patterns())});;All files (*)"
"""What a file dialog offers."""


def kind_choices() -> list[tuple[str, str]]:
    """The kinds of documents as a choice."""
    return [(kind, f"{kind[:1].upper()}{kind[1:]}") for kind in documents.KINDS]


def read_file(path: str) -> bytes:
    """The bytes of a file to attach, no more of them than are needed to see that it is too large."""
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_DOCUMENT_BYTES + 1)
    except (OSError, ValueError) as trouble:
        reason = getattr(trouble, "strerror", None) or str(trouble)
        raise Refused(
            Fault("file", f"This file cannot be read ({reason}). Look at its name and choose it again.")
        ) from None


class FileField(TextField):
    """The name of a file with its folder, typed or chosen."""

    def __init__(self, name: str, label: str) -> None:
        super().__init__(name, label, required=True, max_length=1000, hint="The file and its folder.")
        self.choose = Button("Bro&wse…", name=f"{name}_choose")
        self.choose.clicked.connect(self._choose)
        self._editor_row.addWidget(self.choose)

    def _choose(self) -> None:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        path, _ = QFileDialog.getOpenFileName(self, "Choose the document", folder, FILES_FILTER)
        if path:
            self.set_value(QDir.toNativeSeparators(path))


_PERMITTED = {
    documents.USE: "Use: release from quarantine",
    documents.EXPIRY_EXTENSION: "A later expiry",
    documents.RETURN: "Return to the supporter",
    documents.TRANSFER: "Transfer to another site",
    documents.DESTRUCTION: "Destruction on site",
}


class PermitsField(Field):
    """What the supporter permits by a document: boxes to tick, there for the kinds that say it."""

    def __init__(self, name: str, kinds: ChoiceField) -> None:
        super().__init__(name, "It permits", hint="It counts for what is ticked alone.")
        self._kinds = kinds
        self._boxes = {purpose: QCheckBox(words) for purpose, words in _PERMITTED.items()}
        beside = QWidget()
        rows = QVBoxLayout(beside)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(SPACE_XS)
        for purpose, box in self._boxes.items():
            box.setObjectName(f"{name}_{purpose.replace(' ', '_')}")
            box.toggled.connect(self._edited)
            rows.addWidget(box)
        self._install(beside)
        kinds.changed.connect(self.show_for_kind)
        self.show_for_kind()

    def show_for_kind(self) -> None:
        """Be there for a permission, where something must be ticked, and for a letter."""
        kind = self._kinds.value()
        self.set_required(kind == documents.SUPPORTERS_PERMISSION)
        self.setVisible(kind in documents.PERMITTING_KINDS)

    def text(self) -> str:
        """What is ticked, with "; " between."""
        if self._kinds.value() not in documents.PERMITTING_KINDS:
            return ""
        return "; ".join(purpose for purpose, box in self._boxes.items() if box.isChecked())

    def set_value(self, value: str) -> None:
        """Tick these, untick the others."""
        ticked = value.split("; ")
        for purpose, box in self._boxes.items():
            box.setChecked(purpose in ticked)

    def editor(self) -> QWidget:
        """The first box."""
        return next(iter(self._boxes.values()))


def purposes_of(value: str) -> tuple[str, ...]:
    """What a ``PermitsField`` says, as the form of a document takes it."""
    return tuple(purpose for purpose in value.split("; ") if purpose)


def attach(office: Office, act: Act, form: documents.DocumentForm, path: str) -> Event:
    """Read a file and attach it; what is wrong with the file stands beside the field ``file``."""
    content = read_file(path)
    try:
        return documents.attach_document(office.desk, act, replace(form, file_name=Path(path).name), content)
    except Refused as refused:
        of_file = ("content", "file_name")
        faults = [replace(fault, field="file") if fault.field in of_file else fault for fault in refused.faults]
        raise Refused(*faults) from None


def attach_row(office: Office, pressed: Callable[[], None], *, name: str, words: str) -> tuple[Button, QWidget]:
    """The button of a dialog by which a document is attached first, and the row it stands in."""
    button = Button(words, name=name, icon="plus")
    why_not = office.why_not("document_attached")
    button.setEnabled(not why_not)
    button.setToolTip(why_not)
    button.clicked.connect(pressed)
    beside = QWidget()
    row = QHBoxLayout(beside)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(button)
    row.addStretch(1)
    return button, beside


def attach_dialog(office: Office, parent: QWidget, *, about: str = "", kind: str = "", permits: str = "") -> ActDialog:
    """Attach a file to anything in the record; 'succeeded' gives the event. ``permits`` is ticked beforehand."""

    def work(act: Act, values: dict[str, str]) -> Event:
        form = documents.DocumentForm(
            values["title"],
            values["kind"],
            values["about"],
            values["signed_by"],
            values["dated_on"],
            "",
            purposes_of(values["permits"]),
        )
        return attach(office, act, form, values["file"])

    kinds = ChoiceField("kind", "&Kind", kind_choices(), required=True)
    purposes = PermitsField("permits", kinds)
    subject = TextField(
        "about",
        "&About",
        max_length=60,
        hint="A number of the record: subject, dose, vial, lot, shipment, form … Empty: the study.",
    )
    dialog = ActDialog(
        office,
        "Attach a document",
        f"{documents.FILES_TAKEN}, kept as it is.",
        "A&ttach",
        [
            FileField("file", "&File"),
            TextField("title", "T&itle", required=True, max_length=120),
            kinds,
            subject,
            TextField(
                "signed_by",
                "&Signed by",
                max_length=60,
                hint="A decision, permission or approval counts by its signature.",
            ),
            DateField("dated_on", "&Dated", required=True),
            purposes,
        ],
        work,
        name="attach_dialog",
        busy="Attaching the document",
        parent=parent,
        columns=2,
    )
    kinds.changed.connect(dialog._fit)
    kinds.set_value(kind)
    subject.set_value(about)
    purposes.set_value(permits)
    purposes.show_for_kind()
    dialog.form.clear_faults()
    dialog._fit()
    return dialog
