"""Printing through the system: paper of the label's own size, the PDF's own pixels dot on dot, and codes that scan."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageChops
from PySide6.QtPrintSupport import QPrinter, QPrinterInfo

from labels.engine import layouts
from labels.label_pdf import label_pdf
from labels.proof import decode_pdf, page_png
from pharmacy_app.domain.errors import Refused, Unavailable
from pharmacy_app.services.papers import LabelSetup
from pharmacy_app.services.ports import PerhapsSent
from tests.labels.label_samples import LABELS
from ui.printers import Printed, print_on, print_pdf, system_printers

pytestmark = pytest.mark.usefixtures("qapp")

# Kind, width and height of its usual stock in mm: 2.25 × 1.25 in, 4 × 2 in, 4 × 3 in.
SIZES = [("vial", 57.15, 31.75), ("quarantine", 101.6, 50.8), ("bag", 101.6, 76.2)]
MM_PER_PT = 25.4 / 72


def drawn(kind: str, dpi: int, count: int = 1) -> bytes:
    return label_pdf(layouts([LABELS[kind]] * count, LabelSetup(dpi=dpi)))


def pictures(pdf: bytes) -> Callable[[int, int], bytes]:
    return lambda page, dpi: page_png(pdf, page, dpi)


def into(path: Path) -> QPrinter:
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(path))
    return printer


@pytest.mark.parametrize("dpi", [203, 300])
@pytest.mark.parametrize(("kind", "width_mm", "height_mm"), SIZES)
def test_a_label_prints_at_its_size_and_scans(
    kind: str, width_mm: float, height_mm: float, dpi: int, tmp_path: Path
) -> None:
    pdf, path = drawn(kind, dpi, 2), tmp_path / "out.pdf"
    told: list[tuple[int, int]] = []
    done = print_on(
        into(path), pictures(pdf), 2, width_mm, height_mm, dpi=dpi, progress=lambda at, of: told.append((at, of))
    )
    assert done == Printed(2, 2)
    assert told == [(1, 2), (2, 2)]
    printed = path.read_bytes()
    document = pypdfium2.PdfDocument(printed)
    sizes = [tuple(side * MM_PER_PT for side in page.get_size()) for page in document]
    assert sizes == [pytest.approx((width_mm, height_mm), abs=0.1)] * 2
    document.close()
    assert decode_pdf(printed, dpi) == decode_pdf(pdf, dpi)
    assert all(decode_pdf(printed, dpi))


@pytest.mark.parametrize("dpi", [203, 300])
@pytest.mark.parametrize(("kind", "width_mm", "height_mm"), SIZES)
def test_each_dot_printed_is_a_pixel_of_the_pdf(
    kind: str, width_mm: float, height_mm: float, dpi: int, tmp_path: Path
) -> None:
    pdf, path = drawn(kind, dpi), tmp_path / "out.pdf"
    print_on(into(path), pictures(pdf), 1, width_mm, height_mm, dpi=dpi)
    document = pypdfium2.PdfDocument(path.read_bytes())
    (picture,) = document[0].get_objects()
    found = picture.get_bitmap().to_pil().convert("L")
    # The picture begins in the upper left corner, and a dot of it is a dot of the printer.
    left, low, right, high = picture.get_bounds()
    assert (left, high) == pytest.approx((0, height_mm / MM_PER_PT), abs=0.05)
    assert (right - left, high - low) == pytest.approx((found.width * 72 / dpi, found.height * 72 / dpi), abs=0.05)
    document.close()
    wanted = Image.open(BytesIO(page_png(pdf, 0, dpi))).convert("L")
    assert found.size == wanted.size
    assert ImageChops.difference(found, wanted).getbbox() is None


def test_without_a_wish_the_printers_own_dots_are_asked_for(tmp_path: Path) -> None:
    asked: list[int] = []
    printer = into(tmp_path / "out.pdf")
    printer.setResolution(300)

    def picture(page: int, dpi: int) -> bytes:
        asked.append(dpi)
        return page_png(drawn("vial", 300), page, dpi)

    print_on(printer, picture, 1, 57.15, 31.75)
    # A printer of 1,200 dots an inch gets 600: a sheet of paper would be a picture of 400 megabytes.
    fine = into(tmp_path / "fine.pdf")
    fine.setResolution(1200)
    print_on(fine, picture, 1, 57.15, 31.75)
    assert asked == [300, 600]


def test_stopped_between_two_pages_nothing_is_printed(tmp_path: Path) -> None:
    ready: list[int] = []
    done = print_on(
        into(tmp_path / "out.pdf"),
        pictures(drawn("vial", 203, 5)),
        5,
        57.15,
        31.75,
        dpi=203,
        progress=lambda at, _: ready.append(at),
        cancelled=lambda: len(ready) == 2,
    )
    assert done == Printed(0, 5, stopped=True)
    assert ready == [1, 2]
    assert not (tmp_path / "out.pdf").exists()


def test_when_one_page_cannot_be_made_none_is_printed(tmp_path: Path) -> None:
    def gone(page: int, dpi: int) -> bytes:
        if page:
            raise Unavailable("The paper is gone.")
        return page_png(drawn("vial", 203), 0, dpi)

    with pytest.raises(Unavailable, match=r"The paper is gone\."):
        print_on(into(tmp_path / "out.pdf"), gone, 2, 57.15, 31.75, dpi=203)
    with pytest.raises(RuntimeError, match="page 1 is no picture"):
        print_on(into(tmp_path / "out.pdf"), lambda *_: b"nothing", 1, 57.15, 31.75, dpi=203)
    assert list(tmp_path.iterdir()) == []


def test_labels_of_another_stock_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"Page 1 is 812 × 609 dots, the paper 456 × 253\. Choose the stock"):
        print_on(into(tmp_path / "out.pdf"), pictures(drawn("bag", 203)), 1, 57.15, 31.75, dpi=203)


def test_nothing_to_print_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="There is no page to print"):
        print_on(into(tmp_path / "out.pdf"), pictures(b""), 0, 57.15, 31.75, dpi=203)


@pytest.mark.qt_log_ignore("QPainter::begin")
def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "out.pdf"
    with pytest.raises(Unavailable, match=r"out\.pdf” does not take the print\. Look whether") as told:
        print_on(into(path), pictures(drawn("vial", 203)), 1, 57.15, 31.75, dpi=203)
    assert not isinstance(told.value, PerhapsSent), "it was not begun, so it is known that nothing went"


class Failing(QPrinter):
    """A printer that says it stopped the print, after so many looks."""

    def __init__(self, path: Path, good: int) -> None:
        super().__init__(QPrinter.PrinterMode.HighResolution)
        self.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        self.setOutputFileName(str(path))
        self.good = good

    def printerState(self) -> QPrinter.PrinterState:  # noqa: N802 - Qt's name
        self.good -= 1
        return QPrinter.PrinterState.Error if self.good < 0 else QPrinter.PrinterState.Active


@pytest.mark.parametrize(("good", "words"), [(0, r"stopped the print\. "), (1, "after 1 page"), (2, "after 2 pages")])
def test_a_print_that_the_system_stopped_is_not_said_to_be_done(good: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(PerhapsSent, match=words):
        print_on(Failing(tmp_path / "out.pdf", good), pictures(drawn("vial", 203, 2)), 2, 57.15, 31.75, dpi=203)


def test_a_printer_nobody_knows_is_refused() -> None:
    with pytest.raises(Refused, match="The system knows no printer “no such printer”"):
        print_pdf(pictures(b""), 1, "no such printer", 57.15, 31.75)


def test_the_usual_printer_stands_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QPrinterInfo, "availablePrinterNames", lambda: ["Office", "Zebra"])
    monkeypatch.setattr(QPrinterInfo, "defaultPrinterName", lambda: "Zebra")
    assert [(printer.name, printer.usual) for printer in system_printers()] == [("Zebra", True), ("Office", False)]
