"""One script for all who work on the program: it sets up what is missing, then runs, tests or measures.

    python3 installer/dev.py run      the demonstration study: in a window, or with no display in the terminal
    python3 installer/dev.py test     every check and test; on PostgreSQL those of the services with their first case,
                                      with all cases when they are named: `test tests/services`
    python3 installer/dev.py check    format, lint, types and import contracts only
    python3 installer/dev.py bench    the measurements; on long ledgers: bench ledger, bench records, bench exports
    python3 installer/dev.py matrix   re-make docs/requirements.md from the rules' catalogue and the register of tests
    python3 installer/dev.py machine  random acts on a pharmacy against a model of it, 100,000 steps or as many as named
    python3 installer/dev.py mutate   change the domain in many small ways and see the tests notice
    python3 installer/dev.py printers labels through a printing service (CUPS) of the tests' own, on Linux
    python3 installer/dev.py torture  bytes turned over, power cuts and full disks, for hours; see docs/durability.md
    python3 installer/dev.py lock     re-make installer/requirements.lock from pyproject.toml
    python3 installer/dev.py clean    remove the virtual environment and all caches

Further arguments go to the program, to pytest, to the measurements, to the mutation or torture run, or to the resolver.

It uses the standard library alone, because on a bare system there is nothing else yet, not even pip. Set-up
is a virtual environment in `.venv` with the pinned packages, and on Linux the system libraries that Qt links
to. What is there already is found by looking, so an ordinary second run installs nothing and asks nothing.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OLDEST_PYTHON = (3, 11)
if sys.version_info < OLDEST_PYTHON:  # somebody will start this with the Python that is at hand
    sys.exit("This program needs Python 3.11 or newer. Start this script with a newer Python.")

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "installer" / "requirements.lock"
ON_WINDOWS = sys.platform == "win32"
ON_LINUX = sys.platform.startswith("linux")
VENV_PYTHON = VENV / ("Scripts/python.exe" if ON_WINDOWS else "bin/python")

MUTMUT = "mutmut==3.8.1"
"""The tool that changes the code. It is kept out of `.venv` and the lock: nobody needs it to run or to test."""
MUTATION = ROOT / ".mutation"
UV_FOR_LOCK = "uv==0.13.9"
"""The resolver that makes the lock: the one that resolves for all platforms at once. Nobody else needs it."""
HELD_BACK = ("PySide6-Essentials==6.11.3", "shiboken6==6.11.3")
"""Versions the lock holds although the project's own range would allow newer ones."""

QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libzstd.so.1": "libzstd1",
}
"""What Qt's core, widgets, network, xcb, wayland and offscreen files name as needed and the wheel does not
carry, with the Debian package of each. Newer systems renamed some; the old names lead there."""


class SetUpError(Exception):
    """Set-up cannot go on. The message says what to do."""


@dataclass(frozen=True)
class Need:
    """Something of the system: its name, the Debian package that brings it, and how to see it is there.

    ``settings`` is a file of the system and its content, which must be there before the package is installed.
    """

    name: str
    package: str
    is_there: Callable[[], bool]
    settings: tuple[str, str] | None = None


def _library(soname: str, package: str) -> Need:
    def is_there() -> bool:
        try:
            ctypes.CDLL(soname)  # asks the loader itself, so it also holds where there is no ldconfig
        except OSError:
            return False
        return True

    return Need(soname, package, is_there)


def _command(command: str, package: str) -> Need:
    return Need(command, package, lambda: shutil.which(command) is not None)


def _any_of(name: str, package: str, *patterns: str) -> Need:
    return Need(name, package, lambda: any(next(Path("/").glob(pattern), None) for pattern in patterns))


def _has_ensurepip() -> bool:
    importlib.invalidate_caches()
    return all(importlib.util.find_spec(module) for module in ("venv", "ensurepip"))


