"""What a scan anywhere names: the one place where a scanned or typed code is looked up in the record.

``domain.scans`` reads the characters; here it is said which thing of the record they mean, what that thing is, and in
which room of the window it stands. A code that could mean two things is refused, and so is one that means none: with
what it is, as far as that can be told. REGULATION B-01 to B-07, L-22.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import takewhile

from pharmacy_app.domain import gs1
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.label_marks import read_mark
from pharmacy_app.domain.scans import LETTERS, KitPattern, Scan, could_be_ours, learn, on_other_keyboards, read_scan
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import UNOPENED, Vial, looks_like_ours, move_table, swapped, usable_on
from pharmacy_app.services import views
from pharmacy_app.services.about import FORMS, NUMBERED, about_words, things_named
from pharmacy_app.services.desk import site_of, zone_of
from pharmacy_app.services.places import numbered_places
from pharmacy_app.services.ports import EVERY_LABEL, LabelFilter, Reader
from pharmacy_app.services.printed_head import scanned_paper
from pharmacy_app.services.reading import Reading

_SYMBOLOGY_MARK = 3
"""``]d2``: so many characters some scanners send before a code."""
_ONE_EACH = frozenset({"vial", "opened vial", "bag", "light cover", "return box", "destruction container", "place"})
"""The kinds of label of which a thing has one at a time: a newer copy takes the place of the one before it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing of the record that a scan names.

    ``kind`` is its word (vial, dose, medication error, document, deviation, count, discrepancy, shipment, lot,
    subject, place, form, return box, destruction container, printer), ``name`` what the record calls it, ``sentence``
    what it is. ``page`` is the room of the window where it stands, ``what`` what that room opens on ('' the room as it
    is). ``notes`` say what was put right in the scan and what about its label does not agree. ``separated`` tells that
    the scanner sent the separator GS: remember it for the workstation, and say so with the next scans
    (``sends_separator``).
    """

    kind: str
    name: str
    sentence: str
    page: str
    what: str
    notes: tuple[str, ...] = ()
    separated: bool = False


@dataclass(frozen=True, slots=True)
class KitForm:
    """How a supporter writes kit codes, learnt from the kits on record; ``shipment`` is the newest that has such."""

    pattern: KitPattern
    shipment: str


@dataclass(frozen=True, slots=True)
class _Code:
    """A code as far as it was read without asking what a supporter's kits look like.

    ``text`` is what was typed without blanks and the symbology's mark; ``refusal`` why it was not read, ``scan`` what
    was read otherwise.
    """

    text: str
    scan: Scan | None
    refusal: Refused | None

    @property
    def number(self) -> str:
        """One of our numbers of a letter in use, ''."""
        return own_number(self.scan) if self.scan is not None else ""

    def kits(self) -> tuple[str, ...]:
        """What of the code may be a kit number: all of it, or what a GS1 or HIBC code gives as serial number."""
        if self.scan is None or self.scan.kind not in ("gs1", "hibc"):
            return (self.text,)
        return tuple(each for each in (self.text, self.scan.serial, gs1.value_of(self.scan.elements, "240")) if each)


def where(reader: Reader, typed: str, today: date, *, by_hand: bool = False, sends_separator: bool = False) -> Target:
    """The thing of the record that a scan or a typed text names; raises ``Refused`` with the reason (field ``scan``).

    ``by_hand`` says that a person typed it, ``sends_separator`` that this workstation's scanner is known to send GS.
    """
    if scanned_paper(typed) is not None:
        raise _refused(
            "This is the code at the foot of a printed paper. Leave this field and scan it again, or open “Check a"
            " paper” in the ledger's journal."
        )
    code = _read(reader, typed, today, by_hand=by_hand, sends_separator=sends_separator)
    vial = _vial_of(reader, code)
    notes = _label_notes(reader, code, vial)
    found = {"vial": _vial_target(vial, today)} if vial is not None else {}
    if code.number and code.number[0] != "V":
        target = _BY_LETTER[code.number[0]](reader, code.number)
        if target is not None:
            found[target.kind] = target
        elif not found:
            raise _nowhere(_WORDS[code.number[0]], code.number)
    elif not code.number:
        for word, name in things_named(reader, code.text).items():
            if word != "vial":
                found[word] = _named_target(reader, word, name)
            elif vial is None and (named := reader.vial(name)) is not None:
                found[word] = _vial_target(named, today)
        place = next((place for place in reader.places() if place.name.casefold() == code.text.casefold()), None)
        if place is not None:
            found["place"] = _place_target(place)
    if not found and (lot := _lot_of(reader, code)):
        found["lot"] = _named_target(reader, "lot", f"lot {lot}")
    if not found:
        raise _unknown(reader, code, typed, today, by_hand=by_hand, sends_separator=sends_separator)
    if len(found) > 1:
        raise _refused(
            f"“{code.text}” is more than one thing here: {'; '.join(each.sentence for each in found.values())}."
            f" Open the one that is meant in its own room: {' or '.join(found)}."
        )
    (target,) = found.values()
    separated = code.scan is not None and code.scan.separated
    return Target(target.kind, target.name, target.sentence, target.page, target.what, notes, separated)


def find_vial(reader: Reader, typed: str, today: date, *, by_hand: bool = False, sends_separator: bool = False) -> Vial:
    """The vial of a scan, by our own number, by its kit number, or by a code that carries one of these.

    Where a vial is asked for, a kit number that is also another thing's name means the vial. Raises ``Refused`` with
    the field ``unit_number`` as ``where`` does, and for what is no single vial.
    """
    try:
        code = _read(reader, typed, today, by_hand=by_hand, sends_separator=sends_separator)
        vial = _vial_of(reader, code)
        if vial is not None and code.number in ("", vial.unit_number):
            _label_notes(reader, code, vial)
            return vial
        target = where(reader, typed, today, by_hand=by_hand, sends_separator=sends_separator)
    except Refused as refused:
        raise Refused(*(replace(fault, field="unit_number") for fault in refused.faults)) from None
    if vial is not None and target.kind == "vial":
        return vial
    more = " It names the lot, but no single vial." if target.kind == "lot" else ""
    raise Refused(
        Fault("unit_number", f"This is no vial: {target.sentence}.{more} Scan the vial's own label or its kit number.")
    )


def vials_named(
    reading: Reading, reader: Reader, typed: Sequence[str], today: date, field: str = "unit_numbers"
) -> list[Vial]:
    """The vials of a form's list, each once, by whichever of their numbers; what is none becomes a fault."""
    if not typed:
        reading.fault(field, "No vial is chosen. Scan or choose at least one.")
    found: dict[str, Vial] = {}
    for text in dict.fromkeys(typed):
        # A page hands on the numbers of its table: what stands in the record just so need not be read as a scan.
        vial = reader.vial(text)
        if vial is None:
            try:
                vial = find_vial(reader, text, today)
            except Refused as refused:
                reading.faults += [replace(fault, field=field) for fault in refused.faults]
                continue
        found[vial.unit_number] = vial
    return list(found.values())


