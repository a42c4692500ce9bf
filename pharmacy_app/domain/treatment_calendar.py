"""The treatment calendar of one subject: every dose with its window, the marrows, what happened, and what comes next.

It says when, not whether: whether a dose may be given is for the dose decision, which reads the same windows. Later
days of a cycle run from its actual day 1; day 1 stands by its stored plan, cycle 2 by its own window after the marrow
(§ 3.3, 3.4, 3.7, 8.1.3, 8.1.5; RULES R20 to R31, A6 to A9).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.protocol import CycleDoses, Protocol
from pharmacy_app.domain.rules.case import days_word
from pharmacy_app.domain.schedule import (
    GivenDose,
    Window,
    cycle_day,
    cycle_start_window,
    given,
    on_cycle_day,
    place_words,
    same_cycle_to_day,
    second_cycle_days,
    window_around,
)
from pharmacy_app.domain.treatment import (
    Cause,
    CyclePlan,
    Delay,
    LiverFinding,
    Marrow,
    Omission,
    Toxicity,
    Treatment,
)
from pharmacy_app.domain.units import show


class DoseStatus(StrEnum):
    """How a dose of the regimen stands today."""

    GIVEN = "given"
    OMITTED = "omitted"
    DUE_NOW = "due now"
    AHEAD = "ahead"
    LATE = "late"
    MUST_OMIT = "must be omitted"
    NOT_GIVEN = "not given"


OPEN = (DoseStatus.DUE_NOW, DoseStatus.AHEAD, DoseStatus.LATE)
"""What may still be given."""


class MarrowStatus(StrEnum):
    """How a marrow of the first cycle stands today."""

    TAKEN = "taken"
    DUE_NOW = "due now"
    AHEAD = "ahead"
    NOT_TAKEN = "not taken"


class EventKind(StrEnum):
    """What an event of the calendar is; events of one day stand in this order."""

    RETREATMENT = "retreatment"
    MARROW = "marrow"
    RESPONSE = "response"
    TOXICITY = "toxicity"
    DELAY = "delay"
    OMISSION = "omission"
    LEVEL = "level"
    TRANSPLANT = "transplant"
    OFF_TREATMENT = "off treatment"


@dataclass(frozen=True, slots=True)
class CalendarDose:
    """One dosing day of the regimen, its window (both ends inside) and what became of it.

    ``level`` is ``None`` where the regimen has no levels, ``mg_per_m2`` where the dose is not known. ``planned_on`` is
    the newest plan of a day 1; ``expected_on`` stays the first one. ``delay_days`` counts from the first plan, or the
    day that the actual day 1 gives: to the day given, or to today while the dose is late. It is ``None`` without such
    a day; a dose given early has a negative one.
    """

    course: int
    cycle: int
    day: int
    level: int | None
    mg_per_m2: Decimal | None
    planned_on: date | None
    expected_on: date | None
    earliest: date | None
    latest: date | None
    status: DoseStatus
    given_on: date | None
    given_mg: Decimal | None
    delay_days: int | None
    delay_cause: Cause | None
    words: str

    @property
    def place(self) -> str:
        """Where it stands in the regimen, in words."""
        return place_words(self.course, self.cycle, self.day)


@dataclass(frozen=True, slots=True)
class MarrowWindow:
    """A marrow of the first cycle: the day named, its window (both ends inside), and what was taken in it."""

    course: int
    day: int
    expected_on: date
    earliest: date
    latest: date
    status: MarrowStatus
    taken: tuple[Marrow, ...]


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """What was stated on a day, as a sentence."""

    on: date
    kind: EventKind
    words: str


@dataclass(frozen=True, slots=True)
class NextDue:
    """The dose that comes next: the day it is due and both ends of its window."""

    course: int
    cycle: int
    day: int
    from_on: date
    due_on: date
    until_on: date
    words: str


@dataclass(frozen=True, slots=True)
class TreatmentCalendar:
    """A subject's calendar as of ``today``; ``doses`` in the order of the regimen, ``events`` by date.

    ``next_due`` is ``None`` when no dose comes next or its day is not known; ``next_words`` says it either way.
    ``marrow_words`` speaks of the marrow after the first cycle and is '' before that.
    """

    today: date
    doses: tuple[CalendarDose, ...]
    marrows: tuple[MarrowWindow, ...]
    marrow_words: str
    events: tuple[CalendarEvent, ...]
    next_due: NextDue | None
    next_words: str

    def cycles(self) -> tuple[tuple[int, int], ...]:
        """Course and cycle of every cycle shown, in order."""
        return tuple(dict.fromkeys((dose.course, dose.cycle) for dose in self.doses))

    def of_cycle(self, course: int, cycle: int) -> tuple[CalendarDose, ...]:
        """The doses of one cycle."""
        return tuple(dose for dose in self.doses if (dose.course, dose.cycle) == (course, cycle))


def calendar_of(
    protocol: Protocol, today: date, history: tuple[GivenDose, ...], treatment: Treatment
) -> TreatmentCalendar:
    """Return the calendar as it stands ``today``; the history may come in any order."""
    known = _Known(protocol, today, history, treatment)
    doses = tuple(dose for course, cycle in known.cycles() for dose in _doses_of(known, course, cycle))
    next_due, next_words = _next(known, doses)
    return TreatmentCalendar(
        today=today,
        doses=doses,
        marrows=tuple(window for course in known.courses() for window in _marrow_windows(known, course)),
        marrow_words=_marrow_words(known),
        events=_events(known),
        next_due=next_due,
        next_words=next_words,
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What a calendar is made from."""

    protocol: Protocol
    today: date
    history: tuple[GivenDose, ...]
    treatment: Treatment

    def _stated(self) -> set[tuple[int, int]]:
        """Every cycle of which a dose, a plan, a delay or an omission is recorded."""
        told = self.treatment
        stated: tuple[GivenDose | CyclePlan | Delay | Omission, ...]
        stated = (*self.history, *told.plans, *told.delays, *told.omissions)
        return {(each.course, each.cycle) for each in stated}

    def courses(self) -> list[int]:
        """Every course there is; the first one always."""
        ordered = {order.course for order in self.treatment.retreatments}
        return sorted({1, *ordered, *(course for course, _ in self._stated())})

    def last_course(self) -> int:
        """The course that treatment is in."""
        return self.courses()[-1]

    def max_cycles(self, course: int) -> int:
        """The most cycles a course may have (§ 3.3, 3.7)."""
        most = self.protocol.regimen.max_cycles
        return most if course == 1 else min(most, self.protocol.retreatment.max_cycles)

    def cycles(self) -> list[tuple[int, int]]:
        """Every cycle up to the last one stated, and the one after the last that began while treatment goes on."""
        shown: list[tuple[int, int]] = []
        for course in self.courses():
            last = max((cycle for own, cycle in self._stated() if own == course), default=1)
            if self.goes_on(course):
                begun = max((dose.cycle for dose in self.history if dose.course == course), default=0)
                last = max(last, min(begun + 1, self.max_cycles(course)))
            shown += [(course, cycle) for cycle in range(1, last + 1)]
        return shown

    def goes_on(self, course: int) -> bool:
        """Whether doses of a course may still come."""
        return course == self.last_course() and self.ended(course) == ""

    def ended(self, course: int) -> str:
        """Why no dose of a course comes any more, as a sentence; '' when none is recorded."""
        removal = self.treatment.off_treatment(course)
        if removal is not None:
            return f"Off treatment since {say_day(removal.removed_on)}: {removal.reason.value}."
        liver = self.liver()
        if liver is None:
            return ""
        finding, since = liver
        return (
            f"{_capital(finding.value)} is recorded since {say_day(since)}: treatment is discontinued for good. Record "
            "the end of treatment."
        )

    def liver(self) -> tuple[LiverFinding, date] | None:
        """The first liver finding on record; suspicion is enough (§ 8.1.5(4))."""
        return next(((each.liver, each.onset_on) for each in self.treatment.toxicities if each.liver), None)

    def day1_on(self, course: int, cycle: int) -> date | None:
        """The actual day 1 of a cycle."""
        day1 = given(self.history, course, cycle, 1)
        return day1[0].given_on if day1 else None

    def later_given(self, place: tuple[int, int, int]) -> bool:
        """Whether a dose further on in the regimen was given."""
        return any((dose.course, dose.cycle, dose.day) > place for dose in self.history)

    def level(self, course: int, cycle: int) -> int:
        """The level of a cycle: that of its first given dose, else the one in force; 0 where there are no levels."""
        if not self.treatment.has_levels(course, cycle):
            return 0
        first = given(self.history, course, cycle)
        return first[0].level if first else self.treatment.level_in_force(course, cycle)

    def doses(self, course: int, cycle: int) -> CycleDoses | None:
        """The doses of a cycle; ``None`` while nobody ordered which ones a retreatment begins with (A22)."""
        if course > 1 and cycle == 1 and self.treatment.retreatment(course) is None:
            return None
        return self.treatment.cycle_doses(self.protocol, course, cycle, self.level(course, cycle))

    def window(self, course: int, cycle: int, day: int, by: date) -> Window | None:
        """When a dose is expected, from what was known ``by`` a day; ``None`` when nothing fixes it yet."""
        windows = self.protocol.windows
        if day > 1:
            day1_on = self.day1_on(course, cycle)
            return None if day1_on is None else window_around(on_cycle_day(day1_on, day), windows)
        planned_on = self.treatment.planned_day1(course, cycle)
        before_on = self.day1_on(course, cycle - 1)
        if cycle == 2 and before_on is not None:
            days = second_cycle_days(self.protocol, self.treatment, before_on, by=by)
            return Window(
                planned_on or on_cycle_day(before_on, days.named),
                on_cycle_day(before_on, days.earliest),
                on_cycle_day(before_on, days.latest),
            )
        if planned_on is not None:
            return window_around(planned_on, windows)
        return None if before_on is None else cycle_start_window(before_on, windows)

    def planned_on(self, course: int, cycle: int, day: int) -> date | None:
        """The newest plan of a day 1."""
        plans = [plan.day1_on for plan in self.treatment.plans if (plan.course, plan.cycle, 1) == (course, cycle, day)]
        return plans[-1] if plans else None


