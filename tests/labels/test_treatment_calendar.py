"""The printed treatment calendar: whole, readable, nothing on top of anything else, from empty to two courses."""

import re
from dataclasses import replace
from datetime import date

import pytest

from labels import proof
from labels.papers import PdfPapers
from pharmacy_app.domain.drift import drift_watch
from pharmacy_app.domain.request import UsedWeight, Weight
from pharmacy_app.domain.schedule import GivenDose
from pharmacy_app.domain.treatment import (
    Cause,
    CyclePlan,
    Delay,
    LevelChange,
    LevelReason,
    Marrow,
    Omission,
    Removal,
    RemovalReason,
    RetreatmentOrder,
    Schedule,
    Treatment,
)
from pharmacy_app.domain.treatment_calendar import DoseStatus, calendar_of
from pharmacy_app.services.papers import TreatmentCalendarPaper
from tests.domain.dose_cases import PROTOCOL
from tests.labels.samples import STAMP, D, collisions


def given(cycle: int, day: int, on: date, mg: str, *, course: int = 1, level: int = 0) -> GivenDose:
    return GivenDose(course, cycle, day, level, on, D(mg))


FIRST = (given(1, 1, date(2026, 3, 2), "1.6"),)
# Cycle 2 day 8 omitted; cycle 3 held for toxicity and resumed a level lower; cycle 4 day 8 four days late.
SIX = (
    *FIRST,
    given(1, 8, date(2026, 3, 9), "1"),
    given(1, 15, date(2026, 3, 18), "1"),
    given(2, 1, date(2026, 3, 31), "1.2"),
    *(given(3, 1, date(2026, 5, 11), "0.8", level=-1), given(3, 8, date(2026, 5, 18), "0.4", level=-1)),
    *(given(4, 1, date(2026, 6, 8), "0.8", level=-1), given(4, 8, date(2026, 6, 19), "0.4", level=-1)),
    *(given(5, 1, date(2026, 7, 1), "0.8", level=-1), given(5, 8, date(2026, 7, 8), "0.4", level=-1)),
    *(given(6, 1, date(2026, 7, 29), "0.8", level=-1), given(6, 8, date(2026, 8, 5), "0.4", level=-1)),
)
TOLD = Treatment(
    plans=(CyclePlan(1, 2, date(2026, 3, 30)), CyclePlan(1, 3, date(2026, 4, 27)), CyclePlan(1, 3, date(2026, 5, 11))),
    delays=(
        Delay(1, 3, 1, Cause.TOXICITY, "Dr. Vogel", date(2026, 4, 27), "ALT grade 3"),
        Delay(1, 4, 8, Cause.OTHER, "Dr. Vogel", date(2026, 6, 16), "could not travel"),
    ),
    omissions=(Omission(1, 2, 8, Cause.TOXICITY, "Dr. Vogel", date(2026, 4, 7), "ALT grade 3"),),
    level_changes=(LevelChange(1, 3, 0, -1, LevelReason.TOXICITY, "Dr. Vogel", date(2026, 5, 8), "after the hold"),),
    marrows=(Marrow(date(2026, 3, 15), D(12)), Marrow(date(2026, 3, 23), D(3))),
)
TWICE = replace(
    TOLD,
    removals=(Removal(1, date(2026, 8, 10), RemovalReason.COMPLETED, "Dr. Vogel", "all given"),),
    retreatments=(RetreatmentOrder(2, Schedule.LATER_CYCLES, "Dr. Vogel", date(2027, 1, 4), "letter 3"),),
)
SECOND_COURSE = (*SIX, given(1, 1, date(2027, 1, 11), "0.8", course=2, level=-1))
DRIFT = drift_watch(
    [Weight(D("80"), date(2026, 3, 1)), Weight(D("71.9"), date(2026, 3, 29))],
    [UsedWeight(D(80), date(2026, 3, 2))],
    PROTOCOL,
)


def paper(today: date, history: tuple[GivenDose, ...], treatment: Treatment) -> TreatmentCalendarPaper:
    calendar = calendar_of(PROTOCOL, today, history, treatment)
    return TreatmentCalendarPaper(STAMP, "inotuzumab ozogamicin", "1001-0007", calendar)


CASES = {
    "nothing": paper(date(2026, 3, 1), (), Treatment()),
    "late in cycle 1": paper(date(2026, 3, 14), FIRST, Treatment()),
    "to be omitted": paper(date(2026, 3, 17), FIRST, Treatment()),
    "six cycles": replace(paper(date(2026, 8, 6), SIX, TOLD), drift=DRIFT),
    "two courses": paper(date(2027, 1, 13), SECOND_COURSE, TWICE),
    "cycles without a record": paper(date(2026, 8, 6), (SIX[0], SIX[3], SIX[-1]), TWICE),
    "late on day 14 beside day 15": paper(
        date(2026, 3, 17), (FIRST[0], given(1, 8, date(2026, 3, 15), "1"), given(1, 15, date(2026, 3, 16), "1")), TOLD
    ),
    "a dose before its day 1": paper(
        date(2026, 3, 9), (given(1, 1, date(2026, 3, 9), "1.6"), given(1, 8, date(2026, 3, 2), "1")), Treatment()
    ),
}


