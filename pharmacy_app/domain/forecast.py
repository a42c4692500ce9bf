"""The supply forecast: the vials that future doses will take, against what is usable on each of their days.

Future doses come from the treatment calendar, carried on as if each dose were given on its expected day; their amount
is the dose decision's own arithmetic, their vials are the planner's own choice from what is on the shelf that day.
Whether a dose may be given is not judged here. What is not known is said and never guessed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.dosing import decide, round_dose
from pharmacy_app.domain.findings import Named, Step
from pharmacy_app.domain.planning import UsableVial, plan_vials
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.request import DoseRequest, Height, Weight
from pharmacy_app.domain.schedule import GivenDose, place_words
from pharmacy_app.domain.settings import StudySettings
from pharmacy_app.domain.treatment import CyclePlan, Treatment
from pharmacy_app.domain.treatment_calendar import OPEN, CalendarDose, calendar_of
from pharmacy_app.domain.units import KEPT, WORKING, show, show_mg
from pharmacy_app.domain.vials import STRENGTHS_MG, usable_on

WEEKS = 12
"""How many weeks are looked ahead."""

MONTH_DAYS = 30
"""A month of assumed new subjects, in days."""

ProtocolOn = Callable[[date], Protocol]
"""The protocol in force on a day."""


class Certainty(StrEnum):
    """How sure a dose is: response and toxicity decide whether a cycle that nobody planned yet comes at all."""

    EXPECTED = "expected"
    GOES_ON = "if treatment goes on"
    NEW = "assumed new subject"


@dataclass(frozen=True, slots=True)
class OrderedDose:
    """A dose that is ordered and not given yet; ``reserved`` once vials are set apart for it."""

    dose_id: str
    course: int
    cycle: int
    day: int
    level: int
    planned_on: date
    prescribed_mg: Decimal
    reserved: bool


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """What is known of a subject: doses given, statements, newest height and weight, doses ordered."""

    subject_number: str
    history: tuple[GivenDose, ...]
    treatment: Treatment
    height: Height | None
    weight: Weight | None
    orders: tuple[OrderedDose, ...] = ()


@dataclass(frozen=True, slots=True)
class NewSubjects:
    """An assumption: how many new subjects begin a month, each with one body surface area (m²)."""

    per_month: int
    bsa_m2: Decimal


@dataclass(frozen=True, slots=True)
class LeadTime:
    """The signed days from an order to usable stock, with their source."""

    days: int
    source: str


@dataclass(frozen=True, slots=True)
class FutureDose:
    """A dose to come: its day, its amount (mg; ``None`` when it is not known) and how that was made."""

    on: date
    subject_number: str
    course: int
    cycle: int
    day: int
    level: int
    certainty: Certainty
    mg: Decimal | None
    steps: tuple[Step, ...]
    dose_id: str
    reserved: bool
    words: str

    @property
    def place(self) -> str:
        """Where it stands in the regimen, in words."""
        return place_words(self.course, self.cycle, self.day)

    @property
    def whose(self) -> str:
        """The dose in a few words for a sentence."""
        who = self.subject_number if self.certainty is Certainty.NEW else f"subject {self.subject_number}"
        return f"{who}, {self.place}"


@dataclass(frozen=True, slots=True)
class Need:
    """What one dose takes: vials of the stock, and those that would have to be ordered for it (number by strength).

    ``missing_mg`` is what the stock usable on its day lacks; 0 when it can be made. ``known`` is false where the
    amount is not known, so that nothing was counted.
    """

    dose: FutureDose
    vials: tuple[UsableVial, ...]
    ordered: tuple[tuple[Decimal, int], ...]
    missing_mg: Decimal
    known: bool

    def count(self, strength_mg: Decimal) -> int:
        """How many vials of a strength it takes, from the stock or still to be ordered."""
        return sum(vial.strength_mg == strength_mg for vial in self.vials) + self.to_order(strength_mg)

    def to_order(self, strength_mg: Decimal) -> int:
        """How many vials of a strength would have to be ordered for it."""
        return dict(self.ordered).get(strength_mg, 0)


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days: the vials that each strength's doses take, by how sure they are, and what is usable on its last day.

    ``unknown`` counts the doses whose vials are not known.
    """

    number: int
    first: date
    last: date
    doses: int
    unknown: int
    needed: tuple[tuple[Decimal, Certainty, int], ...]
    usable_after: tuple[tuple[Decimal, int], ...]
    short: int

    def needs(self, strength_mg: Decimal, certainty: Certainty | None = None) -> int:
        """How many vials of a strength are needed, of one certainty or of all."""
        return sum(
            count for strength, sure, count in self.needed if strength == strength_mg and certainty in (None, sure)
        )

    def after(self, strength_mg: Decimal) -> int:
        """How many vials of a strength are usable on the week's last day, after use."""
        return dict(self.usable_after)[strength_mg]