# --- doses ----------------------------------------------------------------------------------------------------


def _doses_of(known: _Known, course: int, cycle: int) -> Iterator[CalendarDose]:
    doses, treatment = known.doses(course, cycle), known.treatment
    stated: tuple[GivenDose | Delay | Omission, ...] = (*known.history, *treatment.delays, *treatment.omissions)
    days = {1} if doses is None else set(doses.days)
    days |= {each.day for each in stated if (each.course, each.cycle) == (course, cycle)}
    for day in sorted(days):
        found = given(known.history, course, cycle, day)
        yield _dose(known, doses, (course, cycle, day), found[0] if found else None)
        for again in found[1:]:
            yield _dose(known, doses, (course, cycle, day), again, again=True)


def _dose(
    known: _Known,
    doses: CycleDoses | None,
    place: tuple[int, int, int],
    dose: GivenDose | None,
    *,
    again: bool = False,
) -> CalendarDose:
    course, cycle, day = place
    window = known.window(course, cycle, day, known.today if dose is None else dose.given_on)
    status = _status(known, place, window, dose)
    delay = known.treatment.delay(course, cycle, day)
    due_on = _counted_from(known, place, window)
    until = dose.given_on if dose is not None else known.today
    counts = due_on is not None and status in (DoseStatus.GIVEN, DoseStatus.LATE, DoseStatus.MUST_OMIT)
    level = dose.level if dose is not None else known.level(course, cycle)
    said = [*_said(known, place, status, window, dose), *(["Recorded again for this day."] if again else [])]
    if doses is not None and doses.on_day(day) is None:
        said.append("The regimen has no dose on this day.")
    return CalendarDose(
        course=course,
        cycle=cycle,
        day=day,
        level=level if known.treatment.has_levels(course, cycle) else None,
        mg_per_m2=None if doses is None else doses.on_day(day),
        planned_on=known.planned_on(course, cycle, day),
        expected_on=None if window is None else window.expected_on,
        earliest=None if window is None else window.earliest,
        latest=None if window is None else window.latest,
        status=status,
        given_on=None if dose is None else dose.given_on,
        given_mg=None if dose is None else dose.given_mg,
        delay_days=(until - due_on).days if counts and due_on is not None else None,
        delay_cause=None if delay is None else delay.cause,
        words=" ".join(said),
    )


