"""What is ordered: known input, a place of the regimen that exists, doses given once and in order."""

from collections.abc import Iterator

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.findings import Named
from pharmacy_app.domain.request import Height
from pharmacy_app.domain.rules.case import Case, Said, place_of, stop, warn
from pharmacy_app.domain.schedule import given


def input_known(case: Case) -> Iterator[Said]:
    request = case.request
    for name, value in (("height", request.height), ("weight to dose by", request.dosing_weight)):
        if value is None:
            yield stop(f"The {name} is not known, so nothing was calculated. Enter the measured {name}.")
        elif (value.cm if isinstance(value, Height) else value.kg) <= 0:
            yield stop(f"The {name} is 0 or less, so nothing was calculated. Measure it again.")
    for name, dated in (
        ("height", request.height),
        ("weight to dose by", request.dosing_weight),
        ("newest weight", request.current_weight),
    ):
        if dated is not None and dated.measured_on > request.today:
            yield stop(
                f"The {name} is dated {say_day(dated.measured_on)}, which is after today, {say_day(request.today)}. "
                "Correct the date of the measurement.",
                Named("measured on", dated.measured_on.isoformat()),
                Named("today", request.today.isoformat()),
            )


def cycle_exists(case: Case) -> Iterator[Said]:
    request = case.request
    most = request.protocol.regimen.max_cycles
    if request.course > 1:
        most = min(most, request.protocol.retreatment.max_cycles)
    if request.course < 1:
        yield stop(f"Course {request.course} does not exist: the first course is course 1. Correct the order.")
    if not 1 <= request.cycle <= most:
        yield stop(
            f"Cycle {request.cycle} does not exist: a course has cycles 1 to {most}. No dose can be planned. "
            "Check the cycle number of the order.",
            Named("cycle", str(request.cycle)),
            Named("most cycles", str(most)),
        )


def day_of_first_cycle(case: Case) -> Iterator[Said]:
    request = case.request
    days = request.protocol.regimen.first_cycle.days
    if request.cycle == 1 and not case.has_levels and request.day not in days:
        yield _no_such_day(case, "Cycle 1", days)


def day_of_later_cycle(case: Case) -> Iterator[Said]:
    request = case.request
    days = request.protocol.regimen.levels[0].days
    if case.has_levels and request.day not in days:
        yield _no_such_day(case, f"Cycle {request.cycle}", days)


def _no_such_day(case: Case, cycle: str, days: tuple[int, ...]) -> Said:
    listed = ", ".join(str(day) for day in days)
    return stop(
        f"{cycle} has no dose on day {case.request.day}; its dosing days are {listed}. Check the order.",
        Named("day", str(case.request.day)),
    )


def no_level_in_first_cycle(case: Case) -> Iterator[Said]:
    if case.request.cycle == 1 and case.request.level != 0 and not case.has_levels:
        yield stop(
            f"Cycle 1 has no dose levels, but the order says level {case.request.level}. A cycle 1 dose may be "
            "delayed or omitted, not reduced. Ask the prescriber to correct the order.",
            Named("level", str(case.request.level)),
        )


def level_exists(case: Case) -> Iterator[Said]:
    levels = [level.level for level in case.request.protocol.regimen.levels]
    if case.has_levels and case.request.level not in levels:
        listed = ", ".join(str(level) for level in levels)
        yield stop(
            f"Dose level {case.request.level} does not exist; the levels are {listed}. "
            "Ask the prescriber which is meant.",
            Named("level", str(case.request.level)),
        )


def not_given_before(case: Case) -> Iterator[Said]:
    request = case.request
    omitted = request.treatment.omission(request.course, request.cycle, request.day)
    if omitted is not None:
        yield stop(
            f"Cycle {request.cycle} day {request.day} was omitted by {omitted.decided_by} on "
            f"{say_day(omitted.decided_on)}. An omitted dose is not made up. Order the next dose of the regimen.",
            Named("omitted on", omitted.decided_on.isoformat()),
        )
    for dose in given(request.history, request.course, request.cycle, request.day):
        yield stop(
            f"Cycle {request.cycle} day {request.day} of course {request.course} was already given on "
            f"{say_day(dose.given_on)}. Check the cycle and day of the order.",
            Named("given on", dose.given_on.isoformat()),
        )


