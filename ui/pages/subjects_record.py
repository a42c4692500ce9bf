"""What can be stated of a subject's treatment: one card, a form for each kind of statement, its consequence in words.

Drafts stay while the card is open, also when another kind is looked at; they go with their subject.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.treatment import Cause, LevelReason, LiverFinding, RemovalReason, Response, Schedule
from pharmacy_app.services import treatment
from pharmacy_app.services.desk import Act, Desk
from ui.office import Office
from ui.pages.subjects_facts import Choices, SubjectFacts
from ui.theme import SPACE_S
from ui.widgets.basics import Button
from ui.widgets.fields import ChoiceField, DateField, DecimalField, Field, Form, NoteField, TextField
from ui.widgets.panels import Banner, Card

Values = Mapping[str, str]
Consequence = Callable[[Values, Choices], tuple[str, str]]

_NOTHING = ("", "")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of statement: its words, its fields, how it is recorded, what it starts with and what follows of it.

    ``consequence`` gives a banner's kind and sentence for what is typed now, both '' where there is nothing to say.
    ``record`` gets the values without the field names' prefix, which is ``prefix`` and an underscore.
    """

    act: str
    prefix: str
    words: str
    fields: Callable[[str, Choices], Sequence[tuple[Field, int]]]
    record: Callable[[Desk, Act, str, dict[str, str]], Event]
    start: Callable[[SubjectFacts], dict[str, str]]
    consequence: Consequence
    done: str


# -- fields that several kinds share


def _place(prefix: str, choices: Choices, *, day: bool = True) -> list[tuple[Field, int]]:
    fields: list[tuple[Field, int]] = [
        (ChoiceField(f"{prefix}_course", "Co&urse", choices.courses, required=True), 1),
        (ChoiceField(f"{prefix}_cycle", "Cycl&e", choices.cycles, required=True), 1),
    ]
    if day:
        fields.append((ChoiceField(f"{prefix}_day", "Day &of the cycle", choices.days, required=True), 1))
    return fields


def _why(prefix: str, *, required: bool = True) -> tuple[Field, int]:
    return NoteField(f"{prefix}_why", "Reason in &words", required=required, lines=2), 2


def _decided_by(prefix: str) -> tuple[Field, int]:
    return TextField(f"{prefix}_decided_by", "Decided &by", required=True, max_length=60), 1


def _decided_on(prefix: str) -> tuple[Field, int]:
    return DateField(f"{prefix}_decided_on", "Dec&ided on", required=True), 1


def _choice(name: str, label: str, options: Sequence[tuple[str, str]], *, required: bool = True) -> ChoiceField:
    return ChoiceField(name, label, options, required=required)


_CAUSES = (
    (str(Cause.TOXICITY), "Toxicity of the drug"),
    (str(Cause.OTHER), "Another cause"),
)
_RESPONSES = (
    (str(Response.CR), "CR – complete remission"),
    (str(Response.CRP), "CRp – complete remission without platelet recovery"),
    (str(Response.CRI), "CRi – complete remission without count recovery"),
    (str(Response.PR), "PR – partial response"),
    (str(Response.NR), "NR – no response"),
    (str(Response.PD), "PD – progression or relapse"),
)
_YES_NO = (("yes", "Yes"), ("no", "No"))
_GRADES = tuple((str(grade), f"Grade {grade}") for grade in range(1, 6))
_NO_FINDING = "none"


