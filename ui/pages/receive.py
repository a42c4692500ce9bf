"""Receive: the shipments that came, a form for the next one, and what is to be done with its vials."""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.protocol import Storage
from pharmacy_app.services.about import lot_name
from pharmacy_app.services.behind import Found, Received, Stock, Thing
from pharmacy_app.services.desk import protocol_of, today_of, zone_of
from pharmacy_app.services.documents import LOGGER_FILE
from pharmacy_app.services.labelling import vials_of_shipment
from pharmacy_app.services.packing_list import LotScanned, scan_lot
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import Printed, unit_ranges
from pharmacy_app.services.receipts import print_receipt
from pharmacy_app.services.stock import all_reasons, held_of_shipment, receive, release_shipment, say_celsius
from pharmacy_app.services.views import DocumentLine, ShipmentLine, ShipmentLot
from ui.office import Office
from ui.pages.documents_parts import attach_dialog
from ui.pages.figure import Leads, lead_rows, named
from ui.pages.labels import SCAN_BACK
from ui.pages.places_field import places_in_use
from ui.pages.print_labels import print_labels_dialog
from ui.pages.query_strip import QueryStrip
from ui.pages.receive_acts import acknowledge_dialog, logger_dialog, site_clock
from ui.pages.stock_parts import (
    TippedRows,
    say_at,
    say_mg,
    vials_count,
)
from ui.pages.stock_receipt import LotBlock, ReceiptForm
from ui.pages.storage_permission import release_dialog
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.panels import Banner, Card, EmptyState, KeyValues, Page, confirm
from ui.widgets.tables import Column, DataTable


@dataclass(frozen=True, slots=True)
class ShipmentFacts:
    """One shipment with its vials: all, those that wait for release alone, and those a reason keeps back.

    ``labelled`` have a printed label; ``unscanned`` are there and their label was not scanned where it was put.
    """

    line: ShipmentLine
    units: tuple[str, ...]
    clear: tuple[str, ...]
    kept_back: tuple[str, ...]
    reason: str
    labelled: int
    unscanned: int
    lots: tuple[ShipmentLot, ...]
    documents: tuple[DocumentLine, ...]


