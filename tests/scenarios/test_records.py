"""Every record of the demonstration's half year, recounted from the journal's own bytes in plain Python.

The recount asks no view and no service: it reads the stored events and follows vials, doses and signatures by hand.
One of each kind is printed first and each of its pages looked at: nothing clipped, nothing on top of anything, no cell
without a value or a reason, and a foot that pins the journal and can be scanned.
"""

import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from labels import proof, text
from labels.reports.frame import Frame
from pharmacy_app.demo import DemoDay
from pharmacy_app.services.closeout import print_close_out
from pharmacy_app.services.counts import print_count
from pharmacy_app.services.disposition_forms import print_form
from pharmacy_app.services.forecast import ForecastForm, print_forecast
from pharmacy_app.services.past import PastForm, print_past
from pharmacy_app.services.printing import (
    DARF_LAYOUT,
    SITE_LAYOUT,
    Printed,
    RecordForm,
    print_accountability_record,
    print_medication_error,
    print_treatment_calendar,
    print_worksheet,
)
from pharmacy_app.services.receipts import print_receipt
from pharmacy_app.services.records_doses import print_dispensing_log, print_dose
from pharmacy_app.services.records_trail import (
    TrailForm,
    print_audit_trail,
    print_delegation_log,
    print_discrepancy,
)
from pharmacy_app.services.records_visits import print_visit
from pharmacy_app.services.storage_report import print_deviation
from tests.benchmarks.records import ON_SITE, Recount, check_identity, recount
from tests.labels.samples import collisions
from tests.scenarios.conftest import Made

pytestmark = pytest.mark.sqlite_only("reads the bytes of the database's own file")

WATERMARK = {"DEMONSTRATION", "NOT", "FOR", "CLINICAL", "USE"}


@dataclass(frozen=True, slots=True)
class Taken:
    """The day, and what its journal's bytes say."""

    day: DemoDay
    events: tuple[dict[str, Any], ...]
    vials: Recount

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """The events of these kinds, oldest first."""
        return [event for event in self.events if event["kind"] in kinds]

    def print(self, kind: str) -> Printed:
        """One of a kind of paper, as the monitor prints it (a worksheet as the pharmacist does)."""
        return PRINTS[kind](self)


