"""What screens, reports and the command line read: plain frozen values, one kind a question."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pharmacy_app.domain.counts import CountLine, Misplaced
from pharmacy_app.domain.expiry import ExpiringLot
from pharmacy_app.domain.review import Said
from pharmacy_app.domain.vials import Vial


@dataclass(frozen=True, slots=True)
class Verification:
    """What proving the journal found. ``trouble`` is '' when all is well; ``first_bad`` names the event.

    ``events`` is how many events' bytes hash and follow each other, ``head_hash`` the hash of the last of them;
    ``replayed`` how many were read again and applied, to compare every table with what they give.
    """

    events: int
    head_hash: str
    first_bad: int | None
    trouble: str
    replayed: int = 0

    @property
    def sound(self) -> bool:
        """Whether every byte, link and view is as it was written."""
        return not self.trouble

    @property
    def holds_together(self) -> bool:
        """Whether at least the chain is whole, from the first event to its head."""
        return self.first_bad is None and self.events > 0


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
    """One received shipment; its logger as it was read last, and to whom the receipt was acknowledged ('': to nobody).

    Temperatures are ``None`` where the logger was not read or shows none.
    """

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
    packing_list: str
    min_celsius: Decimal | None
    max_celsius: Decimal | None
    logger_read_by: str
    logger_read_at: datetime | None
    acknowledged_to: str
    acknowledged_how: str
    acknowledged_by: str
    acknowledged_at: datetime | None
    note: str
    event_seq: int


@dataclass(frozen=True, slots=True)
class ShipmentLot:
    """What was found of one lot of a shipment; ``listed`` and ``damaged`` are ``None`` where the record is older.

    ``extra`` counts vials that the packing list does not have; ``released_by`` names who released vials of the lot.
    """

    strength_mg: Decimal
    lot: str
    expires_on: date
    listed: int | None
    counted: int
    damaged: int | None
    extra: int
    difference_note: str
    condition_note: str
    kits: str
    released_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line of the vial ledger with the balances after it (vials of its strength, all lots and places).

    ``corrects_seq`` is the event that a correction takes back; ``late_why`` the reason of a late entry, '' otherwise.
    """

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
    corrects_seq: int | None = None
    late_why: str = ""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A line of the vial ledger that changes a number of vials, and by how many."""

    event_seq: int
    done_at: datetime
    move: str
    units: tuple[str, ...]
    dose_id: str
    reference: str
    recorder: str
    change: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What changes a number of vials, in the order of the ledger: its newest lines, and the sum of those before them.

    ``entries_before`` is of how many entries the lines before are.
    """

    before: int
    entries_before: int
    lines: tuple[ChangeLine, ...]


@dataclass(frozen=True, slots=True)
class PastStockLine:
    """Vials of one strength, lot, place and state at a past moment: as known then, and as known now."""

    strength_mg: Decimal
    lot: str
    place: str
    state: str
    known_then: int
    known_now: int


