"""A packing list held against what lay in the box: listed, counted, damaged and extra vials, kit numbers and ranges."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused, refuse_any
from pharmacy_app.domain.scans import Facts, Scan, merge
from pharmacy_app.domain.vials import STRENGTHS_MG, Vial, read_expiry
from pharmacy_app.services.expiry import printed_expiry
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.scanning import bare, kits_alike, kits_alike_words, own_number, read_code, why_no_kit

MAX_VIALS_A_LOT = 500
"""More vials of one lot in one shipment than this is taken for a slip of the keyboard."""

CONDITIONS = ("intact", "damaged")

_NO_KITS: tuple[str, ...] = ()
_NOWHERE: frozenset[int] = frozenset()
_KIT_RANGE = re.compile(r"(\S+)\s*(?:\s+to\s+|–|\.\.|\s-\s)\s*(\S+)", re.IGNORECASE)
_KIT_PARTS = re.compile(r"(.*?)([0-9]+)")


@dataclass(frozen=True, slots=True)
class LotTyped:
    """One lot of the packing list as typed.

    ``count`` is what lay in the box, ``listed`` what the list says ('': the same). ``kit_numbers`` is empty, or names
    each vial that was counted, alone or as a range (``K001 to K010``). Of a damaged lot ``damaged`` says how many and
    ``damaged_kits`` which; with neither all of it is. ``extra_kits`` names the vials that the list does not have.
    """

    strength_mg: str
    lot: str
    expiry: str
    count: str
    kit_numbers: tuple[str, ...] = ()
    condition: str = "intact"
    condition_note: str = ""
    listed: str = ""
    difference_note: str = ""
    damaged: str = ""
    damaged_kits: tuple[str, ...] = ()
    extra_kits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot as it was found: which of its places, counted from 0, are damaged or not on the packing list."""

    strength_mg: Decimal
    lot: str
    expires_on: date
    listed: int
    counted: int
    kit_numbers: tuple[str, ...]
    damaged: frozenset[int]
    extra: frozenset[int]
    condition_note: str
    difference_note: str
    hold_reason: str
    expiry_note: str = ""
    kits_note: str = ""

    def reason(self, index: int) -> str:
        """Why the vial of this place in the lot is held, whatever the logger shows."""
        return "; ".join(
            part
            for part in (
                f"damaged on arrival ({self.condition_note})" if index in self.damaged else "",
                f"not on the packing list ({self.listed} listed, {self.counted} counted)"
                if index in self.extra
                else "",
                self.hold_reason,
            )
            if part
        )

    def words(self) -> str:
        """What was found of the lot, for the line of the shipment."""
        return f"{self._came()}; {self.kits_note}" if self.kits_note else self._came()

    def _came(self) -> str:
        if self.listed == self.counted and not self.damaged:
            return f"lot {self.lot} intact"
        parts = [f"lot {self.lot}: {self.listed} listed, {self.counted} counted"]
        if self.difference_note:
            parts.append(f"({self.difference_note})")
        if self.damaged:
            parts.append(f"{len(self.damaged)} damaged ({self.condition_note})")
        return " ".join(parts)


def read_lots(reading: Reading, reader: Reader, lots: Sequence[LotTyped], received_on: date) -> list[Lot]:
    """The lots of a packing list with all their faults; fields are named ``lots.0.expiry`` and so on."""
    if not lots:
        reading.fault("lots", "The packing list has no lot yet. Add at least one.")
    known = {(strength, lot): expires_on for strength, lot, expires_on in reader.lots()}
    kits: set[str] = set()
    return [
        _read_lot(reading, reader, typed, f"lots.{index}.", known, kits, received_on)
        for index, typed in enumerate(lots)
    ]


