"""Medication errors: anybody reports one, a pharmacist assesses it, and who was told when stays on record.

The usual case: 1.46 mg prescribed and prepared, 1.2 mg given. (1.2 − 1.46) ÷ 1.46 = −17.808… %: a dosing error.
The clock of the tests stands at Monday, 2 March 2026, 08:00 in Chicago; the infusion runs from 08:00 to 09:00.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from db.projections import Insert, changes_of
from labels.papers import PdfPapers
from labels.proof import page_texts
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.medication_errors import MerpAnswers
from pharmacy_app.domain.protocol import shipped_protocol
from pharmacy_app.services import views
from pharmacy_app.services.administration import AdministrationForm, administer, infusion_findings, off_the_plan
from pharmacy_app.services.export import export_files
from pharmacy_app.services.medication_errors import (
    AssessForm,
    ErrorForm,
    ErrorLists,
    ErrorRecord,
    MerpTyped,
    SaeTyped,
    TellForm,
    ToldTyped,
    assess_error,
    error_lists,
    error_record,
    record_error,
    tell,
)
from pharmacy_app.services.printing import print_medication_error
from pharmacy_app.services.questions import today
from tests.databases import other_hands
from tests.services.pharmacy import PEOPLE, Pharmacy, desk_at

PROTOCOL = shipped_protocol()

NEAR_MISS = ErrorForm("The 4 mg vial was taken for the 1 mg one and put back", "preparation", "wrong drug")

REACHED = MerpTyped(actual_error="yes", reached_subject="yes", death="no")
NO_HARM = replace(REACHED, harmed="no", monitoring="no")  # C
TEMPORARY = replace(REACHED, harmed="yes", sustain_life="no", permanent_harm="no")
IN_HOSPITAL = replace(TEMPORARY, hospitalization="yes")  # F
TREATED = replace(TEMPORARY, hospitalization="no")  # E
DEATH = MerpTyped(actual_error="yes", reached_subject="yes", death="yes")  # I
BEFORE_REACHING = MerpTyped(actual_error="yes", reached_subject="no")  # B

SAE = SaeTyped("eSAE 118", "2026-03-02 09:00", "no", "yes")


@pytest.fixture
def ready(pharmacy: Pharmacy) -> Pharmacy:
    """Vials on the shelf and a subject of 171 cm and 70 kg enrolled."""
    pharmacy.stock_up()
    pharmacy.enroll()
    return pharmacy


@pytest.fixture
def wrong(ready: Pharmacy) -> Pharmacy:
    """1.2 mg of 1.46 mg given: the dosing rule has opened a record. It is 09:00."""
    ready.give(ready.dose("released"), "1.2")
    return ready


def lines(pharmacy: Pharmacy) -> list[views.ErrorLine]:
    """Every record, newest first."""
    with pharmacy.desk.store.read() as reader:
        return list(reader.errors())


def record(pharmacy: Pharmacy, error_id: str = "") -> ErrorRecord:
    """A record as it stands now; the newest one unless named."""
    with pharmacy.desk.store.read() as reader:
        return error_record(pharmacy.desk, reader, error_id or reader.errors()[0].error_id)


def lists(pharmacy: Pharmacy) -> ErrorLists:
    """The lists as they stand now."""
    with pharmacy.desk.store.read() as reader:
        return error_lists(reader)


def report(pharmacy: Pharmacy, form: ErrorForm = NEAR_MISS, who: str = "tim", **changes: Any) -> str:
    """Report an error; returns its number."""
    return str(record_error(pharmacy.desk, pharmacy.act(who), replace(form, **changes)).content["error_id"])


def assess_form(pharmacy: Pharmacy, **changes: Any) -> AssessForm:
    """The newest record assessed as an error of category C."""
    form = AssessForm(lines(pharmacy)[0].error_id, "error", "administration", "wrong dose", NO_HARM)
    return replace(form, **changes)


def assess(pharmacy: Pharmacy, **changes: Any) -> Event:
    """Paula assesses and signs."""
    return assess_error(pharmacy.desk, pharmacy.act("paula"), assess_form(pharmacy, **changes), pharmacy.sign("paula"))


def faults(act: Callable[[], object]) -> list[tuple[str, str]]:
    """Field and sentence of everything that is refused."""
    with pytest.raises(Refused) as refused:
        act()
    return [(fault.field, fault.sentence) for fault in refused.value.faults]


# --- reporting ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", sorted(PEOPLE))
def test_everybody_reports_a_near_miss_with_three_words(pharmacy: Pharmacy, who: str) -> None:
    error_id = report(pharmacy, who=who)
    kept = record(pharmacy, error_id)
    assert kept.line.source == "person"
    assert not kept.by_rule
    assert (kept.line.status, kept.line.verdict, kept.line.category) == ("open", "", "")
    assert kept.line.found_by == kept.line.opened_by == PEOPLE[who][0]
    assert kept.line.found_at == datetime.fromisoformat("2026-03-02T08:00:00-06:00")
    # What nobody said is not known.
    assert (kept.line.occurred_at, kept.line.occurred_on, kept.line.reached_subject) == (None, None, "")
    assert (kept.line.prescribed_mg, kept.line.administered_mg, kept.dose) == (None, None, None)
    assert kept.clocks == ()
    pharmacy.assert_sound()


def test_reports_and_the_dosing_rule_count_together(wrong: Pharmacy) -> None:
    first = lines(wrong)[0]
    assert (first.source, first.error_id[:7]) == ("dosing rule", "E000001")
    assert report(wrong)[:7] == "E000002"
    assert [line.source for line in lines(wrong)] == ["person", "dosing rule"]
    with wrong.desk.store.read() as reader:
        assert len(today(wrong.desk, reader).open_errors) == 2


def test_a_report_about_a_dose_takes_subject_and_doses_from_it(ready: Pharmacy) -> None:
    dose_id = ready.dose("given")
    form = ErrorForm("Ordered by the old weight", "prescribing", "wrong dose", dose_id=dose_id, reached_subject="yes")
    kept = record(ready, report(ready, form))
    assert (kept.line.dose_id, kept.line.subject_number) == (dose_id, "001")
    assert (kept.line.prescribed_mg, kept.line.administered_mg) == (Decimal("1.46"), Decimal("1.46"))
    assert kept.line.difference == "0 %"
    assert kept.dose is not None and kept.dose.cycle == 1


def test_a_report_before_the_dose_is_given_knows_what_was_prescribed_only(ready: Pharmacy) -> None:
    dose_id = ready.dose("ordered")
    line = record(ready, report(ready, dose_id=dose_id, subject_number="001")).line
    assert (line.prescribed_mg, line.administered_mg, line.difference) == (Decimal("1.46"), None, "")


def test_a_report_keeps_all_that_is_said(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    form = replace(
        NEAR_MISS,
        found_at="2026-03-02 07:50",
        occurred_at="2026-03-02 07:45",
        subject_number="001",
        found_by="Nurse J. Abara",
        reached_subject="no",
        action="put back, the shelf was marked",
    )
    line = record(pharmacy, report(pharmacy, form)).line
    assert line.found_at == datetime.fromisoformat("2026-03-02T07:50:00-06:00")
    assert line.occurred_at == datetime.fromisoformat("2026-03-02T07:45:00-06:00")
    assert (line.found_by, line.opened_by, line.reached_subject) == ("Nurse J. Abara", "Tim Lindqvist", "no")
    assert (line.stage, line.error_type, line.subject_number) == ("preparation", "wrong drug", "001")
    assert line.action == "put back, the shelf was marked"
    assert "Tim Lindqvist reported: The 4 mg vial" in line.sentence


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"what_happened": "  "}, "what_happened", "missing"),
        ({"what_happened": "x" * 2001}, "what_happened", "longer than 2000"),
        ({"stage": ""}, "stage", "choose prescribing"),
        ({"stage": "storage"}, "stage", "choose prescribing"),
        ({"error_type": ""}, "error_type", "choose wrong dose"),
        ({"found_at": "this morning"}, "found_at", "A date and a time"),
        ({"found_at": "2026-03-02 08:01"}, "found_at", "is in the future"),
        ({"occurred_at": "2026-03-02 08:01"}, "occurred_at", "is in the future"),
        ({"found_at": "2026-03-02 07:30", "occurred_at": "2026-03-02 07:31"}, "occurred_at", "cannot occur after"),
        ({"subject_number": "009"}, "subject_number", "is not enrolled here"),
        ({"dose_id": "D000009X"}, "dose_id", "There is no dose D000009X"),
        ({"reached_subject": "perhaps"}, "reached_subject", "answer yes or no"),
        ({"error_type": "omitted", "reached_subject": "no"}, "reached_subject", "A dose left out reaches"),
        ({"found_by": "x" * 61}, "found_by", "longer than 60"),
        ({"action": "x" * 2001}, "action", "longer than 2000"),
    ],
)
def test_a_report_names_its_fault(pharmacy: Pharmacy, changes: dict[str, Any], field: str, words: str) -> None:
    before = pharmacy.count()
    ((at, sentence),) = faults(lambda: report(pharmacy, **changes))
    assert at == field
    assert words in sentence
    assert pharmacy.count() == before


def test_a_report_names_all_its_faults_at_once(pharmacy: Pharmacy) -> None:
    form = ErrorForm("", "", "", found_at="soon", dose_id="D000009X")
    assert [field for field, _ in faults(lambda: report(pharmacy, form))] == [
        "what_happened",
        "stage",
        "error_type",
        "found_at",
        "dose_id",
    ]


def test_a_dose_of_another_subject_is_refused(ready: Pharmacy) -> None:
    ready.enroll("002")
    dose_id = ready.dose("ordered")
    ((field, words),) = faults(lambda: report(ready, dose_id=dose_id, subject_number="002"))
    assert field == "subject_number"
    assert "is of subject 001, not 002" in words


def test_the_exact_moment_of_finding_may_be_that_of_the_error(pharmacy: Pharmacy) -> None:
    """Found in the minute in which it occurred, which is this minute, 20 seconds ago."""
    pharmacy.clock.forward(seconds=20)
    line = record(pharmacy, report(pharmacy, occurred_at=pharmacy.time())).line
    assert line.occurred_at == line.found_at


# --- the dosing rule's own record -----------------------------------------------------------------------------


def test_the_rule_s_record_knows_what_is_certain(wrong: Pharmacy) -> None:
    line = lines(wrong)[0]
    assert (line.stage, line.error_type, line.reached_subject) == ("administration", "wrong dose", "yes")
    assert line.occurred_at == datetime.fromisoformat("2026-03-02T08:00:00-06:00")
    assert line.occurred_on is not None and line.occurred_on.isoformat() == "2026-03-02"
    assert (line.found_by, line.stopped_for, line.status) == ("Paula Reyes", "", "open")


def test_an_infusion_stopped_for_a_reaction_says_so_in_its_record(ready: Pharmacy) -> None:
    """RULES A23: less than 90 % is by the letter an error; a person confirms."""
    ready.give(ready.dose("released"), "1.2", stopped_for="reaction", note="chills at 40 min")
    line = lines(ready)[0]
    assert line.stopped_for == "reaction"
    assert "stopped part-way for a reaction" in line.sentence
    assert line.what_happened == "chills at 40 min"


def test_an_infusion_stopped_for_another_reason_says_so_too(ready: Pharmacy) -> None:
    ready.give(ready.dose("released"), "1.2", stopped_for="other")
    assert "stopped part-way for another reason" in lines(ready)[0].sentence


def test_nothing_given_is_a_dose_left_out(ready: Pharmacy) -> None:
    ready.give(ready.dose("released"), "0")
    assert lines(ready)[0].error_type == "omitted"


def test_a_record_of_before_is_read_with_what_it_held(wrong: Pharmacy) -> None:
    """Events written before the stop and the type were asked for."""
    with wrong.desk.store.read() as reader:
        seq = wrong.events("dose_administered")[-1].seq
        body = reader.journal()[seq - 1][1]
    event = Event.from_body(body)
    old = {**event.content, "administration": dict(event.content["administration"])}
    old["medication_error"] = {**old["medication_error"]}
    del old["medication_error"]["error_type"]
    del old["administration"]["stopped_for"]
    del old["administration"]["premedicated_at"]
    rows = [
        change.row
        for change in changes_of(replace(event, content=old))
        if isinstance(change, Insert) and change.table == "medication_error"
    ]
    assert [(row["error_type"], row["stopped_for"], row["source"]) for row in rows] == [
        ("wrong dose", "", "dosing rule")
    ]


# --- what is said of the infusion -----------------------------------------------------------------------------


def test_given_as_prescribed_but_off_the_plan_is_said_and_is_no_dosing_error(ready: Pharmacy) -> None:
    """Planned 1.45876… mg, prescribed 1.41 (−3.3 %), given 1.3: −7.8 % of prescribed, −10.9 % of planned (RULES A4)."""
    event = ready.give(ready.dose("released", prescribed="1.41"), "1.3")
    assert event.content["medication_error"] is None
    (finding,) = event.content["administration"]["findings"]
    assert (finding["rule"], finding["severity"], finding["section"]) == ("A4", "info", "8.1.3")
    assert "prescribing error" in finding["sentence"]
    assert lines(ready) == []


def test_off_the_prescribed_dose_the_plan_is_not_said_beside(wrong: Pharmacy) -> None:
    given = wrong.events("dose_administered")[-1].content["administration"]
    assert [finding["rule"] for finding in given["findings"]] == ["R17"]


@pytest.mark.parametrize(
    ("given", "planned", "said"),
    [
        ("0.9", "1", True),  # exactly 10 % less
        ("1.1", "1", True),
        ("0.90000001", "1", False),
        ("1.09999999", "1", False),
        ("1", None, False),
    ],
)
def test_off_the_plan_begins_at_exactly_ten_per_cent(given: str, planned: str | None, said: bool) -> None:
    found = off_the_plan(Decimal(given), None if planned is None else Decimal(planned), PROTOCOL)
    assert [finding.rule for finding in found] == ["A4"] * said


START = datetime.fromisoformat("2026-03-02T10:00:00-06:00")


@pytest.mark.parametrize(
    ("minutes", "said"), [(60, False), (30, False), (29, True), (120, False), (121, True), (1, True)]
)
def test_the_infusion_s_length_is_said_under_half_and_over_double(minutes: int, said: bool) -> None:
    found = infusion_findings(START, START + timedelta(minutes=minutes), None, PROTOCOL)
    assert [finding.rule for finding in found] == ["R9"] * said
    if said:
        assert f"lasted {minutes} min" in found[0].sentence


@pytest.mark.parametrize(
    ("before", "said"),
    [(30, ""), (29, "29 min before"), (120, ""), (121, "121 min before"), (75, ""), (-5, "5 min after the start")],
)
def test_premedication_is_said_outside_its_window(before: int, said: str) -> None:
    """About 0.5 to 2 h before: both ends are inside (R10)."""
    found = infusion_findings(START, START + timedelta(hours=1), START - timedelta(minutes=before), PROTOCOL)
    assert [finding.rule for finding in found] == ["R10"] * bool(said)
    if said:
        assert said in found[0].sentence


def test_stop_and_premedication_stand_on_the_administration(ready: Pharmacy) -> None:
    event = ready.give(
        ready.dose("released"), stopped_for="other", premedicated_at="2026-03-02 07:35", ended_at="2026-03-02 08:20"
    )
    given = event.content["administration"]
    assert (given["stopped_for"], given["premedicated_at"]) == ("other", "2026-03-02T07:35:00-06:00")
    # 20 min of infusion, premedicated 25 min before.
    assert [finding["rule"] for finding in given["findings"]] == ["R9", "R10"]
    assert event.content["medication_error"] is None


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"stopped_for": "tired"}, "stopped_for", "choose reaction or other"),
        ({"premedicated_at": "2026-03-02 09:01"}, "premedicated_at", "is in the future"),
        ({"premedicated_at": "before"}, "premedicated_at", "A date and a time"),
    ],
)
def test_stop_and_premedication_name_their_faults(
    ready: Pharmacy, changes: dict[str, str], field: str, words: str
) -> None:
    dose_id = ready.dose("released")
    ready.clock.forward(minutes=60)
    form = AdministrationForm(dose_id, "2026-03-02 08:00", "2026-03-02 09:00", "1.46", "mg")
    ((at, sentence),) = faults(lambda: administer(ready.desk, ready.act("paula"), replace(form, **changes)))
    assert at == field
    assert words in sentence


# --- assessing ------------------------------------------------------------------------------------------------


def test_an_assessment_computes_the_category_and_closes_the_record(wrong: Pharmacy) -> None:
    event = assess(wrong, cause="pump rate", action="investigator told", assessed_by="Dr. Ines Vogel")
    kept = record(wrong)
    assert (kept.line.status, kept.line.verdict, kept.line.category) == ("assessed", "error", "C")
    newest = kept.newest
    assert newest is not None and newest.category is not None
    assert (newest.category.letter, newest.signed_by, newest.assessed_by) == ("C", "Paula Reyes", "Dr. Ines Vogel")
    assert newest.answers == MerpAnswers(True, True, False, False, None, None, None, False)
    assert (newest.cause, newest.adverse_event, newest.sae) == ("pump rate", "", None)
    assert event.signatures[0].meaning == "Assessed the medication error"
    with wrong.desk.store.read() as reader:
        assert today(wrong.desk, reader).open_errors == ()
    wrong.assert_sound()


def test_no_error_needs_its_reason_and_the_record_stays(wrong: Pharmacy) -> None:
    no_error = {"verdict": "not an error", "answers": MerpTyped()}
    assert faults(lambda: assess(wrong, **no_error))[0][0] == "reason"
    assess(wrong, **no_error, reason="stopped for a reaction", stopped_for="reaction")
    kept = record(wrong)
    assert (kept.line.status, kept.line.verdict, kept.line.category) == ("assessed", "not an error", "")
    assert (kept.line.stopped_for, kept.line.reached_subject) == ("reaction", "yes")
    assert kept.newest is not None and kept.newest.next_question is None
    assert lists(wrong).no_errors == (kept.line,)


def test_a_stop_that_was_none_is_taken_back(ready: Pharmacy) -> None:
    ready.give(ready.dose("released"), "1.2", stopped_for="reaction")
    assess(ready)
    assert record(ready).line.stopped_for == "reaction"
    assess(ready, stopped_for="not stopped", reason="the ward typed the wrong subject")
    assert record(ready).line.stopped_for == ""


def test_assessed_again_both_stay_and_the_newest_counts(wrong: Pharmacy) -> None:
    assess(wrong)
    wrong.clock.forward(days=1)
    ((field, words),) = faults(lambda: assess(wrong))
    assert field == "reason"
    assert "assessed before" in words
    assess(wrong, answers=TREATED, adverse_event="adverse event, not serious", reason="fever came in the night")
    kept = record(wrong)
    assert [each.category.letter for each in kept.assessments if each.category] == ["E", "C"]
    assert kept.line.category == "E"
    assert kept.newest == kept.assessments[0]
    wrong.assert_sound()


def test_while_a_question_is_open_the_record_stays_open_and_its_clocks_run(wrong: Pharmacy) -> None:
    """In intensive care: whether the harm is permanent nobody knows yet, but the event is serious."""
    answers = replace(REACHED, harmed="yes", sustain_life="no")
    assess(wrong, answers=answers, adverse_event="serious adverse event", sae=SAE)
    kept = record(wrong)
    assert (kept.line.status, kept.line.category) == ("open", "")
    assert kept.newest is not None
    assert (kept.newest.category, kept.newest.next_question) == (None, "permanent_harm")
    assert len(kept.clocks) == 2


def test_times_of_finding_and_occurring_are_corrected_by_the_assessment(wrong: Pharmacy) -> None:
    """The rule's record counts as found when it was recorded; the ward had found it at 08:50 and told at 08:55."""
    at_0855 = ToldTyped("principal investigator", "2026-03-02 08:55")
    assert faults(lambda: assess(wrong, told=(at_0855,)))[0][0] == "told.1.told_at"
    assess(wrong, found_at="2026-03-02 08:50", occurred_at="2026-03-02 08:40", told=(at_0855,))
    kept = record(wrong)
    assert kept.line.found_at == datetime.fromisoformat("2026-03-02T08:50:00-06:00")
    assert kept.line.occurred_at == datetime.fromisoformat("2026-03-02T08:40:00-06:00")
    assert [(line.recipient, line.recorder) for line in kept.told] == [("principal investigator", "Paula Reyes")]
    assess(wrong, reason="spelling")
    assert record(wrong).line.found_at == kept.line.found_at


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"error_id": "E000009X"}, "error_id", "no medication-error record"),
        ({"verdict": ""}, "verdict", "choose error or not an error"),
        ({"stage": "later"}, "stage", "choose prescribing"),
        ({"error_type": "wrong"}, "error_type", "choose wrong dose"),
        ({"stopped_for": "lunch"}, "stopped_for", "choose reaction, other or not stopped"),
        ({"assessed_by": "x" * 61}, "assessed_by", "longer than 60"),
        ({"cause": "x" * 2001}, "cause", "longer than 2000"),
        ({"found_at": "2026-03-02 09:01"}, "found_at", "is in the future"),
        ({"occurred_at": "2026-03-02 09:01"}, "occurred_at", "is in the future"),
        ({"found_at": "2026-03-02 07:59"}, "occurred_at", "cannot occur after"),
        # The answers
        ({"answers": replace(NO_HARM, harmed="a bit")}, "answers.harmed", "answer yes or no"),
        ({"answers": replace(NO_HARM, hospitalization="yes")}, "answers.hospitalization", "does not go with"),
        ({"answers": MerpTyped(actual_error="no")}, "answers.actual_error", "dosing medication error"),
        ({"answers": BEFORE_REACHING}, "answers.reached_subject", "reaches the subject"),
        (
            {"verdict": "not an error", "reason": "x", "answers": MerpTyped(actual_error="no")},
            "answers.actual_error",
            "No error has no category",
        ),
        # What came of it (§ 12.1)
        ({"adverse_event": "bad"}, "adverse_event", "choose no adverse event"),
        ({"answers": TREATED}, "adverse_event", "The subject was harmed: say whether"),
        ({"answers": replace(REACHED, harmed="yes")}, "adverse_event", "The subject was harmed: say whether"),
        ({"answers": TREATED, "adverse_event": "no adverse event"}, "adverse_event", "so there is an adverse event"),
        ({"answers": IN_HOSPITAL}, "adverse_event", "Category F"),
        ({"answers": IN_HOSPITAL, "adverse_event": "adverse event, not serious"}, "adverse_event", "Category F"),
        ({"answers": DEATH}, "adverse_event", "Category I"),
        ({"sae": SaeTyped("eSAE 118")}, "adverse_event", "typed below"),
    ],
)
def test_an_assessment_names_its_fault(wrong: Pharmacy, changes: dict[str, Any], field: str, words: str) -> None:
    before = wrong.count()
    found = faults(lambda: assess(wrong, **changes))
    found = [each for each in found if each[0] == field]
    assert len(found) == 1
    assert words in found[0][1]
    assert wrong.count() == before


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"aware_at": ""}, "sae.aware_at", "A date and a time"),
        ({"aware_at": "2026-03-02 09:01"}, "sae.aware_at", "is in the future"),
        ({"aware_at": "2026-03-02 07:59"}, "sae.aware_at", "became known before"),
        ({"fatal_or_life_threatening": ""}, "sae.fatal_or_life_threatening", "answer yes: the shorter limit"),
        ({"fatal_or_life_threatening": "maybe"}, "sae.fatal_or_life_threatening", "yes or no"),
        ({"unexpected_and_related": ""}, "sae.unexpected_and_related", "answer yes: the shorter limit"),
        ({"reference": "x" * 61}, "sae.reference", "longer than 60"),
    ],
)
def test_a_serious_event_names_its_fault(wrong: Pharmacy, changes: dict[str, str], field: str, words: str) -> None:
    sae = replace(SAE, **changes)
    found = faults(lambda: assess(wrong, answers=IN_HOSPITAL, adverse_event="serious adverse event", sae=sae))
    assert {each[0] for each in found} == {field}
    assert words in found[0][1]