def refuse_other_dose(
    reader: Reader, typed: str, dose_id: str, today: date, *, by_hand: bool = False, sends_separator: bool = False
) -> None:
    """Refuse a scan made on the bag of a dose that is not this dose's label (field ``scan``)."""
    target = where(reader, typed, today, by_hand=by_hand, sends_separator=sends_separator)
    if target.name != dose_id:
        raise _refused(
            f"This is not the label of dose {dose_id}: {target.sentence}. Put the bag aside and look which label is on"
            " it; if it is another one's, void that label."
        )


def refuse_swapped(reader: Reader, number: str) -> None:
    """Refuse a number that a hand typed where two neighbours swapped make it another number of this record.

    The field is ``scan``. A scanner swaps nothing, so only what was typed is asked about.
    """
    there = [other for other in (number, *swapped(number)) if _is_here(reader, other)]
    if len(there) > 1:
        raise _refused(
            f"{' and '.join(there)} are both here, and differ by two characters in another order. Which was meant"
            " cannot be told from what was typed: scan the label."
        )


def _is_here(reader: Reader, number: str) -> bool:
    if number.startswith("V"):
        return reader.vial(number) is not None
    return _BY_LETTER[number[0]](reader, number) is not None


def kit_forms(reader: Reader) -> tuple[KitForm, ...]:
    """How the supporters' kit codes look, learnt from every kit on record: the same record gives the same forms.

    Codes that begin alike before their first digit and are of one length are of one form. One of which there is a
    single kit, or that could be taken for something else, teaches nothing.
    """
    alike: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for shipment, kit in reader.kits_received():
        beginning = "".join(takewhile(lambda character: not character.isdigit(), kit))
        alike.setdefault((beginning, len(kit)), []).append((shipment, kit))
    forms: list[KitForm] = []
    for group in alike.values():
        try:
            pattern = learn([kit for _, kit in group], [form.pattern for form in forms])
        except Refused:
            continue
        forms.append(KitForm(pattern, group[-1][0]))
    return tuple(forms)


