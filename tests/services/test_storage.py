"""Storage deviations: found in a file or typed, the vials that lay there, the report, the decision, the closing.

The site is in Chicago; vials are received on Monday, 2 March 2026, 08:00, ten of 1 mg into Refrigerator 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from hashlib import sha256

import pytest

from db.projections import Insert, changes_of
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.logger_files import Answers
from pharmacy_app.domain.temperatures import SpanKind
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services.disposition import CarrierTyped, LossForm, ReturnForm, break_vials, return_vials
from pharmacy_app.services.documents import DocumentForm, attach_document
from pharmacy_app.services.exposures import MAY_BE_USED, MUST_NOT_BE_USED
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.stock import PermissionForm, receive, release_with_document
from pharmacy_app.services.storage import (
    BY_HAND,
    FROM_FILE,
    DecisionForm,
    DeviationForm,
    DeviationRecord,
    Preview,
    ReportForm,
    UpdateForm,
    clock_words,
    close_deviation,
    decide_deviation,
    deviation_record,
    deviation_records,
    preview,
    record_deviation,
    report_deviation,
    update_deviation,
)
from pharmacy_app.services.storage_report import print_deviation
from pharmacy_app.services.transport import TransportForm, transport
from tests.services.pharmacy import Pharmacy

FIRST, SECOND = "X000001T", numbered("X", 2)
CARRIER = CarrierTyped("Courier", "T-1", "1", "SEAL-1", "TL-2")


@pytest.fixture
def pharmacy(new_pharmacy: Callable[[], Pharmacy]) -> Pharmacy:
    """Ten 1 mg vials of lot A1 in Refrigerator 1, released at 08:00."""
    pharmacy = new_pharmacy()
    pharmacy.stock_up()
    return pharmacy


def logger(*readings: tuple[str, str], day: str = "2026-03-02") -> bytes:
    """A logger's file: the time of day and the temperature, °C."""
    lines = [f"{day} {time};{celsius.replace('.', ',')}" for time, celsius in readings]
    return ("Time;Temp °C\n" + "\n".join(lines) + "\n").encode()


WARM = logger(("09:00", "5"), ("09:15", "8.1"), ("09:30", "11.0"), ("09:45", "7.9"), ("10:00", "5"))
"""Too warm from 09:15 to 09:45; inside until 09:00 as far as anybody knows."""


def of_file(pharmacy: Pharmacy, **changes: object) -> DeviationForm:
    form = DeviationForm(
        place="Refrigerator 1",
        source=FROM_FILE,
        logger_serial="TL-77",
        calibration_due="2026-12-31",
        discovered_at=pharmacy.time(),
        discovered_by="Tim Lindqvist",
        done="Vials moved to the quarantine shelf.",
        longest_gap_min="15",
        file_name="fridge.csv",
    )
    return replace(form, **changes)  # type: ignore[arg-type]  # each change names a field


def by_hand(pharmacy: Pharmacy, low: str, high: str, **changes: object) -> DeviationForm:
    form = of_file(
        pharmacy,
        source=BY_HAND,
        longest_gap_min="",
        file_name="",
        started_at=pharmacy.time(-180),
        ended_at=pharmacy.time(-60),
        min_temperature=low,
        max_temperature=high,
        answers=Answers(unit="C"),
    )
    return replace(form, **changes)  # type: ignore[arg-type]


def record(pharmacy: Pharmacy, content: bytes = WARM, **changes: object) -> Event:
    return record_deviation(pharmacy.desk, pharmacy.act("tim"), of_file(pharmacy, **changes), content)


def found(pharmacy: Pharmacy, number: str = FIRST) -> DeviationRecord:
    with pharmacy.desk.store.read() as reader:
        return deviation_record(pharmacy.desk, reader, number)


def looked(pharmacy: Pharmacy, form: DeviationForm, content: bytes = b"") -> Preview:
    with pharmacy.desk.store.read() as reader:
        return preview(pharmacy.desk, reader, form, content)


def faults_of(act: Callable[[], object]) -> tuple[Fault, ...]:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.faults


def states(pharmacy: Pharmacy) -> list[str]:
    return [vial.state for vial in pharmacy.vials()]


def exposed(event: Event) -> list[str]:
    return [vial["unit_number"] for vial in event.content["vials"]]


# --- recording --------------------------------------------------------------------------------------------------


