"""Today, Monitor, Settings, the password and the first run: driven as people at the pharmacy do."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.bootstrap import create_desk, url_of
from pharmacy_app.demo import PASSWORD, DemoDay, MovableClock, dose, receive_shipment
from pharmacy_app.domain.protocol import shipped_protocol
from pharmacy_app.domain.settings import LineResidue
from pharmacy_app.services import views
from pharmacy_app.services.accounts import sign_in
from pharmacy_app.services.desk import Credentials, Desk
from pharmacy_app.services.documents import DocumentForm, attach_document
from pharmacy_app.services.doses import DecideForm, OverrideTyped, record_decision
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.setup import shipped_protocol_text
from pharmacy_app.services.study_settings import SettingsForm, setting_lines
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - the fixtures of a desk
from tests.ui.office_fixtures import NOW, SECRETS, Said
from tests.ui.prepare_desk import ordered
from ui.bridge import Bridge
from ui.office import Office
from ui.pages import monitor, monitor_stock, settings, today
from ui.pages.figure import Figure
from ui.pages.first_run import DONE, PEOPLE, SETTINGS, SITE, STUDY, FirstRunGuide
from ui.pages.password import PasswordDialog
from ui.pages.settings_editor import SettingsEditor, line_words, typed_value
from ui.widgets.basics import Button, Text

OfficeAs = Callable[[str], Office]
Idle = Callable[[Office], None]


class Way:
    """Where the pages asked to go."""

    def __init__(self, office: Office) -> None:
        self.went: list[tuple[str, str]] = []
        office.go.connect(self.take)

    def take(self, key: str, what: str) -> None:
        """Keep one step of the way."""
        self.went.append((key, what))


def words_of(root: QWidget) -> str:
    """All text that can be read beneath ``root``."""
    return "\n".join(label.text() for label in root.findChildren(QLabel))


def head_of(office: Office) -> int:
    """How many events the journal has."""
    with office.desk.store.read() as reader:
        return reader.head().seq


# -- today


def todays(qtbot: QtBot, office: Office, idle: Idle) -> today.TodayPage:
    """The page, asked and answered."""
    page = today.TodayPage(office)
    qtbot.addWidget(page)
    page.refresh()
    idle(office)
    return page


def test_a_good_day_with_nothing_to_do_says_so(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page = todays(qtbot, office, idle)
    assert "Nothing waits" in words_of(find(page, QWidget, "nothing_waits"))
    assert "Sun 22 Nov 2026" in words_of(page)
    assert find(page, Figure, "stock_1_mg_usable").text() == "12"
    assert find(page, Figure, "stock_4_mg_usable").text() == "4"


def test_a_new_order_is_the_primary_act_and_not_the_monitors(qtbot: QtBot, office_as: OfficeAs, idle: Idle) -> None:
    office = office_as("pharmacist")
    way = Way(office)
    page = todays(qtbot, office, idle)
    page.new_order.click()
    assert way.went == [("prepare", "new")]
    reading = todays(qtbot, office_as("monitor"), idle)
    assert not reading.new_order.isEnabled()
    assert "takes a pharmacist" in find(reading, Text, "new_order_why_not").text()


def test_what_waits_leads_to_its_place(qtbot: QtBot, day: DemoDay, office: Office, idle: Idle) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="plan")
    receive_shipment(day, "SHP-2", (LotTyped("1", "INO1-HELD", "2028-01", "3"),), "alarm", usable=False)
    way = Way(office)
    page = todays(qtbot, office, idle)
    rows = page.findChildren(today.WaitingRow)
    assert [row.item.place for row in rows] == ["prepare", "receive"]
    assert "second check" in rows[0].item.text
    assert "3 vials are held" in rows[1].item.title
    rows[0].button.click()
    rows[1].button.click()
    assert way.went == [("prepare", dose_id), ("receive", "")]
    # Two 1 mg vials are reserved (1.46 mg at 0.9 mg each): 12 - 2 usable, 12 + 3 still unopened.
    assert find(page, Figure, "stock_1_mg_usable").text() == "10"
    assert "15 unopened on hand" in find(page, Text, "stock_1_mg_on_hand").text()


def test_a_dose_that_goes_on_by_a_written_decision_says_so_in_its_line(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    # 0.8 mg/m² gives 1.4588 mg; 1.61 mg is 10.37 % more and needs the prescriber in writing (§ 8.1.3).
    dose_id = ordered(day, 1, "1.61")
    letter = DocumentForm("Order confirmed", "written decision", dose_id, "Dr. Castellan", day.day(), "order.txt")
    number = attach_document(day.desk, day.act("pharmacist"), letter, b"1.61 mg stands.").content["document_id"]
    decided = OverrideTyped("R18", "Dr. Mira Castellan", "prescriber", day.day(), number, "counted in")
    record_decision(day.desk, day.act("pharmacist"), DecideForm(dose_id))
    words = f"Dose {dose_id}, 1.61 mg prescribed"
    assert f"{words}, planned for" in words_of(todays(qtbot, office, idle)), "it is stopped: nobody decided"
    record_decision(day.desk, day.act("pharmacist"), DecideForm(dose_id, overrides=(decided,)))
    assert f"{words} with written decision, planned for 22-Nov-2026." in words_of(todays(qtbot, office, idle))


def test_a_medication_error_stands_on_top_until_it_is_closed(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    # 171 cm, 70 kg: Mosteller 1.8235 m²; 0.8 mg/m² gives 1.46 mg. 1.2 mg is 17.8 % less.
    dose(day, "000-001", 1, 1, given="1.2", until="give")
    page = todays(qtbot, office, idle)
    rows = page.findChildren(today.WaitingRow)
    assert [row.item.kind for row in rows] == ["stop", "warn"]
    assert "1.2 mg given, 1.46 mg prescribed" in rows[0].item.text
    assert "opened and not closed" in rows[1].item.title


def test_a_lot_is_shown_ninety_days_before_it_expires_and_not_before(
    qtbot: QtBot, day: DemoDay, office: Office, idle: Idle
) -> None:
    # 90 days after 22-Nov-2026 is 20-Feb-2027; the last usable day itself still counts.
    receive_shipment(day, "SHP-2", (LotTyped("1", "NEAR", "2027-02-20", "2"), LotTyped("1", "FAR", "2027-02-21", "2")))
    page = todays(qtbot, office, idle)
    said_words = words_of(page)
    assert "Lot NEAR (1 mg) expires on 20-Feb-2027" in said_words
    assert "FAR" not in said_words


def test_unsigned_settings_come_first() -> None:
    waits = today.waiting(
        views.Today(
            day=NOW.date(),
            open_doses=(),
            held=2,
            quarantined=0,
            expiring=(),
            usable=(),
            unset_settings=("BSA formula", "Dose rounding"),
            open_errors=(),
            unclosed_doses=(),
        )
    )
    assert [item.place for item in waits] == ["settings", "receive"]
    assert waits[0].title == "2 study settings are not signed yet"


def test_an_error_that_a_person_reported_waits_in_its_own_words() -> None:
    """Nobody knows a dose of it: it leads to its record, not to a dose."""
    error = views.ErrorLine(
        error_id="E0000015",
        dose_id="",
        subject_number="",
        opened_at=NOW,
        occurred_on=None,
        prescribed_mg=None,
        administered_mg=None,
        difference="",
        sentence="Tim Lindqvist reported: the wrong vial was taken and put back",
        status="open",
        source="person",
        opened_by="Tim Lindqvist",
        found_at=NOW,
        found_by="Tim Lindqvist",
        occurred_at=None,
        stage="preparation",
        error_type="wrong drug",
        reached_subject="no",
        what_happened="the wrong vial was taken and put back",
        action="",
        stopped_for="",
        verdict="",
        category="",
    )
    (item,) = today.waiting(views.Today(NOW.date(), (), 0, 0, (), (), (), (error,), ()))
    assert (item.kind, item.place, item.what) == ("stop", "errors", "E0000015")
    assert item.text.startswith("Tim Lindqvist reported: the wrong vial")
    assert "None" not in item.text


# -- monitor


def stock_and_doses(qtbot: QtBot, office: Office, idle: Idle) -> monitor.MonitorPage:
    """The monitor's page at stock and doses, asked and answered; it lives as long as it is held."""
    page = monitor.MonitorPage(office)
    qtbot.addWidget(page)
    page.open_on("stock")
    idle(office)
    return page


