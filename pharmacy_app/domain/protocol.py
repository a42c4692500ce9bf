"""The study protocol as data: read from TOML, checked on load with every fault named at once, and hashed.

Numbers in the rules come from here, never from code. Each table of the file carries the section of the
protocol it was read from.
"""

import difflib
import hashlib
import re
import tomllib
import typing
from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from pharmacy_app.domain.errors import Fault, Refused, Unavailable


def _whole_as_decimal(value: object) -> object:
    """A whole number in the file is as good a decimal as one with a point (but true is no number)."""
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


Number = Annotated[Decimal, BeforeValidator(_whole_as_decimal)]
Positive = Annotated[Number, Field(gt=0, le=1_000_000)]
Percent = Annotated[Number, Field(gt=0, lt=100)]
Days = Annotated[int, Field(ge=0, le=366)]
Count = Annotated[int, Field(ge=1, le=366)]
Words = Annotated[str, Field(min_length=1, pattern=r"\S")]
_ONE_SECTION = r"[0-9]+(\.[0-9]+)*(\([0-9]+\))?"
Section = Annotated[str, Field(pattern=rf"^{_ONE_SECTION}(, {_ONE_SECTION})*$")]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Study(_Table):
    """Names of the study. What the text does not state stays ``None`` and is the site's to enter."""

    title: Words
    short_title: Words
    phase: Words
    drug: Words
    sponsor: Words
    supporter: Words
    section: Section
    protocol_number: Words | None = None
    ind_number: Words | None = None


class Version(_Table):
    """Which text this file was read from."""

    label: Words
    amendment: Words | None = None
    effective_on: date | None = None


class DayDose(_Table):
    """The dose of one day of a cycle, in mg per m²."""

    day: Count
    mg_per_m2: Positive


class CycleDoses(_Table):
    """The doses of one cycle and their total, which the protocol states as well (mg per m²)."""

    section: Section
    total_mg_per_m2: Positive
    doses: Annotated[tuple[DayDose, ...], Field(min_length=1)]

    @field_validator("doses")
    @classmethod
    def _days_in_order(cls, doses: tuple[DayDose, ...]) -> tuple[DayDose, ...]:
        days = [dose.day for dose in doses]
        if days != sorted(set(days)) or days[0] != 1:
            raise ValueError("the days must start with day 1 and rise, each named once")
        return doses

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        total = sum((dose.mg_per_m2 for dose in self.doses), Decimal(0))
        if total != self.total_mg_per_m2:
            raise ValueError(f"the doses add up to {total} mg/m², but total_mg_per_m2 is {self.total_mg_per_m2}")
        return self

    @property
    def days(self) -> tuple[int, ...]:
        """The dosing days of the cycle."""
        return tuple(dose.day for dose in self.doses)

    def on_day(self, day: int) -> Decimal | None:
        """The dose of ``day`` in mg per m², or ``None`` when none is due."""
        return next((dose.mg_per_m2 for dose in self.doses if dose.day == day), None)


class LevelDoses(CycleDoses):
    """The doses of one dose level beyond cycle 1; level 0 is the starting one."""

    level: Annotated[int, Field(le=0, ge=-9)]


class Reductions(_Table):
    """Reductions of the dose level: from which cycle, how many, after how long an interruption (days)."""

    section: Section
    from_cycle: Count
    max_reductions: Annotated[int, Field(ge=0, le=9)]
    interruption_days: Days
    remission_level: Annotated[int, Field(le=0, ge=-9)]


