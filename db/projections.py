"""From an event to the rows that screens read: one pure function a kind of event.

``changes_of`` looks at nothing but the event. Replaying the journal through it into an empty database must
give the same tables, row for row; ``verify`` holds us to that.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, insert, update
from sqlalchemy.dialects.sqlite import insert as upsert

from db import schema
from pharmacy_app.domain.codec import canonical
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.vials import move_table

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row."""

    table: str
    row: Row


@dataclass(frozen=True, slots=True)
class Update:
    """New values for the one row with this key; anything but one row is a mistake of ours."""

    table: str
    key: Row
    values: Row


@dataclass(frozen=True, slots=True)
class Count:
    """Add ``change`` to a counted column of the row with this key, made at zero when it is not there."""

    table: str
    key: Row
    column: str
    change: int
    also: Row = field(default_factory=dict)


Change = Insert | Update | Count


def write_changes(connection: Connection, changes: list[Change]) -> None:
    """Write what an event changes; raises ``LookupError`` when a row to update is not there exactly once."""
    for change in changes:
        table = schema.views.tables[change.table]
        if isinstance(change, Insert):
            connection.execute(insert(table).values(change.row))
            continue
        where = and_(*(table.c[name] == value for name, value in change.key.items()))
        if isinstance(change, Update):
            done = connection.execute(update(table).where(where).values(change.values))
            if done.rowcount != 1:
                raise LookupError(f"{change.table} {change.key} is not there exactly once")
            continue
        connection.execute(
            upsert(table)
            .values({**change.key, **change.also, change.column: 0})
            .on_conflict_do_nothing(index_elements=list(change.key))
        )
        column = table.c[change.column]
        connection.execute(update(table).where(where).values({change.column: column + change.change}))


def changes_of(event: Event) -> list[Change]:
    """Every row the event makes or changes. An unknown kind is a mistake of ours and raises ``KeyError``."""
    return [*_APPLY[event.kind](event), *_moves(event)]


def _json(value: object) -> str:
    return canonical(value).decode()


def _nothing(_event: Event) -> Iterator[Change]:
    return iter(())


# --- people and settings ----------------------------------------------------------------------------------------


def _account_row(account: Row, credential_sha256: str) -> Insert:
    return Insert(
        "account",
        {
            "account_id": account["account_id"],
            "user_name": account["user_name"],
            # Capitals or not, in any alphabet: SQLite's own lower() knows ASCII only.
            "sign_in_name": account["user_name"].casefold(),
            "printed_name": account["printed_name"],
            "roles": ",".join(account["roles"]),
            "delegated_from": account["delegated_from"],
            "delegated_to": account["delegated_to"],
            "active": int(account["active"]),
            "failed_attempts": 0,
            "locked": 0,
            "must_change_password": int(account["must_change_password"]),
            "credential_sha256": credential_sha256,
        },
    )


def _site_opened(event: Event) -> Iterator[Change]:
    content = event.content
    yield Insert(
        "site",
        {
            "id": 1,
            **{
                name: content["site"][name]
                for name in (
                    "name",
                    "number",
                    "time_zone",
                    "pharmacy_phone",
                    "principal_investigator",
                    "protocol_number",
                )
            },
            "places": _json(content["site"]["places"]),
            "study_title": content["study_title"],
            "protocol_version": content["protocol_version"],
            "protocol_sha256": content["protocol_sha256"],
            "protocol_text": content["protocol_text"],
            "demonstration": int(content["site"]["demonstration"]),
        },
    )
    # The version a site opens with has always been in force: no date is before ''.
    yield _protocol_version(
        event, content["protocol_version"], content["protocol_sha256"], content["protocol_text"], "", ""
    )
    for new in content["accounts"]:
        yield _account_row(new["account"], new["credential_sha256"])
        yield Count("counter", {"name": "account"}, "value", 1)


def _protocol_version(event: Event, label: str, sha256: str, text: str, effective_on: str, source: str) -> Insert:
    return Insert(
        "protocol_version",
        {
            "event_seq": event.seq,
            "label": label,
            "sha256": sha256,
            "text": text,
            "effective_on": effective_on,
            "source": source,
            "signed_by": ", ".join(signature.printed_name for signature in event.signatures),
            "recorded_at": event.recorded_at.isoformat(),
        },
    )


