"""The protocol file: the shipped one holds the protocol's numbers, and a wrong one is told everything at once."""

import hashlib
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pytest

from pharmacy_app.domain.errors import Refused, Unavailable
from pharmacy_app.domain.protocol import load_protocol, shipped_protocol

D = Decimal
TEXT = resources.files("pharmacy_app.protocols").joinpath("ino-low-dose.toml").read_text("utf-8")


def faults_of(text: str) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        load_protocol(text)
    return {fault.field: fault.sentence for fault in refused.value.faults}


def changed(*pairs: tuple[str, str]) -> str:
    text = TEXT
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text


# Protocol § 3.3, 8.1.3 and the table of § 8.1.6.
@pytest.mark.parametrize(
    ("cycle", "level", "day", "mg_per_m2"),
    [
        (1, 0, 1, "0.8"),
        (1, 0, 8, "0.5"),
        (1, 0, 15, "0.5"),
        (2, 0, 1, "0.6"),
        (6, 0, 8, "0.3"),
        (3, -1, 1, "0.4"),
        (3, -1, 8, "0.2"),
        (3, -2, 1, "0.3"),
        (3, -2, 8, "0.1"),
        (2, 0, 15, None),
        (7, 0, 1, None),
        (0, 0, 1, None),
        (1, -1, 1, None),
        (2, -3, 1, None),
        (2, 1, 1, None),
        (1, 0, 2, None),
    ],
)
def test_the_regimen_is_the_protocols(cycle: int, level: int, day: int, mg_per_m2: str | None) -> None:
    dose = shipped_protocol().regimen.dose_mg_per_m2(cycle, level, day)
    assert dose == (None if mg_per_m2 is None else D(mg_per_m2))


def test_the_other_numbers_are_the_protocols() -> None:
    protocol = shipped_protocol()
    assert protocol.regimen.max_cycles == 6
    assert protocol.windows.dose_days == 3
    assert (protocol.windows.cycle.min_days, protocol.windows.cycle.max_days) == (21, 28)
    assert (protocol.weight.max_age_days, protocol.weight.change_over_percent) == (7, D(10))
    assert protocol.dose_difference.from_percent == 10
    assert protocol.age.min_years == 12
    assert protocol.product.strengths_mg == (D(1), D(4))
    assert (protocol.storage.min_celsius, protocol.storage.max_celsius) == (D(2), D(8))
    assert "unshielded fluorescent light" in protocol.text("light_protection").text
    assert protocol.text("light_protection").section == "8.2"


def test_what_the_text_does_not_state_is_not_invented() -> None:
    protocol = shipped_protocol()
    assert protocol.study.protocol_number is None
    assert protocol.study.ind_number is None
    assert protocol.version.amendment is None
    assert protocol.version.effective_on is None


def test_numbers_are_exact_decimals() -> None:
    dose = shipped_protocol().regimen.dose_mg_per_m2(1, 0, 1)
    assert isinstance(dose, Decimal)
    assert str(dose) == "0.8"


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(TEXT.encode())
    expected = hashlib.sha256(TEXT.encode()).hexdigest()
    assert load_protocol(TEXT).sha256 == load_protocol(path).sha256 == expected
    assert load_protocol(TEXT + "\n# one more line\n").sha256 != expected


def test_a_file_with_five_faults_is_told_all_five() -> None:
    faults = faults_of(
        changed(
            ("mg_per_m2 = 0.8", "mg_per_m2 = -0.8"),
            ("max_age_days = 7", "max_age_day = 7"),
            ('supporter = "Pfizer"\n', ""),
            ("from_percent = 10", 'from_percent = "ten"'),
            ("min_celsius = 2", "min_celsius = 12"),
        )
    )
    assert faults.keys() == {
        "regimen.first_cycle.doses[1].mg_per_m2",
        "weight.max_age_days",
        "weight.max_age_day",
        "study.supporter",
        "dose_difference.from_percent",
        "storage",
    }
    assert "-0.8" in faults["regimen.first_cycle.doses[1].mg_per_m2"]
    assert "greater than 0" in faults["regimen.first_cycle.doses[1].mg_per_m2"]
    assert "Did you mean max_age_days?" in faults["weight.max_age_day"]
    assert "is missing" in faults["study.supporter"]
    assert "'ten'" in faults["dose_difference.from_percent"]
    assert "must be less than max_celsius 8" in faults["storage"]


@pytest.mark.parametrize(
    ("old", "new", "field", "part"),
    [
        ("total_mg_per_m2 = 1.8", "total_mg_per_m2 = 1.9", "regimen.first_cycle", "add up to 1.8"),
        ("level = -2", "level = -3", "regimen.levels", "0, -1, -2"),
        (
            "{ day = 8, mg_per_m2 = 0.5 }",
            "{ day = 15, mg_per_m2 = 0.5 }",
            "regimen.first_cycle.doses",
            "each named once",
        ),
        ("min_days = 21", "min_days = 29", "windows.cycle", "must not be more than"),
        ("min_m2 = 0.9", "min_m2 = 3.0", "bsa", "less than"),
        ("max_cycles = 6", "max_cycles = 6.5", "regimen.max_cycles", "6.5"),
        ("max_cycles = 6", "max_cycles = true", "regimen.max_cycles", "True"),
        ("max_cycles = 6", "max_cycles = 0", "regimen.max_cycles", "greater than or equal to 1"),
        ("dose_days = 3", "dose_days = nan", "windows.dose_days", "NaN"),
        ("from_percent = 10", "from_percent = inf", "dose_difference.from_percent", "inf"),
        ('key = "storage"', 'key = "light_protection"', "texts", "light_protection is used again"),
        ('section = "2.0"', 'section = "two"', "age.section", "'two'"),
        ("format = 1", "format = 2", "format", "2"),
        ("[windows.cycle]", "[windows.cycle]\nshortest = 3", "windows.cycle.shortest", "Known here are: section"),
        ("[regimen]", "[regimens]\n[regimen]", "regimens", "Did you mean regimen?"),
        ("level = -1", "level = -1\nlevle = 0", "regimen.levels[2].levle", "Did you mean level?"),
    ],
)
def test_each_kind_of_fault_names_its_place_and_what_is_allowed(old: str, new: str, field: str, part: str) -> None:
    faults = faults_of(changed((old, new)))
    assert part.lower() in faults[field].lower()


