"""A monitor lays an old print beside the journal: it fits, or the first entry that differs is named.

The journal's numbers are counted from the prints themselves; what was forged is known because the test forged it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from db.guards import GUARDS, drop_guards
from db.store import SqlStore
from labels.papers import PdfPapers
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.domain.events import Event, hash_of
from pharmacy_app.services.anchor import Anchored, Verdict, check_paper
from pharmacy_app.services.ports import Store
from pharmacy_app.services.printed_head import PrintedHead, read_printed_line
from pharmacy_app.services.printing import RecordForm, print_accountability_record
from tests.conftest import Template
from tests.databases import CHOSEN, other_hands, url_at
from tests.db.test_tamper import Intruder, forge, shortened
from tests.services.pharmacy import Pharmacy


@dataclass(frozen=True, slots=True)
class House:
    """A closed study, and the papers that left it: what their feet name, in order."""

    path: Path
    papers: tuple[PrintedHead, ...]


@pytest.fixture(scope="module")
def house(template: Template, tmp_path_factory: pytest.TempPathFactory) -> House:
    """Five shipments; after each of them the record of 1 mg is printed."""
    path = tmp_path_factory.mktemp("house") / "study.sqlite"
    pharmacy = template.copy_to(path)
    pharmacy.desk = replace(pharmacy.desk, papers=PdfPapers())
    papers = []
    for number in range(1, 6):
        pharmacy.receive(f"S-{number}")
        papers.append(head_of(pharmacy.desk.store))
        print_accountability_record(pharmacy.desk, pharmacy.act("paula"), RecordForm("1"))
    pharmacy.assert_sound()
    pharmacy.desk.store.close()
    return House(path, tuple(papers))


@pytest.fixture
def copy(house: House, tmp_path: Path) -> Path:
    """A copy of the study."""
    path = tmp_path / "study.sqlite"
    CHOSEN[0].copy(house.path, path)
    return path


@pytest.fixture
def intruder(copy: Path) -> Iterator[Intruder]:
    """Somebody who can write all of the database."""
    with other_hands(copy) as raw:
        hands = Intruder(copy, raw)
        yield hands
        hands.store.close()


def head_of(store: Store) -> PrintedHead:
    """What a paper printed now has at its foot."""
    with store.read() as reader:
        head = reader.head()
    return PrintedHead(head.seq, head.hash)


def received(intruder: Intruder, number: str) -> int:
    """The entry of a shipment's receipt."""
    found = intruder.ask("SELECT seq, body FROM journal_event WHERE kind = 'shipment_received'")
    (seq,) = [row.seq for row in found if f'"{number}"'.encode() in bytes(row.body)]
    return int(seq)


def other_expiry(body: bytes) -> bytes:
    """A receipt that gives its vials two years more."""
    return body.replace(b"2027-03-31", b"2029-03-31")


def forge_links(intruder: Intruder, seq: int) -> None:
    """As ``forge``, but only the link of every later entry is made to follow, not what its content says."""
    previous = ""
    for number in range(seq, intruder.count() + 1):
        body = intruder.body(number)
        if number == seq:
            body = other_expiry(body)
            assert body != intruder.body(number), "the forgery changes nothing"
        else:
            was = Event.from_body(body).previous_hash
            body = body.replace(f'"previous_hash":"{was}"'.encode(), f'"previous_hash":"{previous}"'.encode())
            intruder.do("UPDATE journal_event SET previous_hash = ? WHERE seq = ?", previous, number)
        previous = hash_of(body)
        intruder.do("UPDATE journal_event SET body = ?, hash = ? WHERE seq = ?", body, previous, number)
    intruder.do("UPDATE journal_head SET hash = ?", previous)


def rewritten(intruder: Intruder, path: Path, seq: int, *, named: bool = False) -> None:
    """An entry changed, every later hash, the head and the tables made to follow: the journal proves itself sound.

    With ``named``, the heads that the entries of later prints name are made to follow too, but not the prints' files.
    """
    if named:
        forge(intruder, seq, other_expiry)
    else:
        forge_links(intruder, seq)
    shortened(intruder, path, intruder.count())
    assert intruder.store.verify().sound


# --- a paper that fits


@pytest.fixture
def store(copy: Path) -> Iterator[Store]:
    """The study as its people have it."""
    opened = SqlStore.open(url_at(copy))
    yield opened
    opened.close()


def test_a_year_later_the_paper_still_fits(house: House, store: Store) -> None:
    last = head_of(store).events
    for paper in house.papers:
        found = check_paper(store, paper)
        assert (found.verdict, found.sound, found.first, found.advice) == (Verdict.FITS, True, None, "")
        assert f"Nothing up to entry {paper.events} has changed" in found.sentence
        since = last - paper.events
        assert f"Since then {since} {'entry was' if since == 1 else 'entries were'} recorded" in found.sentence


def test_the_last_entrys_own_paper_fits_with_nothing_since(store: Store) -> None:
    found = check_paper(store, head_of(store))
    assert (found.verdict, found.sound) == (Verdict.FITS, True)
    assert "Since then 0 entries were recorded." in found.sentence


