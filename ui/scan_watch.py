"""Hears a scan anywhere in the window: characters too fast for a hand, where no field takes them.

A scanner types like a keyboard. What it types while a table or a button has the focus would search, choose or press
there. So a character is held back for the blink in which the next one of a scan would come: a scan is told as one
code, anything slower goes on to where it was meant.
"""

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QWindow
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

SEPARATOR = "\x1d"
"""ASCII 29, which GS1 symbols carry between two fields."""

FAST_MS = 35
"""The longest pause between two characters of a scan; a hand is slower."""
SHORTEST = 6
"""So many characters at least make a scan."""
END_MS = 150
"""A scanner that sends no Enter has ended after such a pause."""
_HOLD_MS = 2 * FAST_MS
_HELD = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


def is_separator(event: QKeyEvent) -> bool:
    """Whether a key is the separator, however the scanner's keyboard sends it."""
    control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
    return event.text() == SEPARATOR or (event.key() == Qt.Key.Key_BracketRight and control)


def takes_text(widget: QWidget | None) -> bool:
    """Whether what is typed belongs to this widget: a field that can be written in."""
    if isinstance(widget, QLineEdit | QPlainTextEdit | QTextEdit):
        return not widget.isReadOnly()
    return isinstance(widget, QAbstractSpinBox) or (isinstance(widget, QComboBox) and widget.isEditable())


class ScanWatch(QObject):
    """Listens to one window's keys. Signal ``scanned(str)`` gives a code that no field took.

    It keeps still while ``set_listening(False)``, while a field has the focus, while a dialog or a list is open, and
    while a password stands half typed: whoever signs is not to be taken elsewhere.
    """

    scanned = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._listening = False
        self._replaying = False
        self._keys: list[QKeyEvent] = []
        self._last_ms = 0
        self._window: QWindow | None = None
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self._paused)

    def watch(self, window: QWindow | None) -> None:
        """Listen to ``window`` from now on."""
        if window is not None and window is not self._window:
            self._window = window
            window.installEventFilter(self)

    def set_listening(self, listening: bool) -> None:
        """Hear scans, or let every key go its way."""
        self._listening = listening
        self._forget()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hold back what may be a scan."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and not self._replaying:
            return self._pressed(event)
        return super().eventFilter(watched, event)

    def _pressed(self, event: QKeyEvent) -> bool:
        if not self._listening or _is_elsewhere() or (not self._keys and _is_signing()):
            self._give_back()
            return False
        if self._keys and event.timestamp() - self._last_ms > FAST_MS:
            self._paused()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab) and self._is_scan():
            self._tell()
            return True
        if event.key() in (Qt.Key.Key_Shift, Qt.Key.Key_CapsLock, Qt.Key.Key_AltGr, Qt.Key.Key_Control):
            return False
        character = is_separator(event) or (event.text().isprintable() and not self._is_command(event))
        # No scan begins with a blank: it presses a button, and does so at once.
        if not event.text() or not character or (not self._keys and event.text().isspace()):
            self._give_back()
            return False
        self._keys.append(event.clone())
        self._last_ms = event.timestamp()
        self._pause.start(END_MS if self._is_scan() else _HOLD_MS)
        return True

    def _is_command(self, event: QKeyEvent) -> bool:
        held = event.modifiers() & _HELD
        # AltGr comes as Ctrl and Alt together, and writes characters.
        both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        return bool(held) and held != both

    def _is_scan(self) -> bool:
        return len(self._keys) >= SHORTEST

    def _paused(self) -> None:
        if self._is_scan():
            self._tell()
        else:
            self._give_back()

    def _tell(self) -> None:
        code = "".join(SEPARATOR if is_separator(key) else key.text() for key in self._keys)
        self._forget()
        self.scanned.emit(code)

    def _give_back(self) -> None:
        """It was no scan: the keys go to where they were typed."""
        keys = list(self._keys)
        self._forget()
        target = QApplication.focusWidget() or self._window
        self._replaying = True
        try:
            for key in keys:
                if target is not None:
                    QCoreApplication.sendEvent(target, key)
        finally:
            self._replaying = False

    def _forget(self) -> None:
        self._keys = []
        self._pause.stop()


def _is_elsewhere() -> bool:
    return (
        takes_text(QApplication.focusWidget())
        or QApplication.activeModalWidget() is not None
        or QApplication.activePopupWidget() is not None
    )


def _is_signing() -> bool:
    window = QApplication.activeWindow()
    lines = window.findChildren(QLineEdit) if window is not None else []
    return any(line.echoMode() is QLineEdit.EchoMode.Password and line.isVisible() and line.text() for line in lines)
