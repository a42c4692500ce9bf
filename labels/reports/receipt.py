"""The receipt of a shipment for the supporter, with the columns of REGULATION 6.6: one line a lot of the packing list.

What nobody has recorded yet (the acknowledgement, the release) and what does not apply print N/A with the reason.
"""

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.frame import SMALL_PT, Column, Frame
from labels.text import amount, day, moment, reprint_words
from pharmacy_app.services.papers import ReceiptRecord, ReceivedLot

# Headings are the words of REGULATION; the numbers are shares of the sheet's width.
_RECEIPT = (
    ("Shipment no.", 42),
    ("Sender", 51),
    ("Ship date", 34),
    ("Received date-time", 50),
    ("Received by", 36),
    ("Packing list no.", 36),
    ("Logger serial", 34),
    ("Alarm Y/N", 26),
    ("Min °C", 22),
    ("Max °C", 22),
    ("Product", 47),
    ("Strength", 34),
    ("Lot", 46),
    ("Expiry", 34),
    ("Kit range", 48),
    ("Qty listed", 27),
    ("Qty counted", 33),
    ("Damaged", 38),
    ("State set", 27),
    ("Acknowledged to sponsor at", 59),
    ("Released by", 38),
)
_OLDER = "the record is older than this question"
_ABSENT = {
    "Packing list no.": "none was given",
    "Min °C": "the logger was not read, or shows none",
    "Max °C": "the logger was not read, or shows none",
    "Alarm Y/N": "the logger was not read",
    "Kit range": "the vials came without kit numbers",
    "Qty listed": _OLDER,
    "Damaged": _OLDER,
    "State set": "no vial of the lot came",
    "Acknowledged to sponsor at": "no acknowledgement is on record",
    "Released by": "no vial of the lot came",
}
_NUMBERS = ("Lot", "Kit range")
"""Columns whose O and 0, I and 1 must be told apart by eye."""
RECEIPT_COLUMNS = tuple(heading for heading, _ in _RECEIPT)

_ALARM = {"alarm": "Y", "no alarm": "N", "not read": "not read"}


def receipt_record(record: ReceiptRecord, stock: Stock = LETTER) -> bytes:
    """Draw the receipt of one shipment."""
    marker = " · ".join(part for part in (reprint_words(record.copy_number), record.record_number) if part)
    frame = Frame(stock.turned(), record.stamp, "Receipt of study drug", marker, margin=18)
    frame.begin_page()
    frame.pairs(
        [
            ("Record no.", record.record_number),
            ("Protocol", record.stamp.protocol_name),
            ("Site", f"{record.stamp.site_number} {record.stamp.site_name}"),
            ("Investigator", record.investigator),
            ("Pharmacy telephone", record.pharmacy_phone),
        ],
        columns=5,
    )
    scale = frame.room / sum(share for _, share in _RECEIPT)
    columns = [
        Column(
            heading,
            share * scale,
            font=text.MONO if heading in _NUMBERS else text.PLAIN,
            absent=_ABSENT.get(heading, "none on record"),
        )
        for heading, share in _RECEIPT
    ]
    frame.y += 4
    frame.table(columns, [_row(record, lot) for lot in record.lots], pad=1.6, size=SMALL_PT)
    frame.y += 4
    for words in _notes(record):
        frame.paragraph(words)
    frame.sign_by_hand(("Pharmacist", "Received by the supporter"))
    return frame.finish()


def _row(record: ReceiptRecord, lot: ReceivedLot) -> tuple[str, ...]:
    return (
        record.shipment_number,
        record.sender,
        day(record.shipped_on),
        moment(record.received_at),
        record.received_by,
        record.packing_list,
        record.logger_serial,
        _ALARM.get(record.logger_state, ""),
        "" if record.min_celsius is None else str(record.min_celsius).replace("-", "−"),
        "" if record.max_celsius is None else str(record.max_celsius).replace("-", "−"),
        record.product,
        f"{amount(lot.strength_mg)} mg",
        lot.lot,
        day(lot.expires_on),
        lot.kits,
        "" if lot.listed is None else f"{lot.listed:,}",
        f"{lot.counted:,}",
        "" if lot.damaged is None else f"{lot.damaged:,}",
        "held" if lot.counted else "",
        moment(record.acknowledged_at) if record.acknowledged_at else "",
        ", ".join(lot.released_by) or ("N/A: not released on record" if lot.counted else ""),
    )


def _notes(record: ReceiptRecord) -> list[str]:
    """What the columns have no room for: differences, damage, why vials are held, who was told how."""
    notes = []
    for lot in record.lots:
        name = f"{amount(lot.strength_mg)} mg lot {lot.lot}"
        if lot.listed is not None and lot.listed != lot.counted:
            more = (
                f"{lot.counted - lot.listed} more" if lot.counted > lot.listed else f"{lot.listed - lot.counted} fewer"
            )
            notes.append(f"{name}: {more} than listed ({_one_line(lot.difference_note)}).")
        if lot.condition_note:
            notes.append(f"{name}: {lot.damaged or lot.counted} damaged ({_one_line(lot.condition_note)}).")
    if record.hold_reason:
        notes.append(f"Held: {record.hold_reason}.")
    if record.note:
        notes.append(f"Note: {_one_line(record.note)}")
    if record.acknowledged_at:
        notes.append(f"Acknowledged to {record.acknowledged_to}: {record.acknowledged_how}.")
    return notes


def _one_line(words: str) -> str:
    return " ".join(words.split())
