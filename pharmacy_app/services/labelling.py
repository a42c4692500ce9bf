"""Labels: each print is an act with its copy numbers; after it comes whether they came out, and the scan-back.

What a label says is put together from the record alone. A label that did not come out was never printed; one that is
void stays in the list and is never scanned back. Prints, answers and scans are made at the screen and at the printer,
so none of them is ever dated back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.comparisons import compare_prepared
from pharmacy_app.domain.dates import at_site, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.label_marks import LETTERS, Mark, mark_of, read_mark
from pharmacy_app.domain.people import authority_fault
from pharmacy_app.domain.planning import usable_undiluted
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.scans import read_scan
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import UNOPENED, Vial, looks_like_ours, move_table, numbered
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, protocol_of, site_of, today_of, zone_of
from pharmacy_app.services.doses import in_status, thread_of
from pharmacy_app.services.papers import Label, LabelSetup, LabelValue
from pharmacy_app.services.places import numbered_places
from pharmacy_app.services.ports import EVERY_LABEL, LabelFilter, Reader, VialFilter, Writer
from pharmacy_app.services.preparation import BAG_LABELS, planned_settings, refuse_findings
from pharmacy_app.services.printers import LABEL_KINDS, printer_for, printer_named, setup_with
from pharmacy_app.services.printing import Printed, PrintForm, kept_print
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.scanning import own_number, refuse_swapped
from pharmacy_app.services.study_settings import needed

PAPERS = {kind: f"{kind} label" for kind in LABEL_KINDS} | {"bag": "bag labels"}
"""What a print of each kind is called in the list of papers."""

JAM = "jam"
"""The reason for a label that is printed once more because the printer failed at it."""

_USED = move_table().moves["destroy"].from_states


@dataclass(frozen=True, slots=True)
class LabelForm:
    """What to print: the labels of one kind, for these numbers or names. A copy after the first needs a reason.

    ``about`` are unit numbers (vial, opened vial, quarantine, hold for monitor), dose numbers (bag, syringe, hold for
    monitor), a deviation's number (quarantine), the number of a return's or a destruction's form (return box,
    destruction container), names of places or of printers (place, ruler). ``printer`` '' is the default one of the
    kind, or the usual setup where there is none; ``start_at`` the first free position of a sheet. ``says`` is what a
    quarantine or hold label says as its reason or content, '' for what the record has.
    """

    kind: str
    about: tuple[str, ...]
    why: str = ""
    printer: str = ""
    start_at: str = "1"
    says: str = ""


@dataclass(frozen=True, slots=True)
class _Piece:
    """One label before its copy is counted: its kind and number, what it is for, and what it says."""

    kind: str
    number: str
    about: str
    values: Mapping[str, LabelValue]


@dataclass(slots=True)
class _Room:
    """What every label is made from: the record, the site, the moment, and the printer that it goes to."""

    reader: Reader
    site: views.Site
    now: datetime
    form: LabelForm
    printer: views.Printer | None
    new_numbers: dict[str, int] = field(default_factory=dict)

    @property
    def protocol(self) -> Protocol:
        """The protocol in force today."""
        return protocol_of(self.site, self.now.astimezone(zone_of(self.site)).date())

    def at(self, moment: datetime) -> datetime:
        """A moment by the site's clock."""
        return moment.astimezone(zone_of(self.site))

    def storage(self) -> dict[str, LabelValue]:
        limits = self.protocol.storage
        return {"storage_min_c": limits.min_celsius, "storage_max_c": limits.max_celsius}

    def of_the_union(self) -> dict[str, LabelValue]:
        """What labels of the European Union say beside; what nobody entered is missing, and refused by its name."""
        if self.printer is None or not self.printer.entry.region.startswith("eu"):
            return {}
        entry = self.printer.entry
        return {
            "sponsor": self.protocol.study.sponsor,
            "investigator": self.site.principal_investigator,
            "contact_name": entry.contact_name,
            "contact_address": entry.contact_address,
            "contact_phone": entry.contact_phone,
        }

    def vial(self, number: str) -> Vial:
        vial = self.reader.vial(number)
        if vial is None:
            raise Refused(Fault("about", f"There is no vial {number} in this pharmacy."))
        return vial

    def number_of(self, kind: str, letter: str, about: str, place: int) -> str:
        """The number of the ``place``-th box or container of one return or destruction: as printed before, or new."""
        before = sorted({label.number for label in self._printed(kind, about)})
        if place <= len(before):
            return before[place - 1]
        taken = self.new_numbers.get(kind, 0) + 1
        self.new_numbers[kind] = taken
        return numbered(letter, self.reader.counter(kind) + taken)

    def _printed(self, kind: str, about: str) -> Sequence[views.LabelLine]:
        return self.reader.labels(LabelFilter(kind=kind, about=about), limit=EVERY_LABEL)


# --- what each kind says -----------------------------------------------------------------------------------------


def _vial_label(room: _Room, number: str) -> Iterator[_Piece]:
    vial = room.vial(number)
    if vial.state not in UNOPENED:
        raise _wrong(f"Vial {number} is {vial.state}: only an unopened vial that is here gets a vial label.")
    values: dict[str, LabelValue] = {
        "product": room.protocol.study.drug,
        "strength_mg": vial.strength_mg,
        "lot": vial.lot,
        "expires_on": vial.expires_on,
        "protocol_name": room.site.protocol_number,
        "site_number": room.site.number,
        **room.storage(),
    }
    if more := room.of_the_union():
        values |= {**more, "form": room.protocol.product.form}
    yield _Piece("vial", number, number, values)


