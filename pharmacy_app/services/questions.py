"""Questions that take more than one look into the store: what waits today."""

from collections.abc import Iterator
from datetime import date, timedelta

from pharmacy_app.domain.expiry import expiring_lots
from pharmacy_app.domain.vials import usable_on
from pharmacy_app.services import views
from pharmacy_app.services.counts import count_dues
from pharmacy_app.services.desk import Desk, today_of
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.preparation import BAG_LABELS
from pharmacy_app.services.study_settings import unset_settings
from pharmacy_app.services.treatment import calendar

DUE_AHEAD_DAYS = 3
"""How many days before its window a dose is shown as due, when nobody ordered it yet."""

OPEN = ("ordered", "stopped", "decided", "planned", "verified", "prepared", "released")


def today(desk: Desk, reader: Reader) -> views.Today:
    """What waits: doses under way, vials held or quarantined, expiries ahead, settings not signed, open errors."""
    day = today_of(desk, reader)
    stock = reader.stock()
    return views.Today(
        day=day,
        open_doses=tuple(reader.doses(statuses=OPEN)),
        held=sum(line.vials for line in stock if line.state == "held"),
        quarantined=sum(line.vials for line in stock if line.state == "quarantined"),
        expiring=expiring_lots(stock, day),
        usable=tuple(line for line in stock if usable_on(line.state, line.expires_on, day)),
        unset_settings=unset_settings(reader),
        open_errors=tuple(error for error in reader.errors() if error.status == "open"),
        unclosed_doses=tuple(
            line
            for line in reader.doses(statuses=("administered", "cancelled"))
            if line.status == "administered" or _has_opened(reader, line.dose_id)
        ),
        due=tuple(_due(desk, reader, day)),
        discrepancies=tuple(reader.discrepancies(status="open")),
        counts=count_dues(desk, reader),
        to_relabel=tuple(reader.to_relabel()),
        open_deviations=tuple(reader.deviations(status="open")),
        open_prints=tuple(reader.open_prints()),
        unscanned=tuple(reader.unscanned_vials()),
        unscanned_bags=tuple(_unscanned_bags(reader)),
    )


def _unscanned_bags(reader: Reader) -> Iterator[views.UnscannedBag]:
    """Bags whose labels were printed for what is in them now, and not all scanned back."""
    for line in reader.doses(statuses=("prepared",)):
        thread = reader.dose(line.dose_id)
        since = thread.prepare_seq if thread is not None and thread.prepare_seq is not None else 0
        newest = [
            label
            for kind in BAG_LABELS
            if (label := reader.newest_label(kind, line.dose_id)) is not None and label.live and label.event_seq > since
        ]
        left = tuple(label.kind for label in newest if label.scanned_at is None)
        if left:
            yield views.UnscannedBag(line.dose_id, line.subject_number, left)


def _due(desk: Desk, reader: Reader, day: date) -> Iterator[views.DueLine]:
    """Doses that are due now or in a few days and that nobody ordered yet, those that are late first."""
    under_way = {(dose.subject_number, dose.course, dose.cycle, dose.day) for dose in reader.doses(statuses=OPEN)}
    lines = []
    for subject in reader.subjects():
        due = calendar(desk, reader, subject.subject_number).next_due
        if due is None or (subject.subject_number, due.course, due.cycle, due.day) in under_way:
            continue
        if due.from_on <= day + timedelta(days=DUE_AHEAD_DAYS):
            lines.append(views.DueLine(subject.subject_number, due.from_on, due.until_on < day, due.words))
    yield from sorted(lines, key=lambda line: (not line.late, line.from_on, line.subject_number))


def _has_opened(reader: Reader, dose_id: str) -> bool:
    thread = reader.dose(dose_id)
    return thread is not None and any(line.residue_mg is None for line in thread.mg)
