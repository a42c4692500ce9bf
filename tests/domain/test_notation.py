"""Words that a nurse could misread, or that promise what nobody knows, stand on no label."""

import pytest

from pharmacy_app.domain.notation import misread


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("10 U", "an abbreviation that is misread (U, IU, QD, QOD, cc, µg)"),
        ("100 IU", "an abbreviation that is misread (U, IU, QD, QOD, cc, µg)"),
        ("one bag QD", "an abbreviation that is misread (U, IU, QD, QOD, cc, µg)"),
        ("one bag q.o.d.", "an abbreviation that is misread (U, IU, QD, QOD, cc, µg)"),
        ("50 cc", "an abbreviation that is misread (U, IU, QD, QOD, cc, µg)"),
        ("500 µg", "an abbreviation that is misread (U, IU, QD, QOD, cc, µg)"),
        ("keep < 8 °C", "the sign @, < or >"),
        ("2 mg @ 1 h", "the sign @, < or >"),
        ("INO bag", "a drug name cut short (INO, GO)"),
        ("give .5 mg", "a decimal point without a digit before it"),
        ("1.0 mg", "a trailing zero"),
        ("Keep at 2.0 °C", "a trailing zero"),
        ("0,5 mg", "a decimal comma"),
        ("50 ml", "millilitres not written as mL"),
        ("50mL", "an amount run into its unit"),
        ("1000 mg", "a number from 1,000 without its comma"),
        ("25000 mL", "a number from 1,000 without its comma"),
        ("1000.5 mg", "a number from 1,000 without its comma"),
        ("5 mg/day", "a slash for “per”"),
        ("5 mg / day", "a slash for “per”"),
        ("50 mL/h", "a slash for “per”"),
        ("2 mg/kg", "a slash for “per”"),
        ("1 bag/day", "a slash for “per”"),
        ("2 vials/dose", "a slash for “per”"),
        ("einmal/Tag", "a slash for “per”"),
        ("9 g/L", "a slash for “per”"),
        ("twice/week", "a slash for “per”"),
        ("Besponsa®", "a trade mark sign"),
        ("until 03/04/2026", "a date that can be read two ways"),
        ("well tolerated", "a claim of safety or effect (21 CFR 312.6(b))"),
        ("A SAFE bag", "a claim of safety or effect (21 CFR 312.6(b))"),
        ("sicher und wirksam", "a claim of safety or effect (21 CFR 312.6(b))"),
    ],
)
def test_each_is_named(words: str, what: str) -> None:
    assert list(misread(words)) == [what]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "0.9 % sodium chloride injection, USP",
        "1,250 mL in 0.5 h",
        "Store at 2–8 °C (36–46 °F). Do not shake.",
        "Unit 7, Building U",
        "22-Nov-2026",
        "Version 3.10",
        "0.25 mg/mL",
        "1.8 mg/m² on day 1",
        "1.8 mg / m2",
        "1,000 mg",
        "999 mg",
        "Infusion at 1400 h",
        "12,500 mL",
        "Chicago, IL 60611",
        "November 2026",
        "Protocol 2012-0511",
        "and/or",
        "Line/bag residue",
        "L/R arm, day/month/year",
        "Cycle/day",
        "Subject 1001, cycle 1/day 8",
        "5 mg per day",
    ],
)
def test_what_is_well_written_passes(words: str) -> None:
    assert list(misread(words)) == []


def test_several_are_all_named() -> None:
    assert list(misread(".5 mg > 2.0 mL, 2 cc")) == [
        "an abbreviation that is misread (U, IU, QD, QOD, cc, µg)",
        "the sign @, < or >",
        "a decimal point without a digit before it",
        "a trailing zero",
    ]
