"""One dose, or a file of doses, calculated outside any record: a row in, a row out."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from pharmacy_app.domain.dosing import DoseDecision, DoseRequest, GivenDose, Height, UsedWeight, Weight, decide
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.settings import BsaFormula, StudySettings
from pharmacy_app.domain.units import HeightUnit, WeightUnit, check_measurements, read_height, read_weight
from pharmacy_app.services.calculator_course import (
    COURSE_COLUMNS,
    CRITERIA_COLUMNS,
    read_criteria_columns,
    read_history,
    read_overrides,
    read_treatment,
)
from pharmacy_app.services.export import safe_cell
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.subjects import birth_of, read_birth
from pharmacy_app.services.treatment import MAX_COURSES

COLUMNS = (
    "row_id",
    "height",
    "height_unit",
    "weight",
    "weight_unit",
    "weight_on",
    "course",
    "cycle",
    "day",
    "level",
    "planned_on",
    "day1_on",
    "birth",
    "prior_weight_kg",
    "prior_weight_on",
    "prescribed_mg",
    "newest_weight_kg",
    "newest_weight_on",
    "formula_before",
    *COURSE_COLUMNS,
    *CRITERIA_COLUMNS,
)
"""What a row may hold. Needed are height, weight, cycle and day, and the level beyond cycle 1.

Left empty, units are cm and kg, the course is the first, the infusion is today and the weight is of its day and the
newest one; all else is unknown. The weight named is the one to dose by; a newer one that is not used stands apart.
"""

NEEDED = ("height", "weight", "cycle", "day")

RESULTS = (
    "dose_mg_per_m2",
    "bsa_m2",
    "planned_mg_unrounded",
    "planned_mg",
    "prescribed_difference_percent",
    "may_go_on",
    "findings",
    "faults",
)


ProtocolOn = Callable[[date], Protocol]
"""The protocol in force on a day."""


@dataclass(frozen=True, slots=True)
class Calculated:
    """One row's outcome: a decision, or the faults that kept it from being made."""

    row: dict[str, str]
    decision: DoseDecision | None
    faults: tuple[Fault, ...]

    def cells(self) -> dict[str, str]:
        """The results as text, exact decimals in plain digits; '' where nothing was calculated."""
        made = self.decision
        texts = dict.fromkeys(RESULTS, "")
        texts["faults"] = " | ".join(str(fault) for fault in self.faults)
        if made is not None:
            for name in ("dose_mg_per_m2", "bsa_m2", "planned_mg_unrounded", "planned_mg"):
                value = getattr(made, name)
                texts[name] = "" if value is None else format(value, "f")
            if made.prescribed is not None and made.prescribed.percent is not None:
                texts["prescribed_difference_percent"] = format(made.prescribed.percent, "f")
            texts["may_go_on"] = "yes" if made.may_go_on else "no"
            texts["findings"] = " | ".join(
                f"{finding.rule} {finding.severity}: {finding.sentence}" for finding in made.findings
            )
        return texts


def calculate(row: Mapping[str, str], settings: StudySettings, protocol_on: ProtocolOn, today: date) -> Calculated:
    """Calculate one row by the protocol in force on its day; whatever is wrong with it comes back as faults."""
    typed = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if row.get(""):
        more = Fault(
            "", f"The row has more cells than the header has columns (“{row['']}”). Was a comma meant as a point?"
        )
        return Calculated(typed, None, (more,))
    try:
        return Calculated(typed, decide(request_from(typed, settings, protocol_on, today)), ())
    except Refused as refused:
        return Calculated(typed, None, refused.faults)


