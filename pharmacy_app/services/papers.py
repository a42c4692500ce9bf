"""What stands on each paper, and the port through which the services have papers made.

Every value is a domain value: milligrams and millilitres are ``Decimal``, printed to 0.0001 mg, 0.01 mL and 0.00001
mg/mL (an ordered or planned dose in every digit), days are ``date``, moments are aware ``datetime`` in the site's
zone. How a value is written (``0.5 mg``, ``30-Nov-2026``) is the printing room's business, so all papers write it
the same way. A text left empty prints as ``N/A``: no cell of a record is blank (REGULATION A-12).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from pharmacy_app.domain.drift import Drift
from pharmacy_app.domain.findings import Finding, Step
from pharmacy_app.domain.forecast import Forecast
from pharmacy_app.domain.temperatures import Limits, Span
from pharmacy_app.domain.tolerance import Budget
from pharmacy_app.domain.treatment_calendar import TreatmentCalendar
from pharmacy_app.services import views
from pharmacy_app.services.pictures import Picture

if TYPE_CHECKING:
    from pharmacy_app.services.papers_records import (
        AuditTrail,
        DelegationLog,
        DiscrepancyRecord,
        DispensingLog,
        DoseRecord,
        VisitReport,
    )

DEMONSTRATION = "DEMONSTRATION – NOT FOR CLINICAL USE"


@dataclass(frozen=True, slots=True)
class PaperStamp:
    """Where a report comes from: stands at the foot of every page (REGULATION A-33, E-29).

    ``head_seq`` and ``head_hash`` are number and SHA-256 of the journal's last event when it was printed.
    """

    study_title: str
    protocol_name: str
    protocol_version: str
    protocol_sha256: str
    site_name: str
    site_number: str
    printed_at: datetime
    printed_by: str
    app_version: str
    head_seq: int
    head_hash: str
    demonstration: bool
    settings_version: str


LabelValue = str | int | Decimal | date | datetime
"""What a label says of one field: words, a count, milligrams or millilitres, a day, a moment in the site's zone."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label: what its template needs to know.

    ``kind`` names a template of the printing room (``vial``, ``opened vial``, ``bag``, ``light cover``, ``syringe``,
    ``quarantine``, ``hold for monitor``, ``return box``, ``destruction container``, ``place``, ``ruler``). ``number``
    is one of our numbers and what the code says. ``values`` are the fields of the template by name; a field the
    template requires and that is missing or '' refuses the print. ``copy_number`` counts every print, also one that
    never came out, so that no two labels have one ``mark``; the mark says in the code, and behind the printed number,
    which label of the number it is (``domain.label_marks``); labels from before had none (''). ``earlier`` is how many
    copies came out before this one; ``None``, as on labels from before: all of them.
    """

    kind: str
    number: str
    values: Mapping[str, LabelValue]
    copy_number: int = 1
    demonstration: bool = False
    mark: str = ""
    earlier: int | None = None

    @property
    def reprint(self) -> int:
        """What stands behind REPRINT: 1 on the first label after the one it replaces; 0 prints nothing."""
        return self.copy_number - 1 if self.earlier is None else self.earlier


@dataclass(frozen=True, slots=True)
class LabelSetup:
    """How labels come out of one printer.

    ``dpi`` are its dots an inch. ``stock`` names a stock of the printing room ('' is the usual one of the kind), or
    ``width_mm`` and ``height_mm`` are the size of an own one. ``start_at`` is the first free position of a sheet, from
    1. ``offset_x_mm`` and ``offset_y_mm`` shift the print to the right and down, as measured on the ruler label.
    ``region`` chooses the templates (``us``, ``eu``, ``eu small``), ``languages`` their texts in this order, ``block``
    a state's further sentences ('' is none). ``native_codes`` lets a ZPL printer draw the codes itself.
    """

    dpi: int = 203
    stock: str = ""
    width_mm: Decimal | None = None
    height_mm: Decimal | None = None
    start_at: int = 1
    offset_x_mm: Decimal = Decimal(0)
    offset_y_mm: Decimal = Decimal(0)
    region: str = "us"
    languages: tuple[str, ...] = ("en",)
    block: str = ""
    native_codes: bool = False


@dataclass(frozen=True, slots=True)
class VialDraw:
    """One vial of the plan: what is drawn from it and what stays (mg, mL)."""

    unit_number: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    draw_mg: Decimal
    draw_ml: Decimal
    left_mg: Decimal


@dataclass(frozen=True, slots=True)
class Reconstitution:
    """How one strength is made up, from the signed setting (mL, mg/mL, extractable mg) with its source."""

    strength_mg: Decimal
    fluid: str
    volume_ml: Decimal
    concentration_mg_per_ml: Decimal
    extractable_mg: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class StabilityLimit:
    """One limit of the signed instructions, e.g. ``Reconstitution to end of infusion``, ``8 h``."""

    name: str
    limit: str
    source: str


@dataclass(frozen=True, slots=True)
class PrintedSignature:
    """An electronic signature as it prints: name in full, moment and meaning (21 CFR 11.50)."""

    meaning: str
    printed_name: str
    role: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class WeightComparison:
    """Today's weight against the weight last used for a dose (kg, %); ``None`` where no dose was made before."""

    weight_kg: Decimal
    weighed_on: date
    last_used_kg: Decimal | None
    last_used_on: date | None
    change_percent: Decimal | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Worksheet:
    """The preparation worksheet of one dose: order, whole working, vials, instructions, signatures.

    ``min_mg_per_ml`` and ``max_mg_per_ml`` are the allowed final concentration; ``by_hand`` names the fields
    written at the hood; ``beyond_use_rule`` says which limit sets the beyond-use time.
    """

    stamp: PaperStamp
    dose_id: str
    copy_number: int
    product: str
    subject_number: str
    subject_initials: str
    born: str
    height_cm: Decimal
    height_measured_on: date
    bsa_m2: Decimal
    bsa_formula: str
    prescriber: str
    ordered_on: date
    planned_on: date
    course: int
    cycle: int
    day: int
    level: str
    dose_mg_per_m2: Decimal
    planned_mg: Decimal
    prescribed_mg: Decimal
    weight: WeightComparison
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    budget: Budget
    vials: tuple[VialDraw, ...]
    reconstitution: tuple[Reconstitution, ...]
    withdraw_ml: Decimal
    diluent: str
    bag_volume_ml: Decimal
    final_mg_per_ml: Decimal
    min_mg_per_ml: Decimal
    max_mg_per_ml: Decimal
    bag_source: str
    instructions: tuple[str, ...]
    light: str
    hazard: str
    stability: tuple[StabilityLimit, ...]
    beyond_use_rule: str
    signatures: tuple[PrintedSignature, ...]
    by_hand: tuple[str, ...] = (
        "Reconstituted at (date, time)",
        "Diluted at (date, time)",
        "Beyond-use time (date, time)",
        "Actual mL drawn",
        "Actual mg in the bag",
        "Left in vials, mg",
        "Prepared by (initials)",
        "Checked by (initials)",
    )


