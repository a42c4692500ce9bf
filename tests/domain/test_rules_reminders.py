"""What the protocol asks for around an infusion (§ 8.1.3; RULES R9 to R11), word for word."""

from __future__ import annotations

from pharmacy_app.domain.findings import Finding, Severity
from pharmacy_app.domain.rules.reminders import around_infusion
from tests.domain.dose_cases import PROTOCOL

BEFORE = (
    Finding(
        "R9",
        Severity.INFO,
        "Infuse over about 1 h, unless the subject needs an interruption; after a reaction the investigator may "
        "restart at a reduced rate.",
        "8.1.3",
    ),
    Finding(
        "R10",
        Severity.INFO,
        "Premedicate with corticosteroid, antipyretic and antihistamine about 30 to 120 minutes before; an antiemetic "
        "may be added.",
        "8.1.3",
    ),
)


def test_the_first_infusion_is_watched_closely() -> None:
    assert around_infusion(PROTOCOL, first_infusion=True) == (
        *BEFORE,
        Finding(
            "R11",
            Severity.INFO,
            "Vital signs: before, about 30 minutes into the infusion, just before its end, and about 1 h and about 2 h "
            "after it.",
            "8.1.3",
        ),
    )


def test_the_later_ones_before_and_at_the_end() -> None:
    assert around_infusion(PROTOCOL, first_infusion=False) == (
        *BEFORE,
        Finding(
            "R11",
            Severity.INFO,
            "Vital signs: before the infusion and at its end, within 15 minutes either way.",
            "8.1.3",
        ),
    )
