"""The demonstration is a believable half year: sound, balanced on each of its days, with work left in every room."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from pharmacy_app.demo import DemoDay, make_demonstration
from pharmacy_app.demo_stock import letter_pdf
from pharmacy_app.demo_year import DAYS, HALF_YEAR
from pharmacy_app.domain.events import utc_text
from pharmacy_app.services.ports import LedgerFilter, QueryFilter, Reader, ReconciledFilter, ReviewFilter
from pharmacy_app.services.queries import aged
from pharmacy_app.services.questions import today
from tests.scenarios.conftest import MADE_AT
from tests.scenarios.reading import words_of

Lot = tuple[Decimal, str]

RECEIVED = {"INO1-A117": 12, "INO4-B203": 4, "INO1-A121": 13, "INO1-A126": 26, "INO4-B150": 3, "INO1-A130": 12,
            "INO1-A134": 6}  # fmt: skip
"""The vials of the five shipments, lot by lot, as the table of the half year says."""


def events_by_kind(reader: Reader) -> Counter[str]:
    count = reader.count_events(kind="", text="")
    return Counter(event.kind for event in reader.events(kind="", text="", offset=0, limit=count))


def test_it_is_sound(study: DemoDay) -> None:
    found = study.desk.store.verify()
    assert found.sound, found.trouble
    assert found.replayed == found.events


def test_everything_that_can_happen_to_a_vial_has_happened(study: DemoDay) -> None:
    with study.desk.store.read() as reader:
        kinds = events_by_kind(reader)
        assert kinds["shipment_received"] == 5
        assert {
            "receipt_acknowledged", "logger_read", "vials_quarantined", "move_undone", "quarantine_lifted",
            "vials_transported", "vials_broken", "vials_returned", "vials_transferred", "vials_accounted",
            "vials_destroyed", "count_recorded", "discrepancy_explained", "deviation_recorded", "deviation_reported",
            "deviation_decided", "deviation_closed", "expiry_extended", "vials_relabelled", "measurement_corrected",
            "medication_error_assessed", "level_changed", "delay_recorded", "treatment_ended", "period_signed",
        } <= kinds.keys()  # fmt: skip
        received = Counter[str]()
        for strength_mg, lot, count in reader.lots_received():
            assert strength_mg == int(lot[3])
            received[lot] += count
        assert received == RECEIVED
        late = [line for line in reader.whole_ledger(LedgerFilter()) if line.late_why]
        assert [(line.move, line.quantity) for line in late] == [("break", 1)]
        assert len(reader.subjects()) == 6
        # Every place is counted about once a month from its first vials on.
        counts = reader.stock_counts(place="Refrigerator 1")
        moments = sorted(count.counted_at for count in counts)
        assert all(timedelta(0) < b - a < timedelta(days=35) for a, b in pairwise(moments))
        assert sum(bool(count.discrepancy) for count in counts) == 1


def days(reader: Reader) -> Iterator[datetime]:
    """Midnight after each of the days, at the site's standard time."""
    first = MADE_AT - timedelta(days=DAYS)
    for number in range(DAYS + 1):
        yield (first + timedelta(days=number)).replace(hour=6, minute=0)


def test_the_books_balance_at_the_end_of_every_day_as_known_then_and_as_known_now(study: DemoDay) -> None:
    with study.desk.store.read() as reader:
        # What came, by the receipts alone: the ledger's sums are held against it.
        count = reader.count_events(kind="shipment_received", text="")
        receipts = reader.events(kind="shipment_received", text="", offset=0, limit=count)
        differs = 0
        for moment in days(reader):
            came = Counter[Lot]()
            for receipt in receipts:
                if receipt.done_at <= moment:
                    for moved in receipt.content["moves"]:
                        came[Decimal(moved["strength_mg"]), moved["lot"]] += 1
            then, now = Counter[Lot](), Counter[Lot]()
            for line in reader.past_stock(utc_text(moment)):
                assert line.known_then >= 0
                assert line.known_now >= 0
                differs += line.known_then != line.known_now
                then[line.strength_mg, line.lot] += line.known_then
                now[line.strength_mg, line.lot] += line.known_now
            assert +then == came, moment
            assert +now == came, moment
        # The vial that broke in the evening was available by the books of that night, and is broken by today's; the
        # wrong quarantine was taken back within the hour, before any night.
        assert differs == 2


