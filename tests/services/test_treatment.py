"""The course of treatment: every statement and refusal, what is withdrawn, what the rules make of it at a dose."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pharmacy_app.domain.criteria import Criteria, Lab
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.findings import Finding
from pharmacy_app.domain.treatment import (
    Cause,
    CyclePlan,
    Delay,
    LevelChange,
    LevelReason,
    LiverFinding,
    Marrow,
    Omission,
    Removal,
    RemovalReason,
    Response,
    ResponseAssessment,
    RetreatmentOrder,
    Schedule,
    Toxicity,
    TransplantPlan,
    Treatment,
)
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk
from pharmacy_app.services.doses import Decided, DecideForm, WhatIfForm, order, preview, record_decision, what_if
from pharmacy_app.services.printing import print_worksheet
from pharmacy_app.services.subjects import MeasurementForm, record_measurement
from pharmacy_app.services.treatment import (
    CriteriaForm,
    CyclePlanForm,
    DelayForm,
    LabTyped,
    LevelForm,
    MarrowForm,
    OmissionForm,
    RemovalForm,
    ResponseForm,
    RetreatmentForm,
    ToxicityForm,
    TransplantForm,
    WithdrawForm,
    calendar,
    change_level,
    criteria_form,
    criteria_of,
    end_treatment,
    omit_dose,
    order_retreatment,
    plan_cycle,
    record_criteria,
    record_delay,
    record_marrow,
    record_response,
    record_toxicity,
    state_transplant,
    statements,
    treatment_of,
    withdraw,
)
from tests.services.pharmacy import Pharmacy

D = Decimal
MONDAY = date(2026, 3, 2)
INES = "Dr. Ines Vogel"
Service = Callable[[Desk, Act, Any], Event]

PLAN = CyclePlanForm("001", "1", "2", "2026-03-30")
DELAY = DelayForm("001", "1", "1", "8", "toxicity", INES, "ALT is still grade 3")
OMISSION = OmissionForm("001", "1", "1", "15", "toxicity", INES, "2026-03-02", "late by more than 7 days")
LEVEL = LevelForm("001", "1", "3", "-1", "toxicity", INES, "2026-03-02", "grade 3 ALT in cycle 2")
RESPONSE = ResponseForm("001", "1", "1", "2026-03-02", "CRi")
MARROW = MarrowForm("001", "2026-03-02", "4.5")
TOXICITY = ToxicityForm("001", "ALT increased", "3", "yes", "2026-03-02")
REMOVAL = RemovalForm("001", "1", "2026-03-02", "subject's request (10.3)", INES, "wants to go home")
RETREATMENT = RetreatmentForm("001", "2", "later-cycle doses", INES, "2026-03-02", "Letter of 2 March")
TRANSPLANT = TransplantForm("001", "yes")

STATED: list[tuple[Service, Any, str, object]] = [
    (plan_cycle, PLAN, "plans", CyclePlan(1, 2, date(2026, 3, 30))),
    (record_delay, DELAY, "delays", Delay(1, 1, 8, Cause.TOXICITY, INES, MONDAY, "ALT is still grade 3")),
    (
        omit_dose,
        OMISSION,
        "omissions",
        Omission(1, 1, 15, Cause.TOXICITY, INES, MONDAY, "late by more than 7 days"),
    ),
    (
        change_level,
        LEVEL,
        "level_changes",
        LevelChange(1, 3, 0, -1, LevelReason.TOXICITY, INES, MONDAY, "grade 3 ALT in cycle 2"),
    ),
    (record_response, RESPONSE, "responses", ResponseAssessment(1, 1, MONDAY, Response.CRI)),
    (record_marrow, MARROW, "marrows", Marrow(MONDAY, D("4.5"))),
    (record_toxicity, TOXICITY, "toxicities", Toxicity("ALT increased", 3, True, MONDAY)),
    (
        end_treatment,
        REMOVAL,
        "removals",
        Removal(1, MONDAY, RemovalReason.REQUEST, INES, "wants to go home"),
    ),
    (
        order_retreatment,
        RETREATMENT,
        "retreatments",
        RetreatmentOrder(2, Schedule.LATER_CYCLES, INES, MONDAY, "Letter of 2 March"),
    ),
    (state_transplant, TRANSPLANT, "transplants", TransplantPlan(True, MONDAY)),
]
"""Each act with its form as typed, and what the rules find afterwards."""

BY_ACT = {service.__name__: (service, form) for service, form, _, _ in STATED}
BY_ACT["record_criteria"] = (record_criteria, None)


@pytest.fixture
def pharmacy(pharmacy: Pharmacy) -> Pharmacy:
    """A pharmacy with subject 001, who has a marrow of last week and meets every criterion of cycle 1 day 1."""
    pharmacy.enroll()
    return pharmacy


def state(pharmacy: Pharmacy, service: Service, form: object, who: str = "paula") -> Event:
    return service(pharmacy.desk, pharmacy.act(who), form)


def faults(pharmacy: Pharmacy, service: Service, form: object) -> dict[str, str]:
    """What is refused, by field, and that nothing was recorded."""
    before = pharmacy.count()
    with pytest.raises(Refused) as refused:
        state(pharmacy, service, form)
    assert pharmacy.count() == before
    fields = [fault.field for fault in refused.value.faults]
    assert len(fields) == len(set(fields)), refused.value.faults
    return {fault.field: fault.sentence for fault in refused.value.faults}


def treated(pharmacy: Pharmacy) -> Treatment:
    with pharmacy.desk.store.read() as reader:
        return treatment_of(reader, "001")


def lines(pharmacy: Pharmacy) -> list[views.TreatmentLine]:
    with pharmacy.desk.store.read() as reader:
        return list(statements(reader, "001"))


def answers(pharmacy: Pharmacy) -> tuple[Criteria, ...]:
    with pharmacy.desk.store.read() as reader:
        return criteria_of(reader, "001")


def ordered(pharmacy: Pharmacy, **changes: str) -> str:
    return str(order(pharmacy.desk, pharmacy.act("paula"), pharmacy.order_form(**changes)).content["dose_id"])


def judged(pharmacy: Pharmacy, dose_id: str) -> dict[str, Finding]:
    """What the rules say of a dose now, by rule; recorded nowhere."""
    with pharmacy.desk.store.read() as reader:
        decided = preview(pharmacy.desk, reader, DecideForm(dose_id))
    return {finding.rule: finding for finding in decided.decision.findings}


def give(pharmacy: Pharmacy, cycle: str, day: str, level: str, mg_per_m2: str, prescribed: str) -> None:
    """Give a dose from one 1 mg or two 1 mg vials (0.9 mg of each can be drawn), reasons given for every warning."""
    dose_id = ordered(pharmacy, cycle=cycle, day=day, level=level, prescribed=prescribed)
    record_decision(pharmacy.desk, pharmacy.act("paula"), DecideForm(dose_id, reason="as discussed with Dr. Vogel"))
    pharmacy.reserve(dose_id, pharmacy.best(dose_id))
    drawn_ml = D(prescribed) / D("0.25")
    pharmacy.verify(dose_id, dose_mg_per_m2=mg_per_m2, dose_mg=prescribed, drawn_ml=format(drawn_ml, "f"))
    print_worksheet(pharmacy.desk, pharmacy.act("paula"), dose_id)
    pharmacy.prepare(dose_id, ("3.6", format(drawn_ml - D("3.6"), "f")) if drawn_ml > D("3.6") else (str(drawn_ml),))
    pharmacy.label_bag(dose_id)
    pharmacy.release(dose_id)
    pharmacy.give(dose_id, prescribed)


# --- what is stated is what the rules find ----------------------------------------------------------------------


@pytest.mark.parametrize(("service", "form", "name", "entry"), STATED, ids=[service.__name__ for service, *_ in STATED])
def test_a_statement_is_found_by_the_rules_as_it_was_made(
    pharmacy: Pharmacy, service: Service, form: Any, name: str, entry: object
) -> None:
    event = state(pharmacy, service, form)
    assert getattr(treated(pharmacy), name)[-1] == entry
    line = lines(pharmacy)[0]
    assert (line.event_seq, line.kind, line.recorder) == (event.seq, event.kind, "Paula Reyes")
    assert line.why == form.why
    pharmacy.assert_sound()


def test_a_marrow_may_be_recorded_by_the_technician_a_response_not(pharmacy: Pharmacy) -> None:
    state(pharmacy, record_marrow, MARROW, who="tim")
    with pytest.raises(Refused, match="takes a pharmacist"):
        state(pharmacy, record_response, RESPONSE, who="tim")


@pytest.mark.parametrize("act_name", sorted(BY_ACT))
def test_a_retry_is_one_event_and_the_same_one(pharmacy: Pharmacy, act_name: str) -> None:
    service, form = BY_ACT[act_name]
    act = pharmacy.act("paula")
    before = pharmacy.count()
    first = service(pharmacy.desk, act, form or pharmacy.criteria_form())
    assert service(pharmacy.desk, act, form or pharmacy.criteria_form()) == first
    assert pharmacy.count() == before + 1


def test_the_same_act_with_other_content_is_refused(pharmacy: Pharmacy) -> None:
    act = pharmacy.act("paula")
    record_marrow(pharmacy.desk, act, MARROW)
    with pytest.raises(Refused, match="recorded already, with other content"):
        record_marrow(pharmacy.desk, act, replace(MARROW, blasts_percent="5.5"))
    assert treated(pharmacy).marrows[-1].blasts_percent == D("4.5")


@pytest.mark.parametrize("act_name", sorted(BY_ACT))
def test_nothing_is_stated_of_a_stranger(pharmacy: Pharmacy, act_name: str) -> None:
    service, form = BY_ACT[act_name]
    form = replace(form or pharmacy.criteria_form(), subject_number="777")
    assert faults(pharmacy, service, form) == {"subject_number": "Subject 777 is not enrolled."}


def test_a_liver_finding_and_a_grade_by_numbers_are_kept(pharmacy: Pharmacy) -> None:
    state(pharmacy, record_toxicity, replace(TOXICITY, term="VOD", liver="possible VOD", related="no"))
    state(pharmacy, record_toxicity, replace(TOXICITY, term="ANC low", grade="4", numeric_laboratory="yes"))
    assert treated(pharmacy).toxicities == (
        Toxicity("VOD", 3, False, MONDAY, LiverFinding.POSSIBLE_VOD),
        Toxicity("ANC low", 4, True, MONDAY, None, numeric_laboratory=True),
    )


# --- what is refused --------------------------------------------------------------------------------------------

NO_DAY_22 = "Cycle 1 has no dose on day 22; its dosing days are 1, 8, 15."
NO_DAY_15 = "Cycle 2 has no dose on day 15; its dosing days are 1, 8."
LONG = "x" * 501

REFUSED: list[tuple[Service, Any, dict[str, str], str, str]] = [
    # plans
    (plan_cycle, PLAN, {"course": "0"}, "course", "The course is 0, but must be from 1 to 2."),
    (plan_cycle, PLAN, {"course": "3"}, "course", "The course is 3, but must be from 1 to 2."),
    (plan_cycle, PLAN, {"cycle": "0"}, "cycle", "The cycle is 0, but must be from 1 to 6."),
    (plan_cycle, PLAN, {"cycle": "7"}, "cycle", "The cycle is 7, but must be from 1 to 6."),
    (plan_cycle, PLAN, {"cycle": ""}, "cycle", "The cycle must be a whole number from 1 to 6."),
    (plan_cycle, PLAN, {"day1_on": ""}, "day1_on", "A date is needed here."),
    (plan_cycle, PLAN, {"day1_on": "2026-03-01"}, "day1_on", "01-Mar-2026 has passed. A plan is stored before its day"),
    (plan_cycle, PLAN, {"why": LONG}, "why", "longer than 500 characters"),
    # delays
    (record_delay, DELAY, {"day": "22"}, "day", NO_DAY_22),
    (record_delay, DELAY, {"cycle": "2", "day": "15"}, "day", NO_DAY_15),
    (record_delay, DELAY, {"day": "0"}, "day", "The day of the cycle is 0, but must be from 1 to 35."),
    (record_delay, DELAY, {"cause": ""}, "cause", "The cause: choose toxicity or other."),
    (record_delay, DELAY, {"decided_by": " "}, "decided_by", "The name of who decided is missing."),
    (record_delay, DELAY, {"decided_by": "x" * 61}, "decided_by", "longer than 60 characters"),
    (record_delay, DELAY, {"why": ""}, "why", "The reason is missing."),
    (record_delay, DELAY, {"why": LONG}, "why", "longer than 500 characters"),
    # omissions
    (omit_dose, OMISSION, {"day": "22"}, "day", NO_DAY_22),
    (omit_dose, OMISSION, {"cause": "holiday"}, "cause", "choose toxicity or other"),
    (omit_dose, OMISSION, {"decided_by": ""}, "decided_by", "is missing"),
    (omit_dose, OMISSION, {"decided_on": "2026-03-03"}, "decided_on", "03-Mar-2026 is in the future."),
    (omit_dose, OMISSION, {"why": ""}, "why", "The reason is missing."),
    # levels
    (change_level, LEVEL, {"cycle": "1"}, "cycle", "Cycle 1 has no dose levels: a dose may be delayed or omitted."),
    (change_level, LEVEL, {"level": "-3"}, "level", "Level -3 does not exist; the levels are 0, -1, -2."),
    (change_level, LEVEL, {"level": "1"}, "level", "The dose level is 1, but must be from -9 to 0."),
    (change_level, LEVEL, {"level": "0"}, "level", "Level 0 is in force already."),
    (change_level, LEVEL, {"reason": ""}, "reason", "choose toxicity, remission, platelets not recovered or other"),
    (change_level, LEVEL, {"decided_by": ""}, "decided_by", "is missing"),
    (change_level, LEVEL, {"decided_on": "2026-03-03"}, "decided_on", "in the future"),
    (change_level, LEVEL, {"why": ""}, "why", "The reason is missing."),
    # responses, marrows
    (record_response, RESPONSE, {"response": ""}, "response", "choose CR, CRp, CRi, PR, NR or PD"),
    (record_response, RESPONSE, {"assessed_on": "2026-03-03"}, "assessed_on", "in the future"),
    (record_response, RESPONSE, {"cycle": "7"}, "cycle", "from 1 to 6"),
    (record_marrow, MARROW, {"blasts_percent": "100.1"}, "blasts_percent", "Blasts are at most 100 %."),
    (record_marrow, MARROW, {"blasts_percent": "-1"}, "blasts_percent", ""),
    (record_marrow, MARROW, {"blasts_percent": ""}, "blasts_percent", ""),
    (record_marrow, MARROW, {"taken_on": "2026-03-03"}, "taken_on", "in the future"),
    (record_marrow, MARROW, {"why": LONG}, "why", "longer than 500 characters"),
    # toxicities
    (record_toxicity, TOXICITY, {"term": ""}, "term", "The adverse event is missing."),
    (record_toxicity, TOXICITY, {"term": "x" * 81}, "term", "longer than 80 characters"),
    (record_toxicity, TOXICITY, {"grade": "0"}, "grade", "The grade is 0, but must be from 1 to 5."),
    (record_toxicity, TOXICITY, {"grade": "6"}, "grade", "The grade is 6, but must be from 1 to 5."),
    (record_toxicity, TOXICITY, {"related": ""}, "related", "At least possibly related: choose yes or no."),
    (record_toxicity, TOXICITY, {"onset_on": "2026-03-03"}, "onset_on", "in the future"),
    (record_toxicity, TOXICITY, {"liver": "fatty"}, "liver", "choose possible VOD, probable VOD, confirmed VOD or"),
    (record_toxicity, TOXICITY, {"numeric_laboratory": ""}, "numeric_laboratory", "choose yes or no"),
    # the end
    (end_treatment, REMOVAL, {"course": "3"}, "course", "from 1 to 2"),
    (end_treatment, REMOVAL, {"reason": "bored"}, "reason", "The reason: choose no response or progression (10.1),"),
    (end_treatment, REMOVAL, {"removed_on": "2026-03-03"}, "removed_on", "in the future"),
    (end_treatment, REMOVAL, {"decided_by": ""}, "decided_by", "is missing"),
    (end_treatment, REMOVAL, {"why": ""}, "why", "The reason is missing."),
    # a further course
    (order_retreatment, RETREATMENT, {"course": "1"}, "course", "The course is 1, but must be from 2 to 2."),
    (order_retreatment, RETREATMENT, {"schedule": ""}, "schedule", "choose first-cycle doses or later-cycle doses"),
    (order_retreatment, RETREATMENT, {"ordered_by": ""}, "ordered_by", "is missing"),
    (order_retreatment, RETREATMENT, {"ordered_on": "2026-03-03"}, "ordered_on", "in the future"),
    (order_retreatment, RETREATMENT, {"document": ""}, "document", "The document's reference is missing."),
    (state_transplant, TRANSPLANT, {"planned": ""}, "planned", "Transplantation planned: choose yes or no."),
]


@pytest.mark.parametrize(
    ("service", "form", "changes", "field", "words"),
    REFUSED,
    ids=[f"{service.__name__} {changes}"[:70] for service, _, changes, _, _ in REFUSED],
)
def test_a_statement_is_refused_beside_its_one_faulty_field(
    pharmacy: Pharmacy, service: Service, form: Any, changes: dict[str, str], field: str, words: str
) -> None:
    found = faults(pharmacy, service, replace(form, **changes))
    assert list(found) == [field]
    assert words in found[field]


@pytest.mark.parametrize(
    ("service", "form", "changes"),
    [
        (plan_cycle, PLAN, {"day1_on": "2026-03-02", "cycle": "6"}),
        (plan_cycle, PLAN, {"why": "x" * 500}),
        (record_delay, DELAY, {"day": "15", "decided_by": "x" * 60, "why": "x" * 500}),
        (record_delay, DELAY, {"cycle": "2", "day": "8"}),
        (change_level, LEVEL, {"level": "-2", "cycle": "2"}),
        (record_marrow, MARROW, {"blasts_percent": "0"}),
        (record_marrow, MARROW, {"blasts_percent": "100"}),
        (record_toxicity, TOXICITY, {"grade": "1", "term": "x" * 80}),
        (record_toxicity, TOXICITY, {"grade": "5"}),
    ],
)
def test_a_statement_at_its_edge_is_taken(
    pharmacy: Pharmacy, service: Service, form: Any, changes: dict[str, str]
) -> None:
    before = pharmacy.count()
    state(pharmacy, service, replace(form, **changes))
    assert pharmacy.count() == before + 1


def test_all_faults_of_a_form_are_said_at_once(pharmacy: Pharmacy) -> None:
    form = LevelForm("001", "3", "9", "-3", "", "", "2026-03-03", "")
    assert faults(pharmacy, change_level, form).keys() == {
        "course", "cycle", "level", "reason", "decided_by", "decided_on", "why",
    } - {"level"}  # fmt: skip
    # Which levels exist is judged once course and cycle can be read.
    assert faults(pharmacy, change_level, replace(form, course="1", cycle="3")).keys() == {
        "level", "reason", "decided_by", "decided_on", "why",
    }  # fmt: skip


# --- plans ------------------------------------------------------------------------------------------------------


def test_of_two_plans_for_a_cycle_the_first_one_counts(pharmacy: Pharmacy) -> None:
    """A9: a delay is counted from the first planned day; planning anew takes a reason."""
    state(pharmacy, plan_cycle, PLAN)
    later = replace(PLAN, day1_on="2026-04-06")
    assert (
        "Cycle 2 was planned for 30-Mar-2026 first; delays are counted from that day."
        in (faults(pharmacy, plan_cycle, later)["why"])
    )
    state(pharmacy, plan_cycle, replace(later, why="the ward is closed"))
    assert treated(pharmacy).planned_day1(1, 2) == date(2026, 3, 30)
    assert [line.why for line in lines(pharmacy) if line.kind == "cycle_planned"] == ["the ward is closed", ""]


def test_a_first_plan_that_was_withdrawn_leaves_the_second_one_the_first(pharmacy: Pharmacy) -> None:
    slip = state(pharmacy, plan_cycle, PLAN)
    state(pharmacy, plan_cycle, replace(PLAN, day1_on="2026-04-06", why="the ward is closed"))
    state(pharmacy, withdraw, WithdrawForm("001", slip.seq, "typed for the wrong subject"))
    assert treated(pharmacy).planned_day1(1, 2) == date(2026, 4, 6)


def test_plans_of_other_cycles_and_courses_are_their_own(pharmacy: Pharmacy) -> None:
    state(pharmacy, plan_cycle, PLAN)
    state(pharmacy, plan_cycle, replace(PLAN, cycle="3", day1_on="2026-04-27"))
    state(pharmacy, plan_cycle, replace(PLAN, course="2", day1_on="2026-12-01"))
    plans = treated(pharmacy)
    assert [plans.planned_day1(*place) for place in ((1, 2), (1, 3), (2, 2), (2, 3))] == [
        date(2026, 3, 30), date(2026, 4, 27), date(2026, 12, 1), None,
    ]  # fmt: skip


def test_the_calendar_is_drawn_from_the_plan(pharmacy: Pharmacy) -> None:
    state(pharmacy, plan_cycle, CyclePlanForm("001", "1", "1", "2026-03-05"))
    with pharmacy.desk.store.read() as reader:
        first = calendar(pharmacy.desk, reader, "001").of_cycle(1, 1)[0]
    assert first.planned_on == date(2026, 3, 5)


# --- what was given ---------------------------------------------------------------------------------------------


def test_what_was_given_is_neither_planned_nor_delayed_nor_omitted(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.dose("given")
    said = "was given on 02-Mar-2026"
    assert said in faults(pharmacy, plan_cycle, replace(PLAN, cycle="1"))["cycle"]
    assert said in faults(pharmacy, record_delay, replace(DELAY, day="1"))["day"]
    assert said in faults(pharmacy, omit_dose, replace(OMISSION, day="1"))["day"]
    # The next dosing day of the same cycle is open to both.
    state(pharmacy, record_delay, DELAY)
    state(pharmacy, omit_dose, replace(OMISSION, day="8"))


@pytest.mark.parametrize("step", ["ordered", "decided", "planned", "verified", "prepared", "released"])
def test_a_dose_under_way_is_cancelled_before_it_is_omitted(pharmacy: Pharmacy, step: str) -> None:
    pharmacy.stock_up()
    dose_id = pharmacy.dose(step)
    first = replace(OMISSION, day="1")
    assert faults(pharmacy, omit_dose, first) == {"day": f"Dose {dose_id} is under way for that day. Cancel it first."}
    state(pharmacy, omit_dose, replace(OMISSION, day="8"))
    pharmacy.cancel(dose_id)
    state(pharmacy, omit_dose, first)


def test_a_dose_is_omitted_once(pharmacy: Pharmacy) -> None:
    event = state(pharmacy, omit_dose, OMISSION)
    assert faults(pharmacy, omit_dose, OMISSION) == {"day": "Cycle 1 day 15 is omitted already."}
    state(pharmacy, withdraw, WithdrawForm("001", event.seq, "it was day 8"))
    state(pharmacy, omit_dose, OMISSION)


def test_an_omitted_dose_is_stopped_until_the_omission_is_withdrawn(pharmacy: Pharmacy) -> None:
    """An omitted dose is not made up."""
    event = state(pharmacy, omit_dose, replace(OMISSION, day="1"))
    dose_id = ordered(pharmacy)
    assert "was omitted by Dr. Ines Vogel on 02-Mar-2026" in judged(pharmacy, dose_id)["O1"].sentence
    state(pharmacy, withdraw, WithdrawForm("001", event.seq, "a slip"))
    assert "O1" not in judged(pharmacy, dose_id)


# --- levels -----------------------------------------------------------------------------------------------------


def test_after_toxicity_the_level_is_not_raised_again(pharmacy: Pharmacy) -> None:
    state(pharmacy, change_level, replace(LEVEL, cycle="3", level="-1"))
    up = replace(LEVEL, cycle="4", level="0", reason="other")
    assert faults(pharmacy, change_level, up) == {
        "level": "After a reduction to level -1 for toxicity the dose is never raised again."
    }
    state(pharmacy, change_level, replace(up, level="-2"))
    assert [treated(pharmacy).level_in_force(1, cycle) for cycle in (2, 3, 4, 5)] == [0, -1, -2, -2]
    assert "level -2 for toxicity" in faults(pharmacy, change_level, replace(up, cycle="5", level="-1"))["level"]


def test_after_remission_the_level_may_be_raised_and_each_change_names_what_was_before(pharmacy: Pharmacy) -> None:
    state(pharmacy, change_level, replace(LEVEL, reason="remission"))
    state(pharmacy, change_level, replace(LEVEL, cycle="4", level="0", reason="other"))
    assert [(change.before, change.level) for change in treated(pharmacy).level_changes] == [(0, -1), (-1, 0)]


def test_a_level_that_is_in_force_is_no_change(pharmacy: Pharmacy) -> None:
    state(pharmacy, change_level, LEVEL)
    assert faults(pharmacy, change_level, replace(LEVEL, cycle="4")) == {"level": "Level -1 is in force already."}


def test_the_way_back_to_the_level_before_is_to_withdraw_the_change(pharmacy: Pharmacy) -> None:
    event = state(pharmacy, change_level, LEVEL)
    assert faults(pharmacy, change_level, replace(LEVEL, level="0")) == {
        "level": "Cycle 3 was changed from level 0 to level -1. Withdraw that change and say why; level 0 is then in"
        " force again."
    }
    state(pharmacy, withdraw, WithdrawForm("001", event.seq, "meant for 002"))
    assert treated(pharmacy).level_in_force(1, 3) == 0


def test_a_second_change_for_a_cycle_takes_the_first_ones_place(pharmacy: Pharmacy) -> None:
    state(pharmacy, change_level, LEVEL)
    state(pharmacy, change_level, replace(LEVEL, level="-2"))
    changes = treated(pharmacy)
    assert changes.level_in_force(1, 3) == -2
    assert [(change.before, change.level) for change in changes.changes_in_force(1, 3)] == [(0, -2)]


def test_a_reduction_for_toxicity_is_not_hidden_behind_another_reason(pharmacy: Pharmacy) -> None:
    """§ 8.1.6: once reduced for toxicity the dose is not re-escalated; a reason typed over would lift that."""
    event = state(pharmacy, change_level, LEVEL)
    for level in ("-1", "-2"):
        other = replace(LEVEL, level=level, reason="remission")
        assert "withdraw that change first" in faults(pharmacy, change_level, other)["reason"]
    state(pharmacy, withdraw, WithdrawForm("001", event.seq, "it was for remission"))
    state(pharmacy, change_level, replace(LEVEL, reason="remission"))
    state(pharmacy, change_level, LEVEL)


def test_a_level_changes_between_cycles_only(pharmacy: Pharmacy) -> None:
    """Cycle 2 at level 0 is 0.6 mg/m²: 0.6 × 1.82345… = 1.09407…, rounded 1.09 mg."""
    pharmacy.stock_up()
    pharmacy.dose("closed")
    state(pharmacy, omit_dose, replace(OMISSION, day="8", cause="other"))
    state(pharmacy, omit_dose, replace(OMISSION, cause="other"))
    pharmacy.clock.forward(days=28)  # Monday, 30 March 2026: day 29 of cycle 1
    state(pharmacy, record_marrow, MarrowForm("001", pharmacy.day(-7), "3"))
    pharmacy.criteria(cycle="2")
    record_measurement(pharmacy.desk, pharmacy.act("tim"), MeasurementForm("001", pharmacy.day(), weight="70"))
    give(pharmacy, "2", "1", "0", "0.6", "1.09")
    found = faults(pharmacy, change_level, replace(LEVEL, cycle="2", level="-2"))
    assert found == {"cycle": "Cycle 2 began on 30-Mar-2026; its level stays. Change the next cycle's."}
    state(pharmacy, change_level, replace(LEVEL, level="-2"))
    pharmacy.assert_sound()


def test_an_order_at_another_level_stops_until_the_change_is_recorded(pharmacy: Pharmacy) -> None:
    dose_id = ordered(pharmacy, cycle="3", level="-1", prescribed="0.73")
    stopped = judged(pharmacy, dose_id)["R43"]
    assert stopped.sentence.startswith("The order says level -1, but level 0 is in force for cycle 3.")
    event = state(pharmacy, change_level, LEVEL)
    assert "R43" not in judged(pharmacy, dose_id)
    state(pharmacy, withdraw, WithdrawForm("001", event.seq, "meant for 002"))
    assert "R43" in judged(pharmacy, dose_id)


def test_a_withdrawn_reduction_restores_the_level_and_the_ceiling(pharmacy: Pharmacy) -> None:
    event = state(pharmacy, change_level, LEVEL)
    assert (treated(pharmacy).level_in_force(1, 3), treated(pharmacy).toxicity_ceiling(1, 3)) == (-1, -1)
    state(pharmacy, withdraw, WithdrawForm("001", event.seq, "meant for 002"))
    assert (treated(pharmacy).level_in_force(1, 3), treated(pharmacy).toxicity_ceiling(1, 3)) == (0, None)
    pharmacy.assert_sound()


def test_a_retreatment_has_levels_from_its_first_cycle_only_by_order(pharmacy: Pharmacy) -> None:
    """A22: a course that begins with later-cycle doses has a level from its cycle 1 on."""
    first = replace(LEVEL, course="2", cycle="1")
    assert "no dose levels" in faults(pharmacy, change_level, first)["cycle"]
    state(pharmacy, order_retreatment, replace(RETREATMENT, schedule="first-cycle doses"))
    assert "no dose levels" in faults(pharmacy, change_level, first)["cycle"]
    state(pharmacy, order_retreatment, RETREATMENT)
    state(pharmacy, change_level, first)
    assert treated(pharmacy).level_in_force(2, 1) == -1


def test_the_days_of_a_retreatments_first_cycle_are_those_of_its_order(pharmacy: Pharmacy) -> None:
    fifteenth = replace(DELAY, course="2", day="15")
    state(pharmacy, order_retreatment, RETREATMENT)
    assert faults(pharmacy, record_delay, fifteenth) == {
        "day": "Cycle 1 has no dose on day 15; its dosing days are 1, 8."
    }
    state(pharmacy, order_retreatment, replace(RETREATMENT, schedule="first-cycle doses"))
    state(pharmacy, record_delay, fifteenth)


# --- withdrawing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act_name", sorted(BY_ACT))
def test_what_is_withdrawn_counts_no_more_and_stays_readable(pharmacy: Pharmacy, act_name: str) -> None:
    service, form = BY_ACT[act_name]
    before = (treated(pharmacy), answers(pharmacy))
    event = state(pharmacy, service, form or pharmacy.criteria_form(anc=LabTyped("0.4", "", "", pharmacy.day())))
    assert (treated(pharmacy), answers(pharmacy)) != before
    gone = state(pharmacy, withdraw, WithdrawForm("001", event.seq, "typed for the wrong subject"))
    assert (treated(pharmacy), answers(pharmacy)) == before
    line = lines(pharmacy)[0]
    assert (line.event_seq, line.kind, line.withdrawn_seq) == (event.seq, event.kind, gone.seq)
    assert (line.withdrawn_by, line.withdrawn_why) == ("Paula Reyes", "typed for the wrong subject")
    assert line.entry == event.content["entry"]
    pharmacy.assert_sound()


def test_a_statement_is_withdrawn_once_by_a_pharmacist_and_with_a_reason(pharmacy: Pharmacy) -> None:
    event = state(pharmacy, record_toxicity, TOXICITY)
    form = WithdrawForm("001", event.seq, "a slip.")
    assert faults(pharmacy, withdraw, replace(form, why=" ")) == {"why": "The reason is missing. Type it here."}
    assert "longer than 500" in faults(pharmacy, withdraw, replace(form, why=LONG))["why"]
    with pytest.raises(Refused, match="takes a pharmacist"):
        state(pharmacy, withdraw, form, who="tim")
    act = pharmacy.act("paula")
    first = withdraw(pharmacy.desk, act, form)
    assert withdraw(pharmacy.desk, act, form) == first
    assert faults(pharmacy, withdraw, form) == {
        "event_seq": f"Entry {event.seq} was withdrawn already by Paula Reyes: a slip."
    }


def test_only_a_statement_on_that_subject_is_withdrawn(pharmacy: Pharmacy) -> None:
    """Not another subject's, not an event of another kind, not one that is not there, not a withdrawal; all at once."""
    pharmacy.enroll("002")
    event = state(pharmacy, record_toxicity, TOXICITY)
    dose_id = ordered(pharmacy)
    order_seq = next(line.seq for line in pharmacy.events("dose_ordered") if line.content["dose_id"] == dose_id)
    for number, seq in (("002", event.seq), ("001", order_seq), ("001", 999_999), ("001", 0)):
        assert faults(pharmacy, withdraw, WithdrawForm(number, seq, "")) == {
            "why": "The reason is missing. Type it here.",
            "event_seq": f"Entry {seq} is no statement on subject {number}.",
        }
    gone = state(pharmacy, withdraw, WithdrawForm("001", event.seq, "a slip"))
    assert "no statement" in faults(pharmacy, withdraw, WithdrawForm("001", gone.seq, "no slip"))["event_seq"]


