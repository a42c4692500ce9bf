"""The machine: acts of several people chosen at random, legal and illegal, each judged by the model beforehand.

Before an act the model says why it must be refused, if it must. The program has to refuse exactly then, beside one of
the fields that the model names; whatever it accepts happens to the model too. After it both are compared.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.logger_files import Answers
from pharmacy_app.services.administration import AdministrationForm, ClosedTyped, CloseForm, administer, close_vials
from pharmacy_app.services.balance import lot_balances
from pharmacy_app.services.corrections import CorrectForm, correct, correctable
from pharmacy_app.services.counts import CountForm, begin_count, record_count
from pharmacy_app.services.desk import Act
from pharmacy_app.services.disposition import (
    AccountForm,
    DestroyForm,
    LossForm,
    ReturnForm,
    TakeBackForm,
    TransferForm,
    account_for,
    break_vials,
    destroy_vials,
    find_vials,
    miss_vials,
    return_vials,
    take_back,
    transfer_vials,
)
from pharmacy_app.services.documents import PURPOSES, SUPPORTERS_PERMISSION, DocumentForm, attach_document
from pharmacy_app.services.doses import CancelForm, DecideForm, cancel, order, record_decision
from pharmacy_app.services.expiry import ExpiryForm, extend_expiry
from pharmacy_app.services.labelling import LabelForm, ScanBackForm, print_bag_labels, print_labels, scan_back
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.past import PastForm, past
from pharmacy_app.services.periods import PeriodForm, sign_period
from pharmacy_app.services.places import ClosePlaceForm, PlaceForm, add_place, close_place
from pharmacy_app.services.ports import LedgerFilter, PastFilter
from pharmacy_app.services.preparation import (
    PrepareForm,
    ReleaseForm,
    ReserveForm,
    prepare,
    release,
    reserve,
    verify_dose,
)
from pharmacy_app.services.printing import print_worksheet
from pharmacy_app.services.stock import (
    PermissionForm,
    QuarantineForm,
    quarantine,
    receive,
    release_shipment,
    release_with_document,
)
from pharmacy_app.services.storage import BY_HAND, DeviationForm, UpdateForm, record_deviation, update_deviation
from pharmacy_app.services.transport import TransportForm, transport
from pharmacy_app.services.views import LedgerLine
from tests.conftest import Template
from tests.properties.pharmacy_model import (
    CONTAINERS,
    DOSE,
    LABELLED,
    MG_PER_ML,
    ON_A_SHELF,
    ON_SITE,
    STARTS,
    UNOPENED,
    USED,
    Before,
    Bottle,
    Content,
    Deviation,
    Dose,
    Entry,
    Extension,
    Fact,
    Label,
    Letter,
    Model,
    Stand,
    day_of,
    local,
    midnight,
    read_clock,
    typed,
)
from tests.properties.twin import Twin
from tests.services.leaving import CARRIER
from tests.services.pharmacy import MONDAY, PEOPLE, Clock, Pharmacy

NUMBERS = st.integers(0, 2**24 - 1)

PHARMACISTS = frozenset({"paula", "quentin"})
STAFF = PHARMACISTS | {"tim"}
HANDS = STAFF | {"carla"}
MONITOR = frozenset({"mona"})
WHO = {
    "receive": STAFF,
    "release": PHARMACISTS,
    "scan back": HANDS,
    "permit": PHARMACISTS,
    "quarantine": STAFF,
    "break": HANDS,
    "miss": HANDS,
    "find": HANDS,
    "transport": HANDS,
    "account": MONITOR,
    "return": PHARMACISTS,
    "transfer": PHARMACISTS,
    "destroy": HANDS,
    "take back": STAFF,
    "count": HANDS,
    "deviation": HANDS,
    "look again": STAFF,
    "expiry": PHARMACISTS,
    "period": MONITOR,
    "reserve": PHARMACISTS,
    "check": PHARMACISTS | {"carla"},
    "prepare": STAFF,
    "hand over": PHARMACISTS,
    "give": PHARMACISTS,
    "close": STAFF,
    "cancel": PHARMACISTS,
    "place": PHARMACISTS | {"robin"},
    "correct": HANDS,
    "take back accountability": MONITOR,
}
"""Who may do what; the monitor moves no vial, the technician releases none, and only the monitor accounts."""

ODD_TIMES = ("2026-03-08 01:59", "2026-03-08 02:30", "2026-03-08 03:00", "2026-11-01 00:59", "2026-11-01 01:30")
"""Minutes about the two nights in which the clocks change; 2:30 of the first never was."""

STARTS_AT = (
    MONDAY,
    datetime(2026, 3, 7, 20, 5, 17, tzinfo=UTC),
    datetime(2026, 10, 31, 18, 40, 50, tzinfo=UTC),
)
"""A Monday morning, the afternoons before the two nights in which the clocks change."""

AWAY = ("break", "miss", "return", "transfer")
"""Acts after which a vial is out of the books of the shelf."""

EXPIRIES = {"A1": date(2027, 3, 31), "B2": date(2027, 3, 31), "C3": date(2026, 3, 9), "D4": date(2026, 11, 1)}
"""The lots, two of which expire while the machine runs."""


@dataclass(frozen=True, slots=True)
class Why:
    """A reason for which an act must be refused, and the field beside which it is said ('' for none)."""

    field: str
    words: str


@dataclass(frozen=True, slots=True)
class When:
    """When an act is said to have been done."""

    typed: str
    late_why: str
    done: datetime | None
    whys: tuple[Why, ...]


@dataclass(slots=True)
class Tally:
    """What the machine did, over all its runs."""

    runs: int = 0
    steps: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    unforeseen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def words(self) -> str:
        """One line for people: how much was done, and what was refused for reasons that the model does not know."""
        unknown = ", ".join(f"{name}: {rule} {count}" for (name, rule), count in sorted(self.unforeseen.items()))
        return (
            f"{self.steps:,} steps in {self.runs} runs: {sum(self.accepted.values()):,} acts accepted,"
            f" {sum(self.refused.values()):,} refused as foreseen, {sum(self.unforeseen.values())} refused by rules of"
            f" dosing on a later day ({unknown or 'none'})"
        )


class Dice:
    """All choices of one step, by its number: what fails is made short by leaving whole steps out."""

    def __init__(self, number: int) -> None:
        self._random = Random(number)

    def upto(self, count: int) -> int:
        return self._random.randrange(count)

    def odd(self, percent: int) -> bool:
        """True so often in a hundred times."""
        return self._random.randrange(100) < percent

    def pick(self, options: Iterable[Any]) -> Any:
        of = list(options)
        return of[self.upto(len(of))]

    def some(self, options: Iterable[str], most: int) -> tuple[str, ...]:
        """Up to so many different ones, at least one where there is any."""
        left, chosen = list(options), []
        for _ in range(1 + self.upto(most)):
            if left:
                chosen.append(left.pop(self.upto(len(left))))
        return tuple(chosen)


class PharmacyMachine(RuleBasedStateMachine):
    """One pharmacy from an empty shelf on."""

    template: Template
    tally = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "study.sqlite"
        self.clock = Clock()
        self.pharmacy: Pharmacy = self.template.copy_to(path, self.clock)
        self.desk = self.pharmacy.desk
        self.twin = Twin(path)
        self.model = Model(places={"Refrigerator 1": "refrigerator", "Refrigerator 2": "refrigerator"})
        self.last: tuple[Callable[[Act], Any], Act] | None = None
        self.begun: tuple[str, int] | None = None
        self.serial = 0
        self.changed = True
        self.whole = True  # no step was left half-way: what failed is told, and not what came of it
        self.tally.runs += 1

    def teardown(self) -> None:
        try:
            if self.whole:
                self.ledger_balances(self.now, known_now=False)
                self.balances_of_parts()
                self.signed_balances_stand()
                self.pharmacy.assert_sound()
        finally:
            self.twin.close()
            self.desk.store.close()
            self.folder.cleanup()

    @property
    def now(self) -> datetime:
        return self.clock()

    # --- doing an act

    def act(
        self,
        name: str,
        user: str,
        whys: Iterable[Why],
        do: Callable[[Act], Any],
        *,
        maybe: bool = False,
        says: object = "",
    ) -> Event | None:
        """Do it; the event when it was accepted. ``maybe``: rules of dosing, which the model lacks, may refuse it."""
        reasons, act = list(whys), Act(self.pharmacy.sessions[user])
        told = f"{typed(self.now)} {user}: {name} {says}"
        try:
            done = do(act)
        except Refused as refused:
            note(f"{told} – refused: {refused}")
            assert all(event.kind == "access_denied" for event in self.twin.follow()), f"{told} left something"
            fields = {fault.field for fault in refused.faults}
            rules = " ".join(sorted({fault.rule or fault.field for fault in refused.faults}))
            if not reasons:
                assert maybe, f"{told} was refused: {refused}"
                self.tally.unforeseen[name, rules] += 1
                return None
            expected = {why.field for why in reasons}
            assert fields & expected, f"{told} was refused beside {fields}, not {expected} ({reasons}): {refused}"
            self.tally.refused[name, rules] += 1
            return None
        event: Event = getattr(done, "event", done)
        note(f"{told} – entry {event.seq}")
        assert not reasons, f"{told} was accepted as entry {event.seq}, though {[why.words for why in reasons]}"
        self.tally.accepted[name] += 1
        assert [each.seq for each in self.twin.follow()] == [event.seq]
        assert event.recorded_at == self.now
        self.last = (do, act)
        self.changed = True
        return event

    def besides(self, do: Callable[[], Any]) -> Any:
        """What is done so that others can be, and must succeed."""
        done = do()
        self.twin.follow()
        return done

    def who(self, dice: Dice, name: str) -> tuple[str, list[Why]]:
        may = WHO[name]
        user = dice.pick(sorted(PEOPLE)) if dice.odd(4) else dice.pick(sorted(may))
        return user, [] if user in may else [Why("", f"{user} may not: {name}")]

    def second(self, dice: Dice, name: str, first: str) -> tuple[str, list[Why]]:
        """Who signs as the second person."""
        if dice.odd(3):
            return first, [Why("witness_user_name", "the same person twice")]
        others = sorted(WHO[name] - {first})
        if not others or dice.odd(2):
            other = "mona" if first != "mona" else "robin"
            return other, [] if other in WHO[name] else [Why("witness_password", f"{other} may not sign: {name}")]
        return dice.pick(others), []

    def when(self, dice: Dice, units: Iterable[str] = ()) -> When:
        """A time as it is typed, and what the model says of it for moves of these vials."""
        kind = dice.upto(20)
        text = ""
        if kind >= 9:
            ago = timedelta(minutes=dice.upto(90))
            if kind >= 11:
                # Since these vials moved last, so that the time itself is no reason to refuse.
                since = (self.now - self.model.last_done(units)) // timedelta(minutes=1)
                ago = timedelta(minutes=dice.upto(1 + min(since, 4 * 24 * 60)))
            if kind >= 16:
                ago = timedelta(minutes=dice.upto(4 * 24 * 60))
            if kind == 18:
                ago = -timedelta(minutes=1 + dice.upto(200))
            text = typed(self.now - ago)
        if kind == 19:
            text = dice.pick(ODD_TIMES)
        late_why = "" if dice.odd(25) else "seen too late"
        if not text:
            return When(text, late_why, self.now, tuple(self.in_order(units, self.now)))
        done = read_clock(text)
        whys = self.judged(done, late_why)
        return When(text, late_why, done, (*whys, *(self.in_order(units, done) if done else ())))

    def judged(self, done: datetime | None, late_why: str) -> list[Why]:
        """What stands against a time, whatever is done at it."""
        if done is None:
            return [Why("done_at", "that minute never was")]
        whys = []
        if done > self.now:
            whys.append(Why("done_at", "in the future"))
        if done < self.model.signed_until:
            whys.append(Why("done_at", "in a signed period"))
        if day_of(done) < day_of(self.now) and not late_why:
            whys.append(Why("late_why", "a late entry without a reason"))
        return whys

    def in_order(self, units: Iterable[str], done: datetime) -> list[Why]:
        return [Why("done_at", "before a vial's last move")] if self.model.last_done(units) > done else []

    def vials(self, dice: Dice, good: Callable[[Bottle], bool], most: int = 3) -> tuple[str, ...]:
        """Some vials: mostly such as the act is for."""
        every = self.model.vials.values()
        fit = [vial.unit for vial in every if good(vial)]
        if dice.odd(15) or not fit:
            return () if dice.odd(10) else dice.some(self.model.vials, most)
        return dice.some(fit, most)

    def states(self, units: tuple[str, ...], name: str) -> list[Why]:
        """Why vials in their states cannot make a move."""
        at = "unit_number" if name in ("break", "miss", "find", "return", "transfer", "destroy") else "unit_numbers"
        wrong = [vial.state for vial in self.model.of(*units) if vial.state not in STARTS[name]]
        whys = [Why(at, f"{state} cannot: {name}") for state in wrong]
        if name in ("transport", "take back"):
            whys += [Why("unit_number", why.words) for why in whys]
        return whys if units else [Why("unit_numbers", "no vial")]

    def moved(
        self,
        event: Event,
        kind: str,
        units: tuple[str, ...],
        state: str | dict[str, str],
        when: datetime,
        *,
        reason: str | None = None,
        way: str = "move",
    ) -> Entry:
        """The vials are in another state, all in one or each in its own, by an entry that may be taken back."""
        entry = Entry(event.seq, kind, way, when, units, self.model.before(units))
        self.model.entries[event.seq] = entry
        for unit in units:
            after = state if isinstance(state, str) else state[unit]
            self.model.to_state((unit,), event.seq, self.now, after, when)
        if reason is not None:
            for vial in self.model.of(*units):
                if kind == "find" and vial.state != "quarantined":
                    continue
                vial.reason, vial.also = reason, False
        return entry

    def document(self, about: str = "", kind: str = SUPPORTERS_PERMISSION) -> str:
        """Attach a document; its number."""
        self.serial += 1
        form = DocumentForm(
            "Letter", kind, about, "Dr. A. Ito, Pfizer", self.pharmacy.day(), "letter.txt", permits=PURPOSES
        )
        content = f"Letter {self.serial}.".encode()
        paula = self.pharmacy.act("paula")
        event = self.besides(partial(attach_document, self.desk, paula, form, content))
        number = str(event.content["document_id"])
        self.model.documents[number] = Letter(kind, about, day_of(self.now), event.seq)
        return number

    def some_document(self, dice: Dice) -> tuple[str, list[Why]]:
        """A permission that is attached, seldom something else."""
        if dice.odd(3):
            return "", [Why("permission", "no document")]
        if dice.odd(8):
            return self.document(kind="letter"), [Why("permission", "only a letter")]
        known = [number for number, letter in self.model.documents.items() if letter.kind == SUPPORTERS_PERMISSION]
        return (dice.pick(known[-2:]) if known else self.document()), []

    # --- the beginning

    @initialize(number=NUMBERS)
    def first_shipments(self, number: int) -> None:
        dice = Dice(number)
        self.besides(lambda: None)
        self.clock.now = dice.pick(STARTS_AT)
        for name, kind in (("Shelf", "quarantine shelf"), ("Ward 4", "satellite")):
            form = PlaceForm(name, kind, "room 2", "yes")
            self.besides(partial(add_place, self.desk, self.pharmacy.act("paula"), form))
            self.model.places[name], self.model.added[name] = kind, self.now
        for strength, lot, count in (("1", "A1", 5), ("4", "B2", 3)):
            shipment = f"S-{len(self.model.shipments) + 1}"
            self.receives(
                dice, shipment, (strength, lot, count), "no alarm", "Refrigerator 1", "tim", When("", "", None, ())
            )
            self.releases("paula", shipment, [])

    # --- receiving and releasing

    def receives(
        self,
        dice: Dice,
        number: str,
        lot: tuple[str, str, int],
        logger: str,
        place: str,
        user: str,
        when: When,
        whys: Iterable[Why] = (),
    ) -> None:
        strength, name, count = lot
        expires_on = self.model.expiry.get((strength, name), EXPIRIES[name])
        received = when.done or self.now
        form = self.pharmacy.shipment(
            number,
            (LotTyped(strength, name, expires_on.isoformat(), str(count)),),
            shipped_on=(day_of(received) - timedelta(1)).isoformat(),
            received_at=when.typed,
            late_why=when.late_why,
            logger_state=logger,
            place=place,
        )
        event = self.act(
            "receive", user, whys, lambda act: receive(self.desk, act, form), says=(number, lot, logger, place, when)
        )
        if event is None:
            return
        done = when.done or self.now
        expired = expires_on < day_of(done)
        reason = ("alarm" if logger == "alarm" else "") + ("expired" if expired else "")
        units = tuple(vial["unit_number"] for vial in event.content["vials"])
        assert len(units) == count
        assert not self.model.vials.keys() & set(units), "a unit number was used twice"
        stand = Stand(strength, name, place, "held")
        for unit in units:
            vial = Bottle(unit, number, stand, reason)
            vial.facts.append(Fact(event.seq, done, self.now, done, None, stand))
            self.model.vials[unit] = vial
        self.model.expiry[strength, name] = expires_on
        self.model.shipments[number] = event.seq
        self.model.came_to[number] = (user, place)
        label = Label(units, strength, name, expires_on)
        self.model.entries[event.seq] = Entry(event.seq, "receive", "receipt", done, units, labels=[label])
        self.lay_there_too(event, units, {place}, done, done)
        if not dice.odd(20):
            self.scans_back("tim", units, [])

    def labels_are_scanned_back(self, dice: Dice) -> None:
        user, whys = self.who(dice, "scan back")
        units = self.vials(dice, lambda vial: vial.state in UNOPENED and not vial.scanned, 4)
        self.scans_back(user, units, whys)

    def scans_back(self, user: str, units: tuple[str, ...], whys: list[Why]) -> None:
        """Print the labels that are not there or say something else than the vial is, put them on, scan each."""
        new = tuple(unit for unit in units if not self.model.vials[unit].label_right)
        vials = self.model.of(*units)
        if new and all(vial.state in UNOPENED for vial in vials):
            tim, form = self.pharmacy.act("tim"), LabelForm("vial", new, "not there, or wrong")
            self.besides(lambda: print_labels(self.desk, tim, form))
            for vial in self.model.of(*new):
                vial.label_right = True
        whys += [Why("codes", "nothing scanned")] if not units else []
        for place, vial in enumerate(vials):
            if vial.state not in UNOPENED or vial.scanned:
                whys.append(Why(f"codes.{place}", f"{vial.state}, {'scanned already' if vial.scanned else ''}"))
        scans = ScanBackForm(self.pharmacy.codes(*units))
        act_of = lambda act: scan_back(self.desk, act, scans)  # noqa: E731
        if self.act("scan back", user, whys, act_of, says=units):
            for vial in vials:
                vial.scanned = True

    def shipment_arrives(self, dice: Dice) -> None:
        user, whys = self.who(dice, "receive")
        number = f"S-{len(self.model.shipments) + 1}"
        if dice.odd(5):
            number = dice.pick(("S-1", "s-1"))
            whys.append(Why("number", "received already"))
        lot = (dice.pick(("1", "1", "4")), dice.pick(EXPIRIES), 1 + dice.upto(5))
        place = dice.pick(self.model.open_places())
        logger = "alarm" if dice.odd(25) else "no alarm"
        when = self.when(dice)
        whys += self.not_there_yet(place, when, "received_at")
        fields = [Why("received_at", why.words) if why.field == "done_at" else why for why in when.whys]
        self.receives(dice, number, lot, logger, place, user, when, [*whys, *when.whys, *fields])

    def releases(self, user: str, number: str, whys: list[Why]) -> None:
        clear = tuple(
            vial.unit
            for vial in self.model.vials.values()
            if vial.shipment == number and vial.state == "held" and not vial.reason
        )
        if not clear:
            whys.append(Why("number", "nothing to release"))
        if any(self.on_a_shelf(vial) or self.model.shut(vial.stand.place) for vial in self.model.of(*clear)):
            whys.append(Why("unit_numbers", "usable vials on a quarantine shelf, or where it is too warm"))
        whys += self.alone_at_a_satellite(user, clear)
        event = self.act("release", user, whys, lambda act: release_shipment(self.desk, act, number), says=number)
        if event:
            self.moved(event, "release", clear, "available", self.now, reason="")

    def alone_at_a_satellite(self, user: str, units: Iterable[str]) -> list[Why]:
        """At a satellite nobody puts into use alone what he received there."""
        for vial in self.model.of(*units):
            place = vial.stand.place
            if self.model.places[place] == "satellite" and self.model.came_to[vial.shipment] == (user, place):
                return [Why("number", f"{user} received it at {place}")]
        return []

    def not_there_yet(self, place: str, when: When, field: str = "done_at") -> list[Why]:
        """Nothing lay in a place before it was added, on the minute."""
        added = self.model.added.get(place)
        if added is None or not when.typed or when.done is None or place in self.model.closed_places:
            return []
        return [Why(field, "before the place was added")] if when.done < added.replace(second=0, microsecond=0) else []

    def lay_there_too(
        self, event: Event, units: Iterable[str], places: set[str], since: datetime, done: datetime
    ) -> None:
        """A late entry names what lay through a deviation by it, and keeps it back at once."""
        expected, effective = set(), since
        for unit in units:
            vial = self.model.vials[unit]
            through = [each for place in places for each in self.model.went_on_after(place, since)]
            through = [each for each in through if unit not in each.may_be_used and vial.state in UNOPENED]
            expected |= {(each.number, unit) for each in through}
            if not through:
                continue
            for each in through:
                each.may_be_used[unit], each.known[unit] = False, (event.seq, self.now)
            vial.also = vial.kept_back_besides()
            vial.reason = "storage deviation"
            if vial.state in STARTS["quarantine"] and vial.last.before is not None:
                after = replace(vial.stand, state="quarantined")
                self.model.move(unit, event.seq, self.now, after, done, effective)
        named = {(str(each["deviation_id"]), str(each["unit_number"])) for each in event.content.get("exposed", ())}
        assert named == expected, f"entry {event.seq} names {sorted(named)}, not {sorted(expected)}"

    def on_a_shelf(self, vial: Bottle) -> bool:
        return self.model.places[vial.stand.place] == "quarantine shelf"

    def shipment_is_released(self, dice: Dice) -> None:
        user, whys = self.who(dice, "release")
        waiting = sorted({vial.shipment for vial in self.model.vials.values() if vial.state == "held"})
        number = dice.pick(waiting) if waiting and not dice.odd(15) else f"S-{1 + dice.upto(10)}"
        self.releases(user, number, whys)

    def supporter_permits(self, dice: Dice) -> None:
        user, whys = self.who(dice, "permit")
        units = self.vials(dice, lambda vial: vial.state in STARTS["permit"])
        vials = self.model.of(*units)
        whys += self.states(units, "permit")
        if dice.odd(75) or not vials:
            permission, of_it = self.some_document(dice)
            whys += of_it
        else:
            about = dice.pick((vials[0].unit, f"lot {vials[0].stand.lot}", f"shipment {vials[0].shipment}", "X"))
            if about == "X":
                about = dice.pick([*self.model.deviations, ""])
            of_lot = [vial for vial in self.model.vials.values() if about == f"lot {vial.stand.lot}"]
            with self.desk.store.read() as reader:
                names = [f"lot {lot}" for _, lot, _ in reader.lots()]
            if about.startswith("lot") and (
                all(vial.state == "never received" for vial in of_lot) or names.count(about) > 1
            ):
                about = ""  # there is no such lot, or there were two of that name
            permission = self.document(about)
        letter = self.model.documents.get(permission, Letter())
        about = letter.about
        whys += self.permission_covers(about, vials)
        whys += self.cannot_know(permission, vials)
        if any(self.on_a_shelf(vial) or self.model.shut(vial.stand.place) for vial in vials):
            whys.append(Why("unit_numbers", "usable vials on a quarantine shelf, or where it is too warm"))
        whys += self.alone_at_a_satellite(user, units)
        event = self.act(
            "permit",
            user,
            whys,
            lambda act: release_with_document(self.desk, act, PermissionForm(units, permission)),
            says=(units, permission, about),
        )
        if event:
            entry = self.moved(event, "permit", units, "available", self.now, reason="")
            for deviation in self.model.deviations.values():
                for unit in deviation.may_be_used.keys() & set(units):
                    if about in ("", deviation.number) or not about.startswith("X"):
                        deviation.may_be_used[unit] = True
                        entry.decides = True

    def says_nothing_of(self, about: str, vials: list[Bottle], field: str = "permission") -> list[Why]:
        """What stands against a document that is about one thing only."""
        return [
            Why(field, f"it is about {about}")
            for vial in vials
            if (about.startswith("V") and about != vial.unit)
            or (about.startswith("lot ") and about != f"lot {vial.stand.lot}")
            or (about.startswith("shipment ") and about != f"shipment {vial.shipment}")
            or (about.startswith("X") and vial.unit not in self.model.deviations[about].may_be_used)
        ]

    def cannot_know(self, permission: str, vials: list[Bottle]) -> list[Why]:
        """Vials that are kept back by what came after a permission was written."""
        letter = self.model.documents.get(permission)
        if letter is None:
            return []
        return [
            Why("permission", "it cannot know that a vial was taken out of use")
            for vial in vials
            if vial.state in ("held", "quarantined") and self.model.knew_not(letter, vial)
        ]

    def not_permitted(self, permission: str, vials: list[Bottle], when: When) -> list[Why]:
        """What stands against what is done to vials by a permission: of what it speaks, and of which day it is."""
        letter = self.model.documents.get(permission)
        if letter is None or letter.kind != SUPPORTERS_PERMISSION:
            return []
        whys = [*self.says_nothing_of(letter.about, vials), *self.cannot_know(permission, vials)]
        if when.done is not None and day_of(when.done) < letter.dated_on:
            whys.append(Why("done_at", "before it was permitted"))
        return whys

    def permission_covers(self, about: str, vials: list[Bottle]) -> list[Why]:
        """What stands against a release by a permission that is about one thing only."""
        whys = self.says_nothing_of(about, vials)
        for vial in vials:
            by_deviation = vial.reason.startswith("storage deviation")
            if about.startswith("X") and (vial.also or (vial.reason and not by_deviation)):
                whys.append(Why("permission", "the vial is kept back for another reason too"))
            for deviation in self.model.deviations.values():
                undecided = deviation.may_be_used.get(vial.unit) is False
                if about.startswith("X") and about != deviation.number and undecided:
                    whys.append(Why("permission", f"{deviation.number} is open too"))
        return whys

    def vials_are_quarantined(self, dice: Dice) -> None:
        user, whys = self.who(dice, "quarantine")
        units = self.vials(dice, lambda vial: vial.state in STARTS["quarantine"])
        when = self.when(dice, units)
        form = QuarantineForm(units, "power failure", when.typed, when.late_why)
        event = self.act(
            "quarantine",
            user,
            [*whys, *self.states(units, "quarantine"), *when.whys],
            lambda act: quarantine(self.desk, act, form),
            says=(units, when),
        )
        if event:
            assert when.done is not None
            self.moved(event, "quarantine", units, "quarantined", when.done, reason="power failure")

    # --- broken, missing, found, gone

    def loses(self, dice: Dice, name: str, state: str, service: Callable[..., Event]) -> None:
        user, whys = self.who(dice, name)
        other, of_other = self.second(dice, name, user)
        units = self.vials(dice, lambda vial: vial.state in STARTS[name], 2)
        when = self.when(dice, units)
        place = dice.pick(["", *self.model.places]) if name == "find" else ""
        if name == "find":
            lie = {place} if place else {vial.stand.place for vial in self.model.of(*units)}
            if lie & self.model.closed_places:
                whys.append(Why("place", "the place is closed"))
            whys += self.not_there_yet(place, when, "place")
        form = LossForm(units, "it fell", when.typed, when.late_why, place)
        own, second = self.pharmacy.sign(user), self.pharmacy.sign(other)
        event = self.act(
            name,
            user,
            [*whys, *of_other, *self.states(units, name), *when.whys],
            lambda act: service(self.desk, act, form, own, second),
            says=(units, other, when),
        )
        if event:
            assert when.done is not None
            reason = "found after it was missing: it fell" if name == "find" else None
            # A used container is lost, and found as what it was.
            states = {
                vial.unit: "lost" if name == "miss" and vial.state in USED else vial.was_before_lost() or state
                for vial in self.model.of(*units)
            }
            self.moved(event, name, units, states, when.done, reason=reason)
            for vial in self.model.of(*units) if name == "find" else ():
                lies = place or vial.stand.place
                if lies != vial.stand.place:
                    after = replace(vial.stand, place=lies)
                    self.model.move(vial.unit, event.seq, self.now, after, when.done)
            if name == "find":
                kept_back = [vial.unit for vial in self.model.of(*units) if vial.state == "quarantined"]
                self.lay_there_too_each(event, kept_back, when.done)

    def lay_there_too_each(self, event: Event, units: Iterable[str], since: datetime) -> None:
        """The same for vials that are at places of their own."""
        by_place: dict[str, list[str]] = {}
        for vial in self.model.of(*units):
            by_place.setdefault(vial.stand.place, []).append(vial.unit)
        said = event.content.get("exposed", ())
        for place, there in by_place.items():
            part = [each for each in said if each["unit_number"] in there]
            self.lay_there_too(replace(event, content={"exposed": part}), there, {place}, since, since)

    def vials_break(self, dice: Dice) -> None:
        self.loses(dice, "break", "broken", break_vials)

    def vials_are_missing(self, dice: Dice) -> None:
        self.loses(dice, "miss", "missing", miss_vials)

    def vials_are_found(self, dice: Dice) -> None:
        self.loses(dice, "find", "quarantined", find_vials)

    def vials_leave(self, dice: Dice) -> None:
        name = dice.pick(("return", "transfer"))
        user, whys = self.who(dice, name)
        units = self.vials(dice, lambda vial: vial.state in STARTS[name], 2)
        when = self.when(dice, units)
        permission, of_it = self.some_document(dice)
        original = "" if dice.odd(4) else "yes"
        if not original:
            whys.append(Why("in_original_containers", "not in the original containers"))
        own = self.pharmacy.sign(user)
        back = ReturnForm(units, permission, "Depot", "unused", original, CARRIER, "", when.typed, when.late_why)
        away = TransferForm(units, permission, "Site 18", "short", original, CARRIER, "", when.typed, when.late_why)
        event = self.act(
            name,
            user,
            [
                *whys,
                *of_it,
                *self.not_permitted(permission, self.model.of(*units), when),
                *self.states(units, name),
                *when.whys,
            ],
            lambda act: (
                return_vials(self.desk, act, back, own)
                if name == "return"
                else transfer_vials(self.desk, act, away, own)
            ),
            says=(units, when),
        )
        if event:
            assert when.done is not None
            self.moved(event, name, units, "returned" if name == "return" else "transferred", when.done)

    def monitor_accounts(self, dice: Dice) -> None:
        user, whys = self.who(dice, "account")
        units = self.vials(dice, lambda vial: vial.state in USED and not vial.accounted_by)
        whys += self.states(units, "account")
        for vial in self.model.of(*units):
            if vial.accounted_by:
                whys.append(Why("unit_numbers", "accounted for already"))
            if vial.unit in self.model.mg and self.model.mg[vial.unit].residue is None:
                whys.append(Why("unit_numbers", "its content is not closed"))
        own = self.pharmacy.sign(user)
        event = self.act(
            "account", user, whys, lambda act: account_for(self.desk, act, AccountForm(units), own), says=units
        )
        if event:
            for vial in self.model.of(*units):
                vial.accounted_by = event.seq
            self.model.entries[event.seq] = Entry(event.seq, "account", "accounted", self.now, units)

    def containers_are_destroyed(self, dice: Dice) -> None:
        user, whys = self.who(dice, "destroy")
        other, of_other = self.second(dice, "destroy", user)
        units = self.vials(
            dice, lambda vial: vial.state in USED and (bool(vial.accounted_by) or self.clock.now.second % 3 == 0)
        )
        when = self.when(dice, units)
        permission, of_it = self.some_document(dice)
        whys += self.not_permitted(permission, self.model.of(*units), when)
        for vial in self.model.of(*units):
            if vial.state in USED and not vial.accounted_by:
                whys.append(Why("unit_numbers", "the monitor has not accounted for it"))
            elif vial.accounted_by and when.done and when.done < self.model.entries[vial.accounted_by].effective:
                whys.append(Why("done_at", "before the monitor accounted for it"))
        form = DestroyForm(units, permission, "incineration", "box 7", done_at=when.typed, late_why=when.late_why)
        own, second = self.pharmacy.sign(user), self.pharmacy.sign(other)
        event = self.act(
            "destroy",
            user,
            [*whys, *of_other, *of_it, *self.states(units, "destroy"), *when.whys],
            lambda act: destroy_vials(self.desk, act, form, own, second),
            says=(units, other, when),
        )
        if event:
            assert when.done is not None
            self.moved(event, "destroy", units, "destroyed", when.done)

    # --- places

    def vials_are_carried(self, dice: Dice) -> None:
        user, whys = self.who(dice, "transport")
        to_place = dice.pick(self.model.places)
        kind = self.model.places[to_place]
        units = self.vials(
            dice,
            lambda vial: (
                vial.state in STARTS["transport"]
                and vial.stand.place != to_place
                and (kind != "quarantine shelf" or vial.state in ON_A_SHELF)
            ),
        )
        when = self.when(dice, units)
        vials = self.model.of(*units)
        satellite = "satellite" in {kind, *(self.model.places[vial.stand.place] for vial in vials)}
        receiver = ""
        if satellite and not dice.odd(10):
            receiver, of_other = self.second(dice, "transport", user)
            whys += of_other
        elif satellite:
            whys.append(Why("witness_user_name", "nobody signs at the satellite"))
        if to_place in self.model.closed_places:
            whys.append(Why("to_place", "the place is closed"))
        for vial in vials:
            if vial.stand.place == to_place:
                whys.append(Why("unit_numbers", "it lies there already"))
            if kind == "quarantine shelf" and vial.state not in ON_A_SHELF:
                whys.append(Why("unit_numbers", "not for a quarantine shelf"))
            if vial.state == "available" and any(
                each.lasts and each.place == to_place and vial.unit in each.may_be_used
                for each in self.model.deviations.values()
            ):
                whys.append(Why("unit_numbers", "permitted, and back where it is too warm still"))
        whys += self.not_there_yet(to_place, when)
        form = TransportForm(units, to_place, "Tim", done_at=when.typed, late_why=when.late_why)
        signed = self.pharmacy.sign(receiver) if receiver else None
        event = self.act(
            "transport",
            user,
            [*whys, *self.states(units, "transport"), *when.whys],
            lambda act: transport(self.desk, act, form, signed),
            says=(units, to_place, receiver, when),
        )
        if event:
            assert when.done is not None
            entry = Entry(event.seq, "transport", "move", when.done, units, self.model.before(units))
            self.model.entries[event.seq] = entry
            for vial in vials:
                self.model.move(vial.unit, event.seq, self.now, replace(vial.stand, place=to_place), when.done)
            self.lay_there_too(event, units, {to_place}, when.done, when.done)

    def place_is_closed_or_added(self, dice: Dice) -> None:
        user, whys = self.who(dice, "place")
        if dice.odd(50) and len(self.model.places) < 8:
            name = f"Place {len(self.model.places) + 1}"
            kind = dice.pick(("refrigerator", "quarantine shelf", "satellite"))
            form = PlaceForm(name, kind, "room 3", "yes")
            if self.act("place", user, whys, lambda act: add_place(self.desk, act, form), says=form):
                self.model.places[name], self.model.added[name] = kind, self.now
            return
        name = dice.pick(self.model.places)
        used = {vial.stand.place for vial in self.model.vials.values() if vial.state in ON_SITE}
        left = [place for place in self.model.open_places() if self.model.places[place] == "refrigerator"]
        if name in self.model.closed_places or name in used or left == [name]:
            whys.append(Why("name", "closed, in use or the last refrigerator"))
        if self.act(
            "place", user, whys, lambda act: close_place(self.desk, act, ClosePlaceForm(name, "moved")), says=name
        ):
            self.model.closed_places.add(name)

    # --- counts, deviations, expiry, periods

    def place_is_counted(self, dice: Dice) -> None:
        """Begin a count, or hand in the one that was begun."""
        if self.begun is None:
            with self.desk.store.read() as reader:
                self.begun = (dice.pick(self.model.open_places()), begin_count(reader).begun_seq)
            if dice.odd(70):
                return
        place, begun_seq = self.begun
        self.begun = None
        user, whys = self.who(dice, "count")
        other, of_other = self.second(dice, "count", user)
        there = [
            vial.unit for vial in self.model.vials.values() if vial.stand.place == place and vial.state in UNOPENED
        ]
        found = there
        if dice.odd(30) and there:
            lost = dice.pick(there)
            found = [unit for unit in there if unit != lost]
        if dice.odd(20):
            found = sorted({*found, dice.pick(self.model.vials)})
        if place in self.model.closed_places:
            whys.append(Why("place", "the place is closed"))
        if self.model.moved_at(place, begun_seq):
            whys.append(Why("begun_seq", "vials moved meanwhile"))
        form = CountForm(place, begun_seq, codes=tuple(found), nothing_there="yes")
        own, second = self.pharmacy.sign(user), self.pharmacy.sign(other)
        event = self.act(
            "count",
            user,
            [*whys, *of_other],
            lambda act: record_count(self.desk, act, form, own, second),
            says=(place, found, other),
        )
        if event:
            assert bool(event.content["discrepancy"]) is (sorted(found) != sorted(there)), "the count's difference"

    def place_was_too_warm(self, dice: Dice) -> None:
        user, whys = self.who(dice, "deviation")
        place = dice.pick(self.model.places)
        ends = self.now - timedelta(minutes=1 + dice.upto(30 * 60 if dice.odd(50) else 90))
        started = typed(ends - timedelta(minutes=1 + dice.upto(24 * 60)))
        ended = typed(ends) if dice.odd(60) else ""
        since, until = read_clock(started), read_clock(ended) if ended else self.now
        if since is None:
            whys.append(Why("started_at", "that minute never was"))
        if until is None:
            whys.append(Why("ended_at", "that minute never was"))
        if since and until and until <= since:
            whys.append(Why("ended_at", "it ends before it starts"))
        form = DeviationForm(
            place=place,
            source=BY_HAND,
            logger_serial="TH-1",
            calibration_due="2026-12-31",
            discovered_at=typed(self.now),
            discovered_by="Tim Lindqvist",
            done="Door closed.",
            started_at=started,
            ended_at=ended,
            min_temperature="5.0",
            max_temperature="12.0",
            answers=Answers(unit="C"),
        )
        discovered = read_clock(typed(self.now))
        if since and discovered and since > discovered:
            whys.append(Why("discovered_at", "found before it began"))
        event = self.act(
            "deviation",
            user,
            whys,
            lambda act: record_deviation(self.desk, act, form),
            says=(place, started, ended),
        )
        if event:
            assert since is not None
            assert until is not None
            number = str(event.content["deviation_id"])
            self.model.deviations[number] = Deviation(number, place, since, until, {}, lasts=not ended)
            self.exposes(event, number, "deviation")

    def exposes(self, event: Event, number: str, kind: str) -> None:
        """The vials that lay there are named, and those still unopened are quarantined at once."""
        deviation = self.model.deviations[number]
        until = self.now if deviation.lasts else deviation.until
        lay = self.model.lay_at(deviation.place, deviation.since, until) - deviation.may_be_used.keys()
        named = {str(vial["unit_number"]) for vial in event.content["vials"]}
        assert named == lay, f"{number} names {sorted(named - lay)} too much, {sorted(lay - named)} too little"
        units = tuple(sorted(unit for unit in lay if self.model.vials[unit].state in STARTS["quarantine"]))
        kept_back = {unit for unit in units if self.model.vials[unit].kept_back_besides()}
        self.moved(
            event, kind, units, "quarantined", self.now, reason=f"storage deviation {number}", way="other"
        ).deviation = number
        for unit in kept_back:
            self.model.vials[unit].also = True
        deviation.may_be_used.update(dict.fromkeys(lay, False))
        deviation.known.update(dict.fromkeys(lay, (event.seq, self.now)))

    def deviation_is_looked_at_again(self, dice: Dice) -> None:
        user, whys = self.who(dice, "look again")
        number = dice.pick(self.model.deviations)
        self.serial += 1
        deviation = self.model.deviations[number]
        ends = self.now - timedelta(minutes=dice.upto(90))
        ended = typed(ends) if (deviation.lasts and dice.odd(60)) or dice.odd(3) else ""
        at = read_clock(ended) if ended else None
        if ended and not deviation.lasts:
            whys.append(Why("ended_at", "the end is on record"))
        elif ended and at is None:
            whys.append(Why("ended_at", "that minute never was"))
        elif at is not None and at <= deviation.since:
            whys.append(Why("ended_at", "it lasted then"))
        form = UpdateForm(number, f"The door, seen {self.serial} times.", "", ended)
        event = self.act("look again", user, whys, lambda act: update_deviation(self.desk, act, form), says=number)
        if event:
            if at is not None:
                deviation.until, deviation.lasts = at, False
            self.exposes(event, number, "look again")

    def expiry_is_extended(self, dice: Dice) -> None:
        user, whys = self.who(dice, "expiry")
        strength, lot = dice.pick(sorted(self.model.expiry))
        before = self.model.expiry[strength, lot]
        new = before + timedelta(days=dice.upto(40))
        document, of_it = self.some_document(dice)
        if of_it and self.model.documents.get(document, Letter()).kind == "letter":
            of_it = []
        whys += [Why("document", why.words) for why in of_it]
        letter, last = self.model.documents.get(document, Letter()), self.model.extended(strength, lot)
        whys += self.says_nothing_of(letter.about, self.model.of_lot(strength, lot), "document")
        if last and letter.dated_on < last[0].letter_of:
            whys.append(Why("document", "older than the letter before"))
        if not self.model.of_lot(strength, lot):
            whys.append(Why("lot", "nothing of it ever came"))
        elif new <= before:
            whys.append(Why("new_expiry", "not later"))
        form, own = ExpiryForm(strength, lot, new.isoformat(), document), self.pharmacy.sign(user)
        event = self.act("expiry", user, whys, lambda act: extend_expiry(self.desk, act, form, own), says=form)
        if event:
            self.model.expiry[strength, lot] = new
            extension = Extension(event.seq, strength, lot, before, new, letter.dated_on)
            self.model.extensions.append(extension)
            self.model.entries[event.seq] = Entry(event.seq, "expiry", "extension", self.now, ())

    def undoes_extension(self, _dice: Dice, entry: Entry, user: str, other: str, whys: list[Why]) -> None:
        (extension,) = (each for each in self.model.extensions if each.seq == entry.seq)
        standing = self.model.extended(extension.strength, extension.lot)
        if not extension.undone and standing[0] is not extension:
            whys.append(Why("", "extended again since"))
        event = self.correct(entry, user, other, whys)
        if event:
            entry.corrected = extension.undone = True
            self.model.expiry[extension.strength, extension.lot] = extension.old
            self.model.entries[event.seq] = Entry(event.seq, "undo", "other", self.now, ())

    def monitor_signs_a_period(self, dice: Dice) -> None:
        user, whys = self.who(dice, "period")
        through = day_of(self.now) - timedelta(days=dice.upto(6))
        until = midnight(through + timedelta(days=1))
        if through >= day_of(self.now):
            whys.append(Why("through_on", "the day is not over"))
        elif until <= self.model.signed_until:
            whys.append(Why("through_on", "signed already"))
        own = self.pharmacy.sign(user)
        form = PeriodForm(through.isoformat())
        event = self.act("period", user, whys, lambda act: sign_period(self.desk, act, form, own), says=through)
        if event:
            self.model.signed_until = until
            self.model.entries[event.seq] = Entry(event.seq, "period", "other", self.now, ())
            signed = Counter(
                {
                    (row["strength_mg"], row["lot"], name): row[name]
                    for row in event.content["record"]["balances"]
                    for name in ("available", "quarantine")
                }
            )
            assert +signed == self.balances(self.model.dated_by(until)), "the balances that were signed"
            self.model.signed.append((until, +signed))

    @staticmethod
    def balances(stood: Counter[Stand]) -> Counter[tuple[str, str, str]]:
        """Vials of each strength and lot that are usable or promised to a dose, and those kept back."""
        sums: Counter[tuple[str, str, str]] = Counter()
        for stand, count in stood.items():
            if stand.state in ("available", "reserved"):
                sums[stand.strength, stand.lot, "available"] += count
            elif stand.state in ("held", "quarantined"):
                sums[stand.strength, stand.lot, "quarantine"] += count
        return sums

    # --- doses

    def dose_is_decided(self, _dice: Dice) -> None:
        """A new subject, ordered for and decided on; what the rules of dosing say of it is no matter of this test."""
        subject = f"{len(self.model.doses) + 1:03d}"
        self.besides(lambda: self.pharmacy.enroll(subject))
        paula = self.pharmacy.act("paula")
        ordered = self.besides(lambda: order(self.desk, paula, self.pharmacy.order_form(subject)))
        dose_id = ordered.content["dose_id"]
        form = DecideForm(dose_id, reason="looked at")
        decided = self.besides(lambda: record_decision(self.desk, self.pharmacy.act("paula"), form))
        assert decided.content["may_go_on"]
        self.model.doses[dose_id] = Dose(dose_id, subject, day_of(self.now))

    NEXT = {  # noqa: RUF012
        "decided": "reserve",
        "planned": "check",
        "verified": "prepare",
        "prepared": "hand over",
        "released": "give",
        "administered": "close",
        "cancelled": "close",
        "closed": "close",
    }

    def dose_goes_on(self, dice: Dice) -> None:
        under_way = [dose for dose in self.model.doses.values() if dose.status not in ("closed", "cancelled")]
        dose = dice.pick(under_way if under_way and not dice.odd(8) else self.model.doses.values())
        if self.later_day(dose) and self.NEXT[dose.status] != "close" and dice.odd(60):
            self.dose_step(dice, dose, "cancel")
            return
        for _ in range(1 + dice.upto(4)):
            before = dose.status
            self.dose_step(dice, dose, self.NEXT[dose.status])
            if dose.status == before:
                return

    def dose_step_out_of_turn(self, dice: Dice) -> None:
        dose = dice.pick(self.model.doses.values())
        self.dose_step(dice, dose, dice.pick(sorted({*self.NEXT.values(), "cancel"})))

    def dose_is_cancelled(self, dice: Dice) -> None:
        dose = dice.pick([dose for dose in self.model.doses.values() if dose.status != "cancelled"])
        self.dose_step(dice, dose, "cancel")

    def dose_step(self, dice: Dice, dose: Dose, name: str) -> None:
        step: dict[str, Callable[[Dice, Dose, str, list[Why]], None]] = {
            "reserve": self.reserves,
            "check": self.checks,
            "prepare": self.prepares,
            "hand over": self.hands_over,
            "give": self.gives,
            "close": self.closes,
            "cancel": self.cancels,
        }
        user, whys = self.who(dice, name)
        if name == "check" and dice.odd(90):
            user, whys = "carla", []
        step[name](dice, dose, user, whys)

    def later_day(self, dose: Dose) -> bool:
        """Whether the rules of dosing may say more than the model knows."""
        return day_of(self.now) != dose.on

    @staticmethod
    def in_turn(dose: Dose, *statuses: str) -> list[Why]:
        return [] if dose.status in statuses else [Why("", f"the dose is {dose.status}")]

    def in_date(self, vials: list[Bottle], since: datetime, dose: Dose) -> list[Why]:
        """Usable on the day and to the end of the hour of infusion."""
        begins = max(since, midnight(dose.on))
        last = max(day_of(begins), day_of(begins + timedelta(hours=1) - timedelta(microseconds=1)))
        expired = [vial for vial in vials if self.model.expiry[vial.stand.strength, vial.stand.lot] < last]
        return [Why("unit_number", "expired")] if expired else []

    def reserves(self, dice: Dice, dose: Dose, user: str, whys: list[Why]) -> None:
        usable = [
            vial.unit
            for vial in self.model.vials.values()
            if vial.state == "available" and vial.scanned and not self.in_date([vial], self.now, dose)
        ]
        units: tuple[str, ...] = ()
        if not dice.odd(15):
            left = list(usable)
            while left and not (units and self.model.plan_fits(units)):
                units = (*units, left.pop(dice.upto(len(left))))
            if dose.status == "decided" and not self.model.plan_fits(units):
                return  # too little is left for a dose
        else:
            units = dice.some(self.model.vials, 3)
        vials = self.model.of(*units)
        whys += self.in_turn(dose, "decided")
        whys += [Why("unit_number", f"it is {vial.state}") for vial in vials if vial.state != "available"]
        whys += [Why("unit_number", "its label is not scanned") for vial in vials if not vial.scanned]
        whys += self.in_date(vials, self.now, dose)
        if not units or not self.model.plan_fits(units):
            whys += [Why("", "the vials do not make the dose"), Why("unit_number", "")]
        form = ReserveForm(dose.dose_id, units, units, "seen", "other", "by the machine")
        own = self.pharmacy.sign(user)
        event = self.act(
            "reserve",
            user,
            whys,
            lambda act: reserve(self.desk, act, form, own),
            maybe=self.later_day(dose),
            says=(dose.dose_id, units),
        )
        if event:
            self.moved(event, "reserve", units, "reserved", self.now, way="other")
            for vial in vials:
                vial.dose = dose.dose_id
            dose.status, dose.units, dose.planner = "planned", units, user
            dose.expires_on = min(self.model.expiry[vial.stand.strength, vial.stand.lot] for vial in vials)

    def without_label(self, dose: Dose) -> list[Why]:
        """A reserved vial whose label was corrected since stops its dose until a new one is scanned back."""
        return [
            Why("", f"{vial.unit} waits for its label")
            for vial in self.model.of(*dose.units)
            if vial.state == "reserved" and vial.dose == dose.dose_id and not vial.scanned
        ]

    def checks(self, dice: Dice, dose: Dose, user: str, whys: list[Why]) -> None:
        if user in (dose.planner, "paula"):
            # Paula recorded every decision here.
            whys.append(Why("user_name", "the planner checks himself"))
        whys += self.in_turn(dose, "planned")
        whys += self.without_label(dose)
        agrees = not dice.odd(8)
        form = self.pharmacy.check_form(dose.dose_id, drawn_ml="5.84" if agrees else "6.84")
        own = self.pharmacy.sign(user)
        event = self.act(
            "check",
            user,
            whys,
            lambda act: verify_dose(self.desk, act, form, own),
            maybe=self.later_day(dose),
            says=(dose.dose_id, agrees),
        )
        if event and agrees:
            dose.status, dose.checker, dose.verified = "verified", user, self.now
            if not dice.odd(10):
                print_it = lambda act: print_worksheet(self.desk, act, dose.dose_id)  # noqa: E731
                self.act("print", "paula", [], print_it, says=dose.dose_id)
                dose.has_worksheet = True

    def prepares(self, dice: Dice, dose: Dose, user: str, whys: list[Why]) -> None:
        if not dose.has_worksheet and dose.status == "verified" and dice.odd(50):
            print_it = lambda act: print_worksheet(self.desk, act, dose.dose_id)  # noqa: E731
            if self.act("print", "paula", [], print_it, says=dose.dose_id):
                dose.has_worksheet = True
        vials = self.model.of(*dose.units)
        minute = read_clock(typed(self.now))
        at = self.now - timedelta(minutes=dice.upto(200)) if dice.odd(15) else self.now
        text = typed(at)
        done = read_clock(text)
        assert done is not None
        assert minute is not None
        late_why = "" if dice.odd(50) else "the hood's PC was off"
        whys += self.in_turn(dose, "verified")
        whys += self.without_label(dose)
        if not dose.has_worksheet:
            whys.append(Why("", "no worksheet"))
        if user == dose.checker:
            whys.append(Why("", "who checked mixes"))
        if done < dose.verified.replace(second=0, microsecond=0):
            whys.append(Why("reconstituted_at", "before the second check"))
        if day_of(done) != dose.on:
            whys.append(Why("reconstituted_at", "on another day than it was decided for"))
        whys += [
            Why("unit_number", f"{vial.unit} is {vial.state} {vial.dose}")
            for vial in vials
            if vial.state != "reserved" or vial.dose != dose.dose_id
        ]
        whys += self.in_date(vials, done, dose)
        last = self.model.last_done(dose.units)
        same_minute = last.replace(second=0, microsecond=0) == done and last > done
        counts = last if same_minute else done
        whys += self.in_order(dose.units, counts)
        whys += self.judged(counts, late_why)
        drawn = self.model.draws(dose)
        if drawn and dice.odd(15):
            drawn[0] -= dice.pick((Decimal("0.2"), Decimal("1")))
        amounts = tuple((unit, format(ml, "f")) for unit, ml in zip(dose.units, drawn, strict=True))
        form = PrepareForm(dose.dose_id, text, text, amounts, late_why)
        event = self.act(
            "prepare",
            user,
            whys,
            lambda act: prepare(self.desk, act, form),
            maybe=self.later_day(dose),
            says=form,
        )
        if event:
            entry = self.moved(event, "prepare", dose.units, "opened", counts, way="preparation")
            entry.dose = dose.dose_id
            for unit, ml in zip(dose.units, drawn, strict=True):
                self.model.mg[unit] = Content(LABELLED[self.model.vials[unit].stand.strength], ml * MG_PER_ML)
            dose.status, dose.prepared_seq = "prepared", event.seq
            # A label may have been corrected, or an extension taken back, since the vials were reserved.
            dose.expires_on = min(self.model.expiry[vial.stand.strength, vial.stand.lot] for vial in vials)
            dose.reconstituted = dose.diluted = done

    def hands_over(self, dice: Dice, dose: Dose, user: str, whys: list[Why]) -> None:
        ready = dose.status == "prepared"
        prepared = sum((self.model.mg[unit].withdrawn for unit in dose.units if unit in self.model.mg), Decimal(0))
        devs, mixed = self.model.deviations.values(), self.model.of(*dose.units)
        off = abs(prepared - DOSE) * 10 >= DOSE
        too_late = ready and self.now > dose.start_by()
        if ready and dose.labels_seq < dose.prepared_seq and not dice.odd(10):
            reasons = [Why("", "off by 10 % or more")] if off else []
            reasons += [Why("", "too late")] if too_late else []
            why = "again" if dose.labels_seq else ""
            print_it = lambda act: print_bag_labels(self.desk, act, dose.dose_id, why)  # noqa: E731
            printed = self.act("print", "tim", reasons, print_it, maybe=self.later_day(dose), says=dose.dose_id)
            if printed:
                dose.labels_seq, dose.label_scanned = printed.seq, False
        if ready and dose.labels_seq > dose.prepared_seq and not dose.label_scanned and not dice.odd(10):
            form = ScanBackForm(self.pharmacy.codes(dose.dose_id))
            scanned = self.act("scan back", "tim", [], lambda act: scan_back(self.desk, act, form), says=dose.dose_id)
            dose.label_scanned = scanned is not None
        whys += self.in_turn(dose, "prepared")
        if off:
            whys.append(Why("", "off by 10 % or more"))
        if too_late:
            whys.append(Why("", "the infusion had to start by then"))
        if ready and (dose.labels_seq < dose.prepared_seq or not dose.label_scanned):
            whys.append(Why("", "no label, or not scanned"))
        if any(deviation.may_be_used.get(unit) is False for deviation in devs for unit in dose.units):
            whys.append(Why("", "a vial of it lay through a deviation"))
        if self.in_date(mixed, self.now, dose):
            whys.append(Why("", "a vial of it is expired by its right label"))
        own = self.pharmacy.sign(user)
        event = self.act(
            "hand over",
            user,
            whys,
            lambda act: release(self.desk, act, ReleaseForm(dose.dose_id, "Nurse J. Abara"), own),
            maybe=self.later_day(dose),
            says=dose.dose_id,
        )
        if event:
            dose.status, dose.released = "released", self.now

    def gives(self, dice: Dice, dose: Dose, user: str, whys: list[Why]) -> None:
        started = typed(self.now)
        if dose.status == "released":
            self.time_goes(60)
        prepared = sum((self.model.mg[unit].withdrawn for unit in dose.units if unit in self.model.mg), Decimal(0))
        given = prepared + 1 if dice.odd(8) else dice.pick((prepared, prepared, prepared / 2))
        whys += self.in_turn(dose, "released")
        begun, ended = read_clock(started), read_clock(typed(self.now))
        assert begun is not None
        assert ended is not None
        if dose.released and begun < dose.released.replace(second=0, microsecond=0):
            whys.append(Why("started_at", "before it was handed over, by the first of two hours"))
        if ended <= begun:
            whys.append(Why("ended_at", "no time between"))
        if given > prepared:
            whys.append(Why("given", "more than the bag held"))
        form = AdministrationForm(dose.dose_id, started, typed(self.now), format(given, "f"), "mg")
        if given == 0:
            whys.append(Why("", "nothing prepared"))
        event = self.act("give", user, whys, lambda act: administer(self.desk, act, form), says=form)
        if event:
            dose.status = "administered"

    def closes(self, dice: Dice, dose: Dose, user: str, whys: list[Why]) -> None:
        open_ones = self.model.open_content(dose)
        whys += self.in_turn(dose, "administered", "cancelled")
        if not open_ones:
            whys.append(Why("", "nothing to close"))
        rows, closed = [], {}
        for unit in open_ones:
            content = self.model.mg[unit]
            left = content.labelled - content.withdrawn
            residue = min(left, dice.pick((Decimal(0), Decimal("0.1"), Decimal("0.2"), Decimal("0.3"))))
            discarded = left - residue
            if dice.odd(4):
                discarded += Decimal("0.01")
                whys.append(Why(f"residue_mg.{unit}", "it does not add up"))
            closed[unit] = (residue, discarded)
            rows.append(ClosedTyped(unit, format(residue, "f"), format(discarded, "f")))
        form = CloseForm(dose.dose_id, tuple(rows))
        event = self.act("close", user, whys, lambda act: close_vials(self.desk, act, form), says=form)
        if event:
            self.model.entries[event.seq] = Entry(
                event.seq, "close", "closing", self.now, tuple(open_ones), dose=dose.dose_id, closed=closed
            )
            for unit, (residue, discarded) in closed.items():
                self.model.mg[unit].residue, self.model.mg[unit].discarded = residue, discarded
                if self.model.vials[unit].state == "opened":
                    self.model.to_state([unit], event.seq, self.now, self.model.closed_as(unit), self.now)
            if dose.status == "administered":
                dose.status = "closed"

    def cancels(self, dice: Dice, dose: Dose, user: str, whys: list[Why]) -> None:
        mine = [vial for vial in self.model.vials.values() if vial.dose == dose.dose_id]
        reserved = [vial.unit for vial in mine if vial.state == "reserved"]
        opened = dice.some(dose.units or self.model.vials, 2) if dice.odd(25) else ()
        whys += self.in_turn(dose, "decided", "planned", "verified", "prepared", "released")
        if opened and dose.status != "verified":
            whys.append(Why("opened", "nothing can have been opened"))
        if set(opened) - set(reserved):
            whys.append(Why("opened", "not a reserved vial of the dose"))
        form = CancelForm(dose.dose_id, "the subject is ill", opened)
        event = self.act("cancel", user, whys, lambda act: cancel(self.desk, act, form), says=(dose.dose_id, opened))
        if event:
            dose.status = "cancelled"
            self.moved(event, "cancel", tuple(reserved), "available", self.now, way="other")
            for vial in mine:
                if vial.unit in opened:
                    vial.facts[-1] = replace(vial.last, after=replace(vial.stand, state="opened"))
                    vial.stand = vial.last.after
                    self.model.mg[vial.unit] = Content(LABELLED[vial.stand.strength], Decimal(0))
                elif vial.state not in CONTAINERS - {"broken"}:
                    vial.dose = ""

    def may_come_back(self, vial: Bottle) -> bool:
        left = bool(vial.dose) and self.model.doses[vial.dose].released is not None
        return left and vial.state in STARTS["take back"] and not vial.accounted_by

    def containers_come_back(self, dice: Dice) -> None:
        user, whys = self.who(dice, "take back")
        units = self.vials(dice, self.may_come_back, 2)
        doses = [vial.dose for vial in self.model.of(*units) if vial.dose]
        dose_id = doses[0] if doses and not dice.odd(5) else dice.pick(self.model.doses)
        whys += self.states(units, "take back")
        if self.model.doses[dose_id].released is None:
            whys.append(Why("dose_id", "it never left"))
        for vial in self.model.of(*units):
            if vial.accounted_by:
                whys.append(Why("unit_numbers", "accounted for"))
            if vial.dose != dose_id:
                whys.append(Why("unit_numbers", "of another dose"))
        when = self.when(dice, units)
        handed_over = self.model.doses[dose_id].released
        if handed_over and when.done and when.done < handed_over.replace(second=0, microsecond=0):
            whys.append(Why("done_at", "before it was handed over"))
        form = TakeBackForm(units, dose_id, "not given", "Nurse Abara", "", when.typed, when.late_why)
        event = self.act(
            "take back",
            user,
            [*whys, *when.whys],
            lambda act: take_back(self.desk, act, form),
            says=(units, dose_id, when),
        )
        if event:
            assert when.done is not None
            self.moved(event, "take back", units, "returned by subject", when.done)

    # --- corrections

    def entry_is_corrected(self, dice: Dice) -> None:
        every = list(self.model.entries.values())
        likely = [
            entry
            for entry in every
            if not entry.corrected
            and entry.way != "other"
            and (entry.way == "receipt" or all(self.model.vials[unit].last.seq <= entry.seq for unit in entry.units))
            and (entry.way != "receipt" or self.untouched(entry) or dice.odd(20))
        ]
        entry = dice.pick(every if dice.odd(10) or not likely else likely)
        name = "take back accountability" if entry.way == "accounted" else "correct"
        user, whys = self.who(dice, name)
        if entry.way not in ("accounted", "other"):
            other, of_other = self.second(dice, name, user)
            whys += of_other
            if user in WHO[name] and user not in WHO[entry.kind]:
                whys.append(Why("", f"{user} may not record that"))
        else:
            other = ""
        if entry.way == "other":
            whys.append(Why("", "such an entry is not corrected"))
        if entry.corrected:
            whys.append(Why("", "corrected already"))
        do = {
            "move": self.undoes,
            "receipt": self.corrects_receipt,
            "closing": self.corrects_closing,
            "preparation": self.corrects_preparation,
            "accounted": self.undoes_accountability,
            "extension": self.undoes_extension,
            "other": self.undoes,
        }
        do[entry.way](dice, entry, user, other, whys)

    def correct(
        self, entry: Entry, user: str, other: str, whys: list[Why], values: tuple[tuple[str, str], ...] = ()
    ) -> Event | None:
        own, second = self.pharmacy.sign(user), self.pharmacy.sign(other) if other else None
        form = CorrectForm(entry.seq, "a slip", values)
        return self.act(
            f"correct {entry.way}",
            user,
            whys,
            lambda act: correct(self.desk, act, form, own, second),
            says=(entry.seq, entry.kind, values, other),
        )

    def moved_since(self, entry: Entry) -> list[Why]:
        return [
            Why("", f"{unit} has moved since")
            for unit in entry.units
            if (last := self.model.vials[unit].last_standing(self.model.taken_back())) is not None
            and last.seq > entry.seq
        ]

    def undoes(self, dice: Dice, entry: Entry, user: str, other: str, whys: list[Why]) -> None:
        stands = self.moved_since(entry)
        if entry.decides:
            stands.append(Why("", "it carries the supporter's decision"))
        if entry.kind == "transport":
            back = {before.stand.place for before in entry.before.values()}
            if back & self.model.closed_places:
                stands.append(Why("", "the place was closed"))
        stands += self.stays_away(entry)
        if entry.corrected:
            stands.append(Why("", "corrected already"))
        if entry.way == "move":
            with self.desk.store.read() as reader:
                shown = correctable(reader, entry.seq)
            assert bool(shown.why_not) is bool(stands), f"entry {entry.seq} is shown with {shown.why_not}"
        place, of_it = self.new_place(dice, entry)
        values = (("place", place),) if place else ()
        event = self.correct(entry, user, other, [*whys, *stands, *of_it], values)
        if event:
            self.is_undone(event, entry, place)

    def new_place(self, dice: Dice, entry: Entry) -> tuple[str, list[Why]]:
        """Where vials are put whose place was closed while they were away, '' where none is asked for."""
        homeless = [
            unit
            for unit, before in entry.before.items()
            if entry.kind != "transport" and before.stand.state in ON_SITE and self.lies_at_a_closed_place(unit)
        ]
        if entry.way != "move" or entry.corrected or not homeless:
            return "", []
        place = dice.pick(["", *self.model.places])
        if not place or place in self.model.closed_places:
            return place, [Why("place", "the place is closed")]
        stands = [self.back(entry, unit)[0] for unit in homeless]
        if self.model.places[place] == "quarantine shelf" and any(each.state not in ON_A_SHELF for each in stands):
            return place, [Why("unit_numbers", "usable vials on a quarantine shelf")]
        return place, []

    def is_undone(self, event: Event, entry: Entry, place: str) -> None:
        """Each vial stands as it would without the entry."""
        entry.corrected, entry.undone_by = True, event.seq
        self.model.entries[event.seq] = Entry(event.seq, "undo", "other", entry.effective, entry.units)
        said = event.content.get("exposed", ())
        for unit in entry.units:
            vial, before = self.model.vials[unit], entry.before[unit]
            after, exposed = self.back(entry, unit)
            self.model.move(unit, event.seq, self.now, after, self.now, entry.effective)
            if entry.kind != "transport":
                vial.reason, vial.also = before.reason, before.also
            if exposed:
                vial.also = vial.kept_back_besides()
                vial.reason = "storage deviation"
            if after.state not in USED | {"lost"}:
                vial.accounted_by = 0
            places = {vial.stand.place}
            if entry.kind != "transport" and after.state in ON_SITE and after.place in self.model.closed_places:
                self.model.move(unit, event.seq, self.now, replace(after, place=place), self.now, entry.effective)
                places |= {place}
            part = replace(event, content={"exposed": [each for each in said if each["unit_number"] == unit]})
            if entry.kind in (*AWAY, "transport"):
                self.lay_there_too(part, [unit], places, entry.effective, self.now)

    def lies_at_a_closed_place(self, unit: str) -> bool:
        return self.model.vials[unit].stand.place in self.model.closed_places

    def back(self, entry: Entry, unit: str) -> tuple[Stand, bool]:
        """How a vial stands without an entry, at its old place, and whether it lay through a deviation there."""
        vial, before = self.model.vials[unit], entry.before[unit]
        # The label is as it is now, whatever it was.
        after = replace(before.stand, strength=vial.stand.strength, lot=vial.stand.lot)
        if entry.kind == "transport":
            # What a late entry put into quarantine stays there.
            return replace(after, state=vial.state), False
        # Where it was found, it stays.
        after = replace(after, place=vial.stand.place)
        if after.state == "reserved" and (not self.still_waits(vial) or self.lies_at_a_closed_place(unit)):
            after = replace(after, state="available")
        if after.state == "opened" and self.model.mg[unit].residue is not None:
            # Its content was closed while it counted as returned: so it is what the closing says.
            after = replace(after, state=self.model.closed_as(unit))
        exposed = entry.kind in AWAY and after.state in STARTS["quarantine"] and self.model.lay_through(vial, entry)
        if exposed:
            # It was here all the time, and so it lay through what happened here meanwhile.
            after = replace(after, state="quarantined")
        return after, exposed

    def stays_away(self, entry: Entry) -> list[Why]:
        """A quarantine that was a slip stands when a deviation was found meanwhile."""
        lay = entry.kind == "quarantine" and any(
            self.model.lay_through(vial, entry) for vial in self.model.of(*entry.units)
        )
        return [Why("", "it stays in quarantine for a deviation")] if lay else []

    def still_waits(self, vial: Bottle) -> bool:
        return bool(vial.dose) and self.model.doses[vial.dose].status in ("planned", "verified")

    def undoes_accountability(self, _dice: Dice, entry: Entry, user: str, other: str, whys: list[Why]) -> None:
        here = [
            vial
            for vial in self.model.of(*entry.units)
            if vial.state in USED | {"lost"} and vial.accounted_by == entry.seq
        ]
        if not here:
            whys.append(Why("", "all of them are destroyed, or accounted for by another entry"))
        event = self.correct(entry, user, other, whys)
        if event:
            entry.corrected = True
            self.model.entries[event.seq] = Entry(event.seq, "undo", "other", self.now, entry.units)
            for vial in here:
                vial.accounted_by = 0

    def accounted(self, units: Iterable[str]) -> list[Why]:
        """What the monitor accounted for is not changed under that, as long as it is not destroyed."""
        stands = any(vial.accounted_by and vial.state != "destroyed" for vial in self.model.of(*units))
        return [Why("", "accounted for as it stands")] if stands else []

    def corrects_closing(self, dice: Dice, entry: Entry, user: str, other: str, whys: list[Why]) -> None:
        whys += self.moved_since(entry)
        whys += self.accounted(entry.units)
        values, closed = [], dict(entry.closed)
        unit = dice.pick(sorted(entry.closed))
        content = self.model.mg[unit]
        left = content.labelled - content.withdrawn
        residue = min(left, dice.pick((Decimal("0.3"), Decimal("0.1"), Decimal(0))))
        discarded = left - residue
        if (residue, discarded) == closed[unit]:
            whys.append(Why("", "nothing is changed"))
        if dice.odd(5):
            discarded += Decimal("0.01")
            whys.append(Why(f"residue_mg.{unit}", "it does not add up"))
        closed[unit] = (residue, discarded)
        values = [
            (f"residue_mg.{unit}", format(residue.normalize(), "f")),
            (f"discarded_mg.{unit}", format(discarded.normalize(), "f")),
        ]
        event = self.correct(entry, user, other, whys, tuple(values))
        if event is None:
            return
        entry.corrected = True
        self.model.entries[event.seq] = replace(entry, seq=event.seq, kind="correct", closed=closed, corrected=False)
        for each, (its_residue, its_discarded) in closed.items():
            self.model.mg[each].residue, self.model.mg[each].discarded = its_residue, its_discarded
            vial = self.model.vials[each]
            state = self.model.closed_as(each)
            if vial.state in ("empty", "partial") and vial.state != state:
                after = replace(vial.stand, state=state)
                self.model.move(each, event.seq, self.now, after, self.now, entry.effective)

    def corrects_preparation(self, dice: Dice, entry: Entry, user: str, other: str, whys: list[Why]) -> None:
        dose = self.model.doses[entry.dose]
        if dose.status not in ("prepared", "released"):
            whys.append(Why("", f"the dose is {dose.status}"))
        unit = dice.pick(entry.units)
        content = self.model.mg[unit]
        drawn = dice.pick((Decimal("0.3"), Decimal("0.9"), Decimal("0.56"), Decimal(2))) / MG_PER_ML
        withdrawn = drawn * MG_PER_ML
        if withdrawn == content.withdrawn:
            whys.append(Why("", "nothing is changed"))
        if withdrawn > content.labelled:
            whys.append(Why(f"drawn_ml.{unit}", "more than it held"))
        values = ((f"drawn_ml.{unit}", format(drawn.normalize(), "f")),)
        event = self.correct(entry, user, other, whys, values)
        if event:
            entry.corrected = True
            self.model.entries[event.seq] = replace(entry, seq=event.seq, kind="correct", corrected=False)
            content.withdrawn = withdrawn
            dose.prepared_seq = event.seq

    def untouched(self, entry: Entry) -> list[str]:
        """The vials of a receipt that nobody has handled since."""
        return [
            vial.unit
            for vial in self.model.of(*entry.units)
            if vial.state == "held" and vial.last.is_of_its_label() and vial.last.seq <= entry.seq
        ]

    def corrects_receipt(  # noqa: PLR0912 - one label, two things to put right, each with what stands in its way
        self, dice: Dice, entry: Entry, user: str, other: str, whys: list[Why]
    ) -> None:
        (label,) = entry.labels
        if all(vial.state == "never received" for vial in self.model.of(*label.units)):
            whys.append(Why("", "all of it was taken back"))
        strength, lot, expires_on = label.strength, label.lot, label.expires_on
        values: list[tuple[str, str]] = []
        gone: tuple[str, ...] = ()
        if dice.odd(60):
            lot = dice.pick([other_lot for other_lot in EXPIRIES if other_lot != lot])
            if dice.odd(15):
                strength = "4" if strength == "1" else "1"
            values += [("labels.0.lot", lot), ("labels.0.strength_mg", strength)]
            expires_on = self.model.expiry.get((label.strength, label.lot), label.expires_on)
            if dice.odd(70):
                expires_on = self.model.expiry.get((strength, lot), EXPIRIES[lot])
                values += [("labels.0.expiry", expires_on.isoformat())]
            for its_strength, its_lot in ((label.strength, label.lot), (strength, lot)):
                expires_on = self.model.counts_through(its_strength, its_lot, expires_on)
        if not values or dice.odd(20):
            fit = self.untouched(entry)
            gone = dice.some(label.units if dice.odd(15) or not fit else fit, 2)
            values += [("labels.0.never_came", " ".join((*label.never, *gone)))]
        gone = tuple(unit for unit in gone if unit not in label.never)
        never = (*label.never, *gone)
        relabelled = [unit for unit in label.units if unit not in never] if lot != label.lot else []
        for vial in self.model.of(*gone):
            last = vial.last_standing(self.model.taken_back())
            assert last is not None
            if last.seq > entry.seq or vial.state != "held" or not last.is_of_its_label():
                whys.append(Why("labels.0.never_came", f"{vial.unit} has moved since"))
        for vial in self.model.of(*relabelled):
            if strength != label.strength and vial.dose:
                whys.append(Why("labels.0.strength_mg", f"{vial.unit} was taken for a dose"))
            elif vial.state == "reserved":
                whys.append(Why("labels.0.lot", f"{vial.unit} is reserved under its old label"))
            else:
                whys += self.accounted([vial.unit])
        extended = self.model.extended(label.strength, label.lot) if lot != label.lot else []
        if lot != label.lot and self.model.of_lot(strength, lot) and expires_on != self.model.expiry[strength, lot]:
            whys.append(Why("labels.0.expiry", "the lot is known with another expiry"))
        if extended:
            rest = {vial.unit for vial in self.model.of_lot(label.strength, label.lot)} - set(label.units)
            other_day = expires_on != self.model.expiry[label.strength, label.lot]
            if rest or other_day or self.model.of_lot(strength, lot):
                whys.append(Why("labels.0.lot", "the lot was extended, and it is unclear for which vials"))
        if lot == label.lot and not gone:
            whys.append(Why("", "nothing is changed"))
        event = self.correct(entry, user, other, whys, tuple(values))
        if event is None:
            return
        entry.corrected = True
        # A wrong label is put right from now on; a vial that never came was never there.
        effective = self.now if relabelled else entry.effective
        new = Label(label.units, strength, lot, expires_on, never)
        self.model.entries[event.seq] = replace(
            entry, seq=event.seq, kind="correct", labels=[new], corrected=False, effective=effective
        )
        for extension in extended:
            extension.strength, extension.lot = strength, lot
        if relabelled:
            self.model.expiry[strength, lot] = expires_on
        for vial in self.model.of(*gone):
            after = replace(vial.stand, state="never received")
            self.model.move(vial.unit, event.seq, self.now, after, self.now, effective)
        for vial in self.model.of(*relabelled):
            vial.label_right = vial.scanned = False
            after = replace(vial.stand, strength=strength, lot=lot)
            self.model.move(vial.unit, event.seq, self.now, after, self.now)

    # --- the same act again, and time

    def the_last_act_is_sent_again(self, dice: Dice) -> None:
        assert self.last is not None
        do, act = self.last
        if dice.odd(50):
            other = Act(act.session, act.act_id)
            with pytest.raises(Refused) as refused:
                receive(self.desk, other, self.pharmacy.shipment("S-OTHER"))
            assert "recorded already, with other content" in str(refused.value)
        else:
            again = do(act)
            assert getattr(again, "event", again).act_id == act.act_id
        assert not self.twin.follow()

    def time_passes(self, dice: Dice) -> None:
        night = dice.odd(15)
        self.time_goes(dice.upto(20 * 60) + 300 if night else dice.upto(90), seconds=dice.upto(60))

    def time_goes(self, minutes: int, seconds: int = 0) -> None:
        self.clock.forward(minutes=minutes, seconds=seconds)
        note(f"it is {local(self.now)}")

    # --- what always holds

    def record_is_read_at_a_past_moment(self, dice: Dice) -> None:
        facts = [fact for vial in self.model.vials.values() for fact in vial.facts]
        fact = dice.pick(facts)
        about = dice.pick((fact.done, fact.recorded, fact.effective))
        at = min(self.now, about + timedelta(minutes=dice.pick((0, -1, 1, 30, 600))))
        begins = read_clock(typed(at))
        assert begins is not None
        until = min(self.now, begins + timedelta(seconds=59, microseconds=999_999))
        with self.desk.store.read() as reader:
            found = past(self.desk, reader, PastForm(typed(at)))
        for name, stood in (("known_then", self.model.known_then(until)), ("known_now", self.model.known_now(until))):
            shown = {
                Stand(format(line.strength_mg, "f"), line.lot, line.place, line.state): getattr(line, name)
                for line in found.stock
                if getattr(line, name)
            }
            more, less = Counter(shown) - stood, stood - Counter(shown)
            assert shown == stood, f"{name} at {typed(at)}: {more} too many, {less} too few"
        later = {line.event_seq for line in found.entered_later}
        assert later == self.model.entered_later(until), f"entered after {typed(at)}"
        if dice.odd(30):
            self.ledger_balances(until, known_now=dice.odd(50))

    def ledger_balances(self, at: datetime, *, known_now: bool) -> None:
        """Line by line: nothing is ever below zero, each balance is a recount, the last one is the model's."""
        with self.desk.store.read() as reader:
            lines = reader.past_ledger(PastFilter(utc_text(at), known_now), offset=0, limit=100_000)
            if at == self.now and not known_now:
                assert list(reader.whole_ledger(LedgerFilter())) == list(lines)
            undoing = reader.events_between(["move_undone"], 0, reader.head().seq + 1) if known_now else ()
        never = _undone_to_the_letter(lines, {event.seq: event.content["corrects"] for event in undoing})
        held: Counter[Stand] = Counter()
        available: Counter[Decimal] = Counter()
        quarantine: Counter[Decimal] = Counter()
        for line in lines:
            strength = format(line.strength_mg, "f")
            assert len(set(line.units)) == line.quantity > 0
            for state, change in ((line.from_state, -line.quantity), (line.to_state, line.quantity)):
                if state and line.line_id not in never:
                    stand = Stand(strength, line.lot, line.place, state)
                    held[stand] += change
                    assert held[stand] >= 0, f"{stand} is below zero after line {line.line_id}"
                    available[line.strength_mg] += change * (state in ("available", "reserved"))
                    quarantine[line.strength_mg] += change * (state in ("held", "quarantined"))
            assert line.balance_available == available[line.strength_mg], line
            assert line.balance_quarantine == quarantine[line.strength_mg], line
        stood = self.model.known_now(at) if known_now else self.model.known_then(at)
        assert +held == stood, f"{+held - stood} too many, {stood - held} too few"

    def balances_of_parts(self) -> None:
        """The record of one strength, lot and place: its running balances are a recount too, page by page."""
        for strength_mg in LABELLED.values():
            for lot in ("", "A1"):
                for place in ("", "Refrigerator 1", "Shelf"):
                    wanted = LedgerFilter(strength_mg=strength_mg, lot=lot, place=place)
                    with self.desk.store.read() as reader:
                        lines, received = list(reader.whole_ledger(wanted)), reader.received(wanted)
                        pages = [
                            *reader.ledger(wanted, offset=0, limit=20),
                            *reader.ledger(wanted, offset=20, limit=900),
                        ]
                    assert pages == lines
                    held: Counter[str] = Counter()
                    for line in lines:
                        held[line.from_state] -= line.quantity
                        held[line.to_state] += line.quantity
                        assert line.balance_available == held["available"] + held["reserved"] >= 0
                        assert line.balance_quarantine == held["held"] + held["quarantined"] >= 0
                    strength = format(strength_mg, "f")
                    mine = [
                        vial.stand
                        for vial in self.model.vials.values()
                        if vial.stand.strength == strength
                        and lot in ("", vial.stand.lot)
                        and place in ("", vial.stand.place)
                    ]
                    del held[""]
                    assert +held == Counter(stand.state for stand in mine)
                    if not place:
                        assert received == sum(stand.state != "never received" for stand in mine)

    def signed_balances_stand(self) -> None:
        """What the monitor signed is what the record still says of that day."""
        with self.desk.store.read() as reader:
            periods = list(reversed(reader.periods()))
            for period, (until, signed) in zip(periods, self.model.signed, strict=True):
                record = reader.period_record("", utc_text(until))
                assert record.balances == period.record.balances
                assert record.lines == period.record.lines
                assert self.balances(self.model.dated_by(until)) == signed

    @rule(number=NUMBERS)
    def step(self, number: int) -> None:
        """One step: by chance one of those that can be made now, some more often than others."""
        dice, self.whole = Dice(number), False
        able = [(often, do) for often, may, do in STEPS if may(self)]
        left = dice.upto(sum(often for often, _ in able))
        for often, do in able:
            left -= often
            if left < 0:
                note(f"– {do.__name__}")
                do(self, dice)
                break
        self.tally.steps += 1
        self.program_and_model_agree()
        self.whole = True

    def program_and_model_agree(self) -> None:
        """Every vial, the stock, the mg ledger and the doses, after an act that was accepted."""
        if not self.changed:
            return
        self.changed = False
        rows = self.twin.ask(
            "SELECT unit_number, strength_mg, lot, place, state, hold_reason, dose_id, accounted_by, expires_on"
            " FROM vial"
        )
        shown = {
            row[0]: (*row[1:5], row[6], bool(row[7]), "" if row[4] == "never received" else row[8]) for row in rows
        }
        wanted = {}
        for unit, vial in self.model.vials.items():
            stand = vial.stand
            # What never came has no expiry that counts.
            gone = vial.state == "never received"
            expires_on = "" if gone else self.model.expiry[stand.strength, stand.lot].isoformat()
            wanted[unit] = (
                stand.strength,
                stand.lot,
                stand.place,
                stand.state,
                vial.dose,
                bool(vial.accounted_by),
                expires_on,
            )
        assert shown == wanted, [(unit, shown.get(unit), row) for unit, row in wanted.items() if shown.get(unit) != row]
        for unit, *_, reason, _dose, _by, _on in rows:
            kept = self.model.vials[unit].reason
            if kept in ("alarm", "expired", "alarmexpired"):
                assert reason, f"{unit} is held for no reason, but there was one: {kept}"
            else:
                assert reason.startswith(kept), f"{unit} is kept back because “{reason}”, not “{kept}”"
                assert bool(reason) is bool(kept), f"{unit} is kept back because “{reason}”"
        closed = [
            vial.unit
            for vial in self.model.vials.values()
            if vial.state in ON_SITE and vial.stand.place in self.model.closed_places
        ]
        assert not closed, f"{closed} lie at a place that was closed"
        self.stock_agrees()
        self.content_agrees()

    def stock_agrees(self) -> None:
        with self.desk.store.read() as reader:
            stock, balances, lots = reader.stock(), lot_balances(reader), reader.lots()
        found = {Stand(format(line.strength_mg, "f"), line.lot, line.place, line.state): line.vials for line in stock}
        assert found == self.model.stock()
        came: Counter[tuple[str, str]] = Counter()
        for vial in self.model.vials.values():
            came[vial.stand.strength, vial.stand.lot] += vial.state != "never received"
        assert {(format(line.strength_mg, "f"), line.lot) for line in balances} == set(+came)
        assert all(line.agrees for line in balances), balances
        for strength_mg, lot, expires_on in lots:
            assert expires_on == self.model.expiry[format(strength_mg, "f"), lot], f"the expiry of lot {lot}"

    def content_agrees(self) -> None:
        rows = self.twin.ask("SELECT unit_number, labelled_mg, withdrawn_mg, residue_mg, discarded_mg FROM mg_line")
        found = {row[0]: Content(*(None if mg is None else Decimal(mg) for mg in row[1:])) for row in rows}  # type: ignore[arg-type]
        assert found == self.model.mg
        for unit, content in found.items():
            state = self.model.vials[unit].state
            assert (state == "opened") <= (content.residue is None), f"{unit} is opened, but its content is closed"
            if state in ("empty", "partial"):
                assert state == self.model.closed_as(unit)
            if content.residue is not None:
                assert content.discarded is not None
                assert content.withdrawn + content.residue + content.discarded == content.labelled
        statuses = dict(self.twin.ask("SELECT dose_id, status FROM dose"))
        assert statuses == {dose.dose_id: dose.status for dose in self.model.doses.values()}


