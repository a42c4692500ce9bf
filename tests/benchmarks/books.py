"""Books of any length, made up: the events of stock acts and of doses as the app writes them, one after the other.

Shipments of two lots, releases, doses (ordered, vials reserved, prepared, closed), quarantines and their lifting,
vials lost and found, broken, moved to the other place, accounted for, destroyed and returned. They go through
``append_event`` in large transactions, not through the services: a million lines typed act by act would take hours.
A dose's decision and plan are left short: their bytes would be measured, not the ledger.

``WholeBooks`` are for records and exports, which print what a dose holds: its doses have all of it, from a pattern that
the services wrote, and belong to subjects who were weighed for each. ``last_weeks`` then lives through the acts whose
records are long (a visit, a warm refrigerator, counts, a return, a destruction), by the services themselves.
"""

import json
import random
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.store import SqlStore
from pharmacy_app.domain.codec import digest
from pharmacy_app.domain.events import Event, Signature, hash_of
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services.ports import LedgerFilter

if TYPE_CHECKING:
    from pharmacy_app.demo import DemoDay

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
        self,
        kind: str,
        name: str,
        units: list[Unit],
        after: str,
        content: Content,
        *,
        elsewhere: bool = False,
        signatures: tuple[Signature, ...] = (),
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
        lines = places * (2 if elsewhere else 1)
        event = self._event(kind, {**content, "moves": moves}, units, lines, signatures=signatures)
        for unit in units:
            unit.moved_at = event.done_at
        return event

    def _done_at(self, units: Sequence[Unit]) -> datetime:
        """Now, or for a late entry some days ago: after the last move of each of its vials."""
        if not units or self._dice.randrange(100) >= self._late:
            return self._now
        ago = self._now - timedelta(days=self._dice.randrange(1, 9), minutes=self._dice.randrange(600))
        return max([ago, *(unit.moved_at + timedelta(seconds=1) for unit in units if unit.moved_at)])

    def _event(
        self,
        kind: str,
        content: Content,
        units: Sequence[Unit] = (),
        lines: int = 0,
        *,
        signatures: tuple[Signature, ...] = (),
    ) -> Event:
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
            # A signature binds what was signed.
            signatures=tuple(replace(each, content_sha256=digest(content)) for each in signatures),
            request_sha256=sha256(act_id.encode()).hexdigest(),
            marks=("late entry",) if late else (),
            previous_hash=self._head,
        )
        self._head = hash_of(event.body())
        return event


def _line(comment: str, **facts: str) -> Content:
    return {"line": {"comment": comment, **facts}}


# --- doses with all they hold ------------------------------------------------------------------------------------

_SUBJECT, _FIRST_LOT = "000-001", "INO1-A117"
_STEPS = (
    "dose_ordered",
    "dose_decided",
    "vials_reserved",
    "dose_verified",
    "dose_prepared",
    "dose_released",
    "dose_administered",
    "vials_closed",
)

FREQUENT = 14
"""One dose of so many is the first subject's, whose log grows with the ledger."""

DOSES_EACH = 18
"""Doses of every other subject: six cycles of three."""


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a dose as the services wrote it: its kind, moment, content as JSON, and who signed with what."""

    kind: str
    at: datetime
    text: str
    signed: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class DosePattern:
    """The entries of one dose, with the dose's number and its vials as they stand there, to be replaced."""

    steps: tuple[Step, ...]
    dose_id: str
    units: tuple[str, ...]


def dose_pattern() -> DosePattern:
    """One dose of two vials, lived through by the demonstration's people in a database of its own."""
    from pharmacy_app.bootstrap import create_desk, url_of
    from pharmacy_app.demo import MovableClock, ProvenOnce, dose, enroll_subject, marrow, receive_shipment, set_up
    from pharmacy_app.services.packing_list import LotTyped

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dose.sqlite"
        clock = MovableClock(datetime(2016, 1, 4, 15, tzinfo=UTC))
        desk = create_desk(url_of(path), clock=clock)
        day = set_up(replace(desk, secrets=ProvenOnce(desk.secrets)), clock)
        receive_shipment(day, "SHP-0001", (LotTyped("1", _FIRST_LOT, "2040-02-28", "4"),))
        enroll_subject(day, _SUBJECT, "1974-03-09", "RTK", "171", "70")
        marrow(day, _SUBJECT, "45", days=-7)
        dose_id = dose(day, _SUBJECT, 1, 1)
        desk.store.close()
        with sqlite3.connect(path) as bare:
            bodies = bare.execute("SELECT body FROM journal_event ORDER BY seq").fetchall()
    events = [event for (body,) in bodies if (event := Event.from_body(body)).kind in _STEPS]
    assert [event.kind for event in events] == list(_STEPS)
    units = tuple(move["unit_number"] for move in events[-1].content["moves"])
    assert len(units) == 2
    steps = (Step(event.kind, event.recorded_at, json.dumps(event.content), event.signatures) for event in events)
    return DosePattern(tuple(steps), dose_id, units)


