"""The form of the signed settings with its two signatures; the settings page and the first-run guide show it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.errors import Fault, Refused
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
    VialPreparation,
)
from pharmacy_app.domain.settings_check import SettingValue, check_setting
from pharmacy_app.domain.units import parse_decimal, show, show_mg, show_mg_per_ml, show_ml
from pharmacy_app.services import views
from pharmacy_app.services.desk import Credentials
from pharmacy_app.services.study_settings import (
    ALL_KINDS,
    KINDS,
    OPTIONAL_KINDS,
    ORDER_LEAD_TIME,
    TITLES,
    SettingsForm,
    VialTyped,
)
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, DecimalField, Field, Form, PasswordField, TextField
from ui.widgets.panels import Banner, Card

_MODES = {
    RoundingMode.HALF_UP: "half up – 0.125 to 0.13",
    RoundingMode.HALF_EVEN: "half even – 0.125 to 0.12",
    RoundingMode.DOWN: "down – 0.129 to 0.12",
}
_STABILITY = {
    "reconstitution_to_dilution_h": "From reconstitution to dilution",
    "reconstitution_to_end_h": "From reconstitution to the end of the infusion",
    "dilution_to_end_room_h": "From dilution to the end, at room temperature",
    "infusion_h": "Time of infusion",
}
WHY = {
    "bsa_formula": "No dose is planned without it.",
    "dose_rounding": "The planned dose is rounded once, at the end.",
    "vial_1mg": "Vials of 1 mg are not planned or opened without it.",
    "vial_4mg": "Vials of 4 mg are not planned or opened without it.",
    "bag": "Volumes and the final concentration are worked out from it.",
    "stability": "The beyond-use time is worked out from it.",
    "line_residue": "May stay empty: the tolerance budget then says that it is not known. 0 means that the line is"
    " flushed.",
    "compounding": "May stay empty: the stability limits alone then give the beyond-use time. The earlier one decides.",
    "order_lead_time": "May stay empty: the forecast then says by when vials must be here, but not by when to order.",
}
"""What waits for each setting."""
OptionalValue = LineResidue | OrderLeadTime | CompoundingLimit
_SHOWN_WITH = {"bag": "line_residue", "stability": "compounding"}
"""A setting that may stay empty, beside the one with which it is looked up."""
SOURCE_HINT = "Document, version and page, for example Study Manual 2.0, p. 14."


def setting_words(value: SettingValue) -> str:
    """A setting's value as a sentence with its units."""
    if isinstance(value, DoseRounding):
        return f"to {show_mg(value.increment_mg, None)}, {value.mode.value}"
    if isinstance(value, VialPreparation):
        return (
            f"reconstituted with {show_ml(value.reconstitution_ml, None)} of {value.reconstitution_fluid} to"
            f" {show_mg_per_ml(value.concentration_mg_per_ml, None)}; {show_mg(value.extractable_mg, None)} extractable"
        )
    if isinstance(value, BagPreparation):
        return (
            f"{show_ml(value.bag_volume_ml, None)} of {value.diluent}; final concentration"
            f" {show(value.min_mg_per_ml)} to {show_mg_per_ml(value.max_mg_per_ml, None)}; label: “{value.storage}”"
        )
    if isinstance(value, StabilityLimits):
        return (
            f"reconstitution to dilution {show(value.reconstitution_to_dilution_h)} h, to the end of the infusion"
            f" {show(value.reconstitution_to_end_h)} h; dilution to the end at room temperature"
            f" {show(value.dilution_to_end_room_h)} h; infusion {show(value.infusion_h)} h"
        )
    return _optional_words(value) if isinstance(value, OptionalValue) else str(value)


def _optional_words(value: OptionalValue) -> str:
    if isinstance(value, CompoundingLimit):
        return f"{value.category.value}: at most {show(value.hours)} h from reconstitution"
    if isinstance(value, LineResidue):
        return f"{show_ml(value.residue_ml, None)} left in bag and line after the infusion"
    days = "1 day" if value.days == 1 else f"{value.days} days"
    return f"{days} from the order until the vials are here and released"


def line_words(line: views.SettingLine) -> str:
    """A signed setting's value in words."""
    return setting_words(from_plain(ALL_KINDS[line.name], line.value))


def _number(text: str) -> Decimal:
    return parse_decimal(text, field="")


