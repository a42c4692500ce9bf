"""Queries: the monitor's list and the site's; one dialog that opens a query, one that answers, returns or closes it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.events import Event
from pharmacy_app.services import views
from pharmacy_app.services.charts import QueryAge, queries_by_age
from pharmacy_app.services.desk import Act, Desk, today_of
from pharmacy_app.services.ports import QueryFilter, Reader
from pharmacy_app.services.queries import (
    OVERDUE_AFTER_DAYS,
    WAITING_FOR_SITE,
    Aged,
    QueryForm,
    SayForm,
    aged,
    answer_query,
    close_query,
    open_query,
    query_of,
    return_query,
    waiting_queries,
)
from pharmacy_app.services.visits import NOT_CLOSED
from ui.office import Office
from ui.pages.figure import lead_rows, named
from ui.pages.monitor_parts import Drafts, NarrowTable, Scrolled, age_words, waits_words
from ui.pages.stock_parts import ActDialog, FilterBar, TippedPages, fill_height, say_at, vials_count
from ui.theme import SPACE_L, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, Text
from ui.widgets.charts import PictureView
from ui.widgets.fields import ChoiceField, NoteField, TextField
from ui.widgets.panels import Banner
from ui.widgets.tables import Column, PageRequest, PageResult

SHOWN = {
    "waiting": ("Not closed", NOT_CLOSED),
    "site": ("Waits for the site's answer", WAITING_FOR_SITE),
    "monitor": ("Answered, waits for the monitor", ("answered",)),
    "closed": ("Closed", ("closed",)),
    "all": ("All queries", ()),
}
"""What the list can show: its words, and the states of the queries."""

THREAD_HIGH = 220
"""Pixels that what was said takes at most in a dialog; more of it scrolls."""


# -- dialogs


def ask_query(
    office: Office, parent: QWidget, drafts: Drafts, *, about: str = "", entry: str = "", field: str = ""
) -> ActDialog:
    """Open a query, on an entry or a thing if named already; 'succeeded' gives the event."""

    def work(act: Act, values: dict[str, str]) -> Event:
        return open_query(office.desk, act, QueryForm(**values))

    text = NoteField("text", "&Question", required=True, lines=4)
    of_entry = TextField(
        "entry", "&Entry or ledger line", max_length=20, hint="Its number, as 12, or as 12.1 in the ledger."
    )
    thing = TextField("about", "&About", max_length=60, hint="A subject, dose, vial, lot, shipment … Empty: none.")
    value = TextField("field", "&Field", max_length=80, hint="Which value, in words. Empty: all of it.")
    dialog = ActDialog(
        office,
        f"Ask about entry {entry}" if entry else "Ask a query",
        "The site finds it under Today and answers. It stays until you close it, and the books do not close before.",
        "Open the &query",
        [text, of_entry, value, thing],
        work,
        name="query_ask",
        busy="Opening the query",
        parent=parent,
    )
    drafts.watch(f"ask {entry or about} {field}", dialog, "text", "entry", "about", "field")
    for each, known in ((of_entry, entry), (thing, about), (value, field)):
        if known:
            each.set_value(known)
    dialog.form.clear_faults()
    dialog._fit()
    return dialog


@dataclass(frozen=True, slots=True)
class Thread:
    """A query with everything said of it."""

    query: Aged
    lines: tuple[views.QueryLine, ...]


def thread_of(desk: Desk, number: str, reader: Reader) -> Thread:
    """A query and what was said of it, oldest first. Raises ``Refused`` when there is none of that number."""
    query = query_of(reader, number)
    return Thread(aged(query, today_of(desk, reader)), tuple(reader.query_lines(query.number)))


def _old(query: Aged) -> str:
    days = vials_count(query.age_days, "day")
    if query.query.status == "closed":
        return f"Closed after {days}."
    overdue = " Overdue." if query.overdue else ""
    return f"Asked {days} ago.{overdue}" if query.age_days else "Asked today."


class QueryDialog(ActDialog):
    """One query: what was asked and said, and what the person signed in may say next; 'succeeded' gives the event."""

    def __init__(self, office: Office, thread: Thread, parent: QWidget) -> None:
        query = thread.query.query
        answers = query.status in WAITING_FOR_SITE and office.may("query_answered")
        judges = query.status != "closed" and office.may("query_closed")
        self._settled = query.status == "answered"
        label = "&Answer" if answers else "&Word to the site" if self._settled else "&Why it is closed unanswered"
        self.note = NoteField("text", label, lines=3)
        super().__init__(
            office,
            f"Query {query.number}: {waits_words(thread.query)}",
            f"About {thread.query.about or 'the study'}. {_old(thread.query)}",
            "&Answer the query" if answers else "&Close the query",
            [self.note],
            self._say,
            name="query_dialog",
            busy="Recording",
            parent=parent,
        )
        self._number = query.number
        self._says: Callable[[Desk, Act, SayForm], Event] = answer_query if answers else close_query
        self._answers = answers
        self._threaded(thread)
        if self._settled and judges:
            back = Button("Ret&urn it to the site", name="query_return")
            back.clicked.connect(self._return)
            self._foot().insertWidget(1, back)
        if not (answers or judges):
            self._nothing_to_say(query)
        self._fit()

    def _threaded(self, thread: Thread) -> None:
        zone = self._office.site.time_zone
        area = Scrolled(name="query_thread")
        area.setAccessibleName("What was asked and answered")
        column = area.body
        for at, line in enumerate(thread.lines, start=1):
            says = line.says[:1].upper() + line.says[1:]
            block = QVBoxLayout()
            block.setSpacing(SPACE_XS)
            block.addWidget(Text(f"{says} by {line.person}, {say_at(line.said_at, zone)}", "small"))
            said = Text(line.text or "–", name=f"query_said_{at}")
            said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            block.addWidget(said)
            column.addLayout(block)
        column.addStretch(1)
        high = column.totalHeightForWidth(self._width - 2 * SPACE_L)
        area.setFixedHeight(min(high, THREAD_HIGH))
        # What fits needs no stop of Tab.
        area.setFocusPolicy(Qt.FocusPolicy.StrongFocus if high > THREAD_HIGH else Qt.FocusPolicy.NoFocus)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(2, area)

    def _foot(self) -> QHBoxLayout:
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        last = layout.itemAt(layout.count() - 1)
        foot = last.layout() if last is not None else None
        assert isinstance(foot, QHBoxLayout)
        return foot

    def _nothing_to_say(self, query: views.MonitorQuery) -> None:
        self.form.hide()
        self.verb.hide()
        why_not = self._office.why_not("query_answered" if query.status in WAITING_FOR_SITE else "query_closed")
        if query.status == "closed" and query.closed_at is not None:
            why_not = f"Closed by {query.closed_by}, {say_at(query.closed_at, self._office.site.time_zone)}."
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(3, Text(why_not, "small", name="query_why_not"))
        self._back.setFocus()

    # -- the acts

    def ask(self) -> None:
        """Answer for the site; close for the monitor."""
        self._ask_by(answer_query if self._answers else close_query, needs_text=self._answers or not self._settled)

    def _return(self) -> None:
        self._ask_by(return_query, needs_text=True)

    def _ask_by(self, says: Callable[[Desk, Act, SayForm], Event], *, needs_text: bool) -> None:
        self._says = says
        self.note.set_required(needs_text)
        super().ask()

    def _say(self, act: Act, values: dict[str, str]) -> Event:
        return self._says(self._office.desk, act, SayForm(self._number, values["text"]))


class _Opener(QObject):
    """Asks for a query and opens its dialog; a child of the widget that shows it, gone with the dialog.

    Signal ``said()`` once something was said of the query.
    """

    said = Signal()

    def __init__(self, office: Office, parent: QWidget, drafts: Drafts | None) -> None:
        super().__init__(parent)
        self._office, self._drafts = office, drafts

    def ask(self, number: str) -> None:
        self._office.ask(partial(thread_of, self._office.desk, number), self._got, self._failed)

    def _failed(self, trouble: Exception) -> None:
        self._office.say_trouble(trouble)
        self.deleteLater()

    def _got(self, thread: Thread) -> None:
        shown_by = self.parent()
        assert isinstance(shown_by, QWidget)
        dialog = QueryDialog(self._office, thread, shown_by)
        if self._drafts is not None and not dialog.form.isHidden():
            self._drafts.watch(thread.query.query.number, dialog, "text")
        dialog.succeeded.connect(self._said)
        dialog.finished.connect(self.deleteLater)
        dialog.open()

    def _said(self, event: Event) -> None:
        number = event.content["query"]
        words = {
            "query_answered": f"{number} is answered. The monitor closes it, or gives it back.",
            "query_returned": f"{number} went back to the site.",
            "query_closed": f"{number} is closed.",
        }
        self._office.messages.ok(words[event.kind])
        self.said.emit()
        self._office.changed.emit()


def open_query_dialog(
    office: Office, number: str, parent: QWidget, after: Callable[[], None], drafts: Drafts | None = None
) -> None:
    """Open a query on top of ``parent``; ``after`` is called once something was said of it."""
    opener = _Opener(office, parent, drafts)
    opener.said.connect(after)
    opener.ask(number)


# -- the list


@dataclass(frozen=True, slots=True)
class QueryRow:
    """A query as the list shows it."""

    query: Aged

    @property
    def number(self) -> str:
        """Its number."""
        return self.query.query.number

    @property
    def status(self) -> str:
        """How it stands and for whom it waits."""
        return waits_words(self.query)

    @property
    def age(self) -> str:
        """Its age, and whether it is overdue."""
        return age_words(self.query)

    @property
    def opened_on(self) -> date:
        """The day of the site on which it was opened."""
        return self.query.query.opened_on

    @property
    def about(self) -> str:
        """What it is about, in words."""
        return self.query.about or "the study"

    @property
    def text(self) -> str:
        """The question."""
        return self.query.query.text


_COLUMNS = (
    Column("number", "No.", width=84, sortable=False),
    Column("status", "State", width=168, sortable=False),
    Column("age", "Age", width=112, sortable=False, tone=lambda row: "warn" if row.query.overdue else ""),
    Column("opened_on", "Opened", width=112, write=say_day, sortable=False),
    Column("about", "About", width=130, stretch=True, sortable=False),
    Column("text", "Question", width=130, stretch=True, sortable=False),
)


class QueriesSection(QWidget):
    """All queries by state and age; the monitor opens one here, the site answers here."""

    def __init__(self, office: Office, drafts: Drafts) -> None:
        super().__init__()
        self.setObjectName("monitor_queries")
        self._office, self._drafts = office, drafts
        self.show_what = ChoiceField("queries_show", "Sho&w", [(key, words) for key, (words, _) in SHOWN.items()])
        self.show_what.set_value("waiting")
        self.text = TextField("queries_text", "Number, &question or what it is about", max_length=60)
        bar = FilterBar(((self.show_what, 1), (self.text, 2)), name="queries_filter")
        bar.changed.connect(self._filter)
        self._standing = Banner("info", "", name="queries_standing")
        self._standing.hide()
        self.model = TippedPages(_COLUMNS, office.bridge, self._fetch, parent=self)
        self.model.loaded.connect(self._loaded)
        self.table = NarrowTable(
            self.model,
            leaves_out=("opened_on", "about"),
            below=820,
            name="queries_table",
            label="Queries",
            empty_text="No query fits. Choose “All queries” above to see the closed ones.",
        )
        fill_height(self.table, 200)
        self.table.row_activated.connect(self._open)
        lead_rows(office, self.table, thing=named("number"))
        self._said = Text("", "muted", name="queries_said")
        self.ask_button = Button("&Ask a query…", name="queries_ask", kind="primary", icon="plus")
        self.ask_button.clicked.connect(self.ask)
        why_not = office.why_not("query_opened")
        self.ask_button.setEnabled(not why_not)
        self.ask_button.setToolTip(why_not)
        self.ask_button.setVisible(not why_not)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self._said, 1)
        foot.addWidget(self.ask_button)
        self.picture = PictureView(name="queries_picture", titled=True, height=170)
        self.picture.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self._standing)
        column.addWidget(bar)
        column.addWidget(self.table, 1)
        column.addLayout(foot)
        column.addWidget(self.picture)
        self.model.set_filter(QueryFilter(NOT_CLOSED))

    def refresh(self) -> None:
        """Ask anew."""
        self.model.reload()
        self._office.ask(partial(_waiting, self._office.desk), self._got, self._office.say_trouble)

    def stop(self) -> QWidget:
        """Where the keyboard begins: the list."""
        return self.table

    def open_on(self, number: str) -> None:
        """Open one query."""
        open_query_dialog(self._office, number, self, self.refresh, self._drafts)

    def ask(self) -> None:
        """Ask for a new query."""
        dialog = ask_query(self._office, self, self._drafts)
        dialog.succeeded.connect(self._asked)
        dialog.open()

    def _asked(self, event: Event) -> None:
        self._office.messages.ok(f"{event.content['query']} is open and waits for the site.")
        self._office.changed.emit()

    def _filter(self) -> None:
        states = SHOWN[self.show_what.value() or "all"][1]
        self.model.set_filter(QueryFilter(states, text=self.text.value()))

    def _fetch(self, request: PageRequest) -> PageResult:
        """In the database thread: one page, the oldest first."""
        wanted = request.filter or QueryFilter()
        desk = self._office.desk
        with desk.store.read() as reader:
            today = today_of(desk, reader)
            found = reader.queries(wanted, offset=request.offset, limit=request.limit)
            return PageResult(tuple(QueryRow(aged(query, today)) for query in found), reader.count_queries(wanted))

    def _loaded(self, total: int) -> None:
        count = "1 query" if total == 1 else f"{total:,} queries"
        self._said.setText(f"{count}, the oldest first. Enter opens one.")

    def _got(self, waiting: tuple[Aged, ...]) -> None:
        late = sum(query.overdue for query in waiting)
        site = sum(query.waits_for == "the site" for query in waiting)
        if waiting:
            words = f"Waiting for the site: {site:,}. Waiting for the monitor: {len(waiting) - site:,}."
            if late:
                words += f" {late:,} {'is' if late == 1 else 'are'} older than {OVERDUE_AFTER_DAYS} days."
            self._standing.set_message("warn" if late else "info", words, word="Overdue" if late else "Not closed")
        self._standing.setVisible(bool(waiting))
        ages = (QueryAge(query.age_days, query.query.status == "answered") for query in waiting)
        self.picture.set_picture(queries_by_age(ages, OVERDUE_AFTER_DAYS))
        self.picture.setVisible(bool(waiting))

    def _open(self, row: QueryRow) -> None:
        self.open_on(row.number)


def _waiting(desk: Desk, reader: Reader) -> tuple[Aged, ...]:
    return waiting_queries(reader, today_of(desk, reader))
