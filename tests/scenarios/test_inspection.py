"""What an inspector asks for first, point by point, on the demonstration's half year (REGULATION chapter 8).

Each point asks the services as the window does, for every vial or dose and not for one that was chosen, and looks at
signatures, places, papers and documents by their bytes. What must be refused is refused and leaves its trace.
"""

import csv
import io
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from pharmacy_app.demo import DemoDay, weigh
from pharmacy_app.demo_acts import vials_of
from pharmacy_app.demo_stock import count
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import utc_text
from pharmacy_app.domain.vials import Vial, move_table
from pharmacy_app.services import views
from pharmacy_app.services.corrections import correctable
from pharmacy_app.services.counts import begin_count, print_count
from pharmacy_app.services.desk import Credentials
from pharmacy_app.services.disposition import DestroyForm, LossForm, break_vials, destroy_vials
from pharmacy_app.services.disposition_forms import form_number, print_form
from pharmacy_app.services.documents import SUPPORTERS_PERMISSION
from pharmacy_app.services.export import export_subject
from pharmacy_app.services.medication_errors import error_record
from pharmacy_app.services.ports import LedgerFilter, Reader, VialFilter
from pharmacy_app.services.printing import RecordForm, print_accountability_record, print_medication_error
from pharmacy_app.services.stock import QuarantineForm, quarantine
from pharmacy_app.services.storage import deviation_record
from pharmacy_app.services.storage_report import print_deviation
from tests.scenarios.reading import words_of

EXCURSION = "X000001T"
PLACE = "Refrigerator 1"
GIVEN = ("administered", "closed")


@pytest.fixture
def reader(study: DemoDay) -> Iterator[Reader]:
    """The study as it is."""
    with study.desk.store.read() as found:
        yield found


def every_vial(reader: Reader) -> tuple[Vial, ...]:
    wanted = VialFilter()
    return tuple(reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=reader.count_vials(wanted)))


def life(reader: Reader, vial: Vial) -> tuple[views.LedgerLine, ...]:
    found = reader.vial_life(vial.unit_number)
    assert found is not None
    assert found.vial == vial
    return tuple(sorted(found.lines, key=lambda line: (line.event_seq, int(line.line_id.split(".")[1]))))


def event(reader: Reader, seq: int | None) -> views.EventLine:
    assert seq is not None
    found = reader.event(seq)
    assert found is not None
    return found


def signers(line: views.EventLine) -> list[str]:
    """The printed names under an entry."""
    return [signature.split(":")[0] for signature in line.signatures]


def document_whole(reader: Reader, number: str) -> views.DocumentLine:
    """A document whose bytes are there and are those whose SHA-256 the record names."""
    document = reader.document(number)
    assert document is not None
    content = reader.paper(document.sha256)
    assert content is not None
    assert (sha256(content).hexdigest(), len(content)) == (document.sha256, document.size_bytes)
    return document


# --- 1. every vial: receipt, place, dispensing, subject, empty, destruction -------------------------------------


def test_1_the_life_of_every_vial_ends_where_the_books_say(reader: Reader) -> None:
    ends = Counter[tuple[Decimal, str, str, str]]()
    for vial in every_vial(reader):
        state = place = ""
        for line in life(reader, vial):
            # Each line begins where the one before ended; a paired line leaves one place and comes to another.
            assert line.from_state == state, (vial.unit_number, line.line_id)
            assert vial.unit_number in line.units
            assert len(line.units) == line.quantity
            assert line.recorder
            if line.to_state:
                place = line.place
            state = line.to_state
        first, last = life(reader, vial)[0], life(reader, vial)[-1]
        assert (first.move, first.reference) == ("receive", vial.shipment_number)
        assert (last.to_state, place) == (vial.state, vial.place)
        ends[vial.strength_mg, vial.lot, place, state] += 1
    assert ends == {
        (line.strength_mg, line.lot, line.place, line.state): line.vials for line in reader.stock() if line.vials
    }
    assert ends.total() == 76