def _counted_from(known: _Known, place: tuple[int, int, int], window: Window | None) -> date | None:
    """The day that lateness is counted from (A9); ``None`` for a cycle start that nobody planned."""
    course, cycle, day = place
    if day == 1:
        return known.treatment.planned_day1(course, cycle)
    return None if window is None else window.expected_on


def _status(known: _Known, place: tuple[int, int, int], window: Window | None, dose: GivenDose | None) -> DoseStatus:
    if dose is not None:
        return DoseStatus.GIVEN
    if known.treatment.omission(*place) is not None:
        return DoseStatus.OMITTED
    if not known.goes_on(place[0]) or known.later_given(place):
        return DoseStatus.NOT_GIVEN
    return DoseStatus.AHEAD if window is None else _by_today(known, place, window)


def _by_today(known: _Known, place: tuple[int, int, int], window: Window) -> DoseStatus:
    """How a dose that is still to come stands to its window."""
    course, cycle, day = place
    opens_on = window.earliest
    before_on = known.day1_on(course, cycle - 1) if day == 1 else None
    if before_on is not None:
        # A start before the cycle's days are over takes a reason or a decision: it is allowed, not due.
        normal_on = on_cycle_day(before_on, known.protocol.windows.second_cycle.earliest_normal_day)
        opens_on = max(opens_on, normal_on)
    if known.today < opens_on:
        return DoseStatus.AHEAD
    if day > 1 and (known.today - window.expected_on).days > known.protocol.delays.within_cycle_max_days:
        return DoseStatus.MUST_OMIT
    return DoseStatus.DUE_NOW if known.today <= window.latest else DoseStatus.LATE