@dataclass(frozen=True, slots=True)
class LotLeft:
    """Vials of one lot that no dose takes before their last usable day."""

    strength_mg: Decimal
    lot: str
    expires_on: date
    vials: int


@dataclass(frozen=True, slots=True)
class Supply:
    """The stock carried through a list of doses, the first expired first.

    ``first_short`` is the first dose that cannot be made; ``runs_out`` the first one of each strength for which the
    vials the planner would choose are not there any more, so that it takes the other strength or cannot be made.
    """

    needs: tuple[Need, ...]
    first_short: Need | None
    runs_out: tuple[tuple[Decimal, Need], ...]
    expire_unused: tuple[LotLeft, ...]
    left: tuple[UsableVial, ...]

    def to_order(self, strength_mg: Decimal) -> int:
        """How many vials of a strength are to be ordered so that every dose can be made."""
        return sum(need.to_order(strength_mg) for need in self.needs)

    @property
    def last_ordered_for(self) -> date | None:
        """The day of the last dose that takes ordered vials: they must be usable on it."""
        return max((need.dose.on for need in self.needs if need.ordered), default=None)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing to know or do: 'stop', 'warn', 'info' or 'ok', and its words."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """The supply of the next weeks: ``whole`` counts every dose, ``expected`` only those that are fixed already."""

    today: date
    until: date
    new_subjects: NewSubjects | None
    lead_time: LeadTime | None
    strengths_mg: tuple[Decimal, ...]
    stock: tuple[tuple[Decimal, int], ...]
    expected: Supply
    whole: Supply
    weeks: tuple[Week, ...]
    unknown: tuple[str, ...]
    sentences: tuple[Sentence, ...]


def forecast(
    subjects: Sequence[SubjectFacts],
    stock: Sequence[UsableVial],
    settings: StudySettings,
    protocol_on: ProtocolOn,
    today: date,
    lead_time: LeadTime | None = None,
    new_subjects: NewSubjects | None = None,
) -> Forecast:
    """Return the forecast from ``today`` for ``WEEKS`` weeks; ``stock`` holds the vials usable today."""
    until = today + timedelta(days=7 * WEEKS - 1)
    doses: list[FutureDose] = []
    unknown = list(_unsigned(settings))
    for facts in subjects:
        found, said = doses_ahead(facts, settings, protocol_on, today, until)
        doses += found
        unknown += said
    if new_subjects is not None:
        doses += _of_new_subjects(new_subjects, settings, protocol_on, today, until)
    doses.sort(key=lambda dose: (dose.on, dose.subject_number, dose.course, dose.cycle, dose.day))
    on_shelf = [vial for vial in stock if usable_on("available", vial.expires_on, today)]
    whole = carry(doses, on_shelf, settings, until)
    expected = carry([dose for dose in doses if dose.certainty is Certainty.EXPECTED], on_shelf, settings, until)
    made = Forecast(
        today=today,
        until=until,
        new_subjects=new_subjects,
        lead_time=lead_time,
        strengths_mg=STRENGTHS_MG,
        stock=tuple((mg, sum(vial.strength_mg == mg for vial in on_shelf)) for mg in STRENGTHS_MG),
        expected=expected,
        whole=whole,
        weeks=tuple(_weeks(whole, on_shelf, today)),
        unknown=tuple(unknown),
        sentences=(),
    )
    return replace(made, sentences=tuple(_sentences(made)))


# --- doses ahead ----------------------------------------------------------------------------------------------


def doses_ahead(
    facts: SubjectFacts, settings: StudySettings, protocol_on: ProtocolOn, today: date, until: date
) -> tuple[list[FutureDose], list[str]]:
    """Return a subject's doses up to a day, and what keeps some from being counted, as sentences.

    The calendar is carried on: each dose is taken as given on its day, and the calendar then says the next one. A dose
    that is late is expected today. A subject off treatment has none.
    """
    doses: list[FutureDose] = []
    said: list[str] = []
    orders = {(order.course, order.cycle, order.day): order for order in facts.orders}
    history = facts.history
    calendar = calendar_of(protocol_on(today), today, history, facts.treatment)
    while (place := next((dose for dose in calendar.doses if dose.status in OPEN), None)) is not None:
        order = orders.pop((place.course, place.cycle, place.day), None)
        expected_on = order.planned_on if order is not None else place.planned_on or place.expected_on
        if expected_on is None:
            said.append(
                f"Subject {facts.subject_number}: {place.place} has no day yet, so neither it nor what follows is "
                f"counted. {place.words}"
            )
            break
        on = max(expected_on, today)
        if on > until:
            break
        doses.append(_dose(facts, place, order, on, settings, protocol_on))
        history += (GivenDose(place.course, place.cycle, place.day, place.level or 0, on),)
        calendar = calendar_of(protocol_on(today), today, history, facts.treatment)
    for order in orders.values():
        if facts.treatment.off_treatment(order.course) is not None:
            said.append(
                f"Dose {order.dose_id} is ordered, but subject {facts.subject_number} is off treatment: it is not "
                "counted. Cancel it."
            )
        elif order.planned_on <= until:
            doses.append(_ordered(facts, order, max(order.planned_on, today), ""))
    unknown = [dose for dose in doses if dose.mg is None]
    if unknown and (missing := _missing(facts)):
        many = "1 dose is" if len(unknown) == 1 else f"{len(unknown)} doses are"
        said.append(
            f"Subject {facts.subject_number}: no {missing} is recorded, so {many} not counted. Enter it under Subjects."
        )
    return doses, said


def _dose(
    facts: SubjectFacts,
    place: CalendarDose,
    order: OrderedDose | None,
    on: date,
    settings: StudySettings,
    protocol_on: ProtocolOn,
) -> FutureDose:
    late = place.expected_on is not None and place.expected_on < on
    words = f"It was expected on {say_day(place.expected_on)}." if late and place.expected_on is not None else ""
    if order is not None:
        return _ordered(facts, order, on, words)
    course, cycle, treatment = place.course, place.cycle, facts.treatment
    begun = any((dose.course, dose.cycle) == (course, cycle) for dose in facts.history)
    planned = treatment.planned_day1(course, cycle) is not None
    ordered = any((each.course, each.cycle) == (course, cycle) for each in facts.orders)
    decision = decide(
        DoseRequest(
            today=on,
            protocol=protocol_on(on),
            settings=settings,
            birth=None,
            course=course,
            cycle=cycle,
            day=place.day,
            level=place.level or 0,
            planned_on=on,
            prescribed_mg=None,
            height=facts.height,
            dosing_weight=facts.weight,
            current_weight=facts.weight,
            treatment=treatment,
        )
    )
    return FutureDose(
        on=on,
        subject_number=facts.subject_number,
        course=course,
        cycle=cycle,
        day=place.day,
        level=place.level or 0,
        certainty=Certainty.EXPECTED if begun or planned or ordered else Certainty.GOES_ON,
        mg=decision.planned_mg,
        steps=decision.steps,
        dose_id="",
        reserved=False,
        words=words,
    )


def _ordered(facts: SubjectFacts, order: OrderedDose, on: date, words: str) -> FutureDose:
    step = Step(
        name="prescribed dose",
        formula=f"as ordered, dose {order.dose_id}",
        inputs=(),
        result=order.prescribed_mg,
        unit="mg",
        section="8.1.3",
    )
    apart = "Its vials are reserved." if order.reserved else ""
    return FutureDose(
        on=on,
        subject_number=facts.subject_number,
        course=order.course,
        cycle=order.cycle,
        day=order.day,
        level=order.level,
        certainty=Certainty.EXPECTED,
        mg=order.prescribed_mg,
        steps=(step,),
        dose_id=order.dose_id,
        reserved=order.reserved,
        words=" ".join(part for part in (words, apart) if part),
    )


def _missing(facts: SubjectFacts) -> str:
    names = [name for name, value in (("height", facts.height), ("weight", facts.weight)) if value is None]
    return " and no ".join(names)


def _unsigned(settings: StudySettings) -> Iterator[str]:
    """What cannot be counted because a study setting is not signed."""
    names = [
        name
        for name, signed in (("the BSA formula", settings.bsa_formula), ("the dose rounding", settings.dose_rounding))
        if signed is None
    ]
    if names:
        yield (
            f"Not signed: {' and '.join(names)}. Only doses that are ordered already can be counted. Two people sign "
            "it under Settings."
        )
    for strength in STRENGTHS_MG:
        if settings.vial(strength) is None:
            yield (
                f"How {show_mg(strength)} vials are made up is not signed, so they are left out. Two people sign it "
                "under Settings."
            )


def _of_new_subjects(
    new: NewSubjects, settings: StudySettings, protocol_on: ProtocolOn, today: date, until: date
) -> Iterator[FutureDose]:
    """The doses of assumed subjects, begun evenly over a month of 30 days, the first after its share of one."""
    number = 1
    while (begins_on := today + timedelta(days=MONTH_DAYS * number // new.per_month)) <= until:
        plan = Treatment(plans=(CyclePlan(1, 1, begins_on),))
        facts = SubjectFacts(f"New subject {number}", (), plan, None, None)
        for dose in doses_ahead(facts, settings, protocol_on, today, until)[0]:
            steps = tuple(_assumed(dose, new.bsa_m2, settings, protocol_on(dose.on)))
            yield FutureDose(
                on=dose.on,
                subject_number=facts.subject_number,
                course=dose.course,
                cycle=dose.cycle,
                day=dose.day,
                level=dose.level,
                certainty=Certainty.NEW,
                mg=steps[-1].result if steps else None,
                steps=steps,
                dose_id="",
                reserved=False,
                words="",
            )
        number += 1


def _assumed(dose: FutureDose, bsa_m2: Decimal, settings: StudySettings, protocol: Protocol) -> Iterator[Step]:
    """The decision's two last steps with an assumed body surface area; none without the signed rounding."""
    mg_per_m2 = protocol.regimen.dose_mg_per_m2(dose.cycle, dose.level, dose.day)
    if mg_per_m2 is None or settings.dose_rounding is None:
        return
    rounding = settings.dose_rounding.value
    with localcontext(WORKING):
        unrounded = mg_per_m2 * bsa_m2
    unrounded = KEPT.plus(unrounded)
    yield Step(
        name="planned dose, unrounded",
        formula="dose of the day × assumed body surface area",
        inputs=(
            Named("dose of the day", show(mg_per_m2), "mg/m²"),
            Named("assumed body surface area", show(bsa_m2), "m²"),
        ),
        result=unrounded,
        unit="mg",
        section="8.1.3",
    )
    yield Step(
        name="planned dose, rounded",
        formula=f"rounded {rounding.mode.value} to a multiple of {show(rounding.increment_mg)} mg",
        inputs=(Named("planned dose, unrounded", show(unrounded), "mg"),),
        result=round_dose(unrounded, rounding),
        unit="mg",
        section="8.1.3",
    )


