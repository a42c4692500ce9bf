"""What is behind a number, as a monitor asks it: the entries that sum to it. Sums are made by hand.

Vials are counted one by one; a dose of 1.46 mg takes 0.9 mg of one vial and 0.56 mg of another.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import utc_text
from pharmacy_app.services import behind as service
from pharmacy_app.services import behind_parts, behind_record
from pharmacy_app.services.behind import (
    ON_SITE,
    Amount,
    Behind,
    Counted,
    Entry,
    Found,
    Given,
    Line,
    Measurement,
    Mg,
    Received,
    Stock,
    Thing,
    behind,
    beside,
)
from pharmacy_app.services.counts import CountForm, record_count
from pharmacy_app.services.disposition import LossForm, break_vials
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.ports import LedgerFilter, PastFilter, VialFilter
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.services.pharmacy import Pharmacy
from tests.services.test_corrections import put_right

ONE = Decimal(1)


def ask(pharmacy: Pharmacy, what: service.What) -> Behind:
    with pharmacy.desk.store.read() as reader:
        return behind(pharmacy.desk, reader, what)


def counted(pharmacy: Pharmacy, *states: str) -> int:
    """Vials of 1 mg in these states, counted one by one."""
    return sum(1 for vial in pharmacy.vials() if vial.strength_mg == ONE and vial.state in states)


def changes(found: Behind) -> list[int]:
    return [int(part.change) for part in found.parts if part.change is not None]


def both(found: Behind) -> tuple[int, int]:
    """The number shown and the sum of the entries behind it, of vials."""
    assert found.number is not None and found.total is not None
    return int(found.number), int(found.total)


# --- vials


def test_released_then_one_quarantined_then_two_reserved(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    ones = [vial.unit_number for vial in pharmacy.vials() if vial.strength_mg == ONE]
    quarantine(pharmacy.desk, pharmacy.act("paula"), QuarantineForm((ones[-1],), "it fell"))
    pharmacy.enroll()
    pharmacy.dose("verified")
    found = ask(pharmacy, Stock(ONE))
    all_in = len(ones)
    assert changes(found) == [all_in, -1, -2]
    assert found.number == found.total == all_in - 3
    assert found.agrees
    assert [part.after for part in found.parts] == [all_in, all_in - 1, all_in - 3]
    kinds = [pharmacy.events()[part.seq - 1].kind for part in found.parts if part.seq]
    assert kinds[:2] == ["vials_released", "vials_quarantined"]
    assert units[0] in found.parts[0].words and "release" in found.parts[0].words.lower()
    # The same lot asked for alone, and another one.
    lot = next(vial.lot for vial in pharmacy.vials() if vial.strength_mg == ONE)
    assert ask(pharmacy, Stock(ONE, lot)).number == all_in - 3
    none = ask(pharmacy, Stock(ONE, "NO-SUCH"))
    assert not none.number and not none.parts and none.agrees


@pytest.mark.parametrize("state", ["available", "quarantined", "reserved", "held", "opened", "destroyed"])
def test_every_state_adds_up_to_the_vials_counted_one_by_one(pharmacy: Pharmacy, state: str) -> None:
    pharmacy.stock_up()
    pharmacy.receive("S-2")
    pharmacy.enroll()
    pharmacy.dose("prepared")
    found = ask(pharmacy, Stock(ONE, states=(state,)))
    assert found.number == counted(pharmacy, state)
    assert found.agrees
    assert sum(changes(found)) == found.number


def test_the_balance_after_a_line_of_the_ledger(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.receive("S-2")
    with pharmacy.desk.store.read() as reader:
        lines = list(reader.whole_ledger(LedgerFilter(strength_mg=ONE)))
    for line in lines:
        on_site = ask(pharmacy, Stock(ONE, states=ON_SITE, through_line=line.line_id))
        assert on_site.number == line.balance_available + line.balance_quarantine
        assert on_site.agrees, line
        available = ask(pharmacy, Stock(ONE, states=service.states_of("available"), through_line=line.line_id))
        assert available.number == line.balance_available
        assert available.agrees
    with pytest.raises(Refused, match="no line 999"):
        ask(pharmacy, Stock(ONE, through_line="999.1"))


def test_an_expired_lot_is_taken_off_what_is_usable_by_no_entry(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    there = ask(pharmacy, Stock(ONE, only="usable"))
    assert there.number == counted(pharmacy, "available")
    assert there.agrees
    pharmacy.clock.forward(minutes=60 * 24 * 800)
    gone = ask(pharmacy, Stock(ONE, only="usable"))
    assert not gone.number and not gone.total and gone.agrees
    assert gone.parts[-1].seq is None
    assert "expired" in gone.parts[-1].words
    assert ask(pharmacy, Stock(ONE)).number == there.number, "still there"


def test_what_was_received_of_a_shipment_and_of_a_strength(pharmacy: Pharmacy) -> None:
    first = pharmacy.stock_up("S-1")
    second = pharmacy.receive("S-2")
    ones = {vial.unit_number for vial in pharmacy.vials() if vial.strength_mg == ONE}
    of_one = ask(pharmacy, Received(shipment="S-2"))
    assert of_one.number == of_one.total == len(second)
    assert len(of_one.parts) == 1
    both = ask(pharmacy, Received(ONE))
    assert changes(both) == [len(ones & set(first)), len(ones & set(second))]
    assert both.agrees
    with pytest.raises(Refused, match="no shipment S-9"):
        ask(pharmacy, Received(shipment="S-9"))


def test_a_long_ledger_is_brought_forward(pharmacy: Pharmacy, monkeypatch: pytest.MonkeyPatch) -> None:
    """With three entries listed at most, the first of seven shipments are one line, and it still adds up."""
    monkeypatch.setattr(behind_parts, "MOST_PARTS", 3)
    for number in range(1, 8):
        pharmacy.receive(f"S-{number}")
    each = counted(pharmacy, "held", "quarantined") // 7
    found = ask(pharmacy, Received(ONE))
    assert changes(found) == [4 * each, each, each, each]
    assert found.parts[0].words == "Brought forward from 4 entries before"
    assert [found.parts[0].after, found.parts[-1].after, found.total] == [Decimal(4 * each), *[Decimal(7 * each)] * 2]
    assert found.agrees


def test_a_number_that_does_not_add_up_is_seen(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    found = ask(pharmacy, Stock(ONE))
    assert found.number is not None
    assert not replace(found, number=found.number + 1).agrees


# --- doses


@pytest.fixture
def dosed(pharmacy: Pharmacy) -> tuple[Pharmacy, str]:
    """A dose of 1.46 mg given as 1.46 mg."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("released")
    pharmacy.give(dose_id, "1.46")
    return pharmacy, dose_id


