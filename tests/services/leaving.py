"""What tests need to send vials away, and to look at one refusal."""

from collections.abc import Callable

import pytest

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.disposition import PERMISSION_KIND, CarrierTyped
from pharmacy_app.services.documents import PURPOSES, DocumentForm, attach_document
from tests.services.pharmacy import Pharmacy

CARRIER = CarrierTyped("World Courier", "WC-4711", "1", "SEAL-9", "TL-88")


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


def permission(pharmacy: Pharmacy) -> str:
    """Attach a permission of the supporter; its number."""
    form = DocumentForm(
        "Letter", PERMISSION_KIND, "", "Dr. A. Ito, Pfizer", pharmacy.day(), "letter.txt", permits=PURPOSES
    )
    content = f"Permitted after event {pharmacy.count()}.".encode()
    return str(attach_document(pharmacy.desk, pharmacy.act("paula"), form, content).content["document_id"])