def test_1_every_destroyed_vial_names_its_subject_its_people_and_its_permission(reader: Reader) -> None:
    destroyed = [vial for vial in every_vial(reader) if vial.state == "destroyed"]
    used = [vial for vial in destroyed if vial.dose_id]
    # What was destroyed and never given is the one vial that broke.
    assert len(destroyed) - len(used) == 1
    for vial in destroyed:
        lines = {line.move: line for line in life(reader, vial)}
        end = event(reader, lines["destroy"].event_seq)
        doer, witness = signers(end)
        assert doer != witness
        assert witness == lines["destroy"].verifier
        assert end.content["method"]
        permission = document_whole(reader, end.content["permission"])
        assert (permission.kind, bool(permission.signed_by)) == (SUPPORTERS_PERMISSION, True)
        assert permission.attached_at <= end.done_at
        # Somebody from outside accounted for this very container before.
        (accounted,) = [
            each
            for each in reader.events_between(("vials_accounted",), 0, end.seq)
            if vial.unit_number in each.content["unit_numbers"]
        ]
        assert signers(accounted) == ["Kim Sorensen"] == [vial.accounted_by]
    for vial in used:
        lines = {line.move: line for line in life(reader, vial)}
        thread = reader.dose(vial.dose_id)
        assert thread is not None
        assert lines["open"].counterparty == thread.line.subject_number
        assert lines["open"].dose_id == vial.dose_id
        assert reader.subject(thread.line.subject_number) is not None
        assert {signers(event(reader, seq))[0] for seq in (thread.plan_seq, thread.release_seq)} == {"Dana Whitfield"}
        assert {"receive", "release", "reserve", "open"} <= lines.keys()
        assert {"close empty", "close partial"} & lines.keys()
        # Every milligram on the label went somewhere.
        found = reader.vial_life(vial.unit_number)
        assert found is not None
        assert found.mg is not None
        assert found.mg.residue_mg is not None
        assert found.mg.discarded_mg is not None
        assert found.mg.withdrawn_mg + found.mg.residue_mg + found.mg.discarded_mg == vial.strength_mg


@pytest.mark.parametrize(("state", "kind", "move"), [
    ("returned", "vials_returned", "return"),
    ("transferred", "vials_transferred", "transfer"),
    ("destroyed", "vials_destroyed", "destroy"),
])  # fmt: skip
def test_1_the_papers_of_what_left_name_every_vial(own_study: DemoDay, state: str, kind: str, move: str) -> None:
    desk = own_study.desk
    with desk.store.read() as reader:
        gone = {vial.unit_number for vial in every_vial(reader) if vial.state == state}
        events = reader.events(kind=kind, text="", offset=0, limit=reader.count_events(kind=kind, text=""))
        told = [moved["unit_number"] for each in events for moved in each.content["moves"]]
        permissions = {each.content["permission"] for each in events}
        for number in permissions:
            assert document_whole(reader, number).kind == SUPPORTERS_PERMISSION
    assert gone
    assert sorted(told) == sorted(gone)
    for each in events:
        text = " ".join(words_of(print_form(desk, own_study.act("monitor"), form_number(move, each.seq)).pdf))
        for name in signers(each):
            assert name in text
        assert each.content["permission"] in text
        for lot in {moved["lot"] for moved in each.content["moves"]}:
            assert lot in text


# --- 2. count the refrigerator -----------------------------------------------------------------------------------


