"""The course of treatment beside the doses themselves: plans, delays, omissions, levels, responses, what ended it.

These are facts that a named person stated; the rules draw their conclusions. All of them are kept for ever, and all
are handed to a dose decision, so that the decision can be made again from its record alone.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from pharmacy_app.domain.protocol import CycleDoses, Protocol


class Cause(StrEnum):
    """Why a dose is late or left out: only toxicity of the drug starts the clocks of § 8.1.5 and 8.1.6 (RULES A34)."""

    TOXICITY = "toxicity"
    OTHER = "other"


class Response(StrEnum):
    """Response by § 6.0; PD is progression or relapse."""

    CR = "CR"
    CRP = "CRp"
    CRI = "CRi"
    PR = "PR"
    NR = "NR"
    PD = "PD"

    @property
    def is_remission(self) -> bool:
        """Whether it is a response by § 3.3 (CR, CRp, CRi); a partial one is not (RULES A15)."""
        return self in (Response.CR, Response.CRP, Response.CRI)


class LevelReason(StrEnum):
    """Why a dose level was changed; the reason decides whether it may ever be raised again (RULES R47, A11)."""

    TOXICITY = "toxicity"
    REMISSION = "remission"
    PLATELETS = "platelets not recovered"
    OTHER = "other"

    @property
    def is_toxicity(self) -> bool:
        """Whether the reduction holds for ever; platelets that do not recover are taken for toxicity of the drug."""
        return self in (LevelReason.TOXICITY, LevelReason.PLATELETS)


class Schedule(StrEnum):
    """Which doses the first cycle of a retreatment has (RULES A22)."""

    FIRST_CYCLE = "first-cycle doses"
    LATER_CYCLES = "later-cycle doses"


class LiverFinding(StrEnum):
    """Liver toxicity that ends treatment: suspicion is enough (§ 8.1.5(4); RULES R32)."""

    POSSIBLE_VOD = "possible VOD"
    PROBABLE_VOD = "probable VOD"
    CONFIRMED_VOD = "confirmed VOD"
    OTHER_SEVERE = "other severe liver toxicity"


class RemovalReason(StrEnum):
    """Why a subject is off treatment (§ 10; the list is not closed, RULES A27)."""

    NO_RESPONSE = "no response or progression (10.1)"
    NON_COMPLIANCE = "non-compliance (10.2)"
    REQUEST = "subject's request (10.3)"
    GRADE_4 = "grade 4 adverse event, at least possibly related (10.4)"
    SAFETY = "adverse event that makes discontinuation necessary (10.5)"
    NO_BENEFIT = "no benefit any more, by the investigator (10.8)"
    DELAY = "next cycle delayed too long by toxicity (8.1.5)"
    REDUCTIONS = "more reductions needed than there are (8.1.6)"
    TRANSPLANT = "transplantation (3.4)"
    COMPLETED = "all planned cycles given (3.3)"
    OTHER = "other"

    @property
    def is_toxicity(self) -> bool:
        """Whether toxicity ended the treatment; it then keeps a further course from beginning too."""
        return self in (RemovalReason.GRADE_4, RemovalReason.SAFETY, RemovalReason.DELAY, RemovalReason.REDUCTIONS)


@dataclass(frozen=True, slots=True)
class CyclePlan:
    """The day for which day 1 of a cycle was planned first; later delays are counted from it (RULES A9)."""

    course: int
    cycle: int
    day1_on: date


@dataclass(frozen=True, slots=True)
class Delay:
    """A dose that is late, why, and who said so."""

    course: int
    cycle: int
    day: int
    cause: Cause
    decided_by: str
    stated_on: date
    why: str


@dataclass(frozen=True, slots=True)
class Omission:
    """A dose that will not be given in its cycle. It is no reduction and no medication error (RULES A23, A36)."""

    course: int
    cycle: int
    day: int
    cause: Cause
    decided_by: str
    decided_on: date
    why: str


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A change of the dose level from one cycle on, with its reason."""

    course: int
    cycle: int
    before: int
    level: int
    reason: LevelReason
    decided_by: str
    decided_on: date
    why: str

    @property
    def steps_down(self) -> int:
        """How many steps the level falls; 0 when it does not."""
        return max(0, self.before - self.level)


@dataclass(frozen=True, slots=True)
class ResponseAssessment:
    """The response documented after a cycle, and how many cycles it is judged by."""

    course: int
    cycle: int
    assessed_on: date
    response: Response


@dataclass(frozen=True, slots=True)
class Marrow:
    """Blasts in the marrow (%) and the day it was taken."""

    taken_on: date
    blasts_percent: Decimal


@dataclass(frozen=True, slots=True)
class Toxicity:
    """An adverse event that bears on treatment: CTCAE grade, whether the drug may have caused it, liver findings.

    ``numeric_laboratory``: a grade that numbers alone define, which an independent investigator judges (§ 10.4).
    """

    term: str
    grade: int
    at_least_possibly_related: bool
    onset_on: date
    liver: LiverFinding | None = None
    numeric_laboratory: bool = False


@dataclass(frozen=True, slots=True)
class Removal:
    """Off treatment since a day, by whom and why."""

    course: int
    removed_on: date
    reason: RemovalReason
    decided_by: str
    why: str


@dataclass(frozen=True, slots=True)
class RetreatmentOrder:
    """The principal investigator's written order for a further course: its first cycle's doses, its level later."""

    course: int
    schedule: Schedule
    ordered_by: str
    ordered_on: date
    document: str


