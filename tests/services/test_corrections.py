"""Corrections: once for each entry, with a reason; the old entry stays readable, and the books add up before and after.

Told by kind of entry: what a slip of the hand is, how it is set right, what stands in the way. After each the vials
add up to what was received and the journal replays to the same tables.
"""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from db import schema
from db.engine import open_engine, writing
from labels import proof
from labels.papers import PdfPapers
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.people import AUTHORITY
from pharmacy_app.services import views
from pharmacy_app.services.administration import SINCE_DECIDED
from pharmacy_app.services.corrections import INSTEAD, WAYS, CorrectForm, correct, correctable
from pharmacy_app.services.desk import Denied
from pharmacy_app.services.disposition import (
    AccountForm,
    CarrierTyped,
    DestroyForm,
    LossForm,
    ReturnForm,
    TakeBackForm,
    TransferForm,
    account_for,
    break_vials,
    destroy_vials,
    find_vials,
    miss_vials,
    return_vials,
    take_back,
    transfer_vials,
)
from pharmacy_app.services.documents import PURPOSES, DocumentForm, attach_document
from pharmacy_app.services.export import export_files
from pharmacy_app.services.medication_errors import AssessForm, assess_error, error_record
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.places import ClosePlaceForm, close_place
from pharmacy_app.services.ports import LedgerFilter, PastFilter
from pharmacy_app.services.printing import (
    DARF_LAYOUT,
    SITE_LAYOUT,
    RecordForm,
    print_accountability_record,
    print_medication_error,
    print_worksheet,
    record_lines,
)
from pharmacy_app.services.stock import QuarantineForm, quarantine, release_shipment
from pharmacy_app.services.subjects import MeasurementForm, record_measurement
from pharmacy_app.services.transport import TransportForm, transport
from pharmacy_app.services.treatment import ToxicityForm, record_toxicity
from tests.benchmarks.records import letters
from tests.databases import url_at
from tests.services.pharmacy import Pharmacy

CARRIER = CarrierTyped("World Courier", "WC-4711", "1", "SEAL-9", "TL-88")


def faults_of(act: Callable[[], object]) -> tuple[Fault, ...]:
    """The faults with which an act is refused."""
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.faults


def one_fault(act: Callable[[], object], field: str, words: str) -> Fault:
    """The one fault with which an act is refused, beside its field and in these words."""
    (fault,) = faults_of(act)
    assert fault.field == field, fault
    assert words in fault.sentence, fault
    return fault


def put_right(
    pharmacy: Pharmacy, seq: int, why: str = "it was a slip", who: str = "paula", second: str = "carla", **values: str
) -> Event:
    """Correct an entry: Paula, and Carla beside her. ``values`` name fields with ``__`` for the point."""
    typed = tuple((name.replace("__", "."), value) for name, value in values.items())
    return correct(
        pharmacy.desk, pharmacy.act(who), CorrectForm(seq, why, typed), pharmacy.sign(who), pharmacy.sign(second)
    )


def shown(pharmacy: Pharmacy, seq: int) -> Any:
    """An entry as the window shows it before it is corrected."""
    with pharmacy.desk.store.read() as reader:
        return correctable(reader, seq)


def assert_balanced(pharmacy: Pharmacy) -> None:
    """Every vial is in one state, the stock counts say the same, no line leaves less than nothing, all replays."""
    vials = pharmacy.vials()
    with pharmacy.desk.store.read() as reader:
        stock: Counter[tuple[Decimal, str, str, str]] = Counter()
        for line in reader.stock():
            stock[line.strength_mg, line.lot, line.place, line.state] += line.vials
        lines = list(reader.whole_ledger(LedgerFilter()))
    assert stock == Counter((vial.strength_mg, vial.lot, vial.place, vial.state) for vial in vials)
    assert all(min(line.balance_available, line.balance_quarantine) >= 0 for line in lines)
    pharmacy.assert_sound()


def used(pharmacy: Pharmacy) -> tuple[str, str]:
    """Give a dose and close its vials: one is empty, one is partial with 0.44 mg left in it."""
    pharmacy.enroll()
    dose_id = pharmacy.dose("given")
    pharmacy.close(dose_id, (("0.1", "0"), ("0.44", "0")))
    (empty,) = (vial.unit_number for vial in pharmacy.vials(state="empty"))
    (partial,) = (vial.unit_number for vial in pharmacy.vials(state="partial"))
    return empty, partial


def permission(pharmacy: Pharmacy) -> str:
    """The number of an attached permission of the supporter."""
    form = DocumentForm(
        "Letter", "supporter's permission", "", "Dr. A. Ito", pharmacy.day(), "letter.pdf", permits=PURPOSES
    )
    content = b"%PDF-1.7 you may " + str(pharmacy.count()).encode() + b"\n%%EOF\n"
    return str(attach_document(pharmacy.desk, pharmacy.act("paula"), form, content).content["document_id"])


# --- moves recorded by mistake, by kind ------------------------------------------------------------------------


@dataclass(frozen=True)
class Slip:
    """A move recorded by mistake: how, on which vial, from which state it was moved and to which."""

    kind: str
    before: str
    after: str
    do: Callable[[Pharmacy, str], Event]
    pick: Callable[[Pharmacy], str] = lambda pharmacy: pharmacy.vials(state="available")[0].unit_number


def _lose(act: Callable[..., Event]) -> Callable[[Pharmacy, str], Event]:
    return lambda p, unit: act(p.desk, p.act("tim"), LossForm((unit,), "fell"), p.sign("tim"), p.sign("carla"))


def _quarantine(p: Pharmacy, unit: str) -> Event:
    return quarantine(p.desk, p.act("tim"), QuarantineForm((unit,), "9 °C overnight"))


def _missing(p: Pharmacy) -> str:
    unit = p.vials(state="available")[0].unit_number
    _lose(miss_vials)(p, unit)
    return unit


def _held(p: Pharmacy) -> str:
    return p.receive("S-2", (LotTyped("1", "A1", "2027-03-31", "1"),))[0]


def _reserved(p: Pharmacy) -> str:
    p.enroll()
    return p.thread(p.dose("planned")).vials[0].unit_number


def _accounted(p: Pharmacy) -> str:
    empty, _ = used(p)
    account_for(p.desk, p.act("mona"), AccountForm((empty,)), p.sign("mona"))
    return empty


