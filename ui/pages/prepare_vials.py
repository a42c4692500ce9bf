"""Step 4 of *Prepare*: choose a plan, scan each vial of it, look at bag and tolerance, sign calculation and plan."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.findings import Finding, Named, Severity, Step
from pharmacy_app.domain.planning import (
    PASSED_OVER_REASONS,
    Plan,
    Plans,
    UsableVial,
    VialDraw,
    passed_over_finding,
)
from pharmacy_app.domain.settings import StudySettings
from pharmacy_app.domain.tolerance import Budget, Part, show_part
from pharmacy_app.domain.units import show, show_mg, show_percent
from pharmacy_app.domain.vials import Vial
from pharmacy_app.services.behind import Thing
from pharmacy_app.services.desk import Credentials
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.preparation import (
    ReserveForm,
    ScanForm,
    budget_of,
    check_scan,
    left_behind,
    plan_of,
    proposals,
    reserve,
    take_instead,
)
from pharmacy_app.services.printing import unit_ranges
from ui.office import Office
from ui.pages.figure import lead_rows
from ui.pages.prepare_numbers import NumberGrid
from ui.pages.prepare_step import Facts, StepPanel, Told, say_day, say_moment, sentences, split_faults
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text, announce, clear_layout
from ui.widgets.fields import ChoiceField, Form, NoteField, ScanField
from ui.widgets.findings import FindingList
from ui.widgets.panels import Banner, Card, KeyValues, SignatureBox
from ui.widgets.tables import Column, DataTable, RowTableModel
from ui.widgets.working import NumberButton


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One way to make up the dose, as a row."""

    place: str
    vials: str
    count: int
    lots: str
    waste: str
    expires_on: date | None
    plan: Plan


@dataclass(frozen=True, slots=True)
class DrawRow:
    """One vial of the chosen plan: what it must be, and the vial scanned for it."""

    scanned: str
    kind: str
    expires_on: date
    place: str
    draw: str


def scanned_vial(row: DrawRow) -> Thing | None:
    """The vial that was scanned for a line of the plan."""
    unit_number = row.scanned.partition("✓ ")[2]
    return Thing(unit_number) if unit_number else None


PLAN_COLUMNS = (
    Column("place", "Plan", width=110),
    Column("vials", "Vials", stretch=True),
    Column("count", "Number", numeric=True),
    Column("waste", "Waste", numeric=True, width=100),
    Column("lots", "Lots", stretch=True),
    Column("expires_on", "First expiry", write=say_day, width=132),
)


LOOK_ALIKE = "A33"
"""The note on the drug whose name is taken for the study's: it stands where the vials are fetched."""


def say_numbers(part: Part) -> str:
    """The two numbers of a part, e.g. ``unrounded 1.4588 → prescribed 1.61 mg``; one that is not known is left out."""
    both = ((part.before_name, part.before), (part.after_name, part.after))
    return f"{' → '.join(f'{name} {show(value, 4)}' for name, value in both if value is not None)} {part.unit}"


