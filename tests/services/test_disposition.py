"""What becomes of vials that are not given: broken, missing, found, accounted for, returned, transferred, destroyed.

Every act is told as a case and every refusal is walked (§ 8.2; RULES R54 to R57, A21). After each the vials add up to
what was received, and the journal replays to the same tables.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from labels import proof
from labels.papers import PdfPapers
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.people import AUTHORITY
from pharmacy_app.domain.vials import move_table, numbered
from pharmacy_app.services.accounts import AccountForm, NewAccount, add_account, change_password, sign_in
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.desk import Act, Credentials
from pharmacy_app.services.disposition import (
    AccountForm as ContainersForm,
)
from pharmacy_app.services.disposition import (
    CarrierTyped,
    DestroyForm,
    LossForm,
    ReturnForm,
    TakeBackForm,
    TransferForm,
    account_for,
    break_vials,
    checklist,
    destroy_vials,
    find_vials,
    miss_vials,
    permissions,
    return_vials,
    take_back,
    transfer_vials,
)
from pharmacy_app.services.documents import PURPOSES, DocumentForm, attach_document
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.ports import LedgerFilter
from pharmacy_app.services.printing import RecordForm, print_accountability_record
from pharmacy_app.services.stock import (
    PermissionForm,
    QuarantineForm,
    quarantine,
    release_shipment,
    release_with_document,
)
from tests.services.pharmacy import ONE_TIME, PASSWORD, WORKSTATION, Pharmacy

CARRIER = CarrierTyped("World Courier", "WC-4711", "1", "SEAL-9", "TL-88")
NO_VIAL = numbered("V", 999)


def faults_of(act: Callable[[], object]) -> tuple[Fault, ...]:
    """The faults with which an act is refused."""
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.faults


def one_fault(act: Callable[[], object], field: str, words: str) -> Fault:
    """The one fault with which an act is refused, beside its field and in these words."""
    (fault,) = faults_of(act)
    assert fault.field == field, fault
    assert words in fault.sentence, fault
    return fault


class Site:
    """The acts of this chapter in few words, on a pharmacy with three unopened vials or with opened containers."""

    def __init__(self, pharmacy: Pharmacy) -> None:
        self.pharmacy = pharmacy

    # --- papers

    def document(self, kind: str = "supporter's permission", words: bytes = b"you may") -> str:
        """Attach a document; returns its number."""
        form = DocumentForm(
            "Letter of today", kind, "", "Dr. A. Ito, Pfizer", self.pharmacy.day(), "letter.pdf", permits=PURPOSES
        )
        content = b"%PDF-1.7 " + words + b"\n%%EOF\n"
        event = attach_document(self.pharmacy.desk, self.pharmacy.act("paula"), form, content)
        return str(event.content["document_id"])

    # --- acts

    def lose(
        self, act: Callable[..., Any], units: tuple[str, ...], why: str = "it fell", second: str = "carla", **who: str
    ) -> Any:
        """Break, miss or find vials: Tim, and Carla as the second person."""
        doer = who.get("who", "tim")
        pharmacy = self.pharmacy
        form = LossForm(units, why)
        return act(pharmacy.desk, pharmacy.act(doer), form, pharmacy.sign(who.get("own", doer)), pharmacy.sign(second))

    def account(self, units: tuple[str, ...], who: str = "mona", note: str = "") -> Any:
        """The monitor's accountability."""
        return account_for(
            self.pharmacy.desk, self.pharmacy.act(who), ContainersForm(units, note), self.pharmacy.sign(who)
        )

    def return_form(self, units: tuple[str, ...], permission: str, **changes: Any) -> ReturnForm:
        form = ReturnForm(units, permission, "Pfizer depot, Memphis", "unused", "yes", CARRIER)
        return replace(form, **changes)

    def send_back(self, form: ReturnForm, who: str = "paula", own: str = "") -> Any:
        return return_vials(self.pharmacy.desk, self.pharmacy.act(who), form, self.pharmacy.sign(own or who))

    def transfer_form(self, units: tuple[str, ...], permission: str, **changes: Any) -> TransferForm:
        form = TransferForm(units, permission, "Lakeside Hospital (021)", "their stock runs out", "yes", CARRIER)
        return replace(form, **changes)

    def transfer(self, form: TransferForm, who: str = "paula", own: str = "") -> Any:
        return transfer_vials(self.pharmacy.desk, self.pharmacy.act(who), form, self.pharmacy.sign(own or who))

    def destroy_form(self, units: tuple[str, ...], permission: str, **changes: Any) -> DestroyForm:
        form = DestroyForm(units, permission, "high-temperature incineration", "yellow bin 12, manifest M-3")
        return replace(form, **changes)

    def destroy(self, form: DestroyForm, who: str = "tim", witness: str = "carla", own: str = "") -> Any:
        pharmacy = self.pharmacy
        return destroy_vials(pharmacy.desk, pharmacy.act(who), form, pharmacy.sign(own or who), pharmacy.sign(witness))

    # --- what is there

    def states(self) -> Counter[str]:
        return Counter(vial.state for vial in self.pharmacy.vials())

    def lines(self) -> list[tuple[str, int, int, int]]:
        """Transaction, vials, available and in quarantine after it, of each line of the 1 mg record."""
        with self.pharmacy.desk.store.read() as reader:
            lines = list(reader.whole_ledger(LedgerFilter(strength_mg=Decimal(1), record_only=True)))
        return [(each.transaction, each.quantity, each.balance_available, each.balance_quarantine) for each in lines]

    def assert_balanced(self, received: int) -> None:
        """Every vial is in exactly one state, the stock counts say the same, and the journal replays."""
        with self.pharmacy.desk.store.read() as reader:
            stock: Counter[str] = Counter()
            for line in reader.stock():
                stock[line.state] += line.vials
        assert stock == self.states()
        assert stock.total() == received
        self.pharmacy.assert_sound()


