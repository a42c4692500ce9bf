"""The review inside a visit: entries by risk with the reason in words, verified line by line or many at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.review import KINDS, Reason
from pharmacy_app.services import views
from pharmacy_app.services.behind import Entry
from pharmacy_app.services.desk import zone_of
from pharmacy_app.services.ports import Reader, ReviewFilter
from pharmacy_app.services.reviews import Chosen, VerifyForm, chosen, progress, seen, verify_entries
from pharmacy_app.services.visits import Sample, changed_since, visit_of, visit_sample
from ui.office import Office
from ui.pages.figure import lead_rows
from ui.pages.monitor_entry import EntryOpener
from ui.pages.monitor_parts import (
    Drafts,
    NarrowTable,
    progress_words,
    reason_words,
    reopened_words,
    review_tone,
    review_words,
    waiting_marks,
)
from ui.pages.monitor_queries import ask_query
from ui.pages.stock_parts import ANY, MOMENT_WIDTH, TippedPages, fill_height, kind_words, say_at
from ui.theme import SPACE_S, SPACE_XS
from ui.widgets.basics import Button, LineText, Text, announce
from ui.widgets.fields import ChoiceField, DateField, Field, Form, TextField
from ui.widgets.panels import Banner
from ui.widgets.tables import PAGE_ROWS, Column, PageRequest, PageResult

SHOWN = (
    ("unverified", "What is to verify"),
    ("reason", "What has a reason to be looked at"),
    ("drawn", "The sample of those without a reason"),
    ("reopened", "What was reopened"),
    ("verified", "What is verified"),
    ("changed", "All since the visit before"),
    ("record", "The whole record"),
)
"""What the list can show, and its words."""

NARROW = 820
"""A list narrower than so many pixels shows who and when beneath it alone."""


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """An entry as the list shows it; struck through where it was corrected."""

    entry: views.ReviewEntry
    correction: views.CorrectionLine | None
    query: str
    site: views.Site

    @property
    def seq(self) -> int:
        """The entry's number."""
        return self.entry.seq

    @property
    def what(self) -> str:
        """The kind of entry."""
        return kind_words(self.entry.event.kind)

    @property
    def review(self) -> str:
        """How its review stands, and the queries on it that are not closed."""
        words = review_words(self.entry.mark, self.site)
        return f"{words}, {self.query}" if self.query else words

    @property
    def why(self) -> str:
        """Why it deserves a look."""
        return reason_words(self.entry.reasons)

    @property
    def who(self) -> str:
        """Who recorded it."""
        return self.entry.event.actor_name

    @property
    def done_at(self) -> datetime:
        """When it was done, as the site's clock said."""
        return self.entry.event.done_at

    @property
    def struck(self) -> bool:
        """Whether another entry has corrected it."""
        return self.correction is not None

    def sentences(self) -> str:
        """The whole line in words: what it is, who did it when, why it is reviewed again, why it deserves a look."""
        event, zone = self.entry.event, self.site.time_zone
        found = [f"Entry {self.seq}: {self.what}, {event.actor_name}, {say_at(event.done_at, zone)}."]
        reopened = reopened_words(self.entry, zone)
        found += [reopened] if reopened else []
        found += [f"{self.why.removesuffix('.')}."] if self.why else []
        if self.correction is not None:
            found.append(f"Corrected by entry {self.correction.event_seq}.")
        return " ".join(found)