def test_a_death_is_fatal(wrong: Pharmacy) -> None:
    ((field, words),) = faults(lambda: assess(wrong, answers=DEATH, adverse_event="serious adverse event", sae=SAE))
    assert field == "sae.fatal_or_life_threatening"
    assert "Category I is fatal" in words
    fatal = replace(SAE, fatal_or_life_threatening="yes")
    assess(wrong, answers=DEATH, adverse_event="serious adverse event", sae=fatal)
    assert record(wrong).line.category == "I"


def test_an_event_known_in_the_minute_of_the_error_is_taken(wrong: Pharmacy) -> None:
    sae = replace(SAE, aware_at="2026-03-02 08:00")
    assess(wrong, answers=IN_HOSPITAL, adverse_event="serious adverse event", sae=sae)
    assert len(record(wrong).clocks) == 2


def test_an_assessment_names_all_its_faults_at_once(wrong: Pharmacy) -> None:
    found = faults(
        lambda: assess(
            wrong,
            stage="",
            answers=replace(IN_HOSPITAL, monitoring="yes"),
            told=(ToldTyped("", "2026-03-02 09:00"), ToldTyped("other", "soon")),
        )
    )
    assert [field for field, _ in found] == [
        "stage",
        "answers.monitoring",
        "adverse_event",
        "told.1.recipient",
        "told.2.name",
        "told.2.told_at",
    ]