@pytest.fixture
def site(pharmacy: Pharmacy) -> Site:
    """Three unopened vials of lot A1 in usable stock."""
    pharmacy.stock_up(lots=(LotTyped("1", "A1", "2027-03-31", "3", ("K001", "K002", "K003")),))
    return Site(pharmacy)


def units_of(site: Site, state: str = "") -> tuple[str, ...]:
    """Unit numbers of the vials in a state, or all."""
    return tuple(vial.unit_number for vial in site.pharmacy.vials(state=state))


def used(site: Site) -> tuple[str, str]:
    """Give a dose and close its vials: one is empty, one is partial with 0.34 mg left in it; one stays unopened."""
    site.pharmacy.enroll()
    dose_id = site.pharmacy.dose("given")
    # 0.9 + 0.1 + 0 = 1 mg; 0.56 + 0.44 + 0 = 1 mg, and 0.44 is more than the 0.1 that cannot be drawn.
    site.pharmacy.close(dose_id, (("0.1", "0"), ("0.44", "0")))
    (empty,), (partial,) = units_of(site, "empty"), units_of(site, "partial")
    return empty, partial


def brought_to(site: Site, state: str) -> str:  # noqa: PLR0912 - one way a state
    """A vial that was brought to a state by the pharmacy's acts."""
    pharmacy = site.pharmacy
    first = units_of(site)[0]
    if state == "held":
        return pharmacy.receive("S-2", (LotTyped("1", "A1", "2027-03-31", "1"),))[0]
    if state == "reserved":
        pharmacy.enroll()
        return pharmacy.thread(pharmacy.dose("planned")).vials[0].unit_number
    if state == "opened":
        pharmacy.enroll()
        return pharmacy.thread(pharmacy.dose("prepared")).vials[0].unit_number
    if state in ("empty", "partial"):
        return used(site)[("empty", "partial").index(state)]
    if state == "returned by subject":
        first = used(site)[0]
        form = TakeBackForm((first,), pharmacy.vial(first).dose_id, "it was in the ward's bin", "a nurse")
        take_back(pharmacy.desk, pharmacy.act("tim"), form)
    if state == "never received":
        first = pharmacy.receive("S-2", (LotTyped("1", "A1", "2027-03-31", "1"),))[0]
        mistake = CorrectForm(pharmacy.count(), "this vial never came", (("labels.0.never_came", first),))
        correct(pharmacy.desk, pharmacy.act("tim"), mistake, pharmacy.sign("tim"), pharmacy.sign("carla"))
    if state == "quarantined":
        quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((first,), "9 °C overnight"))
    if state == "broken":
        site.lose(break_vials, (first,))
    if state == "missing":
        site.lose(miss_vials, (first,))
    if state == "lost":
        site.lose(break_vials, (first,))
        site.lose(miss_vials, (first,))
    if state == "returned":
        site.send_back(site.return_form((first,), site.document()))
    if state == "transferred":
        site.transfer(site.transfer_form((first,), site.document()))
    if state == "destroyed":
        site.lose(break_vials, (first,))
        site.account((first,))
        site.destroy(site.destroy_form((first,), site.document()))
    assert pharmacy.vial(first).state == state
    return first


STATES = tuple(move_table().states)
UNOPENED = ("held", "available", "reserved", "quarantined")
CONTAINERS = ("empty", "partial", "broken", "returned by subject")


def tried(site: Site, move_name: str, units: tuple[str, ...]) -> Callable[[], object]:
    """One of the six moves of this chapter with everything else in order."""
    if move_name in ("break", "miss", "find"):
        act = {"break": break_vials, "miss": miss_vials, "find": find_vials}[move_name]
        return lambda: site.lose(act, units)
    permission = site.document(words=b"for this try")
    if move_name == "return":
        return lambda: site.send_back(site.return_form(units, permission))
    if move_name == "transfer":
        return lambda: site.transfer(site.transfer_form(units, permission))
    return lambda: site.destroy(site.destroy_form(units, permission))


