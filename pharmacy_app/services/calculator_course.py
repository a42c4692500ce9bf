"""The course of treatment and the treatment-day criteria in the columns of a calculation file.

A cell that holds several items separates them by semicolons. A place is written ``course.cycle.day`` (``1.2.8``), a
day as ``2026-03-09``. What is left empty is not known.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from pharmacy_app.domain.criteria import Criteria, Lab
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.findings import Override
from pharmacy_app.domain.schedule import GivenDose
from pharmacy_app.domain.treatment import (
    Cause,
    CyclePlan,
    Delay,
    LevelChange,
    LevelReason,
    LiverFinding,
    Marrow,
    Omission,
    Removal,
    RemovalReason,
    Response,
    ResponseAssessment,
    RetreatmentOrder,
    Schedule,
    Toxicity,
    TransplantPlan,
    Treatment,
)
from pharmacy_app.services.reading import Reading, read_day
from pharmacy_app.services.treatment import YES_NO

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

COURSE_COLUMNS = {
    "scheduled_on": "first planned day 1 of this cycle",
    "given": "doses given: place, day, level beyond cycle 1: 1.1.1 2026-03-02; 1.2.1 2026-03-30 -1",
    "delays": "late doses: place, cause (toxicity or other): 1.1.8 toxicity",
    "omissions": "omitted doses: place, cause: 1.1.8 other",
    "level_changes": "course.cycle, level, reason: 1.3 -1 toxicity",
    "responses": "course.cycle after which, day, response: 1.1 2026-03-25 CR",
    "marrows": "day, blasts in %: 2026-03-15 4",
    "toxicities": "day, grade, related or unrelated, numeric where numbers alone grade it, or a liver finding:"
    " 2026-03-10 3 related; 2026-03-20 2 related possible VOD",
    "off_treatment": "course, day, reason: 1 2026-04-01 other",
    "retreatment_order": "course, day, schedule: 2 2026-09-01 first-cycle doses",
    "transplant_planned": "yes or no",
    "written_decisions": "rule, role of who decided: R36 principal investigator",
}
"""Columns of the course, with what they hold."""

CRITERIA_COLUMNS = {
    "criteria_on": "day of the answers and values below; the infusion's day when left out",
    "progression": "yes or no",
    "only_cns_or_testis": "yes or no",
    "toxicity_grade": "0 to 5",
    "toxicity_baseline_grade": "0 to 5",
    "liver_toxicity_suspected": "yes or no",
    "bilirubin": "value",
    "bilirubin_upper_limit": "in the same unit",
    "due_to_tumor": "yes or no",
    "gilbert": "yes or no",
    "ast": "value",
    "ast_upper_limit": "in the same unit",
    "alt": "value",
    "alt_upper_limit": "in the same unit",
    "alkaline_phosphatase": "value",
    "not_hepatobiliary": "yes or no",
    "creatinine_clearance": "mL/min",
    "anc": "10⁹/L",
    "platelets": "10⁹/L",
    "counts_low_from_disease": "yes or no",
    "platelets_transfused": "yes or no",
    "anc_before_treatment": "10⁹/L",
    "platelets_before_treatment": "10⁹/L",
    "anc_before_last_cycle": "10⁹/L",
    "platelets_before_last_cycle": "10⁹/L",
    "consent_on": "day",
    "screening_marrow_on": "day",
    "screening_tests_on": "day",
}
"""Columns of the treatment-day criteria, with what they hold."""

_LABS = ("bilirubin", "ast", "alt", "alkaline_phosphatase", "creatinine_clearance", "anc", "platelets")
_YES_NO = (
    "progression",
    "only_cns_or_testis",
    "liver_toxicity_suspected",
    "due_to_tumor",
    "gilbert",
    "not_hepatobiliary",
    "counts_low_from_disease",
    "platelets_transfused",
)
_BATCH = "as the calculation file says"


def read_history(reading: Reading, row: Mapping[str, str]) -> tuple[GivenDose, ...]:
    """The doses given before."""

    def read(text: str, field: str) -> GivenDose:
        found = _match(r"(\d+)\.(\d+)\.(\d+) (\S+)(?: (-?\d+))?", text, field)
        return GivenDose(int(found[1]), int(found[2]), int(found[3]), int(found[5] or 0), read_day(found[4], field))

    return _items(reading, row, "given", read)


def read_treatment(reading: Reading, row: Mapping[str, str], on: date, course: int, cycle: int) -> Treatment:
    """What is stated of the treatment; ``on`` stands for the days that a file does not name."""

    def place(text: str, field: str) -> tuple[tuple[int, int, int], Cause]:
        found = _match(r"(\d+)\.(\d+)\.(\d+) (\S+)", text, field)
        return (int(found[1]), int(found[2]), int(found[3])), _one_of(Cause, found[4], field)

    def delay(text: str, field: str) -> Delay:
        at, cause = place(text, field)
        return Delay(*at, cause, _BATCH, on, _BATCH)

    def omission(text: str, field: str) -> Omission:
        at, cause = place(text, field)
        return Omission(*at, cause, _BATCH, on, _BATCH)

    def level(text: str, field: str) -> LevelChange:
        found = _match(r"(\d+)\.(\d+) (-?\d+) (.+)", text, field)
        reason = _one_of(LevelReason, found[4], field)
        return LevelChange(int(found[1]), int(found[2]), 0, int(found[3]), reason, _BATCH, on, _BATCH)

    def response(text: str, field: str) -> ResponseAssessment:
        found = _match(r"(\d+)\.(\d+) (\S+) (\S+)", text, field)
        said = _one_of(Response, found[4], field)
        return ResponseAssessment(int(found[1]), int(found[2]), read_day(found[3], field), said)

    def marrow(text: str, field: str) -> Marrow:
        found = _match(r"(\S+) (\d+(?:\.\d+)?)", text, field)
        if Decimal(found[2]) > 100:
            raise Refused(Fault(field, f"Blasts are at most 100 %; “{text}” says more.", "R24", "6.0"))
        return Marrow(read_day(found[1], field), Decimal(found[2]))

    def toxicity(text: str, field: str) -> Toxicity:
        found = _match(r"(\S+) ([1-5]) (related|unrelated)(?: (.+))?", text, field)
        more = found[4] or ""
        liver = None if more in ("", "numeric") else _one_of(LiverFinding, more, field)
        onset_on = read_day(found[1], field)
        return Toxicity("toxicity", int(found[2]), found[3] == "related", onset_on, liver, more == "numeric")

    def removal(text: str, field: str) -> Removal:
        found = _match(r"(\d+) (\S+) (.+)", text, field)
        reason = _one_of(RemovalReason, found[3], field)
        return Removal(int(found[1]), read_day(found[2], field), reason, _BATCH, _BATCH)

    def retreatment(text: str, field: str) -> RetreatmentOrder:
        found = _match(r"(\d+) (\S+) (.+)", text, field)
        schedule = _one_of(Schedule, found[3], field)
        return RetreatmentOrder(int(found[1]), schedule, _BATCH, read_day(found[2], field), _BATCH)

    planned = _items(reading, row, "scheduled_on", lambda text, field: CyclePlan(course, cycle, read_day(text, field)))
    transplant = _yes_no(reading, row, "transplant_planned")
    return Treatment(
        plans=planned,
        delays=_items(reading, row, "delays", delay),
        omissions=_items(reading, row, "omissions", omission),
        level_changes=_chained(_items(reading, row, "level_changes", level)),
        responses=_items(reading, row, "responses", response),
        marrows=_items(reading, row, "marrows", marrow),
        toxicities=_items(reading, row, "toxicities", toxicity),
        removals=_items(reading, row, "off_treatment", removal),
        retreatments=_items(reading, row, "retreatment_order", retreatment),
        transplants=() if transplant is None else (TransplantPlan(transplant, on),),
    )


def _chained(changes: tuple[LevelChange, ...]) -> tuple[LevelChange, ...]:
    """The changes with the level each one left: a file names where a change leads, not where it came from."""
    treatment = Treatment()
    for change in changes:
        before = treatment.level_in_force(change.course, change.cycle)
        treatment = replace(treatment, level_changes=(*treatment.level_changes, replace(change, before=before)))
    return treatment.level_changes


def read_criteria_columns(
    reading: Reading,
    row: Mapping[str, str],
    place: tuple[int, int, int],
    planned_on: date,
    history: tuple[GivenDose, ...],
) -> tuple[Criteria, ...]:
    """The answers for this dose, and the earlier counts its criteria are judged by; none when nothing is filled in.

    An earlier count is taken as of the day on which that cycle began.
    """
    course, cycle, day = place
    on = reading.day(row["criteria_on"], "criteria_on") if row["criteria_on"] else planned_on
    earlier: list[Criteria] = []
    if cycle == 2:
        row = _one_start(reading, row)
    for at, suffix in (((course, 1, 1), "before_treatment"), ((course, cycle - 1, 1), "before_last_cycle")):
        began = next((dose.given_on for dose in history if (dose.course, dose.cycle, dose.day) == at), on)
        counts = {name: _lab(reading, row, f"{name}_{suffix}", "", began) for name in ("anc", "platelets")}
        if any(counts.values()) and at != place:
            earlier.append(Criteria(*at, assessed_on=began, anc=counts["anc"], platelets=counts["platelets"]))
    if not any(
        row[name] for name in CRITERIA_COLUMNS if not name.endswith(("_before_treatment", "_before_last_cycle"))
    ):
        return tuple(earlier)
    grades = {
        name: reading.count(row[name], name, "The grade", low=0, high=5) if row[name] else None
        for name in ("toxicity_grade", "toxicity_baseline_grade")
    }
    days = {
        name: reading.day(row[name], name) if row[name] else None
        for name in ("consent_on", "screening_marrow_on", "screening_tests_on")
    }
    labs = {name: _lab(reading, row, name, f"{name}_upper_limit", on) for name in _LABS}
    return (
        *earlier,
        Criteria(
            course,
            cycle,
            day,
            assessed_on=on,
            assessed_by=_BATCH,
            progression=_yes_no(reading, row, "progression"),
            only_cns_or_testis=_yes_no(reading, row, "only_cns_or_testis"),
            toxicity_grade=grades["toxicity_grade"],
            toxicity_baseline_grade=grades["toxicity_baseline_grade"],
            liver_toxicity_suspected=_yes_no(reading, row, "liver_toxicity_suspected"),
            bilirubin=labs["bilirubin"],
            due_to_tumor=_yes_no(reading, row, "due_to_tumor"),
            gilbert=_yes_no(reading, row, "gilbert"),
            ast=labs["ast"],
            alt=labs["alt"],
            alkaline_phosphatase=labs["alkaline_phosphatase"],
            not_hepatobiliary=_yes_no(reading, row, "not_hepatobiliary"),
            creatinine_clearance=labs["creatinine_clearance"],
            anc=labs["anc"],
            platelets=labs["platelets"],
            counts_low_from_disease=_yes_no(reading, row, "counts_low_from_disease"),
            platelets_transfused=_yes_no(reading, row, "platelets_transfused"),
            consent_on=days["consent_on"],
            screening_marrow_on=days["screening_marrow_on"],
            screening_tests_on=days["screening_tests_on"],
        ),
    )


def _one_start(reading: Reading, row: Mapping[str, str]) -> Mapping[str, str]:
    """The row of a cycle 2, whose cycle before began with treatment: both earlier counts are one measurement."""
    merged = dict(row)
    for name in ("anc", "platelets"):
        first, last = f"{name}_before_treatment", f"{name}_before_last_cycle"
        values = {field: reading.decimal(row[field], field, name, zero=True) for field in (first, last) if row[field]}
        if len(set(values.values())) > 1:
            reading.fault(
                last,
                f"“{first}” is {row[first]} and “{last}” is {row[last]}, but in cycle 2 the cycle before began with "
                "treatment, so both are the same count. Correct one, or leave it out.",
            )
        merged[first] = merged[last] = row[first] or row[last]
    return merged


def read_overrides(reading: Reading, row: Mapping[str, str], on: date) -> tuple[Override, ...]:
    """Written decisions to go on, taken as complete: a calculation keeps no document."""

    def read(text: str, field: str) -> Override:
        found = _match(r"([A-Z]+\d+) (.+)", text, field)
        return Override(found[1], _BATCH, found[2], on, _BATCH, _BATCH, _BATCH)

    return _items(reading, row, "written_decisions", read)


def _lab(reading: Reading, row: Mapping[str, str], name: str, limit_name: str, on: date) -> Lab | None:
    if not row[name]:
        return None
    value = reading.decimal(row[name], name, name, zero=True)
    typed = row.get(limit_name, "") if limit_name else ""
    return Lab(value, "", on, reading.decimal(typed, limit_name, limit_name) if typed else None)


def _yes_no(reading: Reading, row: Mapping[str, str], name: str) -> bool | None:
    return {"yes": True, "no": False}.get(reading.choice(row[name], name, name, YES_NO))


def _items(reading: Reading, row: Mapping[str, str], field: str, read: Callable[[str, str], T]) -> tuple[T, ...]:
    def all_items() -> tuple[T, ...]:
        return tuple(read(part.strip(), field) for part in row[field].split(";") if part.strip())

    return reading.take(all_items, ())


def _match(pattern: str, text: str, field: str) -> re.Match[str]:
    found = re.fullmatch(pattern, text, re.ASCII)
    if found is None:
        raise Refused(Fault(field, f"“{text}” cannot be read. In “{field}” goes: {COURSE_COLUMNS[field]}."))
    return found


def _one_of(kind: type[E], text: str, field: str) -> E:
    try:
        return kind(text)
    except ValueError:
        options = ", ".join(str(each) for each in kind)
        raise Refused(Fault(field, f"“{text}” is none of: {options}.")) from None
