"""An expiry extension that was a mistake is taken back, and the lot of an extended receipt is put right.

A date typed too late makes expired vials usable: that is the graver slip, so little may stand in the way of its
correction. § 8.2; RULES A40.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.corrections import CorrectForm, correct, correctable
from pharmacy_app.services.disposition import AccountForm, LossForm, account_for, break_vials
from pharmacy_app.services.documents import PURPOSES, DocumentForm, attach_document
from pharmacy_app.services.expiry import ExpiryForm, RelabelForm, extend_expiry, record_relabelled
from pharmacy_app.services.labelling import print_vial_labels
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.printing import PrintForm
from tests.services.pharmacy import Pharmacy

LOT = (LotTyped("1", "A1", "2026-03-05", "6"),)
"""Six 1 mg vials of lot A1, printed 5 March 2026; today is Monday, 2 March."""


def one_fault(act: Callable[[], object], field: str, words: str) -> Fault:
    """The one fault with which an act is refused, beside its field and in these words."""
    with pytest.raises(Refused) as refused:
        act()
    (fault,) = refused.value.faults
    assert fault.field == field, fault
    assert words in fault.sentence, fault
    return fault


class Lot:
    """The acts of this chapter in few words."""

    def __init__(self, pharmacy: Pharmacy) -> None:
        self.pharmacy = pharmacy
        self.units = tuple(pharmacy.stock_up(lots=LOT))

    def document(self, about: str = "", kind: str = "letter", signed_by: str = "Dr. A. Ito", days: int = 0) -> str:
        pharmacy = self.pharmacy
        form = DocumentForm("Extension", kind, about, signed_by, pharmacy.day(days), "letter.txt", permits=PURPOSES)
        content = f"Extended, letter {pharmacy.count()}.".encode()
        return str(attach_document(pharmacy.desk, pharmacy.act("paula"), form, content).content["document_id"])

    def extend(self, new: str, document: str = "", lot: str = "A1") -> Any:
        pharmacy = self.pharmacy
        form = ExpiryForm("1", lot, new, document or self.document())
        return extend_expiry(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))

    def correct(self, seq: int, *values: tuple[str, str], who: str = "paula", second: str = "quentin") -> Any:
        pharmacy = self.pharmacy
        own, other = pharmacy.sign(who), pharmacy.sign(second)
        return correct(pharmacy.desk, pharmacy.act(who), CorrectForm(seq, "the year was misread", values), own, other)

    def shown(self, seq: int) -> Any:
        with self.pharmacy.desk.store.read() as reader:
            return correctable(reader, seq)

    def days(self) -> set[tuple[str, str]]:
        """Lot and expiry of every vial."""
        return {(vial.lot, vial.expires_on.isoformat()) for vial in self.pharmacy.vials()}

    def known(self) -> list[tuple[str, str]]:
        with self.pharmacy.desk.store.read() as reader:
            return [(lot, on.isoformat()) for _, lot, on in reader.lots()]

    def usable(self, on: date) -> int:
        with self.pharmacy.desk.store.read() as reader:
            return len(reader.usable_vials(on))

    def notes(self, about: str) -> list[str]:
        with self.pharmacy.desk.store.read() as reader:
            return [note.sentence for note in reader.correction_notes(about)]

    def waiting(self) -> tuple[str, ...]:
        with self.pharmacy.desk.store.read() as reader:
            return tuple(vial.unit_number for vial in reader.to_relabel())

    def receipt(self) -> int:
        return self.pharmacy.events("shipment_received")[0].seq


@pytest.fixture
def lot(pharmacy: Pharmacy) -> Lot:
    return Lot(pharmacy)


def test_an_extension_typed_too_late_is_taken_back_and_expired_vials_are_not_usable(lot: Lot) -> None:
    """The letter said 6 March 2026; 2029 was typed."""
    extended = lot.extend("2029-09-30")
    assert lot.usable(date(2026, 3, 7)) == 6
    shown = lot.shown(extended.seq)
    assert shown.second_person
    assert [(each.label, each.old, each.new) for each in shown.preview] == [
        ("Expiry of lot A1, 1 mg", "2029-09-30", "2026-03-05")
    ]
    event = lot.correct(extended.seq)
    assert (event.kind, event.why) == ("extension_undone", "the year was misread")
    assert [each.printed_name for each in event.signatures] == ["Paula Reyes", "Quentin Marsh"]
    assert lot.days() == {("A1", "2026-03-05")}
    assert lot.known() == [("A1", "2026-03-05")]
    assert (lot.usable(date(2026, 3, 5)), lot.usable(date(2026, 3, 6))) == (6, 0)
    one_fault(lambda: lot.correct(extended.seq), "", f"entry {event.seq}: an entry is corrected once")
    one_fault(lambda: lot.correct(event.seq), "", "record it again with the supporter's document")
    lot.extend("2026-03-06")
    assert lot.days() == {("A1", "2026-03-06")}
    lot.pharmacy.assert_sound()


def test_a_container_that_was_accounted_for_does_not_keep_expired_vials_usable(lot: Lot) -> None:
    """The lot's unused vials come first; which container the monitor saw does not change by its last day."""
    pharmacy, unit = lot.pharmacy, lot.units[0]
    extended = lot.extend("2027-03-05")
    own, second = pharmacy.sign("tim"), pharmacy.sign("carla")
    break_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((unit,), "it fell"), own, second)
    account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((unit,)), pharmacy.sign("mona"))
    lot.correct(extended.seq)
    assert lot.days() == {("A1", "2026-03-05")}
    assert pharmacy.vial(unit).accounted_by == "Mona Sorensen"
    pharmacy.assert_sound()