def test_received_is_the_sum_of_all_states(qtbot: QtBot, day: DemoDay, office_as: OfficeAs, idle: Idle) -> None:
    dose(day, "000-001", 1, 1, until="plan")
    page = stock_and_doses(qtbot, office_as("monitor"), idle)
    assert find(page, Text, "totals_1_mg_identity").text() == "12 received = 10 available + 2 reserved"
    assert find(page, Text, "totals_4_mg_identity").text() == "4 received = 4 available"


def test_totals_that_do_not_add_up_are_said_aloud() -> None:
    totals = monitor_stock.Totals(Decimal(1), 12, (("available", 9), ("reserved", 2)))
    assert not totals.balanced
    assert totals.sentence() == "12 received ≠ 9 available + 2 reserved"


def test_the_monitor_sees_each_dose_given_with_its_difference(
    qtbot: QtBot, day: DemoDay, office_as: OfficeAs, idle: Idle
) -> None:
    dose_id = dose(day, "000-001", 1, 1, given="1.314", until="give")
    page = stock_and_doses(qtbot, office_as("monitor"), idle)
    (row,) = page.stock.given_table.model().rows()  # type: ignore[attr-defined]  # a table that holds its rows
    # 1.46 mg less 10 % is 1.314 mg exactly: 10 % or more is reportable (§ 8.1.3).
    assert (row.dose_id, row.prescribed, row.administered) == (dose_id, "1.46 mg", "1.314 mg")
    assert row.difference == "−10 %"
    assert row.reportable
    (error,) = page.stock.errors_table.model().rows()  # type: ignore[attr-defined]
    assert error.dose_id == dose_id
    way = Way(page.stock._office)
    page.stock.errors_table.setCurrentIndex(page.stock.errors_table.model().index(0, 0))
    QTest.keyClick(page.stock.errors_table, Qt.Key.Key_Return)
    assert way.went == [("errors", error.error_id)]


