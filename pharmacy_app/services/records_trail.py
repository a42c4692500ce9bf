"""Records of entries and people: the audit trail, the delegation and signature log, the record of a discrepancy."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import utc_text
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Moment, protocol_of, site_of, zone_of
from pharmacy_app.services.papers_records import (
    AuditTrail,
    ConcernLine,
    Delegation,
    DelegationLog,
    DiscrepancyRecord,
    SignatureLine,
    TrailLine,
)
from pharmacy_app.services.ports import Reader, TrailFilter
from pharmacy_app.services.printing import Printed, Tell, print_record, signatures_of, stamp_of, told, unit_ranges
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.records_doses import entry_of, kind_said
from pharmacy_app.services.tables import kept_back

AUDIT_TRAIL = "audit trail"
DELEGATION_LOG = "delegation and signature log"
DISCREPANCY_RECORD = "discrepancy record"

TYPED = (
    "action",
    "cause",
    "comment",
    "comments",
    "condition",
    "condition_note",
    "data_sent",
    "difference_note",
    "done",
    "expiry_note",
    "explanation",
    "harm",
    "hold_reason",
    "late_why",
    "logger_reason",
    "note",
    "passed_over_note",
    "passed_over_reason",
    "preventive_action",
    "purpose",
    "reason",
    "summary",
    "text",
    "void_why",
    "what",
    "what_happened",
    "why",
)
"""Names under which an entry holds what a person typed; it is printed whole, up to the limit it was typed within."""

LONGEST_VALUE = 160
"""Another value longer than this is named by its length and SHA-256: the protocol's text, a drawn curve."""

LONGEST_ENTRY = 600
"""Characters of an entry's lists and nested values that the trail prints; the hash beside them pins the whole."""

UNSAID = ("credential_sha256",)
"""What no paper says, not even by its hash."""

NOT_PRINTED = "not printed"
"""What stands in place of a personal value: of a subject only the number leaves the pharmacy (REGULATION A-31)."""

ABOUT = (
    "dose_id",
    "subject_number",
    "error_id",
    "deviation_id",
    "count_number",
    "discrepancy",
    "number",
    "document_id",
    "corrects",
)
"""Names under which an entry's content says what it is about, in the order in which they are looked for."""


# --- the audit trail ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrailForm:
    """Which entries, as typed: first and last day of recording, a person (account id), a kind, and a text in them."""

    from_on: str = ""
    to_on: str = ""
    account_id: str = ""
    kind: str = ""
    text: str = ""


def print_audit_trail(desk: Desk, act: Act, form: TrailForm, tell: Tell | None = None) -> Printed:
    """The journal's entries that a question gives, oldest first; ``tell`` hears how far it is and may raise to stop."""

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        wanted, asked = read_trail(reader, form)
        count = reader.count_trail(wanted)
        return desk.papers.audit_trail(
            AuditTrail(
                stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now),
                copy_number=copy_number,
                asked=asked,
                count=count,
                lines=told(trail_lines(reader, moment.site, wanted), count, tell),
            )
        )

    return print_record(desk, act, AUDIT_TRAIL, _about_trail(form), make)


def _about_trail(form: TrailForm) -> str:
    """The question in short, as its print is counted by."""
    parts = (
        f"{form.from_on.strip()} to {form.to_on.strip()}" if form.from_on.strip() or form.to_on.strip() else "",
        form.account_id,
        form.kind,
        f"with “{form.text.strip()}”" if form.text.strip() else "",
    )
    return ", ".join(part for part in parts if part) or "every entry"


