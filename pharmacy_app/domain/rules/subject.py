"""The subject: age, response, retreatment, transplantation, and what takes a subject off treatment."""

import calendar
from collections.abc import Iterator
from datetime import date

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.findings import Named
from pharmacy_app.domain.rules.case import Case, Said, info, stop, stop_unless_decided, warn
from pharmacy_app.domain.treatment import Response, ResponseAssessment, Schedule


def old_enough(case: Case) -> Iterator[Said]:
    request = case.request
    years = request.protocol.age.min_years
    if request.birth is None:
        yield stop_unless_decided(
            f"The date of birth is not known, so it is unknown whether the subject is {years}. Enter it.",
        )
        return
    if request.birth.birthday(0)[0] > request.planned_on:
        yield stop(f"The date of birth, {request.birth}, is after the planned date. Correct it.")
        return
    completed = request.birth.has_completed(years, request.planned_on)
    compared = (Named("born", str(request.birth)), Named("planned on", request.planned_on.isoformat()))
    if completed is None:
        first, last = request.birth.birthday(years)
        yield stop_unless_decided(
            f"It is unknown whether the subject is {years} on {say_day(request.planned_on)}: the {years}th birthday "
            f"lies between {first} and {last}. Enter the full date of birth.",
            *compared,
        )
    elif not completed:
        yield stop_unless_decided(
            f"The subject is under {years} on {say_day(request.planned_on)}. Subjects must be at least {years} years "
            f"old.",
            *compared,
        )


def minor(case: Case) -> Iterator[Said]:
    request = case.request
    if request.birth is None:
        return
    years = request.protocol.age.adult_from_years
    completed = request.birth.has_completed(years, request.planned_on)
    if not completed:
        may_be = "may be" if completed is None else "is"
        yield info(f"The subject {may_be} under {years}. Measure the height again before each cycle.")


# --- response --------------------------------------------------------------------------------------------------


def no_response(case: Case) -> Iterator[Said]:
    request = case.request
    rule = request.protocol.no_response
    found = request.treatment.response_of(request.course, by=request.planned_on)
    if case.starts_cycle and request.cycle < 2:
        return
    answered_on = _progression_answered_on(case)
    if not case.starts_cycle and answered_on is None and not _progressed_within_cycle(case, found):
        return
    if answered_on is not None:
        found = ResponseAssessment(request.course, request.cycle, answered_on, Response.PD)
    if found is None:
        if request.cycle <= rule.after_cycles:
            return
        sentence = f"No response is recorded for this course, and cycle {request.cycle} depends on it. Record it"
        if request.cycle > rule.max_cycles:
            yield stop(f"{sentence}: without a response at most {rule.max_cycles} cycles are given.")
        else:
            yield stop_unless_decided(f"{sentence}, or the principal investigator's written decision.")
        return
    compared = (
        Named("response", found.response.value),
        Named("assessed on", found.assessed_on.isoformat()),
        Named("cycle", str(request.cycle)),
    )
    progressed = found.response is Response.PD
    if not progressed and (found.response is not Response.NR or request.cycle <= rule.after_cycles):
        return
    what = "Progression or relapse" if progressed else "No response"
    said = f"{what} is recorded on {say_day(found.assessed_on)}"
    if request.cycle > rule.max_cycles:
        yield stop(
            f"{said}. Without a response at most {rule.max_cycles} cycles may be given, even by exception. Record the "
            "end of treatment.",
            *compared,
        )
    else:
        yield stop_unless_decided(
            f"{said}: treatment ends, unless the treating physician, after discussion with the principal "
            "investigator, finds going on to be in the subject's best interest. Record that decision, or the end of "
            "treatment.",
            *compared,
        )


def _progression_answered_on(case: Case) -> date | None:
    """When progression was answered in this dose's criteria, unless it is confined to CNS or testis (§ 8.1.5(1))."""
    answers = case.answers
    if answers is None or not answers.progression or answers.only_cns_or_testis:
        return None
    return answers.assessed_on


def _progressed_within_cycle(case: Case, found: ResponseAssessment | None) -> bool:
    """Whether progression became known since this cycle's day 1, which was judged without it."""
    if found is None or found.response is not Response.PD or case.day1_on is None:
        return False
    return found.assessed_on > case.day1_on


