"""One way of taking something away: the form that scrolls, the verb beneath it, the work, and how it ended."""

from collections.abc import Mapping

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Fault, Refused
from ui.bridge import Cancelled
from ui.office import Office
from ui.pages.monitor_parts import Scrolled
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button
from ui.widgets.fields import Form
from ui.widgets.long_work import LongWork
from ui.widgets.panels import Banner


class TakeView(QWidget):
    """One thing to take away: what scrolls (``body`` is its layout), the work under way, and the verb.

    ``nothing`` says that nothing was taken, when it was stopped.
    """

    def __init__(self, office: Office, name: str, verb: str, nothing: str, *, icon: str = "") -> None:
        super().__init__()
        self.setObjectName(f"records_{name}")
        self._nothing = nothing
        self._office = office
        self._act = office.act()
        self._asked: Mapping[str, str] | None = None
        self.banner = Banner("info", "Looking for what is on record…", word="One moment", name=f"{name}_banner")
        self.work = LongWork(office.bridge, name=f"{name}_work", stop="S&top")
        self.work.done.connect(self._done)
        self.work.failed.connect(self._failed)
        self.verb = Button(verb, name=f"{name}_do", kind="primary", icon=icon)
        self.verb.setEnabled(False)
        self.verb.clicked.connect(self.ask)
        self._area = Scrolled(name=f"{name}_scroll")
        self.body = self._area.body
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self.work, 1)
        foot.addStretch(0)
        foot.addWidget(self.verb)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self._area, 1)
        column.addLayout(foot)

    @property
    def form(self) -> Form:
        """The fields that faults stand beside."""
        raise NotImplementedError

    def ask(self) -> None:
        """Take it away."""
        raise NotImplementedError

    def _same(self, values: Mapping[str, str]) -> None:
        """Another question is another act; the same one asked again is recorded once."""
        if self._asked != values:
            self._act, self._asked = self._office.act(), values

    def _hold(self, busy: bool) -> None:
        self.verb.setEnabled(not busy)
        self.form.setEnabled(not busy)
        if busy:
            self.banner.hide()

    def _taken(self, sentence: str, word: str = "Taken away") -> None:
        self._asked = None
        self._hold(False)
        self.verb.setFocus()
        self.banner.set_message("ok", sentence, word=word)
        self.banner.show()
        self._area.verticalScrollBar().setValue(self._area.verticalScrollBar().maximum())
        self._office.changed.emit()

    def _done(self, answer: object) -> None:
        raise NotImplementedError

    def _failed(self, trouble: Exception) -> None:
        self._hold(False)
        self.verb.setFocus()
        if isinstance(trouble, Cancelled):
            self.banner.set_message("info", self._nothing, word="Stopped")
            self.banner.show()
            return
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.form.show_faults(faults)
