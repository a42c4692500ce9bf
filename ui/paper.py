"""A printed paper on screen: the pixels of the very bytes that were stored, to look at, save and open."""

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


class PaperDialog(QDialog):
    """Shows every page of a PDF and saves it; the harmless answer (Close) is the default."""

    def __init__(
        self, bridge: Bridge, papers: "Papers", title: str, file_name: str, pdf: bytes, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("paper_dialog")
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(980, 720)
        self._papers = papers
        self._pdf = pdf
        self._file_name = file_name
        self._pages = QWidget()
        self._pages.setObjectName("paper_ground")
        self._column = QVBoxLayout(self._pages)
        self._column.setSpacing(SPACE_L)
        self._column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        scroll = QScrollArea()
        scroll.setObjectName("paper_pages")
        scroll.setAccessibleName("Pages")
        scroll.setWidgetResizable(True)
        scroll.setWidget(self._pages)
        self._state = Text("Drawing the pages…", "muted", name="paper_state")
        save = Button("&Save as PDF…", name="paper_save", icon="print")
        save.clicked.connect(self.save)
        view = Button("&Open to print", name="paper_open", kind="primary", icon="print")
        view.clicked.connect(self.open_to_print)
        close = Button("&Close", name="paper_close")
        close.clicked.connect(self.accept)
        close.setDefault(True)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self._state, 1)
        for button in (close, save, view):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(scroll, 1)
        column.addLayout(foot)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self, self.accept)
        close.setFocus()
        bridge.run(self._draw, self._drawn, self._failed, busy="Drawing the pages")

    def _draw(self) -> list[bytes]:
        papers = self._papers
        count = papers.page_count(self._pdf)
        dpi = LABEL_DPI if "label" in self._file_name else SCREEN_DPI
        return [papers.page_png(self._pdf, page, dpi) for page in range(min(count, MAX_PAGES_SHOWN))]

    def _drawn(self, pages: list[bytes]) -> None:
        for number, png in enumerate(pages, start=1):
            picture = QPixmap()
            picture.loadFromData(QByteArray(png), "PNG")
            page = QLabel()
            page.setObjectName(f"paper_page_{number}")
            page.setAccessibleName(f"Page {number}")
            page.setPixmap(picture)
            self._column.addWidget(page, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addStretch(1)
        many = " The first 50 are shown." if len(pages) == MAX_PAGES_SHOWN else ""
        self._state.setText(f"{len(pages)} page{'s' if len(pages) != 1 else ''}, stored as printed.{many}")

    def _failed(self, trouble: Exception) -> None:
        self._state.setText(f"The pages could not be drawn: {trouble} The PDF can still be saved.")

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
