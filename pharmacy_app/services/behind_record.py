"""What is behind a thing of the record, a count of a signed period, and one entry: what belongs to it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import utc_text
from pharmacy_app.services import views
from pharmacy_app.services.about import about_words
from pharmacy_app.services.behind_parts import MOST_PARTS, Behind, Part, Sum
from pharmacy_app.services.ports import LedgerFilter, QueryFilter, Reader
from pharmacy_app.services.printing import unit_ranges

PERIOD_COUNTS = ("lines", "late entries", "corrections")
"""What is counted of a signed period."""


@dataclass(frozen=True, slots=True)
class Thing:
    """All that was recorded of a thing, by its name as documents have it.

    A vial, dose, subject, lot, shipment, place, count, discrepancy, deviation, error, document, query or visit.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, with the entries and documents that belong to it."""

    seq: int


@dataclass(frozen=True, slots=True)
class Exposed:
    """How many vials a storage deviation names."""

    deviation_id: str


@dataclass(frozen=True, slots=True)
class PeriodCount:
    """One of the counts of a period of the record as the monitor signed it (``PERIOD_COUNTS``)."""

    event_seq: int
    which: str


# --- things -------------------------------------------------------------------------------------------------------


def thing(reader: Reader, what: Thing) -> Behind:
    """The newest entries that name a thing, oldest first."""
    text = _in_entries(what.name)
    newest = reader.events(kind="", text=text, offset=0, limit=MOST_PARTS)
    parts = tuple(Part(event.seq, _kind(event.kind)) for event in reversed(newest))
    if not parts:
        raise Refused(Fault("", f"Nothing is on record of “{what.name}”."))
    # Who looks is seldom at a thing of more entries: only then all of them are counted.
    left_out = reader.count_events(kind="", text=text) - len(parts) if len(parts) == MOST_PARTS else 0
    note = f"The {MOST_PARTS:,} newest entries; {left_out:,} are before them." if left_out else ""
    title = f"All that is on record of {name_words(what.name)}"
    return Behind(title, "", None, parts, tuple(reader.documents(about=what.name)), note)


def name_words(name: str) -> str:
    """A thing's name in words: ``vial V000001Q``, ``query QRY-2``, ``place Refrigerator 1``."""
    for begins, word in _OF_THE_MONITOR.items():
        if name.startswith(begins):
            return f"{word} {name}"
    return name if name.startswith("place ") else about_words(name)


_OF_THE_MONITOR = {"QRY-": "query", "VIS-": "visit"}


def _in_entries(name: str) -> str:
    """The name as entries hold it: they know a shipment and a lot by the name alone, and a lot without strength."""
    for word, key in (("shipment ", ""), ("place ", ""), ("lot ", '"lot":')):
        if name.startswith(word):
            bare = name.removeprefix(word)
            return key + _quoted(bare.partition(",")[0] if key else bare)
    return _quoted(name)


def _quoted(name: str) -> str:
    """A name as it stands in an entry's bytes."""
    return json.dumps(name, ensure_ascii=False)


