"""Steps 9 and 10 of *Prepare*: what was given, and closing every opened vial; and the summary of a finished dose."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.comparisons import DoseComparison
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.findings import Finding, Named
from pharmacy_app.domain.medication_errors import StoppedFor
from pharmacy_app.domain.units import KEPT, parse_decimal, show, show_mg, show_percent
from pharmacy_app.services.administration import AdministrationForm, ClosedTyped, CloseForm, administer, close_vials
from pharmacy_app.services.behind import Amount
from pharmacy_app.services.doses import decision_of
from pharmacy_app.services.views import ErrorLine, MgLine
from ui.office import Office
from ui.pages.correction import correction_part
from ui.pages.done_field import LateField
from ui.pages.figure import lead
from ui.pages.prepare_numbers import NumberGrid, percent_step
from ui.pages.prepare_step import (
    Facts,
    Foot,
    StepPanel,
    column_of,
    reminder_card,
    required_moment,
    say_course,
    say_day,
    say_level,
    say_moment,
)
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import AmountField, ChoiceField, DateTimeField, DecimalField, Form, NoteField
from ui.widgets.findings import FindingList
from ui.widgets.panels import Banner, Card, KeyValues
from ui.widgets.working import NumberButton


def amount_or_zero(value: str) -> str:
    """What is wrong with a typed amount that may be zero, '' when nothing is."""
    try:
        parse_decimal(value, field="", name="This", zero_allowed=True)
    except Refused as refused:
        return refused.faults[0].sentence
    return ""


NOT_STOPPED = "not stopped"
STOPPED = (
    (NOT_STOPPED, "No, it ran to its end"),
    (StoppedFor.REACTION.value, "Yes, for a reaction"),
    (StoppedFor.OTHER.value, "Yes, for another reason"),
)
"""Whether the infusion was stopped part-way, and why (RULES A23)."""


class GivePanel(StepPanel):
    """Record what the ward reports."""

    def __init__(self, office: Office, dose_id: str) -> None:
        super().__init__(office, dose_id, "prepare_give")
        self._facts: Facts | None = None
        card = Card("Administration", "As the ward reports it, once the infusion has ended.", name="give_card")
        self._bag = KeyValues(name="give_bag", columns=2)
        self.form = Form(columns=2, name="give_form")
        self.form.add(DateTimeField("started_at", "Infusion &started", required=True, now=self.now))
        self.form.add(DateTimeField("ended_at", "Infusion &ended", required=True, now=self.now))
        ended = self.form.field("ended_at")
        assert isinstance(ended, DateTimeField)
        self.form.add(LateField(office, ended), span=2)
        self.form.add(
            AmountField(
                "given",
                "&Amount given",
                units=("mg", "mL"),
                convert=self._against_prescribed,
                required=True,
                check=amount_or_zero,
                hint="mg of the drug, or mL of the bag.",
            )
        )
        self._stopped = ChoiceField("stopped_for", "Stopped &part-way", STOPPED)
        self._stopped.set_value(NOT_STOPPED)
        self.form.add(self._stopped)
        self.form.add(
            DateTimeField(
                "premedicated_at",
                "Pre&medicated at",
                now=self.now,
                hint="Where the ward reports it; else leave it empty.",
            )
        )
        self.form.end_row()
        self.form.add(NoteField("note", "N&ote", lines=2, hint="For example an interruption, and why."), span=2)
        self._button = Button("&Record the administration", name="give_record", kind="primary")
        self._button.clicked.connect(self.record)
        self._foot = Foot(self._button, name="give")
        card.add(self._bag)
        card.add(self.form)
        card.add(self._foot)
        self.body.addWidget(card)
        self._reminders: QWidget | None = None
        self.form.mark_clean()
        self._allowed = self.permit("dose_administered", self._foot)

    def is_dirty(self) -> bool:
        """Whether anything was typed."""
        return self.form.is_dirty()

    def focus_first(self) -> None:
        """The start of the infusion."""
        self.focus_on(self.form.field("started_at"))

    def show_facts(self, facts: Facts) -> None:
        """Show what the bag held."""
        self._facts = facts
        if self._reminders is None:
            self._reminders = reminder_card(facts, name="give_reminders")
            self.body.addWidget(self._reminders)
        thread = facts.thread
        made = thread.preparation
        self._bag.set_pairs(
            [
                ("Prescribed", show_mg(facts.line.prescribed_mg, None)),
                ("In the bag", f"{show_mg(thread.prepared_mg or Decimal(0), None)} in {made['bag_volume_ml']} mL"),
                ("Released to", thread.released_to),
                ("Released at", say_moment(thread.released_at, self.zone)),
            ]
        )

    def _against_prescribed(self, value: str, unit: str) -> str:
        """The amount in mg and its difference, to be seen before it is recorded; the service judges it."""
        facts = self._facts
        if facts is None or amount_or_zero(value):
            return ""
        given, prepared = Decimal(value), facts.thread.prepared_mg or Decimal(0)
        volume, prescribed = Decimal(facts.thread.preparation["bag_volume_ml"]), facts.line.prescribed_mg
        mg = given if unit == "mg" else KEPT.divide(KEPT.multiply(given, prepared), volume)
        percent = KEPT.multiply(KEPT.divide(KEPT.subtract(mg, prescribed), prescribed), Decimal(100))
        return f"{show_mg(mg)}, {show_percent(percent)} against prescribed."

    def hold(self, held: bool) -> None:
        """Hold the button."""
        self._button.setEnabled(not held and self._allowed)

    def record(self) -> None:
        """Record the administration as typed."""
        values = self.form.values()
        desk, act = self.office.desk, self.act()
        form = AdministrationForm(
            self.dose_id,
            required_moment(values["started_at"]),
            required_moment(values["ended_at"]),
            values["given"],
            values["given_unit"],
            values["note"],
            "" if values["stopped_for"] == NOT_STOPPED else values["stopped_for"],
            values["premedicated_at"],
            values["late_why"],
        )

        def work() -> dict[str, Any]:
            return administer(desk, act, form).content

        self.start(work, "Recording the administration")

    def recorded(self, result: Any) -> None:
        """Say how the amount compares; an error record is said aloud."""
        self.form.mark_clean()
        if error := result["medication_error"]:
            self.office.messages.error(
                f"Medication error {error['error_id']} was opened for dose {self.dose_id}: {error['difference']}"
                " against the prescribed dose. A pharmacist assesses it and signs."
            )
        else:
            self.office.messages.ok(f"The administration of dose {self.dose_id} was recorded. Next: close its vials.")

    def refused(self, refused: Refused) -> None:
        """Show every fault beside its field."""
        self.form.show_faults(refused.faults)


class ErrorBanner(Banner):
    """A medication error of the dose with its record number, in the colour of a stop, and the button to its record."""

    def __init__(self, error: ErrorLine, office: Office, zone: ZoneInfo, *, name: str) -> None:
        super().__init__(
            "stop",
            f"Record {error.error_id}, opened {say_moment(error.opened_at, zone)}, {error.status}. {error.sentence}",
            word="Medication error",
            name=name,
        )
        self._office, self._error_id = office, error.error_id
        self.button = Button("Open the error record", name=f"open_error_{error.error_id}", icon="errors")
        self.button.setAccessibleDescription(f"Record {error.error_id}")
        self.button.clicked.connect(self._open)
        # Beneath the words, so that a narrow window leaves them their width.
        words = QVBoxLayout()
        words.setSpacing(SPACE_S)
        if isinstance(row := self.layout(), QHBoxLayout):
            row.removeWidget(self._text)
            row.addLayout(words, 1)
        words.addWidget(self._text)
        words.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)

    def _open(self) -> None:
        self._office.open_error(self._error_id)


def error_banners(facts: Facts, office: Office, zone: ZoneInfo, *, name: str) -> list[QWidget]:
    """The medication errors of the dose, each with the way to its record."""
    return [ErrorBanner(error, office, zone, name=f"{name}_error") for error in facts.errors]


def given_card(facts: Facts, office: Office, zone: Any, *, name: str) -> Card:
    """What was given against what was prescribed."""
    given = facts.thread.administration
    compared = from_plain(DoseComparison, given["comparison"])
    card = Card("What was given", name=f"{name}_card")
    amount = NumberButton("Administered dose", name=f"{name}_administered")
    amount.set_number(
        show(Decimal(given["administered_mg"]), 4), "mg", note=f"reported as {given['given']} {given['unit']}"
    )
    prescribed = NumberButton("Prescribed dose", name=f"{name}_prescribed")
    prescribed.set_number(show(facts.line.prescribed_mg), "mg", note="as ordered")
    against = NumberButton("Administered against prescribed", name=f"{name}_difference")
    if compared.percent is not None:
        against.set_number(
            show_percent(compared.percent).removesuffix(" %"),
            "%",
            (
                percent_step(
                    "administered against prescribed",
                    Named("administered", show(compared.mg, 8), "mg"),
                    Named("prescribed", show(compared.base_mg), "mg"),
                    compared.percent,
                    "8.1.3",
                ),
            ),
            note=f"reportable at {show(compared.limit_percent)} % or more",
        )
    lead(office, amount, Amount(facts.line.dose_id, "administered"))
    lead(office, prescribed, Amount(facts.line.dose_id, "prescribed"))
    lead(office, against, Amount(facts.line.dose_id, "difference"))
    card.add(NumberGrid((amount, prescribed, against)))
    findings = from_plain(tuple[Finding, ...], given["findings"])
    if findings:
        card.add(FindingList(findings, name=f"{name}_findings", explain=facts.told))
    card.add(
        KeyValues(
            [
                ("Started", say_moment(datetime.fromisoformat(given["started_at"]), zone)),
                ("Ended", say_moment(datetime.fromisoformat(given["ended_at"]), zone)),
                ("Premedicated", _say_premedicated(given.get("premedicated_at"), zone)),
                ("Stopped part-way", _say_stopped(given.get("stopped_for", ""))),
                ("Note", given["note"] or "none"),
            ]
        )
    )
    return card


def _say_premedicated(moment: str | None, zone: Any) -> str:
    """When premedication was given; a record made before it was asked for has none."""
    return say_moment(datetime.fromisoformat(moment), zone) if moment else "not reported"


def _say_stopped(stopped_for: str) -> str:
    if not stopped_for:
        return "no"
    return "yes, for a reaction" if stopped_for == StoppedFor.REACTION else "yes, for another reason"


def given_record(facts: Facts, office: Office, zone: ZoneInfo) -> QWidget:
    """The administration, to look back at; a medication error stands on top."""
    return column_of(
        *error_banners(facts, office, zone, name="given"),
        given_card(facts, office, zone, name="given"),
        *correction_part(
            office, facts.thread.administer_seq, "administration_corrected", facts.corrections, name="given"
        ),
    )


class _VialRow:
    """One opened vial: withdrawn is fixed, residue and discarded are typed, the sum is shown as it grows."""

    def __init__(self, line: MgLine) -> None:
        self.line = line
        unit = line.unit_number
        self.residue = DecimalField(
            f"residue_mg.{unit}", f"Residue in {unit}", unit="mg", required=True, check=amount_or_zero
        )
        self.discarded = DecimalField(
            f"discarded_mg.{unit}", f"Discarded from {unit}", unit="mg", required=True, check=amount_or_zero
        )
        self.sum = Text("", name=f"sum_{unit}")
        self.rest = Button("Discard the rest", name=f"discard_rest_{unit}")
        self.rest.setAccessibleName(f"Discard the rest of {unit}")
        self.rest.clicked.connect(self.discard_rest)

    def typed(self) -> ClosedTyped:
        """The row as the service takes it."""
        return ClosedTyped(self.line.unit_number, self.residue.value(), self.discarded.value())

    def amounts(self) -> tuple[Decimal, Decimal]:
        """Residue and discarded, what cannot be read taken as nothing yet."""
        read = [
            Decimal(field.value()) if field.value() and not amount_or_zero(field.value()) else Decimal(0)
            for field in (self.residue, self.discarded)
        ]
        return read[0], read[1]

    def discard_rest(self) -> None:
        """Put into 'discarded' what is neither withdrawn nor residue."""
        left = self.line.labelled_mg - self.line.withdrawn_mg - self.amounts()[0]
        if not self.residue.value():
            self.residue.set_value("0")
        self.discarded.set_value(show(max(left, Decimal(0))))

    def show_sum(self) -> None:
        """Write how far the vial adds up."""
        residue, discarded = self.amounts()
        total = self.line.withdrawn_mg + residue + discarded
        closed = total == self.line.labelled_mg
        self.sum.setText(
            f"{show_mg(self.line.withdrawn_mg, None)} withdrawn + {show_mg(residue, None)} residue"
            f" + {show_mg(discarded, None)} discarded adds up to {show_mg(total, None)}"
            f" of {show_mg(self.line.labelled_mg, None)}{' – it closes.' if closed else '.'}"
        )
        self.sum.set_tone("ok" if closed else "warn")


class ClosePanel(StepPanel):
    """Close each opened vial in the mg ledger: withdrawn + residue + discarded = labelled content."""

    def __init__(self, office: Office, dose_id: str) -> None:
        super().__init__(office, dose_id, "prepare_close")
        self._rows: list[_VialRow] = []
        self._given: QWidget | None = None
        self._errors: tuple[ErrorLine, ...] = ()
        self._banners: list[QWidget] = []
        self._card = Card(
            "Close the vials",
            "Every opened vial adds up to its labelled content: withdrawn + residue + discarded.",
            name="close_card",
        )
        self.form = Form(columns=2, name="close_form")
        self.form.changed.connect(self._show_sums)
        self._button = Button("Close the &vials", name="close_record", kind="primary")
        self._button.clicked.connect(self.record)
        self._foot = Foot(self._button, name="close")
        self._card.add(self.form)
        self._card.add(self._foot)
        self.body.addWidget(self._card)
        self._allowed = self.permit("vials_closed", self._foot)

    def is_dirty(self) -> bool:
        """Whether any amount was typed."""
        return self.form.is_dirty()

    def focus_first(self) -> None:
        """The first vial's residue."""
        if self._rows:
            self.focus_on(self._rows[0].residue)

    def show_facts(self, facts: Facts) -> None:
        """One group a vial; a medication error above them, what was given beneath."""
        if self._given is None and facts.thread.administration is not None:
            self._given = given_card(facts, self.office, self.zone, name="close_given")
            self.body.addWidget(self._given)
        self._show_errors(facts)
        if self._rows:
            return
        for line in facts.thread.mg:
            if line.residue_mg is not None:
                continue
            row = _VialRow(line)
            self._rows.append(row)
            head = QWidget()
            grid = QGridLayout(head)
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setHorizontalSpacing(SPACE_M)
            grid.addWidget(Text(f"Vial {line.unit_number}, {show_mg(line.labelled_mg)}", "strong"), 0, 0)
            grid.addWidget(row.rest, 0, 1)
            grid.addWidget(row.sum, 1, 0, 1, 2)
            grid.setColumnStretch(0, 1)
            self.form.add_widget(head)
            self.form.add(row.residue)
            self.form.add(row.discarded)
            row.show_sum()
        self.form.mark_clean()

    def _show_errors(self, facts: Facts) -> None:
        """The errors stand above the vials; one that was assessed meanwhile is said as it stands now."""
        if facts.errors == self._errors:
            return
        self._errors = facts.errors
        for banner in self._banners:
            self.body.removeWidget(banner)
            banner.hide()
            banner.deleteLater()
        self._banners = error_banners(facts, self.office, self.zone, name="close_given")
        for banner in reversed(self._banners):
            self.body.insertWidget(1, banner)

    def _show_sums(self) -> None:
        for row in self._rows:
            row.show_sum()

    def hold(self, held: bool) -> None:
        """Hold the button."""
        self._button.setEnabled(not held and self._allowed)

    def record(self) -> None:
        """Close the vials as typed."""
        desk, act = self.office.desk, self.act()
        form = CloseForm(self.dose_id, tuple(row.typed() for row in self._rows))

        def work() -> str:
            close_vials(desk, act, form)
            return form.dose_id

        self.start(work, "Closing the vials")

    def recorded(self, _result: Any) -> None:
        """Say that the mg ledger balances."""
        self.form.mark_clean()
        self.office.messages.ok(f"The vials of dose {self.dose_id} are closed: the mg ledger balances.")

    def refused(self, refused: Refused) -> None:
        """Show every fault beside its field."""
        self.form.show_faults(refused.faults)


