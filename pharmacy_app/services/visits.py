"""The monitor's visits: planned for an account and days, opened on what changed since the last one, signed at the end.

See ``docs/decisions/0020``.
"""

from dataclasses import dataclass, replace

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import Role
from pharmacy_app.domain.review import runs, sample_of, usual_size
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Credentials, Desk, Draft, Moment, Signing, perform
from pharmacy_app.services.ports import QueryFilter, Reader, ReconciledFilter, ReviewFilter, Writer
from pharmacy_app.services.reading import Reading

PREFIX = "VIS"
"""How the number of a visit begins. They are counted without a gap, so that none can go missing."""

NOT_CLOSED = ("open", "answered", "returned")
"""A query in one of these states still waits for somebody."""

EVERY = 1_000_000
"""More than there can be of what is asked for whole."""


@dataclass(frozen=True, slots=True)
class PlanForm:
    """A visit to come: the monitor's user name, its first and last day as typed, and what it is for."""

    monitor: str
    from_on: str
    to_on: str
    purpose: str


def plan_visit(desk: Desk, act: Act, form: PlanForm) -> Event:
    """Plan a visit. A monitor plans the own ones; a pharmacist plans for any monitor's account."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        monitor = writer.account_by_user_name(form.monitor.strip())
        if monitor is None or Role.MONITOR not in monitor.roles:
            reading.fault(
                "monitor", f"“{form.monitor.strip()[:60]}” is no monitor's account. Choose one from the list."
            )
        elif not monitor.active:
            reading.fault("monitor", f"The account of {monitor.printed_name} is disabled. Ask an administrator.")
        elif Role.PHARMACIST not in moment.person.roles and monitor.account_id != moment.person.account_id:
            reading.fault("monitor", f"{monitor.printed_name} plans the own visits, or a pharmacist does.")
        from_on = reading.day(form.from_on, "from_on")
        to_on = reading.day(form.to_on, "to_on")
        if reading.was_read("from_on", "to_on") and to_on < from_on:
            reading.fault("to_on", f"The visit ends on {say_day(to_on)}, before it begins on {say_day(from_on)}.")
        elif to_on < moment.today:
            reading.fault("to_on", f"{say_day(to_on)} is over. A visit is planned for today or later.")
        purpose = reading.text(form.purpose, "purpose", "The purpose", longest=200)
        reading.done()
        assert monitor is not None  # It was a fault above.
        return Draft(
            {
                "visit": f"{PREFIX}-{writer.counter('visit') + 1}",
                "monitor_id": monitor.account_id,
                "monitor": monitor.printed_name,
                "from_on": from_on,
                "to_on": to_on,
                "purpose": purpose,
            }
        )

    return perform(desk, act, "visit_planned", form, build)


@dataclass(frozen=True, slots=True)
class OpenVisitForm:
    """The visit to open; ``reason`` is asked for on a day outside the planned ones."""

    visit: str
    reason: str = ""


def open_visit(desk: Desk, act: Act, form: OpenVisitForm) -> Event:
    """Open the own planned visit. What it reviews is what was recorded since this monitor's last signed visit."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        visit = visit_of(writer, form.visit)
        reason = reading.note(form.reason, "reason", "The reason", longest=300)
        other = open_visit_of(writer, moment.person.account_id)
        if visit.monitor_id != moment.person.account_id:
            reading.fault("visit", f"Visit {visit.number} is {visit.monitor}'s, who opens it.")
        elif visit.status != "planned":
            reading.fault("visit", f"Visit {visit.number} was opened already. Plan a new one.")
        elif other is not None:
            reading.fault("visit", f"Your visit {other.number} is still open. Sign it first.")
        if not visit.from_on <= moment.today <= visit.to_on and not reason:
            reading.fault(
                "reason",
                f"The visit was planned for {_days(visit)}, and today is {say_day(moment.today)}. Say why it is today.",
            )
        reading.done()
        head = writer.head()
        return Draft(
            {
                "visit": visit.number,
                "since_seq": _since(writer, visit.monitor_id),
                "head_seq": head.seq,
                "head_hash": head.hash,
            },
            why=reason,
        )

    return perform(desk, act, "visit_opened", form, build)


@dataclass(frozen=True, slots=True)
class SignVisitForm:
    """The visit to sign, and its summary in the monitor's words."""

    visit: str
    summary: str


