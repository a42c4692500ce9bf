"""One entry as the monitor reads it: why it deserves a look, facts, findings, signatures, corrections, documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.findings import Finding
from pharmacy_app.domain.review import entry_of
from pharmacy_app.services import views
from pharmacy_app.services.about import about_words
from pharmacy_app.services.desk import zone_of
from pharmacy_app.services.ports import Reader, ReviewFilter
from ui.document import DocumentDialog
from ui.office import Office
from ui.pages.correction import CorrectionHistory
from ui.pages.figure import lead_rows, named
from ui.pages.monitor_parts import Drafts, ReviewStrip, Scrolled, reason_words, reopened_words
from ui.pages.monitor_queries import ask_query
from ui.pages.stock_journal import ContentLine, content_lines
from ui.pages.stock_parts import TippedRows, kind_words, say_at
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.findings import FindingList
from ui.widgets.panels import Banner, Card, KeyValues
from ui.widgets.tables import Column, DataTable

MOST_THINGS = 40
"""Documents are looked for about so many things of an entry."""


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """An entry with everything that belongs to it. ``entry`` is ``None`` for one that is not reviewed."""

    event: views.EventLine
    entry: views.ReviewEntry | None
    corrections: tuple[views.CorrectionLine, ...]
    verified: tuple[views.VerifiedLine, ...]
    documents: tuple[views.DocumentLine, ...]


def entry_facts(seq: int, reader: Reader) -> EntryFacts:
    """Everything on one entry; raises ``Refused`` for one that does not exist."""
    event = reader.event(seq)
    if event is None:
        raise Refused(Fault("entry", f"There is no entry {seq} in the journal."))
    found = reader.review_entries(ReviewFilter(entries=(seq,)), by_risk=False, offset=0, limit=1)
    own, made = reader.correction(seq), reader.correction_made_by(seq)
    documents = {line.document_id: line for name in _things(event) for line in reader.documents(about=name)}
    return EntryFacts(
        event,
        found[0] if found else None,
        tuple(line for line in (own, made) if line is not None),
        tuple(reader.verifications(seq)),
        tuple(documents.values()),
    )


def _things(event: views.EventLine) -> tuple[str, ...]:
    """What an entry is about, by the names under which documents are attached."""
    whole = Event(
        event.seq, "", event.kind, "", event.actor_name, event.workstation, event.done_at, event.recorded_at,
        event.why, event.content, (), "", event.marks, "",
    )  # fmt: skip
    entry = entry_of(whole)
    lots = {f"lot {moved['lot']}" for moved in event.content.get("moves", ())}
    return tuple(sorted({*(entry.abouts if entry is not None else ()), *lots}))[:MOST_THINGS]


def findings_in(content: Any) -> tuple[Finding, ...]:
    """What rules said in an entry, wherever in it they stand; each once."""
    return tuple(dict.fromkeys(_findings(content)))


def _findings(value: Any) -> Iterator[Finding]:
    if isinstance(value, Mapping):
        if {"rule", "severity", "sentence", "section"} <= value.keys():
            yield from_plain(Finding, value)
        else:
            for inner in value.values():
                yield from _findings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _findings(inner)


class EntryDialog(QDialog):
    """An entry of the journal, whole. Signal ``verify_asked()``: the list that shows it verifies it."""

    verify_asked = Signal()

    def __init__(self, office: Office, facts: EntryFacts, drafts: Drafts, parent: QWidget, *, verifies: bool) -> None:
        super().__init__(parent)
        self._office, self._facts, self._drafts = office, facts, drafts
        event, zone = facts.event, office.site.time_zone
        self.setObjectName("review_entry")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = f"Entry {event.seq}: {kind_words(event.kind)}"
        self.setWindowTitle(title)
        self.resize(820, 640)
        area = Scrolled(name="review_entry_body")
        self._body = area.body
        self._say_review()
        self.strip = ReviewStrip(office, event.seq)
        self._body.addWidget(self.strip)
        if facts.corrections:
            self._body.addWidget(CorrectionHistory(facts.corrections, zone, name="review_correction"))
        pairs = [
            ("Who", event.actor_name),
            ("Workstation", event.workstation),
            ("Done at", say_at(event.done_at, zone)),
            ("Recorded at", say_at(event.recorded_at, zone)),
            ("Why", event.why),
            ("Marks", ", ".join(event.marks)),
        ]
        self._body.addWidget(KeyValues(pairs, columns=2, name="review_facts"))
        findings = findings_in(event.content)
        if findings:
            card = Card("What the rules said", name="review_findings_card")
            shown = FindingList(name="review_findings", prefix="review_finding")
            shown.set_findings(findings, can_override=False)
            card.add(shown)
            self._body.addWidget(card)
        self._make_content()
        if facts.documents:
            self._make_documents()
        signed = [("Signatures", "\n".join(event.signatures) or "none"), ("SHA-256", event.hash)]
        self._body.addWidget(KeyValues(signed, name="review_signatures"))
        self._body.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(title, "title", name="review_entry_title"))
        column.addWidget(area, 1)
        column.addLayout(self._make_foot(verifies=verifies))
        self.content.setFocus()

    # -- parts

    def _say_review(self) -> None:
        entry, site = self._facts.entry, self._office.site
        if entry is None:
            self._body.addWidget(Banner("info", "Entries of this kind are not reviewed.", name="review_standing"))
            return
        reopened = reopened_words(entry, site.time_zone)
        if reopened:
            self._body.addWidget(Banner("warn", reopened, word="Reopened", name="review_standing"))
        elif entry.mark.verified_at is not None:
            words = f"By {entry.mark.verified_by}, {say_at(entry.mark.verified_at, site.time_zone)}"
            words += f", in visit {entry.mark.visit}." if entry.mark.visit else "."
            self._body.addWidget(Banner("ok", words, word="Verified", name="review_standing"))
        reasons = reason_words(entry.reasons)
        if reasons:
            self._body.addWidget(Banner("info", reasons, word="Why look", name="review_reasons"))
        before = self._facts.verified[:-1] if not reopened else self._facts.verified
        zone = zone_of(site)
        if before:
            each = (f"{line.initials} {say_day(line.verified_at.astimezone(zone).date())}" for line in before)
            self._body.addWidget(Text(f"Verified before: {', '.join(each)}.", "small", name="review_before"))

    def _make_content(self) -> None:
        lines = content_lines(self._facts.event.content)
        self.content = DataTable(
            TippedRows((Column("what", "What", width=220), Column("value", "Recorded as", stretch=True)), lines),
            name="review_content",
            label="What was recorded",
            empty_text="This entry carries nothing besides who and when.",
            visible_rows=max(3, min(len(lines), 9)),
            sortable=False,
        )
        self._body.addWidget(self.content)
        if self._office.may("query_opened"):
            self.content.row_activated.connect(self._ask_line)
            self._body.addWidget(Text("Enter on a line asks about that value; Q asks about the entry.", "small"))

    def _make_documents(self) -> None:
        self.documents = DataTable(
            TippedRows(
                (
                    Column("document_id", "Document", width=100),
                    Column("title", "Title", width=140, stretch=True),
                    Column("kind", "Kind", width=140),
                    Column("about", "About", width=140, write=about_words),
                ),
                self._facts.documents,
            ),
            name="review_documents",
            label="Documents about the same things",
            visible_rows=max(3, min(len(self._facts.documents), 5)),
            sortable=False,
        )
        self.documents.row_activated.connect(self._open_document)
        lead_rows(self._office, self.documents, thing=named("document_id"))
        card = Card("Documents about the same things", "Enter opens one.", name="review_documents_card")
        card.add(self.documents)
        self._body.addWidget(card)

    def _make_foot(self, *, verifies: bool) -> QHBoxLayout:
        self.verify = Button("&Verify", name="review_entry_verify", kind="primary", icon="check")
        self.verify.setToolTip("Verify this entry and go on to the next (V)")
        self.verify.clicked.connect(self._verify)
        self.verify.setVisible(verifies)
        self.query = Button("&Query…", name="review_entry_query")
        self.query.setToolTip("Ask the site about this entry (Q)")
        self.query.clicked.connect(self._ask)
        self.query.setVisible(self._office.may("query_opened"))
        close = Button("&Close", name="review_entry_close")
        close.clicked.connect(self.reject)
        for key, button in (("V", self.verify), ("Q", self.query)):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.activated.connect(button.click)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(close)
        foot.addStretch(1)
        foot.addWidget(self.query)
        foot.addWidget(self.verify)
        return foot

    # -- acts

    def _verify(self) -> None:
        if not self.verify.isHidden():
            self.accept()
            self.verify_asked.emit()

    def _ask(self) -> None:
        if not self.query.isHidden():
            self._ask_about("")

    def _ask_line(self, line: ContentLine) -> None:
        self._ask_about(line.what[:80])

    def _ask_about(self, field: str) -> None:
        dialog = ask_query(self._office, self, self._drafts, entry=str(self._facts.event.seq), field=field)
        dialog.succeeded.connect(self._asked)
        dialog.open()

    def _asked(self, event: Event) -> None:
        self._office.messages.ok(f"{event.content['query']} is open and waits for the site.")
        self.strip.refresh()
        self._office.changed.emit()

    def _open_document(self, line: views.DocumentLine) -> None:
        DocumentDialog(self._office, line, self).open()


class EntryOpener(QWidget):
    """Asks for an entry and opens it over its parent. Signal ``verify_asked(int seq)``."""

    verify_asked = Signal(int)

    def __init__(self, office: Office, drafts: Drafts, parent: QWidget) -> None:
        super().__init__(parent)
        self._office, self._drafts = office, drafts
        self._verifies = False
        self.hide()

    def open(self, seq: int, *, verifies: bool) -> None:
        """Open an entry; ``verifies``: it can be verified from there."""
        self._verifies = verifies
        self._office.ask(partial(entry_facts, seq), self._got, self._office.say_trouble)

    def _got(self, facts: EntryFacts) -> None:
        shown_by = self.parentWidget()
        assert shown_by is not None
        verifies = self._verifies and facts.entry is not None and facts.entry.mark.status != "verified"
        dialog = EntryDialog(self._office, facts, self._drafts, shown_by, verifies=verifies)
        dialog.verify_asked.connect(partial(self.verify_asked.emit, facts.event.seq))
        dialog.open()
