"""A person at the *Prepare* page: what they press, type and see, and the usual acts before it.

Use it by ``from tests.ui.prepare_desk import *`` beside the office's fixtures: ``at`` gives somebody at the page.
"""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTableView,
)
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import PASSWORD, DemoDay, meet_criteria
from pharmacy_app.services.doses import DecideForm, OrderForm, record_decision
from pharmacy_app.services.doses import order as services_order
from pharmacy_app.services.ports import VialFilter
from pharmacy_app.services.preparation import ReserveForm, proposals, reserve
from pharmacy_app.services.views import DocumentLine, DoseThread
from tests.ui.find import find
from ui.office import Office
from ui.pages.prepare import PreparePage, make_page
from ui.pages.prepare_step import CRITERIA, FINISHED
from ui.widgets.fields import Field
from ui.widgets.panels import Banner

__all__ = [
    "Desk",
    "at",
    "close_papers",
    "dialog",
    "documents",
    "is_open",
    "lab",
    "meet",
    "order",
    "ordered",
    "planned",
    "print_labels",
    "units",
]

Idle = Callable[[Office], None]


class Desk:
    """One person at the page: what they press, type and see."""

    def __init__(self, qtbot: QtBot, office: Office, idle: Idle) -> None:
        self.office, self._idle, self._qtbot = office, idle, qtbot
        page = make_page(office)
        assert isinstance(page, PreparePage)
        self.page = page
        qtbot.addWidget(page)
        page.resize(1000, 900)
        page.show()
        office.changed.connect(page.refresh)
        page.refresh()
        self.wait()

    def wait(self) -> None:
        """Until nothing is under way."""
        self._idle(self.office)

    def button(self, name: str) -> QPushButton:
        """A button of the page."""
        return find(self.page, QPushButton, name)

    def press(self, name: str) -> None:
        """Press a button that can be pressed."""
        button = self.button(name)
        assert button.isVisible(), f"{name} is not to be seen"
        assert button.isEnabled(), f"{name} is held"
        button.click()
        self.wait()

    def field(self, name: str) -> Field:
        """A field of the page."""
        return find(self.page, Field, f"{name}_field")

    def put(self, **values: str) -> None:
        """Type into fields."""
        for name, value in values.items():
            self.field(name).set_value(value)
        self.wait()

    def scan(self, text: str, name: str = "unit_number") -> None:
        """Scan as a scanner does: fast keys, then Enter."""
        line = find(self.page, QLineEdit, name)
        line.setFocus()
        QTest.keyClicks(line, text)
        QTest.keyClick(line, Qt.Key.Key_Return)
        self.wait()

    def sign(self, box: str, user: str = "", password: str = PASSWORD) -> None:
        """Sign with a password (and a user name where it is not fixed)."""
        if user:
            find(self.page, QLineEdit, f"{box}_user").setText(user)
        find(self.page, QLineEdit, f"{box}_password").setText(password)
        self.press(f"{box}_sign")

    def open(self, dose_id: str) -> None:
        """Open a dose."""
        self.page.open_on(dose_id)
        self.wait()

    def current(self) -> int:
        """The step that is marked as current."""
        return next(
            (at for at in range(10) if self.button(f"prepare_steps_{at + 1}").property("state") == "current"), FINISHED
        )

    def banner(self, name: str) -> str:
        """A banner's sentence, '' while it is hidden."""
        banner = find(self.page, Banner, name)
        return banner.text() if banner.isVisible() else ""

    def words(self) -> str:
        """Every word and number to be seen on the page."""
        seen = [label.text() for label in self.page.findChildren(QLabel) if label.isVisible()]
        seen += [button.text() for button in self.page.findChildren(QPushButton) if button.isVisible()]
        return "\n".join(seen)

    def nameless(self) -> list[str]:
        """Controls to be seen that a screen reader or a test could not name."""
        kinds = (QPushButton, QLineEdit, QComboBox, QPlainTextEdit, QTableView)
        controls = [widget for kind in kinds for widget in self.page.findChildren(kind) if widget.isVisible()]
        assert len(controls) > 5
        return [repr(one) for one in controls if not one.objectName() or not one.accessibleName()]

    def thread(self, dose_id: str) -> DoseThread:
        """The dose as the store has it."""
        with self.office.desk.store.read() as reader:
            thread = reader.dose(dose_id)
        assert thread is not None
        return thread


@pytest.fixture
def at(qtbot: QtBot, idle: Idle) -> Callable[[Office], Desk]:
    """Somebody at the page."""
    return lambda office: Desk(qtbot, office, idle)


