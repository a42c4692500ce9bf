"""How much harm an error did, by its decision questions; and who must be told by when.

Calendar by hand: 2 March 2026 is a Monday, so 6 March is a Friday and 7 and 8 March are the weekend. Chicago puts its
clocks forward in the night to Sunday, 8 March 2026, and back in the night to Sunday, 1 November 2026.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pharmacy_app.domain.medication_errors import (
    MERP_CATEGORIES,
    MERP_NOTICE,
    MERP_QUESTIONS,
    Clock,
    ClockState,
    MerpAnswers,
    Recipient,
    asks_sae_assessment,
    contradicting,
    merp_category,
    next_question,
    questions_asked,
    safety_clocks,
    state,
)
from pharmacy_app.domain.protocol import shipped_protocol

CHICAGO = ZoneInfo("America/Chicago")
PROTOCOL = shipped_protocol()

REACHED = MerpAnswers(actual_error=True, reached_subject=True, death=False)
HARMED = replace(REACHED, harmed=True, sustain_life=False)
TEMPORARY = replace(HARMED, permanent_harm=False)

# Each letter by its own way through the questions (REGULATION D-19).
WAYS = {
    "A": MerpAnswers(actual_error=False),
    "B": MerpAnswers(actual_error=True, reached_subject=False),
    "C": replace(REACHED, harmed=False, monitoring=False),
    "D": replace(REACHED, harmed=False, monitoring=True),
    "E": replace(TEMPORARY, hospitalization=False),
    "F": replace(TEMPORARY, hospitalization=True),
    "G": replace(HARMED, permanent_harm=True),
    "H": replace(REACHED, harmed=True, sustain_life=True),
    "I": MerpAnswers(actual_error=True, reached_subject=True, death=True),
}


@pytest.mark.parametrize(("letter", "answers"), WAYS.items())
def test_each_letter_by_its_way(letter: str, answers: MerpAnswers) -> None:
    category = merp_category(answers)
    assert category is not None
    assert category.letter == letter
    assert category.harm == (letter in "EFGHI")
    assert next_question(answers) is None
    assert contradicting(answers) == ()
    assert asks_sae_assessment(answers) == (letter in "EFGHI")


def test_every_letter_has_words_and_every_question_too() -> None:
    assert "".join(MERP_CATEGORIES) == "ABCDEFGHI" == "".join(WAYS)
    assert all(category.words for category in MERP_CATEGORIES.values())
    assert MERP_QUESTIONS.keys() == set(MerpAnswers.__dataclass_fields__)
    assert "© National Coordinating Council for Medication Error Reporting and Prevention" in MERP_NOTICE


@pytest.mark.parametrize(("letter", "answers"), WAYS.items())
def test_any_question_that_decides_left_open_leaves_the_category_unknown(letter: str, answers: MerpAnswers) -> None:
    for name in questions_asked(answers):
        still_open = replace(answers, **{name: None})
        assert merp_category(still_open) is None
        assert next_question(still_open) == name


def test_the_questions_come_one_after_the_other() -> None:
    """As the pharmacist answers them for a subject who was kept in hospital for two nights."""
    answers = MerpAnswers()
    asked = []
    says = {"hospitalization": True, "actual_error": True, "reached_subject": True, "harmed": True}
    while (name := next_question(answers)) is not None:
        asked.append(name)
        answers = replace(answers, **{name: says.get(name, False)})
    assert asked == [
        "actual_error",
        "reached_subject",
        "death",
        "harmed",
        "sustain_life",
        "permanent_harm",
        "hospitalization",
    ]
    assert tuple(asked) == questions_asked(answers)
    assert merp_category(answers) == MERP_CATEGORIES["F"]


def test_harm_asks_for_the_sae_before_the_letter_is_known() -> None:
    """In intensive care nobody knows yet whether the harm is permanent; the clock of the report runs all the same."""
    assert asks_sae_assessment(HARMED)
    assert asks_sae_assessment(MerpAnswers(actual_error=True, reached_subject=True, harmed=True))
    assert not asks_sae_assessment(MerpAnswers())
    assert not asks_sae_assessment(REACHED)
    assert not asks_sae_assessment(replace(REACHED, harmed=False))
    # Did it reach the subject at all? Not known, so the harm is not of this error yet.
    assert not asks_sae_assessment(MerpAnswers(actual_error=True, harmed=True))


def test_answers_that_contradict_one_another_are_named() -> None:
    assert contradicting(replace(WAYS["A"], death=True)) == ("death",)
    assert contradicting(replace(WAYS["B"], harmed=False, monitoring=True)) == ("harmed", "monitoring")
    assert contradicting(replace(WAYS["C"], permanent_harm=True)) == ("permanent_harm",)
    assert contradicting(replace(WAYS["G"], hospitalization=False)) == ("hospitalization",)
    # While a question is open, nothing after it can be judged.
    assert contradicting(MerpAnswers(actual_error=True, permanent_harm=True)) == ()


# --- clocks ---------------------------------------------------------------------------------------------------


def at(month: int, day: int, hour: int = 9, minute: int = 0, *, fold: int = 0) -> datetime:
    """A moment in Chicago in 2026."""
    return datetime(2026, month, day, hour, minute, tzinfo=CHICAGO, fold=fold)


def clocks(aware_at: datetime, *, fatal: bool = False, unexpected: bool = False) -> tuple[Clock, Clock]:
    """The supporter's clock and the IND Office's."""
    supporter, office = safety_clocks(aware_at, fatal, unexpected, PROTOCOL, CHICAGO)
    assert (supporter.recipient, office.recipient) == (Recipient.SUPPORTER, Recipient.IND_OFFICE)
    return supporter, office


def last_of(month: int, day: int) -> datetime:
    """The last moment of a day in Chicago."""
    return datetime(2026, month, day, 23, 59, 59, 999999, tzinfo=CHICAGO)


def same(one: datetime, other: datetime) -> bool:
    """Two moments as they happened: with one and the same zone, Python compares the clock on the wall."""
    return one.astimezone(UTC) == other.astimezone(UTC)


def test_the_supporter_is_told_within_24_hours_and_the_office_within_five_working_days() -> None:
    """Known on Monday, 2 March, 09:00: Pfizer by Tuesday 09:00, the IND Office by the end of Monday, 9 March."""
    supporter, office = clocks(at(3, 2))
    assert (supporter.name, supporter.section) == ("Pfizer", "12.0, 12.1, 12.2")
    assert same(supporter.due_at, at(3, 3))
    assert office.name == "MD Anderson Cancer Center, IND Office"
    assert same(office.due_at, last_of(3, 9))
    assert supporter.words == "within 24 h of awareness"
    assert office.words == "within 5 working days of awareness"


@pytest.mark.parametrize(
    ("aware", "five_days", "next_day"),
    [
        ((3, 6), (3, 13), (3, 9)),  # Friday: the next working day is Monday, the fifth Friday
        ((3, 7), (3, 13), (3, 9)),  # Saturday: counting begins on Monday
        ((3, 8), (3, 13), (3, 9)),  # Sunday
        ((3, 5), (3, 12), (3, 6)),  # Thursday
    ],
)
def test_working_days_jump_the_weekend(
    aware: tuple[int, int], five_days: tuple[int, int], next_day: tuple[int, int]
) -> None:
    assert same(clocks(at(*aware))[1].due_at, last_of(*five_days))
    urgent = clocks(at(*aware), fatal=True, unexpected=True)[1]
    assert same(urgent.due_at, last_of(*next_day))
    assert "in writing within 1 working day" in urgent.words


def test_only_fatal_and_unexpected_and_related_together_shorten_the_office_s_limit() -> None:
    assert same(clocks(at(3, 2), fatal=True)[1].due_at, last_of(3, 9))
    assert same(clocks(at(3, 2), unexpected=True)[1].due_at, last_of(3, 9))
    assert same(clocks(at(3, 2), fatal=True, unexpected=True)[1].due_at, last_of(3, 3))


def test_a_fatal_event_is_told_to_the_supporter_at_once() -> None:
    supporter, _ = clocks(at(3, 2), fatal=True)
    assert same(supporter.due_at, at(3, 2))
    assert "at once" in supporter.words
    assert state(supporter, at(3, 2, 9, 1), None) is ClockState.OVERDUE


def test_24_hours_are_hours_that_pass_when_the_clocks_change() -> None:
    """Forward: Saturday 09:00 CST + 24 h is Sunday 10:00 CDT. Back: Saturday 09:00 CDT + 24 h is Sunday 08:00 CST."""
    forward, _ = clocks(at(3, 7))
    assert (forward.due_at.hour, forward.due_at.utcoffset()) == (10, timedelta(hours=-5))
    back, _ = clocks(at(10, 31))
    assert (back.due_at.hour, back.due_at.utcoffset()) == (8, timedelta(hours=-6))


def test_the_working_day_ends_at_the_site_s_midnight() -> None:
    """Known on Thursday, 29 October (CDT): the fifth working day is Thursday, 5 November, ending in CST."""
    _, office = clocks(at(10, 29))
    assert same(office.due_at, last_of(11, 5))
    assert office.due_at.utcoffset() == timedelta(hours=-6)
    # 23:30 in Chicago on Friday is Saturday by UTC: the site's day counts.
    _, late = clocks(at(3, 6, 23, 30).astimezone(UTC))
    assert same(late.due_at, last_of(3, 13))
    _, monday = clocks(at(3, 2, 23, 30).astimezone(UTC), fatal=True, unexpected=True)
    assert same(monday.due_at, last_of(3, 3))


def test_exactly_24_hours_is_in_time_and_what_was_late_stays_late() -> None:
    supporter, _ = clocks(at(3, 2))
    limit = supporter.due_at
    moment = timedelta(microseconds=1)
    assert state(supporter, limit, None) is ClockState.DUE
    assert state(supporter, limit + moment, None) is ClockState.OVERDUE
    long_after = limit + timedelta(days=400)
    assert state(supporter, long_after, limit) is ClockState.DONE
    assert state(supporter, long_after, limit + moment) is ClockState.LATE
    assert state(supporter, supporter.aware_at, supporter.aware_at) is ClockState.DONE


def test_a_clock_keeps_when_it_was_known_in_the_sites_time_and_its_section() -> None:
    for clock in clocks(at(3, 6, 23, 30).astimezone(UTC)):
        assert same(clock.aware_at, at(3, 6, 23, 30))
        assert clock.aware_at.utcoffset() == timedelta(hours=-6)
        assert clock.section == "12.0, 12.1, 12.2"


def test_the_limits_in_words() -> None:
    supporter, office = clocks(at(3, 2), fatal=True, unexpected=True)
    assert supporter.words == "at once: fatal or life-threatening"
    assert office.words == "in writing within 1 working day: fatal or life-threatening, unexpected and related"


def test_harm_that_is_contradicted_by_the_category_asks_for_nothing() -> None:
    """Nothing happened (A), so what was clicked after it does not count; that it contradicts is said elsewhere."""
    assert not asks_sae_assessment(MerpAnswers(actual_error=False, reached_subject=True, harmed=True))
    harmless = replace(WAYS["C"], hospitalization=True)
    assert not asks_sae_assessment(harmless)
    assert asks_sae_assessment(WAYS["E"])
