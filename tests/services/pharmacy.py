"""A small pharmacy for tests: made-up people, a clock set by hand, and the acts of a day in few words.

The numbers of the usual dose are hand arithmetic: 171 cm and 70 kg by Mosteller are √(171 × 70 / 3600) =
√3.325 = 1.82345… m²; 0.8 mg/m² on cycle 1 day 1 gives 1.45876… mg, rounded half up to 1.46 mg.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher

from db.store import SqlStore
from labels.ways_out import RoomOutlets
from pharmacy_app.bootstrap import Argon2Secrets
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import Vial
from pharmacy_app.services import views
from pharmacy_app.services.accounts import (
    AccountForm,
    NewAccount,
    add_account,
    change_password,
    sign_in,
)
from pharmacy_app.services.administration import AdministrationForm, ClosedTyped, CloseForm, administer, close_vials
from pharmacy_app.services.desk import Act, Credentials, Desk, Session
from pharmacy_app.services.documents import PURPOSES, SUPPORTERS_PERMISSION, DocumentForm, attach_document
from pharmacy_app.services.doses import CancelForm, DecideForm, OrderForm, cancel, order, record_decision
from pharmacy_app.services.labelling import ScanBackForm, own_codes, print_bag_labels, print_vial_labels, scan_back
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.papers import Papers
from pharmacy_app.services.ports import LabelFilter, VialFilter
from pharmacy_app.services.preparation import (
    CheckForm,
    PrepareForm,
    ReleaseForm,
    ReserveForm,
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
from tests.databases import url_at

PASSWORD = "a sentence to sign with"
ONE_TIME = "for one use, then never again"
WORKSTATION = "PHARMACY-1"
SOURCE = "Study Manual 1.0, page 12 (made up for tests)"

PEOPLE = {
    "robin": ("Robin Ahlgren", "administrator"),
    "paula": ("Paula Reyes", "pharmacist"),
    "quentin": ("Quentin Marsh", "pharmacist"),
    "carla": ("Carla Okafor", "checker"),
    "tim": ("Tim Lindqvist", "technician"),
    "mona": ("Mona Sorensen", "monitor"),
}
"""User names, full names and roles; all sign with the same password."""

SITE = SiteForm(
    name="Riverside Hospital",
    number="017",
    time_zone="America/Chicago",
    pharmacy_phone="+1 555 0117",
    principal_investigator="Dr. Ines Vogel",
    protocol_number="INO-LD-2",
    places=("Refrigerator 1", "Refrigerator 2"),
)

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
    bag_storage="Keep at room temperature. Do not shake.",
    bag_source=SOURCE,
    reconstitution_to_dilution_h="4",
    reconstitution_to_end_h="8",
    dilution_to_end_room_h="4",
    infusion_h="1",
    stability_source=SOURCE,
)

MONDAY = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
"""Monday, 2 March 2026, 08:00 in Chicago."""

CHEAP = Argon2Secrets(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""Real argon2id at its least cost: tests need the algorithm, not its strength."""


CHICAGO = ZoneInfo(SITE.time_zone)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        """Let time pass (``minutes=5``)."""
        self.now += timedelta(**span)


