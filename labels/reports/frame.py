"""The frame of a report: sheet, head, foot with its stamp on every page, tables that wrap and break over pages.

Drawn on a canvas directly: ready-made flowing tables take time with the square of their rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labels import text
from labels.geometry import Stock
from labels.label_pdf import new_canvas
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.papers import DEMONSTRATION, PaperStamp, PrintedSignature

BODY_PT = 8.5
SMALL_PT = 8.0
LEADING = 1.22
GREY = 0.36
HAIR = 0.75
_PAGES = "pages"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, width in points, and how its cells stand."""

    heading: str
    width: float
    align: str = "left"
    font: str = text.PLAIN


class Frame:
    """A report being drawn, page after page; ``y`` is the next free height below the upper edge (pt)."""

    def __init__(self, stock: Stock, stamp: PaperStamp, title: str, marker: str = "", *, margin: float = 40.0) -> None:
        self.stock = stock
        self.stamp = stamp
        self.title = title
        self.marker = marker
        self.margin = margin
        self._stamp_lines = self._stamped()
        self.foot = 26.0 + 10 * len(self._stamp_lines)
        self.canvas, _ = new_canvas(stock, title)
        self.page = 0
        self.y = 0.0
        self._faults: list[Fault] = []
        self._checked: set[tuple[str, str]] = set()
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

    def need(self, height: float) -> bool:
        """Begin a new page when ``height`` does not fit on this one; says whether it did."""
        if self.y + height <= self.floor:
            return False
        self.begin_page()
        return True

    def finish(self) -> bytes:
        """Close the last page, write how many there are, give the bytes; refused when a text could not be drawn."""
        if self._faults:
            raise Refused(*self._faults)
        self._end_page()
        # The count is known only now: every page shows a form that is defined here.
        self.canvas.beginForm(_PAGES, 0, -4, 60, 12)
        self.canvas.setFont(text.PLAIN, SMALL_PT)
        self.canvas.drawString(0, 0, str(self.page))
        self.canvas.endForm()
        return bytes(self.canvas.getpdfdata())

    def _end_page(self) -> None:
        """Close the page and press its drawing at once: a record of many thousand pages is held pressed only."""
        from labels.reports.pressed import press_last_page

        self.canvas.showPage()
        press_last_page(self.canvas)

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
        field: str = "text",
    ) -> None:
        """One line at base line ``y`` below the upper edge; a character the font lacks refuses the report."""
        self.check(field, words, font)
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
        self.write(words, x, y, font=font, size=fitting, field=field, grey=grey)
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
            if len(self._ink) > 20_000:
                self._ink.clear()
            self._ink[words, font, size] = known
        return known

    def check(self, field: str, words: str, font: str) -> None:
        """Remember a text that cannot be drawn; ``finish`` then refuses."""
        if (words, font) not in self._checked:
            if len(self._checked) > 20_000:
                self._checked.clear()
            self._checked.add((words, font))
            self._faults += text.character_faults(field, words, font)

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

    def section(self, heading: str, with_next: float = 36.0) -> None:
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
            self.write(piece, self.margin + indent, self.y, font=font, size=size, field=words)

    def pairs(self, pairs: Sequence[tuple[str, str]], columns: int) -> None:
        """Named values in a grid: small grey name above its value."""
        gap = 10.0
        across = (self.room - gap * (columns - 1)) / columns
        for start in range(0, len(pairs), columns):
            row = pairs[start : start + columns]
            wrapped = [text.wrap(text.shown(value), text.SEMI, BODY_PT + 0.5, across) for _, value in row]
            lines = max(len(cell) for cell in wrapped)
            high = 11 + lines * 11.0 + 3
            self.need(high)
            for number, ((name, _), cell) in enumerate(zip(row, wrapped, strict=True)):
                x = self.margin + number * (across + gap)
                self.write(name, x, self.y + 10, size=SMALL_PT, grey=GREY, field=name)
                for line, piece in enumerate(cell):
                    y = self.y + 21 + 11.0 * line
                    self.write(piece, x, y, font=text.SEMI, size=BODY_PT + 0.5, field=name)
            self.y += high

    def table(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[str]],
        *,
        pad: float = 3.0,
        size: float = BODY_PT,
        struck: bool = False,
    ) -> None:
        """Cells wrap, rows stay whole, the headings stand again on every page, no cell is blank.

        ``struck`` rows no longer stand: a line goes through their words, which stay readable.
        """
        headings = [text.wrap(c.heading, text.SEMI, SMALL_PT, c.width - 2 * pad) for c in columns]
        self._headings(columns, headings, pad)
        for row in rows:
            cells = [
                text.wrap(text.shown(cell), column.font, size, column.width - 2 * pad)
                for column, cell in zip(columns, row, strict=True)
            ]
            high = max(len(cell) for cell in cells) * size * LEADING + 4
            if self.need(high):
                self._headings(columns, headings, pad)
            self._cells(columns, cells, size, pad, struck=struck)
            self.y += high
            self.rule(self.y)

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
        self._cells(plain, level, SMALL_PT, pad, grey=GREY)
        self.y += deep * SMALL_PT * LEADING + 3
        self.rule(self.y, grey=0.5)

    def _cells(
        self,
        columns: Sequence[Column],
        cells: Sequence[Sequence[str]],
        size: float,
        pad: float,
        grey: float = 0.0,
        *,
        struck: bool = False,
    ) -> None:
        x = self.margin
        for column, pieces in zip(columns, cells, strict=True):
            at = {"left": x + pad, "right": x + column.width - pad, "centre": x + column.width / 2}[column.align]
            for number, piece in enumerate(pieces):
                y = self.y + 1 + (number + 1) * size * LEADING - 1.5
                self.write(
                    piece, at, y, font=column.font, size=size, align=column.align, grey=grey, field=column.heading
                )
                if struck:
                    across = text.width(piece, column.font, size)
                    left = at - across * {"left": 0.0, "right": 1.0, "centre": 0.5}[column.align]
                    self.strike(left, y, across)
            x += column.width

    def _head(self) -> None:
        stamp, left, right = self.stamp, self.margin, self.margin + self.room
        self.write(self.title, left, 42, font=text.BOLD, size=15)
        marker = f"{self.marker} · " if self.marker else ""
        place = f"{marker}Protocol {stamp.protocol_name} · {stamp.site_name} ({stamp.site_number})"
        side = right - left - text.width(self.title, text.BOLD, 15) - 14
        pieces = text.wrap(place, text.SEMI, SMALL_PT, side)
        for number, piece in enumerate(pieces):
            self.write(piece, right, 42 - 10 * (len(pieces) - 1 - number), font=text.SEMI, size=SMALL_PT, align="right")
        y = 42.0
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
            f"settings {stamp.settings_version} · journal {stamp.head_seq:,} events, head {stamp.head_hash[:12]}",
        )
        lines = [line for part in parts for line in text.wrap(part, text.PLAIN, SMALL_PT, self.room - 90)]
        if len(lines) > 5:
            raise Refused(Fault("stamp", "The foot of the page takes more than five lines. Shorten the site's names."))
        return lines

    def _foot(self) -> None:
        stamp, left, right = self.stamp, self.margin, self.margin + self.room
        below = self.stock.height_pt - 19
        top = below - 10 * (len(self._stamp_lines) - 1)
        self.rule(top - 11, grey=0.5)
        for number, words in enumerate(self._stamp_lines):
            self.write(words, left, top + 10 * number, size=SMALL_PT, grey=0.25, field="stamp")
        # Room for a page count of four digits.
        lead = f"Page {self.page} of "
        x = right - 20
        self.write(lead, x, top, size=SMALL_PT, align="right")
        self.canvas.saveState()
        self.canvas.translate(x, self.stock.height_pt - top)
        self.canvas.doForm(_PAGES)
        self.canvas.restoreState()
        if stamp.demonstration:
            self.write(DEMONSTRATION, self.stock.width_pt / 2, 16, font=text.BOLD, size=SMALL_PT, align="centre")

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
