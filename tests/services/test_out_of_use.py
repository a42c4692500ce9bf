"""What is out of use stays out of use: a permission answers for what it can have known of, and a bag for its vials.

"If a temperature excursion occurs … must not be used until Pfizer provides documentation of permission to use" (§ 8.2;
RULES R54). The vials are ten of 1 mg in Refrigerator 1, received on Monday, 2 March 2026, 08:00 at the site.
"""

from collections.abc import Callable

import pytest

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.logger_files import Answers
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.disposition import (
    AccountForm,
    DestroyForm,
    LossForm,
    TransferForm,
    account_for,
    break_vials,
    destroy_vials,
    find_vials,
    miss_vials,
    transfer_vials,
)
from pharmacy_app.services.documents import PURPOSES, SUPPORTERS_PERMISSION, DocumentForm, attach_document
from pharmacy_app.services.exposures import MAY_BE_USED, MUST_NOT_BE_USED
from pharmacy_app.services.receipts import LoggerForm, logger_read
from pharmacy_app.services.stock import (
    PermissionForm,
    QuarantineForm,
    quarantine,
    release_shipment,
    release_with_document,
)
from pharmacy_app.services.storage import (
    BY_HAND,
    DecisionForm,
    DeviationForm,
    UpdateForm,
    close_deviation,
    decide_deviation,
    deviation_record,
    record_deviation,
    update_deviation,
)
from pharmacy_app.services.transport import TransportForm, transport
from tests.services.leaving import CARRIER
from tests.services.pharmacy import Pharmacy


def one_fault(act: Callable[[], object], field: str, words: str) -> Fault:
    with pytest.raises(Refused) as refused:
        act()
    (fault,) = refused.value.faults
    assert (fault.field, words in fault.sentence) == (field, True), fault
    return fault


def too_warm(pharmacy: Pharmacy, hours: int = 1) -> str:
    """Refrigerator 1 has been at up to 12 °C for some hours until now; returns the deviation's number."""
    form = DeviationForm(
        place="Refrigerator 1",
        source=BY_HAND,
        logger_serial="TH-1",
        calibration_due=pharmacy.day(100),
        discovered_at=pharmacy.time(),
        discovered_by="Tim Lindqvist",
        done="Vials moved.",
        started_at=pharmacy.time(-60 * hours),
        ended_at=pharmacy.time(),
        min_temperature="5",
        max_temperature="12",
        answers=Answers(unit="C"),
    )
    return str(record_deviation(pharmacy.desk, pharmacy.act("tim"), form).content["deviation_id"])


def put_away(pharmacy: Pharmacy, unit: str, reason: str = "its cap is loose") -> Event:
    return quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((unit,), reason))


def permit(pharmacy: Pharmacy, permission: str, *units: str) -> Event:
    return release_with_document(pharmacy.desk, pharmacy.act("paula"), PermissionForm(units, permission))


def take_back(pharmacy: Pharmacy, event: Event) -> Event:
    form = CorrectForm(event.seq, "the wrong vial")
    return correct(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))


# --- a permission knows of nothing that came after it