def _protocol_amended(event: Event) -> Iterator[Change]:
    content = event.content
    yield _protocol_version(
        event, content["label"], content["sha256"], content["text"], content["effective_on"], content["source"]
    )


def _account_added(event: Event) -> Iterator[Change]:
    yield _account_row(event.content["account"], event.content["credential_sha256"])
    yield Count("counter", {"name": "account"}, "value", 1)


def _account(event: Event, **values: object) -> Iterator[Change]:
    yield Update("account", {"account_id": event.content["account_id"]}, values)


def _account_changed(event: Event) -> Iterator[Change]:
    content = event.content
    return _account(
        event,
        roles=",".join(content["roles"]),
        delegated_from=content["delegated_from"],
        delegated_to=content["delegated_to"],
        active=int(content["active"]),
    )


def _account_unlocked(event: Event) -> Iterator[Change]:
    return _account(event, failed_attempts=0, locked=0)


def _password_changed(event: Event) -> Iterator[Change]:
    return _account(event, credential_sha256=event.content["credential_sha256"], must_change_password=0)


def _password_reset(event: Event) -> Iterator[Change]:
    return _account(
        event,
        credential_sha256=event.content["credential_sha256"],
        must_change_password=1,
        failed_attempts=0,
        locked=0,
    )


def _signed_in(event: Event) -> Iterator[Change]:
    return _account(event, failed_attempts=0)


def _sign_in_failed(event: Event) -> Iterator[Change]:
    content = event.content
    if not content["account_id"]:
        return iter(())
    return _account(event, failed_attempts=content["attempt"], locked=int(content["locked"]))


def _settings_signed(event: Event) -> Iterator[Change]:
    signed_by = ", ".join(signature.printed_name for signature in event.signatures)
    for name, value in event.content["settings"].items():
        row = {
            "value": _json(value["value"]),
            "source": value["source"],
            "event_seq": event.seq,
            "signed_by": signed_by,
            "signed_at": event.recorded_at.isoformat(),
        }
        if value["replaces"] is None:
            yield Insert("setting", {"name": name, **row})
        else:
            yield Update("setting", {"name": name}, row)


# --- vials ------------------------------------------------------------------------------------------------------


def _shipment_received(event: Event) -> Iterator[Change]:
    content = event.content
    shipment = content["shipment"]
    yield Insert(
        "shipment",
        {
            "number": shipment["number"],
            "sender": shipment["sender"],
            "shipped_on": shipment["shipped_on"],
            "received_at": event.done_at.isoformat(),
            "received_utc": utc_text(event.done_at),
            "logger_serial": shipment["logger_serial"],
            "logger_state": shipment["logger_state"],
            "condition": shipment["condition"],
            "received_by": event.actor_name,
            "vials": len(content["vials"]),
            "hold_reason": content["hold_reason"],
            "event_seq": event.seq,
        },
    )
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
            },
        )
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


def _vials_found(event: Event) -> Iterator[Change]:
    return _hold_reason(event, event.content["hold_reason"])


_BALANCE = {"available": (1, 0), "quarantine": (0, 1), "opened": (0, 0), "": (0, 0)}


