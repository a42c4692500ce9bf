"""The treatment calendar of one subject: cycles as rows with their days across, the doses, the marrows, what happened.

Nothing is told by shade alone: each state has its own mark and its word beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.charts import height_of, put_picture
from labels.reports.frame import BODY_PT, GREY, SMALL_PT, Column, Frame
from labels.text import amount, day, mg, reprint_words, signed_percent
from pharmacy_app.domain.drift import Drift
from pharmacy_app.domain.schedule import cycle_day
from pharmacy_app.domain.treatment import Cause
from pharmacy_app.domain.treatment_calendar import (
    CalendarDose,
    DoseStatus,
    EventKind,
    MarrowStatus,
    TreatmentCalendar,
)
from pharmacy_app.services.papers import TreatmentCalendarPaper

DAYS = 35
"""Days across: every window of the next cycle's start lies inside."""
_LABEL_PT = 112.0
_LINE_PT = 10.0
_RADIUS = 4.6
_TRACK = 24.0
_GAP = 5.0
NOT_KNOWN = "not known"


def treatment_calendar(paper: TreatmentCalendarPaper, stock: Stock = LETTER) -> bytes:
    """Draw the calendar, landscape."""
    about = f"Subject {paper.subject_number} · as of {day(paper.calendar.today)}"
    marker = " · ".join(part for part in (reprint_words(paper.copy_number), about) if part)
    frame = Frame(stock.turned(), paper.stamp, "Treatment calendar", marker, margin=36)
    frame.begin_page()
    _head(frame, paper)
    _Timeline(frame, paper.calendar).draw()
    _doses(frame, paper.calendar)
    if paper.doses is not None:
        frame.section("Doses against their plan", with_next=height_of(paper.doses, frame.room))
        put_picture(frame, paper.doses)
    _marrows(frame, paper.calendar)
    _events(frame, paper.calendar)
    if paper.drift is not None:
        _drift(frame, paper.drift)
    return frame.finish()


