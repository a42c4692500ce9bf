"""Steps of working and findings: how a number was made, and what the rules say of it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Severity(StrEnum):
    """How a finding bears on going on. STOP has no override; OVERRIDABLE needs a named person's written one."""

    STOP = "stop"
    OVERRIDABLE = "stop unless overridden"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Named:
    """A number or text with the name it carries on screen and paper, e.g. ``Named('weight', '70', 'kg')``."""

    name: str
    value: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the working of a dose: what was computed, from which inputs, by which formula, and why."""

    name: str
    formula: str
    inputs: tuple[Named, ...]
    result: Decimal
    unit: str
    section: str


@dataclass(frozen=True, slots=True)
class Override:
    """A prescriber's or principal investigator's written decision to go on past one overridable stop.

    ``document`` names the letter or note, ``document_sha256`` is the hash of the copy that is kept with the record.
    """

    rule: str
    decided_by: str
    role: str
    decided_on: date
    document: str
    why: str
    document_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of one request, with the numbers it compared and the protocol's section."""

    rule: str
    severity: Severity
    sentence: str
    section: str
    compared: tuple[Named, ...] = ()
    override: Override | None = None

    @property
    def blocks(self) -> bool:
        """Whether the act may not go on as things stand."""
        if self.severity is Severity.STOP:
            return True
        return self.severity is Severity.OVERRIDABLE and self.override is None
