"""Settings: signed study settings, places, printers, the protocol and its rules, accounts, password, what runs here."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import Account
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.rules import CATALOGUE
from pharmacy_app.domain.rules.explain import Explained, explained
from pharmacy_app.services import views
from pharmacy_app.services.desk import Credentials, Desk, protocol_in, site_of, today_of, version_on, zone_of
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.study_settings import (
    KINDS,
    ORDER_LEAD_TIME,
    TITLES,
    SettingsForm,
    setting_lines,
    sign_settings,
)
from ui.office import Office
from ui.pages.password import PasswordPanel
from ui.pages.settings_accounts import AccountsPanel
from ui.pages.settings_editor import WHY, SettingsEditor, focus_of, line_words
from ui.pages.settings_places import PlacesPanel
from ui.pages.settings_printers import PrintersPanel
from ui.pages.settings_protocol import ProtocolFacts, ProtocolPanel, in_groups
from ui.pages.settings_rules import RulesPanel
from ui.theme import SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, Text, clear_layout, rule
from ui.widgets.panels import Banner, Card, KeyValues, Page, Tabs, confirm

ROWS = (*KINDS, ORDER_LEAD_TIME)
"""The settings with a line of their own; what stays in bag and line is signed beside the bag."""


@dataclass(frozen=True, slots=True)
class SettingsFacts:
    """What the page asks the store for."""

    site: views.Site
    protocol: Protocol
    in_force: views.ProtocolVersion
    rules: tuple[Explained, ...]
    lines: tuple[views.SettingLine, ...]
    accounts: tuple[Account, ...]
    head: views.Head
    places: tuple[views.Place, ...]
    printers: tuple[views.Printer, ...]


def _question(desk: Desk, reader: Reader) -> SettingsFacts:
    site = site_of(reader)
    in_force = version_on(site, today_of(desk, reader))
    protocol = protocol_in(in_force)
    rules = tuple(explained(rule.id, protocol) for rule in CATALOGUE)
    return SettingsFacts(
        site,
        protocol,
        in_force,
        rules,
        setting_lines(reader),
        tuple(reader.accounts()),
        reader.head(),
        tuple(reader.places()),
        tuple(reader.printers()),
    )


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
            needed = group in KINDS
            refused = "Not signed yet – what needs it is refused." if needed else "Not signed."
            text = Text(f"{refused} {WHY[group]}", tone="stop" if needed else "")
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
        for at, group in enumerate(ROWS):
            if at:
                self._rows.addWidget(rule())
            row = _SettingRow(group, lines.get(group), facts.site, self._why_not)
            row.edit.connect(self._edit)
            self._rows.addWidget(row)
        if self._unset:
            titles = ", ".join(TITLES[group] for group in self._unset)
            self._state.set_message("stop", f"Not signed yet: {titles}. What needs them is refused.", word="Missing")
        else:
            optional = ", ".join(TITLES[group] for group in ROWS if group not in lines)
            rest = f" Not signed, and it may stay so: {optional}." if optional else ""
            which = "All study settings that are needed" if optional else "All study settings"
            self._state.set_message("ok", f"{which} are signed.{rest}", word="Complete")
        self._state.setVisible(self.editor.isHidden())
        self.enter.setVisible(bool(self._unset))
        for group, card in (self.editor.cards | self.editor.optional_cards).items():
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
                ("Protocol version", facts.protocol.version.label),
                ("Protocol file SHA-256", in_groups(facts.protocol.sha256)),
                ("Sponsor and supporter", f"{study.sponsor}; {study.supporter}"),
                ("Site", f"{site.number}, {site.name}"),
                ("Principal investigator", site.principal_investigator),
                ("Pharmacy telephone", site.pharmacy_phone),
                ("Time zone", site.time_zone),
                ("Storage places", ", ".join(site.places)),
                ("Database", f"one journal with {facts.head.seq:,} events"),
                ("Journal head", in_groups(facts.head.hash)),
                ("Workstation", self._office.session.workstation),
            ]
        )
        self._texts.set_pairs([(f"§ {text.section}", text.text) for text in facts.protocol.texts])


TABS = (
    ("study", "Study"),
    ("places", "Places"),
    ("printers", "Printers"),
    ("protocol", "Protocol"),
    ("rules", "Rules"),
    ("accounts", "Accounts"),
    ("password", "Password"),
    ("about", "About"),
)


class SettingsPage(Page):
    """Eight parts, chosen by the buttons on top."""

    def __init__(self, office: Office) -> None:
        super().__init__("Settings", name="settings_page")
        self._office = office
        self._trouble = Banner("stop", "", name="settings_trouble")
        self._trouble.hide()
        self.add(self._trouble)
        self.study = StudyPanel(office)
        self.places = PlacesPanel(office)
        self.printers = PrintersPanel(office)
        self.protocol = ProtocolPanel(office)
        self.rules = RulesPanel()
        self.accounts = AccountsPanel(office)
        own = Card("My password", "You type it to sign in and each time you sign.", name="own_password_card")
        self.password = PasswordPanel(office)
        self.password.setMaximumWidth(420)
        own.add(self.password)
        self.about = AboutPanel(office)
        self._parts: dict[str, QWidget] = {
            "study": self.study,
            "places": self.places,
            "printers": self.printers,
            "protocol": self.protocol,
            "rules": self.rules,
            "accounts": self.accounts,
            "password": own,
            "about": self.about,
        }
        self.tabs = Tabs(
            [(words, self._parts[key]) for key, words in TABS],
            name="settings_tabs",
            names=[f"tab_{key}" for key, _ in TABS],
        )
        self.tabs.chosen.connect(self._tab_chosen)
        self.add(self.tabs)
        # What was just shown has its place only after the layout was made.
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._show_focus)
        self.study.needs_look.connect(self._soon.start)
        self.places.needs_look.connect(self._soon.start)
        self.printers.needs_look.connect(self._soon.start)
        self.protocol.needs_look.connect(self._soon.start)
        self.rules.opened.connect(self.show_widget)
        self.accounts.needs_look.connect(self._soon.start)
        self.open_on("study")

    def refresh(self) -> None:
        """Ask for settings and accounts anew; what is being typed stays."""
        self._office.ask(partial(_question, self._office.desk), self._got, self._failed)

    def open_on(self, what: str) -> None:
        """Show one part: study, places, printers, protocol, rules, accounts, password or about."""
        if what not in self._parts:
            return
        self.tabs.set_current(list(self._parts).index(what))
        self.scroll_area.verticalScrollBar().setValue(0)

    def is_dirty(self) -> bool:
        """Whether a form is half typed."""
        drafts = (self.study.editor, self.places, self.printers, self.protocol, self.accounts, self.password.form)
        return any(draft.is_dirty() for draft in drafts)

    def _show_focus(self) -> None:
        focused = focus_of(self)
        if focused is not None and self.content.isAncestorOf(focused):
            self.show_widget(focused)

    def _tab_chosen(self, _at: int) -> None:
        self.scroll_area.verticalScrollBar().setValue(0)

    def _got(self, facts: SettingsFacts) -> None:
        self._trouble.hide()
        self.set_title("Settings", f"{facts.site.protocol_number} · site {facts.site.number}, {facts.site.name}")
        self.study.show_facts(facts)
        self.places.show_places(facts.places)
        self.printers.show_printers(facts.printers)
        self.protocol.show_facts(ProtocolFacts(facts.site, facts.in_force, facts.protocol))
        self.rules.show_rules(facts.rules)
        self.accounts.show_accounts(facts.accounts)
        self.about.show_facts(facts)

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", f"The settings could not be read: {trouble}")
        self._trouble.show()


def make_page(office: Office) -> QWidget:
    """The page for one office."""
    return SettingsPage(office)