def _opened_vial(room: _Room, number: str) -> Iterator[_Piece]:
    vial = room.vial(number)
    if vial.state not in ("opened", "partial"):
        raise _wrong(
            f"Vial {number} is {vial.state}: only an opened vial with something left in it gets this label."
            + (" Print the label “hold for monitor”." if vial.state in _USED else "")
        )
    thread = thread_of(room.reader, vial.dose_id)
    line = next(line for line in thread.mg if line.unit_number == number)
    settings = planned_settings(thread)
    opened_at = room.at(datetime.fromisoformat(thread.preparation["reconstituted_at"]))
    until = _undiluted(room, thread, opened_at, vial.expires_on)
    strength = needed(settings.vial(vial.strength_mg), f"vial_{show(vial.strength_mg)}mg").value
    yield _Piece(
        "opened vial",
        number,
        number,
        {
            "product": room.protocol.study.drug,
            "strength_mg": vial.strength_mg,
            "concentration_mg_per_ml": strength.concentration_mg_per_ml,
            "left_mg": line.labelled_mg - line.withdrawn_mg,
            "lot": vial.lot,
            "expires_on": vial.expires_on,
            "protocol_name": room.site.protocol_number,
            "opened_at": opened_at,
            "beyond_use_at": until,
            "opened_by": thread.prepared_by,
        },
    )


def _undiluted(room: _Room, thread: views.DoseThread, opened_at: datetime, expires_on: date) -> datetime:
    """Until when reconstituted drug may go into the bag; refused once that is over."""
    settings = planned_settings(thread)
    limits = needed(settings.stability, "stability").value
    compounding = settings.compounding.value if settings.compounding is not None else None
    until = usable_undiluted(opened_at, limits, expires_on, zone_of(room.site), compounding)
    if room.now > until:
        raise Refused(
            Fault(
                "about",
                f"What was reconstituted at {say_moment(opened_at)} could be used until {say_moment(until)}. It gets no"
                " such label any more: keep it for the monitor.",
                "A31",
                "8.2",
            )
        )
    return until


def _bag(room: _Room, dose_id: str) -> Iterator[_Piece]:
    """The bag's label and the light cover's, once calculation and check are signed and the bag is made."""
    thread = thread_of(room.reader, dose_id)
    _both_signed(thread, "The bag label")
    in_status(thread, ("prepared", "released"), "have its bag labelled")
    made, line, site = thread.preparation, thread.line, room.site
    protocol = protocol_of(site, line.planned_on)
    subject = room.reader.subject(line.subject_number)
    compared = compare_prepared(Decimal(made["prepared_mg"]), line.prescribed_mg, protocol)
    if compared.finding is not None:
        refuse_findings((compared.finding,))
    start_by = datetime.fromisoformat(made["start_by"])
    if room.now > start_by:
        raise Refused(
            Fault(
                "",
                f"The infusion had to start by {say_moment(start_by)}. This bag must not be given, so it gets no"
                " label: cancel the dose.",
                "A31",
                "8.2",
            )
        )
    settings = planned_settings(thread)
    values: dict[str, LabelValue] = {
        "subject_number": line.subject_number,
        "subject_initials": subject.initials if subject else "",
        "product": protocol.study.drug,
        "dose_mg": Decimal(made["prepared_mg"]),
        "total_volume_ml": Decimal(made["bag_volume_ml"]),
        "final_mg_per_ml": Decimal(made["final_mg_per_ml"]),
        "diluent": made["diluent"],
        "infusion_h": needed(settings.stability, "stability").value.infusion_h,
        "prepared_at": room.at(datetime.fromisoformat(made["diluted_at"])),
        "start_by": room.at(start_by),
        "beyond_use_at": room.at(datetime.fromisoformat(made["beyond_use_at"])),
        "storage": needed(settings.bag, "bag").value.storage,
        "protocol_name": site.protocol_number,
        "course": line.course,
        "cycle": line.cycle,
        "day": line.day,
        "prepared_by": thread.prepared_by,
        "verified_by": thread.verified_by,
        "site_name": site.name,
        "pharmacy_phone": site.pharmacy_phone,
    }
    if more := room.of_the_union():
        lots = ", ".join(sorted({draw["lot"] for draw in made["draws"]}))
        values |= {**more, "site_number": site.number, "lot": lots, "visit": f"C{line.cycle} D{line.day}"}
    for kind in BAG_LABELS:
        yield _Piece(kind, dose_id, dose_id, values)


def _both_signed(thread: views.DoseThread, what: str) -> None:
    if thread.verify_seq is None:
        raise Refused(
            Fault(
                "",
                f"{what} prints after both signatures: the calculation's and the second check's.",
                "R19",
                "8.1.2",
            )
        )


def _syringe(room: _Room, dose_id: str) -> Iterator[_Piece]:
    """A label for what was drawn of each strength: one syringe must never hold two concentrations."""
    thread = thread_of(room.reader, dose_id)
    _both_signed(thread, "A syringe's label")
    in_status(thread, ("prepared",), "have its syringes labelled")
    made = thread.preparation
    subject = room.reader.subject(thread.line.subject_number)
    settings = planned_settings(thread)
    opened_at = room.at(datetime.fromisoformat(made["reconstituted_at"]))
    draws = [draw for draw in made["draws"] if Decimal(draw["drawn_ml"])]
    for strength_mg in sorted({Decimal(draw["strength_mg"]) for draw in draws}):
        mine = [draw for draw in draws if Decimal(draw["strength_mg"]) == strength_mg]
        strength = needed(settings.vial(strength_mg), f"vial_{show(strength_mg)}mg").value
        earliest = min(date.fromisoformat(draw["expires_on"]) for draw in mine)
        yield _Piece(
            "syringe",
            dose_id,
            f"{dose_id} {show(strength_mg)} mg",
            {
                "subject_number": thread.line.subject_number,
                "subject_initials": subject.initials if subject else "",
                "product": room.protocol.study.drug,
                "dose_mg": sum((Decimal(draw["drawn_mg"]) for draw in mine), Decimal(0)),
                "volume_ml": sum((Decimal(draw["drawn_ml"]) for draw in mine), Decimal(0)),
                "concentration_mg_per_ml": strength.concentration_mg_per_ml,
                "beyond_use_at": _undiluted(room, thread, opened_at, earliest),
                "prepared_by": thread.prepared_by,
                "protocol_name": room.site.protocol_number,
            },
        )


