"""The people of the demonstration and what they do from day to day, each act through the pharmacy's own services."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from pharmacy_app.domain.bsa import bsa_step
from pharmacy_app.domain.findings import Severity
from pharmacy_app.domain.protocol import shipped_protocol
from pharmacy_app.domain.settings import BsaFormula
from pharmacy_app.domain.units import show
from pharmacy_app.services.accounts import AccountForm, NewAccount, add_account, change_password, sign_in
from pharmacy_app.services.administration import AdministrationForm, ClosedTyped, CloseForm, administer, close_vials
from pharmacy_app.services.desk import Act, Credentials, Desk, Session
from pharmacy_app.services.doses import DecideForm, OrderForm, order, preview, record_decision, thread_of
from pharmacy_app.services.labelling import (
    ScanBackForm,
    own_codes,
    print_bag_labels,
    print_vial_labels,
    scan_back,
    vials_of_shipment,
)
from pharmacy_app.services.medication_errors import (
    AssessForm,
    ErrorForm,
    MerpTyped,
    ToldTyped,
    assess_error,
    record_error,
)
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.ports import VialFilter
from pharmacy_app.services.preparation import (
    CheckForm,
    PrepareForm,
    ReleaseForm,
    ReserveForm,
    plan_of,
    prepare,
    proposals,
    release,
    reserve,
    verify_dose,
)
from pharmacy_app.services.printing import PrintForm, print_worksheet
from pharmacy_app.services.setup import FirstAccount, SiteForm, open_site, shipped_protocol_text
from pharmacy_app.services.stock import ShipmentForm, receive, release_shipment
from pharmacy_app.services.study_settings import SettingsForm, VialTyped, sign_settings
from pharmacy_app.services.subjects import MeasurementForm, SubjectForm, enroll, record_measurement
from pharmacy_app.services.treatment import CriteriaForm, LabTyped, MarrowForm, record_criteria, record_marrow

ZONE = ZoneInfo("America/Chicago")
WORKSTATION = "DEMO-PC"
PASSWORD = "demonstration only"

PEOPLE = {
    "admin": "Robin Ahlgren",
    "pharmacist": "Dana Whitfield",
    "checker": "Sam Okafor",
    "technician": "Lee Marchetti",
    "monitor": "Kim Sorensen",
}
"""User names of the demonstration and the made-up people behind them; all have the same password."""

PRESCRIBER = "Dr. Mira Castellan"

SOURCE = "Made-up Study Manual, demonstration edition, p. 12 – not a clinical source"

SETTINGS = SettingsForm(
    bsa_formula="Mosteller",
    bsa_formula_source=SOURCE,
    rounding_increment_mg="0.01",
    rounding_mode="half up",
    rounding_source=SOURCE,
    vial_1mg=VialTyped("0.9", "4", "0.25", "Sterile Water for Injection", SOURCE),
    vial_4mg=VialTyped("3.8", "16", "0.25", "Sterile Water for Injection", SOURCE),
    diluent="0.9% sodium chloride",
    bag_volume_ml="50",
    min_mg_per_ml="0.01",
    max_mg_per_ml="0.1",
    bag_storage="Keep at room temperature. Do not shake. Do not freeze.",
    bag_source=SOURCE,
    reconstitution_to_dilution_h="4",
    reconstitution_to_end_h="8",
    dilution_to_end_room_h="4",
    infusion_h="1",
    stability_source=SOURCE,
)


class MovableClock:
    """A clock that the demonstration sets; when let go it is the PC's. It stops at ``latest``, where there is one."""

    def __init__(self, now: datetime, latest: datetime | None = None) -> None:
        self.now: datetime | None = now
        self.latest = latest

    def __call__(self) -> datetime:
        """The set moment, or the PC's once ``now`` is ``None``."""
        return self.now or datetime.now(UTC)

    def at(self, moment: datetime) -> None:
        """Set the clock; it never goes back."""
        assert self.now is None or moment >= self.now, f"{moment} lies before {self.now}"
        self.now = moment

    def forward(self, minutes: int) -> None:
        """Let some minutes pass."""
        assert self.now is not None
        later = self.now + timedelta(minutes=minutes)
        self.now = later if self.latest is None else min(later, max(self.now, self.latest))