@pytest.mark.parametrize("who", ["tim", "carla", "mona", "robin"])
def test_only_a_pharmacist_assesses(wrong: Pharmacy, who: str) -> None:
    with pytest.raises(Refused, match="takes a pharmacist"):
        assess_error(wrong.desk, wrong.act(who), assess_form(wrong), wrong.sign(who))
    assert lines(wrong)[0].status == "open"


def test_an_assessment_is_signed_with_the_right_password(wrong: Pharmacy) -> None:
    with pytest.raises(Refused, match="do not fit"):
        assess_error(wrong.desk, wrong.act("paula"), assess_form(wrong), wrong.sign("paula", "a guess"))
    assert record(wrong).assessments == ()


# --- telling and clocks ---------------------------------------------------------------------------------------


def say(pharmacy: Pharmacy, recipient: str, told_at: str = "", who: str = "tim", name: str = "") -> Event:
    """Somebody was told, now unless said otherwise."""
    form = TellForm(lines(pharmacy)[0].error_id, recipient, told_at or pharmacy.time(), name)
    return tell(pharmacy.desk, pharmacy.act(who), form)


def test_who_was_told_when_stands_in_the_order_of_the_telling(wrong: Pharmacy) -> None:
    wrong.clock.forward(hours=3)
    say(wrong, "IRB")
    say(wrong, "other", "2026-03-02 10:00", "carla", "Ward sister M. Ito")
    say(wrong, "prescriber", "2026-03-02 09:00", "paula")
    assert [(line.recipient, line.name, line.recorder) for line in record(wrong).told] == [
        ("prescriber", "", "Paula Reyes"),
        ("other", "Ward sister M. Ito", "Carla Okafor"),
        ("IRB", "", "Tim Lindqvist"),
    ]
    wrong.assert_sound()