@dataclass(frozen=True, slots=True)
class UsableChange:
    """What one kind of move did to a lot on one day of the site, as known now: vials that became usable or ceased to be
    (``usable``, signed), and vials that came with a shipment (``received``; less where a receipt was taken back).
    """

    on: date
    lot: str
    move: str
    usable: int
    received: int


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
    """One height or weight: as typed, and in cm or kg. ``corrected_seq`` names the correction that took its place."""

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
    corrected_seq: int | None = None


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
    ``permits`` is what the supporter permits by it, ``None`` where a document does not say: one of another kind, or
    one attached before that was asked for.
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
    permits: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event of the journal, for the audit trail. ``people`` are the accounts of who recorded and who signed it."""

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
    people: frozenset[str] = frozenset()


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
    expiring: tuple[ExpiringLot, ...]
    usable: tuple[StockLine, ...]
    unset_settings: tuple[str, ...]
    open_errors: tuple[ErrorLine, ...]
    unclosed_doses: tuple[DoseLine, ...]
    due: tuple[DueLine, ...] = ()
    discrepancies: "tuple[Discrepancy, ...]" = ()
    counts: "tuple[CountDue, ...]" = ()
    to_relabel: tuple[Vial, ...] = ()
    open_deviations: "tuple[DeviationLine, ...]" = ()
    open_prints: "tuple[OpenPrint, ...]" = ()
    unscanned: tuple[Vial, ...] = ()
    unscanned_bags: "tuple[UnscannedBag, ...]" = ()


@dataclass(frozen=True, slots=True)
class UnscannedBag:
    """A bag whose labels were printed and not all scanned back; ``kinds`` are those that were not."""

    dose_id: str
    subject_number: str
    kinds: tuple[str, ...]


# --- physical counts and the closing of the study's books


@dataclass(frozen=True, slots=True)
class StockCount:
    """One physical count as it was signed. ``strength_mg`` is ``None`` when all strengths were counted.

    ``kinds`` says what was counted (vials, containers), ``method`` is 'scan' or 'number', ``unknown`` are codes that
    are no vial of this record, as text. ``discrepancy`` is the number of the discrepancy it opened, '' for none.
    """

    number: str
    event_seq: int
    counted_at: datetime
    place: str
    strength_mg: Decimal | None
    kinds: tuple[str, ...]
    method: str
    lines: tuple[CountLine, ...]
    strays: tuple[Misplaced, ...]
    unknown: tuple[str, ...]
    counted_by: str
    verified_by: str
    note: str
    discrepancy: str


@dataclass(frozen=True, slots=True)
class Concern:
    """What a discrepancy is about: vials of one strength and lot, by number where it is known which."""

    strength_mg: Decimal
    lot: str
    difference: int
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A difference between shelf and record. ``count_number`` and ``place`` are '' when it was opened without a count.

    ``status`` is 'open' until two people have signed the explanation, then 'closed'.
    """

    number: str
    count_number: str
    place: str
    sentence: str
    opened_at: datetime
    opened_by: str
    concerns: tuple[Concern, ...]
    status: str
    outcome: str
    explanation: str
    closed_at: datetime | None
    closed_by: str
    event_seq: int
    closed_seq: int | None


@dataclass(frozen=True, slots=True)
class LastCount:
    """When the vials of a place were last counted; ``strength_mg`` ``None``: of all strengths."""

    place: str
    strength_mg: Decimal | None
    counted_at: datetime
    number: str


@dataclass(frozen=True, slots=True)
class PlaceMove:
    """A line of the ledger at one place: what left a state or came into one there."""

    event_seq: int
    done_at: datetime
    move: str
    strength_mg: Decimal
    lot: str
    from_state: str
    to_state: str
    units: tuple[str, ...]
    dose_id: str


@dataclass(frozen=True, slots=True)
class CountDue:
    """When a place with vials was last counted (``None``: never) and when it is to be counted next.

    ``soon`` says that this is a week away or less, ``late`` that the day has passed. How many vials there should be
    stands nowhere here: who counts must not be told.
    """

    place: str
    last_on: date | None
    last_number: str
    due_on: date
    soon: bool
    late: bool


@dataclass(frozen=True, slots=True)
class CloseOutLine:
    """What became of all vials of one strength and lot. ``on_site`` are unopened vials, ``containers`` used ones.

    ``never_received`` were recorded by mistake and taken back.
    """

    strength_mg: Decimal
    lot: str
    expires_on: date
    received: int
    returned: int
    transferred: int
    destroyed: int
    missing: int
    on_site: int
    containers: int
    never_received: int

    @property
    def balances(self) -> bool:
        """Whether every vial received is somewhere."""
        gone = self.returned + self.transferred + self.destroyed + self.missing
        return self.received == gone + self.on_site + self.containers


@dataclass(frozen=True, slots=True)
class ClosedOut:
    """A signed close-out: its lines as they stood."""

    event_seq: int
    closed_at: datetime
    signed_by: str
    lines: tuple[CloseOutLine, ...]
    note: str


@dataclass(frozen=True, slots=True)
class DeviationLine:
    """A storage deviation as it stands (§ 8.2).

    ``source`` says where its temperatures come from: 'logger file', 'by hand', 'logger failed' or 'logger missing';
    ``min_celsius`` and ``max_celsius`` are ``None`` where nothing was measured. ``spans`` are those outside the limits
    and without data, ``trace`` the readings that draw the curve, both as plain JSON. ``status`` is 'open' or 'closed'.
    """

    deviation_id: str
    place: str
    source: str
    logger_serial: str
    calibration_due: date | None
    started_at: datetime
    ended_at: datetime
    min_celsius: Decimal | None
    max_celsius: Decimal | None
    spans: Any
    trace: Any
    document_id: str
    file_sha256: str
    discovered_at: datetime
    discovered_by: str
    done: str
    cause: str
    action: str
    recorded_at: datetime
    recorded_by: str
    status: str
    closed_at: datetime | None
    closed_by: str
    event_seq: int
    closed_seq: int | None
    vials: int


