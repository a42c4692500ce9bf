"""Physical counts: blind, by one person and verified by another; a difference is explained and signed by two.

Nothing here tells a page what the record expects until the count is handed in: ``begin_count`` gives the lots to look
for without a number, ``look_up`` what stands on a scanned label. The record is compared inside the act itself, with
what it holds at that moment. A count moves no vial: what was missing or found is moved by the acts made for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from pharmacy_app.domain.counts import (
    CONTAINERS,
    KINDS,
    MISSING_RECORDED,
    NAMED,
    OUTCOMES,
    RECORD_CORRECTED,
    VIALS,
    CountLine,
    compare_units,
    difference_words,
    kind_of,
    next_due,
    states_of,
)
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import Role
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import STRENGTHS_MG, Vial, numbered
from pharmacy_app.services import views
from pharmacy_app.services.desk import (
    Act,
    Credentials,
    Desk,
    Draft,
    Moment,
    Signing,
    perform,
    protocol_of,
    site_of,
    today_of,
    zone_of,
)
from pharmacy_app.services.papers import CountRecord, CountRow
from pharmacy_app.services.ports import Reader, VialFilter, Writer
from pharmacy_app.services.printing import Printed, print_record, signatures_of, stamp_of
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.scanning import find_vial, vials_named

SCOPES = {VIALS: (VIALS,), CONTAINERS: (CONTAINERS,), "both": KINDS}
"""What a count can be of, as a form says it."""

METHODS = ("scan", "number")

MAX_COUNTED = 9999
"""More of one lot on one shelf than this is a slip of the keyboard."""

MAX_CODES = 5000
"""So many scans one count takes."""

LONGEST_CODE = 200
"""The longest code that is kept; a label's symbol holds far less."""

COUNT_AHEAD_DAYS = 7
"""How many days before its day a count is shown as due: time to find a second person."""

MOVES_NAMED = 4
"""So many moves that came between are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class LotCounted:
    """What was counted of one strength and lot, as typed: unopened vials, and used containers."""

    strength_mg: str
    lot: str
    vials: str = ""
    containers: str = ""


@dataclass(frozen=True, slots=True)
class CountForm:
    """A physical count as handed in.

    ``strength_mg`` '' is all strengths, ``what`` one of ``SCOPES``. ``codes`` are the scans in their order, ``lots``
    the typed numbers. ``begun_seq`` is the journal's event after which the count began. ``nothing_there`` 'yes' says
    that the place was looked at and is empty.
    """

    place: str
    begun_seq: int
    strength_mg: str = ""
    what: str = VIALS
    method: str = "scan"
    codes: tuple[str, ...] = ()
    lots: tuple[LotCounted, ...] = ()
    nothing_there: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class LotToCount:
    """A strength and lot to look for, without a number."""

    strength_mg: Decimal
    lot: str
    expires_on: date


@dataclass(frozen=True, slots=True)
class CountBegun:
    """What a count starts from: the journal's last event, and the lots to look for wherever they may lie."""

    begun_seq: int
    lots: tuple[LotToCount, ...]


@dataclass(frozen=True, slots=True)
class Scanned:
    """One scan of a count: what stands on the label of a vial of ours, or why the code is none (``unknown``)."""

    code: str
    unit_number: str
    strength_mg: Decimal | None
    lot: str
    expires_on: date | None
    unknown: str = ""


def begin_count(reader: Reader, strength_mg: str = "", what: str = VIALS) -> CountBegun:
    """Begin a count: the lots of which anything is on site, and the event after which stock must stand still.

    The lots of all places are given: which of them should lie here would tell what is expected.
    """
    return CountBegun(reader.head().seq, _lots(reader, strength_mg, SCOPES[what]))


def _lots(reader: Reader, strength_mg: str, kinds: Sequence[str]) -> tuple[LotToCount, ...]:
    found = {
        (line.strength_mg, line.lot): LotToCount(line.strength_mg, line.lot, line.expires_on)
        for line in reader.stock()
        if kind_of(line.state) in kinds and strength_mg in ("", show(line.strength_mg))
    }
    return tuple(found[key] for key in sorted(found))


