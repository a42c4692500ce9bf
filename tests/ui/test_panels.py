"""Findings, working, signatures, steps, and text that wraps without being cut."""

from datetime import date
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.domain.findings import Finding, Named, Override, Severity, Step
from tests.ui.find import find
from ui.widgets.basics import Button, Text, plain
from ui.widgets.findings import FindingCard, FindingList
from ui.widgets.panels import (
    Banner,
    Card,
    EmptyState,
    KeyValues,
    Page,
    SignatureBox,
    StepHeader,
    StepState,
    confirm,
)
from ui.widgets.working import NumberButton, WorkingView

LONG = "The weight differs from the weight last used for a dose by more than 10 %; please ask the ward. " * 4


def _texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


@pytest.mark.parametrize(
    ("severity", "word"),
    [
        (Severity.STOP, "Stop"),
        (Severity.OVERRIDABLE, "Stop unless decided"),
        (Severity.WARN, "Warning"),
        (Severity.INFO, "Note"),
    ],
)
def test_a_severity_is_told_by_its_word(qtbot: QtBot, severity: Severity, word: str) -> None:
    card = FindingCard(Finding("R19", severity, "The doses differ.", "8.1.3", (Named("prescribed", "1.3", "mg"),)))
    qtbot.addWidget(card)
    lines = _texts(card).splitlines()
    assert word in lines
    assert "R19" in lines
    assert card.accessibleName() == f"{word}: The doses differ."
    assert (card.button is not None) == (severity is Severity.OVERRIDABLE)


def test_an_override_is_shown_and_not_asked_again(qtbot: QtBot) -> None:
    override = Override("R20", "Dr Ada Lind", "principal investigator", date(2026, 11, 21), "Letter 14", "Travel.")
    card = FindingCard(Finding("R20", Severity.OVERRIDABLE, "Outside the window.", "6.2", override=override))
    qtbot.addWidget(card)
    assert card.button is None
    assert "Dr Ada Lind (principal investigator) on Sat 21 Nov 2026, document Letter 14" in _texts(card)


def test_the_gravest_finding_stands_first_and_its_override_can_be_asked(qtbot: QtBot) -> None:
    stop = Finding("R16", Severity.STOP, "Expired.", "8.2")
    overridable = Finding("R19", Severity.OVERRIDABLE, "The doses differ.", "8.1.3")
    info = Finding("R14", Severity.INFO, "Weighed 2 days ago.", "8.1.2")
    box = FindingList([info, overridable, stop])
    qtbot.addWidget(box)
    box.show()
    cards = box.findChildren(FindingCard)
    assert {card.finding.rule for card in cards if card.isVisible()} == {"R16", "R19"}, "notes are folded"
    find(box, QPushButton, "findings_notes").click()
    order = sorted(cards, key=lambda card: card.mapTo(box, card.rect().topLeft()).y())
    assert [card.finding.rule for card in order] == ["R16", "R19", "R14"]
    asked: list[Finding] = []
    box.override_asked.connect(asked.append)
    [button] = [card.button for card in cards if card.button is not None]
    button.click()
    assert asked == [overridable]
    box.set_findings([])
    QApplication.processEvents()
    assert "No rule has anything to say against this." in _texts(box)


STEP = Step(
    "Body surface area",
    "√(height × weight ÷ 3600)",
    (Named("height", "180", "cm"), Named("weight", "80", "kg")),
    Decimal(2),
    "m²",
    "8.1.2",
)


def test_a_step_opens_by_keyboard_to_formula_inputs_and_section(qtbot: QtBot) -> None:
    view = WorkingView([STEP])
    qtbot.addWidget(view)
    view.show()
    assert "2 m²" in _texts(view)
    row = find(view, QPushButton, "working_1")
    details = find(view, QWidget, "working_1_details")
    assert isinstance(row, QPushButton)
    assert isinstance(details, QWidget)
    assert not details.isVisible()
    QTest.keyClick(row, Qt.Key.Key_Space)
    assert details.isVisible()
    assert "height 180 cm\nweight 80 kg" in _texts(details)
    assert "Protocol § 8.1.2" in _texts(details)
    QTest.keyClick(row, Qt.Key.Key_Space)
    assert not details.isVisible()


