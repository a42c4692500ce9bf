"""Shared fixtures: a pharmacy that was set up, copied fresh for each test, on the database chosen for the run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pharmacy_app.services.desk import Session
from tests.databases import CHOSEN, Server, url_at
from tests.services.pharmacy import Clock, Pharmacy, desk_at, open_pharmacy


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="what the tests keep their databases in; postgresql starts a server of their own",
    )
    parser.addoption(
        "--first-cases",
        action="store_true",
        help="run a test of the services with the first of its cases only: for the second database, where the rules"
        " that the cases tell apart are the same and only the questions to the database differ",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--database") == "postgresql":
        CHOSEN[0] = Server()


def pytest_unconfigure(config: pytest.Config) -> None:
    if isinstance(CHOSEN[0], Server):
        CHOSEN[0].stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have to say of themselves besides that they passed: how much of the random was tried."""
    for report in terminalreporter.getreports("passed"):
        for name, words in report.user_properties:
            if name == "says":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {words}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    other = {"sqlite": "postgresql_only", "postgresql": "sqlite_only"}[config.getoption("--database")]
    left_out = [item for item in items if item.get_closest_marker(other)]
    if config.getoption("--first-cases"):
        services = Path(__file__).parent / "services"
        seen: set[str] = set()
        for item in items:
            function = item.nodeid.partition("[")[0]
            if function in seen and services in item.path.parents:
                left_out.append(item)
            seen.add(function)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def _databases_end_with_the_test() -> Iterator[None]:
    """Databases of a test are removed after it; those of wider fixtures stay to the end of the run."""
    CHOSEN[0].mark()
    yield
    CHOSEN[0].forget()


@dataclass(frozen=True, slots=True)
class Template:
    """A closed database and the sessions of its people, to copy from."""

    path: Path
    sessions: dict[str, Session]

    def copy_to(self, path: Path, clock: Clock | None = None) -> Pharmacy:
        """A pharmacy of its own on a copy of the database."""
        CHOSEN[0].copy(self.path, path)
        clock = clock or Clock()
        return Pharmacy(desk_at(path, clock), clock, path, sessions=dict(self.sessions))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The set-up pharmacy that all copies start from."""
    path = tmp_path_factory.mktemp("template") / "study.sqlite"
    pharmacy = open_pharmacy(path)
    pharmacy.desk.store.close()
    return Template(path, pharmacy.sessions)


@pytest.fixture
def database(template: Template, tmp_path: Path) -> str:
    """The address of a closed database that was set up: the test's own copy."""
    path = tmp_path / "study.sqlite"
    CHOSEN[0].copy(template.path, path)
    return url_at(path)


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
