"""One honest example of each record about subjects, doses, people and visits, with the longest words they may carry."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from pharmacy_app.services.papers import PrintedSignature
from pharmacy_app.services.papers_records import (
    AccountedUnit,
    AuditTrail,
    ConcernLine,
    CorrectedValue,
    Delegation,
    DelegationLog,
    DiscrepancyRecord,
    DispensedVial,
    DispensingLine,
    DispensingLog,
    DoseRecord,
    KeptPaper,
    LifeLine,
    Measured,
    MilligramLine,
    QueryOnPaper,
    ReviewedLine,
    SignatureLine,
    ThreadEntry,
    TrailLine,
    VisitReport,
)
from tests.labels.samples import STAMP, TEN_FIFTEEN, WORKSHEET, D

HASH = "9f" * 32
CORRECTED = CorrectedValue(
    "Administered", "1.2", "1.4", 812, "Maria Gonzalez, PharmD", TEN_FIFTEEN, "The pump's log says 1.4 mg."
)
# 170 cm and 70 kg at 0.3 mg/m²: the worksheet's dose; 0.55 of 0.5454356… mg is +0.8368… %, 0.5 of 0.55 is −9.0909… %.
GIVEN = DispensingLine(
    line=1,
    dose_id="D0001245",
    ordered_at=TEN_FIFTEEN,
    prescriber="Elena Petrova, MD",
    cycle=2,
    day=8,
    weight_kg=D("70.0"),
    weighed_on=date(2026, 11, 16),
    height_cm=D(170),
    bsa_m2=D("1.8181186857726190"),
    level="0",
    dose_mg_per_m2=D("0.30"),
    calculated_mg=D("0.5454356057317857"),
    prescribed_mg=D("0.55"),
    prescribed_percent=D("0.8368347"),
    vials=(
        DispensedVial("V0001237", "KIT-0123456789", D(1), "HX2201A", date(2026, 11, 30), "destroyed"),
        DispensedVial("V0004567", "", D(4), "HX2202B", date(2027, 6, 30), "empty"),
    ),
    reconstituted_at=TEN_FIFTEEN,
    withdrawn_ml=D("2.20"),
    prepared_mg=D("0.55"),
    diluent="0.9 % sodium chloride injection",
    final_ml=D(50),
    final_mg_per_ml=D("0.011"),
    beyond_use_at=TEN_FIFTEEN + timedelta(hours=4),
    prepared_by="James Okafor, CPhT",
    verified_by="Maria Gonzalez, PharmD",
    released_to="Nurse J. Abara, infusion unit 4",
    released_at=TEN_FIFTEEN + timedelta(minutes=40),
    started_at=TEN_FIFTEEN + timedelta(minutes=50),
    ended_at=TEN_FIFTEEN + timedelta(minutes=110),
    administered_mg=D("0.5"),
    administered_percent=D("-9.0909090"),
    wasted_mg=D("0.45"),
    not_given_mg=D("0.05"),
    error="E0000013",
    comments="Stopped 6 min early for a reaction.",
    ended="",
    corrected=(CORRECTED,),
)
CANCELLED = replace(
    GIVEN,
    line=2,
    dose_id="D0001253",
    weight_kg=None,
    weighed_on=None,
    height_cm=None,
    bsa_m2=None,
    level="N/A: cycle 1",
    dose_mg_per_m2=None,
    calculated_mg=None,
    prescribed_percent=None,
    vials=(),
    reconstituted_at=None,
    withdrawn_ml=None,
    prepared_mg=None,
    diluent="",
    final_ml=None,
    final_mg_per_ml=None,
    beyond_use_at=None,
    prepared_by="",
    verified_by="",
    released_to="",
    released_at=None,
    started_at=None,
    ended_at=None,
    administered_mg=None,
    administered_percent=None,
    wasted_mg=None,
    not_given_mg=None,
    error="",
    comments="",
    ended="CANCELLED: the subject has a fever",
    corrected=(),
)
LOG = DispensingLog(
    stamp=STAMP,
    copy_number=1,
    product="inotuzumab ozogamicin",
    subject_number="1001-0007",
    subject_initials="",
    investigator="Elena Petrova, MD",
    bsa_formulas=("Mosteller",),
    protocol_versions=("version 7",),
    lines=(GIVEN, CANCELLED),
    omitted=("Course 1, cycle 2, day 15: toxicity. Decided by Elena Petrova, MD on 20-Nov-2026: fever (entry 700)",),
)
ENTRY = ThreadEntry(
    700, "Dose prepared", TEN_FIFTEEN, TEN_FIFTEEN, "James Okafor, CPhT", "", ("Maria Gonzalez: checked",), HASH
)
LIFE = LifeLine(
    "V0001237",
    TEN_FIFTEEN,
    "RECEIVE",
    "",
    "held",
    "Refrigerator 2",
    "SHP-0001",
    "James Okafor, CPhT",
    "",
    12,
    struck=False,
)
DOSE = DoseRecord(
    stamp=STAMP,
    copy_number=2,
    product="inotuzumab ozogamicin",
    subject_number="1001-0007",
    course=1,
    status="closed",
    planned_on=date(2026, 11, 22),
    formula="Mosteller",
    protocol_decided_by="version 7",
    dose=GIVEN,
    measured=(
        Measured("weight", "70.0 kg", date(2026, 11, 16), TEN_FIFTEEN, "James Okafor, CPhT", True, 0),
        Measured("weight", "77 kg", date(2026, 11, 16), TEN_FIFTEEN, "James Okafor, CPhT", False, 699),
    ),
    steps=WORKSHEET.steps,
    findings=WORKSHEET.findings,
    reason="as ordered",
    milligrams=(
        MilligramLine("V0001237", D(1), D("0.55"), D("0.1"), D("0.35")),
        MilligramLine("V0004567", D(4), D(0), None, None),
    ),
    life=(LIFE, replace(LIFE, what="QUARANTINE", from_state="held", entry=13, struck=True)),
    papers=(KeptPaper("worksheet", "D0001245", TEN_FIFTEEN, "Maria Gonzalez, PharmD", HASH),),
    documents=(KeptPaper("letter: Order of 20-Nov-2026", "F0000012", TEN_FIFTEEN, "Maria Gonzalez", HASH),),
    errors=("E0000013, open: given 0.5 mg of 0.55 mg.",),
    entries=(ENTRY,),
    signatures=(PrintedSignature("checked and released the bag", "Maria Gonzalez, PharmD", "pharmacist", TEN_FIFTEEN),),
)
ENTRY_LINE = TrailLine(
    812,
    TEN_FIFTEEN,
    TEN_FIFTEEN - timedelta(days=1),
    "Maria Gonzalez, PharmD",
    "PHARMACY-1",
    "Administration corrected",
    "dose id D0001245; administered mg 1.4",
    (("Administered", "1.2", "1.4"), ("Note", "", "by the pump's log")),
    "The pump's log says 1.4 mg.",
    ("Maria Gonzalez, PharmD: corrected the entry",),
    ("late entry",),
    HASH,
)


def trail_lines(count: int) -> Iterator[TrailLine]:
    """So many entries, every tenth without anything but its kind."""
    for number in range(1, count + 1):
        plain = replace(ENTRY_LINE, entry=number, values="", changes=(), why="", signed=(), marks=())
        yield plain if number % 10 == 0 else replace(ENTRY_LINE, entry=number)


def trail(count: int) -> AuditTrail:
    """An audit trail of so many entries."""
    asked = (("From", "the first entry"), ("To", "the last entry"), ("Person", "everybody"))
    return AuditTrail(STAMP, 1, asked, count, trail_lines(count))


def delegation_log(signatures: int = 60) -> DelegationLog:
    """Two people, one of whom was given another role, and so many signatures."""
    first = Delegation(
        "James Okafor, CPhT",
        "james.okafor",
        "technician",
        date(2026, 1, 5),
        date(2026, 6, 30),
        "active",
        3,
        "Robin Ahlgren",
        TEN_FIFTEEN,
        "",
        90,
    )
    second = replace(first, roles="technician and checker", delegated_to=None, entry=90, why="trained", until_entry=0)
    signed = (
        SignatureLine(
            number,
            TEN_FIFTEEN + timedelta(minutes=number),
            "James Okafor, CPhT",
            "technician",
            "witnessed the destruction" if number % 2 else "counted again and verified",
            "Vials destroyed",
            "" if number % 5 == 0 else "V0001237 and 17 more",
            100 + number,
            HASH,
        )
        for number in range(1, signatures + 1)
    )
    return DelegationLog(STAMP, 1, "Elena Petrova, MD", (first, second), signed)


DISCREPANCY = DiscrepancyRecord(
    stamp=STAMP,
    number="Q000001Z",
    copy_number=1,
    product="inotuzumab ozogamicin",
    investigator="Elena Petrova, MD",
    status="closed",
    place="",
    count_number="",
    sentence="1 mg lot HX2201A: expected 10, counted 9 (−1), missing V0001237.",
    opened_at=TEN_FIFTEEN,
    opened_by="James Okafor, CPhT",
    concerns=(
        ConcernLine(D(1), "HX2201A", -1, ("V0001237",)),
        ConcernLine(D(4), "LOT0123456789ABCDEFGHIJKLMN", 1, ()),
    ),
    outcome="found miscounted",
    explanation="It had slid behind\nthe carton.",
    closed_at=TEN_FIFTEEN + timedelta(hours=1),
    closed_by="James Okafor, Maria Gonzalez",
    entries=(ENTRY, replace(ENTRY, entry=702, why="It had slid behind the carton.")),
    signatures=(PrintedSignature("explained", "James Okafor, CPhT", "technician", TEN_FIFTEEN),),
)
FLAGGED = ReviewedLine(
    252,
    TEN_FIFTEEN,
    "Vials broken",
    "V0001237",
    "James Okafor, CPhT",
    ("discrepancy or loss: fell from the tray", "late entry: the computer was locked"),
    "reopened",
    "RT 24-Nov-2026, changed since by entry 812",
)
VISIT = VisitReport(
    stamp=STAMP,
    number="VIS-3",
    copy_number=1,
    product="inotuzumab ozogamicin",
    investigator="Elena Petrova, MD",
    monitor="Robert Thornton",
    status="signed",
    from_on=date(2026, 11, 22),
    to_on=date(2026, 11, 23),
    purpose="routine visit",
    opened_at=TEN_FIFTEEN,
    opened_why="",
    signed_at=TEN_FIFTEEN + timedelta(hours=6),
    summary="In good order;\none query stays with the site.",
    since_entry=400,
    through_entry=1234,
    head_hash=HASH,
    reviewable=700,
    verified_count=640,
    reopened=3,
    unseen=57,
    with_reason=2,
    verified_here=640,
    queries_opened=1,
    queries_open=("QRY-7",),
    units_accounted=1,
    unverified=("401–457", "1,200"),
    verified=("458–1,199",),
    drawn=(460, 512, 777),
    alike=690,
    flagged=(FLAGGED, replace(FLAGGED, entry=253, about="", state="unseen", verified="")),
    queries=(
        QueryOnPaper(
            "QRY-7",
            "dose D0001245, entry 700, verifier",
            "answered",
            9,
            True,
            "VIS-3",
            (
                ("opened", "Whose initials are these?", "Robert Thornton", TEN_FIFTEEN),
                ("answered", "", "James Okafor, CPhT", TEN_FIFTEEN + timedelta(hours=1)),
            ),
        ),
    ),
    units=(
        AccountedUnit(
            "V0001237", "KIT-00123", D(1), "HX2201A", "empty", TEN_FIFTEEN, "James Okafor", TEN_FIFTEEN, "R. Thornton"
        ),
        AccountedUnit("V0004567", "", D(4), "HX2202B", "partial", None, "", None, ""),
    ),
    signatures=(PrintedSignature("reviewed the record in this visit", "Robert Thornton", "monitor", TEN_FIFTEEN),),
)