def read_trail(reader: Reader, form: TrailForm) -> tuple[TrailFilter, tuple[tuple[str, str], ...]]:
    """The question as typed, read, and as it stands on the paper; raises ``Refused`` beside its fields."""
    site = site_of(reader)
    reading = Reading()
    first = reading.day(form.from_on, "from_on") if form.from_on.strip() else None
    last = reading.day(form.to_on, "to_on") if form.to_on.strip() else None
    if first and last and last < first:
        reading.fault("to_on", f"{say_day(last)} is before {say_day(first)}. Check both days.")
    person = reader.account(form.account_id) if form.account_id else None
    if form.account_id and person is None:
        reading.fault("account_id", "There is no such account. Choose a person of the list.")
    text = reading.note(form.text, "text", "The text", longest=100)
    reading.done()
    wanted = TrailFilter(
        _midnight(first, site) if first else "",
        _midnight(last + timedelta(days=1), site) if last else "",
        form.account_id,
        form.kind,
        text,
    )
    return wanted, (
        ("From", say_day(first) if first else "the first entry"),
        ("To", say_day(last) if last else "the last entry"),
        ("Person", person.printed_name if person else "everybody"),
        ("Kind", kind_said(form.kind) if form.kind else "every kind"),
        ("With the text", text or "N/A: not asked for"),
    )


def _midnight(day: date, site: views.Site) -> str:
    return utc_text(datetime(day.year, day.month, day.day, tzinfo=zone_of(site)))


def trail_lines(reader: Reader, site: views.Site, wanted: TrailFilter) -> Iterator[TrailLine]:
    """Entries as the audit trail prints them, in the site's time, one after the other."""
    zone = zone_of(site)
    for event in reader.trail(wanted):
        content: dict[str, Any] = kept_back(event.content, NOT_PRINTED)
        changes = content.get("changes") or ()
        yield TrailLine(
            event.seq,
            event.recorded_at.astimezone(zone),
            event.done_at.astimezone(zone),
            event.actor_name,
            event.workstation,
            kind_said(event.kind),
            content_words({name: value for name, value in content.items() if name != "changes"}),
            tuple((each["label"], each["old"], each["new"]) for each in changes),
            event.why,
            event.signatures,
            event.marks,
            event.hash,
        )


def content_words(content: dict[str, Any]) -> str:
    """What an entry holds, in one line of names and values; lists and what is nested are cut where they are long.

    What a person typed is never left out: where a list is cut before it, it stands behind the cut.
    """
    parts, room = [], LONGEST_ENTRY
    for name, value in content.items():
        words = _name_and_value(name, value)
        if not isinstance(value, (dict, list)) or len(words) <= room:
            parts.append(words)
        else:
            begun = words[:room]
            typed = [each for each in dict.fromkeys(_typed(value)) if each not in begun]
            more = f"{begun} … and {len(words) - room:,} characters more, in the entry itself"
            parts.append(f"{more}: {'; '.join(typed)}" if typed else more)
        if isinstance(value, (dict, list)):
            room = max(room - len(words), 0)
    return "; ".join(part for part in parts if part)


def _typed(value: Any) -> Iterator[str]:
    """What a person typed, wherever it stands in a value, with its name."""
    if isinstance(value, list):
        for each in value:
            yield from _typed(each)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in TYPED and isinstance(inner, str):
                yield _name_and_value(name, inner)
            else:
                yield from _typed(inner)


def _name_and_value(name: str, value: Any) -> str:
    """A named value in words; '' for what says nothing or is not to be said."""
    said = _moves_said(value) if name == "moves" else _said(value, whole=name in TYPED)
    if not said or name in UNSAID:
        return ""
    # The field says entry where the journal's content says seq.
    words = f"{name.removesuffix('_seq')}_entry" if name.endswith("_seq") else name
    return f"{words.replace('_', ' ')} {said}"


def _moves_said(moves: list[dict[str, Any]]) -> str:
    """Vials that made the same move together, their numbers in runs."""
    together: dict[tuple[str, ...], list[str]] = {}
    for each in moves:
        what = tuple(each.get(name, "") for name in ("move", "from_state", "to_state", "place", "strength_mg", "lot"))
        together.setdefault(what, []).append(each["unit_number"])
    return "; ".join(
        f"{move} {unit_ranges(tuple(units))} ({before or 'new'} → {after or 'gone'}, {place}, {strength} mg lot {lot})"
        for (move, before, after, place, strength, lot), units in together.items()
    )