def partial_response(case: Case) -> Iterator[Said]:
    request = case.request
    rule = request.protocol.no_response
    found = request.treatment.response_of(request.course, by=request.planned_on)
    if not case.starts_cycle or request.cycle <= rule.after_cycles or found is None:
        return
    if found.response is not Response.PR:
        return
    said = (
        f"A partial response is recorded ({say_day(found.assessed_on)}). The protocol names it neither with the "
        f"responders of § 3.3 nor as no response"
    )
    compared = (Named("response", found.response.value), Named("cycle", str(request.cycle)))
    if request.cycle <= rule.max_cycles:
        yield warn(f"{said}. Give the physician's reason for going on.", *compared)
    else:
        yield stop_unless_decided(f"{said}. Beyond cycle {rule.max_cycles} record the written decision.", *compared)


def transplant_near(case: Case) -> Iterator[Said]:
    request = case.request
    rule = request.protocol.transplant
    if not case.starts_cycle or not request.treatment.transplant_planned():
        return
    weeks = f"{rule.min_weeks} to {rule.max_weeks} weeks"
    found = request.treatment.response_of(request.course, by=request.planned_on)
    in_remission = found is not None and found.response.is_remission
    if request.cycle > rule.induction_cycles and in_remission:
        yield warn(
            f"A transplantation is planned and remission is reached: inotuzumab ozogamicin is then limited to "
            f"{rule.induction_cycles} cycles. Ask the investigator whether cycle {request.cycle} is meant, and give "
            f"the reason. About {weeks} between the last dose and the transplantation are reasonable.",
            Named("cycle", str(request.cycle)),
            Named("response", found.response.value if found else ""),
        )
    else:
        yield info(
            f"A transplantation is planned: {rule.induction_cycles} cycles, or the fewest that reach remission, and "
            f"about {weeks} between the last dose and the transplantation."
        )


# --- retreatment -----------------------------------------------------------------------------------------------


def retreatment(case: Case) -> Iterator[Said]:
    request = case.request
    if request.course <= 1:
        return
    edge = _response_edge(case)
    months = request.protocol.retreatment.min_response_months
    if edge is None:
        yield stop_unless_decided(
            f"This is retreatment (course {request.course}). It needs a relapse after a response of at least {months} "
            f"months, but response and relapse of course {request.course - 1} are not both recorded. Record them, or "
            "the principal investigator's decision.",
            Named("course", str(request.course)),
        )
        return
    first, relapse, least = edge
    if relapse < least:
        yield stop_unless_decided(
            f"The response of course {request.course - 1} lasted from {say_day(first)} to the relapse on "
            f"{say_day(relapse)}; {months} months would have been reached on {say_day(least)}. Retreatment takes the "
            "principal investigator's written decision.",
            Named("first response", first.isoformat()),
            Named("relapse", relapse.isoformat()),
            Named(f"{months} months on", least.isoformat()),
        )


def response_near_edge(case: Case) -> Iterator[Said]:
    request = case.request
    edge = _response_edge(case)
    if edge is None:
        return
    first, relapse, least = edge
    if abs((relapse - least).days) <= request.protocol.retreatment.edge_days:
        yield warn(
            f"The response began on {say_day(first)} and the relapse came on {say_day(relapse)}, close to the "
            f"{request.protocol.retreatment.min_response_months} calendar months that end on {say_day(least)}. Check "
            "both dates in the chart and give the reason.",
            Named("first response", first.isoformat()),
            Named("relapse", relapse.isoformat()),
        )


def retreatment_ordered(case: Case) -> Iterator[Said]:
    request = case.request
    if request.course <= 1:
        return
    order = request.treatment.retreatment(request.course)
    if order is None:
        yield stop_unless_decided(
            f"The protocol does not say which doses the first cycle of course {request.course} has. Record the "
            "principal investigator's written order that names the schedule; until then the first cycle's doses are "
            "shown."
        )
    elif request.cycle == 1:
        doses = "the later cycles" if order.schedule is Schedule.LATER_CYCLES else "cycle 1"
        yield info(
            f"Course {request.course} begins with the doses of {doses}, by the order of {order.ordered_by} of "
            f"{say_day(order.ordered_on)} ({order.document})."
        )


def _response_edge(case: Case) -> tuple[date, date, date] | None:
    """First response, relapse after it, and the first day that makes the least duration, of the course before.

    What is dated after the planned date is not known yet.
    """
    request = case.request
    before = request.course - 1
    responses = request.treatment.responses
    known = [each for each in responses if each.course == before and each.assessed_on <= request.planned_on]
    first = min((each.assessed_on for each in known if each.response.is_remission), default=None)
    if first is None:
        return None
    relapses = (each.assessed_on for each in known if each.response is Response.PD and each.assessed_on > first)
    relapse = min(relapses, default=None)
    return None if relapse is None else (first, relapse, months_after(first, _least_months(case)))