def _kind(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def exposed(reader: Reader, what: Exposed) -> Behind:
    """The vials of a storage deviation, counted by the entry that put them on its list."""
    deviation = reader.deviation(what.deviation_id)
    if deviation is None:
        raise Refused(Fault("", f"There is no storage deviation {what.deviation_id}."))
    vials: dict[int, list[str]] = {}
    for vial in reader.deviation_vials(what.deviation_id):
        vials.setdefault(vial.event_seq, []).append(vial.unit_number)
    added = Sum()
    for seq, units in sorted(vials.items()):
        words = f"Lay at {deviation.place}: {unit_ranges(tuple(sorted(units)))}"
        added.add(Part(seq, words, change=Decimal(len(units))))
    title = f"Vials of storage deviation {what.deviation_id}"
    documents = tuple(reader.documents(about=what.deviation_id))
    return Behind(title, "vials", Decimal(deviation.vials), added.all(), documents, total=added.now)


# --- periods ------------------------------------------------------------------------------------------------------


def period_count(reader: Reader, what: PeriodCount) -> Behind:
    """The lines, late entries or corrections of a signed period, counted anew as the record was at its signature."""
    periods = reader.periods()
    at = next((at for at, period in enumerate(periods) if period.event_seq == what.event_seq), None)
    if at is None or what.which not in PERIOD_COUNTS:
        raise Refused(Fault("", f"Entry {what.event_seq} signed no period of the record."))
    record = periods[at].record
    before = _ended(reader, periods[at])
    after = _ended(reader, periods[at + 1]) if at + 1 < len(periods) else ""
    if what.which == "corrections":
        number = record.corrections
        every = reader.every_correction()
        dated = sorted((line for line in every if line.event_seq <= record.head_seq), key=lambda line: line.event_seq)
        parts = [
            Part(line.event_seq, f"Corrects entry {line.corrects_seq}", change=Decimal(1))
            for line in dated
            if after <= utc_text(line.corrected_at) < before
        ]
    else:
        late = what.which == "late entries"
        number = record.late_entries if late else record.new_lines
        parts = [
            Part(line.event_seq, f"{line.move}, {unit_ranges(line.units)}", line.done_at, line.recorder, Decimal(1))
            for line in reader.whole_ledger(LedgerFilter())
            if line.event_seq <= record.head_seq
            and after <= utc_text(line.done_at) < before
            and (line.late_why or not late)
        ]
    added = Sum()
    for part in parts:
        added.add(part)
    unit = "corrections" if what.which == "corrections" else "lines"
    title = f"{what.which.capitalize()} of the period through {periods[at].through_on:%d-%b-%Y}"
    return Behind(
        title, unit, Decimal(number), added.all(), note="As the record was when it was signed.", total=added.now
    )


def _ended(reader: Reader, period: views.Period) -> str:
    event = reader.event(period.event_seq)
    assert event is not None
    return str(event.content["through_utc"])


# --- one entry ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Beside:
    """What belongs to one entry: another entry (``seq``) or a document, and how it belongs to it, in words."""

    words: str
    seq: int | None = None
    document: views.DocumentLine | None = None
    by: str = ""

    @property
    def said(self) -> str:
        """How it belongs to the entry, and who made it so."""
        return f"{self.words} ({self.by})" if self.by else self.words


def beside(reader: Reader, seq: int) -> tuple[Beside, ...]:
    """What an entry corrects and what corrects it, its documents, who verified it, and the queries on it."""
    event = reader.event(seq)
    if event is None:
        raise Refused(Fault("", f"There is no entry {seq}."))
    return tuple(_beside(reader, event))


def _beside(reader: Reader, event: views.EventLine) -> Iterator[Beside]:
    corrects, corrected = reader.correction_made_by(event.seq), reader.correction(event.seq)
    if corrects is not None:
        yield Beside(f"Corrects entry {corrects.corrects_seq}", corrects.corrects_seq, by=corrects.signed_by)
    if corrected is not None:
        yield Beside(f"Corrected by entry {corrected.event_seq}", corrected.event_seq, by=corrected.signed_by)
    asked = reader.query(str(event.content.get("query", ""))) if event.kind.startswith("query_") else None
    if asked is not None and asked.entry_seq is not None:
        yield Beside(f"Query {asked.number} is on entry {asked.entry_seq}", asked.entry_seq)
    for document_id in dict.fromkeys(_documents(event.content)):
        document = reader.document(document_id)
        if document is not None:
            yield Beside(f"Document {document_id}: {document.title}", document=document, by=document.signed_by)
    for verified in reader.verifications(event.seq):
        words = f"Verified in visit {verified.visit}, {verified.initials}"
        yield Beside(words, verified.event_seq, by=verified.verified_by)
    wanted = QueryFilter(entry_seq=event.seq)
    for query in reader.queries(wanted, offset=0, limit=reader.count_queries(wanted)):
        yield Beside(f"Query {query.number}, {query.status}: {query.text}", query.event_seq, by=query.opened_by)


def entry(reader: Reader, what: Entry) -> Behind:
    """An entry, and what belongs to it."""
    event = reader.event(what.seq)
    if event is None:
        raise Refused(Fault("", f"There is no entry {what.seq}."))
    belongs = beside(reader, what.seq)
    others = tuple(Part(each.seq, each.words) for each in belongs if each.seq is not None)
    documents = tuple(each.document for each in belongs if each.document is not None)
    title = f"Entry {event.seq}: {_kind(event.kind)}"
    return Behind(title, "", None, (Part(event.seq, _kind(event.kind)), *others), documents)


_DOCUMENT_KEYS = ("document_id", "permission", "document")
"""Where entries name a document."""


def _documents(content: object, key: str = "") -> Iterator[str]:
    """The numbers of documents that an entry names, wherever they stand in it."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _documents(value, name)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _documents(value, key)
    elif isinstance(content, str) and key in _DOCUMENT_KEYS:
        yield content
