"""Step 1 of *Prepare*: the prescriber's order, with what was given before and what comes next by the protocol."""

from dataclasses import dataclass
from typing import Any

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.treatment import Treatment
from pharmacy_app.domain.units import parse_decimal, show_mg
from pharmacy_app.services.desk import Desk, protocol_of, site_of, today_of
from pharmacy_app.services.doses import OrderForm, order
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.treatment import calendar, treatment_of
from pharmacy_app.services.views import DoseLine, SubjectLine
from ui.office import Office
from ui.pages.prepare_step import Foot, StepPanel, row_of, say_day
from ui.theme import SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, DateField, DecimalField, Form, TextField
from ui.widgets.panels import Card, EmptyState

DOSES_SHOWN = 3
PLACE_FIELDS = ("course", "cycle", "day", "level")
EMPTY_PLACE = {"course": "1", "cycle": "", "day": "", "level": ""}
"""How course, cycle, day and level stand before anything is known of the subject."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the treatment: course, cycle, day and dose level."""

    course: int
    cycle: int
    day: int
    level: int


@dataclass(frozen=True, slots=True)
class History:
    """What a subject was given, what is under way, and what comes next (``None``: nothing, and ``words`` say why)."""

    subject_number: str
    given: tuple[DoseLine, ...]
    under_way: tuple[DoseLine, ...]
    following: Place | None
    words: str


def next_place(doses: tuple[DoseLine, ...], treatment: Treatment, protocol: Protocol) -> Place | None:
    """The dosing day after the last one ordered (not cancelled); ``None`` after the last cycle of the course."""
    if not doses:
        return Place(1, 1, 1, 0)
    last = max(doses, key=lambda dose: (dose.course, dose.cycle, dose.day))
    cycle = treatment.cycle_doses(protocol, last.course, last.cycle, last.level)
    omitted = {each.day for each in treatment.omissions if (each.course, each.cycle) == (last.course, last.cycle)}
    later = [day for day in cycle.days if day > last.day and day not in omitted] if cycle else []
    if later:
        return Place(last.course, last.cycle, later[0], last.level)
    if last.cycle >= protocol.regimen.max_cycles:
        return None
    return Place(last.course, last.cycle + 1, 1, treatment.level_in_force(last.course, last.cycle + 1))


def history_of(desk: Desk, reader: Reader, subject_number: str) -> History:
    """A subject's doses and the next place in the treatment: what is due, else what follows the last order."""
    protocol = protocol_of(site_of(reader), today_of(desk, reader))
    doses = tuple(dose for dose in reader.doses(subject_number=subject_number) if dose.status != "cancelled")
    given = tuple(dose for dose in doses if dose.given_on is not None)
    treatment = treatment_of(reader, subject_number)
    known = calendar(desk, reader, subject_number)
    due, ordered = known.next_due, {(dose.course, dose.cycle, dose.day) for dose in doses if dose.given_on is None}
    off = any(treatment.off_treatment(course) for course in {dose.course for dose in doses})
    following: Place | None
    if due is not None and (due.course, due.cycle, due.day) not in ordered:
        level = treatment.level_in_force(due.course, due.cycle)
        following, words = Place(due.course, due.cycle, due.day, level), due.words
    elif off:
        following, words = None, known.next_words
    elif (following := next_place(doses, treatment, protocol)) is None:
        words = "All cycles of the course are ordered. A further course needs the retreatment rule (§ 3.7)."
    else:
        words = f"Next by the protocol: course {following.course}, cycle {following.cycle}, day {following.day}."
    return History(
        subject_number,
        tuple(sorted(given, key=lambda dose: (dose.given_on or dose.planned_on, dose.dose_id), reverse=True)),
        tuple(dose for dose in doses if dose.given_on is None),
        following,
        words,
    )


def positive(value: str) -> str:
    """What is wrong with a typed amount, '' when it is a plain number above zero."""
    try:
        parse_decimal(value, field="", name="This", unit="mg")
    except Refused as refused:
        return refused.faults[0].sentence
    return ""


