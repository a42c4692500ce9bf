"""Stocks and sheets: sizes in millimetres, positions of the grid, offsets, and the ruler that measures them."""

from dataclasses import replace
from decimal import Decimal

import pypdfium2
import pytest

from labels import label_job, proof
from labels.engine import layouts
from labels.label_pdf import label_pdf
from labels.layout import Block, Words
from labels.papers import PdfPapers
from labels.stocks import choices
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.papers import Label, LabelSetup
from tests.labels.label_samples import BAG, LABELS, PRINTERS, US, VIAL
from tests.labels.samples import collisions

D = Decimal
INCH = 25.4
SHEETS = [name for name, choice in choices().items() if choice.grid]


def vials(count: int) -> list[Label]:
    return [replace(VIAL, number=f"V{number:06d}K") for number in range(count)]


def refused(label: Label, setup: LabelSetup) -> set[str]:
    with pytest.raises(Refused) as found:
        PdfPapers().labels([label], setup)
    return {fault.field for fault in found.value.faults}


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_s_labels_fill_the_paper_evenly(name: str) -> None:
    """What is left over is the same on the right as on the left, and below as above: how such sheets are made."""
    choice = choices()[name]
    grid = choice.grid
    assert grid is not None
    paper_mm = {"Letter": (8.5 * INCH, 11 * INCH), "A4": (210.0, 297.0)}[grid.paper.name]
    right = paper_mm[0] - grid.left_mm - (grid.columns - 1) * grid.pitch_x_mm - choice.stock.width_mm
    below = paper_mm[1] - grid.top_mm - (grid.rows - 1) * grid.pitch_y_mm - choice.stock.height_mm
    # A broken point of the label's size stays blank: 0.35 mm.
    assert right == pytest.approx(grid.left_mm, abs=0.4)
    assert below == pytest.approx(grid.top_mm, abs=0.4)
    assert grid.pitch_x_mm >= choice.stock.width_mm - 0.01
    assert grid.pitch_y_mm >= choice.stock.height_mm - 0.01


@pytest.mark.parametrize(
    ("name", "count", "across_in", "down_in"),
    [("Avery 5160", 30, 2.625, 1), ("Avery 5163", 10, 4, 2), ("Avery 5164", 6, 4, 10 / 3)],
)
def test_the_american_sheets_are_what_their_boxes_say(name: str, count: int, across_in: float, down_in: float) -> None:
    choice = choices()[name]
    assert choice.grid is not None
    assert choice.grid.count == count
    assert (choice.stock.width_pt, choice.stock.height_pt) == (round(across_in * 72), round(down_in * 72))


@pytest.mark.parametrize("dpi", PRINTERS)
@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_of_vials_begins_where_the_first_free_label_is(name: str, dpi: int) -> None:
    grid = choices()[name].grid
    assert grid is not None
    start = grid.count - 1
    pdf = PdfPapers().labels(vials(4), replace(US, stock=name, start_at=start, dpi=dpi))
    assert proof.page_count(pdf) == 2
    first, second = proof.page_texts(pdf)
    assert ["V000000K" in first, "V000001K" in first, "V000002K" in second, "V000003K" in second] == [True] * 4
    assert proof.decode_pdf(pdf, dpi) == [["V000000K", "V000001K"], ["V000002K", "V000003K"]]
    assert collisions(pdf, 0) + collisions(pdf, 1) == []


def test_the_second_label_of_a_sheet_stands_one_pitch_to_the_right() -> None:
    """Avery 5160: 2 3/4 in from one left edge to the next is 198 pt."""
    document = pypdfium2.PdfDocument(PdfPapers().labels(vials(2), replace(US, stock="Avery 5160")))
    text = document[0].get_textpage()
    first, second = (text.get_charbox(text.search(f"V00000{n}K").get_next()[0]) for n in (0, 1))
    document.close()
    assert second[0] - first[0] == pytest.approx(198, abs=72 / 203)
    assert second[1] == pytest.approx(first[1], abs=0.01)


@pytest.mark.parametrize("start", [0, -1, 31])
def test_a_position_that_is_not_on_the_sheet_is_refused(start: int) -> None:
    assert refused(VIAL, replace(US, stock="Avery 5160", start_at=start)) == {"start_at"}


def test_a_roll_has_one_position() -> None:
    assert refused(VIAL, replace(US, start_at=2)) == {"start_at"}


def test_an_unknown_stock_is_refused() -> None:
    assert refused(VIAL, replace(US, stock="Avery 9999")) == {"stock"}


