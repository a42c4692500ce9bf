"""Medication errors: anybody reports one, a pharmacist assesses it, and who was told when stays on record.

A dose given 10 % or more off the prescribed one opens its record by itself (``administration``); a person's report gets
the next number of the same count. A record is never deleted: it is assessed, again where more is known, and every
assessment stays readable (REGULATION D-17).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.dates import at_site, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.medication_errors import (
    MERP_CATEGORIES,
    MERP_QUESTIONS,
    NEAR_MISS,
    Clock,
    ClockState,
    ErrorType,
    MerpAnswers,
    MerpCategory,
    Recipient,
    Stage,
    StoppedFor,
    asks_sae_assessment,
    contradicting,
    merp_category,
    next_question,
    safety_clocks,
    state,
)
from pharmacy_app.domain.units import percent_change, show_percent
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services import views
from pharmacy_app.services.desk import (
    Act,
    Credentials,
    Desk,
    Draft,
    Moment,
    Signing,
    perform,
    protocol_of,
    site_of,
    zone_of,
)
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading

BY_RULE = "dosing rule"
"""The source of a record that § 8.1.3 opened by itself."""

VERDICTS = ("error", "not an error")
"""What an assessment may find."""

NO_EVENT = "no adverse event"
NOT_SERIOUS = "adverse event, not serious"
SERIOUS = "serious adverse event"
ADVERSE_EVENTS = (NO_EVENT, NOT_SERIOUS, SERIOUS)
"""What came of it for the subject."""

NOT_STOPPED = "not stopped"
"""Takes back that an infusion was stopped part-way."""

SERIOUS_BY_ITSELF = ("F", "H", "I")
"""Categories that are a serious adverse event by its definition: hospital, danger to life, death (§ 12.1)."""

FATAL_OR_LIFE_THREATENING = ("H", "I")
"""Categories that mean death or danger to life."""


# --- reporting -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """A medication error or near miss as typed, in under a minute: what happened, stage, type, when it was found.

    ``found_at`` left empty is now, ``found_by`` the person who reports; every other empty field is 'not known'.
    """

    what_happened: str
    stage: str
    error_type: str
    found_at: str = ""
    occurred_at: str = ""
    subject_number: str = ""
    dose_id: str = ""
    found_by: str = ""
    reached_subject: str = ""
    action: str = ""


def record_error(desk: Desk, act: Act, form: ErrorForm) -> Event:
    """Open a record for what a person reports; every role may (REGULATION D-20). The event holds its ``error_id``."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        zone = zone_of(moment.site)
        what_happened = reading.text(form.what_happened, "what_happened", "What happened", longest=2000)
        stage = reading.choice(form.stage, "stage", "The stage", tuple(Stage))
        error_type = reading.choice(form.error_type, "error_type", "The type", tuple(ErrorType))
        reached = _yes_no(reading, form.reached_subject, "reached_subject", "Whether it reached the subject")
        if error_type == ErrorType.OMITTED and reached is False:
            reading.fault("reached_subject", "A dose left out reaches the subject. Answer yes.")
        found_at, occurred_at = _times(reading, form, moment.now, zone, (moment.now, None))
        thread = writer.dose(form.dose_id.strip()) if form.dose_id.strip() else None
        if form.dose_id.strip() and thread is None:
            reading.fault("dose_id", f"There is no dose {form.dose_id.strip()}. Correct the number, or leave it open.")
        subject_number = form.subject_number.strip()
        if thread is not None:
            if subject_number and subject_number != thread.line.subject_number:
                reading.fault(
                    "subject_number",
                    f"Dose {thread.line.dose_id} is of subject {thread.line.subject_number}, not {subject_number}."
                    " Correct one of them, or leave the subject open.",
                )
            subject_number = thread.line.subject_number
        elif subject_number and writer.subject(subject_number) is None:
            reading.fault(
                "subject_number",
                f"Subject {subject_number} is not enrolled here. Correct the number, or leave it open.",
            )
        found_by = reading.note(form.found_by, "found_by", "The name of who found it", longest=60)
        action = reading.note(form.action, "action", "The action")
        reading.done()
        line = thread.line if thread else None
        percent = None
        if line is not None and line.administered_mg is not None:
            percent = percent_change(line.administered_mg, line.prescribed_mg)
        return Draft(
            {
                "error_id": numbered("E", writer.counter("medication_error") + 1),
                "dose_id": line.dose_id if line else "",
                "subject_number": subject_number,
                "found_at": found_at,
                "found_by": found_by or moment.person.printed_name,
                "occurred_at": occurred_at,
                "stage": stage,
                "error_type": error_type,
                "reached_subject": _said(reached),
                "what_happened": what_happened,
                "action": action,
                "stopped_for": "",
                "prescribed_mg": line.prescribed_mg if line else None,
                "administered_mg": line.administered_mg if line else None,
                "difference": "" if percent is None else show_percent(percent),
                "sentence": f"{moment.person.printed_name} reported: {what_happened}",
            },
            done_at=found_at,
            late_why=None,
        )

    return perform(desk, act, "medication_error_recorded", form, build)


