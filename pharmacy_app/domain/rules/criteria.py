"""Treatment-day criteria (§ 8.1.5): what is not met, or not known, delays the dose unless it is decided in writing."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, localcontext

from pharmacy_app.domain.criteria import Criteria, Lab, of_place
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.findings import Named
from pharmacy_app.domain.rules.case import Case, Said, info, stop_unless_decided, warn
from pharmacy_app.domain.schedule import given
from pharmacy_app.domain.treatment import Marrow, Response
from pharmacy_app.domain.units import WORKING, exceeds, show

_OR_DECIDE = "Delay the dose, or record the investigator's written decision."
_ANSWER = "Enter it in the criteria of the treatment day, or record the investigator's written decision."


def no_progression(case: Case) -> Iterator[Said]:
    if not case.starts_cycle:
        return
    answers = case.answers
    if answers is None or answers.progression is None:
        yield stop_unless_decided(f"It is not known whether disease progressed or relapsed. {_ANSWER}")
    elif answers.progression and answers.only_cns_or_testis:
        yield stop_unless_decided(
            "Progression or relapse in central nervous system or testis alone: treatment may continue at the "
            "investigator's judgment. Record that decision."
        )
    elif answers.progression:
        yield stop_unless_decided(
            "Progressive disease or relapse is recorded. Treatment is not started. Record the end of treatment, or the "
            "investigator's written decision."
        )


def blasts_stable(case: Case) -> Iterator[Said]:
    request = case.request
    if not case.starts_cycle:
        return
    most = request.protocol.criteria.blasts_increase_max_percent
    marrows = _marrows(case)
    earlier = [each for each in marrows if each.taken_on < marrows[0].taken_on]
    if not marrows:
        which = "No marrow result" if request.course == 1 else "No marrow result of the relapse or since"
        yield stop_unless_decided(
            f"{which} is recorded, so it is not known whether blasts rose. Record it under Subjects, or record the "
            "investigator's written decision."
        )
        return
    if request.cycle == 1 and not earlier:
        yield info(
            f"The marrow of {say_day(marrows[0].taken_on)} ({show(marrows[0].blasts_percent)} % blasts) is the base of "
            "this course; there is nothing in it to compare with yet."
        )
        return
    if not earlier:
        yield stop_unless_decided(
            f"No marrow before that of {say_day(marrows[0].taken_on)} is recorded, so it is not known whether "
            "blasts rose. Record the one before, or the investigator's written decision."
        )
        return
    now, before = marrows[0], earlier[0]
    compared = (
        Named("blasts now", show(now.blasts_percent), "%"),
        Named("before", show(before.blasts_percent), "%"),
        Named("most", f"{show(most)} % more than before"),
    )
    if _rose(now, before, most):
        yield stop_unless_decided(
            f"Blasts rose from {show(before.blasts_percent)} % ({say_day(before.taken_on)}) to "
            f"{show(now.blasts_percent)} % ({say_day(now.taken_on)}), by more than {show(most)} % of the earlier "
            f"value. {_OR_DECIDE}",
            *compared,
        )


def _marrows(case: Case) -> tuple[Marrow, ...]:
    """The marrows this course is measured by, newest first.

    A retreatment begins because of a relapse, so its blasts are not measured against the remission before: the newest
    marrow between that response and the day of the relapse is its base, or else the first one after it (§ 3.7). Where
    no relapse is recorded somebody decided past R6, and the newest marrow stands for it.
    """
    request = case.request
    marrows = request.treatment.marrows_by(request.planned_on)
    if request.course == 1:
        return marrows
    known = [
        each
        for each in request.treatment.responses
        if each.course == request.course - 1 and each.assessed_on <= request.planned_on
    ]
    relapse = max((each.assessed_on for each in known if each.response is Response.PD), default=None)
    if relapse is None:
        return marrows[:1] if request.cycle == 1 else marrows
    responded = [each.assessed_on for each in known if each.response is not Response.PD and each.assessed_on < relapse]
    own = [each for each in marrows if not responded or each.taken_on > max(responded)]
    shown = [each for each in own if each.taken_on <= relapse]
    return tuple(each for each in own if each.taken_on > relapse or each.taken_on == shown[0].taken_on)


def _rose(now: Marrow, before: Marrow, most: Decimal) -> bool:
    """Whether blasts rose by more than so many percent of the earlier value; 20 % to 30 % is exactly half more."""
    rose = now.blasts_percent > before.blasts_percent
    return rose and exceeds(now.blasts_percent, before.blasts_percent, most)


def _marrow_is_worse(case: Case) -> bool:
    """Whether the newest marrow is known not to be stable."""
    marrows = _marrows(case)
    before = next((each for each in marrows if each.taken_on < marrows[0].taken_on), None)
    most = case.request.protocol.criteria.blasts_increase_max_percent
    return before is not None and _rose(marrows[0], before, most)


def toxicity_recovered(case: Case) -> Iterator[Said]:
    most = case.request.protocol.criteria.toxicity_max_grade
    answers = case.answers
    grade = None if answers is None else answers.toxicity_grade
    if grade is None:
        yield stop_unless_decided(f"The grade of related non-hematologic toxicity is not known. {_ANSWER}")
        return
    baseline = _baseline_grade(case)
    compared = (
        Named("grade now", str(grade)),
        Named("baseline", "not known" if baseline is None else str(baseline)),
        Named("most", f"grade {most}"),
    )
    if grade <= most or (baseline is not None and grade <= baseline):
        return
    at_baseline = "" if baseline is not None else " (its grade before treatment is not known)"
    yield stop_unless_decided(
        f"Related non-hematologic toxicity is grade {grade}; it must have recovered to grade {most} or baseline"
        f"{at_baseline}. {_OR_DECIDE}",
        *compared,
    )


def _baseline_grade(case: Case) -> int | None:
    """The grade before treatment, as answered now or for day 1 of the course; of two that differ the lower one."""
    request = case.request
    first = of_place(request.criteria, request.course, 1, 1)
    known = (each.toxicity_baseline_grade for each in (case.answers, first) if each is not None)
    return min((grade for grade in known if grade is not None), default=None)


# --- chemistry -------------------------------------------------------------------------------------------------

_CHEMISTRY = ("bilirubin", "ast", "alt", "alkaline_phosphatase", "creatinine_clearance")
_SAY = {
    "bilirubin": "bilirubin",
    "ast": "AST",
    "alt": "ALT",
    "alkaline_phosphatase": "alkaline phosphatase",
    "creatinine_clearance": "creatinine clearance",
}


def chemistry(case: Case, name: str) -> Lab | None:
    """A chemistry value as far as the protocol lets it count for this dose, or ``None`` (RULES R27).

    In cycle 1 one chemistry before the drug serves all its doses; later each infusion needs its own, taken after the
    infusion before it.
    """
    found = _entered(case, name)
    if found is None or found.taken_on > case.request.planned_on:
        return None
    return None if _too_old(case, found) else found


def _entered(case: Case, name: str) -> Lab | None:
    request = case.request
    answers: list[Criteria | None] = [case.answers]
    if request.cycle == 1 and request.day > 1:
        answers.append(of_place(request.criteria, request.course, 1, 1))
    values = (getattr(each, name) for each in answers if each is not None)
    return next((value for value in values if value is not None), None)


def _too_old(case: Case, lab: Lab) -> bool:
    request = case.request
    if request.cycle == 1:
        day1 = request.planned_on if request.day == 1 else case.day1_on
        most = timedelta(days=request.protocol.evaluations.screening_days)
        return day1 is not None and lab.taken_on < day1 - most
    last = case.last_given
    return last is not None and lab.taken_on <= last.given_on


def bilirubin_low(case: Case) -> Iterator[Said]:
    limits = case.request.protocol.criteria
    lab = chemistry(case, "bilirubin")
    if lab is None or lab.upper_limit is None:
        what = "Bilirubin" if lab is None else "The upper limit of normal of bilirubin"
        yield stop_unless_decided(f"{what} is not known for this dose. {_ANSWER}")
        return
    answers = case.answers
    tumor = answers is not None and bool(answers.due_to_tumor)
    times = limits.bilirubin_tumor_max_uln if tumor else limits.bilirubin_max_uln
    if not _over(lab, times):
        return
    why = " (the limit where a tumor is the cause)" if tumor else ""
    gilbert = (
        " Gilbert syndrome excuses it at entry, not on the treatment day: the investigator's note is needed."
        if answers is not None and answers.gilbert
        else ""
    )
    yield stop_unless_decided(
        f"Bilirubin is {_said(lab)}, over {show(times)} × the upper limit of normal "
        f"({show(lab.upper_limit)}){why}.{gilbert} {_OR_DECIDE}",
        *_against(lab, "bilirubin", times),
    )


def transaminases_low(case: Case) -> Iterator[Said]:
    most = case.request.protocol.criteria.transaminase_max_uln
    labs = {name: chemistry(case, name) for name in ("ast", "alt")}
    known = {name: lab for name, lab in labs.items() if lab is not None and lab.upper_limit is not None}
    for name, lab in labs.items():
        if lab is not None and lab.upper_limit is None:
            yield stop_unless_decided(f"The upper limit of normal of {_SAY[name]} is not known. {_ANSWER}")
    if not known:
        if not any(labs.values()):
            yield stop_unless_decided(f"Neither AST nor ALT is known for this dose. {_ANSWER}")
        return
    high = {name: lab for name, lab in known.items() if _over(lab, most)}
    answers = case.answers
    isolated = set(high) == {"ast"} and "alt" in known and answers is not None and bool(answers.not_hepatobiliary)
    for name, lab in high.items():
        if isolated:
            yield info(
                f"AST alone is {_said(lab)}, over {show(most)} × its upper limit, and is said not to "
                "come from liver or bile ducts: that need not delay the dose.",
                *_against(lab, "AST", most),
            )
        else:
            yield stop_unless_decided(
                f"{_SAY[name]} is {_said(lab)}, over {show(most)} × the upper limit of normal "
                f"({show(lab.upper_limit or Decimal(0))}). {_OR_DECIDE}",
                *_against(lab, _SAY[name], most),
            )


def _over(lab: Lab, times: Decimal) -> bool:
    """Whether a value is over so many times its upper limit of normal; one without a limit is."""
    with localcontext(WORKING):
        return lab.upper_limit is None or lab.value > times * lab.upper_limit


def _said(lab: Lab) -> str:
    """A value with its unit, where one is stated."""
    return f"{show(lab.value)} {lab.unit}".rstrip()


def _against(lab: Lab, name: str, times: Decimal) -> tuple[Named, ...]:
    return (
        Named(name, show(lab.value), lab.unit),
        Named("upper limit of normal", show(lab.upper_limit or Decimal(0)), lab.unit),
        Named("most", f"{show(times)} × upper limit"),
        Named("taken on", lab.taken_on.isoformat()),
    )


def kidneys_work(case: Case) -> Iterator[Said]:
    least = case.request.protocol.criteria.creatinine_clearance_min_ml_per_min
    lab = chemistry(case, "creatinine_clearance")
    if lab is None:
        yield stop_unless_decided(f"Creatinine clearance is not known for this dose. {_ANSWER}")
    elif lab.value < least:
        yield stop_unless_decided(
            f"Creatinine clearance is {show(lab.value)} mL/min, under {show(least)}. {_OR_DECIDE}",
            Named("creatinine clearance", show(lab.value), "mL/min"),
            Named("least", show(least), "mL/min"),
        )


def results_fresh(case: Case) -> Iterator[Said]:
    request = case.request
    if case.outdated and case.answered is not None:
        on = say_day(case.answered.assessed_on)
        yield warn(
            f"The criteria of this dose were answered on {on}, too long before its day to count: not after the last "
            "infusion, or earlier than screening allows. Answer them again on the day of treatment.",
            Named("answered on", case.answered.assessed_on.isoformat()),
        )
    days = request.protocol.evaluations.blood_count_days
    if case.answers is not None and (request.planned_on - case.answers.assessed_on).days > days:
        yield warn(
            f"The criteria were answered on {say_day(case.answers.assessed_on)}, more than {days} days before the "
            "dose; they are asked for on the day of treatment. Answer them again, or give the reason.",
            Named("answered on", case.answers.assessed_on.isoformat()),
        )
    old = [_SAY[name] for name in _CHEMISTRY if _is_old(case, name)]
    if old:
        after = "was taken before the last infusion" if request.cycle > 1 else "is older than screening allows"
        yield warn(
            f"What is entered for {', '.join(old)} {after}, so it does not count for this dose. Enter a new result."
        )
    carried = [
        _SAY[name]
        for name in _CHEMISTRY
        if chemistry(case, name) is not None and (case.answers is None or getattr(case.answers, name) is None)
    ]
    if carried:
        yield info(f"Carried over from day 1, as cycle 1 asks for one chemistry: {', '.join(carried)}.")
    if not case.starts_cycle:
        return
    most = request.protocol.evaluations.blood_count_days
    answers = case.answers
    counts = [] if answers is None else [lab for lab in (answers.anc, answers.platelets) if lab is not None]
    stale = [lab for lab in counts if (request.planned_on - lab.taken_on).days > most]
    if stale:
        yield warn(
            f"The blood count of {say_day(stale[0].taken_on)} is more than {most} days old; blood is counted weekly in "
            "cycles 1 to 6. Enter a newer one, or give the reason.",
            Named("taken on", stale[0].taken_on.isoformat()),
        )
    missing = [name for name, value in zip(("ANC", "platelet count"), counts_now(case), strict=True) if value is None]
    if answers is not None and missing:
        yield warn(
            f"No {' and no '.join(missing)} is known for this cycle start. Blood is counted weekly in cycles 1 to 6. "
            "Enter it, or give the reason."
        )


def _is_old(case: Case, name: str) -> bool:
    found = _entered(case, name)
    return found is not None and found.taken_on <= case.request.planned_on and _too_old(case, found)


# --- blood counts ----------------------------------------------------------------------------------------------


def counts_of_day1(case: Case, cycle: int) -> tuple[Decimal | None, Decimal | None]:
    """ANC and platelets (10⁹/L) before a cycle of this course; one taken after its day 1 is no value from before."""
    request = case.request
    day1 = given(request.history, request.course, cycle, 1)
    return _counts(of_place(request.criteria, request.course, cycle, 1), day1[0].given_on if day1 else None)


def counts_now(case: Case) -> tuple[Decimal | None, Decimal | None]:
    """ANC and platelets (10⁹/L) for this dose; one dated after it is not known yet."""
    return _counts(case.answers, case.request.planned_on)


def _counts(criteria: Criteria | None, by: date | None) -> tuple[Decimal | None, Decimal | None]:
    labs = (None, None) if criteria is None else (criteria.anc, criteria.platelets)
    anc, platelets = (lab if lab is not None and (by is None or lab.taken_on <= by) else None for lab in labs)
    return None if anc is None else anc.value, None if platelets is None else platelets.value


def _counts_judged(case: Case) -> bool:
    return case.starts_cycle and case.request.cycle > 1


def counts_recovered(case: Case) -> Iterator[Said]:
    if not _counts_judged(case):
        return
    limits = case.request.protocol.criteria
    for name, before, now, least in zip(
        ("ANC", "platelets"),
        counts_of_day1(case, 1),
        counts_now(case),
        (limits.anc_min_10e9_per_l, limits.platelets_min_10e9_per_l),
        strict=True,
    ):
        if before is None:
            yield stop_unless_decided(
                f"The pre-treatment value of {name} is not known (criteria of cycle 1 day 1), so it is not known which "
                f"limit applies. {_ANSWER}"
            )
        elif before >= least and now is None:
            yield stop_unless_decided(f"The value of {name} is not known for this cycle start. {_ANSWER}")
        elif before >= least and now is not None and now < least:
            yield stop_unless_decided(
                f"{name} at {show(now)} × 10⁹/L, under {show(least)}; before treatment it was {show(before)}. "
                f"{_OR_DECIDE}",
                Named(f"{name} now", show(now), "10⁹/L"),
                Named("before treatment", show(before), "10⁹/L"),
                Named("least", show(least), "10⁹/L"),
            )


def counts_low_before(case: Case) -> Iterator[Said]:
    request = case.request
    limits = request.protocol.criteria
    pre_anc, pre_platelets = counts_of_day1(case, 1)
    low_before = (pre_anc is not None and pre_anc < limits.anc_min_10e9_per_l) or (
        pre_platelets is not None and pre_platelets < limits.platelets_min_10e9_per_l
    )
    if not _counts_judged(case) or not low_before:
        return
    anc, platelets = counts_now(case)
    base_anc, base_platelets = counts_of_day1(case, request.cycle - 1)
    back_to_baseline = _both(_at_least(anc, base_anc), _at_least(platelets, base_platelets))
    over_limits = _both(
        _at_least(anc, limits.anc_min_10e9_per_l), _at_least(platelets, limits.platelets_min_10e9_per_l)
    )
    from_disease = None if case.answers is None else case.answers.counts_low_from_disease
    if _marrow_is_worse(case):
        from_disease = False
    ways = (back_to_baseline, over_limits, from_disease)
    if any(way is True for way in ways):
        return
    compared = (
        Named("ANC now", _or_unknown(anc), "10⁹/L"),
        Named("platelets now", _or_unknown(platelets), "10⁹/L"),
        Named("ANC before the last cycle", _or_unknown(base_anc), "10⁹/L"),
        Named("platelets before the last cycle", _or_unknown(base_platelets), "10⁹/L"),
    )
    what = "are not known to be met" if any(way is None for way in ways) else "are not met"
    yield stop_unless_decided(
        f"Counts were low before treatment, and the ways to go on {what}: both back to their values before the last "
        f"cycle; or ANC {show(limits.anc_min_10e9_per_l)} and platelets {show(limits.platelets_min_10e9_per_l)} or "
        f"more; or marrow stable or better and counts low from disease. {_OR_DECIDE}",
        *compared,
    )


def _at_least(value: Decimal | None, least: Decimal | None) -> bool | None:
    return None if value is None or least is None else value >= least


def _both(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _or_unknown(value: Decimal | None) -> str:
    return "not known" if value is None else show(value)


def counts_never_delay_within(case: Case) -> Iterator[Said]:
    limits = case.request.protocol.criteria
    anc, platelets = counts_now(case)
    low = (anc is not None and anc < limits.anc_min_10e9_per_l) or (
        platelets is not None and platelets < limits.platelets_min_10e9_per_l
    )
    if case.request.day > 1 and low:
        yield info(
            f"Low blood counts do not delay day {case.request.day}: within a cycle only non-hematologic toxicity does."
        )


def platelets_transfused(case: Case) -> Iterator[Said]:
    answers = case.answers
    if case.starts_cycle and answers is not None and answers.platelets_transfused:
        yield info(
            "Platelets were transfused shortly before the count. The protocol is silent on that; tell the investigator."
        )
