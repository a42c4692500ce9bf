"""After the bag left: record what was given, and close every opened vial in the mg ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from pharmacy_app.domain.comparisons import DoseComparison, compare_administered
from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.findings import Finding, Named, Severity
from pharmacy_app.domain.medication_errors import ErrorType, StoppedFor
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.settings import StudySettings
from pharmacy_app.domain.units import KEPT, percent_change, reaches, show, show_mg, show_percent
from pharmacy_app.domain.vials import move, numbered
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, protocol_of, zone_of
from pharmacy_app.services.doses import decision_of, in_status, stops_since, thread_of
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.preparation import planned_settings
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.stock import check_order
from pharmacy_app.services.study_settings import needed


@dataclass(frozen=True, slots=True)
class AdministrationForm:
    """What the ward reports, as typed: times, and the amount given in mg or in mL of the bag.

    ``stopped_for`` is '' unless the infusion was stopped part-way: then 'reaction' or 'other'. ``premedicated_at`` may
    stay empty when the ward does not report it.
    """

    dose_id: str
    started_at: str
    ended_at: str
    given: str
    unit: str
    note: str = ""
    stopped_for: str = ""
    premedicated_at: str = ""
    late_why: str = ""


def administer(desk: Desk, act: Act, form: AdministrationForm) -> Event:
    """Record the administration. Off by 10 % or more opens a medication-error record in the same act (R17)."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        thread = thread_of(writer, form.dose_id)
        in_status(thread, ("released",), "be administered")
        late_why = reading.note(form.late_why, "late_why", "The reason for the late entry", longest=300)
        given = read_given(reading, thread, form, moment, lambda: _stopping(stops_since(writer, thread, moment.today)))
        return Draft(
            {
                "dose_id": form.dose_id,
                "subject_number": thread.line.subject_number,
                "administration": given,
                "medication_error": dosing_error(writer, thread, given),
            },
            done_at=given.ended_at,
            late_why=late_why,
        )

    return perform(desk, act, "dose_administered", form, build)


@dataclass(frozen=True, slots=True)
class Administration:
    """What was given of a bag, as it is kept: times at the site, amounts, what is to be said of them.

    ``given_on`` is ``None`` when nothing was given: then the day stays open to be ordered again.
    """

    started_at: datetime
    ended_at: datetime
    given: Decimal
    unit: str
    administered_mg: Decimal
    given_on: date | None
    note: str
    stopped_for: str
    premedicated_at: datetime | None
    comparison: DoseComparison
    findings: tuple[Finding, ...]


def read_given(
    reading: Reading,
    thread: views.DoseThread,
    form: AdministrationForm,
    moment: Moment,
    stopping: Callable[[], Sequence[Finding]],
) -> Administration:
    """The ward's report, read and compared; raises ``Refused`` with all faults of the form.

    ``stopping`` gives what was recorded since the decision that stops a dose; it is asked when something was given.
    """
    zone = zone_of(moment.site)
    started_at = reading.moment(form.started_at, "started_at", zone, moment.now)
    ended_at = reading.moment(form.ended_at, "ended_at", zone, moment.now)
    unit = reading.choice(form.unit, "unit", "The unit", ("mg", "mL"))
    given = reading.decimal(form.given, "given", "The amount given", unit, zero=True)
    note = reading.note(form.note, "note", "The note")
    stopped_for = (
        reading.choice(form.stopped_for, "stopped_for", "Stopped for", tuple(StoppedFor)) if form.stopped_for else ""
    )
    premedicated_at = (
        reading.moment(form.premedicated_at, "premedicated_at", zone, moment.now)
        if form.premedicated_at.strip()
        else None
    )
    released_at = (thread.released_at or moment.now).replace(second=0, microsecond=0)
    if reading.was_read("started_at", "ended_at") and ended_at <= started_at:
        reading.fault("ended_at", "The infusion must end after it starts. Check both times.")
    if started_at < released_at:
        reading.fault("started_at", f"The bag was released at {released_at:%H:%M}, after this start. Check the time.")
    for name, at in (("started_at", started_at), ("ended_at", ended_at)):
        if at > moment.now:
            reading.fault(name, f"{say_moment(at)} is in the future. Record it when the infusion has ended.")
    if premedicated_at is not None and premedicated_at > moment.now:
        reading.fault("premedicated_at", f"{say_moment(premedicated_at)} is in the future. Check the time.")
    preparation = thread.preparation
    prepared_mg = thread.prepared_mg or Decimal(0)
    volume = Decimal(preparation["bag_volume_ml"])
    administered_mg = given if unit == "mg" else KEPT.divide(KEPT.multiply(given, prepared_mg), volume)
    if unit == "mL" and given > volume:
        reading.fault("given", f"The bag holds {show(volume)} mL. More cannot have been given.")
    elif administered_mg > prepared_mg:
        reading.fault("given", f"The bag holds {show(prepared_mg)} mg. More cannot have been given.")
    reading.done()
    findings: list[Finding] = []
    protocol = protocol_of(moment.site, started_at.date())
    compared = compare_administered(administered_mg, thread.line.prescribed_mg, protocol)
    if compared.finding is not None:
        findings.append(compared.finding)
    else:
        findings += off_the_plan(administered_mg, decision_of(thread).planned_mg_unrounded, protocol)
    findings += infusion_findings(started_at, ended_at, premedicated_at, protocol)
    if administered_mg:
        findings += stopping()
    end_by = datetime.fromisoformat(preparation["beyond_use_at"])
    if ended_at > end_by:
        findings.append(
            Finding(
                "A31",
                Severity.WARN,
                f"The infusion ended at {say_moment(ended_at)}, after the beyond-use time"
                f" {say_moment(end_by)}. Tell the investigator.",
                "8.2",
                (Named("ended", f"{ended_at:%H:%M}"), Named("beyond-use time", f"{end_by:%H:%M}")),
            )
        )
    if started_at.date() != thread.line.planned_on:
        findings.append(
            Finding(
                "R20",
                Severity.WARN,
                f"The dose was decided for {say_day(thread.line.planned_on)} and given on {say_day(started_at)}.",
                "8.1.3",
            )
        )
    return Administration(
        started_at,
        ended_at,
        given,
        unit,
        administered_mg,
        started_at.date() if administered_mg else None,
        note,
        stopped_for,
        premedicated_at,
        compared,
        tuple(findings),
    )


