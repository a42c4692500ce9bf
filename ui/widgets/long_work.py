"""Long work of a dialog: how far it is, in words, and the button that stops it."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui.bridge import Bridge, Progress
from ui.theme import SPACE_S
from ui.widgets.basics import Button, Text

Tell = Callable[[int, int], None]


class LongWork(QWidget):
    """A line that is seen while work lasts. Signals ``done(object)`` and ``failed(Exception)``; a stop comes as the
    latter, a ``Cancelled``.
    """

    done = Signal(object)
    failed = Signal(object)

    def __init__(self, bridge: Bridge, *, name: str, stop: str = "&Stop", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._bridge, self._words = bridge, ""
        self._progress: Progress | None = None
        self._text = Text("", "muted", name=f"{name}_words")
        self.stop_button = Button(stop, name=f"{name}_stop")
        self.stop_button.setToolTip("Stopping changes nothing.")
        self.stop_button.clicked.connect(self.stop)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_S)
        row.addWidget(self._text, 1)
        row.addWidget(self.stop_button)
        bridge.progressed.connect(self._progressed)
        self.hide()

    @property
    def at_work(self) -> bool:
        """Whether the work is under way."""
        return self._progress is not None

    def start(self, work: Callable[[Tell], Any], words: str) -> None:
        """Do ``work`` in the database thread; it gets what it is to tell its progress to. ``words`` name it."""
        self._words = words
        self._text.setText(f"{words}…")
        self.stop_button.setEnabled(True)
        self.show()

        def watched(progress: Progress) -> Any:
            def tell(done: int, total: int) -> None:
                progress.stop_if_cancelled()
                progress.report(done, total)

            progress.stop_if_cancelled()
            return work(tell)

        self._progress = self._bridge.run_long(watched, self._done, self._failed, busy=words)

    def stop(self) -> None:
        """Ask the work to stop at its next safe point."""
        if self._progress is not None:
            self._progress.cancel()
            self.stop_button.setEnabled(False)
            self._text.setText(f"{self._words}: being stopped…")

    def _progressed(self, done: int, total: int) -> None:
        if self._progress is not None and total and not self._progress.cancelled:
            self._text.setText(f"{self._words}: {100 * done // total} % is done.")

    def _ended(self) -> None:
        self._progress = None
        self.hide()

    def _done(self, answer: Any) -> None:
        self._ended()
        self.done.emit(answer)

    def _failed(self, trouble: Exception) -> None:
        self._ended()
        self.failed.emit(trouble)