def test_2_the_refrigerator_counted_is_the_number_on_the_screen(own_study: DemoDay) -> None:
    desk = own_study.desk
    unopened = [state.name for state in move_table().states.values() if state.on_site in ("available", "quarantine")]
    with desk.store.read() as reader:
        on_screen = sum(line.vials for line in reader.stock() if line.place == PLACE and line.state in unopened)
        last = reader.stock_counts(place=PLACE)[0].number
        # Who counts is told which lots to look for, and no number.
        begun = begin_count(reader)
        assert {lot.lot for lot in begun.lots} >= {"INO1-A126", "INO1-A130", "INO1-A134"}
    # 5 of A126 and 10 of A130 to use, 2 of A121 reserved for today's dose, 6 of A134 held.
    assert on_screen == 5 + 10 + 2 + 6
    assert count(own_study, PLACE) == ""
    with desk.store.read() as reader:
        counted = reader.stock_counts(place=PLACE)[0]
        assert counted.number != last
        assert sum(line.counted for line in counted.lines) == on_screen
        assert counted.counted_by != counted.verified_by
    text = " ".join(words_of(print_count(desk, own_study.act("monitor"), counted.number).pdf))
    for words in (counted.number, "Lee Marchetti", "Sam Okafor", PLACE):
        assert words in text
    # One vial fewer on the shelf than in the books is named and stays open until two have signed.
    found = count(own_study, PLACE, overlooked=1)
    with desk.store.read() as reader:
        discrepancy = reader.discrepancy(found)
    assert discrepancy is not None
    assert (discrepancy.status, [concern.difference for concern in discrepancy.concerns]) == ("open", [-1])
    assert desk.store.verify().sound


def test_2_the_difference_that_was_found_was_explained_by_two(reader: Reader) -> None:
    (discrepancy,) = reader.discrepancies()
    assert (discrepancy.status, discrepancy.outcome) == ("closed", "found miscounted")
    assert len(set(signers(event(reader, discrepancy.closed_seq)))) == 2
    counted = reader.stock_count(discrepancy.count_number)
    assert counted is not None
    assert sum(line.difference for line in counted.lines) == -1


# --- 3. the excursion and its written release --------------------------------------------------------------------


def test_3_the_excursion_its_vials_and_the_written_release(reader: Reader, study: DemoDay) -> None:
    record = deviation_record(study.desk, reader, EXCURSION)
    line = record.line
    # By the table of that night, in quarters of an hour after 08:00: at the 52nd 6.2 + 19/26 of the way to 8.8 is 8.1;
    # the highest is the 62nd with 11.8 − 0.3; from the 67th on it is below 8 again.
    assert line.max_celsius == Decimal("11.5")
    (span,) = record.spans
    assert span.start - line.started_at == timedelta(minutes=52 * 15)
    assert span.end - line.started_at == timedelta(minutes=67 * 15)
    assert (line.place, line.logger_serial) == (PLACE, "TL-R1-0417")
    assert line.calibration_due is not None
    assert line.calibration_due > line.recorded_at.date()
    # Every unopened vial that lay there that night, by the ledger read at that moment, was quarantined.
    lay_there = Counter[str]()
    for stock in reader.past_stock(utc_text(span.start)):
        if stock.place == PLACE and stock.state in ("held", "available", "reserved", "quarantined"):
            lay_there[stock.lot] += stock.known_then
    assert Counter(vial.line.lot for vial in record.vials) == +lay_there
    assert all(vial.line.quarantined for vial in record.vials)
    # The logger's file is kept byte for byte, and so is the supporter's letter.
    assert document_whole(reader, line.document_id).sha256 == line.file_sha256
    assert record.told[0].told_at - line.discovered_at < timedelta(hours=1)
    numbers = {vial.line.document_id for vial in record.vials}
    (number,) = numbers
    letter = document_whole(reader, number)
    assert (letter.about, letter.kind, letter.signed_by) == (EXCURSION, SUPPORTERS_PERMISSION, "Alex Brandt")
    decided = Counter((vial.line.lot, vial.line.decision, vial.outcome.move) for vial in record.vials if vial.outcome)
    # 5 doses of the first subject had taken 2, 2, 2, 2 and 1 vials, 5 of the second 2, 1, 1, 2 and 1: all 12 of A117
    # and 4 of A121. Of its other 9 one had come damaged, and one of the 8 released got a crack and went back as well.
    assert decided == {
        ("INO1-A121", "may be used", "lift quarantine"): 7,
        ("INO1-A121", "may be used", "return"): 1,
        ("INO1-A121", "must not be used", "return"): 1,
        ("INO4-B203", "must not be used", "return"): 4,
    }
    assert decided.total() == len(record.vials)
    # Nothing of it was used before the letter came.
    for vial in record.vials:
        assert vial.outcome is not None
        assert vial.outcome.done_at >= letter.attached_at
        before = [each for each in reader.moves_after([vial.line.unit_number], utc_text(line.recorded_at))
                  if each.done_at < letter.attached_at]  # fmt: skip
        assert [each.move for each in before] == []
    assert not record.missing
    assert signers(event(reader, line.closed_seq)) == ["Dana Whitfield"]


