"""Signed study settings: what the protocol leaves to the Study Manual or the site, each with its source.

There is no default for any of them. Until one is set, what needs it is refused and says so (RULES A1, A2,
A20, A31; protocol § 8.1.2, 8.1.3, 8.2).
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class BsaFormula(StrEnum):
    """The five published body-surface-area formulas the site may sign for."""

    MOSTELLER = "Mosteller"
    DU_BOIS = "Du Bois"
    HAYCOCK = "Haycock"
    GEHAN_GEORGE = "Gehan-George"
    BOYD = "Boyd"


class CompoundingCategory(StrEnum):
    """How a preparation counts for its longest beyond-use time (USP <797> 2023, § 14), and how it is kept."""

    IMMEDIATE_USE = "immediate use"
    CATEGORY_1_ROOM = "category 1, room temperature"
    CATEGORY_1_COLD = "category 1, refrigerator"
    CATEGORY_2_ROOM = "category 2, room temperature"
    CATEGORY_2_COLD = "category 2, refrigerator"


class RoundingMode(StrEnum):
    """How a dose is brought to the increment; ties are the only difference of the first two."""

    HALF_UP = "half up"
    HALF_EVEN = "half even"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class DoseRounding:
    """Round the planned dose once, at the end, to a multiple of ``increment_mg``."""

    increment_mg: Decimal
    mode: RoundingMode


@dataclass(frozen=True, slots=True)
class VialPreparation:
    """How one strength is made up: labelled, extractable and reconstituted amounts (mg, mL, mg/mL), and with what."""

    strength_mg: Decimal
    extractable_mg: Decimal
    reconstitution_ml: Decimal
    concentration_mg_per_ml: Decimal
    reconstitution_fluid: str


@dataclass(frozen=True, slots=True)
class BagPreparation:
    """Diluent, total bag volume (mL), allowed final concentration (mg/mL), and the bag label's storage words."""

    diluent: str
    bag_volume_ml: Decimal
    min_mg_per_ml: Decimal
    max_mg_per_ml: Decimal
    storage: str


@dataclass(frozen=True, slots=True)
class StabilityLimits:
    """Hours allowed from the recorded reconstitution, and from dilution at room temperature (h)."""

    reconstitution_to_dilution_h: Decimal
    reconstitution_to_end_h: Decimal
    dilution_to_end_room_h: Decimal
    infusion_h: Decimal


@dataclass(frozen=True, slots=True)
class CompoundingLimit:
    """The compounding limit of the site: its category, and the hours from reconstitution to the end of use (h)."""

    category: CompoundingCategory
    hours: Decimal


@dataclass(frozen=True, slots=True)
class LineResidue:
    """What stays in bag and line after the infusion (mL of the bag's volume); 0 where the line is flushed."""

    residue_ml: Decimal


@dataclass(frozen=True, slots=True)
class OrderLeadTime:
    """Whole days from ordering vials until they are received and released for use.

    No dose depends on it, so it is no part of ``StudySettings``: signing it changes nothing for a dose under way.
    """

    days: int


@dataclass(frozen=True, slots=True)
class Signed(Generic[T]):
    """A setting's value with the source it was taken from and the journal event that signed it."""

    value: T
    source: str
    event_seq: int


@dataclass(frozen=True, slots=True)
class StudySettings:
    """All signed settings in force; ``None`` means not set, never a default.

    ``line_residue`` may stay unset: no act waits for it, and the tolerance budget then says that it is not known. So
    may ``compounding``: then the stability limits alone give the beyond-use time, and it says so.
    """

    bsa_formula: Signed[BsaFormula] | None = None
    dose_rounding: Signed[DoseRounding] | None = None
    vial_1mg: Signed[VialPreparation] | None = None
    vial_4mg: Signed[VialPreparation] | None = None
    bag: Signed[BagPreparation] | None = None
    stability: Signed[StabilityLimits] | None = None
    line_residue: Signed[LineResidue] | None = None
    compounding: Signed[CompoundingLimit] | None = None

    def vial(self, strength_mg: Decimal) -> Signed[VialPreparation] | None:
        """The signed preparation of one strength (1 or 4 mg), or ``None`` when it is not set."""
        return {Decimal(1): self.vial_1mg, Decimal(4): self.vial_4mg}[strength_mg]
