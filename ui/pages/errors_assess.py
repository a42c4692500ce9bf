"""Assessing a medication error: the questions one after the other, what came of it, and the signature."""

from collections.abc import Sequence
from dataclasses import fields
from zoneinfo import ZoneInfo

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.medication_errors import (
    MERP_NOTICE,
    MERP_QUESTIONS,
    MerpAnswers,
    StoppedFor,
    merp_category,
    questions_asked,
)
from pharmacy_app.services.desk import Credentials
from pharmacy_app.services.medication_errors import (
    ADVERSE_EVENTS,
    NOT_STOPPED,
    SERIOUS,
    VERDICTS,
    AssessForm,
    MerpTyped,
    SaeTyped,
    assess_error,
)
from ui.office import Office
from ui.pages.errors_facts import YES_NO, RecordFacts, at, category_words, sentence, typed_moment
from ui.pages.errors_report import STAGES, TYPES, site_clock
from ui.theme import SPACE_M, SPACE_S, SPACE_XS, repolish
from ui.widgets.basics import Button, IconView, Text
from ui.widgets.fields import ChoiceField, DateTimeField, Form, NoteField, TextField
from ui.widgets.panels import Card, SignatureBox, confirm

_VERDICTS = tuple((verdict, {"error": "An error"}.get(verdict, "Not an error")) for verdict in VERDICTS)
_EVENTS = tuple((each, sentence(each)) for each in ADVERSE_EVENTS)
_STOPPED = (
    (StoppedFor.REACTION.value, "For a reaction"),
    (StoppedFor.OTHER.value, "For another reason"),
    (NOT_STOPPED, "Not stopped part-way"),
)
_ANSWERS = tuple(each.name for each in fields(MerpAnswers))
_ANSWER_WIDTH = 128
_SAE = ("aware_at", "reference", "fatal_or_life_threatening", "unexpected_and_related")
_TEXTS = ("harm", "cause", "action", "preventive_action")


class _Question(ChoiceField):
    """A question on one line with its answer: there are up to seven of them."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(name, words, YES_NO)
        self._editor_row.removeWidget(self.editor())
        self._head.addWidget(self.editor())
        # The question takes two lines where the window is narrow; the answer keeps its width.
        self._label.setWordWrap(True)
        for place in range(self._head.count()):
            self._head.setStretch(place, 0)
        self._head.setStretch(self._head.indexOf(self._label), 1)
        self.editor().setFixedWidth(_ANSWER_WIDTH)


class _Category(QFrame):
    """The category as the answers give it, with the index's notice (REGULATION D-19)."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("merp")
        self._icon = IconView("waiting", "muted")
        self.words = Text("", "strong", name="merp_category")
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self._icon)
        row.addWidget(self.words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_S)
        column.setSpacing(SPACE_XS)
        column.addLayout(row)
        column.addWidget(Text(MERP_NOTICE, "small", name="merp_notice"))

    def show_answers(self, answers: MerpAnswers) -> None:
        """The letter with its words, or that a question is open."""
        category = merp_category(answers)
        harm = category is not None and category.harm
        self.words.setText("The category follows from the answers." if category is None else category_words(category))
        self._icon.set_icon(
            "waiting" if category is None else "warn" if harm else "check",
            "muted" if category is None else "warn" if harm else "info",
        )
        self.setProperty("panel", "sunken" if category is None else "warn" if harm else "info")
        repolish(self)


