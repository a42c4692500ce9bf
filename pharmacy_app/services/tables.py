"""The tables that can be taken away: each with its columns, where their values come from, and its rows one by one.

One description serves every format and every page that offers an export. Nothing personal of a subject but the number
is in any of it (REGULATION A-31): neither initials nor a day of birth.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Any

from pharmacy_app.domain.codec import canonical
from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.vials import move_table
from pharmacy_app.services import views
from pharmacy_app.services.desk import site_of
from pharmacy_app.services.ports import LedgerFilter, QueryFilter, Reader, VialFilter
from pharmacy_app.services.reviews import verified_words

Value = None | str | int | bool | Decimal | date | datetime
Row = tuple[Value, ...]


class Kind(StrEnum):
    """What the values of a column are; a moment has its offset from UTC."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    DAY = "date"
    MOMENT = "date and time"
    YES_NO = "yes or no"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name and label, the kind and unit of its values, and where they come from.

    ``key`` is its place among the columns by which a row is known (1 is the first, 0: none), ``codelist`` the name of
    the list its values are from, ``form`` how a date is written where a sponsor's map says so ('': ISO 8601).
    """

    name: str
    label: str
    kind: Kind
    source: str
    unit: str = ""
    key: int = 0
    codelist: str = ""
    form: str = ""

    @property
    def title(self) -> str:
        """The label with its unit, as a person reads it."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are asked for; '' and ``None`` mean any. Both days are days of the site and belong to the rows."""

    from_on: date | None = None
    to_on: date | None = None
    subject_number: str = ""
    strength_mg: Decimal | None = None
    lot: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a table goes through: how many things there are, and the rows they give.

    With each row stands how many things were gone through; ``None`` in its place is a thing that gives no row.
    """

    total: int
    rows: Iterator[tuple[int, Row | None]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that can be taken away. ``day``, ``subject``, ``strength``, ``lot`` and ``place`` name the columns by
    which its rows can be chosen ('': not by that). ``is_dataset``: one of the study data model's, not one of ours.
    """

    name: str
    label: str
    columns: tuple[Column, ...]
    find: Callable[[Reader, Wanted], Found]
    day: str = ""
    subject: str = ""
    strength: str = ""
    lot: str = ""
    place: str = ""
    is_dataset: bool = False

    def at(self, name: str) -> int:
        """Where a column stands."""
        return next(at for at, column in enumerate(self.columns) if column.name == name)

    def wants(self, wanted: Wanted) -> Callable[[Row], bool]:
        """Whether a row is one of those asked for."""
        tests: list[tuple[int, Callable[[Value], bool]]] = []
        if wanted.from_on is not None or wanted.to_on is not None:
            first, last = wanted.from_on or date.min, wanted.to_on or date.max
            tests.append((self.at(self.day), lambda value: _within(first, value, last)))
        if wanted.subject_number and not self.is_dataset:
            # A dataset names its subjects in its own way, and has chosen them already.
            tests.append((self.at(self.subject), lambda value: wanted.subject_number in str(value or "").split(", ")))
        if wanted.strength_mg is not None:
            tests.append((self.at(self.strength), lambda value: value == wanted.strength_mg))
        if wanted.lot:
            tests.append((self.at(self.lot), lambda value: value == wanted.lot))
        if wanted.place:
            tests.append((self.at(self.place), lambda value: value == wanted.place))
        return lambda row: all(test(row[at]) for at, test in tests)

    def cannot_choose(self, wanted: Wanted) -> list[Fault]:
        """What is asked for that this table has no column for."""
        asked = (
            ("from_on", "dates", self.day, wanted.from_on or wanted.to_on),
            ("subject_number", "subject", self.subject, wanted.subject_number),
            ("strength_mg", "strength", self.strength, wanted.strength_mg),
            ("lot", "lot", self.lot, wanted.lot),
            ("place", "place", self.place, wanted.place),
        )
        return [
            Fault(field, f"“{self.label}” cannot be chosen by {words}. Leave it empty, or take another table.")
            for field, words, column, value in asked
            if value and not column
        ]


def _within(first: date, value: Value, last: date) -> bool:
    """Whether a value's day at the site lies between two days, both included; what has no day does not."""
    day = value.date() if isinstance(value, datetime) else value
    return isinstance(day, date) and first <= day <= last


def _text(name: str, label: str, source: str) -> Column:
    return Column(name, label, Kind.TEXT, source)


def _whole(name: str, label: str, source: str, unit: str = "") -> Column:
    return Column(name, label, Kind.WHOLE, source, unit)


def _number(name: str, label: str, source: str, unit: str) -> Column:
    return Column(name, label, Kind.NUMBER, source, unit)


def _day(name: str, label: str, source: str) -> Column:
    return Column(name, label, Kind.DAY, source)


def _moment(name: str, label: str, source: str) -> Column:
    return Column(name, label, Kind.MOMENT, source)


