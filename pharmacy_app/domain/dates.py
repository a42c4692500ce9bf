"""How a day and a moment are written and read, the same in every language of the desktop.

A date is written ``22-Nov-2026``: no order of numbers to mistake. The month names stand here and nowhere else,
because the system's own follow its language.
"""

import re
from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FIRST_YEAR, LAST_YEAR = 1800, 2100
"""Years outside these are slips of the keyboard."""

_NUMBERS = {name.lower(): number for number, name in enumerate(MONTHS, start=1)}


def say_day(day: date) -> str:
    """A day such as ``22-Nov-2026``."""
    return f"{day.day:02d}-{MONTHS[day.month - 1]}-{day.year:04d}"


def say_moment(moment: datetime) -> str:
    """A moment of the site's clock such as ``22-Nov-2026 14:05``."""
    return f"{say_day(moment)} {moment:%H:%M}"


def at_site(moment: datetime, zone: ZoneInfo) -> datetime:
    """A moment on the site's clock with its plain offset from UTC.

    Two moments that carry one and the same zone are compared by the clock on the wall, which is wrong in the doubled
    hour of autumn; with plain offsets they are compared as they happened.
    """
    local = moment.astimezone(zone)
    offset = local.utcoffset()
    assert offset is not None
    return local.replace(tzinfo=timezone(offset), fold=0)


def parse_day(text: str) -> tuple[int, int, int | None] | None:
    """Year, month and day (``None`` when only the month is given) as typed, or ``None`` when it is no date.

    Read are ``2026-11-22``, ``2026-11``, ``22-Nov-2026``, ``22 Nov 2026`` and ``Nov-2026``; whether the day exists
    is for the caller to see.
    """
    typed = text.strip()
    found = re.fullmatch(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?", typed, re.ASCII)
    if found:
        return int(found[1]), int(found[2]), int(found[3]) if found[3] else None
    found = re.fullmatch(r"(?:(\d{1,2})[- ]?)?([A-Za-z]{3})[A-Za-z]*[- ]?(\d{4})", typed, re.ASCII)
    if found and found[2].lower() in _NUMBERS:
        return int(found[3]), _NUMBERS[found[2].lower()], int(found[1]) if found[1] else None
    return None
