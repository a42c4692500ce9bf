"""The catalogue of rules: one visible list in order of precedence, with sections, boundaries and what to do next.

The texts stand in ``catalogue.toml``. A number in them is written as its place in the protocol file
(``{weight.max_age_days}``, see ``places``) and filled from the protocol in force, so that an amendment changes both.
"""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

from pharmacy_app.domain.codec import from_plain


class Judged(StrEnum):
    """Where a rule speaks."""

    DECISION = "decision"
    PLANNING = "planning"
    PREPARATION = "preparation"
    ADMINISTRATION = "administration"
    STOCK = "stock"
    PAPERS = "papers"
    RECORD = "record"
    READING = "reading"


DECIDED_PAST = "STOP*"
STRENGTHS = ("STOP", DECIDED_PAST, "WARN", "INFO", "allowed", "prompt")
"""How strongly a rule speaks. STOP: only a corrected input goes on. STOP*: or the written decision of a named person.
WARN: goes on with a reason. INFO: shown. allowed: may be done, need not. prompt: somebody is reminded."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry: what the protocol says, where its edge lies, how we read it, and what a person does next.

    ``strength`` holds one or more of ``STRENGTHS``, the usual one first, and ``text`` the keys of the protocol's own
    sentences in the protocol file ('' where it is silent); several are parted by commas. ``applied_in`` names the rule
    that carries a reading.
    """

    id: str
    section: str
    title: str
    judged: Judged
    strength: str = ""
    rule: str = ""
    boundary: str = ""
    reading: str = ""
    next: str = ""
    text: str = ""
    applied_in: str = ""
    deciders: tuple[str, ...] = ("prescriber", "principal investigator")

    @property
    def strengths(self) -> tuple[str, ...]:
        """Each of the rule's strengths apart."""
        return tuple(self.strength.split(", ")) if self.strength else ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The key of each of the protocol's sentences."""
        return tuple(self.text.split(", ")) if self.text else ()


def _load() -> tuple[Rule, ...]:
    raw = resources.files("pharmacy_app.domain.rules").joinpath("catalogue.toml").read_bytes()
    data: dict[str, Any] = tomllib.loads(raw.decode("utf-8"))
    return from_plain(tuple[Rule, ...], data["rule"])


CATALOGUE = _load()
RULES = {rule.id: rule for rule in CATALOGUE}