@pytest.mark.parametrize(
    ("recipient", "told_at", "name", "field", "words"),
    [
        ("everybody", "2026-03-02 09:00", "", "recipient", "choose principal investigator"),
        ("", "2026-03-02 09:00", "", "recipient", "choose principal investigator"),
        ("other", "2026-03-02 09:00", " ", "name", "Type who was told"),
        ("IRB", "2026-03-02 08:59", "", "told_at", "The error was found at 02-Mar-2026 09:00"),
        ("IRB", "2026-03-02 09:01", "", "told_at", "is in the future"),
        ("IRB", "yesterday", "", "told_at", "A date and a time"),
        ("IRB", "2026-03-02 09:00", "x" * 61, "name", "longer than 60"),
    ],
)
def test_telling_names_its_fault(
    wrong: Pharmacy, recipient: str, told_at: str, name: str, field: str, words: str
) -> None:
    form = TellForm(lines(wrong)[0].error_id, recipient, told_at, name)
    ((at, sentence),) = faults(lambda: tell(wrong.desk, wrong.act("tim"), form))
    assert at == field
    assert words in sentence


def test_the_same_is_not_told_twice_at_one_moment(wrong: Pharmacy) -> None:
    say(wrong, "IRB")
    assert faults(lambda: say(wrong, "IRB"))[0][0] == "told_at"
    twice = ToldTyped("supporter", "2026-03-02 09:00")
    assert [field for field, _ in faults(lambda: assess(wrong, told=(twice, twice)))] == ["told.2.told_at"]