def picked(columns: Sequence[Column], thing: object, **more: object) -> Row:
    """A row of a thing's attributes in the order of the columns; ``more`` are those that it does not have itself."""
    return tuple(plain(more[each.name] if each.name in more else getattr(thing, each.name)) for each in columns)


def plain(value: Any) -> Value:
    """A value as a cell holds it: several are one text, and an empty text is no value."""
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, tuple | list):
        return " ".join(str(each) for each in value) or None
    return None if value == "" else value


def _one_each(total: int, rows: Iterable[Row | None]) -> Found:
    return Found(total, enumerate(rows, start=1))


def _each(things: Sequence[Any], row_of: Callable[[Any], Row | None]) -> Found:
    return _one_each(len(things), (row_of(each) for each in things))


def _simple(columns: Sequence[Column], things: Sequence[object]) -> Found:
    return _each(things, lambda each: picked(columns, each))


# --- the ledger -----------------------------------------------------------------------------------------------------

_LINE, _SUMMED, _ENTRY = "ledger line", "calculated from the lines before", "journal entry"

_LEDGER = (
    _text("line_id", "Line", _LINE),
    _moment("done_at", "Event date and time", _LINE),
    _moment("recorded_at", "Entry date and time", _LINE),
    _text("transaction", "Transaction", _LINE),
    _text("move", "Move", _LINE),
    _text("from_state", "State before", _LINE),
    _text("to_state", "State after", _LINE),
    _text("counterparty", "From, to or subject", _LINE),
    _text("subject_number", "Subject", "the subject of the line's dose"),
    _text("cycle_day", "Cycle and day", _LINE),
    _text("dose_id", "Dose", _LINE),
    _number("dose_mg", "Dose amount", _LINE, "mg"),
    _text("units", "Vial numbers", _LINE),
    _number("strength_mg", "Strength", _LINE, "mg"),
    _text("lot", "Lot", _LINE),
    _day("expires_on", "Expiry", _LINE),
    _text("place", "Place", _LINE),
    _whole("quantity", "Quantity", _LINE, "vials"),
    _whole("quantity_in", "Quantity in", "vials that come into the balance on site", "vials"),
    _whole("quantity_out", "Quantity out", "vials that leave the balance on site", "vials"),
    _whole("balance_available", "Balance available", _SUMMED, "vials"),
    _whole("balance_quarantine", "Balance quarantine", _SUMMED, "vials"),
    _whole("balance_on_site", "Balance on site", _SUMMED, "vials"),
    _text("reference", "Reference document", _LINE),
    _text("comment", "Comment", _LINE),
    _text("recorder", "Recorder", _LINE),
    _text("verifier", "Verifier", _LINE),
    _text("monitor_verified", "Monitor verified (initials, date)", "the monitor's review of the line's entry"),
    _text("late_why", "Late entry, reason", _LINE),
    _whole("corrects_seq", "Corrects entry", _LINE),
    _whole("corrected_by_seq", "Corrected by entry", "the correction of the line's entry, if one moved vials"),
    _text("corrected_why", "Corrected, reason", "the same"),
    _whole("event_seq", "Entry", _ENTRY),
)

LINES_TOGETHER = 500
"""Lines whose corrections and reviews are looked up together."""


def _ledger(reader: Reader, wanted: Wanted) -> Found:
    """Lines with the balances of the strength, lot and place asked for; dates and subject leave them as they are."""
    asked = LedgerFilter(strength_mg=wanted.strength_mg, lot=wanted.lot, place=wanted.place)
    return _one_each(reader.count_ledger(asked), _ledger_rows(reader, reader.whole_ledger(asked)))


def _ledger_rows(reader: Reader, lines: Iterable[views.LedgerLine]) -> Iterator[Row]:
    site = site_of(reader)
    subject_of = reader.subjects_of_doses()
    rest = iter(lines)
    while some := list(islice(rest, LINES_TOGETHER)):
        entries = list({line.event_seq for line in some})
        corrections, marks = reader.corrections(entries), reader.review_marks(entries)
        for line in some:
            before, after = _on_site(line.from_state), _on_site(line.to_state)
            found = corrections.get(line.event_seq)
            # A correction of other facts leaves the line as it stands.
            correction = found if found is not None and found.moved_vials else None
            of_doses = (subject_of.get(dose_id, "") for dose_id in line.dose_id.split(", "))
            yield picked(
                _LEDGER,
                line,
                subject_number=", ".join(dict.fromkeys(filter(None, of_doses))),
                dose_mg=Decimal(line.dose_mg) if line.dose_mg else None,
                quantity_in=line.quantity if after and not before else 0,
                quantity_out=line.quantity if before and not after else 0,
                balance_on_site=line.balance_available + line.balance_quarantine,
                monitor_verified=verified_words(marks.get(line.event_seq), site),
                corrected_by_seq=correction.event_seq if correction else None,
                corrected_why=correction.why if correction else None,
            )


def _on_site(state: str) -> bool:
    """Whether unopened vials of this state count to the balance on site."""
    return bool(state) and move_table().states[state].on_site in ("available", "quarantine")


