"""How values are written on paper: the notation rules of ISMP and the Joint Commission (REGULATION L-09 to L-13)."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels import text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("1.0", "1"),
        ("1", "1"),
        ("4.00", "4"),
        (".5", "0.5"),
        ("0.50", "0.5"),
        ("10", "10"),
        ("1E+1", "10"),
        ("100.0", "100"),
        ("1250", "1,250"),
        ("999.5", "999.5"),
        ("0.0180", "0.018"),
        ("-3.30", "-3.3"),
    ],
)
def test_an_amount_has_no_trailing_zero_and_no_naked_point(value: str, written: str) -> None:
    assert text.amount(Decimal(value)) == written


@given(st.decimals(min_value=0, max_value=10_000, allow_nan=False, allow_infinity=False, places=4))
def test_whatever_the_amount_it_reads_back_and_breaks_no_notation_rule(value: Decimal) -> None:
    written = text.amount(value)
    assert Decimal(written.replace(",", "")) == value
    assert not re.search(r"\.\d*0$|^\.|\.$", written)
    assert text.notation_faults("dose", f"{written} mg") == []


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_no_number_is_no_amount(value: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        text.amount(Decimal(value))


def test_an_unrounded_result_shows_that_more_digits_follow() -> None:
    assert text.working(Decimal("1.8181186857726190")) == "1.818118…"
    assert text.working(Decimal("0.550000")) == "0.55"


@pytest.mark.parametrize(
    ("value", "written"),
    [("-10.00", "−10"), ("9.9996", "+9.999…"), ("0", "0"), ("-3.3149", "−3.314…"), ("-0.0001", "−0.000…")],
)
def test_a_difference_has_its_sign_and_is_never_rounded_up_to_ten(value: str, written: str) -> None:
    assert text.signed_percent(Decimal(value)) == written


def test_days_and_hours_cannot_be_misread() -> None:
    assert text.day(date(2026, 2, 3)) == "03-Feb-2026"
    winter = timezone(timedelta(hours=-6))
    assert text.moment(datetime(2026, 11, 22, 14, 5, tzinfo=winter)) == "22-Nov-2026 14:05 −06:00"
    assert text.moment(datetime(2026, 11, 22, 0, 0, tzinfo=UTC)) == "22-Nov-2026 00:00 +00:00"
    india = timezone(timedelta(hours=5, minutes=30))
    assert text.clock(datetime(2026, 11, 22, 9, 0, tzinfo=india)) == "09:00 +05:30"


def test_a_moment_without_its_zone_is_a_fault_of_the_program() -> None:
    with pytest.raises(ValueError, match="offset"):
        text.moment(datetime(2026, 11, 22, 14, 5))  # noqa: DTZ001


@pytest.mark.parametrize(
    "words",
    [
        "1.0 mg",
        "2.50 mL",
        ".5 mg",
        "give 5 U",
        "5 IU",
        "QD",
        "10 µg",
        "5 cc",
        "> 2 °C",
        "< 8 °C",
        "INO",
        "at 2 @ 3",
        "Besponsa®",
    ],
)
def test_dangerous_notations_are_named(words: str) -> None:
    faults = text.notation_faults("storage", words)
    assert [fault.field for fault in faults] == ["storage"]


@pytest.mark.parametrize(
    "words",
    [
        "0.9 % sodium chloride injection, USP",
        "Store at 2–8 °C (36–46 °F)",
        "10 mg",
        "Infuse over about 1 h",
        "inotuzumab ozogamicin",
    ],
)
def test_good_notations_pass(words: str) -> None:
    assert text.notation_faults("storage", words) == []


def test_characters_that_would_print_as_a_box_are_named() -> None:
    assert text.character_faults("lot", "AB×−÷√≤≥°·²é") == []
    (fault,) = text.character_faults("lot", "AB漢\n")
    assert fault.field == "lot"
    assert "漢" in fault.sentence
    assert "\\n" in fault.sentence


@pytest.mark.parametrize(
    ("recorded", "printed"),
    [
        ("carton wet, lid dented – 2 °C", "carton wet, lid dented – 2 °C"),
        ("box wet\nlid dented", "box wet lid dented"),
        ("one\r\n\n two\tthree\u2028four\u3000five", "one  two three four five"),
        ("all fine 👍", "all fine [U+1F44D]"),
        ("漢", "[U+6F22]"),
        ("1.0 \u202egm\u202c", "1.0 [U+202E]gm[U+202C]"),
        ("a\u200bb\x07c\x00", "a[U+200B]b[U+0007]c[U+0000]"),
        ("", ""),
    ],
)
def test_a_report_shows_what_the_typeface_lacks_and_what_nobody_would_see(recorded: str, printed: str) -> None:
    assert text.written_out(recorded) == printed
    assert text.written_out(printed) == printed
    assert text.character_faults("note", printed) == []
    # On a line of its own and in a cell alike.
    assert " ".join(text.wrap(recorded, text.PLAIN, 8, 900)).split() == printed.split()


def test_a_number_of_a_sign_stays_in_one_piece() -> None:
    assert text.wrap("漢字漢", text.PLAIN, 8, 50) == ["[U+6F22]", "[U+5B57]", "[U+6F22]"]


def test_wrapping_loses_no_letter_and_keeps_the_width() -> None:
    words = "D-2026-000123-7-AND-A-LONG-REFERENCE several plain words Donaudampfschifffahrtsgesellschaft"
    lines = text.wrap(words, text.PLAIN, 8, 40)
    assert "".join("".join(lines).split()) == "".join(words.split())
    assert all(text.width(line, text.PLAIN, 8) <= 40 for line in lines)
    assert len(lines) > 4


def test_nothing_is_shrunk_below_six_points() -> None:
    assert text.fitting_size("HX2201A", text.PLAIN, 8, 1, 1000) == 8
    room_at_6 = text.width("HX2201A", text.PLAIN, 6)
    assert text.fitting_size("HX2201A", text.PLAIN, 8, 1, room_at_6) == 6
    assert text.fitting_size("HX2201A", text.PLAIN, 8, 1, room_at_6 - 0.01) is None


def test_a_label_names_the_zone_so_that_no_span_of_hours_is_read() -> None:
    """``14:05 −06:00`` on a bag was read as “from 14:05 to 06:00”."""
    at = datetime(2026, 11, 22, 14, 5, tzinfo=ZoneInfo("America/Chicago"))
    assert text.label_moment(at) == "22-Nov-2026 14:05 CST"
    assert text.label_moment(at.astimezone(timezone(timedelta(hours=-3)))) == "22-Nov-2026 17:05 (UTC−03:00)"
