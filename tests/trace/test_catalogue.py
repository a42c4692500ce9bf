"""The catalogue's texts: complete, with the protocol's numbers in their places, and true to what the functions do."""

import ast
import inspect
import re
from dataclasses import replace
from pathlib import Path
from types import FunctionType

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.protocol import Protocol, load_protocol, shipped_protocol
from pharmacy_app.domain.rules import CATALOGUE, CHECKS, RULES, Judged, Rule, check_catalogue, explained
from pharmacy_app.domain.rules.case import Check
from pharmacy_app.domain.rules.explain import NOT_CARRIED, SILENT
from pharmacy_app.domain.rules.places import filled, places_of, unknown_places, without_places
from pharmacy_app.services.printing import WORKSHEET_TEXTS

SHIPPED = shipped_protocol()
OTHER_FILE = Path(__file__).resolve().parents[1] / "data" / "second-protocol.toml"


@pytest.fixture(scope="module")
def other() -> Protocol:
    """A protocol with other numbers: weighed within 5 days, changes over 8 %, windows of 2 days."""
    return load_protocol(OTHER_FILE)


# --- complete --------------------------------------------------------------------------------------------------


def test_every_rule_and_reading_has_its_entry() -> None:
    """RULES.md counts R1 to R60 and A1 to A43."""
    numbers = [int(rule.id[1:]) for rule in CATALOGUE if rule.id[0] == "R"]
    assert sorted(numbers) == list(range(1, 61))
    readings = [int(rule.id[1:]) for rule in CATALOGUE if rule.id[0] == "A"]
    assert sorted(readings) == list(range(1, 44))


@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.id)
def test_an_entry_is_written_in_sentences(rule: Rule) -> None:
    for text in filter(None, (rule.rule, rule.boundary, rule.reading, rule.next)):
        assert text.endswith("."), text
        assert text[0].isupper() or text[0] in "{“§", text
        assert "  " not in text
    assert not rule.title.endswith(".")


REFERENCES = re.compile(r"(?:§ |\b(?:[Dd]ays?|[Cc]ycles?|[Ll]evels?) (?:below )?|\b[RA])-?\d+(?:\.\d+)*|day 1s\b")
"""Sections, ids of rules and places of the regimen: no numbers that an amendment changes with the doses."""


@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.id)
def test_the_protocols_numbers_are_places_not_digits(rule: Rule) -> None:
    for text in (rule.rule, rule.boundary):
        bare = REFERENCES.sub("", without_places(text)).replace("CD22", "").replace("10⁹", "")
        assert not re.search(r"\d", bare), bare


def test_the_shipped_protocol_carries_each_sentence_that_is_asked_for() -> None:
    carried = {text.key for text in SHIPPED.texts}
    asked = {key for rule in CATALOGUE for key in rule.texts}
    assert asked <= carried
    assert carried == asked | set(WORKSHEET_TEXTS), "a sentence that nobody shows is a sentence nobody checks"


def test_the_sentences_keep_the_slips_of_the_text() -> None:
    """RULES A41: shown as printed, so that the reader finds them in the protocol."""
    assert "can be retreatedfor up to" in SHIPPED.text("retreatment").text
    assert SHIPPED.text("intrathecal").text.startswith("CSF prophylaxis")
    assert "contact the supporterfor detailed" in SHIPPED.text("return_contact").text