class Regimen(_Table):
    """Doses by cycle, day and level."""

    section: Section
    max_cycles: Count
    first_cycle: CycleDoses
    levels: Annotated[tuple[LevelDoses, ...], Field(min_length=1)]
    reductions: Reductions

    @field_validator("levels")
    @classmethod
    def _levels_in_order(cls, levels: tuple[LevelDoses, ...]) -> tuple[LevelDoses, ...]:
        if [level.level for level in levels] != list(range(0, -len(levels), -1)):
            raise ValueError("the levels must be 0, -1, -2 and so on, in this order, each named once")
        return levels

    @model_validator(mode="after")
    def _remission_level_exists(self) -> Self:
        if self.reductions.remission_level not in [level.level for level in self.levels]:
            raise ValueError(f"reductions.remission_level {self.reductions.remission_level} is not one of the levels")
        return self

    def cycle_doses(self, cycle: int, level: int, *, as_later: bool = False) -> CycleDoses | None:
        """The doses of ``cycle`` at ``level``; ``None`` for a cycle or level that does not exist.

        ``as_later``: cycle 1 of a retreatment that was ordered with the doses of the later cycles (RULES A22).
        """
        if not 1 <= cycle <= self.max_cycles:
            return None
        if cycle == 1 and not as_later:
            return self.first_cycle if level == 0 else None
        return next((doses for doses in self.levels if doses.level == level), None)

    def dose_mg_per_m2(self, cycle: int, level: int, day: int, *, as_later: bool = False) -> Decimal | None:
        """The dose in mg per m², or ``None`` where the protocol has none."""
        doses = self.cycle_doses(cycle, level, as_later=as_later)
        return None if doses is None else doses.on_day(day)

    @property
    def smallest_mg_per_m2(self) -> Decimal:
        """The smallest dose in the table, in mg per m²."""
        return min(dose.mg_per_m2 for doses in (self.first_cycle, *self.levels) for dose in doses.doses)


class Retreatment(_Table):
    """A further course after relapse from a response."""

    section: Section
    max_cycles: Count
    min_response_months: Count
    edge_days: Days


class NoResponse(_Table):
    """When treatment ends without a response, and how far an exception reaches (cycles)."""

    section: Section
    after_cycles: Count
    max_cycles: Count


class Transplant(_Table):
    """Cycles before a planned transplantation, and the weeks between last dose and transplantation."""

    section: Section
    induction_cycles: Count
    min_weeks: Count
    max_weeks: Count


class Disease(_Table):
    """Blasts in the marrow (%) over which disease is persistent (strict)."""

    section: Section
    persistent_over_percent: Percent


class DoseInterval(_Table):
    """The least number of days between two doses, and whose number it is."""

    section: Section
    min_days: Count
    source: Words


class CycleLength(_Table):
    """Days from day 1 to the next day 1, both ends included."""

    section: Section
    min_days: Count
    max_days: Count

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_days > self.max_days:
            raise ValueError(f"min_days {self.min_days} must not be more than max_days {self.max_days}")
        return self


class SecondCycle(_Table):
    """When cycle 2 may start, by day of cycle 1 (RULES R22, R23, A6); both ends of each window are inside."""

    section: Section
    remission_day: Count
    persistent_day: Count
    margin_days: Days
    earliest_normal_day: Count
    earliest_day: Count
    third_dose_due_to_day: Count


class MarrowDays(_Table):
    """Days of the first cycle on which the marrow is taken, and how often afterwards (cycles)."""

    section: Section
    days: Annotated[tuple[Count, ...], Field(min_length=1)]
    margin_days: Days
    every_cycles_min: Count
    every_cycles_max: Count


class Windows(_Table):
    """How many days a dose may lie off its expected date, both ends included."""

    section: Section
    dose_days: Days
    dose_interval: DoseInterval
    cycle: CycleLength
    second_cycle: SecondCycle
    marrow: MarrowDays


class Delays(_Table):
    """How late a dose may be (days), and until which day a dose belongs to its cycle; the limits are inside."""

    section: Section
    within_cycle_max_days: Days
    same_cycle_to_day: Count
    next_cycle_max_days: Days


class CriteriaLimits(_Table):
    """Limits of the treatment-day criteria; each limit itself is inside."""

    section: Section
    blasts_increase_max_percent: Positive
    toxicity_max_grade: Annotated[int, Field(ge=0, le=5)]
    bilirubin_max_uln: Positive
    bilirubin_tumor_max_uln: Positive
    transaminase_max_uln: Positive
    creatinine_clearance_min_ml_per_min: Positive
    anc_min_10e9_per_l: Positive
    platelets_min_10e9_per_l: Positive


