"""Storage deviations (§ 8.2; RULES R54): quarantine at once, report to the supporter, release only by its document.

A deviation is found in a logger's file, typed by hand, or is a logger that failed or was missing. Recording it names
every vial that lay at the place while it lasted and takes those still unopened out of use in the same act.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from typing import Any, TypeVar

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.logger_files import UNITS, Answers, LoggerFile, Recognised, read_logger_file
from pharmacy_app.domain.schedule import place_words
from pharmacy_app.domain.temperatures import (
    Limits,
    LoggerReading,
    Span,
    SpanKind,
    celsius_of_fahrenheit,
    examine,
    say_celsius,
    say_span,
    trace,
)
from pharmacy_app.domain.units import parse_decimal
from pharmacy_app.domain.vials import NEVER_RECEIVED, UNOPENED, looks_like_ours, move, move_table, numbered
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
from pharmacy_app.services.disposition import PERMISSION_KIND
from pharmacy_app.services.documents import LOGGER_FILE, USE
from pharmacy_app.services.exposures import BY_DEVIATION, MAY_BE_USED, MUST_NOT_BE_USED, still_lasts
from pharmacy_app.services.file_content import MAX_DOCUMENT_BYTES, read_media_type
from pharmacy_app.services.permissions import (
    NAMED_AT_MOST,
    cannot_know,
    cannot_know_words,
    older_than_refusal,
    permits,
    purpose_words,
    refusal_words,
)
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.questions import OPEN
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.stock import check_order, one_strength
from pharmacy_app.services.treatment import calendar

T = TypeVar("T")

FROM_FILE, BY_HAND = "logger file", "by hand"
SOURCES = (FROM_FILE, BY_HAND, "logger failed", "logger missing")
"""Where a deviation's temperatures come from; a logger that failed or is missing is itself a deviation."""

HOW_TOLD = ("telephone", "e-mail", "portal", "letter", "in person")
"""How the supporter may be told."""

DECISIONS = (MAY_BE_USED, MUST_NOT_BE_USED)
"""What the supporter can decide of a vial."""

DECISION_KINDS = (PERMISSION_KIND, "letter")
"""Documents that can carry the supporter's decision; only a permission lets a vial be used."""

AT_RISK_DAYS = 14
"""How many days ahead planned doses are named that the quarantined vials may be lacking for."""

MAX_SPANS = 400
"""More spans than this in one file are refused: such a record is exported and judged in parts."""

MAX_GAP_MIN = 1440


@dataclass(frozen=True, slots=True)
class DeviationForm:
    """A storage deviation as typed.

    With a file, ``longest_gap_min`` is the longest time between two readings that is no gap, and ``answers`` says what
    the file leaves open. Otherwise ``started_at`` and ``ended_at`` ('' while it lasts) are typed, by hand with the
    extremes in ``answers.unit``.
    """

    place: str
    source: str
    logger_serial: str
    calibration_due: str
    discovered_at: str
    discovered_by: str
    done: str
    longest_gap_min: str = ""
    started_at: str = ""
    ended_at: str = ""
    min_temperature: str = ""
    max_temperature: str = ""
    file_name: str = ""
    answers: Answers = field(default_factory=Answers)


@dataclass(frozen=True, slots=True)
class Preview:
    """What recording would write: how the file was read, what is wrong, and the vials that lay there.

    ``recognised`` is ``None`` without a file; ``readings`` counts them and ``trace`` draws them.
    """

    recognised: Recognised | None
    serial: str
    limits: Limits
    readings: int
    started_at: datetime
    ended_at: datetime
    min_celsius: Decimal | None
    max_celsius: Decimal | None
    spans: tuple[Span, ...]
    trace: tuple[LoggerReading, ...]
    vials: tuple[views.VialAt, ...] = ()
    usual_gap: timedelta | None = None

    @property
    def is_deviation(self) -> bool:
        """Whether anything of it is a deviation."""
        return bool(self.spans)


def limits_of(site: views.Site, on: date) -> Limits:
    """The storage temperatures of the protocol in force on a day (§ 8.2)."""
    storage = protocol_of(site, on).storage
    return Limits(storage.min_celsius, storage.max_celsius)


def places_of(reader: Reader) -> tuple[str, ...]:
    """The places where vials are or were kept: what is closed now may have been too warm then."""
    return tuple(place.name for place in reader.places())


def preview(desk: Desk, reader: Reader, form: DeviationForm, content: bytes = b"") -> Preview:
    """Read the file or the typed temperatures and say what they are, before anything is recorded.

    Raises ``Refused`` for what cannot be read or is left open. Readings that are all inside are no fault here.
    """
    site = site_of(reader)
    now = desk.clock().astimezone(zone_of(site))
    reading = Reading()
    found = _measured(reading, site, now, form, lambda: _from_file(site, now, form, content))
    reading.choice(form.place, "place", "The place", places_of(reader))
    reading.done()
    return _with_vials(reader, found, form.place, now)