@dataclass(frozen=True, slots=True)
class DeviationVial:
    """A vial that lay at the place of a deviation while it lasted.

    ``state_then`` is its state at the place, ``state_found`` that in which the act found it; ``dose_id`` the dose it
    was reserved for or went into. ``decision`` is 'may be used', 'must not be used' or '' (none yet).
    """

    deviation_id: str
    unit_number: str
    kit_number: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    state_then: str
    state_found: str
    dose_id: str
    quarantined: bool
    decision: str
    document_id: str
    decided_at: datetime | None
    decided_by: str
    event_seq: int


@dataclass(frozen=True, slots=True)
class DeviationTold:
    """One telling of the supporter: whom, how, when, and which data were sent."""

    event_seq: int
    deviation_id: str
    name: str
    how: str
    told_at: datetime
    data_sent: str
    recorded_at: datetime
    recorder: str


@dataclass(frozen=True, slots=True)
class VialAt:
    """A vial as it stands now, and the state it was in when it lay at a place."""

    vial: Vial
    state_then: str


@dataclass(frozen=True, slots=True)
class DeviationOutcome:
    """The move that ended the quarantine of a vial: what it was, when, by whom, and the document it names."""

    unit_number: str
    move: str
    done_at: datetime
    recorder: str
    reference: str


# --- places, expiries that were extended


@dataclass(frozen=True, slots=True)
class Place:
    """A place where vials are kept: ``vials`` on site there now; ``closed_at`` is ``None`` while it is in use."""

    name: str
    kind: str
    room: str
    added_seq: int
    added_by: str
    added_at: datetime
    closed_at: datetime | None
    closed_by: str
    closed_why: str
    vials: int

    @property
    def in_use(self) -> bool:
        """Whether vials may be put there."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class ExpiryExtension:
    """A lot's expiry extended by the supporter: last usable day before and after, and the document that says so.

    ``undone_seq`` is the entry by which it was taken back, ``None`` while it stands. The lot is the one that it belongs
    to now, its label corrected or not.
    """

    event_seq: int
    strength_mg: Decimal
    lot: str
    old_on: date
    new_on: date
    document_id: str
    signed_by: str
    signed_at: datetime
    vials: int
    undone_seq: int | None = None


# --- corrections, and the periods that the monitor has signed


@dataclass(frozen=True, slots=True)
class ChangedValue:
    """One value of a corrected entry, in words: what it is, as it stood, and as it is right ('' = no value)."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class CorrectionLine:
    """The one correction of an event: what it changed, why, who signed it and when.

    ``moved_vials``: it took lines of the ledger back or put others in their place.
    """

    corrects_seq: int
    event_seq: int
    kind: str
    changes: tuple[ChangedValue, ...]
    why: str
    signed_by: str
    corrected_at: datetime
    moved_vials: bool


@dataclass(frozen=True, slots=True)
class CorrectionNote:
    """What people are to know of a correction: on a dose, a vial or a medication error (``about``)."""

    event_seq: int
    about: str
    sentence: str
    noted_at: datetime
    recorder: str


@dataclass(frozen=True, slots=True)
class VialMove:
    """One move of one vial: its line of the ledger, what it was and when it was done."""

    unit_number: str
    line_id: str
    event_seq: int
    move: str
    done_at: datetime


@dataclass(frozen=True, slots=True)
class LotChange:
    """What one line of the ledger changed in a lot at one place: so many vials left a state for another ('' = none)."""

    done_utc: str
    done_at: datetime
    from_state: str
    to_state: str
    quantity: int


@dataclass(frozen=True, slots=True)
class PeriodBalance:
    """Vials of one strength and lot on site at the end of a period."""

    strength_mg: Decimal
    lot: str
    available: int
    quarantine: int


