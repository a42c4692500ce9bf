"""The audit trail: every entry asked for, with who, when, what, old and new values, reason, signatures and hash."""

from collections.abc import Iterator

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.frame import SMALL_PT, Column, Frame
from labels.text import moment, reprint_words
from pharmacy_app.services.papers_records import AuditTrail, TrailLine

_COLUMNS = (
    ("Entry", 34, ""),
    ("Recorded", 62, ""),
    ("Done", 62, ""),
    ("Who", 60, ""),
    ("Workstation", 62, ""),
    ("What", 72, ""),
    ("Record and values", 186, "the entry is its kind alone"),
    ("Old → new", 84, "nothing recorded before is changed"),
    ("Reason", 74, "none was asked for"),
    ("Signatures", 72, "the act takes none"),
    ("SHA-256 begins", 58, ""),
)
TRAIL_COLUMNS = tuple(heading for heading, _, _ in _COLUMNS)
_MONO = ("SHA-256 begins",)


def audit_trail(trail: AuditTrail, stock: Stock = LETTER) -> bytes:
    """Draw the trail, entry by entry as they are read."""
    marker = reprint_words(trail.copy_number)
    frame = Frame(stock.turned(), trail.stamp, "Audit trail", marker, margin=18)
    frame.begin_page()
    frame.pairs([*trail.asked, ("Entries", f"{trail.count:,}")], columns=6)
    frame.y += 3
    scale = frame.room / sum(share for _, share, _ in _COLUMNS)
    columns = [
        Column(
            heading,
            share * scale,
            "right" if heading == "Entry" else "left",
            text.MONO if heading in _MONO else text.PLAIN,
            reason,
        )
        for heading, share, reason in _COLUMNS
    ]
    frame.table(columns, _rows(trail), pad=1.8, size=SMALL_PT)
    if not trail.count:
        frame.paragraph("No entry answers this question.", font=text.SEMI)
    frame.sign_by_hand(("Reviewed by",))
    return frame.finish()


def _rows(trail: AuditTrail) -> Iterator[tuple[str, ...]]:
    for line in trail.lines:
        yield _row(line)


def _row(line: TrailLine) -> tuple[str, ...]:
    marks = f" {', '.join(line.marks).upper()}" if line.marks else ""
    return (
        str(line.entry),
        moment(line.recorded_at),
        moment(line.done_at),
        line.by,
        line.workstation,
        f"{line.what}{marks}",
        line.values,
        "; ".join(f"{label}: {old or 'no value'} → {new or 'no value'}" for label, old, new in line.changes),
        " ".join(line.why.split()),
        "; ".join(line.signed),
        line.sha256[:16],
    )