def test_a_warm_refrigerator_quarantines_all_its_vials_in_one_act_and_keeps_the_file(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=4)
    before = pharmacy.count()
    event = record(pharmacy)
    assert pharmacy.count() == before + 1
    assert event.content["deviation_id"] == FIRST
    assert states(pharmacy) == ["quarantined"] * 10
    assert {vial.hold_reason for vial in pharmacy.vials()} == {f"storage deviation {FIRST} at Refrigerator 1"}
    assert event.content["file_sha256"] == sha256(WARM).hexdigest()
    with pharmacy.desk.store.read() as reader:
        (document,) = reader.documents(about=FIRST)
        assert reader.paper(document.sha256) == WARM
    assert (document.kind, document.file_name, document.media_type) == ("logger file", "fridge.csv", "text/csv")
    kept = found(pharmacy)
    assert (kept.line.min_celsius, kept.line.max_celsius) == (Decimal(5), Decimal("11.0"))
    assert [(span.kind, span.start.strftime("%H:%M"), span.end.strftime("%H:%M")) for span in kept.spans] == [
        (SpanKind.ABOVE, "09:15", "09:45")
    ]
    assert [reading.celsius for reading in kept.trace] == [Decimal(c) for c in ("5", "8.1", "11.0", "7.9", "5")]
    pharmacy.assert_sound()


@pytest.mark.parametrize(
    ("celsius", "is_deviation"), [("8.0", False), ("8.1", True), ("2.0", False), ("1.9", True), ("8.01", True)]
)
def test_the_limits_of_the_protocol_are_inside(pharmacy: Pharmacy, celsius: str, is_deviation: bool) -> None:
    pharmacy.clock.forward(hours=4)
    content = logger(("09:00", "5"), ("09:15", celsius), ("09:30", "5"))
    assert looked(pharmacy, of_file(pharmacy), content).is_deviation is is_deviation
    if is_deviation:
        assert len(exposed(record(pharmacy, content))) == 10
        return
    (fault,) = faults_of(lambda: record(pharmacy, content))
    assert (fault.field, fault.rule, fault.section) == ("file", "R54", "8.2")
    assert "every temperature is inside 2 °C to 8 °C" in fault.sentence
    assert states(pharmacy) == ["available"] * 10


def test_a_gap_longer_than_the_interval_is_a_deviation_and_one_as_long_is_none(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=4)
    content = logger(("09:00", "5"), ("09:30", "5"))
    assert not looked(pharmacy, of_file(pharmacy, longest_gap_min="30"), content).is_deviation
    (span,) = looked(pharmacy, of_file(pharmacy, longest_gap_min="29"), content).spans
    assert span.kind is SpanKind.NO_DATA
    record(pharmacy, content, longest_gap_min="29")
    assert states(pharmacy) == ["quarantined"] * 10


@pytest.mark.parametrize("source", ["logger failed", "logger missing"])
def test_a_logger_that_failed_or_is_missing_is_a_deviation(pharmacy: Pharmacy, source: str) -> None:
    pharmacy.clock.forward(hours=4)
    form = by_hand(pharmacy, "", "", source=source, answers=Answers())
    record_deviation(pharmacy.desk, pharmacy.act("tim"), form)
    assert states(pharmacy) == ["quarantined"] * 10
    (span,) = found(pharmacy).spans
    assert (span.kind, span.duration) == (SpanKind.NO_DATA, timedelta(hours=2))
    assert found(pharmacy).line.min_celsius is None


def test_temperatures_read_off_by_hand(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=4)
    both = looked(pharmacy, by_hand(pharmacy, "-1.5", "9"))
    assert [(span.kind, span.min_celsius, span.max_celsius) for span in both.spans] == [
        (SpanKind.BELOW, Decimal("-1.5"), None),
        (SpanKind.ABOVE, None, Decimal(9)),
    ]
    assert both.spans[0].freeze_risk
    warm = looked(pharmacy, by_hand(pharmacy, "41", "46.5", answers=Answers(unit="F")))
    assert [span.kind for span in warm.spans] == [SpanKind.ABOVE]
    assert not looked(pharmacy, by_hand(pharmacy, "35.6", "46.4", answers=Answers(unit="F"))).is_deviation
    (fault,) = faults_of(lambda: record_deviation(pharmacy.desk, pharmacy.act("tim"), by_hand(pharmacy, "2.0", "8.0")))
    assert fault.field == "max_temperature"


