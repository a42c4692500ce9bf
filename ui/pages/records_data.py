"""Data as a file: a table or a dataset, in a format and a sponsor's columns if need be; and all of one subject."""

from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import STRENGTHS_MG
from pharmacy_app.services.column_maps import shipped_maps
from pharmacy_app.services.data_export import EXPORTS, Exported, ExportForm, export_data
from pharmacy_app.services.export import SubjectExport, export_subject, write_files
from pharmacy_app.services.table_files import SUFFIXES
from pharmacy_app.services.tables import Table
from ui.office import Office
from ui.pages.records_catalogue import Offers
from ui.pages.records_view import TakeView
from ui.pages.stock_parts import ANY, say_mg, vials_count
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, DateField, Form, TextField
from ui.widgets.long_work import Tell

FORMATS = (
    ("csv", "CSV, for another program"),
    ("xlsx", "Workbook (.xlsx), for a spreadsheet"),
    ("json", "Dataset-JSON 1.1 (.json), for statistics"),
)
AS_THEY_ARE = "as they are"
NOTHING = "No file was left, and nothing recorded."


def documents_folder() -> Path:
    """Where people keep their documents on this PC."""
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))


class DataView(TakeView):
    """A table or dataset, its format, columns and rows, and the new file."""

    def __init__(self, office: Office) -> None:
        super().__init__(office, "data", "&Write the file", NOTHING)
        self._offers: Offers | None = None
        self._forms: dict[str, Form] = {}
        self._proposed = ""
        self._format = "csv"
        tables = [
            (name, f"{table.label} (dataset {name})" if table.is_dataset else table.label)
            for name, table in EXPORTS.items()
        ]
        self.what = ChoiceField("what", "W&hat", tables)
        self.what.set_value("ledger")
        self.choose_button = Button("Choose the fil&e…", name="data_path_choose")
        self.choose_button.clicked.connect(self.choose_file)
        self._place = QVBoxLayout()
        self.body.addWidget(self.what)
        self.body.addLayout(self._place)
        row = QHBoxLayout()
        row.addWidget(self.choose_button)
        row.addStretch(1)
        self.body.addLayout(row)
        self.body.addWidget(self.banner)
        self.body.addStretch(1)
        self.what.changed.connect(self._chosen)

    def show_offers(self, offers: Offers) -> None:
        """Offer what is on record."""
        self._offers = offers
        self.banner.hide()
        self.verb.setEnabled(True)
        self._chosen()

    @property
    def form(self) -> Form:
        """The fields of the table that is chosen."""
        return self._forms[self.what.value()]

    def _chosen(self) -> None:
        if self._offers is None:
            return
        name = self.what.value()
        if name not in self._forms:
            form = self._forms[name] = _data_form(name, EXPORTS[name], self._offers)
            form.field("format").set_value(self._format)
            form.field("format").changed.connect(self._renamed)
            self._place.addWidget(form)
        for key, form in self._forms.items():
            form.setVisible(key == name)
        self.banner.hide()
        self._renamed()

    def _renamed(self) -> None:
        """Propose a file of the format's ending, as long as nobody has named one."""
        name, form = self.what.value(), self.form
        self._format = form.field("format").value() or self._format
        path = form.field("path")
        if path.value() in ("", self._proposed):
            number = "-".join(self._office.site.protocol_number.split())
            file = documents_folder() / f"{number}-{name}{SUFFIXES[self._format]}"
            free, at = file, 2
            while free.exists():
                free, at = file.with_stem(f"{file.stem}-{at}"), at + 1
            self._proposed = str(free)
            path.set_value(self._proposed)
        else:
            path.set_value(str(Path(path.value()).with_suffix(SUFFIXES[self._format])))

    def choose_file(self) -> None:
        """Choose folder and name in the system's dialog."""
        field = self.form.field("path")
        suffix = SUFFIXES[self._format]
        path, _ = QFileDialog.getSaveFileName(self, "Write the file", field.value(), f"*{suffix}")
        if path:
            field.set_value(path)

    def ask(self) -> None:
        """Write the file and record it."""
        if self._offers is None or self.work.at_work or not self.form.check():
            return
        values = {
            name: "" if value in (ANY, AS_THEY_ARE) else value
            for name, value in (("what", self.what.value()), *self.form.values().items())
        }
        self._same(values)
        self._hold(True)
        self.what.setEnabled(False)
        desk, act, form = self._office.desk, self._act, ExportForm(**values)

        def work(tell: Tell) -> Exported:
            return export_data(desk, act, form, tell=tell)

        self.work.start(work, f"{EXPORTS[form.what].label}: the file is being written")

    def _hold(self, busy: bool) -> None:
        super()._hold(busy)
        self.what.setEnabled(not busy)
        self.choose_button.setEnabled(not busy)

    def _done(self, answer: object) -> None:
        assert isinstance(answer, Exported)
        beside = f" Its list of variables lies beside it: {answer.variables.name}." if answer.variables else ""
        notes = "".join(f" {note}" for note in answer.notes)
        self._proposed = self.form.field("path").value()
        self._taken(
            f"{vials_count(answer.rows, 'row')} in {answer.path}. SHA-256 {answer.sha256}. Entry {answer.event.seq:,}"
            f" of the journal says so.{beside}{notes}"
        )


