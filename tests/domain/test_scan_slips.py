"""Every slip of scanner, keyboard and hand on every code that is printed here or comes from a supporter.

One thing holds for all of them: what is read is what was printed, or it is refused, or it names nothing of ours. No
slip ever makes the number of another vial, or another label, of it (REGULATION B-02, L-22).
"""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pharmacy_app.domain import scans
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.label_marks import LETTERS as KINDS
from pharmacy_app.domain.label_marks import mark_of
from pharmacy_app.domain.scans import LETTERS, KitPattern, Scan, read_scan
from pharmacy_app.domain.vials import numbered, swapped

TODAY = date(2026, 11, 22)
GS = "\x1d"
GTIN = "09506000134352"
SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
KIT = KitPattern("KIT-", "9999A")

# How each kind of our codes says number and mark: on labels from before, on papers, and on labels with a mark.
OURS: dict[str, Callable[[str, str], str]] = {
    "number alone": lambda number, _mark: number,
    "number and mark": lambda number, mark: number + mark,
    "GS1, number alone": lambda number, _mark: f"91{number}",
    "GS1, number and mark": lambda number, mark: f"91{number}{GS}92{mark}",
    "GS1 with GTIN": lambda number, mark: f"01{GTIN}1726113010HX2201A{GS}21{number}{GS}72402012-0511{GS}92{mark}",
}
SUPPORTERS = (
    f"01{GTIN}1726113010HX2201A{GS}21KIT-0042B",
    f"01{GTIN}17261130{'10'}HX2201A",
    f"01{GTIN}21000000000123{GS}10B2",
    f"72402012-0511{GS}21KIT-0042B",
    "+A123BJC5D6E71G",
    "+A123BJC5D6E71/$$52001510X33D",
    "KIT-0042B",
    "K001",
    "5060166750012",
)
KEYBOARDS = sorted(scans._KEYBOARDS)


def keyed(text: str, scanner: str, computer: str) -> str:
    """What a computer of one country shows of a scanner that types as on another country's keyboard."""
    keys = dict(zip("".join(scans._KEYBOARDS[scanner]), "".join(scans._KEYBOARDS[computer]), strict=True))
    return "".join(keys.get(c, c) for c in text)


def shifted(text: str, computer: str) -> str:
    """Every key with Shift, and those with Shift without."""
    low, high = scans._KEYBOARDS[computer]
    keys = dict(zip(low + high, high + low, strict=True))
    return "".join(keys.get(c, c) for c in text)


SEPARATORS = {
    "kept": GS,
    "dropped": "",
    "typed as digits": "029",
    "spelt": "<GS>",
    "control key": "^]",
    "sign": "↔",
}
CAPS: dict[str, Callable[[str, str], str]] = {
    "": lambda text, _computer: text,
    "letters": lambda text, _computer: "".join(c.swapcase() if c.isascii() else c for c in text),
    "all keys": shifted,
}


def on_its_way(code: str, prefix: str, separator: str, scanner: str, computer: str, caps: str, ending: str) -> str:
    """A code as it arrives: the scanner's prefix and separator, the keyboards, Caps Lock and the ending."""
    sent = prefix + code.replace(GS, SEPARATORS[separator])
    return CAPS[caps](keyed(sent, scanner, computer), computer) + ending


def read(typed: str, *, by_hand: bool = False, sends_separator: bool = False) -> Scan | None:
    """The scan, or ``None`` where it is refused with a reason."""
    try:
        return read_scan(typed, today=TODAY, patterns=(KIT,), by_hand=by_hand, sends_separator=sends_separator)
    except Refused as refused:
        assert all(fault.field and fault.sentence for fault in refused.faults)
        return None


def never_another(scan: Scan | None, number: str, mark: str) -> None:
    """What was read names this number, or none of ours; and this label, or none."""
    if scan is not None:
        assert scan.number in ("", number) or scan.number[0] not in LETTERS
        assert scan.mark in ("", mark)


@settings(max_examples=600, deadline=None)
@given(
    form=st.sampled_from(sorted(OURS)),
    letter=st.sampled_from(LETTERS),
    count=st.integers(1, 999_999),
    kind=st.sampled_from(sorted(KINDS)),
    copy=st.integers(1, 400),
    prefix=st.sampled_from(["", "]d2", "]C1", "]C0", "]d1"]),
    separator=st.sampled_from(sorted(SEPARATORS)),
    scanner=st.sampled_from(KEYBOARDS),
    computer=st.sampled_from(KEYBOARDS),
    caps=st.sampled_from(sorted(CAPS)),
    ending=st.sampled_from(["", "\r", "\n", "\t"]),
    sends_separator=st.booleans(),
)
@example("number and mark", "V", 12, "vial", 1, "", "kept", "US", "German", "letters", "\r", False)
@example("GS1, number and mark", "D", 17, "bag", 10, "", "dropped", "US", "US", "", "", False)
@example("GS1, number and mark", "D", 17, "bag", 21, "", "typed as digits", "US", "US", "", "", False)
def test_our_codes_are_read_right_or_refused(
    form: str,
    letter: str,
    count: int,
    kind: str,
    copy: int,
    prefix: str,
    separator: str,
    scanner: str,
    computer: str,
    caps: str,
    ending: str,
    sends_separator: bool,
) -> None:
    number = numbered(letter, count)
    mark = mark_of(kind, number, copy)
    typed = on_its_way(OURS[form](number, mark), prefix, separator, scanner, computer, caps, ending)
    # Who says that the scanner sends GS has seen it do so.
    never_another(read(typed, sends_separator=sends_separator and separator == "kept"), number, mark)


