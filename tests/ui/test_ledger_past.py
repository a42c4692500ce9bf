"""Ledger, 'At a past moment': asked for by keyboard, said in words, printed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay
from pharmacy_app.services.desk import Act
from pharmacy_app.services.ports import VialFilter
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from ui.office import Office
from ui.pages.ledger_past import PastView
from ui.paper import PaperDialog

Idle = Callable[[Office], None]


def press(button: QWidget) -> None:
    """Press it by keyboard."""
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)


def newest(view: PastView) -> str:
    """The move of the ledger's first line."""
    row = view.model.row_object(0)
    assert row is not None
    return str(row.word)


def keep(view: PastView, name: str) -> None:
    """Keep a picture when a folder for pictures is named."""
    folder = os.environ.get("PICTURES")
    if folder:
        view.grab().save(str(Path(folder) / f"{name}.png"))


@pytest.fixture
def late(day: DemoDay) -> str:
    """A day later a quarantine of the day before, 10:00, is recorded; returns the vial's number."""
    with day.desk.store.read() as reader:
        (vial, *_) = reader.vials(
            VialFilter(state="available"), sort="unit_number", descending=False, offset=0, limit=1
        )
    day.clock.forward(24 * 60)
    form = QuarantineForm(
        (vial.unit_number,), "found on the bench", "2026-11-22 10:00", "told at the handover this morning"
    )
    quarantine(day.desk, Act(day.sessions["pharmacist"]), form)
    return str(vial.unit_number)


@pytest.fixture
def view(qtbot: QtBot, office: Office) -> PastView:
    view = PastView(office)
    qtbot.addWidget(view)
    view.resize(1100, 760)
    view.show()
    return view


def ask(qtbot: QtBot, view: PastView, office: Office, idle: Idle, typed: str) -> None:
    view.at.set_value(typed)
    press(view.show_button)
    idle(office)


def test_what_was_entered_later_is_said_and_listed(
    qtbot: QtBot, late: str, view: PastView, office: Office, idle: Idle
) -> None:
    keep(view, "past-empty")
    ask(qtbot, view, office, idle, "2026-11-22T12:00")
    assert view.said.kind == "warn"
    assert "Available then: 12 of 1 mg, 4 of 4 mg." in view.said.text()
    assert "1 line entered later" in view.said.text()
    rows = [(row.state, row.known_then, row.known_now, row.difference) for row in view.stock.rows()]
    assert ("available", 12, 11, "−1") in rows
    assert ("quarantined", 0, 1, "+1") in rows
    (row,) = view.later.rows()
    assert row.why == "Late entry: told at the handover this morning"
    assert view.later_table.isVisible()
    keep(view, "past-late")
    assert "as known then" in view.ledger_heading.text()
    assert newest(view) == "RELEASE"
    view.known.set_value("now")
    idle(office)
    assert "as known now" in view.ledger_heading.text()
    assert newest(view) == "QUARANTINE"


def test_a_moment_with_nothing_later_is_the_same(
    qtbot: QtBot, view: PastView, office: Office, idle: Idle, day: DemoDay
) -> None:
    ask(qtbot, view, office, idle, "2026-11-22T00:00")
    assert view.said.kind == "ok"
    assert "No vial was available then" in view.said.text()
    assert not view.later_table.isVisible()
    keep(view, "past-nothing")


def test_a_moment_ahead_is_refused_beside_its_field(qtbot: QtBot, view: PastView, office: Office, idle: Idle) -> None:
    ask(qtbot, view, office, idle, "2027-01-01T00:00")
    assert "is in the future" in view.at.fault()
    assert not view.print_button.isEnabled()
    keep(view, "past-ahead")


def test_a_date_without_a_time_asks_for_it(qtbot: QtBot, view: PastView, office: Office, idle: Idle) -> None:
    ask(qtbot, view, office, idle, "2026-11-22")
    assert "needs a time" in view.at.fault()


def test_the_monitor_prints_it(
    qtbot: QtBot, office_as: Callable[[str], Office], late: str, idle: Idle, day: DemoDay
) -> None:
    office = office_as("monitor")
    view = PastView(office)
    qtbot.addWidget(view)
    view.show()
    ask(qtbot, view, office, idle, "2026-11-22T12:00")
    press(view.print_button)
    idle(office)
    dialog = view.findChild(PaperDialog)
    assert dialog is not None
    with day.desk.store.read() as reader:
        (printed,) = reader.printed(paper="record at a past moment")
    assert printed.about == "2026-11-22 18:00 UTC, known then"
    dialog.close()
