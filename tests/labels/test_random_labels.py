"""Labels with whatever words: refused with a field named, or whole, apart, and read by a scanner that sees badly.

``LABELS=1000`` in the environment makes so many of every kind that print; without it a few. With it, each kind tells
how many were drawn, refused and read.
"""

import os
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from math import ceil
from time import perf_counter
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from PIL import ImageOps
from PIL.Image import Image, Resampling, Transpose
from PIL.ImageFilter import GaussianBlur

from labels.engine import layouts
from labels.geometry import Dots, Stock
from labels.label_job import label_pages
from labels.label_pdf import label_pdf
from labels.layout import Code, Layout, Words
from labels.proof import letters, scale_of
from labels.stocks import choices
from labels.template import REGIONS, Field, shelf
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.label_marks import LETTERS, mark_of
from pharmacy_app.services.papers import Label, LabelSetup, LabelValue
from tests.labels.label_samples import LABELS, PRINTERS
from tests.labels.samples import TEN_FIFTEEN, collisions

EXAMPLES = int(os.environ.get("LABELS", "3"))
LONG = ("Maria-Fernanda Gonzalez-Villanueva, PharmD, BCOP", "Österreichische Prüfstelle für Zytostatika Graz-Straßgang")
GERMAN_WORDS = (
    *("Zentralapotheke", "Durchstechflasche", "Infusionslösung", "Arzneimittelkühlschrank", "Überwachungsvorschrift"),
    *("Rekonstitutionszeitpunkt", "Lichtschutz", "bei", "und", "nicht", "über", "Temperaturabweichung", "Größe"),
)
words = st.lists(st.sampled_from(GERMAN_WORDS), min_size=1, max_size=8).map(" ".join)
SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzäöüÄÖÜß0123456789-. "


def names_up_to(longest: int) -> st.SearchStrategy[str]:
    """Names of whatever letters."""
    return st.text(SIGNS, min_size=1, max_size=longest).map(lambda found: " ".join(found.split())).filter(bool)


names = st.one_of(names_up_to(12), names_up_to(24), names_up_to(45), st.sampled_from(LONG))
lots = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-", min_size=1, max_size=24)
amounts = st.decimals(min_value="0.01", max_value="999.99", places=4, allow_nan=False)


def value(field: Field) -> st.SearchStrategy[LabelValue]:
    """Whatever may stand in a field."""
    if field.name in ("lot", "lots", "protocol_name", "subject_number", "site_number"):
        return lots
    by_kind: dict[str, st.SearchStrategy[LabelValue]] = {
        "identity": names,
        "words": words,
        "phrase": words,
        "generic name": st.sampled_from(["inotuzumab ozogamicin", "gemtuzumab ozogamicin", "cytarabine"]),
        "celsius": st.decimals(min_value=-90, max_value=40, places=1, allow_nan=False),
        "count": st.integers(0, 999),
        "day": st.dates(date(2024, 1, 1), date(2049, 12, 31)),
        "month": st.dates(date(2024, 1, 1), date(2049, 12, 31)),
        "gtin": st.just("09506000134352"),
    }
    return by_kind.get(field.kind, amounts)


def _is_none_of(others: Collection[object], found: object) -> bool:
    return found not in others


@st.composite
def some_labels(draw: st.DrawFn, kind: str) -> tuple[Label, LabelSetup]:
    """A label of a kind with values of any length, on any stock, in any region and languages."""
    region = draw(st.sampled_from(REGIONS))
    languages = draw(st.sampled_from([("en",), ("de",), ("en", "de"), ("de", "en")]))
    template = shelf().find(kind, region)
    values: dict[str, LabelValue] = {}
    at: datetime = TEN_FIFTEEN
    for field in template.fields.values():
        if region not in field.only or (not field.required and draw(st.booleans())):
            continue
        if field.kind == "moment":
            # Moments stand in the order of the template, later ones later.
            at += timedelta(minutes=draw(st.integers(0, 600)))
            values[field.name] = at
            continue
        others = {values.get(name) for name in template.different}
        values[field.name] = draw(value(field).filter(partial(_is_none_of, others)))
        if field.kind == "phrase":
            values[f"{field.name}.de"] = draw(words)
    number = draw(st.from_regex(r"[A-Z][0-9]{6}[A-Z]", fullmatch=True))
    copy = draw(st.integers(1, 12))
    mark = mark_of(kind, number, copy) if kind in LETTERS else ""
    label = Label(kind, number, values, copy, draw(st.booleans()), mark)
    # A bag's label has no room on small stock.
    large = ["", "4 x 3 in", "Avery 5164", "Avery L7165"]
    stock = draw(st.sampled_from(large if kind in ("bag", "light cover") else [*large[:2], *choices()]))
    return label, LabelSetup(
        stock=stock, region=region, languages=languages, block=draw(st.sampled_from(["", "us-tx"]))
    )


