"""Medication errors: where and what they were, how much harm they did, and who must be told by when.

How much harm is answered by decision questions; the letter of the NCC MERP index follows from the answers and is never
typed. All words for questions and letters are our own; the index is its council's (``MERP_NOTICE``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pharmacy_app.domain.dates import at_site
from pharmacy_app.domain.protocol import Protocol

MERP_NOTICE = (
    "Categories after the NCC MERP Index for Categorizing Medication Errors. © National Coordinating Council for "
    "Medication Error Reporting and Prevention. All Rights Reserved."
)
"""Stands wherever a category's letter is printed or shown (REGULATION D-19)."""

WORKING_DAYS = (
    "Working days are Monday to Friday by the site's calendar and end at midnight. Holidays are not known here and "
    "are not left out."
)
"""How the clocks count, said beside them."""

WEEKEND = (5, 6)
"""Saturday and Sunday, as ``date.weekday`` counts them."""


class Stage(StrEnum):
    """Where in the medication's way the error arose (REGULATION D-18)."""

    PRESCRIBING = "prescribing"
    TRANSCRIBING = "transcribing"
    PREPARATION = "preparation"
    LABELING = "labeling"
    DISPENSING = "dispensing"
    ADMINISTRATION = "administration"
    MONITORING = "monitoring"


class ErrorType(StrEnum):
    """What went wrong."""

    WRONG_DOSE = "wrong dose"
    WRONG_SUBJECT = "wrong subject"
    WRONG_DRUG = "wrong drug"
    WRONG_TIME = "wrong time"
    WRONG_RATE = "wrong rate"
    WRONG_VOLUME = "wrong diluent or volume"
    OMITTED = "omitted"
    EXPIRED = "expired or deteriorated"
    LABELING = "labeling"
    OTHER = "other"


class StoppedFor(StrEnum):
    """Why an infusion was stopped part-way (RULES A23)."""

    REACTION = "reaction"
    OTHER = "other"


class Recipient(StrEnum):
    """Who is told of an error (REGULATION D-18)."""

    INVESTIGATOR = "principal investigator"
    SUPPORTER = "supporter"
    IND_OFFICE = "IND Office"
    IRB = "IRB"
    PRESCRIBER = "prescriber"
    OTHER = "other"


# --- how much harm -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MerpAnswers:
    """The decision questions, each answered yes, no, or not yet (``None``)."""

    actual_error: bool | None = None
    reached_subject: bool | None = None
    death: bool | None = None
    harmed: bool | None = None
    sustain_life: bool | None = None
    permanent_harm: bool | None = None
    hospitalization: bool | None = None
    monitoring: bool | None = None


MERP_QUESTIONS = {
    "actual_error": "Did an error really happen?",
    "reached_subject": "Did it reach the subject? (A dose left out does.)",
    "death": "Did it cause the subject's death, or may it have added to it?",
    "harmed": "Was the subject harmed?",
    "sustain_life": "Was an intervention needed to keep the subject alive?",
    "permanent_harm": "Is the harm permanent?",
    "hospitalization": "Did the subject have to go into hospital, or stay there longer?",
    "monitoring": "Was extra monitoring needed, or an intervention to prevent harm?",
}
"""Each question in our words, by its name in ``MerpAnswers``."""


@dataclass(frozen=True, slots=True)
class MerpCategory:
    """A letter of the index, its meaning in our words, and whether it means harm to the subject (E to I)."""

    letter: str
    words: str
    harm: bool


MERP_CATEGORIES = {
    category.letter: category
    for category in (
        MerpCategory("A", "Circumstances that could lead to an error; none happened", harm=False),
        MerpCategory("B", "An error that did not reach the subject", harm=False),
        MerpCategory("C", "Reached the subject; no harm", harm=False),
        MerpCategory("D", "Reached the subject; monitored or treated so that no harm came", harm=False),
        MerpCategory("E", "Temporary harm that needed an intervention", harm=True),
        MerpCategory("F", "Temporary harm with a stay in hospital, new or longer", harm=True),
        MerpCategory("G", "Permanent harm", harm=True),
        MerpCategory("H", "An intervention was needed to keep the subject alive", harm=True),
        MerpCategory("I", "The subject's death, caused or added to", harm=True),
    )
}
"""Every category by its letter."""

NEAR_MISS = ("A", "B")
"""Letters of what did not reach the subject."""

_START = "actual_error"
_NEXT = {
    ("actual_error", False): "A",
    ("actual_error", True): "reached_subject",
    ("reached_subject", False): "B",
    ("reached_subject", True): "death",
    ("death", True): "I",
    ("death", False): "harmed",
    ("harmed", False): "monitoring",
    ("harmed", True): "sustain_life",
    ("monitoring", False): "C",
    ("monitoring", True): "D",
    ("sustain_life", True): "H",
    ("sustain_life", False): "permanent_harm",
    ("permanent_harm", True): "G",
    ("permanent_harm", False): "hospitalization",
    ("hospitalization", True): "F",
    ("hospitalization", False): "E",
}


