"""Weight: measured shortly before day 1, compared with the weight last used, recalculated when over the limit.

The limit is strict: exactly 10 % is not over. It is on the body weight, compared by multiplication on unrounded
numbers, never on the body surface area and never with a weight that no dose was calculated from (RULES A3, R16).
"""

from collections.abc import Iterator
from decimal import Decimal

from pharmacy_app.domain.bsa import bsa_m2
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.findings import Named
from pharmacy_app.domain.request import Weight
from pharmacy_app.domain.rules.case import Case, Said, info, stop, warn
from pharmacy_app.domain.units import exceeds, percent_change, show, show_kg, show_percent


def weighed_before_day1(case: Case) -> Iterator[Said]:
    request = case.request
    if request.day != 1:
        return
    weight = request.current_weight
    most = request.protocol.weight.max_age_days
    if weight is None:
        yield stop(
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
        yield stop(
            f"The newest weight was taken on {say_day(weight.measured_on)}, {age_days} days before day 1; at most "
            f"{most} days are allowed. Weigh the subject again.",
            *compared,
        )
    elif age_days < 0:
        yield stop(
            f"The weight is dated {say_day(weight.measured_on)}, after the planned day 1, "
            f"{say_day(request.planned_on)}. "
            "Correct one of the dates.",
            *compared,
        )


def weighed_same_day(case: Case) -> Iterator[Said]:
    request = case.request
    weight = request.current_weight
    if request.day == 1 and weight is not None and weight.measured_on == request.planned_on:
        yield info("The weight was taken on day 1 itself; that counts if it was before the infusion.")


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


def recalculated_when_over(case: Case) -> Iterator[Said]:
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
        yield info(f"{said}; the dose is recalculated from {show_kg(new.kg)}.", *compared)
    else:
        yield stop(
            f"{said}. The dose must be recalculated from the newest weight, {show_kg(new.kg)}, not from "
            f"{show_kg(request.dosing_weight.kg)}.",
            *compared,
        )


def which_weight(case: Case) -> Iterator[Said]:
    request = case.request
    used, new, prior = request.dosing_weight, request.current_weight, request.prior_weight_used
    if used is None or new is None:
        return
    if used.measured_on > request.planned_on:
        yield stop(
            f"The weight to dose by is dated {say_day(used.measured_on)}, after the planned date "
            f"{say_day(request.planned_on)}. "
            "Choose a weight taken before the infusion."
        )
        return
    is_new = used.kg == new.kg
    is_prior = prior is not None and used.kg == prior.kg
    if not is_new and not is_prior:
        other = "" if prior is None else f" nor the weight last used, {show_kg(prior.kg)}"
        yield stop(
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
    yield info(
        f"The weight changed by {show_percent(change)}, not more than {limit} %, so recalculating is "
        f"institutional practice. Used here: {chosen}, {show_kg(used.kg)}.",
        *compared,
    )


def weight_not_bsa(case: Case) -> Iterator[Said]:
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
        yield info(
            f"The limit is on the weight ({show_percent(found[1])}), not on the body surface area, which changed "
            f"by {show_percent(change)} only.",
            Named("area at weight last used", show(before, 4), "m²"),
            Named("area now", show(after, 4), "m²"),
        )


def weight_within_cycle(case: Case) -> Iterator[Said]:
    request = case.request
    found = _weight_change(case)
    if request.day <= 1 or found is None or not found[2]:
        return
    new, change, _, compared = found
    said = f"The newest weight differs from the weight last used by {show_percent(change)}"
    if request.dosing_weight is not None and request.dosing_weight.kg == new.kg:
        yield info(f"{said}; this dose is recalculated from it.", *compared)
    else:
        yield warn(
            f"{said}. The protocol asks for recalculation at day 1 only; decide by institutional practice whether "
            "this dose is recalculated, and give the reason.",
            *compared,
        )