def record_deviation(desk: Desk, act: Act, form: DeviationForm, content: bytes = b"") -> Event:
    """Record a storage deviation, keep its file, and quarantine the unopened vials that lay there, in one act."""
    name = sha256(content).hexdigest() if content else ""
    # Read before the act begins: a large file keeps nobody else waiting.
    with desk.store.read() as reader:
        site = site_of(reader)
    begun = desk.clock().astimezone(zone_of(site))
    of_file = _early(lambda: _from_file(site, begun, form, content)) if form.source == FROM_FILE else None
    type_of_file = _early(lambda: _media_type(content, form.file_name))

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        place = reading.choice(form.place, "place", "The place", places_of(writer))
        serial = _serial(reading, form)
        due = (
            reading.day(form.calibration_due, "calibration_due", future=True) if form.calibration_due.strip() else None
        )
        if due is None and form.source in (FROM_FILE, "logger failed"):
            reading.fault("calibration_due", "The day on which the logger's calibration is due is missing. Type it.")
        zone = zone_of(moment.site)
        discovered_at = reading.moment(form.discovered_at, "discovered_at", zone, moment.now)
        if discovered_at > moment.now:
            reading.fault("discovered_at", f"{say_moment(discovered_at)} is in the future.")
        discovered_by = reading.text(form.discovered_by, "discovered_by", "Who discovered it", longest=60)
        done = reading.text(form.done, "done", "What was done at once", longest=1000)
        found = _measured(reading, moment.site, moment.now, form, of_file)
        if not found.spans and reading.was_read("file", "min_temperature", "max_temperature"):
            reading.fault(
                "file" if form.source == FROM_FILE else "max_temperature",
                "Nothing of this is a deviation: every temperature is inside"
                f" {say_celsius(found.limits.low_celsius)} to {say_celsius(found.limits.high_celsius)} and no gap is"
                " too long. Nothing needs to be recorded here.",
                "R54",
                "8.2",
            )
        if reading.was_read("started_at", "file") and found.started_at > discovered_at:
            reading.fault("discovered_at", "It cannot have been discovered before it began. Check both times.")
        media_type = ""
        if form.source == FROM_FILE and content and reading.was_read("file"):
            media_type = reading.take(type_of_file, "")
            for line in writer.deviations():
                if line.file_sha256 == name and line.place == place:
                    reading.fault("file", f"This very file was recorded for {place} as {line.deviation_id} already.")
        reading.done()
        deviation_id = numbered("X", writer.counter("deviation") + 1)
        found = _with_vials(writer, found, place, moment.now)
        document = None
        if media_type:
            document = {
                "document_id": numbered("F", writer.counter("document") + 1),
                "title": f"Temperatures of {place}, logger {serial}",
                "kind": LOGGER_FILE,
                "about": deviation_id,
                "signed_by": "",
                "dated_on": found.ended_at.date(),
                "file_name": _file_name(form.file_name),
                "media_type": media_type,
                "size_bytes": len(content),
                "sha256": writer.put_paper(content),
            }
        return Draft(
            {
                "deviation_id": deviation_id,
                "place": place,
                "source": form.source,
                "logger_serial": serial,
                "calibration_due": due,
                "file_sha256": name if document else "",
                "document": document,
                "recognised": found.recognised,
                "answers": form.answers,
                "longest_gap_min": form.longest_gap_min.strip() if form.source == FROM_FILE else "",
                "limits": found.limits,
                "readings": found.readings,
                "started_at": found.started_at,
                "ended_at": found.ended_at,
                "min_celsius": found.min_celsius,
                "max_celsius": found.max_celsius,
                "spans": found.spans,
                "trace": found.trace,
                "discovered_at": discovered_at,
                "discovered_by": discovered_by,
                "done": done,
                **_exposed(writer, moment, deviation_id, place, found.vials),
            },
            why=done,
        )

    return perform(desk, act, "deviation_recorded", {"form": form, "sha256": name}, build)


def _serial(reading: Reading, form: DeviationForm) -> str:
    reading.choice(form.source, "source", "Where the temperatures come from", SOURCES)
    serial = " ".join(form.logger_serial.split())
    if form.source == "logger missing":
        return serial or "N/A"
    return reading.text(form.logger_serial, "logger_serial", "The serial number of logger or thermometer", longest=40)


