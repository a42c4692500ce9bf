"""The pictures of this pharmacy: stock over time, temperatures, doses against their plan, queries by age.

Each is made from what the record says, as known now, and described in plain values (``pictures``).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.dosing import DoseDecision
from pharmacy_app.domain.forecast import Forecast, Need
from pharmacy_app.domain.schedule import place_words
from pharmacy_app.domain.temperatures import (
    Limits,
    LoggerReading,
    Span,
    SpanKind,
    pieces_of,
    say_celsius,
    say_span,
)
from pharmacy_app.domain.units import percent_change, reaches, show, show_mg, show_percent
from pharmacy_app.domain.vials import in_date
from pharmacy_app.services import views
from pharmacy_app.services.pictures import (
    Band,
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
from pharmacy_app.services.ports import Reader

_ONE_DAY = timedelta(days=1)


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"


# --- stock over time ------------------------------------------------------------------------------------------

_DID = {
    "release": "released",
    "lift quarantine": "released from quarantine",
    "reserve": "reserved for doses",
    "unreserve": "back from doses",
    "quarantine": "quarantined",
    "break": "broken",
    "miss": "missing",
    "return": "returned",
    "transfer": "transferred",
}
"""What moved usable vials, in a word; other moves are said by more or less."""


@dataclass(slots=True)
class _Lot:
    """A lot while the days go by: how many of its vials are in usable stock, and from which day which expiry counts."""

    lot: str
    from_days: list[date]
    expires_on: list[date]
    vials: int = 0

    def expiry(self, day: date) -> date:
        """The last usable day that counted on a day: an extension counts from the day it was signed."""
        return self.expires_on[max(bisect_right(self.from_days, day) - 1, 0)]

    def usable(self, day: date) -> int:
        """The vials that could go into a dose on a day."""
        return self.vials if in_date(self.expiry(day), day) else 0


def stock_over_time(
    reader: Reader, strength_mg: Decimal, today: date, zone: tzinfo, forecast: Forecast | None = None
) -> Picture:
    """Usable vials of one strength at the end of each day of the site's calendar, and of the forecast after today.

    Usable is what the forecast counts: released, not reserved, in date. Late entries count from when it was done,
    corrected ones not at all. The forecast's line ends at the first dose whose vials are not known.
    """
    name = show_mg(strength_mg)
    changes = reader.usable_changes(strength_mg, zone)
    title = f"Usable {name} vials"
    ahead = [] if forecast is None else [need for need in forecast.whole.needs if need.count(strength_mg)]
    if not changes and not ahead:
        return blank(title, f"No {name} vial was ever received.")
    record, receipts, expiries, usable = _record(reader, strength_mg, today, zone, changes)
    lines = [Line("Usable vials", tuple(record), stepped=True)]
    short: tuple[Point, ...] = ()
    said = [f"{_level_words(usable, name)} usable on {say_day(today)}."]
    came = sum(change.received for change in changes)
    said.append(f"{_many(came, 'vial')} came in {_many(len(receipts), 'receipt')}.")
    until = today
    if forecast is not None:
        until = forecast.until
        points, ends, short, words = _ahead(forecast, strength_mg, usable)
        expiries += ends
        lines.append(Line("By the forecast", tuple(points), Stroke.DASHED, stepped=True))
        said.append(words)
    first = record[0].at
    assert isinstance(first, datetime)
    last = max(day_at(until), first + _ONE_DAY)
    values = [point.value for line in lines for point in line.points if point.value is not None]
    marks = (
        Marks("Receipt", tuple(receipts), Shape.UP, Tone.SECOND),
        Marks("Last usable day of a lot", tuple(expiries), Shape.DOWN, Tone.QUIET),
        Marks("Dose that cannot be made", short, Shape.CROSS, Tone.STOP),
    )
    return Picture(
        title,
        " ".join(part for part in said if part),
        TimeAxis(first, last, "Day at the site", whole_days=True),
        value_axis("vials", "", values, whole=True, from_zero=True, most=5),
        lines=tuple(lines),
        marks=tuple(each for each in marks if each.points),
        moments=() if until == today else (Moment(day_at(today), "today"),),
    )


def _record(
    reader: Reader, strength_mg: Decimal, today: date, zone: tzinfo, changes: Sequence[views.UsableChange]
) -> tuple[list[Point], list[Point], list[Point], int]:
    """The line, the receipts and the last usable days up to today, and how many vials are usable today."""
    by_day: dict[date, list[views.UsableChange]] = {}
    for change in changes:
        by_day.setdefault(change.on, []).append(change)
    lots = {lot.lot: lot for lot in _lots(reader, strength_mg, zone)}
    first = min(by_day, default=today)
    # A lot's level changes with its moves, on the day after its last usable one, and when it was extended.
    days = {first, today, *by_day}
    for lot in lots.values():
        days |= {on + _ONE_DAY for on in lot.expires_on} | {*lot.expires_on} | {*lot.from_days}
    line: list[Point] = []
    receipts: list[Point] = []
    expiries: list[Point] = []
    usable = 0
    for day in sorted(each for each in days if first <= each <= today):
        mine = by_day.get(day, [])
        for change in mine:
            if change.lot in lots:
                lots[change.lot].vials += change.usable
        gone = [
            f"{_many(lot.vials, 'vial')} of lot {lot.lot} expired"
            for lot in lots.values()
            if lot.vials and lot.expiry(day) == day - _ONE_DAY
        ]
        usable = sum(lot.usable(day) for lot in lots.values())
        why = "; ".join([*_moved(mine), *gone])
        words = f"{say_day(day)}: {_many(usable, 'vial')} usable{f' ({why})' if why else ''}."
        at, level = day_at(day), Decimal(usable)
        if why or day in (first, today) or line[-1].value != level:
            line.append(Point(at, level, words))
        for name in dict.fromkeys(change.lot for change in mine):
            came = sum(change.received for change in mine if change.lot == name)
            if came > 0:
                words = f"{say_day(day)}: receipt of {_many(came, 'vial')}, lot {name}."
                receipts.append(Point(at, level, words))
        expiries += [
            Point(at, level, f"{say_day(day)}: last usable day of lot {lot.lot}, {_many(lot.vials, 'vial')} left.")
            for lot in lots.values()
            if lot.vials and lot.expiry(day) == day
        ]
    return line, receipts, expiries, usable


def _lots(reader: Reader, strength_mg: Decimal, zone: tzinfo) -> Iterator[_Lot]:
    extensions: dict[str, list[tuple[date, date, date]]] = {}
    for each in reader.expiry_extensions():
        if each.strength_mg == strength_mg and each.undone_seq is None:
            signed_on = each.signed_at.astimezone(zone).date()
            extensions.setdefault(each.lot, []).append((signed_on, each.old_on, each.new_on))
    for strength, lot, expires_on in reader.lots():
        if strength == strength_mg:
            mine = sorted(extensions.get(lot, ()))
            # What counts now is the lot's own: a wrong date may have been corrected since.
            expiries = [*(old_on for _, old_on, _ in mine), expires_on]
            yield _Lot(lot, [date.min, *(signed_on for signed_on, _, _ in mine)], expiries)


def _moved(changes: Sequence[views.UsableChange]) -> Iterator[str]:
    """What happened on a day, each kind of move summed over the lots."""
    came = sum(change.received for change in changes)
    if came > 0:
        yield f"{came:,} received"
    moves: dict[str, int] = {}
    for change in changes:
        moves[change.move] = moves.get(change.move, 0) + change.usable
    other = sum(count for move, count in moves.items() if move not in _DID)
    for move, count in moves.items():
        if count and move in _DID:
            yield f"{abs(count):,} {_DID[move]}"
    if other:
        yield f"{abs(other):,} {'more' if other > 0 else 'less'} by corrections"


def _ahead(
    forecast: Forecast, strength_mg: Decimal, usable: int
) -> tuple[list[Point], list[Point], tuple[Point, ...], str]:
    """The forecast's line, last usable days ahead, the doses that cannot be made, and a sentence on it."""
    name, supply = show_mg(strength_mg), forecast.whole
    lost = [lot for lot in supply.expire_unused if lot.strength_mg == strength_mg]
    unsure = next((need for need in supply.needs if not need.known), None)
    needs = [need for need in supply.needs if need.known]
    days = {need.dose.on for need in needs if need.count(strength_mg)} | {lot.expires_on + _ONE_DAY for lot in lost}
    days |= {lot.expires_on for lot in lost} | {forecast.until}
    line = [Point(day_at(forecast.today), Decimal(usable), "")]
    ends: list[Point] = []
    short: list[Point] = []
    level = usable
    for day in sorted(day for day in days if day <= forecast.until):
        if unsure is not None and unsure.dose.on <= day:
            break
        gone = sum(
            vial.strength_mg == strength_mg for need in needs if need.dose.on <= day for vial in need.vials
        ) + sum(lot.vials for lot in lost if not in_date(lot.expires_on, day))
        level = usable - gone
        at = day_at(day)
        mine = [need for need in needs if need.dose.on == day and need.count(strength_mg)]
        why = "; ".join(_taken(need, strength_mg) for need in mine)
        words = f"{say_day(day)}, by the forecast: {_many(level, 'vial')} usable{f' ({why})' if why else ''}."
        line.append(Point(at, Decimal(level), words))
        ends += [
            Point(at, Decimal(level), f"{say_day(day)}: last usable day of lot {lot.lot}; {_unused(lot.vials)}.")
            for lot in lost
            if lot.expires_on == day
        ]
        short += [
            Point(
                at,
                Decimal(level),
                f"{say_day(day)}: {need.dose.whose} cannot be made, {show_mg(need.missing_mg)} are missing.",
            )
            for need in mine
            if need.missing_mg
        ]
    if unsure is not None:
        # Nobody knows what this dose takes: from here on the line would only look as if somebody did.
        line.append(Point(day_at(max(unsure.dose.on, forecast.today)), Decimal(level), ""))
        said = f"The forecast ends on {say_day(unsure.dose.on)}: how many vials {unsure.dose.whose} takes is not known."
    else:
        said = f"By the forecast {_level_words(level, name, begins=False)} left on {say_day(forecast.until)}."
    if short:
        said += f" {_many(len(short), 'dose')} that would take such vials cannot be made."
    return line, ends, tuple(short), said