_COLUMNS = (
    Column("seq", "No.", numeric=True, sortable=False),
    Column("review", "Review", width=150, sortable=False, tone=lambda row: review_tone(row.entry.mark), strikes=False),
    Column("what", "What", width=150, stretch=True, sortable=False),
    Column("why", "Why look", width=150, stretch=True, sortable=False, write=lambda text: text or "–"),
    Column("who", "Who", width=120, sortable=False),
    Column("done_at", "Done at", width=MOMENT_WIDTH, write=say_moment, sortable=False),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one stands in the list: an entry, the line it is or will be on, and the entries chosen besides."""

    seq: int
    line: int
    chosen: frozenset[int] = frozenset()


class ReviewTable(NarrowTable):
    """The entries of a review. V verifies what is chosen, Q asks about it; a list read anew keeps its place.

    Signals ``verify_asked()``, ``query_asked()``.
    """

    verify_asked = Signal()
    query_asked = Signal()

    def __init__(self, model: TippedPages) -> None:
        super().__init__(
            model,
            name="review_table",
            label="Entries to review",
            empty_text="Nothing is left to verify here. Choose above what else to see, or sign the visit.",
            leaves_out=("who", "done_at"),
            below=NARROW,
        )
        self._model = model
        self._stay: Place | None = None
        self.tab_chooses = True
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._return)

    def after_chosen(self) -> Place:
        """The line after the chosen ones, and where it is once they are gone from the list."""
        lines = sorted(index.row() for index in self.selectionModel().selectedRows()) or [self.currentIndex().row()]
        after = self._model.row_object(lines[-1] + 1)
        return Place(after.seq if after is not None else -1, lines[0])

    def go_to(self, place: Place) -> None:
        """Stand there once the list is read anew."""
        self._stay = place

    def _keep(self) -> None:
        if self._stay is None and (row := self.current_row()) is not None:
            chosen_too = frozenset(each.seq for each in self.selected_rows())
            self._stay = Place(row.seq, self.currentIndex().row(), chosen_too)

    def _return(self) -> None:
        """Stand where one stood, or where the line that followed is now."""
        total = self._model.rowCount()
        if self._stay is None or not total:
            return
        place, self._stay = self._stay, None
        read = {row.seq: at for at in range(min(total, PAGE_ROWS)) if (row := self._model.row_object(at)) is not None}
        at = read.get(place.seq, min(max(place.line, 0), total - 1))
        self.setCurrentIndex(self._model.index(at, 0))
        if len(place.chosen) > 1:
            kept = QItemSelection()
            for each in place.chosen & read.keys():
                index = self._model.index(read[each], 0)
                kept.select(index, index)
            how = QItemSelectionModel.SelectionFlag
            self.selectionModel().select(kept, how.ClearAndSelect | how.Rows)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """V and Q act on what is chosen; all else as in every table."""
        if not event.modifiers() and event.key() in (Qt.Key.Key_V, Qt.Key.Key_Q):
            if not event.isAutoRepeat():
                (self.verify_asked if event.key() == Qt.Key.Key_V else self.query_asked).emit()
        else:
            super().keyPressEvent(event)


@dataclass(frozen=True, slots=True)
class ReviewQuestion:
    """What the list is to show, as chosen and typed."""

    visit: str
    shown: str
    reason: str
    kind: str
    typed: Chosen


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """A visit with how far its review is, and its sample."""

    visit: views.VisitLine
    count: views.ReviewCount
    sample: Sample


def review_facts(reader: Reader, visit: views.VisitLine, sample: Sample | None) -> ReviewFacts:
    """What stands above the list; the sample of a visit never changes and may be handed in."""
    count = visit.record.entries if visit.record is not None else progress(reader, visit)
    return ReviewFacts(visit, count, sample if sample is not None else visit_sample(reader, visit))


def filter_of(question: ReviewQuestion, sample: Sample | None, reader: Reader) -> ReviewFilter:
    """The question as the store takes it. Raises ``Refused`` for what cannot be read in it."""
    within = changed_since(visit_of(reader, question.visit))
    shown = question.shown
    if shown == "record":
        within = ReviewFilter()
    elif shown == "reason":
        within = replace(within, with_reason=True)
    elif shown == "drawn":
        within = replace(within, entries=sample.drawn if sample is not None else ())
    elif shown != "changed":
        within = replace(within, status=shown)
    if question.reason != ANY:
        within = replace(within, reason=question.reason)
    if question.kind != ANY:
        within = replace(within, kinds=(question.kind,))
    return chosen(reader, question.typed, within)


class ReviewView(QWidget):
    """One visit's review. Signals ``left()`` back to the list of visits, ``sign_asked(VisitLine)``,
    ``print_asked(VisitLine)``.
    """

    left = Signal()
    sign_asked = Signal(object)
    print_asked = Signal(object)

    def __init__(self, office: Office, drafts: Drafts) -> None:
        super().__init__()
        self.setObjectName("review_view")
        self._office, self._drafts = office, drafts
        self._act = office.act()
        self._facts: ReviewFacts | None = None
        self._asked: ReviewQuestion | None = None
        self._found = ReviewFilter()
        self._busy = self._mine = False
        self._next: Place | None = None
        self.opener = EntryOpener(office, drafts, self)
        self.opener.verify_asked.connect(self._verify_one)
        self._title = Text("", "section", name="review_title")
        self._progress = Text("", name="review_progress")
        self._sample = Text("", "small", name="review_sample")
        self._trouble = Banner("stop", "", word="Not verified", closable=True, name="review_trouble")
        self._trouble.closed.connect(self._trouble.hide)
        self._trouble.hide()
        self.back = Button("&Back to the visits", name="review_back", kind="quiet")
        self.back.clicked.connect(self.left)
        head = QHBoxLayout()
        head.setSpacing(SPACE_S)
        words = QVBoxLayout()
        words.setSpacing(SPACE_XS)
        for text in (self._title, self._progress, self._sample):
            words.addWidget(text)
        head.addLayout(words, 1)
        head.addWidget(self.back, 0, Qt.AlignmentFlag.AlignTop)
        self._make_filters()
        self.model = TippedPages(_COLUMNS, office.bridge, self._fetch, parent=self)
        self.model.loaded.connect(self._loaded)
        self.table = ReviewTable(self.model)
        fill_height(self.table, 190)
        self.table.row_activated.connect(self._open)
        lead_rows(office, self.table, thing=lambda row: Entry(row.seq))
        self.table.row_chosen.connect(self._say_row)
        self.table.verify_asked.connect(self.verify_chosen)
        self.table.query_asked.connect(self.ask)
        self.table.selectionModel().selectionChanged.connect(self._offer)
        self._line = Text("", "muted", name="review_line")
        self._line.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        # Three lines of room, so that nothing moves while one goes from line to line.
        self._line.setMinimumHeight(3 * self._line.fontMetrics().lineSpacing())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addLayout(head)
        column.addWidget(self._trouble)
        column.addWidget(self.filters)
        column.addWidget(self.more)
        column.addWidget(self.table, 1)
        column.addWidget(self._line)
        column.addLayout(self._make_foot())

    # -- parts

    def _make_filters(self) -> None:
        self.shown = ChoiceField("review_shown", "Sho&w", SHOWN)
        self.shown.set_value("unverified")
        self.reason = ChoiceField(
            "review_reason", "&Reason", [(ANY, "Any or none"), *((reason, _upper(reason)) for reason in Reason)]
        )
        self.reason.set_value(ANY)
        self.about = TextField(
            "about", "&About", max_length=60, placeholder="vial, subject, dose, lot, shipment, place"
        )
        self.filters = Form(columns=3, name="review_filters")
        kinds = sorted(((kind, kind_words(kind)) for kind in KINDS), key=lambda pair: pair[1])
        self.kind = ChoiceField("review_kind", "&Kind of entry", [(ANY, "All kinds"), *kinds])
        self.kind.set_value(ANY)
        self.from_on = DateField("from_on", "Done &from")
        self.through_on = DateField("through_on", "Done &through")
        self.lines = TextField("lines", "Ledger li&nes or entries", max_length=200, placeholder="12.1, 15")
        self.more = Form(columns=3, name="review_more")
        for choice in (self.shown, self.reason, self.kind):
            # The longest words of a choice must not make the page wider than the window.
            choice.editor().setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            choice.editor().setMinimumContentsLength(12)
        for form, fields in (
            (self.filters, (self.shown, self.reason, self.about)),
            (self.more, (self.kind, self.from_on, self.through_on, self.lines)),
        ):
            for field in fields:
                form.add(field)
                self._listen(field)
        self.more.hide()

    def _listen(self, field: Field) -> None:
        """A choice counts at once, a text when Enter or leaving it says that it is whole."""
        editor = field.editor()
        if isinstance(editor, QLineEdit):
            editor.editingFinished.connect(self._filter)
            if isinstance(field, DateField):
                field.changed.connect(self._day_changed)
        else:
            field.changed.connect(self._filter)

    def _day_changed(self) -> None:
        # A day taken from the calendar is whole without Enter.
        days = (self.from_on, self.through_on)
        if not any(field.editor().hasFocus() for field in days):
            self._filter()

    def _make_foot(self) -> QHBoxLayout:
        self.more_button = Button("&More filters", name="review_more_filters", kind="quiet", icon="chevron-right")
        self.more_button.setCheckable(True)
        self.more_button.toggled.connect(self._unfold)
        self.open_button = Button("&Open", name="review_open")
        self.open_button.setAccessibleName("Open the entry")
        self.open_button.setToolTip("Everything on the entry (Enter)")
        self.open_button.clicked.connect(self._open_current)
        self.query_button = Button("&Query…", name="review_query")
        self.query_button.setToolTip("Ask the site about the entry (Q)")
        self.query_button.clicked.connect(self.ask)
        self.verify_button = Button("&Verify", name="review_verify", kind="primary", icon="check")
        self.verify_button.setToolTip("Verify the chosen entries, with your initials and today's date (V)")
        self.verify_button.clicked.connect(self.verify_chosen)
        self.sign_button = Button("S&ign the visit…", name="review_sign", icon="sign")
        self.sign_button.clicked.connect(self._sign)
        self.print_button = Button("&Print the report", name="review_print", icon="print")
        self.print_button.clicked.connect(self._print)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        self._said = LineText("small", name="review_said")
        foot.addWidget(self.more_button)
        foot.addWidget(self._said, 1)
        for button in (self.open_button, self.query_button, self.verify_button, self.print_button, self.sign_button):
            foot.addWidget(button)
        return foot

    # -- what is shown

    @property
    def sample(self) -> Sample | None:
        """The sample of the visit shown, to be handed back when it is asked for anew."""
        return self._facts.sample if self._facts is not None else None

    @property
    def visit(self) -> str:
        """The number of the visit shown, '' for none."""
        return self._facts.visit.number if self._facts is not None else ""

    def show_facts(self, facts: ReviewFacts) -> None:
        """Show a visit; the list is read anew, and keeps its place where it is the same visit."""
        visit, count = facts.visit, facts.count
        fresh = facts.visit.number != self.visit
        self._facts = facts
        before = f"since entry {visit.since_seq}" if visit.since_seq else "since the beginning"
        self._title.setText(f"Visit {visit.number}, {visit.status}: what changed {before}")
        said = progress_words(count)
        if visit.signed_at is not None:
            at = say_at(visit.signed_at, self._office.site.time_zone)
            said += f"\nSigned by {visit.signed_by}, {at}: {visit.summary}"
        self._progress.setText(said)
        sample = facts.sample
        self._sample.setText(
            f"{len(sample.drawn):,} of the {sample.alike:,} without a reason, drawn by the visit's number and the"
            " journal's end at its opening: whoever draws anew draws the same. Those with a reason are all looked at."
        )
        drawn = f"Sample: {len(sample.drawn):,} of {sample.alike:,} without a reason"
        self.shown.set_choices([(key, drawn if key == "drawn" else words) for key, words in SHOWN])
        mine = visit.monitor_id == self._office.session.account_id and visit.status == "open"
        self._mine = mine and self._office.may("entries_verified")
        self.query_button.setVisible(self._office.may("query_opened"))
        self.verify_button.setVisible(self._mine)
        self.sign_button.setVisible(self._mine)
        self.print_button.setVisible(visit.status == "signed")
        # The one coloured button is the next step.
        done = not count.unverified
        self.verify_button.set_kind("secondary" if done else "primary")
        self.sign_button.set_kind("primary" if done else "secondary")
        if fresh:
            # Another visit is read from its beginning: what was chosen, typed and refused in the one before is not its.
            self._asked = None
            self._said.set_line("")
            self._trouble.hide()
            self.reason.set_value(ANY)
            self.about.set_value("")
            self.filters.clear_faults()
            self.more_button.setChecked(False)
            self.shown.set_value("unverified" if visit.status != "signed" else "changed")
        self._filter(anew=True)

    def _unfold(self, shown: bool) -> None:
        self.more.setVisible(shown)
        self.more_button.set_icon("chevron-down" if shown else "chevron-right")
        if shown:
            self.kind.editor().setFocus()
        else:
            self.kind.set_value(ANY)
            for field in (self.from_on, self.through_on, self.lines):
                field.set_value("")
                field.set_fault("")
            self._filter()

    def _question(self) -> ReviewQuestion:
        return ReviewQuestion(
            self.visit,
            self.shown.value() or "unverified",
            self.reason.value() or ANY,
            self.kind.value() or ANY,
            Chosen(self.about.value(), self.from_on.value(), self.through_on.value(), self.lines.value()),
        )

    def _filter(self, *, anew: bool = False) -> None:
        question = self._question()
        self._sample.setVisible(question.shown == "drawn")
        if self._facts is None or (question == self._asked and not anew):
            return
        self._asked = question
        self._office.ask(partial(filter_of, question, self.sample), self._got_filter, self._not_read)

    def _got_filter(self, found: ReviewFilter) -> None:
        self.filters.clear_faults()
        self.more.clear_faults()
        self._found = found
        self.model.set_filter(found)

    def _not_read(self, trouble: Exception) -> None:
        if not isinstance(trouble, Refused):
            self._office.say_trouble(trouble)
            return
        for form in (self.filters, self.more):
            names = {field.name for field in form.fields()}
            form.show_faults([fault for fault in trouble.faults if fault.field in names])

    def _fetch(self, request: PageRequest) -> PageResult:
        """In the database thread: one page, the gravest first."""
        wanted = request.filter
        if wanted is None:
            return PageResult((), 0)
        site = self._office.site
        with self._office.desk.store.read() as reader:
            found = reader.review_entries(wanted, by_risk=True, offset=request.offset, limit=request.limit)
            corrections = reader.corrections([entry.seq for entry in found])
            queries = waiting_marks(reader)
            rows = [ReviewRow(each, corrections.get(each.seq), queries.get(each.seq, ""), site) for each in found]
            return PageResult(tuple(rows), reader.count_review_entries(wanted))

    def _loaded(self, total: int) -> None:
        if total and not self.table.currentIndex().isValid():
            self.table.setCurrentIndex(self.model.index(0, 0))
        self._offer()

    def _say_row(self, row: ReviewRow) -> None:
        self._line.setText(row.sentences())

    def _offer(self) -> None:
        """Say what the buttons act on."""
        count = len(self.table.selectionModel().selectedRows())
        some = bool(self.model.rowCount()) and self.table.currentIndex().isValid()
        if not self.model.rowCount():
            self._line.setText("")
        # Short, because a longer one makes the row wider than a narrow window.
        self.verify_button.set_text(f"&Verify {count}" if count > 1 else "&Verify")
        if count > 1:
            self.verify_button.setAccessibleName(f"Verify {count} entries")
        self.verify_button.setEnabled(some and not self._busy)
        self.query_button.setEnabled(some)
        self.open_button.setEnabled(some)

    # -- acts

    def _chosen(self) -> list[ReviewRow]:
        rows = self.table.selected_rows()
        current = self.table.current_row()
        return rows or ([current] if current is not None else [])

    def _open(self, row: ReviewRow) -> None:
        self.opener.open(row.seq, verifies=self._mine)

    def _open_current(self) -> None:
        row = self.table.current_row()
        if row is not None:
            self._open(row)

    def ask(self) -> None:
        """Ask about the current entry."""
        row = self.table.current_row()
        if row is None or not self._office.may("query_opened"):
            return
        dialog = ask_query(self._office, self, self._drafts, entry=str(row.seq))
        dialog.succeeded.connect(self._asked_query)
        dialog.open()

    def _asked_query(self, event: Event) -> None:
        self._office.messages.ok(f"{event.content['query']} is open and waits for the site.")
        self._office.changed.emit()

    def verify_chosen(self) -> None:
        """Verify what is chosen, as it was read."""
        rows = self._chosen()
        if not rows or self._busy or not self._mine:
            return
        marked = len(self.table.selectionModel().selectedRows())
        if marked > len(rows):
            self._refuse(
                f"{marked:,} entries are chosen, and only {len(rows):,} of them were shown. Go through the list first:"
                " what nobody has seen is not verified."
            )
            return
        self._verify(rows)

    def _verify_one(self, seq: int) -> None:
        row = self.table.current_row()
        if row is not None and row.seq == seq and self._mine and not self._busy:
            self._verify([row])

    def _verify(self, rows: Sequence[ReviewRow]) -> None:
        self._busy = True
        self._next = self.table.after_chosen()
        self._offer()
        desk, act = self._office.desk, self._act
        form = VerifyForm(self.visit, seen([row.entry for row in rows]))
        self._office.do(
            lambda: verify_entries(desk, act, form), self._verified, self._not_verified, busy="Recording the review"
        )

    def _verified(self, event: Event) -> None:
        self._busy = False
        self._act = self._office.act()
        self._trouble.hide()
        if self._next is not None:
            self.table.go_to(self._next)
        count = len(event.content["entries"])
        zone = zone_of(self._office.site)
        day = say_day(event.done_at.astimezone(zone).date())
        what = f"Entry {event.content['entries'][0]['seq']} is" if count == 1 else f"{count} entries are"
        # Said where nothing moves for it: the next line is read already.
        words = f"{what} verified: {event.content['initials']} {day}."
        self._said.set_line(words)
        announce(self, words)
        self._office.changed.emit()

    def _not_verified(self, trouble: Exception) -> None:
        self._busy = False
        sentences = [str(fault) for fault in trouble.faults] if isinstance(trouble, Refused) else [str(trouble)]
        more = f"\nAnd {len(sentences) - 3} more." if len(sentences) > 3 else ""
        self._refuse("\n".join(sentences[:3]) + more)
        # What was refused has changed since it was read: read it anew, standing where one stood.
        self.model.reload()

    def _refuse(self, sentence: str) -> None:
        self._trouble.set_message("stop", sentence, word="Not verified")
        self._trouble.show()
        self._offer()

    def _sign(self) -> None:
        if self._facts is not None:
            self.sign_asked.emit(self._facts.visit)

    def _print(self) -> None:
        if self._facts is not None:
            self.print_asked.emit(self._facts.visit)


def _upper(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"
