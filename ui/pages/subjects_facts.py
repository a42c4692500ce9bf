"""What the Subjects page asks for about one subject, and the words it says it with."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.criteria import Criteria
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.drift import Drift
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.schedule import place_words
from pharmacy_app.domain.treatment import CyclePlan, Treatment
from pharmacy_app.domain.treatment_calendar import TreatmentCalendar, calendar_of
from pharmacy_app.domain.units import show
from pharmacy_app.services import subjects, treatment, views
from pharmacy_app.services.charts import doses_against_plan
from pharmacy_app.services.desk import Desk, protocol_of, site_of, today_of
from pharmacy_app.services.pictures import Picture
from pharmacy_app.services.ports import Reader

STATEMENT_WORDS = {
    "cycle_planned": "Cycle planned",
    "delay_recorded": "Delay",
    "dose_omitted": "Omission",
    "level_changed": "Level change",
    "response_recorded": "Response",
    "marrow_recorded": "Marrow",
    "toxicity_recorded": "Toxicity",
    "treatment_ended": "End of treatment",
    "retreatment_ordered": "Retreatment order",
    "transplant_stated": "Transplantation",
    "criteria_recorded": "Criteria",
}
"""Each kind of statement in words."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the history: what it says and of which day, who recorded it when, and who withdrew it why."""

    event_seq: int
    kind: str
    on: date | None
    what: str
    recorder: str
    recorded_at: datetime
    why: str
    withdrawn: bool
    withdrawn_by: str
    withdrawn_why: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be chosen where a statement names its place: courses, cycles, days and levels of the protocol.

    ``grave_grade`` is the CTCAE grade from which a related adverse event takes a subject off treatment.
    """

    courses: tuple[tuple[str, str], ...]
    cycles: tuple[tuple[str, str], ...]
    days: tuple[tuple[str, str], ...]
    levels: tuple[tuple[str, str], ...]
    grave_grade: int


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """One subject as the page shows it."""

    line: views.SubjectLine
    age: str
    today: date
    calendar: TreatmentCalendar
    drift: Drift
    given: Picture
    measurements: tuple[views.MeasurementLine, ...]
    corrections: dict[int, views.CorrectionLine]
    doses: tuple[views.DoseLine, ...]
    statements: tuple[Statement, ...]
    documents: tuple[views.DocumentLine, ...]
    choices: Choices

    @property
    def number(self) -> str:
        """The subject's number."""
        return self.line.subject_number


def facts_of(desk: Desk, reader: Reader, subject_number: str) -> SubjectFacts:
    """Everything about one subject; raises ``Refused`` when nobody has that number."""
    line = reader.subject(subject_number)
    if line is None:
        raise Refused(Fault("", f"There is no subject {subject_number}. Choose one from the list."))
    site, today = site_of(reader), today_of(desk, reader)
    protocol = protocol_of(site, today)
    doses = tuple(reader.doses(subject_number=subject_number))
    measured = tuple(reader.measurements(subject_number, corrected=True))
    about = {subject_number, *(dose.dose_id for dose in doses)}
    return SubjectFacts(
        line=line,
        age=age_words(line.birth, today),
        today=today,
        calendar=treatment.calendar(desk, reader, subject_number),
        drift=subjects.drift_of(desk, reader, subject_number),
        given=doses_against_plan(reader, protocol.dose_difference.from_percent, subject_number),
        measurements=measured,
        corrections=reader.corrections(list({row.event_seq for row in measured})),
        doses=doses,
        statements=tuple(statement_of(each, protocol, today) for each in treatment.statements(reader, subject_number)),
        documents=tuple(document for document in reader.documents() if document.about in about),
        choices=choices_of(protocol),
    )


def choices_of(protocol: Protocol) -> Choices:
    """The places of the regimen, and its levels with their doses."""
    regimen = protocol.regimen
    days = sorted({day for doses in (regimen.first_cycle, *regimen.levels) for day in doses.days})
    levels = []
    for level in regimen.levels:
        amounts = " + ".join(show(dose.mg_per_m2) for dose in level.doses)
        levels.append((str(level.level), f"Level {level.level} ({amounts} mg/m²)"))
    return Choices(
        tuple((str(course), str(course)) for course in range(1, treatment.MAX_COURSES + 1)),
        tuple((str(cycle), str(cycle)) for cycle in range(1, regimen.max_cycles + 1)),
        tuple((str(day), str(day)) for day in days),
        tuple(levels),
        protocol.toxicity.removal_from_grade,
    )


def age_words(birth: str, on: date) -> str:
    """How old a subject is on a day, as far as the birth is known: ``52 years old``, ``37 or 38 years old``."""
    fewest, most = subjects.birth_of(birth).completed_years(on)
    years = str(fewest) if fewest == most else f"{fewest} or {most}"
    return f"{years} years old"


def say_birth(birth: str) -> str:
    """A day of birth as a date, a year alone as it is."""
    return say_day(date.fromisoformat(birth)) if len(birth) > 4 else birth


def subject_words(facts: SubjectFacts) -> str:
    """Who the subject is, in one line."""
    line = facts.line
    born = "born" if len(line.birth) > 4 else "born in"
    parts = [line.initials, f"{facts.age}, {born} {say_birth(line.birth)}", f"enrolled on {say_day(line.enrolled_on)}"]
    return " · ".join(part for part in parts if part)


# -- statements


def statement_of(line: views.TreatmentLine, protocol: Protocol, today: date) -> Statement:
    """A line of the journal as the history shows it."""
    on, what = _told(line, protocol, today)
    return Statement(
        event_seq=line.event_seq,
        kind=STATEMENT_WORDS.get(line.kind, line.kind.replace("_", " ").capitalize()),
        on=on,
        what=what,
        recorder=line.recorder,
        recorded_at=line.recorded_at,
        why=line.why,
        withdrawn=line.withdrawn_seq is not None,
        withdrawn_by=line.withdrawn_by,
        withdrawn_why=line.withdrawn_why,
    )


def _told(line: views.TreatmentLine, protocol: Protocol, today: date) -> tuple[date | None, str]:
    if line.kind == treatment.CRITERIA:
        criteria = from_plain(Criteria, line.entry)
        place = place_words(criteria.course, criteria.cycle, criteria.day)
        return criteria.assessed_on, f"Criteria of {place}, read by {criteria.assessed_by}."
    name, kind = treatment.ENTRIES[line.kind]
    entry = from_plain(kind, line.entry)
    if isinstance(entry, CyclePlan):
        place = place_words(entry.course, entry.cycle, 1)
        return entry.day1_on, f"{place[:1].upper()}{place[1:]} is planned for {say_day(entry.day1_on)}."
    # The calendar has a sentence for each other kind of statement; of this one alone it has just one.
    (event,) = calendar_of(protocol, today, (), Treatment(**{name: (entry,)})).events
    return event.on, event.words


def amount_words(mg_per_m2: Decimal | None) -> str:
    """A dose by area, '' where it is not known."""
    return "" if mg_per_m2 is None else f"{show(mg_per_m2)} mg/m²"