def test_3_the_report_says_it_on_paper(own_study: DemoDay) -> None:
    text = " ".join(words_of(print_deviation(own_study.desk, own_study.act("monitor"), EXCURSION).pdf))
    for words in (EXCURSION, "11.5", "TL-R1-0417", PLACE, "INO1-A121", "INO4-B203", "Alex Brandt", "Dana Whitfield"):
        assert words in text, words


# --- 4. a corrected line ------------------------------------------------------------------------------------------


def test_4_a_corrected_line_its_old_value_and_the_reason(own_study: DemoDay) -> None:
    desk = own_study.desk
    with desk.store.read() as reader:
        (undone,) = [line for line in reader.every_correction() if line.kind == "move_undone"]
        wrong, right = (event(reader, seq).content for seq in (undone.corrects_seq, undone.event_seq + 1))
        unit_number, cracked = wrong["moves"][0]["unit_number"], right["moves"][0]["unit_number"]
        assert [(change.old, change.new) for change in undone.changes] == [("quarantined", "available")]
        assert undone.why == f"The neighbour was scanned: the crack is in {cracked}."
        assert undone.signed_by == "Lee Marchetti, Dana Whitfield"
        # On the screen: the old line is there as it was, and says what became of it; it is corrected once.
        shown = correctable(reader, undone.corrects_seq)
        assert shown.correction == undone
        assert shown.why_not
        vial = reader.vial(unit_number)
        assert vial is not None
        old, new = (line for line in life(reader, vial) if line.event_seq in (undone.corrects_seq, undone.event_seq))
        assert (old.move, old.from_state, old.to_state) == ("quarantine", "available", "quarantined")
        assert (new.from_state, new.to_state, new.corrects_seq) == ("quarantined", "available", undone.corrects_seq)
    text = " ".join(words_of(print_accountability_record(desk, own_study.act("monitor"), RecordForm("1")).pdf))
    told = "".join(text.split())
    for words in (old.comment, undone.why, "CORRECT", "QUARANTINE", unit_number, f"entry {undone.corrects_seq}"):
        assert "".join(words.split()) in told, words


def test_4_a_weight_that_was_typed_wrong_stays_readable_and_no_dose_used_it(reader: Reader) -> None:
    weights = [line for line in reader.measurements("000-002", corrected=True) if line.kind == "weight"]
    (wrong,) = [line for line in weights if line.corrected_seq is not None]
    assert wrong.corrected_seq is not None
    (right,) = [line for line in weights if line.event_seq == wrong.corrected_seq]
    assert (wrong.typed_value, right.typed_value) == ("55.4", "54.5")
    correction = reader.correction(wrong.event_seq)
    assert correction is not None
    assert [(change.label, change.old, change.new) for change in correction.changes] == [("Weight", "55.4", "54.5")]
    assert correction.why
    assert wrong.value not in {line.value for line in reader.measurements("000-002")}
    used = {
        thread.weight_kg for line in reader.doses(subject_number="000-002") if (thread := reader.dose(line.dose_id))
    }
    assert wrong.value not in used
    assert right.value in used


# --- 5. doses: the independent check, the weight's date ----------------------------------------------------------


