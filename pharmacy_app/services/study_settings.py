"""The signed study settings: read in force, and signed anew by two people with a source for each."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.notation import misread
from pharmacy_app.domain.people import Role
from pharmacy_app.domain.settings import (
    BagPreparation,
    BsaFormula,
    CompoundingCategory,
    CompoundingLimit,
    DoseRounding,
    LineResidue,
    OrderLeadTime,
    RoundingMode,
    Signed,
    StabilityLimits,
    StudySettings,
    VialPreparation,
)
from pharmacy_app.domain.settings_check import MAX_LEAD_DAYS, check_settings
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Credentials, Desk, Draft, Moment, Signing, perform, protocol_of
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading

KINDS: dict[str, Any] = {
    "bsa_formula": BsaFormula,
    "dose_rounding": DoseRounding,
    "vial_1mg": VialPreparation,
    "vial_4mg": VialPreparation,
    "bag": BagPreparation,
    "stability": StabilityLimits,
}
"""Each setting that acts wait for: its name and what kind of value it holds."""

ORDER_LEAD_TIME = "order_lead_time"

OPTIONAL_KINDS: dict[str, Any] = {
    "line_residue": LineResidue,
    "compounding": CompoundingLimit,
    ORDER_LEAD_TIME: OrderLeadTime,
}
"""Settings that may stay unset: nothing waits for them, and what would use them says that they are not known."""

ALL_KINDS = KINDS | OPTIONAL_KINDS
"""Every setting that can be signed."""

TITLES = {
    "bsa_formula": "BSA formula",
    "dose_rounding": "Dose rounding",
    "vial_1mg": "Preparation of the 1 mg vial",
    "vial_4mg": "Preparation of the 4 mg vial",
    "bag": "Bag and final concentration",
    "stability": "Stability limits",
    "line_residue": "Left in bag and line",
    "compounding": "Compounding limit",
    "order_lead_time": "Order lead time",
}
"""Each setting's name on screen and paper."""


@dataclass(frozen=True, slots=True)
class VialTyped:
    """The preparation of one strength, as typed (mg, mL, mg/mL)."""

    extractable_mg: str = ""
    reconstitution_ml: str = ""
    concentration_mg_per_ml: str = ""
    reconstitution_fluid: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """Settings as typed; a group left wholly empty is not touched. Fields are named ``group.field``."""

    bsa_formula: str = ""
    bsa_formula_source: str = ""
    rounding_increment_mg: str = ""
    rounding_mode: str = ""
    rounding_source: str = ""
    vial_1mg: VialTyped = VialTyped()
    vial_4mg: VialTyped = VialTyped()
    diluent: str = ""
    bag_volume_ml: str = ""
    min_mg_per_ml: str = ""
    max_mg_per_ml: str = ""
    bag_storage: str = ""
    bag_source: str = ""
    reconstitution_to_dilution_h: str = ""
    reconstitution_to_end_h: str = ""
    dilution_to_end_room_h: str = ""
    infusion_h: str = ""
    stability_source: str = ""
    line_residue_ml: str = ""
    line_residue_source: str = ""
    order_lead_days: str = ""
    order_lead_source: str = ""
    compounding_category: str = ""
    compounding_hours: str = ""
    compounding_source: str = ""


def settings_of(reader: Reader) -> StudySettings:
    """The settings in force that a dose depends on; what was never signed is ``None``."""
    return StudySettings(**{line.name: _signed(line) for line in reader.settings() if line.name != ORDER_LEAD_TIME})


def order_lead_time_of(reader: Reader) -> Signed[OrderLeadTime] | None:
    """The order lead time in force, or ``None`` when it was never signed."""
    return next((_signed(line) for line in reader.settings() if line.name == ORDER_LEAD_TIME), None)


def _signed(line: views.SettingLine) -> Signed[Any]:
    return Signed(from_plain(ALL_KINDS[line.name], line.value), line.source, line.event_seq)


def settings_version(reader: Reader) -> str:
    """Which settings are in force: the newest signing event, for print ('none signed' before the first)."""
    seqs = [line.event_seq for line in reader.settings()]
    return f"signed in event {max(seqs)}" if seqs else "none signed"


