"""The monitor's desk: the visit, queries, what is accounted for, the signed periods, and stock and doses to read."""

from typing import Protocol

from PySide6.QtWidgets import QWidget

from ui.office import Office
from ui.pages import anchor, records
from ui.pages.monitor_accountability import AccountabilitySection
from ui.pages.monitor_parts import Drafts, standing
from ui.pages.monitor_periods import PeriodsSection
from ui.pages.monitor_queries import QueriesSection
from ui.pages.monitor_stock import StockSection
from ui.pages.monitor_visit import VisitSection
from ui.widgets.basics import Button
from ui.widgets.panels import Page, Tabs

MONITOR_LINE = "You read everything and move no vial."
OTHERS_LINE = "What the monitor reviews and asks."


class Section(Protocol):
    """A view of the desk."""

    def refresh(self) -> None:
        """Ask anew for what is shown."""

    def stop(self) -> QWidget:
        """Where the keyboard begins."""


VIEWS = ("visit", "queries", "accountability", "periods", "stock")
"""The keys of the views, in their order."""


class MonitorPage(Page):
    """Five views; each is asked anew when it is shown, and the others when they are next chosen.

    ``open_on`` takes a view's key (``visit``, ``queries``, ``accountability``, ``periods``, ``stock``), or the number
    of a visit or query.
    """

    def __init__(self, office: Office) -> None:
        super().__init__(
            "Monitor", MONITOR_LINE if office.is_monitor else OTHERS_LINE, name="monitor_page", max_width=1280
        )
        self._office = office
        for key, words in (("ledger", "Led&ger"), ("labels", "Pap&ers"), ("subjects", "Sub&jects")):
            link = Button(words, name=f"monitor_{key}")
            link.setToolTip({"ledger": "Every move of every vial, and the journal"}.get(key, ""))
            link.clicked.connect({"ledger": self._ledger, "labels": self._papers, "subjects": self._subjects}[key])
            self.action_bar.addWidget(link)
        for key, words, tip, work in (
            ("paper", anchor.OPEN_TEXT, anchor.OPEN_TIP, self._check_paper),
            ("records", records.OPEN_TEXT, records.OPEN_TIP, self._take_away),
        ):
            button = Button(words, name=f"monitor_{key}")
            button.setToolTip(tip)
            button.clicked.connect(work)
            self.action_bar.addWidget(button)
        self._drafts = Drafts(self)
        self.visit = VisitSection(office, self._drafts)
        self.visit.stands_on.connect(self._stand)
        self.queries = QueriesSection(office, self._drafts)
        accounts, periods = AccountabilitySection(office), PeriodsSection(office)
        self.accountability, self.periods = accounts.card, periods.card
        self.stock = StockSection(office)
        self.stock.shown.connect(self.show_widget)
        self._sections: tuple[Section, ...] = (self.visit, self.queries, accounts, periods, self.stock)
        self._stale = set(VIEWS)
        self.views = Tabs(
            [
                ("Visit", self.visit),
                ("Queries", self.queries),
                ("Accountability", accounts),
                ("Periods", periods),
                ("Stock and doses", self.stock),
            ],
            name="monitor_views",
        )
        self.views.chosen.connect(self._chosen)
        self.add(self.views, 1)

    def is_dirty(self) -> bool:
        """Whether something was typed that is not recorded yet."""
        return self._drafts.any() or self.accountability.is_dirty() or self.periods.is_dirty()

    # -- which view

    def refresh(self) -> None:
        """Ask the view shown anew, and the others when they are chosen."""
        self._stale = set(VIEWS)
        self._ask()

    def open_on(self, what: str) -> None:
        """Show a view, a visit or a query."""
        if what.startswith("QRY-"):
            self._show("queries")
            self.queries.open_on(what)
        elif what.startswith("VIS-"):
            self._show("visit")
            self.visit.show_visit(what)
        elif what in VIEWS:
            self._show(what)

    def _show(self, key: str) -> None:
        self.views.set_current(VIEWS.index(key))
        self._ask()

    def _ask(self) -> None:
        at = self.views.current
        if VIEWS[at] in self._stale:
            self._stale.discard(VIEWS[at])
            self._sections[at].refresh()

    def _chosen(self, index: int) -> None:
        self._ask()
        self._sections[index].stop().setFocus()

    def _stand(self, widget: QWidget) -> None:
        """Put the keyboard where the next step is, if it stands nowhere else on the page than at the tabs."""
        stands = [each for each in standing(self) if self.isAncestorOf(each)]
        at_tabs = all(each.objectName().startswith("monitor_views_") or not each.isVisible() for each in stands)
        if self.isVisible() and at_tabs:
            widget.setFocus()

    # -- going on

    def _ledger(self) -> None:
        self._office.go.emit("ledger", "")

    def _check_paper(self) -> None:
        anchor.open_anchor(self._office, self)

    def _take_away(self) -> None:
        records.open_records(self._office, self)

    def _papers(self) -> None:
        self._office.go.emit("labels", "")

    def _subjects(self) -> None:
        self._office.go.emit("subjects", "")


def make_page(office: Office) -> QWidget:
    """The page for one office."""
    return MonitorPage(office)
