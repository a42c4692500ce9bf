"""The main window: navigation, header, messages, lazily built pages, signing in, the lock.

Pages are registered with a factory and built when first shown. A page may have ``refresh()``, called when it is
shown and stale, and ``is_dirty()``, asked before the window closes. Locking hides every page and keeps it alive.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from PySide6.QtCore import QByteArray, QEvent, QObject, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QPaintEvent, QResizeEvent, QShowEvent, QWindow
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ui.messages import Message, MessageBridge, MessageKind
from ui.scan_watch import ScanWatch
from ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XL, SPACE_XS, Mode, Theme, repolish
from ui.widgets.basics import Button, IconView, LineText, Text, announce
from ui.widgets.fields import tab_stops

if TYPE_CHECKING:
    # Built, and so imported, after the first paint.
    from ui.screens import LockView, SignInView
    from ui.widgets.panels import Banner

DEMO_TEXT = "DEMONSTRATION – NOT FOR CLINICAL USE"

# The places of the navigation, in their order: key, title, icon.
PLACES = (
    ("today", "Today", "today"),
    ("subjects", "Subjects", "subjects"),
    ("prepare", "Prepare", "prepare"),
    ("receive", "Receive", "receive"),
    ("vials", "Vials", "vials"),
    ("storage", "Storage", "storage"),
    ("ledger", "Ledger", "ledger"),
    ("counts", "Counts", "counts"),
    ("forecast", "Forecast", "forecast"),
    ("labels", "Labels", "labels"),
    ("errors", "Errors", "errors"),
    ("monitor", "Monitor", "monitor"),
    ("settings", "Settings", "settings"),
)

REPORT_TEXT = "Report an error…"
REPORT_KEYS = "Ctrl+R"

IDLE_MS = 10 * 60 * 1000
SUCCESS_MS = 6000
NAV_WIDE = 184
NAV_NARROW = 56
NARROW_BELOW = 900
_MESSAGES_SHOWN = 3
# Work shorter than this is not announced: a word that comes and goes is only unrest.
_BUSY_AFTER_MS = 300
# A page that has nothing to stand on after three seconds has nothing to do.
_FOCUS_MS, _FOCUS_TRIES = 50, 60


@runtime_checkable
class Refreshing(Protocol):
    """A page that can ask anew for what it shows."""

    def refresh(self) -> None:
        """Ask anew."""


@runtime_checkable
class Drafting(Protocol):
    """A page that may hold an unsaved draft."""

    def is_dirty(self) -> bool:
        """Whether closing would lose something."""


@dataclass(slots=True)
class _Place:
    title: str
    icon: str
    factory: Callable[[], QWidget]
    page: QWidget | None = None
    stale: bool = True


def _dirty(page: object) -> bool:
    return isinstance(page, Drafting) and page.is_dirty()


def _first_stop(page: QWidget) -> QWidget | None:
    """What Tab would stop at first in what scrolls of a page, or else in its head; ``None`` while nothing is there."""
    content = page.findChild(QWidget, "page_content")
    for part in (content, page):
        for stop in tab_stops(part) if part is not None else ():
            if stop is not part and stop.isEnabled() and stop.isVisibleTo(page):
                return stop
    return None


class IdleWatch(QObject):
    """Tells when nobody has used keyboard or mouse for a while. Signal ``idle()``.

    It listens to the windows alone, not to every event of the application: that costs nothing while pages paint.
    """

    idle = Signal()

    _USED = frozenset(
        {
            QEvent.Type.KeyPress,
            QEvent.Type.MouseButtonPress,
            QEvent.Type.MouseMove,
            QEvent.Type.Wheel,
            QEvent.Type.TouchBegin,
        }
    )

    def __init__(self, parent: QObject | None = None, *, after_ms: int = IDLE_MS) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, interval=after_ms, singleShot=True)
        self._timer.timeout.connect(self.idle)
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.focusWindowChanged.connect(self.watch)

    def watch(self, window: QWindow | None) -> None:
        """Listen to ``window`` too."""
        if window is not None:
            window.removeEventFilter(self)
            window.installEventFilter(self)

    def set_after(self, after_ms: int) -> None:
        """Change how long is too long, in milliseconds."""
        self._timer.setInterval(after_ms)

    def start(self) -> None:
        """Begin to count."""
        self._timer.start()

    def stop(self) -> None:
        """Stop counting."""
        self._timer.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Count anew from every use; the event goes on its way."""
        if event.type() in self._USED and self._timer.isActive():
            self._timer.start()
        return super().eventFilter(watched, event)


