"""The demonstration's half year, made once for all who look at it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pharmacy_app.bootstrap import open_desk, url_of
from pharmacy_app.demo import DemoDay, MovableClock, ProvenOnce, make_demonstration
from pharmacy_app.services.desk import Session
from pharmacy_app.services.ports import Secrets

MADE_AT = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
"""15:00 at the site: the moment at which the demonstration ends."""


@dataclass(frozen=True, slots=True)
class Made:
    """The closed database of the demonstration, its papers, and the people who are signed in."""

    path: Path
    papers: dict[str, bytes]
    sessions: dict[str, Session]
    ended_at: datetime
    secrets: Secrets

    def opened(self, path: Path) -> DemoDay:
        """The people at a desk of their own on the database at ``path``, at the moment at which it ends."""
        clock = MovableClock(self.ended_at)
        desk = replace(open_desk(url_of(path), clock=clock), secrets=self.secrets)
        return DemoDay(desk, clock, dict(self.sessions), dict(self.papers))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The half year, made through the services as at the first start of the demonstration."""
    path = tmp_path_factory.mktemp("half-year") / "demonstration.sqlite"
    day = make_demonstration(path, today=MADE_AT)
    day.desk.store.close()
    return Made(path, dict(day.papers), dict(day.sessions), day.clock(), ProvenOnce(day.desk.secrets))


@pytest.fixture(scope="session")
def study(made: Made) -> Iterator[DemoDay]:
    """The study as it is, to look at."""
    day = made.opened(made.path)
    yield day
    day.desk.store.close()


@pytest.fixture
def own_study(made: Made, tmp_path: Path) -> Iterator[DemoDay]:
    """A copy of the study, to act on."""
    path = tmp_path / "demonstration.sqlite"
    shutil.copyfile(made.path, path)
    day = made.opened(path)
    yield day
    day.desk.store.close()