def close_record(facts: Facts, office: Office) -> QWidget:
    """The closed mg ledger of the dose."""
    card = Card("mg ledger of the opened vials", name="closed_card")
    pairs = [
        (
            line.unit_number,
            f"{show_mg(line.withdrawn_mg, None)} withdrawn"
            + (
                f" + {show_mg(line.residue_mg, None)} residue"
                f" + {show_mg(line.discarded_mg or Decimal(0), None)} discarded = {show_mg(line.labelled_mg, None)}"
                if line.residue_mg is not None
                else f" of {show_mg(line.labelled_mg, None)}; not closed yet"
            ),
        )
        for line in facts.thread.mg
    ]
    card.add(KeyValues(pairs))
    seq = facts.thread.close_seq
    return column_of(card, *correction_part(office, seq, "closing_corrected", facts.corrections, name="closed"))


def order_record(facts: Facts) -> QWidget:
    """The order, to look back at."""
    line = facts.line
    card = Card("Order", name="ordered_card")
    card.add(
        KeyValues(
            [
                ("Subject", f"{line.subject_number}{f' ({facts.initials})' if facts.initials else ''}"),
                ("Prescriber", line.prescriber),
                ("Ordered on", say_day(line.ordered_on)),
                ("Infusion date", say_day(line.planned_on)),
                ("Treatment", say_course(line)),
                ("Dose level", say_level(line)),
                ("Prescribed dose", show_mg(line.prescribed_mg, None)),
            ]
        )
    )
    return card


