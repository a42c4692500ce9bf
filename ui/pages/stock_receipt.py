"""The form of a received shipment: its packing list, and a block of fields for each lot."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.vials import STRENGTHS_MG, read_expiry
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.stock import LOGGER_READ, NOT_READ, ShipmentForm, hold_in_sight
from ui.pages.stock_parts import say_mg, vials_count
from ui.theme import SPACE_M
from ui.widgets.basics import Button, announce, clear_layout
from ui.widgets.dates import say_date
from ui.widgets.fields import ChoiceField, DateField, DateTimeField, Form, NoteField, ScanField, TextField
from ui.widgets.panels import Banner, Card

if TYPE_CHECKING:
    from pharmacy_app.domain.protocol import Storage

EMPTY_LOT = LotTyped("", "", "", "")

_LOGGER = (
    ("no alarm", "Read, no alarm"),
    ("alarm", "Read, shows an alarm"),
    ("no logger", "No logger came with it"),
    ("not read", "Not read yet"),
)
_SCAN_HINT = "Lot and expiry are filled in where they are empty, the kit joins the list."
_CONDITION = (("intact", "Intact"), ("damaged", "Damaged"))


class ExpiryField(TextField):
    """A printed expiry; beneath it stands the last day on which such a vial may be used."""

    def _read(self) -> str:
        if not hasattr(self, "_line") or not self.value():
            return ""
        try:
            return f"Last usable day: {say_date(read_expiry(self.value(), self.name))}."
        except Refused:
            return ""

    def _find_fault(self) -> str:
        if not self.value():
            return ""
        try:
            read_expiry(self.value(), self.name)
        except Refused as refused:
            return refused.faults[0].sentence
        return ""


def _count_check(value: str) -> str:
    if not value.isascii() or not value.isdigit():
        return "Type a whole number of vials."
    return ""


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _vials(field: TextField) -> int | None:
    """The number of vials in a field as far as it can be read."""
    value = field.value()
    return int(value) if value and not _count_check(value) else None


class LotBlock(Card):
    """The fields of one lot.

    ``changed`` on every edit, ``removed`` when the person takes the lot off the list, ``scanned(str)`` with each code.
    """

    changed = Signal()
    removed = Signal()
    scanned = Signal(str)

    def __init__(self, index: int, typed: LotTyped, *, alone: bool) -> None:
        super().__init__(f"Lot {index + 1}", name=f"lots_{index}")
        self._at = at = f"lots.{index}."
        remove = Button(f"Remove lot {index + 1}", name=f"lots_{index}_remove", kind="quiet", icon="close")
        remove.setVisible(not alone)
        remove.clicked.connect(self.removed)
        self.head.addWidget(remove)
        self.form = Form(columns=4, name=f"lots_{index}_form")
        self.strength = ChoiceField(
            at + "strength_mg", "Strength", [(str(s), say_mg(s)) for s in STRENGTHS_MG], required=True
        )
        self.lot = TextField(at + "lot", "Lot", required=True, max_length=20)
        self.expiry = ExpiryField(at + "expiry", "Expiry as printed", required=True, placeholder="2027-03")
        self.condition = ChoiceField(at + "condition", "Condition", _CONDITION, required=True)
        self.listed = TextField(at + "listed", "Listed", required=True, max_length=5, check=_count_check)
        self.count = TextField(at + "count", "Counted", required=True, max_length=5, check=_count_check)
        self.kits = NoteField(at + "kit_numbers", "Kits of the counted vials", lines=2)
        self.scan = ScanField(
            at + "scan",
            f"Scan the kits of lot {index + 1}",
            hint=_SCAN_HINT,
            collects=True,
        )
        self.scan.scanned.connect(self.scanned)
        self.difference = TextField(
            at + "difference_note",
            "About the difference",
            required=True,
            max_length=200,
            placeholder="for example: carton sealed, supporter telephoned",
        )
        self.extra_kits = NoteField(at + "extra_kits", "Kits not on the list", lines=1)
        self.note = TextField(at + "condition_note", "What is damaged", required=True, max_length=200)
        self.damaged = TextField(
            at + "damaged", "Vials damaged", max_length=5, check=_count_check, hint="Empty: the whole lot."
        )
        self.damaged_kits = NoteField(at + "damaged_kits", "Damaged kits", lines=1)
        self.form.add(self.strength)
        self.form.add(self.lot)
        self.form.add(self.expiry)
        self.form.add(self.condition)
        self.form.add(self.listed)
        self.form.add(self.count)
        self.form.add(self.kits, span=2)
        self.form.add(self.difference, span=2)
        self.form.add(self.extra_kits, span=2)
        self.form.add(self.note, span=2)
        self.form.add(self.damaged)
        self.form.add(self.damaged_kits)
        self.add(self.scan)
        self.add(self.form)
        self.form.set_values(
            {
                at + "strength_mg": typed.strength_mg,
                at + "lot": typed.lot,
                at + "expiry": typed.expiry,
                at + "count": typed.count,
                at + "condition": typed.condition,
                at + "condition_note": typed.condition_note,
                at + "kit_numbers": "\n".join(typed.kit_numbers),
                at + "listed": typed.listed,
                at + "difference_note": typed.difference_note,
                at + "damaged": typed.damaged,
                at + "damaged_kits": "\n".join(typed.damaged_kits),
                at + "extra_kits": "\n".join(typed.extra_kits),
            }
        )
        self._follow()
        self.form.changed.connect(self._follow)
        self.form.changed.connect(self.changed)

    def typed(self) -> LotTyped:
        """The lot as typed, for the service."""
        damaged = self.condition.value() == "damaged"
        listed, counted = _vials(self.listed), _vials(self.count)
        extra = listed is not None and counted is not None and counted > listed
        return LotTyped(
            strength_mg=self.strength.value(),
            lot=self.lot.value(),
            expiry=self.expiry.value(),
            count=self.count.value(),
            kit_numbers=self._kit_numbers(),
            condition=self.condition.value(),
            condition_note=self.note.value() if damaged else "",
            listed=self.listed.value(),
            difference_note=self.difference.value() if listed != counted else "",
            damaged=self.damaged.value() if damaged else "",
            damaged_kits=_lines(self.damaged_kits.text()) if damaged else (),
            extra_kits=_lines(self.extra_kits.text()) if extra else (),
        )

    def take(self, lot: LotTyped, notes: Sequence[str] = ()) -> None:
        """Fill in what a scan said, and say what was put right in it; the field waits for the next one."""
        self.lot.set_value(lot.lot)
        self.expiry.set_value(lot.expiry)
        self.kits.set_value("\n".join(lot.kit_numbers))
        self.scan.set_hint(" ".join(notes) or _SCAN_HINT)
        announce(self.scan, " ".join((f"{lot.kit_numbers[-1]} added." if lot.kit_numbers else "Read.", *notes)))

    def refuse(self, faults: Sequence[Fault]) -> None:
        """Say beside the scan field why a scan is not taken, and wait for the next one."""
        self.scan.set_fault("\n".join(str(fault) for fault in faults))
        self.scan.setFocus()
        announce(self.scan, f"Not taken. {self.scan.fault()}")

    def check(self) -> bool:
        """Check the block's own fields; those that are hidden ask for nothing."""
        for field in (self.note, self.difference):
            if field.isHidden():
                field.set_value("")
        return not [field for field in self.form.fields() if not field.isHidden() and field.check_now()]

    def focus_first(self, *, faulty: bool = False) -> None:
        """Put the focus on the first field, or on the first faulty one."""
        for field in self.form.fields():
            if not faulty or (field.fault() and not field.isHidden()):
                field.editor().setFocus()
                return

    def _kit_numbers(self) -> tuple[str, ...]:
        return _lines(self.kits.text())

    def _follow(self) -> None:
        """Show what depends on what was typed: damage, a difference, and how many kits are still to be scanned."""
        damaged, kits = self.condition.value() == "damaged", self._kit_numbers()
        listed, counted = _vials(self.listed), _vials(self.count)
        for field in (self.note, self.damaged):
            field.setVisible(damaged)
        self.damaged_kits.setVisible(damaged and bool(kits))
        self.difference.setVisible(listed is not None and counted is not None and listed != counted)
        self.extra_kits.setVisible(listed is not None and counted is not None and counted > listed and bool(kits))
        one_each = not any(sign in line for line in kits for sign in (" to ", " TO ", "–", "..", " - "))
        if kits and one_each:
            self.kits.set_hint(f"{len(kits)} of {self.count.value() or '?'} kit numbers.")
        else:
            self.kits.set_hint("One a line, typed or scanned, or K001 to K010. Empty when the vials have none.")