def look_up(
    reader: Reader,
    code: str,
    today: date,
    strength_mg: str = "",
    before: Sequence[str] = (),
    *,
    by_hand: bool = False,
    sends_separator: bool = False,
) -> Scanned:
    """Read one scan; ``before`` are the unit numbers scanned so far, the rest as ``scanning.where`` takes it.

    A code that is no vial of this record comes back as ``unknown`` with the reason. Raises ``Refused`` for a vial that
    was scanned already, by whichever of its numbers, and for one of a strength that is not counted.
    """
    text = _tidy(code)
    try:
        vial = find_vial(reader, code, today, by_hand=by_hand, sends_separator=sends_separator)
    except Refused as refused:
        return Scanned(text, "", None, "", None, refused.faults[0].sentence)
    number = vial.unit_number
    kit = f" (kit {vial.kit_number})" if vial.kit_number else ""
    if number in before:
        raise Refused(
            Fault("code", f"Vial {number}{kit} was scanned already. It counts once: put it aside and scan the next.")
        )
    if strength_mg not in ("", show(vial.strength_mg)):
        raise Refused(
            Fault(
                "code",
                f"Vial {number} is a {show(vial.strength_mg)} mg vial; this count is of {strength_mg} mg vials only."
                " Leave it where it is, or begin a count of all strengths.",
            )
        )
    return Scanned(text, number, vial.strength_mg, vial.lot, vial.expires_on)


def _tidy(code: str) -> str:
    """A code as kept: what cannot be seen is written out, so that a separator of a symbol is not lost."""
    return "".join(sign if sign.isprintable() else f"<{ord(sign):02X}>" for sign in code.strip(" \r\n\t"))


# --- handing in ------------------------------------------------------------------------------------------------


