"""The course of treatment: plans, delays, omissions, levels, responses, toxicities, criteria, and what ends it.

Each act records one statement of a named person; nothing is changed afterwards. A slip is withdrawn by a further act
that says why, and stays readable. The rules draw their conclusions when a dose is decided.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from pharmacy_app.domain.codec import from_plain, to_plain
from pharmacy_app.domain.criteria import (
    BILIRUBIN_LIMITS,
    MOST_POSSIBLE,
    Criteria,
    Lab,
    bilirubin_unit,
    possible_limits,
)
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.schedule import GivenDose
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
from pharmacy_app.domain.treatment_calendar import TreatmentCalendar, calendar_of
from pharmacy_app.domain.units import show
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, protocol_of, site_of, today_of
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading

ENTRIES: dict[str, tuple[str, Any]] = {
    "cycle_planned": ("plans", CyclePlan),
    "delay_recorded": ("delays", Delay),
    "dose_omitted": ("omissions", Omission),
    "level_changed": ("level_changes", LevelChange),
    "response_recorded": ("responses", ResponseAssessment),
    "marrow_recorded": ("marrows", Marrow),
    "toxicity_recorded": ("toxicities", Toxicity),
    "treatment_ended": ("removals", Removal),
    "retreatment_ordered": ("retreatments", RetreatmentOrder),
    "transplant_stated": ("transplants", TransplantPlan),
}
"""Kinds of statement: where the rules find them, and what they are."""

CRITERIA = "criteria_recorded"
MAX_COURSES = 2
"""A first course and one retreatment (§ 3.7)."""

LONGEST_WHY = 500
"""Characters of a reason."""

YES_NO = ("yes", "no", "")


# --- questions ------------------------------------------------------------------------------------------------


def treatment_of(reader: Reader, subject_number: str) -> Treatment:
    """Everything stated of a subject's treatment and not withdrawn, in the order recorded."""
    found: dict[str, list[Any]] = {}
    for line in reader.treatment(subject_number):
        if line.kind in ENTRIES and line.withdrawn_seq is None:
            name, kind = ENTRIES[line.kind]
            found.setdefault(name, []).append(from_plain(kind, line.entry))
    return Treatment(**{name: tuple(entries) for name, entries in found.items()})


def criteria_of(reader: Reader, subject_number: str) -> tuple[Criteria, ...]:
    """The treatment-day answers of all doses, not withdrawn, in the order recorded."""
    return tuple(
        from_plain(Criteria, line.entry)
        for line in reader.treatment(subject_number)
        if line.kind == CRITERIA and line.withdrawn_seq is None
    )


def history_of(reader: Reader, subject_number: str, *, without: str = "") -> tuple[GivenDose, ...]:
    """The doses a subject was given, ``without`` naming a dose to leave out."""
    return tuple(
        GivenDose(dose.course, dose.cycle, dose.day, dose.level, dose.given_on, dose.administered_mg)
        for dose in reader.doses(subject_number=subject_number)
        if dose.given_on and dose.dose_id != without
    )


def calendar(desk: Desk, reader: Reader, subject_number: str) -> TreatmentCalendar:
    """The subject's treatment calendar as of today."""
    today = today_of(desk, reader)
    return calendar_of(
        protocol_of(site_of(reader), today),
        today,
        history_of(reader, subject_number),
        treatment_of(reader, subject_number),
    )


def statements(reader: Reader, subject_number: str) -> Sequence[views.TreatmentLine]:
    """Every statement of a subject's treatment, withdrawn ones too, newest first: the history as it was recorded."""
    return list(reversed(reader.treatment(subject_number)))


