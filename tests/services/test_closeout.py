"""Closing the study's books: what is still open, item by item, and the two signatures at zero (REGULATION A-30)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from labels import proof
from labels.papers import PdfPapers
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services.closeout import (
    Books,
    CloseOutForm,
    books,
    close_out,
    close_out_number,
    print_close_out,
)
from pharmacy_app.services.counts import (
    CountForm,
    DiscrepancyForm,
    ExplainForm,
    LotCounted,
    begin_count,
    explain_discrepancy,
    open_discrepancy,
    record_count,
)
from pharmacy_app.services.disposition import (
    AccountForm,
    DestroyForm,
    LossForm,
    ReturnForm,
    TransferForm,
    account_for,
    break_vials,
    destroy_vials,
    find_vials,
    miss_vials,
    return_vials,
    transfer_vials,
)
from pharmacy_app.services.documents import DocumentForm, attach_document
from pharmacy_app.services.medication_errors import AssessForm, assess_error
from pharmacy_app.services.packing_list import LotTyped as Lot
from pharmacy_app.services.storage import DeviationForm, record_deviation
from tests.services.leaving import CARRIER, faults_of, one_fault, permission
from tests.services.pharmacy import Pharmacy
from tests.services.test_medication_errors import NO_HARM


def books_of(pharmacy: Pharmacy) -> Books:
    """How the books stand."""
    with pharmacy.desk.store.read() as reader:
        return books(reader)


def open_words(pharmacy: Pharmacy) -> list[str]:
    """What is open, in words."""
    return [item.words for item in books_of(pharmacy).open_items]


def sign_off(pharmacy: Pharmacy, who: str = "paula", monitor: str = "mona", note: str = "") -> Event:
    """Close the books."""
    return close_out(pharmacy.desk, pharmacy.act(who), CloseOutForm(note), pharmacy.sign(who), pharmacy.sign(monitor))


def send_back(pharmacy: Pharmacy, *units: str) -> None:
    """Return vials to the supporter."""
    form = ReturnForm(units, permission(pharmacy), "Depot", "study end", "yes", CARRIER)
    return_vials(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))


def lose(pharmacy: Pharmacy, act: Callable[..., Event], *units: str) -> None:
    """Record a loss or a find."""
    act(pharmacy.desk, pharmacy.act("tim"), LossForm(units, "seen"), pharmacy.sign("tim"), pharmacy.sign("carla"))


def destroy(pharmacy: Pharmacy, *units: str) -> None:
    """Have the monitor account for containers, then destroy them."""
    account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm(units), pharmacy.sign("mona"))
    form = DestroyForm(units, permission(pharmacy), "incinerated", "bin 12")
    destroy_vials(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))


def explain(pharmacy: Pharmacy, number: str, outcome: str) -> None:
    """Close a discrepancy."""
    form = ExplainForm(number, outcome, "looked into together")
    explain_discrepancy(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))


@pytest.fixture
def units(pharmacy: Pharmacy) -> list[str]:
    """Four released 1 mg vials of lot A1."""
    return pharmacy.stock_up(lots=(Lot("1", "A1", "2027-03-31", "4"),))


def test_a_study_without_a_vial_has_nothing_to_close(pharmacy: Pharmacy) -> None:
    assert books_of(pharmacy) == Books((), (), None)
    one_fault(lambda: sign_off(pharmacy), "", "No vial was ever received here")


def test_the_books_close_at_zero_signed_by_pharmacist_and_monitor(pharmacy: Pharmacy, units: list[str]) -> None:
    send_back(pharmacy, *units[:2])
    form = TransferForm((units[2],), permission(pharmacy), "Site 021", "short there", "yes", CARRIER)
    transfer_vials(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))
    lose(pharmacy, break_vials, units[3])
    destroy(pharmacy, units[3])
    (line,) = books_of(pharmacy).lines
    # 4 received = 2 returned + 1 transferred + 1 destroyed.
    assert (line.received, line.returned, line.transferred, line.destroyed) == (4, 2, 1, 1)
    assert (line.missing, line.on_site, line.containers, line.balances) == (0, 0, 0, True)
    assert open_words(pharmacy) == []
    event = sign_off(pharmacy, note="end of the cohort")
    assert event.kind == "study_closed_out"
    assert [(each.printed_name, each.meaning) for each in event.signatures] == [
        ("Paula Reyes", "closed the books"),
        ("Mona Sorensen", "reviewed the close-out"),
    ]
    stand = books_of(pharmacy)
    assert stand.last is not None
    assert (stand.last.lines, stand.last.note, stand.reopened) == ((line,), "end of the cohort", False)
    one_fault(lambda: sign_off(pharmacy), "", "The books were closed already, signed by Paula Reyes, Mona Sorensen.")
    pharmacy.assert_sound()


def test_each_vial_on_site_keeps_the_books_open(pharmacy: Pharmacy, units: list[str]) -> None:
    pharmacy.receive("S-2", (Lot("1", "A1", "2027-03-31", "2"), Lot("4", "B7", "2027-06", "1")))
    send_back(pharmacy, units[0])
    faults = faults_of(lambda: sign_off(pharmacy))
    assert (
        [fault.sentence for fault in faults]
        == open_words(pharmacy)
        == [
            "1 mg lot A1: 5 vials unopened on site (3 available, 2 held). Return or transfer them with the supporter's"
            " permission (§ 8.2).",
            "4 mg lot B7: 1 vial unopened on site (1 held). Return or transfer them with the supporter's permission"
            " (§ 8.2).",
        ]
    )
    assert pharmacy.events("study_closed_out") == []


def test_used_containers_keep_the_books_open_at_each_step(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up(lots=(Lot("1", "A1", "2027-03-31", "2"),))
    pharmacy.enroll()
    dose_id = pharmacy.dose("given")
    words = open_words(pharmacy)
    assert words == [
        "2 vials opened and not closed in the mg ledger: close their dose.",
        f"Dose {dose_id} of subject 001 is administered: finish or cancel it.",
    ]
    pharmacy.close(dose_id)
    first, second = [vial.unit_number for vial in pharmacy.vials()]
    assert {pharmacy.vial(unit).state for unit in (first, second)} == {"empty"}
    assert open_words(pharmacy) == [f"2 containers empty, waiting for the monitor's accountability: {first}, {second}."]
    account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((first,)), pharmacy.sign("mona"))
    assert open_words(pharmacy) == [
        f"1 container empty, waiting for the monitor's accountability: {second}.",
        f"1 container empty, accounted for by the monitor and not destroyed: {first}.",
    ]
    form = DestroyForm((first,), permission(pharmacy), "incinerated", "bin 12")
    destroy_vials(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))
    destroy(pharmacy, second)
    assert open_words(pharmacy) == []
    sign_off(pharmacy)


def test_a_dose_under_way_keeps_the_books_open(pharmacy: Pharmacy, units: list[str]) -> None:
    assert units
    pharmacy.enroll()
    dose_id = pharmacy.dose("planned")
    assert f"Dose {dose_id} of subject 001 is planned: finish or cancel it." in open_words(pharmacy)
    pharmacy.cancel(dose_id)
    assert not any("Dose" in words for words in open_words(pharmacy))


def test_an_open_medication_error_keeps_the_books_open(pharmacy: Pharmacy, units: list[str]) -> None:
    assert units
    pharmacy.enroll()
    # 1.2 of 1.46 mg are 17.8 % under: § 8.1.3 opens a record.
    pharmacy.give(pharmacy.dose("released"), "1.2")
    with pharmacy.desk.store.read() as reader:
        error_id = reader.errors()[0].error_id
    words = f"Medication error {error_id} is not assessed."
    assert words in open_words(pharmacy)
    form = AssessForm(error_id, "error", "administration", "wrong dose", NO_HARM)
    assess_error(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))
    assert words not in open_words(pharmacy)


def test_an_open_storage_deviation_keeps_the_books_open(pharmacy: Pharmacy, units: list[str]) -> None:
    send_back(pharmacy, *units)
    form = DeviationForm(
        "Refrigerator 1", "logger missing", "", "", pharmacy.time(), "Tim", "called", started_at=pharmacy.time(-9)
    )
    event = record_deviation(pharmacy.desk, pharmacy.act("tim"), form)
    assert open_words(pharmacy) == [f"Storage deviation {event.content['deviation_id']} is not closed."]


# --- missing vials ---------------------------------------------------------------------------------------------


def test_a_missing_vial_needs_a_discrepancy_closed_as_such(pharmacy: Pharmacy, units: list[str]) -> None:
    send_back(pharmacy, *units[1:])
    lose(pharmacy, miss_vials, units[0])
    words = (
        f"Vial {units[0]} (1 mg, lot A1) is missing without a closed discrepancy: open one under Counts and explain it."
    )
    assert open_words(pharmacy) == [words]
    form = DiscrepancyForm((units[0],), "not in its box")
    open_discrepancy(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"))
    number = numbered("Q", 1)
    assert open_words(pharmacy) == [
        words,
        f"Discrepancy {number} is not explained: {units[0]}: not in its box",
    ]
    explain(pharmacy, number, "vial recorded missing")
    assert open_words(pharmacy) == []
    sign_off(pharmacy)
    (line,) = books_of(pharmacy).lines
    assert (line.received, line.returned, line.missing, line.balances) == (4, 3, 1, True)


def test_a_discrepancy_explained_otherwise_does_not_cover_a_missing_vial(pharmacy: Pharmacy, units: list[str]) -> None:
    send_back(pharmacy, *units[1:])
    lose(pharmacy, miss_vials, units[0])
    form = DiscrepancyForm((units[0],), "not in its box")
    open_discrepancy(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"))
    explain(pharmacy, numbered("Q", 1), "other")
    assert len(open_words(pharmacy)) == 1


def test_a_count_by_number_covers_as_many_missing_vials_as_it_was_short(pharmacy: Pharmacy, units: list[str]) -> None:
    with pharmacy.desk.store.read() as reader:
        begun = begin_count(reader)
    form = CountForm("Refrigerator 1", begun.begun_seq, method="number", lots=(LotCounted("1", "A1", "3"),))
    record_count(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))
    lose(pharmacy, miss_vials, units[0], units[1])
    send_back(pharmacy, *units[2:])
    explain(pharmacy, numbered("Q", 1), "vial recorded missing")
    # One short was explained; the second missing one is not.
    assert open_words(pharmacy) == [
        f"Vial {units[1]} (1 mg, lot A1) is missing without a closed discrepancy: open one under Counts and explain it."
    ]
    lose(pharmacy, find_vials, units[1])
    send_back(pharmacy, units[1])
    assert open_words(pharmacy) == []


# --- who signs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "monitor", "field"),
    [("mona", "mona", "user_name"), ("paula", "quentin", "monitor_user_name"), ("paula", "paula", "monitor_user_name")],
)
def test_a_pharmacist_signs_first_and_the_monitor_second(
    pharmacy: Pharmacy, units: list[str], who: str, monitor: str, field: str
) -> None:
    send_back(pharmacy, *units)
    (fault,) = faults_of(lambda: sign_off(pharmacy, who, monitor))
    assert fault.field == field


def test_others_do_not_close_the_books(pharmacy: Pharmacy, units: list[str]) -> None:
    send_back(pharmacy, *units)
    for who, monitor in (("tim", "mona"), ("paula", "carla"), ("robin", "mona")):
        with pytest.raises(Refused, match="takes a monitor or pharmacist"):
            sign_off(pharmacy, who, monitor)
    assert pharmacy.events("study_closed_out") == []


# --- after the close-out ---------------------------------------------------------------------------------------


def test_a_vial_that_comes_late_is_received_and_opens_the_books_again(pharmacy: Pharmacy, units: list[str]) -> None:
    send_back(pharmacy, *units)
    sign_off(pharmacy)
    pharmacy.clock.forward(days=1)
    (late,) = pharmacy.receive("S-9", (Lot("1", "A9", "2027-09", "1"),))
    assert pharmacy.vial(late).state == "held"
    stand = books_of(pharmacy)
    assert (stand.reopened, len(stand.open_items)) == (True, 1)
    assert len(faults_of(lambda: sign_off(pharmacy))) == 1
    send_back(pharmacy, late)
    # At zero again, but the signed report does not tell of it yet.
    assert books_of(pharmacy).reopened
    sign_off(pharmacy)
    assert not books_of(pharmacy).reopened
    assert len(pharmacy.events("study_closed_out")) == 2
    pharmacy.assert_sound()


# --- on paper --------------------------------------------------------------------------------------------------


def words_of(pdf: bytes) -> str:
    """The words of all pages with single blanks."""
    return " ".join(" ".join(proof.page_texts(pdf)).split())


def test_the_report_says_what_is_open_and_once_signed_that_nothing_is(pharmacy: Pharmacy, units: list[str]) -> None:
    pharmacy.desk = replace(pharmacy.desk, papers=PdfPapers())
    before = words_of(print_close_out(pharmacy.desk, pharmacy.act("mona")).pdf)
    assert "none: this tells how things stand" in before
    assert "4 vials unopened on site" in before
    assert "not zero" in before
    assert "Not signed: pharmacist and monitor sign once nothing is open." in before
    send_back(pharmacy, *units)
    number = close_out_number(sign_off(pharmacy).seq)
    # What comes later is not in the report that was signed.
    pharmacy.receive("S-9", (Lot("1", "A9", "2027-09", "1"),))
    printed = print_close_out(pharmacy.desk, pharmacy.act("tim"), number.lower())
    after = words_of(printed.pdf)
    assert number in after
    assert "None. The balance of every strength and lot is zero." in after
    assert "A9" not in after
    assert "Investigator (name, signature, date)" in after
    assert "Vials received 4; balance on site 0." in after
    again = print_close_out(pharmacy.desk, pharmacy.act("tim"), number)
    assert "REPRINT 1" in words_of(again.pdf)


def test_the_report_signed_in_ink_is_attached_to_its_close_out(pharmacy: Pharmacy, units: list[str]) -> None:
    send_back(pharmacy, *units)
    number = close_out_number(sign_off(pharmacy).seq)
    form = DocumentForm("Signed by the investigator", "letter", number, "Dr. Ines Vogel", pharmacy.day(), "report.txt")
    event = attach_document(pharmacy.desk, pharmacy.act("paula"), form, b"scanned")
    assert event.content["about"] == number


def test_a_close_out_that_is_not_there_is_not_printed(pharmacy: Pharmacy) -> None:
    with pytest.raises(Refused, match="There is no close-out CLO-7"):
        print_close_out(pharmacy.desk, pharmacy.act("tim"), "CLO-7")
