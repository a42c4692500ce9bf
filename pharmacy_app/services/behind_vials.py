"""What is behind a number of vials: the lines of the ledger whose moves sum to it, summed anew.

The number is asked as the pages ask it; the sum comes from the ledger's lines, never from the number itself.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from pharmacy_app.domain.counts import states_of as counted_states
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import NEVER_RECEIVED, move_table, usable_on
from pharmacy_app.services import behind_parts, views
from pharmacy_app.services.about import lot_name
from pharmacy_app.services.behind_parts import Behind, Part, Sum
from pharmacy_app.services.desk import Desk, today_of
from pharmacy_app.services.ports import LedgerFilter, PastFilter, Reader, VialFilter
from pharmacy_app.services.printing import unit_ranges

ON_SITE = tuple(name for name, state in move_table().states.items() if state.on_site in ("available", "quarantine"))
"""States in which a vial counts to the balance on site."""

EVERY_STATE = tuple(name for name in move_table().states if name != NEVER_RECEIVED)
"""All states of a vial that came, wherever it is now."""

Only = Literal["", "usable", "expired"]

_PAST_LINES = 5_000
"""So many lines of a past moment are read at once."""


@dataclass(frozen=True, slots=True)
class Stock:
    """How many vials of a strength (None: of both), of one lot, place and shipment or of all (''), are in these states.

    ``only``: of the available ones, those past their last day ('expired') or not past it ('usable').
    ``through_line``: after this line of the ledger.
    ``utc``: at that moment, as known then or, with ``known_now``, as known now.
    """

    strength_mg: Decimal | None = None
    lot: str = ""
    place: str = ""
    states: tuple[str, ...] = ("available",)
    only: Only = ""
    through_line: str = ""
    shipment: str = ""
    utc: str = ""
    known_now: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """How many vials a line of the ledger moved, and which. Strength and lot are those of the line."""

    line_id: str
    strength_mg: Decimal
    lot: str


@dataclass(frozen=True, slots=True)
class Received:
    """How many vials of a strength and lot (both: of all) were received, or of one shipment as its receipt says."""

    strength_mg: Decimal | None = None
    lot: str = ""
    shipment: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What the receipt of a shipment says of one lot: vials 'listed', 'counted' or 'damaged'."""

    shipment: str
    strength_mg: Decimal
    lot: str
    which: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What a physical count says of a strength and lot as one kind: 'expected', 'counted' or their 'difference'."""

    number: str
    kind: str
    strength_mg: Decimal
    lot: str
    which: str


def states_of(balance: str) -> tuple[str, ...]:
    """The states that a balance of the ledger counts: 'available' or 'quarantine'."""
    return tuple(name for name, state in move_table().states.items() if state.on_site == balance)


# --- stock --------------------------------------------------------------------------------------------------------


def _of_line(line: views.LedgerLine | views.ChangeLine, change: int, units: tuple[str, ...] | None = None) -> Part:
    about = line.dose_id or line.reference
    words = f"{line.move}, {unit_ranges(line.units if units is None else units)}" + (f", {about}" if about else "")
    return Part(line.event_seq, words, line.done_at, line.recorder, Decimal(change))


def _sign(line: views.LedgerLine, states: Sequence[str]) -> int:
    """Whether a line takes vials out of these states (−1), brings them in (1), or neither (0)."""
    return (line.to_state in states) - (line.from_state in states)


def _lines(reader: Reader, what: Stock) -> Iterator[views.LedgerLine]:
    """The lines that may change the number, in the order of the ledger."""
    if not what.utc:
        yield from reader.whole_ledger(LedgerFilter(strength_mg=what.strength_mg, lot=what.lot, place=what.place))
        return
    wanted = PastFilter(what.utc, what.known_now, what.strength_mg, what.lot)
    lines = (
        line
        for offset in range(0, reader.count_past_ledger(wanted), _PAST_LINES)
        for line in reader.past_ledger(wanted, offset=offset, limit=_PAST_LINES)
        if what.place in ("", line.place)
    )
    if not what.known_now:
        yield from lines
        return
    every = list(lines)
    never = _undone(reader, every)
    for line in every:
        # As known now, a move that was taken back to the letter never happened: neither it nor its undoing changes any.
        yield replace(line, to_state=line.from_state) if line.line_id in never else line


def _undone(reader: Reader, lines: Sequence[views.LedgerLine]) -> set[str]:
    """The lines of moves that were undone to the letter, and of their undoing."""
    undoings = {line.event_seq for line in reader.every_correction() if line.kind == "move_undone"}

    def key(line: views.LedgerLine, seq: int | None, before: str, after: str) -> tuple[object, ...]:
        return seq, line.strength_mg, line.lot, line.place, line.quantity, before, after

    done = {key(line, line.event_seq, line.from_state, line.to_state): line.line_id for line in lines}
    found: set[str] = set()
    for line in lines:
        undone = done.get(key(line, line.corrects_seq, line.to_state, line.from_state))
        if line.event_seq in undoings and undone is not None:
            found |= {line.line_id, undone}
    return found


def stock(desk: Desk, reader: Reader, what: Stock) -> Behind:
    """What is behind a number of vials in some states."""
    if what.utc or what.shipment:
        added = Sum()
        those = _units_of(reader, what.shipment) if what.shipment else None
        for line in _lines(reader, what):
            units = line.units if those is None else tuple(unit for unit in line.units if unit in those)
            if change := _sign(line, what.states) * (line.quantity if those is None else len(units)):
                added.add(_of_line(line, change, units))
            if line.line_id == what.through_line:
                return _stood(desk, reader, what, _said_after(line, what.states), added)
        if what.through_line:
            raise _no_line(what.through_line)
        return _stood(desk, reader, what, _shown(reader, what), added)
    wanted = LedgerFilter(strength_mg=what.strength_mg, lot=what.lot, place=what.place)
    last = _line_of(reader, wanted, what.through_line) if what.through_line else None
    changes = reader.stock_changes(wanted, what.states, newest=behind_parts.MOST_PARTS, through_line=what.through_line)
    number = _said_after(last, what.states) if last is not None else _shown(reader, what)
    return _stood(desk, reader, what, number, _sum_of(changes))


def _line_of(reader: Reader, wanted: LedgerFilter, line_id: str) -> views.LedgerLine:
    line = reader.ledger_line(wanted, line_id)
    if line is None:
        raise _no_line(line_id)
    return line


def _no_line(line_id: str) -> Refused:
    return Refused(Fault("", f"There is no line {line_id} in this ledger."))


def _sum_of(changes: views.Changes) -> Sum:
    """The newest lines as parts, and what the ledger's older ones sum to brought forward."""
    before = Decimal(changes.before)
    added = Sum(now=before, forward=before, left_out=changes.entries_before)
    for line in changes.lines:
        added.add(_of_line(line, line.change))
    return added


