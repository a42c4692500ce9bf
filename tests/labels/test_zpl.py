"""Labels in ZPL: the printer gets the preview's pixels, its own codes say the same, and no text becomes a command."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from labels.codes import Symbol, code128, data_matrix, element_symbol, gs1_data_matrix
from labels.engine import layouts
from labels.geometry import Stock
from labels.label_pdf import label_pdf
from labels.layout import Code, Layout, Words
from labels.proof import page_png
from labels.zpl import DRAWN_AT_ONCE, GRAPHIC_BYTES, Picture, _packed, each_label, zpl
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.papers import LabelSetup
from tests.labels.label_samples import LABELS
from tests.labels.zpl_reader import Field, Read, bar_data, matrix_data, read, unpacked

FOUR_BY_TWO = Stock("4 x 2 in", 288, 144)
FIELD = "number"


def laid_out(kind: str, dpi: int) -> Layout:
    return layouts([LABELS[kind]], LabelSetup(dpi=dpi))[0]


def by_hand(*boxes: Words | Code, dpi: int = 203) -> Layout:
    return Layout(FOUR_BY_TWO, dpi, boxes)


def matrix_at(symbol: Symbol, left: int = 100, top: int = 100) -> Code:
    return Code(FIELD, symbol, left, top, 3)


def bars_at(symbol: Symbol, left: int = 100, top: int = 200) -> Code:
    return Code(FIELD, symbol, left, top, 2, 60)


def words(said: str) -> Words:
    return Words("lot", said, "Plex", 10, 10, 20, 200)


def preview(layout: Layout) -> list[str]:
    """The picture on the screen, each pixel dark or not."""
    png = Image.open(BytesIO(page_png(label_pdf([layout]), 0, layout.dpi))).convert("L")
    pixels = png.tobytes()
    rows = (pixels[row * png.width : (row + 1) * png.width] for row in range(png.height))
    return ["".join("1" if gray < 128 else "0" for gray in row) for row in rows]


def scanned(rows: Sequence[str]) -> list[str]:
    across = len(rows[0])
    pixels = b"".join(bytes(0 if dot == "1" else 255 for dot in row) for row in rows)
    return sorted(code.text for code in zxingcpp.read_barcodes(memoryview(pixels).cast("B", (len(rows), across))))


def dark_box(rows: Sequence[str], left: int, top: int, across: int, down: int) -> list[str]:
    return [row[left : left + across] for row in rows[top : top + down]]


def said_by(field: Field) -> str:
    return matrix_data(field) if field.command == "^BX" else bar_data(field)


@pytest.mark.parametrize("dpi", [203, 300])
@pytest.mark.parametrize("kind", ["vial", "syringe", "quarantine", "place", "ruler"])
def test_the_printer_gets_the_pixels_that_the_preview_shows(kind: str, dpi: int) -> None:
    layout = laid_out(kind, dpi)
    (label,) = read(zpl([layout], label_pdf))
    assert label.rows() == preview(layout)
    assert (label.across, label.down) == (len(preview(layout)[0]), len(preview(layout)))
    assert label.copies == 1


@pytest.mark.parametrize("dpi", [203, 300])
@pytest.mark.parametrize("kind", LABELS)
def test_every_code_of_every_kind_scans_from_the_printers_dots(kind: str, dpi: int) -> None:
    layout = laid_out(kind, dpi)
    (label,) = read(zpl([layout], label_pdf))
    assert scanned(label.rows()) == sorted(box.symbol.content for box in layout.boxes if isinstance(box, Code))


def test_a_bag_label_of_4_by_3_in_is_1200_by_900_dots_at_300_an_inch() -> None:
    (label,) = read(zpl([laid_out("bag", 300)], label_pdf))
    assert (label.across, label.down) == (1200, 900)


@pytest.mark.parametrize("dpi", [203, 300])
@pytest.mark.parametrize("kind", LABELS)
def test_codes_the_printer_draws_say_the_same_at_the_same_place(kind: str, dpi: int) -> None:
    layout = laid_out(kind, dpi)
    (drawn,) = read(zpl([layout], label_pdf))
    (native,) = read(zpl([layout], label_pdf, native_codes=True))
    codes = [box for box in layout.boxes if isinstance(box, Code)]
    assert len(native.fields) == len(codes)
    for code, field in zip(codes, native.fields, strict=True):
        gs1 = code.symbol.content.startswith("(91)")
        assert said_by(field) == ("\x1d91" + code.symbol.content[4:] if gs1 else code.symbol.content)
        across = len(code.symbol.rows[0]) * code.module
        down = len(code.symbol.rows) * code.module if code.symbol.two_dimensional else code.bar_height
        # Where the printer begins, the drawn code has its first dark dots, and the graphic leaves the place white.
        modules = [
            [row[at] for at in range(0, across, code.module)]
            for row in dark_box(drawn.rows(), field.left, field.top, across, down)[code.module // 2 :: code.module]
        ]
        expected = code.symbol.rows if code.symbol.two_dimensional else code.symbol.rows * len(modules)
        assert ["".join(row) for row in modules] == list(expected)
        assert all("1" not in row for row in dark_box(native.rows(), field.left, field.top, across, down))
        if code.symbol.two_dimensional:
            assert field.parameters[:3] == ["N", str(code.module), "200"]
        else:
            assert field.module_and_bars[0] == str(code.module)
            # Its height; no line of text below, none above, no check digit of its own.
            assert field.parameters == ["N", str(code.bar_height), "N", "N", "N", "N"]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("lot", ["^XZ^XA", "~JA", "^FDx^FS~HS", "\\5EXZ", "_5EXA", "^", "~", "ÄÖÜß µ", "^XA^JUF^XZ"])
def test_a_lot_is_never_a_command(lot: str, native: bool) -> None:
    layout = by_hand(words(f"Lot {lot}"), matrix_at(gs1_data_matrix(FIELD, "V000123L")))
    job = zpl([layout], label_pdf, native_codes=native)
    # The reader fails on every command that no label needs.
    (label,) = read(job)
    assert job.count(b"^XA") == job.count(b"^XZ") == 1
    assert b"~" not in job
    assert any("1" in row for row in label.rows()[:80])


def foreign(data: str) -> Symbol:
    """A code such as no part of the program makes."""
    code: Any = zxingcpp.create_barcode(data, zxingcpp.DataMatrix, force_square=True)
    image: Any = memoryview(code.to_image(scale=1, add_quiet_zones=False)).tolist()
    return Symbol(data, tuple("".join("0" if gray else "1" for gray in row) for row in image), 1, two_dimensional=True)


@pytest.mark.parametrize("data", ["^XZ", "~JA", "A B", "A\\B", "A@B"])
def test_a_code_with_a_character_no_bar_code_may_carry_is_refused(data: str) -> None:
    layout = by_hand(matrix_at(foreign(data)))
    with pytest.raises(Refused) as refused:
        zpl([layout], label_pdf, native_codes=True)
    assert [fault.field for fault in refused.value.faults] == [FIELD]


@pytest.mark.parametrize("data", ["A_1B", "A__B", "A%B", 'A"B', "A,B"])
def test_a_sign_that_means_something_to_the_printer_is_printed_as_itself(data: str) -> None:
    (label,) = read(zpl([by_hand(matrix_at(foreign(data)))], label_pdf, native_codes=True))
    (field,) = label.fields
    assert matrix_data(field) == data


def test_a_lot_and_a_serial_number_in_bars_keep_their_separator() -> None:
    symbol = element_symbol([("10", "HX2201A", "lot"), ("21", "K7", "serial")], two_dimensional=False)
    (label,) = read(zpl([by_hand(bars_at(symbol, left=10))], label_pdf, native_codes=True))
    # FNC1 says that it is a GS1 code; the lot's end is marked, the last value's is not.
    assert [bar_data(field) for field in label.fields] == ["\x1d10HX2201A\x1d21K7"]


def test_a_lot_and_a_serial_number_in_a_matrix_keep_their_separator() -> None:
    symbol = element_symbol([("10", "HX2201", "lot"), ("21", "77", "serial")], two_dimensional=True)
    (label,) = read(zpl([by_hand(matrix_at(symbol))], label_pdf, native_codes=True))
    assert [matrix_data(field) for field in label.fields] == ["\x1d10HX2201\x1d2177"]


def test_a_code_that_the_printer_might_draw_larger_stays_in_the_graphic() -> None:
    # 31 letters: packed well 24 code words (22 modules), one by one 33 (24 modules); the printer may do either.
    symbol = element_symbol([("10", "ABCDEFGHIJKLMNOPQRST", "lot"), ("21", "ABCDEFGH", "serial")], two_dimensional=True)
    assert len(symbol.rows) == 22
    layout = by_hand(matrix_at(symbol), bars_at(code128(FIELD, "V000123L")))
    (label,) = read(zpl([layout], label_pdf, native_codes=True))
    assert [field.command for field in label.fields] == ["^BC"]
    assert scanned(label.rows()) == [symbol.content]


def test_sixty_vials_are_sixty_labels_in_their_order() -> None:
    assert DRAWN_AT_ONCE < 60
    numbers = [f"V{number:06d}" for number in range(60)]
    made = [by_hand(matrix_at(data_matrix(FIELD, number))) for number in numbers]
    labels = [read(one) for one in each_label(made, label_pdf, native_codes=True)]
    assert [[matrix_data(field) for one in label for field in one.fields] for label in labels] == [
        [number] for number in numbers
    ]
    assert [label.copies for one in labels for label in one] == [1] * 60


def test_a_label_is_made_only_when_it_is_asked_for() -> None:
    drawn: list[int] = []

    def draw(chunk: Sequence[Layout]) -> bytes:
        drawn.append(len(chunk))
        return label_pdf(chunk)

    made = each_label([by_hand(words("a"))] * 60, draw)
    next(made)
    assert drawn == [DRAWN_AT_ONCE]


def test_a_large_label_goes_in_bands_no_printer_refuses() -> None:
    # 4 x 6 in at 300 dots an inch: 1200 × 1800 dots are 270,000 bytes.
    low = Words("low", "at the foot", "Plex", 10, 10, 420, 200)
    layout = Layout(Stock("4 x 6 in", 288, 432), 300, (words("at the head"), low))
    (label,) = read(zpl([layout], label_pdf))
    assert len(label.graphic_bytes) > 1
    assert max(label.graphic_bytes) <= GRAPHIC_BYTES
    rows = label.rows()
    assert (label.across, len(rows)) == (1200, 1800)
    assert any("1" in row for row in rows[:100])
    assert any("1" in row for row in rows[1700:])


@pytest.mark.parametrize(("right", "down"), [(5, 0), (-7, 0), (0, 11), (0, -3), (12, -9), (-1, 1)])
@pytest.mark.parametrize("native", [False, True])
def test_the_print_is_shifted_by_whole_dots(right: int, down: int, native: bool) -> None:
    layout = by_hand(words("Lot HX2201A"), matrix_at(data_matrix(FIELD, "V000123L")), bars_at(code128(FIELD, "V1")))
    (plain,) = read(zpl([layout], label_pdf, native_codes=native))
    (moved,) = read(zpl([layout], label_pdf, native_codes=native, right_dots=right, down_dots=down))

    def ink(label: Read) -> set[tuple[int, int]]:
        return {(at, number) for number, row in enumerate(label.rows()) for at, dot in enumerate(row) if dot == "1"}

    assert ink(moved) == {(at + right, number + down) for at, number in ink(plain)}
    assert [(field.left, field.top) for field in moved.fields] == [
        (field.left + right, field.top + down) for field in plain.fields
    ]
    assert (moved.across, moved.down) == (plain.across, plain.down)


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    ("right", "down", "fields"),
    [
        (0, 0, set()),
        (-3, 0, set()),
        (-4, 0, {"offset_x_mm"}),
        (773, 0, set()),
        (774, 0, {"offset_x_mm"}),
        (0, -3, set()),
        (0, -4, {"offset_y_mm"}),
        (0, 367, set()),
        (0, 368, {"offset_y_mm"}),
        (-4, -4, {"offset_x_mm", "offset_y_mm"}),
        (-9000, 9000, {"offset_x_mm", "offset_y_mm"}),
    ],
)
def test_a_shift_over_the_edge_is_refused(right: int, down: int, fields: set[str], native: bool) -> None:
    # Dark from dot 3 to 38 both ways: a quiet zone of a module, then 12 modules of 3 dots, on 812 × 406 dots.
    layout = by_hand(matrix_at(data_matrix(FIELD, "V000123L"), left=0, top=0))
    if not fields:
        assert read(zpl([layout], label_pdf, native_codes=native, right_dots=right, down_dots=down))
        return
    with pytest.raises(Refused) as refused:
        zpl([layout], label_pdf, native_codes=native, right_dots=right, down_dots=down)
    assert {fault.field for fault in refused.value.faults} == fields


@given(st.data())
def test_any_picture_is_read_back_dot_by_dot(data: st.DataObject) -> None:
    bytes_a_row = data.draw(st.integers(1, 260))
    across = bytes_a_row * 8 - data.draw(st.integers(0, 7))
    # Runs, as pictures have them; whole rows of one colour and rows again are frequent.
    ends = st.lists(st.integers(0, across), max_size=6).map(sorted)
    rows = []
    for cuts in data.draw(st.lists(st.one_of(st.just([]), st.just([0, across]), ends), min_size=1, max_size=8)):
        row = 0
        for end in cuts:
            row ^= (1 << end) - 1
        rows.append(row)
    picture = Picture(across, tuple(rows))
    packed = _packed(picture.rows, bytes_a_row, bytes_a_row * 8 - across)
    assert [row[:across] for row in unpacked(packed, bytes_a_row, bytes_a_row * len(rows))] == [
        f"{row:0{across}b}" for row in rows
    ]


def test_an_example_of_the_manual_is_written_as_the_manual_has_it() -> None:
    # The triangle of the ZPL guide's chapter on shorter downloads, six bytes a row.
    rows = [0xF0 << 40, 0xFF << 40, 0xFFF << 36, 0xFFFFF << 28, 0xFFFFFF << 24]
    assert unpacked("F0,FF,FFF0,FFFFF0,FFFFFF,", 6, 30) == [f"{row:048b}" for row in rows]
    assert unpacked(_packed(rows, 6, 0), 6, 30) == [f"{row:048b}" for row in rows]


def test_code_in_subset_a_stays_in_the_graphic() -> None:
    import barcode

    # Control characters need subset A; ^BC would take it as pairs of digits.
    modules = barcode.get("code128", "\tA").build()[0]
    symbol = replace(code128(FIELD, "V1"), rows=(modules,))
    (label,) = read(zpl([by_hand(bars_at(symbol))], label_pdf, native_codes=True))
    assert label.fields == []
