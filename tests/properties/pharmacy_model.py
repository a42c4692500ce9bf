"""The pharmacy's vials in plain dictionaries, by the words of § 8.2: what the machine measures the program by.

Nothing here reads the program's tables or its table of moves. Each vial is where and what it is now, and a list of
dated facts. What is asked of the record is answered from these lists alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

# --- the clock of the site: Chicago in 2026, summer time from 8 March 2:00 to 1 November 2:00

SPRING = datetime(2026, 3, 8, 8, tzinfo=UTC)
AUTUMN = datetime(2026, 11, 1, 7, tzinfo=UTC)
NEVER, FOR_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
SUMMER, WINTER = timedelta(hours=5), timedelta(hours=6)


def local(utc: datetime) -> datetime:
    """What the clock on the wall says at a moment."""
    return (utc - (SUMMER if SPRING <= utc < AUTUMN else WINTER)).replace(tzinfo=None)


def read_clock(text: str) -> datetime | None:
    """The moment that a time typed at the site means, the first of two; ``None`` for one that never was."""
    wall = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    for behind in (SUMMER, WINTER):
        if local(wall + behind) == wall.replace(tzinfo=None):
            return wall + behind
    return None


def typed(utc: datetime) -> str:
    """A moment as it is typed at the site: the minute it lies in."""
    return local(utc).strftime("%Y-%m-%d %H:%M")


def day_of(utc: datetime) -> date:
    """The site's day of a moment."""
    return local(utc).date()


def midnight(day: date) -> datetime:
    """The moment at which a day of the site begins."""
    begins = read_clock(f"{day} 00:00")
    assert begins is not None
    return begins


# --- what a vial is

UNOPENED = frozenset({"held", "available", "reserved", "quarantined"})
USED = frozenset({"empty", "partial", "broken", "returned by subject"})
"""Containers that wait for the monitor's accountability."""
CONTAINERS = USED | {"opened"}
ON_SITE = UNOPENED | CONTAINERS
ON_A_SHELF = frozenset({"held", "quarantined"})

STARTS = {
    # "Once a deviation is identified, the product must be quarantined": whatever of it is not opened or gone.
    "quarantine": frozenset({"held", "available", "reserved"}),
    # "not used until Pfizer provides documentation of permission to use".
    "permit": frozenset({"held", "quarantined"}),
    "break": UNOPENED,
    "miss": UNOPENED | USED,
    "find": frozenset({"missing", "lost"}),
    # A vial that is reserved or being used stays with its dose.
    "transport": frozenset({"held", "available", "quarantined"}) | USED,
    # "All unopened investigational product must be returned"; one that waits for a dose is freed of it first.
    "return": frozenset({"held", "available", "quarantined"}),
    "transfer": frozenset({"available", "quarantined"}),
    # "investigational product left after the vial was opened … and empty containers after accountability".
    "account": USED,
    "destroy": USED,
    # What left for a subject was opened.
    "take back": frozenset({"opened", "empty", "partial"}),
}

