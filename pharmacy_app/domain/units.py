"""Numbers as people type them, the units they are in, and how a number is written for a person.

Every number is a ``Decimal`` from the first digit typed. A conversion (lb to kg, in to cm) is exact, keeps
what was typed and is shown as a step of its own; only what is written for reading is rounded.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, localcontext
from enum import StrEnum

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.findings import Finding, Named, Severity, Step

# Wide enough that sums, products and comparisons of typed numbers and calculated ones are never rounded.
WORKING = Context(prec=80, rounding=ROUND_HALF_EVEN)
# What a quotient or a root is kept to: far beyond any measurement, short enough to read back.
KEPT = Context(prec=28, rounding=ROUND_HALF_EVEN)

MAX_TYPED_DIGITS = 12

READABLE_ML = Decimal("0.01")
"""The smallest volume that can be read off a syringe, mL: one graduation."""


class WeightUnit(StrEnum):
    """Units a body weight may be typed in."""

    KG = "kg"
    LB = "lb"


class HeightUnit(StrEnum):
    """Units a body height may be typed in."""

    CM = "cm"
    IN = "in"


_TO_CANONICAL = {
    WeightUnit.KG: Decimal(1),
    WeightUnit.LB: Decimal("0.45359237"),
    HeightUnit.CM: Decimal(1),
    HeightUnit.IN: Decimal("2.54"),
}

# Outside these the number is refused: no living person is known beyond them, so it is a slip of the hand.
POSSIBLE_WEIGHT_KG = (Decimal(0), Decimal(500))
POSSIBLE_HEIGHT_CM = (Decimal(30), Decimal(272))
# Outside these a person must confirm the number with a reason.
PLAUSIBLE_WEIGHT_KG = (Decimal(25), Decimal(250))
PLAUSIBLE_HEIGHT_CM = (Decimal(100), Decimal(230))

_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")
_NEGATIVE = re.compile(r"[-−–]\s*[0-9.,]+")
_EXPONENT = re.compile(r"[-+]?[0-9.,]+[eE][-+]?[0-9]+")
_NOT_A_NUMBER = {"nan", "snan", "inf", "infinity", "+inf", "-inf", "+infinity", "-infinity"}


def parse_decimal(
    text: str, *, field: str, name: str = "", unit: str = "", zero_allowed: bool = False, example: str = "70.5"
) -> Decimal:
    """Return the exact number a person typed, or raise ``Refused`` with one fault for ``field``.

    ``name`` is how the field is called in the sentence, ``unit`` what stands beside it and ``example`` a number
    of its kind. Taken are plain ASCII digits with at most one decimal point; a comma is never guessed at.
    """
    what = name or field.replace("_", " ")
    typed = text.strip()
    problem = _problem(typed, f"in {unit}" if unit else "", example)
    if not problem:
        value = Decimal(typed)
        if value > 0 or zero_allowed:
            return value
        problem = "must be more than 0. Type the amount that was measured."
    shown = f" “{typed[:30]}”" if typed else ""
    raise Refused(Fault(field, f"{what[:1].upper()}{what[1:]}{shown} {problem}"))


def _problem(typed: str, in_unit: str, such_as: str) -> str:
    """Return the rest of the sentence that says what is wrong with ``typed``, or ''."""
    example = f"a number {in_unit}".strip()
    if not typed:
        return f"is empty. Type {example}, for example {such_as}."
    if _PLAIN.fullmatch(typed):
        if sum(character.isdigit() for character in typed) > MAX_TYPED_DIGITS:
            return f"has more than {MAX_TYPED_DIGITS} digits. Type the number as it was measured."
        return ""
    checks = (
        (typed.lower() in _NOT_A_NUMBER, f"is not a number. Type {example}, for example {such_as}."),
        (
            _EXPONENT.fullmatch(typed) is not None,
            "is written with an exponent. Type the number out in plain digits.",
        ),
        (_NEGATIVE.fullmatch(typed) is not None, "is negative. Type the amount without a minus sign."),
        ("," in typed, _comma(typed)),
        (typed.startswith("."), f"starts with a point. Type 0{typed} if that is what is meant."),
        (typed.endswith("."), "ends with a point. Type the digits after it, or leave the point out."),
    )
    for applies, sentence in checks:
        if applies:
            return sentence
    return f"is not a plain number. Type {example}, digits and at most one point, for example {such_as}."


def _comma(typed: str) -> str:
    parts = typed.split(",")
    if len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts):
        whole, rest = parts
        together = f", or {whole}{rest} without a comma" if len(rest) == 3 else ""
        return f"has a comma, which may mean two things. Type {whole}.{rest} with a decimal point{together}."
    return "has a comma. Type it with a decimal point and without commas, for example 7.5."


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured number as typed, and the same in the unit we calculate with (``kg`` or ``cm``), exactly."""

    typed: str
    typed_unit: str
    value: Decimal
    unit: str

    @property
    def converted(self) -> bool:
        """Whether the unit typed differs from the unit calculated with."""
        return self.typed_unit != self.unit

    def step(self) -> Step | None:
        """The conversion as a visible step of working, or ``None`` when nothing was converted."""
        if not self.converted:
            return None
        name = "weight" if self.unit == WeightUnit.KG else "height"
        factor = _TO_CANONICAL[WeightUnit.LB if self.unit == WeightUnit.KG else HeightUnit.IN]
        return Step(
            name=f"{name} in {self.unit}",
            formula=f"{name} {self.typed_unit} × {factor}",
            inputs=(Named(name, self.typed, self.typed_unit),),
            result=self.value,
            unit=self.unit,
            section="8.1.3",
        )


