"""Vials: numbers with a check character, states, the table of moves, and whether a vial is usable on a day."""

import calendar
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources

from pharmacy_app.domain.dates import FIRST_YEAR, LAST_YEAR, parse_day, say_day
from pharmacy_app.domain.errors import Fault, Refused

STRENGTHS_MG = (Decimal(1), Decimal(4))
"""The study's two vial strengths (§ 8.1.1)."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def check_character(text: str) -> str:
    """ISO 7064 MOD 37,36: one character that catches any single slip and nearly every swap of neighbours."""
    product = 36
    for character in text:
        total = (product + _ALPHABET.index(character)) % 36 or 36
        product = total * 2 % 37
    return _ALPHABET[(37 - product) % 36]


def numbered(prefix: str, count: int) -> str:
    """The ``count``-th number of a kind: prefix, six digits, check character (``V000012`` and its check)."""
    if not 0 < count < 1_000_000:
        raise ValueError(f"{count} is outside what a number of six digits can hold")
    body = f"{prefix}{count:06d}"
    return body + check_character(body)


_NUMBER = re.compile(r"[A-Z][0-9]{6}[0-9A-Z]")
_AS_DIGITS = str.maketrans("OI", "01")
_LOOK_ALIKE = ({"0", "O"}, {"1", "I"})
_ALIKE = {
    "0": "the letter O, not the digit 0",
    "O": "the digit 0, not the letter O",
    "1": "the letter I, not the digit 1",
    "I": "the digit 1, not the letter I",
}


def _tidy(typed: str) -> str:
    """A typed number as it is written: capitals, no blanks, and digits where only digits can stand.

    Read from a label by eye, O and 0, I and 1 look alike; the check character stays as it was typed.
    """
    number = typed.strip().upper().replace(" ", "").replace("-", "")
    return number[:1] + number[1:7].translate(_AS_DIGITS) + number[7:]


def looks_like_ours(typed: str, prefix: str) -> bool:
    """Whether a text has the form of one of our numbers of a kind, its check character right or wrong."""
    return bool(_NUMBER.fullmatch(_tidy(typed))) and _tidy(typed).startswith(prefix)


def read_number(typed: str, prefix: str, field: str) -> str:
    """A typed or scanned number, checked; raises ``Refused`` saying whether the form or the check is wrong."""
    number = _tidy(typed)
    if not looks_like_ours(typed, prefix):
        raise Refused(
            Fault(
                field,
                f"“{typed.strip()}” is not a number of ours: it starts with {prefix}, then six digits and a check"
                " character. Scan the label again.",
            )
        )
    body, given = number[:-1], number[-1]
    check = check_character(body)
    if given != check:
        # Never put right: with O taken for 0, one wrong digit could become the number of another vial.
        alike = f" Its last character may be {_ALIKE[given]}." if {given, check} in _LOOK_ALIKE else ""
        sentence = f"“{number}” was misread: its check character does not fit.{alike} Scan the label again."
        raise Refused(Fault(field, sentence))
    return number


def swapped(number: str) -> tuple[str, ...]:
    """The other numbers of ours that two neighbours typed in the wrong order would make of this one.

    The check character leaves about one swap in two hundred unnoticed. Whoever reads what a hand typed asks the record
    whether such a number is there, too.
    """
    found = []
    for at in range(1, len(number) - 1):
        other = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
        if other != number and _NUMBER.fullmatch(other) and check_character(other[:-1]) == other[-1]:
            found.append(other)
    return tuple(found)


CORRECTION = "correct"
"""The move that takes back one recorded by mistake, under the word CORRECT of the record."""

NEVER_RECEIVED = "never received"
"""The state of a vial whose receipt was recorded by mistake."""

GONE_ASTRAY = ("missing", "lost")
"""The states of vials and of used containers that were not found."""


@dataclass(frozen=True, slots=True)
class State:
    """A vial's state, what it means in words, and which balance of the site it counts to."""

    name: str
    says: str
    on_site: str


@dataclass(frozen=True, slots=True)
class Move:
    """One legal move: from which states, to which, under which word of the record and section.

    ``to_state`` is '' when the vial keeps its state and changes its place or label: then two lines are posted, one out
    and one in (``transaction_in``). ``needs`` names the proofs it takes; ``otherwise`` says what to do with a vial in
    another state; ``undo`` says whether a correction may take it back. ``back`` names the move of which this is the
    way back: the vial is again in the state from which that move came, and ``to_state`` is ''.
    """

    name: str
    from_states: tuple[str, ...]
    to_state: str
    transaction: str
    section: str
    needs: tuple[str, ...] = ()
    otherwise: str = ""
    transaction_in: str = ""
    undo: bool = False
    back: str = ""

    def to(self, state: str) -> str:
        """The state in which a vial of ``state`` is after the move."""
        return self.to_state or state