def typed_value(group: str, values: Mapping[str, str]) -> SettingValue | None:
    """The value typed so far, or ``None`` where it is not whole yet; for the second look while typing only."""

    def at(field: str) -> Decimal:
        return _number(values[f"{group}.{field}"])

    with suppress(Refused, ValueError):
        if group == "dose_rounding":
            return DoseRounding(at("increment_mg"), RoundingMode(values["dose_rounding.mode"]))
        if group in ("vial_1mg", "vial_4mg"):
            strength = Decimal(group.removeprefix("vial_").removesuffix("mg"))
            fluid = values[f"{group}.reconstitution_fluid"].strip()
            return VialPreparation(
                strength, at("extractable_mg"), at("reconstitution_ml"), at("concentration_mg_per_ml"), fluid
            )
        if group == "bag":
            diluent, storage = values["bag.diluent"].strip(), values["bag.storage"].strip()
            return BagPreparation(diluent, at("bag_volume_ml"), at("min_mg_per_ml"), at("max_mg_per_ml"), storage)
        if group == "stability":
            return StabilityLimits(*(at(name) for name in _STABILITY))
        if group in OPTIONAL_KINDS:
            return _typed_optional(group, values)
    return None


def _typed_optional(group: str, values: Mapping[str, str]) -> OptionalValue:
    if group == "compounding":
        return CompoundingLimit(
            CompoundingCategory(values["compounding.category"]), _number(values["compounding.hours"])
        )
    if group == ORDER_LEAD_TIME:
        return OrderLeadTime(int(values[f"{ORDER_LEAD_TIME}.days"]))
    return LineResidue(parse_decimal(values["line_residue.residue_ml"], field="", zero_allowed=True))


class GroupCard(Card):
    """One setting's fields with its source; beneath, what is odd about the value typed."""

    def __init__(self, group: str, *, intro: str = "") -> None:
        super().__init__(TITLES[group], intro or WHY[group], name=f"{group}_card")
        self.group = group
        self._protocol: Protocol | None = None
        self._now = Text("", "muted", name=f"{group}_now")
        self._now.hide()
        self.add(self._now)
        self.form = Form(name=f"{group}_form")
        for field, span in _fields(group):
            self.form.add(field, span=span)
        self.form.end_row()
        self.form.add(
            TextField(f"{group}.source", "Source", hint=SOURCE_HINT, max_length=200),
            span=2,
        )
        self.add(self.form)
        self.look = Banner("warn", "", word="Look again", name=f"{group}_look")
        self.look.hide()
        self.add(self.look)
        self.form.changed.connect(self._judge)

    def set_now(self, words: str) -> None:
        """Show what is in force, for the one who compares; '' when nothing was signed."""
        self._now.setText(f"In force now: {words}")
        self._now.setVisible(bool(words))

    def set_protocol(self, protocol: Protocol | None) -> None:
        """Judge values by this protocol's doses while they are typed."""
        self._protocol = protocol
        self._judge()

    def _judge(self) -> None:
        value = typed_value(self.group, self.form.values()) if self._protocol is not None else None
        found = check_setting(value, self._protocol) if value is not None and self._protocol is not None else None
        said = [*(str(fault) for fault in found.faults), *(each.sentence for each in found.findings)] if found else []
        self.look.set_message("warn", "\n".join(said), word="Look again")
        self.look.setVisible(bool(said))