def read_weight(text: str, unit: WeightUnit, *, field: str = "weight") -> Measured:
    """Return a typed body weight in kg and as typed, or raise ``Refused``."""
    return _read(text, unit, WeightUnit.KG, field, "weight")


def read_height(text: str, unit: HeightUnit, *, field: str = "height") -> Measured:
    """Return a typed body height in cm and as typed, or raise ``Refused``."""
    return _read(text, unit, HeightUnit.CM, field, "height")


def _read(
    text: str, unit: WeightUnit | HeightUnit, canonical: WeightUnit | HeightUnit, field: str, name: str
) -> Measured:
    typed = parse_decimal(text, field=field, name=name, unit=unit.value)
    with localcontext(WORKING):
        value = typed * _TO_CANONICAL[unit]
    return Measured(typed=text.strip(), typed_unit=unit.value, value=value, unit=canonical.value)


@dataclass(frozen=True, slots=True)
class MeasurementCheck:
    """What is impossible (``faults``, refuse) and what is unlikely (``findings``, confirm with a reason)."""

    faults: tuple[Fault, ...]
    findings: tuple[Finding, ...]


def check_measurements(weight_kg: Decimal | None, height_cm: Decimal | None) -> MeasurementCheck:
    """Judge a weight (kg) and a height (cm), each alone and together; ``None`` is not judged.

    A pair that only makes sense the other way round is said once, as a swap, not as two odd numbers.
    """
    if weight_kg is not None and height_cm is not None:
        swapped = _swapped(weight_kg, height_cm)
        if swapped is not None:
            return swapped
    faults: list[Fault] = []
    findings: list[Finding] = []
    for name, value, unit, possible, plausible in (
        ("weight", weight_kg, "kg", POSSIBLE_WEIGHT_KG, PLAUSIBLE_WEIGHT_KG),
        ("height", height_cm, "cm", POSSIBLE_HEIGHT_CM, PLAUSIBLE_HEIGHT_CM),
    ):
        if value is None:
            continue
        low, high = possible
        below = value <= low if low == 0 else value < low
        if below or value > high:
            bound = f"more than 0 and at most {show(high)}" if low == 0 else f"{show(low)} to {show(high)}"
            faults.append(
                Fault(
                    name,
                    f"A {name} of {show(value)} {unit} is not possible; {bound} {unit} is taken. "
                    f"Check the number and its unit.",
                )
            )
        elif not _within(value, plausible):
            findings.append(
                _unlikely(
                    f"A {name} of {show(value)} {unit} is unusual (usual here: {show(plausible[0])} to "
                    f"{show(plausible[1])} {unit}). Check the number and its unit, then confirm it "
                    "with a reason.",
                    (Named(name, show(value), unit),),
                )
            )
    return MeasurementCheck(tuple(faults), tuple(findings))