SLIPS = (
    Slip("vials_quarantined", "available", "quarantined", _quarantine),
    Slip("vials_quarantined", "reserved", "quarantined", _quarantine, _reserved),
    Slip("vials_quarantined", "held", "quarantined", _quarantine, _held),
    Slip("vials_released", "held", "available", lambda p, _: release_shipment(p.desk, p.act("paula"), "S-2"), _held),
    Slip("vials_broken", "available", "broken", _lose(break_vials)),
    Slip("vials_broken", "reserved", "broken", _lose(break_vials), _reserved),
    Slip("vials_missing", "available", "missing", _lose(miss_vials)),
    Slip("vials_found", "missing", "quarantined", _lose(find_vials), _missing),
    Slip(
        "vials_returned",
        "available",
        "returned",
        lambda p, unit: return_vials(
            p.desk,
            p.act("paula"),
            ReturnForm((unit,), permission(p), "Depot", "unused", "yes", CARRIER),
            p.sign("paula"),
        ),
    ),
    Slip(
        "vials_transferred",
        "available",
        "transferred",
        lambda p, unit: transfer_vials(
            p.desk,
            p.act("paula"),
            TransferForm((unit,), permission(p), "Site 021", "short there", "yes", CARRIER),
            p.sign("paula"),
        ),
    ),
    Slip(
        "vials_destroyed",
        "empty",
        "destroyed",
        lambda p, unit: destroy_vials(
            p.desk,
            p.act("tim"),
            DestroyForm((unit,), permission(p), "burned", "bin 12"),
            p.sign("tim"),
            p.sign("carla"),
        ),
        _accounted,
    ),
    Slip(
        "vials_taken_back",
        "empty",
        "returned by subject",
        lambda p, unit: take_back(
            p.desk, p.act("tim"), TakeBackForm((unit,), p.vial(unit).dose_id, "in the bin", "a nurse")
        ),
        lambda p: used(p)[0],
    ),
)


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: f"{slip.kind} {slip.before}")
def test_a_move_recorded_by_mistake_is_taken_back(pharmacy: Pharmacy, slip: Slip) -> None:
    pharmacy.stock_up()
    unit = slip.pick(pharmacy)
    before = pharmacy.vial(unit)
    pharmacy.clock.forward(minutes=5)
    done = slip.do(pharmacy, unit)
    assert done.kind == slip.kind
    assert pharmacy.vial(unit).state == slip.after
    assert_balanced(pharmacy)
    pharmacy.clock.forward(minutes=5)
    event = put_right(pharmacy, done.seq, "it was another vial")
    assert event.kind == "move_undone"
    assert pharmacy.vial(unit) == before, "the vial is not what it was before"
    assert [(each.printed_name, each.meaning) for each in event.signatures] == [
        ("Paula Reyes", "corrected the entry"),
        ("Carla Okafor", "checked the correction"),
    ]
    with pharmacy.desk.store.read() as reader:
        life = reader.vial_life(unit)
        correction = reader.correction(done.seq)
    assert life is not None
    line = life.lines[-1]
    assert (line.transaction, line.from_state, line.to_state) == ("CORRECT", slip.after, slip.before)
    assert (line.corrects_seq, line.done_at) == (done.seq, pharmacy.clock())
    assert (line.recorder, line.verifier) == ("Paula Reyes", "Carla Okafor")
    assert correction is not None
    assert correction.changes == (views.ChangedValue(f"Vials {unit}", slip.after, slip.before),)
    assert (correction.why, correction.signed_by) == ("it was another vial", "Paula Reyes, Carla Okafor")
    assert correction.moved_vials
    assert_balanced(pharmacy)


def test_a_place_recorded_by_mistake_is_taken_back_by_two_lines(pharmacy: Pharmacy) -> None:
    units = tuple(pharmacy.stock_up()[:2])
    done = transport(pharmacy.desk, pharmacy.act("tim"), TransportForm(units, "Refrigerator 2", "Tim"))
    assert {pharmacy.vial(unit).place for unit in units} == {"Refrigerator 2"}
    put_right(pharmacy, done.seq)
    assert {pharmacy.vial(unit).place for unit in units} == {"Refrigerator 1"}
    with pharmacy.desk.store.read() as reader:
        life = reader.vial_life(units[0])
    assert life is not None
    assert [(line.transaction, line.place, line.from_state, line.to_state) for line in life.lines[-2:]] == [
        ("CORRECT", "Refrigerator 2", "available", ""),
        ("CORRECT", "Refrigerator 1", "", "available"),
    ]
    assert_balanced(pharmacy)


def test_known_now_leaves_out_what_was_taken_back_and_known_then_keeps_it(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    pharmacy.clock.forward(minutes=10)
    done = _quarantine(pharmacy, unit)
    between = pharmacy.clock().strftime("%Y-%m-%dT%H:%M:59.000000Z")
    pharmacy.clock.forward(minutes=10)
    put_right(pharmacy, done.seq)
    with pharmacy.desk.store.read() as reader:
        stock = {line.state: (line.known_then, line.known_now) for line in reader.past_stock(between)}
    assert stock == {"available": (9, 10), "quarantined": (1, 0)}


def test_a_release_that_was_undone_takes_no_balance_below_zero_when_some_vials_never_came(pharmacy: Pharmacy) -> None:
    """As known now, eight of the ten came, and the release of all ten never happened."""
    units = pharmacy.receive()
    receipt = pharmacy.events("shipment_received")[0]
    pharmacy.clock.forward(hours=1)
    pharmacy.label_vials(units)
    release = release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    pharmacy.clock.forward(hours=1)
    put_right(pharmacy, release.seq)
    put_right(pharmacy, receipt.seq, labels__0__never_came=" ".join(units[8:]))
    with pharmacy.desk.store.read() as reader:
        now = utc_text(pharmacy.clock())
        lines = reader.past_ledger(PastFilter(now, known_now=True), offset=0, limit=100)
        then = reader.past_ledger(PastFilter(now, known_now=False), offset=0, limit=100)
    assert [(line.transaction, line.balance_available, line.balance_quarantine) for line in lines] == [
        ("RECEIVE", 0, 10),
        ("CORRECT", 0, 8),
        ("RELEASE", 0, 8),
        ("CORRECT", 0, 8),
    ]
    assert [(line.transaction, line.balance_available, line.balance_quarantine) for line in then] == [
        ("RECEIVE", 0, 10),
        ("RELEASE", 10, 0),
        ("CORRECT", 0, 10),
        ("CORRECT", 0, 8),
    ]


def test_a_vial_that_moved_since_names_move_day_and_line(pharmacy: Pharmacy) -> None:
    unit, other = pharmacy.stock_up()[:2]
    done = quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((unit, other), "9 °C"))
    pharmacy.clock.forward(minutes=30)
    broken = _lose(break_vials)(pharmacy, unit)
    fault = one_fault(lambda: put_right(pharmacy, done.seq), "", f"Vial {unit} has moved since")
    # 08:00 at the site, half an hour later.
    assert f"“break” on 02-Mar-2026 08:30, line {broken.seq}.1." in fault.sentence
    assert shown(pharmacy, done.seq).why_not == (fault.sentence,)
    assert {pharmacy.vial(each).state for each in (unit, other)} == {"broken", "quarantined"}
    put_right(pharmacy, broken.seq)
    put_right(pharmacy, done.seq)
    assert {pharmacy.vial(each).state for each in (unit, other)} == {"available"}
    assert_balanced(pharmacy)


def test_a_move_that_was_taken_back_stands_in_nobodys_way(pharmacy: Pharmacy) -> None:
    """Carried by mistake, then broken by mistake: both are taken back, the newest first."""
    unit = pharmacy.stock_up()[0]
    before = pharmacy.vial(unit)
    pharmacy.clock.forward(minutes=5)
    carried = transport(pharmacy.desk, pharmacy.act("tim"), TransportForm((unit,), "Refrigerator 2", "Tim"))
    pharmacy.clock.forward(minutes=5)
    broken = _lose(break_vials)(pharmacy, unit)
    pharmacy.clock.forward(minutes=5)
    one_fault(lambda: put_right(pharmacy, carried.seq), "", f"line {broken.seq}.1. Only a vial's last move")
    put_right(pharmacy, broken.seq)
    put_right(pharmacy, carried.seq)
    assert pharmacy.vial(unit) == before
    release = pharmacy.events("vials_released")[0]
    put_right(pharmacy, release.seq)
    assert pharmacy.vial(unit).state == "held"
    assert_balanced(pharmacy)


def test_a_vial_whose_quarantine_was_taken_back_can_turn_out_never_to_have_come(pharmacy: Pharmacy) -> None:
    unit = pharmacy.receive()[0]
    receipt = pharmacy.count()
    pharmacy.clock.forward(minutes=5)
    slip = quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((unit,), "9 °C"))
    pharmacy.clock.forward(minutes=5)
    one_fault(lambda: put_right(pharmacy, receipt, labels__0__never_came=unit), "labels.0.never_came", "“quarantine”")
    put_right(pharmacy, slip.seq)
    put_right(pharmacy, receipt, labels__0__never_came=unit)
    assert pharmacy.vial(unit).state == "never received"
    assert_balanced(pharmacy)


