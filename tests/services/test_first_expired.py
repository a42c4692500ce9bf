"""First expired, first out: passing over an earlier vial takes a reason; expiring before the end is refused (A-21)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from labels.papers import PdfPapers
from labels.proof import page_texts
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.planning import PASSED_OVER_REASONS
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.preparation import (
    PrepareForm,
    ReserveForm,
    ScanForm,
    check_scan,
    left_behind,
    prepare,
    proposals,
    reserve,
    take_instead,
)
from pharmacy_app.services.printing import print_worksheet
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.services.pharmacy import Pharmacy

EARLY = LotTyped("1", "A1", "2026-03-31", "2")
LATE = LotTyped("1", "B2", "2027-03-31", "3")


def faults_of(act: Callable[[], object]) -> tuple[Fault, ...]:
    """The faults with which an act is refused."""
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.faults


class Shelf:
    """Two vials that expire on 31 March 2026 and three of another lot that expire a year later; a dose is decided."""

    def __init__(self, pharmacy: Pharmacy) -> None:
        self.pharmacy = pharmacy
        units = tuple(pharmacy.stock_up(lots=(EARLY, LATE)))
        self.early, self.late = units[:2], units[2:]
        pharmacy.enroll()
        self.dose_id = pharmacy.dose("decided")

    def reserve(self, units: tuple[str, ...], **reason: str) -> Any:
        form = ReserveForm(self.dose_id, units, units, **reason)
        return reserve(self.pharmacy.desk, self.pharmacy.act("paula"), form, self.pharmacy.sign("paula"))


@pytest.fixture
def shelf(pharmacy: Pharmacy) -> Shelf:
    return Shelf(pharmacy)


def test_the_earliest_go_first_and_no_reason_is_asked_for(shelf: Shelf) -> None:
    assert shelf.pharmacy.best(shelf.dose_id) == shelf.early
    event = shelf.reserve(shelf.early)
    assert event.content["plan"]["passed_over"] == []
    assert event.content["plan"]["passed_over_reason"] == ""


def test_a_later_lot_takes_a_reason_and_says_what_was_passed_over(shelf: Shelf) -> None:
    (fault,) = faults_of(lambda: shelf.reserve(shelf.late[:2]))
    assert fault.field == "passed_over_reason"
    assert fault.sentence == (
        "Usable vials that expire earlier are passed over: 2 × 1 mg of lot A1, last usable day 31-Mar-2026. Take those"
        " first, or give the reason."
    )
    event = shelf.reserve(
        shelf.late[:2], passed_over_reason="the supporter asked for this lot", passed_over_note="letter of 1 March"
    )
    plan = event.content["plan"]
    assert plan["passed_over"] == list(shelf.early)
    assert plan["passed_over_reason"] == "the supporter asked for this lot: letter of 1 March"
    said = plan["findings"][-1]
    assert (said["rule"], said["severity"], said["section"]) == ("A40", "info", "8.2")
    assert said["sentence"].endswith("Reason: the supporter asked for this lot: letter of 1 March.")
    shelf.pharmacy.assert_sound()


def test_one_early_and_one_late_vial_pass_over_the_other_early_one(shelf: Shelf) -> None:
    mixed = (shelf.early[0], shelf.late[0])
    (fault,) = faults_of(lambda: shelf.reserve(mixed))
    assert "1 × 1 mg of lot A1" in fault.sentence
    event = shelf.reserve(mixed, passed_over_reason=PASSED_OVER_REASONS[0])
    assert event.content["plan"]["passed_over"] == [shelf.early[1]]


def test_another_reason_is_said_in_words(shelf: Shelf) -> None:
    (fault,) = faults_of(lambda: shelf.reserve(shelf.late[:2], passed_over_reason="other"))
    assert fault.field == "passed_over_note"
    (fault,) = faults_of(lambda: shelf.reserve(shelf.late[:2], passed_over_reason="because"))
    assert fault.field == "passed_over_reason"
    event = shelf.reserve(shelf.late[:2], passed_over_reason="other", passed_over_note="early box frozen shut")
    assert event.content["plan"]["passed_over_reason"] == "other: early box frozen shut"


def test_the_worksheet_says_what_was_passed_over(shelf: Shelf) -> None:
    desk = replace(shelf.pharmacy.desk, papers=PdfPapers())
    shelf.reserve(shelf.late[:2], passed_over_reason="not at hand where the dose is prepared")
    shelf.pharmacy.verify(shelf.dose_id)
    printed = print_worksheet(desk, shelf.pharmacy.act("paula"), shelf.dose_id)
    words = " ".join(" ".join(page_texts(printed.pdf)).split())
    assert "Usable vials that expire earlier are passed over: 2 × 1 mg of lot A1" in words
    assert "Reason: not at hand where the dose is prepared." in words


def test_a_vial_of_another_lot_takes_the_place_of_one_that_was_not_scanned(shelf: Shelf) -> None:
    desk, proposed = shelf.pharmacy.desk, shelf.early
    with desk.store.read() as reader:
        with pytest.raises(Refused, match="is the wrong lot"):
            check_scan(desk, reader, ScanForm(shelf.dose_id, proposed, (), shelf.late[0]))
        plan = take_instead(desk, reader, ScanForm(shelf.dose_id, proposed, (), shelf.late[0]))
        units = tuple(draw.unit_number for draw in plan.draws)
        assert units == (shelf.early[0], shelf.late[0])
        assert check_scan(desk, reader, ScanForm(shelf.dose_id, units, (), shelf.late[1])).lot == "B2"
        assert [vial.unit_number for vial in left_behind(desk, reader, shelf.dose_id, units)] == [shelf.early[1]]
        assert left_behind(desk, reader, shelf.dose_id, proposed) == ()
        # With the early one in hand it is the other one that is given up.
        plan = take_instead(desk, reader, ScanForm(shelf.dose_id, proposed, (shelf.early[1],), shelf.late[0]))
        assert len({draw.lot for draw in plan.draws}) == 2
        with pytest.raises(Refused, match="The plan takes no further 1 mg vial"):
            take_instead(desk, reader, ScanForm(shelf.dose_id, proposed, shelf.early, shelf.late[0]))


def test_a_quarantined_early_vial_is_not_passed_over(shelf: Shelf) -> None:
    quarantine(shelf.pharmacy.desk, shelf.pharmacy.act("tim"), QuarantineForm(shelf.early, "warm"))
    assert shelf.reserve(shelf.late[:2]).content["plan"]["passed_over"] == []


# --- the end of the infusion -----------------------------------------------------------------------------------


def chicago(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026 in Chicago, before the clocks change (UTC−6)."""
    return datetime(2026, 3, day, tzinfo=UTC) + timedelta(hours=hour + 6, minutes=minute)


