"""Shipments, vials, stock counts and ledger lines."""

from collections.abc import Iterator
from dataclasses import dataclass

from db.projections import shipments
from db.projections.changes import Add, Change, Count, Insert, Projections, Row, Update, as_json, nothing
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.vials import move_table


def _shipment_received(event: Event) -> Iterator[Change]:
    content = event.content
    shipment = content["shipment"]
    yield from shipments.received(event)
    place = {moved["unit_number"]: moved for moved in content["moves"]}
    for new in content["vials"]:
        moved = place[new["unit_number"]]
        yield Insert(
            "vial",
            {
                "unit_number": new["unit_number"],
                "kit_number": new["kit_number"] or None,
                "strength_mg": moved["strength_mg"],
                "lot": moved["lot"],
                "expires_on": moved["expires_on"],
                "place": moved["place"],
                "state": moved["to_state"],
                "hold_reason": new["hold_reason"],
                "dose_id": "",
                "shipment_number": shipment["number"],
                "moved_utc": utc_text(event.done_at),
                "accounted_by": "",
                "label_seq": None,
                "label_from_seq": 0,
            },
        )
    for moved in content["moves"]:
        label = {"strength_mg": moved["strength_mg"], "lot": moved["lot"]}
        yield Count("lot", label, "received", 1, {"expires_on": moved["expires_on"]})
    for strength_mg, lot, expires_on in {
        (moved["strength_mg"], moved["lot"], moved["expires_on"]): None for moved in content["moves"]
    }:
        # A correction may have emptied the lot before; what it counts through is said by what came now.
        yield Update("lot", {"strength_mg": strength_mg, "lot": lot}, {"expires_on": expires_on})
    yield Count("counter", {"name": "vial"}, "value", len(content["vials"]))


def _hold_reason(event: Event, reason: str) -> Iterator[Change]:
    for moved in event.content["moves"]:
        yield Update("vial", {"unit_number": moved["unit_number"]}, {"hold_reason": reason})


def _no_hold(event: Event) -> Iterator[Change]:
    return _hold_reason(event, "")


def _vials_quarantined(event: Event) -> Iterator[Change]:
    return _hold_reason(event, event.content["reason"])


def _vials_accounted(event: Event) -> Iterator[Change]:
    for unit_number in event.content["unit_numbers"]:
        yield Update("vial", {"unit_number": unit_number}, {"accounted_by": event.actor_name})
        yield Insert(
            "accounted",
            {
                "unit_number": unit_number,
                "event_seq": event.seq,
                "monitor": event.actor_name,
                "accounted_at": event.done_at.isoformat(),
                # Entries from before visits were kept name none.
                "visit": event.content.get("visit", ""),
            },
        )


def _vials_found(event: Event) -> Iterator[Change]:
    for moved in event.content["moves"]:
        # A used container that is found again is kept back by nothing.
        if moved["to_state"] == "quarantined":
            yield Update("vial", {"unit_number": moved["unit_number"]}, {"hold_reason": event.content["hold_reason"]})


_BALANCE = {"available": (1, 0), "quarantine": (0, 1), "opened": (0, 0), "": (0, 0)}


@dataclass(frozen=True, slots=True)
class _Where:
    """The label and place under which a ledger line counts."""

    strength_mg: str
    lot: str
    expires_on: str
    place: str


@dataclass(frozen=True, slots=True)
class _Step:
    """What vials of one line do: under which move, from which state to which, '' being outside of the line's count."""

    move: str
    where: _Where
    before: str
    after: str
    transaction: str


def moves(event: Event) -> Iterator[Change]:
    """Vial states, stock counts and ledger lines of whatever the event moved: a line a kind of move, lot and place.

    A change of place or label is two lines, out of the old and into the new.
    """
    lines: dict[_Step, list[str]] = {}
    for moved in event.content.get("moves", ()):
        for step in _steps(moved):
            lines.setdefault(step, []).append(moved["unit_number"])
        if moved["from_state"]:
            yield Update(
                "vial", {"unit_number": moved["unit_number"], "state": moved["from_state"]}, _after(event, moved)
            )
    for line, (step, units) in enumerate(lines.items(), start=1):
        yield from _ledger_line(event, line, step, units)


