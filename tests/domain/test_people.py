"""Who may do what on which day: delegation by day, and the sentence for each way of not being allowed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from pharmacy_app.domain.people import AUTHORITY, Account, Role, authority_fault

FIRST, LAST = date(2026, 3, 2), date(2026, 9, 30)
LENA = Account(
    account_id="a1",
    user_name="lena",
    printed_name="Lena Okafor",
    roles=(Role.PHARMACIST,),
    delegated_from=FIRST,
    delegated_to=LAST,
    active=True,
    locked=False,
    must_change_password=False,
)


@pytest.mark.parametrize(
    ("day", "covered"),
    [
        (date(2026, 3, 1), False),
        (FIRST, True),
        (date(2026, 3, 3), True),
        (date(2026, 9, 29), True),
        (LAST, True),
        (date(2026, 10, 1), False),
    ],
)
def test_a_delegation_covers_both_its_end_days(day: date, covered: bool) -> None:
    assert LENA.delegated_on(day) is covered
    fault = authority_fault(LENA, "dose_released", day)
    assert (fault is None) is covered
    if fault is not None:
        assert fault.sentence.startswith(f"Lena Okafor is not delegated on {day.isoformat()}.")
        assert (fault.field, fault.section) == ("", "8.1.2")


def test_a_delegation_without_an_end_goes_on() -> None:
    endless = replace(LENA, delegated_to=None)
    assert endless.delegated_on(date(2100, 1, 1))
    assert not endless.delegated_on(date(2026, 3, 1))


def test_a_disabled_account_does_nothing_and_is_told_before_anything_else() -> None:
    fault = authority_fault(replace(LENA, active=False, locked=True), "signed_in", FIRST)
    assert fault is not None
    assert fault.sentence == "The account of Lena Okafor is disabled."
    assert fault.field == ""


def test_a_locked_account_is_told_who_unlocks_it() -> None:
    fault = authority_fault(replace(LENA, locked=True), "signed_in", FIRST)
    assert fault is not None
    assert fault.sentence == "The account of Lena Okafor is locked. Ask an administrator to unlock it."
    assert fault.field == ""


def test_a_technician_does_not_release_a_dose() -> None:
    technician = replace(LENA, roles=(Role.TECHNICIAN, Role.MONITOR))
    fault = authority_fault(technician, "dose_released", FIRST)
    assert fault is not None
    assert fault.sentence == ("“dose released” takes a pharmacist. Lena Okafor is signed in as technician and monitor.")
    assert fault.field == ""


def test_the_roles_that_may_are_listed_in_order_with_the_right_article() -> None:
    monitor = replace(LENA, roles=(Role.MONITOR,))
    prepared = authority_fault(monitor, "dose_prepared", FIRST)
    added = authority_fault(monitor, "account_added", FIRST)
    assert prepared is not None
    assert added is not None
    assert prepared.sentence.startswith("“dose prepared” takes a pharmacist or technician.")
    assert added.sentence.startswith("“account added” takes an administrator.")


def test_one_role_that_may_is_enough() -> None:
    assert authority_fault(replace(LENA, roles=(Role.MONITOR, Role.PHARMACIST)), "dose_released", FIRST) is None


def test_the_monitor_changes_nothing_but_what_a_monitor_signs() -> None:
    monitor = replace(LENA, roles=(Role.MONITOR,))
    allowed = {act for act in AUTHORITY if authority_fault(monitor, act, FIRST) is None}
    own = {"password_changed", "signed_in", "signed_out"}
    signed = {"vials_accounted", "accountability_undone", "period_signed", "study_closed_out"}
    review = {"visit_planned", "visit_opened", "entries_verified", "visit_signed"}
    review |= {"query_opened", "query_returned", "query_closed"}
    taken_away = {"record_printed", "subject_exported", "data_exported"}
    assert allowed == own | signed | review | taken_away | {"medication_error_recorded"}