# --- acts -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _At:
    """What a statement is read against."""

    reading: Reading
    writer: Writer
    moment: Moment
    subject_number: str
    treatment: Treatment

    def place(self, form: Any) -> tuple[int, int, int]:
        """Course, cycle and day of a dosing day of the protocol."""
        course, cycle = self.cycle(form)
        day = self.reading.count(form.day, "day", "The day of the cycle", low=1, high=35)
        levels = self.treatment.has_levels(course, cycle)
        level = self.treatment.level_in_force(course, cycle) if levels else 0
        doses = self.treatment.cycle_doses(self.protocol, course, cycle, level)
        if self.reading.was_read("course", "cycle", "day") and doses is not None and day not in doses.days:
            days = ", ".join(str(each) for each in doses.days)
            self.reading.fault(
                "day", f"Cycle {cycle} has no dose on day {day}; its dosing days are {days}.", "R3", "3.3"
            )
        return course, cycle, day

    def cycle(self, form: Any) -> tuple[int, int]:
        """Course and cycle of the protocol."""
        course = self.reading.count(form.course, "course", "The course", low=1, high=MAX_COURSES)
        most = self.protocol.regimen.max_cycles
        if course > 1:
            most = min(most, self.protocol.retreatment.max_cycles)
        return course, self.reading.count(form.cycle, "cycle", "The cycle", low=1, high=most)

    def open_place(self, form: Any) -> tuple[int, int, int]:
        """A dosing day of the protocol on which this subject was not given the dose yet."""
        course, cycle, day = self.place(form)
        given_on = self.given(course, cycle, day)
        if given_on is not None:
            self.reading.fault("day", f"Cycle {cycle} day {day} was given on {say_day(given_on)}.", "O1", "8.1.5")
        return course, cycle, day

    def given(self, course: int, cycle: int, day: int) -> date | None:
        """When a dose of this subject was given."""
        return next(
            (
                dose.given_on
                for dose in history_of(self.writer, self.subject_number)
                if (dose.course, dose.cycle, dose.day) == (course, cycle, day)
            ),
            None,
        )

    def who(self, form: Any, name: str = "decided_by") -> str:
        """The name of the person whose decision it is."""
        return self.reading.text(getattr(form, name), name, "The name of who decided", longest=60)

    def why(self, form: Any) -> str:
        """The reason in words."""
        # How long it may be is judged for every statement alike, when it is recorded.
        return self.reading.text(form.why, "why", "The reason", longest=len(form.why))

    def past(self, typed: str, field: str) -> date:
        """A day that is not in the future."""
        return self.reading.day(typed, field, today=self.moment.today)

    @property
    def protocol(self) -> Any:
        """The protocol in force today."""
        return protocol_of(self.moment.site, self.moment.today)


def _record(desk: Desk, act: Act, kind: str, form: Any, read: Callable[[_At], object]) -> Event:
    def build(writer: Writer, moment: Moment) -> Draft:
        if writer.subject(form.subject_number) is None:
            raise Refused(Fault("subject_number", f"Subject {form.subject_number} is not enrolled."))
        reading = Reading()
        at = _At(reading, writer, moment, form.subject_number, treatment_of(writer, form.subject_number))
        entry = read(at)
        why = reading.note(getattr(form, "why", ""), "why", "The reason", longest=LONGEST_WHY)
        reading.done()
        return Draft({"subject_number": form.subject_number, "entry": to_plain(entry)}, why=why)

    return perform(desk, act, kind, form, build)


@dataclass(frozen=True, slots=True)
class CyclePlanForm:
    """The planned day 1 of a cycle. A second plan for the same cycle postpones it; delays count from the first one."""

    subject_number: str
    course: str
    cycle: str
    day1_on: str
    why: str = ""


def plan_cycle(desk: Desk, act: Act, form: CyclePlanForm) -> Event:
    """Store the planned day 1 of a cycle; a later plan for it needs a reason (RULES A9)."""

    def read(at: _At) -> CyclePlan:
        course, cycle = at.cycle(form)
        day1_on = at.reading.day(form.day1_on, "day1_on")
        if at.reading.was_read("day1_on") and day1_on < at.moment.today:
            at.reading.fault(
                "day1_on", f"{say_day(day1_on)} has passed. A plan is stored before its day.", "A9", "8.1.5"
            )
        started = at.given(course, cycle, 1)
        if started is not None:
            at.reading.fault("cycle", f"Day 1 of cycle {cycle} was given on {say_day(started)} already.", "O1", "3.3")
        first = at.treatment.planned_day1(course, cycle)
        if first is not None and not form.why.strip():
            at.reading.fault(
                "why",
                f"Cycle {cycle} was planned for {say_day(first)} first; delays are counted from that day. Say why it is"
                " planned anew, or withdraw the first plan if it was a slip.",
                "A9",
                "8.1.5",
            )
        return CyclePlan(course, cycle, day1_on)

    return _record(desk, act, "cycle_planned", form, read)