# --- vials and stock ------------------------------------------------------------------------------------------------

_VIAL = "vial as it stands"

_VIALS = (
    _text("unit_number", "Vial", _VIAL),
    _text("kit_number", "Kit", _VIAL),
    _number("strength_mg", "Strength", _VIAL, "mg"),
    _text("lot", "Lot", _VIAL),
    _day("expires_on", "Expiry", _VIAL),
    _text("place", "Place", _VIAL),
    _text("state", "State", _VIAL),
    _text("hold_reason", "Held because", _VIAL),
    _text("dose_id", "Dose", _VIAL),
    _text("subject_number", "Subject", "the subject of the vial's dose"),
    _text("shipment_number", "Shipment", _VIAL),
    _text("accounted_by", "Accounted for by", _VIAL),
    Column("label_scanned", "Label scanned back", Kind.YES_NO, _VIAL),
)

VIALS_TOGETHER = 2000
"""Vials that are read at a time."""


def _vials(reader: Reader, wanted: Wanted) -> Found:
    asked = VialFilter(strength_mg=wanted.strength_mg, lot=wanted.lot, place=wanted.place)
    total = reader.count_vials(asked)
    subject_of = reader.subjects_of_doses()

    def rows() -> Iterator[Row]:
        for offset in range(0, total, VIALS_TOGETHER):
            some = reader.vials(asked, sort="unit_number", descending=False, offset=offset, limit=VIALS_TOGETHER)
            for vial in some:
                yield picked(_VIALS, vial, subject_number=subject_of.get(vial.dose_id))

    return _one_each(total, rows())


_STOCK = (
    _number("strength_mg", "Strength", "stock as it stands", "mg"),
    _text("lot", "Lot", "stock as it stands"),
    _day("expires_on", "Expiry", "the lot"),
    _text("place", "Place", "stock as it stands"),
    _text("state", "State", "stock as it stands"),
    _whole("vials", "Quantity", "stock as it stands", "vials"),
)

# --- doses ----------------------------------------------------------------------------------------------------------

_ORDER, _DECISION, _MIXED, _GIVEN = "order", "dose decision", "preparation", "administration"

_DOSES = (
    _text("dose_id", "Dose", _ORDER),
    _text("subject_number", "Subject", _ORDER),
    _whole("course", "Course", _ORDER),
    _whole("cycle", "Cycle", _ORDER),
    _whole("day", "Day", _ORDER),
    _whole("level", "Dose level", _ORDER),
    _day("planned_on", "Planned for", _ORDER),
    _text("prescriber", "Prescriber", _ORDER),
    _day("ordered_on", "Ordered on", _ORDER),
    _number("prescribed_mg", "Prescribed dose", _ORDER, "mg"),
    _text("status", "How far it has come", "dose as it stands"),
    _number("administered_mg", "Administered dose", _GIVEN, "mg"),
    _day("given_on", "Given on", _GIVEN),
)

_DISPENSING = (
    _text("dose_id", "Dose", _ORDER),
    _text("subject_number", "Subject", _ORDER),
    _day("ordered_on", "Ordered on", _ORDER),
    _text("prescriber", "Prescriber", _ORDER),
    _whole("course", "Course", _ORDER),
    _whole("cycle", "Cycle", _ORDER),
    _whole("day", "Day", _ORDER),
    _number("weight_kg", "Weight", _DECISION, "kg"),
    _day("weight_on", "Weight of", _DECISION),
    _number("height_cm", "Height", _DECISION, "cm"),
    _number("bsa_m2", "Body surface area", _DECISION, "m²"),
    _text("bsa_formula", "BSA formula", _DECISION),
    _whole("level", "Dose level", _ORDER),
    _number("dose_mg_per_m2", "Dose by area", "protocol", "mg/m²"),
    _number("planned_mg", "Calculated dose", _DECISION, "mg"),
    _number("prescribed_mg", "Prescribed dose", _ORDER, "mg"),
    _number("prescribed_percent", "Prescribed against calculated", _DECISION, "%"),
    _text("units", "Vial numbers", "mg ledger"),
    _text("kits", "Kit numbers", "vials"),
    _text("strengths_mg", "Strengths (mg)", "vials"),
    _text("lots", "Lots", "vials"),
    _text("expiries", "Expiries", "vials"),
    _whole("vials_1mg", "1 mg vials dispensed", "mg ledger", "vials"),
    _whole("vials_4mg", "4 mg vials dispensed", "mg ledger", "vials"),
    _moment("reconstituted_at", "Reconstituted at", _MIXED),
    _number("drawn_ml", "Withdrawn", _MIXED, "mL"),
    _number("prepared_mg", "Prepared dose", _MIXED, "mg"),
    _text("diluent", "Diluent", _MIXED),
    _number("bag_volume_ml", "Final volume", _MIXED, "mL"),
    _number("final_mg_per_ml", "Final concentration", _MIXED, "mg/mL"),
    _moment("beyond_use_at", "Beyond-use time", _MIXED),
    _text("prepared_by", "Prepared by", _MIXED),
    _text("verified_by", "Verified by", "second check"),
    _text("released_to", "Released to", "release"),
    _moment("released_at", "Released at", "release"),
    _moment("started_at", "Infusion start", _GIVEN),
    _moment("ended_at", "Infusion end", _GIVEN),
    _number("administered_mg", "Administered dose", _GIVEN, "mg"),
    _number("administered_percent", "Administered against prescribed", _GIVEN, "%"),
    _number("residue_mg", "Residue in the vials", "mg ledger, once all are closed", "mg"),
    _number("discarded_mg", "Wasted", "mg ledger, once all are closed", "mg"),
    _text("containers", "What became of the vials", "vials"),
    _text("errors", "Medication-error records", "medication errors"),
    _text("status", "How far it has come", "dose as it stands"),
    _text("comment", "Comments", "administration, cancellation"),
)