@dataclass(slots=True)
class DemoDay:
    """The people of the demonstration at their desk, and the papers they printed."""

    desk: Desk
    clock: MovableClock
    sessions: dict[str, Session] = field(default_factory=dict)
    papers: dict[str, bytes] = field(default_factory=dict)

    def act(self, who: str) -> Act:
        """A new act of one of the people."""
        return Act(self.sessions[who])

    def sign(self, who: str) -> Credentials:
        """What that person types to sign."""
        return Credentials(who, PASSWORD)

    def local(self, minutes: int = 0) -> str:
        """The site's time, some minutes from now, as it is typed."""
        return (self.clock() + timedelta(minutes=minutes)).astimezone(ZONE).strftime("%Y-%m-%d %H:%M")

    def day(self, days: int = 0) -> str:
        """The site's day, some days from now, as it is typed."""
        return (self.clock() + timedelta(days=days)).astimezone(ZONE).strftime("%Y-%m-%d")


def set_up(desk: Desk, clock: MovableClock) -> DemoDay:
    """Site, study, accounts and signed settings."""
    today = clock().astimezone(ZONE).date()
    start = today.isoformat()

    def first(user: str, role: str) -> FirstAccount:
        return FirstAccount(AccountForm(user, PEOPLE[user], (role,), start), PASSWORD)

    open_site(
        desk,
        SiteForm(
            name="Lakeside Demonstration Hospital",
            number="000",
            time_zone="America/Chicago",
            pharmacy_phone="+1 555 0100",
            principal_investigator=PRESCRIBER,
            protocol_number="DEMO-INO-01",
            places=("Refrigerator 1", "Refrigerator 2"),
            demonstration=True,
        ),
        shipped_protocol_text(),
        first("admin", "administrator"),
        first("pharmacist", "pharmacist"),
        WORKSTATION,
    )
    day = DemoDay(desk, clock)
    day.sessions["admin"] = sign_in(desk, day.sign("admin"), WORKSTATION)
    for user, role in (("checker", "checker"), ("technician", "technician"), ("monitor", "monitor")):
        add_account(
            desk, day.act("admin"), NewAccount(AccountForm(user, PEOPLE[user], (role,), start), "one time only now")
        )
        day.sessions[user] = sign_in(desk, Credentials(user, "one time only now"), WORKSTATION)
        change_password(desk, day.act(user), Credentials(user, "one time only now"), PASSWORD)
    day.sessions["pharmacist"] = sign_in(desk, day.sign("pharmacist"), WORKSTATION)
    sign_settings(desk, day.act("pharmacist"), SETTINGS, day.sign("pharmacist"), day.sign("checker"))
    return day


def receive_shipment(
    day: DemoDay, number: str, lots: tuple[LotTyped, ...], logger_state: str = "no alarm", *, usable: bool = True
) -> None:
    """Receive, print the vial labels, and release when nothing holds the vials."""
    receive(
        day.desk,
        day.act("technician"),
        ShipmentForm(
            number=number,
            sender="Supporter's distribution center",
            shipped_on=day.day(-2),
            received_at=day.local(),
            logger_serial=f"TL-{number[-4:]}",
            logger_state=logger_state,
            place="Refrigerator 1",
            lots=lots,
            packing_list=f"PL-{number[-4:]}",
            min_celsius="3.4",
            max_celsius="9.6" if logger_state == "alarm" else "6.1",
        ),
    )
    day.clock.forward(5)
    with day.desk.store.read() as reader:
        units = vials_of_shipment(reader, number)
    printed = print_vial_labels(day.desk, day.act("technician"), PrintForm(units))
    day.papers[f"vial-labels-{number}"] = printed.pdf
    day.clock.forward(5)
    _scan_labels(day, units)
    if usable:
        release_shipment(day.desk, day.act("pharmacist"), number)


def _scan_labels(day: DemoDay, numbers: Iterable[str]) -> None:
    """Scan the labels of these things back, each by its own code."""
    with day.desk.store.read() as reader:
        codes = tuple(code for number in numbers for code in own_codes(reader, number))
    scan_back(day.desk, day.act("technician"), ScanBackForm(codes))


def enroll_subject(day: DemoDay, number: str, birth: str, initials: str, height: str, weight: str) -> None:
    """Enroll a subject with a height and a first weight."""
    enroll(day.desk, day.act("pharmacist"), SubjectForm(number, birth, initials))
    record_measurement(
        day.desk, day.act("technician"), MeasurementForm(number, day.day(), height=height, weight=weight)
    )


def weigh(day: DemoDay, number: str, weight: str, confirm: str = "") -> None:
    """Record a weight of today; ``confirm`` says why an unlikely one is right."""
    form = MeasurementForm(number, day.day(), weight=weight, confirm=confirm)
    record_measurement(day.desk, day.act("technician"), form)