def _media_type(content: bytes, file_name: str) -> str:
    try:
        return read_media_type(content, file_name, loose_table=True)
    except Refused as refused:
        raise Refused(*(Fault("file", fault.sentence) for fault in refused.faults)) from None


def _file_name(typed: str) -> str:
    return re.split(r"[/\\]", typed)[-1][:200]


def _exposed(
    writer: Writer, moment: Moment, deviation_id: str, place: str, vials: Sequence[views.VialAt]
) -> dict[str, Any]:
    """What an event says of exposed vials: each by itself, and the quarantine of those still unopened."""
    may = move_table().moves["quarantine"].from_states
    units = [at.vial.unit_number for at in vials if at.vial.state in may]
    check_order(writer, units, utc_text(moment.now))
    reason = f"{BY_DEVIATION}{deviation_id} at {place}"
    return {
        "vials": [
            {
                "unit_number": at.vial.unit_number,
                "kit_number": at.vial.kit_number,
                "strength_mg": at.vial.strength_mg,
                "lot": at.vial.lot,
                "expires_on": at.vial.expires_on,
                "state_then": at.state_then,
                "state_found": at.vial.state,
                "dose_id": at.vial.dose_id,
                "quarantined": at.vial.state in may,
                # Why it was kept back already: the supporter's word on the deviation does not answer for that.
                "held_before": at.vial.hold_reason if at.vial.state in may else "",
            }
            for at in vials
        ],
        "moves": [move(at.vial, "quarantine") for at in vials if at.vial.state in may],
        "reason": reason,
        "line": {"reference": deviation_id, "comment": reason},
    }


# --- what was measured ------------------------------------------------------------------------------------------


def _early(read: Callable[[], T]) -> Callable[[], T]:
    """Do it now; the answer, or the refusal, is given when it is asked for."""
    try:
        answer = read()
    except Refused as refused:
        trouble = refused

        def refuse() -> T:
            raise trouble

        return refuse
    return lambda: answer


def _measured(
    reading: Reading,
    site: views.Site,
    now: datetime,
    form: DeviationForm,
    of_file: Callable[[], Preview] | None,
) -> Preview:
    """What file or typing say; where they cannot be read the faults are kept and a stand-in is returned."""
    low = limits_of(site, now.date())
    stand_in = Preview(None, "", low, 0, now, now, None, None, (), ())
    if form.source == FROM_FILE and of_file is not None:
        return reading.take(of_file, stand_in)
    return _by_hand(reading, site, now, form, stand_in)


def _from_file(site: views.Site, now: datetime, form: DeviationForm, content: bytes) -> Preview:
    reading = Reading()
    gap_min = reading.count(form.longest_gap_min, "longest_gap_min", "The longest gap", low=1, high=MAX_GAP_MIN)
    if not content:
        reading.fault("file", "Choose the file that was read out of the logger.")
    elif len(content) > MAX_DOCUMENT_BYTES:
        reading.fault("file", f"This file is larger than {MAX_DOCUMENT_BYTES // 1_000_000} MB. Export it in parts.")
    file: LoggerFile | None = None
    if content and reading.was_read("file"):
        file = reading.take(lambda: read_logger_file(content, zone_of(site), form.answers), None)
    reading.done()
    assert file is not None
    first, last = file.readings[0].at, file.readings[-1].at
    if last > now:
        raise Refused(
            Fault(
                "file",
                f"The last reading, of {say_moment(last)}, lies in the future: day and month, or the clock, were read"
                " wrongly, or the logger's clock is wrong.",
            )
        )
    limits = limits_of(site, first.date())
    record = examine(file.readings, limits, timedelta(minutes=gap_min), file.missing)
    if len(record.spans) > MAX_SPANS:
        raise Refused(
            Fault(
                "file",
                f"This file has more than {MAX_SPANS} spans outside the limits or without data. Export it in parts.",
            )
        )
    return Preview(
        file.recognised,
        file.serial,
        limits,
        record.readings,
        min(first, *file.missing[:1], first),
        max(last, *file.missing[-1:], last),
        record.min_celsius,
        record.max_celsius,
        record.spans,
        trace(file.readings),
        usual_gap=usual_gap(file.readings),
    )