# --- the numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule_id", "words"),
    [
        ("R2", ["0.8, 0.5 and 0.5 mg/m² on days 1, 8 and 15, 1.8 mg/m²"]),
        ("R3", ["days 1 and 8", "0.6 and 0.3 mg/m², 0.9 mg/m²"]),
        ("R4", ["levels 0, -1 and -2", "0.6/0.3; 0.4/0.2; 0.3/0.1 mg/m²", "0.9, 0.6 and 0.4 mg/m² a cycle"]),
        ("R5", ["Cycle 6 may be given; cycle 7 is refused"]),
        ("R7", ["From cycle 3 to 4", "cycle 5 is refused"]),
        ("R11", ["about 30 minutes", "about 1 and 2 h", "15 minutes"]),
        ("R13", ["7 days before the actual day 1 is inside; 8 days before is not"]),
        ("R14", ["Exactly 10 % is not over"]),
        ("R17", ["Exactly 10 % is one"]),
        ("R20", ["3 days early or late are inside", "4 days early", "4 days late"]),
        ("R21", ["days 14 and 21", "from days 11 and 18 to days 17 and 24"]),
        ("R22", ["Day 21 and day 35 are inside"]),
        ("R23", ["Day 29 is inside", "from day 15 on"]),
        ("R25", ["18 and 31 days"]),
        ("R26", ["21 and 14 days before are inside; 22 and 15"]),
        ("R29", ["7 days late may be given", "8 days late may not"]),
        ("R30", ["Day 14 still", "day 15 is the next"]),
        ("R31", ["28 days late may go on; 29 days stop", "from day 29 of the cycle before"]),
        ("R35", ["exactly 50 %"]),
        ("R37", ["Exactly 1.5 × (or 2 ×) passes"]),
        ("R38", ["Exactly 2.5 × passes"]),
        ("R39", ["15 mL/min passes"]),
        ("R40", ["ANC 1 and platelets 50 pass"]),
        ("R45", ["13 days do not offer it; 14 days do"]),
        ("R50", ["1 and 4 mg are received"]),
        ("R52", ["2 °C and 8 °C are inside"]),
        ("R59", ["within 24 hours", "within 5 working days"]),
        ("R60", ["at 4, 6, 8, 11 and 12 subjects", "among 8, 16, 24, 32 and 40 treated"]),
        ("A6", ["Day 22 is the first normal start", "From day 18 on", "day 17 and before"]),
        ("A9", ["more than 49 days", "more than 56 stop"]),
        ("A16", ["Up to 7 days on either side", "8 days away not"]),
        ("A25", ["6 days between two doses need nothing; 5 days"]),
        ("A29", ["for 30 days", "for 28"]),
        ("A33", ["(0.8 and 0.5 mg/m²)", "gemtuzumab ozogamicin"]),
    ],
)
def test_the_edges_are_the_protocols(rule_id: str, words: list[str]) -> None:
    """Numbers by RULES.md and the protocol's sections."""
    told = explained(rule_id, SHIPPED)
    text = " ".join((told.rule, told.boundary, told.reading))
    for each in words:
        assert each in text
    assert "{" not in text


def test_another_protocol_changes_the_sentences(other: Protocol) -> None:
    assert "5 days before the actual day 1 is inside; 6 days before is not" in explained("R13", other).boundary
    assert "Exactly 8 % is not over" in explained("R14", other).boundary
    assert "levels 0, -1, -2 and -3" in explained("R4", other).rule
    assert "Made-up Supporter" in explained("R54", other).rule
    for rule in CATALOGUE:
        assert "{" not in "".join(
            str(part) for part in (explained(rule.id, other).rule, explained(rule.id, other).next)
        )


@pytest.mark.parametrize(
    "place",
    [
        "weight.max_age_days",
        "weight.max_age_days + 1",
        "windows.cycle.min_days + delays.next_cycle_max_days",
        "regimen.levels.0.days",
        "regimen.levels.doses.mg_per_m2",
        "regimen.smallest_mg_per_m2",
        "windows.marrow.days - windows.marrow.margin_days",
    ],
)
def test_a_place_of_the_protocol_is_known(place: str) -> None:
    assert places_of(f"x {{{place}}} y") == (place,)
    assert unknown_places(f"{{{place}}}") == ()
    assert "{" not in filled(f"{{{place}}}", SHIPPED)


@pytest.mark.parametrize(
    "place",
    [
        "weight.max_age",
        "wieght.max_age_days",
        "weight",  # a table is no number
        "regimen.levels.1.days",  # another protocol may have one level only
        "weight.0",
        "weight.max_age_days.days",
        "weight.max_age_days * 2",
        "weight.max_age_days +",
        "",
    ],
)
def test_a_place_that_no_protocol_has_is_found(place: str) -> None:
    assert unknown_places(f"{{{place}}}") == (place,)


# --- true to the functions -------------------------------------------------------------------------------------

SAYS = {"stop": "STOP", "stop_unless_decided": "STOP*", "warn": "WARN", "info": "INFO"}