NEED_VENV = Need(
    "Python's venv and ensurepip",
    f"python{sys.version_info.major}.{sys.version_info.minor}-venv",
    _has_ensurepip,
)
NEEDS_OF_QT = (
    *(_library(soname, package) for soname, package in QT_LIBRARIES.items()),
    _any_of("a font", "fonts-dejavu-core", "usr/share/fonts/**/*.[to]tf", "usr/local/share/fonts/**/*.[to]tf"),
)
NEEDS_OF_WINDOW_TESTS = (
    _command("Xvfb", "xvfb"),
    _command("xauth", "xauth"),
    _command("xdotool", "xdotool"),
    # dbus-x11 is the session bus that does not bring the whole of systemd along.
    _command("dbus-run-session", "dbus-x11"),
    _any_of(
        "the accessibility bus",
        "at-spi2-core",
        "usr/lib*/at-spi-bus-launcher",
        "usr/lib*/*/at-spi-bus-launcher",
    ),
    _any_of("pyatspi", "python3-pyatspi", "usr/lib/python3*/*-packages/pyatspi"),
)
NEEDS_OF_SERVER_TESTS = (
    Need(
        "a PostgreSQL server, 15 or newer",
        "postgresql",
        lambda: any(
            int(program.parts[-3]) >= 15
            for program in Path("/usr/lib/postgresql").glob("*/bin/initdb")
            if program.parts[-3].isdigit()
        ),
        # The programs alone are wanted: the package would also make a cluster and start it as a service.
        settings=("/etc/postgresql-common/createcluster.d/none.conf", "create_main_cluster = false\n"),
    ),
)
NEEDS_OF_PRINTER_TESTS = (
    _library("libcups.so.2", "libcups2"),
    Need("cupsd", "cups-daemon", lambda: bool(shutil.which("cupsd") or Path("/usr/sbin/cupsd").exists())),
    _command("lp", "cups-client"),
    _any_of("the filter pdftopdf", "cups-filters-core-drivers", "usr/lib/cups/filter/pdftopdf"),
)


# --- small helpers


def say(text: str) -> None:
    print(text, flush=True)  # flushed, so that it stands before the output of the command it announces


def shown(command: Sequence[str | Path]) -> str:
    """The command as one could type it in the project's folder."""
    return shlex.join(str(part).removeprefix(f"{ROOT}{os.sep}") for part in command)