def test_the_journal_is_verified_from_the_page(qtbot: QtBot, office_as: OfficeAs, idle: Idle) -> None:
    office = office_as("monitor")
    page = stock_and_doses(qtbot, office, idle)
    page.stock.verify.click()
    assert not page.stock.verify.isEnabled()
    idle(office)
    assert page.stock.verified.kind == "ok"
    assert f"All {head_of(office)} events" in page.stock.verified.text()


def test_everyone_may_print_the_accountability_record_once_a_click(
    qtbot: QtBot, office_as: OfficeAs, idle: Idle
) -> None:
    office = office_as("monitor")
    page = stock_and_doses(qtbot, office, idle)
    before = head_of(office)
    page.stock.prints[Decimal(4)].click()
    page.stock.prints[Decimal(4)].click()
    idle(office)
    assert head_of(office) == before + 1
    with office.desk.store.read() as reader:
        (line,) = reader.printed(paper="accountability record")
    assert line.about == "4 mg"


# -- settings


def settings_page(qtbot: QtBot, office: Office, idle: Idle) -> settings.SettingsPage:
    """The page, asked and answered."""
    page = settings.SettingsPage(office)
    qtbot.addWidget(page)
    page.refresh()
    idle(office)
    return page


def test_signed_settings_are_read_in_words(qtbot: QtBot, office_as: OfficeAs, idle: Idle) -> None:
    page = settings_page(qtbot, office_as("monitor"), idle)
    assert find(page, Text, "setting_bsa_formula_value").text() == "Mosteller"
    assert "0.9 mg extractable" in find(page, Text, "setting_vial_1mg_value").text()
    assert "Signed by Dana Whitfield" in words_of(page.study)
    assert not find(page, Button, "edit_bag").isEnabled()