def _quarantine(room: _Room, about: str) -> Iterator[_Piece]:
    """The label of one vial in quarantine, or one for each lot that a storage deviation holds there."""
    if looks_like_ours(about, "X"):
        held = [room.vial(each.unit_number) for each in room.reader.deviation_vials(about) if each.quarantined]
        vials = [vial for vial in held if vial.state == "quarantined"]
        if not vials:
            raise _wrong(f"No vial is in quarantine for {about}, so there is nothing to label.")
    else:
        vials = [room.vial(about)]
        if vials[0].state != "quarantined":
            raise _wrong(f"Vial {about} is {vials[0].state}, not in quarantine: it gets no quarantine label.")
    for lot in dict.fromkeys(vial.lot for vial in vials):
        mine = [vial for vial in vials if vial.lot == lot]
        since, by = _since(room, mine[0], "quarantined")
        yield _Piece(
            "quarantine",
            about,
            about if about == mine[0].unit_number else f"{about} lot {lot}",
            {
                "product": room.protocol.study.drug,
                "protocol_name": room.site.protocol_number,
                "lot": lot,
                "vials": len(mine),
                "reason": room.form.says.strip() or mine[0].hold_reason,
                "since": since,
                "held_by": by,
            },
        )


def _since(room: _Room, vial: Vial, *states: str) -> tuple[datetime, str]:
    """When a vial came into the state in which it is, and who recorded it."""
    life = room.reader.vial_life(vial.unit_number)
    assert life is not None
    came = [line for line in life.lines if line.to_state in states and line.from_state not in states]
    line = came[-1] if came else life.lines[-1]
    return room.at(line.done_at), line.recorder


def _hold_for_monitor(room: _Room, about: str) -> Iterator[_Piece]:
    """The label of one used container, or of all those of a dose that are kept together."""
    if looks_like_ours(about, "D"):
        of_dose = [room.vial(vial.unit_number) for vial in thread_of(room.reader, about).vials]
        vials = [vial for vial in of_dose if vial.state in _USED and not vial.accounted_by]
        if not vials:
            raise _wrong(f"No used container of dose {about} waits for the monitor.")
        what = "1 used container" if len(vials) == 1 else f"{len(vials)} used containers"
    else:
        (vial,) = vials = [room.vial(about)]
        if vial.state not in _USED:
            raise _wrong(
                f"Vial {about} is {vial.state}: only a used container waits for the monitor. Close its content first."
                if vial.state == "opened"
                else f"Vial {about} is {vial.state}: only a used container waits for the monitor."
            )
        if vial.accounted_by:
            raise _wrong(f"{vial.accounted_by} has accounted for vial {about}: it waits for the monitor no more.")
        what = f"{vial.state} vial, {show(vial.strength_mg)} mg".capitalize()
    since, by = _since(room, vials[0], *_USED)
    yield _Piece(
        "hold for monitor",
        about,
        about,
        {
            "product": room.protocol.study.drug,
            "protocol_name": room.site.protocol_number,
            "what": room.form.says.strip() or what,
            "lot": ", ".join(sorted({vial.lot for vial in vials})),
            "since": since,
            "held_by": by,
        },
    )


def _form_event(room: _Room, number: str, letters: str, kind: str, word: str) -> views.EventLine:
    """The event of a return's or a destruction's form number, as long as it stands."""
    name, _, digits = number.strip().upper().partition("-")
    known = name == letters and digits.isascii() and digits.isdigit() and len(digits) < 18
    event = room.reader.event(int(digits)) if known else None
    if event is None or event.kind != kind:
        raise Refused(
            Fault("about", f"There is no {word} {number or 'without a number'}. Choose it in the ledger.", "", "8.2")
        )
    if room.reader.correction(event.seq) is not None:
        raise _wrong(f"{number} was taken back by a correction, so it gets no label.")
    return event


def _return_box(room: _Room, number: str) -> Iterator[_Piece]:
    """A label for each package of a return, numbered once."""
    event = _form_event(room, number, "RET", "vials_returned", "return")
    content, site = event.content, room.site
    about = number.strip().upper()
    boxes = int(content["carrier"]["packages"])
    vials = [room.vial(moved["unit_number"]) for moved in content["moves"]]
    signed = [text.partition(": ")[0] for text in event.signatures]
    for box in range(1, boxes + 1):
        yield _Piece(
            "return box",
            room.number_of("return box", "B", about, box),
            about,
            {
                "product": room.protocol.study.drug,
                "protocol_name": site.protocol_number,
                "box": box,
                "boxes": boxes,
                "vials": len(vials),
                "lots": ", ".join(sorted({vial.lot for vial in vials})),
                "returned_to": content["party"],
                "site_name": site.name,
                "site_number": site.number,
                "pharmacy_phone": site.pharmacy_phone,
                "packed_on": room.at(event.done_at).date(),
                "packed_by": signed[0],
                **room.storage(),
            },
        )


def _destruction_container(room: _Room, number: str) -> Iterator[_Piece]:
    """The label of the container of one destruction, signed by two."""
    event = _form_event(room, number, "DST", "vials_destroyed", "destruction")
    about = number.strip().upper()
    closed_by, witnessed_by = (text.partition(": ")[0] for text in event.signatures)
    yield _Piece(
        "destruction container",
        room.number_of("destruction container", "C", about, 1),
        about,
        {
            "product": room.protocol.study.drug,
            "protocol_name": room.site.protocol_number,
            "containers": len(event.content["moves"]),
            "permission": event.content["permission"],
            "closed_on": room.at(event.done_at).date(),
            "closed_by": closed_by,
            "witnessed_by": witnessed_by,
            "site_name": room.site.name,
            "pharmacy_phone": room.site.pharmacy_phone,
        },
    )