@dataclass(frozen=True, slots=True)
class DelayForm:
    """A dose that is late, with its cause: ``toxicity`` or ``other``."""

    subject_number: str
    course: str
    cycle: str
    day: str
    cause: str
    decided_by: str
    why: str


def record_delay(desk: Desk, act: Act, form: DelayForm) -> Event:
    """Record why a dose is late; what follows depends on the cause (§ 8.1.5; RULES A34)."""

    def read(at: _At) -> Delay:
        course, cycle, day = at.open_place(form)
        cause = at.reading.choice(form.cause, "cause", "The cause", tuple(Cause))
        return Delay(course, cycle, day, Cause(cause), at.who(form), at.moment.today, at.why(form))

    return _record(desk, act, "delay_recorded", form, read)


@dataclass(frozen=True, slots=True)
class OmissionForm:
    """A dose that will not be given, by whose decision and why."""

    subject_number: str
    course: str
    cycle: str
    day: str
    cause: str
    decided_by: str
    decided_on: str
    why: str


def omit_dose(desk: Desk, act: Act, form: OmissionForm) -> Event:
    """Record the omission of a dose: it is not made up (§ 8.1.4, 8.1.5)."""

    def read(at: _At) -> Omission:
        course, cycle, day = at.open_place(form)
        cause = at.reading.choice(form.cause, "cause", "The cause", tuple(Cause))
        if at.treatment.omission(course, cycle, day) is not None:
            at.reading.fault("day", f"Cycle {cycle} day {day} is omitted already.", "R29", "8.1.5")
        for dose in at.writer.doses(subject_number=form.subject_number):
            same = (dose.course, dose.cycle, dose.day) == (course, cycle, day)
            if same and dose.status not in ("cancelled", "administered", "closed"):
                at.reading.fault(
                    "day", f"Dose {dose.dose_id} is under way for that day. Cancel it first.", "R29", "8.1.5"
                )
        decided_on = at.past(form.decided_on, "decided_on")
        return Omission(course, cycle, day, Cause(cause), at.who(form), decided_on, at.why(form))

    return _record(desk, act, "dose_omitted", form, read)


@dataclass(frozen=True, slots=True)
class LevelForm:
    """A change of the dose level from a cycle on."""

    subject_number: str
    course: str
    cycle: str
    level: str
    reason: str
    decided_by: str
    decided_on: str
    why: str


