"""Days and hours: an expiry counts through its printed day, and every day is the site's own."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.vials import read_expiry, usable_on, why_not_usable
from pharmacy_app.services.desk import today_of
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.preparation import ScanForm, check_scan, proposals
from pharmacy_app.services.reading import read_day, read_moment
from tests.services.pharmacy import SITE, Clock, Pharmacy, open_pharmacy

CHICAGO = ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("printed", "last_day"),
    [
        ("2027-03-31", date(2027, 3, 31)),
        ("2027-03", date(2027, 3, 31)),
        ("2027-04", date(2027, 4, 30)),
        ("2027-02", date(2027, 2, 28)),
        ("2028-02", date(2028, 2, 29)),
        ("2100-02", date(2100, 2, 28)),  # a century that is no leap year
        ("2028-02-29", date(2028, 2, 29)),
        ("Feb-2028", date(2028, 2, 29)),
        ("FEB 2028", date(2028, 2, 29)),
        ("1-Feb-2028", date(2028, 2, 1)),
        ("2027-12", date(2027, 12, 31)),
    ],
)
def test_the_last_usable_day_of_a_printed_expiry(printed: str, last_day: date) -> None:
    assert read_expiry(printed, "expiry") == last_day


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "2027",
        "02-2027",
        "2/2027",
        "2027-02-30",
        "30-Feb-2028",
        "Foo-2027",
        "0-Mar-2027",
        "2027-03-00",
        "27-03",
    ],
)
def test_what_is_no_expiry(printed: str) -> None:
    with pytest.raises(Refused):
        read_expiry(printed, "expiry")


def test_usable_and_the_reason_why_not_never_disagree(pharmacy: Pharmacy) -> None:
    """The two functions and the question in SQL: usable through the printed day, in state available alone."""
    pharmacy.stock_up("S-1", (LotTyped("1", "A1", "2026-03-10", "1"),))
    (vial,) = pharmacy.vials()
    for day, usable in ((date(2026, 3, 9), True), (date(2026, 3, 10), True), (date(2026, 3, 11), False)):
        assert usable_on(vial.state, vial.expires_on, day) == usable
        assert (why_not_usable(vial, day) is None) == usable
        with pharmacy.desk.store.read() as reader:
            assert bool(reader.usable_vials(day)) == usable
        for state in ("held", "reserved", "quarantined", "opened", "empty", "partial"):
            elsewhere = replace(vial, state=state)
            assert not usable_on(elsewhere.state, elsewhere.expires_on, day)
            assert why_not_usable(elsewhere, day) is not None


@pytest.mark.parametrize("expiry", ["2026-03-02", "2-Mar-2026"])
def test_a_vial_is_used_on_its_printed_day_and_refused_the_day_after(pharmacy: Pharmacy, expiry: str) -> None:
    units = tuple(pharmacy.stock_up("S-1", (LotTyped("1", "A1", expiry, "4"),)))
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    with pharmacy.desk.store.read() as reader:
        assert check_scan(pharmacy.desk, reader, ScanForm(dose_id, units[:2], (), units[0])).unit_number == units[0]
        assert len(reader.usable_vials(date(2026, 3, 2))) == 4
        assert reader.usable_vials(date(2026, 3, 3)) == []
    pharmacy.reserve(dose_id, units[:2])
    # Tomorrow's dose cannot have them, though today they are good.
    pharmacy.enroll("002")
    from pharmacy_app.services.doses import DecideForm, order, record_decision

    tomorrow = order(pharmacy.desk, pharmacy.act("paula"), pharmacy.order_form("002", planned_on="2026-03-03")).content[
        "dose_id"
    ]
    record_decision(pharmacy.desk, pharmacy.act("paula"), DecideForm(tomorrow))
    with pharmacy.desk.store.read() as reader:
        assert proposals(pharmacy.desk, reader, tomorrow).best is None
        with pytest.raises(Refused, match="expired: its last usable day was 02-Mar-2026"):
            check_scan(pharmacy.desk, reader, ScanForm(tomorrow, units[2:], (), units[2]))
    with pytest.raises(Refused, match="expired"):
        pharmacy.reserve(tomorrow, units[2:])


def test_the_bag_ends_with_the_day_of_its_vials(pharmacy: Pharmacy) -> None:
    """Mixed at 21:30 from vials that expire today: not 4 h, but midnight, less 1 h of infusion."""
    pharmacy.stock_up("S-1", (LotTyped("1", "A1", "2026-03-02", "2"),))
    pharmacy.enroll()
    pharmacy.clock.forward(hours=13, minutes=30)
    made = pharmacy.prepare(pharmacy.dose("worksheet")).content["preparation"]
    assert made["beyond_use_at"] == "2026-03-03T00:00:00-06:00"
    assert made["start_by"] == "2026-03-02T23:00:00-06:00"


def test_a_lot_that_expires_on_the_day_it_arrives_is_not_held(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-1", (LotTyped("1", "A1", "2026-03-02", "1"), LotTyped("1", "A2", "2026-03-01", "1")))
    assert [bool(vial.hold_reason) for vial in pharmacy.vials()] == [False, True]


# --- the site's own day ---------------------------------------------------------------------------------------


@pytest.fixture(
    params=[
        # 20:00 UTC on 2 March: 10:00 that day in Honolulu (−10), 09:00 the next day in Tongatapu (+13)
        ("Pacific/Honolulu", datetime(2026, 3, 2, 20, tzinfo=UTC), "2026-03-02"),
        ("Pacific/Tongatapu", datetime(2026, 3, 2, 20, tzinfo=UTC), "2026-03-03"),
        # 09:00 UTC on 3 March: 23:00 on the 2nd in Honolulu, 22:00 on the 3rd in Tongatapu
        ("Pacific/Honolulu", datetime(2026, 3, 3, 9, tzinfo=UTC), "2026-03-02"),
        ("Pacific/Tongatapu", datetime(2026, 3, 3, 9, tzinfo=UTC), "2026-03-03"),
    ],
    ids=["Honolulu in the morning", "Tongatapu in the morning", "Honolulu late", "Tongatapu late"],
)
def far_away(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Pharmacy, str]]:
    """A pharmacy whose day is not the day in Greenwich."""
    zone, now, day = request.param
    pharmacy = open_pharmacy(tmp_path / "study.sqlite", Clock(now), site=replace(SITE, time_zone=zone))
    yield pharmacy, day
    pharmacy.desk.store.close()


def test_today_and_expiry_are_the_sites(far_away: tuple[Pharmacy, str]) -> None:
    pharmacy, day = far_away
    with pharmacy.desk.store.read() as reader:
        assert today_of(pharmacy.desk, reader).isoformat() == day
    units = tuple(pharmacy.stock_up("S-1", (LotTyped("1", "A1", day, "2"),)))
    before = (date.fromisoformat(day).toordinal()) - 1
    pharmacy.receive("S-2", (LotTyped("1", "A2", date.fromordinal(before).isoformat(), "2"),))
    assert [bool(vial.hold_reason) for vial in pharmacy.vials()] == [False, False, True, True]
    pharmacy.enroll()
    pharmacy.reserve(pharmacy.dose("decided"), units)
    tomorrow = date.fromordinal(before + 2).isoformat()
    with pytest.raises(Refused, match="in the future"):
        pharmacy.receive("S-3", shipped_on=tomorrow)
    pharmacy.assert_sound()


def test_a_moment_keeps_the_sites_offset(far_away: tuple[Pharmacy, str]) -> None:
    pharmacy, day = far_away
    pharmacy.receive()
    with pharmacy.desk.store.read() as reader:
        (shipment,) = reader.shipments()
    assert shipment.received_at.isoformat().endswith("-10:00" if "Honolulu" in str(pharmacy.zone) else "+13:00")
    assert shipment.received_at.date().isoformat() == day
    assert shipment.received_at == pharmacy.clock()


# --- hours that are not, and hours that are twice -------------------------------------------------------------


@pytest.mark.parametrize("time", ["02:00", "02:30", "02:59"])
def test_the_lost_hour_of_spring_is_refused(time: str) -> None:
    """On 8 March 2026 the clocks in Chicago went from 02:00 to 03:00."""
    with pytest.raises(Refused, match="did not exist"):
        read_moment(f"2026-03-08 {time}", "at", CHICAGO)


@pytest.mark.parametrize(
    ("typed", "utc"),
    [
        ("2026-03-08 01:59", "2026-03-08T07:59:00+00:00"),
        ("2026-03-08 03:00", "2026-03-08T08:00:00+00:00"),
        ("2026-11-01 00:59", "2026-11-01T05:59:00+00:00"),
        ("2026-11-01 02:00", "2026-11-01T08:00:00+00:00"),
    ],
)
def test_the_hours_about_the_change_are_read_right(typed: str, utc: str) -> None:
    assert read_moment(typed, "at", CHICAGO).astimezone(UTC).isoformat() == utc


def test_an_infusion_through_the_change_of_clocks_is_as_long_as_it_was(pharmacy: Pharmacy) -> None:
    """Mixed at 01:10 on the night of 8 March: 4 h at room temperature end at 06:10 by the clock, not 05:10."""
    pharmacy.stock_up()
    pharmacy.clock.now = datetime(2026, 3, 8, 7, 5, tzinfo=UTC)  # 01:05
    pharmacy.enroll()
    dose_id = pharmacy.dose("worksheet")
    pharmacy.clock.forward(minutes=5)
    made = pharmacy.prepare(dose_id).content["preparation"]
    assert made["beyond_use_at"] == "2026-03-08T06:10:00-05:00"
    assert made["start_by"] == "2026-03-08T05:10:00-05:00"


def test_the_doubled_hour_of_autumn_does_not_make_the_past_future(pharmacy: Pharmacy) -> None:
    """1 November 2026, 01:05 for the second time: 01:50, the first time, was fifteen minutes ago."""
    pharmacy.clock.now = datetime(2026, 11, 1, 7, 5, tzinfo=UTC)
    pharmacy.receive("S-1", received_at="2026-11-01 01:50")
    with pharmacy.desk.store.read() as reader:
        (shipment,) = reader.shipments()
    assert shipment.received_at.astimezone(UTC) == datetime(2026, 11, 1, 6, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2026-03-02", date(2026, 3, 2)),
        ("2026-3-2", date(2026, 3, 2)),
        ("2-Mar-2026", date(2026, 3, 2)),
        ("02 mar 2026", date(2026, 3, 2)),
        (" 29-Feb-2028 ", date(2028, 2, 29)),
    ],
)
def test_a_day_as_typed(typed: str, day: date) -> None:
    assert read_day(typed, "day") == day


@pytest.mark.parametrize(
    "typed", ["02/03/2026", "2.3.2026", "20260302", "2026-03", "29-Feb-2026", "0-Mar-2026", "NaN", "1e9", "today", ""]
)
def test_what_is_no_day(typed: str) -> None:
    with pytest.raises(Refused) as refused:
        read_day(typed, "day")
    assert [fault.field for fault in refused.value.faults] == ["day"]


@pytest.mark.parametrize(
    "typed", ["2026-03-02 24:00", "2026-03-02 12:60", "2026-03-02 1200", "12:00", "2026-03-02 noon", "02/03/2026 12:00"]
)
def test_what_is_no_moment(typed: str) -> None:
    with pytest.raises(Refused):
        read_moment(typed, "at", CHICAGO)


def test_an_act_is_not_done_in_the_future(pharmacy: Pharmacy) -> None:
    """A year off by one is caught as well as a minute."""
    for typed in ("2027-03-02 08:00", "2026-03-02 08:01"):
        with pytest.raises(Refused, match="is in the future"):
            pharmacy.receive("S-1", received_at=typed)
    pharmacy.receive("S-1", received_at="2026-03-02 08:00")