class ToxicityRules(_Table):
    """From which grade a related adverse event ends treatment, and by which scale grades are given."""

    section: Section
    removal_from_grade: Annotated[int, Field(ge=1, le=5)]
    scale: Words


class Evaluations(_Table):
    """How old (days) findings may be before the first therapy, and how often blood is counted."""

    section: Section
    screening_marrow_days: Days
    screening_days: Days
    blood_count_days: Days


class Premedication(_Table):
    """How long before the infusion premedication is given (minutes, both ends inside)."""

    section: Section
    min_minutes: Count
    max_minutes: Annotated[int, Field(ge=1, le=1440)]


class VitalSigns(_Table):
    """When vital signs are taken: minutes into the first infusion, hours after its end, margin later on."""

    section: Section
    first_minutes_into_infusion: Count
    first_hours_after_end: tuple[Count, ...]
    later_margin_minutes: Count


class SafetyReports(_Table):
    """Clocks of serious adverse events: hours and working days from awareness, days of follow-up."""

    section: Section
    supporter_hours: Count
    supporter_follow_up_days: Days
    ind_office_working_days: Count
    ind_office_urgent_working_days: Count
    follow_up_days: Days


class StoppingBoundary(_Table):
    """So many subjects with the toxicity among so many treated stop the trial."""

    treated: Count
    stop_from: Count


class ToxicityStopping(_Table):
    """The trial's toxicity stopping rule; shown, not judged here."""

    section: Section
    boundaries: Annotated[tuple[StoppingBoundary, ...], Field(min_length=1)]


class CommercialLabel(_Table):
    """The licensed product's doses (mg/m²) and the drug whose name looks alike: named so that nobody mixes them in."""

    section: Section
    source: Words
    mg_per_m2: Annotated[tuple[Positive, ...], Field(min_length=1)]
    look_alike: Words


class WeightRules(_Table):
    """Age of a weight before day 1 (days, inclusive); change beyond which a dose is recalculated (strict)."""

    section: Section
    max_age_days: Days
    change_over_percent: Percent


class DoseDifference(_Table):
    """The difference of two doses, in percent, from which it is flagged (inclusive), and the budget's warning."""

    section: Section
    from_percent: Percent
    budget_warn_percent: Percent


class Age(_Table):
    """Age limits in completed years."""

    section: Section
    min_years: Count
    adult_from_years: Count


class BsaRange(_Table):
    """Body surface areas (m²) outside which an entry error is likely; the ends are inside."""

    section: Section
    min_m2: Positive
    max_m2: Positive
    show_others_over_percent: Percent

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_m2 >= self.max_m2:
            raise ValueError(f"min_m2 {self.min_m2} must be less than max_m2 {self.max_m2}")
        return self


class Product(_Table):
    """The study drug as supplied."""

    section: Section
    strengths_mg: Annotated[tuple[Positive, ...], Field(min_length=1)]
    form: Words
    container: Words


class Storage(_Table):
    """Storage temperatures in °C, both ends included."""

    section: Section
    min_celsius: Number
    max_celsius: Number

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_celsius >= self.max_celsius:
            raise ValueError(f"min_celsius {self.min_celsius} must be less than max_celsius {self.max_celsius}")
        return self


class Infusion(_Table):
    """How the dose is given."""

    section: Section
    about_hours: Positive
    route: Words


class SectionText(_Table):
    """A sentence of the protocol that is printed or shown word for word."""

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    section: Section
    text: Words