# --- stock carried through the doses --------------------------------------------------------------------------


def carry(doses: Iterable[FutureDose], stock: Sequence[UsableVial], settings: StudySettings, until: date) -> Supply:
    """Return what the doses take from the stock, in the order of their days; a dose cannot be served by expired vials.

    A dose that the stock cannot make takes what is left of it together with vials to be ordered.
    """
    shelf = list(stock)
    needs: list[Need] = []
    runs_out: dict[Decimal, Need] = {}
    for dose in sorted(doses, key=lambda dose: dose.on):
        if dose.reserved or dose.mg is None:
            needs.append(Need(dose, (), (), Decimal(0), known=dose.reserved))
            continue
        usable = [vial for vial in shelf if usable_on("available", vial.expires_on, dose.on)]
        to_order = _to_order(dose.mg, settings)
        ideal = plan_vials(dose.mg, to_order, settings, 0).best
        if ideal is None:
            needs.append(Need(dose, (), (), Decimal(0), known=False))
            continue
        plan = plan_vials(dose.mg, usable, settings, 0).best
        missing_mg = Decimal(0)
        if plan is None:
            with localcontext(WORKING):
                missing_mg = dose.mg - sum((_extractable(vial, settings) for vial in usable), Decimal(0))
            plan = plan_vials(dose.mg, [*usable, *to_order], settings, 0).best
            assert plan is not None  # what can be ordered alone makes the dose
        taken = {draw.unit_number for draw in plan.draws}
        need = Need(
            dose,
            tuple(vial for vial in usable if vial.unit_number in taken),
            _counted(vial for vial in to_order if vial.unit_number in taken),
            missing_mg,
            known=True,
        )
        needs.append(need)
        for strength in STRENGTHS_MG:
            if ideal.count(strength) > sum(vial.strength_mg == strength for vial in usable):
                runs_out.setdefault(strength, need)
        shelf = [vial for vial in shelf if vial.unit_number not in taken]
    lots: dict[tuple[date, Decimal, str], int] = {}
    for vial in shelf:
        if not usable_on("available", vial.expires_on, until):
            key = vial.expires_on, vial.strength_mg, vial.lot
            lots[key] = lots.get(key, 0) + 1
    return Supply(
        needs=tuple(needs),
        first_short=next((need for need in needs if need.missing_mg > 0), None),
        runs_out=tuple(sorted(runs_out.items())),
        expire_unused=tuple(LotLeft(mg, lot, on, count) for (on, mg, lot), count in sorted(lots.items())),
        left=tuple(vial for vial in shelf if usable_on("available", vial.expires_on, until)),
    )


