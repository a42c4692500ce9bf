"""Subjects: the list, enrolling one, and one subject's treatment, weights, doses, history and documents."""

from dataclasses import dataclass
from datetime import date

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.treatment_calendar import DoseStatus, TreatmentCalendar
from pharmacy_app.domain.units import show_mg
from pharmacy_app.services import subjects, views
from pharmacy_app.services.behind import Amount, Given
from pharmacy_app.services.ports import Reader
from ui.office import Office
from ui.pages.figure import Leads, lead_rows, named
from ui.pages.query_strip import QueryStrip
from ui.pages.subjects_documents import DocumentsView
from ui.pages.subjects_facts import SubjectFacts, facts_of, say_birth, subject_words
from ui.pages.subjects_history import HistoryView
from ui.pages.subjects_treatment import TreatmentView
from ui.pages.subjects_weights import WeightsView
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import DateField, Form, TextField
from ui.widgets.panels import Banner, Card, EmptyState, Page, Tabs
from ui.widgets.tables import Column, DataTable, RowTableModel

TREATMENT, WEIGHTS, DOSES, HISTORY, DOCUMENTS = range(5)
"""The tabs of one subject."""


@dataclass(frozen=True, slots=True)
class DoseRow:
    """A line of the doses table."""

    dose_id: str
    cycle_day: str
    level: int
    planned_on: date
    prescribed: str
    administered: str
    given_on: date | None
    status: str


def next_kind(calendar: TreatmentCalendar) -> str:
    """How the sentence on the next dose is shown: a warning where a dose is late or must be omitted."""
    late = any(dose.status in (DoseStatus.LATE, DoseStatus.MUST_OMIT) for dose in calendar.doses)
    return "warn" if late else "info"


class EnrollCard(Card):
    """The form that enrolls a subject."""

    def __init__(self) -> None:
        super().__init__("Enroll a subject", "Numbers, dates and initials only. Type no names.", name="enroll_card")
        self.form = Form(name="enroll_form")
        self.form.add(
            TextField(
                "subject_number",
                "Subject n&umber",
                required=True,
                max_length=20,
                hint="As the study gave it. It is used once and never again.",
            )
        )
        self.form.add(
            TextField(
                "birth",
                "Date or year of &birth",
                required=True,
                max_length=24,
                hint="2009-11-02 or 02-Nov-2009; the year alone, 2009, where the site may not keep the day.",
            )
        )
        self.form.add(
            TextField("initials", "&Initials", max_length=4, hint="Two to four letters, only where the site uses them.")
        )
        self.form.add(DateField("enrolled_on", "Enr&olled on", hint="Left empty, it is today."))
        self.add(self.form)
        self.cancel = Button("Cance&l", name="enroll_cancel")
        self.enroll = Button("&Enroll", name="enroll", kind="primary", icon="plus")
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.enroll)
        self.body.addLayout(row)


