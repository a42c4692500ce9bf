"""The forms of vials that are not given: destruction, return and transfer, with the columns of REGULATION 6.4 to 6.6.

What others write on the paper later (who received the vials, what was counted there) is a line that says who is to
fill it in; what nobody recorded and what does not apply print N/A.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.frame import SMALL_PT, Column, Frame
from labels.text import amount, day, mg, moment, reprint_words
from pharmacy_app.services.papers import (
    Approval,
    Carriage,
    DestroyedVial,
    DestructionRecord,
    PaperStamp,
    ReturnedVial,
    ReturnRecord,
    TransferRecord,
)

TAKEN_BACK = "TAKEN BACK"
"""What stands on the form of an act that was recorded by mistake."""

NOT_RECORDED = f"{text.NOT_APPLICABLE}: not recorded"
"""What the paper asks for and the journal does not hold."""

THERE = "______ to be filled in by the receiving site"
"""A line for what is known only where the vials arrive."""

# Headings are the words of REGULATION; the numbers are shares of the sheet's width.
_DESTRUCTION = (
    ("Line", 20),
    ("Date-time destroyed", 51),
    ("Product", 47),
    ("Strength", 37),
    ("Lot", 43),
    ("Expiry", 51),
    ("Kit/vial no.", 50),
    ("State (empty, partial, unopened)", 44),
    ("Subject ID and dispensing line", 50),
    ("Quantity vials", 37),
    ("Residual mg", 36),
    ("Reason (used, partial remainder, expired, damaged, excursion, study end)", 46),
    ("Method", 48),
    ("Waste container / manifest no.", 44),
    ("Destroyed by", 43),
    ("Witnessed by", 44),
    ("Certificate no. and date", 46),
    ("Comments", 47),
)
_RETURN = (
    ("Line", 24),
    ("Product", 62),
    ("Strength", 40),
    ("Lot", 50),
    ("Expiry", 54),
    ("Kit/vial no.", 74),
    ("Quantity vials", 44),
    ("Container (unopened original Y/N)", 58),
    ("Condition", 84),
    ("Reason (expired, unused, study end, recall, damaged, excursion)", 64),
    ("Subject ID (if from subject)", 56),
    ("Status before return", 60),
    ("Comments", 86),
)
_TRANSFER = (
    ("Product", 64),
    ("Strength", 42),
    ("Lot", 50),
    ("Expiry", 54),
    ("Kits", 132),
    ("Qty", 30),
    ("Transport condition and logger", 132),
    ("Sent by/at", 84),
    ("Received by/at", 62),
    ("Qty received", 48),
    ("Discrepancy", 58),
)
_ABSENT = {
    "Subject ID and dispensing line": "never dispensed",
    "Residual mg": "never opened",
    "Subject ID (if from subject)": "it never left for a subject",
    "Comments": "nothing to remark",
    "Waste container / manifest no.": "none was given",
    "Certificate no. and date": "none was given",
}
_NUMBERS = ("Lot", "Kit/vial no.", "Kits")
"""Columns whose O and 0, I and 1 must be told apart by eye."""
DESTRUCTION_COLUMNS = tuple(heading for heading, _ in _DESTRUCTION)
RETURN_COLUMNS = tuple(heading for heading, _ in _RETURN)
TRANSFER_COLUMNS = tuple(heading for heading, _ in _TRANSFER)


def destruction_record(record: DestructionRecord, stock: Stock = LETTER) -> bytes:
    """Draw the record of containers destroyed on site."""
    frame = _begun(stock, record.stamp, "Destruction record", record)
    accounted = "; ".join(f"{each.name}, {day(each.on)}" for each in record.accounted)
    frame.pairs(
        [
            ("Record no.", record.record_number),
            ("Protocol", record.stamp.protocol_name),
            ("Site", _site(record.stamp)),
            ("Investigator", record.investigator),
            ("Sponsor permission (reference, name, date)", _approved(record.approval)),
            ("Monitor accountability (name, date)", accounted),
            ("Destruction site or waste contractor", f"on site, {record.stamp.site_name}"),
            ("SOP no.", NOT_RECORDED),
        ],
        columns=4,
    )
    rows = [_destroyed(number, vial, record) for number, vial in enumerate(record.vials, start=1)]
    frame.y += 4
    frame.table(_columns(frame, _DESTRUCTION), rows, pad=1.8, size=SMALL_PT, struck=bool(record.taken_back))
    _totals(frame, record, ((vial.strength_mg, vial.lot, 1) for vial in record.vials))
    # The lines for ink stay on the page of the signatures they belong to.
    frame.need(90 + 17 * len(record.signatures))
    frame.signatures(record.signatures, "Not signed.")
    frame.sign_by_hand(("Pharmacist", "Monitor"))
    return frame.finish()


def _destroyed(number: int, vial: DestroyedVial, record: DestructionRecord) -> tuple[str, ...]:
    return (
        str(number),
        moment(record.destroyed_at),
        record.product,
        _strength(vial.strength_mg),
        vial.lot,
        day(vial.expires_on),
        _unit(vial.unit_number, vial.kit_number),
        vial.state,
        vial.dispensed,
        "1",
        "" if vial.residual_mg is None else mg(vial.residual_mg),
        vial.reason,
        record.method,
        record.container,
        record.destroyed_by,
        record.witnessed_by,
        record.certificate,
        _one_line(record.note),
    )


def return_record(record: ReturnRecord, stock: Stock = LETTER) -> bytes:
    """Draw the record of unopened vials that went back to the supporter."""
    frame = _begun(stock, record.stamp, "Return record", record)
    carriage = record.carriage
    frame.pairs(
        [
            ("Return no.", record.record_number),
            ("Protocol", record.stamp.protocol_name),
            ("Site, address, contact", f"{_site(record.stamp)}, address {NOT_RECORDED}, {record.pharmacy_phone}"),
            ("Investigator", record.investigator),
            ("Ship-to depot", record.depot),
            ("Sponsor authorization (reference, name, date)", _approved(record.approval)),
            ("Monitor", ", ".join(record.monitors)),
            ("Courier", carriage.courier),
            ("Tracking no.", carriage.tracking_number),
            ("Packages", str(carriage.packages)),
            ("Seal no.", carriage.seal),
            ("Shipping condition and logger serial", f"{NOT_RECORDED}, logger {carriage.logger_serial}"),
            ("Date shipped", moment(record.shipped_at)),
        ],
        columns=5,
    )
    rows = [_returned(number, vial, record) for number, vial in enumerate(record.vials, start=1)]
    frame.y += 4
    frame.table(_columns(frame, _RETURN), rows, struck=bool(record.taken_back))
    _totals(frame, record, ((vial.strength_mg, vial.lot, 1) for vial in record.vials))
    frame.y += 6
    frame.pairs([("Packed by / date", f"{record.packed_by}, {day(record.shipped_at)}")], columns=1)
    frame.by_hand(
        (
            ("Verified by / date", "who verifies"),
            ("Monitor / date", "the monitor"),
            ("Received at depot by / date", "the depot"),
            ("Quantity received", "the depot"),
            ("Discrepancies", "the depot"),
        )
    )
    frame.signatures(record.signatures, "Not signed.")
    return frame.finish()


def _returned(number: int, vial: ReturnedVial, record: ReturnRecord) -> tuple[str, ...]:
    return (
        str(number),
        record.product,
        _strength(vial.strength_mg),
        vial.lot,
        day(vial.expires_on),
        _unit(vial.unit_number, vial.kit_number),
        "1",
        "Y",
        _one_line(vial.condition) or "no fault on record",
        record.reason,
        "",
        vial.status_before,
        _one_line(record.note),
    )


def transfer_record(record: TransferRecord, stock: Stock = LETTER) -> bytes:
    """Draw the record of unopened vials that went to another site of the study."""
    frame = _begun(stock, record.stamp, "Transfer record", record)
    protocol = record.stamp.protocol_name
    sent_from = (protocol, _site(record.stamp), record.investigator, ", ".join(record.places))
    frame.pairs(
        [
            ("Transfer no.", record.record_number),
            ("From (protocol, site, investigator, location)", ", ".join(sent_from)),
            (
                "To (protocol, site, investigator, location)",
                f"{protocol}, {record.to_site}, investigator {NOT_RECORDED}, location {NOT_RECORDED}",
            ),
            ("Approval ref, by, date", _approved(record.approval)),
        ],
        columns=4,
    )
    rows = [
        (
            record.product,
            _strength(lot.strength_mg),
            lot.lot,
            day(lot.expires_on),
            lot.kits,
            f"{lot.vials:,}",
            _transport(record.carriage),
            f"{record.sent_by}, {moment(record.sent_at)}",
            THERE,
            THERE,
            THERE,
        )
        for lot in record.lots
    ]
    frame.y += 4
    frame.table(_columns(frame, _TRANSFER), rows, struck=bool(record.taken_back))
    _totals(frame, record, ((lot.strength_mg, lot.lot, lot.vials) for lot in record.lots))
    frame.paragraph(f"Reason: {' · '.join(part for part in (record.reason, _one_line(record.note)) if part)}")
    frame.signatures(record.signatures, "Not signed.")
    return frame.finish()


def _transport(carriage: Carriage) -> str:
    packages = "1 package" if carriage.packages == 1 else f"{carriage.packages} packages"
    return (
        f"condition {NOT_RECORDED}; {carriage.courier} {carriage.tracking_number}, {packages}, seal {carriage.seal};"
        f" logger {carriage.logger_serial}"
    )


# --- what they share -------------------------------------------------------------------------------------------


def _begun(
    stock: Stock, stamp: PaperStamp, title: str, record: DestructionRecord | ReturnRecord | TransferRecord
) -> Frame:
    """The first page begun; a form of what was taken back says so at the head of every page and in words."""
    back = TAKEN_BACK if record.taken_back else ""
    marker = " · ".join(part for part in (back, reprint_words(record.copy_number), record.record_number) if part)
    frame = Frame(stock.turned(), stamp, title, marker, margin=18)
    frame.begin_page()
    if back:
        frame.y += 2
        words = f"{back} {_one_line(record.taken_back).rstrip('.')}. What is struck through did not happen."
        frame.paragraph(words, font=text.BOLD, size=10)
        frame.y += 3
        frame.rule(frame.y, grey=0, thickness=1.2)
        frame.y += 3
    return frame


def _columns(frame: Frame, shares: Sequence[tuple[str, int]]) -> list[Column]:
    scale = frame.room / sum(share for _, share in shares)
    return [
        Column(
            heading,
            share * scale,
            font=text.MONO if heading in _NUMBERS else text.PLAIN,
            absent=_ABSENT.get(heading, "none on record"),
        )
        for heading, share in shares
    ]


def _totals(
    frame: Frame,
    record: DestructionRecord | ReturnRecord | TransferRecord,
    counted: Iterable[tuple[Decimal, str, int]],
) -> None:
    """How many vials of each strength and lot, and in all."""
    totals: dict[tuple[Decimal, str], int] = {}
    for strength_mg, lot, vials in counted:
        totals[strength_mg, lot] = totals.get((strength_mg, lot), 0) + vials
    parts = [f"{_strength(strength)} lot {lot}: {vials:,}" for (strength, lot), vials in sorted(totals.items())]
    frame.y += 4
    heading = "Vials, taken back" if record.taken_back else "Vials"
    frame.paragraph(f"{heading}: {'; '.join(parts)}; in all {sum(totals.values()):,}", font=text.SEMI)


def _site(stamp: PaperStamp) -> str:
    return f"{stamp.site_number} {stamp.site_name}"


def _approved(approval: Approval) -> str:
    return f"{approval.reference}, {approval.name}, {day(approval.dated_on)}"


def _strength(strength_mg: Decimal) -> str:
    return f"{amount(strength_mg)} mg"


def _unit(unit_number: str, kit_number: str) -> str:
    return f"{unit_number} kit {kit_number}" if kit_number else unit_number


def _one_line(words: str) -> str:
    return " ".join(words.split())