@dataclass(frozen=True, slots=True)
class Proof:
    """Something a move needs, in words, and the section that asks for it."""

    name: str
    says: str
    section: str


@dataclass(frozen=True, slots=True)
class MoveTable:
    """All states, moves and proofs, by name."""

    states: dict[str, State]
    moves: dict[str, Move]
    proofs: dict[str, Proof]
    corrections: tuple[tuple[str, str], ...] = ()

    def legal(self) -> frozenset[tuple[str, str, str]]:
        """Every line that the ledger may hold: move, state before ('' = outside), state after ('' = outside).

        A correction takes a move back (``CORRECTION``), or changes a state as the table's corrections say.
        """
        lines = {(CORRECTION, before, after) for before, after in self.corrections}
        for move in self.moves.values():
            for before in move.from_states or ("",):
                if move.back:
                    for after in self.moves[move.back].from_states:
                        lines |= {(move.name, before, after), (CORRECTION, after, before)}
                elif move.to_state:
                    lines.add((move.name, before, move.to_state))
                    if move.undo:
                        lines.add((CORRECTION, move.to_state, before or NEVER_RECEIVED))
                else:
                    lines |= {(move.name, before, ""), (move.name, "", before)}
                    if move.undo:
                        lines |= {(CORRECTION, before, ""), (CORRECTION, "", before)}
        return frozenset(lines)

    def from_state(self, state: str) -> tuple[Move, ...]:
        """The moves a vial of this state can make."""
        return tuple(move for move in self.moves.values() if state in move.from_states)


@cache
def move_table() -> MoveTable:
    """The one table of states and moves, read from ``moves.toml`` and checked for loose ends."""
    data = tomllib.loads(resources.files(__package__).joinpath("moves.toml").read_text("utf-8"))
    states = {row["name"]: State(row["name"], row["says"], row["on_site"]) for row in data["state"]}
    moves = {
        row["name"]: Move(
            row["name"],
            tuple(row["from"]),
            "" if row["to"] in ("=", "<") else row["to"],
            row["transaction"],
            row["section"],
            tuple(row.get("needs", ())),
            row.get("otherwise", ""),
            row.get("transaction_in", ""),
            row.get("undo", False),
            row.get("back", ""),
        )
        for row in data["move"]
    }
    proofs = {row["name"]: Proof(row["name"], row["says"], row["section"]) for row in data["proof"]}
    for move in moves.values():
        unknown = {*move.from_states, move.to_state} - {""} - states.keys()
        if unknown:
            raise ValueError(f"the move “{move.name}” names unknown states: {sorted(unknown)}")
        if strange := set(move.needs) - proofs.keys():
            raise ValueError(f"the move “{move.name}” names unknown proofs: {sorted(strange)}")
    corrections = tuple((row["from"], row["to"]) for row in data["correction"])
    if unknown := {state for pair in corrections for state in pair} - states.keys():
        raise ValueError(f"a correction names unknown states: {sorted(unknown)}")
    return MoveTable(states, moves, proofs, corrections)


UNOPENED = tuple(state.name for state in move_table().states.values() if state.on_site in ("available", "quarantine"))
"""The states of vials that are here and that nobody has opened yet, reserved and quarantined ones included."""


@dataclass(frozen=True, slots=True)
class Vial:
    """One identified unit as it stands now. ``hold_reason`` is '' when nothing but the release is awaited.

    ``accounted_by`` names the monitor who did the accountability of its container (§ 8.2). ``label_scanned``: its own
    label, printed after the event ``label_from_seq``, was scanned back.
    """

    unit_number: str
    kit_number: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    place: str
    state: str
    hold_reason: str
    dose_id: str
    shipment_number: str
    accounted_by: str = ""
    label_scanned: bool = False
    label_from_seq: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """One vial's move as the journal keeps it: enough to write its ledger line without asking anything else."""

    unit_number: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    place: str
    move: str
    from_state: str
    to_state: str


@dataclass(frozen=True, slots=True)
class Relocated(Moved):
    """One vial's change of place or label, in one state: where it stands after. Two lines are posted: out, in."""

    to_strength_mg: Decimal
    to_lot: str
    to_expires_on: date
    to_place: str


