"""Did the labels come out? The question after a print, its three answers, and the rest of a print that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.services import views
from pharmacy_app.services.labelling import OutcomeForm, ResumeForm, print_outcome, resume_print
from pharmacy_app.services.ports import LabelFilter, Reader
from pharmacy_app.services.printing import Printed
from ui.office import Office
from ui.pages.print_ways import ON_SCREEN, USUAL, Ways, label_words, show_start, ways_of
from ui.pages.stock_parts import vials_count
from ui.theme import SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, Field, Form, TextField


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A print that nobody has answered for, with its labels."""

    waits: views.OpenPrint
    labels: tuple[views.LabelLine, ...]


def question_of(reader: Reader, print_seq: int) -> OpenQuestion | None:
    """The open question of one print; ``None`` once it was answered."""
    waits = next((each for each in reader.open_prints() if each.event_seq == print_seq), None)
    if waits is None:
        return None
    return OpenQuestion(waits, tuple(reader.labels(LabelFilter(print_seq=print_seq), limit=waits.labels)))


def range_words(labels: Sequence[views.LabelLine]) -> str:
    """What labels are about: the one, or the first and the last in their order."""
    about = list(dict.fromkeys(label.about for label in labels))
    return about[0] if len(about) == 1 else f"{about[0]} to {about[-1]}"


