"""One bridge for what the program says to the person: kept until a window shows it, never lost on the way.

Any part posts; the window that is up attaches itself. Messages posted before are handed over in order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal


class MessageKind(StrEnum):
    """How a message is shown; the values are the names of its icon and colours."""

    OK = "ok"
    INFO = "info"
    WARN = "warn"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Message:
    """One whole sentence for the person at the screen; success passes by itself, all else stays until closed."""

    kind: MessageKind
    text: str


class MessageBridge(QObject):
    """Takes messages from any thread and shows them in the one attached window."""

    posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._show: Callable[[Message], None] | None = None
        self._kept: list[Message] = []
        self.posted.connect(self._deliver, Qt.ConnectionType.AutoConnection)

    def attach(self, show: Callable[[Message], None]) -> None:
        """Show messages by ``show`` (a bound method of the window) from now on, the kept ones first."""
        self._show = show
        kept, self._kept = self._kept, []
        for message in kept:
            show(message)

    def detach(self) -> None:
        """Keep messages again until the next window attaches."""
        self._show = None

    def ok(self, text: str) -> None:
        """Say that an act succeeded; passes by itself after a few seconds."""
        self.posted.emit(Message(MessageKind.OK, text))

    def info(self, text: str) -> None:
        """Say something worth knowing."""
        self.posted.emit(Message(MessageKind.INFO, text))

    def warn(self, text: str) -> None:
        """Say something that needs a look."""
        self.posted.emit(Message(MessageKind.WARN, text))

    def error(self, text: str) -> None:
        """Say that something did not happen, and what to do next."""
        self.posted.emit(Message(MessageKind.STOP, text))

    def _deliver(self, message: Message) -> None:
        if self._show is None:
            self._kept.append(message)
        else:
            self._show(message)
