"""Shared fixtures: a pharmacy that was set up, copied fresh for each test."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pharmacy_app.services.desk import Session
from tests.services.pharmacy import Clock, Pharmacy, desk_at, open_pharmacy


@dataclass(frozen=True, slots=True)
class Template:
    """A closed database file and the sessions of its people, to copy from."""

    path: Path
    sessions: dict[str, Session]

    def copy_to(self, path: Path, clock: Clock | None = None) -> Pharmacy:
        """A pharmacy of its own on a copy of the file."""
        shutil.copyfile(self.path, path)
        clock = clock or Clock()
        return Pharmacy(desk_at(path, clock), clock, path, sessions=dict(self.sessions))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The set-up pharmacy that all copies start from."""
    path = tmp_path_factory.mktemp("template") / "study.sqlite"
    pharmacy = open_pharmacy(path)
    pharmacy.desk.store.close()
    assert [file.name for file in path.parent.iterdir()] == ["study.sqlite"], "the file is not closed for copying"
    return Template(path, pharmacy.sessions)


@pytest.fixture
def new_pharmacy(template: Template, tmp_path: Path) -> Iterator[Callable[[], Pharmacy]]:
    """Makes as many pharmacies as a test asks for; all are closed after it."""
    made: list[Pharmacy] = []

    def make() -> Pharmacy:
        made.append(template.copy_to(tmp_path / f"study-{len(made)}.sqlite"))
        return made[-1]

    yield make
    for pharmacy in made:
        pharmacy.desk.store.close()


@pytest.fixture
def pharmacy(new_pharmacy: Callable[[], Pharmacy]) -> Pharmacy:
    """A pharmacy with its people and settings, and nothing else."""
    return new_pharmacy()