def test_a_permission_of_last_month_releases_no_vial_that_was_put_away_today(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    old = pharmacy.permission("A1")
    pharmacy.clock.forward(days=30)
    put_away(pharmacy, unit)
    one_fault(lambda: permit(pharmacy, old, unit), "permission", "“quarantine”, known from 01-Apr-2026")
    assert pharmacy.vial(unit).state == "quarantined"
    permit(pharmacy, pharmacy.permission("A1"), unit)
    assert pharmacy.vial(unit).state == "available"
    pharmacy.assert_sound()


@pytest.mark.parametrize("hours", [8, 9, 60])
def test_a_deviation_counts_from_its_discovery_not_from_when_it_began(pharmacy: Pharmacy, hours: int) -> None:
    # The permission is of 2 March. Found at 08:00 of 3 March, it was too warm from midnight, or from the day before on.
    unit = pharmacy.stock_up()[0]
    permission = pharmacy.permission("A1")
    pharmacy.clock.forward(days=1)
    number = too_warm(pharmacy, hours)
    one_fault(lambda: permit(pharmacy, permission, unit), "permission", "known from 03-Mar-2026 08:00 on")
    form = DecisionForm(number, (unit,), MAY_BE_USED, permission)
    with pytest.raises(Refused, match=r"before X000001T began|known from 03-Mar-2026"):
        decide_deviation(pharmacy.desk, pharmacy.act("paula"), form)
    assert pharmacy.vial(unit).state == "quarantined"


def test_a_permission_of_the_morning_knows_nothing_of_the_afternoon(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    morning = pharmacy.permission()
    pharmacy.clock.forward(hours=5)
    put_away(pharmacy, unit)
    one_fault(lambda: permit(pharmacy, morning, unit), "permission", "attach it again and choose it then")
    permit(pharmacy, pharmacy.permission(), unit)
    assert pharmacy.vial(unit).state == "available"


def test_the_very_letter_is_attached_again_once_a_vial_was_put_away(pharmacy: Pharmacy) -> None:
    """The supporter answered by telephone and mail before the quarantine was typed: the letter knew of it."""
    unit = pharmacy.stock_up()[0]
    form = DocumentForm(
        "Permission", SUPPORTERS_PERMISSION, unit, "Dr. A. Ito", pharmacy.day(), "letter.txt", permits=PURPOSES
    )

    def attach() -> str:
        return str(attach_document(pharmacy.desk, pharmacy.act("paula"), form, b"may").content["document_id"])

    first = attach()
    one_fault(attach, "content", f"attached here already, as document {first}")
    put_away(pharmacy, unit)
    one_fault(lambda: permit(pharmacy, first, unit), "permission", "attach it again")
    permit(pharmacy, attach(), unit)


def test_a_quarantine_recorded_late_is_known_from_its_entry_on(pharmacy: Pharmacy) -> None:
    """Put away on Monday, permitted on Wednesday, and only on Thursday was the quarantine typed."""
    unit = pharmacy.stock_up()[0]
    pharmacy.clock.forward(days=2)
    permission = pharmacy.permission()
    pharmacy.clock.forward(days=1)
    form = QuarantineForm((unit,), "cap loose", pharmacy.time(-3 * 24 * 60 + 60), "the logbook was found")
    quarantine(pharmacy.desk, pharmacy.act("tim"), form)
    one_fault(lambda: permit(pharmacy, permission, unit), "permission", "known from 05-Mar-2026 08:00 on")


def test_a_found_vial_and_a_shipment_with_an_alarm_are_not_released_by_a_letter_from_before(pharmacy: Pharmacy) -> None:
    found = pharmacy.stock_up()[0]
    morning = pharmacy.permission()
    own, second = pharmacy.sign("tim"), pharmacy.sign("carla")
    miss_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((found,), "not on its shelf"), own, second)
    find_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((found,), "behind the box"), own, second)
    alarm = pharmacy.receive("S-2", logger_state="alarm")[0]
    for unit in (found, alarm):
        one_fault(lambda: permit(pharmacy, morning, unit), "permission", "after that")  # noqa: B023 - called at once
    permit(pharmacy, pharmacy.permission(), found, alarm)


def test_an_alarm_read_later_is_not_answered_by_a_letter_from_before(pharmacy: Pharmacy) -> None:
    unit = pharmacy.receive(logger_state="not read", min_celsius="", max_celsius="")[0]
    permission = pharmacy.permission()
    logger_read(pharmacy.desk, pharmacy.act("tim"), LoggerForm("S-1", "TL-77", "alarm", "1", "19"))
    one_fault(lambda: permit(pharmacy, permission, unit), "permission", "“logger read”, known from 02-Mar-2026 08:00")
    permit(pharmacy, pharmacy.permission(), unit)


# --- a later refusal is not overruled by an older permission