def test_a_record_that_is_not_there_cannot_be_told_of_or_read(wrong: Pharmacy) -> None:
    form = TellForm("E000009X", "IRB", wrong.time())
    assert faults(lambda: tell(wrong.desk, wrong.act("tim"), form))[0][0] == "error_id"
    assert faults(lambda: record(wrong, "E000009X"))[0][0] == "error_id"
    assert faults(lambda: print_medication_error(wrong.desk, wrong.act("mona"), "E000009X"))[0][0] == "error_id"


@pytest.mark.parametrize("who", ["mona", "robin"])
def test_monitor_and_administrator_tell_nobody(wrong: Pharmacy, who: str) -> None:
    with pytest.raises(Refused, match="takes a checker or pharmacist or technician"):
        say(wrong, "IRB", who=who)


def stands(pharmacy: Pharmacy) -> list[tuple[str, str]]:
    """Each clock with its state."""
    return [(each.clock.recipient, each.state) for each in record(pharmacy).clocks]


def test_the_clocks_of_a_serious_event_run_until_each_is_told(wrong: Pharmacy) -> None:
    """Told of the error at 09:00; that it is serious is known at 10:00 on Monday: 24 h end on Tuesday, 10:00.

    The IND Office has until the end of Monday, 9 March. Chicago is at UTC−6 until 8 March, at UTC−5 after.
    """
    say(wrong, "supporter")
    wrong.clock.forward(hours=1)
    sae = replace(SAE, aware_at=wrong.time())
    assess(wrong, answers=IN_HOSPITAL, adverse_event="serious adverse event", sae=sae)
    assert stands(wrong) == [("supporter", "due"), ("IND Office", "due")]
    wrong.clock.forward(hours=24)  # exactly the limit
    assert stands(wrong) == [("supporter", "due"), ("IND Office", "due")]
    wrong.clock.forward(seconds=1)
    assert stands(wrong) == [("supporter", "overdue"), ("IND Office", "due")]
    wrong.clock.forward(minutes=1)
    say(wrong, "supporter")
    say(wrong, "IND Office")
    wrong.clock.forward(days=30)
    assert stands(wrong) == [("supporter", "done late"), ("IND Office", "done")]
    # Told once more: what was late stays late.
    say(wrong, "supporter")
    assert stands(wrong) == [("supporter", "done late"), ("IND Office", "done")]