class SubjectsPage(Page):
    """The list with the enrolling form, and one subject in its place once it is opened."""

    def __init__(self, office: Office) -> None:
        super().__init__("Subjects", name="subjects_page")
        self._office = office
        self._enroll_act = office.act()
        self._shown = ""
        self._tab_wanted = -1
        self._known: set[str] = set()
        self._trouble = Banner("stop", "", name="subjects_trouble")
        self._trouble.hide()
        self.add(self._trouble)
        self._make_actions()
        self._make_list()
        self._make_detail()
        self._show_list()

    # -- what is on the page

    def _make_actions(self) -> None:
        self.back = Button("&All subjects", name="all_subjects")
        self.order = Button("&New order", name="subject_new_order", icon="plus")
        self.begin = Button("&Enroll a subject", name="begin_enroll", kind="primary", icon="plus")
        for button in (self.back, self.order, self.begin):
            self.action_bar.addWidget(button)
        self.back.clicked.connect(self._go_back)
        self.order.clicked.connect(self._order)
        self.begin.clicked.connect(self._begin_enroll)
        for button, kind in ((self.begin, "subject_enrolled"), (self.order, "dose_ordered")):
            button.setEnabled(self._office.may(kind))
            button.setToolTip(self._office.why_not(kind))

    def _make_list(self) -> None:
        self._list = QWidget()
        column = QVBoxLayout(self._list)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        why_not = self._office.why_not("subject_enrolled")
        self._why_not = Text(f"Enrolling: {why_not}", "small", name="enroll_why_not")
        self._why_not.setVisible(bool(why_not))
        column.addWidget(self._why_not)
        self.enroll_card = EnrollCard()
        self.enroll_card.hide()
        self.enroll_card.cancel.clicked.connect(self._cancel_enroll)
        self.enroll_card.enroll.clicked.connect(self._enroll)
        column.addWidget(self.enroll_card)
        self._model = RowTableModel(
            (
                Column("subject_number", "Subject", stretch=True),
                Column("initials", "Initials", write=lambda text: text or "–"),
                Column("birth", "Born", write=say_birth, width=120),
                Column("enrolled_on", "Enrolled", write=say_day, width=120),
                Column("doses_given", "Doses given", numeric=True),
                Column("last_given_on", "Last given", write=say_day, width=120),
            ),
            parent=self,
        )
        self.table = DataTable(self._model, name="subjects_table", label="Subjects", visible_rows=12)
        self.table.row_activated.connect(self._activated)
        lead_rows(
            self._office,
            self.table,
            {"doses_given": lambda row: Given(row.subject_number, doses=True)},
            thing=named("subject_number"),
        )
        self._hint = Text("Enter or a double click opens a subject.", "small")
        self._list_card = Card(name="subjects_card")
        self._list_card.add(self.table)
        self._list_card.add(self._hint)
        column.addWidget(self._list_card)
        self._empty = EmptyState(
            "No subject is enrolled yet",
            "Enroll the first one with its number and date of birth; heights and weights come next.",
            icon="subjects",
            name="no_subjects",
        )
        self._empty.hide()
        column.addWidget(self._empty)
        column.addStretch(1)
        self.add(self._list)

    def _make_detail(self) -> None:
        self._detail = QWidget()
        column = QVBoxLayout(self._detail)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        self._next = Banner("info", "", name="next_due")
        column.addWidget(self._next)
        self._queries = QueryStrip(self._office, name="subject_query")
        column.addWidget(self._queries)
        self.treatment = TreatmentView(self._office)
        self.weights = WeightsView(self._office)
        self.history = HistoryView(self._office)
        self.documents = DocumentsView(self._office)
        for acted in (
            self.treatment.changed,
            self.weights.recorded,
            self.history.withdrawn,
            self.documents.attached,
        ):
            acted.connect(self._acted)
        for wanted in (self.treatment.look_at, self.weights.look_at, self.documents.look_at):
            wanted.connect(self.show_widget)
        self.treatment.document_wanted.connect(self._attach)
        self.tabs = Tabs(
            [
                ("&Treatment", self.treatment),
                ("Wei&ghts", self.weights),
                ("&Doses", self._make_doses()),
                ("Histor&y", self.history),
                ("Do&cuments", self.documents),
            ],
            name="subject_tabs",
            names=("tab_treatment", "tab_weights", "tab_doses", "tab_history", "tab_documents"),
        )
        self.tabs.chosen.connect(self._to_top)
        column.addWidget(self.tabs)
        column.addStretch(1)
        self.add(self._detail)

    def _make_doses(self) -> Card:
        self._doses = RowTableModel(
            (
                Column("dose_id", "Dose", width=110),
                Column("cycle_day", "Cycle", width=80),
                Column("level", "Level", numeric=True),
                Column("planned_on", "Planned on", write=say_day, width=120),
                Column("prescribed", "Prescribed", numeric=True),
                Column("administered", "Given", numeric=True),
                Column("given_on", "Given on", write=say_day, width=120),
                Column("status", "Status", stretch=True, tone=_status_tone),
            ),
            parent=self,
        )
        doses = Card("Doses", "Enter or a double click opens a dose in Prepare.", name="doses_card")
        self.doses_table = DataTable(
            self._doses,
            name="doses_table",
            label="Doses",
            empty_text="No dose is ordered yet. “New order” begins one.",
            visible_rows=8,
            sortable=False,
        )
        self.doses_table.row_activated.connect(self._open_dose)
        behind: dict[str, Leads] = {
            "prescribed": lambda row: Amount(row.dose_id, "prescribed"),
            "administered": lambda row: Amount(row.dose_id, "administered"),
        }
        lead_rows(self._office, self.doses_table, behind, thing=named("dose_id"))
        doses.add(self.doses_table)
        return doses

    # -- asking

    def refresh(self) -> None:
        """Ask for the list and for the subject shown."""
        self._office.ask(_list_question, self._got_list, self._failed)
        if self._shown:
            self._ask_detail()

    def open_on(self, what: str) -> None:
        """Show one subject's weights: who comes from another page comes to weigh."""
        self._open(what, WEIGHTS)

    def is_dirty(self) -> bool:
        """Whether a subject, a measurement, a statement or a document is half typed."""
        parts = (self.enroll_card.form, self.treatment, self.weights, self.documents)
        return any(part.is_dirty() for part in parts)

    def _open(self, number: str, tab: int) -> None:
        self._shown, self._tab_wanted = number, tab
        self._ask_detail()

    def _ask_detail(self) -> None:
        desk, number = self._office.desk, self._shown

        def question(reader: Reader) -> SubjectFacts:
            return facts_of(desk, reader, number)

        self._office.ask(question, self._got_detail, self._no_detail)

    def _got_list(self, lines: tuple[views.SubjectLine, ...]) -> None:
        self._trouble.hide()
        self._model.set_rows(lines)
        self._list_card.setVisible(bool(lines))
        self._empty.setVisible(not lines and self.enroll_card.isHidden())
        self._known = {line.subject_number for line in lines}
        if not self._shown:
            self.set_title("Subjects", f"{len(lines)} enrolled")

    def _got_detail(self, facts: SubjectFacts) -> None:
        if facts.number != self._shown:
            return
        self._trouble.hide()
        self.set_title(f"Subject {facts.number}", subject_words(facts))
        self._next.set_message(next_kind(facts.calendar), facts.calendar.next_words, word="Next")
        self._queries.show_about(facts.number)
        for view in (self.treatment, self.weights, self.history, self.documents):
            view.show_facts(facts)
        self._doses.set_rows([_dose_row(dose) for dose in reversed(facts.doses)])
        self._show_detail()

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", str(trouble))
        self._trouble.show()

    def _no_detail(self, trouble: Exception) -> None:
        self._shown = ""
        self._show_list()
        self._failed(trouble)

    # -- moving about

    def _show_list(self) -> None:
        self._detail.hide()
        self.back.hide()
        self.order.hide()
        self.begin.setVisible(self.enroll_card.isHidden())
        self._list.show()
        self.set_title("Subjects", f"{len(self._known)} enrolled")

    def _show_detail(self) -> None:
        tab, self._tab_wanted = self._tab_wanted, -1
        if tab < 0:
            return
        self._list.hide()
        self.begin.hide()
        self.back.show()
        self.order.show()
        self._detail.show()
        self.tabs.set_current(tab)
        self._to_top()
        if tab == WEIGHTS and self._office.may("measurement_recorded"):
            self.weights.take_focus()
        elif tab == TREATMENT and self.treatment.begin.isEnabled() and self.treatment.begin.isVisible():
            self.treatment.begin.setFocus()
        else:
            self.back.setFocus()

    def _to_top(self) -> None:
        self.scroll_area.verticalScrollBar().setValue(0)

    def _attach(self) -> None:
        self.tabs.set_current(DOCUMENTS)
        self.documents.begin_attach()

    def _acted(self) -> None:
        self._office.changed.emit()
        if self._shown:
            self._ask_detail()

    def _go_back(self) -> None:
        self._shown = ""
        self._show_list()
        self.table.setFocus()

    def _activated(self, line: views.SubjectLine) -> None:
        self._open(line.subject_number, TREATMENT)

    def _open_dose(self, row: DoseRow) -> None:
        self._office.go.emit("prepare", row.dose_id)

    def _order(self) -> None:
        self._office.go.emit("prepare", self._shown or "new")

    # -- enrolling

    def _begin_enroll(self) -> None:
        self._empty.hide()
        self.enroll_card.show()
        self.begin.hide()
        self.enroll_card.form.field("subject_number").editor().setFocus()

    def _cancel_enroll(self) -> None:
        self.enroll_card.form.clear()
        self.enroll_card.hide()
        self._empty.setVisible(not self._known)
        self.begin.show()
        self.begin.setFocus()

    def _enroll(self) -> None:
        form = subjects.SubjectForm(**self.enroll_card.form.values())
        self.enroll_card.form.clear_faults()
        self.enroll_card.enroll.setEnabled(False)
        desk, act = self._office.desk, self._enroll_act

        def work() -> Event:
            return subjects.enroll(desk, act, form)

        self._office.do(work, self._enrolled, self._not_enrolled, busy="Enrolling the subject")

    def _enrolled(self, event: Event) -> None:
        number = str(event.content["subject_number"])
        self.enroll_card.enroll.setEnabled(True)
        self._enroll_act = self._office.act()
        self._cancel_enroll()
        self._office.messages.ok(f"Subject {number} is enrolled. Record a height and a weight next.")
        self._office.changed.emit()
        self.open_on(number)

    def _not_enrolled(self, trouble: Exception) -> None:
        self.enroll_card.enroll.setEnabled(True)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.enroll_card.form.show_faults(faults)


def _list_question(reader: Reader) -> tuple[views.SubjectLine, ...]:
    return tuple(reader.subjects())


def _dose_row(line: views.DoseLine) -> DoseRow:
    return DoseRow(
        line.dose_id,
        f"C{line.cycle} D{line.day}",
        line.level,
        line.planned_on,
        show_mg(line.prescribed_mg),
        "–" if line.administered_mg is None else show_mg(line.administered_mg),
        line.given_on,
        line.status,
    )


def _status_tone(row: DoseRow) -> str:
    return {"stopped": "stop", "cancelled": "muted", "closed": "ok"}.get(row.status, "")


def make_page(office: Office) -> QWidget:
    """The page for one office."""
    return SubjectsPage(office)
