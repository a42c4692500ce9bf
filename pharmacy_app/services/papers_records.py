"""What stands on the records about subjects, doses and people: domain values, as ``papers`` explains.

What is ``None`` or '' prints as N/A, with the reason that the printing room keeps for that column.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from pharmacy_app.domain.findings import Finding, Step
from pharmacy_app.services.papers import PaperStamp, PrintedSignature


@dataclass(frozen=True, slots=True)
class CorrectedValue:
    """One value that was corrected: as it stood, as it is right ('': none), and by which entry, whom, when and why."""

    label: str
    old: str
    new: str
    entry: int
    by: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class DispensedVial:
    """A vial of a dose: its number as the record knows it, and the state it is in now."""

    unit_number: str
    kit_number: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    state: str


@dataclass(frozen=True, slots=True)
class DispensingLine:
    """One dose of a subject, from its order to what was left (REGULATION 6.3).

    ``calculated_mg`` is unrounded; percentages are of what they are compared with, unrounded. ``wasted_mg`` is what was
    left in the vials (residue and discarded), ``None`` until they are closed; ``not_given_mg`` what stayed in the bag.
    ``ended`` says that the dose was cancelled or not given, and why: then it has no infusion and nothing administered.
    Weight and height are those that the dose was decided by; ``weight_since`` and ``height_since`` say what they were
    corrected to since, '' where they stand.
    """

    line: int
    dose_id: str
    ordered_at: datetime
    prescriber: str
    cycle: int
    day: int
    weight_kg: Decimal | None
    weighed_on: date | None
    height_cm: Decimal | None
    bsa_m2: Decimal | None
    level: str
    dose_mg_per_m2: Decimal | None
    calculated_mg: Decimal | None
    prescribed_mg: Decimal
    prescribed_percent: Decimal | None
    vials: tuple[DispensedVial, ...]
    reconstituted_at: datetime | None
    withdrawn_ml: Decimal | None
    prepared_mg: Decimal | None
    diluent: str
    final_ml: Decimal | None
    final_mg_per_ml: Decimal | None
    beyond_use_at: datetime | None
    prepared_by: str
    verified_by: str
    released_to: str
    released_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    administered_mg: Decimal | None
    administered_percent: Decimal | None
    wasted_mg: Decimal | None
    not_given_mg: Decimal | None
    error: str
    comments: str
    ended: str
    corrected: tuple[CorrectedValue, ...]
    weight_since: str = ""
    height_since: str = ""


@dataclass(frozen=True, slots=True)
class DispensingLog:
    """The subject-level dispensing log (REGULATION 6.3), its lines read one after the other.

    ``omitted`` are doses that were not ordered, in words.
    """

    stamp: PaperStamp
    copy_number: int
    product: str
    subject_number: str
    subject_initials: str
    investigator: str
    bsa_formulas: tuple[str, ...]
    protocol_versions: tuple[str, ...]
    lines: Iterable[DispensingLine]
    omitted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement as it stands: what, as typed, and when and by whom; ``corrected_by`` names the entry, 0: none."""

    kind: str
    typed: str
    measured_on: date
    recorded_at: datetime
    recorder: str
    used: bool
    corrected_by: int


@dataclass(frozen=True, slots=True)
class MilligramLine:
    """The mg ledger of one opened vial: labelled = withdrawn + residue + discarded."""

    unit_number: str
    labelled_mg: Decimal
    withdrawn_mg: Decimal
    residue_mg: Decimal | None
    discarded_mg: Decimal | None


@dataclass(frozen=True, slots=True)
class LifeLine:
    """One line of the ledger on which a vial of the dose stands, from its receipt to its destruction."""

    unit_number: str
    done_at: datetime
    what: str
    from_state: str
    to_state: str
    place: str
    reference: str
    recorder: str
    verifier: str
    entry: int
    struck: bool