class StubPapers:
    """Papers without ink: bytes that depend on the content, for tests whose matter is not the paper."""

    def _paper(self, *content: object) -> bytes:
        return b"%PDF stub " + sha256(repr(content).encode()).hexdigest().encode()

    def labels(self, labels: Sequence[Any], setup: Any) -> bytes:
        return self._paper(*labels, setup)

    def zpl(self, labels: Sequence[Any], setup: Any) -> bytes:
        return self._paper("zpl", *labels, setup)

    def templates_sha256(self) -> str:
        return "0" * 64

    def worksheet(self, worksheet: Any) -> bytes:
        return self._paper(worksheet)

    def medication_error_report(self, report: Any) -> bytes:
        return self._paper(report)

    def treatment_calendar(self, paper: Any) -> bytes:
        return self._paper(paper)

    def supply_forecast(self, paper: Any) -> bytes:
        return self._paper(paper)

    def destruction_record(self, record: Any) -> bytes:
        return self._paper(record)

    def return_record(self, record: Any) -> bytes:
        return self._paper(record)

    def transfer_record(self, record: Any) -> bytes:
        return self._paper(record)

    def receipt_record(self, record: Any) -> bytes:
        return self._paper(record)

    def count_record(self, record: Any) -> bytes:
        return self._paper(record)

    def close_out_report(self, report: Any) -> bytes:
        return self._paper(report)

    def past_record(self, paper: Any) -> bytes:
        return self._paper(replace(paper, lines=tuple(paper.lines)))

    def excursion_report(self, report: Any) -> bytes:
        return self._paper(report)

    def accountability_record(
        self, header: Any, lines: Iterable[Any], totals: tuple[tuple[str, int], ...], stamp: Any
    ) -> bytes:
        return self._paper(header, tuple(lines), totals, stamp)

    def darf_style_record(
        self, header: Any, lines: Iterable[Any], totals: tuple[tuple[str, int], ...], stamp: Any
    ) -> bytes:
        return self._paper("DARF", header, tuple(lines), totals, stamp)

    def dispensing_log(self, log: Any) -> bytes:
        return self._paper(replace(log, lines=tuple(log.lines)))

    def dose_record(self, record: Any) -> bytes:
        return self._paper(record)

    def audit_trail(self, trail: Any) -> bytes:
        return self._paper(trail.asked, trail.count, tuple(trail.lines))

    def delegation_log(self, log: Any) -> bytes:
        return self._paper(log.delegations, tuple(log.signatures))

    def discrepancy_record(self, record: Any) -> bytes:
        return self._paper(record)

    def visit_report(self, report: Any) -> bytes:
        return self._paper(replace(report, flagged=tuple(report.flagged)))

    def page_png(self, pdf: bytes, page: int, dpi: int) -> bytes:
        return self._paper(pdf, page, dpi)

    def page_count(self, pdf: bytes) -> int:
        return 1


def desk_at(path: Path, clock: Clock, *, new: bool = False, papers: Papers | None = None) -> Desk:
    """A desk on the database of this path, with cheap secrets and, unless given, papers without ink."""
    url = url_at(path, new=new)
    store = SqlStore.create(url) if new else SqlStore.open(url)
    return Desk(store, CHEAP, papers or StubPapers(), clock, "0.0-test", RoomOutlets())


def first_account(user: str, since: str) -> FirstAccount:
    """One of the two accounts a site begins with."""
    name, role = PEOPLE[user]
    return FirstAccount(AccountForm(user, name, (role,), since), PASSWORD)


def set_up_site(desk: Desk, site: SiteForm = SITE, *, since: str = "2026-03-01") -> Event:
    """The first event of a new database."""
    text = shipped_protocol_text()
    return open_site(desk, site, text, first_account("robin", since), first_account("paula", since), WORKSTATION)


STEPS = (
    "ordered",
    "decided",
    "planned",
    "verified",
    "worksheet",
    "prepared",
    "labelled",
    "released",
    "given",
    "closed",
)
"""How far ``dose`` takes a dose."""