@pytest.fixture(scope="module")
def half_year(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    """A copy of the half year, to print from; the recount is of the bytes before the first print."""
    path = tmp_path_factory.mktemp("records") / "demonstration.sqlite"
    shutil.copyfile(made.path, path)
    with sqlite3.connect(path) as bare:
        events = tuple(json.loads(body) for (body,) in bare.execute("SELECT body FROM journal_event ORDER BY seq"))
    day = made.opened(path)
    yield Taken(day, events, recount(path))
    day.desk.store.close()


def words_of(printed: Printed) -> str:
    """The words of all pages; each page looked at: nothing clipped, nothing on top of anything but the watermark."""
    pages = proof.page_texts(printed.pdf)
    for page in range(len(pages)):
        found = collisions(printed.pdf, page)
        assert [each for each in found if not WATERMARK & set(each.split(" / "))] == []
    return " ".join(pages)


def numbers(words: str, sentence: str) -> list[Decimal]:
    """The numbers of the one sentence that fits."""
    found = re.search(sentence, words)
    assert found, sentence
    return [Decimal(each.replace(",", "")) for each in found.groups()]


def letters(words: str) -> str:
    """Without blanks, hyphens and soft breaks: what wraps in a narrow column is whole again."""
    return re.sub(r"[\s\ufffe\x02-]", "", words)


def shelf(events: Iterable[Mapping[str, Any]], place: str, before_seq: int) -> dict[str, tuple[str, str]]:
    """The unopened vials at a place by the moves before an entry alone: unit number to strength and lot."""
    lying: dict[str, tuple[str, str]] = {}
    for event in events:
        for move in event["content"].get("moves", ()) if event["seq"] < before_seq else ():
            lying.pop(move["unit_number"], None)
            if move["to_state"] in ON_SITE and (move.get("to_place") or move["place"]) == place:
                lying[move["unit_number"]] = (move["strength_mg"], move["lot"])
    return lying


def lots_of(event: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    """How many vials of each strength and lot an event moved."""
    return Counter((move["strength_mg"], move["lot"]) for move in event["content"]["moves"])


# --- one of each kind, as it looks --------------------------------------------------------------------------------


def _first(taken: Taken, kind: str, name: str, at: int = 0) -> str:
    return str(taken.of(kind)[at]["content"][name])


def _form(kind: str, letter: str) -> Callable[[Taken], Printed]:
    return lambda taken: print_form(taken.day.desk, taken.day.act("monitor"), f"{letter}-{taken.of(kind)[0]['seq']}")


def _accountability(lot: str = "", place: str = "", layout: str = SITE_LAYOUT) -> Callable[[Taken], Printed]:
    return lambda taken: print_accountability_record(
        taken.day.desk, taken.day.act("monitor"), RecordForm("1", lot, place, layout=layout)
    )


def _by_number(print_it: Callable[..., Printed], kind: str, name: str, at: int = 0) -> Callable[[Taken], Printed]:
    return lambda taken: print_it(taken.day.desk, taken.day.act("monitor"), _first(taken, kind, name, at))


def _worksheet(taken: Taken) -> Printed:
    dose = _first(taken, "dose_verified", "dose_id", -1)
    return print_worksheet(taken.day.desk, taken.day.act("pharmacist"), dose, "The monitor asked for a copy.")


PRINTS: dict[str, Callable[[Taken], Printed]] = {
    "accountability record": _accountability(),
    "of one lot": _accountability(lot="INO1-A126"),
    "of one place": _accountability(place="Satellite Infusion Center"),
    "DARF-style": _accountability(layout=DARF_LAYOUT),
    "subject dispensing log": _by_number(print_dispensing_log, "dose_ordered", "subject_number"),
    "dose record": _by_number(print_dose, "dose_ordered", "dose_id"),
    "dose record of an open dose": _by_number(print_dose, "dose_ordered", "dose_id", -1),
    "receipt": lambda taken: print_receipt(taken.day.desk, taken.day.act("monitor"), "SHP-2077"),
    "transfer": _form("vials_transferred", "TRF"),
    "return": _form("vials_returned", "RET"),
    "destruction": _form("vials_destroyed", "DST"),
    "storage deviation": _by_number(print_deviation, "deviation_recorded", "deviation_id"),
    "open storage deviation": _by_number(print_deviation, "deviation_recorded", "deviation_id", -1),
    "count": _by_number(print_count, "count_recorded", "count_number", 1),
    "discrepancy": _by_number(print_discrepancy, "discrepancy_explained", "discrepancy"),
    "medication error": _by_number(print_medication_error, "medication_error_assessed", "error_id"),
    "open medication error": _by_number(print_medication_error, "medication_error_recorded", "error_id"),
    "delegation and signature log": lambda taken: print_delegation_log(taken.day.desk, taken.day.act("monitor")),
    "audit trail": lambda taken: print_audit_trail(
        taken.day.desk, taken.day.act("monitor"), TrailForm("2026-08-03", "2026-08-15")
    ),
    "visit report": lambda taken: print_visit(taken.day.desk, taken.day.act("monitor"), "VIS-1"),
    "close-out": lambda taken: print_close_out(taken.day.desk, taken.day.act("monitor")),
    "past record": lambda taken: print_past(taken.day.desk, taken.day.act("monitor"), PastForm("2026-10-01 20:00")),
    "treatment calendar": lambda taken: print_treatment_calendar(taken.day.desk, taken.day.act("monitor"), "000-002"),
    "supply forecast": lambda taken: print_forecast(taken.day.desk, taken.day.act("monitor"), ForecastForm()),
    "worksheet": _worksheet,
}


@pytest.fixture(scope="module")
def papers(half_year: Taken) -> dict[str, tuple[Printed, list[str]]]:
    """One of each kind, with the headings of its tables that were broken inside a word."""
    broken: list[str] = []
    table = Frame.table

    def looked_at(self: Frame, columns: Any, rows: Any, *, pad: float = 3.0, **how: Any) -> None:
        for column in columns:
            pieces = text.wrap(column.heading, text.SEMI, 8.0, column.width - 2 * pad)
            whole = re.split(r"[ /-]", column.heading)
            if not {word for piece in pieces for word in re.split(r"[ /-]", piece) if word} <= set(whole):
                broken.append(" | ".join(pieces))
        table(self, columns, rows, pad=pad, **how)

    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Frame, "table", looked_at)
        for kind in PRINTS:
            broken.clear()
            found[kind] = (half_year.print(kind), list(broken))
    return found


@pytest.mark.parametrize("kind", PRINTS)
def test_nothing_is_clipped_or_lies_on_another_and_no_heading_breaks(
    papers: dict[str, tuple[Printed, list[str]]], kind: str
) -> None:
    printed, broken = papers[kind]
    assert words_of(printed)
    assert broken == []


@pytest.mark.parametrize("kind", PRINTS)
def test_each_page_says_which_it_is_when_by_whom_and_what_it_is_printed_from(
    papers: dict[str, tuple[Printed, list[str]]], kind: str
) -> None:
    printed, _ = papers[kind]
    content = printed.event.content
    pages = proof.page_texts(printed.pdf)
    assert [paper["pages"] for paper in content["papers"]] == [len(pages)]
    at = f"{printed.event.recorded_at:%d-%b-%Y %H:%M} −06:00"
    person = "Dana Whitfield" if kind == "worksheet" else "Kim Sorensen"
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        for foot in (
            f"Printed {at} by {person} · pharmacy-app ",
            "Protocol DEMO-INO-01, as supplied (SHA-256 ",
            "settings signed in event ",
            f"journal {content['head_seq']:,} events, head {content['head_hash']}",
        ):
            assert letters(foot) in letters(page), (number, foot)


@pytest.mark.parametrize("kind", PRINTS)
def test_the_head_is_read_from_each_page_at_150_dpi(papers: dict[str, tuple[Printed, list[str]]], kind: str) -> None:
    printed, _ = papers[kind]
    head = f"{printed.event.content['head_seq']}:{printed.event.content['head_hash']}"
    read = proof.decode_pdf(printed.pdf, 150)
    assert len(read) == proof.page_count(printed.pdf)
    for number, codes in enumerate(read, start=1):
        assert head in codes, number


def unexplained(words: str) -> list[str]:
    """Every N/A that stands neither with words after a colon nor with a letter to which a key gives words."""
    keys = "; ".join(re.findall(r"N/A ([a-z]: [^.]*)\.", words))
    known = set(re.findall(r"(?:^|; )([a-z]): \w", keys))
    bare = [f"N/A{mark}" for mark in re.findall(r"N/A(?!:)(.{0,3})", words) if mark.strip()[:1] not in known]
    return bare + re.findall(r"N/A:(?!\s*[\w“]).{0,3}", words)


@pytest.mark.parametrize("kind", PRINTS)
def test_a_cell_without_a_value_gives_its_reason(papers: dict[str, tuple[Printed, list[str]]], kind: str) -> None:
    assert unexplained(words_of(papers[kind][0])) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("N/A a: inside the pharmacy; b: no dose. Line 1 N/A b N/A: not asked for", []),
        ("N/A a: ; b: no dose. Line 1 N/A b 2 N/A a 3", ["N/A a:", "N/A a "]),
        ("N/A a: inside the pharmacy; b: . Line 1 N/A b", ["N/A b"]),
        ("N/A a: inside the pharmacy. Line 1 N/A c, 2 N/A 7", ["N/A c,", "N/A 7"]),
        ("Courier N/A: . Seal", ["N/A: . "]),
    ],
)
def test_a_reason_of_no_words_is_seen(words: str, found: list[str]) -> None:
    assert unexplained(words) == found


