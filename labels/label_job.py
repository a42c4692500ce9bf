"""A print of labels from their values to proved bytes: laid out, drawn, read back, and only then handed out."""

from collections.abc import Sequence

from labels.engine import layouts
from labels.label_pdf import label_pdf, sheet_pdf, sheets, shift_dots
from labels.layout import Code, Layout, Words
from labels.proof import Expected, Page, page_faults
from labels.stocks import chosen
from labels.template import shelf
from labels.zpl import zpl
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.papers import Label, LabelSetup


def label_pages(labels: Sequence[Label], setup: LabelSetup) -> bytes:
    """The labels as PDF: one page each, or as many as fit on a sheet. Each code was read back from the pixels."""
    made = layouts(labels, setup)
    right, down = shift_dots(setup.offset_x_mm, setup.dpi), shift_dots(setup.offset_y_mm, setup.dpi)
    grid = chosen(setup, shelf().find(labels[0].kind, setup.region).stock).grid
    if grid is None:
        pdf = label_pdf(made, right_dots=right, down_dots=down)
        pages = [_page([(layout, right, down)]) for layout in made]
    else:
        pdf = sheet_pdf(made, grid, setup.start_at, right_dots=right, down_dots=down)
        pages = [
            _page([(layout, left + right, top + down) for layout, left, top in sheet])
            for sheet in sheets(made, grid, setup.start_at)
        ]
    for fault in page_faults(pdf, pages, setup.dpi):
        raise RuntimeError(f"the label was drawn wrong: {fault}")
    return pdf


def label_zpl(labels: Sequence[Label], setup: LabelSetup) -> bytes:
    """The labels in ZPL II, drawn from the PDF's own pixels, which are proved first."""
    made = layouts(labels, setup)
    if chosen(setup, shelf().find(labels[0].kind, setup.region).stock).grid is not None:
        raise Refused(
            Fault("stock", "A label printer prints no sheets of paper. Choose a label stock, or print as PDF.")
        )
    right, down = shift_dots(setup.offset_x_mm, setup.dpi), shift_dots(setup.offset_y_mm, setup.dpi)
    pages = [_page([(layout, 0, 0)]) for layout in made]
    for fault in page_faults(label_pdf(made), pages, setup.dpi):
        raise RuntimeError(f"the label was drawn wrong: {fault}")
    return zpl(made, label_pdf, native_codes=setup.native_codes, right_dots=right, down_dots=down)


def _page(placed: Sequence[tuple[Layout, int, int]]) -> Page:
    codes, words = [], []
    for layout, right, down in placed:
        for box in layout.boxes:
            if isinstance(box, Words):
                words.append(box.words)
            elif isinstance(box, Code):
                codes.append(_expected(box, right, down))
    return Page(tuple(codes), tuple(words))


def _expected(code: Code, right: int, down: int) -> Expected:
    across, high = code.symbol.size()
    height = high * code.module if code.symbol.two_dimensional else code.bar_height
    left, top = code.left + right, code.top + down
    return Expected(
        code.symbol.content, code.symbol.two_dimensional, left, top, left + across * code.module, top + height
    )
