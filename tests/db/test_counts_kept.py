"""Counts, discrepancies and close-outs under another program's hands: the database itself keeps them as they were."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from pharmacy_app.services.closeout import CloseOutForm, close_out
from pharmacy_app.services.counts import CountForm, ExplainForm, explain_discrepancy, record_count
from pharmacy_app.services.disposition import ReturnForm, return_vials
from tests.databases import other_hands
from tests.services.leaving import CARRIER, permission
from tests.services.pharmacy import Pharmacy


@pytest.fixture
def guarded(pharmacy: Pharmacy) -> Iterator[Connection]:
    """A study that was counted with a difference, explained and closed out."""
    desk = pharmacy.desk
    units = tuple(pharmacy.stock_up())
    count = CountForm("Refrigerator 1", pharmacy.count(), codes=units[1:])
    event = record_count(desk, pharmacy.act("tim"), count, pharmacy.sign("tim"), pharmacy.sign("carla"))
    explained = ExplainForm(event.content["discrepancy"], "found miscounted", "behind the logger")
    explain_discrepancy(desk, pharmacy.act("paula"), explained, pharmacy.sign("paula"), pharmacy.sign("carla"))
    back = ReturnForm(units, permission(pharmacy), "Depot", "study end", "yes", CARRIER)
    return_vials(desk, pharmacy.act("paula"), back, pharmacy.sign("paula"))
    close_out(desk, pharmacy.act("paula"), CloseOutForm(), pharmacy.sign("paula"), pharmacy.sign("mona"))
    pharmacy.assert_sound()
    with other_hands(pharmacy.path) as raw:
        yield raw


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE stock_count SET counted_by = 'Somebody Else'", "a count is never changed"),
        ("DELETE FROM stock_count", "a count is never deleted"),
        ("DELETE FROM discrepancy", "a discrepancy is never deleted"),
        ("UPDATE close_out SET signed_by = ''", "a close-out is never changed"),
        ("DELETE FROM close_out", "a close-out is never deleted"),
    ],
)
def test_the_database_keeps_what_was_counted(guarded: Connection, sql: str, words: str) -> None:
    with pytest.raises(IntegrityError, match=words):
        guarded.execute(text(sql))


def test_an_explanation_changed_from_outside_is_found(pharmacy: Pharmacy, guarded: Connection) -> None:
    guarded.execute(text("UPDATE discrepancy SET explanation = 'it was always there'"))
    found = pharmacy.desk.store.verify()
    assert not found.sound
    assert "discrepancy" in found.trouble