# --- recounted: the ledger ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", ["1", "4"])
def test_received_vials_are_found_again_in_their_states(half_year: Taken, strength: str) -> None:
    day, truth = half_year.day, half_year.vials
    for layout in ("site", DARF_LAYOUT):
        form = RecordForm(strength, layout=layout)
        words = words_of(print_accountability_record(day.desk, day.act("monitor"), form))
        check_identity(words, truth.states(strength))
        on_site = sum(count for state, count in truth.states(strength).items() if state in ON_SITE)
        end = re.search(r"Balance at the end of this record ((?:[\d,]+ ?)+)", words)
        assert end
        assert int(end[1].split()[-1]) == on_site


def test_each_lot_has_its_own_record(half_year: Taken) -> None:
    day, truth = half_year.day, half_year.vials
    lots = {(truth.strength[unit], lot) for unit, lot in truth.lot.items()}
    assert len(lots) >= 5
    for strength, lot in sorted(lots):
        words = words_of(print_accountability_record(day.desk, day.act("monitor"), RecordForm(strength, lot)))
        check_identity(words, truth.states(strength, lot))


def test_each_place_has_its_own_record(half_year: Taken) -> None:
    day, truth = half_year.day, half_year.vials
    for place in sorted(set(truth.place.values())):
        words = words_of(print_accountability_record(day.desk, day.act("monitor"), RecordForm("1", place=place)))
        lying = sum(
            1
            for unit, state in truth.state.items()
            if state in ON_SITE and truth.place[unit] == place and truth.strength[unit] == "1"
        )
        end = re.search(r"Balance at the end of this record [\d,]+ [\d,]+ ([\d,]+)", words)
        assert end
        assert int(end[1]) == lying, place