def usual_gap(readings: Sequence[LoggerReading]) -> timedelta | None:
    """The middle one of the times between two readings; ``None`` for a single reading."""
    gaps = sorted(later.at - earlier.at for earlier, later in pairwise(readings))
    return gaps[len(gaps) // 2] if gaps else None


def _by_hand(reading: Reading, site: views.Site, now: datetime, form: DeviationForm, stand_in: Preview) -> Preview:
    zone = zone_of(site)
    start = reading.moment(form.started_at, "started_at", zone, now)
    ended = bool(form.ended_at.strip())
    end = reading.moment(form.ended_at, "ended_at", zone, now) if ended else now
    if reading.was_read("started_at", "ended_at"):
        if end > now:
            reading.fault("ended_at", f"{say_moment(end)} is in the future. Leave it empty while it lasts.")
        if start > now:
            reading.fault("started_at", f"{say_moment(start)} is in the future.")
        elif end <= start:
            reading.fault("ended_at", "The end must come after the start. Check both times.")
    limits = limits_of(site, start.date()) if reading.was_read("started_at") else stand_in.limits
    if form.source != BY_HAND:
        span = Span(SpanKind.NO_DATA, start, start, end, ended)
        return Preview(None, "", limits, 0, start, end, None, None, (span,), ())
    if form.answers.unit not in UNITS:
        reading.fault("unit", "Choose whether the temperatures are in °C or in °F.")
    low, high = (
        reading.take(lambda: read_celsius(typed, name, what, form.answers.unit), Decimal(5))  # noqa: B023 - called at once
        for typed, name, what in (
            (form.min_temperature, "min_temperature", "The lowest temperature"),
            (form.max_temperature, "max_temperature", "The highest temperature"),
        )
    )
    if low > high and reading.was_read("min_temperature", "max_temperature"):
        reading.fault("min_temperature", "The lowest temperature is above the highest. Check both.")
    spans = []
    if low < limits.low_celsius:
        spans.append(Span(SpanKind.BELOW, start, start, end, ended, min_celsius=low))
    if high > limits.high_celsius:
        spans.append(Span(SpanKind.ABOVE, start, start, end, ended, max_celsius=high))
    return Preview(None, "", limits, 0, start, end, low, high, tuple(spans), ())


def read_celsius(typed: str, at_field: str, name: str, unit: str) -> Decimal:
    """A typed temperature in °C, a minus sign in front allowed; ``unit`` is 'C' or 'F'. Raises ``Refused``."""
    text = typed.strip()
    minus = text[:1] in ("-", "−", "–") and text[1:].strip() != ""
    value = parse_decimal(
        text[1:] if minus else text,
        field=at_field,
        name=name,
        unit=UNITS.get(unit, ""),
        zero_allowed=True,
        example="47.3" if unit == "F" else "8.5",
    )
    celsius = celsius_of_fahrenheit(-value if minus else value) if unit == "F" else (-value if minus else value)
    if not -100 <= celsius <= 100:
        raise Refused(Fault(at_field, f"{name} of {say_celsius(celsius)} is not possible. Check number and unit."))
    return celsius


def _with_vials(reader: Reader, found: Preview, place: str, now: datetime) -> Preview:
    return replace(found, vials=exposed_vials(reader, place, found.spans, now))


def exposed_vials(reader: Reader, place: str, spans: Sequence[Span], now: datetime) -> tuple[views.VialAt, ...]:
    """The unopened vials that lay at a place at any time of the spans, by the lines of the ledger.

    A span that had not ended when its record did is taken to last until now: nobody knows better.
    """
    windows: list[tuple[datetime, datetime]] = []
    for since, until in sorted((span.since, span.end if span.ended else now) for span in spans):
        if windows and since <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(until, windows[-1][1]))
        else:
            windows.append((since, until))
    found = {
        at.vial.unit_number: at
        for since, until in windows
        for at in reader.vials_at(place, utc_text(since), utc_text(until))
    }
    return tuple(found[number] for number in sorted(found))


# --- what follows -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReportForm:
    """The supporter was told: whom, how, when, and which data were sent with it."""

    deviation_id: str
    name: str
    how: str
    told_at: str
    data_sent: str


