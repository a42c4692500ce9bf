"""What a scanner types: read right or refused with the reason, never as something else (B-01 to B-07, L-22)."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pharmacy_app.domain import scans
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.gs1 import check_digit_fits
from pharmacy_app.domain.label_marks import mark_of
from pharmacy_app.domain.scans import (
    LETTERS,
    LONGEST,
    Facts,
    KitPattern,
    Scan,
    could_be_ours,
    facts_of,
    learn,
    merge,
    on_other_keyboards,
    read_scan,
)
from pharmacy_app.domain.vials import numbered

TODAY = date(2026, 11, 22)
GS = "\x1d"
GTIN = "09506000134352"
VIAL = numbered("V", 12)
assert VIAL == "V000012K"
"""MOD 37,36 by hand: V=31 → 31 (36+31 = 67, less 36), 62, mod 37 = 25; 0 → 25, 50, 13; 0 → 13, 26; 0 → 26, 52, 15;
0 → 15, 30; 1 → 31, 62, 25; 2 → 27, 54, 17; 37 - 17 = 20, which is K."""

KITS = KitPattern("KIT-", "9999A")

DOSE, OTHER_DOSE = numbered("D", 1), numbered("D", 2)
BAG_MARK, OTHER_MARK = mark_of("bag", DOSE, 1), mark_of("bag", OTHER_DOSE, 1)
"""D0000010 and D000002Y, the first bag label of each."""


def scan(typed: str, *patterns: KitPattern, sends_separator: bool = False, by_hand: bool = False) -> Scan:
    return read_scan(typed, today=TODAY, patterns=patterns, sends_separator=sends_separator, by_hand=by_hand)


def why_not(typed: str, *patterns: KitPattern, by_hand: bool = False) -> str:
    with pytest.raises(Refused) as refused:
        scan(typed, *patterns, by_hand=by_hand)
    (fault,) = refused.value.faults
    assert fault.field == "scan"
    return fault.sentence


# --- our numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [VIAL, f"{VIAL}\r\n", f"\t{VIAL} ", f"]C0{VIAL}", f"\x02{VIAL}\x03"])
def test_our_own_label(typed: str) -> None:
    read = scan(typed)
    assert (read.kind, read.number, read.notes, read.typed) == ("ours", VIAL, (), typed)
    assert facts_of(read) == Facts(number=VIAL)


def test_any_letter_is_ours_when_the_check_character_fits() -> None:
    assert scan(numbered("K", 3)).number == numbered("K", 3)
    assert scan("]C0" + VIAL).symbology == "Code 128"


@pytest.mark.parametrize("letter", LETTERS)
def test_a_number_in_use_with_a_wrong_check_character_was_misread(letter: str) -> None:
    good = numbered(letter, 77)
    wrong = good[:-1] + next(c for c in "01" if c != good[-1])
    assert "was misread" in why_not(wrong)


def test_what_looks_like_our_numbers_with_another_letter_is_somebody_elses() -> None:
    good = numbered("K", 12345)
    other = good[:-1] + next(c for c in "01" if c != good[-1])
    assert scan(other).kind == "text"


def test_a_hand_adds_blanks_and_takes_o_for_0_but_a_scanner_does_not() -> None:
    assert scan("v-0000 12k", by_hand=True).number == VIAL
    assert scan("VOOOO12K", by_hand=True).number == VIAL
    assert scan("V-000012-K").kind == "text"
    assert "Perhaps" not in why_not("VOOOO12A", by_hand=True)


# --- Caps Lock and keyboards -------------------------------------------------------------------------------------

Z_VIAL = next(number for n in range(1, 500) if (number := numbered("V", n)).endswith("Z"))


@pytest.mark.parametrize(
    ("typed", "number", "said"),
    [
        ("v000012k", VIAL, "Caps Lock was on"),
        ("V))))!@K", VIAL, "Shift or Caps Lock"),
        ('V====!"K', VIAL, "Shift or Caps Lock"),
        ('v====!"k', VIAL, "Shift or Caps Lock"),
        ("Vàààà&éK", VIAL, "French and US"),
        ("vàààà&ék", VIAL, "Shift or Caps Lock"),
        (Z_VIAL[:-1] + "Y" + mark_of("vial", Z_VIAL, 1), Z_VIAL, "Y and Z"),
        (Z_VIAL[:-1].lower() + "y" + mark_of("vial", Z_VIAL, 1).lower(), Z_VIAL, "Caps Lock was on, too"),
        ("+C0" + VIAL, VIAL, "Y and Z"),
    ],
)
def test_a_slip_of_the_keyboard_is_put_right_and_said(typed: str, number: str, said: str) -> None:
    read = scan(typed)
    assert (read.kind, read.number) == ("ours", number)
    assert said in read.notes[0]
    assert len(read.notes) == 1


@pytest.mark.parametrize("typed", [Z_VIAL[:-1] + "Y", Z_VIAL[:-1].lower() + "y", "+C0" + Z_VIAL[:-1] + "Y"])
def test_a_swapped_check_character_is_noticed_but_proves_no_number(typed: str) -> None:
    """One wrong digit and Y for Z could be any other vial's number: the keyboard is named, and nothing is read."""
    assert "Perhaps: Y and Z" in why_not(typed)


