"""Rows of the register that no other test tells: product, storage, accountability, papers and silent readings.

Every case is real behaviour: an act that is refused, words that stand on a printed paper, a move that exists or not.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from labels import proof
from labels.papers import PdfPapers
from pharmacy_app.domain.dosing import decide
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.findings import Severity
from pharmacy_app.domain.rules import CHECKS, explained
from pharmacy_app.domain.rules.reminders import around_infusion
from pharmacy_app.domain.treatment import Removal, RemovalReason
from pharmacy_app.domain.vials import move_table
from pharmacy_app.services.accounts import AccountChange, change_account
from pharmacy_app.services.labelling import print_bag_labels, print_vial_labels
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.printing import PrintForm, print_worksheet
from pharmacy_app.services.stock import (
    PermissionForm,
    QuarantineForm,
    quarantine,
    receive,
    release_shipment,
    release_with_document,
)
from tests.domain.dose_cases import DAY1, PROTOCOL, SCREENED, first_dose, met, said, second_dose
from tests.services.pharmacy import SOURCE, Pharmacy


def faults_of(act: Callable[[], object]) -> tuple[Fault, ...]:
    """The faults with which an act is refused."""
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.faults


@pytest.fixture
def inked(pharmacy: Pharmacy) -> Pharmacy:
    """A pharmacy that prints real papers."""
    pharmacy.desk = replace(pharmacy.desk, papers=PdfPapers())
    return pharmacy


# --- around the infusion (R9 to R11) ---------------------------------------------------------------------------


def test_the_ward_is_reminded_of_length_premedication_and_vital_signs() -> None:
    """§ 8.1.3: about 1 h; 0.5 to 2 h before; five times at the first infusion, before and at the end later."""
    first = {finding.rule: finding for finding in around_infusion(PROTOCOL, first_infusion=True)}
    later = {finding.rule: finding for finding in around_infusion(PROTOCOL, first_infusion=False)}
    assert list(first) == ["R9", "R10", "R11"]
    assert {finding.severity for finding in first.values()} == {Severity.INFO}
    assert "about 1 h" in first["R9"].sentence
    assert "30 to 120 minutes before" in first["R10"].sentence
    for words in ("before", "about 30 minutes into", "just before its end", "about 1 h and about 2 h after"):
        assert words in first["R11"].sentence
    assert "about 2 h" not in later["R11"].sentence
    assert "15 minutes" in later["R11"].sentence


# --- product and storage (R50 to R54) --------------------------------------------------------------------------


@pytest.mark.parametrize("strength", ["0.9", "2", "10"])
def test_a_vial_of_another_strength_is_not_the_studys(pharmacy: Pharmacy, strength: str) -> None:
    """§ 8.1.1: vials of 1 mg and 4 mg. A commercial vial reads 0.9 mg in the US."""
    form = pharmacy.shipment(lots=(LotTyped(strength, "A1", "2027-03-31", "1"),))
    (fault,) = faults_of(lambda: receive(pharmacy.desk, pharmacy.act("tim"), form))
    assert (fault.rule, fault.section) == ("R50", "8.1.1")
    assert "1 mg and 4 mg only" in fault.sentence


def test_both_strengths_of_the_study_are_received(pharmacy: Pharmacy) -> None:
    lots = (LotTyped("1", "A1", "2027-03-31", "1"), LotTyped("4", "B1", "2027-03-31", "1"))
    units = pharmacy.receive(lots=lots)
    assert {pharmacy.vial(unit).strength_mg for unit in units} == {Decimal(1), Decimal(4)}


def test_the_vial_label_says_where_to_keep_it(inked: Pharmacy) -> None:
    """§ 8.2: 2 °C to 8 °C."""
    units = inked.receive()
    printed = print_vial_labels(inked.desk, inked.act("tim"), PrintForm(tuple(units[:1])))
    (words,) = proof.page_texts(printed.pdf)
    assert "Store at 2 °C to 8 °C" in words


@pytest.mark.parametrize("state", ["alarm", "not read"])
def test_a_shipment_that_may_have_been_too_warm_is_not_released(pharmacy: Pharmacy, state: str) -> None:
    """§ 8.2: not used until the supporter permits it."""
    pharmacy.receive(logger_state=state)
    (fault,) = faults_of(lambda: release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1"))
    assert fault.rule == "R54"
    assert {vial.state for vial in pharmacy.vials()} == {"held"}


def test_every_label_and_the_worksheet_say_protect_from_light(inked: Pharmacy) -> None:
    """§ 8.2: during preparation and administration; on the bag, and on the cover that hides the bag."""
    units = inked.stock_up()
    inked.enroll()
    vials = print_vial_labels(inked.desk, inked.act("tim"), PrintForm(tuple(units[:3]), "torn off"))
    pages = proof.page_texts(vials.pdf)
    assert len(pages) == 3
    dose_id = inked.dose("verified")
    worksheet = " ".join(proof.page_texts(print_worksheet(inked.desk, inked.act("paula"), dose_id).pdf))
    inked.prepare(dose_id)
    bag = proof.page_texts(print_bag_labels(inked.desk, inked.act("tim"), dose_id).pdf)
    assert len(bag) == 2
    for words in (*pages, *bag, worksheet):
        assert "PROTECT FROM LIGHT" in words
    assert PROTOCOL.text("light_protection").text in worksheet


def test_a_bag_without_its_labels_is_not_handed_over(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    (fault,) = faults_of(lambda: pharmacy.release(dose_id))
    assert (fault.rule, fault.section) == ("R53", "8.2")
    pharmacy.label_bag(dose_id)
    pharmacy.release(dose_id)


def test_a_quarantined_vial_is_used_only_with_the_supporters_document(pharmacy: Pharmacy) -> None:
    """§ 8.2: not used until Pfizer provides documentation of permission."""
    units = pharmacy.stock_up()
    pharmacy.enroll()
    two = tuple(units[:2])
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm(two, "the refrigerator read 9 °C overnight"))
    dose_id = pharmacy.dose("decided")
    assert not set(pharmacy.best(dose_id)) & set(two)
    refused = faults_of(lambda: pharmacy.reserve(dose_id, two))
    assert {fault.rule for fault in refused} == {"R54"}
    no_reference = PermissionForm(two, "")
    assert [
        fault.field
        for fault in faults_of(lambda: release_with_document(pharmacy.desk, pharmacy.act("paula"), no_reference))
    ] == ["permission"]
    release_with_document(pharmacy.desk, pharmacy.act("paula"), PermissionForm(two, pharmacy.permission()))
    pharmacy.reserve(dose_id, two)
    assert {pharmacy.vial(unit).state for unit in two} == {"reserved"}


# --- accountability (R55 to R58) -------------------------------------------------------------------------------


def test_a_move_that_is_refused_leaves_no_trace_and_a_move_that_is_made_stays(pharmacy: Pharmacy) -> None:
    """§ 8.2: complete and current. What the file itself refuses is told in tests/db/test_tamper.py."""
    units = pharmacy.stock_up()
    before = pharmacy.count()
    refused = faults_of(lambda: release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1"))
    assert "No vial of shipment S-1 waits" in refused[0].sentence
    assert pharmacy.count() == before
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((units[0],), "dropped"))
    assert pharmacy.count() == before + 1
    assert [line.kind for line in pharmacy.events()][-1] == "vials_quarantined"


def test_each_way_out_of_the_site_stands_on_the_record() -> None:
    """§ 8.2: returned, transferred, destroyed or lost; each under its own word, each with its proofs."""
    on_site = {state.name: state.on_site for state in move_table().states.values()}
    leaving = {
        rule.transaction: rule.needs
        for rule in move_table().moves.values()
        if rule.to_state and (not on_site[rule.to_state] or rule.to_state == "broken")
    }
    assert leaving.keys() == {"RETURN-SPONSOR", "TRANSFER-OUT", "DESTROY", "LOSS/BREAKAGE"}
    assert all(leaving.values()), "a vial leaves without any proof"
    assert all("permission" in leaving[word] for word in ("RETURN-SPONSOR", "TRANSFER-OUT", "DESTROY"))
    assert "accountability" in leaving["DESTROY"]


def test_an_expired_vial_stays_in_stock_and_is_not_used(pharmacy: Pharmacy) -> None:
    """RULES A21: unopened stock, expired too, is returned or transferred."""
    units = pharmacy.stock_up(lots=(LotTyped("1", "A1", "2026-03-10", "2"),))
    pharmacy.clock.forward(days=30)
    pharmacy.enroll()
    order = pharmacy.dose("decided")
    with pytest.raises(Refused) as refused:
        pharmacy.reserve(order, tuple(units))
    assert {fault.rule for fault in refused.value.faults} == {"A40"}
    assert {pharmacy.vial(unit).state for unit in units} == {"available"}


def test_a_vial_is_used_on_its_last_printed_day_and_not_on_the_next(pharmacy: Pharmacy) -> None:
    """RULES A40: through the printed day; 2026-03 runs through 31 March."""
    units = pharmacy.stock_up(lots=(LotTyped("1", "A1", "2026-03", "4"),))
    assert {pharmacy.vial(unit).expires_on for unit in units} == {date(2026, 3, 31)}


def test_who_is_not_delegated_any_more_does_not_mix(pharmacy: Pharmacy) -> None:
    """§ 8.1.2: qualified people only; the last day of the delegation counts, the next day does not."""
    pharmacy.stock_up()
    pharmacy.enroll()
    tim = pharmacy.act("tim").session.account_id
    last = pharmacy.day()
    change = AccountChange(tim, ("technician",), "2026-03-01", last, active=True, why="leaves the hospital")
    change_account(pharmacy.desk, pharmacy.act("robin"), change)
    dose_id = pharmacy.dose("worksheet")
    pharmacy.prepare(dose_id)
    assert pharmacy.thread(dose_id).preparation is not None
    pharmacy.clock.forward(days=1)
    form = pharmacy.shipment("S-2")
    (fault,) = faults_of(lambda: receive(pharmacy.desk, pharmacy.act("tim"), form))
    assert "is not delegated" in fault.sentence
    assert fault.section == "8.1.2"


def test_each_record_names_its_person(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    by = {line.kind: line.actor_name for line in pharmacy.events()}
    assert by["dose_verified"] == "Carla Okafor"
    assert by["dose_prepared"] == "Tim Lindqvist"
    assert pharmacy.thread(dose_id).verified_by == "Carla Okafor"


# --- preparation by the manual (R51, A20, A31) -----------------------------------------------------------------


def test_the_worksheet_prints_the_source_of_what_the_protocol_leaves_to_the_manual(inked: Pharmacy) -> None:
    inked.stock_up()
    inked.enroll()
    dose_id = inked.dose("verified")
    words = " ".join(proof.page_texts(print_worksheet(inked.desk, inked.act("paula"), dose_id).pdf))
    assert SOURCE in words
    assert PROTOCOL.text("preparation").text in words


# --- removal and counts (A27, A30) -----------------------------------------------------------------------------


def test_a_reason_that_the_list_does_not_have_ends_treatment_too() -> None:
    """RULES A27: the list of § 10 is not closed, and 10.6 and 10.7 are not in it."""
    treatment = replace(
        SCREENED, removals=(Removal(1, DAY1, RemovalReason.OTHER, "Dr. A. Reyes", "moved to another country"),)
    )
    assert said(decide(second_dose(treatment=treatment)).findings, "R33") == ["OVERRIDABLE"]
    reasons = " ".join(reason.value for reason in RemovalReason)
    assert "10.6" not in reasons
    assert "10.7" not in reasons


@pytest.mark.parametrize(("day", "on"), [(8, date(2026, 3, 9)), (15, date(2026, 3, 16))])
def test_low_counts_delay_neither_day_8_nor_day_15(day: int, on: date) -> None:
    """RULES A30: § 8.1.5 names day 8 only."""
    low = met(1, day, on)
    assert low.anc is not None
    assert low.platelets is not None
    low = replace(low, anc=replace(low.anc, value=Decimal("0.1")), platelets=replace(low.platelets, value=Decimal(5)))
    request = second_dose(today=on, day=day, planned_on=on, criteria=(met(1, 1, DAY1), low))
    findings = decide(request).findings
    assert said(findings, "R42") == ["INFO"]
    assert not said(findings, "R40")
    assert not said(findings, "R41")


# --- shown, judged by nobody (R60, A29, A38, A41, A43) ---------------------------------------------------------


def shown(rule_id: str) -> str:
    told = explained(rule_id, PROTOCOL)
    return " ".join((told.rule, told.boundary, told.reading, *(text.text for text in told.sentences)))


@pytest.mark.parametrize(
    ("rule_id", "words"),
    [
        ("R60", ("4, 6, 8, 11 and 12", "8, 16, 24, 32 and 40", "stop the trial due to safety concern")),
        ("A24", ("to whom and by when is not said", "will be reported as a dosing medication error")),
        ("A29", ("from consent to day 30", "twenty-eight (28) calendar days")),
        ("A38", ("at the dose level recommended in section 8.1.6", "Level 0")),
        ("A41", ("CSF prophylaxis", "A maximum of 6 cycles", "a maximum of 4 cycles")),
        ("A43", ("within ≤4 months before first dose", "The last day of the span is still excluded")),
    ],
)
def test_what_the_pharmacy_does_not_judge_is_shown_with_its_sentence(rule_id: str, words: Sequence[str]) -> None:
    assert rule_id not in CHECKS
    assert explained(rule_id, PROTOCOL).strength == "INFO"
    for each in words:
        assert each in shown(rule_id)


def test_the_first_dose_hears_nothing_of_rules_outside_the_pharmacy() -> None:
    spoken = {finding.rule for finding in decide(first_dose()).findings}
    assert not spoken & {"R59", "R60", "A24", "A29", "A41", "A43"}
