"""A printed paper as the journal's anchor: nothing before it has changed, or what is the first entry that differs.

The journal proves itself (``Store.verify``), but whoever can write all of it can make it hash right again. A paper that
left the house cannot be changed any more: the head at its foot fits the journal only as long as every entry up to it
is the one that was there (21 CFR 11.10(a), (c)). Where it does not fit, the heads that later entries and the kept files
of their prints name narrow down where the journal parts from it, and so does every further paper.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.services import views
from pharmacy_app.services.desk import site_of, zone_of
from pharmacy_app.services.ports import Reader, Store
from pharmacy_app.services.printed_head import PRINTED_DIGITS, PrintedHead

Tell = Callable[[int, int], None]
"""Hears how much of how much was verified; whatever it raises stops the check."""

NAMING_HEADS = ("record_printed", "paper_printed", "data_exported", "visit_opened", "visit_signed", "period_signed")
"""Kinds of entries that may name the head of an earlier entry."""

WITH_FOOT = ("record_printed", "paper_printed")
"""Of these, the prints: their papers carry the head at the foot."""

MOST_PRINTS = 5
"""So many papers are proposed to be checked next."""


_IN_FILE = re.compile(rb"<pdf:Keywords>(\d+):([0-9a-f]{64})</pdf:Keywords>")
"""The head in the metadata of a kept print: the same that its foot names."""


class Verdict(StrEnum):
    """What came of laying a paper beside the journal."""

    FITS = "fits"
    ALTERED = "altered"
    """An entry that the paper covers is not what was written; it is known which."""
    CUT_SHORT = "cut short"
    """The journal ends before the entry that the paper names."""
    DIFFERS = "differs"
    """The entry that the paper names is another one now."""
    MISREAD = "misread"
    """The paper's head is in the journal, but not at the number that was typed; or another paper proves it wrong."""


@dataclass(frozen=True, slots=True)
class Print:
    """A print that the journal names: its entry, what it was, when and by whom, and the events at its foot."""

    seq: int
    what: str
    printed_at: datetime
    by: str
    events: int


