"""Stock and doses as the monitor reads them: every vial accounted for, what stands out, and the journal verified."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.comparisons import compare_administered
from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.expiry import EXPIRED_STATE, stock_state
from pharmacy_app.domain.units import show_mg, show_percent
from pharmacy_app.domain.vials import STRENGTHS_MG
from pharmacy_app.services import views
from pharmacy_app.services.about import lot_name
from pharmacy_app.services.behind import Amount, Stock, Thing, What
from pharmacy_app.services.desk import Desk, protocol_of, site_of, today_of
from pharmacy_app.services.ports import Reader, VialFilter
from pharmacy_app.services.printing import Printed, RecordForm, print_accountability_record
from ui.office import Office
from ui.pages.behind import open_behind
from ui.pages.figure import Figure, Leads, lead_rows, named
from ui.pages.monitor_parts import NarrowTable
from ui.pages.stock_parts import STATES, state_says, state_tone
from ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, IconView, Text, clear_layout, rule
from ui.widgets.panels import Banner, Card, KeyValues
from ui.widgets.tables import Column, DataTable, RowTableModel


@dataclass(frozen=True, slots=True)
class Totals:
    """Vials of one strength: every unit ever received, and how many are in each state now."""

    strength_mg: Decimal
    received: int
    states: tuple[tuple[str, int], ...]

    @property
    def accounted(self) -> int:
        """The sum over all states."""
        return sum(count for _, count in self.states)

    @property
    def balanced(self) -> bool:
        """Whether every unit received is in exactly one state."""
        return self.received == self.accounted

    def sentence(self) -> str:
        """The identity in words: received = the sum of the states."""
        parts = " + ".join(f"{count:,} {state}" for state, count in self.states) or "0"
        sign = "=" if self.balanced else "≠"
        return f"{self.received:,} received {sign} {parts}"


@dataclass(frozen=True, slots=True)
class StockRow:
    """A line of the stock table."""

    strength: str
    lot: str
    expires_on: date
    place: str
    state: str
    vials: int


@dataclass(frozen=True, slots=True)
class GivenRow:
    """A dose that was given: three amounts and how far the last is from the first."""

    dose_id: str
    subject_number: str
    cycle_day: str
    given_on: date
    prescribed: str
    prepared: str
    administered: str
    difference: str
    reportable: bool


@dataclass(frozen=True, slots=True)
class StockFacts:
    """What is shown of stock and doses."""

    totals: tuple[Totals, ...]
    stock: tuple[StockRow, ...]
    errors: tuple[views.ErrorLine, ...]
    discrepancies: tuple[views.Discrepancy, ...]
    given: tuple[GivenRow, ...]
    head: views.Head


def question(desk: Desk, reader: Reader) -> StockFacts:
    """Everything shown, from one reading of the store. What expired is summed apart from what is usable."""
    site, today = site_of(reader), today_of(desk, reader)
    stock = reader.stock()
    totals = []
    for strength in STRENGTHS_MG:
        counts = dict.fromkeys(STATES, 0)
        for line in stock:
            if line.strength_mg == strength:
                state = stock_state(line.state, line.expires_on, today)
                counts[state] = counts.get(state, 0) + line.vials
        received = reader.count_vials(VialFilter(strength_mg=strength))
        there = tuple((state, count) for state, count in counts.items() if count)
        totals.append(Totals(strength, received, there))
    given = []
    amounts = reader.prepared_amounts()
    for dose in reader.doses():
        if dose.given_on is None or dose.administered_mg is None:
            continue
        prepared_mg = amounts.get(dose.dose_id)
        compared = compare_administered(dose.administered_mg, dose.prescribed_mg, protocol_of(site, dose.given_on))
        given.append(
            GivenRow(
                dose.dose_id,
                dose.subject_number,
                f"C{dose.cycle} D{dose.day}",
                dose.given_on,
                show_mg(dose.prescribed_mg),
                "–" if prepared_mg is None else show_mg(prepared_mg),
                show_mg(dose.administered_mg),
                "–" if compared.percent is None else show_percent(compared.percent),
                compared.at_or_over_limit,
            )
        )
    rows = tuple(
        StockRow(
            show_mg(line.strength_mg),
            line.lot,
            line.expires_on,
            line.place,
            stock_state(line.state, line.expires_on, today),
            line.vials,
        )
        for line in stock
    )
    return StockFacts(
        tuple(totals),
        rows,
        tuple(reader.errors()),
        tuple(reader.discrepancies(status="open")),
        tuple(reversed(given)),
        reader.head(),
    )


def _of_dose(which: str, key: str) -> Leads:
    """What is behind an amount of the dose of a row; nothing where the row has no dose or no such amount."""
    return lambda row: Amount(row.dose_id, which) if row.dose_id and getattr(row, key) not in (None, "", "–") else None


def _of_state(strength_mg: Decimal, state: str, lot: str = "", place: str = "") -> Stock:
    """The vials of a state; what expired is available and past its last day."""
    if state in ("available", EXPIRED_STATE):
        return Stock(strength_mg, lot, place, only="expired" if state == EXPIRED_STATE else "usable")
    return Stock(strength_mg, lot, place, (state,))


def _strength(row: StockRow) -> Decimal:
    return next(each for each in STRENGTHS_MG if show_mg(each) == row.strength)


def _of_stock(row: StockRow) -> Stock:
    return _of_state(_strength(row), row.state, row.lot, row.place)


def _lot_of(row: StockRow) -> Thing:
    return Thing(lot_name(row.lot, _strength(row)))


FIGURES_A_ROW = 5
"""More numbers beside one another would make a narrow window go sideways."""


def _figures(office: Office, totals: Totals, name: str) -> QGridLayout:
    """The numbers of the identity, each of which leads to what is behind it."""
    strength = totals.strength_mg
    said: list[tuple[str, int, What]] = [("received", totals.received, Stock(strength, states=STATES))]
    said += [(state, count, _of_state(strength, state)) for state, count in totals.states]
    rows = QGridLayout()
    rows.setHorizontalSpacing(SPACE_XS)
    rows.setVerticalSpacing(0)
    rows.addWidget(Text("Behind:", "small", wrap=False), 0, 0)
    for at, (state, count, what) in enumerate(said):
        caption = f"{show_mg(strength)} vials {state}"
        figure = Figure(office, caption, f"{count:,} {state}", what, name=f"{name}_{state}", kind="figure")
        rows.addWidget(figure, at // FIGURES_A_ROW, 1 + at % FIGURES_A_ROW, Qt.AlignmentFlag.AlignLeft)
    rows.setColumnStretch(1 + FIGURES_A_ROW, 1)
    return rows


class _TotalRow(QWidget):
    """One strength: the identity with icon and word, and the button that prints its record."""

    def __init__(self, office: Office, totals: Totals) -> None:
        super().__init__()
        key = show_mg(totals.strength_mg).replace(" ", "_")
        kind = "ok" if totals.balanced else "stop"
        word = "Balanced" if totals.balanced else "Does not balance"
        self.setObjectName(f"totals_{key}")
        head = QHBoxLayout()
        head.setSpacing(SPACE_S)
        head.addWidget(IconView(kind, kind))
        head.addWidget(Text(f"{show_mg(totals.strength_mg)} vials", "strong", wrap=False))
        head.addWidget(Text(word, "label", tone=kind, wrap=False, name=f"totals_{key}_state"))
        head.addStretch(1)
        sentence = Text(totals.sentence(), name=f"totals_{key}_identity")
        sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE_S, 0, SPACE_S)
        column.setSpacing(SPACE_XS)
        column.addLayout(head)
        column.addWidget(sentence)
        column.addLayout(_figures(office, totals, f"totals_{key}"))


class StockSection(QWidget):
    """The state of the stock, the doses given and the journal, to read and to print. Signal ``shown(QWidget)``."""

    shown = Signal(object)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("monitor_stock")
        self._office = office
        self._acts = {strength: office.act() for strength in STRENGTHS_MG}
        self._printing = STRENGTHS_MG[0]
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE_M)
        self._trouble = Banner("stop", "", name="monitor_trouble")
        self._trouble.hide()
        self._column.addWidget(self._trouble)
        self._make_totals()
        self._make_discrepancies()
        self._make_errors()
        self._make_given()
        self._make_stock()
        self._make_journal()
        self._column.addStretch(1)

    # -- what is on the page

    def _make_totals(self) -> None:
        card = Card(
            "Every vial is accounted for",
            "Received is the sum of all states, strength by strength.",
            name="totals_card",
        )
        self._totals = QVBoxLayout()
        self._totals.setSpacing(0)
        card.body.addLayout(self._totals)
        prints = QHBoxLayout()
        prints.setSpacing(SPACE_S)
        prints.addWidget(Text("Accountability record, all lots:", "muted", wrap=False))
        self.prints: dict[Decimal, Button] = {}
        for strength, slot in zip(STRENGTHS_MG, (self._print_first, self._print_second), strict=True):
            words = show_mg(strength)
            button = Button(f"Print record {words}", name=f"print_record_{words.replace(' ', '_')}", icon="print")
            button.clicked.connect(slot)
            self.prints[strength] = button
            prints.addWidget(button)
        prints.addStretch(1)
        card.body.addLayout(prints)
        self._column.addWidget(card)

    def _make_discrepancies(self) -> None:
        card = Card(
            "Discrepancies that stand",
            "Differences between shelf and record that two people have not explained yet. Enter opens one in Counts.",
            name="standing_card",
        )
        self._standing = RowTableModel(
            (
                Column("number", "No.", width=110),
                Column("count_number", "Count", width=110, write=lambda text: text or "–"),
                Column("opened_at", "Opened", width=120, write=lambda moment: say_day(moment.date())),
                Column("sentence", "What differs", stretch=True, tone=lambda _: "stop"),
            ),
            parent=self,
        )
        self.standing_table = DataTable(
            self._standing,
            name="standing_table",
            label="Discrepancies that stand",
            visible_rows=3,
            sortable=False,
        )
        self.standing_table.row_activated.connect(self._open_discrepancy)
        lead_rows(self._office, self.standing_table, {"count_number": named("count_number")}, thing=named("number"))
        card.add(self.standing_table)
        card.hide()
        self._standing_card = card
        self._column.addWidget(card)

    def _make_errors(self) -> None:
        card = Card(
            "Medication errors",
            "Enter or a double click opens a record in Errors. A record cannot be deleted.",
            name="errors_card",
        )
        self._errors = RowTableModel(
            (
                Column("error_id", "Record", width=110),
                Column("dose_id", "Dose", width=110),
                Column("subject_number", "Subject", width=110),
                Column("occurred_on", "Occurred on", write=say_day, width=120),
                Column("prescribed_mg", "Prescribed", numeric=True, write=show_mg),
                Column("administered_mg", "Given", numeric=True, write=show_mg),
                Column("difference", "Difference", numeric=True),
                Column("status", "Status", stretch=True, tone=_error_tone),
            ),
            parent=self,
        )
        self.errors_table = NarrowTable(
            self._errors,
            name="errors_table",
            label="Medication errors",
            empty_text="No medication error was recorded.",
            visible_rows=3,
            leaves_out=("subject_number", "occurred_on"),
            below=820,
        )
        self.errors_table.row_activated.connect(self._open_error)
        errors = {
            "prescribed_mg": _of_dose("prescribed", "prescribed_mg"),
            "administered_mg": _of_dose("administered", "administered_mg"),
            "difference": _of_dose("difference", "difference"),
            "dose_id": named("dose_id"),
            "subject_number": named("subject_number"),
        }
        lead_rows(self._office, self.errors_table, errors, thing=named("error_id"))
        card.add(self.errors_table)
        self._column.addWidget(card)

    def _make_given(self) -> None:
        card = Card("Doses given", "Enter or a double click opens a dose with its whole thread.", name="given_card")
        self._given = RowTableModel(
            (
                Column("dose_id", "Dose", width=110),
                Column("subject_number", "Subject", width=110),
                Column("cycle_day", "Cycle", width=80),
                Column("given_on", "Given on", write=say_day, width=120),
                Column("prescribed", "Prescribed", numeric=True),
                Column("prepared", "Prepared", numeric=True),
                Column("administered", "Given", numeric=True),
                Column("difference", "Difference", numeric=True, stretch=True, tone=_given_tone),
            ),
            parent=self,
        )
        self.given_table = NarrowTable(
            self._given,
            name="given_table",
            label="Doses given",
            empty_text="No dose was given yet.",
            visible_rows=6,
            leaves_out=("cycle_day", "given_on"),
            below=820,
        )
        self.given_table.row_activated.connect(self._open_dose)
        given = {which: _of_dose(which, which) for which in ("prescribed", "prepared", "administered", "difference")}
        given["subject_number"] = named("subject_number")
        lead_rows(self._office, self.given_table, given, thing=named("dose_id"))
        card.add(self.given_table)
        self._column.addWidget(card)

    def _make_stock(self) -> None:
        card = Card("Stock by lot, place and state", name="monitor_stock_card")
        self._stock = RowTableModel(
            (
                Column("strength", "Strength", numeric=True, width=100),
                Column("lot", "Lot", width=130),
                Column("expires_on", "Expires", write=say_day, width=120),
                Column("place", "Place", stretch=True),
                Column("state", "State", width=130, tone=_stock_tone),
                Column("vials", "Vials", numeric=True),
            ),
            parent=self,
        )
        self.stock_table = DataTable(
            self._stock,
            name="monitor_stock_table",
            label="Stock by lot, place and state; Enter shows what is behind a number",
            empty_text="No vial was received yet.",
            visible_rows=7,
        )
        self.stock_table.row_activated.connect(self._behind_stock)
        lead_rows(self._office, self.stock_table, {"vials": _of_stock}, thing=_lot_of)
        card.add(self.stock_table)
        self._legend = Text("", "small", name="state_legend")
        card.add(self._legend)
        self._column.addWidget(card)

    def _make_journal(self) -> None:
        card = Card(
            "Journal",
            "Every act is one event that carries the hash of the event before it. Verifying replays all of them.",
            name="journal_card",
        )
        self._head = KeyValues(name="journal_head")
        card.add(self._head)
        self.verified = Banner("ok", "", name="verification")
        self.verified.hide()
        card.add(self.verified)
        row = QHBoxLayout()
        row.setSpacing(SPACE_L)
        row.addStretch(1)
        self.verify = Button("&Verify the journal", name="verify_journal", icon="check")
        self.verify.clicked.connect(self._verify)
        row.addWidget(self.verify)
        card.body.addLayout(row)
        self._column.addWidget(card)

    # -- asking

    def stop(self) -> QWidget:
        """Where the keyboard begins: the first record to print."""
        return self.prints[STRENGTHS_MG[0]]

    def refresh(self) -> None:
        """Ask for everything anew."""
        self._office.ask(partial(question, self._office.desk), self._got, self._failed)

    def _got(self, facts: StockFacts) -> None:
        self._trouble.hide()
        clear_layout(self._totals)
        for at, totals in enumerate(facts.totals):
            if at:
                self._totals.addWidget(rule())
            self._totals.addWidget(_TotalRow(self._office, totals))
        self._standing.set_rows(facts.discrepancies)
        self._standing_card.setVisible(bool(facts.discrepancies))
        self._errors.set_rows(facts.errors)
        self._given.set_rows(facts.given)
        self._stock.set_rows(facts.stock)
        states = sorted({row.state for row in facts.stock}, key=_state_order)
        self._legend.setText("  ".join(f"{state.capitalize()}: {state_says(state)}." for state in states))
        self._legend.setVisible(bool(states))
        self._head.set_pairs(
            [
                ("Events", f"{facts.head.seq:,}"),
                ("Hash of the last", " ".join(facts.head.hash[at : at + 8] for at in range(0, 64, 8))),
                ("Last recorded", self._head_moment(facts.head)),
            ]
        )

    def _head_moment(self, head: views.Head) -> str:
        zone = self._office.site.time_zone
        if not head.recorded_utc:
            return ""
        moment = datetime.fromisoformat(head.recorded_utc).astimezone(ZoneInfo(zone))
        return f"{say_moment(moment)} {zone}"

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", f"This could not be read: {trouble}")
        self._trouble.show()

    # -- going on

    def _behind_stock(self, row: StockRow) -> None:
        open_behind(self._office, _of_stock(row), self)

    def _open_dose(self, row: GivenRow) -> None:
        self._office.go.emit("prepare", row.dose_id)

    def _open_discrepancy(self, row: views.Discrepancy) -> None:
        self._office.go.emit("counts", row.number)

    def _open_error(self, row: views.ErrorLine) -> None:
        self._office.open_error(row.error_id)

    # -- printing and verifying

    def _print_first(self) -> None:
        self._print(STRENGTHS_MG[0])

    def _print_second(self) -> None:
        self._print(STRENGTHS_MG[1])

    def _print(self, strength: Decimal) -> None:
        self._printing = strength
        self._hold(True)
        desk, act = self._office.desk, self._acts[strength]
        form = RecordForm(format(strength, "f"))

        def work() -> Printed:
            return print_accountability_record(desk, act, form)

        self._office.do(work, self._printed, self._not_printed, busy="Printing the accountability record")

    def _hold(self, busy: bool) -> None:
        for button in (*self.prints.values(), self.verify):
            button.setEnabled(not busy)

    def _printed(self, printed: Printed) -> None:
        self._hold(False)
        strength = self._printing
        self._acts[strength] = self._office.act()
        words = show_mg(strength)
        self._office.show_paper(
            f"Accountability record, {words}", f"accountability-{words.replace(' ', '-')}.pdf", printed, self
        )
        self._office.changed.emit()

    def _not_printed(self, trouble: Exception) -> None:
        self._hold(False)
        self._office.say_trouble(trouble)

    def _verify(self) -> None:
        self._hold(True)
        self.verified.hide()
        store = self._office.desk.store

        def work() -> views.Verification:
            return store.verify()

        self._office.do(work, self._verified, self._not_verified, busy="Verifying the journal")

    def _verified(self, found: views.Verification) -> None:
        self._hold(False)
        if found.sound:
            text = (
                f"All {found.events:,} events are as they were written, and every table follows from them."
                f" Last hash {found.head_hash[:16]}…"
            )
            self.verified.set_message("ok", text, word="Sound")
        else:
            where = f" The first bad event is {found.first_bad}." if found.first_bad is not None else ""
            text = f"{found.trouble}{where} Stop work, keep this database as it is, and call the administrator."
            self.verified.set_message("stop", text, word="Not sound")
        self.verified.show()
        self.shown.emit(self.verified)

    def _not_verified(self, trouble: Exception) -> None:
        self._hold(False)
        self.verified.set_message("stop", f"The journal could not be verified: {trouble}", word="Not verified")
        self.verified.show()


def _state_order(state: str) -> int:
    return STATES.index(state) if state in STATES else len(STATES)


def _stock_tone(row: StockRow) -> str:
    return state_tone(row.state)


def _given_tone(row: GivenRow) -> str:
    return "stop" if row.reportable else ""


def _error_tone(row: views.ErrorLine) -> str:
    return "stop" if row.status == "open" else ""