# § 8.2, read by hand: unopened vials leave, or break, or are missing; opened and empty ones are destroyed.
MAY_START: dict[str, tuple[str, ...]] = {
    "break": UNOPENED,
    "miss": (*UNOPENED, *CONTAINERS),
    "find": ("missing", "lost"),
    "return": ("held", "available", "quarantined"),
    "transfer": ("available", "quarantined"),
    "destroy": CONTAINERS,
}
GOES_TO = {
    "break": "broken",
    "miss": "missing",
    "find": "quarantined",
    "return": "returned",
    "transfer": "transferred",
    "destroy": "destroyed",
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("move_name", MAY_START)
def test_each_move_starts_from_its_states_and_from_no_other(site: Site, move_name: str, state: str) -> None:
    unit = brought_to(site, state)
    received = len(site.pharmacy.vials())
    if state in CONTAINERS:
        site.account((unit,))
    before, now = site.pharmacy.count(), site.pharmacy.vial(unit).state
    act = tried(site, move_name, (unit,))
    documents = site.pharmacy.count() - before
    if now in MAY_START[move_name]:
        act()
        # A used container is lost, and found as what it was: a broken one here.
        of_container = {"miss": "lost", "find": "broken"} if now in (*CONTAINERS, "lost") else {}
        assert site.pharmacy.vial(unit).state == of_container.get(move_name, GOES_TO[move_name])
    else:
        faults = faults_of(act)
        assert {fault.section for fault in faults} == {"8.2"}
        words = " ".join(fault.sentence for fault in faults)
        assert f"Vial {unit} is {now}" in words
        assert move_table().moves[move_name].otherwise in words
        assert site.pharmacy.vial(unit).state == now
        assert site.pharmacy.count() == before + documents, "a refused move left an event"
    site.assert_balanced(received)


# --- broken, missing, found ------------------------------------------------------------------------------------


def test_a_vial_that_fell_is_broken_and_leaves_the_balance(site: Site) -> None:
    unit = units_of(site)[0]
    event = site.lose(break_vials, (unit,), "it fell from the shelf")
    assert event.kind == "vials_broken"
    assert event.why == "it fell from the shelf"
    assert [(each.printed_name, each.meaning) for each in event.signatures] == [
        ("Tim Lindqvist", "broke or found it broken"),
        ("Carla Okafor", "broke or found it broken, as the second person"),
    ]
    # Three received; one broken: two are left in usable stock.
    assert site.lines() == [("RECEIVE", 3, 0, 3), ("RELEASE", 3, 3, 0), ("LOSS/BREAKAGE", 1, 2, 0)]
    with site.pharmacy.desk.store.read() as reader:
        life = reader.vial_life(unit)
    assert life is not None
    assert (life.lines[-1].comment, life.lines[-1].recorder, life.lines[-1].verifier) == (
        "it fell from the shelf",
        "Tim Lindqvist",
        "Carla Okafor",
    )
    site.assert_balanced(3)


@pytest.mark.parametrize("act", [break_vials, miss_vials])
def test_a_loss_takes_a_reason(site: Site, act: Callable[..., Any]) -> None:
    one_fault(lambda: site.lose(act, units_of(site)[:1], " "), "why", "What happened is missing")
    one_fault(lambda: site.lose(act, units_of(site)[:1], "x" * 501), "why", "longer than 500")
    site.lose(act, units_of(site)[:1], "x" * 500)


@pytest.mark.parametrize("move_name", ["break", "miss", "find", "destroy"])
def test_the_second_person_is_another_person(site: Site, move_name: str) -> None:
    state = {"find": "missing", "destroy": "broken"}.get(move_name, "available")
    unit = brought_to(site, state)
    if move_name == "destroy":
        site.account((unit,))
        form = site.destroy_form((unit,), site.document())
        same: Callable[[], object] = lambda: site.destroy(form, "carla", "carla")  # noqa: E731
        strange: Callable[[], object] = lambda: site.destroy(form, own="paula")  # noqa: E731
    else:
        act = {"break": break_vials, "miss": miss_vials, "find": find_vials}[move_name]
        same = lambda: site.lose(act, (unit,), second="tim")  # noqa: E731
        strange = lambda: site.lose(act, (unit,), own="paula")  # noqa: E731
    one_fault(same, "witness_user_name", "The second person is another one")
    one_fault(strange, "user_name", "Sign with your own account: Tim Lindqvist is signed in here.")
    assert site.pharmacy.vial(unit).state == state


def test_a_wrong_password_of_the_second_person_is_said_beside_it(site: Site) -> None:
    tim, form = site.pharmacy.act("tim"), LossForm(units_of(site)[:1], "it fell")
    wrong = Credentials("carla", "not her password")
    fault = one_fault(
        lambda: break_vials(site.pharmacy.desk, tim, form, site.pharmacy.sign("tim"), wrong),
        "witness_password",
        "do not fit",
    )
    assert fault.rule == ""
    assert site.states() == {"available": 3}


def test_a_reserved_vial_that_breaks_stops_its_dose_which_can_be_cancelled(site: Site) -> None:
    pharmacy = site.pharmacy
    pharmacy.enroll()
    dose_id = pharmacy.dose("worksheet")
    broken, kept = (vial.unit_number for vial in pharmacy.thread(dose_id).vials)
    event = site.lose(break_vials, (broken,))
    assert event.content["line"]["dose_id"] == dose_id
    (fault,) = faults_of(lambda: pharmacy.prepare(dose_id))
    assert fault.rule == "R55"
    assert f"Vial {broken} is broken and cannot be used again." in fault.sentence
    pharmacy.cancel(dose_id, "a vial broke")
    assert (pharmacy.vial(broken).state, pharmacy.vial(broken).dose_id) == ("broken", "")
    assert (pharmacy.vial(kept).state, pharmacy.vial(kept).dose_id) == ("available", "")
    site.assert_balanced(3)


def test_a_reserved_vial_that_is_missing_stops_its_dose_too(site: Site) -> None:
    pharmacy = site.pharmacy
    pharmacy.enroll()
    dose_id = pharmacy.dose("worksheet")
    missing = pharmacy.thread(dose_id).vials[0].unit_number
    site.lose(miss_vials, (missing,))
    (fault,) = faults_of(lambda: pharmacy.prepare(dose_id))
    assert f"Vial {missing} is missing" in fault.sentence
    pharmacy.cancel(dose_id)
    assert pharmacy.vial(missing).dose_id == ""
    site.assert_balanced(3)


@pytest.mark.parametrize("then", ["return", "transfer", "destroy"])
def test_a_vial_that_left_while_its_dose_stood_does_not_stay_with_the_cancelled_dose(site: Site, then: str) -> None:
    pharmacy = site.pharmacy
    pharmacy.enroll()
    dose_id = pharmacy.dose("planned")
    unit = pharmacy.thread(dose_id).vials[0].unit_number
    if then == "destroy":
        site.lose(break_vials, (unit,))
        site.account((unit,))
    else:
        quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((unit,), "9 °C"))
    tried(site, then, (unit,))()
    pharmacy.cancel(dose_id)
    assert (pharmacy.vial(unit).state, pharmacy.vial(unit).dose_id) == (GOES_TO[then], "")
    site.assert_balanced(3)


