"""The window's program: shows the window at once, opens the study in the background, then lets people sign in."""

import gc
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, QSettings, QStandardPaths, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from ui.messages import MessageBridge
from ui.shell import PLACES, MainWindow
from ui.theme import Mode, Theme

if TYPE_CHECKING:
    from pharmacy_app.domain.events import Event
    from pharmacy_app.services.desk import Desk, Session
    from pharmacy_app.services.ports import Reader
    from pharmacy_app.services.scanning import Target
    from pharmacy_app.services.views import Site
    from ui.bridge import Bridge
    from ui.office import Office

COLLECT_MS = 1000
SENDS_SEPARATOR = "scanner/sends_separator"
"""Whether this workstation's scanner is known to send the separator of GS1 codes."""

T = TypeVar("T")
Failed = Callable[[Exception], None]


@dataclass(frozen=True, slots=True)
class Launch:
    """How the window gets at its study, handed in by the command line so that heavy imports come after the paint.

    ``exists`` tells whether there is a database; ``open`` and ``create`` give a desk or raise ``Unavailable``.
    ``hint`` stands on the sign-in page (the demonstration's accounts); ``where`` says where a new database will be;
    ``opening`` is read while one waits for the study.
    """

    exists: Callable[[], bool]
    open: Callable[[], "Desk"]
    create: Callable[[], "Desk"]
    hint: str = ""
    where: Callable[[], str] = str
    opening: str = "Opening the study…"


@dataclass(frozen=True, slots=True)
class _Opened:
    desk: "Desk | None"
    site: "Site | None"


class _Factory:
    """Builds one page when it is first shown; a page module is loaded no earlier."""

    def __init__(self, app: "App", key: str) -> None:
        self._app = app
        self._key = key

    def __call__(self) -> QWidget:
        assert self._app.office is not None
        module = importlib.import_module(f"ui.pages.{self._key}")
        page: QWidget = module.make_page(self._app.office)
        return page


