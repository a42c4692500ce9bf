"""Printers in the settings: where labels go, on which stock, and the ruler label that tells how they are shifted."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.units import show
from pharmacy_app.services.ports import RAW_PORT, LabelStock
from pharmacy_app.services.printers import LABEL_KINDS, PrinterForm, set_printer
from pharmacy_app.services.views import Printer
from ui.office import Office
from ui.pages.print_labels import print_labels_dialog
from ui.pages.print_ways import outlet_words
from ui.pages.stock_parts import TippedRows
from ui.pages.subjects_parts import FittingTable
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import CheckField, ChoiceField, Form, TextField
from ui.widgets.panels import Card
from ui.widgets.tables import Column

RULER = (
    "Print the ruler label. Measure from the left edge of the paper to the line 10 of the upper scale, and from the"
    " upper edge to the line 10 of the left scale. What is missing to 10 mm is added to the offset: where the line"
    " stands at 9 mm, add 1; where it stands at 11 mm, take 1 off. Set the printer and print the ruler label again:"
    " both lines stand at 10 mm now. The thinnest bars at its lower edge show whether the head keeps single dots apart."
)
_OUTLETS = (("system", "Printer of this system"), ("tcp", "Network address of a label printer"), ("file", "Files"))
_TARGETS = {
    "system": "The printer's name in the system",
    "tcp": f"Its address in the network, as 10.20.30.40 or 10.20.30.40:{RAW_PORT}",
    "file": "The folder that the files are written to",
}
_LANGUAGES = (("pdf", "PDF"), ("zpl", "ZPL (label printers)"))
_REGIONS = (("us", "United States"), ("eu", "European Union"), ("eu small", "European Union, small label"))
_USUAL = "usual"


def _offset_words(mm: Decimal) -> str:
    return f"−{show(abs(mm))}" if mm < 0 else show(mm)


class _Row:
    """A printer as the table shows it."""

    def __init__(self, printer: Printer) -> None:
        entry = printer.entry
        self.printer = printer
        self.name = entry.name
        self.number = printer.number
        self.goes = outlet_words(entry)
        self.prints = f"{entry.language.upper()}, {entry.dpi} dpi"
        self.offset = f"{_offset_words(entry.offset_x_mm)} / {_offset_words(entry.offset_y_mm)}"
        self.usual = ", ".join(printer.default_for) or "–"
        if not entry.in_use:
            self.usual = "out of use"
        self.facts = f"{entry.name}: {self.goes}. Set by {printer.set_by} on {say_moment(printer.set_at)}."


_COLUMNS = (
    Column("name", "Printer", width=120),
    Column("goes", "Labels go to", width=170, stretch=True),
    Column("prints", "Reads", width=110),
    Column("offset", "Offset mm", width=90),
    Column("usual", "Prints", stretch=True, width=160),
    Column("number", "Number", width=90),
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What this PC knows: the stocks, and the names of the system's printers and queues."""

    stocks: tuple[LabelStock, ...]
    names: tuple[str, ...]