def _least_months(case: Case) -> int:
    return case.request.protocol.retreatment.min_response_months


def months_after(day: date, months: int) -> date:
    """The same day of a later calendar month, or that month's last day where it has no such day (RULES A16)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


# --- off treatment ---------------------------------------------------------------------------------------------


def liver_toxicity(case: Case) -> Iterator[Said]:
    request = case.request
    for event in request.treatment.toxicities:
        if event.liver is not None and event.onset_on <= request.planned_on:
            yield stop(
                f"{event.liver.value[:1].upper()}{event.liver.value[1:]} is recorded since {say_day(event.onset_on)}: "
                "treatment is discontinued for good, in retreatment too. Cancel the order and record the end of "
                "treatment.",
                Named("liver finding", event.liver.value),
            )
            return
    newest = {each.place: each for each in request.criteria}
    suspected = [each for each in newest.values() if each.liver_toxicity_suspected]
    if suspected:
        since = min(each.assessed_on for each in suspected)
        yield stop(
            f"Veno-occlusive disease or other severe liver toxicity was suspected on {say_day(since)}; suspicion is "
            "enough: treatment is discontinued for good. Cancel the order and record the end of treatment."
        )
    elif case.answers is None or case.answers.liver_toxicity_suspected is None:
        yield stop(
            "It is not answered whether veno-occlusive disease or other severe liver toxicity is suspected. Answer it "
            "in the criteria of the treatment day."
        )


def off_treatment(case: Case) -> Iterator[Said]:
    request = case.request
    removal = request.treatment.off_treatment(request.course)
    if removal is not None:
        yield stop_unless_decided(
            f"The subject is off treatment since {say_day(removal.removed_on)}: {removal.reason.value}. A further "
            "dose takes the principal investigator's written decision.",
            Named("off treatment since", removal.removed_on.isoformat()),
            Named("reason", removal.reason.value),
        )
    least = request.protocol.toxicity.removal_from_grade
    for event in request.treatment.toxicities:
        grave = event.grade >= least and event.at_least_possibly_related and event.liver is None
        if grave and event.onset_on <= request.planned_on:
            judged = (
                "Its grade is defined by laboratory numbers: the independent investigator's assessment of risk and "
                "benefit decides"
                if event.numeric_laboratory
                else "Treatment ends, unless the principal investigator decides otherwise in writing"
            )
            yield stop_unless_decided(
                f"{event.term[:1].upper()}{event.term[1:]}, grade {event.grade}, at least possibly related, since "
                f"{say_day(event.onset_on)}. {judged}. Record that decision, or the end of treatment.",
                Named("grade", str(event.grade)),
                Named("removal from grade", str(least)),
            )
    grade = None if case.answers is None else case.answers.toxicity_grade
    if grade is not None and grade >= least:
        yield stop_unless_decided(
            f"The criteria of this dose name a related toxicity of grade {grade}. Treatment ends, unless the principal "
            "investigator decides otherwise in writing. Record the toxicity under Subjects, and that decision or the "
            "end of treatment.",
            Named("grade", str(grade)),
            Named("removal from grade", str(least)),
        )


# --- screening -------------------------------------------------------------------------------------------------


def screened(case: Case) -> Iterator[Said]:
    request = case.request
    if (request.course, request.cycle, request.day) != (1, 1, 1):
        return
    rule = request.protocol.evaluations
    answers = case.answers
    for name, on, most in (
        ("consent", answers.consent_on if answers else None, rule.screening_marrow_days),
        ("screening marrow", answers.screening_marrow_on if answers else None, rule.screening_marrow_days),
        ("screening blood count and chemistry", answers.screening_tests_on if answers else None, rule.screening_days),
    ):
        if on is None:
            yield info(f"The date of the {name} is not recorded; it must lie within {most} days before therapy.")
            continue
        days = (request.planned_on - on).days
        if days < 0:
            yield info(
                f"The {name} is dated {say_day(on)}, after the planned therapy. Correct the date, or ask the "
                "investigator.",
                Named(name, on.isoformat()),
            )
        elif days > most:
            yield info(
                f"The {name} of {say_day(on)} lies {days} days before therapy; at most {most} are allowed. Ask the "
                "investigator.",
                Named(name, on.isoformat()),
                Named("age", str(days), "days"),
            )