def sign_visit(desk: Desk, act: Act, form: SignVisitForm, own: Credentials) -> Event:
    """Sign the own open visit: summary, counts, what is left open, and the journal's end at this moment.

    What was recorded after the visit was opened belongs to it as well. Open queries and unverified entries do not keep
    it from being signed: they are listed in what is signed.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        visit = visit_of(writer, form.visit)
        summary = reading.text(form.summary, "summary", "The summary", longest=2000)
        reading.faults += not_open(visit, moment)
        if moment.signers[0].account_id != moment.person.account_id:
            reading.fault("user_name", f"Sign with your own account: {moment.person.printed_name} is signed in here.")
        reading.done()
        return Draft(
            {"visit": visit.number, "summary": summary, "record": visit_so_far(writer, visit)},
            why=summary,
        )

    return perform(desk, act, "visit_signed", form, build, (Signing(own, "reviewed the record in this visit"),))


# --- what is asked -----------------------------------------------------------------------------------------------


def visit_of(reader: Reader, number: str) -> views.VisitLine:
    """A visit by its number as typed; raises ``Refused`` when there is none."""
    visit = reader.visit(number.strip().upper())
    if visit is None:
        raise Refused(Fault("visit", f"There is no visit {number.strip()[:20] or 'without a number'}."))
    return visit


def open_visit_of(reader: Reader, account_id: str) -> views.VisitLine | None:
    """The visit that a monitor has open, if one is; there are never two."""
    return next(iter(reader.visits(monitor_id=account_id, status="open")), None)


def not_open(visit: views.VisitLine, moment: Moment) -> list[Fault]:
    """Why nothing is done in a visit now, or nothing: it is somebody else's, not opened yet, or signed."""
    if visit.monitor_id != moment.person.account_id:
        return [Fault("visit", f"Visit {visit.number} is {visit.monitor}'s. Work in your own.")]
    if visit.status == "planned":
        return [Fault("visit", f"Visit {visit.number} is not open yet. Open it first.")]
    if visit.status == "signed":
        return [Fault("visit", f"Visit {visit.number} was signed and stays as it is. Open a new one.")]
    return []


def changed_since(visit: views.VisitLine) -> ReviewFilter:
    """What changed since the monitor's last visit: for the page, to be narrowed with ``dataclasses.replace``.

    All that was recorded, or touched by another entry, after it; but what this monitor recorded. Up to the journal's
    end, and in a signed visit up to its end at the signing.
    """
    until = visit.record.head_seq if visit.record is not None else None
    return ReviewFilter(after_seq=visit.since_seq, until_seq=until, not_by=visit.monitor_id)


def visit_so_far(reader: Reader, visit: views.VisitLine) -> views.VisitRecord:
    """What the visit would hold if it were signed now; for a signed one, what it held then."""
    if visit.record is not None:
        return visit.record
    head = reader.head()
    changed = changed_since(visit)
    waiting = reader.queries(QueryFilter(NOT_CLOSED), offset=0, limit=EVERY)
    return views.VisitRecord(
        since_seq=visit.since_seq,
        head_seq=head.seq,
        head_hash=head.hash,
        entries=reader.review_count(changed),
        verified_here=reader.count_verified_in(visit.number),
        unverified=runs(reader.review_numbers(changed)),
        queries_opened=reader.count_queries(QueryFilter(visit=visit.number)),
        queries_open=tuple(query.number for query in waiting),
        units_accounted=reader.count_reconciled(ReconciledFilter(visit=visit.number)),
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """Entries to be looked at: all that have a reason, and ``drawn`` of the ``alike`` ones that have none."""

    with_reason: tuple[int, ...]
    drawn: tuple[int, ...]
    alike: int


def visit_sample(reader: Reader, visit: views.VisitLine, size: int | None = None) -> Sample:
    """A sample of what changed until the visit was opened, the same whenever it is drawn; see ``review.sample_of``.

    ``size`` is how many of the entries without a reason are drawn, the square root of their number plus one unless
    given. Raises ``Refused`` for a visit that was not opened.
    """
    opened = reader.event(visit.opened_seq) if visit.opened_seq is not None else None
    if opened is None:
        raise Refused(Fault("visit", f"Visit {visit.number} is not open yet. Its sample is drawn when it is."))
    # Why an entry deserves a look never changes; whether it was touched does, and has no say in what is drawn.
    every = ReviewFilter(
        after_seq=visit.since_seq, or_touched=False, until_seq=opened.content["head_seq"], not_by=visit.monitor_id
    )
    marked = [seq for seq, _ in reader.review_numbers(replace(every, with_reason=True))]
    alike = [seq for seq, _ in reader.review_numbers(replace(every, with_reason=False))]
    wanted = usual_size(len(alike)) if size is None else size
    drawn = sample_of(alike, wanted, visit.number, opened.content["head_hash"])
    return Sample(tuple(marked), drawn, len(alike))


def _since(reader: Reader, monitor_id: str) -> int:
    """The journal's end at the signing of this monitor's last visit; 0 when there was none."""
    signed = (visit.record for visit in reader.visits(monitor_id=monitor_id, status="signed"))
    return max((record.head_seq for record in signed if record is not None), default=0)


def _days(visit: views.VisitLine) -> str:
    if visit.from_on == visit.to_on:
        return say_day(visit.from_on)
    return f"{say_day(visit.from_on)} to {say_day(visit.to_on)}"