def record_count(desk: Desk, act: Act, form: CountForm, own: Credentials, second: Credentials) -> Event:
    """Hand in a count: compared with the record now, kept with both signatures, a difference opens a discrepancy.

    A count is always of now, so it takes no other time. Raises ``Refused`` when stock moved at the place since it was
    begun: numbers counted before and after a move are not of one moment.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        place = reading.choice(form.place, "place", "The place", moment.site.places)
        what = reading.choice(form.what, "what", "What is counted", tuple(SCOPES))
        strength = reading.choice(
            form.strength_mg, "strength_mg", "The strength", ("", *(show(each) for each in STRENGTHS_MG))
        )
        method = reading.choice(form.method, "method", "How it is counted", METHODS)
        note = reading.note(form.note, "note", "The note", longest=500)
        kinds = SCOPES[what]
        unknown: tuple[str, ...] = ()
        found: list[Vial] = []
        typed: dict[tuple[str, Decimal, str], int] = {}
        if method == "scan":
            found, unknown = _scanned(reading, writer, form.codes, moment.today, strength)
        else:
            typed = _typed(reading, writer, form.lots, strength, kinds)
        if not found and not unknown and not typed and form.nothing_there != "yes":
            reading.fault(
                "nothing_there",
                "Nothing was counted. If you looked and the place is empty, tick that; otherwise count it first.",
            )
        _stood_still(reading, writer, form, place, strength, kinds)
        _two_people(reading, moment)
        reading.done()
        if method == "scan":
            expected = _expected(writer, place, strength, kinds)
            lines, strays = compare_units(expected, found, kinds)
        else:
            lines, strays = _by_number(writer, place, strength, kinds, typed), ()
        sentence = difference_words(lines, strays, unknown)
        return Draft(
            {
                "count_number": numbered("N", writer.counter("count") + 1),
                "place": place,
                "strength_mg": strength,
                "kinds": kinds,
                "method": method,
                "lines": lines,
                "strays": strays,
                "unknown": unknown,
                "note": note,
                "discrepancy": numbered("Q", writer.counter("discrepancy") + 1) if sentence else "",
                "sentence": sentence,
                "concerns": [
                    views.Concern(line.strength_mg, line.lot, line.difference, (*line.missing, *line.unexpected))
                    for line in lines
                    if not line.agrees
                ],
            }
        )

    return perform(
        desk,
        act,
        "count_recorded",
        form,
        build,
        (Signing(own, "counted"), Signing(second, "counted again and verified", "witness_password")),
    )


def _scanned(
    reading: Reading, reader: Reader, codes: Sequence[str], today: date, strength: str
) -> tuple[list[Vial], tuple[str, ...]]:
    """The vials of the scans, and the codes that are none."""
    if len(codes) > MAX_CODES:
        reading.fault("codes", f"{len(codes)} scans are more than one count takes ({MAX_CODES}). Count in two parts.")
        return [], ()
    found: dict[str, Vial] = {}
    unknown = []
    for code in codes:
        if len(code) > LONGEST_CODE:
            reading.fault("codes", f"“{code[:40]}…” is longer than any code. Take it off the list and scan again.")
            continue
        scanned = reading.take(partial(look_up, reader, code, today, strength, tuple(found)), None)
        if scanned is None:
            continue
        vial = reader.vial(scanned.unit_number) if scanned.unit_number else None
        if vial is None:
            unknown.append(scanned.code)
        else:
            found[vial.unit_number] = vial
    return list(found.values()), tuple(unknown)


def _typed(
    reading: Reading, reader: Reader, lots: Sequence[LotCounted], strength: str, kinds: Sequence[str]
) -> dict[tuple[str, Decimal, str], int]:
    """The typed numbers by kind, strength and lot: every lot on site needs one, zero included."""
    numbers: dict[tuple[str, Decimal, str], int] = {}
    for index, typed in enumerate(lots):
        at = f"lots.{index}."
        of = reading.choice(
            typed.strength_mg, at + "strength_mg", "The strength", tuple(show(each) for each in STRENGTHS_MG)
        )
        if strength not in ("", of):
            reading.fault(at + "strength_mg", f"This count is of {strength} mg vials only. Take this line out.")
        lot = reading.number(typed.lot, at + "lot", "The lot", longest=20).upper()
        for kind in kinds:
            count = reading.count(
                getattr(typed, kind),
                f"{at}{kind}",
                f"The number of {kind} (0 when there is none)",
                low=0,
                high=MAX_COUNTED,
            )
            if (kind, Decimal(of), lot) in numbers:
                reading.fault(at + "lot", f"Lot {lot} of {of} mg stands here twice. Put its vials into one number.")
            numbers[kind, Decimal(of), lot] = count
    for line in _lots(reader, strength, kinds):
        if any((kind, line.strength_mg, line.lot) not in numbers for kind in kinds):
            reading.fault(
                "lots",
                f"Lot {line.lot} of {show(line.strength_mg)} mg has no number. Look for it here too, and type 0 when"
                " there is none.",
            )
    return numbers


def _stood_still(
    reading: Reading, reader: Reader, form: CountForm, place: str, strength: str, kinds: Sequence[str]
) -> None:
    """Refuse a count during which vials left the shelf or came to it; a reservation leaves them where they are."""
    if form.begun_seq > reader.head().seq:
        reading.fault("begun_seq", "This count began after the record's last entry. Begin it anew.")
    moved = [
        line
        for line in reader.place_moves(place, form.begun_seq)
        if strength in ("", show(line.strength_mg))
        and kind_of(line.from_state) != kind_of(line.to_state)
        and {kind_of(line.from_state), kind_of(line.to_state)}.intersection(kinds)
    ]
    if not moved:
        return
    zone = zone_of(site_of(reader))
    named = [
        f"{_units(line.units)} ({show(line.strength_mg)} mg, lot {line.lot}): “{line.move}” at"
        f" {line.done_at.astimezone(zone):%H:%M}"
        for line in moved[:MOVES_NAMED]
    ]
    more = f"; and {len(moved) - MOVES_NAMED} more" if len(moved) > MOVES_NAMED else ""
    reading.fault(
        "begun_seq",
        f"Vials moved at {place} while you counted: {'; '.join(named)}{more}. Look at these again, mend the count if it"
        " needs it, and hand it in once more.",
    )


def _units(units: Sequence[str]) -> str:
    return units[0] if len(units) == 1 else f"{units[0]} and {len(units) - 1} more"


def _expected(reader: Reader, place: str, strength: str, kinds: Sequence[str]) -> list[Vial]:
    found: list[Vial] = []
    for kind in kinds:
        for state in states_of(kind):
            wanted = VialFilter(Decimal(strength) if strength else None, state=state, place=place)
            count = reader.count_vials(wanted)
            found += reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=count) if count else ()
    return sorted(found, key=lambda vial: vial.unit_number)


def _by_number(
    reader: Reader, place: str, strength: str, kinds: Sequence[str], typed: dict[tuple[str, Decimal, str], int]
) -> tuple[CountLine, ...]:
    expected: dict[tuple[str, Decimal, str], int] = {}
    for line in reader.stock():
        key = (kind_of(line.state), line.strength_mg, line.lot)
        if line.place == place and key[0] in kinds and strength in ("", show(line.strength_mg)):
            expected[key] = expected.get(key, 0) + line.vials
    expiries = {(of, lot): expires_on for of, lot, expires_on in reader.lots()}
    keys = sorted({*expected, *typed}, key=lambda key: (KINDS.index(key[0]), key))
    return tuple(CountLine(*key, expiries.get(key[1:]), expected.get(key, 0), typed.get(key, 0)) for key in keys)


def _two_people(reading: Reading, moment: Moment) -> None:
    first, second = moment.signers
    if first.account_id != moment.person.account_id:
        reading.fault("user_name", f"Sign with your own account: {moment.person.printed_name} is signed in here.")
    if first.account_id == second.account_id or first.printed_name == second.printed_name:
        reading.fault("witness_user_name", "The second person is another one. Ask somebody who looks for themselves.")


# --- discrepancies ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DiscrepancyForm:
    """A difference noticed without a count: the vials it is about, and what was noticed."""

    unit_numbers: tuple[str, ...]
    what: str


def open_discrepancy(desk: Desk, act: Act, form: DiscrepancyForm, own: Credentials) -> Event:
    """Open a discrepancy without a count: a vial that was not where the record has it, or is missing already."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        what = reading.text(form.what, "what", "What was noticed", longest=500)
        vials = vials_named(reading, writer, form.unit_numbers, moment.today)
        if moment.signers[0].account_id != moment.person.account_id:
            reading.fault("user_name", f"Sign with your own account: {moment.person.printed_name} is signed in here.")
        reading.done()
        lots: dict[tuple[Decimal, str], list[str]] = {}
        for vial in vials:
            lots.setdefault((vial.strength_mg, vial.lot), []).append(vial.unit_number)
        return Draft(
            {
                "discrepancy": numbered("Q", writer.counter("discrepancy") + 1),
                "sentence": f"{', '.join(vial.unit_number for vial in vials)}: {what}",
                "concerns": [views.Concern(of, lot, 0, tuple(units)) for (of, lot), units in sorted(lots.items())],
            },
            why=what,
        )

    return perform(desk, act, "discrepancy_opened", form, build, (Signing(own, "noticed it"),))


