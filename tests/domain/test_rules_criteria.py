"""Treatment-day criteria, told as a pharmacist reads them from the chart (§ 8.1.5; RULES R27, R34 to R42, A17 to A19,
A30, A35, A42): each limit itself passes, a hair over does not, and what is not known is never met."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any

import pytest

from pharmacy_app.domain.criteria import Criteria
from pharmacy_app.domain.dosing import decide
from pharmacy_app.domain.findings import Finding, Named
from pharmacy_app.domain.request import DoseRequest
from pharmacy_app.domain.treatment import Marrow, Response, ResponseAssessment, Treatment
from tests.domain.dose_cases import (
    CYCLE2,
    CYCLE3,
    DAY1,
    IN_REMISSION,
    PROTOCOL,
    blocking,
    first_dose,
    given,
    lab,
    met,
    override,
    planned_for,
    retreated,
    said,
    second_cycle,
    second_dose,
    sentence,
    spoke,
    third_cycle,
)

D = Decimal
ONE_DAY = timedelta(days=1)
STOPS = ["OVERRIDABLE"]


def day8_of_cycle3(**changes: Any) -> DoseRequest:
    """Cycle 3 day 8 on 4 May 2026: 0.3 mg/m² × 2 m² = 0.6 mg."""
    on = date(2026, 5, 4)
    history = (*third_cycle().history, given(3, 1, CYCLE3))
    base = planned_for(third_cycle(day=8, history=history, prescribed_mg=D("0.6")), on)
    return replace(base, **changes)


EVERY_PLACE = (first_dose(), second_dose(), second_cycle(), third_cycle(), day8_of_cycle3(), retreated())
CYCLE_STARTS = (first_dose(), second_cycle(), third_cycle(), retreated())


def place(request: DoseRequest) -> str:
    return f"course{request.course}-c{request.cycle}d{request.day}"


every_dose = pytest.mark.parametrize("request_", EVERY_PLACE, ids=place)
every_start = pytest.mark.parametrize("request_", CYCLE_STARTS, ids=place)


def answered(request: DoseRequest, **changes: Any) -> tuple[Finding, ...]:
    """The findings when the treatment day was answered anew with these changes."""
    on = request.planned_on
    answers = met(request.cycle, request.day, on, course=request.course, **changes)
    return decide(replace(request, criteria=(*request.criteria, answers))).findings


def value(amount: str, unit: str = "U/L", upper: str | None = None) -> Any:
    """A value dated long ago; ``answered_with`` dates it."""
    return lab(amount, DAY1, unit, upper)


def of_day(request: DoseRequest, **labs: Any) -> dict[str, Any]:
    """Laboratory values of the day of this dose."""
    return {name: None if each is None else replace(each, taken_on=request.planned_on) for name, each in labs.items()}


@every_dose
def test_all_met_goes_on(request_: DoseRequest) -> None:
    decision = decide(request_)
    assert decision.may_go_on
    said_of = spoke(decision.findings, "R32", "R34", "R35", "R36", "R37", "R38", "R39", "R40", "R41", "R42")
    # The marrow of a relapse is only named: it is the base of the retreatment.
    assert said_of == ({"R35": "INFO"} if request_.course > 1 else {})


@every_dose
def test_nothing_answered_is_not_met(request_: DoseRequest) -> None:
    empty = Criteria(request_.course, request_.cycle, request_.day, request_.planned_on)
    findings = decide(replace(request_, criteria=(empty,))).findings
    assert said(findings, "R32") == ["STOP"]
    for rule in ("R36", "R37", "R38", "R39"):
        assert said(findings, rule) == STOPS
        assert "known" in sentence(findings, rule)
    assert said(findings, "R34") == (STOPS if request_.day == 1 else [])
    unanswered = decide(replace(request_, criteria=())).findings
    assert {"R32", "R36", "R37", "R38", "R39"} <= set(blocking(unanswered))


@pytest.mark.parametrize(
    ("rule", "request_", "changes"),
    [
        ("R34", second_cycle(), {"progression": True, "only_cns_or_testis": True}),
        ("R36", second_dose(), {"toxicity_grade": 2}),
        ("R37", second_dose(), {"bilirubin": None}),
        ("R38", second_cycle(), {"ast": None, "alt": None}),
        ("R39", third_cycle(), {"creatinine_clearance": None}),
        ("R40", second_cycle(), {"platelets": None}),
    ],
)
def test_the_investigator_may_overrule_in_writing(rule: str, request_: DoseRequest, changes: dict[str, Any]) -> None:
    answers = met(request_.cycle, request_.day, request_.planned_on, **changes)
    criteria = tuple(each for each in request_.criteria if each.place != answers.place)
    request_ = replace(request_, criteria=(*criteria, answers))
    if rule == "R37":  # without the chemistry of day 1 to carry over
        request_ = replace(request_, criteria=(replace(criteria[0], bilirubin=None), answers))
    assert blocking(decide(request_).findings) == [rule]
    assert decide(replace(request_, overrides=(override(rule, role="prescriber"),))).may_go_on


# --- R34: progression ------------------------------------------------------------------------------------------


@every_start
@pytest.mark.parametrize(
    ("progression", "only_cns_or_testis", "severities", "part"),
    [
        (False, None, [], ""),
        (None, None, STOPS, "not known"),
        (None, True, STOPS, "not known"),
        (True, False, STOPS, "is not started"),
        (True, None, STOPS, "is not started"),
        (True, True, STOPS, "investigator's judgment"),
    ],
)
def test_progression_before_a_cycle(
    request_: DoseRequest, progression: bool | None, only_cns_or_testis: bool | None, severities: list[str], part: str
) -> None:
    findings = answered(request_, progression=progression, only_cns_or_testis=only_cns_or_testis)
    assert said(findings, "R34") == severities
    if part:
        assert part in sentence(findings, "R34")


@pytest.mark.parametrize("request_", [second_dose(), day8_of_cycle3()], ids=place)
def test_progression_is_asked_at_cycle_starts_only(request_: DoseRequest) -> None:
    assert said(answered(request_, progression=None), "R34") == []


# --- R35, A17: blasts ------------------------------------------------------------------------------------------


def with_marrows(request: DoseRequest, *marrows: tuple[date, str]) -> tuple[Finding, ...]:
    known = tuple(Marrow(on, D(blasts)) for on, blasts in marrows)
    return decide(replace(request, treatment=replace(IN_REMISSION, marrows=known))).findings


EARLIER, LATER = date(2026, 1, 20), date(2026, 2, 20)


@pytest.mark.parametrize("request_", [each for each in CYCLE_STARTS if each.course == 1], ids=place)
@pytest.mark.parametrize(
    ("before", "now", "severities"),
    [
        ("40", "20", []),
        ("20", "20", []),
        ("20", "30", []),  # exactly half more: relative, not 50 points
        ("20", "30.0000001", STOPS),
        ("20", "30.1", STOPS),
        ("20", "70", STOPS),
        ("2", "3", []),
        ("2", "3.1", STOPS),
        ("20", "0", []),
        ("0", "0", []),
        ("0", "0.1", STOPS),
    ],
)
def test_blasts_not_more_than_half_more(request_: DoseRequest, before: str, now: str, severities: list[str]) -> None:
    assert said(with_marrows(request_, (EARLIER, before), (LATER, now)), "R35") == severities
    assert said(with_marrows(request_, (LATER, now), (EARLIER, before)), "R35") == severities


def test_the_first_marrow_of_all_is_the_base_of_cycle_one_and_unknown_later() -> None:
    assert said(with_marrows(first_dose(), (LATER, "80")), "R35") == ["INFO"]
    assert said(with_marrows(second_cycle(), (LATER, "80")), "R35") == STOPS
    for request in (first_dose(), second_cycle()):
        findings = with_marrows(request)
        assert said(findings, "R35") == STOPS
        assert "not known" in sentence(findings, "R35")


def test_a_marrow_after_the_planned_day_is_not_known_yet() -> None:
    tomorrow = second_cycle().planned_on + ONE_DAY
    assert said(with_marrows(second_cycle(), (EARLIER, "20"), (LATER, "20"), (tomorrow, "90")), "R35") == []
    assert said(with_marrows(second_cycle(), (EARLIER, "20"), (LATER, "90"), (tomorrow, "20")), "R35") == STOPS
    on_the_day = second_cycle().planned_on
    assert said(with_marrows(second_cycle(), (EARLIER, "20"), (LATER, "20"), (on_the_day, "90")), "R35") == STOPS


def test_two_marrows_of_one_day_are_not_compared_with_each_other() -> None:
    # From 4 % on an earlier day to 20 %: the 31 % of the same day is no earlier value.
    twice = ((EARLIER, "4"), (LATER, "31"), (LATER, "20"))
    assert said(with_marrows(second_cycle(), *twice), "R35") == STOPS
    assert "from 4 %" in sentence(with_marrows(second_cycle(), *twice), "R35")
    assert said(with_marrows(second_cycle(), (LATER, "31"), (LATER, "20")), "R35") == STOPS
    assert said(with_marrows(second_cycle(), (EARLIER, "20"), (LATER, "90"), (LATER, "20")), "R35") == []


def test_blasts_are_not_asked_inside_a_cycle() -> None:
    assert said(with_marrows(second_dose()), "R35") == []


# --- R36, A35: toxicity ----------------------------------------------------------------------------------------


@every_dose
@pytest.mark.parametrize(
    ("grade", "baseline", "severities"),
    [
        (0, 0, []),
        (1, 0, []),
        (1, None, []),
        (2, 0, STOPS),
        (2, 1, STOPS),
        (2, 2, []),
        (3, 2, STOPS),
        (3, 3, []),
        (4, None, STOPS),
        (None, 2, STOPS),
        (None, None, STOPS),
    ],
)
def test_toxicity_back_to_grade_one_or_baseline(
    request_: DoseRequest, grade: int | None, baseline: int | None, severities: list[str]
) -> None:
    request_ = replace(request_, criteria=())
    assert said(answered(request_, toxicity_grade=grade, toxicity_baseline_grade=baseline), "R36") == severities


def test_the_baseline_of_the_first_day_counts_later() -> None:
    before = met(1, 1, DAY1, toxicity_grade=2, toxicity_baseline_grade=2)
    request = second_cycle(criteria=(before,))
    assert said(answered(request, toxicity_grade=2, toxicity_baseline_grade=None), "R36") == []
    assert said(answered(request, toxicity_grade=2, toxicity_baseline_grade=0), "R36") == STOPS
    unknown = second_cycle(criteria=())
    findings = answered(unknown, toxicity_grade=2, toxicity_baseline_grade=None)
    assert "grade before treatment is not known" in sentence(findings, "R36")


def test_a_retreatment_has_its_own_baseline() -> None:
    first_course = met(1, 1, DAY1, toxicity_baseline_grade=2)
    request = retreated(criteria=(first_course,))
    assert said(answered(request, toxicity_grade=2, toxicity_baseline_grade=None), "R36") == STOPS


# --- R37: bilirubin --------------------------------------------------------------------------------------------


@every_dose
@pytest.mark.parametrize(
    ("mg_per_dl", "upper", "tumor", "severities"),
    [
        # 1.5 × 1.2 = 1.8; 2 × 1.2 = 2.4
        ("1.8", "1.2", None, []),
        ("1.80", "1.20", False, []),
        ("1.8000000000000000000000000001", "1.2", None, STOPS),
        ("1.81", "1.2", False, STOPS),
        ("1.81", "1.2", True, []),
        ("2.4", "1.2", True, []),
        ("2.4000001", "1.2", True, STOPS),
        ("0", "1.2", None, []),
        ("0.1", "0", None, STOPS),
        ("0.8", None, None, STOPS),
    ],
)
def test_bilirubin(
    request_: DoseRequest, mg_per_dl: str, upper: str | None, tumor: bool, severities: list[str]
) -> None:
    changes = of_day(request_, bilirubin=value(mg_per_dl, "mg/dL", upper))
    assert said(answered(request_, **changes, due_to_tumor=tumor), "R37") == severities


def test_gilbert_excuses_at_entry_only() -> None:
    findings = answered(second_dose(), **of_day(second_dose(), bilirubin=value("2", "mg/dL", "1.2")), gilbert=True)
    assert said(findings, "R37") == STOPS
    assert "Gilbert" in sentence(findings, "R37")
    assert "investigator's note" in sentence(findings, "R37")


# --- R38, A18: AST and ALT -------------------------------------------------------------------------------------


@every_dose
@pytest.mark.parametrize(
    ("ast", "alt", "severities"),
    [
        # 2.5 × 40 = 100
        ("100", "100", []),
        ("100.0000001", "30", STOPS),
        ("30", "100.0000001", STOPS),
        ("30", "101", STOPS),  # one good value does not excuse the other
        ("101", "101", ["OVERRIDABLE", "OVERRIDABLE"]),
        ("100", None, []),  # one suffices if only one was done
        (None, "100", []),
        (None, "101", STOPS),
        (None, None, STOPS),
    ],
)
def test_transaminases(request_: DoseRequest, ast: str | None, alt: str | None, severities: list[str]) -> None:
    request_ = replace(request_, criteria=())
    labs = {name: None if each is None else value(each, upper="40") for name, each in (("ast", ast), ("alt", alt))}
    assert said(answered(request_, **of_day(request_, **labs)), "R38") == severities


@pytest.mark.parametrize(
    ("ast", "alt", "changes", "severities"),
    [
        ("300", "30", {"not_hepatobiliary": True}, ["INFO"]),
        ("300", "30", {"not_hepatobiliary": False}, STOPS),
        ("300", "30", {"not_hepatobiliary": None}, STOPS),
        ("300", None, {"not_hepatobiliary": True}, STOPS),  # without ALT it is not known to be isolated
        ("300", "101", {"not_hepatobiliary": True}, ["OVERRIDABLE", "OVERRIDABLE"]),
        ("30", "101", {"not_hepatobiliary": True}, STOPS),  # the sentence names AST and alkaline phosphatase
        ("101", "30", {"due_to_tumor": True}, STOPS),  # the tumor bracket speaks of bilirubin alone
        ("101", "30", {"gilbert": True}, STOPS),
    ],
)
def test_what_excuses_a_high_transaminase(
    ast: str, alt: str | None, changes: dict[str, bool | None], severities: list[str]
) -> None:
    request = second_cycle()
    labs = of_day(request, ast=value(ast, upper="40"), alt=None if alt is None else value(alt, upper="40"))
    assert said(answered(request, **labs, **changes), "R38") == severities


@pytest.mark.parametrize(
    ("ast_upper", "alt_upper", "severities"),
    [(None, "40", STOPS), ("40", None, STOPS), (None, None, ["OVERRIDABLE", "OVERRIDABLE"])],
)
def test_a_value_without_its_upper_limit_is_unknown(
    ast_upper: str | None, alt_upper: str | None, severities: list[str]
) -> None:
    request = second_cycle()
    labs = of_day(request, ast=value("30", upper=ast_upper), alt=value("30", upper=alt_upper))
    findings = answered(request, **labs)
    assert said(findings, "R38") == severities
    assert all("not known" in finding.sentence for finding in findings if finding.rule == "R38")


def test_alkaline_phosphatase_alone_never_delays() -> None:
    request = second_cycle()
    findings = answered(request, **of_day(request, alkaline_phosphatase=value("2000", upper="120")))
    assert blocking(findings) == []


# --- R39: kidneys ----------------------------------------------------------------------------------------------


@every_dose
@pytest.mark.parametrize(
    ("ml_per_min", "severities"), [("15", []), ("14.9999999", STOPS), ("14.9", STOPS), ("0", STOPS), ("15.1", [])]
)
def test_creatinine_clearance(request_: DoseRequest, ml_per_min: str, severities: list[str]) -> None:
    changes = of_day(request_, creatinine_clearance=value(ml_per_min, "mL/min"))
    assert said(answered(request_, **changes), "R39") == severities


def test_limits_do_not_move_with_the_precision_of_the_moment() -> None:
    request = second_cycle()
    labs = of_day(
        request,
        bilirubin=value("1.8451", "mg/dL", "1.23"),  # 1.5 × 1.23 = 1.845
        ast=value("100.63", upper="40.25"),  # 2.5 × 40.25 = 100.625
    )
    with localcontext(prec=3):
        findings = answered(request, **labs)
        grown = with_marrows(request, (EARLIER, "20.02"), (LATER, "30.031"))  # 1.5 × 20.02 = 30.03
        at_limit = with_marrows(request, (EARLIER, "20.02"), (LATER, "30.03"))
    assert said(findings, "R37") == STOPS
    assert said(findings, "R38") == STOPS
    assert said(grown, "R35") == STOPS
    assert said(at_limit, "R35") == []


# --- R27: which results count ----------------------------------------------------------------------------------

CHEMISTRY = ("bilirubin", "ast", "alt", "creatinine_clearance")
NOT_DONE = dict.fromkeys(CHEMISTRY)


def dated(on: date) -> dict[str, Any]:
    """Normal chemistry of a day."""
    source = met(1, 1, on)
    return {name: getattr(source, name) for name in CHEMISTRY}


def test_one_chemistry_before_the_drug_serves_cycle_one() -> None:
    findings = answered(second_dose(), **NOT_DONE)
    assert spoke(findings, "R37", "R38", "R39") == {}
    assert said(findings, "R27") == ["INFO"]
    assert "Carried over from day 1" in sentence(findings, "R27")
    day15 = planned_for(
        second_dose(day=15, history=(given(1, 1, DAY1), given(1, 8, date(2026, 3, 9)))), date(2026, 3, 16)
    )
    assert spoke(answered(day15, **NOT_DONE), "R37", "R38", "R39") == {}


def test_a_newer_value_of_day_eight_counts_before_that_of_day_one() -> None:
    request = second_dose()
    high = of_day(request, bilirubin=value("5", "mg/dL", "1.2"))
    assert said(answered(request, **{**NOT_DONE, **high}), "R37") == STOPS
    first_high = met(1, 1, DAY1, bilirubin=lab("5", DAY1, "mg/dL", "1.2"))
    assert said(answered(second_dose(criteria=(first_high,))), "R37") == []
    assert said(answered(second_dose(criteria=(first_high,)), **NOT_DONE), "R37") == STOPS


@pytest.mark.parametrize("request_", [second_cycle(), third_cycle(), day8_of_cycle3(), retreated()], ids=place)
def test_nothing_is_carried_over_into_later_cycles(request_: DoseRequest) -> None:
    findings = answered(request_, **NOT_DONE)
    assert spoke(findings, "R37", "R38", "R39") == {"R37": "OVERRIDABLE", "R38": "OVERRIDABLE", "R39": "OVERRIDABLE"}


@pytest.mark.parametrize(
    ("request_", "last_infusion"),
    [
        (second_cycle(), date(2026, 3, 16)),
        (third_cycle(), date(2026, 4, 6)),
        (day8_of_cycle3(), CYCLE3),
    ],
)
def test_chemistry_is_taken_after_the_last_infusion(request_: DoseRequest, last_infusion: date) -> None:
    fresh = answered(request_, **dated(last_infusion + ONE_DAY))
    assert spoke(fresh, "R27", "R37", "R38", "R39") == {}
    old = answered(request_, **dated(last_infusion))
    assert set(spoke(old, "R37", "R38", "R39")) == {"R37", "R38", "R39"}
    assert said(old, "R27") == ["WARN"]
    assert "before the last infusion" in sentence(old, "R27")


@pytest.mark.parametrize(("days_before", "counts"), [(0, True), (14, True), (15, False)])
def test_the_first_chemistry_is_at_most_fourteen_days_old(days_before: int, counts: bool) -> None:
    values = dated(DAY1 - timedelta(days=days_before))
    first = answered(first_dose(), **values)
    assert (spoke(first, "R37", "R38", "R39") == {}) is counts
    assert said(first, "R27") == ([] if counts else ["WARN"])
    # For day 8 it is counted from day 1 as well.
    later = answered(second_dose(criteria=(met(1, 1, DAY1, **values),)), **NOT_DONE)
    assert (spoke(later, "R37", "R38", "R39") == {}) is counts


@every_dose
def test_chemistry_dated_after_the_dose_is_not_known(request_: DoseRequest) -> None:
    findings = answered(request_, **dated(request_.planned_on + ONE_DAY))
    assert set(spoke(findings, "R37", "R38", "R39")) == {"R37", "R38", "R39"}


@every_start
@pytest.mark.parametrize(("days", "severities"), [(0, []), (7, []), (8, ["WARN"])])
def test_the_blood_count_is_at_most_a_week_old(request_: DoseRequest, days: int, severities: list[str]) -> None:
    on = request_.planned_on - timedelta(days=days)
    counts = {"anc": lab("2", on, "10⁹/L"), "platelets": lab("120", on, "10⁹/L")}
    assert said(answered(request_, **counts), "R27") == severities


@every_start
@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"anc": None}, "No ANC is known"),
        ({"platelets": None}, "No platelet count is known"),
        ({"anc": None, "platelets": None}, "No ANC and no platelet count"),
    ],
)
def test_a_blood_count_that_is_missing_at_a_cycle_start_is_said(
    request_: DoseRequest, changes: dict[str, None], part: str
) -> None:
    findings = answered(request_, **changes)
    assert said(findings, "R27") == ["WARN"]
    assert part in sentence(findings, "R27")


# --- R40, R41, R42, A19, A30, A42: counts ----------------------------------------------------------------------


def counts(anc: str | None, platelets: str | None, on: date) -> dict[str, Any]:
    """ANC and platelets (10⁹/L) of a day."""
    return {
        "anc": None if anc is None else lab(anc, on, "10⁹/L"),
        "platelets": None if platelets is None else lab(platelets, on, "10⁹/L"),
    }


def start_of_cycle3(
    before_treatment: tuple[str | None, str | None],
    before_cycle2: tuple[str | None, str | None],
    now: tuple[str | None, str | None],
    from_disease: bool | None = False,
) -> dict[str, str]:
    """What R40 and R41 say with these counts (ANC, platelets)."""
    criteria = (
        met(1, 1, DAY1, **counts(*before_treatment, DAY1)),
        met(2, 1, CYCLE2, **counts(*before_cycle2, CYCLE2)),
        met(3, 1, CYCLE3, **counts(*now, CYCLE3), counts_low_from_disease=from_disease),
    )
    return spoke(decide(third_cycle(criteria=criteria)).findings, "R40", "R41")


STOP_UNLESS = "OVERRIDABLE"


@pytest.mark.parametrize(
    ("before", "now", "heard"),
    [
        (("1", "50"), ("1", "50"), {}),
        (("1", "50"), ("0.9999999", "50"), {"R40": STOP_UNLESS}),
        (("1", "50"), ("1", "49.9999999"), {"R40": STOP_UNLESS}),
        (("8", "300"), ("0.5", "20"), {"R40": f"{STOP_UNLESS} and {STOP_UNLESS}"}),
        (("8", "300"), (None, "50"), {"R40": STOP_UNLESS}),
        (("8", "300"), ("1", None), {"R40": STOP_UNLESS}),
        ((None, "300"), ("5", "300"), {"R40": STOP_UNLESS}),  # which limit applies is not known
        (("8", None), ("5", "300"), {"R40": STOP_UNLESS}),
    ],
)
def test_counts_that_were_good_before_treatment(
    before: tuple[str | None, str | None], now: tuple[str | None, str | None], heard: dict[str, str]
) -> None:
    assert start_of_cycle3(before, ("9", "400"), now) == heard
    # Counts low from disease excuse nothing that was good before treatment.
    assert start_of_cycle3(before, ("9", "400"), now, from_disease=True) == heard


LOW = ("0.9", "49")


@pytest.mark.parametrize(
    ("base", "now", "from_disease", "heard"),
    [
        (("0.5", "30"), ("0.5", "30"), False, {}),  # back to the values before the last cycle
        (("0.5", "30"), ("0.49", "30"), False, {"R41": STOP_UNLESS}),
        (("0.5", "30"), ("0.5", "29.9"), False, {"R41": STOP_UNLESS}),
        (("2", "100"), ("1", "50"), False, {}),  # over both limits
        (("2", "100"), ("0.99", "50"), False, {"R41": STOP_UNLESS}),
        (("2", "100"), ("1", "49"), False, {"R41": STOP_UNLESS}),
        (("2", "100"), ("0.1", "5"), True, {}),  # low from disease, marrow stable or better
        (("2", "100"), ("0.1", "5"), None, {"R41": STOP_UNLESS}),
        (("2", "100"), (None, "50"), False, {"R41": STOP_UNLESS}),
        (("2", "100"), (None, None), True, {}),
        ((None, "30"), ("1", "50"), False, {}),
        ((None, "30"), ("0.9", "30"), False, {"R41": STOP_UNLESS}),
    ],
)
def test_counts_that_were_low_before_treatment(
    base: tuple[str | None, str | None],
    now: tuple[str | None, str | None],
    from_disease: bool | None,
    heard: dict[str, str],
) -> None:
    assert start_of_cycle3(LOW, base, now, from_disease) == heard


def test_the_last_cycle_is_the_baseline_not_the_first() -> None:
    assert start_of_cycle3(("0.2", "10"), ("0.6", "40"), ("0.4", "20")) == {"R41": STOP_UNLESS}
    assert start_of_cycle3(("0.6", "40"), ("0.2", "10"), ("0.4", "20")) == {}


@pytest.mark.parametrize(
    ("before", "now", "from_disease", "heard"),
    [
        (("0.5", "50"), ("0.5", "50"), True, {}),
        (("0.5", "50"), ("0.5", "49"), True, {"R40": STOP_UNLESS}),  # platelets were good: item 7 binds them
        (("0.5", "50"), ("0.5", "50"), False, {"R41": STOP_UNLESS}),  # base 2: ANC is not back, nor over 1
        (("1", "49"), ("0.9", "60"), True, {"R40": STOP_UNLESS}),
        (("1", "49"), ("1", "50"), False, {}),
        (("0.9", None), ("1", "50"), False, {"R40": STOP_UNLESS}),
    ],
)
def test_one_lineage_low_before_binds_both_items(
    before: tuple[str | None, str | None], now: tuple[str, str], from_disease: bool, heard: dict[str, str]
) -> None:
    assert start_of_cycle3(before, ("2", "100"), now, from_disease) == heard


@pytest.mark.parametrize(
    ("now", "heard"),
    [
        ("30", {}),
        ("30.1", {"R35": STOP_UNLESS, "R41": STOP_UNLESS}),
        (None, {"R35": STOP_UNLESS}),  # without a second marrow the answer itself says that it is stable
    ],
)
def test_low_from_disease_does_not_hold_against_a_marrow_that_is_worse(now: str | None, heard: dict[str, str]) -> None:
    """§ 8.1.5(8): the marrow must be stable or improved, and the counts low from disease: both."""
    criteria = (
        met(1, 1, DAY1, **counts("0.5", "30", DAY1)),
        met(2, 1, CYCLE2, **counts("0.4", "20", CYCLE2), counts_low_from_disease=True),
    )
    marrows = tuple(
        Marrow(on, D(blasts)) for on, blasts in ((EARLIER, "20"), (DAY1 + timedelta(days=20), now)) if blasts
    )
    request = second_cycle(criteria=criteria, treatment=replace(IN_REMISSION, marrows=marrows))
    assert spoke(decide(request).findings, "R35", "R40", "R41") == heard


def test_what_is_not_known_is_said_to_be_not_known() -> None:
    criteria = (
        met(1, 1, DAY1, **counts("0.5", "30", DAY1)),
        met(3, 1, CYCLE3, **counts("0.9", "40", CYCLE3), counts_low_from_disease=False),
    )
    findings = decide(third_cycle(criteria=criteria)).findings
    assert "are not known to be met" in sentence(findings, "R41")


@pytest.mark.parametrize("request_", [first_dose(), second_dose(), day8_of_cycle3(), retreated()], ids=place)
@pytest.mark.parametrize(("anc", "platelets"), [("0", "0"), ("0.99", "300"), ("5", "49.9"), (None, None)])
def test_counts_do_not_stop_the_first_dose_nor_one_inside_a_cycle(
    request_: DoseRequest, anc: str | None, platelets: str | None
) -> None:
    findings = answered(request_, **counts(anc, platelets, request_.planned_on))
    assert spoke(findings, "R40", "R41") == {}
    low = anc is not None
    assert said(findings, "R42") == (["INFO"] if low and request_.day > 1 else [])
    assert blocking(findings) == []


@pytest.mark.parametrize(("anc", "platelets"), [("1", "50"), ("9", "400")])
def test_good_counts_inside_a_cycle_are_not_mentioned(anc: str, platelets: str) -> None:
    assert said(answered(second_dose(), **counts(anc, platelets, DAY1)), "R42") == []


def test_counts_dated_after_the_dose_are_not_known() -> None:
    request = second_cycle()
    findings = answered(request, **counts("5", "300", request.planned_on + ONE_DAY))
    assert said(findings, "R40") == ["OVERRIDABLE", "OVERRIDABLE"]
    # A count after day 1 is no value from before treatment.
    late = second_cycle(criteria=(met(1, 1, DAY1, **counts("5", "300", DAY1 + ONE_DAY)), met(2, 1, CYCLE2)))
    assert said(decide(late).findings, "R40") == ["OVERRIDABLE", "OVERRIDABLE"]


def test_a_retreatment_has_its_own_values_from_before() -> None:
    on = date(2026, 10, 19)
    day1 = retreated().planned_on
    history = (*retreated().history, given(1, 1, day1, course=2))
    low_then = met(1, 1, day1, course=2, **counts("0.5", "30", day1))
    request = planned_for(retreated(cycle=2, history=history, criteria=(met(1, 1, DAY1), low_then)), on)
    assert spoke(answered(request, **counts("0.5", "30", on)), "R40", "R41") == {}
    assert spoke(answered(request, **counts("0.4", "30", on)), "R40", "R41") == {"R41": STOP_UNLESS}


def test_a_transfusion_before_the_count_is_mentioned_at_cycle_starts() -> None:
    assert said(answered(second_cycle(), platelets_transfused=True), "A42") == ["INFO"]
    assert said(answered(second_cycle(), platelets_transfused=False), "A42") == []
    assert said(answered(second_cycle(), platelets_transfused=None), "A42") == []
    assert said(answered(second_dose(), platelets_transfused=True), "A42") == []


# --- which answers count ---------------------------------------------------------------------------------------


def test_the_answers_given_last_for_this_dose_count() -> None:
    good, bad = met(2, 1, CYCLE2), met(2, 1, CYCLE2, toxicity_grade=3)
    assert said(decide(second_cycle(criteria=(met(1, 1, DAY1), good, bad))).findings, "R36") == STOPS
    assert said(decide(second_cycle(criteria=(met(1, 1, DAY1), bad, good))).findings, "R36") == []


def test_answers_of_another_course_do_not_count() -> None:
    findings = decide(second_cycle(criteria=(met(1, 1, DAY1), met(2, 1, CYCLE2, course=2)))).findings
    assert {"R32", "R34", "R36", "R37", "R38", "R39", "R40"} <= set(blocking(findings))


def test_no_treatment_recorded_at_all_is_unknown() -> None:
    assert "R35" in blocking(decide(second_cycle(treatment=Treatment())).findings)


# --- the words that depend on the case -------------------------------------------------------------------------

DECIDE = "Delay the dose, or record the investigator's written decision."
ENTER = "Enter it in the criteria of the treatment day, or record the investigator's written decision."


@pytest.mark.parametrize(("baseline", "words"), [(0, ""), (None, " (its grade before treatment is not known)")])
def test_an_unknown_baseline_is_called_unknown(baseline: int | None, words: str) -> None:
    request = first_dose(criteria=())
    findings = answered(request, toxicity_grade=2, toxicity_baseline_grade=baseline)
    assert sentence(findings, "R36") == (
        f"Related non-hematologic toxicity is grade 2; it must have recovered to grade 1 or baseline{words}. {DECIDE}"
    )


@pytest.mark.parametrize(
    ("bilirubin", "words"),
    [
        (None, f"Bilirubin is not known for this dose. {ENTER}"),
        (
            lab("0.8", DAY1, "mg/dL"),
            f"The upper limit of normal of bilirubin is not known for this dose. {ENTER}",
        ),
    ],
)
def test_what_of_bilirubin_is_not_known(bilirubin: Any, words: str) -> None:
    assert sentence(answered(first_dose(), bilirubin=bilirubin), "R37") == words


@pytest.mark.parametrize(
    ("value_", "changes", "words"),
    [
        ("2", {}, "over 1.5 × the upper limit of normal (1.2). "),
        (
            "3",
            {"due_to_tumor": True},
            "over 2 × the upper limit of normal (1.2) (the limit where a tumor is the cause). ",
        ),
        (
            "2",
            {"gilbert": True},
            "over 1.5 × the upper limit of normal (1.2). Gilbert syndrome excuses it at entry, not on the treatment "
            "day: the investigator's note is needed. ",
        ),
    ],
)
def test_a_high_bilirubin_is_read_against_the_limit_that_applies(
    value_: str, changes: dict[str, Any], words: str
) -> None:
    findings = answered(first_dose(), bilirubin=lab(value_, DAY1, "mg/dL", "1.2"), **changes)
    assert sentence(findings, "R37") == f"Bilirubin is {value_} mg/dL, {words}{DECIDE}"


def test_each_high_transaminase_is_named_with_its_limit() -> None:
    findings = answered(first_dose(), ast=lab("101", DAY1, upper="40"), alt=lab("120", DAY1, upper="40"))
    assert [each.sentence for each in findings if each.rule == "R38"] == [
        f"AST is 101 U/L, over 2.5 × the upper limit of normal (40). {DECIDE}",
        f"ALT is 120 U/L, over 2.5 × the upper limit of normal (40). {DECIDE}",
    ]


def test_each_missing_upper_limit_is_named() -> None:
    findings = answered(first_dose(), ast=lab("30", DAY1), alt=lab("30", DAY1))
    assert [each.sentence for each in findings if each.rule == "R38"] == [
        f"The upper limit of normal of {name} is not known. {ENTER}" for name in ("AST", "ALT")
    ]


def test_why_an_old_result_does_not_count() -> None:
    old = lab("90", DAY1 - timedelta(days=15), "mL/min")
    assert sentence(answered(first_dose(), creatinine_clearance=old), "R27") == (
        "What is entered for creatinine clearance is older than screening allows, so it does not count for this dose. "
        "Enter a new result."
    )
    before_last = {"ast": lab("30", date(2026, 3, 16), upper="40"), "alkaline_phosphatase": lab("90", date(2026, 3, 1))}
    assert sentence(answered(second_cycle(), **before_last), "R27") == (
        "What is entered for AST, alkaline phosphatase was taken before the last infusion, so it does not count for "
        "this dose. Enter a new result."
    )


def test_what_is_carried_over_from_day_one_is_listed() -> None:
    answers = met(1, 8, date(2026, 3, 9), bilirubin=None, alt=None)
    findings = decide(second_dose(criteria=(met(1, 1, DAY1), answers))).findings
    assert sentence(findings, "R27") == ("Carried over from day 1, as cycle 1 asks for one chemistry: bilirubin, ALT.")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"anc": None}, "No ANC is known for this cycle start."),
        ({"platelets": None}, "No platelet count is known for this cycle start."),
        ({"anc": None, "platelets": None}, "No ANC and no platelet count is known for this cycle start."),
    ],
)
def test_which_count_is_missing(changes: dict[str, Any], words: str) -> None:
    assert sentence(answered(second_cycle(), **changes), "R27").startswith(words)


def test_of_a_blood_count_that_is_too_old_the_day_is_told() -> None:
    old = lab("2.1", CYCLE2 - timedelta(days=8), "10⁹/L")
    assert sentence(answered(second_cycle(), anc=old), "R27").startswith(
        "The blood count of 22-Mar-2026 is more than 7 days old;"
    )


def test_counts_that_were_low_before_name_what_is_open() -> None:
    low = met(1, 1, DAY1, anc=lab("0.5", DAY1, "10⁹/L"))
    request = second_cycle(criteria=(low,))
    worse = answered(request, anc=lab("0.4", CYCLE2, "10⁹/L"), counts_low_from_disease=False)
    assert "the ways to go on are not met: both back" in sentence(worse, "R41")
    unknown = answered(request, anc=lab("0.4", CYCLE2, "10⁹/L"), counts_low_from_disease=None)
    assert "the ways to go on are not known to be met: both back" in sentence(unknown, "R41")


def test_a_pre_treatment_count_that_is_missing_is_named() -> None:
    request = second_cycle(criteria=(met(1, 1, DAY1, anc=None),))
    assert sentence(answered(request), "R40").startswith("The pre-treatment value of ANC is not known")
    known = second_cycle(criteria=(met(1, 1, DAY1),))
    assert sentence(answered(known, platelets=None), "R40") == (
        f"The value of platelets is not known for this cycle start. {ENTER}"
    )


def compared(findings: tuple[Finding, ...], rule: str) -> list[tuple[str, str]]:
    """The numbers that stand beside what a rule said."""
    return [(each.name, each.value) for finding in findings if finding.rule == rule for each in finding.compared]


def test_the_numbers_that_were_compared_stand_beside() -> None:
    bilirubin = answered(first_dose(), bilirubin=lab("2", DAY1, "mg/dL", "1.2"))
    assert compared(bilirubin, "R37") == [
        ("bilirubin", "2"),
        ("upper limit of normal", "1.2"),
        ("most", "1.5 × upper limit"),
        ("taken on", "2026-03-02"),
    ]
    both = answered(first_dose(), ast=lab("101", DAY1, upper="40"), alt=lab("120", DAY1, upper="40"))
    assert [name for name, _ in compared(both, "R38")][::4] == ["AST", "ALT"]
    alone = answered(first_dose(), ast=lab("101", DAY1, upper="40"), not_hepatobiliary=True)
    assert said(alone, "R38") == ["INFO"]
    assert compared(alone, "R38")[0] == ("AST", "101")


def test_counts_that_are_not_known_stand_beside_as_not_known() -> None:
    low = met(1, 1, DAY1, anc=lab("0.5", DAY1, "10⁹/L"), platelets=lab("60", DAY1, "10⁹/L"))
    findings = decide(second_cycle(criteria=(low,))).findings
    assert "are not known to be met" in sentence(findings, "R41")
    (finding,) = [each for each in findings if each.rule == "R41"]
    assert finding.compared == (
        Named("ANC now", "not known", "10⁹/L"),
        Named("platelets now", "not known", "10⁹/L"),
        Named("ANC before the last cycle", "0.5", "10⁹/L"),
        Named("platelets before the last cycle", "60", "10⁹/L"),
    )


def test_inside_a_later_cycle_the_first_chemistry_is_not_even_looked_at() -> None:
    nothing = {"bilirubin": None, "ast": None, "alt": None, "creatinine_clearance": None}
    assert said(answered(day8_of_cycle3(), **nothing), "R27") == []


def test_all_that_is_carried_over_is_listed_when_nothing_was_answered_yet() -> None:
    for day in (2, 8):
        findings = decide(second_dose(day=day, criteria=(met(1, 1, DAY1),))).findings
        assert sentence(findings, "R27").endswith("one chemistry: bilirubin, AST, ALT, creatinine clearance.")
    assert said(decide(first_dose()).findings, "R27") == []


def test_without_day_one_on_record_what_was_answered_for_it_counts() -> None:
    """Counts of 10 March, answered for day 1, which is not on record: that is said elsewhere (R25)."""
    history = tuple(dose for dose in second_cycle().history if dose.day != 1)
    first = met(1, 1, DAY1, anc=lab("2", date(2026, 3, 10), "10⁹/L"))
    assert said(answered(second_cycle(history=history, criteria=(first,))), "R40") == []


def test_a_count_at_the_limit_before_treatment_was_no_low_count() -> None:
    least = PROTOCOL.criteria.platelets_min_10e9_per_l
    first = met(1, 1, DAY1, platelets=lab(str(least), DAY1, "10⁹/L"))
    findings = answered(second_cycle(criteria=(first,)), platelets=None)
    assert sentence(findings, "R40").startswith("The value of platelets is not known")
    assert said(findings, "R41") == []


def test_a_low_count_does_not_delay_any_day_after_the_first() -> None:
    for day, severities in ((1, []), (2, ["INFO"]), (8, ["INFO"])):
        low = met(1, day, date(2026, 3, 9), anc=lab("0.1", DAY1, "10⁹/L"))
        assert said(decide(second_dose(day=day, criteria=(low,))).findings, "R42") == severities


def test_without_any_marrow_it_is_said_which_one_is_meant() -> None:
    bare = replace(first_dose(), treatment=Treatment())
    assert sentence(decide(bare).findings, "R35").startswith("No marrow result is recorded, so it is not known")
    treatment = replace(retreated().treatment, marrows=())
    assert sentence(decide(retreated(treatment=treatment)).findings, "R35").startswith(
        "No marrow result of the relapse or since is recorded, so it is not known"
    )


def test_answers_that_are_too_old_name_their_day() -> None:
    old = met(2, 1, date(2026, 3, 16))
    findings = decide(second_cycle(criteria=(met(1, 1, DAY1), old))).findings
    assert "The criteria of this dose were answered on 16-Mar-2026, too long before its day to count" in " ".join(
        finding.sentence for finding in findings if finding.rule == "R27"
    )


@pytest.mark.parametrize(
    ("blasts", "severities"),
    [
        # In cycle 2 of a retreatment: newest 30 %, the one before it as given; half more of 20 % is 30 %.
        ((("2026-09-05", "40"), ("2026-10-15", "30")), []),
        ((("2026-09-05", "19"), ("2026-10-15", "30")), STOPS),
        # Of the days before the relapse on 10 September only the newest marrow is a base.
        ((("2026-08-20", "5"), ("2026-09-10", "25"), ("2026-10-15", "30")), []),
        # One of the remission, on the day of its response or before, is none.
        ((("2026-03-25", "40"), ("2026-10-15", "30")), STOPS),
        # After the relapse all count, the newest first.
        ((("2026-09-11", "10"), ("2026-10-01", "25"), ("2026-10-15", "30")), []),
        ((("2026-09-05", "30"), ("2026-10-01", "10"), ("2026-10-15", "30")), STOPS),
    ],
)
def test_a_retreatment_is_measured_by_the_marrows_of_its_own_relapse(
    blasts: tuple[tuple[str, str], ...], severities: list[str]
) -> None:
    on = date(2026, 10, 19)
    marrows = tuple(Marrow(date.fromisoformat(day), D(percent)) for day, percent in blasts)
    history = (
        *retreated().history,
        *(given(1, day, date(2026, 9, 20 + day), course=2) for day in (1, 8)),
        given(1, 15, date(2026, 10, 5), course=2),
    )
    base = retreated(cycle=2, history=history, treatment=replace(retreated().treatment, marrows=marrows))
    assert said(decide(planned_for(base, on)).findings, "R35") == severities


@pytest.mark.parametrize(
    "more",
    [
        (),
        (ResponseAssessment(2, 1, date(2026, 10, 18), Response.PD),),  # of the retreatment itself
        (ResponseAssessment(1, 5, date(2026, 9, 12), Response.NR),),  # after the relapse
        (ResponseAssessment(1, 5, date(2026, 9, 10), Response.NR),),  # on the day of the relapse
    ],
)
@pytest.mark.parametrize("relapse_known", [True, False])
def test_the_relapse_of_the_course_before_and_the_response_before_it_bound_the_marrows(
    more: tuple[ResponseAssessment, ...], relapse_known: bool
) -> None:
    """40 % on 5 September, at the relapse, and 30 % on 15 October: no rise, whatever else was assessed."""
    base = retreated(cycle=2)
    own = base.treatment.responses if relapse_known else base.treatment.responses[:1]
    marrows = (Marrow(date(2026, 9, 5), D(40)), Marrow(date(2026, 10, 15), D(30)))
    treatment = replace(base.treatment, marrows=marrows, responses=(*own, *more))
    findings = decide(planned_for(replace(base, treatment=treatment), date(2026, 10, 19))).findings
    assert said(findings, "R35") == []


def test_a_relapse_of_the_planned_day_is_known() -> None:
    """The marrow of the remission is no base then."""
    base = retreated()
    remission = (Marrow(date(2026, 3, 22), D(2)),)
    responses = (*base.treatment.responses[:1], ResponseAssessment(1, 2, base.planned_on, Response.PD))
    treatment = replace(base.treatment, marrows=remission, responses=responses)
    assert said(decide(replace(base, treatment=treatment)).findings, "R35") == STOPS


@pytest.mark.parametrize(("days_before", "told"), [(0, False), (7, False), (8, True), (14, True)])
def test_answers_of_more_than_a_week_ago_are_asked_for_again(days_before: int, told: bool) -> None:
    on = DAY1 - timedelta(days=days_before)
    findings = decide(first_dose(criteria=(met(1, 1, DAY1, assessed_on=on),))).findings
    words = " ".join(finding.sentence for finding in findings if finding.rule == "R27")
    assert ("more than 7 days before the dose; they are asked for on the day of treatment" in words) is told


def test_low_counts_from_disease_are_no_way_on_when_the_marrow_is_worse() -> None:
    """Blasts rose from 2 % to 30 %: that way is closed for certain, like the other two."""
    worse = replace(IN_REMISSION, marrows=(*IN_REMISSION.marrows, Marrow(date(2026, 3, 28), D(30))))
    low = met(1, 1, DAY1, anc=lab("0.5", DAY1, "10⁹/L"))
    request = second_cycle(criteria=(low,), treatment=worse)
    findings = answered(request, anc=lab("0.4", CYCLE2, "10⁹/L"), counts_low_from_disease=True)
    assert "the ways to go on are not met: both back" in sentence(findings, "R41")
