"""Written decisions to go on past a stop: complete, dated, by a person the rule names, with the document kept."""

from collections.abc import Iterator

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.request import DoseRequest
from pharmacy_app.domain.rules.case import Said, stop
from pharmacy_app.domain.rules.catalogue import RULES


def overrides_checked(request: DoseRequest, overridable: set[str]) -> Iterator[Said]:
    seen: set[str] = set()
    for override in request.overrides:
        if override.rule not in overridable:
            yield stop(
                f"A decision to go on past {override.rule} is recorded, but {override.rule} does not stop this dose "
                "in a way that may be overridden. Remove it, or correct what the rule asks for."
            )
        elif override.rule in seen:
            yield stop(f"Two decisions to go on past {override.rule} are recorded. Keep the one that is right.")
        seen.add(override.rule)
        empty = [
            name
            for name, value in (
                ("who decided", override.decided_by),
                ("in which role", override.role),
                ("the document", override.document),
                ("the document's content", override.document_sha256),
                ("the reason", override.why),
            )
            if not value.strip()
        ]
        if empty:
            yield stop(f"The decision to go on past {override.rule} lacks {', '.join(empty)}. Complete it.")
        deciders = RULES[override.rule].deciders if override.rule in RULES else ()
        if override.rule in overridable and override.role.strip() and override.role not in deciders:
            yield stop(
                f"To go on past {override.rule} takes the decision of the {' or the '.join(deciders)}; this one is the "
                f"{override.role}'s. Ask for it."
            )
        if override.decided_on > request.today:
            yield stop(
                f"The decision to go on past {override.rule} is dated {say_day(override.decided_on)}, after today, "
                f"{say_day(request.today)}. Correct its date."
            )
