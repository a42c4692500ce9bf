"""The protocol in the settings: the version in force, all versions, and the amendment that two people sign."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.amendments import Difference
from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.protocol import Protocol, load_protocol
from pharmacy_app.services import views
from pharmacy_app.services.amendments import Amendment, AmendmentForm, Touched, amend_protocol, preview_amendment
from pharmacy_app.services.desk import Credentials, protocol_in, zone_of
from ui.office import Office
from ui.pages.first_run import MAX_PROTOCOL_BYTES
from ui.pages.settings_editor import SOURCE_HINT, add_signatures, forget_passwords
from ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, Text, clear_layout, rule
from ui.widgets.fields import Form, TextField
from ui.widgets.panels import Banner, Card, KeyValues, confirm

AMENDED = "protocol_amended"
PAGE_HINT = SOURCE_HINT.replace("Study Manual 2.0", "Amendment 1 of 20-Feb-2026, IRB approval 2026-117")

_ABSENT = "not in the file"
_ENDINGS = {
    "mg_per_m2": "mg/m²",
    "ml_per_min": "mL/min",
    "10e9_per_l": "10⁹/L",
    "uln": "× ULN",
    "percent": "%",
    "celsius": "°C",
    "m2": "m²",
    "hours": "hours",
    "minutes": "minutes",
    "days": "days",
    "weeks": "weeks",
    "months": "months",
    "years": "years",
}
"""Units at the end of a name in the protocol file, as people write them."""


def in_groups(digest: str) -> str:
    """A hash in groups of eight, so that two of them can be compared by eye."""
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))


def since_words(version: views.ProtocolVersion, opened_with: views.ProtocolVersion) -> str:
    """From when on a version applies; the one that the site was opened with always did."""
    if version == opened_with:
        return "Since the study was opened here"
    return f"From {say_day(version.effective_on)} on"


def place_words(path: str) -> tuple[str, str]:
    """The table of the protocol file in which an entry stands, and the entry in it, both in words."""
    parts = re.findall(r"([^.\[\]]+)(?:\[([^\]]*)\])?", path)
    words = [f"“{key.replace('_', ' ')}”" if name == "texts" else key or _named(name) for name, key in parts]
    if parts[0][0] == "texts":
        return "Sentences of the protocol", ", ".join(words if words[-1] != "text" else words[:-1])
    if len(words) == 1:
        return "The file", words[0]
    return words[0][:1].upper() + words[0][1:], ", ".join(words[1:]).replace("level -", "level −")


def _named(name: str) -> str:
    for ending, unit in _ENDINGS.items():
        if name == ending:
            return unit
        if name.endswith(f"_{ending}"):
            return f"{name.removesuffix(f'_{ending}').replace('_', ' ')} ({unit})"
    return name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class ProtocolFacts:
    """All versions in the order in which they come into force, the one of today, and what that one says."""

    site: views.Site
    in_force: views.ProtocolVersion
    protocol: Protocol


@dataclass(frozen=True, slots=True)
class _FileRead:
    """An amended file that was read and found right: its name, exact text, title, and what it would change."""

    name: str
    text: str
    title: str
    amendment: Amendment


def _text_of(path: Path) -> str:
    """The text of a chosen file; raises ``Refused`` when there is none to read."""
    try:
        if path.stat().st_size > MAX_PROTOCOL_BYTES:
            raise Refused(Fault("", f"{path.name} is larger than 1 MB, so it is no protocol file. Choose another."))
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        said = f"{path.name} cannot be read ({error.strerror}). Check that the file may be opened."
        raise Refused(Fault("", said)) from error
    except UnicodeDecodeError:
        raise Refused(Fault("", f"{path.name} is not UTF-8 text. Save it as UTF-8, or choose another.")) from None


class DifferenceList(QWidget):
    """Every entry that differs, under the table of the file it stands in, with its value before and after."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("differences")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACE_L)
        self._grid.setVerticalSpacing(SPACE_S)
        for column, stretch in enumerate((4, 5, 5)):
            self._grid.setColumnStretch(column, stretch)

    def show_differences(self, differences: Sequence[Difference]) -> None:
        """Show these, in the order of the file."""
        clear_layout(self._grid)
        for column, head in enumerate(("Where", "Before", "After")):
            self._grid.addWidget(Text(head, "label"), 0, column)
        row = 1
        for table, entries in groupby(differences, key=lambda each: place_words(each.path)[0]):
            self._grid.addWidget(rule(), row, 0, 1, 3)
            self._grid.addWidget(Text(table, "strong"), row + 1, 0, 1, 3)
            row += 2
            for each in entries:
                self._add(row, each)
                row += 1

    def _add(self, row: int, each: Difference) -> None:
        table, entry = place_words(each.path)
        before, after = each.before or _ABSENT, each.after or _ABSENT
        where = Text(entry, "muted")
        was, is_now = (Text(words, "muted" if words == _ABSENT else "body") for words in (before, after))
        where.setToolTip(each.path)
        is_now.setAccessibleName(f"{table}, {entry}: before {before}, after {after}")
        for column, text in enumerate((where, was, is_now)):
            self._grid.addWidget(text, row, column, Qt.AlignmentFlag.AlignTop)


