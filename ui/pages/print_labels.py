"""Printing labels: a look at them before, the printer they go to, how far they are, and whether they came out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from PySide6.QtCore import QBuffer, QByteArray, Qt, Signal
from PySide6.QtGui import QImageReader, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Fault, Refused, Unavailable
from pharmacy_app.domain.events import Event
from pharmacy_app.services import views
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.labelling import (
    LabelForm,
    LabelPreview,
    left_of,
    preview_labels,
    print_labels,
)
from pharmacy_app.services.papers import Papers
from pharmacy_app.services.ports import NotSent, PerhapsSent, Reader, Sent
from pharmacy_app.services.printing import Printed
from pharmacy_app.services.sending import Outgoing, Overtaken, outgoing, send, to_send
from ui.bridge import Progress, Unexpected
from ui.office import Office
from ui.pages.print_outcome import OpenQuestion, OutcomePanel, question_of
from ui.pages.print_ways import ON_SCREEN, USUAL, Ways, show_start, ways_of
from ui.pages.stock_parts import vials_count
from ui.paper import LABEL_DPI, MAX_PAGES_SHOWN, PagesView, PaperDialog, open_at_size
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text, announce
from ui.widgets.fields import ChoiceField, Field, Form, TextField
from ui.widgets.panels import Banner

PT_PER_IN = 72
MM_PER_IN = 25.4


# --- sending


def page_size_mm(png: bytes) -> tuple[float, float]:
    """Width and height of a page (mm) from its picture at 72 dots an inch: labels are whole points."""
    file = QBuffer()
    file.setData(QByteArray(png))
    size = QImageReader(file, QByteArray(b"png")).size()
    return size.width() * MM_PER_IN / PT_PER_IN, size.height() * MM_PER_IN / PT_PER_IN


def send_job(desk: Desk, job: Outgoing, progress: Progress) -> Sent:
    """Send a print's labels from the worker thread, through the window's own printing where they are PDF."""

    def cancelled() -> bool:
        return progress.cancelled

    if not job.by_window:
        return send(desk, job, progress.report, cancelled)
    from ui.printers import print_pdf

    papers, pdf = desk.papers, job.content
    width_mm, height_mm = page_size_mm(papers.page_png(pdf, 0, PT_PER_IN))
    done = print_pdf(
        lambda page, dpi: papers.page_png(pdf, page, dpi),
        papers.page_count(pdf),
        job.printer.target,
        width_mm,
        height_mm,
        dpi=job.dpi,
        progress=progress.report,
        cancelled=cancelled,
    )
    # It goes whole or not at all.
    return Sent(0 if done.stopped else job.labels, job.labels, len(pdf), stopped=done.stopped)


def sent_words(job: Outgoing, sent: Sent) -> tuple[str, str]:
    """How a job ended: the banner's kind and its sentence."""
    name = job.printer.name
    if sent.stopped:
        gone = f"{sent.labels:,} of {vials_count(sent.of_labels, 'label')} had gone" if sent.labels else "No label went"
        then = f"Send the rest ({rest_words(sent.labels, sent.of_labels)})" if sent.labels else "Send them again"
        return "warn", f"Stopped at your wish. {gone} to {name}. {then}, or say below what came out."
    went = sent.labels - job.after
    gone = f"{'The last ' if job.after else ''}{vials_count(went, 'label')} went to {name}."
    if job.printer.outlet == "file":
        return "ok", f"{vials_count(sent.labels, 'label')} written to {job.name} in {job.printer.target}."
    if sent.warning:
        return "warn", f"{gone} {sent.warning}"
    return "ok", f"{gone} Look at each label that comes out."


def rest_words(after: int, of_labels: int) -> str:
    """Which labels of a print are behind the first ``after``."""
    return f"label {of_labels:,}" if after + 1 == of_labels else f"labels {after + 1:,} to {of_labels:,}"


# --- what was printed, on its way


@dataclass(frozen=True, slots=True)
class _Facts:
    question: OpenQuestion | None
    job: Outgoing | None
    trouble: str = ""


def _facts(reader: Reader, print_seq: int) -> _Facts:
    question = question_of(reader, print_seq)
    try:
        return _Facts(question, outgoing(reader, print_seq))
    except Refused as refused:
        return _Facts(question, None, refused.faults[0].sentence)


