"""Ledger: every move of vials with its balances, whether it all adds up, the accountability record, the journal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.places import SATELLITE
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import STRENGTHS_MG
from pharmacy_app.services.about import lot_name
from pharmacy_app.services.balance import LotBalance, lot_balances
from pharmacy_app.services.behind import EVERY_STATE, ON_SITE, Amount, Received, Stock, Thing, states_of
from pharmacy_app.services.desk import Act
from pharmacy_app.services.ports import LedgerFilter, Reader
from pharmacy_app.services.printing import Printed, RecordForm, print_accountability_record, unit_ranges
from pharmacy_app.services.reviews import verified_words
from pharmacy_app.services.views import LedgerLine, Place, Site
from ui.office import Office
from ui.pages.behind import open_behind
from ui.pages.correction import CorrectionHistory, Corrector
from ui.pages.documents import DocumentsView
from ui.pages.figure import Leads, lead_rows, line_of, named
from ui.pages.ledger_past import PastView
from ui.pages.monitor_parts import ReviewStrip, waiting_marks
from ui.pages.records import OPEN_TEXT, OPEN_TIP, open_records
from ui.pages.stock_journal import JournalView
from ui.pages.stock_parts import (
    ANY,
    MOMENT_WIDTH,
    ActDialog,
    FilterBar,
    ShownLine,
    TippedPages,
    TippedRows,
    fill_height,
    hide_empty_columns,
    say_at,
    say_mg,
    vials_count,
    way_words,
    with_corrections,
)
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import CheckField, ChoiceField, TextField
from ui.widgets.panels import Banner, KeyValues, Page, Tabs
from ui.widgets.tables import Column, DataTable, PageRequest, PageResult

CONTROL = "control"
"""The choice of all places but the satellites."""

AT = "at "
"""Stands before the name of a place that is chosen by itself."""


@dataclass(frozen=True, slots=True)
class LedgerQuestion:
    """What the ledger shows: the reader's filter, and whether the newest line stands first."""

    wanted: LedgerFilter = field(default_factory=LedgerFilter)
    newest_first: bool = True


@dataclass(frozen=True, slots=True)
class Row(ShownLine):
    """A ledger line as the table shows it, with the monitor's mark and the queries on it that are not closed."""

    verified: str = ""
    query: str = ""

    @property
    def mark(self) -> str:
        """Late entry, corrected, correction of which entry, queries that are not closed."""
        return ", ".join(part for part in (super(Row, self).mark, self.query) if part)

    @property
    def move(self) -> str:
        """The record's word, or the move inside the pharmacy that the record leaves out."""
        return self.line.transaction or self.line.move

    @property
    def states(self) -> str:
        """From which state to which."""
        return way_words(self.line)

    @property
    def on_site(self) -> int:
        """Available and quarantined together."""
        return self.line.balance_available + self.line.balance_quarantine

    @property
    def numbers(self) -> str:
        """The unit numbers, runs shortened."""
        return unit_ranges(self.line.units)

    @property
    def party(self) -> str:
        """From or to whom, or which subject."""
        initials = f" ({self.line.initials})" if self.line.initials else ""
        return f"{self.line.counterparty}{initials}" or "–"


class BalanceRow:
    """A strength and lot in the balance table: its present states in a few groups."""

    GROUPS = (
        ("available", "Available", ("available",)),
        ("reserved", "Reserved", ("reserved",)),
        ("held", "Held", ("held",)),
        ("quarantined", "Quarantined", ("quarantined",)),
        ("opened", "Opened", ("opened",)),
        ("used", "Used up", ("empty", "partial", "returned by subject")),
        ("lost", "Broken, missing", ("broken", "missing", "lost")),
        ("left", "Returned, transferred", ("returned", "transferred")),
        ("destroyed", "Destroyed", ("destroyed",)),
        ("never", "Never received", ("never received",)),
    )

    def __init__(self, balance: LotBalance) -> None:
        self.balance = balance

    def __getattr__(self, name: str) -> object:
        for group, _, states in self.GROUPS:
            if group == name:
                return self.balance.of(*states)
        return getattr(self.balance, name)

    @property
    def check(self) -> str:
        """The outcome in a word."""
        return "agrees" if self.balance.agrees else "does NOT agree"


def _dash(text: str) -> str:
    return text or "–"


def _column(
    key: str, header: str, width: int = 0, *, numeric: bool = False, write: Callable[..., str] | None = None
) -> Column:
    return Column(key, header, width=width, numeric=numeric, write=write, sortable=False, strikes=key != "mark")