def _path(answers: MerpAnswers) -> Iterator[str]:
    """The questions in the order in which they decide, then the letter; ends early at one not yet answered."""
    at = _START
    while True:
        yield at
        if at in MERP_CATEGORIES:
            return
        answer = getattr(answers, at)
        if answer is None:
            return
        at = _NEXT[at, answer]


def merp_category(answers: MerpAnswers) -> MerpCategory | None:
    """The category that the answers give, or ``None`` while a question that decides is open (REGULATION D-19)."""
    *_, last = _path(answers)
    return MERP_CATEGORIES.get(last)


def next_question(answers: MerpAnswers) -> str | None:
    """The name of the open question that decides next, or ``None`` when the category is known."""
    *_, last = _path(answers)
    return None if last in MERP_CATEGORIES else last


def questions_asked(answers: MerpAnswers) -> tuple[str, ...]:
    """The names of the questions that decide, in their order; the last one may be open."""
    return tuple(name for name in _path(answers) if name not in MERP_CATEGORIES)


def contradicting(answers: MerpAnswers) -> tuple[str, ...]:
    """Answered questions that the known category never comes to: with them the answers contradict one another."""
    way = tuple(_path(answers))
    if way[-1] not in MERP_CATEGORIES:
        return ()
    return tuple(
        each.name for each in fields(answers) if each.name not in way and getattr(answers, each.name) is not None
    )


def asks_sae_assessment(answers: MerpAnswers) -> bool:
    """Whether an assessment for a serious adverse event is asked: category E or worse, or certain to become it."""
    return bool(answers.actual_error and answers.reached_subject and (answers.harmed or answers.death))


# --- who must be told by when --------------------------------------------------------------------------------------


class ClockState(StrEnum):
    """How a clock stands. What was told late stays late."""

    DUE = "due"
    OVERDUE = "overdue"
    DONE = "done"
    LATE = "done late"


@dataclass(frozen=True, slots=True)
class Clock:
    """By when one recipient must be told of a serious adverse event.

    ``name`` is the recipient's own name, ``due_at`` the last moment in time (it is itself in time), ``words`` the limit
    as the protocol sets it.
    """

    recipient: Recipient
    name: str
    aware_at: datetime
    due_at: datetime
    words: str
    section: str


def safety_clocks(
    aware_at: datetime,
    fatal_or_life_threatening: bool,
    unexpected_and_related: bool,
    protocol: Protocol,
    zone: ZoneInfo,
) -> tuple[Clock, ...]:
    """Who must be told of a serious adverse event by when, from first awareness (§ 12.1, 12.2; RULES R59).

    The supporter within so many hours as they pass, at once when it is fatal or life-threatening. The IND Office by the
    end of so many working days after the day of awareness; an event that is also unexpected and related in writing by
    the end of the next. See ``WORKING_DAYS``.
    """
    limits = protocol.safety_reports
    aware_at = at_site(aware_at, zone)
    if fatal_or_life_threatening:
        supporter_due, supporter_words = aware_at, "at once: fatal or life-threatening"
    else:
        supporter_due = at_site(aware_at.astimezone(UTC) + timedelta(hours=limits.supporter_hours), zone)
        supporter_words = f"within {limits.supporter_hours} h of awareness"
    if fatal_or_life_threatening and unexpected_and_related:
        days = limits.ind_office_urgent_working_days
        office_words = f"in writing within {_working_days(days)}: fatal or life-threatening, unexpected and related"
    else:
        days = limits.ind_office_working_days
        office_words = f"within {_working_days(days)} of awareness"
    study = protocol.study
    return (
        Clock(Recipient.SUPPORTER, study.supporter, aware_at, supporter_due, supporter_words, limits.section),
        Clock(
            Recipient.IND_OFFICE,
            study.sponsor,
            aware_at,
            _end_of_working_day(aware_at, days, zone),
            office_words,
            limits.section,
        ),
    )


def _working_days(days: int) -> str:
    return f"{days} working day{'' if days == 1 else 's'}"


def _end_of_working_day(aware_at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The last moment of the ``days``-th working day after the day of awareness."""
    day = aware_at.astimezone(zone).date()
    while days:
        day += timedelta(days=1)
        days -= day.weekday() not in WEEKEND
    return at_site(datetime.combine(day, time.max, zone), zone)


def state(clock: Clock, now: datetime, told_at: datetime | None) -> ClockState:
    """How the clock stands at ``now``; exactly at the limit is in time."""
    if told_at is not None:
        return ClockState.DONE if told_at <= clock.due_at else ClockState.LATE
    return ClockState.DUE if now <= clock.due_at else ClockState.OVERDUE
