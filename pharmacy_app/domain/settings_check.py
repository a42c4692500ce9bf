"""What is wrong, or odd, with a study setting before it is signed.

A fault refuses the value and names its field; a finding warns and asks for a second look at the source. Nothing
is corrected and nothing is assumed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext

from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.findings import Finding, Named, Severity
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.settings import (
    BagPreparation,
    BsaFormula,
    CompoundingCategory,
    CompoundingLimit,
    DoseRounding,
    LineResidue,
    OrderLeadTime,
    RoundingMode,
    StabilityLimits,
    StudySettings,
    VialPreparation,
)
from pharmacy_app.domain.units import WORKING, reaches, show, show_mg, show_mg_per_ml, show_ml

SettingValue = (
    BsaFormula
    | DoseRounding
    | VialPreparation
    | BagPreparation
    | StabilityLimits
    | LineResidue
    | OrderLeadTime
    | CompoundingLimit
)

# A coarser step than this is a slip: the smallest doses of the table are about a tenth of a milligram.
MAX_INCREMENT_MG = Decimal("0.1")

# The longest beyond-use times of USP <797> (2023), § 14; those of Category 2 are for sterile starting parts.
LONGEST_H = {
    CompoundingCategory.IMMEDIATE_USE: Decimal(4),
    CompoundingCategory.CATEGORY_1_ROOM: Decimal(12),
    CompoundingCategory.CATEGORY_1_COLD: Decimal(24),
    CompoundingCategory.CATEGORY_2_ROOM: Decimal(96),
    CompoundingCategory.CATEGORY_2_COLD: Decimal(240),
}

# More than half a year from an order to the shelf is a slip of the keyboard.
MAX_LEAD_DAYS = 180


@dataclass(frozen=True, slots=True)
class SettingCheck:
    """Faults refuse the setting; findings warn about it."""

    faults: tuple[Fault, ...]
    findings: tuple[Finding, ...]


def check_setting(value: SettingValue, protocol: Protocol) -> SettingCheck:
    """Judge one setting's value by itself and by the protocol's doses; the fields are those of the value."""
    faults: list[Fault] = []
    findings: list[Finding] = []
    with localcontext(WORKING):
        for said in _said(value, protocol):
            if isinstance(said, Fault):
                faults.append(said)
            else:
                findings.append(said)
    return SettingCheck(tuple(faults), tuple(findings))


def check_settings(settings: StudySettings, protocol: Protocol) -> SettingCheck:
    """Judge all settings that are set, and those that bear on one another; fields are ``setting.field``."""
    faults: list[Fault] = []
    findings: list[Finding] = []
    for name, strength in (("vial_1mg", Decimal(1)), ("vial_4mg", Decimal(4))):
        signed = settings.vial(strength)
        if signed is not None and signed.value.strength_mg != strength:
            faults.append(
                Fault(
                    f"{name}.strength_mg",
                    f"This setting is for the {show_mg(strength)} vial, but its strength is "
                    f"{show_mg(signed.value.strength_mg)}. Enter it for the right vial.",
                    "A20",
                    "8.1.1",
                )
            )
    for name, signed_value in (
        ("dose_rounding", settings.dose_rounding),
        ("vial_1mg", settings.vial_1mg),
        ("vial_4mg", settings.vial_4mg),
        ("bag", settings.bag),
        ("stability", settings.stability),
        ("line_residue", settings.line_residue),
        ("compounding", settings.compounding),
    ):
        if signed_value is None:
            continue
        check = check_setting(signed_value.value, protocol)
        faults.extend(
            Fault(f"{name}.{fault.field}", fault.sentence, fault.rule, fault.section) for fault in check.faults
        )
        findings.extend(check.findings)
    if settings.line_residue is not None and settings.bag is not None:
        with localcontext(WORKING):
            for said in _left_behind(settings.line_residue.value, settings.bag.value, protocol):
                if isinstance(said, Fault):
                    faults.append(said)
                else:
                    findings.append(said)
    return SettingCheck(tuple(faults), tuple(findings))


def _said(value: SettingValue, protocol: Protocol) -> Iterator[Fault | Finding]:
    if isinstance(value, DoseRounding):
        yield from _rounding(value, protocol)
    elif isinstance(value, VialPreparation):
        yield from _vial(value, protocol)
    elif isinstance(value, BagPreparation):
        yield from _bag(value)
    elif isinstance(value, StabilityLimits):
        yield from _stability(value)
    elif isinstance(value, LineResidue):
        yield from _residue(value)
    elif isinstance(value, OrderLeadTime):
        yield from _lead_time(value)
    elif isinstance(value, CompoundingLimit):
        yield from _compounding(value)


def _rounding(value: DoseRounding, protocol: Protocol) -> Iterator[Fault | Finding]:
    increment = value.increment_mg
    if not 0 < increment <= MAX_INCREMENT_MG:
        yield Fault(
            "increment_mg",
            f"An increment of {show_mg(increment, None)} is not taken: it must be more than 0 and at most "
            f"{show_mg(MAX_INCREMENT_MG)}.",
            "A2",
            "8.1.3",
        )
        return
    worst_mg = increment if value.mode is RoundingMode.DOWN else increment / 2
    smallest_mg = protocol.regimen.smallest_mg_per_m2 * protocol.bsa.min_m2
    limit = protocol.dose_difference.from_percent
    if 100 * worst_mg >= limit * smallest_mg:
        yield _warn(
            "A2",
            f"Rounding {value.mode.value} to {show_mg(increment, None)} may change a dose by up to "
            f"{show_mg(worst_mg, None)}. For the smallest dose of the protocol ({show_mg(smallest_mg)}) that is "
            f"{show(limit)} % or more, a medication error by itself. Choose a finer increment.",
            "8.1.3",
            Named("largest change", show(worst_mg), "mg"),
            Named("smallest dose", show(smallest_mg), "mg"),
        )


def _vial(value: VialPreparation, protocol: Protocol) -> Iterator[Fault | Finding]:
    if value.strength_mg not in protocol.product.strengths_mg:
        listed = " or ".join(show_mg(strength) for strength in protocol.product.strengths_mg)
        yield Fault(
            "strength_mg",
            f"A strength of {show_mg(value.strength_mg)} does not exist; vials hold {listed}.",
            "A20",
            "8.1.1",
        )
    yield from _positive(
        ("extractable_mg", "extractable amount", value.extractable_mg),
        ("reconstitution_ml", "reconstitution volume", value.reconstitution_ml),
        ("concentration_mg_per_ml", "concentration", value.concentration_mg_per_ml),
    )
    if value.extractable_mg > value.strength_mg:
        yield Fault(
            "extractable_mg",
            f"{show_mg(value.extractable_mg, None)} cannot be drawn from a vial that holds "
            f"{show_mg(value.strength_mg)}. Check the Study Manual.",
            "A20",
            "8.1.2",
        )
    if min(value.reconstitution_ml, value.concentration_mg_per_ml, value.extractable_mg) <= 0:
        return
    held = value.concentration_mg_per_ml * value.reconstitution_ml
    if reaches(held, value.strength_mg, protocol.dose_difference.from_percent):
        yield Fault(
            "concentration_mg_per_ml",
            f"{show_ml(value.reconstitution_ml, None)} at {show_mg_per_ml(value.concentration_mg_per_ml, None)} hold "
            f"{show_mg(held)}, but the vial is labelled {show_mg(value.strength_mg)}: every dose would be off by "
            f"{show(protocol.dose_difference.from_percent)} % or more. Check volume and concentration.",
            "A20",
            "8.1.2",
        )
    elif held != value.strength_mg:
        yield _warn(
            "A20",
            f"{show_ml(value.reconstitution_ml, None)} at {show_mg_per_ml(value.concentration_mg_per_ml, None)} hold "
            f"{show_mg(held)}, but the vial is labelled {show_mg(value.strength_mg)}. Check the source again.",
            "8.1.2",
            Named("volume × concentration", show(held), "mg"),
            Named("labelled", show(value.strength_mg), "mg"),
        )
    if value.extractable_mg > value.concentration_mg_per_ml * value.reconstitution_ml:
        yield _warn(
            "A20",
            f"Drawing {show_mg(value.extractable_mg, None)} would need more than the "
            f"{show_ml(value.reconstitution_ml, None)} put into the vial. Check the source again.",
            "8.1.2",
        )


def _bag(value: BagPreparation) -> Iterator[Fault | Finding]:
    if not value.diluent.strip():
        yield Fault("diluent", "The diluent is empty. Enter it as the Study Manual names it.", "A31", "8.1.2")
    yield from _positive(
        ("bag_volume_ml", "bag volume", value.bag_volume_ml),
        ("min_mg_per_ml", "least final concentration", value.min_mg_per_ml),
        ("max_mg_per_ml", "greatest final concentration", value.max_mg_per_ml),
    )
    if value.min_mg_per_ml >= value.max_mg_per_ml:
        yield Fault(
            "min_mg_per_ml",
            f"The least final concentration, {show_mg_per_ml(value.min_mg_per_ml, None)}, must be below the "
            f"greatest, {show_mg_per_ml(value.max_mg_per_ml, None)}.",
            "A32",
            "8.1.2",
        )


def _stability(value: StabilityLimits) -> Iterator[Fault | Finding]:
    yield from _positive(
        ("reconstitution_to_dilution_h", "time from reconstitution to dilution", value.reconstitution_to_dilution_h),
        ("reconstitution_to_end_h", "time from reconstitution to the end", value.reconstitution_to_end_h),
        ("dilution_to_end_room_h", "time from dilution to the end", value.dilution_to_end_room_h),
        ("infusion_h", "time of infusion", value.infusion_h),
    )
    for field, name, hours, longer_name, longer in (
        (
            "reconstitution_to_dilution_h",
            "time from reconstitution to dilution",
            value.reconstitution_to_dilution_h,
            "the time from reconstitution to the end of the infusion",
            value.reconstitution_to_end_h,
        ),
        (
            "infusion_h",
            "infusion",
            value.infusion_h,
            "the time from dilution to its end",
            value.dilution_to_end_room_h,
        ),
        (
            "infusion_h",
            "infusion",
            value.infusion_h,
            "the time from reconstitution to its end",
            value.reconstitution_to_end_h,
        ),
    ):
        if hours > longer:
            yield Fault(
                field,
                f"The {name} ({show(hours)} h) is longer than {longer_name} ({show(longer)} h). Correct one of them.",
                "A31",
                "8.2",
            )


def _residue(value: LineResidue) -> Iterator[Fault]:
    if value.residue_ml < 0:
        yield Fault(
            "residue_ml",
            "The volume left in bag and line is negative. Enter it as the source has it, 0 when the line is flushed.",
            "T1",
            "8.1.3",
        )


def _compounding(value: CompoundingLimit) -> Iterator[Fault]:
    longest = LONGEST_H[value.category]
    if not 0 < value.hours <= longest:
        yield Fault(
            "hours",
            f"{show(value.hours)} h are not taken for {value.category.value}: its limit is more than 0 h and at most"
            f" {show(longest)} h (USP <797>).",
            "A31",
            "8.2",
        )


def _lead_time(value: OrderLeadTime) -> Iterator[Fault]:
    if not 0 <= value.days <= MAX_LEAD_DAYS:
        yield Fault(
            "days",
            f"A lead time of {value.days} days is not taken: enter whole days from 0 to {MAX_LEAD_DAYS}.",
            "",
            "8.2",
        )


def _left_behind(residue: LineResidue, bag: BagPreparation, protocol: Protocol) -> Iterator[Fault | Finding]:
    """What stays behind against the whole bag: as much as the bag is a slip, a tenth of it is an error each time."""
    limit = protocol.dose_difference.from_percent
    if residue.residue_ml >= bag.bag_volume_ml:
        yield Fault(
            "line_residue.residue_ml",
            f"{show_ml(residue.residue_ml, None)} left in bag and line are the whole bag of "
            f"{show_ml(bag.bag_volume_ml, None)} or more. Check both volumes.",
            "T1",
            "8.1.3",
        )
    elif 100 * residue.residue_ml >= limit * bag.bag_volume_ml:
        yield _warn(
            "R17",
            f"{show_ml(residue.residue_ml, None)} left in bag and line of {show_ml(bag.bag_volume_ml, None)} are "
            f"{show(limit)} % or more: every dose would be a medication error. Flush the line, or check the source "
            "again.",
            "8.1.3",
            Named("left in bag and line", show(residue.residue_ml), "mL"),
            Named("bag volume", show(bag.bag_volume_ml), "mL"),
        )


def _positive(*fields: tuple[str, str, Decimal]) -> Iterator[Fault]:
    for field, name, value in fields:
        if value <= 0:
            yield Fault(field, f"The {name} must be more than 0. Enter it as the source states it.", "A31", "8.1.2")


def _warn(rule: str, sentence: str, section: str, *compared: Named) -> Finding:
    return Finding(rule, Severity.WARN, sentence, section, compared)