# --- recounted: doses, trail and people ---------------------------------------------------------------------------


def test_each_subject_s_log_adds_up_to_what_was_given(half_year: Taken) -> None:
    """Doses, vials and milligrams of every subject, from the orders, openings and administrations alone."""
    ordered: Counter[str] = Counter()
    subject_of: dict[str, str] = {}
    given: dict[str, Decimal] = {}
    opened: dict[str, list[str]] = {}
    for event in half_year.events:
        content = event["content"]
        if event["kind"] == "dose_ordered":
            subject_of[content["dose_id"]] = content["subject_number"]
            ordered[content["subject_number"]] += 1
        elif event["kind"] == "dose_administered":
            given[content["dose_id"]] = Decimal(content["administration"]["administered_mg"])
        elif event["kind"] == "dose_prepared":
            opened[content["dose_id"]] = [move["strength_mg"] for move in content["moves"]]
    assert len(given) == 24
    for subject in sorted(set(subject_of.values())):
        day = half_year.day
        words = words_of(print_dispensing_log(day.desk, day.act("monitor"), subject))
        mine = [dose for dose, whose in subject_of.items() if whose == subject]
        ones, fours = (
            sum(strengths.count(strength) for dose, strengths in opened.items() if dose in mine)
            for strength in ("1", "4")
        )
        # What is reserved for a dose under way stands on the log as well.
        waiting = sum(
            1
            for event in half_year.events
            if event["kind"] == "vials_reserved"
            for move in event["content"]["moves"]
            if event["content"]["dose_id"] in mine
            and event["content"]["dose_id"] not in opened
            and move["strength_mg"] == "1"
        )
        assert numbers(
            words,
            r"In all: ([\d,]+) doses ordered, ([\d,]+) given; vials dispensed ([\d,]+) of 1 mg and ([\d,]+) of 4 mg;"
            r" administered ([\d.]+) mg",
        ) == [
            ordered[subject],
            sum(dose in given for dose in mine),
            ones + waiting,
            fours,
            sum((milligrams for dose, milligrams in given.items() if dose in mine), Decimal(0)),
        ], subject


def test_the_trail_is_every_entry_of_the_journal(half_year: Taken) -> None:
    day = half_year.day
    printed = print_audit_trail(day.desk, day.act("monitor"), TrailForm(to_on=half_year.events[-1]["recorded_at"][:10]))
    words = " ".join(proof.page_texts(printed.pdf))
    seen = {int(found) for found in re.findall(r"(?<![\w-])(\d{1,4}) \d\d-[A-Z][a-z]{2}-2026 ", words)}
    assert {event["seq"] for event in half_year.events} <= seen


def test_every_signature_of_the_journal_is_in_the_log_of_signatures(half_year: Taken) -> None:
    day = half_year.day
    words = words_of(print_delegation_log(day.desk, day.act("monitor")))
    sums = Counter(
        (signed["printed_name"], signed["meaning"]) for event in half_year.events for signed in event["signatures"]
    )
    table = words[words.index("Signatures by person and meaning") :]
    for (name, meaning), count in sums.items():
        assert f"{name} {meaning} {count} " in table, (name, meaning, count)


