"""What the steps of *Prepare* share: the facts of one dose, and a panel that keeps its draft and its act."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from pharmacy_app.domain import dates
from pharmacy_app.domain.criteria import Criteria, of_place
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.findings import Finding, Override
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.rules import RULES
from pharmacy_app.domain.rules.explain import Explained, explained
from pharmacy_app.domain.rules.reminders import around_infusion
from pharmacy_app.domain.settings import StudySettings
from pharmacy_app.services.corrections import history_of
from pharmacy_app.services.desk import Act, protocol_of, site_of
from pharmacy_app.services.doses import written_decisions
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.preparation import BAG_LABELS
from pharmacy_app.services.study_settings import settings_of
from pharmacy_app.services.treatment import CRITERIA as CRITERIA_KIND
from pharmacy_app.services.treatment import criteria_of
from pharmacy_app.services.views import (
    CorrectionLine,
    CorrectionNote,
    DoseLine,
    DoseThread,
    ErrorLine,
    EventLine,
    MeasurementLine,
    PrintedLine,
    TreatmentLine,
)
from ui.office import Office
from ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, Text
from ui.widgets.fields import Field, Form, NoteField
from ui.widgets.panels import Banner, Card, KeyValues, Page

STEPS = ("Order", "Criteria", "Decide", "Vials", "Check", "Mix", "Labels", "Release", "Give", "Close")
ORDER, CRITERIA, DECIDE, VIALS, CHECK, MIX, LABELS, RELEASE, GIVE, CLOSE, FINISHED = range(11)

STATUS_WORDS = {
    "ordered": "ordered – to be decided",
    "stopped": "stopped – a rule refuses it",
    "decided": "decided – vials to be scanned",
    "planned": "planned – second check to be made",
    "verified": "checked – to be mixed",
    "prepared": "mixed – to be released",
    "released": "released – at the ward",
    "administered": "given – vials to be closed",
    "closed": "closed",
    "cancelled": "cancelled",
}
"""A dose's status with what it waits for."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the page shows of one dose, read in one look into the store.

    ``protocol`` is the one of the infusion's day; ``criteria`` are the newest answers for this dose, ``criteria_line``
    says who recorded them when; ``first_criteria`` are those of the course's first dose, where this is another one.
    ``labels_left``: of the bag's and the light cover's newest labels those that were not scanned where they were put.
    """

    thread: DoseThread
    initials: str
    measurements: tuple[MeasurementLine, ...]
    settings: StudySettings
    worksheets: tuple[PrintedLine, ...]
    bag_labels: tuple[PrintedLine, ...]
    errors: tuple[ErrorLine, ...]
    checks: tuple[EventLine, ...]
    signed_plan: EventLine | None
    protocol: Protocol
    criteria: Criteria | None
    criteria_line: TreatmentLine | None
    first_criteria: Criteria | None
    reminders: tuple[Finding, ...]
    corrections: tuple[CorrectionLine, ...] = ()
    notes: tuple[CorrectionNote, ...] = ()
    labels_left: tuple[str, ...] = BAG_LABELS

    @property
    def label_fits(self) -> bool:
        """Whether the bag label was printed since the preparation was recorded or corrected."""
        made = self.thread.prepare_seq
        return bool(self.bag_labels) and (made is None or max(line.event_seq for line in self.bag_labels) > made)

    @property
    def line(self) -> DoseLine:
        """The dose's line."""
        return self.thread.line

    @property
    def opened(self) -> bool:
        """Whether vials of this dose wait to be closed in the mg ledger."""
        return any(vial.state == "opened" for vial in self.thread.vials)

    @property
    def step(self) -> int:
        """The step whose turn it is; ``FINISHED`` when none is left."""
        status = self.line.status
        if status == "ordered" and self.criteria is None:
            return CRITERIA
        if status == "prepared":
            return RELEASE if self.label_fits and not self.labels_left else LABELS
        if status == "cancelled":
            return CLOSE if self.opened else FINISHED
        turns = {
            "ordered": DECIDE,
            "stopped": DECIDE,
            "decided": VIALS,
            "planned": CHECK,
            "verified": MIX,
            "released": GIVE,
            "administered": CLOSE,
        }
        return turns.get(status, FINISHED)

    @property
    def recorded(self) -> frozenset[int]:
        """The steps that have left a record to look back at."""
        thread = self.thread
        left = {
            ORDER: True,
            CRITERIA: self.criteria is not None,
            DECIDE: thread.decision_seq is not None,
            VIALS: thread.plan_seq is not None,
            CHECK: thread.verify_seq is not None,
            MIX: thread.prepare_seq is not None,
            LABELS: bool(self.bag_labels),
            RELEASE: thread.release_seq is not None,
            GIVE: thread.administer_seq is not None,
            CLOSE: thread.close_seq is not None,
        }
        return frozenset(step for step, there in left.items() if there)

    @property
    def overrides(self) -> tuple[Override, ...]:
        """The written decisions this dose goes on by; none while it may still be decided anew without them."""
        return written_decisions(self.thread)

    @property
    def told(self) -> "Told":
        """What the catalogue of rules says by the protocol of the infusion's day."""
        return Told(self.protocol)


