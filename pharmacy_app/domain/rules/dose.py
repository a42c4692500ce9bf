"""The calculated dose: one formula for a subject, a plausible area, one rounding, and the order against the plan."""

from collections.abc import Iterator

from pharmacy_app.domain.bsa import formulas_beside
from pharmacy_app.domain.findings import Named
from pharmacy_app.domain.rules.case import Case, Said, info, stop, warn
from pharmacy_app.domain.units import reaches, show, show_m2, show_mg, show_percent


def formula_kept(case: Case) -> Iterator[Said]:
    formula, before = case.request.settings.bsa_formula, case.request.formula_before
    if formula is not None and before is not None and formula.value is not before:
        yield warn(
            f"This subject's last dose was calculated by {before.value}, this one by {formula.value}. The formula "
            "stays the same for a subject; give the reason for the change.",
            Named("formula before", before.value),
            Named("formula now", formula.value),
        )


def area_plausible(case: Case) -> Iterator[Said]:
    if case.request.settings.bsa_formula is None:
        yield stop(
            "The formula for body surface area is not signed, so nothing was calculated. "
            "Sign it in the study settings with its source."
        )
    yield from _other_formulas(case)
    limits = case.request.protocol.bsa
    if case.bsa_m2 is not None and not limits.min_m2 <= case.bsa_m2 <= limits.max_m2:
        yield warn(
            f"A body surface area of {show_m2(case.bsa_m2)} is unusual (usual: {show(limits.min_m2)} to "
            f"{show(limits.max_m2)} m²). Check height and weight and their units (kg or lb, cm or in), then confirm "
            "with a reason.",
            Named("body surface area", show(case.bsa_m2, 6), "m²"),
        )


def _other_formulas(case: Case) -> Iterator[Said]:
    request = case.request
    formula, height, weight = request.settings.bsa_formula, request.height, request.dosing_weight
    if case.bsa_m2 is None:
        return
    # An area was calculated, so all that it is made of is known.
    assert formula is not None and height is not None and weight is not None and case.dose_mg_per_m2 is not None
    over = request.protocol.bsa.show_others_over_percent
    others = formulas_beside(
        formula.value,
        height_cm=height.cm,
        weight_kg=weight.kg,
        dose_mg_per_m2=case.dose_mg_per_m2,
        over_percent=over,
    )
    if others:
        told = ", ".join(
            f"{each.formula.value} {show_mg(each.dose_mg)} ({show_percent(each.percent)})" for each in others
        )
        yield info(
            f"Other formulas differ by more than {show(over)} % for this build: {told}. Only {formula.value}, the "
            "signed one, is used.",
            *(Named(each.formula.value, show(each.bsa_m2, 4), "m²") for each in others),
        )


def rounded_once(case: Case) -> Iterator[Said]:
    rounding = case.request.settings.dose_rounding
    if rounding is None:
        yield stop(
            "The rounding of the dose is not signed, so nothing was calculated. "
            "Sign it in the study settings with its source."
        )
    unrounded, rounded = case.planned_mg_unrounded, case.planned_mg
    if unrounded is None or rounded is None:
        return
    compared = (Named("unrounded", show(unrounded, 10), "mg"), Named("rounded", show(rounded), "mg"))
    limit = case.request.protocol.dose_difference.from_percent
    if reaches(rounded, unrounded, limit):
        yield stop(
            f"Rounding alone would change the dose from {show_mg(unrounded)} to {show_mg(rounded)}, {show(limit)} % "
            "or more. Sign a finer rounding in the study settings.",
            *compared,
        )
    elif rounded != unrounded:
        yield info(
            f"The planned dose of {show_mg(unrounded)} is rounded once, to {show_mg(rounded)}.",
            *compared,
        )


def prescribed_as_planned(case: Case) -> Iterator[Said]:
    if case.request.prescribed_mg is None:
        yield stop("The prescribed dose is not known. Enter the mg of the order before going on.")
    elif case.prescribed is not None and case.prescribed.finding is not None:
        finding = case.prescribed.finding
        yield Said(finding.severity, finding.sentence, finding.compared)