def test_every_dose_has_a_record_that_ends_where_its_vials_did(half_year: Taken) -> None:
    """Three of them: the first, the one that became a medication error, the last."""
    day = half_year.day
    doses = [event["content"]["dose_id"] for event in half_year.events if event["kind"] == "dose_ordered"]
    error = next(
        event["content"]["dose_id"]
        for event in half_year.events
        if event["kind"] == "dose_administered" and event["content"]["medication_error"]
    )
    for dose in (doses[0], error, doses[-1]):
        words = words_of(print_dose(day.desk, day.act("monitor"), dose))
        named = [event["seq"] for event in half_year.events if dose in json.dumps(event["content"])]
        for seq in named:
            assert re.search(rf"(?<!\d){seq} [A-Z]", words), (dose, seq)
    first = words_of(print_dose(day.desk, day.act("monitor"), doses[0]))
    assert "DESTROY" in first
    assert first.count("destroyed") >= 2


@pytest.mark.parametrize("dispensed", [0, -1])
def test_the_monitor_s_initials_stand_where_the_dispensing_was_verified(half_year: Taken, dispensed: int) -> None:
    """The first dispensing was verified in the first visit, the last one in none; by the verifications alone."""
    verified = {
        each["seq"]: f"KS {datetime.fromisoformat(event['recorded_at']):%d-%b-%Y}"
        for event in half_year.of("entries_verified")
        for each in event["content"]["entries"]
    }
    prepared = half_year.of("dose_prepared")
    assert [event["seq"] in verified for event in (prepared[0], prepared[-1])] == [True, False]
    words = letters(words_of(half_year.print("accountability record")))
    event = prepared[dispensed]
    stands = letters(verified.get(event["seq"], "N/A h"))
    assert f"{event['content']['dose_id']}preparedLeeMarchettiSamOkafor{stands}" in words


def test_the_calendar_and_the_worksheet_give_the_doses_of_the_journal(half_year: Taken) -> None:
    ordered = {
        event["content"]["dose_id"]: event["content"]
        for event in half_year.of("dose_ordered")
        if event["content"]["subject_number"] == "000-002"
    }
    given = [event["content"] for event in half_year.of("dose_administered") if event["content"]["dose_id"] in ordered]
    words = words_of(half_year.print("treatment calendar"))
    cycles = {ordered[each["dose_id"]]["cycle"] for each in given}
    assert f"{len(given)} doses in {len(cycles)} cycles" in words
    for each in given:
        on = datetime.fromisoformat(each["administration"]["given_on"])
        assert f"given {on:%d-%b-%Y} {each['administration']['administered_mg']} " in words
    # √(164 cm × 60.2 kg ÷ 3600) m² × 0.6 mg/m², to 0.01 mg; 4 mL a milligram.
    planned = ((Decimal(164) * Decimal("60.2") / 3600).sqrt() * Decimal("0.6")).quantize(Decimal("0.01"))
    words = words_of(half_year.print("worksheet"))
    assert "Subject 000-003" in words
    assert f"Withdraw {planned * 4} mL and dilute in 0.9% sodium chloride to a total of 50 mL: {planned} mg" in words


def test_the_medication_error_is_worked_out_from_both_doses(half_year: Taken) -> None:
    (event,) = [each for each in half_year.of("dose_administered") if each["content"]["medication_error"]]
    dose = event["content"]["dose_id"]
    (prescribed,) = [
        Decimal(each["content"]["prescribed_mg"])
        for each in half_year.of("dose_ordered")
        if each["content"]["dose_id"] == dose
    ]
    given = Decimal(event["content"]["administration"]["administered_mg"])
    percent = (given - prescribed) / prescribed * 100
    words = words_of(half_year.print("medication error"))
    assert f"Dose {dose}" in words
    shown = str(percent)[: str(percent).index(".") + 4].replace("-", "−")
    assert f"({given} mg − {prescribed} mg) ÷ {prescribed} mg × 100 = {shown}… % (limit 10 %)" in words
    (assessed,) = half_year.of("medication_error_assessed")
    for told in assessed["content"]["told"]:
        assert f"{datetime.fromisoformat(told['told_at']):%d-%b-%Y %H:%M}" in words