def _place(room: _Room, name: str) -> Iterator[_Piece]:
    places = numbered_places(room.reader.places())
    number, place = next(((key, each) for key, each in places.items() if each.name == name), ("", None))
    if place is None:
        raise Refused(Fault("about", f"There is no place {name}. Choose one of the list."))
    if not place.in_use:
        raise _wrong(f"{name} was closed: nothing is kept there, so it gets no label.")
    yield _Piece(
        "place",
        number,
        name,
        {
            "place": place.name,
            "protocol_name": room.site.protocol_number,
            "site_name": room.site.name,
            "pharmacy_phone": room.site.pharmacy_phone,
            **room.storage(),
        },
    )


def _ruler(room: _Room, name: str) -> Iterator[_Piece]:
    printer = printer_named(room.reader, name)
    if printer is None:
        raise Refused(Fault("about", f"There is no printer {name}. Set it first, then print its ruler label."))
    yield _Piece("ruler", printer.number, printer.entry.name, {"printer_name": printer.entry.name})


_MAKERS: dict[str, Callable[[_Room, str], Iterator[_Piece]]] = {
    "vial": _vial_label,
    "opened vial": _opened_vial,
    "bag": _bag,
    "syringe": _syringe,
    "quarantine": _quarantine,
    "hold for monitor": _hold_for_monitor,
    "return box": _return_box,
    "destruction container": _destruction_container,
    "place": _place,
    "ruler": _ruler,
}


def _wrong(sentence: str) -> Refused:
    """A label whose subject is not in the state that the label speaks of."""
    return Refused(Fault("about", sentence, "", "8.2"))


# --- printing ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Job:
    """Labels ready to be drawn, how they come out, and what is recorded of them."""

    pieces: tuple[_Piece, ...]
    labels: tuple[Label, ...]
    setup: LabelSetup
    printer: views.Printer | None
    new_numbers: dict[str, int]

    @property
    def language(self) -> str:
        """What the printer reads; without a printer PDF."""
        return self.printer.entry.language if self.printer is not None else "pdf"


_Named = frozenset[tuple[str, str, str]]
"""Labels by kind, number and what they are for; none means all."""


def _job(reader: Reader, site: views.Site, now: datetime, form: LabelForm, only: _Named) -> _Job:
    """The labels of a form; ``only`` those of a kind, number and subject that are named, when any are."""
    reading = Reading()
    kind = reading.choice(form.kind, "kind", "The kind of label", LABEL_KINDS)
    start_at = reading.count(form.start_at, "start_at", "The first free position", low=1, high=999)
    if not form.about:
        reading.fault("about", "Nothing is chosen for the labels.")
    # A ruler label shows where its own printer puts the print.
    name = form.about[0] if kind == "ruler" and form.about and not form.printer else form.printer
    printer = reading.take(lambda: printer_for(reader, kind, name), None)
    reading.done()
    room = _Room(reader, site, now, form, printer)
    pieces: list[_Piece] = []
    for about in dict.fromkeys(form.about):
        pieces += reading.take(lambda about=about: list(_MAKERS[kind](room, about)), [])  # type: ignore[misc]
    reading.done()
    if only:
        pieces = [piece for piece in pieces if (piece.kind, piece.number, piece.about) in only]
    if not pieces:
        raise Refused(Fault("about", "Nothing of what is named gets such a label any more."))
    setup = LabelSetup(start_at=start_at)
    if printer is not None:
        setup = setup_with(printer.entry, kind, start_at=start_at)
    copies: dict[tuple[str, str], int] = {}
    labels = []
    for piece in pieces:
        # A mark names one label for ever, so what never came out is counted too: it may come out late.
        key = (piece.kind, piece.number)
        copies[key] = copy = (copies[key] if key in copies else reader.last_copy(*key)) + 1
        mark = mark_of(*key, copy) if piece.kind in LETTERS else ""
        earlier = reader.labels_out(*key, piece.about) if copy > 1 else 0
        labels.append(Label(*key, piece.values, copy, site.demonstration, mark, earlier))
    return _Job(tuple(pieces), tuple(labels), setup, printer, room.new_numbers)


_SHARED = ("syringe", "quarantine")
"""Kinds of which several labels may have one number, each for something else."""


@dataclass(frozen=True, slots=True)
class LabelPreview:
    """Labels as they would print now: ``pdf`` shows the first of them, ``reprints`` of all ``labels`` say REPRINT."""

    pdf: bytes
    labels: int
    reprints: int


def preview_labels(desk: Desk, reader: Reader, form: LabelForm, most: int = EVERY_LABEL) -> LabelPreview:
    """The labels as they would print now, ``most`` of them drawn, recorded nowhere; ``Refused`` as the print would."""
    job = _job(reader, site_of(reader), desk.clock(), form, frozenset())
    pdf = desk.papers.labels(job.labels[:most], job.setup)
    return LabelPreview(pdf, len(job.labels), sum(1 for label in job.labels if label.reprint))


def print_labels(desk: Desk, act: Act, form: LabelForm) -> Printed:
    """Print labels of one kind: their copies are counted, their bytes kept, and each is on record with what it says.

    Raises ``Refused`` for a subject that is not in the state the label speaks of, for a further copy without a reason,
    and with the field of whatever does not fit on the label.
    """
    return _print(desk, act, lambda _reader: _Wanted(form), {"paper": PAPERS.get(form.kind, ""), "form": form})


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be printed: a form, of it ``only`` the labels that are named; ``why`` where its reason is empty."""

    form: LabelForm
    only: _Named = frozenset()
    why: str = ""


def _print(desk: Desk, act: Act, wanted: Callable[[Reader], _Wanted], request: object) -> Printed:
    """Print what ``wanted`` says when it is asked within the writing transaction: nobody prints between."""
    drawn = _drawn(desk, act, wanted)

    def build(writer: Writer, moment: Moment) -> Draft:
        what = wanted(writer)
        form = what.form
        job = _job(writer, moment.site, moment.now, form, what.only)
        reading = Reading()
        typed = reading.note(form.why, "why", "The reason", longest=300) or what.why
        again = any(label.reprint for label in job.labels)
        if again and not typed:
            reading.fault("why", "This was printed before. Type why it is printed again; the label says REPRINT.")
        reading.done()
        ready = drawn if drawn is not None and drawn.is_of(job) else _draw(desk, job)
        return Draft(_recorded(desk, writer, form.kind, job, ready), why=typed)

    return kept_print(desk, perform(desk, act, "paper_printed", request, build))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Labels that were drawn: of what, as PDF, and as ZPL where the printer reads that."""

    labels: tuple[Label, ...]
    setup: LabelSetup
    language: str
    pdf: bytes
    zpl: bytes

    def is_of(self, job: _Job) -> bool:
        """Whether just these labels were drawn."""
        return (self.labels, self.setup, self.language) == (job.labels, job.setup, job.language)


