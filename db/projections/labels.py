"""Labels one by one: printed, come out or void, scanned back; and the printers."""

from collections.abc import Iterator

from db.projections.changes import Change, Count, Insert, Projections, Row, Update, as_json
from pharmacy_app.domain.events import Event

_BEFORE = {"vial label": ("vial",), "bag labels": ("bag", "light cover")}
"""The labels of a print from before each was told one by one, by its paper."""


def printed(event: Event) -> Iterator[Change]:
    """A row a label. Of a print from before, nobody was asked whether it came out: its labels count as out."""
    content = event.content
    asked = "labels" in content
    labels = content["labels"] if asked else list(_of_papers(content["papers"]))
    for line, label in enumerate(labels, start=1):
        yield Insert(
            "label",
            {
                "event_seq": event.seq,
                "line": line,
                **{name: label[name] for name in ("kind", "number", "about", "copy_number")},
                # Before, every copy that was counted had come out.
                "reprint": label.get("reprint", label["copy_number"] - 1),
                "mark": label.get("mark", ""),
                "status": "printed" if asked else "out",
                "printer": content.get("printer", ""),
                "printed_at": event.recorded_at.isoformat(),
                "printed_by": event.actor_name,
                "why": event.why,
                "void_why": "",
                "voided_by": "",
                "voided_at": None,
                "scanned_by": "",
                "scanned_at": None,
            },
        )
        if asked and label["kind"] == "vial":
            # Only the newest copy counts: until it is scanned back, none does.
            yield Update("vial", {"unit_number": label["number"]}, {"label_seq": None})
    for name, new in content.get("numbers", {}).items():
        yield Count("counter", {"name": name}, "value", new)


def _of_papers(papers: list[Row]) -> Iterator[Row]:
    for paper in papers:
        for kind in _BEFORE.get(paper["paper"], ()):
            yield {
                "kind": kind,
                "number": paper["about"],
                "about": paper["about"],
                "copy_number": paper["copy_number"],
            }


def _key(print_seq: int, line: int) -> Row:
    return {"event_seq": print_seq, "line": line}


def _void(event: Event, why: str) -> Row:
    return {
        "status": "void",
        "void_why": why,
        "voided_by": event.actor_name,
        "voided_at": event.recorded_at.isoformat(),
    }


def _print_answered(event: Event) -> Iterator[Change]:
    content = event.content
    seq = content["print_seq"]
    for line in content["out"]:
        yield Update("label", _key(seq, line), {"status": "out"})
    for line in content["void"]:
        yield Update("label", _key(seq, line), _void(event, content["void_why"]))
    for line in content["never"]:
        yield Update("label", _key(seq, line), {"status": "never out"})
    for number in content.get("scanned_again", ()):
        yield Update("vial", {"unit_number": number}, {"label_seq": event.seq})


def _label_voided(event: Event) -> Iterator[Change]:
    content = event.content
    yield Update("label", _key(content["print_seq"], content["line"]), _void(event, event.why))
    if content["unscanned"]:
        yield Update("vial", {"unit_number": content["unscanned"]}, {"label_seq": None})


def _labels_scanned(event: Event) -> Iterator[Change]:
    scanned = {"status": "out", "scanned_by": event.actor_name, "scanned_at": event.recorded_at.isoformat()}
    scans = event.content["scans"]
    for scan in scans:
        for label in scan["labels"]:
            yield Update("label", _key(label["print_seq"], label["line"]), scanned)
    for scan in scans:
        if scan["kind"] == "vial":
            yield Update("vial", {"unit_number": scan["number"]}, {"label_seq": event.seq})


def _printer_set(event: Event) -> Iterator[Change]:
    content = event.content
    entry = content["printer"]
    values: Row = {
        "entry": as_json(entry),
        "in_use": int(entry["in_use"]),
        "event_seq": event.seq,
        "set_by": event.actor_name,
        "set_at": event.recorded_at.isoformat(),
    }
    if content["new"]:
        yield Insert("printer", {"name": entry["name"], "number": content["number"], **values})
        yield Count("counter", {"name": "printer"}, "value", 1)
    else:
        yield Update("printer", {"name": entry["name"]}, values)


APPLY: Projections = {
    "print_answered": _print_answered,
    "label_voided": _label_voided,
    "labels_scanned": _labels_scanned,
    "printer_set": _printer_set,
}