def in_date(expires_on: date, day: date) -> bool:
    """Whether ``day`` is not past a printed expiry, which counts through its own day (RULES A40)."""
    return day <= expires_on


def usable_on(state: str, expires_on: date, day: date) -> bool:
    """Whether vials of this state and expiry may go into a dose on ``day``: the one place that says so."""
    return state == "available" and in_date(expires_on, day)


def why_not_usable(vial: Vial, day: date) -> Fault | None:  # noqa: PLR0911 - one return a reason
    """The sentence that refuses a vial for a dose on ``day``, or ``None`` when it is usable."""
    number = vial.unit_number
    if vial.state == "quarantined":
        return Fault(
            "unit_number",
            f"Vial {number} is in quarantine. It must not be used until the supporter permits it in writing.",
            "R54",
            "8.2",
        )
    if vial.state == "held":
        why = vial.hold_reason or "a pharmacist has not released it yet"
        return Fault("unit_number", f"Vial {number} is held: {why}. Release it before it is used.", "R54", "8.2")
    if vial.state == "reserved":
        return Fault("unit_number", f"Vial {number} is reserved for dose {vial.dose_id}.", "R55", "8.2")
    if vial.state != "available":
        return Fault("unit_number", f"Vial {number} is {vial.state} and cannot be used again.", "R55", "8.2")
    if not usable_on(vial.state, vial.expires_on, day):
        return Fault(
            "unit_number",
            f"Vial {number} of lot {vial.lot} expired: its last usable day was {say_day(vial.expires_on)}.",
            "A40",
            "8.2",
        )
    if not vial.label_scanned:
        return Fault(
            "unit_number",
            f"The label of vial {number} is not scanned yet. Scan it back under Labels first, so that nobody takes a"
            " vial under another one's number.",
            "",
            "8.2",
        )
    return None


def move(vial: Vial, name: str, back_to: str = "") -> Moved:
    """Move one vial by the table; raises ``Refused`` when the move does not start from its state.

    ``back_to`` is the state from which it came, for a move that is the way back.
    """
    rule = _rule(vial, name)
    if rule.back and back_to not in move_table().moves[rule.back].from_states:
        raise ValueError(f"“{name}” goes back to where “{rule.back}” came from, not to “{back_to}”")
    return Moved(*_stands(vial), name, vial.state, rule.to_state or back_to)


def relocate(
    vial: Vial,
    name: str,
    *,
    strength_mg: Decimal | None = None,
    lot: str = "",
    expires_on: date | None = None,
    place: str = "",
) -> Relocated:
    """Change a vial's place or label by the table; what is not given stays. Raises ``Refused`` as ``move`` does."""
    _rule(vial, name)
    return Relocated(
        *_stands(vial),
        name,
        vial.state,
        vial.state,
        vial.strength_mg if strength_mg is None else strength_mg,
        lot or vial.lot,
        expires_on or vial.expires_on,
        place or vial.place,
    )


def _stands(vial: Vial) -> tuple[str, Decimal, str, date, str]:
    return vial.unit_number, vial.strength_mg, vial.lot, vial.expires_on, vial.place


def _rule(vial: Vial, name: str) -> Move:
    rule = move_table().moves[name]
    if vial.state not in rule.from_states:
        raise Refused(
            Fault(
                "unit_number",
                f"Vial {vial.unit_number} is {vial.state}; “{name}” needs it to be {' or '.join(rule.from_states)}."
                + (f" {rule.otherwise}" if rule.otherwise else ""),
                "R55",
                rule.section,
            )
        )
    return rule


def read_expiry(typed: str, field: str) -> date:
    """The last usable day of a printed expiry: a full date is that day, a month alone its last day (RULES A40).

    Accepts ``2027-03-31``, ``2027-03``, ``31-Mar-2027`` and ``Mar-2027``; raises ``Refused`` otherwise.
    """
    text = typed.strip()
    parts = parse_day(text)
    if parts is None:
        raise Refused(
            Fault(field, f"“{text}” is not an expiry. Type 2027-03-31, or 2027-03 when only the month is printed.")
        )
    year, month, day = parts
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Refused(Fault(field, f"“{text}” has a year that no vial has ({year}). Look at the vial again."))
    try:
        return date(year, month, calendar.monthrange(year, month)[1] if day is None else day)
    except (ValueError, calendar.IllegalMonthError):
        raise Refused(Fault(field, f"“{text}” is not a day of the calendar. Look at the vial again.")) from None
