"""When an act was done, as typed: now, earlier today, or as a late entry of an earlier day with its reason."""

from datetime import datetime

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.services.desk import Moment, zone_of
from pharmacy_app.services.reading import Reading


def read_done(
    reading: Reading, typed: str, late_why: str, moment: Moment, *, field: str = "done_at"
) -> tuple[datetime | None, str]:
    """When it was done (``None``: now), and why it is recorded late ('' when it is not).

    Faults of an unreadable or future moment are kept in ``reading``; that a late entry has its reason and lies in no
    signed period is checked for every act alike, in ``desk.perform``.
    """
    why = reading.note(late_why, "late_why", "The reason for the late entry", longest=300)
    if not typed.strip():
        return None, ""
    done_at = reading.moment(typed, field, zone_of(moment.site), moment.now)
    if done_at > moment.now:
        reading.fault(field, f"{say_moment(done_at)} is in the future. Type when it was done.")
    return done_at, why if done_at.date() < moment.today else ""