def report_deviation(desk: Desk, act: Act, form: ReportForm) -> Event:
    """Record that the supporter was told of a deviation (§ 8.2)."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        line = _open(writer, form.deviation_id)
        name = reading.text(form.name, "name", "Who was told", longest=80)
        how = reading.choice(form.how, "how", "How the supporter was told", HOW_TOLD)
        told_at = reading.moment(form.told_at, "told_at", zone_of(moment.site), moment.now)
        if told_at > moment.now:
            reading.fault("told_at", f"{say_moment(told_at)} is in the future.")
        if told_at.replace(second=59) < line.discovered_at:
            reading.fault("told_at", "It was discovered after that. Check the time.")
        data_sent = reading.text(form.data_sent, "data_sent", "What was sent", longest=300)
        reading.done()
        content = {"deviation_id": line.deviation_id, "name": name, "how": how, "told_at": told_at}
        return Draft({**content, "data_sent": data_sent})

    return perform(desk, act, "deviation_reported", form, build)


@dataclass(frozen=True, slots=True)
class UpdateForm:
    """Cause and action of a deviation as they are known now; they replace what was written before.

    ``ended_at`` is when one ended that lasted when it was recorded, '' while it lasts.
    """

    deviation_id: str
    cause: str
    action: str
    ended_at: str = ""


def update_deviation(desk: Desk, act: Act, form: UpdateForm) -> Event:
    """Record cause, action and end, and look again for exposed vials: late entries and corrections may have added some.

    What is found anew is named by the deviation and quarantined in the same act. While a deviation lasts its place is
    shut; the end opens it again (§ 8.2; REGULATION A-29).
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        line = _open(writer, form.deviation_id)
        ended = _ended(reading, line, form.ended_at, moment)
        cause = reading.note(form.cause, "cause", "The cause", longest=1000)
        action = reading.note(form.action, "action", "The action", longest=1000)
        new = _unlisted(writer, line, moment.now, ended.get("spans"))
        if (cause, action) == (line.cause, line.action) and not new and not form.ended_at.strip():
            reading.fault("cause", "Nothing has changed. Type the cause or the action.")
        reading.done()
        content = {"deviation_id": line.deviation_id, "cause": cause, "action": action, **ended}
        return Draft({**content, **_exposed(writer, moment, line.deviation_id, line.place, new)})

    return perform(desk, act, "deviation_updated", form, build)


def _ended(reading: Reading, line: views.DeviationLine, typed: str, moment: Moment) -> dict[str, Any]:
    """The end of a deviation that lasted when it was recorded, and its spans with it; nothing where none is typed."""
    if not typed.strip():
        return {}
    if not still_lasts(line):
        reading.fault("ended_at", f"The end of {line.deviation_id} is on record. Leave this empty.")
        return {}
    zone = zone_of(moment.site)
    end = reading.moment(typed, "ended_at", zone, moment.now)
    lasting = [span for span in spans_of(line) if not span.ended]
    # The readings of a file say that it lasted until the last of them; what is typed by hand only when it began.
    measured = line.source == FROM_FILE
    earliest = max(span.end if measured else span.start for span in lasting)
    if end > moment.now:
        reading.fault("ended_at", f"{say_moment(end)} is in the future. Leave it empty while it lasts.")
    elif end < earliest or (end == earliest and not measured):
        reading.fault(
            "ended_at",
            f"It cannot have ended on {say_moment(end)}: it still lasted on {say_moment(earliest.astimezone(zone))}.",
        )
    spans = tuple(span if span.ended else replace(span, end=end, ended=True) for span in spans_of(line))
    return {"ended_at": end, "spans": spans}


def _unlisted(
    reader: Reader, line: views.DeviationLine, now: datetime, spans: Sequence[Span] | None = None
) -> tuple[views.VialAt, ...]:
    """Vials that lay there by the ledger as it is known now, and that the deviation does not name."""
    listed = {vial.unit_number for vial in reader.deviation_vials(line.deviation_id)}
    found = exposed_vials(reader, line.place, spans or spans_of(line), now)
    return tuple(at for at in found if at.vial.unit_number not in listed)


@dataclass(frozen=True, slots=True)
class DecisionForm:
    """What the supporter decided of exposed vials: single ones, or all of a lot (``lot``), by which document.

    ``strength_mg`` is asked for where both strengths have a lot of that name.
    """

    deviation_id: str
    unit_numbers: tuple[str, ...]
    decision: str
    document: str
    lot: str = ""
    note: str = ""
    strength_mg: str = ""


def decide_deviation(desk: Desk, act: Act, form: DecisionForm) -> Event:
    """Record the supporter's written decision on exposed vials. It moves none: a release and a return are acts."""

    def build(writer: Writer, _moment: Moment) -> Draft:
        reading = Reading()
        line = _open(writer, form.deviation_id)
        decision = reading.choice(form.decision, "decision", "The decision", DECISIONS)
        document = _document(reading, writer, form, line)
        number_of_document = document.document_id if document is not None else ""
        note = reading.note(form.note, "note", "The note", longest=500)
        named = {vial.unit_number: vial for vial in writer.deviation_vials(line.deviation_id)}
        lot = form.lot.strip().upper()
        of_lot = {number: vial.strength_mg for number, vial in named.items() if lot and vial.lot == lot}
        units = list(dict.fromkeys((*form.unit_numbers, *one_strength(reading, lot, of_lot, form.strength_mg))))
        if lot and not any(vial.lot == lot for vial in named.values()):
            reading.fault("lot", f"No vial of lot {lot} is part of {line.deviation_id}.")
        elif not units:
            reading.fault("unit_numbers", "No vial is chosen. Choose single ones, or a lot.")
        for number in units:
            if number not in named:
                reading.fault("unit_numbers", f"Vial {number} is not part of {line.deviation_id}.")
        if document is not None and decision == MAY_BE_USED:
            _may_permit(reading, writer, document, [number for number in units if number in named], line)
        reading.done()
        return Draft(
            {
                "deviation_id": line.deviation_id,
                "note": note,
                "decided": [
                    {
                        "deviation_id": line.deviation_id,
                        "unit_number": number,
                        "decision": decision,
                        "document_id": number_of_document,
                    }
                    for number in units
                ],
            },
            why=note,
        )

    return perform(desk, act, "deviation_decided", form, build)