@pytest.mark.parametrize("kind", LABELS)
def test_any_label_is_refused_by_field_or_whole_and_readable(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    told: Counter[str] = Counter()
    began = perf_counter()

    # Without shrinking: a label that fails is shown as it is, at once. What is refused on both printers does not count.
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        print_blob=True,
    )
    @given(some_labels(kind), st.integers(0, 10_000))
    def check(made: tuple[Label, LabelSetup], chance: int) -> None:
        label, setup = made
        drawn = 0
        for dpi in PRINTERS:
            asked = replace(setup, dpi=dpi)
            try:
                pdf = label_pages([label], asked)
            except Refused as refused:
                assert all(fault.field and fault.sentence for fault in refused.faults)
                told["refused"] += 1
                continue
            drawn += 1
            (layout,) = layouts([label], asked)
            if choices()[asked.stock or shelf().find(kind, setup.region).stock].grid is None:
                whole_and_apart(pdf, layout)
            else:
                # The sheet itself was proved by the print; the label is looked at alone.
                whole_and_apart(label_pdf([layout]), layout)
                layout = on_whole_inches(layout)
                pdf = label_pdf([layout])
            told["read"] += read_badly(pdf, layout, [chance])
        if not drawn:
            reject()
        told["drawn"] += drawn
        told["labels"] += 1

    check()
    assert told["labels"] >= min(EXAMPLES, 3)
    if "LABELS" in os.environ:
        told["seconds"] = round(perf_counter() - began)
        with capsys.disabled():
            sys.stdout.write(f"\n{kind}: {dict(told)}\n")


def whole_and_apart(pdf: bytes, layout: Layout) -> None:
    """No word touches another, a code or the edge; nothing is under 6 pt; each line is in the paper."""
    assert collisions(pdf, 0) == []
    document = pypdfium2.PdfDocument(pdf)
    page = document[0]
    text = page.get_textpage()
    dots, high = Dots(layout.dpi), layout.stock.height_pt
    for code in (box for box in layout.boxes if isinstance(box, Code)):
        across, down = code.symbol.size()
        tall = down * code.module if code.symbol.two_dimensional else code.bar_height
        right, lower = dots.pt(code.left + across * code.module), high - dots.pt(code.top + tall)
        inside = text.get_text_bounded(dots.pt(code.left), lower, right, high - dots.pt(code.top))
        assert inside.strip() == ""
    said = letters(text.get_text_range())
    lines = [box for box in layout.boxes if isinstance(box, Words)]
    assert all(letters(line.words) in said for line in lines)
    assert min(line.size_pt for line in lines) >= 6
    document.close()


def on_whole_inches(layout: Layout) -> Layout:
    """The same label on paper of whole inches, whose edges fall between dots: nothing is stretched when it is shown."""
    across, down = (72 * ceil(side / 72) for side in (layout.stock.width_pt, layout.stock.height_pt))
    return replace(layout, stock=Stock(layout.stock.name, across, down))


