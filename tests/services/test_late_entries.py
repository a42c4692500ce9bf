"""Late entries and signed periods: what was done on an earlier day says why it is late, fits what came after it, and
never lies in a period that the monitor has signed (REGULATION A-13).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services import views
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.disposition import (
    AccountForm,
    CarrierTyped,
    DestroyForm,
    LossForm,
    ReturnForm,
    TransferForm,
    account_for,
    break_vials,
    destroy_vials,
    find_vials,
    miss_vials,
    return_vials,
    transfer_vials,
)
from pharmacy_app.services.documents import PURPOSES, DocumentForm, attach_document
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.periods import PeriodForm, period_so_far, sign_period
from pharmacy_app.services.ports import LedgerFilter
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.services.pharmacy import Pharmacy

CARRIER = CarrierTyped("World Courier", "WC-4711", "1", "SEAL-9", "TL-88")


def faults_of(act: Callable[[], object]) -> tuple[Fault, ...]:
    """The faults with which an act is refused."""
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.faults


def put_away(
    pharmacy: Pharmacy, unit: str, done_at: str = "", late_why: str = "", reason: str = "9 °C overnight"
) -> Event:
    """Quarantine a vial, at the time given."""
    return quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((unit,), reason, done_at, late_why))


def at(pharmacy: Pharmacy, year: int, month: int, day: int, hour: int, minute: int = 0) -> None:
    """Set the clock, in UTC."""
    pharmacy.clock.now = datetime(year, month, day, hour, minute, tzinfo=UTC)


# --- late, and why ---------------------------------------------------------------------------------------------


def test_what_was_done_yesterday_says_why_it_is_late_and_is_marked(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    pharmacy.clock.forward(hours=30)  # Tuesday, 14:00
    (fault,) = faults_of(lambda: put_away(pharmacy, unit, "2026-03-02 15:10"))
    assert (fault.field, fault.section) == ("late_why", "8.2")
    assert fault.sentence == "This was done on 02-Mar-2026 and is recorded today: a late entry. Say why it is late."
    event = put_away(pharmacy, unit, "2026-03-02 15:10", "the computer was off")
    assert event.marks == ("late entry",)
    assert event.content["late_why"] == "the computer was off"
    with pharmacy.desk.store.read() as reader:
        life = reader.vial_life(unit)
    assert life is not None
    line = life.lines[-1]
    assert (line.done_at.isoformat(), line.recorded_at.isoformat()) == (
        "2026-03-02T15:10:00-06:00",
        "2026-03-03T14:00:00-06:00",
    )
    assert line.late_why == "the computer was off"
    pharmacy.assert_sound()


@pytest.mark.parametrize(
    ("typed", "late"), [("2026-03-02 23:59", True), ("2026-03-03 00:00", False), ("2026-03-03 00:01", False)]
)
def test_the_day_changes_at_midnight_of_the_site(pharmacy: Pharmacy, typed: str, late: bool) -> None:
    unit = pharmacy.stock_up()[0]
    at(pharmacy, 2026, 3, 3, 6, 1)  # 00:01 on Tuesday in Chicago
    if late:
        (fault,) = faults_of(lambda: put_away(pharmacy, unit, typed))
        assert fault.field == "late_why"
    event = put_away(pharmacy, unit, typed, "after midnight")
    assert event.marks == (("late entry",) if late else ())
    # A reason for being late says nothing of what was done today.
    assert ("late_why" in event.content) is late


@pytest.mark.parametrize(
    ("typed", "late"), [("2026-03-07 23:30", True), ("2026-03-08 00:30", False), ("2026-03-08 03:00", False)]
)
def test_in_the_night_of_spring_a_day_is_the_sites_own(pharmacy: Pharmacy, typed: str, late: bool) -> None:
    """On 8 March 2026 the clocks of Chicago go from 02:00 to 03:00: 23:30 before it is an hour off today's clock."""
    unit = pharmacy.stock_up()[0]
    at(pharmacy, 2026, 3, 8, 15, 0)  # 10:00, summer time
    if late:
        (fault,) = faults_of(lambda: put_away(pharmacy, unit, typed))
        assert fault.sentence.startswith("This was done on 07-Mar-2026")
    assert put_away(pharmacy, unit, typed, "weekend").marks == (("late entry",) if late else ())


