"""From the order to the decision: order a dose, decide it by the rules, cancel it."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from pharmacy_app.domain.codec import digest, from_plain, to_plain
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.dosing import (
    DoseDecision,
    DoseRequest,
    Height,
    UsedWeight,
    Weight,
    decide,
)
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.findings import Finding, Override, Severity
from pharmacy_app.domain.settings import BsaFormula, StudySettings
from pharmacy_app.domain.units import WeightUnit, read_weight
from pharmacy_app.domain.vials import move, move_table, numbered
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, protocol_of, site_of, today_of
from pharmacy_app.services.documents import WRITTEN_DECISION
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.stock import check_order
from pharmacy_app.services.study_settings import settings_of
from pharmacy_app.services.subjects import birth_of
from pharmacy_app.services.treatment import MAX_COURSES, criteria_of, history_of, treatment_of

WEIGHT_CHOICES = ("newest", "last used")
"""Which weight a dose is calculated from: the newest one, or the one last used (§ 8.1.3 leaves it to the site)."""

AHEAD_DAYS = 35
"""How far ahead a dose may be ordered, in days: one cycle and its window."""

UNPLANNED = ("ordered", "stopped", "decided")
"""Where a dose stands before vials are reserved for it: it can still be decided anew."""


@dataclass(frozen=True, slots=True)
class OrderForm:
    """A prescriber's order as typed."""

    subject_number: str
    prescriber: str
    ordered_on: str
    planned_on: str
    course: str
    cycle: str
    day: str
    level: str
    prescribed_mg: str


def order(desk: Desk, act: Act, form: OrderForm) -> Event:
    """Record an order. What the protocol says of it comes with the decision; here only the form is checked."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        subject = writer.subject(form.subject_number)
        if subject is None:
            reading.fault("subject_number", "Choose an enrolled subject.", "R55", "8.2")
        prescriber = reading.text(form.prescriber, "prescriber", "The prescriber's name", longest=60)
        ordered_on = reading.day(form.ordered_on, "ordered_on", today=moment.today)
        planned_on = reading.day(form.planned_on, "planned_on")
        if planned_on < moment.today:
            reading.fault("planned_on", f"The infusion date {say_day(planned_on)} has passed.")
        elif planned_on > moment.today + timedelta(days=AHEAD_DAYS):
            reading.fault("planned_on", f"The infusion date is more than {AHEAD_DAYS} days ahead. Check the year.")
        course = reading.count(form.course, "course", "The course", low=1, high=MAX_COURSES)
        cycle = reading.count(form.cycle, "cycle", "The cycle", low=1, high=12)
        day = reading.count(form.day, "day", "The day of the cycle", low=1, high=35)
        level = reading.count(form.level, "level", "The dose level", low=-9, high=9)
        prescribed_mg = reading.decimal(form.prescribed_mg, "prescribed_mg", "The prescribed dose", "mg")
        for other in writer.doses(subject_number=form.subject_number):
            same = (other.course, other.cycle, other.day) == (course, cycle, day)
            if same and other.status != "cancelled" and other.administered_mg != 0:
                reading.fault(
                    "day",
                    f"Course {course}, cycle {cycle}, day {day} is ordered already as dose {other.dose_id}. Open that"
                    " one, or cancel it first.",
                )
        reading.done()
        return Draft(
            {
                "dose_id": numbered("D", writer.counter("dose") + 1),
                "subject_number": form.subject_number,
                "prescriber": prescriber,
                "ordered_on": ordered_on,
                "planned_on": planned_on,
                "course": course,
                "cycle": cycle,
                "day": day,
                "level": level,
                "prescribed_mg": prescribed_mg,
            }
        )

    return perform(desk, act, "dose_ordered", form, build)


@dataclass(frozen=True, slots=True)
class OverrideTyped:
    """A prescriber's or principal investigator's written decision, as typed, with its document's number."""

    rule: str
    decided_by: str
    role: str
    decided_on: str
    document: str
    why: str


