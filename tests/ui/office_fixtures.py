"""Pages are tested at a real desk: an Office on a SQLite database of the test's own, with people signed in.

Use them by ``from tests.ui.office_fixtures import *`` in a test module: ``office`` (the pharmacist's),
``office_as('monitor')``, ``day`` (the people, clock and desk, for ``pharmacy_app.demo``'s acts), ``idle`` (wait
until the database thread has nothing left to do). The study holds shipment SHP-1 (12 vials of 1 mg and 4 of 4 mg,
labelled and released) and subject 000-001 with a marrow of last week.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from db.store import SqlStore
from pharmacy_app.bootstrap import Argon2Secrets, create_desk, open_desk, url_of
from pharmacy_app.demo import DemoDay, MovableClock, enroll_subject, marrow, receive_shipment, set_up
from pharmacy_app.services.desk import Session
from pharmacy_app.services.packing_list import LotTyped
from ui.bridge import Bridge
from ui.messages import Message, MessageBridge
from ui.office import Office

__all__ = ["Said", "day", "idle", "office", "office_as", "said", "seeded"]

SECRETS = Argon2Secrets(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
"""09:00 at the site (America/Chicago)."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """The database every test gets a copy of, and the people who are signed in."""

    path: Path
    sessions: dict[str, Session]
    now: datetime


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    """A small study, made once."""
    path = tmp_path_factory.mktemp("study") / "study.sqlite"
    clock = MovableClock(NOW)
    desk = create_desk(url_of(path), clock=clock, secrets=SECRETS)
    made = set_up(desk, clock)
    receive_shipment(
        made, "SHP-1", (LotTyped("1", "INO1-A117", "2027-03", "12"), LotTyped("4", "INO4-B203", "2027-06-30", "4"))
    )
    enroll_subject(made, "000-001", "1974-03-09", "RTK", "171", "70")
    marrow(made, "000-001", "62", -8)
    assert isinstance(desk.store, SqlStore)
    desk.store.close()
    return Seeded(path, dict(made.sessions), clock())


@pytest.fixture
def day(seeded: Seeded, tmp_path: Path) -> Iterator[DemoDay]:
    """The people at a desk of the test's own, their clock standing at 09:xx on 22-Nov-2026."""
    path = tmp_path / "study.sqlite"
    for part in seeded.path.parent.glob(f"{seeded.path.name}*"):
        shutil.copy(part, path.with_name(path.name + part.name.removeprefix(seeded.path.name)))
    clock = MovableClock(seeded.now)
    desk = replace(open_desk(url_of(path), clock=clock), secrets=SECRETS)
    yield DemoDay(desk, clock, dict(seeded.sessions))
    assert isinstance(desk.store, SqlStore)
    desk.store.close()


class Said:
    """What the office told the person, in order."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def take(self, message: Message) -> None:
        """Keep a message."""
        self.messages.append(message)

    def texts(self) -> list[str]:
        """The sentences alone."""
        return [message.text for message in self.messages]


@pytest.fixture
def said() -> Said:
    """The messages of every office of this test."""
    return Said()


@pytest.fixture
def office_as(qapp: object, day: DemoDay, said: Said) -> Iterator[Callable[[str], Office]]:
    """An office of one of the people: admin, pharmacist, checker, technician or monitor."""
    with day.desk.store.read() as reader:
        site = reader.site()
    assert site is not None
    root, bridge, messages = QObject(), Bridge(), MessageBridge()
    messages.attach(said.take)
    reports: list[str] = []
    bridge.crashed.connect(reports.append)
    yield lambda who: Office(day.desk, site, day.sessions[who], bridge, messages, root)
    bridge.close()
    assert not reports, reports[0]


@pytest.fixture
def office(office_as: Callable[[str], Office]) -> Office:
    """The pharmacist's office."""
    return office_as("pharmacist")


@pytest.fixture
def idle(qtbot: QtBot) -> Callable[[Office], None]:
    """Wait until the database thread has done everything asked for, and the page has heard of it."""

    def wait(office: Office) -> None:
        def quiet() -> bool:
            # A table asks for its rows one turn of the event loop later.
            qtbot.wait(5)
            return not office.bridge.busy

        qtbot.waitUntil(quiet, timeout=10_000)
        qtbot.waitUntil(quiet, timeout=10_000)

    return wait