@pytest.fixture
def last_day(pharmacy: Pharmacy) -> Pharmacy:
    """Four vials on their last usable day, 2 March 2026; a dose is decided for it. An infusion takes one hour."""
    pharmacy.stock_up(lots=(LotTyped("1", "A1", "2026-03-02", "4"),))
    pharmacy.enroll()
    return pharmacy


def test_an_infusion_that_ends_at_midnight_of_the_last_day_may_be_planned(last_day: Pharmacy) -> None:
    dose_id = last_day.dose("decided")
    last_day.clock.now = chicago(2, 23, 0)
    last_day.reserve(dose_id, tuple(vial.unit_number for vial in last_day.vials()[:2]))


def test_a_vial_that_expires_before_the_infusion_ends_is_not_reserved(last_day: Pharmacy) -> None:
    dose_id = last_day.dose("decided")
    units = tuple(vial.unit_number for vial in last_day.vials()[:2])
    last_day.clock.now = chicago(2, 23, 1)
    (fault,) = faults_of(lambda: last_day.reserve(dose_id, units))
    assert fault.sentence == (
        f"Vial {units[0]} of lot A1 expires before the infusion ends: its last usable day is 02-Mar-2026, the infusion"
        " would end on 03-Mar-2026. Take one that expires later."
    )
    assert (fault.rule, fault.section) == ("A40", "8.2")
    with last_day.desk.store.read() as reader:
        assert proposals(last_day.desk, reader, dose_id).plans == ()
        with pytest.raises(Refused, match="expires before the infusion ends"):
            check_scan(last_day.desk, reader, ScanForm(dose_id, units, (), units[0]))


def test_it_is_asked_again_when_the_vials_are_opened(last_day: Pharmacy) -> None:
    last_day.clock.now = chicago(2, 22, 0)
    dose_id = last_day.dose("worksheet")
    units = [draw["unit_number"] for draw in last_day.thread(dose_id).plan["draws"]]

    def mix(minute: int) -> Any:
        last_day.clock.now = chicago(2, 23, minute)
        form = PrepareForm(dose_id, last_day.time(), last_day.time(), tuple(zip(units, ("3.6", "2.24"), strict=True)))
        return prepare(last_day.desk, last_day.act("tim"), form)

    faults = faults_of(lambda: mix(1))
    assert all("expires before the infusion ends" in fault.sentence for fault in faults)
    assert {fault.field for fault in faults} == {"unit_number"}
    # Diluted at 23:00, an hour's infusion ends at midnight: the last usable day is just over then.
    mix(0)
