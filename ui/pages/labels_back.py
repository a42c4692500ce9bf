"""Scan-back: each label is scanned where it was put, and one press records them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import Vial
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.labelling import ScanBackForm, check_scan_back, scan_back
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import unit_ranges
from ui.office import Office
from ui.pages.stock_parts import TippedRows, fill_height, vials_count
from ui.theme import SPACE_S
from ui.widgets.basics import Button, Text, announce
from ui.widgets.fields import ScanField
from ui.widgets.tables import Column, DataTable

TICK, CROSS = "✓ ready", "✗ refused"


@dataclass(frozen=True, slots=True)
class _Scan:
    """One scan: the code, what it names, and why it is refused ('' for one that can be recorded)."""

    code: str
    words: str
    refusal: str = ""
    by_hand: bool = False

    @property
    def mark(self) -> str:
        """A tick or a cross, with its word."""
        return CROSS if self.refusal else TICK

    @property
    def says(self) -> str:
        """What the scan names, or why it is refused."""
        typed = " (typed by hand)" if self.by_hand else ""
        return self.refusal or self.words + typed


_COLUMNS = (
    Column("mark", "", width=104, sortable=False, tone=lambda row: "stop" if row.refusal else "ok"),
    Column("code", "Scanned", width=170, sortable=False),
    Column("says", "What it is", stretch=True, width=240, sortable=False),
)


def _form(scans: Sequence[_Scan], *, sends_separator: bool) -> ScanBackForm:
    by_hand = tuple(place for place, scan in enumerate(scans) if scan.by_hand)
    return ScanBackForm(tuple(scan.code for scan in scans), by_hand, sends_separator)


def _check(desk: Desk, known: Mapping[str, _Scan], scan: _Scan, separator: bool, reader: Reader) -> _Scan:
    """What one scan names; a label that was scanned a moment ago is refused by the service in its own words."""
    try:
        words = check_scan_back(desk, reader, _form((scan,), sends_separator=separator))
        if words in known:
            check_scan_back(desk, reader, _form((known[words], scan), sends_separator=separator))
    except Refused as refused:
        return replace(scan, refusal=" ".join(fault.sentence for fault in refused.faults))
    return replace(scan, words=words)


class ScanBackPanel(QWidget):
    """Takes many scans, shows each with a tick or its refusal, and records those with a tick."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("scan_back")
        self._office = office
        self._act = office.act()
        self._scans: list[_Scan] = []
        self._waiting: list[_Scan] = []
        self._checking = False
        self._recording = False
        self._waits = Text("", name="back_waits")
        self.scan = ScanField(
            "back_scan",
            "&Scan each label where it was put",
            hint="A vial is used, and a bag leaves, only when its own label was scanned back. A bag has two: its own"
            " and the light cover's.",
            collects=True,
        )
        self.scan.scanned.connect(self.take)
        self.rows = TippedRows(_COLUMNS, parent=self)
        self.table = DataTable(
            self.rows, name="back_table", label="Scans", empty_text="Nothing was scanned yet.", sortable=False
        )
        fill_height(self.table, 160)
        self._words = Text("", "muted", name="back_words")
        self.undo_button = Button("Take the last one o&ff", name="back_undo")
        self.undo_button.clicked.connect(self._undo)
        self.record_button = Button("Recor&d the scans", name="back_record", kind="primary", icon="check")
        self.record_button.clicked.connect(self._record)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self._words, 1)
        foot.addWidget(self.undo_button)
        foot.addWidget(self.record_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self._waits)
        column.addWidget(self.scan)
        column.addWidget(self.table, 1)
        column.addLayout(foot)
        self._offer()

    def show_waiting(self, vials: Sequence[Vial]) -> None:
        """Say which vials wait for the scan of their label."""
        if vials:
            units = unit_ranges(tuple(sorted(vial.unit_number for vial in vials)))
            verb = "waits" if len(vials) == 1 else "wait"
            self._waits.setText(f"{vials_count(len(vials))} {verb} for the scan of the label: {units}.")
        else:
            self._waits.setText("No vial waits for the scan of its label.")

    def is_dirty(self) -> bool:
        """Whether scans are listed that nobody recorded."""
        return bool(self._ready())

    def take(self, code: str) -> None:
        """Take one scan; they are looked up one after the other, however fast they come."""
        self._waiting.append(_Scan(code, "", by_hand=self.scan.by_hand))
        self._next()

    def _next(self) -> None:
        if self._checking or self._recording or not self._waiting:
            return
        self._checking = True
        known = {scan.words: scan for scan in self._ready()}
        scan, separator = self._waiting.pop(0), self._office.sends_separator
        self._office.ask(partial(_check, self._office.desk, known, scan, separator), self._checked, self._not_checked)

    def _checked(self, scan: _Scan) -> None:
        self._checking = False
        # A refusal is said once: it does not fill the list.
        self._scans = [each for each in self._scans if not each.refusal]
        self._scans.append(scan)
        self._show()
        if scan.refusal:
            self.scan.set_fault(scan.refusal)
        announce(self, scan.refusal or f"{scan.words}: {len(self._scans)}")
        self._next()

    def _not_checked(self, trouble: Exception) -> None:
        self._checking = False
        self._waiting.clear()
        self._office.say_trouble(trouble)

    def _ready(self) -> list[_Scan]:
        return [scan for scan in self._scans if not scan.refusal]

    def _show(self) -> None:
        self.rows.set_rows(list(reversed(self._scans)))
        self._offer()

    def _undo(self) -> None:
        self._scans = self._scans[:-1]
        self.scan.set_fault("")
        self._show()
        self.scan.editor().setFocus()

    def _offer(self) -> None:
        ready = len(self._ready())
        why = self._office.why_not("labels_scanned")
        self._words.setText(why or f"{vials_count(ready, 'label')} ready to be recorded.")
        self.record_button.setEnabled(not why and bool(ready) and not self._recording)
        self.record_button.setToolTip(why or ("" if ready else "Scan a label first."))
        self.undo_button.setEnabled(bool(self._scans) and not self._recording)

    def _record(self) -> None:
        desk, act = self._office.desk, self._act
        self._scans = self._ready()
        form = _form(self._scans, sends_separator=self._office.sends_separator)
        self._recording = True
        self._show()
        self._office.do(lambda: scan_back(desk, act, form), self._did, self._did_not, busy="Recording the scans")

    def _did(self, event: Event) -> None:
        self._recording = False
        self._act = self._office.act()
        self._scans = []
        self.scan.set_fault("")
        self._show()
        count = len(event.content["scans"])
        self._office.messages.ok(f"{vials_count(count, 'label')} scanned back (event {event.seq}).")
        self._office.changed.emit()
        self.scan.editor().setFocus()
        self._next()

    def _did_not(self, trouble: Exception) -> None:
        """Each refusal beside its scan; what is true of all stands beneath the field."""
        self._recording = False
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        others = []
        for fault in faults:
            field, _, at = fault.field.partition(".")
            if field == "codes" and at.isdigit() and int(at) < len(self._scans):
                scan = self._scans[int(at)]
                self._scans[int(at)] = replace(scan, refusal=fault.sentence)
            else:
                others.append(str(fault))
        self._show()
        self.scan.set_fault("\n".join(others) or "Nothing was recorded. Look at what is refused; the others stay.")
        announce(self, " ".join(str(fault) for fault in faults))
        self._next()
