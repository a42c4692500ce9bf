"""How much of the tolerance of a dose is spent before anything is mixed (protocol § 8.1.3; RULES A2, A4, R17-R19).

The parts are signed percents of the prescribed dose, unrounded: minus is less drug for the subject, plus is more.
Gains and losses are summed apart and never set against one another, because an order that is high does not mend an
infusion that is low: by § 8.1.3 the administered dose is judged by the prescribed one. What is not known is said
to be unknown and never counted as 0. The dose given in the end is judged by R17 and R19, not here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum

from pharmacy_app.domain.bsa import bsa_by_all
from pharmacy_app.domain.findings import Finding, Named, Severity
from pharmacy_app.domain.planning import Plan, look_alike
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.settings import BsaFormula, StudySettings
from pharmacy_app.domain.units import (
    KEPT,
    READABLE_ML,
    WORKING,
    show,
    show_ml,
    show_percent,
)


class PartKind(StrEnum):
    """What spends of the tolerance, or is shown beside it; the value is how it is called on screen and paper."""

    AREA = "rounding of the BSA"
    ROUNDING = "rounding of the dose"
    ORDER = "order against calculation"
    VOLUME = "volumes on the syringe"
    READING = "reading of the syringe"
    RESIDUE = "left in bag and line"
    FORMULA = "another BSA formula"


@dataclass(frozen=True, slots=True)
class BudgetFacts:
    """The calculated and ordered dose: mg, mg/m², and what the body surface area was worked out from (cm, kg)."""

    prescribed_mg: Decimal
    planned_mg_unrounded: Decimal
    planned_mg: Decimal
    dose_mg_per_m2: Decimal
    bsa_formula: BsaFormula
    height_cm: Decimal
    weight_kg: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the budget: its two numbers (``unit``), and what they come to in percent of the prescribed dose.

    ``percent`` is signed and unrounded, or ``None`` where the part is not known. ``either_way`` is true where the
    part may go up or down by as much; ``counted`` is false where it is shown for information, or where another part
    holds it already. ``formula`` says in words how it comes about.
    """

    kind: PartKind
    before_name: str
    before: Decimal | None
    after_name: str
    after: Decimal | None
    unit: str
    percent: Decimal | None
    either_way: bool
    counted: bool
    formula: str
    section: str


@dataclass(frozen=True, slots=True)
class DrawRead:
    """One draw of the plan and the volume a syringe shows for it (mL), with the change that this makes (mg)."""

    unit_number: str
    draw_ml: Decimal
    read_ml: Decimal
    change_mg: Decimal


@dataclass(frozen=True, slots=True)
class Budget:
    """The tolerance of one dose: its parts, what they add up to at worst, and what is left; percents unrounded.

    ``spent_percent`` is the larger of ``above_percent`` (all that may make the dose larger) and ``below_percent``
    (all that may make it smaller); ``left_percent`` is negative when more than all is spent. ``working`` shows the
    sum. ``formula`` is the widest difference of another formula, for information. ``unknown`` names what is not
    known and so not in the sum. ``error_expected`` is true when what stands between the prescribed and the given
    dose alone reaches the limit.
    """

    parts: tuple[Part, ...]
    formula: Part
    draws: tuple[DrawRead, ...]
    above_percent: Decimal
    below_percent: Decimal
    spent_percent: Decimal
    left_percent: Decimal
    limit_percent: Decimal
    error_expected: bool
    working: str
    unknown: tuple[str, ...]
    finding: Finding | None

    def part(self, kind: PartKind) -> Part:
        """The part of one kind; each kind is there once."""
        return next(part for part in (*self.parts, self.formula) if part.kind is kind)