def _stood(desk: Desk, reader: Reader, what: Stock, shown: int, added: Sum) -> Behind:
    number, note = Decimal(shown), ""
    if what.only:
        number, note = _by_day(desk, reader, what, added)
    return Behind(_title(what), "vials", number, added.all(), _papers(reader, what), note, added.now)


def _units_of(reader: Reader, shipment: str) -> Collection[str]:
    wanted = VialFilter(shipment_number=shipment)
    count = reader.count_vials(wanted)
    vials = reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=count) if count else ()
    return {vial.unit_number for vial in vials}


def _shown(reader: Reader, what: Stock) -> int:
    """The number as the pages ask for it."""
    if what.utc:
        past = (line for line in reader.past_stock(what.utc) if _is_of(line, what))
        return sum(line.known_now if what.known_now else line.known_then for line in past)
    if what.shipment:
        wanted = (
            VialFilter(what.strength_mg, what.lot, state, what.place, shipment_number=what.shipment)
            for state in what.states
        )
        return sum(reader.count_vials(each) for each in wanted)
    return sum(line.vials for line in reader.stock() if _is_of(line, what))


def _is_of(line: views.StockLine | views.PastStockLine, what: Stock) -> bool:
    return (
        what.strength_mg in (None, line.strength_mg)
        and line.state in what.states
        and what.lot in ("", line.lot)
        and what.place in ("", line.place)
    )


def _title(what: Stock) -> str:
    known = {ON_SITE: "on site, unopened", EVERY_STATE: "in every state"}
    known[tuple(move_table().states)] = "in every state, those that never came too"
    words = what.only or known.get(what.states) or " or ".join(what.states)
    strength = f" of {show(what.strength_mg)} mg" if what.strength_mg is not None else " of every strength"
    where = f", lot {what.lot}" if what.lot else ""
    where += f", shipment {what.shipment}" if what.shipment else ""
    where += f", at {what.place}" if what.place else ""
    where += f", after line {what.through_line}" if what.through_line else ""
    if what.utc:
        where += ", at a past moment as known now" if what.known_now else ", at a past moment as known then"
    return f"Vials{strength}, {words}{where}"