def test_two_extensions_are_taken_back_the_newest_first(lot: Lot) -> None:
    first, second = lot.extend("2026-06-30"), lot.extend("2029-09-30")
    one_fault(lambda: lot.correct(first.seq), "", f"to 30-Sep-2029 in entry {second.seq}. Take that one back first.")
    lot.correct(second.seq)
    assert lot.days() == {("A1", "2026-06-30")}
    lot.correct(first.seq)
    assert lot.days() == {("A1", "2026-03-05")}
    lot.pharmacy.assert_sound()


def test_a_pharmacist_takes_it_back_before_a_second_person(lot: Lot) -> None:
    extended = lot.extend("2029-09-30")
    with pytest.raises(Refused, match="takes a pharmacist"):
        lot.correct(extended.seq, who="tim")
    one_fault(
        lambda: lot.correct(extended.seq, second="paula"), "witness_user_name", "The second person is another one"
    )
    assert lot.days() == {("A1", "2029-09-30")}


def test_a_later_shipment_with_the_date_of_a_mistaken_extension_is_asked_about(lot: Lot) -> None:
    extended = lot.extend("2026-09-30")
    lot.pharmacy.receive("S-2", (LotTyped("1", "A1", "2026-03-05", "1"),))
    lot.correct(extended.seq)
    assert lot.days() == {("A1", "2026-03-05")}
    with pytest.raises(Refused, match="Lot A1 is known with the expiry 05-Mar-2026"):
        lot.pharmacy.receive("S-3", (LotTyped("1", "A1", "2026-09-30", "1"),))
    lot.pharmacy.receive("S-4", (LotTyped("1", "A1", "2026-03-05", "1"),))
    assert lot.days() == {("A1", "2026-03-05")}
    lot.pharmacy.assert_sound()


# --- what was made of the vials meanwhile ----------------------------------------------------------------------


def later(lot: Lot) -> None:
    """Saturday, 7 March: the vials are expired but for the extension."""
    lot.pharmacy.clock.forward(days=5)


def test_a_dose_planned_meanwhile_is_not_mixed_from_expired_vials(lot: Lot) -> None:
    extended = lot.extend("2029-09-30")
    later(lot)
    lot.pharmacy.enroll()
    dose_id = lot.pharmacy.dose("worksheet")
    lot.correct(extended.seq)
    (note,) = lot.notes(dose_id)
    assert note.endswith(
        "of this dose: the extension of lot A1 to 30-Sep-2029 was taken back; they count through 05-Mar-2026. It must"
        " not be given: cancel the dose."
    )
    with pytest.raises(Refused, match="of lot A1 expired: its last usable day was 05-Mar-2026"):
        lot.pharmacy.prepare(dose_id)
    lot.pharmacy.cancel(dose_id)
    assert lot.usable(lot.pharmacy.clock().date()) == 0
    lot.pharmacy.assert_sound()