def _level_words(count: int, name: str, *, begins: bool = True) -> str:
    if not count:
        return f"{'No' if begins else 'no'} {name} vial is"
    return f"{_many(count, 'vial')} of {name} {'is' if count == 1 else 'are'}"


def _taken(need: Need, strength_mg: Decimal) -> str:
    count = sum(vial.strength_mg == strength_mg for vial in need.vials)
    return f"{need.dose.whose} takes {count or 'none'}"


def _unused(vials: int) -> str:
    return f"{_many(vials, 'vial')} {'is' if vials == 1 else 'are'} not used by then"


# --- temperatures ---------------------------------------------------------------------------------------------

_SAID = 6
"""The most spans that are said one by one: a table beside the picture has them all."""

_WRONG = {SpanKind.ABOVE: "too warm", SpanKind.BELOW: "freeze risk", SpanKind.NO_DATA: "no data"}


def temperatures(readings: Sequence[LoggerReading], spans: Sequence[Span], limits: Limits) -> Picture:
    """A storage deviation's temperatures (°C) with both limits; spans outside and without data are numbered bands.

    ``readings`` are at least one. The clock is that of the first reading; a gap in the record is a gap in the line.
    """
    pieces = pieces_of(readings, spans, limits)
    inside: list[Point] = []
    outside: list[Point] = []
    last: datetime | None = None
    for piece in pieces:
        if last is not None and piece.readings[0].at != last:
            inside.append(Point(last, None, ""))
        # A piece begins with the reading that ended the one before.
        for reading in piece.readings if piece.readings[0].at != last else piece.readings[1:]:
            inside.append(Point(reading.at, reading.celsius, _reading(reading, limits)))
        if piece.outside:
            outside += [Point(reading.at, reading.celsius, "") for reading in piece.readings]
            outside.append(Point(piece.readings[-1].at, None, ""))
        last = piece.readings[-1].at
    moments = [reading.at for reading in readings] + [at for span in spans for at in (span.start, span.end)]
    start, end = min(moments), max(moments)
    end = end if end > start else start + timedelta(hours=1)
    lines = [Line("Temperature", tuple(inside))]
    if outside:
        lines.append(Line("Outside the limits", tuple(outside), Stroke.THICK))
    alone = [piece.readings[0] for piece in pieces if len(piece.readings) == 1]
    zone = f"{start:%z}"
    offset = f"UTC{zone[:3].replace('-', '−')}:{zone[3:5]}"
    return Picture(
        "Temperatures",
        spans_words(spans, limits),
        TimeAxis(start, end, f"{say_moment(start)} to {say_moment(end)}, {offset}"),
        value_axis(
            "",
            "°C",
            [limits.low_celsius, limits.high_celsius, *(reading.celsius for reading in readings)],
            whole=True,
        ),
        lines=tuple(lines),
        # A reading between two gaps is no line.
        marks=(Marks("", tuple(Point(each.at, each.celsius, "") for each in alone), Shape.CIRCLE),) if alone else (),
        bands=tuple(
            Band(span.start, span.end, str(number), span_words(number, span, limits))
            for number, span in enumerate(spans, start=1)
        ),
        bands_name="Outside the limits or without data, numbered" if spans else "",
        levels=(
            Level(limits.high_celsius, f"at most {say_celsius(limits.high_celsius)}"),
            Level(limits.low_celsius, f"at least {say_celsius(limits.low_celsius)}"),
        ),
    )