def _head(frame: Frame, paper: TreatmentCalendarPaper) -> None:
    calendar = paper.calendar
    given = [dose for dose in calendar.doses if dose.status is DoseStatus.GIVEN]
    omitted = sum(dose.status is DoseStatus.OMITTED for dose in calendar.doses)
    cycles = len({(dose.course, dose.cycle) for dose in given})
    counted = f"{_counted(len(given), 'dose')} in {_counted(cycles, 'cycle')}" if given else "no dose"
    frame.pairs(
        [
            ("Subject", paper.subject_number),
            ("Product", paper.product),
            ("Given so far", f"{counted}; {_counted(omitted, 'dose')} omitted" if omitted else counted),
            ("As of", day(calendar.today)),
        ],
        columns=4,
    )
    frame.rule(frame.y)
    frame.y += 3
    frame.paragraph(calendar.next_words, font=text.SEMI, size=10)
    frame.paragraph(
        "The calendar says when a dose is due. Whether it may be given is for the dose decision of that day.",
        size=SMALL_PT,
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


# --- timeline -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Mark:
    """Something on the track of a cycle: the day it stands on, its word, and how it is drawn."""

    on_day: int
    words: str
    draw: "Callable[[_Timeline, float, float], None]"
    grey: float = 0.0


@dataclass(frozen=True, slots=True)
class _Band:
    """A window on the track, first to last day inside."""

    first: int
    last: int
    next_cycle: bool = False


class _Timeline:
    """The drawing of all cycles."""

    def __init__(self, frame: Frame, calendar: TreatmentCalendar) -> None:
        self.frame = frame
        self.calendar = calendar
        self.left = frame.margin + _LABEL_PT
        self.step = (frame.room - _LABEL_PT) / DAYS
        self.up = frame.stock.height_pt

    def draw(self) -> None:
        """What the marks mean, then every cycle, the axis again on each page."""
        self.frame.section("Days of each cycle", with_next=90)
        self._legend()
        self._axis()
        for course, cycle in self.calendar.cycles():
            self._cycle(course, cycle)

    # --- places

    def centre(self, on_day: int) -> float:
        """The middle of a day; a day off the paper stands at its edge."""
        return self.left + (min(max(on_day, 1), DAYS) - 0.5) * self.step

    def _axis(self) -> None:
        frame = self.frame
        frame.y += 12
        frame.write("Day of the cycle", frame.margin, frame.y, size=SMALL_PT, grey=GREY)
        for on_day in range(1, DAYS + 1):
            week = on_day % 7 == 1
            frame.write(
                str(on_day),
                self.centre(on_day),
                frame.y,
                font=text.BOLD if week else text.PLAIN,
                size=SMALL_PT,
                align="centre",
                grey=0.0 if week else GREY,
            )
        frame.y += 4
        frame.rule(frame.y, grey=0.3, thickness=0.8)

    # --- one cycle

    def _cycle(self, course: int, cycle: int) -> None:
        frame, doses = self.frame, self.calendar.of_cycle(course, cycle)
        begins_on, actual = _begin_of(doses)
        marks = [_dose_mark(dose, begins_on) for dose in doses]
        bands = [band for dose in doses if dose.day > 1 and (band := _band(dose, begins_on)) is not None]
        following = self.calendar.of_cycle(course, cycle + 1)
        if actual and begins_on is not None:
            if following:
                marks += [_next_mark(following[0], begins_on)] if following[0].expected_on else []
                ahead = _band(following[0], begins_on)
                bands += [] if ahead is None else [_Band(ahead.first, ahead.last, next_cycle=True)]
            marks += self._days_in(course, cycle, begins_on)
        lanes = self._lanes(marks)
        high = max(_TRACK + 10 + _LINE_PT * len(lanes), 51.0)
        if frame.need(high):
            self._axis()
        top = frame.y
        self._label(top, doses, begins_on, actual=actual)
        self._track(top)
        for band in bands:
            self._draw_band(top, band)
        if actual and begins_on is not None:
            self._marrow(top, course, cycle, begins_on)
        for mark in marks:
            mark.draw(self, self.centre(mark.on_day), self.up - top - _TRACK)
            if not 1 <= mark.on_day <= DAYS:
                self._beyond(self.centre(mark.on_day), self.up - top - _TRACK, 1 if mark.on_day > DAYS else -1)
        for number, lane in enumerate(lanes):
            y = top + _TRACK + 15 + _LINE_PT * number
            for x, mark in lane:
                frame.write(mark.words, x, y, size=SMALL_PT, grey=mark.grey)
        frame.y = top + high
        frame.rule(frame.y)

    def _label(self, top: float, doses: Sequence[CalendarDose], begins_on: date | None, *, actual: bool) -> None:
        frame, first = self.frame, doses[0]
        course = "" if first.course == 1 else f"Course {first.course} · "
        frame.write(f"{course}Cycle {first.cycle}", frame.margin, top + 15, font=text.BOLD, size=10)
        level = "no dose levels" if first.level is None else f"level {first.level}"
        parts = [amount(dose.mg_per_m2) for dose in doses if dose.mg_per_m2 is not None]
        frame.write(level, frame.margin, top + 26, size=SMALL_PT, grey=GREY)
        said = f"{' · '.join(parts)} mg/m²" if parts else "doses not known"
        frame.write(said, frame.margin, top + 36, size=SMALL_PT, grey=GREY)
        begins = f"Day 1 {'' if actual else 'expected '}{day(begins_on)}" if begins_on else "Day 1 not known"
        frame.write(begins, frame.margin, top + 46, size=SMALL_PT, grey=GREY)

    def _track(self, top: float) -> None:
        canvas = self.frame.canvas
        canvas.setStrokeGray(0.88)
        canvas.setLineWidth(0.4)
        for on_day in range(1, DAYS + 1, 7):
            x = self.left + (on_day - 1) * self.step
            canvas.line(x, self.up - top, x, self.up - top - _TRACK - 7.5)
        canvas.setStrokeGray(0.45)
        canvas.setLineWidth(0.6)
        canvas.line(self.left, self.up - top - _TRACK, self.left + DAYS * self.step, self.up - top - _TRACK)
        canvas.setStrokeGray(0)

    def _draw_band(self, top: float, band: _Band) -> None:
        first, last = max(band.first, 1), min(band.last, DAYS)
        if first > last:
            return
        canvas = self.frame.canvas
        x, across = self.left + (first - 1) * self.step, (last - first + 1) * self.step
        canvas.saveState()
        canvas.setLineWidth(0.5)
        canvas.setStrokeGray(0.35)
        if band.next_cycle:
            canvas.setDash(2, 2)
            canvas.rect(x, self.up - top - _TRACK - 7.5, across, 15)
        else:
            canvas.setFillGray(0.9)
            canvas.rect(x, self.up - top - _TRACK - 7.5, across, 15, fill=1)
        canvas.restoreState()

    def _marrow(self, top: float, course: int, cycle: int, begins_on: date) -> None:
        """Marrow windows of a first cycle as brackets above the track, marrows taken as triangles."""
        canvas = self.frame.canvas
        y = self.up - top - 11
        for window in self.calendar.marrows if cycle == 1 else ():
            if window.course != course:
                continue
            first, last = cycle_day(begins_on, window.earliest), cycle_day(begins_on, window.latest)
            left, right = self.left + (first - 1) * self.step + 1, self.left + last * self.step - 1
            canvas.setLineWidth(0.6)
            canvas.setStrokeGray(0.35)
            for x in (left, right):
                canvas.line(x, y + 3, x, y)
            canvas.line(left, y + 3, right, y + 3)
            canvas.setStrokeGray(0)
            if window.status is not MarrowStatus.TAKEN:
                self.triangle(self.centre(cycle_day(begins_on, window.expected_on)), y - 2.5, filled=False)
        for event in self.calendar.events:
            if event.kind is EventKind.MARROW and self._holds(course, cycle, event.on):
                self.triangle(self.centre(cycle_day(begins_on, event.on)), y - 2.5, filled=True)

    def _days_in(self, course: int, cycle: int, begins_on: date) -> list[_Mark]:
        """The end of treatment and today, where they fall into this cycle."""
        found = []
        for event in self.calendar.events:
            if event.kind is EventKind.OFF_TREATMENT and self._holds(course, cycle, event.on):
                words = f"end of treatment {_short(event.on)}"
                found.append(_Mark(cycle_day(begins_on, event.on), words, _Timeline.bar))
        today = self.calendar.today
        if self._holds(course, cycle, today):
            found.append(_Mark(cycle_day(begins_on, today), "today", _Timeline.dotted, GREY))
        return found

    def _holds(self, course: int, cycle: int, on: date) -> bool:
        """Whether a day lies in this cycle: the last one that began by then, within the days drawn."""
        begun = [
            (dose.given_on, dose.course, dose.cycle)
            for dose in self.calendar.doses
            if dose.day == 1 and dose.given_on is not None and dose.given_on <= on
        ]
        if not begun:
            return False
        began_on, *place = max(begun)
        return place == [course, cycle] and (on - began_on).days < DAYS

    def _lanes(self, marks: Sequence[_Mark]) -> list[list[tuple[float, _Mark]]]:
        """The words of the marks in as many lines as keep them apart, each with its left edge."""
        lanes: list[list[tuple[float, _Mark]]] = []
        ends: list[float] = []
        for mark in sorted(marks, key=lambda each: each.on_day):
            across = text.width(mark.words, text.PLAIN, SMALL_PT)
            x = self.centre(mark.on_day) - across / 2
            x = min(max(x, self.left + 1), self.left + DAYS * self.step - across)
            number = next((number for number, end in enumerate(ends) if end + _GAP <= x), len(ends))
            if number == len(ends):
                ends.append(0.0)
                lanes.append([])
            ends[number] = x + across
            lanes[number].append((x, mark))
        return lanes

    # --- marks

    def given(self, x: float, y: float) -> None:
        """A filled circle."""
        self.frame.canvas.circle(x, y, _RADIUS, fill=1)

    def ahead(self, x: float, y: float) -> None:
        """A thin hollow circle."""
        self._circle(x, y, 0.7)

    def due_now(self, x: float, y: float) -> None:
        """A thick hollow circle."""
        self._circle(x, y, 2.0)

    def late(self, x: float, y: float) -> None:
        """A thick hollow circle with an exclamation mark."""
        self._circle(x, y, 1.4)
        self.frame.write("!", x, self.up - y + 2.8, font=text.BOLD, size=SMALL_PT, align="centre")

    def omitted(self, x: float, y: float) -> None:
        """A hollow circle, crossed."""
        self._circle(x, y, 1.0)
        self._cross(x, y)

    def must_omit(self, x: float, y: float) -> None:
        """A dashed circle, crossed: the omission is not recorded yet."""
        self._circle(x, y, 1.0, dashed=True)
        self._cross(x, y)

    def not_given(self, x: float, y: float) -> None:
        """A dashed circle with a bar."""
        self._circle(x, y, 0.8, dashed=True)
        self.frame.canvas.setLineWidth(1.0)
        self.frame.canvas.line(x - 2.4, y, x + 2.4, y)

    def next_given(self, x: float, y: float) -> None:
        """A filled diamond."""
        self._diamond(x, y, filled=True)

    def next_expected(self, x: float, y: float) -> None:
        """A hollow diamond."""
        self._diamond(x, y, filled=False)

    def bar(self, x: float, y: float) -> None:
        """A thick upright bar."""
        self.frame.canvas.setLineWidth(2.2)
        self.frame.canvas.line(x, y - 8, x, y + 8)

    def dotted(self, x: float, y: float) -> None:
        """A thin dotted upright line."""
        canvas = self.frame.canvas
        canvas.saveState()
        canvas.setLineWidth(0.9)
        canvas.setDash(1, 1.6)
        canvas.line(x, y - 8.5, x, y + 8.5)
        canvas.restoreState()

    def _beyond(self, x: float, y: float, way: int) -> None:
        """A tip at the edge: the day itself lies off the paper."""
        canvas = self.frame.canvas
        canvas.setLineWidth(1.2)
        canvas.line(x + way * 8.5, y + 4, x + way * 12, y)
        canvas.line(x + way * 8.5, y - 4, x + way * 12, y)

    def triangle(self, x: float, y: float, *, filled: bool) -> None:
        """A marrow: filled when it was taken."""
        canvas = self.frame.canvas
        path = canvas.beginPath()
        path.moveTo(x - 3.6, y)
        path.lineTo(x + 3.6, y)
        path.lineTo(x, y + 5.6)
        path.close()
        canvas.setLineWidth(0.7)
        canvas.setFillGray(0 if filled else 1)
        canvas.drawPath(path, fill=1)
        canvas.setFillGray(0)

    def _circle(self, x: float, y: float, thickness: float, *, dashed: bool = False) -> None:
        canvas = self.frame.canvas
        canvas.saveState()
        canvas.setLineWidth(thickness)
        canvas.setFillGray(1)
        if dashed:
            canvas.setDash(1.8, 1.4)
        canvas.circle(x, y, _RADIUS, fill=1)
        canvas.restoreState()

    def _cross(self, x: float, y: float) -> None:
        canvas, reach = self.frame.canvas, _RADIUS + 1.6
        canvas.setLineWidth(1.0)
        canvas.line(x - reach, y - reach, x + reach, y + reach)
        canvas.line(x - reach, y + reach, x + reach, y - reach)

    def _diamond(self, x: float, y: float, *, filled: bool) -> None:
        canvas, reach = self.frame.canvas, _RADIUS + 0.9
        path = canvas.beginPath()
        path.moveTo(x - reach, y)
        path.lineTo(x, y + reach)
        path.lineTo(x + reach, y)
        path.lineTo(x, y - reach)
        path.close()
        canvas.setLineWidth(0.8)
        canvas.setFillGray(0 if filled else 1)
        canvas.drawPath(path, fill=1)
        canvas.setFillGray(0)

    # --- legend

    def _legend(self) -> None:
        frame = self.frame
        entries: list[tuple[str, Callable[[float, float], None]]] = [
            *((status.value, partial(_DRAWN[status], self)) for status in DoseStatus),
            ("next cycle's day 1", self.next_expected),
            ("marrow due", lambda x, y: self.triangle(x, y - 2.5, filled=False)),
            ("marrow taken", lambda x, y: self.triangle(x, y - 2.5, filled=True)),
            ("window of a dose", self._window_sample),
            ("window of the next day 1", self._next_window_sample),
        ]
        x, frame.y = frame.margin, frame.y + 11
        for words, draw in entries:
            across = 22 + text.width(words, text.PLAIN, SMALL_PT) + 14
            if x + across - 14 > frame.margin + frame.room:
                x, frame.y = frame.margin, frame.y + 13
            draw(x + 9, self.up - frame.y + 2.8)
            frame.write(words, x + 22, frame.y, size=SMALL_PT)
            x += across
        frame.y += 4

    def _window_sample(self, x: float, y: float) -> None:
        canvas = self.frame.canvas
        canvas.setFillGray(0.9)
        canvas.setStrokeGray(0.35)
        canvas.setLineWidth(0.5)
        canvas.rect(x - 9, y - 4.5, 18, 9, fill=1)
        canvas.setFillGray(0)
        canvas.setStrokeGray(0)

    def _next_window_sample(self, x: float, y: float) -> None:
        canvas = self.frame.canvas
        canvas.saveState()
        canvas.setDash(2, 2)
        canvas.setLineWidth(0.5)
        canvas.rect(x - 9, y - 4.5, 18, 9)
        canvas.restoreState()


_DRAWN: dict[DoseStatus, Callable[[_Timeline, float, float], None]] = {
    DoseStatus.GIVEN: _Timeline.given,
    DoseStatus.OMITTED: _Timeline.omitted,
    DoseStatus.DUE_NOW: _Timeline.due_now,
    DoseStatus.AHEAD: _Timeline.ahead,
    DoseStatus.LATE: _Timeline.late,
    DoseStatus.MUST_OMIT: _Timeline.must_omit,
    DoseStatus.NOT_GIVEN: _Timeline.not_given,
}


def _begin_of(doses: Sequence[CalendarDose]) -> tuple[date | None, bool]:
    """The day that a row of the timeline begins with, and whether it is the actual day 1."""
    first = doses[0]
    if first.day == 1 and first.given_on is not None:
        return first.given_on, True
    return first.planned_on or first.expected_on, False


def _on_day(begins_on: date | None, on: date | None, otherwise: int) -> int:
    return otherwise if begins_on is None or on is None else cycle_day(begins_on, on)


def _dose_mark(dose: CalendarDose, begins_on: date | None) -> _Mark:
    status = dose.status
    if status is DoseStatus.GIVEN and dose.given_on is not None:
        words = _short(dose.given_on)
        if dose.delay_days:
            words += f" ({_days(dose.delay_days)})"
        return _Mark(_on_day(begins_on, dose.given_on, dose.day), words, _DRAWN[status])
    due_on = dose.expected_on if dose.day > 1 else begins_on
    words = {
        DoseStatus.OMITTED: "omitted",
        DoseStatus.MUST_OMIT: "to be omitted",
        DoseStatus.NOT_GIVEN: "not given",
        DoseStatus.LATE: f"late, due {_short(due_on)}" if due_on else "late",
    }.get(status, f"due {_short(due_on)}" if due_on else f"day {dose.day}")
    return _Mark(_on_day(begins_on, dose.expected_on if dose.day > 1 else None, dose.day), words, _DRAWN[status])


def _next_mark(first: CalendarDose, begins_on: date) -> _Mark:
    """Day 1 of the next cycle on the track of the one before it."""
    on = first.given_on or first.planned_on or first.expected_on
    assert on is not None  # only drawn where it is known
    on_day = cycle_day(begins_on, on)
    words = f"cycle {first.cycle}: {_short(on)}"
    if on_day > DAYS:
        words += f" (Day {on_day})"
    draw = _Timeline.next_given if first.given_on else _Timeline.next_expected
    return _Mark(on_day, words, draw)


def _band(dose: CalendarDose, begins_on: date | None) -> _Band | None:
    if begins_on is None or dose.earliest is None or dose.latest is None:
        return None
    return _Band(cycle_day(begins_on, dose.earliest), cycle_day(begins_on, dose.latest))


# --- tables ---------------------------------------------------------------------------------------------------


def _doses(frame: Frame, calendar: TreatmentCalendar) -> None:
    # The table begins on a page of its own rather than with its first rows at the foot of this one.
    frame.section("Doses", with_next=min(30.0 + 16 * len(calendar.doses), frame.floor * 0.6))
    room, not_given = frame.room, "not given"
    columns = [
        Column("Dose", room * 0.125, font=text.SEMI),
        Column("Level", room * 0.05, "centre"),
        Column("mg/m²", room * 0.055, "centre"),
        Column("Expected", room * 0.085),
        Column("Window", room * 0.13),
        Column("Status", room * 0.1, font=text.SEMI),
        Column("Given on", room * 0.085, absent=not_given),
        Column("Given mg", room * 0.05, "right", absent=not_given),
        Column("Delay, days", room * 0.055, "centre", absent="not given, or no day was expected"),
        Column("Cause of delay", room * 0.06, absent="no delay was decided"),
        Column("Remarks", room * 0.205, absent="nothing to remark"),
    ]
    frame.table(columns, [_dose_cells(dose) for dose in calendar.doses])


def _dose_cells(dose: CalendarDose) -> tuple[str, ...]:
    given = dose.given_on is not None
    window = NOT_KNOWN
    if dose.earliest is not None and dose.latest is not None:
        window = f"{_short(dose.earliest)} to {day(dose.latest)}"
    return (
        dose.place[:1].upper() + dose.place[1:],
        "none" if dose.level is None else str(dose.level),
        NOT_KNOWN if dose.mg_per_m2 is None else amount(dose.mg_per_m2),
        NOT_KNOWN if dose.expected_on is None else day(dose.expected_on),
        window,
        dose.status.value,
        "" if dose.given_on is None else day(dose.given_on),
        (NOT_KNOWN if given else "") if dose.given_mg is None else mg(dose.given_mg),
        "" if dose.delay_days is None else _signed(dose.delay_days),
        "" if dose.delay_cause is None else _CAUSES[dose.delay_cause],
        dose.words,
    )


_CAUSES = {Cause.TOXICITY: "toxicity", Cause.OTHER: "other"}


def _marrows(frame: Frame, calendar: TreatmentCalendar) -> None:
    if not calendar.marrows:
        return
    frame.section("Marrows of the first cycle", with_next=36 + 16.0 * len(calendar.marrows))
    room = frame.room
    columns = [
        Column("Marrow", room * 0.22, font=text.SEMI),
        Column("Window", room * 0.22),
        Column("Status", room * 0.14, font=text.SEMI),
        Column("Taken", room * 0.42, absent="none was taken in its window"),
    ]
    rows = []
    for window in calendar.marrows:
        course = "" if window.course == 1 else f"Course {window.course}, "
        taken = "; ".join(f"{day(each.taken_on)}, {amount(each.blasts_percent)} % blasts" for each in window.taken)
        rows.append(
            (
                f"{course}Day {window.day} ({day(window.expected_on)})",
                f"{_short(window.earliest)} to {day(window.latest)}",
                window.status.value,
                taken,
            )
        )
    frame.table(columns, rows)
    if calendar.marrow_words:
        frame.paragraph(calendar.marrow_words)


def _events(frame: Frame, calendar: TreatmentCalendar) -> None:
    frame.section("What else was recorded")
    if not calendar.events:
        frame.paragraph("Nothing beside the doses is recorded of this subject's treatment.")
        return
    room = frame.room
    columns = [
        Column("Date", room * 0.11),
        Column("What", room * 0.13, font=text.SEMI),
        Column("In words", room * 0.76),
    ]
    frame.table(columns, [(day(event.on), event.kind.value, event.words) for event in calendar.events])


def _drift(frame: Frame, drift: Drift) -> None:
    limit = amount(drift.limit_percent)
    frame.section("Weight against the weight last used for a dose")
    if drift.points:
        room, first = frame.room, "no weight was used for a dose before"
        columns = [
            Column("Measured on", room * 0.18),
            Column("Weight kg", room * 0.16, "right", text.SEMI),
            Column("Weight last used kg", room * 0.2, "right", absent=first),
            Column("Change %", room * 0.16, "right", absent=first),
            Column(f"More than {limit} %", room * 0.3, "right", absent=first),
        ]
        frame.table(
            columns,
            [
                (
                    day(point.measured_on),
                    amount(point.kg),
                    "" if point.base_kg is None else amount(point.base_kg),
                    "" if point.change_percent is None else signed_percent(point.change_percent),
                    "" if point.base_kg is None else "YES: recalculate" if point.over else "no",
                )
                for point in drift.points
            ],
        )
    frame.paragraph(drift.words, font=text.SEMI, size=BODY_PT)


# --- words ----------------------------------------------------------------------------------------------------


def _short(on: date) -> str:
    """A day without its year, where the year stands near."""
    return day(on)[:6]


def _signed(days: int) -> str:
    return f"−{-days}" if days < 0 else str(days)


def _days(days: int) -> str:
    return f"{'−' if days < 0 else '+'}{abs(days)} d"