@dataclass(frozen=True, slots=True)
class Told:
    """Explains a rule by its id with one protocol's numbers; the same protocol is the same explanation."""

    protocol: Protocol

    def __call__(self, rule_id: str) -> Explained | None:
        """The rule in full, ``None`` for one the catalogue does not know."""
        return explained(rule_id, self.protocol) if rule_id in RULES else None


def facts_of(reader: Reader, dose_id: str) -> Facts | None:
    """The facts of a dose, or ``None`` when there is no such dose."""
    thread = reader.dose(dose_id)
    if thread is None:
        return None
    subject = reader.subject(thread.line.subject_number)
    # Only around the second check are its tries of interest: looking for them reads the journal.
    line = thread.line
    checking = line.status == "planned" or thread.verify_seq is not None
    protocol = protocol_of(site_of(reader), line.planned_on)
    answers = criteria_of(reader, line.subject_number)
    given = [dose for dose in reader.doses(subject_number=line.subject_number) if dose.given_on is not None]
    first_infusion = all(dose.dose_id == dose_id for dose in given)
    return Facts(
        thread=thread,
        initials=subject.initials if subject else "",
        measurements=tuple(reader.measurements(thread.line.subject_number)),
        settings=settings_of(reader),
        worksheets=tuple(reader.printed(about=dose_id, paper="worksheet")),
        bag_labels=tuple(reader.printed(about=dose_id, paper="bag labels")),
        errors=tuple(error for error in reader.errors() if error.dose_id == dose_id),
        checks=tuple(reader.events(kind="dose_verified", text=dose_id, offset=0, limit=5)) if checking else (),
        signed_plan=reader.event(thread.plan_seq) if thread.plan_seq else None,
        protocol=protocol,
        criteria=of_place(answers, line.course, line.cycle, line.day),
        criteria_line=_criteria_line(reader, line),
        first_criteria=None if (line.cycle, line.day) == (1, 1) else of_place(answers, line.course, 1, 1),
        reminders=around_infusion(protocol, first_infusion=first_infusion),
        corrections=tuple(
            correction
            for seq in (thread.prepare_seq, thread.administer_seq, thread.close_seq)
            if seq is not None
            for correction in history_of(reader, seq)
        ),
        notes=tuple(reader.correction_notes(dose_id)),
        labels_left=tuple(kind for kind in BAG_LABELS if not _was_scanned(reader, dose_id, kind)),
    )


def _was_scanned(reader: Reader, dose_id: str, kind: str) -> bool:
    newest = reader.newest_label(kind, dose_id)
    return newest is not None and newest.stands_since(0)


def _criteria_line(reader: Reader, dose: DoseLine) -> TreatmentLine | None:
    """Who recorded the newest answers for a dose, and when."""
    place = (dose.course, dose.cycle, dose.day)
    found = [
        line
        for line in reader.treatment(dose.subject_number)
        if line.kind == CRITERIA_KIND and line.withdrawn_seq is None and _place(line) == place
    ]
    return found[-1] if found else None


def _place(line: TreatmentLine) -> tuple[int, int, int]:
    return line.entry["course"], line.entry["cycle"], line.entry["day"]