class WholeBooks(Books):
    """Books whose doses hold what the services write, given to subjects who are enrolled and weighed for each."""

    def __init__(self, *start: Any, **how: Any) -> None:
        super().__init__(*start, **how)
        self._pattern = dose_pattern()
        self._had: dict[str, int] = {}
        self._others = 1
        self._enrolled_on: dict[str, str] = {}

    def _dose(self) -> Iterator[Event]:
        units = self._take("available", 2)
        if len(units) < 2:
            self._of("available").extend(units)
            return
        self._doses += 1
        dose_id = numbered("D", self._doses)
        subject = self._whose()
        given = self._had.get(subject, 0)
        if not given:
            yield from self._enrolled(subject)
        self._had[subject] = given + 1
        yield from self._weighed(subject, given)
        place = {"course": 1 + given // DOSES_EACH, "cycle": given % DOSES_EACH // 3 + 1, "day": (1, 8, 15)[given % 3]}
        moved = {
            "vials_reserved": ("reserve", "reserved"),
            "dose_prepared": ("open", "opened"),
            "vials_closed": ("close empty", "empty"),
        }
        for step in self._pattern.steps:
            if step.kind == "dose_administered":
                # The infusion takes an hour, and is recorded when it has ended.
                self._now += timedelta(minutes=65)
            content = self._stamped(step, dose_id, subject, units, place)
            signatures = tuple(replace(each, signed_at=self._now) for each in step.signed)
            if step.kind in moved:
                name, after = moved[step.kind]
                yield self._move(step.kind, name, units, after, content, signatures=signatures)
            else:
                yield self._event(step.kind, content, signatures=signatures)

    def _whose(self) -> str:
        """The first subject now and then; else whoever is under treatment, and a new one when that has ended."""
        if self._doses % FREQUENT == 0:
            return _SUBJECT
        last = f"000-{self._others:03d}"
        if self._others == 1 or self._had.get(last, 0) >= DOSES_EACH:
            self._others += 1
        return f"000-{self._others:03d}"

    def _enrolled(self, subject: str) -> Iterator[Event]:
        on = self._now.date()
        self._enrolled_on[subject] = on.isoformat()
        facts = {"subject_number": subject, "birth": "1974-03-09", "initials": "RTK", "enrolled_on": on.isoformat()}
        yield self._event("subject_enrolled", facts)
        taken_on = (on - timedelta(days=7)).isoformat()
        entry = {"blasts_percent": "45", "taken_on": taken_on}
        yield self._event("marrow_recorded", {"entry": entry, "subject_number": subject})

    def _weighed(self, subject: str, given: int) -> Iterator[Event]:
        """The height once, the weight for every dose."""
        height = {"kind": "height", "typed_unit": "cm", "typed_value": "171", "value": "171"}
        weight = {"kind": "weight", "typed_unit": "kg", "typed_value": "70", "value": "70"}
        content = {
            "measured": [weight] if given else [height, weight],
            "measured_on": self._now.date().isoformat(),
            "subject_number": subject,
        }
        yield self._event("measurement_recorded", content)

    def _stamped(self, step: Step, dose_id: str, subject: str, units: Sequence[Unit], place: Content) -> Content:
        """A step of the pattern with this dose's number, subject, vials, day and times."""
        pattern, text, day = self._pattern, step.text, step.at.date().isoformat()
        for old, new in (
            (pattern.dose_id, dose_id),
            (f'"{_SUBJECT}"', f'"{subject}"'),
            *((unit, mine.number) for unit, mine in zip(pattern.units, units, strict=True)),
        ):
            text = text.replace(old, new)

        def moved(found: re.Match[str]) -> str:
            return f'"{(self._now + (datetime.fromisoformat(found[1]) - step.at)).isoformat()}"'

        text = re.sub(rf'"({day}T[^"]+)"', moved, text).replace(f'"{day}"', f'"{self._now.date().isoformat()}"')
        content: Content = json.loads(text)
        if "course" in content:
            content |= place
        if "decision" in content:
            facts = content["decision"]["facts"]
            facts |= place
            facts["height"]["measured_on"] = self._enrolled_on[subject]
        if "line" in content and "cycle_day" in content["line"]:
            content["line"]["cycle_day"] = f"C{place['cycle']} D{place['day']}"
        of = {unit.number: unit for unit in units}
        for draw in (*content.get("plan", {}).get("draws", ()), *content.get("preparation", {}).get("draws", ())):
            unit = of[draw["unit_number"]]
            draw |= {"strength_mg": unit.strength_mg, "lot": unit.lot, "expires_on": unit.expires_on}
        for closed in content.get("closed", ()):
            left = Decimal(of[closed["unit_number"]].strength_mg) - 1
            closed["discarded_mg"] = str(Decimal(closed["discarded_mg"]) + left)
        return content


def fill(store: SqlStore, lines: int, *, whole: bool = False, **how: Any) -> Books:
    """Append events until the ledger of a study that was set up has at least this many lines."""
    with store.read() as reader:
        head, there = reader.head(), reader.count_ledger(LedgerFilter())
    begins = datetime.fromisoformat(head.recorded_utc) if head.seq else datetime(2026, 1, 5, 15, tzinfo=SITE_TIME)
    books = (WholeBooks if whole else Books)(head.seq, head.hash, begins, **how)
    coming = books.events()
    while there < lines:
        with store.write() as writer:
            # An event brings a line or two; towards the end they come a few at a time.
            for event in islice(coming, max(min((lines - there) // 2, 5000), 1)):
                writer.append(event)
            there = writer.count_ledger(LedgerFilter())
    return books


# --- acts whose records are long ----------------------------------------------------------------------------------

MANY = 20
"""Of so many lines of the ledger there is one vial in the last weeks' shipment, count, return and destruction."""


@dataclass(frozen=True, slots=True)
class LastWeeks:
    """What the last weeks left to be printed, by number, and how many vials each of them is about."""

    visit: str
    shipment: str
    deviation: str
    count: str
    discrepancy: str
    returned: str
    transferred: str
    destroyed: str
    error: str
    vials: int


def last_weeks(day: "DemoDay", lines: int) -> LastWeeks:
    """After the made-up events, by the services themselves: a shipment of many vials that lies too warm, is missed in
    a count, and goes back; as many empty containers accounted for and destroyed; a visit that verifies and asks.
    """
    from pharmacy_app.demo import near_miss
    from pharmacy_app.demo_acts import vials_of
    from pharmacy_app.demo_stock import DEPOT, destroy, find_excursion, return_units, transfer, weigh_wrong
    from pharmacy_app.services.counts import CountForm, begin_count, record_count
    from pharmacy_app.services.disposition import AccountForm, account_for
    from pharmacy_app.services.packing_list import LotTyped
    from pharmacy_app.services.ports import ReviewFilter
    from pharmacy_app.services.queries import QueryForm, open_query
    from pharmacy_app.services.reviews import MOST_AT_ONCE, VerifyForm, seen, verify_entries
    from pharmacy_app.services.stock import ShipmentForm, receive
    from pharmacy_app.services.visits import OpenVisitForm, PlanForm, SignVisitForm, open_visit, plan_visit, sign_visit

    desk, many = day.desk, max(lines // MANY, 20)

    def later(minutes: int) -> None:
        day.clock.forward(minutes)

    plan = PlanForm("monitor", day.day(), day.day(3), "All that was recorded since the study began")
    visit = str(plan_visit(desk, day.act("monitor"), plan).content["visit"])
    open_visit(desk, day.act("monitor"), OpenVisitForm(visit))
    later(5)
    shipment = "SHP-LAST"
    typed = ShipmentForm(
        number=shipment,
        sender=DEPOT,
        shipped_on=day.day(-1),
        received_at=day.local(),
        logger_serial="TL-LAST",
        logger_state="no alarm",
        place="Refrigerator 1",
        lots=tuple(LotTyped("1", f"INO1-Z{number:03d}", "2041-03-31", str(many // 10)) for number in range(10)),
        packing_list="PL-LAST",
        min_celsius="3.4",
        max_celsius="6.1",
    )
    units = [vial["unit_number"] for vial in receive(desk, day.act("technician"), typed).content["vials"]]
    later(60 * 25)
    deviation = find_excursion(day)
    later(30)
    with desk.store.read() as reader:
        begun = begin_count(reader)
    later(10)
    counted = CountForm("Refrigerator 1", begun.begun_seq, codes=(units[0],), note="The carton was not found.")
    event = record_count(desk, day.act("technician"), counted, day.sign("technician"), day.sign("checker"))
    later(5)
    return_units(day, units[: many // 2], "Permission to return what lay too warm", "excursion")
    returned = f"RET-{_head(day)}"
    later(5)
    transfer(day, units[many // 2 :], "Site 001")
    transferred = f"TRF-{_head(day)}"
    later(5)
    containers = vials_of(day, "empty")[:many]
    form = AccountForm(containers, "Counted against the ledger, container by container.")
    account_for(desk, day.act("monitor"), form, day.sign("monitor"))
    later(5)
    before = _head(day)
    destroy(day, containers, "C-LAST")
    with desk.store.read() as reader:
        (gone,) = reader.events_between(("vials_destroyed",), before, reader.head().seq + 1)
        last_dose = reader.doses()[-1].dose_id
    near_miss(day, last_dose)
    with desk.store.read() as reader:
        error = reader.errors()[0].error_id
    weigh_wrong(day, _SUBJECT, "76", "67")
    for number in range(max(many // 25, 2)):
        later(1)
        about = QueryForm(f"Where is the source document of {units[number]}?", units[number], field="reference")
        open_query(desk, day.act("monitor"), about)
    for start in range(0, many, MOST_AT_ONCE):
        limit = min(MOST_AT_ONCE, many - start)
        with desk.store.read() as reader:
            entries = reader.review_entries(ReviewFilter(), by_risk=False, offset=2 * start + 100, limit=limit)
        later(1)
        verify_entries(desk, day.act("monitor"), VerifyForm(visit, seen(entries)))
    later(5)
    sign_visit(desk, day.act("monitor"), SignVisitForm(visit, "Read with the pharmacist."), day.sign("monitor"))
    return LastWeeks(
        visit,
        shipment,
        deviation,
        str(event.content["count_number"]),
        str(event.content["discrepancy"]),
        returned,
        transferred,
        f"DST-{gone.seq}",
        error,
        many,
    )


def _head(day: "DemoDay") -> int:
    with day.desk.store.read() as reader:
        return reader.head().seq


def whole_path(lines: int, folder: Path) -> Path:
    """Where the whole books of a size lie."""
    return folder / f"whole-{lines}.sqlite"


def make_whole(lines: int, folder: Path) -> LastWeeks:
    """The whole books of a size and what their last weeks left, made where they are not there yet."""
    from pharmacy_app.bootstrap import create_desk, url_of
    from pharmacy_app.demo import MovableClock, ProvenOnce, set_up

    path = whole_path(lines, folder)
    left = path.with_suffix(".json")
    if not path.exists() or not left.exists():
        folder.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        clock = MovableClock(datetime(2016, 1, 4, 15, tzinfo=UTC))
        desk = create_desk(url_of(new), clock=clock)
        day = set_up(replace(desk, secrets=ProvenOnce(desk.secrets)), clock)
        assert isinstance(desk.store, SqlStore)
        fill(desk.store, lines, whole=True, lots=3, shipment=60)
        with desk.store.read() as reader:
            clock.now = datetime.fromisoformat(reader.head().recorded_utc) + timedelta(days=1)
        left.write_text(json.dumps(asdict(last_weeks(day, lines))))
        desk.store.close()
        new.rename(path)
    return LastWeeks(**json.loads(left.read_text()))


def whole_people(lines: int, folder: Path, path: Path) -> "DemoDay":
    """A copy of the whole books of a size with its people signed in, a day after the last entry."""
    from pharmacy_app.bootstrap import open_desk, url_of
    from pharmacy_app.demo import DemoDay, MovableClock
    from pharmacy_app.services.desk import Session

    shutil.copyfile(whole_path(lines, folder), path)
    clock = MovableClock(datetime.now(UTC))
    desk = open_desk(url_of(path), clock=clock)
    with desk.store.read() as reader:
        clock.now = datetime.fromisoformat(reader.head().recorded_utc) + timedelta(days=1)
        sessions = {
            str(account.roles[0]): Session(
                account.account_id, account.printed_name, account.roles, "PHARMACY-1", account.user_name
            )
            for account in reader.accounts()
        }
    return DemoDay(desk, clock, sessions)