def said_by(check: Check | FunctionType) -> set[str]:
    """The strengths with which a function speaks, its own helpers included."""
    assert isinstance(check, FunctionType)
    called = {
        node.func.id
        for node in ast.walk(ast.parse(inspect.getsource(check)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    found = {SAYS[name] for name in called if name in SAYS}
    for name in called - SAYS.keys():
        helper = check.__globals__.get(name)
        if isinstance(helper, FunctionType) and helper.__module__ == check.__module__:
            found |= said_by(helper)
    return found


@pytest.mark.parametrize("rule_id", [rule_id for rule_id in CHECKS if rule_id != "R18"])
def test_what_may_be_decided_past_and_what_asks_for_a_reason_is_what_the_function_says(rule_id: str) -> None:
    """R18's severity is that of the comparison, see test_dosing."""
    gates = {"STOP*", "WARN"}
    assert set(RULES[rule_id].strengths) & gates == said_by(CHECKS[rule_id]) & gates


@pytest.mark.parametrize("rule_id", [rule_id for rule_id in CHECKS if rule_id not in ("R18", "R1")])
def test_a_rule_that_says_stop_stops(rule_id: str) -> None:
    """R1 stops beside its decision only where the birth itself lies in the future."""
    assert ("STOP" in RULES[rule_id].strengths) == ("STOP" in said_by(CHECKS[rule_id]))


# --- explained -------------------------------------------------------------------------------------------------


def test_a_rule_in_full() -> None:
    told = explained(" r14 ", SHIPPED)
    assert (told.id, told.section, told.strength, told.judged) == ("R14", "8.1.3", "STOP", "decision")
    assert told.deciders == ()
    (sentence,) = told.sentences
    assert sentence.section == "8.1.3"
    assert "must be recalculated using this most recent weight/BSA obtained." in sentence.text
    assert told.no_sentence == ""


def test_who_may_decide_past_a_rule() -> None:
    assert explained("R37", SHIPPED).deciders == ("prescriber", "principal investigator")
    assert explained("R31", SHIPPED).deciders == ("principal investigator",)
    assert explained("A8", SHIPPED).deciders == RULES["R30"].deciders, "a reading has the deciders of its rule"
    assert explained("R32", SHIPPED).deciders == ()


def test_no_sentence_has_its_reason(other: Protocol) -> None:
    assert explained("A40", SHIPPED).no_sentence == SILENT
    told = explained("R14", other)
    assert told.sentences == ()
    assert told.no_sentence == NOT_CARRIED
    assert explained("R53", other).sentences[0].text.startswith("Made up: keep the bag")


@pytest.mark.parametrize(
    ("asked", "words"),
    [("R62", "R6 "), ("A44", "A4 "), ("weight", "R14 recalculated"), ("q!", "lists them all"), ("", "lists them all")],
)
def test_an_unknown_rule_names_near_ones(asked: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        explained(asked, SHIPPED)
    assert words in refused.value.faults[0].sentence


# --- a catalogue with a fault ----------------------------------------------------------------------------------


def changed(rule_id: str, **changes: object) -> tuple[Rule, ...]:
    return tuple(replace(rule, **changes) if rule.id == rule_id else rule for rule in CATALOGUE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("catalogue", "words"),
    [
        ((*CATALOGUE, RULES["R1"]), "named twice: R1"),
        (tuple(rule for rule in CATALOGUE if rule.id != "R53"), "missing: R53"),
        (tuple(rule for rule in CATALOGUE if rule.id != "A43"), "missing: A43"),
        (changed("R1", judged=Judged.RECORD), "without function or entry: R1"),
        (changed("R53", judged=Judged.DECISION), "without function or entry: R53"),
        (changed("R1", section=" "), "incomplete: R1"),
        (changed("R1", title=""), "incomplete: R1"),
        (changed("R1", strength=""), "incomplete: R1"),
        (changed("R1", rule=""), "incomplete: R1"),
        (changed("R1", boundary=""), "incomplete: R1"),
        (changed("R1", next=""), "incomplete: R1"),
        (changed("R1", strength="STOP, MAYBE"), "of unknown strength: R1"),
        (changed("A3", applied_in=""), "carried by no rule: A3"),
        (changed("A3", applied_in="R99"), "carried by no rule: A3"),
        (changed("A3", applied_in="A8"), "carried by no rule: A3"),  # a reading carries none itself
        (changed("A3", reading=""), "carried by no rule: A3"),
        (changed("R1", applied_in="R2"), "carried by no rule: R1"),
        (changed("R1", next="Wait {age.min_year} years."), "no protocol has: R1 age.min_year"),
    ],
)
def test_a_fault_of_the_catalogue_is_named(catalogue: tuple[Rule, ...], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        check_catalogue(catalogue)
