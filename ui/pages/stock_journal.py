"""The audit trail on screen: every event of the journal, its content as readable lines, and its verification."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.people import AUTHORITY
from pharmacy_app.services.behind import Entry
from pharmacy_app.services.corrections import may_correct
from pharmacy_app.services.views import CorrectionLine, EventLine, Verification
from ui.bridge import Cancelled, Progress
from ui.office import Office
from ui.pages.anchor import OPEN_TEXT, OPEN_TIP, open_anchor
from ui.pages.beside import BesideTable
from ui.pages.correction import CorrectionHistory, Corrector
from ui.pages.figure import lead_rows
from ui.pages.monitor_parts import ReviewStrip, waiting_marks
from ui.pages.stock_parts import (
    ANY,
    MOMENT_WIDTH,
    FilterBar,
    TippedPages,
    TippedRows,
    fill_height,
    kind_words,
    say_at,
)
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, TextField
from ui.widgets.panels import Banner, KeyValues
from ui.widgets.tables import Column, DataTable, PageRequest, PageResult

LONGEST = 300
"""Longer texts (a whole protocol file) are shown by their beginning; export gives all of them."""

_OTHER_KINDS = ("site_opened", "sign_in_failed", "access_denied")


@dataclass(frozen=True, slots=True)
class ContentLine:
    """One typed fact of an event: what it is, in words, and its value."""

    what: str
    value: str


def content_lines(content: Any) -> list[ContentLine]:
    """An event's content, whatever its depth, as lines a person can read; things of one list are numbered."""
    return list(_lines(content, ()))


def _lines(value: Any, path: tuple[str, ...]) -> Iterator[ContentLine]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _lines(item, (*path, _key(str(key))))
    elif isinstance(value, list | tuple):
        if not any(isinstance(item, Mapping | list | tuple) for item in value):
            yield ContentLine(_what(path), ", ".join(map(_write, value)) or "none")
            return
        for number, item in enumerate(value, start=1):
            if isinstance(item, Mapping) and not any(isinstance(part, Mapping | list) for part in item.values()):
                keys = sorted(item, key=lambda key: (_FIRST.index(key) if key in _FIRST else len(_FIRST), key))
                parts = (f"{_key(key)} {_write(item[key])}" for key in keys if item[key] not in ("", None))
                yield ContentLine(f"{_what(path)} {number}", " · ".join(parts))
            else:
                yield from _lines(item, (*path, str(number)))
    else:
        yield ContentLine(_what(path), _write(value))


_FIRST = ("unit_number", "kit_number", "paper", "about", "move", "from_state", "to_state", "strength_mg", "lot")
"""What a person looks for first in a list of things; the journal keeps keys in the order of the alphabet."""

_WORDS = {"seq": "event", "id": "number", "sha256": "SHA-256", "ml": "mL", "bsa": "BSA"}


def _key(key: str) -> str:
    return " ".join(_WORDS.get(word, word) for word in key.split("_"))


def _what(path: Sequence[str]) -> str:
    words = " › ".join(path)
    return words[:1].upper() + words[1:]


def _write(value: Any) -> str:
    if value in ("", None):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