class PrintersPanel(QWidget):
    """Every printer as set, the form that sets one, and the ruler label. Signal ``needs_look()``."""

    needs_look = Signal()

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("printers_panel")
        self._office = office
        self._act = office.act()
        self._known: _Known | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self._make_list())
        column.addWidget(self._make_form())
        column.addStretch(1)
        self._fresh()
        self._offer()

    def _make_list(self) -> Card:
        card = Card(
            "Printers",
            "Labels go to the default printer of their kind. Without a printer they are shown on screen, to save or to"
            " print from there.",
            name="printers_card",
        )
        self._rows = TippedRows(_COLUMNS, parent=self)
        self.table = FittingTable(
            self._rows,
            spare=("number", "prints"),
            name="printers_table",
            label="Printers",
            empty_text="No printer is set. Labels are shown on screen.",
            sortable=False,
            visible_rows=4,
        )
        self.table.selectionModel().selectionChanged.connect(self._offer)
        card.add(self.table)
        self._said = Text("", "muted", name="printers_said")
        card.add(self._said)
        self.ruler_button = Button("Print the &ruler label…", name="printer_ruler", icon="print")
        self.change_button = Button("&Change…", name="printer_change")
        self.ruler_button.clicked.connect(self._ruler)
        self.change_button.clicked.connect(self._change)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addStretch(1)
        foot.addWidget(self.ruler_button)
        foot.addWidget(self.change_button)
        card.body.addLayout(foot)
        return card

    def _make_form(self) -> Card:
        card = Card("A printer", "The newest setting of a name counts; each one stays on record.", name="printer_card")
        self.form = form = Form(name="printer_form")
        form.add(TextField("name", "&Name", required=True, max_length=40))
        self._outlet = ChoiceField("outlet", "Labels &go to", _OUTLETS, required=True)
        form.add(self._outlet)
        self._target = TextField("target", "&Where", required=True, max_length=260)
        form.add(self._target, span=2)
        form.add(ChoiceField("language", "It r&eads", _LANGUAGES, required=True))
        form.add(TextField("dpi", "&Dots an inch", required=True, max_length=4))
        form.add(CheckField("native_codes", "The printer draws the codes (ZPL)"))
        form.add(CheckField("in_use", "In &use"))
        form.add_widget(Text("Stock of each kind of label, and whether it prints here unless told otherwise", "label"))
        for kind in LABEL_KINDS:
            words = f"{kind[:1].upper()}{kind[1:]}"
            form.add(ChoiceField(f"stocks.{kind}", f"{words}: stock", [(_USUAL, "the usual one")]))
            default = CheckField(f"default.{kind}", "Prints here")
            default.editor().setAccessibleName(f"{words} labels print here")
            form.add(default)
        form.add(TextField("width_mm", "Own label size, width (mm)", max_length=6, hint="Instead of a stock"))
        form.add(TextField("height_mm", "Own label size, height (mm)", max_length=6))
        form.add_widget(Text(RULER, "muted", name="ruler_words"))
        form.add(TextField("offset_x_mm", "Offset to the right (mm)", max_length=6, hint="− is to the left"))
        form.add(TextField("offset_y_mm", "Offset down (mm)", max_length=6, hint="− is up"))
        form.add(ChoiceField("region", "Words for the region", _REGIONS))
        form.add(TextField("languages", "Languages in their order", max_length=60, placeholder="en"))
        form.add(TextField("block", "Further sentences of a state", max_length=40, placeholder="none"), span=2)
        form.add_widget(Text("The main contact that labels of the European Union name", "label"))
        for part in ("name", "address", "phone"):
            form.add(TextField(f"contact_{part}", f"Main contact's {part}", max_length=120))
        form.add(TextField("why", "Reason for a change", max_length=300))
        for field in form.fields():
            if isinstance(field, ChoiceField):
                # A long choice must not make the page wider than the window.
                field.editor().setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
                field.editor().setMinimumContentsLength(16)
        card.add(form)
        self._outlet.changed.connect(self._say_target)
        why_not = self._office.why_not("printer_set")
        self.set_button = Button("&Set the printer", name="printer_set", kind="primary")
        self.set_button.setEnabled(not why_not)
        self.set_button.setToolTip(why_not)
        self.set_button.clicked.connect(self._set)
        self.new_button = Button("Begin a new one", name="printer_new", kind="quiet")
        self.new_button.clicked.connect(self._fresh)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(Text(why_not and f"Setting: {why_not}", "small", name="printer_why_not"), 1)
        row.addWidget(self.new_button)
        row.addWidget(self.set_button)
        card.body.addLayout(row)
        return card

    # -- what is shown

    def show_printers(self, printers: Sequence[Printer]) -> None:
        """Show the printers as they are set; what is being typed stays."""
        chosen = {row.name for row in self.table.selected_rows()}
        self._rows.set_rows([_Row(printer) for printer in printers])
        for at, printer in enumerate(printers):
            if printer.entry.name in chosen:
                self.table.selectRow(at)
        self._offer()
        if self._known is None:
            desk = self._office.desk

            def look() -> _Known:
                from ui.printers import system_printers

                names = dict.fromkeys([*(each.name for each in system_printers()), *desk.outlets.queues()])
                return _Known(tuple(desk.outlets.stocks()), tuple(names))

            self._office.do(look, self._got_known, self._office.say_trouble, busy="Looking for printers")

    def _got_known(self, known: _Known) -> None:
        self._known = known
        clean = not self.form.is_dirty()
        for kind in LABEL_KINDS:
            field = self.form.field(f"stocks.{kind}")
            assert isinstance(field, ChoiceField)
            field.set_choices(
                [(_USUAL, "the usual one"), *((stock.name, _stock_words(stock)) for stock in known.stocks)]
            )
        if clean:
            self.form.mark_clean()
        self._say_target()

    def is_dirty(self) -> bool:
        """Whether a printer is half typed."""
        return self.form.is_dirty()

    def _say_target(self) -> None:
        hint = _TARGETS.get(self._outlet.value(), "")
        if self._outlet.value() == "system" and self._known is not None:
            names = ", ".join(self._known.names)
            hint += f". The system knows: {names}" if names else ". The system knows no printer yet"
        self._target.set_hint(hint and f"{hint}.")

    def _offer(self) -> None:
        rows: list[_Row] = self.table.selected_rows()
        one = rows[0] if len(rows) == 1 else None
        choose = "" if one is not None else "Choose one printer in the table."
        ruler = self._office.why_not("paper_printed") or choose
        if one is not None and not ruler and not one.printer.entry.in_use:
            ruler = f"{one.name} is out of use."
        change = self._office.why_not("printer_set") or choose
        for button, why in ((self.ruler_button, ruler), (self.change_button, change)):
            button.setEnabled(not why)
            button.setToolTip(why)
        self._said.setText(one.facts if one is not None else choose if self._rows.rowCount() else "")
        self._said.setVisible(bool(self._said.text()))

    def _fresh(self) -> None:
        """An empty form with what most printers are."""
        self.form.clear()
        self.form.set_values(
            {
                "outlet": "system",
                "language": "pdf",
                "dpi": "203",
                "region": "us",
                "languages": "en",
                "offset_x_mm": "0",
                "offset_y_mm": "0",
                "in_use": "yes",
                **{f"stocks.{kind}": _USUAL for kind in LABEL_KINDS},
            }
        )
        self._say_target()

    def _change(self) -> None:
        (row,) = self.table.selected_rows()
        entry = row.printer.entry
        stocks = dict(entry.stocks)
        self.form.clear()
        self.form.set_values(
            {
                "name": entry.name,
                "outlet": entry.outlet,
                "target": entry.target,
                "language": entry.language,
                "dpi": str(entry.dpi),
                "native_codes": "yes" if entry.native_codes else "",
                "in_use": "yes" if entry.in_use else "",
                **{f"stocks.{kind}": stocks.get(kind, _USUAL) for kind in LABEL_KINDS},
                **{f"default.{kind}": "yes" if kind in row.printer.default_for else "" for kind in LABEL_KINDS},
                "width_mm": show(entry.width_mm) if entry.width_mm is not None else "",
                "height_mm": show(entry.height_mm) if entry.height_mm is not None else "",
                "offset_x_mm": _offset_words(entry.offset_x_mm),
                "offset_y_mm": _offset_words(entry.offset_y_mm),
                "region": entry.region,
                "languages": " ".join(entry.languages),
                "block": entry.block,
                "contact_name": entry.contact_name,
                "contact_address": entry.contact_address,
                "contact_phone": entry.contact_phone,
            }
        )
        self._say_target()
        self.form.field("offset_x_mm").editor().setFocus()
        self.needs_look.emit()

    # -- acts

    def _set(self) -> None:
        if not self.form.check():
            self.needs_look.emit()
            return
        values = self.form.values()
        stocks = tuple((kind, values[f"stocks.{kind}"]) for kind in LABEL_KINDS)
        given = {name: value for name, value in values.items() if "." not in name}
        form = PrinterForm(
            **{
                **given,
                "native_codes": given["native_codes"] or "no",
                "in_use": given["in_use"] or "no",
            },
            stocks=tuple((kind, stock) for kind, stock in stocks if stock not in ("", _USUAL)),
            default_for=tuple(kind for kind in LABEL_KINDS if values[f"default.{kind}"] == "yes"),
        )
        desk, act = self._office.desk, self._act
        self.set_button.setEnabled(False)
        self._office.do(lambda: set_printer(desk, act, form), self._done, self._not_done, busy="Setting the printer")

    def _done(self, event: Event) -> None:
        self.set_button.setEnabled(True)
        self._act = self._office.act()
        name = event.content["printer"]["name"]
        self._fresh()
        self._office.messages.ok(f"{name} is set (event {event.seq}). Print its ruler label to see where it prints.")
        self._office.changed.emit()

    def _not_done(self, trouble: Exception) -> None:
        self.set_button.setEnabled(True)
        self.form.show_faults(trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),))
        self.needs_look.emit()

    def _ruler(self) -> None:
        (row,) = self.table.selected_rows()
        print_labels_dialog(self._office, "ruler", (row.name,), f"Ruler label of {row.name}", self)


def _stock_words(stock: LabelStock) -> str:
    return stock.name if stock.positions == 1 else f"{stock.name}, {stock.positions} a sheet"
