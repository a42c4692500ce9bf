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
class ProtocolVersion:
    """One version of the protocol: in force from ``effective_on`` on, that day included, until the next one.

    The version the site was opened with has been in force ever since: its ``effective_on`` is ``date.min``, and
    nobody signed it.
    """

    event_seq: int
    label: str
    sha256: str
    text: str
    effective_on: date
    source: str
    signed_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Site:
    """The site and study of this database.

    The three ``protocol_`` fields say what the site was opened with; ``versions`` holds that and every amendment,
    in the order in which they come into force.
    """

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
    versions: tuple[ProtocolVersion, ...]


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
class TreatmentLine:
    """One statement on a subject's treatment: its kind of act, its content as plain JSON, and who withdrew it."""

    event_seq: int
    kind: str
    subject_number: str
    entry: Any
    recorder: str
    recorded_at: datetime
    why: str
    withdrawn_seq: int | None
    withdrawn_by: str
    withdrawn_why: str


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
    """A medication-error record as it stands.

    ``source`` says who opened it: 'dosing rule' (§ 8.1.3: given 10 % or more off the prescribed dose) or 'person'.
    ``status`` is 'open' until an assessment has its category or finds that it is no error, then 'assessed';
    ``verdict`` is '' before that, then 'error' or 'not an error'. ``reached_subject`` is 'yes', 'no' or '' (not known).
    Doses are ``None``, and ``occurred_at`` with its day, where nobody knows them.
    """

    error_id: str
    dose_id: str
    subject_number: str
    opened_at: datetime
    occurred_on: date | None
    prescribed_mg: Decimal | None
    administered_mg: Decimal | None
    difference: str
    sentence: str
    status: str
    source: str
    opened_by: str
    found_at: datetime
    found_by: str
    occurred_at: datetime | None
    stage: str
    error_type: str
    reached_subject: str
    what_happened: str
    action: str
    stopped_for: str
    verdict: str
    category: str


@dataclass(frozen=True, slots=True)
class AssessmentLine:
    """One assessment of a medication-error record, as it was signed; the newest counts."""

    event_seq: int
    error_id: str
    assessed_at: datetime
    signed_by: str
    assessment: Any


@dataclass(frozen=True, slots=True)
class ToldLine:
    """One recipient who was told of a medication error, and when."""

    event_seq: int
    error_id: str
    recipient: str
    name: str
    told_at: datetime
    recorded_at: datetime
    recorder: str


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
class DocumentLine:
    """One document kept with the record: what it is, about whom or what, and its bytes' SHA-256.

    ``about`` is a subject number, a dose number, or '' for the study; ``signed_by`` is '' where nobody signed.
    """

    document_id: str
    title: str
    kind: str
    about: str
    signed_by: str
    dated_on: date
    file_name: str
    media_type: str
    size_bytes: int
    sha256: str
    attached_at: datetime
    attached_by: str
    event_seq: int


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
class DueLine:
    """A subject's next dose that nobody ordered yet: from when, whether its window has closed, and in one sentence."""

    subject_number: str
    from_on: date
    late: bool
    words: str


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
    due: tuple[DueLine, ...] = ()