def _to_order(mg: Decimal, settings: StudySettings) -> list[UsableVial]:
    """Enough vials of each signed strength to make a dose from that strength alone; they expire after all others."""
    vials = []
    for strength in STRENGTHS_MG:
        signed = settings.vial(strength)
        if signed is not None:
            with localcontext(WORKING):
                whole, rest = divmod(mg, signed.value.extractable_mg)
            vials += [
                UsableVial(f"order {strength} {number:06d}", strength, "to be ordered", date.max, "")
                for number in range(int(whole) + (1 if rest else 0))
            ]
    return vials


def _extractable(vial: UsableVial, settings: StudySettings) -> Decimal:
    signed = settings.vial(vial.strength_mg)
    return Decimal(0) if signed is None else signed.value.extractable_mg


def _counted(vials: Iterable[UsableVial]) -> tuple[tuple[Decimal, int], ...]:
    counts: dict[Decimal, int] = {}
    for vial in vials:
        counts[vial.strength_mg] = counts.get(vial.strength_mg, 0) + 1
    return tuple(sorted(counts.items()))


def _weeks(supply: Supply, stock: Sequence[UsableVial], today: date) -> Iterator[Week]:
    for at in range(WEEKS):
        first = today + timedelta(days=7 * at)
        last = first + timedelta(days=6)
        mine = [need for need in supply.needs if first <= need.dose.on <= last]
        taken = {vial.unit_number for need in supply.needs if need.dose.on <= last for vial in need.vials}
        usable = [
            vial for vial in stock if vial.unit_number not in taken and usable_on("available", vial.expires_on, last)
        ]
        yield Week(
            number=at + 1,
            first=first,
            last=last,
            doses=len(mine),
            unknown=sum(not need.known for need in mine),
            needed=tuple(
                (strength, sure, sum(need.count(strength) for need in mine if need.dose.certainty is sure))
                for strength in STRENGTHS_MG
                for sure in Certainty
            ),
            usable_after=tuple((mg, sum(vial.strength_mg == mg for vial in usable)) for mg in STRENGTHS_MG),
            short=sum(need.missing_mg > 0 for need in mine),
        )