class EventDialog(QDialog):
    """One event: who, when, why, signatures, hash, and its content line by line."""

    def __init__(self, office: Office, event: EventLine, correction: CorrectionLine | None, parent: QWidget) -> None:
        super().__init__(parent)
        zone = office.site.time_zone
        self._seq = event.seq
        self.setObjectName("event_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = f"Event {event.seq}: {kind_words(event.kind)}"
        self.setWindowTitle(title)
        self.resize(820, 620)
        pairs = [
            ("Who", event.actor_name),
            ("Workstation", event.workstation),
            ("Done at", say_at(event.done_at, zone)),
            ("Recorded at", say_at(event.recorded_at, zone)),
            ("Why", event.why),
            ("Marks", ", ".join(event.marks)),
        ]
        facts = KeyValues(pairs, columns=2, name="event_facts")
        signed = KeyValues(
            [("Signatures", "\n".join(event.signatures) or "none"), ("SHA-256", event.hash)], name="event_signatures"
        )
        table = DataTable(
            TippedRows(
                (Column("what", "What", width=240), Column("value", "Recorded as", stretch=True)),
                content_lines(event.content),
            ),
            name="event_content",
            label="Content of the event",
            empty_text="This event carries nothing besides who and when.",
            sortable=False,
        )
        close = Button("&Close", name="event_close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        self.corrector = Corrector(office, self)
        self.corrector.corrected.connect(self.accept)
        correct = Button("Correct this &entry…", name="event_correct")
        correct.setVisible(may_correct(event.kind))
        if event.kind in AUTHORITY:
            correct.setEnabled(office.may(event.kind))
            correct.setToolTip(office.why_not(event.kind))
        correct.clicked.connect(self._correct)
        foot = QHBoxLayout()
        foot.addWidget(correct)
        foot.addStretch(1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(title, "title", name="event_title"))
        if correction is not None:
            column.addWidget(CorrectionHistory((correction,), zone, name="event_correction"))
        column.addWidget(ReviewStrip(office, event.seq))
        column.addWidget(facts)
        column.addWidget(signed)
        self.beside = BesideTable(office, event.seq)
        # Beside one another: the window of a corrected entry is high enough as it is.
        both = QHBoxLayout()
        both.setSpacing(SPACE_S)
        both.addWidget(table, 3)
        both.addWidget(self.beside, 2)
        column.addLayout(both, 1)
        column.addLayout(foot)
        table.setFocus()

    def _correct(self) -> None:
        self.corrector.open(self._seq)


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as the journal lists it, with its correction if it has one: then it is struck through."""

    event: EventLine
    correction: CorrectionLine | None = None
    query: str = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.event, name)

    @property
    def struck(self) -> bool:
        """Whether another event has corrected this one."""
        return self.correction is not None

    @property
    def mark(self) -> str:
        """The event's own marks, by which event it was corrected, and the queries on it that are not closed."""
        by = [] if self.correction is None else [f"corrected by {self.correction.event_seq}"]
        query = [self.query] if self.query else []
        return ", ".join([*self.event.marks, *by, *query])


def _signed(signatures: tuple[str, ...]) -> str:
    return "; ".join(signatures) or "–"


_COLUMNS = (
    Column("seq", "No.", numeric=True, sortable=False),
    Column("kind", "What", write=kind_words, width=248, sortable=False, tone=lambda row: _tone(row.kind)),
    Column("actor_name", "Who", width=128, sortable=False),
    Column("done_at", "Done at", write=say_moment, width=MOMENT_WIDTH, sortable=False),
    Column("recorded_at", "Recorded at", write=say_moment, width=MOMENT_WIDTH, sortable=False),
    Column("mark", "Mark", write=lambda text: text or "–", width=140, sortable=False, strikes=False),
    Column("why", "Why", write=lambda text: text or "–", width=180, sortable=False),
    Column("signatures", "Signatures", write=_signed, width=320, sortable=False),
)


def _tone(kind: str) -> str:
    return "warn" if kind in ("access_denied", "sign_in_failed") else ""


class JournalView(QWidget):
    """The journal, newest first, and the button that verifies it."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("journal_view")
        self._office = office
        kinds = sorted(((kind, kind_words(kind)) for kind in (*AUTHORITY, *_OTHER_KINDS)), key=lambda pair: pair[1])
        self.kind = ChoiceField("journal_kind", "&Kind of event", [(ANY, "All kinds"), *kinds])
        self.kind.set_value(ANY)
        self.text = TextField("journal_text", "&Text in the event", max_length=60, placeholder="capitals matter")
        bar = FilterBar(((self.kind, 2), (self.text, 3)), name="journal_filter")
        bar.changed.connect(self._filter)
        self.verify_button = Button("&Verify the journal", name="journal_verify", icon="check")
        self.verify_button.setToolTip("Replays every event from the first on and compares each byte, link and table.")
        self.verify_button.clicked.connect(self.verify)
        self.paper_button = Button(OPEN_TEXT, name="journal_paper")
        self.paper_button.setToolTip(OPEN_TIP)
        self.paper_button.clicked.connect(self.ask_paper)
        self.stop_button = Button("Stop verifyin&g", name="journal_verify_stop")
        self.stop_button.setToolTip("Other work waits until verifying has ended. Stopping it changes nothing.")
        self.stop_button.clicked.connect(self._stop)
        self.stop_button.hide()
        self._progress: Progress | None = None
        office.bridge.progressed.connect(self._progressed)
        self.result = Banner("info", "", closable=True, name="journal_result")
        self.result.closed.connect(self.result.hide)
        self.result.hide()
        self.model = TippedPages(_COLUMNS, office.bridge, self._fetch, parent=self)
        self.model.loaded.connect(self._loaded)
        self.table = DataTable(
            self.model,
            name="journal_table",
            label="Journal",
            empty_text="No event fits. Choose “All kinds” above and clear the text.",
            sortable=False,
        )
        fill_height(self.table, 260)
        self.table.row_activated.connect(self._open)
        lead_rows(office, self.table, thing=lambda row: Entry(row.seq))
        self._count = Text("", "muted", name="journal_count")
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self._count, 1)
        foot.addWidget(self.stop_button)
        foot.addWidget(self.paper_button)
        foot.addWidget(self.verify_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.result)
        column.addWidget(bar)
        column.addWidget(self.table, 1)
        column.addLayout(foot)

    def refresh(self) -> None:
        """Ask anew for the newest events."""
        self.model.reload()

    def _filter(self) -> None:
        kind = self.kind.value()
        self.model.set_filter(("" if kind == ANY else kind, self.text.value()))

    def _fetch(self, request: PageRequest) -> PageResult:
        """In the database thread: one page of events."""
        kind, text = request.filter or ("", "")
        with self._office.desk.store.read() as reader:
            rows = reader.events(kind=kind, text=text, offset=request.offset, limit=request.limit)
            corrections = reader.corrections([event.seq for event in rows])
            queries = waiting_marks(reader)
            shown = tuple(EventRow(event, corrections.get(event.seq), queries.get(event.seq, "")) for event in rows)
            return PageResult(shown, reader.count_events(kind=kind, text=text))

    def _loaded(self, total: int) -> None:
        self._count.setText(f"{total:,} event{'' if total == 1 else 's'}, newest first. Enter opens one.")

    def _open(self, row: EventRow) -> None:
        EventDialog(self._office, row.event, row.correction, self).open()

    def ask_paper(self) -> None:
        """Check a paper against the journal."""
        open_anchor(self._office, self)

    def verify(self) -> None:
        """Replay the journal in the database thread and show what came of it."""
        self.verify_button.setEnabled(False)
        self.paper_button.setEnabled(False)
        self.stop_button.show()
        self.result.set_message("info", "The journal is being verified. A long one takes a while.", word="Verifying")
        self.result.show()
        store = self._office.desk.store

        def work(progress: Progress) -> Verification:
            def tell(done: int, total: int) -> None:
                progress.stop_if_cancelled()
                progress.report(done, total)

            return store.verify(tell)

        bridge = self._office.bridge
        self._progress = bridge.run_long(work, self._verified, self._failed, busy="Verifying the journal")

    def _progressed(self, done: int, total: int) -> None:
        if self._progress is not None and total:
            words = f"The journal is being verified: {100 * done // total} % is done."
            self.result.set_message("info", words, word="Verifying")

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.cancel()

    def _ended(self) -> None:
        self._progress = None
        self.verify_button.setEnabled(True)
        self.paper_button.setEnabled(True)
        if self.stop_button.hasFocus():
            self.verify_button.setFocus()
        self.stop_button.hide()

    def _verified(self, found: Verification) -> None:
        self._ended()
        if found.sound:
            text = (
                f"All {found.events:,} events are as they were written, every link fits, and replaying them gives "
                f"the very tables shown here. Last hash {found.head_hash[:12]}."
            )
            self.result.set_message("ok", text, word="Sound")
            return
        where = f" The first bad event is number {found.first_bad}." if found.first_bad is not None else ""
        text = (
            f"{found.trouble}{where} Stop work in this database, keep it as it is, and tell the sponsor and "
            "whoever keeps your backups."
        )
        self.result.set_message("stop", text, word="Altered")

    def _failed(self, trouble: Exception) -> None:
        self._ended()
        if isinstance(trouble, Cancelled):
            words = "Verifying was stopped before its end, so it says nothing. Verify again when there is time."
            self.result.set_message("info", words, word="Stopped")
            return
        self.result.set_message("stop", f"The journal could not be verified: {trouble}", word="Not verified")