@pytest.mark.parametrize("form", sorted(OURS))
@pytest.mark.parametrize("separator", sorted(SEPARATORS))
def test_our_codes_are_read_whole_whatever_becomes_of_the_separator(form: str, separator: str) -> None:
    """On one country's keyboard nothing but the separator can go wrong, and our check characters make up for it."""
    number = numbered("D", 17)
    for copy in (1, 9, 10, 17, 21, 30, 37, 90, 99, 100, 240):
        mark = mark_of("bag", number, copy)
        code = OURS[form](number, mark)
        scan = read(code.replace(GS, SEPARATORS[separator]))
        assert scan is not None, (code, separator)
        assert (scan.number, scan.mark) == (number, mark if mark in code else "")


@settings(max_examples=600, deadline=None)
@given(
    form=st.sampled_from(["number alone", "number and mark"]),
    letter=st.sampled_from(LETTERS),
    count=st.integers(1, 999_999),
    kind=st.sampled_from(sorted(KINDS)),
    at=st.integers(0, 12),
    sign=st.sampled_from(SIGNS),
    by_hand=st.booleans(),
)
@example("number alone", "B", 49, "bag", 5, "9", True)
@example("number alone", "Q", 1, "bag", 0, "A", False)
def test_one_wrong_character_never_names_another_thing(
    form: str, letter: str, count: int, kind: str, at: int, sign: str, by_hand: bool
) -> None:
    number = numbered(letter, count)
    code = OURS[form](number, mark_of(kind, number, 1))
    at = min(at, len(code) - 1)
    scan = read(code[:at] + sign + code[at + 1 :], by_hand=by_hand)
    never_another(scan, number, mark_of(kind, number, 1))


@settings(max_examples=600, deadline=None)
@given(
    form=st.sampled_from(["number alone", "number and mark"]),
    letter=st.sampled_from(LETTERS),
    count=st.integers(1, 999_999),
    kind=st.sampled_from(sorted(KINDS)),
    at=st.integers(0, 11),
    by_hand=st.booleans(),
)
def test_two_neighbours_in_the_wrong_order_name_nothing_else_unless_it_is_known(
    form: str, letter: str, count: int, kind: str, at: int, by_hand: bool
) -> None:
    """The check character misses about one swap in two hundred; those ``swapped`` names, and the record is asked."""
    number = numbered(letter, count)
    code = OURS[form](number, mark_of(kind, number, 1))
    at = min(at, len(code) - 2)
    scan = read(code[:at] + code[at + 1] + code[at] + code[at + 2 :], by_hand=by_hand)
    if scan is not None and scan.number not in ("", number) and scan.number[0] in LETTERS:
        assert scan.number in swapped(number)


@settings(max_examples=600, deadline=None)
@given(
    code=st.sampled_from(SUPPORTERS),
    prefix=st.sampled_from(["", "]d2", "]C1", "]C0"]),
    separator=st.sampled_from(sorted(SEPARATORS)),
    scanner=st.sampled_from(KEYBOARDS),
    computer=st.sampled_from(KEYBOARDS),
    caps=st.sampled_from(sorted(CAPS)),
)
def test_a_supporters_code_never_becomes_one_of_ours(
    code: str, prefix: str, separator: str, scanner: str, computer: str, caps: str
) -> None:
    scan = read(on_its_way(code, prefix, separator, scanner, computer, caps, ""))
    if scan is not None:
        assert scan.number == ""
        assert scan.gtin in ("", GTIN, "05060166750012")
        assert scan.kit in ("", "KIT-0042B")


@given(
    first=st.integers(1, 9_999), second=st.integers(1, 9_999), form=st.sampled_from(sorted(OURS)), between=st.booleans()
)
def test_two_labels_that_arrive_as_one_are_refused_or_name_neither(
    first: int, second: int, form: str, between: bool
) -> None:
    one, other = numbered("V", first), numbered("V", second)
    codes = [OURS[form](number, mark_of("vial", number, 1)) for number in (one, other)]
    scan = read(("\r" if between else "").join(codes))
    if scan is not None:
        assert scan.number == "" or (one == other == scan.number)


def test_two_readings_are_refused_and_named() -> None:
    """Lot HX22 with serial 01…, or a longer lot: nothing tells them apart, and neither is taken."""
    with pytest.raises(Refused, match="in several ways"):
        read_scan(f"01{GTIN}10HX222101", today=TODAY)


def test_a_mark_that_was_damaged_inside_a_gs1_code_is_misread() -> None:
    number = numbered("D", 17)
    with pytest.raises(Refused, match="was misread"):
        read_scan(f"]d291{number}{GS}92B01Y", today=TODAY)
    scan = read_scan(f"91{number.lower()}{GS}92b01x", today=TODAY)
    assert (scan.number, scan.mark) == (number, "B01X")
    assert "Caps Lock" in scan.notes[0]
    # 92 is any company's own identifier, but behind a number of ours stands its mark or nothing.
    with pytest.raises(Refused, match="is not the mark of a label"):
        read_scan(f"91{number}{GS}92SHELF4", today=TODAY)