def _dispensing(reader: Reader, wanted: Wanted) -> Found:
    doses = reader.doses(subject_number=wanted.subject_number)
    errors: dict[str, list[str]] = {}
    for error in reader.errors():
        errors.setdefault(error.dose_id, []).append(error.error_id)
    return _each(doses, lambda dose: _dispensed(reader, dose, errors.get(dose.dose_id, [])))


def _dispensed(reader: Reader, dose: views.DoseLine, errors: Sequence[str]) -> Row | None:
    """The line of a dose for which vials were opened; ``None`` for any other."""
    thread = reader.dose(dose.dose_id)
    if thread is None or not thread.mg:
        return None
    opened = {line.unit_number for line in thread.mg}
    vials = [vial for vial in thread.vials if vial.unit_number in opened]
    labelled = [line.labelled_mg for line in thread.mg]
    answer = thread.decision["answer"] if thread.decision else {}
    mixed, report = thread.preparation or {}, thread.administration or {}
    given = report if dose.administered_mg else {}
    strengths = {vial.strength_mg: None for vial in vials}
    return picked(
        _DISPENSING,
        _as_given(dose),
        weight_kg=thread.weight_kg,
        weight_on=thread.weight_on,
        height_cm=thread.height_cm,
        bsa_formula=thread.bsa_formula,
        bsa_m2=_decimal(answer.get("bsa_m2")),
        dose_mg_per_m2=_decimal(answer.get("dose_mg_per_m2")),
        planned_mg=_decimal(answer.get("planned_mg")),
        prescribed_percent=_decimal((answer.get("prescribed") or {}).get("percent")),
        units=tuple(line.unit_number for line in thread.mg),
        kits=tuple(vial.kit_number for vial in vials if vial.kit_number),
        strengths_mg=tuple(format(strength, "f") for strength in strengths),
        lots=tuple(dict.fromkeys(vial.lot for vial in vials)),
        expiries=tuple(dict.fromkeys(vial.expires_on.isoformat() for vial in vials)),
        vials_1mg=labelled.count(Decimal(1)),
        vials_4mg=labelled.count(Decimal(4)),
        reconstituted_at=_at(mixed.get("reconstituted_at")),
        drawn_ml=_decimal(mixed.get("drawn_ml")),
        prepared_mg=thread.prepared_mg,
        diluent=mixed.get("diluent"),
        bag_volume_ml=_decimal(mixed.get("bag_volume_ml")),
        final_mg_per_ml=_decimal(mixed.get("final_mg_per_ml")),
        beyond_use_at=_at(mixed.get("beyond_use_at")),
        prepared_by=thread.prepared_by,
        verified_by=thread.verified_by,
        released_to=thread.released_to,
        released_at=thread.released_at,
        started_at=_at(given.get("started_at")),
        ended_at=_at(given.get("ended_at")),
        administered_percent=_decimal((given.get("comparison") or {}).get("percent")),
        residue_mg=_sum([line.residue_mg for line in thread.mg]),
        discarded_mg=_sum([line.discarded_mg for line in thread.mg]),
        containers="; ".join(f"{vial.unit_number} {vial.state}" for vial in vials),
        errors=tuple(errors),
        comment="; ".join(filter(None, (_not_given(report), report.get("note", ""), thread.cancelled_why))),
    )


def _as_given(dose: views.DoseLine) -> views.DoseLine:
    """A dose of which nothing was given has no administered amount: it is not given."""
    return replace(dose, administered_mg=dose.administered_mg or None)


def _not_given(report: dict[str, Any]) -> str:
    """That nothing was given by a ward's report, with its cause; '' where something was, or nothing is reported."""
    if not report or report["given_on"] is not None:
        return ""
    return ": ".join(filter(None, ("not given", report.get("stopped_for"))))


def _decimal(stored: str | None) -> Decimal | None:
    return None if stored is None else Decimal(stored)


