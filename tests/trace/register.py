"""The register of requirements: each rule, reading and asked-for row with the tests that show it, and the matrix.

``python3 installer/dev.py matrix`` writes the matrix anew into docs/requirements.md.
"""

import ast
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pharmacy_app.domain.rules import CATALOGUE, RULES

ROOT = Path(__file__).resolve().parents[2]
REGISTER = Path(__file__).with_name("requirements.toml")
MATRIX = ROOT / "docs" / "requirements.md"
STATUSES = ("done", "open")
PROTOCOL_IDS = (*(f"R{number}" for number in range(1, 61)), *(f"A{number}" for number in range(1, 44)))
"""Rules and readings: their words stand in the catalogue."""
LABEL_IDS = (*(f"L-{number:02d}" for number in range(1, 24)), *(f"B-{number:02d}" for number in range(1, 11)))
"""What regulation, standards and good practice ask of labels and bar codes: their words stand in the register."""
RECORD_IDS = (*(f"A-{number:02d}" for number in range(1, 34)), *(f"X-{number:02d}" for number in range(1, 15)))
"""What they ask of the product's accountability and of data that is taken away: likewise."""


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement: whether it is done, the tests that show it, and what a reader must know besides.

    ``title`` and ``source`` say what is asked for and by whom where the catalogue of rules does not.
    """

    id: str
    status: str
    tests: tuple[str, ...]
    note: str = ""
    title: str = ""
    source: str = ""


def rows() -> tuple[Row, ...]:
    """The register as it stands in its file."""
    data = tomllib.loads(REGISTER.read_text(encoding="utf-8"))
    return tuple(Row(**(row | {"tests": tuple(row["tests"])})) for row in data["row"])


@cache
def _tests_in(path: str) -> frozenset[str]:
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    module = ast.parse(file.read_text(encoding="utf-8"), filename=path)
    functions = (node for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def is_test(name: str) -> bool:
    """Whether ``tests/folder/test_x.py::test_name`` is a test; parametrised ones go by their plain name."""
    path, _, function = name.partition("::")
    return path.startswith("tests/") and Path(path).name.startswith("test_") and function in _tests_in(path)


def faults_of(register: tuple[Row, ...]) -> list[str]:
    """What is wrong with a register, a sentence each."""
    ids = [row.id for row in register]
    wanted = (*PROTOCOL_IDS, *LABEL_IDS, *RECORD_IDS)
    found = [f"{each} is missing" for each in wanted if each not in ids]
    found += [f"{each} is no rule, no reading and not asked for" for each in ids if each not in wanted]
    found += [f"{each} stands twice" for each in sorted(set(ids)) if ids.count(each) > 1]
    for row in register:
        if row.status not in STATUSES:
            found.append(f"{row.id} has the unknown status “{row.status}”")
        if row.status == "done" and not row.tests:
            found.append(f"{row.id} is done, but names no test")
        if row.status == "open" and not row.note:
            found.append(f"{row.id} is open, but does not say why")
        if row.id in (*LABEL_IDS, *RECORD_IDS) and not (row.title and row.source):
            found.append(f"{row.id} does not say what is asked for and by whom")
        if row.id in PROTOCOL_IDS and (row.title or row.source):
            found.append(f"{row.id} has words of its own, but the catalogue has them")
        if len(set(row.tests)) < len(row.tests):
            found.append(f"{row.id} names a test twice")
        found += [f"{row.id} names {test}, which is no test" for test in row.tests if not is_test(test)]
    return found


def matrix() -> str:
    """The matrix as a page: one line for each row of the register, in its order."""
    rules = [row for row in rows() if row.id in PROTOCOL_IDS]
    labels = [row for row in rows() if row.id in LABEL_IDS]
    records = [row for row in rows() if row.id in RECORD_IDS]
    lines = [
        "# Requirements and their tests",
        "",
        "Made by `python3 installer/dev.py matrix` from the rules' catalogue",
        "(`pharmacy_app/domain/rules/catalogue.toml`) and the register (`tests/trace/requirements.toml`); change",
        "those, not this page. R: rules of the protocol. A: how its silent or ambiguous places are read.",
        "`pharmacy-app explain R14` says any of them in full. L: what is asked of labels. B: of bar codes. A-: of the",
        "product's accountability. X: of data that is taken away.",
        "",
        "STOP: only a corrected input goes on. STOP\\*: or the written decision of a named person. WARN: goes on with",
        "a reason. INFO: shown. allowed: may be done, need not. prompt: somebody is reminded.",
        "",
        f"{_done(rules)} of {len(rules)} rows are done; {len(CATALOGUE)} rules stand in the catalogue.",
        "",
        "| id | § | rule | strength | where | status | shown by |",
        "|---|---|---|---|---|---|---|",
        *(_line(_rule_cells(row)) for row in rules),
        "",
        "## Labels and bar codes",
        "",
        f"{_done(labels)} of {len(labels)} rows are done. An open one says what is missing; its tests show the rest.",
        "",
        "| id | asked for | source | status | shown by |",
        "|---|---|---|---|---|",
        *_asked(labels),
        "",
        "## Accountability and data",
        "",
        f"{_done(records)} of {len(records)} rows are done.",
        "",
        "| id | asked for | source | status | shown by |",
        "|---|---|---|---|---|",
        *_asked(records),
    ]
    return "\n".join(lines) + "\n"


def _asked(some: list[Row]) -> list[str]:
    return [_line((row.id, row.title, row.source, row.status, _shown(row))) for row in some]


def _done(some: list[Row]) -> int:
    return sum(row.status == "done" for row in some)


def _rule_cells(row: Row) -> tuple[str, ...]:
    rule = RULES[row.id]
    where = f"in {rule.applied_in}" if rule.applied_in else rule.judged.value
    strength = rule.strength.replace("*", r"\*")
    return rule.id, rule.section, rule.title, strength, where, row.status, _shown(row)


def _shown(row: Row) -> str:
    return "<br>".join([*(f"`{test}`" for test in row.tests), *([row.note] if row.note else [])])


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


if __name__ == "__main__":
    MATRIX.write_text(matrix(), encoding="utf-8", newline="\n")