@dataclass(frozen=True, slots=True)
class DecideForm:
    """What a person adds to the facts: which weight, written decisions, the reason for going on past warnings.

    ``seen`` is ``Decided.seen`` of the preview that was on the screen; '' where nobody looked at one.
    """

    dose_id: str
    weight_choice: str = "newest"
    overrides: tuple[OverrideTyped, ...] = ()
    reason: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision with the request it answers."""

    request: DoseRequest
    decision: DoseDecision

    @property
    def seen(self) -> str:
        """The hash of what a person sees of it: the planned dose and what each rule says."""
        said = [(finding.rule, finding.severity, finding.sentence) for finding in self.decision.findings]
        return digest([self.decision.planned_mg, said])


def thread_of(reader: Reader, dose_id: str) -> views.DoseThread:
    """The dose's thread; raises ``Refused`` when there is no such dose."""
    thread = reader.dose(dose_id)
    if thread is None:
        raise Refused(Fault("dose_id", f"There is no dose {dose_id}."))
    return thread


def in_status(thread: views.DoseThread, statuses: tuple[str, ...], what: str) -> None:
    """Refuse an act out of order (REGULATION E-10)."""
    if thread.line.status not in statuses:
        raise Refused(
            Fault(
                "",
                f"Dose {thread.line.dose_id} is {thread.line.status}; to {what} it must be {' or '.join(statuses)}.",
                "R55",
                "8.1.2",
            )
        )


def request_of(
    reader: Reader, thread: views.DoseThread, today: date, weight_choice: str, overrides: tuple[Override, ...]
) -> DoseRequest:
    """Every fact the decision depends on, gathered from the store."""
    line = thread.line
    subject = reader.subject(line.subject_number)
    measured = reader.measurements(line.subject_number)
    known = [row for row in measured if row.measured_on <= line.planned_on]
    treatment = treatment_of(reader, line.subject_number)
    heights = [row for row in known if row.kind == "height"]
    weights = [row for row in known if row.kind == "weight"]
    given = [
        dose
        for dose in reader.doses(subject_number=line.subject_number)
        if dose.given_on and dose.dose_id != line.dose_id
    ]
    newest = Weight(weights[0].value, weights[0].measured_on) if weights else None
    used = None
    formula_before = None
    dosing = newest
    last = max(given, key=lambda dose: (dose.given_on or date.min, dose.dose_id), default=None)
    if last is not None:
        before = thread_of(reader, last.dose_id)
        formula_before = BsaFormula(before.bsa_formula) if before.bsa_formula else None
        if before.weight_kg is not None and last.given_on is not None:
            used = UsedWeight(before.weight_kg, last.given_on)
            if weight_choice == "last used":
                dosing = Weight(before.weight_kg, before.weight_on or last.given_on)
    return DoseRequest(
        today=today,
        protocol=protocol_of(site_of(reader), line.planned_on),
        settings=settings_of(reader),
        birth=birth_of(subject.birth) if subject else None,
        course=line.course,
        cycle=line.cycle,
        day=line.day,
        level=line.level,
        planned_on=line.planned_on,
        prescribed_mg=line.prescribed_mg,
        height=Height(heights[0].value, heights[0].measured_on) if heights else None,
        dosing_weight=dosing,
        current_weight=newest,
        prior_weight_used=used,
        formula_before=formula_before,
        scheduled_on=treatment.planned_day1(line.course, line.cycle) if line.day == 1 else None,
        history=history_of(reader, line.subject_number, without=line.dose_id),
        overrides=overrides,
        treatment=treatment,
        criteria=criteria_of(reader, line.subject_number),
    )


def preview(desk: Desk, reader: Reader, form: DecideForm) -> Decided:
    """The decision as it would be now, recorded nowhere: what the page shows while it is filled in."""
    reading = Reading()
    today = today_of(desk, reader)
    overrides = _overrides(reading, reader, form, today)
    reading.choice(form.weight_choice, "weight_choice", "The weight", WEIGHT_CHOICES)
    reading.done()
    request = request_of(reader, thread_of(reader, form.dose_id), today, form.weight_choice, overrides)
    return Decided(request, decide(request))


