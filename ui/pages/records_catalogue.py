"""The records that can be printed: what each is, what it is chosen by, and the service that prints it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.people import AUTHORITY
from pharmacy_app.domain.places import SATELLITE
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import STRENGTHS_MG
from pharmacy_app.services.closeout import close_out_number, print_close_out
from pharmacy_app.services.counts import print_count
from pharmacy_app.services.desk import Act, Desk, site_of
from pharmacy_app.services.disposition_forms import FORM_PREFIXES, print_form
from pharmacy_app.services.past import PastForm, print_past
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import (
    DARF_LAYOUT,
    SITE_LAYOUT,
    Printed,
    RecordForm,
    Tell,
    print_accountability_record,
    print_medication_error,
    print_treatment_calendar,
)
from pharmacy_app.services.receipts import print_receipt
from pharmacy_app.services.records_doses import print_dispensing_log, print_dose
from pharmacy_app.services.records_trail import (
    TrailForm,
    print_audit_trail,
    print_delegation_log,
    print_discrepancy,
)
from pharmacy_app.services.records_visits import print_visit
from pharmacy_app.services.storage_report import print_deviation
from ui.pages.stock_parts import ANY, kind_words, say_mg, vials_count
from ui.widgets.fields import ChoiceField, DateField, DateTimeField, Field, TextField

AT = "at "
"""Before a place's name, so that no place can be taken for another choice."""
CONTROL = "without satellites"

