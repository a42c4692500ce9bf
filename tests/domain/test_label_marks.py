"""The mark in a label's code says which label it is, and a slip never makes another one of it (L-22, B-02, B-05)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmacy_app.domain.label_marks import LETTERS, Mark, looks_like_mark, mark_of, parted, read_mark
from pharmacy_app.domain.vials import numbered

VIAL = numbered("V", 12)
SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def test_a_bags_first_label_by_hand() -> None:
    """MOD 37,36 of D000017 and B01, worked out by hand; the number's own check character is left out.

    D=13 → 26; 0 → 52, 15; 0 → 30; 0 → 60, 23; 0 → 46, 9; 1 → 10, 20; 7 → 27, 54, 17 (37 - 17 = 20, the K of
    D000017K); B=11 → 28, 56, 19; 0 → 38, 1; 1 → 2, 4; 37 - 4 = 33, which is X.
    """
    assert numbered("D", 17) == "D000017K"
    assert mark_of("bag", "D000017K", 1) == "B01X"


def test_kinds_have_letters_of_their_own_that_no_country_s_keyboard_swaps_for_another() -> None:
    assert len(set(LETTERS.values())) == len(LETTERS)
    for one, other in ("YZ", "AQ", "WZ"):
        assert not {one, other} <= set(LETTERS.values())


@given(st.sampled_from(sorted(LETTERS)), st.integers(1, 999_999), st.integers(1, 9_999))
def test_what_is_marked_is_read_again(kind: str, count: int, copy: int) -> None:
    number = numbered("V", count)
    mark = mark_of(kind, number, copy)
    assert looks_like_mark(mark)
    assert read_mark(number, mark) == Mark(kind, copy)
    assert parted(number + mark) == (number, mark)


def test_a_mark_is_good_for_its_own_number_alone() -> None:
    mark = mark_of("vial", VIAL, 1)
    assert [n for n in range(10, 20) if read_mark(numbered("V", n), mark)] == [12]
    assert read_mark("", mark) is None


@given(
    st.sampled_from(sorted(LETTERS)),
    st.integers(1, 999_999),
    st.integers(1, 999),
    st.integers(0, 4),
    st.integers(1, 35),
)
def test_one_wrong_character_is_no_mark(kind: str, count: int, copy: int, at: int, slip: int) -> None:
    number = numbered("D", count)
    mark = mark_of(kind, number, copy)
    at = min(at, len(mark) - 1)
    other = SIGNS[(SIGNS.index(mark[at]) + slip) % 36]
    assert read_mark(number, mark[:at] + other + mark[at + 1 :]) is None


@pytest.mark.parametrize("text", ["", "B", "B1", "B1C", "B12345C", "Y01C", "b01c", "B01", "B01CC", "BO1C"])
def test_what_is_no_mark(text: str) -> None:
    assert not looks_like_mark(text)
    assert read_mark(VIAL, text) is None


@pytest.mark.parametrize("copy", [0, -1, 10_000])
def test_copies_that_a_mark_cannot_hold(copy: int) -> None:
    with pytest.raises(ValueError, match="no copy number"):
        mark_of("vial", VIAL, copy)
    assert read_mark(VIAL, mark_of("vial", VIAL, 9_999)) == Mark("vial", 9_999)
