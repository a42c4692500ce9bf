"""At a past moment: the stock and the ledger as known then and as known now, and what was entered later."""

from dataclasses import replace
from decimal import Decimal
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import utc_text
from pharmacy_app.domain.units import show
from pharmacy_app.services.about import lot_name
from pharmacy_app.services.behind import Stock, Thing, states_of
from pharmacy_app.services.past import Past, PastForm, past, print_past, read_past
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import Printed
from pharmacy_app.services.views import LedgerLine, PastStockLine
from ui.office import Office
from ui.pages.figure import lead_rows, line_of
from ui.pages.stock_parts import MOMENT_WIDTH, TippedPages, TippedRows, fill_height, say_mg, vials_count
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, DateTimeField
from ui.widgets.panels import Banner
from ui.widgets.tables import Column, DataTable, PageRequest, PageResult


class StockRow:
    """A line of the stock table."""

    def __init__(self, line: PastStockLine) -> None:
        self.line = line

    def __getattr__(self, name: str) -> object:
        return getattr(self.line, name)

    @property
    def difference(self) -> str:
        """How many more or fewer we know of today."""
        change = self.line.known_now - self.line.known_then
        return "same" if not change else f"{change:+}".replace("-", "−")


_STOCK = (
    Column("strength_mg", "Strength", write=say_mg, numeric=True),
    Column("lot", "Lot", width=110),
    Column("place", "Place", width=170),
    Column("state", "State", stretch=True),
    Column("known_then", "Known then", numeric=True),
    Column("known_now", "Known now", numeric=True),
    Column(
        "difference", "Difference", width=110, numeric=True, tone=lambda row: "" if row.difference == "same" else "warn"
    ),
)


class LaterRow:
    """A line that counts from before the moment and was recorded after it."""

    def __init__(self, line: LedgerLine) -> None:
        self.line = line

    def __getattr__(self, name: str) -> object:
        return getattr(self.line, name)

    @property
    def word(self) -> str:
        """The record's word, or the move inside the pharmacy."""
        return self.line.transaction or self.line.move

    @property
    def why(self) -> str:
        """Why it came later."""
        if self.line.corrects_seq is not None:
            return f"Corrects event {self.line.corrects_seq}. {self.line.comment}"
        return f"Late entry: {self.line.late_why}" if self.line.late_why else "Recorded a little later"


_LATER = (
    Column("done_at", "Done at", width=MOMENT_WIDTH, write=say_moment, sortable=False),
    Column("recorded_at", "Recorded at", width=MOMENT_WIDTH, write=say_moment, sortable=False),
    Column("word", "Move", width=120, sortable=False),
    Column("lot", "Lot", width=100, sortable=False),
    Column("quantity", "Vials", numeric=True, sortable=False),
    Column("why", "Why it came later", stretch=True, sortable=False),
    Column("recorder", "Recorder", width=140, sortable=False),
)
_LEDGER = (
    Column("done_at", "Done at", width=MOMENT_WIDTH, write=say_moment, sortable=False),
    Column("word", "Move", width=130, sortable=False),
    Column("strength_mg", "Strength", write=say_mg, numeric=True, sortable=False),
    Column("lot", "Lot", width=100, sortable=False),
    Column("quantity", "Vials", numeric=True, sortable=False),
    Column("balance_available", "Avail.", numeric=True, sortable=False),
    Column("balance_quarantine", "Quar.", numeric=True, sortable=False),
    Column("place", "Place", width=140, sortable=False),
    Column("comment", "Comment", stretch=True, write=lambda text: text or "–", sortable=False),
    Column("recorder", "Recorder", width=140, sortable=False),
    Column("recorded_at", "Recorded at", width=MOMENT_WIDTH, write=say_moment, sortable=False),
)


