"""Labels: what came out, what was scanned back, and everything that was printed, to look at or to print again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import Vial
from pharmacy_app.services.behind import Entry
from pharmacy_app.services.desk import Act, Desk, today_of
from pharmacy_app.services.labelling import PAPERS as LABEL_PAPERS
from pharmacy_app.services.labelling import left_of
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import Printed, kept_paper, print_worksheet, unit_ranges
from pharmacy_app.services.receipts import receipt_number, shipment_of
from pharmacy_app.services.scanning import where
from pharmacy_app.services.views import LabelLine, PrintedLine
from ui.office import Office
from ui.pages.figure import lead_rows
from ui.pages.labels_back import ScanBackPanel
from ui.pages.labels_kept import KeptLabels, KeptLabelsDialog, kept_labels
from ui.pages.labels_lines import LabelLinesPanel
from ui.pages.print_labels import print_labels_dialog
from ui.pages.print_outcome import OpenQuestion, OutcomePanel, question_of
from ui.pages.stock_parts import (
    ANY,
    MOMENT_WIDTH,
    TippedRows,
    fill_height,
    print_dialog,
    vials_count,
)
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, ScanField
from ui.widgets.panels import Card, Page, Tabs
from ui.widgets.tables import Column, DataTable

STEP = 500
"""How many printed papers are asked for at once; 'Show older' adds as many again."""

PAPERS = (*LABEL_PAPERS.values(), "worksheet", "accountability record")
KIND_OF = {paper: kind for kind, paper in LABEL_PAPERS.items()}
AGAIN = (*KIND_OF, "worksheet")
"""Papers with copies. An accountability record is printed anew under Ledger, as things stand then."""


@dataclass(frozen=True, slots=True)
class Print:
    """One printing: all papers of one act that lie in one PDF."""

    event_seq: int
    paper: str
    abouts: tuple[str, ...]
    copies: tuple[int, ...]
    sha256: str
    printed_at: datetime
    printed_by: str
    why: str

    @property
    def about(self) -> str:
        """What it is about: a run of vials, a dose, a strength."""
        numbered = self.paper in ("vial label", "opened vial label")
        return unit_ranges(tuple(sorted(self.abouts))) if numbered else ", ".join(self.abouts)

    @property
    def copy(self) -> str:
        """'first', or the highest copy number with the word that stands on the label."""
        highest = max(self.copies)
        return "first" if highest == 1 else f"{highest}, reprint"


def prints_of(lines: Sequence[PrintedLine]) -> list[Print]:
    """Printed lines gathered by the act that printed them, in the order given."""
    acts: dict[int, list[PrintedLine]] = {}
    for line in lines:
        acts.setdefault(line.event_seq, []).append(line)
    return [
        Print(
            seq,
            of[0].paper,
            tuple(line.about for line in of),
            tuple(line.copy_number for line in of),
            of[0].sha256,
            of[0].printed_at,
            of[0].printed_by,
            of[0].why,
        )
        for seq, of in acts.items()
    ]


@dataclass(frozen=True, slots=True)
class _Found:
    """An answer of the store: the prints, and whether older ones were left out."""

    prints: tuple[Print, ...]
    more: bool


def _find(reader: Reader, about: str, paper: str, limit: int) -> _Found:
    lines = reader.printed(about=about, paper=paper, limit=limit)
    more = len(lines) == limit
    if more and not about:
        # The last act may be cut in the middle: it comes whole with the next step, unless it is all there is.
        whole = [line for line in lines if line.event_seq != lines[-1].event_seq]
        lines = whole or lines
    return _Found(tuple(prints_of(lines)), more)


def _about(desk: Desk, reader: Reader, scanned: str) -> str:
    """What papers are kept under: the name of the thing that was scanned or typed; a shipment's is its receipt's."""
    target = where(reader, scanned, today_of(desk, reader))
    return receipt_number(shipment_of(reader, target.name)) if target.kind == "shipment" else target.name


_COLUMNS = (
    Column("printed_at", "Printed at", write=say_moment, width=MOMENT_WIDTH),
    Column("paper", "Paper", write=lambda text: text.capitalize(), width=176),
    Column("about", "About", width=150, stretch=True),
    Column("copy", "Copy", width=84, tone=lambda row: "warn" if "reprint" in row.copy else ""),
    Column("printed_by", "By", width=120),
    Column("why", "Reason", write=lambda text: text or "–", width=140, stretch=True),
)


@dataclass(frozen=True, slots=True)
class _Open:
    """The oldest print that nobody answered for, how many there are, and the vials that wait for their scan."""

    question: OpenQuestion | None
    prints: int
    unscanned: tuple[Vial, ...]


def _open(reader: Reader) -> _Open:
    prints = reader.open_prints()
    question = question_of(reader, prints[0].event_seq) if prints else None
    return _Open(question, len(prints), tuple(reader.unscanned_vials()))


@dataclass(frozen=True, slots=True)
class _Left:
    print_seq: int
    labels: tuple[LabelLine, ...]


PRINTINGS, LINES, BACK = range(3)
SCAN_BACK = "scan back"
"""What the page opens on to take scans."""


class LabelsPage(Page):
    """Open questions first; then what was printed, newest first, label by label, and the scan-back.

    Opens on a unit or dose number, or on the scan-back.
    """

    def __init__(self, office: Office) -> None:
        super().__init__(
            "Labels",
            "What came out, what was scanned back, and every paper as printed.",
            name="labels_page",
            max_width=None,
        )
        self._office = office
        self.add(self._make_open())
        self.lines = LabelLinesPanel(office)
        self.lines.rest.connect(self._ask_rest)
        self.back = ScanBackPanel(office)
        self.tabs = Tabs(
            [("Printings", self._make_printings()), ("Each label", self.lines), ("Scan back", self.back)],
            name="labels_tabs",
            names=("tab_printings", "tab_label_lines", "tab_scan_back"),
        )
        self.tabs.chosen.connect(self._tab_chosen)
        self.add(self.tabs, 1)
        self.older_button.hide()
        self.all_button.hide()
        self._offer()

    def _make_open(self) -> Card:
        self.open_card = Card(name="labels_open_prints")
        self.outcome = OutcomePanel(self._office)
        self.outcome.answered.connect(self._answered)
        self.outcome.resumed.connect(self._resumed)
        self.open_card.add(self.outcome)
        self._more = Text("", "small", name="labels_more_open")
        self.open_card.add(self._more)
        self.open_card.hide()
        return self.open_card

    def _make_printings(self) -> QWidget:
        self._about = ""
        self._limit = STEP
        self._found_words = ""
        self.scan = ScanField("label_scan", "&Find by unit or dose number", hint="")
        self.scan.scanned.connect(self.open_on)
        self.paper = ChoiceField(
            "label_paper", "&Kind of paper", [(ANY, "All papers"), *((paper, paper.capitalize()) for paper in PAPERS)]
        )
        self.paper.set_value(ANY)
        self.paper.changed.connect(self.refresh)
        self.all_button = Button("Show &all", name="labels_all", kind="quiet", icon="close")
        self.all_button.clicked.connect(self.show_all)
        filters = QWidget()
        row = QHBoxLayout(filters)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_M)
        row.addWidget(self.scan, 2)
        row.addWidget(self.paper, 1)
        self.prints = TippedRows(_COLUMNS)
        self.table = DataTable(
            self.prints,
            name="labels_table",
            label="Printed papers",
            empty_text="Nothing was printed yet. Vial labels print under Receive, a dose's papers under Prepare.",
        )
        fill_height(self.table, 200)
        self.table.row_activated.connect(self._open)
        lead_rows(self._office, self.table, thing=lambda row: Entry(row.event_seq))
        self.table.selectionModel().selectionChanged.connect(self._offer)
        self._words = Text("", "muted", name="labels_words")
        self.older_button = Button("Show o&lder", name="labels_older")
        self.open_button = Button("&Open the paper", name="labels_open", kind="primary")
        self.again_button = Button("&Print again…", name="labels_again", icon="print")
        self.older_button.clicked.connect(self._older)
        self.open_button.clicked.connect(self._open_current)
        self.again_button.clicked.connect(self._again)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self._words, 1)
        for button in (self.all_button, self.older_button, self.again_button, self.open_button):
            foot.addWidget(button)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(filters)
        column.addWidget(self.table, 1)
        column.addLayout(foot)
        return whole

    # -- reading

    def refresh(self) -> None:
        """Ask anew for what was printed."""
        about, limit = self._about, self._limit
        paper = "" if self.paper.value() in (ANY, "") else self.paper.value()
        self._office.ask(lambda reader: _find(reader, about, paper, limit), self._got, self._office.say_trouble)
        self._office.ask(_open, self._got_open, self._office.say_trouble)
        self.lines.refresh()

    def is_dirty(self) -> bool:
        """Whether scans are listed that nobody recorded."""
        return self.back.is_dirty()

    def open_on(self, what: str) -> None:
        """Show the papers of one vial or dose, or take scans."""
        if what == SCAN_BACK:
            self.tabs.set_current(BACK)
            self._tab_chosen(BACK)
            return
        self.tabs.set_current(PRINTINGS)
        desk = self._office.desk
        self._office.ask(lambda reader: _about(desk, reader, what), self._got_about, self._lost)

    def show_all(self) -> None:
        """Show everything that was printed again."""
        self._about = ""
        self.refresh()

    def _got_about(self, about: str) -> None:
        self._about = about
        self.paper.set_value(ANY)
        self.refresh()

    def _lost(self, trouble: Exception) -> None:
        sentences = [fault.sentence for fault in getattr(trouble, "faults", ())] or [str(trouble)]
        self.scan.set_fault(" ".join(sentences))
        self.scan.editor().setFocus()

    def _got(self, found: _Found) -> None:
        self.prints.set_rows(found.prints)
        self.older_button.setVisible(found.more)
        self.all_button.setVisible(bool(self._about))
        which = f"of {self._about}" if self._about else "newest first"
        self._found_words = f"{vials_count(len(found.prints), 'printing')}, {which}."
        if found.prints:
            self.table.selectRow(0)
        self._offer()

    # -- open questions

    def _tab_chosen(self, at: int) -> None:
        if at == BACK:
            self.back.scan.editor().setFocus()
            self.show_widget(self.back.scan)

    def _got_open(self, found: _Open) -> None:
        self.back.show_waiting(found.unscanned)
        if found.question is not None and not self.outcome.offers_rest:
            self.outcome.ask_about(found.question)
        self.open_card.setVisible(found.question is not None or self.outcome.offers_rest)
        others = found.prints - (0 if self.outcome.offers_rest else 1)
        self._more.setText(f"{vials_count(others, 'further printing')} to be answered for.")
        self._more.setVisible(others > 0)

    def _answered(self, event: Event) -> None:
        if event.content["failed"] is not None:
            self._ask_rest(event.content["print_seq"])

    def _ask_rest(self, print_seq: int) -> None:
        self._office.ask(partial(_left, print_seq=print_seq), self._got_left, self._office.say_trouble)

    def _got_left(self, left: _Left) -> None:
        if left.labels:
            self.outcome.offer_rest(left.print_seq, left.labels)
            self.open_card.show()
            self.outcome.rest_button.setFocus()
            self.show_widget(self.open_card)

    def _resumed(self, printed: Printed) -> None:
        self.outcome.forget()
        self._printed(printed)

    def _older(self) -> None:
        self._limit += STEP
        self.refresh()

    def _offer(self) -> None:
        row = self._one()
        self.open_button.setEnabled(row is not None)
        why = self._office.why_not("paper_printed")
        if not why and row is None:
            why = "Choose one printing in the table."
        if not why and row is not None and row.paper not in AGAIN:
            why = "An accountability record is printed anew under Ledger, as things stand now."
        self._words.setText(f"{self._found_words} {why}".strip())
        self.again_button.setEnabled(not why)
        self.again_button.setToolTip(why)

    def _one(self) -> Print | None:
        rows: list[Print] = self.table.selected_rows()
        return rows[0] if len(rows) == 1 else None

    # -- looking and printing again

    def _open(self, row: Print) -> None:
        """Show the stored bytes; looking is no reprint and leaves nothing on the record.

        Labels are shown as pictures with what became of them: nothing prints from there but by the reprint.
        """
        desk, name, seq = self._office.desk, row.sha256, row.event_seq
        self._shown = row
        if row.paper in KIND_OF:
            self._office.do(
                lambda: kept_labels(desk, seq, name),
                self._got_labels,
                self._office.say_trouble,
                busy="Opening the paper",
            )
            return
        self._office.do(
            lambda: kept_paper(desk, name), self._got_paper, self._office.say_trouble, busy="Opening the paper"
        )

    def _open_current(self) -> None:
        row = self._one()
        if row is not None:
            self._open(row)

    def _got_paper(self, pdf: bytes) -> None:
        row = self._shown
        self._office.show_pdf(f"{row.paper.capitalize()} {row.about}", _file_name(row.paper, row.abouts), pdf, self)

    def _got_labels(self, kept: KeptLabels) -> None:
        row = self._shown
        title = f"{row.paper.capitalize()} {row.about}"
        KeptLabelsDialog(self._office, title, kept, partial(self._print_again, row), self).open()

    def _again(self) -> None:
        row = self._one()
        if row is not None:
            self._print_again(row)

    def _print_again(self, row: Print) -> None:
        desk, abouts, paper = self._office.desk, row.abouts, row.paper
        if paper in KIND_OF:
            # With one vial looked for, only its own label is printed again, not the whole shipment's.
            print_labels_dialog(self._office, KIND_OF[paper], abouts, f"Print {row.paper} {row.about} again", self)
            return

        def work(act: Act, why: str) -> Printed:
            return print_worksheet(desk, act, abouts[0], why)

        text = "The new copy says REPRINT with its number. Destroy the old one."
        dialog = print_dialog(self._office, f"Print the {paper} again", text, work, self)
        dialog.succeeded.connect(self._printed)
        dialog.open()

    def _printed(self, printed: Printed) -> None:
        papers = printed.event.content["papers"]
        self._office.changed.emit()
        name = _file_name(papers[0]["paper"], tuple(paper["about"] for paper in papers))
        self._office.show_paper(f"{papers[0]['paper'].capitalize()}, printed again", name, printed, self)


def _left(reader: Reader, print_seq: int) -> _Left:
    return _Left(print_seq, tuple(left_of(reader, print_seq)))


def _file_name(paper: str, abouts: Sequence[str]) -> str:
    """A name for the saved file: the paper, and what it is about when that is one thing."""
    about = f"-{abouts[0]}" if len(abouts) == 1 else ""
    return f"{paper}{about}.pdf".replace(" ", "-")


def make_page(office: Office) -> LabelsPage:
    """The page as the window builds it."""
    return LabelsPage(office)