def sign_rounding(page: settings.SettingsPage, second: str, password: str = PASSWORD) -> None:
    """Type a new rounding rule and both signatures, and sign."""
    find(page, Button, "edit_dose_rounding").click()
    form = page.study.editor.cards["dose_rounding"].form
    for name, value in (("increment_mg", "0.05"), ("mode", "down"), ("source", "Study Manual 3.0, p. 2")):
        form.field(f"dose_rounding.{name}").set_value(value)
    signatures = page.study.editor.signatures
    signatures.field("password").set_value(PASSWORD)
    signatures.field("second_user_name").set_value(second)
    signatures.field("second_password").set_value(password)
    page.study.editor.button.click()


def test_two_people_sign_a_setting_with_its_source(qtbot: QtBot, office: Office, idle: Idle, said: Said) -> None:
    page = settings_page(qtbot, office, idle)
    sign_rounding(page, "checker")
    idle(office)
    assert said.texts() == ["Signed by two people and in force now: Dose rounding."]
    page.refresh()
    idle(office)
    assert find(page, Text, "setting_dose_rounding_value").text() == "to 0.05 mg, down"
    assert find(page, Text, "setting_bsa_formula_value").text() == "Mosteller"


def test_one_person_cannot_sign_twice_and_the_values_stay(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page = settings_page(qtbot, office, idle)
    before = head_of(office)
    sign_rounding(page, "pharmacist")
    idle(office)
    editor = page.study.editor
    assert "another person" in editor.signatures.field("second_password").fault()
    assert editor.cards["dose_rounding"].form.values()["dose_rounding.increment_mg"] == "0.05"
    assert editor.signatures.values()["password"] == ""
    assert head_of(office) == before
    assert page.is_dirty()


def test_a_value_without_source_is_refused_beside_its_field(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page = settings_page(qtbot, office, idle)
    find(page, Button, "edit_bsa_formula").click()
    card = page.study.editor.cards["bsa_formula"]
    card.form.set_values({"bsa_formula.value": "Haycock"})
    signatures = page.study.editor.signatures
    for name, value in (("password", PASSWORD), ("second_user_name", "checker"), ("second_password", PASSWORD)):
        signatures.field(name).set_value(value)
    page.study.editor.button.click()
    idle(office)
    assert "source" in card.form.field("bsa_formula.source").fault()


def test_an_odd_preparation_is_doubted_while_it_is_typed(qtbot: QtBot) -> None:
    editor = SettingsEditor()
    qtbot.addWidget(editor)
    editor.set_protocol(shipped_protocol())
    card = editor.cards["vial_1mg"]
    values = {
        "vial_1mg.reconstitution_ml": "4",
        "vial_1mg.concentration_mg_per_ml": "0.25",
        "vial_1mg.extractable_mg": "0.9",
        "vial_1mg.reconstitution_fluid": "Sterile Water for Injection",
    }
    card.form.set_values(values)
    assert card.look.isHidden()
    # 4 mL at 0.2 mg/mL hold 0.8 mg, less than the label's 1 mg.
    card.form.set_values({**values, "vial_1mg.concentration_mg_per_ml": "0.2"})
    assert not card.look.isHidden()
    assert "hold 0.8 mg" in card.look.text()


def test_what_stays_in_bag_and_line_is_signed_beside_the_bag_and_may_stay_empty(
    qtbot: QtBot, office: Office, idle: Idle, said: Said
) -> None:
    page = settings_page(qtbot, office, idle)
    editor = page.study.editor
    find(page, Button, "edit_stability").click()
    assert editor.optional_cards["line_residue"].isHidden()
    find(page, Button, "settings_cancel").click()
    find(page, Button, "edit_bag").click()
    card = editor.optional_cards["line_residue"]
    assert not card.isHidden()
    assert "May stay empty" in words_of(card)
    # The bag stays as it is: only what is typed is signed.
    card.form.set_values({"line_residue.residue_ml": "1.5", "line_residue.source": "SOP 12, p. 3"})
    signatures = editor.signatures
    for name, value in (("password", PASSWORD), ("second_user_name", "checker"), ("second_password", PASSWORD)):
        signatures.field(name).set_value(value)
    editor.button.click()
    idle(office)
    assert said.texts() == ["Signed by two people and in force now: Left in bag and line."]
    with office.desk.store.read() as reader:
        (line,) = [line for line in setting_lines(reader) if line.name == "line_residue"]
    assert line_words(line) == "1.5 mL left in bag and line after the infusion"


def test_a_faulty_residue_is_refused_beside_its_field(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page = settings_page(qtbot, office, idle)
    find(page, Button, "edit_bag").click()
    editor = page.study.editor
    card = editor.optional_cards["line_residue"]
    card.form.field("line_residue.residue_ml").set_value("1.5")
    assert page.is_dirty()
    for name, value in (("password", PASSWORD), ("second_user_name", "checker"), ("second_password", PASSWORD)):
        editor.signatures.field(name).set_value(value)
    editor.button.click()
    idle(office)
    assert "source" in card.form.field("line_residue.source").fault()


def test_the_first_run_asks_only_for_what_acts_wait_for(qtbot: QtBot) -> None:
    editor = SettingsEditor()
    qtbot.addWidget(editor)
    assert not any(card.isHidden() for card in editor.cards.values())
    assert all(card.isHidden() for card in editor.optional_cards.values())
    assert editor.typed() == SettingsForm()


def test_a_residue_is_read_while_it_is_typed_and_nothing_is_a_residue_too() -> None:
    for text, value in (("0", Decimal(0)), ("1.5", Decimal("1.5"))):
        typed = typed_value("line_residue", {"line_residue.residue_ml": text})
        assert typed == LineResidue(value)
    assert typed_value("line_residue", {"line_residue.residue_ml": "-1"}) is None


def test_the_administrator_adds_a_monitor_who_must_change_the_password(
    qtbot: QtBot, office_as: OfficeAs, idle: Idle
) -> None:
    office = office_as("admin")
    page = settings_page(qtbot, office, idle)
    page.open_on("accounts")
    panel = page.accounts
    panel.add.click()
    panel.add_form.set_values(
        {"printed_name": "Jo Hale", "user_name": "jo", "roles": "monitor,checker", "delegated_from": "2026-11-22"}
    )
    find(panel, Button, "add_make_up").click()
    password = panel.add_form.values()["password"]
    panel.add_save.click()
    idle(office)
    assert "stands alone" in panel.add_form.field("roles").fault()
    panel.add_roles.boxes["checker"].setChecked(False)
    panel.add_save.click()
    idle(office)
    assert sign_in(office.desk, Credentials("jo", password), "PC").must_change_password
    page.refresh()
    idle(office)
    assert "Jo Hale" in [row.printed_name for row in panel.table.model().rows()]  # type: ignore[attr-defined]


def test_the_administrator_disables_an_account_with_a_reason(qtbot: QtBot, office_as: OfficeAs, idle: Idle) -> None:
    office = office_as("admin")
    page = settings_page(qtbot, office, idle)
    panel = page.accounts
    names = [row.user_name for row in panel.table.model().rows()]  # type: ignore[attr-defined]
    panel.table.selectRow(names.index("technician"))
    panel.disable.click()
    panel.change_save.click()
    idle(office)
    assert panel.change_form.field("why").fault()
    panel.change_form.field("why").set_value("Left the site")
    panel.change_save.click()
    idle(office)
    with office.desk.store.read() as reader:
        account = reader.account_by_user_name("technician")
    assert account is not None
    assert not account.active


def test_a_pharmacist_sees_accounts_and_changes_none(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page = settings_page(qtbot, office, idle)
    panel = page.accounts
    panel.table.selectRow(0)
    assert not any(button.isEnabled() for button in (panel.add, panel.change, panel.disable, panel.reset))
    assert "administrator" in panel.add.toolTip()


def test_about_names_the_protocol_by_its_hash(qtbot: QtBot, office: Office, idle: Idle) -> None:
    page = settings_page(qtbot, office, idle)
    assert office.site.protocol_sha256 in words_of(page.about).replace(" ", "")


# -- the password


def test_a_password_set_by_somebody_else_is_changed_at_the_first_sign_in(
    qtbot: QtBot, office: Office, idle: Idle
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = PasswordDialog(office, parent, first=True)
    assert "set by somebody else" in find(dialog, Text, "password_dialog_why").text()
    form = dialog.panel.form
    form.set_values({"old_password": PASSWORD, "password": "a new short sentence", "again": "a new short sentense"})
    dialog.panel.button.click()
    assert "not the same" in form.field("again").fault()
    form.field("again").set_value("a new short sentence")
    with qtbot.waitSignal(dialog.changed):
        dialog.panel.button.click()
    assert sign_in(office.desk, Credentials("pharmacist", "a new short sentence"), "PC").user_name == "pharmacist"


def test_a_wrong_present_password_changes_nothing(qtbot: QtBot, office: Office, idle: Idle) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = PasswordDialog(office, parent)
    form = dialog.panel.form
    form.set_values({"old_password": "not this one", "password": "too short", "again": "too short"})
    dialog.panel.button.click()
    idle(office)
    assert "do not fit" in form.field("old_password").fault()
    assert sign_in(office.desk, Credentials("pharmacist", PASSWORD), "PC").user_name == "pharmacist"


# -- the first run


class NewStudy:
    """A guide on a database that is made when it asks for it."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.path = folder / "new.sqlite"
        self.made: list[Desk] = []
        self.bridge = Bridge()
        self.qtbot = qtbot
        self.guide = FirstRunGuide(self.bridge, self.create, None, "TEST-PC")
        qtbot.addWidget(self.guide)

    def create(self) -> Desk:
        """Make the database, once."""
        desk = create_desk(url_of(self.path), clock=MovableClock(NOW), secrets=SECRETS)
        self.made.append(desk)
        return desk

    def wait(self) -> None:
        """Until the database thread has nothing left to do."""
        self.qtbot.waitUntil(lambda: not self.bridge.busy, timeout=10_000)

    def type_site(self, places: str = "Refrigerator 1\nRefrigerator 2") -> None:
        """The site as a pharmacist types it."""
        self.guide.site.set_values(
            {
                "name": "Lakeside Hospital",
                "number": "1014",
                "principal_investigator": "Dr. Mira Castellan",
                "protocol_number": "2017-0001",
                "pharmacy_phone": "+1 555 0100",
                "time_zone": "America/Chicago",
                "places": places,
            }
        )

    def type_people(self, pharmacist: str = "dana") -> None:
        """Two people and their passwords."""
        for prefix, name, user in (("administrator", "Robin Ahlgren", "robin"), ("pharmacist", "Dana W", pharmacist)):
            self.guide.people.set_values(
                {
                    f"{prefix}.printed_name": name,
                    f"{prefix}.user_name": user,
                    f"{prefix}.password": "a short sentence",
                    f"{prefix}.again": "a short sentence",
                    f"{prefix}.delegated_from": "2026-11-01",
                }
            )

    def go_to_study(self) -> None:
        """From the welcome to the study's file, with everything typed."""
        self.guide.next.click()
        self.type_site()
        self.guide.next.click()
        self.type_people()
        self.guide.next.click()
        self.wait()

    def step(self) -> int:
        """Which step is shown."""
        return self.guide.steps.current


@pytest.fixture
def new_study(qtbot: QtBot, tmp_path: Path) -> Iterator[NewStudy]:
    """A PC on which the program is started for the first time."""
    study = NewStudy(qtbot, tmp_path)
    yield study
    study.bridge.close()
    for desk in study.made:
        desk.store.close()


def test_a_site_is_set_up_and_its_settings_signed(new_study: NewStudy, qtbot: QtBot) -> None:
    guide = new_study.guide
    new_study.go_to_study()
    assert new_study.step() == STUDY
    assert not new_study.path.exists()
    guide.next.click()
    guide.next.click()
    new_study.wait()
    assert new_study.step() == SETTINGS
    assert len(new_study.made) == 1
    guide.editor.cards["bsa_formula"].form.set_values(
        {"bsa_formula.value": "Du Bois", "bsa_formula.source": "Site policy 7, p. 3"}
    )
    for name in ("password", "second_password"):
        guide.editor.signatures.field(name).set_value("a short sentence")
    guide.next.click()
    new_study.wait()
    assert new_study.step() == DONE
    with new_study.made[0].store.read() as reader:
        site = reader.site()
        assert site is not None
        assert (site.number, site.places) == ("1014", ("Refrigerator 1", "Refrigerator 2"))
        assert site.protocol_text == shipped_protocol_text()
        (line,) = reader.settings()
        assert (line.name, line.value, line.source) == ("bsa_formula", "Du Bois", "Site policy 7, p. 3")
        assert "Dana W" in line.signed_by
        assert "Robin Ahlgren" in line.signed_by
        kinds = [event.kind for event in reader.events(kind="", text="", offset=0, limit=10)]
    assert kinds == ["signed_out", "settings_signed", "signed_in", "site_opened"]
    with qtbot.waitSignal(guide.finished):
        guide.next.click()


def test_the_settings_may_be_signed_later_and_have_no_default(new_study: NewStudy) -> None:
    new_study.go_to_study()
    new_study.guide.next.click()
    new_study.wait()
    assert not new_study.guide.editor.is_dirty()
    new_study.guide.later.click()
    assert new_study.step() == DONE
    assert "doses are refused" in find(new_study.guide, Text, "first_run_done").text()
    with new_study.made[0].store.read() as reader:
        assert not reader.settings()


def test_a_fault_takes_back_to_its_step_with_everything_typed(new_study: NewStudy) -> None:
    guide = new_study.guide
    new_study.go_to_study()
    guide.back.click()
    guide.back.click()
    guide.site.field("places").set_value("Refrigerator 1\nrefrigerator 1")
    guide.next.click()
    guide.people.field("pharmacist.password").set_value("too short")
    guide.people.field("pharmacist.again").set_value("too short")
    guide.next.click()
    guide.next.click()
    new_study.wait()
    assert new_study.step() == SITE
    assert "same name" in guide.site.field("places").fault()
    assert "at least 12" in guide.people.field("pharmacist.password").fault()
    assert guide.people.values()["administrator.password"] == "a short sentence"
    with new_study.made[0].store.read() as reader:
        assert reader.site() is None
    # Mended, it goes on with the database that was made, and makes no second one.
    guide.site.field("places").set_value("Refrigerator 1")
    guide.next.click()
    for name in ("password", "again"):
        guide.people.field(f"pharmacist.{name}").set_value("a short sentence")
    guide.next.click()
    guide.next.click()
    new_study.wait()
    assert new_study.step() == SETTINGS
    assert len(new_study.made) == 1


def test_passwords_that_differ_stay_on_the_people_step(new_study: NewStudy) -> None:
    guide = new_study.guide
    guide.next.click()
    new_study.type_site()
    guide.next.click()
    new_study.type_people()
    guide.people.field("administrator.again").set_value("a short sentenze")
    guide.next.click()
    assert new_study.step() == PEOPLE
    assert "not the same" in guide.people.field("administrator.again").fault()


def test_a_time_zone_that_does_not_exist_is_caught_while_typing(new_study: NewStudy) -> None:
    guide = new_study.guide
    guide.next.click()
    new_study.type_site()
    guide.site.field("time_zone").set_value("Chicago")
    guide.next.click()
    assert new_study.step() == SITE
    assert "not a time zone" in guide.site.field("time_zone").fault()


def test_every_fault_of_a_protocol_file_is_named_and_nothing_is_made(new_study: NewStudy, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    text = shipped_protocol_text()
    bad.write_text(text.replace("[age]", "[agee]").replace("container =", "contaner ="), encoding="utf-8")
    new_study.go_to_study()
    new_study.guide.read_file(bad)
    new_study.wait()
    faults = words_of(find(new_study.guide, QWidget, "study_faults"))
    # One table under a wrong name and one entry under a wrong name: each is missing, and each is unknown.
    assert "The file has 4 faults." in faults
    assert not new_study.guide.next.isEnabled()
    assert not new_study.made
    find(new_study.guide, Button, "use_shipped_protocol").click()
    new_study.wait()
    assert new_study.guide.next.isEnabled()


def test_a_file_that_cannot_be_read_is_said(new_study: NewStudy, tmp_path: Path) -> None:
    new_study.go_to_study()
    new_study.guide.read_file(tmp_path / "gone.toml")
    new_study.wait()
    assert "cannot be read" in words_of(find(new_study.guide, QWidget, "study_faults"))