def _draw(desk: Desk, job: _Job) -> _Drawn:
    pdf = desk.papers.labels(job.labels, job.setup)
    zpl = desk.papers.zpl(job.labels, job.setup) if job.language == "zpl" else b""
    return _Drawn(job.labels, job.setup, job.language, pdf, zpl)


def _drawn(desk: Desk, act: Act, wanted: Callable[[Reader], _Wanted]) -> _Drawn | None:
    """The labels drawn before the act begins, so that nobody waits for a long print; ``None`` where it is refused.

    The act itself puts them together anew, and draws them again if anything has changed meanwhile.
    """
    with desk.store.read() as reader:
        person = reader.account(act.session.account_id)
        site = site_of(reader)
        now = at_site(desk.clock(), zone_of(site))
        if person is None or person.must_change_password or authority_fault(person, "paper_printed", now.date()):
            return None
        if reader.event_of_act(act.act_id) is not None:
            return None
        try:
            what = wanted(reader)
            return _draw(desk, _job(reader, site, now, what.form, what.only))
        except Refused:
            # Said again, and recorded as every refusal is, by the act.
            return None


def _recorded(desk: Desk, writer: Writer, kind: str, job: _Job, drawn: _Drawn) -> dict[str, Any]:
    """What the journal keeps of a print: enough to make the same bytes again, with the same templates."""
    says: list[dict[str, Any]] = []
    labels = []
    pages: dict[str, int] = {}
    copies: dict[str, int] = {}
    for piece, label in zip(job.pieces, job.labels, strict=True):
        said = {name: _plain(value) for name, value in piece.values.items()}
        if said not in says[-1:]:
            says.append(said)
        labels.append(
            {
                "kind": piece.kind,
                "number": piece.number,
                "about": piece.about,
                "copy_number": label.copy_number,
                "reprint": label.reprint,
                "mark": label.mark,
                "says": len(says) - 1,
            }
        )
        pages[piece.about] = pages.get(piece.about, 0) + 1
        # A paper's copies are those that came out, as REPRINT on it counts them.
        copies[piece.about] = max(copies.get(piece.about, 0), label.reprint + 1)
    content = {
        "sha256": writer.put_paper(drawn.pdf),
        "papers": [
            {"paper": PAPERS[kind], "about": about, "copy_number": copies[about], "pages": pages[about]}
            for about in pages
        ],
        "labels": labels,
        "says": says,
        "form_kind": kind,
        "printer": job.printer.entry.name if job.printer is not None else "",
        "language": job.language,
        "setup": job.setup,
        "demonstration": job.labels[0].demonstration,
        "templates_sha256": desk.papers.templates_sha256(),
        "app_version": desk.app_version,
        "numbers": job.new_numbers,
    }
    if drawn.zpl:
        content["job_sha256"] = writer.put_paper(drawn.zpl)
    return content


def _plain(value: LabelValue) -> object:
    """A value with its kind, so that it can be read back as what it was."""
    if isinstance(value, Decimal):
        return {"number": value}
    if isinstance(value, datetime):
        return {"moment": value}
    if isinstance(value, date):
        return {"day": value}
    return value


def _value(plain: Any, zone: ZoneInfo) -> LabelValue:
    """A value as it was; a moment by the site's clock, whose name the label prints."""
    if not isinstance(plain, dict):
        return plain  # type: ignore[no-any-return]
    ((kind, text),) = plain.items()
    read: dict[str, Callable[[str], LabelValue]] = {
        "number": Decimal,
        "moment": lambda text: datetime.fromisoformat(text).astimezone(zone),
        "day": date.fromisoformat,
    }
    return read[kind](text)


def labels_again(reader: Reader, print_seq: int) -> tuple[tuple[Label, ...], LabelSetup]:
    """The labels of a print as they were, and how they came out; with the templates it names, the same bytes.

    Raises ``Refused`` for what is no print of labels told one by one.
    """
    event = _print_event(reader, print_seq)
    content = event.content
    zone = zone_of(site_of(reader))
    says = [{name: _value(value, zone) for name, value in said.items()} for said in content["says"]]
    labels = tuple(
        Label(
            each["kind"],
            each["number"],
            says[each["says"]],
            each["copy_number"],
            content["demonstration"],
            each.get("mark", ""),
            each.get("reprint"),
        )
        for each in content["labels"]
    )
    return labels, from_plain(LabelSetup, content["setup"])


def _print_event(reader: Reader, print_seq: int) -> views.EventLine:
    event = reader.event(print_seq)
    if event is None or event.kind != "paper_printed" or "labels" not in event.content:
        raise Refused(Fault("print_seq", f"Entry {print_seq} is no print of labels. Choose it in the list of labels."))
    return event


def print_vial_labels(desk: Desk, act: Act, form: PrintForm) -> Printed:
    """The labels of the named vials on the default printer, one page each."""
    if not form.about:
        raise Refused(Fault("about", "No vial is chosen for the labels."))
    return print_labels(desk, act, LabelForm("vial", form.about, form.why))


def print_bag_labels(desk: Desk, act: Act, dose_id: str, why: str = "") -> Printed:
    """The bag's label and the light cover's on the default printer."""
    return print_labels(desk, act, LabelForm("bag", (dose_id,), why))