def _at(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored)


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """The sum; not known while one of them is not."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None


# --- receipts, counts, discrepancies --------------------------------------------------------------------------------

_RECEIPT, _LOT = "receipt", "receipt, by lot"

_SHIPMENTS = (
    _text("number", "Shipment", _RECEIPT),
    _text("sender", "Sender", _RECEIPT),
    _day("shipped_on", "Shipped on", _RECEIPT),
    _moment("received_at", "Received at", _RECEIPT),
    _text("received_by", "Received by", _RECEIPT),
    _text("packing_list", "Packing list", _RECEIPT),
    _text("logger_serial", "Logger", _RECEIPT),
    _text("logger_state", "Logger state", "receipt, or the logger read later"),
    _number("min_celsius", "Lowest temperature", "logger", "°C"),
    _number("max_celsius", "Highest temperature", "logger", "°C"),
    _text("logger_read_by", "Logger read by", "logger"),
    _moment("logger_read_at", "Logger read at", "logger"),
    _number("strength_mg", "Strength", _LOT, "mg"),
    _text("lot", "Lot", _LOT),
    _day("expires_on", "Expiry", _LOT),
    _text("kits", "Kits", _LOT),
    _whole("listed", "Quantity listed", _LOT, "vials"),
    _whole("counted", "Quantity counted", _LOT, "vials"),
    _whole("damaged", "Damaged", _LOT, "vials"),
    _whole("extra", "Not on the list", _LOT, "vials"),
    _text("difference_note", "Difference", _LOT),
    _text("condition", "Condition", _RECEIPT),
    _text("condition_note", "Condition, remark", _LOT),
    _text("hold_reason", "Held because", _RECEIPT),
    _whole("awaiting_release", "Waiting for release (whole shipment)", "vials as they stand", "vials"),
    _text("released_by", "Released by", "release"),
    _text("acknowledged_to", "Acknowledged to", "acknowledgement"),
    _text("acknowledged_how", "Acknowledged how", "acknowledgement"),
    _text("acknowledged_by", "Acknowledged by", "acknowledgement"),
    _moment("acknowledged_at", "Acknowledged at", "acknowledgement"),
    _text("note", "Note", _RECEIPT),
    _whole("event_seq", "Entry", _ENTRY),
)


def _shipments(reader: Reader, _wanted: Wanted) -> Found:
    rows = [
        (shipment, lot)
        for shipment in sorted(reader.shipments(), key=lambda each: each.event_seq)
        for lot in reader.shipment_lots(shipment.number)
    ]
    return _each(
        rows,
        lambda row: picked(
            _SHIPMENTS,
            row[0],
            released_by="; ".join(row[1].released_by),
            **{
                name: getattr(row[1], name)
                for name in ("strength_mg", "lot", "expires_on", "kits", "listed", "counted", "damaged", "extra")
            },
            difference_note=row[1].difference_note,
            condition_note=row[1].condition_note,
        ),
    )


_COUNT, _COUNTED = "count", "count, by lot"

_COUNTS = (
    _text("number", "Count", _COUNT),
    _moment("counted_at", "Counted at", _COUNT),
    _text("place", "Place", _COUNT),
    _text("method", "How", _COUNT),
    _text("kind", "What was counted", _COUNTED),
    _number("strength_mg", "Strength", _COUNTED, "mg"),
    _text("lot", "Lot", _COUNTED),
    _day("expires_on", "Expiry", _COUNTED),
    _whole("expected", "Expected", "the record at that moment", "vials"),
    _whole("counted", "Counted", _COUNTED, "vials"),
    _whole("difference", "Difference", "counted less expected", "vials"),
    _text("missing", "Missing", _COUNTED),
    _text("unexpected", "Not expected", _COUNTED),
    _text("strays", "Strays of the whole count", _COUNT),
    _text("unknown", "Unknown codes of the whole count", _COUNT),
    _text("counted_by", "Counted by", _COUNT),
    _text("verified_by", "Verified by", _COUNT),
    _text("discrepancy", "Discrepancy", _COUNT),
    _text("note", "Note", _COUNT),
    _whole("event_seq", "Entry", _ENTRY),
)

COUNTS_TOGETHER = 200
"""Counts that are read at a time."""


def _counts(reader: Reader, _wanted: Wanted) -> Found:
    counts: list[views.StockCount] = []
    while some := reader.stock_counts(offset=len(counts), limit=COUNTS_TOGETHER):
        counts += some
    rows = [(count, line) for count in sorted(counts, key=lambda each: each.event_seq) for line in count.lines]
    return _each(
        rows,
        lambda row: picked(
            _COUNTS,
            row[1],
            strays=tuple(stray.unit_number for stray in row[0].strays),
            **{
                name: getattr(row[0], name)
                for name in ("number", "counted_at", "place", "method", "unknown", "counted_by", "verified_by")
            },
            discrepancy=row[0].discrepancy,
            note=row[0].note,
            event_seq=row[0].event_seq,
        ),
    )


_DIFFERENCE = "discrepancy"

_DISCREPANCIES = (
    _text("number", "Discrepancy", _DIFFERENCE),
    _text("count_number", "Count", _DIFFERENCE),
    _text("place", "Place", _DIFFERENCE),
    _text("sentence", "What it is", _DIFFERENCE),
    _moment("opened_at", "Opened at", _DIFFERENCE),
    _text("opened_by", "Opened by", _DIFFERENCE),
    _number("strength_mg", "Strength", "discrepancy, by lot", "mg"),
    _text("lot", "Lot", "discrepancy, by lot"),
    _whole("difference", "Difference", "discrepancy, by lot", "vials"),
    _text("units", "Vial numbers", "discrepancy, by lot"),
    _text("status", "Status", _DIFFERENCE),
    _text("outcome", "Outcome", "explanation"),
    _text("explanation", "Explanation", "explanation"),
    _moment("closed_at", "Closed at", "explanation"),
    _text("closed_by", "Closed by", "explanation"),
    _whole("event_seq", "Entry", _ENTRY),
    _whole("closed_seq", "Closing entry", _ENTRY),
)


def _discrepancies(reader: Reader, _wanted: Wanted) -> Found:
    nothing_known = views.Concern(Decimal(0), "", 0, ())
    rows = [
        (each, concern)
        for each in sorted(reader.discrepancies(), key=lambda each: each.event_seq)
        for concern in each.concerns or (nothing_known,)
    ]
    return _each(
        rows,
        lambda row: picked(
            _DISCREPANCIES,
            row[0],
            strength_mg=None if row[1] is nothing_known else row[1].strength_mg,
            lot=row[1].lot,
            difference=None if row[1] is nothing_known else row[1].difference,
            units=row[1].units,
        ),
    )


# --- storage deviations ---------------------------------------------------------------------------------------------

_DEVIATION = "storage deviation"

_DEVIATIONS = (
    _text("deviation_id", "Deviation", _DEVIATION),
    _text("place", "Place", _DEVIATION),
    _text("source", "Temperatures from", _DEVIATION),
    _text("logger_serial", "Logger", _DEVIATION),
    _day("calibration_due", "Calibration due", _DEVIATION),
    _moment("started_at", "Start", _DEVIATION),
    _moment("ended_at", "End", _DEVIATION),
    _number("min_celsius", "Lowest temperature", _DEVIATION, "°C"),
    _number("max_celsius", "Highest temperature", _DEVIATION, "°C"),
    _moment("discovered_at", "Discovered at", _DEVIATION),
    _text("discovered_by", "Discovered by", _DEVIATION),
    _text("done", "Done at once", _DEVIATION),
    _text("cause", "Cause", "deviation as updated last"),
    _text("action", "Action", "deviation as updated last"),
    _whole("vials", "Vials that lay there", _DEVIATION, "vials"),
    _text("document_id", "Document", _DEVIATION),
    _moment("recorded_at", "Recorded at", _DEVIATION),
    _text("recorded_by", "Recorded by", _DEVIATION),
    _text("status", "Status", _DEVIATION),
    _moment("closed_at", "Closed at", _DEVIATION),
    _text("closed_by", "Closed by", _DEVIATION),
    _whole("event_seq", "Entry", _ENTRY),
    _whole("closed_seq", "Closing entry", _ENTRY),
)

_EXPOSED = "vial that lay there"

_DEVIATION_VIALS = (
    _text("deviation_id", "Deviation", _EXPOSED),
    _text("place", "Place", _DEVIATION),
    _text("unit_number", "Vial", _EXPOSED),
    _text("kit_number", "Kit", _EXPOSED),
    _number("strength_mg", "Strength", _EXPOSED, "mg"),
    _text("lot", "Lot", _EXPOSED),
    _day("expires_on", "Expiry", _EXPOSED),
    _text("state_then", "State at the time", _EXPOSED),
    _text("state_found", "State when it was found", _EXPOSED),
    _text("dose_id", "Dose", _EXPOSED),
    Column("quarantined", "Quarantined", Kind.YES_NO, _EXPOSED),
    _text("decision", "Decision", "the supporter's decision"),
    _text("document_id", "Document of the decision", "the supporter's decision"),
    _moment("decided_at", "Decided at", "the supporter's decision"),
    _text("decided_by", "Recorded by", "the supporter's decision"),
    _whole("event_seq", "Entry", _ENTRY),
)


def _deviations_by_entry(reader: Reader) -> list[views.DeviationLine]:
    return sorted(reader.deviations(), key=lambda each: each.event_seq)


def _deviation_vials(reader: Reader, _wanted: Wanted) -> Found:
    deviations = _deviations_by_entry(reader)

    def rows() -> Iterator[Row]:
        for deviation in deviations:
            for vial in reader.deviation_vials(deviation.deviation_id):
                yield picked(_DEVIATION_VIALS, vial, place=deviation.place)

    return _one_each(sum(deviation.vials for deviation in deviations), rows())


# --- medication errors, corrections, documents ----------------------------------------------------------------------

_ERROR = "medication-error record"

_ERRORS = (
    _text("error_id", "Record", _ERROR),
    _text("dose_id", "Dose", _ERROR),
    _text("subject_number", "Subject", _ERROR),
    _moment("opened_at", "Opened at", _ERROR),
    _text("opened_by", "Opened by", _ERROR),
    _text("source", "Opened because of", _ERROR),
    _moment("found_at", "Found at", _ERROR),
    _text("found_by", "Found by", _ERROR),
    _day("occurred_on", "Occurred on", _ERROR),
    _moment("occurred_at", "Occurred at", _ERROR),
    _text("stage", "Stage", _ERROR),
    _text("error_type", "Type", _ERROR),
    _text("reached_subject", "Reached the subject", _ERROR),
    _number("prescribed_mg", "Prescribed dose", _ERROR, "mg"),
    _number("administered_mg", "Administered dose", _ERROR, "mg"),
    _text("difference", "Difference", _ERROR),
    _text("sentence", "What it is", _ERROR),
    _text("what_happened", "What happened", _ERROR),
    _text("action", "Action", _ERROR),
    _text("stopped_for", "Infusion stopped for", _ERROR),
    _text("status", "Status", "newest assessment"),
    _text("verdict", "Verdict", "newest assessment"),
    _text("category", "NCC MERP category", "newest assessment"),
)

_CORRECTION = "correction"

_CORRECTIONS = (
    _whole("corrects_seq", "Corrects entry", _CORRECTION),
    _whole("event_seq", "Entry", _ENTRY),
    _text("kind", "Kind", _CORRECTION),
    _text("label", "Value", _CORRECTION),
    _text("old", "As it stood", _CORRECTION),
    _text("new", "As it is right", _CORRECTION),
    _text("why", "Reason", _CORRECTION),
    _text("signed_by", "Signed by", _CORRECTION),
    _moment("corrected_at", "Corrected at", _CORRECTION),
)

PERSONAL_VALUES = ("Initials", "Day or year of birth")
"""Values of a correction that stay in the pharmacy; that they were corrected is told."""

KEPT_BACK = "not exported"
"""What stands in place of a personal value."""


def _corrections(reader: Reader, _wanted: Wanted) -> Found:
    rows = [
        (line, change)
        for line in sorted(reader.every_correction(), key=lambda each: each.event_seq)
        for change in line.changes or (views.ChangedValue("", "", ""),)
    ]

    def row_of(row: tuple[views.CorrectionLine, views.ChangedValue]) -> Row:
        line, change = row
        personal = change.label in PERSONAL_VALUES
        return picked(
            _CORRECTIONS,
            line,
            label=change.label,
            old=KEPT_BACK if personal else change.old,
            new=KEPT_BACK if personal else change.new,
        )

    return _each(rows, row_of)


_DOCUMENT = "document"

_DOCUMENTS = (
    _text("document_id", "Document", _DOCUMENT),
    _text("title", "Title", _DOCUMENT),
    _text("kind", "Kind", _DOCUMENT),
    _text("about", "About", _DOCUMENT),
    _text("signed_by", "Signed by", _DOCUMENT),
    _day("dated_on", "Dated", _DOCUMENT),
    _text("permits", "Permits", _DOCUMENT),
    _text("file_name", "File", _DOCUMENT),
    _text("media_type", "Type of file", _DOCUMENT),
    _whole("size_bytes", "Size", _DOCUMENT, "bytes"),
    _text("sha256", "SHA-256", _DOCUMENT),
    _moment("attached_at", "Attached at", _DOCUMENT),
    _text("attached_by", "Attached by", _DOCUMENT),
    _whole("event_seq", "Entry", _ENTRY),
)


def _documents(reader: Reader, _wanted: Wanted) -> Found:
    found = sorted(reader.documents(), key=lambda each: each.event_seq)
    return _each(found, lambda each: picked(_DOCUMENTS, each, permits="; ".join(each.permits or ())))


# --- the monitor's queries ------------------------------------------------------------------------------------------

_QUERY = "monitor's query"

_QUERIES = (
    _text("number", "Query", _QUERY),
    _text("visit", "Visit", _QUERY),
    _moment("opened_at", "Opened at", _QUERY),
    _text("opened_by", "Opened by", _QUERY),
    _text("about", "About", _QUERY),
    _whole("entry_seq", "About entry", _QUERY),
    _text("field", "Field", _QUERY),
    _text("text", "Question", _QUERY),
    _text("status", "Status", "what was said of it last"),
    _moment("last_at", "Last said at", "what was said of it last"),
    _text("said", "What was said", "every answer and return, oldest first"),
    _text("closed_by", "Closed by", _QUERY),
    _moment("closed_at", "Closed at", _QUERY),
    _whole("event_seq", "Entry", _ENTRY),
)


def _queries(reader: Reader, _wanted: Wanted) -> Found:
    queries = reader.queries(QueryFilter(), offset=0, limit=reader.count_queries(QueryFilter()))

    def row_of(query: views.MonitorQuery) -> Row:
        said = (f"{line.person} {line.says}: {line.text}" for line in reader.query_lines(query.number)[1:])
        return picked(_QUERIES, query, said="\n".join(said))

    return _each(sorted(queries, key=lambda each: each.event_seq), row_of)


# --- the audit trail ------------------------------------------------------------------------------------------------

_AUDIT = (
    _whole("seq", "Entry", _ENTRY),
    _moment("recorded_at", "Recorded at", _ENTRY),
    _moment("done_at", "Done at", _ENTRY),
    _text("kind", "Kind", _ENTRY),
    _text("actor_name", "Who", _ENTRY),
    _text("workstation", "Workstation", _ENTRY),
    _text("subject_number", "Subject", "the entry's subject, or that of its dose"),
    _text("dose_id", "Dose", _ENTRY),
    _text("why", "Reason", _ENTRY),
    _text("signatures", "Signatures", _ENTRY),
    _text("marks", "Marks", _ENTRY),
    _text("content", "Content", "journal entry, without what is personal of a subject"),
    _text("hash", "SHA-256 of the entry", _ENTRY),
)

EVENTS_TOGETHER = 200
"""Entries that are read at a time."""

PERSONAL_FIELDS = frozenset({"initials", "birth", "subject_initials", "born"})
"""Fields of an entry that stay in the pharmacy."""


def _audit(reader: Reader, _wanted: Wanted) -> Found:
    total = reader.head().seq
    subject_of = reader.subjects_of_doses()

    def rows() -> Iterator[Row]:
        for start in range(0, total, EVENTS_TOGETHER):
            limit = min(EVENTS_TOGETHER, total - start)
            for event in reversed(reader.events(kind="", text="", offset=total - start - limit, limit=limit)):
                content = event.content if isinstance(event.content, dict) else {}
                dose_id = content.get("dose_id") or (content.get("line") or {}).get("dose_id") or ""
                yield picked(
                    _AUDIT,
                    event,
                    subject_number=content.get("subject_number") or subject_of.get(dose_id),
                    dose_id=dose_id,
                    signatures="; ".join(event.signatures),
                    marks="; ".join(event.marks),
                    content=canonical(kept_back(event.content)).decode(),
                )

    return _one_each(total, rows())


def kept_back(content: Any, instead: str = KEPT_BACK) -> Any:
    """An entry's content with words ``instead`` of the personal values of a subject, wherever they stand."""
    if isinstance(content, list):
        return [kept_back(each, instead) for each in content]
    if not isinstance(content, dict):
        return content
    if content.get("label") in PERSONAL_VALUES:
        return {name: value if name == "label" else instead for name, value in content.items()}
    return {
        name: instead if name in PERSONAL_FIELDS and value else kept_back(value, instead)
        for name, value in content.items()
    }


