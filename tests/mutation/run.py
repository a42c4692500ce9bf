"""Mutation testing of the domain: each operator, number and condition is changed once, and a test has to fail.

    python3 installer/dev.py mutate                     every module of modules.toml
    python3 installer/dev.py mutate rules/dates units   these alone
    python3 installer/dev.py mutate --children 4        with so many changes tried at the same time

A change that no test notices survives. It is either a gap in the tests, or it changes nothing that counts; why it
does not is written in survivors.toml. The command gives 1 when a module is under the least share that has to be
caught, when a survivor is not explained, or when a module could not be measured. The figures of the last run of
every module are kept in results.json and shown in docs/mutation.md.

All happens in a copy in a temporary folder, so that a change can never be left behind in the program.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LIBRARY = ROOT / ".mutation" / "library"
RESULTS = HERE / "results.json"
DOCUMENT = ROOT / "docs" / "mutation.md"
LEAST_PERCENT = 95

KILLED = frozenset({1, 3})
TIMED_OUT = frozenset({24, -24, 36, 152, 255, -9})
"""Exit codes of a run of tests: 1 and 3 for tests that failed, the others for a change that never came to an end."""

PYTEST_INI = "[pytest]\naddopts =\n"
CONFTEST = '''"""Few examples, always the same, so that two runs of the same code give the same figures."""

from hypothesis import settings

settings.register_profile("mutation", max_examples=10, derandomize=True, database=None, deadline=None)
settings.load_profile("mutation")
'''
MEASURING = "planned_at_once"
"""A test that measures time says nothing while changes are tried side by side on a machine with other work."""
START = "import sys; sys.path.append(sys.argv.pop(1)); from mutmut.__main__ import cli; cli()"
"""The library's folder goes last on the path: the project's own packages are the ones that are tested."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A change that no test noticed: the function, its line as it is, and as it was changed to."""

    function: str
    was: str
    became: str

    @property
    def words(self) -> str:
        """The change in one line, as survivors.toml names it."""
        return f"{self.function}: {self.was} -> {self.became}"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one module: how many changes, how they ended, and those that survived."""

    module: str
    changes: int
    killed: int
    timed_out: int
    survivors: tuple[Survivor, ...]

    @property
    def percent(self) -> float:
        """Share of the changes that a test noticed; a change that never ends is noticed by its time."""
        return 100 * (self.killed + self.timed_out) / self.changes if self.changes else 100.0


class NotMeasuredError(Exception):
    """A module could not be measured. The message holds what the tests or the tool said."""


# --- measuring one module


def measure(module: str, tests: Sequence[str], sentences: Sequence[str], children: int) -> Result:
    """Change the module in a copy of the program, line by line, and run its tests against every change."""
    source = Path("pharmacy_app/domain") / f"{module}.py"
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        tree = Path(folder)
        _copy_to(tree, source, tests, sentences)
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-c", START, str(LIBRARY), "run", "--max-children", str(children)],
            cwd=tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        changed = tree / "mutants" / source
        if not changed.with_name(f"{source.name}.meta").exists():
            raise NotMeasuredError(_last_lines(done))
        exit_codes: dict[str, int | None] = json.loads(
            changed.with_name(f"{source.name}.meta").read_text(encoding="utf-8")
        )["exit_code_by_key"]
        if exit_codes and (done.returncode or None in exit_codes.values()):
            raise NotMeasuredError(_last_lines(done))
        code = changed.read_text(encoding="utf-8")
    survived = [name for name, end in exit_codes.items() if end not in KILLED | TIMED_OUT]
    return Result(
        module,
        len(exit_codes),
        sum(end in KILLED for end in exit_codes.values()),
        sum(end in TIMED_OUT for end in exit_codes.values()),
        tuple(survivors_in(code, survived)),
    )


def _copy_to(tree: Path, source: Path, tests: Sequence[str], sentences: Sequence[str]) -> None:
    no_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "pharmacy_app", tree / "pharmacy_app", ignore=no_caches)
    for part in ("domain", "data", "trace"):
        shutil.copytree(ROOT / "tests" / part, tree / "tests" / part, ignore=no_caches)
    shutil.copy(ROOT / "tests" / "__init__.py", tree / "tests" / "__init__.py")
    (tree / "tests" / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tree / "mutation.ini").write_text(PYTEST_INI, encoding="utf-8")
    settings = {
        "source_paths": ["pharmacy_app/domain"],
        "only_mutate": [source.as_posix()],
        "also_copy": ["pharmacy_app", "tests", "mutation.ini"],
        "pytest_add_cli_args_test_selection": [path_of(test) for test in tests],
        "pytest_add_cli_args": [
            *("-c", "mutation.ini", "-q", "-p", "no:cacheprovider", "-p", "no:pytest-qt"),
            *("-k", f"not {MEASURING}"),
        ],
        "do_not_mutate_patterns": list(sentences),
        "track_dependencies": False,
        "use_git_change_detection": False,
        "use_setproctitle": False,
        "timeout_multiplier": 10.0,
    }
    # A value written as JSON is read as the same value in TOML, for texts, numbers, booleans and lists.
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    (tree / "pyproject.toml").write_text("\n".join(["[tool.mutmut]", *lines, ""]), encoding="utf-8")


def path_of(test: str) -> str:
    """A test as modules.toml names it, by its path: in tests/domain, unless a folder is named."""
    return f"tests/{test if '/' in test else f'domain/{test}'}.py"


def _last_lines(done: subprocess.CompletedProcess[str]) -> str:
    said = f"{done.stdout}\n{done.stderr}".replace("\r", "\n").splitlines()
    at_work = ("Generating mutants", "Running stats", "Running clean tests", "Running forced fail test")
    return "\n".join(line for line in said if line.strip() and not line.endswith(at_work))[-3000:]


def survivors_in(code: str, names: Iterable[str]) -> list[Survivor]:
    """The changed lines of the survivors, read from the module that holds every function beside its changed copies."""
    lines = code.splitlines()
    spans = {
        node.name: (node.lineno, node.end_lineno)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef)
    }

    def body(name: str) -> list[str]:
        first, last = spans[name]
        return [line.strip().replace(name, "") for line in lines[first - 1 : last]]

    found = []
    for name in names:
        changed = name.rpartition(".")[2]
        original = changed.partition("__mutmut_")[0]
        was, became = _difference(body(f"{original}__mutmut_orig"), body(changed))
        function = original.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
        found.append(Survivor(function, was, became))
    return found


def _difference(was: Sequence[str], became: Sequence[str]) -> tuple[str, str]:
    removed, added = [], []
    for line in difflib.ndiff(was, became):
        if line.startswith("- "):
            removed.append(line[2:])
        elif line.startswith("+ "):
            added.append(line[2:])
    return " ".join(removed), " ".join(added) or "(gone)"


# --- what is known of survivors


@dataclass(frozen=True, slots=True)
class Explained:
    """Why changes of one module may survive: each as ``function: line -> changed line``."""

    module: str
    why: str
    changes: tuple[str, ...]


def explanations() -> tuple[Explained, ...]:
    """What survivors.toml says."""
    rows = tomllib.loads((HERE / "survivors.toml").read_text(encoding="utf-8")).get("explained", [])
    return tuple(Explained(row["module"], row["why"], tuple(row["changes"])) for row in rows)


def why_of(result: Result, survivor: Survivor, explained: Iterable[Explained]) -> str:
    """Why a survivor is no gap, or '' when nobody has said."""
    return next(
        (each.why for each in explained if each.module == result.module and survivor.words in each.changes),
        "",
    )


def outdated(results: Iterable[Result], explained: Iterable[Explained]) -> list[str]:
    """Explanations of changes that are caught by now or do not exist any more."""
    alive = {result.module: {survivor.words for survivor in result.survivors} for result in results}
    return [
        f"{each.module}: {change}"
        for each in explained
        for change in each.changes
        if each.module in alive and change not in alive[each.module]
    ]


# --- telling it


def table(results: Iterable[Result]) -> list[str]:
    """The figures of the modules, one line each, and their sum, as a table of Markdown."""
    rows = list(results)
    if len(rows) > 1:
        total = Result(
            "**all**",
            sum(row.changes for row in rows),
            sum(row.killed for row in rows),
            sum(row.timed_out for row in rows),
            tuple(survivor for row in rows for survivor in row.survivors),
        )
        rows.append(total)
    return [
        "| module | changes | caught | timed out | survived | caught of all |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {row.module} | {row.changes} | {row.killed} | {row.timed_out} | {len(row.survivors)} | "
            f"{row.percent:.1f} % |"
            for row in rows
        ),
    ]


def document(results: Sequence[Result], modules: Iterable[str], explained: Sequence[Explained]) -> str:
    """The text of docs/mutation.md."""
    measured = {result.module: result for result in results}
    left_out = [module for module in modules if module not in measured]
    lines = [
        "# Mutation testing of the domain",
        "",
        "Made by `python3 installer/dev.py mutate`: change the tests or `tests/mutation/survivors.toml`, not this.",
        "",
        "Each number, operator, condition, argument and value in the functions of `pharmacy_app/domain` is changed",
        "once, in a copy, and the tests of that module are run. *Caught* is a change that makes a test fail, *timed",
        "out* one that never comes to an end, *survived* one that no test notices. At least "
        f"{LEAST_PERCENT} % of a module's",
        "changes have to be caught, and every survivor has its explanation below.",
        "",
        "Not changed are the wording of sentences and the numbers repeated beside them, lines of `assert`, the",
        "properties and cached functions (the tool leaves decorated functions alone), and tables outside functions,",
        "such as the catalogue of rules and the authority of roles, which have tests of their own.",
        "",
        *table(results),
        "",
    ]
    if left_out:
        lines += [f"Not measured: {', '.join(left_out)}.", ""]
    lines += ["## Survivors", ""]
    for result in results:
        if not result.survivors:
            continue
        lines += [f"### {result.module}", ""]
        by_why: dict[str, Counter[str]] = {}
        for survivor in result.survivors:
            why = why_of(result, survivor, explained) or "**Not explained.**"
            by_why.setdefault(why, Counter())[survivor.words] += 1
        for why, changes in by_why.items():
            lines += [why, ""]
            lines += [
                f"- {_as_code(words)}{f' ({count} places)' if count > 1 else ''}" for words, count in changes.items()
            ]
            lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def _as_code(words: str) -> str:
    fence = "``" if "`" in words else "`"
    return f"{fence}{words}{fence}"


def load_results() -> dict[str, Result]:
    """The figures kept from the last run of each module."""
    if not RESULTS.exists():
        return {}
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {
        row["module"]: Result(
            row["module"],
            row["changes"],
            row["killed"],
            row["timed_out"],
            tuple(Survivor(**survivor) for survivor in row["survivors"]),
        )
        for row in rows
    }


def keep(results: Sequence[Result], modules: Iterable[str]) -> None:
    """Write the figures and the document."""
    kept = json.dumps([asdict(result) for result in results], indent=1, ensure_ascii=False)
    RESULTS.write_text(kept + "\n", encoding="utf-8", newline="\n")
    DOCUMENT.write_text(document(results, modules, explanations()), encoding="utf-8", newline="\n")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Measure, tell, keep; 0 only when enough was caught and every survivor is explained."""
    parser = argparse.ArgumentParser(prog="python3 installer/dev.py mutate", description="Mutation testing.")
    parser.add_argument("modules", nargs="*", help="modules as modules.toml names them; all when none is given")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 1, help="changes tried at the same time")
    parser.add_argument("--tell", action="store_true", help="measure nothing; tell the figures that are kept")
    asked = parser.parse_args(arguments)
    plan = tomllib.loads((HERE / "modules.toml").read_text(encoding="utf-8"))
    tests: dict[str, list[str]] = plan["modules"]
    if unknown := sorted(set(asked.modules) - tests.keys()):
        say(f"modules.toml does not know {', '.join(unknown)}. It knows: {', '.join(tests)}.")
        return 2
    chosen = asked.modules or list(tests)
    failed = []
    for module in [] if asked.tell else chosen:
        try:
            result = measure(module, tests[module], plan["sentences"], asked.children)
        except NotMeasuredError as fault:
            failed.append(module)
            say(f"{module}: could not be measured.\n{fault}")
            continue
        say(
            f"{module}: {result.changes} changes, {result.killed} caught, {result.timed_out} timed out, "
            f"{len(result.survivors)} survived, {result.percent:.1f} %"
        )
        # Kept after each module, so that a run that is broken off loses nothing.
        kept = {**load_results(), module: result}
        keep([kept[name] for name in tests if name in kept], tests)
    kept = load_results()
    return told([kept[name] for name in chosen if name in kept and name not in failed], failed)


def told(results: Sequence[Result], failed: Sequence[str]) -> int:
    """Tell the figures and what is wrong with them; 1 when anything is."""
    explained = explanations()
    say("\n" + "\n".join(table(results)))
    code = 0
    if failed:
        say(f"\nNot measured: {', '.join(failed)}.")
        code = 1
    if poor := [result.module for result in results if result.percent < LEAST_PERCENT]:
        say(f"\nUnder {LEAST_PERCENT} %: {', '.join(poor)}.")
        code = 1
    if not_explained := [
        f"{result.module}: {survivor.words}"
        for result in results
        for survivor in result.survivors
        if not why_of(result, survivor, explained)
    ]:
        say("\nSurvivors that nobody explained (write a test, or say in survivors.toml why it is no gap):")
        say("\n".join(f"  {line}" for line in not_explained))
        code = 1
    if gone := outdated(results, explained):
        say("\nExplanations that explain nothing any more (take them out of survivors.toml):")
        say("\n".join(f"  {line}" for line in gone))
        code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