def _always(_machine: PharmacyMachine) -> bool:
    return True


def _any_vial(fits: Callable[[Bottle], bool]) -> Callable[[PharmacyMachine], bool]:
    return lambda machine: any(map(fits, machine.model.vials.values()))


def _any_dose(*statuses: str) -> Callable[[PharmacyMachine], bool]:
    return lambda machine: any(dose.status in statuses for dose in machine.model.doses.values())


def _few_doses(machine: PharmacyMachine) -> bool:
    return sum(dose.status in ("decided", "planned") for dose in machine.model.doses.values()) < 2


_used = _any_vial(lambda vial: vial.state in USED)
_M = PharmacyMachine
STEPS: tuple[tuple[int, Callable[[PharmacyMachine], bool], Callable[[PharmacyMachine, Dice], None]], ...] = (
    (5, _always, _M.vials_are_quarantined),
    (6, _always, _M.time_passes),
    (3, lambda machine: len(machine.model.shipments) < 9, _M.shipment_arrives),
    (2, _any_vial(lambda vial: vial.state == "held"), _M.shipment_is_released),
    (1, _always, _M.shipment_is_released),
    (2, _always, _M.labels_are_scanned_back),
    (4, _any_vial(lambda vial: vial.state in STARTS["permit"]), _M.supporter_permits),
    (2, _always, _M.vials_break),
    (2, _always, _M.vials_are_missing),
    (3, _any_vial(lambda vial: vial.state in STARTS["find"]), _M.vials_are_found),
    (2, _always, _M.vials_leave),
    (4, _used, _M.monitor_accounts),
    (3, _used, _M.containers_are_destroyed),
    (6, _always, _M.vials_are_carried),
    (2, _always, _M.place_is_closed_or_added),
    (4, _always, _M.place_is_counted),
    (2, lambda machine: len(machine.model.deviations) < 5, _M.place_was_too_warm),
    (2, lambda machine: bool(machine.model.deviations), _M.deviation_is_looked_at_again),
    (2, _always, _M.expiry_is_extended),
    (1, _always, _M.monitor_signs_a_period),
    (4, _few_doses, _M.dose_is_decided),
    (12, _any_dose("decided", "planned", "verified", "prepared", "released", "administered"), _M.dose_goes_on),
    (3, lambda machine: bool(machine.model.doses), _M.dose_step_out_of_turn),
    (1, _any_dose("decided", "planned", "verified", "prepared", "released"), _M.dose_is_cancelled),
    (4, _any_vial(lambda vial: vial.state in STARTS["take back"]), _M.containers_come_back),
    (12, _always, _M.entry_is_corrected),
    (2, lambda machine: machine.last is not None, _M.the_last_act_is_sent_again),
    (6, _always, _M.record_is_read_at_a_past_moment),
)
"""How often each step is made, when it can be, and what it is."""

__all__ = ["Before", "PharmacyMachine", "Tally"]


def _undone_to_the_letter(lines: Sequence[LedgerLine], undoing: Mapping[int, int]) -> set[str]:
    """Lines of moves that were undone, and of their undoing, where the one is just the other turned round."""

    def of(line: LedgerLine, seq: int, before: str, after: str) -> tuple[object, ...]:
        return seq, line.strength_mg, line.lot, line.place, line.quantity, before, after

    back = {
        of(line, undoing[line.event_seq], line.to_state, line.from_state): line.line_id
        for line in lines
        if line.event_seq in undoing
    }
    done = {of(line, line.event_seq, line.from_state, line.to_state): line.line_id for line in lines}
    both = back.keys() & done.keys()
    return {found[key] for key in both for found in (back, done)}