class ReceiptForm(QWidget):
    """The whole draft of a receipt; ``form()`` gives it as typed.

    Signals ``changed()``, ``rebuilt()`` when the lots were laid out anew and the Tab key needs its order again, and
    ``scanned(LotBlock, str code)``: the page reads it, and tells the block what it said.
    """

    changed = Signal()
    rebuilt = Signal()
    scanned = Signal(object, str)

    def __init__(self, places: Sequence[str], now: Callable[[], datetime]) -> None:
        super().__init__()
        self.setObjectName("receipt")
        self.setAccessibleName("Receive a shipment")
        self._places = tuple(places)
        self.head = Form(columns=3, name="receipt_form")
        self._storage: Storage | None = None
        self.head.add(TextField("number", "Shipment &number", required=True, max_length=40))
        self.head.add(TextField("sender", "&Sender", required=True, max_length=80))
        self.head.add(
            TextField(
                "packing_list", "Pac&king list no.", required=True, max_length=40, placeholder="N/A if it has none"
            )
        )
        self.head.add(DateField("shipped_on", "Shipped &on", required=True))
        self._now = now
        self.received_at = DateTimeField(
            "received_at", "R&eceived at", hint="Leave it empty if it is arriving now.", now=now
        )
        self.head.add(self.received_at, span=2)
        self.logger = ChoiceField("logger_state", "Temperature lo&gger", _LOGGER, required=True)
        self.serial = TextField("logger_serial", "Logger serial n&umber", max_length=40)
        self.lowest = TextField("min_celsius", "Lo&west temperature (°C)", max_length=8, placeholder="N/A if not shown")
        self.highest = TextField(
            "max_celsius", "Hig&hest temperature (°C)", max_length=8, placeholder="N/A if not shown"
        )
        self.place = ChoiceField("place", "Storage &place", [(place, place) for place in self._places], required=True)
        self.late = TextField(
            "late_why", "Why it is recorded &late", max_length=300, placeholder="for example: arrived on Saturday"
        )
        self.head.add(self.late, span=3)
        self.head.add(self.place)
        self.head.add(self.logger)
        self.head.add(self.serial)
        self.head.add(self.lowest)
        self.head.add(self.highest)
        self.head.end_row()
        self.head.add(NoteField("note", "No&te", lines=1, hint="What the record should say besides."), span=3)
        packing = Card("Packing list")
        packing.add(self.head)
        self._held = Banner("warn", "", word="Held", name="receipt_held")
        self.blocks: list[LotBlock] = []
        self._lots = QVBoxLayout()
        self._lots.setSpacing(SPACE_M)
        self.add_button = Button("&Add another lot", name="lots_add", icon="plus")
        self.add_button.clicked.connect(self.add_lot)
        below = QHBoxLayout()
        below.addWidget(self.add_button)
        below.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(packing)
        column.addWidget(self._held)
        column.addLayout(self._lots)
        column.addLayout(below)
        self.head.changed.connect(self._changed)
        self.clear()

    def set_places(self, places: Sequence[str]) -> None:
        """Offer the places in use now; the one chosen stays."""
        self._places = tuple(places)
        self.place.set_choices([(place, place) for place in places])

    def clear(self) -> None:
        """Begin a new draft: one empty lot, the usual place."""
        self.head.clear()
        self.place.set_value(self._places[0] if self._places else "")
        self.head.clear_faults()
        self.head.mark_clean()
        self._show_lots([EMPTY_LOT])
        self._changed()

    def is_dirty(self) -> bool:
        """Whether anything was typed."""
        return self.head.is_dirty() or [block.typed() for block in self.blocks] != [EMPTY_LOT]

    def form(self) -> ShipmentForm:
        """The draft as typed."""
        values = self.head.values()
        return ShipmentForm(
            number=values["number"],
            sender=values["sender"],
            shipped_on=values["shipped_on"],
            received_at=values["received_at"],
            logger_serial="" if values["logger_state"] == "no logger" else values["logger_serial"],
            logger_state=values["logger_state"],
            place=values["place"],
            lots=tuple(block.typed() for block in self.blocks),
            note=values["note"],
            late_why="" if self.late.isHidden() else values["late_why"],
            packing_list=values["packing_list"],
            min_celsius="" if self.lowest.isHidden() else values["min_celsius"],
            max_celsius="" if self.highest.isHidden() else values["max_celsius"],
        )

    def set_storage(self, storage: "Storage") -> None:
        """Take the protocol's storage temperatures, to say what the logger's will mean."""
        self._storage = storage
        self._changed()

    def summary(self) -> str:
        """``2 lots, 16 vials`` as far as the counts can be read."""
        counts = [block.count.value() for block in self.blocks]
        vials = sum(int(count) for count in counts if not _count_check(count))
        return f"{vials_count(len(self.blocks), 'lot')}, {vials_count(vials)}"

    def check(self) -> bool:
        """Check every field at once; the focus goes to the first faulty one."""
        lots = [block.check() for block in self.blocks]
        for block, sound in zip(reversed(self.blocks), reversed(lots), strict=True):
            if not sound:
                block.focus_first(faulty=True)
        return self.head.check() and all(lots)

    def show_faults(self, faults: Sequence[Fault]) -> None:
        """Show each fault beside its field: those of a lot in its block, the rest on the packing list."""
        rest = list(faults)
        # From the last to the first, so that the focus ends on the first faulty field.
        for index, block in reversed(list(enumerate(self.blocks))):
            mine = [fault for fault in rest if fault.field.startswith(f"lots.{index}.")]
            rest = [fault for fault in rest if fault not in mine]
            block.form.show_faults(mine)
        self.head.show_faults(rest)
        announce(self, " ".join(str(fault) for fault in faults))

    def add_lot(self) -> None:
        """One more lot; the focus goes to it."""
        self._show_lots([*(block.typed() for block in self.blocks), EMPTY_LOT])
        self.blocks[-1].focus_first()
        self._changed()

    def _scanned(self, code: str) -> None:
        self.scanned.emit(self.sender(), code)

    def _remove(self) -> None:
        gone = self.blocks.index(self.sender())  # type: ignore[arg-type]
        kept = [block.typed() for at, block in enumerate(self.blocks) if at != gone]
        self._show_lots(kept)
        self.blocks[min(gone, len(kept) - 1)].focus_first()
        self._changed()

    def _show_lots(self, lots: Sequence[LotTyped]) -> None:
        # Rebuilt as a whole: names, numbers and faults always stand at the lot they belong to.
        clear_layout(self._lots)
        self.blocks = []
        for index, typed in enumerate(lots):
            block = LotBlock(index, typed, alone=len(lots) == 1)
            block.changed.connect(self._changed)
            block.removed.connect(self._remove)
            block.scanned.connect(self._scanned)
            self.blocks.append(block)
            self._lots.addWidget(block)
        # New blocks stand last in the order of the Tab key; what follows them on the page is put after them again.
        QWidget.setTabOrder(self.blocks[-1].form.fields()[-1].editor(), self.add_button)
        self.rebuilt.emit()

    def _changed(self) -> None:
        state = self.logger.value()
        self.serial.setEnabled(state != "no logger")
        for field in (self.lowest, self.highest):
            field.setVisible(state in LOGGER_READ)
        received_on = self.received_at.day()
        self.late.setVisible(received_on is not None and received_on < self._now().date())
        held = hold_in_sight(self.form(), self._storage) if self._storage is not None else ""
        damaged = [f"lot {at}" for at, block in enumerate(self.blocks, 1) if block.condition.value() == "damaged"]
        parts = []
        if held == NOT_READ:
            parts.append(f"{held}. All vials stay held until it is.")
        elif held:
            parts.append(f"{held}. All vials stay held until the supporter permits their use in writing (§\u00a08.2).")
        if damaged:
            parts.append(
                f"damaged vials of {' and '.join(damaged)} stay held until the supporter permits their use in writing"
                " (§\u00a08.2)."
            )
        if parts:
            self._held.set_message("warn", " ".join(part[0].upper() + part[1:] for part in parts), word="Held")
        self._held.setVisible(bool(parts))
        self.changed.emit()