def test_an_hour_that_did_not_exist_is_refused(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    at(pharmacy, 2026, 3, 8, 15, 0)
    (fault,) = faults_of(lambda: put_away(pharmacy, unit, "2026-03-08 02:30"))
    assert fault.field == "done_at"
    assert "did not exist" in fault.sentence


@pytest.mark.parametrize(("typed", "late"), [("2026-10-31 23:30", True), ("2026-11-01 00:30", False)])
def test_in_the_night_of_autumn_too(pharmacy: Pharmacy, typed: str, late: bool) -> None:
    """On 1 November 2026 the clocks go back from 02:00 to 01:00."""
    unit = pharmacy.stock_up()[0]
    at(pharmacy, 2026, 11, 1, 16, 0)
    if late:
        faults_of(lambda: put_away(pharmacy, unit, typed))
    assert put_away(pharmacy, unit, typed, "weekend").marks == (("late entry",) if late else ())
    put_away(pharmacy, pharmacy.vials(state="available")[0].unit_number, "2026-11-01 01:30")
    assert pharmacy.events("vials_quarantined")[-1].done_at.isoformat() == "2026-11-01T01:30:00-05:00"


def test_the_future_is_not_a_time_at_which_something_was_done(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    (fault,) = faults_of(lambda: put_away(pharmacy, unit, pharmacy.time(10), "I am quick"))
    assert fault.field == "done_at"
    assert "is in the future" in fault.sentence


# --- every act with a time -------------------------------------------------------------------------------------


PERMISSION = numbered("F", 1)
"""The first document that is attached."""


def permission(p: Pharmacy) -> None:
    """Attach the supporter's permission."""
    form = DocumentForm(
        "Letter", "supporter's permission", "", "Dr. A. Ito", "2026-03-02", "letter.pdf", permits=PURPOSES
    )
    event = attach_document(p.desk, p.act("paula"), form, b"%PDF-1.7 you may\n%%EOF\n")
    assert event.content["document_id"] == PERMISSION


def _broken(p: Pharmacy) -> str:
    unit = p.vials(state="available")[0].unit_number
    break_vials(p.desk, p.act("tim"), LossForm((unit,), "fell"), p.sign("tim"), p.sign("carla"))
    account_for(p.desk, p.act("mona"), AccountForm((unit,)), p.sign("mona"))
    return unit


def _missing(p: Pharmacy) -> str:
    unit = p.vials(state="available")[0].unit_number
    miss_vials(p.desk, p.act("tim"), LossForm((unit,), "gone"), p.sign("tim"), p.sign("carla"))
    return unit


def _available(p: Pharmacy) -> str:
    return p.vials(state="available")[0].unit_number


Late = Callable[[Pharmacy, str, str, str], Event]

LATE: dict[str, tuple[Callable[[Pharmacy], str], Late]] = {
    "quarantine": (_available, put_away),
    "break": (
        _available,
        lambda p, u, done, why: break_vials(
            p.desk, p.act("tim"), LossForm((u,), "fell", done, why), p.sign("tim"), p.sign("carla")
        ),
    ),
    "miss": (
        _available,
        lambda p, u, done, why: miss_vials(
            p.desk, p.act("tim"), LossForm((u,), "gone", done, why), p.sign("tim"), p.sign("carla")
        ),
    ),
    "find": (
        _missing,
        lambda p, u, done, why: find_vials(
            p.desk, p.act("tim"), LossForm((u,), "there", done, why), p.sign("tim"), p.sign("carla")
        ),
    ),
    "return": (
        _available,
        lambda p, u, done, why: return_vials(
            p.desk,
            p.act("paula"),
            ReturnForm((u,), PERMISSION, "Depot", "unused", "yes", CARRIER, "", done, why),
            p.sign("paula"),
        ),
    ),
    "transfer": (
        _available,
        lambda p, u, done, why: transfer_vials(
            p.desk,
            p.act("paula"),
            TransferForm((u,), PERMISSION, "Site 021", "short there", "yes", CARRIER, "", done, why),
            p.sign("paula"),
        ),
    ),
    "destroy": (
        _broken,
        lambda p, u, done, why: destroy_vials(
            p.desk,
            p.act("tim"),
            DestroyForm((u,), PERMISSION, "burned", "bin 12", "", "", done, why),
            p.sign("tim"),
            p.sign("carla"),
        ),
    ),
}


@pytest.mark.parametrize("name", LATE)
def test_every_act_with_a_time_may_be_late_with_its_reason(pharmacy: Pharmacy, name: str) -> None:
    pick, act = LATE[name]
    pharmacy.stock_up()
    permission(pharmacy)
    unit = pick(pharmacy)
    pharmacy.clock.forward(hours=30)

    def late(why: str) -> Event:
        return act(pharmacy, unit, "2026-03-02 15:10", why)

    assert [fault.field for fault in faults_of(lambda: late(""))] == ["late_why"]
    event = late("the computer was off")
    assert event.marks == ("late entry",)
    with pharmacy.desk.store.read() as reader:
        lines = list(reader.whole_ledger(LedgerFilter()))
    assert [line.late_why for line in lines if line.event_seq == event.seq] == ["the computer was off"]
    pharmacy.assert_sound()


def test_a_receipt_and_a_dose_may_be_late_with_their_reason(pharmacy: Pharmacy) -> None:
    received_at = pharmacy.time()
    pharmacy.clock.forward(days=1)

    def arrived(why: str) -> list[str]:
        return pharmacy.receive(received_at=received_at, shipped_on="2026-03-01", late_why=why)

    assert [fault.field for fault in faults_of(lambda: arrived(""))] == ["late_why"]
    arrived("nobody was at the computer")
    assert pharmacy.events()[-1].marks == ("late entry",)
    at(pharmacy, 2026, 3, 4, 14, 0)
    pharmacy.stock_up("S-2")
    pharmacy.enroll()
    dose_id = pharmacy.dose("released")
    times = {"started_at": pharmacy.time(), "ended_at": pharmacy.time(60)}
    pharmacy.clock.forward(days=1)
    assert [fault.field for fault in faults_of(lambda: pharmacy.give(dose_id, **times))] == ["late_why"]
    assert pharmacy.give(dose_id, **times, late_why="the ward called today").marks == ("late entry",)
    pharmacy.assert_sound()


# --- against every later moment --------------------------------------------------------------------------------


def test_what_stands_in_the_way_of_a_late_entry_is_named(pharmacy: Pharmacy) -> None:
    """Three vials came at 08:00 on Monday and broke at 10:00; on Tuesday two of them are said to have been put away
    at 09:00. At 10:00 the lot would have held 3 − 2 − 3 = −2 available vials."""
    units = pharmacy.stock_up(lots=(LotTyped("1", "A1", "2027-03-31", "3"),))
    at(pharmacy, 2026, 3, 2, 16, 0)
    lost = break_vials(
        pharmacy.desk,
        pharmacy.act("tim"),
        LossForm(tuple(units), "the shelf fell"),
        pharmacy.sign("tim"),
        pharmacy.sign("carla"),
    )
    correct(
        pharmacy.desk,
        pharmacy.act("paula"),
        CorrectForm(lost.seq, "they are whole"),
        pharmacy.sign("paula"),
        pharmacy.sign("carla"),
    )
    pharmacy.clock.forward(days=1)
    form = QuarantineForm((units[0], units[2]), "warm", "2026-03-02 09:00", "the computer was off")
    first, second, lot = faults_of(lambda: quarantine(pharmacy.desk, pharmacy.act("tim"), form))
    assert {fault.field for fault in (first, second, lot)} == {"done_at"}
    assert first.sentence.startswith(
        f"Vial {units[0]} was moved after that: “break” on 02-Mar-2026 10:00, line {lost.seq}.1."
    )
    assert units[2] in second.sentence
    assert lot.sentence == "On 02-Mar-2026 lot A1 would have held −2 available vials of 1 mg in Refrigerator 1."
    before = pharmacy.count()
    # Right after the last move it fits.
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((units[0],), "warm", "2026-03-02 10:01", "late"))
    assert pharmacy.count() == before + 1
    pharmacy.assert_sound()


def test_many_vials_in_the_way_are_counted(pharmacy: Pharmacy) -> None:
    units = tuple(pharmacy.stock_up())
    pharmacy.clock.forward(minutes=5)
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm(units, "warm"))
    form = LossForm(units, "fell", pharmacy.time(-3))
    faults = faults_of(
        lambda: break_vials(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))
    )
    assert len(faults) == 7
    assert faults[5].sentence == "5 more of these vials were moved after that."
    assert "would have held −10 quarantined vials of 1 mg" in faults[6].sentence