def whole(value: str) -> str:
    """What is wrong with a typed count, '' when it is a whole number."""
    return "" if value.isdigit() else "Type a whole number, for example 1."


class OrderPanel(StepPanel):
    """A new order. ``created`` holds the dose's number after it was recorded."""

    def __init__(self, office: Office) -> None:
        super().__init__(office, "", "prepare_order")
        self.created = ""
        self._subjects: tuple[SubjectLine, ...] = ()
        self._following: Place | None = None
        self._filled = dict(EMPTY_PLACE)
        self._wanted = ""
        protocol = protocol_of(office.site, self.now().date())
        levels = [(str(doses.level), f"Level {doses.level}".replace("-", "−")) for doses in protocol.regimen.levels]
        self.form = Form(columns=2, name="order_form")
        self._subject = ChoiceField("subject_number", "&Subject", required=True)
        self.form.add(self._subject)
        self.form.add(TextField("prescriber", "&Prescriber", required=True, max_length=60))
        self.form.add(DateField("ordered_on", "&Ordered on", required=True))
        self.form.add(DateField("planned_on", "&Infusion date", required=True))
        self._before = Card("Before this order", name="order_history")
        self._before_text = Text("", name="order_history_text")
        self._next = Button("&Fill in the next dose", name="order_fill_next", icon="chevron-down")
        self._next.clicked.connect(self._fill_next)
        self._before.add(self._before_text)
        self._before.add(row_of(self._next))
        self._before.hide()
        self.form.add_widget(self._before)
        self.form.add(TextField("course", "&Course", required=True, max_length=9, check=whole))
        self.form.add(TextField("cycle", "C&ycle", required=True, max_length=9, check=whole))
        self.form.add(TextField("day", "&Day of the cycle", required=True, max_length=9, check=whole))
        self.form.add(
            ChoiceField("level", "Dose le&vel", levels, required=True, hint="Cycle 1 has no levels: choose level 0.")
        )
        self.form.add(DecimalField("prescribed_mg", "Prescribed dos&e", unit="mg", required=True, check=positive))
        self.form.field("course").set_value(EMPTY_PLACE["course"])
        self._day_put_in = ""
        self._put_in_today()
        self.form.mark_clean()
        self._card = Card("New order", "As the prescriber wrote it. The rules of the protocol come with the decision.")
        self._card.add(self.form)
        self._button = Button("&Record the order", name="order_record", kind="primary")
        self._button.clicked.connect(self.record)
        self._foot = Foot(self._button, name="order")
        self._card.add(self._foot)
        self.body.addWidget(self._card)
        self._empty = EmptyState(
            "No subject is enrolled yet",
            "An order belongs to an enrolled subject. Enroll the first one under Subjects.",
            icon="subjects",
            verb="&Open Subjects",
            name="order_no_subject",
        )
        assert self._empty.button is not None
        self._empty.button.clicked.connect(self._open_subjects)
        self._empty.hide()
        self.body.addWidget(self._empty)
        self.body.setSpacing(SPACE_S)
        self._allowed = self.permit("dose_ordered", self._foot)
        self._subject.changed.connect(self._subject_chosen)

    def is_dirty(self) -> bool:
        """Whether an order was begun."""
        return self.form.is_dirty()

    def focus_first(self) -> None:
        """The subject comes first."""
        self.focus_on(self._subject if self._subjects else self._empty)

    def refresh(self) -> None:
        """Ask for the subjects anew, and for the chosen one's doses."""
        self._put_in_today()
        self.office.ask(_subjects, self._got_subjects, self.ask_failed)
        self._ask_history()

    def _put_in_today(self) -> None:
        """Days nobody typed go with the day: the window may have been left open over night."""
        today, clean = self.now().date().isoformat(), not self.form.is_dirty()
        for name in ("ordered_on", "planned_on"):
            field = self.form.field(name)
            if field.value() == self._day_put_in:
                field.set_value(today)
        self._day_put_in = today
        if clean:
            self.form.mark_clean()

    def _got_subjects(self, subjects: tuple[SubjectLine, ...]) -> None:
        self._subjects = subjects
        self._card.setVisible(bool(subjects))
        self._empty.setVisible(not subjects)
        self._subject.set_choices(
            [
                (line.subject_number, f"{line.subject_number}{f' ({line.initials})' if line.initials else ''}")
                for line in subjects
            ]
        )
        if self._wanted:
            self._subject.set_value(self._wanted)
            self._wanted = ""

    def choose(self, subject_number: str) -> None:
        """Choose a subject, at once or when the subjects have come."""
        self._wanted = subject_number
        self.refresh()

    def _open_subjects(self) -> None:
        self.office.go.emit("subjects", "")

    def _subject_chosen(self) -> None:
        self._before.hide()
        self._ask_history()

    def _ask_history(self) -> None:
        number = self._subject.value()
        if not number:
            return
        desk = self.office.desk

        def question(reader: Reader) -> History:
            return history_of(desk, reader, number)

        self.office.ask(question, self._got_history, self.ask_failed)

    def _got_history(self, history: History) -> None:
        if history.subject_number != self._subject.value():
            return
        lines = [
            f"{say_day(dose.given_on)}: course {dose.course}, cycle {dose.cycle}, day {dose.day}, "
            f"{show_mg(dose.administered_mg) if dose.administered_mg is not None else 'amount not known'} given"
            f" (dose {dose.dose_id})."
            for dose in history.given[:DOSES_SHOWN]
        ]
        if not lines:
            lines = ["No dose was given to this subject yet."]
        elif len(history.given) > DOSES_SHOWN:
            lines.append(f"{len(history.given) - DOSES_SHOWN} more before these.")
        lines += [
            f"Under way: course {dose.course}, cycle {dose.cycle}, day {dose.day} for {say_day(dose.planned_on)},"
            f" {dose.status} (dose {dose.dose_id})."
            for dose in history.under_way
        ]
        self._following = history.following
        lines.append(history.words)
        self._next.setVisible(self._following is not None)
        self._before_text.setText("\n".join(lines))
        self._before.show()
        self._prefill()

    def _place_typed(self) -> dict[str, str]:
        return {name: self.form.field(name).value() for name in PLACE_FIELDS}

    def _prefill(self) -> None:
        """Fill in what is next where nobody has typed a place: what was filled in before follows the subject."""
        if self._place_typed() == self._filled:
            self._put_place()

    def _put_place(self) -> None:
        place = self._following
        values = EMPTY_PLACE if place is None else {name: str(getattr(place, name)) for name in PLACE_FIELDS}
        for name, value in values.items():
            self.form.field(name).set_value(value)
        self._filled = self._place_typed()

    def _fill_next(self) -> None:
        if self._following is not None:
            self._put_place()
            self.form.field("prescribed_mg").editor().setFocus()

    def hold(self, held: bool) -> None:
        """Hold the button."""
        self._button.setEnabled(not held and self._allowed)

    def record(self) -> None:
        """Record the order as typed."""
        desk, act, form = self.office.desk, self.act(), OrderForm(**self.form.values())

        def work() -> str:
            return str(order(desk, act, form).content["dose_id"])

        self.start(work, "Recording the order")

    def recorded(self, result: Any) -> None:
        """Open the new dose next."""
        self.created = self.dose_id = str(result)
        self.form.mark_clean()
        self.office.messages.ok(f"The order was recorded as dose {result}.")

    def refused(self, refused: Refused) -> None:
        """Show every fault beside its field."""
        self.form.show_faults(refused.faults)

    def say_trouble(self, faults: Any) -> None:
        """Faults that are not a field's stand on top of the step."""
        super().say_trouble(faults)
        if not faults:
            self.form.clear_faults()


def _subjects(reader: Reader) -> tuple[SubjectLine, ...]:
    return tuple(reader.subjects())