def _moves(event: Event) -> Iterator[Change]:
    """Vial states, stock counts and ledger lines of whatever the event moved: a line a kind of move, lot and place."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for moved in event.content.get("moves", ()):
        names = ("move", "strength_mg", "lot", "expires_on", "place", "from_state", "to_state")
        groups.setdefault(tuple(moved[name] for name in names), []).append(moved["unit_number"])
    facts = event.content.get("line", {})
    table = move_table()
    for line, (key, units) in enumerate(groups.items(), start=1):
        move, strength_mg, lot, expires_on, place, from_state, to_state = key
        where = {"strength_mg": strength_mg, "lot": lot, "place": place}
        for state, change in ((from_state, -len(units)), (to_state, len(units))):
            if state:
                yield Count("stock", {**where, "state": state}, "vials", change, {"expires_on": expires_on})
        before = _BALANCE[table.states[from_state].on_site if from_state else ""]
        after = _BALANCE[table.states[to_state].on_site]
        yield Insert(
            "ledger_line",
            {
                "event_seq": event.seq,
                "line": line,
                "done_utc": utc_text(event.done_at),
                "done_at": event.done_at.isoformat(),
                "recorded_at": event.recorded_at.isoformat(),
                "move": move,
                "transaction": table.moves[move].transaction,
                "strength_mg": strength_mg,
                "lot": lot,
                "expires_on": expires_on,
                "place": place,
                "from_state": from_state,
                "to_state": to_state,
                "quantity": len(units),
                "available_change": (after[0] - before[0]) * len(units),
                "quarantine_change": (after[1] - before[1]) * len(units),
                "units": _json(units),
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
            if from_state:
                yield Update(
                    "vial",
                    {"unit_number": unit_number, "state": from_state},
                    {"state": to_state, "moved_utc": utc_text(event.done_at)},
                )


# --- subjects ---------------------------------------------------------------------------------------------------


def _subject_enrolled(event: Event) -> Iterator[Change]:
    yield Insert(
        "subject",
        {
            **{name: event.content[name] for name in ("subject_number", "initials", "birth", "enrolled_on")},
            "event_seq": event.seq,
        },
    )


def _measurement_recorded(event: Event) -> Iterator[Change]:
    for measured in event.content["measured"]:
        yield Insert(
            "measurement",
            {
                "event_seq": event.seq,
                **measured,
                "subject_number": event.content["subject_number"],
                "measured_on": event.content["measured_on"],
                "recorded_at": event.recorded_at.isoformat(),
                "recorder": event.actor_name,
                "why": event.why,
            },
        )


# --- treatment --------------------------------------------------------------------------------------------------


def _treatment_stated(event: Event) -> Iterator[Change]:
    yield Insert(
        "treatment",
        {
            "event_seq": event.seq,
            "kind": event.kind,
            "subject_number": event.content["subject_number"],
            "entry": _json(event.content["entry"]),
            "recorder": event.actor_name,
            "recorded_at": event.recorded_at.isoformat(),
            "why": event.why,
            "withdrawn_seq": None,
            "withdrawn_by": "",
            "withdrawn_why": "",
        },
    )


def _statement_withdrawn(event: Event) -> Iterator[Change]:
    yield Update(
        "treatment",
        {"event_seq": event.content["withdraws"]},
        {"withdrawn_seq": event.seq, "withdrawn_by": event.actor_name, "withdrawn_why": event.why},
    )


# --- doses ------------------------------------------------------------------------------------------------------


def _dose(event: Event, status: str, **values: object) -> Iterator[Change]:
    yield Update("dose", {"dose_id": event.content["dose_id"]}, {"status": status, **values})


def _dose_ordered(event: Event) -> Iterator[Change]:
    names = (
        "dose_id",
        "subject_number",
        "course",
        "cycle",
        "day",
        "level",
        "planned_on",
        "prescriber",
        "ordered_on",
        "prescribed_mg",
    )
    row = {name: event.content[name] for name in names}
    yield Insert("dose", {**row, "status": "ordered", "order_seq": event.seq})
    yield Count("counter", {"name": "dose"}, "value", 1)


def _dose_decided(event: Event) -> Iterator[Change]:
    content = event.content
    return _dose(
        event,
        "decided" if content["may_go_on"] else "stopped",
        decision_seq=event.seq,
        decision=_json(content["decision"]),
        height_cm=content["height_cm"],
        weight_kg=content["weight_kg"],
        weight_on=content["weight_on"],
        bsa_formula=content["bsa_formula"],
    )


def _vials_reserved(event: Event) -> Iterator[Change]:
    yield from _dose(
        event,
        "planned",
        plan_seq=event.seq,
        plan=_json(event.content["plan"]),
        planned_by=event.actor_name,
        planner_id=event.actor_id,
        planned_at=event.recorded_at.isoformat(),
    )
    for moved in event.content["moves"]:
        yield Update("vial", {"unit_number": moved["unit_number"]}, {"dose_id": event.content["dose_id"]})


def _dose_verified(event: Event) -> Iterator[Change]:
    if not event.content["agreed"]:
        return iter(())
    return _dose(
        event,
        "verified",
        verify_seq=event.seq,
        verified_by=event.content["checker"],
        verified_at=event.recorded_at.isoformat(),
    )


def _dose_prepared(event: Event) -> Iterator[Change]:
    content = event.content
    yield from _dose(
        event,
        "prepared",
        prepare_seq=event.seq,
        preparation=_json(content["preparation"]),
        prepared_mg=content["preparation"]["prepared_mg"],
        prepared_by=event.actor_name,
    )
    for draw in content["preparation"]["draws"]:
        yield _mg_line(event, draw["unit_number"], draw["strength_mg"], draw["drawn_mg"])


def _mg_line(event: Event, unit_number: str, labelled_mg: str, withdrawn_mg: str) -> Insert:
    """An opened vial's line of the mg ledger, open until its residue and what was discarded are known."""
    return Insert(
        "mg_line",
        {
            "unit_number": unit_number,
            "dose_id": event.content["dose_id"],
            "labelled_mg": labelled_mg,
            "withdrawn_mg": withdrawn_mg,
            "residue_mg": None,
            "discarded_mg": None,
            "closed_seq": None,
        },
    )


