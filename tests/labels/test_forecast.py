"""The printed supply forecast: whole, readable, nothing on top of anything else, from empty to many doses."""

from dataclasses import replace
from datetime import date, timedelta

import pypdfium2
import pytest

from labels.papers import PdfPapers
from labels.proof import page_count
from pharmacy_app.domain.forecast import Forecast, LeadTime, NewSubjects, forecast
from pharmacy_app.services.papers import ForecastPaper
from tests.domain.dose_cases import PROTOCOL, SETTINGS, D
from tests.domain.test_forecast import FOUR, MONDAY, SUBJECT, vials
from tests.labels.samples import STAMP, collisions


def made(count: int, *, stock: int = 7, new: NewSubjects | None = None) -> Forecast:
    subjects = [replace(SUBJECT, subject_number=f"017-{number:03d}") for number in range(1, count + 1)]
    shelf = [*vials(stock), *vials(2, FOUR, "B1", MONDAY + timedelta(days=20))]
    return forecast(subjects, shelf, SETTINGS, lambda _on: PROTOCOL, MONDAY, LeadTime(14, "Supply plan 1.0, p. 3"), new)


def words_of(pdf: bytes) -> str:
    """All text of a paper, lines joined."""
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in document).split())


def paper(found: Forecast, not_counted: str = "") -> bytes:
    return PdfPapers().supply_forecast(ForecastPaper(STAMP, "inotuzumab ozogamicin", found, not_counted))


@pytest.mark.parametrize(
    "found",
    [
        made(0),
        made(1),
        made(1, stock=0),
        made(12, new=NewSubjects(3, D("1.8"))),
    ],
    ids=["nobody", "one", "no stock", "many"],
)
def test_nothing_lies_on_anything_else(found: Forecast) -> None:
    pdf = paper(found)
    assert [collisions(pdf, page) for page in range(page_count(pdf))] == [[]] * page_count(pdf)


def test_it_says_what_to_do_by_when_and_shows_each_dose_with_its_working() -> None:
    text = words_of(paper(made(1), "Not counted as stock: 5 held."))
    # 15 vials are needed in twelve weeks, 7 of 1 mg are there, and the two of 4 mg expire on 22 March unused.
    assert "Order 8 vials of 1 mg" in text
    assert "14 days (Supply plan 1.0, p. 3)" in text
    assert "Not counted as stock: 5 held." in text
    assert "0.8 mg/m² × 1.823" in text
    assert "02-Mar-2026 – 08-Mar-2026" in text
    assert "will expire unused" in text


def test_the_assumption_is_stated() -> None:
    assert "2 in 30 days, each of 1.8 m²" in words_of(paper(made(0, new=NewSubjects(2, D("1.8")))))


def test_the_same_forecast_gives_the_same_bytes() -> None:
    assert paper(made(1)) == paper(made(1))


def test_what_is_not_known_is_printed() -> None:
    found = forecast([replace(SUBJECT, weight=None)], [], SETTINGS, lambda _on: PROTOCOL, date(2026, 3, 2))
    text = words_of(paper(found))
    assert "Not known: Subject 001: no weight is recorded" in text
    assert "Order lead time not set" in text