def test_a_number_opens_to_its_working(qtbot: QtBot) -> None:
    number = NumberButton("Body surface area", "2.00", "m²", [STEP], name="bsa")
    qtbot.addWidget(number)
    number.show()
    assert number.button.accessibleName() == "Body surface area: 2.00 m²"
    QTest.keyClick(number.button, Qt.Key.Key_Space)
    dialog = find(number.window(), QDialog, "working_dialog")
    assert isinstance(dialog, QDialog)
    assert dialog.isVisible()
    assert "√(height × weight ÷ 3600)" in _texts(dialog)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    number.set_number("–")
    assert not number.button.isEnabled()


def test_signing_needs_both_and_forgets_the_password(qtbot: QtBot) -> None:
    box = SignatureBox("Second check", "I calculated this dose.", "Sign the check")
    qtbot.addWidget(box)
    box.show()
    asked: list[tuple[str, str]] = []
    box.sign_requested.connect(lambda user, password: asked.append((user, password)))
    box.button.click()
    assert asked == []
    assert box.user.fault() == "User name is required."
    QTest.keyClicks(box.user.editor(), "tom")
    QTest.keyClicks(box.password.editor(), " pass word ")
    QTest.keyClick(box.password.editor(), Qt.Key.Key_Return)
    QTest.keyClick(box.password.editor(), Qt.Key.Key_Return)
    assert asked == [("tom", " pass word ")]
    assert box.password.text() == ""
    assert not box.button.isEnabled()
    box.set_fault("The second signer is another person than the first.")
    assert box.button.isEnabled()
    assert "another person" in _texts(box)
    box.set_signed("Tom Berg, Sun 22 Nov 2026 19:04 +01:00: I calculated this dose.")
    assert not box.button.isVisible()
    assert "Tom Berg" in _texts(box)


def test_steps_done_and_current_can_be_chosen_waiting_ones_not(qtbot: QtBot) -> None:
    steps = StepHeader(["Order", "Decision", "Vials"])
    qtbot.addWidget(steps)
    steps.set_current(1)
    chosen: list[int] = []
    steps.chosen.connect(chosen.append)
    buttons = [find(steps, Button, f"steps_{at}") for at in (1, 2, 3)]
    for button in buttons:
        assert button is not None
        QTest.keyClick(button, Qt.Key.Key_Space)
    assert chosen == [0, 1]
    assert [b.accessibleDescription() for b in buttons] == [
        "Step 1 of 3, done",
        "Step 2 of 3, current",
        "Step 3 of 3, waiting",
    ]
    steps.set_states([StepState.DONE, StepState.DONE, StepState.CURRENT])
    assert steps.current == 2


def test_a_locked_step_keeps_its_lock_whatever_room_it_has(qtbot: QtBot) -> None:
    steps = StepHeader(["Order", "Decision", "Check"])
    qtbot.addWidget(steps)
    steps.resize(600, 40)
    steps.show()
    steps.set_current(2)
    steps.lock(1, "Hidden until the second check is signed.")
    order, decision = (find(steps, Button, f"steps_{at}") for at in (1, 2))
    steps.resize(700, 40)
    assert (order.icon_name, decision.icon_name) == ("ok", "lock")
    assert not decision.isEnabled()
    assert decision.accessibleDescription() == "Hidden until the second check is signed."
    # Where no icon has room, none is left alone; with room again both are back.
    steps.resize(60, 40)
    assert (order.icon_name, decision.icon_name) == ("", "")
    steps.resize(700, 40)
    assert (order.icon_name, decision.icon_name) == ("ok", "lock")
    steps.set_current(2)
    assert (decision.icon_name, decision.isEnabled()) == ("ok", True)