def test_a_syntax_error_names_its_line() -> None:
    with pytest.raises(Refused) as refused:
        load_protocol('format = 1\n[study]\ntitle = "no end\n')
    assert refused.value.faults[0].field == "line 3"


def test_a_file_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="UTF-8"):
        load_protocol(b"\xff\xfe\x00")
    with pytest.raises(Unavailable, match="cannot be read"):
        load_protocol(tmp_path / "none.toml")


def test_a_text_that_is_not_there_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        shipped_protocol().text("nothing")


# --- the sentences in full -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "field", "sentence"),
    [
        (
            "from_percent = 10",
            'from_percent = "ten"',
            "dose_difference.from_percent",
            "dose_difference.from_percent is 'ten', but it must be a number without quotes.",
        ),
        (
            "mg_per_m2 = 0.8",
            "mg_per_m2 = -0.8",
            "regimen.first_cycle.doses[1].mg_per_m2",
            "regimen.first_cycle.doses[1].mg_per_m2 is -0.8, but it must be greater than 0.",
        ),
        (
            "max_cycles = 6",
            "max_cycles = true",
            "regimen.max_cycles",
            "regimen.max_cycles is True, but it must be a valid integer.",
        ),
        ('supporter = "Pfizer"\n', "", "study.supporter", "study.supporter is missing. Add it to the protocol file."),
        (
            "max_age_days = 7",
            "max_age_days = 7\nmax_age_day = 7",
            "weight.max_age_day",
            "weight.max_age_day is not a known entry. Did you mean max_age_days?",
        ),
        (
            "[weight]",
            "[weight]\nzzz = 1",
            "weight.zzz",
            "weight.zzz is not a known entry. Known here are: section, max_age_days, change_over_percent.",
        ),
        (
            "min_celsius = 2",
            "min_celsius = 12",
            "storage",
            "storage: min_celsius 12 must be less than max_celsius 8.",
        ),
        (
            'key = "storage"',
            'key = "light_protection"',
            "texts",
            "texts: each key may be used once, but light_protection is used again.",
        ),
    ],
)
def test_a_fault_is_told_in_full(old: str, new: str, field: str, sentence: str) -> None:
    assert faults_of(changed((old, new)))[field] == sentence


@pytest.mark.parametrize(
    ("length", "shown"),
    [(58, "'" + "x" * 58 + "'"), (59, "'" + "x" * 56 + "..."), (80, "'" + "x" * 56 + "...")],
)
def test_a_long_value_is_cut_after_sixty_characters(length: int, shown: str) -> None:
    told = faults_of(changed(("from_percent = 10", f'from_percent = "{"x" * length}"')))
    assert told["dose_difference.from_percent"].startswith(f"dose_difference.from_percent is {shown}, but")


def test_a_file_without_any_table_names_everything_that_is_missing() -> None:
    faults = faults_of("")
    assert faults["regimen"] == "regimen is missing. Add it to the protocol file."
    assert {"study", "weight", "texts"} <= faults.keys()


def test_lines_of_another_system_and_a_mark_at_the_beginning_are_read() -> None:
    windows = ("\ufeff" + TEXT).replace("\n", "\r\n")
    assert load_protocol(windows.encode()).model_dump() == load_protocol(TEXT).model_dump()
    assert all("\r" not in text.text for text in load_protocol(windows).texts)
    several = TEXT + '\n[[texts]]\nkey = "two_lines"\nsection = "8.2"\ntext = """one\ntwo"""\n'
    assert load_protocol(several.replace("\n", "\r\n")).text("two_lines").text == "one\ntwo"


def test_a_byte_that_is_no_text_is_counted_from_one() -> None:
    with pytest.raises(Refused) as refused:
        load_protocol(b"ab\xff")
    (fault,) = refused.value.faults
    assert (fault.field, fault.sentence) == (
        "",
        "The protocol file is not UTF-8 text (byte 3). Save it as UTF-8.",
    )


def test_a_syntax_error_without_a_line_has_no_place() -> None:
    with pytest.raises(Refused) as refused:
        load_protocol("format = ")
    (fault,) = refused.value.faults
    assert fault.sentence.startswith("The protocol file cannot be read as TOML: ")
    assert fault.field in ("", "line 1")


def test_a_first_cycle_with_the_doses_of_later_ones_is_asked_for_by_name() -> None:
    regimen = shipped_protocol().regimen
    assert regimen.cycle_doses(1, 0) is regimen.first_cycle
    assert regimen.cycle_doses(1, -1) is None
    assert regimen.cycle_doses(1, -1, as_later=True) is regimen.levels[1]
    assert regimen.dose_mg_per_m2(1, 0, 1, as_later=True) == D("0.6")
    assert regimen.dose_mg_per_m2(1, 0, 1) == D("0.8")


def test_a_sentence_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="nothing"):
        shipped_protocol().text("nothing")
