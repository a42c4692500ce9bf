"""Step 3 of *Prepare*: the decision with every number open to its working, and written decisions to go on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.dosing import DoseDecision, UsedWeight, Weight
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.findings import Finding, Named, Severity, Step
from pharmacy_app.domain.request import DoseRequest, Height
from pharmacy_app.domain.units import show, show_kg, show_percent
from pharmacy_app.services.behind import Amount, Entry
from pharmacy_app.services.desk import today_of
from pharmacy_app.services.doses import (
    Decided,
    DecideForm,
    OverrideTyped,
    decision_of,
    preview,
    record_decision,
    request_of,
    thread_of,
)
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.views import DoseLine, DoseThread
from ui.office import Office
from ui.pages.figure import lead
from ui.pages.prepare_numbers import NumberGrid, percent_step, readable, readable_findings
from ui.pages.prepare_step import Facts, Foot, StepPanel, Told, say_day, split_faults
from ui.pages.prepare_whatif import WhatIfCard
from ui.pages.prepare_written import WrittenDecisionDialog
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text, clear_layout
from ui.widgets.fields import ChoiceField, Form, NoteField
from ui.widgets.findings import FindingList
from ui.widgets.panels import Banner, Card, KeyValues
from ui.widgets.working import NumberButton, WorkingView


@dataclass(frozen=True, slots=True)
class Basis:
    """The facts a decision stands on, as far as the page shows them."""

    planned_on: date
    prescribed_mg: Decimal | None
    height: Height | None
    dosing: Weight | None
    newest: Weight | None
    last_used: UsedWeight | None


def basis_of_request(request: DoseRequest) -> Basis:
    """The basis of a live decision."""
    return Basis(
        request.planned_on,
        request.prescribed_mg,
        request.height,
        request.dosing_weight,
        request.current_weight,
        request.prior_weight_used,
    )


def basis_of_thread(thread: DoseThread) -> Basis:
    """The basis of a recorded decision."""
    facts = thread.decision["facts"]
    return Basis(
        thread.line.planned_on,
        thread.line.prescribed_mg,
        from_plain(Height, facts["height"]) if facts["height"] else None,
        from_plain(Weight, facts["dosing_weight"]) if facts["dosing_weight"] else None,
        from_plain(Weight, facts["current_weight"]) if facts["current_weight"] else None,
        from_plain(UsedWeight, facts["prior_weight_used"]) if facts["prior_weight_used"] else None,
    )


class DecisionView(QWidget):
    """A decision, live or recorded: its numbers, weights, window, findings and working. Signal ``override_asked``."""

    override_asked = Signal(object)

    def __init__(self, *, name: str, can_override: bool) -> None:
        super().__init__()
        self._can_override = can_override
        self._numbers = {
            key: NumberButton(caption, name=f"{name}_{key}")
            for key, caption in (
                ("planned", "Planned dose"),
                ("prescribed", "Prescribed dose"),
                ("difference", "Prescribed against planned"),
                ("per_m2", "Dose of the day"),
                ("bsa", "Body surface area"),
                ("unrounded", "Planned dose, unrounded"),
                ("weight", "Weight used"),
                ("change", "Newest against last used weight"),
                ("age", "Age of the newest weight"),
            )
        }
        dose = Card("The dose", "Press a number to see its working and its section.", name=f"{name}_dose")
        dose.add(NumberGrid(tuple(self._numbers.values())))
        self._facts = KeyValues(name=f"{name}_facts", columns=1)
        dose.add(self._facts)
        self.findings_card = Card("What the rules say", name=f"{name}_findings_card")
        self._findings = FindingList(name=f"{name}_findings")
        self._findings.override_asked.connect(self.override_asked)
        self.findings_card.add(self._findings)
        working = Card("Working", name=f"{name}_working_card")
        self._working = WorkingView(name=f"{name}_working")
        self._no_working = Text("Nothing was calculated; the findings say why.", "muted")
        working.add(self._working)
        working.add(self._no_working)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(dose)
        column.addWidget(self.findings_card)
        column.addWidget(working)
        self._shown: tuple[DoseDecision, Basis, Told] | None = None

    @property
    def first(self) -> QWidget:
        """The number to read first."""
        planned = self._numbers["planned"].button
        return planned if planned.isEnabled() else self.findings_card

    def lead_on(self, office: Office, facts: Facts) -> None:
        """Let the numbers of a recorded decision lead to the entries behind them."""
        of_dose = {"planned": "calculated", "prescribed": "prescribed"}
        seq = facts.thread.decision_seq
        for key, number in self._numbers.items():
            if key in of_dose:
                lead(office, number, Amount(facts.line.dose_id, of_dose[key]))
            elif seq is not None:
                lead(office, number, Entry(seq))

    def show_decision(self, decision: DoseDecision, basis: Basis, told: Told) -> None:
        """Show a decision, its findings explained by ``told``; the same one again changes nothing."""
        if self._shown == (decision, basis, told):
            return
        self._shown = (decision, basis, told)
        steps = readable(decision.steps)
        self._show_dose(decision, basis, steps)
        self._show_weight(decision, basis)
        window = decision.window
        self._facts.set_pairs(
            [
                ("Infusion date", say_day(basis.planned_on)),
                (
                    "Window",
                    f"expected {say_day(window.expected_on)}, from {say_day(window.earliest)}"
                    f" to {say_day(window.latest)}"
                    if window
                    else "none: there is no earlier dose to count from",
                ),
                ("BSA formula", f"{decision.bsa_formula}, as signed" if decision.bsa_formula else "not signed"),
                (
                    "Height",
                    f"{show(basis.height.cm)} cm, measured on {say_day(basis.height.measured_on)}"
                    if basis.height
                    else "not measured",
                ),
            ]
        )
        self._findings.set_findings(readable_findings(decision.findings), can_override=self._can_override, explain=told)
        self._working.set_steps(steps)
        self._no_working.setVisible(not steps)

    def _show_dose(self, decision: DoseDecision, basis: Basis, steps: tuple[Step, ...]) -> None:
        numbers = self._numbers

        def put(key: str, value: Decimal | None, written: str, unit: str, working: Sequence[Step]) -> None:
            numbers[key].set_number("–" if value is None else written, unit if value is not None else "", working)

        put("planned", decision.planned_mg, show(decision.planned_mg or Decimal(0)), "mg", steps)
        numbers["prescribed"].set_number(
            show(basis.prescribed_mg) if basis.prescribed_mg is not None else "–", "mg", note="as ordered"
        )
        per_m2, bsa, unrounded = decision.dose_mg_per_m2, decision.bsa_m2, decision.planned_mg_unrounded
        put("per_m2", per_m2, show(per_m2 or Decimal(0)), "mg/m²", steps[:1])
        put("bsa", bsa, show(bsa or Decimal(0), 4), "m²", steps[1:2])
        put("unrounded", unrounded, show(unrounded or Decimal(0), 6), "mg", steps[:3])
        compared = decision.prescribed
        if compared is None or compared.percent is None:
            numbers["difference"].set_number("–")
        else:
            step = percent_step(
                "prescribed against planned",
                Named("prescribed", show(compared.mg), "mg"),
                Named("planned", show(compared.base_mg, 8), "mg"),
                compared.percent,
                "8.1.3",
            )
            numbers["difference"].set_number(
                show_percent(compared.percent).removesuffix(" %"), "%", (step,), note="against the unrounded dose"
            )

    def _show_weight(self, decision: DoseDecision, basis: Basis) -> None:
        numbers, newest, last = self._numbers, basis.newest, basis.last_used
        if (dosing := basis.dosing) is None:
            numbers["weight"].set_number("–", note="not measured")
        else:
            numbers["weight"].set_number(show(dosing.kg, 3), "kg", note=f"measured on {say_day(dosing.measured_on)}")
        if decision.weight_change_percent is None or newest is None or last is None:
            numbers["change"].set_number("–", note="no weight was used for a dose before")
        else:
            step = percent_step(
                "newest against last used weight",
                Named("newest weight", show(newest.kg), "kg"),
                Named("weight last used", show(last.kg), "kg"),
                decision.weight_change_percent,
                "8.1.3",
            )
            numbers["change"].set_number(
                show_percent(decision.weight_change_percent).removesuffix(" %"),
                "%",
                (step,),
                note=f"last used: {show_kg(last.kg)} on {say_day(last.used_on)}",
            )
        if newest is None:
            numbers["age"].set_number("–")
        else:
            days = (basis.planned_on - newest.measured_on).days
            step = Step(
                "age of the newest weight on the infusion date",
                "infusion date − date of the measurement",
                (
                    Named("infusion date", say_day(basis.planned_on)),
                    Named("measured on", say_day(newest.measured_on)),
                ),
                Decimal(days),
                "day" if days == 1 else "days",
                "8.1.3",
            )
            numbers["age"].set_number(
                str(days), "day" if days == 1 else "days", (step,), note=f"measured on {say_day(newest.measured_on)}"
            )


def decision_record(facts: Facts, office: Office) -> QWidget:
    """The recorded decision, to look back at."""
    record = QWidget()
    column = QVBoxLayout(record)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(SPACE_M)
    view = DecisionView(name="decided", can_override=False)
    view.show_decision(decision_of(facts.thread), basis_of_thread(facts.thread), facts.told)
    view.lead_on(office, facts)
    card = Card("As recorded", name="decided_record")
    decision = facts.thread.decision
    card.add(
        KeyValues(
            [
                ("Decided on", say_day(date.fromisoformat(decision["decided_on"]))),
                ("Weight chosen", decision["weight_choice"]),
                ("Reason for going on", decision["reason"] or "none was needed"),
            ]
        )
    )
    column.addWidget(card)
    column.addWidget(view)
    return record


class DecidePanel(StepPanel):
    """Decide a dose: the preview follows every choice; the record is made by one button.

    Signal ``criteria_asked()`` to go back to the criteria of the day.
    """

    criteria_asked = Signal()

    def __init__(self, office: Office, dose_id: str) -> None:
        super().__init__(office, dose_id, "prepare_decide")
        self._line: DoseLine | None = None
        self._overrides: dict[str, OverrideTyped] = {}
        self._candidate: OverrideTyped | None = None
        self._dialog: WrittenDecisionDialog | None = None
        self._told: Told | None = None
        self._decided: Decided | None = None
        self._focus_wanted = False
        self._stopped = Banner(
            "stop",
            "This dose was stopped. Mend what is named below (the criteria, a new weight, a written decision), then"
            " record the decision again.",
            name="decide_stopped",
        )
        self._stopped.hide()
        self.body.addWidget(self._stopped)

        self._choice = Card("Weight to calculate from", name="decide_weight_card")
        self.form = Form(columns=2, name="decide_form")
        self._weight = ChoiceField("weight_choice", "&Weight")
        self._weight.set_choices([("newest", "Newest")])
        self._weight.set_value("newest")
        self.form.add(self._weight)
        self._new_weight = Button("Record a new wei&ght…", name="decide_new_weight", kind="quiet", icon="subjects")
        self._new_weight.clicked.connect(self._open_subject)
        self._criteria = Button("Criteria of the da&y…", name="decide_criteria", kind="quiet", icon="check")
        self._criteria.clicked.connect(self.criteria_asked)
        self._choice.add(self.form)
        self._choice.hide()
        self.view = DecisionView(name="decide", can_override=office.may("dose_decided"))
        self.view.override_asked.connect(self.ask_override)
        self.view.findings_card.head.addWidget(self._criteria)
        self._taken_back = QWidget()
        self._taken_back_row = QHBoxLayout(self._taken_back)
        self._taken_back_row.setContentsMargins(0, 0, 0, 0)
        self._taken_back_row.setSpacing(SPACE_S)
        self._what_if = WhatIfCard(office, dose_id)
        last = Card(name="decide_last")
        self.reason_form = Form(columns=1, name="decide_reason_form")
        self._reason = NoteField(
            "reason",
            "Re&ason for going on",
            required=True,
            lines=2,
            hint="There are warnings: what you type here stands on the record and the worksheet.",
        )
        self.reason_form.add(self._reason)
        self._button = Button("&Record the decision", name="decide_record", kind="primary")
        self._button.clicked.connect(self.record)
        self._foot = Foot(self._button, self._new_weight, name="decide")
        last.add(self.reason_form)
        last.add(self._foot)
        self.body.addWidget(self._choice)
        self.body.addWidget(self.view)
        self.body.addWidget(self._taken_back)
        self.body.addWidget(self._what_if)
        self.body.addWidget(last)
        self._taken_back.hide()
        self.view.hide()
        self._button.setEnabled(False)
        self._allowed = self.permit("dose_decided", self._foot)
        self._weight.changed.connect(self.ask_preview)

    def is_dirty(self) -> bool:
        """Whether written decisions, a reason or another weight were chosen."""
        return bool(self._overrides) or bool(self._reason.value()) or self._weight.value() != "newest"

    def focus_first(self) -> None:
        """The numbers come first: nobody records a decision by an Enter too many."""
        if self._decided is None:
            self._focus_wanted = True
        else:
            self.focus_on(self.view.first)

    def show_facts(self, facts: Facts) -> None:
        """Show the order's standing and ask for the decision as it would be now."""
        self._line, self._told = facts.line, facts.told
        self._what_if.show_facts(facts)
        self._stopped.setVisible(facts.line.status == "stopped")
        self.ask_preview()

    def typed(self) -> DecideForm:
        """The form as it stands."""
        return DecideForm(
            self.dose_id,
            self._weight.value() or "newest",
            tuple(self._overrides.values()),
            self._reason.value() if not self._reason.isHidden() else "",
        )

    def ask_preview(self) -> None:
        """Ask for the decision as it would be now."""
        self._ask(self.typed())

    def _ask(self, form: DecideForm) -> None:
        desk = self.office.desk

        def question(reader: Reader) -> tuple[DecideForm, Decided, DoseRequest]:
            # The newest weight is offered with its value even while another one is chosen, and the other way.
            other = request_of(reader, thread_of(reader, form.dose_id), today_of(desk, reader), "last used", ())
            return form, preview(desk, reader, form), other

        self.office.ask(question, self._previewed, self._not_previewed)

    def _previewed(self, answer: tuple[DecideForm, Decided, DoseRequest]) -> None:
        form, decided, other = answer
        assert self._told is not None
        if self._candidate is not None and self._candidate in form.overrides:
            self._overrides[self._candidate.rule] = self._candidate
            self._candidate = None
            if self._dialog is not None:
                self._dialog.accept()
                self._dialog = None
            self._show_taken_back()
        elif form.weight_choice != self._weight.value():
            return
        self._decided = decided
        self.say_trouble(())
        self._offer_weights(decided.request, other)
        self.view.show_decision(decided.decision, basis_of_request(decided.request), self._told)
        self.view.show()
        goes_on = decided.decision.may_go_on
        warned = goes_on and bool(decided.decision.with_severity(Severity.WARN))
        self.reason_form.setVisible(warned)
        self._reason.setVisible(warned)
        self._button.set_text("&Record the decision" if goes_on else "&Record as stopped")
        self._button.setEnabled(self._allowed and not self.busy)
        if self._allowed:
            self._foot.say("" if goes_on else "A rule refuses this dose. Mend it above, or record that it was stopped.")
        if self._focus_wanted and self.isVisible():
            self._focus_wanted = False
            self.focus_first()

    def _offer_weights(self, request: DoseRequest, other: DoseRequest) -> None:
        newest = request.current_weight
        offered = [
            (
                "newest",
                f"Newest: {show_kg(newest.kg)}, measured on {say_day(newest.measured_on)}"
                if newest
                else "Newest: not measured",
            )
        ]
        if (used := request.prior_weight_used) is not None:
            measured = other.dosing_weight
            when = f"measured on {say_day(measured.measured_on)}" if measured else ""
            offered.append(("last used", f"Last used: {show_kg(used.kg)}, {when}"))
        self._weight.set_choices(offered)
        self._choice.setVisible(len(offered) > 1)
        self._weight.set_read_only(not self._allowed)
        self._weight.set_hint(
            "The protocol leaves the choice to the site, unless the weight changed by more than 10 % (§ 8.1.3)."
        )

    def _not_previewed(self, trouble: Exception) -> None:
        if self._dialog is not None and isinstance(trouble, Refused):
            self._candidate = None
            self._dialog.faults(trouble.faults)
            return
        self.ask_failed(trouble)

    # -- written decisions to go on

    def ask_override(self, finding: Finding) -> None:
        """Open the dialog for one stop."""
        assert self._line is not None
        self._dialog = WrittenDecisionDialog(self.office, finding, self._line, self.now().date(), self.window())
        self._dialog.typed.connect(self._try_override)
        self._dialog.rejected.connect(self._dialog_left)
        self._dialog.open()

    def _try_override(self, override: OverrideTyped) -> None:
        self._candidate = override
        form = self.typed()
        kept = tuple(one for one in form.overrides if one.rule != override.rule)
        self._ask(replace(form, overrides=(*kept, override)))

    def _dialog_left(self) -> None:
        self._dialog = None
        self._candidate = None

    def _show_taken_back(self) -> None:
        clear_layout(self._taken_back_row)
        for rule in self._overrides:
            button = Button(f"Take back the decision on {rule}", name=f"decide_take_back_{rule}", kind="quiet")
            button.setProperty("rule", rule)
            button.clicked.connect(self._take_back)
            self._taken_back_row.addWidget(button)
        self._taken_back_row.addStretch(1)
        self._taken_back.setVisible(bool(self._overrides))

    def _take_back(self) -> None:
        button = self.sender()
        assert button is not None
        self._overrides.pop(str(button.property("rule")), None)
        self._show_taken_back()
        self.ask_preview()

    # -- the act

    def _open_subject(self) -> None:
        if self._line is not None:
            self.office.go.emit("subjects", self._line.subject_number)

    def hold(self, held: bool) -> None:
        """Hold the button."""
        self._button.setEnabled(not held and self._allowed and self._decided is not None)

    def record(self) -> None:
        """Record the decision as it is shown."""
        assert self._decided is not None
        desk, act, form = self.office.desk, self.act(), replace(self.typed(), seen=self._decided.seen)

        def work() -> bool:
            return bool(record_decision(desk, act, form).content["may_go_on"])

        self.start(work, "Recording the decision")

    def recorded(self, result: Any) -> None:
        """Say how it went."""
        if result:
            self._overrides = {}
            self._reason.set_value("")
            self.office.messages.ok(f"The decision on dose {self.dose_id} was recorded. Next: scan its vials.")
        else:
            self.office.messages.warn(f"Dose {self.dose_id} was recorded as stopped. Nothing may be prepared for it.")

    def refused(self, refused: Refused) -> None:
        """Show the reason's fault beside it, all others on top."""
        mine, others = split_faults(refused.faults, "reason")
        if mine:
            self.reason_form.show_faults(mine)
        self.say_trouble(others)
