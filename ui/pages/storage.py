"""Storage: the deviations with their quarantine clocks; recording one; one in full with its checklist and report."""

from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.temperatures import say_celsius, say_span
from pharmacy_app.services.behind import Exposed
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import Printed
from pharmacy_app.services.storage import (
    DeviationRecord,
    clock_words,
    deviation_record,
    deviation_records,
    places_of,
)
from pharmacy_app.services.storage_report import print_deviation
from ui.office import Office
from ui.pages.figure import lead_rows, named
from ui.pages.stock_parts import TippedRows
from ui.pages.storage_form import WHAT, DeviationView
from ui.pages.storage_record import RecordView, capital
from ui.pages.subjects_parts import FittingTable
from ui.theme import SPACE_M
from ui.widgets.basics import Button, Text
from ui.widgets.panels import Banner, Card, Page
from ui.widgets.tables import Column

ROW_HEIGHT = 36
LINES_SHOWN = 10
"""So many deviations are seen at once; the others scroll."""

NEW = "new"
"""What ``open_on`` takes for the form that records a deviation."""


class _Row:
    """A line of the list."""

    def __init__(self, record: DeviationRecord) -> None:
        line = record.line
        self.deviation_id = line.deviation_id
        self.began = say_day(line.started_at.date())
        self.place = line.place
        worst = [span for span in record.spans if span.duration] or record.spans
        longest = max(worst, key=lambda span: span.duration)
        parts = [say_span(longest.duration)]
        if line.max_celsius is not None and line.max_celsius > record.limits.high_celsius:
            parts.append(f"up to {say_celsius(line.max_celsius, record.limits)}")
        if line.min_celsius is not None and line.min_celsius < record.limits.low_celsius:
            parts.append(f"down to {say_celsius(line.min_celsius, record.limits)}")
        self.what = ", ".join(parts if parts[1:] else [WHAT[longest.kind], *parts])
        self.clock = capital(clock_words(record))
        self.is_open = line.status == "open"


def list_question(reader: Reader, desk: Desk) -> tuple[tuple[_Row, ...], tuple[str, ...]]:
    """The list, open deviations first, and the places that can be chosen."""
    rows = [_Row(record) for record in deviation_records(desk, reader)]
    return tuple(sorted(rows, key=lambda row: not row.is_open)), places_of(reader)


