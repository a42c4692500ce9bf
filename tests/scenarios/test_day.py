"""One whole day of the study, steps 1 to 10, through the services on a real file with real papers.

Every expected number is hand arithmetic, written beside it.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from labels.papers import PdfPapers
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.people import AUTHORITY
from pharmacy_app.services.accounts import (
    AccountChange,
    AccountForm,
    NewAccount,
    add_account,
    change_account,
    change_password,
    reset_password,
    sign_in,
    sign_out,
    unlock_account,
)
from pharmacy_app.services.administration import AdministrationForm, ClosedTyped, CloseForm, administer, close_vials
from pharmacy_app.services.amendments import AmendmentForm, amend_protocol
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.counts import (
    CountForm,
    DiscrepancyForm,
    ExplainForm,
    explain_discrepancy,
    open_discrepancy,
    record_count,
)
from pharmacy_app.services.desk import Act, Credentials, Desk, Session
from pharmacy_app.services.disposition import (
    CarrierTyped,
    DestroyForm,
    LossForm,
    ReturnForm,
    TakeBackForm,
    TransferForm,
    break_vials,
    destroy_vials,
    find_vials,
    miss_vials,
    return_vials,
    take_back,
    transfer_vials,
)
from pharmacy_app.services.documents import DocumentForm, attach_document
from pharmacy_app.services.doses import (
    CancelForm,
    DecideForm,
    OrderForm,
    cancel,
    decision_of,
    order,
    preview,
    record_decision,
)
from pharmacy_app.services.expiry import ExpiryForm, RelabelForm, extend_expiry, record_relabelled
from pharmacy_app.services.labelling import (
    OutcomeForm,
    ScanBackForm,
    VoidForm,
    own_codes,
    print_bag_labels,
    print_outcome,
    print_vial_labels,
    scan_back,
    void_label,
)
from pharmacy_app.services.medication_errors import AssessForm, TellForm, assess_error, tell
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.places import ClosePlaceForm, PlaceForm, add_place, close_place
from pharmacy_app.services.ports import LedgerFilter
from pharmacy_app.services.preparation import (
    CheckForm,
    PrepareForm,
    ReleaseForm,
    ReserveForm,
    ScanForm,
    check_scan,
    disagreement,
    prepare,
    proposals,
    release,
    reserve,
    verify_dose,
)
from pharmacy_app.services.printers import PrinterForm, set_printer
from pharmacy_app.services.printing import (
    PrintForm,
    RecordForm,
    kept_paper,
    print_accountability_record,
    print_worksheet,
)
from pharmacy_app.services.queries import SayForm, answer_query
from pharmacy_app.services.questions import today
from pharmacy_app.services.receipts import AcknowledgeForm, LoggerForm, acknowledge_receipt, logger_read
from pharmacy_app.services.setup import shipped_protocol_text
from pharmacy_app.services.stock import (
    PermissionForm,
    QuarantineForm,
    ShipmentForm,
    quarantine,
    receive,
    release_shipment,
    release_with_document,
)
from pharmacy_app.services.storage import (
    DecisionForm,
    DeviationForm,
    ReportForm,
    UpdateForm,
    close_deviation,
    decide_deviation,
    record_deviation,
    report_deviation,
    update_deviation,
)
from pharmacy_app.services.study_settings import sign_settings, unset_settings
from pharmacy_app.services.subjects import MeasurementForm, SubjectForm, enroll, record_measurement
from pharmacy_app.services.transport import TransportForm, transport
from pharmacy_app.services.treatment import (
    CyclePlanForm,
    DelayForm,
    LevelForm,
    MarrowForm,
    OmissionForm,
    RemovalForm,
    ResponseForm,
    RetreatmentForm,
    ToxicityForm,
    TransplantForm,
    WithdrawForm,
    change_level,
    end_treatment,
    omit_dose,
    order_retreatment,
    plan_cycle,
    record_criteria,
    record_delay,
    record_marrow,
    record_response,
    record_toxicity,
    state_transplant,
    withdraw,
)
from tests.services.pharmacy import (
    ONE_TIME,
    PASSWORD,
    SETTINGS,
    WORKSTATION,
    Clock,
    Pharmacy,
    desk_at,
    set_up_site,
)

MG = Decimal


def test_the_day_from_a_delivered_vial_to_a_balanced_ledger(tmp_path: Path) -> None:
    clock = Clock()  # Monday, 2 March 2026, 08:00 in Chicago
    desk = desk_at(tmp_path / "study.sqlite", clock, new=True, papers=PdfPapers())

    # 1. Set up: site, study and the first two people in one event; then the others; then the signed settings.
    set_up_site(desk)
    paula = sign_in(desk, Credentials("paula", PASSWORD), WORKSTATION)
    robin = sign_in(desk, Credentials("robin", PASSWORD), WORKSTATION)
    with desk.store.read() as reader:
        assert unset_settings(reader) == (
            "BSA formula",
            "Dose rounding",
            "Preparation of the 1 mg vial",
            "Preparation of the 4 mg vial",
            "Bag and final concentration",
            "Stability limits",
        )
    carla = _joins(desk, robin, "carla", "Carla Okafor", "checker")
    tim = _joins(desk, robin, "tim", "Tim Lindqvist", "technician")
    mona = _joins(desk, robin, "mona", "Mona Sorensen", "monitor")
    sign_settings(desk, Act(paula), SETTINGS, _sign("paula"), _sign("carla"))
    with desk.store.read() as reader:
        assert unset_settings(reader) == ()
        assert {line.signed_by for line in reader.settings()} == {"Paula Reyes, Carla Okafor"}

    # 2. Receive: twelve 1 mg vials in two lots and two 4 mg vials; a crushed carton is held.
    clock.forward(minutes=30)
    received = receive(
        desk,
        Act(tim),
        ShipmentForm(
            number="SHP-9001",
            sender="Distribution center",
            shipped_on="2026-03-01",
            received_at="2026-03-02 08:30",
            logger_serial="TL-2231",
            logger_state="no alarm",
            place="Refrigerator 1",
            lots=(
                LotTyped("1", "A1", "2026-09", "8", tuple(f"K{number:03d}" for number in range(1, 9))),
                LotTyped("1", "A2", "2027-03-31", "4", condition="damaged", condition_note="carton crushed"),
                LotTyped("4", "B7", "2027-03-31", "2"),
            ),
            packing_list="PL-9001",
            min_celsius="2.9",
            max_celsius="6.8",
        ),
    )
    units = [vial["unit_number"] for vial in received.content["vials"]]
    assert len(units) == 14
    assert units[0].startswith("V000001")
    assert units[13].startswith("V000014")
    with desk.store.read() as reader:
        assert {(line.strength_mg, line.lot, line.state): line.vials for line in reader.stock()} == {
            (MG(1), "A1", "held"): 8,
            (MG(1), "A2", "held"): 4,
            (MG(4), "B7", "held"): 2,
        }
        assert reader.vial_by_kit("K003").unit_number == units[2]  # type: ignore[union-attr]
    labels = print_vial_labels(desk, Act(tim), PrintForm(tuple(units)))
    assert desk.papers.page_count(labels.pdf) == 14
    # Two labels go on, and the second one's neighbour is scanned for it.
    with pytest.raises(Refused, match="scanned twice, as code 1 and 2"):
        scan_back(desk, Act(tim), ScanBackForm(_codes(desk, units[0]) * 2))
    scan_back(desk, Act(tim), ScanBackForm(_codes(desk, *units)))
    with desk.store.read() as reader:
        assert reader.open_prints() == []
    clock.forward(minutes=10)
    release_shipment(desk, Act(paula), "SHP-9001")
    with desk.store.read() as reader:
        assert {(line.lot, line.state): line.vials for line in reader.stock()} == {
            ("A1", "available"): 8,
            ("A2", "held"): 4,  # the crushed carton waits for the supporter
            ("B7", "available"): 2,
        }

    # 3. Enroll a subject: 67.5 in are 67.5 × 2.54 = 171.45 cm; 154 lb are 154 × 0.45359237 = 69.85322498 kg.
    enroll(desk, Act(paula), SubjectForm("017-001", "1980-05-17", "RTK"))
    record_measurement(
        desk,
        Act(tim),
        MeasurementForm("017-001", "2026-03-02", height="67.5", height_unit="in", weight="154", weight_unit="lb"),
    )
    with desk.store.read() as reader:
        kept = {line.kind: line for line in reader.measurements("017-001")}
    assert (kept["height"].value, kept["height"].typed_value, kept["height"].typed_unit) == (MG("171.45"), "67.5", "in")
    assert (kept["weight"].value, kept["weight"].typed_value) == (MG("69.85322498"), "154")
    # Measured again in hospital units: the newest counts, the first pair stays readable.
    clock.forward(minutes=5)
    record_measurement(desk, Act(tim), MeasurementForm("017-001", "2026-03-02", height="171", weight="70"))

    # A marrow of last week and today's answers to the treatment-day criteria.
    Pharmacy(desk, clock, tmp_path / "study.sqlite", sessions={"paula": paula}).eligible("017-001")

    # 4. Order: cycle 1 day 1, prescribed 1.44 mg.
    ordered = order(
        desk,
        Act(paula),
        OrderForm("017-001", "Dr. Ines Vogel", "2026-03-02", "2026-03-02", "1", "1", "1", "0", "1.44"),
    )
    dose_id = ordered.content["dose_id"]

    # 5. Decide. Mosteller: √(171 × 70 / 3600) = √3.325 = 1.823458… m² (1.8234² = 3.32478…, 1.8235² = 3.32515…);
    #    0.8 mg/m² × 1.823458… = 1.458766… mg → half up to 0.01 → 1.46 mg.
    #    Prescribed against planned: (1.44 − 1.458766…) / 1.458766… = −1.2865 %: under 10 %.
    with desk.store.read() as reader:
        shown = preview(desk, reader, DecideForm(dose_id)).decision
    record_decision(desk, Act(paula), DecideForm(dose_id))
    with desk.store.read() as reader:
        thread = reader.dose(dose_id)
    assert thread is not None
    decision = decision_of(thread)
    assert decision == shown
    assert decision.dose_mg_per_m2 == MG("0.8")
    assert decision.bsa_m2 is not None
    assert round(decision.bsa_m2, 6) == MG("1.823458")
    assert decision.planned_mg_unrounded is not None
    assert round(decision.planned_mg_unrounded, 6) == MG("1.458767")
    assert decision.planned_mg == MG("1.46")
    assert decision.prescribed is not None
    assert decision.prescribed.percent is not None
    assert round(decision.prescribed.percent, 4) == MG("-1.2865")
    assert not decision.prescribed.at_or_over_limit
    assert [step.unit for step in decision.steps] == ["mg/m²", "m²", "mg", "mg"]

    # 6. Plan. 0.9 mg come out of a 1 mg vial, 3.8 of a 4 mg vial. Two 1 mg vials: 1.8 − 1.44 = 0.36 mg wasted;
    #    one 4 mg vial: 3.8 − 1.44 = 2.36 mg. Least waste wins. At 0.25 mg/mL: 0.9 mg = 3.6 mL, 0.54 mg = 2.16 mL.
    with desk.store.read() as reader:
        plans = proposals(desk, reader, dose_id)
    wastes = [(plan.waste_mg, len(plan.draws)) for plan in plans.plans]
    assert wastes == [(MG("0.36"), 2), (MG("2.36"), 1)]
    best = plans.plans[0]
    assert [(draw.unit_number, draw.draw_mg, draw.draw_ml, draw.left_mg) for draw in best.draws] == [
        (units[0], MG("0.9"), MG("3.6"), MG("0")),
        (units[1], MG("0.54"), MG("2.16"), MG("0.36")),
    ]
    assert best.drawn_ml == MG("5.76")
    assert best.bag is not None
    assert best.bag.final_mg_per_ml == MG("0.0288")  # 1.44 mg / 50 mL, inside 0.01 to 0.1
    assert best.bag.diluent_to_add_ml == MG("44.24")  # 50 − 5.76
    proposed = tuple(draw.unit_number for draw in best.draws)
    with desk.store.read() as reader:
        for text, scanned, words in (
            (units[12], (), "takes no 4 mg vial"),  # the other strength
            (units[8], (), "held"),  # the crushed carton
            (units[0], (units[0],), "scanned already"),
            (units[2], proposed, "they are scanned"),
            (units[0][:-1] + ("0" if units[0][-1] != "0" else "1"), (), "check character"),
            ("hello", (), "not a number of ours"),
        ):
            with pytest.raises(Refused, match=words):
                check_scan(desk, reader, ScanForm(dose_id, proposed, scanned, text))
        # any vial of the planned strength and lot will do; by unit number, DataMatrix text or kit number
        assert check_scan(desk, reader, ScanForm(dose_id, proposed, (), units[5])).unit_number == units[5]
        assert check_scan(desk, reader, ScanForm(dose_id, proposed, (), "]d191" + units[5])).unit_number == units[5]
        assert check_scan(desk, reader, ScanForm(dose_id, proposed, (units[5],), "k003")).unit_number == units[2]
    scanned = (units[5], units[2])
    clock.forward(minutes=10)
    reserve(desk, Act(paula), ReserveForm(dose_id, proposed, scanned), _sign("paula"))

    # 7. Check and sign. The first second-calculation slips (height 117 for 171): recorded, not agreed, no number told.
    slip = verify_dose(desk, Act(carla), CheckForm(dose_id, "117", "70", "0.8", "1.46", "5.76"), _sign("carla"))
    assert slip.content["disagreed"] == ["height_cm"]
    assert "171" not in disagreement(slip)
    with pytest.raises(Refused, match="must be verified"):
        print_worksheet(desk, Act(paula), dose_id)
    with pytest.raises(Refused, match="must be verified"):
        prepare(desk, Act(tim), _mix(dose_id, "2026-03-02 09:00", scanned))
    with pytest.raises(Refused, match="both signatures"):
        print_bag_labels(desk, Act(tim), dose_id)
    agreed = verify_dose(desk, Act(carla), CheckForm(dose_id, "171", "70", "0.8", "1.46", "5.76"), _sign("carla"))
    assert agreed.content["agreed"]
    with pytest.raises(Refused, match="Print the worksheet first"):
        prepare(desk, Act(tim), _mix(dose_id, "2026-03-02 09:00", scanned))
    clock.forward(minutes=5)
    worksheet = print_worksheet(desk, Act(paula), dose_id)
    assert worksheet.pdf.startswith(b"%PDF")
    assert kept_paper(desk, worksheet.sha256) == worksheet.pdf
    with pytest.raises(Refused, match="must be prepared"):
        print_bag_labels(desk, Act(tim), dose_id)
    clock.forward(minutes=20)  # 09:20
    prepared = prepare(desk, Act(tim), _mix(dose_id, "2026-03-02 09:15", scanned, diluted="2026-03-02 09:18"))
    made = prepared.content["preparation"]
    assert Decimal(made["prepared_mg"]) == MG("1.44")  # (3.6 + 2.16) mL × 0.25 mg/mL
    # 8 h from 09:15 is 17:15; 4 h from dilution at 09:18 is 13:18, the earlier; less 1 h of infusion: start by 12:18.
    assert made["beyond_use_at"] == "2026-03-02T13:18:00-06:00"
    assert made["start_by"] == "2026-03-02T12:18:00-06:00"
    with pytest.raises(Refused, match="Print the bag label"):
        release(desk, Act(paula), ReleaseForm(dose_id, "Nurse Abara"), _sign("paula"))
    bag = print_bag_labels(desk, Act(tim), dose_id)
    assert desk.papers.page_count(bag.pdf) == 2  # the bag's and the light cover's
    with pytest.raises(Refused, match="was not scanned since it was printed"):
        release(desk, Act(paula), ReleaseForm(dose_id, "Nurse Abara"), _sign("paula"))
    # The worksheet's code names the dose as well, but proves no label; each of the two labels is scanned.
    with pytest.raises(Refused, match="not which label it is"):
        scan_back(desk, Act(tim), ScanBackForm((dose_id,)))
    scan_back(desk, Act(tim), ScanBackForm(_codes(desk, dose_id)))

    # 8. Release, then the infusion from 09:30 to 10:30. Given 1.296 mg of 1.44: 0.144 off is exactly 10 %.
    clock.forward(minutes=5)
    release(desk, Act(paula), ReleaseForm(dose_id, "Nurse J. Abara, unit 4"), _sign("paula"))
    clock.forward(minutes=70)
    given = administer(
        desk,
        Act(paula),
        AdministrationForm(dose_id, "2026-03-02 09:30", "2026-03-02 10:30", "1.296", "mg", "line occluded"),
    )
    assert given.content["medication_error"]["difference"] == "−10 %"
    with desk.store.read() as reader:
        (error,) = reader.errors()
    assert (error.prescribed_mg, error.administered_mg, error.status) == (MG("1.44"), MG("1.296"), "open")

    # 9. Close the vials: 0.9 + 0.1 + 0 = 1 mg, empty; 0.54 + 0.46 + 0 = 1 mg, 0.46 is more than the 0.1 that
    #    cannot be drawn (1 − 0.9), so it is partial.
    clock.forward(minutes=10)
    close_vials(
        desk,
        Act(tim),
        CloseForm(dose_id, (ClosedTyped(units[5], "0.1", "0"), ClosedTyped(units[2], "0.46", "0"))),
    )
    with desk.store.read() as reader:
        done = reader.dose(dose_id)
        assert done is not None
        assert done.line.status == "closed"
        assert reader.vial(units[5]).state == "empty"  # type: ignore[union-attr]
        assert reader.vial(units[2]).state == "partial"  # type: ignore[union-attr]
        for line in done.mg:
            assert line.residue_mg is not None
            assert line.discarded_mg is not None
            assert line.withdrawn_mg + line.residue_mg + line.discarded_mg == line.labelled_mg

    # 10. Account. Of lot A1: 8 received, 2 opened. The monitor reads it all and prints the record.
    clock.forward(minutes=30)
    with desk.store.read() as reader:
        assert {(line.strength_mg, line.lot, line.state): line.vials for line in reader.stock()} == {
            (MG(1), "A1", "available"): 6,
            (MG(1), "A1", "empty"): 1,
            (MG(1), "A1", "partial"): 1,
            (MG(1), "A2", "held"): 4,
            (MG(4), "B7", "available"): 2,
        }
        lines = list(reader.whole_ledger(LedgerFilter(strength_mg=MG(1), record_only=True)))
        assert [
            (line.transaction, line.lot, line.quantity, line.balance_available, line.balance_quarantine)
            for line in lines
        ] == [
            ("RECEIVE", "A1", 8, 0, 8),
            ("RECEIVE", "A2", 4, 0, 12),
            ("RELEASE", "A1", 8, 8, 4),
            ("DISPENSE", "A1", 2, 6, 4),
        ]
        dispensed = lines[-1]
        assert dispensed.counterparty == "017-001"
        assert (dispensed.initials, dispensed.cycle_day, dispensed.dose_mg) == ("RTK", "C1 D1", "1.44")
        assert (dispensed.recorder, dispensed.verifier) == ("Tim Lindqvist", "Carla Okafor")
        waits = today(desk, reader)
        assert waits.held == 4
        assert [error.dose_id for error in waits.open_errors] == [dose_id]
        assert waits.open_doses == ()
        assert waits.unclosed_doses == ()
    for strength in ("1", "4"):
        assert print_accountability_record(desk, Act(mona), RecordForm(strength)).pdf.startswith(b"%PDF")
    sign_out(desk, Act(mona))
    found = desk.store.verify()
    assert found.sound, found
    assert found.events > 30
    desk.store.close()

    # The next morning: everything is still there.
    again = desk_at(tmp_path / "study.sqlite", clock)
    assert again.store.verify() == found
    again.store.close()


def _sign(who: str) -> Credentials:
    return Credentials(who, PASSWORD)


def _joins(desk: Desk, robin: Session, user: str, name: str, role: str) -> Session:
    add_account(desk, Act(robin), NewAccount(AccountForm(user, name, (role,), "2026-03-01"), ONE_TIME))
    first = sign_in(desk, Credentials(user, ONE_TIME), WORKSTATION)
    assert first.must_change_password
    change_password(desk, Act(first), Credentials(user, ONE_TIME), PASSWORD)
    return sign_in(desk, _sign(user), WORKSTATION)


def _mix(dose_id: str, at: str, units: tuple[str, str], diluted: str = "") -> PrepareForm:
    return PrepareForm(dose_id, at, diluted or at, ((units[0], "3.6"), (units[1], "2.16")))


# --- the monitor ----------------------------------------------------------------------------------------------

MAY = {
    "signed_in",
    "signed_out",
    "password_changed",
    "record_printed",
    "subject_exported",
    "data_exported",
    "medication_error_recorded",
    "vials_accounted",
    "accountability_undone",
    "period_signed",
    "study_closed_out",
    "visit_planned",
    "visit_opened",
    "entries_verified",
    "visit_signed",
    "query_opened",
    "query_returned",
    "query_closed",
}
"""What a monitor does: come, go, change her own password, print the record she reads or take a subject's away, report
an error she sees, do the accountability of containers or take it back, which moves no vial, and sign periods of the
record and the close-out."""

CARRIER = CarrierTyped("courier", "T-1", "1", "SEAL-1", "TL-1")

Try = Callable[[Pharmacy, Act], object]


def _correct(kind: str, pharmacy: Pharmacy, act: Act) -> object:
    form = CorrectForm(pharmacy.events(kind)[-1].seq, "I say so")
    return correct(pharmacy.desk, act, form, pharmacy.sign("paula"), pharmacy.sign("carla"))


TRIES: dict[str, Try] = {
    "account_added": lambda p, a: add_account(
        p.desk, a, NewAccount(AccountForm("eve", "Eve Nobody", ("pharmacist",), "2026-03-02"), ONE_TIME)
    ),
    "account_changed": lambda p, a: change_account(
        p.desk, a, AccountChange(a.session.account_id, ("pharmacist",), "2026-03-01", "", True, "I want to")
    ),
    "account_unlocked": lambda p, a: unlock_account(p.desk, a, "A0002"),
    "password_reset": lambda p, a: reset_password(p.desk, a, "A0002", "my own password now"),
    "settings_signed": lambda p, a: sign_settings(p.desk, a, SETTINGS, p.sign("paula"), p.sign("carla")),
    "protocol_amended": lambda p, a: amend_protocol(
        p.desk, a, AmendmentForm(shipped_protocol_text(), "Amendment 1"), p.sign("paula"), p.sign("carla")
    ),
    "shipment_received": lambda p, a: receive(p.desk, a, p.shipment("S-9")),
    "logger_read": lambda p, a: logger_read(p.desk, a, LoggerForm("S-1", "TL-77", "no alarm", "3", "6")),
    "receipt_acknowledged": lambda p, a: acknowledge_receipt(p.desk, a, AcknowledgeForm("S-1", "Supporter", "e-mail")),
    "vials_released": lambda p, a: release_shipment(p.desk, a, "S-1"),
    "vials_quarantined": lambda p, a: quarantine(p.desk, a, QuarantineForm((p.vials()[0].unit_number,), "warm")),
    "quarantine_lifted": lambda p, a: release_with_document(p.desk, a, PermissionForm((p.vials()[0].unit_number,), "")),
    "deviation_recorded": lambda p, a: record_deviation(
        p.desk,
        a,
        DeviationForm("Refrigerator 1", "logger missing", "", "", p.time(), "Mona", "called", started_at=p.time(-9)),
    ),
    "deviation_reported": lambda p, a: report_deviation(
        p.desk, a, ReportForm("X000001T", "Supporter", "e-mail", p.time(), "the report")
    ),
    "deviation_updated": lambda p, a: update_deviation(p.desk, a, UpdateForm("X000001T", "door open", "")),
    "deviation_decided": lambda p, a: decide_deviation(
        p.desk, a, DecisionForm("X000001T", _first(p), "may be used", "F0000012")
    ),
    "deviation_closed": lambda p, a: close_deviation(p.desk, a, "X000001T", p.sign("mona")),
    "vials_broken": lambda p, a: break_vials(p.desk, a, LossForm(_first(p), "fell"), p.sign("tim"), p.sign("carla")),
    "vials_missing": lambda p, a: miss_vials(p.desk, a, LossForm(_first(p), "gone"), p.sign("tim"), p.sign("carla")),
    "vials_found": lambda p, a: find_vials(p.desk, a, LossForm(_first(p), "there"), p.sign("tim"), p.sign("carla")),
    "vials_returned": lambda p, a: return_vials(
        p.desk, a, ReturnForm(_first(p), "", "Depot", "unused", "yes", CARRIER), p.sign("paula")
    ),
    "vials_transferred": lambda p, a: transfer_vials(
        p.desk, a, TransferForm(_first(p), "", "Site 021", "short there", "yes", CARRIER), p.sign("paula")
    ),
    "vials_destroyed": lambda p, a: destroy_vials(
        p.desk, a, DestroyForm(_first(p), "", "burned", "bin 12"), p.sign("tim"), p.sign("carla")
    ),
    "place_added": lambda p, a: add_place(p.desk, a, PlaceForm("Shelf Q", "quarantine shelf", "Room 2", "yes")),
    "place_closed": lambda p, a: close_place(p.desk, a, ClosePlaceForm("Refrigerator 2", "sold")),
    "vials_transported": lambda p, a: transport(p.desk, a, TransportForm(_first(p), "Refrigerator 2", "me")),
    "vials_taken_back": lambda p, a: take_back(p.desk, a, TakeBackForm(_first(p), _dose(p), "refused", "me")),
    "expiry_extended": lambda p, a: extend_expiry(p.desk, a, ExpiryForm("1", "A1", "2027-12", ""), p.sign("paula")),
    "vials_relabelled": lambda p, a: record_relabelled(p.desk, a, RelabelForm(_first(p))),
    "count_recorded": lambda p, a: record_count(
        p.desk, a, CountForm("Refrigerator 1", p.count()), p.sign("tim"), p.sign("carla")
    ),
    "discrepancy_opened": lambda p, a: open_discrepancy(p.desk, a, DiscrepancyForm(_first(p), "gone"), p.sign("tim")),
    "discrepancy_explained": lambda p, a: explain_discrepancy(
        p.desk, a, ExplainForm("Q000001Z", "other", "no matter"), p.sign("paula"), p.sign("carla")
    ),
    "subject_enrolled": lambda p, a: enroll(p.desk, a, SubjectForm("002", "1980", "")),
    "measurement_recorded": lambda p, a: record_measurement(
        p.desk, a, MeasurementForm("001", "2026-03-02", weight="71")
    ),
    "cycle_planned": lambda p, a: plan_cycle(p.desk, a, CyclePlanForm("001", "1", "2", p.day(28))),
    "delay_recorded": lambda p, a: record_delay(p.desk, a, DelayForm("001", "1", "1", "8", "other", "me", "why not")),
    "dose_omitted": lambda p, a: omit_dose(
        p.desk, a, OmissionForm("001", "1", "1", "8", "other", "me", p.day(), "why not")
    ),
    "level_changed": lambda p, a: change_level(
        p.desk, a, LevelForm("001", "1", "3", "-1", "remission", "me", p.day(), "why not")
    ),
    "response_recorded": lambda p, a: record_response(p.desk, a, ResponseForm("001", "1", "1", p.day(), "CR")),
    "marrow_recorded": lambda p, a: record_marrow(p.desk, a, MarrowForm("001", p.day(), "3")),
    "toxicity_recorded": lambda p, a: record_toxicity(
        p.desk, a, ToxicityForm("001", "ALT increased", "2", "yes", p.day())
    ),
    "treatment_ended": lambda p, a: end_treatment(p.desk, a, RemovalForm("001", "1", p.day(), "other", "me", "done")),
    "retreatment_ordered": lambda p, a: order_retreatment(
        p.desk, a, RetreatmentForm("001", "2", "first-cycle doses", "me", p.day(), "letter")
    ),
    "transplant_stated": lambda p, a: state_transplant(p.desk, a, TransplantForm("001", "yes")),
    "criteria_recorded": lambda p, a: record_criteria(p.desk, a, p.criteria_form()),
    "statement_withdrawn": lambda p, a: withdraw(p.desk, a, WithdrawForm("001", 20, "a slip")),
    "dose_ordered": lambda p, a: order(p.desk, a, p.order_form(day="8")),
    "dose_decided": lambda p, a: record_decision(p.desk, a, DecideForm(_dose(p))),
    "vials_reserved": lambda p, a: reserve(p.desk, a, ReserveForm(_dose(p), (), ()), p.sign("paula")),
    "dose_verified": lambda p, a: verify_dose(p.desk, a, p.check_form(_dose(p)), p.sign("carla")),
    "dose_prepared": lambda p, a: prepare(p.desk, a, PrepareForm(_dose(p), "", "", ())),
    "dose_released": lambda p, a: release(p.desk, a, ReleaseForm(_dose(p), "me"), p.sign("paula")),
    "dose_administered": lambda p, a: administer(p.desk, a, AdministrationForm(_dose(p), "", "", "1", "mg")),
    "vials_closed": lambda p, a: close_vials(p.desk, a, CloseForm(_dose(p), ())),
    "medication_error_assessed": lambda p, a: assess_error(
        p.desk, a, AssessForm("E0000015", "error", "labeling", "labeling"), p.sign("paula")
    ),
    "medication_error_told": lambda p, a: tell(p.desk, a, TellForm("E0000015", "IRB", "")),
    "dose_cancelled": lambda p, a: cancel(p.desk, a, CancelForm(_dose(p), "no reason")),
    **{
        corrected: partial(_correct, kind)
        for corrected, kind in (
            ("move_undone", "vials_released"),
            ("extension_undone", "expiry_extended"),
            ("receipt_corrected", "shipment_received"),
            ("closing_corrected", "vials_closed"),
            ("measurement_corrected", "measurement_recorded"),
            ("administration_corrected", "dose_administered"),
            ("preparation_corrected", "dose_prepared"),
            ("subject_corrected", "subject_enrolled"),
        )
    },
    "paper_printed": lambda p, a: print_worksheet(p.desk, a, _dose(p)),
    "print_answered": lambda p, a: print_outcome(p.desk, a, OutcomeForm(p.events("paper_printed")[0].seq)),
    "label_voided": lambda p, a: void_label(p.desk, a, VoidForm(p.events("paper_printed")[0].seq, 1, "torn")),
    "labels_scanned": lambda p, a: scan_back(p.desk, a, ScanBackForm(p.codes(*_first(p)))),
    "query_answered": lambda p, a: answer_query(p.desk, a, SayForm("QRY-1", "looked into")),
    "printer_set": lambda p, a: set_printer(p.desk, a, PrinterForm("Zebra", "tcp", "10.0.0.9", "zpl")),
    "document_attached": lambda p, a: attach_document(
        p.desk, a, DocumentForm("a letter", "letter", "", "", p.day(), "letter.pdf"), b"%PDF-1.7 a letter %%EOF"
    ),
}


def _codes(desk: Desk, *numbers: str) -> tuple[str, ...]:
    """What the scanner reads from the labels of these things."""
    with desk.store.read() as reader:
        return tuple(code for number in numbers for code in own_codes(reader, number))


def _first(pharmacy: Pharmacy) -> tuple[str, ...]:
    return (pharmacy.vials()[0].unit_number,)


def _dose(pharmacy: Pharmacy) -> str:
    with pharmacy.desk.store.read() as reader:
        return reader.doses()[0].dose_id


def test_every_kind_of_act_is_tried_by_the_monitor() -> None:
    assert TRIES.keys() == AUTHORITY.keys() - MAY


@pytest.fixture
def working(pharmacy: Pharmacy) -> Pharmacy:
    """A pharmacy in the middle of a dose."""
    pharmacy.stock_up()
    pharmacy.enroll()
    pharmacy.dose("verified")
    return pharmacy


@pytest.mark.parametrize("kind", sorted(TRIES))
def test_the_monitor_can_change_nothing_and_each_try_is_recorded(working: Pharmacy, kind: str) -> None:
    if kind.endswith("_corrected"):
        working.enroll("002")
        working.dose("closed", "002")
    if kind == "extension_undone":
        form = ExpiryForm("1", "A1", "2027-12", working.permission())
        extend_expiry(working.desk, working.act("paula"), form, working.sign("paula"))
    before = working.count()
    with working.desk.store.read() as reader:
        stood = (reader.stock(), reader.accounts(), reader.settings(), reader.doses(), reader.subjects())
    with pytest.raises(Refused, match="Mona Sorensen is signed in as monitor"):
        TRIES[kind](working, working.act("mona"))
    assert working.count() == before + 1
    denied = working.events()[-1]
    assert (denied.kind, denied.actor_name, denied.content["act"]) == ("access_denied", "Mona Sorensen", kind)
    with working.desk.store.read() as reader:
        assert stood == (reader.stock(), reader.accounts(), reader.settings(), reader.doses(), reader.subjects())
    working.assert_sound()


def test_the_monitor_reads_everything(working: Pharmacy) -> None:
    mona = working.act("mona")
    before = working.count()
    with working.desk.store.read() as reader:
        assert reader.count_events(kind="", text="") == before
        assert reader.stock()
        assert reader.count_ledger(LedgerFilter()) > 0
        assert [line.dose_id for line in reader.doses()] == [_dose(working)]
        assert reader.subject("001") is not None
        assert reader.settings()
        life = reader.vial_life(reader.dose(_dose(working)).vials[0].unit_number)  # type: ignore[union-attr]
        assert life is not None
        assert [line.move for line in life.lines] == ["receive", "release", "reserve"]
    printed = print_accountability_record(working.desk, mona, RecordForm("1"))
    assert working.events()[-1].kind == "record_printed"
    assert kept_paper(working.desk, printed.sha256) == printed.pdf


def test_the_monitor_cannot_sign_for_somebody_on_their_workstation(working: Pharmacy) -> None:
    """Credentials of the monitor typed at the checker's session are refused and recorded."""
    with pytest.raises(Refused, match="monitor"):
        verify_dose(working.desk, working.act("carla"), working.check_form(_dose(working)), working.sign("mona"))
    assert working.events()[-1].kind == "access_denied"
