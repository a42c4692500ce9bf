"""The frame of a report: sheet, head, foot with its stamp on every page, tables that wrap and break over pages.

Drawn on a canvas directly: ready-made flowing tables take time with the square of their rows.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from labels import codes, text
from labels.geometry import PT_PER_IN, Dots, Stock
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.papers import DEMONSTRATION, PaperStamp, PrintedSignature

BODY_PT = 8.5
SMALL_PT = 8.0
LEADING = 1.22
GREY = 0.36
HAIR = 0.75
OFFICE = Dots(300)
"""What an office printer draws at least, when nobody says otherwise."""

HEAD_MODULE_IN = 0.0125
"""A module of the head's code: a hand scanner reads it from a worn copy too."""

NONE_ON_RECORD = f"{text.NOT_APPLICABLE}: none on record"
"""What stands in the head of a report where there is no value."""

_CODE = "head"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, width in points, how its cells stand, and why a cell of it has no value."""

    heading: str
    width: float
    align: str = "left"
    font: str = text.PLAIN
    absent: str = "none on record"


class Struck(str):
    """A cell that no longer stands: a line goes through its words, which stay readable."""

    __slots__ = ()


def reason_marks(reasons: Iterable[str]) -> dict[str, str]:
    """A letter for each reason why a cell has no value, in the order in which they come."""
    distinct = dict.fromkeys(reason for reason in reasons if reason)
    return dict(zip(distinct, ascii_lowercase, strict=False))


def reason_words(marks: dict[str, str]) -> str:
    """The key to the letters: ``N/A a: no subject; b: not opened.``"""
    return f"N/A {'; '.join(f'{mark}: {reason}' for reason, mark in marks.items())}." if marks else ""


def said(cell: str, reason: str, marks: dict[str, str]) -> str:
    """A cell's words; without any, N/A with the letter of its reason."""
    shown = text.shown(cell)
    return f"{shown} {marks[reason]}" if shown is not cell and reason in marks else shown


