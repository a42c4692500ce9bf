"""One medication-error record: what is known, its clocks, its assessments, who was told."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.comparisons import DoseComparison
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.findings import Named
from pharmacy_app.domain.medication_errors import (
    MERP_NOTICE,
    MERP_QUESTIONS,
    WORKING_DAYS,
    ClockState,
    Recipient,
    questions_asked,
)
from pharmacy_app.domain.units import show, show_percent
from pharmacy_app.services.behind import Amount, Thing
from pharmacy_app.services.medication_errors import Assessment, ClockNow, TellForm, tell
from pharmacy_app.services.views import ErrorLine, ToldLine
from ui.office import Office
from ui.pages.errors_assess import AssessView
from ui.pages.errors_facts import CLOCK_LOOK, RecordFacts, at, category_words, left_words, or_dash, sentence
from ui.pages.errors_report import site_clock
from ui.pages.figure import lead
from ui.pages.prepare_numbers import NumberGrid, percent_step
from ui.pages.query_strip import QueryStrip
from ui.pages.stock_parts import TippedRows
from ui.theme import SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, IconView, Text, clear_layout, rule
from ui.widgets.fields import ChoiceField, DateTimeField, Form, TextField
from ui.widgets.panels import Banner, Card, KeyValues
from ui.widgets.tables import Column, DataTable
from ui.widgets.working import NumberButton

_RECIPIENTS = tuple((each.value, sentence(each.value)) for each in Recipient)
_SAID = {True: "Yes", False: "No", None: "Open"}
_CLOCK_WORD_WIDTH = 96


class _ClockRow(QWidget):
    """One clock: icon and word, who is to be told by when, and how long is left or overdue."""

    def __init__(self, clock: ClockNow, zone: ZoneInfo, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        word, icon, tone = CLOCK_LOOK[clock.state]
        said = Text(word, "strong", tone=tone, wrap=False, name=f"{name}_state")
        said.setFixedWidth(_CLOCK_WORD_WIDTH)
        limit = clock.clock
        told = "" if clock.told_at is None else f"told {at(clock.told_at, zone)}, "
        first = Text(f"{limit.name}: by {at(limit.due_at, zone)}", "strong", name=f"{name}_due")
        second = Text(
            f"{sentence(f'{told}{left_words(clock)}')}. Limit: {limit.words}, known since"
            f" {at(limit.aware_at, zone)} (Protocol §\N{NO-BREAK SPACE}{limit.section}).",
            name=f"{name}_left",
        )
        words = QVBoxLayout()
        words.setSpacing(SPACE_XS)
        words.addWidget(first)
        words.addWidget(second)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, SPACE_S, 0, SPACE_S)
        row.setSpacing(SPACE_S)
        row.addWidget(IconView(icon, tone), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(said, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)


class _ToldCard(Card):
    """Who was told and when; one more is added without a signature. Signal ``recorded()``."""

    recorded = Signal()

    def __init__(self, office: Office, error_id: str) -> None:
        super().__init__("Who was told", name="told_card")
        self._office, self._error_id = office, error_id
        self._zone = ZoneInfo(office.site.time_zone)
        self._act = office.act()
        self.begin = Button("Add who was &told…", name="told_begin", icon="plus")
        why_not = office.why_not("medication_error_told")
        self.begin.setEnabled(not why_not)
        self.begin.setToolTip(why_not)
        self.begin.clicked.connect(self._open)
        self.head.addWidget(self.begin)
        if why_not:
            self.add(Text(f"Adding: {why_not}", "small", name="told_why_not"))
        self._part = QWidget()
        part = QVBoxLayout(self._part)
        part.setContentsMargins(0, 0, 0, 0)
        part.setSpacing(SPACE_M)
        self.form = Form(name="told_form")
        self.form.add(ChoiceField("recipient", "Who was told", _RECIPIENTS, required=True))
        self.form.add(TextField("name", "Name", max_length=60, hint="Needed for “Other” alone."))
        self.form.add(
            DateTimeField("told_at", "Told at", required=True, now=site_clock(office.desk, self._zone)), span=2
        )
        part.addWidget(self.form)
        self.cancel = Button("Cancel", name="told_cancel")
        self.cancel.setAccessibleDescription("Who was told")
        self.record = Button("Record", name="told_record", kind="primary")
        self.cancel.clicked.connect(self._close)
        self.record.clicked.connect(self._record)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addStretch(1)
        foot.addWidget(self.cancel)
        foot.addWidget(self.record)
        part.addLayout(foot)
        self._part.hide()
        self.add(self._part)
        self._told = TippedRows(
            (
                Column("recipient", "Who", write=sentence, width=150),
                Column("name", "Name", write=or_dash, stretch=True),
                Column("told_at", "Told at", write=self._say, width=150),
                Column("recorder", "Recorded by", width=140),
            ),
            parent=self,
        )
        self.table = DataTable(
            self._told,
            name="told_table",
            label="Who was told",
            empty_text="Nobody is on record yet.",
            sortable=False,
            visible_rows=3,
        )
        self.add(self.table)

    def show_told(self, told: Sequence[ToldLine]) -> None:
        """Show who was told so far."""
        self._told.set_rows(told)

    def is_dirty(self) -> bool:
        """Whether a line is half typed."""
        return self.form.is_dirty()

    def _say(self, moment: object) -> str:
        return at(moment, self._zone)  # type: ignore[arg-type]  # the column's values are moments

    def _open(self) -> None:
        self.begin.hide()
        self._part.show()
        self.form.field("recipient").editor().setFocus()

    def _close(self) -> None:
        self.form.clear()
        self._part.hide()
        self.begin.show()
        self.begin.setFocus()

    def _record(self) -> None:
        desk, act = self._office.desk, self._act
        form = TellForm(self._error_id, **self.form.values())
        self.form.clear_faults()
        self.record.setEnabled(False)

        def work() -> Event:
            return tell(desk, act, form)

        self._office.do(work, self._recorded, self._not_recorded, busy="Recording who was told")

    def _recorded(self, _event: Event) -> None:
        self.record.setEnabled(True)
        self._act = self._office.act()
        self._close()
        self._office.messages.ok(f"Recorded on {self._error_id}.")
        self.recorded.emit()

    def _not_recorded(self, trouble: Exception) -> None:
        self.record.setEnabled(True)
        self.form.show_faults(trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),))


class RecordView(QWidget):
    """One record with its drafts.

    Signals ``recorded()`` after an act, ``needs_look(QWidget)`` for what must be seen.
    """

    recorded = Signal()
    needs_look = Signal(QWidget)

    def __init__(self, office: Office, facts: RecordFacts) -> None:
        super().__init__()
        self.setObjectName("record_view")
        self._office = office
        self._zone = ZoneInfo(office.site.time_zone)
        self._dose_id = facts.line.dose_id
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._see_assessment)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        self.state = Banner("info", "", name="record_state")
        column.addWidget(self.state)
        self._notes = Banner("warn", "", name="record_corrections")
        column.addWidget(self._notes)
        self._queries = QueryStrip(office, name="record_query")
        column.addWidget(self._queries)
        self._clocks = Card("Who must be told by when", name="clocks_card")
        self._clock_rows = QVBoxLayout()
        self._clock_rows.setSpacing(0)
        self._clocks.body.addLayout(self._clock_rows)
        self._clocks.add(Text(WORKING_DAYS, "small"))
        column.addWidget(self._clocks)
        column.addWidget(self._make_facts(facts))
        self._assessments = Card("Assessments", "The newest counts; every earlier one stays.", name="assessments_card")
        self._assessment_list = QVBoxLayout()
        self._assessment_list.setSpacing(SPACE_M)
        self._assessments.body.addLayout(self._assessment_list)
        self._assessments.add(Text(MERP_NOTICE, "small", name="record_merp_notice"))
        column.addWidget(self._assessments)
        self.assess = AssessView(office, facts)
        self.assess.recorded.connect(self.recorded)
        self.assess.needs_look.connect(self.needs_look)
        column.addWidget(self.assess)
        self.told = _ToldCard(office, facts.line.error_id)
        self.told.recorded.connect(self.recorded)
        column.addWidget(self.told)
        column.addStretch(1)
        self.show_facts(facts)

    def _make_facts(self, facts: RecordFacts) -> Card:
        card = Card("What is known", name="record_card")
        if self._dose_id:
            button = Button(f"Open &dose {self._dose_id}", name="record_open_dose", icon="prepare")
            button.clicked.connect(self._open_dose)
            card.head.addWidget(button)
        if facts.compared is not None:
            card.add(_doses(facts.compared, self._office, facts.line))
        self._what = Text("", name="record_what_happened")
        self._what.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        card.add(self._what)
        self._pairs = KeyValues(columns=2, name="record_facts")
        card.add(self._pairs)
        return card

    # -- what the page asks of it

    def show_facts(self, facts: RecordFacts) -> None:
        """Show the record as it stands; drafts stay."""
        line, record = facts.line, facts.record
        self._show_state(facts)
        self._queries.show_about(line.error_id)
        notes = [f"{at(note.noted_at, self._zone)}, {note.recorder}: {note.sentence}" for note in record.notes]
        self._notes.setVisible(bool(notes))
        self._notes.set_message("warn", "\n".join(notes), word="Corrected")
        clear_layout(self._clock_rows)
        for number, clock in enumerate(record.clocks, start=1):
            if number > 1:
                self._clock_rows.addWidget(rule())
            self._clock_rows.addWidget(_ClockRow(clock, self._zone, f"clock_{number}"))
        self._clocks.setVisible(bool(record.clocks))
        self._what.setText(line.what_happened or line.sentence)
        dose = record.dose
        place = f"course {dose.course}, cycle {dose.cycle}, day {dose.day}" if dose else ""
        opened = "the dosing rule (§\N{NO-BREAK SPACE}8.1.3)" if record.by_rule else line.opened_by
        pairs = [
            ("Subject", line.subject_number),
            ("Dose", f"{line.dose_id}\n{place}" if dose else ""),
            ("Occurred", at(line.occurred_at, self._zone)),
            ("Found", f"{at(line.found_at, self._zone)}\nby {line.found_by}"),
            ("Stage", sentence(line.stage)),
            ("Type", sentence(line.error_type)),
            ("Reached the subject", sentence(line.reached_subject)),
            ("Opened", f"{at(line.opened_at, self._zone)}\nby {opened}"),
            ("Stopped part-way", f"for {_STOPPED_WORDS[line.stopped_for]}" if line.stopped_for else ""),
            ("Action at once", line.action),
        ]
        self._pairs.set_pairs(pairs)
        clear_layout(self._assessment_list)
        for number, each in enumerate(record.assessments):
            if number:
                self._assessment_list.addWidget(rule())
            self._assessment_list.addWidget(_assessment(each, self._zone, number))
        self._assessments.setVisible(bool(record.assessments))
        self.assess.show_facts(facts)
        self.told.show_told(record.told)

    def is_dirty(self) -> bool:
        """Whether something is half typed."""
        return self.assess.is_dirty() or self.told.is_dirty()

    def take_focus(self) -> None:
        """Stand where the next step is."""
        if self.assess.is_open:
            self._soon.start()
        elif self.assess.begin.isEnabled():
            self.assess.begin.setFocus()

    def _see_assessment(self) -> None:
        self.needs_look.emit(self.assess)

    def _show_state(self, facts: RecordFacts) -> None:
        """How far it has come and what comes next, in one sentence."""
        record = facts.record
        overdue = [clock.clock.name for clock in record.clocks if clock.state is ClockState.OVERDUE]
        due = [clock.clock.name for clock in record.clocks if clock.state is ClockState.DUE]
        newest = record.newest
        if newest is None:
            kind, word, text = "stop", "Open", "Next: a pharmacist assesses it and signs."
        elif record.line.status == "open":
            question = MERP_QUESTIONS.get(newest.next_question or "", "")
            left = f"A question is left: {question} Next: assess it again once it is known."
            corrected = "What it was assessed by was corrected since. Next: a pharmacist assesses it again."
            kind, word, text = "stop", "Open", left if question else corrected
        elif newest.category is None:
            kind, word, text = "ok", "Not an error", newest.reason
        else:
            kind, word, text = "ok", "Assessed", f"{category_words(newest.category)}."
        if overdue:
            kind, word, text = "stop", "Overdue", f"Tell {' and '.join(overdue)} now, and record it. {text}"
        elif due:
            kind, text = ("warn" if kind == "ok" else kind), f"{text} A clock runs: {' and '.join(due)}."
        self.state.set_message(kind, text, word=word)

    def _open_dose(self) -> None:
        self._office.go.emit("prepare", self._dose_id)


_STOPPED_WORDS = {"reaction": "a reaction", "other": "another reason"}


def _doses(compared: DoseComparison, office: Office, line: ErrorLine) -> NumberGrid:
    """The two doses and the percentage with its working, the limit beside it."""
    prescribed = NumberButton("Prescribed dose", name="record_prescribed")
    prescribed.set_number(show(compared.base_mg), "mg")
    given = NumberButton("Administered dose", name="record_administered")
    given.set_number(show(compared.mg, 4), "mg")
    difference = NumberButton("Administered against prescribed", name="record_difference")
    if compared.percent is not None:
        step = percent_step(
            "administered against prescribed",
            Named("administered", show(compared.mg, 8), "mg"),
            Named("prescribed", show(compared.base_mg), "mg"),
            compared.percent,
            "8.1.3",
        )
        difference.set_number(
            show_percent(compared.percent).removesuffix(" %"),
            "%",
            (step,),
            note=f"reportable at {show(compared.limit_percent)} % or more (§ 8.1.3)",
        )
    for number, which in ((prescribed, "prescribed"), (given, "administered"), (difference, "difference")):
        # A record without a dose of ours says its amounts itself.
        lead(office, number, Amount(line.dose_id, which) if line.dose_id else Thing(line.error_id))
    return NumberGrid((prescribed, given, difference))


def _assessment(each: Assessment, zone: ZoneInfo, number: int) -> QWidget:
    """One signed assessment in full."""
    view = QWidget()
    view.setObjectName(f"assessment_{number + 1}")
    found = "Not an error" if each.verdict == "not an error" else "An error, a question is open"
    if each.category is not None:
        found = category_words(each.category)
    head = Text(
        f"{found}\n{at(each.assessed_at, zone)}, signed by {each.signed_by}"
        + ("" if each.assessed_by == each.signed_by else f", assessed by {each.assessed_by}"),
        "strong",
        name=f"assessment_{number + 1}_found",
    )
    asked = questions_asked(each.answers) if each.verdict == "error" else ()
    answers = "\n".join(f"{MERP_QUESTIONS[name]} {_SAID[getattr(each.answers, name)]}" for name in asked)
    sae = each.sae
    event = sentence(each.adverse_event)
    if sae is not None:
        event += (
            f", known since {at(sae.aware_at, zone)}"
            + (f", report {sae.reference}" if sae.reference else "")
            + f"\nFatal or life-threatening: {_SAID[sae.fatal_or_life_threatening].lower()}; unexpected and related:"
            f" {_SAID[sae.unexpected_and_related].lower()}"
        )
    pairs = [
        ("Reason", each.reason),
        ("Answers", answers),
        ("Stage and type", f"{sentence(each.stage)}, {each.error_type}"),
        ("Harm", each.harm),
        ("Cause", each.cause),
        ("Action", each.action),
        ("Prevention", each.preventive_action),
        ("Stopped part-way", f"for {_STOPPED_WORDS[each.stopped_for]}" if each.stopped_for else ""),
        ("Adverse event", event),
    ]
    column = QVBoxLayout(view)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(SPACE_S)
    column.addWidget(head)
    column.addWidget(KeyValues([(label, words) for label, words in pairs if words]))
    return view