# --- assessing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MerpTyped:
    """The decision questions of ``MerpAnswers`` as answered: 'yes', 'no' or '' (open)."""

    actual_error: str = ""
    reached_subject: str = ""
    death: str = ""
    harmed: str = ""
    sustain_life: str = ""
    permanent_harm: str = ""
    hospitalization: str = ""
    monitoring: str = ""


@dataclass(frozen=True, slots=True)
class SaeTyped:
    """The serious adverse event of an error, as typed; both questions are answered 'yes' or 'no'."""

    reference: str = ""
    aware_at: str = ""
    fatal_or_life_threatening: str = ""
    unexpected_and_related: str = ""


@dataclass(frozen=True, slots=True)
class ToldTyped:
    """Who was told and when, as typed. ``name`` is needed for 'other' alone."""

    recipient: str
    told_at: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class AssessForm:
    """An assessment as typed. Fields of its parts are named ``answers.harmed``, ``sae.aware_at``, ``told.1.told_at``.

    ``reason`` says why it is no error, or why it is assessed again. ``assessed_by`` names who judged it, where that is
    not the signer alone (the investigator has no account). ``found_at``, ``occurred_at`` and ``stopped_for`` stay as
    they are when empty; an infusion that was not stopped after all is 'not stopped'.
    """

    error_id: str
    verdict: str
    stage: str
    error_type: str
    answers: MerpTyped = MerpTyped()
    reason: str = ""
    assessed_by: str = ""
    harm: str = ""
    cause: str = ""
    action: str = ""
    preventive_action: str = ""
    stopped_for: str = ""
    adverse_event: str = ""
    sae: SaeTyped = SaeTyped()
    told: tuple[ToldTyped, ...] = ()
    found_at: str = ""
    occurred_at: str = ""


