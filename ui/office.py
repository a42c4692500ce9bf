"""What every page shares: who is signed in, how to ask the store, how to do an act, how to show a paper.

Pages never call a service themselves: they hand the office a piece of work, which runs in the database thread,
and two of their own methods, which get the answer. ``Office.do`` keeps one act id for a page's draft until it
has succeeded, so that a second click or a retry is the same act.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.people import AUTHORITY, Role
from ui.bridge import Bridge
from ui.messages import MessageBridge

if TYPE_CHECKING:
    from pharmacy_app.services.desk import Act, Desk, Session
    from pharmacy_app.services.ports import Reader
    from pharmacy_app.services.printing import Printed
    from pharmacy_app.services.views import Site

T = TypeVar("T")
Failed = Callable[[Exception], None]


class Office(QObject):
    """The desk of one window.

    Signals: ``changed()`` after an act, ``go(key, what)`` to open a page on something.

    ``sends_separator`` is what this workstation's scanner is known to do; ``separator_heard()`` tells when that is
    learnt.
    """

    changed = Signal()
    go = Signal(str, str)
    separator_heard = Signal()

    def __init__(
        self, desk: "Desk", site: "Site", session: "Session", bridge: Bridge, messages: MessageBridge, parent: QObject
    ) -> None:
        super().__init__(parent)
        self.desk = desk
        self.site = site
        self.session = session
        self.bridge = bridge
        self.messages = messages
        self.sends_separator = False

    def heard(self, *, separated: bool) -> None:
        """Learn from a scan that was read: a scanner that sent the separator once always sends it."""
        if separated and not self.sends_separator:
            self.sends_separator = True
            self.separator_heard.emit()

    def ask(self, question: "Callable[[Reader], T]", on_done: Callable[[T], None], on_failed: Failed) -> None:
        """Read from the store; the answer goes to ``on_done``, a bound method of a living object."""
        store = self.desk.store

        def work() -> T:
            with store.read() as reader:
                return question(reader)

        self.bridge.run(work, on_done, on_failed)

    def do(self, work: Callable[[], T], on_done: Callable[[T], None], on_failed: Failed, *, busy: str) -> None:
        """Do an act (a service call with everything bound); ``busy`` names it while it lasts."""
        self.bridge.run(work, on_done, on_failed, busy=busy)

    def act(self) -> "Act":
        """A new act of the person signed in. Keep it with the draft until the act succeeded."""
        from pharmacy_app.services.desk import Act

        return Act(self.session)

    def may(self, kind: str) -> bool:
        """Whether the person's roles allow an act; the service checks again."""
        return bool(AUTHORITY[kind].intersection(self.session.roles))

    def why_not(self, kind: str) -> str:
        """The sentence beside an act the person may not do, '' when they may."""
        if self.may(kind):
            return ""
        roles = " or ".join(sorted(AUTHORITY[kind]))
        article = "an" if roles.startswith("a") else "a"
        return f"This takes {article} {roles}; you are signed in as {self.role_words()}."

    def open_error(self, error_id: str) -> None:
        """Open a medication-error record by its number; 'new' opens the form that reports one."""
        self.go.emit("errors", error_id)

    def role_words(self) -> str:
        """The person's roles in words."""
        return " and ".join(str(role) for role in self.session.roles)

    @property
    def is_monitor(self) -> bool:
        """Whether the sponsor's monitor is signed in, who reads all of it and changes nothing."""
        return Role.MONITOR in self.session.roles

    def say_trouble(self, trouble: Exception) -> None:
        """Show what went wrong as a message, for pages that have no better place for it."""
        if isinstance(trouble, Refused):
            for fault in trouble.faults:
                self.messages.error(str(fault))
        else:
            self.messages.error(str(trouble))

    def show_paper(self, title: str, file_name: str, printed: "Printed", parent: QWidget) -> None:
        """Open a printed paper on screen, to save or send to a printer; labels go to their printer at once."""
        if "labels" in printed.event.content:
            from ui.pages.print_labels import LabelsDialog

            LabelsDialog(self, title, file_name, printed, parent).open()
        else:
            self.show_pdf(title, file_name, printed.pdf, parent)

    def show_pdf(self, title: str, file_name: str, pdf: bytes, parent: QWidget) -> None:
        """Open a kept paper on screen."""
        from ui.paper import PaperDialog

        PaperDialog(self.bridge, self.desk.papers, title, file_name, pdf, parent).open()