def _dose_released(event: Event) -> Iterator[Change]:
    return _dose(
        event,
        "released",
        release_seq=event.seq,
        released_by=event.actor_name,
        released_at=event.done_at.isoformat(),
        released_to=event.content["released_to"],
    )


def _dose_administered(event: Event) -> Iterator[Change]:
    content = event.content
    yield from _dose(
        event,
        "administered",
        administer_seq=event.seq,
        administration=_json(content["administration"]),
        administered_mg=content["administration"]["administered_mg"],
        given_on=content["administration"]["given_on"],
    )
    error = content["medication_error"]
    if error:
        given = content["administration"]
        yield from _new_error(
            event,
            **{
                name: error[name]
                for name in (
                    "error_id",
                    "subject_number",
                    "prescribed_mg",
                    "administered_mg",
                    "difference",
                    "sentence",
                )
            },
            source="dosing rule",
            dose_id=content["dose_id"],
            found_at=event.recorded_at.isoformat(),
            found_by=event.actor_name,
            occurred_at=given["started_at"],
            stage="administration",
            # Records opened before this was kept: the rule knows doses only.
            error_type=error.get("error_type", "wrong dose"),
            reached_subject="yes",
            what_happened=given["note"],
            action="",
            stopped_for=given.get("stopped_for", ""),
        )


# --- medication errors ------------------------------------------------------------------------------------------


def _new_error(event: Event, **values: object) -> Iterator[Change]:
    yield Insert(
        "medication_error",
        {
            **values,
            "opened_at": event.recorded_at.isoformat(),
            "opened_by": event.actor_name,
            "status": "open",
            "verdict": "",
            "category": "",
            "event_seq": event.seq,
        },
    )
    yield Count("counter", {"name": "medication_error"}, "value", 1)


def _medication_error_recorded(event: Event) -> Iterator[Change]:
    return _new_error(event, **event.content, source="person")


def _medication_error_assessed(event: Event) -> Iterator[Change]:
    content = event.content
    assessed = content["assessment"]
    yield Update(
        "medication_error",
        {"error_id": content["error_id"]},
        {
            **{
                name: assessed[name]
                for name in (
                    "verdict",
                    "category",
                    "stage",
                    "error_type",
                    "reached_subject",
                    "stopped_for",
                    "found_at",
                    "occurred_at",
                )
            },
            "status": content["status"],
        },
    )
    yield Insert(
        "medication_error_assessment",
        {
            "event_seq": event.seq,
            "error_id": content["error_id"],
            "assessed_at": event.recorded_at.isoformat(),
            "signed_by": ", ".join(signature.printed_name for signature in event.signatures),
            "assessment": _json(assessed),
        },
    )
    yield from _medication_error_told(event)


def _medication_error_told(event: Event) -> Iterator[Change]:
    for line, told in enumerate(event.content["told"], start=1):
        yield Insert(
            "medication_error_told",
            {
                "event_seq": event.seq,
                "line": line,
                "error_id": event.content["error_id"],
                **told,
                "told_utc": utc_text(datetime.fromisoformat(told["told_at"])),
                "recorded_at": event.recorded_at.isoformat(),
                "recorder": event.actor_name,
            },
        )


