"""Three comparisons of doses, each naming its two numbers (RULES A4): a wrong order, a wrong preparation and a
wrong administration are different things, and only the last is the reportable dosing medication error.

All three flag at the protocol's limit or more, judged by multiplication on unrounded numbers (RULES R16, A2).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from pharmacy_app.domain.findings import Finding, Named, Override, Severity
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.units import percent_change, reaches, show, show_mg, show_percent


@dataclass(frozen=True, slots=True)
class DoseComparison:
    """One dose (mg) against the dose it is judged by (mg).

    ``percent`` is the signed, unrounded difference for showing (``None`` when the base is 0);
    ``at_or_over_limit`` is the judgement; ``finding`` what is to be said of it, if anything.
    """

    name: str
    mg: Decimal
    base_name: str
    base_mg: Decimal
    percent: Decimal | None
    limit_percent: Decimal
    at_or_over_limit: bool
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class _Kind:
    rule: str
    severity: Severity
    name: str
    base_name: str
    next_step: str


_PRESCRIBED = _Kind(
    "R18",
    Severity.OVERRIDABLE,
    "prescribed",
    "planned",
    "Ask the prescriber to correct the order, or record the prescriber's written decision to go on.",
)
_PREPARED = _Kind(
    "R19",
    Severity.STOP,
    "prepared",
    "prescribed",
    "This preparation must not leave the pharmacy. Discard it, record why, and prepare the dose again.",
)
_ADMINISTERED = _Kind(
    "R17",
    Severity.WARN,
    "administered",
    "prescribed",
    "This is a reportable dosing medication error: its report is opened now. If the infusion was stopped for a "
    "reaction, say so in the report.",
)


def compare_prescribed(
    prescribed_mg: Decimal,
    planned_mg_unrounded: Decimal,
    protocol: Protocol,
    overrides: tuple[Override, ...] = (),
) -> DoseComparison:
    """Judge the prescribed mg by the unrounded planned mg (R18): at the limit or more it stops, unless overridden."""
    compared = _compare(_PRESCRIBED, prescribed_mg, planned_mg_unrounded, protocol)
    if compared.finding is None:
        return compared
    return replace(compared, finding=with_override(compared.finding, overrides))


def compare_prepared(prepared_mg: Decimal, prescribed_mg: Decimal, protocol: Protocol) -> DoseComparison:
    """Judge the prepared mg by the prescribed mg (R19): at the limit or more it must not leave the pharmacy."""
    return _compare(_PREPARED, prepared_mg, prescribed_mg, protocol)


def compare_administered(administered_mg: Decimal, prescribed_mg: Decimal, protocol: Protocol) -> DoseComparison:
    """Judge the administered mg by the prescribed mg (R17): at the limit or more it is a reportable error."""
    return _compare(_ADMINISTERED, administered_mg, prescribed_mg, protocol)


def with_override(finding: Finding, overrides: Iterable[Override]) -> Finding:
    """Return an overridable stop with the written decision for its rule, or ``finding`` as it is."""
    if finding.severity is not Severity.OVERRIDABLE:
        return finding
    match = next((override for override in overrides if override.rule == finding.rule), None)
    return finding if match is None else replace(finding, override=match)


def _compare(kind: _Kind, mg: Decimal, base_mg: Decimal, protocol: Protocol) -> DoseComparison:
    limit = protocol.dose_difference.from_percent
    percent = percent_change(mg, base_mg)
    # A base of 0 (or less) allows no percentage, so nothing but a stop is safe.
    unusable_base = base_mg <= 0
    over = unusable_base or reaches(mg, base_mg, limit)
    finding: Finding | None = None
    if over:
        unusable = unusable_base or mg < 0 or (mg == 0 and kind is _PRESCRIBED)
        if unusable_base:
            sentence = (
                f"The {kind.base_name} dose is {show_mg(base_mg)}, so the {kind.name} {show_mg(mg)} cannot be "
                f"judged by it. Correct the {kind.base_name} dose."
            )
        else:
            sentence = (
                f"The {kind.name} dose of {show_mg(mg)} differs from the {kind.base_name} {show_mg(base_mg)} by "
                f"{'' if percent is None else show_percent(percent)}, which is {show(limit)} % or more. "
                f"{kind.next_step}"
            )
        finding = Finding(
            rule=kind.rule,
            severity=Severity.STOP if unusable else kind.severity,
            sentence=sentence,
            section=protocol.dose_difference.section,
            compared=(
                Named(f"{kind.name} dose", show(mg), "mg"),
                Named(f"{kind.base_name} dose", show(base_mg), "mg"),
            ),
        )
    return DoseComparison(
        name=kind.name,
        mg=mg,
        base_name=kind.base_name,
        base_mg=base_mg,
        percent=percent,
        limit_percent=limit,
        at_or_over_limit=over,
        finding=finding,
    )
