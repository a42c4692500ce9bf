"""The day of a dose at the *Prepare* page, driven through its widgets at a real desk.

Subject 000-001: 171 cm, 70 kg. By hand: √(171 × 70 ÷ 3600) = 1.8235 m² (Mosteller); cycle 1 day 1 is
0.8 mg/m² (protocol § 3.3), so 1.4588 mg, rounded half up to 0.01 mg: 1.46 mg. A 1 mg vial gives 0.9 mg at
0.25 mg/mL: 0.9 mg is 3.6 mL and 0.56 mg is 2.24 mL, together 5.84 mL; 44.16 mL of diluent make up the 50 mL bag.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtWidgets import (
    QLabel,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay, assess, dose, weigh
from pharmacy_app.domain.label_marks import mark_of
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403
from tests.ui.office_fixtures import Said
from tests.ui.prepare_desk import *  # noqa: F403
from tests.ui.prepare_desk import (
    Desk,
    close_papers,
    dialog,
    documents,
    is_open,
    order,
    ordered,
    planned,
    print_labels,
    units,
)
from ui.office import Office
from ui.pages.prepare import ClockLine, say_left
from ui.pages.prepare_step import CHECK, CLOSE, DECIDE, FINISHED, GIVE, LABELS, MIX, ORDER, RELEASE, VIALS
from ui.pages.prepare_written import WrittenDecisionDialog
from ui.widgets.fields import AmountField, ChoiceField, Field, ScanField
from ui.widgets.panels import Banner
from ui.widgets.tables import DataTable


def test_an_empty_page_says_how_to_begin(office: Office, at: Callable[[Office], Desk]) -> None:
    desk = at(office)
    assert "No dose is under way" in desk.words()
    desk.press("prepare_empty_action")
    assert desk.current() == ORDER
    assert desk.button("order_record").isVisible()


def test_an_empty_order_shows_every_fault_at_once_and_keeps_what_was_typed(
    office: Office, at: Callable[[Office], Desk]
) -> None:
    desk = at(office)
    desk.page.begin_order()
    desk.wait()
    desk.put(prescriber="Dr. Mira Castellan", prescribed_mg="1,46")
    desk.press("order_record")
    for name in ("subject_number", "cycle", "day", "level", "prescribed_mg"):
        assert desk.field(name).fault(), name
    assert not desk.field("prescriber").fault()
    assert desk.field("prescribed_mg").text() == "1,46"
    with office.desk.store.read() as reader:
        assert not reader.doses()


def test_the_next_dose_of_the_protocol_is_offered(office: Office, at: Callable[[Office], Desk], day: DemoDay) -> None:
    dose(day, "000-001", 1, 1)
    desk = at(office)
    desk.page.begin_order()
    desk.wait()
    desk.put(subject_number="000-001")
    said = find(desk.page, QLabel, "order_history_text").text()
    # Cycle 1 has days 1, 8 and 15 (§ 3.3).
    assert "course 1, cycle 1, day 1, 1.46 mg given" in said
    # Day 1 was 22-Nov-2026: day 8 is seven days later, give or take three (§ 3.3).
    assert "Cycle 1 day 8 is due on 29-Nov-2026" in said
    places = ("course", "cycle", "day", "level")
    assert [desk.field(name).value() for name in places] == ["1", "1", "8", "0"], "it is filled in already"
    desk.put(day="15")
    desk.page.refresh()
    desk.wait()
    assert desk.field("day").value() == "15", "what a person typed stays"
    desk.press("order_fill_next")
    assert [desk.field(name).value() for name in places] == ["1", "1", "8", "0"]


def test_the_whole_day_of_a_dose(
    office: Office,
    office_as: Callable[[str], Office],
    at: Callable[[Office], Desk],
    day: DemoDay,
    said: Said,
) -> None:
    desk = at(office)
    dose_id = order(desk)
    assert desk.current() == DECIDE
    assert not desk.nameless()
    assert desk.button("decide_planned").text() == "1.46 mg"
    assert desk.button("decide_bsa").text() == "1.8235 m²"
    assert desk.button("decide_per_m2").text() == "0.8 mg/m²"
    desk.press("decide_record")

    assert desk.current() == VIALS
    assert not desk.nameless()
    one_mg = units(day, "1")
    desk.scan(one_mg[3])
    desk.scan(one_mg[5])
    assert "2 of 2 scanned" in desk.words()
    assert desk.button("plan_drawn").text() == "5.84 mL"
    assert desk.button("plan_diluent").text() == "44.16 mL"
    desk.sign("plan_signature")

    assert desk.current() == CHECK
    assert not desk.nameless()
    assert desk.thread(dose_id).planned_by == "Dana Whitfield"
    assert {vial.unit_number for vial in desk.thread(dose_id).vials} == {one_mg[3], one_mg[5]}
    desk.put(height_cm="171", weight_kg="70", dose_mg_per_m2="0.8", dose_mg="1.46", drawn_ml="5.84")
    desk.sign("check_signature", "checker")

    assert desk.current() == MIX
    assert not desk.nameless()
    assert not desk.button("mix_record").isEnabled(), "the worksheet comes before mixing"
    # The technician mixes: another session, the same page.
    bench = at(office_as("technician"))
    bench.open(dose_id)
    bench.press("worksheet_print")
    assert close_papers() == 1
    day.clock.forward(10)
    for name in ("reconstituted_at_now", "diluted_at_now"):
        bench.press(name)
    fields = [bench.field(f"drawn_ml.{unit}") for unit in (one_mg[3], one_mg[5])]
    assert [field.value() for field in fields] == ["", ""], "what was drawn is read off the syringe, not off the plan"
    # At the hood each vial is scanned as it is drawn from: the cursor goes to its volume, another vial is refused.
    bench.scan(one_mg[5], "mix_scan")
    assert bench.page.focusWidget() is fields[1].editor()
    bench.scan(one_mg[4], "mix_scan")
    assert bench.field("mix_scan").fault().startswith(f"Vial {one_mg[4]} is not one of dose {dose_id}. Put it aside;")
    bench.scan(one_mg[3], "mix_scan")
    assert bench.page.focusWidget() is fields[0].editor()
    assert bench.field("mix_scan").fault() == ""
    assert [field.value() for field in fields] == ["", ""]
    fields[0].set_value("3.6")
    fields[1].set_value("2.24")
    bench.press("mix_record")
    assert bench.current() == LABELS
    assert not bench.nameless()
    assert "Start by" in bench.banner("prepare_clock")
    bench.press("bag_labels_print")
    assert print_labels(bench) == "2 labels, not printed yet."
    assert close_papers() == 1
    assert bench.current() == LABELS, "the bag goes nowhere before its own label was scanned on it"
    assert not bench.nameless()
    bench.scan(one_mg[3], "bag_scan")
    assert bench.field("bag_scan").fault().startswith(f"This is not the label of dose {dose_id}: Vial {one_mg[3]}")
    assert bench.current() == LABELS
    bench.scan(dose_id + mark_of("bag", dose_id, 1), "bag_scan")
    assert bench.current() == LABELS, "the label outside the light cover is scanned as well"
    bench.scan(dose_id + mark_of("light cover", dose_id, 1), "bag_scan")
    assert bench.current() == RELEASE
    assert not bench.nameless()
    assert not bench.button("release_signature_sign").isVisible(), "a technician does not release"

    desk.page.refresh()
    desk.wait()
    assert desk.current() == RELEASE
    assert not desk.nameless()
    desk.put(released_to="Nurse J. Abara, infusion unit 4")
    desk.sign("release_signature")

    assert desk.current() == GIVE
    assert not desk.nameless()
    start = day.local().replace(" ", "T")
    day.clock.forward(60)
    desk.put(started_at=start, ended_at=day.local().replace(" ", "T"), given="1.46")
    desk.press("give_record")

    assert desk.current() == CLOSE
    assert not desk.nameless()
    assert not desk.page.findChildren(Banner, "close_given_error")
    desk.field(f"residue_mg.{one_mg[3]}").set_value("0.1")
    desk.field(f"residue_mg.{one_mg[5]}").set_value("0.1")
    desk.press(f"discard_rest_{one_mg[3]}")
    desk.press(f"discard_rest_{one_mg[5]}")
    # 1 − 0.56 − 0.1 = 0.34 mg.
    assert desk.field(f"discarded_mg.{one_mg[5]}").value() == "0.34"
    assert "adds up to 1 mg of 1 mg – it closes." in find(desk.page, QLabel, f"sum_{one_mg[5]}").text()
    desk.press("close_record")

    assert desk.thread(dose_id).line.status == "closed"
    assert desk.current() == FINISHED
    assert desk.button("summary_administered").text() == "1.46 mg"
    assert not [message for message in said.messages if message.kind in ("stop", "warn")]


def test_a_stopped_dose_goes_on_only_after_a_written_decision(
    office: Office, at: Callable[[Office], Desk], tmp_path: Path
) -> None:
    desk = at(office)
    # 1.61 against 1.4588 mg is +10.36 %: at 10 % or more it stops (§ 8.1.3, R18).
    dose_id = order(desk, "1.61")
    assert desk.button("decide_record").text() == "&Record as stopped"
    desk.press("decide_record")
    assert desk.thread(dose_id).line.status == "stopped"
    assert desk.current() == DECIDE
    assert "stopped" in desk.banner("decide_stopped")
    desk.press("finding_R18_record_override")
    asked = dialog("override_dialog")
    assert isinstance(asked, WrittenDecisionDialog)
    keep = find(asked, QPushButton, "override_keep")
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-1.4 The dose was rounded to whole vials. %%EOF")
    find(asked, Field, "role_field").set_value("prescriber")
    find(asked, Field, "why_field").set_value("Rounded to whole vials.")
    asked.attach(letter)
    desk.wait()
    # Whoever holds the role is offered by name.
    assert find(asked, Field, "decided_by_field").value() == "Dr. Mira Castellan"
    find(asked, Field, "decided_on_field").set_value("2026-11-23")
    keep.click()
    desk.wait()
    assert "future" in find(asked, Field, "decided_on_field").fault()
    find(asked, Field, "decided_on_field").set_value("2026-11-22")
    keep.click()
    desk.wait()
    assert not is_open("override_dialog")
    assert desk.button("decide_record").text() == "&Record the decision"
    desk.press("decide_take_back_R18")
    assert desk.button("decide_record").text() == "&Record as stopped"
    desk.press("finding_R18_record_override")
    asked = dialog("override_dialog")
    number = documents(office)[0].document_id
    for name, value in (("role", "prescriber"), ("document", number), ("why", "Rounded to whole vials.")):
        find(asked, Field, f"{name}_field").set_value(value)
    find(asked, QPushButton, "override_keep").click()
    desk.wait()
    desk.press("decide_record")
    assert desk.thread(dose_id).line.status == "decided"
    assert desk.thread(dose_id).decision["overrides"][0]["document"] == f"{number} Written decision on R18"
    # From here on every step says by whose decision the dose goes on.
    said = desk.banner("written_decisions")
    assert "R18: Decided in writing by Dr. Mira Castellan (prescriber) on Sun 22 Nov 2026" in said
    assert number in said
    assert "Rounded to whole vials." in said


def test_every_number_of_the_decision_opens_to_its_working_and_section(
    office: Office, at: Callable[[Office], Desk]
) -> None:
    desk = at(office)
    order(desk, "1.5")
    for name in ("planned", "difference", "per_m2", "bsa", "unrounded", "age"):
        desk.press(f"decide_{name}")
        shown = dialog("working_dialog")
        assert "Protocol §" in "\n".join(label.text() for label in shown.findChildren(QLabel)), name
        shown.close()


def test_the_weight_last_used_may_be_chosen_and_the_numbers_follow(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose(day, "000-001", 1, 1)
    day.clock.forward(7 * 24 * 60)
    weigh(day, "000-001", "74")
    dose_id = ordered(day, 8, "0.93")
    desk = at(office)
    desk.open(dose_id)
    # √(171 × 74 ÷ 3600) = 1.8748 m², × 0.5 = 0.94 mg; with 70 kg 1.8235 × 0.5 = 0.91 mg; 74 against 70 is +5.71 %.
    assert desk.button("decide_planned").text() == "0.94 mg"
    assert desk.button("decide_change").text() == "+5.71 %"
    choice = desk.field("weight_choice")
    assert isinstance(choice, ChoiceField)
    choice.set_value("last used")
    desk.wait()
    assert desk.button("decide_planned").text() == "0.91 mg"
    choice.set_value("newest")
    desk.wait()
    assert desk.button("decide_planned").text() == "0.94 mg"


def test_scans_that_do_not_fit_say_why_and_change_nothing(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="decide")
    desk = at(office)
    desk.open(dose_id)
    one_mg, four_mg = units(day, "1"), units(day, "4")
    desk.scan(four_mg[0])
    assert "wrong lot" in desk.banner("scan_trouble")
    desk.scan("V000001A")
    assert "misread" in desk.banner("scan_trouble")
    assert "0 of 2 scanned" in desk.words()
    desk.scan(one_mg[0])
    desk.scan(one_mg[0])
    assert "scanned already" in desk.banner("scan_trouble")
    assert "1 of 2 scanned" in desk.words()
    desk.sign("plan_signature")
    assert "1 more vial(s) of the plan must be scanned" in desk.banner("scan_trouble")
    assert desk.thread(dose_id).line.status == "decided"


def test_two_scans_in_one_breath_are_checked_against_each_other(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="decide")
    desk = at(office)
    desk.open(dose_id)
    unit = units(day, "1")[0]
    scanner = desk.field("unit_number")
    assert isinstance(scanner, ScanField)
    scanner.scanned.emit(unit)
    scanner.scanned.emit(unit)
    desk.wait()
    assert "scanned already" in desk.banner("scan_trouble")
    assert "1 of 2 scanned" in desk.words()


def test_a_chosen_alternative_is_what_is_reserved(office: Office, at: Callable[[Office], Desk], day: DemoDay) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="decide")
    desk = at(office)
    desk.open(dose_id)
    table = find(desk.page, DataTable, "plans")
    table.selectRow(1)
    desk.wait()
    four_mg = units(day, "4")[2]
    desk.scan(four_mg)
    assert "1 of 1 scanned" in desk.words()
    office.changed.emit()
    desk.wait()
    assert "1 of 1 scanned" in desk.words(), "another page's act does not take the plan away"
    desk.sign("plan_signature", password="not the password")
    assert "do not fit" in desk.banner("plan_signature_fault")
    assert "1 of 1 scanned" in desk.words(), "a wrong password loses nothing"
    desk.sign("plan_signature")
    assert [vial.unit_number for vial in desk.thread(dose_id).vials] == [four_mg]


def test_the_check_is_blind(office: Office, at: Callable[[Office], Desk], day: DemoDay) -> None:
    dose_id = planned(day, "1.5")
    desk = at(office)
    desk.open(dose_id)
    assert desk.current() == CHECK
    assert not desk.button("prepare_steps_3").isEnabled()
    assert not desk.button("prepare_steps_4").isEnabled()
    for step in (DECIDE, VIALS):
        desk.page.look_at(step)
        desk.wait()
    words = desk.words()
    assert "1.5 mg" in words, "the order is no secret"
    # Neither planned dose, BSA, height, weight, nor a volume (3.6 + 2.4 = 6 mL) stands anywhere.
    for hidden in ("1.46", "1.82", "171", "70 kg", "6 mL", "3.6", "44 mL"):
        assert hidden not in words, hidden
    assert [desk.field(name).value() for name in ("height_cm", "weight_kg", "dose_mg")] == ["", "", ""]


def test_the_monitor_looks_back_at_all_of_it_and_changes_nothing(
    office_as: Callable[[str], Office], at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="plan")
    desk = at(office_as("monitor"))
    desk.open(dose_id)
    assert not desk.button("new_order").isEnabled()
    assert not desk.button("cancel_dose").isEnabled()
    assert not desk.button("check_signature_sign").isVisible()
    assert "monitor" in find(desk.page, QLabel, "check_why").text()
    desk.press("prepare_steps_3")
    assert desk.button("decided_planned").text() == "1.46 mg"


def test_a_disagreement_is_named_and_nothing_goes_on(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    # 1.5 mg are prescribed: 3.6 mL and, for the other 0.6 mg, 2.4 mL.
    dose_id = planned(day, "1.5")
    desk = at(office)
    desk.open(dose_id)
    desk.put(height_cm="171", weight_kg="70", dose_mg_per_m2="0.8", dose_mg="1.54", drawn_ml="6")
    desk.sign("check_signature", "pharmacist")
    assert "another person" in desk.banner("check_signature_fault")
    # A small window, scrolled to the signature, as it is when somebody signs.
    desk.page.resize(960, 520)
    desk.page.show_widget(desk.button("check_signature_sign"))
    desk.sign("check_signature", "checker")
    assert "does not agree in: planned dose." in desk.banner("check_disagreement")
    said = find(desk.page, Banner, "check_disagreement")
    assert said.visibleRegion().boundingRect().height() == said.height(), "the disagreement is in sight"
    assert "1.46" not in desk.words(), "the right value is not given away"
    assert desk.thread(dose_id).line.status == "planned"
    # Whoever opens the dose later sees it too.
    later = at(office)
    later.open(dose_id)
    assert "did not agree in: planned dose." in later.banner("check_disagreement")
    desk.put(dose_mg="1.46")
    desk.sign("check_signature", "checker")
    assert desk.current() == MIX
    desk.press("prepare_steps_5")
    assert "Sam Okafor" in desk.words()


def test_drafts_survive_other_doses_refreshes_and_looking_back(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    first = dose(day, "000-001", 1, 1, until="plan")
    second = ordered(day, 8, "0.91")
    desk = at(office)
    desk.open(first)
    desk.put(height_cm="171", dose_mg="1.4")
    assert desk.page.is_dirty()
    desk.open(second)
    assert desk.current() == DECIDE
    desk.page.begin_order()
    desk.wait()
    desk.put(prescriber="Dr. Mira Castellan")
    desk.open(first)
    desk.press("prepare_steps_1")
    assert "as it was recorded" in desk.words()
    desk.press("back_to_step")
    office.changed.emit()
    desk.wait()
    assert [desk.field(name).value() for name in ("height_cm", "dose_mg")] == ["171", "1.4"]
    desk.page.begin_order()
    desk.wait()
    assert desk.field("prescriber").value() == "Dr. Mira Castellan"


def test_a_second_press_records_once(office: Office, at: Callable[[Office], Desk]) -> None:
    desk = at(office)
    order(desk)
    with office.desk.store.read() as reader:
        before = reader.head().seq
    button = desk.button("decide_record")
    button.click()
    button.click()
    desk.wait()
    with office.desk.store.read() as reader:
        assert reader.head().seq == before + 1


def test_missing_times_are_asked_for_and_never_taken_as_now(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="worksheet")
    desk = at(office)
    desk.open(dose_id)
    desk.press("mix_record")
    unit = desk.thread(dose_id).vials[0].unit_number
    for name in ("reconstituted_at", "diluted_at", f"drawn_ml.{unit}"):
        assert desk.field(name).fault(), name
    assert desk.thread(dose_id).line.status == "verified"


def test_ten_percent_less_given_opens_an_error_record_in_sight(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="release")
    desk = at(office)
    desk.open(dose_id)
    start = day.local().replace(" ", "T")
    day.clock.forward(60)
    given = desk.field("given")
    assert isinstance(given, AmountField)
    given.set_unit("mL")
    # 45 mL of 50 mL: nine tenths of 1.46 mg, so −10 % (§ 8.1.3: 10 % or more is reported).
    desk.put(started_at=start, ended_at=day.local().replace(" ", "T"), given="45")
    assert "−10 % against prescribed" in find(desk.page, QLabel, "given_reading").text()
    desk.press("give_record")
    assert desk.current() == CLOSE
    shown = desk.banner("close_given_error")
    assert "E000001" in shown
    assert "10 % or more" in shown
    # From there the record is one press away, while the vials are closed and afterwards.
    with office.desk.store.read() as reader:
        (record,) = reader.errors()
    went: list[tuple[str, str]] = []
    office.go.connect(lambda key, what: went.append((key, what)))
    desk.press(f"open_error_{record.error_id}")
    desk.press("prepare_steps_9")
    desk.press(f"open_error_{record.error_id}")
    assert went == [("errors", record.error_id)] * 2


def test_an_error_that_was_assessed_meanwhile_is_said_as_it_stands(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose_id = dose(day, "000-001", 1, 1, given="1.2", until="give")
    desk = at(office)
    desk.open(dose_id)
    assert ", open. " in desk.banner("close_given_error")
    assess(day, dose_id)
    desk.page.refresh()
    desk.wait()
    (banner,) = [each for each in desk.page.findChildren(Banner, "close_given_error") if each.isVisible()]
    assert ", assessed. " in banner.text()


def test_a_vial_that_does_not_add_up_is_named_beside_it(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="give")
    desk = at(office)
    desk.open(dose_id)
    first, second = (line.unit_number for line in desk.thread(dose_id).mg)
    desk.put(**{f"residue_mg.{first}": "0.1", f"discarded_mg.{first}": "0"})
    desk.press(f"discard_rest_{second}")
    desk.field(f"discarded_mg.{second}").set_value("0.4")
    # 0.56 + 0 + 0.4 = 0.96 mg of 1 mg.
    assert "adds up to 0.96 mg of 1 mg." in find(desk.page, QLabel, f"sum_{second}").text()
    desk.press("close_record")
    assert "does not close" in desk.field(f"residue_mg.{second}").fault()
    assert not desk.field(f"residue_mg.{first}").fault()
    desk.put(**{f"discarded_mg.{second}": "0.44"})
    desk.press("close_record")
    assert desk.thread(dose_id).line.status == "closed"


def test_cancelling_asks_why_and_the_harmless_answer_is_the_default(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="plan")
    desk = at(office)
    desk.open(dose_id)
    desk.press("cancel_dose")
    asked = dialog("cancel_dialog")
    assert find(asked, QPushButton, "cancel_dialog_no").isDefault()
    find(asked, QPushButton, "cancel_dialog_yes").click()
    desk.wait()
    assert find(asked, Field, "why_field").fault()
    assert desk.thread(dose_id).line.status == "planned"
    find(asked, Field, "why_field").set_value("The subject has a fever.")
    find(asked, QPushButton, "cancel_dialog_yes").click()
    desk.wait()
    assert desk.thread(dose_id).line.status == "cancelled"
    assert desk.banner("cancelled_why") == "The subject has a fever."
    assert len(units(day, "1")) == 12, "the reserved vials are back in stock"


def test_cancelling_a_checked_dose_keeps_the_one_vial_that_was_opened(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="check")
    desk = at(office)
    desk.open(dose_id)
    opened, untouched = (vial.unit_number for vial in desk.thread(dose_id).vials)
    desk.press("cancel_dose")
    asked = dialog("cancel_dialog")
    find(asked, Field, "why_field").set_value("The first vial was cloudy.")
    find(asked, Field, f"opened.{opened}_field").set_value("yes")
    find(asked, QPushButton, "cancel_dialog_yes").click()
    desk.wait()
    assert untouched in units(day, "1")
    assert opened not in units(day, "1")
    assert [line.unit_number for line in desk.thread(dose_id).mg] == [opened]


def test_a_dose_below_the_planned_one_shows_its_decision(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    # 000-001, 171 cm and 70 kg: 0.8 × √(171 × 70 / 3600) = 1.458766… mg; (1.40 − 1.458766…) / 1.458766… = −4.0285 %.
    dose_id = ordered(day, 1, "1.40")
    desk = at(office)
    desk.open(dose_id)
    assert desk.button("decide_difference").isVisible()
    assert desk.button("decide_difference").text() == "−4.03 %"


def test_a_dose_cancelled_after_mixing_still_closes_its_vials(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="prepare")
    desk = at(office)
    desk.open(dose_id)
    desk.press("cancel_dose")
    asked = dialog("cancel_dialog")
    find(asked, Field, "why_field").set_value("The bag leaked.")
    find(asked, QPushButton, "cancel_dialog_yes").click()
    desk.wait()
    assert desk.current() == CLOSE
    for line in desk.thread(dose_id).mg:
        desk.press(f"discard_rest_{line.unit_number}")
    desk.press("close_record")
    assert desk.current() == FINISHED
    assert all(vial.state == "empty" for vial in desk.thread(dose_id).vials)


def test_labels_are_printed_again_only_with_a_reason(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="label")
    desk = at(office)
    desk.open(dose_id)
    desk.press("bag_labels_again")
    asked = dialog("print_labels_dialog")
    print_labels(desk)
    assert find(asked, Field, "why_field").fault()
    find(asked, Field, "why_field").set_value("The first label tore.")
    said = print_labels(desk)
    assert said == "2 labels, not printed yet. All were printed before and say REPRINT: destroy the old ones."
    assert close_papers() == 1
    assert "Bag labels: copy 2, printed by" in find(desk.page, QLabel, "bag_labels_state").text()


def test_a_look_at_the_bags_labels_gives_out_no_paper_but_by_the_reprint(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="label")
    desk = at(office)
    desk.open(dose_id)
    desk.press("bag_labels_show")
    kept = dialog("paper_dialog")
    assert find(kept, DataTable, "kept_labels_table").model().rowCount() == 2
    for name in ("paper_open", "paper_save"):
        assert find(kept, QPushButton, name).isHidden()
    find(kept, QPushButton, "kept_labels_again").click()
    desk.wait()
    asked = dialog("print_labels_dialog")
    print_labels(desk)
    assert find(asked, Field, "why_field").fault(), "a further copy needs its reason"
    asked.reject()


def test_a_decided_dose_can_be_decided_again(office: Office, at: Callable[[Office], Desk], day: DemoDay) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="decide")
    weigh(day, "000-001", "71")
    desk = at(office)
    desk.open(dose_id)
    desk.press("prepare_steps_3")
    desk.press("decide_again")
    # √(171 × 71 ÷ 3600) = 1.8364 m², × 0.8 = 1.4691 → 1.47 mg.
    assert desk.button("decide_planned").text() == "1.47 mg"
    desk.press("decide_record")
    assert desk.current() == VIALS


def test_one_dose_under_way_opens_by_itself_and_several_are_listed(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    first = dose(day, "000-001", 1, 1, until="plan")
    desk = at(office)
    assert first in desk.words()
    ordered(day, 8, "0.91")
    desk = at(office)
    table = find(desk.page, DataTable, "doses_under_way")
    assert table.isVisible()
    assert table.model().rowCount() == 2
    assert desk.current() == ORDER or not find(desk.page, QWidget, "prepare_stage").isVisible()
    table.selectRow(1)
    desk.wait()
    assert desk.current() == DECIDE


def test_the_page_opens_on_a_subject_with_its_order_begun(office: Office, at: Callable[[Office], Desk]) -> None:
    desk = at(office)
    desk.page.open_on("000-001")
    desk.wait()
    assert desk.current() == ORDER
    assert desk.field("subject_number").value() == "000-001"


@pytest.mark.parametrize(
    ("minutes", "kind", "words"),
    [
        (-130, "info", "2 h 10 min left to start"),
        (-60, "info", "1 h 0 min left to start"),
        (-59, "warn", "59 min left to start"),
        (0, "warn", "0 min left to start"),
        (1, "stop", "had to start by now"),
        (60, "stop", "had to start by now"),
        (61, "stop", "beyond-use time has passed"),
    ],
)
def test_the_clock_line_says_what_is_left(qtbot: QtBot, minutes: int, kind: str, words: str) -> None:
    line = ClockLine(ZoneInfo("America/Chicago"))
    qtbot.addWidget(line)
    start_by = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
    line.show_times(start_by, start_by + timedelta(hours=1), start_by + timedelta(minutes=minutes))
    assert line.kind == kind
    assert words in line.text()
    assert line.text().startswith("Start by 17:00, beyond use 18:00 CST")


def test_minutes_in_words() -> None:
    assert [say_left(minutes) for minutes in (0, 59, 60, 130)] == ["0 min", "59 min", "1 h 0 min", "2 h 10 min"]