class App(QObject):
    """Keeps the window, the bridge, the desk and the person signed in together."""

    def __init__(self, launch: Launch, settings: QSettings) -> None:
        super().__init__()
        self._launch = launch
        self._settings = settings
        self.messages = MessageBridge(self)
        self.window = MainWindow(self.messages)
        self.window.painted.connect(self._painted)
        self.window.closing.connect(self._close)
        self.bridge: Bridge | None = None
        self.office: Office | None = None
        self._desk: Desk | None = None
        self._site: Site | None = None
        self._session: Session | None = None
        self._guide: QWidget | None = None
        self._lock_wired = False
        self._collector = QTimer(self, interval=COLLECT_MS)
        self._collector.timeout.connect(self._collect)

    def start(self) -> None:
        """Show the window; everything else waits until it is painted."""
        self.window.restore_geometry(self._settings)
        self.window.show()

    def _painted(self) -> None:
        """Start the database thread, wire the screens, which are built only now, and open the study."""
        from ui.bridge import Bridge
        from ui.widgets.crash import LastResort

        # Thousands of objects are made while the modules load, and none of them is to be thrown away.
        gc.disable()
        self.bridge = Bridge(self)
        self.last_resort = LastResort(self.window)
        self.last_resort.install()
        self.bridge.crashed.connect(self.last_resort.take)
        self.bridge.busy_changed.connect(self.window.set_busy)
        self.window.sign_in.sign_in_requested.connect(self._sign_in)
        self.window.lock_requested.connect(self._lock)
        self.window.report_requested.connect(self._report)
        self.window.scanned.connect(self._scanned)
        self.window.mode_changed.connect(self._keep_mode)
        self._open()
        for key, title, icon in PLACES:
            self.window.register(key, title, icon, _Factory(self, key))
        self.window.sign_in.set_hint(self._launch.opening, "One moment")
        self.window.sign_in.set_busy(True)

    def _run(self, work: Callable[[], T], on_done: Callable[[T], None], on_failed: Failed, *, busy: str) -> None:
        assert self.bridge is not None, "the bridge stands once the window is painted"
        self.bridge.run(work, on_done, on_failed, busy=busy)

    # -- the study

    def _open(self) -> None:
        self._run(self._find, self._found, self._not_found, busy="Opening the study")

    def _find(self) -> _Opened:
        if not self._launch.exists():
            return _Opened(None, None)
        desk = self._launch.open()
        with desk.store.read() as reader:
            return _Opened(desk, reader.site())

    def _loaded(self) -> None:
        """Collect garbage again, in this thread only; what the modules made stays for good and is not looked through.

        Python collects in whichever thread happens to allocate. In the database thread that would destroy discarded
        widgets there, and Qt takes the program down for it.
        """
        gc.freeze()
        self._collector.start()

    def _collect(self) -> None:
        for generation, (count, limit) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)):
            if count > limit:
                gc.collect(generation)

    def _found(self, opened: _Opened) -> None:
        self._loaded()
        if opened.desk is None or opened.site is None:
            self._first_run(opened.desk)
            return
        self._desk, self._site = opened.desk, opened.site
        self._show_identity()
        self.window.sign_in.set_busy(False)
        self.window.sign_in.set_hint(self._launch.hint)
        self.window.sign_in.reset()

    def _not_found(self, trouble: Exception) -> None:
        self._loaded()
        self.window.sign_in.set_hint("Close the window, mend it, and start again.", "Next step")
        self.window.sign_in.set_fault(str(trouble))

    def _first_run(self, desk: "Desk | None") -> None:
        from ui.pages.first_run import FirstRunGuide

        assert self.bridge is not None
        guide = FirstRunGuide(self.bridge, self._launch.create, desk, _workstation(), self._launch.where())
        guide.finished.connect(self._set_up)
        self._guide = guide
        self.window.show_screen(guide)

    def _set_up(self) -> None:
        """The guide has made and signed everything: people can sign in."""
        if self._guide is not None:
            self.window.drop_screen(self._guide)
            self._guide = None
        self.window.set_signed_in(False)
        self._open()

    def _show_identity(self) -> None:
        site, session = self._site, self._session
        assert site is not None
        person = session.printed_name if session else ""
        role = " and ".join(str(role) for role in session.roles) if session else ""
        study = f"{site.protocol_number} · {site.study_title}"
        self.window.set_identity(study, f"Site {site.number} · {site.name}", person, role)
        self.window.set_demonstration(site.demonstration)

    # -- people

    def _sign_in(self, user_name: str, password: str) -> None:
        desk = self._desk
        if desk is None:
            return
        self.window.sign_in.set_busy(True)

        def work() -> "Session":
            from pharmacy_app.services.accounts import sign_in
            from pharmacy_app.services.desk import Credentials

            return sign_in(desk, Credentials(user_name, password), _workstation())

        self._run(work, self._signed_in, self._not_signed_in, busy="Signing in")

    def _signed_in(self, session: "Session") -> None:
        assert self._desk is not None and self._site is not None and self.bridge is not None
        self.window.sign_in.set_busy(False)
        self._session = session
        from ui.office import Office

        self.office = Office(self._desk, self._site, session, self.bridge, self.messages, self)
        self.office.changed.connect(self.window.mark_stale)
        self.office.go.connect(self._go)
        self.office.sends_separator = bool(self._settings.value(SENDS_SEPARATOR, False, type=bool))
        self.office.separator_heard.connect(self._keep_separator)
        self._show_identity()
        self.window.set_signed_in(True)
        if session.must_change_password:
            self._ask_new_password()
        else:
            self._begin()

    def _not_signed_in(self, trouble: Exception) -> None:
        self.window.sign_in.set_busy(False)
        self.window.sign_in.set_fault(_words(trouble))

    def _ask_new_password(self) -> None:
        from ui.pages.password import PasswordDialog

        assert self.office is not None
        dialog = PasswordDialog(self.office, self.window, first=True)
        dialog.changed.connect(self._password_changed)
        dialog.rejected.connect(self._switch)
        dialog.open()

    def _password_changed(self) -> None:
        assert self.office is not None
        self._begin()

    def _begin(self) -> None:
        """Show where the person's work begins, with the focus on the first thing to do."""
        assert self.office is not None
        self.window.show_page("monitor" if self.office.is_monitor else "today")
        self.window.focus_page()

    def _lock(self) -> None:
        """Lock the window; its lock screen is built and wired when it is first needed."""
        view = self.window.lock_view
        if not self._lock_wired:
            self._lock_wired = True
            view.unlock_requested.connect(self._unlock)
            view.switch_requested.connect(self._switch)
        self.window.lock()

    def _unlock(self, password: str) -> None:
        desk, session = self._desk, self._session
        if desk is None or session is None:
            return

        def work() -> "Session":
            from pharmacy_app.services.accounts import sign_in
            from pharmacy_app.services.desk import Credentials

            return sign_in(desk, Credentials(session.user_name, password), _workstation())

        self._run(work, self._unlocked, self._not_unlocked, busy="Unlocking")

    def _unlocked(self, _session: "Session") -> None:
        self.window.unlock()
        # A night may have passed behind the lock, and others may have worked meanwhile.
        self.window.mark_stale()

    def _not_unlocked(self, trouble: Exception) -> None:
        self.window.lock_view.set_fault(_words(trouble))

    def _switch(self) -> None:
        """The person leaves; the next one starts afresh."""
        desk, session = self._desk, self._session
        if desk is not None and session is not None:

            def work() -> "Event":
                from pharmacy_app.services.accounts import sign_out
                from pharmacy_app.services.desk import Act

                return sign_out(desk, Act(session))

            self._run(work, self._signed_out, self._not_signed_in, busy="Signing out")
        self._session = None
        self.window.discard_pages()
        if self.office is not None:
            self.office.deleteLater()
            self.office = None
        self.window.set_signed_in(False)
        self._show_identity()
        self.window.sign_in.set_hint(self._launch.hint)

    def _signed_out(self, _event: "Event") -> None:
        """Nothing is left to do: the sign-in page is up already."""

    def _report(self) -> None:
        """Report a medication error, from wherever one is."""
        if self.office is not None:
            self.office.open_error("new")

    def _scanned(self, code: str) -> None:
        """Look for what a scan anywhere in the window names."""
        if self.office is None:
            return
        from pharmacy_app.services.printed_head import scanned_paper

        paper = scanned_paper(code)
        if paper is not None:
            from ui.pages.anchor import open_anchor

            open_anchor(self.office, self.window, paper)
            return
        office = self.office
        desk, separator = office.desk, office.sends_separator

        def question(reader: "Reader") -> "Target":
            from pharmacy_app.services.desk import today_of
            from pharmacy_app.services.scanning import where

            return where(reader, code, today_of(desk, reader), sends_separator=separator)

        office.ask(question, self._named, office.say_trouble)

    def _named(self, target: "Target") -> None:
        """Go to what a scan named, say what it is, and what was put right in it."""
        if self.office is None or self.window.locked:
            return
        self.office.heard(separated=target.separated)
        self._go(target.page, target.what)
        self.messages.ok(f"{target.sentence}.")
        if target.notes:
            self.messages.info(" ".join(target.notes))

    def _go(self, key: str, what: str) -> None:
        page = self.window.show_page(key)
        opener = getattr(page, "open_on", None)
        if what and opener is not None:
            opener(what)

    # -- look and end

    def _keep_separator(self) -> None:
        self._settings.setValue(SENDS_SEPARATOR, True)

    def _keep_mode(self, mode: str) -> None:
        self._settings.setValue("window/mode", mode)

    def _close(self) -> None:
        self.window.save_geometry(self._settings)
        if self.bridge is not None:
            self.bridge.close()
        self._collector.stop()
        gc.enable()
        if self._desk is not None:
            self._desk.store.close()


def _words(trouble: Exception) -> str:
    from pharmacy_app.domain.errors import Refused

    return " ".join(fault.sentence for fault in trouble.faults) if isinstance(trouble, Refused) else str(trouble)


def _workstation() -> str:
    import platform

    return platform.node() or "this PC"


def run_window(launch: Launch, arguments: list[str] | None = None) -> int:
    """Show the window until it is closed; returns the exit code."""
    application = QApplication(arguments if arguments is not None else sys.argv)
    application.setApplicationName("pharmacy-app")
    application.setApplicationDisplayName("Pharmacy")
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppConfigLocation)
    settings = QSettings(f"{folder}/window.ini", QSettings.Format.IniFormat)
    mode = str(settings.value("window/mode", Mode.SYSTEM.value, type=str))
    Theme.apply(application, Mode(mode) if mode in set(Mode) else Mode.SYSTEM)
    app = App(launch, settings)
    app.start()
    return application.exec()
