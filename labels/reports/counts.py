"""The record of a physical count and the report that closes the study's books, with the columns of REGULATION 6.6."""

from collections.abc import Sequence

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.frame import Column, Frame
from labels.text import amount, day, moment, reprint_words
from pharmacy_app.domain.counts import say_difference
from pharmacy_app.services.papers import CloseOutReport, CloseOutRow, CountRecord, PaperStamp

# Headings are the words of REGULATION; the numbers are shares of the sheet's width.
_COUNT = (
    ("Date-time", 84),
    ("Location", 78),
    ("Strength", 44),
    ("Lot", 70),
    ("Expected", 44),
    ("Counted", 44),
    ("Difference", 48),
    ("Explanation", 168),
    ("Counted by", 76),
    ("Verified by", 76),
)
COUNT_COLUMNS = tuple(heading for heading, _ in _COUNT)
_CLOSE_OUT = (
    ("Strength", 44),
    ("Lot", 84),
    ("Expiry", 62),
    ("Received", 48),
    ("Returned", 48),
    ("Transferred", 54),
    ("Destroyed", 50),
    ("Missing", 44),
    ("Unopened on site", 58),
    ("Containers on site", 60),
    ("Balance on site", 56),
    ("Check", 84),
)
CLOSE_OUT_COLUMNS = tuple(heading for heading, _ in _CLOSE_OUT)
_NUMBERS = ("Expected", "Counted", "Difference", *CLOSE_OUT_COLUMNS[3:11])
_SCANNED = {"scan": "by scan, vial by vial", "number": "by number"}


def count_record(record: CountRecord, stock: Stock = LETTER) -> bytes:
    """Draw the record of one physical count."""
    frame = _begun(stock, record.stamp, "Count record", record.count_number, record.copy_number)
    counted = " and ".join({"vials": "unopened vials", "containers": "used containers"}[kind] for kind in record.kinds)
    frame.pairs(
        [
            ("Count no.", record.count_number),
            ("Protocol", record.stamp.protocol_name),
            ("Site", f"{record.stamp.site_number} {record.stamp.site_name}"),
            ("Product", record.product),
            ("What was counted", counted),
            ("Strengths", "all" if record.strength_mg is None else f"{amount(record.strength_mg)} mg"),
            ("How", f"{_SCANNED[record.method]}, blind: expected numbers shown after handing in"),
            ("Discrepancy", record.discrepancy or "none"),
        ],
        columns=4,
    )
    when = moment(record.counted_at)
    both_kinds = len(record.kinds) > 1
    rows = [
        (
            when,
            record.place,
            f"{amount(row.strength_mg)} mg",
            f"{row.lot} ({row.kind})" if both_kinds else row.lot,
            f"{row.expected:,}",
            f"{row.counted:,}",
            say_difference(row.difference),
            row.explanation,
            record.counted_by,
            record.verified_by,
        )
        for row in record.rows
    ] or [(when, record.place, "", "", "0", "0", "0", "nothing there", record.counted_by, record.verified_by)]
    frame.y += 4
    frame.table(_columns(frame, _COUNT), rows)
    frame.y += 4
    totals = [sum(getattr(row, name) for row in record.rows) for name in ("expected", "counted", "difference")]
    frame.paragraph(
        f"In all: expected {totals[0]:,}, counted {totals[1]:,}, difference {say_difference(totals[2])}.",
        font=text.SEMI,
    )
    _listed(frame, "Missing", record.missing)
    _listed(frame, "Found here, elsewhere or otherwise in the record", record.strays)
    _listed(frame, "Codes that are no vial of this record", record.unknown)
    if record.discrepancy:
        frame.section(f"Discrepancy {record.discrepancy}")
        frame.paragraph(
            f"{record.outcome[:1].upper()}{record.outcome[1:]}. {_one_line(record.explanation)}"
            if record.outcome
            else "Open: not explained yet."
        )
    if record.note:
        frame.paragraph(f"Note: {_one_line(record.note)}")
    frame.signatures(record.signatures, "Not signed.")
    return frame.finish()


def close_out_report(report: CloseOutReport, stock: Stock = LETTER) -> bytes:
    """Draw the closing of the study's books, or how far it is."""
    number = report.number or "not signed"
    frame = _begun(stock, report.stamp, "Close-out of drug accountability", number, report.copy_number)
    frame.pairs(
        [
            ("Close-out no.", report.number or "none: this tells how things stand"),
            ("Protocol", report.stamp.protocol_name),
            ("Site", f"{report.stamp.site_number} {report.stamp.site_name}"),
            ("Investigator", report.investigator),
            ("Product", report.product),
            ("As of", moment(report.as_of)),
        ],
        columns=3,
    )
    frame.y += 4
    frame.table(_columns(frame, _CLOSE_OUT), [_closed(row) for row in report.rows])
    frame.y += 4
    left = sum(row.on_site + row.containers for row in report.rows)
    frame.paragraph(
        f"Vials received {sum(row.received for row in report.rows):,}; balance on site {left:,}.", font=text.SEMI
    )
    frame.section("Open items")
    if report.open_items:
        for item in report.open_items:
            frame.paragraph(f"– {_one_line(item)}")
    else:
        frame.paragraph("None. The balance of every strength and lot is zero.", font=text.SEMI)
    if report.note:
        frame.paragraph(f"Note: {_one_line(report.note)}")
    frame.signatures(report.signatures, "Not signed: pharmacist and monitor sign once nothing is open.")
    if report.number:
        frame.sign_by_hand(("Investigator",))
    return frame.finish()


def _closed(row: CloseOutRow) -> tuple[str, ...]:
    left = row.on_site + row.containers
    check = ("zero" if not left else "not zero") if row.balances else "does NOT add up"
    numbers = (
        row.received,
        row.returned,
        row.transferred,
        row.destroyed,
        row.missing,
        row.on_site,
        row.containers,
        left,
    )
    return (
        f"{amount(row.strength_mg)} mg",
        row.lot,
        day(row.expires_on),
        *(f"{number:,}" for number in numbers),
        check,
    )


def _begun(stock: Stock, stamp: PaperStamp, title: str, number: str, copy_number: int) -> Frame:
    marker = " · ".join(part for part in (reprint_words(copy_number), number) if part)
    frame = Frame(stock.turned(), stamp, title, marker, margin=24)
    frame.begin_page()
    return frame


def _columns(frame: Frame, shares: Sequence[tuple[str, int]]) -> list[Column]:
    scale = frame.room / sum(share for _, share in shares)
    return [
        Column(
            heading,
            share * scale,
            "right" if heading in _NUMBERS else "left",
            text.MONO if heading == "Lot" else text.PLAIN,
            "nothing of the kind lay there",
        )
        for heading, share in shares
    ]


def _listed(frame: Frame, title: str, items: Sequence[str]) -> None:
    if not items:
        return
    frame.section(f"{title} ({len(items):,})")
    # Numbers and codes: O and 0, I and 1 must be told apart by eye.
    frame.paragraph(" · ".join(items), font=text.MONO)


def _one_line(words: str) -> str:
    return " ".join(words.split())