class Protocol(_Table):
    """One version of the study protocol; ``sha256`` is the hash of the file's bytes."""

    format: Literal[1]
    study: Study
    version: Version
    regimen: Regimen
    retreatment: Retreatment
    no_response: NoResponse
    transplant: Transplant
    disease: Disease
    windows: Windows
    delays: Delays
    criteria: CriteriaLimits
    toxicity: ToxicityRules
    evaluations: Evaluations
    premedication: Premedication
    vital_signs: VitalSigns
    safety_reports: SafetyReports
    toxicity_stopping: ToxicityStopping
    weight: WeightRules
    dose_difference: DoseDifference
    age: Age
    bsa: BsaRange
    product: Product
    storage: Storage
    infusion: Infusion
    commercial_label: CommercialLabel
    texts: tuple[SectionText, ...]

    _sha256: str = PrivateAttr(default="")

    @field_validator("texts")
    @classmethod
    def _keys_once(cls, texts: tuple[SectionText, ...]) -> tuple[SectionText, ...]:
        keys = [text.key for text in texts]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"each key may be used once, but {', '.join(twice)} is used again")
        return texts

    @property
    def sha256(self) -> str:
        """The hash of the source bytes, as hex digits."""
        return self._sha256

    def text(self, key: str) -> SectionText:
        """The printed sentence called ``key``; ``KeyError`` when the protocol file has none."""
        for text in self.texts:
            if text.key == key:
                return text
        raise KeyError(key)


def load_protocol(source: str | bytes | Path) -> Protocol:
    """Return the protocol in ``source``: the TOML text itself, its bytes, or the path of the file.

    Raises ``Refused`` with one fault for each thing wrong (``Fault.field`` is the place in the file, list
    entries counted from 1) and ``Unavailable`` when the file cannot be read.
    """
    raw = _read(source)
    try:
        data = tomllib.loads(raw.decode("utf-8-sig"), parse_float=Decimal)
    except UnicodeDecodeError as error:
        raise Refused(
            Fault("", f"The protocol file is not UTF-8 text (byte {error.start + 1}). Save it as UTF-8.")
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise Refused(Fault(_line(error), f"The protocol file cannot be read as TOML: {error}.")) from error
    try:
        protocol = Protocol.model_validate(_frozen(data))
    except ValidationError as error:
        raise Refused(*(_fault(detail) for detail in error.errors(include_url=False))) from error
    protocol._sha256 = hashlib.sha256(raw).hexdigest()
    return protocol


def shipped_protocol(name: str = "ino-low-dose") -> Protocol:
    """Return a protocol that ships with the program."""
    return load_protocol(resources.files("pharmacy_app.protocols").joinpath(f"{name}.toml").read_bytes())


def _read(source: str | bytes | Path) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, str):
        return source.encode("utf-8")
    try:
        return source.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"The protocol file {source} cannot be read ({error.strerror}). Check its name and that it may be opened."
        ) from error


def _line(error: tomllib.TOMLDecodeError) -> str:
    found = re.search(r"line (\d+)", str(error))
    return f"line {found.group(1)}" if found else ""


def _frozen(value: object) -> object:
    """Lists as tuples all the way down, so that the strict models take them."""
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return value


def _fault(detail: ErrorDetails) -> Fault:
    path = _path(detail["loc"])
    kind = detail["type"]
    if kind == "missing":
        return Fault(path, f"{path} is missing. Add it to the protocol file.")
    if kind == "extra_forbidden":
        return Fault(path, f"{path} is not a known entry. {_hint(detail['loc'])}")
    message = detail["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    message = message.replace("an instance of Decimal", "a number without quotes")
    message = message.replace("input should be", "it must be")
    if kind == "value_error":
        return Fault(path, f"{path}: {message}.")
    return Fault(path, f"{path} is {_shown(detail['input'])}, but {message}.")


def _path(loc: tuple[int | str, ...]) -> str:
    path = ""
    for part in loc:
        path += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _shown(value: Any) -> str:
    text = str(value) if isinstance(value, Decimal | int | date) and not isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _hint(loc: tuple[int | str, ...]) -> str:
    known = _known_keys(loc[:-1])
    near = difflib.get_close_matches(str(loc[-1]), known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known here are: {', '.join(known)}."


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    table: type[BaseModel] = Protocol
    for part in loc:
        if isinstance(part, str):
            inner = _inner(table.model_fields[part].annotation)
            assert isinstance(inner, type) and issubclass(inner, BaseModel)  # only a table has entries
            table = inner
    return list(table.model_fields)


def _inner(annotation: object) -> object:
    """The table type inside ``tuple[T, ...]`` or ``T | None``, or the annotation itself."""
    arguments = typing.get_args(annotation)
    if not arguments:
        return annotation
    for argument in arguments:
        found = _inner(argument)
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    return annotation
