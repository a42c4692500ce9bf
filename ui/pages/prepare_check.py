"""Step 5 of *Prepare*: the second person's own calculation, made without sight of the first (blind)."""

from typing import Any

from PySide6.QtWidgets import QWidget

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.units import parse_decimal, show, show_mg
from pharmacy_app.services.desk import Credentials
from pharmacy_app.services.preparation import CheckForm, disagreement, plan_of, verify_dose
from pharmacy_app.services.views import EventLine
from ui.office import Office
from ui.pages.prepare_step import Facts, StepPanel, say_course, say_day, say_level, say_moment, sentences, split_faults
from ui.widgets.basics import Button, Text
from ui.widgets.fields import DecimalField, Form
from ui.widgets.panels import Banner, Card, KeyValues, SignatureBox

CHECKED = (
    ("height_cm", "&Height", "cm"),
    ("weight_kg", "&Weight", "kg"),
    ("dose_mg_per_m2", "Dose of the &day", "mg/m²"),
    ("dose_mg", "&Planned dose, rounded", "mg"),
    ("drawn_ml", "Volume &to draw", "mL"),
)
"""What the second person works out: the form's field, its label and unit."""

IN_WORDS = {
    "height_cm": "height",
    "weight_kg": "weight",
    "dose_mg_per_m2": "dose of the day",
    "dose_mg": "planned dose",
    "drawn_ml": "volume to draw",
}


def plain_number(value: str) -> str:
    """What is wrong with a typed number, '' when it is a plain one above zero."""
    try:
        parse_decimal(value, field="", name="This")
    except Refused as refused:
        return refused.faults[0].sentence
    return ""


def settings_pairs(facts: Facts) -> list[tuple[str, str]]:
    """The signed settings that the second calculation needs as inputs."""
    settings = facts.settings
    pairs = []
    if settings.bsa_formula:
        pairs.append(("BSA formula", str(settings.bsa_formula.value)))
    if settings.dose_rounding:
        rounding = settings.dose_rounding.value
        pairs.append(("Rounding", f"{rounding.mode}, to a multiple of {show_mg(rounding.increment_mg)}"))
    for strength in sorted({draw.strength_mg for draw in plan_of(facts.thread).draws}, reverse=True):
        if signed := settings.vial(strength):
            made = signed.value
            pairs.append(
                (
                    f"{show_mg(strength)} vial",
                    f"{show(made.reconstitution_ml)} mL gives {show(made.concentration_mg_per_ml)} mg/mL;"
                    f" {show_mg(made.extractable_mg)} can be drawn",
                )
            )
    return pairs


def check_record(facts: Facts, zone: Any) -> QWidget:
    """Who checked when, and what they worked out."""
    card = Card("Second check", name="checked_card")
    agreed = next((event for event in facts.checks if event.seq == facts.thread.verify_seq), None)
    pairs = [
        ("Checked by", agreed.content["checker"] if agreed else facts.thread.verified_by),
        ("Signed", say_moment(facts.thread.verified_at, zone)),
        ("Meaning", "calculated independently and compared"),
    ]
    if agreed is not None:
        typed = agreed.content["typed"]
        pairs += [(label.replace("&", ""), f"{typed[name]} {unit}") for name, label, unit in CHECKED]
    tries = sum(1 for event in facts.checks if not event.content["agreed"])
    pairs.append(("Checks that did not agree before", str(tries)))
    card.add(KeyValues(pairs))
    return card


