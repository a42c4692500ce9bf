"""Counts: when each place is due, the counts so far, a count under way, discrepancies, and the close-out."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from PySide6.QtCore import QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.events import Event
from pharmacy_app.services.counts import count_dues
from pharmacy_app.services.desk import site_of
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.views import CountDue, StockCount
from ui.office import Office
from ui.pages.counts_closeout import CloseOutView
from ui.pages.counts_discrepancies import DiscrepanciesView
from ui.pages.counts_draft import CountDraft
from ui.pages.counts_parts import ROW_HEIGHT, kinds_words, result_words, strengths_words
from ui.pages.counts_result import CountFacts, CountView, count_facts
from ui.pages.figure import lead_rows, named
from ui.pages.stock_parts import TippedRows, vials_count
from ui.pages.subjects_parts import FittingTable
from ui.theme import SPACE_M
from ui.widgets.basics import Button, Text
from ui.widgets.panels import Banner, Card, EmptyState, Page, Tabs
from ui.widgets.tables import Column, DataTable

NEW = "new"
"""What ``open_on`` takes to begin a count, alone or followed by ``:`` and a place."""

CLOSE_OUT = "close-out"
"""What ``open_on`` takes for the close-out."""

SHOWN = 200
"""So many counts are listed, newest first: more than fifteen years of monthly counts of one place."""

_COUNTS, _DISCREPANCIES, _CLOSE_OUT = range(3)


@dataclass(frozen=True, slots=True)
class ListFacts:
    """What the first view shows."""

    dues: tuple[CountDue, ...]
    counts: tuple[StockCount, ...]
    still_open: int
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _DueRow:
    due: CountDue
    place: str
    last: str
    next: str


def _due_row(due: CountDue) -> _DueRow:
    last = f"{say_day(due.last_on)} ({due.last_number})" if due.last_on else "never"
    late = ", overdue" if due.late else ""
    return _DueRow(due, due.place, last, f"{say_day(due.due_on)}{late}")


@dataclass(frozen=True, slots=True)
class _CountRow:
    count: StockCount
    number: str
    at: str
    place: str
    what: str
    result: str


def _count_row(count: StockCount, zone: ZoneInfo) -> _CountRow:
    return _CountRow(
        count,
        count.number,
        say_moment(count.counted_at.astimezone(zone)),
        count.place,
        f"{kinds_words(count.kinds)}, {strengths_words(count)}",
        result_words(count),
    )


class CountsPage(Page):
    """Counts, discrepancies and close-out as three views; a count under way, or one count, in place of the first."""

    def __init__(self, office: Office) -> None:
        super().__init__("Counts", "What lies on the shelves against what the record says.", name="counts_page")
        self._office = office
        self._top = QTimer(self, interval=0, singleShot=True)
        self._top.timeout.connect(self._scroll_up)
        self._trouble = Banner("stop", "", name="counts_trouble")
        self._trouble.hide()
        self.add(self._trouble)
        self.begin_button = Button("&Begin a count", name="count_begin", kind="primary", icon="plus")
        self.begin_button.clicked.connect(self._begin)
        self.action_bar.addWidget(self.begin_button)
        why_not = office.why_not("count_recorded")
        self.begin_button.setEnabled(not why_not)
        self.begin_button.setToolTip(why_not or "Ctrl+N")
        if why_not:
            self.set_title("Counts", f"What lies on the shelves against what the record says. {why_not}")
        else:
            QShortcut(QKeySequence("Ctrl+N"), self, self._begin)
        self.draft = CountDraft(office)
        self.draft.handed_in.connect(self._handed_in)
        self.draft.left.connect(self.show_list)
        self.draft.look_at.connect(self.show_widget)
        self.record = CountView(office)
        self.record.back.connect(self.show_list)
        self.record.explain.connect(self.open_discrepancy)
        self.discrepancies = DiscrepanciesView(office)
        self.discrepancies.look_at.connect(self.show_widget)
        self.discrepancies.count.connect(self.open_count)
        self.close_out = CloseOutView(office)
        self.close_out.look_at.connect(self.show_widget)
        self._list = self._make_list()
        first = QWidget()
        column = QVBoxLayout(first)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self._list, self.draft, self.record):
            column.addWidget(part)
        self.views = Tabs(
            [("Counts", first), ("Discrepancies", self.discrepancies), ("Close-out", self.close_out)],
            name="counts_views",
            names=("counts_tab", "discrepancies_tab", "close_out_tab"),
        )
        self.views.chosen.connect(self._view_chosen)
        self.add(self.views)
        self.show_list()

    # -- the list

    def _make_list(self) -> QWidget:
        view = QWidget()
        column = QVBoxLayout(view)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        self._open = Banner("warn", "", word="Differs", name="counts_open")
        self._open.hide()
        column.addWidget(self._open)
        self._dues = TippedRows(
            (
                Column("place", "Place", stretch=True),
                Column("last", "Last counted", width=220),
                Column("next", "Next count due", width=200, tone=lambda row: "stop" if row.due.late else ""),
            ),
            parent=self,
        )
        due_card = Card("When to count", "Each place with vials once a month.", name="counts_due_card")
        self.due_table = DataTable(
            self._dues,
            name="counts_due",
            label="When each place is counted",
            empty_text="No place holds a vial.",
            sortable=False,
        )
        self.due_table.row_activated.connect(self._count_place)
        lead_rows(self._office, self.due_table, thing=named("place", "place"))
        due_card.add(self.due_table)
        self._due_card = due_card
        column.addWidget(due_card)
        self._counts = TippedRows(
            (
                Column("number", "Count", width=108),
                Column("at", "Handed in", width=146),
                Column("place", "Place", width=130),
                Column("what", "What", width=190),
                Column("result", "Result", stretch=True, tone=lambda row: "warn" if row.count.discrepancy else "ok"),
            ),
            parent=self,
        )
        self._history = Card("Counts so far", "Enter or a double click opens one.", name="counts_history")
        self.table = FittingTable(
            self._counts,
            spare=("what",),
            name="counts_table",
            label="Counts so far",
            empty_text="No count yet.",
            visible_rows=0,
            sortable=False,
        )
        self.table.row_activated.connect(self._activated)
        lead_rows(self._office, self.table, thing=named("number"))
        self._history.add(self.table)
        column.addWidget(self._history)
        self._empty = EmptyState(
            "No count yet",
            "Choose “Begin a count”, then scan or count what lies there. What the record expects is shown once the"
            " count is handed in.",
            icon="counts",
            name="counts_empty",
        )
        column.addWidget(self._empty)
        self._small = Text("", "small", name="counts_more")
        column.addWidget(self._small)
        column.addStretch(1)
        for part in (due_card, self._history, self._empty, self._small):
            part.hide()
        return view

    # -- where one is

    def open_on(self, what: str) -> None:
        """Open a count (N…) or a discrepancy (Q…) by its number, the close-out, or begin a count (``new:place``)."""
        if what == CLOSE_OUT:
            self.views.set_current(_CLOSE_OUT)
            self._view_chosen(_CLOSE_OUT)
            self.close_out.print_button.setFocus()
        elif what.startswith("Q"):
            self.open_discrepancy(what)
        elif what.split(":", maxsplit=1)[0] == NEW:
            self.begin(what.partition(":")[2])
        else:
            self.open_count(what)

    def begin(self, place: str = "") -> None:
        """Begin a count; one that is under way goes on."""
        if not self._office.may("count_recorded"):
            return
        self._show(self.draft)
        self.draft.open_for(place)

    def _begin(self) -> None:
        self.begin()

    def open_count(self, number: str) -> None:
        """Show one count by its number."""
        self._office.ask(lambda reader: count_facts(reader, number), self._got_count, self._failed)

    def open_discrepancy(self, number: str) -> None:
        """Show one discrepancy by its number."""
        self.views.set_current(_DISCREPANCIES)
        self._view_chosen(_DISCREPANCIES)
        self.discrepancies.open_on(number)

    def show_list(self) -> None:
        """Go back to the counts."""
        self._show(self._list)
        (self.begin_button if self.begin_button.isEnabled() else self.table).setFocus()

    def is_dirty(self) -> bool:
        """Whether a count, an explanation or a close-out is half typed."""
        return any(part.is_dirty() for part in (self.draft, self.discrepancies, self.close_out))

    def refresh(self) -> None:
        """Ask anew for everything shown; drafts stay."""
        desk = self._office.desk

        def question(reader: Reader) -> ListFacts:
            return ListFacts(
                count_dues(desk, reader),
                tuple(reader.stock_counts(limit=SHOWN)),
                len(reader.discrepancies(status="open")),
                site_of(reader).places,
            )

        self._office.ask(question, self._got, self._failed)
        self.discrepancies.refresh()
        self.close_out.refresh()
        if not self.record.isHidden():
            self.open_count(self.record.number)

    def _show(self, part: QWidget) -> None:
        self.views.set_current(_COUNTS)
        for each in (self._list, self.draft, self.record):
            each.setVisible(each is part)
        self._write_actions()
        self._top.start()

    def _write_actions(self) -> None:
        on_list = self.views.current == _COUNTS and not self._list.isHidden()
        self.begin_button.setVisible(on_list)
        self.begin_button.set_text("&Go on counting" if self.draft.is_counting else "&Begin a count")

    def _view_chosen(self, _at: int) -> None:
        self._write_actions()
        self._top.start()

    def _scroll_up(self) -> None:
        self.scroll_area.verticalScrollBar().setValue(0)

    # -- answers

    def _got(self, facts: ListFacts) -> None:
        self._trouble.hide()
        self.draft.show_places(facts.places)
        self._dues.set_rows([_due_row(due) for due in facts.dues])
        self.due_table.setFixedHeight(ROW_HEIGHT * (min(max(len(facts.dues), 1), 4) + 1) + 4)
        zone = ZoneInfo(self._office.site.time_zone)
        self._counts.set_rows([_count_row(count, zone) for count in facts.counts])
        self.table.setFixedHeight(ROW_HEIGHT * (min(max(len(facts.counts), 1), 10) + 1) + 4)
        self._due_card.setVisible(bool(facts.dues))
        self._history.setVisible(bool(facts.counts))
        self._empty.setVisible(not facts.counts)
        self._small.setText(f"The newest {SHOWN} counts are listed.")
        self._small.setVisible(len(facts.counts) == SHOWN)
        many = facts.still_open != 1
        self._open.set_message(
            "warn",
            f"{vials_count(facts.still_open, 'discrepancy') if not many else f'{facts.still_open} discrepancies'}"
            f" {'stand' if many else 'stands'} unexplained: see Discrepancies.",
            word="Differs",
        )
        self._open.setVisible(bool(facts.still_open))

    def _got_count(self, facts: CountFacts) -> None:
        self.record.show_facts(facts)
        if self.record.isHidden() or self.views.current != _COUNTS:
            self._show(self.record)

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", str(trouble))
        self._trouble.show()

    def _activated(self, row: _CountRow) -> None:
        self.open_count(row.number)

    def _count_place(self, row: _DueRow) -> None:
        self.begin(row.place)

    def _handed_in(self, event: Event) -> None:
        number, found = event.content["count_number"], event.content["discrepancy"]
        if found:
            self._office.messages.warn(f"Count {number} is recorded. It differs: discrepancy {found} is open.")
        else:
            self._office.messages.ok(f"Count {number} is recorded. Shelf and record agree.")
        self.show_list()
        self.open_count(number)
        self._office.changed.emit()


def make_page(office: Office) -> QWidget:
    """The page for one office."""
    return CountsPage(office)