def _steps(moved: Row) -> Iterator[_Step]:
    table = move_table()
    name = moved["move"]
    here = _Where(*(moved[part] for part in ("strength_mg", "lot", "expires_on", "place")))
    out, into = (
        (table.moves[name].transaction, table.moves[name].transaction_in) if name in table.moves else ("CORRECT",) * 2
    )
    if "to_place" not in moved:
        yield _Step(name, here, moved["from_state"], moved["to_state"], out)
        return
    there = _Where(*(moved[part] for part in ("to_strength_mg", "to_lot", "to_expires_on", "to_place")))
    yield _Step(name, here, moved["from_state"], "", out)
    yield _Step(name, there, "", moved["to_state"], into)


def _after(event: Event, moved: Row) -> Row:
    """A vial's row after its move."""
    values: Row = {"state": moved["to_state"], "moved_utc": utc_text(event.done_at)}
    if "to_place" in moved:
        values |= {part: moved[f"to_{part}"] for part in ("strength_mg", "lot", "expires_on", "place")}
        if any(moved[part] != moved[f"to_{part}"] for part in ("strength_mg", "lot", "expires_on")):
            # What its printed label says is wrong from here on: a new one is printed and scanned back.
            values |= {"label_seq": None, "label_from_seq": event.seq}
    return values


def _ledger_line(event: Event, line: int, step: _Step, units: list[str]) -> Iterator[Change]:
    facts = event.content.get("line", {})
    where = step.where
    states = move_table().states
    for state, change in ((step.before, -len(units)), (step.after, len(units))):
        if state:
            yield Count(
                "stock",
                {"strength_mg": where.strength_mg, "lot": where.lot, "place": where.place, "state": state},
                "vials",
                change,
            )
    before = _BALANCE[states[step.before].on_site if step.before else ""]
    after = _BALANCE[states[step.after].on_site if step.after else ""]
    changed = {
        "available_change": (after[0] - before[0]) * len(units),
        "quarantine_change": (after[1] - before[1]) * len(units),
    }
    done_utc = utc_text(event.done_at)
    yield from _sums(where, done_utc, {"lines": 1, "record_lines": int(step.transaction != ""), **changed})
    yield Insert(
        "ledger_line",
        {
            "event_seq": event.seq,
            "line": line,
            "done_utc": done_utc,
            "done_at": event.done_at.isoformat(),
            "recorded_at": event.recorded_at.isoformat(),
            "recorded_utc": utc_text(event.recorded_at),
            # A correction counts from the moment of what it takes back: so 'as known now' leaves both out.
            "effective_utc": event.content.get("effective_utc", done_utc),
            "corrects_seq": event.content.get("corrects"),
            "late_why": event.content.get("late_why", ""),
            "move": step.move,
            "transaction": step.transaction,
            "strength_mg": where.strength_mg,
            "lot": where.lot,
            "expires_on": where.expires_on,
            "place": where.place,
            "from_state": step.before,
            "to_state": step.after,
            "quantity": len(units),
            **changed,
            "units": as_json(units),
            "dose_id": facts.get("dose_id", ""),
            "counterparty": facts.get("counterparty", ""),
            "initials": facts.get("initials", ""),
            "cycle_day": facts.get("cycle_day", ""),
            "dose_mg": facts.get("dose_mg", ""),
            "reference": facts.get("reference", ""),
            "comment": facts.get("comment", ""),
            "recorder": event.actor_name,
            "verifier": facts.get("verifier", ""),
        },
    )
    for unit_number in units:
        yield Insert("ledger_vial", {"unit_number": unit_number, "event_seq": event.seq, "line": line})


def _sums(where: _Where, done_utc: str, changes: Row) -> Iterator[Change]:
    """What a line adds to the sums of its day and month, by which balances are found without adding up all lines."""
    for lot in {"": None, where.lot: None}:
        for place in {"": None, where.place: None}:
            for level, span in (("day", done_utc[:10]), ("month", done_utc[:7])):
                key = {"level": level, "lot": lot, "place": place, "span": span, "strength_mg": where.strength_mg}
                yield Add("ledger_sum", key, changes)


APPLY: Projections = {
    "vials_broken": nothing,
    "vials_missing": nothing,
    "vials_returned": nothing,
    "vials_transferred": nothing,
    "vials_destroyed": nothing,
    "shipment_received": _shipment_received,
    "vials_released": _no_hold,
    "vials_quarantined": _vials_quarantined,
    "quarantine_lifted": _no_hold,
    "vials_found": _vials_found,
    "vials_accounted": _vials_accounted,
}