@dataclass(frozen=True, slots=True)
class PeriodRecord:
    """What a period of the record holds: its lines, what was entered late or corrected in it, what is open, balances.

    ``lines`` are all lines dated before its end; the other counts are those since the period before. ``head_seq`` and
    ``head_hash`` are the journal's end at that moment.
    """

    head_seq: int
    head_hash: str
    lines: int
    new_lines: int
    late_entries: int
    corrections: int
    open_discrepancies: tuple[str, ...]
    balances: tuple[PeriodBalance, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """A period of the record up to a day of the site, that day included, as the monitor has signed it."""

    event_seq: int
    through_on: date
    signed_by: str
    signed_at: datetime
    note: str
    record: PeriodRecord


# --- labels, one by one, and the printers they come out of


@dataclass(frozen=True, slots=True)
class LabelLine:
    """One printed label. ``line`` counts from 1 in its print, in the order in which the labels come out.

    ``about`` is what it was printed for: the number itself, or the place, printer, return or destruction. ``status``:
    'printed' (nobody said yet whether it came out), 'out', 'void' (kept in the list, never counted) or 'never out'
    (the printer stopped before it). ``mark`` is what its code says beside the number (``domain.label_marks``), '' for
    a label from before. ``reprint`` is what stands behind REPRINT on it, 0 where it says nothing of the kind.
    """

    event_seq: int
    line: int
    kind: str
    number: str
    about: str
    copy_number: int
    reprint: int
    mark: str
    status: str
    printer: str
    printed_at: datetime
    printed_by: str
    why: str
    void_why: str
    voided_by: str
    voided_at: datetime | None
    scanned_by: str
    scanned_at: datetime | None

    @property
    def live(self) -> bool:
        """Whether the label counts: it came out, or may have, and is not void."""
        return self.status in ("printed", "out")

    def stands_since(self, seq: int) -> bool:
        """Whether it was scanned where it was put, counts, and was printed after the entry ``seq``."""
        return self.live and self.scanned_at is not None and self.event_seq > seq

    @property
    def code(self) -> str:
        """What a scanner reads from its bar code, and what is printed beneath it."""
        return self.number + self.mark


@dataclass(frozen=True, slots=True)
class OpenPrint:
    """A print of which nobody has said yet whether its labels came out; ``waiting`` of its ``labels`` are open."""

    event_seq: int
    kind: str
    labels: int
    waiting: int
    printer: str
    printed_at: datetime
    printed_by: str


@dataclass(frozen=True, slots=True)
class PrinterEntry:
    """How a printer is set. ``stocks`` and ``default_for`` go by the kind of label; ``contact_…`` is the main contact
    that labels of the European Union name.

    ``outlet`` is 'system' (``target``: the queue's name), 'tcp' (``target``: host:port) or 'file' (``target``: a
    folder); ``language`` is 'pdf' or 'zpl'.
    """

    name: str
    outlet: str
    target: str
    language: str
    dpi: int
    stocks: tuple[tuple[str, str], ...] = ()
    width_mm: Decimal | None = None
    height_mm: Decimal | None = None
    offset_x_mm: Decimal = Decimal(0)
    offset_y_mm: Decimal = Decimal(0)
    region: str = "us"
    languages: tuple[str, ...] = ("en",)
    block: str = ""
    native_codes: bool = False
    contact_name: str = ""
    contact_address: str = ""
    contact_phone: str = ""
    default_for: tuple[str, ...] = ()
    in_use: bool = True


@dataclass(frozen=True, slots=True)
class Printer:
    """A printer as it stands. ``default_for`` are the kinds that go to it now: another may have taken one over."""

    number: str
    entry: PrinterEntry
    default_for: tuple[str, ...]
    event_seq: int
    set_by: str
    set_at: datetime


# --- the monitor's visits, the review of entries, and queries


@dataclass(frozen=True, slots=True)
class ReviewCount:
    """How far the review of some entries has come: ``reviewable`` = ``verified`` + ``reopened`` + ``unseen``.

    ``reopened`` were verified and changed since; ``unseen`` were never verified. ``with_reason`` of all have a reason
    to be looked at.
    """

    reviewable: int
    verified: int
    reopened: int
    unseen: int
    with_reason: int

    @property
    def unverified(self) -> int:
        """Those that are still to be verified."""
        return self.reopened + self.unseen


@dataclass(frozen=True, slots=True)
class ReviewMark:
    """How the review of one entry stands: ``status`` is 'unseen', 'verified' or 'reopened'.

    The verification is the newest one, also where it is reopened; ``None`` and '' where there was none.
    ``touched_seq`` is the newest entry that corrected, undid or set it anew, ``None`` for none.
    """

    entry_seq: int
    status: str
    verified_seq: int | None
    verified_by: str
    initials: str
    verified_at: datetime | None
    visit: str
    touched_seq: int | None


@dataclass(frozen=True, slots=True)
class ReviewEntry:
    """An entry as the monitor reads it: the event, why it deserves a look, and how its review stands.

    ``hash`` is that of the last word on it: its own, or that of the newest entry that touched it (``touched``). Whoever
    verifies hands it back, so that nothing is verified that has changed since it was read.
    """

    event: EventLine
    reasons: tuple[Said, ...]
    mark: ReviewMark
    touched: EventLine | None
    hash: str

    @property
    def seq(self) -> int:
        """The entry's number."""
        return self.event.seq


@dataclass(frozen=True, slots=True)
class VerifiedLine:
    """One verification of an entry, as it was made."""

    entry_seq: int
    event_seq: int
    visit: str
    initials: str
    verified_by: str
    verified_at: datetime


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """What a visit held when it was signed: entries after ``since_seq`` up to the journal's end at that moment.

    ``unverified`` are runs of entries: the first, the last, and how many; between them nothing was verified.
    ``verified_here`` counts what this visit verified, also of older entries. ``queries_open`` are all that are not
    closed, of any visit.
    """

    since_seq: int
    head_seq: int
    head_hash: str
    entries: ReviewCount
    verified_here: int
    unverified: tuple[tuple[int, int, int], ...]
    queries_opened: int
    queries_open: tuple[str, ...]
    units_accounted: int


@dataclass(frozen=True, slots=True)
class VisitLine:
    """A monitor's visit: ``status`` is 'planned', 'open' or 'signed'.

    ``since_seq`` is the journal's end at the signing of this monitor's visit before (0: there was none); what was
    recorded after it is what changed. ``opened_seq`` is the event that opened the visit.
    """

    number: str
    monitor_id: str
    monitor: str
    from_on: date
    to_on: date
    purpose: str
    planned_by: str
    planned_at: datetime
    event_seq: int
    status: str
    opened_at: datetime | None
    opened_seq: int | None
    opened_why: str
    since_seq: int
    signed_at: datetime | None
    signed_seq: int | None
    signed_by: str
    summary: str
    record: VisitRecord | None


@dataclass(frozen=True, slots=True)
class MonitorQuery:
    """A monitor's question: ``status`` is 'open', 'answered', 'returned' or 'closed'.

    ``about`` is the name of what it is about, as documents are attached to it, '' for the study or for the entry
    alone; ``entry_seq`` is the entry, ``None`` for none; ``field`` the field in words, or ''. Days are the site's.
    """

    number: str
    about: str
    field: str
    entry_seq: int | None
    text: str
    visit: str
    opened_by: str
    opened_by_id: str
    opened_at: datetime
    opened_on: date
    status: str
    answered_by_id: str
    closed_by: str
    closed_at: datetime | None
    last_at: datetime
    last_on: date
    event_seq: int


@dataclass(frozen=True, slots=True)
class QueryLine:
    """One thing said of a query: 'opened', 'answered', 'returned' or 'closed', with its text."""

    event_seq: int
    number: str
    says: str
    text: str
    person: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class ReconciledUnit:
    """A container or a vial that left: when the site closed or sent it off, and when the monitor accounted for it.

    ``site_`` fields are those of the move by which it was used up, broken, brought back, returned or transferred.
    ``monitor_`` fields are those of the monitor's accountability; for a vial that left unopened, of the verification of
    that entry. They are ``None`` and '' while there is none.
    """

    unit_number: str
    kit_number: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    state: str
    dose_id: str
    site_seq: int | None
    site_at: datetime | None
    site_by: str
    monitor_seq: int | None
    monitor_at: datetime | None
    monitor: str
    visit: str

    @property
    def reconciled(self) -> bool:
        """Whether site and monitor have both given their date."""
        return self.site_at is not None and self.monitor_at is not None