class StoragePage(Page):
    """The list, the form in its place while a deviation is recorded, and one deviation once it is opened."""

    def __init__(self, office: Office) -> None:
        super().__init__("Storage", name="storage_page")
        self._office = office
        self._print_act = office.act()
        self._view = ""
        self._record: RecordView | None = None
        self._top = QTimer(self, interval=0, singleShot=True)
        self._top.timeout.connect(self._scroll_up)
        self._trouble = Banner("stop", "", name="storage_trouble")
        self._trouble.hide()
        self.back = Button("All de&viations", name="all_deviations")
        self.print_button = Button("&Print report", name="print_deviation", icon="print")
        self.begin = Button("&Record a deviation", name="begin_deviation", kind="primary", icon="plus")
        why_not = office.why_not("deviation_recorded")
        self.begin.setEnabled(not why_not)
        self.begin.setToolTip(why_not)
        for button in (self.back, self.print_button, self.begin):
            self.action_bar.addWidget(button)
        self.back.clicked.connect(self.show_list)
        self.print_button.clicked.connect(self._print)
        self.begin.clicked.connect(self.record_one)
        self.add(self._trouble)
        self._list = self._make_list()
        self.add(self._list)
        self.form = DeviationView(office)
        self.form.recorded.connect(self._recorded)
        self.form.left.connect(self.show_list)
        self.form.needs_look.connect(self.show_widget)
        self.add(self.form)
        self._holder = QWidget()
        self._held = QVBoxLayout(self._holder)
        self._held.setContentsMargins(0, 0, 0, 0)
        self.add(self._holder)
        self._show("")

    def _make_list(self) -> QWidget:
        card = Card(
            "Storage deviations",
            "Temperatures outside the limits, gaps, loggers that failed. Vials stay in quarantine until the supporter"
            " permits their use in writing (Protocol §\u00a08.2).",
            name="storage_card",
        )
        self._rows = TippedRows(
            (
                Column("deviation_id", "Number", width=92),
                Column("began", "Began", width=100),
                Column("place", "Place", width=112),
                Column("what", "What", width=176),
                Column("clock", "Clock", stretch=True, tone=lambda row: "stop" if row.is_open else ""),
            ),
            parent=self,
        )
        self.table = FittingTable(
            self._rows,
            spare=("began", "place"),
            name="storage_table",
            label="Storage deviations",
            empty_text="No storage deviation is on record.",
            visible_rows=0,
        )
        self.table.row_activated.connect(self._activated)
        lead_rows(
            self._office, self.table, {"what": lambda row: Exposed(row.deviation_id)}, thing=named("deviation_id")
        )
        card.add(self.table)
        self.table.row_chosen.connect(self._choose)
        self._said = Text("", name="storage_said")
        card.add(self._said)
        card.add(Text("Enter or a double click opens one.", "small"))
        view = QWidget()
        column = QVBoxLayout(view)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(card)
        column.addStretch(1)
        return view

    # -- where one is

    def open_on(self, what: str) -> None:
        """Open a deviation by its number, or the form that records one (``NEW``)."""
        if what == NEW:
            self.record_one()
        else:
            self.open_deviation(what)

    def open_deviation(self, deviation_id: str) -> None:
        """Show one deviation."""
        if self._view != deviation_id:
            self._drop_record()
        self._show(deviation_id)
        self._ask_record()

    def record_one(self) -> None:
        """Show the form; a draft is where it was left."""
        self._show(NEW)
        self.form.take_focus()

    def show_list(self) -> None:
        """Go back to the list."""
        self._drop_record()
        self._show("")
        self.table.setFocus()

    def is_dirty(self) -> bool:
        """Whether a deviation is half typed."""
        return self.form.is_dirty()

    def refresh(self) -> None:
        """Ask for the list and for the deviation shown."""
        self._office.ask(partial(list_question, desk=self._office.desk), self._got_list, self._failed)
        if self._view not in ("", NEW):
            self._ask_record()

    def _show(self, view: str) -> None:
        self._trouble.hide()
        self._view = view
        is_record = view not in ("", NEW)
        self._list.setVisible(not view)
        self.form.setVisible(view == NEW)
        self._holder.setVisible(is_record)
        self.back.setVisible(bool(view))
        self.print_button.setVisible(is_record)
        self.print_button.setEnabled(self._record is not None)
        self.begin.setVisible(not view)
        self.set_title(f"Storage deviation {view}" if is_record else "Storage")
        self._top.start()

    def _scroll_up(self) -> None:
        self.scroll_area.verticalScrollBar().setValue(0)

    def _drop_record(self) -> None:
        if self._record is not None:
            self._held.removeWidget(self._record)
            self._record.hide()
            self._record.deleteLater()
            self._record = None

    # -- asking

    def _ask_record(self) -> None:
        desk, number = self._office.desk, self._view

        def question(reader: Reader) -> DeviationRecord:
            return deviation_record(desk, reader, number)

        self._office.ask(question, self._got_record, self._no_record)

    def _got_list(self, answer: tuple[tuple[_Row, ...], tuple[str, ...]]) -> None:
        rows, places = answer
        self._trouble.hide()
        self._rows.set_rows(rows)
        # As high as its lines: the chosen one's clock stands right beneath, in full.
        self.table.setFixedHeight(ROW_HEIGHT * (min(max(len(rows), 1), LINES_SHOWN) + 1) + 4)
        self._choose(next((row for row in rows if row.is_open), None))
        self.form.set_places(places)

    def _got_record(self, record: DeviationRecord) -> None:
        if record.line.deviation_id != self._view:
            return
        if self._record is None:
            self._record = RecordView(self._office, record)
            self._record.recorded.connect(self._office.changed)
            self._record.needs_look.connect(self.show_widget)
            self._held.addWidget(self._record)
            self.print_button.setEnabled(True)
            self.print_button.setFocus()
        else:
            self._record.show_record(record)

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", f"The deviations could not be read: {trouble}")
        self._trouble.show()

    def _no_record(self, trouble: Exception) -> None:
        self.show_list()
        self._trouble.set_message("stop", str(trouble))
        self._trouble.show()

    def _choose(self, row: _Row | None) -> None:
        """The clock in full beneath the table: a narrow column cuts it."""
        self._said.setText("" if row is None else f"{row.deviation_id}, {row.place}, {row.began}: {row.clock}.")

    def _activated(self, row: _Row) -> None:
        self.open_deviation(row.deviation_id)

    def _recorded(self, deviation_id: str) -> None:
        self.open_deviation(deviation_id)
        self._office.changed.emit()

    # -- printing

    def _print(self) -> None:
        desk, act, number = self._office.desk, self._print_act, self._view
        self.print_button.setEnabled(False)

        def work() -> Printed:
            return print_deviation(desk, act, number)

        self._office.do(work, self._printed, self._not_printed, busy="Printing the report")

    def _printed(self, printed: Printed) -> None:
        self._print_act = self._office.act()
        self.print_button.setEnabled(True)
        number = printed.event.content["papers"][0]["about"]
        self._office.show_paper(f"Storage deviation {number}", f"storage-deviation-{number}.pdf", printed, self)
        self._office.changed.emit()

    def _not_printed(self, trouble: Exception) -> None:
        self.print_button.setEnabled(True)
        self._office.say_trouble(trouble)


def make_page(office: Office) -> QWidget:
    """The page for one office."""
    return StoragePage(office)