def in_order_of_regimen(case: Case) -> Iterator[Said]:
    request = case.request
    history, treatment = request.history, request.treatment
    if request.course > 1 and not any(dose.course == request.course - 1 for dose in history):
        yield stop(
            f"Course {request.course} is ordered, but no dose of course {request.course - 1} is recorded. "
            "Check the course number, or enter the earlier doses."
        )
    if request.cycle > 1 and not given(history, request.course, request.cycle - 1):
        yield stop(
            f"Cycle {request.cycle} is ordered, but no dose of cycle {request.cycle - 1} is recorded. "
            "Check the cycle number, or enter the earlier doses."
        )
    started = request.day == 1 and given(history, request.course, request.cycle - 1)
    before = treatment.cycle_doses(request.protocol, request.course, request.cycle - 1, 0) if started else None
    for day in () if before is None else before.days:
        omitted = treatment.omission(request.course, request.cycle - 1, day)
        if omitted is None and not given(history, request.course, request.cycle - 1, day):
            yield _unexplained(day, request.cycle - 1)
    place = (request.course, request.cycle, request.day)
    later = [dose for dose in history if (dose.course, dose.cycle, dose.day) > place]
    if later:
        dose = min(later, key=lambda given_dose: given_dose.given_on)
        yield stop(
            f"A later dose, {place_of(dose)}, was already given on {say_day(dose.given_on)}. Check the cycle and day "
            "of the order."
        )


def day1_given(case: Case) -> Iterator[Said]:
    request = case.request
    if request.day <= 1:
        return
    day1 = given(request.history, request.course, request.cycle, 1)
    if not day1:
        yield stop(
            f"Day {request.day} is ordered, but day 1 of cycle {request.cycle} is not recorded as given, so its "
            "window is not known. Record day 1 first, or correct the order."
        )
        return
    if request.day1_on is not None and request.day1_on != day1[0].given_on:
        yield stop(
            f"Day 1 of cycle {request.cycle} is said to be {say_day(request.day1_on)}, but was given on "
            f"{say_day(day1[0].given_on)}. Correct the one that is wrong.",
            Named("day 1", request.day1_on.isoformat()),
            Named("given on", day1[0].given_on.isoformat()),
        )
    for day in () if case.doses is None else case.doses.days:
        omitted = request.treatment.omission(request.course, request.cycle, day)
        if day < request.day and omitted is None and not given(request.history, request.course, request.cycle, day):
            yield _unexplained(day, request.cycle)


def _unexplained(day: int, cycle: int) -> Said:
    return warn(
        f"Day {day} of cycle {cycle} is not recorded as given. Record its omission with the reason, or enter the dose "
        "late, before going on."
    )


def dates_in_order(case: Case) -> Iterator[Said]:
    request = case.request
    in_future = [dose for dose in request.history if dose.given_on > request.today]
    for dose in in_future[:1]:
        yield stop(
            f"{place_of(dose).capitalize()} is recorded as given on {say_day(dose.given_on)}, which is after today, "
            f"{say_day(request.today)}. Correct that record first."
        )
    last = case.last_given
    if last is not None and request.planned_on <= last.given_on:
        yield stop(
            f"The infusion is planned for {say_day(request.planned_on)}, but {place_of(last)} was given on "
            f"{say_day(last.given_on)}. "
            "Correct the planned date.",
            Named("planned on", request.planned_on.isoformat()),
            Named("last dose on", last.given_on.isoformat()),
        )
    if request.planned_on < request.today:
        yield warn(
            f"The planned date {say_day(request.planned_on)} has passed (today is {say_day(request.today)}). Correct "
            "it, or give the reason if this is a late entry.",
        )