# --- reading -----------------------------------------------------------------------------------------------------


def read_code(reader: Reader, typed: str, today: date, *, by_hand: bool = False, sends_separator: bool = False) -> Scan:
    """A scan with the kit codes of the record known, refused when it is of another study: for what is received."""
    patterns = [form.pattern for form in kit_forms(reader)]
    scan = read_scan(typed, today=today, patterns=patterns, by_hand=by_hand, sends_separator=sends_separator)
    _refuse_other_study(reader, scan)
    return scan


def bare(typed: str) -> str:
    """A code as typed, without blanks around it and the symbology's mark before it."""
    text = " ".join(typed.split())
    return text[_SYMBOLOGY_MARK:] if text.startswith("]") and len(text) > _SYMBOLOGY_MARK else text


def own_number(scan: Scan) -> str:
    """One of our numbers of a letter in use that a scan carries, ''."""
    return scan.number if scan.number[:1] in LETTERS else ""


def _read(reader: Reader, typed: str, today: date, *, by_hand: bool, sends_separator: bool) -> _Code:
    """A code read without the kits' forms, which are learnt only when nothing on record fits."""
    text = bare(typed)
    try:
        scan = read_scan(typed, today=today, by_hand=by_hand, sends_separator=sends_separator)
        if scan.kind == "text" and not by_hand:
            # Fields take both, and a hand writes blanks, and O for 0; the check character proves what was meant.
            scan = read_scan(typed, today=today, by_hand=True)
    except Refused as refused:
        return _Code(text, None, refused)
    _refuse_other_study(reader, scan)
    code = _Code(text, scan, None)
    if by_hand and code.number:
        refuse_swapped(reader, code.number)
    return code


def _vial_of(reader: Reader, code: _Code) -> Vial | None:
    """The vial that a code names by our number or as a kit; raises ``Refused`` for an unknown number of a vial."""
    if code.number.startswith("V"):
        vial = reader.vial(code.number)
        if vial is None:
            raise _nowhere("vial", code.number)
        # Such a kit is received no more, but may be on record from before.
        owner = reader.vial_by_kit(code.text.upper())
        if owner is not None and owner.unit_number != vial.unit_number:
            raise _refused(
                f"“{code.text}” is vial {vial.unit_number} by its label and vial {owner.unit_number} by its kit number."
                f" {_BY_OWN_LABEL}"
            )
        return vial
    found: dict[str, Vial] = {}
    for kit in code.kits():
        vial = reader.vial_by_kit(kit.upper())
        if vial is not None:
            _refuse_swapped_kit(reader, code, kit, vial)
            found[vial.unit_number] = vial
    if len(found) > 1:
        raise _refused(f"“{code.text}” holds the kit numbers of two vials: {' and '.join(found)}. Put the item aside.")
    return next(iter(found.values()), None)


