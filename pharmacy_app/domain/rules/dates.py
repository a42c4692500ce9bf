"""Windows, cycle lengths, delays and omissions (§ 3.3, 3.4, 8.1.3, 8.1.5).

Later days of a cycle run from its actual day 1; day 1 is judged by its planned date and by the cycle before. Where
the text contradicts itself every reading is shown, and a named person decides in writing (RULES A6 to A9).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.findings import Named
from pharmacy_app.domain.rules.case import (
    Case,
    Said,
    days_word,
    info,
    place_of,
    stop,
    stop_unless_decided,
    warn,
)
from pharmacy_app.domain.schedule import cycle_day, given, on_cycle_day, same_cycle_to_day, second_cycle_days
from pharmacy_app.domain.treatment import Cause, Delay, Marrow, Omission
from pharmacy_app.domain.units import show


def in_window(case: Case) -> Iterator[Said]:
    request = case.request
    window = case.window
    judged = case.day1_on is not None if request.day > 1 else request.scheduled_on is not None
    if window is None or not judged or _second_cycle_rules_instead(case):
        return
    compared = (
        Named("planned on", request.planned_on.isoformat()),
        Named("expected on", window.expected_on.isoformat()),
        Named("window", f"{say_day(window.earliest)} to {say_day(window.latest)}"),
    )
    off = days_word(abs((request.planned_on - window.expected_on).days))
    if request.planned_on < window.earliest:
        yield stop_unless_decided(
            f"{say_day(request.planned_on)} is {off} before day {request.day} is due ({say_day(window.expected_on)}); "
            f"the window opens on {say_day(window.earliest)}. Plan it later, or record the prescriber's written "
            "decision.",
            *compared,
        )
    elif request.planned_on > window.latest:
        yield warn(
            f"{say_day(request.planned_on)} is {off} after day {request.day} was due "
            f"({say_day(window.expected_on)}); the window closed on {say_day(window.latest)}. Give the reason for the "
            "delay.",
            *compared,
        )


# --- start of a cycle ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SecondCycleStart:
    """Cycle 2's start by day of cycle 1, and the window for what the marrow showed (``None``: not known)."""

    day: int
    earliest: int
    latest: int
    persistent: bool | None
    marrow: Marrow | None


def second_cycle_start(case: Case) -> SecondCycleStart | None:
    """Where the planned start of cycle 2 lies; ``None`` for any other dose."""
    request = case.request
    if request.day != 1 or request.cycle != 2 or case.previous_day1_on is None:
        return None
    days = second_cycle_days(request.protocol, request.treatment, case.previous_day1_on, by=request.planned_on)
    return SecondCycleStart(
        cycle_day(case.previous_day1_on, request.planned_on),
        days.earliest,
        days.latest,
        days.persistent,
        days.marrow,
    )


def _compared(case: Case, start: SecondCycleStart) -> tuple[Named, ...]:
    assert case.previous_day1_on is not None
    return (
        Named("day 1 before", case.previous_day1_on.isoformat()),
        Named("planned on", case.request.planned_on.isoformat()),
        Named("day of cycle 1", str(start.day)),
        Named("window", f"Day {start.earliest} to {start.latest}"),
    )


def second_cycle_without_disease(case: Case) -> Iterator[Said]:
    start = second_cycle_start(case)
    if start is None or start.persistent or start.earliest <= start.day <= start.latest:
        return
    yield warn(
        f"Cycle 2 is planned for Day {start.day} of cycle 1; without persistent disease it starts on Day "
        f"{start.earliest} to {start.latest}. Give the reason.",
        *_compared(case, start),
    )


def second_cycle_with_disease(case: Case) -> Iterator[Said]:
    start = second_cycle_start(case)
    if start is None or not start.persistent:
        return
    if start.day > start.latest:
        yield warn(
            f"Cycle 2 is planned for Day {start.day} of cycle 1; with persistent disease it starts by Day "
            f"{start.latest}. Give the reason.",
            *_compared(case, start),
        )


def persistent_disease(case: Case) -> Iterator[Said]:
    start = second_cycle_start(case)
    if start is None:
        return
    limit = show(case.request.protocol.disease.persistent_over_percent)
    if start.marrow is None:
        yield warn(
            "No marrow result since day 1 of cycle 1 is recorded, so it is not known whether disease persists; the "
            f"later window (Day {start.earliest} to {start.latest}) is applied. Record the result, or give the reason."
        )
        return
    blasts = show(start.marrow.blasts_percent)
    is_more = "more than" if start.persistent else "not more than"
    yield info(
        f"The marrow of {say_day(start.marrow.taken_on)} shows {blasts} % blasts, {is_more} {limit} %: disease "
        f"{'persists' if start.persistent else 'does not persist'}, cycle 2 starts on Day {start.earliest} to "
        f"{start.latest}. It is the newest result; if another one is meant, record it.",
        Named("blasts", blasts, "%"),
        Named("persistent over", limit, "%"),
    )


