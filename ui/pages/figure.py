"""Numbers and rows that lead to what is behind them: by Ctrl+B everywhere, and a number that is a button by Enter too.

In a table Ctrl+B opens what is behind the number the keyboard stands on; elsewhere in the row, all that is on record of
the thing the row is about. The menu of the row (Shift+F10 or the right mouse button) offers both.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MethodType
from typing import Any, NamedTuple
from weakref import WeakMethod

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QWidget

from pharmacy_app.services.behind import Line, Thing, What
from ui.office import Office
from ui.widgets.basics import Button
from ui.widgets.tables import DataTable, PagedTableModel, RowTableModel
from ui.widgets.working import NumberButton

KEYS = "Ctrl+B"
TIP = f"Show what is behind it ({KEYS})"

Leads = Callable[[Any], What | None]
"""What a row asks for; None where there is nothing to ask for."""


def on_keys(widget: QWidget, slot: Callable[[], None]) -> None:
    """Let Ctrl+B do something while a widget has the keyboard."""
    shortcut = QShortcut(QKeySequence(KEYS), widget)
    shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
    shortcut.activated.connect(slot)


def _open(office: Office, what: What, parent: QWidget) -> None:
    # The page behind is loaded when somebody first asks for it.
    from ui.pages.behind import open_behind

    open_behind(office, what, parent)


class Figure(Button):
    """A number that opens what is behind it, by mouse, Enter or Space; its accessible name says so."""

    def __init__(
        self, office: Office, caption: str, shown: str, what: What, *, name: str, kind: str = "number"
    ) -> None:
        super().__init__("", name=name, kind=kind)
        self._office, self._caption, self.what = office, caption, what
        self.setToolTip(TIP)
        self.clicked.connect(self._show)
        on_keys(self, self._show)
        self.set_shown(shown)

    def set_shown(self, shown: str) -> None:
        """Show another number."""
        self.setText(shown)
        self.setAccessibleName(f"{self._caption}: {shown}. Shows what is behind it")

    def _show(self) -> None:
        _open(self._office, self.what, self.window())


class NumberLead(QObject):
    """Opens what is behind a number: by pressing it where it has no working of its own, by Ctrl+B always."""

    def __init__(self, office: Office, what: What, number: NumberButton) -> None:
        super().__init__(number)
        self._office, self.what = office, what
        button = number.button
        if button.isEnabled():
            button.setToolTip(f"{button.toolTip()}. {KEYS} shows the entries behind it")
            button.setAccessibleDescription(f"{button.accessibleDescription()} {KEYS} shows the entries behind it.")
        else:
            button.setEnabled(True)
            button.setToolTip(TIP)
            button.setAccessibleName(f"{button.accessibleName()}. Shows what is behind it")
            button.clicked.connect(self.open)
        on_keys(button, self.open)

    def open(self) -> None:
        """Open it over the window of the number."""
        number = self.parent()
        assert isinstance(number, NumberButton)
        _open(self._office, self.what, number.window())


def lead(office: Office, number: NumberButton, what: What) -> None:
    """Let a number lead to the entries behind it."""
    NumberLead(office, what, number)


def held_weakly(lead: Leads) -> Leads:
    """A lead that does not keep its page alive: a method of the page, or ``partial`` of one, is held weakly.

    A page that holds itself through its table would be thrown away by the garbage collector, in any thread.
    """
    method, arguments = (lead.func, lead.args) if isinstance(lead, partial) else (lead, ())
    if not isinstance(method, MethodType):
        return lead
    kept = WeakMethod(method)

    def held(row: Any) -> What | None:
        living = kept()
        found: What | None = None if living is None else living(*arguments, row)
        return found

    return held


class Offered(NamedTuple):
    """What a cell leads to, and the words of the menu for it."""

    words: str
    what: What


class TableLead(QObject):
    """Lets the numbers and rows of a table lead to what is behind them.

    ``numbers`` goes by the columns' keys; ``thing`` is what a whole row is about.
    """

    def __init__(
        self, office: Office, table: DataTable, numbers: Mapping[str, Leads], thing: Leads | None = None
    ) -> None:
        super().__init__(table)
        self._office = office
        self.numbers = {key: held_weakly(lead) for key, lead in numbers.items()}
        self.thing = None if thing is None else held_weakly(thing)
        on_keys(table, self.open)
        # Its row's menu: the cell that was pressed, or that the keyboard stands on, is the current one.
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self.show_menu)
        table.setToolTip(f"{KEYS} shows what is behind a number, or all that is on record of a row.")

    @property
    def _table(self) -> DataTable:
        table = self.parent()
        assert isinstance(table, DataTable)
        return table

    def offers(self, row: int, column: int) -> list[Offered]:
        """What a cell leads to: the number first, then the thing of its row."""
        model = self._table.model()
        assert isinstance(model, RowTableModel | PagedTableModel)
        value = model.row_object(row)
        if value is None or not 0 <= column < len(model.columns):
            return []
        found, of = [], model.columns[column]
        number = self.numbers[of.key](value) if of.key in self.numbers else None
        if number is not None:
            found.append(Offered(f"Behind {of.header.lower()}: {of.words(value)}", number))
        thing = self.thing(value) if self.thing is not None else None
        if thing is not None:
            found.append(Offered("All that is on record of it", thing))
        return found

    def _here(self) -> list[Offered]:
        index = self._table.currentIndex()
        return self.offers(index.row(), index.column()) if index.isValid() else []

    def open(self) -> None:
        """Open what the cell leads to that the keyboard stands on."""
        for offered in self._here()[:1]:
            _open(self._office, offered.what, self._table.window())

    def show_menu(self) -> None:
        """Offer what the cell and its row lead to."""
        offers = self._here()
        if not offers:
            return
        menu = QMenu(self._table)
        menu.setObjectName("behind_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for offered in offers:
            menu.addAction(offered.words).setData(offered.what)
        menu.triggered.connect(self._chosen)
        under = self._table.visualRect(self._table.currentIndex()).bottomLeft()
        menu.popup(self._table.viewport().mapToGlobal(under))
        menu.setActiveAction(menu.actions()[0])

    def _chosen(self, action: QAction) -> None:
        _open(self._office, action.data(), self._table.window())


def lead_rows(
    office: Office, table: DataTable, numbers: Mapping[str, Leads] | None = None, *, thing: Leads | None = None
) -> TableLead:
    """Let a table's numbers and rows lead to what is behind them."""
    return TableLead(office, table, numbers or {}, thing)


def named(key: str, word: str = "") -> Leads:
    """The thing that a row names by its ``key``, under ``word`` where things of its kind go by one."""

    def what(row: Any) -> What | None:
        name = getattr(row, key)
        return Thing(f"{word} {name}".lstrip()) if name and name != "–" else None

    return what


def line_of(row: Any) -> Line:
    """What a row of the ledger leads to: its line, with the vials it names."""
    return Line(row.line_id, row.strength_mg, row.lot)
