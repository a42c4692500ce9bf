"""Settings: the signed study settings, the accounts, one's own password, and what runs here.

``SettingsEditor`` is the form of the signed settings with its two signatures; the first-run guide shows it too.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import Account, Role
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.settings import (
    BagPreparation,
    BsaFormula,
    DoseRounding,
    RoundingMode,
    StabilityLimits,
    VialPreparation,
)
from pharmacy_app.domain.settings_check import SettingValue, check_setting
from pharmacy_app.domain.units import parse_decimal, show, show_mg, show_mg_per_ml, show_ml
from pharmacy_app.services import views
from pharmacy_app.services.accounts import (
    MIN_PASSWORD,
    AccountChange,
    AccountForm,
    NewAccount,
    add_account,
    change_account,
    reset_password,
    unlock_account,
)
from pharmacy_app.services.desk import Credentials, protocol_of, site_of, zone_of
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.study_settings import (
    KINDS,
    TITLES,
    SettingsForm,
    VialTyped,
    setting_lines,
    sign_settings,
)
from ui.office import Office
from ui.pages.password import PasswordPanel
from ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, Text, clear_layout, rule
from ui.widgets.fields import CheckField, ChoiceField, DateField, DecimalField, Field, Form, PasswordField, TextField
from ui.widgets.panels import Banner, Card, KeyValues, Page, confirm
from ui.widgets.tables import Column, DataTable, RowTableModel

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
_WHY = {
    "bsa_formula": "No dose is planned without it.",
    "dose_rounding": "The planned dose is rounded once, at the end.",
    "vial_1mg": "Vials of 1 mg are not planned or opened without it.",
    "vial_4mg": "Vials of 4 mg are not planned or opened without it.",
    "bag": "Volumes and the final concentration are worked out from it.",
    "stability": "The beyond-use time is worked out from it.",
}
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
    return str(value)


def line_words(line: views.SettingLine) -> str:
    """A signed setting's value in words."""
    return setting_words(from_plain(KINDS[line.name], line.value))


def _number(text: str) -> Decimal:
    return parse_decimal(text, field="")


def typed_value(group: str, values: Mapping[str, str]) -> SettingValue | None:
    """The value typed so far, or ``None`` where it is not whole yet; for the second look while typing only."""

    def at(field: str) -> Decimal:
        return _number(values[f"{group}.{field}"])

    try:
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
    except (Refused, ValueError):
        return None
    return None


class GroupCard(Card):
    """One setting's fields with its source; beneath, what is odd about the value typed."""

    def __init__(self, group: str, *, intro: str = "") -> None:
        super().__init__(TITLES[group], intro or _WHY[group], name=f"{group}_card")
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


def _fields(group: str) -> list[tuple[Field, int]]:
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
    return [(DecimalField(f"stability.{name}", label, unit="h"), 1) for name, label in _STABILITY.items()]