def test_told_exactly_at_the_limit_is_in_time(wrong: Pharmacy) -> None:
    assess(wrong, answers=IN_HOSPITAL, adverse_event="serious adverse event", sae=SAE)
    wrong.clock.forward(hours=24)
    say(wrong, "supporter")
    assert stands(wrong)[0] == ("supporter", "done")
    # A second call after the limit takes nothing back.
    wrong.clock.forward(hours=1)
    say(wrong, "supporter")
    assert stands(wrong)[0] == ("supporter", "done")


def test_the_office_s_last_day_counts_to_its_midnight(wrong: Pharmacy) -> None:
    """09:00 on Monday, 2 March (CST) to 23:59 on Monday, 9 March (CDT) are 7 days 13 h 59 min that pass."""
    assess(wrong, answers=IN_HOSPITAL, adverse_event="serious adverse event", sae=SAE)
    wrong.clock.forward(days=7, hours=13, minutes=59)
    assert stands(wrong)[1] == ("IND Office", "due")
    wrong.clock.forward(minutes=1)
    assert stands(wrong)[1] == ("IND Office", "overdue")


def test_an_assessment_that_finds_no_serious_event_stops_its_clocks_and_the_first_stays_readable(
    wrong: Pharmacy,
) -> None:
    assess(wrong, answers=IN_HOSPITAL, adverse_event="serious adverse event", sae=SAE)
    assess(wrong, answers=NO_HARM, adverse_event="no adverse event", reason="it was another subject")
    kept = record(wrong)
    assert kept.clocks == ()
    assert kept.assessments[1].sae is not None
    assert kept.assessments[1].sae.reference == "eSAE 118"


