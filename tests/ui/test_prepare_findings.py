"""What the rules say at the *Prepare* page: lines that open, written decisions with their paper, trials, tolerance.

Subject 000-001: 171 cm, 70 kg, 0.8 mg/m² on cycle 1 day 1, so 1.458767 mg unrounded and 1.46 mg planned.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay, dose
from pharmacy_app.domain.findings import Finding, Named, Override, Severity
from pharmacy_app.domain.protocol import shipped_protocol
from pharmacy_app.services.preparation import proposals
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403
from tests.ui.office_fixtures import Said
from tests.ui.prepare_desk import *  # noqa: F403
from tests.ui.prepare_desk import Desk, dialog, documents, is_open, order
from ui.office import Office
from ui.pages.prepare_step import CHECK, CLOSE, GIVE, VIALS, Told
from ui.pages.prepare_whatif import only_in
from ui.pages.prepare_written import WrittenDecisionDialog
from ui.widgets.fields import Field
from ui.widgets.findings import FindingCard, FindingList

TOLD = Told(shipped_protocol())
OVERRIDE = Override("R37", "Dr. A. Lind", "principal investigator", date(2026, 11, 21), "F0000012 Letter", "Gilbert.")


def texts(widget: QWidget) -> str:
    """Every word to be seen."""
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def shown(qtbot: QtBot, findings: list[Finding]) -> FindingList:
    """A list on screen, explained by the shipped protocol."""
    box = FindingList(findings, explain=TOLD)
    qtbot.addWidget(box)
    box.resize(700, 500)
    box.show()
    return box


def test_findings_stand_by_severity_and_then_as_in_the_catalogue(qtbot: QtBot) -> None:
    said = [
        Finding("R18", Severity.INFO, "a note", "8.1.3"),
        Finding("R18", Severity.OVERRIDABLE, "differs", "8.1.3"),
        Finding("T1", Severity.WARN, "spent", "8.1.3"),
        Finding("R13", Severity.WARN, "weighed long ago", "8.1.3"),
        Finding("R37", Severity.OVERRIDABLE, "bilirubin", "8.1.5(4)", override=OVERRIDE),
        Finding("R38", Severity.OVERRIDABLE, "AST", "8.1.5(4)"),
        Finding("R38", Severity.OVERRIDABLE, "ALT", "8.1.5(4)"),
        Finding("R32", Severity.STOP, "liver", "8.1.5(4)"),
    ]
    box = shown(qtbot, said)
    cards = sorted(
        (card for card in box.findChildren(FindingCard) if card.isVisible()),
        key=lambda card: card.y(),
    )
    # § 8.1.5 stands before § 8.1.3's comparison of doses in the catalogue; what was decided comes after what was not.
    assert [card.finding.sentence for card in cards] == [
        "liver",
        "AST",
        "ALT",
        "differs",
        "bilirubin",
        "weighed long ago",
        "spent",
    ]
    assert find(box, QPushButton, "findings_notes").text() == "1 note"
    names = [card.objectName() for card in box.findChildren(FindingCard)]
    assert len(names) == len(set(names)), "every line has a name of its own"


def test_a_line_opens_by_keyboard_to_numbers_protocol_boundary_reading_and_next_step(qtbot: QtBot) -> None:
    numbers = (Named("bilirubin", "2.1", "mg/dL"), Named("upper limit of normal", "1.2", "mg/dL"))
    box = shown(qtbot, [Finding("R37", Severity.OVERRIDABLE, "Bilirubin is high.", "8.1.5(4)", numbers)])
    opener = find(box, QPushButton, "finding_R37_open")
    assert opener.accessibleName() == "R37, Stop unless decided: Bilirubin is high."
    assert "2.1 mg/dL" not in texts(box)
    opener.setFocus()
    QTest.keyClick(opener, Qt.Key.Key_Space)
    said = texts(box)
    assert "Bilirubin\n2.1 mg/dL" in said
    assert "Upper limit of normal\n1.2 mg/dL" in said
    assert "Protocol § 8.1.5(4)" in said
    assert "“Serum bilirubin ≤1.5 x ULN, and AST or ALT ≤2.5 x ULN" in said
    for label in ("Where the line is", "How we read it", "What to do next"):
        assert label in said
    assert "Exactly 1.5 × (or 2 ×) passes" in said
    QTest.keyClick(opener, Qt.Key.Key_Return)
    assert "What to do next" not in texts(box)


def test_a_click_anywhere_on_the_line_opens_it_and_it_stays_open_while_it_is_said(qtbot: QtBot) -> None:
    first = Finding("R18", Severity.WARN, "1.5 against 1.46", "8.1.3")
    box = shown(qtbot, [first, Finding("R13", Severity.WARN, "weighed long ago", "8.1.3")])
    card = find(box, FindingCard, "finding_R18")
    QTest.mouseClick(card, Qt.MouseButton.LeftButton, pos=card.rect().center())
    assert card.opened
    box.set_findings([Finding("R18", Severity.WARN, "1.55 against 1.46", "8.1.3")], explain=TOLD)
    QApplication.processEvents()
    assert find(box, FindingCard, "finding_R18").opened
    assert "1.55 against 1.46" in texts(box)


def test_what_was_decided_says_by_whom_when_how_and_why_without_being_opened(qtbot: QtBot) -> None:
    box = shown(qtbot, [Finding("R37", Severity.OVERRIDABLE, "Bilirubin is high.", "8.1.5(4)", override=OVERRIDE)])
    assert "Decided in writing" in texts(box).splitlines()
    assert (
        "Decided in writing by Dr. A. Lind (principal investigator) on Sat 21 Nov 2026, document F0000012 Letter."
        " Reason: Gilbert."
    ) in texts(box)
    assert not box.findChildren(QPushButton, "finding_R37_record_override")


def test_a_stop_that_nobody_may_decide_past_offers_no_decision(qtbot: QtBot) -> None:
    box = shown(qtbot, [Finding("R32", Severity.STOP, "Liver toxicity is suspected.", "8.1.5(4)")])
    buttons = [button.objectName() for button in box.findChildren(QPushButton)]
    assert buttons == ["finding_R32_open"]


def test_only_the_roles_that_the_rule_allows_may_have_decided(
    qtbot: QtBot, office: Office, at: Callable[[Office], Desk], idle: Callable[[Office], None]
) -> None:
    desk = at(office)
    dose_id = order(desk)
    line = desk.thread(dose_id).line
    # § 10: whether a subject goes on after the end of treatment is the principal investigator's to decide.
    off = Finding("R33", Severity.OVERRIDABLE, "Off treatment.", "10.1")
    asked = WrittenDecisionDialog(office, off, line, date(2026, 11, 22), desk.page)
    idle(office)
    role = find(asked, QComboBox, "role")
    assert [role.itemText(at) for at in range(role.count())] == ["Principal investigator"]
    assert find(asked, Field, "decided_by_field").value() == office.site.principal_investigator
    asked.close()


def test_a_decision_without_its_paper_is_refused_and_a_wrong_file_says_why(
    office: Office, at: Callable[[Office], Desk], tmp_path: Path
) -> None:
    desk = at(office)
    dose_id = order(desk, "1.61")
    desk.press("finding_R18_record_override")
    asked = dialog("override_dialog")
    assert isinstance(asked, WrittenDecisionDialog)
    find(asked, QPushButton, "override_keep").click()
    desk.wait()
    for name in ("role", "decided_by", "document", "why"):
        assert find(asked, Field, f"{name}_field").fault(), name
    assert "Attach" in find(asked, Field, "document_field").fault()
    word = tmp_path / "letter.docx"
    word.write_bytes(b"PK\x03\x04 not kept here")
    asked.attach(word)
    desk.wait()
    assert "ends in .docx is not kept here" in find(asked, Field, "document_field").fault()
    assert "who signed it" in find(asked, Field, "decided_by_field").fault()
    asked.attach(tmp_path / "nowhere.pdf")
    desk.wait()
    assert "nowhere.pdf cannot be read" in find(asked, Field, "document_field").fault()
    assert documents(office) == []
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-1.4 yes %%EOF")
    find(asked, Field, "role_field").set_value("prescriber")
    asked.attach(letter)
    desk.wait()
    (kept,) = documents(office)
    assert (kept.about, kept.signed_by, kept.kind) == (dose_id, "Dr. Mira Castellan", "written decision")
    assert find(asked, Field, "document_field").value() == kept.document_id
    asked.attach(letter)
    desk.wait()
    assert kept.document_id in find(asked, Field, "document_field").fault(), "the same file twice is named"
    find(asked, QPushButton, "override_back").click()
    desk.wait()
    assert not is_open("override_dialog")
    assert documents(office) == [kept], "the paper stays with the dose"


def test_what_if_shows_another_weight_and_records_nothing(office: Office, at: Callable[[Office], Desk]) -> None:
    desk = at(office)
    dose_id = order(desk, "1.61")
    with office.desk.store.read() as reader:
        before = reader.head().seq
    assert not desk.field("what_if_weight_kg").isVisible(), "it is folded"
    desk.press("what_if_open")
    assert "Nothing is recorded here" in desk.banner("what_if_note")
    assert not desk.field("what_if_level").isVisible(), "cycle 1 has no levels (§ 8.1.6)"
    desk.put(what_if_weight_kg="80")
    desk.press("what_if_try")
    # √(171 × 80 ÷ 3600) = 1.949359 m², × 0.8 = 1.559487 mg; (1.61 − 1.559487) ÷ 1.559487 = +3.24 %: under 10 %.
    assert desk.button("what_if_planned").text() == "1.56 mg"
    assert desk.button("what_if_difference").text() == "+3.24 %"
    assert "No longer said: R18, stop unless decided." in find(desk.page, QLabel, "what_if_gone").text()
    assert find(desk.page, QLabel, "what_if_outcome").text() == "The dose could go on."
    assert desk.button("decide_planned").text() == "1.46 mg", "the decision itself stays as it is"
    # 60 kg: √(171 × 60 ÷ 3600) = 1.688194 m², 1.350555 mg; 1.61 is +19.21 %: still R18, so nothing else is said.
    desk.put(what_if_weight_kg="60")
    desk.press("what_if_try")
    assert desk.button("what_if_difference").text() == "+19.21 %"
    assert "The rules say nothing else than now." in find(desk.page, QLabel, "what_if_outcome").text()
    desk.put(what_if_weight_kg="seventy")
    desk.press("what_if_try")
    assert desk.field("what_if_weight_kg").fault()
    assert not desk.button("what_if_planned").isVisible()
    with office.desk.store.read() as reader:
        assert reader.head().seq == before
    assert desk.thread(dose_id).line.status == "ordered"


def test_what_if_names_the_findings_that_another_day_brings(office: Office, at: Callable[[Office], Desk]) -> None:
    desk = at(office)
    order(desk)
    desk.press("what_if_open")
    # Weighed on 22-Nov-2026; on 10-Dec-2026 that is more than the 7 days of § 8.1.3 ago.
    desk.put(what_if_planned_on="2026-12-10")
    desk.press("what_if_try")
    assert find(desk.page, QLabel, "what_if_R13_sentence").isVisible()
    assert not desk.page.findChildren(QLabel, "finding_R13_sentence")


def test_findings_are_told_apart_by_rule_and_severity() -> None:
    stop = Finding("R38", Severity.OVERRIDABLE, "AST 120", "8.1.5(4)")
    more = Finding("R38", Severity.OVERRIDABLE, "ALT 130", "8.1.5(4)")
    assert only_in((stop, more), (stop,)) == (more,)
    assert only_in((stop,), (more,)) == ()
    assert only_in((), (stop,)) == ()


def test_the_tolerance_is_shown_before_mixing(office: Office, at: Callable[[Office], Desk]) -> None:
    desk = at(office)
    order(desk)
    desk.press("decide_record")
    assert desk.current() == VIALS
    # (1.46 − 1.458767) ÷ 1.46 = 0.08 %; 3.6 and 2.24 mL are read exactly; two draws, each half of 0.01 mL at
    # 0.25 mg/mL, are 0.0025 mg of 1.46 mg = 0.17 %; together 0.26 %, and 9.74 % of the 10 % (§ 8.1.3) are left.
    assert find(desk.page, QLabel, "plan_budget_spent").text() == "0.26 % of 10 % spent, 9.74 % left."
    said = texts(find(desk.page, QWidget, "plan_budget"))
    assert "Order against calculation\n+0.08 %\nunrounded 1.4588 → prescribed 1.46 mg" in said
    assert "Reading of the syringe\n±0.17 %" in said
    assert "Left in bag and line\nnot known" in said
    assert "“gemtuzumab ozogamicin” is another drug" in desk.banner("look_alike")
    assert not desk.field("reason").isVisible()


def test_a_spent_tolerance_warns_and_asks_for_a_reason(office: Office, at: Callable[[Office], Desk]) -> None:
    desk = at(office)
    # (1.58 − 1.458767) ÷ 1.58 = 7.67 %, and 0.0025 ÷ 1.58 = 0.16 %: 7.83 % of 10 %.
    order(desk, "1.58")
    desk.press("decide_record")
    assert desk.current() == VIALS
    assert find(desk.page, QLabel, "plan_budget_spent").text() == "7.83 % of 10 % spent, 2.17 % left."
    assert "7.83 % is spent before anything is mixed" in find(desk.page, QLabel, "finding_T1_sentence").text()
    assert desk.field("reason").isVisible()


def test_reminders_of_the_first_infusion_and_what_the_ward_reports(
    office: Office, at: Callable[[Office], Desk], day: DemoDay, said: Said
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until="release")
    desk = at(office)
    desk.open(dose_id)
    assert desk.current() == GIVE
    words = texts(find(desk.page, QWidget, "give_reminders"))
    # § 8.1.3: the very first infusion has its own vital signs; premedication is 0.5 to 2 hours before.
    assert "about 30 minutes into the infusion" in words
    assert "about 30 to 120 minutes before" in words
    start = day.local().replace(" ", "T")
    premedicated = day.local(-45).replace(" ", "T")
    day.clock.forward(30)
    desk.put(started_at=start, ended_at=day.local().replace(" ", "T"), given="0.9", premedicated_at=premedicated)
    desk.put(stopped_for="reaction")
    desk.press("give_record")
    assert desk.current() == CLOSE
    given = desk.thread(dose_id).administration
    assert given["stopped_for"] == "reaction"
    assert given["premedicated_at"].startswith(premedicated)
    words = desk.words()
    assert "Stopped part-way\nyes, for a reaction" in words
    # The message says it in short; the whole sentence stands on the page, above the way to the record.
    assert "was opened for dose" in said.texts()[-1]
    assert "stopped part-way for a reaction" in words


def test_a_later_infusion_has_the_shorter_vital_signs_and_nothing_reported_is_said_so(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    dose(day, "000-001", 1, 1)
    day.clock.forward(7 * 24 * 60)
    dose_id = dose(day, "000-001", 1, 8, until="release")
    desk = at(office)
    desk.open(dose_id)
    words = texts(find(desk.page, QWidget, "give_reminders"))
    assert "minutes into the infusion" not in words
    assert "before the infusion and at its end, within 15 minutes either way" in words
    start = day.local().replace(" ", "T")
    day.clock.forward(60)
    desk.put(started_at=start, ended_at=day.local().replace(" ", "T"), given="0.91")
    desk.press("give_record")
    words = desk.words()
    assert "Premedicated\nnot reported" in words
    assert "Stopped part-way\nno" in words


def test_the_reason_of_a_decision_is_hidden_from_the_blind_check(
    office: Office, at: Callable[[Office], Desk], tmp_path: Path
) -> None:
    desk, hidden = at(office), "1.61 mg are two whole vials; 1.46 were planned."
    asked_for = order(desk, "1.61")
    desk.press("finding_R18_record_override")
    asked = dialog("override_dialog")
    assert isinstance(asked, WrittenDecisionDialog)
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-1.4 yes %%EOF")
    find(asked, Field, "role_field").set_value("prescriber")
    find(asked, Field, "why_field").set_value(hidden)
    asked.attach(letter)
    desk.wait()
    find(asked, QPushButton, "override_keep").click()
    desk.wait()
    desk.press("decide_record")
    assert hidden in desk.banner("written_decisions")
    desk.put(reason="The prescriber wants whole vials.")
    with office.desk.store.read() as reader:
        best = proposals(office.desk, reader, asked_for).best
    assert best is not None
    for draw in best.draws:
        desk.scan(draw.unit_number)
    desk.sign("plan_signature")
    assert desk.current() == CHECK
    assert "R18: Decided in writing by" in desk.banner("written_decisions")
    assert hidden not in desk.words()