def test_a_missing_vial_that_is_found_goes_to_quarantine_and_out_by_the_supporters_document_only(site: Site) -> None:
    """RULES R54: nobody knows how it was stored meanwhile."""
    pharmacy = site.pharmacy
    unit = units_of(site)[0]
    site.lose(miss_vials, (unit,), "not in its box at the count")
    site.lose(find_vials, (unit,), "behind the drawer")
    assert site.lines()[2:] == [("LOSS/BREAKAGE", 1, 2, 0), ("FOUND", 1, 2, 1)]
    vial = pharmacy.vial(unit)
    assert (vial.state, vial.hold_reason) == ("quarantined", "found after it was missing: behind the drawer")
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    others = units_of(site, "available")
    assert {fault.rule for fault in faults_of(lambda: pharmacy.reserve(dose_id, (unit, others[0])))} == {"R54"}
    faults_of(lambda: release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1"))
    no_letter = PermissionForm((unit,), "")
    faults_of(lambda: release_with_document(pharmacy.desk, pharmacy.act("paula"), no_letter))
    assert pharmacy.vial(unit).state == "quarantined"
    letter = PermissionForm((unit,), pharmacy.permission())
    release_with_document(pharmacy.desk, pharmacy.act("paula"), letter)
    assert (pharmacy.vial(unit).state, pharmacy.vial(unit).hold_reason) == ("available", "")
    site.assert_balanced(3)


# --- the monitor's accountability ------------------------------------------------------------------------------


def test_the_monitor_accounts_for_containers_and_signs(site: Site) -> None:
    empty, partial = used(site)
    stock = site.states()
    event = site.account((empty, partial), note="seen in the waste cabinet")
    assert [(each.printed_name, each.meaning) for each in event.signatures] == [
        ("Mona Sorensen", "did the accountability")
    ]
    assert event.content == {"unit_numbers": [empty, partial], "note": "seen in the waste cabinet", "visit": ""}
    assert {site.pharmacy.vial(unit).accounted_by for unit in (empty, partial)} == {"Mona Sorensen"}
    assert site.states() == stock, "accountability moves no vial"
    site.assert_balanced(3)


@pytest.mark.parametrize("state", [state for state in STATES if state not in CONTAINERS])
def test_only_empty_partial_and_broken_containers_are_accounted_for(site: Site, state: str) -> None:
    unit = brought_to(site, state)
    fault = one_fault(lambda: site.account((unit,)), "unit_numbers", f"Vial {unit} is {state}.")
    assert (fault.rule, fault.section) == ("R57", "8.2")
    assert "empty, partial, broken or returned by subject" in fault.sentence


def test_a_container_is_accounted_for_once(site: Site) -> None:
    unit = brought_to(site, "broken")
    site.account((unit,))
    one_fault(lambda: site.account((unit,)), "unit_numbers", "was accounted for by Mona Sorensen")


def test_the_monitor_signs_in_their_own_name(site: Site) -> None:
    """Somebody else's password at the monitor's session signs nothing."""
    unit = brought_to(site, "broken")
    form, mona = ContainersForm((unit,)), site.pharmacy.act("mona")
    faults_of(lambda: account_for(site.pharmacy.desk, mona, form, site.pharmacy.sign("paula")))
    assert site.pharmacy.events()[-1].kind == "access_denied"
    assert site.pharmacy.vial(unit).accounted_by == ""


def test_another_monitor_does_not_sign_at_the_first_ones_session(site: Site) -> None:
    desk, robin = site.pharmacy.desk, site.pharmacy.act("robin")
    add_account(desk, robin, NewAccount(AccountForm("mel", "Mel Adair", ("monitor",), site.pharmacy.day()), ONE_TIME))
    once = sign_in(desk, Credentials("mel", ONE_TIME), WORKSTATION)
    change_password(desk, Act(once), Credentials("mel", ONE_TIME), PASSWORD)
    form = ContainersForm((brought_to(site, "broken"),))
    one_fault(
        lambda: account_for(desk, site.pharmacy.act("mona"), form, site.pharmacy.sign("mel")),
        "user_name",
        "Sign with your own account: Mona Sorensen is signed in here.",
    )


# --- return and transfer ---------------------------------------------------------------------------------------


def test_unused_vials_go_back_to_the_supporter(site: Site) -> None:
    permission = site.document()
    two = units_of(site)[:2]
    event = site.send_back(site.return_form(two, permission, note="end of the cohort"))
    assert event.kind == "vials_returned"
    assert [(each.printed_name, each.meaning) for each in event.signatures] == [("Paula Reyes", "packed and sent")]
    assert site.lines()[-1] == ("RETURN-SPONSOR", 2, 1, 0)
    with site.pharmacy.desk.store.read() as reader:
        line = list(reader.whole_ledger(LedgerFilter(strength_mg=Decimal(1), record_only=True)))[-1]
    assert (line.counterparty, line.reference, line.comment, line.recorder) == (
        "Pfizer depot, Memphis",
        permission,
        "unused; end of the cohort",
        "Paula Reyes",
    )
    assert event.content["carrier"] == {
        "courier": "World Courier",
        "tracking_number": "WC-4711",
        "packages": 1,
        "seal": "SEAL-9",
        "logger_serial": "TL-88",
    }
    site.assert_balanced(3)


def test_unused_vials_go_to_another_site(site: Site) -> None:
    permission = site.document()
    site.transfer(site.transfer_form(units_of(site)[:1], permission))
    assert site.lines()[-1] == ("TRANSFER-OUT", 1, 2, 0)
    assert site.states() == {"available": 2, "transferred": 1}
    site.assert_balanced(3)


def test_expired_unopened_vials_are_returned_and_never_destroyed(pharmacy: Pharmacy) -> None:
    """RULES A21: expired unopened stock, too."""
    units = tuple(pharmacy.stock_up(lots=(LotTyped("1", "A1", "2026-03-10", "2"),)))
    site = Site(pharmacy)
    pharmacy.clock.forward(days=30)
    permission = site.document()
    refused = faults_of(lambda: site.destroy(site.destroy_form(units, permission)))
    assert [fault.field for fault in refused] == ["unit_number", "unit_number"]
    assert all("Unopened vials, expired ones too, are never destroyed on site" in each.sentence for each in refused)
    site.send_back(site.return_form(units, permission, reason="expired"))
    assert site.states() == {"returned": 2}
    site.assert_balanced(2)


@pytest.mark.parametrize("leaving", ["return", "transfer"])
@pytest.mark.parametrize(
    ("changes", "field", "words", "rule"),
    [
        ({"permission": ""}, "permission", "Attach the supporter's written permission first", "R56"),
        ({"permission": "F0000991"}, "permission", "No document F0000991 is attached.", "R56"),
        ({"in_original_containers": ""}, "in_original_containers", "in their original containers only", "R56"),
        ({"in_original_containers": "no"}, "in_original_containers", "in their original containers only", "R56"),
        ({"unit_numbers": ()}, "unit_numbers", "No vial is chosen", ""),
        ({"unit_numbers": (NO_VIAL,)}, "unit_numbers", f"There is no vial {NO_VIAL}", ""),
        ({"carrier": replace(CARRIER, courier="")}, "carrier.courier", "The courier is missing", ""),
        ({"carrier": replace(CARRIER, tracking_number=" ")}, "carrier.tracking_number", "is missing", ""),
        ({"carrier": replace(CARRIER, seal="")}, "carrier.seal", "The seal's number is missing", ""),
        ({"carrier": replace(CARRIER, logger_serial="")}, "carrier.logger_serial", "is missing", ""),
        ({"carrier": replace(CARRIER, packages="")}, "carrier.packages", "whole number from 1 to 99", ""),
        ({"carrier": replace(CARRIER, packages="0")}, "carrier.packages", "is 0, but must be from 1", ""),
        ({"carrier": replace(CARRIER, packages="100")}, "carrier.packages", "is 100, but must be from 1 to 99", ""),
        ({"reason": ""}, "reason", "reason", ""),
        ({"note": "x" * 501}, "note", "longer than 500", ""),
    ],
)
def test_a_form_of_vials_that_leave_names_its_fault(
    site: Site, leaving: str, changes: dict[str, Any], field: str, words: str, rule: str
) -> None:
    units, permission = units_of(site)[:1], site.document()
    before = site.pharmacy.count()
    if leaving == "return":
        form = replace(site.return_form(units, permission), **changes)
        fault = one_fault(lambda: site.send_back(form), field, words)
    else:
        to_site = replace(site.transfer_form(units, permission), **changes)
        fault = one_fault(lambda: site.transfer(to_site), field, words)
    assert (fault.rule, fault.section) == (rule, "8.2" if rule else "")
    assert site.pharmacy.count() == before
    assert site.states() == {"available": 3}


@pytest.mark.parametrize("packages", ["1", "99"])
def test_one_package_and_ninety_nine_are_both_right(site: Site, packages: str) -> None:
    carrier = replace(CARRIER, packages=packages)
    site.send_back(site.return_form(units_of(site)[:1], site.document(), carrier=carrier))


def test_where_vials_go_is_asked_for(site: Site) -> None:
    units, permission = units_of(site)[:1], site.document()
    one_fault(lambda: site.send_back(site.return_form(units, permission, depot="")), "depot", "is missing")
    one_fault(lambda: site.transfer(site.transfer_form(units, permission, to_site="")), "to_site", "is missing")
    one_fault(lambda: site.send_back(site.return_form(units, permission, reason="broken")), "reason", "choose expired")


@pytest.mark.parametrize("kind", ["written decision", "letter", "other"])
@pytest.mark.parametrize(("move_name", "rule"), [("return", "R56"), ("transfer", "R56"), ("destroy", "R57")])
def test_a_document_of_another_kind_permits_nothing(site: Site, move_name: str, rule: str, kind: str) -> None:
    unit = brought_to(site, "broken" if move_name == "destroy" else "available")
    if move_name == "destroy":
        site.account((unit,))
    number = site.document(kind)
    act: dict[str, Callable[[], object]] = {
        "return": lambda: site.send_back(site.return_form((unit,), number)),
        "transfer": lambda: site.transfer(site.transfer_form((unit,), number)),
        "destroy": lambda: site.destroy(site.destroy_form((unit,), number)),
    }
    fault = one_fault(act[move_name], "permission", f"is a {kind}, not the supporter's permission")
    assert (fault.rule, fault.section) == (rule, "8.2")


@pytest.mark.parametrize("move_name", ["return", "transfer"])
def test_who_sends_vials_signs_in_their_own_name(site: Site, move_name: str) -> None:
    """Two pharmacists: one is signed in, the other's password signs nothing for them."""
    units, permission = units_of(site)[:1], site.document()
    if move_name == "return":
        act: Callable[[], object] = lambda: site.send_back(site.return_form(units, permission), own="quentin")  # noqa: E731
    else:
        act = lambda: site.transfer(site.transfer_form(units, permission), own="quentin")  # noqa: E731
    one_fault(act, "user_name", "Sign with your own account: Paula Reyes is signed in here.")


# --- destruction -----------------------------------------------------------------------------------------------


def test_containers_are_destroyed_under_permission_after_the_monitors_accountability(site: Site) -> None:
    empty, partial = used(site)
    permission = site.document()
    site.account((empty, partial))
    event = site.destroy(site.destroy_form((empty, partial), permission, certificate="C-1 of 2-Mar-2026", note="hot"))
    assert [(each.printed_name, each.meaning) for each in event.signatures] == [
        ("Tim Lindqvist", "destroyed"),
        ("Carla Okafor", "witnessed the destruction"),
    ]
    assert site.states() == {"available": 1, "destroyed": 2}
    # Opening took the two vials out of the balance; destroying their containers changes it no more.
    assert site.lines()[2:] == [("DISPENSE", 2, 1, 0), ("DESTROY", 1, 1, 0), ("DESTROY", 1, 1, 0)]
    with site.pharmacy.desk.store.read() as reader:
        line = list(reader.whole_ledger(LedgerFilter(strength_mg=Decimal(1), record_only=True)))[-1]
    assert (line.counterparty, line.reference, line.comment, line.verifier) == (
        "yellow bin 12, manifest M-3",
        permission,
        "high-temperature incineration; C-1 of 2-Mar-2026; hot",
        "Carla Okafor",
    )
    site.assert_balanced(3)


@pytest.mark.parametrize(
    ("permitted", "accounted", "said"),
    [
        (True, True, []),
        (False, True, ["permission"]),
        (True, False, ["unit_numbers"]),
        (False, False, ["permission", "unit_numbers"]),
    ],
)
@pytest.mark.parametrize("state", CONTAINERS)
def test_permission_and_accountability_are_both_needed(
    site: Site, state: str, permitted: bool, accounted: bool, said: list[str]
) -> None:
    """§ 8.2 says it twice; the stricter sentence holds (RULES A21). Each is missing alone, then both."""
    unit = brought_to(site, state)
    permission = site.document() if permitted else ""
    if accounted:
        site.account((unit,))
    form = site.destroy_form((unit,), permission)
    if not said:
        site.destroy(form)
        assert site.pharmacy.vial(unit).state == "destroyed"
        return
    faults = faults_of(lambda: site.destroy(form))
    assert [fault.field for fault in faults] == said
    assert {(fault.rule, fault.section) for fault in faults} == {("R57", "8.2")}
    assert site.pharmacy.vial(unit).state == state
    site.assert_balanced(3)


def test_one_container_that_is_not_accounted_for_keeps_them_all(site: Site) -> None:
    empty, partial = used(site)
    site.account((empty,))
    permission = site.document()
    fault = one_fault(
        lambda: site.destroy(site.destroy_form((empty, partial), permission)),
        "unit_numbers",
        f"has not accounted for vial {partial} yet",
    )
    assert fault.rule == "R57"
    assert site.states() == {"available": 1, "empty": 1, "partial": 1}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"method": ""}, "method", "The method is missing"),
        ({"container": " "}, "container", "is missing"),
        ({"certificate": "x" * 121}, "certificate", "longer than 120"),
        ({"note": "x" * 501}, "note", "longer than 500"),
        ({"unit_numbers": ()}, "unit_numbers", "No vial is chosen"),
        ({"unit_numbers": (NO_VIAL,)}, "unit_numbers", f"There is no vial {NO_VIAL}"),
    ],
)
def test_a_destruction_form_names_its_fault(site: Site, changes: dict[str, Any], field: str, words: str) -> None:
    unit = brought_to(site, "broken")
    site.account((unit,))
    form = replace(site.destroy_form((unit,), site.document()), **changes)
    one_fault(lambda: site.destroy(form), field, words)
    assert site.pharmacy.vial(unit).state == "broken"