class AmendmentEditor(QWidget):
    """An amendment from its file to its signatures: the file with its faults, what it changes, for whom, who signs.

    Signal ``file_chosen(object path)``, ``sign_requested(object form, object first, object second)``. The owner answers
    with ``show_file`` or ``show_file_faults``, and after signing with ``show_faults`` or ``clear``. Signal
    ``needs_look()``: what has the focus has to be seen.
    """

    file_chosen = Signal(object)
    sign_requested = Signal(object, object, object)
    needs_look = Signal()

    def __init__(self, user_name: str) -> None:
        super().__init__()
        self.setObjectName("amendment_editor")
        self._file: _FileRead | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        file = Card(
            "Amended protocol file",
            "The whole protocol file as the amendment has it, with its own label and the day from which it applies."
            " Nothing is recorded before two people have signed.",
            name="amendment_file",
        )
        self.cancel = Button("Cancel", name="amendment_cancel")
        self.choose = Button("Choose a file…", name="amendment_choose")
        self.choose.clicked.connect(self._choose)
        file.head.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignTop)
        file.head.addWidget(self.choose, 0, Qt.AlignmentFlag.AlignTop)
        self._pairs = KeyValues(name="amendment_pairs")
        file.add(self._pairs)
        self._faults = QWidget()
        self._faults.setObjectName("amendment_faults")
        self._faults_column = QVBoxLayout(self._faults)
        self._faults_column.setContentsMargins(0, 0, 0, 0)
        self._faults_column.setSpacing(SPACE_S)
        file.add(self._faults)
        column.addWidget(file)
        self._changes = Card("What it changes", name="amendment_changes")
        self._count = Text("", "muted", name="amendment_count")
        self._differences = DifferenceList()
        self._changes.add(self._count)
        self._changes.add(self._differences)
        column.addWidget(self._changes)
        self._touched = Card("Whom it touches", name="amendment_touched")
        self._touched_column = QVBoxLayout()
        self._touched_column.setSpacing(SPACE_M)
        self._touched.body.addLayout(self._touched_column)
        column.addWidget(self._touched)
        self._signing = self._make_signing(user_name)
        column.addWidget(self._signing)
        self.clear()

    def _make_signing(self, user_name: str) -> Card:
        card = Card(
            "Two signatures",
            "One of the two people is a pharmacist. The first enters the file from the approved amendment; the second"
            " compares the differences above with it and types the password on this screen.",
            name="amendment_signatures",
        )
        self.form = Form(name="amendment_form")
        self.form.add(TextField("source", "Source", required=True, hint=PAGE_HINT, max_length=200), span=2)
        add_signatures(
            self.form, "First: entered from the named amendment", "Second: compared with the named amendment"
        )
        self.form.field("user_name").set_value(user_name)
        self.form.field("user_name").set_read_only(True)
        self.form.mark_clean()
        card.add(self.form)
        foot = QHBoxLayout()
        foot.addStretch(1)
        self.button = Button("Sign the amendment", name="sign_amendment", kind="primary", icon="sign")
        foot.addWidget(self.button)
        card.body.addLayout(foot)
        self.button.clicked.connect(self.sign)
        last = self.form.field("second_password")
        assert isinstance(last, TextField)
        last.editor().returnPressed.connect(self.sign)
        return card

    def is_dirty(self) -> bool:
        """Whether a file was chosen or anything typed."""
        return self._file is not None or self.form.is_dirty()

    @property
    def text(self) -> str:
        """The text of the file shown, '' while there is none."""
        return "" if self._file is None else self._file.text

    @property
    def name(self) -> str:
        """The name of the file shown, '' while there is none."""
        return "" if self._file is None else self._file.name

    def set_busy(self, busy: bool) -> None:
        """Hold the buttons while a file is read or the signatures are recorded."""
        for button in (self.button, self.choose, self.cancel):
            button.setEnabled(not busy)

    def show_file(self, read: _FileRead) -> None:
        """Show what a file that is right would change, and ask for the signatures."""
        self.set_busy(False)
        if read == self._file:
            return
        first = self._file is None
        self._file = read
        amendment = read.amendment
        self._faults.hide()
        self._pairs.set_pairs(
            [
                ("File", read.name),
                ("Version", amendment.label),
                ("Title", read.title),
                ("Follows", amendment.follows),
                ("In force from", say_day(amendment.effective_on)),
                ("SHA-256", in_groups(amendment.sha256)),
            ]
        )
        self._pairs.show()
        count = len(amendment.differences)
        self._count.setText("1 entry differs." if count == 1 else f"{count} entries differ.")
        self._differences.show_differences(amendment.differences)
        self._show_touched(amendment.touched)
        for card in (self._changes, self._touched, self._signing):
            card.show()
        self._say_choose("Choose another file…", "secondary")
        if first:
            self.choose.setFocus()

    def show_file_faults(self, faults: Sequence[Fault]) -> None:
        """List everything that is wrong with a file; what was typed beneath stays for the next one."""
        self.set_busy(False)
        self._file = None
        self._pairs.hide()
        for card in (self._changes, self._touched, self._signing):
            card.hide()
        clear_layout(self._faults_column)
        head = "The file has one fault." if len(faults) == 1 else f"The file has {len(faults)} faults."
        self._faults_column.addWidget(
            Banner("stop", f"{head} Mend it, or choose another.", word="Not usable", name="amendment_faults_head")
        )
        for at, fault in enumerate(faults, start=1):
            place = f"{fault.field}: " if fault.field and fault.field not in fault.sentence else ""
            self._faults_column.addWidget(Text(f"{at}. {place}{fault}", name=f"amendment_fault_{at}"))
        self._faults.show()
        self._say_choose("Choose another file…", "primary")
        self.choose.setFocus()
        self.needs_look.emit()

    def show_faults(self, faults: Sequence[Fault]) -> None:
        """Show why it was not signed: what the file is blamed for on top, all else beside its field."""
        self.set_busy(False)
        names = {field.name for field in self.form.fields()}
        own = [fault for fault in faults if not fault.field or fault.field in names]
        of_file = [fault for fault in faults if fault not in own]
        self.form.show_faults(own)
        forget_passwords(self.form)
        if of_file:
            self.show_file_faults(of_file)
        self.needs_look.emit()

    def clear(self) -> None:
        """Begin anew: no file, nothing typed but the first user's name."""
        self._file = None
        user = self.form.field("user_name").value()
        self.form.clear()
        self.form.set_values({"user_name": user})
        for widget in (self._pairs, self._faults, self._changes, self._touched, self._signing):
            widget.hide()
        self._say_choose("Choose a file…", "primary")
        self.set_busy(False)

    def sign(self) -> None:
        """Ask for the signatures, once the source and both passwords are typed."""
        if not self.button.isEnabled() or self._file is None:
            return
        if not self.form.check():
            self.needs_look.emit()
            return
        self.form.clear_faults()
        values = self.form.values()
        self.set_busy(True)
        self.sign_requested.emit(
            AmendmentForm(self._file.text, values["source"]),
            Credentials(values["user_name"], values["password"]),
            Credentials(values["second_user_name"], values["second_password"]),
        )

    def _say_choose(self, words: str, kind: str) -> None:
        """Choosing a file is the next step until there is one to sign."""
        self.choose.set_text(words)
        self.choose.set_kind(kind)

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose the amended protocol file", "", "Protocol files (*.toml)")
        if path:
            self.file_chosen.emit(Path(path))

    def _show_touched(self, touched: Sequence[Touched]) -> None:
        clear_layout(self._touched_column)
        if not touched:
            said = "No subject has a course under way or a dose ordered for a day on which the amendment applies."
            self._touched_column.addWidget(Text(said, name="touched_nobody"))
        for each in touched:
            words = QVBoxLayout()
            words.setSpacing(SPACE_XS)
            words.addWidget(Text(f"Subject {each.subject_number}", "strong"))
            for at, why in enumerate(each.why, start=1):
                words.addWidget(Text(why, name=f"touched_{each.subject_number}_{at}"))
            self._touched_column.addLayout(words)


