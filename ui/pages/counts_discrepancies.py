"""Discrepancies between shelf and record: those that stand, and the explanation that two people sign."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.counts import OUTCOMES
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import Vial
from pharmacy_app.services.counts import (
    DiscrepancyForm,
    ExplainForm,
    explain_discrepancy,
    open_discrepancy,
)
from pharmacy_app.services.desk import Act, Credentials
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.views import Discrepancy
from ui.office import Office
from ui.pages.counts_parts import ROW_HEIGHT, add_signatures, credentials_of, faults_of, forget_passwords
from ui.pages.figure import lead_rows, named
from ui.pages.query_strip import QueryStrip
from ui.pages.stock_parts import ActDialog, TippedRows, place_words, say_at, say_mg, state_tone, state_words
from ui.pages.subjects_parts import FittingTable
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, Form, NoteField, PasswordField, TextField
from ui.widgets.panels import Banner, Card, EmptyState, KeyValues
from ui.widgets.tables import Column, DataTable


@dataclass(frozen=True, slots=True)
class DiscrepancyFacts:
    """A discrepancy with the vials it names as they stand now."""

    line: Discrepancy
    vials: tuple[Vial, ...]


def discrepancy_facts(reader: Reader) -> tuple[DiscrepancyFacts, ...]:
    """Every discrepancy, the open ones first, each newest first."""
    found = sorted(reader.discrepancies(), key=lambda line: (line.status != "open", -line.event_seq))
    return tuple(
        DiscrepancyFacts(
            line,
            tuple(
                vial
                for concern in line.concerns
                for vial in (reader.vial(unit) for unit in concern.units)
                if vial is not None
            ),
        )
        for line in found
    )


@dataclass(frozen=True, slots=True)
class _Row:
    line: Discrepancy
    number: str
    opened: str
    about: str
    sentence: str
    status: str


def _row(facts: DiscrepancyFacts) -> _Row:
    line = facts.line
    about = f"count {line.count_number}, {line.place}" if line.count_number else "noticed without a count"
    status = "open" if line.status == "open" else f"closed: {line.outcome}"
    return _Row(line, line.number, say_day(line.opened_at.date()), about, line.sentence, status)


@dataclass(frozen=True, slots=True)
class _VialRow:
    vial: Vial
    unit_number: str
    strength: str
    lot: str
    state: str
    place: str


def report_dialog(office: Office, parent: QWidget) -> ActDialog:
    """Open a discrepancy without a count; 'succeeded' gives the event."""

    def work(act: Act, values: dict[str, str]) -> Event:
        codes = tuple(code for code in values["unit_numbers"].replace(",", " ").split() if code)
        own = Credentials(office.session.user_name, values["password"])
        return open_discrepancy(office.desk, act, DiscrepancyForm(codes, values["what"]), own)

    return ActDialog(
        office,
        "Report a difference",
        "For a vial that was not where the record has it, outside of a count. It stands until two people have signed"
        " the explanation.",
        "S&ign the report",
        [
            TextField("unit_numbers", "&Vials", required=True, max_length=500, hint="Scan or type each unit number."),
            NoteField("what", "What was &noticed", required=True, lines=2),
            PasswordField("password", "Your pass&word", required=True),
        ],
        work,
        name="discrepancy_dialog",
        busy="Recording the discrepancy",
        parent=parent,
    )


class DiscrepanciesView(QWidget):
    """The list, the chosen one beneath it, and its explanation. Signals ``look_at(object)``, ``count(str number)``."""

    look_at = Signal(object)
    count = Signal(str)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("discrepancies_view")
        self._office = office
        self._act = office.act()
        self._facts: dict[str, DiscrepancyFacts] = {}
        self._shown = ""
        self._wanted = ""
        self._busy = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self._make_list())
        self._empty = EmptyState(
            "No discrepancy",
            "Every count agreed with the record so far. A difference found in a count is listed here until two people"
            " have signed its explanation.",
            icon="ok",
            name="discrepancies_empty",
        )
        column.addWidget(self._empty)
        self._one = self._make_one()
        column.addWidget(self._one)
        column.addStretch(1)
        self._one.hide()

    # -- parts

    def _make_list(self) -> QWidget:
        top = QWidget()
        column = QVBoxLayout(top)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        self._said = Text("", "muted", name="discrepancies_said")
        self.report_button = Button("Report a &difference…", name="discrepancy_report", icon="plus")
        self.report_button.clicked.connect(self._report)
        self.report_button.setEnabled(self._office.may("discrepancy_opened"))
        self.report_button.setToolTip(self._office.why_not("discrepancy_opened"))
        row.addWidget(self._said, 1)
        row.addWidget(self.report_button)
        column.addLayout(row)
        self._rows = TippedRows(
            (
                Column("number", "No.", width=112),
                Column("opened", "Opened", width=104),
                Column("about", "From", width=180),
                Column("sentence", "What differs", stretch=True),
                Column("status", "Status", width=170, tone=lambda row: "stop" if row.status == "open" else ""),
            ),
            parent=self,
        )
        self.table = FittingTable(
            self._rows,
            spare=("about",),
            name="discrepancies_table",
            label="Discrepancies",
            empty_text="No discrepancy.",
            visible_rows=0,
            sortable=False,
        )
        self.table.row_chosen.connect(self._choose)
        lead_rows(self._office, self.table, thing=named("number"))
        column.addWidget(self.table)
        return top

    def _make_one(self) -> Card:
        card = Card(name="discrepancy_card")
        self._title = Text("", "section", name="discrepancy_title")
        self.count_button = Button("See the &count", name="discrepancy_count", kind="quiet")
        self.count_button.clicked.connect(self._see_count)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self.count_button)
        card.body.addLayout(head)
        self._queries = QueryStrip(self._office, name="discrepancy_query")
        card.add(self._queries)
        self._sentence = Text("", name="discrepancy_sentence")
        card.add(self._sentence)
        self._pairs = KeyValues(columns=2, name="discrepancy_facts")
        card.add(self._pairs)
        self._vial_rows = TippedRows(
            (
                Column("unit_number", "Unit no.", width=110),
                Column("strength", "Strength", numeric=True),
                Column("lot", "Lot", width=120),
                Column("state", "State now", stretch=True, tone=lambda row: state_tone(row.vial.state)),
                Column("place", "Place", width=150),
            ),
            parent=self,
        )
        self.vials = DataTable(
            self._vial_rows, name="discrepancy_vials", label="Vials of this discrepancy", sortable=False
        )
        self.vials.row_activated.connect(self._open_vial)
        lead_rows(self._office, self.vials, thing=named("unit_number"))
        card.add(self.vials)
        self._hint = Text(
            "Enter opens a vial under Vials: there it is recorded as missing, or as found. Explaining moves nothing.",
            "small",
            name="discrepancy_hint",
        )
        card.add(self._hint)
        self._why_not = Banner("info", "", name="discrepancy_why_not")
        card.add(self._why_not)
        self._entry = QWidget()
        entry = QVBoxLayout(self._entry)
        entry.setContentsMargins(0, 0, 0, 0)
        entry.setSpacing(SPACE_M)
        self.form = Form(name="explain_form")
        choices = [(outcome, f"{outcome[:1].upper()}{outcome[1:]}") for outcome in OUTCOMES]
        self.form.add(ChoiceField("outcome", "&Outcome", choices, required=True))
        self.form.end_row()
        self.form.add(NoteField("explanation", "&Explanation", required=True, lines=2), span=2)
        add_signatures(
            self.form,
            self._office,
            "I explain it so.",
            "A second person, who looked into it too. One of the two is a pharmacist.",
            self.sign,
        )
        entry.addWidget(self.form)
        self.verb = Button("S&ign the explanation", name="explain_sign", kind="primary", icon="sign")
        self.verb.clicked.connect(self.sign)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.verb)
        entry.addLayout(row)
        card.add(self._entry)
        self.form.mark_clean()
        return card

    # -- what is shown

    def refresh(self) -> None:
        """Ask anew; an explanation that is half typed stays."""
        self._office.ask(discrepancy_facts, self._got, self._office.say_trouble)

    def open_on(self, number: str) -> None:
        """Show one discrepancy by its number."""
        self._wanted = number
        self.refresh()

    def is_dirty(self) -> bool:
        """Whether an explanation is half typed."""
        return self.form.is_dirty()

    def _got(self, facts: Sequence[DiscrepancyFacts]) -> None:
        self._facts = {each.line.number: each for each in facts}
        wanted = self._wanted or self._shown
        asked = bool(self._wanted)
        self._wanted = ""
        rows = [_row(each) for each in facts]
        self._rows.set_rows(rows)
        self.table.setFixedHeight(ROW_HEIGHT * (min(max(len(rows), 1), 5) + 1) + 4)
        self.table.setVisible(bool(rows))
        self._empty.setVisible(not rows)
        still = sum(1 for each in facts if each.line.status == "open")
        self._said.setText(f"{still} open, {len(rows) - still} closed." if rows else "")
        at = next((at for at, row in enumerate(rows) if row.number == wanted), 0)
        self._one.setVisible(bool(rows))
        if rows:
            self.table.selectRow(at)
            self._show(self._facts[rows[at].number])
            if asked:
                self.look_at.emit(self._one)
                self._take_focus()

    def _take_focus(self) -> None:
        if self._entry.isHidden():
            self.table.setFocus()
        else:
            self.form.field("outcome").editor().setFocus()

    def _choose(self, row: _Row) -> None:
        if row.number in self._facts:
            self._show(self._facts[row.number])

    def _show(self, facts: DiscrepancyFacts) -> None:
        line = facts.line
        if line.number != self._shown:
            # What was typed was about another one.
            self._clear()
        self._shown = line.number
        zone = self._office.site.time_zone
        self._title.setText(f"Discrepancy {line.number}")
        self._queries.show_about(line.number)
        self._sentence.setText(line.sentence)
        self.count_button.setVisible(bool(line.count_number))
        pairs = [("Opened", say_at(line.opened_at, zone)), ("By", line.opened_by)]
        if line.status != "open" and line.closed_at is not None:
            pairs += [
                ("Closed", say_at(line.closed_at, zone)),
                ("Signed by", line.closed_by),
                ("Outcome", line.outcome),
                ("Explanation", line.explanation),
            ]
        self._pairs.set_pairs(pairs)
        vials = [
            _VialRow(vial, vial.unit_number, say_mg(vial.strength_mg), vial.lot, state_words(vial), place_words(vial))
            for vial in facts.vials
        ]
        self._vial_rows.set_rows(vials)
        self.vials.setVisible(bool(vials))
        self.vials.setFixedHeight(ROW_HEIGHT * (min(max(len(vials), 1), 5) + 1) + 4)
        is_open = line.status == "open"
        self._hint.setVisible(bool(vials) and is_open)
        why_not = self._office.why_not("discrepancy_explained")
        self._why_not.set_message("info", f"Explaining: {why_not}")
        self._why_not.setVisible(is_open and bool(why_not))
        self._entry.setVisible(is_open and not why_not)

    def _clear(self) -> None:
        self._act = self._office.act()
        for field in self.form.fields():
            if field.name != "user_name":
                field.set_value("")
        self.form.clear_faults()
        self.form.mark_clean()

    def _see_count(self) -> None:
        facts = self._facts.get(self._shown)
        if facts is not None:
            self.count.emit(facts.line.count_number)

    def _open_vial(self, row: _VialRow) -> None:
        self._office.go.emit("vials", row.unit_number)

    # -- the acts

    def _report(self) -> None:
        dialog = report_dialog(self._office, self)
        dialog.succeeded.connect(self._reported)
        dialog.open()

    def _reported(self, event: Event) -> None:
        number = event.content["discrepancy"]
        self._wanted = number
        self._office.messages.ok(f"Discrepancy {number} is open.")
        self._office.changed.emit()

    def sign(self) -> None:
        """Close the discrepancy with what stands in the form."""
        if self._busy:
            return
        if not self.form.check():
            self.look_at.emit(next(field for field in self.form.fields() if field.fault()))
            return
        values = self.form.values()
        form = ExplainForm(self._shown, values["outcome"], values["explanation"])
        own, second = credentials_of(values)
        desk, act = self._office.desk, self._act
        self._set_busy(True)
        self._office.do(
            lambda: explain_discrepancy(desk, act, form, own, second),
            self._did,
            self._did_not,
            busy="Recording the explanation",
        )

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.verb.setEnabled(not busy)
        self.table.setEnabled(not busy)

    def _did(self, event: Event) -> None:
        self._set_busy(False)
        self._clear()
        number = event.content["discrepancy"]
        self._office.messages.ok(f"Discrepancy {number} is explained and closed (event {event.seq}).")
        self._office.changed.emit()

    def _did_not(self, trouble: Exception) -> None:
        self._set_busy(False)
        forget_passwords(self.form)
        faults: tuple[Fault, ...] = faults_of(trouble)
        self.form.show_faults(faults)
        self.look_at.emit(next((field for field in self.form.fields() if field.fault()), self.form))
