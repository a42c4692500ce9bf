"""Corrections of what was measured, prepared and given, and of a subject's facts.

The old values stay in the journal; the new ones count. What was decided with an old value is not decided any more.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.findings import Finding
from pharmacy_app.domain.medication_errors import StoppedFor
from pharmacy_app.domain.units import HeightUnit, WeightUnit, exceeds, show
from pharmacy_app.services import views
from pharmacy_app.services.administration import (
    SINCE_DECIDED,
    Administration,
    AdministrationForm,
    dosing_error,
    read_given,
)
from pharmacy_app.services.correcting import Case, Field, Outcome, Way, nothing_in_the_way
from pharmacy_app.services.desk import protocol_of
from pharmacy_app.services.doses import thread_of
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.preparation import PrepareForm, read_preparation
from pharmacy_app.services.subjects import MeasurementForm, SubjectForm, read_facts, read_measurement

TYPED_MOMENT = "%Y-%m-%d %H:%M"


def _typed(moment: str | None, zone: ZoneInfo) -> str:
    """A kept moment as a person at the site would type it."""
    return "" if moment is None else datetime.fromisoformat(moment).astimezone(zone).strftime(TYPED_MOMENT)


# --- a height or a weight ---------------------------------------------------------------------------------------


def _measured_fields(_reader: Reader, event: views.EventLine, _zone: ZoneInfo) -> tuple[Field, ...]:
    measured = {each["kind"]: each for each in event.content["measured"]}
    gone = "Leave it empty if it was never measured."
    height, weight = measured.get("height", {}), measured.get("weight", {})
    return (
        Field("height", "Height", height.get("typed_value", ""), gone),
        Field(
            "height_unit",
            "Unit of the height",
            height.get("typed_unit", "cm"),
            options=tuple(str(unit) for unit in HeightUnit),
        ),
        Field("weight", "Weight", weight.get("typed_value", ""), gone),
        Field(
            "weight_unit",
            "Unit of the weight",
            weight.get("typed_unit", "kg"),
            options=tuple(str(unit) for unit in WeightUnit),
        ),
        Field("measured_on", "Measured on", event.content["measured_on"]),
        Field("confirm", "Why an unlikely value is right", "", "Only when the value is unlikely.", aside=True),
    )


def _measured(case: Case) -> Outcome:
    content, reading, reader = case.event.content, case.reading, case.reader
    number = content["subject_number"]
    measured_on = reading.day(case.typed["measured_on"], "measured_on", today=case.moment.today)
    form = MeasurementForm(
        number,
        case.typed["measured_on"],
        case.typed["height"],
        case.typed["height_unit"],
        case.typed["weight"],
        case.typed["weight_unit"],
    )
    others = [row for row in reader.measurements(number) if row.event_seq != case.event.seq]
    values = []
    if form.height.strip() or form.weight.strip():
        read = read_measurement(reading, form, _newest(others, "height"))
        if not case.typed["confirm"].strip():
            for finding in read.findings:
                reading.fault("confirm", finding.sentence, finding.rule, finding.section)
            last, weight = _newest(others, "weight"), read.weight if not reading.faults else None
            over = protocol_of(case.moment.site, measured_on).weight.change_over_percent
            if weight and last is not None and exceeds(weight.value, last, over):
                reading.fault(
                    "confirm",
                    f"The last other weight was {show(last)} kg: {show(weight.value)} kg is more than {show(over)} %"
                    " away. If it is right, say so here.",
                    "R14",
                    "8.1.3",
                )
        values = [(kind, value) for kind, value in (("height", read.height), ("weight", read.weight)) if value]
    reading.done()
    decided = tuple(_doses_by(case, number, {kind: value.value for kind, value in values}, measured_on))
    return Outcome(
        {
            "subject_number": number,
            "measured_on": measured_on,
            "replaces": [each["kind"] for each in content["measured"]],
            "measured": [
                {"kind": kind, "typed_value": value.typed, "typed_unit": value.typed_unit, "value": value.value}
                for kind, value in values
            ],
            "confirm": case.typed["confirm"].strip(),
            "used_in": [_used_in(thread) for thread, _ in decided],
        },
        notes=tuple((thread.line.dose_id, sentence) for thread, sentence in decided),
    )


def _used_in(thread: views.DoseThread) -> dict[str, Any]:
    """A dose that was decided by a value that is another one now, with the entries whose review that opens again."""
    entries = [seq for seq in (thread.decision_seq, thread.administer_seq) if seq is not None]
    return {"dose_id": thread.line.dose_id, "entries": entries}


def _newest(rows: Iterable[views.MeasurementLine], kind: str) -> Decimal | None:
    return next((row.value for row in rows if row.kind == kind), None)


def _doses_by(
    case: Case, subject_number: str, new: dict[str, Decimal], new_on: date
) -> Iterable[tuple[views.DoseThread, str]]:
    """The doses that were decided by a value that is another one now, and what each is told."""
    on = case.event.content["measured_on"]
    old = {
        each["kind"]: Decimal(each["value"])
        for each in case.event.content["measured"]
        if (new.get(each["kind"]), new_on.isoformat()) != (Decimal(each["value"]), on)
    }
    for line in case.reader.doses(subject_number=subject_number):
        thread = thread_of(case.reader, line.dose_id)
        if thread.decision is None or line.status == "cancelled":
            continue
        facts = thread.decision["facts"]
        used = [
            f"{kind} of {show(old[kind])} {unit}"
            for kind, unit, fact in (("height", "cm", facts["height"]), ("weight", "kg", facts["dosing_weight"]))
            if kind in old and fact and _is(fact, unit, old[kind], on)
        ]
        if used:
            so_far = (
                "The dose was given: tell the investigator."
                if line.given_on
                else "It must be decided again before it goes on."
            )
            yield (
                thread,
                f"The {' and the '.join(used)} of {say_day(date.fromisoformat(on))}, by which this dose was calculated,"
                f" was corrected: {case.why}. {so_far}",
            )


def _is(fact: dict[str, Any], unit: str, value: Decimal, on: str) -> bool:
    return Decimal(fact[unit]) == value and fact["measured_on"] == on


MEASUREMENT = Way(
    act="measurement_corrected",
    title="Height and weight",
    says="The new values count; the old ones stay readable, struck through. What was decided by them and not given must"
    " be decided again.",
    second_person=False,
    fields=_measured_fields,
    in_the_way=nothing_in_the_way,
    build=_measured,
    kinds=("measurement_recorded", "measurement_corrected"),
)


# --- what was given ---------------------------------------------------------------------------------------------


def _given_fields(_reader: Reader, event: views.EventLine, zone: ZoneInfo) -> tuple[Field, ...]:
    given = event.content["administration"]
    return (
        Field("started_at", "Started", _typed(given["started_at"], zone)),
        Field("ended_at", "Ended", _typed(given["ended_at"], zone)),
        Field("given", "Given", show(Decimal(given["given"]))),
        Field("unit", "Unit", given["unit"], options=("mg", "mL")),
        Field("note", "Note", given["note"]),
        Field(
            "stopped_for",
            "Stopped part-way for",
            given.get("stopped_for", ""),
            options=("", *(str(each) for each in StoppedFor)),
        ),
        Field("premedicated_at", "Premedication given", _typed(given.get("premedicated_at"), zone)),
    )


def _given_in_the_way(reader: Reader, event: views.EventLine, _zone: ZoneInfo) -> tuple[Fault, ...]:
    line = thread_of(reader, event.content["dose_id"]).line
    if event.content["administration"]["given_on"] is not None:
        return ()
    again = [
        other.dose_id
        for other in reader.doses(subject_number=line.subject_number)
        if other.dose_id != line.dose_id
        and (other.course, other.cycle, other.day) == (line.course, line.cycle, line.day)
        and other.status != "cancelled"
        and other.administered_mg != 0
    ]
    return tuple(
        Fault(
            "",
            f"Nothing was given of this dose, so the day was ordered again as dose {dose_id}. Cancel that one first.",
            "A25",
            "8.1.3",
        )
        for dose_id in again
    )


def _given(case: Case) -> Outcome:
    dose_id = case.event.content["dose_id"]
    thread = thread_of(case.reader, dose_id)
    form = AdministrationForm(dose_id, **{name: case.typed[name] for name in _GIVEN})
    before = from_plain(tuple[Finding, ...], case.event.content["administration"]["findings"])
    said = [finding for finding in before if finding.sentence.startswith(SINCE_DECIDED)]
    given = read_given(case.reading, thread, form, case.moment, lambda: said)
    earlier = _error_of(case.reader, dose_id)
    error = None if earlier else dosing_error(case.reader, thread, given)
    return Outcome(
        {
            "dose_id": dose_id,
            "administration": given,
            "medication_error": error,
            # What was assessed by the old values is assessed again; the record itself is never deleted.
            "reopens": earlier.error_id if earlier else "",
        },
        notes=((earlier.error_id, _to_assess(case, given)),) if earlier else (),
    )


_GIVEN = ("started_at", "ended_at", "given", "unit", "note", "stopped_for", "premedicated_at")


def _error_of(reader: Reader, dose_id: str) -> views.ErrorLine | None:
    """The medication-error record that the administration of a dose has opened by its amount."""
    return next(
        (error for error in reader.errors() if error.dose_id == dose_id and error.source == "dosing rule"), None
    )


def _to_assess(case: Case, given: Administration) -> str:
    finding = given.comparison.finding
    now = finding.sentence if finding else "By this amount there is no dosing medication error any more."
    return (
        f"The administration of this dose was corrected to {show(given.administered_mg)} mg: {case.why}. {now} Assess"
        " the record again."
    )


ADMINISTRATION = Way(
    act="administration_corrected",
    title="Administration",
    says="Given is compared with prescribed again. A difference of 10 % or more that was not there opens a"
    " medication-error record; one that falls away leaves its record open, to be assessed.",
    second_person=False,
    fields=_given_fields,
    in_the_way=_given_in_the_way,
    build=_given,
    kinds=("dose_administered", "administration_corrected"),
)


# --- the preparation --------------------------------------------------------------------------------------------


def _prepared_fields(_reader: Reader, event: views.EventLine, zone: ZoneInfo) -> tuple[Field, ...]:
    prepared = event.content["preparation"]
    return (
        Field("reconstituted_at", "Reconstituted", _typed(prepared["reconstituted_at"], zone)),
        Field("diluted_at", "Diluted", _typed(prepared["diluted_at"], zone)),
        *(
            Field(f"drawn_ml.{draw['unit_number']}", f"Drawn from {draw['unit_number']} (mL)", _ml(draw["drawn_ml"]))
            for draw in prepared["draws"]
        ),
    )


def _ml(kept: str) -> str:
    return format(Decimal(kept).normalize(), "f")


def _prepared_in_the_way(reader: Reader, event: views.EventLine, _zone: ZoneInfo) -> tuple[Fault, ...]:
    line = thread_of(reader, event.content["dose_id"]).line
    if line.status in ("prepared", "released"):
        return ()
    return (
        Fault(
            "",
            f"Dose {line.dose_id} is {line.status}. Its preparation is corrected until the dose is administered; after"
            " that, correct the administration, and the closing of its vials.",
            "R55",
            "8.1.2",
        ),
    )


def _prepared(case: Case) -> Outcome:
    content = case.event.content
    dose_id = content["dose_id"]
    thread = thread_of(case.reader, dose_id)
    draws = tuple((draw["unit_number"], case.typed[f"drawn_ml.{draw['unit_number']}"]) for draw in _draws(content))
    form = PrepareForm(dose_id, case.typed["reconstituted_at"], case.typed["diluted_at"], draws)
    # The vials were opened already: what is judged of them is their expiry, which stands with what was drawn.
    prepared = read_preparation(case.reading, thread, form, case.moment, ())
    released_at = thread.released_at
    if thread.line.status == "released" and released_at is not None and prepared.diluted_at > released_at:
        case.reading.fault("diluted_at", f"The bag was released at {released_at:%H:%M}, before this dilution.")
    case.reading.done()
    finding = prepared.comparison.finding
    note = "The preparation was corrected: print the bag label again, and put the new labels on."
    if thread.line.status == "released":
        note = (
            "The preparation was corrected after the bag had left with its label. Tell the ward, print the label again"
            f" and have it put on.{' ' + finding.sentence if finding else ''}"
        )
    return Outcome({"dose_id": dose_id, "preparation": prepared}, notes=((dose_id, note),))


def _draws(content: dict[str, Any]) -> list[dict[str, Any]]:
    return list(content["preparation"]["draws"])


PREPARATION = Way(
    act="preparation_corrected",
    title="Preparation",
    says="Prepared is compared with prescribed again, the beyond-use time is set anew and the mg ledger follows. The"
    " bag label must be printed again before the bag is released.",
    second_person=True,
    fields=_prepared_fields,
    in_the_way=_prepared_in_the_way,
    build=_prepared,
    kinds=("dose_prepared", "preparation_corrected"),
)


# --- a subject --------------------------------------------------------------------------------------------------


def _subject_fields(_reader: Reader, event: views.EventLine, _zone: ZoneInfo) -> tuple[Field, ...]:
    content = event.content
    return (
        Field("birth", "Day or year of birth", content["birth"]),
        Field("initials", "Initials", content["initials"]),
        Field("enrolled_on", "Enrolled on", content["enrolled_on"]),
    )


def _subject(case: Case) -> Outcome:
    number = case.event.content["subject_number"]
    form = SubjectForm(number, case.typed["birth"], case.typed["initials"], case.typed["enrolled_on"])
    facts = read_facts(case.reading, form, case.moment.today)
    case.reading.done()
    notes, used_in = [], []
    if facts["birth"] != case.event.content["birth"]:
        for line in case.reader.doses(subject_number=number):
            thread = thread_of(case.reader, line.dose_id)
            if line.status != "cancelled" and thread.decision is not None:
                so_far = "was given" if line.given_on else "must be decided again before it goes on"
                notes.append((line.dose_id, f"The subject's birth was corrected: {case.why}. This dose {so_far}."))
                used_in.append(_used_in(thread))
    return Outcome({"subject_number": number, **facts, "used_in": used_in}, notes=tuple(notes))


SUBJECT = Way(
    act="subject_corrected",
    title="Subject",
    says="The new facts count. Doses that were decided by another age and are not given must be decided again.",
    second_person=False,
    fields=_subject_fields,
    in_the_way=nothing_in_the_way,
    build=_subject,
    kinds=("subject_enrolled", "subject_corrected"),
)

DOSE_WAYS = (MEASUREMENT, ADMINISTRATION, PREPARATION, SUBJECT)
"""The ways of correcting what was measured, prepared, given, and known of a subject."""
