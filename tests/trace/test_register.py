"""The register of requirements: complete, every named test there, and the matrix that people read up to date."""

import pytest

from tests.trace.register import MATRIX, Row, faults_of, is_test, matrix, rows

HERE = "tests/trace/test_register.py::test_the_register_is_sound"


def test_the_register_is_sound() -> None:
    assert faults_of(rows()) == []


def test_it_has_a_row_for_each_rule_and_reading_and_for_all_that_is_asked_of_labels_and_records() -> None:
    """R1 to R60 and A1 to A43; L-01 to L-23 and B-01 to B-10; A-01 to A-33 and X-01 to X-14."""
    assert len(rows()) == 60 + 43 + 23 + 10 + 33 + 14


def test_the_matrix_is_the_registers() -> None:
    assert MATRIX.read_text(encoding="utf-8") == matrix(), "write it anew: python3 installer/dev.py matrix"


def test_the_matrix_holds_every_row_and_its_tests() -> None:
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in matrix().splitlines() if line.startswith("| ")}
    for row in rows():
        assert all(f"`{test}`" in lines[row.id] for test in row.tests)
        assert row.note in lines[row.id]
        assert row.title in lines[row.id]
        assert row.source in lines[row.id]
        assert f" | {row.status} | " in lines[row.id]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Row("R1", "done", ()), "R1 is done, but names no test"),
        (Row("R1", "finished", (HERE,)), "unknown status “finished”"),
        (Row("R1", "done", ("tests/trace/test_register.py::test_nothing",)), "which is no test"),
        (Row("R1", "done", ("tests/trace/nowhere.py::test_nothing",)), "which is no test"),
        (Row("R1", "done", ("tests/trace/test_register.py",)), "which is no test"),
        (Row("R1", "done", (HERE, HERE)), "R1 names a test twice"),
        (Row("R61", "done", (HERE,)), "R61 is no rule, no reading and not asked for"),
        (Row("L-24", "done", (HERE,), title="a", source="b"), "L-24 is no rule, no reading and not asked for"),
        (Row("L-1", "done", (HERE,), title="a", source="b"), "L-1 is no rule, no reading and not asked for"),
        (Row("A43", "done", (HERE,)), "A43 stands twice"),
        (Row("B-10", "done", (HERE,), title="a", source="b"), "B-10 stands twice"),
        (Row("R1", "open", (HERE,)), "R1 is open, but does not say why"),
        (Row("L-01", "open", (HERE,), "", "a", "b"), "L-01 is open, but does not say why"),
        (Row("L-01", "done", (HERE,), "", "a"), "L-01 does not say what is asked for and by whom"),
        (Row("B-01", "done", (HERE,), "", "", "b"), "B-01 does not say what is asked for and by whom"),
        (Row("R1", "done", (HERE,), "", "a"), "R1 has words of its own"),
        (Row("B-02", "done", ("tests/trace/test_register.py::test_nothing",), "", "a", "b"), "which is no test"),
    ],
)
def test_a_fault_of_the_register_is_named(row: Row, words: str) -> None:
    others = tuple(each for each in rows() if each.id != row.id or row.id in ("A43", "B-10"))
    assert any(words in fault for fault in faults_of((*others, row)))


def test_a_missing_row_is_named() -> None:
    assert faults_of(tuple(row for row in rows() if row.id != "R30")) == ["R30 is missing"]
    assert faults_of(tuple(row for row in rows() if row.id != "L-09")) == ["L-09 is missing"]


def test_an_open_row_needs_no_test_yet_but_its_reason() -> None:
    others = tuple(row for row in rows() if row.id != "R30")
    assert faults_of((*others, Row("R30", "open", (), "Not done, because nobody has asked yet."))) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (HERE, True),
        ("tests/trace/test_register.py::HERE", False),
        ("tests/trace/register.py::rows", False),
        ("pharmacy_app/cli.py::calc", False),
    ],
)
def test_a_name_is_a_test_or_not(name: str, expected: bool) -> None:
    assert is_test(name) is expected