def _papers(reader: Reader, what: Stock) -> tuple[views.DocumentLine, ...]:
    about = [f"lot {what.lot}"] if what.lot else []
    if what.lot and what.strength_mg is not None:
        about.append(lot_name(what.lot, what.strength_mg))
    if what.shipment:
        about.append(f"shipment {what.shipment}")
    return tuple(document for name in about for document in reader.documents(about=name))


def _said_after(line: views.LedgerLine, states: Sequence[str]) -> int:
    """The balance that a ledger line itself says."""
    of = {frozenset(ON_SITE): line.balance_available + line.balance_quarantine}
    for kind, balance in (("available", line.balance_available), ("quarantine", line.balance_quarantine)):
        of[frozenset(states_of(kind))] = balance
    if frozenset(states) not in of:
        raise Refused(Fault("", "A ledger line says the balances of available, quarantine and on site, no other."))
    return of[frozenset(states)]


def _by_day(desk: Desk, reader: Reader, what: Stock, added: Sum) -> tuple[Decimal, str]:
    """Take off the available ones that the calendar puts on the other side: no entry does that."""
    today = today_of(desk, reader)
    number = 0
    other: dict[tuple[Decimal, str, str], int] = {}
    for line in reader.stock():
        if _is_of(line, what):
            usable = usable_on(line.state, line.expires_on, today)
            if usable is (what.only == "usable"):
                number += line.vials
            else:
                words = f"Lot {line.lot}, last day {say_day(line.expires_on)}: {'not ' if usable else ''}expired"
                key = (line.strength_mg, line.lot, words)
                other[key] = other.get(key, 0) + line.vials
    for (_, _, words), vials in other.items():
        added.add(Part(None, words, change=Decimal(-vials)))
    if what.only == "expired":
        return Decimal(number), "Expired means available, and past its last day."
    waiting = sum(
        1
        for vial in reader.unscanned_vials()
        if vial.state == "available"
        and usable_on(vial.state, vial.expires_on, today)
        and what.strength_mg in (None, vial.strength_mg)
        and what.lot in ("", vial.lot)
        and what.place in ("", vial.place)
    )
    note = "Usable means released, not reserved, and not past its last day."
    if waiting:
        are = "1 of them waits" if waiting == 1 else f"{waiting} of them wait"
        note += f" {are} for the scan of the label before going into a dose."
    return Decimal(number), note


# --- lines and receipts -------------------------------------------------------------------------------------------


def line_vials(reader: Reader, what: Line) -> Behind:
    """The vials that a line of the ledger names, against the number it says."""
    line = _line_of(reader, LedgerFilter(strength_mg=what.strength_mg, lot=what.lot), what.line_id)
    parts = Sum()
    parts.add(_of_line(line, len(line.units)))
    about = [line.dose_id] if line.dose_id else []
    documents = tuple(document for name in about for document in reader.documents(about=name))
    title = f"Vials of ledger line {line.line_id}: {line.move}"
    return Behind(title, "vials", Decimal(line.quantity), parts.all(), documents, total=parts.now)


def received(reader: Reader, what: Received) -> Behind:
    """What was received: what came from outside, less what a correction says never came."""
    if what.shipment:
        return _of_shipment(reader, what.shipment)
    wanted = LedgerFilter(strength_mg=what.strength_mg, lot=what.lot)
    added = _sum_of(reader.receipt_changes(wanted, newest=behind_parts.MOST_PARTS))
    strength = f" of {show(what.strength_mg)} mg" if what.strength_mg is not None else ""
    title = f"Vials{strength} received" + (f", lot {what.lot}" if what.lot else "")
    documents = _papers(reader, Stock(what.strength_mg, what.lot))
    return Behind(title, "vials", Decimal(reader.received(wanted)), added.all(), documents, total=added.now)