def test_5_every_dose_was_checked_independently_and_its_weight_is_at_most_a_week_old(reader: Reader) -> None:
    doses = [line for line in reader.doses() if line.status in GIVEN]
    assert len(doses) == 24
    for line in doses:
        thread = reader.dose(line.dose_id)
        assert thread is not None
        check, planned = event(reader, thread.verify_seq), event(reader, thread.plan_seq)
        assert check.content["agreed"]
        assert signers(check) == [thread.verified_by] == ["Sam Okafor"]
        assert signers(planned) == [thread.planned_by] != signers(check)
        # The second person typed height, weight, level and dose anew, before anything was mixed.
        assert Decimal(check.content["typed"]["weight_kg"]) == thread.weight_kg
        assert Decimal(check.content["typed"]["height_cm"]) == thread.height_cm
        assert planned.done_at <= check.done_at <= event(reader, thread.prepare_seq).recorded_at
        assert thread.weight_on is not None
        assert line.given_on is not None
        assert timedelta(0) <= line.given_on - thread.weight_on <= timedelta(days=7)
        # √(height × weight ÷ 3600) m², by the level of the cycle, to 0.01 mg.
        assert thread.height_cm is not None
        area = (thread.height_cm * thread.weight_kg / 3600).sqrt() if thread.weight_kg else Decimal(0)
        per_m2 = {
            (True, 0): {1: "0.8", 8: "0.5", 15: "0.5"},
            (False, 0): {1: "0.6", 8: "0.3"},
            (False, -1): {1: "0.4", 8: "0.2"},
        }[line.cycle == 1, line.level][line.day]
        assert abs(area * Decimal(per_m2) - line.prescribed_mg) <= Decimal("0.005")


def test_5_the_worksheet_of_every_dose_was_printed_and_its_bytes_are_kept(reader: Reader) -> None:
    for line in reader.doses():
        if line.status not in GIVEN:
            continue
        for paper in ("worksheet", "bag label"):
            (printed, *_) = [each for each in reader.printed(about=line.dose_id) if paper in each.paper]
            content = reader.paper(printed.sha256)
            assert content is not None
            assert sha256(content).hexdigest() == printed.sha256


# --- 6. the event of 10 % and more --------------------------------------------------------------------------------


def test_6_every_dose_10_percent_off_and_no_other_has_its_report(own_study: DemoDay) -> None:
    desk = own_study.desk
    with desk.store.read() as reader:
        off = {
            line.dose_id
            for line in reader.doses()
            if line.administered_mg is not None
            and abs(line.administered_mg - line.prescribed_mg) * 10 >= line.prescribed_mg
        }
        by_rule = [error for error in reader.errors() if error.source == "dosing rule"]
        assert len(off) == 1
        assert {error.dose_id for error in by_rule} == off
        (error,) = by_rule
        # 0.62 of 0.77 mg: 0.15 ÷ 0.77 = 19.48 % less.
        assert (error.administered_mg, error.prescribed_mg) == (Decimal("0.62"), Decimal("0.77"))
        assert (error.difference, error.status, error.category) == ("−19.48 %", "assessed", "D")
        record = error_record(desk, reader, error.error_id)
        told = {line.recipient: line.told_at for line in reader.error_told(error.error_id)}
        assert told.keys() == {"principal investigator", "IND Office"}
        assert all(timedelta(0) <= at - error.found_at < timedelta(days=1) for at in told.values())
        (assessment,) = reader.error_assessments(error.error_id)
        assert signers(event(reader, assessment.event_seq)) == [assessment.signed_by] == ["Dana Whitfield"]
        assert record.line == error
    text = " ".join(words_of(print_medication_error(desk, own_study.act("monitor"), error.error_id).pdf))
    for words in (error.error_id, error.dose_id, "000-002", "0.62 mg", "0.77 mg", "19.48", "Dr. Mira Castellan",
                  "Dana Whitfield", "IND Office"):  # fmt: skip
        assert words in text, words


# --- 7. what must be refused, and is on record --------------------------------------------------------------------


def newest(day: DemoDay) -> views.EventLine:
    with day.desk.store.read() as reader:
        return event(reader, reader.head().seq)


def refused(day: DemoDay, act: Callable[[], object], match: str) -> views.EventLine:
    """The entry that a refused try left; nothing else was written, and no vial moved."""
    with day.desk.store.read() as reader:
        head, stock = reader.head().seq, reader.stock()
    with pytest.raises(Refused, match=match):
        act()
    with day.desk.store.read() as reader:
        assert reader.head().seq == head + 1
        assert reader.stock() == stock
    return newest(day)