class BudgetCard(Card):
    """How much of the tolerance is spent before anything is mixed: its parts, and in words what is left."""

    def __init__(self, *, name: str) -> None:
        super().__init__(
            "Tolerance before mixing",
            "What rounding, order and syringe spend of the difference that makes a medication error (§ 8.1.3).",
            name=f"{name}_budget_card",
        )
        self._spent = Text("", "strong", name=f"{name}_budget_spent")
        self._working = Text("", "muted", name=f"{name}_budget_working")
        self._table = QWidget()
        self._table.setObjectName(f"{name}_budget")
        self._grid = QGridLayout(self._table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACE_M)
        self._grid.setVerticalSpacing(SPACE_S)
        self._grid.setColumnStretch(2, 1)
        for widget in (self._spent, self._table, self._working):
            self.add(widget)

    def show_budget(self, budget: Budget) -> None:
        """Show a budget; what another formula would give stands last, for information."""
        clear_layout(self._grid)
        top, right = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight
        for at, part in enumerate((*budget.parts, budget.formula)):
            percent = Text(show_part(part), "strong", wrap=False)
            percent.setAccessibleName(f"{part.kind.value}: {percent.text()}")
            self._grid.addWidget(Text(f"{part.kind.value[:1].upper()}{part.kind.value[1:]}", wrap=False), at, 0, top)
            self._grid.addWidget(percent, at, 1, right)
            self._grid.addWidget(Text(f"{say_numbers(part)}; {part.formula}", "muted"), at, 2, top)
        limit, spent = f"{show(budget.limit_percent)} %", show_percent(budget.spent_percent).removeprefix("+")
        left = show_percent(budget.left_percent).removeprefix("+")
        over = budget.left_percent <= 0
        self._spent.setText(
            f"{spent} of {limit} spent: nothing is left." if over else f"{spent} of {limit} spent, {left} left."
        )
        self._spent.set_tone("stop" if over else "warn" if budget.finding is not None else "")
        unknown = f" Not known and not counted: {', '.join(budget.unknown)}." if budget.unknown else ""
        self._working.setText(f"Spent: {budget.working}.{unknown}")


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What was asked about a plan: its vials, its budget, and the earlier-expiring vials it leaves behind."""

    units: tuple[str, ...]
    budget: Budget
    earlier: tuple[UsableVial, ...]


@dataclass(frozen=True, slots=True)
class Misfit:
    """A scanned vial that the plan does not take, and the plan that would: the person decides."""

    form: ScanForm
    refused: Refused
    plan: Plan


@dataclass(frozen=True, slots=True)
class Offered:
    """The plans of what is usable, and the released vials that are not: their labels were not scanned yet."""

    plans: Plans
    unscanned: tuple[str, ...]


def _tone(row: DrawRow) -> str:
    return "ok" if "✓" in row.scanned else ""


DRAW_COLUMNS = (
    Column("scanned", "Vial, in this order", width=156, tone=_tone),
    Column("kind", "Strength and lot", stretch=True),
    Column("expires_on", "Expires", write=say_day, width=120),
    Column("draw", "Draw", width=164),
    Column("place", "Place", width=120),
)


def say_vials(plan: Plan) -> str:
    """How many vials of each strength, e.g. ``1 × 4 mg + 2 × 1 mg``."""
    strengths = sorted({draw.strength_mg for draw in plan.draws}, reverse=True)
    return " + ".join(f"{plan.count(strength)} × {show_mg(strength)}" for strength in strengths)


def plan_rows(plans: Sequence[Plan]) -> list[PlanRow]:
    """The plans as rows, the best first."""
    return [
        PlanRow(
            "Best" if at == 0 else f"Other {at}",
            say_vials(plan),
            len(plan.draws),
            ", ".join(sorted({draw.lot for draw in plan.draws})),
            show_mg(plan.waste_mg),
            plan.earliest_expiry,
            plan,
        )
        for at, plan in enumerate(plans)
    ]


def say_unscanned(units: tuple[str, ...]) -> str:
    """Which released vials are not offered, and what makes them usable."""
    many = "1 vial is" if len(units) == 1 else f"{len(units)} vials are"
    return f"{many} not offered until the label on each is scanned under Labels: {unit_ranges(units)}."


def draw_row(order: int, draw: VialDraw, scanned: str) -> DrawRow:
    """One draw as a row."""
    return DrawRow(
        f"{order}.  ✓ {scanned}" if scanned else f"{order}.  to be scanned",
        f"{show_mg(draw.strength_mg)} · {draw.lot}",
        draw.expires_on,
        draw.place,
        f"{show_mg(draw.draw_mg)} = {draw.shown_ml}",
    )


class BagView(QWidget):
    """The numbers of a plan: drug to draw, diluent, bag, concentration and waste, each with its working."""

    def __init__(self, *, name: str) -> None:
        super().__init__()
        self._numbers = {
            key: NumberButton(caption, name=f"{name}_{key}")
            for key, caption in (
                ("drawn", "Drug to draw"),
                ("diluent", "Diluent to add"),
                ("bag", "Bag volume"),
                ("final", "Final concentration"),
                ("waste", "Waste"),
                ("extractable", "Extractable from these vials"),
            )
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(NumberGrid(tuple(self._numbers.values())))

    def show_plan(self, plan: Plan, settings: StudySettings) -> None:
        """Show a plan's numbers."""
        numbers = self._numbers
        draws = tuple(
            Step(
                f"volume of vial {at}",
                "mg to draw ÷ mg/mL after reconstitution, as signed",
                (
                    Named("to draw", show(draw.draw_mg), "mg"),
                    Named("strength", show(draw.strength_mg), "mg"),
                    Named("after reconstitution", _concentration(settings, draw.strength_mg), "mg/mL"),
                ),
                _read(draw.draw_ml, 4),
                "mL",
                "8.1.2",
            )
            for at, draw in enumerate(plan.draws, start=1)
        )
        total = Step(
            "drug to draw",
            "sum of the volumes",
            tuple(Named(step.name, show(step.result), "mL") for step in draws),
            _read(plan.drawn_ml, 4),
            "mL",
            "8.1.2",
        )
        numbers["drawn"].set_number(show(plan.drawn_ml, 2), "mL", (*draws, total), note="read to 0.01 mL")
        waste = Step(
            "waste",
            "extractable mg of the opened vials − dose",
            (Named("extractable", show(plan.extractable_mg), "mg"), Named("dose", show(plan.dose_mg), "mg")),
            plan.waste_mg,
            "mg",
            "8.1.2",
        )
        numbers["waste"].set_number(show(plan.waste_mg, 4), "mg", (waste,))
        extractable = Step(
            "extractable",
            "signed extractable mg, added up",
            tuple(
                Named(f"vial {at}", _extractable(settings, draw.strength_mg), "mg")
                for at, draw in enumerate(plan.draws, start=1)
            ),
            plan.extractable_mg,
            "mg",
            "8.1.2",
        )
        numbers["extractable"].set_number(show(plan.extractable_mg), "mg", (extractable,))
        bag = plan.bag
        if bag is None:
            for key in ("diluent", "bag", "final"):
                numbers[key].set_number("–", note="not signed")
            return
        numbers["bag"].set_number(show(bag.bag_volume_ml), "mL", note=bag.diluent)
        diluent = Step(
            "diluent to add",
            "bag volume − drug to draw",
            (Named("bag volume", show(bag.bag_volume_ml), "mL"), Named("drug to draw", show(bag.drawn_ml, 4), "mL")),
            _read(bag.diluent_to_add_ml, 4),
            "mL",
            "8.1.2",
        )
        numbers["diluent"].set_number(show(bag.diluent_to_add_ml, 2), "mL", (diluent,), note=bag.diluent)
        limits = settings.bag.value if settings.bag else None
        allowed = f"allowed {show(limits.min_mg_per_ml)} to {show(limits.max_mg_per_ml)} mg/mL" if limits else ""
        final = Step(
            "final concentration",
            f"dose ÷ bag volume; {allowed}",
            (Named("dose", show(plan.dose_mg), "mg"), Named("bag volume", show(bag.bag_volume_ml), "mL")),
            _read(bag.final_mg_per_ml, 6),
            "mg/mL",
            "8.1.2",
        )
        numbers["final"].set_number(show(bag.final_mg_per_ml, 6), "mg/mL", (final,), note=allowed)