def _may_permit(
    reading: Reading, reader: Reader, document: views.DocumentLine, units: Sequence[str], line: views.DeviationLine
) -> None:
    """Refuse a permission from before the deviation was known, or older than the supporter's refusal."""
    if not permits(document, USE):
        reading.fault("document", purpose_words(document, USE), "R54", "8.2")
    vials = [vial for vial in (reader.vial(number) for number in units) if vial is not None]
    for moved in cannot_know(reader, document, vials, line.deviation_id)[:NAMED_AT_MOST]:
        reading.fault("document", cannot_know_words(reader, document, moved), "R54", "8.2")
    for exposure, by in older_than_refusal(reader, document, units)[:NAMED_AT_MOST]:
        reading.fault("document", refusal_words(document, exposure, by), "R54", "8.2")


def _document(
    reading: Reading, reader: Reader, form: DecisionForm, line: views.DeviationLine
) -> views.DocumentLine | None:
    """The document by which is decided; every fault of it is kept in ``reading``."""
    number = form.document.strip().upper()
    document = reader.document(number) if number else None
    kinds = (PERMISSION_KIND,) if form.decision == MAY_BE_USED else DECISION_KINDS
    if document is None:
        said = f"No document {number} is attached." if number else "Attach the supporter's document, then choose it."
        reading.fault("document", said, "R54", "8.2")
    elif document.kind not in kinds:
        reading.fault(
            "document",
            f"Document {number} is a {document.kind}; this decision takes a {' or a '.join(kinds)}.",
            "R54",
            "8.2",
        )
    elif looks_like_ours(document.about, "X") and document.about != line.deviation_id:
        reading.fault("document", f"Document {number} is about {document.about}, not about {line.deviation_id}.")
    elif document.dated_on < (began_on := line.started_at.astimezone(zone_of(site_of(reader))).date()):
        reading.fault(
            "document",
            f"Document {number} is of {say_day(document.dated_on)}, before {line.deviation_id} began on"
            f" {say_day(began_on)}: it cannot decide on it.",
            "R54",
            "8.2",
        )
    else:
        return document
    return None


def close_deviation(desk: Desk, act: Act, deviation_id: str, own: Credentials, note: str = "") -> Event:
    """Close a deviation when nothing of it is open; the pharmacist signs."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        said = reading.note(note, "note", "The note", longest=500)
        record = deviation_record(desk, writer, deviation_id)
        _open(writer, deviation_id)
        for item in record.checklist:
            if not item.done:
                reading.fault("", f"Still open: {item.words}", "R54", "8.2")
        if moment.signers[0].account_id != moment.person.account_id:
            reading.fault("user_name", f"Sign with your own account: {moment.person.printed_name} is signed in here.")
        reading.done()
        return Draft({"deviation_id": record.line.deviation_id, "note": said}, why=said)

    form = {"deviation_id": deviation_id, "note": note}
    return perform(desk, act, "deviation_closed", form, build, (Signing(own, "closed the storage deviation"),))


def _line(reader: Reader, deviation_id: str) -> views.DeviationLine:
    line = reader.deviation(deviation_id.strip().upper())
    if line is None:
        raise Refused(Fault("deviation_id", f"There is no storage deviation {deviation_id.strip()}."))
    return line


def _open(reader: Reader, deviation_id: str) -> views.DeviationLine:
    line = _line(reader, deviation_id)
    if line.status != "open":
        raise Refused(
            Fault("", f"{line.deviation_id} was closed by {line.closed_by}. What comes later is a new record.")
        )
    return line


# --- how it stands ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One thing that a deviation needs before it is closed: its name, whether it is there, and how it stands."""

    name: str
    done: bool
    words: str


