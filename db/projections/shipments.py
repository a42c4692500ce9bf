"""Shipments as they were received, what was found of each lot, the logger read later, and the acknowledgement."""

from collections.abc import Iterable, Iterator, Mapping

from db.projections.changes import Change, Insert, Projections, Row, Update
from pharmacy_app.domain.events import Event, utc_text


def received(event: Event) -> Iterator[Change]:
    """The shipment and its lots; a receipt of before packing lists were counted has its lots from what it moved."""
    content = event.content
    shipment = content["shipment"]
    was_read = shipment["logger_state"] in ("no alarm", "alarm")
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
            "packing_list": shipment.get("packing_list", ""),
            "min_celsius": shipment.get("min_celsius"),
            "max_celsius": shipment.get("max_celsius"),
            "logger_read_by": event.actor_name if was_read else "",
            "logger_read_at": event.done_at.isoformat() if was_read else None,
            "acknowledged_to": "",
            "acknowledged_how": "",
            "acknowledged_by": "",
            "acknowledged_at": None,
            "note": shipment["note"],
            "event_seq": event.seq,
        },
    )
    for line, row in enumerate(_lots(content), start=1):
        yield Insert("shipment_lot", {"shipment_number": shipment["number"], "line": line, **row})


def _lots(content: Row) -> Iterator[Row]:
    if "lots" in content:
        for lot in content["lots"]:
            yield {
                **{name: lot[name] for name in ("strength_mg", "lot", "expires_on", "listed", "counted")},
                "damaged": len(lot["damaged_units"]),
                "extra": len(lot["extra_units"]),
                **{name: lot[name] for name in ("difference_note", "condition_note", "kits")},
            }
        return
    counted: dict[tuple[str, str, str], int] = {}
    for moved in content["moves"]:
        label = (moved["strength_mg"], moved["lot"], moved["expires_on"])
        counted[label] = counted.get(label, 0) + 1
    for (strength_mg, lot, expires_on), count in counted.items():
        yield {
            "strength_mg": strength_mg,
            "lot": lot,
            "expires_on": expires_on,
            "listed": None,
            "counted": count,
            "damaged": None,
            "extra": 0,
            "difference_note": "",
            "condition_note": "",
            "kits": "",
        }


def _logger_read(event: Event) -> Iterator[Change]:
    return _logger(event, event.actor_name, event.done_at.isoformat(), event.content["vials"])


def logger_corrected(event: Event) -> Iterator[Change]:
    """The logger of a receipt put right, and why its vials are held by that."""
    logger = event.content["logger"]
    return _logger(event, logger["read_by"], logger["read_at"], event.content["held"])


def _logger(event: Event, read_by: str, read_at: str, held: Iterable[Mapping[str, str]]) -> Iterator[Change]:
    """What a shipment's logger shows by an entry, and why vials are held by it."""
    content = event.content
    logger = content["logger"]
    yield Update(
        "shipment",
        {"number": content["shipment"]},
        {
            "logger_serial": logger["serial"],
            "logger_state": logger["state"],
            "min_celsius": logger["min_celsius"],
            "max_celsius": logger["max_celsius"],
            "logger_read_by": read_by,
            "logger_read_at": read_at,
            "hold_reason": content["hold_reason"],
        },
    )
    for vial in held:
        yield Update("vial", {"unit_number": vial["unit_number"]}, {"hold_reason": vial["hold_reason"]})


def _receipt_acknowledged(event: Event) -> Iterator[Change]:
    content = event.content
    yield Update(
        "shipment",
        {"number": content["shipment"]},
        {
            "acknowledged_to": content["to"],
            "acknowledged_how": content["how"],
            "acknowledged_by": event.actor_name,
            "acknowledged_at": event.done_at.isoformat(),
        },
    )


APPLY: Projections = {"logger_read": _logger_read, "receipt_acknowledged": _receipt_acknowledged}