def vials_of_shipment(reader: Reader, number: str) -> tuple[str, ...]:
    """Unit numbers of a shipment's vials, for their labels."""
    wanted = VialFilter(shipment_number=number)
    count = reader.count_vials(wanted)
    return tuple(
        vial.unit_number for vial in reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=count)
    )


# --- did they come out? ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutcomeForm:
    """What came out of a print. ``failed`` is the number of the label at which the printer failed, '' for none.

    ``nothing`` says that no label came out at all, not even a spoilt one; ``failed`` is not read then.
    """

    print_seq: int
    failed: str = ""
    why: str = ""
    nothing: bool = False


def print_outcome(desk: Desk, act: Act, form: OutcomeForm) -> Event:
    """Say whether a print's labels came out: all of them, those before the one that failed, or nothing.

    The failed one is void and stays listed; those after it never came out and count as if never printed, and so do all
    where nothing came out: a vial's older copy that was scanned back counts again then. Raises ``Refused`` for a print
    that was answered for, and for a label that was scanned back or voided meanwhile.
    """

    def build(writer: Writer, _moment: Moment) -> Draft:
        reading = Reading()
        labels = _labels_of(writer, form.print_seq)
        why = reading.note(form.why, "why", "What happened", longest=300)
        if not any(label.status == "printed" for label in labels):
            reading.fault("print_seq", f"It is on record already what came out of print {form.print_seq}.")
        last = len(labels)
        failed = (
            reading.count(form.failed, "failed", "The label at which the printer failed", low=1, high=last)
            if form.failed.strip() and not form.nothing
            else last + 1
        )
        # Before the first, where nothing came out: none is void then.
        failed = 0 if form.nothing else failed
        for label in labels[max(failed - 1, 0) :]:
            if label.scanned_at is not None:
                reading.fault(
                    "" if form.nothing else "failed",
                    f"Label {label.line}, {label.number}, was scanned back, so it came out. Look again which one is"
                    " the first that failed; one that is torn is voided by itself.",
                )
        reading.done()
        waiting = [label for label in labels if label.status == "printed"]
        never = [label for label in waiting if label.line > failed]
        return Draft(
            {
                "print_seq": form.print_seq,
                "failed": failed if failed <= last else None,
                "out": [label.line for label in waiting if label.line < failed],
                "void": [label.line for label in waiting if label.line == failed],
                "never": [label.line for label in never],
                "scanned_again": [label.number for label in never if _counts_again(writer, label)],
                "void_why": why or JAM,
            },
            why=why,
        )

    return perform(desk, act, "print_answered", form, build)


def _counts_again(reader: Reader, never: views.LabelLine) -> bool:
    """Whether a vial's older copy stands for it again, once it is said that this one never came out."""
    vial = reader.vial(never.number) if never.kind == "vial" else None
    if vial is None or vial.label_scanned:
        return False
    printed = reader.labels(LabelFilter(number=never.number, kind=never.kind), limit=EVERY_LABEL)
    others = [each for each in printed if each.event_seq != never.event_seq and each.status != "never out"]
    newest = next(iter(others), None)
    return newest is not None and newest.stands_since(vial.label_from_seq)


def _labels_of(reader: Reader, print_seq: int) -> Sequence[views.LabelLine]:
    _print_event(reader, print_seq)
    return reader.labels(LabelFilter(print_seq=print_seq), limit=EVERY_LABEL)


@dataclass(frozen=True, slots=True)
class ResumeForm:
    """A print to be gone on with after a jam; ``why`` is the reason on the label that failed, '' for “jam”.

    ``printer`` '' is the one that it was sent to.
    """

    print_seq: int
    why: str = ""
    printer: str = ""
    start_at: str = "1"


def left_of(reader: Reader, print_seq: int) -> tuple[views.LabelLine, ...]:
    """The labels of a print that are still to be printed, in its order: void or never out, and not printed since."""
    return tuple(
        label
        for label in _labels_of(reader, print_seq)
        if label.status in ("void", "never out")
        and not any(
            later.event_seq > print_seq
            for later in reader.labels(
                LabelFilter(number=label.number, kind=label.kind, about=label.about, live=True), limit=EVERY_LABEL
            )
        )
    )


def resume_print(desk: Desk, act: Act, form: ResumeForm) -> Printed:
    """Print what is left of a print: the label that failed as a reprint, those that never came out as they were to be.

    What is left, and what the labels say, is put together anew from the record. Raises ``Refused`` while nobody has
    said what came out, and when nothing is left: somebody else may have gone on with it.
    """
    return _print(desk, act, lambda reader: _what_is_left(reader, form), {"resumes": form})


def _what_is_left(reader: Reader, form: ResumeForm) -> _Wanted:
    event = _print_event(reader, form.print_seq)
    printed = _labels_of(reader, form.print_seq)
    if any(label.status == "printed" for label in printed):
        raise Refused(Fault("print_seq", "Say first which labels came out: then it is known which are left."))
    left = left_of(reader, form.print_seq)
    if not left:
        raise Refused(Fault("print_seq", _nothing_left(reader, form.print_seq, printed)))
    kind = event.content["form_kind"]
    about = tuple(dict.fromkeys(_asked_for(kind, label) for label in left))
    # What never came out is the print that was asked for, with its reason; what is void has its own.
    never = [event.why for label in left if label.status == "never out"]
    reasons = dict.fromkeys((*never, *(label.void_why for label in left if label.status == "void")))
    return _Wanted(
        LabelForm(kind, about, form.why, form.printer or event.content["printer"], form.start_at),
        frozenset((label.kind, label.number, label.about) for label in left),
        "; ".join(reason for reason in reasons if reason),
    )


