"""Subjects of the study: enroll with a number and a birth date, record heights and weights. No names are kept."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pharmacy_app.domain.drift import Drift, drift_watch
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.findings import Finding
from pharmacy_app.domain.request import UsedWeight, Weight
from pharmacy_app.domain.schedule import Birth
from pharmacy_app.domain.units import (
    HeightUnit,
    Measured,
    WeightUnit,
    check_measurements,
    exceeds,
    read_height,
    read_weight,
    show,
)
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, protocol_of, site_of, today_of
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading, read_day


@dataclass(frozen=True, slots=True)
class SubjectForm:
    """A subject as typed: number, day or year of birth, and initials where the site uses them."""

    subject_number: str
    birth: str
    initials: str = ""
    enrolled_on: str = ""


@dataclass(frozen=True, slots=True)
class MeasurementForm:
    """Height and weight as typed, either or both, with their day. ``confirm`` says why unlikely values are right."""

    subject_number: str
    measured_on: str
    height: str = ""
    height_unit: str = "cm"
    weight: str = ""
    weight_unit: str = "kg"
    confirm: str = ""


def enroll(desk: Desk, act: Act, form: SubjectForm) -> Event:
    """Enroll a subject; the number is used once and never again."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        number = reading.text(form.subject_number, "subject_number", "The subject number", longest=20).upper()
        if number and not re.fullmatch(r"[A-Z0-9][A-Z0-9-]*", number):
            reading.fault("subject_number", "A subject number has letters, digits and hyphens only; never a name.")
        if writer.subject(number) is not None:
            reading.fault("subject_number", f"Subject {number} is enrolled already.")
        facts = read_facts(reading, form, moment.today)
        reading.done()
        return Draft({"subject_number": number, **facts})

    return perform(desk, act, "subject_enrolled", form, build)


def read_facts(reading: Reading, form: SubjectForm, today: date) -> dict[str, object]:
    """Initials, birth and day of enrolment as they are kept; an empty day of enrolment is today."""
    initials = form.initials.strip().upper()
    if initials and not re.fullmatch(r"[A-Z][A-Z-]{0,2}[A-Z]", initials):
        reading.fault("initials", "Initials are two to four letters, or left empty. Never type a name.")
    birth = read_birth(reading, form.birth, today)
    enrolled_on = today
    if form.enrolled_on.strip():
        enrolled_on = reading.day(form.enrolled_on, "enrolled_on", today=today)
    return {"initials": initials, "birth": birth, "enrolled_on": enrolled_on}


def read_birth(reading: Reading, typed: str, today: date) -> str:
    """A day of birth or a year alone, as it is kept: ``1980-05-17`` or ``1980``."""
    text = typed.strip()
    if re.fullmatch(r"\d{4}", text):
        year = int(text)
        if not today.year - 120 <= year <= today.year:
            reading.fault("birth", f"{year} is not a year of birth. Check the four digits.")
        return text
    day = reading.take(lambda: read_day(text, "birth"), today)
    if day > today:
        reading.fault("birth", "The date of birth is in the future.")
    elif day.year < today.year - 120:
        reading.fault("birth", f"{day.year} is not a year of birth. Check the four digits.")
    return day.isoformat()


def birth_of(text: str) -> Birth:
    """The kept day or year of birth as the dose rules read it."""
    parts = [int(part) for part in text.split("-")]
    return Birth(*parts)


@dataclass(frozen=True, slots=True)
class MeasurementReading:
    """What was typed, converted, and what is unlikely about it."""

    height: Measured | None
    weight: Measured | None
    findings: tuple[Finding, ...]


def read_measurement(reading: Reading, form: MeasurementForm, last_height_cm: Decimal | None) -> MeasurementReading:
    """Read and check a height and weight; faults are collected, unlikely values come back as findings."""
    height = weight = None
    if not form.height.strip() and not form.weight.strip():
        reading.fault("weight", "Type a weight, a height, or both.")
    if form.height.strip():
        unit = reading.choice(form.height_unit, "height_unit", "The unit", tuple(str(unit) for unit in HeightUnit))
        height = reading.take(lambda: read_height(form.height, HeightUnit(unit), field="height"), None)
    if form.weight.strip():
        in_unit = reading.choice(form.weight_unit, "weight_unit", "The unit", tuple(str(unit) for unit in WeightUnit))
        weight = reading.take(lambda: read_weight(form.weight, WeightUnit(in_unit), field="weight"), None)
    check = check_measurements(
        weight.value if weight else None, height.value if height else (last_height_cm if weight else None)
    )
    reading.faults.extend(check.faults)
    return MeasurementReading(height, weight, check.findings)


def record_measurement(desk: Desk, act: Act, form: MeasurementForm) -> Event:
    """Record a height, a weight or both as one act. Unlikely values need a reason in ``confirm``."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        subject = writer.subject(form.subject_number)
        if subject is None:
            reading.fault("subject_number", f"Subject {form.subject_number} is not enrolled.")
        measured_on = reading.day(form.measured_on, "measured_on", today=moment.today)
        measured = read_measurement(reading, form, writer.last_measured(form.subject_number, "height"))
        confirm = reading.note(form.confirm, "confirm", "The reason", longest=300)
        if not confirm:
            for finding in measured.findings:
                reading.fault("confirm", finding.sentence, finding.rule, finding.section)
            last = writer.last_measured(form.subject_number, "weight")
            over = protocol_of(moment.site, measured_on).weight.change_over_percent
            weight = measured.weight if not reading.faults else None
            if weight and last is not None and exceeds(weight.value, last, over):
                reading.fault(
                    "confirm",
                    f"The last weight was {show(last)} kg: {show(weight.value)} kg is more than {show(over)} %"
                    " away. Weigh the subject again; if it is right, say so here.",
                    "R14",
                    "8.1.3",
                )
        reading.done()
        values = [(kind, value) for kind, value in (("height", measured.height), ("weight", measured.weight)) if value]
        return Draft(
            {
                "subject_number": form.subject_number,
                "measured_on": measured_on,
                "measured": [
                    {"kind": kind, "typed_value": value.typed, "typed_unit": value.typed_unit, "value": value.value}
                    for kind, value in values
                ],
            },
            why=confirm,
        )

    return perform(desk, act, "measurement_recorded", form, build)


def drift_of(desk: Desk, reader: Reader, subject_number: str) -> Drift:
    """The line of a subject's weight against the weight last used for a given dose, by today's protocol (RULES A3).

    Raises ``Refused`` for a subject that is not enrolled.
    """
    if reader.subject(subject_number) is None:
        raise Refused(Fault("subject_number", f"Subject {subject_number} is not enrolled."))
    measured = [
        Weight(row.value, row.measured_on)
        for row in reversed(reader.measurements(subject_number))
        if row.kind == "weight"
    ]
    used = []
    for dose in sorted(reader.doses(subject_number=subject_number), key=lambda dose: dose.dose_id):
        if dose.given_on is None:
            continue
        thread = reader.dose(dose.dose_id)
        if thread is not None and thread.weight_kg is not None:
            used.append(UsedWeight(thread.weight_kg, dose.given_on))
    return drift_watch(measured, used, protocol_of(site_of(reader), today_of(desk, reader)))