_BY_OWN_LABEL = "Which was meant cannot be told: scan our own label on the vial, or choose the vial in the list."


def kits_alike(kit: str, others: Collection[str]) -> tuple[str, ...]:
    """Those of the other kit numbers, in capitals, that a keyboard set to another country makes of this one."""
    return tuple(sorted(on_other_keyboards(kit) & set(others)))


def kits_alike_words(pairs: Sequence[tuple[str, str]]) -> str:
    """The finding that kits cannot be told apart by scan, with both numbers of each pair; '' without any."""
    if not pairs:
        return ""
    named = ", ".join(" and ".join(pair) for pair in pairs[:3]) + (", …" if len(pairs) > 3 else "")
    return (
        f"kits {named} differ only by keys that another keyboard setting swaps, so neither goes by its kit number"
        " alone: scan our own labels"
    )


def _refuse_swapped_kit(reader: Reader, code: _Code, kit: str, vial: Vial) -> None:
    """Refuse a kit number that a wrong keyboard setting makes that of another vial here, unless the code decides.

    The scanner's own prefix decides, which no wrong setting leaves as it is, and so does a lot or expiry in the code
    that only one of the vials has. A number typed by hand has neither.
    """
    scan = code.scan
    if scan is not None and scan.symbology:
        return
    for other in sorted(on_other_keyboards(kit)):
        rival = reader.vial_by_kit(other)
        if rival is None or rival.unit_number == vial.unit_number:
            continue
        if scan is not None and scan.lot and scan.lot.upper() != rival.lot:
            continue
        if scan is not None and scan.expires_on not in (None, rival.expires_on):
            continue
        raise _refused(
            f"Kits {kit.upper()} (vial {vial.unit_number}) and {other} (vial {rival.unit_number}) are both here, and"
            f" differ only by keys that another keyboard setting swaps. {_BY_OWN_LABEL}"
        )


def why_no_kit(kit: str) -> str:
    """Why a supporter's number cannot be received as a kit number, with what to do, '' when it can.

    A kit that could be read as one of our numbers would stand for a vial, dose or paper that it is not.
    """
    if not kit.isprintable():
        shown = "".join(each if each.isprintable() else "␣" for each in kit)
        return f"Kit {shown} holds control signs, so no scan would find it. Type what is printed on the vial."
    if ours := could_be_ours(kit):
        why = f"could be read as our own number {ours}"
    elif looks_like_ours(kit, "V"):
        why = "looks like one of our own unit numbers"
    else:
        return ""
    return (
        f"Kit {kit} {why}, so a scan of it could name the wrong thing. Leave the kit numbers of this lot empty, write"
        " them in the shipment's note, and ask the supporter; the vials go by our own labels."
    )


def _lot_of(reader: Reader, code: _Code) -> str:
    """The known lot that a product's code names, ''."""
    lot = code.scan.lot.upper() if code.scan is not None and not code.number else ""
    return lot if lot and any(known == lot for _, known, _ in reader.lots()) else ""