def words_of(made: TreatmentCalendarPaper) -> str:
    return " ".join(proof.page_texts(PdfPapers().treatment_calendar(made)))


@pytest.mark.parametrize("sheet", ["letter", "a4"])
@pytest.mark.parametrize("case", CASES)
def test_no_word_lies_on_another_or_leaves_the_page(case: str, sheet: str) -> None:
    papers = PdfPapers(sheet=sheet)
    pdf = papers.treatment_calendar(CASES[case])
    assert [found for page in range(papers.page_count(pdf)) for found in collisions(pdf, page)] == []


def test_every_page_says_whose_calendar_it_is_and_where_it_comes_from() -> None:
    pages = proof.page_texts(PdfPapers().treatment_calendar(CASES["two courses"]))
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        assert "Treatment calendar" in page
        assert "Subject 1001-0007 · as of 13-Jan-2027" in page
        assert f"Page {number} of {len(pages)}" in page
        assert "journal 1,234 events, head ab12cd34ef56" in page


def test_an_empty_calendar_says_what_to_do() -> None:
    words = words_of(CASES["nothing"])
    assert "Store the planned day 1 of cycle 1." in words
    assert "1001-0007" in words
    assert "initials" not in words
    assert "Nothing beside the doses is recorded" in words
    assert "Marrows of the first cycle" not in words


def test_six_cycles_tell_every_dose_with_its_window_delay_and_cause() -> None:
    words = words_of(CASES["six cycles"])
    for required in (
        "12 doses in 6 cycles; 1 dose omitted",
        "All 6 cycles are over. No dose is due.",
        "Cycle 1 day 15 none 0.5 16-Mar-2026 13-Mar to 19-Mar-2026 given 18-Mar-2026 1 2",
        "Cycle 2 day 8 0 0.3 07-Apr-2026 04-Apr to 10-Apr-2026 omitted N/A a N/A a N/A b",
        "Omitted on 07-Apr-2026 by Dr. Vogel",
        "Cycle 3 day 1 -1 0.4 27-Apr-2026 24-Apr to 30-Apr-2026 given 11-May-2026 0.8 14 toxicity",
        "Cycle 4 day 8 -1 0.2 15-Jun-2026 12-Jun to 18-Jun-2026 given 19-Jun-2026 0.4 4 other",
        "11-May (+14 d)",
        "cycle 3: 11-May (Day 42)",
        "Day 14 (15-Mar-2026) 12-Mar to 18-Mar-2026 taken 15-Mar-2026, 12 % blasts",
        "5 cycles began after it",
        "Level -1 instead of 0 from cycle 3 on (toxicity) by Dr. Vogel: after the hold.",
        "29-Mar-2026 71.9 80 −10.125 YES: recalculate",
    ):
        assert required in words, required


def test_two_courses_keep_apart() -> None:
    words = words_of(CASES["two courses"])
    assert "Course 2 · Cycle 1" in words
    assert "Course 2, cycle 1 day 8 is due on 18-Jan-2027, from 15-Jan to 21-Jan." in words
    assert "end of treatment 10-Aug" in words
    assert "Course 2 ordered with later-cycle doses by Dr. Vogel, document letter 3." in words


def test_each_state_has_its_own_mark_and_its_word() -> None:
    """The legend names every state; a state that a later version adds must get its mark."""
    words = words_of(CASES["nothing"])
    for status in DoseStatus:
        assert status.value in words
    assert "late, due 09-Mar" in words_of(CASES["late in cycle 1"])
    assert "to be omitted" in words_of(CASES["to be omitted"])


def test_weights_are_printed_only_when_they_are_handed_in() -> None:
    heading = "Weight against the weight last used"
    assert heading in words_of(CASES["six cycles"])
    assert heading not in words_of(CASES["two courses"])


def test_no_number_has_a_trailing_zero_or_a_naked_point() -> None:
    assert not re.search(r"(?<![\d.])\.\d|\d\.\d*0 (mg|kg|%)", words_of(CASES["six cycles"]))


def test_a_reason_with_a_sign_that_the_typeface_lacks_is_printed() -> None:
    strange = replace(TOLD, omissions=(replace(TOLD.omissions[0], why="漢"),))
    assert "[U+6F22]" in words_of(paper(date(2026, 8, 6), SIX, strange))


def test_a_second_print_says_so() -> None:
    assert "REPRINT" not in words_of(CASES["six cycles"])
    assert "REPRINT 1" in words_of(replace(CASES["six cycles"], copy_number=2))


def test_the_same_calendar_prints_the_same_bytes() -> None:
    assert PdfPapers().treatment_calendar(CASES["six cycles"]) == PdfPapers().treatment_calendar(CASES["six cycles"])