SINCE_DECIDED = "Since the dose was decided, this was recorded, which stops it: "
"""How a finding begins that stopped the dose before it was given."""


def _stopping(stops: Sequence[Finding]) -> tuple[Finding, ...]:
    """A fact is recorded whatever stops the dose by now; it only does not go by unsaid."""
    return tuple(
        replace(
            each,
            severity=Severity.WARN,
            override=None,
            sentence=f"{SINCE_DECIDED}{each.sentence} Tell the investigator that the dose was given.",
        )
        for each in stops
    )


def dosing_error(reader: Reader, thread: views.DoseThread, given: Administration) -> dict[str, object] | None:
    """The medication-error record that an administration opens when it is off by the limit or more (R17)."""
    compared = given.comparison
    if compared.finding is None:
        return None
    return {
        "error_id": numbered("E", reader.counter("medication_error") + 1),
        "subject_number": thread.line.subject_number,
        "occurred_on": given.started_at.date(),
        "prescribed_mg": thread.line.prescribed_mg,
        "administered_mg": given.administered_mg,
        "difference": "N/A" if compared.percent is None else show_percent(compared.percent),
        "sentence": compared.finding.sentence + _stopped_words(given.stopped_for),
        "error_type": ErrorType.WRONG_DOSE if given.administered_mg else ErrorType.OMITTED,
    }


def _stopped_words(stopped_for: str) -> str:
    """What the error's sentence says of an infusion that was stopped part-way (RULES A23)."""
    if not stopped_for:
        return ""
    why = "a reaction" if stopped_for == StoppedFor.REACTION else "another reason"
    return f" The infusion was stopped part-way for {why}: the assessment says whether this is an error."


def off_the_plan(administered_mg: Decimal, planned_mg: Decimal | None, protocol: Protocol) -> tuple[Finding, ...]:
    """What is said when as much was given as was prescribed, but not as was planned (mg, unrounded; RULES A4)."""
    limit = protocol.dose_difference.from_percent
    if planned_mg is None or not reaches(administered_mg, planned_mg, limit):
        return ()
    percent = percent_change(administered_mg, planned_mg)
    difference = "" if percent is None else f" ({show_percent(percent)})"
    return (
        Finding(
            "A4",
            Severity.INFO,
            f"The administered dose of {show_mg(administered_mg)} fits what was prescribed, but differs from the"
            f" planned {show_mg(planned_mg)} by {show(limit)} % or more{difference}. By the protocol this is no dosing"
            " medication error. It may be recorded as a prescribing error.",
            protocol.dose_difference.section,
            (Named("administered dose", show(administered_mg), "mg"), Named("planned dose", show(planned_mg), "mg")),
        ),
    )