def test_a_person_who_typed_a_wrong_check_character_is_not_put_right() -> None:
    assert "was misread" in why_not(Z_VIAL[:-1] + "Y", by_hand=True)
    assert scan("v000012k", by_hand=True).notes == ()


def test_what_cannot_be_put_right_is_refused_with_the_likely_cause() -> None:
    sentence = why_not("V))))!@A")
    assert "Perhaps: The digits came as the signs" in sentence
    assert "Then scan again." in sentence


def mangled(text: str, scanner: str, computer: str) -> str:
    """What a computer of one country shows of a scanner that types as on another country's keyboard."""
    keys = dict(zip("".join(scans._KEYBOARDS[scanner]), "".join(scans._KEYBOARDS[computer]), strict=True))
    return "".join(keys[c] for c in text)


def shifted(text: str, computer: str) -> str:
    low, high = scans._KEYBOARDS[computer]
    return "".join(dict(zip(low + high, high + low, strict=True))[c] for c in text)


COUNTRIES = st.sampled_from(sorted(scans._KEYBOARDS))


@given(
    letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    count=st.integers(1, 999_999),
    scanner=COUNTRIES,
    computer=COUNTRIES,
    caps=st.sampled_from(["", "letters", "all"]),
    ending=st.sampled_from(["", "\r", "\n", "\t"]),
)
@example(letter="Y", count=1, scanner="US", computer="German", caps="", ending="")
@example(letter="E", count=44, scanner="German", computer="US", caps="all", ending="")
@example(letter="Y", count=998_676, scanner="US", computer="German", caps="letters", ending="")
@example(letter="Q", count=1, scanner="French", computer="US", caps="", ending="")
def test_our_number_is_read_right_or_refused_whatever_the_keyboard(
    letter: str, count: int, scanner: str, computer: str, caps: str, ending: str
) -> None:
    number = numbered(letter, count)
    typed = mangled(number, scanner, computer)
    if caps == "letters":
        typed = "".join(c.swapcase() if c.isascii() else c for c in typed)
    elif caps == "all":
        typed = shifted(typed, computer)
    try:
        read = scan(typed + ending)
    except Refused:
        return
    assert read.number in ("", number)
    assert read.number == number or letter not in LETTERS


def test_a_number_that_two_keyboards_explain_differently_is_refused() -> None:
    # “)” is 9 on a German keyboard and 0 on a US one: E000044Y and E999944Z are both numbers that could be meant.
    assert numbered("E", 44) == "E000044Y"
    assert numbered("E", 999_944) == "E999944Z"
    assert "cannot be told for sure" in why_not("e))))$$z")


@pytest.mark.parametrize("typed", ["Y998676Y", "Z998676Z", "z998676z"])
def test_a_number_that_the_keyboard_could_have_made_of_another_is_refused(typed: str) -> None:
    # With Y and Z exchanged each of the two is the other, and both check characters fit.
    assert (numbered("Y", 998_676), numbered("Z", 998_676)) == ("Y998676Y", "Z998676Z")
    assert "in two ways" in why_not(typed) or "cannot be told for sure" in why_not(typed)
    assert scan(typed, by_hand=True).number == typed.upper()


def test_keyboards_have_each_key_once() -> None:
    for low, high in scans._KEYBOARDS.values():
        assert len(low) == len(high) == 47
        assert len(set(low + high)) == 94


# --- GS1 ---------------------------------------------------------------------------------------------------------

FULL = Facts(gtin=GTIN, lot="ABC", expires_on=date(2027, 3, 31), serial="XYZ")


