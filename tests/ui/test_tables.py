"""Tables small and paged. Qt's own model tester watches every model through every test."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.domain.errors import Unavailable
from ui.bridge import Bridge
from ui.widgets.tables import (
    ROW_ROLE,
    SORT_ROLE,
    Column,
    DataTable,
    PagedTableModel,
    PageRequest,
    PageResult,
    RowTableModel,
)


@dataclass(frozen=True)
class Vial:
    unit: str
    strength_mg: Decimal
    expires: date | None


COLUMNS = (
    Column("unit", "Unit number", stretch=True),
    Column("strength_mg", "Strength (mg)", numeric=True, write=lambda mg: f"{mg:.1f}"),
    Column("expires", "Expires"),
)
VIALS = (
    Vial("V-2", Decimal(10), date(2027, 5, 1)),
    Vial("V-1", Decimal("9.5"), None),
    Vial("V-3", Decimal(1), date(2026, 12, 31)),
)


def _tester(model: QAbstractItemModel) -> QAbstractItemModelTester:
    return QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)


def _column(model: QAbstractItemModel, column: int) -> list[str]:
    return [model.index(row, column).data() for row in range(model.rowCount())]


def test_numbers_stand_right_and_sort_as_numbers(qtbot: QtBot) -> None:
    model = RowTableModel(COLUMNS, VIALS)
    _tester(model)
    assert _column(model, 1) == ["10.0", "9.5", "1.0"]
    assert model.index(0, 1).data(Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    assert model.index(0, 1).data(SORT_ROLE) == Decimal(10)
    assert model.index(0, 0).data(ROW_ROLE) is VIALS[0]
    model.sort(1)
    assert _column(model, 1) == ["1.0", "9.5", "10.0"]
    model.sort(1, Qt.SortOrder.DescendingOrder)
    assert _column(model, 1) == ["10.0", "9.5", "1.0"]
    model.sort(-1)
    assert _column(model, 0) == ["V-2", "V-1", "V-3"]


def test_absent_values_are_a_dash_and_last_either_way(qtbot: QtBot) -> None:
    model = RowTableModel(COLUMNS, VIALS)
    _tester(model)
    model.sort(2)
    assert _column(model, 2) == ["2026-12-31", "2027-05-01", "–"]
    model.sort(2, Qt.SortOrder.DescendingOrder)
    assert _column(model, 2) == ["2027-05-01", "2026-12-31", "–"]
    model.set_rows(VIALS[:2])
    assert _column(model, 0) == ["V-2", "V-1"]


def test_enter_opens_a_row_and_copy_takes_whole_rows(qtbot: QtBot) -> None:
    table = DataTable(RowTableModel(COLUMNS, VIALS), name="vials", label="Vials")
    qtbot.addWidget(table)
    opened: list[object] = []
    table.row_activated.connect(opened.append)
    table.selectRow(1)
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert opened == [VIALS[1]]
    QTest.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Unit number\tStrength (mg)\tExpires\nV-1\t9.5\t–"
    assert (table.objectName(), table.accessibleName()) == ("vials", "Vials")


def test_the_current_row_stays_current_when_sorted(qtbot: QtBot) -> None:
    model = RowTableModel(COLUMNS, VIALS)
    table = DataTable(model, name="vials", label="Vials")
    qtbot.addWidget(table)
    table.selectRow(0)
    model.sort(1)
    assert table.current_row() is VIALS[0]
    assert table.currentIndex().row() == 2


def test_an_empty_table_says_so(qtbot: QtBot) -> None:
    model = RowTableModel(COLUMNS)
    table = DataTable(model, name="vials", label="Vials", empty_text="No vial was received yet.")
    qtbot.addWidget(table)
    table.show()
    assert table.accessibleDescription() == "No vial was received yet."
    model.set_rows(VIALS)
    assert table.accessibleDescription() == "3 rows"


class Store:
    """A list in place of the database; it can be made to fail, to wait, and it remembers what was asked."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[PageRequest] = []
        self.broken = False
        self.gate = threading.Event()
        self.gate.set()

    def fetch(self, request: PageRequest) -> PageResult:
        self.gate.wait(5)
        self.asked.append(request)
        if self.broken:
            raise Unavailable("The disk does not answer.")
        numbers: list[int] | range = range(self.count)
        if request.filter:
            numbers = [number for number in numbers if str(request.filter) in str(number)]
        if request.descending:
            numbers = numbers[::-1]
        window = numbers[request.offset : request.offset + request.limit]
        return PageResult(tuple(Vial(f"V-{n}", Decimal(n), None) for n in window), len(numbers))


@pytest.fixture
def bridge(qtbot: QtBot) -> Iterator[Bridge]:
    made = Bridge()
    yield made
    made.close()


def _paged(bridge: Bridge, store: Store) -> PagedTableModel:
    model = PagedTableModel(COLUMNS, bridge, store.fetch)
    _tester(model)
    model.reload()
    return model


def test_a_million_rows_cost_the_pages_looked_at(qtbot: QtBot, bridge: Bridge) -> None:
    store = Store(1_000_000)
    model = PagedTableModel(COLUMNS, bridge, store.fetch)
    table = DataTable(model, name="ledger", label="Ledger")
    qtbot.addWidget(table)
    table.resize(600, 400)
    table.show()
    model.reload()
    qtbot.waitUntil(lambda: model.rowCount() == 1_000_000)
    table.scrollToBottom()
    last = model.index(999_999, 0)
    qtbot.waitUntil(lambda: last.data() == "V-999999" or model.index(999_999, 0).data() == "V-999999")
    assert len(store.asked) < 8
    assert all(request.limit == 100 for request in store.asked)


