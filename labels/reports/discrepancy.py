"""The record of one discrepancy between shelf and record: what was found, and how it was explained and by whom."""

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.dose_record import entries_table
from labels.reports.frame import Column, Frame
from labels.text import amount, moment, reprint_words
from pharmacy_app.domain.counts import say_difference
from pharmacy_app.services.papers_records import DiscrepancyRecord


def discrepancy_record(record: DiscrepancyRecord, stock: Stock = LETTER) -> bytes:
    """Draw the record of one discrepancy."""
    marker = " · ".join(part for part in (reprint_words(record.copy_number), record.number) if part)
    frame = Frame(stock, record.stamp, "Discrepancy record", marker)
    frame.begin_page()
    frame.pairs(
        [
            ("Discrepancy no.", record.number),
            ("State of this record", record.status),
            ("Product", record.product),
            ("Place", record.place or "N/A: opened without a count"),
            ("Count no.", record.count_number or "N/A: opened without a count"),
            ("Investigator", record.investigator),
            ("Opened", moment(record.opened_at)),
            ("Opened by", record.opened_by),
            ("Protocol", record.stamp.protocol_name),
        ],
        columns=3,
    )
    frame.section("What was found")
    frame.paragraph(_one_line(record.sentence))
    frame.y += 3
    room = frame.room
    columns = [
        Column("Strength", room * 0.12),
        Column("Lot", room * 0.24, font=text.MONO),
        Column("Difference", room * 0.14, "right", text.SEMI),
        Column("Vials by number", room * 0.5, font=text.MONO, absent="counted by number, not by vial"),
    ]
    if record.concerns:
        frame.table(
            columns,
            [
                (f"{amount(each.strength_mg)} mg", each.lot, say_difference(each.difference), ", ".join(each.units))
                for each in record.concerns
            ],
        )
    frame.section("Explanation")
    if record.closed_at is None:
        frame.paragraph("Open: not explained yet.", font=text.BOLD)
    else:
        frame.paragraph(f"{record.outcome[:1].upper()}{record.outcome[1:]}.", font=text.SEMI)
        frame.paragraph(_one_line(record.explanation))
        frame.paragraph(f"Closed {moment(record.closed_at)} by {record.closed_by}.")
    entries_table(frame, "Entries of the journal", record.entries)
    frame.signatures(record.signatures, "Not signed.")
    return frame.finish()


def _one_line(words: str) -> str:
    return " ".join(words.split())