def marrow(day: DemoDay, number: str, blasts: str, days: int = 0) -> None:
    """Record a marrow result taken some days from now."""
    record_marrow(day.desk, day.act("pharmacist"), MarrowForm(number, day.day(days), blasts))


def meet_criteria(day: DemoDay, number: str, cycle: int, dose_day: int) -> None:
    """Record answers of today that meet every criterion of a dose."""
    on = day.day()
    form = CriteriaForm(
        number,
        "1",
        str(cycle),
        str(dose_day),
        on,
        PRESCRIBER,
        progression="no",
        toxicity_grade="0",
        toxicity_baseline_grade="0",
        liver_toxicity_suspected="no",
        bilirubin=LabTyped("0.7", "mg/dL", "1.2", on),
        ast=LabTyped("28", "", "40", on),
        alt=LabTyped("31", "", "41", on),
        alkaline_phosphatase=LabTyped("80", "", "", on),
        creatinine_clearance=LabTyped("88", "", "", on),
        anc=LabTyped("1.8", "", "", on),
        platelets=LabTyped("96", "", "", on),
        consent_on=day.day(-9),
        screening_marrow_on=day.day(-8),
        screening_tests_on=day.day(-3),
    )
    record_criteria(day.desk, day.act("pharmacist"), form)


STEPS = ("order", "decide", "plan", "check", "worksheet", "prepare", "label", "release", "give", "close")


def dose(
    day: DemoDay, number: str, cycle: int, dose_day: int, *, level: int = 0, until: str = "close", given: str = ""
) -> str:
    """One dose from the order to the closed mg ledger, or until a named step; returns its number."""
    form = OrderForm(number, PRESCRIBER, day.day(), day.day(), "1", str(cycle), str(dose_day), str(level), "1")
    meet_criteria(day, number, cycle, dose_day)
    event = order(day.desk, day.act("pharmacist"), _prescribed_as_planned(day, form))
    dose_id = str(event.content["dose_id"])
    acts: dict[str, Callable[[DemoDay, str], object]] = {
        "decide": _decide,
        "plan": _plan,
        "check": _check,
        "worksheet": _worksheet,
        "prepare": _prepare,
        "label": _label,
        "release": _release,
        "give": partial(_give, given=given),
        "close": close_all,
    }
    for step in STEPS[1 : STEPS.index(until) + 1]:
        day.clock.forward(4)
        acts[step](day, dose_id)
    return dose_id


def _decide(day: DemoDay, dose_id: str) -> None:
    form = DecideForm(dose_id)
    with day.desk.store.read() as reader:
        found = preview(day.desk, reader, form).decision
    warned = found.may_go_on and bool(found.with_severity(Severity.WARN))
    reason = "Late for toxicity, as the prescriber decided; see the chart." if warned else ""
    record_decision(day.desk, day.act("pharmacist"), replace(form, reason=reason))


def _plan(day: DemoDay, dose_id: str) -> None:
    with day.desk.store.read() as reader:
        best = proposals(day.desk, reader, dose_id).best
    assert best is not None, "the demonstration has too few vials"
    units = tuple(draw.unit_number for draw in best.draws)
    warned = any(finding.severity is Severity.WARN for finding in best.findings)
    form = ReserveForm(dose_id, units, units, "Bag volume of the demonstration manual kept." if warned else "")
    reserve(day.desk, day.act("pharmacist"), form, day.sign("pharmacist"))


def _check(day: DemoDay, dose_id: str) -> None:
    with day.desk.store.read() as reader:
        thread = thread_of(reader, dose_id)
    answer = thread.decision["answer"]
    form = CheckForm(
        dose_id,
        show(thread.height_cm or Decimal(0)),
        show(thread.weight_kg or Decimal(0)),
        answer["dose_mg_per_m2"],
        answer["planned_mg"],
        show(plan_of(thread).drawn_ml, 2),
    )
    verify_dose(day.desk, day.act("checker"), form, day.sign("checker"))


def _worksheet(day: DemoDay, dose_id: str) -> None:
    day.papers[f"worksheet-{dose_id}"] = print_worksheet(day.desk, day.act("pharmacist"), dose_id).pdf


def _prepare(day: DemoDay, dose_id: str) -> None:
    with day.desk.store.read() as reader:
        plan = plan_of(thread_of(reader, dose_id))
    mixed = day.local(-2)
    drawn = tuple((draw.unit_number, show(draw.draw_ml, 2)) for draw in plan.draws)
    prepare(day.desk, day.act("technician"), PrepareForm(dose_id, mixed, mixed, drawn))


