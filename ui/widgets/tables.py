"""Tables small and large. Columns are declared by name; rows are frozen values; numbers stand right.

``RowTableModel`` holds its rows. ``PagedTableModel`` holds a window of pages of a list of any length, fetched
through the bridge and sorted and filtered where the data are. ``DataTable`` shows either.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from ui.bridge import Bridge
from ui.theme import TYPE_BODY, Theme, base_font
from ui.widgets.basics import announce

SORT_ROLE = Qt.ItemDataRole.UserRole + 1
ROW_ROLE = Qt.ItemDataRole.UserRole + 2

_MOVING = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
)

PAGE_ROWS = 100
_PAGES_KEPT = 50

_ROWS_MEASURED = 100
_WIDEST_COLUMN = 280
_LEAST_WORDS = 140

Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the row's attribute ``key``, its header, and how a value is written.

    ``numeric`` columns stand right. ``width`` is in pixels (0: as wide as its header needs); ``stretch``
    columns share what is left. ``tone`` may give a severity's colour for a row ('' for none). A row that is
    ``struck`` was corrected: its cells are struck through and stay readable, but for a column that does not strike
    because it says so in words.
    """

    key: str
    header: str
    numeric: bool = False
    write: Callable[[Any], str] | None = None
    width: int = 0
    stretch: bool = False
    sortable: bool = True
    tone: Callable[[Any], str] | None = None
    strikes: bool = True

    def words(self, row: Any) -> str:
        """The cell's text for ``row``."""
        value = getattr(row, self.key)
        if value is None:
            return "–"
        return self.write(value) if self.write else str(value)