def _fields(group: str) -> list[tuple[Field, int]]:  # noqa: PLR0911 - one return a group
    if group == "bsa_formula":
        choices = [(str(formula), str(formula)) for formula in BsaFormula]
        return [(ChoiceField("bsa_formula.value", "Body surface area by", choices), 1)]
    if group == "dose_rounding":
        modes = [(str(mode), words) for mode, words in _MODES.items()]
        return [
            (DecimalField("dose_rounding.increment_mg", "Round to multiples of", unit="mg"), 1),
            (ChoiceField("dose_rounding.mode", "Rounding rule", modes), 1),
        ]
    if group in ("vial_1mg", "vial_4mg"):
        return [
            (DecimalField(f"{group}.reconstitution_ml", "Reconstituted with", unit="mL"), 1),
            (DecimalField(f"{group}.concentration_mg_per_ml", "Concentration", unit="mg/mL"), 1),
            (TextField(f"{group}.reconstitution_fluid", "Reconstitution fluid", max_length=60), 1),
            (DecimalField(f"{group}.extractable_mg", "Extractable", unit="mg"), 1),
        ]
    if group == "bag":
        return [
            (TextField("bag.diluent", "Diluent", max_length=60), 1),
            (DecimalField("bag.bag_volume_ml", "Bag volume, total", unit="mL"), 1),
            (DecimalField("bag.min_mg_per_ml", "Lowest final concentration", unit="mg/mL"), 1),
            (DecimalField("bag.max_mg_per_ml", "Highest final concentration", unit="mg/mL"), 1),
            (TextField("bag.storage", "How the bag is stored, for its label", max_length=100), 2),
        ]
    if group == "compounding":
        categories = [(str(each), str(each)) for each in CompoundingCategory]
        return [
            (ChoiceField("compounding.category", "Category (USP <797>)", categories), 1),
            (DecimalField("compounding.hours", "From reconstitution to the end of use", unit="h"), 1),
        ]
    if group in OPTIONAL_KINDS:
        return [(_optional_field(group), 1)]
    return [(DecimalField(f"stability.{name}", label, unit="h"), 1) for name, label in _STABILITY.items()]


def _optional_field(group: str) -> Field:
    if group == ORDER_LEAD_TIME:
        return TextField(f"{ORDER_LEAD_TIME}.days", "Days from the order to usable stock", max_length=3)
    return DecimalField("line_residue.residue_ml", "Left after the infusion", unit="mL")


def add_signatures(form: Form, first: str, second: str) -> None:
    """Add the fields of two people who sign, each under the meaning of that signature."""
    form.add_widget(Text(first, "strong"))
    form.add(TextField("user_name", "First user name", required=True, max_length=64))
    form.add(PasswordField("password", "First password", required=True))
    form.add_widget(Text(second, "strong"))
    form.add(TextField("second_user_name", "Second user name", required=True, max_length=64))
    form.add(PasswordField("second_password", "Second password", required=True))


def forget_passwords(form: Form) -> None:
    """Empty both passwords of such a form; what was said of them stays."""
    for name in ("password", "second_password"):
        field = form.field(name)
        assert isinstance(field, PasswordField)
        kept = field.fault()
        field.clear()
        field.set_fault(kept)