def change_level(desk: Desk, act: Act, form: LevelForm) -> Event:
    """Record a change of the dose level, between cycles, with its reason (§ 8.1.4, 8.1.6)."""

    def read(at: _At) -> LevelChange:
        reading = at.reading
        course, cycle = at.cycle(form)
        level = reading.count(form.level, "level", "The dose level", low=-9, high=0)
        reason = reading.choice(form.reason, "reason", "The reason", tuple(LevelReason))
        decided_on = at.past(form.decided_on, "decided_on")
        levels = [each.level for each in at.protocol.regimen.levels]
        # A second change for the same cycle replaces the first, so what was before it counts.
        before = (
            at.treatment.level_in_force(course, cycle - 1)
            if cycle > 1
            else at.treatment.toxicity_ceiling(course, 0) or 0
        )
        if reading.was_read("course", "cycle", "level"):
            if not at.treatment.has_levels(course, cycle):
                reading.fault("cycle", "Cycle 1 has no dose levels: a dose may be delayed or omitted.", "A5", "8.1.6")
            if level not in levels:
                listed = ", ".join(str(each) for each in levels)
                reading.fault(
                    "level",
                    f"Level {level} does not exist; the levels are {listed}. A subject who needs less is withdrawn.",
                    "R48",
                    "8.1.6",
                )
            elif level == before:
                replaced = at.treatment.level_in_force(course, cycle)
                sentence = (
                    f"Level {level} is in force already."
                    if replaced == before
                    else f"Cycle {cycle} was changed from level {before} to level {replaced}. Withdraw that change and"
                    f" say why; level {level} is then in force again."
                )
                reading.fault("level", sentence, "R43", "8.1.4")
            said = LevelReason(reason)
            if said.is_toxicity and level > before:
                reading.fault("reason", f"“{said}” lowers a level; it never raises one.", "R47", "8.1.6")
            in_place = [
                change
                for change in at.treatment.changes_in_force(course, cycle)
                if (change.course, change.cycle) == (course, cycle) and change.reason.is_toxicity
            ]
            if in_place and not said.is_toxicity and reading.was_read("reason"):
                reading.fault(
                    "reason",
                    f"Cycle {cycle} is reduced to level {in_place[0].level} for toxicity, which is never raised again;"
                    " another reason would hide that. If it was a slip, withdraw that change first and say why.",
                    "R47",
                    "8.1.6",
                )
            ceiling = at.treatment.toxicity_ceiling(course, cycle - 1)
            if ceiling is not None and level > ceiling:
                reading.fault(
                    "level",
                    f"After a reduction to level {ceiling} for toxicity the dose is never raised again.",
                    "R47",
                    "8.1.6",
                )
            started = at.given(course, cycle, 1)
            if started is not None:
                reading.fault(
                    "cycle",
                    f"Cycle {cycle} began on {say_day(started)}; its level stays. Change the next cycle's.",
                    "R43",
                    "8.1.4",
                )
        return LevelChange(course, cycle, before, level, LevelReason(reason), at.who(form), decided_on, at.why(form))

    return _record(desk, act, "level_changed", form, read)


@dataclass(frozen=True, slots=True)
class ResponseForm:
    """The response documented after a cycle."""

    subject_number: str
    course: str
    cycle: str
    assessed_on: str
    response: str
    why: str = ""


def record_response(desk: Desk, act: Act, form: ResponseForm) -> Event:
    """Record a response by § 6.0, or progression or relapse."""

    def read(at: _At) -> ResponseAssessment:
        course, cycle = at.cycle(form)
        response = at.reading.choice(form.response, "response", "The response", tuple(Response))
        assessed_on = at.past(form.assessed_on, "assessed_on")
        return ResponseAssessment(course, cycle, assessed_on, Response(response))

    return _record(desk, act, "response_recorded", form, read)


@dataclass(frozen=True, slots=True)
class MarrowForm:
    """A marrow result: day and blasts in percent."""

    subject_number: str
    taken_on: str
    blasts_percent: str
    why: str = ""


def record_marrow(desk: Desk, act: Act, form: MarrowForm) -> Event:
    """Record a marrow result."""

    def read(at: _At) -> Marrow:
        blasts = at.reading.decimal(form.blasts_percent, "blasts_percent", "The blasts", "%", zero=True)
        if at.reading.was_read("blasts_percent") and blasts > 100:
            at.reading.fault("blasts_percent", "Blasts are at most 100 %.", "R24", "6.0")
        return Marrow(at.past(form.taken_on, "taken_on"), blasts)

    return _record(desk, act, "marrow_recorded", form, read)


@dataclass(frozen=True, slots=True)
class ToxicityForm:
    """An adverse event that bears on treatment. ``liver`` is '' or one of the liver findings."""

    subject_number: str
    term: str
    grade: str
    related: str
    onset_on: str
    liver: str = ""
    numeric_laboratory: str = "no"
    why: str = ""


def record_toxicity(desk: Desk, act: Act, form: ToxicityForm) -> Event:
    """Record a toxicity with its CTCAE grade; a liver finding ends treatment for good (§ 8.1.5(4), 10.4)."""

    def read(at: _At) -> Toxicity:
        reading = at.reading
        term = reading.text(form.term, "term", "The adverse event", longest=80)
        grade = reading.count(form.grade, "grade", "The grade", low=1, high=5)
        related = reading.choice(form.related, "related", "At least possibly related", YES_NO[:2]) == "yes"
        liver = form.liver and reading.choice(form.liver, "liver", "The liver finding", tuple(LiverFinding))
        numeric = reading.choice(form.numeric_laboratory, "numeric_laboratory", "By numbers alone", YES_NO[:2])
        return Toxicity(
            term,
            grade,
            related,
            at.past(form.onset_on, "onset_on"),
            LiverFinding(liver) if liver else None,
            numeric == "yes",
        )

    return _record(desk, act, "toxicity_recorded", form, read)


