"""Pictures on paper: drawn as vectors, readable without colour, no word on another."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from labels.geometry import A4, LETTER, Stock
from labels.papers import PdfPapers
from labels.proof import page_count, page_texts
from labels.reports.charts import height_of, put_picture
from labels.reports.frame import Frame
from pharmacy_app.domain.temperatures import Limits, LoggerReading, examine
from pharmacy_app.services.charts import QueryAge, queries_by_age, temperatures
from pharmacy_app.services.papers import ForecastPaper
from pharmacy_app.services.pictures import (
    Bar,
    Bars,
    ClassAxis,
    Fill,
    Level,
    Line,
    Marks,
    Moment,
    Picture,
    Point,
    Shape,
    Stroke,
    TimeAxis,
    Tone,
    Zone,
    blank,
    day_at,
    value_axis,
)
from tests.labels.samples import STAMP, TEXAS_WINTER, collisions
from tests.labels.test_forecast import made

D = Decimal
FIRST = date(2026, 3, 2)


def stock_picture(days: int = 170) -> Picture:
    """A staircase down from 40 vials, with a forecast, receipts, last days and a dose that cannot be made."""
    steps = [
        Point(day_at(FIRST + timedelta(days=at)), D(40 - at * 40 // days), f"day {at}") for at in range(0, days + 1, 5)
    ]
    half = len(steps) // 2
    here, end = steps[half].at, day_at(FIRST + timedelta(days=days))
    return Picture(
        "Usable 1 mg vials",
        "20 vials of 1 mg are usable on 26-May-2026. 40 vials came in 1 receipt.",
        TimeAxis(day_at(FIRST), end, "Day at the site", whole_days=True),
        value_axis("vials", "", [D(0), D(40)], whole=True, from_zero=True),
        lines=(
            Line("Usable vials", tuple(steps[: half + 1]), stepped=True),
            Line(
                "By the forecast",
                tuple(steps[half:]),
                Stroke.DASHED,
                stepped=True,
            ),
        ),
        marks=(
            Marks("Receipt", (steps[0],), Shape.UP, Tone.SECOND),
            Marks("Last usable day of a lot", (steps[3],), Shape.DOWN, Tone.QUIET),
            Marks("Dose that cannot be made", (steps[-1],), Shape.CROSS, Tone.STOP),
        ),
        moments=(Moment(here, "today"),),
    )


def dose_picture(doses: int = 18) -> Picture:
    at = [D(number) for number in range(doses)]
    series = (("Planned", Shape.DIAMOND), ("Prescribed", Shape.DASH), ("Prepared", Shape.RING), ("Given", Shape.CIRCLE))
    return Picture(
        "Doses against their plan",
        f"Subject 001: {doses} doses ordered.",
        ClassAxis(tuple(f"C{number // 3 + 1} D{number % 3 * 7 + 1}" for number in range(doses)), "Cycle and day"),
        value_axis("", "mg", [D("1.606")], from_zero=True),
        bars=(Bars("Less than 10 % off", tuple(Bar(x, D("1.314"), D("1.606"), "") for x in at), Fill.PALE),),
        marks=tuple(Marks(name, tuple(Point(x, D("1.46"), name) for x in at), shape) for name, shape in series),
    )


def percent_picture() -> Picture:
    points = (Point(day_at(FIRST), D(0), "a"), Point(day_at(FIRST + timedelta(days=40)), D("-19.5"), "b"))
    return Picture(
        "Doses given",
        "Of all doses 2 are given.",
        TimeAxis(day_at(FIRST), day_at(FIRST + timedelta(days=40)), "Day given", whole_days=True),
        value_axis("", "%", [D(-20), D(10)]),
        marks=(Marks("From the prescribed dose", points, Shape.CIRCLE),),
        zones=(Zone(D(-10), D(10), "Less than 10 % off"),),
        levels=(Level(D(10), "+10 %"), Level(D(-10), "−10 %")),
    )


def curve(count: int, spans: int) -> Picture:
    """A day and more of readings, warm so many times, as close together as they can be."""
    start = datetime(2026, 11, 22, tzinfo=TEXAS_WINTER)
    readings = [
        LoggerReading(start + at * timedelta(minutes=15), D("9.5") if at % 4 == 1 and at < spans * 4 else D(5))
        for at in range(count)
    ]
    limits = Limits(D(2), D(8))
    return temperatures(readings, examine(readings, limits, timedelta(minutes=15)).spans, limits)


PICTURES = {
    "stock": stock_picture(),
    "few days of stock": stock_picture(20),
    "doses": dose_picture(),
    "one dose": dose_picture(1),
    "all doses": percent_picture(),
    "queries": queries_by_age([QueryAge(at, at % 3 == 0) for at in range(40)], 7),
    "curve": curve(110, 2),
    "many spans": curve(400, 90),
    "one reading": curve(1, 0),
    "nothing": blank("Stock", "No 1 mg vial was ever received."),
}


def printed(*pictures: Picture, stock: Stock = LETTER) -> tuple[bytes, Frame]:
    frame = Frame(stock, STAMP, "Pictures")
    frame.begin_page()
    for picture in pictures:
        frame.section(picture.title, with_next=height_of(picture, frame.room))
        put_picture(frame, picture)
    return frame.finish(), frame


def objects(pdf: bytes) -> list[int]:
    """The kinds of everything drawn on the first page, also inside of forms."""
    document = pypdfium2.PdfDocument(pdf)
    found = [each.type for each in document[0].get_objects(max_depth=5)]
    document.close()
    return found


@pytest.mark.parametrize("stock", [LETTER, A4, LETTER.turned()], ids=["letter", "a4", "landscape"])
@pytest.mark.parametrize("name", PICTURES)
def test_no_word_lies_on_another_and_it_ends_where_it_said(name: str, stock: Stock) -> None:
    picture = PICTURES[name]
    pdf, frame = printed(picture, stock=stock)
    assert collisions(pdf, 0) == []
    assert page_count(pdf) == 1
    fresh = Frame(stock, STAMP, "Pictures")
    fresh.begin_page()
    before = fresh.y
    put_picture(fresh, picture)
    assert fresh.y - before <= height_of(picture, fresh.room) + 0.01
    assert frame.y <= frame.floor


@pytest.mark.parametrize("name", PICTURES)
def test_it_is_drawn_as_vectors(name: str) -> None:
    found = objects(printed(PICTURES[name])[0])
    assert pdfium.FPDF_PAGEOBJ_IMAGE not in found
    empty = objects(printed()[0]).count(pdfium.FPDF_PAGEOBJ_PATH)
    paths = found.count(pdfium.FPDF_PAGEOBJ_PATH) - empty
    # The heading's rule is one.
    assert paths == 1 if name == "nothing" else paths > 10


def test_key_axes_and_summary_stand_in_words() -> None:
    words = page_texts(printed(stock_picture())[0])[0]
    for part in (
        "Usable vials By the forecast Receipt Last usable day of a lot Dose that cannot be made",
        "today",
        "Day at the site",
        "Apr-2026 May-2026",
        "vials",
        "20 vials of 1 mg are usable on 26-May-2026. 40 vials came in 1 receipt.",
    ):
        assert part in words, part


def test_each_series_is_known_without_colour() -> None:
    """Two parts of one picture never have both stroke, shape or filling in common."""
    for picture in PICTURES.values():
        drawn: list[Any] = [line.stroke for line in picture.lines]
        drawn += [marks.shape for marks in picture.marks] + [bars.fill for bars in picture.bars]
        assert len(set(drawn)) == len(drawn)


def test_a_picture_that_does_not_fit_goes_whole_to_the_next_page() -> None:
    pdf, _ = printed(*[stock_picture()] * 4)
    texts = page_texts(pdf)
    assert len(texts) == 2
    assert [text.count("Day at the site") for text in texts] == [3, 1]
    assert [text.count("came in 1 receipt") for text in texts] == [3, 1]


def test_without_a_heading_too_it_is_not_cut_in_two() -> None:
    frame = Frame(LETTER, STAMP, "Pictures")
    frame.begin_page()
    for _ in range(4):
        put_picture(frame, stock_picture())
    texts = page_texts(frame.finish())
    assert [text.count("came in 1 receipt") for text in texts] == [3, 1]


def test_a_label_above_that_has_no_room_is_left_out() -> None:
    near = stock_picture().moments[0].at
    assert isinstance(near, datetime)
    moments = tuple(Moment(near + timedelta(days=at), f"mark {at}") for at in (0, 2, 60))
    words = page_texts(printed(replace(stock_picture(), moments=moments))[0])[0]
    assert "mark 0 mark 60" in words
    assert "mark 2" not in words


def test_where_there_is_nothing_the_sentence_stands_alone() -> None:
    words = page_texts(printed(PICTURES["nothing"])[0])[0]
    assert "No 1 mg vial was ever received." in words
    assert "Day at the site" not in words


def test_the_same_picture_is_the_same_bytes() -> None:
    assert printed(stock_picture())[0] == printed(stock_picture())[0]


def test_the_forecast_shows_the_stock_of_each_strength() -> None:
    four = replace(stock_picture(), title="Usable 4 mg vials", summary="None of 4 mg.")
    paper = ForecastPaper(STAMP, "inotuzumab ozogamicin", made(1), "", (stock_picture(), four))
    pdf = PdfPapers().supply_forecast(paper)
    words = " ".join(page_texts(pdf))
    assert words.index("Usable 1 mg vials") < words.index("Usable 4 mg vials") < words.index("The next 12 weeks")
    assert [collisions(pdf, page) for page in range(page_count(pdf))] == [[]] * page_count(pdf)