def break_one(day: DemoDay, who: str, own: Credentials, second: Credentials, **late: str) -> object:
    form = LossForm((vials_of(day, "available", "INO1-A130")[0],), "Let fall.", **late)
    return break_vials(day.desk, day.act(who), form, own, second)


def test_7_signing_as_somebody_else(own_study: DemoDay) -> None:
    day = own_study
    guessed = Credentials("pharmacist", "let me in")
    left = refused(day, lambda: break_one(day, "technician", guessed, day.sign("checker")), "do not fit")
    assert (left.kind, left.content["user_name"]) == ("sign_in_failed", "pharmacist")
    # With the right password of a colleague who is not the one signed in: the name alone does not do.
    left = refused(
        day, lambda: break_one(day, "technician", day.sign("pharmacist"), day.sign("checker")), "own account"
    )
    assert (left.kind, left.content["act"], left.actor_name) == ("access_denied", "vials_broken", "Lee Marchetti")
    # One person twice is no second person.
    left = refused(day, lambda: break_one(day, "technician", *[day.sign("technician")] * 2), "second person is another")
    assert (left.kind, left.content["act"]) == ("access_denied", "vials_broken")
    # And somebody who has no authority for it.
    left = refused(
        day, lambda: quarantine(day.desk, day.act("monitor"), QuarantineForm(("V0000011",), "I say so")), "takes a"
    )
    assert (left.kind, left.content["act"], left.actor_name) == ("access_denied", "vials_quarantined", "Kim Sorensen")
    assert day.desk.store.verify().sound


TRIES_OF_SQL = (
    "DELETE FROM journal_event WHERE seq = 100",
    "UPDATE journal_event SET body = x'7b7d' WHERE seq = 100",
    "REPLACE INTO journal_event SELECT * FROM journal_event WHERE seq = 100",
    "DELETE FROM ledger_line WHERE event_seq = (SELECT min(event_seq) FROM ledger_line)",
    "UPDATE ledger_line SET quantity = quantity - 1 WHERE event_seq = (SELECT min(event_seq) FROM ledger_line)",
    "UPDATE ledger_vial SET unit_number = 'V0000011' WHERE event_seq = (SELECT min(event_seq) FROM ledger_line)",
    "DELETE FROM stored_paper",
)


@pytest.mark.parametrize("statement", TRIES_OF_SQL)
def test_7_deleting_and_changing_by_sql(own_study: DemoDay, tmp_path: Path, statement: str) -> None:
    with closing(sqlite3.connect(tmp_path / "demonstration.sqlite")) as raw, raw, pytest.raises(sqlite3.IntegrityError):
        raw.execute(statement)
    assert own_study.desk.store.verify().sound


def test_7_destroying_before_the_monitor_has_looked(own_study: DemoDay) -> None:
    day = own_study
    with day.desk.store.read() as reader:
        permission = next(each.document_id for each in reader.documents() if "destroy" in each.title)
    waiting = vials_of(day, "empty")
    form = DestroyForm(waiting, permission, "Incineration", "W-0100")
    left = refused(
        day,
        lambda: destroy_vials(day.desk, day.act("technician"), form, day.sign("technician"), day.sign("checker")),
        "has not accounted for",
    )
    assert (left.kind, left.content["act"], left.actor_name) == ("access_denied", "vials_destroyed", "Lee Marchetti")
    assert waiting[0] in left.content["sentence"]


