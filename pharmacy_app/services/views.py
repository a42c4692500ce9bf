"""What screens, reports and the command line read: plain frozen values, one kind a question."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pharmacy_app.domain.vials import Vial


@dataclass(frozen=True, slots=True)
class Verification:
    """What replaying the journal found. ``trouble`` is '' when all is well; ``first_bad`` names the event."""

    events: int
    head_hash: str
    first_bad: int | None
    trouble: str

    @property
    def sound(self) -> bool:
        """Whether every byte, link and view is as it was written."""
        return not self.trouble


@dataclass(frozen=True, slots=True)
class Head:
    """The journal's last event: how many there are, its hash, and when it was recorded (None: none yet)."""

    seq: int
    hash: str
    recorded_utc: str


@dataclass(frozen=True, slots=True)
class Site:
    """The site and study of this database."""

    name: str
    number: str
    time_zone: str
    pharmacy_phone: str
    principal_investigator: str
    protocol_number: str
    study_title: str
    protocol_version: str
    protocol_sha256: str
    protocol_text: str
    places: tuple[str, ...]
    demonstration: bool


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One signed setting as it stands: its value as plain JSON, source, and who signed it when."""

    name: str
    value: Any
    source: str
    event_seq: int
    signed_by: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class StockLine:
    """How many vials of one strength and lot are in one state at one place."""

    strength_mg: Decimal
    lot: str
    expires_on: date
    place: str
    state: str
    vials: int


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """One received shipment."""

    number: str
    sender: str
    shipped_on: date
    received_at: datetime
    logger_serial: str
    logger_state: str
    condition: str
    received_by: str
    vials: int
    hold_reason: str
    awaiting_release: int


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line of the vial ledger with the balances after it (vials of its strength, all lots and places)."""

    line_id: str
    event_seq: int
    done_at: datetime
    recorded_at: datetime
    move: str
    transaction: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    place: str
    from_state: str
    to_state: str
    quantity: int
    balance_available: int
    balance_quarantine: int
    units: tuple[str, ...]
    dose_id: str
    counterparty: str
    initials: str
    cycle_day: str
    dose_mg: str
    reference: str
    comment: str
    recorder: str
    verifier: str


@dataclass(frozen=True, slots=True)
class MgLine:
    """The mg ledger of one opened vial; residue and discarded are ``None`` until it is closed."""

    unit_number: str
    dose_id: str
    labelled_mg: Decimal
    withdrawn_mg: Decimal
    residue_mg: Decimal | None
    discarded_mg: Decimal | None


@dataclass(frozen=True, slots=True)
class VialLife:
    """A vial as it stands, every ledger line it is on, and its mg line once it was opened."""

    vial: Vial
    lines: tuple[LedgerLine, ...]
    mg: MgLine | None


@dataclass(frozen=True, slots=True)
class MeasurementLine:
    """One height or weight: as typed, and in cm or kg."""

    event_seq: int
    subject_number: str
    kind: str
    typed_value: str
    typed_unit: str
    value: Decimal
    measured_on: date
    recorded_at: datetime
    recorder: str
    why: str


@dataclass(frozen=True, slots=True)
class SubjectLine:
    """A subject in the list."""

    subject_number: str
    initials: str
    birth: str
    enrolled_on: date
    doses_given: int
    last_given_on: date | None


@dataclass(frozen=True, slots=True)
class DoseLine:
    """One dose in a list: its order and how far it has come."""

    dose_id: str
    subject_number: str
    course: int
    cycle: int
    day: int
    level: int
    planned_on: date
    prescriber: str
    ordered_on: date
    prescribed_mg: Decimal
    status: str
    administered_mg: Decimal | None
    given_on: date | None


@dataclass(frozen=True, slots=True)
class DoseThread:
    """The whole thread of one dose: order, decision, plan, check, preparation, release, administration."""

    line: DoseLine
    order_seq: int
    decision_seq: int | None
    decision: Any
    height_cm: Decimal | None
    weight_kg: Decimal | None
    weight_on: date | None
    bsa_formula: str
    plan_seq: int | None
    plan: Any
    planned_by: str
    planner_id: str
    planned_at: datetime | None
    verify_seq: int | None
    verified_by: str
    verified_at: datetime | None
    prepare_seq: int | None
    preparation: Any
    prepared_mg: Decimal | None
    prepared_by: str
    release_seq: int | None
    released_by: str
    released_at: datetime | None
    released_to: str
    administer_seq: int | None
    administration: Any
    close_seq: int | None
    cancelled_why: str
    vials: tuple[Vial, ...]
    mg: tuple[MgLine, ...]


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """A medication-error record."""

    error_id: str
    dose_id: str
    subject_number: str
    opened_at: datetime
    occurred_on: date
    prescribed_mg: Decimal
    administered_mg: Decimal
    difference: str
    sentence: str
    status: str


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """One printed paper: what, about which number, which copy, and its bytes' SHA-256."""

    event_seq: int
    paper: str
    about: str
    copy_number: int
    pages: int
    sha256: str
    printed_at: datetime
    printed_by: str
    why: str


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event of the journal, for the audit trail."""

    seq: int
    kind: str
    actor_name: str
    workstation: str
    done_at: datetime
    recorded_at: datetime
    why: str
    content: Any
    signatures: tuple[str, ...]
    marks: tuple[str, ...]
    hash: str


@dataclass(frozen=True, slots=True)
class Today:
    """What waits today, each with its number: the first page after signing in."""

    day: date
    open_doses: tuple[DoseLine, ...]
    held: int
    quarantined: int
    expiring: tuple[StockLine, ...]
    usable: tuple[StockLine, ...]
    unset_settings: tuple[str, ...]
    open_errors: tuple[ErrorLine, ...]
    unclosed_doses: tuple[DoseLine, ...]
