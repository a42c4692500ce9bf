"""The review of entries: read by risk or by what they are about, verified one by one or many at once, inside a visit.

A verification is of the entry as it stood when it was read. A later entry that corrects, undoes or sets it anew opens
its review again and is named; see ``docs/decisions/0020``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.review import NOT_REVIEWED, initials_of
from pharmacy_app.services import views
from pharmacy_app.services.about import read_about
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, site_of, zone_of
from pharmacy_app.services.ports import Reader, ReviewFilter, Writer
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.visits import changed_since, not_open, visit_of

MOST_AT_ONCE = 500
"""So many entries are verified by one act at most: more than that nobody has read since the page was opened."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry as it was read: its number, and the hash it was shown with (``views.ReviewEntry.hash``)."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class VerifyForm:
    """The entries that the monitor verifies in the open visit, as they were read."""

    visit: str
    entries: tuple[Seen, ...]
    note: str = ""


def seen(entries: Sequence[views.ReviewEntry]) -> tuple[Seen, ...]:
    """Entries as they were read, to be verified."""
    return tuple(Seen(entry.seq, entry.hash) for entry in entries)


def verify_entries(desk: Desk, act: Act, form: VerifyForm) -> Event:
    """Verify entries, with initials and day. Refused where one was verified before and has not changed since, where it
    has changed since it was read, and where the monitor has recorded or signed it.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        visit = visit_of(writer, form.visit)
        reading.faults += not_open(visit, moment)
        note = reading.note(form.note, "note", "The note", longest=500)
        if not form.entries:
            reading.fault("entries", "No entry is chosen. Choose those you have read.")
        if len(form.entries) > MOST_AT_ONCE:
            reading.fault(
                "entries", f"{len(form.entries)} entries are too many at once. Verify {MOST_AT_ONCE} at most."
            )
        if len({each.seq for each in form.entries}) < len(form.entries):
            reading.fault("entries", "An entry is chosen twice. Open the list again.")
        reading.done()
        numbers = tuple(each.seq for each in form.entries)
        wanted = ReviewFilter(entries=numbers)
        found = {
            entry.seq: entry for entry in writer.review_entries(wanted, by_risk=False, offset=0, limit=len(numbers))
        }
        for each in form.entries:
            sentence = _why_not(writer, found.get(each.seq), each, moment)
            if sentence:
                reading.fault(f"entries.{each.seq}", sentence)
        reading.done()
        return Draft(
            {
                "visit": visit.number,
                "initials": initials_of(moment.person.printed_name),
                "entries": [_kept(found[number]) for number in sorted(numbers)],
                "note": note,
            },
            why=note,
        )

    return perform(desk, act, "entries_verified", form, build)


def _why_not(reader: Reader, entry: views.ReviewEntry | None, each: Seen, moment: Moment) -> str:
    """Why an entry is not verified now, '' when it is."""
    if entry is None:
        event = reader.event(each.seq)
        if event is None:
            return f"There is no entry {each.seq} in the journal."
        return f"Entry {each.seq} is not reviewed: it is {NOT_REVIEWED[event.kind]}."
    if moment.person.account_id in entry.event.people:
        return f"You recorded or signed entry {each.seq} yourself. Another monitor verifies it."
    mark = entry.mark
    if mark.status == "verified" and mark.verified_at is not None:
        at = say_moment(mark.verified_at.astimezone(zone_of(moment.site)))
        return f"Entry {each.seq} was verified by {mark.verified_by} on {at} and has not changed since."
    if entry.hash != each.hash:
        by = f" by entry {entry.touched.seq} of {entry.touched.actor_name}" if entry.touched else ""
        return f"Entry {each.seq} was changed{by} since you read it. Read it again before you verify it."
    return ""


def _kept(entry: views.ReviewEntry) -> dict[str, object]:
    """What of an entry is verified: its bytes by their hash, and the newest entry that touched it before."""
    return {
        "seq": entry.seq,
        "hash": entry.event.hash,
        "touched_seq": entry.touched.seq if entry.touched else None,
        "touched_hash": entry.touched.hash if entry.touched else "",
    }


# --- what is asked -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chosen:
    """Entries chosen as typed, '' meaning any: what they are about, the days on which things were done, ledger lines.

    ``about`` is read as for documents (a vial, kit, subject, dose, shipment, lot …), and a place by its name.
    ``lines`` are numbers of ledger lines or entries (``12.1`` or ``12``) with commas between.
    """

    about: str = ""
    from_on: str = ""
    through_on: str = ""
    lines: str = ""


def chosen(reader: Reader, typed: Chosen, within: ReviewFilter) -> ReviewFilter:
    """The question for the entries chosen, within another one. Raises ``Refused`` for what cannot be read."""
    reading = Reading()
    zone = zone_of(site_of(reader))

    def midnight(day: date) -> str:
        return utc_text(datetime(day.year, day.month, day.day, tzinfo=zone))

    about = reading.take(lambda: _about(reader, typed.about), "")
    from_on = reading.day(typed.from_on, "from_on") if typed.from_on.strip() else None
    through_on = reading.day(typed.through_on, "through_on") if typed.through_on.strip() else None
    if from_on and through_on and reading.was_read("from_on", "through_on") and through_on < from_on:
        reading.fault("through_on", f"{say_day(through_on)} is before {say_day(from_on)}. Type the earlier day first.")
    entries = within.entries
    if typed.lines.strip():
        entries = reading.take(lambda: _read_lines(typed.lines), entries)
    reading.done()
    return replace(
        within,
        about=about,
        from_utc=midnight(from_on) if from_on else "",
        until_utc=midnight(through_on + timedelta(days=1)) if through_on else "",
        entries=entries,
    )


def _about(reader: Reader, typed: str) -> str:
    name = " ".join(typed.split())
    place = next((each.name for each in reader.places() if each.name.casefold() == name.casefold()), "")
    return f"place {place}" if place else read_about(reader, name)


def _read_lines(typed: str) -> tuple[int, ...] | None:
    return tuple(read_line(line, "lines")[0] for line in typed.split(","))


def read_line(typed: str, field: str) -> tuple[int, int | None]:
    """An entry and its line of the ledger as typed: ``12.1``, or ``12`` for the whole entry. Raises ``Refused``."""
    seq, dot, line = typed.strip().partition(".")
    numbers = (seq, line) if dot else (seq,)
    if not all(number.isascii() and number.isdigit() and len(number) < 16 for number in numbers):
        raise Refused(
            Fault(field, f"“{typed.strip()[:20]}” is no line of the ledger. Type it as 12.1, or the entry as 12.")
        )
    return int(seq), int(line) if dot else None


def progress(reader: Reader, visit: views.VisitLine | None = None) -> views.ReviewCount:
    """How far the review has come: of what changed since the last visit, or of the whole record.

    What this monitor recorded is left out of a visit's: another one verifies it.
    """
    return reader.review_count(changed_since(visit) if visit is not None else ReviewFilter())


def verified_words(mark: views.ReviewMark | None, site: views.Site) -> str:
    """The column “Monitor verified (initials, date)” of an entry's lines: ``MS 02-Mar-2026``.

    A reopened one says so; '' where it was never verified, or is not reviewed.
    """
    if mark is None or mark.verified_at is None:
        return ""
    words = f"{mark.initials} {say_day(mark.verified_at.astimezone(zone_of(site)).date())}"
    return words if mark.status == "verified" else f"{words}, changed since by entry {mark.touched_seq}"
