"""Dose levels: changed between cycles only, each with its reason, never raised after toxicity (§ 8.1.4, 8.1.6)."""

from collections.abc import Iterator
from datetime import date

from pharmacy_app.domain.findings import Named
from pharmacy_app.domain.rules.case import Case, Said, days_word, info, stop, stop_unless_decided, warn
from pharmacy_app.domain.rules.criteria import counts_now, counts_of_day1
from pharmacy_app.domain.schedule import given, on_cycle_day
from pharmacy_app.domain.treatment import Cause, LevelChange, LevelReason, Response
from pharmacy_app.domain.units import show


def level_changes_between_cycles(case: Case) -> Iterator[Said]:
    request = case.request
    day1 = given(request.history, request.course, request.cycle, 1) if request.day > 1 else ()
    if day1 and day1[0].level != request.level:
        yield stop(
            f"Day 1 of cycle {request.cycle} was given at level {day1[0].level}; within a cycle a dose is interrupted "
            f"or omitted, its level does not change to {request.level}. Correct the level of the order.",
            Named("level of day 1", str(day1[0].level)),
            Named("level ordered", str(request.level)),
        )
        return
    in_force = request.treatment.level_in_force(request.course, request.cycle)
    # Cycle 1 has no levels (A5); a level above what toxicity allows is R47's to refuse.
    ceiling = request.treatment.toxicity_ceiling(request.course, request.cycle)
    if not case.has_levels or day1 or (ceiling is not None and request.level > ceiling):
        return
    if request.level != in_force:
        yield stop(
            f"The order says level {request.level}, but level {in_force} is in force for cycle {request.cycle}. Record "
            "the change of level with its reason, or ask the prescriber to correct the order.",
            Named("level ordered", str(request.level)),
            Named("level in force", str(in_force)),
        )


def reduced_early(case: Case) -> Iterator[Said]:
    request = case.request
    rule = request.protocol.regimen.reductions
    if not case.starts_cycle or not 1 < request.cycle < rule.from_cycle or request.level >= 0:
        return
    change = _newest_change(case)
    if change is not None and change.reason is LevelReason.REMISSION:
        yield warn(
            f"Level {request.level} in cycle {request.cycle} for remission is a deviation: the protocol offers that "
            f"step from cycle {rule.from_cycle} on. Give the prescriber's reason.",
            Named("level", str(request.level)),
        )
    else:
        yield warn(
            f"Level {request.level} in cycle {request.cycle}: reductions are written for cycle {rule.from_cycle} and "
            "beyond, and not forbidden before. The lower dose is the safe side; give the prescriber's reason.",
            Named("level", str(request.level)),
        )


def remission_step(case: Case) -> Iterator[Said]:
    request = case.request
    rule = request.protocol.regimen.reductions
    found = request.treatment.response_of(request.course, by=request.planned_on)
    in_remission = found is not None and found.response.is_remission
    change = _newest_change(case)
    if not case.starts_cycle:
        return
    if change is not None and change.cycle == request.cycle and change.reason is LevelReason.REMISSION:
        if not in_remission or change.level != rule.remission_level:
            yield warn(
                f"The level goes from {change.before} to {change.level} for remission. The protocol offers level "
                f"{rule.remission_level} for it, when remission is recorded. Give the prescriber's reason.",
                Named("level", str(change.level)),
                Named("offered", str(rule.remission_level)),
                Named("response", found.response.value if found else "not recorded"),
            )
        return
    if found is None or not in_remission or request.cycle < rule.from_cycle:
        return
    if request.level > rule.remission_level:
        yield info(
            f"Remission ({found.response.value}) is recorded: the prescriber may go to level {rule.remission_level}. "
            "Optional.",
            Named("response", found.response.value),
        )


def reduction_after_interruption(case: Case) -> Iterator[Said]:
    request = case.request
    rule = request.protocol.regimen.reductions
    if not case.starts_cycle or request.cycle < 2:
        return
    held = toxicity_interruption_days(case)
    if held is None or held < rule.interruption_days:
        return
    lower = request.level - 1
    exists = any(level.level == lower for level in request.protocol.regimen.levels)
    offer = (
        f"the prescriber may resume at the next lower level, {lower}"
        if exists
        else "there is no lower level to resume at"
    )
    yield info(
        f"Treatment was interrupted for toxicity for {days_word(held)}, {rule.interruption_days} or more: {offer}.",
        Named("interrupted", str(held), "days"),
        Named("from", str(rule.interruption_days), "days"),
    )


def toxicity_interruption_days(case: Case) -> int | None:
    """The longest interruption for toxicity that ends with this day 1, in days, from the day the dose was due.

    Counted from the scheduled date of the first missed dose (RULES A9, A37); ``None`` when none is recorded.
    """
    request = case.request
    treatment = request.treatment
    held: list[int] = []
    for delay in treatment.newest_delays():
        if delay.course != request.course or delay.cause is not Cause.TOXICITY:
            continue
        due: date | None = None
        until = request.planned_on
        if (delay.cycle, delay.day) == (request.cycle, 1):
            due = request.scheduled_on or (
                None
                if case.previous_day1_on is None
                else on_cycle_day(case.previous_day1_on, request.protocol.windows.cycle.max_days + 1)
            )
        elif delay.cycle == request.cycle - 1 and case.previous_day1_on is not None:
            due = on_cycle_day(case.previous_day1_on, delay.day)
            late = given(request.history, delay.course, delay.cycle, delay.day)
            until = late[0].given_on if late else until
        if due is not None:
            held.append((until - due).days)
    return max(held, default=None)