_COLUMNS = (
    _column("done_at", "Done at", MOMENT_WIDTH, write=say_moment),
    _column("move", "Move", 108),
    _column("strength_mg", "Strength", write=say_mg, numeric=True),
    _column("lot", "Lot", 100),
    _column("quantity", "Vials", numeric=True),
    _column("balance_available", "Avail.", numeric=True),
    _column("balance_quarantine", "Quar.", numeric=True),
    _column("on_site", "On site", numeric=True),
    _column("numbers", "Unit numbers", 200),
    _column("mark", "Mark", 116, write=_dash),
    _column("states", "From → to", 168),
    _column("party", "Subject, from or to", 200),
    _column("cycle_day", "Cycle, day", 92, write=_dash),
    _column("dose_mg", "Dose (mg)", 92, write=lambda text: show(Decimal(text)) if text else "–", numeric=True),
    _column("dose_id", "Dose", 100, write=_dash),
    _column("place", "Place", 116),
    _column("reference", "Reference", 140, write=_dash),
    _column("comment", "Comment", 260, write=_dash),
    _column("recorder", "Recorder", 140),
    _column("verifier", "Verifier", 140, write=_dash),
    _column("recorded_at", "Recorded at", MOMENT_WIDTH, write=say_moment),
    _column("verified", "Monitor verified", 168, write=_dash),
)

_BALANCE_COLUMNS = (
    Column("strength_mg", "Strength", write=say_mg, numeric=True),
    Column("lot", "Lot", width=124),
    Column("received", "Received", numeric=True),
    Column("sum_of_states", "Sum of states", numeric=True),
    Column("check", "Check", width=132, tone=lambda row: "ok" if row.check == "agrees" else "stop"),
    *(Column(name, header, numeric=True) for name, header, _ in BalanceRow.GROUPS),
)


def _lot_of(row: BalanceRow) -> Thing:
    return Thing(lot_name(row.balance.lot, row.balance.strength_mg))


def _behind_balance() -> dict[str, Leads]:
    """What the numbers of a lot lead to."""

    def now(states: tuple[str, ...]) -> Leads:
        return lambda row: Stock(row.balance.strength_mg, row.balance.lot, states=states)

    return {
        "received": lambda row: Received(row.balance.strength_mg, row.balance.lot),
        "sum_of_states": now(EVERY_STATE),
        **{name: now(states) for name, _, states in BalanceRow.GROUPS},
    }