@dataclass(frozen=True, slots=True)
class WhatIfForm:
    """Another weight (kg), day or level to try on a dose; '' keeps the order's own."""

    dose_id: str
    weight_kg: str = ""
    planned_on: str = ""
    level: str = ""


def what_if(desk: Desk, reader: Reader, form: WhatIfForm) -> Decided:
    """What the rules would say of another weight, day or level: nothing is recorded, no written decision counts."""
    reading = Reading()
    today = today_of(desk, reader)
    thread = thread_of(reader, form.dose_id)
    line = thread.line
    if form.planned_on.strip():
        line = replace(line, planned_on=reading.day(form.planned_on, "planned_on"))
    if form.level.strip():
        line = replace(line, level=reading.count(form.level, "level", "The dose level", low=-9, high=0))
    weight = None
    if form.weight_kg.strip():
        typed = reading.take(lambda: read_weight(form.weight_kg, WeightUnit.KG, field="weight_kg"), None)
        weight = None if typed is None else Weight(typed.value, min(today, line.planned_on))
    reading.done()
    request = request_of(reader, replace(thread, line=line), today, "newest", ())
    if weight is not None:
        request = replace(request, dosing_weight=weight, current_weight=weight)
    return Decided(request, decide(request))


def _overrides(reading: Reading, reader: Reader, form: DecideForm, today: date) -> tuple[Override, ...]:
    overrides = []
    for typed in form.overrides:
        at = f"overrides.{typed.rule}."
        subject_number = thread_of(reader, form.dose_id).line.subject_number
        document = reading.take(partial(_document, reader, typed.document, at + "document", subject_number), None)
        decided_on = reading.day(typed.decided_on, at + "decided_on", today=today)
        if document is not None and reading.was_read(at + "decided_on") and document.dated_on < decided_on:
            reading.fault(
                at + "document",
                f"Document {document.document_id} is dated {say_day(document.dated_on)}, before the decision of"
                f" {say_day(decided_on)}: it cannot hold it. Attach the one that does, or correct the date.",
            )
        overrides.append(
            Override(
                typed.rule,
                reading.text(typed.decided_by, at + "decided_by", "The name of who decided", longest=60),
                reading.choice(typed.role, at + "role", "The role", ("prescriber", "principal investigator")),
                decided_on,
                "" if document is None else f"{document.document_id} {document.title}",
                reading.text(typed.why, at + "why", "The reason", longest=500),
                "" if document is None else document.sha256,
            )
        )
    return tuple(overrides)


def _document(reader: Reader, typed: str, field: str, subject_number: str) -> views.DocumentLine:
    """The attached document of a written decision on this subject: on it as a whole, or on one of its doses."""
    if not typed.strip():
        raise Refused(Fault(field, "Attach the written decision and name its number here; a decision needs its paper."))
    document = reader.document(typed.strip().upper())
    if document is None:
        raise Refused(Fault(field, f"No document {typed.strip()} is attached. Attach it first, then type its number."))
    number = document.document_id
    if document.kind != WRITTEN_DECISION:
        raise Refused(
            Fault(
                field,
                f"Document {number} was attached as “{document.kind}”, which decides nothing. Attach the signed"
                f" decision as a {WRITTEN_DECISION}, then type its number.",
            )
        )
    dose = reader.dose(document.about)
    if subject_number != (document.about if dose is None else dose.line.subject_number):
        about = f"about {document.about}" if document.about else "about the study as a whole"
        raise Refused(
            Fault(
                field,
                f"Document {number} is {about}, not about subject {subject_number}. Attach the decision on this"
                " subject, or type its number.",
            )
        )
    return document