@dataclass(slots=True)
class Pharmacy:
    """People at their desk, on a database that was set up and has its settings signed."""

    desk: Desk
    clock: Clock
    path: Path
    zone: ZoneInfo = CHICAGO
    sessions: dict[str, Session] = field(default_factory=dict)

    # --- who, when

    def act(self, who: str) -> Act:
        """A new act of one of the people."""
        if who not in self.sessions:
            self.sessions[who] = sign_in(self.desk, self.sign(who), WORKSTATION)
        return Act(self.sessions[who])

    def sign(self, who: str, password: str = PASSWORD) -> Credentials:
        """What that person types to sign."""
        return Credentials(who, password)

    def time(self, minutes: int = 0) -> str:
        """The site's time some minutes from now, as typed."""
        return (self.clock() + timedelta(minutes=minutes)).astimezone(self.zone).strftime("%Y-%m-%d %H:%M")

    def day(self, days: int = 0) -> str:
        """The site's day some days from now, as typed."""
        return (self.clock().astimezone(self.zone).date() + timedelta(days=days)).isoformat()

    # --- what is there

    def vial(self, unit_number: str) -> Vial:
        """A vial that must be there."""
        with self.desk.store.read() as reader:
            vial = reader.vial(unit_number)
        assert vial is not None, unit_number
        return vial

    def vials(self, **wanted: Any) -> list[Vial]:
        """Vials in the order of their numbers."""
        with self.desk.store.read() as reader:
            return list(
                reader.vials(VialFilter(**wanted), sort="unit_number", descending=False, offset=0, limit=100_000)
            )

    def thread(self, dose_id: str) -> views.DoseThread:
        """A dose that must be there."""
        with self.desk.store.read() as reader:
            thread = reader.dose(dose_id)
        assert thread is not None, dose_id
        return thread

    def events(self, kind: str = "") -> list[views.EventLine]:
        """The journal, oldest first."""
        with self.desk.store.read() as reader:
            return list(reversed(reader.events(kind=kind, text="", offset=0, limit=100_000)))

    def count(self) -> int:
        """How many events the journal holds."""
        with self.desk.store.read() as reader:
            return reader.head().seq

    def assert_sound(self) -> None:
        """The journal replays to the very tables that are stored."""
        found = self.desk.store.verify()
        assert found.sound, found

    # --- acts

    def shipment(self, number: str = "S-1", lots: tuple[LotTyped, ...] = (), **changes: Any) -> ShipmentForm:
        """A packing list as typed: ten 1 mg vials of lot A1, logger without alarm, from 3.1 °C to 6.4 °C."""
        form = ShipmentForm(
            number=number,
            sender="Distribution center",
            shipped_on=self.day(-1),
            received_at=self.time(),
            logger_serial="TL-77",
            logger_state="no alarm",
            place="Refrigerator 1",
            lots=lots or (LotTyped("1", "A1", "2027-03-31", "10"),),
            packing_list=f"PL-{number}",
            min_celsius="3.1",
            max_celsius="6.4",
        )
        return replace(form, **changes)

    def receive(self, number: str = "S-1", lots: tuple[LotTyped, ...] = (), **changes: Any) -> list[str]:
        """Receive a shipment; returns its unit numbers."""
        event = receive(self.desk, self.act("tim"), self.shipment(number, lots, **changes))
        return [vial["unit_number"] for vial in event.content["vials"]]

    def stock_up(self, number: str = "S-1", lots: tuple[LotTyped, ...] = ()) -> list[str]:
        """Receive, label and release a shipment."""
        units = self.receive(number, lots)
        self.label_vials(units)
        release_shipment(self.desk, self.act("paula"), number)
        return units

    def label_vials(self, units: Iterable[str], why: str = "") -> None:
        """Print the labels of these vials, put them on and scan each back."""
        units = tuple(units)
        print_vial_labels(self.desk, self.act("tim"), PrintForm(units, why))
        self.scan_back(*units)

    def label_bag(self, dose_id: str, why: str = "") -> None:
        """Print the labels of a bag and its light cover, put them on and scan them back."""
        print_bag_labels(self.desk, self.act("tim"), dose_id, why)
        self.scan_back(dose_id)

    def scan_back(self, *numbers: str, who: str = "tim") -> Event:
        """Scan the labels of these things where they were put; what is no number of ours is scanned as it is."""
        return scan_back(self.desk, self.act(who), ScanBackForm(self.codes(*numbers)))

    def codes(self, *numbers: str) -> tuple[str, ...]:
        """What the scanner reads from the newest own labels of these things, or else from any label of theirs."""
        found: list[str] = []
        with self.desk.store.read() as reader:
            for number in numbers:
                try:
                    own = own_codes(reader, number)
                except Refused:
                    own = ()
                any_label = [label.code for label in reader.labels(LabelFilter(number=number))] if number else []
                found += own or any_label[:1] or [number]
        return tuple(found)

    def permission(self, about: str = "", signed_by: str = "Dr. A. Ito, Pfizer") -> str:
        """Attach a written permission of the supporter of today; returns its number."""
        with self.desk.store.read() as reader:
            count = reader.counter("document")
        form = DocumentForm(
            "Permission", SUPPORTERS_PERMISSION, about, signed_by, self.day(), "permission.txt", permits=PURPOSES
        )
        content = f"You may use these vials. Letter {count + 1}.".encode()
        return str(attach_document(self.desk, self.act("paula"), form, content).content["document_id"])

    def enroll(self, number: str = "001", height: str = "171", weight: str = "70", birth: str = "1980-05-17") -> str:
        """Enroll a subject measured today, with a marrow of last week, who meets every criterion of cycle 1 day 1."""
        enroll(self.desk, self.act("paula"), SubjectForm(number, birth, "RTK"))
        self.eligible(number)
        record_measurement(
            self.desk, self.act("tim"), MeasurementForm(number, self.day(), height=height, weight=weight)
        )
        return number

    def eligible(self, number: str = "001") -> None:
        """Record a marrow of last week and criteria of cycle 1 day 1 that are all met."""
        record_marrow(self.desk, self.act("paula"), MarrowForm(number, self.day(-7), "45"))
        self.criteria(number)

    def criteria_form(self, subject: str = "001", cycle: str = "1", day: str = "1", **changes: Any) -> CriteriaForm:
        """Answers of today that meet every criterion."""
        on = self.day()
        form = CriteriaForm(
            subject,
            "1",
            cycle,
            day,
            on,
            "Dr. Ines Vogel",
            progression="no",
            toxicity_grade="0",
            toxicity_baseline_grade="0",
            liver_toxicity_suspected="no",
            bilirubin=LabTyped("0.8", "mg/dL", "1.2", on),
            ast=LabTyped("30", "", "40", on),
            alt=LabTyped("30", "", "40", on),
            creatinine_clearance=LabTyped("90", "", "", on),
            anc=LabTyped("2.1", "", "", on),
            platelets=LabTyped("120", "", "", on),
            consent_on=self.day(-5),
            screening_marrow_on=self.day(-7),
            screening_tests_on=self.day(-5),
        )
        return replace(form, **changes)

    def criteria(self, subject: str = "001", cycle: str = "1", day: str = "1", **changes: Any) -> Event:
        """Record answers of today that meet every criterion of a dose."""
        return record_criteria(self.desk, self.act("paula"), self.criteria_form(subject, cycle, day, **changes))

    def order_form(self, subject: str = "001", prescribed: str = "1.46", **changes: Any) -> OrderForm:
        """An order for today, cycle 1 day 1."""
        form = OrderForm(subject, "Dr. Ines Vogel", self.day(), self.day(), "1", "1", "1", "0", prescribed)
        return replace(form, **changes)

    def best(self, dose_id: str) -> tuple[str, ...]:
        """The vials of the best plan."""
        with self.desk.store.read() as reader:
            best = proposals(self.desk, reader, dose_id).best
        assert best is not None
        return tuple(draw.unit_number for draw in best.draws)

    def reserve(self, dose_id: str, units: tuple[str, ...], who: str = "paula") -> Event:
        """Reserve exactly these vials."""
        return reserve(self.desk, self.act(who), ReserveForm(dose_id, units, units), self.sign(who))

    def check_form(self, dose_id: str, **changes: Any) -> CheckForm:
        """The second calculation of the usual dose: 1.46 mg at 0.25 mg/mL are 5.84 mL."""
        return replace(CheckForm(dose_id, "171", "70", "0.8", "1.46", "5.84"), **changes)

    def verify(self, dose_id: str, **changes: Any) -> Event:
        """The checker's blind calculation."""
        return verify_dose(self.desk, self.act("carla"), self.check_form(dose_id, **changes), self.sign("carla"))

    def prepare(self, dose_id: str, drawn: Sequence[str] = (), **changes: Any) -> Event:
        """Mix now: 3.6 mL (0.9 mg) of the first vial, 2.24 mL (0.56 mg) of the second, or as given."""
        plan = self.thread(dose_id).plan
        units = [draw["unit_number"] for draw in plan["draws"]] if plan else []
        amounts = tuple(zip(units, drawn or ("3.6", "2.24"), strict=bool(plan)))
        form = PrepareForm(dose_id, self.time(), self.time(), amounts)
        return prepare(self.desk, self.act("tim"), replace(form, **changes))

    def release(self, dose_id: str, who: str = "paula") -> Event:
        """Hand the bag over."""
        return release(self.desk, self.act(who), ReleaseForm(dose_id, "Nurse J. Abara, unit 4"), self.sign(who))

    def give(self, dose_id: str, given: str = "1.46", unit: str = "mg", **changes: Any) -> Event:
        """Infuse for an hour from now, then record it."""
        started = self.time()
        self.clock.forward(minutes=60)
        form = AdministrationForm(dose_id, started, self.time(), given, unit)
        return administer(self.desk, self.act("paula"), replace(form, **changes))

    def close(self, dose_id: str, rows: Sequence[tuple[str, str]] = (("0.1", "0"), ("0.1", "0.34"))) -> Event:
        """Close the vials: 0.9 + 0.1 + 0 = 1 mg, 0.56 + 0.1 + 0.34 = 1 mg, or as given."""
        units = [line.unit_number for line in self.thread(dose_id).mg]
        typed = tuple(ClosedTyped(unit, *row) for unit, row in zip(units, rows, strict=True))
        return close_vials(self.desk, self.act("tim"), CloseForm(dose_id, typed))

    def cancel(self, dose_id: str, why: str = "the subject is ill") -> Event:
        """Cancel a dose."""
        return cancel(self.desk, self.act("paula"), CancelForm(dose_id, why))

    def dose(self, until: str, subject: str = "001", prescribed: str = "1.46", units: tuple[str, ...] = ()) -> str:
        """The usual dose as far as a step of ``STEPS``; the subject is enrolled and stock is there."""
        steps = STEPS[: STEPS.index(until) + 1]
        dose_id = str(order(self.desk, self.act("paula"), self.order_form(subject, prescribed)).content["dose_id"])
        if "decided" in steps:
            record_decision(self.desk, self.act("paula"), DecideForm(dose_id))
        if "planned" in steps:
            self.reserve(dose_id, units or self.best(dose_id))
        if "verified" in steps:
            drawn = Decimal(prescribed) / Decimal("0.25")
            self.verify(dose_id, drawn_ml=format(drawn, "f"))
        if "worksheet" in steps:
            print_worksheet(self.desk, self.act("paula"), dose_id)
        if "prepared" in steps:
            second = (Decimal(prescribed) - Decimal("0.9")) / Decimal("0.25")
            self.prepare(dose_id, ("3.6", format(second, "f")))
        if "labelled" in steps:
            self.label_bag(dose_id)
        if "released" in steps:
            self.release(dose_id)
        if "given" in steps:
            self.give(dose_id, prescribed)
        if "closed" in steps:
            self.close(dose_id)
        return dose_id


def open_pharmacy(path: Path, clock: Clock | None = None, *, site: SiteForm = SITE, settings: bool = True) -> Pharmacy:
    """A new pharmacy with all its people signed in and, unless told otherwise, its settings signed."""
    clock = clock or Clock()
    zone = ZoneInfo(site.time_zone)
    since = clock().astimezone(zone).date().isoformat()
    desk = desk_at(path, clock, new=True)
    set_up_site(desk, site, since=since)
    pharmacy = Pharmacy(desk, clock, path, zone)
    pharmacy.act("robin")
    for user, (name, role) in PEOPLE.items():
        if user in ("robin", "paula"):
            continue
        add_account(desk, pharmacy.act("robin"), NewAccount(AccountForm(user, name, (role,), since), ONE_TIME))
        once = sign_in(desk, Credentials(user, ONE_TIME), WORKSTATION)
        change_password(desk, Act(once), Credentials(user, ONE_TIME), PASSWORD)
    for user in PEOPLE:
        pharmacy.act(user)
    if settings:
        sign_settings(desk, pharmacy.act("paula"), SETTINGS, pharmacy.sign("paula"), pharmacy.sign("carla"))
    return pharmacy