class LineDialog(QDialog):
    """One ledger line with everything on it."""

    def __init__(self, office: Office, row: Row, parent: QWidget, *, lot: str = "") -> None:
        """``lot`` is the one the ledger was asked for: the balances are of it alone."""
        super().__init__(parent)
        line, zone = row.line, office.site.time_zone
        self._seq = line.event_seq
        self.setObjectName("ledger_line")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = f"Ledger line {line.line_id}: {row.move}"
        self.setWindowTitle(title)
        self.resize(900, 460)
        pairs = [
            ("Done at", say_at(line.done_at, zone)),
            ("Recorded at", say_at(line.recorded_at, zone)),
            ("Move", line.move),
            ("States", row.states),
            ("Strength", say_mg(line.strength_mg)),
            ("Lot", f"{line.lot}, last day {say_day(line.expires_on)}"),
            ("Vials", str(line.quantity)),
            ("Place", line.place),
            ("Available after", str(line.balance_available)),
            ("Quarantine after", str(line.balance_quarantine)),
            ("On site after", str(row.on_site)),
            ("Dose", f"{line.dose_id}, {line.dose_mg} mg" if line.dose_mg else line.dose_id),
            ("Subject, from or to", row.party),
            ("Cycle, day", line.cycle_day),
            ("Reference", line.reference),
            ("Recorder", line.recorder),
            ("Comment", line.comment),
            ("Verifier", line.verifier),
            ("Late entry", line.late_why),
            ("Corrects", f"entry {line.corrects_seq}" if line.corrects_seq is not None else ""),
        ]
        units = KeyValues([("Unit numbers", row.numbers)], name="ledger_line_units")
        close = Button("&Close", name="ledger_line_close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        self.corrector = Corrector(office, self)
        self.corrector.corrected.connect(self.accept)
        correct = Button("Correct this &entry…", name="ledger_line_correct")
        correct.setEnabled(office.may("move_undone"))
        correct.setToolTip(office.why_not("move_undone"))
        correct.clicked.connect(self._correct)
        self._office = office
        self._balance = Stock(line.strength_mg, lot, states=ON_SITE, through_line=line.line_id)
        sums = Button("&Behind the balance…", name="ledger_line_behind")
        sums.setToolTip("The entries that make what is on site after this line")
        sums.clicked.connect(self._behind)
        foot = QHBoxLayout()
        foot.addWidget(correct)
        foot.addWidget(sums)
        foot.addStretch(1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(title, "title"))
        if row.correction is not None:
            column.addWidget(CorrectionHistory((row.correction,), zone, name="ledger_line_correction"))
        column.addWidget(KeyValues(pairs, columns=2, name="ledger_line_facts"))
        column.addWidget(units)
        column.addWidget(ReviewStrip(office, line.event_seq))
        column.addStretch(1)
        column.addLayout(foot)
        close.setFocus()

    def _correct(self) -> None:
        self.corrector.open(self._seq)

    def _behind(self) -> None:
        open_behind(self._office, self._balance, self)


class LedgerPage(Page):
    """Ledger, balance and journal as three views."""

    def __init__(self, office: Office) -> None:
        super().__init__(
            "Ledger", "Every move of every vial, in the order it was done.", name="ledger_page", max_width=None
        )
        self._office = office
        self._lots: tuple[tuple[Decimal, str], ...] = ()
        self._places: tuple[Place, ...] = ()
        self.print_button = Button("&Print accountability record…", name="record_print", kind="primary", icon="print")
        self.print_button.clicked.connect(self._print)
        self.away_button = Button(OPEN_TEXT, name="ledger_records")
        self.away_button.setToolTip(OPEN_TIP)
        self.away_button.clicked.connect(self._take_away)
        self.action_bar.addWidget(self.away_button)
        self.action_bar.addWidget(self.print_button)
        self.journal = JournalView(office)
        self.past = PastView(office)
        self.documents = DocumentsView(office)
        self.views = Tabs(
            [
                ("Vial ledger", self._make_ledger()),
                ("Balance", self._make_balance()),
                ("Journal", self.journal),
                ("At a past moment", self.past),
                ("Documents", self.documents),
            ],
            name="ledger_views",
        )
        self.views.chosen.connect(self._view_chosen)
        self.add(self.views, 1)

    # -- parts

    def _make_ledger(self) -> QWidget:
        self.strength = ChoiceField(
            "ledger_strength", "S&trength", [(ANY, "All strengths"), *((str(s), say_mg(s)) for s in STRENGTHS_MG)]
        )
        self.lot = ChoiceField("ledger_lot", "&Lot", [(ANY, "All lots")])
        self.order = ChoiceField("ledger_order", "&Order", [("new", "Newest first"), ("old", "Oldest first")])
        self.text = TextField("ledger_text", "Unit, dose, name or re&ference", max_length=60)
        self.record = CheckField("ledger_record", "Record lines &only")
        self.record.setToolTip("Leaves out moves inside the pharmacy, as the accountability record does.")
        self.strength.set_value(ANY)
        self.lot.set_value(ANY)
        self.order.set_value("new")
        bar = FilterBar(((self.strength, 2), (self.lot, 2), (self.order, 2), (self.text, 3)), name="ledger_filter")
        bar.changed.connect(self._filter)
        self.record.changed.connect(self._filter)
        self.model = TippedPages(_COLUMNS, self._office.bridge, self._fetch, parent=self)
        self.model.loaded.connect(self._loaded)
        self.table = DataTable(
            self.model,
            name="ledger_table",
            label="Vial ledger",
            empty_text="No line fits. The ledger begins with the first shipment under Receive.",
            sortable=False,
        )
        fill_height(self.table, 240)
        self.table.row_activated.connect(self._open)
        lead_rows(self._office, self.table, self._leads(), thing=line_of)
        self._count = Text("", "muted", name="ledger_count")
        self._check = Banner("info", "Counting…", name="ledger_identity")
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_M)
        foot.addWidget(self._count, 1)
        foot.addWidget(self.record)
        view = QWidget()
        column = QVBoxLayout(view)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(bar)
        column.addWidget(self.table, 1)
        column.addLayout(foot)
        column.addWidget(self._check)
        return view

    def _make_balance(self) -> QWidget:
        self.balance = TippedRows(_BALANCE_COLUMNS)
        self.balance_table = DataTable(
            self.balance,
            name="balance_table",
            label="Received against the sum of states",
            empty_text="No vial yet.",
            sortable=False,
        )
        fill_height(self.balance_table, 240)
        self.balance_table.row_activated.connect(self._behind_balance)
        lead_rows(self._office, self.balance_table, _behind_balance(), thing=_lot_of)
        view = QWidget()
        column = QVBoxLayout(view)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.balance_table, 1)
        column.addWidget(
            Text(
                "Received counts the vials one by one; the states are the ledger's own sums. The two must be equal "
                "for every strength and lot. Used up: empty and partial containers, and what came back from a subject. "
                "Enter shows what is behind the number the arrow keys stand on.",
                "small",
            )
        )
        return view

    # -- reading

    def refresh(self) -> None:
        """Ask anew for ledger, balance and journal."""
        self._office.ask(_places, self._got_places, self._office.say_trouble)
        self._office.ask(lot_balances, self._got_balances, self._office.say_trouble)
        self.model.reload()
        self.journal.refresh()
        self.documents.refresh()

    def open_on(self, what: str) -> None:
        """Show the documents about a thing of the record, by its name there (``shipment SHP-1``)."""
        self.views.set_current(4)
        self.documents.look_for(what)

    def _got_places(self, places: tuple[Place, ...]) -> None:
        self._places = places

    def _view_chosen(self, index: int) -> None:
        (self.table, self.balance_table, self.journal.table, self.past.at, self.documents.table)[index].setFocus()

    def _got_balances(self, found: tuple[LotBalance, ...]) -> None:
        self.balance.set_rows([BalanceRow(line) for line in found])
        hide_empty_columns(self.balance_table, tuple(name for name, _, _ in BalanceRow.GROUPS[1:]))
        self._lots = tuple((line.strength_mg, line.lot) for line in found)
        self.lot.set_choices([(ANY, "All lots"), *((lot, lot) for lot in dict.fromkeys(lot for _, lot in self._lots))])
        kind, text, word = _say_balance(found)
        self._check.set_message(kind, text, word=word)

    def _filter(self) -> None:
        strength, lot = self.strength.value(), self.lot.value()
        wanted = LedgerFilter(
            strength_mg=Decimal(strength) if strength not in (ANY, "") else None,
            lot="" if lot == ANY else lot,
            text=self.text.value(),
            record_only=self.record.value() == "yes",
        )
        self.model.set_filter(LedgerQuestion(wanted, self.order.value() != "old"))

    def _fetch(self, request: PageRequest) -> PageResult:
        """In the database thread: one page, counted from the end when the newest stands first."""
        question = request.filter or LedgerQuestion()
        with self._office.desk.store.read() as reader:
            total = reader.count_ledger(question.wanted)
            site = self._office.site
            if not question.newest_first:
                lines = reader.ledger(question.wanted, offset=request.offset, limit=request.limit)
                return PageResult(_rows(reader, lines, site), total)
            end = max(total - request.offset, 0)
            first = max(end - request.limit, 0)
            lines = reader.ledger(question.wanted, offset=first, limit=end - first) if end else ()
            return PageResult(_rows(reader, list(reversed(lines)), site), total)

    def _loaded(self, total: int) -> None:
        whose = "of the chosen lot" if self.lot.value() not in (ANY, "") else "of the line's strength, all lots"
        self._count.setText(
            f"{vials_count(total, 'line')}. Balances count the unopened vials {whose}. Moves in small letters stay "
            "inside the pharmacy. Enter opens a line; Ctrl+B shows what is behind a number."
        )

    def _open(self, row: Row) -> None:
        LineDialog(self._office, row, self, lot=self._lot()).open()

    def _leads(self) -> dict[str, Leads]:
        """What the numbers of a line lead to. Its balances are of the lot chosen above, or of all."""

        return {
            "quantity": line_of,
            "balance_available": partial(self._after, states_of("available")),
            "balance_quarantine": partial(self._after, states_of("quarantine")),
            "on_site": partial(self._after, ON_SITE),
            "dose_mg": lambda row: Amount(row.dose_id, "prescribed") if row.dose_mg else None,
            "dose_id": named("dose_id"),
        }

    def _after(self, states: tuple[str, ...], row: Row) -> Stock:
        return Stock(row.strength_mg, self._lot(), states=states, through_line=row.line_id)

    def _lot(self) -> str:
        lot = self.lot.value()
        return "" if lot == ANY else lot

    def _behind_balance(self, row: BalanceRow) -> None:
        """Show what is behind the number that the keyboard stands on; of a column without one, what was received."""
        key = _BALANCE_COLUMNS[self.balance_table.currentIndex().column()].key
        lead = _behind_balance().get(key)
        what = lead(row) if lead is not None else Received(row.balance.strength_mg, row.balance.lot)
        assert what is not None
        open_behind(self._office, what, self)

    # -- the record

    def _take_away(self) -> None:
        open_records(self._office, self)

    def _print(self) -> None:
        desk = self._office.desk

        def work(act: Act, values: dict[str, str]) -> Printed:
            lot = "" if values["record_lot"] == ANY else values["record_lot"]
            place = values["record_place"]
            at = place.removeprefix(AT) if place.startswith(AT) else ""
            form = RecordForm(values["record_strength"], lot, at, control=place == CONTROL)
            return print_accountability_record(desk, act, form)

        strength = ChoiceField(
            "record_strength", "&Strength", [(str(s), say_mg(s)) for s in STRENGTHS_MG], required=True
        )
        lot = ChoiceField("record_lot", "&Lot", required=True)
        place = ChoiceField("record_place", "At which pla&ce", self._place_choices(), required=True)
        place.set_value(ANY)
        self._record_fields = (strength, lot)
        strength.changed.connect(self._offer_record_lots)
        chosen = self.strength.value()
        strength.set_value(chosen if chosen != ANY else str(STRENGTHS_MG[0]))
        if self.lot.value() in [kept for _, kept in self._lots]:
            lot.set_value(self.lot.value())
        dialog = ActDialog(
            self._office,
            "Print the accountability record",
            "One record a strength, with the running balance of what is chosen after each line. A satellite has a "
            "record of its own. The journal keeps who printed it and when, and the paper itself.",
            "&Print",
            [strength, lot, place],
            work,
            name="record_dialog",
            busy="Printing the accountability record",
            parent=self,
        )
        dialog.succeeded.connect(self._printed)
        dialog.open()

    def _place_choices(self) -> list[tuple[str, str]]:
        """All places, the control record where satellites have their own, and each place by itself."""
        choices = [(ANY, "All places")]
        if any(place.kind == SATELLITE for place in self._places):
            choices.append((CONTROL, "Control record: all but the satellites"))
        return [*choices, *((AT + place.name, f"{place.name} ({place.kind})") for place in self._places)]

    def _offer_record_lots(self) -> None:
        strength, lot = self._record_fields
        mine = [name for of, name in self._lots if str(of) == strength.value()]
        lot.set_choices([(ANY, "All lots"), *((name, name) for name in mine)])
        if not lot.value():
            lot.set_value(ANY)

    def _printed(self, printed: Printed) -> None:
        self._office.changed.emit()
        about = printed.event.content["papers"][0]["about"].replace(" ", "-")
        self._office.show_paper("Accountability record", f"accountability-{about}.pdf", printed, self)


