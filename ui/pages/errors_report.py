"""Reporting a medication error or near miss: three answers, everything else folded away (REGULATION D-20)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.medication_errors import ErrorType, Stage
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.medication_errors import ErrorForm, record_error
from ui.office import Office
from ui.pages.errors_facts import sentence
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button
from ui.widgets.fields import ChoiceField, DateTimeField, Field, Form, NoteField, TextField
from ui.widgets.panels import Card, confirm

STAGES = tuple((stage.value, sentence(stage.value)) for stage in Stage)
TYPES = tuple((kind.value, sentence(kind.value)) for kind in ErrorType)
_REACHED = (("no", "No: a near miss"), ("yes", "Yes"))


def site_clock(desk: Desk, zone: ZoneInfo) -> Callable[[], datetime]:
    """The site's clock, for the buttons 'Now'."""
    return lambda: desk.clock().astimezone(zone)


class Fold(Button):
    """A line that opens and closes fields beneath it. It is checked while they are shown."""

    def __init__(self, words: str, fields: Sequence[Field], *, name: str) -> None:
        super().__init__(words, name=name, kind="row", icon="chevron-right", icon_tone="muted")
        self._fields = tuple(fields)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.toggled.connect(self._show)
        self._show(False)

    def open_for(self, faults: Sequence[Fault]) -> None:
        """Open where one of ``faults`` stands beneath."""
        if {fault.field for fault in faults} & {field.name for field in self._fields}:
            self.setChecked(True)

    def _show(self, opened: bool) -> None:
        for field in self._fields:
            field.setVisible(opened)
        self.set_icon("chevron-down" if opened else "chevron-right", "muted")
        self.setAccessibleDescription("Opened" if opened else "Press Space to open.")


class ReportView(QWidget):
    """The form, open to every role. It keeps its draft until it is recorded or discarded.

    Signals ``recorded(str error_id)``, ``left()`` when the person does not report after all, ``needs_look(QWidget)``.
    """

    recorded = Signal(str)
    left = Signal()
    needs_look = Signal(QWidget)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("report_view")
        self._office = office
        self._act = office.act()
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._show_focus)
        now = site_clock(office.desk, ZoneInfo(office.site.time_zone))
        self.card = Card(
            "Report an error or near miss",
            "Three answers are enough; a pharmacist assesses it later. Type no names of subjects.",
            name="report_card",
        )
        self.form = Form(name="report_form")
        self.form.add(NoteField("what_happened", "&What happened", required=True, lines=3), span=2)
        self.form.add(ChoiceField("stage", "&Stage at which it arose", STAGES, required=True))
        self.form.add(ChoiceField("error_type", "&Type", TYPES, required=True))
        self.form.add(
            ChoiceField(
                "reached_subject", "Did it reach the subject?", _REACHED, hint="Leave it open if you do not know."
            ),
        )
        self.form.end_row()
        more = (
            NoteField("action", "Action taken at once", lines=2),
            TextField("subject_number", "Subject number", max_length=20),
            TextField("dose_id", "Dose number", max_length=20, hint="The record then takes over both doses."),
            DateTimeField("found_at", "Found at", hint="Left empty, it is now.", now=now),
            DateTimeField("occurred_at", "Occurred at", hint="Left empty, it is not known.", now=now),
            TextField("found_by", "Found by", max_length=60, hint=f"Left empty, it is {office.session.printed_name}."),
        )
        self.fold = Fold("&More details", more, name="report_more")
        self.form.add_widget(self.fold)
        for field in more:
            self.form.add(field, span=2 if isinstance(field, NoteField | DateTimeField) else 1)
        self.card.add(self.form)
        self.cancel = Button("&Cancel", name="report_cancel")
        self.record = Button("Record the re&port", name="report_record", kind="primary")
        self.cancel.clicked.connect(self._cancel)
        self.record.clicked.connect(self._record)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addStretch(1)
        foot.addWidget(self.cancel)
        foot.addWidget(self.record)
        self.card.body.addLayout(foot)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.card)
        column.addStretch(1)

    def is_dirty(self) -> bool:
        """Whether anything was typed."""
        return self.form.is_dirty()

    def take_focus(self) -> None:
        """Stand where the report begins."""
        self.form.field("what_happened").editor().setFocus()

    def _clear(self) -> None:
        self.form.clear()
        self.fold.setChecked(False)
        self._act = self._office.act()

    def _cancel(self) -> None:
        if self.is_dirty() and not confirm(
            self.window(), "Discard this report?", "What was typed is not recorded.", "Discard"
        ):
            return
        self._clear()
        self.left.emit()

    def _record(self) -> None:
        if not self.record.isEnabled():
            return
        form = ErrorForm(**self.form.values())
        self.form.clear_faults()
        self.record.setEnabled(False)
        desk, act = self._office.desk, self._act

        def work() -> Event:
            return record_error(desk, act, form)

        self._office.do(work, self._recorded, self._not_recorded, busy="Recording the report")

    def _recorded(self, event: Event) -> None:
        self.record.setEnabled(True)
        self._clear()
        error_id = str(event.content["error_id"])
        self._office.messages.ok(f"Recorded as {error_id}. A pharmacist assesses it.")
        self.recorded.emit(error_id)

    def _not_recorded(self, trouble: Exception) -> None:
        self.record.setEnabled(True)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.fold.open_for(faults)
        self.form.show_faults(faults)
        self._soon.start()

    def _show_focus(self) -> None:
        focused: QWidget | None = self.form.focusWidget()
        self.needs_look.emit(focused or self.card)