def test_the_prepared_amount_is_the_sum_of_what_was_withdrawn(dosed: tuple[Pharmacy, str]) -> None:
    pharmacy, dose_id = dosed
    found = ask(pharmacy, Amount(dose_id, "prepared"))
    assert [part.change for part in found.parts] == [Decimal("0.9"), Decimal("0.56")]
    assert (found.number, found.total, found.agrees) == (Decimal("1.46"), Decimal("1.46"), True)
    assert all(part.by for part in found.parts)


def test_each_amount_has_its_entry_and_signatures(dosed: tuple[Pharmacy, str]) -> None:
    pharmacy, dose_id = dosed
    for which, kind in (
        ("prescribed", "dose_ordered"),
        ("prepared", "dose_prepared"),
        ("administered", "dose_administered"),
    ):
        found = ask(pharmacy, Amount(dose_id, which))
        assert found.agrees and found.number == Decimal("1.46"), which
        assert {pharmacy.events()[part.seq - 1].kind for part in found.parts if part.seq} == {kind}
    calculated = ask(pharmacy, Amount(dose_id, "calculated"))
    assert calculated.agrees
    assert any("√" in part.words or "×" in part.words for part in calculated.parts), "the working stands above it"
    assert any(part.signatures for part in calculated.parts) or calculated.parts[-1].by