def test_a_bag_mixed_meanwhile_does_not_leave(lot: Lot) -> None:
    extended = lot.extend("2029-09-30")
    later(lot)
    lot.pharmacy.enroll()
    dose_id = lot.pharmacy.dose("labelled")
    lot.correct(extended.seq)
    with pytest.raises(Refused, match="This bag must not be given"):
        lot.pharmacy.release(dose_id)
    assert "cancel the dose" in lot.notes(dose_id)[0]


@pytest.mark.parametrize(
    ("status", "words"), [("released", "call the ward"), ("given", "report a medication error"), ("closed", "report a")]
)
def test_a_dose_that_left_meanwhile_is_named_with_what_to_do(lot: Lot, status: str, words: str) -> None:
    extended = lot.extend("2029-09-30")
    later(lot)
    lot.pharmacy.enroll()
    dose_id = lot.pharmacy.dose(status)
    lot.correct(extended.seq)
    assert words in lot.notes(dose_id)[0]
    lot.pharmacy.assert_sound()


def test_a_dose_given_before_the_vials_expired_is_told_without_alarm(lot: Lot) -> None:
    extended = lot.extend("2029-09-30")
    lot.pharmacy.enroll()
    dose_id = lot.pharmacy.dose("given")
    lot.correct(extended.seq)
    (note,) = lot.notes(dose_id)
    assert note.endswith("they count through 05-Mar-2026.")


def test_a_bag_is_labelled_by_the_expiry_that_counts_when_it_is_mixed(lot: Lot) -> None:
    """Planned on the 5th, the last usable day: mixed at 21:30, four hours after dilution lie beyond midnight."""
    extended = lot.extend("2029-09-30")
    pharmacy = lot.pharmacy
    pharmacy.clock.forward(days=3, hours=13, minutes=30)
    assert pharmacy.time() == "2026-03-05 21:30"
    pharmacy.enroll()
    dose_id = pharmacy.dose("worksheet")
    lot.correct(extended.seq)
    pharmacy.prepare(dose_id)
    made = pharmacy.thread(dose_id).preparation
    assert {draw["expires_on"] for draw in made["draws"]} == {"2026-03-05"}
    assert made["start_by"].startswith("2026-03-05T23:00")
    pharmacy.label_bag(dose_id)


# --- labels ----------------------------------------------------------------------------------------------------


def test_labels_renewed_by_a_mistaken_extension_are_renewed_again(lot: Lot) -> None:
    pharmacy, (first, second, third, *_) = lot.pharmacy, lot.units
    extended = lot.extend("2029-09-30")
    assert lot.waiting() == lot.units
    print_vial_labels(pharmacy.desk, pharmacy.act("tim"), PrintForm((first, third), "extended"))
    record_relabelled(pharmacy.desk, pharmacy.act("tim"), RelabelForm((second,), "by hand"))
    lot.correct(extended.seq)
    # The others still have the date that counts.
    assert lot.waiting() == (first, second, third)
    print_vial_labels(pharmacy.desk, pharmacy.act("tim"), PrintForm((first,), "taken back"))
    record_relabelled(pharmacy.desk, pharmacy.act("tim"), RelabelForm((second,), "by hand"))
    assert lot.waiting() == (third,)
    lot.extend("2026-09-30")
    assert lot.waiting() == lot.units
    pharmacy.assert_sound()


# --- the lot of an extended receipt ----------------------------------------------------------------------------


@pytest.mark.parametrize("expiry", ["", "2026-03-05", "2026-09-30"])
def test_an_extension_goes_with_its_lot_to_the_right_label(lot: Lot, expiry: str) -> None:
    """A7 was typed A1. The expiry is left, or typed as it is printed, or as it counts: it is the same one."""
    extended = lot.extend("2026-09-30")
    values = [("labels.0.lot", "A7"), *([("labels.0.expiry", expiry)] if expiry else [])]
    lot.correct(lot.receipt(), *values)
    assert lot.days() == {("A7", "2026-09-30")}
    lot.pharmacy.receive("S-2", (LotTyped("1", "A7", "2026-03-05", "1"),))
    assert lot.days() == {("A7", "2026-09-30")}
    lot.correct(extended.seq)
    assert lot.days() == {("A7", "2026-03-05")}
    lot.pharmacy.assert_sound()