def _data_form(name: str, table: Table, offers: Offers) -> Form:
    """The fields a table can be chosen by."""
    form = Form(columns=2, name=f"data_{name}")
    format_field = ChoiceField("format", "Fo&rmat", FORMATS)
    form.add(format_field)
    maps = [(each.name, each.title) for each in shipped_maps() if each.table == name]
    if not table.is_dataset:
        columns = ChoiceField("column_map", "Col&umns", [(AS_THEY_ARE, "As they are"), *maps, *offers.maps])
        columns.set_value(AS_THEY_ARE)
        form.add(columns)
    if table.day:
        form.end_row()
        form.add(DateField("from_on", "&From", hint="Empty: from the first."))
        form.add(DateField("to_on", "T&o", hint="Empty: to the last."))
    strengths = tuple((show(each), say_mg(each)) for each in STRENGTHS_MG)
    for column, field, label, choices, words in (
        (table.subject, "subject_number", "Su&bject", offers.subjects, "All subjects"),
        (table.strength, "strength_mg", "Stren&gth", strengths, "All strengths"),
        (table.lot, "lot", "&Lot", offers.lots, "All lots"),
        (table.place, "place", "Pl&ace", offers.places, "All places"),
    ):
        if column:
            choice = ChoiceField(field, label, [(ANY, words), *choices])
            choice.set_value(ANY)
            form.add(choice)
    form.end_row()
    form.add(TextField("path", "&New file", required=True, max_length=400), span=2)
    return form


class SubjectView(TakeView):
    """Everything of one subject, known by the number alone, in a new folder."""

    def __init__(self, office: Office) -> None:
        super().__init__(office, "subject", "&Write the folder", NOTHING)
        self._proposed = ""
        self._form = Form(columns=1, name="subject_form")
        self.subject = ChoiceField("subject_number", "Su&bject", required=True)
        self.folder = TextField(
            "folder",
            "&New folder",
            required=True,
            max_length=400,
            hint="A new or an empty one: nothing is written over.",
        )
        self._form.add(self.subject)
        self._form.add(self.folder)
        self.body.addWidget(
            Text(
                "Treatment calendar as PDF; doses, dispensing, measurements, treatment and the trail of entries as CSV."
                " Initials and birth date are in none of it; notes are as people typed them: look through them first.",
                name="subject_text",
            )
        )
        self.body.addWidget(self._form)
        self.body.addWidget(self.banner)
        self.body.addStretch(1)
        self.subject.changed.connect(self._named)

    @property
    def form(self) -> Form:
        """The two fields."""
        return self._form

    def show_offers(self, offers: Offers) -> None:
        """Offer the subjects."""
        self.subject.set_choices(offers.subjects)
        self.banner.setVisible(not offers.subjects)
        if not offers.subjects:
            self.banner.set_message("info", "No subject is enrolled yet. There is nothing to take away.")
        self.verb.setEnabled(bool(offers.subjects))

    def _named(self) -> None:
        if self.subject.value() and self.folder.value() in ("", self._proposed):
            self._proposed = str(documents_folder() / f"subject-{self.subject.value()}")
            self.folder.set_value(self._proposed)

    def ask(self) -> None:
        """Write the folder and record it."""
        if self.work.at_work or not self.verb.isEnabled() or not self.form.check():
            return
        number, folder = self.subject.value(), Path(self.folder.value())
        # The folder is no part of what is recorded: where it cannot be written, another one is the same act.
        self._same({"subject_number": number})
        self._hold(True)
        desk, act = self._office.desk, self._act

        def work(tell: Tell) -> tuple[SubjectExport, Path]:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise Refused(Fault("folder", f"{folder} is not empty. Name a new folder: nothing is written over."))
            tell(0, 2)
            export = export_subject(desk, act, number)
            write_files(folder, export.files)
            return export, folder

        self.work.start(work, f"All of subject {number} is being written")

    def _done(self, answer: object) -> None:
        assert isinstance(answer, tuple)
        export, folder = answer
        self._taken(
            f"{vials_count(len(export.files), 'file')} in {folder}. The journal names each of them with its SHA-256,"
            f" as entry {export.event.seq:,}; they are in manifest.csv too."
        )
