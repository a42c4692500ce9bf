"""Stock and ledger at a past moment, as known then and as known now, with what was entered later between the two."""

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.frame import SMALL_PT, Column, Frame
from labels.text import amount, day, mg, moment, reprint_words
from pharmacy_app.services.papers import AccountabilityLine, PastPaper
from pharmacy_app.services.views import LedgerLine, PastStockLine

_STOCK = (
    ("Strength", 60),
    ("Lot", 90),
    ("Place", 150),
    ("State", 130),
    ("Vials, as known then", 90),
    ("Vials, as known now", 90),
    ("Difference", 90),
)
_LATER = (
    ("Line", 40),
    ("Done", 74),
    ("Recorded", 74),
    ("Transaction", 76),
    ("Strength", 40),
    ("Lot", 54),
    ("Qty", 28),
    ("Kit/vial no.", 100),
    ("Why it came later", 190),
    ("Recorder", 76),
)
_LEDGER = (
    ("Line", 33),
    ("Event date-time", 56),
    ("Entry date-time", 56),
    ("Transaction", 62),
    ("From/To or Subject ID", 60),
    ("Cycle/Day", 34),
    ("Dose mg", 32),
    ("Kit/vial no.", 62),
    ("Strength", 40),
    ("Lot", 44),
    ("Expiry", 56),
    ("Qty in", 22),
    ("Qty out", 22),
    ("Balance available", 44),
    ("Balance quarantine", 48),
    ("Balance on site", 42),
    ("Comment / deviation no.", 73),
    ("Recorder", 46),
)
_ABSENT = {
    "From/To or Subject ID": "inside the pharmacy",
    "Cycle/Day": "the line is no dose",
    "Dose mg": "the line is no dose",
    "Comment / deviation no.": "nothing to remark",
    "Why it came later": "no reason was asked for",
}
_MONO = ("Lot", "Kit/vial no.")
_RIGHT = (
    "Vials, as known then",
    "Vials, as known now",
    "Difference",
    "Qty",
    "Qty in",
    "Qty out",
    "Dose mg",
    "Balance available",
    "Balance quarantine",
    "Balance on site",
)


def past_record(paper: PastPaper, stock: Stock = LETTER) -> bytes:
    """Draw stock, what was entered later, and the ledger of one past moment."""
    marker = " · ".join(part for part in (reprint_words(paper.copy_number), moment(paper.moment)) if part)
    frame = Frame(stock.turned(), paper.stamp, "Record at a past moment", marker, margin=18)
    frame.begin_page()
    frame.pairs(
        [
            ("The moment", moment(paper.moment)),
            ("The ledger below is", f"as known {paper.known}"),
            ("Journal at that moment", f"{paper.head_seq:,} events, head {paper.head_hash[:12] or 'none'}"),
            ("Lines entered later", f"{len(paper.entered_later):,}"),
        ],
        columns=4,
    )
    frame.section("Stock")
    if paper.stock:
        frame.table(_columns(frame, _STOCK), [_stock(line) for line in paper.stock])
    else:
        frame.paragraph("No vial was on record at that moment.")
    frame.section("Entered later: done before the moment, recorded after it")
    if paper.entered_later:
        frame.table(_columns(frame, _LATER), [_later(line) for line in paper.entered_later], size=SMALL_PT)
    else:
        frame.paragraph("Nothing: what we know now was known then.")
    frame.section(f"Ledger, as known {paper.known}")
    if paper.count:
        frame.table(_columns(frame, _LEDGER), (_line(line) for line in paper.lines), pad=1.8, size=SMALL_PT)
    else:
        frame.paragraph("No line.")
    return frame.finish()


def _columns(frame: Frame, shares: tuple[tuple[str, int], ...]) -> list[Column]:
    scale = frame.room / sum(share for _, share in shares)
    return [
        Column(
            heading,
            share * scale,
            "right" if heading in _RIGHT else "left",
            text.MONO if heading in _MONO else text.PLAIN,
            _ABSENT.get(heading, "none on record"),
        )
        for heading, share in shares
    ]


def _stock(line: PastStockLine) -> tuple[str, ...]:
    difference = line.known_now - line.known_then
    return (
        f"{amount(line.strength_mg)} mg",
        line.lot,
        line.place,
        line.state,
        f"{line.known_then:,}",
        f"{line.known_now:,}",
        "none" if not difference else f"{difference:+,}".replace("-", "−"),
    )


def _later(line: LedgerLine) -> tuple[str, ...]:
    why = f"late entry: {line.late_why}" if line.late_why else ""
    if line.corrects_seq is not None:
        why = f"corrects event {line.corrects_seq}: {line.comment}"
    return (
        line.line_id,
        moment(line.done_at),
        moment(line.recorded_at),
        line.transaction or line.move,
        f"{amount(line.strength_mg)} mg",
        line.lot,
        f"{line.quantity:,}",
        ", ".join(line.units),
        why,
        line.recorder,
    )


def _line(line: AccountabilityLine) -> tuple[str, ...]:
    comment = " ".join(
        part for part in (line.comment, f"LATE ENTRY: {line.late_entry}" if line.late_entry else "") if part
    )
    return (
        str(line.line),
        moment(line.event_at),
        moment(line.entry_at),
        line.transaction,
        line.party,
        line.cycle_day,
        "" if line.dose_mg is None else mg(line.dose_mg),
        line.unit_number,
        f"{amount(line.strength_mg)} mg" if line.strength_mg is not None else "",
        line.lot,
        "" if line.expires_on is None else day(line.expires_on),
        f"{line.qty_in or 0:,}",
        f"{line.qty_out or 0:,}",
        f"{line.balances.available:,}",
        f"{line.balances.quarantine:,}",
        f"{line.balances.on_site:,}",
        comment,
        line.recorder,
    )