def _words(options: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Each option with its own words, the first letter large."""
    return tuple((str(option), f"{option[:1].upper()}{option[1:]}") for option in options)


# -- the kinds


def _plan_fields(prefix: str, choices: Choices) -> Sequence[tuple[Field, int]]:
    return [
        *_place(prefix, choices, day=False),
        (DateField(f"{prefix}_day1_on", "Day 1 planned &on", required=True), 1),
        _why(prefix, required=False),
    ]


def _delay_fields(prefix: str, choices: Choices) -> Sequence[tuple[Field, int]]:
    return [
        *_place(prefix, choices),
        (_choice(f"{prefix}_cause", "Cau&se", _CAUSES), 1),
        _decided_by(prefix),
        _why(prefix),
    ]


def _omission_fields(prefix: str, choices: Choices) -> Sequence[tuple[Field, int]]:
    return [
        *_place(prefix, choices),
        (_choice(f"{prefix}_cause", "Cau&se", _CAUSES), 1),
        _decided_by(prefix),
        _decided_on(prefix),
        _why(prefix),
    ]


def _level_fields(prefix: str, choices: Choices) -> Sequence[tuple[Field, int]]:
    return [
        *_place(prefix, choices, day=False),
        (_choice(f"{prefix}_level", "Le&vel from this cycle on", choices.levels), 1),
        (_choice(f"{prefix}_reason", "Rea&son", _words(tuple(LevelReason))), 1),
        _decided_by(prefix),
        _decided_on(prefix),
        _why(prefix),
    ]


def _response_fields(prefix: str, choices: Choices) -> Sequence[tuple[Field, int]]:
    return [
        *_place(prefix, choices, day=False),
        (_choice(f"{prefix}_response", "Re&sponse", _RESPONSES), 1),
        (DateField(f"{prefix}_assessed_on", "Assessed &on", required=True), 1),
        _why(prefix, required=False),
    ]


def _marrow_fields(prefix: str, _choices: Choices) -> Sequence[tuple[Field, int]]:
    return [
        (DateField(f"{prefix}_taken_on", "Taken &on", required=True), 1),
        (DecimalField(f"{prefix}_blasts_percent", "&Blasts in the marrow", unit="%", required=True), 1),
        _why(prefix, required=False),
    ]


def _toxicity_fields(prefix: str, _choices: Choices) -> Sequence[tuple[Field, int]]:
    return [
        (TextField(f"{prefix}_term", "Adverse e&vent", required=True, max_length=80), 1),
        (_choice(f"{prefix}_grade", "CTCA&E grade", _GRADES), 1),
        (DateField(f"{prefix}_onset_on", "&Onset on", required=True), 1),
        (_choice(f"{prefix}_related", "At least possi&bly related to the drug", _YES_NO), 1),
        (
            _choice(
                f"{prefix}_liver",
                "L&iver finding",
                ((_NO_FINDING, "None"), *_words(tuple(LiverFinding))),
            ),
            1,
        ),
        (_choice(f"{prefix}_numeric_laboratory", "Graded by laboratory n&umbers alone", _YES_NO), 1),
        _why(prefix, required=False),
    ]


def _end_fields(prefix: str, choices: Choices) -> Sequence[tuple[Field, int]]:
    return [
        (_choice(f"{prefix}_course", "Co&urse", choices.courses), 1),
        (DateField(f"{prefix}_removed_on", "&Off treatment since", required=True), 1),
        (_choice(f"{prefix}_reason", "Rea&son", _words(tuple(RemovalReason))), 2),
        _decided_by(prefix),
        _why(prefix),
    ]


def _retreatment_fields(prefix: str, choices: Choices) -> Sequence[tuple[Field, int]]:
    return [
        (_choice(f"{prefix}_course", "Co&urse", choices.courses[1:]), 1),
        (_choice(f"{prefix}_schedule", "Doses of its fir&st cycle", _words(tuple(Schedule))), 1),
        (TextField(f"{prefix}_ordered_by", "Ordered &by (principal investigator)", required=True, max_length=60), 1),
        (DateField(f"{prefix}_ordered_on", "Ordered &on", required=True), 1),
        (TextField(f"{prefix}_document", "Docum&ent", required=True, hint="The number of the attached order."), 1),
        _why(prefix, required=False),
    ]


def _transplant_fields(prefix: str, _choices: Choices) -> Sequence[tuple[Field, int]]:
    return [
        (_choice(f"{prefix}_planned", "&Is an allogeneic transplantation planned?", _YES_NO), 1),
        _why(prefix, required=False),
    ]


def _record_plan(desk: Desk, act: Act, number: str, values: dict[str, str]) -> Event:
    return treatment.plan_cycle(desk, act, treatment.CyclePlanForm(number, **values))


def _record_delay(desk: Desk, act: Act, number: str, values: dict[str, str]) -> Event:
    return treatment.record_delay(desk, act, treatment.DelayForm(number, **values))


def _record_omission(desk: Desk, act: Act, number: str, values: dict[str, str]) -> Event:
    return treatment.omit_dose(desk, act, treatment.OmissionForm(number, **values))


def _record_level(desk: Desk, act: Act, number: str, values: dict[str, str]) -> Event:
    return treatment.change_level(desk, act, treatment.LevelForm(number, **values))


def _record_response(desk: Desk, act: Act, number: str, values: dict[str, str]) -> Event:
    return treatment.record_response(desk, act, treatment.ResponseForm(number, **values))


def _record_marrow(desk: Desk, act: Act, number: str, values: dict[str, str]) -> Event:
    return treatment.record_marrow(desk, act, treatment.MarrowForm(number, **values))


def _record_toxicity(desk: Desk, act: Act, number: str, values: dict[str, str]) -> Event:
    liver = "" if values["liver"] == _NO_FINDING else values["liver"]
    return treatment.record_toxicity(desk, act, treatment.ToxicityForm(number, **{**values, "liver": liver}))


def _record_end(desk: Desk, act: Act, number: str, values: dict[str, str]) -> Event:
    return treatment.end_treatment(desk, act, treatment.RemovalForm(number, **values))


def _record_retreatment(desk: Desk, act: Act, number: str, values: dict[str, str]) -> Event:
    return treatment.order_retreatment(desk, act, treatment.RetreatmentForm(number, **values))


def _record_transplant(desk: Desk, act: Act, number: str, values: dict[str, str]) -> Event:
    return treatment.state_transplant(desk, act, treatment.TransplantForm(number, **values))


# -- what a form starts with


def _next_place(facts: SubjectFacts) -> dict[str, str]:
    """The dose that comes next, or the first open one, so that the usual statement needs no choosing."""
    due = facts.calendar.next_due
    if due is not None:
        return {"course": str(due.course), "cycle": str(due.cycle), "day": str(due.day)}
    course, cycle = facts.calendar.cycles()[-1]
    return {"course": str(course), "cycle": str(cycle), "day": ""}


def _next_cycle(facts: SubjectFacts) -> dict[str, str]:
    """The next cycle that has not begun."""
    calendar = facts.calendar
    waiting = [
        (dose.course, dose.cycle)
        for dose in calendar.doses
        if dose.day == 1 and dose.given_on is None and dose.course == calendar.cycles()[-1][0]
    ]
    course, cycle = waiting[0] if waiting else calendar.cycles()[-1]
    return {"course": str(course), "cycle": str(cycle)}


def _last_cycle(facts: SubjectFacts) -> dict[str, str]:
    """The newest cycle that has begun."""
    begun = [(dose.course, dose.cycle) for dose in facts.calendar.doses if dose.given_on is not None]
    course, cycle = begun[-1] if begun else facts.calendar.cycles()[-1]
    return {"course": str(course), "cycle": str(cycle)}


def _start_plan(facts: SubjectFacts) -> dict[str, str]:
    place = _next_cycle(facts)
    waiting = next(
        (
            dose
            for dose in facts.calendar.doses
            if (str(dose.course), str(dose.cycle), dose.day) == (place["course"], place["cycle"], 1)
        ),
        None,
    )
    expected = None if waiting is None or waiting.planned_on is not None else waiting.expected_on
    shown = expected is not None and expected >= facts.today
    return {**place, "day1_on": expected.isoformat() if shown and expected is not None else ""}


def _start_omission(facts: SubjectFacts) -> dict[str, str]:
    return {**_next_place(facts), "decided_on": facts.today.isoformat()}


def _start_level(facts: SubjectFacts) -> dict[str, str]:
    return {**_next_cycle(facts), "decided_on": facts.today.isoformat()}


def _start_response(facts: SubjectFacts) -> dict[str, str]:
    return {**_last_cycle(facts), "assessed_on": facts.today.isoformat()}


def _start_end(facts: SubjectFacts) -> dict[str, str]:
    return {"course": _last_cycle(facts)["course"], "removed_on": facts.today.isoformat()}


def _start_toxicity(_facts: SubjectFacts) -> dict[str, str]:
    return {"liver": _NO_FINDING, "numeric_laboratory": "no"}


def _start_retreatment(_facts: SubjectFacts) -> dict[str, str]:
    return {"course": str(treatment.MAX_COURSES)}


def _start_empty(_facts: SubjectFacts) -> dict[str, str]:
    return {}


# -- what follows


def _of_nothing(_values: Values, _choices: Choices) -> tuple[str, str]:
    return _NOTHING


def _of_plan(_values: Values, _choices: Choices) -> tuple[str, str]:
    return "info", "Delays of this cycle are counted from the day it was planned for first (Protocol § 8.1.5)."


def _of_delay(values: Values, _choices: Choices) -> tuple[str, str]:
    if values["cause"] == Cause.TOXICITY:
        return "warn", (
            "A delay for toxicity has limits: within a cycle the dose is then omitted, and a next cycle that is delayed"
            " too long ends treatment (Protocol § 8.1.5)."
        )
    return _NOTHING


def _of_omission(_values: Values, _choices: Choices) -> tuple[str, str]:
    return "warn", "An omitted dose is not made up; the doses planned after it remain (Protocol § 8.1.5)."


def _of_level(values: Values, _choices: Choices) -> tuple[str, str]:
    if values["reason"] == LevelReason.TOXICITY:
        return "warn", "After a reduction for toxicity the dose is never raised again (Protocol § 8.1.6)."
    return _NOTHING


def _of_response(values: Values, _choices: Choices) -> tuple[str, str]:
    if values["response"] == Response.PD:
        return "warn", (
            "Progression ends treatment, unless the physician and the principal investigator decide otherwise in"
            " writing (Protocol § 10.1)."
        )
    return _NOTHING


def _of_toxicity(values: Values, choices: Choices) -> tuple[str, str]:
    if values["liver"] not in ("", _NO_FINDING):
        return "stop", (
            "Treatment ends for good: after possible, probable or confirmed VOD, or other severe liver toxicity, no"
            " further dose is given. Suspicion is enough (Protocol § 8.1.5)."
        )
    grave = values["grade"] != "" and int(values["grade"]) >= choices.grave_grade
    if grave and values["related"] == "yes":
        return "warn", (
            "An event of this grade that the drug may have caused takes the subject off treatment (Protocol § 10.4)."
            " Record the end of treatment as well."
        )
    return _NOTHING


def _of_end(values: Values, _choices: Choices) -> tuple[str, str]:
    if not values["reason"]:
        return "stop", "Treatment ends for good: no further dose of this course is given (Protocol § 10)."
    if RemovalReason(values["reason"]).is_toxicity:
        return "stop", (
            "Treatment ends for good: no further dose of this course is given, and no later course begins"
            " (Protocol § 10)."
        )
    return "stop", "Treatment ends for good: no further dose of this course is given (Protocol § 10)."


def _of_retreatment(_values: Values, _choices: Choices) -> tuple[str, str]:
    return "info", (
        "The order names the doses of the first cycle. A level lowered for toxicity stays in force"
        " (Protocol § 3.7, 8.1.6)."
    )


def _of_transplant(values: Values, _choices: Choices) -> tuple[str, str]:
    if values["planned"] == "yes":
        return "info", "With a transplantation planned the number of cycles is kept low (Protocol § 8.3)."
    return _NOTHING


KINDS: tuple[Kind, ...] = (
    Kind(
        "cycle_planned",
        "plan",
        "Plan the day 1 of a cycle",
        _plan_fields,
        _record_plan,
        _start_plan,
        _of_plan,
        "The plan",
    ),
    Kind(
        "delay_recorded",
        "delay",
        "A dose is late",
        _delay_fields,
        _record_delay,
        _next_place,
        _of_delay,
        "The delay",
    ),
    Kind(
        "dose_omitted",
        "omission",
        "A dose is omitted",
        _omission_fields,
        _record_omission,
        _start_omission,
        _of_omission,
        "The omission",
    ),
    Kind(
        "level_changed",
        "level",
        "The dose level changes",
        _level_fields,
        _record_level,
        _start_level,
        _of_level,
        "The change of level",
    ),
    Kind(
        "response_recorded",
        "response",
        "A response was assessed",
        _response_fields,
        _record_response,
        _start_response,
        _of_response,
        "The response",
    ),
    Kind(
        "marrow_recorded",
        "marrow",
        "A marrow was taken",
        _marrow_fields,
        _record_marrow,
        _start_empty,
        _of_nothing,
        "The marrow",
    ),
    Kind(
        "toxicity_recorded",
        "toxicity",
        "A toxicity occurred",
        _toxicity_fields,
        _record_toxicity,
        _start_toxicity,
        _of_toxicity,
        "The toxicity",
    ),
    Kind(
        "treatment_ended",
        "end",
        "Treatment ends",
        _end_fields,
        _record_end,
        _start_end,
        _of_end,
        "The end of treatment",
    ),
    Kind(
        "retreatment_ordered",
        "retreatment",
        "A retreatment is ordered",
        _retreatment_fields,
        _record_retreatment,
        _start_retreatment,
        _of_retreatment,
        "The order of the retreatment",
    ),
    Kind(
        "transplant_stated",
        "transplant",
        "A transplantation is planned, or is not",
        _transplant_fields,
        _record_transplant,
        _start_empty,
        _of_transplant,
        "The statement on the transplantation",
    ),
)
"""Every kind of statement that this card records, in the order of the list."""

DOCUMENT = "document"
"""The last choice of the list: it leads to the documents, which have their own form."""


class RecordCard(Card):
    """Choose what is stated, type it, see what follows, record it.

    Signals ``recorded()`` after the act, ``closed()``, ``document_wanted()``, ``resized()`` when another form
    or a fault needs to be seen.
    """

    recorded = Signal()
    closed = Signal()
    document_wanted = Signal()
    resized = Signal()

    def __init__(self, office: Office, choices: Choices) -> None:
        super().__init__(
            "Record a statement",
            "Nothing is changed afterwards: a slip is withdrawn in the history and stays readable.",
            name="record_card",
        )
        self._office = office
        self.choices = choices
        self._facts: SubjectFacts | None = None
        self._forms: dict[str, Form] = {}
        self._acts = {kind.act: office.act() for kind in KINDS}
        self._kinds = {kind.act: kind for kind in KINDS}
        self._recording: Kind | None = None
        offered = [(kind.act, kind.words) for kind in KINDS if office.may(kind.act)]
        if office.may("document_attached"):
            offered.append((DOCUMENT, "Attach a document"))
        self.what = ChoiceField("statement_kind", "W&hat is stated", offered, required=True)
        self.what.changed.connect(self._choose)
        self.add(self.what)
        for kind in KINDS:
            form = Form(name=f"{kind.prefix}_form")
            for field, span in kind.fields(kind.prefix, choices):
                form.add(field, span=span)
            form.changed.connect(self._say_consequence)
            form.hide()
            self._forms[kind.act] = form
            self.add(form)
        self._consequence = Banner("info", "", name="consequence")
        self._consequence.hide()
        self.add(self._consequence)
        self.cancel = Button("Cance&l", name="cancel_statement")
        self.cancel.clicked.connect(self.close_card)
        self.button = Button("&Record", name="record_statement", kind="primary")
        self.button.clicked.connect(self._record)
        self.button.setEnabled(False)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.button)
        self.body.addLayout(row)

    def set_facts(self, facts: SubjectFacts) -> None:
        """Take the subject as it stands; with another subject every draft goes."""
        other = self._facts is None or facts.number != self._facts.number
        self._facts = facts
        for kind in KINDS:
            form = self._forms[kind.act]
            if other:
                form.clear()
                self._acts[kind.act] = self._office.act()
            if not form.is_dirty():
                self._put_in(kind)
        if other:
            self.what.set_value("")

    def is_dirty(self) -> bool:
        """Whether a statement is half typed."""
        return any(form.is_dirty() for form in self._forms.values())

    @property
    def number(self) -> str:
        """The subject whose statements are typed, '' before the first one."""
        return "" if self._facts is None else self._facts.number

    def open_on(self) -> None:
        """Stand at the choice."""
        self.what.editor().setFocus()

    def close_card(self) -> None:
        """Drop what was typed and go."""
        for kind in KINDS:
            self._forms[kind.act].clear()
            self._acts[kind.act] = self._office.act()
            self._put_in(kind)
        self.what.set_value("")
        self.closed.emit()

    # -- choosing

    def _put_in(self, kind: Kind) -> None:
        """Fill a form with what is likely meant; it counts as untouched."""
        if self._facts is None:
            return
        values = kind.start(self._facts)
        self._forms[kind.act].set_values({f"{kind.prefix}_{name}": value for name, value in values.items()})

    def _choose(self) -> None:
        chosen = self.what.value()
        for act, form in self._forms.items():
            form.setVisible(act == chosen)
        self.button.setEnabled(bool(chosen) and self._recording is None)
        # Going through the choices by the arrow keys must not lead away by itself.
        self.button.set_text("&Go to the documents" if chosen == DOCUMENT else "&Record")
        self._say_consequence()
        self.resized.emit()

    def _values(self, kind: Kind) -> dict[str, str]:
        typed = self._forms[kind.act].values()
        return {name.removeprefix(f"{kind.prefix}_"): value for name, value in typed.items()}

    def _say_consequence(self) -> None:
        kind = self._kinds.get(self.what.value())
        tone, sentence = kind.consequence(self._values(kind), self.choices) if kind else _NOTHING
        if self.what.value() == DOCUMENT:
            tone, sentence = (
                "info",
                "The documents of this subject have their own form: file, kind, signature and date.",
            )
        if sentence:
            word = {"stop": "For good", "warn": "What follows", "info": "Note"}[tone]
            self._consequence.set_message(tone, sentence, word=word)
        self._consequence.setVisible(bool(sentence))

    # -- recording

    def _record(self) -> None:
        if self.what.value() == DOCUMENT:
            self.what.set_value("")
            self.document_wanted.emit()
            return
        kind = self._kinds.get(self.what.value())
        if kind is None or self._facts is None or self._recording is not None:
            return
        self._forms[kind.act].clear_faults()
        self._recording = kind
        self.button.setEnabled(False)
        self.what.set_read_only(True)
        desk, act, number, values = self._office.desk, self._acts[kind.act], self._facts.number, self._values(kind)

        def work() -> Event:
            return kind.record(desk, act, number, values)

        self._office.do(work, self._recorded, self._not_recorded, busy="Recording the statement")

    def _end_recording(self) -> Kind:
        kind = self._recording
        assert kind is not None
        self._recording = None
        self.button.setEnabled(True)
        self.what.set_read_only(False)
        return kind

    def _recorded(self, event: Event) -> None:
        kind = self._end_recording()
        self._acts[kind.act] = self._office.act()
        form = self._forms[kind.act]
        form.clear()
        self._office.messages.ok(f"{kind.done} is recorded for subject {event.content['subject_number']}.")
        self.what.set_value("")
        self.recorded.emit()

    def _not_recorded(self, trouble: Exception) -> None:
        kind = self._end_recording()
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        form = self._forms[kind.act]
        form.show_faults([_beside(form, replace(fault, field=f"{kind.prefix}_{fault.field}")) for fault in faults])
        self.resized.emit()


def _beside(form: Form, fault: Fault) -> Fault:
    """A fault as it stands beside its field: where nothing was chosen yet, that is all there is to say."""
    field = next((field for field in form.fields() if field.name == fault.field), None)
    if isinstance(field, ChoiceField) and not field.value():
        return Fault(fault.field, f"{field.label_text()}: choose one.")
    return fault


def statement_hint(office: Office) -> str:
    """Why nothing can be stated by this person, '' when something can."""
    if any(office.may(kind.act) for kind in KINDS):
        return ""
    return office.why_not(KINDS[0].act)