def assess_error(desk: Desk, act: Act, form: AssessForm, credentials: Credentials) -> Event:
    """Assess a record and sign it; the category is computed from the answers, never typed.

    The record is 'assessed' once it is no error or has its category; while a question that decides is open, the
    assessment is kept (its clocks run) and the record stays open. It may be assessed again, with a reason.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        zone = zone_of(moment.site)
        error = _record(writer, form.error_id)
        verdict = reading.choice(form.verdict, "verdict", "The assessment", VERDICTS)
        stage = reading.choice(form.stage, "stage", "The stage", tuple(Stage))
        error_type = reading.choice(form.error_type, "error_type", "The type", tuple(ErrorType))
        reason = reading.note(form.reason, "reason", "The reason")
        if not reason and verdict == "not an error":
            reading.fault("reason", "Type why this is no error. The record stays and says so.", "R17", "8.1.3")
        elif not reason and writer.error_assessments(error.error_id):
            reading.fault("reason", "This record was assessed before. Type why it is assessed again; both stay.")
        answers = _answers(reading, form.answers)
        if form.verdict in VERDICTS:
            _check_answers(reading, error, verdict, error_type, answers)
        category = merp_category(answers)
        stopped_for = error.stopped_for
        if form.stopped_for:
            typed = reading.choice(form.stopped_for, "stopped_for", "Stopped for", (*StoppedFor, NOT_STOPPED))
            stopped_for = "" if typed == NOT_STOPPED else typed
        found_at, occurred_at = _times(reading, form, moment.now, zone, (error.found_at, error.occurred_at))
        adverse_event, sae = _adverse_event(reading, form, answers, occurred_at, zone, moment.now)
        told = [
            _told(reading, typed, f"told.{number}.", found_at, zone, moment.now)
            for number, typed in enumerate(form.told, start=1)
        ]
        _check_told_once(reading, told, writer.error_told(error.error_id))
        texts = {
            name: reading.note(getattr(form, name), name, words)
            for name, words in (
                ("harm", "The harm"),
                ("cause", "The cause"),
                ("action", "The action"),
                ("preventive_action", "The preventive action"),
            )
        }
        assessed_by = reading.note(form.assessed_by, "assessed_by", "The name of who assessed it", longest=60)
        reading.done()
        return Draft(
            {
                "error_id": error.error_id,
                "status": "open" if verdict == "error" and category is None else "assessed",
                "assessment": {
                    "verdict": verdict,
                    "reason": reason,
                    "assessed_by": assessed_by or moment.person.printed_name,
                    "stage": stage,
                    "error_type": error_type,
                    "answers": answers,
                    "category": category.letter if category else "",
                    # What never happened reached nobody.
                    "reached_subject": "no"
                    if answers.actual_error is False
                    else _said(answers.reached_subject) or error.reached_subject,
                    **texts,
                    "stopped_for": stopped_for,
                    "adverse_event": adverse_event,
                    "sae": sae,
                    "found_at": found_at,
                    "occurred_at": occurred_at,
                },
                "told": [each.line for each in told],
            },
            why=reason,
        )

    return perform(
        desk,
        act,
        "medication_error_assessed",
        form,
        build,
        (Signing(credentials, "Assessed the medication error"),),
    )


def _answers(reading: Reading, typed: MerpTyped) -> MerpAnswers:
    return MerpAnswers(
        **{
            each.name: _yes_no(
                reading, getattr(typed, each.name), f"answers.{each.name}", f"“{MERP_QUESTIONS[each.name]}”"
            )
            for each in fields(MerpAnswers)
        }
    )


def _check_answers(
    reading: Reading, error: views.ErrorLine, verdict: str, error_type: str, answers: MerpAnswers
) -> None:
    """What the verdict, the record and the answers say must agree."""
    if verdict == "not an error":
        for each in fields(answers):
            if getattr(answers, each.name) is not None:
                reading.fault(
                    f"answers.{each.name}", "No error has no category: leave this open, or assess it as an error."
                )
        return
    for name in contradicting(answers):
        reading.fault(
            f"answers.{name}",
            f"“{MERP_QUESTIONS[name]}” does not go with the answers before it. Clear it, or correct those.",
        )
    if error.source == BY_RULE and answers.actual_error is False:
        reading.fault(
            "answers.actual_error",
            "By what was given and prescribed this is a dosing medication error. Answer yes, or assess it as no error"
            " with the reason.",
            "R17",
            "8.1.3",
        )
    if (error.source == BY_RULE or error_type == ErrorType.OMITTED) and answers.reached_subject is False:
        reading.fault(
            "answers.reached_subject",
            "A dose given or left out reaches the subject. Answer yes, or assess it as no error with the reason.",
            "R17" if error.source == BY_RULE else "",
            "8.1.3" if error.source == BY_RULE else "",
        )


def _adverse_event(
    reading: Reading,
    form: AssessForm,
    answers: MerpAnswers,
    occurred_at: datetime | None,
    zone: ZoneInfo,
    now: datetime,
) -> tuple[str, dict[str, Any] | None]:
    """What came of the error for the subject, and the serious adverse event that starts the clocks (R59)."""
    category = merp_category(answers)
    letter = category.letter if category else ""
    harmed = asks_sae_assessment(answers)
    adverse_event = (
        reading.choice(form.adverse_event, "adverse_event", "The adverse event", ADVERSE_EVENTS)
        if form.adverse_event
        else ""
    )
    if letter in SERIOUS_BY_ITSELF and adverse_event != SERIOUS:
        reading.fault(
            "adverse_event",
            f"Category {letter} ({MERP_CATEGORIES[letter].words.lower()}) is a serious adverse event. Choose it and"
            " type when it became known.",
            "R59",
            "12.1",
        )
    elif harmed and not adverse_event:
        reading.fault(
            "adverse_event",
            "The subject was harmed: say whether this is a serious adverse event before it is signed.",
            "R59",
            "12.1",
        )
    elif harmed and adverse_event == NO_EVENT:
        reading.fault(
            "adverse_event",
            "The subject was harmed, so there is an adverse event: say whether it is a serious one, or correct the"
            " answers.",
            "R59",
            "12.1",
        )
    if adverse_event != SERIOUS:
        if form.sae != SaeTyped():
            reading.fault(
                "adverse_event", "A serious adverse event is typed below. Choose it here, or clear what is typed."
            )
        return adverse_event, None
    return adverse_event, _sae(reading, form.sae, letter, occurred_at, zone, now)


def _sae(
    reading: Reading, typed: SaeTyped, letter: str, occurred_at: datetime | None, zone: ZoneInfo, now: datetime
) -> dict[str, Any]:
    aware_at = reading.moment(typed.aware_at, "sae.aware_at", zone, now)
    if aware_at > now:
        reading.fault("sae.aware_at", f"{say_moment(aware_at)} is in the future. Type when it first became known.")
    if occurred_at is not None and aware_at < _minute(occurred_at):
        reading.fault(
            "sae.aware_at",
            f"It became known before the error of {say_moment(occurred_at)} occurred. Check both times.",
        )
    known = {
        name: _yes_no(reading, getattr(typed, name), f"sae.{name}", words)
        for name, words in (
            ("fatal_or_life_threatening", "Fatal or life-threatening"),
            ("unexpected_and_related", "Unexpected and related"),
        )
    }
    for name, answer in known.items():
        if answer is None:
            reading.fault(
                f"sae.{name}",
                "Answer yes or no. While it is not known, answer yes: the shorter limit runs. Assess again once it is.",
                "R59",
                "12.1",
            )
    if letter in FATAL_OR_LIFE_THREATENING and known["fatal_or_life_threatening"] is False:
        reading.fault(
            "sae.fatal_or_life_threatening",
            f"Category {letter} is fatal or life-threatening. Answer yes, or correct the answers above.",
            "R59",
            "12.1",
        )
    return {
        "reference": reading.note(typed.reference, "sae.reference", "The report's reference", longest=60),
        "aware_at": aware_at,
        **known,
    }


# --- telling -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TellForm:
    """One more recipient who was told of an error, as typed."""

    error_id: str
    recipient: str
    told_at: str
    name: str = ""


def tell(desk: Desk, act: Act, form: TellForm) -> Event:
    """Record who was told of an error and when: not before it was found, and not in the future."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        error = _record(writer, form.error_id)
        typed = ToldTyped(form.recipient, form.told_at, form.name)
        told = _told(reading, typed, "", error.found_at, zone_of(moment.site), moment.now)
        _check_told_once(reading, [told], writer.error_told(error.error_id))
        reading.done()
        return Draft({"error_id": error.error_id, "told": [told.line]}, done_at=told.line["told_at"], late_why=None)

    return perform(desk, act, "medication_error_told", form, build)


