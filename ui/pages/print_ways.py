"""Where labels may go: the printers that are set, in words, and the stock that lies in each."""

from collections.abc import Callable
from dataclasses import dataclass

from pharmacy_app.services import views
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.labelling import PAPERS
from pharmacy_app.services.ports import LabelStock, Reader
from ui.widgets.fields import TextField

USUAL = "usual"
ON_SCREEN = "No printer: on screen, to save or print from there"
"""The choice of no printer: the label as it usually is."""


def label_words(kind: str) -> str:
    """A kind of label as its paper is called: ``vial label``; the bag's and the light cover's go together."""
    return PAPERS.get(kind) or f"{kind} label"


def outlet_words(entry: views.PrinterEntry) -> str:
    """Where a printer's labels go, in words."""
    ways: dict[str, Callable[[str], str]] = {
        "system": lambda target: f"the system's printer {target}",
        "tcp": lambda target: f"the network at {target}",
        "file": lambda target: f"files in {target}",
    }
    return ways[entry.outlet](entry.target)


@dataclass(frozen=True, slots=True)
class Ways:
    """The printers that may print these labels, the default one, and the stocks."""

    printers: tuple[views.Printer, ...]
    usual: str
    stocks: dict[str, LabelStock]

    def choices(self) -> list[tuple[str, str]]:
        """The printers to choose from, each with where it prints."""
        return [(each.entry.name, f"{each.entry.name}, {outlet_words(each.entry)}") for each in self.printers]

    def entry(self, name: str) -> views.PrinterEntry | None:
        """A printer by its name; ``None`` where none is chosen."""
        return next((each.entry for each in self.printers if each.entry.name == name), None)

    def stock(self, name: str, kind: str) -> LabelStock | None:
        """The stock that is set for a kind of label on a printer."""
        entry = self.entry(name)
        return self.stocks.get(dict(entry.stocks).get(kind, "")) if entry is not None else None


def ways_of(desk: Desk, kind: str, reader: Reader) -> Ways:
    """The printers in use, and which of them is the default one of a kind of label."""
    printers = tuple(each for each in reader.printers() if each.entry.in_use)
    usual = next((each.entry.name for each in printers if kind in each.default_for), "")
    return Ways(printers, usual, {stock.name: stock for stock in desk.outlets.stocks()})


def show_start(field: TextField, stock: LabelStock | None) -> None:
    """Ask for the first free position where the stock is a sheet."""
    sheet = stock is not None and stock.positions > 1
    field.setVisible(sheet)
    if stock is not None and sheet:
        field.set_hint(f"{stock.name}: 1 to {stock.positions}")
    else:
        field.set_value("1")