def _said(
    known: _Known, place: tuple[int, int, int], status: DoseStatus, window: Window | None, dose: GivenDose | None
) -> Iterator[str]:
    day = place[-1]
    delay, omission = known.treatment.delay(*place), known.treatment.omission(*place)
    if dose is not None:
        if window is not None and dose.given_on > window.latest:
            yield f"Given {days_word((dose.given_on - window.latest).days)} after its window closed."
        elif window is not None and dose.given_on < window.earliest:
            yield f"Given {days_word((window.earliest - dose.given_on).days)} before its window opened."
        if omission is not None:
            yield f"Its omission is on record too, decided on {say_day(omission.decided_on)}: one of the two is wrong."
    elif omission is not None:
        yield (
            f"Omitted on {say_day(omission.decided_on)} by {omission.decided_by} ({omission.cause.value}): "
            f"{_stopped(omission.why)}"
        )
    elif status is DoseStatus.NOT_GIVEN:
        yield _why_not_given(known, place)
    elif window is None:
        yield _why_unknown(known, place)
    elif status is DoseStatus.MUST_OMIT:
        most = known.protocol.delays.within_cycle_max_days
        yield (
            f"It was due on {say_day(window.expected_on)}, {days_word((known.today - window.expected_on).days)} ago; "
            f"after more than {most} days it is omitted and not made up. Record its omission."
        )
    elif day == 1:
        yield from _cycle_start(known, place, status, window)
    elif status is DoseStatus.LATE:
        yield _late(known, place, window)
    if delay is not None:
        yield f"Late for {_cause(delay.cause)} ({delay.decided_by}): {_stopped(delay.why)}"
    elif status is DoseStatus.LATE:
        yield "Record the cause of the delay."