def start_before_cycle_ends(case: Case) -> Iterator[Said]:
    request = case.request
    rule = request.protocol.windows.second_cycle
    start = second_cycle_start(case)
    if start is None:
        if request.day == 1 and case.previous_day1_on is not None:
            day = cycle_day(case.previous_day1_on, request.planned_on)
            cycle = request.protocol.windows.cycle
            if cycle.min_days - request.protocol.windows.dose_days < day < rule.earliest_normal_day:
                yield warn(
                    f"Day {day} of cycle {request.cycle - 1} is before the cycle's {cycle.min_days} days are over; "
                    f"Day {rule.earliest_normal_day} is the earliest normal start. Give the prescriber's reason.",
                    Named("day of the cycle", str(day)),
                    Named("earliest normal", str(rule.earliest_normal_day)),
                )
        return
    compared = _compared(case, start)
    if start.day < rule.earliest_day:
        yield stop_unless_decided(
            f"Cycle 2 is planned for Day {start.day} of cycle 1; Day {rule.earliest_day} is the earliest that any "
            "reading of the protocol gives. Plan it later, or record the prescriber's written decision.",
            *compared,
        )
    elif start.day <= rule.third_dose_due_to_day:
        yield stop_unless_decided(
            f"On Day {start.day} of cycle 1 its last dose may still be due (Day "
            f"{request.protocol.regimen.first_cycle.days[-1]}), so this may not be cycle 2 at all. Plan it later, or "
            "record the prescriber's written decision.",
            *compared,
        )
    elif start.day < rule.earliest_normal_day:
        yield warn(
            f"Day {start.day} is before cycle 1's {request.protocol.windows.cycle.min_days} days are over; Day "
            f"{rule.earliest_normal_day} is the earliest normal start. Give the prescriber's reason.",
            *compared,
        )
    elif start.day > request.protocol.windows.cycle.max_days + 1:
        yield info(
            f"Day {start.day} makes cycle 1 longer than {request.protocol.windows.cycle.max_days} days; the window of "
            "cycle 2 allows it."
            if start.day <= start.latest
            else f"Day {start.day} makes cycle 1 longer than {request.protocol.windows.cycle.max_days} days.",
            *compared,
        )


def planned_against_cycle_window(case: Case) -> Iterator[Said]:
    request = case.request
    if not _second_cycle_rules_instead(case) or case.window is None or request.scheduled_on is None:
        return
    off = abs((request.planned_on - request.scheduled_on).days)
    margin = request.protocol.windows.dose_days
    if off > margin:
        yield info(
            f"{say_day(request.planned_on)} is {days_word(off)} from the planned day 1 "
            f"({say_day(request.scheduled_on)}), "
            f"more than {margin}; the wider window of cycle 2 rules, and it is inside.",
            Named("planned first for", request.scheduled_on.isoformat()),
            Named("planned on", request.planned_on.isoformat()),
        )


def _second_cycle_rules_instead(case: Case) -> bool:
    """Whether cycle 2's own, wider window holds this date (RULES A7)."""
    start = second_cycle_start(case)
    return start is not None and start.earliest <= start.day <= start.latest


def cycle_length(case: Case) -> Iterator[Said]:
    request = case.request
    if request.day != 1 or request.cycle < 2:
        return
    if case.previous_day1_on is None:
        yield warn(
            f"Day 1 of cycle {request.cycle - 1} is not recorded, so it is unknown whether this cycle starts in time."
        )
        return
    if request.cycle == 2:  # R22, R23 and A6 judge it
        return
    cycle = request.protocol.windows.cycle
    margin = request.protocol.windows.dose_days
    days = (request.planned_on - case.previous_day1_on).days
    compared = (
        Named("day 1 before", case.previous_day1_on.isoformat()),
        Named("planned on", request.planned_on.isoformat()),
        Named("interval", str(days), "days"),
    )
    apart = (
        f"{days_word(days)} lie between day 1 of cycle {request.cycle - 1} and this day 1"
        if days >= 0
        else f"This day 1 lies {days_word(-days)} before day 1 of cycle {request.cycle - 1}"
    )
    said = (
        f"{apart}; cycles are repeated every "
        f"{cycle.min_days} to {cycle.max_days} days, {margin} days either way allowed"
    )
    if days < cycle.min_days - margin and _restarts(case):
        yield warn(f"{said}. It is a restart after an interruption; give the prescriber's reason.", *compared)
    elif days < cycle.min_days - margin:
        yield stop_unless_decided(f"{said}. Plan it later, or record the prescriber's written decision.", *compared)
    elif days > cycle.max_days + margin:
        yield warn(f"{said}. Give the reason for the date.", *compared)
    elif not cycle.min_days <= days <= cycle.max_days:
        yield info(f"{said}; this is inside.", *compared)


