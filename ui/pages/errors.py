"""Errors: reportable dosing errors, other errors and near misses apart; reporting one; one record in full."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import Printed, print_medication_error
from ui.office import Office
from ui.pages.errors_facts import (
    ErrorRow,
    ErrorRows,
    ListFacts,
    RecordFacts,
    clock_tone,
    list_facts,
    or_dash,
    record_facts,
    status_tone,
)
from ui.pages.errors_record import RecordView
from ui.pages.errors_report import ReportView
from ui.pages.figure import lead_rows, named
from ui.theme import SPACE_M
from ui.widgets.basics import Button, Text
from ui.widgets.panels import Banner, Card, Page
from ui.widgets.tables import Column, DataTable

NEW = "new"
"""What ``open_on`` takes for the form that reports an error."""

_MOST_ROWS = 8
_ROW_PX = 36
_ICON_PX = 24

_LISTS = (
    (
        "reportable",
        "Reportable dosing errors",
        "The dose given is off the prescribed one by the reportable limit or more (Protocol § 8.1.3).",
    ),
    ("others", "Other errors", "Reported by a person: reached the subject, or it is not known whether it did."),
    ("near_misses", "Near misses", "Found before they reached the subject."),
    ("no_errors", "Judged no error", "Assessed with the reason; the record stays."),
)


class _ListCard(Card):
    """One list; where it is empty it says so in one line."""

    def __init__(self, key: str, title: str, subtitle: str) -> None:
        super().__init__(title, subtitle, name=f"{key}_card")
        self._rows = ErrorRows(
            (
                Column("error_id", "Record", width=90),
                Column("found_on", "Found on", write=say_day, width=100),
                Column("subject", "Subject", write=or_dash, width=80),
                Column("what", "What happened", stretch=True),
                Column("status", "Status", width=120, tone=status_tone),
                Column("clock_words", "Clocks", write=or_dash, width=90, tone=clock_tone),
            ),
            parent=self,
        )
        self.table = DataTable(self._rows, name=f"{key}_table", label=title, sortable=False)
        self._none = Text("None.", "muted", name=f"{key}_none")
        self.add(self.table)
        self.add(self._none)

    def show_rows(self, rows: tuple[ErrorRow, ...], *, clocks: bool) -> None:
        """Show these, as high as they need up to a few; ``clocks`` where any record of the page has one."""
        self.table.setColumnHidden(len(self._rows.columns) - 1, not clocks)
        self._rows.set_rows(rows)
        self.table.setFixedHeight(_ROW_PX * (min(len(rows), _MOST_ROWS) + 1) + 4)
        self.table.setVisible(bool(rows))
        self._none.setVisible(not rows)


class ErrorsPage(Page):
    """The lists, the report in their place while one is typed, and one record in their place once it is opened."""

    def __init__(self, office: Office) -> None:
        super().__init__("Errors", name="errors_page")
        self._office = office
        self._print_act = office.act()
        self._view = ""
        self._records: dict[str, RecordView] = {}
        self._asked_focus = ""
        self._top = QTimer(self, interval=0, singleShot=True)
        self._top.timeout.connect(self._scroll_up)
        self._trouble = Banner("stop", "", name="errors_trouble")
        self._trouble.hide()
        self.back = Button("&All errors", name="all_errors")
        self.print_button = Button("&Print report", name="print_error", icon="print")
        self.begin = Button("&Report an error or near miss", name="begin_report", kind="primary", icon="plus")
        for button in (self.back, self.print_button, self.begin):
            self.action_bar.addWidget(button)
        self.back.clicked.connect(self.show_lists)
        self.print_button.clicked.connect(self._print)
        self.begin.clicked.connect(self.report_error)
        self.add(self._trouble)
        self._lists = QWidget()
        column = QVBoxLayout(self._lists)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        self.cards: dict[str, _ListCard] = {}
        for key, title, subtitle in _LISTS:
            card = _ListCard(key, title, subtitle)
            card.table.row_activated.connect(self._activated)
            lead_rows(self._office, card.table, thing=named("error_id"))
            self.cards[key] = card
            column.addWidget(card)
        column.addWidget(Text("Enter or a double click opens a record.", "small"))
        column.addStretch(1)
        self.add(self._lists)
        self.report = ReportView(office)
        self.report.recorded.connect(self._reported)
        self.report.left.connect(self.show_lists)
        self.report.needs_look.connect(self.show_widget)
        self.add(self.report)
        self._holder = QWidget()
        self._held = QVBoxLayout(self._holder)
        self._held.setContentsMargins(0, 0, 0, 0)
        self.add(self._holder)
        self._show("")

    # -- where one is

    def open_on(self, what: str) -> None:
        """Open a record by its number, or the form that reports one (``NEW``)."""
        if what == NEW:
            self.report_error()
        else:
            self.open_error(what)

    def open_error(self, error_id: str) -> None:
        """Show one record."""
        self._show(error_id)
        self._asked_focus = error_id
        self._ask_record()

    def report_error(self) -> None:
        """Show the form; a draft is where it was left."""
        self._show(NEW)
        self.report.take_focus()

    def show_lists(self) -> None:
        """Go back to the lists."""
        self._show("")
        shown = next((card.table for card in self.cards.values() if not card.table.isHidden()), None)
        (shown or self.begin).setFocus()

    def is_dirty(self) -> bool:
        """Whether a report, an assessment or a telling is half typed."""
        return self.report.is_dirty() or any(view.is_dirty() for view in self._records.values())

    def refresh(self) -> None:
        """Ask for the lists and for the record shown."""
        desk = self._office.desk

        def question(reader: Reader) -> ListFacts:
            return list_facts(desk, reader)

        self._office.ask(question, self._got_lists, self._failed)
        if self._view not in ("", NEW):
            self._ask_record()

    def _show(self, view: str) -> None:
        """'' for the lists, ``NEW`` for the form, else a record's number."""
        self._trouble.hide()
        self._view = view
        for error_id, record in list(self._records.items()):
            record.setVisible(error_id == view)
            if error_id != view and not record.is_dirty():
                del self._records[error_id]
                self._held.removeWidget(record)
                record.deleteLater()
        is_record = view not in ("", NEW)
        self._lists.setVisible(not view)
        self.report.setVisible(view == NEW)
        self._holder.setVisible(is_record)
        self.back.setVisible(is_record)
        self.print_button.setVisible(is_record)
        self.print_button.setEnabled(view in self._records)
        self.begin.setVisible(not view)
        self.set_title(f"Medication error {view}" if is_record else "Errors")
        self._top.start()

    def _scroll_up(self) -> None:
        self.scroll_area.verticalScrollBar().setValue(0)

    # -- asking

    def _ask_record(self) -> None:
        desk, error_id = self._office.desk, self._view

        def question(reader: Reader) -> RecordFacts:
            return record_facts(desk, reader, error_id)

        self._office.ask(question, self._got_record, self._no_record)

    def _got_lists(self, facts: ListFacts) -> None:
        self._trouble.hide()
        for key, card in self.cards.items():
            card.show_rows(getattr(facts, key), clocks=any(row.clock for row in facts.rows))
        # The lists stand one beneath the other: so do their columns.
        headers = [card.table.horizontalHeader() for card in self.cards.values() if not card.table.isHidden()]
        for at in range(headers[0].count() if headers else 0):
            width = max(header.sectionSize(at) for header in headers) + (
                _ICON_PX if at == headers[0].count() - 1 else 0
            )
            for header in headers:
                header.resizeSection(at, width)

    def _got_record(self, facts: RecordFacts) -> None:
        error_id = facts.line.error_id
        if error_id != self._view:
            return
        view = self._records.get(error_id)
        if view is None:
            view = RecordView(self._office, facts)
            view.recorded.connect(self._office.changed)
            view.needs_look.connect(self.show_widget)
            self._records[error_id] = view
            self._held.addWidget(view)
        else:
            view.show_facts(facts)
        self.print_button.setEnabled(True)
        if self._asked_focus == error_id:
            self._asked_focus = ""
            view.take_focus()

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", f"The records could not be read: {trouble}")
        self._trouble.show()

    def _no_record(self, trouble: Exception) -> None:
        self.show_lists()
        self._trouble.set_message("stop", str(trouble))
        self._trouble.show()

    def _activated(self, row: ErrorRow) -> None:
        self.open_error(row.error_id)

    def _reported(self, error_id: str) -> None:
        self.open_error(error_id)
        self._office.changed.emit()

    # -- printing

    def _print(self) -> None:
        desk, act, error_id = self._office.desk, self._print_act, self._view
        self.print_button.setEnabled(False)

        def work() -> Printed:
            return print_medication_error(desk, act, error_id)

        self._office.do(work, self._printed, self._not_printed, busy="Printing the report")

    def _printed(self, printed: Printed) -> None:
        self._print_act = self._office.act()
        self.print_button.setEnabled(True)
        error_id = printed.event.content["papers"][0]["about"]
        self._office.show_paper(f"Medication error {error_id}", f"medication-error-{error_id}.pdf", printed, self)
        self._office.changed.emit()

    def _not_printed(self, trouble: Exception) -> None:
        self.print_button.setEnabled(True)
        self._office.say_trouble(trouble)


def make_page(office: Office) -> QWidget:
    """The page for one office."""
    return ErrorsPage(office)