class ProtocolPanel(QWidget):
    """The version in force, all versions, and the way to a further one. Signal ``needs_look()``."""

    needs_look = Signal()

    def __init__(self, office: Office) -> None:
        super().__init__()
        self._office = office
        self._act = office.act()
        why_not = office.why_not(AMENDED)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        self._ahead = Banner("info", "", name="protocol_ahead")
        self._ahead.hide()
        column.addWidget(self._ahead)
        self._now = Card("Protocol in force", "Every dose is decided by the version of its day.", name="protocol_now")
        self.add_amendment = Button("Add an amendment…", name="add_amendment", icon="plus")
        self.add_amendment.setEnabled(not why_not)
        self.add_amendment.setToolTip(why_not)
        self.add_amendment.clicked.connect(self._open)
        self._now.head.addWidget(self.add_amendment, 0, Qt.AlignmentFlag.AlignTop)
        if why_not:
            self._now.add(Text(f"Adding an amendment: {why_not}", "small", name="add_amendment_why_not"))
        self._pairs = KeyValues(name="protocol_pairs")
        self._now.add(self._pairs)
        column.addWidget(self._now)
        self._all = Card("All versions", "The newest first. None is ever taken back.", name="protocol_versions")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(SPACE_S)
        self._all.body.addLayout(self._rows)
        column.addWidget(self._all)
        self.editor = AmendmentEditor(office.session.user_name)
        self.editor.cancel.clicked.connect(self._cancel)
        self.editor.file_chosen.connect(self.read_file)
        self.editor.sign_requested.connect(self._sign)
        self.editor.needs_look.connect(self.needs_look)
        self.editor.hide()
        column.addWidget(self.editor)
        column.addStretch(1)

    def is_dirty(self) -> bool:
        """Whether an amendment was begun."""
        return self.editor.is_dirty()

    def show_facts(self, facts: ProtocolFacts) -> None:
        """Show the versions; an amendment that is open stays, and what it would change is looked at anew."""
        site, now = facts.site, facts.in_force
        self._pairs.set_pairs(
            [
                ("Version", now.label),
                ("Title", facts.protocol.study.title),
                ("In force", since_words(now, site.versions[0])),
                ("SHA-256", in_groups(now.sha256)),
                ("Source", now.source),
                ("Signed by", now.signed_by or "nobody: it came with the study"),
            ]
        )
        ahead = [version for version in site.versions if version.effective_on > now.effective_on]
        ahead = [version for version in ahead if version != now]
        self._ahead.set_message(
            "info",
            "\n".join(
                f"“{version.label}” is signed and comes into force on {say_day(version.effective_on)}."
                for version in ahead
            ),
            word="Ahead",
        )
        self._ahead.setVisible(bool(ahead) and self.editor.isHidden())
        clear_layout(self._rows)
        for at, version in enumerate(reversed(site.versions)):
            if at:
                self._rows.addWidget(rule())
            self._rows.addWidget(_VersionRow(version, facts, ahead=version in ahead))
        if self.editor.text:
            self._preview(self.editor.name, self.editor.text)

    def read_file(self, path: Path) -> None:
        """Read an amended file and show what it would change, or everything that is wrong with it."""
        self.editor.set_busy(True)
        desk = self._office.desk

        def work() -> _FileRead:
            text = _text_of(path)
            with desk.store.read() as reader:
                return _file_read(path.name, text, preview_amendment(desk, reader, text))

        self._office.do(work, self.editor.show_file, self._not_read, busy="Reading the amended protocol")

    def _preview(self, name: str, text: str) -> None:
        desk = self._office.desk
        self._office.ask(
            lambda reader: _file_read(name, text, preview_amendment(desk, reader, text)),
            self._looked_again,
            self._not_read,
        )

    def _looked_again(self, read: _FileRead) -> None:
        # Meanwhile another file may have been chosen, or this one signed.
        if read.text == self.editor.text:
            self.editor.show_file(read)

    def _not_read(self, trouble: Exception) -> None:
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.editor.show_file_faults(faults)

    def _open(self) -> None:
        for widget in (self._now, self._all, self._ahead):
            widget.hide()
        self.editor.show()
        self.editor.choose.setFocus()
        self.needs_look.emit()

    def _cancel(self) -> None:
        if self.editor.is_dirty() and not confirm(
            self.window(), "Discard the amendment?", "The versions that are signed stay as they are.", "Discard"
        ):
            return
        self._close()

    def _close(self) -> None:
        self.editor.clear()
        self.editor.hide()
        self._now.show()
        self._all.show()
        self._ahead.setVisible(bool(self._ahead.text()))
        self.add_amendment.setFocus()
        self.needs_look.emit()

    def _sign(self, form: AmendmentForm, first: Credentials, second: Credentials) -> None:
        desk, act = self._office.desk, self._act

        def work() -> Event:
            return amend_protocol(desk, act, form, first, second)

        self._office.do(work, self._signed, self._not_signed, busy="Signing the amendment")

    def _signed(self, event: Event) -> None:
        self._act = self._office.act()
        self._close()
        from_on = say_day(event.done_at.date().fromisoformat(event.content["effective_on"]))
        self._office.messages.ok(f"“{event.content['label']}” is signed by two people and in force from {from_on} on.")
        self._office.changed.emit()

    def _not_signed(self, trouble: Exception) -> None:
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.editor.show_faults(faults)