def summary(facts: Facts, office: Office, zone: ZoneInfo) -> QWidget:
    """A finished dose on one card: its amounts side by side, and why it ended if it was cancelled."""
    line, thread = facts.line, facts.thread
    parts: list[QWidget] = []
    if line.status == "cancelled":
        parts.append(
            Banner("warn", thread.cancelled_why or "No reason is on record.", word="Cancelled", name="cancelled_why")
        )
    elif line.status == "closed":
        parts.append(
            Banner("ok", "Given, and every vial is closed in the mg ledger.", word="Closed", name="dose_closed")
        )
    card = Card("The dose in numbers", "Open a step above to see how each came about.", name="summary_card")
    amounts = []
    planned = decision_of(thread).planned_mg if thread.decision is not None else None
    given = Decimal(thread.administration["administered_mg"]) if thread.administration is not None else None
    for key, caption, value in (
        ("prescribed", "Prescribed", line.prescribed_mg),
        ("planned", "Planned", planned),
        ("prepared", "Prepared", thread.prepared_mg),
        ("administered", "Administered", given),
    ):
        number = NumberButton(caption, name=f"summary_{key}")
        number.set_number(show(value, 4) if value is not None else "–", "mg" if value is not None else "")
        if value is not None:
            lead(office, number, Amount(line.dose_id, "calculated" if key == "planned" else key))
        amounts.append(number)
    card.add(NumberGrid(amounts, columns=4))
    released = f"{thread.released_by}, {say_moment(thread.released_at, zone)}" if thread.released_by else ""
    card.add(
        KeyValues(
            [
                ("Prescriber", line.prescriber),
                ("Calculated and planned by", thread.planned_by),
                ("Checked by", thread.verified_by),
                ("Prepared by", thread.prepared_by),
                ("Released by", released),
                ("Given on", say_day(line.given_on) if line.given_on else ""),
            ]
        )
    )
    parts.append(card)
    return column_of(*error_banners(facts, office, zone, name="summary"), *parts)