def _read(value: Decimal, places: int) -> Decimal:
    return Decimal(show(value, places).replace(",", ""))


def _concentration(settings: StudySettings, strength_mg: Decimal) -> str:
    signed = settings.vial(strength_mg)
    return show(signed.value.concentration_mg_per_ml) if signed else "not signed"


def _extractable(settings: StudySettings, strength_mg: Decimal) -> str:
    signed = settings.vial(strength_mg)
    return show(signed.value.extractable_mg) if signed else "not signed"


def plan_record(facts: Facts, office: Office, zone: Any) -> QWidget:
    """The signed plan, to look back at."""
    plan = plan_of(facts.thread)
    record = QWidget()
    column = QVBoxLayout(record)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(SPACE_M)
    card = Card("Vials of this dose", name="planned_vials_card")
    model = RowTableModel(
        DRAW_COLUMNS, [draw_row(at, draw, draw.unit_number) for at, draw in enumerate(plan.draws, start=1)]
    )
    table = DataTable(model, name="planned_vials", label="Vials of this dose", sortable=False)
    table.setFixedHeight(36 * (len(plan.draws) + 1) + 8)
    lead_rows(office, table, thing=scanned_vial)
    card.add(table)
    bag = BagView(name="planned")
    bag.show_plan(plan, facts.settings)
    card.add(bag)
    signed = facts.signed_plan
    card.add(
        KeyValues(
            [
                ("Planned by", facts.thread.planned_by),
                ("Signed", f"{say_moment(signed.recorded_at, zone)}: {'; '.join(signed.signatures)}" if signed else ""),
                ("Reason for going on", facts.thread.plan["reason"] or "none was needed"),
                ("Earlier-expiring vials passed over", facts.thread.plan.get("passed_over_reason") or "none"),
            ]
        )
    )
    column.addWidget(card)
    if plan.findings:
        said = Card("What the rules say")
        said.add(FindingList(plan.findings, name="planned_findings", explain=facts.told))
        column.addWidget(said)
    if "budget" in facts.thread.plan:
        budget = BudgetCard(name="planned")
        budget.show_budget(from_plain(Budget, facts.thread.plan["budget"]))
        column.addWidget(budget)
    return record


