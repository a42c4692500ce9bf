"""The report of a storage deviation: the columns of the regulation, the curve, what is said beside it."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from labels import proof
from labels.papers import PdfPapers
from labels.reports.excursion import EXCURSION_COLUMNS
from pharmacy_app.domain.temperatures import Limits, LoggerReading, SpanKind, examine
from pharmacy_app.services.charts import temperatures
from pharmacy_app.services.papers import ExcursionReport, ExcursionTold, ExcursionVial
from tests.labels.samples import SIGNED, STAMP, TEXAS_WINTER, collisions

# REGULATION 6.6, Excursion, typed from there.
COLUMNS = (
    "Deviation no. | Place/unit | Logger, calibration due | Start | End | Duration | Min | Max | MKT 24 h |"
    " Kits/lots/qty | Quarantined by/at | Supporter told by/at/how | Data sent | Decision per kit |"
    " Decision by, ref, date | Cause | Action | Released/returned/destroyed by/at"
)

LIMITS = Limits(Decimal(2), Decimal(8))
MIDNIGHT = datetime(2026, 11, 22, tzinfo=TEXAS_WINTER)
QUARTER = timedelta(minutes=15)


def at(quarter: int) -> datetime:
    return MIDNIGHT + quarter * QUARTER


def reading(quarter: int, celsius: str) -> LoggerReading:
    return LoggerReading(at(quarter), Decimal(celsius))


# Four hours: warm from 01:00 to 01:30, nothing from 02:00 to 02:45, frost at 03:00.
READINGS = (
    *(reading(quarter, "5.1") for quarter in range(4)),
    *(reading(4, "8.1"), reading(5, "11.4"), reading(6, "7.9"), reading(7, "5"), reading(8, "5")),
    *(reading(11, "5"), reading(12, "1.5"), reading(13, "4"), reading(14, "5")),
)
RECORD = examine(READINGS, LIMITS, QUARTER)
VIAL = ExcursionVial(
    *("V0001043", "KIT-88120", Decimal(1), "HX2201A", date(2027, 3, 31), "available", "quarantined", "", False),
    *("must not be used", "Dr. A. Ito, F0000132, 23-Nov-2026", ""),
)
USED = replace(
    VIAL,
    unit_number="V0001051",
    kit_number="",
    state_now="empty",
    dose="D0000427, subject 001, given 22-Nov-2026",
    used=True,
    decision="",
    decided="",
)
REPORT = ExcursionReport(
    stamp=STAMP,
    deviation_id="X000012T",
    copy_number=1,
    status="open; missing: decision",
    product="inotuzumab ozogamicin",
    investigator="Dr. Ines Vogel",
    pharmacy_phone="+1 555 0117",
    place="Refrigerator 1",
    source="logger file",
    logger_serial="TD-20931",
    calibration_due=date(2027, 5, 1),
    document_id="F0000124",
    file_sha256="561230d551e647ef23e61e9e66e3532bf3f8e883db56511598ff6355214415e2",
    limits=LIMITS,
    min_celsius=RECORD.min_celsius,
    max_celsius=RECORD.max_celsius,
    spans=RECORD.spans,
    picture=temperatures(READINGS, RECORD.spans, LIMITS),
    discovered_by="Tim Lindqvist",
    discovered_at=at(30),
    done="All vials moved to the quarantine shelf of Refrigerator 2 and marked.",
    kits="1 mg lot HX2201A: V0001043, V0001051; kits KIT-88120; qty 2",
    quarantined="Tim Lindqvist, 22-Nov-2026 08:00",
    told=(ExcursionTold("Dr. A. Ito", "e-mail", at(36), "this report, file F0000124", "Tim Lindqvist"),),
    decisions="1 must not be used",
    decided="Dr. A. Ito, F0000132, 23-Nov-2026",
    cause="Door ajar after the evening round.",
    action="Door alarm ordered.",
    outcomes="",
    vials=(VIAL, USED),
    signatures=SIGNED,
)


def words_of(report: ExcursionReport, sheet: str = "letter") -> str:
    """The words of all pages with single blanks."""
    pdf = PdfPapers(sheet=sheet).excursion_report(report)
    return re.sub(r"\s+", " ", " ".join(proof.page_texts(pdf)))


def letters_of(report: ExcursionReport) -> str:
    """The same without blanks: what wraps in a narrow column is whole again."""
    return re.sub(r"[\s￾]", "", "".join(proof.page_texts(PdfPapers().excursion_report(report))))


def test_the_columns_are_those_of_the_regulation() -> None:
    assert list(EXCURSION_COLUMNS) == [name.strip() for name in COLUMNS.split("|")]


@pytest.mark.parametrize("sheet", ["letter", "a4"])
@pytest.mark.parametrize("vials", [0, 2, 60])
def test_no_word_lies_on_another(sheet: str, vials: int) -> None:
    report = replace(REPORT, vials=(VIAL, USED)[:vials] + (VIAL,) * max(0, vials - 2))
    pdf = PdfPapers(sheet=sheet).excursion_report(report)
    assert [collisions(pdf, page) for page in range(proof.page_count(pdf))] == [[]] * proof.page_count(pdf)


def test_every_fact_stands_on_the_report() -> None:
    words, letters = words_of(REPORT), letters_of(REPORT)
    for part in (
        "2 °C to 8 °C (36 °F to 46 °F)",
        "above the limits 22-Nov-2026 01:00 −06:00 22-Nov-2026 01:30 −06:00 30 min 8.1 °C 11.4 °C",
        "no data 22-Nov-2026 02:00 −06:00 22-Nov-2026 02:45 −06:00 45 min N/A a N/A a N/A b",
        "below the limits 22-Nov-2026 03:00 −06:00 22-Nov-2026 03:15 −06:00 15 min 1.5 °C 1.5 °C N/A b freeze risk",
        "The mean kinetic temperature is information for the supporter. It releases nothing",
        "All vials moved to the quarantine shelf of Refrigerator 2 and marked.",
        "Exposed and used before it was known: V0001051 (D0000427, subject 001, given 22-Nov-2026).",
        "at most 8 °C",
        "at least 2 °C",
        "1: too warm from 22-Nov-2026 01:00 to 22-Nov-2026 01:30, 30 min, up to 11.4 °C.",
        "open; missing: decision",
    ):
        assert part in words
    for part in (
        "TD-20931,due01-May-2027",
        "F0000124,SHA-256561230d551e647ef",
        "Dr.A.ItobyTimLindqvist,22-Nov-202609:00−06:00,e-mail",
        "Dr.A.Ito,F0000132,23-Nov-2026",
        "1h30min",
    ):
        assert part in letters


def test_a_deviation_without_readings_prints_without_a_curve() -> None:
    gone = replace(
        REPORT,
        source="logger missing",
        logger_serial="N/A",
        calibration_due=None,
        document_id="",
        min_celsius=None,
        max_celsius=None,
        spans=tuple(span for span in RECORD.spans if span.kind is SpanKind.NO_DATA),
        picture=None,
        told=(),
        vials=(),
        signatures=(),
    )
    words = words_of(gone)
    assert "at most 8 °C" not in words
    assert "No vial lay there at the time." in words
    assert "Not closed yet: nobody has signed." in words
    assert "logger missing" in words


def test_a_second_copy_says_that_it_is_one() -> None:
    assert "REPRINT" in words_of(replace(REPORT, copy_number=2)).upper()
    assert "REPRINT" not in words_of(REPORT).upper()


def test_the_same_report_is_the_same_bytes() -> None:
    assert PdfPapers().excursion_report(REPORT) == PdfPapers().excursion_report(REPORT)


def test_one_reading_is_drawn_as_a_point() -> None:
    one = (reading(0, "9"),)
    spans = examine(one, LIMITS, QUARTER).spans
    words = words_of(replace(REPORT, picture=temperatures(one, spans, LIMITS), spans=spans))
    assert "1: too warm from 22-Nov-2026 00:00 to 22-Nov-2026 00:00, not ended" in words
