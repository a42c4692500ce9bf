"""The site-level accountability record: the columns of REGULATION 6.2, one line an event, balances on every page.

Lines stream through: a page is drawn as soon as it is full, so a record of a hundred thousand lines needs no more
memory for its lines than one page.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.frame import GREY, SMALL_PT, Frame, reason_marks, reason_words, said
from labels.text import amount, day, mg, moment, reprint_words
from pharmacy_app.domain.errors import Fault, refuse_any
from pharmacy_app.services.papers import AccountabilityHeader, AccountabilityLine, Balances, PaperStamp

_PAD = 2.2
_LINE_PT = 9.4
_HEAD_PT = 76.0


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    share: float
    turned: bool = False
    align: str = "left"
    font: str = text.PLAIN
    absent: str = ""


_NO_SUBJECT = "the line has no subject, or the site records no initials"
_NO_DOSE = "the line is no dose"
_ONE_WAY = "nothing moved that way"
_WITHIN = "inside the pharmacy"
_COLUMNS = (
    _Column("Line", 25, turned=True, align="right"),
    _Column("Event date-time", 50.5),
    _Column("Entry date-time", 50.5),
    _Column("Transaction", 53, font=text.SEMI),
    _Column("From/To or Subject ID", 44, absent=_WITHIN),
    _Column("Subject initials", 20, turned=True, absent=_NO_SUBJECT),
    _Column("Cycle/Day", 23, turned=True, absent=_NO_DOSE),
    _Column("Dose mg", 22, turned=True, align="right", absent=_NO_DOSE),
    _Column("Kit/vial no.", 54, font=text.MONO),
    _Column("Lot", 38.5, font=text.MONO),
    _Column("Expiry", 50.5),
    _Column("Qty in", 19, turned=True, align="right", absent=_ONE_WAY),
    _Column("Qty out", 19, turned=True, align="right", absent=_ONE_WAY),
    _Column("Balance available", 25, turned=True, align="right", font=text.SEMI),
    _Column("Balance quarantine", 25, turned=True, align="right", font=text.SEMI),
    _Column("Balance on site", 25, turned=True, align="right", font=text.SEMI),
    _Column("Reference document no.", 48.5, absent="no document belongs to it"),
    _Column("Comment / deviation no.", 54, absent="nothing to remark"),
    _Column("Recorder", 37.5),
    _Column("Verifier", 36.5, absent="the act takes one person"),
    _Column("Monitor verified (initials, date)", 50, absent="not verified by a monitor yet"),
)
COLUMN_NAMES = tuple(column.heading for column in _COLUMNS)
_MARKS = reason_marks(column.absent for column in _COLUMNS)


def accountability_record(
    header: AccountabilityHeader,
    lines: Iterable[AccountabilityLine],
    totals: tuple[tuple[str, int], ...],
    stamp: PaperStamp,
    stock: Stock = LETTER,
) -> bytes:
    """Draw the record; refused when its numbers do not follow from each other."""
    refuse_any(total_faults(totals))
    record = _Record(header, stamp, stock.turned())
    for line in lines:
        record.add(line)
    return record.close(totals)


def total_faults(totals: tuple[tuple[str, int], ...]) -> list[Fault]:
    """Whether what was received is found again in the states of today."""
    if not totals:
        return [Fault("totals", "The record has no totals. Print it from the ledger, which counts them.")]
    (_, received), *states = totals
    together = sum(count for _, count in states)
    if received == together and all(count >= 0 for _, count in totals):
        return []
    return [
        Fault(
            "totals",
            f"The record does not balance: {received} vials received, {together} found in their present states. It is "
            "not printed; verify the journal and find the difference first.",
        )
    ]


def balance_faults(before: Balances, line: AccountabilityLine) -> list[Fault]:
    """Whether a line's balance follows from the one before it, and is possible at all."""
    now = line.balances
    on_site = before.on_site + (line.qty_in or 0) - (line.qty_out or 0)
    if now.on_site != on_site:
        return [
            Fault(
                "balances",
                f"Line {line.line} shows {now.on_site} vials on site; {before.on_site} before it, {line.qty_in or 0} "
                f"in and {line.qty_out or 0} out make {on_site}. The record is not printed; verify the journal first.",
            )
        ]
    if min(now.available, now.quarantine) < 0 or now.available + now.quarantine > now.on_site:
        return [
            Fault(
                "balances",
                f"Line {line.line} shows {now.available} available and {now.quarantine} in quarantine of {now.on_site} "
                "on site, which cannot be. The record is not printed; verify the journal first.",
            )
        ]
    return []


