"""What is behind an amount of a dose, of a vial's mg ledger, of all that a subject was given, or behind a weight."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.units import HeightUnit, WeightUnit, read_height, read_weight, show
from pharmacy_app.services import views
from pharmacy_app.services.behind_parts import Behind, Part, summed
from pharmacy_app.services.doses import decision_of
from pharmacy_app.services.ports import Reader

AMOUNTS = ("prescribed", "calculated", "prepared", "administered")
"""The amounts of a dose, in the order in which they come about."""

DIFFERENCES = {"difference": "administered", "prepared difference": "prepared"}
"""How far an amount is from the prescribed one: two entries, and a quotient that sums from nothing."""


@dataclass(frozen=True, slots=True)
class Amount:
    """One of the amounts of a dose, in mg (``AMOUNTS``), or how far one is from the prescribed (``DIFFERENCES``)."""

    dose_id: str
    which: str


@dataclass(frozen=True, slots=True)
class Mg:
    """An amount of the mg ledger of an opened vial: 'labelled', 'withdrawn', 'residue' or 'discarded'."""

    unit_number: str
    which: str


@dataclass(frozen=True, slots=True)
class Given:
    """What a subject was given in all: in mg, or how many doses."""

    subject_number: str
    doses: bool = False


@dataclass(frozen=True, slots=True)
class Measurement:
    """A height or weight as it is used, and the entry that it was typed in."""

    event_seq: int
    subject_number: str
    kind: str


def _thread(reader: Reader, dose_id: str) -> views.DoseThread:
    thread = reader.dose(dose_id)
    if thread is None:
        raise Refused(Fault("", f"There is no dose {dose_id}."))
    return thread


def amount(reader: Reader, what: Amount) -> Behind:
    """What is behind an amount of a dose; a prepared one is summed from what was withdrawn of each vial."""
    thread = _thread(reader, what.dose_id)
    line = thread.line
    documents = tuple(reader.documents(about=line.dose_id))
    of = f"of dose {line.dose_id}, subject {line.subject_number}"
    if what.which in DIFFERENCES:
        name = DIFFERENCES[what.which]
        parts = tuple(_compared(thread, name))
        note = f"The difference is ({name} − prescribed) ÷ prescribed." if len(parts) > 1 else _NOT_YET
        return Behind(f"{name.capitalize()} against prescribed {of}", "%", None, parts, documents, note)
    if what.which not in AMOUNTS:
        raise Refused(Fault("", f"A dose has no amount “{what.which}”."))
    number, steps = _steps(thread, what.which)
    title = f"{what.which.capitalize()} amount {of}"
    if number is None:
        return Behind(title, "mg", None, (), documents, _NOT_YET)
    parts, total = summed(steps)
    return Behind(title, "mg", number, parts, documents, total=total)


_NOT_YET = "This dose has not come that far."


def _compared(thread: views.DoseThread, name: str) -> Iterator[Part]:
    line = thread.line
    yield Part(thread.order_seq, f"Prescribed {show(line.prescribed_mg)} mg by {line.prescriber}")
    seq, mg = thread.administer_seq, line.administered_mg
    if name == "prepared":
        seq, mg = thread.prepare_seq, thread.prepared_mg
    if mg is not None:
        yield Part(seq, f"{name.capitalize()} {show(mg, 4)} mg")


def _steps(thread: views.DoseThread, which: str) -> tuple[Decimal | None, list[Part]]:
    """The amount as the pages have it, and the parts that make it."""
    line = thread.line
    if which == "prescribed":
        ordered = Part(thread.order_seq, f"Ordered by {line.prescriber}", change=line.prescribed_mg)
        return line.prescribed_mg, [ordered]
    if which == "calculated":
        decision = decision_of(thread) if thread.decision is not None else None
        if decision is None:
            return None, []
        working = [
            Part(thread.decision_seq, f"{step.name}: {step.formula} = {step.result} {step.unit}")
            for step in decision.steps
        ]
        return decision.planned_mg, [*working, Part(thread.decision_seq, "Calculated dose", change=decision.planned_mg)]
    if which == "prepared":
        return thread.prepared_mg, [
            Part(
                thread.prepare_seq,
                f"Withdrawn from {each.unit_number}, {show(each.labelled_mg)} mg",
                change=each.withdrawn_mg,
            )
            for each in thread.mg
        ]
    given = None if thread.administration is None else Decimal(thread.administration["administered_mg"])
    return line.administered_mg, [Part(thread.administer_seq, "Administered", change=given)]


def mg(reader: Reader, what: Mg) -> Behind:
    """What is behind an amount of a vial's mg ledger; the residue and what was discarded are as the closing says."""
    life = reader.vial_life(what.unit_number)
    if life is None or life.mg is None:
        raise Refused(Fault("", f"{what.unit_number} has no mg ledger: it was not opened."))
    line, thread = life.mg, _thread(reader, life.mg.dose_id)
    documents = tuple(reader.documents(about=what.unit_number))
    title = f"{what.which.capitalize()} mg of vial {what.unit_number}, dose {line.dose_id}"
    number: Decimal | None
    if what.which == "labelled":
        number, steps = line.labelled_mg, list(_closing(thread, line, life.vial.strength_mg))
    elif what.which == "withdrawn":
        number = line.withdrawn_mg
        drawn = next(
            Decimal(draw["drawn_mg"]) for draw in thread.preparation["draws"] if draw["unit_number"] == what.unit_number
        )
        steps = [Part(thread.prepare_seq, f"Drawn for dose {line.dose_id}", change=drawn)]
    else:
        number = line.residue_mg if what.which == "residue" else line.discarded_mg
        said = "Left in the vial" if what.which == "residue" else "Drawn up or left over, and discarded"
        steps = [Part(thread.close_seq, said, change=number)]
    if number is None:
        return Behind(title, "mg", None, (), documents, "The vial is not closed in the mg ledger yet.")
    parts, total = summed(steps)
    return Behind(title, "mg", number, parts, documents, total=total)


