"""The smallest parts: text that wraps, buttons that carry names, icons that follow the palette."""

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QIcon,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QLabel, QLayout, QPushButton, QSizePolicy, QWidget

from ui import icons
from ui.theme import Theme, repolish


class Text(QLabel):
    """Plain text in one role of the type scale; wraps, and takes the height its width needs.

    Roles: display, title, section, strong, label, body, muted, small, fault. ``tone`` colours it as a
    severity: stop, warn, info, ok.
    """

    def __init__(
        self,
        text: str = "",
        role: str = "body",
        *,
        tone: str = "",
        wrap: bool = True,
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        # A subject's data must never be read as markup.
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        if tone:
            self.setProperty("tone", tone)
        if name:
            self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        # In this order: the label notes in its policy that its height hangs on its width.
        self.setWordWrap(wrap)
        self.setText(text)

    def set_tone(self, tone: str) -> None:
        """Colour the text as a severity ('' for none)."""
        if self.property("tone") != tone:
            self.setProperty("tone", tone)
            repolish(self)


class LineText(Text):
    """One line that ends in … where there is no room; the whole text is its tooltip and its accessible name."""

    def __init__(self, role: str = "body", *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__("", role, wrap=False, name=name, parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_line(self, text: str) -> None:
        """Show this text, as much of it as fits."""
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the text to the new width."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        self.setText(self.fontMetrics().elidedText(self.toolTip(), Qt.TextElideMode.ElideRight, max(0, self.width())))


class IconView(QWidget):
    """An icon of fixed size in a token's colour; decoration only: the word beside it says the same."""

    def __init__(self, icon: str, tone: str = "text", size: int = 20, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon, self._tone, self._size = icon, tone, size
        self.setFixedSize(size, size)

    def set_icon(self, icon: str, tone: str) -> None:
        """Show another icon in another token's colour."""
        self._icon, self._tone = icon, tone
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw in the colour of the palette now in force."""
        picture = icons.pixmap(self._icon, Theme.tokens.colour(self._tone), self._size, self.devicePixelRatioF())
        painter = QPainter(self)
        painter.drawPixmap(QRect(0, 0, self._size, self._size), picture)
        painter.end()


class Button(QPushButton):
    """A push button with an object name, an accessible name equal to its text, and one kind of look.

    ``kind``: primary (the one next step of a page), secondary, danger, quiet, icon; number, figure, row, step and tab
    are used inside the kit. ``&`` marks the mnemonic.
    """

    def __init__(
        self,
        text: str,
        *,
        name: str,
        kind: str = "secondary",
        icon: str = "",
        icon_tone: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setProperty("kind", kind)
        self.setAutoDefault(False)
        self._kind, self._icon, self._icon_tone = kind, icon, icon_tone
        self._drawn = ("", "", 0)
        self.set_text(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus, as Space does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
        else:
            super().keyPressEvent(event)

    def set_text(self, text: str) -> None:
        """Change the label and with it the accessible name."""
        self.setText(text)
        self.setAccessibleName(plain(text))
        # The room between icon and words goes with the words.
        self._draw_icon()

    def set_icon(self, icon: str, tone: str = "") -> None:
        """Show another icon ('' for none), in a token's colour."""
        self._icon, self._icon_tone = icon, tone
        self._draw_icon()

    @property
    def icon_name(self) -> str:
        """The name of the icon shown, '' for none."""
        return self._icon

    def set_kind(self, kind: str) -> None:
        """Take another kind's look."""
        self._kind = kind
        self.setProperty("kind", kind)
        repolish(self)
        self._draw_icon()

    def changeEvent(self, event: QEvent) -> None:
        """Redraw the icon when palette or state changed."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange, QEvent.Type.EnabledChange):
            self._draw_icon()

    def _draw_icon(self) -> None:
        if not self._icon:
            if self._drawn[0]:
                self.setIcon(QIcon())
                self._drawn = ("", "", 0)
            return
        tone = self._icon_tone or {"primary": "on_accent", "danger": "stop"}.get(self._kind, "text")
        colour = Theme.tokens.colour(tone if self.isEnabled() or self._icon_tone else "muted")
        gap = 4 if self.text() else 0
        # Setting an icon raises a further change event: only a real difference may.
        if self._drawn != (self._icon, colour, gap):
            self._drawn = (self._icon, colour, gap)
            self.setIconSize(QSize(18 + gap, 18))
            self.setIcon(icons.icon(self._icon, colour, 18, self.devicePixelRatioF(), gap=gap))


def plain(text: str) -> str:
    """The visible words of a label: its text without mnemonic marks."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def rule(parent: QWidget | None = None) -> QFrame:
    """A hairline between parts."""
    line = QFrame(parent)
    line.setProperty("panel", "rule")
    line.setFixedHeight(1)
    return line


def announce(widget: QWidget, text: str) -> None:
    """Have a screen reader say ``text`` (assertively: it was not asked for, but it matters now)."""
    if QAccessible.isActive():
        event = QAccessibleAnnouncementEvent(widget, text)
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
        QAccessible.updateAccessibility(event)


def clear_layout(layout: QLayout) -> None:
    """Take every item out of ``layout`` and delete its widgets."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            clear_layout(inner)
