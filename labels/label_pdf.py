"""Labels as PDF: boxes drawn where the layout has them, the same bytes for the same content."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any

from labels import text
from labels.codes import draw
from labels.geometry import MM_PER_IN, PT_PER_IN, Dots, Stock
from labels.layout import Box, Code, Frame, Layout, Rule, Words
from labels.stocks import Grid
from pharmacy_app.domain.errors import Fault, refuse_any


def new_canvas(stock: Stock, title: str) -> tuple[Any, BytesIO]:
    """A canvas that writes the same bytes for the same content."""
    text.load_fonts()
    from reportlab.pdfgen.canvas import Canvas

    file = BytesIO()
    canvas = Canvas(file, pagesize=(stock.width_pt, stock.height_pt), invariant=1, pageCompression=1)
    canvas.setTitle(title)
    canvas.setAuthor("")
    canvas.setSubject("")
    canvas.setCreator("pharmacy-app")
    return canvas, file


def label_pdf(layouts: Sequence[Layout], title: str = "Labels", *, right_dots: int = 0, down_dots: int = 0) -> bytes:
    """One page a label, each of its own stock's size, shifted by whole dots."""
    canvas, file = new_canvas(layouts[0].stock, title)
    forms = _Forms(canvas)
    for layout in layouts:
        refuse_any(_pushed_off(layout, right_dots, down_dots))
        canvas.setPageSize((layout.stock.width_pt, layout.stock.height_pt))
        forms.put(layout, layout.stock.height_pt, right_dots, down_dots)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def sheet_pdf(
    layouts: Sequence[Layout],
    grid: Grid,
    start_at: int,
    title: str = "Labels",
    *,
    right_dots: int = 0,
    down_dots: int = 0,
) -> bytes:
    """Labels in their grid, the first at ``start_at`` (from 1)."""
    canvas, file = new_canvas(grid.paper, title)
    forms = _Forms(canvas)
    for page in sheets(layouts, grid, start_at):
        for layout, left, top in page:
            forms.put(layout, grid.paper.height_pt, left + right_dots, top + down_dots)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def sheets(layouts: Sequence[Layout], grid: Grid, start_at: int) -> Iterator[list[tuple[Layout, int, int]]]:
    """Each sheet's labels with the upper left corner of each, in dots."""
    page: list[tuple[Layout, int, int]] = []
    for number, layout in enumerate(layouts, start_at - 1):
        position = number % grid.count
        if position == 0 and page:
            yield page
            page = []
        page.append((layout, *grid.corner(position, Dots(layout.dpi))))
    yield page


def shift_dots(mm: Decimal, dpi: int) -> int:
    """A printer's offset in whole dots."""
    return round(float(mm) * dpi / MM_PER_IN)


class _Forms:
    """Draws labels; what is fixed on many of them is written into the file once."""

    def __init__(self, canvas: Any) -> None:
        self.canvas = canvas
        self.known: dict[tuple[Stock, tuple[Box, ...]], str] = {}

    def put(self, layout: Layout, page_pt: float, left: int, top: int) -> None:
        """One label, its upper left corner at these dots of the page."""
        canvas, dots = self.canvas, Dots(layout.dpi)
        shifted = left or top or page_pt != layout.stock.height_pt
        if shifted:
            canvas.saveState()
            canvas.translate(dots.pt(left), page_pt - layout.stock.height_pt - dots.pt(top))
        fixed, own = layout.boxes[: layout.fixed], layout.boxes[layout.fixed :]
        if fixed:
            canvas.doForm(self._form(layout.stock, dots, fixed))
        for box in own:
            draw_box(canvas, box, layout.stock, dots)
        if shifted:
            canvas.restoreState()

    def _form(self, stock: Stock, dots: Dots, fixed: tuple[Box, ...]) -> str:
        name = self.known.get((stock, fixed))
        if name is None:
            name = self.known[stock, fixed] = f"fixed{len(self.known)}"
            self.canvas.beginForm(name, lowerx=0, lowery=0, upperx=stock.width_pt, uppery=stock.height_pt)
            for box in fixed:
                draw_box(self.canvas, box, stock, dots)
            self.canvas.endForm()
        return name


def draw_box(canvas: Any, box: Box, stock: Stock, dots: Dots) -> None:
    """One box of a label whose lower left corner is the canvas's origin."""
    high = stock.height_pt
    if isinstance(box, Words):
        canvas.setFont(box.font, box.size_pt)
        canvas.drawString(box.x_pt, high - box.y_pt, box.words)
    elif isinstance(box, Code):
        draw(
            canvas,
            box.symbol,
            dots,
            left=box.left,
            top=box.top,
            module=box.module,
            bar_height=box.bar_height,
            page_pt=high,
        )
    elif isinstance(box, Rule):
        canvas.setLineWidth(box.thick_pt)
        canvas.line(box.x_pt, high - box.y_pt, box.x_pt + box.across_pt, high - box.y_pt)
    elif isinstance(box, Frame):
        canvas.setLineWidth(box.thick_pt)
        canvas.rect(box.x_pt, high - box.top_pt - box.down_pt, box.across_pt, box.down_pt)
    else:
        lower = high - dots.pt(box.top + box.down)
        canvas.rect(dots.pt(box.left), lower, dots.pt(box.across), dots.pt(box.down), stroke=0, fill=1)


def _pushed_off(layout: Layout, right_dots: int, down_dots: int) -> list[Fault]:
    """A shift that would lose words or codes at an edge."""
    if not right_dots and not down_dots:
        return []
    dots = Dots(layout.dpi)
    x0, y0, x1, y1 = 1e9, 1e9, -1e9, -1e9
    for box in layout.boxes:
        if isinstance(box, Words):
            a, b, c, d = box.x_pt, box.y_pt - box.size_pt, box.x_pt + box.across_pt, box.y_pt + 0.25 * box.size_pt
        elif isinstance(box, Code):
            across, down = box.symbol.size()
            height = down * box.module if box.symbol.two_dimensional else box.bar_height
            a, b = dots.pt(box.left), dots.pt(box.top)
            c, d = dots.pt(box.left + across * box.module), dots.pt(box.top + height)
        else:
            continue
        x0, y0, x1, y1 = min(x0, a), min(y0, b), max(x1, c), max(y1, d)
    right, down_pt = right_dots * PT_PER_IN / layout.dpi, down_dots * PT_PER_IN / layout.dpi
    faults = []
    for field, lost, edge in (
        ("offset_x_mm", x0 + right < 0 or x1 + right > layout.stock.width_pt, "left or right"),
        ("offset_y_mm", y0 + down_pt < 0 or y1 + down_pt > layout.stock.height_pt, "upper or lower"),
    ):
        if lost:
            words = f"Shifted so far, the label would lose print at its {edge} edge. Print the ruler label, measure"
            faults.append(Fault(field, f"{words} again, and set the printer itself if the shift is really as large."))
    return faults