def _read_lot(
    reading: Reading,
    reader: Reader,
    typed: LotTyped,
    at: str,
    known: dict[tuple[Decimal, str], date],
    kits: set[str],
    received_on: date,
) -> Lot:
    """One lot; ``known`` expiries and ``kits`` grow with it, so that the next lot is held to them."""
    strength = reading.decimal(typed.strength_mg, at + "strength_mg", "The strength", "mg")
    if strength not in STRENGTHS_MG:
        reading.fault(at + "strength_mg", "The study has vials of 1 mg and 4 mg only.", "R50", "8.1.1")
    # 1.0 mg is the 1 mg vial: one strength has one way of being written.
    strength = next((known_mg for known_mg in STRENGTHS_MG if known_mg == strength), strength)
    lot = reading.number(typed.lot, at + "lot", "The lot", longest=20).upper()
    expires_on, extended = printed_expiry(reader, strength, lot, reading.expiry(typed.expiry, at + "expiry"))
    listed = (
        reading.count(typed.listed, at + "listed", "The number on the packing list", low=0, high=MAX_VIALS_A_LOT)
        if typed.listed.strip()
        else None
    )
    # A lot of the list may have stayed away whole; without a list something must have been counted.
    counted = reading.count(
        typed.count, at + "count", "The number of vials", low=0 if listed else 1, high=MAX_VIALS_A_LOT
    )
    listed = counted if listed is None else listed
    difference = reading.note(typed.difference_note, at + "difference_note", "The note", longest=200)
    if listed != counted and not difference and reading.was_read(at + "count", at + "listed"):
        reading.fault(
            at + "difference_note",
            f"The packing list says {listed}, counted were {counted}. Say what is known of the difference, for example"
            " “carton sealed, supporter telephoned”.",
        )
    condition = reading.choice(typed.condition, at + "condition", "The condition", CONDITIONS)
    note = reading.note(typed.condition_note, at + "condition_note", "The note on the condition", longest=200)
    if condition == "damaged" and not note:
        reading.fault(at + "condition_note", "Say what is damaged, for example “carton crushed, 2 vials cracked”.")
    before = known.setdefault((strength, lot), expires_on)
    if lot and before != expires_on:
        reading.fault(
            at + "expiry",
            f"Lot {lot} is known with the expiry {say_day(before)}. One lot has one expiry: check the label.",
        )
    numbers = _read_kits(reading, reader, typed, at, counted, kits)
    extra = _read_extra(reading, typed, at, numbers, max(counted - listed, 0), counted)
    damaged = _read_damaged(reading, typed, at, numbers, counted, extra) if condition == "damaged" else _NOWHERE
    return Lot(
        strength,
        lot,
        expires_on,
        listed,
        counted,
        numbers,
        damaged,
        extra,
        note if damaged else "",
        difference if listed != counted else "",
        f"expired on {say_day(expires_on)}, before it arrived" if expires_on < received_on else "",
        extended,
        kits_alike_words(_alike(numbers, {*(kit for _, kit in reader.kits_received()), *kits}) if numbers else ()),
    )


def _alike(numbers: Sequence[str], others: set[str]) -> tuple[tuple[str, str], ...]:
    """The pairs of kits, each once, that another keyboard setting makes of one another."""
    pairs = (tuple(sorted((kit, other))) for kit in numbers for other in kits_alike(kit, others))
    return tuple((first, second) for first, second in dict.fromkeys(pairs))


def _read_kits(
    reading: Reading, reader: Reader, typed: LotTyped, at: str, counted: int, kits: set[str]
) -> tuple[str, ...]:
    """The kit numbers of the vials in the box, one each, none of them seen before."""
    field = at + "kit_numbers"
    numbers = reading.take(lambda: _kit_numbers(typed.kit_numbers, field), _NO_KITS)
    if numbers and len(numbers) != counted:
        reading.fault(
            field,
            f"{len(numbers)} kit numbers are typed for {counted} vials. Give one for each vial, or none; a range is"
            " typed as K001 to K010.",
        )
    for kit in numbers:
        if why := why_no_kit(kit):
            reading.fault(field, why)
        elif (before := reader.vial_by_kit(kit)) is not None:
            reading.fault(field, _received_before(kit, before))
        elif kit in kits:
            reading.fault(field, f"Kit {kit} is there twice. Each kit number is received once.")
        kits.add(kit)
    return numbers