def _reading(reading: LoggerReading, limits: Limits) -> str:
    kind = limits.kind(reading.celsius)
    return f"{say_moment(reading.at)}: {say_celsius(reading.celsius, limits)}, {kind or 'inside the limits'}."


def span_words(number: int, span: Span, limits: Limits) -> str:
    """One numbered span as a sentence."""
    said = f"{number}: {_WRONG[span.kind]} from {say_moment(span.start)} to {say_moment(span.end)}"
    said += f"{'' if span.ended else ', not ended'}, {say_span(span.duration)}"
    if span.max_celsius is not None:
        said += f", up to {say_celsius(span.max_celsius, limits)}"
    if span.freeze_risk and span.min_celsius is not None:
        said += f", down to {say_celsius(span.min_celsius, limits)}"
    return f"{said}."


def spans_words(spans: Sequence[Span], limits: Limits) -> str:
    """The spans in sentences, for who cannot see the curve; the first few where they are many."""
    if not spans:
        return "Every temperature is inside the limits."
    said = [span_words(number, span, limits) for number, span in enumerate(spans[:_SAID], start=1)]
    more = len(spans) - len(said)
    return " ".join([*said, f"{more:,} more {'is' if more == 1 else 'are'} numbered in the picture."] if more else said)


# --- doses against their plan ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Dose:
    """One dose with its four amounts, mg; ``None`` where an amount is not there or not known."""

    line: views.DoseLine
    planned_mg: Decimal | None
    prepared_mg: Decimal | None

    @property
    def given_mg(self) -> Decimal | None:
        """What was administered; ``None`` where nothing was: that dose is not given."""
        return self.line.administered_mg or None

    @property
    def place(self) -> str:
        return place_words(self.line.course, self.line.cycle, self.line.day)

    def words(self, what: str, mg: Decimal) -> str:
        """One of its amounts beside what it is judged by."""
        line = self.line
        day = f"given {say_day(line.given_on)}" if line.given_on else f"for {say_day(line.planned_on)}"
        against = "" if what == "prescribed" else _difference(mg, line.prescribed_mg, "the prescribed")
        return f"{self.place[:1].upper()}{self.place[1:]}, {line.dose_id}, {day}: {what} {show_mg(mg)}{against}."