def test_a_reason_for_holding_comes_back(pharmacy: Pharmacy) -> None:
    """A held vial with an alarm is quarantined by mistake: it is held for the alarm again, and not released by rule."""
    unit = pharmacy.receive("S-9", logger_state="alarm")[0]
    reason = pharmacy.vial(unit).hold_reason
    assert "alarm" in reason
    done = _quarantine(pharmacy, unit)
    assert pharmacy.vial(unit).hold_reason == "9 °C overnight"
    put_right(pharmacy, done.seq)
    assert pharmacy.vial(unit).hold_reason == reason
    again = _quarantine(pharmacy, unit)
    put_right(pharmacy, again.seq)
    assert pharmacy.vial(unit).hold_reason == reason
    pharmacy.assert_sound()


def test_a_vial_of_a_dose_that_was_cancelled_since_goes_to_stock(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    unit = _reserved(pharmacy)
    done = _lose(break_vials)(pharmacy, unit)
    pharmacy.cancel(pharmacy.vial(unit).dose_id)
    put_right(pharmacy, done.seq)
    assert (pharmacy.vial(unit).state, pharmacy.vial(unit).dose_id) == ("available", "")
    assert_balanced(pharmacy)


def test_a_container_that_is_none_is_not_accounted_for(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    done = _lose(break_vials)(pharmacy, unit)
    account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((unit,)), pharmacy.sign("mona"))
    put_right(pharmacy, done.seq)
    assert (pharmacy.vial(unit).state, pharmacy.vial(unit).accounted_by) == ("available", "")


# --- once, by whom, why ----------------------------------------------------------------------------------------


def test_an_entry_is_corrected_once(pharmacy: Pharmacy) -> None:
    done = _quarantine(pharmacy, pharmacy.stock_up()[0])
    first = put_right(pharmacy, done.seq)
    count = pharmacy.count()
    fault = one_fault(lambda: put_right(pharmacy, done.seq), "", f"Entry {done.seq} was corrected on 02-Mar-2026 08:00")
    assert f"by Paula Reyes, Carla Okafor, entry {first.seq}: an entry is corrected once." in fault.sentence
    assert pharmacy.count() == count
    one_fault(lambda: put_right(pharmacy, first.seq), "", "If the move was right after all, record it again.")


def test_the_database_itself_allows_one_correction(pharmacy: Pharmacy) -> None:
    done = _quarantine(pharmacy, pharmacy.stock_up()[0])
    put_right(pharmacy, done.seq)
    row = {
        "corrects_seq": done.seq,
        "event_seq": 9999,
        "kind": "move_undone",
        "changes": "[]",
        "why": "once more",
        "signed_by": "nobody",
        "corrected_at": "2026-03-02T08:00:00-06:00",
        "corrected_utc": "2026-03-02T14:00:00.000000Z",
        "moved_vials": 1,
    }
    # Another correction of the same entry; and one entry that would be the correction of two.
    for again in (row, {**row, "corrects_seq": 1, "event_seq": done.seq + 1}):
        engine = open_engine(url_at(pharmacy.path))
        with pytest.raises(IntegrityError), writing(engine) as connection:
            connection.execute(insert(schema.correction).values(again))
        engine.dispose()


def test_two_people_correct_at_once_and_one_of_them_is_told(pharmacy: Pharmacy) -> None:
    done = _quarantine(pharmacy, pharmacy.stock_up()[0])
    acts = {who: pharmacy.act(who) for who in ("paula", "quentin")}
    start, outcomes = threading.Barrier(2), []

    def at_once(who: str) -> None:
        start.wait()
        try:
            form = CorrectForm(done.seq, f"{who} saw it")
            correct(pharmacy.desk, acts[who], form, pharmacy.sign(who), pharmacy.sign("carla"))
            outcomes.append("done")
        except Refused as refused:
            outcomes.append(refused.faults[0].sentence)

    people = [threading.Thread(target=at_once, args=(who,)) for who in acts]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert outcomes.count("done") == 1
    assert any("an entry is corrected once" in outcome for outcome in outcomes)
    assert len(pharmacy.events("move_undone")) == 1
    assert_balanced(pharmacy)


def test_the_same_correction_sent_again_is_one(pharmacy: Pharmacy) -> None:
    done = _quarantine(pharmacy, pharmacy.stock_up()[0])
    act = pharmacy.act("paula")
    form = CorrectForm(done.seq, "a slip")
    first = correct(pharmacy.desk, act, form, pharmacy.sign("paula"), pharmacy.sign("carla"))
    again = correct(pharmacy.desk, act, form, pharmacy.sign("paula"), pharmacy.sign("carla"))
    assert first.seq == again.seq


@pytest.mark.parametrize(
    ("why", "words"), [("", "The reason is missing"), ("  ", "The reason is missing"), ("x" * 501, "longer than 500")]
)
def test_a_correction_takes_a_reason(pharmacy: Pharmacy, why: str, words: str) -> None:
    done = _quarantine(pharmacy, pharmacy.stock_up()[0])
    one_fault(lambda: put_right(pharmacy, done.seq, why), "why", words)


def test_what_changes_stock_takes_another_person(pharmacy: Pharmacy) -> None:
    done = _quarantine(pharmacy, pharmacy.stock_up()[0])
    one_fault(lambda: put_right(pharmacy, done.seq, second="paula"), "witness_user_name", "is another one")
    form = CorrectForm(done.seq, "a slip")
    one_fault(
        lambda: correct(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula")),
        "witness_user_name",
        "takes a second person",
    )
    one_fault(
        lambda: correct(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("paula"), pharmacy.sign("carla")),
        "user_name",
        "Sign with your own account: Tim Lindqvist",
    )


def test_nobody_corrects_what_they_may_not_record(pharmacy: Pharmacy) -> None:
    """A release is a pharmacist's: the technician does not take one back, and the try is on record."""
    pharmacy.stock_up()
    released = pharmacy.events("vials_released")[0]
    with pytest.raises(Denied, match="takes a pharmacist"):
        put_right(pharmacy, released.seq, who="tim")
    assert pharmacy.events()[-1].kind == "access_denied"


def test_every_kind_of_entry_is_corrected_or_says_which_way_is_open() -> None:
    """People coming and going record nothing that could be wrong."""
    coming_and_going = {"signed_in", "signed_out", "password_changed", "password_reset", "account_unlocked"}
    said = WAYS.keys() | INSTEAD.keys() | coming_and_going
    newest_counts = {"receipt_acknowledged", "deviation_reported", "deviation_decided", "deviation_closed"}
    newest_counts |= {"vials_relabelled", "discrepancy_opened", "study_closed_out"}
    assert AUTHORITY.keys() - said - newest_counts == set()
    assert not WAYS.keys() & INSTEAD.keys()
    assert {way.act for way in WAYS.values()} <= AUTHORITY.keys()


def test_what_has_no_correction_says_which_way_is_open(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    ordered = pharmacy.thread(pharmacy.dose("ordered")).order_seq
    one_fault(lambda: put_right(pharmacy, ordered), "", "Cancel the dose with the reason, and order it again.")
    assert shown(pharmacy, ordered).fields == ()
    one_fault(lambda: put_right(pharmacy, 9999), "", "There is no entry 9999 in the journal.")


# --- a receipt -------------------------------------------------------------------------------------------------


def test_a_wrong_lot_and_expiry_are_put_right_in_every_state(pharmacy: Pharmacy) -> None:
    """Lot A1 was A7 on the label: one vial is in quarantine by now, two are opened, the others are in stock."""
    units = pharmacy.stock_up()
    _quarantine(pharmacy, units[9])
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    receipt = pharmacy.events("shipment_received")[0]
    states = {vial.unit_number: vial.state for vial in pharmacy.vials()}
    event = put_right(pharmacy, receipt.seq, "read again", labels__0__lot="a7", labels__0__expiry="2027-05")
    assert {vial.unit_number: vial.state for vial in pharmacy.vials()} == states
    assert {(vial.lot, vial.expires_on.isoformat()) for vial in pharmacy.vials()} == {("A7", "2027-05-31")}
    assert event.content["changes"] == [
        {"label": "Lot", "old": "A1", "new": "a7"},
        {"label": "Expiry", "old": "2027-03-31", "new": "2027-05"},
    ]
    with pharmacy.desk.store.read() as reader:
        assert [(lot, day.isoformat()) for _, lot, day in reader.lots()] == [("A7", "2027-05-31")]
        old, new = (list(reader.whole_ledger(LedgerFilter(lot=lot))) for lot in ("A1", "A7"))
        assert (reader.received(LedgerFilter(lot="A1")), reader.received(LedgerFilter(lot="A7"))) == (0, 10)
        notes = reader.correction_notes(dose_id)
    assert (old[-1].balance_available, old[-1].balance_quarantine) == (0, 0)
    assert (new[-1].balance_available, new[-1].balance_quarantine) == (7, 1)
    assert {line.transaction for line in new} == {"CORRECT"}
    assert "The papers of the dose keep what was written." in notes[0].sentence
    assert pharmacy.thread(dose_id).plan["draws"][0]["lot"] == "A1"
    assert_balanced(pharmacy)


def words_of_record(pharmacy: Pharmacy, lot: str = "", layout: str = SITE_LAYOUT) -> str:
    """The words of the accountability record of the 1 mg vials."""
    desk = replace(pharmacy.desk, papers=PdfPapers())
    printed = print_accountability_record(desk, pharmacy.act("mona"), RecordForm("1", lot, layout=layout))
    return " ".join(proof.page_texts(printed.pdf))


def test_the_record_of_each_lot_tells_what_a_corrected_label_carried_over(pharmacy: Pharmacy) -> None:
    """Ten vials came as A1; two went to subject 001 and are empty, one fell, seven are in stock: it was lot B9."""
    units = pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("closed")
    _quarantine(pharmacy, units[9])
    receipt = pharmacy.events("shipment_received")[0]
    seq = put_right(pharmacy, receipt.seq, labels__0__lot="B9").seq
    old, new = (words_of_record(pharmacy, lot) for lot in ("A1", "B9"))
    assert "Received 10 = Carried over 10" in old
    for each in (
        f"carried over to lot B9 by entry {seq}: 2 vials, empty",
        ": 7 vials, available",
        ": 1 vial, quarantined",
    ):
        assert letters(each) in letters(old)
    assert "Received or brought over 10 = Available 7 + Empty 2 + Quarantined 1" in new
    dispensed = f"2 vials, empty (2 dispensed to subject 001 for dose {dose_id} on 02-Mar-2026)"
    for each in (
        f"brought over from lot A1 by entry {seq}: {dispensed}",
        ": 7 vials, available",
        ": 1 vial, quarantined",
    ):
        assert letters(each) in letters(new)
    nine = letters(words_of_record(pharmacy, "B9", DARF_LAYOUT))
    assert letters(f"Brought over from lot A1 by entry {seq}: 7 vials, available; correction of entry") in nine
    assert letters(dispensed) in nine
    assert "Received 10 = Available 7 + Empty 2 + Quarantined 1" in words_of_record(pharmacy)


def test_a_lot_corrected_there_and_back_counts_what_went_both_ways(pharmacy: Pharmacy) -> None:
    pharmacy.receive()
    receipt = pharmacy.events("shipment_received")[0].seq
    first = put_right(pharmacy, receipt, labels__0__lot="B9").seq
    put_right(pharmacy, first, labels__0__lot="A1")
    old, new = (words_of_record(pharmacy, lot) for lot in ("A1", "B9"))
    assert "Received or brought over 20 = Held 10 + Carried over 10" in old
    assert "Received or brought over 10 = Carried over 10" in new


def test_a_corrected_expiry_carries_nothing_to_another_lot(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    receipt = pharmacy.events("shipment_received")[0]
    seq = put_right(pharmacy, receipt.seq, labels__0__expiry="2027-05").seq
    words = words_of_record(pharmacy, "A1")
    assert "Received 10 = Available 10" in words
    assert letters(f"carried over to lot A1, expiring 31-May-2027, by entry {seq}: 10 vials") in letters(words)


def test_a_wrong_expiry_is_that_of_the_whole_lot(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.receive("S-2", (LotTyped("1", "A1", "2027-03-31", "2"),))
    first = pharmacy.events("shipment_received")[0]
    put_right(pharmacy, first.seq, labels__0__expiry="2026-12-31")
    assert {vial.expires_on.isoformat() for vial in pharmacy.vials()} == {"2026-12-31"}
    assert len(pharmacy.vials()) == 12
    second = pharmacy.events("shipment_received")[1]
    assert [field.old for field in shown(pharmacy, second.seq).fields][1:3] == ["A1", "2026-12-31"]
    assert_balanced(pharmacy)


def test_a_wrong_lot_is_put_right_after_the_expiry_of_its_lot_was(pharmacy: Pharmacy) -> None:
    """Two vials of the second shipment were of lot A7; the lot typed for them got another expiry meanwhile."""
    pharmacy.stock_up()
    pharmacy.receive("S-2", (LotTyped("1", "A1", "2027-03-31", "2"),))
    first, second = pharmacy.events("shipment_received")
    put_right(pharmacy, first.seq, labels__0__expiry="2026-12-31")
    put_right(pharmacy, second.seq, labels__0__lot="A7", labels__0__expiry="2027-06-30")
    vials = Counter((vial.lot, vial.expires_on.isoformat()) for vial in pharmacy.vials())
    assert vials == {("A1", "2026-12-31"): 10, ("A7", "2027-06-30"): 2}
    assert_balanced(pharmacy)


def test_a_lot_emptied_by_corrections_counts_as_it_comes_again(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    receipt = pharmacy.events("shipment_received")[0]
    put_right(pharmacy, receipt.seq, labels__0__never_came=" ".join(units))
    pharmacy.receive("S-2", (LotTyped("1", "A1", "2027-06-30", "2"),))
    with pharmacy.desk.store.read() as reader:
        assert [(lot, on.isoformat()) for _, lot, on in reader.lots()] == [("A1", "2027-06-30")]
    assert_balanced(pharmacy)


def test_a_vial_that_is_reserved_keeps_its_lot_until_its_dose_is_cancelled(pharmacy: Pharmacy) -> None:
    """The worksheet at the hood names the lot: it must not say another one than the vial's label."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("worksheet")
    receipt = pharmacy.events("shipment_received")[0]
    faults = faults_of(lambda: put_right(pharmacy, receipt.seq, labels__0__lot="A7"))
    reserved = [vial.unit_number for vial in pharmacy.vials(state="reserved")]
    assert [fault.field for fault in faults] == ["labels.0.lot"] * 2
    for unit, fault in zip(reserved, faults, strict=True):
        assert fault.sentence == (
            f"Vial {unit} is reserved for dose {dose_id}, whose papers name lot A1. Cancel the dose first, then correct"
            " the label, and order the dose again."
        )
    pharmacy.cancel(dose_id)
    put_right(pharmacy, receipt.seq, labels__0__lot="A7")
    assert {vial.lot for vial in pharmacy.vials()} == {"A7"}
    assert_balanced(pharmacy)


def test_one_lot_has_one_expiry_after_a_correction_too(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.receive("S-2", (LotTyped("1", "B2", "2027-06-30", "2"),))
    first = pharmacy.events("shipment_received")[0]
    one_fault(
        lambda: put_right(pharmacy, first.seq, labels__0__lot="B2"),
        "labels.0.expiry",
        "Lot B2 is known with the expiry 30-Jun-2027",
    )
    put_right(pharmacy, first.seq, labels__0__lot="B2", labels__0__expiry="2027-06-30")
    with pharmacy.desk.store.read() as reader:
        assert reader.received(LedgerFilter(lot="B2")) == 12
    assert_balanced(pharmacy)


def test_a_wrong_strength_is_put_right_until_a_vial_is_taken_for_a_dose(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    receipt = pharmacy.events("shipment_received")[0]
    put_right(pharmacy, receipt.seq, labels__0__strength_mg="4")
    assert {vial.strength_mg for vial in pharmacy.vials()} == {Decimal(4)}
    corrected = pharmacy.events("receipt_corrected")[0]
    put_right(pharmacy, corrected.seq, "it was 1 mg after all", labels__0__strength_mg="1")
    assert {vial.strength_mg for vial in pharmacy.vials()} == {Decimal(1)}
    pharmacy.label_vials((vial.unit_number for vial in pharmacy.vials()), "the strength was wrong")
    pharmacy.enroll()
    dose_id = pharmacy.dose("planned")
    again = pharmacy.events("receipt_corrected")[1]
    faults = faults_of(lambda: put_right(pharmacy, again.seq, labels__0__strength_mg="4"))
    assert {fault.field for fault in faults} == {"labels.0.strength_mg"}
    assert f"was taken for dose {dose_id} as a vial of 1 mg" in faults[0].sentence
    one_fault(
        lambda: put_right(pharmacy, again.seq, labels__0__strength_mg="2"),
        "labels.0.strength_mg",
        "vials of 1 mg and 4 mg only",
    )
    assert_balanced(pharmacy)


def test_kit_numbers_are_put_right_and_stay_unique(pharmacy: Pharmacy) -> None:
    first, second = pharmacy.receive("S-1", (LotTyped("1", "A1", "2027-03-31", "2", ("K1", "K2")),))
    pharmacy.receive("S-2", (LotTyped("1", "A1", "2027-03-31", "1", ("K3",)),))
    receipt = pharmacy.events("shipment_received")[0]
    one_fault(
        lambda: put_right(pharmacy, receipt.seq, labels__0__kit_numbers="K1 K3"),
        "labels.0.kit_numbers",
        "Kit K3 is there twice",
    )
    one_fault(
        lambda: put_right(pharmacy, receipt.seq, labels__0__kit_numbers="K5 K5"),
        "labels.0.kit_numbers",
        "Kit K5 is there twice",
    )
    one_fault(
        lambda: put_right(pharmacy, receipt.seq, labels__0__kit_numbers="K5"),
        "labels.0.kit_numbers",
        "1 kit numbers are typed for 2 vials",
    )
    one_fault(
        lambda: put_right(pharmacy, receipt.seq, labels__0__kit_numbers=f"K1 91{first}"),
        "labels.0.kit_numbers",
        f"Kit 91{first} could be read as our own number {first}",
    )
    event = put_right(pharmacy, receipt.seq, labels__0__kit_numbers="k2 k1")
    assert event.content["moves"] == [], "a kit number moves no vial"
    assert (pharmacy.vial(first).kit_number, pharmacy.vial(second).kit_number) == ("K2", "K1")
    assert_balanced(pharmacy)


def test_a_vial_that_never_came_leaves_the_books_and_its_kit_is_free(pharmacy: Pharmacy) -> None:
    """Ten were typed and nine came: one line takes it off, and received is nine."""
    kits = tuple(f"K{number}" for number in range(1, 11))
    units = pharmacy.receive("S-1", (LotTyped("1", "A1", "2027-03-31", "10", kits),))
    receipt = pharmacy.events("shipment_received")[0]
    event = put_right(pharmacy, receipt.seq, "nine came", labels__0__never_came=units[9])
    assert (pharmacy.vial(units[9]).state, pharmacy.vial(units[9]).kit_number) == ("never received", "")
    with pharmacy.desk.store.read() as reader:
        assert reader.received(LedgerFilter()) == 9
        lines = list(reader.whole_ledger(LedgerFilter()))
    assert (lines[-1].transaction, lines[-1].balance_quarantine) == ("CORRECT", 9)
    assert lines[-1].corrects_seq == receipt.seq
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    assert len(pharmacy.vials(state="available")) == 9
    pharmacy.receive("S-2", (LotTyped("1", "A1", "2027-03-31", "1", ("K10",)),))
    one_fault(
        lambda: put_right(pharmacy, event.seq, labels__0__never_came=""), "labels.0.never_came", "receive it anew"
    )
    one_fault(
        lambda: put_right(pharmacy, event.seq, labels__0__never_came=f"{units[9]} {units[8]}"),
        "labels.0.never_came",
        f"Vial {units[8]} has moved since: “release”",
    )
    assert_balanced(pharmacy)


def test_a_shipment_that_never_came_is_taken_back_whole(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive("S-1")
    receipt = pharmacy.events("shipment_received")[0]
    event = put_right(pharmacy, receipt.seq, "wrong study", labels__0__never_came=" ".join(units))
    assert {vial.state for vial in pharmacy.vials()} == {"never received"}
    with pharmacy.desk.store.read() as reader:
        assert reader.lots() == []
        assert reader.received(LedgerFilter()) == 0
    one_fault(lambda: put_right(pharmacy, event.seq, labels__0__lot="A2"), "", "Receive the shipment anew.")
    assert_balanced(pharmacy)


@pytest.mark.parametrize("typed", ["V000001", "V999999X", "nonsense"])
def test_a_vial_that_is_none_of_the_receipt_is_refused(pharmacy: Pharmacy, typed: str) -> None:
    pharmacy.receive("S-1")
    receipt = pharmacy.events("shipment_received")[0]
    (fault,) = faults_of(lambda: put_right(pharmacy, receipt.seq, labels__0__never_came=typed))
    assert fault.field == "labels.0.never_came"


def test_typing_what_stands_there_changes_nothing(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-1")
    receipt = pharmacy.events("shipment_received")[0]
    one_fault(lambda: put_right(pharmacy, receipt.seq, labels__0__lot="A1 "), "", "Nothing is changed.")
    one_fault(lambda: put_right(pharmacy, receipt.seq, colour="red"), "colour", "no such value")


# --- a measurement ---------------------------------------------------------------------------------------------


def test_a_corrected_weight_counts_and_the_old_one_stays_marked(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    typed = pharmacy.events("measurement_recorded")[0]
    event = put_right(pharmacy, typed.seq, "the scale was read wrong", weight="72")
    assert [signature.printed_name for signature in event.signatures] == ["Paula Reyes"]
    with pharmacy.desk.store.read() as reader:
        counted = {(row.kind, row.value) for row in reader.measurements("001")}
        every = {(row.kind, row.value, row.corrected_seq) for row in reader.measurements("001", corrected=True)}
        assert reader.last_measured("001", "weight") == 72
    assert counted == {("height", Decimal(171)), ("weight", Decimal(72))}
    assert every == {
        ("height", Decimal(171), event.seq),
        ("weight", Decimal(70), event.seq),
        ("height", Decimal(171), None),
        ("weight", Decimal(72), None),
    }
    again = put_right(pharmacy, event.seq, "72 was the neighbour's", weight="71")
    assert again.content["changes"] == [{"label": "Weight", "old": "72", "new": "71"}]
    one_fault(lambda: put_right(pharmacy, typed.seq, weight="73"), "", "an entry is corrected once")
    pharmacy.assert_sound()


def test_a_dose_decided_by_a_corrected_weight_needs_a_new_decision(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    typed = pharmacy.events("measurement_recorded")[0]
    put_right(pharmacy, typed.seq, "read wrong", weight="72")
    with pytest.raises(Refused, match=f"Since dose {dose_id} was decided this has changed: dosing weight"):
        pharmacy.reserve(dose_id, pharmacy.best(dose_id))
    with pharmacy.desk.store.read() as reader:
        (note,) = reader.correction_notes(dose_id)
    assert "The weight of 70 kg of 02-Mar-2026" in note.sentence
    assert "It must be decided again before it goes on." in note.sentence


def test_a_dose_that_was_given_by_a_corrected_weight_says_so(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("given")
    put_right(pharmacy, pharmacy.events("measurement_recorded")[0].seq, "read wrong", height="170", weight="72")
    with pharmacy.desk.store.read() as reader:
        (note,) = reader.correction_notes(dose_id)
    assert "The height of 171 cm and the weight of 70 kg of 02-Mar-2026" in note.sentence
    assert "The dose was given: tell the investigator." in note.sentence
    assert pharmacy.thread(dose_id).line.status == "administered"
    pharmacy.assert_sound()


def test_a_measurement_of_somebody_else_is_taken_off(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    second = record_measurement(pharmacy.desk, pharmacy.act("tim"), MeasurementForm("001", pharmacy.day(), weight="71"))
    put_right(pharmacy, second.seq, "it was subject 002", weight="")
    with pharmacy.desk.store.read() as reader:
        assert reader.last_measured("001", "weight") == 70
    pharmacy.assert_sound()


def test_an_unlikely_corrected_weight_needs_its_own_reason(pharmacy: Pharmacy) -> None:
    """78 kg after 70 kg is 11 % more: more than the 10 % of § 8.1.3."""
    pharmacy.enroll()
    second = record_measurement(pharmacy.desk, pharmacy.act("tim"), MeasurementForm("001", pharmacy.day(), weight="71"))
    one_fault(lambda: put_right(pharmacy, second.seq, weight="78"), "confirm", "The last other weight was 70 kg")
    put_right(pharmacy, second.seq, weight="78", confirm="weighed twice, fluid")
    pharmacy.assert_sound()


# --- what was given --------------------------------------------------------------------------------------------


def _given(pharmacy: Pharmacy, mg: str = "1.46") -> tuple[str, int]:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("released")
    return dose_id, pharmacy.give(dose_id, mg).seq


@pytest.mark.parametrize(("mg", "opens"), [("1.314", True), ("1.315", False)])
def test_a_corrected_amount_is_compared_anew(pharmacy: Pharmacy, mg: str, opens: bool) -> None:
    """1.46 × 0.9 = 1.314 mg is exactly 10 % less: a medication error (§ 8.1.3). 1.315 mg is not."""
    dose_id, seq = _given(pharmacy)
    event = put_right(pharmacy, seq, "the pump says otherwise", given=mg)
    assert pharmacy.thread(dose_id).line.administered_mg == Decimal(mg)
    with pharmacy.desk.store.read() as reader:
        errors = [(error.dose_id, error.administered_mg, error.status) for error in reader.errors()]
    assert errors == ([(dose_id, Decimal(mg), "open")] if opens else [])
    assert (event.content["medication_error"] is not None) is opens
    pharmacy.assert_sound()


def test_an_error_that_falls_away_stays_to_be_assessed(pharmacy: Pharmacy) -> None:
    dose_id, seq = _given(pharmacy, "1.2")
    with pharmacy.desk.store.read() as reader:
        (before,) = reader.errors()
    put_right(pharmacy, seq, "1.46 it was", given="1.46")
    with pharmacy.desk.store.read() as reader:
        (after,) = reader.errors()
        (note,) = reader.correction_notes(after.error_id)
    assert (after.error_id, after.status, after.administered_mg) == (before.error_id, "open", Decimal("1.2"))
    assert "corrected to 1.46 mg: 1.46 it was." in note.sentence
    assert "there is no dosing medication error any more. Assess the record again." in note.sentence
    assert pharmacy.thread(dose_id).administration["comparison"]["finding"] is None
    pharmacy.assert_sound()


def test_an_administration_is_corrected_after_its_vials_were_closed(pharmacy: Pharmacy) -> None:
    dose_id, seq = _given(pharmacy)
    pharmacy.close(dose_id)
    event = put_right(pharmacy, seq, note="given by nurse Abara", ended_at=pharmacy.time(-10))
    thread = pharmacy.thread(dose_id)
    assert (thread.line.status, thread.administer_seq) == ("closed", event.seq)
    assert thread.administration["note"] == "given by nurse Abara"
    one_fault(lambda: put_right(pharmacy, event.seq, ended_at=pharmacy.time(5)), "ended_at", "is in the future")
    one_fault(lambda: put_right(pharmacy, event.seq, given="1.47"), "given", "The bag holds 1.46 mg")
    put_right(pharmacy, event.seq, "it was stopped", stopped_for="reaction", given="1.0")
    with pharmacy.desk.store.read() as reader:
        assert len(reader.errors()) == 1
    pharmacy.assert_sound()


def test_nothing_given_stays_so_when_the_day_was_ordered_again(pharmacy: Pharmacy) -> None:
    dose_id, seq = _given(pharmacy, "0")
    pharmacy.close(dose_id)
    second = pharmacy.dose("ordered")
    one_fault(lambda: put_right(pharmacy, seq, given="1.46"), "", f"ordered again as dose {second}")
    pharmacy.cancel(second)
    put_right(pharmacy, seq, given="1.46")
    pharmacy.assert_sound()


# --- the preparation -------------------------------------------------------------------------------------------


def test_a_corrected_preparation_needs_a_new_label_before_release(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("labelled")
    first, second = (line.unit_number for line in pharmacy.thread(dose_id).mg)
    seq = pharmacy.thread(dose_id).prepare_seq
    assert seq is not None
    # 3.6 mL of 0.25 mg/mL are 0.9 mg; 2.2 mL are 0.55 mg: 1.45 mg in all.
    event = put_right(pharmacy, seq, "2.2 on the syringe", **{f"drawn_ml__{second}": "2.2"})
    thread = pharmacy.thread(dose_id)
    assert (thread.prepared_mg, thread.prepare_seq) == (Decimal("1.45"), event.seq)
    assert [line.withdrawn_mg for line in thread.mg] == [Decimal("0.9"), Decimal("0.55")]
    with pytest.raises(Refused, match="The preparation was corrected since the bag label was printed"):
        pharmacy.release(dose_id)
    pharmacy.label_bag(dose_id, "corrected")
    with pharmacy.desk.store.read() as reader:
        assert [each.copy_number for each in reader.printed(about=dose_id, paper="bag labels")] == [2, 1]
    pharmacy.release(dose_id)
    pharmacy.give(dose_id, "1.45")
    one_fault(
        lambda: put_right(pharmacy, event.seq, **{f"drawn_ml__{first}": "3.5"}), "", "until the dose is administered"
    )
    pharmacy.close(dose_id, (("0.1", "0"), ("0.45", "0")))
    assert_balanced(pharmacy)


def test_a_preparation_that_turns_out_ten_percent_off_is_not_released(pharmacy: Pharmacy) -> None:
    """0.9 + 0.41 = 1.31 mg is more than 10 % below 1.46 mg (1.314 mg is the limit)."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("labelled")
    _, second = (line.unit_number for line in pharmacy.thread(dose_id).mg)
    put_right(pharmacy, pharmacy.thread(dose_id).prepare_seq or 0, **{f"drawn_ml__{second}": "1.64"})
    with pytest.raises(Refused, match="must not leave the pharmacy"):
        pharmacy.label_bag(dose_id, "corrected")
    with pytest.raises(Refused, match="must not leave the pharmacy"):
        pharmacy.release(dose_id)
    pharmacy.cancel(dose_id)
    assert_balanced(pharmacy)


def test_corrected_times_set_the_clock_of_the_bag(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("verified")
    print_worksheet(pharmacy.desk, pharmacy.act("paula"), dose_id)
    pharmacy.clock.forward(minutes=60)
    event = pharmacy.prepare(dose_id)
    until = pharmacy.thread(dose_id).preparation["beyond_use_at"]
    put_right(pharmacy, event.seq, reconstituted_at=pharmacy.time(-30), diluted_at=pharmacy.time(-30))
    after = pharmacy.thread(dose_id).preparation["beyond_use_at"]
    assert after < until
    pharmacy.assert_sound()


# --- what the monitor has accounted for ---------------------------------------------------------------------------


def _account(pharmacy: Pharmacy, *units: str) -> Event:
    return account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm(units), pharmacy.sign("mona"))


def _take_back_accountability(pharmacy: Pharmacy, seq: int) -> Event:
    return correct(
        pharmacy.desk, pharmacy.act("mona"), CorrectForm(seq, "to be looked at again"), pharmacy.sign("mona")
    )


def _destroy(pharmacy: Pharmacy, *units: str) -> Event:
    form = DestroyForm(units, permission(pharmacy), "incineration", "bin 12")
    return destroy_vials(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lot", "B9"),
        ("expiry", "2027-04-30"),
        ("kit_numbers", " ".join(f"K{number}" for number in range(10))),
    ],
)
def test_what_was_accounted_for_gets_no_other_label_until_that_is_taken_back(
    pharmacy: Pharmacy, field: str, value: str
) -> None:
    pharmacy.stock_up()
    empty, partial = used(pharmacy)
    accounted = _account(pharmacy, empty)
    receipt = pharmacy.events("shipment_received")[0].seq
    change = {f"labels__0__{field}": value}
    one_fault(lambda: put_right(pharmacy, receipt, **change), "", f"Mona Sorensen has accounted for vial {empty} as it")
    _take_back_accountability(pharmacy, accounted.seq)
    put_right(pharmacy, receipt, **change)
    with pytest.raises(Refused, match=f"has not accounted for vial {empty} yet"):
        _destroy(pharmacy, empty)
    _account(pharmacy, empty, partial)
    _destroy(pharmacy, empty, partial)
    assert_balanced(pharmacy)


def test_what_has_no_container_is_put_right_beside_what_was_accounted_for(pharmacy: Pharmacy) -> None:
    """The logger of the shipment, and a receipt of another lot, say nothing of the container."""
    pharmacy.stock_up()
    empty, _ = used(pharmacy)
    _account(pharmacy, empty)
    pharmacy.receive("S-2", (LotTyped("1", "C3", "2027-03-31", "2"),))
    put_right(pharmacy, pharmacy.events("shipment_received")[-1].seq, labels__0__lot="B9")
    put_right(pharmacy, pharmacy.events("shipment_received")[0].seq, logger_serial="TL-99")
    assert pharmacy.vial(empty).accounted_by == "Mona Sorensen"


def test_a_slip_found_after_the_destruction_is_put_right_all_the_same(pharmacy: Pharmacy) -> None:
    """One container is burnt and one still here: hers is taken back of the one that is here, and of no other."""
    pharmacy.stock_up()
    empty, partial = used(pharmacy)
    accounted = _account(pharmacy, empty, partial)
    _destroy(pharmacy, empty)
    receipt = pharmacy.events("shipment_received")[0].seq
    one_fault(
        lambda: put_right(pharmacy, receipt, labels__0__lot="B9"), "", f"accounted for vial {partial} as it stands"
    )
    (change,) = shown(pharmacy, accounted.seq).preview
    assert change.label == f"Vials {partial}"
    _take_back_accountability(pharmacy, accounted.seq)
    assert [pharmacy.vial(unit).accounted_by for unit in (empty, partial)] == ["Mona Sorensen", ""]
    put_right(pharmacy, receipt, labels__0__lot="B9")
    assert [pharmacy.vial(unit).lot for unit in (empty, partial)] == ["B9", "B9"]
    _account(pharmacy, partial)
    _destroy(pharmacy, partial)
    assert_balanced(pharmacy)


def test_a_container_that_was_lost_after_it_was_accounted_for_is_not_found_under_another_label(
    pharmacy: Pharmacy,
) -> None:
    pharmacy.stock_up()
    empty, _ = used(pharmacy)
    accounted = _account(pharmacy, empty)
    own, second = pharmacy.sign("tim"), pharmacy.sign("carla")
    miss_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((empty,), "not in the bin"), own, second)
    receipt = pharmacy.events("shipment_received")[0].seq
    one_fault(lambda: put_right(pharmacy, receipt, labels__0__lot="B9"), "", f"accounted for vial {empty} as it stands")
    _take_back_accountability(pharmacy, accounted.seq)
    put_right(pharmacy, receipt, labels__0__lot="B9")
    find_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((empty,), "behind the bin"), own, second)
    assert pharmacy.vial(empty).accounted_by == ""
    assert_balanced(pharmacy)


# --- the closing of vials --------------------------------------------------------------------------------------


def test_a_corrected_closing_adds_up_again_and_names_the_container(pharmacy: Pharmacy) -> None:
    """0.56 + 0.44 + 0 = 1 mg: 0.44 mg left is partial. With 0.1 mg left and 0.34 mg discarded it is empty."""
    pharmacy.stock_up()
    _, partial = used(pharmacy)
    closed = pharmacy.events("vials_closed")[0]
    one_fault(
        lambda: put_right(pharmacy, closed.seq, **{f"residue_mg__{partial}": "0.1"}),
        f"residue_mg.{partial}",
        "does not close: 0.56 withdrawn + 0.1 residue + 0 discarded = 0.66 mg, but it held 1 mg",
    )
    event = put_right(
        pharmacy,
        closed.seq,
        "the rest was discarded",
        **{f"residue_mg__{partial}": "0.1", f"discarded_mg__{partial}": "0.34"},
    )
    assert pharmacy.vial(partial).state == "empty"
    with pharmacy.desk.store.read() as reader:
        life = reader.vial_life(partial)
    assert life is not None
    assert life.mg is not None
    assert (life.mg.residue_mg, life.mg.discarded_mg) == (Decimal("0.1"), Decimal("0.34"))
    assert (life.lines[-1].from_state, life.lines[-1].to_state) == ("partial", "empty")
    put_right(pharmacy, event.seq, "no, kept", **{f"residue_mg__{partial}": "0.44", f"discarded_mg__{partial}": "0"})
    assert pharmacy.vial(partial).state == "partial"
    assert_balanced(pharmacy)


def test_a_closing_that_was_accounted_for_stays_until_that_is_taken_back(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    empty, partial = used(pharmacy)
    mona = pharmacy.act("mona")
    accounted = account_for(pharmacy.desk, mona, AccountForm((empty, partial)), pharmacy.sign("mona"))
    closed = pharmacy.events("vials_closed")[0]
    change = {f"residue_mg__{partial}": "0.1", f"discarded_mg__{partial}": "0.34"}
    faults = faults_of(lambda: put_right(pharmacy, closed.seq, **change))
    assert f"Mona Sorensen has accounted for vials {empty} – {partial} as they stand" in faults[0].sentence
    event = correct(
        pharmacy.desk, pharmacy.act("mona"), CorrectForm(accounted.seq, "the wrong shelf"), pharmacy.sign("mona")
    )
    assert event.kind == "accountability_undone"
    assert {vial.accounted_by for vial in pharmacy.vials()} == {""}
    put_right(pharmacy, closed.seq, **change)
    account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((empty, partial)), pharmacy.sign("mona"))
    assert_balanced(pharmacy)


# --- a subject -------------------------------------------------------------------------------------------------


def test_a_subjects_facts_are_put_right(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    enrolled = pharmacy.events("subject_enrolled")[0]
    one_fault(lambda: put_right(pharmacy, enrolled.seq, birth="2030-01-01"), "birth", "in the future")
    one_fault(lambda: put_right(pharmacy, enrolled.seq, initials="Mr Smith"), "initials", "Never type a name")
    event = put_right(pharmacy, enrolled.seq, "digits swapped", birth="1980-05-18", initials="rtl")
    with pharmacy.desk.store.read() as reader:
        subject = reader.subject("001")
        (note,) = reader.correction_notes(dose_id)
    assert subject is not None
    assert (subject.birth, subject.initials) == ("1980-05-18", "RTL")
    assert "must be decided again before it goes on" in note.sentence
    with pytest.raises(Refused, match="this has changed: birth"):
        pharmacy.reserve(dose_id, pharmacy.best(dose_id))
    put_right(pharmacy, event.seq, "once more", birth="1980")
    pharmacy.assert_sound()


# --- what the window shows -------------------------------------------------------------------------------------


def test_an_entry_shows_its_values_as_they_would_be_typed(pharmacy: Pharmacy) -> None:
    _, seq = _given(pharmacy)
    entry = shown(pharmacy, seq)
    assert entry.title.startswith(f"Administration, entry {seq} by Paula Reyes, 02-Mar-2026 09:00")
    assert [(field.label, field.old) for field in entry.fields] == [
        ("Started", "2026-03-02 08:00"),
        ("Ended", "2026-03-02 09:00"),
        ("Given", "1.46"),
        ("Unit", "mg"),
        ("Note", ""),
        ("Stopped part-way for", ""),
        ("Premedication given", ""),
    ]
    assert (entry.second_person, entry.why_not, entry.correction) == (False, (), None)
    put_right(pharmacy, seq, given="1.45")
    corrected = shown(pharmacy, seq)
    assert "an entry is corrected once" in corrected.why_not[0]
    assert corrected.correction.changes == (views.ChangedValue("Given", "1.46", "1.45"),)


def test_the_record_and_the_export_keep_both_entries_readable(pharmacy: Pharmacy) -> None:
    """On paper the old line is struck through and says by whom, when and why; the late entry has both its times."""
    unit, other = pharmacy.stock_up()[:2]
    done = _quarantine(pharmacy, unit)
    event = put_right(pharmacy, done.seq, "it was the vial beside it")
    pharmacy.clock.forward(days=1)
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((other,), "9 °C", "2026-03-02 08:00", "computer off"))
    with pharmacy.desk.store.read() as reader:
        printed = list(record_lines(reader, reader.whole_ledger(LedgerFilter(record_only=True))))
        files = export_files(reader)
    assert [(line.transaction, bool(line.corrected), line.late_entry) for line in printed] == [
        ("RECEIVE", False, ""),
        ("RELEASE", False, ""),
        ("QUARANTINE", True, ""),
        ("CORRECT", False, ""),
        ("QUARANTINE", False, "computer off"),
    ]
    struck = printed[2].corrected
    words = f"by entry {event.seq}, Paula Reyes, Carla Okafor, 02-Mar-2026 08:00: it was the vial beside it"
    assert struck == words
    late = printed[4]
    assert (late.event_at.isoformat(), late.entry_at.isoformat()) == (
        "2026-03-02T08:00:00-06:00",
        "2026-03-03T08:00:00-06:00",
    )
    rows = files["corrections.csv"].decode().splitlines()
    assert rows[1].startswith(f"{done.seq},{event.seq},move_undone,Vials {unit},quarantined,available,")
    header, *lines = files["ledger.csv"].decode().splitlines()
    assert {"done_at", "recorded_at", "late_why", "corrects_seq"} <= set(header.split(","))
    assert sum("computer off" in line for line in lines) == 1
    pdf = PdfPapers()
    assert pdf.page_count(printed_record(pharmacy, pdf)) == 1


def printed_record(pharmacy: Pharmacy, papers: PdfPapers) -> bytes:
    """The accountability record of the 1 mg vials, drawn in ink."""
    desk = replace(pharmacy.desk, papers=papers)
    return print_accountability_record(desk, pharmacy.act("mona"), RecordForm("1")).pdf


def test_the_drawn_record_strikes_through_what_was_corrected(pharmacy: Pharmacy) -> None:
    done = _quarantine(pharmacy, pharmacy.stock_up()[0])
    put_right(pharmacy, done.seq, "it was the vial beside it")
    pdf = printed_record(pharmacy, PdfPapers())
    words = " ".join(" ".join(proof.page_texts(pdf)).split())
    assert "CORRECTED: by entry" in words
    assert "it was the vial" in words


def test_an_assessed_error_is_open_again_when_its_dose_is_corrected(pharmacy: Pharmacy) -> None:
    """What was assessed by 1.2 mg is assessed again by 1.46 mg; the first assessment stays."""
    _, seq = _given(pharmacy, "1.2")
    with pharmacy.desk.store.read() as reader:
        (error,) = reader.errors()
    form = AssessForm(error.error_id, "not an error", "administration", "wrong dose", reason="stopped for a reaction")
    assess_error(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))
    with pharmacy.desk.store.read() as reader:
        assert reader.errors()[0].status == "assessed"
    put_right(pharmacy, seq, given="1.46")
    with pharmacy.desk.store.read() as reader:
        record = error_record(pharmacy.desk, reader, error.error_id)
    assert record.line.status == "open"
    assert len(record.assessments) == len(record.notes) == 1
    pharmacy.assert_sound()


def test_the_printed_report_of_an_error_says_what_was_corrected_of_its_dose(pharmacy: Pharmacy) -> None:
    """Reported by 1.2 mg; the pump says 1.46 mg, and the weight of the day was misread besides."""
    _, seq = _given(pharmacy, "1.2")
    with pharmacy.desk.store.read() as reader:
        (error,) = reader.errors()
    desk = replace(pharmacy.desk, papers=PdfPapers())
    clean = " ".join(proof.page_texts(print_medication_error(desk, pharmacy.act("paula"), error.error_id).pdf))
    assert "What was corrected" not in clean
    given = put_right(pharmacy, seq, "the pump says otherwise", given="1.46")
    weighed = pharmacy.events("measurement_recorded")[0].seq
    weight = put_right(pharmacy, weighed, "read wrong", weight="72", who="paula")
    words = " ".join(proof.page_texts(print_medication_error(desk, pharmacy.act("paula"), error.error_id).pdf))
    assert "What was corrected" in words
    assert f"{given.seq} 02-Mar-2026 09:00 −06:00 Paula Reyes The administration of this dose was corrected" in words
    assert f"{weight.seq} 02-Mar-2026 09:00 −06:00 Paula Reyes The weight of 70 kg" in words


def test_a_bag_that_left_is_followed_by_a_word_to_the_ward(pharmacy: Pharmacy) -> None:
    """0.9 + 0.41 = 1.31 mg of 1.46 mg: found out after the release. What is then given is recorded all the same."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("released")
    _, second = (line.unit_number for line in pharmacy.thread(dose_id).mg)
    put_right(pharmacy, pharmacy.thread(dose_id).prepare_seq or 0, **{f"drawn_ml__{second}": "1.64"})
    assert pharmacy.thread(dose_id).line.status == "released"
    with pharmacy.desk.store.read() as reader:
        (note,) = reader.correction_notes(dose_id)
    assert "Tell the ward, print the label again" in note.sentence
    assert "must not leave the pharmacy" in note.sentence
    pharmacy.give(dose_id, "1.31")
    with pharmacy.desk.store.read() as reader:
        assert len(reader.errors()) == 1
    pharmacy.assert_sound()


def test_a_place_that_was_closed_since_takes_nothing_back(pharmacy: Pharmacy) -> None:
    units = tuple(pharmacy.stock_up())
    done = transport(pharmacy.desk, pharmacy.act("tim"), TransportForm(units, "Refrigerator 2", "Tim"))
    close_place(pharmacy.desk, pharmacy.act("paula"), ClosePlaceForm("Refrigerator 1", "broken"))
    one_fault(lambda: put_right(pharmacy, done.seq), "", "Refrigerator 1 was closed since")


def test_what_stopped_the_dose_stays_said_of_a_corrected_administration(pharmacy: Pharmacy) -> None:
    """A liver toxicity of grade 4 was recorded between release and infusion: given all the same, and said so."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("released")
    record_toxicity(
        pharmacy.desk, pharmacy.act("paula"), ToxicityForm("001", "ALT increased", "4", "yes", pharmacy.day())
    )
    seq = pharmacy.give(dose_id).seq

    def said() -> list[str]:
        findings = pharmacy.thread(dose_id).administration["findings"]
        return [each["sentence"] for each in findings if each["sentence"].startswith(SINCE_DECIDED)]

    before = said()
    assert before
    event = put_right(pharmacy, seq, note="given by nurse Abara")
    assert said() == before
    # Nothing given after all: then nothing was given against it.
    put_right(pharmacy, event.seq, given="0")
    assert said() == []