@dataclass(frozen=True, slots=True)
class _Standing:
    """A print as the record has it now: its open question, or what is left of it."""

    question: OpenQuestion | None
    left: tuple[views.LabelLine, ...]


def _standing(reader: Reader, print_seq: int) -> _Standing:
    question = question_of(reader, print_seq)
    return _Standing(question, () if question is not None else left_of(reader, print_seq))


class LabelsDialog(PaperDialog):
    """Printed labels: they go to their printer at once and can be stopped; then it asks what came out.

    What has gone is never sent again: after a stop or a fault only the rest is, and where nobody knows what has gone,
    the question comes first and what is left is a new print.
    """

    def __init__(self, office: Office, title: str, file_name: str, printed: Printed, parent: QWidget) -> None:
        super().__init__(office.bridge, office.desk.papers, title, file_name, printed.pdf, parent, dpi=LABEL_DPI)
        self._office = office
        self._title = title
        self._seq = printed.event.seq
        self._job: Outgoing | None = None
        self._progress: Progress | None = None
        self.way = Banner("info", "", name="labels_way")
        self.way.hide()
        self.stop_button = Button("Stop sen&ding", name="labels_stop")
        self.again_button = Button("S&end again", name="labels_send_again", icon="print")
        self.stop_button.clicked.connect(self._stop)
        self.again_button.clicked.connect(self._send)
        self.stop_button.hide()
        self.again_button.hide()
        self.outcome = OutcomePanel(office)
        self.outcome.hide()
        self.outcome.answered.connect(self._answered)
        self.outcome.resumed.connect(self._resumed)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self.way, 1)
        row.addWidget(self.stop_button)
        row.addWidget(self.again_button)
        column = cast(QVBoxLayout, self.layout())
        column.insertLayout(1, row)
        column.insertWidget(2, self.outcome)
        office.ask(partial(_facts, print_seq=self._seq), self._got, self._not_asked)
        office.bridge.progressed.connect(self._gone)

    def _got(self, facts: _Facts) -> None:
        self._job = facts.job
        if facts.trouble:
            self._tell("warn", facts.trouble)
        if facts.question is not None and self._office.may("print_answered"):
            self.outcome.ask_about(facts.question)
            self.outcome.show()
            # One next step: the answer where the labels go to a printer, else the PDF that is still to be printed.
            second = self.open_button if facts.job is not None else self.outcome.all_button
            second.set_kind("secondary")
        if facts.job is not None:
            # Its paper comes out of its printer, and nowhere else.
            self.only_look()
            self._send()

    def _not_asked(self, trouble: Exception) -> None:
        self._tell("stop", str(trouble))

    def _tell(self, kind: str, words: str) -> None:
        self.way.set_message(kind, words)
        self.way.show()
        announce(self, words)

    def _send(self) -> None:
        desk, job = self._office.desk, self._job
        if job is None or self._progress is not None:
            return
        seq, after = self._seq, job.after

        def work(progress: Progress) -> Sent:
            # Another workstation may have answered, voided or printed since the labels were looked at.
            with desk.store.read() as reader:
                now = to_send(reader, seq, after)
            return send_job(desk, now, progress)

        self._tell("info", f"Sending {vials_count(job.labels - after, 'label')} to {job.printer.name}…")
        self.again_button.hide()
        self.outcome.setEnabled(False)
        self.stop_button.show()
        self.stop_button.setEnabled(True)
        self._progress = self._office.bridge.run_long(work, self._sent, self._not_sent, busy="Sending the labels")

    def _gone(self, done: int, total: int) -> None:
        if self._progress is not None and self._job is not None:
            many = f"{done:,} of {vials_count(total, 'label')}"
            self.way.set_message("info", f"{many} are on their way to {self._job.printer.name}.")

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.cancel()
            self.stop_button.setEnabled(False)

    def _sent(self, sent: Sent) -> None:
        job = self._ended()
        self._tell(*sent_words(job, sent))
        self._offer_rest(sent.labels if sent.stopped else job.labels)
        self._next_is(self.outcome.all_button)
        if not self.outcome.isHidden():
            self.outcome.all_button.setFocus()

    def _not_sent(self, trouble: Exception) -> None:
        job = self._ended()
        sentence = " ".join(str(fault) for fault in trouble.faults) if isinstance(trouble, Refused) else str(trouble)
        gone = job.labels
        if isinstance(trouble, NotSent):
            gone = trouble.labels
        elif isinstance(trouble, (Refused, Unavailable)) and not isinstance(
            trouble, (Overtaken, PerhapsSent, Unexpected)
        ):
            gone = job.after
        if gone == job.labels:
            # All of it, or nobody knows how much: who stands at the printer says what came out, then the rest prints.
            self._tell("stop", f"{sentence} Say below what came out: then what is left is printed anew.")
        elif gone:
            rest = rest_words(gone, job.labels)
            self._tell("stop", f"{sentence} If label {gone:,} is there, send the rest ({rest}); if not, say so below.")
        else:
            self._tell("stop", sentence)
        self._offer_rest(gone)
        more = gone < job.labels
        self._next_is(self.again_button if more else self.outcome.all_button)
        if more:
            self.again_button.setFocus()
        elif not self.outcome.isHidden():
            self.outcome.failed.editor().setFocus()
        if isinstance(trouble, Overtaken):
            self._tell("stop", sentence)
            self._office.ask(partial(_standing, print_seq=self._seq), self._stands, self._not_asked)

    def _offer_rest(self, gone: int) -> None:
        """Offer to send what is behind the labels that went; nothing once all went."""
        assert self._job is not None
        if gone < self._job.labels:
            self._job = replace(self._job, after=gone)
            self.again_button.set_text("S&end the rest" if gone else "S&end again")
            self.again_button.show()
        else:
            self._job = None
            self.again_button.hide()

    def _stands(self, standing: _Standing) -> None:
        """After another workstation's act: its question where it is open still, else what is left."""
        if standing.question is not None:
            self.outcome.ask_about(standing.question)
        elif not self.outcome.isHidden():
            self._left_over(standing.left)

    def _next_is(self, button: Button) -> None:
        """One next step: to say what came out, or to send once more what did not go."""
        for each in (self.outcome.all_button, self.again_button):
            each.set_kind("primary" if each is button else "secondary")

    def _ended(self) -> Outgoing:
        assert self._job is not None
        self._progress = None
        self.stop_button.hide()
        self.outcome.setEnabled(True)
        return self._job

    def _answered(self, event: Event) -> None:
        if event.content["failed"] is None:
            self.accept()
            return
        self._office.ask(partial(left_of, print_seq=self._seq), self._left, self._not_asked)

    def _left(self, left: Sequence[views.LabelLine]) -> None:
        # What was answered for is not sent once more: its void label is torn up.
        self.again_button.hide()
        self.way.hide()
        self._job = None
        self._left_over(left)

    def _left_over(self, left: Sequence[views.LabelLine]) -> None:
        if left:
            self.outcome.offer_rest(self._seq, left)
            self.outcome.rest_button.setFocus()
        else:
            self.outcome.hide()

    def _resumed(self, printed: Printed) -> None:
        self._office.changed.emit()
        # Not kept as a field: a dialog that holds its parent takes it along when it is destroyed.
        owner = self.parentWidget()
        assert owner is not None
        self._office.show_paper(self._title, self._file_name, printed, owner)
        self.accept()