@pytest.mark.parametrize("separator", [GS, "↔", "^]", "<GS>", "<gs>", "{GS}", "␝", "|", "<FNC1>"])
@pytest.mark.parametrize("symbol", ["", "]d2", "]C1", "]Q3"])
def test_the_separator_in_all_its_guises(separator: str, symbol: str) -> None:
    read = scan(f"{symbol}01{GTIN}1727033110ABC{separator}21XYZ\r")
    assert (read.kind, facts_of(read), read.notes, read.separated) == ("gs1", FULL, (), True)


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("]d2", "GS1 DataMatrix"),
        ("]C1", "GS1-128"),
        ("]Q3", "GS1 QR Code"),
        ("]e0", "GS1 DataBar"),
        ("]d1", "Data Matrix"),
    ],
)
def test_the_scanner_says_what_the_symbol_is(symbol: str, name: str) -> None:
    assert scan(f"{symbol}01{GTIN}").symbology == name


def test_a_plain_data_matrix_with_gs1_content_is_read_with_a_word_of_it() -> None:
    assert "not marked as GS1" in scan(f"]d101{GTIN}").notes[0]


def test_a_marked_code_without_gtin_is_gs1_but_the_same_digits_unmarked_are_not() -> None:
    assert scan("]d21727033110A").lot == "A"
    assert scan("1727033110A").kind == "text"
    assert scan("10234").kind == "text"


def test_a_serial_glued_to_the_lot_is_refused_and_both_readings_are_named() -> None:
    sentence = why_not(f"01{GTIN}1727033110ABC21XYZ")
    assert f"(01){GTIN}(17)270331(10)ABC(21)XYZ" in sentence
    assert f"(01){GTIN}(17)270331(10)ABC21XYZ" in sentence
    assert "send GS" in sentence
    assert "in several ways" in why_not(f"01{GTIN}10ABC02921XYZ")
    assert "too many ways" in why_not(f"01{GTIN}" + "9191929293939494959596969797989899" * 12)


def test_a_scanner_known_to_send_the_separator_leaves_no_doubt() -> None:
    read = scan(f"01{GTIN}1727033110ABC21XYZ", sends_separator=True)
    assert (read.lot, read.serial, read.separated) == ("ABC21XYZ", "", False)


def test_without_separator_a_lot_at_the_end_is_read_when_nothing_can_hang_on_it() -> None:
    read = scan(f"01{GTIN}1727033110ABC")
    assert (read.lot, read.notes) == ("ABC", ())


def test_without_separator_our_number_is_sure_and_so_is_what_all_readings_share() -> None:
    read = scan(f"172703311055621{VIAL}")
    assert (read.number, read.lot, read.serial) == (VIAL, "556", "")
    assert "drops the separator" in read.notes[0]
    open_lot = scan(f"1727033110LOT02921{VIAL}")
    assert (open_lot.number, open_lot.expires_on, open_lot.lot) == (VIAL, date(2027, 3, 31), "")
    assert "left open: lot" in open_lot.notes[0]
    before = scan(f"21{VIAL}10ABC")
    assert (before.number, before.lot) == (VIAL, "ABC")
    typed = scan(f"21{VIAL}02910ABC")
    assert (typed.number, typed.lot) == (VIAL, "ABC")


def test_our_number_in_a_gs1_code_is_no_serial_number_of_the_maker() -> None:
    read = scan(f"10ABC{GS}21{VIAL}")
    assert (read.kind, read.number, read.serial) == ("gs1", VIAL, "")
    assert scan(f"10ABC{GS}91{VIAL}").number == VIAL
    assert scan(f"10ABC{GS}240{VIAL}").number == ""
    assert "two of our numbers" in why_not(f"21{VIAL}{GS}91{numbered('V', 13)}")