def _say_balance(found: Sequence[LotBalance]) -> tuple[str, str, str]:
    """The footer's sentence: received = sum of states, or where it is not."""
    wrong = [line for line in found if not line.agrees]
    if wrong:
        where = ", ".join(f"{say_mg(line.strength_mg)} lot {line.lot}" for line in wrong)
        return (
            "stop",
            f"Received and the sum of states differ for {where}. Do not dispense from it; verify the journal.",
            "Not balanced",
        )
    if not found:
        return "info", "No vial has been received yet.", ""
    totals: dict[Decimal, int] = {}
    for line in found:
        totals[line.strength_mg] = totals.get(line.strength_mg, 0) + line.received
    each = ", ".join(f"{say_mg(strength)}: {count} = {count}" for strength, count in sorted(totals.items()))
    return "ok", f"Received = sum of states in all {vials_count(len(found), 'lot')} ({each}). See Balance.", "Balanced"


def _rows(reader: Reader, lines: Sequence[LedgerLine], site: Site) -> tuple[Row, ...]:
    marks = reader.review_marks(list({line.event_seq for line in lines}))
    queries = waiting_marks(reader)
    return tuple(
        Row(
            shown.line,
            shown.correction,
            verified_words(marks.get(shown.line.event_seq), site),
            queries.get(shown.line.event_seq, ""),
        )
        for shown in with_corrections(reader, lines)
    )


def _places(reader: Reader) -> tuple[Place, ...]:
    return tuple(reader.places())


def make_page(office: Office) -> LedgerPage:
    """The page as the window builds it."""
    return LedgerPage(office)
