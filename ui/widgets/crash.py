"""The last resort: a fault of the program is shown once per distinct trace, and the person reads it first."""

import logging
import platform
import sys
import threading
import traceback
from types import TracebackType

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text

log = logging.getLogger(__name__)


class CrashDialog(QDialog):
    """Says that the program is at fault, shows the whole report, and lets it be copied. Nothing is sent."""

    def __init__(self, report: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("crash")
        self.setWindowTitle("The program met a fault of its own")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._report = QPlainTextEdit(report)
        self._report.setReadOnly(True)
        self._report.setObjectName("crash_report")
        self._report.setAccessibleName("Report")
        self._report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._report.setTabChangesFocus(True)
        label = Text("&Report", "label", wrap=False)
        label.setBuddy(self._report)
        copy = Button("&Copy the report", name="crash_copy", icon="copy")
        close = Button("C&lose", name="crash_close")
        close.setDefault(True)
        copy.clicked.connect(self.copy)
        close.clicked.connect(self.accept)
        last = QHBoxLayout()
        last.setSpacing(SPACE_S)
        last.addWidget(copy)
        last.addStretch(1)
        last.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text("The program met a fault of its own", "title"))
        column.addWidget(
            Text(
                "What was recorded before stays recorded. Look in the ledger whether your last act is there before "
                "you do it again. Please copy this report for whoever looks after the program; read it first and "
                "take out anything that names a subject. Nothing is sent by itself."
            )
        )
        column.addWidget(label)
        column.addWidget(self._report, 1)
        column.addLayout(last)
        self.resize(720, 480)
        close.setFocus()

    def copy(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(self._report.toPlainText())


class LastResort(QObject):
    """Takes every fault nobody else answers, from any thread, and shows each distinct one once.

    ``install`` puts it behind Python's own hooks; connect ``Bridge.crashed`` to ``take``.
    """

    _found = Signal(str)

    def __init__(self, window: QWidget | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._seen: set[str] = set()
        # Without a window as parent nothing else would keep a dialog alive.
        self._shown: list[CrashDialog] = []
        self._found.connect(self._show)

    def install(self) -> None:
        """Take over from the interpreter's hooks for uncaught exceptions, in all threads."""
        sys.excepthook = self._hook
        threading.excepthook = self._thread_hook

    def take(self, report: str) -> None:
        """Show a report, once, whichever thread it comes from."""
        self._found.emit(report)

    def _hook(self, kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, value, trace)
            return
        report = "".join(traceback.format_exception(kind, value, trace))
        log.error("%s", report)
        self.take(report)

    def _thread_hook(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._hook(args.exc_type, args.exc_value, args.exc_traceback)

    def _show(self, report: str) -> None:
        if report in self._seen:
            return
        self._seen.add(report)
        head = f"Python {platform.python_version()}, Qt {qVersion()}, {platform.system()} {platform.release()}\n\n"
        window = self._window if self._window is not None and shiboken6.isValid(self._window) else None
        dialog = CrashDialog(head + report, window)
        self._shown = [*filter(shiboken6.isValid, self._shown), dialog]
        dialog.open()
