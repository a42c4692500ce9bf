"""The first run: site, people and study are entered step by step and written in one go; then the settings are signed.

Nothing is written before the end of the study step: then the database is made and its first event appended. A
fault takes the person back to the step it belongs to, with everything that was typed still there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from PySide6.QtCore import Qt, QTimer, QTimeZone, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCompleter, QFileDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pharmacy_app.domain.errors import Fault, Refused, Unavailable
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import Role
from pharmacy_app.domain.protocol import Protocol, load_protocol
from pharmacy_app.services.accounts import MIN_PASSWORD, AccountForm, sign_in, sign_out
from pharmacy_app.services.desk import Act, Credentials, Desk, Session
from pharmacy_app.services.setup import FirstAccount, SiteForm, open_site, shipped_protocol_text
from pharmacy_app.services.study_settings import SettingsForm, sign_settings
from ui.bridge import Bridge
from ui.pages.settings_editor import SettingsEditor, focus_of
from ui.theme import FORM_WIDTH, SPACE_L, SPACE_M, SPACE_S, SPACE_XL
from ui.widgets.basics import Button, IconView, Text, clear_layout
from ui.widgets.fields import DateField, Field, Form, NoteField, PasswordField, TextField
from ui.widgets.panels import Banner, Card, KeyValues, StepHeader

WELCOME, SITE, PEOPLE, STUDY, SETTINGS, DONE = range(6)
STEPS = ("Welcome", "Site", "People", "Study", "Settings", "Done")
MAX_PROTOCOL_BYTES = 1_000_000
SHIPPED = "the protocol that ships with the app"
NOT_THE_SAME = "The two passwords are not the same. Type both again."


@dataclass(frozen=True, slots=True)
class StudyText:
    """A protocol file that was read and found right: its name, exact text, and what it says."""

    name: str
    text: str
    protocol: Protocol


def read_study(path: Path | None) -> StudyText:
    """Read and check a protocol file (``None``: the shipped one). All its faults come at once."""
    if path is None:
        text = shipped_protocol_text()
        return StudyText(SHIPPED, text, load_protocol(text))
    try:
        if path.stat().st_size > MAX_PROTOCOL_BYTES:
            raise Unavailable(f"The file {path.name} is larger than 1 MB, so it is no protocol file. Choose another.")
        raw = path.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"The file {path.name} cannot be read ({error.strerror}). Check that it may be opened."
        ) from error
    return StudyText(path.name, raw.decode("utf-8", "replace"), load_protocol(raw))


@dataclass(slots=True)
class _Kept:
    """What the worker made and what has to outlive a refusal: the desk, and the pharmacist's signing."""

    desk: Desk | None
    session: Session | None = None
    act: Act | None = None


def _account_fields(form: Form, prefix: str, printed: str) -> None:
    form.add(TextField(f"{prefix}.printed_name", f"{printed}: full name", required=True, max_length=60))
    form.add(TextField(f"{prefix}.user_name", f"{printed}: user name", required=True, max_length=40))
    form.add(
        PasswordField(
            f"{prefix}.password",
            f"{printed}: password",
            required=True,
            hint=f"At least {MIN_PASSWORD} characters, without the user name.",
        )
    )
    form.add(PasswordField(f"{prefix}.again", f"{printed}: password again", required=True))
    form.add(DateField(f"{prefix}.delegated_from", f"{printed}: delegated from", required=True))
    form.end_row()