class SettingsEditor(QWidget):
    """The groups of signed settings and two signatures under them.

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
        for card in self.cards.values():
            column.addWidget(card)
            card.form.changed.connect(self.changed)
        signatures = Card(
            "Two signatures",
            "One of the two people is a pharmacist. The first enters the values from the source; the second compares"
            " them with the source and types the password on this screen.",
            name="settings_signatures",
        )
        self.signatures = Form(name="signatures_form")
        self.signatures.add_widget(Text("First: entered from the named source", "strong"))
        self.signatures.add(TextField("user_name", "First user name", required=True, max_length=64))
        self.signatures.add(PasswordField("password", "First password", required=True))
        self.signatures.add_widget(Text("Second: compared with the named source", "strong"))
        self.signatures.add(TextField("second_user_name", "Second user name", required=True, max_length=64))
        self.signatures.add(PasswordField("second_password", "Second password", required=True))
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
        for card in self.cards.values():
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
        for group, card in self.cards.items():
            card.setVisible(group in groups)
            if group not in groups:
                card.form.clear()
        first = next(card for group, card in self.cards.items() if group in groups)
        first.form.fields()[0].editor().setFocus()

    def typed(self) -> SettingsForm:
        """The form as the service takes it."""
        values = {key: value for card in self.cards.values() for key, value in card.form.values().items()}

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
        )

    def show_faults(self, faults: Sequence[Fault]) -> None:
        """Show every fault beside its field; what belongs to none stands above the signatures."""
        left = list(faults)
        by_card: list[tuple[Form, list[Fault]]] = []
        for group, card in self.cards.items():
            here = [fault for fault in left if fault.field.partition(".")[0] == group]
            left = [fault for fault in left if fault not in here]
            by_card.append((card.form, here))
        # The focus goes to the first faulty field: the last form shown takes it.
        for form, here in reversed([*by_card, (self.signatures, left)]):
            form.show_faults(here)
        for name in ("password", "second_password"):
            field = self.signatures.field(name)
            assert isinstance(field, PasswordField)
            kept = field.fault()
            field.clear()
            field.set_fault(kept)
        self.needs_look.emit()

    def set_busy(self, busy: bool) -> None:
        """Hold the button while the signatures are being recorded."""
        self.button.setEnabled(not busy)

    def is_dirty(self) -> bool:
        """Whether anything is typed."""
        return any(card.form.is_dirty() for card in self.cards.values())

    def clear(self) -> None:
        """Empty everything but the fixed user names."""
        for card in self.cards.values():
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
        for card in self.cards.values():
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


@dataclass(frozen=True, slots=True)
class SettingsFacts:
    """What the page asks the store for."""

    site: views.Site
    protocol: Protocol
    lines: tuple[views.SettingLine, ...]
    accounts: tuple[Account, ...]
    head: views.Head


def _question(reader: Reader) -> SettingsFacts:
    site = site_of(reader)
    return SettingsFacts(site, protocol_of(site), setting_lines(reader), tuple(reader.accounts()), reader.head())


class _SettingRow(QWidget):
    """One setting as it stands, with the button that opens its form. Signal ``edit(str group)``."""

    edit = Signal(str)

    def __init__(self, group: str, line: views.SettingLine | None, site: views.Site, why_not: str) -> None:
        super().__init__()
        self._group = group
        self.setObjectName(f"setting_{group}")
        words = QVBoxLayout()
        words.setSpacing(SPACE_XS)
        words.addWidget(Text(TITLES[group], "strong"))
        if line is None:
            text = Text(f"Not signed yet – what needs it is refused. {_WHY[group]}", tone="stop")
            words.addWidget(text)
        else:
            text = Text(line_words(line))
            words.addWidget(text)
            signed_at = say_moment(line.signed_at.astimezone(zone_of(site)))
            words.addWidget(Text(f"Source: {line.source}", "small"))
            words.addWidget(Text(f"Signed by {line.signed_by}, {signed_at} (event {line.event_seq})", "small"))
        text.setObjectName(f"setting_{group}_value")
        verb = "Change" if line else "Enter"
        button = Button(f"{verb}…", name=f"edit_{group}")
        button.setAccessibleDescription(TITLES[group])
        button.setEnabled(not why_not)
        button.setToolTip(why_not)
        button.clicked.connect(self._edit)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, SPACE_S, 0, SPACE_S)
        row.setSpacing(SPACE_M)
        row.addLayout(words, 1)
        row.addWidget(button)

    def _edit(self) -> None:
        self.edit.emit(self._group)


class StudyPanel(QWidget):
    """The signed settings, and the form that signs them anew. Signal ``needs_look()``: the focus has to be seen."""

    needs_look = Signal()

    def __init__(self, office: Office) -> None:
        super().__init__()
        self._office = office
        self._act = office.act()
        self._unset: tuple[str, ...] = ()
        self._why_not = office.why_not("settings_signed")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        self._state = Banner("info", "", name="settings_state")
        self._state.hide()
        column.addWidget(self._state)
        self._view = Card(
            "Signed study settings",
            "What the protocol leaves to the Study Manual. Two people sign each value with its source; there is no"
            " default.",
            name="settings_view",
        )
        self.enter = Button("Enter what is missing", name="enter_settings", kind="primary", icon="sign")
        self.enter.clicked.connect(self._enter)
        self.enter.setEnabled(not self._why_not)
        self.enter.setToolTip(self._why_not)
        self._view.head.addWidget(self.enter)
        if self._why_not:
            self._view.add(Text(f"Signing: {self._why_not}", "small", name="settings_why_not"))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._view.body.addLayout(self._rows)
        column.addWidget(self._view)
        self.editor = SettingsEditor()
        self.editor.set_people(office.session.user_name)
        cancel = Button("Cancel", name="settings_cancel")
        cancel.clicked.connect(self._cancel)
        self.editor.foot.insertWidget(1, cancel)
        self.editor.sign_requested.connect(self._sign)
        self.editor.needs_look.connect(self.needs_look)
        self.editor.hide()
        column.addWidget(self.editor)
        column.addStretch(1)

    def show_facts(self, facts: SettingsFacts) -> None:
        """Show the settings in force; a form that is open stays as it is."""
        self.editor.set_protocol(facts.protocol)
        lines = {line.name: line for line in facts.lines}
        self._unset = tuple(group for group in KINDS if group not in lines)
        clear_layout(self._rows)
        for at, group in enumerate(KINDS):
            if at:
                self._rows.addWidget(rule())
            row = _SettingRow(group, lines.get(group), facts.site, self._why_not)
            row.edit.connect(self._edit)
            self._rows.addWidget(row)
        if self._unset:
            titles = ", ".join(TITLES[group] for group in self._unset)
            self._state.set_message("stop", f"Not signed yet: {titles}. What needs them is refused.", word="Missing")
        else:
            self._state.set_message("ok", "All study settings are signed.", word="Complete")
        self._state.setVisible(self.editor.isHidden())
        self.enter.setVisible(bool(self._unset))
        for group, card in self.editor.cards.items():
            card.set_now(line_words(lines[group]) if group in lines else "")

    def _enter(self) -> None:
        self._open(self._unset)

    def _edit(self, group: str) -> None:
        self._open((group,))

    def _open(self, groups: Sequence[str]) -> None:
        self._view.hide()
        self._state.hide()
        self.editor.show()
        self.editor.show_groups(groups)
        self.needs_look.emit()

    def _cancel(self) -> None:
        if self.editor.is_dirty() and not confirm(
            self.window(), "Discard what was typed?", "The settings in force stay as they are.", "Discard"
        ):
            return
        self._close()

    def _close(self) -> None:
        self.editor.clear()
        self.editor.hide()
        self._view.show()
        self._state.show()

    def _sign(self, form: SettingsForm, first: Credentials, second: Credentials) -> None:
        desk, act = self._office.desk, self._act

        def work() -> Event:
            return sign_settings(desk, act, form, first, second)

        self._office.do(work, self._signed, self._not_signed, busy="Signing the settings")

    def _signed(self, event: Event) -> None:
        self.editor.set_busy(False)
        self._act = self._office.act()
        self._close()
        titles = ", ".join(TITLES[name] for name in event.content["settings"])
        self._office.messages.ok(f"Signed by two people and in force now: {titles}.")
        self._office.changed.emit()

    def _not_signed(self, trouble: Exception) -> None:
        self.editor.set_busy(False)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.editor.show_faults(faults)


class RolesField(Field):
    """Which roles a person is delegated; ``value()`` is their words with commas between."""

    def __init__(self, name: str = "roles") -> None:
        super().__init__(name, "Roles", required=True, hint="A monitor reads everything and changes nothing: alone.")
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_M)
        self.boxes: dict[str, QCheckBox] = {}
        for role in Role:
            check = QCheckBox(str(role))
            check.setObjectName(f"role_{role}")
            check.setAccessibleName(str(role))
            check.toggled.connect(self._picked)
            self.boxes[str(role)] = check
            row.addWidget(check)
        row.addStretch(1)
        self._install(box)
        self.setFocusProxy(self.boxes[str(Role.PHARMACIST)])

    def text(self) -> str:
        """The chosen roles with commas between."""
        return ",".join(role for role, check in self.boxes.items() if check.isChecked())

    def roles(self) -> tuple[str, ...]:
        """The chosen roles."""
        return tuple(role for role in self.text().split(",") if role)

    def set_value(self, value: str) -> None:
        """Tick these roles, separated by commas, and no other."""
        wanted = value.split(",")
        for role, check in self.boxes.items():
            check.setChecked(role in wanted)

    def editor(self) -> QWidget:
        """The first role's box."""
        return self.boxes[str(Role.PHARMACIST)]

    def _picked(self) -> None:
        self._edited()