@dataclass(frozen=True, slots=True)
class Told:
    """Who was told of an error and when; ``at`` is ``None`` where nothing of it is on record."""

    who: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """A decision question of the NCC MERP index in our words, and its answer (``None``: open)."""

    question: str
    answer: bool | None


@dataclass(frozen=True, slots=True)
class SafetyClock:
    """By when one recipient had to be told of a serious adverse event, and how that stood when it was printed.

    ``state`` is 'due', 'overdue', 'done' or 'done late'; ``told_at`` is ``None`` while nobody was told.
    """

    who: str
    limit: str
    due_at: datetime
    told_at: datetime | None
    state: str
    section: str


@dataclass(frozen=True, slots=True)
class SeriousEvent:
    """The serious adverse event of an error with its clocks; ``clocks_note`` says how they count."""

    reference: str
    aware_at: datetime
    fatal_or_life_threatening: bool
    unexpected_and_related: bool
    clocks: tuple[SafetyClock, ...]
    clocks_note: str


@dataclass(frozen=True, slots=True)
class AssessmentEntry:
    """One assessment of a record in short; what was found before stays readable."""

    assessed_at: datetime
    signed_by: str
    assessed_by: str
    verdict: str
    category: str
    reason: str


@dataclass(frozen=True, slots=True)
class CorrectedEntry:
    """One correction that matters to a medication error: the entry that it is, when, by whom, and what it says."""

    entry: int
    at: datetime
    by: str
    sentence: str


