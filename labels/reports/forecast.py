"""The supply forecast on paper: what to do and by when, the weeks with their bars, and the doses behind the numbers."""

from collections.abc import Sequence
from decimal import Decimal

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.charts import height_of, put_picture
from labels.reports.frame import GREY, SMALL_PT, Column, Frame
from labels.text import day, mg, reprint_words
from pharmacy_app.domain.forecast import MONTH_DAYS, WEEKS, Certainty, Forecast, Need, Week
from pharmacy_app.domain.units import show, show_m2
from pharmacy_app.services.papers import ForecastPaper

_HIGH = 74.0
_STOCK_HIGH = 96.0
_PARTS = (0.35, 0.65, 0.9)
"""How grey the parts of a bar are, from what is fixed to what is assumed; the legend names them."""


def supply_forecast(paper: ForecastPaper, stock: Stock = LETTER) -> bytes:
    """Draw the forecast of the next weeks."""
    made = paper.forecast
    frame = Frame(stock.turned(), paper.stamp, "Supply forecast", reprint_words(paper.copy_number), margin=36)
    frame.begin_page()
    lead, new = made.lead_time, made.new_subjects
    frame.pairs(
        [
            ("Product", paper.product),
            ("Weeks", f"{day(made.today)} to {day(made.until)}"),
            ("Usable today", ", ".join(f"{count} × {_strength(strength)}" for strength, count in made.stock)),
            ("Order lead time", "not set" if lead is None else f"{lead.days} days ({lead.source})"),
            (
                "New subjects assumed",
                "none" if new is None else f"{new.per_month} in {MONTH_DAYS} days, each of {show_m2(new.bsa_m2)}",
            ),
        ],
        columns=5,
    )
    frame.section("What to do")
    words = {"stop": "Stop: ", "warn": "Look: ", "info": "Note: ", "ok": "Enough: "}
    for sentence in made.sentences:
        frame.paragraph(words[sentence.kind] + sentence.words)
    for unknown in made.unknown:
        frame.paragraph(f"Not known: {unknown}")
    if paper.not_counted:
        frame.paragraph(paper.not_counted)
    for picture in paper.pictures:
        frame.section(picture.title, with_next=height_of(picture, frame.room, _STOCK_HIGH))
        put_picture(frame, picture, high=_STOCK_HIGH)
    frame.section(f"The next {WEEKS} weeks", with_next=_HIGH + 60)
    _bars(frame, made)
    _weeks(frame, made)
    frame.section("Doses behind the numbers")
    _doses(frame, made.whole.needs)
    frame.y += 6
    frame.paragraph(
        "Doses follow the treatment calendar, each taken as given on its expected day; amounts are those of the dose "
        "decision with the newest height and weight; vials are the planner's choice, the first expired first. "
        "Whether a dose may be given is judged when it is decided.",
        size=SMALL_PT,
    )
    return frame.finish()


def _strength(strength_mg: Decimal) -> str:
    return f"{show(strength_mg)} mg"


def _bars(frame: Frame, made: Forecast) -> None:
    """Bars of what each week needs and a stepped line of what is usable after it, one drawing a strength."""
    gap = 24.0
    across = (frame.room - gap) / 2
    top = frame.y + 8
    frame.need(_HIGH + 44)
    for number, strength in enumerate(made.strengths_mg):
        _bar_chart(frame, made.weeks, strength, frame.margin + number * (across + gap), top, across)
    frame.y = top + _HIGH + 36


