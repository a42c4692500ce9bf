"""The report of a monitor's visit."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.review import Said
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Moment, protocol_of, zone_of
from pharmacy_app.services.papers_records import AccountedUnit, QueryOnPaper, ReviewedLine, VisitReport
from pharmacy_app.services.ports import QueryFilter, Reader, ReconciledFilter, TrailFilter
from pharmacy_app.services.printing import Printed, Tell, print_record, signatures_of, stamp_of, told
from pharmacy_app.services.queries import aged
from pharmacy_app.services.records_doses import kind_said
from pharmacy_app.services.records_trail import about_of
from pharmacy_app.services.reviews import verified_words
from pharmacy_app.services.visits import EVERY, changed_since, visit_of, visit_sample, visit_so_far

VISIT_REPORT = "visit report"
TOGETHER = 200
"""Entries read at a time."""


def print_visit(desk: Desk, act: Act, number: str, tell: Tell | None = None) -> Printed:
    """The report of one visit; of one not yet signed, how it stands. Anyone signed in may print it.

    ``tell`` hears how far it is and may raise to stop it.
    """
    with desk.store.read() as reader:
        tidy = visit_of(reader, number).number

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        return desk.papers.visit_report(_report(desk, reader, moment, visit_of(reader, tidy), copy_number, tell))

    return print_record(desk, act, VISIT_REPORT, tidy, make)


def _report(
    desk: Desk, reader: Reader, moment: Moment, visit: views.VisitLine, copy_number: int, tell: Tell | None
) -> VisitReport:
    if visit.opened_seq is None:
        raise Refused(Fault("visit", f"Visit {visit.number} is not open yet: there is nothing to report."))
    zone = zone_of(moment.site)
    record = visit_so_far(reader, visit)
    sample = visit_sample(reader, visit)
    signed = reader.event(visit.signed_seq) if visit.signed_seq is not None else None
    count = reader.count_review_entries(replace(changed_since(visit), with_reason=True))
    return VisitReport(
        stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now),
        number=visit.number,
        copy_number=copy_number,
        product=protocol_of(moment.site, moment.today).study.drug,
        investigator=moment.site.principal_investigator,
        monitor=visit.monitor,
        status=visit.status,
        from_on=visit.from_on,
        to_on=visit.to_on,
        purpose=visit.purpose,
        opened_at=None if visit.opened_at is None else visit.opened_at.astimezone(zone),
        opened_why=visit.opened_why,
        signed_at=None if visit.signed_at is None else visit.signed_at.astimezone(zone),
        summary=visit.summary,
        since_entry=record.since_seq,
        through_entry=record.head_seq,
        head_hash=record.head_hash,
        reviewable=record.entries.reviewable,
        verified_count=record.entries.verified,
        reopened=record.entries.reopened,
        unseen=record.entries.unseen,
        with_reason=record.entries.with_reason,
        verified_here=record.verified_here,
        queries_opened=record.queries_opened,
        queries_open=record.queries_open,
        units_accounted=record.units_accounted,
        unverified=tuple(_run(first, last) for first, last, _ in record.unverified),
        verified=tuple(_verified(reader, visit)),
        drawn=sample.drawn,
        alike=sample.alike,
        flagged=told(_flagged(reader, moment.site, visit), count, tell),
        queries=tuple(_queries(reader, moment, visit, record.queries_open)),
        units=tuple(_units(reader, moment.site, visit)),
        signatures=signatures_of(reader, signed) if signed else (),
    )


def _run(first: int, last: int) -> str:
    return f"{first:,}" if first == last else f"{first:,}–{last:,}"


def _verified(reader: Reader, visit: views.VisitLine) -> Iterator[str]:
    """The entries that were verified in a visit, in runs of numbers that follow each other."""
    numbers: set[int] = set()
    for event in reader.trail(TrailFilter(kind="entries_verified", text=f'"{visit.number}"')):
        if event.content["visit"] == visit.number:
            numbers.update(each["seq"] for each in event.content["entries"])
    return _in_runs(sorted(numbers))


def _in_runs(numbers: Sequence[int]) -> Iterator[str]:
    begins = 0
    for at, number in enumerate(numbers):
        if at + 1 == len(numbers) or numbers[at + 1] != number + 1:
            yield _run(numbers[begins], number)
            begins = at + 1


def _flagged(reader: Reader, site: views.Site, visit: views.VisitLine) -> Iterator[ReviewedLine]:
    """Entries with a reason to be looked at, by risk, a few read at a time."""
    wanted, zone, offset = replace(changed_since(visit), with_reason=True), zone_of(site), 0
    while some := reader.review_entries(wanted, by_risk=True, offset=offset, limit=TOGETHER):
        offset += len(some)
        for entry in some:
            yield ReviewedLine(
                entry.seq,
                entry.event.done_at.astimezone(zone),
                kind_said(entry.event.kind),
                about_of(entry.event),
                entry.event.actor_name,
                tuple(_reason_said(said) for said in entry.reasons),
                entry.mark.status,
                verified_words(entry.mark, site),
            )


def _reason_said(said: Said) -> str:
    """A reason with what it is here, unless that says the same again."""
    return f"{said.reason}: {said.words}" if said.words not in ("", str(said.reason)) else str(said.reason)


def _queries(
    reader: Reader, moment: Moment, visit: views.VisitLine, open_at_its_end: Sequence[str]
) -> Iterator[QueryOnPaper]:
    """The visit's queries and those that were not closed at its end, in the order in which they were opened."""
    zone = zone_of(moment.site)
    of_it = reader.queries(QueryFilter(visit=visit.number), offset=0, limit=EVERY)
    found = {query.number: query for query in (*of_it, *map(reader.query, open_at_its_end)) if query is not None}
    for query in sorted(found.values(), key=lambda each: each.event_seq):
        stands = aged(query, moment.today)
        yield QueryOnPaper(
            query.number,
            stands.about,
            query.status,
            stands.age_days,
            stands.overdue,
            query.visit,
            tuple(
                (line.says, line.text, line.person, line.said_at.astimezone(zone))
                for line in reader.query_lines(query.number)
            ),
        )


def _units(reader: Reader, site: views.Site, visit: views.VisitLine) -> Iterable[AccountedUnit]:
    zone = zone_of(site)
    return (
        AccountedUnit(
            unit.unit_number,
            unit.kit_number,
            unit.strength_mg,
            unit.lot,
            unit.state,
            None if unit.site_at is None else unit.site_at.astimezone(zone),
            unit.site_by,
            None if unit.monitor_at is None else unit.monitor_at.astimezone(zone),
            unit.monitor,
        )
        for unit in reader.reconciled(ReconciledFilter(visit=visit.number), offset=0, limit=EVERY)
    )
