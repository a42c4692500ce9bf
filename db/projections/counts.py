"""Physical counts, discrepancies and the closing of the study's books."""

from collections.abc import Iterator

from db.projections.changes import Change, Count, Insert, Projections, Row, Update, as_json
from pharmacy_app.domain.counts import VIALS
from pharmacy_app.domain.events import Event, utc_text

_ENTRY = ("kinds", "method", "lines", "strays", "unknown", "note")


def _opened(event: Event, number: str, count_number: str, place: str, sentence: str) -> Iterator[Change]:
    yield Insert(
        "discrepancy",
        {
            "number": number,
            "count_number": count_number,
            "place": place,
            "sentence": sentence,
            "opened_at": event.recorded_at.isoformat(),
            "opened_by": _signers(event),
            "concerns": as_json(event.content["concerns"]),
            "status": "open",
            "outcome": "",
            "explanation": "",
            "closed_at": None,
            "closed_by": "",
            "event_seq": event.seq,
            "closed_seq": None,
        },
    )
    yield Count("counter", {"name": "discrepancy"}, "value", 1)


def _signers(event: Event) -> str:
    return ", ".join(signature.printed_name for signature in event.signatures)


def _count_recorded(event: Event) -> Iterator[Change]:
    content = event.content
    counted_by, verified_by = (signature.printed_name for signature in event.signatures)
    number, place, discrepancy = content["count_number"], content["place"], content["discrepancy"]
    yield Insert(
        "stock_count",
        {
            "number": number,
            "counted_at": event.done_at.isoformat(),
            "counted_utc": utc_text(event.done_at),
            "place": place,
            "strength_mg": content["strength_mg"],
            "of_vials": int(VIALS in content["kinds"]),
            "discrepancy": discrepancy,
            "counted_by": counted_by,
            "verified_by": verified_by,
            "entry": as_json({name: content[name] for name in _ENTRY}),
            "event_seq": event.seq,
        },
    )
    yield Count("counter", {"name": "count"}, "value", 1)
    if discrepancy:
        yield from _opened(event, discrepancy, number, place, content["sentence"])


def _discrepancy_opened(event: Event) -> Iterator[Change]:
    content = event.content
    yield from _opened(event, content["discrepancy"], "", "", content["sentence"])


def _discrepancy_explained(event: Event) -> Iterator[Change]:
    content = event.content
    yield Update(
        "discrepancy",
        {"number": content["discrepancy"], "status": "open"},
        {
            "status": "closed",
            "outcome": content["outcome"],
            "explanation": content["explanation"] + _evidence(content),
            "closed_at": event.recorded_at.isoformat(),
            "closed_by": _signers(event),
            "closed_seq": event.seq,
        },
    )


def _evidence(content: Row) -> str:
    """The entries by which a discrepancy is explained, in words; '' where the explanation alone says how."""
    losses, entries = content.get("losses", ()), content.get("corrections", ())
    said = [f"{each['unit_number']} recorded missing in entry {each['entry']}" for each in losses]
    said += [f"corrected in entry {entry}" for entry in entries]
    return f" ({', '.join(said)})" if said else ""


def _study_closed_out(event: Event) -> Iterator[Change]:
    yield Insert(
        "close_out",
        {
            "event_seq": event.seq,
            "closed_at": event.recorded_at.isoformat(),
            "signed_by": _signers(event),
            "entry": as_json(event.content),
        },
    )


APPLY: Projections = {
    "count_recorded": _count_recorded,
    "discrepancy_opened": _discrepancy_opened,
    "discrepancy_explained": _discrepancy_explained,
    "study_closed_out": _study_closed_out,
}