def test_an_own_size_is_printed_at_its_millimetres() -> None:
    setup = replace(US, width_mm=D(60), height_mm=D("35.5"))
    document = pypdfium2.PdfDocument(PdfPapers().labels([VIAL], setup))
    across, down = document[0].get_size()
    document.close()
    # Whole points: 60 mm are 170.08, 35.5 mm are 100.63.
    assert (across, down) == (170, 100)


@pytest.mark.parametrize(
    ("width", "height", "field"),
    [("9.9", "40", "width_mm"), ("40", "300.1", "height_mm"), ("NaN", "40", "width_mm"), ("40", None, "height_mm")],
)
def test_a_size_that_is_no_label_s_is_refused(width: str, height: str | None, field: str) -> None:
    setup = replace(US, width_mm=D(width), height_mm=D(height) if height else None)
    assert refused(VIAL, setup) == {field}


def test_a_label_too_small_is_refused_with_the_stock_that_would_do() -> None:
    with pytest.raises(Refused, match="Print on 4 x 3 in") as found:
        PdfPapers().labels([BAG], replace(US, stock="4 x 2 in"))
    assert [fault.field for fault in found.value.faults] == ["stock"]


@pytest.mark.parametrize("dpi", PRINTERS)
def test_an_offset_moves_everything_by_whole_dots(dpi: int) -> None:
    """1 mm at 203 dpi is 7.99 dots: 8; at 300 dpi 11.8: 12."""
    dots = {203: 8, 300: 12}[dpi]
    plain = PdfPapers().labels([VIAL], replace(US, dpi=dpi))
    moved = PdfPapers().labels([VIAL], replace(US, dpi=dpi, offset_x_mm=D(1), offset_y_mm=D("-1")))
    boxes = []
    for pdf in (plain, moved):
        document = pypdfium2.PdfDocument(pdf)
        text = document[0].get_textpage()
        boxes.append(text.get_charbox(text.search("HX2201A").get_next()[0]))
        document.close()
    assert boxes[1][0] - boxes[0][0] == pytest.approx(dots * 72 / dpi, abs=0.01)
    assert boxes[1][1] - boxes[0][1] == pytest.approx(dots * 72 / dpi, abs=0.01)
    assert proof.decode_pdf(moved, dpi) == [["V000123L"]]


@pytest.mark.parametrize("field", ["offset_x_mm", "offset_y_mm"])
@pytest.mark.parametrize("mm", ["-4", "12"])
def test_an_offset_that_would_lose_print_is_refused(field: str, mm: str) -> None:
    setup = replace(US, offset_x_mm=D(mm)) if field == "offset_x_mm" else replace(US, offset_y_mm=D(mm))
    assert refused(VIAL, setup) == {field}


@pytest.mark.parametrize("dpi", PRINTERS)
def test_the_ruler_s_lines_stand_on_their_millimetres(dpi: int) -> None:
    """Each tenth line is within half a dot and half its own thickness of its place, along both edges.

    All lines begin 2.5 mm from the edge: so far an offset can move them.
    """
    (layout,) = layouts([LABELS["ruler"]], replace(US, dpi=dpi))
    ticks = [box for box in layout.boxes if isinstance(box, Block)]
    free = round(2.5 / INCH * dpi)
    for mm in (10, 20, 30, 40, 50):
        at = mm / INCH * dpi
        assert any(box.top == free and abs(box.left + box.across / 2 - at) <= 1 for box in ticks)
        if mm < 30:
            assert any(box.left == free and abs(box.top + box.down / 2 - at) <= 1 for box in ticks)
    named = [box.words for box in layout.boxes if isinstance(box, Words) and box.field == "ruler"]
    assert named[:5] == ["10", "20", "30", "40", "50"]
    (words,) = proof.page_texts(label_pdf([layout]))
    assert "Zebra at bench 3" in words
    assert f"{dpi} dpi" in words


@pytest.mark.parametrize("x, y", [("1.5", "-2"), ("-2", "1.5")])
def test_the_ruler_label_is_printed_with_the_offset_it_told(x: str, y: str) -> None:
    """The offset that was measured is checked on a second ruler label, by either way out."""
    moved = replace(US, offset_x_mm=D(x), offset_y_mm=D(y))
    assert label_job.label_zpl([LABELS["ruler"]], moved).count(b"^XA") == 1
    assert len(proof.decode_pdf(label_job.label_pages([LABELS["ruler"]], moved), US.dpi)) == 1


@pytest.mark.parametrize("dpi", PRINTERS)
def test_the_ruler_s_test_bars_are_of_one_to_four_dots(dpi: int) -> None:
    (layout,) = layouts([LABELS["ruler"]], replace(US, dpi=dpi))
    free = round(2.5 / INCH * dpi)
    bars = [box for box in layout.boxes if isinstance(box, Block) and box.top > free and box.left > free]
    assert {box.across for box in bars} == {1, 2, 3, 4}