def test_what_is_typed_wrongly_is_said_all_at_once_and_beside_its_field(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=4)
    form = by_hand(
        pharmacy,
        "9",
        "five",
        place="Cellar",
        logger_serial="",
        discovered_at=pharmacy.time(60),
        discovered_by="",
        done=" ",
        started_at=pharmacy.time(-10),
        ended_at=pharmacy.time(-20),
        answers=Answers(),
    )
    faults = faults_of(lambda: record_deviation(pharmacy.desk, pharmacy.act("tim"), form))
    assert {fault.field for fault in faults} == {
        "place",
        "logger_serial",
        "discovered_at",
        "discovered_by",
        "done",
        "ended_at",
        "unit",
        "max_temperature",
    }
    swapped = faults_of(lambda: looked(pharmacy, by_hand(pharmacy, "9", "1")))
    assert [fault.field for fault in swapped] == ["min_temperature"]
    assert [f.field for f in faults_of(lambda: record(pharmacy, calibration_due=""))] == ["calibration_due"]


def test_a_file_from_the_future_or_discovered_before_it_began_is_refused(pharmacy: Pharmacy) -> None:
    (fault,) = faults_of(lambda: record(pharmacy))
    assert (fault.field, "future" in fault.sentence) == ("file", True)
    pharmacy.clock.forward(hours=4)
    (fault,) = faults_of(lambda: record(pharmacy, discovered_at=pharmacy.time(-200)))
    assert fault.field == "discovered_at"


def test_the_same_file_is_recorded_once_for_a_place(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=4)
    record(pharmacy)
    (fault,) = faults_of(lambda: record(pharmacy))
    assert (fault.field, FIRST in fault.sentence) == ("file", True)
    assert record(pharmacy, place="Refrigerator 2").content["deviation_id"] == SECOND


def test_a_file_that_cannot_be_read_is_refused_with_its_line(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=4)
    broken = WARM.replace(b"11,0", b"eleven")
    (fault,) = faults_of(lambda: record(pharmacy, broken))
    assert fault.field == "file"
    assert fault.sentence.startswith("Line 4 (“2026-03-02 09:30;eleven”)")
    for empty in (b"", b"  \n"):
        assert [f.field for f in faults_of(partial(record, pharmacy, empty))] == ["file"]
    (fault,) = faults_of(lambda: record(pharmacy, file_name="fridge.exe"))
    assert (fault.field, ".exe is not kept here" in fault.sentence) == ("file", True)


def test_a_retry_of_the_same_act_records_it_once(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=4)
    act, form = pharmacy.act("tim"), of_file(pharmacy)
    first = record_deviation(pharmacy.desk, act, form, WARM)
    assert record_deviation(pharmacy.desk, act, form, WARM) == first
    (fault,) = faults_of(lambda: record_deviation(pharmacy.desk, act, form, WARM.replace(b"11,0", b"12,0")))
    assert "recorded already, with other content" in fault.sentence


# --- which vials lay there --------------------------------------------------------------------------------------


def test_vials_that_came_after_the_span_or_lie_elsewhere_are_not_affected(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=1, minutes=50)  # 09:50, the span ended at 09:45
    late = pharmacy.stock_up("S-2", (LotTyped("1", "A2", "2027-03-31", "2"),))
    other = pharmacy.receive("S-3", (LotTyped("1", "A3", "2027-03-31", "2"),), place="Refrigerator 2")
    pharmacy.clock.forward(hours=3)
    event = record(pharmacy)
    assert not {*late, *other} & set(exposed(event))
    assert {pharmacy.vial(unit).state for unit in late} == {"available"}
    assert {pharmacy.vial(unit).state for unit in other} == {"held"}


@pytest.mark.parametrize(("minutes", "is_affected"), [(59, False), (60, True), (61, True), (80, True)])
def test_a_vial_that_left_the_place_before_the_last_reading_inside_is_not_affected(
    pharmacy: Pharmacy, minutes: int, is_affected: bool
) -> None:
    # The last reading inside is that of 09:00: from then on nobody knows.
    unit = pharmacy.vials()[0].unit_number
    pharmacy.clock.forward(minutes=minutes)
    broken = LossForm((unit,), "fell on the floor")
    break_vials(pharmacy.desk, pharmacy.act("tim"), broken, pharmacy.sign("tim"), pharmacy.sign("carla"))
    pharmacy.clock.forward(hours=4)
    event = record(pharmacy)
    assert (unit in exposed(event)) is is_affected
    assert pharmacy.vial(unit).state == "broken"
    assert not any(vial.was_used for vial in found(pharmacy).vials)


