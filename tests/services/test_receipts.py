"""Receipt against the packing list: what is listed, counted, damaged and extra, the logger, telling the supporter.

The protocol has the vials kept at 2 °C to 8 °C, both included (§ 8.2). The usual packing list lists ten vials.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from db.projections import Insert, changes_of
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import Vial, numbered
from pharmacy_app.services import views
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.desk import Act, Denied
from pharmacy_app.services.packing_list import LotTyped, kit_ranges
from pharmacy_app.services.receipts import (
    AcknowledgeForm,
    LoggerForm,
    acknowledge_receipt,
    logger_read,
    print_receipt,
)
from pharmacy_app.services.stock import (
    PermissionForm,
    QuarantineForm,
    quarantine,
    receive,
    release_shipment,
    release_with_document,
)
from tests.services.leaving import one_fault
from tests.services.pharmacy import Pharmacy, StubPapers

TEN = LotTyped("1", "A1", "2027-03-31", "10", listed="10")
KITS = ("K001 to K010",)
NOT_READ = "the temperature logger has not been read"


def faults_of(pharmacy: Pharmacy, *lots: LotTyped, **changes: Any) -> dict[str, str]:
    """The faults of a packing list that is refused, by field; nothing is recorded."""
    before = pharmacy.count()
    with pytest.raises(Refused) as refused:
        pharmacy.receive("S-1", lots, **changes)
    assert pharmacy.count() == before
    return {fault.field: fault.sentence for fault in refused.value.faults}


def reasons(pharmacy: Pharmacy) -> list[str]:
    """The hold reasons of the vials in the order of their numbers."""
    return [vial.hold_reason for vial in pharmacy.vials()]


def shipment(pharmacy: Pharmacy, number: str = "S-1") -> views.ShipmentLine:
    with pharmacy.desk.store.read() as reader:
        line = reader.shipment(number)
    assert line is not None
    return line


def lot_of(pharmacy: Pharmacy, number: str = "S-1") -> views.ShipmentLot:
    with pharmacy.desk.store.read() as reader:
        (lot,) = reader.shipment_lots(number)
    return lot


def held(pharmacy: Pharmacy) -> list[Vial]:
    return pharmacy.vials(state="held")


# --- listed against counted


@pytest.mark.parametrize("lot", ["A\n1", "A\t1", "A\x001", "A\u200b1", "A\u202e1"])
def test_a_lot_with_what_nobody_can_see_in_it_is_refused(pharmacy: Pharmacy, lot: str) -> None:
    """Two lots that look alike would be two lots in the books."""
    faults = faults_of(pharmacy, replace(TEN, lot=lot))
    assert list(faults) == ["lots.0.lot"]
    assert "invisible character" in faults["lots.0.lot"]


def test_a_scanner_s_line_break_behind_a_lot_is_no_part_of_it(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-1", (replace(TEN, lot="A1\r\n"),))
    assert {vial.lot for vial in pharmacy.vials()} == {"A1"}


def test_a_note_keeps_its_line_breaks_and_no_other_control_character(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-1", (TEN,), note="box wet\r\nlid\tdented\x07 \x1b[31m")
    (event,) = pharmacy.events("shipment_received")
    assert event.content["shipment"]["note"] == "box wet\nlid dented   [31m"


def test_a_packing_list_that_agrees_is_received_as_it_is(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-1", (TEN,))
    assert reasons(pharmacy) == [""] * 10
    lot = lot_of(pharmacy)
    assert (lot.listed, lot.counted, lot.damaged, lot.extra) == (10, 10, 0, 0)
    line = shipment(pharmacy)
    assert (line.packing_list, str(line.min_celsius), str(line.max_celsius)) == ("PL-S-1", "3.1", "6.4")
    assert (line.logger_read_by, line.acknowledged_at) == ("Tim Lindqvist", None)
    pharmacy.assert_sound()


def test_a_missing_vial_is_recorded_with_its_note_and_never_made(pharmacy: Pharmacy) -> None:
    nine = replace(TEN, count="9")
    faults = faults_of(pharmacy, nine)
    assert list(faults) == ["lots.0.difference_note"]
    assert "The packing list says 10, counted were 9" in faults["lots.0.difference_note"]
    pharmacy.receive("S-1", (replace(nine, difference_note="carton sealed, supporter telephoned"),))
    assert len(pharmacy.vials()) == 9
    lot = lot_of(pharmacy)
    assert (lot.listed, lot.counted, lot.difference_note) == (10, 9, "carton sealed, supporter telephoned")
    assert shipment(pharmacy).condition == "lot A1: 10 listed, 9 counted (carton sealed, supporter telephoned)"
    assert reasons(pharmacy) == [""] * 9, "what is there is not tainted by what is not"
    pharmacy.assert_sound()


def test_a_lot_that_stayed_away_whole_is_on_record_and_has_no_vial(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-1", (replace(TEN, count="0", difference_note="second box is late"),))
    assert pharmacy.vials() == []
    assert shipment(pharmacy).vials == 0
    assert (lot_of(pharmacy).listed, lot_of(pharmacy).counted) == (10, 0)
    with pytest.raises(Refused, match="No vial of shipment S-1 waits"):
        release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    pharmacy.assert_sound()


def test_none_listed_and_none_counted_is_no_lot(pharmacy: Pharmacy) -> None:
    assert list(faults_of(pharmacy, replace(TEN, count="0", listed="0"))) == ["lots.0.count"]


def test_an_extra_vial_is_received_and_held_with_the_reason(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-1", (replace(TEN, count="11", difference_note="one more in the carton"),))
    assert reasons(pharmacy) == [""] * 10 + ["not on the packing list (10 listed, 11 counted)"]
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    assert [vial.unit_number for vial in held(pharmacy)] == [numbered("V", 11)]
    assert lot_of(pharmacy).extra == 1
    pharmacy.assert_sound()


def test_of_vials_with_kit_numbers_the_extra_one_is_named(pharmacy: Pharmacy) -> None:
    eleven = replace(TEN, count="11", kit_numbers=("K000", *KITS), difference_note="one more")
    assert "0 of their kits are named" in faults_of(pharmacy, eleven)["lots.0.extra_kits"]
    unknown = replace(eleven, extra_kits=("K011",))
    assert (
        "K011 is named as not on the packing list, but is not among"
        in faults_of(pharmacy, unknown)["lots.0.extra_kits"]
    )
    pharmacy.receive("S-1", (replace(eleven, extra_kits=("k000",)),))
    (extra,) = [vial for vial in pharmacy.vials() if vial.hold_reason]
    assert (extra.kit_number, extra.hold_reason) == ("K000", "not on the packing list (10 listed, 11 counted)")


@pytest.mark.parametrize("listed", ["ten", "-1", "501", "9.5"])
def test_a_number_on_the_list_is_a_whole_one(pharmacy: Pharmacy, listed: str) -> None:
    assert list(faults_of(pharmacy, replace(TEN, listed=listed))) == ["lots.0.listed"]


# --- damage


def test_of_ten_vials_two_are_damaged_and_eight_go_into_use(pharmacy: Pharmacy) -> None:
    """Without kit numbers the damaged ones get the last numbers: their labels go on the damaged vials."""
    pharmacy.receive("S-1", (replace(TEN, condition="damaged", condition_note="cracked", damaged="2"),))
    assert reasons(pharmacy) == [""] * 8 + ["damaged on arrival (cracked)"] * 2
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    assert len(pharmacy.vials(state="available")) == 8
    with pytest.raises(Refused, match=r"damaged on arrival \(cracked\).*written decision"):
        release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    assert lot_of(pharmacy).damaged == 2
    assert lot_of(pharmacy).released_by == ("Paula Reyes",)
    pharmacy.assert_sound()


@pytest.mark.parametrize("damaged", ["", "2"])
def test_damaged_vials_are_named_by_their_kits(pharmacy: Pharmacy, damaged: str) -> None:
    typed = replace(
        TEN,
        kit_numbers=KITS,
        condition="damaged",
        condition_note="cracked",
        damaged=damaged,
        damaged_kits=("K003", "k009"),
    )
    pharmacy.receive("S-1", (typed,))
    assert [vial.kit_number for vial in pharmacy.vials() if vial.hold_reason] == ["K003", "K009"]


def test_a_damaged_lot_of_which_nobody_says_how_many_is_held_whole(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-1", (replace(TEN, condition="damaged", condition_note="crushed"),))
    assert reasons(pharmacy) == ["damaged on arrival (crushed)"] * 10
    assert lot_of(pharmacy).damaged == 10


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"damaged": "0"}, "damaged", "must be from 1 to 10"),
        ({"damaged": "11"}, "damaged", "must be from 1 to 10"),
        ({"damaged": "two"}, "damaged", "whole number"),
        ({"damaged_kits": ("K003",)}, "damaged_kits", "not among the kits of this lot"),
        ({"kit_numbers": KITS, "damaged": "2"}, "damaged_kits", "0 of their kits are named"),
        ({"kit_numbers": KITS, "damaged": "2", "damaged_kits": ("K001",)}, "damaged_kits", "1 of their kits"),
        ({"kit_numbers": KITS, "damaged_kits": ("K011",)}, "damaged_kits", "K011 is named as damaged"),
    ],
)
def test_damage_that_does_not_add_up_is_refused(
    pharmacy: Pharmacy, changes: dict[str, Any], field: str, words: str
) -> None:
    typed = replace(TEN, condition="damaged", condition_note="cracked", **changes)
    faults = faults_of(pharmacy, typed)
    assert list(faults) == [f"lots.0.{field}"]
    assert words in faults[f"lots.0.{field}"]


def test_a_vial_may_be_damaged_and_extra_and_expired_at_once(pharmacy: Pharmacy) -> None:
    typed = LotTyped(
        "1", "A1", "2026-03-01", "2", (), "damaged", "crushed", listed="1", difference_note="one more", damaged="2"
    )
    pharmacy.receive("S-1", (typed,))
    expired = "expired on 01-Mar-2026, before it arrived"
    assert reasons(pharmacy) == [
        f"damaged on arrival (crushed); {expired}",
        f"damaged on arrival (crushed); not on the packing list (1 listed, 2 counted); {expired}",
    ]


def test_the_damaged_ones_are_looked_for_among_the_listed_ones_first(pharmacy: Pharmacy) -> None:
    typed = replace(TEN, count="11", difference_note="x", condition="damaged", condition_note="wet", damaged="1")
    pharmacy.receive("S-1", (typed,))
    assert [index for index, reason in enumerate(reasons(pharmacy), 1) if "damaged" in reason] == [10]


# --- kit numbers and ranges


@pytest.mark.parametrize(
    ("typed", "kits"),
    [
        (("K001 to K003",), "K001 K002 K003"),
        (("k001 TO k003",), "K001 K002 K003"),
        (("K001–K003",), "K001 K002 K003"),
        (("K001..K003",), "K001 K002 K003"),
        (("K001 - K003",), "K001 K002 K003"),
        (("9998 to 10000",), ""),
        (("09998 to 10000",), "09998 09999 10000"),
        (("INO-1-009 to INO-1-011",), "INO-1-009 INO-1-010 INO-1-011"),
        (("K1", " ", "K2 to K3"), "K1 K2 K3"),
        # A number with a hyphen in it is one kit.
        (("INO-0001", "INO-0002", "K001-K003"), "INO-0001 INO-0002 K001-K003"),
        (("K003 to K001",), ""),
        (("K001 to K001",), ""),
        (("K001 to L003",), ""),
        (("K01 to K003",), ""),
        (("A to C",), ""),
        (("K0001 to K0501",), ""),
    ],
)
def test_kit_numbers_are_typed_alone_or_as_a_range(pharmacy: Pharmacy, typed: tuple[str, ...], kits: str) -> None:
    three = LotTyped("1", "A1", "2027-03-31", "3", typed)
    if not kits:
        assert "is not a range of kit numbers" in faults_of(pharmacy, three)["lots.0.kit_numbers"]
        return
    pharmacy.receive("S-1", (three,))
    assert " ".join(vial.kit_number for vial in pharmacy.vials()) == kits


def test_a_range_that_holds_a_known_kit_is_refused(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-0", (LotTyped("4", "B1", "2027-03-31", "1", ("K005",)),))
    before = pharmacy.count()
    with pytest.raises(Refused, match="Kit K005 is there twice"):
        pharmacy.receive("S-1", (replace(TEN, kit_numbers=KITS),))
    assert pharmacy.count() == before


def test_a_range_of_more_or_fewer_kits_than_vials_is_refused(pharmacy: Pharmacy) -> None:
    faults = faults_of(pharmacy, replace(TEN, count="9", difference_note="one is missing", kit_numbers=KITS))
    assert "10 kit numbers are typed for 9 vials" in faults["lots.0.kit_numbers"]


@pytest.mark.parametrize(
    ("kits", "words"),
    [
        ((), ""),
        (("K1",), "K1"),
        (("K009", "K010", "K012"), "K009 – K010, K012"),
        (("K9", "K10"), "K9, K10"),
        (("A1", "B2"), "A1, B2"),
        (("A", "B"), "A, B"),
    ],
)
def test_runs_of_kit_numbers_are_shortened(kits: tuple[str, ...], words: str) -> None:
    assert kit_ranges(kits) == words


# --- the logger


@pytest.mark.parametrize(
    ("state", "low", "high", "reason"),
    [
        ("no alarm", "2.0", "8.0", ""),
        ("no alarm", "2", "8", ""),
        ("no alarm", "8.0", "8.0", ""),
        ("no alarm", "2.0", "8.1", "the temperature logger recorded 2 °C to 8.1 °C, outside 2 °C to 8 °C"),
        ("no alarm", "1.9", "8.0", "the temperature logger recorded 1.9 °C to 8 °C, outside 2 °C to 8 °C"),
        ("no alarm", "-0.5", "5", "the temperature logger recorded −0.5 °C to 5 °C, outside 2 °C to 8 °C"),
        ("no alarm", "−0.5 °C", "5", "the temperature logger recorded −0.5 °C to 5 °C, outside 2 °C to 8 °C"),
        ("no alarm", "2.0", "8.01", "the temperature logger recorded 2 °C to 8.01 °C, outside 2 °C to 8 °C"),
        ("alarm", "3.1", "6.4", "the temperature logger shows an alarm"),
        (
            "alarm",
            "3.1",
            "9.6",
            "the temperature logger shows an alarm; it recorded 3.1 °C to 9.6 °C, outside 2 °C to 8 °C",
        ),
        ("no alarm", "N/A", "n/a", "the temperature logger shows no lowest and highest temperature"),
        ("no alarm", "N/A", "6", "the temperature logger shows no lowest and highest temperature"),
        ("no alarm", "N/A", "8.1", "the temperature logger recorded 8.1 °C, outside 2 °C to 8 °C"),
        ("not read", "", "", NOT_READ),
        ("no logger", "", "", "the shipment came without a temperature logger"),
    ],
)
def test_what_the_logger_showed_holds_all_vials_or_none(
    pharmacy: Pharmacy, state: str, low: str, high: str, reason: str
) -> None:
    pharmacy.receive("S-1", (TEN,), logger_state=state, min_celsius=low, max_celsius=high)
    assert reasons(pharmacy) == [reason] * 10
    assert shipment(pharmacy).hold_reason == reason


@pytest.mark.parametrize(
    ("low", "high", "field", "words"),
    [
        ("", "6", "min_celsius", "or N/A if the logger shows none"),
        ("3", "", "max_celsius", "or N/A if the logger shows none"),
        ("3,1", "6", "min_celsius", "has a comma"),
        ("3.1", "warm", "max_celsius", "is not a temperature"),
        ("3.1", "1e1", "max_celsius", "is not a temperature"),
        ("3.1", "6.123", "max_celsius", "is not a temperature"),
        ("6.4", "3.1", "max_celsius", "is below the lowest"),
    ],
)
def test_temperatures_that_cannot_be_right_are_refused(
    pharmacy: Pharmacy, low: str, high: str, field: str, words: str
) -> None:
    faults = faults_of(pharmacy, TEN, min_celsius=low, max_celsius=high)
    assert list(faults) == [field]
    assert words in faults[field]


def test_a_packing_list_has_a_number_or_says_that_it_has_none(pharmacy: Pharmacy) -> None:
    assert list(faults_of(pharmacy, TEN, packing_list=" ")) == ["packing_list"]
    pharmacy.receive("S-1", (TEN,), packing_list="N/A")
    assert shipment(pharmacy).packing_list == "N/A"


# --- a logger that is read later


def read(pharmacy: Pharmacy, state: str = "no alarm", low: str = "2.4", high: str = "7.9", **changes: Any) -> Event:
    form = replace(LoggerForm("S-1", "TL-77", state, low, high), **changes)
    return logger_read(pharmacy.desk, pharmacy.act("tim"), form)


@pytest.fixture
def unread(pharmacy: Pharmacy) -> Pharmacy:
    """Ten vials, two of them damaged, whose logger was not read."""
    pharmacy.receive(
        "S-1",
        (replace(TEN, condition="damaged", condition_note="cracked; wet", damaged="2"),),
        logger_state="not read",
        min_celsius="",
        max_celsius="",
    )
    pharmacy.clock.forward(minutes=30)
    return pharmacy


def test_vials_wait_for_the_logger_and_then_for_the_pharmacist(unread: Pharmacy) -> None:
    with pytest.raises(Refused, match="Read the logger first"):
        release_shipment(unread.desk, unread.act("paula"), "S-1")
    read(unread)
    assert reasons(unread) == [""] * 8 + ["damaged on arrival (cracked; wet)"] * 2
    assert {vial.state for vial in unread.vials()} == {"held"}, "reading a logger releases nothing"
    line = shipment(unread)
    assert (line.logger_state, str(line.min_celsius), str(line.max_celsius)) == ("no alarm", "2.4", "7.9")
    assert (line.logger_read_by, line.hold_reason) == ("Tim Lindqvist", "damaged on arrival (cracked; wet)")
    release_shipment(unread.desk, unread.act("paula"), "S-1")
    assert len(unread.vials(state="available")) == 8
    unread.assert_sound()


def test_an_alarm_read_later_holds_all_of_them(unread: Pharmacy) -> None:
    read(unread, "alarm")
    alarm = "the temperature logger shows an alarm"
    assert reasons(unread) == [alarm] * 8 + [f"{alarm}; damaged on arrival (cracked; wet)"] * 2
    with pytest.raises(Refused, match="written decision"):
        release_shipment(unread.desk, unread.act("paula"), "S-1")
    unread.assert_sound()


def test_vials_in_use_by_permission_go_into_quarantine_when_the_logger_says_otherwise(unread: Pharmacy) -> None:
    """The supporter permitted three vials not knowing what the logger would show (§ 8.2: quarantined at once)."""
    units = [vial.unit_number for vial in unread.vials()]
    permitted = PermissionForm(tuple(units[:3]), unread.permission())
    release_with_document(unread.desk, unread.act("paula"), permitted)
    quarantine(unread.desk, unread.act("tim"), QuarantineForm((units[3],), "dropped"))
    unread.clock.forward(minutes=5)
    event = read(unread, low="1.9")
    cold = "the temperature logger recorded 1.9 °C to 7.9 °C, outside 2 °C to 8 °C"
    assert [moved["unit_number"] for moved in event.content["moves"]] == units[:3]
    vials = unread.vials()
    assert [vial.state for vial in vials[:5]] == ["quarantined"] * 4 + ["held"]
    assert [vial.hold_reason for vial in vials[:5]] == [cold, cold, cold, f"dropped; {cold}", cold]
    assert event.content["opened"] == []
    unread.assert_sound()


def test_vials_in_use_stay_there_when_the_logger_shows_nothing(unread: Pharmacy) -> None:
    units = tuple(vial.unit_number for vial in unread.vials()[:3])
    release_with_document(unread.desk, unread.act("paula"), PermissionForm(units, unread.permission()))
    assert read(unread).content["moves"] == []
    assert [unread.vial(unit).state for unit in units] == ["available"] * 3


def test_a_logger_is_read_once_and_only_when_it_was_not(unread: Pharmacy) -> None:
    read(unread)
    with pytest.raises(Refused, match="stands as “no alarm”"):
        read(unread)
    unread.receive("S-2", (TEN,), logger_state="no logger")
    with pytest.raises(Refused, match="stands as “no logger”"):
        read(unread, number="S-2")
    with pytest.raises(Refused, match="There is no shipment S-9"):
        read(unread, number="S-9")


def test_a_reading_before_the_shipment_came_is_refused(unread: Pharmacy) -> None:
    with pytest.raises(Refused, match="before the shipment arrived"):
        read(unread, done_at=unread.time(-31))
    with pytest.raises(Refused, match="is in the future"):
        read(unread, done_at=unread.time(5))
    assert read(unread, done_at=unread.time(-10)).content["vials"]


def test_a_double_click_reads_once(unread: Pharmacy) -> None:
    act = Act(unread.act("tim").session)
    form = LoggerForm("S-1", "TL-77", "no alarm", "3", "6")
    assert logger_read(unread.desk, act, form) == logger_read(unread.desk, act, form)


# --- late entries


def test_a_shipment_of_yesterday_is_a_late_entry_with_its_reason(pharmacy: Pharmacy) -> None:
    yesterday = pharmacy.time(-24 * 60)
    assert list(faults_of(pharmacy, TEN, received_at=yesterday)) == ["late_why"]
    pharmacy.receive("S-1", (TEN,), received_at=yesterday, late_why="arrived on Sunday")
    event = pharmacy.events("shipment_received")[0]
    assert "late entry" in event.marks
    assert event.content["late_why"] == "arrived on Sunday"
    pharmacy.assert_sound()


def test_a_logger_read_yesterday_is_one_too(unread: Pharmacy) -> None:
    unread.clock.forward(hours=24)
    with pytest.raises(Refused, match="a late entry"):
        read(unread, done_at=unread.time(-24 * 60))
    event = read(unread, done_at=unread.time(-24 * 60), late_why="the reader was away")
    assert "late entry" in event.marks


# --- telling the supporter


def tell(pharmacy: Pharmacy, who: str = "tim", **changes: Any) -> Event:
    form = replace(AcknowledgeForm("S-1", "Supporter, clinical supply", "e-mail with RCV form"), **changes)
    return acknowledge_receipt(pharmacy.desk, pharmacy.act(who), form)


def test_the_supporter_is_told_once_and_it_stands_at_the_shipment(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-1", (TEN,))
    pharmacy.clock.forward(minutes=20)
    tell(pharmacy, done_at=pharmacy.time(-5))
    line = shipment(pharmacy)
    assert (line.acknowledged_to, line.acknowledged_how) == ("Supporter, clinical supply", "e-mail with RCV form")
    assert line.acknowledged_by == "Tim Lindqvist"
    assert line.acknowledged_at is not None
    assert line.acknowledged_at.strftime("%H:%M") == "08:15"
    with pytest.raises(Refused, match="was acknowledged to Supporter, clinical supply already"):
        tell(pharmacy)
    pharmacy.assert_sound()


@pytest.mark.parametrize(
    ("changes", "field"), [({"to": " "}, "to"), ({"how": ""}, "how"), ({"number": "S-9"}, "number")]
)
def test_who_was_told_and_how_is_asked_for(pharmacy: Pharmacy, changes: dict[str, str], field: str) -> None:
    pharmacy.receive("S-1", (TEN,))
    with pytest.raises(Refused) as refused:
        tell(pharmacy, **changes)
    assert [fault.field for fault in refused.value.faults] == [field]


def test_nobody_is_told_of_a_shipment_before_it_came(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-1", (TEN,))
    with pytest.raises(Refused, match="before the shipment arrived"):
        tell(pharmacy, done_at=pharmacy.time(-1))


@pytest.mark.parametrize("who", ["mona", "carla", "robin"])
def test_pharmacist_and_technician_tell_the_supporter(pharmacy: Pharmacy, who: str) -> None:
    pharmacy.receive("S-1", (TEN,))
    with pytest.raises(Denied):
        tell(pharmacy, who)
    with pytest.raises(Denied):
        logger_read(pharmacy.desk, pharmacy.act(who), LoggerForm("S-1", "TL-77", "no alarm", "3", "6"))


# --- its paper


class KeptPapers(StubPapers):
    """Papers without ink that keep what the receipt was to say."""

    def __init__(self) -> None:
        self.receipts: list[Any] = []

    def receipt_record(self, record: Any) -> bytes:
        self.receipts.append(record)
        return super().receipt_record(record)


def test_the_receipt_is_numbered_by_its_event_and_a_copy_says_so(pharmacy: Pharmacy) -> None:
    papers = KeptPapers()
    pharmacy.desk = replace(pharmacy.desk, papers=papers)
    nine = replace(TEN, count="9", difference_note="one is missing", kit_numbers=("K001 to K004", "K006 to K010"))
    pharmacy.receive("S-1", (nine,))
    number = f"RCV-{pharmacy.events('shipment_received')[0].seq}"
    first = print_receipt(pharmacy.desk, pharmacy.act("tim"), "S-1")
    assert first.event.content["papers"][0] == {
        "paper": "receipt acknowledgement",
        "about": number,
        "copy_number": 1,
        "pages": 1,
    }
    tell(pharmacy)
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    print_receipt(pharmacy.desk, pharmacy.act("mona"), number.lower())
    before, after = papers.receipts
    assert (before.copy_number, after.copy_number) == (1, 2)
    assert (before.acknowledged_at, after.acknowledged_to) == (None, "Supporter, clinical supply")
    (lot,) = after.lots
    assert (lot.listed, lot.counted, lot.damaged) == (10, 9, 0)
    assert (lot.kits, lot.released_by) == ("K001 – K004, K006 – K010", ("Paula Reyes",))
    assert before.lots[0].released_by == ()
    with pytest.raises(Refused, match="There is no shipment RCV-1"):
        print_receipt(pharmacy.desk, pharmacy.act("tim"), "RCV-1")


# --- receipts of before


def test_a_receipt_of_before_packing_lists_were_counted_stays_readable(pharmacy: Pharmacy) -> None:
    """Such an event has neither the lots nor the logger's temperatures: they are unknown, not zero."""
    receive(pharmacy.desk, pharmacy.act("tim"), pharmacy.shipment(lots=(replace(TEN, listed=""),)))
    with pharmacy.desk.store.read() as reader:
        event = reader.event_of_act(_act_of(pharmacy))
    assert event is not None
    old = {**event.content, "shipment": dict(event.content["shipment"])}
    del old["lots"]
    for name in ("packing_list", "min_celsius", "max_celsius"):
        del old["shipment"][name]
    rows = [change for change in changes_of(replace(event, content=old)) if isinstance(change, Insert)]
    (row,) = [change.row for change in rows if change.table == "shipment"]
    assert (row["packing_list"], row["min_celsius"], row["logger_state"]) == ("", None, "no alarm")
    (lot,) = [change.row for change in rows if change.table == "shipment_lot"]
    assert (lot["listed"], lot["counted"], lot["damaged"], lot["lot"]) == (None, 10, None, "A1")