def test_twelve_typed_characters_do_and_it_is_said_how_many_were_compared(house: House, intruder: Intruder) -> None:
    paper = house.papers[0]
    found = check_paper(intruder.store, read_printed_line(f"{paper.events}:{paper.begins[:12].upper()}"))
    assert found.verdict is Verdict.FITS
    assert "12 of 64 characters" in found.sentence


def test_what_was_altered_after_the_paper_is_told_although_the_paper_fits(house: House, intruder: Intruder) -> None:
    seq = received(intruder, "S-4")
    intruder.do("UPDATE journal_event SET body = ? WHERE seq = ?", other_expiry(intruder.body(seq)), seq)
    found = check_paper(intruder.store, house.papers[0])
    assert (found.verdict, found.sound) == (Verdict.FITS, False)
    assert f"Entry {seq} is the first of it." in found.sentence
    assert found.advice.startswith("Stop work")


def test_a_head_set_back_makes_no_count_of_what_came_since(intruder: Intruder) -> None:
    last = head_of(intruder.store)
    intruder.do("UPDATE journal_head SET seq = seq - 1")
    found = check_paper(intruder.store, last)
    assert (found.verdict, found.sound) == (Verdict.FITS, False)
    assert "Since then" not in found.sentence


# --- cut off, changed


@pytest.mark.parametrize("lost", [1, 2, 7])
def test_a_tail_cut_off_names_the_first_entry_that_is_missing(
    house: House, intruder: Intruder, copy: Path, lost: int
) -> None:
    paper = head_of(intruder.store)
    shortened(intruder, copy, paper.events - lost)
    found = check_paper(intruder.store, paper)
    assert (found.verdict, found.first, found.exact) == (Verdict.CUT_SHORT, paper.events - lost + 1, True)
    assert f"now it ends at entry {paper.events - lost}" in found.sentence
    # An earlier paper is not touched by it.
    assert check_paper(intruder.store, house.papers[0]).verdict is Verdict.FITS


def test_a_changed_byte_in_the_middle_is_named_exactly(house: House, intruder: Intruder) -> None:
    seq = received(intruder, "S-3")
    intruder.do("UPDATE journal_event SET body = ? WHERE seq = ?", other_expiry(intruder.body(seq)), seq)
    found = check_paper(intruder.store, house.papers[-1])
    assert (found.verdict, found.first, found.exact) == (Verdict.ALTERED, seq, True)
    assert f"Entry {seq} is the first that is not as it was written." in found.sentence


@pytest.mark.parametrize("named", [False, True])
def test_a_journal_written_anew_is_narrowed_down_by_the_heads_it_names(
    house: House, intruder: Intruder, copy: Path, named: bool
) -> None:
    """The forger left the heads in later entries, or in the files of their prints: the receipt lies between two."""
    seq = received(intruder, "S-3")
    rewritten(intruder, copy, seq, named=named)
    found = check_paper(intruder.store, house.papers[-1])
    assert found.verdict is Verdict.DIFFERS
    assert (found.first, found.last) == (house.papers[1].events + 1, house.papers[2].events)
    assert found.first is not None and found.last is not None and found.first <= seq <= found.last
    assert f"is one of {found.first} to {found.last}, recorded from" in found.sentence


def test_an_entry_between_two_named_heads_is_named_exactly(house: House, intruder: Intruder, copy: Path) -> None:
    """Papers in the hand narrow it to one entry, whatever the journal itself still says."""
    seq = received(intruder, "S-3")
    heads = intruder.heads()
    rewritten(intruder, copy, seq)
    before, after = PrintedHead(seq - 1, heads[seq - 1]), PrintedHead(seq, heads[seq])
    found = check_paper(intruder.store, house.papers[-1], (before, after))
    assert (found.first, found.last, found.exact) == (seq, seq, True)
    assert f"Entry {seq} is the first that differs" in found.sentence


def test_one_who_leaves_no_trace_is_caught_by_paper_after_paper(house: House, intruder: Intruder, copy: Path) -> None:
    """Prints' files without a head, all else made to follow: each paper from the folder halves what is left."""
    seq = received(intruder, "S-2")
    rewritten(intruder, copy, seq, named=True)
    without_heads(intruder, copy)
    last = house.papers[-1]
    found = check_paper(intruder.store, last)
    assert (found.verdict, found.first, found.last) == (Verdict.DIFFERS, 1, last.events)
    assert "either the paper is of another study" in found.sentence
    seen = [last]
    by_events = {paper.events: paper for paper in house.papers}
    while found.prints:
        proposed = by_events[found.prints[0].events]
        checked = check_paper(intruder.store, proposed, seen)
        assert checked.verdict is (Verdict.FITS if proposed.events < seq else Verdict.DIFFERS)
        seen.append(proposed)
        found = check_paper(intruder.store, last, seen)
        assert (checked.first, checked.last) == (found.first, found.last), "either paper tells the same"
    assert (found.first, found.last) == (house.papers[0].events + 1, house.papers[1].events)
    assert len(seen) <= 1 + 3, "four papers are halved in three steps at most"