def request_from(row: Mapping[str, str], settings: StudySettings, protocol_on: ProtocolOn, today: date) -> DoseRequest:
    """The request that a typed row asks; raises ``Refused`` with every fault of it."""
    typed = {name: (row.get(name) or "").strip() for name in COLUMNS}
    reading = Reading()
    for name in NEEDED:
        if not typed[name]:
            reading.fault(name, f"“{name}” is empty. It is needed for every dose.")
    reading.done()
    height_unit = reading.choice(
        typed["height_unit"] or "cm", "height_unit", "The unit of height", tuple(str(unit) for unit in HeightUnit)
    )
    weight_unit = reading.choice(
        typed["weight_unit"] or "kg", "weight_unit", "The unit of weight", tuple(str(unit) for unit in WeightUnit)
    )
    height = reading.take(lambda: read_height(typed["height"], HeightUnit(height_unit)), None)
    weight = reading.take(lambda: read_weight(typed["weight"], WeightUnit(weight_unit)), None)
    if height and weight:
        reading.faults.extend(check_measurements(weight.value, height.value).faults)
    planned_on = reading.day(typed["planned_on"], "planned_on") if typed["planned_on"] else today
    weight_on = reading.day(typed["weight_on"], "weight_on") if typed["weight_on"] else planned_on
    course = reading.count(typed["course"] or "1", "course", "The course", low=1, high=MAX_COURSES)
    cycle = reading.count(typed["cycle"], "cycle", "The cycle", low=1, high=12)
    day = reading.count(typed["day"], "day", "The day of the cycle", low=1, high=35)
    level = reading.count(typed["level"] or "0", "level", "The dose level", low=-9, high=9)
    prescribed = None
    if typed["prescribed_mg"]:
        prescribed = reading.decimal(typed["prescribed_mg"], "prescribed_mg", "The prescribed dose", "mg")
    prior = None
    if typed["prior_weight_kg"]:
        kg = reading.decimal(typed["prior_weight_kg"], "prior_weight_kg", "The weight last used", "kg")
        used_on = reading.day(typed["prior_weight_on"], "prior_weight_on") if typed["prior_weight_on"] else planned_on
        prior = UsedWeight(kg, used_on)
    day1_on = reading.day(typed["day1_on"], "day1_on") if typed["day1_on"] else None
    treatment = read_treatment(reading, typed, planned_on, course, cycle)
    history = read_history(reading, typed)
    if day1_on and day > 1 and (course, cycle, 1) not in [(dose.course, dose.cycle, dose.day) for dose in history]:
        history = (*history, GivenDose(course, cycle, 1, level, day1_on))
    criteria = read_criteria_columns(reading, typed, (course, cycle, day), planned_on, history)
    overrides = read_overrides(reading, typed, min(today, planned_on))
    newest_kg = newest_on = None
    if typed["newest_weight_kg"]:
        newest_kg = reading.decimal(typed["newest_weight_kg"], "newest_weight_kg", "The newest weight", "kg")
        newest_on = reading.day(typed["newest_weight_on"], "newest_weight_on")
    formulas = tuple(str(formula) for formula in BsaFormula)
    formula_before = None
    if typed["formula_before"]:
        formula_before = reading.choice(typed["formula_before"], "formula_before", "The formula before", formulas)
    born = read_birth(reading, typed["birth"], today) if typed["birth"] else ""
    if cycle > 1 and not typed["level"]:
        reading.fault("level", "“level” is empty. It is needed beyond cycle 1: 0, -1 or -2.")
    reading.done()
    assert height is not None and weight is not None
    chosen = Weight(weight.value, weight_on)
    newest = chosen if newest_kg is None or newest_on is None else Weight(newest_kg, newest_on)
    return DoseRequest(
        today=today,
        protocol=protocol_on(planned_on),
        settings=settings,
        birth=birth_of(born) if born else None,
        course=course,
        cycle=cycle,
        day=day,
        level=level,
        planned_on=planned_on,
        prescribed_mg=prescribed,
        height=Height(height.value, weight_on),
        dosing_weight=chosen,
        current_weight=newest,
        prior_weight_used=prior,
        formula_before=BsaFormula(formula_before) if formula_before else None,
        day1_on=day1_on,
        scheduled_on=treatment.planned_day1(course, cycle) if day == 1 else None,
        history=history,
        overrides=overrides,
        treatment=treatment,
        criteria=criteria,
    )


def read_batch(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """The rows of a CSV file by column name, one at a time; raises ``Refused`` when it is no such file at all.

    ``lines`` is the file opened as text with ``newline=""``; however long it is, one row is held.
    """
    table = csv.DictReader(lines, strict=True)
    try:
        names = [name.strip() for name in table.fieldnames or ()]
        unknown = [name for name in names if name not in COLUMNS]
        twice = sorted({name for name in names if names.count(name) > 1})
        missing = [name for name in NEEDED if name not in names]
        if unknown or missing or twice:
            problem = "; ".join(
                part
                for part in (
                    f"named twice: {', '.join(twice)}" if twice else "",
                    f"unknown: {', '.join(unknown)}" if unknown else "",
                    f"missing: {', '.join(missing)}" if missing else "",
                )
                if part
            )
            if len(names) == 1 and ";" in names[0]:
                problem = "they are separated by semicolons; save the file with commas"
            raise Refused(Fault("batch", f"The columns do not fit ({problem}). Known are: {', '.join(COLUMNS)}."))
        table.fieldnames = names
        for row in table:
            # What stands beyond the last column is kept under '', so that the row is refused and not read askew.
            yield {
                name or "": value if isinstance(value, str) else ",".join(value or ()) for name, value in row.items()
            }
    except csv.Error as error:
        raise Refused(Fault("batch", f"The file cannot be read as CSV: {error}.")) from error
    except UnicodeDecodeError:
        raise Refused(Fault("batch", "The file is not UTF-8 text. Save it as “CSV UTF-8”.")) from None


def batch_csv(results: Iterable[Calculated]) -> Iterator[str]:
    """The outcome as lines of CSV: the row as given, then what was calculated."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")

    def line(cells: Iterable[str]) -> str:
        out.seek(0)
        out.truncate()
        writer.writerow([safe_cell(cell) for cell in cells])
        return out.getvalue()

    yield line((*COLUMNS, *RESULTS))
    for result in results:
        cells = result.cells()
        yield line([*(result.row[name] for name in COLUMNS), *(cells[name] for name in RESULTS)])
