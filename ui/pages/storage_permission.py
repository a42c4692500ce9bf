"""Releasing held or quarantined vials by the supporter's attached permission."""

from PySide6.QtWidgets import QComboBox, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.events import Event
from pharmacy_app.services.desk import Act
from pharmacy_app.services.disposition import permissions
from pharmacy_app.services.documents import SUPPORTERS_PERMISSION, USE
from pharmacy_app.services.printing import unit_ranges
from pharmacy_app.services.stock import PermissionForm, release_with_document
from pharmacy_app.services.views import DocumentLine
from ui.office import Office
from ui.pages.documents_parts import attach_dialog, attach_row
from ui.pages.stock_parts import ActDialog, vials_count
from ui.widgets.fields import ChoiceField, NoteField


class DocumentChoice(ChoiceField):
    """The number of an attached document; a long title does not widen the page."""

    def __init__(self, name: str, label: str) -> None:
        super().__init__(name, label, required=True)
        self.editor().setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.editor().setMinimumContentsLength(24)

    def show_documents(self, lines: tuple[DocumentLine, ...]) -> None:
        """Offer these; what was chosen stays chosen."""
        self.set_choices([(line.document_id, _words(line)) for line in lines])
        self.set_hint("" if lines else "None is attached yet: attach it first.")


def _words(line: DocumentLine) -> str:
    signed = f", signed by {line.signed_by}" if line.signed_by else ""
    return f"{line.document_id}: {line.title}{signed}, {say_day(line.dated_on)}"


class ReleaseDialog(ActDialog):
    """Put held or quarantined vials into usable stock; the permission is chosen, or attached from here."""

    def __init__(
        self, office: Office, units: tuple[str, ...], held_because: str, parent: QWidget, *, about: str = ""
    ) -> None:
        def work(act: Act, values: dict[str, str]) -> Event:
            return release_with_document(office.desk, act, PermissionForm(units, values["permission"], values["why"]))

        permission = DocumentChoice("permission", "Supporter's &permission")
        because = f" They are kept back because: {held_because}." if held_because else ""
        super().__init__(
            office,
            f"Release {vials_count(len(units))} with the supporter's document",
            f"{unit_ranges(units)} become usable stock.{because} The supporter's written permission is attached first.",
            "&Release",
            [permission],
            work,
            name="release_dialog",
            busy="Recording the release",
            parent=parent,
        )
        self.permission = permission
        self._about = about
        self.attach_button, beside = attach_row(
            office, self._attach, name="release_attach", words="Attach a &document…"
        )
        self.form.add_widget(beside)
        self.form.add(NoteField("why", "&Note", lines=2))
        office.ask(permissions, self._got, office.say_trouble)
        self._fit()

    def _got(self, lines: tuple[DocumentLine, ...]) -> None:
        self.permission.show_documents(lines)
        self._fit()

    def _attach(self) -> None:
        dialog = attach_dialog(self._office, self, about=self._about, kind=SUPPORTERS_PERMISSION, permits=USE)
        dialog.succeeded.connect(self._attached)
        dialog.open()

    def _attached(self, event: Event) -> None:
        number, title = str(event.content["document_id"]), event.content["title"]
        self._office.messages.ok(f"“{title}” is attached as document {number}.")
        self.permission.set_choices([(number, f"{number}: {title}")])
        self.permission.set_value(number)
        self.permission.set_hint("")
        self.permission.editor().setFocus()
        self._office.ask(permissions, self._got, self._office.say_trouble)


def release_dialog(office: Office, units: tuple[str, ...], held_because: str, parent: QWidget) -> ReleaseDialog:
    """The dialog that releases vials; 'succeeded' gives the event."""
    return ReleaseDialog(office, units, held_because, parent)