# --- criteria ---------------------------------------------------------------------------------------------------


def test_criteria_recorded_again_the_newest_answers_count(pharmacy: Pharmacy) -> None:
    """A toxicity of grade 2 has not recovered to grade 1 (§ 8.1.5(3))."""
    dose_id = ordered(pharmacy)
    assert "R36" not in judged(pharmacy, dose_id)
    grade_2 = pharmacy.criteria(toxicity_grade="2")
    assert judged(pharmacy, dose_id)["R36"].blocks
    pharmacy.criteria()
    assert "R36" not in judged(pharmacy, dose_id)
    assert [each.toxicity_grade for each in answers(pharmacy)] == [0, 2, 0]
    state(pharmacy, withdraw, WithdrawForm("001", lines(pharmacy)[0].event_seq, "a slip"))
    assert "R36" in judged(pharmacy, dose_id)
    state(pharmacy, withdraw, WithdrawForm("001", grade_2.seq, "a slip"))
    assert "R36" not in judged(pharmacy, dose_id)


def test_criteria_come_back_as_the_form_they_were_typed_in(pharmacy: Pharmacy) -> None:
    """What is not known stays not known; typed again it is the same record."""
    on = pharmacy.day()
    form = replace(
        pharmacy.criteria_form(),
        only_cns_or_testis="yes",
        gilbert="",
        alt=LabTyped(),
        alkaline_phosphatase=LabTyped("100", "", "", on),
        platelets=LabTyped("100", "", "", on),
        consent_on="",
        toxicity_grade="",
    )
    state(pharmacy, record_criteria, form)
    first = answers(pharmacy)[-1]
    assert first.bilirubin == Lab(D("0.8"), "mg/dL", MONDAY, D("1.2"))
    assert (first.progression, first.only_cns_or_testis, first.gilbert) == (False, True, None)
    assert (first.alt, first.consent_on, first.toxicity_grade) == (None, None, None)
    shown = criteria_form(first, "001")
    # The unit that a value always has is filled in.
    units = {
        name: replace(getattr(form, name), unit=unit)
        for name, unit in (
            ("ast", "U/L"),
            ("alkaline_phosphatase", "U/L"),
            ("creatinine_clearance", "mL/min"),
            ("anc", "10⁹/L"),
            ("platelets", "10⁹/L"),
        )
    }
    assert shown == replace(form, **units)
    assert shown.platelets.value == "100"
    state(pharmacy, record_criteria, shown)
    assert answers(pharmacy)[-1] == first