class FirstRunGuide(QWidget):
    """Six steps from nothing to a study that people can sign in to. Signal ``finished()`` at the end.

    ``create`` makes the database (in the database thread); ``desk`` is given where an empty one is there already.
    ``where`` names the place of the database for the person, '' when the caller does not know it.
    """

    finished = Signal()

    def __init__(
        self,
        bridge: Bridge,
        create: Callable[[], Desk],
        desk: Desk | None,
        workstation: str,
        where: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("first_run")
        self.setAccessibleName("First run")
        self._bridge = bridge
        self._create = create
        self._kept = _Kept(desk)
        self._workstation = workstation
        self._study: StudyText | None = None
        self._opened = False
        self._current = WELCOME
        self.steps = StepHeader(STEPS, name="first_run_steps")
        self.steps.chosen.connect(self._choose)
        self._title = Text("", "title", name="first_run_title")
        self._trouble = Banner("stop", "", word="Not done", name="first_run_trouble")
        self._trouble.hide()
        self.back = Button("&Back", name="first_run_back")
        self.later = Button("Sign &later", name="first_run_later")
        self.next = Button("&Next", name="first_run_next", kind="primary")
        self.back.clicked.connect(self._go_back)
        self.later.clicked.connect(self._sign_later)
        self.next.clicked.connect(self._go_on)
        self._parts = (
            self._make_welcome(where),
            self._make_site(),
            self._make_people(),
            self._make_study(),
            self._make_settings(),
            self._make_done(),
        )
        self._lay_out()
        self._show(WELCOME)

    def is_dirty(self) -> bool:
        """Whether closing now would lose what was typed."""
        return self._current != DONE and (
            self.editor.is_dirty() if self._opened else self.site.is_dirty() or self.people.is_dirty()
        )

    # -- what is on the steps

    def _lay_out(self) -> None:
        content = QWidget()
        content.setMaximumWidth(FORM_WIDTH)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self._trouble)
        for part in self._parts:
            column.addWidget(part)
        column.addStretch(1)
        inner = QWidget()
        inner.setObjectName("scroll_content")
        inner.setLayout(_centred(content, SPACE_XL, SPACE_L))
        self._area = QScrollArea()
        self._area.setObjectName("first_run_scroll")
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.viewport().setAutoFillBackground(False)
        self._area.setWidget(inner)
        inner.setAutoFillBackground(False)
        head = QWidget()
        head.setMaximumWidth(FORM_WIDTH)
        words = QVBoxLayout(head)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(SPACE_M)
        words.addWidget(self.steps)
        words.addWidget(self._title)
        foot = QWidget()
        foot.setMaximumWidth(FORM_WIDTH)
        buttons = QHBoxLayout(foot)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(SPACE_S)
        buttons.addWidget(self.back)
        buttons.addStretch(1)
        buttons.addWidget(self.later)
        buttons.addWidget(self.next)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, SPACE_L, 0, SPACE_L)
        outer.setSpacing(SPACE_M)
        outer.addLayout(_centred(head, SPACE_XL))
        outer.addWidget(self._area, 1)
        outer.addLayout(_centred(foot, SPACE_XL))

    def _make_welcome(self, where: str) -> QWidget:
        card = Card(name="welcome_card")
        card.add(
            Text(
                "There is no study on this PC yet. This guide sets one up: the site, two people, the study, and the"
                " settings that the protocol leaves to the Study Manual.",
            )
        )
        card.add(
            KeyValues(
                [
                    ("You need", "the site and protocol numbers, the Study Manual, and a pharmacist at this PC"),
                    ("It takes", "about ten minutes; the settings can be signed later"),
                    (
                        "Database",
                        where or "one file in the data folder of the person who is signed in to this PC",
                    ),
                    ("Until step 4", "nothing is written; closing the window leaves everything as it was"),
                ],
                name="welcome_facts",
            )
        )
        return card

    def _make_site(self) -> QWidget:
        card = Card("The site", "These words stand on every label and record.", name="site_card")
        self.site = Form(name="site_form")
        self.site.add(TextField("name", "Name of the site", required=True, max_length=80))
        self.site.add(TextField("number", "Site number", required=True, max_length=20))
        self.site.add(TextField("principal_investigator", "Principal investigator", required=True, max_length=60))
        self.site.add(TextField("protocol_number", "Protocol number", required=True, max_length=30))
        self.site.add(
            TextField(
                "pharmacy_phone", "Pharmacy telephone", required=True, max_length=30, hint="Printed on the bag label."
            )
        )
        own = bytes(QTimeZone.systemTimeZoneId().data()).decode("ascii", "replace")
        self.site.add(
            TextField(
                "time_zone",
                "Time zone",
                required=True,
                placeholder="America/Chicago",
                hint=f"Type part of a city and choose. This PC is set to {own}.",
                check=_zone_fault,
            )
        )
        self._offer_zones()
        self.site.add(
            NoteField(
                "places",
                "Storage places, one a line",
                required=True,
                hint="The usual one first, for example Refrigerator 1: refrigerators for study vials alone, apart from"
                " commercial stock. Quarantine shelves and satellites are added later, under Settings.",
            ),
            span=2,
        )
        card.add(self.site)
        return card

    def _offer_zones(self) -> None:
        field = self.site.field("time_zone")
        assert isinstance(field, TextField)
        completer = QCompleter(sorted(zone for zone in available_timezones() if "/" in zone), self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setMaxVisibleItems(8)
        popup = completer.popup()
        if popup is not None:
            popup.setObjectName("time_zone_list")
            popup.setAccessibleName("Time zones")
        field.editor().setCompleter(completer)

    def _make_people(self) -> QWidget:
        card = Card(
            "Two people",
            "An administrator keeps the accounts; a pharmacist answers for the drug. They are two different people, and"
            " each types the own password.",
            name="people_card",
        )
        self.people = Form(name="people_form")
        self.people.add_widget(Text("Administrator", "strong"))
        _account_fields(self.people, "administrator", "Administrator")
        self.people.add_widget(Text("Pharmacist", "strong"))
        _account_fields(self.people, "pharmacist", "Pharmacist")
        card.add(self.people)
        return card

    def _make_study(self) -> QWidget:
        card = Card(
            "The study",
            "Every rule and number of a dose comes from this file. It is stored with its SHA-256.",
            name="study_card",
        )
        self._study_pairs = KeyValues(name="study_facts")
        card.add(self._study_pairs)
        self._study_faults = QWidget()
        self._study_faults.setObjectName("study_faults")
        self._faults_column = QVBoxLayout(self._study_faults)
        self._faults_column.setContentsMargins(0, 0, 0, 0)
        self._faults_column.setSpacing(SPACE_S)
        self._study_faults.hide()
        card.add(self._study_faults)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        self.choose_file = Button("Choose another file…", name="choose_protocol")
        self.use_shipped = Button("Use the shipped protocol", name="use_shipped_protocol")
        self.choose_file.clicked.connect(self._choose_file)
        self.use_shipped.clicked.connect(self._use_shipped)
        row.addWidget(self.choose_file)
        row.addWidget(self.use_shipped)
        row.addStretch(1)
        card.body.addLayout(row)
        card.add(
            Text(
                "“Make the study” creates the database and writes site, people and study in one go. The study cannot be"
                " exchanged afterwards.",
                "muted",
            )
        )
        return card

    def _make_settings(self) -> QWidget:
        part = QWidget()
        part.setObjectName("settings_step")
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(
            Banner(
                "info",
                "The protocol leaves these to the Study Manual; the app has no default for any of them. Enter what you"
                " have, each with its source; the rest can follow under Settings. Until then doses are refused.",
                name="settings_intro",
            )
        )
        self.editor = SettingsEditor()
        # The guide's own button signs, so that the next step stands where it always does.
        self.editor.button.hide()
        self.editor.sign_requested.connect(self._sign)
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._show_focus)
        self.editor.needs_look.connect(self._soon.start)
        column.addWidget(self.editor)
        return part

    def _make_done(self) -> QWidget:
        card = Card(name="done_card")
        row = QHBoxLayout()
        row.setSpacing(SPACE_M)
        row.addWidget(IconView("ok", "ok", 32), 0, Qt.AlignmentFlag.AlignTop)
        self._done_text = Text("", name="first_run_done")
        row.addWidget(self._done_text, 1)
        card.body.addLayout(row)
        return card

    def showEvent(self, event: QShowEvent) -> None:
        """Begin with the focus on the next step."""
        super().showEvent(event)
        if self._current == WELCOME:
            self.next.setFocus()

    # -- moving

    def _show(self, step: int) -> None:
        self._current = step
        titles = ("Welcome", "The site", "The people", "The study", "Signed settings", "The study is ready")
        self._title.setText(titles[step])
        self.steps.set_current(step)
        for at, part in enumerate(self._parts):
            part.setVisible(at == step)
        self.back.setVisible(WELCOME < step < SETTINGS)
        self.later.setVisible(step == SETTINGS)
        verbs = {STUDY: "&Make the study", SETTINGS: "&Sign and finish", DONE: "&Go to sign-in"}
        self.next.set_text(verbs.get(step, "&Next"))
        self.next.setEnabled(step != STUDY or self._study is not None)
        self._area.verticalScrollBar().setValue(0)
        first = {SITE: self.site, PEOPLE: self.people}.get(step)
        if first is not None:
            first.fields()[0].editor().setFocus()
        elif step != SETTINGS:
            self.next.setFocus()

    def _choose(self, step: int) -> None:
        # What was written cannot be entered anew.
        if step < self._current and not self._opened:
            self._quiet()
            self._show(step)

    def _go_back(self) -> None:
        self._quiet()
        self._show(self._current - 1)

    def _go_on(self) -> None:
        if not self.next.isEnabled():
            return
        self._quiet()
        if self._current == SITE:
            if self.site.check():
                self._suggest_days()
                self._show(PEOPLE)
        elif self._current == PEOPLE:
            if self._people_right():
                self._show(STUDY)
                if self._study is None:
                    self._use_shipped()
        elif self._current == STUDY:
            self._make()
        elif self._current == SETTINGS:
            self.editor.sign()
        elif self._current == DONE:
            self.finished.emit()
        else:
            self._show(SITE)

    def _quiet(self) -> None:
        self._trouble.hide()

    def _show_focus(self) -> None:
        focused = focus_of(self)
        if focused is not None and self.editor.isAncestorOf(focused):
            self._area.ensureWidgetVisible(focused, SPACE_M, SPACE_L)

    def _say(self, sentence: str) -> None:
        self._trouble.set_message("stop", sentence, word="Not done")
        self._trouble.show()
        self._area.verticalScrollBar().setValue(0)

    def _suggest_days(self) -> None:
        """Today at the site, shown to be changed: the delegation log has the true day."""
        today = datetime.now(ZoneInfo(self.site.values()["time_zone"])).date()
        for prefix in ("administrator", "pharmacist"):
            field = self.people.field(f"{prefix}.delegated_from")
            if isinstance(field, DateField) and not field.text():
                field.set_date(today)

    def _people_right(self) -> bool:
        if not self.people.check():
            return False
        values = self.people.values()
        faults = [
            Fault(f"{prefix}.again", NOT_THE_SAME)
            for prefix in ("administrator", "pharmacist")
            if values[f"{prefix}.password"] != values[f"{prefix}.again"]
        ]
        if faults:
            self.people.show_faults(faults)
        return not faults

    # -- the study's file

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a protocol file", "", "Protocol files (*.toml)")
        if path:
            self.read_file(Path(path))

    def _use_shipped(self) -> None:
        self.read_file(None)

    def read_file(self, path: Path | None) -> None:
        """Read a protocol file and show what it says, or everything that is wrong with it."""
        self._hold(True)

        def work() -> StudyText:
            return read_study(path)

        self._bridge.run(work, self._study_read, self._study_refused, busy="Reading the protocol file")

    def _study_read(self, study: StudyText) -> None:
        self._study = study
        self._hold(False)
        self._study_faults.hide()
        protocol = study.protocol
        digest = protocol.sha256
        self._study_pairs.set_pairs(
            [
                ("File", study.name),
                ("Title", protocol.study.title),
                ("Version", protocol.version.label),
                ("Sponsor", protocol.study.sponsor),
                ("Cycles", f"up to {protocol.regimen.max_cycles}"),
                ("SHA-256", " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))),
            ]
        )

    def _study_refused(self, trouble: Exception) -> None:
        self._study = None
        self._hold(False)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self._show_study_faults(faults)

    def _show_study_faults(self, faults: Sequence[Fault]) -> None:
        clear_layout(self._faults_column)
        count = len(faults)
        head = "The file has one fault." if count == 1 else f"The file has {count} faults."
        self._faults_column.addWidget(
            Banner("stop", f"{head} Mend it, or choose another.", word="Not usable", name="study_faults_head")
        )
        for at, fault in enumerate(faults, start=1):
            self._faults_column.addWidget(Text(f"{at}. {fault}", name=f"study_fault_{at}"))
        self._study_pairs.set_pairs([])
        self._study_faults.show()
        self._study = None
        self.next.setEnabled(self._current != STUDY)

    # -- writing

    def _hold(self, busy: bool) -> None:
        for button in (self.back, self.later, self.choose_file, self.use_shipped):
            button.setEnabled(not busy)
        self.steps.setEnabled(not busy)
        self.next.setEnabled(not busy and (self._current != STUDY or self._study is not None))

    def _make(self) -> None:
        if self._study is None:
            return
        values, people = self.site.values(), self.people.values()
        form = SiteForm(
            name=values["name"],
            number=values["number"],
            time_zone=values["time_zone"],
            pharmacy_phone=values["pharmacy_phone"],
            principal_investigator=values["principal_investigator"],
            protocol_number=values["protocol_number"],
            places=tuple(values["places"].splitlines()),
        )

        def first(prefix: str, role: Role) -> FirstAccount:
            return FirstAccount(
                AccountForm(
                    people[f"{prefix}.user_name"],
                    people[f"{prefix}.printed_name"],
                    (str(role),),
                    people[f"{prefix}.delegated_from"],
                ),
                people[f"{prefix}.password"],
            )

        administrator = first("administrator", Role.ADMINISTRATOR)
        pharmacist = first("pharmacist", Role.PHARMACIST)
        kept, create, text, workstation = self._kept, self._create, self._study.text, self._workstation

        def work() -> Event:
            if kept.desk is None:
                kept.desk = create()
            with kept.desk.store.read() as reader:
                if reader.site() is not None:
                    raise Refused(Fault("", "This database holds a study already. Close the window and start again."))
            return open_site(kept.desk, form, text, administrator, pharmacist, workstation)

        self._hold(True)
        self._bridge.run(work, self._made, self._not_made, busy="Making the study")

    def _made(self, _event: Event) -> None:
        self._opened = True
        self._hold(False)
        people = self.people.values()
        self.editor.set_people(people["pharmacist.user_name"], people["administrator.user_name"])
        self.editor.set_protocol(self._study.protocol if self._study else None)
        for name in ("password", "again"):
            for prefix in ("administrator", "pharmacist"):
                field = self.people.field(f"{prefix}.{name}")
                assert isinstance(field, PasswordField)
                field.clear()
        self.people.clear_faults()
        self._show(SETTINGS)
        self.editor.cards["bsa_formula"].form.fields()[0].editor().setFocus()

    def _not_made(self, trouble: Exception) -> None:
        self._hold(False)
        if not isinstance(trouble, Refused):
            self._say(str(trouble))
            return
        at_site = [fault for fault in trouble.faults if fault.field in _names(self.site.fields())]
        at_people = [fault for fault in trouble.faults if fault.field in _names(self.people.fields())]
        others = [str(fault) for fault in trouble.faults if fault not in at_site and fault not in at_people]
        if at_site or at_people:
            self._show(SITE if at_site else PEOPLE)
        for form, faults in ((self.people, at_people), (self.site, at_site)):
            if faults:
                form.show_faults(faults)
        if at_site and at_people:
            others.append("There are faults on this step and on the next one, People.")
        if others:
            self._say(" ".join(others))

    # -- the signed settings

    def _sign_later(self) -> None:
        self._finish("The settings are not signed yet. Until they are, doses are refused and say so.")

    def _sign(self, form: SettingsForm, first: Credentials, second: Credentials) -> None:
        kept, workstation = self._kept, self._workstation

        def work() -> Event:
            assert kept.desk is not None
            if kept.act is None:
                kept.session = sign_in(kept.desk, first, workstation)
                kept.act = Act(kept.session)
            return sign_settings(kept.desk, kept.act, form, first, second)

        self._hold(True)
        self._quiet()
        self._bridge.run(work, self._signed, self._not_signed, busy="Signing the settings")

    def _signed(self, event: Event) -> None:
        self._hold(False)
        self.editor.set_busy(False)
        self.editor.clear()
        missing = len(self.editor.cards) - len(event.content["settings"])
        words = "All settings are signed." if not missing else "Sign the missing settings under Settings."
        self._sign_out()
        self._finish(words)

    def _not_signed(self, trouble: Exception) -> None:
        self._hold(False)
        self.editor.set_busy(False)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.editor.show_faults(faults)

    def _sign_out(self) -> None:
        desk, session = self._kept.desk, self._kept.session
        if desk is None or session is None:
            return
        self._kept.session = None

        def work() -> Event:
            return sign_out(desk, Act(session))

        self._bridge.run(work, self._signed_out, self._not_signed_out)

    def _signed_out(self, _event: Event) -> None:
        """Nothing is left to do."""

    def _not_signed_out(self, trouble: Exception) -> None:
        self._say(str(trouble))

    def _finish(self, words: str) -> None:
        self._done_text.setText(
            f"The study is set up. {words} Sign in now: the administrator adds the other accounts under Settings, the"
            " pharmacist receives the first shipment."
        )
        self._show(DONE)


def _centred(widget: QWidget, side: int, below: int = 0) -> QHBoxLayout:
    """A row with ``widget`` in its middle, as wide as it may be."""
    row = QHBoxLayout()
    row.setContentsMargins(side, 0, side, below)
    row.addStretch(1)
    row.addWidget(widget, 1000)
    row.addStretch(1)
    return row


def _zone_fault(text: str) -> str:
    if text in available_timezones():
        return ""
    return f"“{text}” is not a time zone. Type part of a city, then choose one such as America/Chicago."


def _names(fields: Sequence[Field]) -> set[str]:
    return {field.name for field in fields}
