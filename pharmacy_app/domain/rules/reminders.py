"""What the protocol asks for around an infusion (R9 to R11): no gate; it stands on the worksheet and beside the bag."""

from pharmacy_app.domain.findings import Finding, Severity
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.units import show


def around_infusion(protocol: Protocol, *, first_infusion: bool) -> tuple[Finding, ...]:
    """Duration, premedication and vital signs of an infusion; the very first one is watched more closely (§ 8.1.3)."""
    infusion, before, signs = protocol.infusion, protocol.premedication, protocol.vital_signs
    if first_infusion:
        after = " and ".join(f"about {hours} h" for hours in signs.first_hours_after_end)
        watched = (
            f"Vital signs: before, about {signs.first_minutes_into_infusion} minutes into the infusion, just before "
            f"its end, and {after} after it."
        )
    else:
        watched = (
            f"Vital signs: before the infusion and at its end, within {signs.later_margin_minutes} minutes either way."
        )
    said = (
        (
            "R9",
            infusion.section,
            f"Infuse over about {show(infusion.about_hours)} h, unless the subject needs an interruption; after a "
            "reaction the investigator may restart at a reduced rate.",
        ),
        (
            "R10",
            before.section,
            f"Premedicate with corticosteroid, antipyretic and antihistamine about {before.min_minutes} to "
            f"{before.max_minutes} minutes before; an antiemetic may be added.",
        ),
        ("R11", signs.section, watched),
    )
    return tuple(Finding(rule, Severity.INFO, sentence, section) for rule, section, sentence in said)
