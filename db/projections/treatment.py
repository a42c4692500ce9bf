"""Subjects, their measurements, and the statements on their treatment."""

from collections.abc import Iterator

from db.projections.changes import Change, Insert, Projections, Update, as_json
from pharmacy_app.domain.events import Event


def _subject_enrolled(event: Event) -> Iterator[Change]:
    yield Insert(
        "subject",
        {
            **{name: event.content[name] for name in ("subject_number", "initials", "birth", "enrolled_on")},
            "event_seq": event.seq,
        },
    )


def _measurement_recorded(event: Event) -> Iterator[Change]:
    for measured in event.content["measured"]:
        yield Insert(
            "measurement",
            {
                "event_seq": event.seq,
                **measured,
                "subject_number": event.content["subject_number"],
                "measured_on": event.content["measured_on"],
                "recorded_at": event.recorded_at.isoformat(),
                "recorder": event.actor_name,
                "why": event.why,
                "corrected_seq": None,
            },
        )


# --- treatment --------------------------------------------------------------------------------------------------


def _treatment_stated(event: Event) -> Iterator[Change]:
    yield Insert(
        "treatment",
        {
            "event_seq": event.seq,
            "kind": event.kind,
            "subject_number": event.content["subject_number"],
            "entry": as_json(event.content["entry"]),
            "recorder": event.actor_name,
            "recorded_at": event.recorded_at.isoformat(),
            "why": event.why,
            "withdrawn_seq": None,
            "withdrawn_by": "",
            "withdrawn_why": "",
        },
    )


def _statement_withdrawn(event: Event) -> Iterator[Change]:
    yield Update(
        "treatment",
        {"event_seq": event.content["withdraws"]},
        {"withdrawn_seq": event.seq, "withdrawn_by": event.actor_name, "withdrawn_why": event.why},
    )


APPLY: Projections = {
    "subject_enrolled": _subject_enrolled,
    "measurement_recorded": _measurement_recorded,
    "cycle_planned": _treatment_stated,
    "delay_recorded": _treatment_stated,
    "dose_omitted": _treatment_stated,
    "level_changed": _treatment_stated,
    "response_recorded": _treatment_stated,
    "marrow_recorded": _treatment_stated,
    "toxicity_recorded": _treatment_stated,
    "treatment_ended": _treatment_stated,
    "retreatment_ordered": _treatment_stated,
    "transplant_stated": _treatment_stated,
    "criteria_recorded": _treatment_stated,
    "statement_withdrawn": _statement_withdrawn,
}