def unset_settings(reader: Reader) -> tuple[str, ...]:
    """Titles of the settings that acts wait for and nobody has signed yet."""
    there = {line.name for line in reader.settings()}
    return tuple(TITLES[name] for name in KINDS if name not in there)


def setting_lines(reader: Reader) -> tuple[views.SettingLine, ...]:
    """The settings in force with source, signers and event, for the settings page."""
    return tuple(reader.settings())


def sign_settings(desk: Desk, act: Act, form: SettingsForm, first: Credentials, second: Credentials) -> Event:
    """Sign the filled-in groups: two people, one of them a pharmacist, each setting with its source (P-17, A20)."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        values = _read(reading, form)
        if not values and not reading.faults:
            reading.fault("", "Nothing is filled in. Fill in at least one group of settings.")
        one, two = moment.signers
        if one.account_id != moment.person.account_id:
            reading.fault("user_name", "The first signature is yours: sign with the account you are signed in with.")
        if one.account_id == two.account_id:
            reading.fault("second_password", "The second signature must be another person's.", "A20", "8.1.2")
        if Role.PHARMACIST not in (*one.roles, *two.roles):
            reading.fault("second_password", "One of the two signatures must be a pharmacist's.", "A20", "8.1.2")
        faulty = {fault.field.split(".")[0] for fault in reading.faults}
        whole = {name: Signed(*value, 0) for name, value in values.items() if name not in {*faulty, ORDER_LEAD_TIME}}
        in_force = settings_of(writer)
        proposed = StudySettings(**whole)
        # What stays in bag and line is judged by the bag's volume, whichever of the two is signed now.
        if proposed.line_residue is not None and "bag" not in values:
            proposed = replace(proposed, bag=in_force.bag)
        elif proposed.bag is not None and "line_residue" not in values:
            proposed = replace(proposed, line_residue=in_force.line_residue)
        check = check_settings(proposed, protocol_of(moment.site, moment.today))
        reading.faults.extend(_beside_what_is_typed(fault, values) for fault in check.faults)
        reading.done()
        before = {line.name: line for line in writer.settings()}
        return Draft(
            {
                "settings": {
                    name: {
                        "value": value,
                        "source": source,
                        "replaces": before[name].value if name in before else None,
                    }
                    for name, (value, source) in values.items()
                },
                "findings": check.findings,
            }
        )

    return perform(
        desk,
        act,
        "settings_signed",
        form,
        build,
        (
            Signing(first, "entered from the named source", "password"),
            Signing(second, "compared with the named source", "second_password"),
        ),
    )


def _read(reading: Reading, form: SettingsForm) -> dict[str, tuple[Any, str]]:
    values: dict[str, tuple[Any, str]] = {}

    def source(text: str, group: str) -> str:
        return reading.text(text, f"{group}.source", "The source (document, version, page)", longest=200)

    if form.bsa_formula or form.bsa_formula_source.strip():
        name = reading.choice(
            form.bsa_formula, "bsa_formula.value", "The BSA formula", tuple(str(formula) for formula in BsaFormula)
        )
        values["bsa_formula"] = (BsaFormula(name), source(form.bsa_formula_source, "bsa_formula"))
    if form.rounding_increment_mg.strip() or form.rounding_mode or form.rounding_source.strip():
        increment = reading.decimal(
            form.rounding_increment_mg, "dose_rounding.increment_mg", "The rounding increment", "mg"
        )
        mode = reading.choice(
            form.rounding_mode, "dose_rounding.mode", "The rounding rule", tuple(str(mode) for mode in RoundingMode)
        )
        values["dose_rounding"] = (
            DoseRounding(increment, RoundingMode(mode)),
            source(form.rounding_source, "dose_rounding"),
        )
    for group, strength_mg, typed in (
        ("vial_1mg", Decimal(1), form.vial_1mg),
        ("vial_4mg", Decimal(4), form.vial_4mg),
    ):
        if typed != VialTyped():
            value = VialPreparation(
                strength_mg,
                reading.decimal(typed.extractable_mg, f"{group}.extractable_mg", "The extractable amount", "mg"),
                reading.decimal(
                    typed.reconstitution_ml, f"{group}.reconstitution_ml", "The reconstitution volume", "mL"
                ),
                reading.decimal(
                    typed.concentration_mg_per_ml,
                    f"{group}.concentration_mg_per_ml",
                    "The concentration",
                    "mg/mL",
                ),
                reading.text(
                    typed.reconstitution_fluid, f"{group}.reconstitution_fluid", "The reconstitution fluid", longest=60
                ),
            )
            values[group] = (value, source(typed.source, group))
    bag = (form.diluent, form.bag_volume_ml, form.min_mg_per_ml, form.max_mg_per_ml, form.bag_storage, form.bag_source)
    if any(text.strip() for text in bag):
        value_bag = BagPreparation(
            reading.text(form.diluent, "bag.diluent", "The diluent", longest=60),
            reading.decimal(form.bag_volume_ml, "bag.bag_volume_ml", "The bag volume", "mL"),
            reading.decimal(form.min_mg_per_ml, "bag.min_mg_per_ml", "The lowest final concentration", "mg/mL"),
            reading.decimal(form.max_mg_per_ml, "bag.max_mg_per_ml", "The highest final concentration", "mg/mL"),
            reading.text(form.bag_storage, "bag.storage", "How the bag is stored, for its label", longest=100),
        )
        values["bag"] = (value_bag, source(form.bag_source, "bag"))
        for name, words in (("diluent", value_bag.diluent), ("storage", value_bag.storage)):
            for what in misread(words):
                reading.fault(f"bag.{name}", f"This stands on the bag's label, where {what} is refused. Write it out.")
    hours = ("reconstitution_to_dilution_h", "reconstitution_to_end_h", "dilution_to_end_room_h", "infusion_h")
    if any(getattr(form, name).strip() for name in hours) or form.stability_source.strip():
        limits = StabilityLimits(
            *(reading.decimal(getattr(form, name), f"stability.{name}", "The number of hours", "h") for name in hours)
        )
        values["stability"] = (limits, source(form.stability_source, "stability"))
    if form.line_residue_ml.strip() or form.line_residue_source.strip():
        residue_ml = reading.decimal(
            form.line_residue_ml, "line_residue.residue_ml", "The volume left in bag and line", "mL", zero=True
        )
        values["line_residue"] = (LineResidue(residue_ml), source(form.line_residue_source, "line_residue"))
    if form.compounding_category or form.compounding_hours.strip() or form.compounding_source.strip():
        names = tuple(str(each) for each in CompoundingCategory)
        category = reading.choice(form.compounding_category, "compounding.category", "The category", names)
        most = reading.decimal(form.compounding_hours, "compounding.hours", "The limit", "h")
        limit = CompoundingLimit(CompoundingCategory(category), most)
        values["compounding"] = (limit, source(form.compounding_source, "compounding"))
    if form.order_lead_days.strip() or form.order_lead_source.strip():
        days = reading.count(
            form.order_lead_days, "order_lead_time.days", "The order lead time in days", low=0, high=MAX_LEAD_DAYS
        )
        values["order_lead_time"] = (OrderLeadTime(days), source(form.order_lead_source, "order_lead_time"))
    return values


def _beside_what_is_typed(fault: Fault, values: dict[str, Any]) -> Fault:
    """The fault at the bag's volume, when that is what is typed and the residue is the one in force."""
    elsewhere = fault.field == "line_residue.residue_ml" and "line_residue" not in values
    return replace(fault, field="bag.bag_volume_ml") if elsewhere else fault


def needed(setting: Signed[Any] | None, name: str) -> Signed[Any]:
    """The setting, or a refusal that says which one is not signed yet."""
    if setting is None:
        raise Refused(
            Fault(
                "",
                f"“{TITLES[name]}” is not signed yet, so this cannot be worked out. Two people sign it under Settings,"
                " from the Study Manual.",
                "A31",
                "8.1.2",
            )
        )
    return setting