class PastView(QWidget):
    """Asks for a moment, then shows what was known of it."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self._office = office
        self._form: PastForm | None = None
        self._utc = ""
        self.at = DateTimeField("past_at", "Date and &time", required=True)
        self.known = ChoiceField(
            "past_known",
            "Ledger a&s known",
            [("then", "Then: what was recorded by that moment"), ("now", "Now: with late entries and corrections")],
        )
        self.known.set_value("then")
        self.show_button = Button("S&how", name="past_show", kind="primary")
        self.show_button.clicked.connect(self.ask)
        self.print_button = Button("Print this &moment…", name="past_print", icon="print")
        self.print_button.setEnabled(False)
        self.print_button.clicked.connect(self._print)
        self.known.changed.connect(self._known_changed)
        bar = QHBoxLayout()
        bar.setSpacing(SPACE_S)
        bar.addWidget(self.at, 2, Qt.AlignmentFlag.AlignTop)
        bar.addWidget(self.known, 3, Qt.AlignmentFlag.AlignTop)
        # Neither the day nor the longest choice may be what a narrow window cuts.
        self.at.editor().setMinimumWidth(120)
        self.known.editor().setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.known.editor().setMinimumContentsLength(24)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE_S)
        buttons.addStretch(1)
        buttons.addWidget(self.print_button)
        buttons.addWidget(self.show_button)
        self.said = Banner(
            "info", "Choose a moment: the stock and the ledger are shown as they stood.", name="past_said"
        )
        self.stock = TippedRows(_STOCK)
        self.stock_table = DataTable(
            self.stock, name="past_stock", label="Stock at the moment", empty_text="No vial at that moment."
        )
        self.later = TippedRows(_LATER)
        self.later_heading = Text("Entered later", "subtitle")
        self.later_table = DataTable(
            self.later,
            name="past_later",
            label="Entered later",
            empty_text="Nothing was entered later.",
            sortable=False,
        )
        self.model = TippedPages(_LEDGER, office.bridge, self._fetch, parent=self)
        self.model.loaded.connect(self._loaded)
        self.ledger_heading = Text("Ledger, newest first", "subtitle")
        self.ledger_table = DataTable(
            self.model, name="past_ledger", label="Ledger at the moment", empty_text="No line.", sortable=False
        )
        self._hang_leads()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        for line in (bar, buttons):
            column.addLayout(line)
        column.addWidget(self.said)
        for table, least in ((self.stock_table, 150), (self.later_table, 110), (self.ledger_table, 170)):
            fill_height(table, least)
        column.addWidget(self.stock_table, 2)
        column.addWidget(self.later_heading)
        column.addWidget(self.later_table, 1)
        column.addWidget(self.ledger_heading)
        column.addWidget(self.ledger_table, 2)
        self._rest = QWidget()
        column.addWidget(self._rest, 3)
        self._show_parts(False)

    def _hang_leads(self) -> None:
        """Let the numbers lead to what is behind them at the moment that is shown."""
        lead_rows(
            self._office,
            self.stock_table,
            {"known_then": self._known_then, "known_now": self._known_now},
            thing=lambda row: Thing(lot_name(row.lot, row.strength_mg)),
        )
        lead_rows(self._office, self.later_table, {"quantity": line_of}, thing=line_of)
        balances = {
            f"balance_{balance}": partial(self._after, states_of(balance)) for balance in ("available", "quarantine")
        }
        lead_rows(self._office, self.ledger_table, {"quantity": line_of, **balances}, thing=line_of)

    def _known_then(self, row: StockRow) -> Stock:
        line = row.line
        return Stock(line.strength_mg, line.lot, line.place, (line.state,), utc=self._utc)

    def _known_now(self, row: StockRow) -> Stock:
        return replace(self._known_then(row), known_now=True)

    def _after(self, states: tuple[str, ...], row: LaterRow) -> Stock:
        """The balance after a line of the ledger that is shown."""
        now = self._form is not None and self._form.known == "now"
        line = row.line
        return Stock(line.strength_mg, states=states, utc=self._utc, known_now=now, through_line=line.line_id)

    def _show_parts(self, there: bool) -> None:
        for widget in (self.stock_table, self.ledger_heading, self.ledger_table):
            widget.setVisible(there)
        self._rest.setVisible(not there)
        later = there and bool(self.later.rows())
        self.later_heading.setVisible(later)
        self.later_table.setVisible(later)

    def _typed(self) -> PastForm:
        return PastForm(self.at.value(), self.known.value() or "then")

    def ask(self) -> None:
        """Ask for the moment that is typed."""
        if self.at.check_now():
            self.at.setFocus()
            return
        form = self._typed()
        self._office.ask(lambda reader: self._look(reader, form), self._got, self._refused)

    def _look(self, reader: Reader, form: PastForm) -> tuple[PastForm, Past]:
        return form, past(self._office.desk, reader, form)

    def _got(self, found: tuple[PastForm, Past]) -> None:
        self._form, then = found
        self._utc = utc_text(then.moment)
        self.stock.set_rows([StockRow(line) for line in then.stock])
        self.later.set_rows([LaterRow(line) for line in then.entered_later])
        on_site: dict[Decimal, int] = {}
        for line in then.stock:
            if line.state == "available":
                on_site[line.strength_mg] = on_site.get(line.strength_mg, 0) + line.known_then
        each = ", ".join(f"{count} of {show(strength)} mg" for strength, count in sorted(on_site.items()))
        usable = f"Available then: {each}. " if each else "No vial was available then. "
        journal = f"The journal had {then.head.seq:,} events." if then.head.seq else "The journal had not begun."
        when = say_moment(then.moment)
        if then.differs or then.entered_later:
            count = vials_count(len(then.entered_later), "line")
            self.said.set_message(
                "warn", f"{when}. {usable}{count} entered later. {journal}", word="Known otherwise now"
            )
        else:
            self.said.set_message(
                "ok", f"{when}. {usable}{journal} Nothing was entered later.", word="Same as known now"
            )
        self.print_button.setEnabled(True)
        self._show_parts(True)
        self.model.set_filter(self._form)

    def _refused(self, trouble: Exception) -> None:
        if isinstance(trouble, Refused):
            self.at.set_fault(" ".join(fault.sentence for fault in trouble.faults))
            self.at.setFocus()
        else:
            self._office.say_trouble(trouble)

    def _known_changed(self) -> None:
        if self._form is not None:
            self.ask()

    def _fetch(self, request: PageRequest) -> PageResult:
        """In the database thread: one page, newest first."""
        if request.filter is None:
            return PageResult((), 0)
        with self._office.desk.store.read() as reader:
            _, wanted = read_past(self._office.desk, reader, request.filter)
            total = reader.count_past_ledger(wanted)
            end = max(total - request.offset, 0)
            first = max(end - request.limit, 0)
            lines = reader.past_ledger(wanted, offset=first, limit=end - first) if end else ()
            return PageResult(tuple(LaterRow(line) for line in reversed(lines)), total)

    def _loaded(self, total: int) -> None:
        known = "now" if self._form is not None and self._form.known == "now" else "then"
        self.ledger_heading.setText(f"Ledger as known {known}, newest first: {vials_count(total, 'line')}")

    def _print(self) -> None:
        if self._form is None:
            return
        form, act, desk = self._form, self._office.act(), self._office.desk
        self._office.do(
            lambda: print_past(desk, act, form), self._printed, self._office.say_trouble, busy="Printing the moment"
        )

    def _printed(self, printed: Printed) -> None:
        self._office.changed.emit()
        self._office.show_paper("Record at a past moment", "record-at-a-past-moment.pdf", printed, self)