@pytest.mark.parametrize(
    "typed",
    [
        f"91{DOSE}{GS}92{BAG_MARK}{OTHER_DOSE}{OTHER_MARK}",
        f"]d291{DOSE}{GS}92{BAG_MARK}{OTHER_DOSE}{OTHER_MARK}",
        f"91{DOSE}92{BAG_MARK}{OTHER_DOSE}{OTHER_MARK}",  # the scanner drops the separator
        f"91{DOSE}{GS}92{BAG_MARK}91{OTHER_DOSE}",
        f"91{DOSE}{GS}92{BAG_MARK}91{OTHER_DOSE}{GS}92{OTHER_MARK}",
        f"91{DOSE}{GS}92{BAG_MARK}{OTHER_DOSE}",
        f"91{DOSE}{OTHER_DOSE}{GS}92{BAG_MARK}",
        f"]d291{DOSE}{OTHER_DOSE}",
        f"(91){DOSE}(92){BAG_MARK}{OTHER_DOSE}{OTHER_MARK}",
    ],
)
def test_a_label_with_another_code_glued_to_it_is_refused_and_never_half_read(typed: str) -> None:
    """Two bags on the bench, the trigger pressed twice: the first dose must not be taken for the answer."""
    for by_hand in (False, True):
        why_not(typed, by_hand=by_hand)


@pytest.mark.parametrize("mark", ["V01", "V", "01O", "V01OO", "HELLO"])
def test_a_mark_that_is_none_of_its_number_is_refused_and_not_dropped(mark: str) -> None:
    for head in (f"21{VIAL}", f"91{VIAL}", f"01{GTIN}21{VIAL}"):
        assert f"(92) “{mark}” is not the mark of a label of {VIAL}" in why_not(f"{head}{GS}92{mark}"), head
    # Without our number 92 is somebody else's own business.
    assert scan(f"01{GTIN}92{mark}{GS}10A1").lot == "A1"


def test_a_cut_off_mark_is_not_left_open_because_the_scanner_drops_the_separator() -> None:
    """(7240) could go on to the end, mark and all: then nobody would know which copy of the label was scanned."""
    label = f"01{GTIN}1727033110HX21{VIAL}72402012-051192"
    whole = scan(label + mark_of("vial", VIAL, 1))
    assert (whole.number, whole.mark, whole.protocol) == (VIAL, mark_of("vial", VIAL, 1), "2012-0511")
    assert f"(92) “V01” is not the mark of a label of {VIAL}" in why_not(label + "V01")


@pytest.mark.parametrize(
    "kit",
    [
        VIAL,
        VIAL.lower(),
        VIAL.replace("0", "O"),
        f"{VIAL[:4]} {VIAL[4:]}",
        f"21{VIAL}",
        f"91{VIAL}",
        f"]d191{VIAL}",
        f"(91){VIAL}",
        VIAL + mark_of("vial", VIAL, 1),
        f"91{VIAL}92{mark_of('vial', VIAL, 1)}",
        DOSE,
        f"10A121{DOSE}",
        *(numbered(letter, 7) for letter in "BCDEFNPQRX"),
        OTHER_DOSE[:7] + "Z",  # a German scanner on a US computer types Y for it: dose D000002Y
        'V====!"K',  # V000012K with Shift held on a German keyboard
    ],
)
def test_a_kit_that_could_be_one_of_our_numbers_is_known(kit: str) -> None:
    assert could_be_ours(kit)


@pytest.mark.parametrize(
    "kit",
    [
        "K7701",
        "K-7701",
        "001",
        "A000001",
        "PKG0001234",
        "0101234567890128",
        "+A123",
        "S-1",
        "D0000019",
        "12345678",
        "É1",
    ],
)
def test_an_honest_kit_number_is_none_of_ours(kit: str) -> None:
    assert could_be_ours(kit) == ""


def test_keys_that_another_layout_swaps() -> None:
    assert "K00Z1" in on_other_keyboards("K00Y1")
    assert "K00Y1" in on_other_keyboards("k00z1")
    assert "K!" in on_other_keyboards("K1"), "Shift"
    assert "K7701" not in on_other_keyboards("K7701")


def test_as_printed_with_parentheses() -> None:
    read = scan(f"(01){GTIN}(17)270331(10)ABC(21)XYZ")
    assert facts_of(read) == FULL
    assert "parentheses" in read.notes[0]
    assert "check digit" in why_not("(01)09506000134353")


def test_protocol_and_a_kit_number_as_serial() -> None:
    read = scan(f"7240INO-P2{GS}21KIT-0042C", KITS)
    assert (read.protocol, read.serial, read.kit) == ("INO-P2", "KIT-0042C", "KIT-0042C")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0109506000134353", "check digit does not fit"),
        ("]d20109506000134353", "check digit does not fit"),
        (f"01{GTIN}17271301", "month 13"),
        (f"01{GTIN}10AB{GS}17270431", "day 31"),
        (f"01{GTIN}{GS}55A", "no GS1 identifier"),
        (f"ABC{GS}10A", "begins with no GS1 identifier"),
        ("]d2HELLO", "no GS1 identifier"),
        ("]E09506000134353", "misread"),
        ("]E0ABC", "EAN/UPC"),
    ],
)
def test_a_damaged_gs1_code_says_why(typed: str, said: str) -> None:
    assert said in why_not(typed)


