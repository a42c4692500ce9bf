"""Reading what a person typed into a form: every fault is collected, so that all are shown at once.

Forms hold text as typed. ``Reading`` turns it into values; after the last field ``done()`` refuses with every
fault found, each beside its field. What cannot be read comes back as a stand-in that is never used, because
``done()`` is called before anything is written.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from pharmacy_app.domain.dates import FIRST_YEAR, LAST_YEAR, at_site, parse_day, say_day
from pharmacy_app.domain.errors import Fault, Refused, refuse_any
from pharmacy_app.domain.units import parse_decimal
from pharmacy_app.domain.vials import read_expiry

T = TypeVar("T")

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_CONTROLS_IN_A_NOTE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]+")


def read_day(text: str, field: str) -> date:
    """A calendar day typed as ``2026-11-22`` or ``22-Nov-2026``; raises ``Refused`` for anything else."""
    typed = text.strip()
    if not typed:
        raise Refused(Fault(field, "A date is needed here. Type it as 2026-11-22 or 22-Nov-2026."))
    year, month, day = parse_day(typed) or (0, 0, None)
    if day is None:
        raise Refused(Fault(field, f"“{typed}” is not a date this app can be sure of. Type 2026-11-22 or 22-Nov-2026."))
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Refused(Fault(field, f"The year {year} cannot be right. Check the four digits."))
    try:
        return date(year, month, day)
    except ValueError:
        raise Refused(Fault(field, f"“{typed}” is not a day of the calendar.")) from None


def read_moment(text: str, field: str, zone: ZoneInfo) -> datetime:
    """A moment at the site, typed as a day and a time (``2026-11-22 14:05``); raises ``Refused`` otherwise."""
    typed = text.strip()
    found = re.fullmatch(r"(.+?)[ T](\d{1,2}):(\d{2})", typed)
    if not found:
        raise Refused(Fault(field, "A date and a time are needed here. Type them as 2026-11-22 14:05."))
    day = read_day(found[1], field)
    hour, minute = int(found[2]), int(found[3])
    if hour > 23 or minute > 59:
        raise Refused(Fault(field, f"“{found[2]}:{found[3]}” is not a time of the day."))
    moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    if moment.astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
        raise Refused(Fault(field, f"{typed} did not exist: the clocks went forward in that hour."))
    # In the doubled hour of autumn the first pass is taken: it ends every limit sooner.
    return at_site(moment, zone)


class Reading:
    """Collects the values of one form and all its faults."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._unread: set[str] = set()

    def take(self, read: Callable[[], T], stand_in: T) -> T:
        """The value that ``read`` gives, or ``stand_in`` with its faults kept."""
        try:
            return read()
        except Refused as refused:
            self.faults.extend(refused.faults)
            self._unread.update(fault.field for fault in refused.faults)
            return stand_in

    def fault(self, field: str, sentence: str, rule: str = "", section: str = "") -> None:
        """Keep one more fault, unless the field could not even be read: then its value is a stand-in."""
        if field not in self._unread:
            self.faults.append(Fault(field, sentence, rule, section))

    def was_read(self, *fields: str) -> bool:
        """Whether all of these fields could be read, so that they may be compared with one another."""
        return self._unread.isdisjoint(fields)

    def text(self, value: str, field: str, name: str, *, longest: int = 120) -> str:
        """A text that must not be empty, on one line; a control character in it becomes a blank."""
        typed = " ".join(_CONTROLS.sub(" ", value).split())
        if not typed:
            self.fault(field, f"{name} is missing. Type it here.")
            self._unread.add(field)
        elif len(typed) > longest:
            self.fault(field, f"{name} is longer than {longest} characters. Shorten it.")
        return typed

    def number(self, value: str, field: str, name: str, *, longest: int) -> str:
        """A lot or another number as it is printed on the thing: nothing invisible may stand in it."""
        if not value.strip().isprintable():
            self.fault(field, f"{name} has a line break, a tab or another invisible character in it. Type it anew.")
            self._unread.add(field)
        return self.text(value, field, name, longest=longest)

    def note(self, value: str, field: str, name: str, *, longest: int = 2000) -> str:
        """A text that may be empty; of control characters it keeps the line breaks, others become a blank."""
        typed = _CONTROLS_IN_A_NOTE.sub(" ", value.replace("\r\n", "\n")).strip()
        if len(typed) > longest:
            self.fault(field, f"{name} is longer than {longest} characters. Shorten it.")
        return typed

    def day(self, value: str, field: str, *, today: date | None = None, future: bool = False) -> date:
        """A day; with ``today`` given and ``future`` not allowed, a later day is a fault."""
        day = self.take(lambda: read_day(value, field), date.min)
        if today is not None and not future and day > today:
            self.fault(field, f"{say_day(day)} is in the future. Today is {say_day(today)}.")
        return day

    def moment(self, value: str, field: str, zone: ZoneInfo, now: datetime, *, blank_is_now: bool = False) -> datetime:
        """A moment at the site; an empty one is a fault unless it may mean now."""
        if blank_is_now and not value.strip():
            return now
        return self.take(lambda: read_moment(value, field, zone), now)

    def decimal(self, value: str, field: str, name: str, unit: str = "", *, zero: bool = False) -> Decimal:
        """An exact number above zero (or zero, where it may be)."""
        return self.take(lambda: parse_decimal(value, field=field, name=name, unit=unit, zero_allowed=zero), Decimal(1))

    def count(self, value: str, field: str, name: str, *, low: int, high: int) -> int:
        """A whole number within limits, both included."""
        typed = value.strip()
        if not re.fullmatch(r"-?\d{1,9}", typed):
            self.fault(field, f"{name} must be a whole number from {low} to {high}.")
            self._unread.add(field)
            return low
        number = int(typed)
        if not low <= number <= high:
            self.fault(field, f"{name} is {number}, but must be from {low} to {high}.")
            self._unread.add(field)
            return low
        return number

    def choice(self, value: str, field: str, name: str, options: tuple[str, ...]) -> str:
        """One of the options; '' among them is a choice left open."""
        if value not in options:
            *first, last = [option for option in options if option]
            left_open = ", or leave it open" if "" in options else ""
            self.fault(field, f"{name}: choose {', '.join(first)} or {last}{left_open}.")
            self._unread.add(field)
            return options[0]
        return value

    def expiry(self, value: str, field: str) -> date:
        """A printed expiry's last usable day."""
        return self.take(lambda: read_expiry(value, field), date.max)

    def done(self) -> None:
        """Raise ``Refused`` with all faults, or return when there are none."""
        refuse_any(self.faults)