def say_day(day: date | None) -> str:
    """A date no one can misread, e.g. ``22-Nov-2026``."""
    return dates.say_day(day) if day else "–"


def say_moment(moment: datetime | None, zone: ZoneInfo) -> str:
    """Date and time at the site with its zone, e.g. ``22-Nov-2026 14:05 CST``."""
    if moment is None:
        return "–"
    at_site = moment.astimezone(zone)
    return f"{dates.say_moment(at_site)} {at_site:%Z}"


def say_level(line: DoseLine) -> str:
    """The dose level in words: the first course's cycle 1 has none, a retreatment's may (RULES A22)."""
    none = line.course == 1 and line.cycle == 1
    return "none in cycle 1" if none else str(line.level).replace("-", "−")


def say_course(line: DoseLine) -> str:
    """Course, cycle and day in words."""
    return f"course {line.course}, cycle {line.cycle}, day {line.day}"


def required_moment(typed: str) -> str:
    """A typed time for a service that takes an empty one as 'now': left empty it is refused beside its field."""
    return typed or "–"


def row_of(*widgets: QWidget, spacing: int = SPACE_M, stretch: bool = True) -> QWidget:
    """Widgets side by side from the left."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for widget in widgets:
        layout.addWidget(widget)
    if stretch:
        layout.addStretch(1)
    return row


def column_of(*widgets: QWidget) -> QWidget:
    """Widgets one beneath the other."""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(SPACE_M)
    for widget in widgets:
        column.addWidget(widget)
    return holder


def reminder_card(facts: Facts, *, name: str) -> Card:
    """What the protocol asks for around this infusion (R9 to R11): no gate, a reminder."""
    card = Card("Around the infusion", name=name)
    card.add(
        KeyValues(
            [
                (
                    RULES[said.rule].title.capitalize(),
                    f"{said.sentence} (§ {said.section}, {said.rule})",
                )
                for said in facts.reminders
            ]
        )
    )
    return card


class Foot(QWidget):
    """The end of a step: why it cannot go on (if so), and its one primary button at the right."""

    def __init__(self, button: Button, *before: QWidget, name: str) -> None:
        super().__init__()
        self.button = button
        self._words = Text("", "muted", name=f"{name}_why")
        self._words.setVisible(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_M)
        for widget in before:
            row.addWidget(widget)
        row.addWidget(self._words, 1000)
        row.addStretch(1)
        row.addWidget(button, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    def say(self, words: str) -> None:
        """Say beside the button what it waits for ('' for nothing)."""
        self._words.setText(words)
        self._words.setVisible(bool(words))


class StepPanel(QWidget):
    """One step of one dose. It keeps what was typed and its act until the act has succeeded.

    Signal ``succeeded(str dose_id)`` after an act was recorded. Subclasses build their widgets, show the facts
    in ``show_facts``, and call ``start`` with a closure over plain values.
    """

    succeeded = Signal(str)

    def __init__(self, office: Office, dose_id: str, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.office = office
        self.dose_id = dose_id
        self.zone = ZoneInfo(office.site.time_zone)
        self.busy = False
        self._act: Act | None = None
        self._in_sight: QWidget | None = None
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(SPACE_M)
        self.trouble = Banner("stop", "", name=f"{name}_trouble")
        self.trouble.hide()
        self.body.addWidget(self.trouble)

    # -- what the page asks of a step

    def show_facts(self, facts: Facts) -> None:
        """Show the facts as they are now and keep what was typed."""

    def focus_first(self) -> None:
        """Put the focus where the next act is."""

    def focus_on(self, widget: QWidget, sight: QWidget | None = None) -> None:
        """Give a widget the focus and bring it, or what is to be seen with it, into sight once the step is laid out."""
        widget.setFocus()
        self._in_sight = sight or widget
        QTimer.singleShot(0, self, self._show_focus)

    def _show_focus(self) -> None:
        above = self.parentWidget()
        while above is not None and not isinstance(above, Page):
            above = above.parentWidget()
        if isinstance(above, Page) and self._in_sight is not None and self._in_sight.isVisible():
            above.show_widget(self._in_sight)

    def is_dirty(self) -> bool:
        """Whether something was typed that is not recorded."""
        return False

    # -- what a step does

    def now(self) -> datetime:
        """The site's clock."""
        return self.office.desk.clock().astimezone(self.zone)

    def act(self) -> Act:
        """The act of this draft: the same one until it has succeeded."""
        if self._act is None:
            self._act = self.office.act()
        return self._act

    def start(self, work: Callable[[], Any], busy: str) -> None:
        """Do the step's act once; while it lasts its buttons are held."""
        if self.busy:
            return
        self.busy = True
        self.say_trouble(())
        self.hold(True)
        self.office.do(work, self._recorded, self._not_recorded, busy=busy)

    def hold(self, held: bool) -> None:
        """Hold or free the step's buttons."""

    def recorded(self, result: Any) -> None:
        """Say what was recorded."""

    def refused(self, refused: Refused) -> None:
        """Show what was refused beside what it is about."""
        self.say_trouble(refused.faults)

    def say_trouble(self, faults: Sequence[Fault]) -> None:
        """Show faults of the act as a whole on top of the step; none takes them away."""
        self.trouble.set_message("stop", "\n".join(str(fault) for fault in faults))
        self.trouble.setVisible(bool(faults))

    def _recorded(self, result: Any) -> None:
        self._act = None
        self.busy = False
        self.hold(False)
        self.recorded(result)
        self.succeeded.emit(self.dose_id)
        self.office.changed.emit()

    def _not_recorded(self, trouble: Exception) -> None:
        self.busy = False
        self.hold(False)
        if isinstance(trouble, Refused):
            self.refused(trouble)
        else:
            self.say_trouble((Fault("", str(trouble)),))

    def ask_failed(self, trouble: Exception) -> None:
        """A question to the store that failed."""
        self.say_trouble(trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),))

    def permit(self, kind: str, foot: Foot) -> bool:
        """Whether the person may do this step; where not, the button is held and says why."""
        why = self.office.why_not(kind)
        if why:
            foot.button.setEnabled(False)
            foot.button.setToolTip(why)
            foot.say(why)
        return not why