def test_rows_on_their_way_say_so(qtbot: QtBot, bridge: Bridge) -> None:
    store = Store(250)
    model = _paged(bridge, store)
    qtbot.waitUntil(lambda: model.rowCount() == 250)
    store.gate.clear()
    assert model.index(240, 0).data() == "Loading…"
    assert model.index(240, 1).data() is None
    store.gate.set()
    qtbot.waitUntil(lambda: model.index(240, 0).data() == "V-240")


def test_rows_that_could_not_be_read_say_why_until_reloaded(qtbot: QtBot, bridge: Bridge) -> None:
    store = Store(250)
    store.broken = True
    model = _paged(bridge, store)
    qtbot.waitUntil(lambda: model.rowCount() == 1)
    assert model.index(0, 0).data() == "Not read: The disk does not answer."
    store.broken = False
    model.reload()
    qtbot.waitUntil(lambda: model.rowCount() == 250)
    store.broken = True
    model.index(120, 0).data()
    qtbot.waitUntil(lambda: model.index(120, 0).data() == "Not read: The disk does not answer.")
    assert model.index(0, 0).data() == "V-0"
    asked = len(store.asked)
    model.index(121, 0).data()
    qtbot.wait(50)
    assert len(store.asked) == asked


def test_sorting_and_filtering_are_asked_of_the_store(qtbot: QtBot, bridge: Bridge) -> None:
    store = Store(250)
    model = _paged(bridge, store)
    qtbot.waitUntil(lambda: model.rowCount() == 250)
    model.sort(1, Qt.SortOrder.DescendingOrder)
    qtbot.waitUntil(lambda: model.index(0, 0).data() == "V-249")
    assert store.asked[-1] == PageRequest(0, 100, "strength_mg", True, None)
    model.set_filter("24")
    # Of 0 to 249 these hold '24': 24, 124, 224 and 240 to 249.
    qtbot.waitUntil(lambda: model.rowCount() == 13)


def test_an_answer_to_an_old_question_is_not_shown(qtbot: QtBot, bridge: Bridge) -> None:
    store = Store(250)
    model = _paged(bridge, store)
    qtbot.waitUntil(lambda: model.rowCount() == 250)
    store.gate.clear()
    model.set_filter("249")
    qtbot.wait(20)
    model.set_filter("24")
    store.gate.set()
    seen: set[int] = set()
    model.modelReset.connect(lambda: seen.add(model.rowCount()))
    qtbot.waitUntil(lambda: model.rowCount() == 13)
    assert seen == {13}


def test_an_empty_answer_is_an_empty_table(qtbot: QtBot, bridge: Bridge) -> None:
    model = _paged(bridge, Store(0))
    with qtbot.waitSignal(model.loaded) as loaded:
        pass
    assert loaded.args == [0]
    assert model.rowCount() == 0
    assert model.rowCount(QModelIndex()) == 0


def test_the_only_row_is_chosen_by_the_keys_as_by_the_mouse(qtbot: QtBot) -> None:
    model = RowTableModel((Column("unit_number", "Unit no."),), [SimpleNamespace(unit_number="V000001T")])
    table = DataTable(model, name="vials", label="Vials")
    qtbot.addWidget(table)
    with qtbot.waitActive(table):
        table.show()
    table.setFocus(Qt.FocusReason.OtherFocusReason)
    table.clearSelection()
    assert table.selected_rows() == []
    QTest.keyClick(table, Qt.Key.Key_Down)
    assert [row.unit_number for row in table.selected_rows()] == ["V000001T"]
    table.clearSelection()
    QTest.keyClick(table, Qt.Key.Key_Home)
    assert len(table.selected_rows()) == 1


@pytest.mark.parametrize("chooses", [True, False])
def test_tab_into_a_table_chooses_its_row_where_that_is_wanted(qtbot: QtBot, chooses: bool) -> None:
    box = QWidget()
    qtbot.addWidget(box)
    column = QVBoxLayout(box)
    first = QLineEdit()
    model = RowTableModel((Column("unit_number", "Unit no."),), [SimpleNamespace(unit_number="V000001T")])
    table = DataTable(model, name="vials", label="Vials")
    table.tab_chooses = chooses
    column.addWidget(first)
    column.addWidget(table)
    with qtbot.waitActive(box):
        box.show()
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Tab)
    assert table.hasFocus()
    assert len(table.selected_rows()) == int(chooses)


def test_a_letter_with_alt_does_not_search_the_rows(qtbot: QtBot) -> None:
    rows = [SimpleNamespace(unit_number=unit) for unit in ("V000001T", "X000002R")]
    table = DataTable(RowTableModel((Column("unit_number", "Unit no."),), rows), name="vials", label="Vials")
    qtbot.addWidget(table)
    table.show()
    table.selectRow(0)
    QTest.keyClick(table, Qt.Key.Key_X, Qt.KeyboardModifier.AltModifier)
    assert table.current_row() is rows[0]
    QTest.keyClick(table, Qt.Key.Key_X)
    assert table.current_row() is rows[1], "without Alt it does"