def _why_not_given(known: _Known, place: tuple[int, int, int]) -> str:
    course, cycle, _ = place
    ended = known.ended(course)
    if ended and not known.later_given(place):
        return f"Not given. {ended}"
    if not given(known.history, course, cycle):
        return "No dose of this cycle is recorded as given, and treatment went on."
    return "Neither given nor omitted by the record. Record its omission with the reason, or enter the dose late."


_NO_ORDER = "The order that names the doses of this cycle is not recorded: record the principal investigator's order."


def _why_unknown(known: _Known, place: tuple[int, int, int]) -> str:
    course, cycle, day = place
    if day > 1:
        return f"Counts from the actual day 1 of cycle {cycle}."
    to_do = f"Store the planned day 1 of cycle {cycle}."
    if known.doses(course, cycle) is None:
        return f"{_NO_ORDER} {to_do}"
    if cycle > 1:
        return f"No day is planned, and day 1 of cycle {cycle - 1} is not recorded. {to_do}"
    return f"No day is planned. {to_do}"


def _cycle_start(known: _Known, place: tuple[int, int, int], status: DoseStatus, window: Window) -> Iterator[str]:
    course, cycle, _ = place
    treatment, delays = known.treatment, known.protocol.delays
    first, newest = treatment.planned_day1(course, cycle), known.planned_on(*place)
    before_on = known.day1_on(course, cycle - 1)
    if known.doses(course, cycle) is None:
        yield _NO_ORDER
    if first is not None and newest is not None and newest != first:
        yield f"Planned first for {say_day(first)}, now for {say_day(newest)}; delays count from the first day."
    if cycle == 2 and before_on is not None:
        yield _second_cycle(known, before_on)
    elif first is None and before_on is not None:
        cycle_rule, margin = known.protocol.windows.cycle, known.protocol.windows.dose_days
        yield (
            f"No day is planned: {cycle_rule.min_days} to {cycle_rule.max_days} days after day 1 of cycle {cycle - 1}, "
            f"{margin} days either way."
        )
    if status is not DoseStatus.LATE:
        return
    if cycle > 1:
        due_on = first
        if due_on is None and before_on is not None:
            due_on = before_on + timedelta(days=known.protocol.windows.cycle.max_days)
        if due_on is not None:
            last_on = due_on + timedelta(days=delays.next_cycle_max_days)
            most = delays.next_cycle_max_days
            yield (
                f"Its window closed on {say_day(window.latest)}. A delay for toxicity of more than {most} days ends "
                f"treatment: {say_day(last_on)} is the last day."
            )
    else:
        yield f"Its window closed on {say_day(window.latest)}."


def _second_cycle(known: _Known, before_on: date) -> str:
    rule, limit = known.protocol.windows.second_cycle, show(known.protocol.disease.persistent_over_percent)
    days = second_cycle_days(known.protocol, known.treatment, before_on, by=known.today)
    early = ""
    if days.earliest < rule.earliest_normal_day:
        early = f", before Day {rule.earliest_normal_day} only with the prescriber's reason"
    if days.earliest <= rule.third_dose_due_to_day:
        early += f" and to Day {rule.third_dose_due_to_day} only by a written decision"
    window = f"Day {days.earliest} to {days.latest} of cycle 1{early}."
    if days.marrow is None:
        return f"No marrow since day 1 of cycle 1 is recorded; the later window holds for now: {window}"
    blasts = f"{show(days.marrow.blasts_percent)} % blasts on {say_day(days.marrow.taken_on)}"
    if days.persistent:
        return f"Disease persists ({blasts}, more than {limit} %): {window}"
    return f"No persistent disease ({blasts}, not more than {limit} %): {window}"