@dataclass(frozen=True, slots=True)
class ExposedVial:
    """An exposed vial, its state now, and how its quarantine ended ('' while it lasts)."""

    line: views.DeviationVial
    state: str
    outcome: views.DeviationOutcome | None

    @property
    def was_unopened(self) -> bool:
        """Whether it was still unopened when the deviation was recorded, so that a decision is needed."""
        return self.line.state_found in UNOPENED

    @property
    def was_used(self) -> bool:
        """Whether it had gone into a dose by then: the supporter is told which."""
        return used_by(self.line.state_found, self.line.dose_id)

    @property
    def is_kept_back(self) -> bool:
        """Whether it still lies in quarantine."""
        return self.state in ("quarantined", "held")


@dataclass(frozen=True, slots=True)
class DoseAtRisk:
    """A dose that may lack vials: its number ('' when it is not ordered), subject, day and why, in words."""

    dose_id: str
    subject_number: str
    on: date
    words: str


@dataclass(frozen=True, slots=True)
class DeviationRecord:
    """A storage deviation with everything that is known of it now.

    ``held_for`` is how long vials have been kept back, ``None`` when none is; ``unlisted`` are vials that lay there
    by later entries and are not named yet.
    """

    line: views.DeviationLine
    limits: Limits
    spans: tuple[Span, ...]
    trace: tuple[LoggerReading, ...]
    vials: tuple[ExposedVial, ...]
    told: tuple[views.DeviationTold, ...]
    documents: tuple[views.DocumentLine, ...]
    checklist: tuple[CheckItem, ...]
    held_for: timedelta | None
    at_risk: tuple[DoseAtRisk, ...]
    unlisted: tuple[str, ...]

    @property
    def kept_back(self) -> int:
        """How many of its vials lie in quarantine."""
        return sum(vial.is_kept_back for vial in self.vials)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of what is still open."""
        return tuple(item.name for item in self.checklist if not item.done)


def used_by(state: str, dose_id: str) -> bool:
    """Whether a vial in this state has gone into a dose; one that broke, is missing or left unopened has not."""
    return state in _USED or (state in ("destroyed", "lost") and bool(dose_id))


_USED = ("opened", "empty", "partial", "returned by subject")


def spans_of(line: views.DeviationLine) -> tuple[Span, ...]:
    """The spans of a deviation as they were found."""
    return from_plain(tuple[Span, ...], line.spans)


def trace_of(line: views.DeviationLine) -> tuple[LoggerReading, ...]:
    """The readings that draw a deviation's curve."""
    return from_plain(tuple[LoggerReading, ...], line.trace)


def deviation_records(desk: Desk, reader: Reader) -> tuple[DeviationRecord, ...]:
    """Every storage deviation, the newest first."""
    return tuple(_record(desk, reader, line, full=False) for line in reader.deviations())


def deviation_record(desk: Desk, reader: Reader, deviation_id: str) -> DeviationRecord:
    """One storage deviation; raises ``Refused`` when there is none of that number."""
    return _record(desk, reader, _line(reader, deviation_id), full=True)


def _record(desk: Desk, reader: Reader, line: views.DeviationLine, *, full: bool) -> DeviationRecord:
    site = site_of(reader)
    is_open = line.status == "open"
    outcomes = {outcome.unit_number: outcome for outcome in reader.deviation_outcomes(line.deviation_id)}
    vials = []
    for named in reader.deviation_vials(line.deviation_id):
        vial = reader.vial(named.unit_number)
        assert vial is not None  # A vial that was once received stays in the record.
        kept_back = vial.state in ("quarantined", "held")
        vials.append(ExposedVial(named, vial.state, None if kept_back else outcomes.get(named.unit_number)))
    told = tuple(reader.deviation_told(line.deviation_id))
    unlisted = tuple(at.vial.unit_number for at in _unlisted(reader, line, desk.clock())) if is_open else ()
    kept_back_any = any(vial.is_kept_back for vial in vials)
    return DeviationRecord(
        line=line,
        limits=limits_of(site, line.started_at.astimezone(zone_of(site)).date()),
        spans=spans_of(line),
        trace=trace_of(line) if full else (),
        vials=tuple(vials),
        told=told,
        documents=tuple(reader.documents(about=line.deviation_id)),
        checklist=tuple(_checklist(line, vials, told, unlisted)),
        held_for=desk.clock() - line.recorded_at if kept_back_any and is_open else None,
        at_risk=tuple(_at_risk(desk, reader, vials)) if full and is_open and kept_back_any else (),
        unlisted=unlisted,
    )


