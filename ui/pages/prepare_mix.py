"""Steps 6 to 8 of *Prepare*: worksheet and mixing, the bag's labels, the release."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.comparisons import DoseComparison
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.findings import Named, Step
from pharmacy_app.domain.planning import BeyondUse
from pharmacy_app.domain.units import show, show_mg, show_percent
from pharmacy_app.domain.vials import Vial
from pharmacy_app.services.behind import Amount, Entry
from pharmacy_app.services.desk import Credentials, today_of
from pharmacy_app.services.labelling import ScanBackForm, scan_back
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.preparation import PrepareForm, ReleaseForm, plan_of, prepare, release
from pharmacy_app.services.printing import Printed, kept_paper, print_worksheet
from pharmacy_app.services.scanning import find_vial, refuse_other_dose
from pharmacy_app.services.views import PrintedLine
from ui.office import Office
from ui.pages.correction import correction_part
from ui.pages.done_field import LateField
from ui.pages.figure import lead
from ui.pages.labels_kept import KeptLabels, KeptLabelsDialog, kept_labels
from ui.pages.prepare_check import plain_number
from ui.pages.prepare_numbers import NumberGrid, percent_step
from ui.pages.prepare_step import (
    Facts,
    Foot,
    ReasonDialog,
    StepPanel,
    column_of,
    reminder_card,
    required_moment,
    say_day,
    say_moment,
    sentences,
    split_faults,
)
from ui.pages.print_labels import print_labels_dialog
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text, announce
from ui.widgets.fields import DateTimeField, DecimalField, Form, ScanField, TextField
from ui.widgets.findings import FindingList
from ui.widgets.panels import Banner, Card, KeyValues, SignatureBox
from ui.widgets.working import NumberButton

WORKSHEET, BAG_LABELS = "worksheet", "bag labels"


class _Kept(NamedTuple):
    paper: str
    pdf: bytes


class PaperBar(StepPanel):
    """One paper of a dose: print it, look at it again, print it again with a reason."""

    def __init__(self, office: Office, dose_id: str, paper: str, title: str) -> None:
        super().__init__(office, dose_id, f"{paper.replace(' ', '_')}_bar")
        key = paper.replace(" ", "_")
        self._paper, self._title = paper, title
        self._newest: PrintedLine | None = None
        self._dialog: ReasonDialog | None = None
        self._state = Text("", name=f"{key}_state")
        self.print = Button(f"&Print the {title}", name=f"{key}_print", kind="primary", icon="print")
        self.print.clicked.connect(self.print_first)
        self.look = Button("Loo&k at it", name=f"{key}_show", kind="quiet")
        self.look.clicked.connect(self.show_kept)
        self.again = Button("Print it &again…", name=f"{key}_again", kind="quiet", icon="print")
        self.again.clicked.connect(self.ask_why)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self._state, 1)
        for button in (self.look, self.again, self.print):
            row.addWidget(button)
        self.body.addLayout(row)
        self._allowed = office.may("paper_printed")
        why = office.why_not("paper_printed")
        self._why = Text(why, "muted")
        self._why.setVisible(bool(why))
        self.body.addWidget(self._why)

    def show_printed(self, printed: tuple[PrintedLine, ...]) -> None:
        """Show what was printed so far."""
        self._newest = printed[0] if printed else None
        newest, what = self._newest, self._title.capitalize()
        self._state.setText(
            f"{what}: copy {newest.copy_number}, printed by {newest.printed_by}"
            f" on {say_moment(newest.printed_at, self.zone)}."
            if newest
            else f"{what}: not printed yet."
        )
        self.print.setVisible(newest is None)
        self.look.setVisible(newest is not None)
        self.again.setVisible(newest is not None)
        self.hold(self.busy)

    def hold(self, held: bool) -> None:
        """Hold the printing buttons."""
        self.print.setEnabled(not held and self._allowed)
        self.again.setEnabled(not held and self._allowed)
        if self._dialog is not None:
            self._dialog.hold(held)

    def print_first(self) -> None:
        """Print the first copy; labels are looked at before, with the printer they go to."""
        if self._paper == BAG_LABELS:
            self._print_labels()
        else:
            self._print("")

    def _print_labels(self) -> None:
        title = f"{self._title.capitalize()} of dose {self.dose_id}"
        dialog = print_labels_dialog(self.office, "bag", (self.dose_id,), title, self.window())
        dialog.printed.connect(self._labels_printed)

    def _labels_printed(self, _printed: Printed) -> None:
        self.succeeded.emit(self.dose_id)

    def ask_why(self) -> None:
        """A further copy needs a reason."""
        if self._paper == BAG_LABELS:
            self._print_labels()
            return
        self._dialog = ReasonDialog(
            f"Print the {self._title} again",
            "The copy is marked as a reprint and numbered. Type why it is needed.",
            "Print again",
            self.window(),
            name="reprint",
        )
        self._dialog.given.connect(self._print)
        self._dialog.rejected.connect(self._forget_dialog)
        self._dialog.open()

    def _forget_dialog(self) -> None:
        self._dialog = None

    def _print(self, why: str) -> None:
        self.start(partial(print_worksheet, self.office.desk, self.act(), self.dose_id, why), "Printing")

    def recorded(self, result: Any) -> None:
        """Show the paper, the very bytes that were stored."""
        if self._dialog is not None:
            self._dialog.accept()
            self._dialog = None
        file_name = f"{self._paper.replace(' ', '-')}-{self.dose_id}.pdf"
        self.office.show_paper(f"{self._title.capitalize()} of dose {self.dose_id}", file_name, result, self.window())

    def refused(self, refused: Refused) -> None:
        """In the dialog while it is open, else on top."""
        if self._dialog is not None:
            self._dialog.faults(refused.faults)
        else:
            super().refused(refused)

    def show_kept(self) -> None:
        """Open the newest copy as it was printed; nothing is printed by that."""
        if self._newest is None:
            return
        desk, name, paper, seq = self.office.desk, self._newest.sha256, self._paper, self._newest.event_seq
        if paper == BAG_LABELS:
            self.office.do(
                lambda: kept_labels(desk, seq, name), self._got_labels, self.ask_failed, busy="Opening the paper"
            )
            return

        def work() -> _Kept:
            return _Kept(paper, kept_paper(desk, name))

        self.office.do(work, self._got_kept, self.ask_failed, busy="Opening the paper")

    def _got_labels(self, kept: KeptLabels) -> None:
        title = f"{self._title.capitalize()} of dose {self.dose_id}"
        KeptLabelsDialog(self.office, title, kept, self.ask_why, self.window()).open()

    def _got_kept(self, kept: _Kept) -> None:
        self.office.show_pdf(
            f"{self._title.capitalize()} of dose {self.dose_id}",
            f"{kept.paper.replace(' ', '-')}-{self.dose_id}.pdf",
            kept.pdf,
            self.window(),
        )


# --- mixing ---------------------------------------------------------------------------------------------------


class MixPanel(StepPanel):
    """Print the worksheet, mix, and record what was done: times, and the mL read off each syringe."""

    def __init__(self, office: Office, dose_id: str) -> None:
        super().__init__(office, dose_id, "prepare_mix")
        paper = Card("Worksheet", "It goes with the vials to the hood.", name="worksheet_card")
        self.worksheet = PaperBar(office, dose_id, WORKSHEET, "worksheet")
        self.worksheet.succeeded.connect(self.succeeded)
        paper.add(self.worksheet)
        self._card = Card(
            "What was done at the hood",
            "Type the volumes as they were read off the syringes. Protect the drug from light throughout.",
            name="mix_card",
        )
        self.form = Form(columns=2, name="mix_form")
        self.form.add(DateTimeField("reconstituted_at", "&Reconstituted at", required=True, now=self.now))
        self.form.add(DateTimeField("diluted_at", "D&iluted at", required=True, now=self.now))
        reconstituted = self.form.field("reconstituted_at")
        assert isinstance(reconstituted, DateTimeField)
        self.form.add(LateField(office, reconstituted), span=2)
        self._units: tuple[str, ...] = ()
        self._button = Button("Record the pr&eparation", name="mix_record")
        self._button.clicked.connect(self.record)
        self._foot = Foot(self._button, name="mix")
        self.scan = ScanField("mix_scan", "Scan the vial that is drawn from", collects=True)
        self.scan.scanned.connect(self.take_scan)
        self._card.add(self.scan)
        self._card.add(self.form)
        self._card.add(self._foot)
        self.body.addWidget(paper)
        self.body.addWidget(self._card)
        self._ready = False
        self._allowed = self.permit("dose_prepared", self._foot)

    def is_dirty(self) -> bool:
        """Whether anything of the mixing was typed."""
        return self.form.is_dirty()

    def focus_first(self) -> None:
        """The worksheet first, then the times."""
        if self._ready:
            self.focus_on(self.form.field("reconstituted_at"))
        else:
            self.focus_on(self.worksheet.print)

    def show_facts(self, facts: Facts) -> None:
        """Offer one field a vial, left empty: what was drawn is read off the syringe, not off the plan."""
        plan = plan_of(facts.thread)
        if not self._units:
            self._units = tuple(draw.unit_number for draw in plan.draws)
            for draw in plan.draws:
                self.form.add(
                    DecimalField(
                        f"drawn_ml.{draw.unit_number}",
                        f"Drawn from {draw.unit_number}",
                        unit="mL",
                        required=True,
                        check=plain_number,
                        hint=f"{show_mg(draw.strength_mg)}, lot {draw.lot}, expires {say_day(draw.expires_on)}."
                        f" Plan: {draw.shown_ml}.",
                    )
                )
            self.form.mark_clean()
        first = not self._ready
        self._ready = bool(facts.worksheets)
        self.worksheet.show_printed(facts.worksheets)
        self._button.set_kind("primary" if self._ready else "secondary")
        self.hold(self.busy)
        if self._allowed:
            self._foot.say("" if self._ready else "Print the worksheet first; then record the mixing.")
        if first and self._ready and self.isVisible():
            self.focus_first()

    def hold(self, held: bool) -> None:
        """Hold the button."""
        self._button.setEnabled(not held and self._allowed and self._ready)

    def take_scan(self, code: str) -> None:
        """Put the cursor where the volume of the scanned vial is typed; a vial of another dose is refused."""
        desk, by_hand, separator = self.office.desk, self.scan.by_hand, self.office.sends_separator

        def question(reader: Reader) -> Vial:
            return find_vial(reader, code, today_of(desk, reader), by_hand=by_hand, sends_separator=separator)

        self.office.ask(question, self._take_vial, self._not_taken)

    def _take_vial(self, vial: Vial) -> None:
        if vial.unit_number in self._units:
            self.focus_on(self.form.field(f"drawn_ml.{vial.unit_number}"))
            announce(self.scan, f"Vial {vial.unit_number} is of this dose.")
        else:
            self._not_taken(
                Refused(
                    Fault(
                        "scan",
                        f"Vial {vial.unit_number} is not one of dose {self.dose_id}. Put it aside; the worksheet names"
                        f" {' and '.join(self._units)}.",
                    )
                )
            )

    def _not_taken(self, trouble: Exception) -> None:
        words = sentences(trouble.faults) if isinstance(trouble, Refused) else str(trouble)
        self.scan.set_fault(words)
        self.focus_on(self.scan)
        announce(self.scan, f"Not this vial. {words}")

    def record(self) -> None:
        """Record the preparation as typed."""
        values = self.form.values()
        desk, act = self.office.desk, self.act()
        form = PrepareForm(
            self.dose_id,
            required_moment(values["reconstituted_at"]),
            required_moment(values["diluted_at"]),
            tuple((unit, values[f"drawn_ml.{unit}"]) for unit in self._units),
            values["late_why"],
        )

        def work() -> dict[str, Any]:
            made: dict[str, Any] = prepare(desk, act, form).content["preparation"]
            return made

        self.start(work, "Recording the preparation")

    def recorded(self, result: Any) -> None:
        """Say what the bag holds and until when it may be used."""
        self.form.mark_clean()
        compared = from_plain(DoseComparison, result["comparison"])
        start_by = datetime.fromisoformat(result["start_by"]).astimezone(self.zone)
        what = (
            f"Dose {self.dose_id} was prepared: {show_mg(Decimal(result['prepared_mg']))},"
            f" {show_percent(compared.percent or Decimal(0))} against prescribed. Start by {start_by:%H:%M}."
        )
        if compared.finding is not None:
            self.office.messages.error(f"{what} It must not leave the pharmacy.")
        else:
            self.office.messages.ok(what)

    def refused(self, refused: Refused) -> None:
        """Show every fault beside its field."""
        self.form.show_faults(refused.faults)


class PreparedView(QWidget):
    """What the bag holds: prepared mg against prescribed, and the clock, each with its working."""

    def __init__(self, facts: Facts, office: Office, zone: Any, *, name: str) -> None:
        super().__init__()
        made = facts.thread.preparation
        compared = from_plain(DoseComparison, made["comparison"])
        clock = from_plain(BeyondUse, made["clock"])
        prepared = NumberButton("Prepared dose", name=f"{name}_prepared")
        prepared.set_number(
            show(Decimal(made["prepared_mg"])),
            "mg",
            (
                Step(
                    "prepared dose",
                    "mL drawn × mg/mL after reconstitution, added up over the vials",
                    tuple(
                        Named(f"{draw['unit_number']}: {show(Decimal(draw['drawn_ml']))} mL", draw["drawn_mg"], "mg")
                        for draw in made["draws"]
                    ),
                    Decimal(made["prepared_mg"]),
                    "mg",
                    "8.1.2",
                ),
            ),
        )
        against = NumberButton("Prepared against prescribed", name=f"{name}_difference")
        if compared.percent is not None:
            against.set_number(
                show_percent(compared.percent).removesuffix(" %"),
                "%",
                (
                    percent_step(
                        "prepared against prescribed",
                        Named("prepared", show(compared.mg), "mg"),
                        Named("prescribed", show(compared.base_mg), "mg"),
                        compared.percent,
                        "8.1.3",
                    ),
                ),
                note=f"stops at {show(compared.limit_percent)} % or more",
            )
        final = NumberButton("Final concentration", name=f"{name}_final")
        concentration = Decimal(made["final_mg_per_ml"])
        final.set_number(
            show(concentration, 6),
            "mg/mL",
            (
                Step(
                    "final concentration",
                    "prepared dose ÷ bag volume",
                    (
                        Named("prepared dose", made["prepared_mg"], "mg"),
                        Named("bag volume", made["bag_volume_ml"], "mL"),
                    ),
                    Decimal(show(concentration, 6)),
                    "mg/mL",
                    "8.1.2",
                ),
            ),
            note=f"{show(Decimal(made['bag_volume_ml']))} mL of {made['diluent']}",
        )
        dose_id, seq = facts.line.dose_id, facts.thread.prepare_seq
        lead(office, prepared, Amount(dose_id, "prepared"))
        lead(office, against, Amount(dose_id, "prepared difference"))
        if seq is not None:
            lead(office, final, Entry(seq))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(NumberGrid((prepared, against, final)))
        if compared.finding is not None:
            column.addWidget(FindingList((compared.finding,), name=f"{name}_findings", explain=facts.told))
        pairs = [
            ("Reconstituted", say_moment(datetime.fromisoformat(made["reconstituted_at"]), zone)),
            ("Diluted", say_moment(datetime.fromisoformat(made["diluted_at"]), zone)),
        ]
        pairs += [(step.name.capitalize(), f"{say_moment(step.at, zone)}  =  {step.formula}") for step in clock.steps]
        pairs.append(("Beyond-use time", f"{say_moment(clock.end_by, zone)}, decided by “{clock.deciding}” (§ 8.2)"))
        column.addWidget(KeyValues(pairs, name=f"{name}_clock"))


def mix_record(facts: Facts, office: Office, zone: Any) -> QWidget:
    """The recorded preparation, to look back at, with its worksheet."""
    card = Card("What was prepared", name="mixed_card")
    card.add(PreparedView(facts, office, zone, name="mixed"))
    card.add(KeyValues([("Prepared by", facts.thread.prepared_by)]))
    seq = facts.thread.prepare_seq
    correcting = correction_part(office, seq, "preparation_corrected", facts.corrections, name="mixed")
    return column_of(card, *correcting, paper_card(facts, office, WORKSHEET))


def paper_card(facts: Facts, office: Office, paper: str) -> Card:
    """A paper already printed: look at it, or print it again with a reason."""
    title = "worksheet" if paper == WORKSHEET else "bag labels"
    card = Card(title.capitalize(), name=f"{title.replace(' ', '_')}_kept")
    bar = PaperBar(office, facts.line.dose_id, paper, title)
    bar.show_printed(facts.worksheets if paper == WORKSHEET else facts.bag_labels)
    # A closed dose's bag is labelled no more; the service says so, and the button does not offer it.
    if paper == BAG_LABELS and facts.line.status not in ("prepared", "released"):
        bar.again.hide()
    if facts.line.status == "cancelled":
        bar.again.hide()
    card.add(bar)
    return card


# --- labels ---------------------------------------------------------------------------------------------------


class LabelsPanel(StepPanel):
    """Print the bag's label and the light cover's, and scan the label where it was put."""

    def __init__(self, office: Office, dose_id: str) -> None:
        super().__init__(office, dose_id, "prepare_labels")
        self._held: QWidget | None = None
        self._shown_seq: int | None = None
        self._left: tuple[str, ...] = ()
        self._again = Banner(
            "warn",
            "The preparation was corrected since the label was printed. Print it again, and put the new labels on.",
            name="labels_again",
        )
        self._again.hide()
        self.body.addWidget(self._again)
        self._made = Card("What was prepared", name="labels_made")
        labels = Card(
            "Labels",
            "Two labels: one for the bag, one for its light cover. Put both on, then scan each where it is.",
            name="labels_card",
        )
        self.labels = PaperBar(office, dose_id, BAG_LABELS, "bag labels")
        self.labels.succeeded.connect(self.succeeded)
        labels.add(self.labels)
        self.syringe_button = Button("Print syringe labels…", name="syringe_labels", kind="quiet", icon="print")
        self.syringe_button.setEnabled(office.may("paper_printed"))
        self.syringe_button.setToolTip(office.why_not("paper_printed"))
        self.syringe_button.clicked.connect(self.print_syringes)
        syringes = QHBoxLayout()
        syringes.addStretch(1)
        syringes.addWidget(self.syringe_button)
        labels.body.addLayout(syringes)
        self.scan = ScanField("bag_scan", "&Scan both labels, one after the other", collects=True)
        self.scan.scanned.connect(self.take_scan)
        self._may_scan = office.may("labels_scanned")
        self._why = Text(office.why_not("labels_scanned"), "muted", name="bag_scan_why")
        labels.add(self.scan)
        labels.add(self._why)
        self.body.addWidget(labels)
        self.body.addWidget(self._made)

    def focus_first(self) -> None:
        """The print button, then the scan."""
        self.focus_on(self.labels.print if self.scan.isHidden() else self.scan)

    def hold(self, held: bool) -> None:
        """Hold the field while a scan is recorded."""
        self.scan.editor().setEnabled(not held)

    def print_syringes(self) -> None:
        """A label for the syringe of each strength that was drawn."""
        title = f"Syringe labels of dose {self.dose_id}"
        print_labels_dialog(self.office, "syringe", (self.dose_id,), title, self.window())

    def take_scan(self, code: str) -> None:
        """Record that the label on the bag, or on its light cover, is this dose's own."""
        office, dose_id, act, by_hand = self.office, self.dose_id, self.act(), self.scan.by_hand
        desk, separator = office.desk, office.sends_separator
        form = ScanBackForm((code,), (0,) if by_hand else (), separator)

        def work() -> str:
            with desk.store.read() as reader:
                today = today_of(desk, reader)
                refuse_other_dose(reader, code, dose_id, today, by_hand=by_hand, sends_separator=separator)
            (scan,) = scan_back(desk, act, form).content["scans"]
            return str(scan["kind"])

        self.start(work, "Recording the scan")

    def recorded(self, result: Any) -> None:
        """Say that bag or light cover carries its own label, and what is next."""
        self._left = tuple(kind for kind in self._left if kind != result)
        then = f"the label of the {self._left[0]}" if self._left else "the release"
        self.office.messages.ok(f"The {result} carries the label of dose {self.dose_id}. Next: {then}.")

    def refused(self, refused: Refused) -> None:
        """Say beside the field why the scan is not taken; whoever looks at the bag hears it too."""
        self.scan.set_fault(sentences(refused.faults))
        self.scan.setFocus()
        announce(self.scan, f"Not this label. {sentences(refused.faults)}")

    def show_facts(self, facts: Facts) -> None:
        """Show what the labels will say."""
        self.labels.show_printed(facts.bag_labels)
        self._again.setVisible(bool(facts.bag_labels) and not facts.label_fits)
        self._left = facts.labels_left
        self.scan.set_hint(f"Not scanned yet: the label of the {' and of the '.join(facts.labels_left)}.")
        asked = self.scan.isHidden()
        self.scan.setVisible(facts.label_fits and self._may_scan)
        self._why.setVisible(facts.label_fits and not self._may_scan)
        if asked and not self.scan.isHidden() and self.isVisible():
            self.focus_first()
        if self._held is not None and self._shown_seq != facts.thread.prepare_seq:
            self._held.hide()
            self._held.deleteLater()
            self._held = None
        if self._held is None:
            self._shown_seq = facts.thread.prepare_seq
            self._held = PreparedView(facts, self.office, self.zone, name="labels_prepared")
            self._made.add(self._held)


