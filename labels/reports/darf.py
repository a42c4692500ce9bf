"""The accountability record in the layout that cancer centres know ("DARF-style", REGULATION 6.1): nine columns.

The layout is a convention here and no form of an agency, so it carries no form number. One balance runs through it, of
the unopened vials on site. Receipts and issues stand with their sign; what has no patient says in the patient's columns
where vials came from or went to. Moves that leave that balance as it is and end nothing (release, quarantine) stand on
the site's own record alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.accountability import balance_faults, total_faults
from labels.reports.frame import GREY, LEADING, SMALL_PT, Column, Frame, reason_marks, reason_words, said
from labels.text import amount, day, mg, reprint_words
from pharmacy_app.domain.errors import refuse_any
from pharmacy_app.services.papers import AccountabilityHeader, AccountabilityLine, Balances, PaperStamp

_PAD = 3.0
_NO_DOSE = "the line is no dose"
_NO_INITIALS = "the site records none"

_COLUMNS = (
    ("Line No.", 30, ""),
    ("Date", 56, ""),
    ("Patient's Initials", 42, _NO_INITIALS),
    ("Patient's ID No.", 104, ""),
    ("Dose", 44, _NO_DOSE),
    ("Quantity Dispensed or Received", 60, ""),
    ("Balance Forward / Balance", 56, ""),
    ("Manufacturer and Lot No.", 96, ""),
    ("Recorder's Initials", 76, ""),
)
DARF_COLUMNS = tuple(heading for heading, _, _ in _COLUMNS)
_INITIALS, _PATIENT, _BALANCE = 2, 3, 6
_RIGHT = ("Dose", "Quantity Dispensed or Received", "Balance Forward / Balance")

LEFT_OUT = ("RELEASE", "QUARANTINE")
"""Transactions that change no balance of this layout and end nothing."""

_SAYS = {
    "RECEIVE": "Received from {party}",
    "RETURN-SPONSOR": "Returned to {party}",
    "TRANSFER-OUT": "Transferred to {party}",
    "TRANSFER-IN": "Transferred from {party}",
    "TRANSPORT-OUT": "Transported out: {party}",
    "TRANSPORT-IN": "Transported in: {party}",
    "DESTROY": "Destroyed: {party}",
    "RETURN-SUBJECT": "Came back from {party}",
    "LOSS/BREAKAGE": "Lost or broken",
    "FOUND": "Found",
    "CORRECT": "Correction",
}


def darf_style_record(
    header: AccountabilityHeader,
    lines: Iterable[AccountabilityLine],
    totals: tuple[tuple[str, int], ...],
    stamp: PaperStamp,
    stock: Stock = LETTER,
) -> bytes:
    """Draw the record; refused when its numbers do not follow from each other."""
    refuse_any(total_faults(totals))
    record = _Record(header, stamp, stock)
    for line in lines:
        record.add(line)
    return record.close(totals)


@dataclass(frozen=True, slots=True)
class _Row:
    """What stands in the columns of one line, and beneath it."""

    cells: tuple[str, ...]
    spans: bool
    beneath: tuple[str, ...]
    struck: bool


class _Record:
    """One record being drawn."""

    def __init__(self, header: AccountabilityHeader, stamp: PaperStamp, stock: Stock) -> None:
        self.header = header
        self.balances = header.brought_forward
        self.number = 0
        about = f"{text.shown(header.product)} {amount(header.strength_mg)} mg"
        marker = " · ".join(part for part in (reprint_words(header.copy_number), about) if part)
        self.frame = Frame(stock, stamp, "Drug accountability record", marker, margin=30)
        scale = self.frame.room / sum(share for _, share, _ in _COLUMNS)
        self.columns = [
            Column(heading, share * scale, "right" if heading in _RIGHT else "left", absent=reason)
            for heading, share, reason in _COLUMNS
        ]
        self.marks = reason_marks(column.absent for column in self.columns)
        self._begin_page()

    def add(self, line: AccountabilityLine) -> None:
        """One line of the site's record, left out when it says nothing here; its balance must follow all the same."""
        refuse_any(balance_faults(self.balances, line))
        self.balances = line.balances
        if line.transaction in LEFT_OUT and not line.qty_in and not line.qty_out:
            return
        self.number += 1
        row = self._row(line)
        frame, columns = self.frame, self.columns
        wide = columns[_INITIALS].width + columns[_PATIENT].width
        wrapped = []
        for number, (cell, column) in enumerate(zip(row.cells, columns, strict=True)):
            room = wide if row.spans and number == _INITIALS else column.width
            shown = "" if row.spans and number == _PATIENT else said(cell, column.absent, self.marks)
            wrapped.append(text.wrap(shown, column.font, SMALL_PT, room - 2 * _PAD))
        beneath = [piece for words in row.beneath for piece in text.wrap(words, text.PLAIN, SMALL_PT, frame.room - 40)]
        step = SMALL_PT * LEADING
        if max(len(cell) for cell in wrapped) + len(beneath) > self._fit():
            self._begin_page(before=_before(line))
        lined = [row.struck] * len(columns)
        frame.parts(columns, wrapped, SMALL_PT, _PAD, lambda: self._begin_page(before=line.balances), lined=lined)
        frame.y -= 4
        for piece in beneath:
            # Many vials destroyed together can take more than a page: then the line goes on on the next.
            if not self._fit():
                frame.rule(frame.y + 4, grey=0.6, thickness=0.35)
                self._begin_page(before=line.balances)
            frame.y += step
            frame.write(piece, frame.margin + 34, frame.y, size=SMALL_PT, grey=0.2)
        frame.y += 4
        frame.rule(frame.y, grey=0.6, thickness=0.35)

    def _fit(self) -> int:
        """How many rows of words fit above the balance carried forward."""
        return max(int((self.frame.floor - self.frame.y - 14 - 4) / (SMALL_PT * LEADING)), 0)

    def close(self, totals: tuple[tuple[str, int], ...]) -> bytes:
        """The end of the record: its last balance and the identity it must keep."""
        frame = self.frame
        if frame.y + 100 > frame.floor:
            self._begin_page(before=self.balances)
        self._forward("Balance at the end of this record", self.balances)
        (name, received), *states = totals
        parts = " + ".join(f"{state} {count:,}" for state, count in states)
        frame.y += 4
        frame.paragraph("Every vial is in exactly one state:", size=SMALL_PT)
        frame.paragraph(f"{name} {received:,} = {parts or '0'}", font=text.SEMI)
        frame.sign_by_hand(("Pharmacist", "Principal investigator", "Monitor"))
        return frame.finish()

    def _row(self, line: AccountabilityLine) -> _Row:
        change = (line.qty_in or 0) - (line.qty_out or 0)
        party = text.shown(line.party)
        of_patient = line.transaction == "DISPENSE"
        words = _SAYS.get(line.transaction, f"{line.transaction} {{party}}").format(party=party)
        beneath = []
        if not of_patient and not change:
            beneath.append(f"No change to this balance: {line.unit_number}.")
        if line.transaction == "CORRECT" and line.comment:
            beneath.append(f"{line.comment[:1].upper()}{line.comment[1:]}")
        if line.late_entry:
            beneath.append(f"LATE ENTRY of {day(line.entry_at)}: {line.late_entry}")
        if line.corrected:
            beneath.append(f"CORRECTED: {line.corrected}")
        return _Row(
            (
                str(self.number),
                day(line.event_at),
                line.subject_initials if of_patient else words,
                line.party if of_patient else "",
                "" if line.dose_mg is None else f"{mg(line.dose_mg)} mg",
                "0" if not change else f"{change:+,}".replace("-", "−"),
                f"{line.balances.on_site:,}",
                ", ".join(part for part in (self.header.manufacturer, line.lot) if part),
                _initials(line.recorder),
            ),
            not of_patient,
            tuple(beneath),
            bool(line.corrected),
        )

    def _begin_page(self, before: Balances | None = None) -> None:
        frame, head = self.frame, self.header
        frame.begin_page()
        satellite = head.record_type == "Satellite record"
        control = head.record_type == "Control record"
        boxes = (("Control Record", control), ("Satellite Record", satellite))
        kind = "   ".join(f"[{'X' if ticked else '  '}] {name}" for name, ticked in boxes)
        if not control and not satellite:
            kind += f"   ({head.record_type})"
        frame.pairs(
            [
                ("Page No.", str(frame.page)),
                ("Record", kind),
                ("Name of Institution", f"{head.site_name} ({head.site_number})"),
                ("Protocol No.", head.protocol_name),
                ("Agent Name", head.product),
                ("Dose Form and Strength", f"{head.dosage_form}, {amount(head.strength_mg)} mg"),
                ("Dispensing Area", head.storage_location),
                ("Investigator Name", head.principal_investigator),
                ("Investigator ID", "N/A: no register of this study gives one"),
                ("Lot", head.lot or "all lots"),
            ],
            columns=2,
        )
        frame.y += 2
        if frame.page == 1:
            frame.paragraph(
                f"Quantities are unopened vials. {reason_words(self.marks)} Releases and quarantines change no balance"
                " of this layout: they stand on the site's accountability record.",
                size=SMALL_PT,
            )
            frame.y += 3
        heads = [text.wrap(column.heading, text.SEMI, SMALL_PT, column.width - 2 * _PAD) for column in self.columns]
        plain = [Column(column.heading, column.width, column.align, text.SEMI) for column in self.columns]
        frame.need((max(len(head) for head in heads) + 5) * SMALL_PT * LEADING)
        frame.rule(frame.y, grey=0.3, thickness=0.8)
        frame.cells(plain, heads, SMALL_PT, _PAD, grey=GREY)
        frame.y += max(len(head) for head in heads) * SMALL_PT * LEADING + 3
        frame.rule(frame.y, grey=0.3, thickness=0.8)
        self._forward("Balance forward", head.brought_forward if before is None else before)

    def _forward(self, words: str, balances: Balances) -> None:
        frame = self.frame
        y = frame.y + SMALL_PT * LEADING - 0.5
        edge = frame.margin + sum(column.width for column in self.columns[: _BALANCE + 1])
        frame.write(words, frame.margin + self.columns[0].width + _PAD, y, font=text.SEMI, size=SMALL_PT)
        frame.write(f"{balances.on_site:,}", edge - _PAD, y, font=text.BOLD, size=SMALL_PT, align="right")
        frame.y += SMALL_PT * LEADING + 3
        frame.rule(frame.y, grey=0.3)


def _before(line: AccountabilityLine) -> Balances:
    """The balance on site before a line; of the others this layout shows none."""
    on_site = line.balances.on_site - (line.qty_in or 0) + (line.qty_out or 0)
    return Balances(0, 0, on_site)


def _initials(name: str) -> str:
    """``DW (Dana Whitfield)``: initials alone could be another person's."""
    if not name.strip():
        return "N/A: no person"
    return f"{''.join(_first_letters(name))} ({name})" if " " in name.strip() else name


def _first_letters(name: str) -> Iterator[str]:
    return (part[0] for part in name.replace(",", " ").split() if part[0].isalpha())
