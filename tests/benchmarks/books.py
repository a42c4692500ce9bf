"""Books of any length, made up: the events of stock acts and of doses as the app writes them, one after the other.

Shipments of two lots, releases, doses (ordered, vials reserved, prepared, closed), quarantines and their lifting,
vials lost and found, broken, moved to the other place, accounted for, destroyed and returned. They go through
``append_event`` in large transactions, not through the services: a million lines typed act by act would take hours.
A dose's decision and plan are left short: their bytes would be measured, not the ledger.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from itertools import islice
from typing import Any

from db.store import SqlStore
from pharmacy_app.domain.events import Event, hash_of
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services.ports import LedgerFilter

SITE_TIME = timezone(timedelta(hours=-6))
PLACES = ("Refrigerator 1", "Refrigerator 2")
_PEOPLE = (("A0002", "Dana Whitfield"), ("A0004", "Lee Marchetti"), ("A0003", "Sam Okafor"))

Content = dict[str, Any]


@dataclass(slots=True)
class Unit:
    """One vial of these books."""

    number: str
    strength_mg: str
    lot: str
    expires_on: str
    place: str
    state: str = ""
    moved_at: datetime | None = None


class Books:
    """An endless supply of events that follow each other from a journal's head on.

    ``lines_per_day`` spreads them over days; of a hundred acts ``late`` are done on an earlier day than recorded.
    """

    def __init__(
        self,
        seq: int,
        head: str,
        begins: datetime,
        *,
        seed: int = 4,
        lines_per_day: int = 250,
        lots: int = 12,
        shipment: int = 40,
        late: int = 1,
    ) -> None:
        self._seq, self._head, self._now = seq, head, begins.astimezone(SITE_TIME)
        self._dice = random.Random(seed)
        self._per_day, self._lots, self._shipment, self._late = lines_per_day, lots, shipment, late
        self._today = 0
        self._vials = self._doses = self._shipments = 0
        self._in: dict[str, list[Unit]] = {}
        self.units: list[Unit] = []

    def events(self) -> Iterator[Event]:
        """The next events, without end."""
        acts = (
            (30, self._dose),
            (6, self._quarantined),
            (6, self._lifted),
            (2, self._missed),
            (2, self._found),
            (2, self._broken),
            (4, self._transported),
            (4, self._destroyed),
            (1, self._returned),
        )
        choices = [act for weight, act in acts for _ in range(weight)]
        while True:
            if len(self._of("available")) < self._shipment:
                yield from self._received()
            yield from self._dice.choice(choices)()

    # -- acts

    def _received(self) -> Iterator[Event]:
        self._shipments += 1
        number = f"SHP-{self._shipments:05d}"
        units, lots = [], []
        for strength in ("1", "4"):
            lot = f"INO{strength}-{chr(65 + self._dice.randrange(self._lots))}{strength}17"
            lots.append((strength, lot))
            for _ in range(self._shipment):
                self._vials += 1
                place = self._dice.choice(PLACES)
                units.append(Unit(numbered("V", self._vials), strength, lot, "2040-02-28", place))
        self.units += units
        content = {
            "hold_reason": "",
            "line": {"comment": "", "counterparty": "Supporter's distribution center", "reference": number},
            "lots": [
                {
                    "condition_note": "",
                    "counted": self._shipment,
                    "damaged_units": [],
                    "difference_note": "",
                    "expires_on": "2040-02-28",
                    "extra_units": [],
                    "kits": "",
                    "listed": self._shipment,
                    "lot": lot,
                    "strength_mg": strength,
                }
                for strength, lot in lots
            ],
            "shipment": {
                "condition": "intact",
                "logger_serial": f"TT-{self._shipments:06d}",
                "logger_state": "no alarm",
                "note": "",
                "number": number,
                "sender": "Supporter's distribution center",
                "shipped_on": self._now.date().isoformat(),
            },
            "vials": [{"hold_reason": "", "kit_number": "", "unit_number": unit.number} for unit in units],
        }
        yield self._move("shipment_received", "receive", units, "held", content)
        yield self._move("vials_released", "release", units, "available", _line("checked", reference=number))

    def _dose(self) -> Iterator[Event]:
        units = self._take("available", self._dice.choice((1, 1, 2)))
        self._doses += 1
        dose, subject = numbered("D", self._doses), f"000-{self._doses % 40 + 1:03d}"
        milligrams = "0.73" if len(units) == 1 else "1.46"
        yield self._event(
            "dose_ordered",
            {
                "course": 1,
                "cycle": self._doses % 6 + 1,
                "day": 8,
                "dose_id": dose,
                "level": 0,
                "ordered_on": self._now.date().isoformat(),
                "planned_on": self._now.date().isoformat(),
                "prescribed_mg": milligrams,
                "prescriber": "Dr. I. Vogel",
                "subject_number": subject,
            },
        )
        about = {"dose_id": dose, "counterparty": subject}
        plan = {"dose_id": dose, "plan": {"mg": milligrams, "vials": [unit.number for unit in units]}}
        yield self._move("vials_reserved", "reserve", units, "reserved", {**plan, **_line("reserved", **about)})
        draws = [
            {"drawn_mg": "0.73", "drawn_ml": "2.92", "strength_mg": unit.strength_mg, "unit_number": unit.number}
            for unit in units
        ]
        dispensed = _line(
            "prepared",
            **about,
            cycle_day=f"C{self._doses % 6 + 1} D8",
            dose_mg=milligrams,
            initials="RTK",
            reference=dose,
            verifier="Sam Okafor",
        )
        preparation = {"draws": draws, "prepared_mg": milligrams, "bag_volume_ml": "50", "final_mg_per_ml": "0.0292"}
        content = {"dose_id": dose, "preparation": preparation, **dispensed}
        yield self._move("dose_prepared", "open", units, "opened", content)
        closed = [{"discarded_mg": "0.17", "residue_mg": "0.1", "unit_number": unit.number} for unit in units]
        content = {"closed": closed, "dose_id": dose, "status": "closed", **_line("mg ledger closed", **about)}
        yield self._move("vials_closed", "close empty", units, "empty", content)

    def _quarantined(self) -> Iterator[Event]:
        units = self._take("available", self._dice.randrange(1, 4))
        reason = "the refrigerator stood open"
        yield self._move("vials_quarantined", "quarantine", units, "quarantined", {"reason": reason, **_line(reason)})

    def _lifted(self) -> Iterator[Event]:
        if units := self._take("quarantined", self._dice.randrange(1, 4)):
            content = _line("permitted in writing", reference=f"F{self._seq:06d}")
            yield self._move("quarantine_lifted", "lift quarantine", units, "available", content)

    def _missed(self) -> Iterator[Event]:
        units = self._take("available", 1)
        yield self._move("vials_missing", "miss", units, "missing", _line("not at its place", verifier="Sam Okafor"))

    def _found(self) -> Iterator[Event]:
        if units := self._take("missing", 1):
            content = {"hold_reason": "was missing", **_line("behind the drawer", verifier="Sam Okafor")}
            yield self._move("vials_found", "find", units, "quarantined", content)

    def _broken(self) -> Iterator[Event]:
        units = self._take("available", 1)
        yield self._move("vials_broken", "break", units, "broken", _line("fell to the floor", verifier="Sam Okafor"))

    def _transported(self) -> Iterator[Event]:
        units = self._take("available", self._dice.randrange(1, 5))
        content = _line("to the other refrigerator", counterparty="Lee Marchetti")
        yield self._move("vials_transported", "transport", units, "available", content, elsewhere=True)

    def _destroyed(self) -> Iterator[Event]:
        if units := self._take("empty", self._dice.randrange(1, 6)):
            yield self._event("vials_accounted", {"unit_numbers": [unit.number for unit in units]})
            content = _line("incineration", reference="F000001", verifier="Sam Okafor")
            yield self._move("vials_destroyed", "destroy", units, "destroyed", content)

    def _returned(self) -> Iterator[Event]:
        units = self._take("available", self._dice.randrange(1, 4))
        content = _line("surplus", counterparty="Supporter's depot", reference=f"RET-{self._seq:06d}")
        yield self._move("vials_returned", "return", units, "returned", content)

    # -- parts

    def _of(self, state: str) -> list[Unit]:
        return self._in.setdefault(state, [])

    def _take(self, state: str, most: int) -> list[Unit]:
        units = self._of(state)
        for at in range(min(most, len(units))):
            other = self._dice.randrange(at, len(units))
            units[-1 - at], units[other - at - 1] = units[other - at - 1], units[-1 - at]
        taken = units[len(units) - min(most, len(units)) :]
        del units[len(units) - len(taken) :]
        return taken

    def _move(
        self, kind: str, name: str, units: list[Unit], after: str, content: Content, *, elsewhere: bool = False
    ) -> Event:
        moves = []
        for unit in units:
            moved = {
                "unit_number": unit.number,
                "strength_mg": unit.strength_mg,
                "lot": unit.lot,
                "expires_on": unit.expires_on,
                "place": unit.place,
                "move": name,
                "from_state": unit.state,
                "to_state": after,
            }
            if elsewhere:
                unit.place = PLACES[1 - PLACES.index(unit.place)]
                moved |= {f"to_{part}": moved[part] for part in ("strength_mg", "lot", "expires_on")}
                moved["to_place"] = unit.place
            unit.state = after
            moves.append(moved)
        self._of(after).extend(units)
        places = len({(unit.strength_mg, unit.lot, unit.place) for unit in units})
        event = self._event(kind, {"moves": moves, **content}, units, lines=places * (2 if elsewhere else 1))
        for unit in units:
            unit.moved_at = event.done_at
        return event

    def _done_at(self, units: Sequence[Unit]) -> datetime:
        """Now, or for a late entry some days ago: after the last move of each of its vials."""
        if not units or self._dice.randrange(100) >= self._late:
            return self._now
        ago = self._now - timedelta(days=self._dice.randrange(1, 9), minutes=self._dice.randrange(600))
        return max([ago, *(unit.moved_at + timedelta(seconds=1) for unit in units if unit.moved_at)])

    def _event(self, kind: str, content: Content, units: Sequence[Unit] = (), lines: int = 0) -> Event:
        self._seq += 1
        self._now += timedelta(minutes=1, seconds=self._dice.randrange(40))
        self._today += lines
        if self._today >= self._per_day:
            self._today = 0
            self._now = (self._now + timedelta(days=1)).replace(hour=8, minute=0, second=0)
        done_at = self._done_at(units)
        late = done_at.date() < self._now.date()
        if late:
            content = {**content, "late_why": "the form lay in the other building"}
        actor_id, actor_name = self._dice.choice(_PEOPLE)
        act_id = sha256(f"{self._seq}".encode()).hexdigest()[:32]
        event = Event(
            seq=self._seq,
            act_id=act_id,
            kind=kind,
            actor_id=actor_id,
            actor_name=actor_name,
            workstation="PHARMACY-1",
            done_at=done_at,
            recorded_at=self._now,
            why="",
            content=content,
            signatures=(),
            request_sha256=sha256(act_id.encode()).hexdigest(),
            marks=("late entry",) if late else (),
            previous_hash=self._head,
        )
        self._head = hash_of(event.body())
        return event


def _line(comment: str, **facts: str) -> Content:
    return {"line": {"comment": comment, **facts}}


def fill(store: SqlStore, lines: int, **how: Any) -> Books:
    """Append events until the ledger of a study that was set up has at least this many lines."""
    with store.read() as reader:
        head, there = reader.head(), reader.count_ledger(LedgerFilter())
    begins = datetime.fromisoformat(head.recorded_utc) if head.seq else datetime(2026, 1, 5, 15, tzinfo=SITE_TIME)
    books = Books(head.seq, head.hash, begins, **how)
    coming = books.events()
    while there < lines:
        with store.write() as writer:
            # An event brings a line or two; towards the end they come a few at a time.
            for event in islice(coming, max(min((lines - there) // 2, 5000), 1)):
                writer.append(event)
            there = writer.count_ledger(LedgerFilter())
    return books
