"""Correcting an entry of the journal: one dialog for every kind, the values as they stand beside those typed anew."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pharmacy_app.domain.events import Event
from pharmacy_app.services import correcting
from pharmacy_app.services.corrections import Correctable, CorrectForm, correct, correctable
from pharmacy_app.services.desk import Act, Credentials
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.views import ChangedValue, CorrectionLine
from ui.office import Office
from ui.pages.stock_parts import ActDialog, say_at
from ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, Field, NoteField, PasswordField, TextField
from ui.widgets.panels import Banner, Card

NOTHING = "–"

FOOT_AND_HEAD = 200
"""Pixels that title, sentence and buttons take of the dialog."""

LEAST_HIGH = 320
"""Pixels that the values always have."""


def words_of(line: CorrectionLine, zone: str) -> str:
    """By whom, when and why an entry was corrected."""
    return f"Corrected by {line.signed_by}, {say_at(line.corrected_at, zone)} (entry {line.event_seq}): {line.why}"


class ChangeRow(QWidget):
    """One value that was corrected: the old one struck through and readable, the new one after the arrow."""

    def __init__(self, change: ChangedValue, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        old = Text(change.old or NOTHING, "muted", wrap=False, name=f"{name}_old")
        font = old.font()
        font.setStrikeOut(True)
        old.setFont(font)
        # Struck out by the style sheet's font too: a widget's own font gives way to it.
        old.setStyleSheet("text-decoration: line-through;")
        old.setAccessibleName(f"{change.label}, as it was: {change.old or 'nothing'}")
        new = Text(change.new or NOTHING, "strong", wrap=False, name=f"{name}_new")
        new.setAccessibleName(f"{change.label}, as it is: {change.new or 'nothing'}")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_S)
        for part in (Text(f"{change.label}:", wrap=False), old, Text("→", "muted", wrap=False), new):
            row.addWidget(part)
        row.addStretch(1)


class CorrectionHistory(Card):
    """The corrections of an entry, each with its values, who signed it, when and why; hidden when there is none."""

    def __init__(self, lines: Sequence[CorrectionLine], zone: str, *, name: str) -> None:
        super().__init__("Corrections", "What was written before stays readable.", name=name)
        for line in lines:
            block = QWidget()
            column = QVBoxLayout(block)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(SPACE_XS)
            for at, change in enumerate(line.changes, start=1):
                column.addWidget(ChangeRow(change, f"{name}_{line.event_seq}_{at}"))
            column.addWidget(Text(words_of(line, zone), "small", name=f"{name}_{line.event_seq}"))
            self.add(block)
        self.setVisible(bool(lines))


class CorrectionDialog(ActDialog):
    """An entry with its values to correct, the reason and the signatures; 'succeeded' gives the event."""

    def __init__(self, office: Office, entry: Correctable, parent: QWidget) -> None:
        self._entry = entry
        super().__init__(
            office,
            f"Correct: {entry.title}",
            entry.says,
            "Sign the &correction",
            [],
            partial(self._correct, office),
            name="correction_dialog",
            busy="Recording the correction",
            parent=parent,
            columns=2,
        )
        form = self.form
        for at, change in enumerate(entry.preview, start=1):
            form.add_widget(ChangeRow(change, f"correction_change_{at}"))
        for each in entry.fields:
            if each.heading:
                form.end_row()
                form.add_widget(Text(each.heading, "strong"))
            form.add(_field(each))
        form.end_row()
        form.add(NoteField("why", "&Reason for the correction", required=True, lines=2), span=2)
        own = TextField("user_name", "Your user name", required=True, max_length=64)
        own.set_value(office.session.user_name)
        own.set_read_only(True)
        form.add(own)
        last = PasswordField("password", "Your pass&word", required=True)
        form.add(last)
        if entry.second_person:
            form.add_widget(Text("It changes what the ledger says of vials, so a second person signs too.", "small"))
            form.add(TextField("witness_user_name", "Second person, &user name", required=True, max_length=64))
            last = PasswordField("witness_password", "Second person, pa&ssword", required=True)
            form.add(last)
        last.editor().returnPressed.connect(self.ask)
        self.verb.setDefault(False)
        form.mark_clean()
        self._scroll_the_form()
        next(iter(form.fields())).editor().setFocus()
        self._fit()

    def _scroll_the_form(self) -> None:
        """A receipt of many lots is longer than a screen: its values scroll, the buttons stay."""
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.viewport().setAutoFillBackground(False)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.replaceWidget(self.form, self._area)
        layout.setStretchFactor(self._area, 100)
        inner = QWidget()
        inner.setObjectName("scroll_content")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, SPACE_S, 0)
        column.addWidget(self.form)
        column.addStretch(1)
        self._area.setWidget(inner)
        inner.setAutoFillBackground(False)

    def _fit(self) -> None:
        """As high as the values need, and no higher than the window it stands over."""
        layout, form = self.layout(), self.form.layout()
        if not hasattr(self, "_area") or layout is None or form is None:
            return
        width = self._width - 2 * SPACE_L - SPACE_S
        form.activate()
        parent = self.parentWidget()
        most = parent.window().height() - FOOT_AND_HEAD if parent is not None else LEAST_HIGH
        self._area.setMinimumHeight(min(form.totalHeightForWidth(width) + SPACE_S, max(most, LEAST_HIGH)))
        layout.activate()
        self.resize(self._width, layout.totalHeightForWidth(self._width))

    def _correct(self, office: Office, act: Act, values: dict[str, str]) -> Event:
        entry = self._entry
        changed = tuple((field.name, values[field.name]) for field in entry.fields if _differs(field, values))
        form = CorrectForm(entry.seq, values["why"], changed)
        second = None
        if entry.second_person:
            second = Credentials(values["witness_user_name"], values["witness_password"])
        return correct(office.desk, act, form, Credentials(values["user_name"], values["password"]), second)

    def _did_not(self, trouble: Exception) -> None:
        for field in self.form.fields():
            if isinstance(field, PasswordField):
                field.clear()
        super()._did_not(trouble)


def _differs(field: correcting.Field, values: dict[str, str]) -> bool:
    return values[field.name] != field.old


def _field(each: correcting.Field) -> Field:
    """The field of one value, filled as it stands; what stands stays readable beneath while it is typed over."""
    stands = "" if each.aside else f"Stands: {each.old or 'nothing'}."
    hint = " ".join(part for part in (stands, each.hint) if part)
    if each.options:
        choices = [(option, option or "no") for option in each.options]
        choice = ChoiceField(each.name, each.label, choices, hint=hint)
        choice.set_value(each.old)
        return choice
    typed = TextField(each.name, each.label, max_length=4000, hint=hint)
    typed.set_value(each.old)
    return typed


class CannotCorrect(QDialog):
    """Why an entry is not corrected, and the correction it has already, if it has one."""

    def __init__(self, entry: Correctable, zone: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("cannot_correct")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(entry.title)
        self.setMinimumWidth(560)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(entry.title, "section"))
        for at, sentence in enumerate(entry.why_not, start=1):
            column.addWidget(Banner("info", sentence, word="Why not", name=f"why_not_{at}"))
        if entry.correction is not None:
            column.addWidget(CorrectionHistory((entry.correction,), zone, name="its_correction"))
        close = Button("&Close", name="cannot_correct_close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(close)
        column.addStretch(1)
        column.addLayout(foot)
        close.setFocus()


class Corrector(QObject):
    """Opens the correction of an entry over a widget. Signal ``corrected(object event)`` after it was signed."""

    corrected = Signal(object)

    def __init__(self, office: Office, parent: QWidget) -> None:
        super().__init__(parent)
        self._office, self._over = office, parent

    def open(self, seq: int) -> None:
        """Ask what correcting an entry takes, then show it."""
        self._office.ask(partial(_entry, seq), self._show, self._office.say_trouble)

    def _show(self, entry: Correctable) -> None:
        if entry.why_not:
            CannotCorrect(entry, self._office.site.time_zone, self._over).open()
            return
        dialog = CorrectionDialog(self._office, entry, self._over)
        dialog.succeeded.connect(self._did)
        dialog.open()

    def _did(self, event: Event) -> None:
        self._office.messages.ok(
            f"Entry {event.content['corrects']} was corrected (event {event.seq}). What was written stays readable."
        )
        self.corrected.emit(event)
        self._office.changed.emit()


def _entry(seq: int, reader: Reader) -> Correctable:
    return correctable(reader, seq)


def correction_part(
    office: Office, seq: int | None, act: str, lines: Sequence[CorrectionLine], *, name: str
) -> tuple[QWidget, ...]:
    """What stands beneath a recorded step: its corrections so far, and the button that corrects it as it stands."""
    if seq is None:
        return ()
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.addStretch(1)
    row.addWidget(CorrectButton(office, seq, act, holder, name=f"{name}_correct"))
    mine = [line for line in lines if line.kind == act]
    return (CorrectionHistory(mine, office.site.time_zone, name=f"{name}_corrections"), holder)


class CorrectButton(Button):
    """The way to the correction of one entry; greyed with the reason where the person's role records no such thing."""

    def __init__(
        self, office: Office, seq: int, act: str, over: QWidget, *, name: str, words: str = "Correct…"
    ) -> None:
        super().__init__(words, name=name)
        self._seq = seq
        self.corrector = Corrector(office, over)
        self.setEnabled(office.may(act))
        self.setToolTip(office.why_not(act))
        self.clicked.connect(self._open)

    def _open(self) -> None:
        self.corrector.open(self._seq)
