"""Vials: the stock by strength and lot, every vial by number, and one vial's whole life."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.expiry import EXPIRED_STATE, ExpiringLot, expiring_lots, stock_state
from pharmacy_app.domain.vials import STRENGTHS_MG, Vial, move_table
from pharmacy_app.services.about import lot_name
from pharmacy_app.services.behind import ON_SITE, Only, Stock, Thing
from pharmacy_app.services.desk import Desk, today_of
from pharmacy_app.services.ports import Reader, VialFilter
from pharmacy_app.services.scanning import find_vial
from pharmacy_app.services.views import StockLine
from ui.office import Office
from ui.pages.figure import Figure, Leads, lead_rows, named
from ui.pages.print_labels import print_labels_dialog
from ui.pages.stock_life import Life, VialLifeDialog, life_of
from ui.pages.stock_parts import (
    ANY,
    STATES,
    FilterBar,
    TippedPages,
    TippedRows,
    fill_height,
    hide_empty_columns,
    place_words,
    quarantine_dialog,
    say_mg,
    state_tone,
    state_words,
    vials_count,
)
from ui.pages.storage_permission import release_dialog
from ui.pages.vial_moves import MAX_CHOSEN, MovePanel
from ui.pages.vial_moves_form import MOVE_KINDS
from ui.pages.vial_moves_table import MovesView
from ui.pages.vials_expiry import ExpiryDialog, RelabelDialog
from ui.theme import SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, ScanField, TextField
from ui.widgets.panels import Banner, Page, Tabs
from ui.widgets.tables import Column, DataTable, PageRequest, PageResult

TITLE = "Vials"
SUBTITLE = "What is usable, what is on hand, and where every vial is."

MOVES = "To another place, broken, missing, found, back from a subject, returned, transferred, destroyed."
"""What the panel that moves vials is for."""

LABELS_TO_RENEW = "labels to renew"
"""Opens the list of vials whose lot was extended and whose labels are still the old ones."""


STATES_OF = {
    "reserved": ("reserved",),
    "held": ("held",),
    "quarantined": ("quarantined",),
    "opened": ("opened",),
    "used": ("empty", "partial", "returned by subject"),
    "broken": ("broken",),
    "missing": ("missing", "lost"),
    "gone": ("returned", "transferred", "destroyed"),
}
"""The states that a number of a lot counts."""


@dataclass(frozen=True, slots=True)
class LotStock:
    """The vials of one strength, lot and place, counted by what may be done with them on a day."""

    strength_mg: Decimal
    lot: str
    expires_on: date
    place: str
    usable: int
    expired: int
    reserved: int
    held: int
    quarantined: int
    opened: int
    used: int
    broken: int = 0
    missing: int = 0
    gone: int = 0

    @property
    def on_hand(self) -> int:
        """Unopened vials in the pharmacy, usable or not."""
        return self.usable + self.expired + self.reserved + self.held + self.quarantined


def lots_of(stock: Sequence[StockLine], day: date) -> list[LotStock]:
    """The stock as one line a strength, lot and place. Usable: available and not past its last day on ``day``."""
    counted: dict[tuple[Decimal, date, str, str], dict[str, int]] = {}
    for line in stock:
        state = stock_state(line.state, line.expires_on, day)
        states = counted.setdefault((line.strength_mg, line.expires_on, line.lot, line.place), {})
        states[state] = states.get(state, 0) + line.vials
    return [
        LotStock(
            strength,
            lot,
            expires_on,
            place,
            usable=states.get("available", 0),
            expired=states.get("expired", 0),
            **{key: sum(states.get(state, 0) for state in counted) for key, counted in STATES_OF.items()},
        )
        for (strength, expires_on, lot, place), states in sorted(counted.items())
    ]


@dataclass(frozen=True, slots=True)
class _StockNow:
    """The stock by lot as of a day, the names of all lots, and the lots that expire soon or have expired."""

    day: date
    stock: list[LotStock]
    lots: list[str]
    expiring: tuple[ExpiringLot, ...]


def _stock_now(desk: Desk, reader: Reader) -> _StockNow:
    lots = list(dict.fromkeys(lot for _, lot, _ in reader.lots()))
    stock, day = reader.stock(), today_of(desk, reader)
    return _StockNow(day, lots_of(stock, day), lots, expiring_lots(stock, day))


class _StrengthCard(QFrame):
    """Usable vials of one strength in large, and what is on hand beside them."""

    def __init__(self, office: Office, strength_mg: Decimal) -> None:
        super().__init__()
        name = f"stock_{strength_mg}mg"
        self.setObjectName(name)
        self.setProperty("panel", "card")
        self._strength = strength_mg
        behind = Stock(strength_mg, only="usable")
        caption = f"Usable {say_mg(strength_mg)} vials"
        self._usable = Figure(office, caption, "–", behind, name=f"{name}_usable")
        self._hand = Text("", "small", name=f"{name}_on_hand")
        words = QVBoxLayout()
        words.setSpacing(SPACE_XS)
        words.addWidget(Text(f"usable {say_mg(strength_mg)} vials", "strong"))
        words.addWidget(self._hand, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_S)
        row.setSpacing(SPACE_M)
        row.addWidget(self._usable)
        row.addLayout(words, 1)

    def show_stock(self, lots: Sequence[LotStock]) -> None:
        """Count the card's strength."""
        mine = [lot for lot in lots if lot.strength_mg == self._strength]
        usable, on_hand = sum(lot.usable for lot in mine), sum(lot.on_hand for lot in mine)
        self._usable.set_shown(str(usable))
        parts = [
            f"{count} {words}"
            for words, count in (
                ("reserved", sum(lot.reserved for lot in mine)),
                ("held", sum(lot.held for lot in mine)),
                ("quarantined", sum(lot.quarantined for lot in mine)),
                ("expired", sum(lot.expired for lot in mine)),
            )
            if count
        ]
        hand = f"{on_hand} unopened on hand" + (f", of these {', '.join(parts)}" if parts else "")
        earliest = min((lot.expires_on for lot in mine if lot.usable), default=None)
        self._hand.setText(hand + "." + (f"\nEarliest expiry {say_day(earliest)}." if earliest else ""))


