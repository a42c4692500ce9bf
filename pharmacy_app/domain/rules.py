"""The rules of a dose decision: one pure function each, and one visible catalogue in order of precedence.

A rule reads one ``Case`` (the request and the numbers made from it) and says what it has to say; its id, section
and title stand in the catalogue. R and A numbers are those of the rules reading; I, O and OV are the checks of
input, order of doses and overrides that the regimen itself implies.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pharmacy_app.domain.bsa import bsa_m2
from pharmacy_app.domain.comparisons import DoseComparison, with_override
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.findings import Finding, Named, Severity
from pharmacy_app.domain.request import DoseRequest, Height, Weight
from pharmacy_app.domain.schedule import GivenDose, Window, given
from pharmacy_app.domain.units import (
    exceeds,
    percent_change,
    reaches,
    show,
    show_kg,
    show_m2,
    show_mg,
    show_percent,
)


@dataclass(frozen=True, slots=True)
class Case:
    """A request with what was made of it; ``None`` means it could not be calculated, and a rule says why."""

    request: DoseRequest
    dose_mg_per_m2: Decimal | None
    bsa_m2: Decimal | None
    planned_mg_unrounded: Decimal | None
    planned_mg: Decimal | None
    prescribed: DoseComparison | None
    day1_on: date | None
    previous_day1_on: date | None
    window: Window | None


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule says, before its id and section are put to it."""

    severity: Severity
    sentence: str
    compared: tuple[Named, ...] = ()