# 9506000134352 is the same published number as thirteen digits; it stays the same GTIN with a zero before it.
@pytest.mark.parametrize("typed", ["]E09506000134352", "]I109506000134352"])
def test_a_bare_product_number_is_a_gtin_when_the_scanner_names_the_symbol(typed: str) -> None:
    assert (scan(typed).kind, scan(typed).gtin) == ("gs1", GTIN)
    assert scan("9506000134352").kind == "text"


def test_a_gs1_code_on_the_wrong_keyboard() -> None:
    # "]" is "+" and "-" is "ß" on a German keyboard; digits on a French one come as the signs below them.
    german = scan(f"+d201{GTIN}10ZYß1")
    assert (german.gtin, german.lot) == (GTIN, "YZ-1")
    assert "German and US" in german.notes[0]
    french = scan('à&àç(à-ààà&"\'"(é&à&é')
    assert (french.gtin, french.lot) == (GTIN, "12")
    # Without a GTIN the scanner's own prefix proves it; where that was right as it came, nothing is changed.
    assert scan("+d21727033110AZ").lot == "AY"
    assert "misread" in why_not("]E09506000134353")


def test_caps_lock_is_seen_at_the_scanners_own_prefix_or_at_our_number() -> None:
    assert scan(f"]c101{GTIN}10abc").lot == "ABC"
    read = scan(f"10xyz{GS}21{VIAL.lower()}")
    assert (read.number, read.lot) == (VIAL, "XYZ")
    assert "Caps Lock" in read.notes[0]
    assert scan(f"]C101{GTIN}10abc").lot == "abc"


# --- HIBC (published examples of ANSI/HIBC 2.6) -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "facts"),
    [
        ("+A123BJC5D6E71G", Facts(product="A123 BJC5D6E7 unit 1")),
        ("*+A123BJC5D6E71G*", Facts(product="A123 BJC5D6E7 unit 1")),
        ("+$$52001510X3GD", Facts(lot="10X3", expires_on=date(2020, 1, 15))),
        ("+A99912345/$$52001510X33", Facts(product="A999 1234 unit 5", lot="10X3", expires_on=date(2020, 1, 15))),
    ],
)
def test_hibc_codes_of_the_standard(typed: str, facts: Facts) -> None:
    read = scan(typed)
    assert (read.kind, facts_of(read), read.notes) == ("hibc", facts, ())


def hibc(content: str) -> str:
    """A code with its check character: the values' sum modulo 43."""
    values = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
    return content + values[sum(map(values.index, content)) % 43]


@pytest.mark.parametrize(
    ("second", "facts"),
    [
        ("$$09273C001", Facts(lot="3C001", expires_on=date(2027, 9, 30))),
        ("$$12273C001", Facts(lot="3C001", expires_on=date(2027, 12, 31))),
        ("$$20928273C001", Facts(lot="3C001", expires_on=date(2027, 9, 28))),
        ("$$32709283C001", Facts(lot="3C001", expires_on=date(2027, 9, 28))),
        ("$$4270928223C001", Facts(lot="3C001", expires_on=date(2027, 9, 27))),
        ("$$5272713C001", Facts(lot="3C001", expires_on=date(2027, 9, 28))),
        ("$$627271223C001", Facts(lot="3C001", expires_on=date(2027, 9, 27))),
        ("$$73C001", Facts(lot="3C001")),
        ("$$+30001", None),
        ("$$+70001", Facts(serial="0001")),
        ("$$+3270928S1", Facts(serial="S1", expires_on=date(2027, 9, 28))),
        ("$3C001", Facts(lot="3C001")),
        ("$+S1", Facts(serial="S1")),
        ("272713C001", Facts(lot="3C001", expires_on=date(2027, 9, 28))),
        ("$$73C001/S77/16D20260101/14D20270928", Facts(lot="3C001", serial="77", expires_on=date(2027, 9, 28))),
        ("$$32709283C001/14D20270927", None),
        ("$$32713283C001", None),
        ("$$5273663C001", None),
        ("$$5270003C001", None),
        ("$$13273C001", None),
    ],
)
def test_the_ways_hibc_writes_lot_and_expiry(second: str, facts: Facts | None) -> None:
    for typed, product in ((f"+A99912345/{second}", "A999 1234 unit 5"), (f"+{second}G", "")):
        if facts is None:
            why_not(hibc(typed))
        else:
            read = facts_of(scan(hibc(typed)))
            assert read == merge(facts, Facts(product=product))