def _file_read(name: str, text: str, amendment: Amendment) -> _FileRead:
    return _FileRead(name, text, load_protocol(text).study.title, amendment)


class _VersionRow(QWidget):
    """One version: since when, from which document, by whom, and its hash."""

    def __init__(self, version: views.ProtocolVersion, facts: ProtocolFacts, *, ahead: bool) -> None:
        super().__init__()
        self.setObjectName(f"version_{version.event_seq}")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE_XS, 0, SPACE_XS)
        column.setSpacing(SPACE_XS)
        for text in _version_words(version, facts, ahead=ahead):
            column.addWidget(text)


def _version_words(version: views.ProtocolVersion, facts: ProtocolFacts, *, ahead: bool) -> Iterator[Text]:
    state = "in force" if version == facts.in_force else "signed, not yet in force" if ahead else "no longer in force"
    yield Text(f"{version.label} – {state}", "strong", name=f"version_{version.event_seq}_state")
    yield Text(since_words(version, facts.site.versions[0]))
    if version.source:
        yield Text(f"Source: {version.source}", "small")
    if version.signed_by:
        at = say_moment(version.recorded_at.astimezone(zone_of(facts.site)))
        yield Text(f"Signed by {version.signed_by}, {at} (event {version.event_seq})", "small")
    title = protocol_in(version).study.title
    if title != facts.protocol.study.title:
        yield Text(f"Title: {title}", "small")
    yield Text(f"SHA-256 {in_groups(version.sha256)}", "small")
