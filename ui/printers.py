"""Printing a finished PDF through the system's printers: the PDF's own pixels, dot on dot, on paper of its own size.

Nothing is scaled and no margins are added: a label's bars stay whole dots. Used from the bridge's worker thread; all
arguments are plain values.
"""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QBuffer, QByteArray, QMarginsF, QPoint, QSizeF
from PySide6.QtGui import QImage, QImageReader, QPageLayout, QPageSize, QPainter
from PySide6.QtPrintSupport import QPrinter, QPrinterInfo

from pharmacy_app.domain.errors import Fault, Refused, Unavailable
from pharmacy_app.services.ports import PerhapsSent

MM_PER_IN = 25.4
SIZE_MM = 0.5
"""How far the printer's paper may be from the label's size; a driver may round to its own steps."""
LARGEST_DPI = 600
"""Pages are drawn at no more: a sheet of paper stays a picture of a hundred megabytes."""


@dataclass(frozen=True, slots=True)
class Printed:
    """How a print ended: the pages handed to the printer; none when it was stopped at the person's wish."""

    pages: int
    of_pages: int
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class SystemPrinter:
    """A printer of the system: its name, what it calls itself, and whether it is the usual one."""

    name: str
    description: str
    usual: bool


def system_printers() -> tuple[SystemPrinter, ...]:
    """The printers the system knows, the usual one first."""
    usual = QPrinterInfo.defaultPrinterName()
    names = QPrinterInfo.availablePrinterNames()
    found = [SystemPrinter(name, QPrinterInfo.printerInfo(name).description(), name == usual) for name in names]
    return tuple(sorted(found, key=lambda printer: (not printer.usual, printer.name)))


def print_pdf(
    page_png: Callable[[int, int], bytes],
    count: int,
    printer_name: str,
    width_mm: float,
    height_mm: float,
    *,
    dpi: int = 0,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Printed:
    """Print ``count`` pages on paper of ``width_mm`` × ``height_mm``.

    ``page_png(page, dpi)`` makes a picture of one page (from 0): ``Papers.page_png`` of the PDF. ``dpi`` 0 is the
    printer's own resolution. All pages are made before the printer gets the first: while they are, ``progress`` is told
    how many of how many are ready, and when ``cancelled`` says so, or a page cannot be made, nothing is printed.
    Raises ``Refused`` for a printer the system does not know or that has no paper of this size, ``Unavailable`` when
    the print is not taken, ``PerhapsSent`` when it was begun and not ended well.
    """
    if QPrinterInfo.printerInfo(printer_name).isNull():
        known = ", ".join(printer.name for printer in system_printers()) or "none"
        words = f"The system knows no printer “{printer_name}” (it knows: {known}). Choose one, or set it up there."
        raise Refused(Fault("printer", words))
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setPrinterName(printer_name)
    return print_on(printer, page_png, count, width_mm, height_mm, dpi=dpi, progress=progress, cancelled=cancelled)


def print_on(
    printer: QPrinter,
    page_png: Callable[[int, int], bytes],
    count: int,
    width_mm: float,
    height_mm: float,
    *,
    dpi: int = 0,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Printed:
    """The same on a printer that was chosen already, or on one that writes a file."""
    if count < 1:
        raise Refused(Fault("labels", "There is no page to print. Choose what to print first."))
    _set_paper(printer, width_mm, height_mm)
    _set_resolution(printer, dpi)
    made: list[QByteArray] = []
    for page in range(count):
        if cancelled is not None and cancelled():
            return Printed(0, count, stopped=True)
        png = QByteArray(page_png(page, printer.resolution()))
        _check_size(printer, png, page)
        made.append(png)
        if progress is not None:
            progress(page + 1, count)
    painter = QPainter()
    if not painter.begin(printer):
        raise Unavailable(_trouble(printer, "does not take the print", 0))
    try:
        painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
        for page, png in enumerate(made):
            if page and not printer.newPage():
                raise PerhapsSent(_trouble(printer, "did not take the next page", page))
            # One pixel is one dot.
            painter.drawImage(QPoint(0, 0), QImage.fromData(png))
            _look(printer, page)
    finally:
        ended = painter.end()
    if not ended:
        raise PerhapsSent(_trouble(printer, "did not take the end of the print", count))
    _look(printer, count)
    return Printed(count, count)


def _check_size(printer: QPrinter, png: QByteArray, page: int) -> None:
    """The page (from 0) is as large as the paper, to ``SIZE_MM``."""
    file = QBuffer(png)
    picture = QImageReader(file, QByteArray(b"png")).size()
    if not picture.isValid():
        raise RuntimeError(f"page {page + 1} is no picture")
    paper = printer.pageLayout().fullRectPixels(printer.resolution()).size()
    across, down = abs(picture.width() - paper.width()), abs(picture.height() - paper.height())
    if max(across, down) > SIZE_MM / MM_PER_IN * printer.resolution():
        words = (
            f"Page {page + 1} is {picture.width()} × {picture.height()} dots, the paper {paper.width()} × "
            f"{paper.height()}. Choose the stock the labels were made for."
        )
        raise Refused(Fault("stock", words))


def _set_paper(printer: QPrinter, width_mm: float, height_mm: float) -> None:
    wanted = QSizeF(width_mm, height_mm)
    size = QPageSize(wanted, QPageSize.Unit.Millimeter, "label", QPageSize.SizeMatchPolicy.ExactMatch)
    layout = QPageLayout(size, QPageLayout.Orientation.Portrait, QMarginsF(), QPageLayout.Unit.Millimeter, QMarginsF())
    layout.setMode(QPageLayout.Mode.FullPageMode)
    printer.setPageLayout(layout)
    printer.setCopyCount(1)
    got = printer.pageLayout().fullRect(QPageLayout.Unit.Millimeter).size()
    if abs(got.width() - width_mm) > SIZE_MM or abs(got.height() - height_mm) > SIZE_MM:
        raise Refused(
            Fault(
                "printer",
                f"The printer “{printer.printerName()}” has no paper of {width_mm:g} × {height_mm:g} mm; it would use "
                f"{got.width():.1f} × {got.height():.1f} mm. Add the size in the system's settings of this printer.",
            )
        )


def _set_resolution(printer: QPrinter, dpi: int) -> None:
    printer.setResolution(dpi or min(printer.resolution(), LARGEST_DPI))
    if dpi and printer.resolution() != dpi:
        words = (
            f"The printer “{printer.printerName()}” prints {printer.resolution()} dots an inch, not {dpi}. Set the dots"
            " an inch of this printer's labels to what it prints."
        )
        raise Refused(Fault("dpi", words))


def _look(printer: QPrinter, pages: int) -> None:
    if printer.printerState() in {QPrinter.PrinterState.Aborted, QPrinter.PrinterState.Error}:
        raise PerhapsSent(_trouble(printer, "stopped the print", pages))


def _trouble(printer: QPrinter, what: str, pages: int) -> str:
    far = f" after {pages} page{'s' if pages != 1 else ''}" if pages else ""
    where = f"The printer “{printer.printerName()}”" if printer.printerName() else f"“{printer.outputFileName()}”"
    return (
        f"{where} {what}{far}. Look whether it is switched on and ready in the system's list of printers, and see what "
        "came out."
    )