def call(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> int:
    """Run in the project's folder with this terminal, and give the exit code."""
    try:
        return subprocess.call([str(part) for part in command], cwd=ROOT, env={**os.environ, **(env or {})})
    except OSError as fault:
        say(f"{shown(command)} could not start: {fault}.")
        return 127


def must(command: Sequence[str | Path], otherwise: str, env: Mapping[str, str] | None = None) -> None:
    """Run, and stop with a sentence and the command when it fails."""
    if code := call(command, env):
        raise SetUpError(f"{otherwise}\nThe command that failed (exit code {code}): {shown(command)}")


def quietly(command: Sequence[str]) -> int:
    """Run and give the exit code; its many lines are shown only when it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        say(f"{done.stdout.strip()}\nThe command that failed (exit code {done.returncode}): {shown(command)}")
    return done.returncode


def has_display() -> bool:
    return not ON_LINUX or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


# --- system packages


def missing(needs: Sequence[Need]) -> list[Need]:
    return [need for need in needs if not need.is_there()] if ON_LINUX else []


def as_administrator() -> list[str] | None:
    """The words that make a command run as administrator without a question; None if there is no way."""
    if not hasattr(os, "geteuid"):
        return None
    if os.geteuid() == 0:
        return []
    asks_nothing = shutil.which("sudo") and not subprocess.call(
        ["sudo", "-n", "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return ["sudo", "-n"] if asks_nothing else None


def install(needs: Sequence[Need]) -> list[Need]:
    """Install the packages of what is missing, where that is allowed; give back what is missing still."""
    lacking = missing(needs)
    administrator = as_administrator() if lacking and shutil.which("apt-get") else None
    if administrator is None:
        return lacking
    packages = sorted({need.package for need in lacking})
    say(f"Installing system packages, which can take some minutes: {' '.join(packages)}")
    apt = [*administrator, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    if quietly([*apt, "update"]):
        say("The list of packages could not be refreshed; trying with the one that is there.")
    for need in lacking:
        if need.settings:
            put_file(administrator, *need.settings)
    if quietly([*apt, "install", "-y", "--no-install-recommends", *packages]):
        raise SetUpError(
            f"The system packages could not be installed. Mend what the lines above say, or do it by hand.\n"
            f"{by_hand(lacking)}"
        )
    return missing(lacking)


def put_file(administrator: Sequence[str], path: str, content: str) -> None:
    """Write a small file of the system as its administrator."""
    script = 'mkdir -p "$(dirname "$1")" && printf %s "$2" > "$1"'
    if quietly([*administrator, "sh", "-c", script, "sh", path, content]):
        raise SetUpError(f"The file {path} could not be written. Mend what the lines above say.")


def by_hand(needs: Sequence[Need]) -> str:
    """What a person has to do about needs that could not be installed from here."""
    if not shutil.which("apt-get"):
        names = ", ".join(need.name for need in needs)
        return f"Install these with your system's package manager, then start again: {names}."
    packages = " ".join(sorted({need.package for need in needs}))
    get = f"apt-get install --no-install-recommends {packages}"
    if shutil.which("sudo"):
        return f"Run this, then start again:\n\n    sudo apt-get update && sudo {get}\n"
    return f"Have this run as root, then start again:\n\n    apt-get update && {get}\n"


# --- the virtual environment


def venv_version() -> str | None:
    """Version and place of the environment's Python; None when there is no environment that works."""
    ask = "import sys, importlib.util as u; print(*sys.version_info[:3], sys.prefix, bool(u.find_spec('pip')))"
    try:
        answer = subprocess.run(
            [VENV_PYTHON, "-c", ask], capture_output=True, text=True, check=True, timeout=60
        ).stdout.strip()
        major, minor, *_ = answer.split()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return answer if answer.endswith("True") and (int(major), int(minor)) >= OLDEST_PYTHON else None


def set_up(required: Sequence[Need] = (), wanted: Sequence[Need] = ()) -> list[Need]:
    """Make everything ready to run; give back which of the wanted needs are missing.

    A required one that is missing raises SetUpError. All are looked for in one go, so that who has to install
    them is sent only once.
    """
    version = venv_version()
    stamp = VENV / "installed.txt"
    done = stamp.read_text(encoding="utf-8") if stamp.exists() else ""
    if done and not done.endswith(f"\n{ROOT}"):
        version = None  # the folder was moved or copied, and the commands in it still point at the old place
    required = [*required, *([] if version else [NEED_VENV])]
    lacking = install([*required, *wanted])
    if any(need in required for need in lacking):
        raise SetUpError(f"Some parts of the system are missing.\n{by_hand(lacking)}")
    # ensurepip is asked for again because only Linux looks at needs.
    if not version:
        if VENV.is_symlink():
            raise SetUpError(f".venv is a link to {VENV.resolve()}, and stays as it is. Remove the link.")
        if not _has_ensurepip():
            raise SetUpError("This Python has no ensurepip. Install Python from its makers, with pip, and start again.")
        say("Making the virtual environment in .venv")
        must([sys.executable, "-m", "venv", "--clear", VENV], "The virtual environment could not be made.")
        version, done = venv_version(), ""
    if not version:
        raise SetUpError("The virtual environment in .venv does not work. Remove that folder and start again.")

    wish = "\n".join([hashlib.sha256(LOCK.read_bytes()).hexdigest(), version, str(ROOT)])
    if done != wish:
        stamp.unlink(missing_ok=True)  # a run that is broken off here must not look finished
        say("Installing the pinned packages into .venv (about 150 MB to fetch the first time)")
        pip = (VENV_PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-input")
        must(
            [*pip, "--require-hashes", "-r", LOCK],
            "The pinned packages could not be installed. Is there a network? Look at the lines above.",
        )
        put_on_path()
        stamp.write_text(wish, encoding="utf-8")
    return lacking


def put_on_path() -> None:
    """Let the environment's Python find the project where it stands, and add the command `pharmacy-app`.

    A path file does what an editable install would, without a build backend that would have to be fetched.
    """
    purelib = subprocess.run(
        [VENV_PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    # Python reads path files in the encoding of the locale up to 3.12, and still may from 3.13 on.
    (Path(purelib) / "pharmacy_app_project.pth").write_text(f"{ROOT}\n", encoding="locale")
    if ON_WINDOWS:
        starter = VENV_PYTHON.with_name("pharmacy-app.cmd")
        starter.write_text(f'@"{VENV_PYTHON}" -m pharmacy_app %*\n', encoding="locale")
    else:
        starter = VENV_PYTHON.with_name("pharmacy-app")
        starter.write_text(f'#!/bin/sh\nexec {shlex.quote(str(VENV_PYTHON))} -m pharmacy_app "$@"\n', encoding="utf-8")
        starter.chmod(0o755)


# --- running checks


@dataclass(frozen=True)
class Step:
    """One check: its name in the closing table, its command, and what it adds to the environment."""

    name: str
    command: tuple[str | Path, ...]
    env: Mapping[str, str] | None = None


def module(name: str, *arguments: str) -> tuple[str | Path, ...]:
    return (VENV_PYTHON, "-m", name, *arguments)


CHECKS = (
    Step("ruff check", module("ruff", "check", ".")),
    Step("ruff format", module("ruff", "format", "--check", ".")),
    Step("mypy", module("mypy")),
    Step("import contracts", (VENV_PYTHON.with_name("lint-imports"), "--no-logo", "--no-cache")),
)
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}
PYTEST_FOUND_NO_TEST = 5


SERVER_TESTS = ("tests/db", "tests/services", "tests/scenarios", "tests/properties")
"""The tests that run on PostgreSQL too. They start a server of their own and stop it."""


PRINTER_TESTS = "tests/ui/test_cups.py"
"""The tests that start a printing service of their own. They are left out where it is not installed."""


def test_steps(extra: Sequence[str], *, with_window: bool, with_server: bool) -> list[Step]:
    """The tests: the many at once without a screen, those of the database on a server, those in a real window."""
    if "-m" in extra:  # whoever names markers has chosen the tests
        return [Step("tests", module("pytest", *extra), OFFSCREEN)]
    steps = [Step("tests", module("pytest", "-m", "not window", "-n", "2", *extra), OFFSCREEN)]
    named = [argument for argument in extra if (ROOT / argument.split("::")[0]).exists()]
    chosen = [argument for argument in named if argument.startswith(SERVER_TESTS)] if named else SERVER_TESTS
    if with_server and chosen:
        more = [argument for argument in extra if argument not in named] if extra else ["--first-cases"]
        command = module("pytest", "--database", "postgresql", "-m", "not window", "-n", "2", *more, *chosen)
        steps.append(Step("tests on PostgreSQL", command, OFFSCREEN))
    if with_window:
        steps.append(Step("tests in a real window", module("pytest", "-m", "window", *extra), OFFSCREEN))
    return steps


def run_all(steps: Sequence[Step], *, some_may_be_empty: bool = False) -> int:
    """Run every step whatever the others did, close with a table, and give 0 only if all passed."""
    rows: list[tuple[str, float, Step]] = []
    for step in steps:
        say(f"\n== {step.name}: {shown(step.command)}")
        began = time.monotonic()
        code = call(step.command, step.env)
        no_test = some_may_be_empty and code == PYTEST_FOUND_NO_TEST
        outcome = "no test" if no_test else "FAILED" if code else "passed"
        rows.append((outcome, time.monotonic() - began, step))
    say("\n== In short")
    for outcome, seconds, step in rows:
        again = f"   {shown(step.command)}" if outcome == "FAILED" else ""
        say(f"  {outcome:8}{seconds:7.1f} s  {step.name:24}{again}".rstrip())
    outcomes = [outcome for outcome, _, step in rows]
    nothing_ran = "no test" in outcomes and not any(
        outcome == "passed" for outcome, _, step in rows if "pytest" in step.command
    )
    if nothing_ran:
        say("No test was chosen by these arguments.")
    return 1 if "FAILED" in outcomes or nothing_ran else 0


# --- the commands


def command_run(extra: list[str]) -> int:
    """Open the demonstration study, or go through the same day in the terminal when there is no display."""
    headless = "--headless" in extra or not has_display()
    if headless:
        # Without a window the day needs no Qt, so missing libraries are only told.
        if lacking := set_up(wanted=NEEDS_OF_QT):
            say(f"No window can open on this system yet. {by_hand(lacking)}\nGoing on without a window.")
        extra = ["--headless", *(argument for argument in extra if argument != "--headless")]
    else:
        set_up(required=NEEDS_OF_QT)
    return call(module("pharmacy_app", "demo", *extra))


def command_test(extra: list[str]) -> int:
    """Run every check and every test; further arguments go to pytest."""
    musts: list[Need] = []
    wishes: list[Need] = []
    for needs, variable in (
        (NEEDS_OF_WINDOW_TESTS, "REQUIRE_WINDOW"),
        (NEEDS_OF_SERVER_TESTS, "REQUIRE_POSTGRESQL"),
        (NEEDS_OF_PRINTER_TESTS, "REQUIRE_PRINTERS"),
    ):
        (musts if os.environ.get(variable) == "1" else wishes).extend(needs)
    lacking = set_up(required=[*NEEDS_OF_QT, *musts], wanted=wishes)

    def runs(needs: Sequence[Need]) -> bool:
        return ON_LINUX and not any(need in lacking for need in needs)

    with_window, with_server = runs(NEEDS_OF_WINDOW_TESTS), runs(NEEDS_OF_SERVER_TESTS)
    with_printers = runs(NEEDS_OF_PRINTER_TESTS)
    steps = [*CHECKS, *test_steps(extra, with_window=with_window, with_server=with_server)]
    code = run_all(steps, some_may_be_empty=bool(extra))
    for what, ran, needs in (
        ("The tests in a real window", with_window, NEEDS_OF_WINDOW_TESTS),
        ("The tests on PostgreSQL", with_server, NEEDS_OF_SERVER_TESTS),
        ("The tests of the system's printers", with_printers, NEEDS_OF_PRINTER_TESTS),
    ):
        if not ran:
            said = by_hand([need for need in needs if need in lacking]) if ON_LINUX else "They need Linux."
            say(f"{what} were left out: parts of the system are missing. {said}")
    return code


def command_check(_extra: list[str]) -> int:
    """Run the checks that run no code of ours."""
    set_up()
    return run_all(CHECKS)


def command_bench(extra: list[str]) -> int:
    """Run the measurements."""
    set_up(required=NEEDS_OF_QT)
    return call(module("tests.benchmarks.run", *extra), {} if has_display() else OFFSCREEN)


def command_matrix(_extra: list[str]) -> int:
    """Re-make the readable matrix of requirements and their tests."""
    set_up()
    return call(module("tests.trace.register"))


def command_mutate(extra: list[str]) -> int:
    """Change the domain in many small ways and see the tests notice; further arguments are modules."""
    if ON_WINDOWS:
        raise SetUpError("The tool that changes the code forks its process, which Windows cannot. Run it on Linux.")
    set_up()
    wish = f"{MUTMUT} for {venv_version()}"
    stamp = MUTATION / "installed.txt"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wish:
        say(f"Installing {MUTMUT} into .mutation")
        library = MUTATION / "library"
        shutil.rmtree(library, ignore_errors=True)
        pip = (VENV_PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-input")
        must([*pip, "--target", library, MUTMUT], "The tool that changes the code is not to be had.")
        stamp.write_text(wish, encoding="utf-8")
    return call(module("tests.mutation.run", *extra))


def command_machine(extra: list[str]) -> int:
    """Let the machine of `tests/properties` run long, with new acts each time; further arguments go to pytest."""
    set_up()
    steps, more = (extra[0], extra[1:]) if extra and extra[0].isdigit() else ("100000", extra)
    seed = os.environ.get("MACHINE_SEED") or str(time.time_ns() % 10**9)
    say(f"{int(steps):,} steps. The same acts once more: MACHINE_SEED={seed} python3 installer/dev.py machine {steps}")
    machine = module("pytest", "tests/properties/test_pharmacy_machine.py", "-n", "2", "--timeout", "0", *more)
    return call(machine, {**OFFSCREEN, "MACHINE_STEPS": steps, "MACHINE_SEED": seed})


def command_printers(extra: list[str]) -> int:
    """Print labels through a printing service of the tests' own; further arguments go to pytest."""
    if not ON_LINUX:
        raise SetUpError("The printing service is CUPS as Linux has it. Run it there.")
    set_up(required=[*NEEDS_OF_QT, *NEEDS_OF_PRINTER_TESTS])
    return call(module("pytest", PRINTER_TESTS, *extra), OFFSCREEN)


def command_torture(extra: list[str]) -> int:
    """Do the database harm in every way there is and see nothing lost; further arguments choose what."""
    if not ON_LINUX:
        raise SetUpError("The power cuts and full disks are made with what Linux has. Run it there.")
    lacking = set_up(required=NEEDS_OF_QT, wanted=NEEDS_OF_SERVER_TESTS)
    if lacking:
        say(f"Without a PostgreSQL server that part ends with an error. {by_hand(lacking)}")
    return call(module("tests.torture.run", *extra), OFFSCREEN)


def command_lock(extra: list[str]) -> int:
    """Re-make the lock; versions stay as they are unless `--upgrade` is added."""
    if lacking := install([NEED_VENV]):
        raise SetUpError(by_hand(lacking))
    # The lock must be the same wherever it is made, so a machine's own settings stay out.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    with tempfile.TemporaryDirectory() as folder:
        tools = Path(folder)
        must([sys.executable, "-m", "venv", tools], "The resolver's environment could not be made.")
        bin_folder = tools / ("Scripts" if ON_WINDOWS else "bin")
        must(
            [bin_folder / "python", "-m", "pip", "--quiet", "install", UV_FOR_LOCK],
            "The resolver is not to be had.",
        )
        held = tools / "held.txt"
        held.write_text("\n".join(HELD_BACK), encoding="utf-8")
        made = tools / "requirements.lock"
        if LOCK.exists():
            shutil.copy(LOCK, made)
        resolve: list[str | Path] = [
            bin_folder / "uv",
            "pip",
            "compile",
            "--no-config",
            "--quiet",
            "--universal",
            "--generate-hashes",
        ]
        resolve += ["--python-version", "3.11", "--no-annotate", "--no-header", "--no-emit-index-url"]
        resolve += ["--extra", "dev", "--constraint", held, "--output-file", made, *extra, "pyproject.toml"]
        if code := subprocess.call([str(part) for part in resolve], cwd=ROOT, env=env):
            raise SetUpError(f"The versions could not be resolved (exit code {code}): {shown(resolve)}")
        text = made.read_text(encoding="utf-8")
    if "://" in text or " @ " in text or "--index" in text or "--find" in text:
        raise SetUpError("The resolver wrote an address into the lock, so it was left as it was.")
    head = "# Made by `python3 installer/dev.py lock`; change pyproject.toml, not this file.\n"
    LOCK.write_text(head + text.removeprefix(head), encoding="utf-8", newline="\n")
    say(f"{shown([LOCK])} is made.")
    return 0


def command_clean(_extra: list[str]) -> int:
    """Remove the virtual environment and all caches."""
    caches = [
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".hypothesis",
        ".import_linter_cache",
        ".mutation",
        "build",
        "dist",
    ]
    for path in [VENV, *(ROOT / name for name in caches)]:
        shutil.rmtree(path, ignore_errors=True)
    for path in list(ROOT.rglob("__pycache__")):
        shutil.rmtree(path, ignore_errors=True)
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": command_run,
    "test": command_test,
    "check": command_check,
    "bench": command_bench,
    "matrix": command_matrix,
    "mutate": command_mutate,
    "printers": command_printers,
    "torture": command_torture,
    "machine": command_machine,
    "lock": command_lock,
    "clean": command_clean,
}


def main(arguments: list[str]) -> int:
    """Carry out one command and give the exit code: 130 for Ctrl-C, 1 for anything that failed."""
    if not arguments or arguments[0] not in COMMANDS:
        say(__doc__ or "")
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except SetUpError as fault:
        say(f"\n{fault}")
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
