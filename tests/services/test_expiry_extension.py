"""A lot's expiry extended by the supporter: signed, both dates kept, labels renewed, later shipments accepted."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.documents import PURPOSES, DocumentForm, attach_document
from pharmacy_app.services.expiry import (
    ExpiryForm,
    RelabelForm,
    extend_expiry,
    extension_documents,
    record_relabelled,
)
from pharmacy_app.services.labelling import print_vial_labels
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.printing import PrintForm
from tests.services.pharmacy import Pharmacy

A1, B2 = LotTyped("1", "A1", "2026-03-05", "4"), LotTyped("4", "A1", "2026-03-05", "2")


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


class Lot:
    """Four 1 mg vials and two 4 mg vials of a lot A1 that expires on 5 March 2026; today is 2 March."""

    def __init__(self, pharmacy: Pharmacy) -> None:
        self.pharmacy = pharmacy
        self.units = tuple(pharmacy.stock_up(lots=(A1, B2)))
        self.document = self.attach()

    def attach(self, kind: str = "supporter's permission", words: bytes = b"extended") -> str:
        form = DocumentForm(
            "Extension of lot A1", kind, "", "Dr. A. Ito, Pfizer", self.pharmacy.day(), "letter.pdf", permits=PURPOSES
        )
        content = b"%PDF-1.7 " + words + b"\n%%EOF\n"
        event = attach_document(self.pharmacy.desk, self.pharmacy.act("paula"), form, content)
        return str(event.content["document_id"])

    def extend(self, new: str = "2026-09-30", *, who: str = "paula", own: str = "", **changes: str) -> Any:
        values = {"strength_mg": "1", "lot": "A1", "new_expiry": new, "document": self.document, **changes}
        form = ExpiryForm(**values)
        return extend_expiry(self.pharmacy.desk, self.pharmacy.act(who), form, self.pharmacy.sign(own or who))

    def waiting(self) -> tuple[str, ...]:
        with self.pharmacy.desk.store.read() as reader:
            return tuple(vial.unit_number for vial in reader.to_relabel())

    def label(self, *units: str, why: str = "") -> None:
        print_vial_labels(self.pharmacy.desk, self.pharmacy.act("tim"), PrintForm(units, why))


@pytest.fixture
def lot(pharmacy: Pharmacy) -> Lot:
    return Lot(pharmacy)


def test_every_vial_of_the_lot_has_the_new_date_and_the_old_one_is_kept(lot: Lot) -> None:
    event = lot.extend()
    assert [vial.expires_on for vial in lot.pharmacy.vials(strength_mg=Decimal(1))] == [date(2026, 9, 30)] * 4
    # The 4 mg vials carry the same lot number and are another lot.
    assert [vial.expires_on for vial in lot.pharmacy.vials(strength_mg=Decimal(4))] == [date(2026, 3, 5)] * 2
    with lot.pharmacy.desk.store.read() as reader:
        (kept,) = reader.expiry_extensions()
        assert {line.expires_on for line in reader.stock() if line.strength_mg == 1} == {date(2026, 9, 30)}
        life = reader.vial_life(lot.units[0])
    assert (kept.lot, kept.strength_mg, kept.old_on, kept.new_on) == (
        "A1",
        Decimal(1),
        date(2026, 3, 5),
        date(2026, 9, 30),
    )
    assert (kept.document_id, kept.signed_by, kept.vials) == (lot.document, "Paula Reyes", 4)
    assert [(each.printed_name, each.meaning) for each in event.signatures] == [
        ("Paula Reyes", "extended the expiry by the supporter's document")
    ]
    # What was written on the lines before stays as it was.
    assert life is not None
    assert {line.expires_on for line in life.lines} == {date(2026, 3, 5)}
    lot.pharmacy.assert_sound()


def test_an_extended_vial_may_be_used_through_its_new_last_day(lot: Lot) -> None:
    lot.extend("2026-03-06")
    with lot.pharmacy.desk.store.read() as reader:
        assert len([vial for vial in reader.usable_vials(date(2026, 3, 6)) if vial.strength_mg == 1]) == 4
        assert [vial for vial in reader.usable_vials(date(2026, 3, 7)) if vial.strength_mg == 1] == []


@pytest.mark.parametrize("new", ["2026-03-05", "2026-03-04", "2026-02"])
def test_a_date_that_is_not_later_is_refused(lot: Lot, new: str) -> None:
    one_fault(lambda: lot.extend(new), "new_expiry", "Lot A1 counts through 05-Mar-2026;")
    lot.extend("2026-03-06")
    one_fault(lambda: lot.extend("2026-03-06"), "new_expiry", "counts through 06-Mar-2026; 06-Mar-2026 is not later")


def test_the_document_is_the_supporters_permission_or_letter(lot: Lot) -> None:
    one_fault(lambda: lot.extend(document=""), "document", "Attach the supporter's written permission or letter first")
    one_fault(lambda: lot.extend(document="F000099X"), "document", "No document F000099X is attached")
    packing = lot.attach("packing list", b"list")
    one_fault(lambda: lot.extend(document=packing), "document", f"Document {packing} is a packing list")
    letter = lot.attach("letter", b"letter")
    with lot.pharmacy.desk.store.read() as reader:
        assert {document.document_id for document in extension_documents(reader)} == {lot.document, letter}
    lot.extend(document=letter.lower())


def test_it_is_a_pharmacists_own_signature(lot: Lot) -> None:
    one_fault(lambda: lot.extend(own="quentin"), "user_name", "Sign with your own account")
    with pytest.raises(Refused, match="Tim Lindqvist is signed in as technician"):
        lot.extend(who="tim")
    one_fault(lambda: lot.extend(lot="Z9"), "lot", "No lot Z9 of 1 mg vials was ever received")
    faults = faults_of(lambda: lot.extend("soon", strength_mg="2", lot=" ", document=""))
    assert [fault.field for fault in faults] == ["strength_mg", "lot", "new_expiry", "document"]


def test_a_later_shipment_with_the_old_date_printed_on_it_counts_as_extended(lot: Lot) -> None:
    lot.extend("2026-06-30")
    lot.extend("2026-09-30")
    pharmacy = lot.pharmacy
    for number, printed in (("S-2", "2026-03-05"), ("S-3", "2026-06"), ("S-4", "2026-09")):
        (unit,) = pharmacy.receive(number, (LotTyped("1", "A1", printed, "1"),))
        assert pharmacy.vial(unit).expires_on == date(2026, 9, 30), printed
    comments = [event.content["line"]["comment"] for event in pharmacy.events("shipment_received")]
    assert comments == [
        "",
        f"lot A1: printed 05-Mar-2026, extended to 30-Sep-2026 by {lot.document}",
        f"lot A1: printed 30-Jun-2026, extended to 30-Sep-2026 by {lot.document}",
        "",
    ]
    with pytest.raises(Refused, match="Lot A1 is known with the expiry 30-Sep-2026"):
        pharmacy.receive("S-5", (LotTyped("1", "A1", "2026-08-31", "1"),))
    with pytest.raises(Refused, match="Lot A1 is known with the expiry 05-Mar-2026"):
        pharmacy.receive("S-6", (LotTyped("4", "A1", "2026-09-30", "1"),))
    pharmacy.assert_sound()


# --- labels ----------------------------------------------------------------------------------------------------


def test_labels_wait_until_they_are_printed_again_or_renewed_by_hand(lot: Lot) -> None:
    ones = lot.units[:4]
    assert lot.waiting() == ()
    lot.extend()
    assert lot.waiting() == ones
    lot.label(ones[0], why="extended")
    assert lot.waiting() == ones[1:]
    pharmacy = lot.pharmacy
    event = record_relabelled(pharmacy.desk, pharmacy.act("tim"), RelabelForm((ones[1], ones[1]), "sticker"))
    assert event.content["unit_numbers"] == [ones[1]]
    assert lot.waiting() == ones[2:]
    lot.extend("2026-12-31")
    assert lot.waiting() == ones
    pharmacy.assert_sound()


def test_what_was_opened_or_left_needs_no_new_label(lot: Lot) -> None:
    lot.pharmacy.enroll()
    dose_id = lot.pharmacy.dose("prepared", units=lot.units[:2])
    lot.extend()
    assert {vial.unit_number for vial in lot.pharmacy.thread(dose_id).vials} == set(lot.units[:2])
    assert lot.waiting() == lot.units[2:4]


def test_a_vial_without_an_older_date_is_not_renewed_by_hand(lot: Lot) -> None:
    lot.extend()
    pharmacy = lot.pharmacy

    def renew(*units: str) -> Any:
        return record_relabelled(pharmacy.desk, pharmacy.act("tim"), RelabelForm(units))

    one_fault(
        lambda: renew(lot.units[5]), "unit_numbers", f"The label of vial {lot.units[5]} has no date to be renewed"
    )
    one_fault(renew, "unit_numbers", "No vial is chosen")
    with pytest.raises(Refused, match="monitor"):
        record_relabelled(pharmacy.desk, pharmacy.act("mona"), RelabelForm(lot.units[:1]))