def tolerance_budget(facts: BudgetFacts, plan: Plan, settings: StudySettings, protocol: Protocol) -> Budget:
    """Return the budget of a dose made up by ``plan`` with ``settings``, those the plan was made with.

    The finding T1 warns from ``budget_warn_percent`` on, inclusive, judged on unrounded numbers. Raises
    ``ValueError`` when the prescribed dose is not more than 0.
    """
    if facts.prescribed_mg <= 0:
        raise ValueError("a tolerance is a part of a prescribed dose, which is more than 0")
    limit = protocol.dose_difference.from_percent
    with localcontext(WORKING):
        draws = tuple(_read(plan, settings))
        half_ml = READABLE_ML / 2
        reading_mg = sum((half_ml * _mg_per_ml(settings, draw.strength_mg) for draw in plan.draws), Decimal(0))
        volume_mg = sum((draw.change_mg for draw in draws), Decimal(0))
        residue_mg = _residue_mg(facts.prescribed_mg, settings)
        order_mg = facts.prescribed_mg - facts.planned_mg_unrounded
        # What comes after the order: only this stands between the prescribed and the given dose.
        after_order = (volume_mg, Decimal(0) if residue_mg is None else -residue_mg)
        above_mg = reading_mg + _more(order_mg, *after_order)
        below_mg = reading_mg + _less(order_mg, *after_order)
        spent_mg = max(above_mg, below_mg)
        given_mg = reading_mg + max(_more(*after_order), _less(*after_order))
        error_expected = 100 * given_mg >= limit * facts.prescribed_mg
        warned = 100 * spent_mg >= protocol.dose_difference.budget_warn_percent * facts.prescribed_mg
        over = 100 * spent_mg >= limit * facts.prescribed_mg
    parts = tuple(_parts(facts, plan, settings, protocol, volume_mg, reading_mg, residue_mg))
    spent = _percent(spent_mg, facts)
    budget = Budget(
        parts=parts,
        formula=_widest(facts, protocol),
        draws=draws,
        above_percent=_percent(above_mg, facts),
        below_percent=_percent(below_mg, facts),
        spent_percent=spent,
        left_percent=KEPT.subtract(limit, spent),
        limit_percent=limit,
        error_expected=error_expected,
        working=_working(parts, below=below_mg >= above_mg, spent_percent=spent),
        unknown=tuple(part.kind.value for part in parts if part.percent is None),
        finding=None,
    )
    return replace(budget, finding=_finding(budget, facts, protocol, over=over)) if warned else budget


def judged(plan: Plan, facts: BudgetFacts, settings: StudySettings, protocol: Protocol) -> tuple[Plan, Budget]:
    """Return the plan with what is said of its tolerance (T1) and of the look-alike (A33), and its budget."""
    budget = tolerance_budget(facts, plan, settings, protocol)
    more = (look_alike(protocol),) if budget.finding is None else (budget.finding, look_alike(protocol))
    return replace(plan, findings=(*plan.findings, *more)), budget


def _more(*changes_mg: Decimal) -> Decimal:
    return sum((mg for mg in changes_mg if mg > 0), Decimal(0))


def _less(*changes_mg: Decimal) -> Decimal:
    return -sum((mg for mg in changes_mg if mg < 0), Decimal(0))


def _mg_per_ml(settings: StudySettings, strength_mg: Decimal) -> Decimal:
    signed = settings.vial(strength_mg)
    if signed is None:
        raise ValueError(f"the {strength_mg} mg vial has no signed preparation, so nothing was drawn from it")
    return signed.value.concentration_mg_per_ml


def _read(plan: Plan, settings: StudySettings) -> Iterator[DrawRead]:
    for draw in plan.draws:
        read_ml = draw.draw_ml.quantize(READABLE_ML, rounding=ROUND_HALF_UP)
        change_mg = read_ml * _mg_per_ml(settings, draw.strength_mg) - draw.draw_mg
        yield DrawRead(draw.unit_number, draw.draw_ml, read_ml, change_mg)


def _residue_mg(prescribed_mg: Decimal, settings: StudySettings) -> Decimal | None:
    if settings.line_residue is None or settings.bag is None:
        return None
    return prescribed_mg * settings.line_residue.value.residue_ml / settings.bag.value.bag_volume_ml


