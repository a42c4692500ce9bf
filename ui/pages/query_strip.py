"""The queries on a thing, a line each, where the thing itself is seen; a line opens its query."""

from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.services.about import about_words
from pharmacy_app.services.desk import Desk, today_of
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.queries import Aged, queries_touching
from ui.office import Office
from ui.pages.monitor_parts import Drafts, age_words
from ui.theme import SPACE_S, SPACE_XS
from ui.widgets.basics import Button, LineText, Text, clear_layout

LINES_SHOWN = 3
"""So many queries have a line of their own; the others are counted."""


def query_words(query: Aged, thing: str) -> str:
    """A query in a line on the page of a thing: ``open 3 days, on entry 12: Which logger was it?``."""
    status = "" if query.query.status == "open" else f"{query.query.status}, "
    age = f"open {age_words(query)}" if query.age_days else "open since today"
    # Of the page's own thing only the field is said.
    where = query.about.removeprefix(about_words(thing)).removeprefix(", ")
    on = f", on {where}" if where == query.about else f", {where}" if where else ""
    return f"{status}{age}{on}: {' '.join(query.query.text.split())}"


def _touching(desk: Desk, things: tuple[str, ...], reader: Reader) -> tuple[tuple[str, ...], tuple[Aged, ...]]:
    return things, queries_touching(reader, today_of(desk, reader), *things)


class QueryStrip(QWidget):
    """The queries on a thing that are not closed, the oldest first; hidden while there is none."""

    def __init__(self, office: Office, *, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._office, self._drafts = office, Drafts(self)
        self._things: tuple[str, ...] = ()
        self._shown: tuple[Aged, ...] = ()
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(SPACE_XS)
        self.hide()

    def show_about(self, *things: str) -> None:
        """Ask for the queries on a thing, by the names that documents have for it; the first one is the page's."""
        if things != self._things:
            self._things = things
            self._show(())
        if things:
            self._office.ask(partial(_touching, self._office.desk, things), self._got, self._office.say_trouble)

    def refresh(self) -> None:
        """Ask anew."""
        self.show_about(*self._things)

    def _got(self, answer: tuple[tuple[str, ...], tuple[Aged, ...]]) -> None:
        things, found = answer
        if things == self._things:
            self._show(found)

    def _show(self, found: tuple[Aged, ...]) -> None:
        if found == self._shown:
            return
        stood = self._stood_on()
        if stood is not None and not found:
            # The line one stood on is gone: go to what comes next.
            for _ in self._shown:
                if self._stood_on() is not None:
                    self.focusNextPrevChild(True)
        self._shown = found
        clear_layout(self._rows)
        for query in found[:LINES_SHOWN]:
            self._rows.addLayout(self._row(query))
        if len(found) > LINES_SHOWN:
            more = f"{len(found) - LINES_SHOWN:,} more stand under Monitor, Queries."
            self._rows.addWidget(Text(more, "small", name=f"{self.objectName()}_more"))
        self.setVisible(bool(found))
        if stood is not None and found:
            again = self.findChild(Button, stood) or self.findChildren(Button)[0]
            # The layout shows it later, and what is hidden takes no focus.
            again.show()
            again.setFocus()

    def _stood_on(self) -> str | None:
        """The name of the line that the keyboard stands on, also while a dialog is over it; ``None`` for none."""
        here: QWidget | None = self.window().focusWidget()
        return here.objectName() if here is not None and self.isAncestorOf(here) else None

    def _row(self, query: Aged) -> QHBoxLayout:
        number, words = query.query.number, query_words(query, self._things[0])
        go = Button(f"Query {number}", name=f"{self.objectName()}_{number}")
        go.setAccessibleName(f"Query {number}, {words}")
        go.setToolTip("Open the query")
        go.clicked.connect(partial(self._open, number))
        said = LineText()
        said.set_line(words)
        said.set_tone("warn" if query.overdue else "")
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(go)
        row.addWidget(said, 1)
        return row

    def _open(self, number: str) -> None:
        # The monitor's pages are loaded when somebody first asks for one of them.
        from ui.pages.monitor_queries import open_query_dialog

        open_query_dialog(self._office, number, self, self.refresh, self._drafts)