def _label_notes(reader: Reader, code: _Code, vial: Vial | None) -> tuple[str, ...]:
    """What is to be said of a code that was read. What a vial's code says beside its number is held against the record.

    Raises ``Refused`` for another lot or expiry. Another expiry is let pass where the lot's expiry was extended: then
    the label waits to be renewed.
    """
    if code.scan is None:
        return ()
    notes = (*code.scan.notes, *_copy_notes(reader, code.scan))
    if vial is None:
        return notes
    _refuse_stale(code.scan, vial)
    lot, expires_on = code.scan.lot, code.scan.expires_on
    if lot and lot.upper() != vial.lot:
        raise _refused(
            f"The code on vial {vial.unit_number} says lot {lot}, the record says lot {vial.lot}. Put the vial aside"
            " and find out which is right."
        )
    if expires_on is None or expires_on == vial.expires_on:
        return notes
    extended = any(
        (each.strength_mg, each.lot, each.old_on) == (vial.strength_mg, vial.lot, expires_on)
        for each in reader.expiry_extensions()
    )
    if not extended:
        raise _refused(
            f"The code on vial {vial.unit_number} says expiry {say_day(expires_on)}, the record says"
            f" {say_day(vial.expires_on)}. Put the vial aside and find out which is right."
        )
    return (
        *notes,
        f"The code still says expiry {say_day(expires_on)}; it was extended to {say_day(vial.expires_on)}.",
    )


_NOT_QUARANTINED = frozenset((*UNOPENED, "opened", "partial")) - {"quarantined"}


def _refuse_stale(scan: Scan, vial: Vial) -> None:
    """Refuse a vial by the label of a quarantine that it is not in any more."""
    mark = read_mark(scan.number, scan.mark)
    if mark is not None and mark.kind == "quarantine" and vial.state in _NOT_QUARANTINED:
        raise _refused(
            f"This is the {mark.kind} label of vial {vial.unit_number}, and the record says that the vial is"
            f" {vial.state}. Put it aside and find out which is right; then scan the vial's own label."
        )


def _copy_notes(reader: Reader, scan: Scan) -> tuple[str, ...]:
    """What is to be said of the copy of the label that was scanned; raises ``Refused`` for a void one."""
    mark = read_mark(scan.number, scan.mark)
    if mark is None:
        return ()
    of_kind = reader.labels(LabelFilter(number=scan.number, kind=mark.kind), limit=EVERY_LABEL)
    copies = [label for label in of_kind if label.mark == scan.mark]
    this = f"copy {mark.copy_number} of the {mark.kind} label of {scan.number}"
    # A number that is not on record is told as that.
    if not any(label.live for label in copies) and _is_here(reader, scan.number):
        if not copies:
            why = "which was never printed here"
        elif copies[0].status == "void":
            why = f"which is void: {copies[0].void_why}"
        else:
            why = "of which it is on record that it never came out"
        raise _refused(
            f"This is {this}, {why}. Put the thing aside, find out what it is, take this label off and destroy it."
        )
    newest = reader.newest_label(mark.kind, scan.number)
    if mark.kind in _ONE_EACH and newest is not None and newest.copy_number > mark.copy_number:
        return (f"This is {this}; copy {newest.copy_number} was printed since. Destroy the older one.",)
    return ()


def _refuse_other_study(reader: Reader, scan: Scan) -> None:
    """Refuse a code that names the protocol of another study."""
    ours = site_of(reader).protocol_number if scan.protocol else ""
    if scan.protocol.casefold() != ours.casefold():
        raise _refused(
            f"This code is of protocol {scan.protocol}, and this pharmacy's study is {ours}. Put it aside: nothing of"
            " another study is used or counted here."
        )