# --- recounted: what came and went --------------------------------------------------------------------------------


def test_each_receipt_says_what_came_of_each_lot(half_year: Taken) -> None:
    day, receipts = half_year.day, half_year.of("shipment_received")
    assert len(receipts) == 5
    for event in receipts:
        words = letters(words_of(print_receipt(day.desk, day.act("monitor"), event["content"]["shipment"]["number"])))
        came = lots_of(event)
        assert len(came) == len(event["content"]["lots"])
        for lot in event["content"]["lots"]:
            count = came[lot["strength_mg"], lot["lot"]]
            kits = lot["kits"].replace(" ", "") or "N/Aa"
            damaged = len(lot["damaged_units"])
            expiry = f"{datetime.fromisoformat(lot['expires_on']):%d-%b-%Y}"
            row = f"{lot['strength_mg']}mg{lot['lot']}{expiry}{kits}{lot['listed']}{count}{damaged}held"
            assert letters(row) in words, row


@pytest.mark.parametrize(("letter", "kind"), [
    ("RET", "vials_returned"), ("TRF", "vials_transferred"), ("DST", "vials_destroyed"),
])  # fmt: skip
def test_the_forms_of_what_left_count_it_by_strength_and_lot(half_year: Taken, letter: str, kind: str) -> None:
    day = half_year.day
    residue = {
        closed["unit_number"]: closed["residue_mg"]
        for event in half_year.of("vials_closed")
        for closed in event["content"]["closed"]
    }
    subject_of = {
        event["content"]["dose_id"]: event["content"]["subject_number"] for event in half_year.of("dose_ordered")
    }
    opened_for = {
        move["unit_number"]: event["content"]["dose_id"]
        for event in half_year.of("dose_prepared")
        for move in event["content"]["moves"]
    }
    events = half_year.of(kind)
    assert events
    for event in events:
        words = words_of(print_form(day.desk, day.act("monitor"), f"{letter}-{event['seq']}"))
        lots = lots_of(event)
        parts = "; ".join(f"{strength} mg lot {lot}: {count}" for (strength, lot), count in sorted(lots.items()))
        assert letters(f"Vials: {parts}; in all {lots.total()}") in letters(words)
        if kind != "vials_destroyed":
            continue
        for move in event["content"]["moves"]:
            unit = move["unit_number"]
            assert words.count(unit) == 1
            dose = opened_for.get(unit)
            if dose:
                rest = letters(words)[letters(words).index(unit) :]
                line = rf"{letters(subject_of[dose])},{dose},line\d+1{residue[unit]}(used|partial)"
                assert re.match(rf"{unit}(kitK\d+)?(empty|partial){line}", rest), rest[:90]


def test_each_count_is_of_what_lay_there(half_year: Taken) -> None:
    day, counts = half_year.day, half_year.of("count_recorded")
    differs = 0
    for event in counts:
        content = event["content"]
        expected = len(shelf(half_year.events, content["place"], event["seq"]))
        counted = sum(line["counted"] for line in content["lines"])
        words = words_of(print_count(day.desk, day.act("monitor"), content["count_number"]))
        difference = str(counted - expected).replace("-", "−")
        assert f"In all: expected {expected}, counted {counted}, difference {difference}." in words
        differs += counted != expected
    assert (len(counts), differs) == (8, 1)


def test_the_discrepancy_says_what_the_count_found_missing(half_year: Taken) -> None:
    (count,) = [event for event in half_year.of("count_recorded") if event["content"]["discrepancy"]]
    (line,) = [each for each in count["content"]["lines"] if each["counted"] != each["expected"]]
    lying = shelf(half_year.events, count["content"]["place"], count["seq"])
    expected = list(lying.values()).count((line["strength_mg"], line["lot"]))
    words = words_of(half_year.print("discrepancy"))
    (missing,) = line["missing"]
    assert lying[missing] == (line["strength_mg"], line["lot"])
    assert f"expected {expected}, counted {line['counted']} (−{expected - line['counted']}), missing {missing}" in words
    (explained,) = half_year.of("discrepancy_explained")
    for event in (count, explained):
        assert re.search(rf"(?<!\d){event['seq']} [A-Z]", words)
        assert all(f"{signed['meaning']} {signed['printed_name']}" in words for signed in event["signatures"])