@dataclass(frozen=True, slots=True)
class MedicationErrorReport:
    """A medication error: opened by § 8.1.3 (``by_rule``) or reported by a person.

    Doses are mg; their working is drawn from them. ``limit_percent`` is the protocol's limit of the dosing error.
    ``category`` is the letter of the NCC MERP index with its words, ``merp_notice`` the index's own notice, which
    always prints (REGULATION D-18, D-19). Texts not known yet are '' and print N/A, as does what is ``None``.
    ``assessments`` are newest first, ``corrections`` oldest first.
    """

    stamp: PaperStamp
    report_number: str
    copy_number: int
    by_rule: bool
    status: str
    opened_at: datetime
    opened_by: str
    dose_id: str
    subject_number: str
    product: str
    course: int | None
    cycle: int | None
    day: int | None
    occurred_at: datetime | None
    found_at: datetime
    found_by: str
    prescribed_mg: Decimal | None
    administered_mg: Decimal | None
    limit_percent: Decimal
    stage: str
    error_type: str
    reached_subject: str
    stopped_for: str
    what_happened: str
    questions: tuple[AnsweredQuestion, ...]
    category: str
    merp_notice: str
    harm: str
    cause: str
    action: str
    preventive_action: str
    adverse_event: str
    serious_event: SeriousEvent | None
    assessments: tuple[AssessmentEntry, ...]
    told: tuple[Told, ...]
    signatures: tuple[PrintedSignature, ...]
    corrections: tuple[CorrectedEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class TreatmentCalendarPaper:
    """The treatment calendar of one subject as of a day; ``drift`` and the picture of doses are printed when given."""

    stamp: PaperStamp
    product: str
    subject_number: str
    calendar: TreatmentCalendar
    drift: Drift | None = None
    doses: Picture | None = None
    copy_number: int = 1


@dataclass(frozen=True, slots=True)
class Approval:
    """The supporter's written permission: the attached document, who signed it and when."""

    reference: str
    name: str
    dated_on: date


@dataclass(frozen=True, slots=True)
class Accounted:
    """The monitor who did the accountability of containers, and on which day."""

    name: str
    on: date


@dataclass(frozen=True, slots=True)
class DestroyedVial:
    """One line of the destruction record. ``residual_mg`` is ``None`` for a vial that was never opened.

    ``state`` is 'empty', 'partial' or 'broken'; ``dispensed`` names the subject, the dose and the accountability
    record's line.
    """

    unit_number: str
    kit_number: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    state: str
    dispensed: str
    residual_mg: Decimal | None
    reason: str


@dataclass(frozen=True, slots=True)
class DestructionRecord:
    """Containers destroyed on site, with the columns of REGULATION 6.4.

    ``taken_back`` says by which entry, whom, when and why the act was taken back, '' while it stands.
    """

    stamp: PaperStamp
    record_number: str
    copy_number: int
    product: str
    investigator: str
    approval: Approval
    accounted: tuple[Accounted, ...]
    destroyed_at: datetime
    method: str
    container: str
    certificate: str
    note: str
    vials: tuple[DestroyedVial, ...]
    destroyed_by: str
    witnessed_by: str
    signatures: tuple[PrintedSignature, ...]
    taken_back: str = ""


@dataclass(frozen=True, slots=True)
class Carriage:
    """How vials travel: courier, tracking number, packages, seal and the serial number of the temperature logger."""

    courier: str
    tracking_number: str
    packages: int
    seal: str
    logger_serial: str


@dataclass(frozen=True, slots=True)
class ReturnedVial:
    """One line of the return record; ``condition`` '' says that nothing against the vial is on record."""

    unit_number: str
    kit_number: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    condition: str
    status_before: str


@dataclass(frozen=True, slots=True)
class ReturnRecord:
    """Unopened vials sent back to the supporter's depot, with the columns of REGULATION 6.5.

    ``taken_back`` says by which entry, whom, when and why the act was taken back, '' while it stands.
    """

    stamp: PaperStamp
    record_number: str
    copy_number: int
    product: str
    investigator: str
    pharmacy_phone: str
    depot: str
    approval: Approval
    monitors: tuple[str, ...]
    carriage: Carriage
    shipped_at: datetime
    reason: str
    note: str
    vials: tuple[ReturnedVial, ...]
    packed_by: str
    signatures: tuple[PrintedSignature, ...]
    taken_back: str = ""


@dataclass(frozen=True, slots=True)
class TransferredLot:
    """One line of the transfer record: the vials of one strength, lot and expiry. ``kits`` is in words."""

    strength_mg: Decimal
    lot: str
    expires_on: date
    kits: str
    vials: int


@dataclass(frozen=True, slots=True)
class TransferRecord:
    """Unopened vials sent to another site, with the columns of REGULATION 6.6.

    ``taken_back`` says by which entry, whom, when and why the act was taken back, '' while it stands.
    """

    stamp: PaperStamp
    record_number: str
    copy_number: int
    product: str
    investigator: str
    places: tuple[str, ...]
    to_site: str
    approval: Approval
    carriage: Carriage
    sent_at: datetime
    sent_by: str
    reason: str
    note: str
    lots: tuple[TransferredLot, ...]
    signatures: tuple[PrintedSignature, ...]
    taken_back: str = ""


@dataclass(frozen=True, slots=True)
class CountRow:
    """One line of a count's record. ``kind`` is 'vials' (unopened) or 'containers' (used)."""

    strength_mg: Decimal
    lot: str
    kind: str
    expected: int
    counted: int
    difference: int
    explanation: str


@dataclass(frozen=True, slots=True)
class CountRecord:
    """A physical count, with the columns of REGULATION 6.6.

    ``strength_mg`` is ``None`` when all strengths were counted. ``missing``, ``strays`` and ``unknown`` are known of a
    count by scan alone. ``outcome`` and ``explanation`` are '' while the discrepancy is open or where there is none.
    """

    stamp: PaperStamp
    count_number: str
    copy_number: int
    product: str
    place: str
    strength_mg: Decimal | None
    kinds: tuple[str, ...]
    method: str
    counted_at: datetime
    counted_by: str
    verified_by: str
    rows: tuple[CountRow, ...]
    missing: tuple[str, ...]
    strays: tuple[str, ...]
    unknown: tuple[str, ...]
    discrepancy: str
    outcome: str
    explanation: str
    note: str
    signatures: tuple[PrintedSignature, ...]


@dataclass(frozen=True, slots=True)
class CloseOutRow:
    """What became of all vials of one strength and lot; ``balances`` says that they add up."""

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
    balances: bool


@dataclass(frozen=True, slots=True)
class CloseOutReport:
    """The closing of the study's books (REGULATION A-30): what became of every vial, or what is still open.

    ``number`` is '' for a report of how things stand, which nobody has signed.
    """

    stamp: PaperStamp
    number: str
    copy_number: int
    product: str
    investigator: str
    as_of: datetime
    rows: tuple[CloseOutRow, ...]
    open_items: tuple[str, ...]
    note: str
    signatures: tuple[PrintedSignature, ...]


@dataclass(frozen=True, slots=True)
class ReceivedLot:
    """One line of the receipt: what was listed and found of one lot; ``None`` where an older record does not say."""

    strength_mg: Decimal
    lot: str
    expires_on: date
    kits: str
    listed: int | None
    counted: int
    damaged: int | None
    extra: int
    difference_note: str
    condition_note: str
    released_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """The receipt of one shipment, for the supporter, with the columns of REGULATION 6.6.

    Temperatures are those that the logger recorded, ``None`` where it was not read or shows none.
    """

    stamp: PaperStamp
    record_number: str
    copy_number: int
    product: str
    investigator: str
    pharmacy_phone: str
    shipment_number: str
    sender: str
    shipped_on: date
    received_at: datetime
    received_by: str
    packing_list: str
    logger_serial: str
    logger_state: str
    min_celsius: Decimal | None
    max_celsius: Decimal | None
    hold_reason: str
    note: str
    acknowledged_at: datetime | None
    acknowledged_to: str
    acknowledged_how: str
    lots: tuple[ReceivedLot, ...]


@dataclass(frozen=True, slots=True)
class Balances:
    """Vials available, in quarantine and on site in all."""

    available: int
    quarantine: int
    on_site: int


@dataclass(frozen=True, slots=True)
class AccountabilityHeader:
    """Head of the site-level accountability record (REGULATION 6.2), one strength or one strength and lot.

    ``lot`` '' means all lots. ``brought_forward`` is the balance before the first line, when the record does
    not begin with the first receipt.
    """

    sponsor: str
    protocol_name: str
    ind_number: str
    site_number: str
    site_name: str
    principal_investigator: str
    product: str
    dosage_form: str
    strength_mg: Decimal
    lot: str
    storage_condition: str
    storage_location: str
    record_type: str
    brought_forward: Balances = Balances(0, 0, 0)
    manufacturer: str = ""
    copy_number: int = 1


@dataclass(frozen=True, slots=True)
class AccountabilityLine:
    """One line of the record. ``None`` and '' print as N/A.

    ``qty_in`` and ``qty_out`` count vials that come into or leave the balance on site; a move between available and
    quarantine changes neither. ``late_entry`` is the reason of an entry made after the fact; ``corrected`` says
    by which line, whom, when and why this line was corrected: it is then printed struck through, legible (A-11, A-13).
    ``strength_mg`` stands in a record of more than one strength.
    """

    line: int
    event_at: datetime
    entry_at: datetime
    transaction: str
    party: str
    subject_initials: str
    cycle_day: str
    dose_mg: Decimal | None
    unit_number: str
    lot: str
    expires_on: date | None
    qty_in: int | None
    qty_out: int | None
    balances: Balances
    reference: str
    comment: str
    recorder: str
    verifier: str
    monitor_verified: str
    late_entry: str = ""
    corrected: str = ""
    strength_mg: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PastPaper:
    """Stock and ledger at a past ``moment``; ``known`` is 'then' or 'now' and says which ledger the lines are.

    ``head_seq`` and ``head_hash`` are the journal's end as it was at that moment. There are ``count`` lines, read one
    after the other.
    """

    stamp: PaperStamp
    copy_number: int
    moment: datetime
    known: str
    head_seq: int
    head_hash: str
    stock: tuple[views.PastStockLine, ...]
    entered_later: tuple[views.LedgerLine, ...]
    count: int
    lines: Iterable[AccountabilityLine]


@dataclass(frozen=True, slots=True)
class ForecastPaper:
    """The supply forecast; ``not_counted`` names the vials on site that it leaves out, '' for none.

    ``pictures`` show the stock of each strength over time.
    """

    stamp: PaperStamp
    product: str
    forecast: Forecast
    not_counted: str
    pictures: tuple[Picture, ...] = ()
    copy_number: int = 1


@dataclass(frozen=True, slots=True)
class ExcursionVial:
    """One exposed vial on the report of a storage deviation; '' prints as N/A.

    ``dose`` names the dose it was reserved for or went into, ``used`` whether it was opened before anybody knew.
    """

    unit_number: str
    kit_number: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    state_then: str
    state_now: str
    dose: str
    used: bool
    decision: str
    decided: str
    outcome: str


@dataclass(frozen=True, slots=True)
class ExcursionTold:
    """One telling of the supporter on the report of a storage deviation."""

    name: str
    how: str
    told_at: datetime
    data_sent: str
    recorder: str


@dataclass(frozen=True, slots=True)
class ExcursionReport:
    """A storage deviation as it is reported to the supporter, with the columns of REGULATION 6.6 (Excursion).

    Temperatures are °C, ``None`` where nothing was measured, as is their ``picture``. What is in words ('' prints as
    N/A) sums up the vials.
    """

    stamp: PaperStamp
    deviation_id: str
    copy_number: int
    status: str
    product: str
    investigator: str
    pharmacy_phone: str
    place: str
    source: str
    logger_serial: str
    calibration_due: date | None
    document_id: str
    file_sha256: str
    limits: Limits
    min_celsius: Decimal | None
    max_celsius: Decimal | None
    spans: tuple[Span, ...]
    picture: Picture | None
    discovered_by: str
    discovered_at: datetime
    done: str
    kits: str
    quarantined: str
    told: tuple[ExcursionTold, ...]
    decisions: str
    decided: str
    cause: str
    action: str
    outcomes: str
    vials: tuple[ExcursionVial, ...]
    signatures: tuple[PrintedSignature, ...]


class Papers(Protocol):
    """Makes papers: PDF bytes, the same bytes for the same content.

    Each method raises ``Refused`` naming the field when a text does not fit, carries a character the paper's
    font does not have, or a notation that is forbidden on labels: nothing is cut off and nothing shrunk below 6 pt.
    """

    def labels(self, labels: Sequence[Label], setup: LabelSetup) -> bytes:
        """The labels as PDF, in the order given; each code was read back from the drawn pixels before it is returned.

        One page a label on label stock; as many as fit on a sheet.
        """
        ...

    def zpl(self, labels: Sequence[Label], setup: LabelSetup) -> bytes:
        """The same labels in ZPL II for a label printer: the same pixels as the PDF, the codes native or drawn."""
        ...

    def templates_sha256(self) -> str:
        """SHA-256 of the templates and stocks: the same labels with the same templates give the same bytes."""
        ...

    def worksheet(self, worksheet: Worksheet) -> bytes:
        """The preparation worksheet."""
        ...

    def medication_error_report(self, report: MedicationErrorReport) -> bytes:
        """The report of one medication error."""
        ...

    def treatment_calendar(self, paper: TreatmentCalendarPaper) -> bytes:
        """The treatment calendar of one subject."""
        ...

    def supply_forecast(self, paper: ForecastPaper) -> bytes:
        """The supply forecast of the next weeks."""
        ...

    def destruction_record(self, record: DestructionRecord) -> bytes:
        """The record of one destruction on site."""
        ...

    def return_record(self, record: ReturnRecord) -> bytes:
        """The record of one return to the supporter."""
        ...

    def transfer_record(self, record: TransferRecord) -> bytes:
        """The record of one transfer to another site."""
        ...

    def receipt_record(self, record: ReceiptRecord) -> bytes:
        """The receipt of one shipment, for the supporter."""
        ...

    def count_record(self, record: CountRecord) -> bytes:
        """The record of one physical count."""
        ...

    def close_out_report(self, report: CloseOutReport) -> bytes:
        """The closing of the study's books, or what is still open."""
        ...

    def past_record(self, paper: PastPaper) -> bytes:
        """Stock and ledger at a past moment."""
        ...

    def excursion_report(self, report: ExcursionReport) -> bytes:
        """The report of one storage deviation to the supporter."""
        ...

    def accountability_record(
        self,
        header: AccountabilityHeader,
        lines: Iterable[AccountabilityLine],
        totals: tuple[tuple[str, int], ...],
        stamp: PaperStamp,
    ) -> bytes:
        """The accountability record; of ``totals`` the first is what was received, the rest are its present states.

        Refused when the states do not add up to what was received, or a line's balance does not follow from
        the line before: a record that does not balance is not printed.
        """
        ...

    def darf_style_record(
        self,
        header: AccountabilityHeader,
        lines: Iterable[AccountabilityLine],
        totals: tuple[tuple[str, int], ...],
        stamp: PaperStamp,
    ) -> bytes:
        """The same record in the layout that cancer centres know (REGULATION 6.1): nine columns, one balance."""
        ...

    def dispensing_log(self, log: "DispensingLog") -> bytes:
        """The dispensing log of one subject."""
        ...

    def dose_record(self, record: "DoseRecord") -> bytes:
        """The whole thread of one dose."""
        ...

    def audit_trail(self, trail: "AuditTrail") -> bytes:
        """The journal's entries, one after the other as they are read."""
        ...

    def delegation_log(self, log: "DelegationLog") -> bytes:
        """People, their delegations and their signatures."""
        ...

    def discrepancy_record(self, record: "DiscrepancyRecord") -> bytes:
        """The record of one discrepancy."""
        ...

    def visit_report(self, report: "VisitReport") -> bytes:
        """The report of a monitor's visit."""
        ...

    def page_png(self, pdf: bytes, page: int, dpi: int) -> bytes:
        """A picture of one page (counted from 0) for the screen: the very bytes that print."""
        ...

    def page_count(self, pdf: bytes) -> int:
        """How many pages a paper has."""
        ...
