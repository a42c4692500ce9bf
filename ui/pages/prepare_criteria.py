"""Step 2 of *Prepare*: the criteria of the treatment day, as a named person reads them from the chart.

Only what the dose needs is asked. What is not known is said to be not known; whether it stops the dose is the
rules' business, and the decision that follows says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from pharmacy_app.domain.criteria import Criteria, Lab
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.units import show
from pharmacy_app.services.treatment import CriteriaForm, LabTyped, criteria_form, record_criteria
from pharmacy_app.services.views import DoseLine
from ui.office import Office
from ui.pages.prepare_finish import amount_or_zero
from ui.pages.prepare_step import Facts, Foot, StepPanel, row_of, say_course, say_day, say_moment
from ui.theme import SPACE_M, SPACE_S, repolish
from ui.widgets.basics import Button, Text, rule
from ui.widgets.dates import DATE_FAULT, parse_date
from ui.widgets.fields import ChoiceField, DateField, Field, Form, TextField
from ui.widgets.panels import Banner, Card, KeyValues

NOT_KNOWN = "not known"
GRADES = ((NOT_KNOWN, "Not known"), ("0", "0 – none"), *((str(grade), str(grade)) for grade in range(1, 6)))
ANSWERS = ((NOT_KNOWN, "Not known"), ("yes", "Yes"), ("no", "No"))

COMMON_DAY = "labs_taken_on"
"""The field whose day goes to every result without one; the service does not know it."""

_NAME_WIDTH, _VALUE_WIDTH, _UNIT_WIDTH, _DAY_WIDTH = 172, 84, 76, 116


@dataclass(frozen=True, slots=True)
class LabAsked:
    """One laboratory value of the form: its words, its unit (two where the laboratory chooses), its upper limit."""

    name: str
    words: str
    unit: str
    has_limit: bool


CHEMISTRY = (
    LabAsked("bilirubin", "Bilirubin", "", has_limit=True),
    LabAsked("ast", "AST", "U/L", has_limit=True),
    LabAsked("alt", "ALT", "U/L", has_limit=True),
    LabAsked("alkaline_phosphatase", "Alkaline phosphatase", "U/L", has_limit=True),
    LabAsked("creatinine_clearance", "Creatinine clearance", "mL/min", has_limit=False),
)
COUNTS = (
    LabAsked("anc", "ANC", "10⁹/L", has_limit=False),
    LabAsked("platelets", "Platelets", "10⁹/L", has_limit=False),
)
ANSWER_WORDS = {
    "progression": "Progression or relapse",
    "only_cns_or_testis": "In CNS or testis alone",
    "liver_toxicity_suspected": "VOD or severe liver toxicity",
    "due_to_tumor": "Bilirubin due to the tumor",
    "gilbert": "Gilbert syndrome",
    "not_hepatobiliary": "AST or phosphatase from elsewhere",
    "counts_low_from_disease": "Low counts come from disease",
    "platelets_transfused": "Platelets transfused before the count",
}
GRADE_WORDS = {
    "toxicity_grade": "Worst related toxicity, grade now",
    "toxicity_baseline_grade": "Its grade before treatment",
}
SCREENING_WORDS = {
    "consent_on": "Consent signed on",
    "screening_marrow_on": "Screening marrow taken on",
    "screening_tests_on": "Screening blood tests on",
}


def starts_cycle(line: DoseLine) -> bool:
    """Whether the dose begins a cycle: only then are progression and blood counts asked for (§ 8.1.5)."""
    return line.day == 1


def is_first_dose(line: DoseLine) -> bool:
    """Whether it is the first dose of all, for which the dates of screening are asked (§ 4.0)."""
    return (line.course, line.cycle, line.day) == (1, 1, 1)


class AnswerField(ChoiceField):
    """Yes, no or a grade; not known stands there until somebody says otherwise, and is '' for the service."""

    def __init__(self, name: str, label: str, choices: Sequence[tuple[str, str]] = ANSWERS, *, hint: str = "") -> None:
        super().__init__(name, label, choices, hint=hint)
        super().set_value(NOT_KNOWN)

    def value(self) -> str:
        """The answer, '' when it is not known."""
        answer = super().value()
        return "" if answer == NOT_KNOWN else answer

    def set_value(self, value: str) -> None:
        """Choose an answer; '' is not known."""
        super().set_value(value or NOT_KNOWN)


class LabField(Field):
    """One laboratory value on one line: result, unit, upper limit of normal, day. An empty result is not known.

    ``value()`` is the result; ``values()`` adds ``<name>.value``, ``.unit``, ``.upper_limit`` and ``.taken_on``, which
    are the names of the editors and of the service's faults too.
    """

    def __init__(self, asked: LabAsked) -> None:
        self._parts: dict[str, QLineEdit] = {}
        super().__init__(asked.name, asked.words)
        self._need.hide()
        self._head.removeWidget(self._label)
        self._label.setFixedWidth(_NAME_WIDTH)
        self._unit = asked.unit
        self._editor_row.addWidget(self._label)
        self._add("value", asked.words, _VALUE_WIDTH)
        if asked.unit:
            unit = Text(asked.unit, "muted", wrap=False, name=f"{asked.name}_unit")
            unit.setFixedWidth(_UNIT_WIDTH)
            self._editor_row.addWidget(unit)
        else:
            self._add("unit", f"{asked.words} unit", _UNIT_WIDTH)
            self._parts["unit"].setPlaceholderText("mg/dL")
        if asked.has_limit:
            self._add("upper_limit", f"{asked.words} upper limit of normal", _VALUE_WIDTH)
        else:
            self._editor_row.addSpacing(_VALUE_WIDTH + SPACE_S)
        self._add("taken_on", f"{asked.words} taken on", _DAY_WIDTH)
        self._editor_row.addStretch(1)
        self._marked = self._parts["value"]
        self._label.setBuddy(self._parts["value"])
        for line in (self._reading, self._fault_row):
            line.setContentsMargins(_NAME_WIDTH + SPACE_S, 0, 0, 0)

    def _add(self, part: str, words: str, width: int) -> None:
        editor = QLineEdit()
        editor.setObjectName(f"{self.name}.{part}")
        editor.setAccessibleName(words)
        editor.setMaxLength(40)
        editor.setFixedWidth(width)
        if part in ("value", "upper_limit"):
            editor.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        editor.textChanged.connect(self._edited)
        editor.editingFinished.connect(self._settle)
        self._parts[part] = editor
        self._editor_row.addWidget(editor)

    def part(self, name: str) -> QLineEdit:
        """The editor of one part (``KeyError`` where the value has none)."""
        return self._parts[name]

    def text(self) -> str:
        """The result as typed."""
        return self._parts["value"].text() if self._parts else ""

    def set_value(self, value: str) -> None:
        """Put a result in; '' empties the whole line."""
        self._parts["value"].setText(value)
        if not value:
            for editor in self._parts.values():
                editor.clear()
        self._settle()

    def lab(self) -> LabTyped:
        """The value as the service takes it."""
        typed = {name: editor.text().strip() for name, editor in self._parts.items()}
        day = parse_date(typed["taken_on"])
        return LabTyped(
            typed["value"],
            self._unit or typed["unit"],
            typed.get("upper_limit", ""),
            day.isoformat() if day else typed["taken_on"],
        )

    def set_lab(self, lab: LabTyped) -> None:
        """Put a recorded value in."""
        for name, editor in self._parts.items():
            editor.setText(getattr(lab, name))
        self._settle()

    def set_day(self, day: str) -> None:
        """Put a day in."""
        self._parts["taken_on"].setText(day)
        self._settle()

    def day_text(self) -> str:
        """The day as typed."""
        return self._parts["taken_on"].text().strip()

    def values(self) -> dict[str, str]:
        """Every part, as typed."""
        return {f"{self.name}.{part}": editor.text().strip() for part, editor in self._parts.items()}

    def editor(self) -> QLineEdit:
        """The first part with a fault, else the result."""
        faulty = (editor for editor in self._parts.values() if editor.property("faulty"))
        return next(faulty, self._parts["value"])

    def set_read_only(self, read_only: bool) -> None:
        """Show the value without letting it be changed."""
        for editor in self._parts.values():
            editor.setReadOnly(read_only)

    def mark(self, parts: Sequence[str]) -> None:
        """Mark exactly these parts as faulty."""
        for name, editor in self._parts.items():
            if bool(editor.property("faulty")) != (name in parts):
                editor.setProperty("faulty", name in parts)
                repolish(editor)

    def set_fault(self, sentence: str) -> None:
        """Show what is wrong beneath the line; the mark follows what the field itself finds wrong."""
        super().set_fault(sentence)
        self.mark(self._faulty_parts() or (["value"] if sentence else []))

    def _faulty_parts(self) -> list[str]:
        return [name for name in self._parts if self._part_fault(name)]

    def _part_fault(self, name: str) -> str:
        typed = self._parts[name].text().strip()
        if not typed or name == "unit":
            return ""
        if name == "taken_on":
            return "" if parse_date(typed) else DATE_FAULT
        return amount_or_zero(typed)

    def _find_fault(self) -> str:
        return "\n".join(dict.fromkeys(filter(None, map(self._part_fault, self._parts))))


def lab_header() -> QWidget:
    """The words above the lines of laboratory values."""
    head = QWidget()
    row = QHBoxLayout(head)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(SPACE_S)
    for words, width in (
        ("", _NAME_WIDTH),
        ("Result", _VALUE_WIDTH),
        ("Unit", _UNIT_WIDTH),
        ("Upper limit", _VALUE_WIDTH),
        ("Taken on", _DAY_WIDTH),
    ):
        text = Text(words, "small", wrap=False)
        text.setFixedWidth(width)
        row.addWidget(text)
    row.addStretch(1)
    return head


class CriteriaPanel(StepPanel):
    """Record the criteria of a treatment day. Signal ``look_on()`` to look at the decision as it stands."""

    look_on = Signal()

    def __init__(self, office: Office, dose_id: str) -> None:
        super().__init__(office, dose_id, "prepare_criteria")
        self._line: DoseLine | None = None
        self._facts: Facts | None = None
        self._filled_from: tuple[Criteria | None, date] | None = None
        self._spread = ""
        self._card = Card(
            "Criteria of the treatment day",
            "As they stand in the chart. What is not known is not met: it stays open until it is entered here or"
            " decided in writing.",
            name="criteria_card",
        )
        self.form = Form(columns=2, name="criteria_form")
        self._labs: list[LabField] = []
        self._counts_open = Button(
            "Enter blood counts as well", name="criteria_counts", kind="quiet", icon="chevron-right"
        )
        self._counts_open.setCheckable(True)
        self._counts_open.toggled.connect(self._show_counts)
        self._carried = Banner("info", "", word="Carried over", name="criteria_carried")
        self._carried.hide()
        self._open_items = Banner("warn", "", word="Not known", name="criteria_not_known")
        self._open_items.hide()
        self._button = Button("&Record the criteria", name="criteria_record", kind="primary")
        self._button.clicked.connect(self.record)
        self._look = Button("Loo&k at the decision", name="criteria_look", kind="quiet")
        self._look.setToolTip("Shows the decision as it would be with what is recorded now; nothing typed is lost.")
        self._look.clicked.connect(self.look_on)
        self._foot = Foot(self._button, self._look, name="criteria")
        self._card.add(self.form)
        self._card.add(self._open_items)
        self._card.add(self._foot)
        self.body.addWidget(self._card)
        self._allowed = self.permit("criteria_recorded", self._foot)

    @property
    def status(self) -> str:
        """Where the dose stood when it was shown last."""
        return self._line.status if self._line else ""

    def is_dirty(self) -> bool:
        """Whether an answer differs from what is recorded."""
        return self._line is not None and self.form.is_dirty()

    def focus_first(self) -> None:
        """The first answer to give; who and when are filled in."""
        if self._line is not None:
            self.focus_on(self.form.field("toxicity_grade"))

    def show_facts(self, facts: Facts) -> None:
        """Ask what this dose needs, filled with what was recorded for it; what was typed stays."""
        first = self._line is None
        self._line, self._facts = facts.line, facts
        if first:
            self._build(facts.line)
        # Answers nobody touched go with the record, and with the day: the window may have been left open over night.
        filled = (facts.criteria, self.now().date())
        if first or (filled != self._filled_from and not self.form.is_dirty()):
            self._filled_from = filled
            self._fill(facts)
        self._show_carried(facts)
        self._show_open()

    # -- the form

    def _build(self, line: DoseLine) -> None:
        form = self.form
        form.add(DateField("assessed_on", "Criteria read on", required=True))
        form.add(TextField("assessed_by", "Read by", required=True, max_length=60))
        self._section("Every dose")
        for (name, words), hint in zip(
            GRADE_WORDS.items(), ("Non-hematologic, clinically significant.", ""), strict=True
        ):
            form.add(AnswerField(name, words, GRADES, hint=hint))
        self._answer("liver_toxicity_suspected", "Suspected is enough: if yes, treatment ends for good.")
        self._section("Liver and kidneys")
        form.add_widget(self._carried)
        form.add(DateField(COMMON_DAY, "Results taken on", hint="The day of every result below without its own."))
        form.field(COMMON_DAY).changed.connect(self._spread_day)
        form.end_row()
        form.add_widget(lab_header())
        for asked in CHEMISTRY:
            self._lab(asked)
        self._answer("due_to_tumor", "A higher limit then applies.")
        self._answer("gilbert")
        self._answer("not_hepatobiliary", "Raised alone, not from liver or bile ducts.")
        form.end_row()
        begins = starts_cycle(line)
        self._counts: list[QWidget] = []
        if begins:
            self._section("Start of the cycle")
            self._answer("progression", "Since the last evaluation.")
            self._answer("only_cns_or_testis").hide()
        else:
            form.add_widget(row_of(self._counts_open))
        self._counts.append(lab_header())
        form.add_widget(self._counts[0])
        for asked in COUNTS:
            self._counts.append(self._lab(asked))
        self._counts.append(self._answer("counts_low_from_disease", "The marrow is stable or better."))
        self._counts.append(self._answer("platelets_transfused", "In the days just before it."))
        form.end_row()
        if is_first_dose(line):
            self._section("Before the first dose")
            for name, words in SCREENING_WORDS.items():
                form.add(DateField(name, words))
        if not begins:
            self._show_counts(False)
        for field in form.fields():
            field.set_read_only(not self._allowed)
        form.changed.connect(self._show_open)

    def _section(self, words: str) -> None:
        head = QWidget()
        column = QVBoxLayout(head)
        column.setContentsMargins(0, SPACE_S, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(rule())
        column.addWidget(Text(words, "strong"))
        self.form.end_row()
        self.form.add_widget(head)

    def _answer(self, name: str, hint: str = "") -> Field:
        return self.form.add(AnswerField(name, ANSWER_WORDS[name], hint=hint))

    def _lab(self, asked: LabAsked) -> LabField:
        field = LabField(asked)
        self.form.add(field, span=2)
        self._labs.append(field)
        return field

    def _show_counts(self, shown: bool) -> None:
        for widget in self._counts:
            widget.setVisible(shown)
        self._counts_open.set_icon("chevron-down" if shown else "chevron-right")

    def _fill(self, facts: Facts) -> None:
        line, known = facts.line, facts.criteria
        typed = CriteriaForm(
            line.subject_number,
            str(line.course),
            str(line.cycle),
            str(line.day),
            self.now().date().isoformat(),
            self.office.session.printed_name,
        )
        if known is not None:
            typed = criteria_form(known, line.subject_number)
        for field in self.form.fields():
            if isinstance(field, LabField):
                field.set_lab(getattr(typed, field.name))
            elif field.name != COMMON_DAY:
                field.set_value(getattr(typed, field.name))
        counted = known is not None and (known.anc is not None or known.platelets is not None)
        self._counts_open.setChecked(counted)
        self.form.mark_clean()

    def _spread_day(self) -> None:
        """Give the common day to every result that has none of its own, or that has it from here."""
        common = self.form.field(COMMON_DAY).value()
        if parse_date(common) is None and common:
            return
        for field in self._labs:
            if field.day_text() in ("", self._spread):
                field.set_day(common)
        self._spread = common

    def _show_carried(self, facts: Facts) -> None:
        """Cycle 1 asks for one chemistry: what day 1 has stands here, and the rules say whether it counts."""
        first = facts.first_criteria if facts.line.cycle == 1 else None
        known = [] if first is None else labs_of(first, CHEMISTRY)
        self._carried.setVisible(bool(known))
        if not known:
            return
        days = {lab.taken_on for _, lab in known}
        said = "; ".join(say_lab(asked, lab, day=len(days) > 1) for asked, lab in known)
        day = f", all taken on {say_day(days.pop())}" if len(days) == 1 else ""
        self._carried.set_message(
            "info",
            f"Recorded for day 1, and carried over where nothing newer is entered (§ 5.0): {said}{day}.",
            word="From day 1",
        )

    def _show_open(self) -> None:
        """Say plainly what is still not known of what the dose needs; ask on only where an answer asks on."""
        names = ", ".join(self._not_known())
        if self._line is not None and starts_cycle(self._line):
            self.form.field("only_cns_or_testis").setVisible(self.form.field("progression").value() == "yes")
        self._open_items.setVisible(bool(names))
        self._open_items.set_message(
            "warn",
            f"{names[:1].upper()}{names[1:]}. What is not known will stop the dose, unless it is decided in writing.",
            word="Not known",
        )

    def _not_known(self) -> list[str]:
        """What the dose needs and nobody has said, in words; one of AST and ALT is enough to go on."""
        line, facts, form = self._line, self._facts, self.form
        if line is None or facts is None:
            return []
        earlier = facts.first_criteria if line.cycle == 1 else None
        known = {field.name for field in self._labs if field.value()}
        known |= {asked.name for asked, _ in labs_of(earlier, CHEMISTRY)} if earlier else set()
        names = []
        if not form.field("toxicity_grade").value():
            names.append("grade of toxicity")
        if not form.field("liver_toxicity_suspected").value():
            names.append("liver toxicity")
        names += [
            words
            for words, of in (
                ("bilirubin", {"bilirubin"}),
                ("AST and ALT", {"ast", "alt"}),
                ("creatinine clearance", {"creatinine_clearance"}),
            )
            if not known & of
        ]
        if starts_cycle(line):
            if not form.field("progression").value():
                names.append("progression")
            if line.cycle > 1:
                names += [words for words, name in (("ANC", "anc"), ("platelets", "platelets")) if name not in known]
        return names

    # -- the act

    def hold(self, held: bool) -> None:
        """Hold the button."""
        self._button.setEnabled(not held and self._allowed)

    def typed(self) -> CriteriaForm:
        """The form as it stands."""
        line = self._line
        assert line is not None
        answers: dict[str, Any] = {
            field.name: field.value() for field in self.form.fields() if field.name != COMMON_DAY
        }
        answers |= {field.name: field.lab() for field in self._labs}
        return CriteriaForm(line.subject_number, str(line.course), str(line.cycle), str(line.day), **answers)

    def record(self) -> None:
        """Record the criteria as typed."""
        if self._line is None:
            return
        desk, act, form, dose_id = self.office.desk, self.act(), self.typed(), self.dose_id

        def work() -> str:
            record_criteria(desk, act, form)
            return dose_id

        self.start(work, "Recording the criteria")

    def recorded(self, _result: Any) -> None:
        """Say what comes next; the decision is asked for anew."""
        self.form.mark_clean()
        self.form.clear_faults()
        self.office.messages.ok(f"The criteria of dose {self.dose_id} were recorded. Next: the decision.")

    def refused(self, refused: Refused) -> None:
        """Show every fault beside its part of the form; a folded part opens."""
        parts: dict[str, list[str]] = {}
        faults = []
        for fault in refused.faults:
            name, _, part = fault.field.partition(".")
            if part:
                parts.setdefault(name, []).append(part)
            faults.append(replace(fault, field=name))
        if any(fault.field in ("anc", "platelets") for fault in faults):
            self._counts_open.setChecked(True)
        self._show_faults(faults, parts)

    def _show_faults(self, faults: Sequence[Fault], parts: Mapping[str, Sequence[str]]) -> None:
        self.form.show_faults(faults)
        for field in self._labs:
            if field.name in parts:
                field.mark(parts[field.name])
        faulty = next((field for field in self.form.fields() if field.fault()), None)
        if faulty is not None:
            self.focus_on(faulty.editor(), faulty)


def labs_of(criteria: Criteria, asked: Sequence[LabAsked]) -> list[tuple[LabAsked, Lab]]:
    """The values that were recorded, in the order asked."""
    return [(each, lab) for each in asked if (lab := getattr(criteria, each.name)) is not None]


def say_lab(asked: LabAsked, lab: Lab, *, name: bool = True, day: bool = True) -> str:
    """A value in words, e.g. ``bilirubin 0.8 mg/dL (upper limit 1.2), taken on 22-Nov-2026``."""
    limit = "" if lab.upper_limit is None else f" (upper limit {show(lab.upper_limit)})"
    words = f"{asked.words} " if name else ""
    taken = f", taken on {say_day(lab.taken_on)}" if day else ""
    return f"{words}{show(lab.value)} {lab.unit}{limit}{taken}"


def criteria_record(facts: Facts, zone: Any) -> QWidget:
    """The criteria as they were recorded, to look back at."""
    card = Card("Criteria of the treatment day", name="criteria_recorded")
    answers, line = facts.criteria, facts.criteria_line
    if answers is None:
        card.add(Text("No criteria are recorded for this dose.", "muted"))
        return card
    begins = starts_cycle(facts.line)
    pairs = [
        ("Read by", f"{answers.assessed_by}, on {say_day(answers.assessed_on)}"),
        ("Recorded", f"{say_moment(line.recorded_at, zone)} by {line.recorder}" if line else ""),
        ("Treatment", say_course(facts.line)),
    ]
    pairs += [(words, _say_answer(getattr(answers, name))) for name, words in GRADE_WORDS.items()]
    asked = dict.fromkeys(("liver_toxicity_suspected", "progression") if begins else ("liver_toxicity_suspected",))
    pairs += [
        (words, _say_answer(getattr(answers, name)))
        for name, words in ANSWER_WORDS.items()
        if name in asked or getattr(answers, name) is not None
    ]
    for each in (*CHEMISTRY, *COUNTS):
        lab = getattr(answers, each.name)
        if lab is not None or each in CHEMISTRY or begins:
            pairs.append((each.words, "not known" if lab is None else say_lab(each, lab, name=False)))
    if is_first_dose(facts.line):
        pairs += [(words, _say_answer(getattr(answers, name))) for name, words in SCREENING_WORDS.items()]
    card.add(KeyValues(pairs, name="criteria_answers"))
    return card


def _say_answer(answer: Any) -> str:
    if answer is None:
        return "not known"
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return str(answer) if isinstance(answer, int | Decimal) else say_day(answer)