def test_criteria_in_which_nothing_is_known_are_taken_and_nothing_is_met(pharmacy: Pharmacy) -> None:
    empty = CriteriaForm("001", "1", "1", "1", pharmacy.day(), INES)
    state(pharmacy, record_criteria, empty)
    assert answers(pharmacy)[-1] == Criteria(1, 1, 1, assessed_on=MONDAY, assessed_by=INES)
    stopped = judged(pharmacy, ordered(pharmacy))
    assert {"R36", "R37", "R38", "R39"} <= {rule for rule, finding in stopped.items() if finding.blocks}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"day": "22"}, "day", NO_DAY_22),
        ({"cycle": "7"}, "cycle", "from 1 to 6"),
        ({"assessed_on": "2026-03-03"}, "assessed_on", "in the future"),
        ({"assessed_by": ""}, "assessed_by", "The name of who read the criteria is missing."),
        ({"progression": "perhaps"}, "progression", "The answer: choose yes or no, or leave it open."),
        ({"toxicity_grade": "6"}, "toxicity_grade", "The grade is 6, but must be from 0 to 5."),
        ({"toxicity_baseline_grade": "low"}, "toxicity_baseline_grade", "whole number from 0 to 5"),
        ({"consent_on": "2026-03-03"}, "consent_on", "in the future"),
        (
            {"bilirubin": LabTyped("0.8", "mg/dL", "", "2026-03-02")},
            "bilirubin.upper_limit",
            "Bilirubin is judged by its upper limit of normal. Type the laboratory's own.",
        ),
        ({"bilirubin": LabTyped("0.8", "", "1.2", "2026-03-02")}, "bilirubin.unit", "The unit of Bilirubin is missing"),
        (
            {"bilirubin": LabTyped("", "mg/dL", "1.2", "")},
            "bilirubin.value",
            "Bilirubin: the upper limit is typed, the value is missing.",
        ),
        ({"bilirubin": LabTyped("3", "mg/dL", "20", "2026-03-02")}, "bilirubin.upper_limit", "in the same unit"),
        ({"bilirubin": LabTyped("30", "µmol/L", "1.2", "2026-03-02")}, "bilirubin.upper_limit", "in the same unit"),
        ({"bilirubin": LabTyped("0.8", "g/L", "1.2", "2026-03-02")}, "bilirubin.unit", "mg/dL or µmol/L"),
        ({"ast": LabTyped("90", "", "400", "2026-03-02")}, "ast.upper_limit", "no upper limit of normal"),
        ({"anc": LabTyped("800", "", "", "2026-03-02")}, "anc.value", "per µL is divided by 1000"),
        ({"platelets": LabTyped("45000", "", "", "2026-03-02")}, "platelets.value", "per µL is divided by 1000"),
        ({"creatinine_clearance": LabTyped("401", "", "", "2026-03-02")}, "creatinine_clearance.value", "not possible"),
        ({"ast": LabTyped("30", "", "0", "2026-03-02")}, "ast.upper_limit", ""),
        ({"alt": LabTyped("a lot", "", "40", "2026-03-02")}, "alt.value", ""),
        ({"anc": LabTyped("2.1", "", "", "")}, "anc.taken_on", "A date is needed here."),
        ({"platelets": LabTyped("120", "", "", "2026-03-03")}, "platelets.taken_on", "in the future"),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused_beside_its_field(
    pharmacy: Pharmacy, changes: dict[str, Any], field: str, words: str
) -> None:
    found = faults(pharmacy, record_criteria, pharmacy.criteria_form(**changes))
    assert list(found) == [field]
    assert words in found[field]


