"""What a monitor reviews: which entries, why one deserves a look, what it is about, and which earlier ones it touches.

The unit of review is an entry: one event of the journal. Everything here is read from the event alone, so that
replaying the journal gives the same again. Which kinds are reviewed, and what makes one stand out, are tables.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from math import isqrt
from typing import Any

from pharmacy_app.domain.events import Event
from pharmacy_app.domain.findings import Severity
from pharmacy_app.domain.units import reaches, show, show_mg, show_percent

MARGIN_PERCENT = Decimal(1)
"""A dose this close to the protocol's limit (percent of the dose it is judged by) is looked at like one over it.

The protocol sets no such margin and nothing is refused for it: it only says which doses to read first.
"""


class Reason(StrEnum):
    """Why an entry deserves a look, the gravest first: in this order entries are shown."""

    OVER_LIMIT = "dose off by the limit or more"
    ERROR = "medication error"
    DISCREPANCY = "discrepancy or loss"
    OVERRIDE = "went on past a stop"
    STORAGE = "storage deviation"
    NEAR_LIMIT = "dose close to the limit"
    CORRECTION = "correction"
    DISAGREED = "second check did not agree"
    WARNED = "went on past a warning"
    LATE = "late entry"
    CLOCK = "clock behind"
    DENIED = "access denied"
    LABEL = "reprint or void label"
    FIRST = "first of its kind"


RISK = {reason: len(Reason) - place for place, reason in enumerate(Reason)}
"""How much each reason weighs; an entry without any weighs 0."""


@dataclass(frozen=True, slots=True)
class Said:
    """One reason with what it is here, in words."""

    reason: Reason
    words: str


@dataclass(frozen=True, slots=True)
class Kind:
    """How entries of one kind are reviewed. Texts in braces are filled from the content, ``{actor}`` is who did it.

    ``reasons`` are those that every such entry has. ``first`` are the things of which the first entry stands out.
    ``makes`` is the thing that later entries of other kinds set anew.
    """

    reasons: tuple[Reason, ...] = ()
    first: tuple[str, ...] = ()
    makes: str = ""


_PLAIN = Kind()
_CORRECTION = Kind((Reason.CORRECTION,))
_LOSS = Kind((Reason.DISCREPANCY,))
_DEVIATION = Kind((Reason.STORAGE,))

KINDS: dict[str, Kind] = {
    "site_opened": _PLAIN,
    "settings_signed": _PLAIN,
    "protocol_amended": _PLAIN,
    "account_added": _PLAIN,
    "account_changed": _PLAIN,
    "access_denied": Kind((Reason.DENIED,)),
    "place_added": _PLAIN,
    "place_closed": _PLAIN,
    "document_attached": _PLAIN,
    # vials
    "shipment_received": Kind(first=("receipt",), makes="receipt {shipment[number]}"),
    "logger_read": _PLAIN,
    "receipt_acknowledged": _PLAIN,
    "vials_released": _PLAIN,
    "vials_quarantined": _PLAIN,
    "quarantine_lifted": Kind(first=("release by the supporter's document",)),
    "vials_transported": Kind(first=("transport to another place",)),
    "vials_taken_back": Kind(first=("container back from a subject",)),
    "expiry_extended": Kind(first=("extension of an expiry",)),
    "vials_relabelled": _PLAIN,
    "vials_broken": _LOSS,
    "vials_missing": _LOSS,
    "vials_found": _LOSS,
    "vials_returned": Kind(first=("return",)),
    "vials_transferred": Kind(first=("transfer",)),
    "vials_destroyed": Kind(first=("destruction",)),
    "count_recorded": Kind(first=("count at {place}",)),
    "discrepancy_opened": _LOSS,
    "discrepancy_explained": _LOSS,
    "deviation_recorded": Kind((Reason.STORAGE,), makes="deviation {deviation_id}"),
    "deviation_reported": _DEVIATION,
    "deviation_updated": Kind((Reason.STORAGE,), makes="deviation {deviation_id}"),
    "deviation_decided": _DEVIATION,
    "deviation_closed": _DEVIATION,
    # subjects and their treatment
    "subject_enrolled": Kind(first=("subject",)),
    "measurement_recorded": _PLAIN,
    "cycle_planned": _PLAIN,
    "delay_recorded": _PLAIN,
    "dose_omitted": _PLAIN,
    "level_changed": _PLAIN,
    "response_recorded": _PLAIN,
    "marrow_recorded": _PLAIN,
    "toxicity_recorded": _PLAIN,
    "treatment_ended": _PLAIN,
    "retreatment_ordered": _PLAIN,
    "transplant_stated": _PLAIN,
    "criteria_recorded": Kind(makes="criteria {subject_number} {entry[course]}.{entry[cycle]}.{entry[day]}"),
    "statement_withdrawn": _CORRECTION,
    # doses
    "dose_ordered": Kind(first=("dose ordered for subject {subject_number}",), makes="order of {dose_id}"),
    "dose_decided": Kind(makes="decision of {dose_id}"),
    "vials_reserved": Kind(makes="plan of {dose_id}"),
    "dose_verified": Kind(first=("second check by {actor}",), makes="check of {dose_id}"),
    "dose_prepared": Kind(first=("dose prepared by {actor}",), makes="preparation of {dose_id}"),
    "dose_released": Kind(makes="release of {dose_id}"),
    "dose_administered": Kind(first=("dose given to subject {subject_number}",)),
    "vials_closed": _PLAIN,
    "dose_cancelled": _PLAIN,
    "medication_error_recorded": Kind((Reason.ERROR,), makes="error {error_id}"),
    "medication_error_assessed": Kind((Reason.ERROR,), makes="error {error_id}"),
    "medication_error_told": Kind((Reason.ERROR,)),
    # labels
    "paper_printed": _PLAIN,
    "print_answered": _PLAIN,
    "label_voided": Kind((Reason.LABEL,)),
    "labels_scanned": _PLAIN,
    # corrections; what the monitor took back of the monitor's own stands below
    "move_undone": _CORRECTION,
    "receipt_corrected": _CORRECTION,
    "closing_corrected": _CORRECTION,
    "extension_undone": _CORRECTION,
    "measurement_corrected": _CORRECTION,
    "administration_corrected": _CORRECTION,
    "preparation_corrected": _CORRECTION,
    "subject_corrected": _CORRECTION,
}
"""The kinds of entries that are reviewed."""

_COMING = "coming and going: no fact of stock, subject or dose"
_PASSWORD = "a password, which only its person knows"
_OWN = "the monitor's own, or signed by the monitor when it was made"
_READING = "a reading of the record, which changes nothing"

NOT_REVIEWED: dict[str, str] = {
    **dict.fromkeys(("signed_in", "signed_out", "sign_in_failed"), _COMING),
    **dict.fromkeys(("password_changed", "password_reset", "account_unlocked"), _PASSWORD),
    **dict.fromkeys(("record_printed", "subject_exported", "data_exported"), _READING),
    **dict.fromkeys(("vials_accounted", "accountability_undone", "period_signed", "study_closed_out"), _OWN),
    **dict.fromkeys(("visit_planned", "visit_opened", "entries_verified", "visit_signed"), "the review itself"),
    **dict.fromkeys(
        ("query_opened", "query_answered", "query_returned", "query_closed"), "followed by the query's own state"
    ),
    "printer_set": "how a printer is set; what it prints is scanned back",
}
"""The kinds of entries that are not reviewed, and why."""

_OF_DOSE = tuple(f"{what} of {{dose_id}}" for what in ("order", "decision", "plan", "check", "preparation", "release"))

TOUCHES: dict[str, tuple[str, ...]] = {
    # The readings take the place of 'not read'.
    "logger_read": ("receipt {shipment}",),
    # The newest facts, the newest decision, the newest assessment and the newest answers count.
    "deviation_updated": ("deviation {deviation_id}",),
    "dose_decided": ("decision of {dose_id}",),
    "medication_error_assessed": ("error {error_id}",),
    "criteria_recorded": ("criteria {subject_number} {entry[course]}.{entry[cycle]}.{entry[day]}",),
    # To cancel a dose is how its order, decision, plan, check, preparation and release are taken back.
    "dose_cancelled": _OF_DOSE,
}
"""What entries of a kind set anew, by the name that ``Kind.makes`` gives it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is reviewed: ``risk`` by the gravest reason (0: none), ``first`` what it may be the first of.

    ``abouts`` are the things it is about, by the names under which documents are attached to them; ``place …`` for a
    place. Those of its moves are left out: the ledger knows them.
    """

    reasons: tuple[Said, ...]
    risk: int
    first: tuple[str, ...]
    abouts: tuple[str, ...]
    makes: str


@dataclass(frozen=True, slots=True)
class Touched:
    """The earlier entries that an entry corrects, undoes or sets anew: by number, and by the name of what they made."""

    entries: tuple[int, ...]
    made: tuple[str, ...]


def entry_of(event: Event) -> Entry | None:
    """How an event is reviewed, ``None`` for one that is not."""
    kind = KINDS.get(event.kind)
    if kind is None:
        return None
    parts = list(_parts(event.content))
    found = dict.fromkeys(_reasons(event, kind, parts))
    reasons = tuple(sorted(found, key=lambda said: -RISK[said.reason]))
    return Entry(
        reasons,
        max((RISK[said.reason] for said in reasons), default=0),
        tuple(first for template in kind.first if (first := _filled(template, event))),
        tuple(sorted(set(_abouts(event, parts)) - _moved(event.content))),
        _filled(kind.makes, event),
    )


def touched_by(event: Event) -> Touched:
    """What an event touches. Its kind need not be reviewed itself: a receipt is touched by what corrects it."""
    content = event.content
    entries = [content[name] for name in ("corrects", "withdraws") if content.get(name)]
    if event.kind == "label_voided" or content.get("void") or content.get("never"):
        entries.append(content["print_seq"])
    # A measurement that was corrected says itself which doses were decided by it.
    entries += [seq for dose in content.get("used_in", ()) for seq in dose["entries"]]
    made = [_filled(template, event) for template in TOUCHES.get(event.kind, ())]
    made += [f"deviation {number}" for number in content.get("reopened", ())]
    made += [f"deviation {vial['deviation_id']}" for vial in content.get("exposed", ())]
    if content.get("reopens"):
        made.append(f"error {content['reopens']}")
    return Touched(tuple(dict.fromkeys(entries)), tuple(dict.fromkeys(name for name in made if name)))


def initials_of(printed_name: str) -> str:
    """The initials of a person: ``MS`` for Mona Sorensen; a title before a full name is left out."""
    words = printed_name.split()
    if len(words) > 2 and words[0].endswith(".") and len(words[0]) > 2:
        words = words[1:]
    return "".join(word[0].upper() for word in words)


# --- samples -----------------------------------------------------------------------------------------------------


def sample_of(entries: Iterable[int], size: int, visit: str, head_hash: str) -> tuple[int, ...]:
    """``size`` of these entries, drawn by visit and journal alone, in their order; all where there are not so many.

    Whoever has the visit's number and the hash of the journal's end at its opening draws the same again, and nobody
    chooses. A larger sample holds the smaller one.
    """

    def rank(seq: int) -> bytes:
        return sha256(f"{visit} {head_hash} {seq}".encode()).digest()

    return tuple(sorted(sorted(entries, key=rank)[: max(size, 0)]))


def usual_size(entries: int) -> int:
    """How many of so many alike entries are looked at unless the monitor says otherwise: their square root plus one.

    The usual rule for lots that nothing is known against; rounded up, and never more than there are.
    """
    return min(entries, isqrt(entries - 1) + 2) if entries > 0 else 0


def runs(entries: Iterable[tuple[int, bool]]) -> tuple[tuple[int, int, int], ...]:
    """The marked ones among entries in their order, as runs: first, last, how many; no unmarked one lies in a run."""
    found: list[tuple[int, int, int]] = []
    inside = False
    for seq, marked in entries:
        if marked and inside:
            first, _, count = found[-1]
            found[-1] = (first, seq, count + 1)
        elif marked:
            found.append((seq, seq, 1))
        inside = marked
    return tuple(found)


# --- reasons -----------------------------------------------------------------------------------------------------


def _reasons(event: Event, kind: Kind, parts: list[Mapping[str, Any]]) -> Iterator[Said]:
    for reason in kind.reasons:
        yield Said(reason, str(event.content.get("sentence") or event.why or reason))
    for part in parts:
        yield from _of_part(part)
    for reason, words_of in _CHECKS:
        words = words_of(event)
        if words:
            yield Said(reason, words)


def _opened_error(event: Event) -> str:
    return str((event.content.get("medication_error") or {}).get("sentence", ""))


def _count_differs(event: Event) -> str:
    found = event.kind == "count_recorded" and event.content["discrepancy"]
    return str(event.content["sentence"]) if found else ""


def _exposed(event: Event) -> str:
    found = event.content.get("exposed") or event.content.get("decided")
    return "vials that lay through a storage deviation" if found else ""


def _held(event: Event) -> str:
    arrived = event.kind in ("shipment_received", "logger_read")
    return str(event.content.get("hold_reason", "")) if arrived else ""


def _reason_given(event: Event) -> str:
    """The reason past warnings of a decision or a plan, for earlier vials left on the shelf, for an unlikely value."""
    groups = (event.content.get("decision") or {}, event.content.get("plan") or {})
    given = [group.get(name) for group in groups for name in ("reason", "passed_over_reason")]
    if event.kind == "measurement_recorded":
        given.append(event.why)
    return "; ".join(each for each in given if each)


def _disagreed(event: Event) -> str:
    if event.content.get("agreed") is not False:
        return ""
    return f"not the same: {', '.join(event.content['disagreed']).replace('_', ' ')}"


def _clock(event: Event) -> str:
    behind = "clock behind the last entry" in event.marks
    return "recorded at a time before that of the entry before it" if behind else ""


def _void(event: Event) -> str:
    void = event.kind == "print_answered" and event.content["void"]
    return str(event.content["void_why"]) if void else ""


def _reprint(event: Event) -> str:
    again = event.kind == "paper_printed" and any(paper["copy_number"] > 1 for paper in event.content["papers"])
    return (event.why or "printed again") if again else ""


_CHECKS: tuple[tuple[Reason, Callable[[Event], str]], ...] = (
    (Reason.ERROR, _opened_error),
    (Reason.DISCREPANCY, _count_differs),
    (Reason.STORAGE, _exposed),
    (Reason.STORAGE, _held),
    (Reason.WARNED, _reason_given),
    (Reason.DISAGREED, _disagreed),
    (Reason.LATE, lambda event: str(event.content.get("late_why", ""))),
    (Reason.CLOCK, _clock),
    (Reason.LABEL, _void),
    (Reason.LABEL, _reprint),
)
"""Reasons that an entry has by what it says, whatever its kind: each with its words, '' where it does not have it."""


_COMPARED = frozenset({"R17", "R18", "R19"})
"""The rules that say in a finding what the comparison of doses beside it says."""


def _of_part(part: Mapping[str, Any]) -> Iterator[Said]:
    """What a finding or a comparison of doses, anywhere in an entry, says for itself."""
    if {"rule", "severity", "sentence"} <= part.keys():
        override = part.get("override")
        if override:
            yield Said(Reason.OVERRIDE, f"rule {part['rule']}, {override['decided_by']}: {override['why']}")
        elif part["severity"] == Severity.WARN and part["rule"] not in _COMPARED:
            yield Said(Reason.WARNED, part["sentence"])
    if {"name", "mg", "base_name", "base_mg", "limit_percent", "at_or_over_limit"} <= part.keys():
        mg, base_mg, limit = (Decimal(part[name]) for name in ("mg", "base_mg", "limit_percent"))
        if not part["at_or_over_limit"] and not reaches(mg, base_mg, limit - MARGIN_PERCENT):
            return
        off = f", {show_percent(Decimal(part['percent']))}" if part["percent"] is not None else ""
        yield Said(
            Reason.OVER_LIMIT if part["at_or_over_limit"] else Reason.NEAR_LIMIT,
            f"{part['name']} {show_mg(mg)}, {part['base_name']} {show_mg(base_mg)}{off}; the limit is {show(limit)} %",
        )


# --- what an entry is about --------------------------------------------------------------------------------------

_UNREAD = frozenset({"moves", "trace", "spans", "protocol_text", "text", "says", "facts"})
"""Parts of an entry that name nothing that is not named elsewhere, and may be long."""

_OURS = re.compile(r"[VDEFXNQ][0-9]{6}[0-9A-Z]")
"""Our numbers of vials, doses, medication errors, documents, deviations, counts and discrepancies."""

_NAMED = {
    "subject_number": "",
    "about": "",
    "lot": "lot ",
    "place": "place ",
    "to_place": "place ",
    "shipment": "shipment ",
}
"""Names that stand under a word, and the word that stands before them."""


def _parts(value: object) -> Iterator[Mapping[str, Any]]:
    """Every group of values in an entry, from the whole inwards."""
    if isinstance(value, dict):
        yield value
        for name, inner in value.items():
            if name not in _UNREAD:
                yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)


def _abouts(event: Event, parts: list[Mapping[str, Any]]) -> Iterator[str]:
    for part in parts:
        for name, value in part.items():
            if isinstance(value, str):
                if value and name in _NAMED:
                    yield _NAMED[name] + value
                elif _OURS.fullmatch(value):
                    yield value
            elif isinstance(value, list) and name not in _UNREAD:
                yield from (each for each in value if isinstance(each, str) and _OURS.fullmatch(each))
    shipment = event.content.get("shipment")
    if isinstance(shipment, dict):
        yield f"shipment {shipment['number']}"
    if event.kind == "vials_released":
        yield f"shipment {event.content['line']['reference']}"


def _moved(content: Mapping[str, Any]) -> set[str]:
    """The vials, lots and places of an entry's lines in the ledger."""
    return {
        name
        for moved in content.get("moves", ())
        for name in (moved["unit_number"], f"lot {moved['lot']}", f"place {moved['place']}")
    }


def _filled(template: str, event: Event) -> str:
    """A text with the entry's own values; '' where the entry is older than one of them."""
    try:
        return template.format_map({**event.content, "actor": event.actor_name})
    except KeyError:
        return ""