def test_the_deviation_names_every_vial_that_lay_there_and_what_was_decided(half_year: Taken) -> None:
    event = half_year.of("deviation_recorded")[0]
    number, place = event["content"]["deviation_id"], event["content"]["place"]
    lay = shelf(half_year.events, place, event["seq"])
    decided = Counter(
        each["decision"]
        for later in half_year.events
        for each in later["content"].get("decided", ())
        if each["deviation_id"] == number
    )
    assert decided.total() == len(lay)
    words = words_of(half_year.print("storage deviation"))
    for (strength, lot), count in Counter(lay.values()).items():
        assert re.search(rf"{strength} mg lot {lot}: .*?qty {count}\b", words), lot
        assert len(re.findall(rf"V\w{{7}} \S+( a)? {strength} mg {lot} ", words)) == count
    for decision, count in decided.items():
        assert f"{count} {decision}" in words
    assert all(unit in words for unit in lay)


# --- recounted: the visit, the end, the past and what is to come --------------------------------------------------

NO_REVIEW = {
    "signed_in", "password_changed", "record_printed", "vials_accounted", "period_signed", "visit_planned",
    "visit_opened", "entries_verified", "visit_signed", "query_opened", "query_answered", "query_returned",
    "query_closed",
}  # fmt: skip
"""Coming and going, passwords, readings, and what the monitor signs or asks: typed from the decision on reviews."""


@pytest.mark.parametrize("number", ["VIS-1", "VIS-2"])
def test_the_visit_report_counts_what_was_there_verified_asked_and_left(half_year: Taken, number: str) -> None:
    day, events = half_year.day, half_year.events
    mine = [event for event in events if event["content"].get("visit") == number]
    (signed,) = [event for event in mine if event["kind"] == "visit_signed"]
    (opened,) = [event for event in mine if event["kind"] == "visit_opened"]
    earlier = [event["seq"] for event in half_year.of("visit_signed") if event["seq"] < signed["seq"]]
    # The signature binds the journal's end as it was before it.
    since = max(earlier, default=1) - 1
    there = {
        event["seq"]
        for event in events
        if since < event["seq"] < signed["seq"]
        and event["kind"] not in NO_REVIEW
        and event["actor_id"] != opened["actor_id"]
    }
    verified = {
        each["seq"] for event in mine if event["kind"] == "entries_verified" for each in event["content"]["entries"]
    }
    asked = [event["content"]["query"] for event in mine if event["kind"] == "query_opened"]
    states: dict[str, str] = {}
    for event in events[: signed["seq"] - 1]:
        if event["kind"].startswith("query_"):
            states[event["content"]["query"]] = event["kind"]
    not_closed = [query for query, last in states.items() if last != "query_closed"]
    accounted = sum(len(event["content"]["unit_numbers"]) for event in mine if event["kind"] == "vials_accounted")
    words = words_of(print_visit(day.desk, day.act("monitor"), number))
    for said in (
        f"through entry {signed['seq'] - 1} To be reviewed {len(there)} Verified {len(there & verified)} ",
        f"Changed since they were verified 0 Never verified {len(there - verified)} ",
        f"Verified in this visit {len(verified)} Queries opened in this visit {len(asked)}"
        f" Containers accounted for {accounted} ",
    ):
        assert said in words, said
    assert f"Queries not closed: {', '.join(not_closed)}." in words
    left = re.search(r"Entries not verified: ([^.]*)\.", words)
    assert left
    told: set[int] = set()
    for run in left[1].split(", "):
        first, _, last = run.partition("–")
        told |= set(range(int(first), int(last or first) + 1))
    assert there - verified <= told
    assert not told & verified
    for query in asked:
        assert f"{query} " in words
    assert signed["content"]["record"]["head_hash"] in letters(words)


def test_the_report_of_a_visit_that_is_over_keeps_what_it_left_open(half_year: Taken) -> None:
    """The first visit left one query open; those that were asked later belong to later reports."""
    words = words_of(half_year.print("visit report"))
    assert "Queries not closed: QRY-2." in words
    assert all(query not in words for query in ("QRY-3", "QRY-4", "QRY-5", "QRY-6"))