def _unknown(reader: Reader, code: _Code, typed: str, today: date, *, by_hand: bool, sends_separator: bool) -> Refused:
    """Why a code names nothing of the record, with what it is as far as that can be told."""
    forms = kit_forms(reader)
    refusal = code.refusal
    try:
        patterns = [form.pattern for form in forms]
        scan = read_scan(typed, today=today, patterns=patterns, by_hand=by_hand, sends_separator=sends_separator)
    except Refused as refused:
        scan, refusal = None, refused
    kit = scan.kit if scan is not None else ""
    # The record writes kits in capitals, whatever the keyboard did.
    for candidate in (kit, *code.kits()):
        form = next((form for form in forms if candidate and form.pattern.matches(candidate.upper())), None)
        if form is not None:
            return _refused(
                f"“{candidate.upper()}” is a kit code of the supporter, as those of shipment {form.shipment}, that no"
                " receipt names. Put the vial aside and look at the packing list: its shipment must be received first."
            )
    if refusal is not None:
        return refusal
    assert scan is not None
    if scan.kind in ("gs1", "hibc"):
        said = [f"{word} {value}" for word, value in _facts_said(scan) if value]
        return _refused(
            f"This is the code of a product ({', '.join(said) or scan.kind.upper()}) that names no lot and no vial of"
            " this record. Scan the vial's own label or its kit number."
        )
    if scan.number:
        return _refused(f"“{scan.number}” is written as our numbers are, but none of ours begins with that letter.")
    shown = code.text if len(code.text) <= 60 else f"{code.text[:60]}…"
    return _refused(
        f"“{shown}” is not a number of ours, and no kit, shipment, lot, form, subject or place of this record. Scan the"
        " label again, or type what is printed below the code."
    )


def _facts_said(scan: Scan) -> tuple[tuple[str, str], ...]:
    expiry = say_day(scan.expires_on) if scan.expires_on else ""
    return (
        ("GTIN", scan.gtin),
        ("product", scan.product),
        ("lot", scan.lot),
        ("expiry", expiry),
        ("serial number", scan.serial),
    )


def _nowhere(word: str, number: str) -> Refused:
    return _refused(
        f"There is no {word} {number} in this pharmacy. Perhaps it belongs to another study: put it aside and ask."
    )


def _refused(sentence: str) -> Refused:
    return Refused(Fault("scan", sentence))


# --- what a thing is, and where it stands --------------------------------------------------------------------------


def vial_sentence(vial: Vial, today: date) -> str:
    """A vial in one line: number, kit, strength, lot, expiry, whether it is usable today, and its place."""
    if usable_on(vial.state, vial.expires_on, today):
        stands = "usable" if vial.label_scanned else "released, its label is not scanned yet"
    elif vial.state == "available":
        stands = "expired"
    else:
        stands = vial.state + (f" ({vial.hold_reason})" if vial.hold_reason else "")
    kit = f" (kit {vial.kit_number})" if vial.kit_number else ""
    place = f", in {vial.place}" if move_table().states[vial.state].on_site else ""
    return (
        f"Vial {vial.unit_number}{kit}, {show(vial.strength_mg)} mg, lot {vial.lot}, expiry {say_day(vial.expires_on)},"
        f" {stands}{place}"
    )


def _vial_target(vial: Vial, today: date) -> Target:
    return Target("vial", vial.unit_number, vial_sentence(vial, today), "vials", vial.unit_number)


def _dose(reader: Reader, number: str) -> Target | None:
    thread = reader.dose(number)
    if thread is None:
        return None
    line = thread.line
    sentence = (
        f"Dose {number}, subject {line.subject_number}, cycle {line.cycle} day {line.day}, prescribed"
        f" {show(line.prescribed_mg)} mg, planned for {say_day(line.planned_on)}, {line.status}"
    )
    return Target("dose", number, sentence, "prepare", number)


def _error(reader: Reader, number: str) -> Target | None:
    line = reader.error(number)
    if line is None:
        return None
    about = f", {about_words(line.dose_id)}" if line.dose_id else ""
    return Target("medication error", number, f"Medication error {number}{about}, {line.status}", "errors", number)


def _document(reader: Reader, number: str) -> Target | None:
    line = reader.document(number)
    if line is None:
        return None
    sentence = (
        f"Document {number}, {line.kind} “{line.title}” of {say_day(line.dated_on)}, about {about_words(line.about)}"
    )
    return Target("document", number, sentence, "ledger", number)


def _deviation(reader: Reader, number: str) -> Target | None:
    line = reader.deviation(number)
    if line is None:
        return None
    since = say_day(line.started_at.astimezone(zone_of(site_of(reader))).date())
    return Target(
        "deviation", number, f"Storage deviation {number}, {line.place}, {since}, {line.status}", "storage", number
    )