@dataclass(frozen=True, slots=True)
class RemovalForm:
    """The end of treatment of a course."""

    subject_number: str
    course: str
    removed_on: str
    reason: str
    decided_by: str
    why: str


def end_treatment(desk: Desk, act: Act, form: RemovalForm) -> Event:
    """Record that a subject is off treatment, with the protocol's reason or another one (§ 10; RULES A27)."""

    def read(at: _At) -> Removal:
        course = at.reading.count(form.course, "course", "The course", low=1, high=MAX_COURSES)
        reason = at.reading.choice(form.reason, "reason", "The reason", tuple(RemovalReason))
        removed_on = at.past(form.removed_on, "removed_on")
        earlier = next((each for each in at.treatment.removals if each.course == course), None)
        if earlier is not None and at.reading.was_read("course"):
            at.reading.fault(
                "course",
                f"Course {course} ended on {say_day(earlier.removed_on)} already: {earlier.reason.value}. Withdraw that"
                " statement first if it was a slip.",
                "R33",
                "10.1",
            )
        return Removal(course, removed_on, RemovalReason(reason), at.who(form), at.why(form))

    return _record(desk, act, "treatment_ended", form, read)


@dataclass(frozen=True, slots=True)
class RetreatmentForm:
    """The principal investigator's written order for a further course."""

    subject_number: str
    course: str
    schedule: str
    ordered_by: str
    ordered_on: str
    document: str
    why: str = ""


def order_retreatment(desk: Desk, act: Act, form: RetreatmentForm) -> Event:
    """Record the order that names a retreatment's first doses (§ 3.7; RULES A22)."""

    def read(at: _At) -> RetreatmentOrder:
        course = at.reading.count(form.course, "course", "The course", low=2, high=MAX_COURSES)
        schedule = at.reading.choice(form.schedule, "schedule", "The schedule", tuple(Schedule))
        ordered_on = at.past(form.ordered_on, "ordered_on")
        document = at.reading.text(form.document, "document", "The document's reference")
        return RetreatmentOrder(course, Schedule(schedule), at.who(form, "ordered_by"), ordered_on, document)

    return _record(desk, act, "retreatment_ordered", form, read)


@dataclass(frozen=True, slots=True)
class TransplantForm:
    """Whether an allogeneic transplantation is planned: ``yes`` or ``no``."""

    subject_number: str
    planned: str
    why: str = ""


def state_transplant(desk: Desk, act: Act, form: TransplantForm) -> Event:
    """Record whether a transplantation is planned (§ 8.3)."""

    def read(at: _At) -> TransplantPlan:
        planned = at.reading.choice(form.planned, "planned", "Transplantation planned", YES_NO[:2])
        return TransplantPlan(planned == "yes", at.moment.today)

    return _record(desk, act, "transplant_stated", form, read)


@dataclass(frozen=True, slots=True)
class WithdrawForm:
    """A statement that was a slip, named by its event, and why."""

    subject_number: str
    event_seq: int
    why: str