# --- lists, papers, export ------------------------------------------------------------------------------------


def test_near_misses_stand_apart_from_reportable_errors(wrong: Pharmacy) -> None:
    by_rule = lines(wrong)[0].error_id
    never = report(wrong, reached_subject="no")
    caught = report(wrong)
    unknown = report(wrong)
    given = report(wrong, reached_subject="yes")
    assess(wrong, error_id=caught, answers=BEFORE_REACHING)

    def ids(found: tuple[views.ErrorLine, ...]) -> list[str]:
        return [line.error_id for line in found]

    found = lists(wrong)
    assert ids(found.reportable) == [by_rule]
    assert ids(found.near_misses) == [caught, never]
    assert ids(found.others) == [given, unknown]
    assert found.no_errors == ()
    # The category counts once it is known: the first report said that it did not reach the subject.
    assess(wrong, error_id=never, answers=NO_HARM)
    assess(wrong, error_id=by_rule, answers=MerpTyped(), verdict="not an error", reason="stopped for a reaction")
    found = lists(wrong)
    assert ids(found.others) == [given, unknown, never]
    assert (ids(found.reportable), ids(found.no_errors)) == ([], [by_rule])


def test_what_never_happened_reached_nobody(pharmacy: Pharmacy) -> None:
    report(pharmacy, reached_subject="yes")
    assess(pharmacy, answers=MerpTyped(actual_error="no"))
    line = record(pharmacy).line
    assert (line.category, line.reached_subject) == ("A", "no")
    assert lists(pharmacy).near_misses == (line,)


