"""Signing a visit: what is signed in words, what is left open, the summary, and the password."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.services.desk import Credentials
from pharmacy_app.services.views import VisitLine, VisitRecord
from pharmacy_app.services.visits import SignVisitForm, sign_visit
from ui.office import Office
from ui.pages.monitor_parts import Drafts, Scrolled, runs_words
from ui.theme import SPACE_L, SPACE_M
from ui.widgets.basics import Button, Text
from ui.widgets.fields import NoteField
from ui.widgets.panels import Banner, KeyValues, SignatureBox


def held(record: VisitRecord) -> list[tuple[str, str]]:
    """What a visit holds when it is signed, as pairs."""
    entries = record.entries
    return [
        ("Since", f"entry {record.since_seq:,}" if record.since_seq else "the beginning"),
        ("Journal's end", f"entry {record.head_seq:,}, {record.head_hash[:12]}"),
        ("To review", f"{entries.reviewable:,} entries, {entries.with_reason:,} with a reason"),
        ("Verified", f"{entries.verified:,}, {record.verified_here:,} in this visit"),
        ("Reopened since", f"{entries.reopened:,}"),
        ("Containers accounted for", f"{record.units_accounted:,}"),
        ("Queries asked", f"{record.queries_opened:,}"),
    ]


def left_open(record: VisitRecord) -> list[tuple[str, str]]:
    """What the signature leaves open, by number."""
    return [
        ("Not verified", runs_words(record.unverified)),
        ("Queries not closed", ", ".join(record.queries_open) or "none"),
    ]


def meaning(visit: VisitLine, record: VisitRecord) -> str:
    """What the signature says."""
    unverified, queries = record.entries.unverified, len(record.queries_open)
    left = [f"{unverified:,} {'entry' if unverified == 1 else 'entries'} not verified"] if unverified else []
    left += [f"{queries} {'query' if queries == 1 else 'queries'} not closed"] if queries else []
    rest = f", and left {' and '.join(left)}" if left else ", and left nothing open"
    return (
        f"I reviewed the record in visit {visit.number} up to entry {record.head_seq:,}: "
        f"{record.entries.verified:,} of {record.entries.reviewable:,} entries verified{rest}."
    )


class SignVisitDialog(QDialog):
    """What is signed, the summary, and the signature. Signal ``signed(Event)``."""

    signed = Signal(object)

    def __init__(self, office: Office, visit: VisitLine, record: VisitRecord, drafts: Drafts, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("visit_sign")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._office, self._drafts, self._number = office, drafts, visit.number
        self._act = office.act()
        self._busy = self._done = False
        self.setWindowTitle(f"Sign visit {visit.number}")
        self.resize(760, 760)
        area = Scrolled(name="visit_sign_body")
        body = area.body
        body.addWidget(KeyValues(held(record), columns=2, name="visit_sign_held"))
        body.addWidget(KeyValues(left_open(record), name="visit_sign_left"))
        if record.entries.unverified or record.queries_open:
            words = "A signed visit takes no more verifications. What is left open is listed in what you sign."
            body.addWidget(Banner("warn", words, word="Left open", name="visit_sign_open"))
        self.summary = NoteField("summary", "Su&mmary of the visit", required=True, lines=3)
        for value in drafts.take(self._key()).values():
            self.summary.set_value(value)
        body.addWidget(self.summary)
        self.signature = SignatureBox("Signature", meaning(visit, record), "S&ign the visit", name="visit_signature")
        self.signature.set_user(office.session.user_name, fixed=True)
        self.signature.asked.connect(self._look_at_summary)
        self.signature.sign_requested.connect(self._sign)
        body.addWidget(self.signature)
        body.addStretch(1)
        self._area = area
        self._back = Button("Go &back", name="visit_sign_back")
        self._back.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self._back)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(f"Sign visit {visit.number}", "title"))
        column.addWidget(area, 1)
        column.addLayout(foot)
        self.summary.editor().setFocus()

    def _key(self) -> str:
        return f"sign {self._number}"

    def _look_at_summary(self) -> None:
        """A missing summary is said before the password is taken."""
        if self.summary.check_now():
            self.signature.hold()
            self._show_first()

    def _sign(self, user: str, password: str) -> None:
        self._busy = True
        self._back.setEnabled(False)
        desk, act = self._office.desk, self._act
        form, own = SignVisitForm(self._number, self.summary.value()), Credentials(user, password)
        self._office.do(
            lambda: sign_visit(desk, act, form, own), self._signed, self._not_signed, busy="Signing the visit"
        )

    def _signed(self, event: Event) -> None:
        self._busy, self._done = False, True
        self._drafts.keep(self._key(), {})
        self.accept()
        self.signed.emit(event)

    def _not_signed(self, trouble: Exception) -> None:
        self._busy = False
        self._back.setEnabled(True)
        faults: Sequence[Fault] = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        own = [str(fault) for fault in faults if fault.field == "summary"]
        others = [str(fault) for fault in faults if fault.field != "summary"]
        self.signature.set_fault("\n".join(others) or "The summary needs a look.")
        self.summary.set_fault("\n".join(own))
        if own:
            self._show_first()

    def _show_first(self) -> None:
        self.summary.editor().setFocus()
        self._area.ensureWidgetVisible(self.summary)

    def reject(self) -> None:
        """Leave without signing; what was written is kept. Not while it is being signed."""
        if not self._busy:
            self._drafts.keep(self._key(), {"summary": self.summary.value()})
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stay while the signature is being recorded: its outcome must be seen."""
        if self._busy:
            event.ignore()
        else:
            if not self._done:
                self._drafts.keep(self._key(), {"summary": self.summary.value()})
            super().closeEvent(event)