@pytest.mark.parametrize(("key", "answer"), [(Qt.Key.Key_Return, False), (Qt.Key.Key_Escape, False), ("verb", True)])
def test_the_harmless_answer_is_the_default(qtbot: QtBot, key: object, answer: bool) -> None:
    verbs: list[str] = []

    def answer_it() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QDialog)
        yes = find(dialog, QPushButton, "confirm_yes")
        assert isinstance(yes, QPushButton)
        verbs.append(yes.text())
        if isinstance(key, Qt.Key):
            QTest.keyClick(dialog, key)
        else:
            yes.click()

    QTimer.singleShot(50, answer_it)
    assert confirm(None, "Quarantine 3 vials?", LONG, "Quarantine 3 vials") is answer
    assert verbs == ["Quarantine 3 vials"]


@pytest.mark.parametrize("width", [640, 900, 1400])
def test_long_text_is_never_cut_in_a_scrolling_page(qtbot: QtBot, width: int) -> None:
    page = Page("Prepare", LONG, name="prepare_page")
    qtbot.addWidget(page)
    page.add(Banner("warn", LONG))
    card = Card("Findings", LONG)
    card.add(FindingList([Finding("R13", Severity.WARN, LONG, "8.1.2")]))
    card.add(KeyValues([("Reason", LONG)]))
    page.add(card)
    page.resize(width, 500)
    page.show()
    QApplication.processEvents()
    labels = [label for label in page.findChildren(Text) if label.isVisible() and label.wordWrap()]
    assert len(labels) >= 6
    for label in labels:
        assert label.height() >= label.heightForWidth(label.width()), label.text()
        right = label.mapTo(page, label.rect().bottomRight()).x()
        assert right <= page.width(), label.text()


def test_text_is_never_read_as_markup(qtbot: QtBot) -> None:
    text = Text("<b>1014</b>")
    qtbot.addWidget(text)
    assert text.textFormat() is Qt.TextFormat.PlainText


def test_buttons_carry_their_names(qtbot: QtBot) -> None:
    button = Button("&Save && close", name="save")
    qtbot.addWidget(button)
    assert (button.objectName(), button.accessibleName()) == ("save", "Save & close")
    assert plain("R&D && more") == "RD & more"
    state = EmptyState("No shipment is on its way", verb="&Announce")
    qtbot.addWidget(state)
    assert state.button is not None
    assert state.button.accessibleName() == "Announce"


def test_a_page_of_long_sentences_ends_where_they_end(qtbot: QtBot) -> None:
    """A wrapped sentence asks for the height of a narrow column; on a wide page that much would stay empty."""
    page = Page("Rules", name="rules_page")
    qtbot.addWidget(page)
    values = KeyValues([(f"Rule {at}", LONG) for at in range(12)])
    page.add(values)
    page.resize(1100, 300)
    page.show()
    QApplication.processEvents()
    inner = page.scroll_area.widget()
    assert inner is not None
    assert inner.height() == inner.heightForWidth(inner.width())
    assert values.height() == values.heightForWidth(values.width())
    page.scroll_area.verticalScrollBar().setValue(page.scroll_area.verticalScrollBar().maximum())
    end = values.mapTo(page.scroll_area.viewport(), values.rect().bottomLeft()).y()
    assert 0 < page.scroll_area.viewport().height() - end < 50


def test_parts_of_a_page_without_wrapped_words_scroll_instead_of_covering_one_another(qtbot: QtBot) -> None:
    page = Page("Ledger", name="ledger_page")
    qtbot.addWidget(page)
    above, beneath = QWidget(), QWidget()
    above.setMinimumHeight(400)
    beneath.setMinimumHeight(40)
    page.add(above, 1)
    page.add(beneath)
    page.resize(600, 300)
    page.show()
    qtbot.waitUntil(lambda: page.scroll_area.verticalScrollBar().maximum() > 0)
    assert above.geometry().bottom() < beneath.geometry().top()