def _difference(mg: Decimal, base_mg: Decimal, base: str) -> str:
    percent = percent_change(mg, base_mg)
    return "" if percent is None else f", {show_percent(percent)} from {base} {show_mg(base_mg)}"


def doses_against_plan(reader: Reader, limit_percent: Decimal, subject_number: str = "") -> Picture:
    """What was planned, prescribed, prepared and administered.

    For one subject each dose in mg, with the limit of § 8.1.3 about what was prescribed; without a subject every
    dose given, as its difference in per cent from the prescribed and from the planned dose. ``limit_percent`` itself
    is already off limits. Cancelled doses are left out.
    """
    doses = [_dose(reader, line) for line in reader.doses(subject_number=subject_number) if line.status != "cancelled"]
    if subject_number:
        return _of_subject(doses, limit_percent, subject_number)
    return _of_all([dose for dose in doses if dose.given_mg is not None], limit_percent)


def _dose(reader: Reader, line: views.DoseLine) -> _Dose:
    thread = reader.dose(line.dose_id)
    assert thread is not None  # it was just listed
    planned = None if thread.decision is None else from_plain(DoseDecision, thread.decision["answer"]).planned_mg
    return _Dose(line, planned, thread.prepared_mg)


def _off(dose: _Dose, limit_percent: Decimal) -> bool:
    given = dose.given_mg
    return given is not None and reaches(given, dose.line.prescribed_mg, limit_percent)