def test_a_hibc_quantity_is_not_guessed_at() -> None:
    read = scan(hibc("+A99912345/$$8240927LOT"))
    assert (read.lot, read.expires_on) == ("", None)
    assert "not read" in read.notes[0]


def test_a_hibc_check_character_may_be_a_blank() -> None:
    content = next(c for n in range(99) if hibc(c := f"+A999{n:02d}1").endswith(" "))
    assert scan(content + " \r\n").kind == "hibc"
    assert "check character" in why_not(content)


def test_hibc_that_is_damaged_or_not_of_a_product() -> None:
    assert "check character" in why_not("+A123BJC5D6E71H")
    assert "person or a place" in why_not("+/EO5232013")
    assert "holds “é”" in why_not("+A12é")
    assert "check character" in why_not("+")
    read = scan("+a123bjc5d6e71g")
    assert (read.kind, len(read.notes)) == ("hibc", 1)
    assert scan("]A123BJC5D6E71G").product == "A123 BJC5D6E7 unit 1"


def test_a_hibc_code_that_may_be_a_gs1_code_on_a_german_keyboard_is_refused() -> None:
    # There the scanner's prefix “]C1” arrives as “+C1”, and one in 43 of these fits the check of HIBC. By hand:
    # 41 + 12 + 1 + 0 + 1 for “+C101”, and 77 for the first 13 digits; 132 less 3 times 43 is the last digit, 3.
    assert check_digit_fits("56564596858913")
    assert "in two ways" in why_not("+C10156564596858913")


# --- supporters' kit codes ---------------------------------------------------------------------------------------


def test_a_pattern_is_learnt_from_two_kits() -> None:
    assert learn(["KIT-0001A", "KIT-2311B"]) == KITS
    assert learn(["B7-x1", "B8-y2"]) == KitPattern("B", "9-a9")
    assert learn(["N1a", "N1B", "N12"]) == KitPattern("N", "9X")
    read = scan("KIT-0042C\r", KITS)
    assert (read.kind, read.kit) == ("kit", "KIT-0042C")


@pytest.mark.parametrize("code", ["KIT-042C", "KIT-00042C", "KIT-0042c", "KIT-00421", "KIX-0042C", "KIT-O042C"])
def test_what_is_written_otherwise_is_no_kit(code: str) -> None:
    assert not KITS.matches(code)


def test_a_kit_with_caps_lock_and_a_kit_on_the_wrong_keyboard() -> None:
    assert (scan("kit-0042c", KITS).kit, len(scan("kit-0042c", KITS).notes)) == ("KIT-0042C", 1)
    assert "Perhaps: Y and Z" in why_not("KITß0042C", KITS)


@pytest.mark.parametrize(
    ("examples", "said"),
    [
        ([], "at least two"),
        (["KIT-1", "KIT-1 "], "at least two"),
        (["KIT-1", "KIT-22"], "differ in length"),
        (["KIT-1", "KAT-2"], "do not begin alike"),
        (["KIT-A", "KIT-B"], "do not begin alike"),
        (["K1-1", "K1/1"], "differ at one place"),
        (["K1é", "K2é"], "signs that no kit code has"),
        (["V000123A", "V000456B"], "form of our own numbers"),
        (["01" + "1" * 14, "01" + "2" * 14], "GS1 or HIBC"),
        (["0" * 16, "2" * 16], "GS1 or HIBC"),
        (["0" * 20 + "A", "2" * 20 + "B"], "GS1 or HIBC"),
        (["+A1", "+A2"], "GS1 or HIBC"),
    ],
)
def test_examples_that_teach_nothing_sure(examples: list[str], said: str) -> None:
    with pytest.raises(Refused, match=said):
        learn(examples)


def test_fifteen_digits_are_no_gtin_and_a_letter_not_in_use_is_no_number_of_ours() -> None:
    assert learn(["0" * 15, "2" * 15]) == KitPattern("", "9" * 15)
    pattern = learn(["K0000123", "K0000456"])
    assert scan("K0012345", pattern).kind == "kit"
    assert scan(numbered("V", 12), KitPattern("", "A9999999")).kind == "ours"