# --- what is to be printed


@dataclass(frozen=True, slots=True)
class _Look:
    """The first pages as they will print, how many labels there are, and of how many this is a further copy."""

    pages: tuple[bytes, ...]
    labels: int
    reprints: int
    width_mm: float
    height_mm: float


def _draw(papers: Papers, found: LabelPreview, room_px: int) -> _Look:
    """Draw the pages, no wider than there is room."""
    pdf = found.pdf
    width_mm, height_mm = page_size_mm(papers.page_png(pdf, 0, PT_PER_IN))
    dpi = min(LABEL_DPI, int(room_px * MM_PER_IN / width_mm))
    pages = tuple(papers.page_png(pdf, page, dpi) for page in range(papers.page_count(pdf)))
    return _Look(pages, found.labels, found.reprints, width_mm, height_mm)


class PrintLabelsDialog(QDialog):
    """The labels as they will print, the printer they go to, and the button that prints them: Enter, once they show.

    Signal ``printed(object)`` with what was printed; the labels are on their way by then.
    """

    printed = Signal(object)

    def __init__(self, office: Office, form: LabelForm, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("print_labels_dialog")
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        open_at_size(self, 900, 640)
        self._office, self._asked, self._title = office, form, title
        self._act = office.act()
        self._ways: Ways | None = None
        self._busy = False
        self._ready = False
        self._looks = self._count = 0
        self._first_look = True
        self._shown_for: tuple[str, str] = ("", "")
        self.form = Form(columns=2, name="print_labels_form")
        self.printer = ChoiceField("printer", "&Printer", [(USUAL, ON_SCREEN)])
        self.printer.set_value(USUAL)
        self.start_at = TextField("start_at", "&First free position of the sheet", max_length=3)
        self.start_at.set_value("1")
        self.why = TextField(
            "why", "&Reason", required=True, max_length=300, placeholder="for example: label torn at the hood"
        )
        fields: list[Field] = [self.printer, self.why, self.start_at]
        for field in fields:
            self.form.add(field)
        self.start_at.hide()
        self.why.hide()
        self.printer.changed.connect(self._chosen)
        self.start_at.editor().editingFinished.connect(self._look)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(title, "section"))
        column.addWidget(self.form)
        self._lay_out(column)
        QShortcut(QKeySequence("Ctrl+Return"), self, self.ask)
        desk = office.desk
        self._hold(False)
        office.ask(partial(ways_of, desk, form.kind), self._got_ways, self._failed)

    def _lay_out(self, column: QVBoxLayout) -> None:
        self._pages = PagesView("print_labels_pages", "The labels as they will print")
        self._state = Text("Drawing the labels…", "muted", name="print_labels_state")
        self.back = Button("Go &back", name="print_labels_back")
        self.back.clicked.connect(self.reject)
        self.verb = Button("Pr&int", name="print_labels_do", kind="primary", icon="print")
        self.verb.setDefault(True)
        self.verb.clicked.connect(self.ask)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self._state, 1)
        foot.addWidget(self.back)
        foot.addWidget(self.verb)
        column.addWidget(self._pages, 1)
        column.addLayout(foot)

    def _got_ways(self, ways: Ways) -> None:
        self._ways = ways
        # A default printer is what the label is made for, so that leaving it out is no choice then.
        none = [] if ways.usual else [(USUAL, ON_SCREEN)]
        if self._asked.kind != "ruler":
            self.printer.set_choices([*none, *ways.choices()])
            self.printer.set_value(ways.usual or USUAL)
        else:
            name = self._asked.about[0]
            self.printer.set_choices([(name, name)])
            self.printer.set_value(name)
        self._chosen()

    def _chosen(self) -> None:
        if self._ways is not None:
            show_start(self.start_at, self._ways.stock(self.printer.value(), self._asked.kind))
            self._look()

    def _label_form(self) -> LabelForm:
        printer = "" if self.printer.value() == USUAL else self.printer.value()
        why = "" if self.why.isHidden() else self.why.value()
        return replace(self._asked, printer=printer, start_at=self.start_at.value() or "1", why=why)

    # -- the look

    def _look(self) -> None:
        """Draw the labels as they would print now, recorded nowhere."""
        now = (self.printer.value(), self.start_at.value())
        if self._ways is None or now == self._shown_for or not self.isVisible():
            return
        if now[0] != self._shown_for[0]:
            # Another printer may have other labels: nothing prints that was not seen.
            self._ready = False
            self._hold(self._busy)
        self._shown_for = now
        self._looks += 1
        self._state.setText("Drawing the labels…")
        desk, form = self._office.desk, self._label_form()
        # What is round a page: the margins of the dialog and of the pages, and the scroll bar.
        room_px = self.width() - 5 * SPACE_L

        def work() -> _Look:
            with desk.store.read() as reader:
                found = preview_labels(desk, reader, form, MAX_PAGES_SHOWN)
            return _draw(desk.papers, found, room_px)

        self._office.do(work, self._drawn, self._not_drawn, busy="Drawing the labels")

    def _drawn(self, look: _Look) -> None:
        self._looks -= 1
        if self._looks:
            # A newer one is being drawn.
            return
        self.form.clear_faults()
        self._pages.show_pages(look.pages, "label_page", "Page {} as it will print")
        self.printer.set_hint(self._stock_words(look))
        self._state.setText(_look_words(look))
        self.why.setVisible(look.reprints > 0)
        self._ready, self._count = True, look.labels
        self._hold(self._busy)
        if self._first_look:
            self._first_look = False
            (self.why.editor() if look.reprints else self.verb).setFocus()

    def _stock_words(self, look: _Look) -> str:
        """The labels that must lie in the printer."""
        ways, name = self._ways, self.printer.value()
        assert ways is not None
        stock, entry = ways.stock(name, self._asked.kind), ways.entry(name)
        what = "sheets" if stock is not None and stock.positions > 1 else "labels"
        named = f"{stock.name}, " if stock is not None and entry is not None and entry.width_mm is None else ""
        dots = f", {entry.dpi} dots an inch" if entry is not None else ""
        words = f"{named}{what} of {look.width_mm:.0f} × {look.height_mm:.0f} mm{dots}"
        return f"{words[:1].upper()}{words[1:]}"

    def _not_drawn(self, trouble: Exception) -> None:
        self._looks -= 1
        if not self._looks:
            self._failed(trouble)

    def _failed(self, trouble: Exception) -> None:
        self._pages.clear()
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self._state.setText("There is nothing to print yet.")
        self._ready = False
        self._hold(self._busy)
        self._show(faults)

    def _show(self, faults: Sequence[Fault]) -> None:
        if any(fault.field == "why" for fault in faults):
            self.why.show()
        self.form.show_faults(faults)

    # -- printing

    def ask(self) -> None:
        """Print with what stands in the form."""
        if not self.verb.isEnabled():
            return
        if not self.why.isHidden() and not self.form.check():
            return
        self._hold(True)
        self._state.setText(f"Printing {vials_count(self._count, 'label')}…")
        desk, act, form = self._office.desk, self._act, self._label_form()
        self._office.do(lambda: print_labels(desk, act, form), self._did, self._did_not, busy="Printing the labels")

    def reject(self) -> None:
        """Close without a print; not while it is being recorded."""
        if not self._busy:
            super().reject()

    def _hold(self, held: bool) -> None:
        self._busy = held
        why_not = self._office.why_not("paper_printed")
        self.verb.setEnabled(self._ready and not held and not why_not)
        self.verb.setToolTip(why_not)
        self.back.setEnabled(not held)

    def _did(self, printed: Printed) -> None:
        self._hold(False)
        self._office.changed.emit()
        about = self._asked.about
        named = f"-{about[0]}" if len(about) == 1 else f"s-{printed.event.seq}"
        name = f"{self._asked.kind} label{named}.pdf".replace(" ", "-").lower()
        owner = self.parentWidget()
        assert owner is not None
        self._office.show_paper(self._title, name, printed, owner)
        self.printed.emit(printed)
        self.accept()

    def _did_not(self, trouble: Exception) -> None:
        self._hold(False)
        self._state.setText("Nothing was printed.")
        self._show(trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),))


def _look_words(look: _Look) -> str:
    """How many labels there are, and how many of them are copies after the first."""
    shown = f" The first {MAX_PAGES_SHOWN} are shown." if look.labels > MAX_PAGES_SHOWN else ""
    if not look.reprints:
        again = ""
    elif look.labels == 1:
        again = " It was printed before and says REPRINT: destroy the old one."
    else:
        which = "All" if look.reprints == look.labels else f"{look.reprints}"
        again = f" {which} were printed before and say REPRINT: destroy the old ones."
    return f"{vials_count(look.labels, 'label')}, not printed yet.{shown}{again}"


def print_labels_dialog(
    office: Office, kind: str, about: Sequence[str], title: str, parent: QWidget, *, says: str = ""
) -> PrintLabelsDialog:
    """Open the print dialog for labels of one kind."""
    dialog = PrintLabelsDialog(office, LabelForm(kind, tuple(about), says=says), title, parent)
    dialog.open()
    return dialog