def test_the_close_out_tells_where_every_vial_is(half_year: Taken) -> None:
    truth = half_year.vials
    words = words_of(half_year.print("close-out"))
    for strength, lot in sorted({(truth.strength[unit], lot) for unit, lot in truth.lot.items()}):
        states = truth.states(strength, lot)
        on_site = sum(states[state] for state in ON_SITE)
        containers = states["empty"] + states["partial"] + states["opened"] + states["broken"]
        counts = (
            states.total(), states["returned"], states["transferred"], states["destroyed"], states["missing"],
            on_site, containers, on_site + containers,
        )  # fmt: skip
        row = rf"{strength} mg {lot} \S+ {' '.join(map(str, counts))} (not )?zero"
        assert re.search(row, words), row
    still = [state for state in truth.state.values() if state not in ("returned", "transferred", "destroyed")]
    assert f"Vials received {len(truth.state)}; balance on site {len(still)}." in words
    open_queries = {event["content"]["query"] for event in half_year.of("query_opened")} - {
        event["content"]["query"] for event in half_year.of("query_closed")
    }
    assert len(open_queries) == 3
    assert all(f"The monitor's query {query} is " in words for query in open_queries)


def test_the_past_record_tells_what_lay_there_as_known_then_and_now(half_year: Taken) -> None:
    """The evening of 1 October: a vial had fallen at 18:15, and that was recorded on the next morning."""
    moment = datetime.fromisoformat("2026-10-01T20:00:59-05:00")
    known: list[Counter[tuple[str, str, str, str]]] = []
    for by in ("recorded_at", "done_at"):
        at: dict[str, tuple[str, str, str, str]] = {}
        for event in sorted(half_year.events, key=lambda each: (datetime.fromisoformat(each["done_at"]), each["seq"])):
            if datetime.fromisoformat(event[by]) <= moment:
                for move in event["content"].get("moves", ()):
                    at[move["unit_number"]] = (move["strength_mg"], move["lot"], move["place"], move["to_state"])
        known.append(Counter(at.values()))
    then, now = known
    assert then != now
    printed = half_year.print("past record")
    words = words_of(printed)
    assert "01-Oct-2026 20:00 −05:00" in words
    for line in then | now:
        strength, lot, place, state = line
        change = now[line] - then[line]
        difference = f"{change:+d}".replace("-", "−") if change else "none"
        assert f"{strength} mg {lot} {place} {state} {then[line]} {now[line]} {difference} " in words, line
    late = half_year.of("vials_broken")[0]
    assert f"late entry: {late['content']['late_why']}" in words


def test_the_forecast_starts_from_what_may_be_used(half_year: Taken) -> None:
    truth = half_year.vials
    usable = [truth.states(strength)["available"] for strength in ("1", "4")]
    held, quarantined = (list(truth.state.values()).count(state) for state in ("held", "quarantined"))
    words = words_of(half_year.print("supply forecast"))
    assert f"{usable[0]} × 1 mg, {usable[1]} × 4 mg" in words
    assert f"Not counted as stock: {held} held, {quarantined} in quarantine." in words
    came = [lots_of(event) for event in half_year.of("shipment_received")]
    for strength in ("1", "4"):
        receipts = [sum(n for (mg, _), n in lots.items() if mg == strength) for lots in came]
        assert f"{sum(receipts)} vials came in {sum(map(bool, receipts))} receipts." in words


def test_a_moment_of_summer_is_printed_in_summer_time(half_year: Taken) -> None:
    """Printed in November, what was done in September keeps the offset it had at the site then."""
    day = half_year.day
    words = words_of(print_past(day.desk, day.act("monitor"), PastForm("2026-09-01 12:00")))
    assert "01-Sep-2026 12:00 −05:00" in words


def test_the_same_moment_prints_the_same_bytes(made: Made, tmp_path: Path) -> None:
    """Two copies of the half year, each printed once at the same moment."""
    prints = []
    for name in ("one", "two"):
        path = tmp_path / f"{name}.sqlite"
        shutil.copyfile(made.path, path)
        day = made.opened(path)
        prints.append(print_accountability_record(day.desk, day.act("monitor"), RecordForm("1")).pdf)
        day.desk.store.close()
    assert prints[0] == prints[1]
