"""Labels in ZPL drawn by a renderer that others wrote: the same dots as the PDF, whoever draws the codes.

The renderer (zplkit) is a development tool alone; where it is not installed, ``test_zpl.py`` reads the language by the
manual.
"""

from collections.abc import Sequence
from typing import Any

import pytest
import zxingcpp

from labels.codes import element_symbol, gs1_128
from labels.engine import layouts
from labels.label_pdf import label_pdf
from labels.layout import Code, Layout
from labels.zpl import zpl
from pharmacy_app.services.papers import LabelSetup
from tests.labels.label_samples import LABELS
from tests.labels.test_zpl import FIELD, FOUR_BY_TWO, bars_at, by_hand, matrix_at
from tests.labels.zpl_reader import read

zplkit: Any = pytest.importorskip("zplkit")
rendering: Any = pytest.importorskip("zplkit.rendering")

# It knows no ^PQ; one copy is what it draws.
ONE_COPY = b"^PQ1,0,0,N"


def rendered(made: Sequence[Layout], dpi: int, *, native: bool) -> list[list[str]]:
    """The dots of each label as the renderer draws them."""
    job = zpl(made, label_pdf, native_codes=native)
    assert job.count(ONE_COPY) == len(made)
    options = zplkit.Options(profile="specification", dpi=dpi)
    document = zplkit.render(job.replace(ONE_COPY, b""), options, limits=rendering.Limits(graphic_bytes=1_000_000))
    assert list(document.warnings) == []
    pictures = [label.rasterize() for label in document.labels]
    return [
        [
            "".join("1" if gray < 128 else "0" for gray in one.pixels[row * one.width : (row + 1) * one.width])
            for row in range(one.height)
        ]
        for one in pictures
    ]


def scanned(rows: Sequence[str]) -> list[str]:
    across = len(rows[0])
    pixels = b"".join(bytes(0 if dot == "1" else 255 for dot in row) for row in rows)
    return sorted(code.text for code in zxingcpp.read_barcodes(memoryview(pixels).cast("B", (len(rows), across))))


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("dpi", [203, 300])
@pytest.mark.parametrize("kind", LABELS)
def test_a_second_renderer_draws_every_kind_dot_by_dot_the_same(kind: str, dpi: int, native: bool) -> None:
    layout = layouts([LABELS[kind]], LabelSetup(dpi=dpi))[0]
    # The graphic alone, as our own reader has it, is the PDF's pixels (test_zpl.py).
    (drawn,) = read(zpl([layout], label_pdf))
    (rows,) = rendered([layout], dpi, native=native)
    assert rows == drawn.rows()
    assert scanned(rows) == sorted(box.symbol.content for box in layout.boxes if isinstance(box, Code))


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("dpi", [203, 300])
def test_separators_of_gs1_are_the_same_from_either_hand(dpi: int, native: bool) -> None:
    elements = [("10", "HX2201", "lot"), ("21", "77", "serial")]
    matrix = element_symbol(elements, two_dimensional=True)
    bars = element_symbol(elements, two_dimensional=False)
    layout = by_hand(matrix_at(matrix), bars_at(bars, left=10), dpi=dpi)
    (rows,) = rendered([layout], dpi, native=native)
    assert scanned(rows) == ["(10)HX2201(21)77", "(10)HX2201(21)77"]


def test_labels_come_out_in_their_order() -> None:
    numbers = ["D000001A", "D000002B", "D000003C"]
    made = [Layout(FOUR_BY_TWO, 203, (bars_at(gs1_128(FIELD, number), left=10),)) for number in numbers]
    assert [scanned(rows) for rows in rendered(made, 203, native=True)] == [[f"(91){number}"] for number in numbers]