def labels_record(facts: Facts, office: Office, zone: Any) -> QWidget:
    """Every copy of the bag's labels, to look back at."""
    copies = Card("Copies", name="labels_copies")
    copies.add(
        KeyValues(
            [
                (
                    f"Copy {line.copy_number}",
                    f"{say_moment(line.printed_at, zone)} by {line.printed_by}"
                    f"{f'. Reason: {line.why}' if line.why else ''}",
                )
                for line in facts.bag_labels
            ]
        )
    )
    return column_of(paper_card(facts, office, BAG_LABELS), copies)


# --- release --------------------------------------------------------------------------------------------------


class ReleasePanel(StepPanel):
    """Release the labelled bag with the pharmacist's own signature."""

    def __init__(self, office: Office, dose_id: str) -> None:
        super().__init__(office, dose_id, "prepare_release")
        self._held: QWidget | None = None
        self._made = Card("What leaves the pharmacy", name="release_made")
        self.labels = PaperBar(office, dose_id, BAG_LABELS, "bag labels")
        self.labels.succeeded.connect(self.succeeded)
        self.form = Form(columns=1, name="release_form")
        self.form.add(
            TextField(
                "released_to",
                "&Released to",
                required=True,
                max_length=80,
                hint="Who takes the bag, and where it goes, e.g. the nurse's name and the unit.",
            )
        )
        to_whom = Card("Release", name="release_card")
        to_whom.add(self.labels)
        to_whom.add(self.form)
        self.signature = SignatureBox(
            "Sign the release",
            "I checked the bag, both labels and the light cover against the worksheet, and release the bag.",
            "Sign and release the bag",
            name="release_signature",
        )
        self.signature.set_user(office.session.user_name, fixed=True)
        self.signature.sign_requested.connect(self.sign)
        # Whatever is missing is said at once, not after the password.
        self.signature.button.clicked.connect(self.form.check)
        self._allowed = office.may("dose_released")
        self._why = Text(office.why_not("dose_released"), "muted", name="release_why")
        self._why.setVisible(not self._allowed)
        for widget in (to_whom, self.signature, self._why, self._made):
            self.body.addWidget(widget)
        self.form.setVisible(self._allowed)
        self.signature.setVisible(self._allowed)

    def is_dirty(self) -> bool:
        """Whether a receiver was typed."""
        return self.form.is_dirty()

    def focus_first(self) -> None:
        """Who takes the bag."""
        if self._allowed:
            self.focus_on(self.form.field("released_to"))

    def show_facts(self, facts: Facts) -> None:
        """Show what the bag holds."""
        self.labels.show_printed(facts.bag_labels)
        if self._held is None:
            self._held = PreparedView(facts, self.office, self.zone, name="release_prepared")
            self._made.add(self._held)
            # What the ward is told with the bag stands right beneath the signature.
            self.body.insertWidget(self.body.indexOf(self._made), reminder_card(facts, name="release_reminders"))

    def hold(self, held: bool) -> None:
        """Hold the signature."""
        self.signature.set_busy(held or not self._allowed)

    def sign(self, user: str, password: str) -> None:
        """Release the bag."""
        if not self.form.check():
            self.signature.set_busy(False)
            return
        desk, act = self.office.desk, self.act()
        form = ReleaseForm(self.dose_id, self.form.values()["released_to"])
        credentials = Credentials(user, password)

        def work() -> str:
            release(desk, act, form, credentials)
            return form.dose_id

        self.start(work, "Releasing the bag")

    def recorded(self, _result: Any) -> None:
        """Say that the bag may go."""
        self.signature.set_fault("")
        self.form.mark_clean()
        self.office.messages.ok(f"The bag of dose {self.dose_id} is released. Next: the administration.")

    def refused(self, refused: Refused) -> None:
        """Show each fault where it belongs."""
        signed, others = split_faults(refused.faults, "password", "user_name")
        mine, others = split_faults(others, "released_to")
        if mine:
            self.form.show_faults(mine)
        self.signature.set_fault(sentences(signed))
        self.say_trouble(others)


def release_record(facts: Facts, zone: Any) -> QWidget:
    """The release, to look back at."""
    card = Card("Release", name="released_card")
    thread = facts.thread
    card.add(
        KeyValues(
            [
                ("Released by", thread.released_by),
                ("Signed", say_moment(thread.released_at, zone)),
                ("Released to", thread.released_to),
            ]
        )
    )
    return card
