"""The pictures, from small studies that are counted by hand.

Riverside Hospital, Chicago, Monday 2 March 2026. The usual dose is 1.46 mg and takes two 1 mg vials (pharmacy.py).
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pharmacy_app.domain.forecast import Forecast
from pharmacy_app.domain.temperatures import Limits, LoggerReading, examine
from pharmacy_app.domain.units import show
from pharmacy_app.services.charts import (
    QueryAge,
    doses_against_plan,
    queries_by_age,
    stock_over_time,
    temperatures,
)
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.expiry import ExpiryForm, extend_expiry
from pharmacy_app.services.forecast import ForecastForm, site_forecast
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.pictures import Line, Picture, Shape, Stroke, TimeAxis, day_at, runs
from pharmacy_app.services.stock import QuarantineForm, quarantine, release_shipment
from tests.domain.test_forecast import MONDAY, SUBJECT, looked, vials
from tests.services.pharmacy import CHICAGO, Pharmacy

ONE, FOUR = Decimal(1), Decimal(4)
TEN_PERCENT = Decimal(10)


def stock(pharmacy: Pharmacy, strength: Decimal = ONE, forecast: Forecast | None = None) -> Picture:
    """The picture as of the clock's day."""
    with pharmacy.desk.store.read() as reader:
        today = pharmacy.clock().astimezone(CHICAGO).date()
        return stock_over_time(reader, strength, today, CHICAGO, forecast)


def days(points: Iterable[Any]) -> list[tuple[str, int | None]]:
    """Day and level of each point."""
    return [(f"{point.at:%m-%d}", None if point.value is None else int(point.value)) for point in points]


def marks(picture: Picture, shape: Shape) -> list[tuple[str, str]]:
    """Day and words of the marks of one shape."""
    return [
        (f"{point.at:%m-%d}", point.words)
        for each in picture.marks
        if each.shape is shape
        for point in each.points
        if isinstance(point.at, datetime)
    ]


def next_day(pharmacy: Pharmacy, count: int = 1) -> None:
    pharmacy.clock.forward(hours=24 * count)


# --- stock over time -------------------------------------------------------------------------------------------


def test_a_study_without_a_vial_says_so_in_a_sentence(pharmacy: Pharmacy) -> None:
    picture = stock(pharmacy)
    assert picture.empty
    assert picture.summary == "No 1 mg vial was ever received."
    assert picture.stops() == ()


def test_ten_come_are_released_the_next_day_and_two_are_used(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    next_day(pharmacy)
    pharmacy.label_vials(units)
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    next_day(pharmacy)
    pharmacy.enroll()
    pharmacy.dose("given")
    next_day(pharmacy)
    picture = stock(pharmacy)
    (line,) = picture.lines
    assert line.stepped
    assert days(line.points) == [("03-02", 0), ("03-03", 10), ("03-04", 8), ("03-05", 8)]
    assert [point.words for point in line.points] == [
        "02-Mar-2026: 0 vials usable (10 received).",
        "03-Mar-2026: 10 vials usable (10 released).",
        "04-Mar-2026: 8 vials usable (2 reserved for doses).",
        "05-Mar-2026: 8 vials usable.",
    ]
    assert marks(picture, Shape.UP) == [("03-02", "02-Mar-2026: receipt of 10 vials, lot A1.")]
    assert picture.summary == "8 vials of 1 mg are usable on 05-Mar-2026. 10 vials came in 1 receipt."
    assert stock(pharmacy, FOUR).summary == "No 4 mg vial was ever received."


def test_a_late_entry_counts_from_the_day_on_which_it_was_done(pharmacy: Pharmacy) -> None:
    unit = pharmacy.stock_up()[0]
    next_day(pharmacy, 2)
    form = QuarantineForm((unit,), "the carton was wet", "2026-03-03 12:00", "the log was read today")
    quarantine(pharmacy.desk, pharmacy.act("tim"), form)
    (line,) = stock(pharmacy).lines
    assert days(line.points) == [("03-02", 10), ("03-03", 9), ("03-04", 9)]
    assert line.points[1].words == "03-Mar-2026: 9 vials usable (1 quarantined)."


def test_a_receipt_that_never_was_leaves_no_mark(pharmacy: Pharmacy) -> None:
    """It was recorded at 22:30 in Chicago, which is the next day in UTC: the correction counts on the same evening."""
    pharmacy.stock_up()
    pharmacy.clock.now = datetime(2026, 3, 4, 4, 30, tzinfo=UTC)
    ghosts = pharmacy.receive("S-2", (LotTyped("1", "B7", "2027-03-31", "3"),))
    receipt = pharmacy.events("shipment_received")[-1]
    next_day(pharmacy)
    form = CorrectForm(receipt.seq, "counted twice", (("labels.0.never_came", " ".join(ghosts)),))
    correct(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))
    picture = stock(pharmacy)
    assert days(picture.lines[0].points) == [("03-02", 10), ("03-04", 10)]
    assert picture.lines[0].points[-1].words == "04-Mar-2026: 10 vials usable."
    assert [day for day, _ in marks(picture, Shape.UP)] == ["03-02"]
    assert "10 vials came in 1 receipt." in picture.summary