def withdraw(desk: Desk, act: Act, form: WithdrawForm) -> Event:
    """Withdraw a statement on treatment: it no longer counts and stays readable with the reason."""

    def build(writer: Writer, _moment: Moment) -> Draft:
        reading = Reading()
        why = reading.text(form.why, "why", "The reason", longest=LONGEST_WHY)
        history = history_of(writer, form.subject_number)
        line = next((each for each in writer.treatment(form.subject_number) if each.event_seq == form.event_seq), None)
        if line is None:
            reading.fault("event_seq", f"Entry {form.event_seq} is no statement on subject {form.subject_number}.")
        elif line.withdrawn_seq is not None:
            said = f"{line.withdrawn_by}: {line.withdrawn_why.rstrip('.')}"
            reading.fault("event_seq", f"Entry {form.event_seq} was withdrawn already by {said}.")
        elif line.kind == "level_changed":
            change = from_plain(LevelChange, line.entry)
            dose = next((each for each in history if (each.course, each.cycle) >= (change.course, change.cycle)), None)
            if dose is not None:
                reading.fault(
                    "event_seq",
                    f"Cycle {dose.cycle} day {dose.day} was given on {say_day(dose.given_on)} at the level this change "
                    "set, so it is a fact. Record a further change if the prescriber orders one.",
                    "R47",
                    "8.1.6",
                )
        reading.done()
        return Draft({"subject_number": form.subject_number, "withdraws": form.event_seq}, why=why)

    return perform(desk, act, "statement_withdrawn", form, build)


# --- criteria -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LabTyped:
    """A laboratory value as typed; an empty value is 'not known'."""

    value: str = ""
    unit: str = ""
    upper_limit: str = ""
    taken_on: str = ""


@dataclass(frozen=True, slots=True)
class CriteriaForm:
    """The treatment-day criteria as typed, for one dose; yes, no or '' (not known), and values with unit and day."""

    subject_number: str
    course: str
    cycle: str
    day: str
    assessed_on: str
    assessed_by: str
    progression: str = ""
    only_cns_or_testis: str = ""
    toxicity_grade: str = ""
    toxicity_baseline_grade: str = ""
    liver_toxicity_suspected: str = ""
    bilirubin: LabTyped = LabTyped()
    due_to_tumor: str = ""
    gilbert: str = ""
    ast: LabTyped = LabTyped()
    alt: LabTyped = LabTyped()
    alkaline_phosphatase: LabTyped = LabTyped()
    not_hepatobiliary: str = ""
    creatinine_clearance: LabTyped = LabTyped()
    anc: LabTyped = LabTyped()
    platelets: LabTyped = LabTyped()
    counts_low_from_disease: str = ""
    platelets_transfused: str = ""
    consent_on: str = ""
    screening_marrow_on: str = ""
    screening_tests_on: str = ""


_LABS = {
    "bilirubin": ("Bilirubin", True, ""),
    "ast": ("AST", True, "U/L"),
    "alt": ("ALT", True, "U/L"),
    "alkaline_phosphatase": ("Alkaline phosphatase", False, "U/L"),
    "creatinine_clearance": ("Creatinine clearance", False, "mL/min"),
    "anc": ("ANC", False, "10⁹/L"),
    "platelets": ("Platelets", False, "10⁹/L"),
}
"""Names, whether an upper limit of normal is needed, and the unit where there is one only."""

_YES_NO = (
    "progression",
    "only_cns_or_testis",
    "liver_toxicity_suspected",
    "due_to_tumor",
    "gilbert",
    "not_hepatobiliary",
    "counts_low_from_disease",
    "platelets_transfused",
)
_DAYS = ("consent_on", "screening_marrow_on", "screening_tests_on")
_GRADES = ("toxicity_grade", "toxicity_baseline_grade")


def record_criteria(desk: Desk, act: Act, form: CriteriaForm) -> Event:
    """Record the criteria of a treatment day; recorded again, the newest answers count (§ 8.1.5)."""

    def read(at: _At) -> Criteria:
        place = at.place(form)
        answers = read_criteria(at.reading, form, place, at.moment.today)
        for line in at.writer.treatment(form.subject_number):
            if line.kind != CRITERIA or line.withdrawn_seq is not None:
                continue
            before = from_plain(Criteria, line.entry)
            if before.place == place and before.liver_toxicity_suspected and not answers.liver_toxicity_suspected:
                at.reading.fault(
                    "liver_toxicity_suspected",
                    f"It was suspected on {say_day(before.assessed_on)}, and suspicion is enough to end treatment for"
                    f" good. If that answer was a slip, a pharmacist withdraws entry {line.event_seq} and says why.",
                    "R32",
                    "8.1.5(4)",
                )
        return answers

    return _record(desk, act, CRITERIA, form, read)