# --- all of them ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("move_name", ["break", "miss", "return", "transfer"])
def test_all_vials_of_an_act_move_or_none(site: Site, move_name: str) -> None:
    missing = brought_to(site, "missing")
    others = units_of(site, "available")
    assert len(others) == 2
    (fault,) = faults_of(tried(site, move_name, (*others, missing)))
    assert f"Vial {missing} is missing" in fault.sentence
    assert site.states() == {"available": 2, "missing": 1}
    site.assert_balanced(3)


def test_a_vial_that_is_named_twice_moves_once(site: Site) -> None:
    unit = units_of(site)[0]
    event = site.lose(break_vials, (unit, unit))
    assert [moved["unit_number"] for moved in event.content["moves"]] == [unit]
    site.assert_balanced(3)


def test_several_faults_are_named_at_once(site: Site) -> None:
    form = ReturnForm((), "", "", "", "", CarrierTyped("", "", "", "", ""))
    assert {fault.field for fault in faults_of(lambda: site.send_back(form))} == {
        "unit_numbers",
        "permission",
        "depot",
        "reason",
        "in_original_containers",
        "carrier.courier",
        "carrier.tracking_number",
        "carrier.packages",
        "carrier.seal",
        "carrier.logger_serial",
    }


@pytest.mark.parametrize("move_name", ["break", "miss", "find", "account", "return", "transfer", "destroy"])
def test_a_double_click_is_one_act(site: Site, move_name: str) -> None:
    state = {"find": "missing", "account": "broken", "destroy": "broken"}.get(move_name, "available")
    unit = brought_to(site, state)
    if move_name == "destroy":
        site.account((unit,))
    pharmacy, units, permission = site.pharmacy, (unit,), site.document()
    desk, sign = pharmacy.desk, pharmacy.sign
    tim, mona, paula = pharmacy.act("tim"), pharmacy.act("mona"), pharmacy.act("paula")
    acts: dict[str, Callable[[], Any]] = {
        "break": lambda: break_vials(desk, tim, LossForm(units, "fell"), sign("tim"), sign("carla")),
        "miss": lambda: miss_vials(desk, tim, LossForm(units, "gone"), sign("tim"), sign("carla")),
        "find": lambda: find_vials(desk, tim, LossForm(units, "there"), sign("tim"), sign("carla")),
        "account": lambda: account_for(desk, mona, ContainersForm(units), sign("mona")),
        "return": lambda: return_vials(desk, paula, site.return_form(units, permission), sign("paula")),
        "transfer": lambda: transfer_vials(desk, paula, site.transfer_form(units, permission), sign("paula")),
        "destroy": lambda: destroy_vials(desk, tim, site.destroy_form(units, permission), sign("tim"), sign("carla")),
    }
    first = acts[move_name]()
    count = pharmacy.count()
    assert acts[move_name]() == first
    assert pharmacy.count() == count
    site.assert_balanced(3)