def test_7_entering_something_into_a_signed_quarter(own_study: DemoDay) -> None:
    day = own_study
    with day.desk.store.read() as reader:
        (period,) = reader.periods()
        assert (period.signed_by, signers(event(reader, period.event_seq))) == ("Kim Sorensen", ["Kim Sorensen"])
        before = reader.period_record("", reader.locked_until())
    # The vial came later; the last minute of the quarter is closed whatever the vial.
    late = {"done_at": f"{period.through_on} 23:59", "late_why": "Forgotten."}
    with pytest.raises(Refused):
        break_one(day, "technician", day.sign("technician"), day.sign("pharmacist"), **late)
    old = Counter(vials_of(day, "available", "INO1-A126"))
    form = LossForm((next(iter(old)),), "Let fall.", **late)
    left = refused(
        day,
        lambda: break_vials(day.desk, day.act("technician"), form, day.sign("technician"), day.sign("pharmacist")),
        "The monitor has signed the record",
    )
    assert (left.kind, left.content["act"]) == ("access_denied", "vials_broken")
    with day.desk.store.read() as reader:
        assert reader.period_record("", reader.locked_until()).balances == before.balances


# --- 8. one subject, handed over ----------------------------------------------------------------------------------


def test_8_one_subject_as_pdf_and_data_without_a_name(own_study: DemoDay) -> None:
    desk = own_study.desk
    made = export_subject(desk, own_study.act("monitor"), "000-001")
    assert made.files.keys() == {
        "treatment-calendar.pdf", "doses.csv", "dispensing.csv", "measurements.csv", "treatment.csv", "trail.csv",
        "manifest.csv",
    }  # fmt: skip
    tables = {
        name: list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
        for name, content in made.files.items()
        if name.endswith(".csv")
    }
    with desk.store.read() as reader:
        subject = reader.subject("000-001")
        assert subject is not None
        doses = reader.doses(subject_number="000-001")
        mine = {dose.dose_id for dose in doses}
        opened = [line for line in reader.whole_ledger(LedgerFilter()) if line.dose_id in mine and line.move == "open"]
    # Complete: five doses, and every vial that was opened for them.
    assert [(row["dose_id"], row["administered_mg"]) for row in tables["doses.csv"]] == [
        (dose.dose_id, str(dose.administered_mg)) for dose in doses
    ]
    dispensed = [row for row in tables["dispensing.csv"] if row["move"] == "open"]
    assert [row["units"].split() for row in dispensed] == [list(line.units) for line in opened]
    kinds = Counter(row["kind"] for row in tables["trail.csv"])
    assert kinds["dose_administered"] == kinds["dose_verified"] == len(doses) == 5
    assert all(row["signatures"] for row in tables["trail.csv"] if row["kind"] == "dose_released")
    assert {row["subject_number"] for row in tables["measurements.csv"]} == {"000-001"}
    # Nobody is named by it: neither initials nor the day of birth, on the pages or in the tables.
    pages = " ".join(words_of(made.files["treatment-calendar.pdf"]))
    assert "000-001" in pages
    for content in (*(made.files[name].decode() for name in tables), pages):
        for personal in (subject.initials, subject.birth, "09-Mar-1974"):
            assert personal not in content
    assert "000-002" not in "".join(made.files[name].decode() for name in ("doses.csv", "dispensing.csv", "trail.csv"))
    # The journal says who took what away, and the bytes can be had again.
    left = newest(own_study)
    assert (left.kind, left.actor_name, left.content["de_identified"]) == ("subject_exported", "Kim Sorensen", "yes")
    assert {each["name"]: each["sha256"] for each in left.content["files"]} == {
        name: sha256(content).hexdigest() for name, content in made.files.items()
    }
    listed = {row["file"]: row["sha256"] for row in tables["manifest.csv"]}
    assert listed["doses.csv"] == sha256(made.files["doses.csv"]).hexdigest()
    assert desk.store.verify().sound


def test_8_a_note_that_a_spreadsheet_would_run_is_made_harmless(own_study: DemoDay) -> None:
    weigh(own_study, "000-006", "66.4", confirm="=1+2")
    made = export_subject(own_study.desk, own_study.act("pharmacist"), "000-006")
    (row, *_) = csv.DictReader(io.StringIO(made.files["measurements.csv"].decode(), newline=""))
    assert row["why"] == "'=1+2"


def test_8_a_subject_nobody_knows(own_study: DemoDay) -> None:
    with pytest.raises(Refused, match="999 is not enrolled"):
        export_subject(own_study.desk, own_study.act("monitor"), "999")