def _percent(mg: Decimal, facts: BudgetFacts) -> Decimal:
    with localcontext(WORKING):
        percent = 100 * mg / facts.prescribed_mg
    return KEPT.plus(percent)


def _parts(
    facts: BudgetFacts,
    plan: Plan,
    settings: StudySettings,
    protocol: Protocol,
    volume_mg: Decimal,
    reading_mg: Decimal,
    residue_mg: Decimal | None,
) -> Iterator[Part]:
    section = protocol.dose_difference.section
    area = dict(bsa_by_all(height_cm=facts.height_cm, weight_kg=facts.weight_kg))[facts.bsa_formula]
    with localcontext(WORKING):
        rounding_mg = facts.planned_mg - facts.planned_mg_unrounded
        order_mg = facts.prescribed_mg - facts.planned_mg_unrounded
        drawn_mg = sum((draw.draw_mg for draw in plan.draws), Decimal(0))
        read_mg = drawn_mg + volume_mg
    yield Part(
        PartKind.AREA,
        "calculated",
        area,
        "used",
        area,
        "m²",
        Decimal(0),
        either_way=False,
        counted=True,
        formula="used unrounded, so nothing is spent",
        section=section,
    )
    yield Part(
        PartKind.ROUNDING,
        "unrounded",
        facts.planned_mg_unrounded,
        "rounded",
        facts.planned_mg,
        "mg",
        _percent(rounding_mg, facts),
        either_way=False,
        counted=False,
        formula="not added: the order holds it already",
        section=section,
    )
    yield Part(
        PartKind.ORDER,
        "unrounded",
        facts.planned_mg_unrounded,
        "prescribed",
        facts.prescribed_mg,
        "mg",
        _percent(order_mg, facts),
        either_way=False,
        counted=True,
        formula="(prescribed − unrounded) ÷ prescribed",
        section=section,
    )
    yield Part(
        PartKind.VOLUME,
        "drawn",
        drawn_mg,
        "read",
        read_mg,
        "mg",
        _percent(volume_mg, facts),
        either_way=False,
        counted=True,
        formula=f"each to {show_ml(READABLE_ML)} × mg/mL − its mg",
        section="8.1.2",
    )
    yield Part(
        PartKind.READING,
        "read",
        read_mg,
        "at most",
        KEPT.add(read_mg, reading_mg),
        "mg",
        _percent(reading_mg, facts),
        either_way=True,
        counted=True,
        formula=f"{show_ml(READABLE_ML / 2, None)} × mg/mL, a draw, all one way",
        section="8.1.2",
    )
    yield _residue_part(facts, settings, protocol, residue_mg)


def _residue_part(facts: BudgetFacts, settings: StudySettings, protocol: Protocol, residue_mg: Decimal | None) -> Part:
    signed, bag = settings.line_residue, settings.bag
    if residue_mg is None or signed is None or bag is None:
        missing = "the volume left in bag and line" if signed is None else "the bag volume"
        return Part(
            PartKind.RESIDUE,
            "in the bag",
            facts.prescribed_mg,
            "to the subject",
            None,
            "mg",
            None,
            either_way=False,
            counted=True,
            formula=f"not known: {missing} is not signed in the study settings",
            section=protocol.dose_difference.section,
        )
    with localcontext(WORKING):
        reaching_mg = facts.prescribed_mg - residue_mg
        lost_mg = -residue_mg
    return Part(
        PartKind.RESIDUE,
        "in the bag",
        facts.prescribed_mg,
        "to the subject",
        KEPT.plus(reaching_mg),
        "mg",
        _percent(lost_mg, facts),
        either_way=False,
        counted=True,
        formula=(
            f"{show_ml(signed.value.residue_ml, None)} left of {show_ml(bag.value.bag_volume_ml, None)} "
            f"[{signed.source}]"
        ),
        section=protocol.dose_difference.section,
    )