def test_what_must_not_be_used_is_released_by_no_older_permission(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    pharmacy.clock.forward(hours=2)
    number = too_warm(pharmacy)
    monday = pharmacy.permission()
    pharmacy.clock.forward(days=2)
    form = DocumentForm("No", "letter", number, "Dr. A. Ito", pharmacy.day(), "no.txt")
    refusal = str(attach_document(pharmacy.desk, pharmacy.act("paula"), form, b"no").content["document_id"])

    def decide(decision: str, document: str) -> Event:
        return decide_deviation(pharmacy.desk, pharmacy.act("paula"), DecisionForm(number, (unit,), decision, document))

    decide(MUST_NOT_BE_USED, refusal)
    pharmacy.clock.forward(days=1)
    words = f"by {refusal} of 04-Mar-2026 that vial {unit} must not be used"
    one_fault(lambda: permit(pharmacy, monday, unit), "permission", words)
    one_fault(lambda: decide(MAY_BE_USED, monday), "document", words)
    transfer = TransferForm((unit,), monday, "Site 9", "short there", "yes", CARRIER)
    one_fault(
        lambda: transfer_vials(pharmacy.desk, pharmacy.act("paula"), transfer, pharmacy.sign("paula")),
        "permission",
        words,
    )
    assert pharmacy.vial(unit).state == "quarantined"
    # He has looked at it again since.
    permit(pharmacy, pharmacy.permission(number), unit)
    pharmacy.assert_sound()


# --- a deviation that lasts


def lasts(pharmacy: Pharmacy) -> str:
    """Refrigerator 1 has been too warm for an hour, and nobody knows until when."""
    form = DeviationForm(
        place="Refrigerator 1",
        source=BY_HAND,
        logger_serial="TH-1",
        calibration_due=pharmacy.day(100),
        discovered_at=pharmacy.time(),
        discovered_by="Tim Lindqvist",
        done="The technician was called.",
        started_at=pharmacy.time(-60),
        min_temperature="5",
        max_temperature="12",
        answers=Answers(unit="C"),
    )
    return str(record_deviation(pharmacy.desk, pharmacy.act("tim"), form).content["deviation_id"])


def test_what_comes_into_a_refrigerator_that_is_too_warm_still_is_kept_back(pharmacy: Pharmacy) -> None:
    first = pharmacy.stock_up()[0]
    carried = pharmacy.receive("S-2", place="Refrigerator 2")[0]
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-2")
    pharmacy.clock.forward(hours=2)
    number = lasts(pharmacy)
    pharmacy.clock.forward(minutes=30)
    transport(pharmacy.desk, pharmacy.act("tim"), TransportForm((carried,), "Refrigerator 1", "Tim"))
    received = pharmacy.receive("S-3")[0]
    assert (pharmacy.vial(carried).state, pharmacy.vial(received).state) == ("quarantined", "held")
    assert f"storage deviation {number}" in pharmacy.vial(received).hold_reason
    # Nothing becomes usable there meanwhile, and what is permitted elsewhere is not carried back.
    permission = pharmacy.permission(number)
    one_fault(lambda: permit(pharmacy, permission, first), "unit_numbers", f"{number} at Refrigerator 1 still lasts")
    transport(pharmacy.desk, pharmacy.act("tim"), TransportForm((first,), "Refrigerator 2", "Tim"))
    permit(pharmacy, permission, first)
    back = TransportForm((first,), "Refrigerator 1", "Tim")
    one_fault(lambda: transport(pharmacy.desk, pharmacy.act("tim"), back), "unit_numbers", "still lasts")
    pharmacy.assert_sound()


def test_the_end_of_a_deviation_is_asked_for_and_opens_its_place_again(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    pharmacy.clock.forward(hours=2)
    number = lasts(pharmacy)
    with pharmacy.desk.store.read() as reader:
        assert "end" in deviation_record(pharmacy.desk, reader, number).missing
    with pytest.raises(Refused, match="no end is recorded"):
        close_deviation(pharmacy.desk, pharmacy.act("paula"), number, pharmacy.sign("paula"))
    pharmacy.clock.forward(minutes=30)

    def ends(typed: str) -> Event:
        form = UpdateForm(number, "a worn seal", "a new seal", typed)
        return update_deviation(pharmacy.desk, pharmacy.act("paula"), form)

    one_fault(lambda: ends(pharmacy.time(1)), "ended_at", "in the future")
    one_fault(lambda: ends(pharmacy.time(-90)), "ended_at", "cannot have ended")
    ends(pharmacy.time(-10))
    one_fault(lambda: ends(pharmacy.time(-5)), "ended_at", f"The end of {number} is on record")
    with pharmacy.desk.store.read() as reader:
        record = deviation_record(pharmacy.desk, reader, number)
    assert "end" not in record.missing
    assert (record.line.ended_at - record.line.started_at).total_seconds() == 80 * 60
    permit(pharmacy, pharmacy.permission(number), unit)
    late = pharmacy.receive("S-2", received_at=pharmacy.time(-9))[0]
    early = pharmacy.receive("S-3", received_at=pharmacy.time(-11))[0]
    assert (pharmacy.vial(late).hold_reason, number in pharmacy.vial(early).hold_reason) == ("", True)
    pharmacy.assert_sound()


def test_a_reason_that_only_sounds_like_a_deviation_is_none(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    put_away(pharmacy, unit, "storage deviation of the courier's box, stopper cracked")
    pharmacy.clock.forward(minutes=1)
    permission = pharmacy.permission(too_warm(pharmacy))
    one_fault(lambda: permit(pharmacy, permission, unit), "permission", "stopper cracked")


def test_a_bag_does_not_leave_when_its_shipments_logger_shows_an_alarm_after_the_mixing(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive(logger_state="not read", min_celsius="", max_celsius="")
    permit(pharmacy, pharmacy.permission(), *units)
    pharmacy.label_vials(units)
    pharmacy.enroll()
    dose_id = pharmacy.dose("labelled")
    pharmacy.clock.forward(minutes=10)
    logger_read(pharmacy.desk, pharmacy.act("tim"), LoggerForm("S-1", "TL-77", "alarm", "1", "19"))
    with pytest.raises(Refused, match="its logger was read: the temperature logger shows an alarm") as refused:
        pharmacy.release(dose_id)
    opened = [vial.unit_number for vial in pharmacy.thread(dose_id).vials]
    assert [fault.sentence[:13] for fault in refused.value.faults] == [f"Vial {unit}" for unit in opened]


def test_a_decision_is_not_older_than_its_deviation(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    old = pharmacy.permission("A1")
    pharmacy.clock.forward(days=2)
    number = too_warm(pharmacy)
    form = DecisionForm(number, (unit,), MAY_BE_USED, old)
    one_fault(lambda: decide_deviation(pharmacy.desk, pharmacy.act("paula"), form), "document", "before X000001T began")


def test_a_quarantine_that_was_a_slip_makes_no_permission_old(pharmacy: Pharmacy) -> None:
    unit = pharmacy.receive(logger_state="alarm")[0]
    permission = pharmacy.permission("shipment S-1")
    pharmacy.clock.forward(days=1)
    slip = put_away(pharmacy, unit)
    one_fault(lambda: permit(pharmacy, permission, unit), "permission", "after that")
    pharmacy.clock.forward(minutes=1)
    take_back(pharmacy, slip)
    permit(pharmacy, permission, unit)
    assert pharmacy.vial(unit).state == "available"


# --- a permission about a deviation answers for nothing else


def test_a_vial_with_a_logger_alarm_is_not_released_by_the_word_on_a_later_deviation(pharmacy: Pharmacy) -> None:
    unit = pharmacy.receive(logger_state="alarm")[0]
    pharmacy.clock.forward(hours=2)
    number = too_warm(pharmacy)
    assert pharmacy.vial(unit).hold_reason == (
        f"storage deviation {number} at Refrigerator 1; the temperature logger shows an alarm"
    )
    one_fault(lambda: permit(pharmacy, pharmacy.permission(number), unit), "permission", "logger shows an alarm")
    permit(pharmacy, pharmacy.permission(unit), unit)
    assert pharmacy.vial(unit).state == "available"
    pharmacy.assert_sound()


def test_a_vial_that_was_put_away_before_the_deviation_keeps_its_own_reason(pharmacy: Pharmacy) -> None:
    loose, other = pharmacy.stock_up()[:2]
    put_away(pharmacy, loose)
    pharmacy.clock.forward(hours=2)
    permission = pharmacy.permission(too_warm(pharmacy))
    one_fault(lambda: permit(pharmacy, permission, loose), "permission", "its cap is loose")
    permit(pharmacy, permission, other)


def test_a_logger_read_after_the_deviation_takes_the_place_of_not_read(pharmacy: Pharmacy) -> None:
    unit = pharmacy.receive(logger_state="not read", min_celsius="", max_celsius="")[0]
    pharmacy.clock.forward(hours=2)
    number = too_warm(pharmacy)
    permission = pharmacy.permission(number)
    one_fault(lambda: permit(pharmacy, permission, unit), "permission", "has not been read")
    logger_read(pharmacy.desk, pharmacy.act("tim"), LoggerForm("S-1", "TL-77", "no alarm", "3", "6"))
    assert pharmacy.vial(unit).hold_reason == f"storage deviation {number} at Refrigerator 1"
    permit(pharmacy, permission, unit)
    pharmacy.assert_sound()


# --- what a correction brings back


@pytest.mark.parametrize(("state", "highest", "reason"), [("no alarm", "6", ""), ("alarm", "6", "an alarm")])
@pytest.mark.parametrize("read_first", [True, False])
def test_a_quarantine_taken_back_leaves_what_the_logger_showed(
    pharmacy: Pharmacy, state: str, highest: str, reason: str, read_first: bool
) -> None:
    unit = pharmacy.receive(logger_state="not read", min_celsius="", max_celsius="")[0]
    form = LoggerForm("S-1", "TL-77", state, "3", highest)
    pharmacy.clock.forward(minutes=1)
    if read_first:
        logger_read(pharmacy.desk, pharmacy.act("tim"), form)
    slip = put_away(pharmacy, unit)
    pharmacy.clock.forward(minutes=1)
    if not read_first:
        logger_read(pharmacy.desk, pharmacy.act("tim"), form)
    take_back(pharmacy, slip)
    vial = pharmacy.vial(unit)
    assert vial.state == "held"
    assert vial.hold_reason == (f"the temperature logger shows {reason}" if reason else "")
    if not reason:
        release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
        assert pharmacy.vial(unit).state == "available"
    pharmacy.assert_sound()


def test_a_vial_that_broke_by_mistake_is_kept_back_for_both_its_reasons_again(pharmacy: Pharmacy) -> None:
    unit = pharmacy.receive(logger_state="alarm")[0]
    pharmacy.clock.forward(hours=2)
    too_warm(pharmacy)
    before = pharmacy.vial(unit)
    form = LossForm((unit,), "it fell")
    broken = break_vials(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))
    pharmacy.clock.forward(minutes=1)
    take_back(pharmacy, broken)
    assert pharmacy.vial(unit) == before


# --- a bag answers for its vials


def test_a_bag_of_vials_that_were_too_warm_does_not_leave_before_the_supporter_permits_it(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    pharmacy.clock.forward(minutes=30)
    dose_id = pharmacy.dose("labelled")
    pharmacy.clock.forward(minutes=2)
    number = too_warm(pharmacy)
    with pytest.raises(Refused) as refused:
        pharmacy.release(dose_id)
    units = [vial.unit_number for vial in pharmacy.thread(dose_id).vials]
    assert [fault.sentence[:13] for fault in refused.value.faults] == [f"Vial {unit}" for unit in units]
    assert {fault.rule for fault in refused.value.faults} == {"R54"}
    form = DecisionForm(number, tuple(units), MAY_BE_USED, pharmacy.permission(number))
    decide_deviation(pharmacy.desk, pharmacy.act("paula"), form)
    pharmacy.release(dose_id)
    pharmacy.assert_sound()


@pytest.mark.parametrize(("days", "leaves"), [(0, True), (-1, False)])
def test_a_bag_whose_label_was_corrected_to_an_expiry_that_is_over_does_not_leave(
    pharmacy: Pharmacy, days: int, leaves: bool
) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("labelled")
    pharmacy.clock.forward(minutes=2)
    form = CorrectForm(
        pharmacy.events("shipment_received")[0].seq, "misread", (("labels.0.expiry", pharmacy.day(days)),)
    )
    correct(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))
    if leaves:
        pharmacy.release(dose_id)
        return
    with pytest.raises(Refused, match="is 01-Mar-2026; the infusion would end on 02-Mar-2026") as refused:
        pharmacy.release(dose_id)
    assert {fault.rule for fault in refused.value.faults} == {"A40"}


# --- nothing is destroyed before it is accounted for, on paper either


def test_a_late_entry_does_not_put_a_destruction_before_its_accountability(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    loss = LossForm((unit,), "it fell")
    break_vials(pharmacy.desk, pharmacy.act("tim"), loss, pharmacy.sign("tim"), pharmacy.sign("carla"))
    permission = pharmacy.permission()
    pharmacy.clock.forward(days=3)
    account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((unit,)), pharmacy.sign("mona"))
    accounted_at = pharmacy.time()
    pharmacy.clock.forward(hours=1)

    def destroy(done_at: str) -> Event:
        form = DestroyForm((unit,), permission, "incineration", "box 7", done_at=done_at, late_why="forgotten")
        own, witness = pharmacy.sign("tim"), pharmacy.sign("carla")
        return destroy_vials(pharmacy.desk, pharmacy.act("tim"), form, own, witness)

    for early in (pharmacy.time(-60 * 24), pharmacy.time(-61)):
        assert one_fault(lambda: destroy(early), "done_at", f"accounted for {unit}").rule == "R57"  # noqa: B023 - called at once
    assert destroy(accounted_at).kind == "vials_destroyed"


# --- what a correction would bring back into use


def test_a_quarantine_by_mistake_stands_once_the_vial_lay_through_a_deviation(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    slip = put_away(pharmacy, unit)
    pharmacy.clock.forward(hours=2)
    number = too_warm(pharmacy)
    assert pharmacy.vial(unit).hold_reason == "its cap is loose"
    one_fault(lambda: take_back(pharmacy, slip), "", f"another reason by now: storage deviation {number}")
    permit(pharmacy, pharmacy.permission(unit), unit)
    assert pharmacy.vial(unit).state == "available"


def test_a_quarantine_by_mistake_stands_once_the_logger_showed_an_alarm(pharmacy: Pharmacy) -> None:
    unit = pharmacy.receive(logger_state="not read", min_celsius="", max_celsius="")[0]
    permit(pharmacy, pharmacy.permission(), unit)
    pharmacy.clock.forward(minutes=1)
    slip = put_away(pharmacy, unit)
    pharmacy.clock.forward(minutes=1)
    logger_read(pharmacy.desk, pharmacy.act("tim"), LoggerForm("S-1", "TL-77", "alarm", "3", "6"))
    one_fault(lambda: take_back(pharmacy, slip), "", "the temperature logger shows an alarm")


@pytest.mark.parametrize("lost_first", [True, False])
def test_a_vial_that_was_never_missing_lay_through_the_deviation_too(pharmacy: Pharmacy, lost_first: bool) -> None:
    unit = pharmacy.stock_up()[0]
    pharmacy.clock.forward(hours=1)
    form = LossForm((unit,), "not on its shelf")
    sign = pharmacy.sign
    if not lost_first:
        pharmacy.clock.forward(hours=2)
    missing = miss_vials(pharmacy.desk, pharmacy.act("tim"), form, sign("tim"), sign("carla"))
    if lost_first:
        pharmacy.clock.forward(hours=2)
    number = too_warm(pharmacy)
    assert pharmacy.vial(unit).state == "missing"
    pharmacy.clock.forward(minutes=1)
    take_back(pharmacy, missing)
    vial = pharmacy.vial(unit)
    assert (vial.state, vial.hold_reason) == ("quarantined", f"storage deviation {number} at Refrigerator 1")
    pharmacy.assert_sound()


def test_a_vial_that_was_never_missing_and_lay_through_nothing_is_usable_again(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    pharmacy.clock.forward(hours=2)
    number = too_warm(pharmacy)
    permit(pharmacy, pharmacy.permission(number), unit)
    pharmacy.clock.forward(hours=1)
    form = LossForm((unit,), "not on its shelf")
    missing = miss_vials(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))
    pharmacy.clock.forward(hours=1)
    take_back(pharmacy, missing)
    assert pharmacy.vial(unit).state == "available"
