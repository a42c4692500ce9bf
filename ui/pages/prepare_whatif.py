"""What if: another weight, day or level tried on a dose. Nothing is recorded."""

from collections import Counter
from dataclasses import dataclass, replace

from PySide6.QtWidgets import QLineEdit

from pharmacy_app.domain.dosing import DoseDecision
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.findings import Finding, Named
from pharmacy_app.domain.units import show, show_percent
from pharmacy_app.services.doses import Decided, WhatIfForm, what_if
from pharmacy_app.services.ports import Reader
from ui.office import Office
from ui.pages.prepare_numbers import NumberGrid, percent_step, readable, readable_findings
from ui.pages.prepare_step import Facts, Told, column_of, row_of
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, DateField, DecimalField, Form
from ui.widgets.findings import LOOK, FindingList
from ui.widgets.panels import Banner, Card
from ui.widgets.working import NumberButton

AS_ORDERED = "as ordered"


@dataclass(frozen=True, slots=True)
class Tried:
    """What the rules say of the dose as it stands, and of the same one with what is tried."""

    now: DoseDecision
    tried: Decided


def only_in(some: tuple[Finding, ...], others: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings of ``some`` that ``others`` have not, told apart by rule and severity, not by their numbers."""
    left = Counter((finding.rule, finding.severity) for finding in others)
    found = []
    for finding in some:
        key = (finding.rule, finding.severity)
        if left[key]:
            left[key] -= 1
        else:
            found.append(finding)
    return tuple(found)


class WhatIfCard(Card):
    """Folded until it is opened: try another weight, day or level, and see dose and findings that come or go."""

    def __init__(self, office: Office, dose_id: str) -> None:
        super().__init__(name="what_if")
        self.office = office
        self.dose_id = dose_id
        self._told: Told | None = None
        self.opener = Button("What if…", name="what_if_open", kind="row", icon="chevron-right", icon_tone="muted")
        self.opener.setCheckable(True)
        self.opener.toggled.connect(self._show)
        self.form = Form(columns=3, name="what_if_form")
        self.form.add(DecimalField("what_if_weight_kg", "Another weight", unit="kg"))
        self.form.add(DateField("what_if_planned_on", "Another infusion date"))
        self._level = ChoiceField("what_if_level", "Another level")
        self.form.add(self._level)
        self._try = Button("&Try it", name="what_if_try", icon="refresh")
        self._try.clicked.connect(self.ask)
        for field in self.form.fields():
            if isinstance(editor := field.editor(), QLineEdit):
                editor.returnPressed.connect(self.ask)
        self._numbers = {
            key: NumberButton(caption, name=f"what_if_{key}")
            for key, caption in (
                ("planned", "Planned dose"),
                ("difference", "Prescribed against it"),
                ("bsa", "Body surface area"),
            )
        }
        self._appear = FindingList(name="what_if_appear", prefix="what_if", empty_text="")
        self._gone = Text("", name="what_if_gone")
        self._outcome = Text("", "strong", name="what_if_outcome")
        self._answer = column_of(NumberGrid(tuple(self._numbers.values())), self._outcome, self._appear, self._gone)
        self._answer.hide()
        self._inside = column_of(
            Banner(
                "info",
                "Nothing is recorded here, and no written decision counts. What is left empty stays as ordered.",
                word="Only a trial",
                name="what_if_note",
            ),
            self.form,
            row_of(self._try),
            self._answer,
        )
        self.add(self.opener)
        self.add(self._inside)
        self._show(False)

    def show_facts(self, facts: Facts) -> None:
        """Offer the levels of the protocol where the dose has any."""
        self._told = facts.told
        self._level.setVisible(facts.line.cycle > 1)
        levels = [str(doses.level) for doses in facts.protocol.regimen.levels]
        self._level.set_choices(
            [(AS_ORDERED, "As ordered"), *((level, f"Level {level}".replace("-", "−")) for level in levels)]
        )
        if not self._level.value():
            self._level.set_value(AS_ORDERED)

    def ask(self) -> None:
        """Try what is typed."""
        values = self.form.values()
        level = values["what_if_level"]
        form = WhatIfForm(
            self.dose_id,
            values["what_if_weight_kg"],
            values["what_if_planned_on"],
            "" if level == AS_ORDERED else level,
        )
        desk = self.office.desk

        def question(reader: Reader) -> Tried:
            return Tried(what_if(desk, reader, WhatIfForm(form.dose_id)).decision, what_if(desk, reader, form))

        self.office.ask(question, self._tried, self._not_tried)

    def _tried(self, answer: Tried) -> None:
        now, tried = answer.now, answer.tried.decision
        self.form.clear_faults()
        steps = readable(tried.steps)
        planned = tried.planned_mg
        self._numbers["planned"].set_number(*(("–",) if planned is None else (show(planned), "mg", steps)))
        bsa = tried.bsa_m2
        self._numbers["bsa"].set_number(*(("–",) if bsa is None else (show(bsa, 4), "m²", steps[1:2])))
        compared = tried.prescribed
        if compared is None or compared.percent is None:
            self._numbers["difference"].set_number("–")
        else:
            step = percent_step(
                "prescribed against planned",
                Named("prescribed", show(compared.mg), "mg"),
                Named("planned", show(compared.base_mg, 8), "mg"),
                compared.percent,
                "8.1.3",
            )
            self._numbers["difference"].set_number(show_percent(compared.percent).removesuffix(" %"), "%", (step,))
        appear = readable_findings(only_in(tried.findings, now.findings))
        self._appear.set_findings(appear, can_override=False, explain=self._told)
        self._appear.setVisible(bool(appear))
        gone = only_in(now.findings, tried.findings)
        self._gone.setText(
            "\n".join(f"No longer said: {finding.rule}, {LOOK[finding.severity][0].lower()}." for finding in gone)
        )
        self._gone.setVisible(bool(gone))
        self._outcome.setText(_say_outcome(appear, gone, tried))
        self._answer.show()

    def _not_tried(self, trouble: Exception) -> None:
        self._answer.hide()
        faults = trouble.faults if isinstance(trouble, Refused) else ()
        names = {field.name for field in self.form.fields()}
        self.form.show_faults(
            [
                replace(fault, field=f"what_if_{fault.field}" if f"what_if_{fault.field}" in names else "")
                for fault in faults
            ]
        )
        if not faults:
            self.office.say_trouble(trouble)

    def _show(self, opened: bool) -> None:
        self._inside.setVisible(opened)
        self.opener.set_icon("chevron-down" if opened else "chevron-right", "muted")
        self.opener.setAccessibleDescription(
            "Opened" if opened else "Press Space to try another weight, date or level."
        )


def _say_outcome(appear: tuple[Finding, ...], gone: tuple[Finding, ...], tried: DoseDecision) -> str:
    goes_on = "The dose could go on." if tried.may_go_on else "The dose would be stopped."
    changes = "The rules say nothing else than now." if not appear and not gone else ""
    if appear:
        changes = f"{len(appear)} more finding{'' if len(appear) == 1 else 's'} than now:"
    return f"{goes_on} {changes}".strip()
