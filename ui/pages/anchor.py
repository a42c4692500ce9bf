"""Checking a paper: the code at its foot against the journal, and the paper to fetch next when it does not fit."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.anchor import Anchored, Verdict, check_paper
from pharmacy_app.services.printed_head import PRINTED_DIGITS, PrintedHead, read_printed_head, scanned_paper
from ui.bridge import Cancelled
from ui.office import Office
from ui.pages.monitor_parts import Scrolled
from ui.pages.stock_parts import MOMENT_WIDTH, TippedRows
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import Form, TextField
from ui.widgets.long_work import LongWork, Tell
from ui.widgets.panels import Banner
from ui.widgets.tables import Column, DataTable

OPEN_TEXT = "&Check a paper…"
OPEN_TIP = "Scan the code at the foot of any print: the journal shows that nothing before it has changed since."

_EXPLAINED = (
    "At the foot of every report stand the number of entries that the journal held when it was printed, and its head. "
    "Scan the code beside them into either field, or type both. The journal is proven first, entry by entry, and then "
    "held against the paper."
)

_SAID = {
    Verdict.FITS: ("ok", "Fits"),
    Verdict.ALTERED: ("stop", "Altered"),
    Verdict.CUT_SHORT: ("stop", "Cut short"),
    Verdict.DIFFERS: ("stop", "Does not fit"),
    Verdict.MISREAD: ("warn", "Typed otherwise"),
}


@dataclass(frozen=True, slots=True)
class SeenPaper:
    """A paper that was looked at in this dialog: its foot, and what came of it."""

    printed: PrintedHead
    verdict: Verdict

    @property
    def events(self) -> int:
        """The number of entries at its foot."""
        return self.printed.events

    @property
    def head(self) -> str:
        """How its head begins."""
        return self.printed.begins[:PRINTED_DIGITS]


_SEEN = (
    Column("events", "Entries at its foot", numeric=True, width=150, sortable=False),
    Column("head", "Head", width=150, sortable=False),
    Column("verdict", "What came of it", stretch=True, sortable=False, write=lambda verdict: _SAID[verdict][1]),
)


class AnchorDialog(QDialog):
    """Number and head of a paper, the proof, and what came of it; one paper after the other narrows a difference down.

    ``check`` begins with a paper that was scanned elsewhere.
    """

    def __init__(self, office: Office, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("anchor_dialog")
        self.setWindowTitle("Check a paper")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._office = office
        self._filled = ("", "")
        self._seen: list[SeenPaper] = []
        self.form = Form(columns=2, name="anchor_form")
        self.events_field = TextField(
            "paper_events", "&Number of entries", max_length=90, placeholder="1,234, or scan the code"
        )
        self.head_field = TextField(
            "paper_head", "&Head", max_length=90, placeholder=f"{PRINTED_DIGITS} characters or more"
        )
        self.form.add(self.events_field)
        self.form.add(self.head_field)
        self.work = LongWork(office.bridge, name="anchor_work", stop="S&top")
        self.work.done.connect(self._checked)
        self.work.failed.connect(self._failed)
        self.banner = Banner("info", "", name="anchor_result")
        self.advice = Text("", name="anchor_advice")
        self._found = (self.banner, self.advice, *self._make_next(), *self._make_seen())
        self.verb = Button("Chec&k", name="anchor_check", kind="primary", icon="check")
        self.verb.setDefault(True)
        self.verb.clicked.connect(self.ask)
        close = Button("&Close", name="anchor_close")
        close.clicked.connect(self.reject)
        self._area = self._make_area()
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addStretch(1)
        foot.addWidget(close)
        foot.addWidget(self.verb)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text("Check a paper", "title", name="anchor_title"))
        column.addWidget(self._area, 1)
        column.addLayout(foot)
        self.setMinimumWidth(560)
        self.resize(760, 620)
        self.events_field.editor().setFocus()

    # -- parts

    def _make_next(self) -> tuple[QWidget, ...]:
        """The prints whose papers would narrow a difference down."""
        self._next_title = Text("Fetch one of these papers next", "section", name="anchor_next_title")
        self._next_text = Text(
            "Each narrows down which entry is the first that differs, the first of them most. Scan its code above.",
            "muted",
            name="anchor_next_text",
        )
        zone = ZoneInfo(self._office.site.time_zone)
        self.next_table = DataTable(
            TippedRows(
                (
                    Column("events", "Entries at its foot", numeric=True, width=150, sortable=False),
                    Column("what", "Print", stretch=True, sortable=False),
                    Column(
                        "printed_at",
                        "Printed",
                        width=MOMENT_WIDTH,
                        sortable=False,
                        write=lambda moment: say_moment(moment.astimezone(zone)),
                    ),
                    Column("by", "By", width=140, sortable=False),
                )
            ),
            name="anchor_next",
            label="Papers that would narrow it down",
            sortable=False,
            visible_rows=5,
        )
        return self._next_title, self._next_text, self.next_table

    def _make_seen(self) -> tuple[QWidget, ...]:
        """The papers looked at so far."""
        self._seen_title = Text("Papers looked at", "section", name="anchor_seen_title")
        self.seen_table = DataTable(
            TippedRows(_SEEN), name="anchor_seen", label="Papers looked at", sortable=False, visible_rows=3
        )
        return self._seen_title, self.seen_table

    def _make_area(self) -> Scrolled:
        """All but the title and the buttons, which stay in sight."""
        area = Scrolled(name="anchor_scroll")
        area.body.addWidget(Text(_EXPLAINED, name="anchor_text"))
        area.body.addWidget(self.form)
        area.body.addWidget(self.work)
        for part in self._found:
            area.body.addWidget(part)
            part.hide()
        area.body.addStretch(1)
        return area

    # -- asking

    def check(self, printed: PrintedHead) -> None:
        """Check a paper whose code was scanned already."""
        self._fill_in(printed)
        self.ask()

    def ask(self) -> None:
        """Prove the journal and hold what stands in the fields against it."""
        if self.work.at_work:
            return
        try:
            printed = read_printed_head(*self._typed())
        except Refused as refused:
            self.form.show_faults(refused.faults)
            return
        self.form.clear_faults()
        self._fill_in(printed)
        others = tuple(
            each.printed
            for each in self._seen
            if each.verdict in (Verdict.FITS, Verdict.DIFFERS) and each.printed != printed
        )
        store = self._office.desk.store
        for part in self._found:
            part.hide()
        self.verb.setEnabled(False)

        def work(tell: Tell) -> Anchored:
            return check_paper(store, printed, others, tell)

        self.work.start(work, "The journal is being proven")

    def _fill_in(self, printed: PrintedHead) -> None:
        self.form.set_values({"paper_events": f"{printed.events:,}", "paper_head": printed.begins})
        self._filled = self.events_field.value(), self.head_field.value()

    def _typed(self) -> tuple[str, str]:
        """Number and head; what is left of the paper before gives way to a code that was scanned beside it."""
        events, head = self.events_field.value(), self.head_field.value()
        if scanned_paper(head) is not None and events == self._filled[0]:
            return "", head
        if scanned_paper(events) is not None and head == self._filled[1]:
            return events, ""
        return events, head

    def reject(self) -> None:
        """Close; a check under way is stopped."""
        self.work.stop()
        super().reject()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A scanner's Enter checks, whichever field it typed into."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.ask()
        else:
            super().keyPressEvent(event)

    # -- what came of it

    def _ended(self) -> None:
        self.verb.setEnabled(True)
        # The next paper's scan takes the place of this one's.
        self.head_field.editor().setFocus()
        self.head_field.editor().selectAll()

    def _checked(self, found: Anchored) -> None:
        kind, word = _SAID[found.verdict]
        if found.verdict is Verdict.FITS and not found.sound:
            kind, word = "stop", "This paper fits"
        self.banner.set_message(kind, found.sentence, word=word)
        self.banner.show()
        self.advice.setText(found.advice)
        self.advice.setVisible(bool(found.advice))
        self._seen = [each for each in self._seen if each.printed != found.printed]
        self._seen.append(SeenPaper(found.printed, found.verdict))
        _fill(self.seen_table, self._seen)
        for part in (self._seen_title, self.seen_table):
            part.setVisible(len(self._seen) > 1)
        _fill(self.next_table, found.prints)
        for part in (self._next_title, self._next_text, self.next_table):
            part.setVisible(bool(found.prints))
        self._area.verticalScrollBar().setValue(0)
        self._ended()

    def _failed(self, trouble: Exception) -> None:
        if isinstance(trouble, Cancelled):
            text = "The check was stopped before its end, so it says nothing. Check again when there is time."
            self.banner.set_message("info", text, word="Stopped")
        elif isinstance(trouble, Refused):
            self.form.show_faults(trouble.faults)
            self.verb.setEnabled(True)
            return
        else:
            self.form.show_faults((Fault("", str(trouble)),))
            self.banner.set_message("stop", f"The paper could not be checked: {trouble}", word="Not checked")
        self.banner.show()
        self._ended()


def _fill(table: DataTable, rows: object) -> None:
    model = table.model()
    assert isinstance(model, TippedRows)
    assert isinstance(rows, list | tuple)
    model.set_rows(rows)


def open_anchor(office: Office, parent: QWidget, printed: PrintedHead | None = None) -> AnchorDialog:
    """Open the dialog, with the paper whose code was scanned, if one was."""
    dialog = AnchorDialog(office, parent)
    dialog.open()
    if printed is not None:
        dialog.check(printed)
    return dialog