def infusion_findings(
    started_at: datetime, ended_at: datetime, premedicated_at: datetime | None, protocol: Protocol
) -> tuple[Finding, ...]:
    """What is said of the infusion's length (R9) and of the time of premedication (R10), for information.

    Half and double the protocol's length are inside, and so are both ends of the premedication's window. A
    premedication whose time was not reported is not judged.
    """
    found = []
    lasted = ended_at - started_at
    lasted_s, about_s = Decimal(lasted // timedelta(seconds=1)), protocol.infusion.about_hours * 3600
    if lasted_s < about_s / 2 or lasted_s > about_s * 2:
        found.append(
            Finding(
                "R9",
                Severity.INFO,
                f"The infusion lasted {_minutes(lasted)} min; the protocol says about"
                f" {show(protocol.infusion.about_hours)} h.",
                protocol.infusion.section,
                (Named("infusion", _minutes(lasted), "min"),),
            )
        )
    if premedicated_at is not None:
        window = protocol.premedication
        before = started_at - premedicated_at
        if not timedelta(minutes=window.min_minutes) <= before <= timedelta(minutes=window.max_minutes):
            when = "before the start" if before >= timedelta(0) else "after the start"
            found.append(
                Finding(
                    "R10",
                    Severity.INFO,
                    f"Premedication was given {_minutes(abs(before))} min {when}; the protocol says about"
                    f" {window.min_minutes} to {window.max_minutes} min before.",
                    window.section,
                    (Named("premedication before the start", _minutes(before), "min"),),
                )
            )
    return tuple(found)


def _minutes(span: timedelta) -> str:
    return str(span // timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class ClosedTyped:
    """What became of one opened vial's content beside the dose, as typed (mg)."""

    unit_number: str
    residue_mg: str
    discarded_mg: str


@dataclass(frozen=True, slots=True)
class CloseForm:
    """The opened vials of a dose, to be closed. Fields are named ``residue_mg.V000012K``."""

    dose_id: str
    vials: tuple[ClosedTyped, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """What became of one opened vial's content beside the dose (mg)."""

    unit_number: str
    residue_mg: Decimal
    discarded_mg: Decimal


def read_closed(reading: Reading, row: ClosedTyped, line: views.MgLine) -> Closed:
    """One vial's closing as typed; a fault unless withdrawn + residue + discarded is the labelled content (R57)."""
    number = row.unit_number
    before = len(reading.faults)
    residue_mg = reading.decimal(row.residue_mg, f"residue_mg.{number}", "the residue", "mg", zero=True)
    discarded_mg = reading.decimal(row.discarded_mg, f"discarded_mg.{number}", "the discarded amount", "mg", zero=True)
    total = line.withdrawn_mg + residue_mg + discarded_mg
    if total != line.labelled_mg and len(reading.faults) == before:
        reading.fault(
            f"residue_mg.{number}",
            f"Vial {number} does not close: {show(line.withdrawn_mg)} withdrawn + {show(residue_mg)} residue +"
            f" {show(discarded_mg)} discarded = {show(total)} mg, but it held {show(line.labelled_mg)} mg.",
            "R57",
            "8.2",
        )
    return Closed(number, residue_mg, discarded_mg)


def closed_as(residue_mg: Decimal, labelled_mg: Decimal, settings: StudySettings) -> str:
    """'partial' when more is left (mg) than cannot be drawn, otherwise 'empty'."""
    setting = needed(settings.vial(labelled_mg), f"vial_{labelled_mg}mg").value
    return "partial" if residue_mg > labelled_mg - setting.extractable_mg else "empty"


def close_vials(desk: Desk, act: Act, form: CloseForm) -> Event:
    """Close each opened vial: withdrawn + residue + discarded = labelled content, to the last digit.

    More left than cannot be drawn makes the vial 'partial', otherwise it is 'empty'.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        thread = thread_of(writer, form.dose_id)
        in_status(thread, ("administered", "cancelled"), "have its vials closed")
        not_closed = {line.unit_number for line in thread.mg if line.residue_mg is None}
        # What came back from a subject meanwhile is closed in the mg ledger too; it stays what it is.
        opened = {vial.unit_number: vial for vial in thread.vials if vial.unit_number in not_closed}
        check_order(writer, list(opened), utc_text(moment.now))
        if not opened:
            raise Refused(Fault("", f"Dose {form.dose_id} has no opened vial left to close.", "R57", "8.2"))
        typed = {row.unit_number: row for row in form.vials}
        for number in typed.keys() - opened.keys():
            reading.fault("", f"Vial {number} is not an opened vial of this dose.")
        settings = planned_settings(thread)
        lines = {line.unit_number: line for line in thread.mg}
        closed, moves = [], []
        for number, vial in opened.items():
            row = read_closed(reading, typed.get(number, ClosedTyped(number, "", "")), lines[number])
            if vial.state == "opened":
                state = closed_as(row.residue_mg, lines[number].labelled_mg, settings)
                moves.append(move(vial, f"close {state}"))
            closed.append(row)
        reading.done()
        return Draft(
            {
                "dose_id": form.dose_id,
                "closed": closed,
                "status": "closed" if thread.line.status == "administered" else "",
                "moves": moves,
                "line": {
                    "dose_id": form.dose_id,
                    "counterparty": thread.line.subject_number,
                    "comment": "mg ledger closed",
                },
            }
        )

    return perform(desk, act, "vials_closed", form, build)
