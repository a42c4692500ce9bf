"""One honest example of every paper. Doses are hand arithmetic from the protocol's 0.3 and 0.5 mg/m² (§ 3.3)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pypdfium2

from pharmacy_app.domain.findings import Finding, Named, Override, Severity, Step
from pharmacy_app.domain.medication_errors import MERP_NOTICE, MERP_QUESTIONS, WORKING_DAYS
from pharmacy_app.domain.planning import UsableVial, plan_with
from pharmacy_app.domain.protocol import shipped_protocol
from pharmacy_app.domain.settings import (
    BagPreparation,
    BsaFormula,
    LineResidue,
    Signed,
    StudySettings,
    VialPreparation,
)
from pharmacy_app.domain.tolerance import BudgetFacts, tolerance_budget
from pharmacy_app.services.papers import (
    AccountabilityHeader,
    AccountabilityLine,
    Accounted,
    AnsweredQuestion,
    Approval,
    AssessmentEntry,
    Balances,
    Carriage,
    DestroyedVial,
    DestructionRecord,
    MedicationErrorReport,
    PaperStamp,
    PrintedSignature,
    ReceiptRecord,
    ReceivedLot,
    Reconstitution,
    ReturnedVial,
    ReturnRecord,
    SafetyClock,
    SeriousEvent,
    StabilityLimit,
    Told,
    TransferRecord,
    TransferredLot,
    VialDraw,
    WeightComparison,
    Worksheet,
)

TEXAS_WINTER = timezone(timedelta(hours=-6))
TEN_FIFTEEN = datetime(2026, 11, 22, 10, 15, tzinfo=TEXAS_WINTER)
D = Decimal

STAMP = PaperStamp(
    study_title="Phase II Study of Low-Dose Inotuzumab Ozogamicin in Relapsed or Refractory CD22-Positive ALL",
    protocol_name="2012-0511",
    protocol_version="version 7",
    protocol_sha256="3f9a51c27b80" + "a" * 52,
    site_name="Riverside Cancer Center",
    site_number="001",
    printed_at=TEN_FIFTEEN,
    printed_by="Maria Gonzalez, PharmD",
    app_version="0.1.0",
    head_seq=1234,
    head_hash="ab12cd34ef56" + "0" * 52,
    demonstration=False,
    settings_version="event 12 of 20-Nov-2026",
)

# 0.55 mg prescribed for 0.5454356… mg: +0.8298… %; half a graduation of 0.25 mg/mL: 0.00125 mg, 0.2272… %; 2.75 mL left
# of 50 mL: −5.5 %; so 5.7272… % too little at worst. Du Bois gives 1.8097 m² (REGULATION D-01).
BUDGET_SETTINGS = StudySettings(
    vial_1mg=Signed(VialPreparation(D(1), D("0.9"), D(4), D("0.25"), "sterile water"), "Instructions v3, section 2", 1),
    bag=Signed(BagPreparation("saline", D(50), D("0.01"), D("0.1"), "cool"), "Instructions v3, section 4", 1),
    line_residue=Signed(LineResidue(D("2.75")), "SOP 12, measured 2-Mar-2026", 1),
)
BUDGET_FACTS = BudgetFacts(
    prescribed_mg=D("0.55"),
    planned_mg_unrounded=D("0.5454356057317857"),
    planned_mg=D("0.55"),
    dose_mg_per_m2=D("0.3"),
    bsa_formula=BsaFormula.MOSTELLER,
    height_cm=D(170),
    weight_kg=D(70),
)
BUDGET_PLAN = plan_with(
    D("0.55"), [UsableVial("V-000123-7", D(1), "HX2201A", date(2026, 11, 30), "Refrigerator 2")], BUDGET_SETTINGS
)

# 170 cm and 70 kg: √(170 × 70 ÷ 3600) = 1.81812… m² (REGULATION D-01); × 0.3 = 0.545435… mg, to 0.01 mg: 0.55 mg;
# at 0.25 mg/mL 2.2 mL; in 50 mL 0.011 mg/mL.
WORKSHEET = Worksheet(
    stamp=STAMP,
    dose_id="D-000124-5",
    copy_number=1,
    product="inotuzumab ozogamicin",
    subject_number="1001-0007",
    subject_initials="",
    born="1958",
    height_cm=D(170),
    height_measured_on=date(2026, 11, 2),
    bsa_m2=D("1.8181186857726190"),
    bsa_formula="Mosteller",
    prescriber="Elena Petrova, MD",
    ordered_on=date(2026, 11, 20),
    planned_on=date(2026, 11, 22),
    course=1,
    cycle=2,
    day=8,
    level="0",
    dose_mg_per_m2=D("0.30"),
    planned_mg=D("0.55"),
    prescribed_mg=D("0.55"),
    weight=WeightComparison(
        D(70), date(2026, 11, 16), D("72.4"), date(2026, 11, 2), D("-3.3149171"), "Not more than 10 %."
    ),
    steps=(
        Step(
            "Body surface area",
            "√(height × weight ÷ 3600)",
            (Named("height", "170", "cm"), Named("weight", "70", "kg")),
            D("1.8181186857726190"),
            "m²",
            "8.1.3",
        ),
        Step(
            "Planned dose",
            "half up to 0.01 mg",
            (Named("dose", "0.5454356057317857", "mg"),),
            D("0.550"),
            "mg",
            "8.1.3",
        ),
    ),
    findings=(
        Finding(
            "R38",
            Severity.OVERRIDABLE,
            "ALT is 2.7 × ULN, more than 2.5 × ULN: the dose is delayed.",
            "8.1.5",
            (Named("ALT", "2.7", "× ULN"), Named("limit", "2.5", "× ULN")),
            Override("R38", "Elena Petrova, MD", "Principal investigator", date(2026, 11, 21), "Note 44", "Isolated."),
        ),
    ),
    budget=tolerance_budget(BUDGET_FACTS, BUDGET_PLAN, BUDGET_SETTINGS, shipped_protocol()),
    vials=(VialDraw("V-000123-7", D(1), "HX2201A", date(2026, 11, 30), D("0.55"), D("2.2"), D("0.35")),),
    reconstitution=(
        Reconstitution(D(1), "sterile water for injection", D(4), D("0.25"), D("0.9"), "Instructions v3, section 2"),
    ),
    withdraw_ml=D("2.20"),
    diluent="0.9 % sodium chloride injection",
    bag_volume_ml=D(50),
    final_mg_per_ml=D("0.011"),
    min_mg_per_ml=D("0.01"),
    max_mg_per_ml=D("0.1"),
    bag_source="Instructions v3, section 4",
    instructions=("Swirl, do not shake.",),
    light="PROTECT FROM LIGHT during preparation and administration.",
    hazard="HAZARDOUS DRUG – CYTOTOXIC – handle and dispose accordingly. No pneumatic tube.",
    stability=(StabilityLimit("Reconstitution to end of infusion", "8 h", "Instructions v3, section 5"),),
    beyond_use_rule="the earliest of the limits above, from the times written at the hood.",
    signatures=(
        PrintedSignature("Prepared the calculation", "Maria Gonzalez, PharmD", "Pharmacist", TEN_FIFTEEN),
        PrintedSignature("Verified independently", "James Okafor, CPhT", "Checker", TEN_FIFTEEN),
    ),
)

# 1.296 mg of 1.44 mg prescribed is exactly 10 % less (REGULATION P-07). Nobody has assessed it yet.
ERROR_REPORT = MedicationErrorReport(
    stamp=replace(STAMP, printed_at=TEN_FIFTEEN + timedelta(hours=3)),
    report_number="E-000001-3",
    copy_number=1,
    by_rule=True,
    status="open",
    opened_at=TEN_FIFTEEN + timedelta(hours=1),
    opened_by="Maria Gonzalez, PharmD",
    dose_id="D-000124-5",
    subject_number="1001-0007",
    product="inotuzumab ozogamicin",
    course=1,
    cycle=1,
    day=1,
    occurred_at=TEN_FIFTEEN,
    found_at=TEN_FIFTEEN + timedelta(hours=1),
    found_by="James Okafor, CPhT",
    prescribed_mg=D("1.44"),
    administered_mg=D("1.296"),
    limit_percent=D(10),
    stage="administration",
    error_type="wrong dose",
    reached_subject="yes",
    stopped_for="reaction",
    what_happened="The infusion was stopped 6 min early for a reaction;\nthe rest was discarded.",
    questions=(),
    category="",
    merp_notice=MERP_NOTICE,
    harm="",
    cause="",
    action="",
    preventive_action="",
    adverse_event="",
    serious_event=None,
    assessments=(),
    told=(Told("Principal investigator", TEN_FIFTEEN + timedelta(hours=2)), Told("Supporter", None)),
    signatures=(),
)

# Assessed twice: an overdue clock, and one that was met late. Known at 10:15; the supporter was told 25 h later.
ASSESSED_REPORT = replace(
    ERROR_REPORT,
    stamp=replace(STAMP, printed_at=TEN_FIFTEEN + timedelta(days=6)),
    status="assessed",
    questions=tuple(
        AnsweredQuestion(MERP_QUESTIONS[name], name in ("actual_error", "reached_subject", "harmed", "hospitalization"))
        for name in (
            "actual_error",
            "reached_subject",
            "death",
            "harmed",
            "sustain_life",
            "permanent_harm",
            "hospitalization",
        )
    ),
    category="F – Temporary harm with a stay in hospital, new or longer",
    harm="Fever and low blood pressure; two nights on the ward.",
    cause="The pump was set to the rate of another order.",
    action="Infusion stopped, fluids given.",
    preventive_action="Pump settings are read back by two nurses.",
    adverse_event="serious adverse event",
    serious_event=SeriousEvent(
        reference="eSAE 2026-118",
        aware_at=TEN_FIFTEEN,
        fatal_or_life_threatening=False,
        unexpected_and_related=True,
        clocks=(
            SafetyClock(
                "Pfizer",
                "within 24 h of awareness",
                TEN_FIFTEEN + timedelta(hours=24),
                TEN_FIFTEEN + timedelta(hours=25),
                "done late",
                "12.0, 12.1, 12.2",
            ),
            SafetyClock(
                "MD Anderson Cancer Center, IND Office",
                "within 5 working days of awareness",
                TEN_FIFTEEN + timedelta(days=5),
                None,
                "overdue",
                "12.0, 12.1, 12.2",
            ),
        ),
        clocks_note=WORKING_DAYS,
    ),
    assessments=(
        AssessmentEntry(
            TEN_FIFTEEN + timedelta(days=2),
            "Maria Gonzalez, PharmD",
            "Elena Petrova, MD",
            "error",
            "F",
            "The subject stayed a second night.",
        ),
        AssessmentEntry(
            TEN_FIFTEEN + timedelta(hours=3), "Maria Gonzalez, PharmD", "Maria Gonzalez, PharmD", "error", "E", ""
        ),
    ),
    signatures=(
        PrintedSignature(
            "Assessed the medication error", "Maria Gonzalez, PharmD", "pharmacist", TEN_FIFTEEN + timedelta(hours=3)
        ),
        PrintedSignature(
            "Assessed the medication error", "Maria Gonzalez, PharmD", "pharmacist", TEN_FIFTEEN + timedelta(days=2)
        ),
    ),
)

HEADER = AccountabilityHeader(
    sponsor="Pfizer (supporter)",
    protocol_name="2012-0511",
    ind_number="IND 115200",
    site_number="001",
    site_name="Riverside Cancer Center",
    principal_investigator="Elena Petrova, MD",
    product="inotuzumab ozogamicin",
    dosage_form="Lyophilised powder, amber vial",
    strength_mg=D(1),
    lot="",
    storage_condition="2–8 °C (36–46 °F), from light",
    storage_location="Refrigerator 2, shelf 3",
    record_type="Control record",
)


def ledger(count: int) -> Iterator[AccountabilityLine]:
    """Weeks of ten lines: ten vials come into quarantine, are released, eight are dispensed."""
    stock = Balances(0, 0, 0)
    at = TEN_FIFTEEN
    for number in range(1, count + 1):
        at += timedelta(hours=5)
        base = AccountabilityLine(
            line=number,
            event_at=at,
            entry_at=at + timedelta(minutes=9),
            transaction="DISPENSE",
            party="1001-0007",
            subject_initials="ABC",
            cycle_day="2/8",
            dose_mg=D("0.550"),
            unit_number=f"V-{number:06d}-4",
            lot="HX2201A",
            expires_on=date(2027, 11, 30),
            qty_in=None,
            qty_out=1,
            balances=Balances(stock.available - 1, stock.quarantine, stock.on_site - 1),
            reference=f"D-{number:06d}-7",
            comment="",
            recorder="MG",
            verifier="JO",
            monitor_verified="",
        )
        if number % 10 == 1:
            base = _arrival(base, "RECEIVE", 10, Balances(stock.available, 10, stock.on_site + 10))
        elif number % 10 == 2:
            base = _arrival(base, "RELEASE", None, Balances(stock.available + 10, 0, stock.on_site))
        stock = base.balances
        yield base


def _arrival(line: AccountabilityLine, transaction: str, qty_in: int | None, balances: Balances) -> AccountabilityLine:
    return replace(
        line,
        transaction=transaction,
        party="Pfizer depot",
        subject_initials="",
        cycle_day="",
        dose_mg=None,
        qty_in=qty_in,
        qty_out=None,
        balances=balances,
        reference="SHP-0001",
    )


def ledger_totals(lines: list[AccountabilityLine]) -> tuple[tuple[str, int], ...]:
    """Received, and where the vials are now."""
    received = sum(line.qty_in or 0 for line in lines)
    dispensed = sum(line.qty_out or 0 for line in lines)
    last = lines[-1].balances
    return (
        ("Received", received),
        ("available", last.available),
        ("quarantined", last.quarantine),
        ("dispensed", dispensed),
    )


def changed(paper: Worksheet, field: str, value: object) -> Worksheet:
    """The same worksheet with one field changed, by its name."""
    change: dict[str, Any] = {field: value}
    return replace(paper, **change)


HYPHENS_AT_THE_END = ("\ufffe", "\x02", "\xad")
"""What PDFium makes of a hyphen that ends a line: it takes the next line's word for the rest of it."""


