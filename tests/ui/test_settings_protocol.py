"""The protocol in the settings: versions, an amendment from its file to two signatures, and the rules."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import PASSWORD, DemoDay, dose
from pharmacy_app.domain.protocol import shipped_protocol
from pharmacy_app.domain.rules import CATALOGUE
from pharmacy_app.domain.rules.explain import explained
from pharmacy_app.services.amendments import AmendmentForm, amend_protocol
from pharmacy_app.services.desk import Act, Credentials
from pharmacy_app.services.setup import shipped_protocol_text
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - the fixtures of a desk
from tests.ui.office_fixtures import Said
from ui.office import Office
from ui.pages import settings, settings_protocol
from ui.pages.settings_protocol import place_words
from ui.pages.settings_rules import found, strength_words
from ui.widgets.basics import Button, Text
from ui.widgets.panels import Banner

OfficeAs = Callable[[str], Office]
Idle = Callable[[Office], None]
SOURCE = "Amendment 1 of 20-Feb-2026, IRB approval 2026-117"


def amended(*pairs: tuple[str, str], label: str = "Amendment 1", effective_on: str = "2026-11-29") -> str:
    """The shipped protocol under another label, a week after the tests' Sunday, some of its text replaced."""
    text = shipped_protocol_text()
    for old, new in (('label = "as supplied"', f'label = "{label}"\neffective_on = {effective_on}'), *pairs):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Puts a protocol file on disk."""

    def write(text: str, name: str = "amendment.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


def page_of(qtbot: QtBot, office: Office, idle: Idle, part: str = "protocol") -> settings.SettingsPage:
    """The page on one of its parts, asked and answered, as large as in a small window."""
    page = settings.SettingsPage(office)
    qtbot.addWidget(page)
    page.resize(740, 560)
    page.show()
    page.refresh()
    idle(office)
    page.open_on(part)
    return page


def words_of(root: QWidget) -> list[str]:
    """Every text that is seen beneath ``root``."""
    return [label.text() for label in root.findChildren(QLabel) if label.isVisible()]


def press(button: QWidget, key: Qt.Key = Qt.Key.Key_Return) -> None:
    """Press a key where a person would."""
    QTest.keyClick(button, key)


def begin(page: settings.SettingsPage, office: Office, idle: Idle, path: Path) -> None:
    """Open the form and choose a file."""
    if page.protocol.editor.isHidden():
        press(find(page, Button, "add_amendment"))
    page.protocol.read_file(path)
    idle(office)


def sign(page: settings.SettingsPage, *, second: str = "checker", password: str = PASSWORD) -> None:
    """Type source and passwords, and press Enter in the last field."""
    for name, text in (
        ("source", SOURCE),
        ("password", PASSWORD),
        ("second_user_name", second),
        ("second_password", password),
    ):
        line = find(page.protocol, QLineEdit, name)
        line.setFocus()
        line.clear()
        QTest.keyClicks(line, text)
    press(find(page.protocol, QLineEdit, "second_password"))


def versions(office: Office) -> list[str]:
    with office.desk.store.read() as reader:
        site = reader.site()
    assert site is not None
    return [version.label for version in site.versions]


def head_of(office: Office) -> int:
    with office.desk.store.read() as reader:
        return reader.head().seq


# -- the version in force


def test_the_version_in_force_is_shown_with_its_hash_and_title(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page = page_of(qtbot, office, idle)
    said = words_of(find(page, QWidget, "protocol_pairs"))
    digest = shipped_protocol().sha256
    assert " ".join(digest[at : at + 8] for at in range(0, 64, 8)) in said
    assert any(text.startswith("Phase II Study of Low Dose Inotuzumab Ozogamicin") for text in said)
    assert "Since the study was opened here" in said
    assert "nobody: it came with the study" in said
    assert find(page, Banner, "protocol_ahead").isHidden()


def test_the_monitor_reads_the_protocol_and_its_rules_and_adds_nothing(
    qtbot: QtBot, office_as: OfficeAs, idle: Idle
) -> None:
    office = office_as("monitor")
    page = page_of(qtbot, office, idle)
    assert not find(page, Button, "add_amendment").isEnabled()
    assert "you are signed in as monitor" in find(page, Text, "add_amendment_why_not").text()
    page.open_on("rules")
    assert page.rules.table.model().rowCount() == len(CATALOGUE)


# -- the file


def test_a_file_is_chosen_and_what_it_changes_is_said_in_words(
    qtbot: QtBot,
    office: Office,
    idle: Idle,
    day: DemoDay,
    file: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dose(day, "000-001", 1, 1, until="give")
    page = page_of(qtbot, office, idle)
    press(find(page, Button, "add_amendment"))
    choose = find(page, Button, "amendment_choose")
    assert choose.hasFocus()
    assert choose.property("kind") == "primary"
    path = file(amended(("dose_days = 3", "dose_days = 2"), ("bilirubin_max_uln = 1.5", "bilirubin_max_uln = 2.5")))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    press(choose)
    idle(office)
    assert "amendment.toml" in words_of(find(page, QWidget, "amendment_pairs"))
    assert "29-Nov-2026" in words_of(find(page, QWidget, "amendment_pairs"))
    assert words_of(find(page, QWidget, "differences")) == [
        "Where", "Before", "After",
        "Version", "label", "as supplied", "Amendment 1", "effective on", "not in the file", "29-Nov-2026",
        "Windows", "dose (days)", "3", "2",
        "Criteria", "bilirubin max (× ULN)", "1.5", "2.5",
    ]  # fmt: skip
    assert "4 entries differ." in words_of(page)
    assert "Subject 000-001" in words_of(page)
    assert find(page, Text, "touched_000-001_1").text() == (
        "Course 1 is under way: its last dose is cycle 1 day 1, given on 22-Nov-2026."
    )
    # Signing is the next step now.
    assert choose.property("kind") == "secondary"
    assert find(page, Button, "sign_amendment").property("kind") == "primary"


def test_a_dialog_that_is_closed_leaves_all_as_it_was(
    qtbot: QtBot, office: Office, idle: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(qtbot, office, idle)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    press(find(page, Button, "add_amendment"))
    press(find(page, Button, "amendment_choose"))
    idle(office)
    assert not page.is_dirty()
    assert find(page, QWidget, "amendment_signatures").isHidden()


def test_nobody_is_touched_and_it_is_said(
    qtbot: QtBot, office: Office, idle: Idle, file: Callable[[str], Path]
) -> None:
    page = page_of(qtbot, office, idle)
    begin(page, office, idle, file(amended()))
    assert find(page, Text, "touched_nobody").text().startswith("No subject has a course under way")


def test_whom_it_touches_is_asked_anew_with_the_page(
    qtbot: QtBot, office: Office, idle: Idle, day: DemoDay, file: Callable[[str], Path]
) -> None:
    page = page_of(qtbot, office, idle)
    begin(page, office, idle, file(amended()))
    dose(day, "000-001", 1, 1, until="give")
    page.refresh()
    idle(office)
    assert "Subject 000-001" in words_of(find(page, QWidget, "amendment_touched"))


def test_while_a_file_is_read_no_other_is_chosen(
    qtbot: QtBot, office: Office, idle: Idle, file: Callable[[str], Path]
) -> None:
    page = page_of(qtbot, office, idle)
    press(find(page, Button, "add_amendment"))
    buttons = [find(page, Button, f"amendment_{name}") for name in ("choose", "cancel")]
    page.protocol.read_file(file(amended()))
    assert not any(button.isEnabled() for button in buttons)
    idle(office)
    assert all(button.isEnabled() for button in buttons)


def test_all_faults_of_a_file_are_listed_at_once_and_another_may_be_chosen(
    qtbot: QtBot, office: Office, idle: Idle, file: Callable[..., Path]
) -> None:
    page = page_of(qtbot, office, idle)
    faulty = amended(("dose_days = 3", "dose_days = -3"), ("max_weeks = 6", "max_week = 6"))
    begin(page, office, idle, file(faulty))
    faults = find(page, QWidget, "amendment_faults")
    assert words_of(faults)[1] == "The file has 3 faults. Mend it, or choose another."
    said = " ".join(words_of(faults))
    for words in ("windows.dose_days is -3", "transplant.max_weeks is missing", "Did you mean max_weeks?"):
        assert words in said
    assert find(page, QWidget, "amendment_signatures").isHidden()
    assert find(page, Button, "amendment_choose").hasFocus()
    begin(page, office, idle, file(amended(), "mended.toml"))
    assert faults.isHidden()
    assert find(page, QWidget, "amendment_signatures").isVisible()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"x" * 1_000_001, "larger than 1 MB"),
        (None, "cannot be read"),
        (b"[version", "cannot be read as TOML"),
        (b"", "is missing"),
        (amended(effective_on="2026-11-21").encode(), "21-Nov-2026 has passed"),
        (shipped_protocol_text().encode(), "Nothing in this file differs from version “as supplied”"),
    ],
)
def test_a_file_that_is_no_amendment_is_refused_in_words(
    qtbot: QtBot, office: Office, idle: Idle, tmp_path: Path, content: bytes | None, words: str
) -> None:
    page = page_of(qtbot, office, idle)
    path = tmp_path / "chosen.toml"
    if content is not None:
        path.write_bytes(content)
    begin(page, office, idle, path)
    assert words in " ".join(words_of(find(page, QWidget, "amendment_faults")))


# -- signing


def test_two_people_sign_an_amendment(
    qtbot: QtBot, office: Office, idle: Idle, said: Said, file: Callable[[str], Path]
) -> None:
    page = page_of(qtbot, office, idle)
    begin(page, office, idle, file(amended()))
    sign(page)
    idle(office)
    assert said.texts() == ["“Amendment 1” is signed by two people and in force from 29-Nov-2026 on."]
    assert versions(office) == ["as supplied", "Amendment 1"]
    assert not page.is_dirty()
    assert page.protocol.editor.isHidden()
    page.refresh()
    idle(office)
    states = [text for text in words_of(find(page, QWidget, "protocol_versions")) if " – " in text]
    assert states == ["Amendment 1 – signed, not yet in force", "as supplied – in force"]
    assert "comes into force on 29-Nov-2026" in find(page, Banner, "protocol_ahead").text()
    row = words_of(find(page, QWidget, "protocol_versions"))
    assert f"Source: {SOURCE}" in row
    assert any(text.startswith("Signed by Dana Whitfield, Sam Okafor, 22-Nov-2026") for text in row)


def test_from_its_day_on_the_amendment_is_the_one_in_force_and_the_rules_show_its_numbers(
    qtbot: QtBot, office: Office, idle: Idle, file: Callable[[str], Path]
) -> None:
    page = page_of(qtbot, office, idle, "rules")
    rule = next(rule for rule in page.rules.table.model().rows() if rule.id == "R13")  # type: ignore[attr-defined]
    assert "7 days" in rule.boundary
    page.open_on("protocol")
    begin(page, office, idle, file(amended(("max_age_days = 7", "max_age_days = 5"), effective_on="2026-11-22")))
    sign(page)
    idle(office)
    page.refresh()
    idle(office)
    assert "Amendment 1 – in force" in words_of(page)
    assert "as supplied – no longer in force" in words_of(page)
    rule = next(rule for rule in page.rules.table.model().rows() if rule.id == "R13")  # type: ignore[attr-defined]
    assert "5 days" in rule.boundary


def test_what_is_missing_is_said_beside_each_field(
    qtbot: QtBot, office: Office, idle: Idle, file: Callable[[str], Path]
) -> None:
    page = page_of(qtbot, office, idle)
    begin(page, office, idle, file(amended()))
    before = head_of(office)
    press(find(page, Button, "sign_amendment"))
    form = page.protocol.editor.form
    faulty = [field.name for field in form.fields() if field.fault()]
    assert faulty == ["source", "password", "second_user_name", "second_password"]
    assert form.field("source").editor().hasFocus()
    assert head_of(office) == before


def test_one_person_cannot_sign_twice_and_the_source_stays(
    qtbot: QtBot, office: Office, idle: Idle, file: Callable[[str], Path]
) -> None:
    page = page_of(qtbot, office, idle)
    begin(page, office, idle, file(amended()))
    before = head_of(office)
    sign(page, second="pharmacist")
    idle(office)
    form = page.protocol.editor.form
    assert "another person" in form.field("second_password").fault()
    assert form.field("second_password").editor().hasFocus()
    assert form.values()["source"] == SOURCE
    assert form.values()["password"] == form.values()["second_password"] == ""
    assert head_of(office) == before
    sign(page)
    idle(office)
    assert versions(office) == ["as supplied", "Amendment 1"]


def test_a_wrong_password_is_said_beside_it(
    qtbot: QtBot, office: Office, idle: Idle, file: Callable[[str], Path]
) -> None:
    page = page_of(qtbot, office, idle)
    begin(page, office, idle, file(amended()))
    sign(page, password="not the password")
    idle(office)
    assert "do not fit" in page.protocol.editor.form.field("second_password").fault()
    assert versions(office) == ["as supplied"]


def test_a_double_enter_signs_once(
    qtbot: QtBot, office: Office, idle: Idle, said: Said, file: Callable[[str], Path]
) -> None:
    page = page_of(qtbot, office, idle)
    begin(page, office, idle, file(amended()))
    before = head_of(office)
    sign(page)
    press(find(page.protocol, QLineEdit, "second_password"))
    idle(office)
    assert head_of(office) == before + 1
    assert len(said.texts()) == 1


def test_a_version_signed_elsewhere_meanwhile_is_said_when_the_page_is_looked_at_again(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle, file: Callable[[str], Path]
) -> None:
    page = page_of(qtbot, office, idle)
    begin(page, office, idle, file(amended(("dose_days = 3", "dose_days = 2"))))
    line = find(page.protocol, QLineEdit, "source")
    QTest.keyClicks(line, SOURCE)
    page.refresh()
    idle(office)
    assert line.text() == SOURCE
    assert find(page, QWidget, "amendment_signatures").isVisible()
    amend_protocol(
        day.desk,
        Act(day.sessions["admin"]),
        AmendmentForm(amended(), "the other office"),
        Credentials("admin", PASSWORD),
        Credentials("pharmacist", PASSWORD),
    )
    page.refresh()
    idle(office)
    assert "There is a version “Amendment 1” already" in " ".join(words_of(find(page, QWidget, "amendment_faults")))
    begin(page, office, idle, file(amended(("dose_days = 3", "dose_days = 2"), label="Amendment 2")))
    assert line.text() == SOURCE


def test_an_amendment_is_discarded_only_after_a_question(
    qtbot: QtBot, office: Office, idle: Idle, file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(qtbot, office, idle)
    begin(page, office, idle, file(amended()))
    asked: list[str] = []

    def answer(*words: object) -> bool:
        asked.append(str(words[1]))
        return len(asked) > 1

    monkeypatch.setattr(settings_protocol, "confirm", answer)
    press(find(page, Button, "amendment_cancel"))
    assert page.is_dirty()
    press(find(page, Button, "amendment_cancel"))
    assert asked == ["Discard the amendment?"] * 2
    assert not page.is_dirty()
    assert find(page, Button, "add_amendment").hasFocus()
    assert versions(office) == ["as supplied"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("windows.dose_days", ("Windows", "dose (days)")),
        ("regimen.levels[level -1].doses[day 8].mg_per_m2", ("Regimen", "level −1, day 8, mg/m²")),
        ("criteria.platelets_min_10e9_per_l", ("Criteria", "platelets min (10⁹/L)")),
        ("weight.change_over_percent", ("Weight", "change over (%)")),
        ("texts[storage].text", ("Sentences of the protocol", "“storage”")),
        ("texts[storage].section", ("Sentences of the protocol", "“storage”, section")),
        ("toxicity_stopping.boundaries[treated 8].stop_from", ("Toxicity stopping", "treated 8, stop from")),
        ("windows.marrow.days", ("Windows", "marrow, days")),
        ("format", ("The file", "format")),
    ],
)
def test_a_place_of_the_file_is_said_in_words(path: str, words: tuple[str, str]) -> None:
    assert place_words(path) == words


# -- the rules

RULES = tuple(explained(rule.id, shipped_protocol()) for rule in CATALOGUE)


def test_a_rule_is_found_by_its_id_section_title_or_any_of_its_words() -> None:
    assert [rule.id for rule in found(RULES, "r13")] == ["R13"]
    assert found(RULES, "") == found(RULES, "  §  ") == list(RULES)
    assert found(RULES, "no such rule anywhere") == []
    by_section = {rule.id for rule in found(RULES, "§8.1.6")}
    assert {"R47", "R48"} <= by_section
    assert "R4" in {rule.id for rule in found(RULES, "LEVELS beyond")}
    # Two words narrow, they do not widen.
    assert len(found(RULES, "platelets 8.1.5")) < len(found(RULES, "platelets"))


def test_every_strength_has_its_words() -> None:
    assert all(strength_words(rule.strength) for rule in RULES if rule.strength)
    assert strength_words("STOP*, WARN") == "Stop unless decided, Warning"


def test_typing_finds_and_the_rule_is_shown_with_boundary_reading_next_step_and_sentence(
    qtbot: QtBot, office: Office, idle: Idle
) -> None:
    page = page_of(qtbot, office, idle, "rules")
    line = find(page, QLineEdit, "rules_search")
    line.setFocus()
    QTest.keyClicks(line, "R47")
    assert find(page, Text, "rules_count").text() == f"1 rule of {len(CATALOGUE)}"
    assert line.hasFocus()
    assert find(page, Text, "rule_head").text().startswith("R47  ")
    idle(office)
    told = words_of(find(page, QWidget, "rule_pairs"))
    rule = explained("R47", shipped_protocol())
    for words in (rule.rule, rule.boundary, rule.next, f"§ {rule.section}"):
        assert words in told
    assert any("the dose will not be re-escalated" in words for words in told)


def test_what_no_rule_says_is_said(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page = page_of(qtbot, office, idle, "rules")
    QTest.keyClicks(find(page, QLineEdit, "rules_search"), "zzz")
    assert page.rules.table.model().rowCount() == 0
    assert find(page, QWidget, "rule_card").isHidden()
    assert find(page, Text, "rules_count").text() == f"0 rules of {len(CATALOGUE)}"


def test_the_list_is_walked_by_keys_and_enter_brings_the_rule_into_sight(
    qtbot: QtBot, office: Office, idle: Idle
) -> None:
    page = page_of(qtbot, office, idle, "rules")
    table = page.rules.table
    table.setFocus()
    press(table, Qt.Key.Key_Down)
    second = CATALOGUE[1]
    assert find(page, Text, "rule_head").text().startswith(f"{second.id}  ")
    page.resize(740, 360)
    head = find(page, Text, "rule_head")
    page.scroll_area.verticalScrollBar().setValue(0)
    qtbot.waitUntil(lambda: head.visibleRegion().isEmpty())
    press(table)
    qtbot.waitUntil(lambda: not head.visibleRegion().isEmpty())
    # What is searched for and opened stays when the page asks anew.
    page.refresh()
    idle(office)
    assert find(page, Text, "rule_head").text().startswith(f"{second.id}  ")