def test_an_expiry_today_counts_through_today(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up(lots=(LotTyped("1", "A1", "2026-03-02", "10"),))
    picture = stock(pharmacy)
    assert days(picture.lines[0].points) == [("03-02", 10)]
    assert marks(picture, Shape.DOWN) == [("03-02", "02-Mar-2026: last usable day of lot A1, 10 vials left.")]
    next_day(pharmacy)
    picture = stock(pharmacy)
    assert days(picture.lines[0].points) == [("03-02", 10), ("03-03", 0)]
    assert picture.lines[0].points[1].words == "03-Mar-2026: 0 vials usable (10 vials of lot A1 expired)."
    assert picture.summary.startswith("No 1 mg vial is usable on 03-Mar-2026.")


def test_an_extended_lot_was_not_usable_until_it_was_extended(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up(lots=(LotTyped("1", "A1", "2026-03-03", "10"),))
    next_day(pharmacy, 3)
    form = ExpiryForm("1", "A1", "2026-03-31", pharmacy.permission())
    extend_expiry(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))
    next_day(pharmacy)
    (line,) = stock(pharmacy).lines
    assert days(line.points) == [("03-02", 10), ("03-04", 0), ("03-05", 10), ("03-06", 10)]


def test_a_day_is_the_sites_own(pharmacy: Pharmacy) -> None:
    """22:30 on Monday in Chicago is Tuesday in UTC."""
    pharmacy.clock.now = datetime(2026, 3, 3, 4, 30, tzinfo=UTC)
    pharmacy.stock_up()
    picture = stock(pharmacy)
    assert days(picture.lines[0].points) == [("03-02", 10)]
    assert marks(picture, Shape.UP)[0][0] == "03-02"


def test_the_last_level_is_what_the_forecast_begins_with(pharmacy: Pharmacy) -> None:
    """Held, quarantined, reserved and expired vials are no usable ones, in both."""
    pharmacy.stock_up("S-1", (LotTyped("1", "A1", "2027-03-31", "8"), LotTyped("4", "B1", "2026-03-04", "3")))
    pharmacy.receive("S-2", (LotTyped("1", "C1", "2027-03-31", "5"),))
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((pharmacy.vials(lot="A1")[7].unit_number,), "wet"))
    pharmacy.enroll()
    pharmacy.dose("planned")
    next_day(pharmacy, 3)
    with pharmacy.desk.store.read() as reader:
        found = site_forecast(pharmacy.desk, reader, ForecastForm())
    assert found.forecast.stock == ((ONE, 5), (FOUR, 0))
    for picture, (_, usable) in zip(found.pictures, found.forecast.stock, strict=True):
        assert picture.lines[0].points[-1].value == usable
        assert picture.lines[1].points[0].value == usable


def ahead(picture: Picture) -> Line:
    """The forecast's line."""
    (line,) = [line for line in picture.lines if line.stroke is Stroke.DASHED]
    return line


def test_the_forecast_goes_on_dashed_and_says_which_dose_cannot_be_made(pharmacy: Pharmacy) -> None:
    """10 vials; doses take 2, 2, 2, then 2 and 1 a cycle: that of 19 April finds one vial (test_forecast)."""
    pharmacy.stock_up()
    picture = stock(pharmacy, ONE, looked(SUBJECT, stock=vials(10)))
    assert days(ahead(picture).points) == [
        *(("03-02", 10), ("03-02", 8), ("03-09", 6), ("03-16", 4), ("03-29", 2), ("04-05", 1), ("04-19", 0)),
        *(("04-26", 0), ("05-10", 0), ("05-17", 0), ("05-24", 0)),
    ]
    crosses = marks(picture, Shape.CROSS)
    assert [day for day, _ in crosses] == ["04-19", "04-26", "05-10", "05-17"]
    # 1.09 mg less the 0.9 mg of the one vial.
    assert crosses[0][1] == "19-Apr-2026: subject 001, cycle 3 day 1 cannot be made, 0.19 mg are missing."
    assert picture.summary.endswith(
        "By the forecast no 1 mg vial is left on 24-May-2026. 4 doses that would take such vials cannot be made."
    )
    assert [(moment.at, moment.label) for moment in picture.moments] == [(day_at(MONDAY), "today")]