class _Columns(QAbstractTableModel):
    """What both models share: columns, headers and how a cell is drawn."""

    def __init__(self, columns: Sequence[Column], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        """How many columns; none beneath a cell."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The column's header; rows have none."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].header
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._side(self.columns[section])
        return None

    def row_object(self, row: int) -> Any | None:
        """The value shown in ``row``, or ``None`` where it has not come."""
        raise NotImplementedError

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The cell's text, plain value (``SORT_ROLE``) or whole row (``ROW_ROLE``)."""
        if not index.isValid():
            return None
        column = self.columns[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._side(column)
        row = self.row_object(index.row())
        if row is None:
            return self._absent(index, role)
        return self._cell(row, column, role)

    @staticmethod
    def _cell(row: Any, column: Column, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return column.words(row)
        if role == ROW_ROLE:
            return row
        if role == SORT_ROLE:
            return getattr(row, column.key)
        if role == Qt.ItemDataRole.ForegroundRole and column.tone and (tone := column.tone(row)):
            return QColor(Theme.tokens.colour(tone))
        if role == Qt.ItemDataRole.FontRole and column.strikes and getattr(row, "struck", False):
            font = base_font(TYPE_BODY)
            font.setStrikeOut(True)
            return font
        return None

    def _absent(self, index: Index, role: int) -> Any:
        del index, role
        return None

    @staticmethod
    def _side(column: Column) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if column.numeric else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter


class RowTableModel(_Columns):
    """A small table that holds its rows; sorts by plain values, with absent ones last."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[Any] = (), parent: QObject | None = None) -> None:
        super().__init__(columns, parent)
        self._given = list(rows)
        self._rows = list(rows)
        self._sorted: tuple[int, Qt.SortOrder] = (-1, Qt.SortOrder.AscendingOrder)

    def set_rows(self, rows: Sequence[Any]) -> None:
        """Show other rows, in the order chosen by the person if any."""
        self.beginResetModel()
        self._given = list(rows)
        self._rows = self._in_order()
        self.endResetModel()

    def rows(self) -> tuple[Any, ...]:
        """The rows in the order shown."""
        return tuple(self._rows)

    def row_object(self, row: int) -> Any | None:
        """The value shown in ``row``."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        """How many rows; none beneath a cell."""
        return 0 if parent.isValid() else len(self._rows)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column's plain values; -1 brings the given order back."""
        self._sorted = (column, order)
        self.layoutAboutToBeChanged.emit()
        before = self._rows
        self._rows = self._in_order()
        moved = {id(row): at for at, row in enumerate(self._rows)}
        for index in self.persistentIndexList():
            self.changePersistentIndex(index, self.index(moved[id(before[index.row()])], index.column()))
        self.layoutChanged.emit()

    def _in_order(self) -> list[Any]:
        column, order = self._sorted
        if not 0 <= column < len(self.columns):
            return list(self._given)
        key = self.columns[column].key
        known = [row for row in self._given if getattr(row, key) is not None]
        absent = [row for row in self._given if getattr(row, key) is None]
        known.sort(key=lambda row: getattr(row, key), reverse=order is Qt.SortOrder.DescendingOrder)
        return known + absent


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which rows are asked for: ``limit`` from ``offset`` on, sorted by a column's key ('' for the natural order)."""

    offset: int
    limit: int
    sort: str = ""
    descending: bool = False
    filter: Any = None


@dataclass(frozen=True, slots=True)
class PageResult:
    """One page of rows and how many rows there are in all."""

    rows: tuple[Any, ...]
    total: int


class PagedTableModel(_Columns):
    """A list of any length: only the pages looked at are fetched, newest wish first, one at a time.

    ``fetch`` runs in the database thread. Rows on their way say 'Loading…'; rows that could not be read say why.
    Signals ``loaded(int total)`` after each page, ``failed(str sentence)``.
    """

    loaded = Signal(int)
    failed = Signal(str)

    def __init__(
        self,
        columns: Sequence[Column],
        bridge: Bridge,
        fetch: Callable[[PageRequest], PageResult],
        *,
        page_rows: int = PAGE_ROWS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(columns, parent)
        self._bridge, self._fetch, self._size = bridge, fetch, page_rows
        self._pages: OrderedDict[int, tuple[Any, ...]] = OrderedDict()
        self._faults: dict[int, str] = {}
        self._total = 0
        self._sort, self._descending, self._filter = "", False, None
        self._generation = 0
        self._in_flight: tuple[int, int] | None = None
        self._wanted: OrderedDict[int, None] = OrderedDict()
        self.is_loaded = False
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._send)

    def reload(self) -> None:
        """Ask anew; what is shown stays until the first page has come."""
        self._generation += 1
        self._wanted.clear()
        self._wanted[0] = None
        self._soon.start()

    def set_filter(self, what: Any) -> None:
        """Show only what ``what`` lets through (its meaning is ``fetch``'s) and reload."""
        self._filter = what
        self.reload()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Have the list sorted where the data are; -1 for the natural order."""
        known = 0 <= column < len(self.columns) and self.columns[column].sortable
        self._sort = self.columns[column].key if known else ""
        self._descending = known and order is Qt.SortOrder.DescendingOrder
        self.reload()

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        """How many rows the list has in all; none beneath a cell."""
        return 0 if parent.isValid() else self._total

    def row_object(self, row: int) -> Any | None:
        """The value shown in ``row``; asks for its page where it has not come."""
        page, at = divmod(row, self._size)
        rows = self._pages.get(page)
        if rows is not None:
            self._pages.move_to_end(page)
            return rows[at] if at < len(rows) else None
        if 0 <= row < self._total and page not in self._faults:
            self._want(page)
        return None

    def _absent(self, index: Index, role: int) -> Any:
        fault = self._faults.get(index.row() // self._size)
        if role == Qt.ItemDataRole.DisplayRole and index.column() == 0:
            return f"Not read: {fault}" if fault else "Loading…"
        if role == Qt.ItemDataRole.ToolTipRole and fault:
            return fault
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(Theme.tokens.stop if fault else Theme.tokens.muted)
        return None

    def _want(self, page: int) -> None:
        if self._in_flight == (self._generation, page):
            return
        self._wanted[page] = None
        self._wanted.move_to_end(page)
        # What was scrolled past long ago is not worth fetching.
        while len(self._wanted) > 4:
            self._wanted.popitem(last=False)
        if not self._soon.isActive():
            self._soon.start()

    def _send(self) -> None:
        if self._in_flight is not None or not self._wanted:
            return
        page, _ = self._wanted.popitem()
        self._in_flight = (self._generation, page)
        fetch = self._fetch
        request = PageRequest(page * self._size, self._size, self._sort, self._descending, self._filter)
        self._bridge.run(lambda: fetch(request), self._came, self._did_not_come)

    def _landed(self) -> tuple[bool, int]:
        assert self._in_flight is not None
        generation, page = self._in_flight
        self._in_flight = None
        if self._wanted:
            self._soon.start()
        return generation == self._generation, page

    def _came(self, result: PageResult) -> None:
        current, page = self._landed()
        if not current:
            return
        fresh = page == 0 and not self._shows_generation()
        if fresh or result.total != self._total:
            self.beginResetModel()
            self._pages.clear()
            self._faults.clear()
            self._pages[page] = result.rows
            self._total = result.total
            self._shown = self._generation
            self.is_loaded = True
            self.endResetModel()
        else:
            self._pages[page] = result.rows
            self._faults.pop(page, None)
            while len(self._pages) > _PAGES_KEPT:
                self._pages.popitem(last=False)
            self._redraw(page)
        self.loaded.emit(self._total)

    def _did_not_come(self, trouble: Exception) -> None:
        current, page = self._landed()
        if not current:
            return
        if not self._shows_generation():
            # Rows of the old order must not stay beside a failure of the new one.
            self.beginResetModel()
            self._pages.clear()
            self._faults = {page: str(trouble)}
            self._total = 1
            self._shown = self._generation
            self.endResetModel()
        else:
            self._faults[page] = str(trouble)
            self._redraw(page)
        self.failed.emit(str(trouble))

    _shown = -1

    def _shows_generation(self) -> bool:
        return self._shown == self._generation

    def _redraw(self, page: int) -> None:
        first = page * self._size
        last = min(first + self._size, self._total) - 1
        if last >= first:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.columns) - 1))


class DataTable(QTableView):
    """A table for reading: whole rows are chosen, Enter or a double click opens one, Ctrl+C copies.

    Signals ``row_activated(object row)``, ``row_chosen(object row)`` when the current row changes.
    """

    row_activated = Signal(object)
    row_chosen = Signal(object)

    def __init__(
        self,
        model: RowTableModel | PagedTableModel,
        *,
        name: str,
        label: str,
        empty_text: str = "There is nothing here yet.",
        sortable: bool = True,
        visible_rows: int = 0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._columns_model = model
        self._empty_text = empty_text
        self.tab_chooses = False
        """Whether Tab into the table chooses its current row; not where no row chosen means all of them."""
        self._needed: list[int] = []
        self.setObjectName(name)
        self.setProperty("kind", "data")
        self.setAccessibleName(label)
        self.setFont(base_font(TYPE_BODY))
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        rows = self.verticalHeader()
        rows.hide()
        # A fixed height: measuring rows would have every page fetched.
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(36)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(56)
        header.setFixedHeight(36)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        self.setSortingEnabled(sortable)
        for at, column in enumerate(model.columns):
            if column.stretch:
                header.setSectionResizeMode(at, QHeaderView.ResizeMode.Stretch)
        if not any(column.stretch for column in model.columns):
            header.setStretchLastSection(True)
        self.setMinimumHeight(36 * (max(visible_rows, 3) + 1) + 4)
        if visible_rows:
            self.setMaximumHeight(36 * (visible_rows + 1) + 4)
        self.doubleClicked.connect(self._activate)
        self.selectionModel().currentRowChanged.connect(self._choose)
        model.modelReset.connect(self._count)
        if isinstance(model, PagedTableModel):
            model.loaded.connect(self._fit_columns)
        else:
            model.modelReset.connect(self._fit_columns)
        self._fit_columns()
        self._count()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the new width."""
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        """Let the stretch columns take what is left, or give them their own room where nothing is left."""
        header, columns = self.horizontalHeader(), self._columns_model.columns
        stretching = [at for at, column in enumerate(columns) if column.stretch and not self.isColumnHidden(at)]
        if not stretching or len(self._needed) != len(columns):
            return
        fixed = sum(header.sectionSize(at) for at in range(len(columns)) if at not in stretching)
        least = sum(self._least(at) for at in stretching)
        fits = fixed + least <= self.viewport().width()
        mode = QHeaderView.ResizeMode.Stretch if fits else QHeaderView.ResizeMode.Interactive
        for at in stretching:
            if header.sectionResizeMode(at) != mode:
                header.setSectionResizeMode(at, mode)
            if not fits:
                header.resizeSection(at, self._least(at))

    def _least(self, at: int) -> int:
        """A number is never cut; words may end in … from a readable width on (their tip has them whole)."""
        column = self._columns_model.columns[at]
        return self._needed[at] if column.numeric else min(self._needed[at], column.width or _LEAST_WORDS)

    def _fit_columns(self) -> None:
        """Give each column the room of its header and of the first rows, so that little is ever cut short."""
        mark = 18 if self.isSortingEnabled() else 0
        self._needed = []
        header, model = self.horizontalHeader(), self._columns_model
        rows = [row for at in range(min(self.model().rowCount(), _ROWS_MEASURED)) if (row := model.row_object(at))]
        words, heads = self.fontMetrics(), header.fontMetrics()
        for at, column in enumerate(model.columns):
            widest = max((words.horizontalAdvance(column.words(row)) for row in rows), default=0) + 23
            # The header's words, with the room of its sort mark where it can have one.
            needed = max(
                heads.horizontalAdvance(column.header) + 23 + mark,
                min(widest, max(column.width, _WIDEST_COLUMN)),
                header.minimumSectionSize(),
            )
            self._needed.append(needed)
            if not column.stretch:
                header.resizeSection(at, needed)
        self._share_width()

    def current_row(self) -> Any | None:
        """The value of the current row, or ``None``."""
        index = self.currentIndex()
        return self._columns_model.row_object(index.row()) if index.isValid() else None

    def selected_rows(self) -> list[Any]:
        """The values of the chosen rows that have come, from top to bottom."""
        indexes = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [row for row in map(self._columns_model.row_object, indexes) if row is not None]

    def copy(self) -> None:
        """Put the chosen rows on the clipboard, with headers, columns parted by tabs."""
        columns = self._columns_model.columns
        lines = ["\t".join(column.header for column in columns)]
        lines += ["\t".join(column.words(row) for column in columns) for row in self.selected_rows()]
        if len(lines) > 1:
            QGuiApplication.clipboard().setText("\n".join(lines))
            announce(self, f"{len(lines) - 1} rows copied.")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens the current row, Ctrl+C copies; all else moves as tables do."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._activate(self.currentIndex())
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.modifiers() & Qt.KeyboardModifier.AltModifier and event.text():
            # A letter with Alt was meant for another part of the page, not for a search in the rows.
            event.ignore()
        else:
            super().keyPressEvent(event)
            if not event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.key() in _MOVING:
                self._choose_current()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Reached by Tab, the current row is chosen where the table says so, as a click would choose it."""
        super().focusInEvent(event)
        if self.tab_chooses and event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self._choose_current()

    def _choose_current(self) -> None:
        """Choose the current row where none is chosen: the only row of a table cannot be moved to."""
        selection, index = self.selectionModel(), self.currentIndex()
        if index.isValid() and not selection.hasSelection():
            how = QItemSelectionModel.SelectionFlag
            selection.select(index, how.ClearAndSelect | how.Rows)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows, or say that there are none."""
        super().paintEvent(event)
        if self.model().rowCount() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(QColor(Theme.tokens.muted))
            painter.setFont(base_font())
            area = self.viewport().rect().adjusted(24, 8, -24, -8)
            waiting = isinstance(self._columns_model, PagedTableModel) and not self._columns_model.is_loaded
            words = "Loading…" if waiting else self._empty_text
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)
            painter.end()

    def _activate(self, index: QModelIndex) -> None:
        if index.isValid() and (row := self._columns_model.row_object(index.row())) is not None:
            self.row_activated.emit(row)

    def _choose(self, index: QModelIndex) -> None:
        if index.isValid() and (row := self._columns_model.row_object(index.row())) is not None:
            self.row_chosen.emit(row)

    def _count(self) -> None:
        count = self.model().rowCount()
        self.setAccessibleDescription(f"{count} rows" if count else self._empty_text)