class _Navigation(QFrame):
    """The places on the left; wide with words, narrow with icons alone. Signal ``chosen(str key)``."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("navigation")
        self.setAccessibleName("Navigation")
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._buttons: dict[str, Button] = {}
        self._titles: dict[str, str] = {}
        self._narrow = False
        inner = QWidget()
        inner.setObjectName("scroll_content")
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, SPACE_S, 0, SPACE_S)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.viewport().setAutoFillBackground(False)
        area.setWidget(inner)
        inner.setAutoFillBackground(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        self.setFixedWidth(NAV_WIDE)

    def add(self, key: str, title: str, icon: str) -> None:
        number = len(self._buttons) + 1
        button = Button(title, name=f"nav_{key}", kind="nav", icon=icon, icon_tone="nav_text")
        button.setCheckable(True)
        # The digits as they stand on the keyboard: the tenth place has the 0, the eleventh the 1 with Shift.
        keys = f"Ctrl+{'Shift+' if number > 10 else ''}{number % 10}"
        button.setShortcut(keys)
        button.setAccessibleDescription(keys)
        button.toggled.connect(self._mark)
        button.clicked.connect(self._clicked)
        self._group.addButton(button)
        self._buttons[key], self._titles[key] = button, title
        self._column.insertWidget(number - 1, button)
        self._write(key)

    def set_current(self, key: str) -> None:
        self._buttons[key].setChecked(True)

    def set_narrow(self, narrow: bool) -> None:
        if narrow != self._narrow:
            self._narrow = narrow
            self.setFixedWidth(NAV_NARROW if narrow else NAV_WIDE)
            for key in self._buttons:
                self._write(key)

    def set_allowed(self, keys: frozenset[str] | None) -> None:
        for key, button in self._buttons.items():
            button.setVisible(keys is None or key in keys)

    def _write(self, key: str) -> None:
        button, title = self._buttons[key], self._titles[key]
        shortcut = button.shortcut()
        button.setProperty("narrow", self._narrow)
        repolish(button)
        button.set_text("" if self._narrow else f"  {title}")
        button.setAccessibleName(title)
        keys = shortcut.toString()
        button.setToolTip(f"{title} ({keys})" if keys else title)
        # Setting the text drops the shortcut.
        button.setShortcut(shortcut)

    def _mark(self) -> None:
        for button in self._buttons.values():
            button.set_icon(button.icon_name, "nav_accent" if button.isChecked() else "nav_text")

    def _clicked(self) -> None:
        for key, button in self._buttons.items():
            if button is self.sender():
                self.chosen.emit(key)


class MainWindow(QMainWindow):
    """The one window.

    Signals: ``lock_requested()`` (button or idleness; the wiring calls ``lock``), ``report_requested()`` to report a
    medication error or near miss from wherever one is, ``scanned(str code)`` for a scan that no field takes,
    ``page_shown(str key)``,
    ``mode_changed(str mode)`` after the light/dark button, ``closing()`` once it is sure.
    ``painted()`` comes once, after the first paint: what is slow to import or to build waits for it.
    ``sign_in`` and ``lock_view`` are the two screens with their own signals.
    """

    lock_requested = Signal()
    report_requested = Signal()
    scanned = Signal(str)
    page_shown = Signal(str)
    mode_changed = Signal(str)
    closing = Signal()
    painted = Signal()

    def __init__(self, messages: MessageBridge | None = None, *, idle_ms: int = IDLE_MS) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Pharmacy")
        self.setMinimumSize(640, 480)
        self.resize(1180, 780)
        self._places: dict[str, _Place] = {}
        self._current = ""
        self._signed_in = False
        self._locked = False
        self._focus_kept: QWidget | None = None
        self._focus_from: QWidget | None = None
        self._focus_tries = 0
        self._focus_timer = QTimer(self, interval=_FOCUS_MS, singleShot=True)
        self._focus_timer.timeout.connect(self._seek_focus)
        self._message_count = 0
        self._shown_messages: list[Banner] = []

        self._strip = QFrame()
        self._strip.setObjectName("demo_strip")
        strip = QHBoxLayout(self._strip)
        strip.setContentsMargins(SPACE_M, SPACE_XS, SPACE_M, SPACE_XS)
        mark = QLabel(DEMO_TEXT)
        mark.setObjectName("demo_mark")
        mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        strip.addWidget(mark)
        self._strip.hide()

        self._sign_in: SignInView | None = None
        self._lock_view: LockView | None = None
        self._is_painted = False
        self._screens = QStackedWidget()
        self._screens.setObjectName("screens")
        # No screen is built before it is asked for: nobody waits for what is not seen yet.
        self._work: QWidget | None = None
        self._identity = ("", "", "", "")
        self._allowed: frozenset[str] | None = None

        root = QWidget()
        root.setObjectName("screen_root")
        column = QVBoxLayout(root)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._strip)
        column.addWidget(self._screens, 1)
        column.addWidget(self._make_message_area())
        self._root_column = column
        self.setCentralWidget(root)

        self.idle = IdleWatch(self, after_ms=idle_ms)
        self.idle.idle.connect(self._idle)
        self.scans = ScanWatch(self)
        self.scans.scanned.connect(self._heard)
        self._messages = messages
        if messages is not None:
            messages.attach(self.show_message)

    @property
    def sign_in(self) -> "SignInView":
        """The screen to sign in on; built when first asked for, at the latest after the first paint."""
        if self._sign_in is None:
            from ui.screens import SignInView

            self._sign_in = SignInView()
            self._sign_in.set_study(" · ".join(part for part in self._identity[:2] if part))
            self._screens.addWidget(self._sign_in)
        return self._sign_in

    @property
    def lock_view(self) -> "LockView":
        """The screen of the lock; built when first asked for."""
        if self._lock_view is None:
            from ui.screens import LockView

            self._lock_view = LockView()
            self._lock_view.set_person(self._identity[2])
            self._screens.addWidget(self._lock_view)
        return self._lock_view

    def show_screen(self, screen: QWidget) -> None:
        """Show ``screen`` in place of everything else, e.g. the first-run guide, until another is shown."""
        if self._screens.indexOf(screen) < 0:
            self._screens.addWidget(screen)
        self._screens.setCurrentWidget(screen)

    def drop_screen(self, screen: QWidget) -> None:
        """Take a screen given to ``show_screen`` away and delete it; the sign-in is shown."""
        self._screens.removeWidget(screen)
        screen.deleteLater()
        self._screens.setCurrentWidget(self.sign_in)

    def _built(self) -> QWidget:
        if self._work is None:
            self._work = self._make_work()
            self._screens.addWidget(self._work)
            for key, place in self._places.items():
                self._nav.add(key, place.title, place.icon)
            self._nav.set_allowed(self._allowed)
            self._nav.set_narrow(self.width() < NARROW_BELOW)
            self._write_header()
        return self._work

    def _make_work(self) -> QWidget:
        self._nav = _Navigation()
        self._nav.chosen.connect(self.show_page)
        self._pages = QStackedWidget()
        self._pages.setObjectName("pages")
        side = self._side = QVBoxLayout()
        side.setSpacing(0)
        side.addWidget(self._make_header())
        side.addWidget(self._pages, 1)
        work = QWidget()
        work.setObjectName("work")
        columns = QHBoxLayout(work)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(0)
        columns.addWidget(self._nav)
        columns.addLayout(side, 1)
        self._name_mode_button()
        return work

    def _make_header(self) -> QFrame:
        header = QFrame()
        header.setObjectName("header")
        self._study = LineText("strong", name="header_study")
        self._site = LineText("small", name="header_site")
        self._person_label = Text("", "strong", wrap=False, name="header_person")
        self._role = Text("", "small", wrap=False, name="header_role")
        self._busy = Text("", "muted", wrap=False, name="header_busy")
        self._busy_text = ""
        self._busy_timer = QTimer(self, interval=_BUSY_AFTER_MS, singleShot=True)
        self._busy_timer.timeout.connect(self._show_busy)
        self._report_button = Button(REPORT_TEXT, name="header_report", kind="quiet", icon="errors")
        self._report_button.setShortcut(REPORT_KEYS)
        self._report_button.setToolTip(f"Report a medication error or near miss ({REPORT_KEYS})")
        self._report_button.clicked.connect(self.report_requested)
        self._mode_button = Button("", name="header_mode", kind="icon", icon="moon")
        self._mode_button.clicked.connect(self.toggle_mode)
        self._lock_button = Button("&Lock", name="header_lock", kind="quiet", icon="lock")
        self._lock_button.setShortcut("Ctrl+L")
        self._lock_button.setToolTip("Lock (Ctrl+L)")
        self._lock_button.clicked.connect(self.lock_requested)
        left, right = QVBoxLayout(), QVBoxLayout()
        for lines, labels in ((left, (self._study, self._site)), (right, (self._person_label, self._role))):
            lines.setSpacing(0)
            for label in labels:
                lines.addWidget(label)
        row = QHBoxLayout(header)
        row.setContentsMargins(SPACE_XL, SPACE_S, SPACE_M, SPACE_S)
        row.setSpacing(SPACE_M)
        row.addLayout(left, 1)
        row.addWidget(self._busy)
        row.addWidget(self._report_button)
        row.addWidget(IconView("person", "muted", 24))
        row.addLayout(right)
        row.addWidget(self._mode_button)
        row.addWidget(self._lock_button)
        return header

    def _make_message_area(self) -> QWidget:
        self._message_area = QWidget()
        self._message_area.setObjectName("messages")
        self._message_area.setAccessibleName("Messages")
        self._message_column = QVBoxLayout(self._message_area)
        self._message_column.setContentsMargins(SPACE_L, SPACE_S, SPACE_L, SPACE_M)
        self._message_column.setSpacing(SPACE_S)
        self._message_area.hide()
        return self._message_area

    # -- pages

    def register(self, key: str, title: str, icon: str, factory: Callable[[], QWidget]) -> None:
        """Add a place to the navigation; ``factory`` builds its page when it is first shown."""
        if key in self._places:
            raise ValueError(f"There are two pages named {key}.")
        self._places[key] = _Place(title, icon, factory)
        if self._work is not None:
            self._nav.add(key, title, icon)

    def show_page(self, key: str) -> QWidget:
        """Show a place, building or refreshing its page as needed; returns the page."""
        self._built()
        place = self._places[key]
        if place.page is None:
            place.page = place.factory()
            self._pages.addWidget(place.page)
        self._current = key
        self._nav.set_current(key)
        self._pages.setCurrentWidget(place.page)
        self._show_messages()
        self.setWindowTitle(f"{place.title} – Pharmacy")
        self._refresh(place)
        self.page_shown.emit(key)
        return place.page

    def focus_page(self) -> None:
        """Stand on the first thing to do on the page shown, as soon as the page has it; a person's own way goes first.

        A page asks for what it shows: until that has come there may be nothing to stand on.
        """
        self._focus_tries = _FOCUS_TRIES
        self._focus_from = self.focusWidget()
        self._seek_focus()

    def _seek_focus(self) -> None:
        page = self._places[self._current].page if self._current and self._signed_in and not self._locked else None
        if page is None or self.focusWidget() is not self._focus_from:
            return
        stop = _first_stop(page)
        if stop is not None:
            stop.setFocus(Qt.FocusReason.OtherFocusReason)
        elif self._focus_tries:
            self._focus_tries -= 1
            self._focus_timer.start()

    def page(self, key: str) -> QWidget | None:
        """The page of a place, ``None`` while it was never shown."""
        return self._places[key].page

    def current_page(self) -> str:
        """The key of the place shown, '' before any was."""
        return self._current

    def mark_stale(self, *keys: str) -> None:
        """Have these pages (all, without keys) ask anew: the one shown now at once, the others when shown."""
        for key in keys or tuple(self._places):
            self._places[key].stale = True
        if self._current and self._signed_in and not self._locked:
            self._refresh(self._places[self._current])

    def set_allowed(self, keys: frozenset[str] | None) -> None:
        """Show only these places in the navigation (``None``: all)."""
        self._allowed = keys
        if self._work is not None:
            self._nav.set_allowed(keys)

    def discard_pages(self) -> None:
        """Forget every built page with its drafts, and the messages: the next person starts afresh."""
        for toast in list(self._shown_messages):
            self._drop(toast)
        for place in self._places.values():
            if place.page is not None:
                self._pages.removeWidget(place.page)
                place.page.deleteLater()
                place.page, place.stale = None, True
        self._current = ""

    def _refresh(self, place: _Place) -> None:
        if place.stale and place.page is not None:
            place.stale = False
            if isinstance(place.page, Refreshing):
                place.page.refresh()

    # -- who and where

    def set_identity(self, study: str, site: str, person: str, role: str) -> None:
        """What the header says; '' leaves a place empty."""
        self._identity = (study, site, person, role)
        if self._work is not None:
            self._write_header()
        if self._sign_in is not None:
            self._sign_in.set_study(" · ".join(part for part in (study, site) if part))
        if self._lock_view is not None:
            self._lock_view.set_person(person)

    def _write_header(self) -> None:
        study, site, person, role = self._identity
        self._study.set_line(study)
        self._site.set_line(site)
        self._person_label.setText(person)
        self._role.setText(role)
        narrow = self.width() < NARROW_BELOW
        self._lock_button.set_text("" if narrow else "&Lock")
        self._lock_button.setAccessibleName("Lock")
        self._report_button.set_text("" if narrow else REPORT_TEXT)
        self._report_button.setAccessibleName(REPORT_TEXT)
        # Setting the text drops the shortcut.
        self._lock_button.setShortcut("Ctrl+L")
        self._report_button.setShortcut(REPORT_KEYS)

    def set_demonstration(self, demonstration: bool) -> None:
        """Show the mark that nothing here is for clinical use, on every screen."""
        self._strip.setVisible(demonstration)

    def set_signed_in(self, signed_in: bool) -> None:
        """Show the pages, or ask someone to sign in."""
        self._signed_in, self._locked = signed_in, False
        self.scans.set_listening(signed_in)
        self.sign_in.reset()
        self._screens.setCurrentWidget(self._built() if signed_in else self.sign_in)
        # Messages stand beneath the page, beside the navigation; with nobody signed in beneath the screen.
        (self._side if signed_in else self._root_column).addWidget(self._message_area)
        self._show_messages()
        if signed_in:
            self.idle.start()
            if self._current:
                self._nav.setFocus()
        else:
            self.idle.stop()
            self._close_dialogs()
            self.setWindowTitle("Pharmacy")
            self.sign_in.user.editor().setFocus()

    def lock(self) -> None:
        """Hide every page and keep it alive; dialogs are closed by their harmless answer."""
        if not self._signed_in or self._locked:
            return
        self._focus_kept = self.focusWidget()
        self._locked = True
        self.idle.stop()
        self.scans.set_listening(False)
        self._close_dialogs()
        # A message may name a subject.
        self._message_area.hide()
        self.setWindowTitle("Locked – Pharmacy")
        self._screens.setCurrentWidget(self.lock_view)
        self.lock_view.set_fault("")

    def unlock(self) -> None:
        """Bring back what was shown, with the focus where it was."""
        if not self._locked:
            return
        self._locked = False
        self.scans.set_listening(True)
        self.lock_view.set_fault("")
        self._screens.setCurrentWidget(self._built())
        self._show_messages()
        self.idle.start()
        if self._current:
            place = self._places[self._current]
            self.setWindowTitle(f"{place.title} – Pharmacy")
            self._refresh(place)
        if self._focus_kept is not None:
            self._focus_kept.setFocus()
            self._focus_kept = None

    @property
    def locked(self) -> bool:
        """Whether the lock stands."""
        return self._locked

    def _heard(self, code: str) -> None:
        """A scan that no field took: the page's own field for scans gets it, else the wiring asks what it names.

        The code at a paper's foot is no thing of a page: it always goes to the wiring.
        """
        from pharmacy_app.services.printed_head import scanned_paper
        from ui.widgets.fields import ScanField

        if scanned_paper(code) is not None:
            self.scanned.emit(code)
            return
        page = self._places[self._current].page if self._current else None
        fields = page.findChildren(ScanField) if page is not None else []
        open_ = [field for field in fields if field.collects and field.isVisible() and field.editor().isEnabled()]
        if len(open_) > 1:
            words = " or ".join(f"“{field.label_text()}”" for field in open_)
            self.show_message(
                Message(MessageKind.WARN, f"Several fields take scans here. Put the cursor in {words}, and scan again.")
            )
        elif open_:
            open_[0].take(code)
        else:
            self.scanned.emit(code)

    def _idle(self) -> None:
        if self._signed_in and not self._locked:
            self.lock_requested.emit()

    def _close_dialogs(self) -> None:
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog) and widget.isVisible():
                widget.reject()

    # -- messages and work under way

    def show_message(self, message: Message) -> None:
        """Show a message beneath the page: success goes by itself, all else stays until closed."""
        from ui.widgets.panels import Banner

        self._message_count += 1
        toast = Banner(
            message.kind.value, message.text, closable=True, name=f"message_{self._message_count}", parent=self
        )
        toast.closed.connect(self._close_message)
        self._message_column.addWidget(toast)
        self._shown_messages.append(toast)
        while len(self._toasts()) > _MESSAGES_SHOWN:
            self._drop(self._oldest())
        self._show_messages()
        if message.kind is not MessageKind.OK:
            # An act may open another page right after it has said what happened: there it is read.
            QTimer.singleShot(0, toast, self._bind_messages)
        if message.kind is MessageKind.OK:
            passing = QTimer(toast, interval=SUCCESS_MS, singleShot=True)
            passing.timeout.connect(self._message_passed)
            passing.start()
        announce(self, toast.accessibleName())

    def messages_shown(self) -> list[str]:
        """The sentences now shown, the oldest first."""
        return [toast.text() for toast in self._toasts()]

    def _bind_messages(self) -> None:
        """What stays until it is closed belongs to the page it was said on, and takes no room on the others."""
        for toast in self._shown_messages:
            if toast.kind != MessageKind.OK and not toast.property("page"):
                toast.setProperty("page", self._current)

    def _show_messages(self) -> None:
        here = self._toasts()
        for toast in self._shown_messages:
            toast.setVisible(toast in here)
        self._message_area.setVisible(bool(here) and not self._locked)

    def set_busy(self, busy: bool, what: str = "") -> None:
        """Say quietly what is under way; connect ``Bridge.busy_changed`` here."""
        if self._work is None:
            return
        if busy and what:
            self._busy_text = what
            if self._busy.text():
                self._show_busy()
            elif not self._busy_timer.isActive():
                self._busy_timer.start()
        else:
            self._busy_timer.stop()
            self._busy.setText("")

    def _show_busy(self) -> None:
        self._busy.setText(f"{self._busy_text.rstrip('.…')}…")

    def _toasts(self) -> "list[Banner]":
        """The messages of the page shown, and those of no page."""
        return [toast for toast in self._shown_messages if toast.property("page") in (None, "", self._current)]

    def _oldest(self) -> "Banner":
        """The message to give up first: a passing one before one that waits to be read."""
        toasts = self._toasts()[:-1]
        return next((toast for toast in toasts if toast.kind == MessageKind.OK), toasts[0])

    def _close_message(self) -> None:
        self._drop_if_shown(self.sender())

    def _message_passed(self) -> None:
        self._drop_if_shown(self.sender().parent())

    def _drop_if_shown(self, found: QObject | None) -> None:
        for toast in self._toasts():
            if toast is found:
                self._drop(toast)

    def _drop(self, toast: "Banner") -> None:
        self._shown_messages.remove(toast)
        self._message_column.removeWidget(toast)
        toast.hide()
        toast.deleteLater()
        self._show_messages()

    # -- look, size, end

    def toggle_mode(self) -> None:
        """Go from light to dark or back."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            mode = Mode.LIGHT if Theme.is_dark() else Mode.DARK
            Theme.apply(app, mode)
            if self._work is not None:
                self._name_mode_button()
            self.mode_changed.emit(mode.value)

    def _name_mode_button(self) -> None:
        words = "Light colours" if Theme.is_dark() else "Dark colours"
        self._mode_button.set_icon("sun" if Theme.is_dark() else "moon")
        self._mode_button.setAccessibleName(words)
        self._mode_button.setToolTip(words)

    def save_geometry(self, settings: QSettings) -> None:
        """Remember size and place."""
        settings.setValue("window/geometry", self.saveGeometry())

    def restore_geometry(self, settings: QSettings) -> bool:
        """Take the remembered size and place; False when there was none."""
        kept = settings.value("window/geometry", QByteArray(), type=QByteArray)
        return isinstance(kept, QByteArray) and not kept.isEmpty() and self.restoreGeometry(kept)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the page the room of the navigation's words when the window is narrow."""
        super().resizeEvent(event)
        if self._work is not None:
            self._nav.set_narrow(event.size().width() < NARROW_BELOW)
            self._write_header()

    def showEvent(self, event: QShowEvent) -> None:
        """Listen for use as soon as there is a window to listen to."""
        super().showEvent(event)
        self.idle.watch(self.windowHandle())
        self.scans.watch(self.windowHandle())
        if self._work is not None:
            self._name_mode_button()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint; the first time, have the rest built right afterwards."""
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            QTimer.singleShot(0, self._after_first_paint)

    def _after_first_paint(self) -> None:
        if self._screens.count() == 0:
            self._screens.setCurrentWidget(self.sign_in)
        if self._screens.currentWidget() is self._sign_in:
            self.sign_in.user.editor().setFocus()
        self.painted.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask before a draft is lost; staying is the default."""
        from ui.widgets.panels import confirm

        drafts = [place.title for place in self._places.values() if _dirty(place.page)]
        if drafts and not confirm(
            self,
            "Close and lose what was typed?",
            f"There is something unsaved on: {', '.join(drafts)}. What was recorded before stays recorded.",
            "Close and discard",
            refuse="Go back",
        ):
            event.ignore()
            return
        if self._messages is not None:
            self._messages.detach()
        self.closing.emit()
        event.accept()