LABELLED = {"1": Decimal(1), "4": Decimal(4)}
EXTRACTABLE = {"1": Decimal("0.9"), "4": Decimal("3.8")}
"""What can be drawn from a vial (mg), by the settings that the tests sign."""
MG_PER_ML = Decimal("0.25")
DOSE = Decimal("1.46")
"""The usual dose (mg)."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Under which label a vial goes, where it lies and in which state it is."""

    strength: str
    lot: str
    place: str
    state: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened to a vial: when it was done, when recorded, and from when it counts today."""

    seq: int
    done: datetime
    recorded: datetime
    effective: datetime
    before: Stand | None
    after: Stand

    def is_of_its_label(self) -> bool:
        """Whether it says under which label the vial goes, and nothing else: its receipt, or a correction of that."""
        before = self.before
        return before is None or (before.place, before.state) == (self.after.place, self.after.state)


@dataclass(slots=True)
class Bottle:
    """One vial: how it stands, why it is kept back, for which dose, and what happened to it.

    ``also``: it was kept back already when a storage deviation became the reason. ``label_right``: a label that says
    what the vial is was printed; ``scanned``: it was scanned back from the vial.
    """

    unit: str
    shipment: str
    stand: Stand
    reason: str
    also: bool = False
    dose: str = ""
    accounted_by: int = 0
    label_right: bool = False
    scanned: bool = False
    facts: list[Fact] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.stand.state

    @property
    def last(self) -> Fact:
        return self.facts[-1]

    def was_before_lost(self) -> str:
        """What a lost container was, '' for a vial that is not lost."""
        if self.state != "lost":
            return ""
        return next(
            fact.before.state
            for fact in reversed(self.facts)
            if fact.before is not None and fact.before.state != "lost" and fact.after.state == "lost"
        )

    def last_standing(self, undone: dict[int, int]) -> Fact | None:
        """Its newest move that stands: one taken back does not where the vial came to stand again as before it.

        ``undone`` gives for an entry that was taken back the one that did it.
        """
        gone = {seq for pair in self.gone(undone) for seq in pair}
        return next((fact for fact in reversed(self.facts) if fact.seq not in gone), None)

    def gone(self, undone: dict[int, int]) -> list[tuple[int, int]]:
        """The moves that were taken back so that the vial came to stand as before them: entry, and what undid it."""
        pairs = []
        for entry, by in undone.items():
            first = next((fact for fact in self.facts if fact.seq == entry), None)
            last = next((fact for fact in reversed(self.facts) if fact.seq == by), None)
            if first is None or last is None or first.before is None:
                continue
            if (first.before.state, first.before.place) == (last.after.state, last.after.place):
                pairs.append((entry, by))
        return pairs

    def known_at(self, at: datetime, undone: dict[int, int]) -> Fact | None:
        """The fact that says today how it stood at a moment, ``None`` before there was one.

        A move and what undid it say nothing of it where something recorded after both counts from before them.
        """
        known = sorted(
            (fact for fact in self.facts if fact.effective <= at), key=lambda fact: (fact.effective, fact.seq)
        )
        gone = {by: entry for entry, by in self.gone(undone)}
        passed: set[int] = set()
        for fact in reversed(known):
            later = any(other.seq > fact.seq and other.effective < fact.effective for other in known)
            if fact.seq in gone and later:
                passed |= {fact.seq, gone[fact.seq]}
            if fact.seq not in passed:
                return fact
        return None

    def kept_back_besides(self) -> bool:
        """Whether it is kept back for something else than a storage deviation."""
        return self.also or bool(self.reason and not self.reason.startswith("storage deviation"))


@dataclass(slots=True)
class Content:
    """What became of a vial's labelled content (mg); ``None``: not closed yet."""

    labelled: Decimal
    withdrawn: Decimal
    residue: Decimal | None = None
    discarded: Decimal | None = None


@dataclass(slots=True)
class Dose:
    """A dose for one day: how far it is, its vials in the order of drawing, and the times at the hood."""

    dose_id: str
    subject: str
    on: date
    status: str = "decided"
    units: tuple[str, ...] = ()
    planner: str = ""
    checker: str = ""
    verified: datetime = NEVER
    has_worksheet: bool = False
    labels_seq: int = 0
    label_scanned: bool = False
    prepared_seq: int = 0
    reconstituted: datetime = NEVER
    diluted: datetime = NEVER
    released: datetime | None = None
    expires_on: date = date.max

    def start_by(self) -> datetime:
        """By when the hour of infusion begins: 8 h from reconstitution, 4 h from dilution, within the expiry."""
        ends = (self.reconstituted + timedelta(hours=8), self.diluted + timedelta(hours=4))
        return min(*ends, midnight(self.expires_on + timedelta(days=1))) - timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Before:
    """How a vial stood before an entry."""

    stand: Stand
    reason: str
    also: bool


@dataclass(slots=True)
class Entry:
    """An entry of the journal that somebody may want to correct."""

    seq: int
    kind: str
    way: str
    effective: datetime
    units: tuple[str, ...]
    before: dict[str, Before] = field(default_factory=dict)
    dose: str = ""
    deviation: str = ""
    labels: list["Label"] = field(default_factory=list)
    closed: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    corrected: bool = False
    undone_by: int = 0
    decides: bool = False


@dataclass(slots=True)
class Label:
    """What a receipt says of some vials."""

    units: tuple[str, ...]
    strength: str
    lot: str
    expires_on: date
    never: tuple[str, ...] = ()


@dataclass(slots=True)
class Deviation:
    """A storage deviation: the place, the spans, and whether each vial named in it may be used by decision.

    ``known``: by which entry a vial was named, and from when it could be known. ``lasts``: no end is recorded yet.
    """

    number: str
    place: str
    since: datetime
    until: datetime
    may_be_used: dict[str, bool]
    known: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    lasts: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A document: its kind, what it is about ('' for everything), and its day."""

    kind: str = ""
    about: str = ""
    dated_on: date = date.max
    seq: int = 0


@dataclass(slots=True)
class Extension:
    """A lot's expiry extended: by which entry, from which day to which, by a letter of which day."""

    seq: int
    strength: str
    lot: str
    old: date
    new: date
    letter_of: date
    undone: bool = False