def collisions(pdf: bytes, page: int) -> list[str]:
    """Words whose ink touches another word's, and words that leave the page."""
    document = pypdfium2.PdfDocument(pdf)
    sheet = document[page]
    across, down = sheet.get_size()
    words_on = sheet.get_textpage()
    words: list[tuple[str, tuple[float, float, float, float]]] = []
    piece, box = "", (9e9, 9e9, -9e9, -9e9)
    for at in range(words_on.count_chars()):
        sign = words_on.get_text_range(at, 1)
        if not sign.strip():
            if piece:
                words.append((piece, box))
            piece, box = "", (9e9, 9e9, -9e9, -9e9)
            continue
        left, bottom, right, top = words_on.get_charbox(at)
        box = (min(box[0], left), min(box[1], bottom), max(box[2], right), max(box[3], top))
        piece += sign
        if sign in HYPHENS_AT_THE_END:
            words.append((piece, box))
            piece, box = "", (9e9, 9e9, -9e9, -9e9)
    words.append((piece, box))
    document.close()
    found = [word for word, (a, b, c, d) in words if word and (a < 0 or b < 0 or c > across or d > down)]
    # From below: a word meets only those that begin before it ends.
    upwards = sorted(words, key=lambda each: each[1][1])
    for number, (one, a) in enumerate(upwards):
        for two, b in upwards[number + 1 :]:
            if a[3] - b[1] <= 0.2:
                break
            if min(a[2], b[2]) - max(a[0], b[0]) > 0.2 and min(a[3], b[3]) - max(a[1], b[1]) > 0.2:
                found.append(f"{one} / {two}")
    return found