class _Record:
    """One record being drawn."""

    def __init__(self, header: AccountabilityHeader, stamp: PaperStamp, stock: Stock) -> None:
        self.header = header
        self.balances = header.brought_forward
        self.rows_top = 0.0
        about = f"{text.shown(header.product)} {amount(header.strength_mg)} mg"
        marker = " · ".join(part for part in (reprint_words(header.copy_number), about) if part)
        self.frame = Frame(stock, stamp, "Investigational product accountability record", marker, margin=18)
        scale = self.frame.room / sum(column.share for column in _COLUMNS)
        self.widths = [column.share * scale for column in _COLUMNS]
        self.edges = [self.frame.margin + sum(self.widths[:number]) for number in range(len(_COLUMNS) + 1)]
        self._begin_page()

    def add(self, line: AccountabilityLine) -> None:
        """One line, on a new page when it does not fit above the balance carried forward.

        Many vials destroyed together can take more than a page: then the line goes on on the next.
        """
        refuse_any(balance_faults(self.balances, line))
        cells = [
            _fitted(said(cell, column.absent, _MARKS), column, width - 2 * _PAD)
            for cell, column, width in zip(_cells(line), _COLUMNS, self.widths, strict=True)
        ]
        high = max(len(pieces) for pieces, _ in cells)
        if high > self._fit():
            self._next_page()
        while high > (fit := self._fit()):
            self._draw([(pieces[:fit], size) for pieces, size in cells], struck=bool(line.corrected))
            self._close_row(fit * _LINE_PT + 3)
            # Its balances stand in the first part.
            self.balances = line.balances
            again = {"Line": str(line.line), "Transaction": "continued"}
            cells = [
                (pieces[fit:] or [again.get(column.heading, "")], size)
                for column, (pieces, size) in zip(_COLUMNS, cells, strict=True)
            ]
            high -= fit
            self._next_page()
        self._draw(cells, struck=bool(line.corrected))
        self._close_row(high * _LINE_PT + 3)
        self.balances = line.balances

    def _fit(self) -> int:
        """How many rows of words fit above the balance carried forward."""
        return int((self.frame.floor - self.frame.y - 14 - 3) / _LINE_PT)

    def _next_page(self) -> None:
        self._dividers()
        self._forward("Carried forward to the next page")
        self._begin_page()

    def close(self, totals: tuple[tuple[str, int], ...]) -> bytes:
        """The end of the record: its last balance and the identity it must keep."""
        self._dividers()
        self._forward("Balance at the end of this record")
        frame = self.frame
        (name, received), *states = totals
        parts = " + ".join(f"{state} {count:,}" for state, count in states)
        words = f"{name} {received:,} = {parts or '0'}"
        pieces = text.wrap(words, text.SEMI, 9, frame.room)
        high = 17 + 11.5 * len(pieces) + 40
        if frame.y + high > frame.floor:
            self._begin_page()
        frame.y += 14
        frame.write("Every vial is in exactly one state:", frame.margin, frame.y, size=SMALL_PT, grey=GREY)
        for piece in pieces:
            frame.y += 11.5
            frame.write(piece, frame.margin, frame.y, font=text.SEMI, size=9)
        frame.sign_by_hand(("Pharmacist", "Principal investigator", "Monitor"))
        return frame.finish()

    def _begin_page(self) -> None:
        frame, head = self.frame, self.header
        frame.begin_page()
        if frame.page == 1:
            frame.pairs(
                [
                    ("Sponsor / supporter", head.sponsor),
                    ("Protocol no.", head.protocol_name),
                    ("IND or EU CT no.", head.ind_number),
                    ("Site no. and name", f"{head.site_number} {head.site_name}"),
                    ("Principal investigator", head.principal_investigator),
                    ("Record type", head.record_type),
                    ("Product", head.product),
                    ("Dosage form", head.dosage_form),
                    ("Strength", f"{amount(head.strength_mg)} mg"),
                    ("Lot", head.lot or "all lots"),
                    ("Storage condition", head.storage_condition),
                    ("Storage location", head.storage_location),
                ],
                columns=6,
            )
            frame.paragraph(reason_words(_MARKS), size=SMALL_PT)
            frame.y += 3
        else:
            lot = f"lot {head.lot}" if head.lot else "all lots"
            words = " · ".join(
                text.shown(part) for part in (lot, head.record_type, head.storage_location, head.principal_investigator)
            )
            first, *more = text.wrap(words, text.SEMI, SMALL_PT, frame.room)
            for piece in (first, *(more if len(more) < 3 else ("[… and so on, as on page 1]",))):
                frame.y += 10
                frame.write(piece, frame.margin, frame.y, font=text.SEMI, size=SMALL_PT)
            frame.y += 3
        frame.need(_HEAD_PT + 5 * _LINE_PT)
        self._headings()
        if frame.page > 1:
            self._forward(f"Balance brought forward from page {frame.page - 1}")
        elif self.balances != Balances(0, 0, 0):
            self._forward("Balance brought forward")
        self.rows_top = frame.y

    def _headings(self) -> None:
        frame = self.frame
        high = _HEAD_PT
        frame.rule(frame.y, grey=0.3, thickness=0.8)
        base = frame.y + high - 4
        for number, column in enumerate(_COLUMNS):
            x = self.edges[number]
            if column.turned:
                frame.canvas.saveState()
                frame.canvas.translate(x + self.widths[number] / 2 + 2.8, frame.stock.height_pt - base)
                frame.canvas.rotate(90)
                frame.canvas.setFont(text.SEMI, SMALL_PT)
                frame.canvas.drawString(0, 0, column.heading)
                frame.canvas.restoreState()
                continue
            pieces = text.wrap(column.heading, text.SEMI, SMALL_PT, self.widths[number] - 2 * _PAD)
            for back, piece in enumerate(reversed(pieces)):
                frame.write(piece, x + _PAD, base - back * _LINE_PT, font=text.SEMI, size=SMALL_PT)
        frame.y += high
        frame.rule(frame.y, grey=0.3, thickness=0.8)

    def _dividers(self) -> None:
        """The columns' lines beside the rows drawn since the headings."""
        frame = self.frame
        frame.canvas.setStrokeGray(0.82)
        frame.canvas.setLineWidth(0.35)
        up = frame.stock.height_pt
        for edge in self.edges[1:-1]:
            frame.canvas.line(edge, up - self.rows_top, edge, up - frame.y)
        frame.canvas.setStrokeGray(0)

    def _forward(self, words: str) -> None:
        """A line of balances only."""
        frame, now = self.frame, self.balances
        y = frame.y + _LINE_PT
        frame.write(words, self.edges[1] + _PAD, y, font=text.SEMI, size=SMALL_PT)
        for number, count in zip(range(13, 16), (now.available, now.quarantine, now.on_site), strict=True):
            words = f"{count:,}"
            size = text.fitting_size(words, text.BOLD, SMALL_PT, 6, self.widths[number] - 2 * _PAD) or 6
            frame.write(words, self.edges[number + 1] - _PAD, y, font=text.BOLD, size=size, align="right")
        frame.y += _LINE_PT + 3
        frame.rule(frame.y, grey=0.3)

    def _draw(self, cells: list[tuple[list[str], float]], *, struck: bool) -> None:
        frame = self.frame
        for number, (column, (pieces, size)) in enumerate(zip(_COLUMNS, cells, strict=True)):
            right = column.align == "right"
            x = self.edges[number + 1] - _PAD if right else self.edges[number] + _PAD
            for count, piece in enumerate(pieces):
                y = frame.y + _LINE_PT * (count + 1) - 0.6
                frame.write(piece, x, y, font=column.font, size=size, align=column.align)
                # The comment says who corrected the line and why: it is no part of what was wrong.
                if struck and column.heading != "Comment / deviation no.":
                    across = text.width(piece, column.font, size)
                    frame.strike(x - across if right else x, y, across)

    def _close_row(self, high: float) -> None:
        frame = self.frame
        frame.y += high
        frame.rule(frame.y, grey=0.6, thickness=0.35)


