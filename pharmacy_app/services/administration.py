"""After the bag left: record what was given, and close every opened vial in the mg ledger."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pharmacy_app.domain.comparisons import compare_administered
from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.findings import Finding, Named, Severity
from pharmacy_app.domain.units import KEPT, show, show_percent
from pharmacy_app.domain.vials import move, numbered
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, protocol_of, zone_of
from pharmacy_app.services.doses import in_status, thread_of
from pharmacy_app.services.ports import Writer
from pharmacy_app.services.preparation import planned_settings
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.stock import check_order
from pharmacy_app.services.study_settings import needed


@dataclass(frozen=True, slots=True)
class AdministrationForm:
    """What the ward reports, as typed: times, and the amount given in mg or in mL of the bag."""

    dose_id: str
    started_at: str
    ended_at: str
    given: str
    unit: str
    note: str = ""


def administer(desk: Desk, act: Act, form: AdministrationForm) -> Event:
    """Record the administration. Off by 10 % or more opens a medication-error record in the same act (R17)."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        thread = thread_of(writer, form.dose_id)
        in_status(thread, ("released",), "be administered")
        zone = zone_of(moment.site)
        started_at = reading.moment(form.started_at, "started_at", zone, moment.now)
        ended_at = reading.moment(form.ended_at, "ended_at", zone, moment.now)
        unit = reading.choice(form.unit, "unit", "The unit", ("mg", "mL"))
        given = reading.decimal(form.given, "given", "The amount given", unit, zero=True)
        note = reading.note(form.note, "note", "The note")
        released_at = (thread.released_at or moment.now).replace(second=0, microsecond=0)
        if reading.was_read("started_at", "ended_at") and ended_at <= started_at:
            reading.fault("ended_at", "The infusion must end after it starts. Check both times.")
        if started_at < released_at:
            reading.fault(
                "started_at", f"The bag was released at {released_at:%H:%M}, after this start. Check the time."
            )
        for name, at in (("started_at", started_at), ("ended_at", ended_at)):
            if at > moment.now:
                reading.fault(name, f"{say_moment(at)} is in the future. Record it when the infusion has ended.")
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
        compared = compare_administered(administered_mg, thread.line.prescribed_mg, protocol_of(moment.site))
        if compared.finding is not None:
            findings.append(compared.finding)
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
        error = None
        if compared.finding is not None:
            error = {
                "error_id": numbered("E", writer.counter("medication_error") + 1),
                "subject_number": thread.line.subject_number,
                "occurred_on": started_at.date(),
                "prescribed_mg": thread.line.prescribed_mg,
                "administered_mg": administered_mg,
                "difference": "N/A" if compared.percent is None else show_percent(compared.percent),
                "sentence": compared.finding.sentence,
            }
        return Draft(
            {
                "dose_id": form.dose_id,
                "administration": {
                    "started_at": started_at,
                    "ended_at": ended_at,
                    "given": given,
                    "unit": unit,
                    "administered_mg": administered_mg,
                    # Nothing given is no dose given: the day stays open to be ordered again.
                    "given_on": started_at.date() if administered_mg else None,
                    "note": note,
                    "comparison": compared,
                    "findings": findings,
                },
                "medication_error": error,
            },
            done_at=ended_at,
        )

    return perform(desk, act, "dose_administered", form, build)


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


def close_vials(desk: Desk, act: Act, form: CloseForm) -> Event:
    """Close each opened vial: withdrawn + residue + discarded = labelled content, to the last digit.

    More left than cannot be drawn makes the vial 'partial', otherwise it is 'empty'.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        thread = thread_of(writer, form.dose_id)
        in_status(thread, ("administered", "cancelled"), "have its vials closed")
        opened = {vial.unit_number: vial for vial in thread.vials if vial.state == "opened"}
        check_order(writer, list(opened), utc_text(moment.now))
        if not opened:
            raise Refused(Fault("", f"Dose {form.dose_id} has no opened vial left to close.", "R57", "8.2"))
        typed = {row.unit_number: row for row in form.vials}
        for number in typed.keys() - opened.keys():
            reading.fault("", f"Vial {number} is not an opened vial of this dose.")
        settings = planned_settings(thread)
        withdrawn = {line.unit_number: line.withdrawn_mg for line in thread.mg}
        closed, moves = [], []
        for number, vial in opened.items():
            row = typed.get(number, ClosedTyped(number, "", ""))
            before = len(reading.faults)
            residue_mg = reading.decimal(row.residue_mg, f"residue_mg.{number}", "the residue", "mg", zero=True)
            discarded_mg = reading.decimal(
                row.discarded_mg, f"discarded_mg.{number}", "the discarded amount", "mg", zero=True
            )
            total = withdrawn[number] + residue_mg + discarded_mg
            if total != vial.strength_mg and len(reading.faults) == before:
                reading.fault(
                    f"residue_mg.{number}",
                    f"Vial {number} does not close: {show(withdrawn[number])} withdrawn + {show(residue_mg)}"
                    f" residue + {show(discarded_mg)} discarded = {show(total)} mg, but it held"
                    f" {show(vial.strength_mg)} mg.",
                    "R57",
                    "8.2",
                )
            setting = needed(settings.vial(vial.strength_mg), f"vial_{vial.strength_mg}mg").value
            partial = residue_mg > vial.strength_mg - setting.extractable_mg
            moves.append(move(vial, "close partial" if partial else "close empty"))
            closed.append({"unit_number": number, "residue_mg": residue_mg, "discarded_mg": discarded_mg})
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