def one_time_password() -> str:
    """A random password that can be read aloud: four groups of four, without letters that look alike."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account in the table."""

    account: Account
    user_name: str
    printed_name: str
    roles: str
    delegated: str
    standing: str


def account_row(account: Account) -> AccountRow:
    """An account with its delegation and standing in words."""
    until = f" to {say_day(account.delegated_to)}" if account.delegated_to else " on"
    standing = "disabled" if not account.active else "locked" if account.locked else "in use"
    if account.active and account.must_change_password:
        standing += ", one-time password"
    return AccountRow(
        account,
        account.user_name,
        account.printed_name,
        ", ".join(str(role) for role in account.roles),
        f"{say_day(account.delegated_from)}{until}",
        standing,
    )


def _standing_tone(row: AccountRow) -> str:
    return "stop" if row.account.locked else "warn" if not row.account.active else ""


class AccountsPanel(QWidget):
    """Every account and its standing; an administrator adds, changes, disables, unlocks.

    Signal ``needs_look()``: the focus has to be seen.
    """

    needs_look = Signal()

    def __init__(self, office: Office) -> None:
        super().__init__()
        self._office = office
        self._act = office.act()
        self._chosen: Account | None = None
        self._done_words = ""
        self._why_not = office.why_not("account_added")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        card = Card("Accounts", "One account a person. Accounts are disabled, never deleted.", name="accounts_card")
        self.add = Button("Add an account", name="add_account", kind="primary", icon="plus")
        self.add.clicked.connect(self._begin_add)
        card.head.addWidget(self.add)
        if self._why_not:
            card.add(Text(f"Changing accounts: {self._why_not}", "small", name="accounts_why_not"))
        self._model = RowTableModel(
            (
                Column("user_name", "User name", width=120),
                Column("printed_name", "Full name", stretch=True),
                Column("roles", "Roles", width=170),
                Column("delegated", "Delegated", width=210),
                Column("standing", "Standing", width=190, tone=_standing_tone),
            ),
            parent=self,
        )
        self.table = DataTable(self._model, name="accounts_table", label="Accounts", visible_rows=7)
        self.table.row_chosen.connect(self._choose)
        self.table.row_activated.connect(self._activated)
        card.add(self.table)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        self._hint = Text("Choose an account in the table to change it.", "small")
        row.addWidget(self._hint, 1)
        self.change = Button("Change…", name="change_account")
        self.disable = Button("Disable…", name="disable_account", kind="danger")
        self.unlock = Button("Unlock", name="unlock_account")
        self.reset = Button("One-time password…", name="reset_password")
        for button, slot in (
            (self.change, self._begin_change),
            (self.disable, self._begin_disable),
            (self.unlock, self._unlock),
            (self.reset, self._begin_reset),
        ):
            button.clicked.connect(slot)
            row.addWidget(button)
        card.body.addLayout(row)
        column.addWidget(card)
        self._forms = {
            "add": self._make_add(),
            "change": self._make_change(),
            "reset": self._make_reset(),
        }
        for form in self._forms.values():
            form.hide()
            column.addWidget(form)
        column.addStretch(1)
        self._allow()

    # -- the three forms

    def _make_add(self) -> Card:
        card = Card("Add an account", "The person changes the one-time password at the first sign-in.", name="add_card")
        self.add_form = Form(name="add_account_form")
        self.add_form.add(TextField("printed_name", "Full name", required=True, max_length=60))
        self.add_form.add(TextField("user_name", "User name", required=True, max_length=40))
        self.add_roles = RolesField()
        self.add_form.add(self.add_roles, span=2)
        self.add_form.add(DateField("delegated_from", "Delegated from", required=True))
        self.add_form.add(DateField("delegated_to", "Delegated to", hint="Left empty, the delegation has no end yet."))
        hint = f"At least {MIN_PASSWORD} characters. Tell it to the person, not by e-mail."
        self.add_form.add(TextField("password", "One-time password", required=True, hint=hint, max_length=1024))
        self.add_form.add_widget(self._make_up("add_make_up", self._make_up_first), span=1)
        card.add(self.add_form)
        self.add_save = self._foot(card, "Add the account", "add_account_save", self._add)
        return card

    def _make_change(self) -> Card:
        card = Card("Change an account", name="change_card")
        self._change_who = Text("", "strong", name="change_who")
        card.add(self._change_who)
        self.change_form = Form(name="change_account_form")
        self.change_roles = RolesField()
        self.change_form.add(self.change_roles, span=2)
        self.change_form.add(DateField("delegated_from", "Delegated from", required=True))
        self.change_form.add(
            DateField("delegated_to", "Delegated to", hint="Left empty, the delegation has no end yet.")
        )
        self.change_form.add(CheckField("active", "The account may be used"), span=2)
        self.change_form.add(TextField("why", "Reason for the change", required=True, max_length=500), span=2)
        card.add(self.change_form)
        self.change_save = self._foot(card, "Save the change", "change_account_save", self._change)
        return card

    def _make_reset(self) -> Card:
        card = Card(
            "Set a one-time password",
            "The old password ends now. The person changes this one at the next sign-in.",
            name="reset_card",
        )
        self._reset_who = Text("", "strong", name="reset_who")
        card.add(self._reset_who)
        self.reset_form = Form(name="reset_password_form")
        hint = f"At least {MIN_PASSWORD} characters. Tell it to the person, not by e-mail."
        self.reset_form.add(TextField("password", "One-time password", required=True, hint=hint, max_length=1024))
        self.reset_form.add_widget(self._make_up("reset_make_up", self._make_up_next), span=1)
        card.add(self.reset_form)
        self.reset_save = self._foot(card, "Set the password", "reset_password_save", self._reset)
        return card

    def _make_up(self, name: str, slot: Callable[[], None]) -> QWidget:
        beside = QWidget()
        row = QHBoxLayout(beside)
        # Level with the editor: the label of the field stands above it.
        row.setContentsMargins(0, SPACE_L, 0, 0)
        button = Button("Make one up", name=name, icon="key")
        button.clicked.connect(slot)
        row.addWidget(button)
        row.addStretch(1)
        return beside

    def _foot(self, card: Card, verb: str, name: str, slot: Callable[[], None]) -> Button:
        cancel = Button("Cancel", name=f"{name}_cancel")
        cancel.clicked.connect(self._close_forms)
        save = Button(verb, name=name, kind="primary")
        save.clicked.connect(slot)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(save)
        card.body.addLayout(row)
        return save

    def _make_up_first(self) -> None:
        self.add_form.field("password").set_value(one_time_password())

    def _make_up_next(self) -> None:
        self.reset_form.field("password").set_value(one_time_password())

    # -- state

    def show_facts(self, facts: SettingsFacts) -> None:
        """Show every account; the one chosen stays chosen."""
        chosen = self._chosen.account_id if self._chosen else ""
        rows = [account_row(account) for account in facts.accounts]
        self._model.set_rows(rows)
        for at, row in enumerate(self._model.rows()):
            if row.account.account_id == chosen:
                self.table.selectRow(at)
                self._chosen = row.account
        self._allow()

    def is_dirty(self) -> bool:
        """Whether a form is half typed."""
        return any(
            not card.isHidden() and form.is_dirty()
            for card, form in zip(self._forms.values(), (self.add_form, self.change_form, self.reset_form), strict=True)
        )

    def _choose(self, row: AccountRow) -> None:
        self._chosen = row.account
        self._allow()

    def _activated(self, row: AccountRow) -> None:
        self._choose(row)
        if self.change.isEnabled():
            self._begin_change()

    def _allow(self) -> None:
        chosen, may = self._chosen, not self._why_not
        self.add.setEnabled(may)
        for button in (self.change, self.reset):
            button.setEnabled(may and chosen is not None)
        self.unlock.setEnabled(may and chosen is not None and chosen.locked)
        self.disable.setEnabled(may and chosen is not None)
        enabled = chosen is None or chosen.active
        self.disable.set_text("Disable…" if enabled else "Enable…")
        self.disable.set_kind("danger" if enabled else "secondary")
        for button in (self.add, self.change, self.disable, self.unlock, self.reset):
            button.setToolTip(self._why_not)

    def _open(self, which: str) -> None:
        self._act = self._office.act()
        for name, card in self._forms.items():
            card.setVisible(name == which)

    def _close_forms(self) -> None:
        for form in (self.add_form, self.change_form, self.reset_form):
            form.clear()
        for card in self._forms.values():
            card.hide()
        self.table.setFocus()

    # -- beginning

    def _begin_add(self) -> None:
        self._open("add")
        self.add_form.field("printed_name").editor().setFocus()
        self.needs_look.emit()

    def _begin_change(self) -> None:
        if self._chosen is not None:
            self._fill_change(self._chosen, self._chosen.active)

    def _begin_disable(self) -> None:
        if self._chosen is not None:
            self._fill_change(self._chosen, not self._chosen.active)

    def _fill_change(self, account: Account, active: bool) -> None:
        self._open("change")
        self._change_who.setText(f"{account.printed_name} ({account.user_name})")
        self.change_form.set_values(
            {
                "roles": ",".join(account.roles),
                "delegated_from": account.delegated_from.isoformat(),
                "delegated_to": account.delegated_to.isoformat() if account.delegated_to else "",
                "active": "yes" if active else "",
                "why": "",
            }
        )
        self.change_form.clear_faults()
        self.change_form.field("why").editor().setFocus()
        self.needs_look.emit()

    def _begin_reset(self) -> None:
        if self._chosen is not None:
            self._open("reset")
            self._reset_who.setText(f"{self._chosen.printed_name} ({self._chosen.user_name})")
            self.reset_form.field("password").editor().setFocus()
            self.needs_look.emit()

    # -- acts

    def _add(self) -> None:
        values = self.add_form.values()
        form = AccountForm(
            values["user_name"],
            values["printed_name"],
            self.add_roles.roles(),
            values["delegated_from"],
            values["delegated_to"],
        )
        new = NewAccount(form, values["password"])
        desk, act = self._office.desk, self._act

        def work() -> Event:
            return add_account(desk, act, new)

        words = f"{values['printed_name']} has an account now. Tell them the one-time password."
        self._do(work, words, "Adding the account")

    def _change(self) -> None:
        if self._chosen is None:
            return
        values = self.change_form.values()
        form = AccountChange(
            self._chosen.account_id,
            self.change_roles.roles(),
            values["delegated_from"],
            values["delegated_to"],
            values["active"] == "yes",
            values["why"],
        )
        desk, act = self._office.desk, self._act

        def work() -> Event:
            return change_account(desk, act, form)

        self._do(work, f"The account of {self._chosen.printed_name} was changed.", "Changing the account")

    def _unlock(self) -> None:
        if self._chosen is None:
            return
        self._close_forms()
        self._act = self._office.act()
        desk, act, account_id = self._office.desk, self._act, self._chosen.account_id

        def work() -> Event:
            return unlock_account(desk, act, account_id)

        self._do(work, f"{self._chosen.printed_name} can sign in again.", "Unlocking the account")

    def _reset(self) -> None:
        if self._chosen is None:
            return
        password = self.reset_form.values()["password"]
        desk, act, account_id = self._office.desk, self._act, self._chosen.account_id

        def work() -> Event:
            return reset_password(desk, act, account_id, password)

        words = f"{self._chosen.printed_name} signs in with the one-time password next."
        self._do(work, words, "Setting the password")

    def _do(self, work: Callable[[], Event], words: str, busy: str) -> None:
        self._done_words = words
        self._hold(True)
        self._office.do(work, self._done, self._failed, busy=busy)

    def _hold(self, busy: bool) -> None:
        for button in (self.add_save, self.change_save, self.reset_save):
            button.setEnabled(not busy)
        if busy:
            self.unlock.setEnabled(False)
        else:
            self._allow()

    def _done(self, _event: Event) -> None:
        self._hold(False)
        self._act = self._office.act()
        self._close_forms()
        self._office.messages.ok(self._done_words)
        self._office.changed.emit()

    def _failed(self, trouble: Exception) -> None:
        self._hold(False)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        shown = next((name for name, card in self._forms.items() if not card.isHidden()), "")
        form = {"add": self.add_form, "change": self.change_form, "reset": self.reset_form}.get(shown)
        if form is None:
            self._office.say_trouble(trouble)
        else:
            form.show_faults(faults)
            self.needs_look.emit()