def test_the_same_act_with_other_content_is_refused(site: Site) -> None:
    first, second, _ = units_of(site)
    tim, sign = site.pharmacy.act("tim"), site.pharmacy.sign
    break_vials(site.pharmacy.desk, tim, LossForm((first,), "fell"), sign("tim"), sign("carla"))
    other = LossForm((second,), "fell")
    with pytest.raises(Refused, match="recorded already, with other content"):
        break_vials(site.pharmacy.desk, tim, other, sign("tim"), sign("carla"))
    assert site.pharmacy.vial(second).state == "available"


def test_a_clock_that_was_set_back_moves_no_vial(site: Site) -> None:
    """A vial cannot break before it arrived."""
    unit = units_of(site)[0]
    site.pharmacy.clock.forward(minutes=-30)
    moved, lot = faults_of(lambda: site.lose(break_vials, (unit,)))
    assert moved.field == lot.field == "done_at"
    # Received and released at 08:00 on 2 March: at 07:30 the lot was not there.
    assert f"Vial {unit} was moved after that: “receive” on 02-Mar-2026 08:00, line" in moved.sentence
    assert "check the PC's clock" in moved.sentence
    assert lot.sentence == "On 02-Mar-2026 lot A1 would have held −1 available vials of 1 mg in Refrigerator 1."