def without_heads(intruder: Intruder, path: Path) -> None:
    """Put a file without a head in the place of every kept print, and let the journal name it."""
    drop_guards(intruder.raw, GUARDS)
    for seq in range(1, intruder.count() + 1):
        event = Event.from_body(intruder.body(seq))
        if event.kind == "record_printed":
            was, file = event.content["sha256"].encode(), f"print {seq}".encode()
            new = sha256(file).hexdigest()
            intruder.do("UPDATE stored_paper SET content = ?, sha256 = ? WHERE sha256 = ?", file, new, was.decode())
            forge(intruder, seq, partial(_instead, was, new.encode()))
    shortened(intruder, path, intruder.count())
    assert intruder.store.verify().sound


def _instead(was: bytes, new: bytes, body: bytes) -> bytes:
    return body.replace(was, new)


def test_the_paper_to_fetch_next_is_named_with_its_entry_and_person(house: House, intruder: Intruder) -> None:
    """A wrong head: every print before it may be asked for, the one that halves best first.

    The study was set up in 20 entries before the first print, so that is the nearest to the middle.
    """
    found = check_paper(intruder.store, PrintedHead(house.papers[-1].events, "0" * 64))
    assert [each.events for each in found.prints] == [paper.events for paper in house.papers[:-1]]
    first = found.prints[0]
    assert (first.what, first.by) == ("accountability record 1 mg, copy 1", "Paula Reyes")


# --- typed wrong, another study's


def test_a_number_typed_wrong_is_told_from_a_journal_that_was_changed(house: House, intruder: Intruder) -> None:
    paper = house.papers[2]
    for typed in (paper.events + 1, paper.events - 1, paper.events * 10):
        found = check_paper(intruder.store, PrintedHead(typed, paper.begins[:12]))
        assert (found.verdict, found.first) == (Verdict.MISREAD, None)
        assert f"The head is that of entry {paper.events}, not of entry {typed:,}." in found.sentence


@pytest.mark.parametrize("at", [0, 5, 11, 63])
def test_a_character_typed_wrong_does_not_pass(house: House, intruder: Intruder, at: int) -> None:
    paper = house.papers[1]
    other = paper.begins[:at] + ("0" if paper.begins[at] != "0" else "1") + paper.begins[at + 1 :]
    found = check_paper(intruder.store, PrintedHead(paper.events, other))
    assert found.verdict is Verdict.DIFFERS
    assert found.advice.startswith("Look again at what was typed")


def test_a_paper_refuted_by_a_later_one_that_fits_blames_no_entry(house: House, store: Store) -> None:
    """One of as many entries or more that fits proves the journal up to there: the other was typed otherwise."""
    second, fourth = house.papers[1], house.papers[3]
    wrong = PrintedHead(second.events, "0" * 64)
    for other in (second, fourth):
        told = check_paper(store, wrong, (other,))
        assert (told.verdict, told.first, told.last, told.sound) == (Verdict.MISREAD, None, None, True)
        assert f"one of {other.events} does" in told.sentence
        # The other way round: the one that fits is looked at last.
        told = check_paper(store, other, (wrong,))
        assert (told.verdict, told.first, told.last, told.sound) == (Verdict.FITS, None, None, True)
        assert f"The paper of {wrong.events} entries does not fit" in told.sentence


def test_the_paper_of_another_study_does_not_fit(new_pharmacy: Callable[[], Pharmacy], intruder: Intruder) -> None:
    """Set up alike, but with a shipment of its own: its entries begin alike and part there."""
    elsewhere = new_pharmacy()
    elsewhere.receive("OTHER-1")
    found = check_paper(intruder.store, head_of(elsewhere.desk.store))
    assert found.verdict is Verdict.DIFFERS
    assert "either the paper is of another study" in found.sentence
    elsewhere.receive("OTHER-2")
    while head_of(elsewhere.desk.store).events <= intruder.count():
        print_accountability_record(elsewhere.desk, elsewhere.act("paula"), RecordForm("1"))
    longer = check_paper(intruder.store, head_of(elsewhere.desk.store))
    assert longer.verdict is Verdict.CUT_SHORT
    assert "or the paper is of another study" in longer.sentence


# --- the work itself


def test_it_tells_how_far_it_is_and_can_be_stopped(house: House, intruder: Intruder) -> None:
    told: list[tuple[int, int]] = []
    check_paper(intruder.store, house.papers[0], tell=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 0

    def stop(_done: int, _total: int) -> None:
        raise Unavailable("stopped")

    with pytest.raises(Unavailable, match="stopped"):
        check_paper(intruder.store, house.papers[0], tell=stop)
    assert check_paper(intruder.store, house.papers[0]).verdict is Verdict.FITS


def test_an_answer_without_a_difference_is_not_exact() -> None:
    assert not Anchored(Verdict.FITS, PrintedHead(1, "a" * 64), "", "", sound=True).exact