def _count(reader: Reader, number: str) -> Target | None:
    line = reader.stock_count(number)
    if line is None:
        return None
    on = say_day(line.counted_at.astimezone(zone_of(site_of(reader))).date())
    agrees = f"a difference, {line.discrepancy}" if line.discrepancy else "agrees with the record"
    return Target("count", number, f"Count {number}, {line.place}, {on}, {agrees}", "counts", number)


def _discrepancy(reader: Reader, number: str) -> Target | None:
    line = reader.discrepancy(number)
    if line is None:
        return None
    return Target("discrepancy", number, f"Discrepancy {number}, {line.status}: {line.sentence}", "counts", number)


def _place(reader: Reader, number: str) -> Target | None:
    place = numbered_places(reader.places()).get(number)
    return _place_target(place) if place is not None else None


def _printer(reader: Reader, number: str) -> Target | None:
    printer = next((each for each in reader.printers() if each.number == number), None)
    if printer is None:
        return None
    return Target("printer", number, f"Printer {printer.entry.name} ({number})", "settings", "printers")


def _label(kind: str, reader: Reader, number: str) -> Target | None:
    """A box or container that has no other number than that of its label."""
    labels = reader.labels(LabelFilter(number=number, kind=kind), limit=1)
    if not labels:
        return None
    return Target(kind, number, f"{kind.capitalize()} {number} of {about_words(labels[0].about)}", "labels", number)


def _place_target(place: views.Place) -> Target:
    many = "1 vial" if place.vials == 1 else f"{place.vials} vials"
    there = f"{many} there" if place.in_use else "closed"
    sentence = f"{place.name}, {place.kind}{f' in {place.room}' if place.room else ''}, {there}"
    return Target("place", place.name, sentence, "storage", "")


_WORDS = {letter: word for letter, (word, _) in NUMBERED.items()} | {
    "B": "return box",
    "C": "destruction container",
    "P": "place",
    "R": "printer",
}
_BY_LETTER: dict[str, Callable[[Reader, str], Target | None]] = {
    "B": partial(_label, "return box"),
    "C": partial(_label, "destruction container"),
    "D": _dose,
    "E": _error,
    "F": _document,
    "N": _count,
    "P": _place,
    "Q": _discrepancy,
    "R": _printer,
    "X": _deviation,
}


def _named_target(reader: Reader, word: str, name: str) -> Target:
    """A thing that goes by a name of other people, or by a form's number."""
    bare = name.removeprefix(f"{word} ")
    if word == "subject":
        return Target(word, name, f"Subject {name}", "subjects", name)
    if word == "lot":
        kinds = [(mg, expires_on) for mg, lot, expires_on in reader.lots() if lot == bare]
        said = ", ".join(f"{show(mg)} mg, expiry {say_day(expires_on)}" for mg, expires_on in kinds)
        return Target(word, bare, f"Lot {bare}, {said}", "vials", name)
    if word == "shipment":
        return _shipment_target(reader, bare)
    letters = name.partition("-")[0]
    if letters == "RCV":
        event = reader.event(int(name.partition("-")[2]))
        assert event is not None
        return _shipment_target(reader, event.content["shipment"]["number"])
    page, what = ("counts", "close-out") if letters == "CLO" else ("ledger", name)
    return Target(word, name, f"The {FORMS[letters][0]} form {name}", page, what)


def _shipment_target(reader: Reader, number: str) -> Target:
    line = reader.shipment(number)
    assert line is not None
    on = say_day(line.received_at.astimezone(zone_of(site_of(reader))).date())
    many = "1 vial" if line.vials == 1 else f"{line.vials} vials"
    waiting = f", {line.awaiting_release} awaiting release" if line.awaiting_release else ""
    return Target("shipment", number, f"Shipment {number}, {many}, received {on}{waiting}", "receive", number)
