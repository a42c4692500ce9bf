"""The receipt for the supporter: the columns of the regulation, nothing clipped, nothing on top, copies marked."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from labels import proof
from labels.papers import PdfPapers
from labels.reports.receipt import RECEIPT_COLUMNS
from pharmacy_app.services.papers import ReceiptRecord, ReceivedLot
from tests.labels.samples import RECEIPT, TEN_FIFTEEN, collisions

# REGULATION 6.6, Receipt, typed from there.
RECEIPT_LINE = (
    "Shipment no. | Sender | Ship date | Received date-time | Received by | Packing list no. | Logger serial | "
    "Alarm Y/N | Min °C | Max °C | Product | Strength | Lot | Expiry | Kit range | Qty listed | Qty counted | "
    "Damaged | State set | Acknowledged to sponsor at | Released by"
)


def words_of(record: ReceiptRecord) -> str:
    """The words of all pages with single blanks."""
    return re.sub(r"\s+", " ", " ".join(proof.page_texts(PdfPapers().receipt_record(record))))


def letters_of(record: ReceiptRecord) -> str:
    """The same without blanks and soft breaks: what wraps in a narrow column is whole again."""
    return re.sub(r"[\s￾-]", "", words_of(record))


def test_the_receipt_has_the_columns_of_the_regulation() -> None:
    assert list(RECEIPT_COLUMNS) == RECEIPT_LINE.split(" | ")


@pytest.mark.parametrize("sheet", ["letter", "a4"])
def test_no_word_lies_on_another(sheet: str) -> None:
    pdf = PdfPapers(sheet=sheet).receipt_record(RECEIPT)
    assert proof.page_count(pdf) == 1
    assert collisions(pdf, 0) == []


def test_a_receipt_says_what_was_listed_counted_and_damaged() -> None:
    letters = letters_of(RECEIPT)
    for part in ("SHP20260917", "PL88213A", "TL88213", "Y−0.58.0", "KIT00200–KIT00208", "1092held"):
        assert part in letters
    words = words_of(RECEIPT)
    assert "1 mg lot HX2201A: 1 fewer than listed (carton sealed, supporter telephoned)." in words
    assert "1 mg lot HX2201A: 2 damaged (2 vials cracked)." in words
    assert "Held: the temperature logger shows an alarm; it recorded −0.5 °C to 8 °C" in words


def test_what_an_older_record_does_not_say_is_not_a_zero() -> None:
    # 4 mg: listed N/A, counted 3, damaged N/A.
    assert "N/AaN/Ab3N/Abheld" in letters_of(RECEIPT)
    assert "b: the record is older than this question; c:" in words_of(RECEIPT)


def test_what_is_not_done_yet_says_so() -> None:
    """Two lots of one shipment, not acknowledged; one of them is not released."""
    words = words_of(RECEIPT)
    assert "c: no acknowledgement is on record." in words
    assert words.count("N/A c") == 2
    assert letters_of(RECEIPT).count("N/A:notreleasedonrecord") == 1
    assert "___" not in words
    told = replace(RECEIPT, acknowledged_at=TEN_FIFTEEN, acknowledged_to="Dr. A. Ito", acknowledged_how="e-mail")
    assert "acknowledgement is on record" not in words_of(told)
    assert "Acknowledged to Dr. A. Ito: e-mail." in words_of(told)


def test_a_copy_says_that_it_is_one() -> None:
    assert "REPRINT" not in words_of(RECEIPT)
    assert "REPRINT 1" in words_of(replace(RECEIPT, copy_number=2))


def test_an_extra_vial_and_a_lot_that_stayed_away_are_told() -> None:
    extra = ReceivedLot(Decimal(4), "B7", date(2027, 6, 30), "", 2, 3, 0, 1, "one more", "", ())
    away = ReceivedLot(Decimal(1), "A1", date(2027, 3, 31), "", 10, 0, 0, 0, "second box is late", "", ())
    words = words_of(replace(RECEIPT, lots=(extra, away)))
    assert "4 mg lot B7: 1 more than listed (one more)." in words
    assert "1 mg lot A1: 10 fewer than listed (second box is late)." in words


def test_a_shipment_of_many_lots_goes_over_pages_with_its_headings() -> None:
    many = tuple(replace(RECEIPT.lots[0], lot=f"LOT-{number:03d}") for number in range(40))
    pdf = PdfPapers().receipt_record(replace(RECEIPT, lots=many))
    texts = proof.page_texts(pdf)
    assert len(texts) > 1
    assert all("Packing" in text for text in texts[:2])
    assert sum(text.count("LOT-") for text in texts) >= 40