def _of_shipment(reader: Reader, number: str) -> Behind:
    shipment = reader.shipment(number)
    if shipment is None:
        raise Refused(Fault("", f"There is no shipment {number}."))
    added, corrections = Sum(), []
    for line in reader.entry_lines(shipment.event_seq):
        if line.event_seq == shipment.event_seq:
            added.add(_of_line(line, line.quantity))
        else:
            corrections.append(replace(_of_line(line, 0), change=None))
    documents = tuple(reader.documents(about=f"shipment {shipment.number}"))
    note = "As the receipt says. What was corrected later is listed beneath it." if corrections else ""
    title = f"Vials of shipment {shipment.number}"
    parts = (*added.all(), *corrections)
    return Behind(title, "vials", Decimal(shipment.vials), parts, documents, note, added.now)


def found(reader: Reader, what: Found) -> Behind:
    """What the receipt says of a lot: counted is summed from the ledger's lines, the others from the entry."""
    shipment = reader.shipment(what.shipment)
    lots = () if shipment is None else reader.shipment_lots(shipment.number)
    mine = [lot for lot in lots if (lot.strength_mg, lot.lot) == (what.strength_mg, what.lot)]
    if shipment is None or not mine:
        raise Refused(Fault("", f"Shipment {what.shipment} has no lot {what.lot}."))
    said = {name: [getattr(lot, name) for lot in mine] for name in ("listed", "counted", "damaged")}[what.which]
    number = None if None in said else Decimal(sum(said))
    added = Sum()
    if what.which == "counted":
        for line in reader.entry_lines(shipment.event_seq):
            of_lot = (line.strength_mg, line.lot) == (what.strength_mg, what.lot)
            if line.event_seq == shipment.event_seq and of_lot:
                added.add(_of_line(line, line.quantity))
    elif number:
        words = "Vials that the packing list names" if what.which == "listed" else "Vials found damaged"
        added.add(Part(shipment.event_seq, words, change=_said_at_receipt(reader, shipment.event_seq, what)))
    note = "" if number is not None else "The receipt does not say it."
    documents = tuple(reader.documents(about=f"shipment {shipment.number}"))
    title = f"Vials {what.which} of lot {what.lot}, {show(what.strength_mg)} mg, shipment {shipment.number}"
    return Behind(title, "vials", number, added.all(), documents, note, added.now)


def _said_at_receipt(reader: Reader, seq: int, what: Found) -> Decimal:
    """What the entry of the receipt itself has."""
    event = reader.event(seq)
    lots = event.content.get("lots", ()) if event is not None else ()
    mine = [lot for lot in lots if Decimal(lot["strength_mg"]) == what.strength_mg and lot["lot"] == what.lot]
    return Decimal(sum(lot["listed"] if what.which == "listed" else len(lot["damaged_units"]) for lot in mine))


# --- counts -------------------------------------------------------------------------------------------------------


def counted(reader: Reader, what: Counted) -> Behind:
    """What a count says: the expected number is summed from the ledger as it was before the count's entry."""
    count = reader.stock_count(what.number)
    if count is None:
        raise Refused(Fault("", f"There is no count {what.number}."))
    key = (what.kind, what.strength_mg, what.lot)
    lines = [line for line in count.lines if (line.kind, line.strength_mg, line.lot) == key]
    if not lines:
        raise Refused(Fault("", f"Count {what.number} has no lot {what.lot}."))
    before = Sum()
    for line in reader.whole_ledger(LedgerFilter(strength_mg=what.strength_mg, lot=what.lot, place=count.place)):
        change = _sign(line, counted_states(what.kind)) * line.quantity
        if change and line.event_seq < count.event_seq:
            before.add(_of_line(line, change))
    on_shelf = Decimal(sum(line.counted for line in lines))
    lay_there = Part(count.event_seq, f"Counted at {count.place}, handed in as {count.number}", change=on_shelf)
    added = Sum()
    if what.which == "expected":
        number, added = sum(line.expected for line in lines), before
    elif what.which == "counted":
        number = int(on_shelf)
        added.add(lay_there)
    else:
        number = sum(line.difference for line in lines)
        added.add(Part(None, "Expected by the ledger before the count", change=-before.now))
        added.add(lay_there)
    lot = f"{what.kind} of lot {what.lot}, {show(what.strength_mg)} mg"
    title = f"{what.which.capitalize()} in count {count.number}: {lot}"
    names = [count.number, *([count.discrepancy] if count.discrepancy else [])]
    documents = tuple(document for name in names for document in reader.documents(about=name))
    note = f"The difference was opened as discrepancy {count.discrepancy}." if count.discrepancy else ""
    return Behind(title, "vials", Decimal(number), added.all(), documents, note, added.now)