def _none_as_dash(count: int) -> str:
    return str(count) if count else "–"


def _count_column(key: str, header: str, tone: str = "") -> Column:
    return Column(
        key, header, numeric=True, write=_none_as_dash, tone=lambda row: tone if tone and getattr(row, key) else ""
    )


_STOCK_COLUMNS = (
    Column("strength_mg", "Strength", numeric=True, write=say_mg),
    Column("lot", "Lot", width=116),
    Column("expires_on", "Last day", write=say_day, width=116, tone=lambda row: "stop" if row.expired else ""),
    _count_column("usable", "Usable", "ok"),
    Column("on_hand", "On hand", numeric=True),
    _count_column("reserved", "Reserved"),
    _count_column("held", "Held", "warn"),
    _count_column("quarantined", "Quarantined", "stop"),
    _count_column("expired", "Expired", "stop"),
    _count_column("opened", "Opened"),
    _count_column("used", "Used up"),
    _count_column("broken", "Broken", "warn"),
    _count_column("missing", "Missing", "stop"),
    _count_column("gone", "Left"),
    Column("place", "Place", width=124),
)


def _behind(key: str) -> Leads:
    """What is behind a number of a lot."""
    states = {**STATES_OF, "on_hand": ON_SITE}.get(key, ("available",))
    only: Only = "usable" if key == "usable" else "expired" if key == "expired" else ""
    return lambda row: Stock(row.strength_mg, row.lot, row.place, states, only)


_BEHIND = {key: _behind(key) for key in ("usable", "expired", "on_hand", *STATES_OF)}

STATE_COLUMNS = ("reserved", "held", "quarantined", "expired", "opened", "used", "broken", "missing", "gone")
"""Columns shown only while a lot has such vials, so that the table needs no scrolling sideways."""