def _said(value: Any, *, whole: bool = False) -> str:
    """A value of plain JSON in words, ``whole`` or as short as a machine's; '' for what says nothing."""
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        inner = ", ".join(filter(None, (_name_and_value(name, each) for name, each in value.items())))
        return f"({inner})" if inner else ""
    if isinstance(value, list):
        parts = [part for part in map(_said, value) if part]
        return " ".join(parts) if any(isinstance(each, dict) for each in value) else ", ".join(parts)
    return _text_said(str(value), whole=whole)


def _text_said(value: str, *, whole: bool) -> str:
    words = " ".join(value.split())
    if re.fullmatch("[0-9a-f]{64}", words):
        return f"{words[:16]}…"
    if len(words) > LONGEST_VALUE and not whole:
        return f"[{len(words):,} characters, SHA-256 {sha256(value.encode()).hexdigest()[:12]}]"
    return words


# --- delegation and signatures -----------------------------------------------------------------------------------

_ACCOUNTS = ("site_opened", "account_added", "account_changed", "account_unlocked", "password_reset")


def print_delegation_log(desk: Desk, act: Act, tell: Tell | None = None) -> Printed:
    """Who was delegated from when to when, and every signature with its meaning; anyone signed in may print it."""

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        events = sorted(reader.events_between(_ACCOUNTS, 0, reader.head().seq + 1), key=lambda event: event.seq)
        delegations = tuple(_delegations(events, moment.site))
        wanted = TrailFilter(signed=True)
        return desk.papers.delegation_log(
            DelegationLog(
                stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now),
                copy_number=copy_number,
                investigator=moment.site.principal_investigator,
                delegations=delegations,
                signatures=_signatures(
                    told(reader.trail(wanted), reader.count_trail(wanted), tell), delegations, moment.site
                ),
            )
        )

    return print_record(desk, act, DELEGATION_LOG, "the site", make)


def _delegations(events: Iterable[views.EventLine], site: views.Site) -> Iterator[Delegation]:
    """Every account as it was set, entry after entry; what came before an entry no longer holds from there on."""
    zone = zone_of(site)
    lines: dict[str, list[Delegation]] = {}
    for event in events:
        for account_id, facts in _accounts_in(event, lines):
            before = lines.setdefault(account_id, [])
            if before:
                before[-1] = _until(before[-1], event.seq)
            before.append(
                Delegation(
                    facts["printed_name"],
                    facts["user_name"],
                    facts["roles"],
                    facts["delegated_from"],
                    facts["delegated_to"],
                    facts["standing"],
                    event.seq,
                    event.actor_name,
                    event.recorded_at.astimezone(zone),
                    event.why,
                    0,
                )
            )
    for account_id in sorted(lines):
        yield from lines[account_id]