@dataclass(slots=True)
class Model:
    """All of it."""

    vials: dict[str, Bottle] = field(default_factory=dict)
    expiry: dict[tuple[str, str], date] = field(default_factory=dict)
    extensions: list[Extension] = field(default_factory=list)
    doses: dict[str, Dose] = field(default_factory=dict)
    mg: dict[str, Content] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    closed_places: set[str] = field(default_factory=set)
    shipments: dict[str, int] = field(default_factory=dict)
    entries: dict[int, Entry] = field(default_factory=dict)
    deviations: dict[str, Deviation] = field(default_factory=dict)
    documents: dict[str, Letter] = field(default_factory=dict)
    added: dict[str, datetime] = field(default_factory=dict)
    came_to: dict[str, tuple[str, str]] = field(default_factory=dict)
    signed_until: datetime = NEVER
    signed: list[tuple[datetime, Counter[tuple[str, str, str]]]] = field(default_factory=list)

    def of(self, *units: str) -> list[Bottle]:
        return [self.vials[unit] for unit in units]

    def open_places(self) -> list[str]:
        return [place for place in self.places if place not in self.closed_places]

    def last_done(self, units: Iterable[str]) -> datetime:
        """When the last of these vials moved last."""
        return max((self.vials[unit].last.done for unit in units), default=NEVER)

    def move(
        self, unit: str, seq: int, now: datetime, after: Stand, done: datetime, effective: datetime | None = None
    ) -> None:
        """A vial stands otherwise from now on."""
        vial = self.vials[unit]
        vial.facts.append(Fact(seq, done, now, effective or done, vial.stand, after))
        vial.stand = after

    def to_state(self, units: Iterable[str], seq: int, now: datetime, state: str, done: datetime) -> None:
        """Vials change their state where they are."""
        for unit in units:
            self.move(unit, seq, now, replace(self.vials[unit].stand, state=state), done)

    def before(self, units: Iterable[str]) -> dict[str, Before]:
        return {unit: Before(self.vials[unit].stand, self.vials[unit].reason, self.vials[unit].also) for unit in units}

    def knew_not(self, letter: Letter, vial: Bottle) -> bool:
        """Whether a vial was taken out of use by a later entry than a letter's, or on a later day than it is of."""
        known = [each.known[vial.unit] for each in self.deviations.values() if vial.unit in each.known]
        for fact in vial.facts:
            before, entry = fact.before.state if fact.before else "", self.entries.get(fact.seq)
            out = (before, fact.after.state) == ("", "held") or (
                fact.after.state == "quarantined" and before in STARTS["quarantine"] | STARTS["find"]
            )
            undone = entry is not None and (entry.kind == "undo" or (entry.way == "move" and entry.corrected))
            by_deviation = entry is not None and (bool(entry.deviation) or entry.kind == "transport")
            if out and not undone and not by_deviation:
                known.append((fact.seq, fact.recorded))
        return any(seq > letter.seq or day_of(at) > letter.dated_on for seq, at in known)

    def went_on_after(self, place: str, since: datetime) -> list[Deviation]:
        """The deviations at a place through which a vial lay that came there at a moment and is there still."""
        return [
            each for each in self.deviations.values() if each.place == place and (each.lasts or each.until >= since)
        ]

    def shut(self, place: str) -> bool:
        """Whether a deviation lasts at a place."""
        return any(each.lasts for each in self.deviations.values() if each.place == place)

    # --- questions

    def of_lot(self, strength: str, lot: str) -> list[Bottle]:
        """The vials of a lot that came."""
        return [
            vial
            for vial in self.vials.values()
            if (vial.stand.strength, vial.stand.lot) == (strength, lot) and vial.state != "never received"
        ]

    def extended(self, strength: str, lot: str) -> list[Extension]:
        """The extensions of a lot that stand, newest first."""
        mine = [each for each in self.extensions if (each.strength, each.lot) == (strength, lot) and not each.undone]
        return sorted(mine, key=lambda each: -each.seq)

    def counts_through(self, strength: str, lot: str, printed: date) -> date:
        """The last usable day of vials with this day printed on them."""
        mine = self.extended(strength, lot)
        return mine[0].new if any(each.old == printed for each in mine) else printed

    def lay_through(self, vial: Bottle, entry: Entry) -> bool:
        """Whether a vial lay through a deviation that is undecided for it, if an entry had never been made."""
        return any(
            not deviation.may_be_used[vial.unit]
            if vial.unit in deviation.may_be_used
            else deviation.place == vial.stand.place and (deviation.lasts or deviation.until >= entry.effective)
            for deviation in self.deviations.values()
        )

    def stock(self) -> Counter[Stand]:
        return Counter(vial.stand for vial in self.vials.values())

    def known_then(self, at: datetime) -> Counter[Stand]:
        """How the vials stood by what was done and recorded by a moment."""
        stood: Counter[Stand] = Counter()
        for vial in self.vials.values():
            known = [fact for fact in vial.facts if fact.done <= at and fact.recorded <= at]
            if known:
                stood[max(reversed(known), key=lambda fact: (fact.done, fact.seq)).after] += 1
        return stood

    def known_now(self, at: datetime) -> Counter[Stand]:
        """How we say today that the vials stood at a moment."""
        stood: Counter[Stand] = Counter()
        undone = self.taken_back()
        for vial in self.vials.values():
            fact = vial.known_at(at, undone)
            if fact is not None:
                stood[fact.after] += 1
        return stood

    def taken_back(self) -> dict[int, int]:
        """For each entry that was taken back the one that did it."""
        return {entry.seq: entry.undone_by for entry in self.entries.values() if entry.undone_by}

    def dated_by(self, at: datetime) -> Counter[Stand]:
        """The printed record before a moment: everything dated before it, whenever it was recorded."""
        stood: Counter[Stand] = Counter()
        for vial in self.vials.values():
            known = [fact for fact in vial.facts if fact.done < at]
            if known:
                stood[max(reversed(known), key=lambda fact: (fact.done, fact.seq)).after] += 1
        return stood

    def entered_later(self, at: datetime) -> set[int]:
        """The entries that count from before a moment and were recorded after it."""
        return {fact.seq for vial in self.vials.values() for fact in vial.facts if fact.effective <= at < fact.recorded}

    def lay_at(self, place: str, since: datetime, until: datetime) -> set[str]:
        """The vials that lay unopened at a place at any time of a span, as we know it now."""
        return {
            vial.unit
            for vial in self.vials.values()
            for stand, begins, ends in self.stays(vial)
            if stand.place == place and stand.state in UNOPENED and begins <= until and ends >= since
        }

    @staticmethod
    def stays(vial: Bottle) -> Iterator[tuple[Stand, datetime, datetime]]:
        """How a vial stood from when to when, as known now; what was taken back the moment it began never was."""
        facts = sorted(vial.facts, key=lambda fact: (fact.effective, fact.seq))
        for index, fact in enumerate(facts):
            ends = facts[index + 1].effective if index + 1 < len(facts) else FOR_EVER
            if fact.effective < ends:
                yield fact.after, fact.effective, ends

    def moved_at(self, place: str, after_seq: int) -> bool:
        """Whether unopened vials left a place or came to it by an entry after this one."""

        def kind(stand: Stand | None) -> str:
            if stand is None or stand.place != place or stand.state not in ON_SITE:
                return ""
            return "vials" if stand.state in UNOPENED else "containers"

        for vial in self.vials.values():
            for fact in vial.facts:
                relocated = fact.before is not None and replace(fact.before, state="") != replace(fact.after, state="")
                kinds = {kind(fact.before), kind(fact.after)}
                if fact.seq > after_seq and "vials" in kinds and (relocated or len(kinds) > 1):
                    return True
        return False

    def plan_fits(self, units: Iterable[str]) -> bool:
        """Whether the usual dose can be drawn from these vials in this order with none to spare."""
        rest, spare = DOSE, False
        for unit in units:
            spare = spare or rest <= 0
            rest -= EXTRACTABLE[self.vials[unit].stand.strength]
        return rest <= 0 and not spare

    def draws(self, dose: Dose) -> list[Decimal]:
        """How many mL of each vial make the usual dose."""
        rest, drawn = DOSE, []
        for unit in dose.units:
            mg = min(rest, EXTRACTABLE[self.vials[unit].stand.strength])
            drawn.append(mg / MG_PER_ML)
            rest -= mg
        return drawn

    def open_content(self, dose: Dose) -> list[str]:
        """The vials of a dose whose content is not closed yet."""
        mine = (unit for unit in dose.units if unit in self.mg and self.vials[unit].dose == dose.dose_id)
        return sorted(unit for unit in mine if self.mg[unit].residue is None)

    def closed_as(self, unit: str) -> str:
        """Empty or partial: more left than cannot be drawn makes a remainder."""
        content = self.mg[unit]
        assert content.residue is not None
        cannot = content.labelled - EXTRACTABLE[format(content.labelled, "f")]
        return "partial" if content.residue > cannot else "empty"
