"""Expiry ahead: which lots will soon be past their last usable day, and what to do with those that are.

Whether a vial may go into a dose on a day is ``vials.usable_on``; here vials that lie unopened on site are sorted by
how near their last day is, whatever else keeps them from use.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.units import show_mg
from pharmacy_app.domain.vials import in_date, move_table, usable_on

WARN_DAYS = (7, 30, 90)
"""How many days ahead an expiry is said, the nearest first; the last of these days is inside."""

EXPIRED_STATE = "expired"
"""The word under which available vials past their last usable day are summed: no state of a vial, but a day's fact."""

EXPIRED = 0
"""The warning of a lot that is past its last usable day."""


def expiry_warning(expires_on: date, day: date) -> int | None:
    """The warning in which an expiry stands on ``day``: 0 when it is past, 7, 30 or 90 ahead, ``None`` when further.

    The last usable day itself is not past (RULES A40): 0 days are left on it, and it stands under 7.
    """
    if not in_date(expires_on, day):
        return EXPIRED
    left = (expires_on - day).days
    return next((ahead for ahead in WARN_DAYS if left <= ahead), None)


def stock_state(state: str, expires_on: date, day: date) -> str:
    """The word under which vials of a state are summed on a day: what is available and past its last day is 'expired'.

    So no sum of usable stock holds a vial that ``usable_on`` refuses.
    """
    return EXPIRED_STATE if state == "available" and not usable_on(state, expires_on, day) else state


def is_unopened(state: str) -> bool:
    """Whether a vial of this state lies unopened on site."""
    return move_table().states[state].on_site in ("available", "quarantine")


class Stock(Protocol):
    """So many vials of one strength, lot and state."""

    @property
    def strength_mg(self) -> Decimal: ...
    @property
    def lot(self) -> str: ...
    @property
    def expires_on(self) -> date: ...
    @property
    def state(self) -> str: ...
    @property
    def vials(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ExpiringLot:
    """The unopened vials on site of one strength and lot that need a word; ``warning`` is 0 where they expired.

    ``usable`` of them may still go into a dose today; the others are reserved, held or quarantined, or expired.
    """

    strength_mg: Decimal
    lot: str
    expires_on: date
    warning: int
    vials: int
    usable: int

    def title(self, day: date) -> str:
        """The lot and its last usable day as seen on ``day``."""
        lot = f"Lot {self.lot} ({show_mg(self.strength_mg)})"
        if self.warning == EXPIRED:
            return f"{lot} expired: its last usable day was {say_day(self.expires_on)}"
        return f"{lot} expires on {say_day(self.expires_on)}, {_when((self.expires_on - day).days)}"

    @property
    def kind(self) -> str:
        """How urgent it is: 'stop' when expired, 'warn' within 30 days, else 'info'."""
        if self.warning == EXPIRED:
            return "stop"
        return "info" if self.warning == WARN_DAYS[-1] else "warn"

    def line(self, day: date) -> str:
        """The lot, its last day and its vials in one short line."""
        vials = "1 vial" if self.vials == 1 else f"{self.vials} vials"
        todo = "return or transfer" if self.warning == EXPIRED else f"{self.usable} usable"
        return f"{self.title(day)}: {vials}, {todo}."

    def words(self) -> str:
        """How many vials there are, and what to do with them."""
        many = "1 unopened vial" if self.vials == 1 else f"{self.vials} unopened vials"
        if self.warning == EXPIRED:
            what = "it" if self.vials == 1 else "them"
            return (
                f"{many} on hand, not usable. Ask the supporter whether to return or to transfer {what}; unopened "
                "vials are never destroyed on site (Protocol §\N{NO-BREAK SPACE}8.2)."
            )
        usable = "" if self.usable == self.vials else f", {self.usable} of them usable"
        return f"{many} on hand{usable}. Use first what expires first; return or transfer what no dose will take."


def _when(days: int) -> str:
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


def expiring_lots(stock: Iterable[Stock], day: date) -> tuple[ExpiringLot, ...]:
    """The lots with unopened vials on site that are past their last day or within 90 days of it, the nearest first."""
    counts: dict[tuple[date, Decimal, str], list[int]] = {}
    for line in stock:
        if is_unopened(line.state) and expiry_warning(line.expires_on, day) is not None:
            both = counts.setdefault((line.expires_on, line.strength_mg, line.lot), [0, 0])
            both[0] += line.vials
            both[1] += line.vials if usable_on(line.state, line.expires_on, day) else 0
    found = []
    for (expires_on, strength_mg, lot), (vials, usable) in sorted(counts.items()):
        warning = expiry_warning(expires_on, day)
        assert warning is not None  # the others were left out above
        found.append(ExpiringLot(strength_mg, lot, expires_on, warning, vials, usable))
    return tuple(found)