class Frame:
    """A report being drawn, page after page; ``y`` is the next free height below the upper edge (pt)."""

    def __init__(
        self,
        stock: Stock,
        stamp: PaperStamp,
        title: str,
        marker: str = "",
        *,
        margin: float = 40.0,
        dots: Dots = OFFICE,
    ) -> None:
        # Here and not above: the drawing library is loaded when the first report is drawn.
        from labels.reports.archive import ArchiveFile

        self.stock = stock
        self.stamp = stamp
        self.title = title
        self.marker = marker
        self.margin = margin
        self._symbol = codes.head_matrix(stamp.head_seq, stamp.head_hash)
        self._dots, self._module = dots, codes.matrix_module(dots, HEAD_MODULE_IN)
        self._code_pt = dots.pt(self._symbol.size()[0] * self._module)
        self._stamp_lines = self._stamped()
        self.foot = max(26.0 + 10 * len(self._stamp_lines), self._code_pt + 24)
        about = " · ".join(part for part in (title, marker, stamp.protocol_name, stamp.site_name) if part)
        self._file = ArchiveFile(
            stock,
            text.written_out(about),
            text.written_out(stamp.study_title),
            self._symbol.content,
            stamp.printed_at,
        )
        self.canvas = self._file.canvas
        self.page = 0
        self.y = self.top = 0.0
        self._faults: list[Fault] = []
        self._ink: dict[tuple[str, str, float], str] = {}

    @property
    def room(self) -> float:
        """Width between the margins."""
        return self.stock.width_pt - 2 * self.margin

    @property
    def floor(self) -> float:
        """Lowest height content may reach."""
        return self.stock.height_pt - self.foot

    def begin_page(self) -> None:
        """A new sheet with watermark, head and foot."""
        if self.page:
            self._end_page()
        self.page += 1
        if self.stamp.demonstration:
            self._watermark()
        self._head()
        self._foot()
        self.top = self.y

    def need(self, height: float) -> bool:
        """Begin a new page when ``height`` does not fit on this one, unless it is empty; says whether it did."""
        if self.y + height <= self.floor or self.y == self.top:
            return False
        self.begin_page()
        return True

    def finish(self) -> bytes:
        """Close the last page, write how many there are, give the bytes; refused when a number did not fit."""
        if self._faults:
            raise Refused(*self._faults)
        self._end_page()
        # The count is known only now: every page shows a form that is defined here.
        return self._file.finish(f"BT 1 0 0 1 0 0 Tm {self._inked(str(self.page), text.PLAIN, SMALL_PT)} ET")

    def _end_page(self) -> None:
        self._file.end_page()

    def write(
        self,
        words: str,
        x: float,
        y: float,
        *,
        font: str = text.PLAIN,
        size: float = BODY_PT,
        align: str = "left",
        grey: float = 0.0,
    ) -> None:
        """One line at base line ``y`` below the upper edge, written out."""
        words = text.written_out(words, font)
        if align != "left":
            x -= text.width(words, font, size) * (1.0 if align == "right" else 0.5)
        ink = self._inked(words, font, size)
        up = self.stock.height_pt - y
        literal = f"BT 1 0 0 1 {x:.2f} {up:.2f} Tm {ink} ET"
        self.canvas.addLiteral(f"{grey:g} g {literal} 0 g" if grey else literal)

    def fit(
        self, words: str, x: float, y: float, room: float, *, font: str, size: float, field: str, grey: float = 0.0
    ) -> float:
        """One line within ``room``, as small as 8 pt, else the report is refused; returns where it ends."""
        fitting = text.fitting_size(words, font, size, SMALL_PT, room)
        if fitting is None:
            name = field.replace("_", " ")
            sentence = f"The {name} (“{words}”) does not fit on the report. Shorten it and print again."
            self._faults.append(Fault(field, sentence))
            return x
        self.write(words, x, y, font=font, size=fitting, grey=grey)
        return x + text.width(words, font, fitting)

    def _inked(self, words: str, font: str, size: float) -> str:
        """The drawing operators of one text, worked out once: a ledger says the same words on every line."""
        known = self._ink.get((words, font, size))
        if known is None:
            from reportlab.pdfbase import pdfmetrics

            face, document = pdfmetrics.getFont(font), self.canvas._doc
            known = " ".join(
                f"{face.getSubsetInternalName(subset, document)} {size:g} Tf ({self.canvas._escape(piece)}) Tj"
                for subset, piece in face.splitString(words, document)
            )
            if len(self._ink) > 4_000:
                self._ink.clear()
            self._ink[words, font, size] = known
        return known

    def strike(self, x: float, y: float, across: float) -> None:
        """A line through words that stand at base line ``y``: corrected, and still to be read."""
        up = self.stock.height_pt - y + 2.4
        self.canvas.setLineWidth(0.5)
        self.canvas.line(x, up, x + across, up)

    def rule(self, y: float, *, grey: float = HAIR, thickness: float = 0.5) -> None:
        """A thin line between the margins."""
        self.canvas.setStrokeGray(grey)
        self.canvas.setLineWidth(thickness)
        up = self.stock.height_pt - y
        self.canvas.line(self.margin, up, self.margin + self.room, up)
        self.canvas.setStrokeGray(0)

    def section(self, heading: str, with_next: float = 60.0) -> None:
        """A heading that never stands alone at the foot of a page."""
        self.need(26 + with_next)
        self.y += 20
        self.write(heading, self.margin, self.y, font=text.BOLD, size=10)
        self.y += 4
        self.rule(self.y, grey=0.25, thickness=0.8)
        self.y += 3

    def paragraph(self, words: str, *, font: str = text.PLAIN, size: float = BODY_PT, indent: float = 0.0) -> None:
        """Wrapped text over the width of the page."""
        for piece in text.wrap(words, font, size, self.room - indent):
            self.need(size * LEADING)
            self.y += size * LEADING
            self.write(piece, self.margin + indent, self.y, font=font, size=size)

    def flow(self, words: str, x: float, indent: float, *, font: str = text.PLAIN, struck: bool = False) -> float:
        """Text that begins at ``x`` on the line at ``y`` and goes on beneath it, ``indent`` inwards; where it ends."""
        rest, right = " ".join(text.written_out(words, font).split()), self.margin + self.room
        while rest:
            first = text.wrap(rest, font, SMALL_PT, max(right - x, SMALL_PT))[0]
            self.write(first, x, self.y, font=font, size=SMALL_PT)
            across = text.width(first, font, SMALL_PT)
            if struck:
                self.strike(x, self.y, across)
            x, rest = x + across, rest[len(first) :].lstrip()
            if rest:
                self.need(12)
                self.y += 11
                x = self.margin + indent
        return x

    def pairs(self, pairs: Sequence[tuple[str, str]], columns: int) -> None:
        """Named values in a grid: small grey name above its value; without one, N/A and that none is on record."""
        gap = 10.0
        across = (self.room - gap * (columns - 1)) / columns
        for start in range(0, len(pairs), columns):
            row = pairs[start : start + columns]
            said = [value if text.shown(value) is value else NONE_ON_RECORD for _, value in row]
            wrapped = [text.wrap(value, text.SEMI, BODY_PT + 0.5, across) for value in said]
            lines = max(len(cell) for cell in wrapped)
            self.need(11 + lines * 11.0 + 3)
            while True:
                # What is longer than a page goes on on the next.
                fits = max(int((self.floor - self.y - 14) / 11), 1)
                for number, ((name, _), cell) in enumerate(zip(row, wrapped, strict=True)):
                    x = self.margin + number * (across + gap)
                    self.write(name, x, self.y + 10, size=SMALL_PT, grey=GREY)
                    for line, piece in enumerate(cell[:fits]):
                        self.write(piece, x, self.y + 21 + 11.0 * line, font=text.SEMI, size=BODY_PT + 0.5)
                self.y += 11 + min(lines, fits) * 11.0 + 3
                lines, wrapped = lines - fits, [cell[fits:] for cell in wrapped]
                if lines <= 0:
                    break
                self.begin_page()

    def table(
        self,
        columns: Sequence[Column],
        rows: Iterable[Sequence[str]],
        *,
        pad: float = 3.0,
        size: float = BODY_PT,
        struck: bool = False,
    ) -> None:
        """Cells wrap, the headings stand again on every page, no cell is blank; rows may be read one after the other.

        A row stays whole unless it is longer than a page. ``struck`` rows no longer stand: a line goes through their
        words, which stay readable; so it is with a cell that is ``Struck``.
        """
        used: Iterable[Column] = columns
        if isinstance(rows, Sequence):
            # Known beforehand: the key names the reasons that are needed.
            used = [
                c for number, c in enumerate(columns) if any(text.shown(row[number]) != row[number] for row in rows)
            ]
        marks = reason_marks(column.absent for column in used)
        key = reason_words(marks)
        headings = [text.wrap(c.heading, text.SEMI, SMALL_PT, c.width - 2 * pad) for c in columns]
        deep = max(len(heading) for heading in headings)
        if key:
            # The key stays with the headings, and these with a line of the first row.
            deep += len(text.wrap(key, text.PLAIN, SMALL_PT, self.room))
        self.need((deep + 1) * SMALL_PT * LEADING + size * LEADING + 8)
        if key:
            self.paragraph(key, size=SMALL_PT)
            self.y += 3
        self._headings(columns, headings, pad)
        for row in rows:
            lined = [struck or isinstance(cell, Struck) for cell in row]
            cells = [
                text.wrap(said(cell, column.absent, marks), column.font, size, column.width - 2 * pad)
                for column, cell in zip(columns, row, strict=True)
            ]
            self._row(columns, cells, headings, size, pad, lined)

    def _row(
        self,
        columns: Sequence[Column],
        cells: list[list[str]],
        headings: Sequence[Sequence[str]],
        size: float,
        pad: float,
        lined: Sequence[bool],
    ) -> None:
        """One row, on the next page if it fits there as a whole, else in parts."""
        high = max(len(cell) for cell in cells) * size * LEADING + 4
        fresh = max(len(heading) for heading in headings) * SMALL_PT * LEADING + 3 + self.top

        def turn() -> None:
            self.begin_page()
            self._headings(columns, headings, pad)

        if self.y + high > self.floor and high <= self.floor - fresh:
            turn()
        self.parts(columns, cells, size, pad, turn, lined=lined)
        self.rule(self.y)

    def parts(
        self,
        columns: Sequence[Column],
        cells: Sequence[Sequence[str]],
        size: float,
        pad: float,
        turn: Callable[[], None],
        *,
        lined: Sequence[bool] = (),
    ) -> None:
        """Wrapped cells beside each other; where the page ends they go on on the one that ``turn`` begins."""
        step, least = size * LEADING, 0
        while (most := max(len(cell) for cell in cells)) * step + 4 > self.floor - self.y:
            fits = max(int((self.floor - self.y - 4) / step), least)
            if fits:
                self.cells(columns, [cell[:fits] for cell in cells], size, pad, lined=lined)
                cells = [cell[fits:] for cell in cells]
            turn()
            # However much a head takes, every page brings the end nearer.
            least = 1
        self.cells(columns, cells, size, pad, lined=lined)
        self.y += most * step + 4

    def signatures(self, signatures: Sequence[PrintedSignature], none_yet: str) -> None:
        """Who signed, when, and what it means (21 CFR 11.50); ``none_yet`` when nobody has."""
        self.section("Signed electronically", with_next=24 + 16.0 * len(signatures))
        if not signatures:
            self.paragraph(none_yet, font=text.BOLD)
            return
        columns = [
            Column("Meaning", self.room * 0.28, font=text.SEMI),
            Column("Printed name", self.room * 0.3, font=text.SEMI),
            Column("Role", self.room * 0.16),
            Column("Date and time", self.room * 0.26),
        ]
        self.table(columns, [(s.meaning, s.printed_name, s.role, text.moment(s.signed_at)) for s in signatures])

    def by_hand(self, lines: Sequence[tuple[str, str]]) -> None:
        """Lines side by side for what somebody writes on the paper later: what it is, and who is to fill it in."""
        self.need(46)
        across = (self.room - 14 * (len(lines) - 1)) / len(lines)
        for number, (name, who) in enumerate(lines):
            x = self.margin + number * (across + 14)
            self.write(name, x, self.y + 10, size=SMALL_PT, grey=GREY)
            up = self.stock.height_pt - self.y - 30
            self.canvas.setLineWidth(0.5)
            self.canvas.line(x, up, x + across, up)
            self.write(f"to be filled in by {who}", x, self.y + 39, size=SMALL_PT, grey=GREY)
        self.y += 42

    def sign_by_hand(self, people: Sequence[str]) -> None:
        """A line for each of the people side by side, for name, signature and date in ink."""
        self.need(41)
        self.y += 32
        across = (self.room - 20 * (len(people) - 1)) / len(people)
        for number, who in enumerate(people):
            x = self.margin + number * (across + 20)
            up = self.stock.height_pt - self.y
            self.canvas.setLineWidth(0.5)
            self.canvas.line(x, up, x + across, up)
            self.write(f"{who} (name, signature, date)", x, self.y + 9, size=SMALL_PT, grey=GREY)
        self.y += 9

    def _headings(self, columns: Sequence[Column], headings: Sequence[Sequence[str]], pad: float) -> None:
        deep = max(len(heading) for heading in headings)
        level = [[""] * (deep - len(heading)) + list(heading) for heading in headings]
        plain = [Column(c.heading, c.width, c.align, text.SEMI) for c in columns]
        self.cells(plain, level, SMALL_PT, pad, grey=GREY)
        self.y += deep * SMALL_PT * LEADING + 3
        self.rule(self.y, grey=0.5)

    def cells(
        self,
        columns: Sequence[Column],
        cells: Sequence[Sequence[str]],
        size: float,
        pad: float,
        grey: float = 0.0,
        *,
        lined: Sequence[bool] = (),
    ) -> None:
        """Wrapped cells beside each other at the next free height, which stays where it is."""
        x = self.margin
        for number, (column, pieces) in enumerate(zip(columns, cells, strict=True)):
            at = {"left": x + pad, "right": x + column.width - pad, "centre": x + column.width / 2}[column.align]
            for down, piece in enumerate(pieces):
                y = self.y + 1 + (down + 1) * size * LEADING - 1.5
                self.write(piece, at, y, font=column.font, size=size, align=column.align, grey=grey)
                if lined and lined[number]:
                    across = text.width(piece, column.font, size)
                    left = at - across * {"left": 0.0, "right": 1.0, "centre": 0.5}[column.align]
                    self.strike(left, y, across)
            x += column.width

    def _head(self) -> None:
        stamp, left, right = self.stamp, self.margin, self.margin + self.room
        marker = f"{self.marker} · " if self.marker else ""
        place = f"{marker}Protocol {stamp.protocol_name} · {stamp.site_name} ({stamp.site_number})"
        side = right - left - text.width(self.title, text.BOLD, 15) - 14
        pieces = text.wrap(place, text.SEMI, SMALL_PT, side)
        # Three lines have room beside the title; the title stands beside the last one.
        y = 42.0 + 10 * max(0, len(pieces) - 3)
        self.write(self.title, left, y, font=text.BOLD, size=15)
        for back, piece in enumerate(reversed(pieces)):
            self.write(piece, right, y - 10 * back, font=text.SEMI, size=SMALL_PT, align="right")
        for piece in text.wrap(stamp.study_title, text.PLAIN, SMALL_PT, self.room):
            y += 11
            self.write(piece, left, y, size=SMALL_PT, grey=GREY)
        self.y = y + 5
        self.rule(self.y, grey=0, thickness=0.8)
        self.y += 3

    def _stamped(self) -> list[str]:
        """The stamp's words in lines beside the page number; the same on every page, so worked out once."""
        stamp = self.stamp
        parts = (
            f"Printed {text.moment(stamp.printed_at)} by {stamp.printed_by} · pharmacy-app {stamp.app_version}",
            f"Protocol {stamp.protocol_name}, {stamp.protocol_version} (SHA-256 {stamp.protocol_sha256[:12]}) · "
            f"settings {stamp.settings_version} · journal {stamp.head_seq:,} events, head {stamp.head_hash}",
        )
        room = self.room - self._code_pt - 80
        return [line for part in parts for line in text.wrap(part, text.PLAIN, SMALL_PT, room)]

    def _foot(self) -> None:
        """The stamp's words, the page number, and the journal's head as a code at the right."""
        from labels.reports.archive import LATER

        stamp, left, right = self.stamp, self.margin, self.margin + self.room
        line = self.floor + 6
        self.rule(line, grey=0.5)
        for number, words in enumerate(self._stamp_lines):
            self.write(words, left, line + 11 + 10 * number, size=SMALL_PT, grey=0.25)
        # Room for a page count of five digits.
        x = right - self._code_pt - 30
        self.write(f"Page {self.page} of ", x, line + 11, size=SMALL_PT, align="right")
        self.canvas.saveState()
        self.canvas.translate(x, self.stock.height_pt - line - 11)
        self.canvas.doForm(LATER)
        self.canvas.restoreState()
        self._head_code(right, line + 3)
        if stamp.demonstration:
            self.write(DEMONSTRATION, self.stock.width_pt / 2, 16, font=text.BOLD, size=SMALL_PT, align="centre")

    def _head_code(self, right: float, top: float) -> None:
        """The journal's head as a code, drawn once and shown on every page."""
        dots = self._dots
        if self.page == 1:
            self.canvas.beginForm(_CODE)
            across = int((right - self._code_pt) * dots.dpi / PT_PER_IN)
            # On whole modules from the sheet's corner: a scan of half the fineness then meets no module half-way.
            module = self._module
            down = dots.up(top) + module - 1
            codes.draw(
                self.canvas,
                self._symbol,
                dots,
                left=across - across % module,
                top=down - down % module,
                module=module,
                page_pt=self.stock.height_pt,
            )
            self.canvas.endForm()
        self.canvas.doForm(_CODE)

    def _watermark(self) -> None:
        canvas: Any = self.canvas
        canvas.saveState()
        canvas.translate(self.stock.width_pt / 2, self.stock.height_pt / 2)
        canvas.rotate(54 if self.stock.height_pt > self.stock.width_pt else 34)
        canvas.setFillGray(0.94)
        for words, size, y in (("DEMONSTRATION", 76, 8), ("NOT FOR CLINICAL USE", 54, -50)):
            canvas.setFont(text.BOLD, size)
            canvas.drawCentredString(0, y, words)
        canvas.restoreState()