def dialog(name: str) -> QDialog:
    """The open dialog of that name."""
    return next(
        widget
        for widget in QApplication.topLevelWidgets()
        if isinstance(widget, QDialog) and widget.objectName() == name and widget.isVisible()
    )


def is_open(name: str) -> bool:
    """Whether a dialog of that name is open."""
    return any(
        widget.objectName() == name and widget.isVisible()
        for widget in QApplication.topLevelWidgets()
        if isinstance(widget, QDialog)
    )


def close_papers() -> int:
    """Close every paper on screen; says how many there were."""
    papers = [widget for widget in QApplication.topLevelWidgets() if widget.objectName() == "paper_dialog"]
    shown = [paper for paper in papers if paper.isVisible()]
    for paper in shown:
        paper.close()
    return len(shown)


def print_labels(desk: Desk) -> str:
    """Print the labels that are looked at; says what stood beneath them."""
    asked = dialog("print_labels_dialog")
    said = find(asked, QLabel, "print_labels_state").text()
    find(asked, QPushButton, "print_labels_do").click()
    desk.wait()
    return str(said)


def units(day: DemoDay, strength: str) -> list[str]:
    """Available unit numbers of one strength."""
    with day.desk.store.read() as reader:
        return [
            vial.unit_number
            for vial in reader.vials(
                VialFilter(state="available"), sort="unit_number", descending=False, offset=0, limit=99
            )
            if str(vial.strength_mg) == strength
        ]


def ordered(day: DemoDay, dose_day: int, prescribed: str) -> str:
    """An order of cycle 1 for 000-001 that is recorded already, its criteria met; returns the dose's number."""
    meet_criteria(day, "000-001", 1, dose_day)
    form = OrderForm("000-001", "Dr. Mira Castellan", day.day(), day.day(), "1", "1", str(dose_day), "0", prescribed)
    return str(services_order(day.desk, day.act("pharmacist"), form).content["dose_id"])


def planned(day: DemoDay, prescribed: str) -> str:
    """The same for day 1, decided and with its vials reserved by the pharmacist."""
    dose_id = ordered(day, 1, prescribed)
    record_decision(day.desk, day.act("pharmacist"), DecideForm(dose_id))
    with day.desk.store.read() as reader:
        best = proposals(day.desk, reader, dose_id).best
    assert best is not None
    chosen = tuple(draw.unit_number for draw in best.draws)
    reserve(day.desk, day.act("pharmacist"), ReserveForm(dose_id, chosen, chosen), day.sign("pharmacist"))
    return dose_id


def order(desk: Desk, prescribed: str = "1.46") -> str:
    """Order cycle 1 day 1 for 000-001 through the page; returns the dose's number."""
    desk.page.begin_order()
    desk.wait()
    assert not desk.nameless()
    desk.put(subject_number="000-001", prescriber="Dr. Mira Castellan")
    desk.press("order_fill_next")
    desk.put(prescribed_mg=prescribed)
    desk.press("order_record")
    assert desk.current() == CRITERIA
    assert not desk.nameless()
    meet(desk)
    with desk.office.desk.store.read() as reader:
        return reader.doses()[-1].dose_id


def meet(desk: Desk) -> None:
    """Answer the criteria of cycle 1 day 1 so that every one is met, through the page."""
    desk.put(
        toxicity_grade="0",
        liver_toxicity_suspected="no",
        labs_taken_on="2026-11-22",
        progression="no",
        consent_on="2026-11-13",
        screening_marrow_on="2026-11-14",
        screening_tests_on="2026-11-19",
    )
    for name, value, limit in (
        ("bilirubin", "0.7", "1.2"),
        ("ast", "28", "40"),
        ("alt", "31", "41"),
        ("creatinine_clearance", "88", ""),
        ("anc", "1.8", ""),
        ("platelets", "96", ""),
    ):
        lab(desk, name, value, limit)
    find(desk.page, QLineEdit, "bilirubin.unit").setText("mg/dL")
    desk.press("criteria_record")


def lab(desk: Desk, name: str, value: str, limit: str = "") -> None:
    """Type a laboratory value."""
    find(desk.page, QLineEdit, f"{name}.value").setText(value)
    if limit:
        find(desk.page, QLineEdit, f"{name}.upper_limit").setText(limit)


def documents(office: Office) -> list[DocumentLine]:
    """Every document that is kept."""
    with office.desk.store.read() as reader:
        return list(reader.documents())
