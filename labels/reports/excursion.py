"""The report of a storage deviation to the supporter, with the columns of REGULATION 6.6 and the drawn curve.

The curve is drawn as vectors. What lies outside the limits is told by more than its colour: it is hatched, drawn
thicker and numbered, and every number stands in the table beneath with its words.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.frame import GREY, SMALL_PT, Column, Frame
from labels.text import amount, day, moment, reprint_words
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.temperatures import (
    MKT_NOTICE,
    Span,
    fahrenheit_of_celsius,
    plot_of,
    say_celsius,
    say_span,
)
from pharmacy_app.services.papers import ExcursionReport, ExcursionVial

_EXCURSION = (
    ("Deviation no.", 41),
    ("Place/unit", 47),
    ("Logger, calibration due", 50),
    ("Start", 49),
    ("End", 49),
    ("Duration", 33),
    ("Min", 29),
    ("Max", 29),
    ("MKT 24 h", 29),
    ("Kits/lots/qty", 50),
    ("Quarantined by/at", 50),
    ("Supporter told by/at/how", 51),
    ("Data sent", 41),
    ("Decision per kit", 42),
    ("Decision by, ref, date", 50),
    ("Cause", 38),
    ("Action", 38),
    ("Released/returned/destroyed by/at", 51),
)
EXCURSION_COLUMNS = tuple(heading for heading, _ in _EXCURSION)

_PLOT_HIGH = 150.0
_LEFT, _RIGHT = 40.0, 96.0


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
    if report.trace:
        frame.section("Temperature", with_next=_PLOT_HIGH + 30)
        _plot(frame, report)
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
    return [Column(heading, share * scale) for heading, share in shares]


def _row(report: ExcursionReport) -> tuple[str, ...]:
    warmest = max((span.mkt_celsius for span in report.spans if span.mkt_celsius is not None), default=None)
    due = f"due {day(report.calibration_due)}" if report.calibration_due else "calibration N/A"
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
    mono = {"Unit no.", "Kit no.", "Lot"}
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
    scale = frame.room / sum(share for _, share in shares)
    return [Column(name, share * scale, font=text.MONO if name in mono else text.PLAIN) for name, share in shares]


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


# --- the curve --------------------------------------------------------------------------------------------------


def _plot(frame: Frame, report: ExcursionReport) -> None:
    """The curve over time with both limits; spans outside are hatched, thick and numbered."""
    scale = plot_of(report.trace, report.spans, report.limits)
    top, left = frame.y + 10, frame.margin + _LEFT
    width = frame.room - _LEFT - _RIGHT
    bottom = top + _PLOT_HIGH
    up = frame.stock.height_pt
    canvas = frame.canvas

    def x(at: datetime) -> float:
        return left + scale.across(at) * width

    def y(celsius: Decimal) -> float:
        return bottom - float(scale.above(celsius)) * _PLOT_HIGH

    canvas.saveState()
    for number, span in enumerate(report.spans, start=1):
        _hatch(frame, x(span.start), max(x(span.end), x(span.start) + 2), top, bottom)
        middle = (x(span.start) + x(span.end)) / 2
        frame.write(str(number), middle, top - 2, font=text.BOLD, size=SMALL_PT, align="centre")
    canvas.setStrokeGray(GREY)
    canvas.setLineWidth(0.5)
    canvas.rect(left, up - bottom, width, _PLOT_HIGH)
    for celsius in scale.ticks:
        frame.write(f"{amount(celsius)} °C", left - 4, y(celsius) + 3, size=SMALL_PT, align="right")
        canvas.line(left - 2, up - y(celsius), left, up - y(celsius))
    canvas.setDash(5, 3)
    canvas.setStrokeGray(0)
    canvas.setLineWidth(0.9)
    for celsius, words in ((report.limits.high_celsius, "upper limit"), (report.limits.low_celsius, "lower limit")):
        canvas.line(left, up - y(celsius), left + width, up - y(celsius))
        frame.write(f"{words} {amount(celsius)} °C", left + width + 5, y(celsius) + 3, size=SMALL_PT)
    canvas.setDash()
    for piece in scale.pieces:
        canvas.setLineWidth(1.8 if piece.outside else 0.8)
        points = [(x(reading.at), up - y(reading.celsius)) for reading in piece.readings]
        path = canvas.beginPath()
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
        canvas.drawPath(path)
        if len(points) == 1:
            canvas.circle(*points[0], 1.4, stroke=0, fill=1)
    canvas.restoreState()
    first, last = scale.start, scale.end
    frame.write(_short(first), left, bottom + 10, size=SMALL_PT)
    frame.write(_short(last), left + width, bottom + 10, size=SMALL_PT, align="right")
    frame.y = bottom + 14
    frame.paragraph("Numbered and hatched: the spans of the table below. Dashed: the limits.", size=SMALL_PT)


def _short(at: datetime) -> str:
    return f"{say_day(at)} {at:%H:%M}"


def _hatch(frame: Frame, left: float, right: float, top: float, bottom: float) -> None:
    """Slanting lines over a stretch of time, clipped to it."""
    canvas, up = frame.canvas, frame.stock.height_pt
    canvas.saveState()
    clip = canvas.beginPath()
    clip.rect(left, up - bottom, right - left, bottom - top)
    canvas.clipPath(clip, stroke=0, fill=0)
    canvas.setStrokeGray(0.72)
    canvas.setLineWidth(0.6)
    high = bottom - top
    at = left - high
    while at < right:
        canvas.line(at, up - bottom, at + high, up - top)
        at += 6
    canvas.restoreState()


def _one_line(words: str) -> str:
    return " ".join(words.split())