def record_decision(desk: Desk, act: Act, form: DecideForm) -> Event:
    """Record the decision with its working, findings and written overrides; a stopped one is recorded as stopped."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        thread = thread_of(writer, form.dose_id)
        in_status(thread, UNPLANNED, "be decided")
        overrides = _overrides(reading, writer, form, moment.today)
        choice = reading.choice(form.weight_choice, "weight_choice", "The weight", WEIGHT_CHOICES)
        reason = reading.note(form.reason, "reason", "The reason")
        request = request_of(writer, thread, moment.today, choice, overrides)
        decision = decide(request)
        if form.seen and form.seen != Decided(request, decision).seen:
            reading.fault(
                "",
                "Something was recorded on this subject since the decision was shown. Look at it again: the reason and"
                " the written decisions were given for what stood there before.",
                "",
                "8.1.5",
            )
        if decision.may_go_on and not reason and decision.with_severity(Severity.WARN):
            reading.fault(
                "reason", "There are warnings. Type the reason for going on, as it shall stand on the record."
            )
        reading.done()
        dosing, height = request.dosing_weight, request.height
        return Draft(
            {
                "dose_id": form.dose_id,
                "may_go_on": decision.may_go_on,
                "height_cm": height.cm if height else None,
                "weight_kg": dosing.kg if dosing else None,
                "weight_on": dosing.measured_on if dosing else None,
                "bsa_formula": decision.bsa_formula,
                "decision": {
                    "weight_choice": choice,
                    "overrides": overrides,
                    "reason": reason,
                    "decided_on": moment.today,
                    "facts": _facts(request),
                    "answer": decision,
                },
            },
            why=reason,
        )

    return perform(desk, act, "dose_decided", form, build)


def _facts(request: DoseRequest) -> dict[str, Any]:
    """The request as the journal keeps it: every fact but the protocol's text, which its hash names."""
    return {
        name: to_plain(getattr(request, name))
        for name in DoseRequest.__dataclass_fields__
        if name not in ("protocol", "overrides")
    }


def decision_of(thread: views.DoseThread) -> DoseDecision:
    """The recorded decision of a dose; raises ``Refused`` when it has none yet."""
    if thread.decision is None:
        raise Refused(Fault("", f"Dose {thread.line.dose_id} is not decided yet.", "", "8.1.3"))
    return from_plain(DoseDecision, thread.decision["answer"])


def written_decisions(thread: views.DoseThread) -> tuple[Override, ...]:
    """The written decisions a dose goes on by; none while it may still be decided anew without them."""
    if thread.decision is None or thread.line.status in ("ordered", "stopped"):
        return ()
    return from_plain(tuple[Override, ...], thread.decision["overrides"])


def still_true(reader: Reader, thread: views.DoseThread, today: date) -> DoseDecision:
    """Decide again with today's facts; refuse when anything that matters has changed since the record."""
    recorded = decision_of(thread)
    overrides = from_plain(tuple[Override, ...], thread.decision["overrides"])
    request = request_of(reader, thread, today, thread.decision["weight_choice"], overrides)
    now = decide(request)
    before = thread.decision["facts"]
    changed = [
        name.replace("_", " ")
        for name, value in _facts(request).items()
        if name not in ("today", "settings", "treatment", "criteria") and value != before.get(name)
    ]
    # What was recorded since about other doses of the subject counts when it makes a rule speak. O4 only sees the
    # planned day go by, which each later act judges for itself.
    # A reason or a written decision speaks of the very sentence it was given for: a worse value is another sentence.
    asks = [(finding.rule, finding.severity, finding.sentence) for finding in recorded.findings]
    for finding in now.findings:
        asked = (finding.rule, finding.severity, finding.sentence) in asks
        if finding.severity is not Severity.INFO and not asked and finding.rule != "O4":
            changed.append(f"what rule {finding.rule} says ({finding.sentence.rstrip('.')})")
    if now.protocol_sha256 != recorded.protocol_sha256:
        changed.append("the protocol in force on the day of the infusion")
    if thread.plan is not None and from_plain(StudySettings, thread.plan["settings"]) != request.settings:
        changed.append("signed settings")
    if now.planned_mg_unrounded != recorded.planned_mg_unrounded or now.planned_mg != recorded.planned_mg:
        changed.append("planned dose")
    if changed or not now.may_go_on:
        what = ", ".join(changed) or "the findings"
        raise Refused(
            Fault(
                "",
                f"Since dose {thread.line.dose_id} was decided this has changed: {what}. Decide it again before it"
                " goes on; if vials are reserved, cancel the dose and order it again.",
                "R14" if "current weight" in changed else "",
                "8.1.3",
            )
        )
    return now