class AssessView(QWidget):
    """The assessment of one record, folded behind its button until it is begun.

    Signals ``recorded()`` after it was signed, ``needs_look(QWidget)`` for what must be seen.
    """

    recorded = Signal()
    needs_look = Signal(QWidget)

    def __init__(self, office: Office, facts: RecordFacts) -> None:
        super().__init__()
        self.setObjectName("assess_view")
        self._office = office
        self._act = office.act()
        self._facts = facts
        self._zone = ZoneInfo(office.site.time_zone)
        self._in_sight: QWidget | None = None
        # What was just shown has its place only after the layout was made.
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._look)
        self._following = False

        self._begin_row = self._make_begin()
        self.category = _Category()
        self.form = self._make_form()
        self._card = Card(
            "Assessment",
            "Answer what is known. While a question is left the record stays open and its clocks run.",
            name="assess_card",
        )
        self._card.add(self.form)
        self.signature = SignatureBox(
            "Sign the assessment",
            "I assessed this medication error as stated above.",
            "Sign the assessment",
            name="assess_signature",
        )
        self.signature.set_user(office.session.user_name, fixed=True)
        self.signature.sign_requested.connect(self._sign)
        self.cancel = Button("&Cancel", name="assess_cancel")
        self.cancel.clicked.connect(self._cancel)
        leave = QHBoxLayout()
        leave.addStretch(1)
        leave.addWidget(self.cancel)
        self._open_part = QWidget()
        part = QVBoxLayout(self._open_part)
        part.setContentsMargins(0, 0, 0, 0)
        part.setSpacing(SPACE_M)
        part.addWidget(self._card)
        part.addWidget(self.signature)
        part.addLayout(leave)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self._begin_row)
        column.addWidget(self._open_part)
        self._fill()
        self._open_part.hide()
        self.form.changed.connect(self._follow)

    def _make_begin(self) -> QWidget:
        """The button that opens the form, or why this person has none."""
        why_not = self._office.why_not("medication_error_assessed")
        words = Text(f"Assessing: {why_not}" if why_not else "", "small", name="assess_why_not")
        words.setVisible(bool(why_not))
        self.begin = Button("A&ssess…", name="assess_begin", icon="sign")
        self.begin.setEnabled(not why_not)
        self.begin.setToolTip(why_not)
        self.begin.clicked.connect(self.open)
        begin = QWidget()
        row = QHBoxLayout(begin)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_M)
        row.addWidget(words, 1)
        row.addStretch(1)
        row.addWidget(self.begin)
        return begin

    def _make_form(self) -> Form:
        form = Form(name="assess_form")
        form.add(ChoiceField("verdict", "Is it an error?", _VERDICTS, required=True))
        form.end_row()
        form.add(NoteField("reason", "Reason", required=True, lines=2), span=2)
        form.add(ChoiceField("stage", "Stage at which it arose", STAGES, required=True))
        form.add(ChoiceField("error_type", "Type", TYPES, required=True))
        for name in _ANSWERS:
            form.add(_Question(f"answers.{name}", MERP_QUESTIONS[name]), span=2)
        now = site_clock(self._office.desk, self._zone)
        form.add_widget(self.category)
        form.add(NoteField("harm", "Harm to the subject", lines=2), span=2)
        form.add(NoteField("cause", "Cause", lines=2), span=2)
        form.add(NoteField("action", "Action taken", lines=2), span=2)
        form.add(NoteField("preventive_action", "Action to prevent it from happening again", lines=2), span=2)
        form.add(ChoiceField("stopped_for", "Infusion stopped part-way", _STOPPED))
        form.add(ChoiceField("adverse_event", "What came of it for the subject", _EVENTS))
        form.add(
            DateTimeField(
                "sae.aware_at", "Became known at", required=True, hint="The clocks run from this moment.", now=now
            ),
            span=2,
        )
        form.add(ChoiceField("sae.fatal_or_life_threatening", "Fatal or life-threatening", YES_NO, required=True))
        form.add(ChoiceField("sae.unexpected_and_related", "Unexpected and related", YES_NO, required=True))
        form.add(TextField("sae.reference", "Reference of its report", max_length=60))
        form.end_row()
        # A date, its time and two buttons need the whole width of a small window.
        form.add(DateTimeField("found_at", "Found at, corrected", now=now), span=2)
        form.add(DateTimeField("occurred_at", "Occurred at", now=now), span=2)
        form.add(
            TextField(
                "assessed_by", "Assessed by, where not the signer alone", max_length=60, hint="The investigator, say."
            )
        )
        return form

    # -- what the record asks of it

    def show_facts(self, facts: RecordFacts) -> None:
        """Show the record as it stands; what is half typed stays."""
        newest = facts.record.newest
        self._facts = facts
        self.begin.set_text("A&ssess again…" if newest else "A&ssess…")
        self.begin.set_kind("secondary" if newest and facts.line.status != "open" else "primary")
        if self.is_open:
            self._follow()
        else:
            self._fill()

    @property
    def is_open(self) -> bool:
        """Whether the form is shown."""
        return not self._open_part.isHidden()

    def is_dirty(self) -> bool:
        """Whether anything of it was changed."""
        return self.is_open and self.form.is_dirty()

    def open(self) -> None:
        """Show the form and stand where it begins."""
        self._begin_row.hide()
        self._open_part.show()
        first = self.form.field("verdict")
        first.editor().setFocus()
        self._see(first)

    def _close(self) -> None:
        self._open_part.hide()
        self._begin_row.show()
        self._fill()

    def _cancel(self) -> None:
        if self.is_dirty() and not confirm(
            self.window(), "Discard this assessment?", "What was typed is not recorded.", "Discard"
        ):
            return
        self._close()
        self.begin.setFocus()

    # -- filling and following

    def _fill(self) -> None:
        """Begin from what stands on record: the newest assessment, else the report."""
        line, newest = self._facts.line, self._facts.record.newest
        values = dict.fromkeys(self.form.values(), "")
        values |= {"stage": line.stage, "error_type": line.error_type, "stopped_for": line.stopped_for}
        if newest is not None:
            values |= {"verdict": newest.verdict, "adverse_event": newest.adverse_event}
            values |= {name: getattr(newest, name) for name in _TEXTS}
            for name in _ANSWERS:
                values[f"answers.{name}"] = _typed(getattr(newest.answers, name))
            if newest.sae is not None:
                values["sae.aware_at"] = typed_moment(newest.sae.aware_at, self._zone)
                values["sae.reference"] = newest.sae.reference
                for name in _SAE[2:]:
                    values[f"sae.{name}"] = _typed(getattr(newest.sae, name))
        elif line.action:
            values["action"] = line.action
        kept = "On record: {}. Left empty, it stays."
        self.form.field("found_at").set_hint(kept.format(at(line.found_at, self._zone)))
        self.form.field("occurred_at").set_hint(
            kept.format(at(line.occurred_at, self._zone) or "not known") if line.occurred_at else "Not known so far."
        )
        self.form.clear_faults()
        self.form.set_values(values)
        self._follow()
        self.form.mark_clean()

    def _answers(self) -> MerpAnswers:
        return MerpAnswers(
            **{name: {"yes": True, "no": False}.get(self.form.field(f"answers.{name}").value()) for name in _ANSWERS}
        )

    def _follow(self) -> None:
        """Ask the questions that decide, one after the other; what was answered to others is taken away."""
        if self._following:
            return
        self._following = True
        verdict = self.form.field("verdict").value()
        is_error = verdict == "error"
        asked = questions_asked(self._answers())
        for name in _ANSWERS:
            question = self.form.field(f"answers.{name}")
            if name not in asked:
                question.set_value("")
                question.set_fault("")
            question.setVisible(is_error and name in asked)
        self.category.show_answers(self._answers())
        self.category.setVisible(is_error)
        self.form.field("harm").setVisible(is_error)
        reason = self.form.field("reason")
        again = self._facts.record.newest is not None
        reason.setVisible(again or verdict == "not an error")
        reason.set_hint("Why it is assessed again; the earlier one stays readable." if again else "Why it is no error.")
        for name in _SAE:
            self.form.field(f"sae.{name}").setVisible(self.form.field("adverse_event").value() == SERIOUS)
        self._following = False

    # -- signing

    def assessment(self) -> AssessForm:
        """The assessment as typed; what is not shown does not count."""
        values = self.form.values()
        is_error = values["verdict"] == "error"
        shown = {name: field.value() for name in ("reason", "harm") if not (field := self.form.field(name)).isHidden()}
        return AssessForm(
            error_id=self._facts.line.error_id,
            answers=MerpTyped(**{name: values[f"answers.{name}"] for name in _ANSWERS}) if is_error else MerpTyped(),
            sae=SaeTyped(**{name: values[f"sae.{name}"] for name in _SAE})
            if values["adverse_event"] == SERIOUS
            else SaeTyped(),
            verdict=values["verdict"],
            stage=values["stage"],
            error_type=values["error_type"],
            reason=shown.get("reason", ""),
            assessed_by=values["assessed_by"],
            harm=shown.get("harm", ""),
            cause=values["cause"],
            action=values["action"],
            preventive_action=values["preventive_action"],
            stopped_for=values["stopped_for"],
            adverse_event=values["adverse_event"],
            found_at=values["found_at"],
            occurred_at=values["occurred_at"],
        )

    def _sign(self, user: str, password: str) -> None:
        desk, act, form = self._office.desk, self._act, self.assessment()
        credentials = Credentials(user, password)
        self.form.clear_faults()

        def work() -> Event:
            return assess_error(desk, act, form, credentials)

        self._office.do(work, self._signed, self._not_signed, busy="Signing the assessment")

    def _signed(self, event: Event) -> None:
        self._act = self._office.act()
        self.signature.set_fault("")
        self._close()
        error_id, status = event.content["error_id"], event.content["status"]
        said = "is assessed" if status == "assessed" else "stays open: a question is left"
        self._office.messages.ok(f"Signed. Record {error_id} {said}.")
        self.recorded.emit()

    def _not_signed(self, trouble: Exception) -> None:
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        signed = [fault for fault in faults if fault.field in ("password", "user_name")]
        rest = [fault for fault in faults if fault not in signed]
        self.signature.set_fault("\n".join(map(str, signed)))
        if rest:
            self._show_faults(rest)

    def _show_faults(self, faults: Sequence[Fault]) -> None:
        self.form.show_faults(faults)
        focused: QWidget | None = self.form.focusWidget()
        named = any(fault.field in self.form.values() for fault in faults)
        self._see(focused if named and focused is not None else self._card)

    def _see(self, widget: QWidget) -> None:
        self._in_sight = widget
        self._soon.start()

    def _look(self) -> None:
        if self._in_sight is not None and self._in_sight.isVisible():
            self.needs_look.emit(self._in_sight)


def _typed(answer: bool | None) -> str:
    return "" if answer is None else "yes" if answer else "no"
