"""Places where vials are kept: their kinds, and what may lie where."""

REFRIGERATOR = "refrigerator"
QUARANTINE_SHELF = "quarantine shelf"
SATELLITE = "satellite"

KINDS = (REFRIGERATOR, QUARANTINE_SHELF, SATELLITE)
"""What a place can be. A satellite is a pharmacy of its own with a record of its own (REGULATION A-06)."""

KIND_SAYS = {
    REFRIGERATOR: "Stock at 2–8 °C, in the control record",
    QUARANTINE_SHELF: "Held and quarantined vials only, at 2–8 °C",
    SATELLITE: "A pharmacy outside this one, with a record of its own; a second person signs there",
}
"""Each kind in words."""

ON_THE_SHELF = ("held", "quarantined")
"""The states whose unopened vials may lie on a quarantine shelf."""


def may_lie(state: str, kind: str) -> bool:
    """Whether a vial of this state may be at a place of this kind: what is usable never lies on a quarantine shelf."""
    return kind != QUARANTINE_SHELF or state in ON_THE_SHELF


def record_type(kinds: frozenset[str]) -> str:
    """What kind of record covers places of these kinds (REGULATION A-06, A-08)."""
    if kinds == {SATELLITE}:
        return "Satellite record"
    return "Control and satellite records together" if SATELLITE in kinds else "Control record"