def _label(day: DemoDay, dose_id: str) -> None:
    day.papers[f"bag-labels-{dose_id}"] = print_bag_labels(day.desk, day.act("technician"), dose_id).pdf
    _scan_labels(day, (dose_id,))


def _release(day: DemoDay, dose_id: str) -> None:
    form = ReleaseForm(dose_id, "Nurse J. Abara, infusion unit 4")
    release(day.desk, day.act("pharmacist"), form, day.sign("pharmacist"))


def _give(day: DemoDay, dose_id: str, *, given: str) -> None:
    started = day.local()
    day.clock.forward(65)
    with day.desk.store.read() as reader:
        prepared = thread_of(reader, dose_id).prepared_mg or Decimal(0)
    form = AdministrationForm(dose_id, started, day.local(), given or show(prepared), "mg")
    administer(day.desk, day.act("pharmacist"), form)


def _prescribed_as_planned(day: DemoDay, form: OrderForm) -> OrderForm:
    """The order of a prescriber who calculates as the protocol does: worked out here by Mosteller, to 0.01 mg."""
    with day.desk.store.read() as reader:
        measured = reader.measurements(form.subject_number)
    height = next(line.value for line in measured if line.kind == "height")
    weight = next(line.value for line in measured if line.kind == "weight")
    area = bsa_step(BsaFormula.MOSTELLER, height_cm=height, weight_kg=weight).result
    per_m2 = shipped_protocol().regimen.dose_mg_per_m2(int(form.cycle), int(form.level), int(form.day))
    return replace(form, prescribed_mg=format((area * (per_m2 or Decimal(0))).quantize(Decimal("0.01")), "f"))


def close_all(day: DemoDay, dose_id: str) -> None:
    """Close the dose's opened vials: what cannot be drawn is residue, the rest is discarded."""
    with day.desk.store.read() as reader:
        thread = thread_of(reader, dose_id)
    residue = {Decimal(1): Decimal("0.1"), Decimal(4): Decimal("0.2")}
    rows = []
    for line in thread.mg:
        left = min(residue[line.labelled_mg], line.labelled_mg - line.withdrawn_mg)
        rows.append(ClosedTyped(line.unit_number, show(left), show(line.labelled_mg - line.withdrawn_mg - left)))
    close_vials(day.desk, day.act("technician"), CloseForm(dose_id, tuple(rows)))


def assess(day: DemoDay, dose_id: str) -> None:
    """Tell the investigator of a dose's medication error and assess it: watched more closely, no harm."""
    with day.desk.store.read() as reader:
        error_id = next(line.error_id for line in reader.errors() if line.dose_id == dose_id)
    day.clock.forward(25)
    form = AssessForm(
        error_id,
        verdict="error",
        stage="administration",
        error_type="wrong dose",
        answers=MerpTyped("yes", "yes", death="no", harmed="no", monitoring="yes"),
        assessed_by=PRESCRIBER,
        harm="None seen. Vital signs were taken every 30 minutes until the evening.",
        cause="The line was taken off before it was flushed; the rest of the dose stayed in it.",
        action="The rest was not given later. The infusion unit was told.",
        preventive_action="The label of the bag now asks for the flush.",
        stopped_for="not stopped",
        adverse_event="no adverse event",
        told=(ToldTyped("principal investigator", day.local(-10)), ToldTyped("IND Office", day.local(-5))),
    )
    assess_error(day.desk, day.act("pharmacist"), form, day.sign("pharmacist"))


def near_miss(day: DemoDay, dose_id: str) -> None:
    """A technician reports what went wrong in preparing a dose and did not reach the subject."""
    day.clock.forward(20)
    form = ErrorForm(
        "A 4 mg vial was taken from the shelf for a 1 mg one. The scan showed it, and it was put back.",
        "preparation",
        "wrong dose",
        dose_id=dose_id,
        reached_subject="no",
    )
    record_error(day.desk, day.act("technician"), form)


def vials_of(day: DemoDay, state: str, lot: str = "") -> tuple[str, ...]:
    """The unit numbers of the vials now in a state, of one lot or of any."""
    wanted = VialFilter(state=state, lot=lot)
    with day.desk.store.read() as reader:
        count = reader.count_vials(wanted)
        found = reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=count)
    return tuple(vial.unit_number for vial in found)
