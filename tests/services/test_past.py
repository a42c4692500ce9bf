"""The record at a past moment: what was known then, what is known now, and what came later."""

from datetime import UTC, datetime

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.past import Past, PastForm, past, print_past, read_past
from pharmacy_app.services.stock import QuarantineForm, quarantine, release_shipment
from tests.services.pharmacy import Pharmacy


def look(pharmacy: Pharmacy, at: str) -> Past:
    with pharmacy.desk.store.read() as reader:
        return past(pharmacy.desk, reader, PastForm(at))


def states(found: Past, *, now: bool = False) -> dict[str, int]:
    """Vials by state, zeros left out."""
    counts = {line.state: line.known_now if now else line.known_then for line in found.stock}
    return {state: count for state, count in counts.items() if count}


def moves(pharmacy: Pharmacy, at: str, known: str) -> list[tuple[str, int, int]]:
    """Move, available and quarantine after it, of the ledger as it stood."""
    with pharmacy.desk.store.read() as reader:
        _, wanted = read_past(pharmacy.desk, reader, PastForm(at, known))
        lines = reader.past_ledger(wanted, offset=0, limit=100)
        assert reader.count_past_ledger(wanted) == len(lines)
    return [(line.move, line.balance_available, line.balance_quarantine) for line in lines]


@pytest.fixture
def monday(pharmacy: Pharmacy) -> Pharmacy:
    """Ten vials received on Monday at 08:00 and released at 09:00; now it is Tuesday, 08:00."""
    pharmacy.receive()
    pharmacy.clock.forward(hours=1)
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    pharmacy.clock.forward(hours=23)
    return pharmacy


def test_between_receipt_and_release_all_ten_were_held(monday: Pharmacy) -> None:
    found = look(monday, "2026-03-02 08:30")
    assert states(found) == {"held": 10} == states(found, now=True)
    assert not found.differs
    assert found.entered_later == ()


def test_the_minute_typed_is_whole(monday: Pharmacy) -> None:
    assert states(look(monday, "2026-03-02 08:59")) == {"held": 10}
    assert states(look(monday, "2026-03-02 09:00")) == {"available": 10}


def test_before_the_first_receipt_nothing_was_there(monday: Pharmacy) -> None:
    found = look(monday, "2026-03-02 07:59")
    assert found.stock == ()
    assert found.head.seq == 0


def test_a_late_entry_was_not_known_then_and_is_known_now(monday: Pharmacy) -> None:
    vial = monday.vials()[0].unit_number
    form = QuarantineForm((vial,), "the carton was wet", "2026-03-02 12:00", "the refrigerator's log was read today")
    quarantine(monday.desk, monday.act("tim"), form)
    found = look(monday, "2026-03-02 13:00")
    assert states(found) == {"available": 10}
    assert states(found, now=True) == {"available": 9, "quarantined": 1}
    assert found.differs
    (line,) = found.entered_later
    assert (line.move, line.units, line.late_why) == ("quarantine", (vial,), "the refrigerator's log was read today")
    # An hour before it was done neither knows of it.
    assert states(look(monday, "2026-03-02 11:59"), now=True) == {"available": 10}
    assert look(monday, "2026-03-02 11:59").entered_later == ()
    # Today both know.
    assert states(look(monday, "2026-03-03 08:00")) == {"available": 9, "quarantined": 1}


def test_the_ledger_has_the_late_line_only_as_known_now(monday: Pharmacy) -> None:
    vial = monday.vials()[0].unit_number
    form = QuarantineForm((vial,), "the carton was wet", "2026-03-02 12:00", "the log was read today")
    quarantine(monday.desk, monday.act("tim"), form)
    held_and_released = [("receive", 0, 10), ("release", 10, 0)]
    assert moves(monday, "2026-03-02 13:00", "then") == held_and_released
    assert moves(monday, "2026-03-02 13:00", "now") == [*held_and_released, ("quarantine", 9, 1)]


def test_the_journal_is_named_as_it_ended_then(monday: Pharmacy) -> None:
    receipt = monday.events("shipment_received")[0]
    assert look(monday, "2026-03-02 08:30").head.hash == receipt.hash


def test_a_moment_ahead_is_refused(monday: Pharmacy) -> None:
    with pytest.raises(Refused) as refused:
        look(monday, "2026-03-03 08:01")
    assert "in the future" in refused.value.faults[0].sentence
    assert refused.value.faults[0].field == "at"


@pytest.mark.parametrize("typed", ["", "yesterday", "2026-02-30 10:00"])
def test_what_is_no_moment_is_refused(monday: Pharmacy, typed: str) -> None:
    with pytest.raises(Refused):
        look(monday, typed)


def test_the_paper_is_kept_and_counted(monday: Pharmacy) -> None:
    form = PastForm("2026-03-02 13:00", "now")
    first = print_past(monday.desk, monday.act("mona"), form)
    second = print_past(monday.desk, monday.act("mona"), form)
    assert first.pdf != second.pdf
    papers = [printed.event.content["papers"][0] for printed in (first, second)]
    assert [paper["copy_number"] for paper in papers] == [1, 2]
    assert papers[0]["about"] == "2026-03-02 19:00 UTC, known now"


def test_the_doubled_hour_of_autumn_is_no_gap(monday: Pharmacy) -> None:
    """Asked in winter time or summer time, the stock is there."""
    monday.clock.now = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    assert states(look(monday, "2026-11-01 01:30")) == {"available": 10}