def test_the_line_is_what_each_week_says(pharmacy: Pharmacy) -> None:
    """The forecast's own table counts the vials in another way."""
    soon = LotTyped("4", "B1", "2026-03-22", "2")
    pharmacy.stock_up(lots=(LotTyped("1", "A1", "2027-06-30", "12"), soon))
    made = looked(SUBJECT, stock=[*vials(12), *vials(2, FOUR, "B1", date(2026, 3, 22))])
    for strength in (ONE, FOUR):
        points = ahead(stock(pharmacy, strength, made)).points
        for week in made.weeks:
            until = [point for point in points if isinstance(point.at, datetime) and point.at.date() <= week.last]
            assert until[-1].value == week.after(strength), week
    four = stock(pharmacy, FOUR, made)
    assert ("03-22", "22-Mar-2026: last usable day of lot B1; 2 vials are not used by then.") in marks(four, Shape.DOWN)


def test_where_a_dose_is_not_known_the_line_ends_and_does_not_fall(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    unweighed = type(SUBJECT)("002", (), SUBJECT.treatment, SUBJECT.height, None)
    picture = stock(pharmacy, ONE, looked(unweighed, stock=vials(10)))
    assert days(ahead(picture).points) == [("03-02", 10), ("03-02", 10)]
    assert picture.summary.endswith(
        "The forecast ends on 02-Mar-2026: how many vials subject 002, cycle 1 day 1 takes is not known."
    )


# --- temperatures ----------------------------------------------------------------------------------------------

LIMITS = Limits(Decimal(2), Decimal(8))
QUARTER = timedelta(minutes=15)


def reading(quarter: int, celsius: str) -> LoggerReading:
    return LoggerReading(datetime(2026, 11, 22, tzinfo=UTC) + quarter * QUARTER, Decimal(celsius))


def temperature_picture(*readings: LoggerReading) -> Picture:
    return temperatures(readings, examine(readings, LIMITS, QUARTER).spans, LIMITS)


def test_the_curve_is_cut_where_nothing_was_measured_and_thick_outside() -> None:
    # Warm at 00:15, nothing from 00:30 to 01:15, then frost at 01:30.
    picture = temperature_picture(
        *(reading(0, "5"), reading(1, "8.1"), reading(2, "5"), reading(5, "5"), reading(6, "1.9"), reading(7, "2"))
    )
    curve, outside = picture.lines
    assert [[f"{point.at:%H:%M}" for point in run] for run in runs(curve)] == [
        ["00:00", "00:15", "00:30"],
        ["01:15", "01:30", "01:45"],
    ]
    assert outside.stroke is Stroke.THICK
    assert [[str(point.value) for point in run] for run in runs(outside)] == [["5", "8.1", "5"], ["5", "1.9", "2"]]
    assert [band.label for band in picture.bands] == ["1", "2", "3"]
    assert picture.bands[1].words == "2: no data from 22-Nov-2026 00:30 to 22-Nov-2026 01:15, 45 min."
    assert curve.points[1].words == "22-Nov-2026 00:15: 8.1 °C, above the limits."
    assert "3: freeze risk from 22-Nov-2026 01:30 to 22-Nov-2026 01:45, 15 min" in picture.summary
    assert [level.label for level in picture.levels] == ["at most 8 °C", "at least 2 °C"]
    assert isinstance(picture.across, TimeAxis)
    assert picture.across.caption.endswith("UTC+00:00")


@pytest.mark.parametrize(("celsius", "said"), [("2", "inside"), ("8", "inside"), ("8.01", "above"), ("1.99", "below")])
def test_both_limits_belong_to_the_inside(celsius: str, said: str) -> None:
    picture = temperature_picture(reading(0, "5"), reading(1, celsius), reading(2, "5"))
    assert f"{said} the limits." in picture.lines[0].points[1].words
    assert len(picture.lines) == (1 if said == "inside" else 2)


def test_of_many_spans_the_first_few_are_said() -> None:
    warm = [reading(at, "9" if at % 2 else "5") for at in range(15)]
    said = temperature_picture(*warm).summary
    assert said.count("too warm") == 6
    assert said.endswith("1 more is numbered in the picture.")


def test_one_reading_is_a_mark_and_all_inside_is_said() -> None:
    picture = temperature_picture(reading(0, "5"))
    assert picture.summary == "Every temperature is inside the limits."
    assert [len(each.points) for each in picture.marks] == [1]


# --- doses against their plan ----------------------------------------------------------------------------------


def doses(pharmacy: Pharmacy, subject: str = "") -> Picture:
    with pharmacy.desk.store.read() as reader:
        return doses_against_plan(reader, TEN_PERCENT, subject)


def amounts(picture: Picture) -> dict[str, list[str]]:
    return {each.name: [show(point.value) for point in each.points if point.value] for each in picture.marks}


def test_a_subject_without_an_order_and_a_study_without_a_dose_say_so(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    assert doses(pharmacy, "001").summary == "No dose is ordered for subject 001 yet."
    assert doses(pharmacy).summary == "No dose is given yet."
    assert doses(pharmacy).empty


def test_a_dose_of_which_nothing_was_given_is_not_among_those_given(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    pharmacy.stock_up()
    pharmacy.give(pharmacy.dose("released"), "0", note="the line blocked")
    assert amounts(doses(pharmacy, "001")).keys() == {"Planned", "Prescribed", "Prepared"}
    assert "none is given yet" in doses(pharmacy, "001").summary
    assert doses(pharmacy).summary == "No dose is given yet."


def test_what_is_not_there_yet_has_no_mark(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    pharmacy.stock_up()
    pharmacy.dose("ordered")
    picture = doses(pharmacy, "001")
    assert amounts(picture) == {"Prescribed": ["1.46"]}
    (bar,) = picture.bars[0].bars
    # 10 % of 1.46 mg are 0.146 mg.
    assert (bar.low, bar.high) == (Decimal("1.314"), Decimal("1.606"))
    assert picture.summary == "Subject 001: 1 dose ordered; none is given yet."
    assert doses(pharmacy).empty


@pytest.mark.parametrize(("given", "off"), [("1.315", False), ("1.314", True), ("0.5", True)])
def test_ten_per_cent_is_off_and_less_is_not(pharmacy: Pharmacy, given: str, off: bool) -> None:
    """1.46 mg less exactly 10 % are 1.314 mg (§ 8.1.3: 10 % or more)."""
    pharmacy.enroll()
    pharmacy.stock_up()
    dose_id = pharmacy.dose("released")
    pharmacy.give(dose_id, given)
    picture = doses(pharmacy, "001")
    name = "Administered, 10 % or more off" if off else "Administered"
    assert amounts(picture) == {"Planned": ["1.46"], "Prescribed": ["1.46"], "Prepared": ["1.46"], name: [given]}
    assert picture.summary == (
        f"Subject 001: 1 dose ordered; 1 is given, {'1' if off else 'none'} of them 10 % or more off the prescribed"
        f" dose{f': cycle 1 day 1 ({dose_id})' if off else ''}."
    )
    whole = doses(pharmacy)
    assert [each.shape for each in whole.marks] == [Shape.DIAMOND, Shape.CROSS if off else Shape.CIRCLE]
    words = whole.marks[1].points[0].words
    assert words.startswith(f"Subject 001. Cycle 1 day 1, {dose_id}, given 02-Mar-2026: administered {given} mg, −")
    if given == "1.314":
        assert whole.marks[1].points[0].value == Decimal(-10)
        assert words.endswith("−10 % from the prescribed 1.46 mg.")


def test_a_cancelled_dose_is_left_out(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    pharmacy.cancel(pharmacy.dose("ordered"))
    assert doses(pharmacy, "001").empty


# --- queries by age --------------------------------------------------------------------------------------------


def test_queries_are_counted_by_age_and_the_seventh_day_is_not_overdue() -> None:
    ages = [(0, False), (7, False), (7, True), (8, False), (14, True), (15, False), (28, False), (29, True)]
    picture = queries_by_age([QueryAge(days, answered) for days, answered in ages], 7)
    waiting, answered = picture.bars
    assert [int(bar.high - bar.low) for bar in waiting.bars] == [2, 1, 2, 0]
    assert [int(bar.high - bar.low) for bar in answered.bars] == [1, 1, 0, 1]
    # They stand on one another.
    assert [bar.low for bar in answered.bars] == [bar.high for bar in waiting.bars]
    assert waiting.bars[1].words == "8–14 days: 1 not answered."
    assert answered.bars[3].words == "over 28 days: 1 answered, not closed."
    assert picture.summary == "8 queries not closed; 5 of them older than 7 days."
    assert waiting.fill is not answered.fill


def test_without_a_query_there_is_a_sentence() -> None:
    picture = queries_by_age([], 7)
    assert picture.empty
    assert picture.summary == "No query is open."
    assert queries_by_age([QueryAge(1, False)], 7).summary == "1 query not closed; none of them older than 7 days."
