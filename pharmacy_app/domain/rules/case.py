"""What a rule reads (the case) and what it says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pharmacy_app.domain.comparisons import DoseComparison
from pharmacy_app.domain.criteria import Criteria, of_place
from pharmacy_app.domain.findings import Named, Severity
from pharmacy_app.domain.protocol import CycleDoses
from pharmacy_app.domain.request import DoseRequest
from pharmacy_app.domain.schedule import GivenDose, Window, place_words


@dataclass(frozen=True, slots=True)
class Case:
    """A request with what was made of it; ``None`` means it could not be calculated, and a rule says why."""

    request: DoseRequest
    doses: CycleDoses | None
    dose_mg_per_m2: Decimal | None
    bsa_m2: Decimal | None
    planned_mg_unrounded: Decimal | None
    planned_mg: Decimal | None
    prescribed: DoseComparison | None
    day1_on: date | None
    previous_day1_on: date | None
    window: Window | None

    @property
    def answered(self) -> Criteria | None:
        """The newest treatment-day criteria recorded for this dose, whether or not they still count."""
        request = self.request
        return of_place(request.criteria, request.course, request.cycle, request.day)

    @property
    def outdated(self) -> bool:
        """Whether the recorded criteria are older than the chemistry they go with may be (§ 5.0, 8.1.5; RULES R27).

        They are judged on the day of treatment, so answers of the last infusion's day or before say nothing of what
        came after it; before the first infusion of a course they are as old as screening allows.
        """
        found, request = self.answered, self.request
        if found is None:
            return False
        if (request.cycle, request.day) == (1, 1):
            most = request.protocol.evaluations.screening_days
            if found.assessed_on < request.planned_on - timedelta(days=most):
                return True
        last = self.last_given
        return last is not None and found.assessed_on <= last.given_on

    @property
    def answers(self) -> Criteria | None:
        """The treatment-day criteria that count for this dose."""
        return None if self.outdated else self.answered

    @property
    def starts_cycle(self) -> bool:
        """Whether this is day 1 of a cycle."""
        return self.request.day == 1

    @property
    def has_levels(self) -> bool:
        """Whether the dose has levels: beyond cycle 1, and in a retreatment that begins with later-cycle doses."""
        return self.request.treatment.has_levels(self.request.course, self.request.cycle)

    @property
    def last_given(self) -> GivenDose | None:
        """The dose given last, of any course."""
        return max(self.request.history, key=lambda dose: dose.given_on, default=None)


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule says, before its id and section are put to it."""

    severity: Severity
    sentence: str
    compared: tuple[Named, ...] = ()


Check = Callable[[Case], Iterator[Said]]


def stop(sentence: str, *compared: Named) -> Said:
    """No way on but to correct what was entered."""
    return Said(Severity.STOP, sentence, compared)


def stop_unless_decided(sentence: str, *compared: Named) -> Said:
    """No way on without the written decision of a person the catalogue names."""
    return Said(Severity.OVERRIDABLE, sentence, compared)


def warn(sentence: str, *compared: Named) -> Said:
    """May go on with a reason on record."""
    return Said(Severity.WARN, sentence, compared)


def info(sentence: str, *compared: Named) -> Said:
    """Shown, nothing asked."""
    return Said(Severity.INFO, sentence, compared)


def place_of(dose: GivenDose) -> str:
    """Where a dose stands in the regimen, in words."""
    return place_words(dose.course, dose.cycle, dose.day)


def days_word(days: int) -> str:
    """A number of days in words."""
    return "1 day" if days == 1 else f"{days} days"
