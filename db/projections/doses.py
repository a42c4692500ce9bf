"""Doses from the order to the closed vials, and the mg ledger."""

from collections.abc import Iterator

from db.projections.changes import Change, Count, Insert, Projections, Row, Update, as_json
from db.projections.errors import new_error
from pharmacy_app.domain.events import Event


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
        decision=as_json(content["decision"]),
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
        plan=as_json(event.content["plan"]),
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
        preparation=as_json(content["preparation"]),
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
        administration=as_json(content["administration"]),
        administered_mg=content["administration"]["administered_mg"],
        given_on=content["administration"]["given_on"],
    )
    yield from error_opened(event)


def error_opened(event: Event) -> Iterator[Change]:
    """The medication-error record that an administration has opened by the rule of § 8.1.3, if it has."""
    content = event.content
    error = content["medication_error"]
    if error:
        given = content["administration"]
        yield from new_error(
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


APPLY: Projections = {
    "dose_ordered": _dose_ordered,
    "dose_decided": _dose_decided,
    "vials_reserved": _vials_reserved,
    "dose_verified": _dose_verified,
    "dose_prepared": _dose_prepared,
    "dose_released": _dose_released,
    "dose_administered": _dose_administered,
    "vials_closed": _vials_closed,
    "dose_cancelled": _dose_cancelled,
}