class VialsPanel(StepPanel):
    """Choose the plan, scan its vials, sign. What was scanned is kept until it is signed or thrown away."""

    def __init__(self, office: Office, dose_id: str) -> None:
        super().__init__(office, dose_id, "prepare_vials")
        self._settings: StudySettings | None = None
        self._told: Told | None = None
        self._plan: Plan | None = None
        self._scanned: list[Vial] = []
        self._waiting: deque[tuple[str, bool]] = deque()
        self._checking = False
        self._offer: Misfit | None = None
        self._focus_wanted = False

        plans = Card(
            "Ways to make up the dose", "Least waste first, then fewest vials, then earliest expiry.", name="plans_card"
        )
        self._plans_model = RowTableModel(PLAN_COLUMNS)
        self._plans_table = DataTable(
            self._plans_model,
            name="plans",
            label="Ways to make up the dose",
            sortable=False,
            empty_text="There is no way to make up this dose from what is usable. The findings say why.",
        )
        self._plans_table.row_chosen.connect(self._plan_chosen)
        plans.add(self._plans_table)
        self._unscanned = Banner("info", "", word="Labels not scanned", name="vials_unscanned")
        self._unscanned.hide()
        plans.add(self._unscanned)
        self._findings = FindingList(name="plan_findings", empty_text="")
        plans.add(self._findings)

        self._make_scan_card()
        self.signature = SignatureBox(
            "Sign calculation and plan",
            "I calculated this dose and planned these vials. The vials are reserved for it with this signature.",
            "Sign and reserve the vials",
            name="plan_signature",
        )
        self.signature.set_user(office.session.user_name, fixed=True)
        self.signature.sign_requested.connect(self.sign)
        self._why = Text(office.why_not("vials_reserved"), "muted", name="vials_why")
        self._allowed = office.may("vials_reserved")
        self._why.setVisible(not self._allowed)
        self._budget = BudgetCard(name="plan")
        self._budget.hide()
        for widget in (plans, self._scan_card, self._budget, self.signature, self._why):
            self.body.addWidget(widget)
        self._scan_card.hide()
        self.signature.hide()
        self.form.hide()
        self.hold(False)
        self.scan.editor().setEnabled(self._allowed)

    def _make_scan_card(self) -> None:
        self._scan_card = Card("Vials to scan", name="scan_card")
        self._progress = Text("", "strong", name="scan_progress")
        self._again = Button("&Start scanning again", name="scan_again", kind="quiet", icon="refresh")
        self._again.clicked.connect(self.scan_again)
        self._scan_card.head.addWidget(self._progress)
        self._scan_card.head.addWidget(self._again)
        self.scan = ScanField("unit_number", "Scan or &type a unit number", collects=True)
        self.scan.scanned.connect(self.take_scan)
        self._scan_trouble = Banner("stop", "", word="Not this vial", name="scan_trouble")
        self._scan_trouble.hide()
        self._look_alike = Banner("info", "", word="Look-alike", name="look_alike")
        self._look_alike.hide()
        self._draws_model = RowTableModel(DRAW_COLUMNS)
        self._draws_table = DataTable(self._draws_model, name="draws", label="Vials of the plan", sortable=False)
        lead_rows(self.office, self._draws_table, thing=scanned_vial)
        self.instead = Button("Take it &instead", name="take_instead")
        self.instead.clicked.connect(self.take_instead)
        self.instead.hide()
        beside = QHBoxLayout()
        beside.addWidget(self.instead)
        beside.addStretch(1)
        self._scan_card.add(self._look_alike)
        self._scan_card.add(self.scan)
        self._scan_card.add(self._scan_trouble)
        self._scan_card.body.addLayout(beside)
        self._scan_card.add(self._draws_table)
        self._bag = BagView(name="plan")
        self._scan_card.add(self._bag)
        self.form = Form(columns=1, name="plan_form")
        self._reason = NoteField(
            "reason",
            "Re&ason for going on",
            required=True,
            lines=2,
            hint="The plan has a warning: what you type here stands on the record.",
        )
        self.form.add(self._reason)
        self._scan_card.add(self.form)
        self._earlier = Banner("warn", "", word="Expires earlier", name="earlier_expiring")
        self._earlier.hide()
        self._scan_card.add(self._earlier)
        self.earlier_form = Form(columns=1, name="earlier_form")
        self._earlier_reason = ChoiceField(
            "passed_over_reason",
            "&Why not those first",
            [(reason, f"{reason[:1].upper()}{reason[1:]}") for reason in PASSED_OVER_REASONS],
            required=True,
        )
        self._earlier_note = NoteField("passed_over_note", "&More about it", lines=2, hint="Needed with “other”.")
        self.earlier_form.add(self._earlier_reason)
        self.earlier_form.add(self._earlier_note)
        self.earlier_form.hide()
        self._scan_card.add(self.earlier_form)

    def is_dirty(self) -> bool:
        """Whether vials were scanned or a reason was typed."""
        return bool(self._scanned) or bool(self._reason.value()) or bool(self._earlier_note.value())

    def focus_first(self) -> None:
        """The scanner's field, or the password when all is scanned; the plans may still be on their way."""
        if self._plan is None:
            self._focus_wanted = True
        elif len(self._scanned) == len(self._plan.draws):
            self.focus_on(self.signature.password)
        elif self._allowed:
            self.focus_on(self.scan)

    def show_facts(self, facts: Facts) -> None:
        """Ask for the plans as stock is now."""
        self._settings, self._told = facts.settings, facts.told
        desk, dose_id = self.office.desk, self.dose_id

        def question(reader: Reader) -> Offered:
            waiting = tuple(vial.unit_number for vial in reader.unscanned_vials() if vial.state == "available")
            return Offered(proposals(desk, reader, dose_id), waiting)

        self.office.ask(question, self._planned, self.ask_failed)

    def _planned(self, offered: Offered) -> None:
        plans, chosen = offered.plans, self._plan
        self._unscanned.set_message("info", say_unscanned(offered.unscanned), word="Labels not scanned")
        self._unscanned.setVisible(bool(offered.unscanned))
        known = [plan for plan in plans.plans if chosen and _units(plan) == _units(chosen)]
        if known:
            self._plan = known[0]
        elif not self._scanned:
            self._plan = plans.best
        # With vials in hand the plan they were scanned for stays; every check is made again at the signature.
        rows = plan_rows(plans.plans)
        self._plans_table.blockSignals(True)
        self._plans_model.set_rows(rows)
        self._plans_table.setFixedHeight(36 * (max(len(rows), 1) + 1) + 4)
        self._plans_table.setMinimumHeight(36 * (max(len(rows), 1) + 1) + 4)
        for at, row in enumerate(rows):
            if self._plan is not None and _units(row.plan) == _units(self._plan):
                self._plans_table.selectRow(at)
        self._plans_table.blockSignals(False)
        self._show_plan(plans.findings)
        if self._focus_wanted and self.isVisible():
            self._focus_wanted = False
            self.focus_first()

    def _plan_chosen(self, row: PlanRow) -> None:
        if self._plan is not None and _units(row.plan) == _units(self._plan):
            return
        if self._scanned:
            self._say_scan("Another plan was chosen: scan its vials from the first one on.", "info", "Note")
        self._scanned = []
        self._offer_instead(None)
        self._plan = row.plan
        self._show_plan(())

    def _show_plan(self, more: Sequence[Finding]) -> None:
        plan = self._plan
        said = (*more, *(plan.findings if plan else ()))
        findings = tuple(finding for finding in said if finding.rule != LOOK_ALIKE)
        self._findings.set_findings(findings, can_override=False, explain=self._told)
        self._findings.setVisible(bool(findings))
        alike = [finding.sentence for finding in said if finding.rule == LOOK_ALIKE]
        self._look_alike.setVisible(bool(alike))
        self._look_alike.set_message("info", " ".join(alike), word="Look-alike")
        self._scan_card.setVisible(plan is not None)
        self.signature.setVisible(plan is not None and self._allowed)
        if plan is None or self._settings is None:
            return
        self._bag.show_plan(plan, self._settings)
        self._ask_budget(plan)
        warned = any(finding.severity is Severity.WARN for finding in plan.findings)
        self.form.setVisible(warned)
        self._show_scans()

    def _ask_budget(self, plan: Plan) -> None:
        """Ask what the chosen plan spends of the tolerance, and which vials that expire earlier it leaves behind."""
        desk, dose_id, units = self.office.desk, self.dose_id, _units(plan)

        def question(reader: Reader) -> PlanFacts:
            return PlanFacts(units, budget_of(reader, dose_id, units), left_behind(desk, reader, dose_id, units))

        self.office.ask(question, self._got_budget, self.ask_failed)

    def _got_budget(self, facts: PlanFacts) -> None:
        if self._plan is None or _units(self._plan) != facts.units:
            return
        self._budget.show_budget(facts.budget)
        self._budget.show()
        self._show_earlier(passed_over_finding(facts.earlier, "").sentence if facts.earlier else "")

    def _show_earlier(self, sentence: str) -> None:
        """Say which vials are passed over and ask why; '' when there are none."""
        self._earlier.set_message("warn", sentence, word="Expires earlier")
        self._earlier.setVisible(bool(sentence))
        self.earlier_form.setVisible(bool(sentence))

    def _show_scans(self) -> None:
        plan = self._plan
        if plan is None:
            return
        assigned = self.assigned()
        self._draws_model.set_rows(
            [draw_row(at, draw, assigned[at - 1]) for at, draw in enumerate(plan.draws, start=1)]
        )
        self._draws_table.setFixedHeight(36 * (len(plan.draws) + 1) + 8)
        done, total = len(self._scanned), len(plan.draws)
        self._progress.setText(f"{done} of {total} scanned")
        self._progress.set_tone("ok" if done == total else "")
        self._again.setVisible(bool(done))

    def assigned(self) -> tuple[str, ...]:
        """For each draw of the plan the vial scanned for it, '' where none is yet.

        A draw takes any vial of its strength and lot, so the order of scanning does not change the volumes.
        """
        left = list(self._scanned)
        units = []
        for draw in self._plan.draws if self._plan else ():
            fits = next((vial for vial in left if (vial.strength_mg, vial.lot) == (draw.strength_mg, draw.lot)), None)
            if fits is not None:
                left.remove(fits)
            units.append(fits.unit_number if fits else "")
        return tuple(units)

    # -- scanning: one after the other, so that each is checked against all before it

    def take_scan(self, text: str) -> None:
        """Take one scan or typed number."""
        self._take(text, by_hand=self.scan.by_hand)

    def _take(self, text: str, *, by_hand: bool) -> None:
        self._waiting.append((text, by_hand))
        self._next_scan()

    def scan_again(self) -> None:
        """Put all vials aside and begin anew."""
        self._scanned = []
        self._offer_instead(None)
        self._scan_trouble.hide()
        self._show_scans()
        self.scan.setFocus()

    def take_instead(self) -> None:
        """Take the vial that did not fit in the place of one of its strength that was not scanned yet."""
        offer = self._offer
        self._offer_instead(None)
        if offer is None or self._plan is None or offer.form.proposed != _units(self._plan):
            return
        self._plan = offer.plan
        self._plans_table.blockSignals(True)
        self._plans_table.clearSelection()
        self._plans_table.blockSignals(False)
        self._show_plan(())
        self._take(offer.form.text, by_hand=offer.form.by_hand)

    def _offer_instead(self, offer: Misfit | None) -> None:
        self._offer = offer
        self.instead.setVisible(offer is not None)

    def _next_scan(self) -> None:
        if self._checking or not self._waiting or self._plan is None:
            return
        self._checking = True
        self._offer_instead(None)
        desk = self.office.desk
        text, by_hand = self._waiting.popleft()
        form = ScanForm(
            self.dose_id,
            _units(self._plan),
            tuple(vial.unit_number for vial in self._scanned),
            text,
            by_hand,
            self.office.sends_separator,
        )

        def question(reader: Reader) -> tuple[ScanForm, Vial] | Misfit:
            try:
                return form, check_scan(desk, reader, form)
            except Refused as refused:
                try:
                    return Misfit(form, refused, take_instead(desk, reader, form))
                except Refused:
                    raise refused from None

        self.office.ask(question, self._scan_fits, self._scan_refused)

    def _scan_fits(self, answer: tuple[ScanForm, Vial] | Misfit) -> None:
        if isinstance(answer, Misfit):
            self._offer_instead(answer)
            self._scan_refused(answer.refused)
            return
        form, vial = answer
        self._checking = False
        # A plan chosen meanwhile has begun its own scanning.
        if self._plan is not None and form.proposed == _units(self._plan):
            self._scanned.append(vial)
            self._say_scan(f"Vial {vial.unit_number}, {show_mg(vial.strength_mg)}, lot {vial.lot}.", "ok", "Fits")
            self._show_scans()
            if len(self._scanned) == len(self._plan.draws) and not self._waiting:
                self.focus_first()
        self._next_scan()

    def _scan_refused(self, trouble: Exception) -> None:
        self._checking = False
        text = sentences(trouble.faults) if isinstance(trouble, Refused) else str(trouble)
        self._say_scan(text, "stop", "Not this vial")
        QApplication.beep()
        self._next_scan()

    def _say_scan(self, text: str, kind: str, word: str) -> None:
        self._scan_trouble.set_message(kind, text, word=word)
        self._scan_trouble.show()
        announce(self.scan, f"{word}. {text}")

    # -- the act

    def hold(self, held: bool) -> None:
        """Hold the signature."""
        self.signature.set_busy(held or not self._allowed)

    def sign(self, user: str, password: str) -> None:
        """Reserve the scanned vials and sign."""
        if self._plan is None:
            return
        desk, act = self.office.desk, self.act()
        reason = self._reason.value() if not self.form.isHidden() else ""
        earlier = self.earlier_form.values() if not self.earlier_form.isHidden() else {}
        scanned = tuple(unit for unit in self.assigned() if unit)
        form = ReserveForm(self.dose_id, _units(self._plan), scanned, reason, **earlier)
        credentials = Credentials(user, password)

        def work() -> str:
            reserve(desk, act, form, credentials)
            return form.dose_id

        self.start(work, "Reserving the vials")

    def recorded(self, _result: Any) -> None:
        """The numbers leave the screen now: the second check is blind."""
        self.signature.set_fault("")
        self._scanned = []
        self.office.messages.ok(f"The vials of dose {self.dose_id} are reserved. Next: the second person's check.")

    def refused(self, refused: Refused) -> None:
        """Show each fault where it belongs."""
        signed, others = split_faults(refused.faults, "password", "user_name")
        reason, others = split_faults(others, "reason")
        scans, others = split_faults(others, "unit_number")
        earlier, others = split_faults(others, "passed_over_reason", "passed_over_note")
        self.signature.set_fault(sentences(signed))
        if reason:
            self.form.show_faults(reason)
        if scans:
            self._say_scan(sentences(scans), "stop", "Vials")
        if earlier:
            # A vial that expires earlier may have come into stock since the plan was chosen.
            self.earlier_form.show()
            self.earlier_form.show_faults(earlier)
        self.say_trouble(others)

    def ask_failed(self, trouble: Exception) -> None:
        """The plans could not be made."""
        super().ask_failed(trouble)
        self._scan_card.hide()
        self._budget.hide()
        self.signature.hide()


def _units(plan: Plan) -> tuple[str, ...]:
    return tuple(draw.unit_number for draw in plan.draws)