class OutcomePanel(QWidget):
    """Asks whether a print's labels came out, by keyboard; after a fault it offers to print what is left.

    Signals: ``answered(object)`` with the event, ``resumed(object)`` with the new print.
    """

    answered = Signal(object)
    resumed = Signal(object)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("outcome")
        self._office = office
        self._act = office.act()
        self._seq = 0
        self._count = 0
        self._ways: Ways | None = None
        self._went_to = self._kind = ""
        self._question = Text("", "strong", name="outcome_question")
        self._about = Text("", "muted", name="outcome_about")
        self.all_button = Button("&Yes, all came out", name="outcome_all", kind="primary", icon="check")
        self.all_button.clicked.connect(self._all_out)
        self.form = Form(columns=2, name="outcome_form")
        self.failed = TextField(
            "failed", "&No: number of the first label that failed", max_length=6, placeholder="counted as they came out"
        )
        self.form.add(self.failed)
        self.form.add(TextField("why", "&What happened", max_length=300, placeholder="jam"))
        self.fault_button = Button("&Record the failed label", name="outcome_failed")
        self.fault_button.clicked.connect(self._some_failed)
        self.nothing_button = Button("Not&hing came out", name="outcome_nothing")
        self.nothing_button.clicked.connect(self._nothing_out)
        self.failed.editor().returnPressed.connect(self._some_failed)
        self._ask = QWidget()
        ask = QVBoxLayout(self._ask)
        ask.setContentsMargins(0, 0, 0, 0)
        ask.setSpacing(SPACE_S)
        ask.addWidget(self.form)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE_S)
        buttons.addStretch(1)
        for button in (self.nothing_button, self.fault_button, self.all_button):
            buttons.addWidget(button)
        ask.addLayout(buttons)
        self._rest = self._make_rest()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self._question)
        column.addWidget(self._about)
        column.addWidget(self._ask)
        column.addWidget(self._rest)
        self._rest.hide()
        self._offer()

    def _make_rest(self) -> QWidget:
        self.rest_form = Form(columns=2, name="rest_form")
        self.rest_printer = ChoiceField("printer", "P&rinter", [(USUAL, ON_SCREEN)])
        self.rest_printer.changed.connect(self._chosen)
        self.rest_start = TextField("start_at", "First free posi&tion of the sheet", max_length=3)
        self.rest_why = TextField("why", "Reaso&n on the reprint", max_length=300, placeholder="jam")
        rest_fields: list[Field] = [self.rest_printer, self.rest_why, self.rest_start]
        for field in rest_fields:
            self.rest_form.add(field)
        self.rest_button = Button("&Go on: print what is left", name="outcome_rest", kind="primary", icon="print")
        self.rest_button.clicked.connect(self._print_rest)
        whole = QWidget()
        rest = QVBoxLayout(whole)
        rest.setContentsMargins(0, 0, 0, 0)
        rest.setSpacing(SPACE_S)
        rest.addWidget(self.rest_form)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self.rest_button)
        rest.addLayout(last)
        return whole

    @property
    def print_seq(self) -> int:
        """The print that is asked about; 0 for none."""
        return self._seq

    @property
    def offers_rest(self) -> bool:
        """Whether it waits for the rest of a print to be printed."""
        return not self._rest.isHidden()

    def ask_about(self, question: OpenQuestion) -> None:
        """Ask about one print; what was typed about the same one stays."""
        waits, labels = question.waits, question.labels
        if waits.event_seq != self._seq or self.offers_rest:
            self.form.clear()
            self._act = self._office.act()
        self._seq, self._count = waits.event_seq, waits.labels
        what = "the label" if waits.labels == 1 else f"all {waits.labels} labels"
        self._question.setText(f"Did {what} come out?")
        where = f" on {waits.printer}" if waits.printer else ""
        kind = label_words(waits.kind)
        self._about.setText(
            f"{kind[:1].upper()}{kind[1:]}, {range_words(labels)}, printed{where} at {say_moment(waits.printed_at)} by"
            f" {waits.printed_by}."
        )
        one = waits.labels == 1
        self.all_button.set_text("&Yes, it came out" if one else "&Yes, all came out")
        self.fault_button.set_text("No: &record that it failed" if one else "&Record the failed label")
        self.failed.setVisible(not one)
        if one:
            self.failed.set_value("1")
        self._ask.show()
        self._rest.hide()
        self._offer()

    def offer_rest(self, print_seq: int, left: Sequence[views.LabelLine]) -> None:
        """Offer to print what is left of a print that was answered."""
        self._seq, self._act = print_seq, self._office.act()
        self.rest_form.clear()
        self._ways = None
        count = vials_count(len(left), "label")
        self._question.setText(f"{count} of this print {'is' if len(left) == 1 else 'are'} left: {range_words(left)}.")
        void = [label for label in left if label.status == "void"]
        says = f"Label {void[0].line} is void: tear it up. It prints as REPRINT. " if void else ""
        self._about.setText(f"{says}Mend the printer first, or choose another one; then print what is left.")
        self.rest_why.setVisible(bool(void))
        self.rest_start.hide()
        self._went_to = left[0].printer
        self._kind = "bag" if left[0].kind == "light cover" else left[0].kind
        self._ask.hide()
        self._rest.show()
        self._offer()
        self._office.ask(partial(ways_of, self._office.desk, self._kind), self._got_ways, self._office.say_trouble)

    def _got_ways(self, ways: Ways) -> None:
        self._ways = ways
        none = [] if self._went_to else [(USUAL, ON_SCREEN)]
        self.rest_printer.set_choices([*none, *ways.choices()])
        known = any(each.entry.name == self._went_to for each in ways.printers)
        self.rest_printer.set_value(self._went_to if known else ways.usual or USUAL)
        self._chosen()

    def _chosen(self) -> None:
        if self._ways is not None:
            show_start(self.rest_start, self._ways.stock(self.rest_printer.value(), self._kind))

    def forget(self) -> None:
        """Offer nothing any more: what is left is printed."""
        self._seq = 0
        self._rest.hide()

    def _offer(self) -> None:
        why = self._office.why_not("print_answered")
        for button in self._buttons():
            button.setEnabled(not why)
            button.setToolTip(why)

    def _buttons(self) -> tuple[Button, ...]:
        return self.all_button, self.fault_button, self.nothing_button, self.rest_button

    def _all_out(self) -> None:
        self._answer(OutcomeForm(self._seq))

    def _nothing_out(self) -> None:
        self._answer(OutcomeForm(self._seq, "", self.form.values()["why"], nothing=True))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter in a field is its own act, or none: it never presses what is the default of the window around."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()
        else:
            super().keyPressEvent(event)

    def _some_failed(self) -> None:
        if not self.fault_button.isEnabled():
            return
        values = self.form.values()
        if not values["failed"].strip():
            self.failed.set_fault("Type the number of the first label that failed: 1 is the one that came out first.")
            self.failed.editor().setFocus()
            return
        self._answer(OutcomeForm(self._seq, values["failed"], values["why"]))

    def _answer(self, form: OutcomeForm) -> None:
        desk, act = self._office.desk, self._act
        self._hold(True)
        self._office.do(lambda: print_outcome(desk, act, form), self._did, self._did_not, busy="Recording the answer")

    def _did(self, event: Event) -> None:
        self._hold(False)
        self._act = self._office.act()
        self.form.clear()
        out = len(event.content["out"])
        failed = event.content["failed"]
        if failed is None:
            self._office.messages.ok(f"{vials_count(out, 'label')} came out (event {event.seq}).")
        elif failed:
            self._office.messages.info(f"Label {failed} is void (event {event.seq}).")
        else:
            self._office.messages.info(f"Nothing came out: its labels count as never printed (event {event.seq}).")
        self.answered.emit(event)
        self._office.changed.emit()

    def _did_not(self, trouble: Exception) -> None:
        self._hold(False)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        (self.rest_form if self.offers_rest else self.form).show_faults(faults)

    def _print_rest(self) -> None:
        values = self.rest_form.values()
        printer = "" if values["printer"] == USUAL else values["printer"]
        form = ResumeForm(self._seq, values["why"], printer, values["start_at"].strip() or "1")
        desk, act = self._office.desk, self._act
        self._hold(True)
        self._office.do(lambda: resume_print(desk, act, form), self._resumed, self._did_not, busy="Printing the rest")

    def _resumed(self, printed: Printed) -> None:
        self._hold(False)
        self._act = self._office.act()
        self.resumed.emit(printed)

    def _hold(self, held: bool) -> None:
        for button in self._buttons():
            button.setEnabled(not held)