@dataclass(frozen=True, slots=True)
class _Told:
    """A line as the journal keeps it, and the field that its time was typed into."""

    field: str
    line: dict[str, Any]


def _told(reading: Reading, typed: ToldTyped, at: str, found_at: datetime, zone: ZoneInfo, now: datetime) -> _Told:
    recipient = reading.choice(typed.recipient, f"{at}recipient", "Who was told", tuple(Recipient))
    name = reading.note(typed.name, f"{at}name", "The name", longest=60)
    if recipient == Recipient.OTHER and not name:
        reading.fault(f"{at}name", "Type who was told.")
    told_at = reading.moment(typed.told_at, f"{at}told_at", zone, now)
    if told_at > now:
        reading.fault(f"{at}told_at", f"{say_moment(told_at)} is in the future. Record it once it is done.")
    if reading.was_read("found_at") and told_at < _minute(found_at):
        reading.fault(
            f"{at}told_at",
            f"The error was found at {say_moment(found_at)}, after this. Check the time; when it was found earlier,"
            " correct that in the assessment.",
        )
    return _Told(f"{at}told_at", {"recipient": recipient, "name": name, "told_at": told_at})


def _check_told_once(reading: Reading, told: list[_Told], before: Sequence[views.ToldLine]) -> None:
    """The same recipient at the same moment stands on the record once."""
    seen = {(line.recipient, line.name, line.told_at) for line in before}
    for each in told:
        key = (each.line["recipient"], each.line["name"], each.line["told_at"])
        if key in seen:
            reading.fault(
                each.field,
                f"“{each.line['recipient']}” at this moment stands on the record already. Type another time, or leave"
                " the line out.",
            )
        seen.add(key)


