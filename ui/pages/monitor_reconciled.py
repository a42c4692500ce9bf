"""Containers and vials that left, each with the site's date and the monitor's."""

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from pharmacy_app.domain.dates import say_day
from pharmacy_app.services.ports import ReconciledFilter
from pharmacy_app.services.views import ReconciledUnit
from ui.office import Office
from ui.pages.figure import lead_rows, named
from ui.pages.stock_parts import ANY, FilterBar, TippedPages, say_mg, state_tone, vials_count
from ui.widgets.basics import Text
from ui.widgets.fields import ChoiceField, TextField
from ui.widgets.panels import Card
from ui.widgets.tables import Column, DataTable, PageRequest, PageResult


def _dated(zone: ZoneInfo, moment: datetime) -> str:
    return say_day(moment.astimezone(zone).date())


def _monitor_tone(row: ReconciledUnit) -> str:
    return "ok" if row.reconciled else "warn"


class ReconciledCard(Card):
    """Every container and vial that left: when the site closed or sent it, and when the monitor accounted for it."""

    def __init__(self, office: Office) -> None:
        super().__init__(
            "Reconciled one by one",
            "Site: used up, broken, brought back or sent off. Monitor: accounted for, or the sending verified.",
            name="reconciled_card",
        )
        self._office = office
        dated = partial(_dated, ZoneInfo(office.site.time_zone))
        self.which = ChoiceField(
            "reconciled_which", "S&how", [("no", "Waits for the monitor"), ("yes", "Reconciled"), (ANY, "All")]
        )
        self.which.set_value(ANY)
        self.text = TextField("reconciled_text", "&Unit, kit, lot or dose", max_length=60)
        bar = FilterBar(((self.which, 1), (self.text, 2)), name="reconciled_filter")
        bar.changed.connect(self._filter)
        self.model = TippedPages(
            (
                Column("unit_number", "Unit no.", width=100, sortable=False),
                Column("strength_mg", "Strength", numeric=True, write=say_mg, sortable=False),
                Column("lot", "Lot", width=100, sortable=False),
                Column("state", "State", width=90, tone=lambda row: state_tone(row.state), sortable=False),
                Column("site_at", "Site", width=110, write=dated, sortable=False),
                Column(
                    "monitor_at", "Monitor", width=110, stretch=True, write=dated, tone=_monitor_tone, sortable=False
                ),
                Column("visit", "Visit", width=72, write=lambda text: text or "–", sortable=False),
            ),
            office.bridge,
            self._fetch,
            parent=self,
        )
        self.model.loaded.connect(self._loaded)
        self.table = DataTable(
            self.model,
            name="reconciled_table",
            label="Containers and vials that left, with both dates",
            empty_text="No container or vial fits.",
            visible_rows=6,
            sortable=False,
        )
        lead_rows(office, self.table, thing=named("unit_number"))
        self._said = Text("", "muted", name="reconciled_said")
        self.add(bar)
        self.add(self.table)
        self.add(self._said)

    def refresh(self) -> None:
        """Ask anew."""
        self.model.reload()

    def _filter(self) -> None:
        reconciled = {"yes": True, "no": False}.get(self.which.value())
        self.model.set_filter(ReconciledFilter(reconciled=reconciled, text=self.text.value()))

    def _fetch(self, request: PageRequest) -> PageResult:
        """In the database thread: one page by unit number."""
        wanted = request.filter or ReconciledFilter()
        with self._office.desk.store.read() as reader:
            found = reader.reconciled(wanted, offset=request.offset, limit=request.limit)
            return PageResult(tuple(found), reader.count_reconciled(wanted))

    def _loaded(self, total: int) -> None:
        self._said.setText(
            f"{vials_count(total, 'unit')}. A container without the monitor's date is not destroyed yet."
        )