def _fitted(words: str, column: _Column, room: float) -> tuple[list[str], float]:
    """A cell's lines and their size: a number stays in one piece as long as it can be read, words wrap."""
    if column.align == "right":
        size = text.fitting_size(words, column.font, SMALL_PT, text.SMALLEST_PT, room)
        if size is not None:
            return [words], size
    return text.wrap(words, column.font, SMALL_PT, room), SMALL_PT


def _comment(line: AccountabilityLine) -> str:
    parts = [line.comment]
    if line.late_entry:
        parts.append(f"LATE ENTRY: {line.late_entry}")
    if line.corrected:
        parts.append(f"CORRECTED: {line.corrected}")
    return " ".join(part for part in parts if part)


def _cells(line: AccountabilityLine) -> tuple[str, ...]:
    def count(value: int | None) -> str:
        return "" if value is None else f"{value:,}"

    return (
        str(line.line),
        moment(line.event_at),
        moment(line.entry_at),
        line.transaction,
        line.party,
        line.subject_initials,
        line.cycle_day,
        "" if line.dose_mg is None else mg(line.dose_mg),
        line.unit_number,
        line.lot,
        "" if line.expires_on is None else day(line.expires_on),
        count(line.qty_in),
        count(line.qty_out),
        f"{line.balances.available:,}",
        f"{line.balances.quarantine:,}",
        f"{line.balances.on_site:,}",
        line.reference,
        _comment(line),
        line.recorder,
        line.verifier,
        line.monitor_verified,
    )
