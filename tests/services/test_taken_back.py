"""What comes back from a subject or ward: never used again, closed, accounted for and destroyed like all containers."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from labels.papers import PdfPapers
from labels.proof import page_texts
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.disposition import (
    AccountForm,
    DestroyForm,
    TakeBackForm,
    account_for,
    destroy_vials,
    take_back,
)
from pharmacy_app.services.disposition_forms import form_number, print_form
from pharmacy_app.services.documents import PURPOSES, DocumentForm, attach_document
from pharmacy_app.services.ports import LedgerFilter
from pharmacy_app.services.questions import today
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.services.pharmacy import Pharmacy


def faults_of(act: Callable[[], object]) -> tuple[Fault, ...]:
    """The faults with which an act is refused."""
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.faults


def one_fault(act: Callable[[], object], field: str, words: str) -> None:
    """The one fault with which an act is refused, beside its field and in these words."""
    (fault,) = faults_of(act)
    assert fault.field == field, fault
    assert words in fault.sentence, fault


@pytest.fixture
def stocked(pharmacy: Pharmacy) -> Pharmacy:
    pharmacy.stock_up()
    pharmacy.enroll()
    return pharmacy


def units_of(pharmacy: Pharmacy, dose_id: str) -> tuple[str, ...]:
    return tuple(vial.unit_number for vial in pharmacy.thread(dose_id).vials)


def bring_back(pharmacy: Pharmacy, dose_id: str, units: tuple[str, ...], who: str = "tim", **changes: str) -> Any:
    values = {"reason": "infusion refused at the bedside", "brought_by": "Nurse J. Abara", **changes}
    return take_back(pharmacy.desk, pharmacy.act(who), TakeBackForm(units, dose_id, **values))


def account(pharmacy: Pharmacy, *units: str) -> Any:
    return account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm(units), pharmacy.sign("mona"))


def record(pharmacy: Pharmacy) -> list[tuple[str, int, int]]:
    """Transaction, vials and the balance available of each line of the 1 mg record."""
    with pharmacy.desk.store.read() as reader:
        lines = list(reader.whole_ledger(LedgerFilter(strength_mg=Decimal(1), record_only=True)))
    return [(line.transaction, line.quantity, line.balance_available) for line in lines]


def test_containers_of_a_given_dose_come_back_and_count_to_no_balance(stocked: Pharmacy) -> None:
    dose_id = stocked.dose("closed")
    units = units_of(stocked, dose_id)
    event = bring_back(stocked, dose_id, units, note="bag torn")
    assert {stocked.vial(unit).state for unit in units} == {"returned by subject"}
    assert record(stocked)[-2:] == [("DISPENSE", 2, 8), ("RETURN-SUBJECT", 2, 8)]
    with stocked.desk.store.read() as reader:
        life = reader.vial_life(units[0])
        assert units[0] not in {vial.unit_number for vial in reader.usable_vials(stocked.clock().date())}
    assert life is not None
    line = life.lines[-1]
    assert (line.dose_id, line.counterparty, line.initials, line.cycle_day) == (dose_id, "001", "RTK", "C1 D1")
    assert line.comment == "infusion refused at the bedside; brought by Nurse J. Abara; bag torn"
    assert event.why == "infusion refused at the bedside"
    assert life.vial.dose_id == dose_id
    stocked.assert_sound()


def test_what_came_back_is_never_used_again(stocked: Pharmacy) -> None:
    dose_id = stocked.dose("closed")
    units = units_of(stocked, dose_id)
    bring_back(stocked, dose_id, units)
    stocked.criteria("001", "1", "8")
    (fault,) = faults_of(
        lambda: quarantine(stocked.desk, stocked.act("tim"), QuarantineForm(units[:1], "to be looked at"))
    )
    assert f"Vial {units[0]} is returned by subject" in fault.sentence
    (fault,) = faults_of(lambda: bring_back(stocked, dose_id, units[:1]))
    assert "Only what left for a subject can come back from one: an opened vial." in fault.sentence


def test_an_unopened_vial_never_left_for_a_subject(stocked: Pharmacy) -> None:
    dose_id = stocked.dose("closed")
    unopened = next(vial.unit_number for vial in stocked.vials(state="available"))
    one_fault(
        lambda: bring_back(stocked, dose_id, (unopened,)),
        "unit_numbers",
        f"Vial {unopened} is available, so it is unopened, and an unopened vial never leaves the pharmacy",
    )


def test_the_dose_is_its_own_and_was_released(stocked: Pharmacy) -> None:
    first = stocked.dose("labelled")
    units = units_of(stocked, first)
    one_fault(lambda: bring_back(stocked, first, units), "dose_id", "was never released")
    stocked.release(first)
    one_fault(lambda: bring_back(stocked, "D000099X", units), "dose_id", "There is no dose D000099X")
    faults = faults_of(lambda: bring_back(stocked, "", (), reason=" ", brought_by=""))
    assert [fault.field for fault in faults] == ["reason", "brought_by", "dose_id", "unit_numbers"]


def test_a_bag_that_came_back_is_closed_in_the_mg_ledger_before_anything_else(stocked: Pharmacy) -> None:
    dose_id = stocked.dose("released")
    units = units_of(stocked, dose_id)
    bring_back(stocked, dose_id, units)
    one_fault(lambda: account(stocked, units[0]), "unit_numbers", f"Close the vials of dose {dose_id} first")
    stocked.cancel(dose_id, "refused at the bedside")
    assert units_of(stocked, dose_id) == units, "a vial that came back lost its dose"
    with stocked.desk.store.read() as reader:
        assert [line.dose_id for line in today(stocked.desk, reader).unclosed_doses] == [dose_id]
    stocked.close(dose_id)
    assert {stocked.vial(unit).state for unit in units} == {"returned by subject"}
    with stocked.desk.store.read() as reader:
        life = reader.vial_life(units[0])
        assert today(stocked.desk, reader).unclosed_doses == ()
    assert life is not None
    assert life.mg is not None
    # 0.9 mg were drawn from the first vial; 0.1 mg stayed in it.
    assert (life.mg.withdrawn_mg, life.mg.residue_mg, life.mg.discarded_mg) == (
        Decimal("0.9"),
        Decimal("0.1"),
        Decimal(0),
    )
    account(stocked, *units)
    assert stocked.vial(units[0]).accounted_by == "Mona Sorensen"
    stocked.assert_sound()


def test_it_is_destroyed_like_other_containers_and_its_form_says_where_it_was(stocked: Pharmacy) -> None:
    dose_id = stocked.dose("closed")
    units = units_of(stocked, dose_id)
    bring_back(stocked, dose_id, units)
    account(stocked, *units)
    letter = DocumentForm(
        "Letter", "supporter's permission", "", "Dr. A. Ito, Pfizer", stocked.day(), "letter.pdf", permits=PURPOSES
    )
    attached = attach_document(stocked.desk, stocked.act("paula"), letter, b"%PDF-1.7 you may\n%%EOF\n")
    form = DestroyForm(units, attached.content["document_id"], "incineration", "bin 12")
    event = destroy_vials(stocked.desk, stocked.act("tim"), form, stocked.sign("tim"), stocked.sign("carla"))
    assert {stocked.vial(unit).state for unit in units} == {"destroyed"}
    desk = replace(stocked.desk, papers=PdfPapers())
    printed = print_form(desk, stocked.act("mona"), form_number("destroy", event.seq))
    assert "returned by subject" in " ".join(" ".join(page_texts(printed.pdf)).split())
    stocked.assert_sound()


def test_a_container_that_was_accounted_for_lay_here(stocked: Pharmacy) -> None:
    dose_id = stocked.dose("closed")
    units = units_of(stocked, dose_id)
    account(stocked, units[0])
    one_fault(lambda: bring_back(stocked, dose_id, units[:1]), "unit_numbers", "was accounted for by Mona Sorensen")
    with pytest.raises(Refused, match="monitor"):
        bring_back(stocked, dose_id, units[1:], who="mona")