@dataclass(frozen=True, slots=True)
class _VialRow:
    """A vial in the table, with its state in words as of a day."""

    vial: Vial
    day: date

    def __getattr__(self, name: str) -> object:
        return getattr(self.vial, name)

    @property
    def summed_as(self) -> str:
        """The word under which it is counted: what is available and past its last day has expired."""
        return stock_state(self.vial.state, self.vial.expires_on, self.day)

    @property
    def state(self) -> str:
        if self.summed_as == EXPIRED_STATE:
            return f"{EXPIRED_STATE}: return or transfer"
        return state_words(self.vial) + (", accounted for" if self.vial.accounted_by else "")

    @property
    def place(self) -> str:
        return place_words(self.vial)


_VIAL_COLUMNS = (
    Column("unit_number", "Unit no.", width=112),
    Column("strength_mg", "Strength", numeric=True, write=say_mg),
    Column("lot", "Lot", width=116),
    Column("expires_on", "Last day", write=say_day, width=116),
    Column("state", "State", width=180, stretch=True, tone=lambda row: state_tone(row.summed_as)),
    Column("place", "Place", width=124),
    Column("kit_number", "Kit", width=110, write=lambda text: text or "–"),
)


class VialsPage(Page):
    """Stock and vials; opens on a unit number."""

    def __init__(self, office: Office) -> None:
        super().__init__(TITLE, SUBTITLE, name="vials_page", max_width=None)
        self._office = office
        self._total = 0
        self.scan = ScanField("vial_scan", "&Find a vial", hint="Scan or type a number, then Enter.")
        self.scan.scanned.connect(self.find_scanned)
        self._cards = [_StrengthCard(office, strength) for strength in STRENGTHS_MG]
        self._top = QWidget()
        row = QHBoxLayout(self._top)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_M)
        row.addWidget(self.scan, 1)
        for card in self._cards:
            row.addWidget(card, 1)
        self.add(self._top)
        self.expiry = Banner("info", "", word="Expiry", name="vials_expiry")
        self.expiry.hide()
        self.add(self.expiry)
        self.moving = MovePanel(office)
        self.moving.hide()
        self.moving.closed.connect(self._show_vials)
        self.moving.look_at.connect(self._look_at)
        self.views = Tabs(
            [
                ("Every vial", self._make_vials()),
                ("Stock by lot", self._make_stock()),
                ("How vials move", MovesView()),
            ],
            name="vials_views",
        )
        self.views.add_corner(self._count)
        self.views.chosen.connect(self._offer)
        self.add(self.views, 1)
        self.add(self.moving)
        self._offer()

    # -- parts

    def _make_vials(self) -> QWidget:
        self.strength = ChoiceField(
            "vial_strength", "S&trength", [(ANY, "All strengths"), *((str(s), say_mg(s)) for s in STRENGTHS_MG)]
        )
        self.state = ChoiceField("vial_state", "St&ate", [(ANY, "All states"), *((s, s) for s in STATES)])
        # The longest state must not make the page wider than the window.
        self.state.editor().setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.state.editor().setMinimumContentsLength(8)
        self.lot = ChoiceField("vial_lot", "&Lot", [(ANY, "All lots")])
        self.text = TextField("vial_text", "Unit, kit, lot or dose &number", max_length=40)
        for choice in (self.strength, self.state, self.lot):
            choice.set_value(ANY)
        bar = FilterBar(((self.strength, 2), (self.state, 2), (self.lot, 2), (self.text, 3)), name="vials_filter")
        bar.changed.connect(self._filter)
        self.vials = TippedPages(_VIAL_COLUMNS, self._office.bridge, self._fetch, parent=self)
        self.vials.loaded.connect(self._loaded)
        self.table = DataTable(
            self.vials,
            name="vials_table",
            label="Vials",
            empty_text="No vial fits. Choose “All” above, or receive a shipment first.",
        )
        self.table.tab_chooses = True
        lead_rows(self._office, self.table, thing=named("unit_number"))
        fill_height(self.table, 184)
        self.table.row_activated.connect(self._open_row)
        self.table.selectionModel().selectionChanged.connect(self._offer)
        self._count = Text("", "muted", name="vials_count")
        self._count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.open_button = Button("&Open", name="vials_open")
        self.label_button = Button("&Print labels…", name="vials_labels", icon="print")
        self.document_button = Button("&Release with document…", name="vials_release")
        self.quarantine_button = Button("&Quarantine…", name="vials_quarantine", kind="danger")
        self.move_button = Button("&Move…", name="vials_move")
        self.open_button.clicked.connect(self._open_current)
        self.label_button.clicked.connect(self._print)
        self.document_button.clicked.connect(self._release)
        self.quarantine_button.clicked.connect(self._quarantine)
        self.move_button.clicked.connect(self._move)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addStretch(1)
        for button in (
            self.open_button,
            self.label_button,
            self.document_button,
            self.quarantine_button,
            self.move_button,
        ):
            foot.addWidget(button)
        view = QWidget()
        column = QVBoxLayout(view)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(bar)
        column.addWidget(self.table, 1)
        column.addLayout(foot)
        return view

    def _make_stock(self) -> QWidget:
        self.stock = TippedRows(_STOCK_COLUMNS)
        self.stock_table = DataTable(
            self.stock,
            name="stock_table",
            label="Stock by lot",
            empty_text="There is no vial yet. Receive the first shipment under Receive.",
            sortable=False,
        )
        self.stock_table.tab_chooses = True
        lead_rows(self._office, self.stock_table, _BEHIND, thing=lambda row: Thing(lot_name(row.lot, row.strength_mg)))
        fill_height(self.stock_table, 240)
        self.stock_table.row_activated.connect(self._open_lot)
        self.stock_table.selectionModel().selectionChanged.connect(self._offer_lot)
        self.extend_button = Button("E&xtend the expiry…", name="stock_extend")
        self.extend_button.clicked.connect(self._extend)
        self.relabel_button = Button("La&bels to renew…", name="stock_relabel", icon="print")
        self.relabel_button.clicked.connect(self.show_labels_to_renew)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addStretch(1)
        foot.addWidget(self.relabel_button)
        foot.addWidget(self.extend_button)
        view = QWidget()
        column = QVBoxLayout(view)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.stock_table, 1)
        column.addLayout(foot)
        self._offer_lot()
        column.addWidget(
            Text(
                "On hand = usable + reserved + held + quarantined + expired, all unopened. Usable: released and not "
                "past its last day. Used up: empty or partial containers, also those that came back. Left: returned, "
                "transferred or destroyed. Enter on a line shows its vials; Ctrl+B shows what is behind a number.",
                "small",
            )
        )
        return view

    # -- reading

    def refresh(self) -> None:
        """Ask anew for stock and vials."""
        desk = self._office.desk
        self._office.ask(lambda reader: _stock_now(desk, reader), self._got_stock, self._office.say_trouble)
        self.vials.reload()
        if not self.moving.isHidden():
            self.moving.refresh()

    def is_dirty(self) -> bool:
        """Whether a move is half described."""
        return self.moving.is_dirty()

    def open_on(self, what: str) -> None:
        """Open a vial by its unit number, kit number or scanned label; 'lot …' shows the vials of that lot."""
        if what.startswith("lot "):
            self._show_lot(what.removeprefix("lot ").partition(",")[0])
            return
        if what == LABELS_TO_RENEW:
            self.show_labels_to_renew()
            return
        self._find(what, by_hand=False)

    def find_scanned(self, what: str) -> None:
        """Open the vial that was scanned or typed in the field for it."""
        self._find(what, by_hand=self.scan.by_hand)

    def _find(self, what: str, *, by_hand: bool) -> None:
        desk, separator = self._office.desk, self._office.sends_separator

        def question(reader: Reader) -> Life:
            vial = find_vial(reader, what, today_of(desk, reader), by_hand=by_hand, sends_separator=separator)
            return life_of(reader, vial.unit_number)

        self._office.ask(question, self._got_life, self._lost)

    def _show_lot(self, lot: str) -> None:
        if not self.moving.isHidden():
            return
        for choice in (self.strength, self.state, self.lot):
            choice.set_value(ANY)
        self.text.set_value(lot)
        self.views.set_current(0)
        self.table.setFocus()

    def _got_stock(self, now: _StockNow) -> None:
        stock, lots = now.stock, now.lots
        self.stock.set_rows(stock)
        kinds = {lot.kind for lot in now.expiring}
        kind = next((kind for kind in ("stop", "warn") if kind in kinds), "info")
        self.expiry.set_message(kind, "\n".join(lot.line(now.day) for lot in now.expiring), word="Expiry")
        self.expiry.setVisible(bool(now.expiring) and self.moving.isHidden())
        hide_empty_columns(self.stock_table, STATE_COLUMNS)
        for card in self._cards:
            card.show_stock(stock)
        self.lot.set_choices([(ANY, "All lots"), *((lot, lot) for lot in lots)])

    def _got_life(self, life: Life) -> None:
        dialog = VialLifeDialog(self._office, life, self)
        dialog.move_wanted.connect(self.begin_move)
        dialog.open()

    def _lost(self, trouble: Exception) -> None:
        if isinstance(trouble, Refused):
            self.scan.set_fault(trouble.faults[0].sentence)
            self.scan.editor().setFocus()
        else:
            self._office.say_trouble(trouble)

    def _wanted(self) -> VialFilter:
        strength, state, lot = (field.value() for field in (self.strength, self.state, self.lot))
        return VialFilter(
            strength_mg=Decimal(strength) if strength not in (ANY, "") else None,
            lot="" if lot == ANY else lot,
            state="" if state == ANY else state,
            text=self.text.value(),
        )

    def _filter(self) -> None:
        self.vials.set_filter(self._wanted())

    def _fetch(self, request: PageRequest) -> PageResult:
        """In the database thread: one page of vials."""
        wanted = request.filter or VialFilter()
        with self._office.desk.store.read() as reader:
            rows = reader.vials(
                wanted,
                sort=request.sort or "unit_number",
                descending=request.descending,
                offset=request.offset,
                limit=request.limit,
            )
            today = today_of(self._office.desk, reader)
            return PageResult(tuple(_VialRow(vial, today) for vial in rows), reader.count_vials(wanted))

    def _loaded(self, total: int) -> None:
        self._total = total
        self._offer()

    # -- acts on chosen vials

    def _chosen(self) -> tuple[Vial, ...]:
        return tuple(row.vial for row in self.table.selected_rows())

    def _offer(self) -> None:
        """Enable what can be done with the chosen vials, and say why the rest cannot."""
        chosen = self._chosen()
        rows = len(self.table.selectionModel().selectedRows())
        states = {vial.state for vial in chosen}
        why = ""
        if not chosen:
            why = "Choose one or several to print or move them."
        elif rows != len(chosen) or rows > MAX_CHOSEN:
            why = f"{rows} vials are chosen, too many at once. Choose one lot above, then again."
        may_not = self._office.why_not("paper_printed")
        self._count.setText(f"{vials_count(self._total)}. {may_not or why or f'{len(chosen)} chosen.'}")
        self.open_button.setEnabled(len(chosen) == 1)
        # Nothing need be chosen: the vials can be scanned one by one.
        too_many = why if chosen else ""
        no_move = "" if any(self._office.may(kind.act) for kind in MOVE_KINDS) else self._office.why_not("vials_broken")
        self.move_button.setEnabled(not (no_move or too_many))
        self.move_button.setToolTip(no_move or too_many or MOVES)
        movable = states <= set(move_table().moves["quarantine"].from_states)
        for button, kind, possible, needs in (
            (self.label_button, "paper_printed", True, ""),
            (
                self.document_button,
                "quarantine_lifted",
                bool(states) and states <= {"held", "quarantined"},
                "Choose held or quarantined vials only.",
            ),
            (
                self.quarantine_button,
                "vials_quarantined",
                movable,
                "Only held and available vials are quarantined. Cancel the dose of a reserved one first.",
            ),
        ):
            reason = self._office.why_not(kind) or why or ("" if possible else needs)
            button.setEnabled(not reason)
            button.setToolTip(reason)

    def _open_row(self, row: _VialRow) -> None:
        self.open_on(row.vial.unit_number)

    def _open_current(self) -> None:
        self._open_row(self.table.selected_rows()[0])

    def _open_lot(self, row: LotStock) -> None:
        self.lot.set_value(row.lot)
        self.strength.set_value(str(row.strength_mg))
        self.state.set_value(ANY)
        self.text.set_value("")
        self.views.set_current(0)
        self.table.setFocus()

    def _offer_lot(self) -> None:
        chosen = self.stock_table.selected_rows()
        why = self._office.why_not("expiry_extended")
        if not why and len({(row.strength_mg, row.lot) for row in chosen}) != 1:
            why = "Choose one lot."
        self.extend_button.setEnabled(not why)
        self.extend_button.setToolTip(why)

    def _extend(self) -> None:
        row = self.stock_table.selected_rows()[0]
        dialog = ExpiryDialog(self._office, row.strength_mg, row.lot, row.expires_on, self)
        dialog.succeeded.connect(self._extended)
        dialog.open()

    def _extended(self, event: Event) -> None:
        content = event.content
        until = say_day(date.fromisoformat(content["new_on"]))
        self._office.messages.ok(f"Lot {content['lot']} counts through {until} now (event {event.seq}).")
        self._office.changed.emit()
        self._office.ask(_to_relabel, self._got_new_labels, self._office.say_trouble)

    def show_labels_to_renew(self) -> None:
        """List the vials whose labels have the date from before an extension."""
        self._office.ask(_to_relabel, self._got_labels, self._office.say_trouble)

    def _got_new_labels(self, vials: tuple[Vial, ...]) -> None:
        if vials:
            self._got_labels(vials)

    def _got_labels(self, vials: tuple[Vial, ...]) -> None:
        dialog = RelabelDialog(self._office, vials, self)
        dialog.labels_wanted.connect(self._print_labels)
        dialog.open()

    def _quarantine(self) -> None:
        dialog = quarantine_dialog(self._office, tuple(vial.unit_number for vial in self._chosen()), self)
        dialog.succeeded.connect(self._moved)
        dialog.open()

    def begin_move(self, unit_numbers: tuple[str, ...]) -> None:
        """Open the panel that moves vials, with these on its list."""
        self._top.hide()
        self.expiry.hide()
        self.views.hide()
        self.set_title("Move vials", MOVES)
        self.moving.show()
        self.moving.begin(unit_numbers)

    def _move(self) -> None:
        self.begin_move(tuple(vial.unit_number for vial in self._chosen()))

    def _show_vials(self) -> None:
        self.moving.hide()
        self.set_title(TITLE, SUBTITLE)
        self._top.show()
        self.expiry.setVisible(bool(self.expiry.text()))
        self.views.show()
        self.table.setFocus()

    def _look_at(self, widget: QWidget) -> None:
        """Scroll to what the panel wants seen; of what is higher than the window, its beginning."""
        if widget.height() < self.scroll_area.viewport().height():
            self.show_widget(widget)
        else:
            top = widget.mapTo(self.content, QPoint(0, 0)).y()
            self.scroll_area.verticalScrollBar().setValue(top - SPACE_S)

    def _release(self) -> None:
        chosen = self._chosen()
        because = "; ".join(dict.fromkeys(vial.hold_reason for vial in chosen if vial.hold_reason))
        dialog = release_dialog(self._office, tuple(vial.unit_number for vial in chosen), because, self)
        dialog.succeeded.connect(self._moved)
        dialog.open()

    def _moved(self, _event: object) -> None:
        self._office.messages.ok("The move was recorded in the ledger.")
        self._office.changed.emit()

    def _print(self) -> None:
        self._print_labels(tuple(vial.unit_number for vial in self._chosen()))

    def _print_labels(self, units: tuple[str, ...]) -> None:
        title = f"Vial label {units[0]}" if len(units) == 1 else f"{len(units)} vial labels"
        print_labels_dialog(self._office, "vial", units, title, self)


def _to_relabel(reader: Reader) -> tuple[Vial, ...]:
    return tuple(reader.to_relabel())


def make_page(office: Office) -> VialsPage:
    """The page as the window builds it."""
    return VialsPage(office)