def _given_words(doses: Sequence[_Dose], limit_percent: Decimal) -> str:
    """How many were given, and how many of them are off by the limit or more."""
    given = [dose for dose in doses if dose.given_mg is not None]
    off = [dose for dose in given if _off(dose, limit_percent)]
    if not given:
        return "none is given yet"
    names = f": {', '.join(f'{dose.place} ({dose.line.dose_id})' for dose in off)}" if off else ""
    return (
        f"{len(given):,} {'is' if len(given) == 1 else 'are'} given, {len(off) or 'none'} of them"
        f" {show(limit_percent)} % or more off the prescribed dose{names}"
    )


def _of_subject(doses: Sequence[_Dose], limit_percent: Decimal, subject_number: str) -> Picture:
    title = "Doses against their plan"
    if not doses:
        return blank(title, f"No dose is ordered for subject {subject_number} yet.")
    share = limit_percent / 100
    amounts: dict[str, list[Point]] = {"planned": [], "prescribed": [], "prepared": [], "administered": [], "off": []}
    bars = []
    for number, dose in enumerate(doses):
        at, mg = Decimal(number), dose.line.prescribed_mg
        bars.append(Bar(at, mg * (1 - share), mg * (1 + share), ""))
        for what, value in (
            ("planned", dose.planned_mg),
            ("prescribed", mg),
            ("prepared", dose.prepared_mg),
            ("administered", dose.given_mg),
        ):
            if value is not None:
                kind = "off" if what == "administered" and _off(dose, limit_percent) else what
                amounts[kind].append(Point(at, value, dose.words(what, value)))
    values = [bar.high for bar in bars] + [
        point.value for points in amounts.values() for point in points if point.value is not None
    ]
    series = (
        ("planned", "Planned", Shape.DIAMOND, Tone.SECOND),
        ("prescribed", "Prescribed", Shape.DASH, Tone.MAIN),
        ("prepared", "Prepared", Shape.RING, Tone.MAIN),
        ("administered", "Administered", Shape.CIRCLE, Tone.MAIN),
        ("off", f"Administered, {show(limit_percent)} % or more off", Shape.CROSS, Tone.STOP),
    )
    again = any(dose.line.course > 1 for dose in doses)
    return Picture(
        title,
        f"Subject {subject_number}: {_many(len(doses), 'dose')} ordered; {_given_words(doses, limit_percent)}.",
        ClassAxis(
            tuple(f"{f'{dose.line.course}/' if again else ''}C{dose.line.cycle} D{dose.line.day}" for dose in doses),
            "Course, cycle and day" if again else "Cycle and day",
        ),
        value_axis("", "mg", values, from_zero=True, most=5),
        bars=(Bars(f"Less than {show(limit_percent)} % off the prescribed dose", tuple(bars), Fill.PALE),),
        marks=tuple(
            Marks(name, tuple(amounts[what]), shape, tone) for what, name, shape, tone in series if amounts[what]
        ),
    )


