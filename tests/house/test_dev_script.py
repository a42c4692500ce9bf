"""The set-up script on systems that lack something: what it tells, and what it gives back as exit code."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "installer" / "dev.py"


@pytest.fixture(scope="module")
def dev() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


def commands_at_hand(monkeypatch: pytest.MonkeyPatch, dev: ModuleType, *names: str) -> None:
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/usr/bin/{name}" if name in names else None)


def test_it_needs_nothing_but_the_standard_library() -> None:
    imported = set()
    for node in ast.walk(ast.parse(SCRIPT.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported - {"__future__"} <= sys.stdlib_module_names


def test_with_sudo_that_asks_a_password_the_exact_command_is_told(
    monkeypatch: pytest.MonkeyPatch, dev: ModuleType
) -> None:
    commands_at_hand(monkeypatch, dev, "apt-get", "sudo")
    needs = [dev.Need("Xvfb", "xvfb", lambda: False), dev.Need("libEGL.so.1", "libegl1", lambda: False)]
    assert "    sudo apt-get update && sudo apt-get install --no-install-recommends libegl1 xvfb\n" in dev.by_hand(
        needs
    )


def test_without_sudo_the_command_is_for_root(monkeypatch: pytest.MonkeyPatch, dev: ModuleType) -> None:
    commands_at_hand(monkeypatch, dev, "apt-get")
    told = dev.by_hand([dev.Need("Xvfb", "xvfb", lambda: False)])
    assert "as root" in told
    assert "    apt-get update && apt-get install --no-install-recommends xvfb\n" in told


def test_without_apt_the_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch, dev: ModuleType) -> None:
    commands_at_hand(monkeypatch, dev)
    told = dev.by_hand([dev.Need("libEGL.so.1", "libegl1", lambda: False)])
    assert "libEGL.so.1" in told
    assert "apt-get" not in told


def test_a_library_that_does_not_exist_is_missing_and_the_c_library_is_not(dev: ModuleType) -> None:
    if not dev.ON_LINUX:
        pytest.skip("System libraries are looked for on Linux alone.")
    lacking = dev.missing([dev._library("libc.so.6", "libc6"), dev._library("libnosuch.so.9", "libnosuch9")])
    assert [need.package for need in lacking] == ["libnosuch9"]


def test_every_step_runs_and_one_failure_fails_all(dev: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    steps = [
        dev.Step("first", (sys.executable, "-c", "raise SystemExit(3)")),
        dev.Step("second", (sys.executable, "-c", "print('the second ran')")),
    ]
    assert dev.run_all(steps) == 1
    told = capfd.readouterr().out
    assert "the second ran" in told
    assert [line.split()[0] for line in told.splitlines()[-2:]] == ["FAILED", "passed"]
    assert dev.run_all(steps[1:]) == 0


def test_arguments_that_choose_no_test_at_all_are_a_failure(dev: ModuleType) -> None:
    nothing = dev.Step("tests", (sys.executable, "-c", "raise SystemExit(5)", "pytest"))
    some = dev.Step("window", (sys.executable, "-c", "", "pytest"))
    assert dev.run_all([nothing], some_may_be_empty=True) == 1
    assert dev.run_all([nothing, some], some_may_be_empty=True) == 0
    assert dev.run_all([nothing, some]) == 1


def test_an_unknown_word_shows_what_there_is(dev: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["tset"]) == 2
    assert "installer/dev.py test" in capsys.readouterr().out


def test_the_tool_that_changes_the_code_is_installed_once_and_apart(
    monkeypatch: pytest.MonkeyPatch, dev: ModuleType, tmp_path: Path
) -> None:
    """In a folder of its own: neither the virtual environment nor the lock knows it."""
    if dev.ON_WINDOWS:
        pytest.skip("The tool does not run on Windows.")
    installed: list[list[str]] = []
    started: list[list[str]] = []

    def must(command: list[object], otherwise: str) -> None:
        installed.append([str(part) for part in command])
        (tmp_path / "mutation" / "library").mkdir(parents=True)

    def call(command: list[object]) -> int:
        started.append([str(part) for part in command])
        return 0

    monkeypatch.setattr(dev, "MUTATION", tmp_path / "mutation")
    monkeypatch.setattr(dev, "set_up", list)
    monkeypatch.setattr(dev, "venv_version", lambda: "3 11 7")
    monkeypatch.setattr(dev, "must", must)
    monkeypatch.setattr(dev, "call", call)
    assert dev.main(["mutate", "units"]) == 0
    assert dev.main(["mutate"]) == 0
    (command,) = installed
    assert command[-3:] == ["--target", str(tmp_path / "mutation" / "library"), dev.MUTMUT]
    assert [command[-3:] for command in started] == [
        ["-m", "tests.mutation.run", "units"],
        [str(dev.VENV_PYTHON), "-m", "tests.mutation.run"],
    ]
    assert dev.MUTMUT.split("==")[0] not in dev.LOCK.read_text(encoding="utf-8")


def test_the_long_trials_are_a_command(monkeypatch: pytest.MonkeyPatch, dev: ModuleType) -> None:
    """Without a screen, and with what was named handed on."""
    started: list[tuple[list[str], dict[str, str]]] = []

    def call(command: list[object], env: dict[str, str]) -> int:
        started.append(([str(part) for part in command], env))
        return 1

    monkeypatch.setattr(dev, "set_up", lambda **_needs: [])
    monkeypatch.setattr(dev, "call", call)
    monkeypatch.setattr(dev, "ON_LINUX", True)
    assert dev.main(["torture", "values", "--every", "9"]) == 1
    ((command, env),) = started
    assert command[-5:] == ["-m", "tests.torture.run", "values", "--every", "9"]
    assert env == dev.OFFSCREEN


def test_another_folders_environment_behind_a_link_is_not_emptied(
    monkeypatch: pytest.MonkeyPatch, dev: ModuleType, tmp_path: Path
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    link = tmp_path / ".venv"
    link.symlink_to(others)
    monkeypatch.setattr(dev, "VENV", link)
    monkeypatch.setattr(dev, "VENV_PYTHON", link / "bin" / "python")
    monkeypatch.setattr(dev, "install", lambda _needs: [])
    monkeypatch.setattr(dev, "must", lambda *_command: pytest.fail("nothing is made behind a link"))
    with pytest.raises(dev.SetUpError, match=r"is a link to .*others"):
        dev.set_up()


def test_printing_through_the_system_is_a_command(monkeypatch: pytest.MonkeyPatch, dev: ModuleType) -> None:
    """What it takes is installed, and the tests start a printing service of their own."""
    required: list[object] = []
    started: list[list[str]] = []

    def set_up(**needs: list[object]) -> list[object]:
        required.extend(needs["required"])
        return []

    def call(command: list[object], env: dict[str, str]) -> int:
        started.append([str(part) for part in command])
        assert env == dev.OFFSCREEN
        return 0

    monkeypatch.setattr(dev, "set_up", set_up)
    monkeypatch.setattr(dev, "call", call)
    monkeypatch.setattr(dev, "ON_LINUX", True)
    assert dev.main(["printers", "-x"]) == 0
    packages = {need.package for need in required if isinstance(need, dev.Need)}
    assert {"libcups2", "cups-daemon", "cups-client", "cups-filters-core-drivers"} <= packages
    ((*_, tests, extra),) = started
    assert (tests, extra) == ("tests/ui/test_cups.py", "-x")
    assert (SCRIPT.parents[1] / tests).is_file()


def test_the_tests_of_the_database_run_on_a_server_too(dev: ModuleType) -> None:
    def commands(*extra: str, with_server: bool = True) -> list[str]:
        return [dev.shown(step.command) for step in dev.test_steps(extra, with_window=False, with_server=with_server)]

    everything = commands()
    assert len(everything) == 2
    chosen = "tests/db tests/services tests/scenarios tests/properties"
    assert everything[1].endswith(f"--database postgresql -m 'not window' -n 2 --first-cases {chosen}")
    assert len(commands(with_server=False)) == 1
    assert commands("-k", "vial")[1].endswith(f"-k vial {chosen}")
    assert commands("tests/db/test_tamper.py::test_x", "-x")[1].endswith("-n 2 -x tests/db/test_tamper.py::test_x")
    assert len(commands("tests/ui/test_app.py")) == 1
    assert len(commands("-m", "window")) == 1


def test_a_file_that_a_package_must_find_is_written_first(
    monkeypatch: pytest.MonkeyPatch, dev: ModuleType, tmp_path: Path
) -> None:
    """The package of the server would otherwise start a service."""
    settings = tmp_path / "folder with space" / "none.conf"
    done: list[str] = []
    really = dev.quietly

    def quietly(command: list[str]) -> int:
        done.append(command[0] if command[0] == "sh" else command[-1])
        return int(really(command)) if command[0] == "sh" else 0

    commands_at_hand(monkeypatch, dev, "apt-get")
    monkeypatch.setattr(dev, "as_administrator", list)
    monkeypatch.setattr(dev, "quietly", quietly)
    dev.install([dev.Need("a server", "postgresql", lambda: False, settings=(str(settings), "none = 'a b'\n"))])
    assert done == ["update", "sh", "postgresql"]
    assert settings.read_text() == "none = 'a b'\n"