def _received_before(kit: str, vial: Vial) -> str:
    return (
        f"Kit {kit} is there twice: it came with shipment {vial.shipment_number} and is vial {vial.unit_number}. Each"
        " kit number is received once."
    )


@dataclass(frozen=True, slots=True)
class LotScanned:
    """A lot after one more scan; ``notes`` say what was put right, ``separated`` that the scanner sends GS."""

    lot: LotTyped
    notes: tuple[str, ...]
    separated: bool


def scan_lot(
    reader: Reader, typed: LotTyped, code: str, today: date, *, by_hand: bool = False, sends_separator: bool = False
) -> LotScanned:
    """A lot with what one more scan says: its kit joins the list, lot and expiry are filled where they are empty.

    A scan never changes what stands there. Raises ``Refused`` beside the field where the two disagree, for a kit that
    is there already, for one of our own numbers, and for a code that tells nothing of a shipment.
    """
    try:
        scan = read_code(reader, code, today, by_hand=by_hand, sends_separator=sends_separator)
        _refuse_own(scan)
        known = merge(Facts(lot=typed.lot.strip(), expires_on=_expiry_typed(typed)), replace(scan, kit=""))
    except Refused as refused:
        raise Refused(
            *(replace(each, field=_SCANNED_INTO.get(each.field, "kit_numbers")) for each in refused.faults)
        ) from None
    # The serial number of a supporter's code tells one vial from another: that is what a kit number is.
    kit = (scan.kit or scan.serial or (bare(code) if scan.kind in ("text", "ours") else "")).upper()
    if not (kit or scan.lot or scan.expires_on):
        raise Refused(
            Fault("kit_numbers", "This code holds neither kit number nor lot nor expiry. Scan another code of the kit.")
        )
    kits, notes = typed.kit_numbers, scan.notes
    if kit:
        if (before := reader.vial_by_kit(kit)) is not None:
            raise Refused(Fault("kit_numbers", _received_before(kit, before)))
        if why := why_no_kit(kit):
            raise Refused(Fault("kit_numbers", why))
        typed_before = _kit_numbers(kits, "kit_numbers")
        if kit in typed_before:
            raise Refused(Fault("kit_numbers", f"Kit {kit} was scanned already. Put it aside and scan the next one."))
        kits = (*kits, kit)
        alike = kits_alike_words(
            _alike((kit,), {*(known_kit for _, known_kit in reader.kits_received()), *typed_before})
        )
        notes = (*notes, f"{alike[:1].upper()}{alike[1:]}.") if alike else notes
    expiry = typed.expiry if typed.expiry.strip() or known.expires_on is None else known.expires_on.isoformat()
    return LotScanned(replace(typed, lot=known.lot, expiry=expiry, kit_numbers=kits), notes, scan.separated)


def _refuse_own(scan: Scan) -> None:
    if number := own_number(scan):
        raise Refused(Fault("", f"{number} is one of our own numbers. Scan what the supporter printed on the vial."))


_SCANNED_INTO = {"lot": "lot", "expires_on": "expiry"}


def _expiry_typed(typed: LotTyped) -> date | None:
    """The expiry in its field; ``None`` where nothing that can be read stands there yet."""
    try:
        return read_expiry(typed.expiry, "expiry")
    except Refused:
        return None