def split_faults(faults: Sequence[Fault], *fields: str) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
    """Faults of the named fields, and all others."""
    mine = tuple(fault for fault in faults if fault.field in fields)
    return mine, tuple(fault for fault in faults if fault not in mine)


def sentences(faults: Sequence[Fault]) -> str:
    """Faults as lines of text."""
    return "\n".join(str(fault) for fault in faults)


class ReasonDialog(QDialog):
    """Asks why before an act; the button carries the verb, the harmless answer is the default.

    Signal ``given(str why)``; the caller closes it by ``accept`` or shows ``faults``.
    """

    given = Signal(str)

    def __init__(
        self,
        title: str,
        text: str,
        verb: str,
        parent: QWidget,
        *,
        name: str,
        danger: bool = False,
        refuse: str = "Go back",
        more: Sequence[Field] = (),
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(480)
        self.form = Form(columns=1, name=f"{name}_form")
        self.form.add(NoteField("why", "Reason", required=True, lines=3))
        for field in more:
            self.form.add(field)
        self.no = Button(refuse, name=f"{name}_no")
        self.yes = Button(verb, name=f"{name}_yes", kind="danger" if danger else "primary")
        self.no.setDefault(True)
        self.yes.clicked.connect(self._ask)
        self.no.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addStretch(1)
        foot.addWidget(self.no)
        foot.addWidget(self.yes)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(title, "section"))
        column.addWidget(Text(text, name=f"{name}_text"))
        column.addWidget(self.form)
        column.addSpacing(SPACE_XS)
        column.addLayout(foot)
        self.form.field("why").editor().setFocus()

    def hold(self, held: bool) -> None:
        """Hold the verb while the act is under way."""
        self.yes.setEnabled(not held)

    def faults(self, faults: Sequence[Fault]) -> None:
        """Show what was refused; the reason typed stays."""
        self.hold(False)
        self.form.show_faults(faults)

    def _ask(self) -> None:
        if self.form.check():
            self.hold(True)
            self.given.emit(self.form.values()["why"])