# Three containers of two doses and one that fell: hand-made, with the longest words a form may carry.
APPROVAL = Approval("F0000122 Permission to destroy opened containers", "Dr. A. Ito, Pfizer", date(2026, 11, 2))
SIGNED = (
    PrintedSignature("destroyed", "James Okafor, CPhT", "technician", TEN_FIFTEEN),
    PrintedSignature("witnessed the destruction", "Maria Gonzalez, PharmD", "pharmacist", TEN_FIFTEEN),
)
DESTRUCTION = DestructionRecord(
    stamp=STAMP,
    record_number="DST-1201",
    copy_number=1,
    product="inotuzumab ozogamicin",
    investigator="Elena Petrova, MD",
    approval=APPROVAL,
    accounted=(Accounted("Robert Thornton", date(2026, 11, 9)), Accounted("Mona Sorensen", date(2026, 11, 20))),
    destroyed_at=TEN_FIFTEEN,
    method="high-temperature incineration",
    container="yellow bin 12, manifest M-3307",
    certificate="C-2026-118 of 22-Nov-2026",
    note="Collected by the waste contractor\nat the loading dock.",
    vials=(
        DestroyedVial(
            "V0000123",
            "KIT-00123",
            D(1),
            "HX2201A",
            date(2027, 3, 31),
            "empty",
            "1001-0007, D0000123, line 12",
            D("0.1"),
            "used",
        ),
        DestroyedVial(
            "V000013C",
            "",
            D(1),
            "HX2201A",
            date(2027, 3, 31),
            "partial",
            "1001-0007, D0000123, line 12",
            D("0.34"),
            "partial remainder",
        ),
        DestroyedVial("V0000456", "KIT-00456", D(4), "HX2202B", date(2027, 6, 30), "broken", "", None, "damaged"),
    ),
    destroyed_by="James Okafor, CPhT",
    witnessed_by="Maria Gonzalez, PharmD",
    signatures=SIGNED,
)
CARRIAGE = Carriage("World Courier", "WC-4711-2026-000123", 2, "SEAL-90017", "TL-88213")
RETURN = ReturnRecord(
    stamp=STAMP,
    record_number="RET-1202",
    copy_number=1,
    product="inotuzumab ozogamicin",
    investigator="Elena Petrova, MD",
    pharmacy_phone="+1 713 555 0100",
    depot="Pfizer contract distribution center, Memphis",
    approval=APPROVAL,
    monitors=("Robert Thornton", "Mona Sorensen"),
    carriage=CARRIAGE,
    shipped_at=TEN_FIFTEEN,
    reason="excursion",
    note="",
    vials=(
        ReturnedVial("V0000206", "KIT-00206", D(1), "HX2201A", date(2027, 3, 31), "", "available"),
        ReturnedVial(
            "V0000214", "", D(1), "HX2201A", date(2027, 3, 31), "the refrigerator read 9 °C overnight", "quarantined"
        ),
        ReturnedVial("V0000307", "", D(4), "HX2202B", date(2027, 6, 30), "damaged on arrival (carton wet)", "held"),
    ),
    packed_by="Maria Gonzalez, PharmD",
    signatures=(PrintedSignature("packed and sent", "Maria Gonzalez, PharmD", "pharmacist", TEN_FIFTEEN),),
)
RECEIPT = ReceiptRecord(
    stamp=STAMP,
    record_number="RCV-1198",
    copy_number=1,
    product="inotuzumab ozogamicin",
    investigator="Elena Petrova, MD",
    pharmacy_phone="+1 555 0117",
    shipment_number="SHP-2026-0917",
    sender="Supporter's distribution center",
    shipped_on=date(2026, 11, 20),
    received_at=TEN_FIFTEEN,
    received_by="Jonas Berg",
    packing_list="PL-88213-A",
    logger_serial="TL-88213",
    logger_state="alarm",
    min_celsius=D("-0.5"),
    max_celsius=D("8.0"),
    hold_reason="the temperature logger shows an alarm; it recorded −0.5 °C to 8 °C, outside 2 °C to 8 °C",
    note="",
    acknowledged_at=None,
    acknowledged_to="",
    acknowledged_how="",
    lots=(
        ReceivedLot(
            D(1),
            "HX2201A",
            date(2027, 3, 31),
            "KIT-00200 – KIT-00208",
            10,
            9,
            2,
            0,
            "carton sealed, supporter telephoned",
            "2 vials cracked",
            ("Maria Gonzalez, PharmD",),
        ),
        ReceivedLot(D(4), "HX2202B", date(2027, 6, 30), "", None, 3, None, 0, "", "", ()),
    ),
)
TRANSFER = TransferRecord(
    stamp=STAMP,
    record_number="TRF-1203",
    copy_number=1,
    product="inotuzumab ozogamicin",
    investigator="Elena Petrova, MD",
    places=("Refrigerator 1", "Refrigerator 2"),
    to_site="021 Lakeside Hospital",
    approval=APPROVAL,
    carriage=CARRIAGE,
    sent_at=TEN_FIFTEEN,
    sent_by="Maria Gonzalez, PharmD",
    reason="their stock runs out before the next shipment",
    note="",
    lots=(
        TransferredLot(D(1), "HX2201A", date(2027, 3, 31), "V0000206 – V000021K; kits KIT-00206, KIT-00207", 12),
        TransferredLot(D(4), "HX2202B", date(2027, 6, 30), "V0000307", 1),
    ),
    signatures=(PrintedSignature("packed and sent", "Maria Gonzalez, PharmD", "pharmacist", TEN_FIFTEEN),),
)
