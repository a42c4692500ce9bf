"""GS1 element strings: read, written, refused by name, and dates of two-digit years (B-01, B-02, B-04)."""

from datetime import date
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.gs1 import (
    GS,
    IDENTIFIERS,
    BadCode,
    Element,
    Problem,
    check_digit_fits,
    element_string,
    expiry_of,
    full_year,
    human,
    identifier_at,
    in_order,
    last_day,
    parse,
    read_human,
    readings,
    value_of,
)

TODAY = date(2026, 11, 22)
GTIN = "09506000134352"
"""Of GS1's own examples. By hand from the right, without the check digit 2: 5·3+3·1+4·3+3·1+1·3+0+0+0+6·3+0+5·3+9·1+0
= 15+3+12+3+3+18+15+9 = 78; to 80 are 2."""


def problem_of(text: str) -> Problem:
    with pytest.raises(BadCode) as refused:
        parse(text)
    assert refused.value.faults[0].sentence.count(".") >= 1
    return refused.value.problem


def elements(*pairs: tuple[str, str]) -> tuple[Element, ...]:
    return tuple(Element(ai, value) for ai, value in pairs)


# --- reading -----------------------------------------------------------------------------------------------------


def test_a_vial_with_gtin_expiry_lot_and_serial() -> None:
    read = parse("01" + GTIN + "17270331" + "10AB-12" + GS + "21S/7")
    assert read == elements(("01", GTIN), ("17", "270331"), ("10", "AB-12"), ("21", "S/7"))
    assert human(read) == f"(01){GTIN}(17)270331(10)AB-12(21)S/7"
    assert expiry_of(read, TODAY) == date(2027, 3, 31)
    assert (value_of(read, "10"), value_of(read, "240")) == ("AB-12", "")


def test_a_study_vial_may_carry_protocol_and_serial_alone() -> None:
    read = parse("7240INO-P2" + GS + "21000123")
    assert read == elements(("7240", "INO-P2"), ("21", "000123"))
    assert expiry_of(read, TODAY) is None


def test_what_is_ended_by_a_separator_is_not_cut_though_it_holds_another_identifier() -> None:
    assert parse("10ABC21XYZ") == elements(("10", "ABC21XYZ"))
    assert parse("10ABC" + GS + "21XYZ") == elements(("10", "ABC"), ("21", "XYZ"))


@pytest.mark.parametrize(
    "text",
    [
        GS + "01" + GTIN + "10A",
        "01" + GTIN + GS + "10A",
        "01" + GTIN + "10A" + GS,
        "01" + GTIN + "01" + GTIN + "10A" + GS,
    ],
)
def test_a_separator_that_is_not_needed_is_tolerated(text: str) -> None:
    assert set(parse(text)) == set(elements(("01", GTIN), ("10", "A")))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.EMPTY),
        (GS, Problem.EMPTY),
        ("0109506000134353", Problem.CHECK_DIGIT),
        ("0109506000134325", Problem.CHECK_DIGIT),
        ("010950600013435", Problem.SHORT),
        ("0109506000" + GS + "134352", Problem.SHORT),
        ("01O9506000134352", Problem.CHARACTER),
        ("01" + GTIN + "1", Problem.IDENTIFIER),
        ("01" + GTIN + GS + GS + "10A", Problem.IDENTIFIER),
        ("5510A", Problem.IDENTIFIER),
        ("10", Problem.SHORT),
        ("10" + "A" * 20 + "B", Problem.LONG),
        ("10" + "A" * 12 + "21" + "B" * 12, Problem.SEPARATOR),
        ("7003270331140010ABC", Problem.SEPARATOR),
        ("30123456789", Problem.LONG),
        ("10AB C", Problem.CHARACTER),
        ("10AB#C", Problem.CHARACTER),
        ("10ABß", Problem.CHARACTER),
        ("30A", Problem.CHARACTER),
        ("17271301", Problem.MONTH),
        ("17270001", Problem.MONTH),
        ("17270431", Problem.DAY),
        ("17270229", Problem.DAY),
        ("7003270300" + "1200", Problem.DAY),
        ("70032703312400", Problem.TIME),
        ("70032703311260", Problem.TIME),
        ("10A" + GS + "10B", Problem.TWICE),
    ],
)
def test_every_fault_has_its_name(text: str, problem: Problem) -> None:
    assert problem_of(text) is problem