def _kit_numbers(typed: Sequence[str], field: str) -> tuple[str, ...]:
    """Kit numbers in capitals, ranges written out; raises ``Refused`` for what is no range."""
    numbers: list[str] = []
    faults: list[Fault] = []
    for line in typed:
        text = line.strip().upper()
        found = _KIT_RANGE.fullmatch(text)
        if found is None:
            numbers += [text] if text else []
            continue
        first, last = (_KIT_PARTS.fullmatch(end) for end in found.groups())
        fits = first and last and first[1] == last[1] and len(first[2]) == len(last[2])
        if first and last and fits and 0 < int(last[2]) - int(first[2]) < MAX_VIALS_A_LOT:
            width = len(first[2])
            numbers += [f"{first[1]}{number:0{width}d}" for number in range(int(first[2]), int(last[2]) + 1)]
            continue
        faults.append(
            Fault(
                field,
                f"“{line.strip()[:60]}” is not a range of kit numbers: both ends begin alike, have as many digits, and"
                " the last one is the higher. Type K001 to K010, or one kit number a line.",
            )
        )
    refuse_any(faults)
    return tuple(numbers)


def _named_places(typed: Sequence[str], field: str, numbers: tuple[str, ...], what: str) -> frozenset[int]:
    """At which places of the lot the named kits are; raises ``Refused`` for a kit that the lot does not have."""
    kits = _kit_numbers(typed, field)
    refuse_any(
        [
            Fault(field, f"Kit {kit} is named as {what}, but is not among the kits of this lot. Check both.")
            for kit in kits
            if kit not in numbers
        ]
    )
    return frozenset(numbers.index(kit) for kit in kits)


def _read_extra(
    reading: Reading, typed: LotTyped, at: str, numbers: tuple[str, ...], extra: int, counted: int
) -> frozenset[int]:
    """The vials that the packing list does not have: named by kit where kits are known, else the last ones."""
    if not extra:
        return _NOWHERE
    if not numbers:
        return frozenset(range(counted - extra, counted))
    field = at + "extra_kits"
    named = reading.take(lambda: _named_places(typed.extra_kits, field, numbers, "not on the packing list"), _NOWHERE)
    if len(named) != extra:
        reading.fault(
            field,
            f"{extra} more than listed came, and {len(named)} of their kits are named. Name the kits that are not on"
            " the packing list.",
        )
    return named


def _read_damaged(
    reading: Reading, typed: LotTyped, at: str, numbers: tuple[str, ...], counted: int, extra: frozenset[int]
) -> frozenset[int]:
    """The damaged vials of a damaged lot: those that are named or counted, else all of it."""
    field = at + "damaged_kits"
    named = reading.take(lambda: _named_places(typed.damaged_kits, field, numbers, "damaged"), _NOWHERE)
    if not typed.damaged.strip():
        return named or frozenset(range(counted))
    damaged = reading.count(typed.damaged, at + "damaged", "The number of damaged vials", low=1, high=max(counted, 1))
    if numbers and len(named) != damaged and damaged != counted and reading.was_read(at + "damaged"):
        reading.fault(
            field,
            f"{damaged} vials are damaged and {len(named)} of their kits are named. Name the kit of each damaged vial.",
        )
    if named or damaged == counted:
        return named if len(named) == damaged else frozenset(range(counted))
    # Without kit numbers one vial of a lot is as another until it is labelled: the damaged ones get the last numbers
    # of those that are on the list.
    last_first = sorted(set(range(counted)) - extra, reverse=True) + sorted(extra)
    return frozenset(last_first[:damaged])


def kit_ranges(kits: Sequence[str]) -> str:
    """Kit numbers in words, runs shortened to first – last (``K001 – K010, K014``)."""
    runs: list[list[str]] = []
    for kit in kits:
        found, before = _KIT_PARTS.fullmatch(kit), _KIT_PARTS.fullmatch(runs[-1][-1]) if runs else None
        if (
            found
            and before
            and found[1] == before[1]
            and len(found[2]) == len(before[2])
            and int(found[2]) == int(before[2]) + 1
        ):
            runs[-1].append(kit)
        else:
            runs.append([kit])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} – {run[-1]}" for run in runs)