def test_a_vial_is_looked_for_where_it_was_and_not_where_it_is(pharmacy: Pharmacy) -> None:
    before, during, after = (vial.unit_number for vial in pharmacy.vials()[:3])
    elsewhere = pharmacy.receive("S-2", (LotTyped("1", "A2", "2027-03-31", "1"),), place="Refrigerator 2")

    def carry(unit: str, place: str) -> None:
        transport(pharmacy.desk, pharmacy.act("tim"), TransportForm((unit,), place, "Tim Lindqvist"))

    pharmacy.clock.forward(minutes=30)  # 08:30
    carry(before, "Refrigerator 2")
    pharmacy.clock.forward(minutes=50)  # 09:20, too warm
    carry(during, "Refrigerator 2")
    pharmacy.clock.forward(minutes=40)  # 10:00, cold again
    carry(after, "Refrigerator 2")
    pharmacy.clock.forward(hours=3)
    # It comes back afterwards: it was not there while it was warm.
    carry(before, "Refrigerator 1")
    event = record(pharmacy)
    assert {during, after} <= set(exposed(event))
    assert not {before, *elsewhere} & set(exposed(event))
    assert len(exposed(event)) == 9
    assert [pharmacy.vial(unit).state for unit in (before, during, after)] == [
        "available",
        "quarantined",
        "quarantined",
    ]
    assert pharmacy.vial(during).place == "Refrigerator 2"
    pharmacy.assert_sound()