# --- questions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sae:
    """The serious adverse event that an assessment links to its error."""

    reference: str
    aware_at: datetime
    fatal_or_life_threatening: bool
    unexpected_and_related: bool


@dataclass(frozen=True, slots=True)
class Assessment:
    """One signed assessment, with the category that its answers gave (``None``: no error, or a question is open)."""

    event_seq: int
    assessed_at: datetime
    signed_by: str
    assessed_by: str
    verdict: str
    reason: str
    stage: str
    error_type: str
    answers: MerpAnswers
    category: MerpCategory | None
    next_question: str | None
    harm: str
    cause: str
    action: str
    preventive_action: str
    stopped_for: str
    adverse_event: str
    sae: Sae | None


@dataclass(frozen=True, slots=True)
class ClockNow:
    """A clock, when its recipient was first told after the event became known, and how it stands now.

    ``left`` is the time from the telling (from now, while nobody was told) to the limit; negative once that has passed.
    """

    clock: Clock
    told_at: datetime | None
    state: ClockState
    left: timedelta


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """All that is known of a medication error. Assessments are newest first; the newest counts.

    ``notes`` say what was corrected since of the dose that it is about.
    """

    line: views.ErrorLine
    dose: views.DoseLine | None
    by_rule: bool
    assessments: tuple[Assessment, ...]
    told: tuple[views.ToldLine, ...]
    clocks: tuple[ClockNow, ...]
    notes: tuple[views.CorrectionNote, ...] = ()

    @property
    def newest(self) -> Assessment | None:
        """The assessment that counts, or ``None`` before the first one."""
        return self.assessments[0] if self.assessments else None


def error_record(desk: Desk, reader: Reader, error_id: str) -> ErrorRecord:
    """Everything on a medication-error record, its clocks as they stand now; raises ``Refused`` when there is none."""
    error = _record(reader, error_id)
    thread = reader.dose(error.dose_id) if error.dose_id else None
    told = tuple(reader.error_told(error.error_id))
    assessments = tuple(_assessment(line) for line in reader.error_assessments(error.error_id))
    clocks: tuple[ClockNow, ...] = ()
    if assessments and assessments[0].sae is not None:
        site, sae = site_of(reader), assessments[0].sae
        zone = zone_of(site)
        clocks = tuple(
            _clock_now(clock, told, at_site(desk.clock(), zone))
            for clock in safety_clocks(
                sae.aware_at,
                sae.fatal_or_life_threatening,
                sae.unexpected_and_related,
                protocol_of(site, at_site(sae.aware_at, zone).date()),
                zone,
            )
        )
    notes = tuple(reader.correction_notes(error.error_id))
    dose = thread.line if thread else None
    return ErrorRecord(error, dose, error.source == BY_RULE, assessments, told, clocks, notes)


def _clock_now(clock: Clock, told: tuple[views.ToldLine, ...], now: datetime) -> ClockNow:
    """Being told of the error before the event was known does not stop the event's clock."""
    moments = [line.told_at for line in told if line.recipient == clock.recipient and line.told_at >= clock.aware_at]
    told_at = min(moments, default=None)
    return ClockNow(clock, told_at, state(clock, now, told_at), clock.due_at - (told_at or now))


def clocks_by_error(desk: Desk, reader: Reader) -> dict[str, tuple[ClockNow, ...]]:
    """The clocks of every record that has any, by its number, the newest record first."""
    assessed = [line.error_id for line in reader.errors() if line.verdict]
    found = {error_id: error_record(desk, reader, error_id).clocks for error_id in assessed}
    return {error_id: clocks for error_id, clocks in found.items() if clocks}