def _vials_closed(event: Event) -> Iterator[Change]:
    content = event.content
    values: Row = {"close_seq": event.seq}
    if content["status"]:
        values["status"] = content["status"]
    yield Update("dose", {"dose_id": content["dose_id"]}, values)
    for closed in content["closed"]:
        yield Update(
            "mg_line",
            {"unit_number": closed["unit_number"]},
            {
                "residue_mg": closed["residue_mg"],
                "discarded_mg": closed["discarded_mg"],
                "closed_seq": event.seq,
            },
        )


def _dose_cancelled(event: Event) -> Iterator[Change]:
    yield from _dose(event, "cancelled", cancelled_why=event.why)
    for moved in event.content["moves"]:
        if moved["to_state"] == "opened":
            yield _mg_line(event, moved["unit_number"], moved["strength_mg"], "0")
        else:
            yield Update("vial", {"unit_number": moved["unit_number"]}, {"dose_id": ""})
    for unit_number in event.content["freed"]:
        yield Update("vial", {"unit_number": unit_number}, {"dose_id": ""})


def _printed(event: Event) -> Iterator[Change]:
    content = event.content
    for paper in content["papers"]:
        yield Insert(
            "printed",
            {
                "event_seq": event.seq,
                "paper": paper["paper"],
                "about": paper["about"],
                "copy_number": paper["copy_number"],
                "pages": paper["pages"],
                "sha256": content["sha256"],
                "printed_at": event.recorded_at.isoformat(),
                "printed_by": event.actor_name,
                "why": event.why,
            },
        )


def _document_attached(event: Event) -> Iterator[Change]:
    yield Insert(
        "document",
        {
            **event.content,
            "attached_at": event.recorded_at.isoformat(),
            "attached_by": event.actor_name,
            "event_seq": event.seq,
        },
    )
    yield Count("counter", {"name": "document"}, "value", 1)


_APPLY: dict[str, Callable[[Event], Iterator[Change]]] = {
    "site_opened": _site_opened,
    "account_added": _account_added,
    "account_changed": _account_changed,
    "account_unlocked": _account_unlocked,
    "password_changed": _password_changed,
    "password_reset": _password_reset,
    "signed_in": _signed_in,
    "signed_out": _nothing,
    "sign_in_failed": _sign_in_failed,
    "access_denied": _nothing,
    "settings_signed": _settings_signed,
    "protocol_amended": _protocol_amended,
    "shipment_received": _shipment_received,
    "vials_released": _no_hold,
    "vials_quarantined": _vials_quarantined,
    "quarantine_lifted": _no_hold,
    "vials_broken": _nothing,
    "vials_missing": _nothing,
    "vials_found": _vials_found,
    "vials_accounted": _vials_accounted,
    "vials_returned": _nothing,
    "vials_transferred": _nothing,
    "vials_destroyed": _nothing,
    "subject_enrolled": _subject_enrolled,
    "measurement_recorded": _measurement_recorded,
    "cycle_planned": _treatment_stated,
    "delay_recorded": _treatment_stated,
    "dose_omitted": _treatment_stated,
    "level_changed": _treatment_stated,
    "response_recorded": _treatment_stated,
    "marrow_recorded": _treatment_stated,
    "toxicity_recorded": _treatment_stated,
    "treatment_ended": _treatment_stated,
    "retreatment_ordered": _treatment_stated,
    "transplant_stated": _treatment_stated,
    "criteria_recorded": _treatment_stated,
    "statement_withdrawn": _statement_withdrawn,
    "dose_ordered": _dose_ordered,
    "dose_decided": _dose_decided,
    "vials_reserved": _vials_reserved,
    "dose_verified": _dose_verified,
    "dose_prepared": _dose_prepared,
    "dose_released": _dose_released,
    "dose_administered": _dose_administered,
    "vials_closed": _vials_closed,
    "medication_error_recorded": _medication_error_recorded,
    "medication_error_assessed": _medication_error_assessed,
    "medication_error_told": _medication_error_told,
    "dose_cancelled": _dose_cancelled,
    "paper_printed": _printed,
    "record_printed": _printed,
    "document_attached": _document_attached,
}