def _accounts_in(event: views.EventLine, known: dict[str, list[Delegation]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The accounts that an entry makes or changes, each with its facts after it."""
    content: dict[str, Any] = event.content
    made = [each["account"] for each in content.get("accounts", ())]
    if "account" in content:
        made.append(content["account"])
    for account in made:
        yield (
            account["account_id"],
            {
                "printed_name": account["printed_name"],
                "user_name": account["user_name"],
                **_standing(account["roles"], account, active=account["active"]),
            },
        )
    account_id = content.get("account_id", "")
    if made or account_id not in known:
        return
    last = known[account_id][-1]
    same = {"printed_name": last.printed_name, "user_name": last.user_name}
    if event.kind == "account_changed":
        yield account_id, {**same, **_standing(content["roles"], content, active=content["active"])}
        return
    words = "unlocked" if event.kind == "account_unlocked" else "one-time password set"
    yield (
        account_id,
        {
            **same,
            "roles": last.roles,
            "delegated_from": last.delegated_from,
            "delegated_to": last.delegated_to,
            "standing": words,
        },
    )


def _standing(roles: list[str], facts: dict[str, Any], *, active: bool) -> dict[str, Any]:
    until = facts["delegated_to"]
    return {
        "roles": " and ".join(roles),
        "delegated_from": date.fromisoformat(facts["delegated_from"]),
        "delegated_to": date.fromisoformat(until) if until else None,
        "standing": "active" if active else "disabled",
    }


def _until(line: Delegation, entry: int) -> Delegation:
    return Delegation(
        line.printed_name,
        line.user_name,
        line.roles,
        line.delegated_from,
        line.delegated_to,
        line.standing,
        line.entry,
        line.set_by,
        line.set_at,
        line.why,
        entry,
    )


def _signatures(
    events: Iterable[views.EventLine], delegations: tuple[Delegation, ...], site: views.Site
) -> Iterator[SignatureLine]:
    """Every signature in the order of the journal, with the role that its person had then."""
    zone = zone_of(site)
    history: dict[str, list[Delegation]] = {}
    for each in delegations:
        history.setdefault(each.printed_name, []).append(each)
    line = 0
    for event in events:
        for name, _, meaning in (said.partition(": ") for said in event.signatures):
            line += 1
            held = [each for each in history.get(name, ()) if each.entry <= event.seq]
            yield SignatureLine(
                line,
                event.recorded_at.astimezone(zone),
                name,
                held[-1].roles if held else "N/A: no account on record then",
                meaning,
                kind_said(event.kind),
                about_of(event),
                event.seq,
                event.hash,
            )


def about_of(event: views.EventLine) -> str:
    """The number that an entry is about, '' where it names none."""
    content: dict[str, Any] = event.content
    for name in ABOUT:
        value = content.get(name)
        if value:
            return f"entry {value}" if name == "corrects" else str(value)
    units = content.get("unit_numbers") or [each["unit_number"] for each in content.get("moves", ())]
    if units:
        return str(units[0]) if len(units) == 1 else f"{units[0]} and {len(units) - 1} more"
    return str((content.get("line") or {}).get("reference", ""))


# --- discrepancies -----------------------------------------------------------------------------------------------


def print_discrepancy(desk: Desk, act: Act, number: str) -> Printed:
    """The record of one discrepancy as it stands now; anyone signed in may print it."""
    tidy = number.strip().upper()

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        found = reader.discrepancy(tidy)
        if found is None:
            raise Refused(Fault("number", f"There is no discrepancy {tidy or 'without a number'}."))
        zone = zone_of(moment.site)
        seqs = [found.event_seq, *([found.closed_seq] if found.closed_seq else [])]
        events = [event for event in map(reader.event, seqs) if event is not None]
        return desk.papers.discrepancy_record(
            DiscrepancyRecord(
                stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now),
                number=found.number,
                copy_number=copy_number,
                product=protocol_of(moment.site, found.opened_at.astimezone(zone).date()).study.drug,
                investigator=moment.site.principal_investigator,
                status=found.status,
                place=found.place,
                count_number=found.count_number,
                sentence=found.sentence,
                opened_at=found.opened_at.astimezone(zone),
                opened_by=found.opened_by,
                concerns=tuple(
                    ConcernLine(each.strength_mg, each.lot, each.difference, each.units) for each in found.concerns
                ),
                outcome=found.outcome,
                explanation=found.explanation,
                closed_at=None if found.closed_at is None else found.closed_at.astimezone(zone),
                closed_by=found.closed_by,
                entries=tuple(entry_of(event, zone) for event in events),
                signatures=tuple(each for event in events for each in signatures_of(reader, event)),
            )
        )

    return print_record(desk, act, DISCREPANCY_RECORD, tidy, make)