def _widest(facts: BudgetFacts, protocol: Protocol) -> Part:
    """The other formula whose dose lies farthest from the signed one's."""
    doses: dict[BsaFormula, Decimal] = {}
    with localcontext(WORKING):
        for formula, area in bsa_by_all(height_cm=facts.height_cm, weight_kg=facts.weight_kg):
            doses[formula] = facts.dose_mg_per_m2 * area
        own_mg = doses.pop(facts.bsa_formula)
        other = max(doses, key=lambda formula: abs(doses[formula] - own_mg))
        difference_mg = doses[other] - own_mg
    return Part(
        PartKind.FORMULA,
        f"by {facts.bsa_formula.value}",
        KEPT.plus(own_mg),
        f"by {other.value}",
        KEPT.plus(doses[other]),
        "mg",
        _percent(difference_mg, facts),
        either_way=False,
        counted=False,
        formula="differs most; for information only",
        section=protocol.bsa.section,
    )


def _working(parts: Sequence[Part], *, below: bool, spent_percent: Decimal) -> str:
    """The sum of the side on which more is spent, in words."""
    terms = []
    for part in parts:
        if not part.counted or not part.percent:
            continue
        if part.either_way or (part.percent < 0) is below:
            terms.append(f"{part.kind.value} {_plain(part.percent)}")
    if not terms:
        return "nothing is spent"
    return f"{' + '.join(terms)} = {_plain(spent_percent)} {'too little' if below else 'too much'}"


def _plain(percent: Decimal) -> str:
    return show_percent(abs(percent)).removeprefix("+")


def _finding(budget: Budget, facts: BudgetFacts, protocol: Protocol, *, over: bool) -> Finding:
    limit = show(budget.limit_percent)
    change = " ".join(_what_to_change(budget, facts))
    unknown = "".join(f" Not counted, because it is not known: {name}." for name in budget.unknown)
    if budget.error_expected:
        words = (
            f"What lies between the prescribed and the given dose comes to {limit} % or more: this preparation is "
            f"expected to be a medication error. {change}"
        )
    elif over:
        words = (
            f"That is {limit} % or more: the subject is expected to get a dose so far off the protocol's. Part of it "
            f"is the order, which § {protocol.dose_difference.section} does not count as a medication error. {change}"
        )
    else:
        words = (
            f"{_plain(budget.left_percent)} of the {limit} % are left for what happens at the hood and in the line. "
            f"{change}"
        )
    return Finding(
        "T1",
        Severity.WARN,
        f"Of the {limit} % by which a dose must not be off, {_plain(budget.spent_percent)} is spent before anything is "
        f"mixed: {budget.working}. {words} Going on as it is needs a reason on the record.{unknown}",
        protocol.dose_difference.section,
        (
            Named("spent", show(budget.spent_percent), "%"),
            Named("warned from", show(protocol.dose_difference.budget_warn_percent), "%"),
            Named("limit", show(budget.limit_percent), "%"),
        ),
    )


def _what_to_change(budget: Budget, facts: BudgetFacts) -> Iterator[str]:
    """What would spend less, the largest part first; what is less than a tenth of it all is passed over."""
    below = budget.below_percent >= budget.above_percent
    there = [
        (abs(part.percent), part.kind)
        for part in budget.parts
        if part.counted and part.percent and (part.either_way or (part.percent < 0) is below)
    ]
    for percent, kind in sorted(there, reverse=True):
        if percent * 10 < budget.spent_percent:
            continue
        if kind is PartKind.ORDER and facts.prescribed_mg == facts.planned_mg:
            yield "Round the dose more finely (study settings), or have it ordered as calculated."
        elif kind is PartKind.ORDER:
            yield "Ask the prescriber to correct the order."
        elif kind is PartKind.RESIDUE:
            yield "Flush the line, or take another bag volume, as the instructions allow."
        else:
            yield "Draw from fewer vials, or to a volume that a finer syringe shows."


def show_part(part: Part) -> str:
    """The part's percent for a person: signed, ``±`` where it may go either way, ``not known`` where it is not."""
    if part.percent is None:
        return "not known"
    return f"±{_plain(part.percent)}" if part.either_way else show_percent(part.percent)