def _late(known: _Known, place: tuple[int, int, int], window: Window) -> str:
    course, cycle, day = place
    day1_on = known.day1_on(course, cycle)
    assert day1_on is not None  # without it there is no window
    certain_on = on_cycle_day(day1_on, same_cycle_to_day(known.protocol, day))
    last_on = window.expected_on + timedelta(days=known.protocol.delays.within_cycle_max_days)
    said = f"Its window closed on {say_day(window.latest)}."
    if known.today > certain_on:
        return (
            f"{said} On Day {cycle_day(day1_on, known.today)} it may count as day 1 of the next cycle: until "
            f"{say_day(last_on)} only by the investigator's written decision, then it is omitted."
        )
    if certain_on >= last_on:
        return f"{said} It may be given until {say_day(last_on)}, then it is omitted."
    return (
        f"{said} It may be given until {say_day(certain_on)} (Day {cycle_day(day1_on, certain_on)}); after that, until "
        f"{say_day(last_on)}, only by the investigator's written decision; then it is omitted."
    )


# --- what comes next ------------------------------------------------------------------------------------------


def _next(known: _Known, doses: tuple[CalendarDose, ...]) -> tuple[NextDue | None, str]:
    course = known.last_course()
    ended = known.ended(course)
    if ended:
        return None, f"{ended} No dose is due."
    unsettled = [dose for dose in doses if dose.status is DoseStatus.MUST_OMIT]
    first = "".join(f" Record the omission of {dose.place} first." for dose in unsettled)
    found = next((dose for dose in doses if dose.status in OPEN), None)
    if found is None:
        of_course = "" if course == 1 else f" of course {course}"
        return None, f"All {known.max_cycles(course)} cycles{of_course} are over. No dose is due.{first}"
    window = known.window(found.course, found.cycle, found.day, known.today)
    if window is None:
        return None, f"{_capital(found.place)} comes next. {found.words}{first}"
    due_on, place = window.expected_on, _capital(found.place)
    if found.planned_on is not None and found.planned_on != due_on:
        due_on = found.planned_on
        if not window.earliest <= due_on <= window.latest:
            window = window_around(due_on, known.protocol.windows)
    verb = "is" if known.today <= due_on else "was"
    said = f"{place} {verb} due on {say_day(due_on)}, from {_short(window.earliest, due_on)} to "
    said = f"{said}{_short(window.latest, due_on)}."
    if found.status is DoseStatus.LATE and due_on < known.today:
        said = f"{place} was due on {say_day(due_on)}, {days_word((known.today - due_on).days)} ago."
    if found.words:
        said = f"{said} {found.words}"
    return (
        NextDue(found.course, found.cycle, found.day, window.earliest, due_on, window.latest, f"{said}{first}"),
        f"{said}{first}",
    )


# --- marrows --------------------------------------------------------------------------------------------------


def _marrow_windows(known: _Known, course: int) -> Iterator[MarrowWindow]:
    day1_on, rule = known.day1_on(course, 1), known.protocol.windows.marrow
    if day1_on is None:
        return
    for day in rule.days:
        expected_on = on_cycle_day(day1_on, day)
        first, last = expected_on - timedelta(days=rule.margin_days), expected_on + timedelta(days=rule.margin_days)
        taken = tuple(each for each in reversed(known.treatment.marrows_by(last)) if each.taken_on >= first)
        if taken:
            status = MarrowStatus.TAKEN
        elif known.today > last:
            status = MarrowStatus.NOT_TAKEN
        elif known.today < first:
            status = MarrowStatus.AHEAD
        else:
            status = MarrowStatus.DUE_NOW
        yield MarrowWindow(course, day, expected_on, first, last, status, taken)


def _marrow_words(known: _Known) -> str:
    course, rule = known.last_course(), known.protocol.windows.marrow
    starts = sorted(dose.given_on for dose in known.history if dose.course == course and dose.day == 1)
    if len(starts) < 2 or not known.goes_on(course):
        return ""
    often = f"After cycle 1 a marrow is taken every {rule.every_cycles_min} to {rule.every_cycles_max} cycles"
    marrows = known.treatment.marrows_by(known.today)
    if not marrows:
        return f"{often}; none is recorded."
    begun = sum(start > marrows[0].taken_on for start in starts)
    cycles = "1 cycle" if begun == 1 else f"{begun} cycles"
    return f"{often}; the newest is of {say_day(marrows[0].taken_on)}, {cycles} began after it."