def _bar_chart(frame: Frame, weeks: Sequence[Week], strength: Decimal, x: float, top: float, across: float) -> None:
    canvas, page = frame.canvas, frame.stock.height_pt
    frame.write(f"{_strength(strength)} vials", x, top + 8, font=text.SEMI, size=SMALL_PT)
    at = x + 70
    for sure, grey in zip(Certainty, _PARTS, strict=True):
        canvas.setFillGray(grey)
        canvas.setStrokeGray(0.3)
        canvas.rect(at, page - top - 8, 7, 7, fill=1)
        canvas.setFillGray(0)
        frame.write(sure.value, at + 10, top + 8, size=SMALL_PT, grey=GREY)
        at += 16 + text.width(sure.value, text.PLAIN, SMALL_PT)
    most = max(1, *(week.needs(strength) for week in weeks), *(week.after(strength) for week in weeks))
    floor = top + 16 + _HIGH
    step = across / len(weeks)
    canvas.setLineWidth(0.5)
    canvas.setStrokeGray(0.5)
    canvas.line(x, page - floor, x + across, page - floor)
    before: float | None = None
    for number, week in enumerate(weeks):
        left, base = x + number * step, floor
        for sure, grey in zip(Certainty, _PARTS, strict=True):
            high = (_HIGH - 4) * week.needs(strength, sure) / most
            if high:
                canvas.setFillGray(grey)
                canvas.setStrokeGray(0.3)
                canvas.rect(left + step * 0.25, page - base, step * 0.5, high, fill=1)
                base -= high
        canvas.setFillGray(0)
        canvas.setStrokeGray(0)
        canvas.setLineWidth(1)
        level = page - floor + (_HIGH - 4) * week.after(strength) / most
        if before is not None:
            canvas.line(left, before, left, level)
        canvas.line(left, level, left + step, level)
        before = level
        canvas.setLineWidth(0.5)
        frame.write(str(week.number), left + step / 2, floor + 10, size=SMALL_PT, align="centre", grey=GREY)


def _weeks(frame: Frame, made: Forecast) -> None:
    widths = [0.05, 0.18, 0.06]
    heads = ["Week", "From – until", "Doses"]
    for strength in made.strengths_mg:
        name = _strength(strength)
        heads += [f"{name} fixed", f"{name} if treatment goes on", f"{name} new", f"{name} usable after"]
        widths += [0.07, 0.09, 0.07, 0.08]
    heads.append("Cannot be made")
    widths.append(0.09)
    columns = [
        Column(head, frame.room * width, align="left" if at == 1 else "right")
        for at, (head, width) in enumerate(zip(heads, widths, strict=True))
    ]
    rows = []
    for week in made.weeks:
        cells = [str(week.number), f"{day(week.first)} – {day(week.last)}", str(week.doses)]
        for strength in made.strengths_mg:
            cells += [str(week.needs(strength, sure)) for sure in Certainty]
            cells.append(str(week.after(strength)))
        rows.append((*cells, str(week.short)))
    frame.table(columns, rows, size=SMALL_PT)


def _doses(frame: Frame, needs: Sequence[Need]) -> None:
    if not needs:
        frame.paragraph("No dose is expected.")
        return
    columns = [
        Column("Day", frame.room * 0.1),
        Column("Subject", frame.room * 0.12),
        Column("Dose", frame.room * 0.13),
        Column("Working", frame.room * 0.23),
        Column("Amount (mg)", frame.room * 0.08, align="right"),
        Column("How sure", frame.room * 0.12),
        Column("Vials", frame.room * 0.22),
    ]
    frame.table(columns, [_dose(need) for need in needs], size=SMALL_PT)


def _dose(need: Need) -> tuple[str, ...]:
    dose = need.dose
    made_of = [step for step in dose.steps if step.name == "planned dose, unrounded"]
    working = ""
    if made_of:
        parts = ((Decimal(each.value.replace(",", "")), each.unit) for each in made_of[0].inputs)
        working = " × ".join(f"{text.working(value)} {unit}" for value, unit in parts)
    elif dose.dose_id:
        working = f"as ordered, {dose.dose_id}"
    return (
        day(dose.on),
        dose.subject_number,
        dose.place,
        working or "not known",
        "not known" if dose.mg is None else mg(dose.mg),
        dose.certainty.value,
        _vials(need),
    )


def _vials(need: Need) -> str:
    if not need.known:
        return "not known"
    if need.dose.reserved:
        return "reserved already"
    lots: dict[tuple[Decimal, str], int] = {}
    for vial in need.vials:
        lots[vial.strength_mg, vial.lot] = lots.get((vial.strength_mg, vial.lot), 0) + 1
    parts = [f"{count} × {_strength(strength)} lot {lot}" for (strength, lot), count in lots.items()]
    parts += [f"{count} × {_strength(strength)} to be ordered" for strength, count in need.ordered]
    if need.missing_mg:
        parts.append(f"{mg(need.missing_mg)} mg missing")
    return ", ".join(parts)