@pytest.mark.parametrize(
    "text", ["10" + "A" * 20, "30" + "1" * 8, "17280229", "17270400", "70032703312359", "91" + "x" * 90]
)
def test_the_longest_and_the_last_are_still_good(text: str) -> None:
    assert human(parse(text)) == f"({identifier_at(text).ai}){text[len(identifier_at(text).ai) :]}"  # type: ignore[union-attr]


def test_a_refusal_names_value_and_reason_and_is_one_of_the_three_kinds_of_trouble() -> None:
    with pytest.raises(Refused) as refused:
        parse("17271301")
    assert "“271301” names month 13" in str(refused.value)
    with pytest.raises(BadCode, match="twice: “A” and “B”"):
        parse("10A" + GS + "10B")
    with pytest.raises(BadCode, match="“#”"):
        parse("10AB#C")


# --- the table ---------------------------------------------------------------------------------------------------


def test_no_identifier_begins_with_another() -> None:
    assert not [(a, b) for a, b in permutations(IDENTIFIERS, 2) if b.startswith(a)]


@pytest.mark.parametrize(
    ("ai", "fixed", "shortest", "longest"),
    [
        ("00", True, 18, 18),
        ("01", True, 14, 14),
        ("10", False, 1, 20),
        ("17", True, 6, 6),
        ("20", True, 2, 2),
        ("21", False, 1, 20),
        ("240", False, 1, 30),
        ("253", False, 13, 30),
        ("3103", True, 6, 6),
        ("37", False, 1, 8),
        ("414", True, 13, 13),
        ("420", False, 1, 20),
        ("421", False, 3, 12),
        ("7003", False, 10, 10),
        ("715", False, 1, 20),
        ("7240", False, 1, 20),
        ("90", False, 1, 30),
        ("99", False, 1, 90),
    ],
)
def test_lengths_of_the_syntax_dictionary(ai: str, fixed: bool, shortest: int, longest: int) -> None:
    identifier = IDENTIFIERS[ai]
    assert (identifier.fixed, identifier.shortest, identifier.longest) == (fixed, shortest, longest)


@pytest.mark.parametrize(("number", "fits"), [(GTIN, True), ("09506000134353", False), ("106141411234567897", True)])
def test_check_digits_of_published_numbers(number: str, fits: bool) -> None:
    assert check_digit_fits(number) is fits


@given(place=st.integers(0, 13), slip=st.integers(1, 9))
def test_any_wrong_digit_of_a_gtin_is_noticed(place: int, slip: int) -> None:
    digit = (int(GTIN[place]) + slip) % 10
    assert not check_digit_fits(GTIN[:place] + str(digit) + GTIN[place + 1 :])


# --- dates -------------------------------------------------------------------------------------------------------


# The window: from 49 years back to 50 ahead.
@pytest.mark.parametrize(
    ("two", "today", "year"),
    [
        (26, 2026, 2026),
        (76, 2026, 2076),
        (77, 2026, 1977),
        (99, 2026, 1999),
        (0, 2026, 2000),
        (10, 2060, 2110),
        (11, 2060, 2011),
        (0, 2050, 2100),
        (0, 2049, 2000),
        (99, 2050, 2099),
        (1, 2050, 2001),
    ],
)
def test_the_century_of_two_digits(two: int, today: int, year: int) -> None:
    assert full_year(two, date(today, 6, 1)) == year


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("270300", date(2027, 3, 31)),
        ("270200", date(2027, 2, 28)),
        ("280200", date(2028, 2, 29)),
        ("280229", date(2028, 2, 29)),
        ("270301", date(2027, 3, 1)),
    ],
)
def test_day_00_is_the_last_of_the_month(value: str, day: date) -> None:
    assert last_day(value, TODAY) == day


def test_29_february_2100_does_not_exist() -> None:
    with pytest.raises(BadCode) as refused:
        last_day("000229", date(2055, 1, 1))
    assert refused.value.problem is Problem.DAY


@pytest.mark.parametrize(
    ("moment", "day"),
    [("2703311400", date(2027, 3, 30)), ("2703312359", date(2027, 3, 31)), ("2703010000", date(2027, 2, 28))],
)
def test_a_day_on_which_the_item_ends_is_not_whole(moment: str, day: date) -> None:
    assert expiry_of(elements(("7003", moment)), TODAY) == day


def test_two_expiries_that_agree_and_two_that_do_not() -> None:
    assert expiry_of(elements(("17", "270331"), ("7003", "2703311400")), TODAY) == date(2027, 3, 30)
    with pytest.raises(BadCode, match="two expiries"):
        expiry_of(elements(("17", "270330"), ("7003", "2703311400")), TODAY)