class AboutPanel(QWidget):
    """What runs here, on which study, by which text."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self._office = office
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        card = Card("This installation", name="about_card")
        self._pairs = KeyValues(name="about_facts")
        card.add(self._pairs)
        column.addWidget(card)
        texts = Card("Sentences of the protocol", "Word for word, as they are shown and printed.", name="texts_card")
        self._texts = KeyValues(name="protocol_texts")
        texts.add(self._texts)
        column.addWidget(texts)
        column.addStretch(1)

    def show_facts(self, facts: SettingsFacts) -> None:
        """Show versions, hashes and the protocol's sentences."""
        site, study = facts.site, facts.protocol.study
        self._pairs.set_pairs(
            [
                ("App version", self._office.desk.app_version),
                ("Study", site.study_title),
                ("Protocol number", site.protocol_number),
                ("Protocol version", site.protocol_version),
                ("Protocol file SHA-256", _in_groups(site.protocol_sha256)),
                ("Sponsor and supporter", f"{study.sponsor}; {study.supporter}"),
                ("Site", f"{site.number}, {site.name}"),
                ("Principal investigator", site.principal_investigator),
                ("Pharmacy telephone", site.pharmacy_phone),
                ("Time zone", site.time_zone),
                ("Storage places", ", ".join(site.places)),
                ("Database", f"one journal with {facts.head.seq:,} events"),
                ("Journal head", _in_groups(facts.head.hash)),
                ("Workstation", self._office.session.workstation),
            ]
        )
        self._texts.set_pairs([(f"§ {text.section}", text.text) for text in facts.protocol.texts])