class SettingsEditor(QWidget):
    """The groups of signed settings and two signatures under them; ``cards`` are those that acts wait for.

    Signal ``sign_requested(object form, object first, object second)`` with a ``SettingsForm`` and two
    ``Credentials``. A group that stays empty is not touched. Afterwards the owner calls ``set_busy(False)``,
    then ``show_faults`` or ``clear``. Signal ``needs_look()`` after faults were shown: the focus is on the first.
    """

    sign_requested = Signal(object, object, object)
    needs_look = Signal()
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settings_editor")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        self.cards = {group: GroupCard(group) for group in KINDS}
        # Shown beside the group it belongs to, once the study is under way: the first run asks for what acts wait for.
        self.optional_cards = {group: GroupCard(group) for group in OPTIONAL_KINDS}
        for card in self.optional_cards.values():
            card.hide()
        self._every = self.cards | self.optional_cards
        for card in self._every.values():
            column.addWidget(card)
            card.form.changed.connect(self.changed)
        signatures = Card(
            "Two signatures",
            "One of the two people is a pharmacist. The first enters the values from the source; the second compares"
            " them with the source and types the password on this screen.",
            name="settings_signatures",
        )
        self.signatures = Form(name="signatures_form")
        add_signatures(
            self.signatures, "First: entered from the named source", "Second: compared with the named source"
        )
        signatures.add(self.signatures)
        self.foot = QHBoxLayout()
        self.foot.setSpacing(SPACE_S)
        self.foot.addStretch(1)
        self.button = Button("Sign the settings", name="sign_settings", kind="primary", icon="sign")
        self.foot.addWidget(self.button)
        signatures.body.addLayout(self.foot)
        column.addWidget(signatures)
        self.button.clicked.connect(self.sign)
        last = self.signatures.field("second_password")
        assert isinstance(last, PasswordField)
        last.editor().returnPressed.connect(self.sign)

    def set_protocol(self, protocol: Protocol | None) -> None:
        """Give the second look its protocol."""
        for card in self._every.values():
            card.set_protocol(protocol)

    def set_people(self, first: str, second: str = "") -> None:
        """Fix the user names of those who sign; '' leaves a name to be typed."""
        for name, user in (("user_name", first), ("second_user_name", second)):
            field = self.signatures.field(name)
            field.set_value(user)
            field.set_read_only(bool(user))
        self.signatures.mark_clean()

    def show_groups(self, groups: Sequence[str]) -> None:
        """Show only these groups, the others are emptied; the focus goes to the first."""
        shown = {*groups, *(_SHOWN_WITH[group] for group in groups if group in _SHOWN_WITH)}
        for group, card in self._every.items():
            card.setVisible(group in shown)
            if group not in shown:
                card.form.clear()
        first = next(card for group, card in self._every.items() if group in groups)
        first.form.fields()[0].editor().setFocus()

    def typed(self) -> SettingsForm:
        """The form as the service takes it."""
        values = {key: value for card in self._every.values() for key, value in card.form.values().items()}

        def vial(group: str) -> VialTyped:
            return VialTyped(
                extractable_mg=values[f"{group}.extractable_mg"],
                reconstitution_ml=values[f"{group}.reconstitution_ml"],
                concentration_mg_per_ml=values[f"{group}.concentration_mg_per_ml"],
                reconstitution_fluid=values[f"{group}.reconstitution_fluid"],
                source=values[f"{group}.source"],
            )

        return SettingsForm(
            bsa_formula=values["bsa_formula.value"],
            bsa_formula_source=values["bsa_formula.source"],
            rounding_increment_mg=values["dose_rounding.increment_mg"],
            rounding_mode=values["dose_rounding.mode"],
            rounding_source=values["dose_rounding.source"],
            vial_1mg=vial("vial_1mg"),
            vial_4mg=vial("vial_4mg"),
            diluent=values["bag.diluent"],
            bag_volume_ml=values["bag.bag_volume_ml"],
            min_mg_per_ml=values["bag.min_mg_per_ml"],
            max_mg_per_ml=values["bag.max_mg_per_ml"],
            bag_storage=values["bag.storage"],
            bag_source=values["bag.source"],
            **{name: values[f"stability.{name}"] for name in _STABILITY},
            stability_source=values["stability.source"],
            line_residue_ml=values["line_residue.residue_ml"],
            line_residue_source=values["line_residue.source"],
            order_lead_days=values["order_lead_time.days"],
            order_lead_source=values["order_lead_time.source"],
            compounding_category=values["compounding.category"],
            compounding_hours=values["compounding.hours"],
            compounding_source=values["compounding.source"],
        )

    def show_faults(self, faults: Sequence[Fault]) -> None:
        """Show every fault beside its field; what belongs to none stands above the signatures."""
        left = list(faults)
        by_card: list[tuple[Form, list[Fault]]] = []
        for group, card in self._every.items():
            here = [fault for fault in left if fault.field.partition(".")[0] == group]
            left = [fault for fault in left if fault not in here]
            by_card.append((card.form, here))
        # The focus goes to the first faulty field: the last form shown takes it.
        for form, here in reversed([*by_card, (self.signatures, left)]):
            form.show_faults(here)
        forget_passwords(self.signatures)
        self.needs_look.emit()

    def set_busy(self, busy: bool) -> None:
        """Hold the button while the signatures are being recorded."""
        self.button.setEnabled(not busy)

    def is_dirty(self) -> bool:
        """Whether anything is typed."""
        return any(card.form.is_dirty() for card in self._every.values())

    def clear(self) -> None:
        """Empty everything but the fixed user names."""
        for card in self._every.values():
            card.form.clear()
        kept = {
            name: self.signatures.field(name).value()
            for name in ("user_name", "second_user_name")
            if self.signatures.field(name).editor().property("readOnly")
        }
        self.signatures.clear()
        self.signatures.set_values(kept)

    def sign(self) -> None:
        """Ask for the signatures, once both people have typed their passwords."""
        if not self.button.isEnabled():
            return
        if not self.signatures.check():
            self.needs_look.emit()
            return
        for card in self._every.values():
            card.form.clear_faults()
        values = self.signatures.values()
        self.set_busy(True)
        self.sign_requested.emit(
            self.typed(),
            Credentials(values["user_name"], values["password"]),
            Credentials(values["second_user_name"], values["second_password"]),
        )


def focus_of(root: QWidget) -> QWidget | None:
    """The widget beneath ``root`` that has the focus, or had it last; ``None`` when none has."""
    return root.focusWidget()
