"""The subject: age, screening, response, retreatment, transplantation and the end of treatment (§ 2.0, 3.3 to 3.7, 4.0,
8.1.5(4), 10; RULES R1 to R7, R12, R26, R32, R33, A15, A16, A22, A28), every edge from both sides."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pharmacy_app.domain.dosing import DoseDecision, decide
from pharmacy_app.domain.findings import Finding
from pharmacy_app.domain.request import DoseRequest
from pharmacy_app.domain.rules.subject import months_after
from pharmacy_app.domain.schedule import Birth
from pharmacy_app.domain.treatment import (
    LiverFinding,
    Marrow,
    Removal,
    RemovalReason,
    Response,
    ResponseAssessment,
    Schedule,
    Toxicity,
    TransplantPlan,
    Treatment,
)
from tests.domain.dose_cases import (
    CYCLE2,
    CYCLE3,
    DAY1,
    IN_REMISSION,
    ORDERED,
    RETREATED,
    SCREENED,
    blocking,
    first_dose,
    given,
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
CR, CRP, CRI, PR, NR, PD = Response.CR, Response.CRP, Response.CRI, Response.PR, Response.NR, Response.PD


def treated(request: DoseRequest, **changes: Any) -> tuple[Finding, ...]:
    """The findings with these changes of what is recorded of the treatment."""
    return decide(replace(request, treatment=replace(request.treatment, **changes))).findings


# --- R1, A28: age ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("birth", "planned_on", "severities"),
    [
        (Birth(2014, 3, 2), date(2026, 3, 2), []),  # the 12th birthday
        (Birth(2014, 3, 2), date(2026, 3, 1), ["OVERRIDABLE"]),
        (Birth(2014, 12, 31), date(2026, 12, 31), []),
        (Birth(2015, 1, 1), date(2026, 12, 31), ["OVERRIDABLE"]),
        (Birth(2015, 1, 1), date(2027, 1, 1), []),
        (Birth(2012, 2, 29), date(2024, 2, 28), ["OVERRIDABLE"]),
        (Birth(2012, 2, 29), date(2024, 2, 29), []),
        # 2100 is no leap year: the birthday of someone born on 29 February is then 1 March.
        (Birth(2088, 2, 29), date(2100, 2, 28), ["OVERRIDABLE"]),
        (Birth(2088, 2, 29), date(2100, 3, 1), []),
        (Birth(2014, 3), date(2026, 3, 30), ["OVERRIDABLE"]),  # perhaps tomorrow
        (Birth(2014, 3), date(2026, 3, 31), []),
        (Birth(2014), date(2026, 12, 30), ["OVERRIDABLE"]),
        (Birth(2014), date(2026, 12, 31), []),
        (None, date(2026, 3, 2), ["OVERRIDABLE"]),
        (Birth(2026, 3, 3), date(2026, 3, 2), ["STOP"]),  # born after the dose: a slip, no decision helps
        (Birth(2026, 3, 2), date(2026, 3, 2), ["OVERRIDABLE"]),
        (Birth(2026), date(2026, 3, 2), ["OVERRIDABLE"]),  # born this year, perhaps before
    ],
)
def test_at_least_twelve_years(birth: Birth | None, planned_on: date, severities: list[str]) -> None:
    assert said(decide(planned_for(first_dose(birth=birth), planned_on)).findings, "R1") == severities


@pytest.mark.parametrize(
    ("birth", "planned_on", "severities"),
    [
        (Birth(2008, 3, 2), date(2026, 3, 2), []),
        (Birth(2008, 3, 2), date(2026, 3, 1), ["INFO"]),
        (Birth(2008, 2, 29), date(2026, 2, 28), ["INFO"]),
        (Birth(2008, 2, 29), date(2026, 3, 1), []),
        (Birth(2008), date(2026, 3, 1), ["INFO"]),
        (Birth(1950), date(2026, 3, 1), []),
        (None, date(2026, 3, 1), []),
    ],
)
def test_under_eighteen_the_height_is_measured_again(
    birth: Birth | None, planned_on: date, severities: list[str]
) -> None:
    assert said(decide(planned_for(first_dose(birth=birth), planned_on)).findings, "A28") == severities


def test_the_age_may_be_decided_past_but_a_birth_in_the_future_not() -> None:
    assert decide(first_dose(birth=Birth(2015), overrides=(override("R1"),))).may_go_on
    assert not decide(first_dose(birth=Birth(2027), overrides=(override("R1"),))).may_go_on


# --- R2, R3, R5: places that exist -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("course", "cycle", "day", "heard"),
    [
        (1, 1, 1, {}),
        (1, 1, 8, {}),
        (1, 1, 15, {}),
        (1, 1, 22, {"R2": "STOP"}),
        (1, 2, 8, {}),
        (1, 2, 15, {"R3": "STOP"}),
        (1, 6, 8, {}),
        (1, 6, 15, {"R3": "STOP"}),
        (1, 7, 1, {"R5": "STOP"}),
        (1, 0, 1, {"R5": "STOP"}),
        (2, 6, 1, {}),
        (2, 7, 1, {"R5": "STOP"}),
        (0, 1, 1, {"R5": "STOP"}),
    ],
)
def test_cycles_and_days_that_exist(course: int, cycle: int, day: int, heard: dict[str, str]) -> None:
    findings = decide(first_dose(course=course, cycle=cycle, day=day)).findings
    assert spoke(findings, "R2", "R3", "R5") == heard


# --- R26: screening --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "most"), [("consent_on", 21), ("screening_marrow_on", 21), ("screening_tests_on", 14)]
)
@pytest.mark.parametrize(("over", "severities"), [(None, ["INFO"]), (-100, ["INFO"]), (0, []), (1, ["INFO"])])
def test_screening(name: str, most: int, over: int | None, severities: list[str]) -> None:
    on = None if over is None else DAY1 - timedelta(days=most + over)
    changes: dict[str, Any] = {name: on}
    findings = decide(first_dose(criteria=(met(1, 1, DAY1, **changes),))).findings
    assert said(findings, "R26") == severities
    assert blocking(findings) == []
    if over == -100:
        assert "after the planned therapy" in sentence(findings, "R26")


def test_screening_of_the_same_day_is_in_time_and_of_the_next_day_is_not() -> None:
    same_day = met(1, 1, DAY1, consent_on=DAY1, screening_marrow_on=DAY1, screening_tests_on=DAY1)
    assert said(decide(first_dose(criteria=(same_day,))).findings, "R26") == []
    next_day = replace(same_day, consent_on=DAY1 + ONE_DAY)
    assert said(decide(first_dose(criteria=(next_day,))).findings, "R26") == ["INFO"]


@pytest.mark.parametrize("request_", [second_dose(), second_cycle(), retreated()])
def test_screening_belongs_to_the_very_first_dose(request_: DoseRequest) -> None:
    assert said(decide(replace(request_, criteria=())).findings, "R26") == []
    assert said(decide(first_dose(criteria=())).findings, "R26") == ["INFO", "INFO", "INFO"]


# --- R7, A15: response -----------------------------------------------------------------------------------------

STOP, UNLESS, WARN = "STOP", "OVERRIDABLE", "WARN"


@pytest.mark.parametrize(
    ("response", "by_cycle"),
    [
        (CR, ({}, {}, {}, {}, {})),
        (CRP, ({}, {}, {}, {}, {})),
        (CRI, ({}, {}, {}, {}, {})),
        (NR, ({}, {"R7": UNLESS}, {"R7": UNLESS}, {"R7": STOP}, {"R7": STOP})),
        (PD, ({"R7": UNLESS}, {"R7": UNLESS}, {"R7": UNLESS}, {"R7": STOP}, {"R7": STOP})),
        (PR, ({}, {"A15": WARN}, {"A15": WARN}, {"A15": UNLESS}, {"A15": UNLESS})),
        (None, ({}, {"R7": UNLESS}, {"R7": UNLESS}, {"R7": STOP}, {"R7": STOP})),
    ],
)
def test_response_by_cycle(response: Response | None, by_cycle: tuple[dict[str, str], ...]) -> None:
    responses = () if response is None else (ResponseAssessment(1, 2, date(2026, 4, 20), response),)
    for cycle, heard in zip((2, 3, 4, 5, 6), by_cycle, strict=True):
        findings = treated(third_cycle(cycle=cycle), responses=responses)
        assert spoke(findings, "R7", "A15") == heard, cycle


def test_the_newest_response_by_the_planned_day_counts() -> None:
    early, late = date(2026, 3, 25), date(2026, 4, 20)
    responder, without = ResponseAssessment(1, 1, early, CR), ResponseAssessment(1, 1, early, NR)
    for responses, severities in (
        ((responder, ResponseAssessment(1, 2, late, PD)), [UNLESS]),
        ((ResponseAssessment(1, 2, late, PD), responder), [UNLESS]),
        ((without, ResponseAssessment(1, 2, late, CR)), []),
        ((responder, ResponseAssessment(1, 1, early, NR)), [UNLESS]),  # of one day the one recorded last
        ((without, ResponseAssessment(1, 1, early, CR)), []),
        ((without, ResponseAssessment(1, 2, CYCLE3, CR)), []),  # assessed on the day itself
        ((without, ResponseAssessment(1, 2, CYCLE3 + ONE_DAY, CR)), [UNLESS]),  # not known yet
        ((ResponseAssessment(2, 2, late, CR),), [UNLESS]),  # of another course
    ):
        assert said(treated(third_cycle(), responses=responses), "R7") == severities


def test_going_on_without_response_takes_the_principal_investigator() -> None:
    request = third_cycle(treatment=replace(IN_REMISSION, responses=(ResponseAssessment(1, 2, CYCLE2, NR),)))
    assert blocking(decide(request).findings) == ["R7"]
    assert decide(replace(request, overrides=(override("R7"),))).may_go_on
    by_prescriber = decide(replace(request, overrides=(override("R7", role="prescriber"),)))
    assert said(by_prescriber.findings, "OV") == ["STOP"]
    fifth = replace(request, cycle=5, overrides=(override("R7"),))
    assert not decide(fifth).may_go_on


@pytest.mark.parametrize(
    ("assessed_on", "severities"),
    [
        (CYCLE3 - ONE_DAY, []),  # known at day 1 and decided there
        (CYCLE3, []),
        (CYCLE3 + ONE_DAY, [UNLESS]),
        (CYCLE3 + timedelta(days=7), [UNLESS]),
        (CYCLE3 + timedelta(days=8), []),  # after the planned day
    ],
)
def test_progression_found_since_day_one_stops_day_eight(assessed_on: date, severities: list[str]) -> None:
    base = third_cycle(day=8, history=(*third_cycle().history, given(3, 1, CYCLE3)))
    request = planned_for(base, CYCLE3 + timedelta(days=7))
    responses = (*IN_REMISSION.responses, ResponseAssessment(1, 2, assessed_on, PD))
    assert said(treated(request, responses=responses), "R7") == severities


@pytest.mark.parametrize("response", [CR, PR, NR])
def test_no_other_response_stops_day_eight(response: Response) -> None:
    responses = (ResponseAssessment(1, 1, date(2026, 3, 8), response),)
    assert spoke(treated(second_dose(), responses=responses), "R7", "A15") == {}
    assert spoke(treated(second_dose(), responses=()), "R7", "A15") == {}


@pytest.mark.parametrize(
    ("request_", "only_cns_or_testis", "heard"),
    [
        (first_dose(), False, {}),  # before any drug the criterion of the day asks alone
        (retreated(), False, {}),
        (second_dose(), False, {"R7": UNLESS}),
        (second_cycle(), False, {"R7": UNLESS}),
        (second_cycle(), None, {"R7": UNLESS}),
        (second_cycle(), True, {}),  # the investigator's judgment (R34)
        (third_cycle(), False, {"R7": UNLESS}),
    ],
)
def test_progression_answered_for_a_dose_is_progression(
    request_: DoseRequest, only_cns_or_testis: bool | None, heard: dict[str, str]
) -> None:
    assert spoke(progressing(request_, only_cns_or_testis).findings, "R7") == heard


def test_progression_answered_for_cycle_five_is_nothing_that_may_be_decided_past() -> None:
    """The prescriber may decide past the criterion; that at most four cycles are given then nobody may."""
    fifth = replace(third_cycle(), cycle=5, overrides=(override("R34"), override("R7")))
    assert spoke(progressing(fifth).findings, "R7") == {"R7": "STOP"}
    fourth = replace(third_cycle(), cycle=4)
    assert spoke(progressing(fourth).findings, "R7") == {"R7": UNLESS}


def progressing(request: DoseRequest, only_cns_or_testis: bool | None = False) -> DoseDecision:
    """The decision when the criteria of the dose say that disease progressed; the recorded response stays CR."""
    answers = met(
        request.cycle,
        request.day,
        request.planned_on,
        course=request.course,
        progression=True,
        only_cns_or_testis=only_cns_or_testis,
    )
    return decide(replace(request, criteria=(*request.criteria, answers)))


def test_the_first_dose_waits_for_no_response() -> None:
    assert spoke(decide(first_dose()).findings, "R7", "A15", "R12", "R6", "A16", "A22") == {}


# --- R12: transplantation --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cycle", "response", "severities"),
    [
        (2, CR, ["INFO"]),
        (3, CR, ["WARN"]),
        (3, CRP, ["WARN"]),
        (4, CRI, ["WARN"]),
        (3, PR, ["INFO"]),
        (3, None, ["INFO"]),
    ],
)
def test_a_planned_transplantation(cycle: int, response: Response | None, severities: list[str]) -> None:
    responses = () if response is None else (ResponseAssessment(1, 1, date(2026, 3, 25), response),)
    request = third_cycle(cycle=cycle)
    planned = (TransplantPlan(True, DAY1),)
    assert said(treated(request, responses=responses, transplants=planned), "R12") == severities
    given_up = (*planned, TransplantPlan(False, DAY1))
    assert said(treated(request, responses=responses, transplants=given_up), "R12") == []


def test_a_transplantation_is_spoken_of_at_cycle_starts() -> None:
    planned = (TransplantPlan(False, DAY1), TransplantPlan(True, DAY1))
    assert said(treated(first_dose(), transplants=planned), "R12") == ["INFO"]
    assert said(treated(second_dose(), transplants=planned), "R12") == []
    assert "5 to 6 weeks" in sentence(treated(first_dose(), transplants=planned), "R12")


# --- R6, A16: retreatment --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "three_months_on"),
    [
        (date(2026, 1, 15), date(2026, 4, 15)),
        (date(2026, 11, 30), date(2027, 2, 28)),
        (date(2027, 11, 30), date(2028, 2, 29)),
        (date(2026, 11, 28), date(2027, 2, 28)),
        (date(2026, 12, 31), date(2027, 3, 31)),
        (date(2026, 1, 31), date(2026, 4, 30)),
        (date(2028, 2, 29), date(2028, 5, 29)),
        (date(2026, 10, 1), date(2027, 1, 1)),
        (date(2026, 9, 30), date(2026, 12, 30)),
    ],
)
def test_three_calendar_months(day: date, three_months_on: date) -> None:
    assert months_after(day, 3) == three_months_on


def test_twelve_months_are_a_year_and_none_the_day_itself() -> None:
    assert months_after(date(2028, 2, 29), 12) == date(2029, 2, 28)
    assert months_after(date(2026, 12, 31), 0) == date(2026, 12, 31)


def relapsed(first: date, relapse: date, **changes: Any) -> tuple[Finding, ...]:
    """Retreatment after a response and a relapse of the first course."""
    responses = (ResponseAssessment(1, 1, first, CR), ResponseAssessment(1, 4, relapse, PD))
    request = planned_for(retreated(), max(RETREATED, relapse))
    return treated(request, **{"responses": responses, **changes})


RESPONSE = date(2026, 3, 25)


@pytest.mark.parametrize(
    ("first", "relapse", "heard"),
    [
        (RESPONSE, date(2026, 6, 17), {"R6": UNLESS}),  # 8 days short
        (RESPONSE, date(2026, 6, 18), {"R6": UNLESS, "A16": WARN}),  # 7 days short
        (RESPONSE, date(2026, 6, 24), {"R6": UNLESS, "A16": WARN}),  # a day less than three months
        (RESPONSE, date(2026, 6, 25), {"A16": WARN}),  # exactly three months
        (RESPONSE, date(2026, 7, 2), {"A16": WARN}),
        (RESPONSE, date(2026, 7, 3), {}),
        (date(2026, 11, 30), date(2027, 2, 27), {"R6": UNLESS, "A16": WARN}),
        (date(2026, 11, 30), date(2027, 2, 28), {"A16": WARN}),  # 90 days
        (date(2027, 11, 30), date(2028, 2, 28), {"R6": UNLESS, "A16": WARN}),
        (date(2027, 11, 30), date(2028, 2, 29), {"A16": WARN}),
    ],
)
def test_a_response_of_three_months(first: date, relapse: date, heard: dict[str, str]) -> None:
    assert spoke(relapsed(first, relapse), "R6", "A16") == heard


def test_both_dates_are_shown_near_the_edge() -> None:
    words = sentence(relapsed(RESPONSE, date(2026, 6, 25)), "A16")
    assert "25-Mar-2026" in words
    assert "25-Jun-2026" in words


@pytest.mark.parametrize("response", [CR, CRP, CRI])
def test_each_kind_of_remission_is_a_response(response: Response) -> None:
    responses = (ResponseAssessment(1, 1, RESPONSE, response), ResponseAssessment(1, 4, date(2026, 9, 1), PD))
    assert spoke(treated(retreated(), responses=responses), "R6", "A16") == {}


@pytest.mark.parametrize(
    "responses",
    [
        (),
        (ResponseAssessment(1, 1, RESPONSE, CR),),  # no relapse
        (ResponseAssessment(1, 4, date(2026, 9, 1), PD),),  # no response
        (ResponseAssessment(1, 1, RESPONSE, PR), ResponseAssessment(1, 4, date(2026, 9, 1), PD)),
        (ResponseAssessment(1, 1, RESPONSE, CR), ResponseAssessment(1, 4, RESPONSE, PD)),  # on one day
        (ResponseAssessment(1, 1, RESPONSE, PD), ResponseAssessment(1, 4, date(2026, 9, 1), CR)),  # the other way round
        (ResponseAssessment(2, 1, RESPONSE, CR), ResponseAssessment(2, 4, date(2026, 9, 1), PD)),  # of this course
        (ResponseAssessment(1, 1, RESPONSE, CR), ResponseAssessment(1, 4, RETREATED + ONE_DAY, PD)),  # not known yet
    ],
)
def test_without_response_and_relapse_retreatment_takes_the_principal_investigator(
    responses: tuple[ResponseAssessment, ...],
) -> None:
    findings = treated(retreated(), responses=responses)
    assert spoke(findings, "R6", "A16") == {"R6": UNLESS}
    assert "are not both recorded" in sentence(findings, "R6")
    treatment = replace(retreated().treatment, responses=responses)
    assert decide(retreated(treatment=treatment, overrides=(override("R6"),))).may_go_on
    prescriber = decide(retreated(treatment=treatment, overrides=(override("R6", role="prescriber"),)))
    assert said(prescriber.findings, "OV") == ["STOP"]


def test_it_is_counted_from_the_first_response_to_the_first_relapse_after_it() -> None:
    twice = (
        ResponseAssessment(1, 1, RESPONSE, CRI),
        ResponseAssessment(1, 2, date(2026, 5, 20), CR),
        ResponseAssessment(1, 4, date(2026, 7, 20), PD),
    )
    assert spoke(treated(retreated(), responses=twice), "R6", "A16") == {}
    again = (*twice, ResponseAssessment(1, 3, date(2026, 4, 20), PD))
    assert spoke(treated(retreated(), responses=again), "R6") == {"R6": UNLESS}


# --- A22: the order for a retreatment --------------------------------------------------------------------------


def test_the_order_names_the_doses_of_the_first_cycle() -> None:
    later = (replace(ORDERED, schedule=Schedule.LATER_CYCLES),)
    for retreatments, severities, mg in (
        ((ORDERED,), ["INFO"], "1.6"),
        (later, ["INFO"], "1.2"),
        ((), [UNLESS], "1.6"),
    ):
        treatment = replace(retreated().treatment, retreatments=retreatments)
        decision = decide(retreated(treatment=treatment))
        assert said(decision.findings, "A22") == severities
        assert decision.planned_mg == D(mg)
    for_third = (replace(ORDERED, course=3),)
    assert said(treated(retreated(), retreatments=for_third), "A22") == [UNLESS]


def test_of_two_orders_the_newest_counts() -> None:
    later = replace(ORDERED, schedule=Schedule.LATER_CYCLES)
    treatment = replace(retreated().treatment, retreatments=(ORDERED, later))
    assert decide(retreated(treatment=treatment)).dose_mg_per_m2 == D("0.6")


def test_later_doses_of_a_retreatment_do_not_repeat_the_order() -> None:
    on = RETREATED + timedelta(days=7)
    request = planned_for(retreated(day=8, history=(*retreated().history, given(1, 1, RETREATED, course=2))), on)
    assert said(decide(request).findings, "A22") == ["INFO"]
    second = replace(request, cycle=2)
    assert said(decide(second).findings, "A22") == []


# --- R32: liver ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("finding", LiverFinding)
@pytest.mark.parametrize("request_", [first_dose(), second_dose(), third_cycle(), retreated()])
def test_any_severe_liver_finding_ends_treatment_for_good(finding: LiverFinding, request_: DoseRequest) -> None:
    # Low grade, unrelated, of long ago: suspicion is enough.
    event = Toxicity("liver", 1, False, DAY1, finding)
    treatment = replace(request_.treatment, toxicities=(event,))
    decision = decide(replace(request_, treatment=treatment))
    assert said(decision.findings, "R32") == ["STOP"]
    overridden = decide(replace(request_, treatment=treatment, overrides=(override("R32"),)))
    assert not overridden.may_go_on
    assert said(overridden.findings, "OV") == ["STOP"]


@pytest.mark.parametrize(
    ("onset_on", "severities"), [(CYCLE3, ["STOP"]), (CYCLE3 - ONE_DAY, ["STOP"]), (CYCLE3 + ONE_DAY, [])]
)
def test_a_liver_finding_by_its_onset(onset_on: date, severities: list[str]) -> None:
    event = Toxicity("VOD", 3, True, onset_on, LiverFinding.POSSIBLE_VOD)
    assert said(treated(third_cycle(), toxicities=(event,)), "R32") == severities


@pytest.mark.parametrize(("suspected", "severities"), [(True, ["STOP"]), (None, ["STOP"]), (False, [])])
@pytest.mark.parametrize("request_", [first_dose(), second_dose(), third_cycle(), retreated()])
def test_the_suspicion_is_asked_before_every_dose(
    request_: DoseRequest, suspected: bool | None, severities: list[str]
) -> None:
    answers = met(
        request_.cycle, request_.day, request_.planned_on, course=request_.course, liver_toxicity_suspected=suspected
    )
    findings = decide(replace(request_, criteria=(*request_.criteria, answers))).findings
    assert said(findings, "R32") == severities


def test_a_suspicion_at_an_earlier_dose_stays_until_its_answer_is_corrected() -> None:
    suspected = met(1, 8, date(2026, 3, 9), liver_toxicity_suspected=True)
    criteria = (*third_cycle().criteria, suspected)
    findings = decide(third_cycle(criteria=criteria)).findings
    assert said(findings, "R32") == ["STOP"]
    assert "09-Mar-2026" in sentence(findings, "R32")
    corrected = (*criteria, replace(suspected, liver_toxicity_suspected=False))
    assert said(decide(third_cycle(criteria=corrected)).findings, "R32") == []
    assert said(decide(retreated(criteria=(*retreated().criteria, suspected))).findings, "R32") == ["STOP"]


# --- R33: off treatment ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", RemovalReason)
def test_off_treatment_only_the_principal_investigator_decides_otherwise(reason: RemovalReason) -> None:
    removal = Removal(1, date(2026, 4, 20), reason, "Dr. A. Reyes", "decided")
    treatment = replace(IN_REMISSION, removals=(removal,))
    request = third_cycle(treatment=treatment)
    findings = decide(request).findings
    assert said(findings, "R33") == [UNLESS]
    assert reason.value in sentence(findings, "R33")
    assert decide(replace(request, overrides=(override("R33"),))).may_go_on
    assert said(decide(replace(request, overrides=(override("R33", role="prescriber"),))).findings, "OV") == ["STOP"]


@pytest.mark.parametrize(
    ("reason", "severities"),
    [
        (RemovalReason.GRADE_4, [UNLESS]),
        (RemovalReason.SAFETY, [UNLESS]),
        (RemovalReason.DELAY, [UNLESS]),
        (RemovalReason.REDUCTIONS, [UNLESS]),
        (RemovalReason.COMPLETED, []),
        (RemovalReason.NO_RESPONSE, []),
        (RemovalReason.TRANSPLANT, []),
        (RemovalReason.REQUEST, []),
    ],
)
def test_off_treatment_in_the_first_course_for_toxicity_binds_a_retreatment(
    reason: RemovalReason, severities: list[str]
) -> None:
    removal = Removal(1, date(2026, 5, 20), reason, "Dr. A. Reyes", "decided")
    assert said(treated(retreated(), removals=(removal,)), "R33") == severities


@pytest.mark.parametrize(
    ("grade", "related", "severities"),
    [(3, True, []), (4, True, [UNLESS]), (5, True, [UNLESS]), (4, False, [])],
)
@pytest.mark.parametrize("numeric", [False, True])
def test_a_related_event_of_grade_four(grade: int, related: bool, severities: list[str], numeric: bool) -> None:
    event = Toxicity("sepsis", grade, related, CYCLE2, None, numeric)
    findings = treated(third_cycle(), toxicities=(event,))
    assert said(findings, "R33") == severities
    if severities:
        assert ("independent investigator" in sentence(findings, "R33")) is numeric


@pytest.mark.parametrize(("onset_on", "severities"), [(CYCLE3, [UNLESS]), (CYCLE3 + ONE_DAY, [])])
def test_an_event_of_grade_four_by_its_onset(onset_on: date, severities: list[str]) -> None:
    event = Toxicity("sepsis", 4, True, onset_on)
    assert said(treated(third_cycle(), toxicities=(event,)), "R33") == severities


def test_an_event_of_grade_four_binds_later_days_of_the_cycle_as_well() -> None:
    event = Toxicity("sepsis", 4, True, date(2026, 3, 5))
    assert said(treated(second_dose(), toxicities=(event,)), "R33") == [UNLESS]


def test_removal_and_event_are_both_said() -> None:
    event = Toxicity("sepsis", 4, True, CYCLE2)
    removal = Removal(1, CYCLE2, RemovalReason.GRADE_4, "Dr. A. Reyes", "sepsis")
    findings = treated(third_cycle(), toxicities=(event,), removals=(removal,))
    assert said(findings, "R33") == [UNLESS, UNLESS]


# --- O1, O2 in a retreatment -----------------------------------------------------------------------------------


def test_the_doses_of_the_first_course_are_no_doses_of_the_second() -> None:
    assert spoke(decide(retreated()).findings, "O1", "O2", "O3", "O4", "R13", "R25") == {}
    given_already = retreated(history=(*retreated().history, given(1, 1, RETREATED - ONE_DAY, course=2)))
    assert said(decide(given_already).findings, "O1") == ["STOP"]


def test_a_subject_without_anything_recorded_is_stopped_by_what_is_unknown() -> None:
    bare = first_dose(treatment=Treatment(), criteria=(), birth=None)
    assert set(blocking(decide(bare).findings)) == {"R1", "R32", "R34", "R35", "R36", "R37", "R38", "R39"}


def test_the_marrow_of_the_relapse_is_the_base_of_the_retreatment() -> None:
    """From 2 % in remission to 45 % at relapse: that rise is why the subject is treated again."""
    marrows = (*SCREENED.marrows, Marrow(date(2026, 3, 22), D(2)), Marrow(date(2026, 9, 10), D(45)))
    assert said(treated(retreated(), marrows=marrows), "R35") == ["INFO"]
    assert said(treated(retreated(), marrows=()), "R35") == [UNLESS]


@pytest.mark.parametrize(
    ("since", "severities"),
    [
        (((date(2026, 9, 10), "40"), (date(2026, 9, 16), "60")), []),  # exactly half more
        (((date(2026, 9, 10), "40"), (date(2026, 9, 16), "60.1")), [UNLESS]),
        (((date(2026, 9, 9), "40"), (date(2026, 9, 16), "60.1")), [UNLESS]),  # taken the day before it was reported
        (((date(2026, 9, 11), "40"),), ["INFO"]),
        (((date(2026, 6, 1), "2"), (date(2026, 9, 8), "40")), ["INFO"]),  # the remission checked, then the relapse
        (((date(2026, 9, 22), "40"),), [UNLESS]),  # after the planned day
        ((), [UNLESS]),  # a marrow of the remission says nothing of the relapse
    ],
)
def test_a_retreatment_is_measured_from_its_own_first_marrow(
    since: tuple[tuple[date, str], ...], severities: list[str]
) -> None:
    """Response of 25 March, relapse of 10 September, day 1 on 21 September."""
    before = (*SCREENED.marrows, Marrow(date(2026, 3, 22), D(2)))
    marrows = (*before, *(Marrow(on, D(blasts)) for on, blasts in since))
    assert said(treated(retreated(), marrows=marrows), "R35") == severities


def test_without_a_recorded_relapse_the_newest_marrow_stands_for_it() -> None:
    """Whether there may be a retreatment at all is then for the principal investigator (R6)."""
    request = retreated(treatment=replace(retreated().treatment, responses=IN_REMISSION.responses))
    assert spoke(decide(request).findings, "R6", "R35") == {"R6": UNLESS, "R35": "INFO"}
    assert said(treated(request, marrows=()), "R35") == [UNLESS]


# --- the words that depend on the case -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("birth", "words"),
    [
        (Birth(2008), "The subject may be under 18. Measure the height again before each cycle."),
        (Birth(2008, 3, 3), "The subject is under 18. Measure the height again before each cycle."),
    ],
)
def test_a_minor_and_somebody_who_may_be_one(birth: Birth, words: str) -> None:
    assert sentence(decide(first_dose(birth=birth)).findings, "A28") == words


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (NR, "No response is recorded on 30-Mar-2026: treatment ends, unless"),
        (PD, "Progression or relapse is recorded on 30-Mar-2026: treatment ends, unless"),
    ],
)
def test_what_is_recorded_is_called_by_its_name(response: Response, words: str) -> None:
    findings = treated(third_cycle(), responses=(ResponseAssessment(1, 1, CYCLE2, response),))
    assert sentence(findings, "R7").startswith(words)


def test_progression_at_a_day_eight_without_its_day_one_is_judged_where_day_one_is_missing() -> None:
    progressed = (ResponseAssessment(1, 1, date(2026, 3, 5), PD),)
    request = second_dose(history=(), day1_on=None)
    assert spoke(treated(request, responses=progressed), "R7", "O3") == {"O3": STOP}


def test_a_retreatment_names_the_least_duration_and_when_it_would_have_been_reached() -> None:
    short = sentence(relapsed(RESPONSE, date(2026, 6, 17)), "R6")
    assert "3 months would have been reached on 25-Jun-2026" in short
    assert "a response of at least 3 months" in sentence(treated(retreated(), responses=()), "R6")


@pytest.mark.parametrize(
    ("schedule", "words"),
    [(Schedule.FIRST_CYCLE, "the doses of cycle 1, by"), (Schedule.LATER_CYCLES, "the doses of the later cycles, by")],
)
def test_the_order_for_a_retreatment_is_read_back(schedule: Schedule, words: str) -> None:
    findings = treated(retreated(), retreatments=(replace(ORDERED, schedule=schedule),))
    assert sentence(findings, "A22") == (
        f"Course 2 begins with {words} the order of Dr. P. Ito of 15-Sep-2026 (letter 12)."
    )


def test_each_screening_that_is_missing_is_named_with_its_limit() -> None:
    findings = decide(first_dose(criteria=())).findings
    assert [finding.sentence for finding in findings if finding.rule == "R26"] == [
        "The date of the consent is not recorded; it must lie within 21 days before therapy.",
        "The date of the screening marrow is not recorded; it must lie within 21 days before therapy.",
        "The date of the screening blood count and chemistry is not recorded; it must lie within 14 days before "
        "therapy.",
    ]


def test_a_screening_that_is_too_old_is_counted_in_days() -> None:
    late = met(1, 1, DAY1, consent_on=DAY1 - timedelta(days=22))
    assert "lies 22 days before therapy; at most 21" in sentence(decide(first_dose(criteria=(late,))).findings, "R26")


@pytest.mark.parametrize(("grade", "severities"), [(3, []), (4, [UNLESS]), (5, [UNLESS])])
def test_a_grade_4_in_the_criteria_is_the_principal_investigators(grade: int, severities: list[str]) -> None:
    """§ 10.4: grade 4, at least possibly related, ends treatment; § 8.1.5(3) alone the prescriber could decide."""
    findings = decide(first_dose(criteria=(met(1, 1, DAY1, toxicity_grade=grade),))).findings
    assert said(findings, "R33") == severities
    assert said(findings, "R36") == [UNLESS]