def _restarts(case: Case) -> bool:
    """Whether this day 1 goes on after a dose that was held back or left out for toxicity and never given (§ 8.1.5).

    Only beyond the day up to which a late dose still belongs to its own cycle.
    """
    request = case.request
    treatment = request.treatment
    if case.previous_day1_on is None:
        return False
    if cycle_day(case.previous_day1_on, request.planned_on) <= request.protocol.delays.same_cycle_to_day:
        return False
    place = (request.course, request.cycle - 1)
    stated: tuple[Delay | Omission, ...] = (*treatment.newest_delays(), *treatment.newest_omissions())
    return request.day == 1 and any(
        (each.course, each.cycle) == place
        and each.cause is Cause.TOXICITY
        and not given(request.history, each.course, each.cycle, each.day)
        for each in stated
    )


def days_between_doses(case: Case) -> Iterator[Said]:
    last = case.last_given
    if last is None:
        return
    interval = case.request.protocol.windows.dose_interval
    days = (case.request.planned_on - last.given_on).days
    if 0 < days < interval.min_days:
        yield warn(
            f"Only {'1 day lies' if days == 1 else f'{days} days lie'} between this dose and the last one "
            f"({place_of(last)}, {say_day(last.given_on)}); the {interval.source} asks for at least "
            f"{interval.min_days}. The protocol names no minimum. Ask the prescriber and give the reason.",
            Named("interval", str(days), "days"),
            Named("least", str(interval.min_days), "days"),
        )


# --- delays ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late a dose is: the day it was due, the days since, and the cause that was stated (``None``: none)."""

    due_on: date
    days: int
    cause: Cause | None


def _within_cycle(case: Case) -> Lateness | None:
    request = case.request
    if case.day1_on is None:  # so on day 1 itself
        return None
    due = on_cycle_day(case.day1_on, request.day)
    stated = request.treatment.delay(request.course, request.cycle, request.day)
    return Lateness(due, (request.planned_on - due).days, None if stated is None else stated.cause)


def _cycle_start(case: Case) -> Lateness | None:
    request = case.request
    if request.day != 1 or request.cycle < 2:
        return None
    due = request.scheduled_on
    if due is None:
        if case.previous_day1_on is None:
            return None
        due = case.previous_day1_on + timedelta(days=request.protocol.windows.cycle.max_days)
    stated = request.treatment.delay(request.course, request.cycle, 1)
    return Lateness(due, (request.planned_on - due).days, None if stated is None else stated.cause)


def cause_of_delay(case: Case) -> Iterator[Said]:
    request = case.request
    late = _within_cycle(case) or _cycle_start(case)
    margin = request.protocol.windows.dose_days
    if late is None or late.days <= margin or _second_cycle_rules_instead(case):
        return
    if late.cause is None:
        yield stop(
            f"This dose is {days_word(late.days)} late (due {say_day(late.due_on)}) and no cause is recorded. What "
            "follows depends on it: record the delay as due to toxicity or to another cause.",
            Named("due on", late.due_on.isoformat()),
            Named("late", str(late.days), "days"),
        )
    elif late.cause is Cause.OTHER and _cycle_start(case) is not None:
        most = request.protocol.delays.next_cycle_max_days
        if late.days > most:
            yield warn(
                f"Day 1 is {days_word(late.days)} late, more than {most}, and not for toxicity: that does not end "
                "treatment by itself. Give the reason for going on.",
                Named("late", str(late.days), "days"),
            )


def short_delay(case: Case) -> Iterator[Said]:
    request = case.request
    late = _within_cycle(case)
    most = request.protocol.delays.within_cycle_max_days
    if late is None or not request.protocol.windows.dose_days < late.days <= most or late.cause is Cause.OTHER:
        return
    yield warn(
        f"Day {request.day} is {days_word(late.days)} late; a delay for toxicity of up to {most} days within a cycle "
        "is permitted. Give the reason.",
        Named("due on", late.due_on.isoformat()),
        Named("late", str(late.days), "days"),
        Named("permitted", str(most), "days"),
    )