def _nothing_left(reader: Reader, print_seq: int, printed: Sequence[views.LabelLine]) -> str:
    """Why nothing of a print is left: all came out, or somebody printed the rest since."""
    for label in printed:
        if not label.live and (newest := reader.newest_label(label.kind, label.number)) is not None:
            return (
                f"Nothing is left of print {print_seq}: {newest.printed_by} printed the rest on"
                f" {say_moment(newest.printed_at)}, as print {newest.event_seq}."
            )
    return f"Nothing is left of print {print_seq}: all its labels are there."


def _asked_for(kind: str, label: views.LabelLine) -> str:
    """What was named when a label was asked for: its number, or the form, place or printer it is about."""
    return label.number if kind in _SHARED else label.about


@dataclass(frozen=True, slots=True)
class VoidForm:
    """One label that is lost, damaged or on the wrong thing: its print, its place there, and why."""

    print_seq: int
    line: int
    why: str


def void_label(desk: Desk, act: Act, form: VoidForm) -> Event:
    """Void one label; it stays listed. What the newest label stood for waits until a new one is scanned back."""

    def build(writer: Writer, _moment: Moment) -> Draft:
        reading = Reading()
        why = reading.text(form.why, "why", "The reason", longest=300)
        found = writer.labels(LabelFilter(print_seq=form.print_seq), limit=EVERY_LABEL)
        label = next((each for each in found if each.line == form.line), None)
        if label is None:
            reading.fault("line", f"Print {form.print_seq} has no label {form.line}. Choose it in the list of labels.")
        elif not label.live:
            was = "is void already" if label.status == "void" else "never came out, so it cannot be void"
            reading.fault("line", f"This label of {label.number} {was}.")
        reading.done()
        assert label is not None
        # An older copy is never revived, and one that a newer one replaced takes nothing away.
        newest = writer.newest_label(label.kind, label.number)
        if label.scanned_at or label == newest:
            _refuse_left(writer, label)
        return Draft(
            {
                "print_seq": form.print_seq,
                "line": form.line,
                "kind": label.kind,
                "number": label.number,
                "unscanned": label.number if label.kind == "vial" and label.scanned_at and label == newest else "",
            },
            why=why,
        )

    return perform(desk, act, "label_voided", form, build)


def _refuse_left(reader: Reader, label: views.LabelLine) -> None:
    """A bag that was released has left with its labels: they are not taken from it behind its back."""
    thread = reader.dose(label.number) if label.kind in BAG_LABELS else None
    if thread is None or thread.line.status not in ("released", "administered", "closed"):
        return
    if thread.line.status == "released":
        then = "If it must not be given, stop it on the ward and cancel the dose; then its labels can be voided."
    else:
        then = "If the label was wrong, report a medication error."
    raise Refused(
        Fault(
            "line",
            f"The bag of dose {label.number} was released with its labels, so its {label.kind} label cannot be voided."
            f" {then}",
            "",
            "8.2",
        )
    )


# --- scan-back ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScanBackForm:
    """The codes of labels that were put on, as the scanner typed them, in their order.

    ``by_hand`` are the places (from 0) of those that a person typed, ``sends_separator`` says that this workstation's
    scanner is known to send GS.
    """

    codes: tuple[str, ...]
    by_hand: tuple[int, ...] = ()
    sends_separator: bool = False