@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        ("vials_broken", "pharmacist technician checker"),
        ("vials_missing", "pharmacist technician checker"),
        ("vials_found", "pharmacist technician checker"),
        ("vials_accounted", "monitor"),
        ("vials_returned", "pharmacist"),
        ("vials_transferred", "pharmacist"),
        ("vials_destroyed", "pharmacist technician checker"),
    ],
)
@pytest.mark.parametrize(
    ("who", "role"),
    [
        ("paula", "pharmacist"),
        ("tim", "technician"),
        ("carla", "checker"),
        ("mona", "monitor"),
        ("robin", "administrator"),
    ],
)
def test_each_role_does_what_it_may(site: Site, kind: str, roles: str, who: str, role: str) -> None:
    assert AUTHORITY[kind] == set(roles.split())
    state = {"vials_found": "missing", "vials_accounted": "broken", "vials_destroyed": "broken"}.get(kind, "available")
    unit = brought_to(site, state)
    if kind == "vials_destroyed":
        site.account((unit,))
    units, permission = (unit,), site.document()
    second = "quentin"
    acts: dict[str, Callable[[], object]] = {
        "vials_broken": lambda: site.lose(break_vials, units, who=who, second=second),
        "vials_missing": lambda: site.lose(miss_vials, units, who=who, second=second),
        "vials_found": lambda: site.lose(find_vials, units, who=who, second=second),
        "vials_accounted": lambda: site.account(units, who),
        "vials_returned": lambda: site.send_back(site.return_form(units, permission), who),
        "vials_transferred": lambda: site.transfer(site.transfer_form(units, permission), who),
        "vials_destroyed": lambda: site.destroy(site.destroy_form(units, permission), who, second),
    }
    if role in roles.split():
        acts[kind]()
        assert site.pharmacy.events()[-1].kind == kind
        return
    with pytest.raises(Refused, match=f"is signed in as {role}"):
        acts[kind]()
    denied = site.pharmacy.events()[-1]
    assert (denied.kind, denied.content["act"]) == ("access_denied", kind)
    assert site.pharmacy.vial(unit).state == state


