"""The report of a storage deviation to the supporter, with the columns of REGULATION 6.6 and the drawn curve."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.charts import height_of, put_picture
from labels.reports.frame import SMALL_PT, Column, Frame
from labels.text import amount, day, moment, reprint_words
from pharmacy_app.domain.temperatures import (
    MKT_NOTICE,
    Span,
    fahrenheit_of_celsius,
    say_celsius,
    say_span,
)
from pharmacy_app.services.papers import ExcursionReport, ExcursionVial

_EXCURSION = (
    ("Deviation no.", 40),
    ("Place/unit", 48),
    ("Logger, calibration due", 51),
    ("Start", 50),
    ("End", 50),
    ("Duration", 36),
    ("Min", 29),
    ("Max", 29),
    ("MKT 24 h", 29),
    ("Kits/lots/qty", 50),
    ("Quarantined by/at", 50),
    ("Supporter told by/at/how", 51),
    ("Data sent", 39),
    ("Decision per kit", 40),
    ("Decision by, ref, date", 50),
    ("Cause", 46),
    ("Action", 46),
    ("Released/returned/destroyed by/at", 51),
)
_MONO = ("Unit no.", "Kit no.", "Lot")
_NOT_DECIDED = "the supporter has not decided yet"
_NOT_TOLD = "the supporter was not told yet"
_NOT_RECORDED = "no reading was recorded"
_ABSENT = {
    "Min": _NOT_RECORDED,
    "Max": _NOT_RECORDED,
    "MKT 24 h": "not worked out without a logger's file, below 0 °C or over a gap",
    "Kits/lots/qty": "no vial lay there",
    "Quarantined by/at": "no vial was put into quarantine",
    "Supporter told by/at/how": _NOT_TOLD,
    "Data sent": _NOT_TOLD,
    "Decision per kit": "no unopened vial lay there",
    "Decision by, ref, date": _NOT_DECIDED,
    "By, ref, date": _NOT_DECIDED,
    "Decision": _NOT_DECIDED,
    "Cause": "not written down yet",
    "Action": "not written down yet",
    "Released/returned/destroyed by/at": "nothing became of them yet",
    "Released/returned/destroyed": "nothing became of it yet",
    "Remark": "nothing to remark",
    "Kit no.": "it came without one",
    "Dose": "it was in no dose at that time",
}
EXCURSION_COLUMNS = tuple(heading for heading, _ in _EXCURSION)


def excursion_report(report: ExcursionReport, stock: Stock = LETTER) -> bytes:
    """Draw the report of one storage deviation, landscape."""
    marker = " · ".join(part for part in (reprint_words(report.copy_number), report.deviation_id) if part)
    frame = Frame(stock.turned(), report.stamp, "Storage deviation report", marker, margin=18)
    frame.begin_page()
    frame.pairs(
        [
            ("Deviation no.", report.deviation_id),
            ("Product", report.product),
            ("Site", f"{report.stamp.site_number} {report.stamp.site_name}, {report.pharmacy_phone}"),
            ("Investigator", report.investigator),
            ("Storage requirement (Protocol § 8.2)", _limits(report)),
            ("Discovered by/at", f"{report.discovered_by}, {moment(report.discovered_at)}"),
            ("Temperatures from", _source(report)),
            ("State of this record", report.status),
        ],
        columns=4,
    )
    frame.y += 4
    frame.table(_columns(frame, _EXCURSION), [_row(report)], pad=1.6, size=SMALL_PT)
    if report.picture is not None:
        frame.section("Temperature", with_next=height_of(report.picture, frame.room))
        put_picture(frame, report.picture)
    frame.section("Spans outside the limits and without data", with_next=60)
    frame.paragraph(MKT_NOTICE, font=text.SEMI)
    frame.y += 3
    frame.table(_span_columns(frame), [_span_row(n, span, report) for n, span in enumerate(report.spans, start=1)])
    frame.section("Done at once")
    frame.paragraph(_one_line(report.done))
    frame.section("Vials that lay there")
    if report.vials:
        frame.table(_vial_columns(frame), [_vial_row(vial) for vial in report.vials])
        used = [vial for vial in report.vials if vial.used]
        if used:
            frame.y += 3
            frame.paragraph(f"Exposed and used before it was known: {_used(used)}.", font=text.SEMI)
    else:
        frame.paragraph("No vial lay there at the time.")
    frame.signatures(report.signatures, "Not closed yet: nobody has signed.")
    frame.sign_by_hand(("Pharmacist", "Supporter"))
    return frame.finish()


def _limits(report: ExcursionReport) -> str:
    limits = report.limits
    low, high = limits.low_celsius, limits.high_celsius
    celsius = f"{amount(low)} °C to {amount(high)} °C"
    return f"{celsius} ({_fahrenheit(low)} °F to {_fahrenheit(high)} °F)"


def _fahrenheit(celsius: Decimal) -> str:
    # Whole degrees, as the protocol gives them beside the exact ones.
    return text.reading(fahrenheit_of_celsius(celsius), 0)


def _source(report: ExcursionReport) -> str:
    if not report.document_id:
        return report.source
    return f"{report.source} {report.document_id}, SHA-256 {report.file_sha256[:16]}"


def _columns(frame: Frame, shares: Sequence[tuple[str, int]]) -> list[Column]:
    scale = frame.room / sum(share for _, share in shares)
    return [
        Column(
            heading,
            share * scale,
            font=text.MONO if heading in _MONO else text.PLAIN,
            absent=_ABSENT.get(heading, "none on record"),
        )
        for heading, share in shares
    ]


def _row(report: ExcursionReport) -> tuple[str, ...]:
    warmest = max((span.mkt_celsius for span in report.spans if span.mkt_celsius is not None), default=None)
    due = f"due {day(report.calibration_due)}" if report.calibration_due else "calibration not recorded"
    told = "; ".join(f"{t.name} by {t.recorder}, {moment(t.told_at)}, {t.how}" for t in report.told)
    return (
        report.deviation_id,
        report.place,
        f"{report.logger_serial}, {due}",
        moment(min(span.start for span in report.spans)),
        moment(max(span.end for span in report.spans)),
        say_span(sum((span.duration for span in report.spans), timedelta(0))),
        _celsius(report.min_celsius, report),
        _celsius(report.max_celsius, report),
        _celsius(warmest, report),
        report.kits,
        report.quarantined,
        told,
        "; ".join(_one_line(t.data_sent) for t in report.told),
        report.decisions,
        report.decided,
        _one_line(report.cause),
        _one_line(report.action),
        report.outcomes,
    )


def _celsius(celsius: Decimal | None, report: ExcursionReport) -> str:
    return "" if celsius is None else say_celsius(celsius, report.limits)


def _span_columns(frame: Frame) -> list[Column]:
    shares = (("No.", 24), ("What", 92), ("Start", 104), ("End", 104), ("Duration", 78), ("Min", 56), ("Max", 56))
    return _columns(frame, (*shares, ("MKT 24 h", 62), ("Remark", 180)))


def _span_row(number: int, span: Span, report: ExcursionReport) -> tuple[str, ...]:
    remarks = []
    if span.freeze_risk:
        remarks.append("freeze risk; the mean kinetic temperature is not applied")
    if not span.ended:
        remarks.append("not back inside when the record ends")
    return (
        str(number),
        span.kind.value,
        moment(span.start),
        moment(span.end),
        say_span(span.duration),
        _celsius(span.min_celsius, report),
        _celsius(span.max_celsius, report),
        _celsius(span.mkt_celsius, report),
        "; ".join(remarks),
    )


def _vial_columns(frame: Frame) -> list[Column]:
    shares = (
        *(("Unit no.", 62), ("Kit no.", 62), ("Strength", 42), ("Lot", 52), ("Expiry", 60), ("State then", 58)),
        *(
            ("Dose", 62),
            ("State now", 66),
            ("Decision", 66),
            ("By, ref, date", 110),
            ("Released/returned/destroyed", 116),
        ),
    )
    return _columns(frame, shares)


def _vial_row(vial: ExcursionVial) -> tuple[str, ...]:
    return (
        vial.unit_number,
        vial.kit_number,
        f"{amount(vial.strength_mg)} mg",
        vial.lot,
        day(vial.expires_on),
        vial.state_then,
        vial.dose,
        vial.state_now,
        vial.decision,
        vial.decided,
        vial.outcome,
    )


def _used(vials: Sequence[ExcursionVial]) -> str:
    return "; ".join(f"{vial.unit_number} ({vial.dose})" if vial.dose else vial.unit_number for vial in vials)


def _one_line(words: str) -> str:
    return " ".join(words.split())