def scan_back(desk: Desk, act: Act, form: ScanBackForm) -> Event:
    """Record that these labels were scanned where they were put: only then a vial is usable and a bag can leave.

    Each code proves the one label that it stands on. All or nothing: every code that is unknown, of another label of
    the same thing, void, replaced by a newer copy, scanned twice or scanned back already is refused by its place
    (``codes.0``).
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        if not form.codes:
            reading.fault("codes", "Nothing was scanned. Scan each label where it was put.")
        seen: dict[tuple[str, str], int] = {}
        scans = []
        for place in range(len(form.codes)):
            scan = reading.take(lambda place=place: _scanned(writer, moment.today, form, place), None)  # type: ignore[misc]
            if scan is None:
                continue
            label = (scan["kind"], scan["number"])
            if label in seen:
                reading.fault(
                    f"codes.{place}",
                    f"The {scan['kind']} label of {scan['number']} was scanned twice, as code {seen[label] + 1} and"
                    f" {place + 1}. If two things carry it, put both aside and void the label.",
                )
            seen.setdefault(label, place)
            scans.append(scan)
        reading.done()
        return Draft({"scans": scans})

    return perform(desk, act, "labels_scanned", form, build)


def check_scan_back(desk: Desk, reader: Reader, form: ScanBackForm) -> str:
    """What the last of these scans names, in words, before all of them are recorded; ``Refused`` says why it cannot.

    The field is ``codes.`` and its place.
    """
    today = today_of(desk, reader)
    place = len(form.codes) - 1
    scan = _scanned(reader, today, form, place)
    number, mark = scan["number"], scan["mark"]
    if any((number, mark) == _label_of(reader, form, today, earlier)[:2] for earlier in range(place)):
        raise Refused(
            Fault(f"codes.{place}", f"The {scan['kind']} label of {number} was scanned already. Scan the next label.")
        )
    return f"{scan['kind'].capitalize()} label {number}"


def own_codes(reader: Reader, number: str) -> tuple[str, ...]:
    """What a scanner reads from the newest labels by which a thing is scanned back: a bag has its own and the cover's.

    Raises ``Refused`` for what waits for no scan of its label.
    """
    kinds = _own_labels(reader, number, "codes")
    newest = [reader.newest_label(kind, number) for kind in kinds]
    return tuple(dict.fromkeys(label.code for label in newest if label is not None and label.live))


def _label_of(reader: Reader, form: ScanBackForm, today: date, place: int) -> tuple[str, str, tuple[str, ...]]:
    """Number and mark that a scanned code carries, and what was put right in it; raises ``Refused`` for none."""
    at, code, by_hand = f"codes.{place}", form.codes[place], place in form.by_hand
    try:
        scan = read_scan(code, today=today, by_hand=by_hand, sends_separator=form.sends_separator)
        if by_hand and own_number(scan):
            refuse_swapped(reader, scan.number)
    except Refused as refused:
        raise Refused(*(replace(fault, field=at) for fault in refused.faults)) from refused
    if not scan.number:
        raise Refused(
            Fault(at, f"“{scan.typed.strip()[:60]}” is not the number of a label of this pharmacy. Scan its own label.")
        )
    return scan.number, scan.mark, scan.notes


def _scanned(reader: Reader, today: date, form: ScanBackForm, place: int) -> dict[str, Any]:
    """One code as it is recorded: the number and mark it carries, and the labels that the scan proves."""
    at = f"codes.{place}"
    number, mark, notes = _label_of(reader, form, today, place)
    kinds = _own_labels(reader, number, at)
    filters = [LabelFilter(number=number, kind=kind) for kind in kinds]
    printed = [label for each in filters for label in reader.labels(each, limit=EVERY_LABEL)]
    since = _from_seq(reader, number)
    newest = []
    for kind in kinds:
        label = reader.newest_label(kind, number)
        if label is not None and label.live and label.event_seq > since:
            newest.append(label)
    if mark:
        read = read_mark(number, mark)
        assert read is not None
        if read.kind not in kinds:
            raise Refused(Fault(at, _another_label(number, read.kind, kinds), "", "8.2"))
        newest = [label for label in newest if label.kind == read.kind]
        if [label.mark for label in newest] != [mark]:
            raise Refused(Fault(at, _why_not_this(number, read, printed, newest), "", "8.2"))
    if not newest:
        raise Refused(Fault(at, _why_none(number, printed), "", "8.2"))
    if not mark and any(label.mark for label in newest):
        what = " and the ".join(f"{label.kind} label" for label in newest)
        raise Refused(
            Fault(
                at,
                f"This code says {number}, but not which label it is: it may stand on another paper or on an older"
                f" label. Scan the code on the {what} of {number}, or type all that is printed beneath the code.",
                "",
                "8.2",
            )
        )
    unproven = [label for label in newest if label.scanned_at is None]
    if not unproven:
        done = newest[0]
        assert done.scanned_at is not None
        raise Refused(
            Fault(
                at,
                f"The {done.kind} label of {number} was scanned back by {done.scanned_by} on"
                f" {say_moment(done.scanned_at)}. If two things carry this label, put both aside and void it.",
            )
        )
    return {
        "number": number,
        "kind": newest[0].kind,
        "mark": mark,
        "labels": [{"kind": each.kind, "print_seq": each.event_seq, "line": each.line} for each in unproven],
        "notes": list(notes),
        "by_hand": place in form.by_hand,
    }


def _another_label(number: str, kind: str, kinds: Sequence[str]) -> str:
    """A code that stands on another label of the same thing than its own."""
    own = " or the ".join(f"{each} label" for each in kinds)
    return (
        f"This is the {kind} label of {number}, not its own label. Scan the {own}: only that proves what the thing is."
    )


def _why_not_this(
    number: str, read: Mark, printed: Sequence[views.LabelLine], newest: Sequence[views.LabelLine]
) -> str:
    """Why a copy of a thing's own label is not the one that counts."""
    copies = [label for label in printed if (label.kind, label.copy_number) == (read.kind, read.copy_number)]
    copy = f"copy {read.copy_number} of the {read.kind} label of {number}"
    if not copies:
        return f"No {copy} was ever printed here. Put the thing aside and find out where its label comes from."
    if copies[0].status == "never out":
        return f"This is {copy}, and it is on record that it never came out of the printer. Destroy it, and print anew."
    if copies[0].status == "void":
        then = "scan the new one" if newest else "print a new one, put it on, and scan that"
        return f"This is {copy}, which is void: {copies[0].void_why}. Take it off, destroy it, and {then}."
    if not newest:
        return _why_none(number, [label for label in printed if label.kind == read.kind])
    return (
        f"This is {copy}; copy {newest[0].copy_number} was printed since and counts. Scan that one, and destroy the old"
        " label."
    )


def _from_seq(reader: Reader, number: str) -> int:
    """The event since which the label must have been printed: what an older one says was corrected."""
    if number.startswith("D"):
        thread = reader.dose(number)
        return thread.prepare_seq or 0 if thread is not None else 0
    vial = reader.vial(number) if number.startswith("V") else None
    return vial.label_from_seq if vial is not None else 0


def _why_none(number: str, printed: Sequence[views.LabelLine]) -> str:
    newest = next((label for label in printed if label.status != "never out"), None)
    if newest is None:
        return f"No label was printed for {number}. Print it, put it on, and scan that."
    if newest.status == "void":
        return f"The label of {number} is void: {newest.void_why}. Print it again, put the new one on, and scan that."
    return f"The label of {number} is older than a correction of what it says. Print it again, and put the new one on."


def _own_labels(reader: Reader, number: str, at: str) -> tuple[str, ...]:
    """The kinds of label that the number of a thing is scanned back by, as the thing stands now."""
    if number.startswith("V"):
        vial = reader.vial(number)
        if vial is None:
            raise Refused(Fault(at, f"There is no vial {number} in this pharmacy."))
        if vial.state in UNOPENED:
            return ("vial",)
        if vial.state in ("opened", "partial"):
            return ("opened vial",)
        raise Refused(Fault(at, f"Vial {number} is {vial.state}: its label is needed no more."))
    if number.startswith("D"):
        thread = reader.dose(number)
        if thread is None:
            raise Refused(Fault(at, f"There is no dose {number} in this pharmacy."))
        if thread.line.status != "prepared":
            raise Refused(Fault(at, f"Dose {number} is {thread.line.status}: no bag of it waits for its label's scan."))
        return BAG_LABELS
    kind = _BY_LETTER.get(number[:1], "")
    if not kind:
        raise Refused(Fault(at, f"{number} is not the number of a label. Scan the label that was put on."))
    return (kind,)


_BY_LETTER = {"B": "return box", "C": "destruction container", "P": "place", "R": "ruler"}