def long_delay(case: Case) -> Iterator[Said]:
    request = case.request
    late = _within_cycle(case)
    most = request.protocol.delays.within_cycle_max_days
    if late is None or late.days <= most:
        return
    yield stop(
        f"Day {request.day} was due on {say_day(late.due_on)}, {days_word(late.days)} before "
        f"{say_day(request.planned_on)}; "
        f"after more than {most} days, whatever the cause, it is omitted and not made up. Record its omission; later "
        "planned doses remain.",
        Named("due on", late.due_on.isoformat()),
        Named("late", str(late.days), "days"),
        Named("permitted", str(most), "days"),
    )


def beyond_the_cycles_middle(case: Case) -> Iterator[Said]:
    request = case.request
    rule = request.protocol.delays
    if case.previous_day1_on is not None and _restarts(case):
        day = cycle_day(case.previous_day1_on, request.planned_on)
        yield info(
            f"Treatment restarts on Day {day} of cycle {request.cycle - 1}, beyond Day {rule.same_cycle_to_day}: "
            f"this counts as day 1 of cycle {request.cycle}, with its weighing and its criteria.",
            Named("day of the last cycle", str(day)),
        )
        return
    late = _within_cycle(case)
    if late is None or case.day1_on is None or late.days > rule.within_cycle_max_days:
        return
    day = cycle_day(case.day1_on, request.planned_on)
    last = same_cycle_to_day(request.protocol, request.day)
    if day <= last:
        return
    this = f"day {request.day} of cycle {request.cycle}, {days_word(late.days)} late (a delay of up to "
    yield stop_unless_decided(
        f"On Day {day} this may be read in two ways. Either it is {this}{rule.within_cycle_max_days} days is "
        f"permitted); or, as treatment goes on beyond Day {rule.same_cycle_to_day}, it is day 1 of cycle "
        f"{request.cycle + 1}, with that cycle's dose, weighing and criteria. Order it as day 1 of cycle "
        f"{request.cycle + 1}, or record the investigator's written decision that it is day {request.day}.",
        Named("day of the cycle", str(day)),
        Named("same cycle to", f"Day {last}"),
        Named("late", str(late.days), "days"),
    )


def next_cycle_delayed(case: Case) -> Iterator[Said]:
    request = case.request
    most = request.protocol.delays.next_cycle_max_days
    late = _cycle_start(case)
    if late is None or late.days <= most or late.cause is Cause.OTHER:
        return
    since = "the planned day 1" if request.scheduled_on is not None else "the latest day on which it could be due"
    yield stop_unless_decided(
        f"Day 1 of cycle {request.cycle} is {days_word(late.days)} after {since} ({say_day(late.due_on)}). A delay for "
        f"toxicity of more than {most} days ends treatment for good. Record the end of treatment, or the principal "
        "investigator's written decision.",
        Named("due on", late.due_on.isoformat()),
        Named("late", str(late.days), "days"),
        Named("permitted", str(most), "days"),
    )


def delay_without_plan(case: Case) -> Iterator[Said]:
    request = case.request
    late = _cycle_start(case)
    if late is None or request.scheduled_on is not None or case.previous_day1_on is None:
        return
    most = request.protocol.delays.next_cycle_max_days
    cycle = request.protocol.windows.cycle
    interval = (request.planned_on - case.previous_day1_on).days
    if interval > cycle.min_days + most and late.days <= most:
        yield warn(
            f"No planned day 1 was stored for cycle {request.cycle}. Counted from the earliest day on which it could "
            f"be due, it is {days_word(interval - cycle.min_days)} late, more than {most}; counted from the latest, it "
            "is not. Ask the investigator which date was planned, and give the reason.",
            Named("interval", str(interval), "days"),
        )


# --- marrow ----------------------------------------------------------------------------------------------------


def marrow_taken(case: Case) -> Iterator[Said]:
    request = case.request
    rule = request.protocol.windows.marrow
    marrows = request.treatment.marrows_by(request.planned_on)
    since = given(request.history, request.course, request.cycle - rule.every_cycles_max, 1)
    if case.starts_cycle and since and not any(each.taken_on >= since[0].given_on for each in marrows):
        yield info(
            f"No marrow since day 1 of cycle {since[0].cycle} ({say_day(since[0].given_on)}) is recorded; after "
            f"cycle 1 it is taken every {rule.every_cycles_min} to {rule.every_cycles_max} cycles."
        )
    start = second_cycle_start(case)
    if start is None or case.previous_day1_on is None:
        return
    taken = [cycle_day(case.previous_day1_on, each.taken_on) for each in marrows]
    for day in rule.days:
        first, last = day - rule.margin_days, day + rule.margin_days
        if not any(first <= on <= last for on in taken):
            yield info(f"No marrow of Day {day} (Day {first} to {last}) of cycle 1 is recorded.")