def read_criteria(reading: Reading, form: CriteriaForm, place: tuple[int, int, int], today: date) -> Criteria:
    """The answers of a typed form; faults are collected, what is left empty is not known."""
    answers: dict[str, Any] = {}
    for name in _YES_NO:
        typed = reading.choice(getattr(form, name), name, "The answer", YES_NO)
        answers[name] = {"yes": True, "no": False}.get(typed)
    for name in _GRADES:
        typed = getattr(form, name).strip()
        answers[name] = reading.count(typed, name, "The grade", low=0, high=5) if typed else None
    for name in _DAYS:
        typed = getattr(form, name).strip()
        answers[name] = reading.day(typed, name, today=today) if typed else None
    for name in _LABS:
        answers[name] = _lab(reading, name, getattr(form, name), today)
    assessed_on = reading.day(form.assessed_on, "assessed_on", today=today)
    assessed_by = reading.text(form.assessed_by, "assessed_by", "The name of who read the criteria", longest=60)
    return Criteria(*place, assessed_on=assessed_on, assessed_by=assessed_by, **answers)


def _lab(reading: Reading, name: str, typed: LabTyped, today: date) -> Lab | None:
    words, needs_limit, unit = _LABS[name]
    if not typed.value.strip():
        if typed.upper_limit.strip():
            reading.fault(f"{name}.value", f"{words}: the upper limit is typed, the value is missing.")
        return None
    value = reading.decimal(typed.value, f"{name}.value", words, unit or typed.unit, zero=True)
    limit: Decimal | None = None
    if typed.upper_limit.strip():
        limit = reading.decimal(typed.upper_limit, f"{name}.upper_limit", f"The upper limit of {words}", typed.unit)
    elif needs_limit:
        reading.fault(
            f"{name}.upper_limit",
            f"{words} is judged by its upper limit of normal. Type the laboratory's own.",
        )
    taken_on = reading.day(typed.taken_on, f"{name}.taken_on", today=today)
    said_unit = unit or reading.text(typed.unit, f"{name}.unit", f"The unit of {words}", longest=20)
    if not unit and reading.was_read(f"{name}.unit"):
        said_unit = bilirubin_unit(typed.unit)
        if not said_unit:
            reading.fault(f"{name}.unit", f"{words} is reported in {' or '.join(BILIRUBIN_LIMITS)}. Type one of them.")
    _check_possible(reading, name, value, limit, said_unit)
    return Lab(value, said_unit, taken_on, limit)


def _check_possible(reading: Reading, name: str, value: Decimal, limit: Decimal | None, unit: str) -> None:
    """Refuse what was typed in another unit: it would meet a criterion that the subject does not meet."""
    words = _LABS[name][0]
    most = MOST_POSSIBLE.get(name)
    if most is not None and value > most[0]:
        reading.fault(
            f"{name}.value",
            f"{words} of {show(value)} {unit} is not possible; at most {show(most[0])} is taken. {most[1]}",
        )
    limits = possible_limits(name, unit)
    if limit is not None and limits is not None and not limits[0] <= limit <= limits[1]:
        reading.fault(
            f"{name}.upper_limit",
            f"{show(limit)} {unit} is no upper limit of normal for {words}; {show(limits[0])} to {show(limits[1])} is"
            " taken. Type value and limit in the same unit.",
        )


def criteria_form(criteria: Criteria, subject_number: str) -> CriteriaForm:
    """Recorded answers as a form again, for a page that shows or continues them."""
    plain: dict[str, Any] = {}
    for field in fields(CriteriaForm):
        name = field.name
        if name == "subject_number":
            plain[name] = subject_number
            continue
        value = getattr(criteria, name)
        if name in _LABS:
            plain[name] = (
                LabTyped()
                if value is None
                else LabTyped(
                    format(value.value, "f"),
                    value.unit,
                    "" if value.upper_limit is None else format(value.upper_limit, "f"),
                    value.taken_on.isoformat(),
                )
            )
        elif name in _YES_NO:
            plain[name] = "" if value is None else "yes" if value else "no"
        else:
            plain[name] = "" if value is None else str(value)
    return CriteriaForm(**plain)
