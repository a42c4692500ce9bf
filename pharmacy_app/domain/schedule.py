"""Calendar of a subject: ages, expected days of doses, and the windows around them.

Dates are calendar dates of the site. Day n of a cycle is its actual day 1 plus n − 1 days (RULES A7), and
every window includes both of its end days.
"""

from calendar import isleap
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.protocol import Protocol, Windows
from pharmacy_app.domain.treatment import Marrow, Treatment


@dataclass(frozen=True, slots=True)
class Birth:
    """A date of birth as far as it is known: the year, perhaps the month, perhaps the day."""

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        problem = ""
        if self.day is not None and self.month is None:
            problem = "The day of birth is given without its month. Enter the month, or the year alone."
        else:
            try:
                date(self.year, self.month or 1, self.day or 1)
            except ValueError:
                problem = f"{self} is not a date. Enter the date of birth, or the year alone."
        if problem:
            raise Refused(Fault("birth", problem))

    def __str__(self) -> str:
        parts = [f"{self.year:04d}"]
        parts += [f"{part:02d}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)

    def birthday(self, years: int) -> tuple[date, date]:
        """Return the first and the last date on which ``years`` may be completed.

        Someone born on 29 February completes a year on 1 March where there is no such day.
        """
        year = self.year + years
        if self.month is None:
            return date(year, 1, 1), date(year, 12, 31)
        if self.day is None:
            after = date(year + self.month // 12, self.month % 12 + 1, 1)
            last = after if self.month == 2 and isleap(self.year) and not isleap(year) else after - timedelta(1)
            return date(year, self.month, 1), last
        if (self.month, self.day) == (2, 29) and not isleap(year):
            return date(year, 3, 1), date(year, 3, 1)
        exact = date(year, self.month, self.day)
        return exact, exact

    def has_completed(self, years: int, on: date) -> bool | None:
        """Whether ``years`` are completed on that date; ``None`` when what is known does not decide it."""
        first, last = self.birthday(years)
        if on >= last:
            return True
        return False if on < first else None

    def completed_years(self, on: date) -> tuple[int, int]:
        """Return the fewest and the most years that may be completed on a date, alike where what is known decides it.

        On a date before the birth both are 0.
        """
        most = max(0, on.year - self.year)
        while most and self.has_completed(most, on) is False:
            most -= 1
        sure = most == 0 or self.has_completed(most, on) is True
        return (most if sure else most - 1), most


@dataclass(frozen=True, slots=True)
class GivenDose:
    """A dose that was given: where it stands in the regimen, when, and how much (mg) if known."""

    course: int
    cycle: int
    day: int
    level: int
    given_on: date
    given_mg: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """When a dose is expected, and the first and last day inside its window.

    For a cycle start without a stored plan ``expected_on`` is the first day the cycle length allows.
    """

    expected_on: date
    earliest: date
    latest: date


def place_words(course: int, cycle: int, day: int) -> str:
    """Where a dose stands in the regimen, in words; the first course goes without saying."""
    return f"{'' if course == 1 else f'course {course}, '}cycle {cycle} day {day}"


def on_cycle_day(day1_on: date, day: int) -> date:
    """Return the date of ``day`` of a cycle whose day 1 was on ``day1_on``."""
    return day1_on + timedelta(days=day - 1)


def cycle_day(day1_on: date, on: date) -> int:
    """Return which day of the cycle ``on`` is; day 1 is ``day1_on`` itself."""
    return (on - day1_on).days + 1


def window_around(expected_on: date, windows: Windows) -> Window:
    """Return the visit window around an expected date (§ 3.3; RULES R20)."""
    margin = timedelta(days=windows.dose_days)
    return Window(expected_on, expected_on - margin, expected_on + margin)


def cycle_start_window(previous_day1_on: date, windows: Windows) -> Window:
    """Return when the next day 1 may lie: the cycle length with the visit window on top (R25, A6)."""
    margin = timedelta(days=windows.dose_days)
    first = previous_day1_on + timedelta(days=windows.cycle.min_days)
    last = previous_day1_on + timedelta(days=windows.cycle.max_days)
    return Window(first, first - margin, last + margin)


@dataclass(frozen=True, slots=True)
class SecondCycleDays:
    """When cycle 2 may start, by day of cycle 1: the day the protocol names, and both ends of the window around it.

    ``persistent`` is whether disease persists, by ``marrow``, the newest one since day 1 of cycle 1; both are ``None``
    when there is none.
    """

    named: int
    earliest: int
    latest: int
    persistent: bool | None
    marrow: Marrow | None


def second_cycle_days(protocol: Protocol, treatment: Treatment, day1_on: date, *, by: date) -> SecondCycleDays:
    """Return cycle 2's own window from the newest marrow taken after ``day1_on`` and by a day (R22, R23, R24).

    Without a marrow the later window holds: what is not known is no persistent disease.
    """
    rule = protocol.windows.second_cycle
    marrow = next((each for each in treatment.marrows_by(by) if each.taken_on > day1_on), None)
    persistent = None if marrow is None else marrow.blasts_percent > protocol.disease.persistent_over_percent
    named = rule.persistent_day if persistent else rule.remission_day
    return SecondCycleDays(named, named - rule.margin_days, named + rule.margin_days, persistent, marrow)


def same_cycle_to_day(protocol: Protocol, day: int) -> int:
    """Return the last day of a cycle on which its dose of ``day`` is that dose beyond doubt (§ 8.1.5; R30, A8)."""
    return max(protocol.delays.same_cycle_to_day, day + protocol.windows.dose_days)


def given(history: tuple[GivenDose, ...], course: int, cycle: int, day: int | None = None) -> list[GivenDose]:
    """Return the doses of one cycle (of one ``day`` of it), earliest first."""
    found = [
        dose for dose in history if dose.course == course and dose.cycle == cycle and (day is None or dose.day == day)
    ]
    return sorted(found, key=lambda dose: dose.given_on)