def _checklist(
    line: views.DeviationLine,
    vials: Sequence[ExposedVial],
    told: Sequence[views.DeviationTold],
    unlisted: Sequence[str],
) -> Iterator[CheckItem]:
    if still_lasts(line):
        yield CheckItem("end", False, "no end is recorded: its place is shut meanwhile. Record when it ended.")
    # Of a vial that never came nothing is decided.
    unopened = [vial for vial in vials if vial.was_unopened and vial.state != NEVER_RECEIVED]
    used = [vial for vial in vials if vial.was_used]
    if unlisted:
        yield CheckItem(
            "quarantine",
            False,
            f"later entries say that {_count(len(unlisted))} more lay there ({', '.join(unlisted[:6])}). Look again:"
            " they are quarantined with it.",
        )
    else:
        count = sum(vial.line.quarantined for vial in unopened)
        words = f"{_count(count)} quarantined at once." if count else "no unopened vial had to be quarantined."
        yield CheckItem("quarantine", True, words)
    last = told[-1] if told else None
    unheard = [vial.line.unit_number for vial in vials if last is not None and vial.line.event_seq > last.event_seq]
    used_words = f" Exposed and used since: {_count(len(used))}; the report names them." if used else ""
    if last is None:
        report = f"the supporter has not been told yet. Print the report, send it, and record it here.{used_words}"
    else:
        report = f"{last.name} was told by {last.how} on {say_moment(last.told_at)}.{used_words}"
    if unheard:
        report += (
            f" {_count(len(unheard))} came to light since ({', '.join(unheard[:6])}): print the report again, send it,"
            " and record it here."
        )
    yield CheckItem("report", last is not None and not unheard, report)
    undecided = [vial for vial in unopened if not vial.line.decision and vial.outcome is None]
    documents = ", ".join(sorted({vial.line.document_id for vial in vials if vial.line.document_id}))
    yield CheckItem(
        "decision",
        not undecided,
        f"the supporter's written decision on {_count(len(undecided))} is missing."
        if undecided
        else (f"decided by {documents}." if documents else "no vial waits for a decision."),
    )
    kept = [vial for vial in unopened if vial.is_kept_back]
    yield CheckItem(
        "release or return",
        not kept,
        f"{_count(len(kept))} still in quarantine. Release those that may be used, return the others."
        if kept
        else "no vial is kept back any more.",
    )
    for name, words in (("cause", line.cause), ("action", line.action)):
        yield CheckItem(name, bool(words), " ".join(words.split()) or f"the {name} is not written down yet.")


def _count(number: int) -> str:
    return "1 vial" if number == 1 else f"{number:,} vials"


def _at_risk(desk: Desk, reader: Reader, vials: Sequence[ExposedVial]) -> Iterator[DoseAtRisk]:
    """Doses that lost their reserved vials, then those of the next days, by day."""
    today = today_of(desk, reader)
    until = today + timedelta(days=AT_RISK_DAYS)
    lost: dict[str, list[str]] = {}
    for vial in vials:
        if vial.line.state_found == "reserved" and vial.line.dose_id:
            lost.setdefault(vial.line.dose_id, []).append(vial.line.unit_number)
    under_way = {dose.dose_id: dose for dose in reader.doses(statuses=OPEN)}
    for dose_id, units in lost.items():
        dose = under_way.get(dose_id)
        if dose is not None:
            yield DoseAtRisk(
                dose_id,
                dose.subject_number,
                dose.planned_on,
                f"Dose {dose_id} of subject {dose.subject_number}, {say_day(dose.planned_on)}, lost its reserved"
                f" {'vial' if len(units) == 1 else 'vials'} {', '.join(units)}: plan it anew.",
            )
    planned = [dose for dose in under_way.values() if dose.dose_id not in lost and dose.planned_on <= until]
    for dose in sorted(planned, key=lambda dose: (dose.planned_on, dose.dose_id)):
        if dose.status in ("ordered", "stopped", "decided"):
            yield DoseAtRisk(
                dose.dose_id,
                dose.subject_number,
                dose.planned_on,
                f"Dose {dose.dose_id} of subject {dose.subject_number}, {say_day(dose.planned_on)}, has no vials yet.",
            )
    busy = {dose.subject_number for dose in under_way.values()}
    for subject in reader.subjects():
        due = None if subject.subject_number in busy else calendar(desk, reader, subject.subject_number).next_due
        if due is not None and due.from_on <= until:
            yield DoseAtRisk(
                "",
                subject.subject_number,
                due.from_on,
                f"Subject {subject.subject_number}: {place_words(due.course, due.cycle, due.day)} is due from"
                f" {say_day(due.from_on)}.",
            )


def clock_words(record: DeviationRecord) -> str:
    """The quarantine clock in words: how long vials have been kept back, and what is missing."""
    if record.line.status == "closed":
        return "closed"
    held = f"{_count(record.kept_back)} held for {say_span(record.held_for)}" if record.held_for is not None else ""
    missing = f"missing: {', '.join(record.missing)}" if record.missing else "nothing is open: close it"
    return "; ".join(part for part in (held, missing) if part)