def test_an_omitted_dose_reaches_the_subject_whoever_reports_it(pharmacy: Pharmacy) -> None:
    report(pharmacy)
    ((field, _),) = faults(lambda: assess(pharmacy, error_type="omitted", answers=BEFORE_REACHING))
    assert field == "answers.reached_subject"


def printed_words(pharmacy: Pharmacy) -> str:
    """The newest record's report as it prints for the monitor."""
    desk = desk_at(pharmacy.path, pharmacy.clock, papers=PdfPapers())
    paper = print_medication_error(desk, pharmacy.act("mona"), lines(pharmacy)[0].error_id)
    desk.store.close()
    return " ".join(page_texts(paper.pdf))


def test_the_report_prints_what_was_assessed(wrong: Pharmacy) -> None:
    assess(
        wrong,
        answers=IN_HOSPITAL,
        adverse_event="serious adverse event",
        sae=SAE,
        cause="pump rate",
        assessed_by="Dr. Ines Vogel",
        told=(ToldTyped("principal investigator", "2026-03-02 09:00"),),
    )
    wrong.clock.forward(hours=25)
    words = printed_words(wrong)
    for expected in (
        # −0.26 ÷ 1.46 × 100 = −17.8082…
        "(1.2 mg − 1.46 mg) ÷ 1.46 mg × 100 = −17.808… % (limit 10 %)",
        "Category: F – Temporary harm with a stay in hospital, new or longer",
        "Did the subject have to go into hospital, or stay there longer? yes",
        "© National Coordinating Council for Medication Error Reporting and Prevention",
        "eSAE 118",
        "Pfizer within 24 h of awareness",
        "not yet 25 h 0 min OVERDUE",
        "Principal investigator (Dr. Ines Vogel) 02-Mar-2026 09:00 −06:00",
        "Supporter (Pfizer) not recorded",
        "IRB not recorded",
        "Assessed the medication error Paula Reyes pharmacist 02-Mar-2026 09:00 −06:00",
    ):
        assert expected in words, expected


def test_the_report_of_a_near_miss_without_a_subject_prints(pharmacy: Pharmacy) -> None:
    report(pharmacy)
    words = printed_words(pharmacy)
    assert "The 4 mg vial was taken for the 1 mg one" in words
    assert "Not assessed yet." in words
    assess(pharmacy, verdict="not an error", answers=MerpTyped(), reason="it was the right vial")
    words = printed_words(pharmacy)
    assert "No category: assessed as no error" in words
    assert "not an error N/A a it was the right vial" in words


def test_the_report_says_which_question_is_open(wrong: Pharmacy) -> None:
    assess(wrong, answers=REACHED)
    words = printed_words(wrong)
    assert "Category: Not known yet: a question that decides is open" in words
    assert "Was the subject harmed? open" in words


def test_the_export_holds_every_record(wrong: Pharmacy) -> None:
    report(wrong)
    with wrong.desk.store.read() as reader:
        rows = export_files(reader)["medication-errors.csv"].decode().splitlines()
    assert len(rows) == 3
    assert "person" in rows[1]
    assert "dosing rule" in rows[2]


def test_the_same_report_again_is_recorded_once(pharmacy: Pharmacy) -> None:
    act = pharmacy.act("tim")
    first = record_error(pharmacy.desk, act, NEAR_MISS)
    assert record_error(pharmacy.desk, act, NEAR_MISS) == first
    assert len(lines(pharmacy)) == 1


@pytest.mark.parametrize("table", ["medication_error_assessment", "medication_error_told"])
def test_nobody_changes_an_assessment_or_a_telling(wrong: Pharmacy, table: str) -> None:
    assess(wrong, told=(ToldTyped("IRB", "2026-03-02 09:00"),))
    tries = [f"UPDATE {table} SET error_id = 'E'", f"DELETE FROM {table}"]
    with other_hands(wrong.path) as raw:
        if raw.dialect.name == "sqlite":
            raw.exec_driver_sql("PRAGMA recursive_triggers=ON")
            tries.append(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
        for sql in tries:
            with pytest.raises(IntegrityError, match="never"):
                raw.exec_driver_sql(sql)