def _assessment(line: views.AssessmentLine) -> Assessment:
    kept = line.assessment
    answers = from_plain(MerpAnswers, kept["answers"])
    return Assessment(
        event_seq=line.event_seq,
        assessed_at=line.assessed_at,
        signed_by=line.signed_by,
        answers=answers,
        category=MERP_CATEGORIES.get(kept["category"]),
        next_question=next_question(answers) if kept["verdict"] == "error" else None,
        sae=None if kept["sae"] is None else from_plain(Sae, kept["sae"]),
        **{
            name: kept[name]
            for name in (
                "assessed_by",
                "verdict",
                "reason",
                "stage",
                "error_type",
                "harm",
                "cause",
                "action",
                "preventive_action",
                "stopped_for",
                "adverse_event",
            )
        },
    )


@dataclass(frozen=True, slots=True)
class ErrorLists:
    """Every record in exactly one list, newest first (REGULATION D-20).

    ``reportable``: dosing medication errors of § 8.1.3, assessed or not. ``near_misses``: what did not reach the
    subject. ``others``: errors that a person reported and that reached the subject, or of which that is not known.
    ``no_errors``: assessed as no error.
    """

    reportable: tuple[views.ErrorLine, ...]
    near_misses: tuple[views.ErrorLine, ...]
    others: tuple[views.ErrorLine, ...]
    no_errors: tuple[views.ErrorLine, ...]


def error_lists(reader: Reader) -> ErrorLists:
    """All records, near misses apart from the reportable errors."""
    lists: dict[str, list[views.ErrorLine]] = {each.name: [] for each in fields(ErrorLists)}
    for line in reader.errors():
        lists[_list_of(line)].append(line)
    return ErrorLists(**{name: tuple(lines) for name, lines in lists.items()})


def _list_of(line: views.ErrorLine) -> str:
    if line.verdict == "not an error":
        return "no_errors"
    if line.source == BY_RULE:
        return "reportable"
    # Before it has a category, what the report says of it counts.
    near_miss = line.category in NEAR_MISS if line.category else line.reached_subject == "no"
    return "near_misses" if near_miss else "others"


# --- reading -------------------------------------------------------------------------------------------------------


def _record(reader: Reader, error_id: str) -> views.ErrorLine:
    error = reader.error(error_id.strip())
    if error is None:
        raise Refused(Fault("error_id", f"There is no medication-error record {error_id}. Check its number."))
    return error


def _times(
    reading: Reading,
    form: ErrorForm | AssessForm,
    now: datetime,
    zone: ZoneInfo,
    kept: tuple[datetime, datetime | None],
) -> tuple[datetime, datetime | None]:
    """When it was found and when it occurred (``None``: not known), to the minute; an empty field stays as ``kept``."""
    found_at, occurred_at = _minute(kept[0]), kept[1]
    if form.found_at.strip():
        found_at = reading.moment(form.found_at, "found_at", zone, now)
    if form.occurred_at.strip():
        occurred_at = reading.moment(form.occurred_at, "occurred_at", zone, now)
    if found_at > now:
        reading.fault("found_at", f"{say_moment(found_at)} is in the future. Check the time.")
    if occurred_at is not None and occurred_at > now:
        reading.fault("occurred_at", f"{say_moment(occurred_at)} is in the future. Check the time.")
    elif occurred_at is not None and reading.was_read("found_at", "occurred_at") and _minute(occurred_at) > found_at:
        reading.fault("occurred_at", "It cannot occur after it was found. Check both times.")
    return found_at, occurred_at


def _minute(moment: datetime) -> datetime:
    """The minute of a moment: times are typed to the minute."""
    return moment.replace(second=0, microsecond=0)


def _yes_no(reading: Reading, typed: str, field: str, name: str) -> bool | None:
    """An answer: yes, no, or ``None`` while it is open."""
    known = {"": None, "yes": True, "no": False}
    if typed not in known:
        reading.fault(field, f"{name}: answer yes or no, or leave it open.")
    return known.get(typed)


def _said(answer: bool | None) -> str:
    return "" if answer is None else "yes" if answer else "no"