# --- all of them ----------------------------------------------------------------------------------------------------

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table("ledger", "Vial ledger", _LEDGER, _ledger, "done_at", "subject_number", "strength_mg", "lot", "place"),
        Table("vials", "Vials", _VIALS, _vials, "", "subject_number", "strength_mg", "lot", "place"),
        Table(
            "stock",
            "Stock",
            _STOCK,
            lambda reader, _wanted: _simple(_STOCK, reader.stock()),
            strength="strength_mg",
            lot="lot",
            place="place",
        ),
        Table(
            "doses",
            "Doses",
            _DOSES,
            lambda reader, wanted: _simple(
                _DOSES, [_as_given(dose) for dose in reader.doses(subject_number=wanted.subject_number)]
            ),
            "planned_on",
            "subject_number",
        ),
        Table("dispensing", "Dispensing by subject", _DISPENSING, _dispensing, "reconstituted_at", "subject_number"),
        Table("shipments", "Shipments received", _SHIPMENTS, _shipments, "received_at", "", "strength_mg", "lot"),
        Table("counts", "Counts", _COUNTS, _counts, "counted_at", "", "strength_mg", "lot", "place"),
        Table(
            "discrepancies",
            "Discrepancies",
            _DISCREPANCIES,
            _discrepancies,
            "opened_at",
            "",
            "strength_mg",
            "lot",
            "place",
        ),
        Table(
            "deviations",
            "Storage deviations",
            _DEVIATIONS,
            lambda reader, _wanted: _simple(_DEVIATIONS, _deviations_by_entry(reader)),
            "started_at",
            place="place",
        ),
        Table(
            "deviation-vials",
            "Vials of storage deviations",
            _DEVIATION_VIALS,
            _deviation_vials,
            "",
            "",
            "strength_mg",
            "lot",
            "place",
        ),
        Table(
            "medication-errors",
            "Medication errors",
            _ERRORS,
            lambda reader, _wanted: _simple(_ERRORS, list(reversed(reader.errors()))),
            "found_at",
            "subject_number",
        ),
        Table("corrections", "Corrections", _CORRECTIONS, _corrections, "corrected_at"),
        Table("documents", "Documents", _DOCUMENTS, _documents, "dated_on"),
        Table("queries", "Monitor's queries", _QUERIES, _queries, "opened_at"),
        Table("audit-trail", "Audit trail", _AUDIT, _audit, "recorded_at", "subject_number"),
    )
}
"""Every table of the pharmacy that can be taken away, by its name."""
