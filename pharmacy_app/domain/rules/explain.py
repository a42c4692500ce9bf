"""What a rule says, in full: with the numbers of one protocol, its own sentence, our reading, and what to do next."""

import difflib
from dataclasses import dataclass

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.protocol import Protocol, SectionText
from pharmacy_app.domain.rules.catalogue import CATALOGUE, DECIDED_PAST, RULES, Rule
from pharmacy_app.domain.rules.places import filled

SILENT = "The protocol is silent here."
NOT_CARRIED = "This protocol file does not carry the sentence."


@dataclass(frozen=True, slots=True)
class Explained:
    """One rule for a reader: every number filled in.

    ``deciders`` are the roles that may decide past it in writing; empty where nobody may, or nothing is stopped.
    ``sentences`` are the protocol's own; where one is wanting ``no_sentence`` says why. ``applied_in`` names the rule
    that carries a reading ('' where it speaks for itself).
    """

    id: str
    section: str
    title: str
    judged: str
    strength: str
    rule: str
    boundary: str
    reading: str
    next: str
    deciders: tuple[str, ...]
    sentences: tuple[SectionText, ...]
    no_sentence: str
    applied_in: str


def explained(rule_id: str, protocol: Protocol) -> Explained:
    """Return rule ``rule_id`` (upper or lower case) by ``protocol``; ``Refused`` names near ones when it is unknown."""
    rule = RULES.get(rule_id.strip().upper())
    if rule is None:
        raise Refused(Fault("rule", _unknown(rule_id)))
    carried = {text.key: text for text in protocol.texts}
    sentences = tuple(carried[key] for key in rule.texts if key in carried)
    no_sentence = SILENT if not rule.texts else NOT_CARRIED if len(sentences) < len(rule.texts) else ""
    carrier = RULES[rule.applied_in] if rule.applied_in else rule
    return Explained(
        id=rule.id,
        section=rule.section,
        title=rule.title,
        judged=rule.judged.value,
        strength=rule.strength,
        rule=filled(rule.rule, protocol),
        boundary=filled(rule.boundary, protocol),
        reading=filled(rule.reading, protocol),
        next=filled(rule.next, protocol),
        deciders=carrier.deciders if DECIDED_PAST in rule.strengths else (),
        sentences=sentences,
        no_sentence=no_sentence,
        applied_in=rule.applied_in,
    )


def _unknown(typed: str) -> str:
    asked = typed.strip()
    near = near_rules(asked)
    named = "; ".join(f"{rule.id} {rule.title}" for rule in near)
    hint = f"Near it: {named}." if near else "“explain” without a rule lists them all."
    return f"There is no rule “{asked}”. {hint}"


def near_rules(asked: str, most: int = 5) -> tuple[Rule, ...]:
    """The rules whose title holds a word that was asked for, or whose id is spelled like it, in catalogue order."""
    word = asked.strip().lower()
    ids = difflib.get_close_matches(word.upper(), list(RULES), n=most, cutoff=0.5)
    found = [rule for rule in CATALOGUE if rule.id in ids or (len(word) > 2 and word in rule.title.lower())]
    return tuple(found[:most])