def read_badly(pdf: bytes, layout: Layout, chances: Sequence[int]) -> int:
    """Every code is read turned by quarters, at 90 % contrast, and a matrix with a row or a column of dots gone.

    Returns how often a code was read.
    """
    codes = [box for box in layout.boxes if isinstance(box, Code)]
    wanted = sorted(code.symbol.content for code in codes)
    picture = pixels(pdf, layout.dpi)
    for turn in QUARTERS:
        assert read(picture.transpose(turn) if turn is not None else picture) == wanted
    # Black is not black but a tenth of white: a faint ribbon.
    assert read(picture.point([26 + level * 229 // 255 for level in range(256)])) == wanted
    count = 5 * len(wanted)
    for code in codes:
        if code.symbol.two_dimensional:
            found = [code.symbol.content]
            for row, column in gone_dots(code, chances):
                hurt = without_dots(picture, code, row, column)
                # A module is what most of its dots are: not one is lost.
                assert read(by_module(hurt, code.module), is_pure=True) == found
                # And searched for as a scanner does, in pictures as its lens makes them.
                assert any(read(view, binarizer=way) == found for view, way in views(hurt, code.module))
                count += 2
    return count


def gone_dots(code: Code, chances: Sequence[int]) -> Iterator[tuple[int | None, int | None]]:
    """Rows and columns of dots within a matrix: dead for a head along the feed, or missing across it."""
    for chance in chances:
        gone = chance % (len(code.symbol.rows) * code.module)
        yield gone, None
        yield None, gone


def without_dots(picture: Image, code: Code, row: int | None, column: int | None) -> Image:
    """The matrix with its quiet zone, one row or one column of dots not printed."""
    across, down = (modules * code.module for modules in code.symbol.size())
    cut = picture.crop((code.left, code.top, code.left + across, code.top + down))
    if row is not None:
        cut.paste(255, (0, code.module + row, across, code.module + row + 1))
    if column is not None:
        cut.paste(255, (code.module + column, 0, code.module + column + 1, down))
    return cut


def by_module(cut: Image, module: int) -> Image:
    """One pixel a module: the mean of its dots."""
    return cut.resize((cut.width // module, cut.height // module), Resampling.BOX)


def views(cut: Image, module: int) -> Iterator[tuple[Image, zxingcpp.Binarizer]]:
    """What a scanner sees in one moment after another: four pixels a dot, blurred by a part of a module, on white.

    The library's search for a matrix gives up where a sharp gap cuts the solid edges, however thin it is: of the
    pictures as they were printed it reads less than one in four. No lens and no sensor shows them so sharp, and a
    scanner tries until one picture is read.
    """
    wide = ImageOps.expand(cut, 3 * module, 255)
    large = wide.resize((4 * wide.width, 4 * wide.height), Resampling.NEAREST)
    local, whole = zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram
    for part, way in ((0.27, local), (0.27, whole), (0.2, whole), (0.33, local), (0.23, local), (0.4, local)):
        yield large.filter(GaussianBlur(4 * module * part)), way
    for part in (0.17, 0.3, 0.4):
        yield large.filter(GaussianBlur(4 * module * part)), whole


def pixels(pdf: bytes, dpi: int) -> Image:
    """The first page in grey."""
    document = pypdfium2.PdfDocument(pdf)
    bitmap = document[0].render(scale=scale_of(dpi), grayscale=True, fill_color=(255, 255, 255, 255))
    picture: Image = bitmap.to_pil().convert("L").copy()
    document.close()
    return picture


QUARTERS = (None, Transpose.ROTATE_90, Transpose.ROTATE_180, Transpose.ROTATE_270)


def read(picture: Image, **how: Any) -> list[str]:
    """What a scanner reads from a picture."""
    formats = zxingcpp.BarcodeFormats([zxingcpp.Code128, zxingcpp.DataMatrix])
    found = zxingcpp.read_barcodes(picture, formats=formats, try_downscale=False, try_invert=False, **how)
    return sorted(code.text for code in found if code.valid)


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("dpi", PRINTERS)
def test_each_sample_is_read_turned_in_grey_and_with_any_dots_missing(kind: str, dpi: int) -> None:
    """One honest label of each kind, every row and every column of dots of its matrix in turn."""
    setup = LabelSetup(dpi=dpi)
    pdf = label_pages([LABELS[kind]], setup)
    (layout,) = layouts([LABELS[kind]], setup)
    whole_and_apart(pdf, layout)
    layout = on_whole_inches(layout)
    pdf = label_pdf([layout])
    (matrix,) = (box for box in layout.boxes if isinstance(box, Code) and box.symbol.two_dimensional)
    dots = len(matrix.symbol.rows) * matrix.module
    assert read_badly(pdf, layout, range(dots)) >= 4 * dots


def test_the_check_itself_sees_a_matrix_with_too_much_missing() -> None:
    """Half of a code is no code: the readings above can fail."""
    pdf = label_pages([LABELS["vial"]], LabelSetup())
    (layout,) = layouts([LABELS["vial"]], LabelSetup())
    (matrix,) = (box for box in layout.boxes if isinstance(box, Code))
    hurt = without_dots(pixels(pdf, 203), matrix, None, None)
    hurt.paste(255, (0, 0, hurt.width, hurt.height // 2))
    assert read(by_module(hurt, matrix.module), is_pure=True) == []
    assert not any(read(view, binarizer=way) for view, way in views(hurt, matrix.module))


def test_the_check_itself_sees_words_that_touch() -> None:
    """A label drawn with two lines on one another is noticed."""
    (layout,) = layouts([LABELS["vial"]], LabelSetup())
    first = next(box for box in layout.boxes if isinstance(box, Words))
    twice = replace(layout, boxes=(*layout.boxes, replace(first, x_pt=first.x_pt + 3, words="HX2201A")))
    assert collisions(label_pdf([twice]), 0) != []
