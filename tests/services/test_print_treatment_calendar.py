"""Printing the treatment calendar of a subject: by anyone signed in, from what is on record, kept under its SHA-256."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from labels import proof
from labels.papers import PdfPapers
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.printing import print_treatment_calendar
from pharmacy_app.services.treatment import CyclePlanForm, plan_cycle
from tests.services.pharmacy import PEOPLE, Pharmacy, StubPapers


class Noted(StubPapers):
    """Papers that remember what they were asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def treatment_calendar(self, paper: Any) -> bytes:
        self.asked.append(paper)
        return super().treatment_calendar(paper)


@pytest.mark.parametrize("who", PEOPLE)
def test_everyone_may_print_a_subjects_calendar(pharmacy: Pharmacy, who: str) -> None:
    pharmacy.enroll()
    printed = print_treatment_calendar(pharmacy.desk, pharmacy.act(who), "001")
    assert printed.event.kind == "record_printed"
    assert printed.event.content["papers"] == [
        {"paper": "treatment calendar", "about": "001", "copy_number": 1, "pages": 1}
    ]
    assert printed.sha256 == sha256(printed.pdf).hexdigest()
    pharmacy.assert_sound()


def test_the_paper_holds_the_calendar_of_today_and_the_weights(pharmacy: Pharmacy) -> None:
    papers = Noted()
    desk = replace(pharmacy.desk, papers=papers)
    pharmacy.enroll()
    plan_cycle(pharmacy.desk, pharmacy.act("paula"), CyclePlanForm("001", "1", "1", pharmacy.day(2)))
    print_treatment_calendar(desk, pharmacy.act("mona"), "001")
    (paper,) = papers.asked
    assert paper.subject_number == "001"
    assert paper.calendar.next_due is not None
    assert paper.calendar.next_due.due_on.isoformat() == pharmacy.day(2)
    assert [format(point.kg, "f") for point in paper.drift.points] == ["70"]
    assert [event.words for event in paper.calendar.events] == ["45 % blasts."]


def test_a_second_print_is_the_second_copy(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    print_treatment_calendar(pharmacy.desk, pharmacy.act("paula"), "001")
    again = print_treatment_calendar(pharmacy.desk, pharmacy.act("mona"), "001")
    assert again.event.content["papers"][0]["copy_number"] == 2


def test_a_retry_of_one_click_is_one_print(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    act = pharmacy.act("paula")
    first = print_treatment_calendar(pharmacy.desk, act, "001")
    count = pharmacy.count()
    assert print_treatment_calendar(pharmacy.desk, act, "001").sha256 == first.sha256
    assert pharmacy.count() == count


def test_a_subject_nobody_enrolled_has_no_calendar(pharmacy: Pharmacy) -> None:
    with pytest.raises(Refused, match="Subject 009 is not enrolled"):
        print_treatment_calendar(pharmacy.desk, pharmacy.act("paula"), "009")
    assert not pharmacy.events("record_printed")


def test_a_given_dose_stands_on_the_paper_in_ink(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    pharmacy.dose("given")
    desk = replace(pharmacy.desk, papers=PdfPapers())
    words = " ".join(proof.page_texts(print_treatment_calendar(desk, pharmacy.act("paula"), "001").pdf))
    assert "1 dose in 1 cycle" in words
    assert "Cycle 1 day 8 is due on" in words
    assert "1.46" in words