# --- what to do, and by when ----------------------------------------------------------------------------------


def _sentences(made: Forecast) -> Iterator[Sentence]:
    whole, expected = made.whole, made.expected
    known = [need for need in whole.needs if need.known]
    if whole.first_short is None:
        if not whole.needs:
            yield Sentence("info", f"No dose is expected until {say_day(made.until)}.")
        elif not known:
            yield Sentence("warn", "How many vials the coming doses take is not known; what is missing stands below.")
        else:
            unsure = " as far as they are known" if len(known) < len(whole.needs) or made.unknown else ""
            yield Sentence(
                "ok",
                f"Usable stock makes every dose until {say_day(made.until)}{unsure}: {_many(len(known), 'dose')}, "
                f"{_vials(made, lambda mg: sum(need.count(mg) for need in known))}. Nothing need be ordered.",
            )
    else:
        yield _shortage(made, whole.first_short)
        first = expected.first_short
        if first is None:
            yield Sentence("info", "Counting only the doses that are fixed already, every one can be made.")
        elif first.dose != whole.first_short.dose:
            yield Sentence(
                "stop",
                "Counting only the doses that are fixed already, the first that cannot be made is "
                f"{first.dose.whose}, on {say_day(first.dose.on)}.",
            )
        yield _order(made, whole.first_short)
    for strength, need in whole.runs_out:
        if need.missing_mg == 0:
            yield Sentence(
                "info",
                f"{show_mg(strength)} vials run short on {say_day(need.dose.on)}: {need.dose.whose} "
                f"({_mg(need.dose)}) then takes {_taken_words(need)} instead.",
            )
    for lot in whole.expire_unused:
        yield Sentence(
            "warn",
            f"{_many(lot.vials, 'vial')} of {show_mg(lot.strength_mg)}, lot {lot.lot}, will expire unused: no dose "
            f"takes {'it' if lot.vials == 1 else 'them'} until {say_day(lot.expires_on)}. Ask the supporter about an "
            "extension, a transfer or the return.",
        )