@pytest.mark.parametrize("witness", ["mona", "robin"])
def test_neither_monitor_nor_administrator_is_the_witness(site: Site, witness: str) -> None:
    unit = brought_to(site, "broken")
    site.account((unit,))
    form = site.destroy_form((unit,), site.document())
    faults = faults_of(lambda: site.destroy(form, witness=witness))
    assert [fault.field for fault in faults] == ["witness_password"]
    assert site.pharmacy.vial(unit).state == "broken"


# --- what is missing, before anybody signs --------------------------------------------------------------------


def test_the_checklist_says_what_is_there_and_what_is_missing(site: Site) -> None:
    empty, partial = used(site)

    def lines(*units: str) -> dict[str, tuple[bool, str]]:
        with site.pharmacy.desk.store.read() as reader:
            return {line.name: (line.there, line.missing) for line in checklist(reader, "destroy", units)}

    assert lines(empty, partial) == {
        "permission": (False, "no document that permits destruction is attached yet"),
        "accountability": (False, f"not done for {empty}, {partial}"),
        "second person": (False, "asked for with the act"),
    }
    site.document("letter", b"no permission")
    site.account((empty,))
    assert lines(empty, partial)["permission"] == (False, "no document that permits destruction is attached yet")
    assert lines(empty, partial)["accountability"] == (False, f"not done for {partial}")
    assert lines(empty)["accountability"] == (True, "")
    assert lines()["accountability"] == (False, "not done for any vial")
    number = site.document()
    assert lines(empty)["permission"] == (True, "")
    with site.pharmacy.desk.store.read() as reader:
        assert [document.document_id for document in permissions(reader)] == [number]


@pytest.mark.parametrize("move_name", ["break", "miss", "find", "return", "transfer", "destroy"])
def test_the_checklist_has_every_proof_of_the_move_in_words_with_its_section(site: Site, move_name: str) -> None:
    with site.pharmacy.desk.store.read() as reader:
        lines = checklist(reader, move_name, units_of(site)[:1])
    assert tuple(line.name for line in lines) == move_table().moves[move_name].needs
    assert all(line.says and line.section == "8.2" for line in lines)
    assert all(line.there is (line.missing == "") for line in lines)


def test_each_of_these_acts_stands_on_the_accountability_record(site: Site) -> None:
    """§ 8.2: return and destruction must be documented on the accountability record, whose balance goes on."""
    first, second, third = units_of(site)
    permission = site.document()
    site.lose(break_vials, (first,))
    site.lose(miss_vials, (second,))
    site.lose(find_vials, (second,))
    site.account((first,))
    site.destroy(site.destroy_form((first,), permission))
    site.send_back(site.return_form((second,), site.document()))
    site.transfer(site.transfer_form((third,), permission))
    assert site.lines() == [
        ("RECEIVE", 3, 0, 3),
        ("RELEASE", 3, 3, 0),
        ("LOSS/BREAKAGE", 1, 2, 0),
        ("LOSS/BREAKAGE", 1, 1, 0),
        ("FOUND", 1, 1, 1),
        ("DESTROY", 1, 1, 1),
        ("RETURN-SPONSOR", 1, 1, 0),
        ("TRANSFER-OUT", 1, 0, 0),
    ]
    site.assert_balanced(3)
    # The printed record refuses a balance that does not follow from the line before.
    desk = replace(site.pharmacy.desk, papers=PdfPapers())
    printed = print_accountability_record(desk, site.pharmacy.act("mona"), RecordForm("1"))
    words = " ".join(proof.page_texts(printed.pdf))
    assert "Received 3 = Destroyed 1 + Returned 1 + Transferred 1" in words


def test_a_container_that_is_destroyed_leaves_no_balance_a_second_time(site: Site) -> None:
    """It left when it was opened; on the printed record its destruction is a line of 0 in and 0 out."""
    empty, partial = used(site)
    site.account((empty, partial))
    site.destroy(site.destroy_form((empty, partial), site.document()))
    desk = replace(site.pharmacy.desk, papers=PdfPapers())
    printed = print_accountability_record(desk, site.pharmacy.act("mona"), RecordForm("1"))
    words = " ".join(proof.page_texts(printed.pdf))
    assert "Received 3 = Available 1 + Destroyed 2" in words


def test_a_mixed_dose_that_is_cancelled_keeps_its_opened_vials_until_they_are_closed(site: Site) -> None:
    pharmacy = site.pharmacy
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    pharmacy.cancel(dose_id, "the bag leaks")
    assert [vial.state for vial in pharmacy.thread(dose_id).vials] == ["opened", "opened"]
    pharmacy.close(dose_id)
    assert set(units_of(site, "opened")) == set()
    site.assert_balanced(3)