def _swapped(weight_kg: Decimal, height_cm: Decimal) -> MeasurementCheck | None:
    sensible_other_way = _within(height_cm, PLAUSIBLE_WEIGHT_KG) and _within(weight_kg, PLAUSIBLE_HEIGHT_CM)
    if weight_kg <= height_cm or not sensible_other_way:
        return None
    pair = f"Height {show(height_cm)} cm and weight {show(weight_kg)} kg look swapped"
    if not _within(height_cm, PLAUSIBLE_HEIGHT_CM):
        return MeasurementCheck(
            (
                Fault(
                    "height",
                    f"{pair}, or were typed in inches and pounds. Put each in its own field with its own unit.",
                ),
            ),
            (),
        )
    compared = (Named("height", show(height_cm), "cm"), Named("weight", show(weight_kg), "kg"))
    return MeasurementCheck(
        (), (_unlikely(f"{pair}. Check both, then swap them or confirm them with a reason.", compared),)
    )


def _within(value: Decimal, limits: tuple[Decimal, Decimal]) -> bool:
    return limits[0] <= value <= limits[1]


def _unlikely(sentence: str, compared: tuple[Named, ...]) -> Finding:
    return Finding("A1", Severity.WARN, sentence, "8.1.3", compared)


def show(value: Decimal, places: int | None = None) -> str:
    """Write a number for a person: leading zero, no trailing zero, comma from 1,000 (ISMP).

    With ``places`` it is rounded half up for reading only; without, every digit is written.
    """
    if places is not None:
        with localcontext(WORKING):
            value = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    text = f"{value:,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def show_mg(value: Decimal, places: int | None = 4) -> str:
    """Write an amount with its unit, e.g. ``1.44 mg``."""
    return f"{show(value, places)} mg"


def show_ml(value: Decimal, places: int | None = 2) -> str:
    """Write a volume with its unit, e.g. ``5.76 mL``."""
    return f"{show(value, places)} mL"


def show_m2(value: Decimal, places: int | None = 4) -> str:
    """Write a body surface area with its unit, e.g. ``1.8181 m²``."""
    return f"{show(value, places)} m²"


def show_kg(value: Decimal, places: int | None = 3) -> str:
    """Write a weight with its unit, e.g. ``70 kg``."""
    return f"{show(value, places)} kg"


def show_mg_per_ml(value: Decimal, places: int | None = 4) -> str:
    """Write a concentration with its unit, e.g. ``0.0288 mg/mL``."""
    return f"{show(value, places)} mg/mL"


def show_percent(value: Decimal) -> str:
    """Write a percentage with its sign, to 2 places or as many as keep it from reading as a whole number.

    9.996 % must not be written as 10 %, nor 10.0001 % as 10 %: limits are whole numbers (RULES A2).
    """
    for places in range(2, 27):
        shown = show(value, places)
        if Decimal(shown.replace(",", "")) == value or "." in shown:
            break
    else:
        shown = show(value)
    sign = "+" if value > 0 else ""
    return f"{sign}{shown.replace('-', '−')} %"


def percent_change(new: Decimal, base: Decimal) -> Decimal | None:
    """Return the signed change of ``new`` against ``base`` in percent, or ``None`` when ``base`` is 0.

    For showing only: a limit is judged by ``exceeds`` or ``reaches``, never by this quotient.
    """
    if base == 0:
        return None
    with localcontext(WORKING):
        change = (new - base) * 100 / base
    return KEPT.plus(change)


def exceeds(new: Decimal, base: Decimal, limit_percent: Decimal) -> bool:
    """Whether ``new`` differs from ``base`` by strictly more than ``limit_percent`` (weights)."""
    with localcontext(WORKING):
        return 100 * abs(new - base) > limit_percent * base


def reaches(new: Decimal, base: Decimal, limit_percent: Decimal) -> bool:
    """Whether ``new`` differs from ``base`` by ``limit_percent`` or more (doses)."""
    with localcontext(WORKING):
        return 100 * abs(new - base) >= limit_percent * base
