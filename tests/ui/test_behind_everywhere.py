"""No number of the window leads nowhere: every page of the demonstration's half year is walked.

A numeric column, a pressed number or a figure either leads to the entries behind it, and then the number shown is the
one asked for and the entries sum to it; or it stands in ``LEADS_NOWHERE`` with its reason.
"""

import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.bootstrap import open_desk, url_of
from pharmacy_app.demo import DemoDay, MovableClock, make_demonstration
from pharmacy_app.services.behind import Behind, What, behind
from pharmacy_app.services.desk import Session
from pharmacy_app.services.ports import VialFilter
from tests.scenarios.conftest import MADE_AT
from ui.bridge import Bridge
from ui.messages import Message, MessageBridge
from ui.office import Office
from ui.pages.figure import Figure, NumberLead, TableLead
from ui.pages.stock_life import VialLifeDialog, life_of
from ui.shell import PLACES
from ui.widgets.tables import DataTable, PagedTableModel, RowTableModel
from ui.widgets.working import NumberButton

STRENGTH = "says which vials a line is about, and counts nothing"
POSITION = "the number of the line or the entry itself"
DRAFT = "of what is being typed or chosen and is not on record yet"
FORECAST = "said of days to come: nothing is on record of it"
LEADS_NOWHERE = {
    **dict.fromkeys(("strength_mg", "strength"), STRENGTH),
    **dict.fromkeys(("event_content.", "journal_table.seq", "review_table.seq"), POSITION),
    **dict.fromkeys(("anchor_next.events", "anchor_seen.events"), POSITION),
    **dict.fromkeys(("plans.count", "plans.waste", "count_table.at"), DRAFT),
    **dict.fromkeys(("preview_spans.low", "preview_spans.high", "preview_spans.mkt"), DRAFT),
    **dict.fromkeys(("preview_spans.number", "storage_spans.number"), POSITION),
    "doses_table.level": "a step of the protocol's, no amount; the row leads to all that is on record of its dose",
    **dict.fromkeys(("forecast_weeks.number", "forecast_weeks.doses"), FORECAST),
    **dict.fromkeys(("forecast_weeks.after_1", "forecast_weeks.after_4", "forecast_doses.mg"), FORECAST),
    "past_stock.difference": "the difference of the two numbers beside it, each of which leads on",
}
"""Columns (``table.column``, or a column wherever it is) that lead nowhere, and why."""

LEAST = {
    "today": 2,
    "subjects": 100,
    "prepare": 60,
    "receive": 40,
    "vials": 60,
    "storage": 2,
    "ledger": 500,
    "counts": 100,
    "errors": 4,
    "monitor": 100,
    "settings": 2,
}
"""So many numbers of a page are compared at the least; the half year has 24 doses, 5 shipments and 8 counts."""

PREVIEWS = ("what_if_", "decide_", "vials_", "mix_", "give_")
"""Pressed numbers of a draft: their working shows how they come about, and there is no entry yet."""


@dataclass
class Walk:
    """What was seen on the way."""

    day: DemoDay
    office: Office
    wrong: list[str] = field(default_factory=list)
    asked: dict[What, Behind] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)
    numbers: int = 0

    def ask(self, what: What, where: str) -> Behind | None:
        """What is behind it; a refusal or a sum that differs is kept."""
        if what not in self.asked:
            with self.day.desk.store.read() as reader:
                try:
                    self.asked[what] = behind(self.day.desk, reader, what)
                except Exception as trouble:
                    self.wrong.append(f"{where}: {what} gives {trouble!r}")
                    return None
        found = self.asked[what]
        if not found.agrees:
            self.wrong.append(f"{where}: {what} shows {found.number}, its entries sum to {found.total}")
        return found

    def compare(self, what: What, shown: str, where: str) -> None:
        """The number shown is the one that is asked for, as far as its digits go."""
        found = self.ask(what, where)
        self.numbers += 1
        if found is None or found.number is None:
            return
        number = Decimal(0) if shown == "–" else said(shown)
        if number is None or abs(number - found.number) > Decimal(1).scaleb(number.as_tuple().exponent) / 2:  # type: ignore[arg-type]
            self.wrong.append(f"{where}: shows {shown}, behind it is {found.number} ({what})")

    def look(self, root: QWidget) -> None:
        """Everything beneath a widget."""
        for table in root.findChildren(DataTable):
            self._table(table)
        for figure in root.findChildren(Figure):
            if figure.text() != "–" and "open" not in figure.text():
                self.compare(figure.what, figure.text(), figure.objectName())
        for number in root.findChildren(NumberButton):
            name = number.button.objectName()
            leads = number.findChildren(NumberLead)
            for each in leads:
                if number.button.text() != "–":
                    self.compare(each.what, number.button.text(), name)
            if not leads and number.button.text() != "–" and not name.startswith(PREVIEWS):
                self.wrong.append(f"{name}: {number.button.text()} leads nowhere")

    def _table(self, table: DataTable) -> None:
        model, name = table.model(), table.objectName()
        assert isinstance(model, RowTableModel | PagedTableModel)
        self.tables.add(name)
        lead = table.findChild(TableLead)
        numbers = {} if lead is None else lead.numbers
        for column in model.columns:
            if column.numeric and column.key not in numbers:
                known = {column.key, f"{name}.{column.key}"} & LEADS_NOWHERE.keys()
                if not known and not name.startswith("behind_"):
                    self.wrong.append(f"{name}.{column.key} leads nowhere")
        if lead is None:
            return
        for row in filter(None, (model.row_object(at) for at in range(model.rowCount()))):
            self._row(lead, model, name, row)

    def _row(self, lead: TableLead, model: RowTableModel | PagedTableModel, name: str, row: Any) -> None:
        for column in model.columns:
            if column.key not in lead.numbers:
                continue
            what, shown = lead.numbers[column.key](row), column.words(row)
            if what is None and said(shown) not in (None, Decimal(0)):
                self.wrong.append(f"{name}.{column.key}: {shown} leads nowhere")
            elif what is not None and column.numeric:
                self.compare(what, shown, f"{name}.{column.key}")
            elif what is not None:
                self.ask(what, f"{name}.{column.key}")
        thing = lead.thing(row) if lead.thing is not None else None
        if thing is not None:
            self.ask(thing, name)