@dataclass(frozen=True, slots=True)
class ExplainForm:
    """How a discrepancy came about and ended; ``outcome`` is one of ``OUTCOMES``."""

    discrepancy: str
    outcome: str
    explanation: str


def explain_discrepancy(desk: Desk, act: Act, form: ExplainForm, own: Credentials, second: Credentials) -> Event:
    """Close a discrepancy with its explanation, signed by two people of whom one is a pharmacist (REGULATION A-17)."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        found = writer.discrepancy(form.discrepancy.strip().upper())
        if found is None:
            raise Refused(Fault("discrepancy", f"There is no discrepancy {form.discrepancy}."))
        if found.status != "open":
            raise Refused(
                Fault("discrepancy", f"Discrepancy {found.number} was explained and signed by {found.closed_by}.")
            )
        explanation = reading.text(form.explanation, "explanation", "The explanation", longest=1000)
        outcome = reading.choice(form.outcome, "outcome", "The outcome", OUTCOMES)
        evidence: dict[str, object] = {}
        if outcome == MISSING_RECORDED and reading.was_read("outcome"):
            losses = _explained_by_losses(reading, writer, found)
            evidence = {"losses": [{"unit_number": unit, "entry": entry} for unit, entry in losses]}
        elif outcome == RECORD_CORRECTED and reading.was_read("outcome"):
            entries = _corrections_of(writer, found)
            evidence = {"corrections": entries}
            if not entries:
                reading.fault(
                    "outcome",
                    "No correction recorded since then touches these vials. Correct the entry that is wrong first, then"
                    " explain the discrepancy by it; or choose another outcome.",
                    "R55",
                    "8.2",
                )
        _two_people(reading, moment)
        if not any(Role.PHARMACIST in signer.roles for signer in moment.signers):
            reading.fault("witness_user_name", "One of the two who sign is a pharmacist.")
        reading.done()
        content = {"discrepancy": found.number, "outcome": outcome, "explanation": explanation, **evidence}
        return Draft(content, why=explanation)

    return perform(
        desk,
        act,
        "discrepancy_explained",
        form,
        build,
        (Signing(own, "explained"), Signing(second, "looked into it and agrees", "witness_password")),
    )


@dataclass(frozen=True, slots=True)
class _Short:
    """What a discrepancy is short of: vials or containers of one strength and lot; by number where it is known which.

    ``kind`` is '' where no count says of which kind they are.
    """

    kind: str
    strength_mg: Decimal
    lot: str
    units: tuple[str, ...]
    count: int

    def words(self, left: int) -> str:
        """What of it is not explained, in words."""
        return f"{left} of {show(self.strength_mg)} mg, lot {self.lot}"


def _short_of(reader: Reader, found: views.Discrepancy) -> list[_Short]:
    """What is missing by a discrepancy; a count by number cannot say which vial it was."""
    count = reader.stock_count(found.count_number) if found.count_number else None
    if count is None:
        return [_Short("", each.strength_mg, each.lot, each.units, len(each.units)) for each in found.concerns]
    by_scan = count.method == "scan"
    short = (
        _Short(
            line.kind,
            line.strength_mg,
            line.lot,
            line.missing,
            len(line.missing) if by_scan else max(0, -line.difference),
        )
        for line in count.lines
    )
    return [each for each in short if each.count]


_Loss = tuple[str, int]
"""A vial and the entry by which it was recorded missing: one that was found again may be missing once more."""


def _losses(reader: Reader, found: views.Discrepancy) -> dict[_Loss, tuple[str, Decimal, str]]:
    """What was recorded missing since a discrepancy came up and stands: as what kind, strength and lot it was lost.

    One that was noticed without a count may have been recorded missing before.
    """
    after = found.event_seq if found.count_number else 0
    before = reader.head().seq + 1 if found.closed_seq is None else found.closed_seq
    events = reader.events_between(("vials_missing",), after, before)
    undone = reader.corrections([event.seq for event in events])
    return {
        (moved["unit_number"], event.seq): (
            kind_of(moved["from_state"]),
            Decimal(moved["strength_mg"]),
            moved["lot"],
        )
        for event in reversed(events)
        if event.seq not in undone
        for moved in event.content["moves"]
    }


def _covering(
    short: Sequence[_Short], losses: dict[_Loss, tuple[str, Decimal, str]], taken: set[_Loss]
) -> tuple[list[_Loss], list[str]]:
    """The recorded losses that explain what is short, each once, and in words what none of them explains."""
    used: list[_Loss] = []
    left = []
    for each in short:
        fits = [
            loss
            for loss, (kind, strength_mg, lot) in losses.items()
            if loss not in taken
            and loss not in used
            and (loss[0] in each.units if each.units else (kind, strength_mg, lot) == (each.kind, *_label(each)))
        ]
        of_unit = {unit: (unit, entry) for unit, entry in fits}
        chosen = list(of_unit.values())[: each.count]
        used += chosen
        if each.units:
            lost = {unit for unit, _ in chosen}
            left += [unit for unit in each.units if unit not in lost]
        elif len(chosen) < each.count:
            left.append(each.words(each.count - len(chosen)))
    return used, left


def _label(short: _Short) -> tuple[Decimal, str]:
    return short.strength_mg, short.lot


def explained_losses(reader: Reader) -> set[_Loss]:
    """The losses that discrepancies closed as such explain: each vial with the entry that recorded it missing."""
    covered: set[_Loss] = set()
    for other in reader.discrepancies(status="closed"):
        if other.outcome != MISSING_RECORDED or other.closed_seq is None:
            continue
        event = reader.event(other.closed_seq)
        said = event.content.get("losses") if event is not None else None
        if said is None:
            # Closed before the explanation named them: what was recorded until then.
            used, _ = _covering(_short_of(reader, other), _losses(reader, other), covered)
            covered.update(used)
        else:
            covered.update((each["unit_number"], each["entry"]) for each in said)
    return covered


def _explained_by_losses(reading: Reading, reader: Reader, found: views.Discrepancy) -> list[_Loss]:
    """The recorded losses that explain a discrepancy; a fault where there are not as many as are missing."""
    short = _short_of(reader, found)
    if not short:
        reading.fault("outcome", "Nothing is missing in this discrepancy. Choose the outcome that it had.")
        return []
    used, left = _covering(short, _losses(reader, found), explained_losses(reader))
    if left:
        since = "since the count" if found.count_number else "for it"
        named = f"{', '.join(left[:NAMED])}{f' and {len(left) - NAMED} more' if len(left) > NAMED else ''}"
        reading.fault(
            "outcome",
            f"Still unexplained: {named}. Recorded missing {since}: {len(used)} of {sum(each.count for each in short)};"
            " a vial that explains another discrepancy does not count here. Record them under Vials, “Missing”, first;"
            " if some were there after all, choose another outcome and say which.",
            "R55",
            "8.2",
        )
    return used


def _corrections_of(reader: Reader, found: views.Discrepancy) -> list[int]:
    """The corrections made since a discrepancy came up that touch what it is about."""
    units = {unit for concern in found.concerns for unit in concern.units}
    labels = {(concern.strength_mg, concern.lot) for concern in found.concerns}
    entries = []
    for line in reader.every_correction():
        event = reader.event(line.event_seq) if line.event_seq > found.event_seq else None
        if event is None:
            continue
        moves = event.content.get("moves", ())
        touched = {moved["unit_number"] for moved in moves}
        stood = {
            (Decimal(moved[f"{to}strength_mg"]), moved[f"{to}lot"])
            for moved in moves
            for to in ("", "to_")
            if f"{to}lot" in moved and found.place in ("", moved["place"], moved.get("to_place"))
        }
        # A code that was no vial of the record may have been a kit number typed wrong.
        if touched & units or stood & labels or (not found.concerns and event.content.get("kits")):
            entries.append(line.event_seq)
    return entries


# --- when to count again ---------------------------------------------------------------------------------------


def count_dues(desk: Desk, reader: Reader) -> tuple[views.CountDue, ...]:
    """For each place with unopened vials: when it was last counted, and when it is due, counted from its first vial on.

    A place of which only one strength was counted is as old as its other strength's last count.
    """
    site, today = site_of(reader), today_of(desk, reader)
    zone = zone_of(site)
    there: dict[str, set[Decimal]] = {}
    for line in reader.stock():
        if kind_of(line.state) == VIALS:
            there.setdefault(line.place, set()).add(line.strength_mg)
    counts = reader.last_counts()
    dues = []
    for place in sorted(there):
        covering = []
        for strength_mg in there[place]:
            of_it = [each for each in counts if each.place == place and each.strength_mg in (None, strength_mg)]
            covering.append(max(of_it, key=lambda each: each.counted_at, default=None))
        whole = [each for each in covering if each is not None]
        oldest = min(whole, key=lambda each: each.counted_at) if len(whole) == len(covering) else None
        first = reader.first_move_at(place)
        began = (oldest.counted_at if oldest else first or desk.clock()).astimezone(zone).date()
        due_on = next_due(began)
        dues.append(
            views.CountDue(
                place,
                began if oldest else None,
                oldest.number if oldest else "",
                due_on,
                due_on <= today + timedelta(days=COUNT_AHEAD_DAYS),
                due_on < today,
            )
        )
    return tuple(dues)


# --- the record on paper ---------------------------------------------------------------------------------------


def print_count(desk: Desk, act: Act, number: str) -> Printed:
    """The record of a count with the columns of REGULATION 6.6; anyone signed in may print it."""
    tidy = number.strip().upper()

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        count = reader.stock_count(tidy)
        event = reader.event(count.event_seq) if count else None
        if count is None or event is None:
            raise Refused(Fault("number", f"There is no count {tidy or 'without a number'}."))
        counted_at = count.counted_at.astimezone(zone_of(moment.site))
        discrepancy = reader.discrepancy(count.discrepancy) if count.discrepancy else None
        closed = reader.event(discrepancy.closed_seq) if discrepancy and discrepancy.closed_seq else None
        return desk.papers.count_record(
            CountRecord(
                stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now),
                count_number=count.number,
                copy_number=copy_number,
                product=protocol_of(moment.site, counted_at.date()).study.drug,
                place=count.place,
                strength_mg=count.strength_mg,
                kinds=count.kinds,
                method=count.method,
                counted_at=counted_at,
                counted_by=count.counted_by,
                verified_by=count.verified_by,
                rows=tuple(
                    CountRow(
                        line.strength_mg,
                        line.lot,
                        line.kind,
                        line.expected,
                        line.counted,
                        line.difference,
                        _explained(line, discrepancy),
                    )
                    for line in count.lines
                ),
                missing=tuple(unit for line in count.lines for unit in line.missing),
                strays=tuple(stray.sentence for stray in count.strays),
                unknown=count.unknown,
                discrepancy=count.discrepancy,
                outcome=discrepancy.outcome if discrepancy else "",
                explanation=discrepancy.explanation if discrepancy else "",
                note=count.note,
                signatures=(*signatures_of(reader, event), *(signatures_of(reader, closed) if closed else ())),
            )
        )

    return print_record(desk, act, "count record", tidy, make)


def _explained(line: CountLine, discrepancy: views.Discrepancy | None) -> str:
    """The cell of the record that explains a line."""
    if line.agrees or discrepancy is None:
        return "agrees"
    if discrepancy.status == "open":
        return f"{discrepancy.number}, open"
    return f"{discrepancy.number}: {discrepancy.outcome}. {discrepancy.explanation}"
