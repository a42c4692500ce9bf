"""A printed paper on screen: the pixels of the very bytes that were stored, to look at, save and open."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QDir, QSaveFile, QStandardPaths, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence, QPixmap, QShortcut
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from ui.bridge import Bridge
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text

if TYPE_CHECKING:
    from pharmacy_app.services.papers import Papers

SCREEN_DPI = 110
LABEL_DPI = 203
MAX_PAGES_SHOWN = 50


def open_at_size(dialog: QDialog, width: int, height: int) -> None:
    """Give a dialog this size, or what the screen has."""
    room = dialog.screen().availableSize()
    dialog.resize(min(width, room.width() - SPACE_L), min(height, room.height() - 3 * SPACE_L))


class PagesView(QScrollArea):
    """Pictures of pages one below the other, each named for a screen reader."""

    def __init__(self, name: str, label: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setWidgetResizable(True)
        ground = QWidget()
        ground.setObjectName("paper_ground")
        self._column = QVBoxLayout(ground)
        self._column.setSpacing(SPACE_L)
        self._column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        self.setWidget(ground)

    def show_pages(self, pages: Sequence[bytes], name: str, label: str) -> None:
        """Show these pictures (PNG) instead of what is there; ``name`` and ``label`` get each page's number."""
        self.clear()
        for number, png in enumerate(pages, start=1):
            picture = QPixmap()
            picture.loadFromData(QByteArray(png), "PNG")
            page = QLabel()
            page.setObjectName(f"{name}_{number}")
            page.setAccessibleName(label.format(number))
            page.setPixmap(picture)
            self._column.addWidget(page, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addStretch(1)

    def clear(self) -> None:
        """Show nothing."""
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()


class PaperDialog(QDialog):
    """Shows every page of a PDF and saves it; the harmless answer (Close) is the default.

    ``dpi`` are the dots an inch of the pictures: those of a label printer for labels.
    """

    def __init__(
        self,
        bridge: Bridge,
        papers: "Papers",
        title: str,
        file_name: str,
        pdf: bytes,
        parent: QWidget,
        *,
        dpi: int = SCREEN_DPI,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("paper_dialog")
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        open_at_size(self, 980, 720)
        self._papers = papers
        self._pdf = pdf
        self._file_name = file_name
        self._dpi = dpi
        self._pages = PagesView("paper_pages", "Pages")
        self._state = Text("Drawing the pages…", "muted", name="paper_state")
        self.save_button = Button("&Save as PDF…", name="paper_save", icon="print")
        self.save_button.clicked.connect(self.save)
        self.open_button = Button("&Open to print", name="paper_open", kind="primary", icon="print")
        self.open_button.clicked.connect(self.open_to_print)
        close = Button("&Close", name="paper_close")
        close.clicked.connect(self.accept)
        close.setDefault(True)
        self.foot = QHBoxLayout()
        self.foot.setSpacing(SPACE_S)
        self.foot.addWidget(self._state, 1)
        for button in (close, self.save_button, self.open_button):
            self.foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(self._pages, 1)
        column.addLayout(self.foot)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self, self.accept)
        close.setFocus()
        bridge.run(self._draw, self._drawn, self._failed, busy="Drawing the pages")

    def _draw(self) -> tuple[list[bytes], int]:
        papers = self._papers
        count = papers.page_count(self._pdf)
        return [papers.page_png(self._pdf, page, self._dpi) for page in range(min(count, MAX_PAGES_SHOWN))], count

    def _drawn(self, drawn: tuple[list[bytes], int]) -> None:
        pages, count = drawn
        self._pages.show_pages(pages, "paper_page", "Page {}")
        many = f" The first {len(pages)} are shown." if count > len(pages) else ""
        self._state.setText(f"{count} page{'s' if count != 1 else ''}, stored as printed.{many}")

    def _failed(self, trouble: Exception) -> None:
        saved = "" if self.save_button.isHidden() else " The PDF can still be saved."
        self._state.setText(f"The pages could not be drawn: {trouble}{saved}")

    def only_look(self) -> None:
        """Give the paper out no more, neither as a file nor to another program: what prints is on the record."""
        self.save_button.hide()
        self.open_button.hide()

    def save(self) -> None:
        """Save the stored bytes where the person says."""
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        path, _ = QFileDialog.getSaveFileName(self, "Save the PDF", str(Path(folder) / self._file_name), "PDF (*.pdf)")
        if path:
            self._write(Path(path))

    def open_to_print(self) -> None:
        """Hand the stored bytes to the PC's PDF program, which prints at the paper's own size."""
        path = Path(QDir.tempPath()) / self._file_name
        if self._write(path) and not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self._state.setText(f"No program opens PDF files here. The file is at {path}.")

    def _write(self, path: Path) -> bool:
        target = QSaveFile(str(path))
        done = (
            target.open(QSaveFile.OpenModeFlag.WriteOnly)
            and target.write(QByteArray(self._pdf)) == len(self._pdf)
            and target.commit()
        )
        self._state.setText(f"Saved at {path}." if done else f"It could not be saved: {target.errorString()}.")
        return done