def _closing(thread: views.DoseThread, line: views.MgLine, strength_mg: Decimal) -> Iterator[Part]:
    """What a labelled amount became; of an open vial, what is still to be closed."""
    yield Part(thread.prepare_seq, "Withdrawn", change=line.withdrawn_mg)
    if line.residue_mg is None or line.discarded_mg is None:
        yield Part(None, "Still to be closed as residue and discarded", change=strength_mg - line.withdrawn_mg)
        return
    yield Part(thread.close_seq, "Residue", change=line.residue_mg)
    yield Part(thread.close_seq, "Discarded", change=line.discarded_mg)


def given(reader: Reader, what: Given) -> Behind:
    """What a subject was given in all, dose by dose, in the order of the days."""
    subject = next((each for each in reader.subjects() if each.subject_number == what.subject_number), None)
    if subject is None:
        raise Refused(Fault("", f"Subject {what.subject_number} is not enrolled."))
    doses = [dose for dose in reader.doses(subject_number=what.subject_number) if dose.administered_mg]
    steps = []
    for dose in sorted(doses, key=lambda each: (each.given_on or each.planned_on, each.dose_id)):
        words = f"Dose {dose.dose_id}, course {dose.course} cycle {dose.cycle} day {dose.day}"
        change = Decimal(1) if what.doses else dose.administered_mg
        steps.append(Part(_thread(reader, dose.dose_id).administer_seq, words, change=change))
    parts, total = summed(steps)
    documents = tuple(reader.documents(about=what.subject_number))
    title = f"{'Doses given' if what.doses else 'Given'} to subject {what.subject_number} in all"
    if what.doses:
        return Behind(title, "doses", Decimal(subject.doses_given), parts, documents, total=total)
    number = sum((dose.administered_mg for dose in doses if dose.administered_mg is not None), Decimal(0))
    return Behind(title, "mg", number, parts, documents, total=total)


def measured(reader: Reader, what: Measurement) -> Behind:
    """A height or weight: converted anew from what its entry has as typed."""
    lines = reader.measurements(what.subject_number, corrected=True)
    line = next((line for line in lines if (line.event_seq, line.kind) == (what.event_seq, what.kind)), None)
    if line is None:
        raise Refused(Fault("", f"Entry {what.event_seq} has no {what.kind} of subject {what.subject_number}."))
    if line.kind == "height":
        unit, value = "cm", read_height(line.typed_value, HeightUnit(line.typed_unit)).value
    else:
        unit, value = "kg", read_weight(line.typed_value, WeightUnit(line.typed_unit)).value
    words = f"Measured on {say_day(line.measured_on)}, typed as {line.typed_value} {line.typed_unit}"
    parts, total = summed([Part(line.event_seq, words, change=value)])
    title = f"{line.kind.capitalize()} of subject {line.subject_number}, {say_day(line.measured_on)}"
    note = f"Corrected by entry {line.corrected_seq}: it counts no longer." if line.corrected_seq is not None else ""
    return Behind(title, unit, line.value, parts, tuple(reader.documents(about=line.subject_number)), note, total)