def test_values_at_the_edge_of_what_is_possible_are_taken(pharmacy: Pharmacy) -> None:
    """Both ends of each range belong to it; either unit of bilirubin, however its µ is typed."""
    on = pharmacy.day()
    for unit, limits in (("MG/DL", ("0.5", "3")), ("umol/L", ("8", "50")), ("\u03bcmol/l", ("8", "50"))):
        for limit in limits:
            pharmacy.criteria(bilirubin=LabTyped("0.8", unit, limit, on))
            assert answers(pharmacy)[-1].bilirubin == Lab(
                D("0.8"), "mg/dL" if "D" in unit else "\u00b5mol/L", MONDAY, D(limit)
            )
    for limit in ("10", "300"):
        pharmacy.criteria(ast=LabTyped("30", "", limit, on), alt=LabTyped("30", "", limit, on))
    pharmacy.criteria(
        anc=LabTyped("100", "", "", on),
        platelets=LabTyped("3000", "", "", on),
        creatinine_clearance=LabTyped("400", "", "", on),
    )


def test_all_faults_of_the_criteria_are_said_at_once(pharmacy: Pharmacy) -> None:
    form = CriteriaForm(
        "001", "1", "1", "2", "", "", progression="?", toxicity_grade="9", consent_on="soon", ast=LabTyped("30")
    )
    assert faults(pharmacy, record_criteria, form).keys() == {
        "day", "assessed_on", "assessed_by", "progression", "toxicity_grade", "consent_on", "ast.upper_limit",
        "ast.taken_on",
    }  # fmt: skip