# --- events ---------------------------------------------------------------------------------------------------


def _events(known: _Known) -> tuple[CalendarEvent, ...]:
    order = list(EventKind)
    return tuple(sorted(_told(known), key=lambda event: (event.on, order.index(event.kind))))


def _told(known: _Known) -> Iterator[CalendarEvent]:
    told = known.treatment
    for order in told.retreatments:
        yield CalendarEvent(
            order.ordered_on,
            EventKind.RETREATMENT,
            f"Course {order.course} ordered with {order.schedule.value} by {order.ordered_by}, document "
            f"{_stopped(order.document)}",
        )
    for marrow in told.marrows:
        words = f"{show(marrow.blasts_percent)} % blasts{_day_of(known, marrow.taken_on)}."
        yield CalendarEvent(marrow.taken_on, EventKind.MARROW, words)
    for response in told.responses:
        course = "" if response.course == 1 else f" of course {response.course}"
        words = f"{response.response.value} after cycle {response.cycle}{course}."
        yield CalendarEvent(response.assessed_on, EventKind.RESPONSE, words)
    for toxicity in told.toxicities:
        yield CalendarEvent(toxicity.onset_on, EventKind.TOXICITY, _toxicity(toxicity))
    for delay in told.delays:
        place = _capital(place_words(delay.course, delay.cycle, delay.day))
        words = f"{place} late for {_cause(delay.cause)} ({delay.decided_by}): {_stopped(delay.why)}"
        yield CalendarEvent(delay.stated_on, EventKind.DELAY, words)
    for omission in told.omissions:
        place = _capital(place_words(omission.course, omission.cycle, omission.day))
        words = f"{place} omitted ({omission.cause.value}) by {omission.decided_by}: {_stopped(omission.why)}"
        yield CalendarEvent(omission.decided_on, EventKind.OMISSION, words)
    for change in told.level_changes:
        course = "" if change.course == 1 else f"course {change.course}, "
        yield CalendarEvent(
            change.decided_on,
            EventKind.LEVEL,
            f"Level {change.level} instead of {change.before} from {course}cycle {change.cycle} on "
            f"({change.reason.value}) by {change.decided_by}: {_stopped(change.why)}",
        )
    for transplant in told.transplants:
        words = f"{'A' if transplant.planned else 'No'} transplantation is planned."
        yield CalendarEvent(transplant.stated_on, EventKind.TRANSPLANT, words)
    for removal in told.removals:
        course = "" if removal.course == 1 else f" of course {removal.course}"
        words = f"End of treatment{course}: {removal.reason.value}, by {removal.decided_by}: {_stopped(removal.why)}"
        yield CalendarEvent(removal.removed_on, EventKind.OFF_TREATMENT, words)


def _toxicity(event: Toxicity) -> str:
    related = "at least possibly related" if event.at_least_possibly_related else "not related"
    liver = "" if event.liver is None else f"; {event.liver.value}"
    return f"{event.term}, grade {event.grade}, {related}{liver}."


def _day_of(known: _Known, on: date) -> str:
    """Which day of which cycle a day was, as words; '' before the first dose."""
    begun = [dose for dose in known.history if dose.day == 1 and dose.given_on <= on]
    if not begun:
        return ""
    day1 = max(begun, key=lambda dose: dose.given_on)
    course = "" if day1.course == 1 else f"course {day1.course}, "
    return f", Day {cycle_day(day1.given_on, on)} of {course}cycle {day1.cycle}"


# --- words ----------------------------------------------------------------------------------------------------


def _cause(cause: Cause) -> str:
    return "toxicity" if cause is Cause.TOXICITY else "another cause"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _stopped(words: str) -> str:
    """A stated reason as the end of a sentence."""
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _short(day: date, beside: date) -> str:
    """A day without its year where the day beside it says the same one."""
    return say_day(day)[:6] if day.year == beside.year else say_day(day)