def _of_all(doses: Sequence[_Dose], limit_percent: Decimal) -> Picture:
    title = "Doses given against their plan"
    dated = [(dose, dose.line.given_on) for dose in doses if dose.line.given_on is not None]
    if not dated:
        return blank(title, "No dose is given yet.")
    inside: list[Point] = []
    off: list[Point] = []
    planned: list[Point] = []
    for dose, on in dated:
        given, at = dose.given_mg, day_at(on)
        assert given is not None  # only doses given are here
        words = f"Subject {dose.line.subject_number}. {dose.words('administered', given)}"
        point = Point(at, percent_change(given, dose.line.prescribed_mg), words)
        (off if _off(dose, limit_percent) else inside).append(point)
        if dose.planned_mg is not None:
            words = f"Subject {dose.line.subject_number}. {dose.place[:1].upper()}{dose.place[1:]},"
            words += f" {dose.line.dose_id}: administered {show_mg(given)}"
            words += f"{_difference(given, dose.planned_mg, 'the planned')}."
            planned.append(Point(at, percent_change(given, dose.planned_mg), words))
    first, last = min(on for _, on in dated), max(on for _, on in dated)
    values = [point.value for point in (*inside, *off, *planned) if point.value is not None]
    marks = (
        Marks("From the planned dose", tuple(planned), Shape.DIAMOND, Tone.SECOND),
        Marks("From the prescribed dose", tuple(inside), Shape.CIRCLE),
        Marks(f"{show(limit_percent)} % or more from the prescribed dose", tuple(off), Shape.CROSS, Tone.STOP),
    )
    return Picture(
        title,
        f"Of all doses {_given_words(doses, limit_percent)}.",
        TimeAxis(day_at(first), day_at(max(last, first + _ONE_DAY)), "Day given", whole_days=True),
        value_axis("", "%", [-limit_percent, limit_percent, *values]),
        marks=tuple(each for each in marks if each.points),
        zones=(Zone(-limit_percent, limit_percent, f"Less than {show(limit_percent)} % off"),),
        levels=tuple(
            Level(value, f"{'+' if value > 0 else '−'}{show(limit_percent)} %")
            for value in (limit_percent, -limit_percent)
        ),
    )


# --- queries by age -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueryAge:
    """One query that is not closed: for how many whole days of the site, and whether the site has answered it."""

    days: int
    answered: bool


def queries_by_age(queries: Iterable[QueryAge], overdue_days: int) -> Picture:
    """How many queries are not closed, by age: up to ``overdue_days``, and three classes beyond."""
    title = "Queries by age"
    known = list(queries)
    if not known:
        return blank(title, "No query is open.")
    n = overdue_days
    bounds = ((0, n), (n + 1, 2 * n), (2 * n + 1, 4 * n), (4 * n + 1, None))
    labels = [f"over {4 * n} days" if most is None else f"{least}–{most} days" for least, most in bounds]
    waiting: list[Bar] = []
    answered: list[Bar] = []
    for number, ((least, most), label) in enumerate(zip(bounds, labels, strict=True)):
        mine = [query for query in known if query.days >= least and (most is None or query.days <= most)]
        done = sum(query.answered for query in mine)
        open_, at = len(mine) - done, Decimal(number)
        waiting.append(Bar(at, Decimal(0), Decimal(open_), f"{label}: {open_} not answered."))
        answered.append(Bar(at, Decimal(open_), Decimal(len(mine)), f"{label}: {done} answered, not closed."))
    late = sum(query.days > n for query in known)
    return Picture(
        title,
        f"{_many(len(known), 'query', 'queries')} not closed; {late or 'none'} of them older than {_many(n, 'day')}.",
        ClassAxis(tuple(labels), "Age"),
        value_axis("queries", "", [bar.high for bar in answered], whole=True, from_zero=True, most=5),
        bars=(
            Bars("Not answered", tuple(waiting), Fill.SOLID),
            Bars("Answered, not closed", tuple(answered), Fill.HATCHED),
        ),
        moments=(Moment(Decimal("0.5"), "overdue"),),
    )
