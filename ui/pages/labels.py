"""Labels: everything that was printed, to look at again as stored, or to print again with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.services.desk import Act
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.preparation import find_vial
from pharmacy_app.services.printing import (
    Printed,
    PrintForm,
    kept_paper,
    print_bag_labels,
    print_vial_labels,
    print_worksheet,
    unit_ranges,
)
from pharmacy_app.services.views import PrintedLine
from ui.office import Office
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
from ui.widgets.panels import Page
from ui.widgets.tables import Column, DataTable

STEP = 500
"""How many printed papers are asked for at once; 'Show older' adds as many again."""

PAPERS = ("vial label", "bag labels", "worksheet", "accountability record")
AGAIN = ("vial label", "bag labels", "worksheet")
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
        return unit_ranges(tuple(sorted(self.abouts))) if self.paper == "vial label" else ", ".join(self.abouts)

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


def _about(reader: Reader, scanned: str) -> str:
    """The number that papers are kept under: a vial's by any of its codes, else a dose's as typed."""
    typed = scanned.strip().upper()
    bare = typed[3:] if typed.startswith("]") else typed
    bare = bare.removeprefix("91")
    if bare.startswith("D") and reader.dose(bare) is not None:
        return bare
    return find_vial(reader, scanned).unit_number


_COLUMNS = (
    Column("printed_at", "Printed at", write=say_moment, width=MOMENT_WIDTH),
    Column("paper", "Paper", write=lambda text: text.capitalize(), width=176),
    Column("about", "About", width=150, stretch=True),
    Column("copy", "Copy", width=84, tone=lambda row: "" if row.copy == "first" else "warn"),
    Column("printed_by", "By", width=120),
    Column("why", "Reason", write=lambda text: text or "–", width=140, stretch=True),
)


class LabelsPage(Page):
    """What was printed, newest first; opens on a unit or dose number."""

    def __init__(self, office: Office) -> None:
        super().__init__(
            "Labels", "Every label and paper that was printed, stored as printed.", name="labels_page", max_width=None
        )
        self._office = office
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
        fill_height(self.table, 240)
        self.table.row_activated.connect(self._open)
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
        self.add(whole, 1)
        self.older_button.hide()
        self.all_button.hide()
        self._offer()

    # -- reading

    def refresh(self) -> None:
        """Ask anew for what was printed."""
        about, limit = self._about, self._limit
        paper = "" if self.paper.value() in (ANY, "") else self.paper.value()
        self._office.ask(lambda reader: _find(reader, about, paper, limit), self._got, self._office.say_trouble)

    def open_on(self, what: str) -> None:
        """Show the papers of one vial or dose."""
        self._office.ask(lambda reader: _about(reader, what), self._got_about, self._lost)

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
        """Show the stored bytes; looking is no reprint and leaves nothing on the record."""
        desk, name = self._office.desk, row.sha256
        self._shown = row
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

    def _again(self) -> None:
        row = self._one()
        if row is None:
            return
        # With one vial looked for, only its own label is printed again, not the whole shipment's.
        desk, abouts, paper = self._office.desk, row.abouts, row.paper

        def work(act: Act, why: str) -> Printed:
            if paper == "vial label":
                return print_vial_labels(desk, act, PrintForm(abouts, why))
            if paper == "bag labels":
                return print_bag_labels(desk, act, abouts[0], why)
            return print_worksheet(desk, act, abouts[0], why)

        many = len(abouts) > 1
        text = "The new copy says REPRINT with its number. Destroy the old one."
        if many:
            text = (
                f"All {len(abouts)} labels of this printing, {row.about}. For one label alone, go back and scan or "
                f"type its unit number under “Find”. {text}"
            )
        dialog = print_dialog(self._office, f"Print {row.paper}{'s' if many else ''} again", text, work, self)
        dialog.succeeded.connect(self._printed)
        dialog.open()

    def _printed(self, printed: Printed) -> None:
        papers = printed.event.content["papers"]
        self._office.changed.emit()
        name = _file_name(papers[0]["paper"], tuple(paper["about"] for paper in papers))
        self._office.show_paper(f"{papers[0]['paper'].capitalize()}, printed again", name, printed, self)


def _file_name(paper: str, abouts: Sequence[str]) -> str:
    """A name for the saved file: the paper, and what it is about when that is one thing."""
    about = f"-{abouts[0]}" if len(abouts) == 1 else ""
    return f"{paper}{about}.pdf".replace(" ", "-")


def make_page(office: Office) -> LabelsPage:
    """The page as the window builds it."""
    return LabelsPage(office)