def test_there_is_something_to_do_in_every_room(study: DemoDay) -> None:
    with study.desk.store.read() as reader:
        waits = today(study.desk, reader)
        assert not waits.unset_settings
        assert [(dose.subject_number, dose.status) for dose in waits.open_doses] == [("000-005", "planned")]
        assert [due.subject_number for due in waits.due] == ["000-003", "000-006"]
        assert waits.held == RECEIVED["INO1-A134"]
        assert waits.quarantined == RECEIVED["INO4-B150"]
        assert [(lot.lot, lot.warning) for lot in waits.expiring] == [("INO4-B150", 30)]
        assert {due.place for due in waits.counts if due.soon and not due.late} == {
            "Refrigerator 1", "Refrigerator 2", "Satellite Infusion Center",
        }  # fmt: skip
        assert len(waits.to_relabel) == 2
        assert len(waits.open_errors) == 1
        assert len(waits.open_deviations) == 1
        # The monitor finds containers to account for, and a quarter that is not signed yet.
        assert [period.through_on.isoformat() for period in reader.periods()] == ["2026-08-22"]
        assert any(line.state == "empty" for line in reader.stock())


def test_the_monitor_has_been_there_twice_and_comes_today(study: DemoDay) -> None:
    with study.desk.store.read() as reader:
        third, second, first = reader.visits()
        assert [(visit.number, visit.status) for visit in (first, second, third)] == [
            ("VIS-1", "signed"), ("VIS-2", "signed"), ("VIS-3", "planned"),
        ]  # fmt: skip
        # 88 and 20 days before today, and planned for today and tomorrow.
        assert [visit.from_on.isoformat() for visit in (first, second, third)] == [
            "2026-08-26", "2026-11-02", "2026-11-22",
        ]  # fmt: skip
        assert first.record is not None and second.record is not None
        assert second.since_seq == first.record.head_seq
        # One query was left to the site in August, three in November.
        assert first.record.queries_open == ("QRY-2",)
        assert second.record.queries_open == ("QRY-3", "QRY-4", "QRY-5")
        site = date(2026, 11, 22)
        stands = [aged(query, site) for query in reader.queries(QueryFilter(), offset=0, limit=9)]
        assert sorted((each.query.number, each.query.status, each.overdue) for each in stands) == [
            ("QRY-1", "closed", False), ("QRY-2", "closed", False), ("QRY-3", "closed", False),
            ("QRY-4", "answered", True), ("QRY-5", "open", True), ("QRY-6", "open", False),
        ]  # fmt: skip
        said = [line.says for line in reader.query_lines("QRY-4")]
        assert said == ["opened", "answered", "returned", "answered"]
        # The correction that answered the third query has opened the review of what was verified.
        (corrected,) = [
            event.seq for event in reader.events(kind="administration_corrected", text="", offset=0, limit=9)
        ]
        (reopened,) = reader.review_entries(ReviewFilter(status="reopened"), by_risk=True, offset=0, limit=9)
        assert (reopened.event.kind, reopened.mark.touched_seq) == ("dose_administered", corrected)
        seen = reader.review_count(ReviewFilter())
        assert seen.verified > seen.unseen > 0
        # The monitor opens the desk on what was recorded in the last 20 days, and everything used since waits.
        assert reader.count_review_entries(ReviewFilter(after_seq=second.record.head_seq)) > 50
        assert {unit.visit for unit in reader.reconciled(ReconciledFilter(reconciled=True), offset=0, limit=99)} == {
            "VIS-1", "VIS-2",
        }  # fmt: skip


def test_the_documents_are_real_files(study: DemoDay) -> None:
    with study.desk.store.read() as reader:
        documents = reader.documents()
        assert {"certificate", "approval", "letter", "supporter's permission", "logger file"} == {
            document.kind for document in documents
        }
        for document in documents:
            content = reader.paper(document.sha256)
            assert content is not None
            if document.media_type == "application/pdf":
                (page,) = words_of(content)
                assert document.title in page
                assert "MADE-UP DOCUMENT" in page


def test_a_letter_keeps_its_signs() -> None:
    (page,) = words_of(letter_pdf("A (letter)", ("back\\slash", "100 % of (it)")))
    assert page.startswith("A (letter) back\\slash 100 % of (it)")


def test_the_table_goes_forward() -> None:
    at = [(-beat.days_before, beat.at) for beat in HALF_YEAR]
    assert at == sorted(at)
    assert HALF_YEAR[0].days_before < DAYS


@pytest.mark.parametrize("moment", ["2027-03-14T05:05:00"])
def test_it_is_made_at_five_past_midnight_too(tmp_path: Path, moment: str) -> None:
    """00:05 at the site, in the night in which its clock goes forward: the last hour has five minutes."""
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    day = make_demonstration(tmp_path / "night.sqlite", today=now)
    assert day.desk.store.verify().sound
    with day.desk.store.read() as reader:
        assert reader.head().recorded_utc <= utc_text(now)
        assert [dose.status for dose in today(day.desk, reader).open_doses] == ["planned"]
    day.desk.store.close()