# --- writing -----------------------------------------------------------------------------------------------------


def test_the_separator_stands_after_each_open_value_but_the_last() -> None:
    written = element_string(elements(("01", GTIN), ("17", "270331"), ("10", "A"), ("21", "B")))
    assert written == "01" + GTIN + "17270331" + "10A" + GS + "21B"
    assert element_string(elements(("7003", "2703311400"), ("10", "A"))) == "70032703311400" + GS + "10A"
    assert "(" not in written


@pytest.mark.parametrize(
    ("given_elements", "problem"),
    [
        ((), Problem.EMPTY),
        (elements(("10", "A"), ("17", "270331")), Problem.ORDER),
        (elements(("10", "A"), ("10", "A")), Problem.TWICE),
        (elements(("01", "09506000134353")), Problem.CHECK_DIGIT),
        (elements(("01", "9506000134352")), Problem.SHORT),
        (elements(("21", "(01)#")), Problem.CHARACTER),
        (elements(("21", "A" + GS + "B")), Problem.CHARACTER),
        (elements(("17", "271301")), Problem.MONTH),
        (elements(("10", "A" * 21)), Problem.LONG),
        (elements(("05", "A")), Problem.IDENTIFIER),
    ],
)
def test_nothing_bad_is_written(given_elements: tuple[Element, ...], problem: Problem) -> None:
    with pytest.raises(BadCode) as refused:
        element_string(given_elements)
    assert refused.value.problem is problem


def test_putting_in_order_keeps_the_order_otherwise() -> None:
    mixed = elements(("10", "A"), ("17", "270331"), ("21", "B"), ("01", GTIN))
    assert in_order(mixed) == elements(("17", "270331"), ("01", GTIN), ("10", "A"), ("21", "B"))


SET_82 = st.text("!\"%&'*+,-./0123456789:;<=>?ABCXYZ_abcxyz", min_size=1, max_size=20)
CODES = st.tuples(
    st.booleans(),
    st.dates(date(2000, 1, 1), date(2060, 12, 31)),
    st.dictionaries(st.sampled_from(["10", "21", "240", "7240", "91", "99"]), SET_82, min_size=1),
).map(
    lambda drawn: (
        *([Element("01", GTIN)] if drawn[0] else []),
        Element("17", f"{drawn[1]:%y%m%d}"),
        *(Element(ai, value) for ai, value in drawn[2].items()),
    )
)


@given(CODES)
def test_what_is_written_is_read_again(code: tuple[Element, ...]) -> None:
    assert parse(element_string(code)) == code
    assert read_human(human(code)) == code


@given(CODES)
def test_without_separators_the_true_reading_is_among_those_found(code: tuple[Element, ...]) -> None:
    for between in ("", "029"):
        found = readings(element_string(code).replace(GS, between), between)
        assert found is None or code in found


# --- without separators, and as printed ---------------------------------------------------------------------------


def test_a_serial_glued_to_a_lot_can_be_read_in_two_ways() -> None:
    found = readings("10ABC21XYZ")
    assert found is not None
    assert set(found) == {elements(("10", "ABC21XYZ")), elements(("10", "ABC"), ("21", "XYZ"))}


def test_no_reading_gives_one_identifier_two_values() -> None:
    assert readings("10AB10CD") == (elements(("10", "AB10CD")),)


def test_readings_end_when_there_is_no_end_to_them() -> None:
    assert readings("9191929293939494959596969797989899" * 12) is None
    assert readings("10ABC", most_steps=2) is None
    assert readings("10ABC", most_steps=3) == (elements(("10", "ABC")),)


def test_a_separator_typed_as_029_stands_only_between_values() -> None:
    both = {elements(("10", "A02921B")), elements(("10", "A"), ("21", "B"))}
    assert set(readings("10A02921B", "029") or ()) == both
    assert readings("10A029", "029") == (elements(("10", "A029")),)


@pytest.mark.parametrize("text", ["", "ABC", "x(01)" + GTIN, "(05)A", "(1)A", "(01A)B"])
def test_what_is_not_printed_as_gs1_prints_is_refused(text: str) -> None:
    with pytest.raises(BadCode) as refused:
        read_human(text)
    assert refused.value.problem is Problem.IDENTIFIER


def test_parentheses_inside_a_printed_value_belong_to_it() -> None:
    assert read_human("(10)A(b)1 (21)S") == elements(("10", "A(b)1"), ("21", "S"))
    with pytest.raises(BadCode):
        read_human("(10)A(10)B")
