"""The rules of a dose decision: one pure function each, judged in the order of one visible catalogue.

A rule reads one ``Case`` (the request and the numbers made from it) and says what it has to say; its id, section,
texts and place in the order stand in ``catalogue.toml``. R and A numbers are those of the rules reading; I, O and OV
are the checks of input, order of doses and written decisions that the regimen itself implies.
"""

from pharmacy_app.domain.comparisons import with_override
from pharmacy_app.domain.findings import Finding, Severity
from pharmacy_app.domain.rules import criteria, dates, dose, levels, order, subject, weight
from pharmacy_app.domain.rules.case import Case, Check, Said
from pharmacy_app.domain.rules.catalogue import CATALOGUE, RULES, STRENGTHS, Judged, Rule
from pharmacy_app.domain.rules.explain import Explained, explained, near_rules
from pharmacy_app.domain.rules.overrides import overrides_checked
from pharmacy_app.domain.rules.places import filled, unknown_places

__all__ = [
    "CATALOGUE",
    "CHECKS",
    "NUMBERED",
    "RULES",
    "Case",
    "Explained",
    "Judged",
    "Rule",
    "Said",
    "check_catalogue",
    "explained",
    "filled",
    "judge",
    "near_rules",
]

NUMBERED = (*(f"R{number}" for number in range(1, 61)), *(f"A{number}" for number in range(1, 44)))
"""Every rule and reading of the rules reading, by its number."""

CHECKS: dict[str, Check] = {
    "I1": order.input_known,
    "R5": order.cycle_exists,
    "R2": order.day_of_first_cycle,
    "R3": order.day_of_later_cycle,
    "A5": order.no_level_in_first_cycle,
    "R4": order.level_exists,
    "O1": order.not_given_before,
    "O2": order.in_order_of_regimen,
    "O3": order.day1_given,
    "O4": order.dates_in_order,
    "R32": subject.liver_toxicity,
    "R33": subject.off_treatment,
    "R1": subject.old_enough,
    "A28": subject.minor,
    "R26": subject.screened,
    "R6": subject.retreatment,
    "A16": subject.response_near_edge,
    "A22": subject.retreatment_ordered,
    "R7": subject.no_response,
    "A15": subject.partial_response,
    "R12": subject.transplant_near,
    "R43": levels.level_changes_between_cycles,
    "R47": levels.not_raised_after_toxicity,
    "R48": levels.reductions_counted,
    "A10": levels.reduced_early,
    "A11": levels.raised_again,
    "A13": levels.two_steps_at_once,
    "R44": levels.remission_step,
    "R45": levels.reduction_after_interruption,
    "R46": levels.platelets_not_recovered,
    "R49": levels.worst_toxicity,
    "A36": levels.omission_is_no_reduction,
    "R34": criteria.no_progression,
    "R35": criteria.blasts_stable,
    "R36": criteria.toxicity_recovered,
    "R37": criteria.bilirubin_low,
    "R38": criteria.transaminases_low,
    "R39": criteria.kidneys_work,
    "R40": criteria.counts_recovered,
    "R41": criteria.counts_low_before,
    "R42": criteria.counts_never_delay_within,
    "R27": criteria.results_fresh,
    "A42": criteria.platelets_transfused,
    "R29": dates.long_delay,
    "R30": dates.beyond_the_cycles_middle,
    "R31": dates.next_cycle_delayed,
    "A34": dates.cause_of_delay,
    "R28": dates.short_delay,
    "A9": dates.delay_without_plan,
    "R20": dates.in_window,
    "A7": dates.planned_against_cycle_window,
    "R22": dates.second_cycle_without_disease,
    "R23": dates.second_cycle_with_disease,
    "R24": dates.persistent_disease,
    "A6": dates.start_before_cycle_ends,
    "R25": dates.cycle_length,
    "A25": dates.days_between_doses,
    "R21": dates.marrow_taken,
    "R13": weight.weighed_before_day1,
    "A39": weight.weighed_same_day,
    "R14": weight.recalculated_when_over,
    "R15": weight.which_weight,
    "R16": weight.weight_not_bsa,
    "A26": weight.weight_within_cycle,
    "R8": dose.formula_kept,
    "A1": dose.area_plausible,
    "A2": dose.rounded_once,
    "R18": dose.prescribed_as_planned,
}
"""The function of each rule that speaks at a dose decision."""

_OVERRIDES = "OV"


def check_catalogue(catalogue: tuple[Rule, ...] = CATALOGUE, checks: dict[str, Check] = CHECKS) -> None:
    """Raise ``ValueError`` when catalogue and functions do not cover each other, or an entry is double or incomplete.

    Places are looked for in the model of the protocol alone: no file is read here.
    """
    ids = [rule.id for rule in catalogue]
    judged = {rule.id for rule in catalogue if rule.judged is Judged.DECISION} - {_OVERRIDES}
    carriers = {rule.id for rule in catalogue if rule.judged is not Judged.READING}
    faults = {
        "rules named twice": sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1}),
        "missing": sorted(set(NUMBERED) - set(ids)),
        "without function or entry": sorted(judged ^ checks.keys()),
        "incomplete": [rule.id for rule in catalogue if not _complete(rule)],
        "of unknown strength": [rule.id for rule in catalogue if not set(rule.strengths) <= set(STRENGTHS)],
        "readings carried by no rule": [rule.id for rule in catalogue if not _carried(rule, carriers)],
        "with a place no protocol has": [
            f"{rule.id} {place}"
            for rule in catalogue
            for place in unknown_places(" ".join((rule.rule, rule.boundary, rule.reading, rule.next)))
        ],
    }
    if any(faults.values()):
        raise ValueError("; ".join(f"{what}: {', '.join(where)}" for what, where in faults.items() if where))


def _complete(rule: Rule) -> bool:
    told = (rule.id, rule.section, rule.title, rule.strength, rule.rule, rule.boundary, rule.next)
    return all(each.strip() for each in told)


def _carried(rule: Rule, carriers: set[str]) -> bool:
    """A reading says how it is read and which rule applies it; nothing else is applied elsewhere."""
    if rule.judged is Judged.READING:
        return bool(rule.reading) and rule.applied_in in carriers
    return not rule.applied_in


check_catalogue()

_ORDER = tuple((rule, CHECKS[rule.id]) for rule in CATALOGUE if rule.id in CHECKS)


def judge(case: Case) -> tuple[Finding, ...]:
    """Return the findings of all rules in catalogue order, overrides applied where they may be."""
    findings = [
        Finding(rule.id, said.severity, said.sentence, rule.section, said.compared)
        for rule, check in _ORDER
        for said in check(case)
    ]
    overrides = case.request.overrides
    if not overrides:
        return tuple(findings)
    overridable = {finding.rule for finding in findings if finding.severity is Severity.OVERRIDABLE}
    refused = [
        Finding(_OVERRIDES, said.severity, said.sentence, RULES[_OVERRIDES].section, said.compared)
        for said in overrides_checked(case.request, overridable)
    ]
    return (*(with_override(finding, overrides) for finding in findings), *refused)