def test_vials_whose_right_lot_was_extended_count_through_its_date(lot: Lot) -> None:
    """Two vials came as A7 and are of lot A1, which was extended; printed on them is the date from before."""
    lot.pharmacy.receive("S-2", (LotTyped("1", "A7", "2026-03-05", "2"),))
    lot.extend("2026-09-30")
    second = lot.pharmacy.events("shipment_received")[1]
    lot.correct(second.seq, ("labels.0.lot", "A1"))
    assert lot.days() == {("A1", "2026-09-30")}
    assert len(lot.pharmacy.vials()) == 8
    lot.pharmacy.assert_sound()


def test_an_extension_of_unclear_vials_is_taken_back_first(lot: Lot) -> None:
    """Of two shipments of lot A1 one is of lot A7: nobody can tell which of them the letter meant."""
    lot.pharmacy.receive("S-2", (LotTyped("1", "A1", "2026-03-05", "2"),))
    extended = lot.extend("2026-09-30")
    fault = one_fault(
        lambda: lot.correct(lot.receipt(), ("labels.0.lot", "A7")), "labels.0.lot", "only a part of its vials"
    )
    assert f"by an extension, entry {extended.seq}, and" in fault.sentence
    assert "Take back that entry first, then correct this one" in fault.sentence
    lot.correct(extended.seq)
    lot.correct(lot.receipt(), ("labels.0.lot", "A7"))
    lot.extend("2026-09-30", lot="A7")
    assert lot.days() == {("A1", "2026-03-05"), ("A7", "2026-09-30")}
    lot.pharmacy.assert_sound()


def test_an_extension_does_not_go_to_a_lot_that_is_known(lot: Lot) -> None:
    lot.pharmacy.receive("S-2", (LotTyped("1", "A7", "2026-09-30", "2"),))
    lot.extend("2026-09-30")
    one_fault(lambda: lot.correct(lot.receipt(), ("labels.0.lot", "A7")), "labels.0.lot", "lot A7 is known already")
    assert len(lot.pharmacy.vials(lot="A1")) == 6


@pytest.mark.parametrize(
    "changes", [(("labels.0.expiry", "2026-04-30"),), (("labels.0.lot", "A7"), ("labels.0.expiry", "2026-04-30"))]
)
def test_an_expiry_is_not_corrected_under_an_extension(lot: Lot, changes: tuple[tuple[str, str], ...]) -> None:
    lot.extend("2026-09-30")
    field = changes[0][0]
    one_fault(
        lambda: lot.correct(lot.receipt(), *changes), field, "the expiry itself is not corrected under an extension"
    )
    assert lot.days() == {("A1", "2026-09-30")}


# --- by which document -----------------------------------------------------------------------------------------


def test_a_letter_extends_what_it_speaks_of(lot: Lot) -> None:
    lot.pharmacy.receive("S-2", (LotTyped("4", "B2", "2026-03-05", "1"),))
    (other,) = lot.pharmacy.vials(lot="B2")
    for about in (other.unit_number, lot.units[0], "lot B2", "shipment S-2"):
        letter = lot.document(about)
        fault = one_fault(lambda letter=letter: lot.extend("2026-09-30", letter), "document", "it says nothing of")  # type: ignore[misc]
        assert (fault.rule, fault.section) == ("A40", "8.2")
    for number, about in enumerate(("", "lot A1", "shipment S-1")):
        lot.extend(f"2026-09-2{number}", lot.document(about))


def test_a_letter_counts_by_its_signature(lot: Lot) -> None:
    letter = lot.document(signed_by="")
    one_fault(
        lambda: lot.extend("2026-09-30", letter), "document", f"Nobody is named as the signer of document {letter}"
    )


def test_a_letter_older_than_the_one_before_extends_nothing_further(lot: Lot) -> None:
    old, new = lot.document(days=-2), lot.document(days=-1)
    lot.extend("2026-09-30", new)
    one_fault(
        lambda: lot.extend("2027-09-30", old),
        "document",
        f"Document {old} is of 28-Feb-2026. Lot A1 was extended to 30-Sep-2026 by {new} of 01-Mar-2026 since",
    )
    lot.extend("2027-09-30", lot.document(days=-1))
    assert lot.days() == {("A1", "2027-09-30")}