Check = Callable[[Case], Iterator[Said]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the catalogue; without ``check`` the rule is judged at a later act of the same dose."""

    id: str
    section: str
    title: str
    check: Check | None
    deciders: tuple[str, ...] = ("prescriber", "principal investigator")


def judge(case: Case) -> tuple[Finding, ...]:
    """Return the findings of all rules in catalogue order, overrides applied where they may be."""
    findings = [
        Finding(rule.id, said.severity, said.sentence, rule.section, said.compared)
        for rule in CATALOGUE
        if rule.check is not None
        for said in rule.check(case)
    ]
    overrides = case.request.overrides
    if not overrides:
        return tuple(findings)
    overridable = {finding.rule for finding in findings if finding.severity is Severity.OVERRIDABLE}
    refused = [
        Finding("OV", said.severity, said.sentence, _OVERRIDES.section, said.compared)
        for said in _overrides_checked(case.request, overridable)
    ]
    return (*(with_override(finding, overrides) for finding in findings), *refused)


# --- input -----------------------------------------------------------------------------------------------------


def _input_known(case: Case) -> Iterator[Said]:
    request = case.request
    for name, value in (("height", request.height), ("weight to dose by", request.dosing_weight)):
        if value is None:
            yield _stop(f"The {name} is not known, so nothing was calculated. Enter the measured {name}.")
        elif (value.cm if isinstance(value, Height) else value.kg) <= 0:
            yield _stop(f"The {name} is 0 or less, so nothing was calculated. Measure it again.")
    for name, dated in (
        ("height", request.height),
        ("weight to dose by", request.dosing_weight),
        ("newest weight", request.current_weight),
    ):
        if dated is not None and dated.measured_on > request.today:
            yield _stop(
                f"The {name} is dated {say_day(dated.measured_on)}, which is after today, {say_day(request.today)}. "
                "Correct the date of the measurement.",
                Named("measured on", dated.measured_on.isoformat()),
                Named("today", request.today.isoformat()),
            )


# --- regimen ---------------------------------------------------------------------------------------------------


def _cycle_exists(case: Case) -> Iterator[Said]:
    request = case.request
    most = request.protocol.regimen.max_cycles
    if request.course > 1:
        most = min(most, request.protocol.retreatment.max_cycles)
    if request.course < 1:
        yield _stop(f"Course {request.course} does not exist: the first course is course 1. Correct the order.")
    if not 1 <= request.cycle <= most:
        yield _stop(
            f"Cycle {request.cycle} does not exist: a course has cycles 1 to {most}. No dose can be planned. "
            "Check the cycle number of the order.",
            Named("cycle", str(request.cycle)),
            Named("most cycles", str(most)),
        )


def _day_of_first_cycle(case: Case) -> Iterator[Said]:
    days = case.request.protocol.regimen.first_cycle.days
    if case.request.cycle == 1 and case.request.day not in days:
        yield _no_such_day(case, "Cycle 1", days)


def _day_of_later_cycle(case: Case) -> Iterator[Said]:
    days = case.request.protocol.regimen.levels[0].days
    if case.request.cycle > 1 and case.request.day not in days:
        yield _no_such_day(case, f"Cycle {case.request.cycle}", days)


def _no_such_day(case: Case, cycle: str, days: tuple[int, ...]) -> Said:
    listed = ", ".join(str(day) for day in days)
    return _stop(
        f"{cycle} has no dose on day {case.request.day}; its dosing days are {listed}. Check the order.",
        Named("day", str(case.request.day)),
    )


def _no_level_in_first_cycle(case: Case) -> Iterator[Said]:
    if case.request.cycle == 1 and case.request.level != 0:
        yield _stop(
            f"Cycle 1 has no dose levels, but the order says level {case.request.level}. A cycle 1 dose may be "
            "delayed or omitted, not reduced. Ask the prescriber to correct the order.",
            Named("level", str(case.request.level)),
        )


def _level_exists(case: Case) -> Iterator[Said]:
    levels = [level.level for level in case.request.protocol.regimen.levels]
    if case.request.cycle > 1 and case.request.level not in levels:
        listed = ", ".join(str(level) for level in levels)
        yield _stop(
            f"Dose level {case.request.level} does not exist; the levels are {listed}. "
            "Ask the prescriber which is meant.",
            Named("level", str(case.request.level)),
        )


def _retreatment(case: Case) -> Iterator[Said]:
    request = case.request
    if request.course > 1:
        months = request.protocol.retreatment.min_response_months
        yield Said(
            Severity.OVERRIDABLE,
            f"This is retreatment (course {request.course}). It needs a relapse after a response of at least "
            f"{months} months, and the principal investigator's written order that names the schedule and the level.",
            (Named("course", str(request.course)),),
        )


def _level_kept_in_cycle(case: Case) -> Iterator[Said]:
    request = case.request
    day1 = given(request.history, request.course, request.cycle, 1) if request.day > 1 else ()
    if day1 and day1[0].level != request.level:
        yield _stop(
            f"Day 1 of cycle {request.cycle} was given at level {day1[0].level}; within a cycle a dose is interrupted "
            f"or omitted, its level does not change to {request.level}. Correct the level of the order.",
            Named("level of day 1", str(day1[0].level)),
            Named("level ordered", str(request.level)),
        )


# --- order of doses --------------------------------------------------------------------------------------------


def _not_given_before(case: Case) -> Iterator[Said]:
    request = case.request
    for dose in given(request.history, request.course, request.cycle, request.day):
        yield _stop(
            f"Cycle {request.cycle} day {request.day} of course {request.course} was already given on "
            f"{say_day(dose.given_on)}. Check the cycle and day of the order.",
            Named("given on", dose.given_on.isoformat()),
        )


def _in_order_of_regimen(case: Case) -> Iterator[Said]:
    request = case.request
    history = request.history
    if request.course > 1 and not any(dose.course == request.course - 1 for dose in history):
        yield _stop(
            f"Course {request.course} is ordered, but no dose of course {request.course - 1} is recorded. "
            "Check the course number, or enter the earlier doses."
        )
    if request.cycle > 1 and not given(history, request.course, request.cycle - 1):
        yield _stop(
            f"Cycle {request.cycle} is ordered, but no dose of cycle {request.cycle - 1} is recorded. "
            "Check the cycle number, or enter the earlier doses."
        )
    started = request.day == 1 and given(history, request.course, request.cycle - 1)
    before = request.protocol.regimen.cycle_doses(request.cycle - 1, 0) if started else None
    for day in () if before is None else before.days:
        if not given(history, request.course, request.cycle - 1, day):
            yield Said(
                Severity.WARN,
                f"Day {day} of cycle {request.cycle - 1} is not recorded as given. Record its omission with the "
                "reason, or enter the dose late, before going on.",
            )
    place = (request.course, request.cycle, request.day)
    later = [dose for dose in history if (dose.course, dose.cycle, dose.day) > place]
    if later:
        dose = min(later, key=lambda given_dose: given_dose.given_on)
        yield _stop(
            f"A later dose, {_place(dose)}, was already given on {say_day(dose.given_on)}. Check the cycle and day of "
            f"the order."
        )


def _day1_given(case: Case) -> Iterator[Said]:
    request = case.request
    if request.day <= 1:
        return
    day1 = given(request.history, request.course, request.cycle, 1)
    if not day1:
        yield _stop(
            f"Day {request.day} is ordered, but day 1 of cycle {request.cycle} is not recorded as given, so its "
            "window is not known. Record day 1 first, or correct the order."
        )
        return
    if request.day1_on is not None and request.day1_on != day1[0].given_on:
        yield _stop(
            f"Day 1 of cycle {request.cycle} is said to be {say_day(request.day1_on)}, but was given on "
            f"{say_day(day1[0].given_on)}. Correct the one that is wrong.",
            Named("day 1", request.day1_on.isoformat()),
            Named("given on", day1[0].given_on.isoformat()),
        )
    doses = request.protocol.regimen.cycle_doses(request.cycle, request.level)
    for day in () if doses is None else doses.days:
        if 1 < day < request.day and not given(request.history, request.course, request.cycle, day):
            yield Said(
                Severity.WARN,
                f"Day {day} of cycle {request.cycle} is not recorded as given. Record its omission with the reason, "
                "or enter the dose late, before going on.",
            )


def _dates_in_order(case: Case) -> Iterator[Said]:
    request = case.request
    in_future = [dose for dose in request.history if dose.given_on > request.today]
    for dose in in_future[:1]:
        yield _stop(
            f"{_place(dose).capitalize()} is recorded as given on {say_day(dose.given_on)}, which is after today, "
            f"{say_day(request.today)}. Correct that record first."
        )
    last = _last_given(case)
    if last is not None and request.planned_on <= last.given_on:
        yield _stop(
            f"The infusion is planned for {say_day(request.planned_on)}, but {_place(last)} was given on "
            f"{say_day(last.given_on)}. "
            "Correct the planned date.",
            Named("planned on", request.planned_on.isoformat()),
            Named("last dose on", last.given_on.isoformat()),
        )
    if request.planned_on < request.today:
        yield Said(
            Severity.WARN,
            f"The planned date {say_day(request.planned_on)} has passed (today is {say_day(request.today)}). Correct "
            f"it, or give the "
            "reason if this is a late entry.",
        )


def _last_given(case: Case) -> GivenDose | None:
    return max(case.request.history, key=lambda dose: dose.given_on, default=None)


def _place(dose: GivenDose) -> str:
    course = "" if dose.course == 1 else f"course {dose.course}, "
    return f"{course}cycle {dose.cycle} day {dose.day}"


# --- subject ---------------------------------------------------------------------------------------------------


def _old_enough(case: Case) -> Iterator[Said]:
    request = case.request
    years = request.protocol.age.min_years
    if request.birth is None:
        yield Said(
            Severity.OVERRIDABLE,
            f"The date of birth is not known, so it is unknown whether the subject is {years}. Enter it.",
        )
        return
    if request.birth.birthday(0)[0] > request.planned_on:
        yield _stop(f"The date of birth, {request.birth}, is after the planned date. Correct it.")
        return
    completed = request.birth.has_completed(years, request.planned_on)
    compared = (Named("born", str(request.birth)), Named("planned on", request.planned_on.isoformat()))
    if completed is None:
        first, last = request.birth.birthday(years)
        yield Said(
            Severity.OVERRIDABLE,
            f"It is unknown whether the subject is {years} on {say_day(request.planned_on)}: the {years}th birthday "
            f"lies "
            f"between {first} and {last}. Enter the full date of birth.",
            compared,
        )
    elif not completed:
        yield Said(
            Severity.OVERRIDABLE,
            f"The subject is under {years} on {say_day(request.planned_on)}. Subjects must be at least {years} years "
            f"old.",
            compared,
        )


def _minor(case: Case) -> Iterator[Said]:
    request = case.request
    if request.birth is None:
        return
    years = request.protocol.age.adult_from_years
    completed = request.birth.has_completed(years, request.planned_on)
    if not completed:
        may_be = "may be" if completed is None else "is"
        yield _info(f"The subject {may_be} under {years}. Measure the height again before each cycle.")


# --- weight ----------------------------------------------------------------------------------------------------


def _weighed_before_day1(case: Case) -> Iterator[Said]:
    request = case.request
    if request.day != 1:
        return
    weight = request.current_weight
    most = request.protocol.weight.max_age_days
    if weight is None:
        yield _stop(
            f"No weight is recorded. The subject must be weighed within {most} days before day 1 of every cycle."
        )
        return
    age_days = (request.planned_on - weight.measured_on).days
    compared = (
        Named("weighed on", weight.measured_on.isoformat()),
        Named("day 1", request.planned_on.isoformat()),
        Named("age of weight", str(age_days), "days"),
    )
    if age_days > most:
        yield _stop(
            f"The newest weight was taken on {say_day(weight.measured_on)}, {age_days} days before day 1; at most "
            f"{most} "
            "days are allowed. Weigh the subject again.",
            *compared,
        )
    elif age_days < 0:
        yield _stop(
            f"The weight is dated {say_day(weight.measured_on)}, after the planned day 1, "
            f"{say_day(request.planned_on)}. "
            "Correct one of the dates.",
            *compared,
        )


def _weighed_same_day(case: Case) -> Iterator[Said]:
    request = case.request
    weight = request.current_weight
    if request.day == 1 and weight is not None and weight.measured_on == request.planned_on:
        yield _info("The weight was taken on day 1 itself; that counts if it was before the infusion.")


def _weight_change(case: Case) -> tuple[Weight, Decimal, bool, tuple[Named, ...]] | None:
    """The newest weight, its change (%) against the weight last used, whether over the limit, and the numbers."""
    request = case.request
    new, prior = request.current_weight, request.prior_weight_used
    if new is None or prior is None:
        return None
    change = percent_change(new.kg, prior.kg)
    if change is None:
        return None
    limit = request.protocol.weight.change_over_percent
    compared = (
        Named("newest weight", show(new.kg), "kg"),
        Named("weight last used", show(prior.kg), "kg"),
        Named("change", show_percent(change)),
    )
    return new, change, exceeds(new.kg, prior.kg, limit), compared


def _recalculated_when_over(case: Case) -> Iterator[Said]:
    request = case.request
    found = _weight_change(case)
    if request.day != 1 or found is None or request.dosing_weight is None:
        return
    new, change, over, compared = found
    if not over:
        return
    limit = show(request.protocol.weight.change_over_percent)
    said = f"The weight changed by {show_percent(change)} against the weight last used, more than {limit} %"
    if request.dosing_weight.kg == new.kg:
        yield Said(Severity.INFO, f"{said}; the dose is recalculated from {show_kg(new.kg)}.", compared)
    else:
        yield _stop(
            f"{said}. The dose must be recalculated from the newest weight, {show_kg(new.kg)}, not from "
            f"{show_kg(request.dosing_weight.kg)}.",
            *compared,
        )


def _which_weight(case: Case) -> Iterator[Said]:
    request = case.request
    used, new, prior = request.dosing_weight, request.current_weight, request.prior_weight_used
    if used is None or new is None:
        return
    if used.measured_on > request.planned_on:
        yield _stop(
            f"The weight to dose by is dated {say_day(used.measured_on)}, after the planned date "
            f"{say_day(request.planned_on)}. "
            "Choose a weight taken before the infusion."
        )
        return
    is_new = used.kg == new.kg
    is_prior = prior is not None and used.kg == prior.kg
    if not is_new and not is_prior:
        other = "" if prior is None else f" nor the weight last used, {show_kg(prior.kg)}"
        yield _stop(
            f"The dose is calculated from {show_kg(used.kg)}, which is not the newest weight, "
            f"{show_kg(new.kg)}{other}. Choose the newest weight."
        )
        return
    found = _weight_change(case)
    if found is None or found[2]:
        return
    _, change, _, compared = found
    limit = show(request.protocol.weight.change_over_percent)
    chosen = "the newest weight" if is_new else "the weight last used"
    yield Said(
        Severity.INFO,
        f"The weight changed by {show_percent(change)}, not more than {limit} %, so recalculating is "
        f"institutional practice. Used here: {chosen}, {show_kg(used.kg)}.",
        compared,
    )


def _weight_not_bsa(case: Case) -> Iterator[Said]:
    request = case.request
    found = _weight_change(case)
    formula, prior, height = request.settings.bsa_formula, request.prior_weight_used, request.height
    if found is None or not found[2] or formula is None or prior is None or height is None:
        return
    if min(height.cm, prior.kg, found[0].kg) <= 0:
        return
    before = bsa_m2(formula.value, height_cm=height.cm, weight_kg=prior.kg)
    after = bsa_m2(formula.value, height_cm=height.cm, weight_kg=found[0].kg)
    change = percent_change(after, before)
    if change is not None:
        yield Said(
            Severity.INFO,
            f"The limit is on the weight ({show_percent(found[1])}), not on the body surface area, which changed "
            f"by {show_percent(change)} only.",
            (
                Named("area at weight last used", show(before, 4), "m²"),
                Named("area now", show(after, 4), "m²"),
            ),
        )


def _weight_within_cycle(case: Case) -> Iterator[Said]:
    request = case.request
    found = _weight_change(case)
    if request.day <= 1 or found is None or not found[2]:
        return
    new, change, _, compared = found
    said = f"The newest weight differs from the weight last used by {show_percent(change)}"
    if request.dosing_weight is not None and request.dosing_weight.kg == new.kg:
        yield Said(Severity.INFO, f"{said}; this dose is recalculated from it.", compared)
    else:
        yield Said(
            Severity.WARN,
            f"{said}. The protocol asks for recalculation at day 1 only; decide by institutional practice whether "
            "this dose is recalculated, and give the reason.",
            compared,
        )


# --- dose ------------------------------------------------------------------------------------------------------


def _formula_kept(case: Case) -> Iterator[Said]:
    formula, before = case.request.settings.bsa_formula, case.request.formula_before
    if formula is not None and before is not None and formula.value is not before:
        yield Said(
            Severity.WARN,
            f"This subject's last dose was calculated by {before.value}, this one by {formula.value}. The formula "
            "stays the same for a subject; give the reason for the change.",
            (Named("formula before", before.value), Named("formula now", formula.value)),
        )


def _area_plausible(case: Case) -> Iterator[Said]:
    if case.request.settings.bsa_formula is None:
        yield _stop(
            "The formula for body surface area is not signed, so nothing was calculated. "
            "Sign it in the study settings with its source."
        )
    limits = case.request.protocol.bsa
    if case.bsa_m2 is not None and not limits.min_m2 <= case.bsa_m2 <= limits.max_m2:
        yield Said(
            Severity.WARN,
            f"A body surface area of {show_m2(case.bsa_m2)} is unusual (usual: {show(limits.min_m2)} to "
            f"{show(limits.max_m2)} m²). Check height and weight and their units (kg or lb, cm or in), then confirm "
            "with a reason.",
            (Named("body surface area", show(case.bsa_m2, 6), "m²"),),
        )


def _rounded_once(case: Case) -> Iterator[Said]:
    rounding = case.request.settings.dose_rounding
    if rounding is None:
        yield _stop(
            "The rounding of the dose is not signed, so nothing was calculated. "
            "Sign it in the study settings with its source."
        )
    unrounded, rounded = case.planned_mg_unrounded, case.planned_mg
    if unrounded is None or rounded is None or rounding is None:
        return
    compared = (Named("unrounded", show(unrounded, 10), "mg"), Named("rounded", show(rounded), "mg"))
    limit = case.request.protocol.dose_difference.from_percent
    if reaches(rounded, unrounded, limit):
        yield _stop(
            f"Rounding alone would change the dose from {show_mg(unrounded)} to {show_mg(rounded)}, {show(limit)} % "
            "or more. Sign a finer rounding in the study settings.",
            *compared,
        )
    elif rounded != unrounded:
        yield Said(
            Severity.INFO,
            f"The planned dose of {show_mg(unrounded)} is rounded once, to {show_mg(rounded)}.",
            compared,
        )


def _prescribed_as_planned(case: Case) -> Iterator[Said]:
    if case.request.prescribed_mg is None:
        yield _stop("The prescribed dose is not known. Enter the mg of the order before going on.")
    elif case.prescribed is not None and case.prescribed.finding is not None:
        finding = case.prescribed.finding
        yield Said(finding.severity, finding.sentence, finding.compared)


# --- dates -----------------------------------------------------------------------------------------------------


def _in_window(case: Case) -> Iterator[Said]:
    request = case.request
    window = case.window
    judged = case.day1_on is not None if request.day > 1 else request.scheduled_on is not None
    if window is None or not judged:
        return
    compared = (
        Named("planned on", request.planned_on.isoformat()),
        Named("expected on", window.expected_on.isoformat()),
        Named("window", f"{say_day(window.earliest)} to {say_day(window.latest)}"),
    )
    off = abs((request.planned_on - window.expected_on).days)
    if request.planned_on < window.earliest:
        yield Said(
            Severity.OVERRIDABLE,
            f"{say_day(request.planned_on)} is {off} days before day {request.day} is due "
            f"({say_day(window.expected_on)}); the window "
            f"opens on {say_day(window.earliest)}. Plan it later, or record the prescriber's written decision.",
            compared,
        )
    elif request.planned_on > window.latest:
        yield Said(
            Severity.WARN,
            f"{say_day(request.planned_on)} is {off} days after day {request.day} was due "
            f"({say_day(window.expected_on)}); the window "
            f"closed on {say_day(window.latest)}. Give the reason for the delay.",
            compared,
        )


def _cycle_length(case: Case) -> Iterator[Said]:
    request = case.request
    if request.day != 1 or request.cycle < 2:
        return
    if case.previous_day1_on is None:
        yield Said(
            Severity.WARN,
            f"Day 1 of cycle {request.cycle - 1} is not recorded, so it is unknown whether this cycle starts in time.",
        )
        return
    cycle = request.protocol.windows.cycle
    margin = request.protocol.windows.dose_days
    days = (request.planned_on - case.previous_day1_on).days
    compared = (
        Named("day 1 before", case.previous_day1_on.isoformat()),
        Named("planned on", request.planned_on.isoformat()),
        Named("interval", str(days), "days"),
    )
    said = (
        f"{days} days lie between day 1 of cycle {request.cycle - 1} and this day 1; cycles are repeated every "
        f"{cycle.min_days} to {cycle.max_days} days"
    )
    if days < cycle.min_days - margin:
        yield Said(
            Severity.OVERRIDABLE,
            f"{said}, {margin} days either way allowed. Plan it later, or record the prescriber's written decision.",
            compared,
        )
    elif days > cycle.max_days + margin:
        yield Said(Severity.WARN, f"{said}, {margin} days either way allowed. Give the reason for the date.", compared)
    elif not cycle.min_days <= days <= cycle.max_days:
        yield Said(Severity.INFO, f"{said}; this is inside the {margin} days allowed either way.", compared)


def _days_between_doses(case: Case) -> Iterator[Said]:
    last = _last_given(case)
    if last is None:
        return
    interval = case.request.protocol.windows.dose_interval
    days = (case.request.planned_on - last.given_on) // timedelta(days=1)
    if 0 < days < interval.min_days:
        yield Said(
            Severity.WARN,
            f"Only {days} {'day lies' if days == 1 else 'days lie'} between this dose and the last one "
            f"({_place(last)}, {say_day(last.given_on)}); the {interval.source} asks for at least "
            f"{interval.min_days}. The "
            "protocol names no minimum. Ask the prescriber and give the reason.",
            (Named("interval", str(days), "days"), Named("least", str(interval.min_days), "days")),
        )


# --- overrides -------------------------------------------------------------------------------------------------


def _overrides_checked(request: DoseRequest, overridable: set[str]) -> Iterator[Said]:
    seen: set[str] = set()
    for override in request.overrides:
        if override.rule not in overridable:
            yield _stop(
                f"A decision to go on past {override.rule} is recorded, but {override.rule} does not stop this dose "
                "in a way that may be overridden. Remove it, or correct what the rule asks for."
            )
        elif override.rule in seen:
            yield _stop(f"Two decisions to go on past {override.rule} are recorded. Keep the one that is right.")
        seen.add(override.rule)
        empty = [
            name
            for name, value in (
                ("who decided", override.decided_by),
                ("in which role", override.role),
                ("the document", override.document),
                ("the reason", override.why),
            )
            if not value.strip()
        ]
        if empty:
            yield _stop(f"The decision to go on past {override.rule} lacks {', '.join(empty)}. Complete it.")
        deciders = next((rule.deciders for rule in CATALOGUE if rule.id == override.rule), ())
        if override.rule in overridable and override.role.strip() and override.role not in deciders:
            yield _stop(
                f"To go on past {override.rule} takes the decision of the {' or the '.join(deciders)}; this one is the "
                f"{override.role}'s. Ask for it."
            )
        if override.decided_on > request.today:
            yield _stop(
                f"The decision to go on past {override.rule} is dated {say_day(override.decided_on)}, after today, "
                f"{say_day(request.today)}. Correct its date."
            )


def _stop(sentence: str, *compared: Named) -> Said:
    return Said(Severity.STOP, sentence, compared)


def _info(sentence: str) -> Said:
    return Said(Severity.INFO, sentence)


_OVERRIDES = Rule("OV", "8.1.5", "written decisions to go on", None)

CATALOGUE: tuple[Rule, ...] = (
    Rule("I1", "8.1.3", "height and weight are known", _input_known),
    Rule("R5", "3.3, 3.5, 8.1.3", "cycles of a course", _cycle_exists),
    Rule("R2", "3.3, 8.1.3", "dosing days of cycle 1", _day_of_first_cycle),
    Rule("R3", "3.3, 8.1.3", "dosing days of later cycles", _day_of_later_cycle),
    Rule("A5", "8.1.6", "cycle 1 has no dose levels", _no_level_in_first_cycle),
    Rule("R4", "8.1.6", "dose levels beyond cycle 1", _level_exists),
    Rule("R43", "8.1.4", "the level is kept within a cycle", _level_kept_in_cycle),
    Rule("O1", "3.3, 8.1.3", "a dose is given once", _not_given_before),
    Rule("O2", "3.3, 8.1.3", "doses follow the order of the regimen", _in_order_of_regimen),
    Rule("O3", "3.3, 8.1.3", "day 1 comes before the later days", _day1_given),
    Rule("O4", "3.3, 8.1.3", "dates follow one another", _dates_in_order),
    Rule("R6", "3.7", "retreatment", _retreatment, ("principal investigator",)),
    Rule("R1", "2.0(1)", "least age", _old_enough),
    Rule("A28", "2.0(1)", "subject not of age", _minor),
    Rule("R13", "8.1.3", "weighed shortly before day 1", _weighed_before_day1),
    Rule("A39", "8.1.3", "weighed on day 1 itself", _weighed_same_day),
    Rule("R14", "8.1.3", "recalculated after a large change of weight", _recalculated_when_over),
    Rule("R15", "8.1.3", "which weight the dose is calculated from", _which_weight),
    Rule("R16", "8.1.3", "the test is on the weight", _weight_not_bsa),
    Rule("A26", "8.1.3", "weight between two day 1s", _weight_within_cycle),
    Rule("R8", "8.1.3", "one formula for a subject", _formula_kept),
    Rule("A1", "8.1.3", "formula signed, body surface area plausible", _area_plausible),
    Rule("A2", "8.1.3", "rounded once, at the end", _rounded_once),
    Rule("R18", "8.1.3", "prescribed against planned", _prescribed_as_planned),
    Rule("R20", "3.3, 8.1.3", "window of the dosing day", _in_window),
    Rule("R25", "3.4, 8.1.3", "length of a cycle", _cycle_length),
    Rule("A25", "3.3", "days between two doses", _days_between_doses),
    _OVERRIDES,
    Rule("R19", "8.1.3", "prepared against prescribed", None),
    Rule("R17", "8.1.3", "administered against prescribed", None),
)


def check_catalogue(catalogue: tuple[Rule, ...] = CATALOGUE) -> None:
    """Raise ``ValueError`` when the catalogue names a rule twice or one without its section or title."""
    ids = [rule.id for rule in catalogue]
    twice = sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1})
    bare = [rule.id for rule in catalogue if not (rule.id and rule.section and rule.title)]
    if twice or bare:
        raise ValueError(f"rules named twice: {twice}; rules without section or title: {bare}")


check_catalogue()