def _in_groups(digest: str) -> str:
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))


TABS = (("study", "Study settings"), ("accounts", "Accounts"), ("password", "My password"), ("about", "About"))


class SettingsPage(Page):
    """Four parts, chosen by the buttons on top."""

    def __init__(self, office: Office) -> None:
        super().__init__("Settings", name="settings_page")
        self._office = office
        self._trouble = Banner("stop", "", name="settings_trouble")
        self._trouble.hide()
        self.add(self._trouble)
        tabs = QWidget()
        row = QHBoxLayout(tabs)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_XS)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self.tabs: dict[str, Button] = {}
        for at, (key, words) in enumerate(TABS):
            button = Button(words, name=f"tab_{key}", kind="step")
            button.setCheckable(True)
            self._group.addButton(button, at)
            self.tabs[key] = button
            row.addWidget(button)
        row.addStretch(1)
        self.add(tabs)
        self.study = StudyPanel(office)
        self.accounts = AccountsPanel(office)
        own = Card("My password", "You type it to sign in and each time you sign.", name="own_password_card")
        self.password = PasswordPanel(office)
        self.password.setMaximumWidth(420)
        own.add(self.password)
        self.about = AboutPanel(office)
        self._parts: dict[str, QWidget] = {
            "study": self.study,
            "accounts": self.accounts,
            "password": own,
            "about": self.about,
        }
        for part in self._parts.values():
            self.add(part)
        self._group.idClicked.connect(self._tab_clicked)
        # What was just shown has its place only after the layout was made.
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._show_focus)
        self.study.needs_look.connect(self._soon.start)
        self.accounts.needs_look.connect(self._soon.start)
        self.open_on("study")

    def refresh(self) -> None:
        """Ask for settings and accounts anew; what is being typed stays."""
        self._office.ask(_question, self._got, self._failed)

    def open_on(self, what: str) -> None:
        """Show one part: study, accounts, password or about."""
        if what not in self._parts:
            return
        self.tabs[what].setChecked(True)
        for key, part in self._parts.items():
            part.setVisible(key == what)
        for key, button in self.tabs.items():
            button.setProperty("state", "current" if key == what else "waiting")
            button.set_kind("step")
        self.scroll_area.verticalScrollBar().setValue(0)

    def is_dirty(self) -> bool:
        """Whether a form is half typed."""
        return self.study.editor.is_dirty() or self.accounts.is_dirty() or self.password.form.is_dirty()

    def _show_focus(self) -> None:
        focused = focus_of(self)
        if focused is not None and self.content.isAncestorOf(focused):
            self.show_widget(focused)

    def _tab_clicked(self, at: int) -> None:
        self.open_on(TABS[at][0])

    def _got(self, facts: SettingsFacts) -> None:
        self._trouble.hide()
        self.set_title("Settings", f"{facts.site.protocol_number} · site {facts.site.number}, {facts.site.name}")
        self.study.show_facts(facts)
        self.accounts.show_facts(facts)
        self.about.show_facts(facts)

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", f"The settings could not be read: {trouble}")
        self._trouble.show()


def make_page(office: Office) -> QWidget:
    """The page for one office."""
    return SettingsPage(office)
