"""Periods of the record: the monitor signs it up to a day that is over, and nothing is dated there any more."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.services import views
from pharmacy_app.services.desk import (
    Act,
    Credentials,
    Desk,
    Draft,
    Moment,
    Signing,
    perform,
    site_of,
    today_of,
    zone_of,
)
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading


@dataclass(frozen=True, slots=True)
class PeriodForm:
    """The last day of the period as typed, and a note."""

    through_on: str
    note: str = ""


def sign_period(desk: Desk, act: Act, form: PeriodForm, own: Credentials) -> Event:
    """Sign the record up to a day of the site, that day included; the signature binds what it held at that moment.

    The day is over, and later than the one that was signed last. A later fact of it is entered with the time at which
    it is entered, its real time in words.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        through_on = _read_day(reading, writer, form.through_on, moment.today)
        note = reading.note(form.note, "note", "The note", longest=500)
        if moment.signers[0].account_id != moment.person.account_id:
            reading.fault("user_name", f"Sign with your own account: {moment.person.printed_name} is signed in here.")
        reading.done()
        until = _ends(through_on, moment.site)
        return Draft(
            {
                "through_on": through_on,
                "through_utc": until,
                "note": note,
                "record": writer.period_record(writer.locked_until(), until),
            },
            why=note,
        )

    return perform(desk, act, "period_signed", form, build, (Signing(own, "reviewed the record of this period"),))


def period_so_far(desk: Desk, reader: Reader, typed: str) -> views.PeriodRecord:
    """What the period up to a day would hold if it were signed now; raises ``Refused`` as signing does."""
    reading = Reading()
    through_on = _read_day(reading, reader, typed, today_of(desk, reader))
    reading.done()
    return reader.period_record(reader.locked_until(), _ends(through_on, site_of(reader)))


def _read_day(reading: Reading, reader: Reader, typed: str, today: date) -> date:
    through_on = reading.day(typed, "through_on")
    signed = reader.periods()
    if through_on >= today:
        reading.fault(
            "through_on",
            f"{say_day(through_on)} is not over yet. A period ends with a whole day: {say_day(today - timedelta(1))} at"
            " the latest.",
        )
    elif signed and through_on <= signed[0].through_on:
        reading.fault(
            "through_on",
            f"The record is signed through {say_day(signed[0].through_on)} already. The next period ends later.",
        )
    return through_on


def _ends(through_on: date, site: views.Site) -> str:
    """The moment at which a day of the site is over, as UTC text: its midnight by the clock of that night."""
    after = through_on + timedelta(days=1)
    return utc_text(datetime(after.year, after.month, after.day, tzinfo=zone_of(site)))