def platelets_not_recovered(case: Case) -> Iterator[Said]:
    request = case.request
    found = request.treatment.response_of(request.course, by=request.planned_on)
    if not case.starts_cycle or request.cycle < 2 or found is None:
        return
    if found.response not in (Response.CRI, Response.CRP):
        return
    _, before = counts_of_day1(case, request.cycle - 1)
    _, now = counts_now(case)
    if before is None or now is None:
        yield info(
            f"With {found.response.value}, platelets below their value before cycle {request.cycle - 1} suggest the "
            "next lower level; one of the two counts is not known."
        )
    elif now < before:
        yield info(
            f"{found.response.value} with platelets of {show(now)} × 10⁹/L, below "
            f"{show(before)} before cycle {request.cycle - 1}: the prescriber considers the next lower "
            "level.",
            Named("platelets now", show(now), "10⁹/L"),
            Named("before the last cycle", show(before), "10⁹/L"),
        )


def not_raised_after_toxicity(case: Case) -> Iterator[Said]:
    request = case.request
    ceiling = request.treatment.toxicity_ceiling(request.course, request.cycle)
    if ceiling is None:
        return
    first_cycle_doses = request.course > 1 and case.doses is request.protocol.regimen.first_cycle
    if first_cycle_doses or (case.has_levels and request.level > ceiling):
        ordered = "the first cycle's doses" if first_cycle_doses else f"level {request.level}"
        yield stop(
            f"After a reduction for toxicity the dose is never raised again, in retreatment neither; level {ceiling} "
            f"is the highest allowed. The order says {ordered}. Ask the prescriber to correct it.",
            Named("level ordered", str(request.level)),
            Named("highest level allowed", str(ceiling)),
        )


def raised_again(case: Case) -> Iterator[Said]:
    request = case.request
    change = _newest_change(case)
    if not case.starts_cycle or change is None or (change.course, change.cycle) != (request.course, request.cycle):
        return
    if change.level > change.before and request.treatment.toxicity_ceiling(request.course, request.cycle) is None:
        yield warn(
            f"The level goes up from {change.before} to {change.level}. The protocol forbids that after toxicity and "
            "is silent otherwise; give the prescriber's reason.",
            Named("before", str(change.before)),
            Named("now", str(change.level)),
        )


def reductions_counted(case: Case) -> Iterator[Said]:
    request = case.request
    most = request.protocol.regimen.reductions.max_reductions
    changes = request.treatment.changes_in_force(request.course, request.cycle)
    steps = sum(change.steps_down for change in changes)
    if steps <= most:
        return
    for_remission = sum(change.steps_down for change in changes if change.reason is LevelReason.REMISSION)
    said = (
        f"{steps} steps down in dose level are recorded; a subject who needs more than {most} is withdrawn from "
        "treatment"
    )
    compared = (Named("steps down", str(steps)), Named("most", str(most)))
    if steps - for_remission <= most:
        were = "was" if for_remission == 1 else "were"
        yield stop_unless_decided(
            f"{said}. {for_remission} of them {were} made for remission: the principal investigator decides in writing "
            "whether it counts.",
            *compared,
        )
    else:
        yield stop(f"{said}. Cancel the order and record the end of treatment.", *compared)


def two_steps_at_once(case: Case) -> Iterator[Said]:
    change = _newest_change(case)
    request = case.request
    if not case.starts_cycle or change is None or (change.course, change.cycle) != (request.course, request.cycle):
        return
    if change.steps_down > 1:
        yield warn(
            f"The level falls by {change.steps_down} steps at once, from {change.before} to {change.level}; the "
            "protocol speaks of the next lower level. It counts as that many reductions; give the prescriber's reason.",
            Named("before", str(change.before)),
            Named("now", str(change.level)),
        )


def omission_is_no_reduction(case: Case) -> Iterator[Said]:
    request = case.request
    omitted = [
        each.day
        for each in request.treatment.omissions
        if (each.course, each.cycle) == (request.course, request.cycle - 1)
    ]
    if case.starts_cycle and omitted:
        days = " and ".join(str(day) for day in sorted(set(omitted)))
        yield info(
            f"Day {days} of cycle {request.cycle - 1} was omitted. An omission is no reduction: the level stays, and "
            "it does not count among the reductions."
        )


def worst_toxicity(case: Case) -> Iterator[Said]:
    request = case.request
    since = case.previous_day1_on
    if not case.starts_cycle or since is None:
        return
    events = [
        event
        for event in request.treatment.toxicities
        if event.at_least_possibly_related and since <= event.onset_on <= request.planned_on
    ]
    if events:
        worst = max(events, key=lambda event: event.grade)
        yield info(
            f"Worst related toxicity of the last cycle: {worst.term}, grade {worst.grade} "
            f"({request.protocol.toxicity.scale}). Of several toxicities the worst decides about a reduction.",
            Named("grade", str(worst.grade)),
        )


def _newest_change(case: Case) -> LevelChange | None:
    changes = case.request.treatment.changes_in_force(case.request.course, case.request.cycle)
    return changes[-1] if changes else None