@dataclass(frozen=True, slots=True)
class Anchored:
    """What a paper proves.

    ``first`` and ``last``: the first entry that differs is one of these (None: nothing differs that the paper covers),
    in words ``where``; ``exact``: it is ``first`` itself. ``sentence`` says what was found, ``advice`` what to do.
    ``prints`` are those whose papers would narrow it down, the best first. ``sound`` is False too where a paper fits,
    but something that it does not cover was altered.
    """

    verdict: Verdict
    printed: PrintedHead
    sentence: str
    advice: str
    sound: bool
    first: int | None = None
    last: int | None = None
    where: str = ""
    prints: tuple[Print, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether it is known which entry is the first that differs."""
        return self.first is not None and self.first == self.last


def check_paper(
    store: Store, printed: PrintedHead, others: Sequence[PrintedHead] = (), tell: Tell | None = None
) -> Anchored:
    """Prove the whole journal, then lay the paper beside it, together with ``others`` that were looked at before.

    Raises ``Unavailable`` when the store cannot be read, and whatever ``tell`` raises; a check changes nothing.
    """
    found = store.verify(tell)
    with store.read() as reader:
        return lay_beside(reader, found, printed, others)


def lay_beside(
    reader: Reader, found: views.Verification, printed: PrintedHead, others: Sequence[PrintedHead] = ()
) -> Anchored:
    """Lay a paper beside a journal that was verified just before (``found``)."""
    if printed.events <= found.events:
        if _fits(reader, found, printed):
            return _beside_others(reader, found, _fitting(reader, found, printed), others)
        return _misread(reader, found, printed) or _differing(reader, found, printed, others)
    if found.first_bad is not None:
        return Anchored(
            Verdict.ALTERED,
            printed,
            f"Entry {found.first_bad:,} is the first that is not as it was written. {found.trouble} The paper names"
            f" entry {printed.events:,}, which stands on it. The {found.events:,} before follow each other unbroken.",
            _STOP,
            sound=False,
            first=found.first_bad,
            last=found.first_bad,
        )
    return _misread(reader, found, printed) or Anchored(
        Verdict.CUT_SHORT,
        printed,
        f"The paper was printed when the journal held {printed.events:,} entries, but now it ends at entry"
        f" {found.events:,}: {_missing(found.events + 1, printed.events)} gone, or the paper is of another study.",
        f"{_LOOK_AGAIN} {_STOP}",
        sound=False,
        first=found.events + 1,
        last=found.events + 1,
    )


_LOOK_AGAIN = (
    "Look again at what was typed, and at the top of the paper: of which study and site it is. If all is right:"
)
_STOP = (
    "Stop work in this database, keep it as it is, and tell the sponsor and whoever keeps your backups. A backup made"
    " when the paper was printed shows what was there."
)


def _fits(reader: Reader, found: views.Verification, printed: PrintedHead) -> bool:
    """Whether the entry that a paper names is there, and proven to be what its hash says."""
    return printed.events <= found.events and reader.event_hash(printed.events).startswith(printed.begins)


def _fitting(reader: Reader, found: views.Verification, printed: PrintedHead) -> Anchored:
    event = reader.event(printed.events)
    assert event is not None, "its hash was found"
    sentence = (
        f"Nothing up to entry {printed.events:,} has changed: the journal still holds word for word what stood there"
        f" when the paper was printed. Entry {printed.events:,} is of {_at(reader, event)}."
    )
    if found.sound:
        since = found.events - printed.events
        sentence += f" Since then {since:,} {'entry was' if since == 1 else 'entries were'} recorded."
    if len(printed.begins) < len(found.head_hash):
        sentence += f" ({len(printed.begins)} of 64 characters of the head were compared.)"
    if found.sound:
        return Anchored(Verdict.FITS, printed, sentence, "", sound=True)
    where = f" Entry {found.first_bad:,} is the first of it." if found.first_bad is not None else ""
    return Anchored(
        Verdict.FITS,
        printed,
        f"{sentence} But what the paper does not cover was altered: {found.trouble}{where}",
        _STOP,
        sound=False,
    )


def _beside_others(
    reader: Reader, found: views.Verification, fitting: Anchored, others: Sequence[PrintedHead]
) -> Anchored:
    """A paper that fits, looked at after one that does not: it tells up to where all is as it was."""
    bad = [each for each in others if each.events <= found.events and not _fits(reader, found, each)]
    if not bad:
        return fitting
    proven = max(each.events for each in (fitting.printed, *others) if _fits(reader, found, each))
    later = [each for each in bad if each.events > proven]
    if not later:
        wrong = _refuted(min(bad, key=lambda each: each.events), proven)
        return replace(fitting, sentence=f"{fitting.sentence} {wrong}", advice=_READ_AGAIN)
    first_bad = min(later, key=lambda each: each.events)
    narrowed = _differing(reader, found, first_bad, (fitting.printed, *others))
    return replace(
        fitting,
        sentence=f"{fitting.sentence} The paper of {first_bad.events:,} entries does not fit. {narrowed.where}",
        advice=narrowed.advice,
        sound=False,
        first=narrowed.first,
        last=narrowed.last,
        where=narrowed.where,
        prints=narrowed.prints,
    )


def _refuted(printed: PrintedHead, proven: int) -> str:
    """A paper that does not fit, beside one of as many entries or more that does: both cannot be right."""
    return (
        f"The paper of {printed.events:,} entries does not fit, but one of {proven:,} does, which proves all before it"
        " too: so it was typed otherwise than it stands there, or is of another study."
    )


_READ_AGAIN = (
    "Look again at what was typed, and at the top of the paper: of which study and site it is. If all is right, keep"
    " both papers and tell the sponsor."
)


def _misread(reader: Reader, found: views.Verification, printed: PrintedHead) -> Anchored | None:
    """A head that is in the journal at another number: a slip of who typed it, and nothing else."""
    seq = reader.seq_of_hash(printed.begins)
    if seq is None or seq > found.events:
        return None
    return Anchored(
        Verdict.MISREAD,
        printed,
        f"The head is that of entry {seq:,}, not of entry {printed.events:,}. Nothing up to entry {seq:,} has changed.",
        f"Look at the number of events on the paper. If it says {seq:,}, type that; if it does not, the foot is not as"
        " this program printed it: keep the paper.",
        sound=found.sound,
    )


def _differing(
    reader: Reader, found: views.Verification, printed: PrintedHead, others: Sequence[PrintedHead]
) -> Anchored:
    """The journal hashes right, but not to what the paper names: somebody wrote it anew, or it is another one's paper.

    A paper that fits proves what is before it. A head that an entry names and that does not fit proves the same as a
    paper that does not; one that fits proves nothing by itself, because it can have been written anew as well.
    """
    before = max((each.events for each in others if _fits(reader, found, each)), default=0)
    if before >= printed.events:
        return Anchored(Verdict.MISREAD, printed, _refuted(printed, before), _READ_AGAIN, sound=found.sound)
    bad = (each for each in (printed, *others) if before < each.events <= found.events)
    until = min((each.events for each in bad if not _fits(reader, found, each)), default=printed.events)
    named = [each for each in _named_heads(reader, found) if before < each.head.events < until]
    fitting = _fitting_before_bad(reader, named)
    narrowed = fitting < len(named)
    if narrowed:
        until = named[fitting].head.events
        before = max(before, named[fitting - 1].head.events if fitting else 0)
    where = _span(reader, before + 1, until)
    if narrowed:
        why = "The journal was written anew: the heads that its own later entries and kept prints name do not fit it."
    else:
        why = (
            "The heads that the journal itself names fit it, so either the paper is of another study, or the journal"
            " was written anew with all of them."
        )
    begins = reader.event_hash(printed.events)[:PRINTED_DIGITS]
    sentence = (
        f"Entry {printed.events:,} is not the one the paper names: its SHA-256 begins with {begins}. {why} {where}"
    )
    return Anchored(
        Verdict.DIFFERS,
        printed,
        sentence,
        f"{_LOOK_AGAIN} {_STOP}",
        sound=False,
        first=before + 1,
        last=until,
        where=where,
        prints=_to_check(reader, before, until),
    )


@dataclass(frozen=True, slots=True)
class _Named:
    """A head that an entry names, and the SHA-256 of the print whose foot names it too ('': no print)."""

    head: PrintedHead
    file: str


def _named_heads(reader: Reader, found: views.Verification) -> list[_Named]:
    """The heads that entries name, by the number of the entry they are of."""
    events = reader.events_between(NAMING_HEADS, 0, found.events + 1)
    named = {each for event in events for each in _heads_in(event) if each.head.events < event.seq}
    return sorted(named, key=lambda each: (each.head.events, each.head.begins, each.file))


def _heads_in(event: views.EventLine) -> Iterator[_Named]:
    file = event.content.get("sha256", "") if event.kind in WITH_FOOT else ""
    for part in (event.content, event.content.get("record")):
        if isinstance(part, Mapping) and part.get("head_seq") and part.get("head_hash"):
            yield _Named(PrintedHead(part["head_seq"], part["head_hash"]), file)


def _fitting_before_bad(reader: Reader, named: Sequence[_Named]) -> int:
    """How many of these heads, in their order, fit before the first that does not: found by halving.

    Once an entry differs, every later hash differs with it. So few of the kept prints have to be opened.
    """
    low, high = 0, len(named)
    while low < high:
        middle = (low + high) // 2
        if _still_named(reader, named[middle]):
            low = middle + 1
        else:
            high = middle
    return low


def _still_named(reader: Reader, named: _Named) -> bool:
    """Whether the journal holds the head that an entry names, and the file of its print names no other."""
    stored = reader.event_hash(named.head.events)
    if stored != named.head.begins:
        return False
    in_file = _IN_FILE.search((reader.paper(named.file) if named.file else None) or b"")
    return in_file is None or (int(in_file[1]), in_file[2].decode()) == (named.head.events, stored)


def _span(reader: Reader, first: int, last: int) -> str:
    """Which entry is the first that differs, as far as it is known, in words."""
    if first == last:
        return f"Entry {first:,} is the first that differs{_recorded(reader, first)}."
    return (
        f"The first entry that differs is one of {first:,} to {last:,}"
        f"{_recorded(reader, first, ', recorded from')}{_recorded(reader, last, ' to')}."
    )


def _recorded(reader: Reader, seq: int, words: str = ", recorded") -> str:
    event = reader.event(seq)
    return f"{words} {_at(reader, event)}" if event is not None else ""


def _at(reader: Reader, event: views.EventLine) -> str:
    """When an entry was recorded, at the site."""
    return say_moment(event.recorded_at.astimezone(zone_of(site_of(reader))))


def _missing(first: int, last: int) -> str:
    return f"entry {first:,} is" if first == last else f"entries {first:,} to {last:,} are"


def _to_check(reader: Reader, before: int, until: int) -> tuple[Print, ...]:
    """Prints whose papers would narrow it down, the one that halves it best first."""
    prints: list[Print] = []
    for event in reader.events_between(WITH_FOOT, before, reader.head().seq + 1):
        events = event.content.get("head_seq")
        if events is None or not before < events < until:
            continue
        papers = event.content["papers"]
        about = ", ".join(dict.fromkeys(str(each["about"]) for each in papers))
        what = f"{papers[0]['paper']} {about}, copy {papers[0]['copy_number']}"
        prints.append(Print(event.seq, what, event.recorded_at, event.actor_name, events))
    # A paper of k entries leaves either what is before or what is after it: the middle leaves least.
    return tuple(sorted(prints, key=lambda each: abs(2 * each.events - before - until))[:MOST_PRINTS])