def _shortage(made: Forecast, short: Need) -> Sentence:
    dose = short.dose
    alone = made.expected.first_short
    fixed = alone is not None and alone.dose == dose
    unless = ""
    if not fixed:
        unless = "If treatment goes on"
        unless += " and new subjects come as assumed, " if made.new_subjects is not None else ", "
    words = (
        f"{unless}the first dose that cannot be made is {dose.whose}, on {say_day(dose.on)}: it takes {_mg(dose)}, and "
        f"{show_mg(short.missing_mg)} are missing."
    )
    return Sentence("stop" if fixed else "warn", words[:1].upper() + words[1:])


def _order(made: Forecast, short: Need) -> Sentence:
    whole = made.whole
    last = whole.last_ordered_for
    assert last is not None  # there is a dose that cannot be made
    what = _vials(made, whole.to_order)
    sure = made.expected
    fixed = [f"{sure.to_order(mg)} of {show_mg(mg)}" for mg in made.strengths_mg if sure.to_order(mg)]
    of_these = f" The doses that are fixed already need {' and '.join(fixed)} of them." if fixed else ""
    keep = f"usable until {say_day(last)} or longer"
    if made.lead_time is None:
        return Sentence(
            "warn",
            f"Order {what}, {keep}; the first must be here and released by {say_day(short.dose.on)}. By when to order "
            f"is not known: the order lead time is not set. Two people sign it under Settings.{of_these}",
        )
    days = _many(made.lead_time.days, "day")
    by = short.dose.on - timedelta(days=made.lead_time.days)
    less = f"{say_day(short.dose.on)} less the lead time of {days}, {made.lead_time.source}"
    if by < made.today:
        return Sentence(
            "stop",
            f"Order {what}, {keep}, today: the day to order was {say_day(by)} ({less}). Ask the supporter whether they "
            f"can come sooner.{of_these}",
        )
    return Sentence("warn", f"Order {what}, {keep}, by {say_day(by)} ({less}).{of_these}")


def _vials(made: Forecast, count: Callable[[Decimal], int]) -> str:
    parts = [f"{_many(count(mg), 'vial')} of {show_mg(mg)}" for mg in made.strengths_mg if count(mg)]
    return " and ".join(parts) or "no vial"


def _taken_words(need: Need) -> str:
    parts = [f"{_many(count, 'vial')} of {show_mg(mg)}" for mg, count in _counted(need.vials)]
    return " and ".join(parts)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _mg(dose: FutureDose) -> str:
    assert dose.mg is not None  # only doses of a known amount are counted
    return show_mg(dose.mg)