def stops_since(reader: Reader, thread: views.DoseThread, today: date) -> tuple[Finding, ...]:
    """What stops a planned dose by now that did not when it was decided: what was stated of its subject since.

    The dose is what it was made for: height, weights and signed settings are those of its decision and plan.
    """
    recorded, facts = decision_of(thread), thread.decision["facts"]
    overrides = from_plain(tuple[Override, ...], thread.decision["overrides"])
    request = replace(
        request_of(reader, thread, today, thread.decision["weight_choice"], overrides),
        settings=from_plain(StudySettings, thread.plan["settings"]),
        height=from_plain(Height, facts["height"]),
        dosing_weight=from_plain(Weight, facts["dosing_weight"]),
        current_weight=from_plain(Weight, facts["current_weight"]),
    )
    decided = [(finding.rule, finding.sentence) for finding in recorded.findings]
    # A written decision speaks of the very sentence it was given for: a worse value is another sentence.
    return tuple(
        finding
        for finding in decide(request).findings
        if finding.blocks or (finding.override is not None and (finding.rule, finding.sentence) not in decided)
    )


@dataclass(frozen=True, slots=True)
class CancelForm:
    """A dose that will not be given, and why. ``opened`` names its vials that were opened, with nothing recorded."""

    dose_id: str
    why: str
    opened: tuple[str, ...] = ()


def cancel(desk: Desk, act: Act, form: CancelForm) -> Event:
    """Cancel a dose before it is given: reserved vials go back, opened ones stay to be closed in the mg ledger.

    Vials that were opened for a preparation which came to nothing (a dilution too late, a broken bag) never go back:
    those that ``opened`` names are opened with nothing withdrawn and closed like any other. A quarantined one stays.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        thread = thread_of(writer, form.dose_id)
        why = reading.text(form.why, "why", "The reason", longest=500)
        reading.done()
        in_status(thread, (*UNPLANNED, "planned", "verified", "prepared", "released"), "be cancelled")
        reserved = [vial for vial in thread.vials if vial.state == "reserved"]
        if form.opened and thread.line.status != "verified":
            raise Refused(
                Fault(
                    "opened", "Vials are opened after the second check and before mixing is recorded.", "R58", "8.1.2"
                )
            )
        check_order(writer, [vial.unit_number for vial in reserved], utc_text(moment.now))
        stranger = set(form.opened) - {vial.unit_number for vial in reserved}
        if stranger:
            raise Refused(Fault("opened", f"{', '.join(sorted(stranger))} is no reserved vial of this dose."))
        moves = [move(vial, "open" if vial.unit_number in form.opened else "unreserve") for vial in reserved]
        came_of_it = (*move_table().moves["take back"].from_states, "returned by subject")
        used = {line.unit_number for line in thread.mg}
        return Draft(
            {
                "dose_id": form.dose_id,
                # Quarantined, broken, missing or gone since it was reserved: a vial stays what it is, without its dose.
                # One that was opened for it keeps the dose, even when it came back.
                "freed": [
                    vial.unit_number
                    for vial in thread.vials
                    if vial.state not in ("reserved", *came_of_it, *(("lost",) if vial.unit_number in used else ()))
                ],
                "moves": moves,
                "line": {
                    "dose_id": form.dose_id,
                    "counterparty": thread.line.subject_number,
                    "comment": f"dose cancelled: {why}",
                },
            },
            why=why,
        )

    return perform(desk, act, "dose_cancelled", form, build)