Choices = tuple[tuple[str, str], ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offers:
    """What there is to choose from, newest first: each a value and its words."""

    lots: Choices
    places: Choices
    has_satellite: bool
    subjects: Choices
    doses: Choices
    shipments: Choices
    forms: Choices
    counts: Choices
    discrepancies: Choices
    deviations: Choices
    errors: Choices
    visits: Choices
    close_outs: Choices
    people: Choices
    maps: Choices


def offers_of(reader: Reader) -> Offers:
    """Everything the forms offer, from one reading."""
    zone = ZoneInfo(site_of(reader).time_zone)
    forms = reader.events_between(tuple(_FORM_OF), 0, reader.head().seq + 1)
    places = reader.places()
    return Offers(
        lots=tuple(dict.fromkeys((lot, lot) for _, lot, _ in reader.lots())),
        places=tuple((place.name, f"{place.name} ({place.kind})") for place in places),
        has_satellite=any(place.kind == SATELLITE for place in places),
        subjects=_each(reader.subjects(), lambda each: (each.subject_number, each.subject_number)),
        doses=_each(
            sorted(reader.doses(), key=lambda each: each.planned_on, reverse=True),
            lambda each: (
                each.dose_id,
                f"{each.dose_id}: subject {each.subject_number}, cycle {each.cycle} day {each.day}, {each.status}",
            ),
        ),
        shipments=_each(
            reader.shipments(),
            lambda each: (
                each.number,
                f"{each.number}, {vials_count(each.vials)}, {say_day(each.received_at.astimezone(zone).date())}",
            ),
        ),
        forms=_each(
            forms,
            lambda each: (
                f"{_FORM_OF[each.kind]}-{each.seq}",
                f"{_FORM_OF[each.kind]}-{each.seq}: {kind_words(each.kind).lower()},"
                f" {say_day(each.done_at.astimezone(zone).date())}",
            ),
        ),
        counts=_each(
            reader.stock_counts(limit=10_000),
            lambda each: (
                each.number,
                f"{each.number}: {each.place}, {say_day(each.counted_at.astimezone(zone).date())}",
            ),
        ),
        discrepancies=_each(
            reader.discrepancies(), lambda each: (each.number, f"{each.number}, {each.status}: {each.sentence}"[:90])
        ),
        deviations=_each(
            reader.deviations(),
            lambda each: (
                each.deviation_id,
                f"{each.deviation_id}: {each.place}, {say_day(each.started_at.astimezone(zone).date())}",
            ),
        ),
        errors=_each(
            reader.errors(), lambda each: (each.error_id, f"{each.error_id}, {each.status}, dose {each.dose_id or '–'}")
        ),
        visits=_each(
            [visit for visit in reader.visits() if visit.opened_seq is not None],
            lambda each: (each.number, f"{each.number}: {each.monitor}, {say_day(each.from_on)}, {each.status}"),
        ),
        close_outs=_each(
            reader.close_outs(),
            lambda each: (
                close_out_number(each.event_seq),
                f"{close_out_number(each.event_seq)}, {say_day(each.closed_at.astimezone(zone).date())}",
            ),
        ),
        people=_each(reader.accounts(), lambda each: (each.account_id, each.printed_name)),
        maps=_each(
            [each for each in reader.documents() if each.signed_by and each.file_name.endswith(".toml")],
            lambda each: (each.document_id, f"{each.document_id}: {each.title}"),
        ),
    )


_FORM_OF = {
    "vials_returned": FORM_PREFIXES["return"],
    "vials_transferred": FORM_PREFIXES["transfer"],
    "vials_destroyed": FORM_PREFIXES["destroy"],
}


def _each(things: Sequence[T], pair: Callable[[T], tuple[str, str]]) -> Choices:
    return tuple(pair(thing) for thing in things)


Values = Mapping[str, str]
Work = Callable[[Desk, Act, Values, Tell], Printed]


@dataclass(frozen=True, slots=True)
class Record:
    """A kind of record: its key and words, what it is for, its fields, and how it is printed.

    ``none`` says what there is none of yet where there is nothing to choose ('': it can always be printed).
    """

    key: str
    words: str
    says: str
    fields: Callable[[Offers], list[Field]]
    work: Work
    none: Callable[[Offers], str]


def _always(_offers: Offers) -> str:
    return ""


def _choice(name: str, label: str, choices: Sequence[tuple[str, str]], *, chosen: str = "") -> ChoiceField:
    """A choice that must be made; where there is but one it is made."""
    field = ChoiceField(name, label, choices, required=not chosen)
    field.set_value(chosen or (choices[0][0] if len(choices) == 1 else ""))
    return field


def _any(choices: Choices, words: str) -> list[tuple[str, str]]:
    return [(ANY, words), *choices]


def _given(value: str) -> str:
    """A choice as services take it: '' for all."""
    return "" if value == ANY else value


def _strength() -> ChoiceField:
    strengths = [(show(each), say_mg(each)) for each in STRENGTHS_MG]
    return _choice("strength_mg", "St&rength", strengths, chosen=strengths[0][0])


def _accountability_fields(offers: Offers) -> list[Field]:
    places = [(AT + name, words) for name, words in offers.places]
    if offers.has_satellite:
        places.insert(0, (CONTROL, "Control record: all but the satellites"))
    layouts = (
        (SITE_LAYOUT, "Site record, with available and quarantine apart"),
        (DARF_LAYOUT, "In nine columns, DARF-style"),
    )
    return [
        _strength(),
        _choice("lot", "&Lot", _any(offers.lots, "All lots"), chosen=ANY),
        _choice("place", "At which pl&ace", _any(tuple(places), "All places"), chosen=ANY),
        _choice("layout", "La&yout", layouts, chosen=SITE_LAYOUT),
    ]


def _accountability(desk: Desk, act: Act, values: Values, tell: Tell) -> Printed:
    place = values["place"]
    form = RecordForm(
        values["strength_mg"],
        _given(values["lot"]),
        place.removeprefix(AT) if place.startswith(AT) else "",
        control=place == CONTROL,
        layout=values["layout"],
    )
    return print_accountability_record(desk, act, form, tell)


def _trail_fields(offers: Offers) -> list[Field]:
    kinds = sorted(((kind, kind_words(kind)) for kind in AUTHORITY), key=lambda pair: pair[1])
    return [
        DateField("from_on", "&From", hint="Empty: from the first entry."),
        DateField("to_on", "T&o", hint="Empty: to the last."),
        _choice("account_id", "P&erson", _any(offers.people, "Everybody"), chosen=ANY),
        _choice("kind", "&Kind of entry", _any(tuple(kinds), "All kinds"), chosen=ANY),
        TextField("text", "Te&xt in the entry", max_length=100, placeholder="capitals matter"),
    ]


def _trail(desk: Desk, act: Act, values: Values, tell: Tell) -> Printed:
    form = TrailForm(
        values["from_on"], values["to_on"], _given(values["account_id"]), _given(values["kind"]), values["text"]
    )
    return print_audit_trail(desk, act, form, tell)


def _past_fields(offers: Offers) -> list[Field]:
    strengths = tuple((show(each), say_mg(each)) for each in STRENGTHS_MG)
    known = (("then", "As was known then"), ("now", "As is known now"))
    return [
        DateTimeField("at", "Mo&ment", required=True),
        _choice("known", "&Known", known, chosen="then"),
        _choice("strength_mg", "St&rength", _any(strengths, "All strengths"), chosen=ANY),
        _choice("lot", "&Lot", _any(offers.lots, "All lots"), chosen=ANY),
    ]


def _past(desk: Desk, act: Act, values: Values, tell: Tell) -> Printed:
    form = PastForm(values["at"], values["known"], _given(values["strength_mg"]), _given(values["lot"]))
    return print_past(desk, act, form, tell)


def _one(key: str, words: str, says: str, field: tuple[str, str, str], none: str, work: Work) -> Record:
    """A record of one thing: ``field`` names the field, its label, and which offers it has."""
    name, label, of = field

    def fields(offers: Offers) -> list[Field]:
        return [_choice(name, label, getattr(offers, of))]

    def missing(offers: Offers) -> str:
        return "" if getattr(offers, of) else none

    return Record(key, words, says, fields, work, missing)


def _by(name: str, print_one: Callable[[Desk, Act, str], Printed]) -> Work:
    def work(desk: Desk, act: Act, values: Values, tell: Tell) -> Printed:
        tell(0, 1)
        return print_one(desk, act, values[name])

    return work


def _by_telling(name: str, print_one: Callable[[Desk, Act, str, Tell], Printed]) -> Work:
    def work(desk: Desk, act: Act, values: Values, tell: Tell) -> Printed:
        return print_one(desk, act, values[name], tell)

    return work


def _delegation(desk: Desk, act: Act, _values: Values, tell: Tell) -> Printed:
    return print_delegation_log(desk, act, tell)


_SUBJECT = ("subject_number", "Su&bject", "subjects")
_no = partial("No {} is on record yet.".format)

RECORDS = (
    Record(
        "accountability",
        "Accountability record",
        "Every receipt, use and disposition of one strength, with the balance after each line.",
        _accountability_fields,
        _accountability,
        _always,
    ),
    _one(
        "dispensing",
        "Dispensing log of a subject",
        "What was prepared and given to one subject, dose by dose.",
        _SUBJECT,
        _no("subject"),
        _by_telling("subject_number", print_dispensing_log),
    ),
    _one(
        "dose",
        "Record of a dose",
        "The whole thread of one dose, from the weight to the destroyed vial.",
        ("dose_id", "Do&se", "doses"),
        _no("dose"),
        _by("dose_id", print_dose),
    ),
    _one(
        "calendar",
        "Treatment calendar",
        "One subject's treatment as it stands today.",
        _SUBJECT,
        _no("subject"),
        _by("subject_number", print_treatment_calendar),
    ),
    _one(
        "receipt",
        "Receipt of a shipment",
        "What came, against the packing list, and its temperatures on the way.",
        ("number", "S&hipment", "shipments"),
        _no("shipment"),
        _by("number", print_receipt),
    ),
    _one(
        "form",
        "Return, transfer or destruction",
        "The form of one disposition, with the vials and the signatures.",
        ("number", "&Form", "forms"),
        _no("return, transfer or destruction"),
        _by_telling("number", print_form),
    ),
    _one(
        "count",
        "Count",
        "One count of the stock as it was signed.",
        ("number", "Cou&nt", "counts"),
        _no("count"),
        _by("number", print_count),
    ),
    _one(
        "discrepancy",
        "Discrepancy",
        "A difference between shelf and record, and how it was explained.",
        ("number", "D&iscrepancy", "discrepancies"),
        _no("discrepancy"),
        _by("number", print_discrepancy),
    ),
    _one(
        "deviation",
        "Storage deviation",
        "A temperature outside the limits, its vials, and what was decided.",
        ("deviation_id", "D&eviation", "deviations"),
        _no("storage deviation"),
        _by_telling("deviation_id", print_deviation),
    ),
    _one(
        "error",
        "Medication error",
        "The report of one medication error or near miss.",
        ("error_id", "&Error", "errors"),
        _no("medication error"),
        _by("error_id", print_medication_error),
    ),
    Record(
        "trail",
        "Audit trail",
        "Entries of the journal, oldest first, chosen by days, person, kind or text.",
        _trail_fields,
        _trail,
        _always,
    ),
    Record(
        "delegation",
        "Delegation and signature log",
        "Who may do what from when to when, and what each person signed.",
        lambda _offers: [],
        _delegation,
        _always,
    ),
    _one(
        "visit",
        "Monitor's visit",
        "What was reviewed, asked and accounted for in one visit.",
        ("number", "&Visit", "visits"),
        "No visit was opened yet.",
        _by_telling("number", print_visit),
    ),
    _one(
        "close_out",
        "Close-out",
        "The account of all vials at the end of the study, as it was signed.",
        ("number", "Close-&out", "close_outs"),
        "The study is not closed out yet.",
        _by("number", print_close_out),
    ),
    Record(
        "past",
        "Record at a past moment",
        "Stock and ledger as they stood at one moment.",
        _past_fields,
        _past,
        _always,
    ),
)
"""Every record that can be printed here, in the order in which they are offered."""
