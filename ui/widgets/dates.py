"""Reading typed dates and times: ISO and day-month-year with the month in letters; nothing that can be misread."""

import re
from datetime import date, time

from pharmacy_app.domain.dates import MONTHS, parse_day

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

DATE_FAULT = "This is not a date we can read. Type it as 2026-11-22 or 22-Nov-2026."
DATE_TIME_FAULT = "This is not a date and a time we can read. Type them as 2026-11-22 14:05 or 22-Nov-2026 14:05."
TIME_FAULT = "This is not a time we can read. Type it as 09:05, on the 24-hour clock."


def parse_date(text: str) -> date | None:
    """The date meant by ``2026-11-22`` or ``22-Nov-2026`` (blanks or hyphens, any case); ``None`` if neither.

    All-number forms in another order are never guessed at: 11/12/2026 is two different days.
    """
    parts = parse_day(text)
    if parts is None:
        return None
    year, month, day = parts
    if day is None:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def parse_time(text: str) -> time | None:
    """The time meant by ``09:05``, ``9:05`` or ``0905``; ``None`` when it is none of these."""
    match = re.fullmatch(r"(\d{1,2}):(\d{2})|(\d{2})(\d{2})", text.strip(), re.ASCII)
    if match is None:
        return None
    hour, minute = (int(part) for part in match.groups() if part is not None)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def say_date(day: date) -> str:
    """A date no one can misread, e.g. ``Sun 22 Nov 2026``; the same in every desktop language."""
    return f"{_DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"