# --- a decided dose ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grade", "related", "stops"), [("3", "yes", False), ("4", "no", False), ("4", "yes", True), ("5", "yes", True)]
)
def test_a_toxicity_after_the_decision_holds_the_dose_up(
    pharmacy: Pharmacy, grade: str, related: str, stops: bool
) -> None:
    """Grade 4 at least possibly related ends treatment (§ 10.4): no vial is reserved for the dose any more."""
    pharmacy.stock_up()
    dose_id = pharmacy.dose("decided")
    event = state(pharmacy, record_toxicity, replace(TOXICITY, grade=grade, related=related))
    units = pharmacy.best(dose_id) if not stops else tuple(vial.unit_number for vial in pharmacy.vials()[:2])
    if not stops:
        pharmacy.reserve(dose_id, units)
        return
    before = pharmacy.count()
    with pytest.raises(Refused, match=rf"what rule R33 says \(ALT increased, grade {grade}") as refused:
        pharmacy.reserve(dose_id, units)
    assert "Decide it again" in refused.value.faults[0].sentence
    assert pharmacy.count() == before
    state(pharmacy, withdraw, WithdrawForm("001", event.seq, "it was grade 2"))
    pharmacy.reserve(dose_id, units)


def test_criteria_recorded_after_the_decision_hold_the_dose_up_when_they_are_not_met(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    dose_id = pharmacy.dose("decided")
    units = pharmacy.best(dose_id)
    pharmacy.criteria(creatinine_clearance=LabTyped("14.9", "", "", pharmacy.day()))
    with pytest.raises(Refused, match="what rule R39 says"):
        pharmacy.reserve(dose_id, units)
    # At the limit itself (15 mL/min) the criterion is met.
    pharmacy.criteria(creatinine_clearance=LabTyped("15", "", "", pharmacy.day()))
    pharmacy.reserve(dose_id, units)


# --- what if ----------------------------------------------------------------------------------------------------


def tried(pharmacy: Pharmacy, **changes: str) -> Decided:
    with pharmacy.desk.store.read() as reader:
        return what_if(pharmacy.desk, reader, WhatIfForm(**changes))


def test_what_if_answers_for_another_weight_and_records_nothing(pharmacy: Pharmacy) -> None:
    """171 cm and 80 kg: √(171 × 80 / 3600) = √3.8 = 1.94935… m²; × 0.8 = 1.55948… mg, rounded 1.56 mg."""
    dose_id = pharmacy.dose("decided")
    before, thread = pharmacy.count(), pharmacy.thread(dose_id)
    assert tried(pharmacy, dose_id=dose_id).decision.planned_mg == D("1.46")
    assert tried(pharmacy, dose_id=dose_id, weight_kg="80").decision.planned_mg == D("1.56")
    assert (pharmacy.count(), pharmacy.thread(dose_id)) == (before, thread)
    assert tried(pharmacy, dose_id=dose_id).decision.planned_mg == D("1.46")


def test_what_if_answers_for_another_day_and_level(pharmacy: Pharmacy) -> None:
    """Level -1 on day 1 of cycle 3 is 0.4 mg/m²: 0.4 × 1.82345… = 0.72938… mg, rounded 0.73 mg."""
    dose_id = ordered(pharmacy, cycle="3", prescribed="1.09")
    before = pharmacy.count()
    assert tried(pharmacy, dose_id=dose_id).decision.planned_mg == D("1.09")
    lower = tried(pharmacy, dose_id=dose_id, level="-1")
    assert lower.decision.planned_mg == D("0.73")
    assert "R43" in {finding.rule for finding in lower.decision.findings}
    # A weight of day 1 may be 7 days old (§ 8.1.3): on the 7th day it still is, on the 8th no more.
    for days, stale in ((7, False), (8, True)):
        later = tried(pharmacy, dose_id=dose_id, planned_on=(MONDAY + timedelta(days=days)).isoformat())
        assert later.request.planned_on == MONDAY + timedelta(days=days)
        assert ("R13" in {finding.rule for finding in later.decision.findings if finding.blocks}) is stale
    assert pharmacy.count() == before


def test_what_if_is_refused_with_every_fault_at_once(pharmacy: Pharmacy) -> None:
    dose_id = ordered(pharmacy)
    with pytest.raises(Refused) as refused:
        tried(pharmacy, dose_id=dose_id, weight_kg="heavy", planned_on="soon", level="1")
    assert [fault.field for fault in refused.value.faults] == ["planned_on", "level", "weight_kg"]
    with pytest.raises(Refused, match="There is no dose D9999"):
        tried(pharmacy, dose_id="D9999")


def test_a_course_ends_once(pharmacy: Pharmacy) -> None:
    first = end_treatment(pharmacy.desk, pharmacy.act("paula"), REMOVAL)
    with pytest.raises(Refused, match="ended on 02-Mar-2026 already") as refused:
        end_treatment(pharmacy.desk, pharmacy.act("paula"), replace(REMOVAL, reason="other"))
    assert [fault.field for fault in refused.value.faults] == ["course"]
    withdraw(pharmacy.desk, pharmacy.act("paula"), WithdrawForm("001", first.seq, "another subject was meant"))
    end_treatment(pharmacy.desk, pharmacy.act("paula"), replace(REMOVAL, reason="other"))


def test_toxicity_raises_no_level(pharmacy: Pharmacy) -> None:
    change_level(pharmacy.desk, pharmacy.act("paula"), replace(LEVEL, reason="remission"))
    with pytest.raises(Refused, match="never raises") as refused:
        change_level(pharmacy.desk, pharmacy.act("paula"), replace(LEVEL, cycle="4", level="0"))
    assert [fault.field for fault in refused.value.faults] == ["reason"]