def test_a_vial_used_during_the_span_is_named_with_its_dose_and_not_moved(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    pharmacy.clock.forward(minutes=80)  # 09:20, too warm
    dose_id = pharmacy.dose("given")
    used = {line.unit_number for line in pharmacy.thread(dose_id).mg}
    pharmacy.clock.forward(hours=4)
    event = record(pharmacy)
    assert used <= set(exposed(event))
    by_unit = {vial["unit_number"]: vial for vial in event.content["vials"]}
    assert {by_unit[unit]["dose_id"] for unit in used} == {dose_id}
    assert {by_unit[unit]["quarantined"] for unit in used} == {False}
    assert {pharmacy.vial(unit).state for unit in used} == {"opened"}
    kept = found(pharmacy)
    assert {vial.line.unit_number for vial in kept.vials if not vial.was_unopened} == used
    report = next(item for item in kept.checklist if item.name == "report")
    assert "Exposed and used since: 2 vials" in report.words
    decision = next(item for item in kept.checklist if item.name == "decision")
    assert "on 8 vials" in decision.words


def test_a_reserved_vial_is_quarantined_and_its_dose_is_at_risk(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    dose_id = pharmacy.dose("planned")
    reserved = [vial.unit_number for vial in pharmacy.vials(state="reserved")]
    pharmacy.clock.forward(hours=4)
    record(pharmacy)
    assert {pharmacy.vial(unit).state for unit in reserved} == {"quarantined"}
    (risk,) = found(pharmacy).at_risk
    assert (risk.dose_id, risk.subject_number) == (dose_id, "001")
    assert all(unit in risk.words for unit in reserved)


def test_doses_of_the_next_fortnight_are_at_risk_while_vials_are_kept_back(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    pharmacy.clock.forward(hours=4)
    record(pharmacy)
    assert [risk.dose_id for risk in found(pharmacy).at_risk] == [dose_id]


def test_a_record_that_ends_outside_lasts_until_now(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=3)
    later = pharmacy.stock_up("S-2", (LotTyped("1", "A2", "2027-03-31", "2"),))
    pharmacy.clock.forward(hours=1)
    event = record(pharmacy, logger(("09:00", "5"), ("09:15", "9")))
    assert set(later) <= set(exposed(event))


def test_held_vials_are_quarantined_too_and_quarantined_ones_are_named(pharmacy: Pharmacy) -> None:
    held = pharmacy.receive("S-2", (LotTyped("1", "A2", "2027-03-31", "2"),))
    pharmacy.clock.forward(hours=4)
    record(pharmacy)
    assert {pharmacy.vial(unit).state for unit in held} == {"quarantined"}
    second = record(pharmacy, logger(("09:00", "1"), ("09:15", "5")))
    assert len(exposed(second)) == 12
    assert second.content["moves"] == []


def test_a_vial_entered_late_is_named_and_kept_back_at_once(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=4)
    record(pharmacy)
    # It came at 08:30 already, but is typed in only now.
    form = pharmacy.shipment("S-2", (LotTyped("1", "A2", "2027-03-31", "1"),), received_at=pharmacy.time(-210))
    (new,) = [vial["unit_number"] for vial in receive(pharmacy.desk, pharmacy.act("tim"), form).content["vials"]]
    assert pharmacy.vial(new).hold_reason == f"storage deviation {FIRST} at Refrigerator 1"
    kept = found(pharmacy)
    assert new in {vial.line.unit_number for vial in kept.vials if vial.is_kept_back}
    assert kept.unlisted == ()
    pharmacy.assert_sound()


# --- report, decision, release ----------------------------------------------------------------------------------


@pytest.fixture
def warm(pharmacy: Pharmacy) -> Pharmacy:
    """Ten vials quarantined by a deviation recorded at noon."""
    pharmacy.clock.forward(hours=4)
    record(pharmacy)
    return pharmacy


def tell(pharmacy: Pharmacy, **changes: str) -> Event:
    form = ReportForm(FIRST, "Pfizer quality desk", "e-mail", pharmacy.time(), "report and logger file")
    return report_deviation(pharmacy.desk, pharmacy.act("tim"), replace(form, **changes))


def release(pharmacy: Pharmacy, form: PermissionForm) -> Event:
    return release_with_document(pharmacy.desk, pharmacy.act("paula"), form)


def close(pharmacy: Pharmacy, who: str = "paula") -> Event:
    return close_deviation(pharmacy.desk, pharmacy.act(who), FIRST, pharmacy.sign(who))


def units(pharmacy: Pharmacy, *at: int) -> tuple[str, ...]:
    return tuple(pharmacy.vials()[each].unit_number for each in at)


def decide(pharmacy: Pharmacy, chosen: Sequence[str], decision: str, document: str, lot: str = "") -> Event:
    form = DecisionForm(FIRST, tuple(chosen), decision, document, lot)
    return decide_deviation(pharmacy.desk, pharmacy.act("paula"), form)


def test_the_supporter_is_told_with_name_time_and_how(warm: Pharmacy) -> None:
    faults = faults_of(lambda: tell(warm, name="", how="smoke signals", told_at=warm.time(10), data_sent=""))
    assert {fault.field for fault in faults} == {"name", "how", "told_at", "data_sent"}
    before = faults_of(lambda: tell(warm, told_at=warm.time(-60)))
    assert [fault.field for fault in before] == ["told_at"]
    tell(warm)
    (told,) = found(warm).told
    assert (told.name, told.how, told.recorder) == ("Pfizer quality desk", "e-mail", "Tim Lindqvist")
    assert "report" not in found(warm).missing


def test_the_clock_says_how_long_vials_are_held_and_what_is_missing(warm: Pharmacy) -> None:
    warm.clock.forward(hours=26, minutes=5)
    kept = found(warm)
    assert kept.held_for == timedelta(hours=26, minutes=5)
    assert clock_words(kept) == (
        "10 vials held for 26 h 5 min; missing: report, decision, release or return, cause, action"
    )
    tell(warm)
    update_deviation(warm.desk, warm.act("tim"), UpdateForm(FIRST, "door ajar", "door alarm ordered"))
    assert found(warm).missing == ("decision", "release or return")


def test_only_an_attached_permission_releases_and_it_decides_vial_by_vial(warm: Pharmacy) -> None:
    two = units(warm, 0, 1)
    for number in ("", "F0000099", "F0000012"):
        (fault,) = faults_of(partial(release, warm, PermissionForm(two, number)))
        assert (fault.field, fault.rule) == ("permission", "R54")
    assert states(warm) == ["quarantined"] * 10
    permission = warm.permission(FIRST)
    event = release(warm, PermissionForm(two, permission))
    assert [vial.state for vial in warm.vials()][:3] == ["available", "available", "quarantined"]
    assert event.content["line"]["reference"] == permission
    decided = {vial.line.unit_number: (vial.line.decision, vial.line.document_id) for vial in found(warm).vials}
    assert decided[two[0]] == (MAY_BE_USED, permission)
    assert decided[units(warm, 2)[0]] == ("", "")
    warm.assert_sound()


def test_a_permission_for_a_lot_releases_the_lot_and_nothing_else(warm: Pharmacy) -> None:
    other = warm.receive("S-2", (LotTyped("1", "A2", "2027-03-31", "1"),), logger_state="alarm")
    permission = warm.permission("lot A1")
    (fault,) = faults_of(lambda: release(warm, PermissionForm(tuple(other), permission)))
    assert (fault.field, "says nothing of" in fault.sentence) == ("permission", True)
    assert [f.field for f in faults_of(lambda: release(warm, PermissionForm((), permission, lot="ZZ")))] == ["lot"]
    release(warm, PermissionForm((), permission, lot="a1"))
    assert states(warm) == ["available"] * 10 + ["held"]


def test_a_permission_about_one_deviation_does_not_answer_for_another(warm: Pharmacy) -> None:
    record(warm, logger(("09:00", "1"), ("09:15", "5")))
    unit = units(warm, 0)
    about_first, about_both = warm.permission(FIRST), warm.permission()
    (fault,) = faults_of(lambda: release_with_document(warm.desk, warm.act("paula"), PermissionForm(unit, about_first)))
    assert (fault.field, SECOND in fault.sentence) == ("permission", True)
    release_with_document(warm.desk, warm.act("paula"), PermissionForm(unit, about_both))
    for number in (FIRST, SECOND):
        decided = next(vial for vial in found(warm, number).vials if vial.line.unit_number == unit[0])
        assert decided.line.decision == MAY_BE_USED


def test_two_permissions_release_a_vial_of_two_deviations_once_both_are_decided(warm: Pharmacy) -> None:
    record(warm, logger(("09:00", "1"), ("09:15", "5")))
    unit = units(warm, 0)
    first, second = warm.permission(FIRST), warm.permission(SECOND)
    decide(warm, unit, MAY_BE_USED, first)
    assert warm.vial(unit[0]).state == "quarantined"
    release_with_document(warm.desk, warm.act("paula"), PermissionForm(unit, second))
    assert warm.vial(unit[0]).state == "available"


def test_a_decision_takes_a_document_of_its_kind_about_this_deviation(warm: Pharmacy) -> None:
    record(warm, logger(("09:00", "1"), ("09:15", "5")))
    letter = DocumentForm("Not fit", "letter", FIRST, "", warm.day(), "letter.txt")
    number = str(attach_document(warm.desk, warm.act("paula"), letter, b"not fit").content["document_id"])
    elsewhere = warm.permission(SECOND)
    one = units(warm, 0)
    for document, decision in (("", MUST_NOT_BE_USED), (number, MAY_BE_USED), (elsewhere, MAY_BE_USED)):
        refused = faults_of(partial(decide, warm, one, decision, document))
        assert [fault.field for fault in refused] == ["document"]
    decide(warm, one, MUST_NOT_BE_USED, number)
    decided = next(vial for vial in found(warm).vials if vial.line.unit_number == one[0])
    assert (decided.line.decision, decided.line.document_id, decided.state) == (MUST_NOT_BE_USED, number, "quarantined")
    assert [f.field for f in faults_of(lambda: decide(warm, (), MUST_NOT_BE_USED, number))] == ["unit_numbers"]
    assert [f.field for f in faults_of(lambda: decide(warm, (), MUST_NOT_BE_USED, number, "ZZ"))] == ["lot"]
    decide(warm, (), MUST_NOT_BE_USED, number, "A1")
    assert {vial.line.decision for vial in found(warm).vials} == {MUST_NOT_BE_USED}


# --- closing and printing ---------------------------------------------------------------------------------------


def test_it_is_closed_by_a_pharmacists_signature_once_nothing_is_open(warm: Pharmacy) -> None:
    faults = faults_of(lambda: close(warm))
    assert [fault.sentence.startswith("Still open: ") for fault in faults] == [True] * 5
    tell(warm)
    update_deviation(warm.desk, warm.act("tim"), UpdateForm(FIRST, "door ajar", "door alarm ordered"))
    permission = warm.permission(FIRST)
    some, rest = units(warm, *range(8)), units(warm, 8, 9)
    release_with_document(warm.desk, warm.act("paula"), PermissionForm(some, permission))
    decide(warm, rest, MUST_NOT_BE_USED, permission)
    assert [fault.sentence for fault in faults_of(lambda: close(warm))] == [
        "Still open: 2 vials still in quarantine. Release those that may be used, return the others."
    ]
    back = ReturnForm(rest, permission, "Depot", "excursion", "yes", CARRIER)
    return_vials(warm.desk, warm.act("paula"), back, warm.sign("paula"))
    assert found(warm).missing == ()
    with pytest.raises(Refused, match="takes a pharmacist"):
        close(warm, "tim")
    event = close(warm)
    assert [signature.meaning for signature in event.signatures] == ["closed the storage deviation"]
    kept = found(warm)
    assert (kept.line.status, kept.line.closed_by) == ("closed", "Paula Reyes")
    assert clock_words(kept) == "closed"
    for again in (lambda: close(warm), lambda: tell(warm)):
        assert "was closed by Paula Reyes" in faults_of(again)[0].sentence
    outcomes = {vial.line.unit_number: vial.outcome.move for vial in kept.vials if vial.outcome}
    assert {outcomes[unit] for unit in some} == {"lift quarantine"}
    assert {outcomes[unit] for unit in rest} == {"return"}
    warm.assert_sound()


def test_the_report_prints_before_and_after_and_says_which_copy_it_is(warm: Pharmacy) -> None:
    first = print_deviation(warm.desk, warm.act("mona"), FIRST)
    again = print_deviation(warm.desk, warm.act("paula"), FIRST.lower())
    assert [line["copy_number"] for line in (*first.event.content["papers"], *again.event.content["papers"])] == [1, 2]
    (fault,) = faults_of(lambda: print_deviation(warm.desk, warm.act("mona"), SECOND))
    assert SECOND in fault.sentence


def test_the_list_shows_every_deviation_newest_first(warm: Pharmacy) -> None:
    record(warm, logger(("09:00", "1"), ("09:15", "5")))
    with warm.desk.store.read() as reader:
        listed = deviation_records(warm.desk, reader)
    assert [each.line.deviation_id for each in listed] == [SECOND, FIRST]


def test_a_night_in_which_the_clocks_change_is_as_long_as_it_was(pharmacy: Pharmacy) -> None:
    # In Chicago the clocks go back on 1 November 2026 at 02:00.
    pharmacy.clock.now = datetime(2026, 10, 31, 20, 0, tzinfo=UTC)
    pharmacy.clock.forward(hours=20)
    times = ("00:30", "00:45", "01:00", "01:15", "01:30", "01:45", "01:00", "01:15", "01:30", "01:45", "02:00", "02:15")
    night = logger(*((time, "9" if time < "02:00" else "5") for time in times), day="2026-11-01")
    record(pharmacy, night)
    (span,) = found(pharmacy).spans
    assert span.duration == timedelta(hours=2, minutes=30)
    assert (span.start.isoformat(), span.end.isoformat()) == (
        "2026-11-01T00:30:00-05:00",
        "2026-11-01T02:00:00-06:00",
    )


# --- what was written before ------------------------------------------------------------------------------------


def test_a_release_that_names_its_document_by_typed_words_is_still_read(pharmacy: Pharmacy) -> None:
    # So it was written before documents were attached: no "decided", a reference typed by hand.
    (event,) = pharmacy.events("vials_released")
    unit = event.content["moves"][0]
    old = Event(
        seq=99,
        act_id="a",
        kind="quarantine_lifted",
        actor_id="p",
        actor_name="Paula Reyes",
        workstation="PC",
        done_at=event.done_at,
        recorded_at=event.recorded_at,
        why="",
        content={
            "moves": [{**unit, "move": "lift quarantine", "from_state": "quarantined", "to_state": "available"}],
            "line": {"counterparty": "Supporter", "reference": "PF-1", "comment": "permitted in writing"},
            "decision": {"reference": "PF-1", "decided_by": "Supporter", "decided_on": "2026-03-02"},
        },
        signatures=(),
        request_sha256="",
        marks=(),
        previous_hash="0" * 64,
    )
    changed = [change for change in changes_of(old) if isinstance(change, Insert) and change.table == "ledger_line"]
    assert [change.row["reference"] for change in changed] == ["PF-1"]
    assert not [change for change in changes_of(old) if change.table == "deviation_vial"]