# --- signed periods --------------------------------------------------------------------------------------------


def sign_through(pharmacy: Pharmacy, through_on: str, note: str = "", who: str = "mona") -> Event:
    """The monitor signs the record up to a day."""
    return sign_period(pharmacy.desk, pharmacy.act(who), PeriodForm(through_on, note), pharmacy.sign(who))


def test_the_monitor_signs_a_period_and_the_signature_binds_what_it_held(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    put_away(pharmacy, units[0])
    pharmacy.clock.forward(days=1)
    put_away(pharmacy, units[1], "2026-03-02 15:10", "the computer was off")
    put_away(pharmacy, units[2])
    with pharmacy.desk.store.read() as reader:
        head = reader.head()
        so_far = period_so_far(pharmacy.desk, reader, "2026-03-02")
    event = sign_through(pharmacy, "2026-03-02", "visit 1")
    # Monday: received, released, put away, and one put away that was written down on Tuesday; 10 − 2 in stock.
    record = views.PeriodRecord(
        head_seq=head.seq,
        head_hash=head.hash,
        lines=4,
        new_lines=4,
        late_entries=1,
        corrections=0,
        open_discrepancies=(),
        balances=(views.PeriodBalance(Decimal(1), "A1", 8, 2),),
    )
    assert so_far == record
    (signature,) = event.signatures
    assert (signature.printed_name, signature.meaning) == ("Mona Sorensen", "reviewed the record of this period")
    assert event.content["record"]["head_hash"] == head.hash
    with pharmacy.desk.store.read() as reader:
        (period,) = reader.periods()
    assert (period.through_on, period.signed_by, period.note) == (date(2026, 3, 2), "Mona Sorensen", "visit 1")
    assert period.record == record
    pharmacy.assert_sound()


@pytest.mark.parametrize(("through_on", "may"), [("2026-03-03", True), ("2026-03-04", False), ("2026-03-05", False)])
def test_a_period_ends_with_a_day_that_is_over(pharmacy: Pharmacy, through_on: str, may: bool) -> None:
    at(pharmacy, 2026, 3, 4, 6, 0)  # midnight between Tuesday and Wednesday
    if may:
        sign_through(pharmacy, through_on)
        return
    (fault,) = faults_of(lambda: sign_through(pharmacy, through_on))
    assert fault.field == "through_on"
    assert "is not over yet. A period ends with a whole day: 03-Mar-2026 at the latest." in fault.sentence


@pytest.mark.parametrize("through_on", ["2026-03-02", "2026-03-01"])
def test_the_next_period_ends_later(pharmacy: Pharmacy, through_on: str) -> None:
    pharmacy.clock.forward(days=2)
    sign_through(pharmacy, "2026-03-02")
    (fault,) = faults_of(lambda: sign_through(pharmacy, through_on))
    assert "signed through 02-Mar-2026 already" in fault.sentence
    sign_through(pharmacy, "2026-03-03")
    with pharmacy.desk.store.read() as reader:
        assert [period.through_on.day for period in reader.periods()] == [3, 2]


def test_only_a_monitor_signs_in_the_monitors_name(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(days=1)
    with pytest.raises(Refused, match="takes a monitor"):
        sign_through(pharmacy, "2026-03-02", who="paula")
    assert pharmacy.events()[-1].kind == "access_denied"


@pytest.mark.parametrize(
    ("typed", "locked"), [("2026-03-02 23:59", True), ("2026-03-03 00:00", False), ("2026-03-03 00:01", False)]
)
def test_the_lock_ends_at_midnight(pharmacy: Pharmacy, typed: str, locked: bool) -> None:
    unit = pharmacy.stock_up()[0]
    pharmacy.clock.forward(days=2)
    sign_through(pharmacy, "2026-03-02")
    if locked:
        (fault,) = faults_of(lambda: put_away(pharmacy, unit, typed, "the computer was off"))
        assert fault.field == "done_at"
        assert fault.sentence.startswith("The monitor has signed the record through 02-Mar-2026: nothing is dated")
        put_away(pharmacy, unit, "", "", f"9 °C; done {typed}, after the period was signed")
        assert pharmacy.events()[-1].marks == ()
    else:
        put_away(pharmacy, unit, typed, "the computer was off")
    pharmacy.assert_sound()


@pytest.mark.parametrize(
    ("through_on", "until"),
    [
        ("2026-03-07", "2026-03-08T06:00:00.000000Z"),  # winter: UTC−6
        ("2026-03-08", "2026-03-09T05:00:00.000000Z"),  # the day of 23 hours ends in summer time: UTC−5
        ("2026-11-01", "2026-11-02T06:00:00.000000Z"),  # the day of 25 hours ends in winter time
    ],
)
def test_a_signed_day_ends_by_the_clock_of_its_own_night(pharmacy: Pharmacy, through_on: str, until: str) -> None:
    at(pharmacy, 2026, 11, 20, 12, 0)
    assert sign_through(pharmacy, through_on).content["through_utc"] == until
    with pharmacy.desk.store.read() as reader:
        assert reader.locked_until() == until


def test_a_correction_after_the_signature_is_dated_now_and_counted_in_the_next_period(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    done = put_away(pharmacy, unit)
    pharmacy.clock.forward(days=1)
    first = sign_through(pharmacy, "2026-03-02")
    correct(
        pharmacy.desk,
        pharmacy.act("paula"),
        CorrectForm(done.seq, "it was another vial"),
        pharmacy.sign("paula"),
        pharmacy.sign("carla"),
    )
    with pharmacy.desk.store.read() as reader:
        # The period still holds what was signed; the correction's line lies after it.
        again = reader.period_record("", first.content["through_utc"])
    assert (again.lines, again.balances) == (3, (views.PeriodBalance(Decimal(1), "A1", 9, 1),))
    pharmacy.clock.forward(days=1)
    second = sign_through(pharmacy, "2026-03-03")
    record = second.content["record"]
    assert (record["new_lines"], record["corrections"]) == (1, 1)
    assert record["balances"] == [{"strength_mg": "1", "lot": "A1", "available": 10, "quarantine": 0}]
    pharmacy.assert_sound()