class CheckPanel(StepPanel):
    """The blind check: order, signed settings and vials are shown; no number of the first calculation is."""

    def __init__(self, office: Office, dose_id: str) -> None:
        super().__init__(office, dose_id, "prepare_check")
        self._subject_number = ""
        self._disagreed = Banner("stop", "", word="No agreement", name="check_disagreement")
        self._disagreed.hide()
        given = Card(
            "What you start from",
            "Read height and weight from the source document, and calculate for yourself. The first calculation"
            " stays hidden until you have signed.",
            name="check_given",
        )
        source = Button("Open the s&ubject's measurements", name="check_subject", kind="quiet", icon="subjects")
        source.clicked.connect(self._open_subject)
        self._order = KeyValues(name="check_order", columns=2)
        self._settings = KeyValues(name="check_settings")
        self._vials = KeyValues(name="check_vials")
        given.head.addWidget(source)
        for heading, pairs in (
            ("Order", self._order),
            ("Signed study settings", self._settings),
            ("Vials, in the order of drawing", self._vials),
        ):
            given.add(Text(heading, "strong"))
            given.add(pairs)
        mine = Card("Your own calculation", "Every field is yours to fill in.", name="check_mine")
        self.form = Form(columns=3, name="check_form")
        for name, label, unit in CHECKED:
            self.form.add(DecimalField(name, label, unit=unit, required=True, check=plain_number))
        mine.add(self.form)
        self.signature = SignatureBox(
            "Second check",
            "I calculated this dose independently, without seeing the first calculation, and compared.",
            "Sign the check",
            name="check_signature",
        )
        self.signature.button.clicked.connect(self.form.check)
        self._hint = Text("", "muted", name="check_hint")
        self.signature.body.insertWidget(1, self._hint)
        self.signature.sign_requested.connect(self.sign)
        self._allowed = office.may("dose_verified")
        self._why = Text(office.why_not("dose_verified"), "muted", name="check_why")
        self._why.setVisible(not self._allowed)
        # A disagreement stands between the figures and the signature, where the eyes are when it is said.
        for widget in (given, mine, self._disagreed, self.signature, self._why):
            self.body.addWidget(widget)
        mine.setVisible(self._allowed)
        self.signature.setVisible(self._allowed)
        self._offered_user = False

    def is_dirty(self) -> bool:
        """Whether the second person has typed something."""
        return self.form.is_dirty()

    def focus_first(self) -> None:
        """The first field of the calculation."""
        if self._allowed:
            self.focus_on(self.form.field("height_cm"))

    def show_facts(self, facts: Facts) -> None:
        """Show what a calculation starts from, and nothing that was calculated."""
        thread, line = facts.thread, facts.line
        self._subject_number = line.subject_number
        height = next((row for row in facts.measurements if row.kind == "height"), None)
        choice = thread.decision["weight_choice"]
        self._order.set_pairs(
            [
                ("Subject", line.subject_number),
                ("Prescribed", show_mg(line.prescribed_mg, None)),
                ("Treatment", say_course(line)),
                ("Dose level", say_level(line)),
                ("Prescriber", f"{line.prescriber}, {say_day(line.ordered_on)}"),
                ("Infusion date", say_day(line.planned_on)),
                ("Height measured", f"{say_day(height.measured_on)}, the newest" if height else ""),
                ("Weight measured", f"{say_day(thread.weight_on)}, the {choice}"),
            ]
        )
        self._settings.set_pairs(settings_pairs(facts))
        self._vials.set_pairs(
            [
                (
                    f"{at}.  {draw.unit_number}",
                    f"{show_mg(draw.strength_mg)}, lot {draw.lot}, expires {say_day(draw.expires_on)}",
                )
                for at, draw in enumerate(plan_of(thread).draws, start=1)
            ]
        )
        self._hint.setText(
            f"{thread.planned_by} made the first calculation, so another person signs here, with their own user name"
            " and password. The session of the person signed in stays as it is."
        )
        if not self._offered_user:
            self._offered_user = True
            if self.office.session.account_id != thread.planner_id:
                self.signature.set_user(self.office.session.user_name)
        last = facts.checks[0] if facts.checks else None
        if last is not None and self._disagreed.isHidden() and _failed(last, thread.plan_seq):
            names = ", ".join(IN_WORDS[name] for name in last.content["disagreed"])
            self._say_disagreed(
                f"The check by {last.content['checker']} on {say_moment(last.recorded_at, self.zone)} did not agree in:"
                f" {names}. Both look at the order, the measurements and the protocol again; then check once more, or"
                " cancel the dose and order it anew."
            )

    def _say_disagreed(self, text: str) -> None:
        self._disagreed.set_message("stop", text, word="No agreement")
        self._disagreed.setVisible(bool(text))

    def _open_subject(self) -> None:
        self.office.go.emit("subjects", self._subject_number)

    def hold(self, held: bool) -> None:
        """Hold the signature."""
        self.signature.set_busy(held or not self._allowed)

    def sign(self, user: str, password: str) -> None:
        """Compare what was typed with the first calculation and sign."""
        if not self.form.check():
            self.signature.set_busy(False)
            return
        desk, act = self.office.desk, self.act()
        form, credentials = CheckForm(self.dose_id, **self.form.values()), Credentials(user, password)

        def work() -> Event:
            return verify_dose(desk, act, form, credentials)

        self.start(work, "Comparing the two calculations")

    def recorded(self, result: Any) -> None:
        """Agreement goes on to mixing; a disagreement is named and the fields stay."""
        self.signature.set_fault("")
        text = disagreement(result)
        self._say_disagreed(text)
        if text:
            # The banner stays until the next try; a passing message would say it twice.
            self.show_trouble_first()
        else:
            self.form.mark_clean()
            self.office.messages.ok(
                f"{result.content['checker']} checked dose {self.dose_id}. Next: print the worksheet and mix."
            )

    def show_trouble_first(self) -> None:
        """Put the focus back into the calculation after a disagreement, with what was said in sight."""
        self.focus_on(self.form.field("height_cm"), self._disagreed)

    def refused(self, refused: Refused) -> None:
        """Show each fault where it belongs."""
        signed, others = split_faults(refused.faults, "password", "user_name")
        mine, others = split_faults(others, *IN_WORDS)
        if mine:
            self.form.show_faults(mine)
        self.signature.set_fault(sentences(signed))
        self.say_trouble(others)


def _failed(event: EventLine, plan_seq: int | None) -> bool:
    return not event.content["agreed"] and event.content["plan_seq"] == plan_seq