def test_an_amount_that_is_not_there_yet_says_so(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    found = ask(pharmacy, Amount(dose_id, "administered"))
    assert (found.number, found.parts, found.note) == (None, (), "This dose has not come that far.")
    for wrong in (Amount("D999", "prepared"), Amount(dose_id, "poured")):
        with pytest.raises(Refused):
            ask(pharmacy, wrong)


def test_what_a_subject_was_given_in_all(dosed: tuple[Pharmacy, str]) -> None:
    pharmacy, dose_id = dosed
    found = ask(pharmacy, Given("001"))
    assert (found.number, found.total) == (Decimal("1.46"), Decimal("1.46"))
    assert [part.words for part in found.parts] == [f"Dose {dose_id}, course 1 cycle 1 day 1"]
    with pytest.raises(Refused, match="not enrolled"):
        ask(pharmacy, Given("999"))


def test_a_dose_of_which_nothing_was_given_is_not_among_those_given(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    pharmacy.give(pharmacy.dose("released"), "0", note="the line blocked")
    for found in (ask(pharmacy, Given("001")), ask(pharmacy, Given("001", doses=True))):
        assert found.number == 0
        assert found.parts == ()
        assert found.agrees


# --- things


def test_a_vials_entries_are_all_there(dosed: tuple[Pharmacy, str]) -> None:
    pharmacy, dose_id = dosed
    with pharmacy.desk.store.read() as reader:
        opened = reader.vials(VialFilter(state="opened"), sort="unit_number", descending=False, offset=0, limit=1)
    unit = opened[0].unit_number
    found = ask(pharmacy, Thing(unit))
    kinds = [pharmacy.events()[part.seq - 1].kind for part in found.parts if part.seq]
    assert kinds[0] == "shipment_received"
    assert "dose_prepared" in kinds
    assert found.number is None and found.agrees
    assert found.title == f"All that is on record of vial {unit}"
    assert {"dose_ordered", "dose_administered"} <= {
        pharmacy.events()[part.seq - 1].kind for part in ask(pharmacy, Thing(dose_id)).parts if part.seq
    }
    with pytest.raises(Refused, match="Nothing is on record"):
        ask(pharmacy, Thing("V999999Z"))


def test_the_mg_of_an_opened_vial(dosed: tuple[Pharmacy, str]) -> None:
    """1 mg each: 0.9 and 0.56 withdrawn; closed with 0.1 left in each and 0.34 discarded."""
    pharmacy, dose_id = dosed
    first, second = (line.unit_number for line in pharmacy.thread(dose_id).mg)
    still = ask(pharmacy, Mg(second, "labelled"))
    assert [part.change for part in still.parts] == [Decimal("0.56"), Decimal("0.44")]
    assert ask(pharmacy, Mg(second, "residue")).number is None
    pharmacy.close(dose_id)
    for unit, which, number in (
        (first, "withdrawn", "0.9"),
        (second, "withdrawn", "0.56"),
        (second, "residue", "0.1"),
        (second, "discarded", "0.34"),
        (second, "labelled", "1"),
    ):
        found = ask(pharmacy, Mg(unit, which))
        assert (found.number, found.agrees) == (Decimal(number), True), (unit, which)
    assert len(ask(pharmacy, Mg(second, "labelled")).parts) == 3
    difference = ask(pharmacy, Amount(dose_id, "difference"))
    assert (difference.number, len(difference.parts)) == (None, 2)
    assert ask(pharmacy, Given("001", doses=True)).number == 1


def test_only_the_newest_entries_of_a_thing_are_listed(pharmacy: Pharmacy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vial quarantined by mistake three times; with two entries listed at most, the two newest are."""
    monkeypatch.setattr(behind_record, "MOST_PARTS", 2)
    unit = pharmacy.stock_up()[0]
    for _ in range(3):
        quarantine(pharmacy.desk, pharmacy.act("paula"), QuarantineForm((unit,), "it fell"))
        put_right(pharmacy, pharmacy.events()[-1].seq)
    found = ask(pharmacy, Thing(unit))
    assert [part.seq for part in found.parts] == [pharmacy.count() - 1, pharmacy.count()]
    every = [event for event in pharmacy.events() if unit in str(event.content)]
    assert found.note == f"The 2 newest entries; {len(every) - 2} are before them."


def test_a_lot_and_a_shipment_are_found_by_the_names_that_entries_have(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    lot = next(vial.lot for vial in pharmacy.vials() if vial.strength_mg == ONE)
    for name in (f"lot {lot}", f"lot {lot}, 1 mg", "shipment S-1", f"place {pharmacy.vials()[0].place}"):
        found = ask(pharmacy, Thing(name))
        assert "shipment_received" in [pharmacy.events()[part.seq - 1].kind for part in found.parts if part.seq], name
    with pytest.raises(Refused, match="Nothing is on record of “lot S-1”"):
        ask(pharmacy, Thing("lot S-1"))


# --- corrections, receipts and counts


def test_a_label_put_right_takes_vials_out_of_one_lot_and_into_another(pharmacy: Pharmacy) -> None:
    """Ten vials of A1 that are A7: ten were received of A7, none of A1."""
    units = pharmacy.stock_up(lots=(LotTyped("1", "A1", "2027-03-31", "10"),))
    receipt = pharmacy.events("shipment_received")[0]
    put_right(pharmacy, receipt.seq, labels__0__lot="A7")
    old, new = ask(pharmacy, Received(ONE, "A1")), ask(pharmacy, Received(ONE, "A7"))
    assert (both(old), changes(old)) == ((0, 0), [10, -10])
    assert (both(new), changes(new)) == ((10, 10), [10])
    assert old.parts[0].corrected_by == new.parts[0].seq
    # The receipt itself still says what was on its packing list; what corrected it stands beneath.
    said = ask(pharmacy, Received(shipment="S-1"))
    assert both(said) == (len(units), 10)
    assert [part.change for part in said.parts][1:] == [None] * (len(said.parts) - 1)
    assert said.parts[-1].seq == new.parts[0].seq
    for which, number in (("listed", 10), ("counted", 10), ("damaged", 0)):
        found = ask(pharmacy, Found("S-1", ONE, "A1", which))
        assert both(found) == (number, number), which


def test_the_vials_that_wait_for_release_are_those_of_their_shipment(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up("S-1")
    second = pharmacy.receive("S-2")
    held = ask(pharmacy, Stock(shipment="S-2", states=("held",)))
    assert both(held) == (len(second), len(second))
    none = ask(pharmacy, Stock(shipment="S-1", states=("held",)))
    assert both(none) == (0, 0)
    assert len(none.parts) == 2, "held when they came, and released"


def test_what_a_count_expected_is_summed_as_the_ledger_was_then(pharmacy: Pharmacy) -> None:
    """Ten on the shelf, nine counted; one that broke later changes nothing of what was expected."""
    units = pharmacy.stock_up(lots=(LotTyped("1", "A1", "2027-03-31", "10"),))
    handed_in = record_count(
        pharmacy.desk,
        pharmacy.act("tim"),
        CountForm("Refrigerator 1", pharmacy.count(), codes=tuple(units[:9])),
        pharmacy.sign("tim"),
        pharmacy.sign("carla"),
    )
    signs = pharmacy.sign("tim"), pharmacy.sign("carla")
    break_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((units[0],), "it fell"), *signs)
    number = handed_in.content["count_number"]
    for which, expected in (("expected", [10]), ("counted", [9]), ("difference", [-10, 9])):
        found = ask(pharmacy, Counted(number, "vials", ONE, "A1", which))
        assert (changes(found), both(found)) == (expected, (sum(expected), sum(expected))), which
    assert ask(pharmacy, Counted(number, "vials", ONE, "A1", "difference")).note.endswith("Q000001Z.")
    with pytest.raises(Refused, match="has no lot B9"):
        ask(pharmacy, Counted(number, "vials", ONE, "B9", "expected"))


def test_a_line_of_the_ledger_names_as_many_vials_as_it_says(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    with pharmacy.desk.store.read() as reader:
        lines = list(reader.whole_ledger(LedgerFilter(strength_mg=ONE)))
    for line in lines:
        found = ask(pharmacy, Line(line.line_id, ONE, line.lot))
        assert both(found) == (line.quantity, len(line.units))


def test_a_move_that_was_undone_is_no_part_of_the_balance_as_known_now(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    quarantine(pharmacy.desk, pharmacy.act("paula"), QuarantineForm((units[0],), "it fell"))
    wrong = pharmacy.events()[-1]
    pharmacy.clock.forward(minutes=60)
    put_right(pharmacy, wrong.seq)
    utc = utc_text(pharmacy.clock())
    with pharmacy.desk.store.read() as reader:
        lines = list(reader.past_ledger(PastFilter(utc, known_now=True, strength_mg=ONE), offset=0, limit=100))
    assert {line.event_seq for line in lines} >= {wrong.seq}
    for line in lines:
        for balance, number in (("available", line.balance_available), ("quarantine", line.balance_quarantine)):
            states = service.states_of(balance)
            found = ask(pharmacy, Stock(ONE, states=states, utc=utc, known_now=True, through_line=line.line_id))
            assert both(found) == (number, number), line


# --- weights, and what belongs to an entry


def test_a_weight_leads_to_the_entry_it_was_typed_in(pharmacy: Pharmacy) -> None:
    pharmacy.enroll(height="171", weight="70")
    with pharmacy.desk.store.read() as reader:
        lines = reader.measurements("001")
    for line, value in zip(lines, (Decimal(171), Decimal(70)), strict=True):
        found = ask(pharmacy, Measurement(line.event_seq, "001", line.kind))
        assert (found.number, found.total, found.parts[0].seq) == (value, value, line.event_seq)
    with pytest.raises(Refused, match="has no height"):
        ask(pharmacy, Measurement(lines[0].event_seq + 1, "001", "height"))


def test_an_entry_knows_what_corrects_it_and_the_correction_what_it_corrects(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    quarantine(pharmacy.desk, pharmacy.act("paula"), QuarantineForm((units[0],), "it fell"))
    wrong = pharmacy.events()[-1].seq
    correction = put_right(pharmacy, wrong).seq
    with pharmacy.desk.store.read() as reader:
        forth, back = beside(reader, wrong), beside(reader, correction)
    assert [(each.words, each.seq) for each in forth] == [(f"Corrected by entry {correction}", correction)]
    assert (back[0].words, back[0].seq) == (f"Corrects entry {wrong}", wrong)
    assert [part.seq for part in ask(pharmacy, Entry(wrong)).parts] == [wrong, correction]


def test_an_entry_that_a_document_permits_leads_to_the_document(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    document = pharmacy.permission()
    attached = pharmacy.events("document_attached")[-1].seq
    found = ask(pharmacy, Entry(attached))
    assert [line.document_id for line in found.documents] == [document]
