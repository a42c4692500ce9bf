"""When an act was done: now, unless a person says another time; and why, when it is recorded on a later day."""

from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from pharmacy_app.services.desk import zone_of
from ui.office import Office
from ui.theme import SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import DateTimeField, Form, TextField


class LateField(TextField):
    """Why an act is recorded on a later day than it was done; seen once one of the times names an earlier day."""

    def __init__(self, office: Office, *times: DateTimeField) -> None:
        super().__init__(
            "late_why",
            "Why it is recorded late",
            max_length=300,
            placeholder="for example: the computer was off",
        )
        self._office, self._times = office, times
        for each in times:
            each.changed.connect(self._follow)
        self.hide()

    def _follow(self) -> None:
        """A late entry says why; what was typed here goes with the field."""
        today = site_now(self._office).date()
        late = any((day := each.day()) is not None and day < today for each in self._times)
        self.set_required(late)
        self.setVisible(late)
        if not late:
            self.set_value("")
            self.set_fault("")


def site_now(office: Office) -> datetime:
    """The site's clock."""
    return office.desk.clock().astimezone(zone_of(office.site))


class DoneTime(QWidget):
    """'Done now', folded up; the button unfolds the two fields of another time. Signal ``unfolded(bool open)``."""

    unfolded = Signal(bool)

    def __init__(self, office: Office, form: Form) -> None:
        super().__init__()
        self.setObjectName("done_time")
        self.done_at = DateTimeField(
            "done_at", "Done at", hint="The time at the site when it was really done.", now=lambda: site_now(office)
        )
        self.late_why = LateField(office, self.done_at)
        self._words = Text("Done now.", wrap=False, name="done_now")
        self.other = Button("Sa&y another time…", name="done_other", kind="quiet", icon="clock")
        self.other.clicked.connect(self._turn)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_S)
        row.addWidget(self._words)
        row.addWidget(self.other)
        row.addStretch(1)
        form.end_row()
        form.add_widget(self)
        form.add(self.done_at)
        form.add(self.late_why)
        form.end_row()
        self.done_at.hide()

    @property
    def is_open(self) -> bool:
        """Whether another time than now is being said."""
        return not self.done_at.isHidden()

    def _turn(self) -> None:
        self.set_open(not self.is_open)

    def set_open(self, on: bool) -> None:
        """Unfold the fields, or fold them up: then it was done now, and what was typed goes."""
        self.done_at.setVisible(on)
        if not on:
            self.done_at.set_value("")
            self.done_at.set_fault("")
        self._words.setText("Done at another time:" if on else "Done now.")
        self.other.set_text("Done now after all" if on else "Sa&y another time…")
        (self.done_at.editor() if on else self.other).setFocus()
        self.unfolded.emit(on)