def said(shown: str) -> Decimal | None:
    """The number that a cell says; None for one that says none."""
    found = re.search(r"[−-]?\d[\d,]*(\.\d+)?", "0" if shown == "none" else shown)
    return Decimal(found.group().replace(",", "").replace("−", "-")) if found and shown != "–" else None


@pytest.fixture(scope="module")
def half_year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoDay]:
    """The demonstration's half year at the moment at which it ends."""
    path: Path = tmp_path_factory.mktemp("half-year") / "demonstration.sqlite"
    made = make_demonstration(path, today=MADE_AT)
    sessions: dict[str, Session] = dict(made.sessions)
    made.desk.store.close()
    clock = MovableClock(made.clock())
    day = DemoDay(open_desk(url_of(path), clock=clock), clock, sessions)
    yield day
    day.desk.store.close()


@pytest.fixture
def walk(request: pytest.FixtureRequest, qapp: QApplication, half_year: DemoDay) -> Iterator[Walk]:
    """An office on the half year: the monitor's for the monitor's page, else the pharmacist's."""
    with half_year.desk.store.read() as reader:
        site = reader.site()
    assert site is not None
    root, bridge, messages = QObject(), Bridge(), MessageBridge()
    said_: list[Message] = []
    messages.attach(said_.append)
    crashes: list[str] = []
    bridge.crashed.connect(crashes.append)
    who = half_year.sessions["monitor" if "monitor" in request.node.name else "pharmacist"]
    yield Walk(half_year, Office(half_year.desk, site, who, bridge, messages, root))
    bridge.close()
    assert not crashes, crashes[0]


def things(day: DemoDay, key: str) -> list[str]:
    """What a page is opened on, one after the other."""
    with day.desk.store.read() as reader:
        names = {
            "subjects": [line.subject_number for line in reader.subjects()],
            "prepare": [line.dose_id for line in reader.doses()],
            "receive": [line.number for line in reader.shipments()],
            "storage": [line.deviation_id for line in reader.deviations()],
            "counts": [line.number for line in reader.stock_counts()]
            + [line.number for line in reader.discrepancies()],
            "errors": [line.error_id for line in reader.errors()],
            "monitor": ["visit", "queries", "accountability", "periods", "stock", *(v.number for v in reader.visits())],
        }
    return ["", *names.get(key, ())]


@pytest.mark.parametrize("key", [key for key, _, _ in PLACES])
def test_every_number_of_a_page_leads_to_what_is_behind_it(
    qtbot: QtBot, walk: Walk, settled: Callable[[Office], None], key: str
) -> None:
    page = importlib.import_module(f"ui.pages.{key}").make_page(walk.office)
    qtbot.addWidget(page)
    page.resize(1180, 780)
    page.show()
    page.refresh()
    settled(walk.office)
    for name in things(walk.day, key):
        if name:
            page.open_on(name)
            settled(walk.office)
        walk.look(page)
    if key == "ledger":
        _past(page, walk, settled)
    page.hide()
    assert walk.numbers >= LEAST.get(key, 0), "A page that shows nothing has nothing wrong either."
    assert not walk.wrong, "\n".join(sorted(set(walk.wrong)))


def _past(page: Any, walk: Walk, settled: Callable[[Office], None]) -> None:
    """Another moment of the ledger, as known then and as known now."""
    for known, at in (("then", "2026-08-20 12:00"), ("now", "2026-11-22 12:00")):
        page.past.known.set_value(known)
        page.past.at.set_value(at)
        page.past.ask()
        settled(walk.office)
        walk.look(page)


@pytest.fixture
def settled(qtbot: QtBot) -> Callable[[Office], None]:
    """Wait until everything asked for has come."""

    def wait(office: Office) -> None:
        def quiet() -> bool:
            qtbot.wait(2)
            return not office.bridge.busy

        for _ in range(3):
            qtbot.waitUntil(quiet, timeout=20_000)

    return wait


def test_every_number_of_an_opened_vial_leads_on(qtbot: QtBot, walk: Walk, settled: Callable[[Office], None]) -> None:
    with walk.day.desk.store.read() as reader:
        every = reader.vials(VialFilter(), sort="unit_number", descending=False, offset=0, limit=200)
        lives = [life_of(reader, vial.unit_number) for vial in every if vial.dose_id][:6]
    parent = QWidget()
    qtbot.addWidget(parent)
    for life in lives:
        dialog = VialLifeDialog(walk.office, life, parent)
        settled(walk.office)
        walk.look(dialog)
        dialog.deleteLater()
    assert walk.numbers >= 4 * len(lives) > 0
    assert not walk.wrong, "\n".join(walk.wrong)


def test_the_list_of_what_leads_nowhere_is_short_and_used() -> None:
    assert len(set(LEADS_NOWHERE.values())) <= 6