def _act_of(pharmacy: Pharmacy) -> str:
    with pharmacy.desk.store.read() as reader:
        _, body = reader.journal()[-1]
    import json

    return str(json.loads(body)["act_id"])


# --- a reading that was typed wrong ----------------------------------------------------------------------------


def put_logger_right(pharmacy: Pharmacy, **values: str) -> Event:
    """Correct the logger of the newest receipt: Paula, and Carla beside her."""
    receipt = [*pharmacy.events("shipment_received"), *pharmacy.events("receipt_corrected")][-1]
    form = CorrectForm(receipt.seq, "a slip of the keyboard", tuple(values.items()))
    own, second = pharmacy.sign("paula"), pharmacy.sign("carla")
    return correct(pharmacy.desk, pharmacy.act("paula"), form, own, second)


def test_a_maximum_typed_ten_times_too_high_is_put_right_and_the_vials_wait_for_the_release(pharmacy: Pharmacy) -> None:
    """64 for 6.4: the vials were held for the supporter; by the right reading a pharmacist releases them."""
    units = pharmacy.receive(max_celsius="64")
    one_fault(lambda: release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1"), "number", "64 °C")
    put_logger_right(pharmacy, max_celsius="6.4")
    assert {pharmacy.vial(unit).state for unit in units} == {"held"}
    assert {pharmacy.vial(unit).hold_reason for unit in units} == {""}
    with pharmacy.desk.store.read() as reader:
        shipment = reader.shipment("S-1")
    assert shipment is not None
    assert (shipment.max_celsius, shipment.hold_reason) == (Decimal("6.4"), "")
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    assert {pharmacy.vial(unit).state for unit in units} == {"available"}
    pharmacy.assert_sound()


def test_an_alarm_that_was_overlooked_holds_the_vials_by_the_correction(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    put_logger_right(pharmacy, logger_state="alarm")
    assert {pharmacy.vial(unit).hold_reason for unit in units} == {"the temperature logger shows an alarm"}
    one_fault(lambda: release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1"), "number", "shows an alarm")
    put_logger_right(pharmacy, logger_state="no alarm")
    assert {pharmacy.vial(unit).hold_reason for unit in units} == {""}
    put_logger_right(pharmacy, logger_state="not read")
    assert {pharmacy.vial(unit).hold_reason for unit in units} == {"the temperature logger has not been read"}
    pharmacy.assert_sound()


def test_vials_in_use_are_quarantined_before_their_logger_turns_out_to_show_an_alarm(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    one_fault(lambda: put_logger_right(pharmacy, max_celsius="16.4"), "logger_state", "are in use: quarantine")
    form = QuarantineForm(tuple(units), "the logger recorded up to 16.4 °C")
    quarantine(pharmacy.desk, pharmacy.act("tim"), form)
    put_logger_right(pharmacy, max_celsius="16.4")
    assert {pharmacy.vial(unit).state for unit in units} == {"quarantined"}
    pharmacy.assert_sound()


def test_the_logger_and_the_labels_are_put_right_one_after_the_other(pharmacy: Pharmacy) -> None:
    pharmacy.receive()
    both = {"max_celsius": "5.9", "labels.0.lot": "A9"}
    one_fault(lambda: put_logger_right(pharmacy, **both), "logger_state", "by itself first")
    one_fault(lambda: put_logger_right(pharmacy, max_celsius=""), "max_celsius", "is missing")
    put_logger_right(pharmacy, max_celsius="5.9")
    put_logger_right(pharmacy, **{"labels.0.lot": "A9"})
    pharmacy.assert_sound()


def test_vials_forgotten_at_the_receipt_are_received_as_a_further_part(pharmacy: Pharmacy) -> None:
    pharmacy.receive()
    fault = one_fault(pharmacy.receive, "number", "was received already")
    assert "“S-1 part 2”" in fault.sentence
    pharmacy.receive("S-1 part 2")
    fault = one_fault(pharmacy.receive, "number", "was received already")
    assert "“S-1 part 3”" in fault.sentence