def test_a_kit_whose_code_could_be_a_number_of_ours_is_the_kit_that_was_learnt() -> None:
    number = numbered("K", 12)
    assert scan(number, KitPattern("K", "999999X")).kit == number
    assert scan(number).number == number


def test_two_patterns_for_one_code() -> None:
    with pytest.raises(Refused, match="pattern that is in use"):
        learn(["KIT-1111A", "KIT-2222B"], known=[KitPattern("KIT-", "99999"), KITS])
    assert learn(["KIT-11111", "KIT-22222"], known=[KITS]) == KitPattern("KIT-", "99999")
    assert "two patterns" in why_not("KIT-0042C", KITS, KitPattern("K", "XX-9999A"))
    assert scan("KIT-0042C", KITS, KITS).kit == "KIT-0042C"


# --- text and what is no code ------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["hello", "RCV-12", "29384756", "Müller", "L-55", "a|b", "SUBJ 004", "100 mg"])
def test_what_proves_to_be_nothing_else_is_text(typed: str) -> None:
    read = scan(typed)
    assert (read.kind, facts_of(read), read.notes, read.separated) == ("text", Facts(), (), False)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Nothing was read"),
        (" \r\n", "Nothing was read"),
        ("x" * 10_000, "10,000 characters"),
        ("x" * (LONGEST + 1), "501 characters"),
        (f"{VIAL}\r{VIAL}", "Two codes"),
        (f"{VIAL}\n{VIAL}", "Two codes"),
        ("[)>\x1e06", "control signs"),
    ],
)
def test_what_is_no_code_is_refused(typed: str, said: str) -> None:
    assert said in why_not(typed)
    assert len(why_not(typed)) < 300


def test_the_longest_that_is_looked_at() -> None:
    assert scan("x" * LONGEST).kind == "text"


@given(st.text(max_size=40))
def test_whatever_arrives_is_read_or_refused(typed: str) -> None:
    try:
        read = scan(typed, KITS)
    except Refused as refused:
        assert all(fault.sentence.endswith(".") for fault in refused.faults)
    else:
        assert read.typed == typed


# --- several codes of one item -----------------------------------------------------------------------------------


def test_a_second_code_fills_what_the_first_did_not_say() -> None:
    known = merge(Facts(), scan(f"01{GTIN}"))
    known = merge(known, scan("]d21727033110A"))
    known = merge(known, scan(VIAL))
    assert known == Facts(number=VIAL, gtin=GTIN, lot="A", expires_on=date(2027, 3, 31))
    assert merge(known, scan(f"01{GTIN}")) == known
    assert merge(known, scan("hello")) == known


def test_a_lot_in_small_letters_is_the_same_lot_and_stays_as_it_was() -> None:
    assert merge(Facts(lot="AB1"), Facts(lot="ab1")).lot == "AB1"


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [
        (Facts(lot="A"), Facts(lot="B"), "“A”", "“B”"),
        (Facts(gtin=GTIN), Facts(gtin="10614141123456"), GTIN, "10614141123456"),
        (Facts(number=VIAL), Facts(number="V000013X"), VIAL, "V000013X"),
        (Facts(serial="a"), Facts(serial="A"), "“a”", "“A”"),
        (Facts(kit="1"), Facts(kit="2"), "“1”", "“2”"),
        (Facts(protocol="P1"), Facts(protocol="P2"), "P1", "P2"),
        (Facts(product="P1"), Facts(product="P2"), "P1", "P2"),
        (Facts(expires_on=date(2027, 3, 31)), Facts(expires_on=date(2027, 3, 30)), "31-Mar-2027", "30-Mar-2027"),
    ],
)
def test_a_second_code_never_changes_what_is_known(before: Facts, after: Facts, old: str, new: str) -> None:
    with pytest.raises(Refused) as refused:
        merge(before, after)
    (fault,) = refused.value.faults
    assert getattr(before, fault.field)
    assert fault.sentence.index(new) < fault.sentence.index(old)


def test_all_conflicts_are_named_at_once() -> None:
    with pytest.raises(Refused) as refused:
        merge(Facts(lot="A", serial="1", gtin=GTIN), Facts(lot="B", serial="2", gtin=GTIN))
    assert [fault.field for fault in refused.value.faults] == ["lot", "serial"]