@dataclass(frozen=True, slots=True)
class TransplantPlan:
    """Whether an allogeneic transplantation is planned, as stated on a day."""

    planned: bool
    stated_on: date


@dataclass(frozen=True, slots=True)
class Treatment:
    """Everything stated of one subject's treatment, each kind in the order it was recorded."""

    plans: tuple[CyclePlan, ...] = ()
    delays: tuple[Delay, ...] = ()
    omissions: tuple[Omission, ...] = ()
    level_changes: tuple[LevelChange, ...] = ()
    responses: tuple[ResponseAssessment, ...] = ()
    marrows: tuple[Marrow, ...] = ()
    toxicities: tuple[Toxicity, ...] = ()
    removals: tuple[Removal, ...] = ()
    retreatments: tuple[RetreatmentOrder, ...] = ()
    transplants: tuple[TransplantPlan, ...] = ()

    def planned_day1(self, course: int, cycle: int) -> date | None:
        """The first planned day 1 of a cycle, or ``None`` when none was stored."""
        return next((plan.day1_on for plan in self.plans if (plan.course, plan.cycle) == (course, cycle)), None)

    def delay(self, course: int, cycle: int, day: int) -> Delay | None:
        """The newest statement on the delay of one dose."""
        place = (course, cycle, day)
        return next((each for each in reversed(self.delays) if (each.course, each.cycle, each.day) == place), None)

    def newest_delays(self) -> tuple[Delay, ...]:
        """The newest statement on each dose that is late; an earlier cause no longer counts."""
        return tuple({(each.course, each.cycle, each.day): each for each in self.delays}.values())

    def newest_omissions(self) -> tuple[Omission, ...]:
        """The newest statement on each dose that is left out."""
        return tuple({(each.course, each.cycle, each.day): each for each in self.omissions}.values())

    def omission(self, course: int, cycle: int, day: int) -> Omission | None:
        """The omission of one dose, if one was decided."""
        place = (course, cycle, day)
        return next((each for each in reversed(self.omissions) if (each.course, each.cycle, each.day) == place), None)

    def changes_in_force(self, course: int, cycle: int) -> tuple[LevelChange, ...]:
        """The level changes up to a cycle, in order; of two for one cycle the one recorded last counts."""
        newest = {(change.course, change.cycle): change for change in self.level_changes}
        return tuple(newest[place] for place in sorted(newest) if place <= (course, cycle))

    def level_in_force(self, course: int, cycle: int) -> int:
        """The level that the recorded changes give a cycle; 0, the starting one, without any.

        A further course begins at 0 again, or at the level to which toxicity lowered an earlier one (RULES A22).
        """
        own = [change for change in self.changes_in_force(course, cycle) if change.course == course]
        if own:
            return own[-1].level
        return self.toxicity_ceiling(course, 0) or 0

    def toxicity_ceiling(self, course: int, cycle: int) -> int | None:
        """The level above which no dose may go again after toxicity, or ``None`` (§ 8.1.6; RULES R47).

        Once a dose was reduced for toxicity, no later step down is taken back either, whatever its reason (RULES A11).
        """
        ceiling: int | None = None
        for change in self.changes_in_force(course, cycle):
            if ceiling is not None:
                ceiling = min(ceiling, change.level)
            elif change.reason.is_toxicity and change.steps_down:
                ceiling = change.level
        return ceiling

    def response_of(self, course: int, *, by: date) -> ResponseAssessment | None:
        """The newest response of a course that was assessed by a day."""
        known = [each for each in self.responses if each.course == course and each.assessed_on <= by]
        return max(enumerate(known), key=lambda pair: (pair[1].assessed_on, pair[0]))[1] if known else None

    def marrows_by(self, day: date) -> tuple[Marrow, ...]:
        """The marrow results taken by a day, newest first; of one day the last recorded comes first."""
        known = [each for each in self.marrows if each.taken_on <= day]
        order = sorted(enumerate(known), key=lambda pair: (pair[1].taken_on, pair[0]), reverse=True)
        return tuple(each for _, each in order)

    def off_treatment(self, course: int) -> Removal | None:
        """What keeps a course from going on: its own end, or an earlier course's end by toxicity (§ 3.7, 10)."""
        return next(
            (
                each
                for each in self.removals
                if each.course == course or (each.course < course and each.reason.is_toxicity)
            ),
            None,
        )

    def retreatment(self, course: int) -> RetreatmentOrder | None:
        """The newest order for a course."""
        return next((each for each in reversed(self.retreatments) if each.course == course), None)

    def transplant_planned(self) -> bool | None:
        """Whether a transplantation is planned, as stated last; ``None`` when nothing was stated."""
        return self.transplants[-1].planned if self.transplants else None

    def has_levels(self, course: int, cycle: int) -> bool:
        """Whether a cycle's doses have levels: all but a first cycle, unless a retreatment begins with later doses."""
        order = self.retreatment(course) if course > 1 else None
        return cycle > 1 or (cycle == 1 and order is not None and order.schedule is Schedule.LATER_CYCLES)

    def cycle_doses(self, protocol: Protocol, course: int, cycle: int, level: int) -> CycleDoses | None:
        """The doses of a cycle as the protocol and, for a retreatment, the order name them."""
        return protocol.regimen.cycle_doses(cycle, level, as_later=cycle == 1 and self.has_levels(course, cycle))


NO_TREATMENT = Treatment()
"""Nothing recorded yet."""
