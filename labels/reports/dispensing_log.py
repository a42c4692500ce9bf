"""The subject-level dispensing log, with the columns of REGULATION 6.3 in their order: one dose in three bands.

Thirty-six columns do not fit beside each other in a size that can be read. They are folded: the first twelve, beneath
them the next, beneath those the last; headings and doses alike, so a value stands beneath its heading.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.frame import GREY, LEADING, SMALL_PT, Column, Frame, reason_marks, reason_words, said
from labels.text import amount, day, mg, mg_per_ml, ml, moment, reprint_words, signed_percent, working
from pharmacy_app.services.papers_records import CorrectedValue, DispensingLine, DispensingLog

_PAD = 1.8
_MEASURED = "not calculated: the dose was not decided"
_WEIGHED = "no weight or height on record for it"
_MIXED = "not prepared"
_GIVEN = "not given"
_CLOSED = "vials not closed, or none opened"
_CHECKED = "not checked by a second person"
_RELEASED = "not released"
_VIALS = "no vial was taken"
_FEW = "none"
_SAME = "not to be compared"

# Heading, share of the width, why a cell may have no value.
_BANDS: tuple[tuple[tuple[str, int, str], ...], ...] = (
    (
        ("Line", 24, ""),
        ("Order date-time and prescriber", 118, ""),
        ("Cycle", 34, ""),
        ("Day", 30, ""),
        ("Weight kg", 52, _WEIGHED),
        ("Weight date", 66, _WEIGHED),
        ("Height cm", 52, _WEIGHED),
        ("BSA m²", 70, _MEASURED),
        ("Dose level", 60, ""),
        ("Dose mg/m²", 56, _MEASURED),
        ("Calculated dose mg", 86, _MEASURED),
        ("Prescribed dose mg", 76, ""),
    ),
    (
        ("Prescribed vs calculated %", 64, _SAME),
        ("Kit no(s).", 120, _VIALS),
        ("Strength", 46, _VIALS),
        ("Lot(s)", 78, _VIALS),
        ("Expiry", 66, _VIALS),
        ("Vials dispensed 1 mg", 52, ""),
        ("Vials dispensed 4 mg", 52, ""),
        ("Reconstituted at", 66, _MIXED),
        ("Withdrawn mL", 56, _MIXED),
        ("Prepared dose mg", 52, _MIXED),
        ("Diluent and final volume mL", 86, _MIXED),
        ("Final concentration mg/mL", 68, _MIXED),
    ),
    (
        ("BUD date-time", 66, _MIXED),
        ("Prepared by", 60, _MIXED),
        ("Verified by", 60, _CHECKED),
        ("Released to / at", 96, _RELEASED),
        ("Infusion start", 66, _GIVEN),
        ("Infusion end", 66, _GIVEN),
        ("Administered mg", 62, _GIVEN),
        ("Administered vs prescribed %", 62, _GIVEN),
        ("Wasted mg", 48, _CLOSED),
        ("Vials returned/empty", 70, _VIALS),
        ("Error flag/report no.", 66, _FEW),
        ("Comments", 118, _FEW),
    ),
)
DISPENSING_COLUMNS = tuple(heading for band in _BANDS for heading, _, _ in band)
_MONO = ("Kit no(s).", "Lot(s)")


def dispensing_log(log: DispensingLog, stock: Stock = LETTER) -> bytes:
    """Draw the log of one subject, landscape."""
    marker = " · ".join(part for part in (reprint_words(log.copy_number), f"Subject {log.subject_number}") if part)
    frame = Frame(stock.turned(), log.stamp, "Subject dispensing log", marker, margin=18)
    bands = _columns(frame)
    marks = reason_marks(column.absent for band in bands for column in band)
    frame.begin_page()
    frame.pairs(
        [
            ("Protocol", log.stamp.protocol_name),
            ("Site", f"{log.stamp.site_number} {log.stamp.site_name}"),
            ("Subject ID", log.subject_number),
            ("Initials (optional)", log.subject_initials or "N/A: not recorded at this site"),
            ("Investigator", log.investigator),
            ("BSA formula", ", ".join(log.bsa_formulas) or "N/A: no dose decided yet"),
            ("Protocol version", ", ".join(log.protocol_versions) or "N/A: no dose decided yet"),
            ("Product", log.product),
        ],
        columns=4,
    )
    frame.y += 3
    frame.paragraph(reason_words(marks), size=SMALL_PT)
    _headings(frame, bands)
    sums = _Sums()
    for line in log.lines:
        _dose(frame, bands, marks, line)
        sums.add(line)
    if not sums.ordered:
        frame.paragraph("No dose was ordered for this subject.")
    sums.draw(frame)
    if log.omitted:
        frame.section("Doses that were omitted")
        for words in log.omitted:
            frame.paragraph(f"– {words}")
    frame.sign_by_hand(("Pharmacist", "Principal investigator", "Monitor"))
    return frame.finish()


def _columns(frame: Frame) -> list[list[Column]]:
    bands = []
    for band in _BANDS:
        scale = frame.room / sum(share for _, share, _ in band)
        bands.append(
            [
                Column(heading, share * scale, font=text.MONO if heading in _MONO else text.PLAIN, absent=reason)
                for heading, share, reason in band
            ]
        )
    return bands


def _headings(frame: Frame, bands: Sequence[Sequence[Column]]) -> None:
    frame.y += 2
    frame.rule(frame.y, grey=0.3, thickness=0.8)
    for band in bands:
        heads = [text.wrap(column.heading, text.SEMI, SMALL_PT, column.width - 2 * _PAD) for column in band]
        plain = [Column(column.heading, column.width, column.align, text.SEMI) for column in band]
        frame.cells(plain, heads, SMALL_PT, _PAD, grey=GREY)
        frame.y += max(len(head) for head in heads) * SMALL_PT * LEADING + 3
    frame.rule(frame.y, grey=0.3, thickness=0.8)


def _dose(frame: Frame, bands: Sequence[Sequence[Column]], marks: dict[str, str], line: DispensingLine) -> None:
    """One dose, whole on a page, with the values that were corrected beneath it, struck through."""
    rest = iter(_cells(line))
    wrapped = [
        [
            text.wrap(said(next(rest), column.absent, marks), column.font, SMALL_PT, column.width - 2 * _PAD)
            for column in band
        ]
        for band in bands
    ]
    highs = [max(len(cell) for cell in cells) * SMALL_PT * LEADING + 4 for cells in wrapped]

    def turn() -> None:
        frame.begin_page()
        _headings(frame, bands)

    if frame.need(sum(highs) + 12 * len(line.corrected)):
        _headings(frame, bands)
    for number, (band, cells) in enumerate(zip(bands, wrapped, strict=True)):
        frame.parts(band, cells, SMALL_PT, _PAD, turn)
        if number < len(bands) - 1:
            frame.rule(frame.y, grey=0.88, thickness=0.3)
    for each in line.corrected:
        corrected(frame, each)
    frame.rule(frame.y, grey=0.3)


def corrected(frame: Frame, each: CorrectedValue) -> None:
    """What a value was, struck through, and what it is: by which entry, whom, when and why."""
    frame.need(12)
    frame.y += 11
    x = frame.flow(f"CORRECTED {each.label}:", frame.margin + _PAD, 14, font=text.SEMI)
    x = frame.flow(each.old or "no value", x + 3, 14, struck=True)
    words = f"→ {each.new or 'no value'}, by entry {each.entry}, {each.by}, {moment(each.at)}: {each.why}"
    frame.flow(words, x + 4, 14)
    frame.y += 2


def _cells(line: DispensingLine) -> tuple[str, ...]:
    vials = line.vials
    by_strength = [sum(vial.strength_mg == strength for vial in vials) for strength in (Decimal(1), Decimal(4))]
    states: dict[str, int] = {}
    for vial in vials:
        states[vial.state] = states.get(vial.state, 0) + 1
    released = "" if line.released_at is None else f"{line.released_to} / {moment(line.released_at)}"
    diluted = "" if line.final_ml is None else f"{line.diluent}, {amount(line.final_ml)}"
    return (
        str(line.line),
        f"{moment(line.ordered_at)} {line.prescriber}, dose {line.dose_id}",
        str(line.cycle),
        str(line.day),
        "" if line.weight_kg is None else f"{amount(line.weight_kg)} {line.weight_since}".strip(),
        "" if line.weighed_on is None else day(line.weighed_on),
        "" if line.height_cm is None else f"{amount(line.height_cm)} {line.height_since}".strip(),
        "" if line.bsa_m2 is None else working(line.bsa_m2),
        line.level,
        "" if line.dose_mg_per_m2 is None else amount(line.dose_mg_per_m2),
        "" if line.calculated_mg is None else working(line.calculated_mg),
        amount(line.prescribed_mg),
        "" if line.prescribed_percent is None else signed_percent(line.prescribed_percent),
        ", ".join(f"{vial.kit_number} ({vial.unit_number})" if vial.kit_number else vial.unit_number for vial in vials),
        _each(f"{amount(vial.strength_mg)} mg" for vial in vials),
        _each(vial.lot for vial in vials),
        _each(day(vial.expires_on) for vial in vials),
        str(by_strength[0]),
        str(by_strength[1]),
        "" if line.reconstituted_at is None else moment(line.reconstituted_at),
        "" if line.withdrawn_ml is None else ml(line.withdrawn_ml),
        "" if line.prepared_mg is None else mg(line.prepared_mg),
        diluted,
        "" if line.final_mg_per_ml is None else mg_per_ml(line.final_mg_per_ml),
        "" if line.beyond_use_at is None else moment(line.beyond_use_at),
        line.prepared_by,
        line.verified_by,
        released,
        "" if line.started_at is None else moment(line.started_at),
        "" if line.ended_at is None else moment(line.ended_at),
        "" if line.administered_mg is None else mg(line.administered_mg),
        "" if line.administered_percent is None else signed_percent(line.administered_percent),
        "" if line.wasted_mg is None else mg(line.wasted_mg),
        ", ".join(f"{count} {state}" for state, count in states.items()),
        line.error,
        " ".join(" ".join(part for part in (line.ended, line.comments) if part).split()),
    )


def _each(words: Iterable[str]) -> str:
    """Different ones once, in order."""
    return ", ".join(dict.fromkeys(words))


class _Sums:
    """What all doses together took and gave, summed up while they are drawn."""

    def __init__(self) -> None:
        self.ordered = self.given = 0
        self.vials = {Decimal(1): 0, Decimal(4): 0}
        self.administered_mg = self.wasted_mg = Decimal(0)

    def add(self, line: DispensingLine) -> None:
        """One more dose."""
        self.ordered += 1
        self.given += line.administered_mg is not None
        for vial in line.vials:
            self.vials[vial.strength_mg] = self.vials.get(vial.strength_mg, 0) + 1
        self.administered_mg += line.administered_mg or Decimal(0)
        self.wasted_mg += line.wasted_mg or Decimal(0)

    def draw(self, frame: Frame) -> None:
        """The sentence at the end of the log."""
        frame.need(30)
        frame.y += 5
        ones, fours = self.vials[Decimal(1)], self.vials[Decimal(4)]
        frame.paragraph(
            f"In all: {self.ordered:,} {'dose' if self.ordered == 1 else 'doses'} ordered, {self.given:,} given;"
            f" vials dispensed {ones:,} of 1 mg and {fours:,} of 4 mg;"
            f" administered {mg(self.administered_mg)} mg; left in vials {mg(self.wasted_mg)} mg.",
            font=text.SEMI,
        )
