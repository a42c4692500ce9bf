"""A printed paper laid beside the journal: number of events and head from its foot."""

from collections.abc import Callable

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.printed_head import PrintedHead, check_printed_head, read_printed_head, read_printed_line
from pharmacy_app.services.printing import stamp_of
from tests.services.pharmacy import Pharmacy


@pytest.fixture
def foot(pharmacy: Pharmacy) -> tuple[str, str]:
    """What a report printed now says at its foot: '37 events, head 0a1b2c3d4e5f'."""
    with pharmacy.desk.store.read() as reader:
        head = reader.head()
    return f"{head.seq:,}", head.hash[:12]


def test_a_paper_fits_the_journal_it_was_printed_from_and_ever_after(pharmacy: Pharmacy, foot: tuple[str, str]) -> None:
    printed = read_printed_head(*foot)
    for since in (0, 1, 2):
        with pharmacy.desk.store.read() as reader:
            checked = check_printed_head(reader, printed)
        assert checked.fits
        assert f"{since} event{'' if since == 1 else 's'} recorded since" in checked.sentence
        pharmacy.receive(f"S-{since}")


def test_one_event_more_on_the_paper_means_the_end_was_cut_off(pharmacy: Pharmacy, foot: tuple[str, str]) -> None:
    events, head = foot
    more = PrintedHead(int(events) + 1, head)
    with pharmacy.desk.store.read() as reader:
        checked = check_printed_head(reader, more)
    assert not checked.fits
    assert f"now it ends at event {events}" in checked.sentence


@pytest.mark.parametrize("at", range(12))
def test_each_character_of_the_head_counts(pharmacy: Pharmacy, foot: tuple[str, str], at: int) -> None:
    events, head = foot
    other = head[:at] + ("0" if head[at] != "0" else "1") + head[at + 1 :]
    with pharmacy.desk.store.read() as reader:
        checked = check_printed_head(reader, read_printed_head(events, other))
    assert not checked.fits
    assert f"Event {events} is not the one the paper names" in checked.sentence


def test_an_earlier_events_head_does_not_pass_for_a_later_ones(pharmacy: Pharmacy, foot: tuple[str, str]) -> None:
    pharmacy.receive("S-1")
    events, head = foot
    with pharmacy.desk.store.read() as reader:
        assert not check_printed_head(reader, PrintedHead(int(events) + 1, head)).fits


def test_the_words_at_the_foot_are_those_that_are_asked_for(pharmacy: Pharmacy) -> None:
    """The stamp that is printed holds number and head of the journal's last event."""
    with pharmacy.desk.store.read() as reader:
        head = reader.head()
        stamp = stamp_of(pharmacy.desk, reader, "Paula Reyes", pharmacy.clock())
        assert (stamp.head_seq, stamp.head_hash) == (head.seq, head.hash)


@pytest.mark.parametrize(
    ("events", "head", "read"),
    [
        ("1,234", "0A1B2C3D4E5F", PrintedHead(1234, "0a1b2c3d4e5f")),
        (" 1 234 ", "0a1b 2c3d 4e5f", PrintedHead(1234, "0a1b2c3d4e5f")),
        ("1", "ab" * 32, PrintedHead(1, "ab" * 32)),
    ],
)
def test_it_is_read_as_people_type_it(events: str, head: str, read: PrintedHead) -> None:
    assert read_printed_head(events, head) == read
    assert read_printed_line(f"{events}:{head}") == read


@pytest.mark.parametrize(
    ("events", "head", "fields"),
    [
        ("", "", ["paper_events", "paper_head"]),
        ("0", "0a1b2c3d4e5f", ["paper_events"]),
        ("-3", "0a1b2c3d4e5f", ["paper_events"]),
        ("many", "0a1b2c3d4e5f", ["paper_events"]),
        ("12", "0a1b2c3d4e5", ["paper_head"]),  # eleven characters
        ("12", "0a1b2c3d4e5g", ["paper_head"]),
        ("12", "ab" * 32 + "a", ["paper_head"]),
    ],
)
def test_what_cannot_be_read_is_refused_beside_its_field(events: str, head: str, fields: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        read_printed_head(events, head)
    assert [fault.field for fault in refused.value.faults] == fields


def test_a_line_without_a_colon_is_refused() -> None:
    with pytest.raises(Refused, match="with a colon between"):
        read_printed_line("12 0a1b2c3d4e5f")


@pytest.mark.parametrize("sign", [":", "Ö", ";", "ñ", "/"])
@pytest.mark.parametrize("shift", [str, str.upper, str.swapcase])
def test_a_scan_says_both_whatever_keyboard_the_scanner_has(sign: str, shift: Callable[[str], str]) -> None:
    head = "0a1b2c3d4e5f" + "ab" * 26
    read = read_printed_line(shift(f" 1234{sign}{head}\r\n"))
    assert read == PrintedHead(1234, head)
    assert read_printed_head("", shift(f"1234{sign}{head}")) == read
    assert read_printed_head(shift(f"1234{sign}{head}"), "") == read


def test_a_number_typed_beside_the_scan_must_be_the_same(pharmacy: Pharmacy, foot: tuple[str, str]) -> None:
    events, head = foot
    with pharmacy.desk.store.read() as reader:
        whole = reader.head()
    scan = f"{whole.seq}:{whole.hash}"
    assert read_printed_head(events, scan) == PrintedHead(whole.seq, whole.hash)
    with pytest.raises(Refused, match=f"The code says {whole.seq} events, but beside it stands"):
        read_printed_head(str(whole.seq + 1), scan)
    with pharmacy.desk.store.read() as reader:
        assert check_printed_head(reader, read_printed_line(scan)).fits
        changed = scan[:-1] + ("0" if scan[-1] != "0" else "1")
        assert not check_printed_head(reader, read_printed_line(changed)).fits
    assert head == whole.hash[:12]


@pytest.mark.parametrize("typed", ["1234:0a1b2c3d4e", f"1234:{'a' * 65}", "12:34:0a1b2c3d4e5f", ":0a1b2c3d4e5f"])
def test_what_is_no_whole_code_is_refused(typed: str) -> None:
    with pytest.raises(Refused):
        read_printed_line(typed)
