"""How far a subject's weight has moved from the weight last used for a dose (protocol § 8.1.3; RULES A3, R14-R16).

The base is the weight last used, never the one last measured: many small steps, none of them over the limit, add up,
and only the weight that the dose still rests on shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.request import UsedWeight, Weight
from pharmacy_app.domain.units import WORKING, exceeds, percent_change, show, show_kg, show_percent


@dataclass(frozen=True, slots=True)
class DriftPoint:
    """One measured weight (kg) against the weight last used for a dose before its day.

    ``change_percent`` is signed and unrounded; it and ``base_kg`` are ``None`` before the first dose. ``over`` is
    whether the change was strictly more than the limit.
    """

    measured_on: date
    kg: Decimal
    base_kg: Decimal | None
    change_percent: Decimal | None
    over: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """A subject's line of weight, and the weights (kg) beyond which recalculation becomes mandatory.

    ``points`` go from the oldest to the newest. ``newest_change_percent`` is the newest weight against the one last
    used as things stand; ``mandatory`` whether that is strictly more than the limit. Where no weight was measured or
    none was used for a dose yet, they are ``None``: unknown, not met. ``words`` says it as a sentence.
    """

    points: tuple[DriftPoint, ...]
    last_used_kg: Decimal | None
    last_used_on: date | None
    mandatory_below_kg: Decimal | None
    mandatory_above_kg: Decimal | None
    newest_change_percent: Decimal | None
    mandatory: bool | None
    limit_percent: Decimal
    words: str
    section: str


def drift_watch(measured: Sequence[Weight], used: Sequence[UsedWeight], protocol: Protocol) -> Drift:
    """Return the line of weight against the weights used for given doses, in any order of days.

    Of two entries of one day the later in the sequence counts as the newer. A weight measured on the day of a dose
    is compared with the dose before that one: whether it was the one used is for that dose to say.
    """
    limit = protocol.weight.change_over_percent
    line = sorted(measured, key=lambda weight: weight.measured_on)
    doses = sorted(used, key=lambda weight: weight.used_on)
    points = tuple(_point(weight, doses, limit) for weight in line)
    newest = line[-1] if line else None
    last = doses[-1] if doses else None
    below, above = (None, None) if last is None else _limits_kg(last.kg, limit)
    change = None if newest is None or last is None else percent_change(newest.kg, last.kg)
    mandatory = None if newest is None or last is None else exceeds(newest.kg, last.kg, limit)
    return Drift(
        points=points,
        last_used_kg=None if last is None else last.kg,
        last_used_on=None if last is None else last.used_on,
        mandatory_below_kg=below,
        mandatory_above_kg=above,
        newest_change_percent=change,
        mandatory=mandatory,
        limit_percent=limit,
        words=_words(newest, last, limit),
        section=protocol.weight.section,
    )


def _limits_kg(base_kg: Decimal, limit: Decimal) -> tuple[Decimal, Decimal]:
    with localcontext(WORKING):
        margin_kg = base_kg * limit / 100
        return base_kg - margin_kg, base_kg + margin_kg


def _point(weight: Weight, doses: Sequence[UsedWeight], limit: Decimal) -> DriftPoint:
    before = [dose for dose in doses if dose.used_on < weight.measured_on]
    if not before:
        return DriftPoint(weight.measured_on, weight.kg, None, None, over=False)
    base_kg = before[-1].kg
    return DriftPoint(
        weight.measured_on,
        weight.kg,
        base_kg,
        percent_change(weight.kg, base_kg),
        over=exceeds(weight.kg, base_kg, limit),
    )


def _words(newest: Weight | None, last: UsedWeight | None, limit: Decimal) -> str:
    if newest is None:
        return "No weight is recorded. Weigh the subject before the next dose is decided."
    if last is None:
        return (
            f"The newest weight is {show_kg(newest.kg, None)} ({say_day(newest.measured_on)}). No dose was given yet, "
            "so there is no weight used to compare it with."
        )
    change = percent_change(newest.kg, last.kg)
    assert change is not None  # a weight that a dose was worked out from is more than 0
    limits_kg = _limits_kg(last.kg, limit)
    low, high = (show_kg(kg, None) for kg in limits_kg)
    compared = (
        f"The newest weight, {show_kg(newest.kg, None)} ({say_day(newest.measured_on)}), is {show_percent(change)} "
        f"against {show_kg(last.kg, None)}, last used for the dose of {say_day(last.used_on)}."
    )
    if exceeds(newest.kg, last.kg, limit):
        return f"{compared} That is more than {show(limit)} %: the next dose must be calculated from the new weight."
    if newest.kg in limits_kg:
        return (
            f"{compared} That is {show(limit)} % exactly and not more: recalculation is not mandatory, but any change "
            "further makes it so."
        )
    return f"{compared} Recalculation becomes mandatory below {low} or above {high}."