def facts_of(reader: Reader, number: str) -> ShipmentFacts:
    """What the page shows of one shipment; raises ``Refused`` when there is none of that number."""
    line = reader.shipment(number)
    if line is None:
        raise Refused(Fault("number", f"There is no shipment {number}."))
    units, held = vials_of_shipment(reader, number), held_of_shipment(reader, number)
    unscanned = {vial.unit_number for vial in reader.unscanned_vials()}
    return ShipmentFacts(
        line,
        units,
        tuple(vial.unit_number for vial in held if not vial.hold_reason),
        tuple(vial.unit_number for vial in held if vial.hold_reason),
        all_reasons(vial.hold_reason for vial in held),
        sum(1 for unit in units if reader.printed(about=unit, paper="vial label", limit=1)),
        len(unscanned.intersection(units)),
        tuple(reader.shipment_lots(number)),
        tuple(reader.documents(about=f"shipment {number}")),
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """What the page shows first: the shipments, and the temperatures between which the protocol has them kept."""

    lines: tuple[ShipmentLine, ...]
    storage: Storage


@dataclass(frozen=True, slots=True)
class LotRow:
    """A line of the table of lots."""

    strength: str
    lot: str
    listed: str
    counted: str
    damaged: str
    finding: str
    strength_mg: Decimal


def lot_row(lot: ShipmentLot) -> LotRow:
    """A lot of a shipment in words: what was listed, counted and damaged, and what is known of a difference."""
    unknown = "–"
    found = []
    if lot.listed is not None and lot.listed > lot.counted:
        found.append(f"{lot.listed - lot.counted} missing: {lot.difference_note}")
    if lot.extra:
        found.append(f"{lot.extra} not on the list: {lot.difference_note}")
    if lot.condition_note:
        found.append(f"damaged: {lot.condition_note}")
    return LotRow(
        say_mg(lot.strength_mg),
        lot.lot,
        unknown if lot.listed is None else str(lot.listed),
        str(lot.counted),
        unknown if lot.damaged is None else str(lot.damaged),
        "; ".join(found) or "as listed",
        lot.strength_mg,
    )


def _logger_words(line: ShipmentLine) -> str:
    """The logger with what it shows and recorded."""
    celsius = [say_celsius(each) for each in (line.min_celsius, line.max_celsius) if each is not None]
    return ", ".join([f"{line.logger_serial}: {line.logger_state}", *([" to ".join(celsius)] if celsius else [])])


def _waiting(count: int) -> str:
    return f"{count} held" if count else "none"


_COLUMNS = (
    Column("number", "Shipment", width=132),
    Column("received_at", "Received", write=lambda moment: say_day(moment.date())),
    Column("logger_state", "Logger", width=92, tone=lambda row: "" if row.logger_state == "no alarm" else "warn"),
    Column("vials", "Vials", numeric=True),
    Column(
        "awaiting_release",
        "Waiting",
        write=_waiting,
        tone=lambda row: "warn" if row.awaiting_release else "",
    ),
    Column("hold_reason", "Hold reason", write=lambda text: text or "–", width=110, stretch=True),
)


_LOT_COLUMNS = (
    Column("strength", "Strength", numeric=True, width=88),
    Column("lot", "Lot", width=130),
    Column("listed", "Listed", numeric=True),
    Column("counted", "Counted", numeric=True, tone=lambda row: "" if row.listed in (row.counted, "–") else "warn"),
    Column("damaged", "Damaged", numeric=True, tone=lambda row: "" if row.damaged in ("0", "–") else "warn"),
    Column("finding", "Against the packing list", width=200, stretch=True),
)

ROW_HEIGHT = 36


def _row(*buttons: Button) -> QHBoxLayout:
    """Buttons side by side at the right."""
    row = QHBoxLayout()
    row.setSpacing(SPACE_S)
    row.addStretch(1)
    for button in buttons:
        row.addWidget(button)
    return row


def _scan_words(unscanned: int) -> str:
    many = "1 is" if unscanned == 1 else f"{unscanned} are"
    return f"Scan each label where it was put, under Labels: {many} not scanned yet, and a vial is usable only then."


class ReceivePage(Page):
    """List of shipments with the chosen one's next step, or the form for a new one. Opens on a shipment's number."""

    def __init__(self, office: Office) -> None:
        super().__init__("Receive", "Shipments of study vials.", name="receive_page", max_width=None)
        self._office = office
        self._facts: ShipmentFacts | None = None
        self._wanted = ""
        self._scans: deque[tuple[LotBlock, str, bool]] = deque()
        self._scanning: LotBlock | None = None
        self._act = office.act()
        self._step_act = office.act()
        self._may = office.may("shipment_received")
        self.new_button = Button("&Receive a shipment", name="receive_new", kind="primary", icon="plus")
        self.new_button.clicked.connect(self.begin)
        self.list_button = Button("&Back to the list", name="receive_list")
        self.list_button.clicked.connect(self.show_list)
        self.action_bar.addWidget(self.list_button)
        self.action_bar.addWidget(self.new_button)
        self._list = self._make_list()
        self._draft = self._make_draft()
        self.add(self._list, 1)
        self.add(self._draft)
        QShortcut(QKeySequence("Ctrl+N"), self, self.begin)
        reason = office.why_not("shipment_received")
        self.new_button.setEnabled(self._may)
        self.new_button.setToolTip(reason or "Ctrl+N")
        if reason:
            self.set_title("Receive", f"Shipments of study vials. {reason}")
        self.show_list()

    # -- the list

    def _make_list(self) -> QWidget:
        self.shipments = TippedRows(_COLUMNS)
        self.table = DataTable(
            self.shipments, name="shipments_table", label="Shipments", visible_rows=3, sortable=False
        )
        self.table.row_chosen.connect(self._choose)
        self.table.row_activated.connect(self._choose)
        behind: dict[str, Leads] = {
            "vials": lambda row: Received(shipment=row.number),
            "awaiting_release": lambda row: Stock(shipment=row.number, states=("held",)),
        }
        lead_rows(self._office, self.table, behind, thing=named("number", "shipment"))
        self._empty = EmptyState(
            "No shipment has been received",
            "When one arrives, choose “Receive a shipment” and copy its packing list. Every vial then gets a number "
            "of its own.",
            icon="receive",
            name="shipments_empty",
        )
        self._card = self._make_card()
        view = QWidget()
        column = QVBoxLayout(view)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.table)
        column.addWidget(self._empty)
        column.addWidget(self._card)
        column.addStretch(1)
        self._card.hide()
        self._empty.hide()
        return view

    def _said_of_lot(self, which: str, row: LotRow) -> Found | None:
        """What is behind a number that the receipt of the chosen shipment says of a lot."""
        if self._facts is None or getattr(row, which) == "–":
            return None
        return Found(self._facts.line.number, row.strength_mg, row.lot, which)

    def _make_card(self) -> Card:
        """The chosen shipment: its next step, its lots and facts, its papers."""
        self._name = Text("", "section", name="shipment_name")
        self._next = Banner("info", "", name="shipment_next")
        self._pairs = KeyValues(columns=2, name="shipment_facts")
        self.label_button = Button("&Print vial labels", name="shipment_labels", icon="print")
        self.release_button = Button("Release to s&tock", name="shipment_release")
        self.document_button = Button("Release &with the supporter's document…", name="shipment_document")
        self.scan_button = Button("Sca&n the labels", name="shipment_scan", icon="scan")
        self.scan_button.clicked.connect(self._scan_labels)
        self.vials_button = Button("&See all vials", name="shipment_vials", kind="quiet")
        self.label_button.clicked.connect(self._print)
        self.release_button.clicked.connect(self._release)
        self.document_button.clicked.connect(self._release_with_document)
        self.vials_button.clicked.connect(self._see_vials)
        self.logger_button = Button("Read the lo&gger…", name="shipment_logger")
        self.logger_button.clicked.connect(self._read_logger)
        self.receipt_button = Button("Print the re&ceipt", name="shipment_receipt", icon="print")
        self.receipt_button.clicked.connect(self._print_receipt)
        self.acknowledge_button = Button("Ac&knowledged…", name="shipment_acknowledge")
        self.acknowledge_button.clicked.connect(self._acknowledge)
        self.attach_button = Button("&Attach document…", name="shipment_attach", icon="plus")
        self.attach_button.clicked.connect(self._attach)
        self.papers_button = Button("&Documents", name="shipment_papers", kind="quiet")
        self.papers_button.clicked.connect(self._see_documents)
        self.lots = TippedRows(_LOT_COLUMNS)
        self.lot_table = DataTable(
            self.lots, name="shipment_lots", label="Lots against the packing list", visible_rows=1, sortable=False
        )
        lots = {which: partial(self._said_of_lot, which) for which in ("listed", "counted", "damaged")}
        lead_rows(self._office, self.lot_table, lots, thing=lambda row: Thing(lot_name(row.lot, row.strength_mg)))
        steps = _row(self.label_button, self.scan_button, self.release_button)
        held = _row(self.logger_button, self.document_button)
        papers = _row(self.papers_button, self.attach_button, self.receipt_button, self.acknowledge_button)
        card = Card(name="shipment_card")
        heading = QHBoxLayout()
        heading.addWidget(self._name, 1)
        heading.addWidget(self.vials_button)
        card.body.addLayout(heading)
        card.add(self._next)
        self._queries = QueryStrip(self._office, name="shipment_query")
        card.add(self._queries)
        card.body.addLayout(steps)
        card.body.addLayout(held)
        card.add(self.lot_table)
        card.add(self._pairs)
        card.body.addLayout(papers)
        return card

    def refresh(self) -> None:
        """Ask anew for the shipments; a draft stays as it is."""
        clock, site = self._office.desk.clock, self._office.site

        def question(reader: Reader) -> Listed:
            today = clock().astimezone(zone_of(site)).date()
            return Listed(tuple(reader.shipments()), protocol_of(reader.site() or site, today).storage)

        self._office.ask(question, self._got, self._office.say_trouble)
        self._office.ask(places_in_use, self.receipt.set_places, self._office.say_trouble)

    def open_on(self, what: str) -> None:
        """Show a shipment by its number."""
        self._wanted = what
        self.show_list()
        self.refresh()

    def is_dirty(self) -> bool:
        """Whether a receipt was begun and not recorded."""
        return self.receipt.is_dirty()

    def _got(self, listed: Listed) -> None:
        lines = listed.lines
        self.receipt.set_storage(listed.storage)
        wanted = self._wanted or (self._facts.line.number if self._facts else "")
        self._wanted = ""
        self.shipments.set_rows(lines)
        # As high as the list, up to seven; what is to be done with the chosen one stays in sight.
        self.table.setFixedHeight(ROW_HEIGHT * (min(max(len(lines), 2), 6) + 1) + 16)
        self.table.setVisible(bool(lines))
        self._empty.setVisible(not lines)
        # A chosen shipment stays chosen; else the newest that waits for something, else the newest.
        order = [line for line in lines if line.number == wanted] or [x for x in lines if x.awaiting_release]
        chosen = next(iter([*order, *lines]), None)
        self._card.setVisible(chosen is not None)
        if chosen is not None:
            self.table.selectRow(self.shipments.rows().index(chosen))
            self._choose(chosen)

    def _choose(self, line: ShipmentLine) -> None:
        number = line.number
        self._office.ask(lambda reader: facts_of(reader, number), self._got_facts, self._office.say_trouble)

    def _got_facts(self, facts: ShipmentFacts) -> None:
        current = self.table.current_row()
        if current is not None and current.number != facts.line.number:
            return  # another one was chosen while this was on its way
        if self._facts is None or self._facts.line.number != facts.line.number:
            self._step_act = self._office.act()
        self._facts = facts
        line = facts.line
        self._queries.show_about(f"shipment {line.number}", f"RCV-{line.event_seq}")
        self._name.setText(
            " · ".join(
                part for part in (f"Shipment {line.number}", vials_count(line.vials), unit_ranges(facts.units)) if part
            )
        )
        self._pairs.set_pairs(
            [
                ("Sender", line.sender),
                ("Received", say_at(line.received_at, self._office.site.time_zone)),
                ("Shipped on", say_day(line.shipped_on)),
                ("Received by", line.received_by),
                ("Packing list", line.packing_list),
                ("Logger", _logger_words(line)),
                ("Acknowledged", self._acknowledged_words(line)),
                ("Documents", ", ".join(f"{paper.document_id} {paper.kind}" for paper in facts.documents)),
                *((("Note", line.note),) if line.note else ()),
            ]
        )
        self.lots.set_rows([lot_row(lot) for lot in facts.lots])
        self.lot_table.setFixedHeight(ROW_HEIGHT * (min(max(len(facts.lots), 1), 5) + 1) + 4)
        self._show_next(facts)

    def _show_next(self, facts: ShipmentFacts) -> None:
        """Say the next step and make its button the amber one."""
        unlabelled = len(facts.units) - facts.labelled
        if unlabelled:
            kind, word, text = (
                "info",
                "Next step",
                f"Print the vial labels and put them on: {unlabelled} have none yet.",
            )
        elif facts.clear:
            count = vials_count(len(facts.clear))
            kind, word, text = "info", "Next step", f"Check against the packing list, then release {count} to stock."
            text += f" {_scan_words(facts.unscanned)}" if facts.unscanned else ""
        elif facts.line.logger_state == "not read":
            kind, word, text = "warn", "Held", "Read the logger; until then no vial can be released."
        elif facts.kept_back:
            kind, word, text = (
                "warn",
                "Held",
                "Ask the supporter, and release with the written decision once it is here.",
            )
        elif facts.unscanned:
            kind, word, text = "info", "Next step", _scan_words(facts.unscanned)
        elif facts.line.acknowledged_at is None:
            kind, word, text = (
                "info",
                "Next step",
                "Print the receipt, send it to the supporter, and record that you did.",
            )
        else:
            kind, word, text = "ok", "Done", "All vials are labelled, none waits for release, the supporter was told."
        if facts.kept_back:
            text += f" {vials_count(len(facts.kept_back))} held because {facts.reason}."
        self._next.set_message(kind, text, word=word)
        self.label_button.set_text("&Print vial labels again…" if not unlabelled else "&Print vial labels")
        self.label_button.set_kind("primary" if unlabelled else "secondary")
        self.release_button.set_kind("primary" if facts.clear and not unlabelled else "secondary")
        waits = not unlabelled and not facts.clear and bool(facts.kept_back)
        unread = facts.line.logger_state == "not read"
        tell = facts.line.acknowledged_at is None
        self.logger_button.set_kind("primary" if waits and unread else "secondary")
        self.document_button.set_kind("primary" if waits and not unread else "secondary")
        scans = not unlabelled and not facts.clear and not waits and bool(facts.unscanned)
        self.scan_button.set_kind("primary" if scans else "secondary")
        self.scan_button.setVisible(not unlabelled and bool(facts.unscanned))
        last = tell and not unlabelled and not facts.clear and not waits and not scans
        self.acknowledge_button.set_kind("primary" if last else "secondary")
        self.new_button.set_kind("secondary" if unlabelled or facts.clear or waits or scans or last else "primary")
        self.label_button.setVisible(bool(facts.units))
        self.release_button.setVisible(bool(facts.clear))
        self.logger_button.setVisible(unread)
        self.document_button.setVisible(bool(facts.kept_back))
        self.acknowledge_button.setVisible(tell)
        self.papers_button.setVisible(bool(facts.documents))
        for button, kind in (
            (self.label_button, "paper_printed"),
            (self.release_button, "vials_released"),
            (self.document_button, "quarantine_lifted"),
            (self.logger_button, "logger_read"),
            (self.receipt_button, "record_printed"),
            (self.acknowledge_button, "receipt_acknowledged"),
            (self.attach_button, "document_attached"),
        ):
            button.setEnabled(self._office.may(kind))
            button.setToolTip(self._office.why_not(kind))

    # -- what is done with a shipment

    def _print(self) -> None:
        facts = self._facts
        assert facts is not None
        title = f"Vial labels of shipment {facts.line.number}"
        print_labels_dialog(self._office, "vial", facts.units, title, self)

    def _release(self) -> None:
        facts = self._facts
        assert facts is not None
        number, count = facts.line.number, vials_count(len(facts.clear))
        text = (
            f"{count} of shipment {number} ({unit_ranges(facts.clear)}) become usable stock. You confirm that you "
            "have checked number, lots, expiry and condition against the packing list, and that the logger shows no "
            "alarm."
        )
        if not confirm(self, f"Release {count} to stock?", text, "Release to stock", danger=False):
            return
        desk, act = self._office.desk, self._step_act
        self._hold_steps()
        self._office.do(
            lambda: release_shipment(desk, act, number), self._released, self._step_failed, busy="Releasing to stock"
        )

    def _release_with_document(self) -> None:
        facts = self._facts
        assert facts is not None
        dialog = release_dialog(self._office, facts.kept_back, facts.reason, self)
        dialog.succeeded.connect(self._released)
        dialog.open()

    def _read_logger(self) -> None:
        assert self._facts is not None
        dialog = logger_dialog(self._office, self._facts.line, self)
        dialog.succeeded.connect(self._logger_was_read)
        dialog.open()

    def _logger_was_read(self, event: Event) -> None:
        content = event.content
        said = f"Logger {content['logger']['serial']} read."
        if content["moves"]:
            said += f" {vials_count(len(content['moves']))} went into quarantine."
        if content["opened"]:
            said += f" {vials_count(len(content['opened']))} of it were opened before: tell the supporter."
        self._office.messages.ok(said)
        self._office.changed.emit()

    def _print_receipt(self) -> None:
        assert self._facts is not None
        desk, act, number = self._office.desk, self._step_act, self._facts.line.number
        self._hold_steps()
        self._office.do(
            lambda: print_receipt(desk, act, number),
            self._receipt_printed,
            self._step_failed,
            busy="Printing the receipt",
        )

    def _receipt_printed(self, printed: Printed) -> None:
        self._step_act = self._office.act()
        number = printed.event.content["papers"][0]["about"]
        self._office.changed.emit()
        self._office.show_paper(f"Receipt {number}", f"receipt-{number}.pdf", printed, self)

    def _acknowledge(self) -> None:
        assert self._facts is not None
        dialog = acknowledge_dialog(self._office, self._facts.line, self)
        dialog.succeeded.connect(self._was_acknowledged)
        dialog.open()

    def _was_acknowledged(self, event: Event) -> None:
        content = event.content
        self._office.messages.ok(f"The receipt of {content['shipment']} is recorded as told to {content['to']}.")
        self._office.changed.emit()

    def _attach(self) -> None:
        assert self._facts is not None
        line = self._facts.line
        kinds = [paper.kind for paper in self._facts.documents]
        kind = next((kind for kind in ("packing list", LOGGER_FILE) if kind not in kinds), "")
        dialog = attach_dialog(self._office, self, about=f"shipment {line.number}", kind=kind)
        dialog.succeeded.connect(self._attached)
        dialog.open()

    def _attached(self, event: Event) -> None:
        content = event.content
        self._office.messages.ok(f"“{content['title']}” is attached as document {content['document_id']}.")
        self._office.changed.emit()

    def _see_documents(self) -> None:
        assert self._facts is not None
        self._office.go.emit("ledger", f"shipment {self._facts.line.number}")

    def _acknowledged_words(self, line: ShipmentLine) -> str:
        if line.acknowledged_at is None:
            return "not yet"
        at = say_at(line.acknowledged_at, self._office.site.time_zone)
        return f"{at} to {line.acknowledged_to}, {line.acknowledged_how}"

    def _released(self, event: Event) -> None:
        self._step_act = self._office.act()
        self._office.messages.ok(f"{vials_count(len(event.content['moves']))} released to stock.")
        self._office.changed.emit()

    def _hold_steps(self) -> None:
        for button in (self.label_button, self.release_button, self.document_button, self.receipt_button):
            button.setEnabled(False)

    def _step_failed(self, trouble: Exception) -> None:
        if self._facts is not None:
            self._show_next(self._facts)
        self._office.say_trouble(trouble)

    def _scan_labels(self) -> None:
        self._office.go.emit("labels", SCAN_BACK)

    def _see_vials(self) -> None:
        self._office.go.emit("vials", "")

    # -- the draft

    def _order_tabs(self) -> None:
        QWidget.setTabOrder(self.receipt.add_button, self.receive_button)

    def _make_draft(self) -> QWidget:
        self.receipt = ReceiptForm(self._office.site.places, site_clock(self._office))
        self.receipt.changed.connect(self._summarize)
        self.receipt.scanned.connect(self._take_scan)
        self.receive_button = Button("Receive the &vials", name="receive_do", kind="primary")
        self.receive_button.clicked.connect(self._receive)
        self.receipt.rebuilt.connect(self._order_tabs)
        self._summary = Text("", "muted", wrap=False, name="receive_summary")
        self._after = Text(
            "Each vial gets a number of its own and is held until its label is on and a pharmacist releases it.",
            "small",
        )
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self._after, 1)
        foot.addWidget(self._summary)
        foot.addWidget(self.receive_button)
        view = QWidget()
        column = QVBoxLayout(view)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.receipt)
        column.addLayout(foot)
        self._summarize()
        return view

    def _take_scan(self, block: LotBlock, code: str) -> None:
        """Scans are read one after the other, each against what those before it have filled in."""
        self._scans.append((block, code, block.scan.by_hand))
        self._next_scan()

    def _next_scan(self) -> None:
        if self._scanning is not None or not self._scans:
            return
        block, code, by_hand = self._scans.popleft()
        if block not in self.receipt.blocks:
            self._next_scan()
            return
        self._scanning = block
        desk, lot, separator = self._office.desk, block.typed(), self._office.sends_separator

        def question(reader: Reader) -> LotScanned:
            today = today_of(desk, reader)
            return scan_lot(reader, lot, code, today, by_hand=by_hand, sends_separator=separator)

        self._office.ask(question, self._scan_read, self._scan_refused)

    def _scan_read(self, scanned: LotScanned) -> None:
        block, self._scanning = self._scanning, None
        self._office.heard(separated=scanned.separated)
        if block is not None and block in self.receipt.blocks:
            block.take(scanned.lot, scanned.notes)
        self._next_scan()

    def _scan_refused(self, trouble: Exception) -> None:
        block, self._scanning = self._scanning, None
        if block is not None and block in self.receipt.blocks:
            block.refuse(trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),))
        self._next_scan()

    def begin(self) -> None:
        """Show the form, with the draft kept from before if there is one."""
        if not self._may:
            return
        self._show(draft=True)
        self.receipt.head.field("number").editor().setFocus()

    def show_list(self) -> None:
        """Show the shipments; a draft is kept."""
        self._show(draft=False)
        self.table.setFocus()

    def _show(self, *, draft: bool) -> None:
        self._draft.setVisible(draft)
        self._list.setVisible(not draft)
        self.list_button.setVisible(draft)
        self.new_button.setVisible(not draft)
        dirty = self.receipt.is_dirty()
        self.new_button.set_text("Go on with the &receipt" if dirty else "&Receive a shipment")
        title = "Receive a shipment" if draft else "Receive"
        words = "Copy the packing list. What you type is kept until it is recorded." if draft else self._list_words()
        self.set_title(title, words)
        self.scroll_area.verticalScrollBar().setValue(0)

    def _list_words(self) -> str:
        return " ".join(
            part for part in ("Shipments of study vials.", self._office.why_not("shipment_received")) if part
        )

    def _summarize(self) -> None:
        if hasattr(self, "_summary"):
            self._summary.setText(self.receipt.summary())

    def _receive(self) -> None:
        if not self.receipt.check():
            self._show_focus()
            return
        desk, act, form = self._office.desk, self._act, self.receipt.form()
        self.receive_button.setEnabled(False)
        self._office.do(lambda: receive(desk, act, form), self._received, self._refused, busy="Recording the receipt")

    def _received(self, event: Event) -> None:
        self.receive_button.setEnabled(True)
        self._act = self._office.act()
        self.receipt.clear()
        content = event.content
        units = tuple(vial["unit_number"] for vial in content["vials"])
        self._wanted = content["shipment"]["number"]
        self._office.messages.ok(
            f"Shipment {self._wanted} received: {vials_count(len(units))}, {unit_ranges(units)}. All are held."
            if units
            else f"Shipment {self._wanted} is recorded: no vial of it came."
        )
        self.show_list()
        self._office.changed.emit()

    def _refused(self, trouble: Exception) -> None:
        self.receive_button.setEnabled(True)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.receipt.show_faults(faults)
        self._show_focus()

    def _show_focus(self) -> None:
        """Scroll to the first faulty field, which has the focus."""
        first = self.focusWidget()
        if first is not None:
            self.show_widget(first)


def make_page(office: Office) -> ReceivePage:
    """The page as the window builds it."""
    return ReceivePage(office)
