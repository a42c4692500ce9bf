"""The house rules that no linter knows, checked on every file that is or could be committed.

Forbidden words are put together from pieces here, so that this file does not contain them itself.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LARGEST_FILE_BYTES = 2 * 1024 * 1024
EXACT_ROOMS = ("pharmacy_app/domain/", "pharmacy_app/services/")

REGISTRY_HOSTS = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "deb." + "debian.org",
    "security." + "debian.org",
    "archive." + "ubuntu.com",
    "registry." + "npmjs.org",
    "npm" + "js.com",
]
MACHINE_PATHS = [
    r"(?<![\w.~-])/wo" + r"rk/",
    r"(?<![\w.~-])/ro" + r"ot/",
    r"/tmp/ba" + r"sh_jobs",
    r"/opt/py" + r"pi",
    r"(?<![\w.~-])/var/" + r"tmp/",
]
AUTHORSHIP = [
    r"co-authored" + r"-by",
    r"signed-off" + r"-by",
    r"generated (by|with) (a|an|the )?(ai\b|assistant|model|agent)",
    r"\bclau" + r"de\b",
    r"\banthro" + r"pic\b",
    r"\bchat" + r"gpt\b",
    r"\bopen" + r"ai\b",
    r"\bco" + r"pilot\b",
    r"\bissue #?\d",
    r"\bpull request #?\d",
]


@cache
def committed() -> tuple[Path, ...]:
    """All files that git tracks or would add; the rules hold before the commit, not only after it."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        return ()
    names = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    ).stdout.decode()
    return tuple(sorted(ROOT / name for name in set(names.split("\0")) if name and (ROOT / name).is_file()))


@pytest.fixture
def files() -> tuple[Path, ...]:
    if not (found := committed()):
        pytest.skip("The house rules are checked on what git tracks; here is no git or no clone.")
    return found


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str | None:
    """The text of a file; None for one that is no text (pictures, typefaces, PDFs)."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def places(files: tuple[Path, ...], pattern: str) -> list[str]:
    """Where a forbidden word stands, as 'file:line: the line', the way an editor can jump to it."""
    wanted = re.compile(pattern, re.IGNORECASE)
    return [
        f"{relative(path)}:{number}: {line.strip()[:100]}"
        for path in files
        for number, line in enumerate((text_of(path) or "").splitlines(), start=1)
        if wanted.search(line)
    ]


def modules(files: tuple[Path, ...], *rooms: str) -> Iterator[tuple[str, ast.Module]]:
    for path in files:
        name = relative(path)
        if path.suffix == ".py" and (not rooms or name.startswith(rooms)):
            yield name, ast.parse(text_of(path) or "", filename=name)


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_no_file_names_a_package_registry(files: tuple[Path, ...], host: str) -> None:
    assert not places(files, re.escape(host))


@pytest.mark.parametrize("path", MACHINE_PATHS)
def test_no_file_names_a_place_on_one_machine(files: tuple[Path, ...], path: str) -> None:
    assert not places(files, path)


@pytest.mark.parametrize("word", AUTHORSHIP)
def test_no_file_says_who_wrote_it_or_for_which_task(files: tuple[Path, ...], word: str) -> None:
    licence = ROOT / "LICENSE"  # its wording is not ours
    assert not places(tuple(path for path in files if path != licence), word)


def test_no_file_is_too_large_to_review(files: tuple[Path, ...]) -> None:
    assert not [relative(path) for path in files if path.stat().st_size > LARGEST_FILE_BYTES]


def test_there_is_one_lock_only(files: tuple[Path, ...]) -> None:
    others = {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml"}
    assert not [relative(path) for path in files if path.name in others]


def test_every_module_opens_with_what_it_is_for(files: tuple[Path, ...]) -> None:
    assert not [
        name
        for name, module in modules(files)
        if not ast.get_docstring(module) and not (name.endswith("__init__.py") and not module.body)
    ]


def test_no_fault_is_swallowed_unseen(files: tuple[Path, ...]) -> None:
    """A handler for everything that does nothing hides a defect of the program."""
    everything = {"Exception", "BaseException"}
    assert not [
        f"{name}:{node.lineno}"
        for name, module in modules(files)
        for node in ast.walk(module)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in everything))
        and all(
            isinstance(line, ast.Pass | ast.Continue)
            or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
            for line in node.body
        )
    ]


def test_no_widget_is_asked_for_its_neighbour_in_the_order_of_tab(files: tuple[Path, ...]) -> None:
    """In Python the neighbour becomes a child of the one that was asked: destroyed twice, it ends the program."""
    window = tuple(path for path in files if relative(path).startswith("ui/"))
    assert places(window, r"\.(next|previous)InFocusChain\(") == []


def test_no_binary_fraction_near_a_dose(files: tuple[Path, ...]) -> None:
    """In the rooms that reckon with mg, mL and kg a number comes from text or from whole numbers."""
    assert not [
        f"{name}:{node.lineno}"
        for name, module in modules(files, *EXACT_ROOMS)
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
    ]


def test_no_number_in_the_exact_rooms_is_written_as_a_binary_fraction(files: tuple[Path, ...]) -> None:
    for name, module in modules(files, *EXACT_ROOMS):
        no_quantities = {  # how alike two words are, in the hint after a typing fault
            keyword.value
            for node in ast.walk(module)
            if isinstance(node, ast.Call)
            for keyword in node.keywords
            if keyword.arg == "cutoff"
        }
        assert not [
            f"{name}:{node.lineno}: {node.value}"
            for node in ast.walk(module)
            if isinstance(node, ast.Constant) and isinstance(node.value, float) and node not in no_quantities
        ]


# --- the lock


def locked() -> dict[str, tuple[Requirement, list[str]]]:
    """Each pinned package of the lock with its hashes, by its canonical name."""
    text = (ROOT / "installer" / "requirements.lock").read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    entries = [(Requirement(line.split(" --hash=")[0]), re.findall(r"--hash=(\S+)", line)) for line in lines]
    return {canonicalize_name(requirement.name): (requirement, hashes) for requirement, hashes in entries}


def pinned_version(requirement: Requirement) -> Version:
    (pin,) = requirement.specifier
    return Version(pin.version)


def wanted() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(line) for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]]


def test_lock_pins_every_package_exactly_and_with_hashes() -> None:
    for name, (requirement, hashes) in locked().items():
        assert [pin.operator for pin in requirement.specifier] == ["=="], name
        assert hashes, name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), name


def test_lock_names_no_address_and_no_place() -> None:
    text = (ROOT / "installer" / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(--(?!hash=)|-[a-z])", text, re.MULTILINE)


def test_lock_holds_every_dependency_of_the_project_in_its_range() -> None:
    pins = locked()
    for requirement in wanted():
        pin, _hashes = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(pinned_version(pin)), f"{requirement} against {pin}"


def test_qt_is_a_version_that_runs_for_hours() -> None:
    """6.12.0 drops a reference to None with every Qt call that returns nothing, until Python 3.11 aborts."""
    pins = locked()
    qt, binding = (pinned_version(pins[name][0]) for name in ("pyside6-essentials", "shiboken6"))
    assert qt == binding
    assert qt != Version("6.12.0")


def test_lock_carries_what_windows_needs_besides() -> None:
    requirement, _hashes = locked()["colorama"]
    assert requirement.marker is None or requirement.marker.evaluate({"sys_platform": "win32"})