@dataclass(frozen=True, slots=True)
class KeptPaper:
    """A paper or label printed for the dose, or a document attached: what, number or copy, when, by whom, SHA-256."""

    what: str
    number: str
    at: datetime
    by: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ThreadEntry:
    """One entry of the journal: number, what it was, when done and recorded, by whom, its signatures and its hash."""

    entry: int
    what: str
    done_at: datetime
    recorded_at: datetime
    by: str
    why: str
    signed: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class DoseRecord:
    """The whole thread of one dose: weight, decision, plan, check, bag, infusion, vials until they were destroyed."""

    stamp: PaperStamp
    copy_number: int
    product: str
    subject_number: str
    course: int
    status: str
    planned_on: date
    formula: str
    protocol_decided_by: str
    dose: DispensingLine
    measured: tuple[Measured, ...]
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    reason: str
    milligrams: tuple[MilligramLine, ...]
    life: tuple[LifeLine, ...]
    papers: tuple[KeptPaper, ...]
    documents: tuple[KeptPaper, ...]
    errors: tuple[str, ...]
    entries: tuple[ThreadEntry, ...]
    signatures: tuple[PrintedSignature, ...]


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One entry of the audit trail: who, when, where, what record and values, old and new, why, signed how.

    ``changes`` are those of a correction: label, old value, new value ('': none).
    """

    entry: int
    recorded_at: datetime
    done_at: datetime
    by: str
    workstation: str
    what: str
    values: str
    changes: tuple[tuple[str, str, str], ...]
    why: str
    signed: tuple[str, ...]
    marks: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """The journal as an audit trail (21 CFR 11.10(e)), oldest first; ``asked`` says which entries, in words."""

    stamp: PaperStamp
    copy_number: int
    asked: tuple[tuple[str, str], ...]
    count: int
    lines: Iterable[TrailLine]


@dataclass(frozen=True, slots=True)
class Delegation:
    """How a person was delegated from one entry on: roles and days. ``until_entry`` 0: in force."""

    printed_name: str
    user_name: str
    roles: str
    delegated_from: date
    delegated_to: date | None
    standing: str
    entry: int
    set_by: str
    set_at: datetime
    why: str
    until_entry: int


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One electronic signature: who, in which role then, when, what it meant, under which act and number."""

    line: int
    signed_at: datetime
    printed_name: str
    role: str
    meaning: str
    act: str
    about: str
    entry: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DelegationLog:
    """Delegation and signature log (ICH E6(R3) 2.3, 21 CFR 11.50, 11.100). ``signatures`` is read once, in order."""

    stamp: PaperStamp
    copy_number: int
    investigator: str
    delegations: tuple[Delegation, ...]
    signatures: Iterable[SignatureLine]


@dataclass(frozen=True, slots=True)
class ConcernLine:
    """What a discrepancy is about: vials of one strength and lot (difference: counted less expected)."""

    strength_mg: Decimal
    lot: str
    difference: int
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiscrepancyRecord:
    """A difference between shelf and record, and how it was explained; ``closed_at`` is ``None`` while it is open."""

    stamp: PaperStamp
    number: str
    copy_number: int
    product: str
    investigator: str
    status: str
    place: str
    count_number: str
    sentence: str
    opened_at: datetime
    opened_by: str
    concerns: tuple[ConcernLine, ...]
    outcome: str
    explanation: str
    closed_at: datetime | None
    closed_by: str
    entries: tuple[ThreadEntry, ...]
    signatures: tuple[PrintedSignature, ...]


@dataclass(frozen=True, slots=True)
class ReviewedLine:
    """One entry that deserves a look: what it is, why, and how its review stands ('' verified: not verified yet)."""

    entry: int
    done_at: datetime
    what: str
    about: str
    by: str
    reasons: tuple[str, ...]
    state: str
    verified: str


@dataclass(frozen=True, slots=True)
class QueryOnPaper:
    """One query with all that was said of it, oldest first; ``age_days`` in whole days of the site."""

    number: str
    about: str
    status: str
    age_days: int
    overdue: bool
    visit: str
    said: tuple[tuple[str, str, str, datetime], ...]
    """What kind of saying, its text, who, when."""


@dataclass(frozen=True, slots=True)
class AccountedUnit:
    """One container with its site date and its monitor date; ``None`` and '' where there is none yet."""

    unit_number: str
    kit_number: str
    strength_mg: Decimal
    lot: str
    state: str
    site_at: datetime | None
    site_by: str
    monitor_at: datetime | None
    monitor: str


@dataclass(frozen=True, slots=True)
class VisitReport:
    """A monitor's visit: what changed since the last one, what was verified, asked, accounted for, and left open.

    Counts and ``queries_open`` are those that were signed; of a visit not yet signed, those of the moment of the print.
    ``unverified`` and ``verified`` are runs of entries in words. ``flagged`` entries are read once, in order of risk.
    """

    stamp: PaperStamp
    number: str
    copy_number: int
    product: str
    investigator: str
    monitor: str
    status: str
    from_on: date
    to_on: date
    purpose: str
    opened_at: datetime | None
    opened_why: str
    signed_at: datetime | None
    summary: str
    since_entry: int
    through_entry: int
    head_hash: str
    reviewable: int
    verified_count: int
    reopened: int
    unseen: int
    with_reason: int
    verified_here: int
    queries_opened: int
    queries_open: tuple[str, ...]
    units_accounted: int
    unverified: tuple[str, ...]
    verified: tuple[str, ...]
    drawn: tuple[int, ...]
    alike: int
    flagged: Iterable[ReviewedLine]
    queries: tuple[QueryOnPaper, ...]
    units: tuple[AccountedUnit, ...]
    signatures: tuple[PrintedSignature, ...]
